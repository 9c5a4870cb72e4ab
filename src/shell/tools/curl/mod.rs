//! `curl`: fetches URLs over HTTP.
//!
//! Owns curl's order of work, words and exit codes (curl 7.88, reference `network/tools/curl`). Options are in
//! [`options`], the meter in [`progress`]; names, connections and answers come from [`crate::shell::resolver`] and
//! [`crate::shell::client`].

mod options;
mod progress;
mod transfer;

use crate::shell::command::{Command, Found, Run, Value};
use crate::shell::invocation::Invocation;
use crate::words::Words;
use options::Options;
use transfer::Transfer;

/// `curl`.
pub static COMMAND: Command = Command {
    name: "curl",
    usage: "[options...] URL...",
    summary: Words { en: "fetch a URL over HTTP", zh: "通过 HTTP 获取 URL" },
    flags: options::FLAGS,
    operands: Value::Host,
    complete: None,
    found: Found::OnHosts,
    run: Run::Waits(|invocation| Box::pin(run(invocation))),
};

async fn run(invocation: Invocation) -> i32 {
    if invocation.arguments.iter().any(|word| word == "--help" || word == "-h") {
        invocation.stdout().write(&COMMAND.help(invocation.host.language()));
        return 0;
    }
    if invocation.arguments.iter().any(|word| word == "--version" || word == "-V") {
        invocation.say(&format!("curl {} (Portside) Protocols: http", options::VERSION));
        return 0;
    }
    let options = match options::read(&invocation.arguments) {
        Ok(options) => options,
        Err((message, status)) => {
            invocation.stderr().write(&message);
            return status;
        }
    };
    fetch_all(&invocation, &options).await
}

async fn fetch_all(invocation: &Invocation, options: &Options) -> i32 {
    let mut status = 0;
    let mut kept = None;
    for (index, url) in options.urls.iter().enumerate() {
        let mut attempt = 0;
        loop {
            let mut transfer = Transfer::new(invocation, options, index, kept.take());
            status = transfer.run(url).await;
            kept = transfer.into_connection();
            let transient = matches!(status, 7 | 28);
            if !transient || attempt >= options.retries {
                break;
            }
            // curl waits a second before the first retry, then twice as long each time.
            invocation.sleep(std::time::Duration::from_secs(1 << attempt.min(9))).await;
            attempt += 1;
        }
    }
    status
}
