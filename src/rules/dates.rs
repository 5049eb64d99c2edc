//! Dates of a feed that cannot be (R12): counted, so that one alert tells of all of them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::{CANNOT_BE, Field};

use super::entry::{Entry, Group};
use super::normal::Normal;

/// So many residents are named.
const NAMED: usize = 3;

/// The subject of the alert: there is one for each integration.
pub(crate) const DATES: &str = "dates";

/// The dates of a resident that cannot be, as far as that is told: not of those who have left, since nobody corrects the
/// lease of somebody who is gone, nor of those who are left out, who need not be right.
pub(crate) fn bad_dates<'a>(normal: &'a Normal, excluded: Option<&str>) -> &'a BTreeSet<Field> {
    static NONE: BTreeSet<Field> = BTreeSet::new();
    if excluded.is_some() || normal.resident.status.is_closed() {
        return &NONE;
    }
    &normal.resident.unreadable
}

/// What a decision about a group says of its dates that cannot be.
pub(crate) fn told_of(group: &Group) -> Option<String> {
    let leases = group.leases().iter();
    let fields: BTreeSet<&Field> = leases
        .flat_map(|lease| bad_dates(&lease.normal, lease.excluded.as_deref()))
        .collect();
    let fields: Vec<&str> = fields.into_iter().map(|field| field.as_str()).collect();
    (!fields.is_empty()).then(|| format!("{CANNOT_BE}{} (R12)", fields.join(", ")))
}

/// How many residents have dates that cannot be, and which.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BadDates {
    residents: u64,
    fields: BTreeMap<Field, u64>,
    /// The ids of some of them, the first of the feed.
    #[serde(skip)]
    named: Vec<String>,
}

impl BadDates {
    /// Of what mapping made of a record.
    pub fn of(entries: &[Entry]) -> BadDates {
        let mut bad = BadDates::default();
        for entry in entries {
            let Entry::Resident {
                normal, excluded, ..
            } = entry
            else {
                continue;
            };
            let fields = bad_dates(normal, excluded.as_deref());
            if fields.is_empty() {
                continue;
            }
            bad.residents += 1;
            for field in fields {
                *bad.fields.entry(*field).or_default() += 1;
            }
            bad.name(&normal.resident.id);
        }
        bad
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.residents == 0
    }

    /// Whether there is nobody left to name.
    pub fn is_named(&self) -> bool {
        self.named.len() >= NAMED.min(usize::try_from(self.residents).unwrap_or(NAMED))
    }

    fn name(&mut self, id: &str) {
        if self.named.len() < NAMED && !self.named.iter().any(|named| named == id) {
            self.named.push(id.to_owned());
        }
    }

    /// Names those whom another one names, too.
    pub fn name_those_of(&mut self, other: &BadDates) {
        for id in &other.named {
            self.name(id);
        }
    }

    /// Counts what another one counted. Names nobody.
    pub fn add(&mut self, other: &BadDates) {
        self.residents += other.residents;
        for (field, count) in &other.fields {
            *self.fields.entry(*field).or_default() += count;
        }
    }

    /// Takes away what another one counted.
    pub fn take(&mut self, other: &BadDates) {
        self.residents = self.residents.saturating_sub(other.residents);
        for (field, count) in &other.fields {
            let all = self.fields.entry(*field).or_default();
            *all = all.saturating_sub(*count);
        }
        self.fields.retain(|_, count| *count > 0);
    }

    /// How many residents.
    pub(crate) fn count(&self) -> u64 {
        self.residents
    }

    /// The ids of some of them.
    pub(crate) fn named(&self) -> &[String] {
        &self.named
    }

    /// What the alert says, beside how many residents there are and which; without personal data.
    pub fn told(&self) -> String {
        let fields: Vec<String> = self
            .fields
            .iter()
            .map(|(field, count)| format!("{field} {count}"))
            .collect();
        format!(
            "{CANNOT_BE}{}; those dates stay as they were known, the rest is taken; correct them in the PMS, or the \
             formats in the script",
            fields.join(", "),
        )
    }
}
