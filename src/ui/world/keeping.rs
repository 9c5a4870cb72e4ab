//! Saving: what of the page outlives it, and when it is written down.

use gloo::timers::callback::Timeout;

use super::{Theme, World};
use crate::session::save::{self, Saved, SavedCluster};
use crate::ui::page::BrowserStorage;
use crate::words::Language;

/// Milliseconds from a change to its being saved.
const SAVE_MS: u32 = 700;

impl World {
    pub(super) fn save_soon(&self) {
        let mut saving = self.0.saving.borrow_mut();
        if saving.is_none() {
            let world = self.clone();
            *saving = Some(Timeout::new(SAVE_MS, move || world.save()));
        }
    }

    /// Saves the session now.
    pub fn save(&self) {
        self.0.saving.replace(None);
        let saved = self.saved();
        save::store(&saved, &BrowserStorage);
    }

    pub(super) fn saved(&self) -> Saved {
        let clock = self.clock();
        let history = self.tab(self.active_tab(), |tab| tab.terminal.shell()).flatten();
        Saved {
            files: self
                .file_names()
                .into_iter()
                .map(|name| (name.clone(), self.file(&name).to_string()))
                .collect(),
            active_file: self.active_file().unwrap_or_default(),
            language: match self.language() {
                Language::English => "en".to_owned(),
                Language::Chinese => "zh".to_owned(),
            },
            theme: match self.theme() {
                Theme::Auto => String::new(),
                Theme::Light => "light".to_owned(),
                Theme::Dark => "dark".to_owned(),
            },
            speed: Some(clock.speed),
            paused: !clock.playing,
            hint_used: self.hint_used(),
            history: history
                .map(|shell| shell.history.borrow().numbered().map(|(_, line)| line.to_owned()).collect())
                .unwrap_or_default(),
            cluster: self.with(SavedCluster::of),
        }
    }
}
