//! What is remembered of integrations as a whole, who is at one of them, and giving to one what is another's (R46).
//! Which goes where is decided elsewhere.

use std::collections::BTreeSet;

use redb::ReadableTable;

use crate::model::{Attachment, GuardState, Holdings, IntegrationId, PersonId, Run};

use super::value::{from_bytes, to_bytes};
use super::write::Done;
use super::{View, Write, tables};

fn read(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    integration: &IntegrationId,
) -> Done<Option<Attachment>> {
    let value = table.get(integration.as_str())?;
    value
        .map(|value| from_bytes("attachments-1", value.value()))
        .transpose()
}

impl View {
    /// What is remembered of an integration.
    pub fn attachment(&self, integration: &IntegrationId) -> Done<Option<Attachment>> {
        let table = self.transaction.open_table(tables::ATTACHMENTS)?;
        read(&table, integration)
    }

    /// What is known of every integration of which something is remembered, or at which somebody is linked.
    pub fn holdings(&self) -> Done<Holdings> {
        let mut holdings = Holdings::new();
        for entry in self.transaction.open_table(tables::ATTACHMENTS)?.iter()? {
            let (id, value) = entry?;
            let holding = holdings.entry(IntegrationId::new(id.value())).or_default();
            holding.attachment = Some(from_bytes("attachments-1", value.value())?);
        }
        for entry in self.transaction.open_table(tables::LINK_COUNTS)?.iter()? {
            let (id, count) = entry?;
            if count.value() > 0 {
                let holding = holdings.entry(IntegrationId::new(id.value())).or_default();
                holding.linked = count.value();
            }
        }
        Ok(holdings)
    }
}

impl Write {
    /// What is remembered of an integration.
    pub fn attachment(&self, integration: &IntegrationId) -> Done<Option<Attachment>> {
        let table = self.transaction.open_table(tables::ATTACHMENTS)?;
        read(&table, integration)
    }

    /// Remembers something of an integration, or forgets it.
    pub fn put_attachment(
        &self,
        integration: &IntegrationId,
        attachment: Option<&Attachment>,
    ) -> Done<()> {
        let mut table = self.transaction.open_table(tables::ATTACHMENTS)?;
        let key = integration.as_str();
        match attachment {
            Some(attachment) => {
                table.insert(key, to_bytes("attachments-1", attachment)?.as_slice())?
            }
            None => table.remove(key)?,
        };
        Ok(())
    }

    /// The people who have a stay at an integration, over or not.
    pub fn people_at(&self, integration: &IntegrationId) -> Done<BTreeSet<PersonId>> {
        let table = self.transaction.open_table(tables::PEOPLE_BY_NAME)?;
        let mut people = BTreeSet::new();
        for entry in table.range((integration.as_str(), "", 0)..)? {
            let (key, ()) = entry.map(|(key, value)| (key, value.value()))?;
            let (of, _, person) = key.value();
            if of != integration.as_str() {
                break;
            }
            people.insert(PersonId(person));
        }
        Ok(people)
    }

    /// Gives the runs of an integration, and what they decided, to another.
    pub fn give_runs(&self, from: &IntegrationId, to: &IntegrationId) -> Done<()> {
        for id in self.run_ids(from)? {
            let Some(run) = self.run(id)? else { continue };
            self.put_run(&Run {
                integration: to.clone(),
                ..run
            })?;
            let mut index = self.transaction.open_table(tables::RUNS_BY_INTEGRATION)?;
            index.remove((from.as_str(), id.0))?;
        }
        self.give_decisions(from, to)
    }

    /// Gives the kept answers of lookup requests to another integration; those that it has itself stay.
    pub fn give_lookups(&self, from: &IntegrationId, to: &IntegrationId) -> Done<()> {
        let mut table = self.transaction.open_table(tables::LOOKUPS)?;
        let mut found = Vec::new();
        for entry in table.range((from.as_str(), "")..)? {
            let (key, value) = entry?;
            let (of, request) = key.value();
            if of != from.as_str() {
                break;
            }
            found.push((request.to_owned(), value.value().to_vec()));
        }
        for (request, value) in found {
            table.remove((from.as_str(), request.as_str()))?;
            let key = (to.as_str(), request.as_str());
            if table.get(key)?.is_none() {
                table.insert(key, value.as_slice())?;
            }
        }
        Ok(())
    }

    /// Forgets when an integration ran, and gives what was known of it.
    pub fn take_history(&self, integration: &IntegrationId) -> Done<super::History> {
        let history = self.history(integration)?;
        let mut table = self.transaction.open_table(tables::HISTORIES)?;
        table.remove(integration.as_str())?;
        Ok(history)
    }

    /// Forgets what the guard knows of an integration, and gives it.
    pub fn take_guard(&self, integration: &IntegrationId) -> Done<GuardState> {
        let state = self.guard(integration)?;
        let mut table = self.transaction.open_table(tables::GUARDS)?;
        table.remove(integration.as_str())?;
        Ok(state)
    }
}
