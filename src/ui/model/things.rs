//! Names and addresses in any text, and what they mean.
//!
//! Owns the way from a word in the terminal or in a table to an object of the map, and the short form of a
//! key that the page writes into `data-thing` attributes.

use super::map::Map;
use crate::api::object::Key;
use crate::api::registry::Kind;

/// Kinds that the map shows.
const KINDS: [Kind; 3] = [Kind::Pod, Kind::Service, Kind::Node];

/// The short form of a key: `Pod/default/web-0`.
#[must_use]
pub fn id(key: &Key) -> String {
    let name = key.kind.name();
    let mut id = String::with_capacity(name.len() + key.namespace.len() + key.name.len() + 2);
    for part in [name, "/", key.namespace.as_str(), "/", key.name.as_str()] {
        id.push_str(part);
    }
    id
}

/// The key that a short form stands for.
#[must_use]
pub fn key(id: &str) -> Option<Key> {
    let mut parts = id.splitn(3, '/');
    let (kind, namespace, name) = (parts.next()?, parts.next()?, parts.next()?);
    let kind = KINDS.into_iter().find(|known| known.name() == kind)?;
    Some(Key::new(kind, namespace, name))
}

/// A piece of text, and what it names.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece<'a> {
    /// The text.
    pub text: &'a str,
    /// What it names, if it names anything on the map.
    pub thing: Option<Key>,
}

/// Cuts a text into pieces that name something and pieces that do not. A name is looked for in `namespace`
/// first.
#[must_use]
pub fn pieces<'a>(text: &'a str, map: &Map, namespace: &str) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    let mut plain = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let word = rest.find(|c: char| !is_part(c)).map_or(rest, |end| &rest[..end]);
        if word.is_empty() {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        }
        let name = word.trim_end_matches('.');
        if let Some(thing) = meaning(name, map, namespace) {
            if plain < at {
                pieces.push(Piece { text: &text[plain..at], thing: None });
            }
            pieces.push(Piece { text: name, thing: Some(thing) });
            plain = at + name.len();
        }
        at += word.len();
    }
    if plain < text.len() {
        pieces.push(Piece { text: &text[plain..], thing: None });
    }
    pieces
}

fn is_part(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '.')
}

/// What one word names.
fn meaning(word: &str, map: &Map, namespace: &str) -> Option<Key> {
    if let Some(key) = map.at_address(word) {
        return Some(key.clone());
    }
    // Shorter words are too often just words.
    if word.len() < 3 {
        return None;
    }
    if map.nodes.contains_key(word) {
        return Some(Key::new(Kind::Node, "", word));
    }
    let pod = Key::new(Kind::Pod, namespace, word);
    if map.pods.contains_key(&pod) {
        return Some(pod);
    }
    let service = Key::new(Kind::Service, namespace, word);
    map.services.contains_key(&service).then_some(service)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Settings;
    use crate::simulation::Simulation;

    #[test]
    fn names_and_addresses_are_found_in_a_line() {
        let simulation = Simulation::new(Settings::default());
        let mut map = Map::default();
        map.observe(&simulation.cluster);
        let line = "kubernetes   ClusterIP   10.96.0.1:443 on k8s-w1.";
        let found = pieces(line, &map, "default");
        let text: String = found.iter().map(|piece| piece.text).collect();
        assert_eq!(text, line, "nothing is lost");
        let things: Vec<String> = found.iter().filter_map(|piece| Some(id(piece.thing.as_ref()?))).collect();
        assert_eq!(things, ["Service/default/kubernetes", "Service/default/kubernetes", "Node//k8s-w1"]);
    }

    #[test]
    fn short_forms_lead_back_to_keys() {
        let web = Key::new(Kind::Pod, "default", "web-0");
        assert_eq!(key(&id(&web)), Some(web));
        assert_eq!(key("Secret/default/x"), None);
        assert_eq!(key("Pod"), None);
    }
}
