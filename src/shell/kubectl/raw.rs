//! `kubectl get --raw`: paths of the API server, as far as they lead to objects, versions and health.

use super::call::Call;
use super::failure::{Failure, Outcome};
use super::version::{json_fields, server};
use crate::api::json;
use crate::api::registry::KINDS;

/// Answers a path.
///
/// # Errors
/// A path that leads nowhere.
pub fn get(call: &Call, path: &str) -> Outcome {
    match path.trim_end_matches('/') {
        "/version" => {
            call.say(&json_fields(&server(), 0));
            Ok(())
        }
        "/healthz" | "/livez" | "/readyz" => {
            call.write("ok");
            Ok(())
        }
        path => object(call, path),
    }
}

fn object(call: &Call, path: &str) -> Outcome {
    let missing = || {
        Failure::Exact(
            "Error from server (NotFound): the server could not find the requested resource".to_owned(),
        )
    };
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let (version, rest) = match parts.as_slice() {
        ["api", version, rest @ ..] => ((*version).to_owned(), rest),
        ["apis", group, version, rest @ ..] => (format!("{group}/{version}"), rest),
        _ => return Err(missing()),
    };
    let (namespace, plural, name) = match rest {
        ["namespaces", namespace, plural, name] => (*namespace, *plural, *name),
        [plural, name] => ("", *plural, *name),
        _ => return Err(Failure::NotSimulated(format!("kubectl get --raw {path}"), "kubectl get -o json")),
    };
    let kind = KINDS.iter().find(|info| info.api_version == version && info.plural == plural);
    let object = call.get(kind.ok_or_else(missing)?.kind, namespace, name)?;
    call.write(&json::compact(&object.value));
    Ok(())
}
