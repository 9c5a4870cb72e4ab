//! The Scale of a workload: its number of replicas as an object of its own.
//!
//! Owns which kinds have one and what it may say; what follows from it is the workload's business.

use crate::api::registry::Kind;
use crate::api::status::{FieldError, Reason, Status};
use crate::api::value::Value;

/// Whether a kind has a number of replicas that can be asked for by itself.
pub(super) fn has_scale(kind: Kind) -> bool {
    matches!(kind, Kind::Deployment | Kind::ReplicaSet | Kind::ReplicationController | Kind::StatefulSet)
}

/// The rules of a Scale, which is checked before the workload that it belongs to.
///
/// # Errors
/// A number below zero.
pub(super) fn refuse(name: &str, workload: &Value) -> Result<(), Status> {
    let replicas = workload.at(&["spec", "replicas"]).as_int().unwrap_or(0);
    if replicas >= 0 {
        return Ok(());
    }
    let why = "must be greater than or equal to 0";
    let cause = FieldError::invalid("spec.replicas", replicas.to_string(), why);
    let message = format!("Scale.autoscaling \"{name}\" is invalid: {cause}");
    let causes = vec![cause];
    Err(Status { kind: "Scale".into(), name: name.into(), causes, ..Status::new(Reason::Invalid, message) })
}
