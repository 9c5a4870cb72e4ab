//! Streams: what a command reads from and writes to.
//!
//! Owns [`Input`] and [`Output`] (handles to a terminal, a pipe, a file, a buffer or nothing) and pipes.
//! Does not own the terminal itself ([`super::tty`]) nor files ([`super::filesystem`]).
//!
//! Writing is immediate and never waits; a stage that writes much calls [`Output::ready`] now and then,
//! which waits while a pipe is full. A stage that writes into a pipe nobody reads any more is stopped by the
//! interpreter (see [`Output::is_broken`]), as SIGPIPE does. Text is UTF-8 throughout.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::executor::Notice;
use super::filesystem::{Files, append};
use super::tty::{Stream, Tty};

/// A pipe holds this many bytes before [`Output::ready`] waits, as on Linux.
const PIPE_CAPACITY: usize = 64 * 1024;
/// What one pipe or captured output may hold at most; more is dropped and the writer stopped.
const BUFFER_LIMIT: usize = 8 * 1024 * 1024;

#[derive(Default)]
struct Pipe {
    buffer: RefCell<String>,
    writer_gone: Cell<bool>,
    reader_gone: Cell<bool>,
    broken: Cell<bool>,
    notice: Notice,
}

struct PipeWriter(Rc<Pipe>);

impl Drop for PipeWriter {
    fn drop(&mut self) {
        self.0.writer_gone.set(true);
        self.0.notice.notify();
    }
}

struct PipeReader(Rc<Pipe>);

impl Drop for PipeReader {
    fn drop(&mut self) {
        self.0.reader_gone.set(true);
        self.0.notice.notify();
    }
}

/// The end of a file. What is written while somebody reads the file system is held until that is over.
struct FileWriter {
    files: Files,
    path: String,
    held: RefCell<String>,
    full: Cell<bool>,
}

impl FileWriter {
    fn push(&self, text: &str) {
        self.held.borrow_mut().push_str(text);
        self.flush();
    }

    fn flush(&self) {
        if let Ok(mut files) = self.files.try_borrow_mut() {
            let held = self.held.take();
            if !held.is_empty() && append(&mut files, &self.path, &held).is_err() {
                self.full.set(true);
            }
        }
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        self.flush();
    }
}

enum Target {
    Terminal { tty: Rc<Tty>, stream: Stream, is_tty: bool },
    Pipe(PipeWriter),
    Buffer { text: RefCell<String>, broken: Cell<bool> },
    File(FileWriter),
    Both(Output, Output),
    Null,
}

/// Where a command writes; clones write to the same place.
#[derive(Clone)]
pub struct Output(Rc<Target>);

impl Output {
    /// The screen of a terminal.
    pub fn terminal(tty: &Rc<Tty>, stream: Stream) -> Self {
        Self(Rc::new(Target::Terminal { tty: Rc::clone(tty), stream, is_tty: true }))
    }

    /// The same place, but a command that asks is told that nobody reads it directly (`kubectl exec` without `-t`).
    pub fn without_tty(&self) -> Self {
        match &*self.0 {
            Target::Terminal { tty, stream, .. } => {
                Self(Rc::new(Target::Terminal { tty: Rc::clone(tty), stream: *stream, is_tty: false }))
            }
            _ => self.clone(),
        }
    }

    /// A buffer, read back by [`Output::take_buffer`].
    pub fn buffer() -> Self {
        Self(Rc::new(Target::Buffer { text: RefCell::default(), broken: Cell::new(false) }))
    }

    /// Nowhere (`/dev/null`).
    pub fn null() -> Self {
        Self(Rc::new(Target::Null))
    }

    /// The same place, with a copy of everything in a buffer.
    #[must_use]
    pub fn copied_to(&self, buffer: &Self) -> Self {
        Self(Rc::new(Target::Both(self.clone(), buffer.clone())))
    }

    /// The end of a file that exists.
    pub fn file(files: &Files, path: String) -> Self {
        let files = Rc::clone(files);
        Self(Rc::new(Target::File(FileWriter {
            files,
            path,
            held: RefCell::default(),
            full: Cell::new(false),
        })))
    }

    /// Writes text as it is.
    pub fn write(&self, text: &str) {
        if text.is_empty() {
            return;
        }
        match &*self.0 {
            Target::Terminal { tty, stream, .. } => tty.write(*stream, text),
            Target::Pipe(writer) => writer.0.push(text),
            Target::Buffer { text: held, broken } => {
                let mut held = held.borrow_mut();
                if held.len() + text.len() > BUFFER_LIMIT {
                    broken.set(true);
                } else {
                    held.push_str(text);
                }
            }
            Target::File(writer) => writer.push(text),
            Target::Both(to, copy) => {
                to.write(text);
                copy.write(text);
            }
            Target::Null => {}
        }
    }

    /// Writes text and a newline.
    pub fn line(&self, text: &str) {
        let mut line = String::with_capacity(text.len() + 1);
        line.push_str(text);
        line.push('\n');
        self.write(&line);
    }

    /// Waits while the reader of a pipe has not kept up.
    pub async fn ready(&self) {
        let mut to = self;
        while let Target::Both(inner, _) = &*to.0 {
            to = inner;
        }
        if let Target::Pipe(writer) = &*to.0 {
            let pipe = &writer.0;
            while pipe.buffer.borrow().len() > PIPE_CAPACITY && !pipe.reader_gone.get() {
                pipe.notice.next().await;
            }
        }
    }

    /// Whether something was written that nobody can take: the writer is to be stopped.
    pub fn is_broken(&self) -> bool {
        match &*self.0 {
            Target::Terminal { tty, .. } => tty.is_flooded(),
            Target::Pipe(writer) => writer.0.broken.get(),
            Target::Buffer { broken, .. } => broken.get(),
            Target::File(writer) => writer.full.get(),
            Target::Both(to, _) => to.is_broken(),
            Target::Null => false,
        }
    }

    /// Whether a person reads this (isatty).
    pub fn is_terminal(&self) -> bool {
        matches!(&*self.0, Target::Terminal { is_tty: true, .. })
    }

    /// The terminal that this writes to.
    pub fn tty(&self) -> Option<Rc<Tty>> {
        match &*self.0 {
            Target::Terminal { tty, .. } => Some(Rc::clone(tty)),
            _ => None,
        }
    }

    /// What an [`Output::buffer`] holds; empty for other kinds.
    pub fn take_buffer(&self) -> String {
        match &*self.0 {
            Target::Buffer { text, .. } => text.take(),
            _ => String::new(),
        }
    }

    /// Empties the screen; elsewhere writes the terminal's code for it.
    pub fn clear_screen(&self) {
        match &*self.0 {
            Target::Terminal { tty, .. } => tty.write(Stream::Clear, ""),
            _ => self.write("\x1b[H\x1b[2J"),
        }
    }
}

impl Pipe {
    fn push(&self, text: &str) {
        let mut buffer = self.buffer.borrow_mut();
        if self.reader_gone.get() || buffer.len() + text.len() > BUFFER_LIMIT {
            self.broken.set(true);
            return;
        }
        buffer.push_str(text);
        drop(buffer);
        self.notice.notify();
    }
}

enum Source {
    Terminal { tty: Rc<Tty>, is_tty: bool },
    Pipe(PipeReader),
    Text(RefCell<String>),
}

/// Where a command reads from; clones share the position.
#[derive(Clone)]
pub struct Input(Rc<Source>);

impl Input {
    /// The keyboard of a terminal.
    pub fn terminal(tty: &Rc<Tty>) -> Self {
        Self(Rc::new(Source::Terminal { tty: Rc::clone(tty), is_tty: true }))
    }

    /// The same keyboard, but a command that asks is told that it is none (`kubectl exec -i` without `-t`).
    pub fn without_tty(&self) -> Self {
        match &*self.0 {
            Source::Terminal { tty, .. } => {
                Self(Rc::new(Source::Terminal { tty: Rc::clone(tty), is_tty: false }))
            }
            _ => self.clone(),
        }
    }

    /// A text (a here-document, a file).
    pub fn text(text: String) -> Self {
        Self(Rc::new(Source::Text(RefCell::new(text))))
    }

    /// Nothing (`/dev/null`).
    pub fn null() -> Self {
        Self::text(String::new())
    }

    /// Whether a person types this (isatty).
    pub fn is_terminal(&self) -> bool {
        matches!(&*self.0, Source::Terminal { is_tty: true, .. })
    }

    /// The next line with its newline (the last one may have none); `None` at the end.
    pub async fn line(&self) -> Option<String> {
        match &*self.0 {
            Source::Terminal { tty, .. } => tty.read_line().await,
            Source::Text(text) => take_line(&mut text.borrow_mut(), true),
            Source::Pipe(reader) => loop {
                let pipe = &reader.0;
                let ended = pipe.writer_gone.get();
                let line = take_line(&mut pipe.buffer.borrow_mut(), ended);
                if line.is_some() || ended {
                    pipe.notice.notify();
                    return line;
                }
                pipe.notice.next().await;
            },
        }
    }

    /// Everything up to the end.
    pub async fn read_to_end(&self) -> String {
        let mut all = String::new();
        match &*self.0 {
            Source::Terminal { tty, .. } => {
                while let Some(line) = tty.read_line().await {
                    all.push_str(&line);
                }
            }
            Source::Text(text) => all = text.take(),
            Source::Pipe(reader) => loop {
                let pipe = &reader.0;
                let ended = pipe.writer_gone.get();
                all.push_str(&pipe.buffer.take());
                pipe.notice.notify();
                if ended || all.len() > BUFFER_LIMIT {
                    break;
                }
                pipe.notice.next().await;
            },
        }
        all
    }
}

/// Takes the first line off `buffer`; an unended one only at the end of the stream.
fn take_line(buffer: &mut String, ended: bool) -> Option<String> {
    match buffer.find('\n') {
        Some(end) => {
            let rest = buffer.split_off(end + 1);
            Some(std::mem::replace(buffer, rest))
        }
        None if ended && !buffer.is_empty() => Some(std::mem::take(buffer)),
        None => None,
    }
}

/// A pipe: what is written to the one end is read from the other.
pub fn pipe() -> (Output, Input) {
    let pipe = Rc::new(Pipe::default());
    let output = Output(Rc::new(Target::Pipe(PipeWriter(Rc::clone(&pipe)))));
    (output, Input(Rc::new(Source::Pipe(PipeReader(pipe)))))
}

/// The three streams of a command.
#[derive(Clone)]
pub struct Streams {
    /// Standard input.
    pub stdin: Input,
    /// Standard output.
    pub stdout: Output,
    /// Standard error.
    pub stderr: Output,
}

impl Streams {
    /// All three on a terminal.
    pub fn terminal(tty: &Rc<Tty>) -> Self {
        Self {
            stdin: Input::terminal(tty),
            stdout: Output::terminal(tty, Stream::Output),
            stderr: Output::terminal(tty, Stream::Error),
        }
    }

    /// The same streams, none of which says that it is a terminal (`kubectl exec` without `-t`).
    pub fn without_tty(&self) -> Self {
        Self {
            stdin: self.stdin.without_tty(),
            stdout: self.stdout.without_tty(),
            stderr: self.stderr.without_tty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_whole_until_the_end() {
        let mut buffer = "a\nb".to_owned();
        assert_eq!(take_line(&mut buffer, false).as_deref(), Some("a\n"));
        assert_eq!(take_line(&mut buffer, false), None);
        assert_eq!(take_line(&mut buffer, true).as_deref(), Some("b"));
        assert_eq!(take_line(&mut buffer, true), None);
    }

    #[test]
    fn writing_to_a_pipe_without_reader_breaks_it() {
        let (output, input) = pipe();
        output.write("x");
        assert!(!output.is_broken());
        drop(input);
        output.write("y");
        assert!(output.is_broken());
    }
}
