//! What a month takes, few at a time (R27): told by `slow_drain`, and never held.

use super::guarding::{house, with};
use super::*;
use crate::acts::{Hand, dismiss};
use crate::model::Actor;

fn drain(seen: &Seen) -> Option<&Alert> {
    let mut alerts = seen.alerts.iter();
    alerts.find(|alert| alert.kind == AlertKind::SlowDrain)
}

impl World {
    fn next_day(&mut self) {
        self.now += SignedDuration::from_hours(24);
    }
}

/// A19.
#[test]
fn r27_five_a_day_are_told_when_half_of_the_people_are_gone() {
    let mut world = World::new();
    let house = house(60);
    world.run(house.clone());
    for day in 1..=11 {
        world.next_day();
        let seen = world.run(with(&house, 0..day * 5, past));
        assert!(seen.report.outcome.is_success(), "{}", seen.reason());
        assert_eq!(drain(&seen).is_some(), day * 5 > 30, "{day}");
    }
    let seen = world.run(with(&house, 0..55, past));
    let alert = drain(&seen).unwrap();
    assert!(
        alert
            .detail
            .starts_with("within 30 days 51 of 60 linked people or more"),
        "{}",
        alert.detail
    );
    assert!(!alert.detail.contains("Name"));
    // When the month is over, it closes itself.
    world.now += SignedDuration::from_hours(24 * 31);
    let seen = world.run(with(&house, 0..55, past));
    assert_eq!(seen.alerts, []);
}

#[test]
fn r27_more_than_fifty_in_a_month_are_told_whatever_their_share_and_that_is_a_setting() {
    for (month, told) in [(50, true), (51, false)] {
        let mut world = World::new();
        world.guard.month = month;
        let house = house(200);
        world.run(house.clone());
        world.next_day();
        assert_eq!(drain(&world.run(with(&house, 0..20, past))), None);
        world.next_day();
        assert_eq!(drain(&world.run(with(&house, 0..38, past))), None);
        world.next_day();
        assert_eq!(drain(&world.run(with(&house, 0..50, past))), None);
        world.next_day();
        let seen = world.run(with(&house, 0..51, past));
        assert_eq!(drain(&seen).is_some(), told);
    }
}

#[test]
fn r27_people_of_whom_a_month_takes_several_things_are_one_each() {
    let mut world = World::new();
    let house = house(60);
    world.run(house.clone());
    let mut feed = house.clone();
    for round in 0_i8..7 {
        world.next_day();
        // The same five move out a little earlier each day, and move to another unit.
        for one in &mut feed[..5] {
            one.unit = unit(&format!("{}{}", one.id, round));
        }
        let seen = world.run(feed.clone());
        assert!(seen.report.outcome.is_success());
        assert_eq!(seen.alerts, []);
    }
}

#[test]
fn r27_what_was_approved_is_no_slow_drain() {
    let mut world = World::new();
    let house = house(60);
    world.run(house.clone());
    world.next_day();
    let seen = world.is_held(with(&house, 0..40, past));
    world.approve(seen.report.id, None).unwrap();
    let seen = world.run(with(&house, 0..40, past));
    assert_eq!((seen.report.counts.updated, seen.alerts), (40, vec![]));
}

#[test]
fn r27_a_dismissed_slow_drain_is_told_again_when_it_was_over() {
    let mut world = World::new();
    world.guard.month = 6;
    let house = house(60);
    world.run(house.clone());
    let gone = |count: usize| with(&house, 0..count, past);
    world.next_day();
    world.run(gone(5));
    world.next_day();
    let seen = world.run(gone(7));
    let id = drain(&seen).unwrap().id;
    let hand = Hand {
        by: Actor::User(1000),
        now: world.now,
    };
    dismiss(&world.store, id, &hand).unwrap();
    for more in 8..12 {
        world.next_day();
        assert_eq!(world.run(gone(more)).alerts, []);
    }
    world.now += SignedDuration::from_hours(24 * 40);
    world.run(gone(12));
    world.next_day();
    let seen = world.run(gone(17));
    assert!(seen.report.outcome.is_success());
    world.next_day();
    let seen = world.run(gone(19));
    assert_eq!(drain(&seen).map(|alert| alert.id), Some(id));
}
