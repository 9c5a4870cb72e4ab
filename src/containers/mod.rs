//! What containers do when they run.
//!
//! Owns the catalogue of images (what they listen on, answer, and have in their file system and PATH) and
//! the state of running containers: the environment each got when it started, its logs, its files. It does
//! not decide when a container runs: that is the kubelet's business ([`crate::controllers`]).

mod runtime;

pub use runtime::{Container, ContainerKey, LogLine, Runtime};
