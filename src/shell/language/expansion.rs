//! Fields: what a word becomes, and the texts that operations on parameters give.

use super::pattern::matches;

/// One argument in the making.
#[derive(Clone, Debug, Default)]
pub struct Field {
    /// The text itself.
    pub text: String,
    /// The text as a pattern: what was quoted is escaped.
    pub pattern: String,
    /// Whether an unquoted `*`, `?` or `[` is in it.
    pub is_pattern: bool,
}

impl Field {
    fn push(&mut self, text: &str, quoted: bool) {
        self.text.push_str(text);
        for letter in text.chars() {
            let special = matches!(letter, '*' | '?' | '[' | ']' | '\\' | '!' | '-' | '^');
            if quoted && special {
                self.pattern.push('\\');
            }
            self.is_pattern |= !quoted && matches!(letter, '*' | '?' | '[');
            self.pattern.push(letter);
        }
    }
}

/// The fields of a word, while it is expanded.
#[derive(Debug, Default)]
pub struct Fields {
    done: Vec<Field>,
    current: Option<Field>,
}

impl Fields {
    /// Adds text to the current field; quoted text makes a field even if it is empty.
    pub fn push(&mut self, text: &str, quoted: bool) {
        if quoted || !text.is_empty() {
            self.current.get_or_insert_default().push(text, quoted);
        }
    }

    /// Adds what an unquoted expansion gave: it is split at the characters of `separators` (IFS).
    pub fn push_split(&mut self, text: &str, separators: &str) {
        let blank = |letter: char| letter.is_whitespace() && separators.contains(letter);
        let mut letters = text.chars().peekable();
        while let Some(mut letter) = letters.next() {
            if !separators.contains(letter) {
                self.push(letter.encode_utf8(&mut [0; 4]), false);
                continue;
            }
            // One separator: blanks, one character that is none, blanks.
            while blank(letter) && letters.peek().is_some_and(|next| separators.contains(*next)) {
                letter = letters.next().unwrap_or(letter);
            }
            if !blank(letter) {
                self.current.get_or_insert_default();
            }
            self.end_field();
            while letters.peek().is_some_and(|next| blank(*next)) {
                letters.next();
            }
        }
    }

    /// Ends the current field, if there is one.
    pub fn end_field(&mut self) {
        self.done.extend(self.current.take());
    }

    /// All fields.
    pub fn finish(mut self) -> Vec<Field> {
        self.end_field();
        self.done
    }
}

/// Removes the shortest or longest match of `pattern` from the start or the end of `text`.
pub fn trim<'a>(text: &'a str, pattern: &str, suffix: bool, longest: bool) -> &'a str {
    let ends: Vec<usize> = text.char_indices().map(|(index, _)| index).chain([text.len()]).collect();
    let fits = |end: &&usize| {
        let (left, right) = text.split_at(**end);
        matches(pattern, if suffix { right } else { left })
    };
    let from_start = suffix == longest;
    let found = if from_start { ends.iter().find(fits) } else { ends.iter().rev().find(fits) };
    match found {
        Some(end) if suffix => &text[..*end],
        Some(end) => &text[*end..],
        None => text,
    }
}

/// Replaces the first (or every) longest match of `pattern`; `#` and `%` before it bind it to an end.
pub fn replace(text: &str, pattern: &str, with: &str, every: bool) -> String {
    if pattern.is_empty() {
        return text.to_owned();
    }
    if let Some(pattern) = pattern.strip_prefix('#').filter(|_| !every) {
        let rest = trim(text, pattern, false, true);
        return if rest.len() < text.len() { format!("{with}{rest}") } else { text.to_owned() };
    }
    if let Some(pattern) = pattern.strip_prefix('%').filter(|_| !every) {
        let rest = trim(text, pattern, true, true);
        return if rest.len() < text.len() { format!("{rest}{with}") } else { text.to_owned() };
    }
    let mut out = String::new();
    let mut start = 0;
    while start < text.len() {
        let rest = &text[start..];
        let mut ends = rest.char_indices().rev().map(|(index, letter)| index + letter.len_utf8());
        let longest = ends.find(|end| matches(pattern, &rest[..*end]));
        match longest {
            Some(end) => {
                out.push_str(with);
                start += end;
                if !every {
                    break;
                }
            }
            None => {
                let letter = rest.chars().next().expect("the rest is not empty");
                out.push(letter);
                start += letter.len_utf8();
            }
        }
    }
    out.push_str(&text[start..]);
    out
}

/// `${name:offset:length}`: negative numbers count from the end. `None` when the length ends before the offset.
pub fn slice(text: &str, offset: i64, length: Option<i64>) -> Option<String> {
    let total = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let start = if offset < 0 { total.saturating_add(offset) } else { offset };
    if start < 0 || start > total {
        return Some(String::new());
    }
    let end = match length {
        None => total,
        Some(length) if length < 0 => total.saturating_add(length),
        Some(length) => start.saturating_add(length).min(total),
    };
    let count = usize::try_from(end.checked_sub(start)?).ok()?;
    Some(text.chars().skip(usize::try_from(start).ok()?).take(count).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unquoted_text_is_split_at_blanks_and_separators() {
        for (text, separators, expected) in
            [(" a  b ", " \t\n", "a|b"), ("a:b::c", ":", "a|b||c"), ("a : b", ": ", "a|b"), ("", " ", "")]
        {
            let mut fields = Fields::default();
            fields.push_split(text, separators);
            let fields: Vec<String> = fields.finish().into_iter().map(|field| field.text).collect();
            let seen = fields.join("|");
            assert_eq!(seen, expected, "{text:?}");
        }
    }

    #[test]
    fn parameters_are_trimmed_and_replaced() {
        assert_eq!(trim("a/b/c.txt", "*/", false, true), "c.txt");
        assert_eq!(trim("a/b/c.txt", "*/", false, false), "b/c.txt");
        assert_eq!(trim("a.tar.gz", ".*", true, false), "a.tar");
        assert_eq!(trim("a.tar.gz", ".*", true, true), "a");
        assert_eq!(replace("banana", "an", "o", false), "boana");
        assert_eq!(replace("banana", "an", "o", true), "booa");
        assert_eq!(replace("banana", "#ba", "X", false), "Xnana");
        assert_eq!(replace("中文中", "中", "x", true), "x文x");
        assert_eq!(slice("hello", 1, Some(3)).as_deref(), Some("ell"));
        assert_eq!(slice("hello", -2, None).as_deref(), Some("lo"));
    }
}
