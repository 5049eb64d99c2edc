//! The store alone: opening, transactions, indexes; copies of it; and flaws, each told.

mod copies;
mod erased;
mod flaws;
mod forms;
mod lanes;
mod lost;
mod query;

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::model::{Cause, IntegrationId, Origin, Outcome, Person, PersonId, Run};

fn person(id: u64, email: Option<&str>) -> Person {
    Person {
        id: PersonId(id),
        first_name: "Ana".into(),
        last_name: "Straße".into(),
        email: email.map(String::from),
        phone: None,
        stays: BTreeMap::new(),
        locks: std::collections::BTreeSet::default(),
        pinned: false,
        merged_into: None,
        withdrawn: false,
        erased: false,
        origin: Origin::Sync,
        created: Timestamp::UNIX_EPOCH,
    }
}

#[test]
fn an_email_belongs_to_one_person() {
    let store = Store::in_memory().unwrap();
    let write = store.write().unwrap();
    write.put_person(&person(1, Some("a@x.com"))).unwrap();
    assert!(write.put_person(&person(2, Some("a@x.com"))).is_err());
    drop(write);
    let write = store.write().unwrap();
    write.put_person(&person(1, Some("a@x.com"))).unwrap();
    write.put_person(&person(1, Some("b@x.com"))).unwrap();
    write.put_person(&person(2, Some("a@x.com"))).unwrap();
    assert_eq!(
        write.person_with_email("a@x.com").unwrap(),
        Some(PersonId(2))
    );
    assert_eq!(
        write.person_with_email("b@x.com").unwrap(),
        Some(PersonId(1))
    );
}

#[test]
fn a_transaction_that_is_dropped_never_happened() {
    let store = Store::in_memory().unwrap();
    let write = store.write().unwrap();
    write.put_person(&person(1, None)).unwrap();
    drop(write);
    assert_eq!(store.read().unwrap().count_people().unwrap(), 0);
}

#[test]
fn numbers_are_given_once_and_not_by_a_transaction_that_was_dropped() {
    let store = Store::in_memory().unwrap();
    assert_eq!(store.write().unwrap().new_person_id().unwrap(), PersonId(1));
    let write = store.write().unwrap();
    assert_eq!(write.new_person_id().unwrap(), PersonId(1));
    assert_eq!(write.new_person_id().unwrap(), PersonId(2));
    write.commit().unwrap();
    assert_eq!(store.write().unwrap().new_person_id().unwrap(), PersonId(3));
}

#[test]
fn a_refresh_token_is_there_after_a_restart_and_the_last_one_counts() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let store = Store::open(&state).unwrap();
    assert_eq!(store.read().unwrap().refresh_token("acme").unwrap(), None);
    for (own, token) in [([1; 32], "first"), ([1; 32], "second"), ([2; 32], "third")] {
        let write = store.write().unwrap();
        write.put_refresh_token("acme", own, token).unwrap();
        write.commit().unwrap();
    }
    drop(store);
    let store = Store::open(&state).unwrap();
    let view = store.read().unwrap();
    let kept = view.refresh_token("acme").unwrap();
    assert_eq!(kept, Some(([2; 32], "third".to_owned())));
    assert_eq!(view.refresh_token("other").unwrap(), None);
}

#[test]
fn a_run_under_way_when_the_process_ended_is_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let store = Store::open(&state).unwrap();
    let write = store.write().unwrap();
    let id = IntegrationId::new("i");
    let run = Run::begun(RunId(1), id, Cause::Manual, 1, Timestamp::UNIX_EPOCH);
    write.put_run(&run).unwrap();
    let history = History {
        last_run: Some(RunId(1)),
        ..History::default()
    };
    write.put_history(&run.integration, &history).unwrap();
    write.commit().unwrap();
    drop(store);
    let store = Store::open(&state).unwrap();
    assert_eq!(
        store
            .read()
            .unwrap()
            .run(RunId(1))
            .unwrap()
            .unwrap()
            .outcome,
        Outcome::Interrupted
    );
    assert_eq!(
        std::fs::metadata(&state).unwrap().permissions().mode() & 0o777,
        0o700
    );
    let file = std::fs::metadata(state.join("epms.redb")).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_store_is_opened_once_and_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert!(matches!(
        Store::open(folder.path()),
        Err(OpenError::InUse(_))
    ));
    let write = store.write().unwrap();
    write.put_schema(99).unwrap();
    write.commit().unwrap();
    drop(store);
    let error = Store::open(folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("has schema 99, and this epms knows 17; start the newer epms"),
        "{error}"
    );
    let other = tempfile::tempdir().unwrap();
    std::fs::write(
        other.path().join("epms.redb"),
        "no store at all, but something",
    )
    .unwrap();
    assert!(matches!(
        Store::open(other.path()),
        Err(OpenError::Damaged { .. })
    ));
    assert_eq!(
        std::fs::read(other.path().join("epms.redb")).unwrap(),
        b"no store at all, but something"
    );
}

/// C3.
#[test]
fn a_file_of_no_bytes_is_not_taken_for_a_new_store_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("epms.redb");
    drop(Store::open(folder.path()).unwrap());
    assert!(std::fs::metadata(&path).unwrap().len() > 0);
    let files = || std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files(), 2, "the store and its mark");
    std::fs::write(&path, "").unwrap();
    for open in [Store::open, Store::open_thoroughly] {
        let error = open(folder.path()).unwrap_err();
        assert!(matches!(error, OpenError::Empty(_)), "{error}");
        assert!(error.to_string().contains("epms restore FILE"), "{error}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), b"");
    assert_eq!(files(), 2);
    Store::anew(folder.path(), Timestamp::UNIX_EPOCH).unwrap();
    Store::open(folder.path()).unwrap();
}
