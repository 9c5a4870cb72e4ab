//! `kubectl create ingress`: stored, not simulated.

use super::{GENERATED, generate, one_name};
use crate::api::registry::Kind;
use crate::api::value::{SmolStr, Value};
use crate::shell::command::{Flag, Value as Argument, option};
use crate::shell::kubectl::call::Call;
use crate::shell::kubectl::failure::{Failure, Outcome};
use crate::shell::kubectl::verb::{Action, Operands, Verb, flags};
use crate::value;
use crate::words::Words;

const RULES: &[Flag] = &[
    option(
        '\0',
        "rule",
        Argument::Text,
        "HOST/PATH=SERVICE:PORT[,tls[=SECRET]]; may be repeated",
        "主机/路径=服务:端口[,tls[=Secret]]；可重复",
    ),
    option('\0', "class", Argument::Text, "the IngressClass", "IngressClass 名称"),
    option('\0', "default-backend", Argument::Text, "SERVICE:PORT for everything else", "默认后端 服务:端口"),
    option('\0', "annotation", Argument::Text, "KEY=VALUE; may be repeated", "键=值；可重复"),
];

/// `create ingress`.
pub static INGRESS: Verb = Verb {
    name: "ingress",
    aliases: &["ing"],
    usage: "NAME --rule=HOST/PATH=SERVICE:PORT[,tls[=SECRET]]",
    summary: Words { en: "create an Ingress", zh: "创建 Ingress" },
    flags: flags![RULES, GENERATED],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Now(ingress),
};

fn ingress(call: &Call) -> Outcome {
    let name = one_name(call)?;
    let (texts, default) = (call.flags.values("rule"), call.text("default-backend"));
    if texts.is_empty() && default.is_empty() {
        return Err(Failure::plain(
            "not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)",
        ));
    }
    let rules = texts.iter().map(|text| Rule::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let mut metadata = value!({ "name": (name.to_owned()) });
    for annotation in call.flags.values("annotation") {
        let (key, text) = annotation.split_once('=').ok_or_else(|| {
            Failure::plain(format!("annotation {annotation} is invalid and should be in format key=[value]"))
        })?;
        *metadata.at_mut(&["annotations", key]) = Value::from(text.to_owned());
    }
    let mut spec = Value::map();
    if !default.is_empty() {
        let [service, port] = default.split(':').collect::<Vec<_>>()[..] else {
            return Err(Failure::plain("default-backend should be in format servicename:serviceport"));
        };
        spec.set("defaultBackend", backend(service, port));
    }
    if !call.text("class").is_empty() {
        spec.set("ingressClassName", SmolStr::new(call.text("class")));
    }
    for (field, list) in [("rules", by_host(&rules)), ("tls", certificates(&rules))] {
        if !list.is_empty() {
            spec.set(field, list);
        }
    }
    let document = value!({ "metadata": metadata, "spec": spec, "status": { "loadBalancer": {} } });
    generate(call, Kind::Ingress, document, "failed to create ingress: ")
}

/// What a rule says, in its parts.
struct Rule<'a> {
    host: &'a str,
    path: &'a str,
    service: &'a str,
    port: &'a str,
    /// The Secret of `,tls=SECRET`; empty without a name.
    tls: Option<&'a str>,
}

impl<'a> Rule<'a> {
    /// `foo.com/bar*=svc:80,tls=secret` in its parts.
    fn parse(text: &'a str) -> Result<Self, Failure> {
        Self::parts(text).ok_or_else(|| {
            Failure::plain(format!(
                "rule {text} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]"
            ))
        })
    }

    fn parts(text: &'a str) -> Option<Self> {
        let (place, tls) = match text.split_once(',') {
            Some((place, "tls")) => (place, Some("")),
            Some((place, tls)) => (place, Some(tls.strip_prefix("tls=")?)),
            None => (text, None),
        };
        let (host, rest) = place.split_once('/')?;
        let (path, backend) = rest.rsplit_once('=')?;
        let (service, port) = backend.split_once(':')?;
        (!service.is_empty() && !port.is_empty()).then_some(Self { host, path, service, port, tls })
    }
}

fn backend(service: &str, port: &str) -> Value {
    let port = match port.parse::<i64>() {
        Ok(number) => value!({ "number": number }),
        Err(_) => value!({ "name": (SmolStr::new(port)) }),
    };
    value!({ "service": { "name": (SmolStr::new(service)), "port": port } })
}

/// The rules, those of one host together.
fn by_host(rules: &[Rule<'_>]) -> Vec<Value> {
    let mut hosts: Vec<(&str, Vec<Value>)> = Vec::new();
    for rule in rules {
        let (path, kind) = match rule.path.strip_suffix('*') {
            Some(path) => (path, "Prefix"),
            None => (rule.path, "Exact"),
        };
        let path = value!({
            "backend": (backend(rule.service, rule.port)), "path": (format!("/{path}")), "pathType": kind
        });
        match hosts.iter_mut().find(|(host, _)| *host == rule.host) {
            Some((_, paths)) => paths.push(path),
            None => hosts.push((rule.host, vec![path])),
        }
    }
    let of_host = |(host, paths): (&str, Vec<Value>)| {
        let mut rule = value!({ "http": { "paths": paths } });
        if !host.is_empty() {
            rule.set("host", SmolStr::new(host));
        }
        rule
    };
    hosts.into_iter().map(of_host).collect()
}

/// The certificates that rules ask for: each host once, the hosts of one Secret together.
fn certificates(rules: &[Rule<'_>]) -> Vec<Value> {
    let mut seen: Vec<&str> = Vec::new();
    let mut secrets: Vec<(&str, Vec<Value>)> = Vec::new();
    for (host, secret) in rules.iter().filter_map(|rule| Some((rule.host, rule.tls?))) {
        if seen.contains(&host) {
            continue;
        }
        seen.push(host);
        match secrets.iter_mut().find(|(held, _)| *held == secret) {
            Some((_, hosts)) => hosts.push(SmolStr::new(host).into()),
            None if host.is_empty() && secret.is_empty() => {}
            None if host.is_empty() => secrets.push((secret, Vec::new())),
            None => secrets.push((secret, vec![SmolStr::new(host).into()])),
        }
    }
    let of_secret = |(secret, hosts): (&str, Vec<Value>)| {
        let mut entry = Value::map();
        if !hosts.is_empty() {
            entry.set("hosts", hosts);
        }
        if !secret.is_empty() {
            entry.set("secretName", SmolStr::new(secret));
        }
        entry
    };
    secrets.into_iter().map(of_secret).collect()
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn rules_are_gathered_by_host_and_certificates_by_secret() {
        let made = |flags: &str| {
            format!("kubectl create ingress i {flags} --dry-run=client -o jsonpath='{{.spec}}'")
        };
        check(
            &made("--rule=a.com/x*=s:80,tls=c --rule=a.com/y=s:http --rule=b.com/=t:1,tls=c"),
            "{\"rules\":[{\"host\":\"a.com\",\"http\":{\"paths\":[{\"backend\":{\"service\":{\"name\":\"s\",\"port\":{\"number\":80}}},\"path\":\"/x\",\"pathType\":\"Prefix\"},{\"backend\":{\"service\":{\"name\":\"s\",\"port\":{\"name\":\"http\"}}},\"path\":\"/y\",\"pathType\":\"Exact\"}]}},{\"host\":\"b.com\",\"http\":{\"paths\":[{\"backend\":{\"service\":{\"name\":\"t\",\"port\":{\"number\":1}}},\"path\":\"/\",\"pathType\":\"Exact\"}]}}],\"tls\":[{\"hosts\":[\"a.com\",\"b.com\"],\"secretName\":\"c\"}]}",
            0,
        );
        check(
            &made("--default-backend=s:80 --class=nginx"),
            "{\"defaultBackend\":{\"service\":{\"name\":\"s\",\"port\":{\"number\":80}}},\"ingressClassName\":\"nginx\"}",
            0,
        );
    }

    #[test]
    fn rules_that_say_nothing_are_refused() {
        check(
            "kubectl create ingress i --rule=a.com=s:80",
            "error: rule a.com=s:80 is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]",
            1,
        );
        check(
            "kubectl create ingress i --default-backend=s",
            "error: default-backend should be in format servicename:serviceport",
            1,
        );
    }
}
