//! Builtins about what a name stands for: `type`, `command -v`, `alias`.

use crate::shell::command::{LookUp, Run, look_up};
use crate::shell::interpreter::Shell;
use crate::shell::io::Streams;
use crate::shell::places::Dialect;

/// Where a command would be found; its name alone for what the shell itself has.
pub fn path_of(shell: &Shell, name: &str) -> Option<String> {
    if let Some(alias) = shell.aliases.get(name) {
        return Some(format!("alias {name}='{alias}'"));
    }
    if shell.functions.contains_key(name) {
        return Some(name.to_owned());
    }
    match look_up(&shell.place, name) {
        LookUp::Found(command) if matches!(command.run, Run::Builtin) => Some(name.to_owned()),
        LookUp::Found(_) | LookUp::NotSimulated(_) => Some(program_path(shell.dialect, name)),
        LookUp::Missing => None,
    }
}

/// The path at which a program of that name stands.
pub fn program_path(dialect: Dialect, name: &str) -> String {
    if name.contains('/') {
        return name.to_owned();
    }
    let directory = if dialect == Dialect::Ash { "/bin" } else { "/usr/bin" };
    format!("{directory}/{name}")
}

pub(super) fn describe_names(shell: &Shell, names: &[String], streams: &Streams) -> i32 {
    let mut status = 0;
    for name in names {
        let line = if let Some(alias) = shell.aliases.get(name) {
            format!("{name} is aliased to `{alias}'")
        } else if shell.functions.contains_key(name) {
            format!("{name} is a function")
        } else {
            match look_up(&shell.place, name) {
                LookUp::Found(command) if matches!(command.run, Run::Builtin) => {
                    format!("{name} is a shell builtin")
                }
                LookUp::Missing => {
                    shell.complain(streams, &format!("type: {name}: not found"));
                    status = 1;
                    continue;
                }
                _ => format!("{name} is {}", program_path(shell.dialect, name)),
            }
        };
        streams.stdout.line(&line);
    }
    status
}

pub(super) fn alias(shell: &mut Shell, arguments: &[String], streams: &Streams) -> i32 {
    let shown = |name: &str, text: &str| format!("alias {name}='{text}'");
    if arguments.is_empty() {
        for (name, text) in &shell.aliases {
            streams.stdout.line(&shown(name, text));
        }
    }
    let mut status = 0;
    for argument in arguments {
        match argument.split_once('=') {
            Some((name, text)) if !name.is_empty() => {
                shell.aliases.insert(name.to_owned(), text.to_owned());
            }
            _ => match shell.aliases.get(argument) {
                Some(text) => streams.stdout.line(&shown(argument, text)),
                None => {
                    shell.complain(streams, &format!("alias: {argument}: not found"));
                    status = 1;
                }
            },
        }
    }
    status
}
