//! Copies of the store, and copies in its place.

use super::*;
use crate::store::{CopyError, inspect, restore};

pub(super) fn store_of(folder: &std::path::Path, people: u64) -> Store {
    let store = Store::open(folder).unwrap();
    let write = store.write().unwrap();
    for _ in 0..people {
        let id = write.new_person_id().unwrap();
        let email = format!("p{}@x.com", id.0);
        write.put_person(&person(id.0, Some(&email))).unwrap();
    }
    write.commit().unwrap();
    store
}

pub(super) fn now() -> Timestamp {
    "2026-03-01T10:00:00Z".parse().unwrap()
}

#[test]
fn a_copy_is_the_store_as_it_was_when_it_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_of(&folder.path().join("a"), 300);
    let dump = store.read().unwrap().dump().unwrap();
    let view = store.read().unwrap();
    let write = store.write().unwrap();
    let id = write.new_person_id().unwrap();
    write.put_person(&person(id.0, None)).unwrap();
    write.commit().unwrap();
    let copy = folder.path().join("copy");
    drop(view);
    store.copy_to(&copy).unwrap();
    assert_eq!(inspect(&copy).unwrap().entries["people-1"], 301);
    let other = folder.path().join("b");
    let restored = restore(&copy, &other, now()).unwrap();
    assert_eq!(restored.kept, None);
    // Which store it is, and what numbers go on from, is not copied.
    let all = |store: &Store| {
        let mut all = store.read().unwrap().dump().unwrap();
        all.retain(|(table, _), _| table != "meta-1");
        all
    };
    let of_copy = all(&Store::open(&other).unwrap());
    assert_ne!(of_copy.len(), dump.len());
    assert_eq!(of_copy, all(&store));
    let mode = std::fs::metadata(other.join("epms.redb"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn the_store_before_is_kept_and_nothing_else_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("a"), folder.path().join("b"));
    let copy = folder.path().join("copy");
    store_of(&there, 2).copy_to(&copy).unwrap();
    drop(store_of(&here, 5));
    let kept = restore(&copy, &here, now()).unwrap().kept.unwrap();
    assert_eq!(kept, here.join("epms.redb.before-20260301T100000Z"));
    assert_eq!(inspect(&kept).unwrap().entries["people-1"], 5);
    assert_eq!(
        Store::open(&here)
            .unwrap()
            .read()
            .unwrap()
            .count_people()
            .unwrap(),
        2
    );
    let files = std::fs::read_dir(&here).unwrap().count();
    assert_eq!(files, 3, "the store, its mark, and the store before");
    // One that is kept already is not overwritten.
    let again = restore(&copy, &here, now()).unwrap().kept.unwrap();
    assert_eq!(again, here.join("epms.redb.before-20260301T100000Z-2"));
    assert_eq!(inspect(&kept).unwrap().entries["people-1"], 5);
}

#[test]
fn a_store_in_use_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (here, copy) = (folder.path().join("a"), folder.path().join("copy"));
    let store = store_of(&here, 5);
    store.copy_to(&copy).unwrap();
    let error = restore(&copy, &here, now()).unwrap_err();
    assert!(
        matches!(error, CopyError::Open(OpenError::InUse(_))),
        "{error}"
    );
    assert_eq!(store.read().unwrap().count_people().unwrap(), 5);
}

#[test]
fn a_store_that_cannot_be_read_is_what_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (here, copy) = (folder.path().join("a"), folder.path().join("copy"));
    store_of(&folder.path().join("b"), 5)
        .copy_to(&copy)
        .unwrap();
    std::fs::create_dir(&here).unwrap();
    std::fs::write(here.join("epms.redb"), "rubble").unwrap();
    let kept = restore(&copy, &here, now()).unwrap().kept.unwrap();
    assert_eq!(std::fs::read(kept).unwrap(), b"rubble");
    assert_eq!(
        Store::open(&here)
            .unwrap()
            .read()
            .unwrap()
            .count_people()
            .unwrap(),
        5
    );
}

#[test]
fn what_is_no_copy_of_a_store_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().join("a");
    let before = store_of(&here, 5).read().unwrap().dump().unwrap();
    let file = folder.path().join("file");
    let refused = |text: &str| {
        let error = restore(&file, &here, now()).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
        assert!(error.contains(file.to_str().unwrap()), "{error}");
    };
    refused("No such file");
    std::fs::write(&file, "").unwrap();
    refused("is empty, which no store ever is");
    std::fs::write(&file, vec![7; 100_000]).unwrap();
    refused("is no readable store");
    std::fs::remove_file(&file).unwrap();
    drop(redb::Database::create(&file).unwrap());
    refused("is no store of epms");

    let other = folder.path().join("b");
    let store = store_of(&other, 5);
    let write = store.write().unwrap();
    write
        .transaction
        .open_table(crate::store::tables::PEOPLE)
        .unwrap()
        .remove(3)
        .unwrap();
    write.commit().unwrap();
    std::fs::remove_file(&file).unwrap();
    store.copy_to(&file).unwrap();
    refused("is not sound: 2 flaws in it, the first: people-by-email-1");
    let write = store.write().unwrap();
    write.put_schema(99).unwrap();
    write.commit().unwrap();
    std::fs::remove_file(&file).unwrap();
    store.copy_to(&file).unwrap();
    refused("has schema 99, and this epms knows 17");
    let store = Store::open(&here).unwrap();
    assert!(store.read().unwrap().dump().unwrap() == before);
    assert_eq!(std::fs::read_dir(&here).unwrap().count(), 2);
}

#[test]
fn a_copy_with_other_bytes_in_it_is_refused_or_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    store_of(&folder.path().join("a"), 40)
        .copy_to(&copy)
        .unwrap();
    let (whole, expected) = (std::fs::read(&copy).unwrap(), inspect(&copy).unwrap());
    let mut random = fastrand::Rng::with_seed(5);
    let mut refused = 0;
    for round in 0..150 {
        let mut bytes = whole.clone();
        for _ in 0..random.usize(1..4) {
            let length = bytes.len();
            match round % 3 {
                0 => bytes[random.usize(..length)] ^= 1 << random.u8(..8),
                // The head says where everything is.
                1 => bytes[random.usize(..320)] = random.u8(..),
                _ => bytes.truncate(random.usize(length / 2..length)),
            }
        }
        std::fs::write(&copy, bytes).unwrap();
        match inspect(&copy) {
            Ok(found) => assert_eq!(found, expected, "round {round}"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn compacting_gives_back_room_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_of(folder.path(), 3000);
    let write = store.write().unwrap();
    for id in 1..=3000 {
        let email = format!("other{id}@x.com");
        write.put_person(&person(id, Some(&email))).unwrap();
    }
    write.commit().unwrap();
    let dump = store.read().unwrap().dump().unwrap();
    let (before, after) = store.compact().unwrap();
    assert!(after < before, "{before} {after}");
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.read().unwrap().dump().unwrap(), dump);
}
