//! Every table held against every other: what is an index, what refers to what, what is counted. Changes
//! nothing, and tells of ids only.

mod records;

use redb::{Key, ReadTransaction, ReadableTable, TableDefinition, TableHandle, Value};

use crate::model::{Flaw, LeaseStatus, Link, Person, PersonId, Soundness};

use super::people::NOWHERE;
use super::value::{Read, from_bytes};
use super::{StoreError, View, name_key, tables};

type Done<T> = Result<T, StoreError>;
type Bytes = &'static [u8];

/// More of them are not told.
const MOST: usize = 1000;

struct Checking<'a> {
    transaction: &'a ReadTransaction,
    found: Soundness,
}

impl View {
    /// Holds every table against every other.
    pub fn verify(&self) -> Done<Soundness> {
        let mut checking = Checking {
            transaction: &self.transaction,
            found: Soundness::default(),
        };
        tables::each(&mut checking)?;
        checking.people()?;
        checking.links()?;
        checking.alerts()?;
        checking.changes()?;
        checking.runs()?;
        checking.reports(Checking::decisions)?;
        checking.acts()?;
        checking.reports(Checking::last_runs)?;
        checking.attachments()?;
        checking.lookups()?;
        checking.lanes()?;
        checking.erasures()?;
        checking.notices()?;
        Ok(checking.found)
    }
}

/// Counts the entries.
impl tables::EachTable for Checking<'_> {
    type Error = StoreError;

    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Done<()> {
        let mut entries = 0;
        for entry in self.transaction.open_table(table)?.iter()? {
            entry?;
            entries += 1;
        }
        self.found.entries.insert(table.name().to_owned(), entries);
        Ok(())
    }
}

/// What a table is looked up in while another is read.
struct Found<'a>(&'a mut Vec<Flaw>, &'static str);

impl Found<'_> {
    fn flaw(&mut self, what: impl Into<String>) {
        if self.0.len() < MOST {
            self.0.push(Flaw {
                table: self.1.to_owned(),
                what: what.into(),
            });
        }
    }

    fn unless(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.flaw(what());
        }
    }
}

impl Checking<'_> {
    /// Every value of a table; one that cannot be read is told.
    fn values<K: Key + 'static, T: Read>(
        &mut self,
        table: TableDefinition<'static, K, Bytes>,
        name: &'static str,
        mut check: impl FnMut(&mut Found<'_>, K::SelfType<'_>, T) -> Done<()>,
    ) -> Done<()> {
        let mut found = Found(&mut self.found.flaws, name);
        for entry in self.transaction.open_table(table)?.iter()? {
            let (key, value) = entry?;
            match from_bytes::<T>(name, value.value()) {
                Ok(value) => check(&mut found, key.value(), value)?,
                Err(error) => found.flaw(error.to_string()),
            }
        }
        Ok(())
    }

    /// Every entry of an index.
    fn index<K: Key + 'static, V: Value + 'static>(
        &mut self,
        table: TableDefinition<'static, K, V>,
        name: &'static str,
        mut check: impl FnMut(&mut Found<'_>, K::SelfType<'_>, V::SelfType<'_>) -> Done<()>,
    ) -> Done<()> {
        let mut found = Found(&mut self.found.flaws, name);
        for entry in self.transaction.open_table(table)?.iter()? {
            let (key, value) = entry?;
            check(&mut found, key.value(), value.value())?;
        }
        Ok(())
    }

    /// Checks reports: what does not fit there is a report that is lost, and the store is sound without.
    fn reports(&mut self, check: impl FnOnce(&mut Self) -> Done<()>) -> Done<()> {
        let flaws = std::mem::take(&mut self.found.flaws);
        let checked = check(self);
        let lost = std::mem::replace(&mut self.found.flaws, flaws);
        self.found.lost.extend(lost);
        checked
    }

    /// A value of a table, where it is there and can be read.
    fn getter<T: Read>(
        &self,
        table: TableDefinition<'static, u64, Bytes>,
    ) -> Done<impl Fn(u64) -> Done<Option<T>> + use<T>> {
        let table = self.transaction.open_table(table)?;
        Ok(move |id| {
            let value = table.get(id)?;
            // What cannot be read is told where its table is read.
            Ok(value.and_then(|value| from_bytes("", value.value()).ok()))
        })
    }

    /// Whether a value is there, be it readable or not.
    fn holder(
        &self,
        table: TableDefinition<'static, u64, Bytes>,
    ) -> Done<impl Fn(u64) -> Done<bool> + use<>> {
        let table = self.transaction.open_table(table)?;
        Ok(move |id| Ok(table.get(id)?.is_some()))
    }

    /// How many entries a table has.
    fn entries<K: Key + 'static, V: Value + 'static>(
        &self,
        table: TableDefinition<'static, K, V>,
    ) -> u64 {
        self.found
            .entries
            .get(table.name())
            .copied()
            .unwrap_or_default()
    }

    /// Whether an index may hold something that nothing leads to: where each entry of a table was found in it, and it
    /// has no more entries than that, it holds nothing else.
    fn is_exact<K: Key + 'static, V: Value + 'static>(
        &self,
        index: TableDefinition<'static, K, V>,
        flaws: usize,
        found: u64,
    ) -> bool {
        self.found.flaws.len() == flaws && self.entries(index) == found
    }

    /// A number of the meta table; 1 before it was ever written.
    fn number(&self, name: &str) -> Done<u64> {
        let meta = self.transaction.open_table(tables::META)?;
        let next = meta.get(name)?;
        next.map_or(Ok(1), |next| from_bytes("meta-1", next.value()))
    }

    fn people(&mut self) -> Done<()> {
        let emails = self.transaction.open_table(tables::PEOPLE_BY_EMAIL)?;
        let names = self.transaction.open_table(tables::PEOPLE_BY_NAME)?;
        let (next, holds) = (self.number("next-person")?, self.holder(tables::PEOPLE)?);
        let (flaws, mut by_email, mut by_name) = (self.found.flaws.len(), 0, 0);
        self.values(tables::PEOPLE, "people-1", |found, id, one: Person| {
            let who = PersonId(id);
            found.unless(one.id == who, || format!("{who} calls itself {}", one.id));
            found.unless(id < next, || {
                format!("{who} has a number that is given again")
            });
            if let Some(email) = one.email.as_deref() {
                let holder = emails.get(email)?.map(|holder| holder.value());
                let mine = holder == Some(id);
                by_email += 1;
                found.unless(mine, || format!("{who} is not found by the email it has"));
            }
            let key = name_key(&one.first_name, &one.last_name);
            for (property, stay) in &one.stays {
                let entry = names.get((property.as_str(), key.as_str(), id))?;
                by_name += 1;
                found.unless(entry.is_some(), || {
                    format!("{who} is not found by name at {property}")
                });
                let known = stay.status != LeaseStatus::Unknown;
                found.unless(known, || format!("{who} has no known status at {property}"));
            }
            if one.stays.is_empty() {
                let entry = names.get((NOWHERE, key.as_str(), id))?;
                by_name += 1;
                found.unless(entry.is_some(), || {
                    format!("{who} has no stay and is not found by name")
                });
            }
            if let Some(into) = one.merged_into {
                found.unless(holds(into.0)?, || {
                    format!("{who} became {into}, who is not there")
                });
            }
            if one.erased {
                let names = one.first_name.is_empty() && one.last_name.is_empty();
                let bare = names && one.email.is_none() && one.phone.is_none();
                found.unless(bare && one.stays.is_empty() && one.locks.is_empty(), || {
                    format!("{who} was erased, and something says who they were")
                });
            }
            if one.merged_into.is_some() || one.withdrawn {
                let bare = one.email.is_none() && one.stays.is_empty();
                found.unless(bare, || {
                    format!("{who} is somebody no more and holds an email or a stay")
                });
            }
            Ok(())
        })?;
        if self.is_exact(tables::PEOPLE_BY_EMAIL, flaws, by_email)
            && self.is_exact(tables::PEOPLE_BY_NAME, flaws, by_name)
        {
            return Ok(());
        }
        let person = self.getter::<Person>(tables::PEOPLE)?;
        self.index(
            tables::PEOPLE_BY_EMAIL,
            "people-by-email-1",
            |found, email, id| {
                let has = person(id)?.is_some_and(|one| one.email.as_deref() == Some(email));
                found.unless(has, || {
                    format!("an email leads to {}, who does not have it", PersonId(id))
                });
                Ok(())
            },
        )?;
        self.index(
            tables::PEOPLE_BY_NAME,
            "people-by-name-1",
            |found, key, ()| {
                let (property, name, id) = key;
                let has = person(id)?.is_some_and(|one| {
                    let mine = name_key(&one.first_name, &one.last_name) == name;
                    let is_there = match property {
                        NOWHERE => one.stays.is_empty(),
                        _ => one.stays.keys().any(|at| at.as_str() == property),
                    };
                    mine && is_there
                });
                found.unless(has, || {
                    format!(
                        "a name leads to {} at {property}, who is not called so there",
                        PersonId(id)
                    )
                });
                Ok(())
            },
        )
    }

    fn links(&mut self) -> Done<()> {
        let index = self.transaction.open_table(tables::LINKS_BY_PERSON)?;
        let person = self.getter::<Person>(tables::PEOPLE)?;
        let (flaws, links) = (self.found.flaws.len(), self.entries(tables::LINKS));
        self.values(
            tables::LINKS,
            "links-1",
            |found, (at, resident), link: Link| {
                let who = link.person;
                let entry = index.get((who.0, at, resident))?;
                found.unless(entry.is_some(), || {
                    format!("{resident} at {at} is not found by {who}")
                });
                let is_there =
                    |one: Person| one.merged_into.is_none() && !one.withdrawn && !one.erased;
                let there = person(who.0)?.map(is_there);
                found.unless(there == Some(true), || {
                    format!("{resident} at {at} is tied to {who}, who is not there any more")
                });
                Ok(())
            },
        )?;
        let exact = self.is_exact(tables::LINKS_BY_PERSON, flaws, links);
        let links = self.transaction.open_table(tables::LINKS)?;
        let mut counts = tables::link_counts(&links)?;
        self.index(
            tables::LINK_COUNTS,
            "link-counts-1",
            |found, at, counted| {
                let are = counts.remove(at).unwrap_or_default();
                found.unless(are == counted, || {
                    format!("{at} has {are} links, and is said to have {counted}")
                });
                Ok(())
            },
        )?;
        let mut found = Found(&mut self.found.flaws, "link-counts-1");
        for (at, are) in counts {
            found.flaw(format!("{at} has {are} links, which nobody counted"));
        }
        if exact {
            return Ok(());
        }
        self.index(
            tables::LINKS_BY_PERSON,
            "links-by-person-1",
            |found, key, ()| {
                let (id, at, resident) = key;
                let link = links.get((at, resident))?;
                let link: Option<Link> =
                    link.and_then(|link| from_bytes("links-1", link.value()).ok());
                found.unless(link.is_some_and(|link| link.person.0 == id), || {
                    format!(
                        "{} leads to {resident} at {at}, who is not tied to it",
                        PersonId(id)
                    )
                });
                Ok(())
            },
        )
    }
}
