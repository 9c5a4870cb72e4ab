//! `kubectl create configmap`, and the texts with keys that `create secret generic` takes as well.

use super::{GENERATED, generate, one_name, words};
use crate::api::kinds::names;
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
    let name = one_name(call)?;
    let mut document = value!({ "metadata": { "name": (name.to_owned()) } });
    let data = data(call, &Entries::OfConfigMap(name))?;
    if !data.is_empty() {
        document.set("data", data.into_iter().map(|(key, text)| (key, Value::from(text))).collect::<Map>());
    }
    generate(call, Kind::ConfigMap, document, "failed to create configmap: ")
}

/// Whose entries are read; the words of errors differ.
pub enum Entries<'a> {
    /// Those of a ConfigMap, by its name.
    OfConfigMap(&'a str),
    /// Those of a Secret.
    OfSecret,
}

impl Entries<'_> {
    /// Adds an entry.
    ///
    /// # Errors
    /// A key that cannot be one, or that is there already.
    fn add(&self, pairs: &mut Vec<(String, String)>, key: &str, text: String) -> Result<(), Failure> {
        let problems = names::config_key(key);
        let present = pairs.iter().any(|(held, _)| held == key);
        let error = match self {
            Self::OfConfigMap(_) if !problems.is_empty() => {
                format!("{key:?} is not a valid key name for a ConfigMap: {}", problems.join(","))
            }
            Self::OfSecret if !problems.is_empty() => {
                format!("{key:?} is not valid key name for a Secret {}", problems.join(";"))
            }
            Self::OfConfigMap(name) if present => format!(
                "cannot add key {key:?}, another key by that name already exists in Data for ConfigMap {name:?}"
            ),
            Self::OfSecret if present => {
                format!("cannot add key {key}, another key by that name already exists")
            }
            _ => {
                pairs.push((key.to_owned(), text));
                return Ok(());
            }
        };
        Err(Failure::plain(error))
    }

    fn word(&self) -> &'static str {
        match self {
            Self::OfConfigMap(_) => "config",
            Self::OfSecret => "secret",
        }
    }
}

/// The texts that flags name, with their keys.
///
/// # Errors
/// A file that is not there, a pair without its `=`, or a key that cannot be one.
pub fn data(call: &Call, entries: &Entries<'_>) -> Result<Vec<(String, String)>, Failure> {
    let (files, literals) = (words(call, "from-file"), call.flags.values("from-literal"));
    let env_files = words(call, "from-env-file");
    let pairs_are_named = !files.is_empty() || !literals.is_empty();
    if pairs_are_named && !env_files.is_empty() {
        return Err(Failure::plain("from-env-file cannot be combined with from-file or from-literal"));
    }
    let mut pairs = Vec::new();
    for source in files {
        from_file(call, source, entries, &mut pairs)?;
    }
    for source in literals {
        let (key, text) = source
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| Failure::plain(format!("invalid literal source {source}, expected key=value")))?;
        // Quotes that the shell left around the text are taken off.
        entries.add(&mut pairs, key, text.trim_matches(['"', '\'']).to_owned())?;
    }
    for file in env_files {
        from_env_file(call, file, entries, &mut pairs)?;
    }
    Ok(pairs)
}

/// Lines of `KEY=VALUE`.
fn from_env_file(
    call: &Call,
    file: &str,
    entries: &Entries<'_>,
    pairs: &mut Vec<(String, String)>,
) -> Outcome {
    if call.invocation.files().borrow().is_directory(&call.invocation.path(file)) {
        return Err(Failure::plain(format!("env {} file cannot be a directory", entries.word())));
    }
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
        if let Some(why) = names::strict_variable_name(key).first() {
            return Err(Failure::plain(format!("{key:?} is not a valid key name: {why}")));
        }
        entries.add(pairs, key, text)?;
    }
    Ok(())
}

/// `[KEY=]FILE`, or a folder whose files each give an entry.
fn from_file(call: &Call, source: &str, entries: &Entries<'_>, pairs: &mut Vec<(String, String)>) -> Outcome {
    let (key, path) = match source.split('=').collect::<Vec<_>>().as_slice() {
        ["", path] => return Err(Failure::plain(format!("key name for file path {path} missing"))),
        [key, ""] => return Err(Failure::plain(format!("file path for key name {key} missing"))),
        [key, path] => (Some(*key), *path),
        [path] => (None, *path),
        _ => return Err(Failure::plain("key names or file paths cannot contain '='")),
    };
    let folder = call.invocation.path(path);
    let files = call.invocation.files();
    if files.borrow().is_directory(&folder) {
        if key.is_some() {
            return Err(Failure::plain("cannot give a key name for a directory path"));
        }
        let names = files.borrow().names(&folder);
        for name in names {
            let text = files.borrow().read(&absolute(&folder, &name)).ok();
            if let Some(text) = text {
                entries.add(pairs, &name, text.to_string())?;
            }
        }
        return Ok(());
    }
    let text = read(call, path)?;
    entries.add(pairs, key.unwrap_or(file_name(path)), text)
}

fn read(call: &Call, path: &str) -> Result<String, Failure> {
    let text = call.invocation.read_file(path);
    text.map(|text| text.to_string())
        .map_err(|_| Failure::plain(format!("error reading {path}: no such file or directory")))
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn literals_lose_the_quotes_around_them() {
        check(
            "kubectl create cm a --from-literal='a=\"b\"' --from-literal=c=d=e,f -o jsonpath='{.data}'",
            "{\"a\":\"b\",\"c\":\"d=e,f\"}",
            0,
        );
    }

    #[test]
    fn wrong_sources_say_what_is_wrong() {
        check(
            "kubectl create cm a --from-literal=x=1 --from-literal=x=2",
            "error: cannot add key \"x\", another key by that name already exists in Data for ConfigMap \"a\"",
            1,
        );
        check(
            "kubectl create secret generic a --from-literal=x=1 --from-literal=x=2",
            "error: cannot add key x, another key by that name already exists",
            1,
        );
        check(
            "kubectl create cm a --from-file=a=b=c",
            "error: key names or file paths cannot contain '='",
            1,
        );
        check("kubectl create cm a --from-file=k=", "error: file path for key name k missing", 1);
        check(
            "mkdir d; kubectl create cm a --from-env-file=d",
            "error: env config file cannot be a directory",
            1,
        );
        check(
            "echo 1x=2 > e; kubectl create cm a --from-env-file=e",
            "error: \"1x\" is not a valid key name: a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')",
            1,
        );
    }
}
