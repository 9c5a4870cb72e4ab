//! Texts that a command gives to a person to edit, and waits for (`kubectl edit`).
//!
//! Owns the queue of such texts between the commands and whoever shows an editor: the page says that it has
//! one ([`Edits::set_editor`]), looks at [`Edits::first`] and answers with [`Edits::finish`]. It does not know
//! what the texts are.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::executor::Notice;

/// A text that waits to be edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Which one: to be given back with the answer.
    pub number: u64,
    /// What is edited, as the command was typed: `kubectl edit svc/web`.
    pub title: String,
    /// The text.
    pub text: String,
}

/// How editing ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// With this text.
    Saved(String),
    /// The text is to stay as it was.
    Cancelled,
}

/// The texts that wait, and the answers that were given.
#[derive(Default)]
pub struct Edits {
    has_editor: Cell<bool>,
    last: Cell<u64>,
    waiting: RefCell<Vec<Edit>>,
    answers: RefCell<Vec<(u64, Answer)>>,
    answered: Rc<Notice>,
}

impl Edits {
    /// Says whether there is an editor that shows what waits.
    pub fn set_editor(&self, has_editor: bool) {
        self.has_editor.set(has_editor);
    }

    /// Whether there is an editor that shows what waits.
    pub fn has_editor(&self) -> bool {
        self.has_editor.get()
    }

    /// The text that has waited longest.
    pub fn first(&self) -> Option<Edit> {
        self.waiting.borrow().first().cloned()
    }

    /// Answers for a text; nothing happens if nobody waits for it any more.
    pub fn finish(&self, number: u64, answer: Answer) {
        let mut waiting = self.waiting.borrow_mut();
        let before = waiting.len();
        waiting.retain(|edit| edit.number != number);
        if waiting.len() < before {
            self.answers.borrow_mut().push((number, answer));
            self.answered.notify();
        }
    }

    /// Gives a text to be edited and waits for the answer. A caller that is dropped takes it back.
    pub async fn edit(&self, title: String, text: String) -> Answer {
        let number = self.last.get() + 1;
        self.last.set(number);
        self.waiting.borrow_mut().push(Edit { number, title, text });
        let _taken_back = TakeBack { edits: self, number };
        loop {
            let found = self.answers.borrow().iter().position(|(of, _)| *of == number);
            if let Some(at) = found {
                return self.answers.borrow_mut().remove(at).1;
            }
            self.answered.next().await;
        }
    }
}

struct TakeBack<'a> {
    edits: &'a Edits,
    number: u64,
}

impl Drop for TakeBack<'_> {
    fn drop(&mut self) {
        self.edits.waiting.borrow_mut().retain(|edit| edit.number != self.number);
        self.edits.answers.borrow_mut().retain(|(of, _)| *of != self.number);
    }
}
