//! Erasing people: everything that says who they were goes out of every table, and a tombstone is kept by which they are
//! known when they come back. Ids, counts and who did what stay. Whether somebody may be erased is decided elsewhere.

mod again;
mod gather;
mod memory;
mod records;
mod traces;
mod written;

use std::collections::BTreeSet;

use jiff::Timestamp;
use redb::{Key, ReadableTable, TableDefinition};

use crate::model::{ActId, Actor, Change, ChangeKind, Erasing, IntegrationId, Person, PersonId};

use super::tombstones::{Hash, Tombstone, Tombstones, digits, folded, name_of};
use super::value::{from_bytes, to_bytes};
use super::write::Done;
use super::{View, Write, tables};

pub use memory::Nameless;
use traces::{Traces, Whole};
use written::{About, Names};

type Bytes = &'static [u8];

/// Meta: how many people were erased: so many tombstones there should be.
const ERASED: &str = "erased";

/// Who erases, when, by which rule, and in which act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// By hand (`erase`), or by the rule of a property (`erase_after`).
    pub rule: String,
    /// The act.
    pub act: ActId,
    /// What whoever erases says of it.
    pub reason: Option<String>,
}

/// Who was erased.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erased {
    /// They, and those who became one with them.
    pub people: BTreeSet<PersonId>,
    /// What was written of it to the change log.
    pub changes: Vec<Change>,
    /// What was said of it, without what says who they were.
    pub reason: Option<String>,
}

/// What an erasure works with.
struct Erasure<'a> {
    write: &'a Write,
    why: &'a Why,
    people: BTreeSet<PersonId>,
    residents: BTreeSet<(IntegrationId, String)>,
    traces: Traces,
    names: Names,
}

impl View {
    /// Whether a person is to be erased once every target has heard of it.
    pub fn erasing(&self, person: PersonId) -> Done<Option<Erasing>> {
        let table = self.transaction.open_table(tables::ERASURES)?;
        let value = table.get(person.0)?;
        value
            .map(|value| from_bytes("erasures-1", value.value()))
            .transpose()
    }

    /// Whether somebody was erased, so that there should be tombstones.
    pub(super) fn has_erased(&self) -> Done<bool> {
        let meta = self.transaction.open_table(tables::META)?;
        let count = meta.get(ERASED)?;
        let count: Option<u64> = count
            .map(|count| from_bytes("meta-1", count.value()))
            .transpose()?;
        Ok(count.is_some_and(|count| count > 0))
    }

    /// Everybody who is to be erased once every target has heard of it.
    pub fn all_erasing(&self) -> Done<Vec<(PersonId, Erasing)>> {
        let table = self.transaction.open_table(tables::ERASURES)?;
        let all = table.iter()?.map(|entry| {
            let (person, value) = entry?;
            let value = from_bytes("erasures-1", value.value())?;
            Ok((PersonId(person.value()), value))
        });
        all.collect()
    }
}

impl Write {
    /// Whether a person is to be erased once every target has heard of it.
    pub fn erasing(&self, person: PersonId) -> Done<Option<Erasing>> {
        let table = self.transaction.open_table(tables::ERASURES)?;
        let value = table.get(person.0)?;
        value
            .map(|value| from_bytes("erasures-1", value.value()))
            .transpose()
    }

    /// Remembers that a person is to be erased, or that they are not.
    pub fn put_erasing(&self, person: PersonId, erasing: Option<&Erasing>) -> Done<()> {
        let mut table = self.transaction.open_table(tables::ERASURES)?;
        match erasing {
            Some(erasing) => table.insert(person.0, to_bytes("erasures-1", erasing)?.as_slice())?,
            None => table.remove(person.0)?,
        };
        Ok(())
    }

    /// Takes everything that says who these people are out of every table, and keeps a tombstone of each. Those who became
    /// one with them go along.
    pub fn erase(&self, people: &BTreeSet<PersonId>, why: &Why) -> Done<Erased> {
        let humans = self.humans(people)?;
        if humans.is_empty() {
            return Ok(Erased::default());
        }
        let stones = self.bury(&humans, why)?;
        let erasure = Erasure {
            write: self,
            why,
            people: humans.iter().flat_map(|one| one.people.clone()).collect(),
            residents: humans
                .iter()
                .flat_map(|one| one.residents.clone())
                .collect(),
            traces: Traces::of(&humans),
            names: Names::of(&humans),
        };
        // What is remembered goes first: it is found by where the people are.
        erasure.memory(&stones)?;
        let shared = records::shared(&emails_of(&humans));
        erasure.acts(&shared)?;
        erasure.alerts(&shared)?;
        erasure.changes()?;
        erasure.decisions()?;
        erasure.guards()?;
        erasure.texts()?;
        erasure.deliveries()?;
        let changes = erasure.themselves()?;
        let reason = why.reason.clone();
        let cleaned = reason
            .as_deref()
            .and_then(|reason| erasure.written(reason, About::Them));
        Ok(Erased {
            people: erasure.people,
            changes,
            reason: cleaned.or(reason),
        })
    }

    /// Keeps tombstones of these, from the commit on.
    fn bury(&self, humans: &[Whole], why: &Why) -> Done<Tombstones> {
        let store = self.own_identity()?.id;
        let stones = self.tombstones().as_ref().clone();
        let stones = stones.with_key().map_err(|error| self.not_buried(error))?;
        let new = humans
            .iter()
            .map(|human| tombstone(&stones, &store, human, why.at));
        let new = new.collect();
        let stones = stones.with(new);
        self.keep_tombstones(stones.clone());
        Ok(stones)
    }

    /// Lets somebody who was erased come in again under this PMS id, or not any more.
    pub fn admit(&self, resident: &str, admitted: bool) {
        let stones = self.tombstones().as_ref().clone();
        self.keep_tombstones(stones.admitting(resident, admitted));
    }
}

fn tombstone(hashing: &Tombstones, store: &str, human: &Whole, at: Timestamp) -> Tombstone {
    let hash = |kind: &'static str| move |text: String| hashing.hash(kind, &text);
    let texts = human
        .emails
        .iter()
        .map(|email| folded(email))
        .chain(human.called().map(|name| folded(&name)))
        .chain(human.phones.iter().filter_map(|phone| digits(phone)));
    let parts = human.first_names.iter().chain(&human.last_names);
    Tombstone {
        store: store.to_owned(),
        people: human.people.clone(),
        at,
        ids: human
            .residents
            .iter()
            .map(|(_, resident)| hashing.hash("id", resident))
            .collect(),
        emails: human.emails.iter().cloned().map(hash("email")).collect(),
        names: human
            .names()
            .filter_map(|(first, last)| name_of(first, last))
            .map(hash("name"))
            .collect(),
        texts: texts.map(hash("text")).collect(),
        parts: parts.map(|part| folded(part)).map(hash("part")).collect(),
        admitted: BTreeSet::<Hash>::new(),
    }
}

fn emails_of(humans: &[Whole]) -> BTreeSet<&str> {
    let emails = humans.iter().flat_map(|human| &human.emails);
    emails.map(String::as_str).collect()
}

impl Erasure<'_> {
    /// Writes the entries of a table anew of which `anew` says something else.
    fn rewrite<K: Key + 'static>(
        &self,
        table: TableDefinition<'static, K, Bytes>,
        mut anew: impl FnMut(&K::SelfType<'_>, &[u8]) -> Done<Option<Vec<u8>>>,
    ) -> Done<()> {
        let mut table = self.write.transaction.open_table(table)?;
        let mut changed = Vec::new();
        for entry in table.iter()? {
            let (key, value) = entry?;
            let key = key.value();
            if let Some(value) = anew(&key, value.value())? {
                changed.push((K::as_bytes(&key).as_ref().to_vec(), value));
            }
        }
        for (key, value) in changed {
            table.insert(K::from_bytes(&key), value.as_slice())?;
        }
        Ok(())
    }

    /// A value that is kept as JSON, without what says who somebody is.
    fn clean(&self, value: &[u8]) -> Option<Vec<u8>> {
        if !self.traces.touch(value) {
            return None;
        }
        let text = std::str::from_utf8(value).ok()?;
        Some(self.traces.clean(text)?.into_bytes())
    }

    /// What somebody wrote, without what says who somebody is; none where it says nothing of it.
    fn written(&self, text: &str, about: About) -> Option<String> {
        let whole = self.traces.clean(text);
        let parts = self.names.clean(whole.as_deref().unwrap_or(text), about);
        parts.or(whole)
    }

    /// The same in its place. Whether there was anything.
    fn clean_written(&self, text: &mut String, about: About) -> bool {
        let cleaned = self.written(text, about);
        let is_other = cleaned.is_some();
        if let Some(cleaned) = cleaned {
            *text = cleaned;
        }
        is_other
    }

    /// The people: ids, how and when they came to be, and whom they became.
    fn themselves(&self) -> Done<Vec<Change>> {
        let mut changes = Vec::new();
        for id in &self.people {
            for (integration, resident) in self.write.links_of(*id)? {
                self.write.remove_link(&integration, &resident)?;
            }
            self.write.put_erasing(*id, None)?;
            let Some(before) = self.write.person(*id)? else {
                continue;
            };
            let after = Person {
                erased: true,
                merged_into: before.merged_into,
                withdrawn: before.withdrawn,
                ..Person::new(*id, before.origin, before.created)
            };
            self.write.put_person(&after)?;
            changes.push(Change {
                seq: 0,
                at: self.why.at,
                person: *id,
                kind: ChangeKind::Erased,
                integration: None,
                from: None,
                resident: None,
                run: None,
                rule: self.why.rule.clone(),
                fields: Vec::new(),
                actor: self.why.by.clone(),
                act: None,
            });
        }
        self.write.append_changes(&mut changes)?;
        let before: u64 = self.write.meta(ERASED)?.unwrap_or(0);
        let more = u64::try_from(self.people.len()).unwrap_or(u64::MAX);
        self.write.put_meta(ERASED, &before.saturating_add(more))?;
        Ok(changes)
    }
}
