//! What is wrong with a manifest, and which Pods its Services select.
//!
//! Asks the same code that `kubectl apply` meets: the reader of YAML, then the API server, which is told to
//! store nothing. The answers are put where they belong in the text.

use super::plan::{self, Planned};
use crate::api::decode;
use crate::api::object::Key;
use crate::api::registry::Kind;
use crate::api::schema::schema;
use crate::api::selector::Selector;
use crate::api::status::Status;
use crate::api::value::Value;
use crate::api::yaml::positions::Span;
use crate::api::yaml::read::{Document, Severity, read};
use crate::explain;
use crate::simulation::Simulation;
use crate::words::{Language, Words};

/// Documents of one file that are checked while it is typed.
const DOCUMENT_LIMIT: usize = 200;

/// Something wrong at a place of the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Where.
    pub span: Span,
    /// Whether it keeps the manifest from being accepted.
    pub refused: bool,
    /// What is wrong.
    pub message: String,
}

/// Which Pods a Service of the text selects.
#[derive(Clone, Debug, PartialEq)]
pub struct Selected {
    /// The Service.
    pub service: Key,
    /// The selector as it is written in commands: `app=web,tier=front`.
    pub selector: String,
    /// Pods that match.
    pub matching: usize,
    /// Pods that match and are ready.
    pub ready: usize,
    /// All Pods of the namespace.
    pub pods: usize,
}

/// What the page says beside a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// What is wrong, in the order of the text.
    pub marks: Vec<Mark>,
    /// What its Services select.
    pub selected: Vec<Selected>,
    /// Objects that the text describes.
    pub objects: usize,
    /// What applying it would create or change.
    pub planned: Vec<Planned>,
}

const NOT_KNOWN: Words = Words {
    en: "no kind of this name and version is stored here",
    zh: "这里没有这个名称和版本的资源类型",
};
const NO_KIND: Words =
    Words { en: "a manifest needs apiVersion and kind", zh: "清单需要 apiVersion 和 kind" };

/// A name for a file with this text: its first object's name and kind.
#[must_use]
pub fn suggested_name(text: &str) -> String {
    let (documents, _) = read(text);
    let Some(first) = documents.first().map(Document::value) else { return "manifest".to_owned() };
    let name: String = first
        .at(&["metadata", "name"])
        .str()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .take(40)
        .collect();
    let kind = first.get("kind").str().to_ascii_lowercase();
    let kind: String = kind.chars().filter(char::is_ascii_alphanumeric).take(24).collect();
    match (name.is_empty(), kind.is_empty()) {
        (true, true) => "manifest".to_owned(),
        (true, false) => kind,
        (false, true) => name,
        (false, false) => format!("{name}-{kind}"),
    }
}

/// Looks through a text. Nothing is changed: not the objects, not the generator.
pub fn find(text: &str, namespace: &str, simulation: &mut Simulation, language: Language) -> Findings {
    let (documents, diagnostics) = read(text);
    let mut findings = Findings::default();
    for diagnostic in diagnostics {
        findings.marks.push(Mark {
            span: diagnostic.span,
            refused: diagnostic.severity == Severity::Error,
            message: diagnostic.message,
        });
    }
    // The server draws names and uids even when it stores nothing; typing must not change what comes next.
    let random = simulation.cluster.random().clone();
    for document in documents.iter().take(DOCUMENT_LIMIT) {
        let value = document.value();
        if value.get("kind").str() == "List" {
            for item in value.get("items").items() {
                findings.objects += 1;
                findings.selected.extend(selected(item, namespace, simulation));
            }
            continue;
        }
        findings.objects += 1;
        let (marks, planned) = check(document, &value, namespace, simulation, language);
        findings.marks.extend(marks);
        findings.planned.extend(planned);
        findings.selected.extend(selected(&value, namespace, simulation));
    }
    *simulation.cluster.random() = random;
    for found in explain::lint::lint(text, &simulation.cluster, namespace, language) {
        if found.severity == explain::Severity::Problem {
            findings.marks.push(Mark { span: found.span, refused: false, message: found.message });
        }
    }
    findings.marks.sort_by_key(|mark| (mark.span.line, mark.span.column));
    findings
}

fn check(
    document: &Document,
    value: &Value,
    namespace: &str,
    simulation: &mut Simulation,
    language: Language,
) -> (Vec<Mark>, Option<Planned>) {
    let mark =
        |path: &str, refused: bool, message: String| Mark { span: place(document, path), refused, message };
    let (version, kind) = (value.get("apiVersion").str(), value.get("kind").str());
    if version.is_empty() || kind.is_empty() {
        return (vec![mark("", true, NO_KIND.in_language(language).to_owned())], None);
    }
    let Some(known) = Kind::of_manifest(version, kind) else {
        return (vec![mark("kind", true, NOT_KNOWN.in_language(language).to_owned())], None);
    };
    let mut marks = Vec::new();
    if let Some(of) = schema().kind(version, kind) {
        match decode::decode(value, of) {
            Err(why) => return (vec![mark(field_in(&why.message), true, why.message.clone())], None),
            Ok(decoded) => {
                for (path, message) in decoded.unknown.iter().zip(decoded.warnings()) {
                    marks.push(mark(path, true, message));
                }
            }
        }
    }
    if !marks.is_empty() {
        return (marks, None);
    }
    match plan::of(known, value, namespace_of(known, value, namespace), simulation) {
        Ok(planned) => (marks, planned),
        Err(status) => {
            let refusals = refusals(&status);
            marks.extend(refusals.into_iter().map(|(path, message)| mark(&path, true, message)));
            (marks, None)
        }
    }
}

/// What the server says, with the fields that it blames.
fn refusals(status: &Status) -> Vec<(String, String)> {
    if status.causes.is_empty() {
        return vec![(field_in(&status.message).to_owned(), status.message.clone())];
    }
    status.causes.iter().map(|cause| (cause.field.clone(), cause.to_string())).collect()
}

fn namespace_of(kind: Kind, value: &Value, current: &str) -> crate::api::value::SmolStr {
    let named = value.at(&["metadata", "namespace"]).smol();
    match kind.info().namespaced {
        false => Default::default(),
        true if named.is_empty() => current.into(),
        true => named,
    }
}

/// The field that a message of Go's decoder speaks of: `…Go struct field ServicePort.spec.ports.port of type…`.
fn field_in(message: &str) -> &str {
    let Some((_, rest)) = message.split_once("Go struct field ") else { return "" };
    let path = rest.split(' ').next().unwrap_or("");
    path.split_once('.').map_or("", |(_, path)| path)
}

/// Where a field stands, or its nearest parent that is written. A list that the path passes without saying
/// which item is entered at its first.
fn place(document: &Document, path: &str) -> Span {
    let positions = &document.positions;
    let found = positions.lookup(path);
    match found {
        Some(found) if path.is_empty() => positions
            .lookup("kind")
            .filter(|kind| kind.exact)
            .map_or(first_line(found.value), |kind| kind.key),
        Some(found) if found.exact => {
            Span { end_line: found.value.end_line, end_column: found.value.end_column, ..found.key }.first()
        }
        Some(found) => found.key.first(),
        None => Span::point(document.line, 1),
    }
}

fn first_line(span: Span) -> Span {
    span.first()
}

trait First {
    /// The part of it on its first line.
    fn first(self) -> Self;
}

impl First for Span {
    fn first(self) -> Self {
        if self.end_line == self.line {
            return self;
        }
        // The editor cuts a stretch at the end of its line.
        Self { end_line: self.line, end_column: self.column + 200, ..self }
    }
}

/// Which Pods a manifest selects, if it is a Service with a selector.
fn selected(value: &Value, namespace: &str, simulation: &Simulation) -> Option<Selected> {
    let kind = Kind::of_manifest(value.get("apiVersion").str(), value.get("kind").str())?;
    if kind != Kind::Service {
        return None;
    }
    let pairs = value.at(&["spec", "selector"]);
    let selector = Selector::of_pairs(pairs)?;
    let namespace = namespace_of(kind, value, namespace);
    let cluster = &simulation.cluster;
    let matching = cluster.matching(Kind::Pod, &namespace, &selector);
    let ready =
        matching.iter().filter(|pod| !pod.is_terminating() && pod.as_pod().is_some_and(|pod| pod.ready));
    let written = pairs.entries().iter().map(|(key, value)| format!("{key}={}", value.str()));
    Some(Selected {
        selector: written.collect::<Vec<_>>().join(","),
        matching: matching.len(),
        ready: ready.count(),
        pods: cluster.list(Kind::Pod, Some(&namespace)).count(),
        service: Key::new(kind, namespace, value.at(&["metadata", "name"]).smol()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Settings;

    fn check(text: &str, lines: &[u32]) {
        let mut simulation = Simulation::new(Settings::default());
        let revision = simulation.revision();
        let findings = find(text, "default", &mut simulation, Language::English);
        let found: Vec<u32> = findings.marks.iter().map(|mark| mark.span.line).collect();
        assert_eq!(found, lines, "{:?} in\n{text}", findings.marks);
        assert_eq!(simulation.revision(), revision, "nothing was stored");
    }

    #[test]
    fn marks_stand_on_the_lines_to_blame() {
        check("apiVersion: v1\nkind: Service\nmetadata:\n  name: a\nspec:\n  ports:\n  - port: 80\n", &[]);
        check("apiVersion: v1\nkind: Service\nmetadata:\n  name: a\nspec:\n  prots: []\n", &[6]);
        check("apiVersion: v1\nkind: Servize\n", &[2]);
        check("apiVersion: v1\nkind: Service\nmetadata:\n\tname: a\n", &[4]);
        check("", &[]);
    }

    #[test]
    fn it_is_said_what_applying_would_change() {
        let mut simulation = Simulation::new(Settings::default());
        crate::session::first_world::build(&mut simulation);
        let mut changes = |text: &str| {
            let findings = find(text, "default", &mut simulation, Language::English);
            let created = findings.planned.iter().filter(|planned| planned.created).count();
            (findings.objects, created, findings.planned.len() - created)
        };
        let manifest = crate::session::first_world::MANIFEST;
        assert_eq!(changes(manifest), (4, 0, 0));
        assert_eq!(changes(&manifest.replace("replicas: 3", "replicas: 4")), (4, 0, 1));
        assert_eq!(changes("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: other\n"), (1, 1, 0));
    }

    #[test]
    fn typing_does_not_change_what_the_generator_gives_next() {
        let text = "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\nspec:\n  ports:\n  - port: 80\n";
        let mut typed = Simulation::new(Settings::default());
        let mut quiet = Simulation::new(Settings::default());
        find(text, "default", &mut typed, Language::English);
        assert_eq!(typed.cluster.random().bits(), quiet.cluster.random().bits());
    }

    #[test]
    fn a_selector_is_held_against_the_pods_of_its_namespace() {
        let mut simulation = Simulation::new(Settings::default());
        let text = "apiVersion: v1\nkind: Service\nmetadata:\n  name: dns\n  namespace: kube-system\nspec:\n  selector:\n    k8s-app: kube-dns\n";
        let findings = find(text, "default", &mut simulation, Language::English);
        let selected = &findings.selected[0];
        assert_eq!(selected.selector, "k8s-app=kube-dns");
        assert!(selected.matching <= selected.pods);
    }
}
