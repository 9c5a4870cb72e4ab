//! curl's options.
//!
//! Owns the table of flags and what they come to ([`Options`]). The messages are those of curl 7.88
//! (reference: `network/tools/curl`).

use std::net::IpAddr;
use std::time::Duration;

use crate::shell::command::{Flag, Value, not_simulated, option, switch};
use crate::shell::flags::{FlagError, Style, not_simulated as not_simulated_words, parse};

/// The flags.
pub(super) static FLAGS: &[Flag] = &[
    switch('v', "verbose", "show what is sent and received", "显示发送和接收的内容"),
    switch('s', "silent", "no progress and no errors", "不显示进度和错误"),
    switch('S', "show-error", "show errors even with -s", "即使有 -s 也显示错误"),
    switch('I', "head", "ask for the headers alone", "只请求响应头"),
    switch('i', "include", "show the response's headers too", "同时显示响应头"),
    switch('f', "fail", "fail without output on an HTTP error", "HTTP 出错时失败且不输出"),
    switch('L', "location", "follow redirections", "跟随重定向"),
    switch('k', "insecure", "accept any certificate", "接受任何证书"),
    switch('O', "remote-name", "write to a file named as in the URL", "写入与 URL 同名的文件"),
    switch('G', "get", "put the data into the query", "把数据放进查询串"),
    switch('g', "globoff", "take brackets and braces of URLs as they are", "URL 中的括号按原样处理"),
    switch('4', "ipv4", "use IPv4 addresses alone", "只用 IPv4 地址"),
    switch('6', "ipv6", "use IPv6 addresses alone", "只用 IPv6 地址"),
    switch('\0', "no-progress-meter", "no progress", "不显示进度"),
    option('o', "output", Value::File, "write to a file", "写入文件"),
    option('w', "write-out", Value::Text, "print this after each transfer", "每次传输后打印此内容"),
    option('m', "max-time", Value::Number, "seconds for the whole transfer", "整个传输的秒数上限"),
    option('\0', "connect-timeout", Value::Number, "seconds for connecting", "连接的秒数上限"),
    option('X', "request", Value::Text, "the method", "请求方法"),
    option('H', "header", Value::Text, "a header to send", "要发送的请求头"),
    option('A', "user-agent", Value::Text, "the User-Agent to send", "要发送的 User-Agent"),
    option('d', "data", Value::Text, "data to send by POST", "以 POST 发送的数据"),
    option('\0', "data-raw", Value::Text, "data to send by POST, as it is", "以 POST 原样发送的数据"),
    option(
        '\0',
        "resolve",
        Value::Text,
        "HOST:PORT:ADDRESS to use instead of DNS",
        "代替 DNS 的 HOST:PORT:ADDRESS",
    ),
    option('\0', "retry", Value::Number, "how often to try again", "重试次数"),
    option('\0', "url", Value::Host, "the URL", "URL"),
    not_simulated('u', "user", Value::Text, "-H 'Authorization: …'"),
    not_simulated('x', "proxy", Value::Text, ""),
    not_simulated('b', "cookie", Value::Text, "-H 'Cookie: …'"),
    not_simulated('c', "cookie-jar", Value::File, ""),
    not_simulated('F', "form", Value::Text, "-d"),
    not_simulated('T', "upload-file", Value::File, "-d"),
    not_simulated('\0', "http2", Value::None, "HTTP/1.1"),
    not_simulated('\0', "interface", Value::Text, "run curl in another place"),
    not_simulated('\0', "cacert", Value::File, "-k"),
    not_simulated('Z', "parallel", Value::None, "curl … & curl … & wait"),
];

/// What the flags come to.
pub(super) struct Options {
    pub(super) verbose: bool,
    pub(super) show_error: bool,
    pub(super) include: bool,
    pub(super) fail: bool,
    pub(super) follow: bool,
    pub(super) progress: bool,
    pub(super) family: Option<bool>,
    pub(super) outputs: Vec<String>,
    pub(super) remote_name: bool,
    pub(super) write_out: Option<String>,
    pub(super) max_time: Option<Duration>,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) method: Option<String>,
    pub(super) head: bool,
    pub(super) headers: Vec<String>,
    pub(super) agent: String,
    pub(super) data: Option<String>,
    pub(super) data_in_query: bool,
    pub(super) resolve: Vec<(String, u16, IpAddr)>,
    pub(super) retries: u32,
    pub(super) urls: Vec<String>,
}

/// curl's own version, as `User-Agent` and `--version` give it.
pub(super) const VERSION: &str = "7.88.1";

/// Reads the arguments.
///
/// # Errors
///
/// The text for standard error and the exit status.
pub(super) fn read(arguments: &[String]) -> Result<Options, (String, i32)> {
    let try_help = "curl: try 'curl --help' or 'curl --manual' for more information\n";
    let parsed = parse(FLAGS, Style::Gnu, arguments).map_err(|error| match error {
        FlagError::UnknownLong(name) | FlagError::Ambiguous(name) => {
            (format!("curl: option --{name}: is unknown\n{try_help}"), 2)
        }
        FlagError::UnknownShort(_, whole) => (format!("curl: option {whole}: is unknown\n{try_help}"), 2),
        FlagError::LongWithoutValue(name) => {
            (format!("curl: option --{name}: requires parameter\n{try_help}"), 2)
        }
        FlagError::ShortWithoutValue(_, whole) => {
            (format!("curl: option {whole}: requires parameter\n{try_help}"), 2)
        }
        FlagError::UnexpectedValue(name) => (format!("curl: option --{name}: is unknown\n{try_help}"), 2),
        FlagError::NotSimulated(flag, nearest) => (not_simulated_words(&format!("curl {flag}"), nearest), 2),
    })?;
    let seconds = |name: &str| -> Result<Option<Duration>, (String, i32)> {
        let Some(text) = parsed.value(name) else { return Ok(None) };
        match text.parse::<f64>() {
            Ok(number) if (0.0..1e9).contains(&number) => {
                Ok(Some(Duration::from_secs_f64(number)).filter(|limit| !limit.is_zero()))
            }
            _ => {
                Err((format!("curl: option --{name}: expected a proper numerical parameter\n{try_help}"), 2))
            }
        }
    };
    let mut urls: Vec<String> = parsed.values("url").into_iter().map(str::to_owned).collect();
    urls.extend(parsed.operands.iter().cloned());
    if urls.is_empty() {
        return Err((try_help.to_owned(), 2));
    }
    let mut resolve = Vec::new();
    for entry in parsed.values("resolve") {
        let read = || {
            let (host, rest) = entry.split_once(':')?;
            let (port, address) = rest.split_once(':')?;
            Some((host.to_owned(), port.parse().ok()?, address.trim_matches(['[', ']']).parse().ok()?))
        };
        resolve.push(
            read().ok_or_else(|| {
                (format!("curl: (49) Couldn't parse CURLOPT_RESOLVE entry '{entry}'\n"), 49)
            })?,
        );
    }
    let data: Vec<&str> =
        parsed.in_order().filter(|(flag, _)| flag.long.starts_with("data")).map(|(_, value)| value).collect();
    Ok(Options {
        verbose: parsed.has("verbose"),
        show_error: parsed.has("show-error") || !parsed.has("silent"),
        include: parsed.has("include") || parsed.has("head"),
        fail: parsed.has("fail"),
        follow: parsed.has("location"),
        progress: !parsed.has("silent") && !parsed.has("no-progress-meter"),
        family: if parsed.has("ipv4") { Some(false) } else { parsed.has("ipv6").then_some(true) },
        outputs: parsed.values("output").into_iter().map(str::to_owned).collect(),
        remote_name: parsed.has("remote-name"),
        write_out: parsed.value("write-out").map(str::to_owned),
        max_time: seconds("max-time")?,
        connect_timeout: seconds("connect-timeout")?,
        method: parsed.value("request").map(str::to_owned),
        head: parsed.has("head"),
        headers: parsed.values("header").into_iter().map(str::to_owned).collect(),
        agent: parsed.value("user-agent").map_or_else(|| format!("curl/{VERSION}"), str::to_owned),
        data: (!data.is_empty()).then(|| data.join("&")),
        data_in_query: parsed.has("get"),
        resolve,
        retries: parsed.value("retry").and_then(|text| text.parse().ok()).unwrap_or(0),
        urls,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn options_that_do_not_exist_are_refused_in_curls_words() {
        let refused = |text: &str| {
            read(&words(text)).err().map(|(message, _)| message.lines().next().unwrap().to_owned())
        };
        assert_eq!(refused("--nosuch http://web").as_deref(), Some("curl: option --nosuch: is unknown"));
        assert_eq!(
            refused("").as_deref(),
            Some("curl: try 'curl --help' or 'curl --manual' for more information")
        );
        assert!(refused("-x proxy http://web").unwrap().contains("not simulated"));
    }

    #[test]
    fn options_may_stand_anywhere_and_together() {
        let options = read(&words("http://web -sSm 2 -o /dev/null -H A:b http://echo")).ok().unwrap();
        assert_eq!(options.urls, ["http://web", "http://echo"]);
        assert!(!options.progress && options.show_error);
        assert_eq!(options.max_time, Some(Duration::from_secs(2)));
    }
}
