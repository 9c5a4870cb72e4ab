//! Builtins that set variables: `read`, `declare` and its kin, `let`, `unset`.

use crate::shell::interpreter::{Shell, Variable};
use crate::shell::io::Streams;
use crate::shell::language::arithmetic::evaluate;
use crate::shell::language::parser::is_name;

pub(super) async fn read(shell: &mut Shell, arguments: &[String], streams: &Streams) -> i32 {
    let mut raw = false;
    let mut names = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "-r" => raw = true,
            "-p" => {
                let prompt = arguments.next().map(String::as_str).unwrap_or_default();
                if streams.stdin.is_terminal() {
                    streams.stderr.write(prompt);
                }
            }
            name if is_name(name) => names.push(name),
            other => {
                shell.complain(streams, &format!("read: `{other}': not a valid identifier"));
                return 1;
            }
        }
    }
    let Some(line) = streams.stdin.line().await else {
        for name in names {
            shell.set(name, String::new());
        }
        return 1;
    };
    let ended = line.ends_with('\n');
    let line = line.trim_end_matches('\n');
    let line = if raw { line.to_owned() } else { line.replace('\\', "") };
    let separators = shell.value("IFS").unwrap_or(" \t\n").to_owned();
    let is_separator = |letter: char| separators.contains(letter);
    let mut rest = line.trim_matches(|letter| is_separator(letter) && letter.is_whitespace());
    if names.is_empty() {
        shell.set("REPLY", line.clone());
    }
    for (index, name) in names.iter().enumerate() {
        let last = index + 1 == names.len();
        let end = if last { None } else { rest.find(is_separator) };
        let (value, behind) = rest.split_at(end.unwrap_or(rest.len()));
        shell.set(name, value.to_owned());
        let mut behind =
            behind.trim_start_matches(|letter: char| is_separator(letter) && letter.is_whitespace());
        if behind.len() + value.len() == rest.len() {
            behind = behind.strip_prefix(is_separator).unwrap_or(behind);
        }
        rest = behind;
    }
    i32::from(!ended)
}

pub(super) fn declare(shell: &mut Shell, builtin: &str, arguments: &[String], streams: &Streams) -> i32 {
    let (mut export, mut readonly, mut drop_export) = (builtin == "export", builtin == "readonly", false);
    let mut status = 0;
    let mut named = false;
    for argument in arguments {
        match argument.as_str() {
            "-x" => export = true,
            "-r" => readonly = true,
            "-n" => drop_export = true,
            "-p" | "-g" | "-i" => {}
            "-a" | "-A" => {
                streams.stderr.write(&crate::shell::flags::not_simulated(
                    &format!("{builtin} {argument}"),
                    "a list of words",
                ));
                return 2;
            }
            _ => {
                named = true;
                let (name, value) = match argument.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (argument.as_str(), None),
                };
                if !is_name(name) {
                    shell.complain(streams, &format!("{builtin}: `{argument}': not a valid identifier"));
                    status = 1;
                    continue;
                }
                if matches!(builtin, "local" | "declare") && !shell.make_local(name) && builtin == "local" {
                    shell.complain(streams, "local: can only be used in a function");
                    return 1;
                }
                if let Some(value) = value {
                    shell.assign(name, value, streams);
                } else if builtin == "local" {
                    shell.set(name, String::new());
                }
                let variable: &mut Variable = shell.variables.entry(name.to_owned()).or_default();
                variable.exported = (variable.exported || export) && !drop_export;
                variable.readonly |= readonly;
            }
        }
    }
    if !named {
        for (name, variable) in &shell.variables {
            let shown = match builtin {
                "export" if variable.exported => format!("declare -x {name}=\"{}\"", variable.value),
                "readonly" if variable.readonly => format!("declare -r {name}=\"{}\"", variable.value),
                "declare" => format!("{name}={}", variable.value),
                _ => continue,
            };
            let shown = if shell.is_bash() { shown } else { shown.replacen("declare -x", "export", 1) };
            streams.stdout.line(&shown);
        }
    }
    status
}

pub(super) fn calculate(shell: &mut Shell, arguments: &[String], streams: &Streams) -> i32 {
    let mut value = 0;
    for argument in arguments {
        match evaluate(argument, shell) {
            Ok(result) => value = result,
            Err(message) => {
                shell.complain(streams, &format!("let: {message}"));
                return 1;
            }
        }
    }
    i32::from(value == 0)
}

pub(super) fn unset(shell: &mut Shell, arguments: &[String], streams: &Streams) -> i32 {
    let mut functions = false;
    for argument in arguments {
        match argument.as_str() {
            "-f" => functions = true,
            "-v" => functions = false,
            name if functions => {
                shell.functions.remove(name);
            }
            name => {
                if shell.variables.get(name).is_some_and(|variable| variable.readonly) {
                    shell.complain(streams, &format!("unset: {name}: cannot unset: readonly variable"));
                    return 1;
                }
                if shell.variables.remove(name).is_none() {
                    shell.functions.remove(name);
                }
            }
        }
    }
    0
}
