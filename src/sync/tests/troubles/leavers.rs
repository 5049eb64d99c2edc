//! Who has left is closed, whatever keeps newcomers out (R8).

use super::*;
use crate::model::Resolution;

fn left_out(resident: Resident) -> Item {
    let reason = match resident.status {
        LeaseStatus::Past => "status Past",
        LeaseStatus::Current => "status Notice",
        _ => "status Other",
    };
    Item::LeftOut(resident, reason)
}

/// A0. `exclude_statuses: [Past, Canceled]` is what people write; somebody goes from `Current` to `Past`.
#[test]
fn r8_who_has_left_is_closed_although_past_is_on_the_exclude_list() {
    let over = [LeaseStatus::Past, LeaseStatus::Void, LeaseStatus::Applicant];
    for status in over {
        let mut world = World::new();
        world.run([ana(), bob()]);
        let feed = [left_out(with_status(ana(), status)), bob().into()];
        let seen = world.is_ordinary(feed.clone());
        assert!(world.stay(1).is_closed(), "{status}");
        assert_eq!(seen.fate("t1"), Fate::Updated, "{status}");
        assert_eq!(seen.report.counts.excluded, 0, "{status}");
        assert_eq!(seen.change_kinds(), [ChangeKind::Closed], "{status}");
        world.settles(feed);
        assert_eq!(world.open_alerts(), []);
    }
}

/// A0. Who is past, and comes with the first reading, stays out as before.
#[test]
fn r8_the_exclude_list_keeps_newcomers_out() {
    let mut world = World::new();
    let seen = world.is_ordinary([left_out(past(ana())), bob().into()]);
    assert_eq!(seen.ruled("t1"), (Fate::Excluded, "R6"));
    assert_eq!(world.people().len(), 1);
}

/// A0. Leavers on the exclude list are as many as others for the guard, and each counts once.
#[test]
fn r8_leavers_on_the_exclude_list_are_held_like_any_other_mass_move_out() {
    let house = neighbours(20);
    let leaving = |count: usize| -> Vec<Item> {
        let leaves = |(place, one): (usize, Resident)| {
            if place < count {
                left_out(past(one))
            } else {
                one.into()
            }
        };
        house.iter().cloned().enumerate().map(leaves).collect()
    };
    let mut world = World::new();
    world.run(house.clone());
    world.is_held(leaving(6));
    world.is_ordinary(leaving(5));
    let closed = (1..=20).filter(|id| world.stay(*id).is_closed()).count();
    assert_eq!(closed, 5);
}

/// A0. Whose excluded record still says current rests, as before; one alert for each reason says how many.
#[test]
fn r8_who_is_left_out_and_has_not_left_rests_and_one_alert_counts_them() {
    let house = neighbours(20);
    let mut world = World::new();
    world.run(house.clone());
    let before = world.stay(1);
    let unknown = with_status(house[2].clone(), LeaseStatus::Unknown);
    let mut feed: Vec<Item> = house.iter().cloned().map(Item::Here).collect();
    feed[0] = left_out(Resident {
        lease_end: day(6, 30),
        ..house[0].clone()
    });
    feed[1] = left_out(house[1].clone());
    feed[2] = left_out(unknown);
    let seen = world.run(feed.clone());
    assert!(seen.report.outcome.is_success(), "{:?}", seen.report);
    assert_eq!(seen.kinds(), [AlertKind::ExcludedLinked; 2]);
    let mut counts: Vec<Option<u64>> = seen.alerts.iter().map(|one| one.count).collect();
    counts.sort_unstable();
    assert_eq!(counts, [Some(1), Some(2)]);
    for id in 1..=3 {
        let stay = world.stay(id);
        assert_eq!((stay.status, stay.excluded), (LeaseStatus::Current, true));
    }
    assert_eq!(world.stay(1).lease_end, before.lease_end, "not updated");
    world.settles(feed.clone());
    // One of them leaves, and is closed; the others come back to the feed, and the alerts are over.
    feed[0] = left_out(past(house[0].clone()));
    feed[1] = house[1].clone().into();
    feed[2] = house[2].clone().into();
    world.is_ordinary(feed);
    assert!(world.stay(1).is_closed());
    assert!(!world.stay(2).excluded && !world.stay(3).excluded);
}

/// A0. Which lease counts is asked of all leases, the excluded ones too: an old one that is left out closes nobody
/// who has a newer one, and a newer one that is left out keeps whoever has an old one.
#[test]
fn r8_an_excluded_old_lease_closes_nobody_and_an_excluded_new_one_keeps() {
    let old = |one: Resident| {
        past(Resident {
            lease_id: Some("old".into()),
            lease_start: day(1, 1),
            ..one
        })
    };
    let new = || Resident {
        lease_id: Some("new".into()),
        lease_start: day(2, 1),
        ..ana()
    };
    let mut world = World::new();
    world.run([ana()]);
    world.is_ordinary([left_out(old(ana())), new().into()]);
    assert_eq!(world.stay(1).status, LeaseStatus::Current);
    assert!(!world.stay(1).excluded);

    let mut world = World::new();
    world.run([ana()]);
    let seen = world.run([Item::Here(old(ana())), left_out(new())]);
    assert_eq!(seen.kinds(), [AlertKind::ExcludedLinked]);
    let stay = world.stay(1);
    assert_eq!((stay.status, stay.excluded), (LeaseStatus::Current, true));

    // Both are over, one of them is left out: over.
    let mut world = World::new();
    world.run([ana()]);
    world.is_ordinary([Item::Here(old(ana())), left_out(past(new()))]);
    assert!(world.stay(1).is_closed());
}

/// A0. What the list leaves out of somebody's other id is an end, too: it is known when the row is gone.
#[test]
fn r8_the_excluded_end_of_one_of_two_ids_is_remembered() {
    let first = || ana();
    let second = || Resident {
        lease_start: day(2, 15),
        ..with_id(ana(), "t7")
    };
    // The first ends, and the second some days later, when the row of the first is not shown any more.
    let mut world = World::new();
    world.missing_after = 24;
    world.is_ordinary([first()]);
    world.is_ordinary([first(), second()]);
    world.is_ordinary([left_out(past(first())), second().into()]);
    assert_eq!(world.stay(1).status, LeaseStatus::Current);
    world.is_ordinary([left_out(past(second()))]);
    assert!(world.stay(1).is_closed());

    // Both end on one day, and neither is missed later.
    let mut world = World::new();
    world.is_ordinary([first(), bob()]);
    world.is_ordinary([first(), second(), bob()]);
    let both = [
        left_out(past(first())),
        left_out(past(second())),
        bob().into(),
    ];
    world.is_ordinary(both);
    assert!(world.stay(1).is_closed());
    for _ in 0..5 {
        world.is_ordinary([bob()]);
    }
}

/// A0, A2. The row of somebody who left is overwritten, and their end stands under another id, which the list leaves out.
#[test]
fn r8_the_excluded_end_of_somebody_whose_row_is_somebody_elses_closes_them() {
    let stranger = resident("t1", "Zoe", "Quill", "zoe@x.com");
    let end = Resident {
        lease_start: day(2, 1),
        ..past(with_id(ana(), "t7"))
    };
    let feed = [Item::Here(stranger), left_out(end), bob().into()];
    let mut world = World::new();
    world.missing_after = 2;
    world.is_ordinary([ana(), bob()]);
    let seen = world.run(feed.clone());
    assert_eq!(seen.kinds(), [AlertKind::IdentityChanged]);
    assert_eq!(world.links()["t7"].person, PersonId(1));
    assert_eq!(world.stay(1).status, LeaseStatus::Current);
    world
        .resolve(AlertKind::IdentityChanged, &Resolution::SomebodyElse)
        .unwrap();
    world.is_ordinary(feed.clone());
    world.settles(feed);
    assert!(world.stay(1).is_closed());
    assert_eq!(world.person(1).first_name, "Ana");
}
