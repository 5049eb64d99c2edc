//! Units that somebody mapped by hand (R35): beside the mapping lists in files, which go before them.

use std::collections::BTreeMap;

use redb::ReadableTable;

use crate::model::IntegrationId;

use super::write::Done;
use super::{View, Write, tables};

fn of(
    table: &impl ReadableTable<(&'static str, &'static str), &'static str>,
    integration: &IntegrationId,
) -> Done<BTreeMap<String, String>> {
    let mut units = BTreeMap::new();
    for entry in table.range((integration.as_str(), "")..)? {
        let (key, here) = entry?;
        let (of, unit) = key.value();
        if of != integration.as_str() {
            break;
        }
        units.insert(unit.to_owned(), here.value().to_owned());
    }
    Ok(units)
}

impl View {
    /// The units of an integration that were mapped by hand: PMS unit, unit here.
    pub fn units(&self, integration: &IntegrationId) -> Done<BTreeMap<String, String>> {
        of(&self.transaction.open_table(tables::UNITS)?, integration)
    }
}

impl Write {
    /// The units of an integration that were mapped by hand: PMS unit, unit here.
    pub fn units(&self, integration: &IntegrationId) -> Done<BTreeMap<String, String>> {
        of(&self.transaction.open_table(tables::UNITS)?, integration)
    }

    /// Maps a PMS unit onto a unit here, or forgets that it was.
    pub fn put_unit(
        &self,
        integration: &IntegrationId,
        unit: &str,
        here: Option<&str>,
    ) -> Done<()> {
        let mut table = self.transaction.open_table(tables::UNITS)?;
        let key = (integration.as_str(), unit);
        match here {
            Some(here) => table.insert(key, here)?,
            None => table.remove(key)?,
        };
        Ok(())
    }
}
