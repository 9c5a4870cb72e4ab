//! Where a connection comes from.
//!
//! Owns [`Origin`], which names a sender before the network has looked up its addresses.

use std::net::IpAddr;

use crate::api::object::Key;
use crate::api::registry::Kind;
use crate::api::value::SmolStr;

/// Who sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A process in a Pod.
    Pod(Key),
    /// A process on a node, by the node's name.
    Node(SmolStr),
    /// The workstation, outside the cluster.
    Outside,
    /// Another host outside the cluster, by its address.
    OutsideHost(IpAddr),
}

impl Origin {
    /// A process in a Pod.
    #[must_use]
    pub fn pod(namespace: impl Into<SmolStr>, name: impl Into<SmolStr>) -> Self {
        Self::Pod(Key::new(Kind::Pod, namespace, name))
    }

    /// A process on a node.
    #[must_use]
    pub fn node(name: impl Into<SmolStr>) -> Self {
        Self::Node(name.into())
    }
}
