//! The second part of the program: what waits for it.
//!
//! The page is painted and can be typed into when only the first part of the program is there
//! (ARCHITECTURE.md, "The program in two parts"). Whatever moves by itself begins with the whole program, and
//! so does the first command. Nothing here must be right for the program to be right: what is called too
//! early loads the second part at once, but the page stands still meanwhile.

use std::cell::RefCell;
use std::rc::Rc;

use gloo::timers::callback::Timeout;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};

use super::{Topic, World};
use crate::ui::dom;

/// What is to be done when the whole program is there.
type Act = Box<dyn FnOnce()>;

/// What waits for the second part.
#[derive(Default)]
pub(super) struct Waiting {
    acts: Vec<Act>,
    /// Typed lines with the ids of their terminals, in order.
    lines: Vec<(u32, String)>,
}

/// A timer that begins when the whole program is there. It ends unheard when it is dropped.
pub struct Later(#[expect(dead_code, reason = "held to keep the timer")] Rc<RefCell<Option<Timeout>>>);

impl World {
    /// Waits for the second part, if there is one still to come.
    pub(super) fn await_second_part(&self) {
        let arrives = dom::of_page("whole").and_then(|value| value.dyn_into::<js_sys::Promise>().ok());
        let Some(arrives) = arrives else { return };
        self.0.waiting.replace(Some(Waiting::default()));
        let world = self.clone();
        let arrived = Closure::once(move |_: JsValue| world.go_on());
        // Where it does not arrive, the page's script says so.
        let _ = arrives.then(&arrived);
        arrived.forget();
    }

    /// Whether the whole program is there.
    pub fn is_whole(&self) -> bool {
        self.0.waiting.borrow().is_none()
    }

    /// Does something when the whole program is there: now, if it is.
    pub fn when_whole(&self, act: impl FnOnce() + 'static) {
        if let Some(waiting) = self.0.waiting.borrow_mut().as_mut() {
            waiting.acts.push(Box::new(act));
            return;
        }
        act();
    }

    /// Does something some milliseconds after the whole program is there, or after now.
    pub fn later(&self, milliseconds: u32, act: impl FnOnce() + 'static) -> Later {
        let timer = Rc::new(RefCell::new(None));
        let weak = Rc::downgrade(&timer);
        self.when_whole(move || {
            if let Some(timer) = weak.upgrade() {
                timer.replace(Some(Timeout::new(milliseconds, act)));
            }
        });
        Later(timer)
    }

    /// Keeps a typed line until the whole program is there; gives whether it had to.
    pub(super) fn keep_line(&self, id: u32, line: &str) -> bool {
        let kept = match self.0.waiting.borrow_mut().as_mut() {
            Some(waiting) => {
                waiting.lines.push((id, line.to_owned()));
                true
            }
            None => false,
        };
        if kept {
            self.tell(&[Topic::Terminal]);
        }
        kept
    }

    /// The lines that were typed into a terminal and wait for the whole program.
    pub fn kept_lines(&self, id: u32) -> Vec<String> {
        let waiting = self.0.waiting.borrow();
        let lines = waiting.iter().flat_map(|waiting| &waiting.lines);
        lines.filter(|(terminal, _)| *terminal == id).map(|(_, line)| line.clone()).collect()
    }

    fn go_on(&self) {
        let Some(waiting) = self.0.waiting.replace(None) else { return };
        for act in waiting.acts {
            act();
        }
        for (id, line) in waiting.lines {
            self.submit(id, &line);
        }
    }
}
