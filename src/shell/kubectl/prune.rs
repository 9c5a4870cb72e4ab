//! `kubectl apply --prune`: deletes what was applied once and is in no manifest any more.
//!
//! Owns the choice of kinds and of objects. Source: `k8s.io/kubectl/pkg/cmd/apply/prune.go`.

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use super::manifests::Manifest;
use super::output::Format;
use super::resources::{list_options, named};
use crate::api::patch::last_applied::LAST_APPLIED;
use crate::api::registry::{KINDS, Kind};
use crate::cluster::request::Options;
use crate::cluster::{Actor, Request, Verb as Ask};

/// The kinds that are pruned unless a list says otherwise: those of namespaces, then those of the cluster.
const NAMESPACED: [Kind; 12] = [
    Kind::ConfigMap,
    Kind::Endpoints,
    Kind::PersistentVolumeClaim,
    Kind::Pod,
    Kind::ReplicationController,
    Kind::Secret,
    Kind::Service,
    Kind::Job,
    Kind::CronJob,
    Kind::Ingress,
    Kind::DaemonSet,
    Kind::Deployment,
];
const MORE_NAMESPACED: [Kind; 2] = [Kind::ReplicaSet, Kind::StatefulSet];
const OF_CLUSTER: [Kind; 2] = [Kind::Namespace, Kind::PersistentVolume];

/// The kinds to prune; `None` if nothing is to be pruned.
///
/// # Errors
/// Flags that do not go together, or a kind that does not exist.
pub fn kinds(call: &Call) -> Result<Option<Vec<Kind>>, Failure> {
    if !call.has("prune") {
        return Ok(None);
    }
    if call.has("all") && !call.text("selector").is_empty() {
        return Err(Failure::plain("cannot set --all and --selector at the same time"));
    }
    if !call.has("all") && call.text("selector").is_empty() {
        return Err(Failure::plain(
            "all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector",
        ));
    }
    let listed: Vec<&str> =
        call.flags.values("prune-allowlist").into_iter().flat_map(|list| list.split(',')).collect();
    if listed.is_empty() {
        let usual = NAMESPACED.into_iter().chain(MORE_NAMESPACED);
        // A namespace that is named is not reason enough to look at what is in none.
        return Ok(Some(usual.chain(OF_CLUSTER).collect()));
    }
    listed.into_iter().map(kind).collect::<Result<_, _>>().map(Some)
}

/// `core/v1/ConfigMap`, `apps/v1/Deployment`.
fn kind(text: &str) -> Result<Kind, Failure> {
    let parts: Vec<&str> = text.split('/').collect();
    let [group, version, kind] = parts.as_slice() else {
        return Err(Failure::plain(format!(
            "invalid GroupVersionKind format: {text}, please follow <group/version/kind>"
        )));
    };
    let group = if *group == "core" { "" } else { group };
    let found =
        KINDS.iter().find(|info| info.group == group && info.version == *version && info.name == *kind);
    found.map(|info| info.kind).ok_or_else(|| {
        Failure::plain(format!("no matches for kind \"{kind}\" in version \"{group}/{version}\""))
    })
}

/// Deletes the objects of some kinds that were applied and are not among the manifests.
///
/// # Errors
/// What the server refuses.
pub fn prune(
    call: &Call,
    kinds: &[Kind],
    manifests: &[Manifest],
    format: &Format,
    dry_run: DryRun,
) -> Outcome {
    if call.flags.value("prune-allowlist").is_none() {
        let text = "Deprecated: kubectl apply will no longer prune non-namespaced resources by default when used with the --namespace flag in a future release. To preserve the current behaviour, list the resources you want to target explicitly in the --prune-allowlist flag.";
        call.complain(&super::warning_line(&call.invocation, "prune.go:71", text));
    }
    let mut namespaces: Vec<&str> = manifests.iter().map(|manifest| manifest.namespace.as_str()).collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    let wanted = |kind: Kind, namespace: &str, name: &str| {
        manifests.iter().any(|one| one.kind == kind && one.namespace == namespace && one.name == name)
    };
    for kind in kinds {
        let places: Vec<&str> = if kind.info().namespaced {
            namespaces.iter().copied().filter(|namespace| !namespace.is_empty()).collect()
        } else {
            vec![""]
        };
        for namespace in places {
            for object in call.list(*kind, namespace, list_options(call))? {
                if object.meta.annotation(LAST_APPLIED).is_none()
                    || wanted(*kind, object.namespace(), object.name())
                {
                    continue;
                }
                if dry_run != DryRun::Client {
                    let options = Options { dry_run: dry_run == DryRun::Server, ..Options::default() };
                    call.send(Request::new(Actor::User, Ask::Delete, &object.key).options(options))?;
                }
                if format.is_default() {
                    call.say(&format!("{} pruned{}", named(&object.key), dry_run.suffix()));
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    const TWO: &str = "kubectl create service clusterip a --tcp=80 --dry-run=client -o yaml > a.yaml; kubectl create service clusterip b --tcp=80 --dry-run=client -o yaml > b.yaml; kubectl apply -f a.yaml -f b.yaml >/dev/null; ";

    #[test]
    fn what_was_applied_and_is_named_no_more_is_deleted() {
        check(
            &format!("{TWO} kubectl apply -f a.yaml --prune --all 2>/dev/null; kubectl get svc -o name"),
            "service/a unchanged\nservice/b pruned\nservice/a\nservice/kubernetes",
            0,
        );
        check(
            &format!(
                "{TWO} kubectl apply -f a.yaml --prune -l 'app in (a,b)' --prune-allowlist=core/v1/Service --dry-run=client"
            ),
            "service/a configured (dry run)\nservice/b pruned (dry run)",
            0,
        );
        check(
            &format!("{TWO} kubectl apply -f a.yaml --prune"),
            "error: all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector",
            1,
        );
    }
}
