//! What a terminal has printed, in blocks that are painted once.
//!
//! Owns the scrollback: lines gather in blocks of [`BLOCK_LINES`]; a full block never changes again, so the
//! page paints it once and forgets it. The oldest blocks go when there are too many.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::rc::Rc;

use crate::shell::tty::{Chunk, Stream};

/// Lines in one block.
pub const BLOCK_LINES: usize = 40;
/// Blocks that are kept: 8,000 lines, more than anyone reads back, few enough to stay quick.
pub const BLOCKS: usize = 200;
/// Blocks that are painted in one frame: more lines than any screen shows, few enough not to be felt.
pub const PAINTED_AT_ONCE: u64 = 6;
/// Characters of one line that are kept; a longer one is shown in several lines.
const LINE_LIMIT: usize = 4_000;

/// A run of characters from one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Where it came from.
    pub stream: Stream,
    /// What it says; no newline.
    pub text: String,
}

/// One line.
pub type Line = Vec<Run>;

/// Some lines that are painted together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// Counts up from the first block on.
    pub id: u64,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// What a terminal has printed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Screen {
    blocks: VecDeque<Rc<Block>>,
    /// Whether the last line has had its newline.
    ended: bool,
    next_id: u64,
}

impl Screen {
    /// The blocks, oldest first.
    pub fn blocks(&self) -> impl Iterator<Item = &Rc<Block>> {
        self.blocks.iter()
    }

    /// Which blocks are painted in the next frame, from the oldest to the newest of them, after those that
    /// were painted before. Of a flood the end comes first, the rest follows frame by frame.
    #[must_use]
    pub fn painted(&self, before: RangeInclusive<u64>) -> RangeInclusive<u64> {
        let (Some(first), Some(last)) = (self.blocks.front(), self.blocks.back()) else { return before };
        let flood = last.id.saturating_sub(*before.end()) >= PAINTED_AT_ONCE;
        let below = if flood { last.id + 1 } else { *before.start() };
        below.saturating_sub(PAINTED_AT_ONCE).max(first.id)..=last.id
    }

    /// Whether nothing was printed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Whether the last line waits for its newline: what is typed next stands behind it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.ended && !self.is_empty()
    }

    /// Adds what was printed.
    pub fn print(&mut self, chunks: Vec<Chunk>) {
        for chunk in chunks {
            if chunk.stream == Stream::Clear {
                self.blocks.clear();
                self.ended = true;
            }
            for piece in chunk.text.split_inclusive('\n') {
                let (text, ends) = piece.strip_suffix('\n').map_or((piece, false), |text| (text, true));
                self.add(chunk.stream, text);
                self.ended = ends;
            }
        }
    }

    fn add(&mut self, stream: Stream, text: &str) {
        let text = shown(text);
        let mut rest = text.as_str();
        loop {
            let cut = rest.char_indices().nth(LINE_LIMIT).map_or(rest.len(), |(at, _)| at);
            let (now, later) = rest.split_at(cut);
            let line = self.line();
            match line.last_mut() {
                Some(run) if run.stream == stream => run.text.push_str(now),
                _ => line.push(Run { stream, text: now.to_owned() }),
            }
            if later.is_empty() {
                return;
            }
            self.ended = true;
            rest = later;
        }
    }

    /// The line that is written to: the last one, or a new one if that has ended.
    fn line(&mut self) -> &mut Line {
        let fresh = self.ended || self.is_empty();
        if fresh && self.blocks.back().is_none_or(|block| block.lines.len() >= BLOCK_LINES) {
            self.blocks.push_back(Rc::new(Block { id: self.next_id, lines: Vec::new() }));
            self.next_id += 1;
            if self.blocks.len() > BLOCKS {
                self.blocks.pop_front();
            }
        }
        self.ended = false;
        let block = Rc::make_mut(self.blocks.back_mut().expect("a block was just made if there was none"));
        if fresh {
            block.lines.push(Line::new());
        }
        block.lines.last_mut().expect("a block has a line")
    }
}

/// Text as it is shown: a carriage return starts over, colours and other control sequences are left out.
fn shown(text: &str) -> String {
    let text = text.rsplit_once('\r').map_or(text, |(_, last)| last);
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => {
                if characters.next() == Some('[') {
                    characters.by_ref().find(|c| c.is_ascii_alphabetic());
                }
            }
            '\t' => {
                let column = out.chars().count();
                out.extend(std::iter::repeat_n(' ', 8 - column % 8));
            }
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(texts: &[(Stream, &str)]) -> Screen {
        let mut screen = Screen::default();
        for (stream, text) in texts {
            screen.print(vec![Chunk { stream: *stream, text: (*text).to_owned() }]);
        }
        screen
    }

    fn text(screen: &Screen) -> Vec<String> {
        let lines = screen.blocks().flat_map(|block| &block.lines);
        lines.map(|line| line.iter().map(|run| run.text.as_str()).collect()).collect()
    }

    #[test]
    fn lines_are_put_together_from_pieces() {
        let screen = screen(&[(Stream::Echo, "$ ls\n"), (Stream::Output, "a"), (Stream::Error, "b\nc")]);
        assert_eq!(text(&screen), ["$ ls", "ab", "c"]);
        assert!(screen.is_open());
    }

    #[test]
    fn clearing_empties_and_blocks_stay_bounded() {
        let many = "x\n".repeat(BLOCK_LINES * (BLOCKS + 3));
        let full = screen(&[(Stream::Output, &many)]);
        assert_eq!(full.blocks().count(), BLOCKS);
        assert_eq!(full.blocks().next().map(|block| block.id), Some(3));
        let cleared = screen(&[(Stream::Output, &many), (Stream::Clear, ""), (Stream::Output, "y\n")]);
        assert_eq!(text(&cleared), ["y"]);
        assert!(!cleared.is_open());
    }

    #[test]
    fn the_end_of_a_flood_is_painted_first_and_the_rest_frame_by_frame() {
        let flood = screen(&[(Stream::Output, &"x\n".repeat(BLOCK_LINES * 14))]);
        let first = flood.painted(0..=0);
        assert_eq!(first, 8..=13);
        let second = flood.painted(first);
        assert_eq!(second, 2..=13);
        assert_eq!(flood.painted(second), 0..=13);
        let little = screen(&[(Stream::Output, "x\n")]);
        assert_eq!(little.painted(0..=0), 0..=0);
    }

    #[test]
    fn control_characters_do_no_harm() {
        let screen = screen(&[(Stream::Output, "\u{1b}[31mred\u{1b}[0m\ta\u{7}\n10%\r20%\n")]);
        assert_eq!(text(&screen), ["red     a\u{fffd}", "20%"]);
    }

    #[test]
    fn an_endless_line_is_cut() {
        let screen = screen(&[(Stream::Output, &"é".repeat(LINE_LIMIT + 1))]);
        assert_eq!(text(&screen).len(), 2);
    }
}
