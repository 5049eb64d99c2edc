//! Whose a record is: an id that is another human's now, one id of two humans, and one human with a new id (R21,
//! R21a, R22).

use super::*;
use crate::model::Resolution;
use crate::sync::tests::guarding::with;

/// The record of somebody else under the same id: what is left of the first is the unit.
fn overwritten(one: &Resident, by: &Resident) -> Resident {
    Resident {
        id: one.id.clone(),
        lease_id: one.lease_id.clone(),
        unit: one.unit.clone(),
        ..by.clone()
    }
}

fn zoe() -> Resident {
    Resident {
        unit: unit("109"),
        phone: Some("+12125559999".into()),
        ..resident("t9", "Zoe", "Quill", "zoe@x.com")
    }
}

/// Everybody as they were, and each id whose record is another's told, or the whole plan held.
#[track_caller]
fn nobody_became_anybody(world: &World, before: &[Person], seen: &Seen, ids: usize) {
    assert_eq!(world.people(), before);
    let held = seen.report.outcome.as_str() == "held";
    let told = seen.count(AlertKind::IdentityChanged);
    assert!(held || told == ids, "{told} of {ids} told: {seen:#?}");
}

/// A2. The same ids, and under all of them the names of strangers, without an email. Their status and dates are not
/// believed either.
#[test]
fn r21a_strangers_under_everybody_s_ids_become_nobody() {
    let house = neighbours(30);
    let of_strangers = |change: fn(Resident) -> Resident| {
        let strangers = strangers(30);
        all_with(&house, |place, one| {
            change(overwritten(&one, &strangers[place]))
        })
    };
    let lies: [fn(Resident) -> Resident; 4] = [
        without_email,
        |one| one,
        |one| past(without_email(one)),
        |one| Resident {
            lease_end: day(2, 1),
            move_out: day(2, 1),
            ..one
        },
    ];
    for lie in lies {
        let mut world = World::new();
        world.run(house.clone());
        let before = world.people();
        let seen = world.run(of_strangers(lie));
        nobody_became_anybody(&world, &before, &seen, 30);
        // The rows are right again the next day.
        let seen = world.is_ordinary(house.clone());
        assert_eq!(seen.changes, []);
        assert_eq!(world.people(), before);
    }
}

/// A2. Everything but the id moved one row down, as when a sheet was sorted by one column.
#[test]
fn r21a_rows_shifted_by_one_rename_nobody() {
    let house = neighbours(30);
    let mut world = World::new();
    world.run(house.clone());
    let before = world.people();
    let seen = world.run(all_with(&house, |place, one| {
        overwritten(&one, next(&house, place))
    }));
    nobody_became_anybody(&world, &before, &seen, 30);
}

/// A2. Only the names moved one row down: with the same email it is a renaming, and so many of them are held.
#[test]
fn r27_names_shifted_by_one_are_held() {
    let house = neighbours(30);
    let renamed = |count: usize| {
        all_with(&house, |place, one| {
            let other = next(&house, place);
            if place >= count {
                return one;
            }
            Resident {
                first_name: other.first_name.clone(),
                last_name: other.last_name.clone(),
                ..one
            }
        })
    };
    let mut world = World::new();
    world.run(house.clone());
    world.is_held(renamed(30));
    world.is_held(renamed(6));
    world.is_ordinary(renamed(5));
}

/// A2. One row is overwritten by the office, instead of a new one made. Nothing of it is written, an end included;
/// the neighbours' changes are.
#[test]
fn r21a_one_overwritten_row_is_told_and_takes_nothing_from_whom_it_was() {
    for status in [LeaseStatus::Current, LeaseStatus::Past] {
        let mut world = World::new();
        world.run([ana(), bob()]);
        let before = world.person(1);
        let row = with_status(overwritten(&ana(), &zoe()), status);
        let moved = Resident {
            unit: unit("103"),
            ..bob()
        };
        let feed = [row, moved];
        let seen = world.run(feed.clone());
        assert!(seen.report.outcome.is_success(), "{:?}", seen.report);
        assert_eq!(seen.kinds(), [AlertKind::IdentityChanged]);
        assert_eq!(seen.ruled("t1"), (Fate::Held, "R21a"));
        assert_eq!(world.person(1), before);
        assert_eq!(world.links()["t1"].misses, 1, "not named (R25)");
        assert_eq!(world.stay(2).unit, unit("103"));
        assert_eq!(world.people().len(), 2);
        world.settles(feed);
        // Corrected in the PMS, the alert closes itself.
        world.is_ordinary([ana(), bob()]);
        assert_eq!(world.person(1), before);
        assert_eq!(world.links()["t1"].misses, 0);
    }
}

/// A2. Somebody says that it is the same person all the same: the record is believed from then on, and its email is an
/// email that changed (R19) or went away (R20), like any other.
#[test]
fn r21a_same_person_takes_the_record_and_is_remembered() {
    for email in [None, Some("zoe@x.com".to_owned())] {
        let mut world = World::new();
        world.run([ana(), bob()]);
        let row = Resident {
            email: email.clone(),
            lease_end: day(6, 30),
            ..overwritten(&ana(), &zoe())
        };
        let feed = [row, bob()];
        world.run(feed.clone());
        world
            .resolve(AlertKind::IdentityChanged, &Resolution::SamePerson)
            .unwrap();
        world.run(feed.clone());
        assert_eq!(world.links()["t1"].person, PersonId(1));
        assert_eq!(world.people().len(), 2);
        assert_eq!(world.stay(1).lease_end, day(6, 30));
        if email.is_none() {
            let person = world.person(1);
            assert_eq!((&*person.first_name, &*person.last_name), ("Zoe", "Quill"));
            assert_eq!(person.email.as_deref(), Some("ana@x.com"));
        }
        world.settles(feed);
        let kinds: Vec<AlertKind> = world.open_alerts().iter().map(|one| one.kind).collect();
        assert!(!kinds.contains(&AlertKind::IdentityChanged), "{kinds:?}");
    }
}

/// A2. Somebody says that it is somebody else: who had the id has left, and keeps what is theirs; the record is matched
/// anew.
#[test]
fn r21a_somebody_else_ends_the_link_and_the_record_is_matched_anew() {
    let mut world = World::new();
    world.run([ana(), bob()]);
    let before = world.person(1);
    let feed = [overwritten(&ana(), &zoe()), bob()];
    world.run(feed.clone());
    world
        .resolve(AlertKind::IdentityChanged, &Resolution::SomebodyElse)
        .unwrap();
    world.run(feed.clone());
    let zoe = world.with_the_email("zoe@x.com");
    assert_ne!(zoe.id, PersonId(1));
    assert_eq!(zoe.stays[&world.integration].status, LeaseStatus::Current);
    assert_eq!(world.links()["t1"].person, zoe.id);
    let ana = world.person(1);
    assert_eq!(
        (ana.first_name, ana.last_name, ana.email, ana.phone),
        (
            before.first_name,
            before.last_name,
            before.email,
            before.phone
        )
    );
    assert!(world.stay(1).is_closed());
    assert_eq!(world.open_alerts(), []);
    world.settles(feed);
}

/// A2. One name only, or both with the same email, is a change (R18), and no other human.
#[test]
fn r21a_one_name_or_the_same_email_is_the_same_human() {
    let mut world = World::new();
    world.run([ana()]);
    let renamed = Resident {
        first_name: "Anabel".into(),
        last_name: "Hart".into(),
        ..ana()
    };
    world.is_ordinary([renamed.clone()]);
    assert_eq!(world.person(1).last_name, "Hart");
    let married = Resident {
        last_name: "Ortiz-Hart".into(),
        email: Some("new@x.com".into()),
        ..renamed
    };
    let seen = world.run([married]);
    assert_eq!(seen.kinds(), [AlertKind::EmailMismatch]);
    assert_eq!(seen.ruled("t1"), (Fate::Held, "R19"));
}

/// Ana's and Zoe's leases under one id, in two homes.
fn one_id_of_two() -> [Resident; 2] {
    let zoe = Resident {
        id: "t1".into(),
        lease_id: Some("lease-zoe".into()),
        lease_start: day(2, 1),
        ..zoe()
    };
    [ana(), zoe]
}

/// A3. One id twice in a run, of two people of whom nobody is known: which of them it is, nobody can say.
#[test]
fn r21_leases_of_two_people_under_one_id_make_nobody() {
    let mut world = World::new();
    let feed = one_id_of_two();
    let seen = world.run(feed.clone());
    assert_eq!(world.people(), []);
    assert_eq!(seen.kinds(), [AlertKind::DuplicateIds]);
    assert_eq!(seen.report.counts.held, 2);
    world.settles(feed);
    // Corrected in the PMS, both come in.
    let [ana, zoe] = one_id_of_two();
    world.is_ordinary([ana, with_id(zoe, "t9")]);
    assert_eq!(world.people().len(), 2);
}

/// A3. The one who is linked goes on as if alone; the other is held.
#[test]
fn r21_of_two_people_under_one_id_the_linked_one_goes_on_and_the_other_is_held() {
    let mut world = World::new();
    world.run([ana()]);
    let [_, zoe] = one_id_of_two();
    let extended = Resident {
        lease_end: day(12, 1),
        ..ana()
    };
    let feed = [zoe.clone(), extended];
    let seen = world.run(feed.clone());
    assert_eq!(seen.kinds(), [AlertKind::DuplicateIds]);
    assert_eq!(world.people().len(), 1);
    let stay = world.stay(1);
    assert_eq!((&stay.unit, stay.lease_end), (&unit("101"), day(12, 1)));
    assert_eq!(stay.more_units, []);
    assert_eq!(world.person(1).first_name, "Ana");
    world.settles(feed);
    // She leaves, and is closed; the other is still nobody, and somebody is told.
    let seen = world.run([zoe, past(ana())]);
    assert!(world.stay(1).is_closed());
    assert_eq!(world.people().len(), 1);
    assert_ne!(seen.kinds(), NO_ALERTS);
}

/// A3. Neither of the two agrees with whom the id belongs to: nothing of either is believed.
#[test]
fn r21_two_strangers_under_a_linked_id_are_held_both() {
    let mut world = World::new();
    world.run([with_email(
        Resident {
            first_name: "Bea".into(),
            last_name: "Lund".into(),
            ..ana()
        },
        "bea@x.com",
    )]);
    let before = world.people();
    let seen = world.run(one_id_of_two());
    assert_eq!(world.people(), before);
    assert!(seen.kinds().contains(&AlertKind::DuplicateIds));
    assert_eq!(seen.report.counts.held, 2);
}

/// A3. What the list leaves out of somebody else's under a linked id takes nobody in, and nothing needs to be told apart.
#[test]
fn r21_a_left_out_lease_of_somebody_else_under_a_linked_id_is_left_out_and_no_more() {
    let [_, zoe] = one_id_of_two();
    let feed = [Item::Here(ana()), Item::LeftOut(zoe, "status Applicant")];
    let mut world = World::new();
    world.is_ordinary(feed.clone());
    let seen = world.is_ordinary(feed.clone());
    assert_eq!(seen.report.counts.excluded, 1);
    world.forgetful = true;
    let seen = world.is_ordinary(feed);
    assert_eq!(seen.report.counts.excluded, 1);
}

/// A3. Each of the two has something of the person: the whole name is who they are, and without it the email.
#[test]
fn r21_of_two_who_both_could_be_the_person_the_whole_name_counts_and_then_the_email() {
    let lease = |first: &str, last: &str, email: &str, number: &str| Resident {
        lease_id: Some(format!("lease-{number}")),
        unit: unit(number),
        ..resident("t1", first, last, email)
    };
    let by_name = || lease("Ana", "Ortiz", "new@x.com", "101");
    let by_half = || lease("Ana", "Lund", "lund@x.com", "102");
    let by_email = || lease("Zoe", "Quill", "ana@x.com", "103");
    let by_last = || lease("Cleo", "Ortiz", "cleo@x.com", "104");
    for (feed, home) in [
        ([by_name(), by_email()], Some("101")),
        ([by_email(), by_half()], Some("103")),
        // A nickname is one human's with the whole name, and so is a married name.
        ([by_name(), by_half()], Some("101")),
        // One has the first name and the other the last, and nobody can say.
        ([by_half(), by_last()], None),
    ] {
        let mut world = World::new();
        world.run([Resident {
            unit: unit("100"),
            ..ana()
        }]);
        world.email_change = EmailChange::HoldEmail;
        let seen = world.run(feed.clone());
        let stay = world.stay(1);
        assert_eq!(stay.unit, unit(home.unwrap_or("100")), "{feed:#?}");
        let several = !matches!(home, Some("101") if feed[1].last_name == "Lund");
        assert_eq!(seen.count(AlertKind::DuplicateIds) == 1, several);
        assert_eq!(stay.more_units.is_empty(), several, "{feed:#?}");
        assert_eq!(world.people().len(), 1);
    }
}

/// A3. Two leases of one human: another last name, or another email, is a change; and a lease that is over is no
/// second human.
#[test]
fn r21_leases_of_one_id_that_differ_in_a_name_or_are_over_are_of_one_human() {
    let [old, zoe] = one_id_of_two();
    let mut world = World::new();
    world.is_ordinary([past(old), zoe]);
    assert_eq!(world.people().len(), 1);
    assert_eq!(world.person(1).first_name, "Zoe");
}

/// A7. A transfer gives somebody a new id, and the new id says `Past` within a day.
#[test]
fn r22_a_superseded_id_never_keeps_whom_the_new_one_closes() {
    let moved = Resident {
        unit: unit("201"),
        lease_start: day(2, 15),
        ..with_id(ana(), "t7")
    };
    let mut world = World::new();
    world.missing_after = 24;
    world.is_ordinary([ana(), bob()]);
    world.is_ordinary([moved.clone(), bob()]);
    assert_eq!(world.links()["t7"].person, PersonId(1));
    assert_eq!(world.stay(1).unit, unit("201"));
    let feed = [past(moved), bob()];
    world.is_ordinary(feed.clone());
    assert_eq!(world.stay(1).status, LeaseStatus::Past);
    world.settles(feed);
}

/// A7. The new id is past when it is seen for the first time: the whole transfer and its end lay between two runs.
#[test]
fn r22_goes_before_r7_a_new_id_that_is_past_from_the_first_closes() {
    let mut world = World::new();
    world.missing_after = 24;
    world.is_ordinary([ana(), bob()]);
    let seen = world.is_ordinary([past(with_id(ana(), "t7")), bob()]);
    assert_eq!(seen.fate("t7"), Fate::Linked);
    assert_eq!(world.links()["t7"].person, PersonId(1));
    assert_eq!(world.stay(1).status, LeaseStatus::Past);
}

/// A7. A promoted roommate: the primary leaves, and who stays gets the household's id.
#[test]
fn r22_a_promoted_roommate_is_closed_when_the_new_id_ends() {
    let roommate = || Resident {
        unit: unit("101"),
        household: Some("h1".into()),
        ..with_id(bob(), "t1/r1")
    };
    let mut world = World::new();
    world.missing_after = 24;
    world.is_ordinary([ana(), roommate()]);
    let promoted = with_id(roommate(), "t8");
    world.is_ordinary([past(ana()), promoted.clone()]);
    assert_eq!(world.stay(1).status, LeaseStatus::Past);
    assert_eq!(world.stay(2).status, LeaseStatus::Current);
    world.is_ordinary([past(ana()), past(promoted)]);
    assert_eq!(world.stay(2).status, LeaseStatus::Past);
}

/// A7. Both ids are in one run, then the old one is gone: only after it was missed for long is it superseded.
#[test]
fn r22_an_old_id_that_was_seen_with_the_new_one_is_superseded_when_it_is_missing() {
    let new = || Resident {
        lease_start: day(2, 15),
        ..with_id(ana(), "t7")
    };
    let mut world = World::new();
    world.missing_after = 3;
    world.is_ordinary([ana(), bob()]);
    world.is_ordinary([ana(), new(), bob()]);
    // Within the time, the old lease may run.
    world.run([past(new()), bob()]);
    assert_eq!(world.stay(1).status, LeaseStatus::Current);
    world.run([new(), bob()]);
    for _ in 0..3 {
        world.run([new(), bob()]);
    }
    world.is_ordinary([past(new()), bob()]);
    assert_eq!(world.stay(1).status, LeaseStatus::Past);
}

/// A7. Controls: the old id as `Past` closes nobody who has the new one; and an id whose lease starts before that of
/// the absent one supersedes nothing.
#[test]
fn r22_only_a_later_lease_supersedes() {
    let new = || Resident {
        lease_start: day(2, 15),
        ..with_id(ana(), "t7")
    };
    let mut world = World::new();
    world.is_ordinary([ana()]);
    world.is_ordinary([past(ana()), new()]);
    assert_eq!(world.stay(1).status, LeaseStatus::Current);
    world.is_ordinary([past(ana()), past(new())]);
    assert_eq!(world.stay(1).status, LeaseStatus::Past);

    // What comes up is the lease before: its end says nothing about the one that runs, and is absent.
    let mut world = World::new();
    world.is_ordinary([new()]);
    world.run([past(ana())]);
    assert_eq!(world.stay(1).status, LeaseStatus::Current);
}

/// A7. Somebody who lives here applies for another home, or has such an application cancelled: that is no end of what
/// they have, also where the feed leaves that out for a day.
#[test]
fn r22_an_application_under_a_new_id_closes_nobody() {
    for status in [LeaseStatus::Applicant, LeaseStatus::Void] {
        let applied = Resident {
            unit: unit("300"),
            lease_start: day(5, 1),
            lease_end: None,
            ..with_status(with_id(ana(), "t7"), status)
        };
        let mut world = World::new();
        world.is_ordinary([ana(), bob()]);
        world.run([ana(), applied.clone(), bob()]);
        assert_eq!(world.stay(1).status, LeaseStatus::Current, "{status}");
        assert_eq!(world.stay(1).unit, unit("101"), "{status}");

        let mut world = World::new();
        world.is_ordinary([ana(), bob()]);
        world.run([applied.clone(), bob()]);
        assert_eq!(world.stay(1).status, LeaseStatus::Current, "{status}");
        world.run([ana(), applied, bob()]);
        assert_eq!(world.stay(1).status, LeaseStatus::Current, "{status}");
    }
}

/// A7a. All ids are given anew once. Nobody is lost by that, then or later, and move-outs go on.
#[test]
fn r22_ids_that_are_all_given_anew_are_no_loss_then_or_later() {
    let house = neighbours(60);
    let anew = all_with(&house, |place, one| with_id(one, &format!("n{place:03}")));
    let mut world = World::new();
    world.missing_after = 24;
    world.is_ordinary(house.clone());
    let seen = world.is_ordinary(anew.clone());
    assert_eq!(seen.report.counts.linked, 60);
    assert_eq!(world.people().len(), 60);
    for _ in 0..30 {
        world.is_ordinary(anew.clone());
    }
    let seen = world.is_ordinary(with(&anew, 0..3, past));
    assert_eq!(seen.change_kinds(), [ChangeKind::Closed; 3]);
    for id in 1..=60 {
        assert_eq!(world.stay(id).is_closed(), id <= 3, "p{id}");
    }
}

/// A17. `email_change: hold_email`, and the ids are permuted: each record is another human's, and everything of it is
/// held, not the email alone.
#[test]
fn r21a_permuted_ids_write_nobody_s_name_phone_or_unit_onto_another() {
    for email_change in [EmailChange::HoldEmail, EmailChange::HoldRecord] {
        let house = neighbours(60);
        let mut world = World::new();
        world.email_change = email_change;
        world.run(house.clone());
        let before = world.people();
        let links = world.links();
        let seen = world.run(all_with(&house, |place, one| Resident {
            id: one.id,
            ..next(&house, place).clone()
        }));
        nobody_became_anybody(&world, &before, &seen, 60);
        for (resident, link) in world.links() {
            assert_eq!(link.person, links[&resident].person, "{resident}");
        }
        assert_eq!(world.is_ordinary(house).changes, []);
    }
}

/// E3. A renewal beside the old lease's row: with a married name, and with a nickname, it is the same person.
#[test]
fn a_renewal_with_a_married_name_or_a_nickname_is_a_change_of_one_person() {
    let renewal = |first: &str, last: &str, email: &str| Resident {
        lease_id: Some("renewal".into()),
        lease_start: day(3, 1),
        lease_end: Some(date(2027, 2, 28)),
        first_name: first.into(),
        last_name: last.into(),
        ..with_email(ana(), email)
    };
    for old in [ana(), past(ana())] {
        for (first, last) in [("Ana", "Marsh"), ("Annie", "Ortiz")] {
            let mut world = World::new();
            world.is_ordinary([ana()]);
            let feed = [old.clone(), renewal(first, last, "ana@x.com")];
            world.is_ordinary(feed.clone());
            assert_eq!(world.people().len(), 1);
            let person = world.person(1);
            assert_eq!((&*person.first_name, &*person.last_name), (first, last));
            let stay = world.stay(1);
            assert_eq!(stay.status, LeaseStatus::Current);
            assert_eq!(stay.lease_end, Some(date(2027, 2, 28)));
            assert_eq!(stay.more_units, []);
            world.settles(feed);
        }
        // Another email is told, and is all that is told.
        let mut world = World::new();
        world.is_ordinary([ana()]);
        let seen = world.run([old, renewal("Ana", "Ortiz", "ana@new.com")]);
        assert!(seen.report.outcome.is_success(), "{:?}", seen.report);
        assert_eq!(seen.kinds(), [AlertKind::EmailMismatch]);
        assert_eq!(world.people().len(), 1);
        assert_eq!(world.person(1).email.as_deref(), Some("ana@x.com"));
        assert_eq!(world.stay(1).status, LeaseStatus::Current);
    }
}
