//! JSON patch (RFC 6902): a list of operations on places.

use super::PatchError;
use crate::api::value::Value;

/// The document after a JSON patch.
///
/// # Errors
/// The first operation that cannot be done; then nothing is.
pub fn apply(document: &Value, patch: &Value) -> Result<Value, PatchError> {
    let Value::List(operations) = patch else {
        return Err(PatchError::new("a JSON patch is a list of operations"));
    };
    operations.iter().try_fold(document.clone(), |mut document, operation| {
        operate(&mut document, operation).map(|()| document)
    })
}

fn operate(document: &mut Value, operation: &Value) -> Result<(), PatchError> {
    let place = |field: &str| {
        operation
            .get(field)
            .as_str()
            .map(steps)
            .ok_or_else(|| PatchError::new(format!("an operation lacks \"{field}\"")))
    };
    let path = place("path")??;
    let value = || match operation.as_map().and_then(|map| map.get("value")) {
        Some(value) => Ok(value.clone()),
        None => Err(PatchError::new("an operation lacks \"value\"")),
    };
    match operation.get("op").str() {
        "add" => add(document, &path, value()?),
        "remove" => remove(document, &path).map(drop),
        "replace" => {
            *find_mut(document, &path)? = value()?;
            Ok(())
        }
        "move" => {
            let moved = remove(document, &place("from")??)?;
            add(document, &path, moved)
        }
        "copy" => {
            let copied = find_mut(document, &place("from")??)?.clone();
            add(document, &path, copied)
        }
        "test" => match *find_mut(document, &path)? == value()? {
            true => Ok(()),
            false => Err(PatchError::new(format!("testing value {} failed", operation.get("path").str()))),
        },
        other => Err(PatchError::new(format!("Unexpected kind: {other}"))),
    }
}

/// The steps of a JSON pointer (RFC 6901).
fn steps(pointer: &str) -> Result<Vec<String>, PatchError> {
    if pointer.is_empty() {
        return Ok(Vec::new());
    }
    let rest = pointer.strip_prefix('/').ok_or_else(|| missing(pointer))?;
    Ok(rest.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect())
}

fn missing(step: &str) -> PatchError {
    PatchError::new(format!("doc is missing path: {step}: missing value"))
}

/// The index of an item that is there.
fn index(step: &str, length: usize) -> Result<usize, PatchError> {
    let index = step.parse::<usize>().ok().filter(|index| *index < length);
    index.ok_or_else(|| {
        PatchError::new(format!("Unable to access invalid index: {step}: invalid index referenced"))
    })
}

fn find_mut<'a>(document: &'a mut Value, path: &[String]) -> Result<&'a mut Value, PatchError> {
    path.iter().try_fold(document, |value, step| match value {
        Value::Map(map) if map.contains(step) => Ok(value.field_mut(step)),
        Value::List(items) => {
            let at = index(step, items.len())?;
            Ok(&mut value.list_mut()[at])
        }
        _ => Err(missing(step)),
    })
}

fn add(document: &mut Value, path: &[String], new: Value) -> Result<(), PatchError> {
    let Some((last, parents)) = path.split_last() else {
        *document = new;
        return Ok(());
    };
    let parent = find_mut(document, parents)?;
    match parent {
        Value::Map(_) => {
            parent.map_mut().insert(last.as_str(), new);
            Ok(())
        }
        Value::List(items) => {
            let at = if last == "-" { items.len() } else { index(last, items.len() + 1)? };
            parent.list_mut().insert(at, new);
            Ok(())
        }
        _ => Err(missing(last)),
    }
}

fn remove(document: &mut Value, path: &[String]) -> Result<Value, PatchError> {
    let Some((last, parents)) = path.split_last() else {
        return Ok(std::mem::take(document));
    };
    let parent = find_mut(document, parents)?;
    match parent {
        Value::Map(map) if map.contains(last) => Ok(parent.remove(last)),
        Value::List(items) => {
            let at = index(last, items.len())?;
            Ok(parent.list_mut().remove(at))
        }
        _ => Err(missing(last)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::json;

    #[test]
    fn operations_do_what_the_rfc_says() {
        let check = |patch: &str, expected: Option<&str>| {
            let document = json::parse(r#"{"a":{"b/c":1},"l":[1,2]}"#).unwrap();
            let result = apply(&document, &json::parse(patch).unwrap()).ok();
            assert_eq!(result.as_ref().map(json::compact).as_deref(), expected, "{patch}");
        };
        check(r#"[{"op":"add","path":"/a/x","value":null}]"#, Some(r#"{"a":{"b/c":1,"x":null},"l":[1,2]}"#));
        check(r#"[{"op":"add","path":"/l/1","value":9}]"#, Some(r#"{"a":{"b/c":1},"l":[1,9,2]}"#));
        check(r#"[{"op":"add","path":"/l/-","value":9}]"#, Some(r#"{"a":{"b/c":1},"l":[1,2,9]}"#));
        check(r#"[{"op":"remove","path":"/l/0"}]"#, Some(r#"{"a":{"b/c":1},"l":[2]}"#));
        check(r#"[{"op":"replace","path":"/a/b~1c","value":2}]"#, Some(r#"{"a":{"b/c":2},"l":[1,2]}"#));
        check(r#"[{"op":"move","from":"/l/0","path":"/a/y"}]"#, Some(r#"{"a":{"b/c":1,"y":1},"l":[2]}"#));
        check(r#"[{"op":"copy","from":"/l","path":"/a/b~1c"}]"#, Some(r#"{"a":{"b/c":[1,2]},"l":[1,2]}"#));
        check(r#"[{"op":"test","path":"/l/0","value":1}]"#, Some(r#"{"a":{"b/c":1},"l":[1,2]}"#));
        for bad in [
            r#"[{"op":"test","path":"/l/0","value":2}]"#,
            r#"[{"op":"replace","path":"/l/7","value":2}]"#,
            r#"[{"op":"replace","path":"/x","value":2}]"#,
            r#"[{"op":"remove","path":"/x"}]"#,
            r#"[{"op":"add","path":"/x/y","value":1}]"#,
            r#"[{"op":"jump","path":"/a"}]"#,
            r#"[{"op":"add","path":"a"}]"#,
            r#"{}"#,
        ] {
            check(bad, None);
        }
    }
}
