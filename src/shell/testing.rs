//! For the tests of commands: a script in a new world, its output and status.

use std::rc::Rc;
use std::time::Duration;

use super::host::Host;
use super::interpreter::Shell;
use super::invocation::Invocation;
use super::io::{Input, Output, Streams};
use super::places::{Dialect, Place};
use super::terminal::Terminal;
use crate::cluster::Settings;
use crate::simulation::Simulation;

/// A script may take so much virtual time.
const LIMIT_MICROS: u64 = 600_000_000;

/// A host of an empty world.
pub fn host() -> Host {
    Host::new(Simulation::bare(Settings::default()))
}

/// A container of an image that has `commands`.
pub fn container(dialect: Dialect, commands: &[&str]) -> Place {
    let address = super::places::Address::Container {
        namespace: "default".to_owned(),
        pod: "web".to_owned(),
        uid: "1".to_owned(),
        container: "c".to_owned(),
    };
    let commands = commands.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    Place::container(address, "web", dialect, Rc::from(commands), Vec::new())
}

/// Runs `script` as `bash -c` would on `host`, in `place`; its output and errors together, and its status.
pub fn run_on(host: &Host, place: Place, script: &str) -> (String, i32) {
    let output = Output::buffer();
    let place = Rc::new(place);
    let invocation = Invocation {
        name: "bash".to_owned(),
        arguments: Vec::new(),
        environment: Rc::new(place.environment.clone()),
        directory: place.start.clone(),
        streams: Streams { stdin: Input::null(), stdout: output.clone(), stderr: output.clone() },
        tty: None,
        host: host.clone(),
        place,
    };
    let dialect = invocation.place.dialect;
    let name = if dialect == Dialect::Bash { "bash" } else { "sh" };
    let mut shell = Shell::new(&invocation, dialect, name);
    let status = Rc::new(std::cell::Cell::new(None));
    let (inside, text) = (Rc::clone(&status), script.to_owned());
    host.spawn(Box::pin(async move {
        shell.run_text(&text, &invocation.streams).await;
        inside.set(Some(shell.status));
    }));
    host.run_while(host.now() + LIMIT_MICROS, 1_000_000, || status.get().is_none());
    (output.take_buffer(), status.get().unwrap_or_else(|| panic!("{script:?} does not end")))
}

/// Runs `script` on the workstation of an empty world.
pub fn run(script: &str) -> (String, i32) {
    run_on(&host(), Place::workstation(), script)
}

/// Asserts what `script` prints (without the last newline) and its status.
#[track_caller]
pub fn check(script: &str, expected: &str, status: i32) {
    let (output, seen) = run(script);
    assert_eq!((output.trim_end_matches('\n'), seen), (expected, status), "{script}");
}

/// A host of the world that a new session finds.
pub fn world() -> Host {
    Host::new(Simulation::new(Settings::default()))
}

/// As [`check`], in the world that a new session finds.
#[track_caller]
pub fn check_in_world(script: &str, expected: &str, status: i32) {
    let (output, seen) = run_on(&world(), Place::workstation(), script);
    assert_eq!((output.trim_end_matches('\n'), seen), (expected, status), "{script}");
}

/// Types `lines` in a terminal and answers all that it showed.
pub fn typed(terminal: &Terminal, lines: &[&str]) -> String {
    let mut shown = String::new();
    for line in lines {
        let (chunks, _) = terminal.run(line, Duration::from_secs(60));
        shown.extend(chunks.iter().map(|chunk| chunk.text.as_str()));
    }
    shown
}
