//! The editor's files: manifests in the workstation's home, the same that commands see there.

use std::rc::Rc;

use super::terminals::HOME_PROMPT;
use super::{HOME, Notice, Pane, Topic, World};
use crate::ui::model::marks;

impl World {
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
            self.notify(Notice::Said(format!("{name}: {}", why.words())));
        }
        self.0.files_seen.set(self.0.files.borrow().changes());
        self.tell(&[Topic::Files]);
        self.save_soon();
    }

    /// Makes a file with a text, under a name that is still free, and shows it.
    pub fn new_file(&self, text: &str) {
        let names = self.file_names();
        let base = marks::suggested_name(text);
        let name = (1..)
            .map(|n| if n == 1 { format!("{base}.yaml") } else { format!("{base}-{n}.yaml") })
            .find(|name| !names.contains(name))
            .expect("some number is free");
        self.write_file(&name, text);
        self.open_file(&name);
    }

    /// Opens an example: the file of this name if there is one, as it is now.
    pub fn open_example(&self, name: &str, text: &str) {
        if !self.file_names().iter().any(|known| known == name) {
            self.write_file(name, text);
        }
        self.open_file(name);
        self.set_pane(Pane::Yaml);
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

    /// Deletes a file, and offers to take that back.
    pub fn delete_file_undoably(&self, name: &str) {
        let notice = Notice::Deleted { name: name.to_owned(), text: self.file(name) };
        self.delete_file(name);
        self.notify(notice);
    }

    fn delete_file(&self, name: &str) {
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
}
