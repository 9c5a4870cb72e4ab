//! Describing roles and bindings.
//!
//! Owns the breaking of rules into their smallest parts and the putting together of what differs in its
//! verbs alone (`kubectl/pkg/util/rbac`).

use super::About;
use super::page::Page;
use crate::api::value::Value;

/// A rule about one resource, or about paths.
#[derive(Clone, Default, PartialEq)]
struct Rule {
    verbs: Vec<String>,
    group: Option<String>,
    resource: Option<String>,
    name: Option<String>,
    path: Option<String>,
}

/// Writes a Role or ClusterRole.
pub fn role(about: &About<'_>, page: &mut Page) {
    head(about, page);
    page.line(0, "PolicyRule:");
    page.line(1, "Resources\tNon-Resource URLs\tResource Names\tVerbs");
    page.line(1, "---------\t-----------------\t--------------\t-----");
    let mut rules: Vec<Rule> = Vec::new();
    for rule in about.object.value.get("rules").items().iter().flat_map(broken_down) {
        merge(&mut rules, rule);
    }
    rules.sort_by_key(order);
    for rule in &rules {
        let list = |one: &Option<String>| format!("[{}]", one.as_deref().unwrap_or(""));
        let (paths, names) = (list(&rule.path), list(&rule.name));
        page.line(1, &format!("{}\t{paths}\t{names}\t[{}]", resource(rule), rule.verbs.join(" ")));
    }
}

fn head(about: &About<'_>, page: &mut Page) {
    page.line(0, &format!("Name:\t{}", about.object.name()));
    page.labels(0, "Labels", &about.object.meta.labels);
    page.annotations("Annotations", &about.object.meta.annotations);
}

/// A rule as one rule for each group, resource, name and verb.
fn broken_down(rule: &Value) -> Vec<Rule> {
    let texts = |field: &str| -> Vec<Option<String>> {
        rule.get(field).items().iter().map(|one| Some(one.str().to_owned())).collect()
    };
    let names = match texts("resourceNames") {
        names if names.is_empty() => vec![None],
        names => names,
    };
    let mut rules = Vec::new();
    for group in texts("apiGroups") {
        for resource in texts("resources") {
            for verb in texts("verbs") {
                let (verbs, group, resource) = (Vec::from_iter(verb), group.clone(), resource.clone());
                let one = Rule { verbs, group, resource, ..Rule::default() };
                rules.extend(names.iter().map(|name| Rule { name: name.clone(), ..one.clone() }));
            }
        }
    }
    for path in texts("nonResourceURLs") {
        for verb in texts("verbs") {
            rules.push(Rule { verbs: Vec::from_iter(verb), path: path.clone(), ..Rule::default() });
        }
    }
    rules
}

/// Adds a rule, to one that differs from it in its verbs alone if there is one. Rules about paths stay apart.
fn merge(rules: &mut Vec<Rule>, rule: Rule) {
    let same = |other: &&mut Rule| {
        other.path.is_none()
            && (&other.group, &other.resource, &other.name) == (&rule.group, &rule.resource, &rule.name)
    };
    match rules.iter_mut().find(same) {
        Some(other) if rule.path.is_none() => other.verbs.extend(rule.verbs),
        _ => rules.push(rule),
    }
}

/// What rules are sorted by: the text of a rule in Go, which begins with its verbs.
fn order(rule: &Rule) -> String {
    let list = |one: &Option<String>| format!("[{}]", one.as_deref().unwrap_or(""));
    format!(
        "[{}],APIGroups:{},Resources:{},ResourceNames:{},NonResourceURLs:{},",
        rule.verbs.join(" "),
        list(&rule.group),
        list(&rule.resource),
        list(&rule.name),
        list(&rule.path)
    )
}

/// `deployments.apps/scale`: a resource with its group.
fn resource(rule: &Rule) -> String {
    let Some(resource) = &rule.resource else { return String::new() };
    let (resource, part) = resource.split_once('/').map_or((resource.as_str(), None), |(r, p)| (r, Some(p)));
    let group = rule.group.as_deref().filter(|group| !group.is_empty());
    let group = group.map_or_else(String::new, |group| format!(".{group}"));
    let part = part.map_or_else(String::new, |part| format!("/{part}"));
    format!("{resource}{group}{part}")
}

/// Writes a RoleBinding or ClusterRoleBinding.
pub fn binding(about: &About<'_>, page: &mut Page) {
    head(about, page);
    let role = about.object.value.get("roleRef");
    page.line(0, "Role:");
    page.line(1, &format!("Kind:\t{}", role.get("kind").str()));
    page.line(1, &format!("Name:\t{}", role.get("name").str()));
    page.line(0, "Subjects:");
    page.line(1, "Kind\tName\tNamespace");
    page.line(1, "----\t----\t---------");
    for subject in about.object.value.get("subjects").items() {
        let [kind, name, namespace] = ["kind", "name", "namespace"].map(|field| subject.get(field).str());
        page.line(1, &format!("{kind}\t{name}\t{namespace}"));
    }
}
