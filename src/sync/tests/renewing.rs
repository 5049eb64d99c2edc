//! Renewals of a stay that is over (R21): who left before a lease began that renews theirs does not come back by it. Who
//! lives on, moves, or returns does.

use super::*;

/// Ana's lease that began with the year and ended when she moved out.
fn left() -> Resident {
    Resident {
        lease_end: day(12, 31),
        move_out: day(2, 20),
        ..past(ana())
    }
}

/// Another lease of hers, of this status, which begins then.
fn another(status: LeaseStatus, start: Option<Date>) -> Resident {
    Resident {
        lease_id: Some("lease-2".into()),
        lease_start: start,
        lease_end: Some(date(2027, 12, 31)),
        ..with_status(ana(), status)
    }
}

const RUNS: [LeaseStatus; 2] = [LeaseStatus::Pending, LeaseStatus::Current];

/// What becomes of Ana, who lived there, by a feed with these leases of hers, in whatever order.
#[track_caller]
fn becomes(leases: Vec<Resident>) -> Stay {
    let mut worlds = [World::new(), World::new()];
    let orders = [leases.clone(), leases.into_iter().rev().collect()];
    let stays = worlds
        .each_mut()
        .into_iter()
        .zip(orders)
        .map(|(world, leases)| {
            world.run([ana()]);
            let seen = world.run(leases.clone());
            assert!(seen.report.outcome.is_success());
            world.settles(leases);
            world.stay(1)
        });
    let stays: Vec<Stay> = stays.collect();
    assert_eq!(stays[0], stays[1]);
    stays[0].clone()
}

#[track_caller]
fn status_by(leases: Vec<Resident>) -> LeaseStatus {
    becomes(leases).status
}

#[test]
fn r21_who_left_before_their_renewal_begins_stays_past_before_and_after_that_day() {
    // Leaving on the last day of the term is the usual one.
    for begins in [day(2, 21), day(4, 15)] {
        let stay = becomes(vec![left(), another(LeaseStatus::Pending, begins)]);
        assert_eq!(stay.status, LeaseStatus::Past);
        // They have the days of the stay that is over.
        assert_eq!((stay.lease_start, stay.move_out), (day(1, 1), day(2, 20)));
        assert_eq!(stay.lease_end, day(12, 31));
        assert_eq!(stay.more_units, []);
    }
    let mut world = World::new();
    world.run([ana()]);
    let seen = world.run([left(), another(LeaseStatus::Pending, day(4, 15))]);
    assert_eq!(seen.change_kinds(), [ChangeKind::Closed]);
    let told = seen.decisions.iter().find(|one| one.rule == "R21").unwrap();
    assert_eq!(told.fate, Fate::Ineligible);
    assert!(
        told.reason.contains("moved out before it begins"),
        "{told:?}"
    );
}

#[test]
fn r39_whom_the_pms_calls_current_is_so_whatever_an_older_term_says() {
    for begins in [day(2, 20), day(2, 21), day(4, 15)] {
        let current = another(LeaseStatus::Current, begins);
        assert_eq!(
            status_by(vec![left(), current.clone()]),
            LeaseStatus::Current
        );
        let mut world = World::new();
        let seen = world.run([current, left()]);
        assert_eq!(seen.report.counts.created, 1);
    }
}

#[test]
fn r21_who_left_before_their_renewal_begins_does_not_come_in_new() {
    for begins in [day(2, 21), day(4, 15)] {
        let mut world = World::new();
        let seen = world.run([another(LeaseStatus::Pending, begins), left()]);
        assert_eq!(seen.ruled("t1"), (Fate::Ineligible, "R7"));
        assert_eq!(world.people(), []);
    }
}

#[test]
fn r21_a_renewal_that_is_left_out_does_not_keep_who_left() {
    let mut world = World::new();
    world.run([ana()]);
    let renewal = another(LeaseStatus::Pending, day(4, 15));
    let feed = [
        Item::LeftOut(renewal, "status Future Lease"),
        Item::from(left()),
    ];
    world.run(feed.clone());
    assert_eq!(world.stay(1).status, LeaseStatus::Past);
    world.settles(feed);
}

#[test]
fn r21_a_lease_that_was_renewed_is_over_and_who_lives_on_is_current() {
    let current = LeaseStatus::Current;
    // Nobody says that they moved out.
    let renewed = past(ana());
    assert_eq!(
        status_by(vec![renewed, another(current, day(2, 1))]),
        current
    );
    // The PMS gives each term a day of moving out: the next one begins with it, or on the day after.
    for start in [day(2, 20), day(2, 21)] {
        assert_eq!(status_by(vec![left(), another(current, start)]), current);
        let next = Resident {
            lease_id: Some("lease-3".into()),
            ..another(LeaseStatus::Pending, day(12, 1))
        };
        let stay = becomes(vec![left(), another(current, start), next]);
        assert_eq!(stay.status, current);
    }
    let second = Resident {
        move_out: day(2, 28),
        ..past(another(current, day(2, 21)))
    };
    let third = Resident {
        lease_id: Some("lease-3".into()),
        ..another(current, day(3, 1))
    };
    assert_eq!(
        status_by(vec![left(), second.clone(), third.clone()]),
        current
    );
    // Of the second term nobody says when it was left.
    let second = Resident {
        move_out: None,
        ..second
    };
    assert_eq!(status_by(vec![left(), second, third]), current);
    // Month to month: the term is over, the lease is not.
    let rolls = Resident {
        lease_end: day(1, 31),
        ..ana()
    };
    assert_eq!(
        status_by(vec![rolls, another(LeaseStatus::Pending, day(4, 15))]),
        current
    );
}

#[test]
fn r21_who_comes_back_moves_or_lives_elsewhere_is_not_kept_out_by_a_stay_that_is_over() {
    for status in RUNS {
        let renewal = || another(status, day(4, 15));
        let returns = Resident {
            move_in: day(4, 15),
            ..renewal()
        };
        assert_eq!(status_by(vec![left(), returns]), status);
        let moves = Resident {
            unit: unit("102"),
            ..renewal()
        };
        assert_eq!(status_by(vec![left(), moves.clone()]), status);
        // Back from where they moved to, with the day of moving in that the PMS keeps.
        let moved_back = Resident {
            move_out: day(4, 15),
            lease_start: day(2, 20),
            ..past(moves)
        };
        assert_eq!(status_by(vec![left(), moved_back, renewal()]), status);
        // Nobody knows when they moved in, where, or when it begins.
        let nameless = Resident {
            move_in: None,
            ..renewal()
        };
        assert_eq!(status_by(vec![left(), nameless]), status);
        let nowhere = Resident {
            unit: None,
            ..renewal()
        };
        assert_eq!(status_by(vec![left(), nowhere]), status);
        let some_day = Resident {
            lease_start: None,
            ..renewal()
        };
        assert_eq!(status_by(vec![left(), some_day]), status);
        // It says itself when they will leave.
        let leaves = Resident {
            move_out: day(6, 30),
            ..renewal()
        };
        assert_eq!(status_by(vec![left(), leaves]), status);
    }
    // They live elsewhere: the stale renewal is what it was, and the unit they live in counts.
    let elsewhere = Resident {
        unit: unit("102"),
        lease_start: day(2, 20),
        ..another(LeaseStatus::Current, None)
    };
    let stale = Resident {
        lease_id: Some("lease-3".into()),
        ..another(LeaseStatus::Pending, day(4, 15))
    };
    let stay = becomes(vec![left(), elsewhere, stale]);
    assert_eq!(
        (stay.status, stay.unit),
        (LeaseStatus::Current, unit("102"))
    );
}

/// R21a: a lease of somebody else under the id says nothing of when its person left.
#[test]
fn r21_what_is_somebody_elses_lease_ends_no_renewal() {
    let strangers = Resident {
        first_name: "Zed".into(),
        last_name: "Quill".into(),
        ..with_email(left(), "zed@x.com")
    };
    let renewal = another(LeaseStatus::Current, day(4, 15));
    assert_eq!(status_by(vec![strangers, renewal]), LeaseStatus::Current);
}
