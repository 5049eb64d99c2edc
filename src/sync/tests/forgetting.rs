//! What is forgotten and what never is, whatever happens and however much is kept.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::config::Span;

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
    assert_eq!(kept.len(), 49, "two days, and the run that ends now");
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_forgotten_is_old_or_too_much_and_never_the_last_of_anybody(
        mornings in prop::collection::vec((0usize..6, 0usize..8, 0i64..40, any::<bool>()), 20..60),
        run_days in 1u64..6,
        most_runs in 3usize..20,
        change_days in 1u64..6,
        most_changes in 3u64..30,
    ) {
        let mut world = World::new();
        world.guard.limit = 1000;
        world.retention = Retention { runs: days(run_days), most_runs, changes: days(change_days), most_changes };
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
                let young = world.now.duration_since(run.started) <= SignedDuration::from_hours(24 * i64::try_from(run_days).unwrap());
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
                let young = world.now.duration_since(change.at) <= SignedDuration::from_hours(24 * i64::try_from(change_days).unwrap());
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
