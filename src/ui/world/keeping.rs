//! Saving: what of the page outlives it, and when it is written down.

use super::{Theme, Topic, World};
use crate::cluster::Settings;
use crate::session::save::{self, Saved, SavedCluster};
use crate::session::share::{self, Shared};
use crate::ui::link;
use crate::ui::page::BrowserStorage;
use crate::words::Language;

/// Milliseconds from a change to its being saved.
const SAVE_MS: u32 = 700;

impl World {
    pub(super) fn save_soon(&self) {
        let mut saving = self.0.saving.borrow_mut();
        if saving.is_none() {
            let world = self.clone();
            *saving = Some(self.later(SAVE_MS, move || world.save()));
        }
    }

    /// Saves the session now, unless nothing can have happened in it.
    pub fn save(&self) {
        if !self.is_whole() {
            return;
        }
        self.0.saving.replace(None);
        if self.0.leaving.get() {
            return;
        }
        let saved = self.saved();
        save::store(&saved, &BrowserStorage);
    }

    /// Changes settings while the world runs.
    pub fn change_settings(&self, settings: Settings) {
        self.act(|simulation| simulation.change_settings(settings));
        self.save_soon();
        self.tell(&[Topic::Objects, Topic::Lower]);
    }

    /// Begins with a new cluster and the same files. The present one is set aside and can be brought back.
    pub fn begin_anew(&self, settings: &Settings) {
        self.replace(&Saved { settings: settings.line(), cluster: None, ..self.saved() });
    }

    /// What a link of this session carries.
    pub fn shared(&self) -> Shared {
        let saved = self.saved();
        Shared {
            settings: saved.settings,
            files: saved.files,
            active_file: saved.active_file,
            objects: self.with(|simulation| share::objects(&simulation.cluster)),
        }
    }

    /// Opens the session of a link in place of the present one, which can be brought back.
    pub fn open_shared(&self, shared: &Shared) {
        let (mut simulation, _) = shared.world();
        link::forget();
        self.replace(&Saved {
            settings: shared.settings.clone(),
            files: shared.files.clone(),
            active_file: shared.active_file.clone(),
            hint_used: true,
            cluster: SavedCluster::of(&mut simulation),
            ..self.saved()
        });
    }

    /// Brings back the session that the present one took the place of.
    pub fn bring_back(&self) {
        self.save();
        if save::bring_back(&BrowserStorage) {
            self.leave();
        }
    }

    fn replace(&self, saved: &Saved) {
        self.save();
        save::replace(saved, &BrowserStorage);
        self.leave();
    }

    /// Loads the page anew, with what is kept.
    fn leave(&self) {
        self.0.leaving.set(true);
        // The page is about to go away.
        let _ = gloo::utils::window().location().reload();
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
            settings: self.with(|simulation| simulation.cluster.settings().line()),
            replaced: false,
            cluster: self.with(SavedCluster::of),
        }
    }
}
