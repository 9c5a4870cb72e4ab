//! Parts of lines and single characters: `cut` and `tr`.

use super::lines::{command, texts};
use crate::shell::command::{Command, Value, option, switch};
use crate::shell::escapes::unescape;
use crate::shell::flags::Style;
use crate::shell::invocation::Invocation;
use crate::shell::language::pattern::in_class;

/// `cut`.
pub static CUT: Command = command(
    "cut",
    "-f LIST | -c LIST [-d CHARACTER] [-s] [FILE]...",
    ("print parts of lines", "截取各行的一部分"),
    &[
        option('f', "fields", Value::Text, "these fields (1,3-5,7-)", "字段"),
        option('c', "characters", Value::Text, "these characters", "字符"),
        option('b', "bytes", Value::Text, "as -c", "同 -c"),
        option('d', "delimiter", Value::Text, "character between fields (a tab)", "字段分隔符"),
        option('\0', "output-delimiter", Value::Text, "text between fields printed", "输出分隔符"),
        switch('s', "only-delimited", "no lines without a delimiter", "忽略没有分隔符的行"),
    ],
    |invocation| Box::pin(cut(invocation)),
);

/// `1,3-5,7-` as ranges from 1, both ends included.
fn ranges(list: &str) -> Option<Vec<(usize, usize)>> {
    let number = |text: &str, open: usize| {
        if text.is_empty() { Some(open) } else { text.parse().ok().filter(|number| *number > 0) }
    };
    list.split(',')
        .map(|part| match part.split_once('-') {
            Some(("", "")) => None,
            Some((first, last)) => Some((number(first, 1)?, number(last, usize::MAX)?)),
            None if part.is_empty() => None,
            None => number(part, 0).map(|number| (number, number)),
        })
        .collect()
}

async fn cut(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&CUT, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let hint = "\nTry 'cut --help' for more information.";
    let by_fields = parsed.value("fields");
    let Some(list) = by_fields.or(parsed.value("characters")).or(parsed.value("bytes")) else {
        return invocation.fail(&format!("you must specify a list of bytes, characters, or fields{hint}"));
    };
    let Some(ranges) = ranges(list) else {
        let what = if by_fields.is_some() { "field" } else { "byte/character position" };
        return invocation.fail(&format!("invalid {what} value '{list}'{hint}"));
    };
    let delimiter = parsed.value("delimiter").unwrap_or("\t");
    if delimiter.chars().count() != 1 {
        return invocation.fail(&format!("the delimiter must be a single character{hint}"));
    }
    let between = parsed.value("output-delimiter").unwrap_or(delimiter);
    let chosen = |index: usize| ranges.iter().any(|(first, last)| *first <= index + 1 && index < *last);
    let line_of = |line: &str| -> Option<String> {
        if by_fields.is_none() {
            return Some(
                line.chars()
                    .enumerate()
                    .filter(|(index, _)| chosen(*index))
                    .map(|(_, letter)| letter)
                    .collect(),
            );
        }
        if !line.contains(delimiter) {
            return (!parsed.has("only-delimited")).then(|| line.to_owned());
        }
        let fields = line.split(delimiter).enumerate().filter(|(index, _)| chosen(*index));
        Some(fields.map(|(_, field)| field).collect::<Vec<_>>().join(between))
    };
    if parsed.operands.is_empty() {
        while let Some(line) = invocation.streams.stdin.line().await {
            if let Some(text) = line_of(line.trim_end_matches('\n')) {
                invocation.say(&text);
            }
        }
        return 0;
    }
    let (texts, status) = texts(&invocation, &parsed.operands).await;
    texts
        .iter()
        .flat_map(|(_, text)| text.lines())
        .filter_map(line_of)
        .for_each(|line| invocation.say(&line));
    status
}

/// `tr`.
pub static TR: Command = command(
    "tr",
    "[-cds] SET [SET]",
    ("replace or delete characters", "替换或删除字符"),
    &[
        switch('d', "delete", "delete the characters of the set", "删除字符"),
        switch('s', "squeeze-repeats", "one for several in a row", "压缩连续重复字符"),
        switch('c', "complement", "all characters but those of the set", "取补集"),
        switch('C', "", "as -c", "同 -c"),
    ],
    |invocation| Box::pin(tr(invocation)),
);

/// A set as `tr` writes it: characters, ranges, classes, sequences.
struct Set {
    letters: Vec<char>,
    classes: Vec<String>,
}

impl Set {
    fn read(text: &str) -> Self {
        let (mut letters, mut classes) = (Vec::new(), Vec::new());
        let source: Vec<char> = unescape(text).chars().collect();
        let mut at = 0;
        while at < source.len() {
            if source[at..].starts_with(&['[', ':'])
                && let Some(length) = source[at + 2..].iter().position(|letter| *letter == ':')
            {
                classes.push(source[at + 2..at + 2 + length].iter().collect());
                at += length + 4;
                continue;
            }
            match source.get(at + 2) {
                Some(last) if source[at + 1] == '-' && *last >= source[at] => {
                    letters.extend(source[at]..=*last);
                    at += 3;
                }
                _ => {
                    letters.push(source[at]);
                    at += 1;
                }
            }
        }
        Self { letters, classes }
    }

    fn has(&self, letter: char) -> bool {
        self.letters.contains(&letter) || self.classes.iter().any(|class| in_class(class, letter))
    }
}

async fn tr(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&TR, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let hint = "\nTry 'tr --help' for more information.";
    let Some(first) = parsed.operands.first() else {
        return invocation.fail(&format!("missing operand{hint}"));
    };
    let second = parsed.operands.get(1);
    let (delete, squeeze) = (parsed.has("delete"), parsed.has("squeeze-repeats"));
    if second.is_none() && !delete && !squeeze {
        return invocation.fail(&format!(
            "missing operand after '{first}'\nTwo strings must be given when translating.{hint}"
        ));
    }
    let complement = parsed.has("complement") || parsed.has("C");
    let from = Set::read(first);
    let to = second.map(|text| Set::read(text));
    let chosen = |letter: char| from.has(letter) != complement;
    let translate = |letter: char| -> char {
        let Some(to) = to.as_ref().filter(|_| !delete && chosen(letter)) else { return letter };
        if to.classes.iter().any(|class| class == "upper") {
            return letter.to_ascii_uppercase();
        }
        if to.classes.iter().any(|class| class == "lower") {
            return letter.to_ascii_lowercase();
        }
        let index = from.letters.iter().position(|held| *held == letter).unwrap_or(usize::MAX);
        to.letters.get(index).or(to.letters.last()).copied().unwrap_or(letter)
    };
    let squeezed = |letter: char| match &to {
        Some(to) => to.has(letter),
        None => chosen(letter),
    };
    let mut last = None;
    while let Some(line) = invocation.streams.stdin.line().await {
        let mut text = String::with_capacity(line.len());
        for letter in line.chars().filter(|letter| !(delete && chosen(*letter))) {
            let letter = translate(letter);
            if squeeze && last == Some(letter) && squeezed(letter) {
                continue;
            }
            last = Some(letter);
            text.push(letter);
        }
        invocation.stdout().write(&text);
        invocation.stdout().ready().await;
    }
    0
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check;

    #[test]
    fn fields_and_characters_are_chosen() {
        check("echo a:b:c:d | cut -d: -f2; echo a:b:c:d | cut -d: -f1,3-", "b\na:c:d", 0);
        check("echo hello | cut -c2-3; echo x | cut -d: -f2; echo x | cut -d: -sf2", "el\nx", 0);
        check("echo a | cut -f0", "cut: invalid field value '0'\nTry 'cut --help' for more information.", 1);
        check("echo hello | tr a-y b-z; echo 'a  b' | tr -s ' '; echo a1b2 | tr -d 0-9", "ifmmp\na b\nab", 0);
        check(
            "echo hi | tr '[:lower:]' '[:upper:]'; echo 'a b' | tr ' ' '\\n'; echo a1 | tr -cd '0-9'",
            "HI\na\nb\n1",
            0,
        );
    }
}
