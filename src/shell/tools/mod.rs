//! The commands, one file each. How to add one: the header of [`super`].

mod sleep;

use super::kubectl;

use super::command::Command;

/// Every command that is not part of the shell itself.
pub static COMMANDS: &[&Command] = &[&kubectl::COMMAND, &sleep::COMMAND];
