//! What the simulation reads of objects, as Rust types that hold only what validation let through.
//!
//! Owns the typed view of Pods, Services, EndpointSlices and Nodes. Fields that nothing simulates are
//! not here; they live in the document ([`super::object::Object::value`]) and are shown from there.
//! Workloads are read from the document by their controllers.

mod addresses;
mod endpoint_slice;
mod node;
mod pod;
mod service;

pub use addresses::Addresses;
pub use endpoint_slice::{Endpoint, EndpointPort, EndpointSlice};
pub use node::Node;
pub use pod::{Container, ContainerPort, Pod, PodSpec, Role};
pub use service::{Affinity, CLOUD_FINALIZER, Policy, Service, ServicePort, ServiceType};

use std::fmt;

use super::object::Object;
use super::registry::Kind;
use super::value::{SmolStr, Value};

/// The typed view of an object, where its kind has one.
#[derive(Clone, Debug, PartialEq)]
pub enum Typed {
    /// A Pod.
    Pod(Box<Pod>),
    /// A Service.
    Service(Box<Service>),
    /// An EndpointSlice.
    EndpointSlice(Box<EndpointSlice>),
    /// A Node.
    Node(Box<Node>),
    /// A kind that is read from its document.
    Document,
}

impl Typed {
    /// Decodes an accepted document.
    #[must_use]
    pub fn of(kind: Kind, value: &Value, before: Option<&Object>) -> Self {
        match kind {
            Kind::Pod => Self::Pod(Box::new(Pod::of(value, before.and_then(Object::as_pod)))),
            Kind::Service => Self::Service(Box::new(Service::of(value))),
            Kind::EndpointSlice => Self::EndpointSlice(Box::new(EndpointSlice::of(value))),
            Kind::Node => Self::Node(Box::new(Node::of(value))),
            _ => Self::Document,
        }
    }
}

impl Object {
    /// The Pod, if this is one.
    #[must_use]
    pub fn as_pod(&self) -> Option<&Pod> {
        match &self.typed {
            Typed::Pod(pod) => Some(pod),
            _ => None,
        }
    }

    /// The Service, if this is one.
    #[must_use]
    pub fn as_service(&self) -> Option<&Service> {
        match &self.typed {
            Typed::Service(service) => Some(service),
            _ => None,
        }
    }

    /// The EndpointSlice, if this is one.
    #[must_use]
    pub fn as_endpoint_slice(&self) -> Option<&EndpointSlice> {
        match &self.typed {
            Typed::EndpointSlice(slice) => Some(slice),
            _ => None,
        }
    }

    /// The Node, if this is one.
    #[must_use]
    pub fn as_node(&self) -> Option<&Node> {
        match &self.typed {
            Typed::Node(node) => Some(node),
            _ => None,
        }
    }
}

/// A transport protocol of a Service or container port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP, the default.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// The protocol named in a field; TCP where it is absent.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        match value.str() {
            "UDP" => Self::Udp,
            "SCTP" => Self::Sctp,
            _ => Self::Tcp,
        }
    }

    /// `TCP`, `UDP` or `SCTP`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A port by number or by name (`intstr.IntOrString`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortRef {
    /// A number.
    Number(u16),
    /// The name of a container port.
    Name(SmolStr),
}

impl PortRef {
    /// The port in a field; `None` where it is absent or 0.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Int(number) => u16::try_from(*number).ok().filter(|port| *port > 0).map(Self::Number),
            Value::Str(name) if !name.is_empty() => Some(Self::Name(name.clone())),
            _ => None,
        }
    }
}

impl fmt::Display for PortRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A port number in a field; 0 where it is absent or out of range.
pub(super) fn port(value: &Value) -> u16 {
    value.as_int().and_then(|number| u16::try_from(number).ok()).unwrap_or(0)
}
