//! Commands that run commands: `env`, `timeout`, `watch`, `xargs`, `nohup`, `ssh`.

use std::rc::Rc;
use std::time::Duration;

use super::sleep::interval;
use crate::api::registry::Kind;
use crate::shell::command::{Command, Flag, Found, Run, Value, not_simulated, option, switch};
use crate::shell::executor::{Boxed, Either, first};
use crate::shell::flags::Style;
use crate::shell::invocation::{Invocation, NOT_FOUND};
use crate::shell::io::{Input, Output};
use crate::shell::places::Place;
use crate::words::Words;

/// Declares a command that runs a command.
const fn command(
    name: &'static str,
    usage: &'static str,
    (en, zh): (&'static str, &'static str),
    flags: &'static [Flag],
    run: fn(Invocation) -> Boxed<'static, i32>,
) -> Command {
    Command {
        name,
        usage,
        summary: Words { en, zh },
        flags,
        operands: Value::Command,
        complete: None,
        found: Found::OnHosts,
        run: Run::Waits(run),
    }
}

/// Runs `words` and waits; when there is no such command, says so as `invocation`'s command does.
async fn run_words(invocation: &Invocation, words: &[String]) -> i32 {
    match invocation.run(words) {
        Ok(running) => running.await,
        Err(name) => {
            let quoted = if invocation.name == "xargs" { name } else { format!("\u{2018}{name}\u{2019}") };
            let words = match invocation.name.as_str() {
                "env" | "xargs" => format!("{quoted}: No such file or directory"),
                _ => format!("failed to run command {quoted}: No such file or directory"),
            };
            invocation.fail(&words);
            NOT_FOUND
        }
    }
}

/// `env`.
pub static ENV: Command = command(
    "env",
    "[-i] [-u NAME] [NAME=VALUE]... [COMMAND]",
    ("print variables, or run a command with others", "打印或设置环境变量"),
    &[
        switch('i', "ignore-environment", "start with no variables", "清空环境变量"),
        option('u', "unset", Value::Text, "without this variable", "去除变量"),
    ],
    |invocation| Box::pin(env(invocation)),
);

async fn env(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&ENV, Style::GnuInOrder) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let mut variables: Vec<(String, String)> = match parsed.has("ignore-environment") {
        true => Vec::new(),
        false => invocation.environment.to_vec(),
    };
    let unset = parsed.values("unset");
    variables.retain(|(name, _)| !unset.contains(&name.as_str()));
    let mut operands = parsed.operands.iter();
    let mut words = Vec::new();
    for operand in operands.by_ref() {
        let Some((name, value)) = operand.split_once('=') else {
            words.push(operand.clone());
            break;
        };
        variables.retain(|(held, _)| held != name);
        variables.push((name.to_owned(), value.to_owned()));
    }
    words.extend(operands.cloned());
    if words.is_empty() {
        for (name, value) in &variables {
            invocation.say(&format!("{name}={value}"));
        }
        return 0;
    }
    let inside = Invocation { environment: Rc::new(variables), ..invocation };
    run_words(&inside, &words).await
}

/// `timeout`.
pub static TIMEOUT: Command = command(
    "timeout",
    "[-s SIGNAL] TIME COMMAND [ARGUMENT]...",
    ("end a command after a time", "限时执行命令"),
    &[
        option('s', "signal", Value::Text, "the signal to send", "要发送的信号"),
        option(
            'k',
            "kill-after",
            Value::Duration,
            "not needed: commands end at once",
            "无需使用：命令会立即结束",
        ),
        switch('\0', "preserve-status", "the command's status, not 124", "返回命令的状态码"),
        switch('\0', "foreground", "commands may read the terminal anyway", "命令本来就能读取终端"),
    ],
    |invocation| Box::pin(timeout(invocation)),
);

/// Exit status of `timeout` when the time was up.
const TIMED_OUT: i32 = 124;

async fn timeout(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&TIMEOUT, Style::GnuInOrder) {
        Ok(parsed) => parsed,
        Err(_) => return 125,
    };
    let [time, words @ ..] = parsed.operands.as_slice() else {
        invocation.fail("missing operand\nTry 'timeout --help' for more information.");
        return 125;
    };
    let Some(limit) = interval(time.trim_start_matches("-t")) else {
        invocation.fail(&format!(
            "invalid time interval \u{2018}{time}\u{2019}\nTry 'timeout --help' for more information."
        ));
        return 125;
    };
    if words.is_empty() {
        invocation.fail("missing operand\nTry 'timeout --help' for more information.");
        return 125;
    }
    if limit.is_zero() {
        return run_words(&invocation, words).await;
    }
    let killed = match parsed.value("signal").map(|signal| signal.trim_start_matches("SIG")) {
        Some("KILL" | "9") => 137,
        _ if parsed.has("preserve-status") => 143,
        _ => TIMED_OUT,
    };
    match first(run_words(&invocation, words), invocation.sleep(limit)).await {
        Either::Left(status) => status,
        Either::Right(()) => killed,
    }
}

/// `watch`.
pub static WATCH: Command = command(
    "watch",
    "[-n SECONDS] [-t] COMMAND [ARGUMENT]...",
    ("show a command's output again and again", "定期执行命令并显示输出"),
    &[
        option('n', "interval", Value::Number, "seconds between", "间隔秒数"),
        switch('t', "no-title", "no line at the top", "不显示标题"),
        switch('d', "differences", "accepted, without effect", "接受但无效果"),
        switch('e', "errexit", "stop when the command fails", "命令失败时停止"),
        switch('x', "exec", "run the words without a shell", "不通过 shell 执行"),
    ],
    |invocation| Box::pin(watch(invocation)),
);

/// Shortest time between two rounds, as the real one has it.
const SHORTEST_WATCH: Duration = Duration::from_millis(100);
/// Time between two rounds if nothing is said.
const USUAL_WATCH: Duration = Duration::from_secs(2);

async fn watch(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&WATCH, Style::GnuInOrder) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    if parsed.operands.is_empty() {
        invocation.stderr().write(&WATCH.help(invocation.host.language()));
        return 1;
    }
    let pause = match parsed.value("interval") {
        None => USUAL_WATCH,
        Some(text) => match text.parse::<f64>().ok().and_then(|_| interval(text)) {
            Some(pause) => pause.max(SHORTEST_WATCH),
            None => return invocation.fail(&format!("failed to parse argument: '{text}'")),
        },
    };
    let words = parsed.operands.join(" ");
    loop {
        let output = Output::buffer();
        let mut inside = invocation.clone();
        inside.streams.stdin = Input::null();
        inside.streams.stdout = output.clone();
        inside.streams.stderr = output.clone();
        let script = match parsed.has("exec") {
            true => parsed.operands.clone(),
            false => vec!["sh".to_owned(), "-c".to_owned(), words.clone()],
        };
        let status = run_words(&inside, &script).await;
        invocation.stdout().clear_screen();
        if !parsed.has("no-title") {
            let seconds = pause.as_secs_f64();
            invocation.say(&format!("Every {seconds:.1}s: {words}\n"));
        }
        invocation.stdout().write(&output.take_buffer());
        if parsed.has("errexit") && status != 0 {
            return status;
        }
        invocation.sleep(pause).await;
    }
}

/// `xargs`.
pub static XARGS: Command = command(
    "xargs",
    "[-n COUNT] [-I TEXT] [-r] [-t] [COMMAND [ARGUMENT]...]",
    ("run a command with words from standard input", "用标准输入的内容作为参数执行命令"),
    &[
        option('n', "max-args", Value::Number, "so many words at a time", "每次的参数个数"),
        option('I', "", Value::Text, "put each line in place of this text", "用每行替换此文本"),
        switch('r', "no-run-if-empty", "do nothing without words", "无输入时不执行"),
        switch('t', "verbose", "show each command", "显示执行的命令"),
        option('d', "delimiter", Value::Text, "what stands between words", "分隔符"),
        option('P', "max-procs", Value::Number, "one at a time in any case", "始终逐个执行"),
        not_simulated('0', "null", Value::None, "xargs -d '\\n'"),
    ],
    |invocation| Box::pin(xargs(invocation)),
);

async fn xargs(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&XARGS, Style::GnuInOrder) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let input = invocation.streams.stdin.read_to_end().await;
    let echo = ["echo".to_owned()];
    let base = if parsed.operands.is_empty() { &echo[..] } else { &parsed.operands };
    let mut commands: Vec<Vec<String>> = Vec::new();
    if let Some(mark) = parsed.value("I") {
        for line in input.lines().map(str::trim).filter(|line| !line.is_empty()) {
            commands.push(base.iter().map(|word| word.replace(mark, line)).collect());
        }
    } else {
        let words: Vec<String> = match parsed.value("delimiter") {
            Some(text) => {
                let separator = crate::shell::escapes::unescape(text);
                input
                    .trim_end_matches('\n')
                    .split(&separator)
                    .filter(|word| !word.is_empty())
                    .map(str::to_owned)
                    .collect()
            }
            None => input.split_whitespace().map(unquoted).collect(),
        };
        let Ok(most) = parsed.value("max-args").map_or(Ok(usize::MAX), str::parse::<usize>) else {
            return invocation.fail(&format!(
                "invalid number \"{}\" for -n option",
                parsed.value("max-args").unwrap_or_default()
            ));
        };
        for group in words.chunks(most.max(1)) {
            commands.push(base.iter().chain(group).cloned().collect());
        }
        if commands.is_empty() && !parsed.has("no-run-if-empty") {
            commands.push(base.to_vec());
        }
    }
    let mut inside = invocation.clone();
    inside.streams.stdin = Input::null();
    let mut status = 0;
    for words in commands {
        if parsed.has("verbose") {
            invocation.stderr().line(&words.join(" "));
        }
        match run_words(&inside, &words).await {
            0 => {}
            NOT_FOUND => return NOT_FOUND,
            255 => return 124,
            _ => status = 123,
        }
        invocation.stdout().ready().await;
    }
    status
}

/// A word without the quotes around it.
fn unquoted(word: &str) -> String {
    let inner = |quote: char| word.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(word).to_owned()
}

/// `nohup`.
pub static NOHUP: Command =
    command("nohup", "COMMAND [ARGUMENT]...", ("run a command", "执行命令"), &[], |invocation| {
        Box::pin(async move {
            match invocation.arguments.split_first() {
                Some(_) => run_words(&invocation, &invocation.arguments).await,
                None => invocation.fail("missing operand\nTry 'nohup --help' for more information."),
            }
        })
    });

/// `ssh`: a shell or a command on a node.
pub static SSH: Command = Command {
    operands: Value::Node,
    ..command(
        "ssh",
        "[USER@]NODE [COMMAND [ARGUMENT]...]",
        ("open a shell on a node", "登录节点"),
        &[
            option('l', "", Value::OneOf(&["root"]), "the user", "用户"),
            option('o', "", Value::Text, "accepted, without effect", "接受但无效果"),
            option('i', "", Value::File, "accepted, without effect", "接受但无效果"),
            switch('t', "", "with a terminal", "分配终端"),
            switch('q', "", "no messages", "不显示消息"),
            not_simulated('L', "", Value::Text, "kubectl port-forward"),
        ],
        |invocation| Box::pin(ssh(invocation)),
    )
};

/// Exit status of `ssh` when it cannot connect.
const NO_CONNECTION: i32 = 255;

async fn ssh(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&SSH, Style::GnuInOrder) {
        Ok(parsed) => parsed,
        Err(_) => return NO_CONNECTION,
    };
    let Some((target, words)) = parsed.operands.split_first() else {
        invocation.stderr().write(&SSH.help(invocation.host.language()));
        return NO_CONNECTION;
    };
    let (user, name) = target.split_once('@').unwrap_or(("root", target));
    let Some(node) = node_named(&invocation, name) else {
        let message = format!("Could not resolve hostname {name}: Name or service not known");
        invocation.fail(&message);
        return NO_CONNECTION;
    };
    if user != "root" || parsed.value("l").is_some_and(|user| user != "root") {
        invocation.stderr().line(&format!("{user}@{name}: Permission denied (publickey)."));
        return NO_CONNECTION;
    }
    let inside = invocation.in_place(&Rc::new(Place::node(&node)));
    if words.is_empty() {
        let shell = ["bash".to_owned(), "--login".to_owned()];
        let status = run_words(&inside, &shell).await;
        if !parsed.has("q") {
            invocation.stderr().line(&format!("Connection to {name} closed."));
        }
        return status;
    }
    let script = ["bash".to_owned(), "-c".to_owned(), words.join(" ")];
    let mut inside = inside;
    if !parsed.has("t") {
        inside.streams = inside.streams.without_tty();
    }
    run_words(&inside, &script).await
}

/// The node of that name or address.
fn node_named(invocation: &Invocation, name: &str) -> Option<String> {
    invocation.host.with(|simulation| {
        let nodes: Vec<_> = simulation.cluster.list(Kind::Node, None).collect();
        let is_address = |address: &crate::api::value::Value| address.get("address").str() == name;
        let found = nodes.iter().find(|node| {
            node.name() == name || node.status().get("addresses").items().iter().any(is_address)
        });
        found.map(|node| node.name().to_string())
    })
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::{check, run};

    #[test]
    fn commands_run_with_other_surroundings() {
        check("env -i A=1 env", "A=1", 0);
        check("A=1 env | grep ^A=; env A=2 sh -c 'echo $A'; echo [$A]", "A=1\n2\n[]", 0);
        check("env nosuch", "env: \u{2018}nosuch\u{2019}: No such file or directory", 127);
        check("timeout 2 sleep 5; echo $?; timeout 5 sleep 2; echo $?", "124\n0", 0);
        check(
            "seq 3 | xargs; seq 3 | xargs -n1 echo a; seq 2 | xargs -I{} echo '<{}>'",
            "1 2 3\na 1\na 2\na 3\n<1>\n<2>",
            0,
        );
        check("echo a | xargs nosuch", "xargs: nosuch: No such file or directory", 127);
        check("ssh nosuch", "ssh: Could not resolve hostname nosuch: Name or service not known", 255);
    }

    #[test]
    fn watch_shows_the_output_again() {
        let (output, status) = run("timeout 2.5 watch -n 1 echo hi");
        assert_eq!(output.matches("Every 1.0s: echo hi\n\nhi\n").count(), 3);
        assert_eq!(status, 124);
    }
}
