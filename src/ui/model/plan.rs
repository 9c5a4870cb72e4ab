//! What applying a manifest would change, object by object and field by field.
//!
//! Asks the API server, which is told to store nothing, with the patch that `kubectl apply` would send; and
//! compares what is stored with what would be.

use crate::api::json;
use crate::api::object::Key;
use crate::api::patch::diff::three_way;
use crate::api::patch::last_applied::LAST_APPLIED;
use crate::api::registry::Kind;
use crate::api::schema::schema;
use crate::api::status::Status;
use crate::api::value::{SmolStr, Value};
use crate::cluster::request::Options;
use crate::cluster::{Actor, Patch, Request, Verb};
use crate::simulation::Simulation;

/// Fields of one object that are compared at most.
const FIELDS: usize = 50;
/// Characters of a value that are shown.
const SHOWN: usize = 60;

/// One object that would be created or changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Which one.
    pub key: Key,
    /// Whether it does not exist yet.
    pub created: bool,
    /// The fields that would change; none for a new object.
    pub fields: Vec<Difference>,
}

/// A field that would change.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// `spec.replicas`, `spec.ports[http].port`.
    pub path: String,
    /// What stands there now; `None` if nothing does.
    pub from: Option<String>,
    /// What would stand there; `None` if nothing would.
    pub to: Option<String>,
}

/// What applying one document would change; `None` if nothing.
///
/// # Errors
/// What the API server would say.
pub fn of(
    kind: Kind,
    value: &Value,
    namespace: SmolStr,
    simulation: &mut Simulation,
) -> Result<Option<Planned>, Box<Status>> {
    let name = value.at(&["metadata", "name"]).smol();
    let key = Key::new(kind, namespace, name.clone());
    let stored = simulation.cluster.get(&key).cloned();
    let (verb, asked) = match &stored {
        Some(stored) => (Verb::Patch(Patch::Strategic(patch(kind, value, &stored.value))), key.clone()),
        None => (Verb::Create(value.clone()), Key::new(kind, key.namespace.clone(), "")),
    };
    let options = Options { dry_run: true, ..Options::default() };
    let reply = simulation.cluster.request(Request::new(Actor::User, verb, &asked).options(options));
    let body = reply.result.map_err(Box::new)?;
    let Some(stored) = stored else { return Ok(Some(Planned { key, created: true, fields: Vec::new() })) };
    let Some(after) = body.object() else { return Ok(None) };
    let fields = differences(&stored.value, &after.value);
    Ok((!fields.is_empty()).then_some(Planned { key, created: false, fields }))
}

/// The patch that `kubectl apply` sends.
fn patch(kind: Kind, wanted: &Value, live: &Value) -> Value {
    let info = kind.info();
    let last = live.at(&["metadata", "annotations"]).get(LAST_APPLIED).as_str();
    let last = last.and_then(|text| json::parse(text).ok()).unwrap_or_default();
    let Some(of) = schema().kind(info.api_version, info.name) else { return wanted.clone() };
    // As the annotation has it: with annotations, be they empty, and without itself.
    let mut wanted = wanted.clone();
    wanted.field_mut("metadata").field_mut("annotations").map_mut().remove(LAST_APPLIED);
    three_way(&last, &wanted, live, of).unwrap_or(wanted)
}

/// What the server keeps about an object, which nobody wrote.
const KEPT: [&str; 5] = [
    "metadata.generation",
    "metadata.managedFields",
    "metadata.resourceVersion",
    "metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]",
    "status",
];

/// The fields in which two documents differ, in the order of the first.
#[must_use]
pub fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    found
}

fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<Difference>) {
    if before == after || KEPT.contains(&path) || found.len() >= FIELDS {
        return;
    }
    match (before, after) {
        (Value::Map(_), Value::Map(_)) => {
            let (old, new) = (before.entries(), after.entries());
            for (name, value) in old {
                compare(&below(path, name), value, after.get(name), found);
            }
            for (name, value) in new.iter().filter(|(name, _)| before.get(name).is_null()) {
                compare(&below(path, name), &Value::Null, value, found);
            }
        }
        (Value::List(_), Value::List(_)) => {
            let (old, new) = (before.items(), after.items());
            let find = |items: &'_ [Value], name: &str, index: usize| {
                let named = |item: &&Value| !name.is_empty() && item.get("name").str() == name;
                let found = items.iter().find(named).or_else(|| items.get(index).filter(|_| name.is_empty()));
                found.cloned().unwrap_or_default()
            };
            for (index, item) in old.iter().enumerate() {
                let name = item.get("name").str();
                compare(&item_path(path, name, index), item, &find(new, name, index), found);
            }
            for (index, item) in new.iter().enumerate() {
                let name = item.get("name").str();
                if find(old, name, index).is_null() {
                    compare(&item_path(path, name, index), &Value::Null, item, found);
                }
            }
        }
        _ => {
            let shown = |value: &Value| (!value.is_null()).then(|| short(value));
            found.push(Difference { path: path.to_owned(), from: shown(before), to: shown(after) });
        }
    }
}

fn below(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        _ if name.contains(['.', '/']) => format!("{path}[{name}]"),
        _ => format!("{path}.{name}"),
    }
}

fn item_path(path: &str, name: &str, index: usize) -> String {
    if name.is_empty() { format!("{path}[{index}]") } else { format!("{path}[{name}]") }
}

fn short(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| json::compact(value), str::to_owned);
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::yaml;
    use crate::cluster::Settings;
    use crate::session::first_world;

    fn planned(change: impl Fn(&str) -> String) -> Vec<String> {
        let mut simulation = Simulation::new(Settings::default());
        first_world::build(&mut simulation);
        let (documents, _) = yaml::read(&change(first_world::MANIFEST));
        let mut said = Vec::new();
        for document in &documents {
            let value = document.value();
            let kind = Kind::of_manifest(value.get("apiVersion").str(), value.get("kind").str());
            let namespace = value.at(&["metadata", "namespace"]).smol();
            let planned = of(kind.expect("known"), &value, namespace, &mut simulation).expect("accepted");
            for Difference { path, from, to } in planned.into_iter().flat_map(|planned| planned.fields) {
                said.push(format!("{path}: {} → {}", from.unwrap_or_default(), to.unwrap_or_default()));
            }
        }
        said
    }

    #[test]
    fn a_changed_field_is_named_with_its_values() {
        assert_eq!(planned(|text| text.replace("replicas: 3", "replicas: 5")), ["spec.replicas: 3 → 5"]);
        assert_eq!(planned(str::to_owned), Vec::<String>::new());
    }

    #[test]
    fn what_a_manifest_no_longer_says_goes_away_as_apply_has_it() {
        let labelled = |text: &str| text.replace("  selector:\n    app: web\n  ports", "  ports");
        assert_eq!(planned(labelled), ["spec.selector: {\"app\":\"web\"} → "]);
    }

    #[test]
    fn items_of_lists_are_told_apart_by_their_names() {
        let renamed = |text: &str| text.replace("image: nginx", "image: httpd");
        assert_eq!(planned(renamed), ["spec.template.spec.containers[nginx].image: nginx → httpd"]);
    }
}
