//! Writing: one transaction, all of it or nothing. Indexes are kept here and nowhere else.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use redb::{Key, ReadableTable, TableDefinition, Value, WriteTransaction};

use crate::model::{Change, GuardState, IntegrationId, Link, Outcome, Person, PersonId, Run};

use super::mark::Keeper;
use super::tombstones::{Graveyard, Tombstones};
use super::value::{Kept, Read, each_to_bytes, from_bytes, itself, to_bytes};
use super::{History, Lookup, StoreError, tables};

/// A transaction under way. Dropped without [`commit`](Write::commit), it never happened.
pub struct Write {
    pub(super) transaction: WriteTransaction,
    /// Whose run writes: what it writes of its own property, it remembers itself.
    pub(super) run_of: Option<IntegrationId>,
    /// Who keeps the mark of the store, where it has one.
    keeper: Option<Arc<Keeper>>,
    /// Whether a number was given.
    gave: Cell<bool>,
    /// Who was erased.
    graves: Arc<Graveyard>,
    /// Who is once this is committed, where that is otherwise.
    buried: RefCell<Option<Arc<Tombstones>>>,
}

pub(super) type Done<T> = Result<T, StoreError>;

pub(super) const NEXT_PERSON: &str = "next-person";
pub(super) const NEXT_CHANGE: &str = "next-change";

impl Write {
    pub(super) fn new(transaction: WriteTransaction, keeper: Option<Arc<Keeper>>) -> Write {
        Write {
            transaction,
            run_of: None,
            keeper,
            gave: Cell::new(false),
            graves: Arc::default(),
            buried: RefCell::new(None),
        }
    }

    /// The same, where these were erased before.
    pub(super) fn beside(mut self, graves: Arc<Graveyard>) -> Write {
        self.graves = graves;
        self
    }

    /// Who was erased, by this transaction too.
    pub fn tombstones(&self) -> Arc<Tombstones> {
        let buried = self.buried.borrow().clone();
        buried.unwrap_or_else(|| self.graves.now())
    }

    /// Keeps these with the commit: before it, so that whoever is gone is known to be.
    pub(super) fn keep_tombstones(&self, tombstones: Tombstones) {
        *self.buried.borrow_mut() = Some(Arc::new(tombstones));
    }

    pub(super) fn not_buried(&self, source: std::io::Error) -> StoreError {
        StoreError::Tombstones {
            path: self.graves.path(),
            source,
        }
    }

    /// The same, where a run of an integration writes: what it writes is nothing new to that integration.
    #[must_use]
    pub fn by_run_of(mut self, integration: &IntegrationId) -> Write {
        self.run_of = Some(integration.clone());
        self
    }

    /// Makes all of it last.
    pub fn commit(self) -> Done<()> {
        if let Some(buried) = self.buried.take() {
            let kept = self.graves.keep(buried);
            kept.map_err(|source| self.not_buried(source))?;
        }
        let Some(keeper) = self.keeper.clone().filter(|_| self.gave.get()) else {
            return Ok(self.transaction.commit()?);
        };
        let failed = |source| StoreError::Mark {
            path: keeper.path().to_owned(),
            source,
        };
        let next = self.next_numbers()?;
        keeper.reserve(next).map_err(failed)?;
        self.transaction.commit()?;
        if let Err(error) = keeper.note(next) {
            // What was committed stands; the next commit notes it too.
            tracing::warn!(path = %keeper.path().display(), %error, "the mark of the store cannot be written");
        }
        Ok(())
    }

    /// A value of the meta table.
    pub(super) fn meta<T: Read>(&self, name: &'static str) -> Done<Option<T>> {
        let meta = self.transaction.open_table(tables::META)?;
        let value = meta.get(name)?;
        value
            .map(|value| from_bytes("meta-1", value.value()))
            .transpose()
    }

    pub(super) fn put_meta<T: Kept>(&self, name: &'static str, value: &T) -> Done<()> {
        let mut meta = self.transaction.open_table(tables::META)?;
        meta.insert(name, to_bytes("meta-1", value)?.as_slice())?;
        Ok(())
    }

    pub(super) fn number(&self, name: &'static str) -> Done<u64> {
        Ok(self.meta(name)?.unwrap_or(1))
    }

    pub(super) fn put_number(&self, name: &'static str, next: u64) -> Done<()> {
        self.gave.set(true);
        self.put_meta(name, &next)
    }

    pub(super) fn take_number(&self, name: &'static str) -> Done<u64> {
        let number = self.number(name)?;
        self.put_number(name, number + 1)?;
        Ok(number)
    }

    /// An id that no person ever had.
    pub fn new_person_id(&self) -> Done<PersonId> {
        self.take_number(NEXT_PERSON).map(PersonId)
    }

    /// A person.
    pub fn person(&self, id: PersonId) -> Done<Option<Person>> {
        self.people()?.person(id)
    }

    /// The person with an email, in the form of R10.
    pub fn person_with_email(&self, email: &str) -> Done<Option<PersonId>> {
        self.people()?.person_with_email(email)
    }

    /// Writes a person, new or not.
    pub fn put_person(&self, person: &Person) -> Done<()> {
        self.people()?.put(std::slice::from_ref(person))
    }

    /// The links of an integration, by the resident's PMS id.
    pub fn links(&self, integration: &IntegrationId) -> Done<BTreeMap<String, Link>> {
        let table = self.transaction.open_table(tables::LINKS)?;
        let mut links = BTreeMap::new();
        for entry in table.range((integration.as_str(), "")..)? {
            let (key, value) = entry?;
            let (of, resident) = key.value();
            if of != integration.as_str() {
                break;
            }
            links.insert(resident.to_owned(), from_bytes("links-1", value.value())?);
        }
        Ok(links)
    }

    /// Writes a link, new or not.
    pub fn put_link(&self, integration: &IntegrationId, resident: &str, link: &Link) -> Done<()> {
        self.put_links(integration, [(resident, link)])
    }

    /// Writes links, new or not.
    pub fn put_links<'l>(
        &self,
        integration: &IntegrationId,
        all: impl IntoIterator<Item = (&'l str, &'l Link)>,
    ) -> Done<()> {
        let owned = |(resident, link): (&str, &Link)| (resident.to_owned(), link.clone());
        let all: Vec<(String, Link)> = all.into_iter().map(owned).collect();
        self.put_many_links(integration, all.into_iter().map(Ok::<_, StoreError>))
    }

    /// Writes links, new or not, as they come.
    pub fn put_many_links<E: Into<StoreError>>(
        &self,
        integration: &IntegrationId,
        all: impl IntoIterator<Item = Result<(String, Link), E>, IntoIter: Send>,
    ) -> Done<()> {
        let mut links = self.transaction.open_table(tables::LINKS)?;
        let mut index = self.transaction.open_table(tables::LINKS_BY_PERSON)?;
        let mut added = 0;
        each_to_bytes("links-1", all, link_of, |(resident, link), value| {
            let resident = resident.as_str();
            let key = (integration.as_str(), resident);
            let before: Option<Link> = links
                .insert(key, value)?
                .map(|value| from_bytes("links-1", value.value()))
                .transpose()?;
            added += u64::from(before.is_none());
            let moved = before
                .as_ref()
                .filter(|before| before.person != link.person);
            if let Some(before) = moved {
                index.remove((before.person.0, integration.as_str(), resident))?;
            }
            index.insert((link.person.0, integration.as_str(), resident), ())?;
            self.stir_link(integration, resident, &[before.as_ref(), Some(&link)])
        })?;
        if added > 0 {
            self.recount_links(integration, |count| count + added)?;
        }
        Ok(())
    }

    /// Links came or went.
    pub(super) fn recount_links(
        &self,
        integration: &IntegrationId,
        now: impl FnOnce(u64) -> u64,
    ) -> Done<()> {
        let mut table = self.transaction.open_table(tables::LINK_COUNTS)?;
        let count = table.get(integration.as_str())?;
        let count = now(count.map_or(0, |count| count.value()));
        table.insert(integration.as_str(), count)?;
        Ok(())
    }

    /// Appends to the change log and gives the change its number, with which it is returned.
    pub fn append_change(&self, mut change: Change) -> Done<Change> {
        self.append_changes(std::slice::from_mut(&mut change))?;
        Ok(change)
    }

    /// Appends to the change log, where each change gets the next number.
    pub fn append_changes(&self, appended: &mut [Change]) -> Done<()> {
        if !appended.is_empty() {
            let (_, first) = self.change_numbers()?;
            for (change, number) in appended.iter_mut().zip(first..) {
                change.seq = number;
            }
        }
        self.append_many_changes(appended.iter().cloned().map(Ok::<_, StoreError>))
    }

    /// Appends to the change log as they come; each gets the next number, whichever it has.
    pub fn append_many_changes<E: Into<StoreError>>(
        &self,
        appended: impl IntoIterator<Item = Result<Change, E>, IntoIter: Send>,
    ) -> Done<()> {
        let (from, first) = self.change_numbers()?;
        let mut changes = self.transaction.open_table(tables::CHANGES)?;
        let mut index = self.transaction.open_table(tables::CHANGES_BY_PERSON)?;
        let mut next = first;
        let numbered = appended.into_iter().zip(first..).map(|(change, seq)| {
            let numbered = |change| Change { seq, ..change };
            change.map(numbered)
        });
        each_to_bytes("changes-1", numbered, itself, |change, value| {
            next = change.seq + 1;
            // What was kept only as the person's last one goes.
            let last = {
                let before = (change.person.0, 0)..(change.person.0, change.seq.min(from));
                let last = index.range(before)?.next_back().transpose()?;
                last.map(|(key, _)| key.value().1)
            };
            if let Some(last) = last {
                changes.remove(last)?;
                index.remove((change.person.0, last))?;
            }
            changes.insert(change.seq, value)?;
            index.insert((change.person.0, change.seq), ())?;
            Ok(())
        })?;
        drop((changes, index));
        if next == first {
            return Ok(());
        }
        self.put_number(NEXT_CHANGE, next)
    }

    /// Writes a run, begun or ended.
    pub fn put_run(&self, run: &Run) -> Done<()> {
        self.gave.set(true);
        let mut runs = self.transaction.open_table(tables::RUNS)?;
        let mut index = self.transaction.open_table(tables::RUNS_BY_INTEGRATION)?;
        runs.insert(run.id.0, to_bytes("runs-1", run)?.as_slice())?;
        index.insert((run.integration.as_str(), run.id.0), ())?;
        Ok(())
    }

    /// Marks the last run of an integration interrupted, where it says that it is under way.
    pub fn interrupt(&self, integration: &IntegrationId) -> Done<()> {
        let Some(last) = self.history(integration)?.last_run else {
            return Ok(());
        };
        match self.run(last)? {
            Some(run) if run.outcome == Outcome::Running => self.put_run(&Run {
                outcome: Outcome::Interrupted,
                ..run
            }),
            _ => Ok(()),
        }
    }

    /// When an integration ran and how it went.
    pub fn history(&self, integration: &IntegrationId) -> Done<History> {
        let table = self.transaction.open_table(tables::HISTORIES)?;
        table
            .get(integration.as_str())?
            .map_or(Ok(History::default()), |value| {
                from_bytes("histories-1", value.value())
            })
    }

    /// Writes when an integration ran and how it went.
    pub fn put_history(&self, integration: &IntegrationId, history: &History) -> Done<()> {
        let mut table = self.transaction.open_table(tables::HISTORIES)?;
        table.insert(
            integration.as_str(),
            to_bytes("histories-1", history)?.as_slice(),
        )?;
        Ok(())
    }

    /// What the guard knows of an integration (R27).
    pub fn guard(&self, integration: &IntegrationId) -> Done<GuardState> {
        let table = self.transaction.open_table(tables::GUARDS)?;
        table
            .get(integration.as_str())?
            .map_or(Ok(GuardState::default()), |value| {
                from_bytes("guards-1", value.value())
            })
    }

    /// Writes what the guard knows of an integration.
    pub fn put_guard(&self, integration: &IntegrationId, state: &GuardState) -> Done<()> {
        let mut table = self.transaction.open_table(tables::GUARDS)?;
        table.insert(
            integration.as_str(),
            to_bytes("guards-1", state)?.as_slice(),
        )?;
        Ok(())
    }

    /// Keeps the answer of a lookup request.
    pub fn put_lookup(
        &self,
        integration: &IntegrationId,
        request: &str,
        lookup: &Lookup,
    ) -> Done<()> {
        let mut table = self.transaction.open_table(tables::LOOKUPS)?;
        table.insert(
            (integration.as_str(), request),
            to_bytes("lookups-1", lookup)?.as_slice(),
        )?;
        Ok(())
    }

    /// Writes the schema version.
    pub(super) fn put_schema(&self, schema: u64) -> Done<()> {
        self.put_meta("schema", &schema)
    }

    /// Makes sure that every table is there, so that a view can open it.
    pub(super) fn make_tables(&self) -> Done<()> {
        tables::each(&mut Made(&self.transaction))
    }
}

fn link_of(one: &(String, Link)) -> &Link {
    &one.1
}

struct Made<'a>(&'a WriteTransaction);

impl tables::EachTable for Made<'_> {
    type Error = StoreError;

    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Done<()> {
        self.0.open_table(table)?;
        Ok(())
    }
}
