//! What is checked of Roles and their bindings. Nobody is refused anything by them here.
//!
//! Source: `pkg/apis/rbac/validation`.

use crate::api::json;
use crate::api::kinds::field::{Errors, required_text, shown, text};
use crate::api::kinds::{metadata, names};
use crate::api::registry::Kind;
use crate::api::status::FieldError;
use crate::api::value::Value;

const GROUP: &str = "rbac.authorization.k8s.io";

/// Checks a Role or ClusterRole.
pub(in crate::api::kinds) fn role(kind: Kind, document: &Value) -> Errors {
    let mut errors = metadata::validate(kind, document);
    for (index, rule) in document.get("rules").items().iter().enumerate() {
        policy_rule(rule, kind == Kind::Role, &format!("rules[{index}]"), &mut errors);
    }
    errors
}

fn policy_rule(rule: &Value, namespaced: bool, path: &str, errors: &mut Errors) {
    let empty = |field: &str| rule.get(field).is_empty();
    let mut needs =
        |field: &str, why: &str| errors.push(FieldError::required(format!("{path}.{field}"), why));
    if empty("verbs") {
        needs("verbs", "verbs must contain at least one value");
    }
    if !empty("nonResourceURLs") {
        let path = format!("{path}.nonResourceURLs");
        let urls = rule.get("nonResourceURLs");
        if namespaced {
            let why = "namespaced rules cannot apply to non-resource URLs";
            errors.push(shown(path.clone(), urls, why));
        }
        if ["apiGroups", "resources", "resourceNames"].iter().any(|field| !empty(field)) {
            let why = "rules cannot apply to both regular resources and non-resource URLs";
            errors.push(shown(path, urls, why));
        }
        return;
    }
    if empty("apiGroups") {
        needs("apiGroups", "resource rules must supply at least one api group");
    }
    if empty("resources") {
        needs("resources", "resource rules must supply at least one resource");
    }
    if !empty("resourceNames") && rule.get("resources").items().len() > 1 {
        needs("resourceNames", "resource names cannot apply to multiple resources");
    }
}

/// Checks a RoleBinding or ClusterRoleBinding.
pub(in crate::api::kinds) fn binding(kind: Kind, document: &Value) -> Errors {
    let mut errors = metadata::validate(kind, document);
    let role = document.get("roleRef");
    let one_of = |path: &str, value: &str, supported: &[&str], errors: &mut Errors| {
        if !supported.contains(&value) {
            errors.push(FieldError::not_supported(path, json::quote(value), supported));
        }
    };
    one_of("roleRef.apiGroup", role.get("apiGroup").str(), &[GROUP], &mut errors);
    let kinds: &[&str] = if kind == Kind::RoleBinding { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
    one_of("roleRef.kind", role.get("kind").str(), kinds, &mut errors);
    required_text(&mut errors, "roleRef.name", role.get("name"), names::path_segment);
    for (index, one) in document.get("subjects").items().iter().enumerate() {
        subject(one, kind == Kind::RoleBinding, &format!("subjects[{index}]"), &mut errors);
    }
    errors
}

/// Checks a change of a binding: it stays with its role.
pub(in crate::api::kinds) fn binding_change(kind: Kind, document: &Value, before: &Value) -> Errors {
    let mut errors = binding(kind, document);
    let role = document.get("roleRef");
    if role != before.get("roleRef") {
        let [group, kind, name] =
            ["apiGroup", "kind", "name"].map(|field| json::quote(role.get(field).str()));
        let value = format!("{{\"APIGroup\":{group},\"Kind\":{kind},\"Name\":{name}}}");
        errors.push(FieldError::invalid("roleRef", value, "cannot change roleRef"));
    }
    errors
}

fn subject(subject: &Value, namespaced: bool, path: &str, errors: &mut Errors) {
    let (name, group) = (subject.get("name").str(), subject.get("apiGroup").str());
    if name.is_empty() {
        errors.push(FieldError::required(format!("{path}.name"), ""));
    }
    let wanted = match subject.get("kind").str() {
        "ServiceAccount" => {
            if !name.is_empty() {
                text(errors, &format!("{path}.name"), name, names::dns_subdomain);
            }
            if !namespaced && subject.get("namespace").is_empty() {
                errors.push(FieldError::required(format!("{path}.namespace"), ""));
            }
            ""
        }
        kind @ ("User" | "Group") => {
            if name.is_empty() {
                let why = format!("{} name cannot be empty", kind.to_lowercase());
                errors.push(FieldError::invalid(format!("{path}.name"), "\"\"", why));
            }
            GROUP
        }
        other => {
            let supported = ["ServiceAccount", "User", "Group"];
            errors.push(FieldError::not_supported(format!("{path}.kind"), json::quote(other), &supported));
            return;
        }
    };
    if group != wanted {
        errors.push(FieldError::not_supported(format!("{path}.apiGroup"), json::quote(group), &[wanted]));
    }
}
