//! What is done by hand (R30, R31), and what the next run makes of it.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::acts::{self, ActError, Hand};
use crate::model::{Actor, AlertId, Done, Field, Resolution};

impl World {
    pub(super) fn hand(&self) -> Hand {
        Hand {
            by: Actor::User(1000),
            now: self.now,
        }
    }

    pub(super) fn resolve(
        &self,
        kind: AlertKind,
        resolution: &Resolution,
    ) -> Result<Done, ActError> {
        let alerts = self.open_alerts();
        let alert = alerts.iter().find(|alert| alert.kind == kind);
        let alert = alert.unwrap_or_else(|| panic!("no {kind} is open: {alerts:#?}"));
        acts::resolve(&self.store, alert.id, resolution, None, &self.hand())
    }

    pub(super) fn state(&self, alert: AlertId) -> AlertState {
        let view = self.store.read().unwrap();
        view.alert(alert).unwrap().unwrap().state
    }

    fn undo(&self, done: &Done) -> Result<Done, ActError> {
        acts::undo(&self.store, done.alert.unwrap(), &self.hand())
    }
}

const MERGE: Resolution = Resolution::Merge { into: None };

fn into(person: u64) -> Resolution {
    Resolution::Merge {
        into: Some(PersonId(person)),
    }
}

#[test]
fn r31_name_mismatch_merge_takes_the_pms_name_and_links() {
    let mut world = World::new();
    world.by_hand("Anna", "Ortiz", Some("ana@x.com"));
    world.run([ana()]);
    let before = world.people();
    let done = world.resolve(AlertKind::NameMismatch, &MERGE).unwrap();
    assert_eq!(world.person(1).first_name, "Ana");
    assert_eq!(world.links()["t1"].person, PersonId(1));
    assert_eq!(world.state(done.alert.unwrap()), AlertState::Resolved);
    let change = &done.changes[0];
    assert_eq!(
        (change.kind, change.rule.as_str(), &change.actor),
        (ChangeKind::Linked, "R31", &Actor::User(1000))
    );
    assert_eq!(change.fields[0].field, Field::FirstName);
    assert_eq!(change.fields[0].before.as_deref(), Some("Anna"));
    // What was done is what the run would have done.
    world.settles([ana()]);
    assert_eq!(world.state(done.alert.unwrap()), AlertState::Resolved);

    let undone = world.undo(&done).unwrap();
    assert_eq!(undone.changes[0].kind, ChangeKind::Undone);
    assert_eq!(world.people(), before);
    assert!(world.links().is_empty());
    let seen = world.run([ana()]);
    assert_eq!(seen.kinds(), [AlertKind::NameMismatch]);
    assert_eq!(seen.ruled("t1"), (Fate::Flagged, "R14"));
    assert!(world.undo(&done).is_err(), "once");
}

/// Ana is known, and the PMS knows her by another email, unlinked.
fn with_another_email() -> (World, Resident) {
    let mut world = World::new();
    world.run([ana()]);
    world.run([past(ana())]);
    let other = with_id(with_email(ana(), "ana@work.com"), "t9");
    let seen = world.run([past(ana()), other.clone()]);
    assert_eq!(seen.kinds(), [AlertKind::EmailMismatch]);
    (world, other)
}

#[test]
fn r31_email_mismatch_replace_email_keeps_the_person() {
    let (mut world, other) = with_another_email();
    let before = world.people();
    let done = world
        .resolve(AlertKind::EmailMismatch, &Resolution::ReplaceEmail)
        .unwrap();
    assert_eq!(world.people().len(), 1);
    assert_eq!(world.person(1).email.as_deref(), Some("ana@work.com"));
    assert_eq!(world.stay(1).status, LeaseStatus::Current);
    world.settles([past(ana()), other]);
    world.undo(&done).unwrap();
    assert_eq!(world.people(), before);
}

#[test]
fn r31_email_mismatch_create_separate_makes_a_person() {
    let (mut world, other) = with_another_email();
    let done = world
        .resolve(AlertKind::EmailMismatch, &Resolution::CreateSeparate)
        .unwrap();
    assert_eq!(world.person(2).email.as_deref(), Some("ana@work.com"));
    assert_eq!(world.links()["t9"].person, PersonId(2));
    world.settles([past(ana()), other.clone()]);
    // Undone, the person stays for the record, and nobody fits them.
    world.undo(&done).unwrap();
    assert!(world.person(2).withdrawn);
    assert_eq!(world.person(2).email, None);
    let seen = world.run([past(ana()), other]);
    assert_eq!(seen.kinds(), [AlertKind::EmailMismatch]);
    assert_eq!(seen.alerts[0].sides[1].person, Some(PersonId(1)));
}

#[test]
fn r31_an_email_that_changed_on_a_linked_resident_is_replaced_or_is_somebody_else() {
    let changed = with_email(
        Resident {
            phone: Some("(415) 555-0101".into()),
            ..ana()
        },
        "new@x.com",
    );
    let mut world = World::new();
    world.run([ana()]);
    let seen = world.run([changed.clone()]);
    assert_eq!(seen.ruled("t1"), (Fate::Held, "R19"));
    let done = world
        .resolve(AlertKind::EmailMismatch, &Resolution::ReplaceEmail)
        .unwrap();
    assert_eq!(world.person(1).email.as_deref(), Some("new@x.com"));
    world.settles([changed.clone()]);
    world.undo(&done).unwrap();
    assert_eq!(
        world.run([changed.clone()]).kinds(),
        [AlertKind::EmailMismatch]
    );
    // The PMS gave the id to somebody else: who had it has left.
    let done = world
        .resolve(AlertKind::EmailMismatch, &Resolution::CreateSeparate)
        .unwrap();
    assert_eq!(world.stay(1).status, LeaseStatus::Past);
    assert_eq!(world.stay(2).status, LeaseStatus::Current);
    assert_eq!(world.links()["t1"].person, PersonId(2));
    world.settles([changed]);
    world.undo(&done).unwrap();
    assert_eq!(world.stay(1).status, LeaseStatus::Current);
    assert_eq!(world.links()["t1"].person, PersonId(1));
}

/// Two accounts that one resident fits: one has the name, the other the email.
fn with_two_accounts() -> World {
    let mut world = World::new();
    world.run([with_id(with_email(ana(), "ana@home.com"), "t0")]);
    world.run([past(with_id(with_email(ana(), "ana@home.com"), "t0"))]);
    world.by_hand("Annie", "Ortiz", Some("ana@x.com"));
    let seen = world.run([
        past(with_id(with_email(ana(), "ana@home.com"), "t0")),
        ana(),
    ]);
    assert_eq!(seen.kinds(), [AlertKind::DuplicateAccounts]);
    world
}

#[test]
fn r31_duplicate_accounts_become_one_survivor() {
    for survivor in [1, 2] {
        let other = 3 - survivor;
        let mut world = with_two_accounts();
        let before = world.people();
        let refused = world.resolve(AlertKind::DuplicateAccounts, &MERGE);
        assert!(matches!(refused, Err(ActError::Invalid(_))));
        assert!(
            world
                .resolve(AlertKind::DuplicateAccounts, &into(9))
                .is_err()
        );
        let done = world
            .resolve(AlertKind::DuplicateAccounts, &into(survivor))
            .unwrap();
        let person = world.person(survivor);
        assert_eq!(person.email.as_deref(), Some("ana@x.com"));
        assert_eq!(person.first_name, "Ana");
        assert_eq!(world.stay(survivor).status, LeaseStatus::Current);
        let gone = world.person(other);
        assert_eq!(gone.merged_into, Some(PersonId(survivor)));
        assert_eq!((gone.email, gone.stays.len()), (None, 0));
        for link in world.links().values() {
            assert_eq!(link.person, PersonId(survivor));
        }
        world.settles([
            past(with_id(with_email(ana(), "ana@home.com"), "t0")),
            ana(),
        ]);
        world.undo(&done).unwrap();
        assert_eq!(world.people(), before);
    }
}

#[test]
fn r31_not_a_duplicate_is_remembered() {
    let mut world = with_two_accounts();
    let feed = [
        past(with_id(with_email(ana(), "ana@home.com"), "t0")),
        ana(),
    ];
    let done = world
        .resolve(AlertKind::DuplicateAccounts, &Resolution::NotDuplicate)
        .unwrap();
    // One of them still has the email, under another name: that is what is left to resolve.
    let seen = world.run(feed.clone());
    assert_eq!(seen.kinds(), [AlertKind::NameMismatch]);
    world.undo(&done).unwrap();
    let seen = world.run(feed);
    assert_eq!(seen.kinds(), [AlertKind::DuplicateAccounts]);

    // Namesakes, none of whom has the email: the resident is somebody new.
    let mut world = World::new();
    let one = with_id(with_email(ana(), "a1@x.com"), "a1");
    let two = Resident {
        email: Some("a2@x.com".into()),
        ..with_id(ana(), "a2")
    };
    world.run([one.clone(), two.clone()]);
    let feed = [one, two, ana()];
    let seen = world.run(feed.clone());
    assert_eq!(seen.kinds(), [AlertKind::DuplicateAccounts]);
    world
        .resolve(AlertKind::DuplicateAccounts, &Resolution::NotDuplicate)
        .unwrap();
    assert_eq!(world.people().len(), 3);
    world.settles(feed);
}

#[test]
fn r31_what_is_corrected_in_the_pms_only_is_refused() {
    let mut world = World::new();
    world.run([ana(), with_email(bob(), "ana@x.com")]);
    for resolution in [MERGE, Resolution::ReplaceEmail, Resolution::NotDuplicate] {
        let error = world
            .resolve(AlertKind::DuplicateEmails, &resolution)
            .unwrap_err();
        assert!(
            error.to_string().contains("correct the email in the PMS"),
            "{error}"
        );
    }
    assert_eq!(world.people(), []);
    let error = acts::undo(&world.store, world.open_alerts()[0].id, &world.hand());
    assert!(error.unwrap_err().to_string().contains("nothing was done"));
    let error = acts::dismiss(&world.store, AlertId(99), &world.hand());
    assert!(matches!(error, Err(ActError::NotFound(_))));
}

#[test]
fn r31_an_email_that_somebody_else_has_is_not_given() {
    let (world, _) = with_another_email();
    world.by_hand("Zoe", "Hall", Some("ana@work.com"));
    let before = world.people();
    for resolution in [Resolution::ReplaceEmail, Resolution::CreateSeparate] {
        let error = world
            .resolve(AlertKind::EmailMismatch, &resolution)
            .unwrap_err();
        assert!(error.to_string().contains("p2 has the email"), "{error}");
    }
    assert_eq!(world.people(), before);
}

#[test]
fn r31_undo_is_refused_when_something_newer_touched_the_same() {
    let mut world = World::new();
    world.by_hand("Anna", "Ortiz", Some("ana@x.com"));
    world.run([ana()]);
    let done = world.resolve(AlertKind::NameMismatch, &MERGE).unwrap();
    world.run([Resident {
        first_name: "Anita".into(),
        ..ana()
    }]);
    let people = world.people();
    let error = world.undo(&done).unwrap_err();
    assert!(
        error.to_string().contains("p1 has changed since"),
        "{error}"
    );
    assert_eq!(world.people(), people);
    // What touched other fields is kept.
    let mut world = World::new();
    world.by_hand("Anna", "Ortiz", Some("ana@x.com"));
    world.run([ana()]);
    let done = world.resolve(AlertKind::NameMismatch, &MERGE).unwrap();
    world.edit(1, |person| person.phone = Some("+14155550199".into()));
    world.undo(&done).unwrap();
    assert_eq!(world.person(1).phone.as_deref(), Some("+14155550199"));
    assert_eq!(world.person(1).first_name, "Anna");
}

#[test]
fn r30_what_is_dismissed_opens_again_only_when_a_side_changes() {
    let mut world = World::new();
    world.by_hand("Anna", "Ortiz", Some("ana@x.com"));
    let id = world.run([ana()]).alerts[0].id;
    let done = acts::dismiss(&world.store, id, &world.hand()).unwrap();
    for _ in 0..3 {
        world.settles([ana()]);
        assert_eq!(world.state(id), AlertState::Dismissed);
    }
    // Gone and back again is no change of a side.
    world.run([bob()]);
    world.run([ana(), bob()]);
    assert_eq!(world.state(id), AlertState::Dismissed);
    // Undone, it is open.
    world.undo(&done).unwrap();
    assert_eq!(world.state(id), AlertState::Open);
    acts::dismiss(&world.store, id, &world.hand()).unwrap();
    // The PMS's side changes, or ours.
    let renamed = Resident {
        last_name: "Ortiz-Hall".into(),
        ..ana()
    };
    world.run([renamed.clone(), bob()]);
    assert_eq!(world.state(id), AlertState::Open);
    acts::dismiss(&world.store, id, &world.hand()).unwrap();
    world.edit(1, |person| person.last_name = "Hall".into());
    world.run([renamed, bob()]);
    assert_eq!(world.state(id), AlertState::Open);
}

#[test]
fn a_link_by_hand_is_kept_by_runs_and_an_unlink_is_remembered() {
    let mut world = World::new();
    world.by_hand("Ann", "Ortega", None);
    let integration = world.integration.clone();
    acts::link(&world.store, PersonId(1), &integration, "t1", &world.hand()).unwrap();
    let again = acts::link(&world.store, PersonId(1), &integration, "t1", &world.hand());
    assert!(matches!(again, Err(ActError::Refused(_))));
    let seen = world.run([ana()]);
    assert_eq!(seen.ruled("t1"), (Fate::Updated, "R18"));
    assert_eq!(world.person(1).first_name, "Ana");
    assert_eq!(world.person(1).email.as_deref(), Some("ana@x.com"));
    world.settles([ana()]);

    acts::unlink(&world.store, PersonId(1), &integration, "t1", &world.hand()).unwrap();
    assert_eq!(world.stay(1).status, LeaseStatus::Past);
    assert!(world.links().is_empty());
    let seen = world.run([ana()]);
    assert_eq!(seen.ruled("t1"), (Fate::Flagged, "R13"));
    assert!(
        seen.alerts[0]
            .detail
            .contains("untied from the resident by hand")
    );
    // Tied again, that is forgotten.
    acts::link(&world.store, PersonId(1), &integration, "t1", &world.hand()).unwrap();
    let seen = world.run([ana()]);
    assert_eq!(seen.alerts, []);
    assert_eq!(world.stay(1).status, LeaseStatus::Current);
}

#[test]
fn a_pinned_person_is_left_alone_until_unpinned() {
    let mut world = World::new();
    world.run([ana()]);
    acts::pin(&world.store, PersonId(1), &world.hand()).unwrap();
    assert!(acts::pin(&world.store, PersonId(1), &world.hand()).is_err());
    let before = world.people();
    let gone = past(Resident {
        first_name: "Anita".into(),
        ..ana()
    });
    let seen = world.run([gone.clone()]);
    assert_eq!(seen.ruled("t1"), (Fate::Unchanged, "pin"));
    assert!(seen.decision("t1").reason.contains("pinned by hand"));
    assert_eq!(world.people(), before);
    acts::unpin(&world.store, PersonId(1), &world.hand()).unwrap();
    world.run([gone]);
    assert!(world.stay(1).is_closed());
}

#[test]
fn r18_locks_by_hand_keep_fields_and_status_cannot_be_locked() {
    let mut world = World::new();
    world.run([ana()]);
    let lock = |fields: &[Field]| {
        let fields: BTreeSet<Field> = fields.iter().copied().collect();
        acts::lock(&world.store, PersonId(1), &fields, &world.hand())
    };
    assert!(matches!(lock(&[Field::Status]), Err(ActError::Invalid(_))));
    let done = lock(&[Field::FirstName]).unwrap();
    assert_eq!(done.changes[0].kind, ChangeKind::Locked);
    assert_eq!(done.changes[0].fields[0].field, Field::FirstName);
    let renamed = Resident {
        first_name: "Anita".into(),
        ..ana()
    };
    world.run([renamed.clone()]);
    assert_eq!(world.person(1).first_name, "Ana");
    acts::unlock(
        &world.store,
        PersonId(1),
        &BTreeSet::from([Field::FirstName]),
        &world.hand(),
    )
    .unwrap();
    world.run([renamed]);
    assert_eq!(world.person(1).first_name, "Anita");
}

#[test]
fn who_was_merged_is_not_acted_on_any_more() {
    let world = with_two_accounts();
    world
        .resolve(AlertKind::DuplicateAccounts, &into(1))
        .unwrap();
    let error = acts::pin(&world.store, PersonId(2), &world.hand()).unwrap_err();
    assert!(error.to_string().contains("was merged into p1"), "{error}");
}

#[test]
fn r18_a_locked_email_is_not_replaced_by_a_resolution() {
    let lock = |world: &World, person: u64| {
        let fields = BTreeSet::from([Field::Email]);
        acts::lock(&world.store, PersonId(person), &fields, &world.hand()).unwrap();
    };
    let (world, _) = with_another_email();
    lock(&world, 1);
    let error = world
        .resolve(AlertKind::EmailMismatch, &Resolution::ReplaceEmail)
        .unwrap_err();
    assert!(
        error.to_string().contains("epms people unlock p1 email"),
        "{error}"
    );
    let world = with_two_accounts();
    lock(&world, 1);
    world
        .resolve(AlertKind::DuplicateAccounts, &into(1))
        .unwrap();
    assert_eq!(world.person(1).email.as_deref(), Some("ana@home.com"));
}

#[test]
fn r31_an_alert_that_is_out_of_date_moves_nobody() {
    // Somebody linked the resident to another person since.
    let (world, _) = with_another_email();
    let other = world.by_hand("Zoe", "Hall", None);
    let integration = world.integration.clone();
    acts::link(
        &world.store,
        PersonId(other),
        &integration,
        "t9",
        &world.hand(),
    )
    .unwrap();
    for resolution in [Resolution::ReplaceEmail, Resolution::CreateSeparate] {
        let error = world
            .resolve(AlertKind::EmailMismatch, &resolution)
            .unwrap_err();
        assert!(
            error.to_string().contains("is linked to p2 by now"),
            "{error}"
        );
    }
    assert_eq!(world.links()["t9"].person, PersonId(other));
    // Or gave the person another email.
    let mut world = World::new();
    world.by_hand("Anna", "Ortiz", Some("ana@x.com"));
    world.run([ana()]);
    world.edit(1, |person| person.email = Some("anna@x.com".into()));
    let error = world.resolve(AlertKind::NameMismatch, &MERGE).unwrap_err();
    assert!(error.to_string().contains("is out of date"), "{error}");
    assert!(world.links().is_empty());
}

#[test]
fn r30_what_was_dismissed_can_be_resolved_later() {
    let mut world = World::new();
    world.by_hand("Anna", "Ortiz", Some("ana@x.com"));
    let id = world.run([ana()]).alerts[0].id;
    acts::dismiss(&world.store, id, &world.hand()).unwrap();
    let done = acts::resolve(&world.store, id, &MERGE, None, &world.hand()).unwrap();
    assert_eq!(world.state(id), AlertState::Resolved);
    world.undo(&done).unwrap();
    assert_eq!(world.state(id), AlertState::Dismissed, "as it was before");
    world.undo(&done).unwrap();
    assert_eq!(world.state(id), AlertState::Open);
}

#[test]
fn r31_people_who_swapped_their_emails_are_resolved_together_and_undone_together() {
    let mut world = World::new();
    world.run([ana(), bob()]);
    let swapped = [
        with_email(ana(), "bob@x.com"),
        with_email(bob(), "ana@x.com"),
    ];
    let seen = world.run(swapped.clone());
    assert_eq!(seen.kinds(), [AlertKind::EmailMismatch; 2]);
    let before = world.people();
    let done = world
        .resolve(AlertKind::EmailMismatch, &Resolution::ReplaceEmail)
        .unwrap();
    assert_eq!(done.changes.len(), 2);
    assert_eq!(world.person(1).email.as_deref(), Some("bob@x.com"));
    assert_eq!(world.person(2).email.as_deref(), Some("ana@x.com"));
    assert_eq!(world.open_alerts(), []);
    world.settles(swapped.clone());
    // Undone from the other alert, both are as they were.
    acts::undo(&world.store, seen.alerts[1].id, &world.hand()).unwrap();
    assert_eq!(world.people(), before);
    assert_eq!(world.run(swapped).kinds(), [AlertKind::EmailMismatch; 2]);
}

#[test]
fn r31_an_email_that_its_holder_is_to_give_up_waits_for_that() {
    let mut world = World::new();
    world.run([ana(), bob()]);
    let moved = [
        with_email(ana(), "bob@x.com"),
        with_email(bob(), "new@x.com"),
    ];
    let alerts = world.run(moved.clone()).alerts;
    let replace = |world: &World, id: AlertId| {
        acts::resolve(
            &world.store,
            id,
            &Resolution::ReplaceEmail,
            None,
            &world.hand(),
        )
    };
    let error = replace(&world, alerts[0].id).unwrap_err();
    let first = format!("resolve {} first", alerts[1].id);
    assert!(error.to_string().contains(&first), "{error}");
    replace(&world, alerts[1].id).unwrap();
    replace(&world, alerts[0].id).unwrap();
    world.settles(moved);
}

/// R21, R22: both say when the lease begins that the person has, whoever wrote the link.
#[test]
fn r31_a_link_made_by_hand_is_the_one_that_the_next_run_would_make() {
    let renewal = |unreadable: &[Field]| Resident {
        lease_id: Some("lease-2".into()),
        lease_start: Some(date(2026, 12, 1)).filter(|_| unreadable.is_empty()),
        lease_end: Some(date(2027, 12, 31)),
        unreadable: unreadable.iter().copied().collect(),
        ..with_email(with_id(ana(), "t9"), "new@x.com")
    };
    for unreadable in [&[][..], &[Field::LeaseStart]] {
        let mut world = World::new();
        world.run([ana()]);
        let feed = [ana(), renewal(unreadable)];
        world.run(feed.clone());
        world
            .resolve(AlertKind::EmailMismatch, &Resolution::ReplaceEmail)
            .unwrap();
        let starts = |world: &World| {
            let links = world.links().into_iter();
            links
                .map(|(id, link)| (id, link.lease_start))
                .collect::<Vec<_>>()
        };
        let by_hand = starts(&world);
        world.settles(feed.clone());
        assert_eq!(starts(&world), by_hand);
        assert_eq!(world.stay(1).lease_start, day(1, 1));
        assert_eq!(world.stay(1).lease_end, Some(date(2027, 12, 31)));
    }
}

/// Everything that must hold of the store, whoever wrote it.
#[track_caller]
fn holds(world: &World) {
    let people = world.people();
    let emails: Vec<_> = people.iter().filter_map(|one| one.email.as_ref()).collect();
    assert_eq!(emails.iter().collect::<BTreeSet<_>>().len(), emails.len());
    for (resident, link) in world.links() {
        let person = people.iter().find(|one| one.id == link.person).unwrap();
        assert!(
            person.merged_into.is_none() && !person.withdrawn,
            "{resident} is tied to {}, who is nobody any more",
            person.id
        );
    }
    for person in people {
        let nobody = person.merged_into.is_some() || person.withdrawn;
        assert!(!nobody || person.email.is_none() && person.stays.is_empty());
    }
}

proptest! {
    #![proptest_config(searching(64))]

    #[test]
    fn whatever_is_done_by_hand_the_store_holds_and_the_next_runs_settle(
        mornings in prop::collection::vec(
            (
                prop::collection::vec((0usize..6, 0usize..3, 0usize..4, any::<bool>()), 1..7),
                prop::collection::vec((0usize..6, 0usize..8, any::<bool>()), 0..4),
            ),
            1..7,
        ),
    ) {
        let mut world = World::new();
        world.unguarded();
        for (people, acts_of_the_day) in mornings {
            let mut feed: BTreeMap<String, Resident> = BTreeMap::new();
            for (id, name, email, is_past) in people {
                let id = format!("t{id}");
                let one = resident(&id, ["Ana", "Bob", "Eve"][name], "Ortiz", &format!("e{email}@x.com"));
                feed.insert(id, if is_past { past(one) } else { one });
            }
            let feed: Vec<Resident> = feed.into_values().collect();
            let last_run = world.now + SignedDuration::from_hours(1);
            world.run(feed.clone());
            holds(&world);
            for (how, which, undone) in acts_of_the_day {
                let alerts = world.open_alerts();
                if alerts.is_empty() {
                    break;
                }
                let alert = &alerts[which % alerts.len()];
                let people: Vec<PersonId> = alert.sides.iter().filter_map(|side| side.person).collect();
                let resolution = match how {
                    0 => MERGE,
                    1 => Resolution::Merge { into: people.get(which % people.len().max(1)).copied() },
                    2 => Resolution::CreateSeparate,
                    3 => Resolution::ReplaceEmail,
                    4 => Resolution::NotDuplicate,
                    _ => {
                        let _ = acts::dismiss(&world.store, alert.id, &world.hand());
                        continue;
                    }
                };
                let (before, links) = (world.people(), world.links());
                match acts::resolve(&world.store, alert.id, &resolution, None, &world.hand()) {
                    Err(_) => prop_assert_eq!((world.people(), world.links()), (before, links)),
                    Ok(done) => {
                        holds(&world);
                        let changed: BTreeSet<PersonId> =
                            done.changes.iter().map(|change| change.person).collect();
                        for person in world.people() {
                            let was = before.iter().find(|one| one.id == person.id);
                            prop_assert!(was == Some(&person) || changed.contains(&person.id), "told");
                        }
                        if undone {
                            world.undo(&done).unwrap();
                            holds(&world);
                            let as_before: Vec<Person> = world.people().into_iter()
                                .filter(|one| !one.withdrawn || before.iter().any(|was| was.id == one.id))
                                .collect();
                            prop_assert_eq!(as_before, before);
                            prop_assert_eq!(world.links(), links);
                        } else {
                            // What an act leaves behind, the next run finds as it would have made it.
                            let seen = world.run(feed.clone());
                            holds(&world);
                            for change in &seen.changes {
                                let is_about_it = change.resident.as_ref() == Some(&alert.subject);
                                let is_theirs = changed.contains(&change.person);
                                // One that the last run did not see again is of an older feed.
                                let is_new = alert.last_seen >= last_run;
                                prop_assert!(
                                    !(is_theirs && is_about_it && is_new) || change.fields.is_empty(),
                                    "{resolution:?} of {alert:#?}\nis corrected: {change:#?}\n{feed:#?}"
                                );
                            }
                        }
                    }
                }
            }
            let mut outcome = Outcome::Committed;
            for _ in 0..5 {
                outcome = world.run(feed.clone()).report.outcome;
                holds(&world);
                if outcome == Outcome::Unchanged {
                    break;
                }
            }
            prop_assert_eq!(outcome, Outcome::Unchanged, "the feed is written again and again: {:#?}", feed);
        }
    }
}
