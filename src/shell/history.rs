//! The lines typed in a shell, for Up, Down, Ctrl-R and `history`.

use std::collections::VecDeque;

/// So many lines are kept (bash's HISTSIZE).
const LINE_LIMIT: usize = 1_000;

/// Lines, oldest first, and where Up and Down stand.
#[derive(Clone, Debug, Default)]
pub struct History {
    lines: VecDeque<String>,
    dropped: usize,
    /// How far Up has gone; 0 is the line being typed.
    back: usize,
    /// What was being typed before Up.
    draft: String,
}

impl History {
    /// Adds a line, unless it is blank or the same as the last one.
    pub fn add(&mut self, line: &str) {
        self.back = 0;
        let line = line.trim_end();
        if line.trim().is_empty() || self.lines.back().is_some_and(|last| last == line) {
            return;
        }
        self.lines.push_back(line.to_owned());
        if self.lines.len() > LINE_LIMIT {
            self.lines.pop_front();
            self.dropped += 1;
        }
    }

    /// The line before the shown one; `typed` is what is in the input now.
    pub fn up(&mut self, typed: &str) -> Option<&str> {
        if self.back >= self.lines.len() {
            return None;
        }
        if self.back == 0 {
            self.draft = typed.to_owned();
        }
        self.back += 1;
        self.shown()
    }

    /// The line after the shown one; at last what was being typed.
    pub fn down(&mut self) -> Option<&str> {
        self.back = self.back.checked_sub(1)?;
        if self.back == 0 { Some(&self.draft) } else { self.shown() }
    }

    fn shown(&self) -> Option<&str> {
        self.lines.get(self.lines.len() - self.back).map(String::as_str)
    }

    /// The `nth` newest line that contains `text` (Ctrl-R), from 0.
    pub fn search(&self, text: &str, nth: usize) -> Option<&str> {
        self.lines.iter().rev().filter(|line| line.contains(text)).nth(nth).map(String::as_str)
    }

    /// The newest line that begins with `text` (`!text`; all lines do with the empty one: `!!`).
    pub fn newest_beginning(&self, text: &str) -> Option<&str> {
        self.lines.iter().rev().find(|line| line.starts_with(text)).map(String::as_str)
    }

    /// The line of a number that [`History::numbered`] shows.
    pub fn line(&self, number: usize) -> Option<&str> {
        self.lines.get(number.checked_sub(self.dropped + 1)?).map(String::as_str)
    }

    /// All lines with their numbers, oldest first.
    pub fn numbered(&self) -> impl Iterator<Item = (usize, &str)> {
        let first = self.dropped + 1;
        self.lines.iter().enumerate().map(move |(index, line)| (first + index, line.as_str()))
    }

    /// Forgets all lines (`history -c`).
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::History;

    #[test]
    fn up_and_down_walk_the_lines_and_come_back_to_the_draft() {
        let mut history = History::default();
        for line in ["one", "two", "two", " ", "three"] {
            history.add(line);
        }
        assert_eq!(history.up("dra"), Some("three"));
        assert_eq!(history.up("three"), Some("two"));
        assert_eq!(history.up("two"), Some("one"));
        assert_eq!(history.up("one"), None);
        assert_eq!(history.down(), Some("two"));
        assert_eq!(history.down(), Some("three"));
        assert_eq!(history.down(), Some("dra"));
        assert_eq!(history.down(), None);
        assert_eq!(history.search("o", 1), Some("one"));
        assert_eq!(history.line(2), Some("two"));
    }
}
