//! An entry of the append-only change log.

use std::fmt;

use jiff::Timestamp;
use minicbor::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ActId, Actor, Field, IntegrationId, PersonId, RunId};

/// What happened to a person.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    Encode,
    Decode,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Made from a resident (R17), or by hand.
    #[n(0)]
    Created,
    /// Tied to a resident (R13, R22).
    #[n(1)]
    Linked,
    /// One or more fields written (R18).
    #[n(2)]
    Updated,
    /// The stay ended (R8, R24).
    #[n(3)]
    Closed,
    /// The status went onto the exclude list; updates rest (R8).
    #[n(4)]
    Excluded,
    /// The status left the exclude list.
    #[n(5)]
    Readmitted,
    /// Untied from a resident by hand.
    #[n(6)]
    Unlinked,
    /// Became one with another person, by hand.
    #[n(7)]
    Merged,
    /// Their making was undone: they hold no email and match nobody.
    #[n(8)]
    Withdrawn,
    /// Fields were kept from the PMS, by hand.
    #[n(9)]
    Locked,
    /// Fields were given back to the PMS, by hand.
    #[n(10)]
    Unlocked,
    /// Kept from every run, by hand.
    #[n(11)]
    Pinned,
    /// Given back to runs, by hand.
    #[n(12)]
    Unpinned,
    /// What was done by hand was undone.
    #[n(13)]
    Undone,
    /// Belongs to another integration from now on, which reads the same of the PMS (R46).
    #[n(14)]
    Moved,
    /// Is to be erased, by hand or by the rule of their property, once every target has heard of it.
    #[n(15)]
    Erasing,
    /// Was erased: nothing is kept that says who they were.
    #[n(16)]
    Erased,
}

impl ChangeKind {
    /// Every kind, by its number.
    pub const ALL: [ChangeKind; 17] = [
        ChangeKind::Created,
        ChangeKind::Linked,
        ChangeKind::Updated,
        ChangeKind::Closed,
        ChangeKind::Excluded,
        ChangeKind::Readmitted,
        ChangeKind::Unlinked,
        ChangeKind::Merged,
        ChangeKind::Withdrawn,
        ChangeKind::Locked,
        ChangeKind::Unlocked,
        ChangeKind::Pinned,
        ChangeKind::Unpinned,
        ChangeKind::Undone,
        ChangeKind::Moved,
        ChangeKind::Erasing,
        ChangeKind::Erased,
    ];

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
            ChangeKind::Erasing => "erasing",
            ChangeKind::Erased => "erased",
        }
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One field before and after; absent is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Encode, Decode)]
#[cbor(map)]
pub struct FieldChange {
    /// The field.
    #[n(0)]
    pub field: Field,
    /// The value before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(1)]
    pub before: Option<String>,
    /// The value after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(2)]
    pub after: Option<String>,
}

/// What happened to which person, in which run, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Encode, Decode)]
#[cbor(map)]
pub struct Change {
    /// Its number: 1, 2, 3, … without a gap, over the whole store.
    #[n(0)]
    pub seq: u64,
    /// When it was committed.
    #[cbor(n(1), with = "super::packed::moment")]
    pub at: Timestamp,
    /// The person.
    #[n(2)]
    pub person: PersonId,
    /// What happened.
    #[n(3)]
    pub kind: ChangeKind,
    /// The integration that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(4)]
    pub integration: Option<IntegrationId>,
    /// The integration where the person was before, where they were moved (R46).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(5)]
    pub from: Option<IntegrationId>,
    /// The resident's PMS id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(6)]
    pub resident: Option<String>,
    /// The run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(7)]
    pub run: Option<RunId>,
    /// The rule that decided it, e.g. `R17`.
    #[n(8)]
    pub rule: String,
    /// The fields that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cbor(n(9), skip_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    /// Who did it.
    #[n(10)]
    pub actor: Actor,
    /// The act by hand that it belongs to; none of a run's, and of what was written before acts stood here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(11)]
    pub act: Option<ActId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_kinds_has_every_kind_once_and_in_order() {
        let kinds = (0u8..).map_while(|number| minicbor::decode::<ChangeKind>(&[number]).ok());
        assert_eq!(kinds.collect::<Vec<_>>(), ChangeKind::ALL);
    }
}
