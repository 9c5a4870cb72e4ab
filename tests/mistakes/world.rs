//! A world in which a person applies manifests, types commands and asks why.

use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use portside::api::object::Key;
use portside::api::registry::Kind;
use portside::cluster::Settings;
use portside::containers::{Reference, commands as contents_of};
use portside::explain::{self, Cause, Finding, Fix, Severity};
use portside::shell::host::Host;
use portside::shell::places::{Address, Dialect, Place};
use portside::shell::terminal::Terminal;
use portside::simulation::Simulation;

/// How long a command may take, in virtual time.
const PATIENCE: Duration = Duration::from_secs(300);

/// A world with a terminal on its workstation.
pub struct World {
    pub host: Host,
    terminal: Terminal,
}

impl World {
    pub fn new() -> Self {
        let host = Host::new(Simulation::new(Settings::default()));
        let terminal = Terminal::new(&host, Place::workstation());
        Self { host, terminal }
    }

    /// A world to which a manifest was applied, after it came to rest.
    pub fn with(manifest: &str) -> Self {
        let world = Self::new();
        world.apply("m.yaml", manifest);
        world
    }

    pub fn apply(&self, file: &str, manifest: &str) {
        let written = self.write(file, manifest);
        assert!(written, "the workstation takes the file");
        let shown = self.run(&format!("kubectl apply -f {file}"));
        assert!(!shown.contains("error") && !shown.contains("invalid"), "{shown}");
        self.run("sleep 20");
    }

    pub fn write(&self, file: &str, text: &str) -> bool {
        let place = Place::workstation();
        let files = place.files(&self.host);
        files.borrow_mut().write(&format!("/root/{file}"), text).is_ok()
    }

    /// What a command line shows.
    pub fn run(&self, line: &str) -> String {
        let (chunks, _) = self.terminal.run(line, PATIENCE);
        chunks.iter().map(|chunk| chunk.text.as_str()).collect()
    }

    /// What a command line shows that is typed in a Pod of namespace `default`.
    pub fn run_in(&self, pod: &str, line: &str) -> String {
        let (uid, container) = self.host.with(|simulation| {
            let object = simulation.cluster.find(Kind::Pod, "default", pod).expect("the Pod exists");
            let container = object.as_pod().expect("it is a Pod").spec.containers[0].clone();
            (object.meta.uid.to_string(), container)
        });
        let contents =
            contents_of::contents(&Reference::parse(&container.image).expect("the image is valid"));
        let held: Vec<String> = contents.commands.iter().map(|name| (*name).to_owned()).collect();
        let address = Address::Container {
            namespace: "default".to_owned(),
            pod: pod.to_owned(),
            uid,
            container: container.name.to_string(),
        };
        let mut place = Place::container(address, pod, Dialect::Ash, Rc::from(held), Vec::new());
        place.busybox = contents.busybox;
        let terminal = Terminal::new(&self.host, place);
        let (chunks, _) = terminal.run(line, PATIENCE);
        chunks.iter().map(|chunk| chunk.text.as_str()).collect()
    }

    pub fn findings(&self, asked: &str) -> Vec<Finding> {
        self.host.with(|simulation| {
            let keys = explain::meant(&simulation.cluster, asked, "default");
            explain::object(&simulation.cluster, keys.first().expect("the object exists"))
        })
    }

    /// What `why` alone finds.
    pub fn failure(&self) -> Vec<Finding> {
        self.host
            .with(|simulation| explain::last_failure(&simulation.cluster, simulation.incidents.commands()))
    }

    pub fn cluster_ip(&self, name: &str) -> IpAddr {
        self.host.with(|simulation| {
            let object = simulation.cluster.find(Kind::Service, "default", name).expect("the Service exists");
            object.as_service().and_then(|service| service.cluster_ip()).expect("it has an address")
        })
    }

    pub fn pod_of(&self, prefix: &str) -> Key {
        self.host.with(|simulation| {
            let mut pods = simulation.cluster.list(Kind::Pod, Some("default"));
            pods.find(|pod| pod.name().starts_with(prefix)).expect("such a Pod exists").key.clone()
        })
    }

    /// Runs the first command that a finding names, and says whether the object is well afterwards.
    #[track_caller]
    pub fn fix_and_check(&self, finding: &Finding, asked: &str) {
        let command = finding.fixes.iter().find_map(|fix| match fix {
            Fix::Command(command) => Some(command.clone()),
            Fix::Edit { .. } => None,
        });
        let command = command.expect("the finding names a command");
        let shown = self.run(&command);
        self.run("sleep 20");
        let after = self.findings(asked);
        assert!(
            after.iter().all(|finding| finding.severity != Severity::Problem),
            "{command} does not help:\n{shown}\n{after:?}"
        );
    }
}

pub fn first(findings: &[Finding]) -> (&Cause, &Finding) {
    let finding = findings.first().expect("something is found");
    (&finding.cause, finding)
}

pub fn commands(finding: &Finding) -> Vec<&str> {
    finding
        .fixes
        .iter()
        .filter_map(|fix| match fix {
            Fix::Command(command) => Some(command.as_str()),
            Fix::Edit { .. } => None,
        })
        .collect()
}

pub fn edits(finding: &Finding) -> Vec<(&str, &str)> {
    finding
        .fixes
        .iter()
        .filter_map(|fix| match fix {
            Fix::Edit { field, value, .. } => Some((field.as_str(), value.as_str())),
            Fix::Command(_) => None,
        })
        .collect()
}

/// A Deployment with one container.
pub fn deployment(name: &str, labels: &str, container: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  replicas: 2\n  selector: {{matchLabels: {labels}}}\n  template:\n    metadata: {{labels: {labels}}}\n    spec:\n      containers:\n      - {container}\n---\n"
    )
}

/// A Service; `spec` in flow style.
pub fn service(name: &str, spec: &str) -> String {
    format!("apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {spec}\n---\n")
}

pub const NGINX: &str = "{name: nginx, image: nginx, ports: [{containerPort: 80}]}";

pub fn web(spec: &str) -> World {
    World::with(&(deployment("web", "{app: web}", NGINX) + &service("web", spec)))
}
