//! Replacing the Pods of an older template, node by node.
//!
//! Owns how many nodes may be without an available Pod meanwhile, and how many may have two. Source:
//! `update.go` of Kubernetes' daemon controller.

use std::sync::Arc;

use super::{Place, Sync};
use crate::api::object::Object;
use crate::api::value::{SmolStr, Value};
use crate::controllers::owned;

/// The Pods of a node that are not being deleted: of the present template and of an older one.
type Pair<'a> = (Option<&'a Arc<Object>>, Option<&'a Arc<Object>>);

impl Sync<'_, '_> {
    /// A limit of the rolling update in Pods.
    fn limit(&self, field: &str) -> i64 {
        let wanted = self.nodes.values().filter(|place| place.wanted).count();
        let wanted = i64::try_from(wanted).expect("nodes are counted with 32 bits");
        let limit = self.set.spec().at(&["updateStrategy", "rollingUpdate", field]);
        if *limit == Value::Null {
            return 0;
        }
        owned::share(limit, wanted, true)
    }

    /// How many nodes may have a Pod more than one.
    pub(super) fn surge(&self) -> i64 {
        if self.rolls() { self.limit("maxSurge") } else { 0 }
    }

    fn rolls(&self) -> bool {
        self.set.spec().at(&["updateStrategy", "type"]).str() == "RollingUpdate"
    }

    fn pair<'a>(&self, place: &'a Place) -> Pair<'a> {
        let mut living = place.pods.iter().filter(|pod| !pod.is_terminating());
        let mut others = living.clone();
        (living.find(|pod| self.is_updated(pod)), others.find(|pod| !self.is_updated(pod)))
    }

    /// One step of a rolling update.
    pub(super) fn roll(&mut self) {
        if !self.rolls() {
            return;
        }
        let surge = self.surge();
        if surge > 0 {
            return self.roll_with_surge(surge);
        }
        // Where both limits come out as nothing, one Pod at a time goes.
        let most = self.limit("maxUnavailable").max(1);
        let mut unavailable = 0;
        let (mut broken, mut candidates) = (Vec::new(), Vec::new());
        for place in self.nodes.values().filter(|place| place.wanted || !place.pods.is_empty()) {
            match self.pair(place) {
                (None, None) | (Some(_), Some(_)) => unavailable += 1,
                (Some(new), None) => unavailable += i64::from(!self.is_available(new)),
                (None, Some(old)) if !self.is_available(old) => {
                    broken.push(old.clone());
                    unavailable += 1;
                }
                (None, Some(old)) => candidates.push(old.clone()),
            }
        }
        let room = usize::try_from(most - unavailable).unwrap_or(0);
        for pod in broken.into_iter().chain(candidates.into_iter().take(room)) {
            self.delete(&pod);
        }
    }

    /// New Pods come first; an old one goes when the new one of its node is available.
    fn roll_with_surge(&mut self, most: i64) {
        let mut surging = 0;
        let mut superfluous = Vec::new();
        let (mut broken, mut candidates): (Vec<SmolStr>, Vec<SmolStr>) = (Vec::new(), Vec::new());
        for (name, place) in self.nodes.iter().filter(|(_, place)| place.wanted) {
            match self.pair(place) {
                (Some(new), Some(old)) if self.is_available(new) => superfluous.push(old.clone()),
                (Some(_), Some(_)) => surging += 1,
                (None, Some(old)) if !self.is_available(old) => broken.push(name.clone()),
                (None, Some(_)) => candidates.push(name.clone()),
                _ => {}
            }
        }
        let room = usize::try_from(most - surging).unwrap_or(0);
        for pod in superfluous {
            self.delete(&pod);
        }
        for node in broken.into_iter().chain(candidates.into_iter().take(room)) {
            self.create(&node);
        }
    }
}
