//! `kubectl attach`, and the attaching of `kubectl run -i`.
//!
//! A process that waits for somebody who is attached ([`attended`]) is run here and ends with its command;
//! of any other process the log is shown as it grows.

use std::future::Future;
use std::sync::Arc;

use super::call::Call;
use super::exec::{KILLED, STREAMS, inside, missing_command, run_in, timeout};
use super::failure::{Failure, Outcome};
use super::pods::{container_of, named, pod_of, runs};
use super::verb::{Action, Operands, Verb, flags};
use crate::api::object::Object;
use crate::containers::{ContainerKey, attended};
use crate::shell::invocation::Invocation;
use crate::shell::io::Output;
use crate::shell::programs::write_log;
use crate::words::Words;

/// Exit code of a container whose process could not be started (containerd).
const NOT_STARTED: u8 = 128;

/// `attach`.
pub static VERB: Verb = Verb {
    name: "attach",
    aliases: &[],
    usage: "[-it] POD | TYPE/NAME [-c CONTAINER]",
    summary: Words { en: "attach to the process of a container", zh: "连接到容器的主进程" },
    flags: flags![STREAMS],
    children: &[],
    operands: Operands::Pods,
    action: Action::Waits(|call| Box::pin(run(call))),
};

async fn run(call: Call) -> Outcome {
    let name = match call.operands() {
        [name] => name.clone(),
        [resource, name] => format!("{resource}/{name}"),
        [] => return Err(Failure::plain("at least 1 argument is required for attach")),
        many => {
            return Err(Failure::plain(format!(
                "expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw {}: {}",
                many.len(),
                many.join(" ")
            )));
        }
    };
    let object = named(&call, &name)?;
    let pod = pod_of(&call, &object, timeout(&call)).await?;
    if let Some(phase) = pod.as_pod().map(|pod| pod.phase.as_str())
        && matches!(phase, "Succeeded" | "Failed")
    {
        return Err(Failure::plain(format!(
            "cannot attach a container in a completed pod; current phase is {phase}"
        )));
    }
    attach(&call, &pod).await
}

/// Attaches the terminal to a container of a running Pod, as the flags `-c`, `-i`, `-t` and `-q` say.
///
/// # Errors
/// A container that does not run.
pub async fn attach(call: &Call, pod: &Arc<Object>) -> Outcome {
    let named = if call.declares("container") { call.text("container") } else { "" };
    let container = container_of(call, pod, named, call.has("quiet"))?;
    let invocation = inside(call, pod, &container)?;
    if call.has("stdin") && !call.has("quiet") {
        call.complain("All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.");
        call.complain("If you don't see a command prompt, try pressing enter.");
    }
    let declared = pod
        .as_pod()
        .and_then(|pod| pod.spec.containers.iter().find(|one| one.name == container))
        .and_then(attended);
    match declared.filter(|_| call.has("stdin")) {
        None => follow(call, pod, &container).await?,
        Some(words) => {
            let command = words.first().cloned().unwrap_or_default();
            let code = match logged(call, &invocation, pod, &container, words).await {
                Some(status) => u8::try_from(status).unwrap_or(u8::MAX),
                None => {
                    call.complain(&format!(
                        "unable to start container process: error during container init: {}",
                        missing_command(&command)
                    ));
                    NOT_STARTED
                }
            };
            if i32::from(code) != KILLED {
                call.host().with(|simulation| simulation.end_process(&pod.key, &container, code));
            }
            if invocation.stdout().is_terminal() && restarts(pod) && !call.has("quiet") {
                call.say(&format!(
                    "Session ended, resume using 'kubectl attach {} -c {container} -i -t' command when the pod is running",
                    pod.name()
                ));
            }
        }
    }
    Ok(())
}

/// Runs the process of a container with what it prints in the container's log as well; on a terminal that is
/// all that the terminal shows.
async fn logged(
    call: &Call,
    invocation: &Invocation,
    pod: &Arc<Object>,
    container: &str,
    words: Vec<String>,
) -> Option<i32> {
    let log = Output::buffer();
    let mut invocation = invocation.clone();
    let tty = if call.has("tty") { invocation.stdout().tty() } else { None };
    let copying = tty.map(|tty| tty.copy_to(&log));
    if copying.is_none() {
        let streams = &mut invocation.streams;
        streams.stdout = streams.stdout.copied_to(&log);
        streams.stderr = streams.stderr.copied_to(&log);
    }
    let restart = call
        .host()
        .with(|simulation| simulation.runtime.latest(&pod.meta.uid, container).map(|(restart, _)| restart));
    let key =
        ContainerKey { pod: pod.meta.uid.clone(), name: container.into(), restart: restart.unwrap_or(0) };
    let mut running = Box::pin(run_in(&invocation, pod, container, words));
    std::future::poll_fn(|context| {
        let progress = running.as_mut().poll(context);
        write_log(call.host(), &key, &log, progress.is_ready());
        progress
    })
    .await
}

fn restarts(pod: &Object) -> bool {
    pod.as_pod().is_some_and(|pod| pod.spec.restart_policy == "Always")
}

/// Shows what a process writes from now on, until it ends.
async fn follow(call: &Call, pod: &Arc<Object>, container: &str) -> Outcome {
    let latest = |simulation: &crate::simulation::Simulation| {
        simulation
            .runtime
            .latest(&pod.meta.uid, container)
            .map_or((0, 0), |(run, held)| (run, held.logs.len()))
    };
    let (run, mut shown) = call.host().with(|simulation| latest(simulation));
    loop {
        let (lines, going) = call.host().with(|simulation| {
            let held = simulation.runtime.latest(&pod.meta.uid, container).filter(|(of, _)| *of == run);
            let lines: Vec<String> = held
                .iter()
                .flat_map(|(_, held)| held.logs.iter().skip(shown).map(|line| line.text.clone()))
                .collect();
            (lines, held.is_some() && runs(simulation, &pod.key, &pod.meta.uid, container))
        });
        shown += lines.len();
        lines.iter().for_each(|line| call.say(line));
        if !going {
            return Ok(());
        }
        call.host().changed().await;
    }
}
