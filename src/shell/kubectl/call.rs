//! One call of kubectl: the verb with its arguments read, and the way to the API server.
//!
//! Owns [`Call`]: flags and operands, the namespace in force, warnings (each once), dry runs. A verb asks
//! the server through [`Call::ask`] and its short forms and prints through [`Call::say`].

use std::cell::RefCell;
use std::sync::Arc;

use super::failure::Failure;
use super::verb::Verb;
use crate::api::object::{Key, Object};
use crate::api::registry::Kind;
use crate::api::status::{Reason, Status};
use crate::api::table::Table;
use crate::api::value::{SmolStr, Value};
use crate::cluster::request::{FieldValidation, Options};
use crate::cluster::{Actor, Body, Patch, Request, Verb as Ask};
use crate::shell::flags::{Parsed, boolean};
use crate::shell::host::Host;
use crate::shell::invocation::Invocation;

/// Whether a change is really made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DryRun {
    /// It is.
    No,
    /// Nothing is sent.
    Client,
    /// It is sent, and the server does everything but store it.
    Server,
}

impl DryRun {
    /// What is printed behind the word for what was done.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::No => "",
            Self::Client => " (dry run)",
            Self::Server => " (server dry run)",
        }
    }
}

/// A running verb.
pub struct Call {
    /// Streams, place and world.
    pub invocation: Invocation,
    /// The declaration of the verb.
    pub verb: &'static Verb,
    /// The verb as help names it: `kubectl create deployment`.
    pub path: String,
    /// Flags and operands.
    pub flags: Parsed,
    /// The namespace in force.
    pub namespace: String,
    warned: RefCell<Vec<String>>,
}

impl Call {
    /// A call whose arguments are read.
    pub fn new(
        invocation: Invocation,
        verb: &'static Verb,
        path: String,
        flags: Parsed,
        namespace: String,
    ) -> Self {
        Self { invocation, verb, path, flags, namespace, warned: RefCell::default() }
    }

    /// What is not a flag.
    pub fn operands(&self) -> &[String] {
        &self.flags.operands
    }

    /// Whether a switch was given.
    pub fn has(&self, flag: &str) -> bool {
        self.flags.has(flag)
    }

    /// The value of a flag, `""` if it was not given.
    pub fn text(&self, flag: &str) -> &str {
        self.flags.value(flag).unwrap_or("")
    }

    /// The value of a numeric flag; flags were checked when they were read.
    pub fn number(&self, flag: &str) -> Option<i64> {
        self.flags.value(flag).and_then(|text| text.parse().ok())
    }

    /// Whether `--namespace` was given.
    pub fn namespace_given(&self) -> bool {
        self.flags.value("namespace").is_some_and(|name| !name.is_empty())
    }

    /// Whether a flag of this name is declared for the verb.
    pub fn declares(&self, flag: &str) -> bool {
        self.verb.flags.iter().any(|declared| declared.is_called(flag))
    }

    /// Whether the verb is to work on its files alone, without the server.
    pub fn is_local(&self) -> bool {
        self.declares("local") && self.has("local")
    }

    /// The world.
    pub fn host(&self) -> &Host {
        &self.invocation.host
    }

    /// A line of output.
    pub fn say(&self, line: &str) {
        self.invocation.say(line);
    }

    /// Text of output, as it is.
    pub fn write(&self, text: &str) {
        self.invocation.stdout().write(text);
    }

    /// A line of standard error.
    pub fn complain(&self, line: &str) {
        self.invocation.stderr().line(line);
    }

    /// A warning, once per call.
    pub fn warn(&self, warning: &str) {
        let mut warned = self.warned.borrow_mut();
        if !warned.iter().any(|one| one == warning) {
            warned.push(warning.to_owned());
            self.complain(&format!("Warning: {warning}"));
        }
    }

    /// An error in how the verb was called.
    pub fn usage_error(&self, text: &str) -> Failure {
        Failure::usage(&self.path, text)
    }

    /// What `--dry-run` asks for.
    ///
    /// # Errors
    /// A value that is none of the three.
    pub fn dry_run(&self) -> Result<DryRun, Failure> {
        if !self.declares("dry-run") {
            return Ok(DryRun::No);
        }
        match (self.text("dry-run"), boolean(self.text("dry-run"))) {
            ("" | "none", _) => Ok(DryRun::No),
            ("client", _) => Ok(DryRun::Client),
            ("server", _) => Ok(DryRun::Server),
            // The flag alone, or as a boolean, is from before there were two kinds.
            ("unchanged", _) => {
                self.log_once("--dry-run is deprecated and can be replaced with --dry-run=client.");
                Ok(DryRun::Client)
            }
            (given, Some(on)) => {
                let way = if on { "client" } else { "none" };
                self.log_once(&format!(
                    "--dry-run={given} is deprecated (boolean value) and can be replaced with --dry-run={way}."
                ));
                Ok(if on { DryRun::Client } else { DryRun::No })
            }
            (other, None) => Err(Failure::plain(format!(
                "Invalid dry-run value ({other}). Must be \"none\", \"server\", or \"client\"."
            ))),
        }
    }

    /// A warning of kubectl's own log, once per call.
    fn log_once(&self, text: &str) {
        let mut warned = self.warned.borrow_mut();
        if !warned.iter().any(|one| one == text) {
            warned.push(text.to_owned());
            self.complain(&super::warning_line(&self.invocation, "helpers.go:731", text));
        }
    }

    /// What `--validate` asks for.
    ///
    /// # Errors
    /// A value that means nothing.
    pub fn field_validation(&self) -> Result<FieldValidation, Failure> {
        if !self.declares("validate") {
            // Verbs without the flag leave it to the server, which warns.
            return Ok(FieldValidation::Warn);
        }
        match (self.text("validate"), boolean(self.text("validate"))) {
            ("" | "strict", _) | (_, Some(true)) => Ok(FieldValidation::Strict),
            ("warn", _) => Ok(FieldValidation::Warn),
            ("ignore", _) | (_, Some(false)) => Ok(FieldValidation::Ignore),
            (other, None) => Err(Failure::plain(format!(
                "invalid - validate option {other:?}; must be one of: strict (or true), warn, ignore (or false)"
            ))),
        }
    }

    /// The options of a change.
    pub fn options(&self, dry_run: DryRun) -> Options {
        // A value that means nothing was refused when the verb began.
        let field_validation = self.field_validation().unwrap_or(FieldValidation::Strict);
        Options {
            dry_run: dry_run == DryRun::Server,
            field_validation,
            field_manager: self.field_manager(),
            ..Options::default()
        }
    }

    /// Who is said to own the fields that this call writes: what `--field-manager` says, or kubectl's name for
    /// the verb. Verbs without the flag write under the name of the program.
    fn field_manager(&self) -> SmolStr {
        if !self.declares("field-manager") {
            return SmolStr::default();
        }
        match (self.text("field-manager"), self.path.split(' ').nth(1).unwrap_or("")) {
            ("", "apply") => SmolStr::new_static("kubectl-client-side-apply"),
            ("", verb) => SmolStr::new(format!("kubectl-{verb}")),
            (given, _) => SmolStr::new(given),
        }
    }

    /// A document as the server answers it: with its managed fields.
    pub fn with_managed_fields(&self, object: &Object) -> Value {
        let managed = self.host().with(|simulation| simulation.cluster.managed_fields(object));
        let mut value = object.value.clone();
        if !managed.is_empty() {
            value.field_mut("metadata").set("managedFields", managed);
        }
        value
    }

    /// Asks the server; its warnings are printed at once.
    ///
    /// # Errors
    /// What the server refuses.
    pub fn ask(&self, request: Request) -> Result<Body, Status> {
        let reply = self.host().with(|simulation| simulation.request(request));
        for warning in &reply.warnings {
            self.warn(warning);
        }
        reply.result
    }

    fn ask_object(&self, request: Request) -> Result<Arc<Object>, Status> {
        let body = self.ask(request)?;
        Ok(body.object().expect("a request about one object is answered with one"))
    }

    /// Reads one object.
    ///
    /// # Errors
    /// What the server refuses.
    pub fn get(&self, kind: Kind, namespace: &str, name: &str) -> Result<Arc<Object>, Status> {
        self.ask_object(Request::new(Actor::User, Ask::Get, &key(kind, namespace, name)))
    }

    /// Reads a table; of one object if a name is given.
    ///
    /// # Errors
    /// What the server refuses.
    pub fn table(&self, kind: Kind, namespace: &str, name: &str, options: Options) -> Result<Table, Status> {
        let verb = if name.is_empty() { Ask::List } else { Ask::Get };
        let selectors = Selectors::of(&options);
        let request = Request::new(Actor::User, verb, &key(kind, namespace, name))
            .options(Options { table: true, ..options });
        let found = self.ask(request);
        match if name.is_empty() { found.map_err(|status| selectors.blamed(kind, status))? } else { found? } {
            Body::Table(table, _) => Ok(table),
            _ => unreachable!("a request for a table is answered with one"),
        }
    }

    /// Reads many objects.
    ///
    /// # Errors
    /// What the server refuses.
    pub fn list(&self, kind: Kind, namespace: &str, options: Options) -> Result<Vec<Arc<Object>>, Status> {
        let namespace = if kind.info().namespaced { namespace } else { "" };
        let selectors = Selectors::of(&options);
        let found = self.ask(Request::list(Actor::User, kind, namespace).options(options));
        match found.map_err(|status| selectors.blamed(kind, status))? {
            Body::List(objects, _) => Ok(objects),
            _ => unreachable!("a list request is answered with a list"),
        }
    }

    /// Creates an object.
    ///
    /// # Errors
    /// What the server refuses.
    pub fn create(
        &self,
        kind: Kind,
        namespace: &str,
        value: Value,
        dry_run: DryRun,
    ) -> Result<Arc<Object>, Status> {
        let options = self.options(dry_run);
        self.ask_object(
            Request::new(Actor::User, Ask::Create(value), &key(kind, namespace, "")).options(options),
        )
    }

    /// Replaces an object.
    ///
    /// # Errors
    /// What the server refuses.
    pub fn update(&self, key: &Key, value: Value, dry_run: DryRun) -> Result<Arc<Object>, Status> {
        let options = self.options(dry_run);
        self.ask_object(Request::new(Actor::User, Ask::Update(value), key).options(options))
    }

    /// Changes an object.
    ///
    /// # Errors
    /// What the server refuses.
    pub fn patch(&self, key: &Key, patch: Patch, dry_run: DryRun) -> Result<Arc<Object>, Status> {
        let options = self.options(dry_run);
        self.ask_object(Request::new(Actor::User, Ask::Patch(patch), key).options(options))
    }

    /// Sends any request about one object.
    ///
    /// # Errors
    /// What the server refuses.
    pub fn send(&self, request: Request) -> Result<Arc<Object>, Status> {
        self.ask_object(request)
    }
}

/// A key; cluster-scoped kinds have no namespace.
pub fn key(kind: Kind, namespace: &str, name: &str) -> Key {
    Key::new(kind, if kind.info().namespaced { namespace } else { "" }, name)
}

/// The selectors of a list request, which kubectl names when the server refuses it (`EnhanceListError`).
struct Selectors {
    labels: String,
    fields: String,
}

impl Selectors {
    fn of(options: &Options) -> Self {
        Self { labels: options.label_selector.clone(), fields: options.field_selector.clone() }
    }

    fn blamed(&self, kind: Kind, mut status: Status) -> Status {
        let info = kind.info();
        let resource = format!("{}/{}, Resource={}", info.group, info.version, info.plural);
        let (labels, fields) = (&self.labels, &self.fields);
        if matches!(status.reason, Reason::BadRequest | Reason::NotFound) {
            let what = if labels.is_empty() && fields.is_empty() {
                format!("Unable to list \"{resource}\"")
            } else {
                let (labels, fields) = (format!("{labels:?}"), format!("{fields:?}"));
                format!(
                    "Unable to find \"{resource}\" that match label selector {labels}, field selector {fields}"
                )
            };
            status.message = format!("{what}: {}", status.message);
        }
        status
    }
}
