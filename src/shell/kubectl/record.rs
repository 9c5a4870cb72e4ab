//! `--record`: the command line in an annotation, for `kubectl rollout history`.
//!
//! The real flag has been deprecated for years, and documentation still types it.
//! Source: `k8s.io/cli-runtime/pkg/genericclioptions/record_flags.go`.

use std::sync::Arc;

use super::call::{Call, DryRun};
use crate::api::object::Object;
use crate::api::status::Status;
use crate::api::value::Value;
use crate::cluster::Patch;
use crate::shell::command::{Flag, switch};

/// The annotation that says why a revision was made.
pub const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";

/// The flag.
pub const RECORD: &[Flag] =
    &[switch('\0', "record", "keep the command line in an annotation", "把命令行记录到注解中")];

/// What pflag says of the flag.
pub const DEPRECATED: &str = "Flag --record has been deprecated, --record will be removed in the future";

/// Writes the command line into a document's annotations, if `--record` asks for it.
pub fn annotate(call: &Call, value: &mut Value) {
    if call.declares("record") && call.has("record") {
        *value.at_mut(&["metadata", "annotations", CHANGE_CAUSE]) = command_line(call).into();
    }
}

/// Writes the command line into the annotations of a stored object, if `--record` asks for it.
///
/// # Errors
/// What the server refuses.
pub fn keep(call: &Call, object: Arc<Object>) -> Result<Arc<Object>, Status> {
    if !call.has("record") || call.dry_run().is_ok_and(|dry_run| dry_run != DryRun::No) {
        return Ok(object);
    }
    let mut body = Value::map();
    annotate(call, &mut body);
    call.patch(&object.key, Patch::Merge(body), DryRun::No)
}

/// The command as `--record` keeps it: words first, then flags by their long names.
pub fn command_line(call: &Call) -> String {
    let mut line = call.path.clone();
    for word in call.operands() {
        line.push(' ');
        line.push_str(word);
    }
    for (flag, value) in call.flags.in_order() {
        line.push_str(&format!(" --{}={value}", flag.long));
    }
    line
}
