//! CronJobs and the end of Jobs' lives, on virtual time. The world begins at midnight.

use super::workloads::{change, job};
use super::*;

fn cron_job(schedule: &str, exit: &str, more: &str) -> String {
    format!(
        "apiVersion: batch/v1
kind: CronJob
metadata: {{name: tick}}
spec:
  schedule: '{schedule}'
{more}
  jobTemplate:
    spec:
      template:
        metadata: {{annotations: {{sim/exit: '{exit}'}}}}
        spec: {{restartPolicy: Never, terminationGracePeriodSeconds: 30, containers: [{{name: c, image: 'nginx:1.25'}}]}}
"
    )
}

fn run(world: &mut Simulation, seconds: u64) {
    let until = world.now() + seconds * 1_000_000;
    world.advance_to(until);
}

fn jobs(world: &Simulation) -> Vec<String> {
    world.cluster.list(Kind::Job, Some("default")).map(|job| job.name().to_string()).collect()
}

#[test]
fn a_cron_job_makes_a_job_at_each_of_its_times_and_keeps_the_last_three() {
    let mut world = world();
    apply(&mut world, &cron_job("* * * * *", "0", ""));
    run(&mut world, 310);
    let minute = world.cluster.timestamp().0 / 60;
    let expected: Vec<String> = (minute - 2..=minute).map(|minute| format!("tick-{minute}")).collect();
    assert_eq!(jobs(&world), expected);
    let status = object(&world, Kind::CronJob, "tick").status();
    assert!(status.get("active").is_null() && !status.get("lastSuccessfulTime").is_null());
    let said = events(&world, "tick");
    assert!(said.iter().any(|text| text.starts_with("SuccessfulDelete: Deleted job tick-")), "{said:?}");
}

#[test]
fn what_happens_to_a_job_that_still_runs_follows_the_policy() {
    for (policy, running, said) in [
        ("Allow", 2, "SuccessfulCreate"),
        ("Forbid", 1, "JobAlreadyActive"),
        ("Replace", 1, "SuccessfulDelete"),
    ] {
        let mut world = world();
        let endless = cron_job("* * * * *", "", &format!("  concurrencyPolicy: {policy}"));
        apply(&mut world, &endless.replace("sim/exit: ''", "a: b"));
        run(&mut world, 170);
        assert_eq!(jobs(&world).len(), running, "{policy}");
        let active = object(&world, Kind::CronJob, "tick").status().get("active").items().len();
        assert_eq!(active, running, "{policy}");
        assert!(events(&world, "tick").iter().any(|text| text.starts_with(said)), "{policy}");
    }
}

#[test]
fn a_suspended_cron_job_makes_nothing_and_then_only_the_last_that_it_missed() {
    let mut world = world();
    apply(&mut world, &cron_job("* * * * *", "0", "  suspend: true"));
    run(&mut world, 300);
    assert_eq!((jobs(&world).len(), world.cluster.queue().is_empty()), (0, true));
    let key = Key::new(Kind::CronJob, "default", "tick");
    let mut document = world.cluster.get(&key).unwrap().value.clone();
    document.set_at(&["spec", "suspend"], false);
    world.cluster.update(Actor::User, &key, document).unwrap();
    world.notice();
    run(&mut world, 5);
    assert_eq!(jobs(&world).len(), 1);
}

#[test]
fn a_cron_job_goes_by_the_clocks_of_its_time_zone() {
    let mut world = world();
    // The world begins at midnight, which is eight o'clock in Shanghai.
    let begin = world.cluster.timestamp();
    apply(&mut world, &cron_job("30 8 * * *", "0", "  timeZone: Asia/Shanghai"));
    run(&mut world, 31 * 60);
    assert_eq!(jobs(&world), [format!("tick-{}", begin.0 / 60 + 30)]);
}

#[test]
fn a_changed_schedule_does_not_make_up_for_what_it_would_have_done() {
    let mut world = world();
    apply(&mut world, &cron_job("0 0 1 1 *", "0", ""));
    run(&mut world, 130);
    change(&mut world, Kind::CronJob, "tick", |document| {
        document.set_at(&["spec", "schedule"], "* * * * *");
    });
    assert_eq!(jobs(&world).len(), 0);
    run(&mut world, 60);
    assert_eq!(jobs(&world).len(), 1);
}

#[test]
fn a_day_that_never_comes_is_an_invalid_schedule() {
    let mut world = world();
    apply(&mut world, &cron_job("0 0 30 2 *", "0", ""));
    let said = "InvalidSchedule: invalid schedule: 0 0 30 2 * : time difference between two schedules is less than 1 second";
    assert_eq!(events(&world, "tick"), [said]);
    assert!(world.cluster.queue().is_empty());
}

#[test]
fn a_job_that_has_ended_goes_when_its_time_has_come() {
    let mut world = world();
    apply(&mut world, &job("short", "0", "  ttlSecondsAfterFinished: 60"));
    assert_eq!(jobs(&world).len(), 1);
    change(&mut world, Kind::Job, "short", |document| {
        document.at_mut(&["metadata", "labels"]).set("a", "b");
    });
    run(&mut world, 61);
    assert_eq!((jobs(&world).len(), count(&world, Kind::Pod)), (0, 0));
}
