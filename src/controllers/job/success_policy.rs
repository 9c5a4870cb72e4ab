//! When enough of an Indexed Job's indexes have succeeded.
//!
//! Source: `success_policy.go` of Kubernetes.

use std::collections::BTreeSet;

use super::indexes;
use crate::api::value::Value;

/// The rule of a Job's success policy that its succeeded indexes meet.
pub(super) fn met(spec: &Value, succeeded: &BTreeSet<i64>) -> Option<usize> {
    let completions = spec.get("completions").as_int().unwrap_or(0);
    let rules = spec.at(&["successPolicy", "rules"]).items();
    rules.iter().position(|rule| !succeeded.is_empty() && meets(rule, completions, succeeded))
}

fn meets(rule: &Value, completions: i64, succeeded: &BTreeSet<i64>) -> bool {
    let enough = |count: usize| {
        let wanted = rule.get("succeededCount").as_int();
        wanted.is_some_and(|wanted| i64::try_from(count).is_ok_and(|count| count >= wanted))
    };
    let Some(list) = rule.get("succeededIndexes").as_str() else { return enough(succeeded.len()) };
    let named = indexes::parse(list, completions);
    let done = named.intersection(succeeded).count();
    !named.is_empty() && (done == named.len() || enough(done))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::yaml;

    #[test]
    fn a_rule_is_met_by_its_indexes_or_by_as_many_of_them_as_it_asks_for() {
        for (rules, succeeded, expected) in [
            ("{succeededIndexes: '0,2'}", "0", None),
            ("{succeededIndexes: '0,2'}", "0,2", Some(0)),
            ("{succeededIndexes: '0-3', succeededCount: 2}", "1,4", None),
            ("{succeededIndexes: '0-3', succeededCount: 2}", "1,3", Some(0)),
            ("{succeededCount: 3}", "0-1", None),
            ("{succeededIndexes: '4'}, {succeededCount: 3}", "0-2", Some(1)),
            ("{succeededCount: 0}", "", None),
        ] {
            let (documents, _) = yaml::read(&format!("completions: 5\nsuccessPolicy: {{rules: [{rules}]}}"));
            let spec = documents[0].value();
            assert_eq!(met(&spec, &indexes::parse(succeeded, 5)), expected, "{rules} by {succeeded}");
        }
    }
}
