//! What containers do when they run.
//!
//! Owns the catalogue of images (what they listen on, answer, and have in their PATH) and the state of
//! running containers: the environment each got when it started, its logs. It does not decide when a
//! container runs: that is the kubelet's business ([`crate::controllers`]); and it moves no packets: that is
//! [`crate::network`]'s. Start at [`catalogue`] for images, [`process`] for what a command does, [`http`] for
//! answers.

pub mod catalogue;
pub mod commands;
pub mod datagram;
mod given;
pub mod http;
pub mod kube_proxy;
pub mod official;
mod pages;
pub mod process;
pub mod reference;
mod runtime;

pub use given::{Runs, runs};
pub use process::{Listener, Process, attended, open_ports, process};
pub use reference::Reference;
pub use runtime::{Container, ContainerKey, LogLine, Probed, Runtime};
