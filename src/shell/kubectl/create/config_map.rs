//! `kubectl create configmap`, and the texts with keys that `create secret generic` takes as well.

use super::{GENERATED, generate, literals, one_name};
use crate::api::registry::Kind;
use crate::api::value::{Map, Value};
use crate::shell::command::{Flag, Value as Argument, not_simulated, option};
use crate::shell::filesystem::{absolute, file_name};
use crate::shell::kubectl::call::Call;
use crate::shell::kubectl::failure::{Failure, Outcome};
use crate::shell::kubectl::verb::{Action, Operands, Verb, flags};
use crate::value;
use crate::words::Words;

/// Flags that name texts with their keys.
pub const SOURCES: &[Flag] = &[
    option('\0', "from-literal", Argument::Text, "KEY=VALUE; may be repeated", "键=值；可重复"),
    option(
        '\0',
        "from-file",
        Argument::File,
        "[KEY=]FILE or a folder; may be repeated",
        "[键=]文件或目录；可重复",
    ),
    option('\0', "from-env-file", Argument::File, "a file of KEY=VALUE lines", "每行一个 键=值 的文件"),
    not_simulated('\0', "append-hash", Argument::None, "a name of your own"),
];

/// `create configmap`.
pub static CONFIG_MAP: Verb = Verb {
    name: "configmap",
    aliases: &["cm"],
    usage: "NAME [--from-literal=KEY=VALUE] [--from-file=FILE]",
    summary: Words { en: "create a ConfigMap", zh: "创建 ConfigMap" },
    flags: flags![SOURCES, GENERATED],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Now(config_map),
};

fn config_map(call: &Call) -> Outcome {
    let mut document = value!({ "metadata": { "name": (one_name(call)?.to_owned()) } });
    let data = data(call)?;
    if !data.is_empty() {
        document.set("data", data.into_iter().map(|(key, text)| (key, Value::from(text))).collect::<Map>());
    }
    generate(call, Kind::ConfigMap, document, "failed to create configmap: ")
}

/// The texts that flags name, with their keys.
///
/// # Errors
/// A file that is not there, or a pair without its `=`.
pub fn data(call: &Call) -> Result<Vec<(String, String)>, Failure> {
    let sources = call.flags.values("from-file").len() + call.flags.values("from-literal").len();
    let env_files = call.flags.values("from-env-file");
    if sources > 0 && !env_files.is_empty() {
        return Err(Failure::plain("from-env-file cannot be combined with from-file or from-literal"));
    }
    let mut pairs = Vec::new();
    for source in call.flags.values("from-file") {
        from_file(call, source, &mut pairs)?;
    }
    pairs.extend(literals(&call.flags.values("from-literal"), "literal")?);
    for file in env_files {
        for line in read(call, file)?.lines() {
            let line = line.trim_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, text) = match line.split_once('=') {
                Some((key, text)) => (key, text.to_owned()),
                // A name alone stands for the variable of this shell.
                None => (line, call.invocation.variable(line).unwrap_or("").to_owned()),
            };
            pairs.push((key.to_owned(), text));
        }
    }
    let mut seen = Vec::new();
    for (key, _) in &pairs {
        if seen.contains(&key) {
            return Err(Failure::plain(format!(
                "cannot add key {key:?}, another key by that name already exists in Data"
            )));
        }
        seen.push(key);
    }
    Ok(pairs)
}

/// `[KEY=]FILE`, or a folder whose files each give an entry.
fn from_file(call: &Call, source: &str, pairs: &mut Vec<(String, String)>) -> Result<(), Failure> {
    let (key, path) = match source.split_once('=') {
        Some(("", _)) => {
            return Err(Failure::plain(format!("key name for file path {} missing", &source[1..])));
        }
        Some((key, "")) => return Err(Failure::plain(format!("file path for key name {key} missing"))),
        Some((key, path)) => (Some(key), path),
        None => (None, source),
    };
    let folder = call.invocation.path(path);
    let files = call.invocation.files();
    if files.borrow().is_directory(&folder) {
        if let Some(key) = key {
            debug_assert!(!key.is_empty(), "an empty key was refused above");
            return Err(Failure::plain("cannot give a key name for a directory path"));
        }
        let names = files.borrow().names(&folder);
        for name in names {
            let file = absolute(&folder, &name);
            if let Ok(text) = files.borrow().read(&file) {
                pairs.push((name, text.to_string()));
            }
        }
        return Ok(());
    }
    let text = read(call, path)?;
    pairs.push((key.unwrap_or(file_name(path)).to_owned(), text));
    Ok(())
}

fn read(call: &Call, path: &str) -> Result<String, Failure> {
    let text = call.invocation.read_file(path);
    text.map(|text| text.to_string())
        .map_err(|_| Failure::plain(format!("error reading {path}: no such file or directory")))
}
