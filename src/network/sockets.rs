//! Sockets: who listens where.
//!
//! Owns [`Listener`] and what nodes and outside hosts listen on. What Pods listen on is decided by their
//! images: [`crate::containers`].

use crate::api::object::Object;
use crate::api::typed::Protocol;
use crate::api::value::SmolStr;
use crate::containers::catalogue::App;
use crate::containers::open_ports;

/// An open socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Whether it is open for 127.0.0.1 only.
    pub loopback: bool,
    /// Its port.
    pub port: u16,
    /// Its protocol.
    pub protocol: Protocol,
    /// The program: the name of the container, `sshd`, `kubelet`, …
    pub program: SmolStr,
    /// What answers.
    pub app: App,
}

impl Listener {
    /// A TCP socket open for every address.
    #[must_use]
    pub fn tcp(port: u16, program: &'static str) -> Self {
        Self {
            loopback: false,
            port,
            protocol: Protocol::Tcp,
            program: SmolStr::new_static(program),
            app: App::Tcp,
        }
    }
}

/// What the containers of a Pod listen on now.
pub type SocketSource = fn(&Object) -> Vec<Listener>;

/// What a node itself listens on; the argument says whether it runs the control plane.
pub type NodeSocketSource = fn(bool) -> Vec<Listener>;

/// What the containers of a Pod listen on, by their images and commands.
#[must_use]
pub fn of_pod(pod: &Object) -> Vec<Listener> {
    let open = open_ports(pod).into_iter();
    open.map(|(program, port)| Listener {
        loopback: port.loopback,
        port: port.port,
        protocol: port.protocol,
        program,
        app: port.app,
    })
    .collect()
}

/// What every node listens on: sshd, the kubelet and kube-proxy's health and metrics ports (their default
/// ports), and on a control plane node the API server, etcd, scheduler and controller-manager.
#[must_use]
pub fn of_node(control_plane: bool) -> Vec<Listener> {
    let local = |port, program| Listener { loopback: true, ..Listener::tcp(port, program) };
    let mut open = vec![
        Listener::tcp(22, "sshd"),
        local(10_248, "kubelet"),
        local(10_249, "kube-proxy"),
        Listener::tcp(10_250, "kubelet"),
        Listener::tcp(10_256, "kube-proxy"),
    ];
    if control_plane {
        open.extend([
            Listener::tcp(2379, "etcd"),
            Listener::tcp(2380, "etcd"),
            Listener::tcp(6443, "kube-apiserver"),
            local(10_257, "kube-controller-manager"),
            local(10_259, "kube-scheduler"),
        ]);
    }
    open
}
