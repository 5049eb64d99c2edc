//! What the guard counts of units (R27 (b)): those that are left without anybody, those of small buildings that are
//! touched, and those that were only renamed.

use super::guarding::{house, with};
use super::*;
use crate::model::{Field, GuardedKind};

type Change = fn(Resident) -> Resident;

fn with_unit(one: Resident, change: impl Fn(Unit) -> Unit) -> Resident {
    Resident {
        unit: one.unit.clone().map(change),
        ..one
    }
}

/// E4.
#[test]
fn r27_units_that_are_only_renamed_are_told_once_and_never_counted() {
    let renamings: [(&str, Change); 4] = [
        ("labels", |one| {
            with_unit(one, |unit| Unit {
                label: format!("Bldg A - {}", unit.label),
                ..unit
            })
        }),
        ("ids", |one| {
            with_unit(one, |unit| Unit {
                id: format!("new-{}", unit.id),
                ..unit
            })
        }),
        ("both", |one| {
            with_unit(one, |unit| Unit {
                id: format!("new-{}", unit.id),
                label: format!("Bldg A - {}", unit.label),
                ..unit
            })
        }),
        ("ids that other units had", |one| {
            with_unit(one, |unit| {
                let number: u32 = unit.label.parse().unwrap();
                Unit {
                    id: format!("u{}", number + 1),
                    ..unit
                }
            })
        }),
    ];
    for (name, change) in renamings {
        let mut world = World::new();
        // Two in each unit.
        let mut house = house(40);
        for place in 0..20 {
            house[place + 20].unit = house[place].unit.clone();
        }
        world.run(house.clone());
        let renamed = with(&house, 0..40, change);
        let seen = world.run(renamed.clone());
        assert_eq!(seen.report.outcome, Outcome::Committed, "{name}");
        assert_eq!(seen.report.notes["renamed_units"], 20, "{name}");
        assert_eq!(seen.alerts, [], "{name}");
        let seen = world.run(renamed.clone());
        assert_eq!(seen.report.outcome, Outcome::Unchanged, "{name}");
        assert_eq!(seen.report.notes.get("renamed_units"), None, "{name}");
        // It counts for nothing afterwards.
        let few = world.run(with(&renamed, 0..5, past));
        assert!(few.report.outcome.is_success(), "{name}");
        world.is_held(with(&renamed, 0..6, past));
    }
}

/// Forty in ten units that are let by the bed: as they were known before, by the unit, and as they are.
fn let_by_the_bed() -> (Vec<Resident>, Vec<Resident>) {
    let of = |id: &dyn Fn(usize) -> String, is_bed: bool| -> Vec<Resident> {
        let house = house(40).into_iter().enumerate();
        let moved = house.map(|(place, one)| {
            let letter = ["A", "B", "C", "D"][place % 4];
            let unit = Unit {
                id: id(place),
                label: format!("{}-{letter}", 100 + place / 4),
                formerly: is_bed.then(|| format!("u{}", place / 4)),
            };
            with_unit(one, move |_| unit.clone())
        });
        moved.collect()
    };
    let before = of(&|place| format!("u{}", place / 4), false);
    let after = of(&|place| format!("bed{place}"), true);
    (before, after)
}

#[test]
fn r27_beds_that_get_ids_of_their_own_are_no_moves_and_take_nothing_from_anybody() {
    let (before, beds) = let_by_the_bed();
    let mut world = World::new();
    world.run(before);
    let seen = world.run(beds.clone());
    assert_eq!(seen.report.outcome, Outcome::Committed);
    assert_eq!((seen.alerts, seen.changes.len()), (vec![], 40));
    assert_eq!(world.stay(1).unit.unwrap().id, "bed0");
    let seen = world.run(beds.clone());
    assert_eq!(seen.report.outcome, Outcome::Unchanged);
    // Neither counts for anything afterwards, and beds are moved into and out of like units.
    let few = world.run(with(&beds, 0..5, past));
    assert!(few.report.outcome.is_success());
    world.is_held(with(&beds, 0..6, past));
}

#[test]
fn r27_somebody_who_moves_to_another_unit_while_beds_get_their_ids_has_moved() {
    let (before, mut beds) = let_by_the_bed();
    let mut world = World::new();
    world.run(before);
    // Everybody of the first two units is said to live in the beds of the last two.
    for place in 0..8 {
        beds[place].unit = beds[32 + place].unit.clone();
    }
    world.is_held(beds);
}

#[test]
fn r27_units_renamed_bit_by_bit_are_never_counted() {
    let mut world = World::new();
    let house = house(40);
    world.run(house.clone());
    for count in (4..=40).step_by(4) {
        let seen = world.run(with(&house, 0..count, |one| {
            with_unit(one, |unit| Unit {
                id: format!("new-{}", unit.id),
                label: format!("Bldg A - {}", unit.label),
                ..unit
            })
        }));
        assert_eq!(seen.report.outcome, Outcome::Committed, "{count}");
    }
}

/// E4. Who waits for a new email, rests, is pinned, or has a unit that somebody locked keeps the unit that is known: that
/// says nothing of the unit, and the others in it are nowhere else.
#[test]
fn r27_units_are_only_renamed_also_where_somebody_in_them_is_not_written() {
    let mut house = house(40);
    for place in 0..20 {
        house[place + 20].unit = house[place].unit.clone();
    }
    let renamed = with(&house, 0..40, |one| {
        with_unit(one, |unit| Unit {
            id: format!("new-{}", unit.id),
            label: format!("Bldg A - {}", unit.label),
            ..unit
        })
    });
    for why in ["email", "rests", "pinned", "locked"] {
        let told = |house: &[Resident]| -> Vec<Item> {
            let told = house.iter().enumerate().map(|(place, one)| match why {
                "email" if (20..28).contains(&place) => {
                    with_email(one.clone(), &format!("other{place}@x.com")).into()
                }
                "rests" if (20..28).contains(&place) => Item::LeftOut(one.clone(), "a rule"),
                _ => one.clone().into(),
            });
            told.collect()
        };
        let mut world = World::new();
        world.run(house.clone());
        world.guard.limit = 8;
        world.run(told(&house));
        world.guard.limit = 5;
        for id in 21..=28 {
            world.edit(id, |person| match why {
                "pinned" => person.pinned = true,
                "locked" => _ = person.locks.insert(Field::Unit),
                _ => {}
            });
        }
        world.now += SignedDuration::from_hours(48);
        let seen = world.run(told(&renamed));
        assert_eq!(seen.report.outcome, Outcome::Committed, "{why}");
        assert_eq!(seen.report.notes["renamed_units"], 20, "{why}");
        assert_eq!(world.stay(1).unit, renamed[0].unit, "{why}");
        assert_eq!(world.stay(21).unit, house[20].unit, "{why}");
        // Nor is it counted later in the day.
        let seen = world.run(told(&with(&renamed, 0..5, past)));
        assert!(seen.report.outcome.is_success(), "{why}");
    }
}

#[test]
fn r27_people_who_are_put_together_were_not_renamed() {
    let changes: [(&str, Change); 3] = [
        ("unmapped", |one| Resident { unit: None, ..one }),
        ("all onto one name", |one| {
            with_unit(one, |unit| Unit {
                label: "Lobby".into(),
                ..unit
            })
        }),
        ("all onto one unit", |one| Resident {
            unit: unit("500"),
            ..one
        }),
    ];
    for (name, change) in changes {
        let mut world = World::new();
        let house = house(20);
        world.run(house.clone());
        let few = world.run(with(&house, 0..5, change));
        assert!(few.report.outcome.is_success(), "{name}");
        let seen = world.is_held(with(&house, 0..6, change));
        assert!(seen.reason().contains("unit change 1"), "{name}");
    }
}

/// Who came within the window lives somewhere, too.
#[test]
fn r27_units_of_those_who_came_within_the_window_count() {
    let mut world = World::new();
    let house = neighbours(20);
    world.run(house.clone());
    let mut feed = house;
    feed.extend(strangers(20));
    world.run(feed.clone());
    // Only renamed, they count for nothing.
    let rename = |one: Resident| {
        with_unit(one, |unit| Unit {
            id: format!("new-{}", unit.id),
            label: format!("Bldg A - {}", unit.label),
            ..unit
        })
    };
    let seen = world.run(with(&feed, 0..40, rename));
    assert!(seen.report.outcome.is_success(), "{}", seen.reason());
    assert_eq!(seen.report.notes["renamed_units"], 40);
    let seen = world.run(feed.clone());
    assert!(seen.report.outcome.is_success(), "{}", seen.reason());
    // Among each other's units they are not.
    let rotated = |count: usize| {
        let mut said = feed.clone();
        for place in 0..count {
            said[20 + place].unit = feed[20 + (place + 1) % count].unit.clone();
        }
        said
    };
    let seen = world.is_held(rotated(6));
    assert!(seen.reason().contains("unit change 6"), "{}", seen.reason());
    let seen = world.run(rotated(5));
    assert!(seen.report.outcome.is_success(), "{}", seen.reason());
    // What some lost before counts for the others.
    world.is_held(rotated(6));
}

/// The house, and for the first `count` a second current lease in the unit of the next one.
fn doubled(house: &[Resident], count: usize) -> Vec<Resident> {
    let second = (0..count).map(|place| Resident {
        lease_id: Some(format!("second-{place}")),
        unit: house[(place + 1) % house.len()].unit.clone(),
        ..house[place].clone()
    });
    house.iter().cloned().chain(second).collect()
}

/// S1: a join of leases and units that is doubled.
#[test]
fn r27_a_second_unit_for_everybody_is_held() {
    let mut world = World::new();
    let house = house(60);
    world.run(house.clone());
    let seen = world.is_held(doubled(&house, 60));
    assert!(
        seen.reason().contains("unit change 60"),
        "{}",
        seen.reason()
    );
    let items = seen.state.held.unwrap().items;
    let first = items
        .iter()
        .find(|item| item.name == "Name0 Ortiz")
        .unwrap();
    assert_eq!(
        (first.from.as_str(), first.to.as_str()),
        ("100", "100, 101")
    );
    // A few may have a second unit, also bit by bit; what they give up again counts no further.
    for count in [4, 6, 0] {
        let seen = world.run(doubled(&house, count));
        assert_eq!(seen.report.outcome, Outcome::Committed, "{count}");
    }
    world.is_held(doubled(&house, 7));
}

#[test]
fn r27_units_that_get_known_are_not_counted() {
    let mut world = World::new();
    let house = house(60);
    world.run(with(&house, 0..60, |one| Resident { unit: None, ..one }));
    let seen = world.run(house);
    assert_eq!(seen.report.outcome, Outcome::Committed);
    assert_eq!(seen.report.counts.updated, 60);
}

#[test]
fn r27_where_the_old_unit_is_still_lived_in_nothing_was_renamed() {
    let mut world = World::new();
    let mut house = house(40);
    for place in 0..20 {
        house[place + 20].unit = house[place].unit.clone();
    }
    world.run(house.clone());
    // Of each unit one goes elsewhere.
    let seen = world.is_held(with(&house, 0..6, |one| {
        with_unit(one, |unit| Unit {
            id: format!("new-{}", unit.id),
            label: format!("{}b", unit.label),
            ..unit
        })
    }));
    assert!(seen.reason().contains("unit change 6"), "{}", seen.reason());
}

#[test]
fn r27_units_that_lose_their_last_resident_are_counted_for_themselves() {
    let mut world = World::new();
    // Ten of two hundred people leave ten of forty units empty.
    let mut house = house(200);
    for (place, one) in house.iter_mut().enumerate() {
        one.unit = if place < 10 {
            unit(&format!("{place}"))
        } else {
            unit(&format!("{}", 100 + place % 30))
        };
    }
    world.run(house.clone());
    assert!(
        world
            .run(with(&house, 0..4, past))
            .report
            .outcome
            .is_success()
    );
    let seen = world.is_held(with(&house, 0..10, past));
    assert!(
        seen.reason()
            .starts_with("10 of 40 occupied units would lose their last resident within 1d, 6 of them by this run"),
        "{}",
        seen.reason()
    );
    let vacancies = seen.state.held.unwrap().items.into_iter();
    let vacancies: Vec<_> = vacancies
        .filter(|item| item.kind == GuardedKind::Vacancy)
        .collect();
    assert_eq!(vacancies.len(), 6);
    assert_eq!(
        (
            vacancies[0].unit.as_str(),
            vacancies[0].from.as_str(),
            vacancies[0].to.as_str()
        ),
        ("4", "1 resident", "nobody")
    );
}

#[test]
fn r27_in_a_small_building_more_than_half_of_the_units_may_not_be_touched() {
    let moved_out = |one: Resident| Resident {
        move_out: day(2, 28),
        ..one
    };
    for (units, may) in [
        (1, 1),
        (2, 2),
        (3, 2),
        (4, 2),
        (5, 2),
        (6, 3),
        (8, 4),
        (9, 4),
        (11, 5),
    ] {
        let house = house(units);
        for change in [past as Change, moved_out] {
            let mut world = World::new();
            world.run(house.clone());
            let seen = world.run(with(&house, 0..may, change));
            assert!(
                seen.report.outcome.is_success(),
                "{may} of {units}: {}",
                seen.reason()
            );
            if may < units {
                let mut world = World::new();
                world.run(house.clone());
                let seen = world.is_held(with(&house, 0..may + 1, change));
                assert!(
                    seen.reason()
                        .contains(&format!("of only {units} occupied units"))
                        || units == 11,
                    "{}",
                    seen.reason()
                );
            }
        }
    }
}

#[test]
fn r27_a_small_pms_property_is_a_small_building() {
    let mut world = World::new();
    let mut house = house(60);
    for (place, one) in house.iter_mut().enumerate() {
        let property = if place < 54 { "north" } else { "south" };
        *one = with_id(one.clone(), &format!("{property}/{place}"));
        // Both number their units alike.
        one.unit = unit(&format!("{}", 100 + place % 54));
    }
    world.run(house.clone());
    assert!(
        world
            .run(with(&house, 54..57, past))
            .report
            .outcome
            .is_success()
    );
    let seen = world.is_held(with(&house, 54..58, past));
    assert!(
        seen.reason()
            .contains("4 of only 6 occupied units of the PMS property `south` would be touched"),
        "{}",
        seen.reason()
    );
}

#[test]
fn r27_a_setting_lets_a_small_building_be_emptied() {
    let settings: [fn(&mut Guard); 2] = [|guard| guard.percent = 100, |guard| guard.limit = 12];
    for set in settings {
        a_small_building_is_emptied(set);
    }
}

fn a_small_building_is_emptied(set: fn(&mut Guard)) {
    let mut world = World::new();
    set(&mut world.guard);
    let house = house(8);
    world.run(house.clone());
    assert!(
        world
            .run(with(&house, 0..8, past))
            .report
            .outcome
            .is_success()
    );
}
