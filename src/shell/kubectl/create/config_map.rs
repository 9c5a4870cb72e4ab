//! `kubectl create configmap` and `kubectl create secret generic`.

use super::{generate, literals, one_name};
use crate::api::base64;
use crate::api::registry::Kind;
use crate::api::value::{Map, Value};
use crate::shell::command::{Flag, Value as Argument, option};
use crate::shell::filesystem::file_name;
use crate::shell::kubectl::call::Call;
use crate::shell::kubectl::failure::{Failure, Outcome};
use crate::shell::kubectl::verb::{
    Action, DRY_RUN, FIELD_MANAGER, OUTPUT, Operands, SAVE_CONFIG, VALIDATE, Verb, flags,
};
use crate::value;
use crate::words::Words;

const SOURCES: &[Flag] = &[
    option('\0', "from-literal", Argument::Text, "KEY=VALUE; may be repeated", "键=值；可重复"),
    option('\0', "from-file", Argument::File, "[KEY=]FILE; may be repeated", "[键=]文件；可重复"),
];
const TYPE: &[Flag] = &[option('\0', "type", Argument::Text, "the type of the Secret", "Secret 的类型")];

/// `create configmap`.
pub static CONFIG_MAP: Verb = Verb {
    name: "configmap",
    aliases: &["cm"],
    usage: "NAME [--from-literal=KEY=VALUE] [--from-file=FILE]",
    summary: Words { en: "create a ConfigMap", zh: "创建 ConfigMap" },
    flags: flags![SOURCES, OUTPUT, DRY_RUN, VALIDATE, SAVE_CONFIG, FIELD_MANAGER],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Now(config_map),
};

/// `create secret`.
pub static SECRET: Verb = Verb {
    name: "secret",
    aliases: &[],
    usage: "generic NAME",
    summary: Words { en: "create a Secret", zh: "创建 Secret" },
    flags: flags![],
    children: &[&GENERIC],
    operands: Operands::Nothing,
    action: Action::Now(crate::shell::kubectl::parent),
};

static GENERIC: Verb = Verb {
    name: "generic",
    aliases: &[],
    usage: "NAME [--from-literal=KEY=VALUE] [--from-file=FILE]",
    summary: Words { en: "create a Secret from texts and files", zh: "用文本和文件创建 Secret" },
    flags: flags![SOURCES, TYPE, OUTPUT, DRY_RUN, VALIDATE, SAVE_CONFIG, FIELD_MANAGER],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Now(secret),
};

fn config_map(call: &Call) -> Outcome {
    let mut document = value!({ "metadata": { "name": (one_name(call)?.to_owned()) } });
    let data = data(call)?;
    if !data.is_empty() {
        document.set("data", data.into_iter().map(|(key, text)| (key, Value::from(text))).collect::<Map>());
    }
    generate(call, Kind::ConfigMap, document, "failed to create configmap: ")
}

fn secret(call: &Call) -> Outcome {
    let mut document = value!({ "metadata": { "name": (one_name(call)?.to_owned()) } });
    let data = data(call)?;
    if !data.is_empty() {
        let encoded = data.into_iter().map(|(key, text)| (key, Value::from(base64::encode(text.as_bytes()))));
        document.set("data", encoded.collect::<Map>());
    }
    if let Some(kind) = call.flags.value("type").filter(|kind| !kind.is_empty()) {
        document.set("type", Value::from(kind.to_owned()));
    }
    generate(call, Kind::Secret, document, "failed to create secret ")
}

/// The texts that flags name, with their keys.
fn data(call: &Call) -> Result<Vec<(String, String)>, Failure> {
    let mut pairs = literals(&call.flags.values("from-literal"), "literal")?;
    for source in call.flags.values("from-file") {
        let (key, path) = source.split_once('=').unwrap_or((file_name(source), source));
        let text = call
            .invocation
            .read_file(path)
            .map_err(|_| Failure::plain(format!("error reading {path}: no such file or directory")))?;
        pairs.push((key.to_owned(), text.to_string()));
    }
    Ok(pairs)
}
