//! How many requests were made with which credential, by the hour: what a day and a month allow is counted over restarts
//! (R43). Judges nothing.

use std::collections::BTreeMap;

use super::write::Done;
use super::{View, Write, tables};

/// Nobody asks about hours before that many.
const KEPT: i64 = 32 * 24;

impl View {
    /// How many requests were made with a credential, by the hour since 1970.
    pub fn requests(&self, credential: &str) -> Done<BTreeMap<i64, u32>> {
        let table = self.transaction.open_table(tables::REQUESTS)?;
        let mut found = BTreeMap::new();
        for entry in table.range((credential, i64::MIN)..=(credential, i64::MAX))? {
            let (key, count) = entry?;
            found.insert(key.value().1, count.value());
        }
        Ok(found)
    }
}

impl Write {
    /// As many were made in this hour, in all. Hours of more than a month ago are forgotten.
    pub fn put_requests(&self, credential: &str, hour: i64, requests: u32) -> Done<()> {
        let mut table = self.transaction.open_table(tables::REQUESTS)?;
        table.insert((credential, hour), requests)?;
        let old = (credential, i64::MIN)..(credential, hour.saturating_sub(KEPT));
        table.retain_in(old, |_, _| false)?;
        Ok(())
    }
}
