//! Tab: what could stand at the cursor.
//!
//! Asks the declaration of the command ([`super::command`]) for flags and kinds of values, and the place and the
//! world for names.

use std::collections::BTreeSet;

use super::command::{Command, Flag, Value};
use super::filesystem::{absolute, file_name};
use super::host::Host;
use super::places::{Address, Place};
use crate::api::object::Object;
use crate::api::registry::Kind;

/// Tab offers so many names at most: a person cannot read more.
const NAME_LIMIT: usize = 1_000;

/// One thing that could stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The whole word.
    pub text: String,
    /// Whether the word is complete, so that a blank follows.
    pub ends: bool,
}

/// Things that could stand at the cursor, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates(pub Vec<Candidate>);

impl Candidates {
    /// Those of `words` that begin with `prefix`, each complete.
    pub fn beginning<T: AsRef<str>>(prefix: &str, words: impl IntoIterator<Item = T>) -> Self {
        let mut found = Self::default();
        for word in words {
            found.offer(prefix, word.as_ref(), true);
        }
        found
    }

    /// Adds a word if it begins with `prefix`.
    pub fn offer(&mut self, prefix: &str, word: &str, ends: bool) {
        if word.starts_with(prefix) {
            self.0.push(Candidate { text: word.to_owned(), ends });
        }
    }
}

/// Where Tab was pressed.
pub struct Situation<'a> {
    /// The world.
    pub host: &'a Host,
    /// The place of the shell.
    pub place: &'a Place,
    /// The working directory of the shell.
    pub directory: &'a str,
}

impl Situation<'_> {
    /// Files and directories that begin with `prefix`, as typed.
    pub fn files(&self, prefix: &str) -> Candidates {
        let (folder, start) = match prefix.rfind('/') {
            Some(end) => prefix.split_at(end + 1),
            None => ("", prefix),
        };
        let directory = absolute(self.directory, folder);
        let files = self.place.files(self.host);
        let files = files.borrow();
        let mut found = Candidates::default();
        for name in files.names(&directory) {
            if !name.starts_with(start) || (name.starts_with('.') && start.is_empty()) {
                continue;
            }
            let is_directory = files.is_directory(&absolute(&directory, &name));
            let slash = if is_directory { "/" } else { "" };
            found.0.push(Candidate {
                text: format!("{folder}{}{slash}", file_name(&name)),
                ends: !is_directory,
            });
        }
        found
    }

    /// Words for a value.
    pub fn values(&self, value: Value, prefix: &str) -> Candidates {
        match value {
            Value::File => self.files(prefix),
            Value::OneOf(words) => Candidates::beginning(prefix, words),
            Value::Command => Candidates::beginning(prefix, super::command::names(self.place)),
            Value::None | Value::Text | Value::Number | Value::Duration | Value::Optional(_) => {
                Candidates::default()
            }
            Value::Namespace => self.names(Kind::Namespace, prefix),
            Value::Node => self.names(Kind::Node, prefix),
            Value::Host => self.hosts(prefix),
        }
    }

    /// Names and addresses that one can send packets to from here:
    /// nodes, and Services by cluster address or, in a Pod, by name.
    fn hosts(&self, prefix: &str) -> Candidates {
        let mut words = BTreeSet::new();
        self.host.with(|simulation| {
            for object in simulation.cluster.list(Kind::Node, None) {
                words.insert(object.name().to_string());
                let addresses = object.as_node().map(|node| node.addresses.as_slice()).unwrap_or_default();
                words.extend(addresses.iter().map(ToString::to_string));
            }
            for object in simulation.cluster.list(Kind::Service, None) {
                let Some(service) = object.as_service() else { continue };
                words.extend(service.cluster_ips.iter().map(ToString::to_string));
                words.extend(self.name_of_service(object));
            }
        });
        let fitting = words.into_iter().filter(|word| word.starts_with(prefix)).take(NAME_LIMIT);
        Candidates::beginning(prefix, fitting)
    }

    /// What a Service is called by its DNS name here; only Pods ask the cluster's DNS.
    fn name_of_service(&self, service: &Object) -> Option<String> {
        match &self.place.address {
            Address::Container { namespace, .. } if service.namespace() == namespace => {
                Some(service.name().to_string())
            }
            Address::Container { .. } => Some(format!("{}.{}", service.name(), service.namespace())),
            Address::Workstation | Address::Node(_) => None,
        }
    }

    /// Names of the objects of a kind, in all namespaces, that begin with `prefix`.
    pub fn names(&self, kind: Kind, prefix: &str) -> Candidates {
        let mut names: Vec<String> = self.host.with(|simulation| {
            let all = simulation.cluster.list(kind, None);
            all.map(|object| object.name().to_string()).filter(|name| name.starts_with(prefix)).collect()
        });
        names.sort_unstable();
        names.dedup();
        names.truncate(NAME_LIMIT);
        Candidates::beginning(prefix, names)
    }

    /// Flags of a table that begin with `prefix`; those that are not simulated are not offered.
    pub fn flags(&self, table: &[Flag], prefix: &str) -> Candidates {
        let mut found = Candidates::default();
        for flag in table.iter().filter(|flag| flag.not_simulated.is_none()) {
            if let (Some(short), false) = (flag.short, prefix.starts_with("--")) {
                found.offer(prefix, &format!("-{short}"), true);
            }
            if !flag.long.is_empty() {
                found.offer(prefix, &format!("--{}", flag.long), true);
            }
        }
        found
    }

    /// Words for the last of a command's `words` (without its name), by the command's declaration.
    pub fn arguments(&self, command: &Command, words: &[String]) -> Candidates {
        if let Some(complete) = command.complete {
            return complete(self, words);
        }
        let Some((current, before)) = words.split_last() else {
            return Candidates::default();
        };
        if let Some(flag) = before.last().and_then(|word| flag_awaiting_value(command.flags, word)) {
            return self.values(flag.value, current);
        }
        if let Some((name, value)) = current.strip_prefix("--").and_then(|rest| rest.split_once('=')) {
            let Some(flag) = command.flags.iter().find(|flag| flag.long == name) else {
                return Candidates::default();
            };
            let mut found = self.values(flag.value, value);
            for candidate in &mut found.0 {
                candidate.text = format!("--{name}={}", candidate.text);
            }
            return found;
        }
        if current.starts_with('-') {
            return self.flags(command.flags, current);
        }
        self.values(command.operands, current)
    }
}

/// The flag that `word` is, if its value is the next word.
pub fn flag_awaiting_value<'a>(table: &'a [Flag], word: &str) -> Option<&'a Flag> {
    let name = word.strip_prefix("--").or_else(|| word.strip_prefix('-'))?;
    let flag = table.iter().find(|flag| flag.is_called(name))?;
    (!matches!(flag.value, Value::None | Value::Optional(_))).then_some(flag)
}
