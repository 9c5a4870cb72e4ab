//! busybox' wget.

use super::{COMMAND, connect_any, fetch, file_name, seconds};
use crate::containers::http::{Request, Response};
use crate::shell::client::Failure;
use crate::shell::flags::{FlagError, Parsed, Style, not_simulated, parse};
use crate::shell::invocation::Invocation;
use crate::shell::resolver::resolve;
use crate::shell::tools::url::Url;

/// How long busybox' wget waits for anything (`-T`), in seconds.
const TIMEOUT_SECONDS: u64 = 900;

pub(super) async fn run(invocation: &Invocation) -> i32 {
    let parsed = match parse(COMMAND.flags, Style::Gnu, &invocation.arguments) {
        Ok(parsed) => parsed,
        Err(error) => return usage(invocation, &error),
    };
    if parsed.operands.is_empty() {
        invocation.stderr().write(&COMMAND.help(invocation.host.language()));
        return 1;
    }
    for url in &parsed.operands {
        if let Err(message) = get(invocation, &parsed, url).await {
            invocation.stderr().line(&format!("wget: {message}"));
            return 1;
        }
    }
    0
}

fn usage(invocation: &Invocation, error: &FlagError) -> i32 {
    let text = match error {
        FlagError::NotSimulated(flag, nearest) => not_simulated(&format!("wget {flag}"), nearest),
        other => {
            let first = other.gnu("wget");
            let first = first.lines().next().unwrap_or("").to_owned();
            format!("{first}\n{}", COMMAND.help(invocation.host.language()))
        }
    };
    invocation.stderr().write(&text);
    1
}

async fn get(invocation: &Invocation, parsed: &Parsed, text: &str) -> Result<(), String> {
    let url = Url::parse(text).map_err(|_| format!("bad address '{text}'"))?;
    if url.scheme != "http" {
        return Err(format!("not an http or ftp url: {text}"));
    }
    let quiet = parsed.has("quiet");
    let say = |line: &str| {
        if !quiet {
            invocation.stderr().line(line);
        }
    };
    let limit = seconds(parsed.value("timeout")).unwrap_or(std::time::Duration::from_secs(TIMEOUT_SECONDS));
    let addresses =
        resolve(invocation, &url.host, None).await.map_err(|_| format!("bad address '{}'", url.host))?;
    let first = addresses[0];
    say(&format!("Connecting to {} ({first}:{})", url.host, url.port()));
    let mut failure = None;
    let told = |_, outcome: &Result<(), crate::shell::client::Refusal>| {
        failure = outcome.as_ref().err().map(|refusal| refusal.failure);
    };
    let Some(connection) = connect_any(invocation, &addresses[..1], url.port(), Some(limit), told).await
    else {
        return Err(match failure {
            Some(Failure::LimitReached) => "download timed out".to_owned(),
            Some(Failure::NoRoute) => format!("can't connect to remote host ({first}): No route to host"),
            Some(Failure::TimedOut) => {
                format!("can't connect to remote host ({first}): Connection timed out")
            }
            _ => format!("can't connect to remote host ({first}): Connection refused"),
        });
    };
    let request = request(parsed, &url);
    let response = fetch(invocation, &connection, &request).await.ok_or("error getting response")?;
    if parsed.has("server-response") {
        let mut text = format!("  HTTP/1.1 {} {}\n", response.status, response.reason);
        for (name, value) in &response.headers {
            text.push_str(&format!("  {name}: {value}\n"));
        }
        invocation.stderr().write(&text);
        invocation.stderr().line("  ");
    }
    if response.status >= 400 {
        return Err(format!("server returned error: HTTP/1.1 {} {}", response.status, response.reason));
    }
    save(invocation, parsed, &url, &response)
}

fn request(parsed: &Parsed, url: &Url) -> Request {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let agent = parsed.value("user-agent").unwrap_or("Wget");
    let mut headers =
        vec![header("Host", &url.host_header()), header("User-Agent", agent), header("Connection", "close")];
    for given in parsed.values("header") {
        if let Some((name, value)) = given.split_once(':') {
            headers.retain(|(held, _)| !held.eq_ignore_ascii_case(name));
            headers.push(header(name, value.trim()));
        }
    }
    let body = parsed.value("post-data").unwrap_or("").to_owned();
    let method = if parsed.value("post-data").is_some() {
        "POST"
    } else if parsed.has("spider") {
        "HEAD"
    } else {
        "GET"
    };
    Request { method: method.to_owned(), target: url.target.clone(), headers, body }
}

fn save(invocation: &Invocation, parsed: &Parsed, url: &Url, response: &Response) -> Result<(), String> {
    let quiet = parsed.has("quiet");
    if parsed.has("spider") {
        if !quiet {
            invocation.stderr().line("remote file exists");
        }
        return Ok(());
    }
    let to_stdout = parsed.value("output-document") == Some("-");
    let name = parsed.value("output-document").map_or_else(|| file_name(url), str::to_owned);
    if !quiet {
        let line = if to_stdout { "writing to stdout".to_owned() } else { format!("saving to '{name}'") };
        invocation.stderr().line(&line);
    }
    if to_stdout {
        invocation.stdout().write(&response.body);
    } else {
        let path = invocation.path(&name);
        let files = invocation.files();
        if parsed.value("output-document").is_none() && files.borrow().entry(&path).is_some() {
            return Err(format!("can't open '{name}': File exists"));
        }
        let written = files.borrow_mut().write(&path, &response.body);
        written.map_err(|error| format!("can't open '{name}': {}", error.words()))?;
    }
    if !quiet {
        let shown = if to_stdout { "-" } else { &name };
        let bar = "*".repeat(32);
        let tty = if invocation.stderr().is_terminal() { "\n" } else { "" };
        let end = if to_stdout { "written to stdout".to_owned() } else { format!("'{name}' saved") };
        invocation
            .stderr()
            .line(&format!("{tty}{shown:<20} 100% |{bar}| {:>5}  0:00:00 ETA\n{end}", response.body.len()));
    }
    Ok(())
}
