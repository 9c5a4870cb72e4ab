//! `load`: sends many requests a second and shows who answers, how long it takes and what fails.
//!
//! Owns the command, which is Portside's own. The load itself is [`crate::simulation::load`]'s.

use std::net::SocketAddr;
use std::time::Duration;

use crate::cluster::clock::Span;
use crate::shell::client::origin;
use crate::shell::command::{Command, Found, Run, Value, option, switch};
use crate::shell::duration::duration;
use crate::shell::flags::Style;
use crate::shell::host::Host;
use crate::shell::invocation::Invocation;
use crate::shell::load::{page, start, stop, words};
use crate::shell::resolver::resolve;
use crate::shell::tools::url::Url;
use crate::simulation::load::{
    CONCURRENCY_LIMIT, DURATION_LIMIT_SECONDS, LoadId, LoadPlan, LoadStatistics, RATE_LIMIT,
};
use crate::words::{Language, Words};

/// `load`.
pub static COMMAND: Command = Command {
    name: "load",
    usage: "[-r RATE] [-c CONNECTIONS] [-d TIME] [-k] URL",
    summary: Words {
        en: "send requests for a while and show who answers what (a command of Portside's own; with tcp://HOST:PORT it counts connections alone)",
        zh: "持续发送请求并显示由谁应答、应答什么（Portside 自己的命令；tcp://HOST:PORT 只统计连接）",
    },
    flags: &[
        option('r', "rate", Value::Number, "requests a second, 20 if not given", "每秒请求数，默认 20"),
        option(
            'c',
            "connections",
            Value::Number,
            "requests under way at once, 10 if not given",
            "同时进行的请求数，默认 10",
        ),
        option('d', "duration", Value::Duration, "for how long, 10s if not given", "持续时间，默认 10s"),
        switch('k', "keep-alive", "use connections again", "重复使用连接（keep-alive）"),
        switch('q', "quiet", "only the summary", "只显示总结"),
    ],
    operands: Value::Host,
    complete: None,
    found: Found::Everywhere,
    run: Run::Waits(|invocation| Box::pin(run(invocation))),
};

/// Ends the load when the command is given up.
struct Running {
    host: Host,
    id: LoadId,
}

impl Drop for Running {
    fn drop(&mut self) {
        stop(&self.host, self.id);
    }
}

async fn run(invocation: Invocation) -> i32 {
    let (mut plan, url, quiet) = match read(&invocation) {
        Ok(read) => read,
        Err(status) => return status,
    };
    let addresses = match resolve(&invocation, &url.host, Some(Duration::from_secs(10))).await {
        Ok(addresses) => addresses,
        Err(_) => return invocation.fail(&format!("could not resolve host: {}", url.host)),
    };
    plan.to = addresses.into_iter().map(|ip| SocketAddr::new(ip, url.port())).collect();
    let language = invocation.host.language();
    let seconds = plan.duration.0.div_ceil(1_000_000);
    let running = Running { host: invocation.host.clone(), id: start(&invocation.host, plan) };
    for second in 0..seconds {
        invocation.sleep(Duration::from_secs(1)).await;
        let statistics = statistics(&running);
        let now = statistics.seconds.get(usize::try_from(second).unwrap_or(0)).copied().unwrap_or_default();
        if !quiet {
            let (answered, failed) = (now.answered, now.failed);
            invocation.say(&match language {
                Language::English => {
                    format!("{:>5}s  {answered:>7} answered  {failed:>7} failed", second + 1)
                }
                Language::Chinese => format!("{:>5} 秒  应答 {answered:>7}  失败 {failed:>7}", second + 1),
            });
        }
    }
    // The last requests are sent with the tick that ends the load.
    invocation.sleep(Duration::from_millis(50)).await;
    let statistics = statistics(&running);
    for line in summary(&statistics, language) {
        invocation.say(&line);
    }
    i32::from(statistics.failed > 0)
}

fn statistics(running: &Running) -> LoadStatistics {
    running.host.with(|simulation| {
        simulation.loads.get(running.id).map(|load| load.statistics.clone()).unwrap_or_default()
    })
}

fn read(invocation: &Invocation) -> Result<(LoadPlan, Url, bool), i32> {
    let parsed = invocation.parse(&COMMAND, Style::Gnu)?;
    let number = |name: &str, usual: u32, most: u32| match parsed.value(name) {
        None => Ok(usual),
        Some(text) => match text.parse::<u32>() {
            Ok(number) if (1..=most).contains(&number) => Ok(number),
            _ => Err(invocation.fail(&format!("--{name} needs a number from 1 to {most}, not {text}"))),
        },
    };
    let rate = number("rate", 20, RATE_LIMIT)?;
    let concurrency = number("connections", 10, CONCURRENCY_LIMIT)?;
    let time = parsed.value("duration").unwrap_or("10s");
    let most = Duration::from_secs(DURATION_LIMIT_SECONDS);
    let time = match duration(time) {
        Ok(length) if !length.is_zero() && length <= most => length,
        _ => return Err(invocation.fail(&format!("--duration needs a time up to 1h, not {time}"))),
    };
    let url = match parsed.operands.as_slice() {
        [one] => Url::parse(one).map_err(|_| invocation.fail(&format!("not a URL: {one}")))?,
        _ => return Err(invocation.fail("one URL expected\nTry 'load --help' for more information.")),
    };
    let plan = LoadPlan {
        from: origin(&invocation.place),
        name: format!("{}:{}", url.host, url.port()),
        to: Vec::new(),
        rate,
        concurrency,
        request: (url.scheme != "tcp").then(|| page(&url.host, &url.target)),
        keep_alive: parsed.has("keep-alive"),
        duration: Span(u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
    };
    Ok((plan, url, parsed.has("quiet")))
}

/// The end of a load in lines.
fn summary(statistics: &LoadStatistics, language: Language) -> Vec<String> {
    let LoadStatistics { sent, answered, failed, .. } = statistics;
    let mut lines = vec![match language {
        Language::English => format!("{sent} requests: {answered} answered, {failed} failed"),
        Language::Chinese => format!("{sent} 个请求：应答 {answered}，失败 {failed}"),
    }];
    let width = statistics.backends.keys().map(String::len).max().unwrap_or(0);
    for (name, count) in &statistics.backends {
        let share = 100.0 * count.requests as f64 / (*answered).max(1) as f64;
        let (requests, connections) = (count.requests, count.connections);
        lines.push(match language {
            Language::English => {
                format!(
                    "  {name:<width$}  {requests:>7} requests  {connections:>7} connections  {share:>5.1}%"
                )
            }
            Language::Chinese => {
                format!("  {name:<width$}  请求 {requests:>7}  连接 {connections:>7}  {share:>5.1}%")
            }
        });
    }
    for (status, count) in &statistics.statuses {
        lines.push(match language {
            Language::English => format!("  {count:>7} answered HTTP {status}"),
            Language::Chinese => format!("  {count:>7} 个应答为 HTTP {status}"),
        });
    }
    if *answered > 0 {
        let ms = |us: u64| format!("{:.2} ms", us as f64 / 1_000.0);
        let at = |percent| ms(statistics.latencies.percentile_us(percent));
        let (p50, p90, p99, most) = (at(50), at(90), at(99), ms(statistics.latencies.longest_us()));
        let head = Words { en: "latency", zh: "延迟" }.in_language(language);
        lines.push(format!("  {head}  p50 {p50}  p90 {p90}  p99 {p99}  max {most}"));
    }
    for (why, count) in &statistics.failures {
        let words = words(*why).in_language(language);
        let (first, last) = (count.first.0 as f64 / 1e6, count.last.0 as f64 / 1e6);
        let count = count.count;
        lines.push(match language {
            Language::English => format!("  {count:>7} {words} (from {first:.1}s to {last:.1}s)"),
            Language::Chinese => format!("  {count:>7} 次{words}（{first:.1} 秒至 {last:.1} 秒）"),
        });
    }
    lines
}
