//! Records of which every run tells, whatever else happens: those that could not be mapped, those with a status word that
//! nobody knows, and those with nobody in them. Counted, so that a run need not look at each again. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::LeaseStatus;

use super::entry::Entry;
use super::rejected::Places;

/// How many odd records there are, and what is told of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Odd {
    /// Those that could not be mapped.
    #[serde(skip_serializing_if = "Places::is_empty")]
    pub(crate) places: Places,
    /// Of these, those of which nobody knows whose they are, and so may be anybody's.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) unread: u64,
    /// Of those in turn, how many have no id by which to know it.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) nameless: u64,
    /// Leases by the status word that nobody knows.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) words: BTreeMap<String, u64>,
    /// Records with nobody in them.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) nobody: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Odd {
    /// Of what mapping made of records.
    pub fn of(entries: &[Entry]) -> Odd {
        let mut odd = Odd {
            places: Places::of(entries),
            ..Odd::default()
        };
        for entry in entries {
            match entry {
                // What is left out is not judged: nobody is told of a word that nobody knows.
                Entry::Resident {
                    normal,
                    excluded: None,
                    ..
                } if normal.resident.status == LeaseStatus::Unknown => {
                    let word = normal.resident.status_word.clone();
                    *odd.words.entry(word).or_default() += 1;
                }
                Entry::Rejected {
                    resident: None,
                    has_id,
                    ..
                } => {
                    odd.unread += 1;
                    odd.nameless += u64::from(!has_id);
                }
                Entry::Nobody { .. } => odd.nobody += 1,
                Entry::Resident { .. } | Entry::Rejected { .. } | Entry::Erased { .. } => {}
            }
        }
        odd
    }

    /// Counts what another one counted.
    pub(crate) fn add(&mut self, other: &Odd) {
        self.places.add(&other.places);
        self.unread += other.unread;
        self.nameless += other.nameless;
        self.nobody += other.nobody;
        for (word, count) in &other.words {
            *self.words.entry(word.clone()).or_default() += count;
        }
    }

    /// Takes away what another one counted. False where it has to be counted anew: then something would be told of the
    /// records that are left that is not true.
    #[must_use]
    pub(crate) fn take(&mut self, other: &Odd) -> bool {
        self.unread = self.unread.saturating_sub(other.unread);
        self.nameless = self.nameless.saturating_sub(other.nameless);
        self.nobody = self.nobody.saturating_sub(other.nobody);
        for (word, count) in &other.words {
            let all = self.words.entry(word.clone()).or_default();
            *all = all.saturating_sub(*count);
        }
        self.words.retain(|_, count| *count > 0);
        self.places.take(&other.places)
    }
}
