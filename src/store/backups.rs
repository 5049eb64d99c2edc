//! What the store remembers of the copies that were made of it: when the last good one was made, and, in a copy, when
//! that was. And what comes in: by how much it grows. Makes no copy, and forgets nothing.

use jiff::Timestamp;
use redb::{ReadableTable, ReadableTableMetadata};
use serde::{Deserialize, Serialize};

use super::hours::{at_hour, first_hour};
use super::value::as_json;
use super::write::Done;
use super::{View, Write, tables};

/// Meta: [`LastBackup`].
const LAST: &str = "last-backup";

/// Meta, of a copy: when it was made. The store itself has it too, where it was a copy once.
const COPIED: &str = "copied";

/// So many of the latest entries of a table tell how long one is.
const SAMPLE: usize = 200;

/// A tree has room between its entries, and the indexes of an entry come to it.
const ROOM: u64 = 2;

/// The last good backup that the daemon made by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastBackup {
    /// When it was begun, by the wall clock.
    pub at: Timestamp,
    /// Its number; that of the next one is higher.
    pub number: u64,
    /// Its name in the folder.
    pub file: String,
    /// How long it is.
    pub bytes: u64,
}

/// By how much the store grew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    /// Bytes a day.
    pub per_day: u64,
    /// So many hours were looked at, in which daemons were up.
    pub hours: u64,
}

as_json!(LastBackup, Timestamp);

impl View {
    /// The last good backup that the daemon made by itself.
    pub fn last_backup(&self) -> Done<Option<LastBackup>> {
        self.meta(LAST)
    }

    /// When this was copied, where it is a copy, and a version made it that says so.
    pub fn copied(&self) -> Done<Option<Timestamp>> {
        self.meta(COPIED)
    }

    /// By how much the store grows, by what came in during the last `hours` that daemons were up; none where they were up
    /// for less than a day.
    pub fn growth(&self, hours: u64) -> Done<Option<Growth>> {
        let table = self.transaction.open_table(tables::HOURS)?;
        let now = self.hour()?;
        let since = now.saturating_sub(i64::try_from(hours).unwrap_or(i64::MAX));
        let Some((from, (changes, runs))) =
            at_hour(&table, since)?.map_or_else(|| first_hour(&table), |one| Ok(Some(one)))?
        else {
            return Ok(None);
        };
        let from = from.max(since);
        let Some(hours) = u64::try_from(now.saturating_sub(from))
            .ok()
            .filter(|hours| *hours >= 24)
        else {
            return Ok(None);
        };
        let [_, _, next_change, next_run, _] = self.next_numbers()?.0;
        let came =
            |next: u64, first: u64, each: u64| next.saturating_sub(first).saturating_mul(each);
        let of_changes = came(next_change, changes, self.length_of(tables::CHANGES)?);
        let of_run = self
            .length_of(tables::RUNS)?
            .saturating_add(self.length_of(tables::DECISIONS)?);
        let all = of_changes
            .saturating_add(came(next_run, runs, of_run))
            .saturating_mul(ROOM);
        Ok(Some(Growth {
            per_day: all.saturating_mul(24) / hours,
            hours,
        }))
    }

    /// How long an entry is, by the latest ones.
    fn length_of(&self, table: redb::TableDefinition<'static, u64, &'static [u8]>) -> Done<u64> {
        let table = self.transaction.open_table(table)?;
        if table.len()? == 0 {
            return Ok(0);
        }
        let (mut bytes, mut entries) = (0u64, 0u64);
        for entry in table.iter()?.rev().take(SAMPLE) {
            bytes = bytes.saturating_add(entry?.1.value().len() as u64);
            entries += 1;
        }
        Ok(bytes.checked_div(entries).unwrap_or(0))
    }
}

impl Write {
    /// Remembers a backup that was made.
    pub fn put_last_backup(&self, backup: &LastBackup) -> Done<()> {
        self.put_meta(LAST, backup)
    }

    /// In a copy: when it was made.
    pub(super) fn put_copied(&self, at: Timestamp) -> Done<()> {
        self.put_meta(COPIED, &at)
    }
}
