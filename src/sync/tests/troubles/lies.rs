//! A feed that is read whole and right, and is not true: another database, last year's backup, columns that moved.
//! What takes from many is held (R27); a single odd row is told.

use super::*;
use crate::sync::tests::guarding::with;

fn yesterday() -> Option<Date> {
    day(2, 28)
}

/// A house of sixty, who are linked.
fn sixty() -> (World, Vec<Resident>) {
    let mut world = World::new();
    let house = neighbours(60);
    world.is_ordinary(house.clone());
    (world, house)
}

/// The lie is held, changes nobody, and is over with the feed that is true again.
#[track_caller]
fn is_held_and_over(lie: impl Fn(&[Resident]) -> Vec<Resident>) -> Seen {
    let (mut world, house) = sixty();
    let before = world.people();
    let seen = world.holds(lie(&house));
    let after = world.is_ordinary(house);
    assert_eq!(after.changes, []);
    assert_eq!(world.people(), before);
    seen
}

/// A4. Another database behind the same login: nobody who is known, and as many strangers.
#[test]
fn r27_another_database_is_held_whole() {
    let house = neighbours(30);
    // Their ids are their own; or, as in any two databases, many are the same.
    let with_ids_of_their_own = strangers(30);
    let with_the_same_ids = all_with(&strangers(30), |place, one| {
        if place < 20 {
            with_id(one, &format!("t{place:03}"))
        } else {
            one
        }
    });
    let partly_known: Vec<Resident> = house[..14].iter().cloned().chain(strangers(16)).collect();
    for lie in [with_ids_of_their_own, with_the_same_ids, partly_known] {
        let mut world = World::new();
        world.is_ordinary(house.clone());
        let seen = world.holds(lie);
        assert_eq!(world.people().len(), 30, "nobody came: {seen:#?}");
        assert!(seen.report.counts.created == 0);
        world.is_ordinary(house.clone());
    }
}

/// A4. Half of the house absent is a window, and not another database; and so are all, where nobody comes.
#[test]
fn r27_absence_without_arrivals_is_no_other_database() {
    let (mut world, house) = sixty();
    let mut feed = house[..30].to_vec();
    feed.extend(strangers(3));
    let seen = world.run(feed);
    assert!(seen.report.outcome.is_success(), "{:?}", seen.report);
    assert_eq!(world.people().len(), 63);

    let (mut world, house) = sixty();
    let seen = world.run(house[..10].to_vec());
    assert!(seen.report.outcome.is_success(), "{:?}", seen.report);
}

/// A5. The units are permuted among all: nobody leaves, and everybody's door is another's.
#[test]
fn r27_units_permuted_among_all_are_held() {
    is_held_and_over(|house| {
        all_with(house, |place, one| Resident {
            unit: next(house, place).unit.clone(),
            ..one
        })
    });
    // Six of sixty are as many as may pass, and no more.
    let rotated = |count: usize| {
        move |house: &[Resident]| {
            all_with(house, |place, one| {
                let from = (place + 1) % count;
                let unit = if place < count {
                    house[from].unit.clone()
                } else {
                    one.unit.clone()
                };
                Resident { unit, ..one }
            })
        }
    };
    is_held_and_over(rotated(7));
    let (mut world, house) = sixty();
    world.is_ordinary(rotated(6)(&house));
}

/// A6. First 540 invented newcomers, then all sixty past: the newcomers do not make the sixty few.
#[test]
fn r27_the_share_is_of_those_who_were_there_before_the_window() {
    let (mut world, house) = sixty();
    let mut feed = house.clone();
    feed.extend(strangers(540));
    let held = world.holds(feed.clone());
    // Even where somebody approves them.
    world.approve(held.report.id, None).unwrap();
    let seen = world.run(feed.clone());
    assert!(seen.report.outcome.is_success(), "{:?}", seen.report);
    assert_eq!(world.people().len(), 600);
    world.holds(with(&feed, 0..60, past));
    world.holds(with(&feed, 0..7, past));
    let seen = world.run(with(&feed, 0..6, past));
    assert!(seen.report.outcome.is_success(), "{:?}", seen.report);
}

/// A6. The same in steps that are each small enough to pass.
#[test]
fn r27_newcomers_who_come_in_steps_do_not_make_the_others_few() {
    let (mut world, house) = sixty();
    let arrivals = strangers(400);
    let mut feed = house;
    for step in arrivals.chunks(100) {
        feed.extend(step.iter().cloned());
        world.is_ordinary(feed.clone());
    }
    world.holds(with(&feed, 0..60, past));
    world.holds(with(&feed, 0..7, past));
    // They are all here a day later, and then a tenth is a tenth of all.
    world.now += SignedDuration::from_hours(25);
    world.is_ordinary(feed.clone());
    let seen = world.run(with(&feed, 0..46, past));
    assert!(seen.report.outcome.is_success(), "{:?}", seen.report);
}

/// A16. One moves into a unit in which somebody of another household lives; two swap. Told, and not held.
#[test]
fn r27_a_single_swap_is_told_and_passes() {
    let (mut world, house) = sixty();
    let moved = with(&house, 0..1, |one| Resident {
        unit: house[1].unit.clone(),
        ..one
    });
    world.is_ordinary(moved);
    assert_eq!(world.stay(1).unit, house[1].unit);

    let (mut world, house) = sixty();
    let mut swapped = house.clone();
    swapped[0].unit.clone_from(&house[1].unit);
    swapped[1].unit.clone_from(&house[0].unit);
    let seen = world.is_ordinary(swapped.clone());
    assert!(seen.notes("swap"), "{:?}", seen.report.notes);
    assert!(!world.is_ordinary(swapped).notes("swap"), "told once");
}

/// A16. The phones are permuted: each is another linked person's now.
#[test]
fn r27_phones_permuted_among_all_are_held() {
    is_held_and_over(|house| {
        all_with(house, |place, one| Resident {
            phone: next(house, place).phone.clone(),
            ..one
        })
    });
}

/// A16. Everybody moved out yesterday, and their status is `Current` still.
#[test]
fn r27_everybody_s_move_out_yesterday_is_held() {
    is_held_and_over(|house| {
        all_with(house, |_, one| Resident {
            move_out: yesterday(),
            ..one
        })
    });
}

/// A16. All dates two years back.
#[test]
fn r27_dates_that_all_moved_into_the_past_are_held() {
    let earlier = |date: Option<Date>| date.map(|date| date - jiff::Span::new().years(2));
    is_held_and_over(|house| {
        all_with(house, |_, one| Resident {
            lease_start: earlier(one.lease_start),
            lease_end: earlier(one.lease_end),
            move_in: earlier(one.move_in),
            ..one
        })
    });
}

/// A16. All dates gone.
#[test]
fn r27_lease_ends_that_are_all_taken_away_are_held() {
    is_held_and_over(|house| {
        all_with(house, |_, one| Resident {
            lease_start: None,
            lease_end: None,
            move_in: None,
            ..one
        })
    });
}

/// A16. `Notice` for all. For half of them it may be true: a building that is to be rebuilt.
#[test]
fn r27_notice_for_more_than_half_is_held() {
    let notice = |count: usize| {
        move |house: &[Resident]| {
            with(house, 0..count, |one| Resident {
                notice: true,
                status_word: "Notice".into(),
                ..one
            })
        }
    };
    is_held_and_over(notice(60));
    is_held_and_over(notice(31));
    let (mut world, house) = sixty();
    world.is_ordinary(notice(30)(&house));
}

/// Sixty who live here, and thirty who lived in their units before them and are known as past.
fn with_former_tenants() -> (World, Vec<Resident>, Vec<Resident>) {
    let house = neighbours(60);
    let former = all_with(&strangers(30), |place, one| Resident {
        unit: house[place].unit.clone(),
        lease_start: Some(date(2025, 1, 1)),
        move_in: Some(date(2025, 1, 1)),
        lease_end: Some(date(2025, 12, 31)),
        ..one
    });
    let mut world = World::new();
    world.is_ordinary(former.clone());
    world.now += SignedDuration::from_hours(48);
    let mut today = house.clone();
    today.extend(former.iter().cloned().map(past));
    // That a whole house moves out is not what is looked at here.
    world.guard.limit = 1000;
    let moved = world.run(today.clone());
    assert!(moved.report.outcome.is_success(), "{:?}", moved.report);
    world.guard.limit = crate::config::Guard::default().limit;
    world.now += SignedDuration::from_hours(40 * 24);
    world.is_ordinary(today.clone());
    (world, house, former)
}

/// A16. Last year's backup: thirty former tenants are current again in the same units.
#[test]
fn r27_last_year_s_backup_brings_no_former_tenant_back() {
    for those_of_today_are_named in [true, false] {
        let (mut world, house, former) = with_former_tenants();
        let mut backup = former;
        let named = if those_of_today_are_named { 0 } else { 30 };
        backup.extend_from_slice(&house[named..]);
        let before = world.people();
        let seen = world.holds(backup);
        let again = seen.change_kinds();
        assert_eq!(world.people(), before, "{again:?}");
    }
}

/// A16. Control: five former tenants who come back, into units where somebody stays, pass; the thirty first ones of
/// whom all others are held do not take those along.
#[test]
fn r27_a_few_who_return_pass() {
    let (mut world, house, former) = with_former_tenants();
    let mut feed = house;
    feed.extend(former.iter().enumerate().map(|(place, one)| {
        if place < 5 {
            one.clone()
        } else {
            past(one.clone())
        }
    }));
    world.is_ordinary(feed);
}

/// A16. Ten times as many people as yesterday: the newcomers wait, and whoever lives here goes on.
#[test]
fn r27_ten_times_as_many_people_wait_and_the_others_go_on() {
    let (mut world, house) = sixty();
    let mut feed = with(&house, 0..3, past);
    feed.extend(strangers(540));
    let seen = world.run(feed);
    assert_eq!(seen.report.outcome.as_str(), "held");
    assert_eq!(world.people().len(), 60);
    for id in 1..=60 {
        assert_eq!(world.stay(id).is_closed(), id <= 3, "p{id}");
    }
}

/// A16. Strangers in units in which somebody of another household stays current: as many as a tenth of the occupied
/// pass, all wait beyond it; members of the household are no strangers.
#[test]
fn r27_strangers_in_lived_in_units_wait() {
    let into = |house: &[Resident], people: &[Resident]| -> Vec<Resident> {
        let placed = all_with(people, |place, one| Resident {
            unit: house[place].unit.clone(),
            ..one
        });
        house.iter().cloned().chain(placed).collect()
    };
    let (mut world, house) = sixty();
    world.is_ordinary(into(&house, &strangers(6)));
    assert_eq!(world.people().len(), 66);

    let (mut world, house) = sixty();
    world.holds(into(&house, &strangers(7)));
    let of_the_household = all_with(&strangers(20), |place, one| Resident {
        household: house[place].household.clone(),
        relationship: crate::model::Relationship::CoResident,
        ..one
    });
    world.is_ordinary(into(&house, &of_the_household));
    assert_eq!(world.people().len(), 80);
}

/// A19. Five a day close for twelve days: each day passes, and somebody is told of what the month took.
#[test]
fn r27_what_a_month_takes_five_a_day_is_told_and_holds_nothing() {
    let mut world = World::new();
    let house = neighbours(72);
    world.is_ordinary(house.clone());
    for day in 1..=12 {
        world.now += SignedDuration::from_hours(24);
        let seen = world.run(with(&house, 0..day * 5, past));
        assert!(seen.report.outcome.is_success(), "{:?}", seen.report);
        let told = seen.kinds() == [AlertKind::SlowDrain];
        assert!(told || seen.alerts.is_empty(), "{:?}", seen.alerts);
        // Half of the linked is less than fifty here: more than 36.
        assert_eq!(told, day * 5 > 36, "day {day}");
    }
    // A month later it is over.
    world.now += SignedDuration::from_hours(24 * 32);
    world.is_ordinary(with(&house, 0..60, past));
}
