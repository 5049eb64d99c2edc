//! Who a resident is that is not linked yet: every row of the table in §4, R16 and R22.

use super::*;

#[test]
fn r13_same_email_and_name_is_linked_without_an_alert() {
    let mut world = World::new();
    let id = world.by_hand("ANA", "ortiz", Some("ana@x.com"));
    let seen = world.run([ana()]);
    assert_eq!(seen.ruled("t1"), (Fate::Linked, "R13"));
    assert_eq!(seen.change_kinds(), [ChangeKind::Linked]);
    assert_eq!(seen.kinds(), NO_ALERTS);
    let person = world.person(id);
    assert_eq!(person.first_name, "Ana");
    assert_eq!(world.stay(id).unit, unit("101"));
    assert_eq!(world.links()["t1"].person, PersonId(id));
    assert_eq!(world.people().len(), 1);
    world.settles([ana()]);
}

#[test]
fn r13_a_person_of_another_property_is_linked_too() {
    let mut world = World::new();
    world.at(OTHER).run([ana()]);
    let seen = world.at(HOME).run([with_id(ana(), "h9")]);
    assert_eq!(seen.ruled("h9"), (Fate::Linked, "R13"));
    assert_eq!(world.person(1).stays.len(), 2);
}

#[test]
fn r14_same_email_under_another_name_is_flagged_and_writes_nothing() {
    let mut world = World::new();
    let id = world.by_hand("Anna", "Ortiz", Some("ana@x.com"));
    let before = world.people();
    let seen = world.run([ana()]);
    assert_eq!(seen.ruled("t1"), (Fate::Flagged, "R14"));
    let alert = seen.alert(AlertKind::NameMismatch);
    assert_eq!(alert.subject, "t1");
    assert_eq!(alert.sides.len(), 2);
    assert_eq!(alert.sides[0].resident.as_deref(), Some("t1"));
    assert_eq!(alert.sides[1].person, Some(PersonId(id)));
    assert_eq!(
        alert.sides[1].values[&crate::model::Field::FirstName],
        "Anna"
    );
    assert_eq!((world.people(), world.links().len()), (before, 0));
    assert_eq!(seen.changes, []);
    world.settles([ana()]);
}

#[test]
fn r15_same_name_and_property_under_another_email_is_flagged_and_writes_nothing() {
    let mut world = World::new();
    world.run([ana()]);
    let before = world.people();
    let namesake = with_id(with_email(ana(), "a.ortiz@x.com"), "t9");
    let seen = world.run([ana(), namesake.clone()]);
    assert_eq!(seen.ruled("t9"), (Fate::Flagged, "R15"));
    assert_eq!(seen.alert(AlertKind::EmailMismatch).subject, "t9");
    assert_eq!((world.people(), world.links().len()), (before, 1));
    world.settles([ana(), namesake]);
}

#[test]
fn r15_the_alert_says_how_likely_it_is_from_unit_and_phone() {
    let mut world = World::new();
    let phone = |resident: Resident, phone: &str| Resident {
        phone: Some(phone.into()),
        ..resident
    };
    world.run([phone(ana(), "(415) 555-0100")]);
    let namesake = with_id(with_email(ana(), "a.ortiz@x.com"), "t9");
    for (place, number, confidence) in [
        ("101", "(415) 555-0100", "confidence high"),
        ("101", "(415) 555-0199", "confidence medium"),
        ("109", "(415) 555-0100", "confidence medium"),
        ("109", "(415) 555-0199", "confidence low"),
    ] {
        let other = Resident {
            unit: unit(place),
            ..phone(namesake.clone(), number)
        };
        let seen = world.run([phone(ana(), "(415) 555-0100"), other]);
        let detail = &seen.alert(AlertKind::EmailMismatch).detail;
        assert!(detail.ends_with(confidence), "{place} {number}: {detail}");
        let told = seen.alert(AlertKind::EmailMismatch).confidence.unwrap();
        assert!(confidence.ends_with(&told.to_string()), "{told}");
    }
}

#[test]
fn r15_a_namesake_of_another_property_is_nobody_here() {
    let mut world = World::new();
    world.at(OTHER).run([ana()]);
    world.by_hand("Ana", "Ortiz", Some("hand@x.com"));
    let seen = world
        .at(HOME)
        .run([with_id(with_email(ana(), "a.ortiz@x.com"), "t9")]);
    assert_eq!(seen.ruled("t9"), (Fate::Created, "R17"));
}

#[test]
fn r17_whoever_fits_nobody_becomes_a_person() {
    let mut world = World::new();
    world.run([bob()]);
    let seen = world.run([bob(), ana()]);
    assert_eq!(seen.ruled("t1"), (Fate::Created, "R17"));
    assert_eq!(seen.change_kinds(), [ChangeKind::Created]);
    assert_eq!(seen.changes[0].rule, "R17");
    assert_eq!(seen.changes[0].run, Some(seen.report.id));
    assert_eq!(seen.changes[0].fields.len(), 8);
    let person = world.person(2);
    assert_eq!(person.origin, Origin::Sync);
    assert_eq!(person.email.as_deref(), Some("ana@x.com"));
    assert_eq!(seen.kinds(), NO_ALERTS);
    world.settles([bob(), ana()]);
}

#[test]
fn r17_without_an_email_nobody_is_made_and_every_run_tries_again() {
    let mut world = World::new();
    world.by_hand("Ana", "Ortiz", None);
    for _ in 0..2 {
        let seen = world.run([without_email(ana())]);
        assert_eq!(seen.fate("t1"), Fate::Held);
        assert_eq!(seen.kinds(), [AlertKind::MissingEmail]);
        assert_eq!((world.people().len(), world.links().len()), (1, 0));
    }
    let seen = world.run([ana()]);
    assert_eq!(seen.fate("t1"), Fate::Created);
    assert_eq!(seen.kinds(), NO_ALERTS);
}

#[test]
fn r15_two_people_who_fit_are_told_apart_by_somebody() {
    // One by the email, one by name and property.
    let mut world = World::new();
    world.run([ana()]);
    let by_email = world.by_hand("Anna", "Ortis", Some("new@x.com"));
    let feed = [ana(), with_id(with_email(ana(), "new@x.com"), "t9")];
    let seen = world.run(feed.clone());
    assert_eq!(seen.fate("t9"), Fate::Flagged);
    let alert = seen.alert(AlertKind::DuplicateAccounts);
    let people: Vec<_> = alert.sides.iter().filter_map(|side| side.person).collect();
    assert_eq!(people, [PersonId(by_email), PersonId(1)]);
    assert_eq!(world.links().len(), 1);
    world.settles(feed);

    // Two by name and property.
    let mut world = World::new();
    let namesakes = [ana(), with_id(with_email(ana(), "second@x.com"), "t2")];
    world.run(namesakes.clone());
    assert_eq!(world.people().len(), 2);
    let third = with_id(with_email(ana(), "third@x.com"), "t3");
    let seen = world.run(namesakes.into_iter().chain([third]));
    assert_eq!(seen.fate("t3"), Fate::Flagged);
    assert_eq!(seen.kinds(), [AlertKind::DuplicateAccounts]);
    assert_eq!(world.people().len(), 2);
}

#[test]
fn r13_the_person_of_the_same_email_and_name_is_taken_although_there_are_namesakes() {
    let mut world = World::new();
    world.run([ana()]);
    let hand = world.by_hand("Ana", "Ortiz", Some("second@x.com"));
    let seen = world.run([ana(), with_id(with_email(ana(), "second@x.com"), "t9")]);
    assert_eq!(seen.decision("t9").person, Some(PersonId(hand)));
    assert_eq!(seen.kinds(), NO_ALERTS);
}

#[test]
fn r16_residents_that_share_an_email_are_all_held() {
    let mut world = World::new();
    let feed = [
        ana(),
        with_email(bob(), "ANA@x.com"),
        resident("t3", "Cy", "Dean", "cy@x.com"),
    ];
    let seen = world.run(feed.clone());
    assert_eq!(seen.ruled("t1"), (Fate::Held, "R16"));
    assert_eq!(seen.ruled("t2"), (Fate::Held, "R16"));
    assert_eq!(seen.fate("t3"), Fate::Created);
    assert_eq!(seen.kinds(), [AlertKind::DuplicateEmails]);
    let alert = seen.alert(AlertKind::DuplicateEmails);
    let named: Vec<_> = alert
        .sides
        .iter()
        .filter_map(|side| side.resident.as_deref())
        .collect();
    assert_eq!(named, ["t1", "t2"]);
    assert!(!alert.subject.contains("ana"), "{}", alert.subject);
    world.settles(feed);
}

#[test]
fn r16_even_the_one_who_would_have_been_linked_is_held() {
    let mut world = World::new();
    world.by_hand("Ana", "Ortiz", Some("ana@x.com"));
    let seen = world.run([with_email(bob(), "ana@x.com"), ana()]);
    assert_eq!(seen.report.counts.held, 2);
    assert_eq!(seen.kinds(), [AlertKind::DuplicateEmails]);
    assert_eq!(world.links().len(), 0);
}

#[test]
fn r16_the_linked_one_goes_on_and_the_newcomers_are_held() {
    let mut world = World::new();
    world.run([ana()]);
    let seen = world.run([
        Resident {
            lease_end: day(6, 30),
            ..ana()
        },
        with_email(bob(), "ana@x.com"),
        with_id(with_email(bob(), "ana@x.com"), "t3"),
    ]);
    assert_eq!(seen.fate("t1"), Fate::Updated);
    assert_eq!(world.stay(1).lease_end, day(6, 30));
    assert_eq!((seen.fate("t2"), seen.fate("t3")), (Fate::Held, Fate::Held));
    assert_eq!(seen.alert(AlertKind::DuplicateEmails).sides.len(), 3);
    assert_eq!(world.people().len(), 1);
}

#[test]
fn r16_two_linked_people_who_come_to_share_an_email_are_named_and_keep_their_own() {
    let mut world = World::new();
    world.run([ana(), bob()]);
    let feed = [
        ana(),
        Resident {
            lease_end: day(6, 30),
            ..with_email(bob(), "ana@x.com")
        },
    ];
    world.email_change = EmailChange::HoldEmail;
    let seen = world.run(feed.clone());
    assert_eq!(
        seen.kinds(),
        [AlertKind::DuplicateEmails, AlertKind::EmailMismatch]
    );
    assert_eq!(world.person(2).email.as_deref(), Some("bob@x.com"));
    assert_eq!(world.stay(2).lease_end, day(6, 30));
    world.settles(feed);
}

#[test]
fn r16_one_human_with_two_leases_is_no_duplicate() {
    let mut world = World::new();
    let renewal = Resident {
        lease_id: Some("next".into()),
        lease_start: Some(date(2027, 1, 1)),
        lease_end: Some(date(2027, 12, 31)),
        ..with_status(ana(), LeaseStatus::Pending)
    };
    let seen = world.run([ana(), renewal]);
    assert_eq!(seen.report.counts.created, 1);
    assert_eq!(seen.kinds(), NO_ALERTS);
}

/// A lease of somebody else under a linked id is held (R21), and shares nothing; the id's own lease does, whichever of
/// them counts more.
#[test]
fn r16_only_leases_that_are_their_persons_share_an_email() {
    let elsewhere = |one: Resident, start| Resident {
        lease_id: Some("second".into()),
        lease_start: start,
        unit: unit("300"),
        ..with_id(one, "t1")
    };
    let mut world = World::new();
    world.run([ana()]);
    let seen = world.run([ana(), elsewhere(bob(), day(2, 1)), bob()]);
    assert_eq!(seen.fate("t2"), Fate::Created);
    assert_eq!(seen.kinds(), [AlertKind::DuplicateIds]);

    let mut world = World::new();
    world.run([ana()]);
    let cleo = resident("t3", "Cleo", "Hart", "ana@x.com");
    let seen = world.run([ana(), elsewhere(bob(), day(2, 1)), cleo]);
    assert_eq!(seen.fate("t3"), Fate::Held);
    assert_eq!(
        seen.kinds(),
        [AlertKind::DuplicateEmails, AlertKind::DuplicateIds]
    );

    // Of two people under an id that nobody has nobody comes in.
    let mut world = World::new();
    let seen = world.run([ana(), elsewhere(bob(), day(2, 1)), bob()]);
    assert_eq!(seen.fate("t2"), Fate::Created);
    assert_eq!(seen.kinds(), [AlertKind::DuplicateIds]);
}

#[test]
fn r16_those_who_would_not_come_in_share_nothing() {
    let mut world = World::new();
    let seen = world.run([
        Item::Here(ana()),
        Item::Here(past(with_email(bob(), "ana@x.com"))),
        Item::LeftOut(with_id(with_email(bob(), "ana@x.com"), "t3"), "minor"),
    ]);
    assert_eq!(seen.fate("t1"), Fate::Created);
    assert_eq!(seen.kinds(), NO_ALERTS);
}

#[test]
fn r16_what_the_pms_cured_comes_in_with_the_next_run() {
    let mut world = World::new();
    world.run([ana(), with_email(bob(), "ana@x.com")]);
    let seen = world.run([ana(), bob()]);
    assert_eq!(seen.report.counts.created, 2);
    assert_eq!(seen.kinds(), NO_ALERTS);
    world.settles([ana(), bob()]);
}

#[test]
fn r22_a_new_id_with_the_same_email_and_name_is_the_same_person() {
    // A transfer: both ids at once, then the old one is over.
    let mut world = World::new();
    world.run([ana()]);
    let moved = Resident {
        unit: unit("205"),
        lease_start: day(3, 1),
        ..with_id(ana(), "t1b")
    };
    let seen = world.run([past(ana()), moved.clone()]);
    assert_eq!(seen.ruled("t1b"), (Fate::Linked, "R22"));
    assert_eq!(seen.kinds(), NO_ALERTS);
    assert_eq!(world.people().len(), 1);
    assert_eq!(world.stay(1).unit, unit("205"));
    assert_eq!(world.stay(1).status, LeaseStatus::Current);
    let links = world.links();
    assert_eq!(links["t1"].person, links["t1b"].person);
    world.settles([past(ana()), moved.clone()]);
    // The order of the feed does not matter.
    world.settles([moved, past(ana())]);
}

#[test]
fn r22_a_transfer_that_is_signed_but_not_begun_keeps_the_current_home() {
    let mut world = World::new();
    world.run([ana()]);
    let next = Resident {
        unit: unit("205"),
        lease_start: day(9, 1),
        ..with_status(with_id(ana(), "t1b"), LeaseStatus::Pending)
    };
    let seen = world.run([next.clone(), ana()]);
    assert_eq!(seen.ruled("t1b"), (Fate::Linked, "R22"));
    assert_eq!(seen.fate("t1"), Fate::Unchanged);
    assert_eq!(world.stay(1).unit, unit("101"));
    world.settles([ana(), next.clone()]);
    let current = with_status(next, LeaseStatus::Current);
    let seen = world.run([past(ana()), current]);
    assert_eq!(seen.change_kinds(), [ChangeKind::Updated]);
    assert_eq!(world.stay(1).unit, unit("205"));
}

#[test]
fn r22_a_transfer_under_way_keeps_both_homes() {
    let mut world = World::new();
    world.run([ana()]);
    let moved = Resident {
        unit: unit("205"),
        lease_start: day(3, 1),
        ..with_id(ana(), "t1b")
    };
    let feed = [ana(), moved];
    let seen = world.run(feed.clone());
    assert_eq!(world.stay(1).unit, unit("205"));
    assert_eq!(world.stay(1).more_units, [unit("101").unwrap()]);
    assert_eq!(seen.kinds(), [AlertKind::MultipleCurrentLeases]);
    world.settles(feed);
}

/// F3: R22 goes before R7, whatever the status.
#[test]
fn r22_a_new_id_with_a_word_that_nobody_knows_is_the_same_person_and_keeps_the_last_status() {
    let unknown = |one: Resident| with_status(one, LeaseStatus::Unknown);
    // Beside the old id, in place of it, and beside it when it is over.
    let feeds: [Vec<Resident>; 3] = [
        vec![ana(), unknown(with_id(ana(), "t1b"))],
        vec![unknown(with_id(ana(), "t1b"))],
        vec![past(ana()), unknown(with_id(ana(), "t1b"))],
    ];
    for feed in feeds {
        let mut world = World::new();
        world.run([ana()]);
        let seen = world.run(feed.clone());
        assert_eq!(seen.ruled("t1b"), (Fate::Linked, "R22"), "{feed:?}");
        assert_eq!(seen.kinds(), [AlertKind::UnknownStatus], "{feed:?}");
        assert_eq!(world.people().len(), 1);
        assert_eq!(world.stay(1).status, LeaseStatus::Current, "{feed:?}");
        assert_eq!(world.stay(1).unit, unit("101"));
        let links = world.links();
        assert_eq!(links["t1b"].person, links["t1"].person);
        assert_ne!(links["t1b"].status, LeaseStatus::Unknown);
        world.settles(feed.clone());
        // Understood, and over: the person has left, whether the old id is named or not.
        let gone = [past(with_id(ana(), "t1b")), past(ana())];
        world.run(gone);
        assert_eq!(world.stay(1).status, LeaseStatus::Past, "{feed:?}");
    }
}

#[test]
fn r22_a_new_id_with_a_word_that_nobody_knows_keeps_nobody_when_it_is_gone_again() {
    let mut world = World::new();
    world.run([ana()]);
    world.run([
        ana(),
        with_status(with_id(ana(), "t1b"), LeaseStatus::Unknown),
    ]);
    world.run([past(ana())]);
    assert_eq!(world.stay(1).status, LeaseStatus::Past);
}

#[test]
fn r7_a_word_that_nobody_knows_links_nobody_but_who_is_linked_here() {
    let mut world = World::new();
    // A person made by hand, and one of another property.
    world.by_hand("Ana", "Ortiz", Some("ana@x.com"));
    world.at(OTHER).run([bob()]);
    world.at(HOME);
    let odd = |one: Resident| with_status(one, LeaseStatus::Unknown);
    let seen = world.run([odd(ana()), odd(bob())]);
    assert_eq!(seen.ruled("t1"), (Fate::Ineligible, "R7"));
    assert_eq!(seen.ruled("t2"), (Fate::Ineligible, "R7"));
    assert_eq!(seen.kinds(), [AlertKind::UnknownStatus]);
    assert_eq!(world.links().len(), 0);
    // What is left out links nobody (R6), and tells of no word.
    world.run([ana()]);
    let seen = world.run([
        Item::from(ana()),
        Item::LeftOut(odd(with_id(ana(), "t1b")), "status Odd"),
    ]);
    assert_eq!(seen.fate("t1b"), Fate::Excluded);
    assert_eq!(seen.kinds(), NO_ALERTS);
}

#[test]
fn r22_who_comes_back_after_moving_out_is_the_same_person() {
    let mut world = World::new();
    world.run([ana()]);
    world.run([past(ana())]);
    let back = Resident {
        unit: unit("310"),
        ..with_id(ana(), "t7")
    };
    let feed = [past(ana()), back];
    let seen = world.run(feed.clone());
    assert_eq!(seen.ruled("t7"), (Fate::Linked, "R22"));
    assert_eq!(world.people().len(), 1);
    assert_eq!(world.stay(1).status, LeaseStatus::Current);
    assert_eq!(world.stay(1).unit, unit("310"));
    world.settles(feed);
}
