//! Patterns of file names and `case`: `*`, `?`, `[…]`, and `\` before what stands for itself.

/// Whether `text` matches `pattern` as a whole.
pub fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut position) = (0, 0);
    // Where to go on after a mismatch: behind the last `*`, one character further.
    let mut retry: Option<(usize, usize)> = None;
    while position < text.len() {
        if pattern.get(at) == Some(&'*') {
            retry = Some((at + 1, position));
            at += 1;
            continue;
        }
        match one(&pattern, at, text[position]) {
            Some(next) => {
                at = next;
                position += 1;
            }
            None => match retry {
                Some((behind, from)) => {
                    at = behind;
                    position = from + 1;
                    retry = Some((behind, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

/// Matches one character; answers where the pattern goes on.
fn one(pattern: &[char], at: usize, letter: char) -> Option<usize> {
    match *pattern.get(at)? {
        '?' => Some(at + 1),
        '\\' if at + 1 < pattern.len() => (pattern[at + 1] == letter).then_some(at + 2),
        '[' => match set(pattern, at + 1, letter) {
            Some((true, next)) => Some(next),
            Some((false, _)) => None,
            None => (letter == '[').then_some(at + 1),
        },
        other => (other == letter).then_some(at + 1),
    }
}

/// Reads `[…]` from behind its bracket: whether `letter` is in it, and where it ends. `None` if it never ends.
fn set(pattern: &[char], start: usize, letter: char) -> Option<(bool, usize)> {
    let negated = matches!(pattern.get(start), Some('!' | '^'));
    let mut at = start + usize::from(negated);
    let first = at;
    let mut found = false;
    loop {
        let mut low = *pattern.get(at)?;
        if low == ']' && at > first {
            return Some((found != negated, at + 1));
        }
        if low == '[' && pattern.get(at + 1) == Some(&':') {
            let length = pattern[at + 2..].iter().position(|letter| *letter == ':')?;
            let name: String = pattern[at + 2..at + 2 + length].iter().collect();
            found |= in_class(&name, letter);
            at += length + 4;
            continue;
        }
        if low == '\\' {
            at += 1;
            low = *pattern.get(at)?;
        }
        at += 1;
        let mut high = low;
        if pattern.get(at) == Some(&'-') && pattern.get(at + 1).is_some_and(|end| *end != ']') {
            high = pattern[at + 1];
            at += 2;
        }
        found |= low <= letter && letter <= high;
    }
}

/// Whether a character is in `[:name:]`.
pub fn in_class(name: &str, letter: char) -> bool {
    match name {
        "alnum" => letter.is_alphanumeric(),
        "alpha" => letter.is_alphabetic(),
        "blank" => matches!(letter, ' ' | '\t'),
        "digit" => letter.is_ascii_digit(),
        "lower" => letter.is_lowercase(),
        "punct" => letter.is_ascii_punctuation(),
        "space" => letter.is_whitespace(),
        "upper" => letter.is_uppercase(),
        "xdigit" => letter.is_ascii_hexdigit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, text, expected) in [
            ("*.yaml", "svc.yaml", true),
            ("*.yaml", "svc.yml", false),
            ("s?c*", "svc.yaml", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[[:digit:]]*", "1st", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a[", "a[", true),
            ("*a*b*c", "xxaxxbxxc", true),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }
}
