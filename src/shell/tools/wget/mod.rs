//! `wget`: fetches a URL into a file.
//!
//! Owns what busybox' and GNU's wget have in common: finding, connecting and fetching. Their words differ much:
//! [`busybox`] and [`gnu`] (reference: `network/tools/busybox-wget` and `network/tools/wget`).

mod busybox;
mod gnu;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::containers::http::{Request, Response};
use crate::shell::client::{Refusal, connect, exchange};
use crate::shell::command::{Command, Flag, Found, Run, Value, not_simulated, option, switch};
use crate::shell::invocation::Invocation;
use crate::shell::tools::url::Url;
use crate::words::Words;

/// `wget`.
pub static COMMAND: Command = Command {
    name: "wget",
    usage: "[options] URL...",
    summary: Words { en: "fetch a URL into a file", zh: "把 URL 的内容取到文件" },
    flags: FLAGS,
    operands: Value::Host,
    complete: None,
    found: Found::OnHosts,
    run: Run::Waits(|invocation| Box::pin(run(invocation))),
};

/// The flags that both kinds know.
static FLAGS: &[Flag] = &[
    switch('q', "quiet", "print nothing but errors", "只打印错误"),
    switch('S', "server-response", "print the response's headers", "打印响应头"),
    switch('\0', "spider", "only look whether it is there", "只查看是否存在"),
    switch('\0', "no-check-certificate", "accept any certificate", "接受任何证书"),
    option(
        'O',
        "output-document",
        Value::File,
        "write to this file, - for the terminal",
        "写入此文件，- 表示终端",
    ),
    option('T', "timeout", Value::Number, "seconds for each step", "每一步的秒数上限"),
    option('t', "tries", Value::Number, "how often to try", "尝试次数"),
    option('U', "user-agent", Value::Text, "the User-Agent to send", "要发送的 User-Agent"),
    option('\0', "header", Value::Text, "a header to send", "要发送的请求头"),
    option('\0', "post-data", Value::Text, "data to send by POST", "以 POST 发送的数据"),
    not_simulated('c', "continue", Value::None, "-O"),
    not_simulated('r', "recursive", Value::None, ""),
    not_simulated('P', "directory-prefix", Value::File, "-O"),
    not_simulated('o', "output-file", Value::File, "2>FILE"),
];

async fn run(invocation: Invocation) -> i32 {
    if invocation.place.busybox.is_some() {
        busybox::run(&invocation).await
    } else {
        gnu::run(&invocation).await
    }
}

/// Opens a connection to the first address that answers; each failure is told as it happens.
async fn connect_any(
    invocation: &Invocation,
    addresses: &[IpAddr],
    port: u16,
    limit: Option<Duration>,
    mut told: impl FnMut(IpAddr, &Result<(), Refusal>),
) -> Option<crate::shell::client::Connection> {
    for address in addresses {
        match connect(invocation, SocketAddr::new(*address, port), limit).await {
            Ok(connection) => {
                told(*address, &Ok(()));
                return Some(connection);
            }
            Err(refusal) => told(*address, &Err(refusal)),
        }
    }
    None
}

/// Sends the request and waits for the answer.
async fn fetch(
    invocation: &Invocation,
    connection: &crate::shell::client::Connection,
    request: &Request,
) -> Option<Response> {
    invocation.sleep(Duration::from_micros(2 * connection.delivery.latency_us)).await;
    exchange(invocation, connection, request)
}

/// The file that a URL is saved to: the last part of its path, or `index.html`.
fn file_name(url: &Url) -> String {
    let path = url.target.split('?').next().unwrap_or("");
    let last = path.rsplit('/').next().unwrap_or("");
    if last.is_empty() { "index.html".to_owned() } else { last.to_owned() }
}

/// The flag's seconds, if it holds a number.
fn seconds(text: Option<&str>) -> Option<Duration> {
    let number: f64 = text?.parse().ok()?;
    (number > 0.0 && number < 1e9).then(|| Duration::from_secs_f64(number))
}
