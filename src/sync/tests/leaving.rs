//! Who leaves, and who is merely not there: R23–R26.

use super::*;

#[test]
fn r23_who_is_deleted_in_the_pms_stays_here() {
    let mut world = World::new();
    world.run([ana(), bob()]);
    let before = world.people();
    for _ in 0..6 {
        let seen = world.run([bob()]);
        assert_eq!(seen.changes, []);
        assert_eq!(seen.report.counts.seen, 1);
    }
    assert_eq!(world.people(), before);
    assert_eq!(world.links().len(), 2);
}

#[test]
fn r24_a_move_out_closes_the_stay_and_keeps_the_account() {
    let mut world = World::new();
    world.run([ana()]);
    let gone = Resident {
        move_out: day(2, 27),
        ..past(ana())
    };
    world.run([gone.clone()]);
    let stay = world.stay(1);
    assert!(stay.is_closed());
    assert_eq!(stay.move_out, day(2, 27));
    assert_eq!(world.person(1).email.as_deref(), Some("ana@x.com"));
    assert_eq!(world.links()["t1"].status, LeaseStatus::Past);
}

#[test]
fn r24_notice_and_eviction_close_nothing_and_are_seen() {
    let mut world = World::new();
    world.run([ana()]);
    let seen = world.run([Resident {
        notice: true,
        eviction: true,
        ..ana()
    }]);
    assert_eq!(seen.change_kinds(), [ChangeKind::Updated]);
    let stay = world.stay(1);
    assert!(stay.notice && stay.eviction && !stay.is_closed());
}

#[test]
fn r25_absence_changes_nothing_and_is_named_after_so_many_complete_runs() {
    let mut world = World::new();
    world.run([ana(), bob()]);
    let before = world.people();
    for misses in 1..=5 {
        let seen = world.run([bob()]);
        assert_eq!(
            seen.report.outcome.as_str(),
            if misses == 3 {
                "committed"
            } else {
                "unchanged"
            }
        );
        let expected: &[AlertKind] = if misses < 3 {
            &[]
        } else {
            &[AlertKind::MissingFromFeed]
        };
        assert_eq!(seen.kinds(), expected, "{misses}");
    }
    assert_eq!(world.people(), before);
    assert_eq!(world.open_alerts()[0].subject, "t1");
    let seen = world.run([ana(), bob()]);
    assert_eq!(seen.kinds(), NO_ALERTS);
    assert_eq!(world.links()["t1"].misses, 0);
    assert_eq!(world.run([bob()]).kinds(), NO_ALERTS);
}

/// The search beside the oracle found it: what was left out beside another lease went on counting.
#[test]
fn r25_an_id_that_is_named_again_counts_no_misses_also_where_the_list_leaves_it_out_beside_another()
{
    let mut world = World::new();
    let beside = Resident {
        unit: unit("900"),
        ..resident("t9", "Ana", "Diaz", "ana@x.com")
    };
    let beside = Resident {
        first_name: ana().first_name,
        last_name: ana().last_name,
        ..beside
    };
    world.run([ana()]);
    world.run([ana(), beside.clone()]);
    assert_eq!(world.links()["t9"].person, world.links()["t1"].person);
    world.run([ana()]);
    assert_eq!(world.links()["t9"].misses, 1);
    world.run([Item::Here(ana()), Item::LeftOut(beside, "status Current")]);
    assert_eq!(world.links()["t9"].misses, 0);
}

#[test]
fn r25_misses_are_counted_in_complete_runs_only() {
    let mut world = World::new();
    world.run([ana(), bob()]);
    let links = world.links();
    for _ in 0..6 {
        let seen = world.run(nobody());
        assert_eq!(seen.report.outcome.as_str(), "held");
        assert_eq!(seen.kinds(), [AlertKind::MassChangeHeld]);
    }
    assert_eq!(world.links(), links);
}

#[test]
fn r25_a_record_that_could_not_be_read_may_have_been_theirs() {
    let mut world = World::new();
    world.run([ana(), bob()]);
    for _ in 0..6 {
        let seen = world.run([Item::Here(bob()), Item::Unread("record 2".into())]);
        assert_eq!(seen.kinds(), [AlertKind::RecordsRejected]);
    }
    assert_eq!(world.links()["t1"].misses, 0);
}

#[test]
fn r25_a_record_that_is_somebody_elses_counts_for_nobody_else() {
    let mut world = World::new();
    world.run([ana(), bob(), resident("t3", "Cy", "Dean", "cy@x.com")]);
    for _ in 0..3 {
        world.run([Item::Here(bob()), Item::Bad("t3".into())]);
    }
    let links = world.links();
    assert_eq!((links["t1"].misses, links["t3"].misses), (3, 0));
    let subjects: Vec<_> = world
        .open_alerts()
        .into_iter()
        .map(|alert| (alert.kind, alert.subject))
        .collect();
    assert_eq!(
        subjects,
        [
            (AlertKind::RecordsRejected, "lease_end".into()),
            (AlertKind::MissingFromFeed, "t1".into()),
        ]
    );
}

#[test]
fn r25_who_is_over_is_not_missed() {
    let mut world = World::new();
    world.run([ana(), bob()]);
    world.run([past(ana()), bob()]);
    for _ in 0..6 {
        assert_eq!(world.run([bob()]).kinds(), NO_ALERTS);
    }
    assert_eq!(world.links()["t1"].misses, 0);
}

#[test]
fn r25_a_lease_that_the_feed_leaves_out_is_not_ended_by_another_one_that_is_over() {
    let mut world = World::new();
    world.run([ana()]);
    let old = Resident {
        lease_start: None,
        ..past(with_id(ana(), "t0"))
    };
    let other = with_id(with_status(ana(), LeaseStatus::Pending), "t0");
    world.run([ana(), other]);
    for _ in 0..6 {
        world.run([old.clone()]);
        assert_eq!(world.stay(1).status, LeaseStatus::Current);
    }
    assert_eq!(world.open_alerts()[0].kind, AlertKind::MissingFromFeed);
    world.run([past(ana()), old]);
    assert!(world.stay(1).is_closed());
}

#[test]
fn r25_an_old_id_of_somebody_whom_the_feed_names_under_another_is_given_up_and_keeps_nobody_in() {
    let mut world = World::new();
    world.run([ana()]);
    // A roommate is promoted: the r-code goes, a t-code comes.
    let promoted = with_id(ana(), "t9");
    for _ in 0..6 {
        assert_eq!(world.run([promoted.clone()]).kinds(), NO_ALERTS);
        assert_eq!(world.stay(1).status, LeaseStatus::Current);
    }
    world.run([past(promoted)]);
    assert!(world.stay(1).is_closed(), "the old id does not keep her in");
}

#[test]
fn r22_an_application_under_a_new_id_closes_nobody_whom_the_feed_leaves_out() {
    for status in [LeaseStatus::Applicant, LeaseStatus::Void] {
        let mut world = World::new();
        world.run([ana()]);
        let other = Resident {
            lease_start: Some(date(2027, 1, 1)),
            ..with_status(with_id(ana(), "t9"), status)
        };
        world.run([other]);
        assert_eq!(world.stay(1).status, LeaseStatus::Current);
    }
}

#[test]
fn r8_the_end_of_one_of_two_ids_that_is_left_out_is_remembered() {
    let mut world = World::new();
    let second = Resident {
        lease_start: Some(date(2026, 2, 1)),
        ..with_id(ana(), "t2")
    };
    world.run([ana()]);
    world.run([ana(), second.clone()]);
    let over = Item::LeftOut(past(ana()), "status Past");
    world.run([over, second.clone().into()]);
    assert!(world.links()["t1"].status.is_closed());
    world.run([past(second)]);
    assert!(world.stay(1).is_closed());
}

#[test]
fn r25_a_lease_that_could_not_be_mapped_is_not_ended_by_another_one_that_is_over() {
    let mut world = World::new();
    world.run([ana()]);
    let feed = [
        Item::Here(Resident {
            lease_id: Some("old".into()),
            unit: unit("55"),
            ..past(ana())
        }),
        Item::Bad("t1".into()),
    ];
    let seen = world.run(feed.clone());
    assert_eq!(seen.ruled("t1"), (Fate::Rejected, "R12"));
    assert_eq!((seen.changes.len(), seen.report.counts.held), (0, 1));
    assert_eq!(world.stay(1).status, LeaseStatus::Current);
    world.settles(feed);
}

#[test]
fn r24_another_lease_that_cannot_be_mapped_keeps_nobody_in() {
    let mut world = World::new();
    world.run([Item::Here(ana()), Item::Bad("t1".into())]);
    let feed = [Item::Here(past(ana())), Item::Bad("t1".into())];
    world.run(feed.clone());
    assert!(world.stay(1).is_closed());
    world.settles(feed);
}

#[test]
fn r26_an_empty_feed_where_people_are_linked_writes_nothing_but_its_report() {
    let mut world = World::new();
    let seen = world.run(nobody());
    assert_eq!(seen.report.outcome, Outcome::Unchanged, "nobody is linked");
    world.run([ana()]);
    let (people, links) = (world.people(), world.links());
    world.lookups = vec![("units".into(), lookup(&world))];
    let seen = world.run(nobody());
    let Outcome::Held { reason, .. } = &seen.report.outcome else {
        panic!("{seen:#?}");
    };
    assert!(
        reason.contains("the feed is empty, and 1 people of it are linked"),
        "{reason}"
    );
    assert_eq!((world.people(), world.links()), (people, links));
    assert_eq!((seen.changes.len(), seen.decisions.len()), (0, 0));
    let view = world.store.read().unwrap();
    assert_eq!(view.lookup(&world.integration, "units").unwrap(), None);
    let history = view.history(&world.integration).unwrap();
    assert_eq!(history.last_run, Some(seen.report.id));
    assert_eq!(history.last_error.as_deref(), Some(reason.as_str()));
    assert_eq!(view.run(seen.report.id).unwrap(), Some(seen.report));
    drop(view);
    // Where all have left, nobody is missing.
    world.run([past(ana())]);
    assert_eq!(world.run(nobody()).report.outcome, Outcome::Unchanged);
}

#[test]
fn r26_people_lookups_and_report_come_together_or_not_at_all() {
    let mut world = World::new();
    world.run([bob()]);
    world.lookups = vec![("units".into(), lookup(&world))];
    let before = world.store.read().unwrap();
    let seen = world.run([ana(), bob()]);
    assert_eq!(before.lookup(&world.integration, "units").unwrap(), None);
    assert_eq!(before.count_people().unwrap(), 1);
    assert_eq!(before.run(seen.report.id).unwrap(), None);
    let after = world.store.read().unwrap();
    assert!(after.lookup(&world.integration, "units").unwrap().is_some());
    assert_eq!(after.count_people().unwrap(), 2);
    let report = after.run(seen.report.id).unwrap().unwrap();
    assert_eq!(report.outcome, Outcome::Committed);
    let history = after.history(&world.integration).unwrap();
    assert_eq!(history.last_success, report.ended);
}

#[test]
fn a_run_whose_counts_do_not_add_up_writes_nothing() {
    let mut world = World::new();
    let report = world.run([bob()]).report;
    let (_, work) = world.work(report.id, vec![ana().into(), bob().into()]);
    let work = Work { seen: 3, ..work };
    let now = world.now;
    let stop = commit(&world.store, || now, report, work, &world.forgetting())
        .unwrap()
        .unwrap_err();
    assert!(format!("{stop:?}").contains("do not add up"), "{stop:?}");
    assert_eq!(world.people().len(), 1);
}

fn lookup(world: &World) -> Lookup {
    Lookup {
        read: world.now,
        read_by: "me".into(),
        records: BTreeMap::from([("7".into(), "{}".into())]),
        of_properties: BTreeMap::new(),
    }
}

#[test]
fn r25_a_second_home_stays_while_its_resident_is_absent() {
    let mut world = World::new();
    let moved = Resident {
        unit: unit("205"),
        lease_start: day(3, 1),
        ..with_id(ana(), "t1b")
    };
    world.run([ana()]);
    world.run([ana(), moved.clone()]);
    for _ in 1..world.missing_after {
        let seen = world.run([moved.clone()]);
        assert_eq!(seen.change_kinds(), NO_CHANGES);
        assert_eq!(seen.kinds(), [AlertKind::MultipleCurrentLeases]);
        assert_eq!(world.stay(1).more_units, [unit("101").unwrap()]);
    }
    // Now the old id counts as given up: the PMS names the person under another one.
    let seen = world.run([moved.clone()]);
    assert_eq!(seen.change_kinds(), [ChangeKind::Updated]);
    assert_eq!(seen.kinds(), NO_ALERTS);
    assert_eq!(world.stay(1).unit, unit("205"));
    assert_eq!(world.stay(1).more_units, []);
    world.settles([moved]);
}
