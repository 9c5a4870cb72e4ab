//! What is in an image's PATH.
//!
//! Owns one list of command names per kind of image. Whether Portside has a command of that name is the
//! shell's business.

use super::catalogue::{Known, Userland, find};
use super::reference::Reference;

/// busybox' applets, as far as anybody uses them to look at a network.
const BUSYBOX: &[&str] = &[
    "[",
    "arp",
    "ash",
    "awk",
    "base64",
    "basename",
    "busybox",
    "cat",
    "chmod",
    "clear",
    "cp",
    "cut",
    "date",
    "dd",
    "df",
    "dirname",
    "echo",
    "egrep",
    "env",
    "expr",
    "false",
    "fgrep",
    "find",
    "free",
    "grep",
    "gunzip",
    "gzip",
    "head",
    "hostname",
    "id",
    "ifconfig",
    "ip",
    "kill",
    "less",
    "ln",
    "ls",
    "md5sum",
    "mkdir",
    "more",
    "mount",
    "mv",
    "nc",
    "netstat",
    "nslookup",
    "ping",
    "ping6",
    "printenv",
    "printf",
    "ps",
    "pwd",
    "rev",
    "rm",
    "rmdir",
    "route",
    "sed",
    "seq",
    "sh",
    "sleep",
    "sort",
    "stat",
    "tail",
    "tar",
    "tee",
    "telnet",
    "test",
    "time",
    "timeout",
    "top",
    "touch",
    "tr",
    "traceroute",
    "true",
    "uname",
    "uniq",
    "vi",
    "watch",
    "wc",
    "wget",
    "which",
    "whoami",
    "xargs",
    "yes",
];

/// coreutils and what else a slim Debian image has.
const DEBIAN: &[&str] = &[
    "[", "awk", "base64", "basename", "bash", "cat", "chmod", "clear", "cp", "cut", "date", "dd", "df",
    "dirname", "echo", "egrep", "env", "expr", "false", "fgrep", "find", "getent", "grep", "gzip", "head",
    "hostname", "id", "kill", "ln", "ls", "md5sum", "mkdir", "more", "mount", "mv", "perl", "printenv",
    "printf", "pwd", "rev", "rm", "rmdir", "sed", "seq", "sh", "sleep", "sort", "stat", "tail", "tar", "tee",
    "test", "timeout", "touch", "tr", "true", "uname", "uniq", "wc", "which", "whoami", "xargs", "yes",
];

/// What network tool images add.
const NETWORK: &[&str] = &[
    "bash",
    "curl",
    "dig",
    "host",
    "ip",
    "iptables",
    "nc",
    "nslookup",
    "ping",
    "socat",
    "ss",
    "tcpdump",
    "traceroute",
    "wget",
];

/// The shell of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// busybox ash.
    Ash,
    /// bash, with dash as `sh`.
    Bash,
    /// None.
    None,
}

/// What a person finds in a container of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The shell.
    pub shell: Shell,
    /// Names in the PATH, in order.
    pub commands: Vec<&'static str>,
    /// busybox' version (major, minor) where it is busybox: 1.28 and older print names differently.
    pub busybox: Option<(u32, u32)>,
}

/// The busybox that `latest` means.
const BUSYBOX_LATEST: (u32, u32) = (1, 37);
/// The busybox in current Alpine images.
const BUSYBOX_ALPINE: (u32, u32) = (1, 37);

/// What is inside an image. One that is not in the catalogue is taken for a Debian with curl.
#[must_use]
pub fn contents(reference: &Reference) -> Contents {
    let userland = match find(reference) {
        Known::Image(image) => image.userland,
        Known::Assumed | Known::Missing => Userland::DebianCurl,
    };
    let alpine_tag = reference.tag.contains("alpine");
    let userland = match userland {
        Userland::Debian if alpine_tag => Userland::Alpine,
        Userland::DebianCurl if alpine_tag => Userland::Curl,
        other => other,
    };
    let version = match reference.version().as_slice() {
        [major, minor, ..] => (*major, *minor),
        _ => BUSYBOX_LATEST,
    };
    let (shell, lists, busybox): (Shell, &[&[&'static str]], _) = match userland {
        Userland::Busybox => (Shell::Ash, &[BUSYBOX], Some(version)),
        Userland::Alpine => (Shell::Ash, &[BUSYBOX, &["getent"]], Some(BUSYBOX_ALPINE)),
        Userland::Curl => (Shell::Ash, &[BUSYBOX, &["curl"]], Some(BUSYBOX_ALPINE)),
        Userland::Debian => (Shell::Bash, &[DEBIAN], None),
        Userland::DebianCurl => (Shell::Bash, &[DEBIAN, &["curl"]], None),
        Userland::NetworkTools => (Shell::Bash, &[DEBIAN, NETWORK], None),
        Userland::Bare => (Shell::None, &[], None),
    };
    let mut commands: Vec<&'static str> = lists.concat();
    if reference.short_name() == "nginx" {
        commands.push("nginx");
    }
    commands.sort_unstable();
    commands.dedup();
    Contents { shell, commands, busybox }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(image: &str) -> Contents {
        contents(&Reference::parse(image).unwrap())
    }

    #[test]
    fn busybox_has_nslookup_of_its_version_and_no_curl() {
        let old = of("busybox:1.28.4");
        assert_eq!(old.busybox, Some((1, 28)));
        assert!(old.commands.contains(&"nslookup") && !old.commands.contains(&"curl"));
    }

    #[test]
    fn nginx_has_bash_and_curl_but_no_ping() {
        let nginx = of("nginx:1.25");
        assert_eq!(nginx.shell, Shell::Bash);
        assert!(nginx.commands.contains(&"curl") && !nginx.commands.contains(&"ping"));
        assert_eq!(of("nginx:alpine").shell, Shell::Ash);
    }

    #[test]
    fn bare_images_have_no_shell() {
        assert_eq!(of("traefik/whoami").shell, Shell::None);
    }
}
