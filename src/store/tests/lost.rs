//! A store that knows itself (R47): lost, replaced, restored, begun anew; no number is given twice.

use std::collections::BTreeSet;
use std::path::Path;

use super::copies::{now, store_of};
use super::forms::change_of;
use super::*;
use crate::model::IntegrationId;
use crate::store::History;
use crate::store::mark::{MARK, Mark};
use crate::store::open::FILE;
use crate::store::{inspect, restore};

/// The numbers that the store in `folder` gives next, each once, as they are asked for.
fn next_person(folder: &Path) -> u64 {
    let store = Store::open(folder).unwrap();
    store.write().unwrap().new_person_id().unwrap().0
}

fn identity(folder: &Path) -> crate::model::StoreIdentity {
    let store = Store::open(folder).unwrap();
    store.read().unwrap().identity().unwrap()
}

fn add(store: &Store) -> u64 {
    let write = store.write().unwrap();
    let id = write.new_person_id().unwrap();
    write.put_person(&person(id.0, None)).unwrap();
    write.commit().unwrap();
    id.0
}

#[test]
fn r47_a_store_that_is_gone_is_not_taken_for_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    drop(store_of(folder.path(), 5));
    std::fs::remove_file(folder.path().join(FILE)).unwrap();
    for _ in 0..2 {
        let error = Store::open(folder.path()).unwrap_err();
        assert!(matches!(error, OpenError::Lost(_)), "{error}");
        let error = Store::open_thoroughly(folder.path()).unwrap_err();
        assert!(matches!(error, OpenError::Lost(_)), "{error}");
    }
    assert!(!folder.path().join(FILE).exists());
}

#[test]
fn r47_a_new_beginning_gives_no_number_twice() {
    let folder = tempfile::tempdir().unwrap();
    drop(store_of(folder.path(), 5));
    let before = identity(folder.path());
    std::fs::write(folder.path().join(FILE), b"").unwrap();
    let (store, kept) = Store::anew(folder.path(), now()).unwrap();
    assert_eq!(std::fs::metadata(kept.unwrap()).unwrap().len(), 0);
    assert_eq!(store.read().unwrap().count_people().unwrap(), 0);
    assert!(add(&store) > 5);
    drop(store);
    assert_eq!(identity(folder.path()), before.renewed());
    // A store is never replaced by a new one.
    let error = Store::anew(folder.path(), now()).unwrap_err();
    assert!(matches!(error, OpenError::NotLost(_)), "{error}");
    assert_eq!(
        inspect(&folder.path().join(FILE)).unwrap().entries["people-1"],
        1
    );
}

/// C2.
#[test]
fn r47_a_restore_begins_an_epoch_and_gives_no_number_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (here, copy) = (folder.path().join("a"), folder.path().join("copy"));
    let store = store_of(&here, 5);
    store.copy_to(&copy).unwrap();
    let given = (0..7).map(|_| add(&store)).max().unwrap();
    drop(store);
    let before = identity(&here);
    let restored = restore(&copy, &here, now()).unwrap();
    assert_eq!(
        (restored.notes, restored.identity.clone()),
        (Vec::new(), before.renewed())
    );
    assert_eq!(identity(&here), restored.identity);
    assert!(next_person(&here) > given);
    // Again, also where the store is lost: what tells the numbers is the mark.
    std::fs::remove_file(here.join(FILE)).unwrap();
    let given = next_person_after(&copy, &here);
    assert!(given > 12);
    assert_eq!(identity(&here).epoch, 3);
}

#[test]
fn r47_two_restores_with_nothing_between_them_leave_a_sound_store() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().join("a");
    let mut store = store_of(&here, 2);
    for name in ["one", "two", "three"] {
        let copy = folder.path().join(name);
        store.copy_to(&copy).unwrap();
        drop(store);
        restore(&copy, &here, now()).unwrap();
        store = Store::open(&here).unwrap();
    }
    let write = store.write().unwrap();
    let mut changes = [change_of(crate::model::ChangeKind::Updated)];
    write.append_changes(&mut changes).unwrap();
    write.commit().unwrap();
    let found = store.read().unwrap().verify().unwrap();
    assert!(found.flaws.is_empty(), "{:?}", found.flaws);
}

#[test]
fn after_a_restore_each_integration_is_outdated_until_it_is_read_whatever_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let (here, copy) = (folder.path().join("a"), folder.path().join("copy"));
    let store = store_of(&here, 1);
    let [elm, oak, ash] = ["elm", "oak", "ash"].map(IntegrationId::new);
    let write = store.write().unwrap();
    for id in [&elm, &oak] {
        write.put_history(id, &History::default()).unwrap();
    }
    write.commit().unwrap();
    assert!(store.read().unwrap().outdated().unwrap().is_empty());
    store.copy_to(&copy).unwrap();
    drop(store);
    restore(&copy, &here, now()).unwrap();
    let store = Store::open(&here).unwrap();
    let both = BTreeSet::from([elm.clone(), oak.clone()]);
    assert_eq!(store.read().unwrap().outdated().unwrap(), both);
    let write = store.write().unwrap();
    write.put_up_to_date(&elm).unwrap();
    write.give_outdated(&elm, &ash).unwrap();
    write.give_outdated(&oak, &ash).unwrap();
    write.commit().unwrap();
    let left = BTreeSet::from([ash]);
    assert_eq!(store.read().unwrap().outdated().unwrap(), left);
}

#[test]
fn an_unfinished_copy_of_a_process_that_was_killed_goes_with_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    drop(store_of(folder.path(), 1));
    let left = folder.path().join(".epms-Abc123");
    std::fs::copy(folder.path().join(FILE), &left).unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert!(!left.exists());
    assert_eq!(
        store.notes(),
        ["an unfinished copy of the store was removed"]
    );
}

#[test]
fn a_restore_says_that_the_erased_are_back_where_what_knows_them_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (here, copy) = (folder.path().join("a"), folder.path().join("copy"));
    let store = store_of(&here, 2);
    store.copy_to(&copy).unwrap();
    super::erased::erase(&store, 1);
    drop(store);
    std::fs::remove_file(here.join("epms.erased")).unwrap();
    let notes = restore(&copy, &here, now()).unwrap().notes;
    assert!(
        notes.iter().any(|note| note.contains("is back")),
        "{notes:?}"
    );
}

fn next_person_after(copy: &Path, here: &Path) -> u64 {
    assert!(restore(copy, here, now()).unwrap().notes.is_empty());
    next_person(here)
}

#[test]
fn r47_what_is_given_ahead_is_enough_however_many_are_given_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (here, copy) = (folder.path().join("a"), folder.path().join("copy"));
    let store = store_of(&here, 1);
    store.copy_to(&copy).unwrap();
    let write = store.write().unwrap();
    for _ in 0..5_000 {
        write.new_person_id().unwrap();
    }
    write.commit().unwrap();
    drop(store);
    // The power goes: nothing that need not last did.
    let mark = Mark::read(&here).unwrap().unwrap();
    let torn = Mark {
        seen: Mark::default().seen,
        ..mark
    };
    torn.write(&here).unwrap();
    restore(&copy, &here, now()).unwrap();
    assert!(next_person(&here) > 5_001);
}

/// C2.
#[test]
fn r47_without_a_mark_numbers_go_on_far_beyond_the_backup_and_that_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("a"), folder.path().join("b"));
    let copy = folder.path().join("copy");
    store_of(&here, 5).copy_to(&copy).unwrap();
    let restored = restore(&copy, &there, now()).unwrap();
    assert!(
        restored.notes[0].contains("10000000 higher"),
        "{:?}",
        restored.notes
    );
    assert_eq!(next_person(&there), 10_000_006);
    // An earlier version's store has no mark, and says itself how far it went.
    drop(store_of(&folder.path().join("c"), 9));
    let there = folder.path().join("c");
    std::fs::remove_file(there.join(MARK)).unwrap();
    assert!(restore(&copy, &there, now()).unwrap().notes.is_empty());
    assert_eq!(next_person(&there), 10);
}

#[test]
fn r47_an_earlier_copy_or_another_store_put_there_by_hand_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("a"), folder.path().join("b"));
    let copy = folder.path().join("copy");
    let store = store_of(&here, 5);
    store.copy_to(&copy).unwrap();
    // One that went no further is the store itself, at whatever place it lies.
    drop(store);
    std::fs::copy(&copy, here.join(FILE)).unwrap();
    let store = Store::open(&here).unwrap();
    add(&store);
    drop(store);
    drop(store_of(&there, 50));
    for wrong in [&copy, &there.join(FILE)] {
        std::fs::copy(wrong, here.join(FILE)).unwrap();
        for _ in 0..2 {
            let error = Store::open(&here).unwrap_err();
            assert!(matches!(error, OpenError::Replaced { .. }), "{error}");
        }
        // The way that the error names.
        let asked = here.join(FILE);
        let moved = restore(&asked, &here, now()).unwrap();
        assert!(next_person(&here) > 6);
        std::fs::remove_file(moved.kept.unwrap()).unwrap();
    }
}

#[test]
fn r47_a_store_of_today_gets_its_mark_when_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    drop(store_of(folder.path(), 5));
    std::fs::remove_file(folder.path().join(MARK)).unwrap();
    drop(Store::open(folder.path()).unwrap());
    std::fs::remove_file(folder.path().join(FILE)).unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::Lost(_)), "{error}");
    let mode = std::fs::metadata(folder.path().join(MARK));
    assert_eq!(mode.unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn r47_a_mark_that_cannot_be_read_is_told_and_made_anew_by_a_restore() {
    let folder = tempfile::tempdir().unwrap();
    drop(store_of(folder.path(), 5));
    std::fs::write(folder.path().join(MARK), "{").unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::Mark(_)), "{error}");
    let file = folder.path().join(FILE);
    restore(&file, folder.path(), now()).unwrap();
    assert_eq!(next_person(folder.path()), 6);
}

/// C3.
#[test]
fn r47_nothing_is_written_into_a_store_that_was_removed_or_replaced_and_it_can_be_saved() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_of(folder.path(), 5);
    let file = folder.path().join(FILE);
    store.in_place().unwrap();
    let copy = folder.path().join("copy");
    std::fs::rename(&file, folder.path().join("elsewhere")).unwrap();
    assert!(matches!(store.write(), Err(StoreError::Displaced(_))));
    std::fs::copy(folder.path().join("elsewhere"), &file).unwrap();
    assert!(matches!(store.in_place(), Err(StoreError::Displaced(_))));
    store.copy_to(&copy).unwrap();
    assert_eq!(inspect(&copy).unwrap().entries["people-1"], 5);
    // Put back, it goes on.
    std::fs::rename(folder.path().join("elsewhere"), &file).unwrap();
    assert_eq!(add(&store), 6);
}

#[test]
fn r47_a_file_that_is_emptied_while_it_is_open_is_never_made_a_new_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_of(folder.path(), 3_000);
    let file = folder.path().join(FILE);
    std::fs::File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_len(0)
        .unwrap();
    for _ in 0..3 {
        assert!(matches!(store.write(), Err(StoreError::Displaced(_))));
        assert!(matches!(store.read(), Err(StoreError::Displaced(_))));
    }
    assert_eq!(std::fs::metadata(&file).unwrap().len(), 0);
    drop(store);
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::Empty(_)), "{error}");
}
