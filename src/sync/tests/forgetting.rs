//! What is forgotten and what never is, whatever happens and however much is kept.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::acts::Hand;
use crate::config::Span;
use crate::model::Actor;
use crate::store::testing::Disk;

fn days(days: u64) -> Span {
    Span::seconds(days * 86_400)
}

fn runs(world: &World, integration: &str) -> Vec<Run> {
    let view = world.store.read().unwrap();
    let id = IntegrationId::new(integration);
    view.runs(Some(&id), None, usize::MAX).unwrap()
}

fn changes(world: &World) -> Vec<Change> {
    let view = world.store.read().unwrap();
    view.changes(0, usize::MAX).unwrap()
}

#[test]
fn a_year_of_hourly_runs_is_no_longer_than_what_is_kept() {
    let mut world = World::new();
    world.retention = Retention {
        runs: days(2),
        ..Retention::default()
    };
    for _ in 0..200 {
        world.run([ana(), bob()]);
    }
    let kept = runs(&world, HOME);
    assert_eq!(kept.len(), 48, "two days");
    assert_eq!(kept[0].id, RunId(200));
    assert_eq!(changes(&world).len(), 2, "how they came to be");
    assert_eq!(world.people().len(), 2);
}

#[test]
fn runs_of_which_an_open_alert_tells_are_kept() {
    let mut world = World::new();
    world.retention.most_runs = 24;
    for _ in 0..60 {
        world.run([without_email(ana())]);
    }
    let kept = runs(&world, HOME);
    assert_eq!(kept.len(), 25);
    assert_eq!(kept.last().unwrap().id, RunId(1), "it raised the alert");
    world.run([ana()]);
    assert_eq!(runs(&world, HOME).len(), 24, "the alert is closed");
}

#[test]
fn runs_that_wrote_nothing_are_forgotten_as_others_are() {
    let mut world = World::new();
    world.run([ana()]);
    world.retention.most_runs = 24;
    for _ in 0..60 {
        // Held, again and again.
        world.run(nobody());
    }
    let kept = runs(&world, HOME);
    assert!(kept.len() <= 26, "{}", kept.len());
    assert_eq!(kept[0].outcome.as_str(), "held");
}

fn alerts(world: &World) -> Vec<Alert> {
    let view = world.store.read().unwrap();
    view.alerts(None, usize::MAX, |_| true).unwrap()
}

/// C5.
#[test]
fn alerts_are_forgotten_once_they_have_been_closed_for_long_and_not_as_long_as_runs_find_them() {
    let mut world = World::new();
    world.retention.alerts = days(1);
    let cara = || with_id(with_email(bob(), "cara@x.com"), "t3");
    // One stays open, one is dismissed and found again by every run, one goes away.
    let all = || {
        [
            without_email(ana()),
            without_email(bob()),
            without_email(cara()),
        ]
    };
    let ids: Vec<_> = world.run(all()).alerts.iter().map(|one| one.id).collect();
    let [open, dismissed, cured] = ids[..] else {
        panic!("{ids:?}")
    };
    let hand = Hand {
        by: Actor::User(1000),
        now: world.now,
    };
    crate::acts::dismiss(&world.store, dismissed, &hand).unwrap();
    let feed = || [without_email(ana()), without_email(bob()), cara()];
    for hour in 0..25 {
        world.run(feed());
        let ids: Vec<_> = alerts(&world).iter().map(|one| one.id).collect();
        assert_eq!(ids, [open, dismissed, cured], "{hour}");
    }
    world.run(feed());
    let ids: Vec<_> = alerts(&world).iter().map(|one| one.id).collect();
    assert_eq!(ids, [open, dismissed], "a day after it was closed");
    // Nobody finds the dismissed one any more.
    for _ in 0..27 {
        world.run([without_email(ana()), cara()]);
    }
    let ids: Vec<_> = alerts(&world).iter().map(|one| one.id).collect();
    assert_eq!(ids, [open]);
    // The same cause again is another alert.
    let seen = world.run(all());
    assert!(
        seen.alerts
            .iter()
            .all(|one| one.id == open || one.id > cured)
    );
    let undone = crate::acts::undo(&world.store, dismissed, &hand).unwrap_err();
    assert!(undone.to_string().contains("there is no alert"), "{undone}");
}

/// B5, R45.
#[test]
fn a_clock_that_is_ahead_forgets_nothing_and_age_goes_on_once_it_is_right() {
    let mut world = World::new();
    world.retention.runs = days(2);
    world.retention.changes = days(2);
    world.retention.alerts = days(2);
    world.run([ana(), without_email(bob())]);
    world.run([with_email(ana(), "new@x.com"), bob()]);
    let (all_runs, all_changes, all_alerts) =
        (runs(&world, HOME).len(), changes(&world), alerts(&world));
    world.clock_jumps(SignedDuration::from_hours(2 * 366 * 24));
    world.run([with_email(ana(), "new@x.com"), bob()]);
    assert_eq!(runs(&world, HOME).len(), all_runs + 1);
    assert_eq!(changes(&world)[..all_changes.len()], all_changes);
    assert_eq!(alerts(&world).len(), all_alerts.len());
    world.clock_jumps(SignedDuration::from_hours(-2 * 366 * 24));
    for _ in 0..60 {
        world.run([with_email(ana(), "new@x.com"), bob()]);
    }
    assert_eq!(runs(&world, HOME).len(), 49, "one raised what is open");
    assert_eq!(changes(&world).len(), 2, "the last of each");
    assert_eq!(alerts(&world).len(), 1, "the one that is open");
}

/// E9, R45.
#[test]
fn hours_without_a_daemon_are_no_age() {
    let mut world = World::new();
    world.retention.runs = days(2);
    for _ in 0..10 {
        world.run([ana()]);
        world.restarts_after(SignedDuration::from_hours(21 * 24));
    }
    assert_eq!(runs(&world, HOME).len(), 10);
}

/// C5.
#[test]
fn a_run_does_as_much_with_twenty_thousand_closed_alerts_as_with_none() {
    let steps = [0, 20_000].map(|closed| {
        let disk = Disk::default();
        let mut world = World::on(Store::on("disk", disk.medium()).unwrap());
        world.run([ana(), without_email(bob())]);
        let write = world.store.write().unwrap();
        let open = write.open_alerts(&world.integration).unwrap();
        let of = open.values().next().unwrap();
        for number in 0..closed {
            let alert = Alert {
                id: write.new_alert_id().unwrap(),
                subject: format!("gone-{number}"),
                state: AlertState::AutoClosed,
                ..of.clone()
            };
            write.put_alert(&alert).unwrap();
        }
        write.commit().unwrap();
        // Nothing of it is in memory when the next run begins, which has a cause to raise and one to close.
        let disk = disk.copy();
        world.store = Store::on("disk", disk.medium()).unwrap();
        disk.set(None);
        world.try_run([without_email(ana()), bob()]).unwrap();
        disk.steps()
    });
    let [with_none, with_many] = steps;
    assert!(with_many < with_none + 60, "{steps:?}");
}

proptest! {
    #![proptest_config(searching(12))]

    #[test]
    fn what_is_forgotten_is_old_or_too_much_and_never_the_last_of_anybody(
        mornings in prop::collection::vec((0usize..6, 0usize..8, 0i64..40, any::<bool>()), 20..60),
        run_days in 1u64..6,
        most_runs in 3usize..20,
        change_days in 1u64..6,
        most_changes in 3u64..30,
    ) {
        let mut world = World::new();
        world.unguarded();
        world.retention = Retention { runs: days(run_days), most_runs, changes: days(change_days), most_changes, ..Retention::default() };
        let mut feed: BTreeMap<String, Resident> = BTreeMap::new();
        let (mut all_runs, mut all_changes): (Vec<Run>, Vec<Change>) = (Vec::new(), Vec::new());
        for (who, value, hours, elsewhere) in mornings {
            world.now += SignedDuration::from_hours(hours);
            let id = format!("t{who}");
            let email = (value != 7).then(|| format!("{id}@x.com"));
            let changed = Resident {
                email,
                unit: unit(&format!("{value}")),
                ..resident(&id, &format!("Max{who}"), "Many", "")
            };
            feed.insert(id, changed);
            let place = if elsewhere { OTHER } else { HOME };
            let seen = world.at(place).run(feed.values().cloned());
            all_runs.push(seen.report);
            all_changes.extend(seen.changes);

            // Runs.
            let id = IntegrationId::new(place);
            let of_place: Vec<&Run> = all_runs.iter().filter(|run| run.integration == id).collect();
            let kept: BTreeSet<RunId> = runs(&world, place).iter().map(|run| run.id).collect();
            let raised: BTreeSet<RunId> = world.open_alerts().iter().map(|alert| alert.raised_by).collect();
            for (back, run) in of_place.iter().rev().enumerate() {
                let young = world.now.duration_since(run.started) < SignedDuration::from_hours(24 * i64::try_from(run_days).unwrap());
                let must = back == 0 || raised.contains(&run.id) || (young && back < most_runs);
                let may_not = !(young && back < most_runs) && back > 0 && !raised.contains(&run.id);
                prop_assert!(!must || kept.contains(&run.id), "{} is gone", run.id);
                prop_assert!(!may_not || !kept.contains(&run.id), "{} is kept", run.id);
            }

            // Changes: the last of everybody, and all that are neither old nor too many.
            let kept: BTreeSet<u64> = changes(&world).iter().map(|change| change.seq).collect();
            let from = world.store.read().unwrap().changes_from().unwrap();
            let mut last: BTreeSet<PersonId> = BTreeSet::new();
            for (back, change) in all_changes.iter().rev().enumerate() {
                let is_last = last.insert(change.person);
                let young = world.now.duration_since(change.at) < SignedDuration::from_hours(24 * i64::try_from(change_days).unwrap());
                let must = is_last || (young && (back as u64) < most_changes);
                prop_assert!(!must || kept.contains(&change.seq), "change {} is gone", change.seq);
                prop_assert_eq!(kept.contains(&change.seq), is_last || change.seq >= from);
            }
            let people = world.people().len();
            prop_assert!(kept.len() <= people + usize::try_from(most_changes).unwrap());
        }
        // Nobody is forgotten.
        let ever: BTreeSet<PersonId> = all_changes.iter().map(|change| change.person).collect();
        let there: BTreeSet<PersonId> = world.people().iter().map(|person| person.id).collect();
        prop_assert_eq!(ever, there);
    }
}
