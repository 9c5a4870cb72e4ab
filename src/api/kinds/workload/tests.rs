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

/// Checks the errors of a manifest: `spec` is put where the text has `SPEC`.
fn check(kind: Kind, text: &str, expected: &[&str]) {
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
    let check = |text: &str, expected: &[&str]| check(Kind::StatefulSet, text, expected);
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
    let check = |text: &str, expected: &[&str]| check(Kind::DaemonSet, text, expected);
    check(&with_selector(""), &[]);
    check(
        &with_selector(", updateStrategy: {type: Never}"),
        &[
            "spec.updateStrategy: Unsupported value: {\"Type\":\"Never\",\"RollingUpdate\":null}: supported values: \"OnDelete\", \"RollingUpdate\"",
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
    check(
        Kind::ReplicaSet,
        &with_selector("").replace("selector: {matchLabels: {app: a}}", "selector: {}"),
        &["spec.selector: Invalid value: {}: empty selector is invalid for deployment"],
    );
    check(
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
    let check = |text: &str, expected: &[&str]| check(Kind::Job, text, expected);
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
        &["spec.completionMode: Unsupported value: \"Some\": supported values: \"Indexed\", \"NonIndexed\""],
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
    let check = |text: &str, expected: &[&str]| check(Kind::CronJob, text, expected);
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
    let long = "a".repeat(53);
    check(
        &of("").replace("name: a}", &format!("name: {long}}}")),
        &[&format!("metadata.name: Invalid value: \"{long}\": must be no more than 52 characters")],
    );
}
