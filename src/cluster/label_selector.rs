//! What the API server asks of label selectors besides their grammar.
//!
//! Owns the checks of keys and values (`labels.NewRequirement`); reading and matching are in
//! [`crate::api::selector`].

use crate::api::json;
use crate::api::kinds::names;
use crate::api::selector::{Operator, Requirement, Selector};

/// Checks the keys and values of a selector.
///
/// # Errors
///
/// The first requirement that no label can meet, in the server's words.
pub(super) fn check(selector: &Selector) -> Result<(), String> {
    let problem = selector.requirements.iter().find_map(problem);
    problem.map_or(Ok(()), |why| Err(format!("unable to parse requirement: {why}")))
}

fn problem(requirement: &Requirement) -> Option<String> {
    let invalid = |field: &str, value: &str, why: &str| format!("{field}: Invalid value: {value}: {why}");
    let (key, values) = (&requirement.key, &requirement.values);
    let wrong = names::label_key(key);
    if !wrong.is_empty() {
        // The server has no name for the field of a key.
        return Some(invalid("<nil>", &json::quote(key), &wrong.join("; ")));
    }
    match requirement.operator {
        Operator::In | Operator::NotIn if values.is_empty() => {
            return Some(invalid("values", "[]", "for 'in', 'notin' operators, values set can't be empty"));
        }
        Operator::Greater | Operator::Less if values[0].parse::<i64>().is_err() => {
            let why = "for 'Gt', 'Lt' operators, the value must be an integer";
            return Some(invalid("values[0]", &json::quote(&values[0]), why));
        }
        _ => {}
    }
    values.iter().enumerate().find_map(|(index, value)| {
        let wrong = names::label_value(value);
        let field = format!("values[{index}][{key}]");
        (!wrong.is_empty()).then(|| invalid(&field, &json::quote(value), &wrong.join("; ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let selector = Selector::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        check(&selector).err().unwrap_or_default()
    }

    #[test]
    fn values_that_no_label_has_are_refused() {
        for text in ["app=web", "a in (b,c)", "!x", "x>5", "app="] {
            assert_eq!(refused(text), "", "{text}");
        }
        assert_eq!(
            refused("a in ()"),
            "unable to parse requirement: values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty"
        );
        assert_eq!(
            refused("x>y"),
            "unable to parse requirement: values[0]: Invalid value: \"y\": for 'Gt', 'Lt' operators, the value must be an integer"
        );
        assert!(refused("app=-x").starts_with(
            "unable to parse requirement: values[0][app]: Invalid value: \"-x\": a valid label must be"
        ));
        assert!(refused("-a").starts_with(
            "unable to parse requirement: <nil>: Invalid value: \"-a\": name part must consist of"
        ));
    }
}
