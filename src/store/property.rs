//! The people of the store as the rules ask for them: seen from one integration.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{self, IntegrationId, Person, PersonId};

use super::people::People;
use super::{StoreError, Write};

/// The people as one integration sees them. While somebody has it, nobody else writes to people.
pub struct Property<'a> {
    write: &'a Write,
    people: People<'a>,
    integration: &'a IntegrationId,
}

impl<'a> Property<'a> {
    /// The people as an integration sees them.
    pub fn of(
        write: &'a Write,
        integration: &'a IntegrationId,
    ) -> Result<Property<'a>, StoreError> {
        Ok(Property {
            write,
            people: write.people()?,
            integration,
        })
    }

    /// Keeps which ids were given.
    pub fn settle(self) -> Result<(), StoreError> {
        self.people.settle()
    }
}

impl model::People for Property<'_> {
    type Error = StoreError;

    fn person(&self, id: PersonId) -> Result<Option<Person>, StoreError> {
        self.people.person(id)
    }

    fn named_elsewhere(&self, id: PersonId) -> Result<Person, StoreError> {
        self.people.person(id)?.ok_or_else(|| StoreError::Value {
            table: "people-1",
            what: format!("{id} is named by a link or an index, and is not there"),
        })
    }

    fn person_with_email(&self, email: &str) -> Result<Option<PersonId>, StoreError> {
        self.people.person_with_email(email)
    }

    fn people_named(&self, first: &str, last: &str) -> Result<Vec<PersonId>, StoreError> {
        self.people.people_named(self.integration, first, last)
    }

    fn linked_since(&self, id: PersonId) -> Result<BTreeMap<IntegrationId, Timestamp>, StoreError> {
        let mut links = Vec::new();
        for (integration, resident) in self.write.links_of(id)? {
            let link = self.write.link(&integration, &resident)?;
            links.extend(link.map(|link| (integration, link.status.is_closed(), link.since)));
        }
        // The last one that is put in stands: the earliest that is not over.
        links.sort_by_key(|(_, is_over, since)| std::cmp::Reverse((*is_over, *since)));
        let since = links
            .into_iter()
            .map(|(integration, _, since)| (integration, since));
        Ok(since.collect())
    }

    fn new_person_id(&self) -> Result<PersonId, StoreError> {
        self.people.new_person_id()
    }
}
