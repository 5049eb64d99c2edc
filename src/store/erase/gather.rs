//! Everything that the store knows of people that says who they are: names, emails, phones and residents, of today and of
//! before.

use std::collections::{BTreeMap, BTreeSet};

use redb::ReadableTable;

use crate::model::{Act, Alert, Change, Field, Link, Person, PersonId};
use crate::store::value::from_bytes;
use crate::store::write::Done;
use crate::store::{Write, tables};

use super::traces::Whole;

impl Whole {
    fn person(&mut self, person: &Person) {
        self.field(Field::FirstName, Some(&person.first_name));
        self.field(Field::LastName, Some(&person.last_name));
        self.field(Field::Email, person.email.as_deref());
        self.field(Field::Phone, person.phone.as_deref());
    }

    fn field(&mut self, field: Field, value: Option<&str>) {
        let known = match field {
            Field::FirstName => &mut self.first_names,
            Field::LastName => &mut self.last_names,
            Field::Email => &mut self.emails,
            Field::Phone => &mut self.phones,
            _ => return,
        };
        let value = value.map(str::trim).filter(|value| !value.is_empty());
        known.extend(value.map(String::from));
    }

    fn change(&mut self, change: &Change) {
        for field in &change.fields {
            self.field(field.field, field.before.as_deref());
            self.field(field.field, field.after.as_deref());
        }
    }

    fn link(&mut self, link: &Link) {
        if self.people.contains(&link.person) {
            self.field(Field::Email, link.email.as_deref());
        }
    }

    fn act(&mut self, act: &Act) {
        let people = act.people.iter();
        for person in people.flat_map(|swap| swap.before.iter().chain(&swap.after)) {
            if self.people.contains(&person.id) {
                self.person(person);
            }
        }
        let links = act.links.iter();
        for link in links.flat_map(|of| of.swap.before.iter().chain(&of.swap.after)) {
            self.link(link);
        }
    }

    fn alert(&mut self, alert: &Alert) {
        let theirs = |person: &PersonId| self.people.contains(person);
        let sides = alert.sides.iter();
        let sides = sides.filter(|side| side.person.as_ref().is_some_and(theirs));
        let values: Vec<(Field, String)> = sides.flat_map(|side| side.values.clone()).collect();
        for (field, value) in values {
            self.field(field, Some(&value));
        }
    }
}

impl Write {
    /// The humans that these people are, each with everything that says who it is. Whoever is erased already, or is not
    /// there, is none.
    pub(super) fn humans(&self, people: &BTreeSet<PersonId>) -> Done<Vec<Whole>> {
        let mut humans = Vec::new();
        for people in self.one_each(people)? {
            let mut human = Whole {
                people,
                ..Whole::default()
            };
            self.gather(&mut human)?;
            humans.push(human);
        }
        for entry in self.transaction.open_table(tables::ACTS)?.iter()? {
            let act: Act = from_bytes("acts-1", entry?.1.value())?;
            for human in &mut humans {
                human.act(&act);
            }
        }
        for entry in self.transaction.open_table(tables::ALERTS)?.iter()? {
            let alert: Alert = from_bytes("alerts-1", entry?.1.value())?;
            for human in &mut humans {
                human.alert(&alert);
            }
        }
        for human in &mut humans {
            for email in &human.emails {
                let holder = self.person_with_email(email)?;
                if holder.is_some_and(|holder| !human.people.contains(&holder)) {
                    human.handed_on.insert(email.clone());
                }
            }
        }
        Ok(humans)
    }

    /// Everybody who is one human with each of these: whoever became them.
    fn one_each(&self, people: &BTreeSet<PersonId>) -> Done<Vec<BTreeSet<PersonId>>> {
        let mut became: BTreeMap<PersonId, Vec<PersonId>> = BTreeMap::new();
        let mut there = BTreeSet::new();
        for entry in self.transaction.open_table(tables::PEOPLE)?.iter()? {
            let person: Person = from_bytes("people-1", entry?.1.value())?;
            if let Some(into) = person.merged_into.filter(|_| !person.erased) {
                became.entry(into).or_default().push(person.id);
            }
            if people.contains(&person.id) && !person.erased {
                there.insert(person.id);
            }
        }
        let mut done = BTreeSet::new();
        let mut all = Vec::new();
        for person in there {
            let (mut one, mut next) = (BTreeSet::new(), vec![person]);
            while let Some(person) = next.pop() {
                if done.insert(person) {
                    one.insert(person);
                    next.extend(became.get(&person).into_iter().flatten());
                }
            }
            if !one.is_empty() {
                all.push(one);
            }
        }
        Ok(all)
    }

    /// Everybody who is one human with a person: the person, and whoever became them.
    pub fn one_with(&self, person: PersonId) -> Done<BTreeSet<PersonId>> {
        let all = self.one_each(&BTreeSet::from([person]))?;
        Ok(all.into_iter().next().unwrap_or_default())
    }

    /// What tables say that are found by the person.
    fn gather(&self, human: &mut Whole) -> Done<()> {
        for id in human.people.clone() {
            if let Some(person) = self.person(id)? {
                human.person(&person);
            }
            for (integration, resident) in self.links_of(id)? {
                if let Some(link) = self.link(&integration, &resident)? {
                    human.link(&link);
                }
                human.residents.insert((integration, resident));
            }
            for change in self.all_changes_of(id)? {
                human.change(&change);
            }
        }
        Ok(())
    }

    fn all_changes_of(&self, person: PersonId) -> Done<Vec<Change>> {
        let index = self.transaction.open_table(tables::CHANGES_BY_PERSON)?;
        let changes = self.transaction.open_table(tables::CHANGES)?;
        let mut found = Vec::new();
        for entry in index.range((person.0, 0)..=(person.0, u64::MAX))? {
            if let Some(value) = changes.get(entry?.0.value().1)? {
                found.push(from_bytes("changes-1", value.value())?);
            }
        }
        Ok(found)
    }
}
