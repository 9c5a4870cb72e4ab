//! Describing where a container gets its variables from.

use super::page::{Page, plain};
use crate::api::quantity::Quantity;
use crate::api::value::Value;

/// Writes the variables of a container, and the maps that it takes variables from.
pub fn environment(container: &Value, pod: &Value, page: &mut Page) {
    let from = container.get("envFrom").items();
    if !from.is_empty() {
        page.line(2, "Environment Variables from:");
    }
    for source in from {
        let (kind, reference) = match source.get("configMapRef") {
            Value::Null => ("Secret", source.get("secretRef")),
            reference => ("ConfigMap", reference),
        };
        let prefix = source.get("prefix").str();
        let prefix = if prefix.is_empty() { String::new() } else { format!(" with prefix '{prefix}'") };
        let name = reference.get("name").str();
        page.line(3, &format!("{name}\t{kind}{prefix}\tOptional: {}", is_optional(reference)));
    }
    let variables = container.get("env").items();
    if variables.is_empty() {
        page.line(2, "Environment:\t<none>");
        return;
    }
    page.line(2, "Environment:");
    for variable in variables {
        let name = variable.get("name").str();
        let from = variable.get("valueFrom");
        if from.is_null() {
            let mut lines = variable.get("value").str().split('\n');
            page.line(3, &format!("{name}:\t{}", lines.next().unwrap_or("")));
            lines.for_each(|line| page.line(3, &format!("\t{line}")));
        } else if let Some(text) = reference(from, container, pod) {
            page.line(3, &format!("{name}:\t{text}"));
        }
    }
}

/// Whether what is referred to may be missing.
pub fn is_optional(source: &Value) -> bool {
    source.get("optional").as_bool().unwrap_or(false)
}

/// Where a variable gets its value from; `None` for what is not shown.
fn reference(from: &Value, container: &Value, pod: &Value) -> Option<String> {
    if let field @ Value::Map(_) = from.get("fieldRef") {
        let path = field.get("fieldPath").str();
        let version = field.get("apiVersion").str();
        let version = if version.is_empty() { "v1" } else { version };
        return Some(format!("{} ({version}:{path})", field_of(pod, path)));
    }
    if let resource @ Value::Map(_) = from.get("resourceFieldRef") {
        let name = resource.get("resource").str();
        return Some(format!("{} ({name})", amount_of(resource, container)));
    }
    if let secret @ Value::Map(_) = from.get("secretKeyRef") {
        let (key, name) = (secret.get("key").str(), secret.get("name").str());
        let optional = is_optional(secret);
        return Some(format!("<set to the key '{key}' in secret '{name}'>\tOptional: {optional}"));
    }
    let map = from.get("configMapKeyRef");
    let (key, name) = (map.get("key").str(), map.get("name").str());
    (!map.is_null())
        .then(|| format!("<set to the key '{key}' of config map '{name}'>\tOptional: {}", is_optional(map)))
}

/// What kubectl itself can read of a Pod by a field path: its metadata alone (`ExtractFieldPathAsString`).
fn field_of(pod: &Value, path: &str) -> String {
    let metadata = pod.get("metadata");
    if let Some((list, key)) = path.strip_suffix("']").and_then(|path| path.split_once("['")) {
        return match list {
            "metadata.labels" => metadata.get("labels").get(key).str().to_owned(),
            "metadata.annotations" => metadata.get("annotations").get(key).str().to_owned(),
            _ => String::new(),
        };
    }
    match path {
        "metadata.name" | "metadata.namespace" | "metadata.uid" => {
            metadata.get(&path["metadata.".len()..]).str().to_owned()
        }
        "metadata.labels" | "metadata.annotations" => {
            let pairs = metadata.get(&path["metadata.".len()..]).entries();
            let lines: Vec<String> =
                pairs.iter().map(|(key, value)| format!("{key}={:?}", value.str())).collect();
            lines.join("\n")
        }
        _ => String::new(),
    }
}

/// The amount of a resource of the container itself, counted in its divisor.
fn amount_of(reference: &Value, container: &Value) -> String {
    let resource = reference.get("resource").str();
    let Some((field, name)) = resource.split_once('.') else { return String::new() };
    let count = |text: &str| {
        Quantity::parse(text).map_or(0, |it| if name == "cpu" { it.millis() } else { it.whole() })
    };
    let amount = count(&plain(container.at(&["resources", field, name])));
    let divisor = match count(&plain(reference.get("divisor"))) {
        0 if name == "cpu" => 1000,
        0 => 1,
        divisor => divisor,
    };
    match (amount.div_euclid(divisor) + i64::from(amount.rem_euclid(divisor) != 0), resource) {
        (0, "limits.cpu" | "limits.memory") => "node allocatable".to_owned(),
        (amount, _) => amount.to_string(),
    }
}
