//! The revisions of StatefulSets and DaemonSets, which are kept as ControllerRevisions.

use std::sync::Arc;

use super::super::call::{Call, DryRun};
use super::super::describe::template_text;
use super::super::failure::Failure;
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::value::Value;
use crate::cluster::Patch;
use crate::cluster::request::Options;

/// Whether a kind keeps its history in ControllerRevisions.
pub(super) fn has(kind: Kind) -> bool {
    matches!(kind, Kind::StatefulSet | Kind::DaemonSet)
}

/// The number of a revision.
pub(super) fn number(revision: &Object) -> i64 {
    revision.value.get("revision").as_int().unwrap_or(0)
}

/// The revisions of a workload, oldest first.
pub(super) fn of(call: &Call, owner: &Object) -> Vec<Arc<Object>> {
    let all = call.list(Kind::ControllerRevision, owner.namespace(), Options::default());
    let mut all = all.unwrap_or_default();
    all.retain(|one| one.controller().is_some_and(|reference| reference.uid == owner.meta.uid));
    all.sort_by_key(|one| number(one));
    all
}

/// The template that a revision keeps.
pub(super) fn template(revision: &Object) -> Value {
    let mut template = revision.value.at(&["data", "spec", "template"]).clone();
    template.remove("$patch");
    template
}

/// Puts the template of a revision back; gives what is said about it.
pub(super) fn undo(call: &Call, object: &Object, wanted: i64) -> Result<String, Failure> {
    let all = of(call, object);
    if wanted == 0 && all.len() <= 1 {
        return Err(Failure::plain("no last revision to roll back to"));
    }
    let target = match wanted {
        0 => all.len().checked_sub(2).and_then(|at| all.get(at)),
        wanted => all.iter().find(|one| number(one) == wanted),
    };
    let missing = || Failure::plain(format!("unable to find specified revision {wanted} in history"));
    let target = target.ok_or_else(missing)?;
    let dry_run = call.dry_run()?;
    if dry_run == DryRun::Client {
        return Ok(format!("will roll back to {}", template_text(&template(target))));
    }
    if template(target) == *object.spec().get("template") {
        return Ok(format!("skipped rollback (current template already matches revision {wanted})"));
    }
    call.patch(&object.key, Patch::Strategic(target.value.get("data").clone()), dry_run)?;
    Ok(format!("rolled back{}", dry_run.suffix()))
}
