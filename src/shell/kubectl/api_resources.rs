//! `kubectl api-resources` and `kubectl api-versions`.

use super::call::Call;
use super::discovery::{self, Resource};
use super::failure::{Failure, Outcome};
use super::verb::{Action, Operands, Verb, flags};
use crate::shell::command::{Flag, Value, option, switch};
use crate::words::Words;

const OWN: &[Flag] = &[
    option('\0', "api-group", Value::Text, "only this API group", "只显示该 API 组"),
    switch(
        '\0',
        "namespaced",
        "only what lives in namespaces, or not",
        "只显示属于（或不属于）命名空间的资源",
    ),
    option('\0', "verbs", Value::Text, "only what has these verbs", "只显示支持这些动词的资源"),
    option('\0', "categories", Value::Text, "only what is in these categories", "只显示属于这些分类的资源"),
    option('o', "output", Value::OneOf(&["name", "wide"]), "the form of the output", "输出格式"),
    switch('\0', "no-headers", "leave the header line away", "不显示表头"),
    option('\0', "sort-by", Value::OneOf(&["name", "kind"]), "the order", "排序方式"),
    switch('\0', "cached", "use what is cached", "使用缓存"),
    switch('\0', "show-managed-fields", "for yaml and json", "用于 yaml 和 json"),
];

/// `api-resources`.
pub static RESOURCES: Verb = Verb {
    name: "api-resources",
    aliases: &[],
    usage: "",
    summary: Words { en: "list the types of objects", zh: "列出所有资源类型" },
    flags: flags![OWN],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Now(resources),
};

/// `api-versions`.
pub static VERSIONS: Verb = Verb {
    name: "api-versions",
    aliases: &[],
    usage: "",
    summary: Words { en: "list API groups with their versions", zh: "列出 API 组及版本" },
    flags: flags![],
    children: &[],
    operands: Operands::Nothing,
    action: Action::Now(versions),
};

/// What stands between two columns, beyond the widest cell.
const GAP: usize = 3;

/// These verbs take flags alone.
fn no_operands(call: &Call) -> Outcome {
    match call.operands() {
        [] => Ok(()),
        words => Err(call.usage_error(&format!("unexpected arguments: [{}]", words.join(" ")))),
    }
}

fn resources(call: &Call) -> Outcome {
    no_operands(call)?;
    let mut chosen: Vec<&Resource> = discovery::RESOURCES.iter().filter(|one| shown(call, one)).collect();
    match call.text("sort-by") {
        "" => {}
        "name" => chosen.sort_by_key(|resource| resource.name),
        "kind" => chosen.sort_by_key(|resource| resource.kind),
        _ => return Err(Failure::plain("--sort-by accepts only name or kind")),
    }
    match call.text("output") {
        "name" => {
            for resource in chosen {
                call.say(&resource.group_resource());
            }
            Ok(())
        }
        "" | "wide" => {
            table(call, &chosen, call.text("output") == "wide");
            Ok(())
        }
        other => Err(Failure::plain(format!("--output {other} is not available in kubectl api-resources"))),
    }
}

fn shown(call: &Call, resource: &Resource) -> bool {
    let has_all =
        |wanted: &str, held: &str| wanted.split(',').all(|one| held.split(',').any(|held| held == one));
    let group = call.flags.value("api-group").is_none_or(|group| group == resource.group());
    let scope = call.flags.value("namespaced").is_none_or(|flag| (flag != "false") == resource.namespaced);
    let verbs = call.flags.value("verbs").is_none_or(|verbs| has_all(verbs, resource.verbs));
    let categories = call.flags.value("categories").is_none_or(|list| has_all(list, resource.categories));
    group && scope && verbs && categories
}

fn table(call: &Call, resources: &[&Resource], wide: bool) {
    let mut rows: Vec<Vec<&str>> = Vec::new();
    if !call.has("no-headers") {
        rows.push(vec!["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND", "VERBS", "CATEGORIES"]);
    }
    for one in resources {
        let namespaced = if one.namespaced { "true" } else { "false" };
        rows.push(vec![one.name, one.short, one.version, namespaced, one.kind, one.verbs, one.categories]);
    }
    let columns = if wide { 7 } else { 5 };
    let widths: Vec<usize> =
        (0..columns).map(|at| rows.iter().map(|row| row[at].len()).max().unwrap_or(0) + GAP).collect();
    for row in rows {
        let mut line = String::new();
        for (at, cell) in row.iter().take(columns).enumerate() {
            line.push_str(cell);
            if at + 1 < columns {
                line.extend(std::iter::repeat_n(' ', widths[at] - cell.len()));
            }
        }
        call.say(&line);
    }
}

fn versions(call: &Call) -> Outcome {
    no_operands(call)?;
    let mut versions: Vec<&str> = discovery::RESOURCES.iter().map(|resource| resource.version).collect();
    versions.extend(discovery::FURTHER_VERSIONS);
    versions.sort_unstable();
    versions.dedup();
    for version in versions {
        call.say(version);
    }
    Ok(())
}
