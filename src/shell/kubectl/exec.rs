//! `kubectl exec`: a command in a running container.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::call::Call;
use super::failure::{Failure, Outcome};
use super::pods::{container_of, named, pod_of, runs, state};
use super::verb::{Action, Operands, Verb, flags};
use crate::api::object::Object;
use crate::api::status::{Reason, Status};
use crate::shell::command::{Flag, Value, not_simulated, option, switch};
use crate::shell::containers::place;
use crate::shell::duration::duration;
use crate::shell::executor::{Boxed, Either, first};
use crate::shell::invocation::Invocation;
use crate::shell::io::{Input, Streams};
use crate::words::Words;

/// How long kubectl waits for a Pod if `--pod-running-timeout` says nothing else.
pub const POD_TIMEOUT: Duration = Duration::from_secs(60);
/// Exit status of a command whose container was killed (128 + SIGKILL).
pub const KILLED: i32 = 137;

/// Flags of verbs that lead a terminal into a container.
pub const STREAMS: &[Flag] = &[
    option(
        'c',
        "container",
        Value::Text,
        "the container, if the Pod has several",
        "Pod 有多个容器时指定容器",
    ),
    switch('i', "stdin", "pass standard input on", "传递标准输入"),
    switch('t', "tty", "standard input is a terminal", "标准输入是终端"),
    switch('q', "quiet", "print only what the command prints", "只输出命令本身的输出"),
    option(
        '\0',
        "pod-running-timeout",
        Value::Duration,
        "how long to wait for the Pod",
        "等待 Pod 的最长时间",
    ),
];

const OWN: &[Flag] = &[not_simulated('f', "filename", Value::File, "kubectl exec POD")];

/// `exec`.
pub static VERB: Verb = Verb {
    name: "exec",
    aliases: &[],
    usage: "[-it] POD | TYPE/NAME [-c CONTAINER] -- COMMAND [ARGUMENT]...",
    summary: Words { en: "run a command in a container", zh: "在容器中运行命令" },
    flags: flags![STREAMS, OWN],
    children: &[],
    operands: Operands::Pods,
    action: Action::Waits(|call| Box::pin(run(call))),
};

async fn run(call: Call) -> Outcome {
    let operands = call.operands();
    let (names, command) = match call.flags.before_dashes {
        Some(at) => operands.split_at(at),
        None if operands.len() > 1 => {
            return Err(call.usage_error(
                "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead",
            ));
        }
        None => (operands, &[][..]),
    };
    let Some(name) = names.first() else {
        return Err(Failure::plain("pod, type/name or --filename must be specified"));
    };
    if command.is_empty() {
        return Err(Failure::plain("you must specify at least one command for the container"));
    }
    let object = named(&call, name)?;
    let pod = pod_of(&call, &object, timeout(&call)).await?;
    if let Some(phase) = pod.as_pod().map(|pod| pod.phase.as_str())
        && matches!(phase, "Succeeded" | "Failed")
    {
        return Err(Failure::plain(format!(
            "cannot exec into a container in a completed pod; current phase is {phase}"
        )));
    }
    let container = container_of(&call, &pod, call.text("container"), call.has("quiet"))?;
    let invocation = inside(&call, &pod, &container)?;
    let Some(status) = run_in(&invocation, &pod, &container, command.to_vec()).await else {
        return Err(Failure::plain(cannot_start(&call, &command[0])));
    };
    match status {
        0 => Ok(()),
        status => Err(Failure::With(
            status,
            Box::new(Failure::Exact(format!("command terminated with exit code {status}"))),
        )),
    }
}

/// How long to wait for a Pod.
pub fn timeout(call: &Call) -> Duration {
    let given = call.flags.value("pod-running-timeout").and_then(|text| duration(text).ok());
    given.unwrap_or(POD_TIMEOUT)
}

/// The surroundings of a command in a container, with the streams that `-i` and `-t` ask for.
///
/// # Errors
/// A container that does not run.
pub fn inside(call: &Call, pod: &Arc<Object>, container: &str) -> Result<Invocation, Failure> {
    if pod.as_pod().is_none_or(|pod| pod.node.is_empty()) {
        let text = format!("pod {} does not have a host assigned", pod.name());
        return Err(Status::new(Reason::BadRequest, text).into());
    }
    let place = match state(pod, container) {
        Some(("running", _)) => call.host().with(|simulation| place(simulation, pod, Some(container)).ok()),
        _ => None,
    };
    let Some(mut place) = place else {
        return Err(Failure::plain(format!(
            "Internal error occurred: unable to upgrade connection: container not found (\"{container}\")"
        )));
    };
    let given = &call.invocation.streams;
    let mut tty = call.has("tty");
    if tty && call.has("stdin") && !given.stdin.is_terminal() {
        if !call.has("quiet") {
            call.complain("Unable to use a TTY - input is not a terminal or the right kind of file");
        }
        tty = false;
    }
    if tty {
        let at = place.environment.len().saturating_sub(1);
        place.environment.insert(at, ("TERM".to_owned(), "xterm".to_owned()));
    }
    let mut streams = if tty { given.clone() } else { given.without_tty() };
    if !call.has("stdin") {
        streams.stdin = Input::null();
    }
    if tty {
        // A terminal has one stream for both.
        streams = Streams { stderr: streams.stdout.clone(), ..streams };
    }
    Ok(Invocation { streams, ..call.invocation.in_place(&Rc::new(place)) })
}

/// Runs a command inside; `None` if the container has no such command. Ends when the container does.
pub async fn run_in(
    invocation: &Invocation,
    pod: &Arc<Object>,
    container: &str,
    words: Vec<String>,
) -> Option<i32> {
    let running: Boxed<'static, i32> = invocation.run(&words).ok()?;
    let gone = invocation
        .host
        .until(|simulation| (!runs(simulation, &pod.key, &pod.meta.uid, container)).then_some(KILLED));
    match first(running, gone).await {
        Either::Left(status) | Either::Right(status) => Some(status),
    }
}

/// runc's words for a command that is not in the image.
pub fn missing_command(command: &str) -> String {
    if command.contains('/') {
        format!("exec: \"{command}\": stat {command}: no such file or directory: unknown")
    } else {
        format!("exec: \"{command}\": executable file not found in $PATH: unknown")
    }
}

fn cannot_start(call: &Call, command: &str) -> String {
    const DIGITS: usize = 64;
    let id: String = (0..DIGITS)
        .map(|_| char::from_digit(call.host().random(16), 16).expect("a number below 16 is a digit"))
        .collect();
    format!(
        "Internal error occurred: Internal error occurred: error executing command in container: failed to exec in container: failed to start exec \"{id}\": OCI runtime exec failed: exec failed: unable to start container process: {}",
        missing_command(command)
    )
}

#[cfg(test)]
mod tests {
    use crate::shell::places::Place;
    use crate::shell::terminal::Terminal;
    use crate::shell::testing::{check_in_world as check, typed, world};

    const POD: &str = "kubectl run b --image=busybox:1.28 --command -- sleep 3600 >/dev/null; sleep 5; ";

    #[test]
    fn a_command_runs_in_the_container() {
        check(&format!("{POD} kubectl exec b -- hostname"), "b", 0);
        check(&format!("{POD} echo hi | kubectl exec -i b -- cat"), "hi", 0);
        check(
            &format!("{POD} kubectl exec b -- cat /etc/resolv.conf"),
            "search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5",
            0,
        );
        check(&format!("{POD} kubectl exec b -- env | head -n 2 | tail -n 1"), "HOSTNAME=b", 0);
    }

    #[test]
    fn the_exit_code_is_that_of_the_command() {
        check(&format!("{POD} kubectl exec b -- sh -c 'exit 3'"), "command terminated with exit code 3", 3);
    }

    #[test]
    fn what_cannot_be_executed_says_why() {
        check("kubectl exec", "error: pod, type/name or --filename must be specified", 1);
        check(
            "kubectl exec b ls",
            "error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\nSee 'kubectl exec -h' for help and examples",
            1,
        );
        check("kubectl exec nosuch -- ls", "Error from server (NotFound): pods \"nosuch\" not found", 1);
        check(
            "kubectl run b --image=ngnix >/dev/null; sleep 5; kubectl exec b -- ls",
            "error: Internal error occurred: unable to upgrade connection: container not found (\"b\")",
            1,
        );
        check(
            &format!("{POD} kubectl exec b -- curl x 2>&1 | cut -d: -f8-"),
            " exec failed: unable to start container process: exec: \"curl\": executable file not found in $PATH: unknown",
            0,
        );
        check(&format!("{POD} kubectl exec b -c x -- ls"), "error: container x not found in pod b", 1);
    }

    #[test]
    fn a_terminal_is_led_inside_and_back() {
        let terminal = Terminal::new(&world(), Place::workstation());
        let shown = typed(
            &terminal,
            &[
                "kubectl run web --image=nginx && sleep 20",
                "kubectl exec -it web -- bash",
                "hostname",
                "exit",
                "hostname",
            ],
        );
        assert!(shown.contains("root@web:/# hostname\nweb\n"), "{shown}");
        assert!(shown.ends_with("root@web:/# exit\nexit\n[root@ci-base ~]# hostname\nci-base\n"), "{shown}");
    }
}
