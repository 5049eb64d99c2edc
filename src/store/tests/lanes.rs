//! What is known of people at targets, kept and found again, also in stores of earlier versions and in copies.

use redb::{TableDefinition, TableHandle};
use serde::Deserialize;

use super::copies::{now, store_of};
use super::*;
use crate::model::TargetId;
use crate::store::{restore, tables};

/// As whoever delivers might keep it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Lane {
    files: u128,
    grants: BTreeMap<String, Option<Timestamp>>,
}

fn lane(files: u128) -> Lane {
    Lane {
        files,
        grants: BTreeMap::from([("12B-key".to_owned(), Some(now()))]),
    }
}

fn doors() -> TargetId {
    TargetId::new("acme-door")
}

/// Puts lanes of these people at a target.
fn put(store: &Store, target: &TargetId, people: &[u64]) {
    let write = store.write().unwrap();
    for person in people {
        let lane = lane(u128::MAX - u128::from(*person));
        write.put_lane(target, PersonId(*person), &lane).unwrap();
    }
    write.commit().unwrap();
}

fn people_of(store: &Store, target: &TargetId, after: Option<u64>, limit: usize) -> Vec<u64> {
    let view = store.read().unwrap();
    let lanes = view.lanes::<Lane>(target, after.map(PersonId), limit);
    lanes.unwrap().iter().map(|(person, _)| person.0).collect()
}

#[test]
fn a_lane_is_kept_until_it_is_forgotten_and_no_other_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_of(folder.path(), 3);
    put(&store, &doors(), &[1, 2]);
    let other = TargetId::new("acme-door-2");
    put(&store, &other, &[2]);
    let write = store.write().unwrap();
    assert_eq!(
        write.lane(&doors(), PersonId(2)).unwrap(),
        Some(lane(u128::MAX - 2))
    );
    write.put_lane(&doors(), PersonId(2), &lane(7)).unwrap();
    write.forget_lane(&doors(), PersonId(1)).unwrap();
    write.forget_lane(&doors(), PersonId(3)).unwrap();
    write.commit().unwrap();
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    let view = store.read().unwrap();
    assert_eq!(view.lane::<Lane>(&doors(), PersonId(1)).unwrap(), None);
    assert_eq!(view.lane(&doors(), PersonId(2)).unwrap(), Some(lane(7)));
    let others = view.lane(&other, PersonId(2)).unwrap();
    assert_eq!(others, Some(lane(u128::MAX - 2)));
}

#[test]
fn lanes_are_read_by_person_a_page_at_a_time_and_those_of_one_target_alone() {
    let store = Store::in_memory().unwrap();
    put(&store, &doors(), &[1, 2, 9, 10, u64::MAX]);
    for beside in ["acme-doo", "acme-door-2", "acme-doors"] {
        put(&store, &TargetId::new(beside), &[0, 5]);
    }
    let of = |after, limit| people_of(&store, &doors(), after, limit);
    assert_eq!(of(None, 3), [1, 2, 9]);
    assert_eq!(of(Some(9), 3), [10, u64::MAX]);
    assert_eq!(of(Some(u64::MAX), 3), [0; 0]);
    assert_eq!(people_of(&store, &TargetId::new("none"), None, 9), [0; 0]);
}

#[test]
fn what_is_known_of_a_target_is_there_without_its_file() {
    let store = Store::in_memory().unwrap();
    let bell = TargetId::new("bell-door");
    let write = store.write().unwrap();
    assert_eq!(write.target_state::<u64>(&doors()).unwrap(), None);
    write.put_target_state(&doors(), &1_u64).unwrap();
    write.put_target_state(&bell, &"waiting").unwrap();
    write.put_target_state(&doors(), &2_u64).unwrap();
    assert_eq!(write.target_state(&doors()).unwrap(), Some(2_u64));
    write.commit().unwrap();
    let view = store.read().unwrap();
    assert_eq!(view.targets_known().unwrap(), [doors(), bell.clone()]);
    assert_eq!(view.target_state(&doors()).unwrap(), Some(2_u64));
    let told = view.target_state::<u64>(&bell).unwrap_err().to_string();
    assert!(
        told.contains("targets-1") && !told.contains("waiting"),
        "{told}"
    );
}

#[test]
fn a_transaction_that_is_dropped_leaves_lanes_as_they_were() {
    let store = Store::in_memory().unwrap();
    put(&store, &doors(), &[1]);
    let write = store.write().unwrap();
    write.forget_lane(&doors(), PersonId(1)).unwrap();
    write.put_lane(&doors(), PersonId(2), &lane(2)).unwrap();
    drop(write);
    assert_eq!(people_of(&store, &doors(), None, 9), [1]);
}

#[test]
fn whoever_becomes_another_person_leaves_their_lane_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_of(folder.path(), 2);
    put(&store, &doors(), &[1, 2]);
    let write = store.write().unwrap();
    let merged = Person {
        email: None,
        merged_into: Some(PersonId(1)),
        ..write.person(PersonId(2)).unwrap().unwrap()
    };
    write.put_person(&merged).unwrap();
    write.commit().unwrap();
    assert_eq!(people_of(&store, &doors(), None, 9), [1, 2]);
    let found = store.read().unwrap().verify().unwrap();
    assert_eq!(found.flaws, []);
}

#[test]
fn lanes_are_in_copies_in_what_is_restored_and_in_what_is_compacted() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("a"), folder.path().join("b"));
    let store = store_of(&here, 2);
    put(&store, &doors(), &[1, 2]);
    let write = store.write().unwrap();
    write.put_target_state(&doors(), &5_u64).unwrap();
    write.commit().unwrap();
    let copy = folder.path().join("copy");
    store.copy_to(&copy).unwrap();
    store.compact().unwrap();
    let restored = restore(&copy, &there, now()).unwrap();
    assert_eq!(restored.found.entries["lanes-1"], 2);
    for folder in [here, there] {
        let store = Store::open(&folder).unwrap();
        assert_eq!(people_of(&store, &doors(), None, 9), [1, 2]);
        let state = store.read().unwrap().target_state(&doors());
        assert_eq!(state.unwrap(), Some(5_u64));
    }
}

#[test]
fn migration_013_makes_room_for_lanes_in_a_store_that_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_of(folder.path(), 3);
    let write = store.write().unwrap();
    let tables = &write.transaction;
    assert!(tables.delete_table(tables::LANES).unwrap());
    assert!(tables.delete_table(tables::TARGETS).unwrap());
    write.put_schema(13).unwrap();
    write.commit().unwrap();
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(people_of(&store, &doors(), None, 9), [0; 0]);
    let view = store.read().unwrap();
    assert_eq!(view.targets_known().unwrap(), []);
    assert_eq!(view.verify().unwrap().flaws, []);
    put(&store, &doors(), &[3]);
    assert_eq!(people_of(&store, &doors(), None, 9), [3]);
}

/// What verify says of a store with a lane, once something else was put into a table.
fn told<K: redb::Key + 'static>(
    table: TableDefinition<'static, K, &'static [u8]>,
    key: K::SelfType<'_>,
    value: &[u8],
) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let store = store_of(folder.path(), 1);
    put(&store, &doors(), &[1]);
    let write = store.write().unwrap();
    let mut opened = write.transaction.open_table(table).unwrap();
    opened.insert(key, value).unwrap();
    drop(opened);
    write.commit().unwrap();
    let found = store.read().unwrap().verify().unwrap();
    assert!(found.entries[table.name()] > 0);
    let flaws = found.flaws.iter();
    flaws
        .map(|flaw| format!("{}: {}", flaw.table, flaw.what))
        .collect()
}

#[test]
fn a_lane_of_somebody_who_is_not_there_is_a_flaw() {
    assert_eq!(
        told(tables::LANES, ("acme-door", 4), b"\x01{}"),
        ["lanes-1: there is a lane of p4 at acme-door, who is not there"]
    );
}

#[test]
fn what_cannot_be_read_of_a_target_is_told_without_what_it_says() {
    assert_eq!(
        told(tables::LANES, ("acme-door", 1), b"\x01{\"ana"),
        [
            "lanes-1: the store holds something unreadable in lanes-1: JSON that does not fit, column 5; run a backup's restore"
        ]
    );
    assert_eq!(
        told(tables::TARGETS, "acme-door", b"\x07{}"),
        [
            "targets-1: the store holds something unreadable in targets-1: a value of form 7, which this epms does not know there; run a backup's restore"
        ]
    );
}
