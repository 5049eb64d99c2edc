//! How the store is kept: how large it is, by how much it grows, and the backups that are made of it. Not what is in it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the store is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Keeping {
    /// How long its file is, in bytes.
    pub bytes: u64,
    /// By how much it grows; none before a daemon was up for a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub growth: Option<StoreGrowth>,
    /// The backups that the daemon makes by itself; none where it is to make none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupsKept>,
}

/// By how much the store grows, as what came in lately is long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoreGrowth {
    /// Bytes a day. What is forgotten meanwhile is not taken off.
    pub per_day: u64,
    /// So many hours were looked at, in which a daemon was up.
    pub hours: u64,
}

/// The backups that the daemon makes by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BackupsKept {
    /// The folder.
    pub to: String,
    /// The time from one to the next, in seconds.
    pub every: u64,
    /// How many are kept.
    pub keep: u64,
    /// The last good one; none before there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<GoodBackup>,
    /// Why there is none newer; none where all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<String>,
}

/// A backup that was made and verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GoodBackup {
    /// Its name in the folder.
    pub file: String,
    /// When it was begun.
    pub at: Timestamp,
    /// How old it is, in seconds, by a clock that nobody sets.
    pub age: u64,
    /// How long it is, in bytes.
    pub bytes: u64,
}
