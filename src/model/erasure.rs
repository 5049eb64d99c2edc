//! Erasing a person: what is asked and answered, and what is kept of it until every target has heard. Decides nothing.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ActId, Actor, Done, PersonId, TargetId};

/// Somebody who is to be erased once every target has heard of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Erasing {
    /// Who asked.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// By hand (`erase`), or by the rule of their property (`erase_after`).
    pub rule: String,
    /// The act.
    pub act: ActId,
    /// The person, and those who became one with them.
    pub people: Vec<PersonId>,
}

/// How far an erasure has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErasureState {
    /// Nothing is kept any more that says who they were.
    Erased,
    /// Targets have not all heard of it; the daemon goes on by itself once they have.
    Erasing,
}

/// What somebody who is erased still has at a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftAt {
    /// The target.
    pub target: TargetId,
    /// Whose it is: the person, or somebody who became one with them.
    pub person: PersonId,
    /// How many grants.
    pub grants: u64,
    /// Why nothing is taken away there, where nothing is: the target has no file, is switched off, or refuses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What erasing a person did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Erasure {
    /// The person.
    pub person: PersonId,
    /// Everybody who is erased by it: the person, and those who became one with them.
    pub people: Vec<PersonId>,
    /// How far it has come.
    pub state: ErasureState,
    /// The targets that have to hear of it first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits_for: Vec<LeftAt>,
    /// What stays at targets, which nobody here knows of any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stays_at: Vec<LeftAt>,
    /// Files beside the store that still hold what was erased.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<String>,
    /// What else still holds it, and until when, in sentences.
    pub still: Vec<String>,
    /// The act.
    pub done: Done,
}
