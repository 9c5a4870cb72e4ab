use super::*;
use crate::api::schema;
use crate::api::value::Value;

const LANGUAGES: [Language; 2] = [Language::English, Language::Chinese];
/// A file has at most so many lines.
const LINES: usize = 400;

/// The lines of a text that are not comments.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// What a line is about: a type, or two blanks and a field.
fn key(line: &str) -> &str {
    line.split_once(": ").unwrap_or_else(|| panic!("neither a type nor a field: {line}")).0
}

/// Every type of the schema, those without fields included, with the names of its fields.
fn types() -> Vec<(String, Vec<String>)> {
    let facts: Value = serde_json::from_str(schema::FACTS).expect("the embedded schema is valid JSON");
    let types = facts.get("types").entries().iter();
    let fields =
        |facts: &Value| facts.get("fields").entries().iter().map(|(name, _)| name.to_string()).collect();
    types.map(|(name, facts)| (name.to_string(), fields(facts))).collect()
}

#[test]
fn every_file_is_embedded() {
    for language in ["en", "zh-CN"] {
        let folder = format!("{}/src/api/field_words/{language}", env!("CARGO_MANIFEST_DIR"));
        for file in std::fs::read_dir(folder).expect("the folder can be listed") {
            let path = file.expect("the folder can be listed").path();
            let content = std::fs::read_to_string(&path).expect("field words are text");
            let known = TEXTS.iter().any(|text| [text.en, text.zh].contains(&content.as_str()));
            assert!(known, "{} is not embedded", path.display());
        }
    }
}

#[test]
fn words_are_found_by_type_and_field() {
    let check = |name, field, begins: Option<&str>| {
        let words = of_field(name, field, Language::English);
        assert_eq!(words.map(|words| &words[..begins.map_or(0, str::len)]), begins, "{name}.{field}");
    };
    check("discovery/v1.EndpointConditions", "ready", Some("Whether new connections"));
    check("discovery/v1.EndpointConditions", "read", None);
    check("discovery/v1.Nothing", "ready", None);
    assert!(
        of_type("discovery/v1.EndpointSlice", Language::Chinese).is_some_and(|words| words.contains("端点"))
    );
    assert_eq!(of_type("discovery/v1.Nothing", Language::English), None);
}

#[test]
fn both_languages_have_the_same_keys_in_the_same_order() {
    for text in TEXTS {
        let [en, zh] =
            LANGUAGES.map(|language| lines(text.in_language(language)).map(key).collect::<Vec<_>>());
        assert_eq!(en, zh);
    }
}

#[test]
fn no_words_are_about_what_the_schema_lacks_or_come_twice() {
    let types = types();
    let mut seen = Vec::new();
    for text in TEXTS {
        for (name, lines) in split(text.en) {
            let known: Vec<&str> = types
                .iter()
                .filter(|(known, _)| known == name || name == EVERY_TYPE)
                .flat_map(|(_, fields)| fields.iter().map(String::as_str))
                .collect();
            assert!(name == EVERY_TYPE || types.iter().any(|(known, _)| known == name), "{name}");
            assert!(!seen.contains(&name), "{name} comes twice");
            seen.push(name);
            let mut fields: Vec<&str> =
                lines.lines().filter_map(|line| line.strip_prefix("  ")).map(key).collect();
            for field in &fields {
                assert!(known.contains(field), "{name}.{field}");
            }
            fields.sort_unstable();
            let all = fields.len();
            fields.dedup();
            assert_eq!(fields.len(), all, "a field of {name} comes twice");
        }
    }
}

#[test]
fn every_type_and_every_field_has_words() {
    let mut missing = Vec::new();
    for language in LANGUAGES {
        for (name, fields) in types() {
            let fields = fields.iter().filter(|field| of_field(&name, field, language).is_none());
            missing.extend(fields.map(|field| format!("{name}.{field}")));
            missing.extend(of_type(&name, language).is_none().then_some(name));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn words_are_plain_lines_in_their_language() {
    let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    for text in TEXTS {
        for language in LANGUAGES {
            let text = text.in_language(language);
            assert!(
                text.lines().count() <= LINES,
                "split the file of {}",
                key(lines(text).next().unwrap_or(""))
            );
            for line in lines(text) {
                let words = &line[key(line).len() + 2..];
                let plain = !words.contains(['`', '\t']) && !words.contains("  ") && words.trim() == words;
                assert!(plain && !words.is_empty(), "{line}");
                assert_eq!(words.contains(is_chinese), language == Language::Chinese, "{line}");
                assert!(words.ends_with(['.', '。', '!', ')', '）']), "no end: {line}");
            }
        }
    }
}
