//! Portside: a playground for Kubernetes Services.
//!
//! The crate is one simulated cluster and the page that shows it. Start reading at [`api`], which
//! says what an object is, then [`cluster`], which stores objects and answers requests, then
//! [`simulation`], which puts the parts together and moves the clock.
//!
//! Imports point one way, down this list:
//!
//! - `ui` (only in the browser): the page.
//! - [`session`]: recorded sessions, saving, sharing.
//! - [`shell`]: the terminal: its language, its places, kubectl and the other commands.
//! - [`explain`]: why something is as it is.
//! - [`simulation`]: one cluster with its controllers, network and containers, moving in virtual time.
//! - [`controllers`], [`network`]: what reacts to objects.
//! - [`containers`]: what images do when they run.
//! - [`cluster`]: store, journal, clock, and the API server's door.
//! - [`api`]: objects as the API sees them.

pub mod api;
pub mod cluster;
pub mod containers;
pub mod controllers;
pub mod explain;
pub mod network;
pub mod session;
pub mod shell;
pub mod simulation;
pub mod ui;
pub mod words;
