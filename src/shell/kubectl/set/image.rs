//! `kubectl set image` and `kubectl set resources`.

use super::{LOCAL, change_containers, is_meant, send, split, targets};
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
    let (words, changes) = split(&call, |word| word.contains('='));
    if words.is_empty() && call.flags.value("filename").is_none() {
        return Err(super::super::resources::nothing_named());
    }
    if changes.is_empty() && words.iter().all(|word| word.contains('/')) {
        return Err(Failure::plain("at least one image update is required"));
    }
    let (found, mut failures) = targets(&call, &words).await?;
    let mut changed = Vec::new();
    for found in &found {
        match set_images(&found.object, &changes) {
            Ok(value) => changed.push((found.object.as_ref(), value)),
            Err(failure) => failures.push(failure),
        }
    }
    failures.extend(send(&call, changed, "image updated").err());
    Failure::of(failures)
}

fn set_images(object: &crate::api::object::Object, changes: &[String]) -> Result<Value, Failure> {
    let mut value = object.value.clone();
    for change in changes {
        let (name, image) = change.split_once('=').unwrap_or((change, ""));
        let present = crate::api::object::Object { value, ..object.clone() };
        let (next, taken) = change_containers(&present, |container| {
            let meant = is_meant(name, container.get("name").str());
            if meant {
                container.set("image", SmolStr::new(image));
            }
            meant
        })?;
        if taken == 0 {
            return Err(Failure::plain(format!("unable to find container named \"{name}\"")));
        }
        value = next;
    }
    Ok(value)
}

/// `cpu=1,memory=64Mi` as a map.
fn amounts(text: &str) -> Result<Map, Failure> {
    let mut map = Map::default();
    for pair in text.split(',').filter(|pair| !pair.is_empty()) {
        let (name, amount) = pair.split_once('=').ok_or_else(|| {
            Failure::plain(format!("invalid argument syntax {pair}, expected <resource>=<value>"))
        })?;
        map.insert(name, SmolStr::new(amount).into());
    }
    Ok(map)
}

async fn resources(call: Call) -> Outcome {
    let (limits, requests) = (amounts(call.text("limits"))?, amounts(call.text("requests"))?);
    if limits.is_empty() && requests.is_empty() {
        return Err(Failure::plain(
            "you must specify an update to requests or limits (in the form of --requests/--limits)",
        ));
    }
    let pattern = Some(call.text("containers")).filter(|name| !name.is_empty()).unwrap_or("*").to_owned();
    let (found, mut failures) = targets(&call, call.operands()).await?;
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
            Ok((value, _)) => changed.push((found.object.as_ref(), value)),
            Err(failure) => failures.push(failure),
        }
    }
    failures.extend(send(&call, changed, "resource requirements updated").err());
    Failure::of(failures)
}
