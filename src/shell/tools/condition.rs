//! `test` and `[`.

use crate::shell::command::{Command, Found, Run, Value};
use crate::shell::interpreter::evaluate_test;
use crate::shell::invocation::Invocation;
use crate::words::Words;

const SUMMARY: Words = Words { en: "compare texts, numbers and files", zh: "比较文本、数字与文件" };

/// `test`.
pub static TEST: Command = Command {
    name: "test",
    usage: "EXPRESSION",
    summary: SUMMARY,
    flags: &[],
    operands: Value::File,
    complete: None,
    found: Found::Everywhere,
    run: Run::Now(|invocation| run(invocation, &invocation.arguments)),
};

/// `[`.
pub static BRACKET: Command = Command {
    name: "[",
    usage: "EXPRESSION ]",
    summary: SUMMARY,
    flags: &[],
    operands: Value::File,
    complete: None,
    found: Found::Everywhere,
    run: Run::Now(bracket),
};

fn bracket(invocation: &Invocation) -> i32 {
    match invocation.arguments.split_last() {
        Some((last, words)) if last == "]" => run(invocation, words),
        _ => {
            invocation.fail("missing `]'");
            2
        }
    }
}

fn run(invocation: &Invocation, words: &[String]) -> i32 {
    let files = invocation.files();
    let is_tty = invocation.stdout().is_terminal();
    match evaluate_test(words, &files.borrow(), &invocation.directory, false, is_tty) {
        Ok(value) => i32::from(!value),
        Err(message) => {
            invocation.fail(&message);
            2
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check;

    #[test]
    fn conditions_hold_or_not() {
        for (condition, status) in [
            ("[ a = a ]", 0),
            ("[ a != a ]", 1),
            ("[ 3 -gt 2 ]", 0),
            ("[ 3 -le 2 ]", 1),
            ("[ -z \"\" ]", 0),
            ("[ -n \"$HOME\" ]", 0),
            ("[ ! -e /nosuch ]", 0),
            ("[ -d /etc -a -f /etc/hostname ]", 0),
            ("[ a = b -o c = c ]", 0),
            ("[ -n ]", 0),
            ("[ ]", 1),
            ("[ ! a ]", 1),
            ("test -s /etc/hostname", 0),
            ("[[ svc.yaml == *.yaml ]]", 0),
            ("[[ svc.yaml == '*.yaml' ]]", 1),
            ("[[ a == a && b == c || d == d ]]", 0),
            ("[[ web-12 =~ ^web-[0-9]+$ ]]", 0),
            ("[[ -z $NOSUCH ]]", 0),
        ] {
            check(condition, "", status);
        }
        check("[ a", "[: missing `]'", 2);
        check("[ a -eq 1 ]", "[: a: integer expression expected", 2);
        check("[ a b c ]", "[: b: binary operator expected", 2);
    }
}
