//! Jobs with policies: which failures count, when enough have succeeded, and when a Pod is replaced.

use super::workloads::{change, conditions, job};
use super::*;

fn run(world: &mut Simulation, seconds: u64) {
    let until = world.now() + seconds * 1_000_000;
    world.advance_to(until);
}

fn pods(world: &Simulation) -> Vec<&Arc<Object>> {
    world.cluster.list(Kind::Pod, Some("default")).collect()
}

fn status(world: &Simulation, name: &str, field: &str) -> Value {
    object(world, Kind::Job, name).status().get(field).clone()
}

fn last_event(world: &Simulation, name: &str) -> String {
    events(world, name).pop().unwrap_or_default()
}

const INDEXED: &str = "  completionMode: Indexed\n  completions: 3\n  parallelism: 3\n";

#[test]
fn a_failure_that_fails_the_job_ends_it_at_once() {
    let mut world = world();
    let policy = "  podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {containerName: c, operator: In, values: [42]}}]}";
    apply(&mut world, &job("bad", "42", policy));
    let ends = ["FailureTarget: PodFailurePolicy", "Failed: PodFailurePolicy"];
    assert_eq!(conditions(&world, "bad"), ends);
    let pod = pods(&world)[0].name().clone();
    let message = format!(
        "Container c for pod default/{pod} failed with exit code 42 matching FailJob rule at index 0"
    );
    assert_eq!(last_event(&world, "bad"), format!("PodFailurePolicy: {message}"));
    assert_eq!((pods(&world).len(), status(&world, "bad", "failed").as_int()), (1, Some(1)));
}

#[test]
fn ignored_failures_do_not_count_but_the_next_pod_waits_all_the_same() {
    let mut world = world();
    let policy = "  backoffLimit: 0\n  podFailurePolicy: {rules: [{action: Ignore, onExitCodes: {operator: In, values: [1]}}]}";
    apply(&mut world, &job("again", "1", policy));
    run(&mut world, 40);
    assert!(conditions(&world, "again").is_empty());
    assert_eq!(status(&world, "again", "failed"), Value::Null);
    assert_eq!(pods(&world).len(), 3, "after 10 and 20 seconds");
}

#[test]
fn each_index_has_its_own_limit_of_failures() {
    let mut world = world();
    apply(&mut world, &job("each", "1", &format!("{INDEXED}  backoffLimitPerIndex: 1")));
    run(&mut world, 30);
    assert_eq!(conditions(&world, "each"), ["FailureTarget: FailedIndexes", "Failed: FailedIndexes"]);
    assert_eq!(status(&world, "each", "failedIndexes").str(), "0-2");
    assert_eq!(status(&world, "each", "failed").as_int(), Some(6));
    assert_eq!(last_event(&world, "each"), "FailedIndexes: Job has failed indexes");
    let annotation = "batch.kubernetes.io/job-index-failure-count";
    let mut counts: Vec<&str> =
        pods(&world).iter().filter_map(|pod| pod.meta.annotation(annotation)).collect();
    counts.sort_unstable();
    assert_eq!(counts, ["0", "0", "0", "1", "1", "1"]);
}

#[test]
fn a_job_fails_when_too_many_indexes_have_failed() {
    let mut world = world();
    let limits = format!("{INDEXED}  backoffLimitPerIndex: 0\n  maxFailedIndexes: 1");
    apply(&mut world, &job("many", "1", &limits));
    let ends = ["FailureTarget: MaxFailedIndexesExceeded", "Failed: MaxFailedIndexesExceeded"];
    assert_eq!(conditions(&world, "many"), ends);
}

#[test]
fn an_index_that_fails_by_the_policy_is_not_tried_again() {
    let mut world = world();
    let policy = format!(
        "{INDEXED}  backoffLimitPerIndex: 5\n  podFailurePolicy: {{rules: [{{action: FailIndex, onExitCodes: {{operator: In, values: [7]}}}}]}}"
    );
    apply(&mut world, &job("seven", "7", &policy));
    assert_eq!((status(&world, "seven", "failedIndexes").str(), pods(&world).len()), ("0-2", 3));
}

#[test]
fn a_success_policy_ends_a_job_before_all_of_it_is_done() {
    let mut world = world();
    let policy = "  completionMode: Indexed\n  completions: 9\n  parallelism: 1\n  successPolicy: {rules: [{succeededIndexes: '0-1'}]}";
    apply(&mut world, &job("early", "0", policy));
    assert_eq!(conditions(&world, "early"), ["SuccessCriteriaMet: SuccessPolicy", "Complete: SuccessPolicy"]);
    let reached = object(&world, Kind::Job, "early").status().get("conditions").items()[0].clone();
    assert_eq!(reached.get("message").str(), "Matched rules at index 0");
    assert_eq!(status(&world, "early", "completedIndexes").str(), "0,1");
    assert_eq!(last_event(&world, "early"), "Completed: Job completed");
}

#[test]
fn a_job_that_another_controller_manages_is_left_alone() {
    let mut world = world();
    apply(&mut world, &job("theirs", "0", "  managedBy: acme.io/foo"));
    assert_eq!((pods(&world).len(), events(&world, "theirs").len()), (0, 0));
    assert!(object(&world, Kind::Job, "theirs").status().is_empty());
}

#[test]
fn a_pod_that_is_being_deleted_is_replaced_at_once_or_when_it_is_gone() {
    for (policy, during) in [("TerminatingOrFailed", 2), ("Failed", 1)] {
        let mut world = world();
        let slow = job("long", "0", &format!("  podReplacementPolicy: {policy}"))
            .replace("sim/exit: '0'", "sim/stop: '20'");
        apply(&mut world, &slow);
        let key = pods(&world)[0].key.clone();
        world.cluster.delete(Actor::User, &key, Options::default()).unwrap();
        world.notice();
        // Nobody waits for longer than the back-off of ten seconds.
        run(&mut world, 15);
        assert_eq!(pods(&world).len(), during, "{policy}");
        run(&mut world, 30);
        // It ended well, which without the policy nobody asks any more.
        let ended = if during == 1 {
            vec!["SuccessCriteriaMet: CompletionsReached", "Complete: CompletionsReached"]
        } else {
            vec![]
        };
        assert_eq!(conditions(&world, "long"), ended, "{policy}");
    }
}

#[test]
fn an_indexed_job_shrinks_with_its_completions() {
    let mut world = world();
    apply(&mut world, &job("elastic", "0", INDEXED).replace("sim/exit: '0'", "a: b"));
    assert_eq!(pods(&world).len(), 3);
    change(&mut world, Kind::Job, "elastic", |document| {
        document.set_at(&["spec", "completions"], 1);
        document.set_at(&["spec", "parallelism"], 1);
    });
    let names: Vec<&str> = pods(&world).iter().map(|pod| pod.name().as_str()).collect();
    assert!(names.len() == 1 && names[0].starts_with("elastic-0-"), "{names:?}");
    assert_eq!(status(&world, "elastic", "failed"), Value::Null, "those were not failures");
}

#[test]
fn an_evicted_pod_says_so() {
    let mut world = world();
    apply(&mut world, &job("moved", "0", "").replace("sim/exit: '0'", "a: b"));
    let key = pods(&world)[0].key.clone();
    let options = Options { eviction: true, ..Options::default() };
    world.cluster.delete(Actor::User, &key, options).unwrap();
    let pod = world.cluster.get(&key).unwrap();
    let condition = pod.status().get("conditions").items().last().unwrap();
    assert_eq!(
        ["type", "reason", "message"].map(|field| condition.get(field).str()),
        ["DisruptionTarget", "EvictionByEvictionAPI", "Eviction API: evicting"]
    );
}
