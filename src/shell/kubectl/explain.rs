//! `kubectl explain`: the fields of a kind, with their types and what they are for.
//!
//! Owns the layout of the real command. The fields are the schema's; the descriptions are Portside's own
//! words ([`field_words`]), in the language of the page. Source: kubectl's template `plaintext.tmpl`.

use super::call::Call;
use super::discovery::{self, Resource};
use super::failure::{Failure, Outcome};
use super::verb::{Action, Operands, Verb, flags};
use super::wrap::wrapped;
use crate::api::field_words;
use crate::api::schema::{Field, TypeId, schema};
use crate::shell::command::{Flag, Value, option, switch};
use crate::words::{Language, Words};

const OWN: &[Flag] = &[
    switch('\0', "recursive", "show the fields of fields as well", "同时显示下级字段"),
    option('\0', "api-version", Value::Text, "the version of the API", "API 版本"),
    option('o', "output", Value::Text, "the form of the output: plaintext", "输出格式：plaintext"),
];
/// The width of a description with what is before it, as kubectl has it; a narrower terminal makes it narrower.
const COLUMNS: usize = 80;
/// The narrowest terminal that is thought of: a phone's.
const NARROWEST: usize = 30;
/// So many words of an enum are shown where fields are listed.
const ENUM_WORDS: usize = 4;

/// `explain`.
pub static VERB: Verb = Verb {
    name: "explain",
    aliases: &[],
    usage: "TYPE[.FIELD]... [--recursive]",
    summary: Words { en: "explain a kind or one of its fields", zh: "解释资源类型及其字段" },
    flags: flags![OWN],
    children: &[],
    operands: Operands::Resources,
    action: Action::Now(run),
};

fn run(call: &Call) -> Outcome {
    let path = match call.operands() {
        [path] => path.strip_suffix('.').unwrap_or(path),
        [] => {
            return Err(Failure::plain(
                "You must specify the type of resource to explain. Use \"kubectl api-resources\" for a complete list of supported resources.",
            ));
        }
        _ => return Err(Failure::plain("We accept only this format: explain RESOURCE")),
    };
    let (resource, names) = asked(path, call.text("api-version"))?;
    match call.text("output") {
        "" | "plaintext" => {}
        "plaintext-openapiv2" => {
            let what = "explain --output=plaintext-openapiv2".to_owned();
            return Err(Failure::NotSimulated(what, "kubectl explain TYPE"));
        }
        other => return Err(Failure::plain(format!("unrecognized format: {other}"))),
    }
    let Some(kind) = schema().kind(resource.version, resource.kind) else {
        return Err(Failure::NotSimulated(format!("the kind {}", resource.kind), "kubectl api-resources"));
    };
    let Some(subject) = find(kind, &names) else {
        let last = names.last().copied().unwrap_or_default();
        return Err(Failure::plain(format!("field \"{last}\" does not exist")));
    };
    let terminal = call.invocation.tty.as_ref().filter(|_| call.invocation.stdout().is_terminal());
    let columns = terminal.map_or(COLUMNS, |tty| tty.columns().clamp(NARROWEST, COLUMNS));
    let page = Page { language: call.host().language(), columns, recursive: call.has("recursive") };
    call.write(&page.text(resource, &subject));
    Ok(())
}

/// The resource that a path begins with, in the version asked for, and the names of the fields behind it.
fn asked<'a>(path: &'a str, version: &str) -> Result<(&'static Resource, Vec<&'a str>), Failure> {
    let mut steps = path.split('.');
    let word = steps.next().unwrap_or_default();
    let (word, selector) = word.split_once('[').map_or((word, false), |(word, _)| (word, true));
    let found = discovery::named(word);
    let Some(&first) = found.first() else {
        return Err(Failure::plain(format!("the server doesn't have a resource type \"{word}\"")));
    };
    // Without a version, the group may stand behind the resource: `deployments.apps.spec`.
    let within = |resource: &&&Resource| path.starts_with(&resource.group_resource());
    let whole = found.iter().find(|resource| version.is_empty() && within(resource));
    let names: Vec<&str> = match whole {
        Some(whole) => path[whole.group_resource().len()..].split('.').skip(1).collect(),
        None => steps.collect(),
    };
    if selector || names.iter().any(|name| name.is_empty() || *name == "*" || name.contains('[')) {
        let which = if version.is_empty() {
            "first node must be field node"
        } else {
            "all nodes must be field nodes"
        };
        return Err(Failure::plain(format!("invalid jsonpath syntax, {which}")));
    }
    let resource = whole.copied().unwrap_or(first);
    if version.is_empty() { Ok((resource, names)) } else { Ok((in_version(resource, version)?, names)) }
}

/// The resource of the same name in the version that `--api-version` asks for.
fn in_version(resource: &Resource, version: &str) -> Result<&'static Resource, Failure> {
    if version.matches('/').count() > 1 {
        return Err(Failure::plain(format!("unexpected GroupVersion string: {version}")));
    }
    let (group, number) = version.rsplit_once('/').unwrap_or(("", version));
    let asked = format!("{group}/{number}, Resource={}", resource.name);
    if discovery::FURTHER_VERSIONS.contains(&version) {
        return Err(Failure::NotSimulated(format!("API version {version}"), "kubectl explain TYPE"));
    }
    let mut served = discovery::RESOURCES.iter().filter(|one| one.version == version).peekable();
    if served.peek().is_none() {
        return Err(Failure::plain(format!("couldn't find resource for \"{asked}\"")));
    }
    let found = served.find(|one| one.name == resource.name);
    found.ok_or_else(|| Failure::plain(format!("GVR ({asked}) not found in OpenAPI schema")))
}

/// What is explained: a kind, or a field of a type.
struct Subject {
    /// The type whose fields are listed.
    fields_of: Option<TypeId>,
    /// The type that is described behind the field.
    name: Option<&'static str>,
    /// The field, with the type that has it.
    field: Option<(TypeId, &'static Field)>,
}

fn find(kind: TypeId, names: &[&str]) -> Option<Subject> {
    let name = Some(schema().get(kind).name.as_str());
    let mut subject = Subject { fields_of: Some(kind), name, field: None };
    for name in names {
        let owner = subject.fields_of?;
        let field = schema().get(owner).field(name)?;
        let shape = &field.shape;
        subject =
            Subject { fields_of: shape.innermost(), name: shape.type_name(), field: Some((owner, field)) };
    }
    Some(subject)
}

/// How a page is written.
struct Page {
    language: Language,
    /// How wide descriptions are, with what is before them.
    columns: usize,
    /// Whether the fields of fields are listed, without descriptions.
    recursive: bool,
}

impl Page {
    fn text(&self, resource: &Resource, subject: &Subject) -> String {
        let mut out = String::new();
        if !resource.group().is_empty() {
            out.push_str(&format!("GROUP:      {}\n", resource.group()));
        }
        out.push_str(&format!("KIND:       {}\nVERSION:    {}\n\n", resource.kind, resource.number()));
        if let Some((_, field)) = subject.field {
            out.push_str(&format!("FIELD: {} <{}>\n", field.name, field.shape));
            if !field.words.is_empty() {
                let words: Vec<&str> = field.words.iter().map(|word| shown(word)).collect();
                out.push_str(&format!("ENUM:\n    {}", words.join("\n    ")));
            }
            out.push_str("\n\n");
        }
        self.description(subject, &mut out);
        if let Some(of) = subject.fields_of {
            out.push_str("FIELDS:\n");
            self.fields(of, &mut vec![of], &mut out);
        }
        out.push('\n');
        out
    }

    /// What the field is for, and what its type is, each as a paragraph.
    fn description(&self, subject: &Subject, out: &mut String) {
        let of_field = subject.field.and_then(|(owner, field)| self.of_field(owner, field));
        let of_type = subject.name.and_then(|name| field_words::of_type(name, self.language));
        let mut paragraphs: Vec<&str> = of_field.into_iter().chain(of_type).collect();
        // Behind the last paragraph the template leaves an indented line.
        paragraphs.push(if paragraphs.is_empty() { "<empty>" } else { "" });
        out.push_str("DESCRIPTION:\n");
        for paragraph in paragraphs {
            self.indent(paragraph, 4, out);
        }
    }

    /// Lists the fields of the last type of `path`, which leads there from the page's own.
    fn fields(&self, of: TypeId, path: &mut Vec<TypeId>, out: &mut String) {
        let blanks = 2 * path.len();
        for field in &schema().get(of).fields {
            let required = if field.required { " -required-" } else { "" };
            let name = &field.name;
            out.push_str(&format!("{:blanks$}{name}\t<{}>{required}\n", "", field.shape));
            if !field.words.is_empty() {
                let words: Vec<&str> = field.words.iter().take(ENUM_WORDS).map(|word| shown(word)).collect();
                let more = if field.words.len() > ENUM_WORDS { ", ...." } else { "" };
                out.push_str(&format!("{:blanks$}enum: {}{more}\n", "", words.join(", ")));
            }
            if !self.recursive {
                self.indent(self.of_field(of, field).unwrap_or("<no description>"), blanks + 2, out);
                out.push('\n');
            } else if let Some(inner) = field.shape.innermost().filter(|inner| !path.contains(inner)) {
                path.push(inner);
                self.fields(inner, path, out);
                path.pop();
            }
        }
    }

    fn of_field(&self, owner: TypeId, field: &Field) -> Option<&'static str> {
        field_words::of_field(&schema().get(owner).name, &field.name, self.language)
    }

    /// Writes a paragraph below `blanks`.
    fn indent(&self, paragraph: &str, blanks: usize, out: &mut String) {
        for line in wrapped(paragraph, self.columns.saturating_sub(blanks).max(NARROWEST / 2)) {
            out.push_str(&format!("{:blanks$}{line}\n", ""));
        }
    }
}

/// A word of an enum as it is listed: an empty one can be seen.
fn shown(word: &str) -> &str {
    if word.is_empty() { "\"\"" } else { word }
}

#[cfg(test)]
mod tests;
