//! The only module that names `redb`: tables, transactions, indexes. Decides nothing: what is written was
//! planned elsewhere. A store that cannot be read is never replaced by an empty one.

mod tables;
mod value;
mod error;
mod medium;
mod migrations;
mod open;
mod read;
mod write;
mod acts;
mod units;

#[cfg(test)]
pub(crate) mod testing;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use unicase::UniCase;

use crate::model::RunId;

pub use error::{OpenError, StoreError};
pub use open::Store;
pub use read::View;
pub use write::Write;

/// When an integration ran and how it went (R4).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// When a run began last.
    pub last_started: Option<Timestamp>,
    /// When a run succeeded last.
    pub last_success: Option<Timestamp>,
    /// Why the last run did not succeed; none when it did.
    pub last_error: Option<String>,
    /// Runs in a row whose source failed (R28).
    pub failures: u32,
    /// The last run.
    pub last_run: Option<RunId>,
    /// Paused by hand.
    pub paused: bool,
}

/// The kept answer of a lookup request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// When it was read.
    pub read: Timestamp,
    /// The fingerprint of the integration that read it: another may ask for other records.
    pub read_by: String,
    /// The records, as JSON texts, by their id.
    pub records: BTreeMap<String, String>,
}

/// Names as they are compared: folded, so that case does not matter (R10).
fn name_key(first: &str, last: &str) -> String {
    let fold = |name: &str| UniCase::unicode(name).to_folded_case();
    format!("{}\u{1f}{}", fold(first), fold(last))
}

#[cfg(test)]
mod tests {
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
        write.put_schema(7).unwrap();
        write.commit().unwrap();
        drop(store);
        let error = Store::open(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("has schema 7, and this epms knows 2; start the newer epms"),
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
}
