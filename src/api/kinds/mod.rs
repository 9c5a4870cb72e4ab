//! The rules of each kind: defaults, what a create or update may set, validation, table columns.
//!
//! Owns one file per kind (or family of kinds) and the table that leads to them. A kind's rules know
//! documents alone: nothing here reads the store or the clock; the table's cells get the time as an
//! argument. Adding a kind's rules is a file and one line of [`rules`].

mod autoscaler;
mod checks;
mod cluster;
mod configuration;
mod endpoints;
pub mod event;
mod field;
pub mod metadata;
pub mod names;
mod pod;
pub mod service;
mod storage;
mod stored;
mod table;
mod workload;

use super::object::Object;
use super::registry::Kind;
use super::status::FieldError;
use super::table::Column;
use super::time::Timestamp;
use super::value::Value;
use crate::value;

/// What the API server does with objects of one kind, in the order in which it does it.
pub struct Rules {
    /// Fills absent fields of a document, as `SetDefaults_*` does.
    pub default: fn(&mut Value),
    /// Prepares a create: drops `status` and sets what the server owns (`strategy.PrepareForCreate`).
    pub prepare_create: fn(&mut Value),
    /// Prepares an update of the main resource: keeps `status`, counts `generation` where `spec` changed
    /// (`strategy.PrepareForUpdate`). Arguments: new document, old document.
    pub prepare_update: fn(&mut Value, &Value),
    /// Checks a document, in the server's order of errors.
    pub validate: fn(&Value) -> Vec<FieldError>,
    /// Checks a change: what may not change, and all of [`Rules::validate`], in the server's order.
    /// Arguments: new, old.
    pub validate_update: fn(&Value, &Value) -> Vec<FieldError>,
    /// Warnings that a create or update brings. Arguments: new, old if it is an update.
    pub warnings: fn(&Value, Option<&Value>) -> Vec<String>,
    /// The table's columns.
    pub columns: &'static [Column],
    /// The cells of one object, as many as there are columns.
    pub cells: fn(&Object, Timestamp) -> Vec<String>,
}

/// The rules of kinds that are stored and listed but not simulated.
pub const STORED: Rules = Rules {
    default: |_| {},
    prepare_create: |_| {},
    prepare_update: |_, _| {},
    validate: validate_stored,
    validate_update: |document, _| validate_stored(document),
    warnings: |_, _| Vec::new(),
    columns: &[table::NAME, table::AGE],
    cells: table::name_and_age,
};

/// The rules of a kind.
#[must_use]
pub fn rules(kind: Kind) -> &'static Rules {
    match kind {
        Kind::ConfigMap => &configuration::CONFIG_MAP,
        Kind::Deployment => &workload::DEPLOYMENT,
        Kind::Endpoints => &endpoints::ENDPOINTS,
        Kind::EndpointSlice => &endpoints::ENDPOINT_SLICE,
        Kind::Event => &event::RULES,
        Kind::EventOfEvents => &event::CONVERTED,
        Kind::Namespace => &cluster::NAMESPACE,
        Kind::Node => &cluster::NODE,
        Kind::Pod => &pod::RULES,
        Kind::ReplicaSet => &workload::REPLICA_SET,
        Kind::ReplicationController => &workload::REPLICATION_CONTROLLER,
        Kind::Secret => &configuration::SECRET,
        Kind::Service => &service::RULES,
        Kind::ServiceAccount => &configuration::SERVICE_ACCOUNT,
        Kind::CronJob => &workload::CRON_JOB,
        Kind::DaemonSet => &workload::DAEMON_SET,
        Kind::Job => &workload::JOB,
        Kind::StatefulSet => &workload::STATEFUL_SET,
        other => stored::rules(other),
    }
}

/// Checks the metadata of an object whose kind has no checks of its own.
fn validate_stored(document: &Value) -> Vec<FieldError> {
    let kind = Kind::of_manifest(document.get("apiVersion").str(), document.get("kind").str());
    kind.map_or_else(Vec::new, |kind| metadata::validate(kind, document))
}

/// Sets a condition in `status.conditions` to True or False, with the time of the change.
pub fn set_condition(document: &mut Value, kind: &'static str, holds: bool, now: Timestamp) {
    let status = if holds { "True" } else { "False" };
    let conditions = document.field_mut("status").field_mut("conditions").list_mut();
    let fresh =
        || value!({ "type": kind, "status": status, "lastProbeTime": null, "lastTransitionTime": now });
    match conditions.iter_mut().find(|condition| condition.get("type").str() == kind) {
        Some(condition) if condition.get("status").str() == status => {}
        Some(condition) => *condition = fresh(),
        None => conditions.push(fresh()),
    }
}

/// Counts `metadata.generation` up by one, where the kind has it.
pub fn count_generation(document: &mut Value) {
    if let Some(generation) = document.at(&["metadata", "generation"]).as_int() {
        document.set_at(&["metadata", "generation"], generation + 1);
    }
}

/// The AGE cell of an object.
#[must_use]
pub fn age(object: &Object, now: Timestamp) -> String {
    super::time::human_duration(now.0 - object.meta.created.0)
}
