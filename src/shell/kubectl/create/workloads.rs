//! `kubectl create job`, `cronjob` and `ingress`.

use super::{GENERATED, generate, one_name};
use crate::api::registry::Kind;
use crate::api::value::{SmolStr, Value};
use crate::shell::command::{Flag, Value as Argument, not_simulated, option};
use crate::shell::kubectl::call::Call;
use crate::shell::kubectl::failure::{Failure, Outcome};
use crate::shell::kubectl::verb::{Action, Operands, Verb, flags};
use crate::value;
use crate::words::Words;

const IMAGE: &[Flag] = &[option('\0', "image", Argument::Text, "the image to run", "要运行的镜像")];
const FROM: &[Flag] = &[option(
    '\0',
    "from",
    Argument::Text,
    "the CronJob whose Job is made now",
    "立即按其模板创建 Job 的 CronJob",
)];
const SCHEDULE: &[Flag] = &[
    option('\0', "schedule", Argument::Text, "when to run, as cron writes it", "cron 格式的调度时间"),
    option('\0', "restart", Argument::OneOf(&["OnFailure", "Never"]), "when to start again", "重启策略"),
];
const RULES: &[Flag] = &[
    option(
        '\0',
        "rule",
        Argument::Text,
        "HOST/PATH=SERVICE:PORT; may be repeated",
        "主机/路径=服务:端口；可重复",
    ),
    option('\0', "class", Argument::Text, "the IngressClass", "IngressClass 名称"),
    not_simulated('\0', "default-backend", Argument::Text, "--rule"),
    not_simulated('\0', "annotation", Argument::Text, "kubectl annotate"),
];

/// `create job`.
pub static JOB: Verb = Verb {
    name: "job",
    aliases: &[],
    usage: "NAME --image=IMAGE [-- COMMAND [ARGUMENT...]] | NAME --from=cronjob/NAME",
    summary: Words { en: "create a Job", zh: "创建 Job" },
    flags: flags![IMAGE, FROM, GENERATED],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Now(job),
};

/// `create cronjob`.
pub static CRON_JOB: Verb = Verb {
    name: "cronjob",
    aliases: &["cj"],
    usage: "NAME --image=IMAGE --schedule=TIME [-- COMMAND [ARGUMENT...]]",
    summary: Words { en: "create a CronJob", zh: "创建 CronJob" },
    flags: flags![IMAGE, SCHEDULE, GENERATED],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Now(cron_job),
};

/// `create ingress`.
pub static INGRESS: Verb = Verb {
    name: "ingress",
    aliases: &["ing"],
    usage: "NAME --rule=HOST/PATH=SERVICE:PORT",
    summary: Words { en: "create an Ingress", zh: "创建 Ingress" },
    flags: flags![RULES, GENERATED],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Now(ingress),
};

fn required(call: &Call, flags: &[&str]) -> Outcome {
    let missing: Vec<String> = flags
        .iter()
        .filter(|flag| call.flags.value(flag).is_none())
        .map(|flag| format!("\"{flag}\""))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::plain(format!("required flag(s) {} not set", missing.join(", "))))
}

/// The command behind `--`.
fn command(call: &Call) -> Value {
    let from = call.flags.before_dashes.unwrap_or(call.operands().len());
    call.operands()[from..].iter().map(|word| Value::from(word.clone())).collect()
}

/// The Job that a CronJob would make.
fn job_of_cron_job(call: &Call, name: &str, from: &str) -> Result<Value, Failure> {
    let (kind, source) = from.split_once('/').unwrap_or(("cronjob", from));
    if Kind::of_resource(kind) != Some(Kind::CronJob) {
        return Err(Failure::plain("from must be an existing cronjob"));
    }
    let source = call.get(Kind::CronJob, &call.namespace, source)?;
    let template = source.spec().get("jobTemplate");
    let mut metadata = value!({
        "name": (name.to_owned()),
        "annotations": (template.at(&["metadata", "annotations"]).clone()),
        "ownerReferences": [{
            "apiVersion": "batch/v1",
            "controller": true,
            "kind": "CronJob",
            "name": (source.name().clone()),
            "uid": (source.meta.uid.clone())
        }]
    });
    metadata.field_mut("annotations").set("cronjob.kubernetes.io/instantiate", "manual");
    let labels = template.at(&["metadata", "labels"]);
    if !labels.is_empty() {
        metadata.set("labels", labels.clone());
    }
    Ok(value!({ "metadata": metadata, "spec": (template.get("spec").clone()), "status": {} }))
}

/// The Pod of a Job with the command behind `--`.
fn pod_spec(call: &Call, name: &str, restart: &str) -> Value {
    let command = command(call);
    let mut container = value!({
        "image": (SmolStr::new(call.text("image"))), "name": (name.to_owned()), "resources": {}
    });
    if !command.is_empty() {
        container.set("command", command);
    }
    value!({ "containers": [container], "restartPolicy": (SmolStr::new(restart)) })
}

fn job(call: &Call) -> Outcome {
    let name = one_name(call)?;
    let (image, from) = (call.text("image"), call.text("from"));
    if image.is_empty() == from.is_empty() {
        return Err(Failure::plain("either --image or --from must be specified"));
    }
    if !from.is_empty() {
        if !command(call).is_empty() {
            return Err(Failure::plain("cannot specify --from and command"));
        }
        return generate(call, Kind::Job, job_of_cron_job(call, name, from)?, "failed to create job: ");
    }
    let document = value!({
        "metadata": { "name": (name.to_owned()) },
        "spec": { "template": { "metadata": {}, "spec": (pod_spec(call, name, "Never")) } },
        "status": {}
    });
    generate(call, Kind::Job, document, "failed to create job: ")
}

fn cron_job(call: &Call) -> Outcome {
    let name = one_name(call)?;
    required(call, &["image", "schedule"])?;
    let restart = Some(call.text("restart")).filter(|policy| !policy.is_empty()).unwrap_or("OnFailure");
    let document = value!({
        "metadata": { "name": (name.to_owned()) },
        "spec": {
            "jobTemplate": {
                "metadata": { "name": (name.to_owned()) },
                "spec": { "template": { "metadata": {}, "spec": (pod_spec(call, name, restart)) } }
            },
            "schedule": (SmolStr::new(call.text("schedule")))
        },
        "status": {}
    });
    generate(call, Kind::CronJob, document, "failed to create cronjob: ")
}

fn ingress(call: &Call) -> Outcome {
    let name = one_name(call)?;
    let mut rules = Vec::new();
    for text in call.flags.values("rule") {
        rules.push(rule(text).ok_or_else(|| {
            Failure::plain(format!(
                "rule {text} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]"
            ))
        })?);
    }
    if rules.is_empty() {
        return Err(Failure::plain(
            "not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)",
        ));
    }
    let mut spec = value!({ "rules": rules });
    if let Some(class) = call.flags.value("class") {
        spec.set("ingressClassName", SmolStr::new(class));
    }
    let document = value!({
        "metadata": { "name": (name.to_owned()) }, "spec": spec, "status": { "loadBalancer": {} }
    });
    generate(call, Kind::Ingress, document, "failed to create ingress: ")
}

/// `foo.com/bar*=svc:80` as a rule.
fn rule(text: &str) -> Option<Value> {
    let (place, backend) = text.split(',').next()?.split_once('=')?;
    let (host, path) = place.split_once('/')?;
    let (service, port) = backend.split_once(':')?;
    let port = match port.parse::<u16>() {
        Ok(number) => value!({ "number": number }),
        Err(_) => value!({ "name": (port.to_owned()) }),
    };
    let (path, kind) = match path.strip_suffix('*') {
        Some(path) => (path, "Prefix"),
        None => (path, "Exact"),
    };
    let mut rule = value!({
        "http": { "paths": [{
            "backend": { "service": { "name": (service.to_owned()), "port": port } },
            "path": (format!("/{path}")),
            "pathType": kind
        }] }
    });
    if !host.is_empty() {
        rule.set("host", SmolStr::new(host));
    }
    Some(rule)
}
