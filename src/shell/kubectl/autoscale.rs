//! `kubectl autoscale`: a HorizontalPodAutoscaler, which is stored and not simulated.

use super::call::{Call, DryRun};
use super::failure::{Failure, Outcome};
use super::manifests;
use super::output::{Format, Printer, done};
use super::record::{self, RECORD};
use super::resources::{Reading, objects, queries};
use super::verb::{Action, DRY_RUN, FIELD_MANAGER, FILES, OUTPUT, Operands, SAVE_CONFIG, Verb, flags};
use crate::api::object::Object;
use crate::api::patch::last_applied::with_last_applied;
use crate::api::registry::Kind;
use crate::api::value::{SmolStr, Value};
use crate::shell::command::{Flag, Value as Argument, option};
use crate::value;
use crate::words::Words;

const OWN: &[Flag] = &[
    option('\0', "max", Argument::Number, "the most Pods", "最大 Pod 数"),
    option('\0', "min", Argument::Number, "the fewest Pods", "最小 Pod 数"),
    option('\0', "cpu", Argument::Text, "the load to keep: 80% or 500m", "目标 CPU：80% 或 500m"),
    option(
        '\0',
        "cpu-percent",
        Argument::Number,
        "the load to keep, in percent",
        "目标 CPU 使用率（百分比）",
    ),
    option('\0', "memory", Argument::Text, "the memory to keep: 60% or 200Mi", "目标内存：60% 或 200Mi"),
    option('\0', "name", Argument::Text, "the name of the autoscaler", "自动伸缩器的名称"),
];

/// `autoscale`.
pub static VERB: Verb = Verb {
    name: "autoscale",
    aliases: &[],
    usage: "TYPE/NAME --max=COUNT [--min=COUNT] [--cpu=LOAD]",
    summary: Words {
        en: "store an autoscaler (nothing is scaled by it)",
        zh: "保存自动伸缩配置（不会实际伸缩）",
    },
    flags: flags![OWN, RECORD, OUTPUT, DRY_RUN, SAVE_CONFIG, FIELD_MANAGER, FILES],
    children: &[],
    operands: Operands::Resources,
    action: Action::Waits(|call| Box::pin(run(call))),
};

async fn run(call: Call) -> Outcome {
    let Some(max) = call.number("max") else {
        return Err(Failure::plain("required flag(s) \"max\" not set"));
    };
    if max < 1 {
        return Err(Failure::plain(format!("--max=MAXPODS is required and must be at least 1, max: {max}")));
    }
    let min = call.number("min").filter(|min| *min > 0);
    if let Some(min) = min.filter(|min| *min > max) {
        return Err(Failure::plain(format!(
            "--max=MAXPODS must be larger or equal to --min=MINPODS, max: {max}, min: {min}"
        )));
    }
    let (manifests, failures) = manifests::read(&call).await;
    if manifests.is_empty() && !failures.is_empty() {
        return Failure::of(failures);
    }
    let queries = queries(&call, call.operands(), manifests, Reading::default())?;
    let (found, mut failures) = objects(&call, &queries);
    let format = Format::of(&call, false)?;
    let printer = Printer::new(&call, &format);
    for found in &found {
        let made = create(&call, &found.object, (min, max))
            .and_then(|value| done(&call, &format, &printer, &value, "autoscaled"));
        failures.extend(made.err());
    }
    Failure::of(failures)
}

fn create(call: &Call, object: &Object, (min, max): (Option<i64>, i64)) -> Result<Value, Failure> {
    let info = object.key.kind.info();
    let scales = matches!(
        object.key.kind,
        Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet | Kind::ReplicationController
    );
    if !scales {
        let group = if info.group.is_empty() { String::new() } else { format!(".{}", info.group) };
        return Err(Failure::plain(format!("cannot autoscale a {}{group}", info.name)));
    }
    let name = if call.text("name").is_empty() { object.name().as_str() } else { call.text("name") };
    let mut value = value!({
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": { "name": (SmolStr::new(name)) },
        "spec": {
            "maxReplicas": max,
            "scaleTargetRef": {
                "apiVersion": (info.api_version), "kind": (info.name), "name": (object.name().clone())
            }
        },
        "status": { "currentMetrics": null, "desiredReplicas": 0 }
    });
    if let Some(min) = min {
        value.set_at(&["spec", "minReplicas"], min);
    }
    let metrics = metrics(call)?;
    if !metrics.is_empty() {
        value.set_at(&["spec", "metrics"], metrics);
    }
    record::annotate(call, &mut value);
    if call.has("save-config") {
        value = with_last_applied(&value);
    }
    let dry_run = call.dry_run()?;
    if dry_run == DryRun::Client {
        return Ok(value);
    }
    let created = call.create(Kind::HorizontalPodAutoscaler, object.namespace(), value, dry_run)?;
    Ok(created.value.clone())
}

/// The loads that flags ask for.
fn metrics(call: &Call) -> Result<Vec<Value>, Failure> {
    let mut metrics = Vec::new();
    for name in ["cpu", "memory"] {
        let mut amount = call.text(name).to_owned();
        if let Some(percent) = call.number("cpu-percent").filter(|percent| name == "cpu" && *percent > 0) {
            amount = format!("{percent}%");
        }
        if amount.is_empty() {
            continue;
        }
        let target = match amount.strip_suffix('%').map(str::parse::<i64>) {
            Some(Ok(percent)) => value!({ "averageUtilization": percent, "type": "Utilization" }),
            Some(Err(_)) => {
                return Err(Failure::plain(format!("invalid value for --{name}: {amount}")));
            }
            None => value!({ "averageValue": (SmolStr::new(&amount)), "type": "AverageValue" }),
        };
        metrics.push(value!({ "resource": { "name": name, "target": target }, "type": "Resource" }));
    }
    Ok(metrics)
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn an_autoscaler_is_stored() {
        check(
            "kubectl create deployment web --image=nginx >/dev/null; kubectl autoscale deployment web --min=2 --max=5 --cpu=80%; kubectl get hpa web -o jsonpath='{.spec.metrics[0].resource.target.averageUtilization} {.spec.scaleTargetRef.kind} {.spec.minReplicas}'",
            "horizontalpodautoscaler.autoscaling/web autoscaled\n80 Deployment 2",
            0,
        );
        check("kubectl autoscale svc kubernetes --max=2", "error: cannot autoscale a Service", 1);
    }
}
