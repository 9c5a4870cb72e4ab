//! A static file server for the built site. It has no logic beyond names and types, because the site must
//! need none, and serves from a sub-path, because the site must work from any.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// Where the site is served, so that nothing can rely on being at the root.
const SUB_PATH: &str = "/some/where/portside/";

/// The built site.
///
/// # Panics
///
/// When it has not been built.
#[must_use]
pub fn dist() -> PathBuf {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist");
    assert!(
        dist.join("index.html").is_file(),
        "dist/ holds no site to test: run `make dist` first (or `make test`, which does it all)"
    );
    dist
}

/// A file whose answer waits.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// The end of the file's name; empty while nothing waits.
    ending: Arc<Mutex<String>>,
    released: Arc<Condvar>,
}

impl Held {
    /// Whether the answer to a request for this file waits.
    pub fn holds(&self, file: &str) -> bool {
        let ending = self.ending.lock().expect("nobody panics with it");
        !ending.is_empty() && file.ends_with(ending.as_str())
    }

    /// Lets the answers go.
    pub fn release(&self) {
        self.ending.lock().expect("nobody panics with it").clear();
        self.released.notify_all();
    }

    fn wait(&self, file: &str) {
        let ending = self.ending.lock().expect("nobody panics with it");
        let holds = |ending: &mut String| !ending.is_empty() && file.ends_with(ending.as_str());
        drop(self.released.wait_while(ending, holds));
    }
}

/// The site while it is served, on a free port of this machine until the process ends.
#[derive(Debug)]
pub struct Site {
    port: u16,
    /// What is not answered yet.
    pub held: Held,
}

impl Site {
    /// Starts to serve the built site. Files whose names end in `held`, if it is not empty, are not answered
    /// before they are released.
    #[must_use]
    pub fn serve(held: &str) -> Self {
        let root = dist();
        let held = Held { ending: Arc::new(Mutex::new(held.to_owned())), released: Arc::default() };
        let holds = held.clone();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on localhost");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (root, held) = (root.clone(), holds.clone());
                // A browser that goes away in the middle of an answer is no error of the site.
                thread::spawn(move || drop(answer(&stream, &root, &held)));
            }
        });
        Self { port, held }
    }

    /// The start of every address of this server.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// The address of the page.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}{SUB_PATH}", self.origin())
    }
}

fn answer(stream: &TcpStream, root: &Path, held: &Held) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    let target = request.split(' ').nth(1).unwrap_or("/");
    let path = target.split(['?', '#']).next().unwrap_or(target);
    held.wait(path);
    let found = file_of(path).and_then(|file| {
        let body = fs::read(root.join(&file)).ok()?;
        Some((media_type(&file), body))
    });
    let (status, kind, body) = match found {
        Some((kind, body)) => ("200 OK", kind, body),
        None => ("404 Not Found", "text/plain", b"not found".to_vec()),
    };
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body)
}

/// The file under the site's root that a path asks for; none outside of the sub-path or the root.
fn file_of(path: &str) -> Option<String> {
    let file = path.strip_prefix(SUB_PATH)?;
    if file.split('/').any(|part| part == "..") {
        return None;
    }
    Some(if file.is_empty() { "index.html" } else { file }.to_owned())
}

fn media_type(file: &str) -> &'static str {
    match Path::new(file).extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}
