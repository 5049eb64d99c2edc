//! Reading: one consistent view of the store, as of when it was taken.

use std::ops::Bound;

use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, TableError};

use crate::model::{Change, GuardState, IntegrationId, Link, Person, PersonId, Run, RunId};

use super::value::{self, from_bytes};
use super::{History, Lookup, StoreError, tables};

/// A view of the store.
pub struct View {
    pub(super) transaction: ReadTransaction,
}

type Read<T> = Result<T, StoreError>;

impl View {
    pub(super) fn new(transaction: ReadTransaction) -> View {
        View { transaction }
    }

    /// The schema that it was written with; none when nothing was ever written.
    pub(super) fn schema(&self) -> Read<Option<u64>> {
        let table = match self.transaction.open_table(tables::META) {
            Err(TableError::TableDoesNotExist(_)) => return Ok(None),
            table => table?,
        };
        table
            .get("schema")?
            .map(|value| from_bytes("meta-1", value.value()))
            .transpose()
    }

    pub(super) fn meta<T: value::Read>(&self, name: &'static str) -> Read<Option<T>> {
        let meta = self.transaction.open_table(tables::META)?;
        let value = meta.get(name)?;
        value
            .map(|value| from_bytes("meta-1", value.value()))
            .transpose()
    }

    /// Whether there is any table at all, ours or not.
    pub(super) fn is_blank(&self) -> Read<bool> {
        Ok(self.transaction.list_tables()?.next().is_none())
    }

    /// A person.
    pub fn person(&self, id: PersonId) -> Read<Option<Person>> {
        let table = self.transaction.open_table(tables::PEOPLE)?;
        table
            .get(id.0)?
            .map(|value| from_bytes("people-1", value.value()))
            .transpose()
    }

    /// People by id, those after `after`, at most `limit` that `keep` keeps.
    pub fn people(
        &self,
        after: Option<PersonId>,
        limit: usize,
        mut keep: impl FnMut(&Person) -> bool,
    ) -> Read<Vec<Person>> {
        let table = self.transaction.open_table(tables::PEOPLE)?;
        let mut people = Vec::new();
        for entry in table.range(behind(after.map(|id| id.0)))? {
            if people.len() >= limit {
                break;
            }
            let person: Person = from_bytes("people-1", entry?.1.value())?;
            if keep(&person) {
                people.push(person);
            }
        }
        Ok(people)
    }

    /// How many people there are.
    pub fn count_people(&self) -> Read<u64> {
        Ok(self.transaction.open_table(tables::PEOPLE)?.len()?)
    }

    /// How many links an integration has.
    pub fn count_links(&self, integration: &IntegrationId) -> Read<u64> {
        let table = self.transaction.open_table(tables::LINK_COUNTS)?;
        let count = table.get(integration.as_str())?;
        Ok(count.map_or(0, |count| count.value()))
    }

    /// The links of a person.
    pub fn links_of(&self, person: PersonId) -> Read<Vec<(IntegrationId, String, Link)>> {
        let index = self.transaction.open_table(tables::LINKS_BY_PERSON)?;
        let links = self.transaction.open_table(tables::LINKS)?;
        let mut found = Vec::new();
        for entry in index.range((person.0, "", "")..)? {
            let entry = entry?;
            let (of, integration, resident) = entry.0.value();
            if of != person.0 {
                break;
            }
            if let Some(value) = links.get((integration, resident))? {
                let link = from_bytes("links-1", value.value())?;
                found.push((IntegrationId::new(integration), resident.to_owned(), link));
            }
        }
        Ok(found)
    }

    /// Changes after the sequence number `after`, at most `limit`.
    pub fn changes(&self, after: u64, limit: usize) -> Read<Vec<Change>> {
        let table = self.transaction.open_table(tables::CHANGES)?;
        let range = table.range(behind(Some(after)))?;
        range
            .take(limit)
            .map(|entry| from_bytes("changes-1", entry?.1.value()))
            .collect()
    }

    /// The number of the change that is the `count`th from the end of those that `keep` keeps; none where there are fewer.
    pub fn latest_change(&self, count: usize, keep: impl Fn(&Change) -> bool) -> Read<Option<u64>> {
        let table = self.transaction.open_table(tables::CHANGES)?;
        let mut found = 0;
        for entry in table.iter()?.rev() {
            let change: Change = from_bytes("changes-1", entry?.1.value())?;
            found += usize::from(keep(&change));
            if found == count {
                return Ok(Some(change.seq));
            }
        }
        Ok(None)
    }

    /// The changes of a person before the number `before`, newest first, at most `limit`.
    pub fn changes_of(&self, person: PersonId, before: u64, limit: usize) -> Read<Vec<Change>> {
        let index = self.transaction.open_table(tables::CHANGES_BY_PERSON)?;
        let changes = self.transaction.open_table(tables::CHANGES)?;
        let mut found = Vec::new();
        for entry in index
            .range((person.0, 0)..(person.0, before))?
            .rev()
            .take(limit)
        {
            if let Some(value) = changes.get(entry?.0.value().1)? {
                found.push(from_bytes("changes-1", value.value())?);
            }
        }
        Ok(found)
    }

    /// A run.
    pub fn run(&self, id: RunId) -> Read<Option<Run>> {
        let table = self.transaction.open_table(tables::RUNS)?;
        table
            .get(id.0)?
            .map(|value| from_bytes("runs-1", value.value()))
            .transpose()
    }

    /// The latest runs, of one integration or of all, those before `before`, newest first, at most `limit`.
    pub fn runs(
        &self,
        integration: Option<&IntegrationId>,
        before: Option<RunId>,
        limit: usize,
    ) -> Read<Vec<Run>> {
        let table = self.transaction.open_table(tables::RUNS)?;
        let end = before.map_or(u64::MAX, |id| id.0);
        let Some(integration) = integration else {
            let range = table.range(..end)?.rev().take(limit);
            return range
                .map(|entry| from_bytes("runs-1", entry?.1.value()))
                .collect();
        };
        let index = self.transaction.open_table(tables::RUNS_BY_INTEGRATION)?;
        let mut runs = Vec::new();
        for entry in index
            .range((integration.as_str(), 0)..(integration.as_str(), end))?
            .rev()
            .take(limit)
        {
            if let Some(value) = table.get(entry?.0.value().1)? {
                runs.push(from_bytes("runs-1", value.value())?);
            }
        }
        Ok(runs)
    }

    /// When an integration ran and how it went.
    pub fn history(&self, integration: &IntegrationId) -> Read<History> {
        let table = self.transaction.open_table(tables::HISTORIES)?;
        table
            .get(integration.as_str())?
            .map_or(Ok(History::default()), |value| {
                from_bytes("histories-1", value.value())
            })
    }

    /// What is kept of an integration to judge its next run by (R27, R41).
    pub fn guard(&self, integration: &IntegrationId) -> Read<GuardState> {
        let table = self.transaction.open_table(tables::GUARDS)?;
        table
            .get(integration.as_str())?
            .map_or(Ok(GuardState::default()), |value| {
                from_bytes("guards-1", value.value())
            })
    }

    /// The kept answer of a lookup request.
    pub fn lookup(&self, integration: &IntegrationId, request: &str) -> Read<Option<Lookup>> {
        let table = self.transaction.open_table(tables::LOOKUPS)?;
        table
            .get((integration.as_str(), request))?
            .map(|value| from_bytes("lookups-1", value.value()))
            .transpose()
    }

    /// The highest id of a run that ever began.
    pub fn last_run(&self) -> Read<Option<RunId>> {
        let [.., next, _] = self.next_numbers()?.0;
        Ok((next > 1).then(|| RunId(next - 1)))
    }

    /// The number of the last change; 0 when there is none.
    pub fn last_change(&self) -> Read<u64> {
        let table = self.transaction.open_table(tables::CHANGES)?;
        Ok(table.last()?.map_or(0, |(seq, _)| seq.value()))
    }

    /// The integrations that ever ran.
    pub fn integrations(&self) -> Read<Vec<IntegrationId>> {
        let table = self.transaction.open_table(tables::HISTORIES)?;
        let mut found = Vec::new();
        for entry in table.iter()? {
            found.push(IntegrationId::new(entry?.0.value()));
        }
        Ok(found)
    }
}

pub(super) fn behind(after: Option<u64>) -> (Bound<u64>, Bound<u64>) {
    (
        after.map_or(Bound::Unbounded, Bound::Excluded),
        Bound::Unbounded,
    )
}
