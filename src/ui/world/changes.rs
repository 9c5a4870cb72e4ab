//! What a person changes: the selection, the clock, undo, how the page looks.

use wasm_bindgen::JsCast as _;

use super::time::COMMAND_BUDGET_MS;
use super::{Dialog, Lower, Notice, Pane, TERMINAL_INPUT, Theme, Topic, World};
use crate::api::object::Key;
use crate::shell::edits::{Answer, Edit};
use crate::simulation::Simulation;
use crate::ui::dom;
use crate::ui::model::clock::Clock;
use crate::ui::words;
use crate::words::Language;

/// Pages that show one pane at a time, as `narrow.css` has it.
const NARROW_PAGE: &str = "(max-width: 820px)";

impl World {
    /// Changes the world as a person does; everyone notices.
    pub fn act<T>(&self, act: impl FnOnce(&mut Simulation) -> T) -> T {
        self.catch_up(COMMAND_BUDGET_MS);
        let result = self.with(act);
        self.run_now();
        result
    }

    /// Selects an object, or nothing.
    pub fn select(&self, key: Option<Key>) {
        if *self.0.selected.borrow() != key {
            if key.is_some() && dom::matches_media(NARROW_PAGE) {
                self.set_pane(Pane::Details);
            }
            self.0.selected.replace(key);
            self.tell(&[Topic::Selection]);
        }
    }

    /// Undoes the last step.
    pub fn undo(&self) {
        // There may be nothing to undo.
        if let Ok(label) = self.act(Simulation::undo) {
            self.notify(Notice::Said(format!("{}{label}", self.say(words::UNDONE))));
        }
    }

    /// Does again what was undone.
    pub fn redo(&self) {
        if let Ok(label) = self.act(Simulation::redo) {
            self.notify(Notice::Said(format!("{}{label}", self.say(words::REDONE))));
        }
    }

    /// The text that a command waits for to be edited.
    pub fn edit(&self) -> Option<Edit> {
        self.0.host.edits().first()
    }

    /// Gives a command the text that it waits for, and the focus back to the terminal in which it was typed.
    pub fn finish_edit(&self, number: u64, answer: Answer) {
        self.catch_up(COMMAND_BUDGET_MS);
        self.0.host.edits().finish(number, answer);
        self.run_now();
        self.set_lower(Lower::Terminal);
        dom::focus_by_id(TERMINAL_INPUT);
    }

    /// Lets time pass or stand still.
    pub fn set_playing(&self, playing: bool) {
        self.change_clock(|clock| clock.playing = playing);
    }

    /// Sets the speed.
    pub fn set_speed(&self, speed: f64) {
        self.change_clock(|clock| clock.speed = speed);
    }

    /// Pauses, and goes to the next instant at which something happens.
    pub fn step(&self) {
        let due = self.0.host.next_due();
        self.change_clock(|clock| {
            clock.playing = false;
            if let Some(due) = due {
                clock.jump_to(due);
            }
        });
        self.run_now();
    }

    pub(super) fn change_clock(&self, change: impl FnOnce(&mut Clock)) {
        let mut clock = self.clock();
        change(&mut clock);
        self.0.clock.set(clock);
        self.tell(&[Topic::Clock]);
        self.save_soon();
        self.schedule();
    }

    /// Sets the language of the page.
    pub fn set_language(&self, language: Language) {
        self.0.language.set(language);
        self.0.host.set_language(language);
        self.look();
    }

    /// Sets the colours of the page.
    pub fn set_theme(&self, theme: Theme) {
        self.0.theme.set(theme);
        self.look();
    }

    /// Shows another pane on a narrow page.
    pub fn set_pane(&self, pane: Pane) {
        if self.0.pane.replace(pane) != pane {
            self.tell(&[Topic::Look]);
        }
    }

    /// Shows another view below the map.
    pub fn set_lower(&self, lower: Lower) {
        self.set_pane(Pane::Terminal);
        if self.0.lower.replace(lower) != lower {
            self.tell(&[Topic::Lower]);
        }
    }

    /// Opens a dialog, or closes it.
    pub fn set_dialog(&self, dialog: Dialog) {
        let before = self.0.dialog.replace(dialog);
        if before == Dialog::None && dialog != Dialog::None {
            self.0.before_dialog.replace(gloo::utils::document().active_element());
        }
        if before != dialog {
            self.tell(&[Topic::Dialog]);
        }
    }

    /// Gives the focus back to what had it before a dialog opened, unless something else has it by now.
    pub fn return_focus(&self) {
        let Some(before) = self.0.before_dialog.take() else { return };
        let now = gloo::utils::document().active_element();
        if now.is_none_or(|now| now.tag_name() == "BODY")
            && let Ok(before) = before.dyn_into::<web_sys::HtmlElement>()
        {
            // What is gone by now takes no focus.
            let _ = before.focus();
        }
    }

    /// Shows the rules of a node.
    pub fn show_rules(&self, node: &str) {
        self.0.rules_node.replace(node.to_owned());
        self.set_lower(Lower::Rules);
        self.tell(&[Topic::Lower]);
    }

    /// Tells the person something.
    pub fn notify(&self, notice: Notice) {
        self.0.notice.replace(Some(notice));
        self.tell(&[Topic::Notice]);
    }

    /// Takes the notice away.
    pub fn dismiss(&self) {
        self.0.notice.replace(None);
        self.tell(&[Topic::Notice]);
    }

    pub(super) fn look(&self) {
        if let Some(root) = gloo::utils::document().document_element() {
            let theme = match self.theme() {
                Theme::Auto => "",
                Theme::Light => "light",
                Theme::Dark => "dark",
            };
            let language = match self.language() {
                Language::English => "en",
                Language::Chinese => "zh-CN",
            };
            // Setting an attribute with a valid name does not fail.
            let _ = root.set_attribute("data-theme", theme);
            let _ = root.set_attribute("lang", language);
        }
        self.tell(&[Topic::Look]);
        self.save_soon();
    }
}
