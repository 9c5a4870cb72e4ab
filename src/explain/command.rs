//! Command lines that failed without anything in the cluster being to blame.
//!
//! Owns [`CommandCause`]: what is left to say when no connection, name or refusal explains an exit status.

use crate::api::object::Key;
use crate::api::value::SmolStr;

/// What can be the matter with a command line.
#[derive(Clone, Debug, PartialEq)]
pub enum CommandCause {
    /// There is no such program where it was typed.
    NoSuchProgram {
        /// The program.
        program: SmolStr,
        /// The image whose container it was typed in, if it was one.
        image: Option<SmolStr>,
        /// Programs of that place that do similar things.
        instead: Vec<&'static str>,
    },
    /// It used a Service's variable `NAME_PORT`, which is no port number.
    LinkPort {
        /// The variable.
        variable: String,
        /// The Service that makes it.
        service: Key,
    },
    /// It ended with a status, and that is all that is known.
    Ended {
        /// The line.
        line: String,
        /// Its exit status.
        status: i32,
    },
    /// No command line has failed.
    NothingFailed,
    /// An object that is asked about does not exist.
    NoSuchObject {
        /// What was asked for.
        asked: String,
        /// Existing objects whose names look alike, as commands name them.
        nearest: Vec<String>,
    },
}
