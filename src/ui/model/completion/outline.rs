//! Where the cursor is in a manifest that is being typed.
//!
//! Such a text is seldom valid YAML, so nothing is parsed: in block style the columns of the lines say what
//! belongs to what. Flow style (`{…}`, `[…]`) and block scalars (`|`, `>`) are left alone.

/// One step from a document down to the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Into the value of a key.
    Key(&'a str),
    /// Into an item of a list.
    Item,
}

/// What is being typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// A key, or a scalar item of a list.
    Name,
    /// The value of the last key of the path.
    Value,
}

/// Where the cursor is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The document's `apiVersion`, or empty.
    pub api_version: &'a str,
    /// The document's `kind`, or empty.
    pub kind: &'a str,
    /// The document's namespace, or empty.
    pub namespace: &'a str,
    /// The way from the document's top.
    pub path: Vec<Step<'a>>,
    /// What is typed there.
    pub typed: Typed,
    /// The column at which what is typed begins, from 0.
    pub column: usize,
    /// The keys that stand beside it already.
    pub siblings: Vec<&'a str>,
}

/// A key with what stands behind it on its line, or the dash of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry<'a> {
    /// From 0.
    column: usize,
    step: Step<'a>,
    /// Behind the colon; empty for an item.
    value: &'a str,
}

/// Finds the place of a cursor that stands `at` bytes into the text; none where nothing can be offered.
#[must_use]
pub fn place(text: &str, at: usize) -> Option<Place<'_>> {
    let before = text.get(..at)?;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let typed_line = &text[start..at];
    let above: Vec<&str> = text[..start].lines().collect();
    let above = &above[above.iter().rposition(|line| ends_document(line)).map_or(0, |at| at + 1)..];
    let rest = text[at..].split_once('\n').map_or("", |(_, rest)| rest);
    let below: Vec<&str> = rest.lines().take_while(|line| !ends_document(line)).collect();

    let (column, typed, mut path) = typed_part(typed_line)?;
    let mut need = path.last().map_or(column, |entry| entry.column);
    // A list may stand at the column of its key.
    let mut level = path.last().is_some_and(|entry| entry.step == Step::Item);
    for line in above.iter().rev() {
        for entry in entries(line).into_iter().rev() {
            let parent = entry.column < need || (level && entry.column == need && entry.step != Step::Item);
            if !parent {
                continue;
            }
            if entry.value.starts_with(['|', '>']) {
                return None;
            }
            (need, level) = (entry.column, entry.step == Step::Item);
            path.push(entry);
        }
    }
    path.reverse();
    let top = |name: &str| value_of(above.iter().chain(&below), name);
    Some(Place {
        api_version: top("apiVersion"),
        kind: top("kind"),
        namespace: namespace(above.iter().chain(&below)),
        siblings: siblings(above, typed_line, &below, column),
        path: path.into_iter().map(|entry| entry.step).collect(),
        typed,
        column,
    })
}

fn ends_document(line: &str) -> bool {
    line == "---" || line.starts_with("--- ")
}

/// What is typed on the cursor's line: the column at which it begins, and the steps of this line to it, the
/// innermost first.
fn typed_part(line: &str) -> Option<(usize, Typed, Vec<Entry<'_>>)> {
    let mut steps: Vec<Entry<'_>> = entries(line);
    let column = steps.iter().filter(|entry| entry.step == Step::Item).map(|entry| entry.column + 2).max();
    let word = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "_./-".contains(c));
    steps.reverse();
    if let Some(Entry { column, step: Step::Key(_), value }) = steps.first().copied() {
        // Right behind the colon no value can stand yet.
        return (line.ends_with(value) && !line.ends_with(':') && word(value)).then_some((
            column,
            Typed::Value,
            steps,
        ));
    }
    let blanks = line.len() - line.trim_start().len();
    let begins = column.map_or(blanks, |column| column.max(blanks));
    let typed = line.get(begins..).unwrap_or("");
    word(typed).then_some((begins, Typed::Name, steps))
}

/// The dashes and the key of a line, from left to right.
fn entries(line: &str) -> Vec<Entry<'_>> {
    let mut found = Vec::new();
    let mut column = line.len() - line.trim_start_matches(' ').len();
    while let Some(rest) =
        line[column..].strip_prefix('-').filter(|rest| rest.is_empty() || rest.starts_with(' '))
    {
        found.push(Entry { column, step: Step::Item, value: "" });
        column += 1 + rest.len() - rest.trim_start_matches(' ').len();
    }
    let rest = &line[column..];
    if let Some((key, value)) = rest.split_once(':')
        && (value.is_empty() || value.starts_with(' '))
        && !key.is_empty()
        && !key.contains([' ', '#', '{', '['])
    {
        let step = Step::Key(key.trim_matches(['"', '\'']));
        found.push(Entry { column, step, value: value.trim_start() });
    }
    found
}

/// The plain value of a key at the document's top.
fn value_of<'a: 'b, 'b>(lines: impl Iterator<Item = &'b &'a str>, name: &str) -> &'a str {
    let found =
        lines.flat_map(|line| entries(line)).find(|entry| entry.column == 0 && entry.step == Step::Key(name));
    found.map_or("", |entry| plain(entry.value))
}

/// `metadata.namespace` of the document.
fn namespace<'a: 'b, 'b>(lines: impl Iterator<Item = &'b &'a str>) -> &'a str {
    let mut inside = false;
    for entry in lines.flat_map(|line| entries(line)) {
        match entry {
            Entry { column: 0, step, .. } => inside = step == Step::Key("metadata"),
            Entry { step: Step::Key("namespace"), value, .. } if inside => return plain(value),
            _ => {}
        }
    }
    ""
}

/// A scalar without quotes and comment.
fn plain(value: &str) -> &str {
    let value = value.split(" #").next().unwrap_or("").trim();
    value.trim_matches(['"', '\''])
}

/// The keys of the map in which the cursor is, but for its own.
fn siblings<'a>(above: &[&'a str], typed: &'a str, below: &[&'a str], column: usize) -> Vec<&'a str> {
    let mut found = Vec::new();
    // An item begins on the cursor's own line: what stands above belongs to another one.
    let begins_item = entries(typed).iter().any(|entry| entry.step == Step::Item && entry.column < column);
    if !begins_item {
        for line in above.iter().rev() {
            let entries = entries(line);
            found.extend(entries.iter().filter(|entry| entry.column == column).filter_map(key));
            if entries.first().is_some_and(|entry| entry.column < column) {
                break;
            }
        }
    }
    for line in below {
        let entries = entries(line);
        if entries.first().is_some_and(|entry| entry.column < column) {
            break;
        }
        found.extend(entries.iter().filter(|entry| entry.column == column).filter_map(key));
    }
    found
}

fn key<'a>(entry: &Entry<'a>) -> Option<&'a str> {
    match entry.step {
        Step::Key(name) => Some(name),
        Step::Item => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `│` in the text is the cursor; the path as `spec/ports/-`.
    fn check(text: &str, path: &str, typed: Typed, siblings: &[&str]) {
        let at = text.find('│').expect("the text has a cursor");
        let text = text.replace('│', "");
        let found = place(&text, at).unwrap_or_else(|| panic!("nothing found in\n{text}"));
        let steps = found.path.iter().map(|step| match step {
            Step::Key(name) => *name,
            Step::Item => "-",
        });
        assert_eq!(steps.collect::<Vec<_>>().join("/"), path, "in\n{text}");
        assert_eq!((found.typed, found.siblings.as_slice()), (typed, siblings), "in\n{text}");
    }

    #[test]
    fn columns_say_what_belongs_to_what() {
        check("ki│", "", Typed::Name, &[]);
        check("kind: Service\nspec:\n  │", "spec", Typed::Name, &[]);
        check("spec:\n  type: │\n", "spec/type", Typed::Value, &[]);
        check("spec:\n  ports:\n  - na│", "spec/ports/-", Typed::Name, &[]);
        check(
            "spec:\n  ports:\n    - name: a\n      │\n      port: 1\n    - name: b",
            "spec/ports/-",
            Typed::Name,
            &["name", "port"],
        );
        check("spec:\n  ports:\n  - name: a\n  - po│", "spec/ports/-", Typed::Name, &[]);
        check("spec:\n  selector:\n    app: w│\n  type: x", "spec/selector/app", Typed::Value, &[]);
        check("a: 1\n---\nb: 2\n│", "", Typed::Name, &["b"]);
        check("spec:\n  a:\n    x: 1\n  │", "spec", Typed::Name, &["a"]);
    }

    #[test]
    fn nothing_is_offered_where_text_is_free() {
        let nothing = |text: &str| {
            let at = text.find('│').expect("the text has a cursor");
            assert_eq!(place(&text.replace('│', ""), at), None, "in {text}");
        };
        nothing("data:\n  file: |\n    ki│");
        nothing("# a com│");
        nothing("spec:│");
        nothing("args: [a, b│");
    }

    #[test]
    fn the_document_is_told_by_its_own_lines() {
        let text =
            "kind: Pod\n---\napiVersion: v1\nkind: Service # a comment\nmetadata:\n  namespace: \"shop\"\n";
        let found = place(text, text.len()).expect("a place");
        assert_eq!((found.api_version, found.kind, found.namespace), ("v1", "Service", "shop"));
    }
}
