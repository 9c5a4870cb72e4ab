//! Commands that print what they are told: `echo`, `printf`, `seq`, `yes`; and `true`, `false`.

use crate::shell::command::{Command, Found, Run, Value, option};
use crate::shell::escapes::unescape;
use crate::shell::flags::Style;
use crate::shell::invocation::Invocation;
use crate::words::Words;

/// `seq` prints so many lines at most.
const LINE_LIMIT: usize = 1_000_000;

/// `echo`.
pub static ECHO: Command = Command {
    name: "echo",
    usage: "[-neE] [TEXT]...",
    summary: Words { en: "print words", zh: "打印文本" },
    flags: &[],
    operands: Value::File,
    complete: None,
    found: Found::Everywhere,
    run: Run::Now(echo),
};

fn echo(invocation: &Invocation) -> i32 {
    let (mut newline, mut escapes) = (true, false);
    let mut words = invocation.arguments.as_slice();
    while let Some((first, rest)) = words.split_first() {
        let is_flag = first.len() > 1
            && first.starts_with('-')
            && first[1..].chars().all(|letter| "neE".contains(letter));
        if !is_flag {
            break;
        }
        for letter in first[1..].chars() {
            match letter {
                'n' => newline = false,
                'e' => escapes = true,
                _ => escapes = false,
            }
        }
        words = rest;
    }
    let mut text = words.join(" ");
    if escapes {
        text = unescape(&text);
        if let Some(end) = text.find("\\c") {
            text.truncate(end);
            newline = false;
        }
    }
    if newline {
        text.push('\n');
    }
    invocation.stdout().write(&text);
    0
}

/// `printf`.
pub static PRINTF: Command = Command {
    name: "printf",
    usage: "FORMAT [ARGUMENT]...",
    summary: Words { en: "print arguments by a format", zh: "按格式打印参数" },
    flags: &[],
    operands: Value::Text,
    complete: None,
    found: Found::Everywhere,
    run: Run::Now(printf),
};

fn printf(invocation: &Invocation) -> i32 {
    let arguments = match invocation.arguments.split_first() {
        Some((first, rest)) if first == "--" => rest,
        _ => &invocation.arguments,
    };
    let Some((format, mut rest)) = arguments.split_first() else {
        return invocation.fail("usage: printf format [arguments]");
    };
    let mut status = 0;
    let mut text = String::new();
    loop {
        let before = rest.len();
        if let Err(bad) = print_once(format, &mut rest, &mut text) {
            invocation.fail(&format!("{bad}: invalid number"));
            status = 1;
        }
        if rest.is_empty() || rest.len() == before {
            break;
        }
    }
    invocation.stdout().write(&text);
    status
}

/// Prints the format once, taking arguments as it needs them; the answer is a number that is none.
fn print_once(format: &str, arguments: &mut &[String], text: &mut String) -> Result<(), String> {
    let mut result = Ok(());
    let mut letters = format.chars().peekable();
    let mut literal = String::new();
    while let Some(letter) = letters.next() {
        if letter == '\\' {
            literal.push(letter);
            literal.extend(letters.next());
            continue;
        }
        if letter != '%' {
            literal.push(letter);
            continue;
        }
        text.push_str(&unescape(&std::mem::take(&mut literal)));
        let mut spec = String::new();
        while letters.peek().is_some_and(|letter| "-+ 0#.123456789*".contains(*letter)) {
            match letters.next() {
                Some('*') => spec.push_str(take(arguments).map_or("0", String::as_str)),
                other => spec.extend(other),
            }
        }
        let Some(kind) = letters.next() else {
            text.push('%');
            break;
        };
        if kind == '%' {
            text.push('%');
            continue;
        }
        let argument = take(arguments).map(String::as_str).unwrap_or_default();
        match convert(kind, argument, &spec) {
            Ok(body) => text.push_str(&pad(&body, &spec, kind)),
            Err(body) => {
                text.push_str(&pad(&body, &spec, kind));
                result = Err(argument.to_owned());
            }
        }
    }
    text.push_str(&unescape(&literal));
    result
}

fn take<'a>(arguments: &mut &'a [String]) -> Option<&'a String> {
    let (first, rest) = arguments.split_first()?;
    *arguments = rest;
    Some(first)
}

/// An argument as its kind shows it; `Err` if it is no number.
fn convert(kind: char, argument: &str, spec: &str) -> Result<String, String> {
    let precision = spec.split_once('.').map(|(_, digits)| digits.parse().unwrap_or(0));
    let integer = || -> Result<i64, i64> {
        if let Some(letter) = argument.strip_prefix(['\'', '"']) {
            return Ok(letter.chars().next().map_or(0, |letter| i64::from(u32::from(letter))));
        }
        match argument.strip_prefix("0x") {
            Some(digits) => i64::from_str_radix(digits, 16).map_err(|_| 0),
            None if argument.is_empty() => Ok(0),
            None => argument.trim().parse().map_err(|_| 0),
        }
    };
    let shown = |show: fn(i64) -> String| integer().map(show).map_err(show);
    match kind {
        'd' | 'i' | 'u' => shown(|value| value.to_string()),
        'x' => shown(|value| format!("{value:x}")),
        'X' => shown(|value| format!("{value:X}")),
        'o' => shown(|value| format!("{value:o}")),
        'f' | 'F' | 'e' | 'g' => {
            let digits = precision.unwrap_or(6usize).min(100);
            let value = if argument.is_empty() { Ok(0.0) } else { argument.trim().parse::<f64>() };
            match value {
                Ok(value) => Ok(format!("{value:.digits$}")),
                Err(_) => Err(format!("{:.digits$}", 0.0)),
            }
        }
        'c' => Ok(argument.chars().take(1).collect()),
        'b' => Ok(unescape(argument)),
        'q' => Ok(quoted(argument)),
        _ => Ok(argument.chars().take(precision.unwrap_or(usize::MAX)).collect()),
    }
}

/// A word quoted so that a shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "_-./:=@%+,".contains(letter);
    if word.is_empty() {
        return "''".to_owned();
    }
    word.chars()
        .map(|letter| if plain(letter) { letter.to_string() } else { format!("\\{letter}") })
        .collect()
}

fn pad(body: &str, spec: &str, kind: char) -> String {
    /// Nobody needs wider columns.
    const WIDEST: usize = 10_000;
    let flags: String = spec.chars().take_while(|letter| "-+ 0#".contains(*letter)).collect();
    let width = spec[flags.len()..].split('.').next().unwrap_or_default();
    let width = width.parse::<usize>().unwrap_or(0).min(WIDEST);
    let number = "diuxXofFeg".contains(kind);
    let sign = if flags.contains('+') && number && !body.starts_with('-') { "+" } else { "" };
    let body = format!("{sign}{body}");
    if flags.contains('-') {
        return format!("{body:<width$}");
    }
    if flags.contains('0') && number {
        let (sign, digits) = body.split_at(usize::from(body.starts_with(['-', '+'])));
        let width = width.saturating_sub(sign.len());
        return format!("{sign}{digits:0>width$}");
    }
    format!("{body:>width$}")
}

/// `seq`.
pub static SEQ: Command = Command {
    name: "seq",
    usage: "[-s TEXT] [FIRST [STEP]] LAST",
    summary: Words { en: "print numbers in a row", zh: "打印一串数字" },
    flags: &[option('s', "separator", Value::Text, "text between numbers", "数字之间的分隔文本")],
    operands: Value::Number,
    complete: None,
    found: Found::OnHosts,
    run: Run::Now(seq),
};

fn seq(invocation: &Invocation) -> i32 {
    let parsed = match invocation.parse(&SEQ, Style::GnuInOrder) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let mut numbers = Vec::new();
    for operand in &parsed.operands {
        match operand.parse::<f64>() {
            Ok(number) if number.is_finite() => numbers.push(number),
            _ => {
                return invocation.fail(&format!(
                    "invalid floating point argument: '{operand}'\nTry 'seq --help' for more information."
                ));
            }
        }
    }
    let (first, step, last) = match numbers.as_slice() {
        [last] => (1.0, 1.0, *last),
        [first, last] => (*first, 1.0, *last),
        [first, step, last] => (*first, *step, *last),
        [] => return invocation.fail("missing operand\nTry 'seq --help' for more information."),
        _ => return invocation.fail(&format!("extra operand '{}'", parsed.operands[3])),
    };
    if step == 0.0 {
        return invocation.fail(&format!("invalid Zero increment value: '{}'", parsed.operands[1]));
    }
    let decimals = |text: &String| text.split_once('.').map_or(0, |(_, digits)| digits.len());
    let decimals = parsed.operands.iter().map(decimals).max().unwrap_or(0).min(17);
    let separator = parsed.value("separator").unwrap_or("\n");
    let mut text = String::new();
    for index in 0..LINE_LIMIT {
        let value = first + step * index as f64;
        if (step > 0.0 && value > last) || (step < 0.0 && value < last) {
            break;
        }
        if index > 0 {
            text.push_str(separator);
        }
        text.push_str(&format!("{value:.decimals$}"));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    invocation.stdout().write(&text);
    0
}

/// `yes`.
pub static YES: Command = Command {
    name: "yes",
    usage: "[TEXT]...",
    summary: Words { en: "print a line again and again", zh: "反复打印一行" },
    flags: &[],
    operands: Value::Text,
    complete: None,
    found: Found::OnHosts,
    run: Run::Waits(|invocation| Box::pin(yes(invocation))),
};

async fn yes(invocation: Invocation) -> i32 {
    let words = invocation.arguments.join(" ");
    let line = if words.is_empty() { "y" } else { &words };
    loop {
        for _ in 0..100 {
            invocation.say(line);
        }
        invocation.stdout().ready().await;
        invocation.sleep(std::time::Duration::from_millis(1)).await;
    }
}

/// `true`.
pub static TRUE: Command = Command {
    name: "true",
    usage: "",
    summary: Words { en: "succeed", zh: "返回成功" },
    flags: &[],
    operands: Value::None,
    complete: None,
    found: Found::Everywhere,
    run: Run::Now(|_| 0),
};

/// `false`.
pub static FALSE: Command = Command {
    name: "false",
    usage: "",
    summary: Words { en: "fail", zh: "返回失败" },
    flags: &[],
    operands: Value::None,
    complete: None,
    found: Found::Everywhere,
    run: Run::Now(|_| 1),
};

#[cfg(test)]
mod tests {
    use crate::shell::testing::check;

    #[test]
    fn words_are_printed_as_told() {
        check("echo a  b 'c  d'", "a b c  d", 0);
        check("echo -n a; echo b", "ab", 0);
        check("echo -e 'a\\tb'; echo 'a\\tb'", "a\tb\na\\tb", 0);
        check("echo -x --", "-x --", 0);
        check("printf '%s-%03d|%-5s|%5.1f\\n' a 7 b 2.25", "a-007|b    |  2.2", 0);
        check("printf '%s\\n' a b c", "a\nb\nc", 0);
        check("printf '%d\\n' x", "printf: x: invalid number\n0", 1);
        check("seq 3; seq 2 2 6; seq -s, 3", "1\n2\n3\n2\n4\n6\n1,2,3", 0);
        check("seq 1 0.5 2", "1.0\n1.5\n2.0", 0);
        check("yes | head -2", "y\ny", 0);
        check("true && false", "", 1);
    }
}
