//! Lines as they come: `head`, `tail`, `wc`, `tee`, `rev`, `tac`, `nl`.

use crate::shell::command::{Command, Flag, Found, Run, Value, not_simulated, option, switch};
use crate::shell::executor::Boxed;
use crate::shell::filesystem::append;
use crate::shell::flags::{Parsed, Style};
use crate::shell::invocation::Invocation;
use crate::words::Words;

/// Declares a command that reads lines.
pub(super) const fn command(
    name: &'static str,
    usage: &'static str,
    (en, zh): (&'static str, &'static str),
    flags: &'static [Flag],
    run: fn(Invocation) -> Boxed<'static, i32>,
) -> Command {
    Command {
        name,
        usage,
        summary: Words { en, zh },
        flags,
        operands: Value::File,
        complete: None,
        found: Found::OnHosts,
        run: Run::Waits(run),
    }
}

/// The texts of all operands (standard input without any), with their names; and the status so far.
pub(super) async fn texts(invocation: &Invocation, operands: &[String]) -> (Vec<(String, String)>, i32) {
    let standard = ["-".to_owned()];
    let operands = if operands.is_empty() { &standard[..] } else { operands };
    let (mut texts, mut status) = (Vec::new(), 0);
    for operand in operands {
        match invocation.read_operand(operand).await {
            Some(text) => texts.push((operand.clone(), text.to_string())),
            None => status = 1,
        }
    }
    (texts, status)
}

/// `-5` as `-n 5`, which old scripts and fingers write.
fn with_count(invocation: &Invocation) -> Invocation {
    let count = |argument: &String| {
        let digits = argument.strip_prefix('-')?;
        (!digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()))
            .then(|| format!("-n{digits}"))
    };
    let mut awaits_value = false;
    let arguments = invocation.arguments.iter().map(|argument| {
        let is_value =
            std::mem::replace(&mut awaits_value, matches!(argument.as_str(), "-n" | "-c" | "--lines"));
        if is_value { argument.clone() } else { count(argument).unwrap_or_else(|| argument.clone()) }
    });
    invocation.with_command(&invocation.name, arguments.collect())
}

const COUNT_FLAGS: &[Flag] = &[
    option('n', "lines", Value::Number, "how many lines", "行数"),
    option('c', "bytes", Value::Number, "how many bytes", "字节数"),
    switch('q', "quiet", "no names before the files", "不显示文件名"),
    switch('f', "follow", "wait for more at the end (of standard input)", "在末尾等待更多输入"),
];

/// A count as typed: its sign, and the number.
fn count(invocation: &Invocation, parsed: &Parsed) -> Result<(char, usize), i32> {
    let text = parsed.value("bytes").or(parsed.value("lines")).unwrap_or("10");
    let (sign, digits) = match text.chars().next() {
        Some(sign @ ('+' | '-')) => (sign, &text[1..]),
        _ => (' ', text),
    };
    let what = if parsed.value("bytes").is_some() { "bytes" } else { "lines" };
    digits
        .parse()
        .map(|number| (sign, number))
        .map_err(|_| invocation.fail(&format!("invalid number of {what}: '{text}'")))
}

/// The header that stands before each of several files.
fn header(invocation: &Invocation, index: usize, name: &str) {
    let name = if name == "-" { "standard input" } else { name };
    let blank = if index > 0 { "\n" } else { "" };
    invocation.say(&format!("{blank}==> {name} <=="));
}

/// The first `bytes` of a text, shortened to whole characters.
fn first_bytes(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// `head`.
pub static HEAD: Command = command(
    "head",
    "[-n COUNT] [FILE]...",
    ("print the first lines", "打印开头的行"),
    COUNT_FLAGS,
    |invocation| Box::pin(head(with_count(&invocation))),
);

async fn head(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&HEAD, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let (sign, number) = match count(&invocation, &parsed) {
        Ok(count) => count,
        Err(status) => return status,
    };
    let by_bytes = parsed.value("bytes").is_some();
    if parsed.operands.is_empty() && sign != '-' && !by_bytes {
        // Lines pass as they come, and the writer is stopped after the last one.
        for _ in 0..number {
            let Some(line) = invocation.streams.stdin.line().await else { break };
            invocation.stdout().write(&line);
        }
        return 0;
    }
    let (texts, status) = texts(&invocation, &parsed.operands).await;
    let headed = parsed.operands.len() > 1 && !parsed.has("quiet");
    for (index, (name, text)) in texts.iter().enumerate() {
        if headed {
            header(&invocation, index, name);
        }
        let total = if by_bytes { text.len() } else { text.split_inclusive('\n').count() };
        let shown = if sign == '-' { total.saturating_sub(number) } else { number };
        if by_bytes {
            invocation.stdout().write(first_bytes(text, shown.min(text.len())));
        } else {
            text.split_inclusive('\n').take(shown).for_each(|line| invocation.stdout().write(line));
        }
    }
    status
}

/// `tail`.
pub static TAIL: Command = command(
    "tail",
    "[-n COUNT] [-f] [FILE]...",
    ("print the last lines", "打印末尾的行"),
    COUNT_FLAGS,
    |invocation| Box::pin(tail(with_count(&invocation))),
);

async fn tail(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&TAIL, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let (sign, number) = match count(&invocation, &parsed) {
        Ok(count) => count,
        Err(status) => return status,
    };
    let (texts, status) = texts(&invocation, &parsed.operands).await;
    let headed = parsed.operands.len() > 1 && !parsed.has("quiet");
    for (index, (name, text)) in texts.iter().enumerate() {
        if headed {
            header(&invocation, index, name);
        }
        if parsed.value("bytes").is_some() {
            let start =
                if sign == '+' { number.saturating_sub(1) } else { text.len().saturating_sub(number) };
            invocation.stdout().write(&text[text.ceil_char_boundary(start.min(text.len()))..]);
            continue;
        }
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let start = if sign == '+' { number.saturating_sub(1) } else { lines.len().saturating_sub(number) };
        lines.iter().skip(start).for_each(|line| invocation.stdout().write(line));
    }
    if !parsed.has("follow") || parsed.operands.is_empty() {
        return status;
    }
    follow(&invocation, texts).await
}

/// Prints what is added to the files, for ever.
async fn follow(invocation: &Invocation, mut texts: Vec<(String, String)>) -> i32 {
    /// How often `tail -f` looks, as the real one does without inotify.
    const LOOK: std::time::Duration = std::time::Duration::from_secs(1);
    loop {
        invocation.sleep(LOOK).await;
        for (name, seen) in &mut texts {
            let Ok(text) = invocation.read_file(name) else { continue };
            match text.strip_prefix(seen.as_str()) {
                Some(added) => invocation.stdout().write(added),
                None => invocation.stdout().write(&text),
            }
            *seen = text.to_string();
        }
    }
}

/// `wc`.
pub static WC: Command = command(
    "wc",
    "[-lwcm] [FILE]...",
    ("count lines, words and bytes", "统计行数、单词数和字节数"),
    &[
        switch('l', "lines", "lines", "行数"),
        switch('w', "words", "words", "单词数"),
        switch('c', "bytes", "bytes", "字节数"),
        switch('m', "chars", "characters", "字符数"),
    ],
    |invocation| Box::pin(wc(invocation)),
);

async fn wc(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&WC, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let all = !["lines", "words", "bytes", "chars"].iter().any(|flag| parsed.has(flag));
    let chosen = [
        all || parsed.has("lines"),
        all || parsed.has("words"),
        parsed.has("chars"),
        all || parsed.has("bytes"),
    ];
    let (texts, status) = texts(&invocation, &parsed.operands).await;
    let mut rows: Vec<(Vec<usize>, String)> = Vec::new();
    for (name, text) in &texts {
        let counts =
            [text.matches('\n').count(), text.split_whitespace().count(), text.chars().count(), text.len()];
        let counts = counts.iter().zip(chosen).filter(|(_, chosen)| *chosen).map(|(count, _)| *count);
        rows.push((counts.collect(), if parsed.operands.is_empty() { String::new() } else { name.clone() }));
    }
    if rows.len() > 1 {
        let columns = rows[0].0.len();
        let sums = (0..columns).map(|column| rows.iter().map(|(counts, _)| counts[column]).sum()).collect();
        rows.push((sums, "total".to_owned()));
    }
    // The real one takes the width from the size of the files; for what it cannot know beforehand it takes 7.
    let columns = rows.first().map_or(0, |(counts, _)| counts.len());
    let largest = texts.iter().map(|(_, text)| text.len()).sum::<usize>().to_string().len();
    let width = match (columns, parsed.operands.is_empty()) {
        (1, true) => 1,
        (_, true) => 7,
        (1, false) if rows.len() == 1 => 1,
        _ => largest,
    };
    for (counts, name) in rows {
        let cells: Vec<String> = counts.iter().map(|count| format!("{count:width$}")).collect();
        let behind = if name.is_empty() { String::new() } else { format!(" {name}") };
        invocation.say(&format!("{}{behind}", cells.join(" ")));
    }
    status
}

/// `tee`.
pub static TEE: Command = command(
    "tee",
    "[-a] [FILE]...",
    ("print standard input and keep it in files", "输出的同时写入文件"),
    &[switch('a', "append", "add to the files", "追加到文件")],
    |invocation| Box::pin(tee(invocation)),
);

async fn tee(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&TEE, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let files = invocation.files();
    let mut status = 0;
    let mut paths = Vec::new();
    for operand in &parsed.operands {
        let path = invocation.path(operand);
        let opened = match parsed.has("append") {
            true => append(&mut files.borrow_mut(), &path, ""),
            false => files.borrow_mut().write(&path, ""),
        };
        match opened {
            Ok(()) => paths.push(path),
            Err(error) => status = invocation.fail(&format!("{operand}: {}", error.words())),
        }
    }
    while let Some(line) = invocation.streams.stdin.line().await {
        invocation.stdout().write(&line);
        for path in &paths {
            if append(&mut files.borrow_mut(), path, &line).is_err() {
                status = 1;
            }
        }
    }
    status
}

/// `rev`.
pub static REV: Command =
    command("rev", "[FILE]...", ("turn lines round", "反转每一行"), &[], |invocation| {
        Box::pin(each_text(invocation, &REV, |text| {
            text.lines().map(|line| line.chars().rev().collect::<String>() + "\n").collect()
        }))
    });

/// `tac`.
pub static TAC: Command = command(
    "tac",
    "[FILE]...",
    ("print lines from the last to the first", "倒序打印各行"),
    &[],
    |invocation| Box::pin(each_text(invocation, &TAC, |text| text.split_inclusive('\n').rev().collect())),
);

/// `nl`.
pub static NL: Command = command(
    "nl",
    "[FILE]...",
    ("number lines", "给行编号"),
    &[not_simulated('b', "body-numbering", Value::Text, "cat -n")],
    |invocation| {
        Box::pin(each_text(invocation, &NL, |text| {
            let mut number = 0;
            let mut numbered = |line: &str| {
                if line.is_empty() {
                    return "       \n".to_owned();
                }
                number += 1;
                format!("{number:6}\t{line}\n")
            };
            text.lines().map(&mut numbered).collect()
        }))
    },
);

async fn each_text(invocation: Invocation, command: &Command, change: fn(&str) -> String) -> i32 {
    let parsed = match invocation.parse(command, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let (texts, status) = texts(&invocation, &parsed.operands).await;
    for (_, text) in texts {
        invocation.stdout().write(&change(&text));
    }
    status
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check;

    #[test]
    fn lines_are_chosen_and_counted() {
        check("seq 20 | head -n 2; seq 20 | head -3 | tail -1; seq 12 | head | wc -l", "1\n2\n3\n10", 0);
        check("seq 5 | tail -n +4; seq 5 | head -n -3", "4\n5\n1\n2", 0);
        check("printf hello | head -c 2; printf hello | tail -c 2", "helo", 0);
        check("echo a b | wc; echo a b | wc -w; printf x | wc -c", "      1       2       4\n2\n1", 0);
        check("seq 3 > a; wc -l a; wc a", "3 a\n3 3 6 a", 0);
        check("seq 2 > a; seq 1 > b; head -1 a b", "==> a <==\n1\n\n==> b <==\n1", 0);
        check("head -n x", "head: invalid number of lines: 'x'", 1);
        check("head -z", "head: invalid option -- 'z'\nTry 'head --help' for more information.", 1);
        check(
            "seq 2 | tac; echo abc | rev; printf 'a\\n\\nb\\n' | nl",
            "2\n1\ncba\n     1\ta\n       \n     2\tb",
            0,
        );
    }
}
