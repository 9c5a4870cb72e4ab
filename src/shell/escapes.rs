//! Backslash sequences, as `$'…'`, `echo -e` and `printf` read them.

/// `text` with its backslash sequences replaced; unknown ones stay.
pub fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        let Some(code) = letters.next() else {
            out.push('\\');
            break;
        };
        let (digits, radix) = match code {
            'x' => (2, 16),
            'u' => (4, 16),
            'U' => (8, 16),
            '0' => (3, 8),
            '1'..='7' => (2, 8),
            _ => {
                out.push_str(&simple(code));
                continue;
            }
        };
        let mut number = if radix == 8 { code.to_digit(8).unwrap_or(0) } else { 0 };
        let mut read = 0;
        while read < digits
            && let Some(digit) = letters.peek().and_then(|letter| letter.to_digit(radix))
        {
            number = number * radix + digit;
            read += 1;
            letters.next();
        }
        if read == 0 && radix == 16 {
            out.push('\\');
            out.push(code);
        } else {
            out.extend(char::from_u32(number));
        }
    }
    out
}

fn simple(code: char) -> String {
    match code {
        'a' => "\u{7}".to_owned(),
        'b' => "\u{8}".to_owned(),
        'e' | 'E' => "\u{1b}".to_owned(),
        'f' => "\u{c}".to_owned(),
        'n' => "\n".to_owned(),
        'r' => "\r".to_owned(),
        't' => "\t".to_owned(),
        'v' => "\u{b}".to_owned(),
        '\\' | '\'' | '"' => code.to_string(),
        other => format!("\\{other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn sequences_are_replaced() {
        for (text, expected) in [
            ("a\\nb", "a\nb"),
            ("\\x41\\101\\0101", "AAA"),
            ("\\u4e2d", "中"),
            ("\\q\\", "\\q\\"),
            ("\\xg", "\\xg"),
        ] {
            assert_eq!(unescape(text), expected, "{text}");
        }
    }
}
