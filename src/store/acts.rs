//! What acts write: their record, what is remembered, and the links that they take away.

use std::collections::{BTreeMap, BTreeSet};

use redb::ReadableTable;

use crate::model::{Act, ActId, IntegrationId, Link, PersonId, Ruling};

use super::value::{from_bytes, to_bytes};
use super::write::Done;
use super::{View, Write, tables};

pub(super) const NEXT_ACT: &str = "next-act";

impl View {
    /// A link.
    pub fn link(&self, integration: &IntegrationId, resident: &str) -> Done<Option<Link>> {
        let table = self.transaction.open_table(tables::LINKS)?;
        table
            .get((integration.as_str(), resident))?
            .map(|value| from_bytes("links-1", value.value()))
            .transpose()
    }

    /// The PMS ids of an integration's residents who are linked and whose id begins so.
    pub fn residents_from(
        &self,
        integration: &IntegrationId,
        begins: &str,
    ) -> Done<BTreeSet<String>> {
        let table = self.transaction.open_table(tables::LINKS)?;
        let mut found = BTreeSet::new();
        for entry in table.range((integration.as_str(), begins)..)? {
            let (key, _) = entry?;
            let (of, resident) = key.value();
            if of != integration.as_str() || !resident.starts_with(begins) {
                break;
            }
            found.insert(resident.to_owned());
        }
        Ok(found)
    }

    /// What is remembered of a resident.
    pub fn ruling(&self, integration: &IntegrationId, resident: &str) -> Done<Option<Ruling>> {
        let table = self.transaction.open_table(tables::RULINGS)?;
        table
            .get((integration.as_str(), resident))?
            .map(|value| from_bytes("rulings-1", value.value()))
            .transpose()
    }

    /// Something done by hand.
    pub fn act(&self, id: ActId) -> Done<Option<Act>> {
        let table = self.transaction.open_table(tables::ACTS)?;
        table
            .get(id.0)?
            .map(|value| from_bytes("acts-1", value.value()))
            .transpose()
    }
}

impl Write {
    /// An id that no act ever had.
    pub fn new_act_id(&self) -> Done<ActId> {
        self.take_number(NEXT_ACT).map(ActId)
    }

    /// Something done by hand.
    pub fn act(&self, id: ActId) -> Done<Option<Act>> {
        let table = self.transaction.open_table(tables::ACTS)?;
        table
            .get(id.0)?
            .map(|value| from_bytes("acts-1", value.value()))
            .transpose()
    }

    /// Writes something done by hand, new or not.
    pub fn put_act(&self, act: &Act) -> Done<()> {
        let mut table = self.transaction.open_table(tables::ACTS)?;
        table.insert(act.id.0, to_bytes("acts-1", act)?.as_slice())?;
        Ok(())
    }

    /// A link.
    pub fn link(&self, integration: &IntegrationId, resident: &str) -> Done<Option<Link>> {
        let table = self.transaction.open_table(tables::LINKS)?;
        table
            .get((integration.as_str(), resident))?
            .map(|value| from_bytes("links-1", value.value()))
            .transpose()
    }

    /// The links of a person.
    pub fn links_of(&self, person: PersonId) -> Done<Vec<(IntegrationId, String)>> {
        let table = self.transaction.open_table(tables::LINKS_BY_PERSON)?;
        let mut links = Vec::new();
        for entry in table.range((person.0, "", "")..)? {
            let (key, _) = entry?;
            let (of, integration, resident) = key.value();
            if of != person.0 {
                break;
            }
            links.push((IntegrationId::new(integration), resident.to_owned()));
        }
        Ok(links)
    }

    /// Takes a link away.
    pub fn remove_link(&self, integration: &IntegrationId, resident: &str) -> Done<()> {
        let mut links = self.transaction.open_table(tables::LINKS)?;
        let mut index = self.transaction.open_table(tables::LINKS_BY_PERSON)?;
        let before: Option<Link> = links
            .remove((integration.as_str(), resident))?
            .map(|value| from_bytes("links-1", value.value()))
            .transpose()?;
        if let Some(before) = &before {
            index.remove((before.person.0, integration.as_str(), resident))?;
            self.recount_links(integration, |count| count.saturating_sub(1))?;
        }
        self.stir_link(integration, resident, &[before.as_ref()])
    }

    /// What is remembered of a resident.
    pub fn ruling(&self, integration: &IntegrationId, resident: &str) -> Done<Option<Ruling>> {
        let table = self.transaction.open_table(tables::RULINGS)?;
        table
            .get((integration.as_str(), resident))?
            .map(|value| from_bytes("rulings-1", value.value()))
            .transpose()
    }

    /// Remembers something of a resident, or forgets it.
    pub fn put_ruling(
        &self,
        integration: &IntegrationId,
        resident: &str,
        ruling: Option<&Ruling>,
    ) -> Done<()> {
        let mut table = self.transaction.open_table(tables::RULINGS)?;
        let key = (integration.as_str(), resident);
        match ruling {
            Some(ruling) => table.insert(key, to_bytes("rulings-1", ruling)?.as_slice())?,
            None => table.remove(key)?,
        };
        Ok(())
    }

    /// What is remembered of the residents of an integration, by their PMS ids.
    pub fn rulings(&self, integration: &IntegrationId) -> Done<BTreeMap<String, Ruling>> {
        let table = self.transaction.open_table(tables::RULINGS)?;
        let mut rulings = BTreeMap::new();
        for entry in table.range((integration.as_str(), "")..)? {
            let (key, value) = entry?;
            let (of, resident) = key.value();
            if of != integration.as_str() {
                break;
            }
            rulings.insert(resident.to_owned(), from_bytes("rulings-1", value.value())?);
        }
        Ok(rulings)
    }
}
