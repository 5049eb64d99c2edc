//! That an integration is paused by hand: by whom, until when, and why.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Actor;

/// A pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pause {
    /// Who paused it.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// When it resumes by itself; none where somebody has to resume it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why, in that person's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl Pause {
    /// The longest that can be asked for, in seconds: 366 days.
    pub const LONGEST: u64 = 366 * 86_400;

    /// A reason has no more letters.
    pub const REASON: usize = 200;
}
