//! `kubectl get`.

use std::sync::Arc;

use super::call::Call;
use super::discovery::Resource;
use super::failure::{Failure, Outcome};
use super::manifests;
use super::output::{Format, Printer, list_of};
use super::resources::{Query, Reading, list_options, objects, queries};
use super::table::{Style, sort};
use super::verb::{ALL_NAMESPACES, Action, FIELD_SELECTOR, FILES, OUTPUT, Operands, SELECTOR, Verb, flags};
use crate::api::object::Object;
use crate::api::registry::Kind;
use crate::api::status::{Reason, Status};
use crate::api::table::Table;
use crate::api::value::Value as Document;
use crate::shell::command::{Flag, Value, option, switch};
use crate::words::Words;

const OWN: &[Flag] = &[
    option('L', "label-columns", Value::Text, "labels to show as columns", "作为列显示的标签"),
    switch('\0', "show-labels", "show all labels as the last column", "在最后一列显示所有标签"),
    switch('\0', "show-kind", "show the type before each name", "在名称前显示类型"),
    switch('\0', "no-headers", "leave the header line away", "不显示表头"),
    option('\0', "sort-by", Value::Text, "order by a jsonpath", "按 jsonpath 排序"),
    switch('w', "watch", "stay and show every change", "持续显示变化"),
    switch('\0', "watch-only", "show changes alone", "只显示变化"),
    switch('\0', "output-watch-events", "show what kind of change it was", "显示变化的类型"),
    switch('\0', "ignore-not-found", "say nothing of what does not exist", "忽略不存在的对象"),
    option('\0', "raw", Value::Text, "a path of the API server to read", "要读取的 API 路径"),
    option('\0', "chunk-size", Value::Number, "how many objects are fetched at once", "每次获取的对象数"),
    switch('\0', "server-print", "let the server make the table", "由服务端生成表格"),
    option('\0', "subresource", Value::OneOf(&["status", "scale"]), "a part of the object", "对象的子资源"),
];

/// `get`.
pub static VERB: Verb = Verb {
    name: "get",
    aliases: &[],
    usage: "TYPE[,TYPE] [NAME...] | TYPE/NAME... | -f FILE",
    summary: Words {
        en: "show objects as a table, as YAML or by a template",
        zh: "以表格、YAML 或模板显示对象",
    },
    flags: flags![OWN, SELECTOR, FIELD_SELECTOR, ALL_NAMESPACES, OUTPUT, FILES],
    children: &[],
    operands: Operands::Resources,
    action: Action::Waits(|call| Box::pin(run(call))),
};

const NO_RESOURCE: &str = "You must specify the type of resource to get. Use \"kubectl api-resources\" for a complete list of supported resources.\n\nerror: Required resource not specified.\nUse \"kubectl explain <resource>\" for a detailed description of that resource (e.g. kubectl explain pods).\nSee 'kubectl get -h' for help and examples";

async fn run(call: Call) -> Outcome {
    if let Some(path) = call.flags.value("raw") {
        check_raw(&call, path)?;
        return super::raw::get(&call, path);
    }
    let from_files = call.flags.value("filename").is_some();
    if call.operands().is_empty() && !from_files {
        return Err(Failure::Exact(NO_RESOURCE.to_owned()));
    }
    check_flags(&call)?;
    let format = Format::of(&call, true)?;
    if let [word, names @ ..] = call.operands()
        && let Some(resource) = super::discovery::always_empty(word)
    {
        return of_empty(&call, &format, resource, names);
    }
    let (manifests, mut failures) = manifests::read(&call).await;
    if from_files && manifests.is_empty() && !failures.is_empty() {
        return Failure::of(failures);
    }
    let reading = Reading { resource_alone: true, all_namespaces: call.has("all-namespaces") };
    let queries = queries(&call, call.operands(), manifests, reading)?;
    if call.has("watch") || call.has("watch-only") {
        return super::watch::run(&call, &format, &queries).await;
    }
    match format {
        Format::Default | Format::Wide => tables(&call, &format, &queries, &mut failures)?,
        _ => documents(&call, &format, &queries, &mut failures)?,
    }
    if call.has("ignore-not-found") {
        failures.retain(|failure| !failure.is_not_found());
    }
    Failure::of(failures)
}

/// What a path of `--raw` goes with: nothing else.
fn check_raw(call: &Call, path: &str) -> Outcome {
    if !call.operands().is_empty() {
        return Err(Failure::plain("arguments may not be passed when --raw is specified"));
    }
    if call.has("watch") || call.has("watch-only") || !call.text("selector").is_empty() {
        return Err(Failure::plain(
            "--raw may not be specified with other flags that filter the server request or alter the output",
        ));
    }
    if !call.text("output").is_empty() {
        return Err(Failure::usage("kubectl get", "--raw and --output are mutually exclusive"));
    }
    if !path.starts_with('/') {
        let words = format!("--raw must be a valid URL path: parse {path:?}: invalid URI for request");
        return Err(Failure::usage("kubectl get", &words));
    }
    Ok(())
}

/// Flags that do not fit each other.
fn check_flags(call: &Call) -> Outcome {
    let output = call.text("output");
    if call.has("show-labels") && !matches!(output, "" | "wide") {
        let words = format!("--show-labels option cannot be used with {output} printer");
        return Err(Failure::plain(words));
    }
    if call.has("output-watch-events") && !call.has("watch") && !call.has("watch-only") {
        let words = "--output-watch-events option can only be used with --watch or --watch-only";
        return Err(Failure::plain(words));
    }
    match call.text("subresource") {
        "" | "status" => Ok(()),
        "scale" => {
            let nearest = "kubectl get --subresource=status";
            Err(Failure::NotSimulated("kubectl get --subresource=scale".to_owned(), nearest))
        }
        _ => {
            let why = "the server could not find the requested resource";
            Err(Status::new(Reason::NotFound, why).into())
        }
    }
}

/// Answers for a resource of which this world has no objects.
fn of_empty(call: &Call, format: &Format, resource: &Resource, names: &[String]) -> Outcome {
    if !resource.verbs.contains("list") {
        let why = "the server does not allow this method on the requested resource";
        return Err(Status::new(Reason::MethodNotAllowed, why).into());
    }
    if !names.is_empty() {
        if call.has("ignore-not-found") {
            return Ok(());
        }
        let missing = |name: &String| {
            let words = format!("{} \"{name}\" not found", resource.group_resource());
            Failure::from(Status::new(Reason::NotFound, words))
        };
        return Failure::of(names.iter().map(missing).collect());
    }
    match format {
        Format::Default | Format::Wide if resource.namespaced && !call.has("all-namespaces") => {
            call.complain(&format!("No resources found in {} namespace.", call.namespace));
        }
        Format::Default | Format::Wide => call.complain("No resources found"),
        Format::Name => {}
        Format::Columns(columns) => call.write(&columns.table(&[], call.has("no-headers"))),
        _ => Printer::new(call, format).print(&list_of(std::iter::empty()))?,
    }
    Ok(())
}

/// Prints tables, one per kind.
fn tables(call: &Call, format: &Format, queries: &[Query], failures: &mut Vec<Failure>) -> Outcome {
    let mut read: Vec<(Kind, Table)> = Vec::new();
    for query in queries {
        match table_of(call, query) {
            // Rows of one kind that follow each other share a table.
            Ok(table) => match read.last_mut() {
                Some((kind, last)) if *kind == query.kind() => last.rows.extend(table.rows),
                _ => read.push((query.kind(), table)),
            },
            Err(failure) => failures.push(failure),
        }
    }
    let mut kinds: Vec<Kind> = read.iter().map(|(kind, _)| *kind).collect();
    kinds.dedup();
    let style = Style::of(call, format, kinds.len() > 1 || call.has("show-kind"));
    let mut printed = 0;
    for (kind, table) in &mut read {
        if let Some(path) = call.flags.value("sort-by").filter(|path| !path.is_empty())
            && !sort(&mut table.rows, path, |row| &row.object.value)?
        {
            continue;
        }
        if table.rows.is_empty() {
            continue;
        }
        if printed > 0 {
            call.write("\n");
        }
        printed += 1;
        call.write(&style.text(*kind, table, None));
    }
    if printed == 0 && failures.is_empty() && !call.has("ignore-not-found") {
        call.complain(&nothing_found(call, &kinds));
    }
    Ok(())
}

/// What is said when there is nothing to show.
fn nothing_found(call: &Call, kinds: &[Kind]) -> String {
    let namespaced = kinds.iter().all(|kind| kind.info().namespaced);
    if namespaced && !call.has("all-namespaces") {
        format!("No resources found in {} namespace.", call.namespace)
    } else {
        "No resources found".to_owned()
    }
}

fn table_of(call: &Call, query: &Query) -> Result<Table, Failure> {
    let table = match query {
        Query::One { key, .. } => call.table(key.kind, &key.namespace, &key.name, list_options(call)),
        Query::Many { kind, namespace } => call.table(*kind, namespace, "", list_options(call)),
    };
    table.map_err(Failure::from)
}

/// So many documents get their managed fields for a template that may look at them; they are worked out anew
/// for each.
const MANAGED: usize = 50;

/// Documents as a form prints them: with managed fields where they are asked for, or a template may see them.
fn values(call: &Call, format: &Format, items: &[Arc<Object>]) -> Vec<Document> {
    let by_template =
        matches!(format, Format::Path(_) | Format::PathAsJson(_) | Format::Template(_) | Format::Columns(_));
    let named =
        call.text("output").contains("managedFields") || call.text("template").contains("managedFields");
    let wanted = call.has("show-managed-fields") || (by_template && (items.len() <= MANAGED || named));
    let value =
        |object: &Arc<Object>| if wanted { call.with_managed_fields(object) } else { object.value.clone() };
    items.iter().map(value).collect()
}

/// Prints whole objects: one alone as itself, others as a list.
fn documents(call: &Call, format: &Format, queries: &[Query], failures: &mut Vec<Failure>) -> Outcome {
    let (found, wrong) = objects(call, queries);
    failures.extend(wrong);
    let mut items: Vec<Arc<Object>> = found.into_iter().map(|found| found.object).collect();
    if let Some(path) = call.flags.value("sort-by").filter(|path| !path.is_empty())
        && !sort(&mut items, path, |object| &object.value)?
    {
        items.clear();
    }
    let single = matches!(queries, [Query::One { .. }]);
    let printer = Printer::new(call, format);
    let values = values(call, format, &items);
    match format {
        Format::Name => values.iter().try_for_each(|value| printer.print(value)),
        Format::Columns(columns) => {
            if !single || !values.is_empty() {
                call.write(&columns.table(&values, call.has("no-headers")));
            }
            Ok(())
        }
        _ if single => values.first().map_or(Ok(()), |value| printer.print(value)),
        _ if values.is_empty() && !failures.is_empty() => Ok(()),
        _ => printer.print(&list_of(values.into_iter())),
    }
}
