//! What a container's process does: how long it runs, how it ends, what it listens on.
//!
//! Owns the reading of `command` and `args` as far as it decides these things; commands that take the place of
//! the image's own are in [`super::given`]. It runs nothing: [`crate::shell::programs`] does. What it cannot
//! judge is assumed to run until it is stopped, and says so.

use super::catalogue::{App, Entry, Image, Known, Listens, Transport, Userland, find};
use super::commands::{Shell, contents};
use super::given;
use super::reference::Reference;
use crate::api::object::Object;
use crate::api::typed::{Container, Protocol};
use crate::api::value::{SmolStr, Value};
use crate::cluster::clock::Span;

/// What becomes of a container once it is started.
#[derive(Clone, Debug, PartialEq)]
pub struct Process {
    /// Ports that it opens, for as long as it runs.
    pub listeners: Vec<Listener>,
    /// When and how it ends by itself; `None` if it runs until it is stopped.
    pub end: Option<End>,
    /// What it prints when it starts, line by line.
    pub prints: Vec<String>,
    /// Whether its behaviour is assumed rather than known.
    pub assumed: bool,
    /// The words of a command that the shell runs: where it does, `end` and `prints` are its business.
    pub program: Option<Vec<String>>,
    /// The program that the image does not have, so that the container cannot be started.
    pub missing: Option<String>,
}

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// How long after its start.
    pub after: Span,
    /// Its exit code.
    pub code: u8,
}

/// An open port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its number.
    pub port: u16,
    /// Its protocol.
    pub protocol: Protocol,
    /// Whether only the Pod itself can reach it (127.0.0.1).
    pub loopback: bool,
    /// What answers.
    pub app: App,
}

/// How long a command that ends at once takes.
pub(super) const AT_ONCE: Span = Span::from_ms(10);

/// What the container's process does.
#[must_use]
pub fn process(container: &Container) -> Process {
    let Some(reference) = Reference::parse(&container.image) else { return ended(AT_ONCE, 127) };
    if attended(container).is_some() {
        return running(Vec::new());
    }
    let (command, args) = given_words(container);
    match find(&reference) {
        Known::Image(image) if command.is_empty() => own_command(image, &reference, container, &args),
        Known::Assumed if command.is_empty() => Process { assumed: true, ..running(declared(container)) },
        known => {
            let whole: Vec<String> = command.into_iter().chain(args).collect();
            given::process(&whole, &known, &reference, container)
        }
    }
}

/// The command of a container that somebody who is attached to it runs (`stdinOnce`, as `kubectl run -i` makes
/// them): it waits for them and ends when they end it. `None` for servers, and for all other containers.
#[must_use]
pub fn attended(container: &Container) -> Option<Vec<String>> {
    if container.document.get("stdinOnce").as_bool() != Some(true) {
        return None;
    }
    let reference = Reference::parse(&container.image)?;
    let (command, args) = given_words(container);
    let words = match find(&reference) {
        _ if !command.is_empty() => command.into_iter().chain(args).collect(),
        Known::Image(image) => match image.entry {
            Entry::Serves | Entry::NeedsEnv(_) if args.is_empty() => return None,
            Entry::Shell if args.is_empty() => {
                vec![if contents(&reference).shell == Shell::Bash { "bash" } else { "sh" }.to_owned()]
            }
            // Entrypoints of servers start any other command that they are given.
            Entry::Serves if image.names.contains(&"agnhost") => return None,
            _ => args,
        },
        Known::Assumed | Known::Missing => args,
    };
    let is_flag = words.first().is_none_or(|first| first.starts_with('-'));
    (!is_flag).then_some(words)
}

/// `command` and `args`.
fn given_words(container: &Container) -> (Vec<String>, Vec<String>) {
    let words = |field: &str| -> Vec<String> {
        container.document.get(field).items().iter().map(|word| word.str().to_owned()).collect()
    };
    (words("command"), words("args"))
}

/// The ports that a Pod has open: those of its containers that run now. An empty list for a Pod that is not
/// running.
#[must_use]
pub fn open_ports(object: &Object) -> Vec<(SmolStr, Listener)> {
    let Some(pod) = object.as_pod().filter(|pod| pod.phase == "Running") else { return Vec::new() };
    if object.is_terminating() && !drains(object) {
        return Vec::new();
    }
    let lists = ["initContainerStatuses", "containerStatuses"];
    let runs = |name: &str| {
        let mut statuses = lists.iter().flat_map(|list| object.status().get(list).items());
        statuses.any(|status| status.get("name").str() == name && !status.at(&["state", "running"]).is_null())
    };
    let running = pod.spec.all().filter(|container| runs(&container.name));
    running
        .flat_map(|container| {
            process(container).listeners.into_iter().map(|one| (container.name.clone(), one))
        })
        .collect()
}

/// Whether a Pod that is to end still takes connections. Servers close their sockets when they are told to stop
/// (SIGTERM), which a hook before that (`preStop`) puts off; `sim/stop` stands for a program that takes its time.
fn drains(object: &Object) -> bool {
    let hooked = |container: &Value| !container.at(&["lifecycle", "preStop"]).is_null();
    !object.meta.annotation("sim/stop").unwrap_or_default().is_empty()
        || object.spec().get("containers").items().iter().any(hooked)
}

pub(super) fn running(listeners: Vec<Listener>) -> Process {
    Process { listeners, ..ended(AT_ONCE, 0) }.endless()
}

pub(super) fn ended(after: Span, code: u8) -> Process {
    Process {
        listeners: Vec::new(),
        end: Some(End { after, code }),
        prints: Vec::new(),
        assumed: false,
        program: None,
        missing: None,
    }
}

impl Process {
    fn endless(mut self) -> Self {
        self.end = None;
        self
    }
}

/// The ports that a container declares, taken for what an unknown image listens on.
pub(super) fn declared(container: &Container) -> Vec<Listener> {
    let app = |protocol| if protocol == Protocol::Tcp { App::AssumedHttp } else { App::Datagram };
    container
        .ports
        .iter()
        .map(|port| Listener {
            port: port.port,
            protocol: port.protocol,
            loopback: false,
            app: app(port.protocol),
        })
        .collect()
}

pub(super) fn opened(listens: &[Listens]) -> Vec<Listener> {
    let protocol = |transport| if transport == Transport::Udp { Protocol::Udp } else { Protocol::Tcp };
    listens
        .iter()
        .map(|one| Listener {
            port: one.port,
            protocol: protocol(one.transport),
            loopback: false,
            app: one.app,
        })
        .collect()
}

/// The image's own server, told by its arguments where to listen.
pub(super) fn server(image: &Image, args: &[String]) -> Process {
    let mut listeners = opened(image.listens);
    if let Some((loopback, port)) = listen_flag(args) {
        listeners.truncate(1);
        for listener in &mut listeners {
            listener.port = port;
            listener.loopback = loopback;
        }
    }
    running(listeners)
}

/// The image's own command, with arguments where the container gives some.
fn own_command(
    image: &'static Image,
    reference: &Reference,
    container: &Container,
    args: &[String],
) -> Process {
    if image.names.contains(&"agnhost") {
        return agnhost(args);
    }
    let given = |words: &[String]| given::process(words, &Known::Image(image), reference, container);
    let is_command = args.first().is_some_and(|first| !first.starts_with('-'));
    match image.entry {
        // Entrypoint scripts of servers run any other command that they are given.
        Entry::Serves | Entry::NeedsEnv(_) if is_command && image.userland != Userland::Bare => {
            let mut process = given(args);
            if let Some(program) = process.missing.take() {
                process = ended(AT_ONCE, 127);
                process.prints.push(format!("/docker-entrypoint.sh: exec: line 47: {program}: not found"));
            }
            process
        }
        Entry::Serves => server(image, args),
        Entry::Waits if args.is_empty() => running(Vec::new()),
        Entry::NeedsEnv(names) => {
            let set = |name: &str| {
                let from = !container.document.get("envFrom").items().is_empty();
                from || container
                    .document
                    .get("env")
                    .items()
                    .iter()
                    .any(|entry| entry.get("name").str() == name)
            };
            if names.iter().any(|name| set(name)) {
                return running(opened(image.listens));
            }
            let mut process = ended(Span::from_ms(300), 1);
            process.prints.push(format!("error: none of these variables is set: {}", names.join(", ")));
            process
        }
        // The entrypoint of curl's image puts `curl` before what is no command.
        Entry::Ends if image.userland == Userland::Curl && !args.is_empty() => {
            let is_program = contents(reference).commands.contains(&args[0].as_str());
            let curl = (!is_program).then(|| "curl".to_owned());
            given(&curl.into_iter().chain(args.iter().cloned()).collect::<Vec<_>>())
        }
        Entry::Shell | Entry::Ends | Entry::Waits if !args.is_empty() => given(args),
        // A shell that is given a terminal waits for somebody to type.
        Entry::Shell if container.document.get("stdin").as_bool() == Some(true) => running(Vec::new()),
        Entry::Shell | Entry::Ends | Entry::Waits => ended(AT_ONCE, 0),
    }
}

/// `-listen=:5678`, `--port 8080`, `--http-port=80`: where a server is told to listen (loopback, port).
fn listen_flag(args: &[String]) -> Option<(bool, u16)> {
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let name = word.trim_start_matches('-');
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, value),
            None if matches!(name, "listen" | "port" | "http-port") => (name, words.next()?.as_str()),
            None => continue,
        };
        if matches!(name, "listen" | "port" | "http-port") {
            let (host, port) = value.rsplit_once(':').unwrap_or(("", value));
            return port.parse().ok().map(|port| (matches!(host, "127.0.0.1" | "localhost"), port));
        }
    }
    None
}

/// agnhost's subcommands (<https://pkg.go.dev/k8s.io/kubernetes/test/images/agnhost>).
fn agnhost(args: &[String]) -> Process {
    let value = |flag: &str, default: u16| {
        let prefix = format!("--{flag}=");
        args.iter().find_map(|word| word.strip_prefix(&prefix)?.parse().ok()).unwrap_or(default)
    };
    let tcp = |port, app| Listener { port, protocol: Protocol::Tcp, loopback: false, app };
    match args.first().map(String::as_str) {
        Some("netexec") => {
            let mut listeners = vec![tcp(value("http-port", 8080), App::Netexec)];
            let udp = value("udp-port", 8081);
            listeners.push(Listener {
                port: udp,
                protocol: Protocol::Udp,
                loopback: false,
                app: App::NetexecUdp,
            });
            if let port @ 1.. = value("sctp-port", 0) {
                listeners.push(Listener {
                    port,
                    protocol: Protocol::Sctp,
                    loopback: false,
                    app: App::NetexecUdp,
                });
            }
            running(listeners)
        }
        Some("serve-hostname") => running(vec![tcp(value("port", 9376), App::ServeHostname)]),
        Some("porter") => running(Vec::new()),
        Some("pause") | None => running(Vec::new()),
        Some(_) => Process { assumed: true, ..running(Vec::new()) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::registry::Kind;
    use crate::api::value::Value;
    use crate::value;

    fn of(container: Value) -> Process {
        let pod = value!({ "spec": { "containers": [container] } });
        let pod = Object::new(Kind::Pod, pod, None);
        process(&pod.as_pod().unwrap().spec.containers[0])
    }

    fn command(image: &str, words: &[&str]) -> Process {
        let words: Value = words.iter().map(|word| Value::from((*word).to_owned())).collect();
        of(value!({ "name": "c", "image": (image.to_owned()), "command": words }))
    }

    #[test]
    fn an_image_listens_on_what_its_server_opens_not_on_what_is_declared() {
        let nginx = of(value!({ "name": "c", "image": "nginx", "ports": [{ "containerPort": 443 }] }));
        assert_eq!(nginx.listeners.iter().map(|l| l.port).collect::<Vec<_>>(), [80]);
        assert_eq!(nginx.end, None);
    }

    #[test]
    fn an_unknown_image_listens_on_its_declared_ports_and_says_that_this_is_assumed() {
        let app = of(value!({ "name": "c", "image": "team/app:v1", "ports": [{ "containerPort": 8000 }] }));
        assert_eq!(app.listeners[0].port, 8000);
        assert!(app.assumed);
    }

    #[test]
    fn a_given_command_takes_the_place_of_the_server() {
        let idle = command("nginx", &["sleep", "infinity"]);
        assert!(idle.listeners.is_empty() && idle.end.is_none());
    }

    #[test]
    fn commands_end_when_and_how_they_say() {
        type Case = (&'static [&'static str], Option<(u64, u8)>);
        let cases: [Case; 7] = [
            (&["sleep", "3600"], Some((3_600_000, 0))),
            (&["false"], Some((10, 1))),
            (&["sh", "-c", "echo hi; sleep 2; exit 3"], Some((2030, 3))),
            (&["sh", "-c", "while true; do date; sleep 1; done"], None),
            (&["/bin/sh", "-c", "exit 1"], Some((20, 1))),
            (&["tail", "-f", "/dev/null"], None),
            (&["sh"], Some((10, 0))),
        ];
        for (words, expected) in cases {
            let end = command("busybox", words).end.map(|end| (end.after.0 / 1000, end.code));
            assert_eq!(end, expected, "{words:?}");
        }
    }

    #[test]
    fn servers_listen_where_their_arguments_say() {
        let echo = of(
            value!({ "name": "c", "image": "hashicorp/http-echo", "args": ["-text=hi", "-listen=127.0.0.1:80"] }),
        );
        assert_eq!((echo.listeners[0].port, echo.listeners[0].loopback), (80, true));
        let agnhost = of(
            value!({ "name": "c", "image": "registry.k8s.io/e2e-test-images/agnhost:2.40", "args": ["netexec", "--http-port=80"] }),
        );
        assert_eq!((agnhost.listeners[0].port, agnhost.listeners[0].app), (80, App::Netexec));
    }

    #[test]
    fn a_database_without_a_password_complains_and_ends() {
        let bare = of(value!({ "name": "c", "image": "mysql" }));
        assert_eq!(bare.end.map(|end| end.code), Some(1));
        let set = of(
            value!({ "name": "c", "image": "mysql", "env": [{ "name": "MYSQL_ROOT_PASSWORD", "value": "x" }] }),
        );
        assert_eq!(set.listeners[0].port, 3306);
    }
}
