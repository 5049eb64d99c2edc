//! What a check of the store found: how much there is, and what does not fit.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something in the store that does not fit something else in it. Without personal data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Flaw {
    /// The table.
    pub table: String,
    /// What does not fit.
    pub what: String,
}

/// What a check of the whole store found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Soundness {
    /// Entries, by table.
    pub entries: BTreeMap<String, u64>,
    /// What does not fit, at most a thousand of them: the store is not sound.
    pub flaws: Vec<Flaw>,
    /// What is missing of the reports of runs, at most a thousand of them. Nothing else hangs on reports: the store is
    /// sound without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<Flaw>,
}
