//! What the mass-change guard keeps between runs (R27): what passed lately, what is held, what was approved.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Actor, RunId};

/// Why the guard looks at a part of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardedKind {
    /// A person's stay ends.
    Closing,
    /// A person who lives there is to come yet: pending has no access (R38).
    BackToPending,
    /// A link is given up.
    Unlink,
    /// A person gets another email, or none.
    EmailChange,
    /// A linked person is excluded and updated no more (R8).
    Rest,
    /// The last current resident of a unit leaves it (R36).
    Vacancy,
    /// An exclusion takes many more residents than in the run before.
    Exclusion,
    /// The feed is empty where people are linked.
    EmptyFeed,
}

impl GuardedKind {
    /// The word as reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            GuardedKind::Closing => "closing",
            GuardedKind::BackToPending => "back to pending",
            GuardedKind::Unlink => "unlink",
            GuardedKind::EmailChange => "email change",
            GuardedKind::Rest => "exclusion of a linked person",
            GuardedKind::Vacancy => "vacancy",
            GuardedKind::Exclusion => "exclusion",
            GuardedKind::EmptyFeed => "empty feed",
        }
    }

    /// Whether its subject is a person.
    pub fn is_of_person(self) -> bool {
        match self {
            GuardedKind::Closing
            | GuardedKind::BackToPending
            | GuardedKind::Unlink
            | GuardedKind::EmailChange
            | GuardedKind::Rest => true,
            GuardedKind::Vacancy | GuardedKind::Exclusion | GuardedKind::EmptyFeed => false,
        }
    }
}

/// One part of a plan that the guard looks at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Guarded {
    /// Why.
    pub kind: GuardedKind,
    /// The person, the unit, the reason of an exclusion, or the PMS property whose feed is empty; empty for all
    /// exclusions together, and for the feed as a whole.
    pub subject: String,
    /// A hash of the values before and after: the same part of another plan has the same.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mark: String,
    /// How many residents an exclusion takes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub count: u64,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A plan that was held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldPlan {
    /// The run that held it.
    pub run: RunId,
    /// The digest of its guarded parts.
    pub digest: String,
    /// Those parts.
    pub items: Vec<Guarded>,
}

impl HeldPlan {
    /// Whether the feed was empty, or that of one of its PMS properties.
    pub fn is_of_an_empty_feed(&self) -> bool {
        let mut kinds = self.items.iter().map(|item| item.kind);
        kinds.any(|kind| kind == GuardedKind::EmptyFeed)
    }
}

/// Somebody's word that a held plan is right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The plan.
    pub plan: HeldPlan,
    /// Whose word.
    pub by: Actor,
    /// When it was given.
    pub at: Timestamp,
    /// Until when it counts.
    pub expires: Timestamp,
}

/// Something guarded that a run carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// When.
    pub at: Timestamp,
    /// Why the guard looked at it.
    pub kind: GuardedKind,
    /// The person, or the unit: its PMS id, with its name here where that is another.
    pub subject: String,
}

/// What the guard knows of an integration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GuardState {
    /// What passed within the window without approval, oldest first.
    pub passed: Vec<Passed>,
    /// What the last complete run excluded, by reason; none before the first.
    pub excluded_by: Option<BTreeMap<String, u64>>,
    /// How many residents the last complete run saw; none before the first, and from an earlier version.
    pub seen: Option<u64>,
    /// The plan that waits.
    pub held: Option<HeldPlan>,
    /// The approval that waits for its run.
    pub approval: Option<Approval>,
}
