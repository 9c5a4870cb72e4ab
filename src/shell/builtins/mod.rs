//! Commands that are part of the shell, because they change it.
//!
//! Owns their table and which of them wait; what each does is beside it: [`names`], `variables`, `options`, `control`.

mod control;
pub mod names;
mod options;
mod variables;

use control::{kill, leave, leave_loop, wait};
use names::{alias, describe_names, path_of};
use options::set;
use variables::{calculate, declare, read, unset};

use super::command::{Command, Found, Run, Value};
use super::executor::Boxed;
use super::filesystem::{Entry, absolute};
use super::interpreter::{Flow, Shell};
use super::invocation::Invocation;
use super::io::Streams;
use super::places::Dialect;
use crate::words::Words;

/// Declares a builtin.
const fn builtin(
    name: &'static str,
    usage: &'static str,
    operands: Value,
    en: &'static str,
    zh: &'static str,
) -> Command {
    Command {
        name,
        usage,
        summary: Words { en, zh },
        flags: &[],
        operands,
        complete: None,
        found: Found::Everywhere,
        run: Run::Builtin,
    }
}

/// The shell's own commands.
pub static COMMANDS: &[&Command] = &[
    &builtin(":", "", Value::None, "do nothing", "什么也不做"),
    &builtin(".", "FILE [ARGUMENT]...", Value::File, "run a file in this shell", "在当前 shell 中执行文件"),
    &builtin("alias", "[NAME[=TEXT]]...", Value::Text, "give a command a short name", "为命令定义别名"),
    &builtin("break", "[LEVELS]", Value::Number, "leave a loop", "跳出循环"),
    &builtin("cd", "[DIRECTORY]", Value::File, "go to a directory", "切换目录"),
    &builtin(
        "command",
        "[-v] NAME [ARGUMENT]...",
        Value::Command,
        "run a command that is no function",
        "执行命令，忽略函数",
    ),
    &builtin("continue", "[LEVELS]", Value::Number, "go on with the next round", "进入下一轮循环"),
    &builtin("declare", "[-x] [NAME[=VALUE]]...", Value::Text, "set variables", "声明变量"),
    &builtin("eval", "TEXT...", Value::Text, "run a text as a command", "把文本当作命令执行"),
    &builtin(
        "exec",
        "[COMMAND]",
        Value::Command,
        "run a command instead of this shell",
        "用命令替换当前 shell",
    ),
    &builtin("exit", "[STATUS]", Value::Number, "leave the shell", "退出 shell"),
    &builtin("export", "[NAME[=VALUE]]...", Value::Text, "pass variables to commands", "导出变量"),
    &builtin("fg", "[JOB]", Value::Text, "wait for a background job", "把后台作业放到前台"),
    &builtin("history", "[-c] [COUNT]", Value::Number, "show the lines typed", "显示历史命令"),
    &builtin("jobs", "", Value::None, "show background jobs", "列出后台作业"),
    &builtin("kill", "[-SIGNAL] JOB|PID...", Value::Text, "end a background job", "结束后台作业"),
    &builtin("let", "EXPRESSION...", Value::Text, "calculate", "计算表达式"),
    &builtin("local", "NAME[=VALUE]...", Value::Text, "make variables local to a function", "声明局部变量"),
    &builtin("logout", "[STATUS]", Value::Number, "leave the shell", "退出 shell"),
    &builtin("read", "[-r] [-p PROMPT] NAME...", Value::Text, "read a line into variables", "读取一行到变量"),
    &builtin("readonly", "NAME[=VALUE]...", Value::Text, "make variables read-only", "设为只读变量"),
    &builtin("return", "[STATUS]", Value::Number, "leave a function", "从函数返回"),
    &builtin(
        "set",
        "[-efux] [-o OPTION] [--] [ARGUMENT]...",
        Value::Text,
        "switch options",
        "设置 shell 选项",
    ),
    &builtin("shift", "[COUNT]", Value::Number, "drop the first parameters", "移动位置参数"),
    &builtin(
        "source",
        "FILE [ARGUMENT]...",
        Value::File,
        "run a file in this shell",
        "在当前 shell 中执行文件",
    ),
    &builtin("type", "NAME...", Value::Command, "say what a name means", "说明名称的含义"),
    &builtin("unalias", "NAME...", Value::Text, "forget a short name", "删除别名"),
    &builtin("unset", "[-v] [-f] NAME...", Value::Text, "forget variables or functions", "删除变量或函数"),
    &builtin("wait", "[JOB]...", Value::Text, "wait for background jobs", "等待后台作业"),
];

/// Runs a builtin where no shell runs it (`xargs cd`): it changes a process that ends at once.
pub fn start_outside_shell(command: &'static Command, invocation: Invocation) -> Boxed<'static, i32> {
    Box::pin(async move {
        let mut shell = Shell::new(&invocation, invocation.place.dialect, "sh");
        run(&mut shell, command.name, &invocation.arguments, &invocation.streams).await;
        shell.status
    })
}

/// Runs the builtin `name`.
pub fn run<'a>(
    shell: &'a mut Shell,
    name: &'a str,
    arguments: &'a [String],
    streams: &'a Streams,
) -> Boxed<'a, Flow> {
    Box::pin(async move {
        let before = shell.status;
        shell.status = 0;
        match name {
            "." | "source" => return source(shell, name, arguments, streams).await,
            "command" => return command(shell, arguments, streams).await,
            "eval" => return shell.run_text(&arguments.join(" "), streams).await,
            "exec" => {
                let Some((name, rest)) = arguments.split_first() else { return Flow::Next };
                shell.call(name, rest, Vec::new(), streams).await;
                return Flow::Exit;
            }
            "exit" | "logout" => return leave(shell, name, arguments, before, streams, Flow::Exit),
            "return" => return leave(shell, name, arguments, before, streams, Flow::Return),
            "break" | "continue" => return leave_loop(shell, name, arguments, streams),
            "fg" | "wait" => shell.status = wait(shell, name, arguments, streams).await,
            "read" => shell.status = read(shell, arguments, streams).await,
            _ => shell.status = at_once(shell, name, arguments, streams),
        }
        Flow::Next
    })
}

/// Builtins that never wait; the answer is the status.
fn at_once(shell: &mut Shell, name: &str, arguments: &[String], streams: &Streams) -> i32 {
    match name {
        "alias" => alias(shell, arguments, streams),
        "cd" => change_directory(shell, arguments, streams),
        "declare" | "export" | "local" | "readonly" => declare(shell, name, arguments, streams),
        "history" => history(shell, arguments, streams),
        "jobs" => {
            for (mark, job) in shell.jobs.marked() {
                streams.stdout.line(&job.shown(mark));
            }
            shell.jobs.take_ended();
            0
        }
        "kill" => kill(shell, arguments, streams),
        "let" => calculate(shell, arguments, streams),
        "set" => match set(shell, arguments, streams) {
            Ok(()) => 0,
            Err(bad) => {
                shell.complain(streams, &format!("set: {bad}: invalid option"));
                2
            }
        },
        "shift" => {
            let count = arguments.first().map_or(Some(1), |count| count.parse().ok()).unwrap_or(usize::MAX);
            if count > shell.positional.len() {
                return 1;
            }
            shell.positional.drain(..count);
            0
        }
        "type" => describe_names(shell, arguments, streams),
        "unalias" => {
            let mut status = 0;
            for name in arguments {
                if name == "-a" {
                    shell.aliases.clear();
                } else if shell.aliases.remove(name).is_none() {
                    shell.complain(streams, &format!("unalias: {name}: not found"));
                    status = 1;
                }
            }
            status
        }
        "unset" => unset(shell, arguments, streams),
        _ => 0,
    }
}

async fn source(shell: &mut Shell, name: &str, arguments: &[String], streams: &Streams) -> Flow {
    let Some((file, positional)) = arguments.split_first() else {
        shell.complain(streams, &format!("{name}: filename argument required"));
        shell.status = 2;
        return Flow::Next;
    };
    let files = shell.place.files(&shell.host);
    let text = files.borrow().read(&shell.path(file));
    let text = match text {
        Ok(text) => text,
        Err(error) => {
            shell.complain(streams, &format!("{file}: {}", error.words()));
            shell.status = 1;
            return Flow::Next;
        }
    };
    let before =
        (!positional.is_empty()).then(|| std::mem::replace(&mut shell.positional, positional.to_vec()));
    shell.depth += 1;
    let flow = shell.run_text(&text, streams).await;
    shell.depth -= 1;
    if let Some(before) = before {
        shell.positional = before;
    }
    if flow == Flow::Return { Flow::Next } else { flow }
}

async fn command(shell: &mut Shell, arguments: &[String], streams: &Streams) -> Flow {
    match arguments {
        [flag, names @ ..] if flag == "-v" || flag == "-V" => {
            let mut status = 1;
            for name in names {
                if let Some(path) = path_of(shell, name) {
                    streams.stdout.line(&path);
                    status = 0;
                }
            }
            shell.status = status;
            Flow::Next
        }
        [name, rest @ ..] => {
            let covered = shell.functions.remove(name);
            let flow = shell.call(name, rest, Vec::new(), streams).await;
            if let Some(body) = covered {
                shell.functions.insert(name.clone(), body);
            }
            flow
        }
        [] => Flow::Next,
    }
}

fn change_directory(shell: &mut Shell, arguments: &[String], streams: &Streams) -> i32 {
    let target = match arguments {
        [] => shell.value("HOME").unwrap_or("/").to_owned(),
        [dash] if dash == "-" => match shell.value("OLDPWD") {
            Some(directory) => directory.to_owned(),
            None => {
                shell.complain(streams, "cd: OLDPWD not set");
                return 1;
            }
        },
        [directory] => directory.clone(),
        _ => {
            shell.complain(streams, "cd: too many arguments");
            return 1;
        }
    };
    let path = absolute(&shell.directory, &target);
    let files = shell.place.files(&shell.host);
    let words = match files.borrow().entry(&path) {
        Some(Entry::Directory) => None,
        Some(Entry::File(_)) => Some("Not a directory"),
        None => Some("No such file or directory"),
    };
    if let Some(words) = words {
        let message = match shell.dialect {
            Dialect::Bash => format!("cd: {target}: {words}"),
            Dialect::Ash => format!("cd: can't cd to {target}: {words}"),
            Dialect::Dash => format!("cd: can't cd to {target}"),
        };
        shell.complain(streams, &message);
        return if shell.dialect == Dialect::Dash { 2 } else { 1 };
    }
    if arguments.first().is_some_and(|argument| argument == "-") {
        streams.stdout.line(&path);
    }
    let before = std::mem::replace(&mut shell.directory, path.clone());
    shell.set("OLDPWD", before);
    shell.set("PWD", path);
    0
}

fn history(shell: &Shell, arguments: &[String], streams: &Streams) -> i32 {
    if arguments.first().is_some_and(|argument| argument == "-c") {
        shell.history.borrow_mut().clear();
        return 0;
    }
    let history = shell.history.borrow();
    let all: Vec<_> = history.numbered().collect();
    let count = arguments.first().and_then(|count| count.parse().ok()).unwrap_or(all.len());
    for (number, line) in &all[all.len().saturating_sub(count)..] {
        streams.stdout.line(&format!("{number:5}  {line}"));
    }
    0
}
