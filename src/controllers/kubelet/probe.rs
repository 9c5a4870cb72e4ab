//! Probes: readiness, liveness, startup.
//!
//! Owns what a probe finds and when it is looked at. A probe is not repeated while its result cannot change:
//! what a container listens on changes only when it starts. HTTP probes are answered by the image's server
//! as [`crate::containers::http`] has it. The commands of `exec` probes are run by the shell
//! (`crate::shell::probes`), which tells what they found; where nobody runs them they pass unless they are
//! `false`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::record::{Run, State};
use crate::api::object::Object;
use crate::api::typed::{Container, Protocol};
use crate::api::value::Value;
use crate::cluster::Kubelets;
use crate::cluster::clock::{Instant, Span};
use crate::containers::catalogue::App;
use crate::containers::http::{self, Request, Server};
use crate::containers::{ContainerKey, Listener, Probed, Process, Reference, Runtime, process};

/// Paths that pass with [`Kubelets::StandIn`], whatever the image is known to answer.
const HEALTH_PATHS: [&str; 9] =
    ["/healthz", "/health", "/ready", "/readyz", "/live", "/livez", "/status", "/ping", "/-/healthy"];

/// The fields that hold probes; what running their commands found is kept by these names.
pub(super) const STARTUP: &str = "startupProbe";
pub(super) const READINESS: &str = "readinessProbe";
pub(super) const LIVENESS: &str = "livenessProbe";

/// A container that is probed.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) object: &'a Object,
    pub(super) container: &'a Container,
    pub(super) process: &'a Process,
    /// The Pod's addresses, which its document may not have yet.
    pub(super) ips: &'a [IpAddr],
    /// Whether somebody runs the programs of containers.
    pub(super) watched: bool,
    /// How closely kubelets look.
    pub(super) kubelet: Kubelets,
    /// What its `exec` probes found, where somebody runs them.
    pub(super) probed: Option<&'a Found>,
}

/// What the `exec` probes of a run found, by kind.
pub(super) type Found = BTreeMap<&'static str, Probed>;

/// What probes of a container's run go by, besides documents.
pub(super) struct Facts {
    pub(super) process: Process,
    /// Whether somebody runs the programs of containers.
    pub(super) watched: bool,
    kubelet: Kubelets,
    /// What `exec` probes found; `None` where nobody runs them, and they are judged by their words alone.
    pub(super) found: Option<Found>,
}

impl Facts {
    /// The facts of the run `key` of a container.
    pub(super) fn of(
        container: &Container,
        key: &ContainerKey,
        runtime: &Runtime,
        kubelet: Kubelets,
    ) -> Self {
        let watched = runtime.runs_programs;
        let runs = watched && kubelet == Kubelets::Strict;
        let found = runs.then(|| runtime.container(key).map(|run| run.probed.clone()).unwrap_or_default());
        Self { process: process(container), watched, kubelet, found }
    }

    /// The container as its probes see it.
    pub(super) fn subject<'a>(
        &'a self,
        object: &'a Object,
        container: &'a Container,
        ips: &'a [IpAddr],
    ) -> Subject<'a> {
        let Self { process, watched, kubelet, found } = self;
        Subject {
            object,
            container,
            process,
            ips,
            watched: *watched,
            kubelet: *kubelet,
            probed: found.as_ref(),
        }
    }
}

fn seconds(probe: &Value, field: &str, default: i64) -> Span {
    let seconds = probe.get(field).as_int().filter(|seconds| *seconds > 0 || field == "initialDelaySeconds");
    Span::from_seconds(u64::try_from(seconds.unwrap_or(default)).unwrap_or(0))
}

/// How often in a row a probe may fail.
fn threshold(probe: &Value) -> u32 {
    let times = probe.get("failureThreshold").as_int().filter(|times| *times > 0).unwrap_or(3);
    u32::try_from(times).unwrap_or(u32::MAX)
}

/// What running a probe's command found: `None` for a probe that is not run but judged.
fn ran<'a>(kind: &str, subject: Subject<'a>) -> Option<Ran<'a>> {
    let found = subject.probed?;
    let probe = subject.container.document.get(kind);
    let is_command = !probe.at(&["exec", "command"]).is_empty();
    let probed = found.get(kind);
    is_command.then_some(Ran { probed, patience: threshold(probe) })
}

/// A probe whose command is run.
struct Ran<'a> {
    /// What it found; `None` before the first time.
    probed: Option<&'a Probed>,
    /// How often in a row it may fail.
    patience: u32,
}

impl Ran<'_> {
    fn passes(&self) -> bool {
        self.probed.is_some_and(|probed| probed.passes)
    }

    /// What it said, once it has failed too often.
    fn gave_up(&self) -> Option<&str> {
        let failed = self.probed.filter(|probed| !probed.passes && probed.in_a_row >= self.patience);
        failed.map(|probed| probed.said.as_str())
    }
}

/// Whether a container has started, as far as its startup probe says.
pub(super) fn started(run: &Run, subject: Subject<'_>) -> bool {
    match ran(STARTUP, subject) {
        Some(ran) => ran.passes(),
        None => run.next.kill.is_none(),
    }
}

/// How often in a row the command of the readiness probe has failed by now, and what it said last.
pub(super) fn complaint(subject: Subject<'_>) -> Option<(u32, String)> {
    let failed = ran(READINESS, subject)?.probed.filter(|probed| !probed.passes)?;
    Some((failed.in_a_row, format!("Readiness probe failed: {}", failed.said)))
}

/// When a failing probe has failed as often as it may.
fn gives_up(probe: &Value, from: Instant) -> Instant {
    let period = seconds(probe, "periodSeconds", 10);
    let times = u64::from(threshold(probe) - 1);
    from + seconds(probe, "initialDelaySeconds", 0) + Span::from_us(period.0.saturating_mul(times))
}

/// Plans the probes of a container that was started at an instant, and settles whether it is ready now.
pub(super) fn plan(run: &mut Run, subject: Subject<'_>, started: Instant) {
    let document = &subject.container.document;
    let (startup, readiness, liveness) =
        (document.get("startupProbe"), document.get("readinessProbe"), document.get("livenessProbe"));
    let mut from = started;
    if !startup.is_null() && !run.started {
        if ran(STARTUP, subject).is_some() {
            return;
        }
        if fails(startup, subject).is_some() {
            run.next.kill = Some(gives_up(startup, started));
            return;
        }
        from = started + seconds(startup, "initialDelaySeconds", 0);
    }
    if !liveness.is_null() && ran(LIVENESS, subject).is_none() && fails(liveness, subject).is_some() {
        run.next.kill = Some(gives_up(liveness, from));
    }
    let judged = ran(READINESS, subject).is_none();
    if !run.ready && judged && (!readiness.is_null() || !startup.is_null()) {
        run.next.probe = Some(from + seconds(readiness, "initialDelaySeconds", 0));
    }
}

/// `sim/ready: "false"`: the Pod is not ready, whatever its probes say.
pub(super) fn staged_unready(object: &Object) -> bool {
    object.meta.annotation("sim/ready") == Some("false")
}

/// Whether a running container is ready as far as its probes say; the complaint if not.
pub(super) fn readiness(run: &Run, subject: Subject<'_>) -> Result<(), Option<String>> {
    debug_assert!(matches!(run.state, State::Running { .. }), "only running containers are probed");
    if staged_unready(subject.object) {
        return Err(None);
    }
    if let Some(ran) = ran(READINESS, subject) {
        // What was ready stays so until the probe gives up.
        let kept = run.ready && ran.probed.is_some() && ran.gave_up().is_none();
        return if ran.passes() || kept { Ok(()) } else { Err(None) };
    }
    let probe = subject.container.document.get("readinessProbe");
    match fails(probe, subject) {
        Some(why) => Err(Some(format!("Readiness probe failed: {why}"))),
        None => Ok(()),
    }
}

/// The complaint of the probe that made the kubelet stop a container: its kind and the Event's message.
pub(super) fn fatal(run: &Run, subject: Subject<'_>) -> Option<(&'static str, String)> {
    if let (false, Some(ran)) = (run.started, ran(STARTUP, subject)) {
        return ran.gave_up().map(|why| ("startup", format!("Startup probe failed: {why}")));
    }
    if let (true, Some(ran)) = (run.started, ran(LIVENESS, subject)) {
        return ran.gave_up().map(|why| ("liveness", format!("Liveness probe failed: {why}")));
    }
    let startup = subject.container.document.get("startupProbe");
    if !run.started && !startup.is_null() {
        return fails(startup, subject).map(|why| ("startup", format!("Startup probe failed: {why}")));
    }
    fails(subject.container.document.get("livenessProbe"), subject)
        .map(|why| ("liveness", format!("Liveness probe failed: {why}")))
}

/// What a probe complains of; `None` if it passes or is none.
fn fails(probe: &Value, subject: Subject<'_>) -> Option<String> {
    let Subject { container, process, ips, .. } = subject;
    let host = ips.first().map(ToString::to_string).unwrap_or_default();
    let port = |value: &Value| match value {
        Value::Str(name) => container.ports.iter().find(|port| port.name == *name).map(|port| port.port),
        number => number.as_int().and_then(|number| u16::try_from(number).ok()),
    };
    let listener = |number: u16| {
        process
            .listeners
            .iter()
            .find(|one| one.port == number && one.protocol == Protocol::Tcp && !one.loopback)
    };
    let refused = |number: u16| format!("dial tcp {host}:{number}: connect: connection refused");
    if let Some(get) = probe.as_map().and_then(|map| map.get("httpGet")) {
        let number = port(get.get("port"))?;
        let path = Some(get.get("path").str()).filter(|path| !path.is_empty()).unwrap_or("/");
        let scheme = if get.get("scheme").str() == "HTTPS" { "https" } else { "http" };
        let url = format!("{scheme}://{host}:{number}{path}");
        return match listener(number) {
            None => Some(format!("Get \"{url}\": {}", refused(number))),
            Some(_) if scheme == "https" => {
                Some(format!("Get \"{url}\": http: server gave HTTP response to HTTPS client"))
            }
            Some(listener) => http_fails(listener, path, &url, subject),
        };
    }
    for kind in ["tcpSocket", "grpc"] {
        if let Some(number) = port(probe.at(&[kind, "port"])) {
            return listener(number).is_none().then(|| refused(number));
        }
    }
    let command = probe.at(&["exec", "command"]).items();
    match command.first().map(Value::str) {
        Some("false" | "/bin/false") => Some(String::new()),
        _ => None,
    }
}

fn http_fails(listener: &Listener, path: &str, url: &str, subject: Subject<'_>) -> Option<String> {
    let Subject { object, container, ips, .. } = subject;
    let assumed = subject.kubelet == Kubelets::StandIn && HEALTH_PATHS.contains(&path);
    if assumed || matches!(listener.app, App::AssumedHttp) {
        return None;
    }
    let image = Reference::parse(&container.image)?;
    let args: Vec<String> =
        container.document.get("args").items().iter().map(|arg| arg.str().to_owned()).collect();
    let ip = *ips.first()?;
    let server = Server {
        image: &image,
        args: &args,
        hostname: object.name(),
        addresses: ips,
        client: (ip, 0).into(),
        local: (ip, listener.port).into(),
        now: object.meta.created,
        up_seconds: 0.0,
        file: &|_| None,
    };
    let request = Request::get(&format!("{ip}:{}", listener.port), path, "kube-probe/1.36");
    match http::answer(listener.app, &request, &server) {
        None => Some(format!(
            "Get \"{url}\": net/http: HTTP/1.x transport connection broken: malformed HTTP response"
        )),
        Some(response) if (200..400).contains(&response.status) => None,
        Some(response) => Some(format!("HTTP probe failed with statuscode: {}", response.status)),
    }
}
