//! Forwarded ports: what `kubectl port-forward` listens on while it runs.
//!
//! Owns the list of open forwards of one host and the way of a connection through one: the client speaks to
//! the kubectl that listens, and a packet starts inside the Pod, to its own loopback address. Who opens and
//! closes forwards is [`super::kubectl`]'s business.

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;

use super::executor::Notice;
use super::host::Host;
use super::io::Output;
use super::places::Address;
use crate::api::object::Key;
use crate::api::registry::Kind;
use crate::network::{Origin, Trace, Transport};

/// A port that a running `kubectl port-forward` listens on.
pub struct Forward {
    /// Where kubectl runs.
    pub place: Address,
    /// The address that it listens on; unspecified for all of the machine's.
    pub address: IpAddr,
    /// The port that it listens on.
    pub port: u16,
    /// The Pod that connections lead to.
    pub pod: Key,
    /// The port of the Pod.
    pub target: u16,
    /// Where it tells of connections.
    pub output: Output,
    /// Told when a connection could not be made, which ends kubectl.
    pub lost: Rc<Notice>,
}

/// The open forwards of a host.
#[derive(Default)]
pub struct Forwards(RefCell<Vec<Rc<Forward>>>);

impl Forwards {
    /// Whether something listens on an address already.
    pub fn is_taken(&self, place: &Address, address: IpAddr, port: u16) -> bool {
        self.0.borrow().iter().any(|held| {
            let same = held.address == address || held.address.is_unspecified() || address.is_unspecified();
            held.place == *place && held.port == port && same && held.address.is_ipv4() == address.is_ipv4()
        })
    }

    /// Begins to listen; it ends when what is given back is dropped.
    #[must_use]
    pub fn open(&self, host: &Host, forward: Forward) -> Open {
        let forward = Rc::new(forward);
        self.0.borrow_mut().push(Rc::clone(&forward));
        Open { host: host.clone(), forward }
    }

    /// The forward that listens at `to`, as seen from `from`.
    pub fn at(&self, host: &Host, from: &Address, to: SocketAddr) -> Option<Rc<Forward>> {
        let forwards = self.0.borrow();
        let found = forwards.iter().filter(|held| held.port == to.port()).find(|held| {
            if held.address.is_unspecified() {
                let local = held.place == *from && to.ip().is_loopback();
                return local || addresses(host, &held.place).contains(&to.ip());
            }
            held.address == to.ip() && (held.place == *from || !to.ip().is_loopback())
        });
        found.map(Rc::clone)
    }
}

/// An open forward.
pub struct Open {
    host: Host,
    forward: Rc<Forward>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.host.forwards().0.borrow_mut().retain(|held| !Rc::ptr_eq(held, &self.forward));
    }
}

/// The addresses of a machine.
pub fn addresses(host: &Host, place: &Address) -> Vec<IpAddr> {
    host.with(|simulation| match place {
        Address::Workstation => vec![simulation.cluster.settings().workstation_address],
        Address::Node(name) => {
            let node = simulation.cluster.get(&Key::new(Kind::Node, "", name.as_str()));
            node.and_then(|node| node.as_node().map(|node| node.addresses.to_vec())).unwrap_or_default()
        }
        Address::Container { namespace, pod, .. } => {
            let pod = simulation.cluster.get(&Key::new(Kind::Pod, namespace.as_str(), pod.as_str()));
            pod.and_then(|pod| pod.as_pod().map(|pod| pod.ips.to_vec())).unwrap_or_default()
        }
    })
}

/// Connects inside the Pod, as the kubelet does for a forwarded connection.
pub fn connect_inside(host: &Host, forward: &Forward) -> Arc<Trace> {
    let from = Origin::pod(forward.pod.namespace.clone(), forward.pod.name.clone());
    let to = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), forward.target);
    host.with(|simulation| simulation.connect(&from, to, Transport::Tcp))
}
