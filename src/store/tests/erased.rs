//! Erasing in the store alone: the tombstones beside it, and copies of it and of others in its place.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::model::{Act, ActId, ActKind, Actor, ChangeKind, Erasing};
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

#[test]
fn a_grant_of_somebody_erased_says_no_name_and_another_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = ana(folder.path(), Timestamp::UNIX_EPOCH);
    erase(&store, 1);
    let stones = store.tombstones();
    let fields = |value: serde_json::Value| value.as_object().unwrap().clone();
    let hers = fields(serde_json::json!({
        "holder": "Ana@x.com", "door": "lobby", "label": "Straße", "names": ["Ana"], "floor": 3
    }));
    let left = stones.nameless("ana@x.com lobby", "7", &hers).unwrap();
    assert!(left.key.starts_with("erased:"), "{left:?}");
    assert_eq!(
        (left.id.as_str(), &left.fields["door"]),
        ("7", &"lobby".into())
    );
    let text = serde_json::to_string(&left.fields).unwrap().to_lowercase();
    for word in ["ana", "x.com", "straße"] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    assert_eq!(left.gone, ["holder", "label", "names", "key"]);
    // The same one has the same key whenever it is read back, and another door another.
    let again = stones.nameless("ana@x.com lobby", "7", &hers).unwrap();
    assert_eq!(left, again);
    let other = stones.nameless("ana@x.com d1", "8", &hers).unwrap();
    assert_ne!(left.key, other.key);
    let id = stones.nameless("k", "ana@x.com", &fields(serde_json::json!({})));
    let id = id.unwrap();
    assert!(id.id.starts_with("erased:") && id.gone.contains(&"id".to_owned()));
    let theirs = fields(serde_json::json!({ "holder": "bea@x.com", "label": "Ana" }));
    assert_eq!(stones.nameless("bea@x.com lobby", "9", &theirs), None);
}

#[test]
fn what_was_asked_before_a_restore_and_not_done_goes_on_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().join("here");
    let copy = folder.path().join("copy.redb");
    let store = ana(&here, Timestamp::UNIX_EPOCH);
    store.copy_to(&copy).unwrap();
    let write = store.write().unwrap();
    // Somebody who is not in the backup, too.
    let new = write.new_person_id().unwrap();
    write.put_person(&person(new.0, None)).unwrap();
    let act = write.new_act_id().unwrap();
    let mut asked = Act::new(act, ActKind::Erase, now(), Actor::User(1000));
    asked.reason = Some("asked for on March 3".into());
    write.put_act(&asked).unwrap();
    for id in [PersonId(1), new] {
        let erasing = Erasing {
            by: Actor::User(1000),
            at: now(),
            rule: "erase".into(),
            act,
            people: vec![id],
        };
        write.put_erasing(id, Some(&erasing)).unwrap();
    }
    write.commit().unwrap();
    drop(store);
    let restored = restore(&copy, &here, now()).unwrap();
    assert_eq!(
        restored.notes,
        [
            "the erasure of p1, asked for before and not carried out, goes on",
            "an erasure of p2 was asked for before and not carried out, and p2 is not in this backup: ask again if they come in again",
        ]
    );
    let store = Store::open(&here).unwrap();
    let view = store.read().unwrap();
    assert_eq!(view.erasing(PersonId(1)).unwrap().unwrap().act, act);
    assert_eq!(view.act(act).unwrap(), Some(asked));
    let log = view.changes_of(PersonId(1), u64::MAX, 9).unwrap();
    assert_eq!(log[0].kind, ChangeKind::Erasing);
    assert_eq!(view.verify().unwrap().flaws, []);
}

#[test]
fn a_file_of_tombstones_that_others_may_read_is_closed_and_it_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let store = ana(folder.path(), Timestamp::UNIX_EPOCH);
    erase(&store, 1);
    drop(store);
    let path = folder.path().join(TOMBSTONES);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    let notes = Store::open_thoroughly(folder.path())
        .unwrap()
        .notes()
        .to_vec();
    assert!(notes[0].contains("epms.erased (mode 0666)"), "{notes:?}");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(Store::open(folder.path()).unwrap().notes(), [""; 0]);
}

#[test]
fn of_earlier_stores_those_are_named_that_were_put_aside_since() {
    let folder = tempfile::tempdir().unwrap();
    let store = ana(folder.path(), Timestamp::UNIX_EPOCH);
    for name in ["20260301T090000Z", "20260301T110000Z", "20260301T110000Z-2"] {
        std::fs::write(folder.path().join(format!("epms.redb.before-{name}")), "").unwrap();
    }
    assert_eq!(
        store.earlier_beside(now()),
        [
            "epms.redb.before-20260301T110000Z",
            "epms.redb.before-20260301T110000Z-2"
        ]
    );
    assert_eq!(store.earlier_beside(Timestamp::UNIX_EPOCH).len(), 3);
}
