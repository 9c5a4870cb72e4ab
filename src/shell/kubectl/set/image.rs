//! `kubectl set image` and `kubectl set resources`.

use super::{
    LOCAL, Unchanged, Wording, change_containers, flat, is_meant, refuse_contradictions, send, split, targets,
};
use crate::api::object::Object;
use crate::api::quantity::Quantity;
use crate::api::value::{Map, SmolStr, Value};
use crate::shell::command::{Flag, Value as Argument, option};
use crate::shell::kubectl::call::Call;
use crate::shell::kubectl::failure::{Failure, Outcome};
use crate::shell::kubectl::record::RECORD;
use crate::shell::kubectl::verb::{
    ALL, Action, DRY_RUN, FIELD_MANAGER, FILES, OUTPUT, Operands, SELECTOR, Verb, flags,
};
use crate::words::Words;

const AMOUNTS: &[Flag] = &[
    option('c', "containers", Argument::Text, "the containers, * for all", "容器名称，* 表示全部"),
    option('\0', "limits", Argument::Text, "cpu=AMOUNT,memory=AMOUNT", "cpu=数量,memory=数量"),
    option('\0', "requests", Argument::Text, "cpu=AMOUNT,memory=AMOUNT", "cpu=数量,memory=数量"),
];

/// `set image`.
pub static IMAGE: Verb = Verb {
    name: "image",
    aliases: &[],
    usage: "TYPE/NAME CONTAINER=IMAGE...",
    summary: Words { en: "set the image of containers", zh: "设置容器镜像" },
    flags: flags![LOCAL, RECORD, ALL, SELECTOR, OUTPUT, DRY_RUN, FIELD_MANAGER, FILES],
    children: &[],
    operands: Operands::Resources,
    action: Action::Waits(|call| Box::pin(image(call))),
};

/// `set resources`.
pub static RESOURCES: Verb = Verb {
    name: "resources",
    aliases: &[],
    usage: "TYPE/NAME --limits=AMOUNTS --requests=AMOUNTS",
    summary: Words {
        en: "set what containers request and may use", zh: "设置容器的资源请求与上限"
    },
    flags: flags![AMOUNTS, LOCAL, RECORD, ALL, SELECTOR, OUTPUT, DRY_RUN, FIELD_MANAGER, FILES],
    children: &[],
    operands: Operands::Resources,
    action: Action::Waits(|call| Box::pin(resources(call))),
};

async fn image(call: Call) -> Outcome {
    let (words, changes) = split(&call, "image")?;
    let changes: Vec<(&str, &str)> = changes.iter().filter_map(|change| change.split_once('=')).collect();
    let found = targets(&call, &words).await?;
    if changes.is_empty() {
        return Err(Failure::plain("at least one image update is required"));
    }
    if changes.len() > 1 && changes.iter().any(|(name, _)| *name == "*") {
        return Err(Failure::plain(
            "all containers are already specified by *, but saw more than one container_name=container_image pairs",
        ));
    }
    refuse_contradictions(&call)?;
    let mut failures = Vec::new();
    let mut changed = Vec::new();
    for found in &found {
        match set_images(&found.object, &changes, &mut failures) {
            Ok(value) => changed.push((found.object.as_ref(), value)),
            Err(failure) => failures.push(failure),
        }
    }
    failures.extend(send(&call, changed, IMAGE_WORDING).err());
    Failure::of(flat(failures))
}

const IMAGE_WORDING: Wording = Wording {
    done: "image updated",
    failed: "failed to patch image update to pod template: ",
    unchanged: Unchanged::Skipped,
};

/// Sets what can be set; a container that is not there is an error beside it.
fn set_images(
    object: &Object,
    changes: &[(&str, &str)],
    failures: &mut Vec<Failure>,
) -> Result<Value, Failure> {
    let mut missing: Vec<&str> = changes.iter().map(|(name, _)| *name).collect();
    let (value, _) = change_containers(object, |container| {
        let name = container.get("name").smol();
        for (pattern, image) in changes.iter().filter(|(pattern, _)| is_meant(pattern, &name)) {
            missing.retain(|held| held != pattern);
            container.set("image", SmolStr::new(image));
        }
        true
    })?;
    let each = |name| Failure::plain(format!("error: unable to find container named {name:?}"));
    failures.extend(missing.into_iter().map(each));
    Ok(value)
}

/// `cpu=1,memory=64Mi` as a map.
fn amounts(text: &str) -> Result<Map, Failure> {
    let mut map = Map::default();
    for pair in text.split(',').filter(|_| !text.is_empty()) {
        let [name, amount] = pair.split('=').collect::<Vec<_>>()[..] else {
            return Err(Failure::plain(format!(
                "Invalid argument syntax {pair}, expected <resource>=<value>"
            )));
        };
        Quantity::parse(amount).map_err(|why| Failure::plain(why.to_string()))?;
        map.insert(name, SmolStr::new(amount).into());
    }
    Ok(map)
}

async fn resources(call: Call) -> Outcome {
    let found = targets(&call, call.operands()).await?;
    refuse_contradictions(&call)?;
    if call.text("limits").is_empty() && call.text("requests").is_empty() {
        return Err(Failure::plain(
            "you must specify an update to requests or limits (in the form of --requests/--limits)",
        ));
    }
    let (limits, requests) = (amounts(call.text("limits"))?, amounts(call.text("requests"))?);
    let pattern = Some(call.text("containers")).filter(|name| !name.is_empty()).unwrap_or("*").to_owned();
    let mut failures = Vec::new();
    let mut changed = Vec::new();
    for found in &found {
        let set = change_containers(&found.object, |container| {
            let meant = is_meant(&pattern, container.get("name").str());
            if meant {
                for (field, amounts) in [("limits", &limits), ("requests", &requests)] {
                    for (name, amount) in amounts.iter() {
                        *container.at_mut(&["resources", field, name]) = amount.clone();
                    }
                }
            }
            meant
        });
        match set {
            Ok((_, 0)) => {
                failures.push(Failure::plain(format!("error: unable to find container named {pattern}")));
            }
            Ok((value, _)) => changed.push((found.object.as_ref(), value)),
            Err(failure) => failures.push(failure),
        }
    }
    failures.extend(send(&call, changed, RESOURCES_WORDING).err());
    Failure::of(flat(failures))
}

const RESOURCES_WORDING: Wording = Wording {
    done: "resource requirements updated",
    failed: "failed to patch resources update to pod template ",
    unchanged: Unchanged::Said,
};

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    fn web(command: &str, expected: &str, status: i32) {
        check(
            &format!("kubectl create deployment web --image=nginx,redis >/dev/null; {command}"),
            expected,
            status,
        );
    }

    #[test]
    fn images_are_set_where_the_container_is_there() {
        web("kubectl set image deploy web", "error: at least one image update is required", 1);
        web(
            "kubectl set image deploy web nginx=nginx:1 x=y; kubectl get deploy web -o jsonpath='{.spec.template.spec.containers[0].image}'",
            "deployment.apps/web image updated\nerror: unable to find container named \"x\"\nnginx:1",
            0,
        );
        web(
            "kubectl set image deploy web x=y z=y",
            "error: unable to find container named \"x\"\nerror: unable to find container named \"z\"",
            1,
        );
        web(
            "kubectl set image deploy web '*=y' nginx=y",
            "error: all containers are already specified by *, but saw more than one container_name=container_image pairs",
            1,
        );
        web(
            "kubectl set image deploy web nginx=",
            "error: failed to patch image update to pod template: Deployment.apps \"web\" is invalid: spec.template.spec.containers[0].image: Required value",
            1,
        );
        check(
            "kubectl set image svc/kubernetes a=b",
            "error: services/kubernetes the object is not a pod or does not have a pod template: *v1.Service",
            1,
        );
        web(
            "kubectl set image deploy web nosuch nginx=nginx:1",
            "Error from server (NotFound): deployments.apps \"nosuch\" not found",
            1,
        );
    }

    #[test]
    fn resources_say_what_did_not_change() {
        web(
            "kubectl set resources deploy web --limits=cpu=1; kubectl set resources deploy web --limits=cpu=1",
            "deployment.apps/web resource requirements updated\nerror: info: deployments/web was not changed",
            1,
        );
        web(
            "kubectl set resources deploy web --limits=cpu=abc",
            "error: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            1,
        );
        web(
            "kubectl set resources deploy web --limits=cpu",
            "error: Invalid argument syntax cpu, expected <resource>=<value>",
            1,
        );
        web(
            "kubectl set resources deploy web -c x --limits=cpu=1",
            "error: unable to find container named x",
            1,
        );
    }
}
