//! About the place and the commands: `hostname`, `date`, `uname`, `whoami`, `id`, `printenv`, `which`, `clear`, `help`.

use crate::shell::builtins::names::program_path;
use crate::shell::command::{
    Command, Flag, Found, LookUp, Run, Value, declared, look_up, names, option, switch,
};
use crate::shell::flags::Style;
use crate::shell::invocation::Invocation;
use crate::words::Words;

/// Declares a command that prints something about the place.
const fn command(
    name: &'static str,
    usage: &'static str,
    (en, zh): (&'static str, &'static str),
    flags: &'static [Flag],
    run: fn(&Invocation) -> i32,
) -> Command {
    Command {
        name,
        usage,
        summary: Words { en, zh },
        flags,
        operands: Value::None,
        complete: None,
        found: Found::OnHosts,
        run: Run::Now(run),
    }
}

/// `hostname`.
pub static HOSTNAME: Command = command(
    "hostname",
    "[-s]",
    ("print the name of this machine", "打印主机名"),
    &[switch('s', "short", "without the domain", "不含域名"), switch('f', "fqdn", "as it is", "完整名称")],
    |invocation| match invocation.parse(&HOSTNAME, Style::Gnu) {
        Ok(parsed) if parsed.operands.is_empty() => {
            invocation.say(&invocation.place.hostname);
            0
        }
        Ok(_) => invocation.fail("you must be root to change the host name"),
        Err(status) => status,
    },
);

/// `whoami`.
pub static WHOAMI: Command = command("whoami", "", ("print the user", "打印用户名"), &[], |invocation| {
    invocation.say("root");
    0
});

/// `id`.
pub static ID: Command = command(
    "id",
    "[-u]",
    ("print the user and the groups", "打印用户和组"),
    &[switch('u', "user", "only the number of the user", "只显示用户编号")],
    |invocation| match invocation.parse(&ID, Style::Gnu) {
        Ok(parsed) => {
            invocation.say(if parsed.has("user") { "0" } else { "uid=0(root) gid=0(root) groups=0(root)" });
            0
        }
        Err(status) => status,
    },
);

/// `uname`.
pub static UNAME: Command = command(
    "uname",
    "[-snrma]",
    ("print the system", "打印系统信息"),
    &[
        switch('a', "all", "everything", "全部信息"),
        switch('s', "kernel-name", "the kernel", "内核名称"),
        switch('n', "nodename", "the name of the machine", "主机名"),
        switch('r', "kernel-release", "the release of the kernel", "内核版本"),
        switch('m', "machine", "the hardware", "硬件架构"),
    ],
    |invocation| {
        let parsed = match invocation.parse(&UNAME, Style::Gnu) {
            Ok(parsed) => parsed,
            Err(status) => return status,
        };
        let all = parsed.has("all");
        let none = parsed.in_order().next().is_none();
        let parts = [
            (all || none || parsed.has("kernel-name"), "Linux"),
            (all || parsed.has("nodename"), &invocation.place.hostname),
            (all || parsed.has("kernel-release"), KERNEL),
            (all || parsed.has("machine"), "x86_64"),
        ];
        let shown: Vec<&str> = parts.iter().filter(|(shown, _)| *shown).map(|(_, text)| *text).collect();
        invocation.say(&shown.join(" "));
        0
    },
);

/// The kernel on which the reference was recorded.
const KERNEL: &str = "6.18.5";

/// `printenv`.
pub static PRINTENV: Command =
    command("printenv", "[NAME]...", ("print variables", "打印环境变量"), &[], |invocation| {
        let parsed = match invocation.parse(&PRINTENV, Style::Gnu) {
            Ok(parsed) => parsed,
            Err(status) => return status,
        };
        if parsed.operands.is_empty() {
            for (name, value) in invocation.environment.iter() {
                invocation.say(&format!("{name}={value}"));
            }
        }
        let mut status = 0;
        for name in &parsed.operands {
            match invocation.variable(name) {
                Some(value) => invocation.say(value),
                None => status = 1,
            }
        }
        status
    });

/// `which`.
pub static WHICH: Command = Command {
    operands: Value::Command,
    ..command(
        "which",
        "COMMAND...",
        ("print where a command is", "打印命令的位置"),
        &[],
        |invocation| {
            let mut status = i32::from(invocation.arguments.is_empty());
            for name in &invocation.arguments {
                match look_up(&invocation.place, name) {
                    LookUp::Found(command) if !matches!(command.run, Run::Builtin) => {
                        invocation.say(&program_path(invocation.place.dialect, name));
                    }
                    _ => status = 1,
                }
            }
            status
        },
    )
};

/// `clear`.
pub static CLEAR: Command = command("clear", "", ("empty the screen", "清屏"), &[], |invocation| {
    invocation.stdout().clear_screen();
    0
});

/// `help`.
pub static HELP: Command = Command {
    operands: Value::Command,
    found: Found::Everywhere,
    ..command("help", "[COMMAND]...", ("say what the commands here do", "列出可用命令"), &[], help)
};

fn help(invocation: &Invocation) -> i32 {
    let language = invocation.host.language();
    if invocation.arguments.is_empty() {
        let names = names(&invocation.place);
        let width = names.iter().map(|name| name.len()).max().unwrap_or(0);
        for command in names.iter().filter_map(|name| declared(name)) {
            invocation.say(&format!("{:width$}  {}", command.name, command.summary.in_language(language)));
        }
        return 0;
    }
    let mut status = 0;
    for name in &invocation.arguments {
        match look_up(&invocation.place, name) {
            LookUp::Found(command) => invocation.stdout().write(&command.help(language)),
            _ => status = invocation.fail(&format!("no help topics match `{name}'")),
        }
    }
    status
}

/// `date`.
pub static DATE: Command = command(
    "date",
    "[-u] [+FORMAT]",
    ("print the virtual time", "打印虚拟时间"),
    &[
        switch('u', "utc", "in universal time, as always here", "使用 UTC（本来如此）"),
        option('I', "iso-8601", Value::Optional("date"), "as ISO 8601", "ISO 8601 格式"),
    ],
    date,
);

fn date(invocation: &Invocation) -> i32 {
    let parsed = match invocation.parse(&DATE, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let format = match (parsed.operands.first(), parsed.value("iso-8601")) {
        (None, None) => "%a %b %e %H:%M:%S UTC %Y",
        (None, Some("date")) => "%Y-%m-%d",
        (None, Some(_)) => "%Y-%m-%dT%H:%M:%S+00:00",
        (Some(operand), _) => match operand.strip_prefix('+') {
            Some(format) => format,
            None => return invocation.fail(&format!("invalid date \u{2018}{operand}\u{2019}")),
        },
    };
    let seconds = invocation.host.with(|simulation| {
        let cluster = &simulation.cluster;
        cluster.timestamp().0
    });
    let nanos = invocation.host.now() % 1_000_000 * 1_000;
    invocation.say(&formatted(format, seconds, nanos));
    0
}

/// A time by the letters of `strftime`; unknown ones stay.
pub(super) fn formatted(format: &str, seconds: i64, nanos: u64) -> String {
    let Ok(time) = time::OffsetDateTime::from_unix_timestamp(seconds) else { return String::new() };
    let short = |name: String| name[..3].to_owned();
    let mut out = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('Y') => out.push_str(&time.year().to_string()),
            Some('y') => out.push_str(&format!("{:02}", time.year() % 100)),
            Some('m') => out.push_str(&format!("{:02}", u8::from(time.month()))),
            Some('d') => out.push_str(&format!("{:02}", time.day())),
            Some('e') => out.push_str(&format!("{:2}", time.day())),
            Some('H') => out.push_str(&format!("{:02}", time.hour())),
            Some('M') => out.push_str(&format!("{:02}", time.minute())),
            Some('S') => out.push_str(&format!("{:02}", time.second())),
            Some('N') => out.push_str(&format!("{nanos:09}")),
            Some('s') => out.push_str(&seconds.to_string()),
            Some('j') => out.push_str(&format!("{:03}", time.ordinal())),
            Some('a') => out.push_str(&short(time.weekday().to_string())),
            Some('A') => out.push_str(&time.weekday().to_string()),
            Some('b') => out.push_str(&short(time.month().to_string())),
            Some('B') => out.push_str(&time.month().to_string()),
            Some('F') => out.push_str(&formatted("%Y-%m-%d", seconds, nanos)),
            Some('T') => out.push_str(&formatted("%H:%M:%S", seconds, nanos)),
            Some('R') => out.push_str(&formatted("%H:%M", seconds, nanos)),
            Some('D') => out.push_str(&formatted("%m/%d/%y", seconds, nanos)),
            Some('Z') => out.push_str("UTC"),
            Some('z') => out.push_str("+0000"),
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('%') => out.push('%'),
            Some(other) => out.extend(['%', other]),
            None => out.push('%'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::formatted;
    use crate::shell::testing::check;

    #[test]
    fn the_place_is_described() {
        check("hostname; whoami; id -u; uname", "ci-base\nroot\n0\nLinux", 0);
        check("which ls; which nosuch", "/usr/bin/ls", 1);
        check("A=1 printenv A; printenv NOSUCH", "1", 1);
        check("help true", "Usage: true \nsucceed", 0);
    }

    #[test]
    fn times_are_formatted() {
        assert_eq!(formatted("%F %T", 86_400 * 365, 0), "1971-01-01 00:00:00");
        assert_eq!(formatted("%a %b %e %H:%M:%S UTC %Y", 0, 0), "Thu Jan  1 00:00:00 UTC 1970");
        assert_eq!(formatted("%s.%N%%%q", 5, 7_000), "5.000007000%%q");
    }
}
