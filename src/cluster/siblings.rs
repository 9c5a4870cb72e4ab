//! Pods of one template share one spec.
//!
//! Owns the memory of the Pod that a controller created last: the next one of the same template takes over
//! its defaulted and admitted spec instead of having another made. The only difference that this takes away
//! is the generated name of the service account volume.

use std::sync::Arc;

use super::actor::Actor;
use super::request::Request;
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::value::Value;

/// The Pod that a controller created last, with the spec that it was given for it.
#[derive(Debug, Default)]
pub(super) struct Siblings {
    last: Option<(Value, Arc<Object>)>,
}

impl Siblings {
    /// A Pod of the same namespace that was made from the very same spec.
    pub(super) fn find(&self, request: &Request, given: &Value) -> Option<Arc<Object>> {
        if request.kind != Kind::Pod || request.actor == Actor::User {
            return None;
        }
        let (spec, pod) = self.last.as_ref()?;
        (spec.same(given) && *pod.namespace() == request.namespace).then(|| pod.clone())
    }

    /// The Pod created last, if a new document has the very same spec.
    pub(super) fn sharing(&self, kind: Kind, document: &Value) -> Option<&Arc<Object>> {
        let (_, pod) = self.last.as_ref().filter(|_| kind == Kind::Pod)?;
        pod.spec().same(document.get("spec")).then_some(pod)
    }

    /// Remembers a Pod that was made from a spec.
    pub(super) fn remember(&mut self, request: &Request, given: Value, pod: &Arc<Object>) {
        if request.kind == Kind::Pod && request.actor != Actor::User {
            self.last = Some((given, pod.clone()));
        }
    }

    /// Follows a write: what admission reads may have changed.
    pub(super) fn follow(&mut self, kind: Kind) {
        if matches!(kind, Kind::ServiceAccount | Kind::PriorityClass | Kind::LimitRange) {
            self.last = None;
        }
    }
}
