//! What a reload did, integration by integration and target by target.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{IntegrationId, Problem, TargetId};

/// What a reload did to one integration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reloaded {
    /// The integration.
    pub id: IntegrationId,
    /// What became of it.
    pub outcome: ReloadOutcome,
    /// The generation that runs now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// Why it was rejected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

/// What a reload did to one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReloadedTarget {
    /// The target.
    pub id: TargetId,
    /// What became of it.
    pub outcome: ReloadOutcome,
    /// The generation that runs now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// Why it was rejected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

/// What a reload did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReloadOutcome {
    /// A new generation runs.
    Loaded,
    /// Nothing that it depends on has changed.
    Unchanged,
    /// The files are not right; the generation before goes on.
    Rejected,
    /// Its file is gone: it is paused, and its people, or what was granted there, stay.
    Removed,
}
