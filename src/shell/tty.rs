//! The terminal device: what is typed on one side and shown on the other.
//!
//! Owns the screen's output not yet taken by the page, the lines typed and not yet read, the prompt of the
//! shell that is waiting, and who gets Ctrl-C. Does not own shells, history or the editing of a line
//! ([`super::terminal`]).

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use super::executor::Notice;
use super::interpreter::Shell;
use super::io::Output;

/// Output that the page has not taken may not grow beyond this; the command that writes is stopped.
const SCREEN_LIMIT: usize = 8 * 1024 * 1024;
/// Lines typed ahead beyond this are dropped.
const TYPE_AHEAD_LIMIT: usize = 4_096;
/// Columns of a terminal whose page has not said how wide it is.
const DEFAULT_COLUMNS: usize = 120;

/// Which stream a piece of the screen came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// A prompt and what was typed after it.
    Echo,
    /// Standard output.
    Output,
    /// Standard error.
    Error,
    /// The screen was emptied (`clear`, `watch`); no text.
    Clear,
}

/// A piece of what the screen shows, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Where it came from.
    pub stream: Stream,
    /// What was written; newlines are part of it.
    pub text: String,
}

enum Typed {
    Line(String),
    End,
}

/// One terminal device.
#[derive(Default)]
pub struct Tty {
    screen: RefCell<Vec<Chunk>>,
    held: Cell<usize>,
    flooded: Cell<bool>,
    typed: RefCell<VecDeque<Typed>>,
    arrival: Notice,
    prompt: RefCell<Option<String>>,
    readers: Cell<u32>,
    interrupts: RefCell<Vec<Rc<Notice>>>,
    columns: Cell<usize>,
    shell: RefCell<Option<Rc<Shell>>>,
    copies: RefCell<Vec<Output>>,
}

impl Tty {
    /// Shows text.
    pub fn write(&self, stream: Stream, text: &str) {
        if self.held.get() + text.len() > SCREEN_LIMIT {
            self.flooded.set(true);
            return;
        }
        self.held.set(self.held.get() + text.len());
        for copy in self.copies.borrow().iter() {
            copy.write(text);
        }
        let mut screen = self.screen.borrow_mut();
        if stream == Stream::Clear {
            screen.clear();
        }
        match screen.last_mut() {
            Some(last) if last.stream == stream => last.text.push_str(text),
            _ => screen.push(Chunk { stream, text: text.to_owned() }),
        }
    }

    /// From now until the answer is dropped, all that is shown is written there as well: the log of a container
    /// whose process has this terminal.
    pub fn copy_to(self: &Rc<Self>, buffer: &Output) -> Copying {
        self.copies.borrow_mut().push(buffer.clone());
        Copying(Rc::clone(self))
    }

    /// What was shown since the last call.
    pub fn take_output(&self) -> Vec<Chunk> {
        self.held.set(0);
        self.flooded.set(false);
        self.screen.take()
    }

    /// Whether more was written than the screen takes.
    pub fn is_flooded(&self) -> bool {
        self.flooded.get()
    }

    /// A line was typed (without its newline). It is shown when a shell takes it, or now if a command reads.
    pub fn type_line(&self, line: &str) {
        let mut typed = self.typed.borrow_mut();
        if typed.len() >= TYPE_AHEAD_LIMIT {
            return;
        }
        if self.prompt.borrow().is_none() && self.readers.get() > 0 {
            self.write(Stream::Echo, &format!("{line}\n"));
        }
        typed.push_back(Typed::Line(line.to_owned()));
        drop(typed);
        self.arrival.notify();
    }

    /// Ctrl-D was typed on an empty line.
    pub fn type_end(&self) {
        self.typed.borrow_mut().push_back(Typed::End);
        self.arrival.notify();
    }

    /// Ctrl-C was typed: what was typed ahead is forgotten and the innermost receiver is told.
    /// `draft` is what stood in the input.
    pub fn interrupt(&self, draft: &str) {
        self.typed.borrow_mut().clear();
        let prompt = self.prompt.borrow().clone().unwrap_or_default();
        self.write(Stream::Echo, &format!("{prompt}{draft}^C\n"));
        let receiver = self.interrupts.borrow().last().map(Rc::clone);
        if let Some(receiver) = receiver {
            receiver.notify();
        }
    }

    /// From now until the answer is dropped, Ctrl-C goes to the answer and to nobody else.
    pub fn catch_interrupt(self: &Rc<Self>) -> Interrupt {
        let notice = Rc::new(Notice::default());
        self.interrupts.borrow_mut().push(Rc::clone(&notice));
        Interrupt { tty: Rc::clone(self), notice }
    }

    /// A line for a command, with its newline; `None` for Ctrl-D.
    pub async fn read_line(&self) -> Option<String> {
        let _reading = Reading::new(self);
        self.take_typed().await.map(|line| line + "\n")
    }

    /// A line for a shell, which shows `prompt`; `None` for Ctrl-D. The line is shown behind its prompt.
    pub async fn read_command(&self, prompt: String) -> Option<String> {
        let prompting = Prompting::new(self, prompt);
        let line = self.take_typed().await;
        if let Some(line) = &line {
            let prompt = self.prompt.borrow().clone().unwrap_or_default();
            self.write(Stream::Echo, &format!("{prompt}{line}\n"));
        }
        drop(prompting);
        line
    }

    /// The prompt of the shell that waits for a line; `None` while a command runs.
    pub fn prompt(&self) -> Option<String> {
        self.prompt.borrow().clone()
    }

    /// Whether a command (not a shell) waits for a line.
    pub fn is_read_by_command(&self) -> bool {
        self.readers.get() > 0 && self.prompt.borrow().is_none()
    }

    /// Whether lines were typed that nobody has read.
    pub fn has_typed_ahead(&self) -> bool {
        !self.typed.borrow().is_empty()
    }

    /// A shell is about to wait for a line: what Tab and the arrow keys look at.
    pub fn show_shell(&self, shell: Shell) {
        self.shell.replace(Some(Rc::new(shell)));
    }

    /// The shell that last waited for a line, as it was then.
    pub fn shown_shell(&self) -> Option<Rc<Shell>> {
        self.shell.borrow().clone()
    }

    /// How many columns the page shows.
    pub fn columns(&self) -> usize {
        match self.columns.get() {
            0 => DEFAULT_COLUMNS,
            columns => columns,
        }
    }

    /// Sets how many columns the page shows.
    pub fn set_columns(&self, columns: usize) {
        self.columns.set(columns);
    }

    async fn take_typed(&self) -> Option<String> {
        loop {
            let next = self.typed.borrow_mut().pop_front();
            match next {
                Some(Typed::Line(line)) => return Some(line),
                Some(Typed::End) => return None,
                None => self.arrival.next().await,
            }
        }
    }
}

struct Reading<'a>(&'a Tty);

impl<'a> Reading<'a> {
    fn new(tty: &'a Tty) -> Self {
        tty.readers.set(tty.readers.get() + 1);
        Self(tty)
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.readers.set(self.0.readers.get() - 1);
    }
}

/// While it is held, what a terminal shows is copied.
pub struct Copying(Rc<Tty>);

impl Drop for Copying {
    fn drop(&mut self) {
        self.0.copies.borrow_mut().pop();
    }
}

/// A prompt that stands while a shell waits.
struct Prompting<'a>(&'a Tty);

impl<'a> Prompting<'a> {
    fn new(tty: &'a Tty, prompt: String) -> Self {
        tty.prompt.replace(Some(prompt));
        Self(tty)
    }
}

impl Drop for Prompting<'_> {
    fn drop(&mut self) {
        self.0.prompt.take();
    }
}

/// The right to be told of Ctrl-C; given back when dropped.
pub struct Interrupt {
    tty: Rc<Tty>,
    notice: Rc<Notice>,
}

impl Interrupt {
    /// Ready at the next Ctrl-C.
    pub async fn next(&self) {
        self.notice.next().await;
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.tty.interrupts.borrow_mut().retain(|notice| !Rc::ptr_eq(notice, &self.notice));
    }
}
