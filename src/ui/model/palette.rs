//! What the palette finds: objects, commands, files, examples and what the page can do.
//!
//! Owns the order of what is found for some typed letters, among the objects of the map and what it is given;
//! what happens when one is chosen is the page's.

use crate::api::object::Key;
use crate::ui::model::map::Map;

/// What is found at most.
const FOUND: usize = 40;
/// Pods that are looked through at most.
const PODS: usize = 200_000;

/// What choosing does.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Selects an object.
    Select(Key),
    /// Puts a command into the terminal.
    Type(String),
    /// Opens a file.
    Open(String),
    /// Opens an example, by its number.
    Example(usize),
    /// Does what the page can do, by its number.
    Do(usize),
}

/// A candidate.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What it is called.
    pub name: String,
    /// What stands beside it.
    pub detail: String,
    /// What choosing it does.
    pub act: Act,
}

/// The candidates of a query, best first. `others` are always looked through; objects come from the map.
#[must_use]
pub fn find(query: &str, map: &Map, others: &[Item]) -> Vec<Item> {
    let query = query.trim().to_lowercase();
    let mut found: Vec<(u32, Item)> = Vec::new();
    for item in others {
        // Words beside the name count, but less.
        let by_name = score(&query, &item.name);
        let by_detail = || score(&query, &item.detail).map(|score| score + 40);
        if let Some(score) = by_name.or_else(by_detail) {
            found.push((score, item.clone()));
        }
    }
    if query.is_empty() {
        found.truncate(FOUND);
        return found.into_iter().map(|(_, item)| item).collect();
    }
    let mut object = |key: &Key, address: &str| {
        let by_name = score(&query, &key.name);
        let by_address = || score(&query, address).filter(|score| *score < 30);
        if let Some(score) = by_name.or_else(by_address) {
            // Objects come before commands of the same name.
            let detail = format!("{} {} {address}", key.kind.name(), key.namespace);
            let item = Item { name: key.name.to_string(), detail, act: Act::Select(key.clone()) };
            found.push((score, item));
        }
    };
    for service in map.services.values() {
        object(&service.key, &service.address);
    }
    for node in map.nodes.values() {
        object(&Key::new(crate::api::registry::Kind::Node, "", node.name.clone()), &node.ip);
    }
    for pod in map.pods.values().take(PODS) {
        object(&pod.key, &pod.ip);
    }
    found.sort_by_key(|(score, item)| (*score, item.name.len()));
    found.truncate(FOUND);
    found.into_iter().map(|(_, item)| item).collect()
}

/// How well a name fits: the smaller the better; `None` if it does not. The query is in lower case.
fn score(query: &str, name: &str) -> Option<u32> {
    if query.is_empty() {
        return Some(0);
    }
    let at = position(query, name);
    if let Some(at) = at {
        let begins_word = at == 0 || !name.as_bytes()[at - 1].is_ascii_alphanumeric();
        return Some(match at {
            0 if query.len() == name.len() => 0,
            0 => 5,
            _ if begins_word => 10,
            _ => 20,
        });
    }
    // Letters in this order, with gaps: "dns" in "do-name-service".
    let mut wanted = query.chars().peekable();
    for letter in name.chars() {
        if wanted.peek().is_some_and(|next| *next == letter.to_ascii_lowercase()) {
            wanted.next();
        }
    }
    (wanted.peek().is_none() && query.len() > 2).then_some(30)
}

/// Where a query stands in a name, whatever the case of its letters.
fn position(query: &str, name: &str) -> Option<usize> {
    let (query, bytes) = (query.as_bytes(), name.as_bytes());
    if query.len() > bytes.len() {
        return None;
    }
    bytes.windows(query.len()).position(|part| part.eq_ignore_ascii_case(query))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Settings;
    use crate::simulation::Simulation;

    fn found(query: &str) -> Vec<String> {
        let mut simulation = Simulation::new(Settings::default());
        crate::session::first_world::build(&mut simulation);
        let mut map = Map::default();
        map.observe(&simulation.cluster);
        let item = |name: &str, detail: &str| Item {
            name: name.to_owned(),
            detail: detail.to_owned(),
            act: Act::Type(name.to_owned()),
        };
        let others = [item("wget", "fetch a page"), item("kubectl", "talk to the API server")];
        find(query, &map, &others).into_iter().map(|item| item.name).collect()
    }

    #[test]
    fn what_begins_so_comes_first() {
        let names = found("we");
        assert_eq!(names[0], "web");
        assert!(names.iter().filter(|name| name.starts_with("web-")).count() == 3, "{names:?}");
    }

    #[test]
    fn objects_are_found_by_address_and_commands_by_what_they_do() {
        assert_eq!(found("192.168.1.72")[0], "k8s-master");
        assert_eq!(found("api server"), ["kubectl"]);
        assert_eq!(found("k8sw2")[0], "k8s-w2");
        assert_eq!(found("nothing like it"), Vec::<String>::new());
    }

    #[test]
    fn without_letters_it_offers_what_is_not_an_object() {
        assert_eq!(found(""), ["wget", "kubectl"]);
    }
}
