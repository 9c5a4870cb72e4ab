//! `sed`: `s`, `p`, `d`, `q` and `y` with addresses; what else sed can do is not simulated.

use regex_lite::{Captures, Regex};

use super::lines::texts;
use super::regex::{Syntax, compile};
use crate::shell::command::{Command, Found, Run, Value, option, switch};
use crate::shell::flags::{Style, not_simulated};
use crate::shell::invocation::Invocation;
use crate::words::Words;

/// `sed`.
pub static COMMAND: Command = Command {
    name: "sed",
    usage: "[-nEi] [-e SCRIPT | SCRIPT] [FILE]...",
    summary: Words { en: "change lines", zh: "编辑各行" },
    flags: &[
        switch('n', "quiet", "print only what p prints", "只打印 p 指定的行"),
        switch('E', "regexp-extended", "extended regular expressions", "扩展正则表达式"),
        switch('r', "", "as -E", "同 -E"),
        switch('i', "in-place", "change the files themselves", "直接修改文件"),
        option('e', "expression", Value::Text, "a script", "脚本"),
    ],
    operands: Value::File,
    complete: None,
    found: Found::OnHosts,
    run: Run::Waits(|invocation| Box::pin(run(invocation))),
};

enum Address {
    Line(usize),
    Last,
    Match(Regex),
}

enum Action {
    Substitute { expression: Regex, with: String, every: bool, nth: usize, print: bool },
    Translate(Vec<(char, char)>),
    Print,
    Delete,
    Quit,
}

struct Step {
    from: Option<Address>,
    to: Option<Address>,
    negated: bool,
    action: Action,
    /// Whether the range is open.
    inside: bool,
}

/// Why a script is not run.
enum Bad {
    Message(String),
    NotSimulated(char),
}

async fn run(invocation: Invocation) -> i32 {
    let mut parsed = match invocation.parse(&COMMAND, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let mut script = parsed.values("expression").join("\n");
    if script.is_empty() {
        if parsed.operands.is_empty() {
            invocation.stderr().write(&COMMAND.help(invocation.host.language()));
            return 1;
        }
        script = parsed.operands.remove(0);
    }
    let syntax =
        if parsed.has("regexp-extended") || parsed.has("r") { Syntax::Extended } else { Syntax::Basic };
    let mut steps = match read_script(&script, syntax) {
        Ok(steps) => steps,
        Err(Bad::Message(message)) => return invocation.fail(&format!("-e expression #1, {message}")),
        Err(Bad::NotSimulated(letter)) => {
            invocation.stderr().write(&not_simulated(&format!("sed command {letter}"), "s, p, d, q, y"));
            return 1;
        }
    };
    let quiet = parsed.has("quiet");
    if parsed.operands.is_empty() {
        // Lines pass as they come; one is held back to know which is the last.
        let mut next = invocation.streams.stdin.line().await;
        let mut number = 0;
        while let Some(line) = next {
            next = invocation.streams.stdin.line().await;
            number += 1;
            let (text, goes_on) = edit(&mut steps, &line, number, next.is_none(), quiet);
            invocation.stdout().write(&text);
            if !goes_on {
                break;
            }
        }
        return 0;
    }
    let (texts, status) = texts(&invocation, &parsed.operands).await;
    for (name, text) in texts {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let mut out = String::new();
        for (index, line) in lines.iter().enumerate() {
            let (text, goes_on) = edit(&mut steps, line, index + 1, index + 1 == lines.len(), quiet);
            out.push_str(&text);
            if !goes_on {
                break;
            }
        }
        if parsed.has("in-place") {
            if let Err(error) = invocation.files().borrow_mut().write(&invocation.path(&name), &out) {
                return invocation.fail(&format!("couldn't open file {name}: {}", error.words()));
            }
        } else {
            invocation.stdout().write(&out);
        }
    }
    status
}

/// What a line becomes, and whether others follow.
fn edit(steps: &mut [Step], line: &str, number: usize, last: bool, quiet: bool) -> (String, bool) {
    let end = if line.ends_with('\n') { "\n" } else { "" };
    let mut text = line.trim_end_matches('\n').to_owned();
    let (mut out, mut goes_on) = (String::new(), true);
    for step in steps {
        if step.applies(&text, number, last) == step.negated {
            continue;
        }
        match &step.action {
            Action::Substitute { expression, with, every, nth, print } => {
                if let Some(changed) = substitute(expression, &text, with, *every, *nth) {
                    text = changed;
                    if *print {
                        out.push_str(&format!("{text}{end}"));
                    }
                }
            }
            Action::Translate(pairs) => {
                let change =
                    |letter| pairs.iter().find(|(from, _)| *from == letter).map_or(letter, |(_, to)| *to);
                text = text.chars().map(change).collect();
            }
            Action::Print => out.push_str(&format!("{text}{end}")),
            Action::Delete => return (out, true),
            Action::Quit => {
                goes_on = false;
                break;
            }
        }
    }
    if !quiet {
        out.push_str(&text);
        out.push_str(end);
    }
    (out, goes_on)
}

impl Address {
    fn matches(&self, text: &str, number: usize, last: bool) -> bool {
        match self {
            Self::Line(line) => *line == number,
            Self::Last => last,
            Self::Match(expression) => expression.is_match(text),
        }
    }
}

impl Step {
    fn applies(&mut self, text: &str, number: usize, last: bool) -> bool {
        let Some(from) = &self.from else { return true };
        let Some(to) = &self.to else { return from.matches(text, number, last) };
        if self.inside {
            let over = matches!(to, Address::Line(line) if number > *line);
            self.inside = !over && !to.matches(text, number, last);
            return !over;
        }
        if !from.matches(text, number, last) {
            return false;
        }
        self.inside = match to {
            Address::Line(line) => *line > number,
            Address::Last => !last,
            Address::Match(_) => true,
        };
        true
    }
}

fn substitute(expression: &Regex, text: &str, with: &str, every: bool, nth: usize) -> Option<String> {
    let mut out = String::new();
    let mut end = 0;
    for (index, captures) in expression.captures_iter(text).enumerate() {
        let whole = captures.get(0)?;
        if index + 1 < nth || (index + 1 > nth && !every) {
            continue;
        }
        out.push_str(&text[end..whole.start()]);
        out.push_str(&filled(with, &captures));
        end = whole.end();
    }
    (end > 0 || !out.is_empty() || expression.find(text).is_some_and(|found| nth == 1 && found.is_empty()))
        .then(|| out + &text[end..])
}

/// The replacement with `&` and `\1` filled in.
fn filled(with: &str, captures: &Captures<'_>) -> String {
    let group = |index: usize| captures.get(index).map(|part| part.as_str()).unwrap_or_default();
    let mut out = String::new();
    let mut letters = with.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '&' => out.push_str(group(0)),
            '\\' => match letters.next() {
                Some(digit) if digit.is_ascii_digit() => out.push_str(group(digit as usize - '0' as usize)),
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                other => out.extend(other),
            },
            _ => out.push(letter),
        }
    }
    out
}

struct Script<'a> {
    letters: std::iter::Peekable<std::str::Chars<'a>>,
    at: usize,
    syntax: Syntax,
}

fn read_script(text: &str, syntax: Syntax) -> Result<Vec<Step>, Bad> {
    let mut script = Script { letters: text.chars().peekable(), at: 0, syntax };
    let mut steps = Vec::new();
    loop {
        while script.letters.peek().is_some_and(|letter| letter.is_whitespace() || *letter == ';') {
            script.next();
        }
        if script.letters.peek().is_none() {
            return Ok(steps);
        }
        steps.push(script.step()?);
    }
}

impl Script<'_> {
    fn next(&mut self) -> Option<char> {
        self.at += 1;
        self.letters.next()
    }

    fn bad<T>(&self, message: &str) -> Result<T, Bad> {
        Err(Bad::Message(format!("char {}: {message}", self.at)))
    }

    fn take(&mut self, letter: char) -> bool {
        let found = self.letters.peek() == Some(&letter);
        if found {
            self.next();
        }
        found
    }

    fn step(&mut self) -> Result<Step, Bad> {
        let from = self.address()?;
        let to = if from.is_some() && self.take(',') {
            let to = self.address()?;
            if to.is_none() {
                return self.bad("unexpected `,'");
            }
            to
        } else {
            None
        };
        while self.letters.peek() == Some(&' ') {
            self.next();
        }
        let negated = self.take('!');
        let action = match self.next() {
            Some('s') => self.substitution()?,
            Some('y') => self.translation()?,
            Some('p') => Action::Print,
            Some('d') => Action::Delete,
            Some('q') => Action::Quit,
            Some(letter) if "abcDgGhHiIlnNPrRtTwWxz={}:#".contains(letter) => {
                return Err(Bad::NotSimulated(letter));
            }
            Some(letter) => return self.bad(&format!("unknown command: `{letter}'")),
            None => return self.bad("missing command"),
        };
        match self.letters.peek() {
            None | Some(';' | '\n' | ' ' | '}') => Ok(Step { from, to, negated, action, inside: false }),
            Some(_) => {
                self.at += 1;
                self.bad("extra characters after command")
            }
        }
    }

    fn address(&mut self) -> Result<Option<Address>, Bad> {
        match self.letters.peek() {
            Some('$') => {
                self.next();
                Ok(Some(Address::Last))
            }
            Some('/') => {
                self.next();
                let pattern = self.up_to('/', "unterminated address regex")?;
                self.expression(&pattern, false).map(|expression| Some(Address::Match(expression)))
            }
            Some(digit) if digit.is_ascii_digit() => {
                let mut digits = String::new();
                while self.letters.peek().is_some_and(char::is_ascii_digit) {
                    digits.extend(self.next());
                }
                Ok(Some(Address::Line(digits.parse().unwrap_or(usize::MAX))))
            }
            _ => Ok(None),
        }
    }

    fn expression(&self, pattern: &str, ignore_case: bool) -> Result<Regex, Bad> {
        match compile(pattern, self.syntax, ignore_case) {
            Some(expression) => Ok(expression),
            None => self.bad("Invalid regular expression"),
        }
    }

    /// Up to an unescaped `end`; `\end` is `end`.
    fn up_to(&mut self, end: char, message: &str) -> Result<String, Bad> {
        let mut text = String::new();
        loop {
            match self.next() {
                Some(letter) if letter == end => return Ok(text),
                Some('\\') => match self.next() {
                    Some(escaped) if escaped == end => text.push(escaped),
                    Some(escaped) => text.extend(['\\', escaped]),
                    None => return self.bad(message),
                },
                Some(letter) => text.push(letter),
                None => {
                    self.at -= 1;
                    return self.bad(message);
                }
            }
        }
    }

    fn substitution(&mut self) -> Result<Action, Bad> {
        const UNTERMINATED: &str = "unterminated `s' command";
        let Some(end) = self.next() else { return self.bad(UNTERMINATED) };
        let pattern = self.up_to(end, UNTERMINATED)?;
        let with = self.up_to(end, UNTERMINATED)?;
        let (mut every, mut print, mut ignore_case, mut nth) = (false, false, false, 1);
        while let Some(letter) = self.letters.peek().copied() {
            match letter {
                'g' => every = true,
                'p' => print = true,
                'i' | 'I' => ignore_case = true,
                '1'..='9' => nth = letter as usize - '0' as usize,
                ';' | '\n' | ' ' | '}' => break,
                _ => {
                    self.at += 1;
                    return self.bad("unknown option to `s'");
                }
            }
            self.next();
        }
        let expression = self.expression(&pattern, ignore_case)?;
        Ok(Action::Substitute { expression, with, every, nth, print })
    }

    fn translation(&mut self) -> Result<Action, Bad> {
        const UNTERMINATED: &str = "unterminated `y' command";
        let Some(end) = self.next() else { return self.bad(UNTERMINATED) };
        let from = self.up_to(end, UNTERMINATED)?;
        let to = self.up_to(end, UNTERMINATED)?;
        if from.chars().count() != to.chars().count() {
            return self.bad("strings for `y' command are different lengths");
        }
        Ok(Action::Translate(from.chars().zip(to.chars()).collect()))
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check;

    #[test]
    fn lines_are_changed() {
        check(
            "echo hello | sed s/l/L/; echo hello | sed s/l/L/g; echo hello | sed s/l/L/2",
            "heLlo\nheLLo\nhelLo",
            0,
        );
        check(
            "echo 'a b' | sed -E 's/(.) (.)/\\2 \\1/'; echo ab | sed 's/\\(a\\)b/[&\\1]/'",
            "b a\n[aba]",
            0,
        );
        check("seq 5 | sed -n 2,3p; seq 5 | sed 2,4d; seq 5 | sed '$d' | tail -1", "2\n3\n1\n5\n4", 0);
        check("seq 5 | sed -n '/2/,/4/p'; seq 9 | sed 2q; seq 3 | sed -n '2!p'", "2\n3\n4\n1\n2\n1\n3", 0);
        check("echo a/b | sed 's|/|:|'; echo abc | sed y/abc/xyz/", "a:b\nxyz", 0);
        check("echo 'port: 80' > f; sed -i s/80/8080/ f; cat f", "port: 8080", 0);
        check("echo a | sed s/a", "sed: -e expression #1, char 3: unterminated `s' command", 1);
        check("echo a | sed k", "sed: -e expression #1, char 1: unknown command: `k'", 1);
        check("echo a | sed 's/x*/-/g'", "-a-", 0);
        check("echo a | sed '1a x'", "sed command a is not simulated in Portside; nearest: s, p, d, q, y", 1);
    }
}
