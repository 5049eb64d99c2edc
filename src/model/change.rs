//! An entry of the append-only change log.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Field, IntegrationId, PersonId, RunId};

/// What happened to a person.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Made from a resident (R17), or by hand.
    Created,
    /// Tied to a resident (R13, R22).
    Linked,
    /// One or more fields written (R18).
    Updated,
    /// The stay ended (R8, R24).
    Closed,
    /// The status went onto the exclude list; updates rest (R8).
    Excluded,
    /// The status left the exclude list.
    Readmitted,
    /// Untied from a resident by hand.
    Unlinked,
    /// Became one with another person, by hand.
    Merged,
    /// Their making was undone: they hold no email and match nobody.
    Withdrawn,
    /// Fields were kept from the PMS, by hand.
    Locked,
    /// Fields were given back to the PMS, by hand.
    Unlocked,
    /// Kept from every run, by hand.
    Pinned,
    /// Given back to runs, by hand.
    Unpinned,
    /// What was done by hand was undone.
    Undone,
    /// Belongs to another integration from now on, which reads the same of the PMS (R46).
    Moved,
}

impl ChangeKind {
    /// The word as commands and JSON write it.
    pub fn as_str(self) -> &'static str {
        match self {
            ChangeKind::Created => "created",
            ChangeKind::Linked => "linked",
            ChangeKind::Updated => "updated",
            ChangeKind::Closed => "closed",
            ChangeKind::Excluded => "excluded",
            ChangeKind::Readmitted => "readmitted",
            ChangeKind::Unlinked => "unlinked",
            ChangeKind::Merged => "merged",
            ChangeKind::Withdrawn => "withdrawn",
            ChangeKind::Locked => "locked",
            ChangeKind::Unlocked => "unlocked",
            ChangeKind::Pinned => "pinned",
            ChangeKind::Unpinned => "unpinned",
            ChangeKind::Undone => "undone",
            ChangeKind::Moved => "moved",
        }
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A run of a sync, or the daemon that follows the files.
    Sync,
    /// A caller of the control socket, by user id.
    User(u32),
}

/// One field before and after; absent is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldChange {
    /// The field.
    pub field: Field,
    /// The value before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The value after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What happened to which person, in which run, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Its number: 1, 2, 3, … without a gap, over the whole store.
    pub seq: u64,
    /// When it was committed.
    pub at: Timestamp,
    /// The person.
    pub person: PersonId,
    /// What happened.
    pub kind: ChangeKind,
    /// The integration that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<IntegrationId>,
    /// The integration where the person was before, where they were moved (R46).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<IntegrationId>,
    /// The resident's PMS id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resident: Option<String>,
    /// The run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The rule that decided it, e.g. `R17`.
    pub rule: String,
    /// The fields that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    /// Who did it.
    pub actor: Actor,
}
