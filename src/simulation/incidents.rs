//! What went wrong of late: the memory behind `why` without arguments.
//!
//! Owns a short list of incidents (connections, names that did not resolve, refusals of the API server) and
//! which command line each belongs to. Whoever runs a person's command line brackets it with
//! [`Incidents::begin`] and [`Incidents::end`]; whoever sees something happen calls
//! [`Simulation::note`](super::Simulation::note), which leaves out what programs of containers do by themselves.
//! It explains nothing: that is [`crate::explain`]'s.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::api::object::Key;
use crate::api::status::Status;
use crate::api::value::Value;
use crate::network::{Origin, Place, Trace};

/// How many incidents are remembered: more than one command line causes that a person still looks at.
const INCIDENT_LIMIT: usize = 256;
/// How many finished command lines are remembered.
const COMMAND_LIMIT: usize = 16;

/// Something that happened on behalf of a command.
#[derive(Clone, Debug)]
pub enum Incident {
    /// A connection (or ping) and how it ended, well or not.
    Connection {
        /// Who opened it.
        from: Origin,
        /// Its way.
        trace: Arc<Trace>,
    },
    /// Another request over a connection that was open already.
    Reused {
        /// Where the connection was opened to.
        to: SocketAddr,
        /// Who answers it.
        server: Place,
    },
    /// A name that could not be turned into an address.
    Name {
        /// Who asked.
        from: Origin,
        /// The name as typed.
        name: String,
    },
    /// A request that the API server refused.
    Refusal {
        /// The object that was meant; its name may be empty.
        key: Key,
        /// What the API server said.
        status: Status,
        /// The document that was sent, if one was.
        document: Option<Value>,
    },
}

/// A command line of a person that has ended.
#[derive(Clone, Debug)]
pub struct Command {
    /// The line as typed.
    pub line: String,
    /// Its exit status.
    pub status: i32,
    /// Where it was typed.
    pub from: Origin,
    /// What happened while it ran, oldest first.
    pub incidents: Vec<Incident>,
}

/// Names a command line that runs, from [`Incidents::begin`] to [`Incidents::end`].
#[derive(Debug)]
pub struct Running {
    line: String,
    from: Origin,
    since: u64,
}

/// The memory.
#[derive(Debug, Default)]
pub struct Incidents {
    recent: VecDeque<(u64, Incident)>,
    next: u64,
    /// What was next when the last command line ended.
    last_end: u64,
    ended: VecDeque<Command>,
}

impl Incidents {
    /// A person's command line begins.
    #[must_use]
    pub fn begin(&self, line: impl Into<String>, from: Origin) -> Running {
        Running { line: line.into(), from, since: self.next }
    }

    /// A person's command line has ended. Lines that ask `why` are not remembered: they ask about another.
    pub fn end(&mut self, running: Running, status: i32) {
        if running.line.split_whitespace().next().is_none_or(|word| word == "why") {
            return;
        }
        let incidents = self.since(running.since);
        self.last_end = self.next;
        self.ended.push_back(Command { line: running.line, status, from: running.from, incidents });
        if self.ended.len() > COMMAND_LIMIT {
            self.ended.pop_front();
        }
    }

    /// Remembers something that happened.
    pub fn record(&mut self, incident: Incident) {
        self.recent.push_back((self.next, incident));
        self.next += 1;
        if self.recent.len() > INCIDENT_LIMIT {
            self.recent.pop_front();
        }
    }

    /// Forgets refusals about an object that a later request of the same kind of work overcame: `apply` asks
    /// whether an object exists before it creates it.
    pub fn overcome(&mut self, key: &Key) {
        self.recent
            .retain(|(_, incident)| !matches!(incident, Incident::Refusal { key: held, .. } if held == key));
    }

    /// The command lines that have ended, newest first.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        self.ended.iter().rev()
    }

    /// What happened to somebody since the last command line ended, for lines that have not ended themselves
    /// (`curl web; why`).
    #[must_use]
    pub fn unfinished(&self, from: &Origin) -> Option<Command> {
        let incidents = self.since(self.last_end);
        let refused = matches!(incidents.last()?, Incident::Refusal { .. });
        Some(Command { line: String::new(), status: i32::from(refused), from: from.clone(), incidents })
    }

    fn since(&self, first: u64) -> Vec<Incident> {
        self.recent.iter().filter(|(at, _)| *at >= first).map(|(_, incident)| incident.clone()).collect()
    }

    /// What happened of late, oldest first.
    pub fn recent(&self) -> impl Iterator<Item = &Incident> {
        self.recent.iter().map(|(_, incident)| incident)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::registry::Kind;

    fn refusal(name: &str) -> Incident {
        let key = Key::new(Kind::Service, "default", name);
        let status = Status::not_found(Kind::Service, name);
        Incident::Refusal { key, status, document: None }
    }

    #[test]
    fn a_command_keeps_what_happened_while_it_ran_and_nothing_else() {
        let mut incidents = Incidents::default();
        incidents.record(refusal("before"));
        let running = incidents.begin("kubectl get svc during", Origin::Outside);
        incidents.record(refusal("during"));
        incidents.end(running, 1);
        incidents.record(refusal("after"));
        let asking = incidents.begin("why", Origin::Outside);
        incidents.end(asking, 0);
        let command = incidents.commands().next().expect("one command was remembered");
        assert_eq!((command.line.as_str(), command.status), ("kubectl get svc during", 1));
        assert!(
            matches!(&command.incidents[..], [Incident::Refusal { key, .. }] if key.name == "during"),
            "{:?}",
            command.incidents
        );
    }

    #[test]
    fn a_refusal_that_was_overcome_is_forgotten() {
        let mut incidents = Incidents::default();
        let running = incidents.begin("kubectl apply -f web.yaml", Origin::Outside);
        incidents.record(refusal("web"));
        incidents.overcome(&Key::new(Kind::Service, "default", "web"));
        incidents.end(running, 0);
        assert!(incidents.commands().all(|command| command.incidents.is_empty()));
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut incidents = Incidents::default();
        for _ in 0..2 * INCIDENT_LIMIT {
            incidents.record(refusal("web"));
        }
        assert_eq!(incidents.recent().count(), INCIDENT_LIMIT);
    }
}
