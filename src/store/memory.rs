//! What runs remember of their feeds, as bytes in a form that is theirs, and of whom something was written since.
//! All of it can be dropped at any time: the next run looks at everything again.

use redb::ReadableTable;

use crate::model::{IntegrationId, Link, Person, PersonId};

use super::write::Done;
use super::{View, Write, tables};

/// Of whom something was written since a feed was remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stirred {
    /// Of a person.
    Person(PersonId),
    /// Of the link of a resident, by the PMS id.
    Resident(String),
}

impl View {
    /// What is remembered of a feed, part by part.
    pub fn feed(&self, integration: &IntegrationId) -> Done<Vec<Vec<u8>>> {
        let table = self.transaction.open_table(tables::FEEDS)?;
        let all = (integration.as_str(), 0)..=(integration.as_str(), u32::MAX);
        let parts = table.range(all)?;
        parts.map(|part| Ok(part?.1.value().to_vec())).collect()
    }
}

impl Write {
    /// The first part of what is remembered of a feed.
    pub fn first_of_feed(&self, integration: &IntegrationId) -> Done<Option<Vec<u8>>> {
        let table = self.transaction.open_table(tables::FEEDS)?;
        let part = table.get((integration.as_str(), 0))?;
        Ok(part.map(|part| part.value().to_vec()))
    }

    /// Remembers a part of a feed.
    pub fn put_feed(&self, integration: &IntegrationId, part: u32, bytes: &[u8]) -> Done<()> {
        let mut table = self.transaction.open_table(tables::FEEDS)?;
        table.insert((integration.as_str(), part), bytes)?;
        Ok(())
    }

    /// Forgets the parts of a feed from this one on.
    pub fn cut_feed(&self, integration: &IntegrationId, from: u32) -> Done<()> {
        let mut table = self.transaction.open_table(tables::FEEDS)?;
        let rest = (integration.as_str(), from)..=(integration.as_str(), u32::MAX);
        table.retain_in(rest, |_, _| false)?;
        Ok(())
    }

    /// Forgets a feed, and what was made of its records.
    pub fn forget_feed(&self, integration: &IntegrationId) -> Done<()> {
        self.cut_feed(integration, 0)?;
        let mut table = self.transaction.open_table(tables::REMEMBERED)?;
        let all = (integration.as_str(), 0)..=(integration.as_str(), u128::MAX);
        table.retain_in(all, |_, _| false)?;
        Ok(())
    }

    /// What a run made of a record, by its print.
    pub fn remembered(&self, integration: &IntegrationId, print: u128) -> Done<Option<Vec<u8>>> {
        let table = self.transaction.open_table(tables::REMEMBERED)?;
        let value = table.get((integration.as_str(), print))?;
        Ok(value.map(|value| value.value().to_vec()))
    }

    /// Remembers what a run made of records, and forgets it of those that have nothing. In the order of their prints
    /// it is written fastest.
    pub fn remember(
        &self,
        integration: &IntegrationId,
        records: impl IntoIterator<Item = Done<(u128, Option<Vec<u8>>)>>,
    ) -> Done<()> {
        let mut table = self.transaction.open_table(tables::REMEMBERED)?;
        for record in records {
            let (print, made) = record?;
            let key = (integration.as_str(), print);
            match made {
                Some(made) => table.insert(key, made.as_slice())?,
                None => table.remove(key)?,
            };
        }
        Ok(())
    }

    /// Of whom something was written since the feed was remembered.
    pub fn stirred(&self, integration: &IntegrationId) -> Done<Vec<Stirred>> {
        let table = self.transaction.open_table(tables::STIRRED)?;
        let mut stirred = Vec::new();
        for entry in table.range((integration.as_str(), 0, "")..)? {
            let (key, ()) = entry.map(|(key, value)| (key, value.value()))?;
            let (of, person, resident) = key.value();
            if of != integration.as_str() {
                break;
            }
            stirred.push(match person {
                0 => Stirred::Resident(resident.to_owned()),
                person => Stirred::Person(PersonId(person)),
            });
        }
        Ok(stirred)
    }

    /// The feed is remembered as it is now.
    pub fn settle_stirred(&self, integration: &IntegrationId) -> Done<()> {
        let mut table = self.transaction.open_table(tables::STIRRED)?;
        let all = (integration.as_str(), 0, "")..=(integration.as_str(), u64::MAX, "");
        table.retain_in(all, |_, ()| false)?;
        Ok(())
    }

    /// Something is written of these, which the integration has to look at again.
    pub fn stir(
        &self,
        integration: &IntegrationId,
        stirred: impl IntoIterator<Item = Stirred>,
    ) -> Done<()> {
        let mut table = self.transaction.open_table(tables::STIRRED)?;
        for one in stirred {
            match &one {
                Stirred::Person(person) => {
                    table.insert((integration.as_str(), person.0, ""), ())?;
                }
                Stirred::Resident(resident) => {
                    table.insert((integration.as_str(), 0, resident.as_str()), ())?;
                }
            }
        }
        Ok(())
    }

    /// A person is written: every property where they are, or were, has to look at them again.
    pub(super) fn stir_person(&self, before: Option<&Person>, after: &Person) -> Done<()> {
        let here = before.into_iter().chain([after]);
        let places = here.flat_map(|person| person.stays.keys());
        for integration in places.filter(|place| Some(*place) != self.run_of.as_ref()) {
            self.stir(integration, [Stirred::Person(after.id)])?;
        }
        Ok(())
    }

    /// A link is written.
    pub(super) fn stir_link(
        &self,
        integration: &IntegrationId,
        resident: &str,
        links: &[Option<&Link>],
    ) -> Done<()> {
        if Some(integration) == self.run_of.as_ref() {
            return Ok(());
        }
        let people = links
            .iter()
            .flatten()
            .map(|link| Stirred::Person(link.person));
        let resident = Stirred::Resident(resident.to_owned());
        self.stir(integration, people.chain([resident]))
    }
}
