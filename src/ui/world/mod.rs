//! The world as components see it: the simulation, the clock, the terminals, and what the page shows of them.
//!
//! Owns the loop of frames and the topics by which components learn that something changed. Nothing polls
//! the engine: a frame runs it only when something is due, and between frames the loop sleeps as long as
//! nothing is.

mod changes;
mod files;
mod keeping;
mod packets;
mod terminals;
mod time;
mod whole;

use std::cell::{Cell, Ref, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use gloo::render::AnimationFrame;
use gloo::timers::callback::Timeout;
use yew::prelude::{Callback, hook, use_context, use_effect_with, use_force_update};

use crate::api::object::Key;
use crate::cluster::Settings;
use crate::session::save::Saved;
use crate::session::share::Shared;
use crate::shell::filesystem::Files;
use crate::shell::host::Host;
use crate::shell::places::Place;
use crate::shell::terminal::Terminal;
use crate::simulation::Simulation;
use crate::ui::model::clock::Clock;
use crate::ui::model::journey::Journey;
use crate::ui::model::map::Map;
use crate::ui::model::screen::Screen;
use crate::words::{Language, Words};

pub use whole::Later;
use whole::Waiting;

/// The home directory, in which the editor's files live.
pub const HOME: &str = "/root";

/// The id of the line into which commands are typed.
pub const TERMINAL_INPUT: &str = "terminal-input";

/// What a component can be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Objects of the map changed.
    Objects,
    /// Any object changed.
    Journal,
    /// A terminal printed, or its prompt changed.
    Terminal,
    /// The clock moved by a tenth, or was paused, or set to another speed.
    Clock,
    /// Something else was selected.
    Selection,
    /// Files changed.
    Files,
    /// A command gave a text to be edited, or took it back.
    Edit,
    /// Language, colours, or the pane of a narrow page.
    Look,
    /// A notice to the person.
    Notice,
    /// Packets were sent, or another one is followed.
    Packets,
    /// Another view stands below the map.
    Lower,
    /// A dialog opened or closed.
    Dialog,
}

/// One terminal tab.
pub struct Tab {
    /// Counts up.
    pub id: u32,
    /// The terminal.
    pub terminal: Terminal,
    /// What it has printed.
    pub screen: Screen,
    /// Whether it was busy, and its prompt, when it was last looked at.
    pub(super) state: (bool, String),
}

/// How the page looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system says.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// The pane that a narrow page shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    /// Files and editor.
    Yaml,
    /// The map.
    #[default]
    Map,
    /// The terminals.
    Terminal,
    /// The inspector.
    Details,
}

/// What stands below the map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lower {
    /// The terminals.
    #[default]
    Terminal,
    /// The packets and their hops.
    Packets,
    /// The rules of a node.
    Rules,
    /// What nodes remember of connections.
    Flows,
    /// Load, and who answers it.
    Load,
}

/// A dialog over the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialog {
    /// None is open.
    #[default]
    None,
    /// The palette.
    Palette,
    /// The settings of the world.
    Settings,
}

/// What the person is told or asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// Something happened.
    Said(String),
    /// A manifest was pasted.
    Pasted(String),
    /// A file was deleted.
    Deleted {
        /// Its name.
        name: String,
        /// What it said.
        text: Rc<str>,
    },
    /// This session took the place of another one, which can be brought back.
    Replaced,
    /// The address carries a session.
    Linked(Rc<Shared>),
    /// The address carries something that cannot be read.
    BadLink,
    /// A link was made.
    Link(String),
    /// The session is too large for a link.
    TooLarge,
}

struct Listener {
    id: u64,
    topics: &'static [Topic],
    tell: Callback<()>,
}

/// The handle that every component has; cheap to clone.
#[derive(Clone)]
pub struct World(Rc<Inner>);

impl PartialEq for World {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

struct Inner {
    host: Host,
    clock: Cell<Clock>,
    shown_tenths: Cell<u64>,
    map: RefCell<Map>,
    revision: Cell<u64>,
    /// Whether the engine could not keep up with the clock in the last frame.
    behind: Cell<bool>,
    /// When the map last followed the journal, in milliseconds of the browser's clock.
    observed_ms: Cell<f64>,
    tabs: RefCell<Vec<Tab>>,
    active_tab: Cell<u32>,
    next_tab: Cell<u32>,
    files: Files,
    files_seen: Cell<u64>,
    edit_seen: Cell<u64>,
    active_file: RefCell<String>,
    selected: RefCell<Option<Key>>,
    language: Cell<Language>,
    theme: Cell<Theme>,
    pane: Cell<Pane>,
    lower: Cell<Lower>,
    dialog: Cell<Dialog>,
    /// What had the focus before the dialog opened.
    before_dialog: RefCell<Option<web_sys::Element>>,
    /// What is to be put into the shown terminal's line.
    draft: RefCell<Option<String>>,
    rules_node: RefCell<String>,
    notice: RefCell<Option<Notice>>,
    hint_used: Cell<bool>,
    /// Packets of the person's commands, oldest first.
    journeys: RefCell<VecDeque<Rc<Journey>>>,
    /// Packets of running programs, oldest first.
    sparks: RefCell<VecDeque<(f64, Rc<Journey>)>>,
    packets_seen: Cell<u64>,
    /// Counts how often the map was arranged anew without any object having changed.
    rearranged: Cell<u64>,
    followed: Cell<Option<u64>>,
    listeners: RefCell<Vec<Listener>>,
    next_listener: Cell<u64>,
    frame: RefCell<Option<Next>>,
    saving: RefCell<Option<Later>>,
    /// What waits for the second part of the program; none when it is there.
    waiting: RefCell<Option<Waiting>>,
    /// Whether the page is about to go away with what is kept: nothing may be saved over it.
    leaving: Cell<bool>,
}

/// What will call the next frame; held so that it is not forgotten.
enum Next {
    Frame(#[expect(dead_code, reason = "held to keep the frame")] AnimationFrame),
    Timer(#[expect(dead_code, reason = "held to keep the timer")] Timeout),
}

impl World {
    /// The world of a session: the one that was saved, or a new one.
    pub fn open(saved: Option<Saved>) -> Self {
        let saved = saved.unwrap_or_default();
        let simulation = saved.cluster.as_ref().and_then(crate::session::save::SavedCluster::restore);
        let fresh = simulation.is_none();
        let mut simulation =
            simulation.unwrap_or_else(|| Simulation::new(Settings::default().with_line(&saved.settings)));
        if fresh {
            crate::session::first_world::build(&mut simulation);
        }
        let now = simulation.now();
        let host = Host::new(simulation);
        let files = Place::workstation().files(&host);
        for (name, text) in &saved.files {
            // A file that no longer fits the limits is left out.
            let _ = files.borrow_mut().write(&format!("{HOME}/{name}"), text);
        }
        if fresh && saved.files.is_empty() {
            let _ = files.borrow_mut().write(
                &format!("{HOME}/{}", crate::session::first_world::FILE),
                crate::session::first_world::MANIFEST,
            );
        }
        let mut clock = Clock::new(now);
        clock.speed =
            saved.speed.filter(|speed| crate::ui::model::clock::SPEEDS.contains(speed)).unwrap_or(1.0);
        clock.playing = !saved.paused;
        let language = match saved.language.as_str() {
            "zh" => Language::Chinese,
            "en" => Language::English,
            _ => browser_language(),
        };
        host.set_language(language);
        host.edits().set_editor(true);
        let world = Self(Rc::new(Inner {
            host,
            clock: Cell::new(clock),
            shown_tenths: Cell::default(),
            map: RefCell::default(),
            revision: Cell::default(),
            behind: Cell::default(),
            observed_ms: Cell::default(),
            tabs: RefCell::default(),
            active_tab: Cell::default(),
            next_tab: Cell::default(),
            files_seen: Cell::new(u64::MAX),
            edit_seen: Cell::new(0),
            files,
            active_file: RefCell::new(saved.active_file),
            selected: RefCell::default(),
            language: Cell::new(language),
            theme: Cell::new(match saved.theme.as_str() {
                "light" => Theme::Light,
                "dark" => Theme::Dark,
                _ => Theme::Auto,
            }),
            pane: Cell::default(),
            lower: Cell::default(),
            dialog: Cell::default(),
            before_dialog: RefCell::default(),
            draft: RefCell::default(),
            rules_node: RefCell::default(),
            notice: RefCell::new(saved.replaced.then_some(Notice::Replaced)),
            hint_used: Cell::new(saved.hint_used),
            journeys: RefCell::default(),
            sparks: RefCell::default(),
            packets_seen: Cell::default(),
            rearranged: Cell::default(),
            followed: Cell::default(),
            listeners: RefCell::default(),
            next_listener: Cell::default(),
            frame: RefCell::default(),
            saving: RefCell::default(),
            waiting: RefCell::default(),
            leaving: Cell::default(),
        }));
        world.await_second_part();
        world.new_tab();
        world.restore_history(&saved.history);
        world.look();
        world.publish();
        world
    }

    /// The world and its executor.
    pub fn host(&self) -> &Host {
        &self.0.host
    }

    /// Reads the simulation.
    pub fn with<T>(&self, act: impl FnOnce(&mut Simulation) -> T) -> T {
        self.0.host.with(act)
    }

    /// What the map shows.
    pub fn map(&self) -> Ref<'_, Map> {
        self.0.map.borrow()
    }

    /// What the arrangement of the map depends on: another number, another arrangement.
    pub fn arrangement(&self) -> (u64, u64) {
        (self.map().revision, self.0.rearranged.get())
    }

    /// The clock.
    pub fn clock(&self) -> Clock {
        self.0.clock.get()
    }

    /// The terminals.
    pub fn tabs(&self) -> Ref<'_, Vec<Tab>> {
        self.0.tabs.borrow()
    }

    /// The id of the terminal that is shown.
    pub fn active_tab(&self) -> u32 {
        self.0.active_tab.get()
    }

    /// Does something with the terminal of an id.
    pub fn tab<T>(&self, id: u32, act: impl FnOnce(&Tab) -> T) -> Option<T> {
        self.tabs().iter().find(|tab| tab.id == id).map(act)
    }

    /// What is selected.
    pub fn selected(&self) -> Option<Key> {
        self.0.selected.borrow().clone()
    }

    /// The language of the page.
    pub fn language(&self) -> Language {
        self.0.language.get()
    }

    /// A text in the language of the page.
    pub fn say(&self, words: Words) -> &'static str {
        words.in_language(self.language())
    }

    /// The colours of the page.
    pub fn theme(&self) -> Theme {
        self.0.theme.get()
    }

    /// The pane that a narrow page shows.
    pub fn pane(&self) -> Pane {
        self.0.pane.get()
    }

    /// What stands below the map.
    pub fn lower(&self) -> Lower {
        self.0.lower.get()
    }

    /// The dialog that is open.
    pub fn dialog(&self) -> Dialog {
        self.0.dialog.get()
    }

    /// The node whose rules are shown: the chosen one, or the first on which the followed packet was, or the first.
    pub fn rules_node(&self) -> String {
        let chosen = self.0.rules_node.borrow();
        let map = self.map();
        if map.nodes.contains_key(chosen.as_str()) {
            return chosen.clone();
        }
        if let Some(node) = self.followed().and_then(|journey| journey.nodes().next()) {
            return node.to_string();
        }
        map.nodes.keys().next().map(ToString::to_string).unwrap_or_default()
    }

    /// What the person is to be told.
    pub fn notice(&self) -> Option<Notice> {
        self.0.notice.borrow().clone()
    }

    /// Whether the first hint was followed.
    pub fn hint_used(&self) -> bool {
        self.0.hint_used.get()
    }

    fn tell(&self, topics: &[Topic]) {
        if topics.is_empty() {
            return;
        }
        let wanted: Vec<Callback<()>> = self
            .0
            .listeners
            .borrow()
            .iter()
            .filter(|listener| listener.topics.iter().any(|topic| topics.contains(topic)))
            .map(|listener| listener.tell.clone())
            .collect();
        for tell in wanted {
            tell.emit(());
        }
    }

    fn listen(&self, topics: &'static [Topic], tell: Callback<()>) -> u64 {
        let id = self.0.next_listener.get() + 1;
        self.0.next_listener.set(id);
        self.0.listeners.borrow_mut().push(Listener { id, topics, tell });
        id
    }

    fn unlisten(&self, id: u64) {
        self.0.listeners.borrow_mut().retain(|listener| listener.id != id);
    }
}

fn browser_language() -> Language {
    let language = gloo::utils::window().navigator().language().unwrap_or_default();
    if language.starts_with("zh") { Language::Chinese } else { Language::English }
}

/// The world, for a component that is rendered anew when one of these topics comes up.
#[hook]
pub fn use_world(topics: &'static [Topic]) -> World {
    let world = use_context::<World>().expect("every component is inside the page");
    let update = use_force_update();
    use_effect_with(world.clone(), move |world| {
        let world = world.clone();
        let id = world.listen(topics, Callback::from(move |()| update.force_update()));
        move || world.unlisten(id)
    });
    world
}
