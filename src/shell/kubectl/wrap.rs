//! Prose in lines of a bounded width.
//!
//! Owns where lines break: at blanks, as kubectl's `wrap` does, and between Chinese characters, which
//! stand two columns wide each and have no blanks between them. A word that is wider than a line is not
//! broken.

/// What does not begin a line.
const NOT_FIRST: &str = "，。、；：！？）】》」』”’…—·％,.;:!?)]}%/";
/// What does not end one.
const NOT_LAST: &str = "（【《「『“‘([{/";
/// The characters that take two columns: scripts of East Asia with their punctuation, and full-width forms
/// (`W` and `F` of <https://www.unicode.org/reports/tr11/>).
const WIDE: &[(char, char)] = &[
    ('\u{1100}', '\u{115f}'),
    ('\u{2e80}', '\u{303e}'),
    ('\u{3041}', '\u{a4cf}'),
    ('\u{ac00}', '\u{d7a3}'),
    ('\u{f900}', '\u{faff}'),
    ('\u{fe30}', '\u{fe6f}'),
    ('\u{ff01}', '\u{ff60}'),
    ('\u{ffe0}', '\u{ffe6}'),
    ('\u{20000}', '\u{3fffd}'),
];

/// The lines of `text`, each at most `columns` wide.
pub fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        // A blank stands before the word, unless a line begins with it.
        let mut blank = usize::from(used > 0);
        for piece in pieces(word) {
            let width = width(piece);
            if used > 0 && used + blank + width > columns {
                lines.push(String::new());
                (used, blank) = (0, 0);
            }
            let line = lines.last_mut().expect("there is a line from the start");
            line.push_str(&" "[..blank]);
            line.push_str(piece);
            used += blank + width;
            blank = 0;
        }
    }
    lines
}

/// The columns that `text` takes.
fn width(text: &str) -> usize {
    text.chars().map(|c| 1 + usize::from(is_wide(c))).sum()
}

fn is_wide(c: char) -> bool {
    WIDE.iter().any(|&(first, last)| (first..=last).contains(&c))
}

/// The parts of a word between which a line may break.
fn pieces(word: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    for (at, c) in word.char_indices() {
        if before.is_some_and(|before| may_break(before, c)) {
            pieces.push(&word[start..at]);
            start = at;
        }
        before = Some(c);
    }
    pieces.push(&word[start..]);
    pieces
}

fn may_break(before: char, after: char) -> bool {
    (is_wide(before) || is_wide(after)) && !NOT_LAST.contains(before) && !NOT_FIRST.contains(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, columns: usize, expected: &str) {
        assert_eq!(wrapped(text, columns).join("|"), expected, "{text}");
    }

    #[test]
    fn lines_break_at_blanks() {
        check("one two three", 7, "one two|three");
        check("one two three", 8, "one two|three");
        check("one", 2, "one");
        check("a longest b", 3, "a|longest|b");
        check("", 5, "");
    }

    #[test]
    fn chinese_breaks_between_characters_but_not_before_its_punctuation() {
        check("服务的端口", 6, "服务的|端口");
        check("服务的端口", 5, "服务|的端|口");
        check("服务，端口。", 6, "服务，|端口。");
        check("服务端，口", 6, "服务|端，口");
        check("见（端口）", 4, "见|（端|口）");
    }

    #[test]
    fn latin_words_within_chinese_stay_whole() {
        check("一个 Service 的端口", 12, "一个 Service|的端口");
        check("默认为 TCP。", 10, "默认为|TCP。");
        check("用Pod名", 5, "用Pod|名");
    }
}
