//! What is probably wrong with a text in the editor, before it is applied.
//!
//! Owns [`lint`]: slips that the API server would accept and that then do not work, with the line to blame.
//! What the API server refuses is found by asking it (dry run), not here.

use super::near::{self, is_slip};
use crate::api::registry::Kind;
use crate::api::selector::Selector;
use crate::api::typed::{PortRef, Protocol};
use crate::api::value::{SmolStr, Value};
use crate::api::yaml::{self, Document, Span};
use crate::cluster::Cluster;
use crate::containers::process;
use crate::words::Language;

use super::finding::Severity;
use super::render::say;

/// In a cluster with more Pods, selectors are not compared at each stroke of a key: it would take too long.
const POD_LIMIT: usize = 5_000;

/// Something about a place in a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// Where.
    pub span: Span,
    /// How much it matters; `Fine` for what is only good to know.
    pub severity: Severity,
    /// What it is, in the language that was asked for.
    pub message: String,
    /// Text that would be right at this place, if one is clear.
    pub fix: Option<String>,
}

/// A Pod that exists, or that a document of the text would make.
struct Candidate {
    namespace: SmolStr,
    labels: Value,
    spec: Value,
    count: usize,
}

/// What is probably wrong with a text, given what the cluster has; documents without a namespace belong to
/// `namespace`. Nothing for a cluster of more than 5,000 Pods, in which `why` still answers.
#[must_use]
pub fn lint(text: &str, cluster: &Cluster, namespace: &str, language: Language) -> Vec<Diagnostic> {
    if cluster.count(Kind::Pod) > POD_LIMIT {
        return Vec::new();
    }
    let (documents, _) = yaml::read(text);
    let values: Vec<Value> = documents.iter().map(Document::value).collect();
    let pods = candidates(&values, cluster, namespace);
    let mut found = Vec::new();
    for (document, value) in documents.iter().zip(&values) {
        if kind_of(value) == Some(Kind::Service) {
            Lint { document, value, language, found: &mut found }.service(&pods, namespace);
        }
    }
    found
}

fn kind_of(value: &Value) -> Option<Kind> {
    Kind::of_manifest(value.get("apiVersion").str(), value.get("kind").str())
}

fn space(value: &Value, namespace: &str) -> SmolStr {
    let own = value.at(&["metadata", "namespace"]).smol();
    if own.is_empty() { namespace.into() } else { own }
}

/// Pods of the text and of the cluster. What the text would make counts as if it were there.
fn candidates(values: &[Value], cluster: &Cluster, namespace: &str) -> Vec<Candidate> {
    let mut all = Vec::new();
    for value in values {
        let (template, count) = match kind_of(value) {
            Some(Kind::Pod) => (value, 1),
            Some(Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet | Kind::ReplicationController) => {
                let replicas = value.at(&["spec", "replicas"]).as_int().unwrap_or(1);
                (value.at(&["spec", "template"]), usize::try_from(replicas).unwrap_or(0))
            }
            Some(Kind::DaemonSet) => (value.at(&["spec", "template"]), cluster.count(Kind::Node)),
            _ => continue,
        };
        all.push(Candidate {
            namespace: space(value, namespace),
            labels: template.at(&["metadata", "labels"]).clone(),
            spec: template.get("spec").clone(),
            count,
        });
    }
    for object in cluster.list(Kind::Pod, None).filter(|object| !object.is_terminating()) {
        // A Pod of the text that exists already, or of a workload in the text, is counted once.
        let again = all.iter().any(|one: &Candidate| {
            let fields =
                one.labels.entries().iter().all(|(key, value)| object.meta.label(key) == value.str());
            one.namespace == *object.namespace() && !one.labels.is_empty() && fields
        });
        if !again {
            all.push(Candidate {
                namespace: object.namespace().clone(),
                labels: object.meta.labels.clone(),
                spec: object.spec().clone(),
                count: 1,
            });
        }
    }
    all
}

struct Lint<'a> {
    document: &'a Document,
    value: &'a Value,
    language: Language,
    found: &'a mut Vec<Diagnostic>,
}

impl Lint<'_> {
    fn report(&mut self, path: &str, severity: Severity, message: String, fix: Option<String>) {
        let Some(place) = self.document.positions.lookup(path) else { return };
        let span = if place.exact && fix.is_some() { place.value } else { place.key };
        self.found.push(Diagnostic { span, severity, message, fix });
    }

    fn service(&mut self, pods: &[Candidate], namespace: &str) {
        let own = space(self.value, namespace);
        let Some(selector) = Selector::of_pairs(self.value.at(&["spec", "selector"])) else { return };
        let language = self.language;
        let here: Vec<&Candidate> = pods.iter().filter(|pod| pod.namespace == own).collect();
        let matching: Vec<&Candidate> =
            here.iter().copied().filter(|pod| selector.matches(&pod.labels)).collect();
        let (count, of): (usize, usize) =
            (matching.iter().map(|pod| pod.count).sum(), here.iter().map(|pod| pod.count).sum());
        if count > 0 {
            let message = say!(language, "{count} of {of} Pods match.", "{of} 个 Pod 中有 {count} 个匹配。");
            self.report("spec.selector", Severity::Fine, message, None);
            self.ports(&matching);
            return;
        }
        let elsewhere = pods.iter().find(|pod| selector.matches(&pod.labels));
        if let Some(elsewhere) = elsewhere {
            let there = &elsewhere.namespace;
            let message = say!(
                language,
                "No Pod of namespace {own} matches; Pods of {there} do. A Service selects Pods of its own namespace only.",
                "名字空间 {own} 里没有匹配的 Pod，{there} 里有。Service 只选择自己名字空间里的 Pod。"
            );
            let path = "metadata.namespace";
            return self.report(path, Severity::Problem, message, Some(there.to_string()));
        }
        self.nothing_matches(&selector, &here);
    }

    fn nothing_matches(&mut self, selector: &Selector, here: &[&Candidate]) {
        let language = self.language;
        let compared = here.iter().map(|pod| {
            let labels = near::pairs(&pod.labels);
            let (cost, differences) = near::differences(selector, &labels, "");
            (cost, differences, labels)
        });
        let best = compared.min_by_key(|(cost, _, _)| *cost);
        let slip = best.as_ref().and_then(|(_, differences, labels)| {
            let one = differences.first()?;
            let near = match (&one.found, &one.lookalike) {
                (Some(found), _) => format!("{}: {found}", one.key),
                (None, Some(other)) => {
                    let value = labels.iter().find(|(key, _)| key == other).map(|(_, value)| value.clone());
                    format!("{other}: {}", value.unwrap_or_default())
                }
                (None, None) => return None,
            };
            Some((one.clone(), near))
        });
        match slip {
            Some((one, near)) => {
                let path = format!("spec.selector.{}", one.key);
                let message = say!(
                    language,
                    "No Pod matches. The nearest has {near}.",
                    "没有匹配的 Pod。最接近的标签是 {near}。"
                );
                let fix =
                    one.found.filter(|found| is_slip(&one.wanted, found)).map(|found| found.to_string());
                self.report(&path, Severity::Problem, message, fix);
            }
            None => {
                let message = say!(
                    language,
                    "No Pod matches, neither here nor in the cluster.",
                    "没有匹配的 Pod，清单和集群里都没有。"
                );
                self.report("spec.selector", Severity::Problem, message, None);
            }
        }
    }

    /// Target ports against what the matching Pods would open.
    fn ports(&mut self, matching: &[&Candidate]) {
        let language = self.language;
        let ports = self.value.at(&["spec", "ports"]).items();
        for (index, port) in ports.iter().enumerate() {
            let protocol = Protocol::of(port.get("protocol"));
            let target = PortRef::of(port.get("targetPort")).or_else(|| PortRef::of(port.get("port")));
            let field = if port.get("targetPort").is_null() { "port" } else { "targetPort" };
            let path = format!("spec.ports[{index}].{field}");
            for pod in matching {
                let declared = declared(&pod.spec, protocol);
                match &target {
                    Some(PortRef::Name(name)) if !declared.iter().any(|(held, _)| held == name) => {
                        let names = declared.iter().map(|(name, _)| name.as_str());
                        let fix =
                            near::nearest(name, names.filter(|name| !name.is_empty())).map(str::to_owned);
                        let message = say!(
                            language,
                            "No matching Pod has a port named {name}.",
                            "匹配的 Pod 没有名为 {name} 的端口。"
                        );
                        self.report(&path, Severity::Problem, message, fix);
                        break;
                    }
                    Some(PortRef::Number(number)) => {
                        let Some(open) = opened(&pod.spec, protocol) else { continue };
                        if open.contains(number) {
                            continue;
                        }
                        let list = super::render::numbers(&open, language);
                        let message = say!(
                            language,
                            "No process of the matching Pods listens on {number}. Open: {list}.",
                            "匹配的 Pod 里没有进程监听 {number}。打开的端口：{list}。"
                        );
                        let fix = if let [only] = open.as_slice() { Some(only.to_string()) } else { None };
                        let fix = fix.filter(|_| field == "targetPort");
                        self.report(&path, Severity::Problem, message, fix);
                        break;
                    }
                    _ => {}
                }
            }
        }
    }
}

fn declared(spec: &Value, protocol: Protocol) -> Vec<(SmolStr, u16)> {
    let ports = spec.get("containers").items().iter().flat_map(|container| container.get("ports").items());
    let same = ports.filter(|port| Protocol::of(port.get("protocol")) == protocol);
    let number = |port: &Value| port.get("containerPort").as_int().and_then(|port| u16::try_from(port).ok());
    same.filter_map(|port| Some((port.get("name").smol(), number(port)?))).collect()
}

/// The ports that a Pod of this spec would open for others; `None` where that is only assumed.
fn opened(spec: &Value, protocol: Protocol) -> Option<Vec<u16>> {
    let pod = Value::from_iter([("spec", spec.clone())]);
    let object = crate::api::object::Object::new(Kind::Pod, pod, None);
    let mut open = Vec::new();
    for container in &object.as_pod()?.spec.containers {
        let process = process(container);
        if process.assumed {
            return None;
        }
        let reachable = process.listeners.iter().filter(|one| one.protocol == protocol && !one.loopback);
        open.extend(reachable.map(|one| one.port));
    }
    open.sort_unstable();
    open.dedup();
    Some(open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Actor, Settings};
    use crate::value;

    /// A cluster with one Pod of nginx, labelled `app=web`, in namespace `default`.
    fn cluster() -> Cluster {
        let mut cluster = Cluster::new(Settings::default());
        for name in ["default", "prod"] {
            let namespace = value!({ "metadata": { "name": name } });
            cluster.create(Actor::ApiServer, Kind::Namespace, "", namespace).unwrap();
        }
        let pod = value!({
            "metadata": { "name": "web", "labels": { "app": "web" } },
            "spec": { "containers": [
                { "name": "c", "image": "nginx", "ports": [{ "name": "http", "containerPort": 80 }] }
            ] }
        });
        cluster.create(Actor::ApiServer, Kind::Pod, "default", pod).unwrap();
        cluster
    }

    /// What is said about a Service whose spec stands in a text: line, severity, the words, the fix.
    fn said(text: &str) -> Vec<(u32, Severity, String, Option<String>)> {
        let found = lint(text, &cluster(), "default", Language::English);
        found.into_iter().map(|one| (one.span.line, one.severity, one.message, one.fix)).collect()
    }

    #[track_caller]
    fn check(spec: &str, line: u32, severity: Severity, words: &str, fix: Option<&str>) {
        let text = format!("apiVersion: v1\nkind: Service\nmetadata:\n  name: s\nspec:\n{spec}");
        let said = said(&text);
        let found = said.iter().any(|(at, how, message, right)| {
            *at == line && *how == severity && message.contains(words) && right.as_deref() == fix
        });
        assert!(found, "{text}\n{said:?}");
    }

    #[test]
    fn a_selector_is_counted_or_compared() {
        check("  selector:\n    app: web\n", 6, Severity::Fine, "1 of 1 Pods match", None);
        check("  selector:\n    app: wbe\n", 7, Severity::Problem, "app: web", Some("web"));
        check("  selector:\n    ap: web\n", 7, Severity::Problem, "app: web", None);
        check("  selector:\n    tier: back\n", 6, Severity::Problem, "neither here nor", None);
    }

    #[test]
    fn target_ports_are_held_against_what_the_image_opens() {
        let spec = |port: &str| {
            format!("  selector: {{app: web}}\n  ports:\n  - port: 8080\n    targetPort: {port}\n")
        };
        check(&spec("8080"), 9, Severity::Problem, "listens on 8080", Some("80"));
        check(&spec("htpp"), 9, Severity::Problem, "named htpp", Some("http"));
        for right in ["80", "http"] {
            let text =
                format!("apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec:\n{}", spec(right));
            assert!(said(&text).iter().all(|(_, severity, ..)| *severity == Severity::Fine), "{right}");
        }
    }

    #[test]
    fn pods_of_the_same_text_count_as_if_they_were_there() {
        let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  replicas: 3\n  selector: {matchLabels: {app: d}}\n  template:\n    metadata: {labels: {app: d}}\n    spec: {containers: [{name: c, image: nginx}]}\n---\n";
        let text = format!(
            "{deployment}apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec:\n  selector: {{app: d}}\n  ports: [{{port: 80}}]\n"
        );
        let said = said(&text);
        assert!(
            matches!(&said[..], [(15, Severity::Fine, words, None)] if words.contains("3 of 4")),
            "{said:?}"
        );
    }

    #[test]
    fn a_service_of_another_namespace_than_its_pods_is_told() {
        let text = "apiVersion: v1\nkind: Service\nmetadata:\n  name: s\n  namespace: prod\nspec:\n  selector: {app: web}\n";
        let said = said(text);
        assert!(
            matches!(&said[..], [(5, Severity::Problem, words, Some(fix))] if words.contains("namespace prod") && fix == "default"),
            "{said:?}"
        );
    }

    #[test]
    fn hostile_texts_are_survived() {
        for text in [
            "",
            "{",
            "a: [",
            "kind: Service\napiVersion: v1\nspec: 3",
            "kind: Service\napiVersion: v1\nspec: {selector: [1], ports: {a: b}}",
        ] {
            assert!(lint(text, &cluster(), "default", Language::Chinese).is_empty(), "{text}");
        }
    }
}
