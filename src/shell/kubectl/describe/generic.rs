//! Describing objects of kinds without a description of their own, field by field.
//!
//! Source: `GenericDescriberFor` of kubectl.

use super::About;
use super::page::{Page, plain};
use crate::api::value::Value;
use crate::shell::kubectl::columns::go_text;

/// Fields of metadata that are shown elsewhere or not at all.
const SKIPPED: [&str; 5] = ["annotations", "labels", "managedFields", "name", "namespace"];

/// Writes the description.
pub fn describe(about: &About<'_>, page: &mut Page) {
    let object = about.object;
    page.line(0, &format!("Name:\t{}", object.name()));
    page.line(0, &format!("Namespace:\t{}", object.namespace()));
    page.labels(0, "Labels", &object.meta.labels);
    page.annotations("Annotations", &object.meta.annotations);
    for (key, value) in object.value.entries() {
        if key != "metadata" {
            field(0, key, value, page);
            continue;
        }
        page.line(0, "Metadata:");
        for (key, value) in value.entries().iter().filter(|(key, _)| !SKIPPED.contains(&key.as_str())) {
            field(1, key, value, page);
        }
    }
    about.events(page);
}

fn field(level: usize, key: &str, value: &Value, page: &mut Page) {
    let title = title(key);
    match value {
        Value::Map(map) => {
            page.line(level, &format!("{title}:"));
            for (key, value) in map.iter() {
                field(level + 1, key, value, page);
            }
        }
        Value::List(items) => {
            page.line(level, &format!("{title}:"));
            for item in items.iter() {
                match item {
                    Value::Map(map) => {
                        for (key, value) in map.iter() {
                            field(level + 1, key, value, page);
                        }
                    }
                    other => page.line(level + 1, &go_text(other)),
                }
            }
        }
        Value::Null => page.line(level, &format!("{title}:\t<nil>")),
        other => page.line(level, &format!("{title}:\t{}", plain(other))),
    }
}

/// Words that are written in capitals wherever they stand alone.
const ACRONYMS: [&str; 4] = ["API", "URL", "UID", "GUID"];

/// `clusterIP` as `Cluster IP`; a name with other signs than letters stays as it is (`smartLabelFor`).
fn title(key: &str) -> String {
    if !key.chars().all(|letter| letter.is_alphabetic() || letter == '-') {
        return key.to_owned();
    }
    let mut titles: Vec<String> = Vec::new();
    let mut parts = parts(key).into_iter().peekable();
    while let Some(mut part) = parts.next() {
        let capitals = part.len() >= 2 && part.chars().all(char::is_uppercase);
        if capitals && let Some(next) = parts.next_if(|next| next.starts_with(char::is_uppercase)) {
            part.push_str(&next);
        }
        let upper = part.to_uppercase();
        titles.push(if ACRONYMS.contains(&upper.as_str()) {
            upper
        } else if part == part.to_lowercase() {
            let mut letters = part.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        } else {
            part
        });
    }
    titles.join(" ")
}

/// The words of a name in camel case: where small letters follow capitals, the last capital is theirs.
fn parts(key: &str) -> Vec<String> {
    let class = |letter: char| match letter {
        _ if letter.is_lowercase() => 1,
        _ if letter.is_uppercase() => 2,
        _ => 4,
    };
    let mut parts: Vec<String> = Vec::new();
    let mut last = 0;
    for letter in key.chars() {
        match parts.last_mut() {
            Some(part) if class(letter) == last => part.push(letter),
            _ => parts.push(letter.to_string()),
        }
        last = class(letter);
    }
    for at in 1..parts.len() {
        let (before, after) = parts.split_at_mut(at);
        let (before, after) = (&mut before[at - 1], &mut after[0]);
        if before.starts_with(char::is_uppercase)
            && after.starts_with(char::is_lowercase)
            && let Some(capital) = before.pop()
        {
            after.insert(0, capital);
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_names_become_titles() {
        for (key, expected) in [
            ("clusterIP", "Cluster IP"),
            ("uid", "UID"),
            ("apiVersion", "API Version"),
            ("loadBalancerIPs", "Load Balancer I Ps"),
            ("podCIDRs", "Pod CIDRs"),
            ("kubernetes.io/name", "kubernetes.io/name"),
            ("dry-run", "Dry - Run"),
        ] {
            assert_eq!(title(key), expected);
        }
    }
}
