//! The only module that names `redb`: tables, transactions, indexes. Decides nothing: what is written was
//! planned elsewhere. A store that cannot be read is never replaced by an empty one.

mod tables;
mod value;
mod error;
mod medium;
mod migrations;
mod notices;
mod open;
mod outdated;
mod read;
mod write;
mod acts;
mod attachments;
mod alerts;
mod hours;
mod identity;
mod mark;
mod units;
mod lanes;
mod requests;
mod expiries;
mod tokens;
mod tombstones;
mod retention;
mod spool;
mod decisions;
mod erase;
mod memory;
mod people;
mod property;
mod query;
mod verify;
mod backup;
mod backups;
mod comparison;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use unicase::UniCase;

use crate::model::{Pause, RunId};

pub use backup::{CopyError, Restored, inspect, inspect_in, restore};
pub use backups::{Growth, LastBackup};
pub use comparison::{Lost, SinceThen, compare};
pub use decisions::Standing;
pub use erase::{Erased, Nameless, Why};
pub use error::{OpenError, StoreError};
pub use hours::Uptime;
pub use memory::Stirred;
pub use open::Store;
pub use people::People;
pub use property::Property;
pub use query::Found;
pub use read::View;
pub use tombstones::{Known, Tombstones};
pub use write::Write;

/// When an integration ran and how it went (R4).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// When a run began last.
    pub last_started: Option<Timestamp>,
    /// When a run succeeded last.
    pub last_success: Option<Timestamp>,
    /// Why the last run did not succeed; none when it did.
    pub last_error: Option<String>,
    /// Runs in a row whose source failed (R28).
    pub failures: u32,
    /// The last run.
    pub last_run: Option<RunId>,
    /// Paused by hand.
    pub paused: bool,
    /// By whom, until when and why, where that is known: earlier versions kept only that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
    /// What the last run that read everything asked of the PMS.
    pub requests: u64,
}

/// The kept answer of a lookup request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// When it was read.
    pub read: Timestamp,
    /// The fingerprint of the integration that read it: another may ask for other records.
    pub read_by: String,
    /// The records that all PMS properties have, as JSON texts, by their id.
    pub records: BTreeMap<String, String>,
    /// Those of each PMS property, where each is asked for its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub of_properties: BTreeMap<String, BTreeMap<String, String>>,
}

/// Names as they are compared: folded, so that case does not matter (R10).
fn name_key(first: &str, last: &str) -> String {
    let fold = |name: &str| UniCase::unicode(name).to_folded_case();
    format!("{}\u{1f}{}", fold(first), fold(last))
}
