//! Writing: quoting, layout, and that what is written reads the same.

use super::*;
use crate::api::value::tests::arbitrary;
use crate::api::yaml::read;
use crate::value;

#[test]
fn text_is_quoted_as_go_yaml_quotes_it() {
    let check = |text: &'static str, yaml: &str| {
        assert_eq!(write(&Value::text(text)), format!("{yaml}\n"));
    };
    for plain in [
        "web",
        "a b",
        "a:b",
        "-a",
        "a#b",
        "80/TCP",
        "10.96.0.1",
        "::1",
        "1.2.3",
        "é",
        "nginx:1.25",
        "2026-13-01",
        "a'b",
    ] {
        check(plain, plain);
    }
    for quoted in [
        "80",
        "true",
        "y",
        "null",
        "~",
        "",
        "1e3",
        "0x10",
        "2026-11-22T22:04:17Z",
        "2026-1-2",
        "10:30",
        "<<",
        ".5",
    ] {
        check(quoted, &format!("\"{quoted}\""));
    }
    for quoted in ["a: b", "#a", "a #b", "*", "@web", " a", "a ", "- a", "a:", "[a", "---"] {
        check(quoted, &format!("'{quoted}'"));
    }
    check("it's: ", "'it''s: '");
    check("a\tb", r#""a\tb""#);
    check("\u{1f600}", r#""\U0001F600""#);
    check("a\nb\n", "|\n  a\n  b");
    check("a\nb", "|-\n  a\n  b");
    check("a\n\n", "|+\n  a\n");
    check(" a\nb", "|2-\n   a\n  b");
    check("a \nb", r#""a \nb""#);
    check(
        "Back-off pulling image \"nginx:nosuch\": ErrImagePull: failed to pull and unpack image again",
        "'Back-off pulling image \"nginx:nosuch\": ErrImagePull: failed to pull and unpack image\n  again'",
    );
}

#[test]
fn the_layout_is_kubectls() {
    let value = value!({
        "b": { "list": [1, { "y": 1, "x": [[2], []] }], "empty": {}, "none": null },
        "a10": 1, "a2": 2, "1": "one"
    });
    let yaml = "\"1\": one\na2: 2\na10: 1\nb:\n  empty: {}\n  list:\n  - 1\n  - x:\n    - - 2\n    - []\n    \"y\": 1\n  none: null\n";
    assert_eq!(write(&value), yaml);
}

#[test]
fn what_is_written_reads_the_same() {
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..500 {
        let value = arbitrary(&mut random, 4);
        let text = write(&value);
        let (documents, diagnostics) = read(&text);
        assert_eq!(diagnostics, [], "{text}");
        assert_eq!(documents.first().map(|document| document.value()).unwrap_or_default(), value, "{text}");
    }
}
