//! What the guard counts of people (R27 (a)): each once, whatever befalls them. One lie of the feed each.

use super::guarding::{house, with};
use super::*;
use crate::model::{Guarded, GuardedKind};

/// Everybody has a phone of their own.
pub(super) fn with_phones(mut house: Vec<Resident>) -> Vec<Resident> {
    for (place, one) in house.iter_mut().enumerate() {
        one.phone = Some(format!("+1212555{:04}", 1000 + place));
    }
    house
}

/// Everybody has what the next one had.
fn permuted(house: &[Resident], change: impl Fn(&mut Resident, &Resident)) -> Vec<Resident> {
    let mut feed = house.to_vec();
    for (place, one) in feed.iter_mut().enumerate() {
        change(one, &house[(place + 1) % house.len()]);
    }
    feed
}

fn items(seen: &Seen, kind: GuardedKind) -> Vec<Guarded> {
    let held = seen.state.held.clone().unwrap();
    let items = held.items.into_iter();
    items.filter(|item| item.kind == kind).collect()
}

/// A feed that lies about all sixty is held, with sixty of this kind; about six of sixty it passes, about seven not.
#[track_caller]
fn is_counted(house: &[Resident], lie: &[Resident], kind: GuardedKind) {
    let some = |count: usize| -> Vec<Resident> {
        let (told, rest) = (&lie[..count], &house[count..]);
        told.iter().chain(rest).cloned().collect()
    };
    let mut world = World::new();
    world.run(house.to_vec());
    let seen = world.is_held(lie.to_vec());
    assert!(
        seen.reason()
            .starts_with("60 of 60 linked people would lose something: "),
        "{}",
        seen.reason()
    );
    assert!(
        seen.reason().contains(&format!("{} 60", kind.as_str())),
        "{}",
        seen.reason()
    );
    assert_eq!(items(&seen, kind).len(), 60);
    let seen = world.run(some(6));
    assert!(seen.report.outcome.is_success(), "{}", seen.reason());
    let mut world = World::new();
    world.run(house.to_vec());
    world.is_held(some(7));
}

/// A5.
#[test]
fn r27_units_permuted_among_all_residents_are_held() {
    let house = house(60);
    let lie = permuted(&house, |one, next| one.unit.clone_from(&next.unit));
    is_counted(&house, &lie, GuardedKind::UnitChange);
}

/// A16.
#[test]
fn r27_phones_permuted_among_all_residents_are_held() {
    let house = with_phones(house(60));
    let lie = permuted(&house, |one, next| one.phone.clone_from(&next.phone));
    is_counted(&house, &lie, GuardedKind::PhoneTaken);
}

/// A16.
#[test]
fn r27_phones_permuted_bit_by_bit_are_held() {
    let mut world = World::new();
    let house = with_phones(house(60));
    world.run(house.clone());
    let lie = permuted(&house, |one, next| one.phone.clone_from(&next.phone));
    let some = |count: usize| -> Vec<Resident> {
        lie[..count]
            .iter()
            .chain(&house[count..])
            .cloned()
            .collect()
    };
    for count in [3, 5, 6] {
        assert!(world.run(some(count)).report.outcome.is_success());
    }
    world.is_held(some(7));
}

/// A16.
#[test]
fn r27_all_move_outs_yesterday_are_held() {
    let house = house(60);
    let lie = with(&house, 0..60, |one| Resident {
        move_out: day(2, 28),
        ..one
    });
    is_counted(&house, &lie, GuardedKind::EndPassed);
}

/// A16.
#[test]
fn r27_all_dates_two_years_back_are_held() {
    let back = |date: Option<Date>| date.map(|date| date - jiff::Span::new().years(2));
    let house = house(60);
    let lie = with(&house, 0..60, |one| Resident {
        lease_start: back(one.lease_start),
        lease_end: back(one.lease_end),
        move_in: back(one.move_in),
        ..one
    });
    is_counted(&house, &lie, GuardedKind::EndPassed);
}

/// A16.
#[test]
fn r27_all_dates_null_are_held() {
    let house = house(60);
    let lie = with(&house, 0..60, |one| Resident {
        lease_start: None,
        lease_end: None,
        move_in: None,
        ..one
    });
    is_counted(&house, &lie, GuardedKind::EndTaken);
}

/// A2: with the same email it is a renaming, and still too many of them.
#[test]
fn r27_names_shifted_by_one_row_are_held() {
    let mut house = house(60);
    for one in &mut house {
        one.last_name = format!("Of{}", one.first_name);
    }
    let lie = permuted(&house, |one, next| {
        one.first_name.clone_from(&next.first_name);
        one.last_name.clone_from(&next.last_name);
    });
    is_counted(&house, &lie, GuardedKind::NameChange);
}

/// E3: of a married name the first stays.
#[test]
fn r27_another_last_name_alone_is_not_counted() {
    let mut world = World::new();
    let house = house(60);
    world.run(house.clone());
    let seen = world.run(with(&house, 0..60, |one| Resident {
        last_name: "Marsh".into(),
        ..one
    }));
    assert_eq!(seen.report.outcome, Outcome::Committed);
}

/// A16.
#[test]
fn r27_notice_counts_only_for_more_than_half_of_those_who_are_current() {
    let house = house(60);
    let notice = |count: usize| {
        with(&house, 0..count, |one| Resident {
            notice: true,
            ..one
        })
    };
    let mut world = World::new();
    world.run(house.clone());
    let seen = world.is_held(notice(60));
    assert_eq!(items(&seen, GuardedKind::Notice).len(), 60);
    assert!(world.run(notice(30)).report.outcome.is_success());
    // The window counts them together.
    world.is_held(notice(31));
}

#[test]
fn r27_whoever_loses_several_things_is_counted_once() {
    let mut world = World::new();
    let house = with_phones(house(60));
    world.run(house.clone());
    let lie = permuted(&house, |one, next| {
        one.phone.clone_from(&next.phone);
        one.unit.clone_from(&next.unit);
        one.move_out = day(2, 28);
        one.lease_end = None;
        one.notice = true;
    });
    let some = |count: usize| -> Vec<Resident> {
        lie[..count]
            .iter()
            .chain(&house[count..])
            .cloned()
            .collect()
    };
    assert!(world.run(some(6)).report.outcome.is_success());
    let mut world = World::new();
    world.run(house.clone());
    let seen = world.is_held(some(7));
    assert!(
        seen.reason().starts_with("7 of 60 linked people"),
        "{}",
        seen.reason()
    );
}

/// A16.
#[test]
fn r27_a_single_swap_is_told_in_the_report_and_not_held() {
    let mut world = World::new();
    let house = with_phones(house(60));
    world.run(house.clone());
    let mut feed = house.clone();
    (feed[3].unit, feed[8].unit) = (house[8].unit.clone(), house[3].unit.clone());
    (feed[5].phone, feed[9].phone) = (house[9].phone.clone(), house[5].phone.clone());
    let seen = world.run(feed.clone());
    assert_eq!(seen.report.outcome, Outcome::Committed);
    assert_eq!(seen.report.notes["swapped_units"], 1);
    assert_eq!(seen.report.notes["swapped_phones"], 1);
    world.settles(feed.clone());
    let seen = world.run(feed);
    assert_eq!(seen.report.notes.get("swapped_units"), None);
}

/// A16: the unit of one is set to another's occupied unit.
#[test]
fn r27_one_who_moves_in_with_another_is_not_held() {
    let mut world = World::new();
    let house = house(60);
    world.run(house.clone());
    let mut feed = house.clone();
    feed[3].unit.clone_from(&house[8].unit);
    assert_eq!(world.run(feed).report.outcome, Outcome::Committed);
}

/// A6.
#[test]
fn r27_the_share_is_of_those_who_were_there_before_the_window() {
    let mut world = World::new();
    let house = house(60);
    world.run(house.clone());
    world.now += SignedDuration::from_hours(30);
    // So many newcomers as are no flood by themselves.
    let strangers: Vec<Resident> = (0..300).map(|one| stranger(one, one + 1000)).collect();
    let all = |gone: usize| -> Vec<Resident> {
        let mut feed = with(&house, 0..gone, past);
        feed.extend(strangers.clone());
        feed
    };
    let seen = world.run(all(0));
    assert_eq!(seen.report.counts.created, 300);
    let seen = world.is_held(all(60));
    assert!(
        seen.reason().starts_with("60 of 60 linked people"),
        "{}",
        seen.reason()
    );
    world.is_held(all(7));
    assert!(world.run(all(6)).report.outcome.is_success());
    // A day later they are there.
    world.now += SignedDuration::from_hours(24);
    assert!(world.run(all(6 + 35)).report.outcome.is_success());
}

/// Somebody whom nobody knows yet.
pub(super) fn stranger(number: usize, unit_number: usize) -> Resident {
    Resident {
        unit: unit(&unit_number.to_string()),
        ..resident(
            &format!("s{number:03}"),
            &format!("Stranger{number}"),
            &format!("Of{number}"),
            &format!("s{number}@x.com"),
        )
    }
}

/// A7a.
#[test]
fn r27_giving_up_the_old_ids_of_people_who_have_new_ones_is_no_loss() {
    let mut world = World::new();
    let house = house(60);
    world.run(house.clone());
    let renumbered: Vec<Resident> = house
        .iter()
        .map(|one| with_id(one.clone(), &format!("new-{}", one.id)))
        .collect();
    let seen = world.run(renumbered.clone());
    assert_eq!(seen.report.counts.linked, 60);
    for _ in 0..6 {
        let seen = world.run(renumbered.clone());
        assert!(seen.report.outcome.is_success(), "{}", seen.reason());
        assert_eq!(seen.alerts, []);
    }
    assert_eq!(world.people().len(), 60);
    // Real move-outs go through.
    let mut feed = renumbered.clone();
    feed[0] = past(feed[0].clone());
    assert!(world.run(feed).report.outcome.is_success());
    assert!(world.stay(1).is_closed());
}

/// A14.
#[test]
fn r27_a_held_plan_shows_everybody_it_takes_with_unit_from_and_to() {
    let mut world = World::new();
    let house = house(60);
    world.run(house.clone());
    let left_out = house.iter().enumerate();
    let left_out = left_out.map(|(place, one)| match place {
        0..7 => Item::LeftOut(one.clone(), "status Current"),
        7..9 => Item::Here(past(one.clone())),
        _ => Item::Here(one.clone()),
    });
    let seen = world.is_held(left_out.collect::<Vec<Item>>());
    let rests = items(&seen, GuardedKind::Rest);
    let told = |item: &Guarded| {
        let Guarded {
            name,
            unit,
            from,
            to,
            person,
            ..
        } = item.clone();
        (name, unit, from, to, person.unwrap().0)
    };
    let text = str::to_owned;
    assert_eq!(rests.len(), 7);
    assert_eq!(
        told(&rests[0]),
        (
            text("Name0 Ortiz"),
            text("100"),
            text("current"),
            text("excluded"),
            1
        )
    );
    let closed = items(&seen, GuardedKind::Closing);
    assert_eq!(
        told(&closed[1]),
        (
            text("Name8 Ortiz"),
            text("108"),
            text("current"),
            text("past"),
            9
        )
    );
    assert_eq!(items(&seen, GuardedKind::Vacancy).len(), 2);
    assert!(
        seen.reason()
            .contains("closing 2, exclusion of a linked person 7"),
        "{}",
        seen.reason()
    );
    let alert = seen.alert(AlertKind::MassChangeHeld);
    assert!(alert.detail.contains("exclusion of a linked person 7"));
    assert!(!alert.detail.contains("Name0"), "{}", alert.detail);
}
