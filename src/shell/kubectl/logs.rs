//! `kubectl logs`: what containers wrote.

use std::sync::Arc;
use std::time::Duration;

use super::call::Call;
use super::exec::timeout;
use super::failure::{Failure, Outcome};
use super::pods::{container_names, container_of, first_of, named, selector, state, status_of};
use super::resources::list_options;
use super::verb::{Action, Operands, SELECTOR, Verb, flags};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::status::{Reason, Status};
use crate::api::time::Timestamp;
use crate::cluster::clock::{Instant, Span};
use crate::containers::{Container, ContainerKey};
use crate::shell::command::{Flag, Value, not_simulated, option, switch};
use crate::shell::duration::duration;
use crate::shell::executor::{Either, first};
use crate::simulation::Simulation;
use crate::words::Words;

/// Lines per container that a selector shows if `--tail` says nothing.
const TAIL_OF_MANY: usize = 10;
/// The syntax that is told when no Pod is named.
const USAGE: &str = "logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]";

const OWN: &[Flag] = &[
    option(
        'c',
        "container",
        Value::Text,
        "the container, if the Pod has several",
        "Pod 有多个容器时指定容器",
    ),
    switch('f', "follow", "show lines as they are written", "持续输出新日志"),
    switch('p', "previous", "the run before the last restart", "上一次运行的容器日志"),
    option('\0', "tail", Value::Number, "only so many of the last lines", "只显示最后若干行"),
    option('\0', "since", Value::Duration, "only lines that are younger", "只显示这段时间内的日志"),
    option('\0', "since-time", Value::Text, "only lines after this time", "只显示此时间之后的日志"),
    switch('\0', "timestamps", "put the time before each line", "在每行前显示时间"),
    switch('\0', "prefix", "put Pod and container before each line", "在每行前显示 Pod 和容器"),
    switch('\0', "all-containers", "all containers of the Pod", "Pod 的所有容器"),
    switch('\0', "all-pods", "all Pods of the workload", "工作负载的所有 Pod"),
    switch('\0', "ignore-errors", "go on after errors", "出错后继续"),
    option('\0', "limit-bytes", Value::Number, "only so many bytes", "只显示若干字节"),
    option('\0', "max-log-requests", Value::Number, "so many containers at once", "同时读取的容器数量"),
    option('\0', "pod-running-timeout", Value::Duration, "how long to wait for a Pod", "等待 Pod 的最长时间"),
    not_simulated('\0', "insecure-skip-tls-verify-backend", Value::None, ""),
];

/// `logs`.
pub static VERB: Verb = Verb {
    name: "logs",
    aliases: &[],
    usage: "[-f] [-p] POD | TYPE/NAME | -l SELECTOR [-c CONTAINER]",
    summary: Words { en: "show what a container wrote", zh: "查看容器的日志" },
    flags: flags![OWN, SELECTOR],
    children: &[],
    operands: Operands::Pods,
    action: Action::Waits(|call| Box::pin(run(call))),
};

/// One log to be shown.
struct Source {
    pod: Arc<Object>,
    container: String,
    /// Which run of the container: how often it was restarted before.
    run: u32,
}

/// Which lines are shown, and how.
#[derive(Clone, Copy)]
struct Shown {
    tail: Option<usize>,
    after: Option<Instant>,
    timestamps: bool,
    prefix: bool,
    bytes: Option<usize>,
}

async fn run(call: Call) -> Outcome {
    let by_labels = !call.text("selector").is_empty();
    let missing =
        format!("expected '{USAGE}'.\nPOD or TYPE/NAME is a required argument for the logs command");
    let (pods, several) = match (call.operands(), by_labels) {
        ([], false) => return Err(call.usage_error(&missing)),
        ([], true) => {
            let pods = call.list(Kind::Pod, &call.namespace, list_options(&call))?;
            if pods.is_empty() {
                call.complain(&format!("No resources found in {} namespace.", call.namespace));
            }
            check(&call)?;
            (pods, true)
        }
        (_, true) => {
            return Err(call.usage_error("only a selector (-l) or a POD name is allowed"));
        }
        ([one], _) => (pods(&call, one).await?, call.has("all-pods")),
        ([pod, container], _) => {
            let pods = pods(&call, pod).await?;
            let [pod] = pods.as_slice() else {
                return Err(call.usage_error(&format!("expected '{USAGE}'.")));
            };
            let container = container_of(&call, pod, container, true)?;
            return show(&call, &[source(&call, pod, container)?], shown(&call, false)?).await;
        }
        _ => return Err(call.usage_error(&missing)),
    };
    let mut sources = Vec::new();
    for pod in &pods {
        for container in containers(&call, pod)? {
            sources.push(source(&call, pod, container)?);
        }
    }
    show(&call, &sources, shown(&call, several)?).await
}

/// The Pods whose logs an operand names.
async fn pods(call: &Call, word: &str) -> Result<Vec<Arc<Object>>, Failure> {
    let object = named(call, word).map_err(|failure| match failure {
        // The bare name of a Pod is looked up by another way, with other words.
        failure if failure.is_not_found() && !word.contains('/') => Failure::plain(format!(
            "error from server (NotFound): pods \"{word}\" not found in namespace \"{}\"",
            call.namespace
        )),
        failure => failure,
    })?;
    check(call)?;
    if object.key.kind == Kind::Pod {
        return Ok(vec![object]);
    }
    let selector = selector(&object, "get the logs from")?;
    let all = |simulation: &Simulation| matching(simulation, &object, &selector);
    if call.has("all-pods") {
        return Ok(call.host().with(|simulation| all(simulation)));
    }
    let first_pod = call.host().until(|simulation| first_of(simulation, object.namespace(), &selector));
    let Either::Left(pod) = first(first_pod, call.invocation.sleep(timeout(call))).await else {
        return Err(Failure::plain("timed out waiting for the condition"));
    };
    let count = call.host().with(|simulation| all(simulation).len());
    if count > 1 {
        call.complain(&format!("Found {count} pods, using pod/{}", pod.name()));
    }
    Ok(vec![pod])
}

fn matching(simulation: &Simulation, object: &Object, selector: &Selector) -> Vec<Arc<Object>> {
    simulation.cluster.matching(Kind::Pod, object.namespace(), selector)
}

/// The containers of a Pod that are asked for.
fn containers(call: &Call, pod: &Object) -> Result<Vec<String>, Failure> {
    if call.has("all-containers") {
        let mut names = container_names(pod);
        names.sort_by_key(|(_, mark)| match *mark {
            " (init)" => 0,
            "" => 1,
            _ => 2,
        });
        return Ok(names.into_iter().map(|(name, _)| name).collect());
    }
    Ok(vec![container_of(call, pod, call.text("container"), false)?])
}

/// Finds the run of a container whose log is meant, as the kubelet does.
fn source(call: &Call, pod: &Arc<Object>, container: String) -> Result<Source, Failure> {
    let refused = |why: String| Failure::from(Status::new(Reason::BadRequest, why));
    let name = pod.name();
    let latest = call.host().with(|simulation| {
        simulation.runtime.latest(&pod.meta.uid, &container).map(|(run, held)| (run, held.ended.is_some()))
    });
    let waiting = match state(pod, &container) {
        Some(("waiting", details)) => details.get("reason").str().to_owned(),
        _ => String::new(),
    };
    if call.has("previous") {
        let had = status_of(pod, &container)
            .is_some_and(|status| !status.at(&["lastState", "terminated"]).is_null());
        let run = latest.map_or(0, |(run, _)| run);
        // While it waits to be started again, the latest run is the one that ended.
        let run = if waiting.is_empty() { run.checked_sub(1) } else { Some(run) };
        return match run.filter(|_| had) {
            Some(run) => Ok(Source { pod: Arc::clone(pod), container, run }),
            None => Err(refused(format!(
                "previous terminated container \"{container}\" in pod \"{name}\" not found"
            ))),
        };
    }
    match (latest, waiting.as_str()) {
        (Some((run, _)), _) => Ok(Source { pod: Arc::clone(pod), container, run }),
        (None, "") if pod.as_pod().is_some_and(|pod| !pod.node.is_empty()) => {
            Err(refused(format!("container \"{container}\" in pod \"{name}\" is not available")))
        }
        // A Pod without a node has no log yet.
        (None, "") => Ok(Source { pod: Arc::clone(pod), container, run: 0 }),
        (None, reason) => {
            let why = match reason {
                "ErrImagePull" => "image can't be pulled",
                "ImagePullBackOff" => "trying and failing to pull image",
                reason => reason,
            };
            Err(refused(format!("container \"{container}\" in pod \"{name}\" is waiting to start: {why}")))
        }
    }
}

fn shown(call: &Call, several: bool) -> Result<Shown, Failure> {
    let tail = match call.number("tail") {
        Some(-1) => None,
        Some(lines) => usize::try_from(lines).ok(),
        None => several.then_some(TAIL_OF_MANY),
    };
    let since = call.flags.value("since").and_then(|text| duration(text).ok());
    let at = call.text("since-time");
    let after = call.host().with(|simulation| {
        let cluster = &simulation.cluster;
        let ago = since.map(|since| Instant(cluster.now().0.saturating_sub(micros(since))));
        ago.or_else(|| Timestamp::parse(at).map(|time| cluster.instant_of(time)))
    });
    if !at.is_empty() && after.is_none() {
        return Err(Failure::plain(format!(
            "parsing time \"{at}\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"{at}\" as \"2006\""
        )));
    }
    Ok(Shown {
        tail,
        after,
        timestamps: call.has("timestamps"),
        prefix: call.has("prefix"),
        bytes: call.number("limit-bytes").and_then(|bytes| usize::try_from(bytes).ok()),
    })
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Flags that do not fit each other, or say nothing (`LogsOptions.Validate`).
fn check(call: &Call) -> Outcome {
    let since = call.flags.value("since").filter(|text| !text.is_empty());
    let container = call.text("container");
    let inline = call.operands().get(1);
    let said = match call {
        _ if since.is_some_and(|since| since.trim_start_matches('0') != "s" && since != "0")
            && !call.text("since-time").is_empty() =>
        {
            "at most one of `sinceTime` or `sinceSeconds` may be specified".to_owned()
        }
        _ if call.has("all-containers") && (!container.is_empty() || inline.is_some()) => {
            let container = inline.map_or(container, String::as_str);
            format!("--all-containers=true should not be specified with container name {container}")
        }
        _ if !container.is_empty() && inline.is_some() => {
            "only one of -c or an inline [CONTAINER] arg is allowed".to_owned()
        }
        _ if call.number("limit-bytes").is_some_and(|bytes| bytes < 0) => {
            "--limit-bytes must be greater than 0".to_owned()
        }
        _ if since.is_some_and(|since| since.starts_with('-')) => "--since must be greater than 0".to_owned(),
        _ if call.number("tail").is_some_and(|lines| lines < -1) => {
            "--tail must be greater than or equal to -1".to_owned()
        }
        _ => return Ok(()),
    };
    Err(Failure::plain(said))
}

/// Shows logs; with `--follow` until every one has ended.
async fn show(call: &Call, sources: &[Source], shown: Shown) -> Outcome {
    let mut seen: Vec<usize> = Vec::new();
    for source in sources {
        let (lines, count) = call.host().with(|simulation| lines(simulation, source, shown, 0));
        seen.push(count);
        write(call, &lines, shown.bytes);
    }
    if !call.has("follow") {
        return Ok(());
    }
    let rest = Shown { tail: None, ..shown };
    loop {
        let mut going = false;
        for (source, seen) in sources.iter().zip(&mut seen) {
            let (lines, count, runs) = call.host().with(|simulation| {
                let (lines, count) = lines(simulation, source, rest, *seen);
                (
                    lines,
                    count,
                    held(simulation, source).is_some_and(|held| held.ended.is_none())
                        && exists(simulation, source),
                )
            });
            *seen = count;
            going |= runs;
            write(call, &lines, None);
        }
        if !going {
            return Ok(());
        }
        call.host().changed().await;
    }
}

fn exists(simulation: &Simulation, source: &Source) -> bool {
    let key = &source.pod.key;
    simulation.cluster.get(key).is_some_and(|object| object.meta.uid == source.pod.meta.uid)
}

fn held<'a>(simulation: &'a Simulation, source: &Source) -> Option<&'a Container> {
    simulation.runtime.container(&ContainerKey {
        pod: source.pod.meta.uid.clone(),
        name: source.container.as_str().into(),
        restart: source.run,
    })
}

/// The lines of a log from one on, as they are shown, and how many there are in all.
fn lines(simulation: &Simulation, source: &Source, shown: Shown, from: usize) -> (Vec<String>, usize) {
    let Some(held) = held(simulation, source) else { return (Vec::new(), 0) };
    let logs = held.logs.iter().skip(from).filter(|line| shown.after.is_none_or(|after| line.at >= after));
    let mut lines: Vec<String> = logs
        .map(|line| {
            let mut text = String::new();
            if shown.prefix {
                text.push_str(&format!("[pod/{}/{}] ", source.pod.name(), source.container));
            }
            if shown.timestamps {
                text.push_str(&timestamp(simulation, line.at));
                text.push(' ');
            }
            text + &line.text
        })
        .collect();
    if let Some(tail) = shown.tail {
        lines.drain(..lines.len().saturating_sub(tail));
    }
    (lines, held.logs.len())
}

/// A time with nanoseconds, as container runtimes write it.
fn timestamp(simulation: &Simulation, at: Instant) -> String {
    let whole = simulation.cluster.timestamp_of(at);
    let since = (at - simulation.cluster.instant_of(whole)).0;
    format!("{}.{:06}000Z", whole.to_string().trim_end_matches('Z'), since % Span::from_ms(1000).0)
}

fn write(call: &Call, lines: &[String], bytes: Option<usize>) {
    let mut text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    if let Some(limit) = bytes {
        let end = (0..=limit.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
    }
    call.write(&text);
}

/// Prints all that a container wrote in its latest run.
pub fn print_all(call: &Call, pod: &Arc<Object>, container: &str) {
    let all = Shown { tail: None, after: None, timestamps: false, prefix: false, bytes: None };
    let found = call.host().with(|simulation| {
        let (run, _) = simulation.runtime.latest(&pod.meta.uid, container)?;
        let source = Source { pod: Arc::clone(pod), container: container.to_owned(), run };
        Some(lines(simulation, &source, all, 0).0)
    });
    write(call, &found.unwrap_or_default(), None);
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check;

    #[test]
    fn a_log_needs_a_pod() {
        check(
            "kubectl logs",
            "error: expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command\nSee 'kubectl logs -h' for help and examples",
            1,
        );
        check(
            "kubectl logs nosuch",
            "error: error from server (NotFound): pods \"nosuch\" not found in namespace \"default\"",
            1,
        );
    }
}
