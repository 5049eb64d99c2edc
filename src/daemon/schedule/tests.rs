//! When runs are due, by times that the tests give.

use super::*;

const HOUR: Rhythm = Rhythm {
    every: SignedDuration::from_hours(1),
    jitter: SignedDuration::from_mins(5),
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn id(name: &str) -> IntegrationId {
    IntegrationId::new(name)
}

fn success(at: Timestamp) -> Known {
    Known {
        generation: Some(1),
        last_success: Some(at),
        is_outdated: false,
        last_started: Some(at),
        apart: SignedDuration::ZERO,
    }
}

fn schedule(names: &[&str], workers: usize) -> Schedule {
    let mut schedule = Schedule::new(workers, None);
    for name in names {
        schedule.adopt(&id(name), Some(HOUR), success(at(0)), at(0), 0.0);
    }
    schedule
}

/// Starts what is due while nobody waits.
fn start(schedule: &mut Schedule, now: Timestamp) -> Vec<(IntegrationId, RunId, Cause)> {
    schedule.start(now, 0, |_| false)
}

#[test]
fn r3_a_run_that_was_asked_for_takes_no_reading_from_before() {
    let mut schedule = schedule(&["a"], 1);
    let a = id("a");
    assert_eq!(schedule.fresh_from(&a, Cause::Manual, at(0)), None);
    schedule.request(&a, at(10)).unwrap();
    // Whoever joins what is queued gets nothing older than they ask for either.
    schedule.request(&a, at(70)).unwrap();
    let [(_, _, cause)] = start(&mut schedule, at(100))[..] else {
        panic!("it runs");
    };
    assert_eq!(schedule.fresh_from(&a, cause, at(100)), Some(at(70)));
    let by_the_clock = schedule.fresh_from(&a, Cause::Schedule, at(3600));
    assert_eq!(by_the_clock, Some(at(3600 - 900)));
}

#[test]
fn r43_who_waits_holds_no_worker_and_keeps_back_those_who_would_wait_for_the_same() {
    let mut schedule = schedule(&["x1", "x2", "x3", "y1", "y2"], 2);
    let late = at(7200);
    let x1 = schedule.request(&id("x1"), at(0)).unwrap();
    assert_eq!(start(&mut schedule, at(0)), [(id("x1"), x1, Cause::Manual)]);
    for name in ["x2", "x3"] {
        schedule.request(&id(name), at(0)).unwrap();
    }
    // The first waits for its credential, and the others of it would.
    let of_x = |id: &IntegrationId| id.as_str().starts_with('x');
    let asked = schedule.request(&id("y2"), at(0)).unwrap();
    let started = schedule.start(late, 1, of_x);
    assert_eq!(started[0], (id("y2"), asked, Cause::Manual));
    assert_eq!(started[1].0, id("y1"), "both workers are free");
    assert_eq!(schedule.start(late, 1, of_x), []);
    schedule.finished(&id("y2"), Ended::Good, late, 0.0);
    assert_eq!(schedule.start(late, 1, of_x), []);
    assert_eq!(
        schedule.start(late, 0, |_| false).len(),
        0,
        "x1 and y1 have them"
    );
    schedule.finished(&id("x1"), Ended::Good, late, 0.0);
    assert_eq!(start(&mut schedule, late)[0].0, id("x2"));
}

#[test]
fn r43_a_budget_that_does_not_last_for_the_rhythm_is_dealt_out_evenly() {
    let mut schedule = schedule(&["a", "b"], 1);
    let slow = SignedDuration::from_mins(77);
    schedule.deal(&id("a"), slow);
    assert_eq!(schedule.is_slowed(&id("a")), Some(slow));
    assert_eq!(schedule.is_slowed(&id("b")), None);
    let begun = at(0).checked_add(slow).unwrap();
    assert_eq!(schedule.phase(&id("a")), Some((Phase::Idle, Some(begun))));
    // Whoever asks by hand has it at once, and what the clock brings comes later for it.
    let run = schedule.request(&id("a"), at(0)).unwrap();
    assert_eq!(
        start(&mut schedule, at(60)),
        [(id("a"), run, Cause::Manual)]
    );
    schedule.finished(&id("a"), Ended::Good, at(70), 0.0);
    let due = at(60).checked_add(slow).unwrap();
    assert_eq!(schedule.phase(&id("a")), Some((Phase::Idle, Some(due))));
    // Over a restart too.
    let mut again = Schedule::new(1, None);
    let known = Known {
        last_started: Some(at(60)),
        apart: slow,
        ..success(at(70))
    };
    again.adopt(&id("a"), Some(HOUR), known, at(70 + 3700), 0.0);
    assert_eq!(again.phase(&id("a")), Some((Phase::Idle, Some(due))));
    // What was put right is tried at once, and goes on waiting for nothing when the catalog is taken over again.
    start(&mut again, due);
    again.finished(&id("a"), Ended::Failed, due, 0.0);
    let known = Known {
        generation: Some(2),
        ..known
    };
    for _ in 0..2 {
        again.adopt(&id("a"), Some(HOUR), known, due, 0.0);
        assert_eq!(again.phase(&id("a")), Some((Phase::Idle, Some(due))));
    }
    // A share that lasts for the rhythm changes nothing.
    let mut quick = self::schedule(&["a"], 1);
    let before = quick.phase(&id("a"));
    quick.deal(&id("a"), SignedDuration::from_secs(1));
    assert_eq!(quick.phase(&id("a")), before);
}

#[test]
fn r43_what_is_postponed_is_neither_a_failure_nor_a_success() {
    let mut schedule = schedule(&["a"], 1);
    let due = schedule.next_due().unwrap();
    start(&mut schedule, due);
    schedule.finished(&id("a"), Ended::Failed, due, 0.0);
    let due = schedule.next_due().unwrap();
    start(&mut schedule, due);
    schedule.finished(&id("a"), Ended::Postponed, due, 0.0);
    assert_eq!(schedule.failing().count(), 1, "as before");
    let mut schedule = self::schedule(&["a"], 1);
    for hour in 1..=3 {
        let due = schedule.next_due().unwrap();
        start(&mut schedule, due);
        schedule.finished(&id("a"), Ended::Postponed, due, 0.0);
        let next = schedule.next_due().unwrap();
        assert_eq!(next.duration_since(due).as_hours(), 1, "{hour}");
    }
    assert_eq!(schedule.failing().count(), 0);
    assert_eq!(schedule.stale(at(4 * 3600)), [id("a")]);
}

#[test]
fn r2_every_integration_runs_within_each_hour_at_its_own_moment() {
    let names: Vec<String> = (0..100).map(|n| format!("building-{n}")).collect();
    let mut moments = std::collections::BTreeSet::new();
    for name in &names {
        let mut schedule = schedule(&[name], 1);
        let first = schedule.next_due().unwrap();
        assert!(first > at(0) && first <= at(3600));
        let started = start(&mut schedule, first);
        assert_eq!(started, [(id(name), RunId(1), Cause::Schedule)]);
        schedule.finished(&id(name), Ended::Good, first, 0.0);
        assert_eq!(
            schedule.next_due().unwrap(),
            first + SignedDuration::from_hours(1)
        );
        moments.insert(first.as_second() / 60);
    }
    assert!(
        moments.len() > 40,
        "spread over the hour: {} of 60 minutes",
        moments.len()
    );
}

#[test]
fn r2_jitter_delays_by_no_more_than_it_says() {
    let exact = next_slot(&id("a"), HOUR, at(0), 0.0);
    let late = next_slot(&id("a"), HOUR, at(0), 1.0);
    assert_eq!(late.duration_since(exact), SignedDuration::from_mins(5));
}

/// Hours of two thousand integrations by a clock that jumps from event to event: how many runs there were, and
/// by how much one was late at the most.
fn hours(hours: i64, workers: usize, takes: SignedDuration) -> (usize, SignedDuration) {
    let mut chance = fastrand::Rng::with_seed(7);
    let mut schedule = Schedule::new(workers, None);
    for number in 0..2_000 {
        let id = id(&format!("building-{number}"));
        schedule.adopt(&id, Some(HOUR), success(at(0)), at(0), chance.f64());
    }
    let mut under_way = BTreeMap::new();
    let (mut now, mut runs, mut longest) = (at(0), 0, SignedDuration::ZERO);
    while now <= at(hours * 3_600) {
        for (id, run, _) in start(&mut schedule, now) {
            let due = schedule.entries[&id].due;
            longest = longest.max(now.duration_since(due));
            under_way.insert((now + takes, run), id);
            runs += 1;
        }
        let ends = under_way.first_key_value().map(|((ends, _), _)| *ends);
        let due = schedule.next_due().filter(|_| under_way.len() < workers);
        now = ends.into_iter().chain(due).min().unwrap();
        while let Some(first) = under_way.first_entry()
            && first.key().0 <= now
        {
            schedule.finished(&first.remove(), Ended::Good, now, chance.f64());
        }
    }
    (runs, longest)
}

#[test]
fn r2_of_two_thousand_integrations_none_is_late_by_more_than_its_jitter() {
    // Many times what 500 residents take, so that the two workers are busy nearly all of the hour.
    let takes = SignedDuration::from_secs(3);
    let (runs, longest) = hours(3, 2, takes);
    assert!(longest <= HOUR.jitter, "{longest:#}");
    assert!((2_000 * 2..=2_000 * 4).contains(&runs), "{runs}");
    // One worker is too few for them, and the clock of this test shows it.
    let (_, longest) = hours(1, 1, takes);
    assert!(longest > HOUR.jitter, "{longest:#}");
}

#[test]
fn r47_what_was_not_read_since_a_restore_runs_at_once() {
    let mut schedule = Schedule::new(1, None);
    let known = Known {
        is_outdated: true,
        ..success(at(0))
    };
    schedule.adopt(&id("a"), Some(HOUR), known, at(60), 0.0);
    schedule.adopt(&id("b"), Some(HOUR), success(at(0)), at(60), 0.0);
    schedule.adopt(&id("off"), None, known, at(60), 0.0);
    let started = start(&mut schedule, at(60));
    let [(started, _, _)] = &started[..] else {
        panic!("one runs: {started:?}");
    };
    assert_eq!(started, &id("a"));
}

#[test]
fn r2_a_run_missed_while_the_daemon_was_down_is_made_up_once_at_start() {
    let mut schedule = Schedule::new(2, Some(RunId(7)));
    schedule.adopt(&id("a"), Some(HOUR), success(at(-7200)), at(0), 0.0);
    assert_eq!(
        start(&mut schedule, at(0)),
        [(id("a"), RunId(8), Cause::Start)]
    );
    schedule.finished(&id("a"), Ended::Good, at(5), 0.0);
    assert_eq!(start(&mut schedule, at(6)), []);
    assert!(schedule.next_due().unwrap() > at(6));
}

#[test]
fn r3_requests_during_a_run_become_one_more_run() {
    let mut schedule = schedule(&["a"], 2);
    let first = schedule.request(&id("a"), at(0)).unwrap();
    assert_eq!(
        schedule.request(&id("a"), at(0)),
        Some(first),
        "still queued"
    );
    assert_eq!(
        start(&mut schedule, at(1)),
        [(id("a"), first, Cause::Manual)]
    );
    let second = schedule.request(&id("a"), at(0)).unwrap();
    assert_ne!(first, second);
    for _ in 0..5 {
        assert_eq!(schedule.request(&id("a"), at(0)), Some(second));
    }
    assert_eq!(
        start(&mut schedule, at(2)),
        [],
        "one run per integration at a time"
    );
    schedule.finished(&id("a"), Ended::Good, at(3), 0.0);
    assert_eq!(
        start(&mut schedule, at(3)),
        [(id("a"), second, Cause::Manual)]
    );
    schedule.finished(&id("a"), Ended::Good, at(4), 0.0);
    assert_eq!(start(&mut schedule, at(4)), []);
}

#[test]
fn requests_go_before_the_clock_and_workers_are_not_exceeded() {
    let mut schedule = schedule(&["a", "b", "c"], 1);
    let asked = schedule.request(&id("c"), at(0)).unwrap();
    assert_eq!(
        start(&mut schedule, at(7200)),
        [(id("c"), asked, Cause::Manual)]
    );
    assert_eq!(start(&mut schedule, at(7200)), []);
    schedule.finished(&id("c"), Ended::Good, at(7200), 0.0);
    assert_eq!(start(&mut schedule, at(7200)).len(), 1);
}

#[test]
fn what_is_switched_off_neither_runs_nor_can_be_asked_for() {
    let mut schedule = schedule(&["a"], 1);
    schedule.adopt(&id("a"), None, success(at(0)), at(0), 0.0);
    assert_eq!(schedule.request(&id("a"), at(0)), None);
    assert_eq!(start(&mut schedule, at(9999)), []);
    assert_eq!(schedule.next_due(), None);
    schedule.adopt(&id("a"), Some(HOUR), success(at(0)), at(9999), 0.0);
    assert_eq!(
        start(&mut schedule, at(9999)).len(),
        1,
        "switched on again, a missed run is made up"
    );
}

#[test]
fn r28_a_failing_source_is_asked_ever_more_rarely_up_to_a_cap() {
    let mut schedule = schedule(&["a"], 1);
    let mut hours = Vec::new();
    for _ in 0..6 {
        let due = schedule.next_due().unwrap();
        start(&mut schedule, due);
        schedule.finished(&id("a"), Ended::Failed, due, 0.0);
        hours.push(schedule.next_due().unwrap().duration_since(due).as_hours());
    }
    assert_eq!(hours, [1, 2, 4, 8, 8, 8]);
    // A success ends it.
    let due = schedule.next_due().unwrap();
    start(&mut schedule, due);
    schedule.finished(&id("a"), Ended::Good, due, 0.0);
    let next = schedule.next_due().unwrap();
    assert_eq!(next.duration_since(due).as_hours(), 1);
}

#[test]
fn r28_a_changed_config_ends_the_quarantine_at_once() {
    let mut schedule = schedule(&["a"], 1);
    for _ in 0..4 {
        let due = schedule.next_due().unwrap();
        start(&mut schedule, due);
        schedule.finished(&id("a"), Ended::Failed, due, 0.0);
    }
    let now = schedule.next_due().unwrap() - SignedDuration::from_hours(5);
    assert_eq!(start(&mut schedule, now), []);
    let changed = Known {
        generation: Some(2),
        last_success: Some(at(0)),
        is_outdated: false,
        ..success(at(0))
    };
    schedule.adopt(&id("a"), Some(HOUR), changed, now, 0.0);
    assert_eq!(start(&mut schedule, now).len(), 1);
}

#[test]
fn r41_who_is_not_understood_is_asked_in_its_rhythm_and_at_once_by_other_files() {
    let mut schedule = schedule(&["a"], 1);
    for _ in 0..3 {
        let due = schedule.next_due().unwrap();
        start(&mut schedule, due);
        schedule.finished(&id("a"), Ended::NotUnderstood, due, 0.0);
        let next = schedule.next_due().unwrap();
        assert_eq!(next.duration_since(due).as_hours(), 1, "no back-off");
    }
    assert_eq!(schedule.failing().count(), 0);
    let now = schedule.next_due().unwrap() - SignedDuration::from_mins(30);
    assert_eq!(start(&mut schedule, now), []);
    let known = |generation| Known {
        generation: Some(generation),
        last_success: Some(at(0)),
        is_outdated: false,
        ..success(at(0))
    };
    schedule.adopt(&id("a"), Some(HOUR), known(1), now, 0.0);
    assert_eq!(start(&mut schedule, now), [], "the same files");
    schedule.adopt(&id("a"), Some(HOUR), known(2), now, 0.0);
    assert_eq!(start(&mut schedule, now).len(), 1);
    schedule.finished(&id("a"), Ended::Good, now, 0.0);
    schedule.adopt(&id("a"), Some(HOUR), known(3), now, 0.0);
    assert_eq!(start(&mut schedule, now), [], "it is cured");
}

#[test]
fn r41_who_is_not_understood_is_stale_in_the_end() {
    let mut schedule = schedule(&["a"], 1);
    let hours = |hours: i64| at(hours * 3600);
    for hour in 1..4 {
        start(&mut schedule, hours(hour));
        schedule.finished(&id("a"), Ended::NotUnderstood, hours(hour), 0.0);
    }
    assert_eq!(schedule.stale(hours(4)), [id("a")]);
}

#[test]
fn r28_in_quarantine_a_request_is_heard_all_the_same() {
    let mut schedule = schedule(&["a"], 1);
    for _ in 0..4 {
        let due = schedule.next_due().unwrap();
        start(&mut schedule, due);
        schedule.finished(&id("a"), Ended::Failed, due, 0.0);
    }
    let run = schedule.request(&id("a"), at(0)).unwrap();
    assert_eq!(start(&mut schedule, at(0)), [(id("a"), run, Cause::Manual)]);
}

#[test]
fn r28_three_missed_hours_are_told_once_until_a_success() {
    let mut schedule = schedule(&["a"], 1);
    let hours = |hours: i64| at(hours * 3600);
    assert_eq!(schedule.stale(hours(3)), []);
    // A held run is no success.
    start(&mut schedule, hours(3));
    schedule.finished(&id("a"), Ended::Held, hours(3), 0.0);
    let late = hours(3) + SignedDuration::from_mins(6);
    assert_eq!(schedule.stale(late), [id("a")]);
    assert_eq!(schedule.stale(hours(4)), [], "once");
    start(&mut schedule, hours(5));
    schedule.finished(&id("a"), Ended::Good, hours(5), 0.0);
    assert_eq!(schedule.stale(hours(8)), []);
    assert_eq!(schedule.stale(hours(9)), [id("a")]);
    // What is switched off is not expected to run.
    schedule.adopt(&id("a"), None, success(at(0)), hours(9), 0.0);
    assert_eq!(schedule.stale(hours(99)), []);
    schedule.adopt(&id("a"), Some(HOUR), success(at(0)), hours(99), 0.0);
    assert_eq!(schedule.stale(hours(100)), []);
}

#[test]
fn r28_what_was_missed_before_a_pause_is_missed_after_it_and_the_pause_itself_is_not() {
    let mut schedule = schedule(&["a"], 1);
    let hours = |hours: i64| at(hours * 3600);
    let a = id("a");
    // Two are missed, then it is paused for a day, again and again.
    for day in 0..3 {
        let from = hours(2 + 24 * day);
        schedule.adopt(&a, None, success(at(0)), from, 0.0);
        schedule.adopt(&a, Some(HOUR), success(at(0)), hours(26 + 24 * day), 0.0);
    }
    let back = hours(2 + 72);
    assert_eq!(
        start(&mut schedule, back).len(),
        1,
        "what was missed is made up"
    );
    schedule.finished(&a, Ended::Failed, back, 0.0);
    assert_eq!(schedule.stale(back), []);
    let third = back + SignedDuration::from_mins(66);
    assert_eq!(schedule.stale(third), [a]);
}

/// B5: three hours ahead for a minute, two years ahead once, a day back.
#[test]
fn r45_whatever_the_wall_clock_does_runs_are_a_rhythm_and_the_jitter_apart_at_most() {
    use crate::daemon::clock::testing::{goes_by, is_set, steady};

    let clock = steady();
    let mut schedule = Schedule::new(1, None);
    schedule.adopt(&id("a"), Some(HOUR), success(clock.now()), clock.now(), 0.5);
    let set = [3 * 3600, -3 * 3600, 63_072_000, -86_400, -31_536_000, 7];
    let mut last = clock.now();
    let mut runs = 0;
    for minute in 0_u32..2_880 {
        if minute % 97 == 0 {
            is_set(set[(minute / 97) as usize % set.len()]);
        }
        goes_by(60);
        assert_eq!(schedule.stale(clock.now()), []);
        for (name, _, cause) in start(&mut schedule, clock.now()) {
            assert_eq!(cause, Cause::Schedule);
            let apart = clock.now().duration_since(last);
            assert!(
                apart <= HOUR.every + HOUR.jitter + SignedDuration::from_mins(1),
                "{apart}"
            );
            (last, runs) = (clock.now(), runs + 1);
            schedule.finished(&name, Ended::Good, clock.now(), 0.5);
        }
    }
    assert!((46..=48).contains(&runs), "{runs} runs in two days");
}

#[test]
fn r45_wherever_the_clock_was_that_the_store_was_written_by_a_run_is_due_after_a_rhythm() {
    let years = SignedDuration::from_hours(2 * 366 * 24);
    for apart in [SignedDuration::ZERO, SignedDuration::from_mins(30)] {
        for known in [at(0) + years, at(0) - years, at(1), at(0)] {
            let mut schedule = Schedule::new(1, None);
            let known = Known {
                apart,
                ..success(known)
            };
            schedule.adopt(&id("a"), Some(HOUR), known, at(0), 1.0);
            let (_, due) = schedule.phase(&id("a")).unwrap();
            assert!(due.unwrap() <= at(0) + HOUR.every + HOUR.jitter, "{due:?}");
            // Told only after the run that was missed has had its turn.
            assert_eq!(schedule.stale(at(0)), []);
        }
    }
}

/// The demo met it: a run that was made up a second before its moment was postponed for a wait of a second.
#[test]
fn r43_a_run_that_begins_just_before_its_moment_may_wait_for_the_one_after() {
    let schedule = schedule(&["a"], 1);
    for seconds in 0..7_200 {
        let wait = schedule.may_wait(&id("a"), at(seconds)).unwrap();
        assert!(wait >= HOUR.every / 2, "{wait}");
        assert!(wait <= HOUR.every * 3 / 2, "{wait}");
    }
}
