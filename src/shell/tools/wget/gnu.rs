//! GNU wget.

use std::net::IpAddr;
use std::time::Duration;

use super::{COMMAND, connect_any, fetch, file_name, seconds};
use crate::containers::http::{Request, Response};
use crate::shell::client::{Connection, Failure, Refusal};
use crate::shell::flags::{Parsed, Style};
use crate::shell::invocation::Invocation;
use crate::shell::resolver::{ResolveError, resolve};
use crate::shell::tools::url::Url;

/// How often GNU wget tries when nobody says otherwise.
const TRIES: u32 = 20;
/// The longest pause between two tries, in seconds (`--waitretry`).
const LONGEST_PAUSE_SECONDS: u64 = 10;
/// The exit status for network failures, and for responses that are errors.
const NETWORK_FAILURE: i32 = 4;
const SERVER_ERROR: i32 = 8;

pub(super) async fn run(invocation: &Invocation) -> i32 {
    let parsed = match invocation.parse(&COMMAND, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return if status == 0 { 0 } else { 2 },
    };
    if parsed.operands.is_empty() {
        invocation.stderr().write(
            "wget: missing URL\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n",
        );
        return 1;
    }
    let mut status = 0;
    for text in &parsed.operands {
        let Ok(url) = Url::parse(text) else {
            invocation.stderr().line(&format!("{text}: Invalid host name."));
            return 1;
        };
        let get = Get { invocation, parsed: &parsed, url: &url, quiet: parsed.has("quiet") };
        let one = get.run().await;
        status = if one == 0 { status } else { one };
    }
    status
}

struct Get<'a> {
    invocation: &'a Invocation,
    parsed: &'a Parsed,
    url: &'a Url,
    quiet: bool,
}

impl Get<'_> {
    fn say(&self, text: &str) {
        if !self.quiet {
            self.invocation.stderr().write(text);
        }
    }

    fn time(&self) -> String {
        let now = self.invocation.host.with(|simulation| simulation.cluster.timestamp());
        now.to_string().replace('T', " ").replace('Z', "")
    }

    /// The URL as wget shows it.
    fn shown(&self) -> String {
        format!("{}://{}{}", self.url.scheme, self.url.host_header(), self.url.target)
    }

    async fn run(&self) -> i32 {
        if self.parsed.has("spider") {
            self.say("Spider mode enabled. Check if remote file exists.\n");
        }
        let tries = self.parsed.value("tries").and_then(|text| text.parse().ok()).unwrap_or(TRIES);
        for attempt in 1..=tries.max(1) {
            let number = if attempt > 1 { format!("(try:{attempt:>2})  ") } else { String::new() };
            self.say(&format!("--{}--  {number}{}\n", self.time(), self.shown()));
            let addresses = match self.addresses().await {
                Ok(addresses) => addresses,
                Err(status) => return status,
            };
            match self.connection(&addresses).await {
                Ok(connection) => return self.transfer(&connection).await,
                Err(Failure::TimedOut | Failure::LimitReached) if attempt < tries => {
                    self.say("Retrying.\n\n");
                    let pause = u64::from(attempt).min(LONGEST_PAUSE_SECONDS);
                    self.invocation.sleep(Duration::from_secs(pause)).await;
                }
                Err(Failure::TimedOut | Failure::LimitReached) => {
                    self.say("Giving up.\n\n");
                    return NETWORK_FAILURE;
                }
                Err(_) => return NETWORK_FAILURE,
            }
        }
        NETWORK_FAILURE
    }

    async fn addresses(&self) -> Result<Vec<IpAddr>, i32> {
        let host = &self.url.host;
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        self.say(&format!("Resolving {host} ({host})... "));
        match resolve(self.invocation, host, None).await {
            Ok(addresses) => {
                let list: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                self.say(&format!("{}\n", list.join(", ")));
                Ok(addresses)
            }
            Err(error) => {
                let why = match error {
                    ResolveError::NotFound => "Name or service not known",
                    ResolveError::NoServer | ResolveError::LimitReached => {
                        "Temporary failure in name resolution"
                    }
                };
                self.say(&format!("failed: {why}.\nwget: unable to resolve host address ‘{host}’\n"));
                Err(NETWORK_FAILURE)
            }
        }
    }

    async fn connection(&self, addresses: &[IpAddr]) -> Result<Connection, Failure> {
        let limit = seconds(self.parsed.value("timeout"));
        let named = self.url.host.parse::<IpAddr>().is_err();
        let mut failure = Failure::Refused;
        for address in addresses {
            let port = self.url.port();
            let host = &self.url.host;
            let target = if named {
                format!("{host} ({host})|{address}|:{port}")
            } else {
                format!("{address}:{port}")
            };
            self.say(&format!("Connecting to {target}... "));
            let told = |_, outcome: &Result<(), Refusal>| match outcome {
                Ok(()) => self.say("connected.\n"),
                Err(refusal) => {
                    failure = refusal.failure;
                    let why = match refusal.failure {
                        Failure::Refused => "Connection refused",
                        Failure::NoRoute => "No route to host",
                        Failure::TimedOut | Failure::LimitReached => "Connection timed out",
                    };
                    self.say(&format!("failed: {why}.\n"));
                }
            };
            if let Some(connection) = connect_any(self.invocation, &[*address], port, limit, told).await {
                return Ok(connection);
            }
        }
        Err(failure)
    }

    fn request(&self) -> Request {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let agent = self.parsed.value("user-agent").unwrap_or("Wget/1.21.3");
        let mut headers = vec![
            header("Host", &self.url.host_header()),
            header("User-Agent", agent),
            header("Accept", "*/*"),
            header("Accept-Encoding", "identity"),
            header("Connection", "Keep-Alive"),
        ];
        for given in self.parsed.values("header") {
            if let Some((name, value)) = given.split_once(':') {
                headers.retain(|(held, _)| !held.eq_ignore_ascii_case(name));
                headers.push(header(name, value.trim()));
            }
        }
        let posts = self.parsed.value("post-data");
        let spider = self.parsed.has("spider");
        let method = if posts.is_some() {
            "POST"
        } else if spider {
            "HEAD"
        } else {
            "GET"
        };
        Request {
            method: method.to_owned(),
            target: self.url.target.clone(),
            headers,
            body: posts.unwrap_or("").to_owned(),
        }
    }

    async fn transfer(&self, connection: &Connection) -> i32 {
        self.say("HTTP request sent, awaiting response... ");
        if self.url.scheme == "https" {
            self.say("\nUnable to establish SSL connection.\n");
            return NETWORK_FAILURE;
        }
        let Some(response) = fetch(self.invocation, connection, &self.request()).await else {
            self.say("No data received.\n");
            return NETWORK_FAILURE;
        };
        if self.parsed.has("server-response") {
            let headers: String =
                response.headers.iter().map(|(name, value)| format!("  {name}: {value}\n")).collect();
            self.say(&format!("\n  HTTP/1.1 {} {}\n{headers}", response.status, response.reason));
        } else {
            self.say(&format!("{} {}\n", response.status, response.reason));
        }
        if self.parsed.has("spider") {
            return self.spider(&response);
        }
        if response.status >= 400 {
            self.say(&format!("{} ERROR {}: {}.\n\n", self.time(), response.status, response.reason));
            return SERVER_ERROR;
        }
        self.save(&response)
    }

    fn length(response: &Response) -> String {
        let kind = response.header("Content-Type").unwrap_or("").split(';').next().unwrap_or("");
        format!("Length: {} [{kind}]\n", response.header("Content-Length").unwrap_or("unspecified"))
    }

    fn spider(&self, response: &Response) -> i32 {
        if response.status >= 400 {
            self.say("Remote file does not exist -- broken link!!!\n\n");
            return SERVER_ERROR;
        }
        self.say(&Self::length(response));
        self.say("Remote file exists and could contain further links,\nbut recursion is disabled -- not retrieving.\n\n");
        0
    }

    fn save(&self, response: &Response) -> i32 {
        let given = self.parsed.value("output-document");
        let to_stdout = given == Some("-");
        let name = given.map_or_else(|| self.free_name(), str::to_owned);
        let shown = if to_stdout { "STDOUT" } else { &name };
        self.say(&format!("{}Saving to: ‘{shown}’\n\n", Self::length(response)));
        let size = response.body.len();
        let bar_name: String = if to_stdout { "-".to_owned() } else { name.chars().take(18).collect() };
        self.say(&format!("\n{bar_name:<20}  0%[                    ]       0  --.-KB/s               "));
        if to_stdout {
            self.invocation.stdout().write(&response.body);
        } else if name != "/dev/null" {
            let path = self.invocation.path(&name);
            if let Err(error) = self.invocation.files().borrow_mut().write(&path, &response.body) {
                self.invocation.stderr().line(&format!("{name}: {}", error.words()));
                return 3;
            }
        }
        self.say(&format!(
            "\n{bar_name:<20}100%[===================>] {size:>7}  --.-KB/s    in 0s      \n\n"
        ));
        let end = if to_stdout { "written to stdout".to_owned() } else { format!("‘{name}’ saved") };
        // A simulated transfer takes no time that could be divided by: the speed is left out of the line.
        self.say(&format!("{} - {end} [{size}/{size}]\n\n", self.time()));
        0
    }

    /// `index.html`, or `index.html.1` where that exists, and so on.
    fn free_name(&self) -> String {
        let name = file_name(self.url);
        let files = self.invocation.files();
        let exists = |name: &str| files.borrow().entry(&self.invocation.path(name)).is_some();
        if !exists(&name) {
            return name;
        }
        let numbered = (1..).map(|number| format!("{name}.{number}")).find(|name| !exists(name));
        numbered.expect("there are fewer files than numbers")
    }
}
