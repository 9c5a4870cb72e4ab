//! The commands, one file each. How to add one: the header of [`super`].

mod curl;
mod nc;
mod nslookup;
mod ping;
mod sleep;
mod url;
mod wget;

use super::command::Command;
use super::kubectl;

/// Every command that is not part of the shell itself.
pub static COMMANDS: &[&Command] = &[
    &curl::COMMAND,
    &kubectl::COMMAND,
    &nc::COMMAND,
    &nslookup::COMMAND,
    &ping::COMMAND,
    &sleep::COMMAND,
    &wget::COMMAND,
];
