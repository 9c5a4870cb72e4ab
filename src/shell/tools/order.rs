//! Order and repetition: `sort`, `uniq`, `shuf`.

use std::cmp::Ordering;

use super::lines::{command, texts};
use crate::shell::command::{Command, Value, option, switch};
use crate::shell::flags::{Parsed, Style};
use crate::shell::invocation::Invocation;

/// `sort`.
pub static SORT: Command = command(
    "sort",
    "[-nrufV] [-k FIELD] [-t CHARACTER] [FILE]...",
    ("sort lines", "排序各行"),
    &[
        switch('n', "numeric-sort", "by number", "按数值"),
        switch('r', "reverse", "from last to first", "逆序"),
        switch('u', "unique", "equal lines once", "去除重复行"),
        switch('f', "ignore-case", "capitals are equal to small letters", "忽略大小写"),
        switch('V', "version-sort", "numbers inside text by value", "按版本号"),
        switch('h', "human-numeric-sort", "by number with a unit (2K, 1G)", "按带单位的数值"),
        option('k', "key", Value::Text, "by this field (FIRST[,LAST][nrV])", "按字段"),
        option('t', "field-separator", Value::Text, "character between fields", "字段分隔符"),
        option('o', "output", Value::File, "write to a file", "写入文件"),
    ],
    |invocation| Box::pin(sort(invocation)),
);

/// By what lines are compared.
#[derive(Clone, Copy, Default)]
struct Manner {
    numeric: bool,
    human: bool,
    version: bool,
    reverse: bool,
    fold: bool,
}

impl Manner {
    fn of(parsed: &Parsed) -> Self {
        Self {
            numeric: parsed.has("numeric-sort"),
            human: parsed.has("human-numeric-sort"),
            version: parsed.has("version-sort"),
            reverse: parsed.has("reverse"),
            fold: parsed.has("ignore-case"),
        }
    }

    fn compare(self, left: &str, right: &str) -> Ordering {
        let order = if self.numeric || self.human {
            let value = |text: &str| leading_number(text, self.human);
            value(left).total_cmp(&value(right))
        } else if self.version {
            compare_versions(left, right)
        } else if self.fold {
            left.to_uppercase().cmp(&right.to_uppercase())
        } else {
            left.cmp(right)
        };
        if self.reverse { order.reverse() } else { order }
    }
}

/// `-k 2,3n`: fields from 1, and how they are compared.
struct Key {
    first: usize,
    last: Option<usize>,
    manner: Manner,
}

fn read_key(text: &str, general: Manner) -> Option<Key> {
    let number = |part: &str| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<usize>().ok().filter(|number| *number > 0)
    };
    let (first, last) = text.split_once(',').map_or((text, None), |(first, last)| (first, Some(last)));
    let letters: String = text.chars().filter(char::is_ascii_alphabetic).collect();
    let manner = if letters.is_empty() {
        general
    } else {
        Manner {
            numeric: letters.contains('n'),
            human: letters.contains('h'),
            version: letters.contains('V'),
            reverse: letters.contains('r'),
            fold: letters.contains('f'),
        }
    };
    let last = match last {
        Some(last) => Some(number(last)?),
        None => None,
    };
    Some(Key { first: number(first)?, last, manner })
}

impl Key {
    fn of(&self, line: &str, separator: Option<char>) -> String {
        let fields: Vec<&str> = match separator {
            Some(separator) => line.split(separator).collect(),
            None => line.split_whitespace().collect(),
        };
        let last = self.last.unwrap_or(fields.len()).min(fields.len());
        fields.get(self.first - 1..last).unwrap_or_default().join(" ")
    }
}

async fn sort(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&SORT, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let general = Manner::of(&parsed);
    let mut keys = Vec::new();
    for text in parsed.values("key") {
        match read_key(text, general) {
            Some(key) => keys.push(key),
            None => {
                return invocation
                    .fail(&format!("invalid number at field start: invalid count at start of '{text}'"));
            }
        }
    }
    let separator = parsed.value("field-separator").and_then(|text| text.chars().next());
    let (texts, status) = texts(&invocation, &parsed.operands).await;
    let mut lines: Vec<&str> = texts.iter().flat_map(|(_, text)| text.lines()).collect();
    let by_keys = |left: &&str, right: &&str| {
        let compared =
            keys.iter().map(|key| key.manner.compare(&key.of(left, separator), &key.of(right, separator)));
        let unequal = compared.into_iter().find(|order| *order != Ordering::Equal);
        if keys.is_empty() { general.compare(left, right) } else { unequal.unwrap_or(Ordering::Equal) }
    };
    let last_resort =
        |left: &&str, right: &&str| if general.reverse { right.cmp(left) } else { left.cmp(right) };
    if parsed.has("unique") {
        lines.sort_by(by_keys);
        lines.dedup_by(|left, right| by_keys(&&**left, &&**right) == Ordering::Equal);
    } else {
        lines.sort_by(|left, right| by_keys(left, right).then_with(|| last_resort(left, right)));
    }
    let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
    match parsed.value("output") {
        Some(file) => match invocation.files().borrow_mut().write(&invocation.path(file), &text) {
            Ok(()) => status,
            Err(error) => invocation.fail(&format!("open failed: {file}: {}", error.words())),
        },
        None => {
            invocation.stdout().write(&text);
            status
        }
    }
}

/// The number at the start of a text, with a unit if `human`; 0 if there is none.
fn leading_number(text: &str, human: bool) -> f64 {
    let text = text.trim_start();
    let end = text
        .char_indices()
        .find(|(index, letter)| {
            !(letter.is_ascii_digit() || *letter == '.' || (*index == 0 && *letter == '-'))
        })
        .map_or(text.len(), |(index, _)| index);
    let number = text[..end].parse::<f64>().unwrap_or(0.0);
    let unit = match text[end..].chars().next() {
        Some('k' | 'K') => 1e3,
        Some('M') => 1e6,
        Some('G') => 1e9,
        Some('T') => 1e12,
        _ => 1.0,
    };
    if human { number * unit } else { number }
}

/// Compares texts in which runs of digits count as numbers.
fn compare_versions(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left, right);
    loop {
        let digits =
            |text: &str| text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let (left_digits, right_digits) = (digits(left), digits(right));
        if left_digits > 0 && right_digits > 0 {
            let number = |text: &str| text.trim_start_matches('0').to_owned();
            let (first, second) = (number(&left[..left_digits]), number(&right[..right_digits]));
            let order = first.len().cmp(&second.len()).then_with(|| first.cmp(&second));
            if order != Ordering::Equal {
                return order;
            }
            (left, right) = (&left[left_digits..], &right[right_digits..]);
            continue;
        }
        match (left.chars().next(), right.chars().next()) {
            (Some(first), Some(second)) if first == second => {
                (left, right) = (&left[first.len_utf8()..], &right[second.len_utf8()..]);
            }
            (first, second) => return first.cmp(&second),
        }
    }
}

/// `uniq`.
pub static UNIQ: Command = command(
    "uniq",
    "[-cdui] [FILE]",
    ("leave out lines equal to the one before", "去除相邻的重复行"),
    &[
        switch('c', "count", "how often each comes", "显示出现次数"),
        switch('d', "repeated", "only those that come more than once", "只显示重复的行"),
        switch('u', "unique", "only those that come once", "只显示不重复的行"),
        switch('i', "ignore-case", "capitals are equal to small letters", "忽略大小写"),
    ],
    |invocation| Box::pin(uniq(invocation)),
);

async fn uniq(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&UNIQ, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let (texts, status) = texts(&invocation, &parsed.operands).await;
    let mut groups: Vec<(usize, &str)> = Vec::new();
    let fold = parsed.has("ignore-case");
    for line in texts.iter().flat_map(|(_, text)| text.lines()) {
        match groups.last_mut() {
            Some((count, last)) if *last == line || (fold && last.to_lowercase() == line.to_lowercase()) => {
                *count += 1
            }
            _ => groups.push((1, line)),
        }
    }
    for (count, line) in groups {
        if (parsed.has("repeated") && count == 1) || (parsed.has("unique") && count > 1) {
            continue;
        }
        match parsed.has("count") {
            true => invocation.say(&format!("{count:7} {line}")),
            false => invocation.say(line),
        }
    }
    status
}

/// `shuf`.
pub static SHUF: Command = command(
    "shuf",
    "[-n COUNT] [FILE]",
    ("print lines in random order", "随机排列各行"),
    &[option('n', "head-count", Value::Number, "so many lines at most", "最多行数")],
    |invocation| Box::pin(shuf(invocation)),
);

async fn shuf(invocation: Invocation) -> i32 {
    let parsed = match invocation.parse(&SHUF, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let (texts, status) = texts(&invocation, &parsed.operands).await;
    let mut lines: Vec<&str> = texts.iter().flat_map(|(_, text)| text.lines()).collect();
    for index in (1..lines.len()).rev() {
        let limit = u32::try_from(index + 1).unwrap_or(u32::MAX);
        lines.swap(index, invocation.host.random(limit) as usize);
    }
    let count = parsed.value("head-count").map_or(Ok(usize::MAX), str::parse);
    let Ok(count) = count else {
        return invocation
            .fail(&format!("invalid line count: '{}'", parsed.value("head-count").unwrap_or_default()));
    };
    lines.iter().take(count).for_each(|line| invocation.say(line));
    status
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check;

    #[test]
    fn lines_are_sorted_and_counted() {
        check("printf 'b\\na\\nc\\na\\n' | sort", "a\na\nb\nc", 0);
        check("printf 'b\\na\\nc\\na\\n' | sort -ru", "c\nb\na", 0);
        check("printf '10\\n9\\n1\\n' | sort -n", "1\n9\n10", 0);
        check("printf 'a 2\\nb 10\\nc 1\\n' | sort -k2 -n", "c 1\na 2\nb 10", 0);
        check("printf 'a:2\\nb:10\\n' | sort -t: -k2,2nr", "b:10\na:2", 0);
        check("printf '10.244.1.10\\n10.244.1.9\\nNone\\n' | sort -V", "10.244.1.9\n10.244.1.10\nNone", 0);
        check("printf 'a\\na\\nb\\n' | uniq -c", "      2 a\n      1 b", 0);
        check("printf 'a\\na\\nb\\n' | uniq -d", "a", 0);
        check("seq 9 | shuf | sort -n | tr -d '\\n'", "123456789", 0);
    }
}
