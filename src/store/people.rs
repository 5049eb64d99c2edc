//! The people of the store as a run asks for them: with their tables open from the first question to the last.

use std::cell::Cell;
use std::collections::BTreeMap;

use redb::{ReadableTable, Table};

use crate::model::{IntegrationId, Person, PersonId};

use super::value::{each_to_bytes, from_bytes, itself};
use super::write::{Done, NEXT_PERSON};
use super::{StoreError, Write, name_key, tables};

/// Where people without a stay stand among those found by name.
pub(super) const NOWHERE: &str = "";

/// The people of the store. While somebody has them, nobody else writes to them.
pub struct People<'a> {
    write: &'a Write,
    by_id: Table<'a, u64, &'static [u8]>,
    by_email: Table<'a, &'static str, u64>,
    by_name: Table<'a, (&'static str, &'static str, u64), ()>,
    /// The next id, where one was given.
    next: Cell<Option<u64>>,
}

impl Write {
    /// The people of the store.
    pub fn people(&self) -> Done<People<'_>> {
        Ok(People {
            write: self,
            by_id: self.transaction.open_table(tables::PEOPLE)?,
            by_email: self.transaction.open_table(tables::PEOPLE_BY_EMAIL)?,
            by_name: self.transaction.open_table(tables::PEOPLE_BY_NAME)?,
            next: Cell::new(None),
        })
    }
}

impl Write {
    /// People without a stay are found by name, as others are: earlier versions left them out.
    pub(super) fn index_people_without_stays(&self) -> Done<()> {
        let people = self.transaction.open_table(tables::PEOPLE)?;
        let mut by_name = self.transaction.open_table(tables::PEOPLE_BY_NAME)?;
        for entry in people.iter()? {
            let person: Person = from_bytes("people-1", entry?.1.value())?;
            if person.stays.is_empty() {
                let key = name_key(&person.first_name, &person.last_name);
                by_name.insert((NOWHERE, key.as_str(), person.id.0), ())?;
            }
        }
        Ok(())
    }
}

impl People<'_> {
    /// A person.
    pub fn person(&self, id: PersonId) -> Done<Option<Person>> {
        let person = self.by_id.get(id.0)?;
        person
            .map(|value| from_bytes("people-1", value.value()))
            .transpose()
    }

    /// The person with an email, in the form of R10.
    pub fn person_with_email(&self, email: &str) -> Done<Option<PersonId>> {
        let person = self.by_email.get(email)?;
        Ok(person.map(|value| PersonId(value.value())))
    }

    /// The people of a property with these names, without regard to case.
    pub fn people_named(
        &self,
        integration: &IntegrationId,
        first: &str,
        last: &str,
    ) -> Done<Vec<PersonId>> {
        let name = name_key(first, last);
        let begin = (integration.as_str(), name.as_str(), 0);
        let end = (integration.as_str(), name.as_str(), u64::MAX);
        let range = self.by_name.range(begin..=end)?;
        range
            .map(|entry| Ok(PersonId(entry?.0.value().2)))
            .collect()
    }

    /// An id that no person ever had.
    pub fn new_person_id(&self) -> Done<PersonId> {
        let id = match self.next.get() {
            Some(id) => id,
            None => self.write.number(NEXT_PERSON)?,
        };
        self.next.set(Some(id + 1));
        Ok(PersonId(id))
    }

    /// Ends the questions: the ids that were given are taken.
    pub fn settle(self) -> Done<()> {
        let People { write, next, .. } = self;
        match next.get() {
            Some(next) => write.put_number(NEXT_PERSON, next),
            None => Ok(()),
        }
    }

    /// Writes people, new or not, each once.
    pub fn put(&mut self, people: &[Person]) -> Done<()> {
        self.put_many(people.iter().cloned().map(Ok::<_, StoreError>))
    }

    /// Writes people, new or not, each once, as they come. What is found by email and by name is written in its own
    /// order, which is much faster for many.
    pub fn put_many<E: Into<StoreError>>(
        &mut self,
        people: impl IntoIterator<Item = Result<Person, E>, IntoIter: Send>,
    ) -> Done<()> {
        let mut emails: Vec<(Box<str>, PersonId)> = Vec::new();
        let mut names: BTreeMap<String, Vec<(Box<str>, PersonId)>> = BTreeMap::new();
        each_to_bytes("people-1", people, itself, |person, value| {
            let before = self.person(person.id)?;
            let email = before.as_ref().and_then(|before| before.email.as_deref());
            if email != person.email.as_deref() {
                if let Some(email) = email {
                    self.by_email.remove(email)?;
                }
                emails.extend(
                    person
                        .email
                        .as_deref()
                        .map(|email| (email.into(), person.id)),
                );
            }
            let key = name_key(&person.first_name, &person.last_name);
            let mut known = None;
            if let Some(before) = &before {
                let called = name_key(&before.first_name, &before.last_name);
                self.forget_name(before, &person, &called, called == key)?;
                known = (called == key).then_some(before);
            }
            let stays = person.stays.keys();
            let new = stays.filter(|at| known.is_none_or(|known| !known.stays.contains_key(*at)));
            let new = new.map(IntegrationId::as_str);
            let is_nowhere = person.stays.is_empty();
            let was_nowhere = known.is_some_and(|known| known.stays.is_empty());
            for place in new.chain((is_nowhere && !was_nowhere).then_some(NOWHERE)) {
                let one = (key.as_str().into(), person.id);
                match names.get_mut(place) {
                    Some(there) => there.push(one),
                    None => drop(names.insert(place.to_owned(), vec![one])),
                }
            }
            self.by_id.insert(person.id.0, value)?;
            self.write.stir_person(before.as_ref(), &person)
        })?;
        emails.sort_unstable();
        for (email, person) in emails {
            self.give_email(&email, person)?;
        }
        for (place, mut names) in names {
            names.sort_unstable();
            for (key, person) in names {
                self.by_name.insert((place.as_str(), &*key, person.0), ())?;
            }
        }
        Ok(())
    }

    /// Whoever is called or lives otherwise now is not found by what was before.
    fn forget_name(
        &mut self,
        before: &Person,
        after: &Person,
        called: &str,
        is_called_so: bool,
    ) -> Done<()> {
        for integration in before.stays.keys() {
            if !is_called_so || !after.stays.contains_key(integration) {
                let known = (integration.as_str(), called, before.id.0);
                self.by_name.remove(known)?;
            }
        }
        if before.stays.is_empty() && (!is_called_so || !after.stays.is_empty()) {
            self.by_name.remove((NOWHERE, called, before.id.0))?;
        }
        Ok(())
    }

    fn give_email(&mut self, email: &str, person: PersonId) -> Done<()> {
        let taken = self.by_email.insert(email, person.0)?;
        match taken.map(|other| PersonId(other.value())) {
            Some(other) if other != person => Err(super::StoreError::Value {
                table: "people-by-email-1",
                what: format!("{other} has the email that {person} was to get"),
            }),
            _ => Ok(()),
        }
    }
}
