//! `--overrides`: changing what `run` and `expose` generated before it is sent.

use super::call::Call;
use super::failure::Failure;
use crate::api::json;
use crate::api::patch::{json_patch, merge, strategic};
use crate::api::registry::Kind;
use crate::api::schema::schema;
use crate::api::value::Value;
use crate::shell::command::{Flag, Value as Argument, option};

/// The flags.
pub const OVERRIDES: &[Flag] = &[
    option(
        '\0',
        "overrides",
        Argument::Text,
        "JSON that changes what is generated",
        "用于修改生成内容的 JSON",
    ),
    option(
        '\0',
        "override-type",
        Argument::OneOf(&["json", "merge", "strategic"]),
        "how --overrides is merged",
        "--overrides 的合并方式",
    ),
];

/// A generated object of a kind, as the flags change it.
///
/// # Errors
/// A text that is no JSON, a way of merging that does not exist, or a patch that does not fit.
pub fn overridden(call: &Call, kind: Kind, generated: Value) -> Result<Value, Failure> {
    let text = call.text("overrides");
    if text.is_empty() {
        return Ok(generated);
    }
    let patch = json::parse(text).map_err(|_| Failure::plain("Invalid JSON Patch"));
    let changed = match call.text("override-type") {
        "" | "merge" => return Ok(merge::apply(&generated, &patch?)),
        "json" => json_patch::apply(&generated, &patch?),
        "strategic" => {
            let info = kind.info();
            let type_id = schema().kind(info.api_version, info.name).expect("every kind has a schema");
            strategic::apply(&generated, &patch?, type_id)
        }
        other => return Err(Failure::plain(format!("invalid override type: {other}"))),
    };
    changed.map_err(|why| Failure::plain(why.message))
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check_in_world as check;

    #[test]
    fn the_three_ways_of_merging_differ() {
        let run = |flags: &str| {
            format!(
                "kubectl run a --image=nginx --dry-run=client -o jsonpath='{{.spec.containers[0].image}}|{{.spec.nodeName}}' {flags}"
            )
        };
        check(&run("--overrides='{\"spec\":{\"nodeName\":\"n\"}}'"), "nginx|n", 0);
        let containers = "--overrides='{\"spec\":{\"containers\":[{\"name\":\"a\",\"tty\":true}]}}'";
        check(&run(containers), "|", 0);
        check(&run(&format!("{containers} --override-type=strategic")), "nginx|", 0);
        check(
            &run(
                "--override-type=json --overrides='[{\"op\":\"add\",\"path\":\"/spec/nodeName\",\"value\":\"x\"}]'",
            ),
            "nginx|x",
            0,
        );
        check(&run("--override-type=x --overrides='{}'"), "error: invalid override type: x", 1);
        check(&run("--overrides='{bad'"), "error: Invalid JSON Patch", 1);
    }
}
