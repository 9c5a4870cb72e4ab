//! One transfer of curl: from a URL to the output.
//!
//! Owns the steps (URL, name, connection, request, response, output) and what `-v`, `-w` and errors print at each.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::options::Options;
use super::progress;
use crate::containers::http::{Request, Response};
use crate::shell::client::{Connection, Failure, Refusal, connect, exchange};
use crate::shell::escapes::unescape;
use crate::shell::invocation::Invocation;
use crate::shell::resolver::{ResolveError, resolve};
use crate::shell::tools::url::Url;
use crate::simulation::incidents::Incident;

/// How long curl tries to connect when nobody says otherwise, in seconds (`CURLOPT_CONNECTTIMEOUT`).
const CONNECT_SECONDS: u64 = 300;
/// How many redirections are followed (`CURLOPT_MAXREDIRS` of the tool).
const REDIRECTIONS: u32 = 50;

/// A connection that a next URL of the same host may use.
pub(super) struct Kept {
    host: String,
    port: u16,
    connection: Connection,
    number: u32,
}

/// A transfer.
pub(super) struct Transfer<'a> {
    invocation: &'a Invocation,
    options: &'a Options,
    index: usize,
    kept: Option<Kept>,
    next_number: u32,
    start_us: u64,
    meter_shown: bool,
    status: u16,
    size: usize,
    remote: Option<SocketAddr>,
    content_type: String,
    exit: i32,
    connect_us: u64,
}

impl<'a> Transfer<'a> {
    pub(super) fn new(
        invocation: &'a Invocation,
        options: &'a Options,
        index: usize,
        kept: Option<Kept>,
    ) -> Self {
        let next_number = kept.as_ref().map_or(0, |kept| kept.number + 1);
        Self {
            invocation,
            options,
            index,
            kept,
            next_number,
            start_us: invocation.host.now(),
            meter_shown: false,
            status: 0,
            size: 0,
            remote: None,
            content_type: String::new(),
            exit: 0,
            connect_us: 0,
        }
    }

    pub(super) fn into_connection(self) -> Option<Kept> {
        self.kept
    }

    /// Fetches `url`; gives curl's exit status.
    pub(super) async fn run(&mut self, url: &str) -> i32 {
        let status = match self.fetch(url).await {
            Ok(status) => status,
            Err((status, message)) => {
                if self.options.show_error {
                    self.invocation.stderr().line(&format!("curl: ({status}) {message}"));
                }
                status
            }
        };
        self.exit = status;
        self.write_out();
        status
    }

    async fn fetch(&mut self, text: &str) -> Result<i32, (i32, String)> {
        let bad_url = |_| (3, "URL using bad/illegal format or missing URL".to_owned());
        let mut url = Url::parse(text).map_err(bad_url)?;
        for _ in 0..=REDIRECTIONS {
            if url.scheme != "http" && url.scheme != "https" {
                return Err((1, format!("Protocol \"{}\" not supported or disabled in libcurl", url.scheme)));
            }
            let file = self.output_name(&url)?;
            self.meter(file.is_some());
            let response = self.request(&url).await?;
            self.status = response.status;
            self.content_type = response.header("Content-Type").unwrap_or_default().to_owned();
            if let Some(location) =
                response.header("Location").filter(|_| self.options.follow && response.status / 100 == 3)
            {
                url = url.join(location).map_err(bad_url)?;
                continue;
            }
            if self.options.fail && response.status >= 400 {
                return Err((22, format!("The requested URL returned error: {}", response.status)));
            }
            return self.output(&response, file.as_deref());
        }
        Err((47, format!("Maximum ({REDIRECTIONS}) redirects followed")))
    }

    /// The file to write to, if not standard output.
    fn output_name(&self, url: &Url) -> Result<Option<String>, (i32, String)> {
        if let Some(name) = self.options.outputs.get(self.index) {
            return Ok((name != "-").then(|| name.clone()));
        }
        if !self.options.remote_name {
            return Ok(None);
        }
        let path = url.target.split('?').next().unwrap_or("");
        match path.rsplit('/').next().filter(|name| !name.is_empty()) {
            Some(name) => Ok(Some(name.to_owned())),
            None => {
                self.invocation.stderr().line("curl: Remote file name has no length!");
                Err((23, "Failed writing received data to disk/application".to_owned()))
            }
        }
    }

    /// Begins the progress meter where curl shows one.
    fn meter(&mut self, to_file: bool) {
        let shown = self.options.progress && (to_file || !self.invocation.stdout().is_terminal());
        if shown && !self.meter_shown {
            self.meter_shown = true;
            self.invocation.stderr().write(progress::HEADER);
            self.invocation.stderr().write(&progress::waiting(Duration::ZERO));
        }
    }

    fn elapsed(&self) -> Duration {
        Duration::from_micros(self.invocation.host.now() - self.start_us)
    }

    /// What is left until `-m`, if there is such a limit; and until the limit for connecting.
    fn time_left(&self) -> Duration {
        let connecting = self.options.connect_timeout.unwrap_or(Duration::from_secs(CONNECT_SECONDS));
        let whole = self.options.max_time.unwrap_or(Duration::MAX);
        connecting.min(whole).saturating_sub(self.elapsed())
    }

    fn note(&self, text: &str) {
        if self.options.verbose {
            self.invocation.stderr().line(&format!("* {text}"));
        }
    }

    async fn addresses(&self, url: &Url) -> Result<Vec<IpAddr>, (i32, String)> {
        let given =
            self.options.resolve.iter().filter(|(host, port, _)| *host == url.host && *port == url.port());
        let given: Vec<IpAddr> = given.map(|(.., address)| *address).collect();
        if let Some(address) = given.first() {
            self.note(&format!("Added {}:{}:{address} to DNS cache", url.host, url.port()));
            self.note(&format!("Hostname {} was found in DNS cache", url.host));
            return Ok(given);
        }
        match resolve(self.invocation, &url.host, Some(self.time_left())).await {
            Ok(addresses) => {
                let wanted =
                    |address: &IpAddr| self.options.family.is_none_or(|six| address.is_ipv6() == six);
                let addresses: Vec<IpAddr> = addresses.into_iter().filter(wanted).collect();
                if addresses.is_empty() { Err(self.unresolved(url)) } else { Ok(addresses) }
            }
            Err(ResolveError::LimitReached) => {
                Err((28, format!("Resolving timed out after {} milliseconds", self.elapsed().as_millis())))
            }
            Err(_) => Err(self.unresolved(url)),
        }
    }

    fn unresolved(&self, url: &Url) -> (i32, String) {
        let message = format!("Could not resolve host: {}", url.host);
        self.note(&message);
        self.note("Closing connection 0");
        (6, message)
    }

    /// A connection to the host: the kept one, or a new one to the first address that answers.
    async fn connection(&mut self, url: &Url) -> Result<Connection, (i32, String)> {
        if let Some(kept) = self.kept.as_ref().filter(|kept| kept.host == url.host && kept.port == url.port())
        {
            self.note(&format!("Re-using existing connection #{} with host {}", kept.number, url.host));
            self.remote = Some(kept.connection.remote);
            let connection = kept.connection.clone();
            let (to, server) = (connection.remote, connection.delivery.server.clone());
            self.invocation.host.with(|simulation| simulation.note(Incident::Reused { to, server }));
            return Ok(connection);
        }
        let addresses = self.addresses(url).await?;
        let mut last = None;
        for address in addresses {
            let to = SocketAddr::new(address, url.port());
            self.note(&format!("  Trying {to}..."));
            match connect(self.invocation, to, Some(self.time_left())).await {
                Ok(connection) => {
                    let number = self.next_number;
                    self.note(&format!(
                        "Connected to {} ({address}) port {} (#{number})",
                        url.host,
                        url.port()
                    ));
                    self.remote = Some(to);
                    self.connect_us = self.invocation.host.now() - self.start_us;
                    self.kept = Some(Kept {
                        host: url.host.clone(),
                        port: url.port(),
                        connection: connection.clone(),
                        number,
                    });
                    return Ok(connection);
                }
                Err(refusal) => {
                    self.failed_attempt(to, &refusal);
                    let ended = refusal.failure == Failure::LimitReached;
                    last = Some(refusal);
                    if ended {
                        break;
                    }
                }
            }
        }
        let refusal = last.expect("a name that resolves has an address");
        Err(self.not_connected(url, &refusal))
    }

    /// What `-v` says of one address that could not be reached.
    fn failed_attempt(&self, to: SocketAddr, refusal: &Refusal) {
        let why = match refusal.failure {
            Failure::Refused => "Connection refused",
            Failure::NoRoute => "No route to host",
            Failure::TimedOut => "Connection timed out",
            Failure::LimitReached => return,
        };
        self.note(&format!("connect to {} port {} failed: {why}", to.ip(), to.port()));
    }

    fn not_connected(&self, url: &Url, refusal: &Refusal) -> (i32, String) {
        let ms = self.elapsed().as_millis();
        let (host, port) = (&url.host, url.port());
        let by_limit = refusal.failure == Failure::LimitReached;
        let whole = self.options.max_time.unwrap_or(Duration::MAX);
        let connecting = self.options.connect_timeout.unwrap_or(Duration::from_secs(CONNECT_SECONDS));
        if by_limit && whole <= connecting {
            let message = format!("Connection timed out after {ms} milliseconds");
            self.note(&message);
            self.note("Closing connection 0");
            return (28, message);
        }
        let (status, end) = if by_limit {
            self.note(&format!("ipv4 connect timeout after {}ms, move on!", connecting.as_millis()));
            (28, "Timeout was reached")
        } else {
            (if refusal.failure == Failure::TimedOut { 28 } else { 7 }, "Couldn't connect to server")
        };
        let message = format!("Failed to connect to {host} port {port} after {ms} ms: {end}");
        self.note(&message);
        self.note("Closing connection 0");
        (status, message)
    }

    async fn request(&mut self, url: &Url) -> Result<Response, (i32, String)> {
        let connection = self.connection(url).await?;
        if url.scheme == "https" {
            // Nothing in Portside speaks TLS: a plain server answers the handshake with what is no TLS record.
            return Err((35, "OpenSSL/3.0.19: error:0A00010B:SSL routines::wrong version number".to_owned()));
        }
        let request = self.build(url);
        if self.options.verbose {
            let lines = request.headers.iter().map(|(name, value)| format!("> {name}: {value}\n"));
            let text: String = std::iter::once(format!("> {} {} HTTP/1.1\n", request.method, request.target))
                .chain(lines)
                .chain(["> \n".to_owned()])
                .collect();
            self.invocation.stderr().write(&text);
        }
        let round_trip = Duration::from_micros(2 * connection.delivery.latency_us);
        self.invocation.sleep(round_trip).await;
        match exchange(self.invocation, &connection, &request) {
            Some(response) => {
                if self.options.verbose {
                    let lines = response.headers.iter().map(|(name, value)| format!("< {name}: {value}\n"));
                    let text: String =
                        std::iter::once(format!("< HTTP/1.1 {} {}\n", response.status, response.reason))
                            .chain(lines)
                            .chain(["< \n".to_owned()])
                            .collect();
                    self.invocation.stderr().write(&text);
                }
                Ok(response)
            }
            None => {
                self.kept = None;
                self.note("Empty reply from server");
                self.note("Closing connection 0");
                Err((52, "Empty reply from server".to_owned()))
            }
        }
    }

    fn build(&self, url: &Url) -> Request {
        let options = self.options;
        let mut target = url.target.clone();
        let mut body = String::new();
        if let Some(data) = &options.data {
            if options.data_in_query {
                target.push(if target.contains('?') { '&' } else { '?' });
                target.push_str(data);
            } else {
                body.clone_from(data);
            }
        }
        let posts = options.data.is_some() && !options.data_in_query;
        let usual = if options.head {
            "HEAD"
        } else if posts {
            "POST"
        } else {
            "GET"
        };
        let mut request = Request::get(&url.host_header(), &target, &options.agent);
        request.method = options.method.clone().unwrap_or_else(|| usual.to_owned());
        for header in &options.headers {
            let Some((name, value)) = header.split_once(':') else { continue };
            let value = value.trim().to_owned();
            let held = request.headers.iter_mut().position(|(held, _)| held.eq_ignore_ascii_case(name));
            match held {
                Some(at) if value.is_empty() => {
                    request.headers.remove(at);
                }
                Some(at) => request.headers[at].1 = value,
                None => request.headers.push((name.to_owned(), value)),
            }
        }
        if posts {
            request.headers.push(("Content-Length".to_owned(), body.len().to_string()));
            request.headers.push(("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        }
        request.body = body;
        request
    }

    fn output(&mut self, response: &Response, file: Option<&str>) -> Result<i32, (i32, String)> {
        self.size = response.body.len();
        let mut text = String::new();
        if self.options.include {
            let styled = self.invocation.stdout().is_terminal() && file.is_none();
            let name_form =
                |name: &str| if styled { format!("\x1b[1m{name}\x1b[0m") } else { name.to_owned() };
            text.push_str(&format!("HTTP/1.1 {} {}\n", response.status, response.reason));
            for (name, value) in &response.headers {
                text.push_str(&format!("{}: {value}\n", name_form(name)));
            }
            text.push('\n');
        }
        if !self.options.head {
            text.push_str(&response.body);
        }
        if self.meter_shown && !self.options.head {
            self.invocation.stderr().write(&progress::done(self.size, self.elapsed()));
        }
        match file {
            Some("/dev/null") => {}
            Some(name) => {
                let path = self.invocation.path(name);
                let written = self.invocation.files().borrow_mut().write(&path, &text);
                if written.is_err() {
                    return Err((23, "Failure writing output to destination".to_owned()));
                }
            }
            None => self.invocation.stdout().write(&text),
        }
        let close = |value: &str| value.eq_ignore_ascii_case("close");
        let asked = self.options.headers.iter().filter_map(|header| header.split_once(':'));
        let closed = response.header("Connection").is_some_and(close)
            || asked
                .into_iter()
                .any(|(name, value)| name.eq_ignore_ascii_case("Connection") && close(value.trim()));
        if closed && let Some(kept) = self.kept.take() {
            self.note(&format!("Closing connection {}", kept.number));
            self.next_number = kept.number + 1;
        }
        if let Some(kept) = &self.kept {
            self.note(&format!("Connection #{} to host {} left intact", kept.number, kept.host));
        }
        Ok(0)
    }

    /// `-w`.
    fn write_out(&self) {
        let Some(format) = &self.options.write_out else { return };
        let total = self.elapsed().as_secs_f64();
        let mut text = unescape(format);
        let remote = |part: fn(&SocketAddr) -> String| self.remote.as_ref().map(part).unwrap_or_default();
        for (name, value) in [
            ("http_code", format!("{:03}", self.status)),
            ("response_code", format!("{:03}", self.status)),
            ("remote_ip", remote(|to| to.ip().to_string())),
            ("remote_port", self.remote.map_or(0, |to| to.port()).to_string()),
            ("size_download", self.size.to_string()),
            ("time_total", format!("{total:.6}")),
            ("time_connect", format!("{:.6}", self.connect_us as f64 / 1e6)),
            ("url_effective", self.options.urls[self.index].clone()),
            ("num_connects", u32::from(self.remote.is_some()).to_string()),
            ("exitcode", self.exit.to_string()),
            ("content_type", self.content_type.clone()),
            ("http_version", if self.status == 0 { "0" } else { "1.1" }.to_owned()),
            ("scheme", if self.status == 0 { "" } else { "HTTP" }.to_owned()),
        ] {
            text = text.replace(&format!("%{{{name}}}"), &value);
        }
        while let Some((start, end)) = text.find("%{").and_then(|at| Some((at, at + text[at..].find('}')?))) {
            let name = text[start + 2..end].to_owned();
            self.invocation.stderr().line(&format!("curl: unknown --write-out variable: '{name}'"));
            text.replace_range(start..=end, "");
        }
        self.invocation.stdout().write(&text.replace("%%", "%"));
    }
}
