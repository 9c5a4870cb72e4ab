//! `kubectl version`.

use super::call::Call;
use super::failure::{Failure, Outcome};
use super::verb::{Action, Operands, Verb, flags};
use crate::api::value::Value as Document;
use crate::api::yaml;
use crate::shell::command::{Flag, Value, option, switch};
use crate::value;
use crate::words::Words;

/// The version that Portside simulates.
const VERSION: &str = "v1.36.2";
/// The version of kustomize inside kubectl.
const KUSTOMIZE: &str = "v5.8.1";

const OWN: &[Flag] = &[
    switch('\0', "client", "the client's version alone", "只显示客户端版本"),
    option('o', "output", Value::OneOf(&["yaml", "json"]), "the form of the output", "输出格式"),
];

/// `version`.
pub static VERB: Verb = Verb {
    name: "version",
    aliases: &[],
    usage: "",
    summary: Words {
        en: "show the versions of client and server", zh: "显示客户端和服务端的版本"
    },
    flags: flags![OWN],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Now(run),
};

/// What the program and the server say about their build, in the order of Go's structs.
const BUILD: [(&str, &str); 7] = [
    ("gitVersion", VERSION),
    ("gitCommit", "98b35193b2ac7a23a673325f5e9b830ecd5ba406"),
    ("gitTreeState", "clean"),
    ("buildDate", "2026-06-09T12:00:00Z"),
    ("goVersion", "go1.26.6"),
    ("compiler", "gc"),
    ("platform", "linux/amd64"),
];
const EMULATION: [(&str, &str); 4] = [
    ("emulationMajor", "1"),
    ("emulationMinor", "36"),
    ("minCompatibilityMajor", "1"),
    ("minCompatibilityMinor", "35"),
];

fn client() -> Vec<(&'static str, &'static str)> {
    [("major", "1"), ("minor", "36")].into_iter().chain(BUILD).collect()
}

/// The fields of the server's version.
pub fn server() -> Vec<(&'static str, &'static str)> {
    [("major", "1"), ("minor", "36")].into_iter().chain(EMULATION).chain(BUILD).collect()
}

/// Fields in their order as JSON, indented by `indent` blanks and two more.
pub fn json_fields(fields: &[(&str, &str)], indent: usize) -> String {
    let blanks = " ".repeat(indent);
    let lines: Vec<String> =
        fields.iter().map(|(name, value)| format!("{blanks}  \"{name}\": \"{value}\"")).collect();
    format!("{{\n{}\n{blanks}}}", lines.join(",\n"))
}

fn map(fields: Vec<(&'static str, &'static str)>) -> Document {
    fields.into_iter().map(|(name, value)| (name, Document::text(value))).collect()
}

fn run(call: &Call) -> Outcome {
    if !call.operands().is_empty() {
        return Err(Failure::plain(format!("extra arguments: {:?}", call.operands()).replace('"', "")));
    }
    let with_server = !call.has("client");
    match call.text("output") {
        "" => {
            call.say(&format!("Client Version: {VERSION}"));
            call.say(&format!("Kustomize Version: {KUSTOMIZE}"));
            if with_server {
                call.say(&format!("Server Version: {VERSION}"));
            }
        }
        "yaml" => {
            let mut document = value!({ "clientVersion": (map(client())), "kustomizeVersion": KUSTOMIZE });
            if with_server {
                document.set("serverVersion", map(server()));
            }
            call.write(&yaml::write(&document));
        }
        "json" => {
            let mut text = format!(
                "{{\n  \"clientVersion\": {},\n  \"kustomizeVersion\": \"{KUSTOMIZE}\"",
                json_fields(&client(), 2)
            );
            if with_server {
                text.push_str(&format!(",\n  \"serverVersion\": {}", json_fields(&server(), 2)));
            }
            call.say(&format!("{text}\n}}"));
        }
        _ => return Err(Failure::plain("--output must be 'yaml' or 'json'")),
    }
    Ok(())
}
