//! What somebody decided by hand, and what the next runs make of it (R31).

use super::*;
use crate::acts::{self, ActError};
use crate::model::{Field, Resolution};

/// A9. A locked person's alert is resolved with `replace-email`: locks hold there, too.
#[test]
fn r31_replace_email_leaves_locked_fields_alone() {
    let mut world = World::new();
    world.is_ordinary([ana()]);
    let before = world.stay(1);
    world.edit(1, |person| {
        person.locks.extend([Field::Unit, Field::LeaseEnd]);
    });
    let feed = [Resident {
        unit: unit("900"),
        lease_end: day(10, 31),
        lease_start: day(2, 1),
        ..with_email(ana(), "new@x.com")
    }];
    world.run(feed.clone());
    world
        .resolve(AlertKind::EmailMismatch, &Resolution::ReplaceEmail)
        .unwrap();
    assert_eq!(world.person(1).email.as_deref(), Some("new@x.com"));
    let stay = world.stay(1);
    assert_eq!(
        (&stay.unit, stay.lease_end),
        (&before.unit, before.lease_end)
    );
    assert_eq!(stay.lease_start, day(2, 1), "what is not locked is written");
    world.settles(feed);
}

/// A10. `replace-email`, then another feed of the same person runs, which still has the old email: the decision stays.
#[test]
fn r31_no_feed_whose_email_has_not_changed_undoes_a_decision_about_it() {
    let other = || with_id(ana(), "o1");
    let changed = || with_email(ana(), "new@x.com");
    let mut world = World::new();
    world.at(HOME).is_ordinary([ana()]);
    world.at(OTHER).is_ordinary([other()]);
    let seen = world.at(HOME).run([changed()]);
    assert_eq!(seen.kinds(), [AlertKind::EmailMismatch]);
    world
        .resolve(AlertKind::EmailMismatch, &Resolution::ReplaceEmail)
        .unwrap();
    for _ in 0..2 {
        let seen = world.at(OTHER).is_ordinary([other()]);
        assert_eq!(seen.changes, []);
        let seen = world.at(HOME).is_ordinary([changed()]);
        assert_eq!(seen.changes, []);
        assert_eq!(world.person(1).email.as_deref(), Some("new@x.com"));
    }
    // A change of other fields brings the old email back no more than nothing does.
    let moved = Resident {
        unit: unit("300"),
        ..other()
    };
    world.at(OTHER).is_ordinary([moved.clone()]);
    assert_eq!(world.stay(1).unit, unit("300"));
    assert_eq!(world.person(1).email.as_deref(), Some("new@x.com"));

    // A third one in the feed that was linked later is its own affair (R13b).
    let third = with_email(moved, "third@x.com");
    world.at(OTHER).is_ordinary([third]);
    assert_eq!(world.person(1).email.as_deref(), Some("new@x.com"));
}

/// A10. The feed that was linked first comes back with the email that it always had: that decides nothing either.
#[test]
fn r31_a_feed_that_comes_back_with_its_old_email_undoes_no_decision() {
    let other = |email: &str| with_email(with_id(ana(), "o1"), email);
    let mut world = World::new();
    world.at(HOME).is_ordinary([ana()]);
    world.at(OTHER).is_ordinary([other("ana@x.com")]);
    world.at(HOME).is_ordinary([past(ana())]);
    let seen = world.at(OTHER).run([other("new@x.com")]);
    assert_eq!(seen.kinds(), [AlertKind::EmailMismatch]);
    world
        .resolve(AlertKind::EmailMismatch, &Resolution::ReplaceEmail)
        .unwrap();
    for feed in [past(ana()), ana()] {
        world.at(HOME).is_ordinary([feed]);
        assert_eq!(world.person(1).email.as_deref(), Some("new@x.com"));
        world.at(OTHER).is_ordinary([other("new@x.com")]);
        assert_eq!(world.person(1).email.as_deref(), Some("new@x.com"));
    }
}

/// Ana has left; her mailbox was handed on, and somebody new has it.
fn handed_on() -> (World, [Resident; 2]) {
    let mut world = World::new();
    world.is_ordinary([ana()]);
    world.is_ordinary([past(ana())]);
    let new = Resident {
        unit: unit("109"),
        ..resident("t9", "Zoe", "Quill", "ana@x.com")
    };
    let feed = [past(ana()), new];
    let seen = world.run(feed.clone());
    assert_eq!(seen.kinds(), [AlertKind::NameMismatch]);
    (world, feed)
}

/// A11. A former resident's email is handed on to a newcomer, who becomes a person of their own.
#[test]
fn r31_create_separate_frees_the_email_of_a_person_who_is_past() {
    let (mut world, feed) = handed_on();
    let ana = world.person(1);
    world
        .resolve(AlertKind::NameMismatch, &Resolution::CreateSeparate)
        .unwrap();
    let zoe = world.with_the_email("ana@x.com");
    assert_ne!(zoe.id, PersonId(1));
    assert_eq!((&*zoe.first_name, &*zoe.last_name), ("Zoe", "Quill"));
    assert_eq!(world.links()["t9"].person, zoe.id);
    let after = world.person(1);
    assert_eq!(after.email, None);
    assert_eq!(
        (&after.first_name, &after.stays),
        (&ana.first_name, &ana.stays)
    );
    world.settles(feed.clone());
    assert_eq!(world.open_alerts(), []);
    assert_eq!(world.person(1).email, None);
    // The window of past people closes; nothing happens to either.
    let [_, new] = feed;
    world.settles([new]);
}

/// A11. Of somebody who lives here the address is not taken.
#[test]
fn r31_create_separate_takes_no_email_from_somebody_who_is_not_past() {
    let mut world = World::new();
    world.is_ordinary([ana()]);
    let new = Resident {
        unit: unit("109"),
        ..resident("t9", "Zoe", "Quill", "ana@x.com")
    };
    let feed = [new];
    let seen = world.run(feed);
    assert_eq!(seen.kinds(), [AlertKind::NameMismatch]);
    let before = world.people();
    let refused = world.resolve(AlertKind::NameMismatch, &Resolution::CreateSeparate);
    assert!(
        matches!(refused, Err(ActError::Refused(_) | ActError::Invalid(_))),
        "{refused:?}"
    );
    assert_eq!(world.people(), before);
}

/// A11. It can be undone, and done again.
#[test]
fn r31_create_separate_of_a_handed_on_email_can_be_undone() {
    let (mut world, feed) = handed_on();
    let before = world.person(1);
    let done = world
        .resolve(AlertKind::NameMismatch, &Resolution::CreateSeparate)
        .unwrap();
    acts::undo(&world.store, done.alert.unwrap(), &world.hand()).unwrap();
    assert_eq!(world.person(1), before);
    assert_eq!(world.run(feed).kinds(), [AlertKind::NameMismatch]);
}
