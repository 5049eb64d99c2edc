//! Ordinary mornings, some of them large: nothing is held, no run fails, and nobody is alarmed beyond what the morning
//! is worth.

use super::*;
use crate::sync::tests::guarding::with;

/// What becomes of a unit.
type Rename = fn(Unit) -> Unit;

/// E1. A lease-up: eight are linked, and three hundred move into vacant units in a day.
#[test]
fn a_lease_up_of_three_hundred_in_a_day_comes_in() {
    let first = neighbours(8);
    for batches in [1, 3, 10] {
        let mut world = World::new();
        world.is_ordinary(first.clone());
        let mut feed = first.clone();
        for batch in strangers(300).chunks(300 / batches) {
            feed.extend(batch.iter().cloned());
            world.is_ordinary(feed.clone());
        }
        assert_eq!(world.people().len(), 308);
    }
}

/// E1. The first of the month in a hundred units: seven leave, seven move in where they lived, five have signed.
#[test]
fn the_first_of_a_month_in_a_hundred_units_is_a_morning_like_any_other() {
    let house = neighbours(100);
    let new = all_with(&strangers(12), |place, one| {
        let one = Resident {
            unit: house[place].unit.clone(),
            lease_start: day(3, 1),
            move_in: day(3, 1),
            ..one
        };
        if place < 7 {
            one
        } else {
            with_status(one, LeaseStatus::Pending)
        }
    });
    // The office closes the old leases in the same hour, or in the course of the day.
    for closed_at_once in [true, false] {
        let mut world = World::new();
        world.is_ordinary(house.clone());
        let gone = if closed_at_once { 7 } else { 0 };
        let mut feed = with(&house, 0..gone, past);
        feed.extend(new.iter().cloned());
        world.is_ordinary(feed.clone());
        let mut feed = with(&house, 0..7, past);
        feed.extend(new.iter().cloned());
        world.is_ordinary(feed);
        assert_eq!(world.people().len(), 112);
    }
}

/// E1. A second building is attached to an integration that has run for long: its first reading is exempt.
#[test]
fn a_second_building_comes_in_whole_with_its_first_reading() {
    let at = |property: &str, people: &[Resident]| {
        all_with(people, |_, one| {
            let id = format!("{property}/{}", one.id);
            with_id(one, &id)
        })
    };
    let first = at("north", &neighbours(40));
    let mut world = World::new();
    world.pms_properties = vec!["north"];
    world.is_ordinary(first.clone());
    world.now += SignedDuration::from_hours(24 * 90);
    world.is_ordinary(first.clone());
    world.pms_properties = vec!["north", "south"];
    let mut feed = first;
    feed.extend(at("south", &strangers(700)));
    world.is_ordinary(feed);
    assert_eq!(world.people().len(), 740);
}

/// E2. The office imports twelve applications in a form that the script does not know: the rest goes on.
#[test]
fn a_dozen_records_that_nobody_can_read_are_one_alert_and_stop_nothing() {
    let house = neighbours(100);
    let mut world = World::new();
    world.is_ordinary(house.clone());
    let mut feed: Vec<Item> = with(&house, 0..2, past)
        .into_iter()
        .map(Item::Here)
        .collect();
    feed.extend(strangers(1).into_iter().map(Item::Here));
    feed.extend((0..12).map(|number| Item::Unread(format!("application {number}"))));
    let seen = world.run(feed.clone());
    assert!(seen.report.outcome.is_success(), "{:?}", seen.report);
    assert_eq!(seen.kinds(), [AlertKind::RecordsRejected]);
    assert_eq!(seen.alerts[0].count, Some(12));
    assert_eq!(seen.report.counts.rejected, 12);
    assert_eq!(world.people().len(), 101);
    assert!(world.stay(1).is_closed() && world.stay(2).is_closed());
    world.settles(feed.clone());
    // The script learns it, or the office takes them out: the alert closes itself.
    feed.truncate(101);
    world.is_ordinary(feed);
}

/// E4. The manager renames all units, or the PMS gives them new ids, with the same people in them.
#[test]
fn units_that_are_all_renamed_with_the_same_people_in_them_are_told_once_and_held_never() {
    let changes: [(&str, Rename); 3] = [
        ("labels", |unit| Unit {
            label: format!("Bldg A - {}", unit.label),
            ..unit
        }),
        ("ids", |unit| Unit {
            id: format!("new-{}", unit.id),
            ..unit
        }),
        ("both", |unit| Unit {
            id: format!("new-{}", unit.id),
            label: format!("Bldg A - {}", unit.label),
            ..unit
        }),
    ];
    for (name, change) in changes {
        // Two live in each of them.
        let mut house = neighbours(60);
        for place in (1..60).step_by(2) {
            house[place].unit = house[place - 1].unit.clone();
            house[place].household = house[place - 1].household.clone();
        }
        let renamed = all_with(&house, |_, one| Resident {
            unit: one.unit.map(change),
            ..one
        });
        let mut world = World::new();
        world.is_ordinary(house.clone());
        let seen = world.is_ordinary(renamed.clone());
        assert!(seen.notes("renam"), "{name}: {:?}", seen.report.notes);
        for (id, one) in (1..).zip(&renamed) {
            assert_eq!(world.stay(id).unit, one.unit, "{name}");
        }
        let seen = world.is_ordinary(renamed.clone());
        assert!(!seen.notes("renam"), "{name}: told once");
        world.settles(renamed.clone());
        // Nothing of it counts for the day: as many as ever may leave.
        world.is_ordinary(with(&renamed, 0..6, past));
    }
}

/// E6. August in student housing: nine of ten are gone from the feed, which has no past people, and strangers come
/// into their rooms. Held once, approved, then ordinary.
#[test]
fn august_in_student_housing_is_held_once_and_ordinary_after_its_approval() {
    let house = neighbours(100);
    let freshers = all_with(&strangers(91), |place, one| Resident {
        unit: house[place].unit.clone(),
        lease_start: day(3, 1),
        ..one
    });
    let mut feed = house[90..].to_vec();
    feed.extend_from_slice(&freshers[..90]);
    let mut world = World::new();
    world.missing_after = 24;
    world.is_ordinary(house.clone());
    let held = world.holds(feed.clone());
    let again = world.holds(feed.clone());
    assert_eq!(held.digest(), again.digest(), "the same plan, and no twin");
    assert_eq!(held.count(AlertKind::MassChangeHeld), 1);
    world.approve(held.report.id, None).unwrap();
    world.is_ordinary(feed.clone());
    assert_eq!(world.people().len(), 190);
    // The next hour one more, and then the year.
    feed.extend_from_slice(&freshers[90..]);
    world.is_ordinary(feed.clone());
    assert_eq!(world.people().len(), 191);
    world.is_ordinary(feed);
}

/// E7. A vendor migrates the phones: every number is another, and nobody's before.
#[test]
fn a_phone_migration_is_written() {
    let house = neighbours(60);
    let migrated = all_with(&house, |place, one| Resident {
        phone: Some(format!("+1646555{place:04}")),
        ..one
    });
    let mut world = World::new();
    world.is_ordinary(house);
    let seen = world.is_ordinary(migrated.clone());
    assert_eq!(seen.report.counts.updated, 60);
    world.settles(migrated);
}

/// E7. Numbers that the migration left in a form that is none: what is known stays, with a note.
#[test]
fn a_phone_migration_into_a_form_that_is_none_keeps_what_is_known_with_a_note() {
    let house = neighbours(60);
    let broken = all_with(&house, |_, one| Resident {
        phone: Some("ext. 12".into()),
        ..one
    });
    let mut world = World::new();
    world.is_ordinary(house);
    let before = world.people();
    let seen = world.is_ordinary(broken);
    assert!(seen.notes("phone"), "{:?}", seen.report.notes);
    assert_eq!(world.people(), before);
}

/// E7. The first of the month: leases from month to month get the next month's end, lose theirs, or begin a day after
/// they end. The first two are changes; the third is a note and one alert, and what is known stays.
#[test]
fn dates_from_month_to_month_on_the_first_pass() {
    let house = all_with(&neighbours(60), |place, one| {
        let monthly = place < 12;
        Resident {
            lease_start: Some(date(2025, 1, 1)),
            lease_end: if monthly { day(3, 31) } else { day(12, 31) },
            ..one
        }
    });
    let rolled: [fn(Resident) -> Resident; 2] = [
        |one| Resident {
            lease_end: day(4, 30),
            ..one
        },
        |one| Resident {
            lease_end: None,
            ..one
        },
    ];
    for change in rolled {
        let mut world = World::new();
        world.is_ordinary(house.clone());
        world.is_ordinary(with(&house, 0..12, change));
    }

    let mut world = World::new();
    world.is_ordinary(house.clone());
    let before = world.people();
    let feed = with(&house, 0..12, |one| Resident {
        lease_start: day(4, 1),
        lease_end: day(3, 31),
        ..one
    });
    let seen = world.run(feed.clone());
    assert!(seen.report.outcome.is_success(), "{:?}", seen.report);
    assert_eq!(seen.kinds(), [AlertKind::BadDates]);
    assert_eq!(seen.alerts[0].count, Some(12));
    assert!(seen.notes("date"), "{:?}", seen.report.notes);
    assert_eq!(world.people(), before);
    world.settles(feed.clone());
    // Whoever of them leaves is closed all the same.
    let seen = world.run(with(&feed, 0..1, past));
    assert!(seen.report.outcome.is_success(), "{:?}", seen.report);
    assert!(world.stay(1).is_closed());
}

/// E10. A family of five leaves the one unit of theirs in a building of eight people.
#[test]
fn a_family_of_five_leaves_a_building_of_eight() {
    let house = all_with(&neighbours(8), |place, one| match place {
        0..5 => Resident {
            unit: unit("1"),
            household: Some("family".into()),
            ..one
        },
        _ => one,
    });
    let mut world = World::new();
    world.is_ordinary(house.clone());
    world.is_ordinary(with(&house, 0..5, past));
    for id in 1..=8 {
        assert_eq!(world.stay(id).is_closed(), id <= 5);
    }
}

/// E10. In a building of so few, most of the units at once are too many, and two are always ordinary.
#[test]
fn in_a_building_of_eight_units_most_of_them_at_once_are_held() {
    let house = neighbours(8);
    let mut world = World::new();
    world.is_ordinary(house.clone());
    world.holds(with(&house, 0..5, past));
    world.is_ordinary(with(&house, 0..4, past));

    let pair = neighbours(2);
    let mut world = World::new();
    world.is_ordinary(pair.clone());
    world.is_ordinary(with(&pair, 0..2, past));
}
