//! How objects are printed: `-o yaml`, `json`, `name`, `jsonpath=…`, `custom-columns=…`.
//!
//! Owns the choice of the form and the forms of whole objects. Tables are in [`super::table`], describe in
//! [`super::describe`].

use super::call::Call;
use super::failure::Failure;
use super::jsonpath::Template;
use super::{columns, failure::Outcome, gotemplate, kyaml};
use crate::api::registry::Kind;
use crate::api::value::Value;
use crate::api::{json, yaml};

/// Forms that are offered for `-o`.
pub const FORMATS: &[&str] = &[
    "custom-columns=",
    "custom-columns-file=",
    "go-template=",
    "go-template-file=",
    "json",
    "jsonpath=",
    "jsonpath-as-json=",
    "jsonpath-file=",
    "kyaml",
    "name",
    "wide",
    "yaml",
];

/// A chosen form.
#[derive(Clone, Debug)]
pub enum Format {
    /// A table, or the line that says what was done.
    Default,
    /// A table with more columns.
    Wide,
    /// YAML.
    Yaml,
    /// JSON, indented.
    Json,
    /// `TYPE/NAME`.
    Name,
    /// A jsonpath template.
    Path(Template),
    /// A jsonpath template whose results are printed as JSON.
    PathAsJson(Template),
    /// Columns by jsonpath.
    Columns(columns::Columns),
    /// A Go template.
    Template(gotemplate::Template),
    /// YAML's flow style with every text in quotes.
    Kyaml,
}

/// The formats that kubectl names in its error; `tables` adds those of `get`.
fn allowed(tables: bool) -> &'static str {
    if tables {
        "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,wide,yaml"
    } else {
        "go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,yaml"
    }
}

impl Format {
    /// The form that a call asks for. `tables`: whether the verb prints tables.
    ///
    /// # Errors
    /// A form that does not exist or is not simulated.
    pub fn of(call: &Call, tables: bool) -> Result<Self, Failure> {
        let given = match call.text("output") {
            // A template alone is a Go template.
            "" if call.declares("template") && !call.text("template").is_empty() => "go-template",
            given => given,
        };
        let (name, argument) = match given.split_once('=') {
            Some((name, argument)) => (name, Some(argument)),
            None => (given, None),
        };
        let text = || template_text(call, name, argument);
        match name {
            "" => Ok(Self::Default),
            "wide" if tables => Ok(Self::Wide),
            "yaml" => Ok(Self::Yaml),
            "json" => Ok(Self::Json),
            "name" => Ok(Self::Name),
            "jsonpath" | "jsonpath-as-json" | "jsonpath-file" => {
                let text = text()?;
                let template = Template::parse(&text)
                    .map_err(|why| Failure::plain(format!("error parsing jsonpath {text}, {why}")))?;
                let template = template.with_missing_keys(keys_may_miss(call));
                Ok(if name == "jsonpath-as-json" { Self::PathAsJson(template) } else { Self::Path(template) })
            }
            "custom-columns" if tables => {
                columns::Columns::parse(argument.unwrap_or("")).map(Self::Columns).map_err(Failure::plain)
            }
            "custom-columns-file" if tables => {
                let text = read_file(call, argument.unwrap_or(""))?;
                columns::Columns::parse_file(&text).map(Self::Columns).map_err(Failure::plain)
            }
            "go-template" | "template" | "go-template-file" | "templatefile" => {
                let text = text()?;
                gotemplate::Template::parse(&text, keys_may_miss(call))
                    .map(Self::Template)
                    .map_err(|why| Failure::plain(format!("error parsing template {text}, {why}")))
            }
            "kyaml" => Ok(Self::Kyaml),
            _ => Err(Failure::plain(format!(
                "unable to match a printer suitable for the output format \"{given}\", allowed formats are: {}",
                allowed(tables)
            ))),
        }
    }

    /// Whether nothing but the default was asked for.
    pub fn is_default(&self) -> bool {
        matches!(self, Self::Default)
    }
}

/// Whether templates may name keys that are not there.
fn keys_may_miss(call: &Call) -> bool {
    !call.declares("allow-missing-template-keys")
        || call.flags.value("allow-missing-template-keys") != Some("false")
}

/// The template of `-o FORM=TEMPLATE` or `--template`; read from a file where the form says so.
fn template_text(call: &Call, form: &str, argument: Option<&str>) -> Result<String, Failure> {
    let flag = if call.declares("template") { call.text("template") } else { "" };
    let given = if flag.is_empty() { argument.unwrap_or("") } else { flag };
    if given.is_empty() {
        return Err(Failure::plain("template format specified but no template given"));
    }
    if !form.ends_with("file") {
        return Ok(given.to_owned());
    }
    call.invocation.read_file(given).map(|text| text.to_string()).map_err(|_| {
        Failure::plain(format!("error reading --template {given}, open {given}: no such file or directory"))
    })
}

/// The file of `-o custom-columns-file`.
fn read_file(call: &Call, file: &str) -> Result<String, Failure> {
    if file.is_empty() {
        return Err(Failure::plain("custom-columns format specified but no custom columns given"));
    }
    let text = call.invocation.read_file(file).map_err(|_| {
        Failure::plain(format!("error reading template {file}, open {file}: no such file or directory"))
    });
    text.map(|text| text.to_string())
}

/// Prints documents one after another in a form of whole objects.
pub struct Printer<'a> {
    call: &'a Call,
    format: &'a Format,
    printed: std::cell::Cell<usize>,
}

impl<'a> Printer<'a> {
    /// A printer that has printed nothing yet.
    pub fn new(call: &'a Call, format: &'a Format) -> Self {
        Self { call, format, printed: std::cell::Cell::new(0) }
    }

    /// Prints a document.
    ///
    /// # Errors
    /// A template that does not fit the document.
    pub fn print(&self, value: &Value) -> Outcome {
        let first = self.printed.replace(self.printed.get() + 1) == 0;
        match self.format {
            Format::Yaml => {
                let separator = if first { "" } else { "---\n" };
                self.call.write(&format!("{separator}{}", yaml::write(value)));
            }
            Format::Json => self.call.write(&format!("{}\n", json::pretty(value, 4))),
            Format::Name if value.get("kind").str() == "List" => {
                value.get("items").items().iter().for_each(|item| self.call.say(&name_of(item)));
            }
            Format::Name => self.call.say(&name_of(value)),
            Format::Path(template) => {
                self.call.write(&template.print(value).map_err(|why| template.failure(&why, value))?);
            }
            Format::PathAsJson(template) => {
                let found = template.results(value).map_err(|why| template.failure(&why, value))?;
                let found: Value = found.into_iter().collect();
                self.call.write(&format!("{}\n", json::pretty(&found, 4)));
            }
            Format::Columns(columns) => {
                self.call.write(&columns.table(std::slice::from_ref(value), self.call.has("no-headers")));
            }
            Format::Template(template) => match template.print(value) {
                Ok(text) => self.call.write(&text),
                Err((printed, why)) => {
                    let (shown, failure) = template.failure(&why, value);
                    self.call.write(&(printed + &shown));
                    return Err(failure);
                }
            },
            Format::Kyaml => self.call.write(&kyaml::write(value)),
            Format::Default | Format::Wide => {}
        }
        Ok(())
    }
}

/// `TYPE/NAME` of a document.
pub fn name_of(value: &Value) -> String {
    let name = match value.at(&["metadata", "name"]).str() {
        // The server has not made one yet.
        "" => "<unknown>",
        name => name,
    };
    match Kind::of_manifest(value.get("apiVersion").str(), value.get("kind").str()) {
        Some(kind) => format!("{}/{name}", kind.info().group_singular()),
        None => {
            let group = value.get("apiVersion").str().split_once('/').map_or("", |(group, _)| group);
            let dot = if group.is_empty() { "" } else { "." };
            format!("{}{dot}{group}/{name}", value.get("kind").str().to_ascii_lowercase())
        }
    }
}

/// Prints what a verb did to an object: the object in the form asked for, or `TYPE/NAME DONE`.
///
/// # Errors
/// As [`Printer::print`].
pub fn done(call: &Call, format: &Format, printer: &Printer<'_>, value: &Value, what: &str) -> Outcome {
    if !format.is_default() {
        return printer.print(value);
    }
    let suffix = call.dry_run()?.suffix();
    call.say(&format!("{} {what}{suffix}", name_of(value)));
    Ok(())
}

/// A list of documents as `get -o yaml` wraps it.
pub fn list_of(documents: impl Iterator<Item = Value>) -> Value {
    crate::value!({
        "apiVersion": "v1",
        "items": (documents.collect::<Value>()),
        "kind": "List",
        "metadata": { "resourceVersion": "" }
    })
}
