//! Commands that a container gives itself, in place of its image's own.
//!
//! Owns the decision what becomes of such a command: a server of the catalogue, something that ends when it
//! says (`sleep 5`), a program that the shell runs, one that the image does not have, or one that Portside does
//! not know, which is assumed to run. Scripts are judged by the names of their commands; the shell reads them.

use super::catalogue::{App, Image, Known, Listens, Transport, Userland, find};
use super::commands::contents;
use super::process::{AT_ONCE, Process, declared, ended, opened, running, server};
use super::reference::Reference;
use crate::api::typed::Container;
use crate::cluster::clock::Span;

/// Programs of servers and of languages, in images that are made for them. What they do is not looked into.
const SERVERS: &[&str] = &[
    "apache2-foreground",
    "caddy",
    "catalina.sh",
    "cassandra",
    "docker-entrypoint.sh",
    "entrypoint.sh",
    "gunicorn",
    "httpd",
    "httpd-foreground",
    "java",
    "mariadbd",
    "memcached",
    "mongod",
    "mysqld",
    "nats-server",
    "nginx",
    "nginx-debug",
    "node",
    "npm",
    "php",
    "php-fpm",
    "postgres",
    "python",
    "python3",
    "rabbitmq-server",
    "redis-cli",
    "redis-sentinel",
    "redis-server",
    "ruby",
    "uvicorn",
    "valkey-server",
];

/// Commands of images that have a package manager; the shell does not run them.
const PACKAGES: &[&str] = &["apk", "apt", "apt-get", "dpkg", "pip", "pip3", "yum"];

/// Words of the shell's grammar and its own commands, which every script may use.
const SHELL_WORDS: &[&str] = &[
    "!", ".", ":", "[", "[[", "break", "case", "cd", "continue", "do", "done", "elif", "else", "esac",
    "eval", "exec", "exit", "export", "fi", "for", "function", "if", "in", "let", "local", "read",
    "readonly", "return", "select", "set", "shift", "then", "time", "trap", "true", "type", "ulimit",
    "umask", "unset", "until", "wait", "while", "{", "}",
];

/// What becomes of the command `words` in a container of that image.
pub(super) fn process(
    words: &[String],
    known: &Known,
    reference: &Reference,
    container: &Container,
) -> Process {
    let Some((program, args)) = words.split_first() else { return ended(AT_ONCE, 0) };
    let image = match known {
        Known::Image(image) => Some(*image),
        Known::Assumed | Known::Missing => None,
    };
    let commands = contents(reference).commands;
    let (directory, name) = program.rsplit_once('/').unwrap_or(("", program));
    let in_path = in_path(directory);
    if image.is_some_and(|image| in_path && lacks(image, &commands, name)) {
        return Process { missing: Some(program.clone()), ..running(Vec::new()) };
    }
    if matches!(name, "sh" | "bash" | "ash" | "dash") {
        return shell(words, image, &commands, container);
    }
    if let Some(image) = image.filter(|image| is_server_of(image, name)) {
        return server(image, args);
    }
    let judged = simple(name, args, container);
    let plain = matches!(name, "sleep" | "true" | "false" | "tail" | "pause");
    let program = (in_path && !plain && commands.contains(&name) && !is_listening(&texts(words)))
        .then(|| words.to_vec());
    match judged {
        Some(judged) => Process { program, ..judged },
        None => Process { assumed: program.is_none(), program, ..running(Vec::new()) },
    }
}

/// What becomes of a command that is run inside a container by somebody else, such as an `exec` probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// The shell runs it.
    InShell,
    /// The image does not have it.
    Missing,
    /// It is the image's own business (`redis-cli ping`); it is assumed to succeed.
    Assumed,
}

/// What becomes of a command inside a container of that image.
#[must_use]
pub fn runs(program: &str, reference: &Reference) -> Runs {
    let (directory, name) = program.rsplit_once('/').unwrap_or(("", program));
    let commands = contents(reference).commands;
    match find(reference) {
        _ if in_path(directory) && commands.contains(&name) => Runs::InShell,
        Known::Image(image) if in_path(directory) && lacks(image, &commands, name) => Runs::Missing,
        _ => Runs::Assumed,
    }
}

/// Whether a program named with that directory is looked for in the PATH's directories.
fn in_path(directory: &str) -> bool {
    matches!(directory, "" | "/bin" | "/usr/bin" | "/sbin" | "/usr/sbin" | "/usr/local/bin")
}

/// Whether an image of the catalogue certainly has no such program.
fn lacks(image: &Image, commands: &[&str], name: &str) -> bool {
    let own = image.names.iter().any(|own| own.rsplit('/').next() == Some(name));
    let shell = name == "sh" && image.userland != Userland::Bare;
    let packages = image.userland != Userland::Busybox && PACKAGES.contains(&name);
    let languages = !matches!(image.userland, Userland::Busybox | Userland::Alpine | Userland::Curl);
    let server = languages && SERVERS.contains(&name);
    // What stands in an image without a shell is not listed anywhere.
    let bare = image.userland == Userland::Bare
        && !SHELL_WORDS.contains(&name)
        && !matches!(name, "sh" | "bash" | "sleep" | "env" | "cat" | "ls" | "echo");
    !(own || shell || packages || server || bare || commands.contains(&name))
}

/// Whether a program is the server that an image is made for.
fn is_server_of(image: &Image, name: &str) -> bool {
    let stem = name.trim_end_matches("-foreground").trim_end_matches("-server").trim_end_matches("-debug");
    let fits = |own: &&str| {
        let own = own.rsplit('/').next().unwrap_or(own);
        own == name || own == stem || name == format!("{own}d")
    };
    !image.listens.is_empty() && image.names.iter().any(fits)
}

/// Whether a command waits for connections: what `nc -l` and the like receive is not run by the shell.
fn is_listening(words: &[&str]) -> bool {
    let Some((program, args)) = words.split_first() else { return false };
    let flag = |args: &[&str]| args.iter().any(|word| word.starts_with('-') && word.contains('l'));
    match program.rsplit('/').next().unwrap_or(program) {
        "nc" | "ncat" => flag(args),
        "busybox" => args.contains(&"httpd") || args.contains(&"nc") && flag(args),
        "socat" | "telnetd" | "perl" | "httpd" => true,
        _ => false,
    }
}

/// `sh`, with or without a script.
fn shell(words: &[String], image: Option<&Image>, commands: &[&str], container: &Container) -> Process {
    let args = &words[1..];
    let at = args.iter().position(|word| word.starts_with('-') && word.contains('c'));
    let Some(at) = at else {
        let attended = container.document.get("stdin").as_bool() == Some(true);
        return if attended { running(Vec::new()) } else { ended(AT_ONCE, 0) };
    };
    let Some(script) = args.get(at + 1) else { return ended(AT_ONCE, 2) };
    let judged = judged_script(script, container);
    let exact = |words: &Vec<&str>| matches!(words[0], "sleep" | "exit" | "true" | "false" | ":");
    let runnable = |words: &Vec<&str>| {
        let (directory, base) = words[0].rsplit_once('/').unwrap_or(("", words[0]));
        SHELL_WORDS.contains(&base)
            || (in_path(directory) && commands.contains(&base) && !is_listening(words))
            || (directory.is_empty() && image.is_some_and(|image| lacks(image, commands, base)))
    };
    let statements: Vec<Vec<&str>> = statements(script).collect();
    let runs = judged.listeners.is_empty()
        && !statements.iter().all(exact)
        && statements.iter().all(runnable)
        && !never_rests(script);
    Process { program: runs.then(|| words.to_vec()), ..judged }
}

fn texts(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// The words of a script's commands, as far as a look at its letters tells; assignments before them are
/// skipped. No command is empty.
fn statements(script: &str) -> impl Iterator<Item = Vec<&str>> {
    const STARTERS: [&str; 10] = ["do", "then", "else", "elif", "if", "while", "until", "!", "exec", "{"];
    let is_name = |text: &str| {
        !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    let is_prefix = move |word: &&str| {
        STARTERS.contains(word) || word.split_once('=').is_some_and(|(name, _)| is_name(name))
    };
    script.split(['\n', ';', '|', '&', '(', ')', '`']).filter_map(move |part| {
        let words = part.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
        let words: Vec<&str> = words.skip_while(is_prefix).filter(|word| !word.is_empty()).collect();
        (!words.is_empty()).then_some(words)
    })
}

/// Whether a script goes round without ever waiting: nobody could watch it.
fn never_rests(script: &str) -> bool {
    let loops = ["while ", "until "].iter().any(|word| script.contains(word));
    loops && !["sleep", "read", "-i"].iter().any(|word| script.contains(word))
}

/// One command, if it is one whose behaviour is known without running it.
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
        "nc" | "ncat" | "socat" | "python" | "python3" | "node" => {
            Process { assumed: true, ..running(declared(container)) }
        }
        _ => return None,
    })
}

/// `sh -c SCRIPT`, command by command; a loop that never ends makes the process run on.
fn judged_script(script: &str, container: &Container) -> Process {
    let mut whole = ended(AT_ONCE, 0);
    let mut after = AT_ONCE;
    let mut code = 0;
    let endless = |whole: Process, assumed: bool| Process { end: None, assumed, ..whole };
    for statement in script.trim().split(['\n', ';']).flat_map(|part| part.split("&&")) {
        let words: Vec<String> =
            statement.split_whitespace().map(|word| word.trim_matches(['"', '\'']).to_owned()).collect();
        let Some((name, args)) = words.split_first() else { continue };
        let name = if name == "exec" { args.first() } else { Some(name) };
        let args = if words[0] == "exec" { args.get(1..).unwrap_or(&[]) } else { args };
        let Some(name) = name else { continue };
        if matches!(name.as_str(), "while" | "until" | "for") {
            let known =
                matches!(args.first().map(String::as_str), Some("true" | ":" | "[")) || name == "until";
            return endless(whole, !known);
        }
        let base = name.rsplit('/').next().unwrap_or(name);
        let Some(step) = simple(base, args, container) else { return endless(whole, true) };
        whole.prints.extend(step.prints);
        whole.listeners.extend(step.listeners);
        match step.end {
            None => return endless(whole, step.assumed),
            Some(end) => {
                after = after + end.after;
                code = end.code;
                if base == "exit" {
                    break;
                }
            }
        }
    }
    whole.end = Some(super::process::End { after, code });
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
    use crate::api::object::Object;
    use crate::api::registry::Kind;
    use crate::api::value::Value;
    use crate::containers;

    fn of(image: &str, words: &[&str]) -> Process {
        let words: Value = words.iter().map(|word| Value::from((*word).to_owned())).collect();
        let pod = crate::value!({ "spec": { "containers": [{ "name": "c", "image": (image.to_owned()), "command": words }] } });
        containers::process(&Object::new(Kind::Pod, pod, None).as_pod().unwrap().spec.containers[0])
    }

    #[test]
    fn what_the_shell_can_run_is_a_program_and_what_it_cannot_is_not() {
        let cases: [(&str, &[&str], bool); 9] = [
            ("busybox", &["sh", "-c", "while true; do date; sleep 5; done"], true),
            ("busybox", &["sh", "-c", "while true; do :; done"], false),
            ("busybox", &["sleep", "3600"], false),
            ("busybox", &["sh", "-c", "sleep 5; exit 3"], false),
            ("busybox", &["sh", "-c", "i=0; until nslookup web; do sleep 2; done"], true),
            ("busybox", &["date"], true),
            ("nginx", &["sh", "-c", "echo hi > index.html && nginx -g 'daemon off;'"], false),
            ("busybox", &["sh", "-c", "while true; do echo hi | nc -l -p 80; sleep 1; done"], false),
            ("team/app", &["sh", "-c", "./serve --port 80; sleep 1"], false),
        ];
        for (image, words, program) in cases {
            assert_eq!(of(image, words).program.is_some(), program, "{image} {words:?}");
        }
    }

    #[test]
    fn a_program_that_the_image_lacks_is_missing_and_one_that_it_may_have_is_not() {
        let missing = |image: &str, words: &[&str]| of(image, words).missing;
        assert_eq!(missing("busybox", &["bash"]), Some("bash".to_owned()));
        assert_eq!(missing("nginx", &["/bin/netexec", "-v"]), Some("/bin/netexec".to_owned()));
        assert_eq!(missing("nginx", &["apt-get", "update"]), None);
        assert_eq!(missing("nginx", &["/app/start"]), None);
        assert_eq!(missing("redis", &["redis-server", "--port", "6380"]), None);
        assert_eq!(missing("team/app", &["serve"]), None);
        assert_eq!(missing("registry.k8s.io/pause:3.9", &["sh"]), Some("sh".to_owned()));
    }

    #[test]
    fn an_images_own_server_listens_where_it_is_told() {
        let redis = of("redis", &["redis-server", "--port", "6380"]);
        assert_eq!(redis.listeners.iter().map(|one| one.port).collect::<Vec<_>>(), [6380]);
    }
}
