//! Service features, each seen as a person sees it: by what commands print.

mod cloud;
mod conntrack;
mod distribution;
mod dual_stack;
mod external_ips;
mod host_ports;

use portside::session::replay::{File, replay};

/// Replays a session and gives what its commands printed.
fn printed(session: &str, manifest: &str) -> String {
    replay(session, &[File::from(("svc.yaml".to_owned(), manifest.to_owned()))])
}

/// What the command that contains `part` printed, in a replayed session.
fn answer(printed: &str, part: &str) -> String {
    let mut lines = printed.lines().skip_while(|line| !(line.starts_with("$ ") && line.contains(part)));
    assert!(lines.next().is_some(), "no command with {part:?} in\n{printed}");
    let own: Vec<&str> =
        lines.take_while(|line| !line.starts_with("$ ") && !line.starts_with("# ")).collect();
    own.join("\n")
}

/// Checks what commands print: pairs of a part of the command line and what it printed.
fn check(session: &str, manifest: &str, expected: &[(&str, &str)]) {
    let printed = printed(session, manifest);
    for (command, text) in expected {
        assert_eq!(answer(&printed, command), *text, "{command}\n{printed}");
    }
}
