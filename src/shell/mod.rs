//! The terminal: its language, its places, and the commands.
//!
//! - [`terminal`]: one terminal tab: lines in, output out, Ctrl-C, history, completion. Start here from the page.
//! - [`language`]: the text of a script and its tree; [`interpreter`]: what it does.
//! - [`command`]: the declaration of a command; [`flags`]: reading its arguments; [`invocation`]: what it has
//!   while it runs; [`io`]: its streams.
//! - [`host`]: the world as commands reach it; [`executor`]: tasks on virtual time.
//! - [`places`]: workstation, nodes, containers; [`filesystem`]: their files.
//! - [`tools`]: the commands, one file each; `kubectl`: one file per verb.
//!
//! The shell knows nothing of the browser.
//!
//! # How to add a command
//!
//! 1. Make `tools/NAME.rs` with `pub static COMMAND: Command = Command { name, usage, summary, flags, operands,
//!    complete: None, found, run }`. `flags` is a table of [`command::switch`], [`command::option`] and, for flags
//!    that the real command has and Portside has not, [`command::not_simulated`]: parsing, `--help`, Tab and the
//!    "not simulated" answer all come from it.
//! 2. Add `mod NAME;` and `&NAME::COMMAND` to `tools/mod.rs`.
//! 3. Write the running. One that never waits: `run: Run::Now(run)` with
//!    `fn run(invocation: &Invocation) -> i32` (the exit status). One that reads standard input, sleeps or waits
//!    for the world: `run: Run::Waits(|invocation| Box::pin(run(invocation)))` with
//!    `async fn run(invocation: Invocation) -> i32`.
//!
//! ```text
//! async fn run(invocation: Invocation) -> i32 {
//!     let parsed = match invocation.parse(&COMMAND, Style::Gnu) {   // --help and flag errors are done
//!         Ok(parsed) => parsed,
//!         Err(status) => return status,
//!     };
//!     // kubectl words its own errors: flags::parse(TABLE, Style::Pflag, &invocation.arguments).
//!     let answer = invocation.host.with(|simulation| …);            // brief; never across an await
//!     invocation.say("one line");                                   // stdout; .stderr().line(…), .stdout().write(…)
//!     invocation.sleep(Duration::from_secs(1)).await;               // virtual time
//!     invocation.host.changed().await;                              // the next write to the journal
//!     let ready = invocation.host.until(|simulation| Some(…)).await; // look now and after each change
//!     while let Some(line) = invocation.streams.stdin.line().await {} // a line with its newline
//!     let text = invocation.read_file("svc.yaml");                  // relative to the working directory
//!     0
//! }
//! ```
//!
//! - Several waits at once: [`executor::first`] (the loser is dropped), [`executor::all`].
//! - Ctrl-C drops the future. To do something on Ctrl-C instead (ping's statistics):
//!   `let caught = tty.catch_interrupt(); first(work, caught.next()).await`.
//! - A writer of endless output awaits [`io::Output::ready`] now and then.
//! - `invocation.stdout().is_terminal()` is isatty; `io::Streams::without_tty` is for `kubectl exec` without `-t`.
//! - A command in another place (exec, ssh): `let inside = invocation.in_place(&place);` then
//!   `inside.run(&["sh".to_owned()])`, which answers `Err(name)` if that place has no such command. `sh` with a
//!   terminal as input and no arguments is an interactive shell with that place's prompt.
//! - Tests: `testing::check(script, expected output, status)`.

pub mod builtins;
pub mod client;
pub mod command;
pub mod completion;
pub mod containers;
pub mod destination_order;
pub mod duration;
pub mod edits;
pub mod escapes;
pub mod executor;
pub mod filesystem;
pub mod flags;
pub mod forwards;
pub mod history;
pub mod host;
pub mod interactive;
pub mod interpreter;
pub mod invocation;
pub mod io;
pub mod kubectl;
pub mod language;
pub mod load;
pub mod places;
mod probes;
mod programs;
pub mod resolver;
pub mod terminal;
#[cfg(test)]
pub mod testing;
pub mod tools;
pub mod tty;
