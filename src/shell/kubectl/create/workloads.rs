//! `kubectl create job` and `cronjob`.

use super::{GENERATED, generate, one_name, required};
use crate::api::registry::Kind;
use crate::api::value::{SmolStr, Value};
use crate::shell::command::{Flag, Value as Argument, option};
use crate::shell::kubectl::call::Call;
use crate::shell::kubectl::failure::{Failure, Outcome};
use crate::shell::kubectl::resources::{self, Found, Reading};
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

/// The command behind `--`.
fn command(call: &Call) -> Value {
    let from = call.flags.before_dashes.unwrap_or(call.operands().len());
    call.operands()[from..].iter().map(|word| Value::from(word.clone())).collect()
}

/// The Job that a CronJob would make.
fn job_of_cron_job(call: &Call, name: &str, from: &str) -> Result<Value, Failure> {
    let queries = resources::queries(call, &[from.to_owned()], Vec::new(), Reading::default())?;
    let (found, failures) = resources::objects(call, &queries);
    Failure::of(failures)?;
    let [Found { object: source, .. }] = found.as_slice() else {
        return Err(Failure::plain("from must be an existing cronjob"));
    };
    let info = source.key.kind.info();
    if source.key.kind != Kind::CronJob {
        return Err(Failure::plain(format!("unknown object type *{}.{}", info.version, info.name)));
    }
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
    required(call, &["image", "schedule"])?;
    let name = one_name(call)?;
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

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn a_cron_job_needs_an_image_and_a_schedule() {
        check("kubectl create cronjob", "error: required flag(s) \"image\", \"schedule\" not set", 1);
        check("kubectl create cj c --image=a", "error: required flag(s) \"schedule\" not set", 1);
    }

    #[test]
    fn a_job_is_made_from_a_cron_job_alone() {
        check("kubectl create job j --from=x", "error: the server doesn't have a resource type \"x\"", 1);
        check(
            "kubectl create job j --from=cronjob",
            "error: resource(s) were provided, but no name was specified",
            1,
        );
        check("kubectl create job j --from=pod/x", "Error from server (NotFound): pods \"x\" not found", 1);
        check("kubectl create job j --from=svc/kubernetes", "error: unknown object type *v1.Service", 1);
    }
}
