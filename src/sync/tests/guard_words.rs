//! What somebody says to a held plan (R27): approved and rejected, and what it means for the runs after.

use super::guarding::{house, with};
use super::*;
use crate::acts::{ActError, Approve, Hand, reject};
use crate::model::Actor;

impl World {
    fn reject(&self, run: RunId, digest: Option<&str>) -> Result<(), ActError> {
        let asked = Approve {
            run,
            digest: digest.map(String::from),
        };
        let hand = Hand {
            by: Actor::User(8),
            now: self.now,
        };
        reject(&self.store, &asked, &hand).map(|_| ())
    }

    fn alert_states(&self) -> Vec<AlertState> {
        let view = self.store.read().unwrap();
        let alerts = view.alerts(None, usize::MAX, |_| true).unwrap();
        alerts.iter().map(|alert| alert.state).collect()
    }
}

#[test]
fn r27_a_rejected_plan_stays_held_without_a_new_alert() {
    let mut world = World::new();
    let house = house(30);
    world.run(house.clone());
    let feed = with(&house, 0..10, past);
    let held = world.is_held(feed.clone());
    world.reject(held.report.id, Some(held.digest())).unwrap();
    assert_eq!(world.open_alerts(), []);
    let view = world.store.read().unwrap();
    let report = view.run(held.report.id).unwrap().unwrap();
    assert_eq!(report.rejected_by, Some(Actor::User(8)));
    drop(view);
    for _ in 0..3 {
        let people = world.people();
        let seen = world.run(feed.clone());
        assert_eq!(seen.report.outcome.as_str(), "held");
        assert_eq!(seen.digest(), held.digest());
        assert_eq!(seen.report.rejected_by, Some(Actor::User(8)));
        assert_eq!(seen.alerts, []);
        assert_eq!(world.people(), people);
    }
    // Another plan is told anew, by the one alert that there is.
    let seen = world.is_held(with(&house, 0..11, past));
    assert_eq!(seen.report.rejected_by, None);
    assert_eq!(seen.alerts[0].id, held.alerts[0].id);
    assert_eq!(seen.alerts[0].raised_by, seen.report.id);
    // And so is the first one after that.
    let seen = world.is_held(feed);
    assert_eq!(seen.report.rejected_by, None);
    // When the PMS is put right, nothing remains.
    let seen = world.run(house);
    assert_eq!(seen.alerts, []);
    assert_eq!(world.alert_states(), [AlertState::AutoClosed]);
}

#[test]
fn r27_what_is_rejected_can_still_be_approved_and_what_is_approved_rejected() {
    let mut world = World::new();
    let house = house(30);
    world.run(house.clone());
    let feed = with(&house, 0..10, past);
    let held = world.is_held(feed.clone());
    world.approve(held.report.id, None).unwrap();
    world.reject(held.report.id, None).unwrap();
    let seen = world.run(feed.clone());
    assert_eq!(seen.report.outcome.as_str(), "held");
    world.approve(seen.report.id, None).unwrap();
    let seen = world.run(feed);
    assert_eq!(seen.report.outcome, Outcome::Committed);
    assert_eq!(seen.report.approved_by, Some(Actor::User(7)));
    assert_eq!(world.alert_states(), [AlertState::AutoClosed]);
    assert_eq!(seen.state.rejected, None);
}

#[test]
fn r27_a_plan_that_comes_again_after_a_good_run_is_told_again() {
    let mut world = World::new();
    let house = house(30);
    world.run(house.clone());
    let feed = with(&house, 0..10, past);
    let held = world.is_held(feed.clone());
    world.reject(held.report.id, None).unwrap();
    world.run(house);
    world.is_held(feed);
}

#[test]
fn r27_what_cannot_be_rejected_is_refused() {
    let mut world = World::new();
    let house = house(30);
    let first = world.run(house.clone()).report.id;
    let refused = |world: &World, run: RunId, digest: Option<&str>| {
        world.reject(run, digest).unwrap_err().to_string()
    };
    assert!(refused(&world, RunId(99), None).contains("no run r99"));
    assert!(refused(&world, first, None).contains("r1 is committed"));
    let held = world.is_held(with(&house, 0..10, past)).report.id;
    assert!(refused(&world, held, Some("0123")).contains("not 0123"));
    world.run(house);
    assert!(refused(&world, held, None).contains("does not wait any more"));
}

#[test]
fn r27_arrivals_that_are_rejected_wait_while_everything_else_goes_on() {
    let mut world = World::new();
    let house = house(60);
    world.run(house.clone());
    world.now += SignedDuration::from_hours(48);
    let strangers: Vec<Resident> = (0..10)
        .map(|one| super::guard_people::stranger(one, 100 + one))
        .collect();
    let feed = |gone: usize| -> Vec<Resident> {
        let mut feed = with(&house, 0..gone, |one| Resident {
            unit: unit("700"),
            ..one
        });
        feed.extend(strangers.clone());
        feed
    };
    let seen = world.run(feed(0));
    assert_eq!(seen.report.outcome.as_str(), "held");
    world.reject(seen.report.id, None).unwrap();
    let mut last = world.run(feed(0));
    assert_eq!(last.alerts, []);
    assert_eq!(last.report.counts.created, 0);
    let mut renamed = feed(0);
    renamed[50].first_name = "Zoe".into();
    last = world.run(renamed);
    assert_eq!(last.alerts, []);
    assert_eq!(world.person(51).first_name, "Zoe");
}
