//! What is checked of kinds that are kept and shown, and from which little or nothing follows here.
//!
//! Owns a file for each group; their tables are in the files beside this folder.

pub(super) mod access;
pub(super) mod addresses;
pub(super) mod autoscaler;
pub(super) mod event;
pub(super) mod ingress;
pub(super) mod network_policy;
pub(super) mod policy;
pub(super) mod storage;
#[cfg(test)]
mod tests;
