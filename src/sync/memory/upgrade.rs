//! The first run by a new version of the rules, or by a new shipped script (E12): which records are as they were when the last run by the rules before
//! decided on them. What such a run takes from people whose records are the same is no change of the day.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Alert, AlertKind, AlertState, Link, PersonId};
use crate::rules;
use crate::rules::plan::Plan;
use crate::source::Known;
use crate::store::StoreError;

use super::{FORM, Header, Memory, Takings, subject};

/// What a run remembered by rules or a script that hold no more: nothing of it serves, but for the records.
#[derive(Debug)]
pub(in crate::sync) struct Earlier {
    seed: u64,
    known: Known,
    /// Residents who were linked, and whom the feed did not name.
    absent: BTreeSet<String>,
    /// The rules were others, and not the script alone.
    by_other_rules: bool,
}

impl Earlier {
    /// What is remembered, where it is of an earlier version of the rules, or mapped by another script than this one that
    /// is as shipped.
    pub(in crate::sync) fn read(parts: &[Vec<u8>], shipped: Option<&str>) -> Option<Earlier> {
        let (header, parts) = parts.split_first()?;
        let header: Header = serde_json::from_slice(header).ok()?;
        let is_of_other_script = shipped.is_some() && header.script.as_deref() != shipped;
        let by_other_rules = header.rules < rules::VERSION;
        if header.form > FORM || !by_other_rules && !is_of_other_script {
            return None;
        }
        let mut memory = Memory::of(header, parts)?;
        let shielded = std::mem::take(&mut memory.header.shielded);
        memory
            .header
            .absent
            .extend(shielded.into_values().flatten());
        Some(Earlier {
            seed: memory.seed(),
            known: memory.known(),
            absent: memory.header.absent,
            by_other_rules,
        })
    }

    /// Of the prints.
    pub(in crate::sync) fn seed(&self) -> u64 {
        self.seed
    }

    /// Compares a whole reading with it.
    pub(in crate::sync) fn compare(self, taken: &Takings) -> Result<Upgrade, StoreError> {
        let mut upgrade = Upgrade {
            absent: self.absent,
            by_other_rules: self.by_other_rules,
            ..Upgrade::default()
        };
        // Nothing is known of a feed by which one could leave out to map it.
        for made in taken.each_made() {
            let made = made?;
            let is_same = self.known.place_of(made.print).is_some();
            let subjects = made.entries.iter().map(|entry| subject(entry).to_owned());
            let place = if is_same {
                &mut upgrade.same
            } else {
                &mut upgrade.other
            };
            place.extend(subjects);
        }
        Ok(upgrade)
    }
}

/// Whose records are as they were.
#[derive(Debug, Default)]
pub(in crate::sync) struct Upgrade {
    same: BTreeSet<String>,
    other: BTreeSet<String>,
    absent: BTreeSet<String>,
    by_other_rules: bool,
}

impl Upgrade {
    /// The people of a plan, all of whose records are as they were. `links` are those before.
    pub(in crate::sync) fn people(
        &self,
        links: &BTreeMap<String, Link>,
        plan: &Plan,
    ) -> Result<BTreeSet<PersonId>, StoreError> {
        let (mut same, mut other) = (BTreeSet::new(), BTreeSet::new());
        let mut note = |resident: &str, link: &Link| {
            let people = if self.is_as_it_was(resident, link) {
                &mut same
            } else {
                &mut other
            };
            people.insert(link.person);
        };
        for (resident, link) in links {
            note(resident, link);
        }
        for linked in &plan.links {
            let (resident, link) = linked?;
            note(&resident, &link);
        }
        Ok(&same - &other)
    }

    /// The people whose email earlier rules made of records that are as they were, while nobody was told that the PMS
    /// had none: where these rules make none of them, the text there holds no address (R13a, R20). What another script
    /// makes of a record says nothing of that.
    pub(in crate::sync) fn with_emails(
        &self,
        links: &BTreeMap<String, Link>,
        alerts: &BTreeMap<(AlertKind, String), Alert>,
    ) -> BTreeSet<PersonId> {
        let is_told = |resident: &String| {
            let alert = alerts.get(&(AlertKind::MissingEmail, resident.clone()));
            alert.is_some_and(|alert| alert.state != AlertState::AutoClosed)
        };
        let links = links.iter().filter(|(resident, link)| {
            self.by_other_rules
                && link.email.is_some()
                && self.same.contains(*resident)
                && !self.other.contains(*resident)
                && !is_told(resident)
        });
        links.map(|(_, link)| link.person).collect()
    }

    fn is_as_it_was(&self, resident: &str, link: &Link) -> bool {
        if self.other.contains(resident) {
            return false;
        }
        // Who is not named was not named then; of a lease that is over nobody asked.
        self.same.contains(resident) || self.absent.contains(resident) || link.status.is_closed()
    }
}
