//! Probes: readiness, liveness, startup.
//!
//! Owns what a probe finds and when it is looked at. A probe is not repeated while its result cannot change:
//! what a container listens on changes only when it starts. HTTP probes are answered by the image's server
//! as [`crate::containers::http`] has it. `exec` probes pass
//! if their command is one that succeeds.

use std::net::IpAddr;

use super::record::{Run, State};
use crate::api::object::Object;
use crate::api::typed::{Container, Protocol};
use crate::api::value::Value;
use crate::cluster::Kubelets;
use crate::cluster::clock::{Instant, Span};
use crate::containers::catalogue::App;
use crate::containers::http::{self, Request, Server};
use crate::containers::{Listener, Process, Reference};

/// Paths that pass with [`Kubelets::StandIn`], whatever the image is known to answer.
const HEALTH_PATHS: [&str; 9] =
    ["/healthz", "/health", "/ready", "/readyz", "/live", "/livez", "/status", "/ping", "/-/healthy"];

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
}

fn seconds(probe: &Value, field: &str, default: i64) -> Span {
    let seconds = probe.get(field).as_int().filter(|seconds| *seconds > 0 || field == "initialDelaySeconds");
    Span::from_seconds(u64::try_from(seconds.unwrap_or(default)).unwrap_or(0))
}

/// When a failing probe has failed as often as it may.
fn gives_up(probe: &Value, from: Instant) -> Instant {
    let period = seconds(probe, "periodSeconds", 10);
    let threshold = probe.get("failureThreshold").as_int().filter(|times| *times > 0).unwrap_or(3);
    let times = u64::try_from(threshold - 1).unwrap_or(0);
    from + seconds(probe, "initialDelaySeconds", 0) + Span::from_us(period.0.saturating_mul(times))
}

/// Plans the probes of a container that was started at an instant, and settles whether it is ready now.
pub(super) fn plan(run: &mut Run, subject: Subject<'_>, started: Instant) {
    let document = &subject.container.document;
    let (startup, readiness, liveness) =
        (document.get("startupProbe"), document.get("readinessProbe"), document.get("livenessProbe"));
    let mut from = started;
    if !startup.is_null() && !run.started {
        if fails(startup, subject).is_some() {
            run.next.kill = Some(gives_up(startup, started));
            return;
        }
        from = started + seconds(startup, "initialDelaySeconds", 0);
    }
    if !liveness.is_null() && fails(liveness, subject).is_some() {
        run.next.kill = Some(gives_up(liveness, from));
    }
    if !run.ready && (!readiness.is_null() || !startup.is_null()) {
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
    let probe = subject.container.document.get("readinessProbe");
    match fails(probe, subject) {
        Some(why) => Err(Some(format!("Readiness probe failed: {why}"))),
        None => Ok(()),
    }
}

/// The complaint of the probe that made the kubelet stop a container: its kind and the Event's message.
pub(super) fn fatal(run: &Run, subject: Subject<'_>) -> Option<(&'static str, String)> {
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
        Some("false" | "/bin/false") => Some("command returned non-zero exit code: 1".to_owned()),
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
