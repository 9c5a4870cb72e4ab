//! `kubectl explain`: the fields of a kind, with their types.
//!
//! The prose of the real command is not repeated here; what is printed are the facts of the schema.

use super::call::Call;
use super::failure::{Failure, Outcome};
use super::resources::kind;
use super::tabs;
use super::verb::{Action, Operands, Verb, flags};
use crate::api::schema::{Field, Shape, TypeId, schema};
use crate::shell::command::{Flag, Value, not_simulated, option, switch};
use crate::words::Words;

const OWN: &[Flag] = &[
    switch('\0', "recursive", "show the fields of fields as well", "同时显示下级字段"),
    option('\0', "api-version", Value::Text, "the version of the API", "API 版本"),
    not_simulated('o', "output", Value::Text, "kubectl explain TYPE"),
];
/// Fields of fields are shown so deep.
const DEPTH: usize = 12;

/// `explain`.
pub static VERB: Verb = Verb {
    name: "explain",
    aliases: &[],
    usage: "TYPE[.FIELD]... [--recursive]",
    summary: Words { en: "list the fields of a kind", zh: "列出资源类型的字段" },
    flags: flags![OWN],
    children: &[],
    operands: Operands::Resources,
    action: Action::Now(run),
};

fn run(call: &Call) -> Outcome {
    let path = match call.operands() {
        [path] => path,
        [] => {
            return Err(Failure::plain(
                "You must specify the type of resource to explain. Use \"kubectl api-resources\" for a complete list of supported resources.",
            ));
        }
        _ => return Err(call.usage_error("We accept only this format: explain RESOURCE")),
    };
    let mut names = path.split('.');
    let kind = kind(names.next().unwrap_or(""))?;
    let info = kind.info();
    let mut at = schema().kind(info.api_version, info.name).expect("every kind has a schema");
    let mut field: Option<&'static Field> = None;
    for name in names {
        let next = schema().get(at).field(name);
        let Some(next) = next.filter(|_| field.is_none_or(|field| struct_of(field).is_some())) else {
            return Err(Failure::plain(format!("field \"{name}\" does not exist")));
        };
        at = struct_of(next).unwrap_or(at);
        field = Some(next);
    }
    let mut text = String::new();
    if !info.group.is_empty() {
        text.push_str(&format!("GROUP:      {}\n", info.group));
    }
    text.push_str(&format!("KIND:       {}\nVERSION:    {}\n", info.name, info.version));
    if let Some(field) = field {
        text.push_str(&format!("\nFIELD: {} <{}>\n", field.name, type_name(&field.shape)));
        if !field.words.is_empty() {
            text.push_str(&format!("ENUM:\n    {}\n", field.words.join("\n    ")));
        }
    }
    if field.is_none_or(|field| struct_of(field).is_some()) {
        let mut fields = String::new();
        list(at, 1, call.has("recursive"), &mut fields);
        text.push_str("\nFIELDS:\n");
        text.push_str(&tabs::aligned(&fields, tabs::DESCRIBE));
    }
    call.write(&text);
    Ok(())
}

fn struct_of(field: &Field) -> Option<TypeId> {
    field.shape.innermost()
}

fn list(at: TypeId, depth: usize, recursive: bool, out: &mut String) {
    for field in &schema().get(at).fields {
        let required = if field.required { " -required-" } else { "" };
        let indent = "  ".repeat(depth);
        out.push_str(&format!("{indent}{}\t<{}>{required}\n", field.name, type_name(&field.shape)));
        if let Some(inner) = struct_of(field).filter(|_| recursive && depth < DEPTH) {
            list(inner, depth + 1, recursive, out);
        }
    }
}

/// A type as the real command names it: `[]ServicePort`, `map[string]string`.
fn type_name(shape: &Shape) -> String {
    match shape {
        Shape::String | Shape::Quantity | Shape::Time | Shape::MicroTime | Shape::Bytes => {
            "string".to_owned()
        }
        Shape::Boolean => "boolean".to_owned(),
        Shape::Int32 | Shape::Int64 => "integer".to_owned(),
        Shape::IntOrString => "IntOrString".to_owned(),
        Shape::Object => "Object".to_owned(),
        Shape::Struct(id) => schema().get(*id).short_name().to_owned(),
        Shape::List(inner) => format!("[]{}", type_name(inner)),
        Shape::Map(inner) => format!("map[string]{}", type_name(inner)),
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::check;

    #[test]
    fn fields_are_listed_with_their_types() {
        check(
            "kubectl explain svc.spec.type | head -n 4; kubectl explain deploy.spec | grep -w replicas",
            "KIND:       Service\nVERSION:    v1\n\nFIELD: type <string>\n  replicas                 <integer>",
            0,
        );
        check("kubectl explain svc.nosuch", "error: field \"nosuch\" does not exist", 1);
        check("kubectl explain foo", "error: the server doesn't have a resource type \"foo\"", 1);
    }
}
