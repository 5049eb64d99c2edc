//! What is kept of notifications, by their names: in a form that those know who tell. Knows no message, and judges nothing.

use std::collections::BTreeSet;

use redb::ReadableTable;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::{Alert, AlertId, AlertKind};

use super::value::{any_from_bytes, any_to_bytes};
use super::write::Done;
use super::{View, Write, tables};

const NOTICES: &str = "notices-1";

impl View {
    /// What is kept of a notification.
    pub fn notice<T: DeserializeOwned>(&self, name: &str) -> Done<Option<T>> {
        let table = self.transaction.open_table(tables::NOTICES)?;
        let value = table.get(name)?;
        value
            .map(|value| any_from_bytes(NOTICES, value.value()))
            .transpose()
    }

    /// The notifications of which something is kept, whether there still is one of that name or not.
    pub fn notices_known(&self) -> Done<Vec<String>> {
        let table = self.transaction.open_table(tables::NOTICES)?;
        let known = table.iter()?;
        known.map(|entry| Ok(entry?.0.value().to_owned())).collect()
    }

    /// The open alerts of some kinds, by kind and id.
    pub fn open_alerts_of(&self, kinds: &BTreeSet<AlertKind>) -> Done<Vec<Alert>> {
        let mut open = Vec::new();
        for kind in kinds {
            self.each_open_of(*kind, |alert| open.push(alert))?;
        }
        Ok(open)
    }

    /// The highest id of an alert that is kept.
    pub fn last_alert(&self) -> Done<Option<AlertId>> {
        let table = self.transaction.open_table(tables::ALERTS)?;
        Ok(table.last()?.map(|(id, _)| AlertId(id.value())))
    }
}

impl Write {
    /// Keeps what is known of a notification.
    pub fn put_notice<T: Serialize>(&self, name: &str, value: &T) -> Done<()> {
        let mut table = self.transaction.open_table(tables::NOTICES)?;
        table.insert(name, any_to_bytes(NOTICES, value)?.as_slice())?;
        Ok(())
    }

    /// Nothing more is kept of a notification.
    pub fn forget_notice(&self, name: &str) -> Done<()> {
        let mut table = self.transaction.open_table(tables::NOTICES)?;
        table.remove(name)?;
        Ok(())
    }
}
