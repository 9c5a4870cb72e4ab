//! Commands that are part of the shell, because they change it.

use super::command::Command;
use super::executor::Boxed;
use super::invocation::Invocation;

/// The shell's own commands.
pub const COMMANDS: &[&Command] = &[];

/// Runs a builtin where no shell runs it (`xargs cd`): it changes a process that ends at once.
pub fn start_outside_shell(_command: &'static Command, _invocation: Invocation) -> Boxed<'static, i32> {
    Box::pin(async { 0 })
}
