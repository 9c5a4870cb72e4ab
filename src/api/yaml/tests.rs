//! Reading: messages as recorded from kubectl, positions, limits, agreement with `serde_yaml`'s reader.

use super::{Document, Problem, Severity, read};
use crate::api::json;

fn error_of(text: &str) -> String {
    let (_, diagnostics) = read(text);
    let mut errors = diagnostics.into_iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    errors.next().map(|diagnostic| diagnostic.message).unwrap_or_default()
}

fn json_of(text: &str) -> String {
    let (documents, diagnostics) = read(text);
    assert!(diagnostics.iter().all(|d| d.severity == Severity::Warning), "{text}: {diagnostics:?}");
    documents.iter().map(|document| json::compact(&document.value())).collect::<Vec<_>>().join(" ")
}

fn only(text: &str) -> Document {
    let (mut documents, diagnostics) = read(text);
    assert_eq!((documents.len(), diagnostics.len()), (1, 0), "{text}: {diagnostics:?}");
    documents.remove(0)
}

/// Text and what kubectl prints after `error parsing FILE: error converting YAML to JSON: yaml: `
/// (recorded sessions 50-bad-yaml).
const SLIPS: [(&str, &str); 24] = [
    ("a: b\n\tc: d\n", "line 2: found a tab character that violates indentation"),
    ("a: [1, 2\nb: c\n", "line 1: did not find expected ',' or ']'"),
    ("a: - b\n", "block sequence entries are not allowed in this context"),
    ("- a\nb: c\n", "line 1: did not find expected '-' indicator"),
    ("a: b\n- c\n", "line 1: did not find expected key"),
    ("a: 'x' y\n", "did not find expected key"),
    ("a: 1\nb: 2\nm:\n\tname: web\n", "line 4: found character that cannot start any token"),
    ("a: 1\nspec:\n  ports:\n\t- port: 80\n", "line 4: found character that cannot start any token"),
    ("spec:\n  selector:\n    app: web\n   ports:\n  - port: 80\n", "line 3: did not find expected key"),
    (
        "metadata:\n  name: web\n   labels:\n    a: b\n",
        "line 3: mapping values are not allowed in this context",
    ),
    ("apiVersion: v1\n kind: Service\n", "line 2: mapping values are not allowed in this context"),
    ("spec:\n  ports:\n    - name: http\n    port: 80\n", "line 3: did not find expected '-' indicator"),
    ("m:\n  name: \"web\nspec:\n  a: b\n", "line 5: found unexpected end of stream"),
    ("m:\n  name: 'web\nspec:\n  a: b\n", "line 5: found unexpected end of stream"),
    ("kind: Service\nmetadata\n  name: web\n", "line 3: could not find expected ':'"),
    ("kind: Service\nmetadata: {name: web\nspec:\n  a: b\n", "line 2: did not find expected ',' or '}'"),
    ("a: 1\nspec: {ports: [{port: 80}}\n", "line 1: did not find expected ',' or ']'"),
    ("a: 1\nname: *web\n", "unknown anchor 'web' referenced"),
    ("a: 1\nname: @web\n", "line 2: found character that cannot start any token"),
    ("a: 1\nname: `web`\n", "line 2: found character that cannot start any token"),
    ("a: 1\nname: web: x\n", "line 2: mapping values are not allowed in this context"),
    ("%apiVersion: v1\nkind: Service\n", "found unexpected non-alphabetical character"),
    ("data:\n  a: |\n  line\n", "line 4: could not find expected ':'"),
    ("a: \u{1}\n", "control characters are not allowed"),
];

#[test]
fn slips_are_told_in_kubectls_words() {
    for (text, words) in SLIPS {
        assert_eq!(error_of(text), format!("error converting YAML to JSON: yaml: {words}"), "{text}");
    }
}

#[test]
fn json_errors_are_those_of_json() {
    assert_eq!(error_of("{\"apiVersion\":\"v1\",\"kind\":\"Service\"\n"), "unexpected EOF");
    assert_eq!(
        error_of("{\"a\": 1 \"b\": 2}"),
        "json: offset 9: invalid character '\"' after object key:value pair"
    );
    assert_eq!(json_of("{\"a\":{\"b\":\"c\"},}\n"), r#"{"a":{"b":"c"}}"#);
    assert_eq!(json_of("{\"a\":1}\n{\"b\":\n\t2}\n"), r#"{"a":1} {"b":2}"#);
    assert_eq!(json_of("{a: 1}\n---\nb: 2\n"), r#"{"a":1} {"b":2}"#);
}

#[test]
fn lines_of_errors_count_from_their_document_and_earlier_documents_stay() {
    let text = "a: 1\n---\nb: 2\n---\nc: 3\nname: @web\n";
    let (documents, diagnostics) = read(text);
    assert_eq!(documents.len(), 2);
    assert_eq!(documents[1].line, 3);
    assert_eq!(&text[documents[1].text.clone()], "b: 2\n");
    assert!(diagnostics[0].message.ends_with("line 2: found character that cannot start any token"));
    assert_eq!((diagnostics[0].span.line, diagnostics[0].span.column), (6, 7));
}

#[test]
fn documents_are_cut_as_kubectl_cuts_them() {
    assert_eq!(json_of("---\na: 1\n--- # next\n\n---\n# nothing\n---\nb: 2"), r#"{"a":1} {"b":2}"#);
    assert_eq!(json_of("null\n"), "");
    assert_eq!(json_of(""), "");
    assert_eq!(error_of("a: 1\n--- b\n"), "invalid Yaml document separator: b");
    assert_eq!(
        error_of("---\na: @\n"),
        "error converting YAML to JSON: yaml: line 2: found character that cannot start any token"
    );
}

#[test]
fn values_follow_kubernetes_rules() {
    let check = |text: &str, json: &str| assert_eq!(json_of(text), json, "{text}");
    check(
        "a: y\nb: 'y'\nc: 014\nd: 1e2\ne: 80.0\nf: ~\n",
        r#"{"a":true,"b":"y","c":12,"d":100,"e":80,"f":null}"#,
    );
    check("80: a\ntrue: b\n1.5: c\n", r#"{"1.5":"c","80":"a","true":"b"}"#);
    check("a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n", r#"{"a":{"b":1,"c":2},"d":{"b":1,"c":3}}"#);
    check("a: &x [1]\nb: *x\n", r#"{"a":[1],"b":[1]}"#);
    check("a: !!str 80\nb: !!int \"80\"\n", r#"{"a":"80","b":80}"#);
    check("a: |\n  x\n  y\nb: >-\n  x\n  y\n", r#"{"a":"x\ny\n","b":"x y"}"#);
    check("a: \"x\ny\"\nb: {c: 1,\nd: 2}\n", r#"{"a":"x y","b":{"c":1,"d":2}}"#);
    check("a: {\nb: 1,\nc: [\n2\n]\n}\nd:\t3\n", r#"{"a":{"b":1,"c":[2]},"d":3}"#);
    check("a: 2024-01-01\nb: 10:30\n", r#"{"a":"2024-01-01","b":"10:30"}"#);
}

#[test]
fn of_equal_keys_the_last_counts_and_the_editor_is_told() {
    let (documents, diagnostics) = read("a:\n  b: 1\n  b: 2\n");
    assert_eq!(json::compact(&documents[0].value()), r#"{"a":{"b":2}}"#);
    assert_eq!((diagnostics[0].severity, diagnostics[0].problem), (Severity::Warning, Problem::DuplicateKey));
    assert_eq!((diagnostics[0].span.line, diagnostics[0].span.column), (3, 3));
}

#[test]
fn fields_are_found_where_they_stand() {
    let document =
        only("# first\n---\nspec:\n  ports:\n  - port: 80\n    name: \"é\" # x\n  a.b/c: {d: 1}\n");
    let check = |path: &str, exact: bool, key: (u32, u32), value: (u32, u32)| {
        let found = document.positions.lookup(path).unwrap();
        let (k, v) = (found.key, found.value);
        assert_eq!((found.exact, (k.line, k.column), (v.line, v.column)), (exact, key, value), "{path}");
    };
    check("spec.ports[0].port", true, (5, 5), (5, 11));
    check("spec.ports[0].name", true, (6, 5), (6, 11));
    check("spec.ports[0].nodePort", false, (5, 5), (5, 5));
    check("spec.ports[7].port", false, (4, 3), (5, 5));
    check("spec[a.b/c].d", true, (7, 11), (7, 14));
    check("spec.a.b/c.d", true, (7, 11), (7, 14));
    check("status", false, (3, 1), (3, 1));
    assert_eq!(document.positions.path_at(5, 12), "spec.ports[0].port");
    assert_eq!(document.positions.path_at(7, 15), "spec[a.b/c].d");
}

#[test]
fn json_fields_are_found_too() {
    let document = only("  {\"a\": 1,\n   \"b\": [2]}");
    let line_and_column = |path: &str| {
        let found = document.positions.lookup(path).unwrap();
        (found.value.line, found.value.column)
    };
    assert_eq!(line_and_column("a"), (1, 9));
    assert_eq!(line_and_column("b[0]"), (2, 10));
}

#[test]
fn hostile_text_is_refused_by_limits() {
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned()
        + &("bcdefghij".chars().zip("abcdefghi".chars()))
            .map(|(name, of)| {
                format!("{name}: &{name} [*{of},*{of},*{of},*{of},*{of},*{of},*{of},*{of},*{of}]\n")
            })
            .collect::<String>();
    assert!(error_of(&bomb).ends_with("document contains excessive aliasing"), "{}", error_of(&bomb));
    assert!(error_of(&"[".repeat(3000)).contains("exceeded max depth"));
    assert!(error_of(&"{\"a\":".repeat(3000)).contains("exceeded max depth"));
    assert!(error_of(&"- ".repeat(3000)).contains("exceeded max depth"));
    assert!(error_of(&"x".repeat(4 << 20)).contains("longer than"));
    assert!(error_of("a: &a [*a]\n").ends_with("contains itself"), "{}", error_of("a: &a [*a]\n"));
    for text in [
        "\0",
        "\u{1b}[31m",
        "a: \u{7f}",
        "?",
        ": :",
        "&",
        "*",
        "!",
        "!!",
        "|",
        ">",
        "%",
        "@",
        "`",
        "'",
        "\"",
        "- - -",
        "{",
        "[",
        "}",
        "]",
        "{]",
        "\u{feff}",
        "---",
        "...",
        "? ? ?",
        "<<: 1",
    ] {
        let _ = read(text);
    }
}

/// Random documents that both readers must read alike; the generator avoids the listed differences
/// (YAML 1.1 booleans, octal numbers, keys that are no text).
#[test]
fn serde_yamls_own_reader_agrees() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..300 {
        let value = super::super::value::tests::arbitrary(&mut random, 4);
        let text = serde_yaml::to_string(&value).unwrap();
        let oracle: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
        let (documents, diagnostics) = read(&text);
        assert_eq!(diagnostics, []);
        let ours = documents.first().map(|document| document.value.clone()).unwrap_or_default();
        assert_eq!(ours, oracle, "{text}");
    }
}

/// The time limit is generous because debug builds on shared machines are slow; what it catches is
/// work that grows faster than the text.
#[test]
fn a_megabyte_is_read_in_time_that_grows_with_its_length() {
    let large: [(&str, String); 6] = [
        ("items", "- a: 1\n  b: [x, y]\n".repeat(10_000)),
        ("one line", "a: ".to_owned() + &"x ".repeat(500_000)),
        ("commas", "[".to_owned() + &"1,".repeat(500_000)),
        ("quote", "a: \"".to_owned() + &"x\n".repeat(500_000)),
        ("documents", "a: 1\n---\n".repeat(50_000)),
        ("keys", (0..50_000).map(|at| format!("key-{at}: {at}\n")).collect()),
    ];
    for (what, text) in large {
        let start = std::time::Instant::now();
        let _ = read(&text);
        assert!(start.elapsed().as_secs() < 10, "{what}: {:?}", start.elapsed());
    }
}
