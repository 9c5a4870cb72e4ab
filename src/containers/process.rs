//! What a container's process does: how long it runs, how it ends, what it listens on.
//!
//! Owns the reading of `command` and `args` as far as it decides these things: servers of the catalogue,
//! `sleep`, `exit`, `echo` and loops in `sh -c`. It does not run shells that a person types in
//! ([`crate::shell`]). What it cannot judge is assumed to run until it is stopped, and says so.

use super::catalogue::{App, Entry, Image, Known, Listens, Transport, find};
use super::commands::{Shell, contents};
use super::reference::Reference;
use crate::api::object::Object;
use crate::api::typed::{Container, Protocol};
use crate::api::value::SmolStr;
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
const AT_ONCE: Span = Span::from_ms(10);

/// What the container's process does.
#[must_use]
pub fn process(container: &Container) -> Process {
    let Some(reference) = Reference::parse(&container.image) else { return ended(AT_ONCE, 127) };
    if attended(container).is_some() {
        return running(Vec::new());
    }
    let (command, args) = given_words(container);
    match find(&reference) {
        Known::Image(image) if command.is_empty() => own_command(image, container, &args),
        Known::Assumed if command.is_empty() => {
            Process { listeners: declared(container), end: None, prints: Vec::new(), assumed: true }
        }
        _ => {
            let whole: Vec<String> = command.into_iter().chain(args).collect();
            given_command(&whole, container)
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
    let statuses = object.status().get("containerStatuses").items();
    let runs = |name: &str| {
        statuses
            .iter()
            .any(|status| status.get("name").str() == name && !status.at(&["state", "running"]).is_null())
    };
    let running = pod.spec.containers.iter().filter(|container| runs(&container.name));
    running
        .flat_map(|container| {
            process(container).listeners.into_iter().map(|one| (container.name.clone(), one))
        })
        .collect()
}

fn running(listeners: Vec<Listener>) -> Process {
    Process { listeners, end: None, prints: Vec::new(), assumed: false }
}

fn ended(after: Span, code: u8) -> Process {
    Process { listeners: Vec::new(), end: Some(End { after, code }), prints: Vec::new(), assumed: false }
}

/// The ports that a container declares, taken for what an unknown image listens on.
fn declared(container: &Container) -> Vec<Listener> {
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

fn opened(listens: &[Listens]) -> Vec<Listener> {
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

/// The image's own command, with arguments where the container gives some.
fn own_command(image: &'static Image, container: &Container, args: &[String]) -> Process {
    if image.names.contains(&"agnhost") {
        return agnhost(args);
    }
    match image.entry {
        Entry::Serves => {
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
        Entry::Shell | Entry::Ends | Entry::Waits if !args.is_empty() => given_command(args, container),
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
                app: App::Datagram,
            });
            running(listeners)
        }
        Some("serve-hostname") => running(vec![tcp(value("port", 9376), App::ServeHostname)]),
        Some("porter") => running(Vec::new()),
        Some("pause") | None => running(Vec::new()),
        Some(_) => Process { assumed: true, ..running(Vec::new()) },
    }
}

/// A command that the container gives itself.
fn given_command(words: &[String], container: &Container) -> Process {
    let Some((program, args)) = words.split_first() else { return ended(AT_ONCE, 0) };
    let name = program.rsplit('/').next().unwrap_or(program);
    match name {
        "sh" | "bash" | "ash" | "dash" => {
            match args.iter().position(|word| word.starts_with('-') && word.contains('c')) {
                Some(at) => args
                    .get(at + 1)
                    .map_or_else(|| ended(AT_ONCE, 2), |script| script_process(script, container)),
                None if container.document.get("stdin").as_bool() == Some(true) => running(Vec::new()),
                None => ended(AT_ONCE, 0),
            }
        }
        _ => {
            simple(name, args, container).unwrap_or_else(|| Process { assumed: true, ..running(Vec::new()) })
        }
    }
}

/// One command, if it is one whose behaviour is known.
fn simple(name: &str, args: &[String], container: &Container) -> Option<Process> {
    let number = || args.first().and_then(|word| word.parse::<u8>().ok());
    Some(match name {
        "sleep" => match args.first().map(String::as_str) {
            Some("infinity" | "inf") => running(Vec::new()),
            Some(text) => match seconds(text) {
                Some(span) => ended(span, 0),
                None => ended(AT_ONCE, 1),
            },
            None => ended(AT_ONCE, 1),
        },
        "true" | ":" | "env" | "date" | "hostname" | "ls" | "cat" | "uname" | "cd" | "export" | "mkdir"
        | "touch" => ended(AT_ONCE, 0),
        "false" => ended(AT_ONCE, 1),
        "exit" => ended(AT_ONCE, number().unwrap_or(0)),
        "echo" | "printf" => {
            let mut process = ended(AT_ONCE, 0);
            process.prints.push(args.join(" "));
            process
        }
        "tail" if args.iter().any(|word| word == "-f" || word == "-F") => running(Vec::new()),
        "pause" | "wait" => running(Vec::new()),
        "nginx" => running(opened(&[Listens { port: 80, transport: Transport::Tcp, app: App::Nginx }])),
        "httpd" | "httpd-foreground" | "apache2-foreground" => {
            running(opened(&[Listens { port: 80, transport: Transport::Tcp, app: App::Httpd }]))
        }
        "nc" | "ncat" | "python" | "python3" | "node" => {
            Process { assumed: true, ..running(declared(container)) }
        }
        _ => return None,
    })
}

/// `sh -c SCRIPT`, command by command; a loop that never ends makes the process run on.
fn script_process(script: &str, container: &Container) -> Process {
    let trimmed = script.trim();
    let mut whole = Process { listeners: Vec::new(), end: None, prints: Vec::new(), assumed: false };
    let mut after = AT_ONCE;
    let mut code = 0;
    for statement in trimmed.split(['\n', ';']).flat_map(|part| part.split("&&")) {
        let words: Vec<String> =
            statement.split_whitespace().map(|word| word.trim_matches(['"', '\'']).to_owned()).collect();
        let Some((name, args)) = words.split_first() else { continue };
        let name = if name == "exec" { args.first() } else { Some(name) };
        let args = if words[0] == "exec" { args.get(1..).unwrap_or(&[]) } else { args };
        let Some(name) = name else { continue };
        if matches!(name.as_str(), "while" | "until" | "for") {
            let endless =
                matches!(args.first().map(String::as_str), Some("true" | ":" | "[")) || name == "until";
            return Process { assumed: !endless, ..whole };
        }
        let base = name.rsplit('/').next().unwrap_or(name);
        let Some(step) = simple(base, args, container) else {
            return Process { assumed: true, ..whole };
        };
        whole.prints.extend(step.prints);
        whole.listeners.extend(step.listeners);
        match step.end {
            None => return Process { assumed: step.assumed, ..whole },
            Some(end) => {
                after = after + end.after;
                code = end.code;
                if base == "exit" {
                    break;
                }
            }
        }
    }
    whole.end = Some(End { after, code });
    whole
}

fn seconds(text: &str) -> Option<Span> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(number) => (number, text.chars().last()?),
        None => (text, 's'),
    };
    let unit_ms = match unit {
        'm' => 60_000.0,
        'h' => 3_600_000.0,
        'd' => 86_400_000.0,
        _ => 1000.0,
    };
    let ms = number.parse::<f64>().ok()? * unit_ms;
    (ms >= 0.0).then(|| Span::from_ms(ms as u64))
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
