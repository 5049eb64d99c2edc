//! Set-ups under way on the page: what was answered so far, found again by whoever began it. They lie in memory alone, are few,
//! and end when nothing is answered for an hour. No secret leaves them but for the file that it is written to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::control::setup::{SetupDetails, SetupForeseen, SetupStep};
use crate::model::IntegrationId;
use crate::setup::asking::Shown;
use crate::setup::{OfAccount, Pasted};

/// After so long without an answer one has ended.
const IDLE: SignedDuration = SignedDuration::from_hours(1);
/// So many has one person; the one that they left longest ends.
const OF_ONE: usize = 8;
/// So many are there in all; beyond that nobody begins one.
const IN_ALL: usize = 64;

/// What was answered so far.
#[derive(Clone)]
pub(super) struct Draft {
    /// The integration whose settings they are; none of a new one.
    pub(super) integration: Option<IntegrationId>,
    pub(super) reached: SetupStep,
    pub(super) trouble: Option<(SetupStep, String)>,
    pub(super) connector: String,
    pub(super) credential: String,
    /// Whether that is a new one.
    pub(super) is_new: bool,
    /// Its fields that are no secrets.
    pub(super) fields: BTreeMap<String, String>,
    pub(super) secrets: BTreeMap<String, Arc<Pasted>>,
    /// What the PMS has, or why that is not known; none where it was not asked.
    pub(super) listed: Option<Result<Vec<OfAccount>, String>>,
    pub(super) properties: Vec<String>,
    pub(super) each: bool,
    pub(super) details: SetupDetails,
    /// The same as they were shown first.
    pub(super) details_before: SetupDetails,
    /// What the residents of the properties show, or why that is not known.
    pub(super) counted: Option<Result<Arc<Shown>, String>>,
    /// Words that are never pulled; none leaves that as it is.
    pub(super) statuses: Option<Vec<String>>,
    pub(super) foreseen: Option<Foreseen>,
}

/// Who would come in.
#[derive(Debug, Clone)]
pub(super) struct Foreseen {
    /// Of exactly these files.
    pub(super) digest: String,
    pub(super) each: Vec<SetupForeseen>,
    /// So many more integrations were not looked at.
    pub(super) more: usize,
}

impl Default for Draft {
    fn default() -> Draft {
        Draft {
            integration: None,
            reached: SetupStep::Pms,
            trouble: None,
            connector: String::new(),
            credential: String::new(),
            is_new: false,
            fields: BTreeMap::new(),
            secrets: BTreeMap::new(),
            listed: None,
            properties: Vec::new(),
            each: false,
            details: SetupDetails::default(),
            details_before: SetupDetails::default(),
            counted: None,
            statuses: None,
            foreseen: None,
        }
    }
}

struct Kept {
    owner: String,
    used: Timestamp,
    draft: Draft,
}

/// All of them, by what they are found again by.
#[derive(Default)]
pub(super) struct Drafts(Mutex<BTreeMap<String, Kept>>);

impl Drafts {
    fn all(&self, now: Timestamp) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, kept| now.duration_since(kept.used) < IDLE);
        all
    }

    /// The one that this person finds by that.
    pub(super) fn get(&self, key: &str, owner: &str, now: Timestamp) -> Option<Draft> {
        let mut all = self.all(now);
        let kept = all.get_mut(key).filter(|kept| kept.owner == owner)?;
        kept.used = now;
        Some(kept.draft.clone())
    }

    /// Keeps one; false where there are too many.
    pub(super) fn keep(&self, key: &str, owner: &str, draft: Draft, now: Timestamp) -> bool {
        let mut all = self.all(now);
        if !all.contains_key(key) {
            let own = all.iter().filter(|(_, kept)| kept.owner == owner);
            if own.clone().count() >= OF_ONE {
                let oldest = own.min_by_key(|(_, kept)| kept.used);
                let oldest = oldest.map(|(key, _)| key.clone()).unwrap_or_default();
                all.remove(&oldest);
            }
            if all.len() >= IN_ALL {
                return false;
            }
        }
        let kept = Kept {
            owner: owner.to_owned(),
            used: now,
            draft,
        };
        all.insert(key.to_owned(), kept);
        true
    }

    /// Ends one.
    pub(super) fn end(&self, key: &str, owner: &str, now: Timestamp) {
        let mut all = self.all(now);
        if all.get(key).is_some_and(|kept| kept.owner == owner) {
            all.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(connector: &str) -> Draft {
        Draft {
            connector: connector.to_owned(),
            ..Draft::default()
        }
    }

    #[test]
    fn one_is_found_by_whoever_began_it_alone_and_ends_after_an_hour_without_an_answer() {
        let drafts = Drafts::default();
        let at = |minutes: i64| Timestamp::from_second(minutes * 60).unwrap();
        assert!(drafts.keep("k", "ada", of("yardi"), at(0)));
        assert!(drafts.get("k", "bo", at(1)).is_none());
        drafts.end("k", "bo", at(1));
        assert_eq!(drafts.get("k", "ada", at(59)).unwrap().connector, "yardi");
        // It was used a minute before the first hour was over.
        assert!(drafts.get("k", "ada", at(118)).is_some());
        assert!(drafts.get("k", "ada", at(178)).is_none());
    }

    #[test]
    fn one_person_has_a_few_and_all_together_have_not_many() {
        let drafts = Drafts::default();
        let at = |second: usize| Timestamp::from_second(second.try_into().unwrap()).unwrap();
        for number in 0..=OF_ONE {
            assert!(drafts.keep(&format!("a{number}"), "ada", of(""), at(number)));
        }
        assert!(drafts.get("a0", "ada", at(20)).is_none());
        assert!(drafts.get("a1", "ada", at(20)).is_some());
        for number in 0..IN_ALL - OF_ONE {
            let owner = format!("user {number}");
            assert!(drafts.keep(&owner, &owner, of(""), at(20)));
        }
        assert!(!drafts.keep("late", "late", of(""), at(21)));
        // Whoever has one goes on with it.
        assert!(drafts.keep("a1", "ada", of("mri"), at(22)));
        assert!(drafts.keep("late", "late", of(""), at(4_000)));
    }
}
