//! Places: where a shell runs, and what it finds there.
//!
//! Owns the workstation, nodes and containers as a shell sees them: host name, prompt, environment, shell
//! dialect, commands in the PATH, first files. Does not own shells nor the containers' images.

use std::rc::Rc;

use super::command::Found;
use super::filesystem::{FileSystem, Files};
use super::host::Host;
use super::resolver::Configuration;
use crate::api::registry::Kind;

/// Which place: the key of its file system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    /// The machine outside the cluster from which a person works.
    Workstation,
    /// A node, by name.
    Node(String),
    /// A container of a Pod; `uid` is the Pod's, so that a successor of the same name starts afresh.
    Container {
        /// Namespace of the Pod.
        namespace: String,
        /// Name of the Pod.
        pod: String,
        /// Uid of the Pod.
        uid: String,
        /// Name of the container.
        container: String,
    },
}

/// Which shell reads the lines: they differ in words and in a few features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// bash: workstation, nodes, Debian images that have it.
    Bash,
    /// busybox ash: busybox and Alpine images.
    Ash,
    /// dash: `sh` of Debian images.
    Dash,
}

/// A place.
#[derive(Clone, Debug)]
pub struct Place {
    /// Which place it is.
    pub address: Address,
    /// What `hostname` prints.
    pub hostname: String,
    /// The dialect of `sh`.
    pub dialect: Dialect,
    /// Home directory of root, `~`.
    pub home: String,
    /// Directory in which a new command starts.
    pub start: String,
    /// Variables of a new command, in order of name.
    pub environment: Vec<(String, String)>,
    /// Names in the PATH of a container; `None` on hosts, where a command's declaration says where it is.
    pub commands: Option<Rc<[String]>>,
    /// busybox' version (major, minor) where its applets are the commands: they print other words.
    pub busybox: Option<(u32, u32)>,
    /// Files that are there at first: absolute path and text.
    pub first_files: Vec<(String, String)>,
}

/// PATH of the workstation and of nodes.
const HOST_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Directories that every place has.
const DIRECTORIES: &[&str] = &["/bin", "/dev", "/etc", "/root", "/tmp", "/usr", "/var"];
/// Where a node says that it passes on packets of others, as every node of Kubernetes must.
const FORWARDING: &str = "/proc/sys/net/ipv4/ip_forward";
/// Host name of the workstation (design: the world that a new session finds).
const WORKSTATION: &str = "ci-base";

/// Whether a path leads into a directory of programs.
pub fn is_program_path(path: &str) -> bool {
    HOST_PATH.split(':').any(|directory| super::filesystem::parent(path) == directory)
}

impl Place {
    /// The workstation.
    pub fn workstation() -> Self {
        Self::machine(Address::Workstation, WORKSTATION)
    }

    /// A node.
    pub fn node(name: &str) -> Self {
        Self::machine(Address::Node(name.to_owned()), name)
    }

    /// A container. `commands` are the names in its PATH, `environment` its variables.
    pub fn container(
        address: Address,
        hostname: &str,
        dialect: Dialect,
        commands: Rc<[String]>,
        environment: Vec<(String, String)>,
    ) -> Self {
        Self {
            address,
            hostname: hostname.to_owned(),
            dialect,
            home: "/root".to_owned(),
            start: "/".to_owned(),
            environment,
            commands: Some(commands),
            busybox: None,
            first_files: Vec::new(),
        }
    }

    fn machine(address: Address, hostname: &str) -> Self {
        let mut environment: Vec<(String, String)> = Vec::new();
        for (name, value) in [
            ("HOME", "/root"),
            ("HOSTNAME", hostname),
            ("LANG", "C.UTF-8"),
            ("LOGNAME", "root"),
            ("PATH", HOST_PATH),
            ("PWD", "/root"),
            ("SHELL", "/bin/bash"),
            ("TERM", "xterm-256color"),
            ("USER", "root"),
        ] {
            environment.push((name.to_owned(), value.to_owned()));
        }
        Self {
            address,
            hostname: hostname.to_owned(),
            dialect: Dialect::Bash,
            home: "/root".to_owned(),
            start: "/root".to_owned(),
            environment,
            commands: None,
            busybox: None,
            first_files: Vec::new(),
        }
    }

    /// The prompt of an interactive shell in `directory`.
    pub fn prompt(&self, dialect: Dialect, directory: &str) -> String {
        let home = directory == self.home;
        let tilde = match directory.strip_prefix(&self.home) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("~{rest}"),
            _ => directory.to_owned(),
        };
        match (&self.address, dialect) {
            (Address::Container { .. }, Dialect::Bash) => {
                format!("root@{}:{tilde}# ", self.hostname)
            }
            (_, Dialect::Bash) => {
                let last = if home { "~" } else { super::filesystem::file_name(directory) };
                let last = if last.is_empty() { "/" } else { last };
                format!("[root@{} {last}]# ", self.hostname)
            }
            (_, Dialect::Ash) => format!("{tilde} # "),
            (_, Dialect::Dash) => "# ".to_owned(),
        }
    }

    /// Whether a command that hosts have as `found` is in this place's PATH.
    pub fn has_command(&self, name: &str, found: Found) -> bool {
        match (&self.commands, found) {
            (_, Found::Everywhere) => true,
            (Some(commands), _) => commands.iter().any(|held| held == name),
            (None, Found::OnHosts) => true,
            (None, Found::OnWorkstation) => self.address == Address::Workstation,
            (None, Found::OnNodes) => matches!(self.address, Address::Node(_)),
        }
    }

    /// The file system of the place.
    pub fn files(&self, host: &Host) -> Files {
        host.files(&self.address, || self.new_files(host))
    }

    fn new_files(&self, host: &Host) -> FileSystem {
        let mut files = FileSystem::default();
        let mut entries = vec![("/etc/hostname".to_owned(), format!("{}\n", self.hostname))];
        if !matches!(self.address, Address::Container { .. }) {
            entries.push(("/etc/hosts".to_owned(), hosts(host)));
            let settings = host.with(|simulation| simulation.cluster.settings().clone());
            entries.push(("/etc/resolv.conf".to_owned(), Configuration::of_host(&settings).text()));
        }
        if matches!(self.address, Address::Node(_)) {
            entries.push((FORWARDING.to_owned(), "1\n".to_owned()));
        }
        for directory in DIRECTORIES {
            files.make_directory(directory, true).expect("fixed paths are directories");
        }
        for (path, text) in entries.iter().chain(&self.first_files) {
            let made = files.make_directory(super::filesystem::parent(path), true);
            // A first file that does not fit the limits is simply not there.
            if made.is_ok() {
                let _ = files.write(path, text);
            }
        }
        files
    }
}

/// `/etc/hosts` of a machine: itself and the nodes, as they are when somebody first looks.
fn hosts(host: &Host) -> String {
    let mut text = "127.0.0.1   localhost\n::1         localhost\n".to_owned();
    host.with(|simulation| {
        for object in simulation.cluster.list(Kind::Node, None) {
            let addresses = object.as_node().map(|node| node.addresses.as_slice()).unwrap_or_default();
            for address in addresses {
                text.push_str(&format!("{address} {}\n", object.name()));
            }
        }
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(dialect: Dialect) -> Place {
        let address = Address::Container {
            namespace: "default".into(),
            pod: "web".into(),
            uid: "1".into(),
            container: "c".into(),
        };
        Place::container(address, "web-1", dialect, Rc::from([]), Vec::new())
    }

    #[test]
    fn prompts_are_those_of_the_real_places() {
        let check = |place: &Place, directory: &str, expected: &str| {
            assert_eq!(place.prompt(place.dialect, directory), expected, "{directory}");
        };
        check(&Place::workstation(), "/root", "[root@ci-base ~]# ");
        check(&Place::workstation(), "/", "[root@ci-base /]# ");
        check(&Place::workstation(), "/root/deep", "[root@ci-base deep]# ");
        check(&Place::node("k8s-w1"), "/root", "[root@k8s-w1 ~]# ");
        check(&container(Dialect::Ash), "/", "/ # ");
        check(&container(Dialect::Ash), "/root", "~ # ");
        check(&container(Dialect::Bash), "/", "root@web-1:/# ");
        check(&container(Dialect::Dash), "/etc", "# ");
    }
}
