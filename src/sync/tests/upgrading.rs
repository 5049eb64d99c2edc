//! The first run by a new version of the rules (R27, E12): what only the rules take is a plan of its own, apart from the
//! day's changes.

use super::guarding::{house, with};
use super::*;
use crate::acts::{ActError, approve_since_upgrade};
use crate::model::{Actor, Field, GuardedKind};

impl World {
    fn approve_since_upgrade(&self, digest: &str) -> Result<(), ActError> {
        let asked = BTreeMap::from([(self.integration.clone(), digest.to_owned())]);
        let lasts = |_: &IntegrationId| SignedDuration::from_hours(24);
        approve_since_upgrade(&self.store, &asked, &Actor::User(7), self.now, lasts)
    }

    /// Whatever waits.
    fn approve_what_waits_since_upgrade(&self) {
        let state = self.store.read().unwrap().guard(&self.integration).unwrap();
        let digest = state.since_upgrade.unwrap().digest;
        self.approve_since_upgrade(&digest).unwrap();
    }

    /// A house of which an earlier version kept the first ones current although their records said that they left.
    fn upgraded(house: &[Resident], kept: usize) -> World {
        let mut world = World::new();
        world.run(house.to_vec());
        let guard = world.guard.clone();
        world.unguarded();
        let seen = world.run(with(house, 0..kept, past));
        assert_eq!(seen.report.counts.updated, kept as u64);
        world.guard = guard;
        for one in &house[..kept] {
            world.kept_by_earlier_rules(&one.id);
        }
        world.is_upgraded();
        // That it was many at once is of no month.
        let write = world.store.write().unwrap();
        let state = write.guard(&world.integration).unwrap();
        let month = Vec::new();
        let state = GuardState { month, ..state };
        write.put_guard(&world.integration, &state).unwrap();
        write.commit().unwrap();
        world.now += SignedDuration::from_hours(48);
        world
    }
}

#[test]
fn r27_what_only_new_rules_take_is_a_plan_of_its_own() {
    let house = house(60);
    let mut world = World::upgraded(&house, 2);
    // Six others leave today.
    let feed = with(&house, 0..8, past);
    let seen = world.run(feed.clone());
    assert_eq!(seen.report.outcome, Outcome::Committed);
    assert_eq!(seen.report.counts.updated, 6);
    assert_eq!(seen.ruled("t00"), (Fate::Held, "R27"));
    assert_eq!(seen.decision("t00").reason, "waits for approval: closing");
    assert!(!world.stay(1).is_closed() && world.stay(3).is_closed());
    let apart = seen.state.since_upgrade.clone().unwrap();
    let names: Vec<&str> = apart.items.iter().map(|item| item.name.as_str()).collect();
    assert_eq!(names, ["Name0 Ortiz", "Name1 Ortiz"]);
    assert!(
        apart
            .items
            .iter()
            .all(|item| item.kind == GuardedKind::Closing)
    );
    assert_eq!(seen.kinds(), [AlertKind::MassChangeHeld]);
    assert_eq!(seen.alerts[0].subject, "since_upgrade");
    assert!(seen.alerts[0].detail.contains("closing 2"));
    // It waits, whatever its size, in every run; the day is judged without it.
    let again = world.run(feed.clone());
    assert!(again.report.outcome.is_success());
    assert_eq!(again.state.since_upgrade.unwrap().digest, apart.digest);
    let held = world.is_held(with(&house, 0..15, past));
    assert!(
        held.reason().starts_with("13 of 60 linked people"),
        "{}",
        held.reason()
    );
    assert_eq!(held.state.held.as_ref().unwrap().items.len(), 2 * 7);
    let other = world.approve_since_upgrade("0123456789abcdef");
    assert!(matches!(other, Err(ActError::Refused(_))), "{other:?}");
    world.approve_since_upgrade(&apart.digest).unwrap();
    // Its approval is none of the day's plan.
    let held = world.is_held(with(&house, 0..15, past));
    assert_eq!(held.report.approved_by, None);
    let seen = world.run(feed.clone());
    assert!(seen.report.outcome.is_success());
    assert!(world.stay(1).is_closed() && world.stay(2).is_closed());
    assert_eq!((seen.alerts, seen.state.since_upgrade), (vec![], None));
    world.settles(feed);
    let nothing = world.approve_since_upgrade(&apart.digest);
    assert!(matches!(nothing, Err(ActError::Refused(_))), "{nothing:?}");
}

#[test]
fn r27_what_only_new_rules_take_is_never_counted_for_the_day() {
    let house = house(60);
    let mut world = World::upgraded(&house, 30);
    let feed = with(&house, 0..30, past);
    let seen = world.run(feed.clone());
    assert!(seen.report.outcome.is_success());
    world.approve_what_waits_since_upgrade();
    assert_eq!(world.run(feed.clone()).report.counts.updated, 30);
    // A tenth of the sixty who were linked may go on the same day.
    let seen = world.run(with(&house, 0..36, past));
    assert_eq!(seen.report.counts.updated, 6, "{}", seen.reason());
    assert_eq!(seen.alerts, []);
    world.is_held(with(&house, 0..37, past));
}

#[test]
fn r27_whose_record_changes_on_the_morning_of_the_upgrade_is_of_the_day() {
    let house = house(60);
    let mut world = World::upgraded(&house, 2);
    let mut feed = with(&house, 0..2, past);
    // Their record says now that they left yesterday.
    feed[0].move_out = day(2, 28);
    // And somebody who is absent today was named by the last run.
    let gone = feed.pop().unwrap();
    let seen = world.run(feed.clone());
    assert_eq!(seen.report.outcome, Outcome::Committed);
    assert!(world.stay(1).is_closed() && !world.stay(2).is_closed());
    let apart = seen.state.since_upgrade.unwrap();
    assert_eq!(apart.items.len(), 1);
    assert_eq!(apart.items[0].person, Some(PersonId(2)));
    assert!(world.links().contains_key(&gone.id));
}

#[test]
fn r27_a_day_that_is_held_leaves_the_upgrade_for_the_next_run() {
    let house = house(60);
    let mut world = World::upgraded(&house, 2);
    let held = world.is_held(with(&house, 0..15, past));
    assert_eq!(held.state.since_upgrade.as_ref().unwrap().items.len(), 2);
    assert_eq!(held.state.held.as_ref().unwrap().items.len(), 2 * 13);
    let seen = world.run(with(&house, 0..2, past));
    assert!(seen.report.outcome.is_success());
    assert_eq!(seen.state.since_upgrade.unwrap().items.len(), 2);
    assert!(!world.stay(1).is_closed());
}

#[test]
fn r27_what_the_pms_corrects_waits_no_more() {
    let house = house(60);
    let mut world = World::upgraded(&house, 2);
    world.run(with(&house, 0..2, past));
    // One of the two is said to live there again; the other goes on waiting.
    let seen = world.run(with(&house, 1..2, past));
    assert_eq!(seen.state.since_upgrade.unwrap().items.len(), 1);
    let seen = world.run(house.clone());
    assert_eq!((seen.alerts, seen.state.since_upgrade), (vec![], None));
    // From then on it is a change like any other.
    let seen = world.run(with(&house, 0..1, past));
    assert_eq!(seen.report.counts.updated, 1);
    assert!(world.stay(1).is_closed());
}

#[test]
fn of_the_same_rules_nothing_is_a_plan_of_its_own_whatever_else_is_new() {
    let house = house(60);
    let mut world = World::new();
    world.run(house.clone());
    // Another setting: what was remembered does not serve.
    world.missing_after = 5;
    let seen = world.run(with(&house, 0..2, past));
    assert_eq!(seen.state.since_upgrade, None);
    assert!(world.stay(1).is_closed());
}

/// A7: an old id that an earlier version let weigh against a new one that is past, and that is missed for long.
#[test]
fn r22_an_old_id_that_kept_somebody_is_given_up_and_they_close_in_one_go() {
    let mut world = World::new();
    let house = house(20);
    world.run(house.clone());
    let mut feed = house.clone();
    feed[0] = Resident {
        lease_start: day(2, 1),
        ..past(with_id(house[0].clone(), "t00b"))
    };
    world.run(feed.clone());
    world.kept_by_earlier_rules("t00");
    world.missed_by_earlier_rules("t00");
    world.is_upgraded();
    let seen = world.run(feed.clone());
    assert!(!world.stay(1).is_closed(), "{seen:#?}");
    let items = seen.state.since_upgrade.unwrap().items;
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].kind, GuardedKind::Closing);
    world.approve_what_waits_since_upgrade();
    let seen = world.run(feed.clone());
    assert!(world.stay(1).is_closed() && world.links()["t00"].superseded);
    assert_eq!(seen.alerts, []);
    world.settles(feed);
}

/// Somebody without an email in the PMS, of whose text earlier rules had made the one they have.
fn cut_by_earlier_rules(world: &World, resident: &str) {
    let write = world.store.write().unwrap();
    let alerts = write.alerts(&world.integration).unwrap();
    let alert = &alerts[&(AlertKind::MissingEmail, resident.to_owned())];
    let alert = Alert {
        state: AlertState::AutoClosed,
        ..alert.clone()
    };
    write.put_alert(&alert).unwrap();
    write.commit().unwrap();
}

#[test]
fn r20_an_email_that_earlier_rules_cut_out_of_a_text_is_removed_once_that_is_approved() {
    let house = house(60);
    let mut world = World::new();
    world.run(house.clone());
    let without = |resident: Resident| Resident {
        email: None,
        ..resident
    };
    // To these rules the texts of three are no addresses; of the fourth the PMS has had none for long.
    let mut feed = with(&house, 0..4, without);
    world.unguarded();
    world.run(feed.clone());
    for resident in ["t00", "t01", "t02"] {
        cut_by_earlier_rules(&world, resident);
    }
    world.is_upgraded();
    world.guard = Guard::default();
    // One locked their email, and the PMS takes away another one today.
    world.edit(3, |person| {
        person.locks.insert(Field::Email);
    });
    feed[4].email = None;
    let seen = world.run(feed.clone());
    assert!(seen.report.outcome.is_success());
    assert_eq!(seen.ruled("t00"), (Fate::Held, "R27"));
    assert_eq!(
        seen.decision("t00").reason,
        "waits for approval: email change"
    );
    let apart = seen.state.since_upgrade.clone().unwrap();
    let items = apart.items.iter();
    let whose: Vec<_> = items.map(|item| (item.kind, item.person)).collect();
    let goes = |id| (GuardedKind::EmailChange, Some(PersonId(id)));
    assert_eq!(whose, [goes(1), goes(2)]);
    let told = |seen: &Seen| -> Vec<String> {
        let alerts = seen.alerts.iter();
        let missing = alerts.filter(|alert| alert.kind == AlertKind::MissingEmail);
        missing.map(|alert| alert.subject.clone()).collect()
    };
    assert_eq!(told(&seen), ["t02", "t03", "t04"]);
    // It waits in every run until somebody has looked, and then is as the PMS has it.
    let seen = world.run(feed.clone());
    assert_eq!(
        seen.state.since_upgrade.clone().unwrap().digest,
        apart.digest
    );
    assert!(world.people()[0].email.is_some());
    world.approve_since_upgrade(&apart.digest).unwrap();
    let seen = world.run(feed.clone());
    assert_eq!(seen.ruled("t00"), (Fate::Updated, "R20"));
    let emails: Vec<bool> = world.people()[..6]
        .iter()
        .map(|person| person.email.is_some())
        .collect();
    assert_eq!(emails, [false, false, true, true, true, true]);
    assert_eq!(told(&seen), ["t02", "t03", "t04"]);
    world.settles(feed);
}
