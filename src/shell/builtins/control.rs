//! Builtins that steer: leaving the shell, a function or a loop, and the jobs in the background.

use crate::shell::interpreter::{Flow, Shell};
use crate::shell::io::Streams;

pub(super) fn leave(
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

pub(super) fn leave_loop(shell: &mut Shell, name: &str, arguments: &[String], streams: &Streams) -> Flow {
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

pub(super) async fn wait(shell: &mut Shell, name: &str, arguments: &[String], streams: &Streams) -> i32 {
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

pub(super) fn kill(shell: &Shell, arguments: &[String], streams: &Streams) -> i32 {
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
