//! What a run writes about a linked person: R18–R21.

use super::*;
use crate::model::Field;

type Edit = (Field, fn(&mut Resident), &'static str);

/// Each of the nine fields, changed in the PMS.
const NINE: [Edit; 9] = [
    (Field::FirstName, |r| r.first_name = "Anita".into(), "Anita"),
    (Field::LastName, |r| r.last_name = "Reyes".into(), "Reyes"),
    (
        Field::Email,
        |r| r.email = Some("ana@x.com".into()),
        "ana@x.com",
    ),
    (
        Field::Phone,
        |r| r.phone = Some("(415) 555-0100".into()),
        "+14155550100",
    ),
    (
        Field::LeaseStart,
        |r| r.lease_start = day(2, 1),
        "2026-02-01",
    ),
    (Field::LeaseEnd, |r| r.lease_end = day(6, 30), "2026-06-30"),
    (Field::MoveIn, |r| r.move_in = day(2, 2), "2026-02-02"),
    (Field::MoveOut, |r| r.move_out = day(6, 29), "2026-06-29"),
    (Field::Unit, |r| r.unit = unit("205"), "205"),
];

#[test]
fn r18_every_changed_field_of_the_nine_is_written() {
    for (field, change, value) in NINE {
        let mut world = World::new();
        world.run([ana()]);
        if field == Field::Email {
            world.edit(1, |person| person.email = Some("hand@x.com".into()));
        }
        let mut resident = ana();
        change(&mut resident);
        let seen = world.run([resident.clone()]);
        assert_eq!(seen.ruled("t1"), (Fate::Updated, "R18"), "{field}");
        assert_eq!(seen.changes.len(), 1);
        let fields = &seen.changes[0].fields;
        assert_eq!(fields.len(), 1, "{field}");
        assert_eq!(fields[0].field, field);
        assert_eq!(fields[0].after.as_deref(), Some(value));
        assert_eq!(seen.kinds(), NO_ALERTS);
        world.settles([resident]);
    }
}

#[test]
fn r18_a_locked_field_is_not_overwritten() {
    for (field, change, _) in NINE {
        let mut world = World::new();
        world.run([ana()]);
        world.edit(1, |person| {
            person.locks.insert(field);
            if field == Field::Email {
                person.email = Some("hand@x.com".into());
            }
        });
        let before = world.people();
        let mut resident = ana();
        change(&mut resident);
        let seen = world.run([resident.clone()]);
        assert_eq!(seen.fate("t1"), Fate::Unchanged, "{field}");
        assert_eq!(world.people(), before, "{field}");
        assert_eq!(seen.kinds(), NO_ALERTS, "{field}");
        world.settles([resident]);
    }
}

#[test]
fn r18_a_lock_on_the_unit_keeps_further_units_too() {
    let mut world = World::new();
    world.run([ana()]);
    world.edit(1, |person| {
        person.locks.insert(Field::Unit);
    });
    let second = Resident {
        lease_id: Some("second".into()),
        unit: unit("205"),
        ..ana()
    };
    world.run([ana(), second]);
    assert_eq!(world.stay(1).unit, unit("101"));
    assert_eq!(world.stay(1).more_units, []);
}

#[test]
fn r18_the_pms_wins_over_edits_by_hand() {
    let mut world = World::new();
    world.run([ana()]);
    world.edit(1, |person| {
        person.first_name = "Hand".into();
        person.email = Some("hand@x.com".into());
        person.phone = Some("+14155550177".into());
    });
    let seen = world.run([ana()]);
    let person = world.person(1);
    assert_eq!(person.first_name, "Ana");
    assert_eq!(person.email.as_deref(), Some("ana@x.com"));
    assert_eq!(person.phone, None);
    assert_eq!(seen.kinds(), NO_ALERTS);
}

#[test]
fn r18_an_email_that_somebody_else_has_is_not_taken_away_from_them() {
    let mut world = World::new();
    world.run([ana()]);
    world.edit(1, |person| person.email = Some("hand@x.com".into()));
    let other = world.by_hand("Nan", "Ott", Some("ana@x.com"));
    let feed = [Resident {
        lease_end: day(6, 30),
        ..ana()
    }];
    let seen = world.run(feed.clone());
    assert_eq!(seen.fate("t1"), Fate::Held);
    let alert = seen.alert(AlertKind::DuplicateAccounts);
    assert!(
        alert
            .sides
            .iter()
            .any(|side| side.person == Some(PersonId(other)))
    );
    assert_eq!(world.stay(1).lease_end, day(6, 30));
    assert_eq!(world.person(1).email.as_deref(), Some("hand@x.com"));
    world.settles(feed.clone());
    world.edit(other, |person| person.email = None);
    let seen = world.run(feed);
    assert_eq!(world.person(1).email.as_deref(), Some("ana@x.com"));
    assert_eq!(seen.kinds(), NO_ALERTS);
}

#[test]
fn r18_an_email_is_given_once_in_a_run_too() {
    // The one who left gets their PMS email back in the very run in which a newcomer brings it.
    let mut world = World::new();
    world.run([ana()]);
    world.run([past(ana())]);
    world.edit(1, |person| person.email = Some("hand@x.com".into()));
    let newcomer = with_email(bob(), "ana@x.com");
    for _ in 0..3 {
        let seen = world.run([past(ana()), newcomer.clone()]);
        assert!(seen.report.outcome.is_success());
        assert_eq!(seen.alerts.len(), 1, "{seen:#?}");
    }
    world.settles([past(ana()), newcomer]);
}

#[test]
fn r19_a_changed_email_holds_the_record_and_restrictive_changes_pass() {
    let changed = || with_email(ana(), "new@x.com");
    let mut world = World::new();
    world.run([ana()]);
    let seen = world.run([Resident {
        last_name: "Reyes".into(),
        phone: Some("(415) 555-0100".into()),
        lease_end: day(6, 30),
        move_out: day(6, 15),
        lease_start: day(2, 1),
        unit: unit("205"),
        ..changed()
    }]);
    assert_eq!(seen.ruled("t1"), (Fate::Held, "R19"));
    assert_eq!(seen.alert(AlertKind::EmailMismatch).subject, "t1");
    let person = world.person(1);
    assert_eq!(person.last_name, "Ortiz");
    assert_eq!(person.email.as_deref(), Some("ana@x.com"));
    assert_eq!(person.phone, None);
    let stay = world.stay(1);
    assert_eq!((stay.lease_start, stay.unit), (day(1, 1), unit("101")));
    assert_eq!((stay.lease_end, stay.move_out), (day(6, 30), day(6, 15)));

    // Later ends wait.
    world.run([Resident {
        lease_end: day(12, 31),
        move_out: None,
        ..changed()
    }]);
    let stay = world.stay(1);
    assert_eq!((stay.lease_end, stay.move_out), (day(6, 30), day(6, 15)));

    // Moving out does not.
    let seen = world.run([past(changed())]);
    assert_eq!(seen.change_kinds(), [ChangeKind::Closed]);
    assert_eq!(seen.fate("t1"), Fate::Held);
    assert!(world.stay(1).is_closed());
    world.settles([past(changed())]);

    // Coming back does.
    world.run([changed()]);
    assert!(world.stay(1).is_closed());
}

#[test]
fn r19_a_changed_email_can_hold_the_email_alone() {
    let mut world = World::new();
    world.email_change = EmailChange::HoldEmail;
    world.run([ana()]);
    let feed = [Resident {
        last_name: "Reyes".into(),
        lease_end: Some(date(2027, 6, 30)),
        ..with_email(ana(), "new@x.com")
    }];
    let seen = world.run(feed.clone());
    assert_eq!(seen.ruled("t1"), (Fate::Held, "R19"));
    assert_eq!(seen.kinds(), [AlertKind::EmailMismatch]);
    let person = world.person(1);
    assert_eq!(person.last_name, "Reyes");
    assert_eq!(person.email.as_deref(), Some("ana@x.com"));
    assert_eq!(world.stay(1).lease_end, Some(date(2027, 6, 30)));
    world.settles(feed);
}

#[test]
fn r19_what_was_held_is_written_when_the_pms_goes_back_or_somebody_follows_it() {
    for follow in [false, true] {
        let mut world = World::new();
        world.run([ana()]);
        let changed = Resident {
            last_name: "Reyes".into(),
            ..with_email(ana(), "new@x.com")
        };
        world.run([changed.clone()]);
        world.run([changed.clone()]);
        let feed = if follow {
            world.edit(1, |person| person.email = Some("new@x.com".into()));
            changed
        } else {
            with_email(changed, "ana@x.com")
        };
        let seen = world.run([feed.clone()]);
        assert_eq!(seen.fate("t1"), Fate::Updated);
        assert_eq!(seen.kinds(), NO_ALERTS);
        assert_eq!(world.person(1).last_name, "Reyes");
        world.settles([feed]);
    }
}

#[test]
fn r19_two_who_swap_their_emails_are_both_held() {
    let mut world = World::new();
    world.run([ana(), bob()]);
    let feed = [
        with_email(ana(), "bob@x.com"),
        with_email(bob(), "ana@x.com"),
    ];
    let seen = world.run(feed.clone());
    assert_eq!(
        seen.kinds(),
        [AlertKind::EmailMismatch, AlertKind::EmailMismatch]
    );
    assert_eq!(world.person(1).email.as_deref(), Some("ana@x.com"));
    world.settles(feed);
}

#[test]
fn r19_an_email_that_changed_on_a_lease_that_did_not_count_is_seen_when_it_counts() {
    let mut world = World::new();
    world.run([ana()]);
    let next = with_status(with_id(ana(), "t1b"), LeaseStatus::Pending);
    world.run([ana(), next.clone()]);
    world.run([ana(), with_email(next.clone(), "new@x.com")]);
    let now = with_status(with_email(next, "new@x.com"), LeaseStatus::Current);
    let seen = world.run([past(ana()), now]);
    assert_eq!(seen.ruled("t1b"), (Fate::Held, "R19"));
    assert_eq!(world.person(1).email.as_deref(), Some("ana@x.com"));
}

#[test]
fn r20_an_email_that_goes_away_is_kept_and_named() {
    let mut world = World::new();
    world.run([ana()]);
    let feed = [Resident {
        lease_end: day(6, 30),
        ..without_email(ana())
    }];
    let seen = world.run(feed.clone());
    assert_eq!(seen.fate("t1"), Fate::Updated);
    assert_eq!(seen.alert(AlertKind::MissingEmail).subject, "t1");
    assert_eq!(world.person(1).email.as_deref(), Some("ana@x.com"));
    assert_eq!(world.stay(1).lease_end, day(6, 30));
    world.settles(feed);
    let seen = world.run([ana()]);
    assert_eq!(seen.kinds(), NO_ALERTS);
    // And another one after that is a change.
    world.run([without_email(ana())]);
    let seen = world.run([with_email(ana(), "new@x.com")]);
    assert_eq!(seen.ruled("t1"), (Fate::Held, "R19"));
}

/// A lease of Ana's.
fn lease(id: &str, status: LeaseStatus, start: i8, place: &str) -> Resident {
    Resident {
        lease_id: Some(id.into()),
        lease_start: day(start, 1),
        lease_end: day(start + 2, 1),
        move_in: None,
        unit: unit(place),
        ..with_status(ana(), status)
    }
}

#[test]
fn r21_current_counts_before_pending_before_past_then_the_latest_start() {
    use LeaseStatus::{Applicant, Current, Past, Pending, Void};
    let leases = [
        lease("a", Current, 5, "1"),
        lease("b", Current, 3, "1"),
        lease("c", Pending, 8, "2"),
        lease("d", Pending, 7, "3"),
        lease("e", Past, 9, "4"),
        lease("f", Past, 2, "5"),
        lease("g", Applicant, 10, "6"),
        lease("h", Void, 10, "7"),
    ];
    for from in 0..leases.len() {
        let mut world = World::new();
        world.run([ana()]);
        let mut feed = leases[from..].to_vec();
        world.run(feed.clone());
        let stay = world.stay(1);
        assert_eq!(stay.status, leases[from].status, "{from}");
        assert_eq!(stay.unit, leases[from].unit, "{from}");
        feed.reverse();
        world.settles(feed);
    }
}

#[test]
fn r21_a_renewal_in_the_same_unit_is_one_stay_without_a_gap() {
    for status in [LeaseStatus::Pending, LeaseStatus::Current] {
        let mut world = World::new();
        let feed = [
            lease("now", LeaseStatus::Current, 1, "101"),
            lease("next", status, 4, "101"),
        ];
        let seen = world.run(feed.clone());
        let stay = world.stay(1);
        assert_eq!(stay.status, LeaseStatus::Current);
        assert_eq!((stay.lease_start, stay.lease_end), (day(1, 1), day(6, 1)));
        assert_eq!(stay.more_units, []);
        assert_eq!(seen.kinds(), NO_ALERTS);
        world.settles(feed);
    }
}

#[test]
fn r21_a_renewal_under_a_new_id_is_one_stay_too() {
    let mut world = World::new();
    world.run([lease("now", LeaseStatus::Current, 1, "101")]);
    let next = with_id(lease("next", LeaseStatus::Pending, 4, "101"), "t1b");
    world.run([lease("now", LeaseStatus::Current, 1, "101"), next]);
    assert_eq!(world.stay(1).lease_end, day(6, 1));
}

/// The stay of two ids begins with the first of them. What is kept of each id is when its own lease began: by that it is
/// seen which of them came later (R22).
#[test]
fn r22_an_id_keeps_the_start_of_its_own_lease() {
    let renewal = Resident {
        lease_start: day(2, 1),
        ..with_id(ana(), "t9")
    };
    let mut world = World::new();
    world.missing_after = 2;
    world.run([ana()]);
    world.run([ana(), renewal.clone()]);
    assert_eq!(world.stay(1).lease_start, day(1, 1));
    let start = |world: &World, id: &str| world.links()[id].lease_start;
    assert_eq!(start(&world, "t1"), day(1, 1));
    assert_eq!(start(&world, "t9"), day(2, 1));
    world.settles([ana(), renewal]);
    // The first one alone takes the place of no later one.
    for _ in 0..5 {
        world.run([with_status(ana(), LeaseStatus::Pending)]);
        assert_eq!(world.stay(1).status, LeaseStatus::Current);
    }
    assert!(!world.links()["t9"].superseded);
}

#[test]
fn r21_a_next_lease_in_another_unit_does_not_lengthen_this_one() {
    let mut world = World::new();
    world.run([
        lease("now", LeaseStatus::Current, 1, "101"),
        lease("next", LeaseStatus::Pending, 4, "205"),
    ]);
    assert_eq!(world.stay(1).lease_end, day(3, 1));
    assert_eq!(world.stay(1).unit, unit("101"));
}

#[test]
fn r21_two_current_leases_in_two_units_keep_both_and_are_named_for_information() {
    let mut world = World::new();
    let feed = [
        lease("a", LeaseStatus::Current, 1, "101"),
        lease("b", LeaseStatus::Current, 2, "205"),
    ];
    let seen = world.run(feed.clone());
    assert_eq!(seen.fate("t1"), Fate::Created);
    assert_eq!(seen.kinds(), [AlertKind::MultipleCurrentLeases]);
    assert_eq!(world.stay(1).unit, unit("205"));
    assert_eq!(world.stay(1).more_units, [unit("101").unwrap()]);
    world.settles(feed.clone());
    let [_, second] = feed;
    let seen = world.run([second]);
    assert_eq!(world.stay(1).more_units, []);
    assert_eq!(seen.kinds(), NO_ALERTS);
}

#[test]
fn r18_who_left_here_and_lives_elsewhere_is_known_better_there() {
    let mut world = World::new();
    world.run([ana()]);
    world.run([past(ana())]);
    let there = Resident {
        phone: Some("(415) 555-0100".into()),
        ..with_id(ana(), "o1")
    };
    world.at(OTHER).run([there.clone()]);
    let seen = world.at(HOME).run([past(Resident {
        last_name: "Old".into(),
        phone: Some("(415) 555-0199".into()),
        ..ana()
    })]);
    let person = world.person(1);
    assert_eq!(person.last_name, "Ortiz");
    assert_eq!(person.phone.as_deref(), Some("+14155550100"));
    assert_eq!(seen.change_kinds(), NO_CHANGES);
    world.at(OTHER).settles([there]);
}

#[test]
fn r18_two_properties_that_differ_about_a_person_do_not_take_turns() {
    for status in [LeaseStatus::Current, LeaseStatus::Past] {
        let mut world = World::new();
        let (here, there) = (ana(), with_id(ana(), "o1"));
        world.run([here.clone()]);
        world.at(OTHER).run([there.clone()]);
        let here = with_status(here, status);
        let there = Resident {
            phone: Some("(415) 555-0100".into()),
            ..with_status(there, status)
        };
        for _ in 0..2 {
            world.at(HOME).run([here.clone()]);
            world.at(OTHER).run([there.clone()]);
        }
        world.at(HOME).settles([here]);
        world.at(OTHER).settles([there]);
    }
}

#[test]
fn r18_an_email_that_would_not_be_written_anyway_is_nobodys_conflict() {
    let mut world = World::new();
    world.run([ana()]);
    world.run([past(ana())]);
    world.at(OTHER).run([with_id(ana(), "o1")]);
    world.edit(1, |person| person.email = Some("new@x.com".into()));
    world
        .at(OTHER)
        .run([with_email(with_id(ana(), "o1"), "new@x.com")]);
    world.by_hand("Nan", "Ott", Some("ana@x.com"));
    let seen = world.at(HOME).run([past(ana())]);
    assert_eq!(seen.fate("t1"), Fate::Unchanged);
    assert_eq!(seen.kinds(), NO_ALERTS);
}

#[test]
fn an_unknown_status_keeps_every_home_with_notice_and_eviction() {
    let mut world = World::new();
    let second = Resident {
        lease_id: Some("lease-2".into()),
        unit: unit("205"),
        notice: true,
        ..ana()
    };
    let first = Resident {
        notice: true,
        eviction: true,
        lease_start: day(2, 1),
        ..ana()
    };
    world.run([first.clone(), second.clone()]);
    let before = world.stay(1);
    assert_eq!(before.more_units, [unit("205").unwrap()]);
    assert!(before.notice && before.eviction);
    let unknown = |one: &Resident| Resident {
        notice: false,
        eviction: false,
        ..with_status(one.clone(), LeaseStatus::Unknown)
    };
    let feed = [unknown(&first), unknown(&second)];
    let seen = world.run(feed.clone());
    assert_eq!(world.stay(1), before, "{seen:#?}");
    assert_eq!(seen.change_kinds(), NO_CHANGES);
    world.settles(feed);
    // A word that is known again is heard.
    world.run([first, past(second)]);
    assert_eq!(world.stay(1).more_units, []);
}

#[test]
fn unknown_leases_of_one_unit_are_one_stay() {
    let mut world = World::new();
    let renewed = Resident {
        lease_id: Some("lease-2".into()),
        lease_start: day(12, 31),
        lease_end: Some(date(2027, 12, 31)),
        ..ana()
    };
    world.run([ana(), with_status(renewed.clone(), LeaseStatus::Pending)]);
    let before = world.stay(1);
    let feed = [ana(), renewed].map(|one| with_status(one, LeaseStatus::Unknown));
    world.run(feed);
    assert_eq!(world.stay(1), before);
}
