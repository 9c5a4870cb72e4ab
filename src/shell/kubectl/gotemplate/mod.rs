//! Go templates (`-o go-template`), as far as documentation uses them.
//!
//! Owns templates and their evaluation on documents. Splitting into tokens is in [`lexer`], the grammar in
//! [`parser`], the functions in [`functions`]. `define`, `template` and `block` are not simulated.
//! Source: <https://pkg.go.dev/text/template> and `k8s.io/cli-runtime/pkg/printers/template.go`.

mod eval;
mod format;
mod functions;
mod lexer;
mod parser;
mod value;

use super::failure::Failure;
use crate::api::json;
use crate::api::value::Value;

/// Templates are at most so long, in bytes.
const LENGTH_LIMIT: usize = 20_000;

/// A template, read.
#[derive(Clone, Debug)]
pub struct Template {
    text: String,
    nodes: Vec<parser::Node>,
    keys_may_miss: bool,
}

impl Template {
    /// Reads a template. `keys_may_miss`: whether a key that a document has not is printed as `<no value>`.
    ///
    /// # Errors
    /// Text that is no template, in Go's words.
    pub fn parse(text: &str, keys_may_miss: bool) -> Result<Self, String> {
        if text.len() > LENGTH_LIMIT {
            return Err("template too long".to_owned());
        }
        let nodes = parser::parse(text).map_err(|(at, words)| {
            let line =
                text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1;
            format!("template: output:{line}: {words}")
        })?;
        Ok(Self { text: text.to_owned(), nodes, keys_may_miss })
    }

    /// What the template prints for a document: the text, and what went wrong after it.
    ///
    /// # Errors
    /// The text printed so far, and Go's words for what does not fit.
    pub fn print(&self, value: &Value) -> Result<String, (String, String)> {
        eval::run(&self.text, &self.nodes, value, self.keys_may_miss)
    }

    /// What kubectl prints on standard output where a template does not fit a document, and its error.
    pub fn failure(&self, why: &str, value: &Value) -> (String, Failure) {
        let shown = format!(
            "Error executing template: {why}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t{}\n\traw data was:\n\t\t{}\n\tobject given to template engine was:\n\t\t{}\n\n",
            self.text,
            json::compact(value),
            json::go_print(value)
        );
        (shown, Failure::plain(format!("error executing template {:?}: {why}", self.text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    fn document() -> Value {
        value!({
            "metadata": { "name": "web", "labels": { "app.io/name": "x", "tier": "back" } },
            "spec": { "ports": [{ "port": 80, "protocol": "TCP" }, { "port": 443, "protocol": "TCP" }],
                      "replicas": 0, "empty": [], "nothing": null },
            "data": { "password": "c2VjcmV0" },
            "big": 12345678
        })
    }

    #[track_caller]
    fn check(template: &str, expected: &str) {
        let printed = Template::parse(template, true).map(|template| template.print(&document()));
        assert_eq!(printed, Ok(Ok(expected.to_owned())), "{template}");
    }

    #[track_caller]
    fn check_refused(template: &str, expected: &str) {
        assert_eq!(Template::parse(template, true).err().as_deref(), Some(expected), "{template}");
    }

    #[track_caller]
    fn check_failure(template: &str, expected: &str) {
        let parsed = Template::parse(template, true).expect("the template can be read");
        let (_, why) = parsed.print(&document()).expect_err("the template does not fit");
        assert_eq!(why, expected, "{template}");
    }

    #[test]
    fn fields_are_printed_as_go_prints_them() {
        check("{{.metadata.name}}", "web");
        check("{{ .metadata.name }}-{{.spec.replicas}}", "web-0");
        check("{{.metadata.labels}}", "map[app.io/name:x tier:back]");
        check("{{.nosuch}} {{.nosuch.deeper}}", "<no value> <no value>");
        check("{{.big}}", "1.2345678e+07");
        check("{{$.metadata.name}}{{(index .spec.ports 0).port}}", "web80");
    }

    #[test]
    fn actions_choose_and_repeat() {
        check("{{range .spec.ports}}{{.port}}/{{.protocol}} {{end}}", "80/TCP 443/TCP ");
        check("{{range $i, $p := .spec.ports}}{{if $i}},{{end}}{{$p.port}}{{end}}", "80,443");
        check(
            "{{range $k, $v := .metadata.labels}}{{$k}}={{$v}}{{\"\\n\"}}{{end}}",
            "app.io/name=x\ntier=back\n",
        );
        check("{{range .spec.empty}}x{{else}}none{{end}}", "none");
        check("{{if .spec.replicas}}some{{else if .metadata}}zero{{end}}", "zero");
        check("{{with .metadata}}{{.name}}{{end}}{{with .nosuch}}x{{else}}y{{end}}", "weby");
        check("{{range .spec.ports}}{{if eq .protocol \"TCP\"}}{{.port}}{{break}}{{end}}{{end}}", "80");
        check("{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}", "2");
    }

    #[test]
    fn functions_follow_go() {
        check("{{index .metadata.labels \"app.io/name\"}}", "x");
        check("{{len .spec.ports}} {{len .metadata.name}}", "2 3");
        check("{{.data.password | base64decode}}", "secret");
        check("{{index .data \"password\" | base64decode | printf \"%s!\"}}", "secret!");
        check("{{and .metadata .nosuch}} {{or .nosuch \"d\"}} {{not .nosuch}}", "<no value> d true");
        check("{{if and (eq .metadata.name \"web\") (ne 1 2)}}yes{{end}}", "yes");
        check("{{printf \"%-5s|%5s|%v|%d\" \"a\" \"b\" .spec.replicas 7}}", "a    |    b|0|7");
        check("{{printf \"%d\" .spec.replicas}}", "%!d(float64=0)");
        check("{{print 1 2 \"a\" 3}}{{println \"x\" 1}}", "1 2a3x 1\n");
        check("{{slice .metadata.name 1 3}}", "eb");
    }

    #[test]
    fn white_space_beside_delimiters_is_trimmed() {
        check("a \n{{- \"b\" -}} \n c{{/* none */}} d", "abc d");
        check("{{range .spec.ports -}}\n  {{.port}}\n{{end}}", "80\n443\n");
    }

    #[test]
    fn mistakes_are_told_in_go_words() {
        check_refused("{{.metadata.name", "template: output:1: unclosed action");
        check_refused("{{range .items}}", "template: output:1: unexpected EOF");
        check_refused("{{end}}", "template: output:1: unexpected {{end}}");
        check_refused("{{foo .x}}", "template: output:1: function \"foo\" not defined");
        check_refused("{{.a.b-c}}", "template: output:1: bad character U+002D '-'");
        check_refused("\n{{$x}}", "template: output:2: undefined variable \"$x\"");
        check_refused("{{}}", "template: output:1: missing value for command");
        check_failure(
            "{{.metadata.name.first}}",
            "template: output:1:11: executing \"output\" at <.metadata.name.first>: can't evaluate field first in type interface {}",
        );
        check_failure(
            "{{.spec.nothing.x}}",
            "template: output:1:7: executing \"output\" at <.spec.nothing.x>: nil pointer evaluating interface {}.x",
        );
        check_failure(
            "{{index .spec.ports 5}}",
            "template: output:1:2: executing \"output\" at <index .spec.ports 5>: error calling index: index out of range: 5",
        );
        check_failure(
            "{{eq .spec.replicas 0}}",
            "template: output:1:2: executing \"output\" at <eq .spec.replicas 0>: error calling eq: incompatible types for comparison",
        );
        check_failure(
            "{{range .metadata.name}}x{{end}}",
            "template: output:1:17: executing \"output\" at <.metadata.name>: range can't iterate over web",
        );
    }

    #[test]
    fn a_key_that_must_be_there_is_missed() {
        let template = Template::parse("{{.nosuch}}", false).expect("the template can be read");
        let (_, why) = template.print(&document()).expect_err("the key is missing");
        assert_eq!(
            why,
            "template: output:1:2: executing \"output\" at <.nosuch>: map has no entry for key \"nosuch\""
        );
    }
}
