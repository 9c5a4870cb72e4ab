//! Describing objects of kinds without a description of their own, field by field.
//!
//! Source: `GenericDescriberFor` of kubectl.

use super::About;
use super::page::{Page, plain};
use crate::api::value::Value;

/// Fields of metadata that are shown elsewhere or not at all.
const SKIPPED: [&str; 5] = ["annotations", "labels", "managedFields", "name", "namespace"];

/// Writes the description.
pub fn describe(about: &About<'_>, page: &mut Page) {
    let object = about.object;
    page.line(0, &format!("Name:\t{}", object.name()));
    page.line(0, &format!("Namespace:\t{}", object.namespace()));
    page.labels(0, "Labels", &object.meta.labels);
    page.annotations("Annotations", &object.meta.annotations);
    page.line(0, &format!("API Version:\t{}", object.value.get("apiVersion").str()));
    page.line(0, &format!("Kind:\t{}", object.value.get("kind").str()));
    for (key, value) in object.value.entries() {
        match key.as_str() {
            "apiVersion" | "kind" => {}
            "metadata" => {
                page.line(0, "Metadata:");
                for (key, value) in value.entries().iter().filter(|(key, _)| !SKIPPED.contains(&key.as_str()))
                {
                    field(1, key, value, page);
                }
            }
            key => field(0, key, value, page),
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
                    other => page.line(level + 1, &plain(other)),
                }
            }
        }
        other => page.line(level, &format!("{title}:\t{}", plain(other))),
    }
}

/// `clusterIP` as `Cluster IP`.
fn title(key: &str) -> String {
    let letters: Vec<char> = key.chars().collect();
    let mut out = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let begins = letter.is_uppercase()
            && at > 0
            && (letters[at - 1].is_lowercase()
                || letters.get(at + 1).is_some_and(|next| next.is_lowercase()));
        if begins {
            out.push(' ');
        }
        out.extend(if at == 0 { letter.to_uppercase().collect::<Vec<_>>() } else { vec![*letter] });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_names_become_titles() {
        for (key, expected) in
            [("clusterIP", "Cluster IP"), ("uid", "Uid"), ("loadBalancerIPs", "Load Balancer I Ps")]
        {
            assert_eq!(title(key), expected);
        }
    }
}
