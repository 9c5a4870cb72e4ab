//! The world as components see it: the simulation, the clock, the terminals, and what the page shows of them.
//!
//! Owns the loop of frames and the topics by which components learn that something changed. Nothing polls
//! the engine: a frame runs it only when something is due, and between frames the loop sleeps as long as
//! nothing is.

use std::cell::{Cell, Ref, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;

use gloo::render::{AnimationFrame, request_animation_frame};
use gloo::timers::callback::Timeout;
use yew::prelude::{Callback, hook, use_context, use_effect_with, use_force_update};

use super::dom;
use super::model::clock::Clock;
use super::model::journey::Journey;
use super::model::map::Map;
use super::model::screen::Screen;
use crate::api::object::Key;
use crate::cluster::Settings;
use crate::network::{Origin, Transport};
use crate::session::save::Saved;
use crate::shell::filesystem::Files;
use crate::shell::host::{Host, Progress};
use crate::shell::places::Place;
use crate::shell::programs::Programs;
use crate::shell::terminal::Terminal;
use crate::simulation::Simulation;
use crate::words::{Language, Words};

/// Milliseconds of one frame that the engine may use.
const FRAME_BUDGET_MS: f64 = 8.0;
/// Milliseconds that a command may use at once, before the page is painted again.
const COMMAND_BUDGET_MS: f64 = 12.0;
/// Steps of the engine between two looks at the browser's clock.
const STEPS: u32 = 64;
/// Packets of a person's commands that can be shown again.
const JOURNEYS: usize = 40;
/// Packets of running programs that are shown at once.
const SPARKS: usize = 24;
/// The port of DNS: its packets are shown, but followed only on request.
const DNS_PORT: u16 = 53;
/// The longest sleep between frames: the shown clock ticks by tenths.
const IDLE_MS: f64 = 100.0;
/// Milliseconds from a change to its being saved.
const SAVE_MS: u32 = 700;
/// Pages that show one pane at a time, as `narrow.css` has it.
const NARROW_PAGE: &str = "(max-width: 820px)";
/// The home directory, in which the editor's files live.
pub const HOME: &str = "/root";

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
    /// Language, colours, or the pane of a narrow page.
    Look,
    /// A notice to the person.
    Notice,
    /// Packets were sent, or another one is followed.
    Packets,
}

/// One terminal tab.
pub struct Tab {
    /// Counts up.
    pub id: u32,
    /// The terminal.
    pub terminal: Terminal,
    /// What it has printed.
    pub screen: Screen,
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
    programs: RefCell<Programs>,
    clock: Cell<Clock>,
    shown_tenths: Cell<u64>,
    map: RefCell<Map>,
    revision: Cell<u64>,
    tabs: RefCell<Vec<Tab>>,
    active_tab: Cell<u32>,
    next_tab: Cell<u32>,
    files: Files,
    files_seen: Cell<u64>,
    active_file: RefCell<String>,
    selected: RefCell<Option<Key>>,
    language: Cell<Language>,
    theme: Cell<Theme>,
    pane: Cell<Pane>,
    notice: RefCell<Option<String>>,
    pasted: RefCell<Option<String>>,
    hint_used: Cell<bool>,
    /// Packets of the person's commands, oldest first.
    journeys: RefCell<VecDeque<Rc<Journey>>>,
    /// Packets of running programs, oldest first.
    sparks: RefCell<VecDeque<Rc<Journey>>>,
    packets_seen: Cell<u64>,
    followed: Cell<Option<u64>>,
    /// Whether a person's command has run since the last look at the packets.
    commanded: Cell<bool>,
    listeners: RefCell<Vec<Listener>>,
    next_listener: Cell<u64>,
    frame: RefCell<Option<Next>>,
    saving: RefCell<Option<Timeout>>,
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
        let mut simulation = simulation.unwrap_or_else(|| Simulation::new(Settings::default()));
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
        clock.speed = saved.speed.filter(|speed| super::model::clock::SPEEDS.contains(speed)).unwrap_or(1.0);
        clock.playing = !saved.paused;
        let language = match saved.language.as_str() {
            "zh" => Language::Chinese,
            "en" => Language::English,
            _ => browser_language(),
        };
        host.set_language(language);
        let world = Self(Rc::new(Inner {
            host,
            programs: RefCell::default(),
            clock: Cell::new(clock),
            shown_tenths: Cell::default(),
            map: RefCell::default(),
            revision: Cell::default(),
            tabs: RefCell::default(),
            active_tab: Cell::default(),
            next_tab: Cell::default(),
            files_seen: Cell::new(u64::MAX),
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
            notice: RefCell::default(),
            pasted: RefCell::default(),
            hint_used: Cell::new(saved.hint_used),
            journeys: RefCell::default(),
            sparks: RefCell::default(),
            packets_seen: Cell::default(),
            followed: Cell::default(),
            commanded: Cell::default(),
            listeners: RefCell::default(),
            next_listener: Cell::default(),
            frame: RefCell::default(),
            saving: RefCell::default(),
        }));
        world.new_tab();
        world.restore_history(&saved.history);
        world.look();
        world.publish();
        world
    }

    // Reading.

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

    /// What the person is to be told.
    pub fn notice(&self) -> Option<String> {
        self.0.notice.borrow().clone()
    }

    /// A pasted manifest that waits for an answer.
    pub fn pasted(&self) -> Option<String> {
        self.0.pasted.borrow().clone()
    }

    /// Packets of the person's commands, oldest first.
    pub fn journeys(&self) -> Vec<Rc<Journey>> {
        self.0.journeys.borrow().iter().cloned().collect()
    }

    /// Packets of running programs, oldest first.
    pub fn sparks(&self) -> Vec<Rc<Journey>> {
        self.0.sparks.borrow().iter().cloned().collect()
    }

    /// The packet that is followed.
    pub fn followed(&self) -> Option<Rc<Journey>> {
        let number = self.0.followed.get()?;
        self.0.journeys.borrow().iter().find(|journey| journey.number == number).cloned()
    }

    /// Follows a packet, or none.
    pub fn follow(&self, number: Option<u64>) {
        self.0.followed.set(number);
        self.tell(&[Topic::Packets]);
    }

    /// Sends a packet, as the first one of a connection.
    pub fn send_packet(&self, from: &Origin, to: SocketAddr, transport: Transport) {
        self.0.commanded.set(true);
        self.act(|simulation| simulation.connect(from, to, transport));
        let last = self.0.journeys.borrow().back().map(|journey| journey.number);
        self.follow(last);
    }

    /// Takes note of packets that were sent since the last call. Gives whether there were any.
    fn look_at_packets(&self) -> bool {
        let seen = self.0.packets_seen.get();
        let busy = self.tabs().iter().any(|tab| tab.terminal.is_busy());
        let commanded = self.0.commanded.replace(busy) || busy;
        let (count, sent) = self.with(|simulation| {
            let map = self.map();
            let news =
                simulation.traffic.since(seen.max(simulation.traffic.count().saturating_sub(SPARKS as u64)));
            let news: Vec<(bool, Journey)> =
                news.map(|sent| (sent.trace.target.port() == DNS_PORT, Journey::of(sent, &map))).collect();
            (simulation.traffic.count(), news)
        });
        if self.0.packets_seen.replace(count) == count {
            return false;
        }
        let mut journeys = self.0.journeys.borrow_mut();
        let mut sparks = self.0.sparks.borrow_mut();
        for (dns, journey) in sent {
            let number = journey.number;
            if commanded {
                journeys.push_back(Rc::new(journey));
                if !dns {
                    self.0.followed.set(Some(number));
                }
            } else {
                sparks.push_back(Rc::new(journey));
            }
        }
        while journeys.len() > JOURNEYS {
            journeys.pop_front();
        }
        while sparks.len() > SPARKS {
            sparks.pop_front();
        }
        true
    }

    /// Whether the first hint was followed.
    pub fn hint_used(&self) -> bool {
        self.0.hint_used.get()
    }

    // Files.

    /// The names of the editor's files: manifests in the workstation's home.
    pub fn file_names(&self) -> Vec<String> {
        let files = self.0.files.borrow();
        let manifest = |name: &String| {
            let known = [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end));
            known && !files.is_directory(&format!("{HOME}/{name}"))
        };
        files.names(HOME).into_iter().filter(manifest).collect()
    }

    /// The file that is shown; the first one if that is gone.
    pub fn active_file(&self) -> Option<String> {
        let names = self.file_names();
        let active = self.0.active_file.borrow();
        if names.contains(&active) { Some(active.clone()) } else { names.into_iter().next() }
    }

    /// The text of a file.
    pub fn file(&self, name: &str) -> Rc<str> {
        self.0.files.borrow().read(&format!("{HOME}/{name}")).unwrap_or_else(|_| Rc::from(""))
    }

    /// Shows a file.
    pub fn open_file(&self, name: &str) {
        self.0.active_file.replace(name.to_owned());
        self.tell(&[Topic::Files]);
        self.save_soon();
    }

    /// Writes a file; says why if it cannot be written.
    pub fn write_file(&self, name: &str, text: &str) {
        let written = self.0.files.borrow_mut().write(&format!("{HOME}/{name}"), text);
        if let Err(why) = written {
            self.notify(format!("{name}: {}", why.words()));
        }
        self.0.files_seen.set(self.0.files.borrow().changes());
        self.tell(&[Topic::Files]);
        self.save_soon();
    }

    /// Makes a file with a text, under a name that is still free, and shows it.
    pub fn new_file(&self, text: &str) {
        let names = self.file_names();
        let base = super::model::marks::suggested_name(text);
        let name = (1..)
            .map(|n| if n == 1 { format!("{base}.yaml") } else { format!("{base}-{n}.yaml") })
            .find(|name| !names.contains(name))
            .expect("some number is free");
        self.write_file(&name, text);
        self.open_file(&name);
    }

    /// Gives a file another name.
    pub fn rename_file(&self, from: &str, to: &str) {
        let to = to.trim();
        let taken = self.file_names().iter().any(|name| name == to);
        if to.is_empty() || to.contains('/') || taken {
            return;
        }
        let to = if to.contains('.') { to.to_owned() } else { format!("{to}.yaml") };
        let text = self.file(from);
        self.write_file(&to, &text);
        self.delete_file(from);
        self.open_file(&to);
    }

    /// Deletes a file.
    pub fn delete_file(&self, name: &str) {
        // It may be gone already.
        let _ = self.0.files.borrow_mut().remove(&format!("{HOME}/{name}"), false);
        self.tell(&[Topic::Files]);
        self.save_soon();
    }

    /// Applies a file the way a person would: in a terminal.
    pub fn apply(&self, name: &str) {
        let word = if name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c)) {
            name.to_owned()
        } else {
            format!("'{}'", name.replace('\'', "'\\''"))
        };
        let id = self.workstation_tab();
        let path = if self.tab(id, |tab| tab.terminal.prompt() == HOME_PROMPT) == Some(true) {
            word
        } else {
            format!("~/{word}")
        };
        self.submit(id, &format!("kubectl apply -f {path}"));
    }

    /// A terminal whose shell waits on the workstation: the shown one, another one, or a new one.
    fn workstation_tab(&self) -> u32 {
        let free = |tab: &&Tab| tab.terminal.prompt().starts_with(WORKSTATION_PROMPT);
        let found = {
            let tabs = self.tabs();
            let shown = tabs.iter().filter(|tab| tab.id == self.active_tab()).find(free);
            shown.or_else(|| tabs.iter().find(free)).map(|tab| tab.id)
        };
        match found {
            Some(id) => {
                self.show_tab(id);
                id
            }
            None => self.new_tab(),
        }
    }

    // Terminals.

    /// Opens a terminal on the workstation and shows it.
    pub fn new_tab(&self) -> u32 {
        let id = self.0.next_tab.get() + 1;
        self.0.next_tab.set(id);
        let terminal = Terminal::new(&self.0.host, Place::workstation());
        self.0.tabs.borrow_mut().push(Tab { id, terminal, screen: Screen::default() });
        self.show_tab(id);
        id
    }

    /// Closes a terminal and ends what runs in it; the last one stays.
    pub fn close_tab(&self, id: u32) {
        let closed = {
            let mut tabs = self.0.tabs.borrow_mut();
            if tabs.len() < 2 {
                return;
            }
            let Some(index) = tabs.iter().position(|tab| tab.id == id) else { return };
            let closed = tabs.remove(index);
            let next = tabs[index.min(tabs.len() - 1)].id;
            if self.active_tab() == id {
                self.0.active_tab.set(next);
            }
            closed
        };
        drop(closed);
        self.tell(&[Topic::Terminal]);
    }

    /// Shows a terminal.
    pub fn show_tab(&self, id: u32) {
        self.0.active_tab.set(id);
        self.tell(&[Topic::Terminal]);
    }

    /// Types a line into a terminal and runs it at once, as far as it gets without time passing.
    pub fn submit(&self, id: u32, line: &str) {
        self.0.hint_used.set(true);
        self.0.commanded.set(true);
        self.with(|simulation| {
            if !line.trim().is_empty() {
                simulation.cluster.begin_step(line);
            }
        });
        if let Some(tab) = self.0.tabs.borrow().iter().find(|tab| tab.id == id) {
            tab.terminal.submit(line);
        }
        self.run_now();
    }

    /// Types a line into a terminal on the workstation, as a button does for a person.
    pub fn type_command(&self, line: &str) {
        let id = self.workstation_tab();
        self.set_pane(Pane::Terminal);
        self.submit(id, line);
    }

    /// Ctrl-C.
    pub fn interrupt(&self, id: u32, draft: &str) {
        if let Some(tab) = self.0.tabs.borrow().iter().find(|tab| tab.id == id) {
            tab.terminal.interrupt(draft);
        }
        self.run_now();
    }

    /// Ctrl-D.
    pub fn end_input(&self, id: u32) {
        if let Some(tab) = self.0.tabs.borrow().iter().find(|tab| tab.id == id) {
            tab.terminal.end_input();
        }
        self.run_now();
    }

    fn restore_history(&self, lines: &[String]) {
        if let Some(Some(shell)) = self.tab(self.active_tab(), |tab| tab.terminal.shell()) {
            let mut history = shell.history.borrow_mut();
            for line in lines {
                history.add(line);
            }
        }
    }

    // Changing.

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
        let _ = self.act(Simulation::undo);
    }

    /// Does again what was undone.
    pub fn redo(&self) {
        let _ = self.act(Simulation::redo);
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

    fn change_clock(&self, change: impl FnOnce(&mut Clock)) {
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

    /// Tells the person something.
    pub fn notify(&self, text: String) {
        self.0.notice.replace(Some(text));
        self.tell(&[Topic::Notice]);
    }

    /// Takes the notice away.
    pub fn dismiss(&self) {
        self.0.notice.replace(None);
        self.0.pasted.replace(None);
        self.tell(&[Topic::Notice]);
    }

    /// Asks what to do with a pasted manifest.
    pub fn offer_paste(&self, text: String) {
        self.0.pasted.replace(Some(text));
        self.tell(&[Topic::Notice]);
    }

    /// Forgets everything and begins anew.
    pub fn reset(&self) {
        self.0.saving.replace(None);
        crate::session::save::forget(&super::page::BrowserStorage);
        // The page is about to go away.
        let _ = gloo::utils::window().location().reload();
    }

    fn look(&self) {
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

    // Time.

    /// One frame: lets the clock go on and runs what is due.
    fn frame(&self) {
        let mut clock = self.clock();
        clock.frame(dom::milliseconds());
        self.0.clock.set(clock);
        self.catch_up(FRAME_BUDGET_MS);
        self.publish();
        self.schedule();
    }

    /// Runs what is due now, and shows it.
    fn run_now(&self) {
        self.catch_up(COMMAND_BUDGET_MS);
        self.publish();
        self.schedule();
    }

    /// Runs the engine up to the clock, within a time budget. What does not fit is left to the next frame,
    /// and the clock waits for it.
    fn catch_up(&self, budget_ms: f64) {
        let mut clock = self.clock();
        let until = dom::milliseconds() + budget_ms;
        loop {
            match self.0.host.run_until(clock.now(), STEPS) {
                Progress::Reached => return,
                Progress::OutOfBudget if dom::milliseconds() < until => {}
                Progress::OutOfBudget => {
                    clock.hold_at(self.0.host.now());
                    self.0.clock.set(clock);
                    return;
                }
            }
        }
    }

    /// Begins the loop of frames.
    pub fn start(&self) {
        self.schedule();
    }

    /// Arranges the next frame: at once if something is due soon, later if nothing is, never while paused.
    fn schedule(&self) {
        let clock = self.clock();
        let due = self.0.host.next_due();
        let ready = due.is_some_and(|due| due <= clock.now());
        if !clock.playing && !ready {
            let mut still = clock;
            still.rest();
            self.0.clock.set(still);
            self.0.frame.replace(None);
            return;
        }
        let wait = due.map_or(IDLE_MS, |due| clock.milliseconds_until(due)).min(IDLE_MS);
        let world = self.clone();
        let next = if ready || wait < 32.0 {
            Next::Frame(request_animation_frame(move |_| world.frame()))
        } else {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 100")]
            Next::Timer(Timeout::new(wait as u32, move || world.frame()))
        };
        self.0.frame.replace(Some(next));
    }

    /// Takes what the engine did since the last call to those who show it.
    fn publish(&self) {
        self.0.programs.borrow_mut().follow(&self.0.host);
        let mut topics = Vec::new();
        let revision = self.with(|simulation| simulation.revision());
        if self.0.revision.replace(revision) != revision {
            topics.push(Topic::Journal);
            let changed = self.with(|simulation| self.0.map.borrow_mut().observe(&simulation.cluster));
            if changed {
                topics.push(Topic::Objects);
            }
            self.save_soon();
        }
        if self.look_at_packets() {
            topics.push(Topic::Packets);
        }
        let mut printed = false;
        for tab in self.0.tabs.borrow_mut().iter_mut() {
            let chunks = tab.terminal.take_output();
            printed |= !chunks.is_empty();
            tab.screen.print(chunks);
        }
        if printed {
            topics.push(Topic::Terminal);
        }
        let tenths = self.clock().now() / 100_000;
        if self.0.shown_tenths.replace(tenths) != tenths {
            topics.push(Topic::Clock);
        }
        let files = self.0.files.borrow().changes();
        if self.0.files_seen.replace(files) != files {
            topics.push(Topic::Files);
            self.save_soon();
        }
        self.tell(&topics);
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

    // Saving.

    fn save_soon(&self) {
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
        crate::session::save::store(&saved, &super::page::BrowserStorage);
    }

    fn saved(&self) -> Saved {
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
            cluster: self.with(|simulation| crate::session::save::SavedCluster::of(simulation)),
        }
    }
}

/// The prompt of the workstation in its home.
const HOME_PROMPT: &str = "[root@ci-base ~]# ";
/// What every prompt of the workstation begins with.
const WORKSTATION_PROMPT: &str = "[root@ci-base ";

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
