//! Who comes in, and in which form: R6–R8, R10–R12, R33, R34.

use super::*;
use crate::model::Field;

#[test]
fn r6_what_is_left_out_creates_links_and_updates_nothing_and_is_counted_by_reason() {
    let mut world = World::new();
    world.by_hand("Bob", "Marsh", Some("bob@x.com"));
    let before = world.people();
    let seen = world.run([
        Item::LeftOut(ana(), "status Notice"),
        Item::LeftOut(bob(), "status Notice"),
        Item::LeftOut(with_id(ana(), "t3"), "waiting list"),
    ]);
    assert_eq!(seen.ruled("t1"), (Fate::Excluded, "R6"));
    assert_eq!(seen.report.counts.excluded, 3);
    assert_eq!(
        seen.report.excluded_by,
        BTreeMap::from([("status Notice".into(), 2), ("waiting list".into(), 1)])
    );
    assert_eq!(world.people(), before);
    assert_eq!((seen.changes.len(), seen.kinds()), (0, NO_ALERTS.to_vec()));
    assert_eq!(world.links(), BTreeMap::new());
}

#[test]
fn r6_an_excluded_lease_does_not_hide_another_one_of_the_same_person() {
    let mut world = World::new();
    let seen = world.run([
        Item::LeftOut(ana(), "status Notice"),
        Item::Here(Resident {
            lease_id: Some("second".into()),
            unit: unit("105"),
            ..with_status(ana(), LeaseStatus::Pending)
        }),
    ]);
    assert_eq!(seen.report.counts.created, 1);
    assert_eq!(seen.report.counts.excluded, 1);
    assert_eq!(world.stay(1).unit, unit("105"));
}

#[test]
fn r7_only_pending_and_current_come_in_new() {
    for (status, comes) in [
        (LeaseStatus::Current, true),
        (LeaseStatus::Pending, true),
        (LeaseStatus::Past, false),
        (LeaseStatus::Applicant, false),
        (LeaseStatus::Void, false),
        (LeaseStatus::Unknown, false),
    ] {
        let mut world = World::new();
        let seen = world.run([with_status(ana(), status)]);
        let fate = if comes {
            Fate::Created
        } else {
            Fate::Ineligible
        };
        assert_eq!(seen.fate("t1"), fate, "{status}");
        assert_eq!(world.people().len(), usize::from(comes), "{status}");
        assert_eq!(world.links().len(), usize::from(comes), "{status}");
        let alerts: &[AlertKind] = match status {
            LeaseStatus::Unknown => &[AlertKind::UnknownStatus],
            _ => &[],
        };
        assert_eq!(seen.kinds(), alerts, "{status}");
        world.settles([with_status(ana(), status)]);
    }
}

#[test]
fn r7_a_word_that_nobody_knows_is_named_once_and_a_linked_person_keeps_the_last_status() {
    let mut world = World::new();
    world.run([ana()]);
    let odd = |resident: Resident| Resident {
        status_word: "Sublet".into(),
        lease_end: day(6, 30),
        ..with_status(resident, LeaseStatus::Unknown)
    };
    let feed = [odd(ana()), odd(bob())];
    let seen = world.run(feed.clone());
    let alert = seen.alert(AlertKind::UnknownStatus);
    assert_eq!(alert.subject, "Sublet");
    assert_eq!(seen.alerts.len(), 1);
    assert_eq!(world.stay(1).status, LeaseStatus::Current);
    assert_eq!(world.stay(1).lease_end, day(6, 30));
    assert_eq!(world.links()["t1"].status, LeaseStatus::Current);
    world.settles(feed);
}

#[test]
fn r7_a_lease_with_an_unknown_word_counts_more_than_one_that_is_over() {
    let mut world = World::new();
    world.run([ana()]);
    let feed = [
        Resident {
            lease_id: Some("old".into()),
            ..past(ana())
        },
        with_status(ana(), LeaseStatus::Unknown),
    ];
    let seen = world.run(feed.clone());
    assert_eq!(world.stay(1).status, LeaseStatus::Current);
    assert_eq!(seen.kinds(), [AlertKind::UnknownStatus]);
    world.settles(feed);
}

#[test]
fn r8_a_linked_person_who_is_past_now_is_updated_and_closed() {
    let mut world = World::new();
    world.run([ana()]);
    for status in [LeaseStatus::Past, LeaseStatus::Void, LeaseStatus::Applicant] {
        let gone = Resident {
            move_out: day(2, 28),
            ..with_status(ana(), status)
        };
        let seen = world.run([gone.clone()]);
        assert_eq!(seen.ruled("t1"), (Fate::Updated, "R8"));
        assert_eq!(seen.change_kinds(), [ChangeKind::Closed]);
        assert!(world.stay(1).is_closed());
        assert_eq!(world.stay(1).move_out, day(2, 28));
        world.settles([gone]);
        world.run([ana()]);
        assert_eq!(world.stay(1).status, LeaseStatus::Current);
    }
}

#[test]
fn r8_a_linked_person_whose_status_is_excluded_rests_shows_it_and_comes_back() {
    let mut world = World::new();
    world.run([ana()]);
    let changed = Resident {
        last_name: "Other".into(),
        ..ana()
    };
    let feed = [Item::LeftOut(changed.clone(), "status Notice")];
    let seen = world.run(feed.clone());
    assert_eq!(seen.ruled("t1"), (Fate::Excluded, "R8"));
    assert_eq!(seen.change_kinds(), [ChangeKind::Excluded]);
    assert_eq!(seen.kinds(), [AlertKind::ExcludedLinked]);
    assert_eq!(seen.alerts[0].subject, "status Notice");
    assert_eq!(seen.alerts[0].count, Some(1));
    let person = world.person(1);
    assert_eq!(person.last_name, "Ortiz");
    assert!(world.stay(1).excluded);
    assert_eq!(world.stay(1).status, LeaseStatus::Current);
    world.settles(feed);
    assert_eq!(world.open_alerts()[0].count, Some(1));

    let seen = world.run([changed]);
    assert_eq!(seen.change_kinds(), [ChangeKind::Readmitted]);
    assert_eq!(seen.kinds(), NO_ALERTS);
    assert_eq!(world.person(1).last_name, "Other");
    assert!(!world.stay(1).excluded);
}

/// A0: `exclude_statuses: [Past, Canceled]`, as people write it. It keeps newcomers out, not leavers in.
#[test]
fn r8_a_linked_person_whose_excluded_status_says_that_they_left_is_closed() {
    for status in [LeaseStatus::Past, LeaseStatus::Void, LeaseStatus::Applicant] {
        let mut world = World::new();
        world.run([ana(), bob()]);
        let left = Resident {
            last_name: "Other".into(),
            email: None,
            unit: None,
            ..with_status(ana(), status)
        };
        let feed = [
            Item::LeftOut(left, "status Past"),
            Item::Here(bob()),
            Item::LeftOut(
                past(resident("t9", "Eve", "Lund", "eve@x.com")),
                "status Past",
            ),
        ];
        let seen = world.run(feed.clone());
        assert_eq!(seen.ruled("t1"), (Fate::Updated, "R8"));
        assert_eq!(seen.change_kinds(), [ChangeKind::Closed]);
        assert_eq!(seen.kinds(), NO_ALERTS);
        assert_eq!(world.stay(1).status, status);
        // Nothing else is taken of a record that is left out.
        let person = world.person(1);
        assert_eq!(person.last_name, "Ortiz");
        assert_eq!(person.email.as_deref(), Some("ana@x.com"));
        assert!(!world.stay(1).excluded);
        let seen = world.run(feed.clone());
        assert_eq!(seen.ruled("t1"), (Fate::Excluded, "R6"));
        assert_eq!(seen.report.outcome, Outcome::Unchanged);
        world.settles(feed);
    }
}

#[test]
fn r8_a_lease_that_is_left_out_but_runs_is_not_closed_by_an_older_one_that_is_over() {
    let mut world = World::new();
    world.run([ana()]);
    let old = Resident {
        lease_id: Some("old".into()),
        ..past(ana())
    };
    let feed = [Item::Here(old), Item::LeftOut(ana(), "status Notice")];
    let seen = world.run(feed.clone());
    assert!(world.stay(1).excluded);
    assert_eq!(world.stay(1).status, LeaseStatus::Current);
    assert_eq!(seen.change_kinds(), [ChangeKind::Excluded]);
    world.settles(feed);
}

#[test]
fn r10_names_and_emails_that_differ_in_case_space_or_composition_are_the_same() {
    let mut world = World::new();
    world.run([resident(
        "t1",
        " Jose\u{301} ",
        "DE  LA  Cruz",
        " J.Cruz+PMS@X.com ",
    )]);
    let person = world.person(1);
    assert_eq!(person.first_name, "José");
    assert_eq!(person.last_name, "DE LA Cruz");
    assert_eq!(person.email.as_deref(), Some("j.cruz+pms@x.com"));
    let id = world.by_hand("Zoë", "Straße", Some("zoe@x.com"));
    let seen = world.run([
        resident("t1", "José", "DE LA Cruz", "j.cruz+pms@x.com"),
        resident("t2", "ZOE\u{308}", "STRASSE", "ZOE@X.COM"),
    ]);
    assert_eq!(seen.fate("t1"), Fate::Unchanged);
    assert_eq!(seen.ruled("t2"), (Fate::Linked, "R13"));
    assert_eq!(seen.decision("t2").person, Some(PersonId(id)));
    assert_eq!(seen.kinds(), NO_ALERTS);
}

#[test]
fn r10_empty_matches_nothing() {
    let mut world = World::new();
    world.by_hand("Ana", "", Some("other@x.com"));
    world.by_hand("", "", None);
    let seen = world.run([
        Resident {
            email: Some("  ".into()),
            ..ana()
        },
        Resident {
            email: Some(String::new()),
            ..bob()
        },
    ]);
    assert_eq!(
        seen.kinds(),
        [AlertKind::MissingEmail, AlertKind::MissingEmail]
    );
    assert_eq!(seen.report.counts.held, 2);
}

#[test]
fn r11_a_phone_that_is_none_is_dropped_with_a_note_and_the_person_still_comes() {
    let mut world = World::new();
    let seen = world.run([Resident {
        phone: Some("call me".into()),
        ..ana()
    }]);
    assert_eq!(seen.fate("t1"), Fate::Created);
    assert_eq!(
        seen.report.notes,
        BTreeMap::from([("invalid_phone".into(), 1)])
    );
    assert_eq!(world.person(1).phone, None);
    world.run([Resident {
        phone: Some("(415) 555-0100".into()),
        ..ana()
    }]);
    assert_eq!(world.person(1).phone.as_deref(), Some("+14155550100"));
    world.run([Resident {
        phone: Some("none".into()),
        ..ana()
    }]);
    assert_eq!(world.person(1).phone.as_deref(), Some("+14155550100"));
}

#[test]
fn r11_placeholder_emails_count_as_absent_and_are_no_duplicates() {
    let mut world = World::new();
    let seen = world.run([
        with_email(ana(), "none@none.com"),
        with_email(bob(), "None@None.com"),
    ]);
    assert_eq!(
        seen.kinds(),
        [AlertKind::MissingEmail, AlertKind::MissingEmail]
    );
    assert_eq!(world.people(), []);
}

/// A8, E7: whoever had a lease that ends before it starts was rejected in every run, and stayed current for ever.
#[test]
fn r12_dates_that_cannot_be_cost_those_dates_and_leaving_goes_through() {
    let mut world = World::new();
    world.run([ana(), bob()]);
    let before = world.stay(1);
    let rolled_over = Resident {
        lease_start: day(5, 1),
        lease_end: day(4, 30),
        move_in: day(2, 2),
        ..ana()
    };
    let seen = world.run([rolled_over.clone(), bob()]);
    assert_eq!(seen.fate("t1"), Fate::Updated);
    let stay = world.stay(1);
    assert_eq!(
        (stay.lease_start, stay.lease_end),
        (before.lease_start, before.lease_end)
    );
    assert_eq!(stay.move_in, day(2, 2), "the other dates go on");
    assert_eq!(seen.report.notes["unreadable_date"], 2);
    let alert = seen.alert(AlertKind::BadDates);
    assert_eq!(
        (alert.subject.as_str(), &alert.sides[..]),
        ("dates", &[][..])
    );
    assert_eq!(
        alert.detail,
        "dates that cannot be: lease_start 1, lease_end 1; those dates stay as they were known, the rest is taken; correct \
         them in the PMS, or the formats in the script"
    );
    assert_eq!(
        (alert.count, &alert.examples[..]),
        (Some(1), &["t1".to_owned()][..])
    );
    assert_eq!(
        seen.decision("t1").reason,
        "dates that cannot be: lease_start, lease_end (R12)"
    );
    world.settles([rolled_over.clone(), bob()]);

    let moved_out = Resident {
        move_out: day(3, 1),
        unit: unit("103"),
        ..past(rolled_over)
    };
    let seen = world.run([moved_out, bob()]);
    assert_eq!(seen.change_kinds(), [ChangeKind::Closed]);
    let stay = world.stay(1);
    assert_eq!((stay.status, stay.move_out), (LeaseStatus::Past, day(3, 1)));
    assert_eq!(
        (stay.lease_start, stay.lease_end),
        (before.lease_start, before.lease_end)
    );
    assert_eq!(seen.kinds(), NO_ALERTS, "who has left is not waited for");
}

#[test]
fn r12_what_is_unreadable_nulls_nothing_and_is_absent_of_a_newcomer() {
    let mut world = World::new();
    let unreadable = |one: Resident| Resident {
        lease_start: None,
        lease_end: None,
        move_in: None,
        move_out: None,
        unreadable: [
            Field::LeaseStart,
            Field::LeaseEnd,
            Field::MoveIn,
            Field::MoveOut,
        ]
        .into(),
        ..one
    };
    let leaving = Resident {
        move_out: day(6, 1),
        ..ana()
    };
    world.run([leaving.clone()]);
    let before = world.stay(1);
    let feed = [unreadable(leaving), unreadable(bob())];
    let seen = world.run(feed.clone());
    assert_eq!(world.stay(1), before);
    assert_eq!(
        (seen.fate("t1"), seen.fate("t2")),
        (Fate::Unchanged, Fate::Created)
    );
    let stay = world.stay(2);
    assert_eq!(
        (
            stay.lease_start,
            stay.lease_end,
            stay.move_in,
            stay.move_out
        ),
        (None, None, None, None)
    );
    assert_eq!(stay.unit, unit("102"));
    world.settles(feed);
    world.run([ana(), bob()]);
    assert_eq!(
        world.stay(1).move_out,
        None,
        "what the PMS has no more goes"
    );
    assert_eq!(world.stay(2).lease_start, day(1, 1));
}

#[test]
fn r12_a_renewal_whose_end_is_unreadable_takes_nothing_from_the_stay() {
    let mut world = World::new();
    let renewal = Resident {
        lease_id: Some("lease-2".into()),
        lease_start: Some(date(2027, 1, 1)),
        lease_end: Some(date(2027, 12, 31)),
        ..with_status(ana(), LeaseStatus::Pending)
    };
    world.run([ana(), renewal.clone()]);
    let before = world.stay(1);
    assert_eq!(before.lease_end, Some(date(2027, 12, 31)));
    let bad = Resident {
        lease_end: Some(date(2026, 12, 31)),
        ..renewal
    };
    world.run([ana(), bad.clone()]);
    assert_eq!(world.stay(1), before);
    let longer = Resident {
        lease_end: Some(date(2028, 6, 30)),
        ..ana()
    };
    world.run([longer.clone(), bad.clone()]);
    assert_eq!(world.stay(1).lease_end, Some(date(2028, 6, 30)));
    let open = Resident {
        lease_end: None,
        ..ana()
    };
    world.run([open, bad]);
    assert_eq!(
        world.stay(1).lease_end,
        None,
        "a lease without an end ends later than any"
    );
}

#[test]
fn r12_one_alert_counts_all_bad_dates_and_closes_when_there_are_none() {
    let mut world = World::new();
    let bad = |number: usize| Resident {
        lease_end: None,
        unreadable: [Field::LeaseEnd].into(),
        ..with_email(
            with_id(ana(), &format!("t{number}")),
            &format!("t{number}@x.com"),
        )
    };
    let feed: Vec<Item> = (0..5).map(|number| bad(number).into()).collect();
    let seen = world.run(feed);
    let alert = seen.alert(AlertKind::BadDates);
    assert!(
        alert
            .detail
            .starts_with("dates that cannot be: lease_end 5;")
    );
    assert_eq!(
        (alert.count, &alert.examples.join(" ")[..]),
        (Some(5), "t0 t1 t2")
    );
    assert!(seen.decision("t4").reason.contains("lease_end"));
    // What is left out need not be right, and what could not be mapped says nothing.
    let seen = world.run([Item::LeftOut(bad(0), "status X"), Item::Bad("t1".into())]);
    assert_eq!(seen.report.notes.get("unreadable_date"), None);
    assert!(seen.kinds().contains(&AlertKind::BadDates));
    let seen = world.run([ana(), bob()]);
    assert!(!seen.kinds().contains(&AlertKind::BadDates));
}

#[test]
fn r12_dates_that_stand_for_none_are_absent_however_the_script_read_them() {
    let mut world = World::new();
    world.run([Resident {
        lease_start: Some(date(1900, 1, 1)),
        lease_end: Some(date(9999, 12, 31)),
        move_in: Some(date(1, 1, 1)),
        ..ana()
    }]);
    let stay = world.stay(1);
    assert_eq!(
        (stay.lease_start, stay.lease_end, stay.move_in),
        (None, None, None)
    );
}

#[test]
fn r33_r34_the_unit_comes_along_with_the_label_that_the_script_gives() {
    let mut world = World::new();
    let labelled = |label: &str| Resident {
        unit: Some(Unit {
            id: "77".into(),
            label: label.into(),
            formerly: None,
        }),
        ..ana()
    };
    world.run([labelled(" Bldg A -  12B ")]);
    let stay = world.stay(1);
    assert_eq!(stay.unit.unwrap().label, "Bldg A - 12B");
    let seen = world.run([labelled("A-12B")]);
    assert_eq!(seen.fate("t1"), Fate::Updated);
    assert_eq!(world.stay(1).unit.unwrap().id, "77");
}
