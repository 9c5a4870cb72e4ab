//! What the server says of workloads that break its rules, field by field.

use crate::api::kinds::rules;
use crate::api::registry::Kind;
use crate::api::value::Value;
use crate::api::yaml;

fn document(text: &str) -> Value {
    let (documents, diagnostics) = yaml::read(text);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    documents[0].value()
}

/// A manifest as it is when the server checks it.
fn prepared(kind: Kind, text: &str) -> Value {
    let mut document = document(text);
    document.set_at(&["metadata", "uid"], "u");
    (rules(kind).default)(&mut document);
    (rules(kind).prepare_create)(&mut document);
    document
}

/// Checks the errors of a manifest.
fn refused(kind: Kind, text: &str, expected: &[&str]) {
    let errors = (rules(kind).validate)(&prepared(kind, text));
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors, expected, "{text}");
}

/// Checks what a change of a good manifest is answered.
fn check_change(kind: Kind, text: &str, change: impl FnOnce(&mut Value), expected: &[&str]) {
    let before = prepared(kind, text);
    let mut after = before.clone();
    change(&mut after);
    let errors = (rules(kind).validate_update)(&after, &before);
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors, expected, "{text}");
}

const TEMPLATE: &str =
    "template: {metadata: {labels: {app: a}}, spec: {containers: [{name: c, image: nginx}]}}";

fn with_selector(more: &str) -> String {
    format!("metadata: {{name: a}}\nspec: {{selector: {{matchLabels: {{app: a}}}}, {TEMPLATE}{more}}}")
}

#[test]
fn stateful_sets() {
    let check = |text: &str, expected: &[&str]| refused(Kind::StatefulSet, text, expected);
    check(&with_selector(", serviceName: a"), &[]);
    check(
        &with_selector(", podManagementPolicy: Random, updateStrategy: {type: Never}"),
        &[
            "spec.podManagementPolicy: Invalid value: \"Random\": must be 'OrderedReady' or 'Parallel'",
            "spec.updateStrategy: Invalid value: {\"Type\":\"Never\",\"RollingUpdate\":null}: must be 'RollingUpdate' or 'OnDelete'",
        ],
    );
    check(
        &with_selector(", updateStrategy: {type: OnDelete, rollingUpdate: {partition: 1}}, replicas: -1"),
        &[
            "spec.updateStrategy.rollingUpdate: Invalid value: {\"Partition\":1,\"MaxUnavailable\":null}: only allowed for updateStrategy 'RollingUpdate'",
            "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
        ],
    );
    check(
        &with_selector("")
            .replace("metadata: {name: a}", "metadata: {name: a.b}")
            .replace("selector: {matchLabels: {app: a}}", "selector: {matchLabels: {app: b}}"),
        &[
            "metadata.name: Invalid value: \"a.b\": must not contain dots",
            "spec.template.metadata.labels: Invalid value: {\"app\":\"a\"}: `selector` does not match template `labels`",
        ],
    );
    // The Pods are checked one by one: no container is an error of theirs.
    check(&with_selector("").replace("containers: [{name: c, image: nginx}]", "containers: []"), &[]);
    check_change(
        Kind::StatefulSet,
        &with_selector(""),
        |document| document.set_at(&["spec", "serviceName"], "b"),
        &[
            "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        ],
    );
}

#[test]
fn daemon_sets() {
    let check = |text: &str, expected: &[&str]| refused(Kind::DaemonSet, text, expected);
    check(&with_selector(""), &[]);
    check(
        &with_selector(", updateStrategy: {type: Never}"),
        &[
            "spec.updateStrategy: Unsupported value: {\"Type\":\"Never\",\"RollingUpdate\":null}: supported values: \"RollingUpdate\", \"OnDelete\"",
        ],
    );
    check(
        &with_selector(", updateStrategy: {rollingUpdate: {maxSurge: 1}}"),
        &[
            "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero",
        ],
    );
    check(
        &with_selector(", updateStrategy: {rollingUpdate: {maxUnavailable: 0}}"),
        &["spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"],
    );
    check(
        &with_selector("").replace("spec: {containers", "spec: {restartPolicy: Never, containers"),
        &["spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\""],
    );
    check_change(
        Kind::DaemonSet,
        &with_selector(""),
        |document| {
            for path in
                [&["spec", "selector", "matchLabels"][..], &["spec", "template", "metadata", "labels"]]
            {
                document.at_mut(path).set("app", "b");
            }
        },
        &["spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"b\"}}: field is immutable"],
    );
}

#[test]
fn replica_sets_and_replication_controllers() {
    refused(
        Kind::ReplicaSet,
        &with_selector("").replace("selector: {matchLabels: {app: a}}", "selector: {}"),
        &["spec.selector: Invalid value: {}: empty selector is invalid for deployment"],
    );
    refused(
        Kind::ReplicationController,
        &format!("metadata: {{name: a}}\nspec: {{selector: {{app: b}}, {TEMPLATE}}}"),
        &[
            "spec.template.metadata.labels: Invalid value: {\"app\":\"a\"}: `selector` does not match template `labels`",
        ],
    );
}

const TASK: &str = "metadata: {name: a}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: nginx}]}}}";

#[test]
fn jobs() {
    let check = |text: &str, expected: &[&str]| refused(Kind::Job, text, expected);
    check(TASK, &[]);
    check(
        &TASK.replace("restartPolicy: Never, ", ""),
        &["spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\""],
    );
    check(
        &TASK.replace(
            "spec: {template",
            "spec: {completionMode: Indexed, parallelism: 2, backoffLimit: -1, template",
        ),
        &[
            "spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0",
            "spec.completions: Required value: when completion mode is Indexed",
        ],
    );
    check(
        &TASK.replace("spec: {template", "spec: {completionMode: Some, template"),
        &["spec.completionMode: Unsupported value: \"Some\": supported values: \"NonIndexed\", \"Indexed\""],
    );
    check(
        &TASK.replace("spec: {template", "spec: {selector: {matchLabels: {x: z}}, template"),
        &[
            "spec.selector: Invalid value: {\"matchLabels\":{\"batch.kubernetes.io/controller-uid\":\"u\",\"x\":\"z\"}}: `selector` not auto-generated",
            "spec.template.metadata.labels: Invalid value: {\"batch.kubernetes.io/controller-uid\":\"u\",\"batch.kubernetes.io/job-name\":\"a\",\"controller-uid\":\"u\",\"job-name\":\"a\"}: `selector` does not match template `labels`",
        ],
    );
    check_change(
        Kind::Job,
        TASK,
        |document| document.set_at(&["spec", "completions"], 3),
        &["spec.completions: Invalid value: 3: field is immutable"],
    );
    check_change(Kind::Job, TASK, |document| document.set_at(&["spec", "parallelism"], 3), &[]);
    check_change(
        Kind::Job,
        &TASK.replace(
            "spec: {template",
            "spec: {completionMode: Indexed, completions: 2, parallelism: 2, template",
        ),
        |document| {
            document.set_at(&["spec", "completions"], 3);
            document.set_at(&["spec", "parallelism"], 3);
        },
        &[],
    );
}

#[test]
fn cron_jobs() {
    let of = |more: &str| {
        format!(
            "metadata: {{name: a}}\nspec: {{schedule: '* * * * *', {more}jobTemplate: {{spec: {{template: {{spec: {{restartPolicy: Never, containers: [{{name: c, image: nginx}}]}}}}}}}}}}"
        )
    };
    let check = |text: &str, expected: &[&str]| refused(Kind::CronJob, text, expected);
    check(&of(""), &[]);
    check(
        &of("").replace("'* * * * *'", "hourly"),
        &["spec.schedule: Invalid value: \"hourly\": expected exactly 5 fields, found 1: [hourly]"],
    );
    check(
        &of("concurrencyPolicy: Some, startingDeadlineSeconds: -1, ")
            .replace("spec: {template", "spec: {backoffLimit: -1, template"),
        &[
            "spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0",
            "spec.concurrencyPolicy: Unsupported value: \"Some\": supported values: \"Allow\", \"Forbid\", \"Replace\"",
            "spec.jobTemplate.spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0",
        ],
    );
    for (zone, why) in [
        ("''", "timeZone must be nil or non-empty string"),
        ("Asia/Nowhere", "unknown time zone Asia/Nowhere"),
        ("europe/berlin", "unknown time zone europe/berlin"),
        ("../etc", "unknown time zone ../etc"),
        ("Local", "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"),
    ] {
        let shown = zone.trim_matches('\'');
        check(
            &of(&format!("timeZone: {zone}, ")),
            &[&format!("spec.timeZone: Invalid value: \"{shown}\": {why}")],
        );
    }
    check(&of("timeZone: America/New_York, "), &[]);
    let both = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
    check(
        &of("").replace("* * * * *", "CRON_TZ=Europe/Berlin 0 * * * *"),
        &[&format!("spec.schedule: Invalid value: \"CRON_TZ=Europe/Berlin 0 * * * *\": {both}")],
    );
    check(
        &of("").replace("* * * * *", "TZ=Mars 0 * * * *"),
        &[
            "spec.schedule: Invalid value: \"TZ=Mars 0 * * * *\": provided bad location Mars: unknown time zone Mars",
            &format!("spec.schedule: Invalid value: \"TZ=Mars 0 * * * *\": {both}"),
        ],
    );
    let long = "a".repeat(53);
    check(
        &of("").replace("name: a}", &format!("name: {long}}}")),
        &[&format!("metadata.name: Invalid value: \"{long}\": must be no more than 52 characters")],
    );
}

#[test]
fn limits_per_index_of_jobs() {
    let of = |more: &str| TASK.replace("spec: {template", &format!("spec: {{{more}, template"));
    let check = |more: &str, expected: &[&str]| refused(Kind::Job, &of(more), expected);
    let indexed = "completionMode: Indexed, completions: 3";
    check(&format!("{indexed}, backoffLimitPerIndex: 1, maxFailedIndexes: 2"), &[]);
    check(
        "backoffLimitPerIndex: 1, maxFailedIndexes: 2",
        &[
            "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode",
            "spec.maxFailedIndexes: Invalid value: 2: requires indexed completion mode",
        ],
    );
    check(
        &format!("{indexed}, maxFailedIndexes: 4"),
        &[
            "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
            "spec.maxFailedIndexes: Invalid value: 4: must be less than or equal to completions",
        ],
    );
    check(
        "managedBy: me",
        &["spec.managedBy: Invalid value: \"me\": must be a domain-prefixed path (such as \"acme.io/foo\")"],
    );
    let document = prepared(Kind::Job, &of(&format!("{indexed}, backoffLimitPerIndex: 1")));
    assert_eq!(document.at(&["spec", "backoffLimit"]).as_int(), Some(2_147_483_647));
}

#[test]
fn failure_policies_of_jobs() {
    let of = |rule: &str| {
        let policy = format!("podFailurePolicy: {{rules: [{rule}]}}");
        TASK.replace("spec: {template", &format!("spec: {{{policy}, template"))
    };
    let check = |rule: &str, expected: &[&str]| {
        let rules = "spec.podFailurePolicy.rules[0]";
        let expected: Vec<String> = expected.iter().map(|why| format!("{rules}{why}")).collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        refused(Kind::Job, &of(rule), &expected);
    };
    check("{action: Ignore, onPodConditions: [{type: DisruptionTarget}]}", &[]);
    check("{action: FailJob, onExitCodes: {containerName: c, operator: In, values: [1, 42]}}", &[]);
    check(
        "{action: Stop}",
        &[
            ".action: Unsupported value: \"Stop\": supported values: \"Count\", \"FailIndex\", \"FailJob\", \"Ignore\"",
            ": Invalid value: specifying one of OnExitCodes and OnPodConditions is required",
        ],
    );
    check(
        "{action: FailIndex, onExitCodes: {containerName: d, operator: In, values: [3, 0, 3]}}",
        &[
            ".action: Invalid value: \"FailIndex\": requires the backoffLimitPerIndex to be set",
            ".onExitCodes.containerName: Invalid value: \"d\": must be one of the container or initContainer names in the pod template",
            ".onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator",
            ".onExitCodes.values[2]: Duplicate value: 3",
            ".onExitCodes.values: Invalid value: [3,0,3]: must be ordered",
        ],
    );
    let document = prepared(Kind::Job, &of("{action: Ignore, onPodConditions: [{type: DisruptionTarget}]}"));
    let rule = &document.at(&["spec", "podFailurePolicy", "rules"]).items()[0];
    assert_eq!(rule.get("onPodConditions").items()[0].get("status").str(), "True");
    assert_eq!(document.at(&["spec", "podReplacementPolicy"]).str(), "Failed");
    let restarted = of("{action: Ignore, onPodConditions: [{type: A}]}").replace("Never", "OnFailure");
    let why = "spec.template.spec.restartPolicy: Invalid value: \"OnFailure\": only \"Never\" is supported when podFailurePolicy is specified";
    refused(Kind::Job, &restarted, &[why]);
}

#[test]
fn success_policies_of_jobs() {
    let check = |rules: &str, expected: &[&str]| {
        let job = format!("completionMode: Indexed, completions: 5, successPolicy: {{rules: [{rules}]}}");
        let expected: Vec<String> =
            expected.iter().map(|why| format!("spec.successPolicy.rules{why}")).collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        refused(Kind::Job, &TASK.replace("spec: {template", &format!("spec: {{{job}, template")), &expected);
    };
    check("{succeededIndexes: '0,2-4', succeededCount: 2}, {succeededCount: 5}", &[]);
    check(
        "",
        &[": Required value: at least one rules must be specified when the successPolicy is specified"],
    );
    check(
        "{}",
        &["[0]: Required value: at least one of succeededCount or succeededIndexes must be specified"],
    );
    let parse = "[0].succeededIndexes: Invalid value: ";
    for (list, why) in [
        ("a", "cannot convert string to integer for index: \"a\""),
        ("5", "too large index: \"5\""),
        ("3-1", "non-increasing order, previous: 3, current: 1"),
        ("1,1", "non-increasing order, previous: 1, current: 1"),
    ] {
        let why = format!("{parse}\"{list}\": error parsing succeededIndexes: {why}");
        check(&format!("{{succeededIndexes: '{list}'}}"), &[&why]);
    }
    check(
        "{succeededIndexes: '0-1', succeededCount: 6}",
        &[
            "[0].succeededCount: Invalid value: 6: must be less than or equal to 5 (the number of specified completions)",
            "[0].succeededCount: Invalid value: 6: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)",
        ],
    );
    let plain =
        TASK.replace("spec: {template", "spec: {successPolicy: {rules: [{succeededCount: 1}]}, template");
    refused(
        Kind::Job,
        &plain,
        &[
            "spec.successPolicy: Invalid value: {\"Rules\":[{\"SucceededIndexes\":null,\"SucceededCount\":1}]}: requires indexed completion mode",
        ],
    );
}

#[test]
fn what_may_change_of_a_job() {
    let indexed = TASK.replace(
        "spec: {template",
        "spec: {completionMode: Indexed, completions: 2, parallelism: 2, template",
    );
    check_change(
        Kind::Job,
        &indexed,
        |document| document.set_at(&["spec", "completions"], 3),
        &["spec.completions: Invalid value: 3: can only be modified in tandem with spec.parallelism"],
    );
    check_change(
        Kind::Job,
        TASK,
        |document| document.set_at(&["spec", "managedBy"], "acme.io/foo"),
        &["spec.managedBy: Invalid value: \"acme.io/foo\": field is immutable"],
    );
    let suspended = TASK.replace("spec: {template", "spec: {suspend: true, template");
    let move_it = |document: &mut Value| {
        document.set_at(&["spec", "template", "spec", "nodeSelector", "disk"], "ssd");
    };
    check_change(Kind::Job, &suspended, move_it, &[]);
}

#[test]
fn workloads_are_warned_of_where_they_change_what_they_ask_for() {
    let text = with_selector("")
        .replace("metadata: {name: a}", "metadata: {name: a.b}")
        .replace("image: nginx}]", "image: nginx, ports: [{containerPort: 80}, {containerPort: 80}]}]");
    let made = prepared(Kind::Deployment, &text);
    let port = "spec.template.spec.containers[0].ports[1]: duplicate port definition with \
                spec.template.spec.containers[0].ports[0]";
    let name = "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; \
                a DNS label is recommended: [must not contain dots]";
    assert_eq!((rules(Kind::Deployment).warnings)(&made, None), [name, port]);
    assert_eq!((rules(Kind::Deployment).warnings)(&made, Some(&made)), Vec::<String>::new());
    let mut changed = made.clone();
    changed.set_at(&["metadata", "generation"], 2);
    assert_eq!((rules(Kind::Deployment).warnings)(&changed, Some(&made)), [port]);
}
