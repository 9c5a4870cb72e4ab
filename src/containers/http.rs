//! What servers answer over HTTP.
//!
//! Owns requests, responses, and one answering function per kind of server in the catalogue. It moves no
//! packets and keeps no connections: the network brings the request and the client's address as the server
//! sees it. Start at [`answer`].

use std::net::SocketAddr;

use super::catalogue::App;
use super::pages;
use super::reference::Reference;
use crate::api::time::Timestamp;

/// A request, as it arrives at the server.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// `GET`, `HEAD`, `POST`, …
    pub method: String,
    /// The path with its query, `/echo?msg=hi`.
    pub target: String,
    /// Headers in the order sent, `Host` among them.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// A response.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The reason phrase.
    pub reason: &'static str,
    /// Headers in the order sent.
    pub headers: Vec<(String, String)>,
    /// The body; empty in the answer to `HEAD`, though `Content-Length` counts it.
    pub body: String,
}

/// Where and when a request is answered.
pub struct Server<'a> {
    /// The container's image.
    pub image: &'a Reference,
    /// The container's arguments.
    pub args: &'a [String],
    /// The Pod's host name.
    pub hostname: &'a str,
    /// The Pod's addresses.
    pub addresses: &'a [std::net::IpAddr],
    /// The client's address as the server sees it.
    pub client: SocketAddr,
    /// The server's own address and port.
    pub local: SocketAddr,
    /// Now.
    pub now: Timestamp,
    /// Seconds since the container started.
    pub up_seconds: f64,
    /// Reads a file of the container that somebody wrote; `None` for files as the image has them.
    pub file: &'a dyn Fn(&str) -> Option<String>,
}

impl Request {
    /// A `GET` as curl sends it.
    #[must_use]
    pub fn get(host: &str, target: &str, agent: &str) -> Self {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Self {
            method: "GET".to_owned(),
            target: target.to_owned(),
            headers: vec![header("Host", host), header("User-Agent", agent), header("Accept", "*/*")],
            body: String::new(),
        }
    }

    /// The value of a header, by its name in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(held, _)| held.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The path without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or("/")
    }

    /// A value of the query, as written.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query
            .split('&')
            .find_map(|pair| pair.split_once('=').filter(|(held, _)| *held == name).map(|(_, value)| value))
    }
}

impl Response {
    fn new(status: u16, reason: &'static str, kind: &str, body: String) -> Self {
        Self { status, reason, headers: vec![("Content-Type".to_owned(), kind.to_owned())], body }
    }

    fn text(body: String) -> Self {
        Self::new(200, "OK", "text/plain; charset=utf-8", body)
    }

    /// The value of a header, by its name in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(held, _)| held.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What a server answers. `None` if it speaks no HTTP: the client gets nothing it understands.
#[must_use]
pub fn answer(app: App, request: &Request, server: &Server<'_>) -> Option<Response> {
    let mut response = match app {
        App::Nginx => nginx(request, server),
        App::Httpd => httpd(request, server),
        App::Netexec => netexec(request, server),
        App::ServeHostname => Response::text(server.hostname.to_owned()),
        App::HttpEcho => http_echo(server),
        App::Whoami => Response::text(whoami(request, server)),
        App::Echoserver => Response::new(200, "OK", "text/plain", echoserver(request, server)),
        App::HelloApp => Response::text(hello_app(server)),
        App::Bootcamp => Response::new(200, "OK", "text/plain", bootcamp(server)),
        App::CoreDns => core_dns(request),
        App::AssumedHttp => Response::text(format!(
            "Portside does not know what {} answers; it is assumed to serve HTTP on port {}.\n",
            server.image.full(),
            server.local.port()
        )),
        App::Dns | App::Tcp | App::NetexecUdp | App::Datagram => return None,
    };
    finish(app, request, server, &mut response);
    Some(response)
}

/// Headers that every server sends, and no body for `HEAD`.
fn finish(app: App, request: &Request, server: &Server<'_>, response: &mut Response) {
    let date = http_date(server.now);
    let length = response.body.len().to_string();
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, value: String| headers.push((name.to_owned(), value));
    match app {
        App::Nginx => {
            add("Server", format!("nginx/{}", nginx_release(server).version));
            add("Date", date);
        }
        App::Httpd => {
            add("Date", date);
            add("Server", format!("Apache/{} (Unix)", httpd_version(server)));
        }
        App::Echoserver => {
            add("Server", "nginx".to_owned());
            add("Date", date);
        }
        _ => add("Date", date),
    }
    let (kinds, rest): (Vec<_>, Vec<_>) =
        std::mem::take(&mut response.headers).into_iter().partition(|(name, _)| name == "Content-Type");
    match app {
        App::Httpd => {
            headers.extend(rest);
            headers.push(("Content-Length".to_owned(), length));
            headers.extend(kinds);
        }
        _ => {
            headers.extend(kinds);
            headers.push(("Content-Length".to_owned(), length));
            headers.extend(rest);
        }
    }
    response.headers = headers;
    if request.method == "HEAD" {
        response.body.clear();
    }
}

/// `Sun, 22 Nov 2026 21:50:13 GMT` (RFC 9110).
pub(super) fn http_date(at: Timestamp) -> String {
    at.rfc1123().replace("+0000", "GMT")
}

fn nginx_release(server: &Server<'_>) -> &'static pages::NginxRelease {
    let releases = pages::NGINX_RELEASES;
    let latest = releases.last().expect("there are releases");
    match server.image.version().as_slice() {
        [major, minor, ..] => releases.iter().rfind(|r| r.line <= (*major, *minor)).unwrap_or(&releases[0]),
        _ => latest,
    }
}

fn nginx(request: &Request, server: &Server<'_>) -> Response {
    let release = nginx_release(server);
    let error = |status, reason: &'static str| {
        let mut response =
            Response::new(status, reason, "text/html", pages::nginx_error(status, reason, release.version));
        response.headers.push(("Connection".to_owned(), connection(request).to_owned()));
        response
    };
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return error(405, "Not Allowed");
    }
    let path = if request.path().ends_with('/') {
        format!("{}index.html", request.path())
    } else {
        request.path().to_owned()
    };
    let written = (server.file)(&format!("/usr/share/nginx/html{path}"));
    let made = if written.is_some() { server.now.0 } else { release.made };
    let body = match written {
        Some(body) => body,
        None if path == "/index.html" => nginx_welcome(release),
        None => return error(404, "Not Found"),
    };
    let kind = if path.ends_with(".html") { "text/html" } else { "text/plain" };
    let size = body.len();
    let mut response = Response::new(200, "OK", kind, body);
    for (name, value) in [
        ("Last-Modified", http_date(Timestamp(made))),
        ("Connection", connection(request).to_owned()),
        ("ETag", format!("\"{made:x}-{size:x}\"")),
        ("Accept-Ranges", "bytes".to_owned()),
    ] {
        response.headers.push((name.to_owned(), value));
    }
    response
}

fn connection(request: &Request) -> &'static str {
    if request.header("Connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
        "close"
    } else {
        "keep-alive"
    }
}

fn nginx_welcome(release: &pages::NginxRelease) -> String {
    if release.line >= (1, 21) {
        return pages::NGINX_WELCOME.to_owned();
    }
    pages::NGINX_WELCOME.replace(pages::NGINX_NEW_STYLE, pages::NGINX_OLD_STYLE)
}

fn httpd_version(server: &Server<'_>) -> String {
    match server.image.version().as_slice() {
        [major, minor, patch, ..] => format!("{major}.{minor}.{patch}"),
        _ => "2.4.62".to_owned(),
    }
}

fn httpd(request: &Request, server: &Server<'_>) -> Response {
    let path = if request.path().ends_with('/') {
        format!("{}index.html", request.path())
    } else {
        request.path().to_owned()
    };
    let written = (server.file)(&format!("/usr/local/apache2/htdocs{path}"));
    match written {
        Some(body) => Response::new(200, "OK", "text/html", body),
        None if path == "/index.html" => {
            Response::new(200, "OK", "text/html", pages::HTTPD_WELCOME.to_owned())
        }
        None => Response::new(
            404,
            "Not Found",
            "text/html; charset=iso-8859-1",
            pages::HTTPD_NOT_FOUND.to_owned(),
        ),
    }
}

/// agnhost `netexec` (<https://pkg.go.dev/k8s.io/kubernetes/test/images/agnhost/netexec>).
fn netexec(request: &Request, server: &Server<'_>) -> Response {
    match request.path() {
        "/hostname" | "/hostName" => Response::text(server.hostname.to_owned()),
        "/clientip" => Response::text(server.client.to_string()),
        "/echo" => Response::text(request.query("msg").unwrap_or("").replace('+', " ")),
        "/healthz" | "/readyz" | "/exit" | "/shutdown" => Response::text(String::new()),
        "/header" => {
            let name = request.query("key").unwrap_or("");
            Response::text(request.header(name).unwrap_or("").to_owned())
        }
        "/" => {
            let stamp = server.now.to_string().replace('T', " ").replace('Z', "");
            Response::text(format!("NOW: {stamp} +0000 UTC m=+{:.9}", server.up_seconds))
        }
        _ => Response::new(404, "Not Found", "text/plain; charset=utf-8", "404 page not found\n".to_owned()),
    }
}

fn http_echo(server: &Server<'_>) -> Response {
    let text = server.args.iter().enumerate().find_map(|(at, word)| {
        let name = word.trim_start_matches('-');
        match name.split_once('=') {
            Some(("text", value)) => Some(value.to_owned()),
            _ if name == "text" => server.args.get(at + 1).cloned(),
            _ => None,
        }
    });
    Response::text(format!("{}\n", text.unwrap_or_else(|| "hello-world".to_owned())))
}

fn whoami(request: &Request, server: &Server<'_>) -> String {
    let mut text = format!("Hostname: {}\nIP: 127.0.0.1\n", server.hostname);
    for address in server.addresses {
        text.push_str(&format!("IP: {address}\n"));
    }
    text.push_str(&format!(
        "RemoteAddr: {}\n{} {} HTTP/1.1\n",
        server.client, request.method, request.target
    ));
    let host = request.header("Host").unwrap_or("");
    text.push_str(&format!("Host: {host}\n"));
    for (name, value) in sorted_headers(request) {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push('\n');
    text
}

/// All headers but `Host`, by name.
fn sorted_headers(request: &Request) -> Vec<&(String, String)> {
    let mut headers: Vec<_> =
        request.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("Host")).collect();
    headers.sort();
    headers
}

fn echoserver(request: &Request, server: &Server<'_>) -> String {
    let host = request.header("Host").unwrap_or("");
    let uri = format!("http://{host}:{}{}", server.local.port(), request.target);
    let mut headers: Vec<String> = request
        .headers
        .iter()
        .map(|(name, value)| format!("{}={value}", name.to_ascii_lowercase()))
        .collect();
    headers.sort();
    let body = if request.body.is_empty() { "-no body in request-" } else { &request.body };
    let client = server.client.ip();
    let query = request.target.split_once('?').map(|(_, query)| query);
    if server.image.version().as_slice() < [1, 5].as_slice() && !server.image.version().is_empty() {
        return format!(
            "CLIENT VALUES:\nclient_address={client}\ncommand={}\nreal path={}\nquery={}\nrequest_version=1.1\nrequest_uri={uri}\n\n\
             SERVER VALUES:\nserver_version=nginx: 1.10.0 - lua: 10001\n\nHEADERS RECEIVED:\n{}\nBODY:\n{body}",
            request.method,
            request.path(),
            query.unwrap_or("nil"),
            headers.join("\n"),
        );
    }
    let headers: String = headers.iter().map(|header| format!("\t{header}\n")).collect();
    format!(
        "\n\nHostname: {}\n\nPod Information:\n\t-no pod information available-\n\nServer values:\n\t\
         server_version=nginx: 1.13.3 - lua: 10008\n\nRequest Information:\n\tclient_address={client}\n\tmethod={}\n\t\
         real path={}\n\tquery={}\n\trequest_version=1.1\n\trequest_scheme=http\n\trequest_uri={uri}\n\n\
         Request Headers:\n{headers}\nRequest Body:\n\t{body}\n\n",
        server.hostname,
        request.method,
        request.path(),
        query.unwrap_or(""),
    )
}

fn hello_app(server: &Server<'_>) -> String {
    let version = match server.image.version().as_slice() {
        [major, rest @ ..] => format!("{major}.{}.0", rest.first().unwrap_or(&0)),
        [] => "1.0.0".to_owned(),
    };
    format!("Hello, world!\nVersion: {version}\nHostname: {}\n", server.hostname)
}

fn bootcamp(server: &Server<'_>) -> String {
    let version = server.image.version().first().copied().unwrap_or(1);
    format!("Hello Kubernetes bootcamp! | Running on: {} | v={version}\n", server.hostname)
}

fn core_dns(request: &Request) -> Response {
    match request.path() {
        "/health" | "/ready" => Response::text("OK".to_owned()),
        "/metrics" => Response::text("# Portside does not simulate CoreDNS' metrics.\n".to_owned()),
        _ => Response::new(404, "Not Found", "text/plain; charset=utf-8", "404 page not found\n".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(app: App, image: &str, request: &Request) -> Response {
        let image = Reference::parse(image).unwrap();
        let args = ["-text=hi there".to_owned()];
        let server = Server {
            image: &image,
            args: &args,
            hostname: "web-1",
            addresses: &["10.244.1.5".parse().unwrap()],
            client: "10.244.2.7:40000".parse().unwrap(),
            local: "10.244.1.5:8080".parse().unwrap(),
            now: Timestamp(1_795_384_213),
            up_seconds: 1.5,
            file: &|path| (path == "/usr/share/nginx/html/mine.html").then(|| "mine".to_owned()),
        };
        answer(app, request, &server).unwrap()
    }

    fn get(target: &str) -> Request {
        Request::get("web", target, "curl/7.88.1")
    }

    #[test]
    fn nginx_sends_its_welcome_page_with_the_size_and_date_of_its_release() {
        let response = ask(App::Nginx, "nginx:1.22.1", &get("/"));
        assert_eq!(response.header("Content-Length"), Some("615"));
        assert_eq!(response.header("ETag"), Some("\"634faf0c-267\""));
        assert_eq!(response.header("Last-Modified"), Some("Wed, 19 Oct 2022 08:02:20 GMT"));
        let old = ask(App::Nginx, "nginx:1.16.1", &get("/"));
        assert_eq!((old.header("Content-Length"), old.header("Server")), (Some("612"), Some("nginx/1.16.1")));
    }

    #[test]
    fn nginx_refuses_what_is_not_there_and_what_is_not_allowed() {
        let missing = ask(App::Nginx, "nginx:1.22.1", &get("/nosuch"));
        assert_eq!((missing.status, missing.body.len()), (404, 153));
        let post = ask(App::Nginx, "nginx", &Request { method: "POST".to_owned(), ..get("/") });
        assert_eq!(post.status, 405);
        assert_eq!(ask(App::Nginx, "nginx", &get("/mine.html")).body, "mine");
    }

    #[test]
    fn echo_servers_tell_the_client_what_they_saw() {
        assert_eq!(ask(App::Netexec, "agnhost", &get("/clientip")).body, "10.244.2.7:40000");
        assert_eq!(ask(App::ServeHostname, "serve_hostname", &get("/")).body, "web-1");
        assert_eq!(ask(App::HttpEcho, "hashicorp/http-echo", &get("/")).body, "hi there\n");
        assert!(
            ask(App::Whoami, "traefik/whoami", &get("/a?b=c"))
                .body
                .contains("RemoteAddr: 10.244.2.7:40000\nGET /a?b=c HTTP/1.1\nHost: web\n")
        );
        assert!(
            ask(App::Echoserver, "echoserver:1.4", &get("/")).body.contains("client_address=10.244.2.7\n")
        );
    }

    #[test]
    fn head_has_the_length_but_no_body() {
        let head = ask(App::Nginx, "nginx", &Request { method: "HEAD".to_owned(), ..get("/") });
        assert_eq!((head.body.as_str(), head.header("Content-Length")), ("", Some("615")));
    }
}
