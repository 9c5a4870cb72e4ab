//! `sh` and `bash`.

use crate::shell::command::{Command, Found, Run, Value};
use crate::shell::interactive::run_shell;
use crate::shell::places::Dialect;
use crate::words::Words;

const USAGE: &str = "[-ceux] [-o OPTION] [TEXT | FILE [ARGUMENT]...]";
const SUMMARY: Words = Words { en: "run a shell, a text or a script", zh: "运行 shell、文本或脚本" };

/// `sh`: the shell of the place.
pub static SH: Command = Command {
    name: "sh",
    usage: USAGE,
    summary: SUMMARY,
    flags: &[],
    operands: Value::File,
    complete: None,
    found: Found::OnHosts,
    run: Run::Waits(|invocation| {
        let dialect = match invocation.place.dialect {
            // `sh` of an image that has bash as well is dash (Debian).
            Dialect::Bash if invocation.place.commands.is_some() => Dialect::Dash,
            dialect => dialect,
        };
        Box::pin(run_shell(invocation, dialect))
    }),
};

/// `bash`.
pub static BASH: Command = Command {
    name: "bash",
    usage: USAGE,
    summary: SUMMARY,
    flags: &[],
    operands: Value::File,
    complete: None,
    found: Found::OnHosts,
    run: Run::Waits(|invocation| Box::pin(run_shell(invocation, Dialect::Bash))),
};
