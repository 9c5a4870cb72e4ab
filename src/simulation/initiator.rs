//! On whose behalf things happen.
//!
//! Packets and refusals look alike whether a person typed a command or a container's program goes its own
//! way; the page follows the first and lets the second fly by, and `why` asks for the first alone.

/// On whose behalf something is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Initiator {
    /// Somebody types commands, or works the page.
    #[default]
    Person,
    /// A container runs a program, or its kubelet a probe.
    Program,
}
