//! Runs and changes as what forgets them sees them. What is forgotten is decided elsewhere; here no index is left
//! with what is gone.

use jiff::Timestamp;
use redb::ReadableTable;

use crate::model::{Change, IntegrationId, PersonId, Run, RunId};

use super::value::{from_bytes, to_bytes};
use super::write::Done;
use super::{View, Write, tables};

/// Meta: changes from this number on are all kept; before it, only the last one of each person.
pub(super) const CHANGES_FROM: &str = "changes-from";

impl View {
    /// The number from which on every change is kept; before it, only the last one of each person.
    pub fn changes_from(&self) -> Done<u64> {
        let meta = self.transaction.open_table(tables::META)?;
        let from = meta.get(CHANGES_FROM)?;
        from.map_or(Ok(1), |from| from_bytes("meta-1", from.value()))
    }
}

impl Write {
    /// The runs of an integration that are kept, oldest first.
    pub fn run_ids(&self, integration: &IntegrationId) -> Done<Vec<RunId>> {
        let index = self.transaction.open_table(tables::RUNS_BY_INTEGRATION)?;
        let all = (integration.as_str(), 0)..=(integration.as_str(), u64::MAX);
        let ids = index.range(all)?;
        ids.map(|entry| Ok(RunId(entry?.0.value().1))).collect()
    }

    /// A run.
    pub fn run(&self, id: RunId) -> Done<Option<Run>> {
        let table = self.transaction.open_table(tables::RUNS)?;
        table
            .get(id.0)?
            .map(|value| from_bytes("runs-1", value.value()))
            .transpose()
    }

    /// Forgets a run and its decisions; those that stand for later runs go with the last of these.
    pub fn forget_run(&self, integration: &IntegrationId, id: RunId) -> Done<()> {
        let mut runs = self.transaction.open_table(tables::RUNS)?;
        let mut index = self.transaction.open_table(tables::RUNS_BY_INTEGRATION)?;
        runs.remove(id.0)?;
        index.remove((integration.as_str(), id.0))?;
        self.forget_decisions(integration, id)
    }

    /// The number from which on every change is kept, and the number that the next change gets.
    pub fn change_numbers(&self) -> Done<(u64, u64)> {
        let meta = self.transaction.open_table(tables::META)?;
        let number = |name: &str| {
            let value = meta.get(name)?;
            value.map_or(Ok(1), |value| from_bytes("meta-1", value.value()))
        };
        Ok((number(CHANGES_FROM)?, number(super::write::NEXT_CHANGE)?))
    }

    /// Up to which number the changes from `from` on go that are to be forgotten, oldest first: at most so many, and
    /// none behind the first that is not. Each is asked for by its place, its number and when it was committed.
    pub fn changes_up_to(
        &self,
        from: u64,
        most: usize,
        mut is_forgotten: impl FnMut(u64, u64, Timestamp) -> Done<bool>,
    ) -> Done<u64> {
        let table = self.transaction.open_table(tables::CHANGES)?;
        let mut kept = from;
        for (place, entry) in (0..).zip(table.range(from..)?.take(most)) {
            let (seq, change) = entry?;
            let change: Change = from_bytes("changes-1", change.value())?;
            if !is_forgotten(place, seq.value(), change.at)? {
                break;
            }
            kept = seq.value() + 1;
        }
        Ok(kept)
    }

    /// How many changes have been committed from a number on.
    pub fn count_changes_from(&self, from: u64) -> Done<u64> {
        let next = self.number(super::write::NEXT_CHANGE)?;
        let never = self.gaps()?.into_iter();
        let never: u64 = never
            .map(|(first, end)| end.saturating_sub(first.max(from)))
            .sum();
        Ok(next.saturating_sub(from).saturating_sub(never))
    }

    /// Forgets the changes before the number `from`, but for the last one of each person.
    pub fn forget_changes_before(&self, from: u64) -> Done<()> {
        let (before, _) = self.change_numbers()?;
        let mut old = Vec::new();
        let table = self.transaction.open_table(tables::CHANGES)?;
        for entry in table.range(before..from)? {
            let (seq, change) = entry?;
            let change: Change = from_bytes("changes-1", change.value())?;
            old.push((change.person, seq.value()));
        }
        drop(table);
        for (person, seq) in old {
            let later = {
                let index = self.transaction.open_table(tables::CHANGES_BY_PERSON)?;
                let mut later = index.range((person.0, seq + 1)..=(person.0, u64::MAX))?;
                later.next().transpose()?.is_some()
            };
            if later {
                self.forget_change(person, seq)?;
            }
        }
        let mut meta = self.transaction.open_table(tables::META)?;
        meta.insert(CHANGES_FROM, to_bytes("meta-1", &from)?.as_slice())?;
        Ok(())
    }

    fn forget_change(&self, person: PersonId, seq: u64) -> Done<()> {
        let mut changes = self.transaction.open_table(tables::CHANGES)?;
        let mut index = self.transaction.open_table(tables::CHANGES_BY_PERSON)?;
        changes.remove(seq)?;
        index.remove((person.0, seq))?;
        Ok(())
    }
}
