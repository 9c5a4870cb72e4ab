//! `grep`: lines that match.

use regex_lite::Regex;

use super::regex::{Syntax, compile};
use crate::shell::command::{Command, Found, Run, Value, not_simulated, option, switch};
use crate::shell::filesystem::Entry;
use crate::shell::flags::{Parsed, Style};
use crate::shell::invocation::Invocation;
use crate::words::Words;

/// Exit status for errors; 1 means that no line matched.
const TROUBLE: i32 = 2;

/// `grep`.
pub static COMMAND: Command = Command {
    name: "grep",
    usage: "[-EFivcnowlLqrhHs] [-A|-B|-C NUMBER] [-e PATTERN | PATTERN] [FILE]...",
    summary: Words { en: "print lines that match a pattern", zh: "打印匹配模式的行" },
    flags: &[
        switch('E', "extended-regexp", "extended regular expressions", "扩展正则表达式"),
        switch('F', "fixed-strings", "plain text", "纯文本"),
        switch('G', "basic-regexp", "basic regular expressions", "基本正则表达式"),
        switch('i', "ignore-case", "capitals are equal to small letters", "忽略大小写"),
        switch('v', "invert-match", "lines that do not match", "不匹配的行"),
        switch('c', "count", "only how many", "只显示数量"),
        switch('n', "line-number", "with numbers of lines", "显示行号"),
        switch('o', "only-matching", "only what matches", "只显示匹配部分"),
        switch('w', "word-regexp", "whole words", "匹配整个单词"),
        switch('x', "line-regexp", "whole lines", "匹配整行"),
        switch('l', "files-with-matches", "only names of files", "只显示文件名"),
        switch('L', "files-without-match", "only names of files without a match", "只显示无匹配的文件名"),
        switch('q', "quiet", "print nothing", "不输出"),
        switch('s', "no-messages", "no complaint about files", "不报告文件错误"),
        switch('r', "recursive", "all files below a directory", "递归目录"),
        switch('h', "no-filename", "no names of files", "不显示文件名"),
        switch('H', "with-filename", "with names of files", "显示文件名"),
        option('e', "regexp", Value::Text, "a pattern", "模式"),
        option('m', "max-count", Value::Number, "stop after so many lines", "最多匹配行数"),
        option('A', "after-context", Value::Number, "lines behind a match", "匹配后的行数"),
        option('B', "before-context", Value::Number, "lines before a match", "匹配前的行数"),
        option('C', "context", Value::Number, "lines around a match", "匹配前后的行数"),
        option('\0', "color", Value::Optional("auto"), "accepted, without effect", "接受但无效果"),
        switch('\0', "line-buffered", "lines come at once anyway", "本来就逐行输出"),
        not_simulated('P', "perl-regexp", Value::None, "grep -E"),
        not_simulated('f', "file", Value::File, "grep -e PATTERN -e PATTERN"),
    ],
    operands: Value::File,
    complete: None,
    found: Found::OnHosts,
    run: Run::Waits(|invocation| Box::pin(run(invocation))),
};

struct Search {
    expressions: Vec<Regex>,
    invert: bool,
    word: bool,
    line: bool,
    number: bool,
    only: bool,
    silent: bool,
    count: bool,
    most: usize,
    before: usize,
    after: usize,
    named: bool,
}

/// How far a search through one text is.
#[derive(Default)]
struct Position {
    number: usize,
    found: usize,
    /// Lines still to be printed behind a match.
    after: usize,
    /// Lines that may still be printed before a match, with their numbers.
    held: Vec<(usize, String)>,
    printed_last: Option<usize>,
}

async fn run(invocation: Invocation) -> i32 {
    let mut parsed = match invocation.parse(&COMMAND, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let mut patterns: Vec<String> = parsed.values("regexp").iter().map(|text| (*text).to_owned()).collect();
    if patterns.is_empty() {
        if parsed.operands.is_empty() {
            invocation.stderr().write(
                "Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n",
            );
            return TROUBLE;
        }
        patterns.push(parsed.operands.remove(0));
    }
    let search = match Search::new(&parsed, &patterns) {
        Ok(search) => search,
        Err(message) => {
            invocation.fail(&message);
            return TROUBLE;
        }
    };
    search.run(&invocation, &parsed).await
}

impl Search {
    fn new(parsed: &Parsed, patterns: &[String]) -> Result<Self, String> {
        let syntax = if parsed.has("fixed-strings") {
            Syntax::Fixed
        } else if parsed.has("extended-regexp") {
            Syntax::Extended
        } else {
            Syntax::Basic
        };
        let mut expressions = Vec::new();
        for pattern in patterns.iter().flat_map(|pattern| pattern.split('\n')) {
            match compile(pattern, syntax, parsed.has("ignore-case")) {
                Some(expression) => expressions.push(expression),
                None if pattern.matches('[').count() > pattern.matches(']').count() => {
                    return Err("Unmatched [, [^, [:, [., or [=".to_owned());
                }
                None if pattern.matches('(').count() != pattern.matches(')').count() => {
                    return Err("Unmatched ( or \\(".to_owned());
                }
                None => return Err("Invalid regular expression".to_owned()),
            }
        }
        let number = |name: &str, default: usize| match parsed.value(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| match name {
                "max-count" => "invalid max count".to_owned(),
                _ => format!("{text}: invalid context length argument"),
            }),
        };
        let around = number("context", 0)?;
        let quiet =
            parsed.has("quiet") || parsed.has("files-with-matches") || parsed.has("files-without-match");
        Ok(Self {
            expressions,
            invert: parsed.has("invert-match"),
            word: parsed.has("word-regexp"),
            line: parsed.has("line-regexp"),
            number: parsed.has("line-number"),
            only: parsed.has("only-matching"),
            silent: quiet || parsed.has("count"),
            count: parsed.has("count"),
            most: if quiet { number("max-count", 1)?.min(1) } else { number("max-count", usize::MAX)? },
            before: number("before-context", around)?,
            after: number("after-context", around)?,
            named: false,
        })
    }

    async fn run(mut self, invocation: &Invocation, parsed: &Parsed) -> i32 {
        let mut operands = parsed.operands.clone();
        let mut status = 1;
        if parsed.has("recursive") {
            operands = below(invocation, if operands.is_empty() { vec![".".to_owned()] } else { operands });
            self.named = true;
        }
        self.named =
            (self.named || operands.len() > 1 || parsed.has("with-filename")) && !parsed.has("no-filename");
        if operands.is_empty() {
            operands.push("-".to_owned());
        }
        let mut trouble = false;
        for operand in &operands {
            let name = if operand == "-" { "(standard input)" } else { operand };
            let mut position = Position::default();
            if operand == "-" {
                while position.found < self.most || position.after > 0 {
                    let Some(line) = invocation.streams.stdin.line().await else { break };
                    self.line(invocation, name, line.trim_end_matches('\n'), &mut position);
                }
            } else {
                let text = match invocation.read_file(operand) {
                    Ok(text) => text,
                    Err(error) => {
                        if !parsed.has("no-messages") {
                            invocation.fail(&format!("{operand}: {}", error.words()));
                        }
                        trouble = true;
                        continue;
                    }
                };
                for line in text.lines() {
                    if position.found >= self.most && position.after == 0 {
                        break;
                    }
                    self.line(invocation, name, line, &mut position);
                }
            }
            if position.found > 0 {
                status = 0;
            }
            self.finish(invocation, parsed, name, position.found);
        }
        if trouble && !(parsed.has("quiet") && status == 0) { TROUBLE } else { status }
    }

    fn finish(&self, invocation: &Invocation, parsed: &Parsed, name: &str, found: usize) {
        let listed = (parsed.has("files-with-matches") && found > 0)
            || (parsed.has("files-without-match") && found == 0);
        if parsed.has("quiet") {
        } else if listed {
            invocation.say(name);
        } else if self.count && !parsed.has("files-with-matches") {
            let prefix = if self.named { format!("{name}:") } else { String::new() };
            invocation.say(&format!("{prefix}{found}"));
        }
    }

    /// The parts of a line that match.
    fn matches<'a>(&self, line: &'a str) -> Vec<&'a str> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        for expression in &self.expressions {
            for part in expression.find_iter(line) {
                let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
                let edged = !line[..part.start()].chars().next_back().is_some_and(is_letter)
                    && !line[part.end()..].chars().next().is_some_and(is_letter);
                let whole = part.start() == 0 && part.end() == line.len();
                if (!self.word || edged) && (!self.line || whole) {
                    found.push((part.start(), part.end()));
                }
            }
        }
        found.sort_unstable_by_key(|(start, end)| (*start, usize::MAX - end));
        let mut end_before = 0;
        found.retain(|(start, end)| {
            let keep = *start >= end_before;
            end_before = if keep { *end } else { end_before };
            keep
        });
        found.into_iter().map(|(start, end)| &line[start..end]).collect()
    }

    fn line(&self, invocation: &Invocation, name: &str, line: &str, position: &mut Position) {
        position.number += 1;
        let parts = self.matches(line);
        let counts = position.found < self.most && parts.is_empty() == self.invert;
        if !counts {
            self.other_line(invocation, name, line, position);
            return;
        }
        position.found += 1;
        if self.silent {
            return;
        }
        if self.only {
            for part in parts.iter().filter(|part| !part.is_empty()) {
                self.print(invocation, name, position.number, ':', part);
            }
            return;
        }
        let first = position.held.first().map_or(position.number, |(number, _)| *number);
        if position.printed_last.is_some_and(|last| last + 1 < first) && self.before + self.after > 0 {
            invocation.say("--");
        }
        for (number, held) in std::mem::take(&mut position.held) {
            self.print(invocation, name, number, '-', &held);
        }
        self.print(invocation, name, position.number, ':', line);
        position.printed_last = Some(position.number);
        position.after = self.after;
    }

    /// A line that does not count is printed if it stands behind a match, or held in case one follows.
    fn other_line(&self, invocation: &Invocation, name: &str, line: &str, position: &mut Position) {
        if self.silent || self.only {
            return;
        }
        if position.after > 0 {
            position.after -= 1;
            self.print(invocation, name, position.number, '-', line);
            position.printed_last = Some(position.number);
        } else if self.before > 0 {
            position.held.push((position.number, line.to_owned()));
            if position.held.len() > self.before {
                position.held.remove(0);
            }
        }
    }

    fn print(&self, invocation: &Invocation, name: &str, number: usize, mark: char, text: &str) {
        let mut line = String::new();
        if self.named {
            line.push_str(name);
            line.push(mark);
        }
        if self.number {
            line.push_str(&number.to_string());
            line.push(mark);
        }
        line.push_str(text);
        invocation.say(&line);
    }
}

/// The files below directories, as typed.
fn below(invocation: &Invocation, operands: Vec<String>) -> Vec<String> {
    let files = invocation.files();
    let files = files.borrow();
    let mut found = Vec::new();
    for operand in operands {
        let path = invocation.path(&operand);
        if !files.is_directory(&path) {
            found.push(operand);
            continue;
        }
        for (held, entry) in files.below(&path) {
            if matches!(entry, Entry::File(_)) {
                found.push(format!(
                    "{}{}",
                    operand.trim_end_matches('/'),
                    &held[path.trim_end_matches('/').len()..]
                ));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check;

    #[test]
    fn matching_lines_are_printed() {
        let with = |command: &str| format!("printf 'nginx 80\\nNGINX 443\\nredis 6379\\n' > f; {command}");
        check(&with("grep nginx f"), "nginx 80", 0);
        check(&with("cat f | grep -i nginx"), "nginx 80\nNGINX 443", 0);
        check(&with("grep -v nginx f"), "NGINX 443\nredis 6379", 0);
        check(&with("grep -c . f; grep -n redis f; grep -o '[0-9]*' f"), "3\n3:redis 6379\n80\n443\n6379", 0);
        check(&with("grep -E 'ng|red' f"), "nginx 80\nredis 6379", 0);
        check(&with("grep 'nginx\\|redis' f"), "nginx 80\nredis 6379", 0);
        check(&with("grep 'ng|red' f"), "", 1);
        check(&with("grep -w 8 f; grep -w 80 f"), "nginx 80", 0);
        check(&with("grep -q nginx f && echo yes"), "yes", 0);
        check(&with("grep -A1 nginx f; grep -B1 redis f"), "nginx 80\nNGINX 443\nNGINX 443\nredis 6379", 0);
        check(&with("grep -l nginx f; grep -r redis ."), "f\n./f:redis 6379", 0);
        check("grep x nosuch", "grep: nosuch: No such file or directory", 2);
        check("echo a | grep '['", "grep: Unmatched [, [^, [:, [., or [=", 2);
        check("echo 'a.b' | grep -F a.b; echo axb | grep -F a.b", "a.b", 1);
        check("echo 10.244.1.3:80 | grep -oE '([0-9]+\\.){3}[0-9]+'", "10.244.1.3", 0);
        check("echo a | grep -P a", "grep -P is not simulated in Portside; nearest: grep -E", 2);
    }
}
