//! Erasing in the store alone: the tombstones beside it, and copies of it and of others in its place.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::model::{ActId, Actor};
use crate::store::tombstones::TOMBSTONES;

fn now() -> Timestamp {
    "2026-03-01T10:00:00Z".parse().unwrap()
}

pub(super) fn erase(store: &Store, id: u64) {
    let write = store.write().unwrap();
    let why = Why {
        by: Actor::User(1000),
        at: now(),
        rule: "erase".into(),
        act: ActId(1),
        reason: None,
    };
    write.erase(&BTreeSet::from([PersonId(id)]), &why).unwrap();
    write.commit().unwrap();
}

/// A store with Ana, who came to be then.
fn ana(folder: &Path, created: Timestamp) -> Store {
    let store = Store::open(folder).unwrap();
    let write = store.write().unwrap();
    let id = write.new_person_id().unwrap();
    let ana = Person {
        created,
        ..person(id.0, Some("ana@x.com"))
    };
    write.put_person(&ana).unwrap();
    write.commit().unwrap();
    store
}

fn is_erased(folder: &Path) -> bool {
    let store = Store::open(folder).unwrap();
    let person = store.read().unwrap().person(PersonId(1)).unwrap();
    person.unwrap().erased
}

#[test]
fn a_copy_of_another_store_is_erased_of_whoever_was_there_before_and_not_of_who_came_after() {
    let folder = tempfile::tempdir().unwrap();
    for (name, created, erased) in [
        ("before", Timestamp::UNIX_EPOCH, true),
        ("after", "2026-04-01T10:00:00Z".parse().unwrap(), false),
    ] {
        let here = folder.path().join(name);
        erase(&ana(&here, Timestamp::UNIX_EPOCH), 1);
        let copy = folder.path().join(format!("{name}.redb"));
        let other = folder.path().join(format!("other-{name}"));
        ana(&other, created).copy_to(&copy).unwrap();
        let restored = restore(&copy, &here, now()).unwrap();
        assert_eq!(is_erased(&here), erased, "{name}: {:?}", restored.notes);
    }
}

#[test]
fn a_store_whose_tombstones_are_gone_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = ana(folder.path(), Timestamp::UNIX_EPOCH);
    erase(&store, 1);
    drop(store);
    let notes = || Store::open(folder.path()).unwrap().notes().to_vec();
    assert_eq!(notes(), [""; 0]);
    std::fs::remove_file(folder.path().join(TOMBSTONES)).unwrap();
    assert!(notes()[0].contains("epms.erased is gone"), "{:?}", notes());
}

#[test]
fn what_is_dropped_before_its_commit_erased_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let store = ana(folder.path(), Timestamp::UNIX_EPOCH);
    let write = store.write().unwrap();
    let why = Why {
        by: Actor::Sync,
        at: now(),
        rule: "erase".into(),
        act: ActId(1),
        reason: Some("Ana Straße".into()),
    };
    let erased = write.erase(&BTreeSet::from([PersonId(1)]), &why).unwrap();
    assert_eq!(erased.reason.as_deref(), Some("(erased)"));
    assert!(!write.tombstones().is_empty());
    drop(write);
    assert!(store.tombstones().is_empty());
    assert!(!folder.path().join(TOMBSTONES).exists());
    drop(store);
    assert!(!is_erased(folder.path()));
}
