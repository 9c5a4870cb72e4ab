//! `why`: says why an object is as it is, or why the last command failed.
//!
//! Owns the choice of what is asked about, the look for the line to blame in the workstation's files, and the
//! form in which findings are printed. The findings are [`crate::explain`]'s.

use crate::api::object::Key;
use crate::api::registry::Kind;
use crate::explain::{self, Finding, Severity, place, render, variables};
use crate::network::Origin;
use crate::shell::client::origin;
use crate::shell::command::{Command, Found, Run, Value, option};
use crate::shell::filesystem::Entry;
use crate::shell::flags::Style;
use crate::shell::invocation::Invocation;
use crate::shell::kubectl;
use crate::shell::places::Place;
use crate::words::{Language, Words};

/// `why`.
pub static COMMAND: Command = Command {
    name: "why",
    usage: "[svc/NAME | pod/NAME | deploy/NAME | NAME | VARIABLE [pod/NAME]]...",
    summary: Words {
        en: "explain an object, or without arguments the last command that failed",
        zh: "解释一个对象；不带参数时解释上一条失败的命令",
    },
    flags: &[option('n', "namespace", Value::Namespace, "look in this namespace", "在这个名字空间里查找")],
    operands: Value::Text,
    complete: Some(kubectl::complete_objects),
    found: Found::Everywhere,
    run: Run::Now(run),
};

fn run(invocation: &Invocation) -> i32 {
    let parsed = match invocation.parse(&COMMAND, Style::Gnu) {
        Ok(parsed) => parsed,
        Err(status) => return status,
    };
    let own = match origin(&invocation.place) {
        Origin::Pod(pod) => pod.namespace.to_string(),
        _ => kubectl::current_namespace(invocation),
    };
    let namespace = parsed.value("namespace").unwrap_or(&own);
    let findings = match asked(&parsed.operands) {
        asked if asked.is_empty() => last_failure(invocation),
        asked => asked.iter().flat_map(|one| about(invocation, one, &asked, namespace)).collect(),
    };
    let failed = findings.iter().any(|finding| {
        matches!(&finding.cause, explain::Cause::Command(explain::CommandCause::NoSuchObject { .. }))
    });
    print(invocation, &findings);
    i32::from(failed)
}

/// What is asked about, with `svc web` as `svc/web`.
fn asked(operands: &[String]) -> Vec<String> {
    let mut asked: Vec<String> = Vec::new();
    let mut rest = operands.iter().peekable();
    while let Some(word) = rest.next() {
        let kind = !word.contains('/') && Kind::of_resource(word).is_some();
        match rest.peek() {
            Some(name) if kind && !name.contains('/') => {
                asked.push(format!("{word}/{name}"));
                rest.next();
            }
            _ => asked.push(word.clone()),
        }
    }
    asked
}

fn last_failure(invocation: &Invocation) -> Vec<Finding> {
    let from = origin(&invocation.place);
    invocation.host.with(|simulation| {
        let unfinished = simulation.incidents.unfinished(&from);
        let commands = unfinished.as_ref().into_iter().chain(simulation.incidents.commands());
        explain::last_failure(&simulation.cluster, commands)
    })
}

fn about(invocation: &Invocation, one: &str, all: &[String], namespace: &str) -> Vec<Finding> {
    if variables::is_variable(one) {
        return variable(invocation, one, all, namespace);
    }
    let beside = all.iter().any(|other| variables::is_variable(other));
    if beside && one.contains('/') {
        // The Pod of a variable; it is not asked about itself.
        return Vec::new();
    }
    invocation.host.with(|simulation| {
        let cluster = &simulation.cluster;
        let meant = explain::meant(cluster, one, namespace);
        match meant.first() {
            Some(key) => explain::object(cluster, key),
            None => vec![explain::missing(cluster, one, namespace)],
        }
    })
}

fn variable(invocation: &Invocation, name: &str, all: &[String], namespace: &str) -> Vec<Finding> {
    let named =
        all.iter().find_map(|one| one.split_once('/')).map(|(_, pod)| Key::new(Kind::Pod, namespace, pod));
    let pod = match (named, origin(&invocation.place)) {
        (Some(pod), _) | (None, Origin::Pod(pod)) => pod,
        _ => {
            let language = invocation.host.language();
            let words = Words {
                en: "a variable belongs to a Pod: why VARIABLE pod/NAME",
                zh: "变量属于某个 Pod：why VARIABLE pod/NAME",
            };
            invocation.fail(words.in_language(language));
            return Vec::new();
        }
    };
    invocation.host.with(|simulation| {
        if simulation.cluster.get(&pod).is_none() {
            return vec![explain::missing(&simulation.cluster, &format!("pod/{}", pod.name), namespace)];
        }
        variables::variable(&simulation.cluster, &simulation.runtime, &pod, name)
    })
}

fn print(invocation: &Invocation, findings: &[Finding]) {
    let language = invocation.host.language();
    for (at, finding) in findings.iter().enumerate() {
        if at > 0 {
            invocation.say("");
        }
        let mark = match finding.severity {
            Severity::Problem => '✗',
            Severity::Note => '!',
            Severity::Fine => '✓',
        };
        let said = render::render(finding, language);
        invocation.say(&format!("{mark} {}", said.what));
        if !said.why.is_empty() {
            invocation.say(&format!("  {}", said.why));
        }
        let width = said.evidence.iter().map(|(label, _)| columns(label)).max().unwrap_or(0);
        for (label, value) in &said.evidence {
            let blanks = " ".repeat(width - columns(label));
            invocation.say(&format!("    {label}{blanks}   {value}"));
        }
        if let Some((file, line)) = blamed(invocation, finding) {
            let field = &finding.field;
            invocation.say(&match language {
                Language::English => format!("  {file}, line {line}: {field}"),
                Language::Chinese => format!("  {file} 第 {line} 行：{field}"),
            });
        }
        for (at, fix) in finding.fixes.iter().enumerate() {
            let lead = Words {
                en: if at == 0 { "Try:" } else { "Or: " },
                zh: if at == 0 { "试试：" } else { "或者：" },
            };
            let lead = lead.in_language(language);
            invocation.say(&format!("  {lead} {}", render::fix(fix, language)));
        }
    }
}

/// The width of a text on a terminal: ideographs and full-width signs take two columns.
fn columns(text: &str) -> usize {
    text.chars().map(|c| if matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}') { 2 } else { 1 }).sum()
}

/// The file of the workstation and the line that a finding blames.
fn blamed(invocation: &Invocation, finding: &Finding) -> Option<(String, u32)> {
    if finding.field.is_empty() || finding.subject.name.is_empty() {
        return None;
    }
    let workstation = Place::workstation();
    let files = workstation.files(&invocation.host);
    let files = files.borrow();
    let manifests = files.below(&workstation.home).into_iter().filter_map(|(path, entry)| match entry {
        Entry::File(text) if [".yaml", ".yml", ".json"].iter().any(|end| path.ends_with(end)) => {
            Some((path, text))
        }
        _ => None,
    });
    manifests.into_iter().find_map(|(path, text)| {
        let span = place::locate(&text, &finding.subject, &finding.field)?;
        let shown = path.strip_prefix(&format!("{}/", workstation.home)).unwrap_or(&path);
        Some((shown.to_owned(), span.line))
    })
}
