//! Commands that are part of the shell, because they change it.

use super::command::{Command, Found, LookUp, Run, Value, look_up};
use super::executor::Boxed;
use super::filesystem::{Entry, absolute};
use super::interpreter::{Flow, Shell, Variable};
use super::invocation::Invocation;
use super::io::Streams;
use super::language::arithmetic::evaluate;
use super::language::parser::is_name;
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

fn describe_names(shell: &Shell, names: &[String], streams: &Streams) -> i32 {
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

fn leave(
    shell: &mut Shell,
    name: &str,
    arguments: &[String],
    before: i32,
    streams: &Streams,
    flow: Flow,
) -> Flow {
    shell.status = match arguments.first() {
        None => before,
        Some(status) => match status.parse::<i32>() {
            Ok(status) => status & 0xff,
            Err(_) => {
                shell.complain(streams, &format!("{name}: {status}: numeric argument required"));
                2
            }
        },
    };
    flow
}

fn leave_loop(shell: &mut Shell, name: &str, arguments: &[String], streams: &Streams) -> Flow {
    if shell.loops == 0 {
        if shell.is_bash() {
            shell.complain(streams, &format!("{name}: only meaningful in a `for', `while', or `until' loop"));
        }
        return Flow::Next;
    }
    let levels = arguments.first().and_then(|levels| levels.parse().ok()).unwrap_or(1);
    let levels = u32::clamp(levels, 1, shell.loops);
    if name == "break" { Flow::Break(levels) } else { Flow::Continue(levels) }
}

async fn wait(shell: &mut Shell, name: &str, arguments: &[String], streams: &Streams) -> i32 {
    let mut chosen = Vec::new();
    if arguments.is_empty() {
        let all = shell.jobs.marked().into_iter().map(|(_, job)| job);
        chosen.extend(if name == "fg" { all.last().into_iter().collect() } else { all.collect::<Vec<_>>() });
        if chosen.is_empty() && name == "fg" {
            shell.complain(streams, "fg: current: no such job");
            return 1;
        }
    }
    for argument in arguments {
        match shell.jobs.find(argument) {
            Some(job) => chosen.push(job.clone()),
            None => {
                shell.complain(streams, &format!("{name}: {argument}: no such job"));
                return 127;
            }
        }
    }
    if let ("fg", Some(job)) = (name, chosen.first()) {
        streams.stdout.line(&job.text);
    }
    let mut status = 0;
    for job in chosen {
        status = job.state.wait().await;
    }
    if name == "fg" {
        shell.jobs.take_ended();
    }
    if arguments.is_empty() && name == "wait" { 0 } else { status }
}

fn kill(shell: &Shell, arguments: &[String], streams: &Streams) -> i32 {
    let (signal, jobs) = match arguments.split_first() {
        Some((first, rest)) if first.starts_with('-') => (first.as_str(), rest),
        _ => ("-TERM", arguments),
    };
    let status = match signal {
        "-9" | "-KILL" | "-SIGKILL" => 137,
        "-2" | "-INT" | "-SIGINT" => 130,
        _ => 143,
    };
    let mut result = 0;
    for name in jobs {
        match shell.jobs.find(name) {
            Some(job) => shell.jobs.end(job, status),
            None => {
                let words = if name.starts_with('%') { "no such job" } else { "No such process" };
                shell.complain(streams, &format!("kill: ({name}) - {words}"));
                result = 1;
            }
        }
    }
    result
}

async fn read(shell: &mut Shell, arguments: &[String], streams: &Streams) -> i32 {
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

fn alias(shell: &mut Shell, arguments: &[String], streams: &Streams) -> i32 {
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

fn declare(shell: &mut Shell, builtin: &str, arguments: &[String], streams: &Streams) -> i32 {
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
                streams
                    .stderr
                    .write(&super::flags::not_simulated(&format!("{builtin} {argument}"), "a list of words"));
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

fn calculate(shell: &mut Shell, arguments: &[String], streams: &Streams) -> i32 {
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

fn set(shell: &mut Shell, arguments: &[String], streams: &Streams) -> Result<(), String> {
    if arguments.is_empty() {
        for (name, variable) in &shell.variables {
            streams.stdout.line(&format!("{name}={}", variable.value));
        }
        return Ok(());
    }
    shell.set_options(arguments)
}

impl Shell {
    /// Reads the arguments of `set`: options, then positional parameters.
    ///
    /// # Errors
    /// The argument that is no option.
    pub fn set_options(&mut self, arguments: &[String]) -> Result<(), String> {
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let on = argument.starts_with('-');
            match argument.as_str() {
                "--" => {
                    self.positional = rest.cloned().collect();
                    return Ok(());
                }
                "-o" | "+o" => {
                    let Some(name) = rest.next() else { return Ok(()) };
                    *self.option(name).ok_or_else(|| name.clone())? = on;
                }
                letters if letters.len() > 1 && letters.starts_with(['-', '+']) => {
                    for letter in letters[1..].chars() {
                        let name = match letter {
                            'e' => "errexit",
                            'u' => "nounset",
                            'x' => "xtrace",
                            'f' => "noglob",
                            'o' => match rest.next() {
                                Some(name) => name,
                                None => return Ok(()),
                            },
                            _ => return Err(argument.clone()),
                        };
                        *self.option(name).ok_or_else(|| name.to_owned())? = on;
                    }
                }
                _ => {
                    self.positional = std::iter::once(argument).chain(rest).cloned().collect();
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn option(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "errexit" => &mut self.options.errexit,
            "nounset" => &mut self.options.nounset,
            "xtrace" => &mut self.options.xtrace,
            "noglob" => &mut self.options.noglob,
            "pipefail" => &mut self.options.pipefail,
            _ => return None,
        })
    }
}

fn unset(shell: &mut Shell, arguments: &[String], streams: &Streams) -> i32 {
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
