//! Who comes in, and in which form: R6–R8, R10–R12, R33, R34.

use super::*;

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
        ..past(ana())
    };
    let feed = [Item::LeftOut(changed.clone(), "status Past")];
    let seen = world.run(feed.clone());
    assert_eq!(seen.ruled("t1"), (Fate::Excluded, "R6"));
    assert_eq!(seen.change_kinds(), [ChangeKind::Excluded]);
    let person = world.person(1);
    assert_eq!(person.last_name, "Ortiz");
    assert!(world.stay(1).excluded);
    assert_eq!(world.stay(1).status, LeaseStatus::Current);
    world.settles(feed);

    let seen = world.run([Resident {
        last_name: "Other".into(),
        ..ana()
    }]);
    assert_eq!(seen.change_kinds(), [ChangeKind::Readmitted]);
    assert_eq!(world.person(1).last_name, "Other");
    assert!(!world.stay(1).excluded);

    world.run([Item::LeftOut(ana(), "status Current")]);
    let seen = world.run([changed]);
    assert_eq!(seen.change_kinds(), [ChangeKind::Closed]);
    assert!(!world.stay(1).excluded);
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

#[test]
fn r12_a_lease_that_ends_before_it_starts_is_rejected_and_nobody_else_is() {
    let mut world = World::new();
    let seen = world.run([
        Resident {
            lease_end: day(1, 1),
            lease_start: day(2, 1),
            ..ana()
        },
        bob(),
    ]);
    assert_eq!(seen.ruled("t1"), (Fate::Rejected, "R12"));
    assert_eq!(seen.fate("t2"), Fate::Created);
    assert_eq!(seen.alert(AlertKind::MappingFailed).subject, "t1");
    let seen = world.run([ana(), bob()]);
    assert_eq!(seen.fate("t1"), Fate::Created);
    assert_eq!(seen.kinds(), NO_ALERTS);
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
