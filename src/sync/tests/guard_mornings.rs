//! Ordinary mornings: nothing is held, and nobody is alarmed (R27).

use super::guard_people::{stranger, with_phones};
use super::guarding::{house, with};
use super::*;

#[track_caller]
fn is_ordinary(seen: &Seen) {
    assert!(seen.report.outcome.is_success(), "{}", seen.reason());
    assert_eq!(seen.alerts, []);
}

/// E1.
#[test]
fn r27_three_hundred_who_move_into_vacant_units_in_a_day_are_not_held() {
    let mut world = World::new();
    let house = house(8);
    world.run(house.clone());
    world.now += SignedDuration::from_hours(48);
    let mut feed = house;
    for hour in 0..10 {
        feed.extend((0..30).map(|one| stranger(hour * 30 + one, 1000 + hour * 30 + one)));
        is_ordinary(&world.run(feed.clone()));
    }
    assert_eq!(world.people().len(), 308);
}

/// E1.
#[test]
fn r27_the_first_of_a_month_is_not_held() {
    let mut world = World::new();
    let house = house(100);
    world.run(house.clone());
    world.now += SignedDuration::from_hours(48);
    // Seven left a day before, seven move in, five have signed; and two roommates join.
    let feed = with(&house, 0..7, past);
    is_ordinary(&world.run(feed.clone()));
    let mut first = feed;
    first.extend((0..7).map(|one| stranger(one, 100 + one)));
    first.extend((10..15).map(|one| with_status(stranger(one, 100 + one), LeaseStatus::Pending)));
    first.extend((20..22).map(|one| stranger(one, 100 + one)));
    is_ordinary(&world.run(first));
}

/// E2.
#[test]
fn r27_applications_that_the_script_does_not_know_hold_nothing() {
    let mut world = World::new();
    let house = house(100);
    world.run(house.clone());
    let mut feed: Vec<Item> = with(&house, 0..3, past)
        .into_iter()
        .map(Item::Here)
        .collect();
    feed.extend((0..12).map(|one| Item::Unread(format!("record {one}"))));
    let seen = world.run(feed);
    assert_eq!(seen.report.outcome, Outcome::Committed);
    assert!(!seen.kinds().contains(&AlertKind::MassChangeHeld));
    assert!(world.stay(1).is_closed());
}

/// E6.
#[test]
fn r27_august_in_student_housing_is_held_once_and_then_ordinary() {
    let mut world = World::new();
    world.missing_after = 24;
    let house = house(100);
    world.run(house.clone());
    world.now += SignedDuration::from_hours(48);
    let mut august = house[90..].to_vec();
    august.extend((0..90).map(|one| stranger(one, 100 + one)));
    let seen = world.is_held(august.clone());
    world.approve(seen.report.id, None).unwrap();
    is_ordinary(&world.run(august.clone()));
    assert_eq!(world.people().len(), 190);
    august.push(stranger(90, 102));
    is_ordinary(&world.run(august.clone()));
    for day in 0..5 {
        world.now += SignedDuration::from_hours(23);
        august.extend((0..10).map(|one| stranger(100 + day * 10 + one, 100 + one * 9)));
        let seen = world.run(august.clone());
        assert!(
            seen.report.outcome.is_success(),
            "day {day}: {}",
            seen.reason()
        );
    }
}

/// E7.
#[test]
fn r27_a_phone_migration_is_not_held() {
    let mut world = World::new();
    let mut house = with_phones(house(60));
    // Two in each unit share a phone, before and after.
    for place in 0..30 {
        house[place + 30].phone = house[place].phone.clone();
        house[place + 30].unit = house[place].unit.clone();
    }
    world.run(house.clone());
    let seen = world.run(with(&house, 0..60, |one| Resident {
        phone: one.phone.map(|phone| phone.replace("+1212", "+1917")),
        ..one
    }));
    assert_eq!(seen.report.counts.updated, 60);
    is_ordinary(&seen);
}

/// E7.
#[test]
fn r27_leases_that_go_on_month_to_month_are_not_held() {
    let mut world = World::new();
    let house = with(&house(60), 0..60, |one| Resident {
        lease_end: day(3, 31),
        ..one
    });
    world.run(house.clone());
    let seen = world.run(with(&house, 0..60, |one| Resident {
        lease_end: None,
        ..one
    }));
    assert_eq!(seen.report.counts.updated, 60);
    is_ordinary(&seen);
}

#[test]
fn r27_leases_that_end_by_the_calendar_and_are_renewed_are_not_held() {
    let mut world = World::new();
    let house = with(&house(60), 0..60, |one| Resident {
        lease_end: day(3, 10),
        ..one
    });
    world.run(house.clone());
    // Their end goes by while the status stays current, and is corrected by a few days.
    world.now += SignedDuration::from_hours(24 * 20);
    let late = |month, date| {
        with(&house, 0..60, move |one| Resident {
            lease_end: day(month, date),
            ..one
        })
    };
    is_ordinary(&world.run(late(3, 12)));
    is_ordinary(&world.run(late(12, 31)));
}

/// E10.
#[test]
fn r27_a_family_of_five_leaves_its_unit_in_a_building_of_eight() {
    let mut world = World::new();
    let mut house = house(8);
    for one in &mut house[..5] {
        one.unit = unit("100");
    }
    world.run(house.clone());
    world.now += SignedDuration::from_hours(24 * 40);
    let seen = world.run(with(&house, 0..5, past));
    assert_eq!(seen.report.counts.updated, 5);
    is_ordinary(&seen);
    assert!((1..=5).all(|id| world.stay(id).is_closed()));
}

/// E11.
#[test]
fn r27_a_resident_moves_between_two_buildings_that_are_both_fed() {
    let mut world = World::new();
    let (elm, mut oak) = (house(3), vec![resident("o9", "Oak", "Nine", "o9@x.com")]);
    world.at(HOME).run(elm.clone());
    world.at(OTHER).run(oak.clone());
    oak.push(with_id(elm[0].clone(), "o1"));
    is_ordinary(&world.at(OTHER).run(oak.clone()));
    assert_eq!(world.person(1).stays.len(), 2);
    is_ordinary(&world.at(HOME).run(with(&elm, 0..1, past)));
    is_ordinary(&world.at(OTHER).run(oak));
    assert!(world.at(HOME).stay(1).is_closed());
    assert!(!world.at(OTHER).stay(1).is_closed());
}

/// A feed without people who have left: a turnover is an absence and an arrival.
#[test]
fn r27_turnovers_in_a_feed_without_past_people_are_not_held() {
    let mut world = World::new();
    world.missing_after = 24;
    let mut feed = house(60);
    world.run(feed.clone());
    for day in 0..20 {
        world.now += SignedDuration::from_hours(12);
        // Two leave in the evening, and two come in the morning, into the same units.
        let left: Vec<Resident> = feed.drain(..2).collect();
        let seen = world.run(feed.clone());
        assert!(seen.report.outcome.is_success(), "{}", seen.reason());
        world.now += SignedDuration::from_hours(10);
        feed.extend(left.iter().enumerate().map(|(place, one)| Resident {
            unit: one.unit.clone(),
            ..stranger(day * 2 + place, 0)
        }));
        let seen = world.run(feed.clone());
        assert!(seen.report.outcome.is_success(), "{}", seen.reason());
    }
}
