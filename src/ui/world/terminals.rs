//! The terminals: opening, closing, typing.

use super::{Lower, Tab, Topic, World};
use crate::shell::places::Place;
use crate::shell::terminal::Terminal;
use crate::ui::model::screen::Screen;

/// The prompt of the workstation in its home.
pub(super) const HOME_PROMPT: &str = "[root@ci-base ~]# ";
/// What every prompt of the workstation begins with.
const WORKSTATION_PROMPT: &str = "[root@ci-base ";

impl World {
    /// Opens a terminal on the workstation and shows it.
    pub fn new_tab(&self) -> u32 {
        let id = self.0.next_tab.get() + 1;
        self.0.next_tab.set(id);
        let terminal = Terminal::new(&self.0.host, Place::workstation());
        self.0.tabs.borrow_mut().push(Tab {
            id,
            terminal,
            screen: Screen::default(),
            state: (false, String::new()),
        });
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
        self.0.lower.set(Lower::Terminal);
        self.tell(&[Topic::Terminal, Topic::Lower]);
    }

    /// Types a line into a terminal and runs it at once, as far as it gets without time passing; before the
    /// whole program is there, as soon as it is.
    pub fn submit(&self, id: u32, line: &str) {
        self.0.hint_used.set(true);
        if self.keep_line(id, line) {
            return;
        }
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
        self.set_lower(Lower::Terminal);
        self.submit(id, line);
    }

    /// Puts a command into the line of the shown terminal, for the person to finish and run.
    pub fn draft(&self, line: &str) {
        self.0.draft.replace(Some(line.to_owned()));
        self.set_lower(Lower::Terminal);
        self.tell(&[Topic::Terminal]);
    }

    /// Takes what is to be put into the line.
    pub fn take_draft(&self) -> Option<String> {
        self.0.draft.take()
    }

    /// The lines typed last, newest first, each once.
    pub fn recent_lines(&self, count: usize) -> Vec<String> {
        let shell = self.tab(self.active_tab(), |tab| tab.terminal.shell()).flatten();
        let mut lines: Vec<String> = Vec::new();
        if let Some(shell) = shell {
            let all: Vec<String> =
                shell.history.borrow().numbered().map(|(_, line)| line.to_owned()).collect();
            for line in all.into_iter().rev() {
                if lines.len() < count && !lines.contains(&line) {
                    lines.push(line);
                }
            }
        }
        lines
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

    pub(super) fn restore_history(&self, lines: &[String]) {
        if let Some(Some(shell)) = self.tab(self.active_tab(), |tab| tab.terminal.shell()) {
            let mut history = shell.history.borrow_mut();
            for line in lines {
                history.add(line);
            }
        }
    }

    /// A terminal whose shell waits on the workstation: the shown one, another one, or a new one.
    pub(super) fn workstation_tab(&self) -> u32 {
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
}
