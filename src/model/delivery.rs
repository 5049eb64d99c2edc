//! Delivery as it is told: targets, what a person has there, and what is to be done. What is said, not what is decided.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{IntegrationId, PersonId, Problem};

/// A place that access is delivered to: its file's name without its ending.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct TargetId(String);

impl TargetId {
    /// From a file's name.
    pub fn new(name: impl Into<String>) -> TargetId {
        TargetId(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TargetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a target stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetState {
    /// What is wanted is there, or on its way.
    Ok,
    /// Something waits for somebody's approval.
    Waiting,
    /// The guard holds what would be taken away.
    Held,
    /// The target cannot be reached, or refuses the login.
    Failing,
    /// Its file is not right and never was.
    Broken,
    /// It is switched off: what was granted stays.
    Off,
    /// Its file is gone: what was granted stays.
    Removed,
}

impl TargetState {
    /// The word as commands and JSON write it.
    pub fn as_str(self) -> &'static str {
        match self {
            TargetState::Ok => "ok",
            TargetState::Waiting => "waiting",
            TargetState::Held => "held",
            TargetState::Failing => "failing",
            TargetState::Broken => "broken",
            TargetState::Off => "off",
            TargetState::Removed => "removed",
        }
    }
}

/// How many grants of a target stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Tally {
    /// To be granted, changed or taken away, and not sent yet.
    pub wanted: u64,
    /// Of those, how many wait for somebody's approval.
    pub waiting: u64,
    /// Of those, how many the guard holds.
    pub held: u64,
    /// The target took it; it was not read back yet.
    pub sent: u64,
    /// Read back, as it was sent.
    pub confirmed: u64,
    /// Whether the target did it is not known.
    pub unknown: u64,
    /// Refused for good, or never as it was sent.
    pub parked: u64,
    /// A door has not heard of it yet: somebody must go there.
    pub visit: u64,
}

/// A target, as `epms targets` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TargetStatus {
    /// Its file's name.
    pub id: TargetId,
    /// Where it stands.
    pub state: TargetState,
    /// The connector that speaks to it.
    pub connector: String,
    /// What waits for approval: `approve`, `approve_all` or `automatic`.
    pub mode: String,
    /// The integrations whose people it gets.
    pub from: Vec<IntegrationId>,
    /// How many people have anything there, or shall have.
    pub people: u64,
    /// How many grants stand where.
    pub grants: Tally,
    /// Since when the oldest that may be sent was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_wanted: Option<Timestamp>,
    /// How many changes of people were not looked at yet.
    #[serde(default)]
    pub behind: u64,
    /// By how many seconds the latest moment was missed.
    #[serde(default)]
    pub late: u64,
    /// When everything there was read back last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_back: Option<Timestamp>,
    /// How many grants there are somebody else's, by the last reading back: they are left alone.
    #[serde(default)]
    pub others: u64,
    /// What is wrong with the target itself, without personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// Stands for all that waits; an approval that names it lets exactly that through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What is wrong with its file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

/// How far a grant has come (`delivery.md` §3).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// To be done, and not sent yet.
    Wanted,
    /// The target took it; it was not read back yet.
    Sent,
    /// Read back, as it was sent.
    Confirmed,
    /// Whether the target did it is not known: it is looked at before anything else is done.
    Unknown,
    /// Not tried again until the person, the files or somebody's hand changes it.
    Parked,
    /// The target has it, and a door has not heard of it yet: somebody must go there.
    Visit,
}

impl DeliveryState {
    /// Every state, in the order in which a grant goes through them.
    pub const ALL: [DeliveryState; 6] = [
        DeliveryState::Wanted,
        DeliveryState::Sent,
        DeliveryState::Confirmed,
        DeliveryState::Unknown,
        DeliveryState::Parked,
        DeliveryState::Visit,
    ];

    /// The word as commands and JSON write it.
    pub fn as_str(self) -> &'static str {
        match self {
            DeliveryState::Wanted => "wanted",
            DeliveryState::Sent => "sent",
            DeliveryState::Confirmed => "confirmed",
            DeliveryState::Unknown => "unknown",
            DeliveryState::Parked => "parked",
            DeliveryState::Visit => "visit",
        }
    }
}

/// What is done to a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeedKind {
    /// Granted.
    Create,
    /// Made another.
    Change,
    /// Taken away.
    Remove,
}

impl DeedKind {
    /// The word as commands and JSON write it.
    pub fn as_str(self) -> &'static str {
        match self {
            DeedKind::Create => "create",
            DeedKind::Change => "change",
            DeedKind::Remove => "remove",
        }
    }
}

/// What something waits for before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitsFor {
    /// `epms deliveries approve`.
    Approval,
    /// The guard holds it; an approval lets it through.
    Guard,
    /// Its moment: the start, or the end.
    Moment,
    /// What comes before it: the new access before the old is taken away, or a reading back.
    Before,
    /// The target, which is not reached or asked for a pause.
    Target,
    /// The first sync of the person's feed since the store was restored.
    Sync,
}

/// One grant of one person at one target: what is there, and what is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// The target.
    pub target: TargetId,
    /// The person.
    pub person: PersonId,
    /// What tells the grant from the person's others there: its key in the target's script.
    pub key: String,
    /// How far it has come.
    pub state: DeliveryState,
    /// Since when.
    pub since: Timestamp,
    /// What is to be done to it; none where there is what is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deed: Option<DeedKind>,
    /// Why: `opens`, `changes`, `over`, `moved`, `files`, `found`, `twice`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<WaitsFor>,
    /// When it is tried or due next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Timestamp>,
    /// The target's id of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Why it is parked, in the target's words without personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What is to be done at a target now: what the next deliveries are, and what of them waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryPlan {
    /// The target.
    pub target: TargetId,
    /// Stands for what waits for approval; none where nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What is to be done, in the order of people and grants.
    pub deeds: Vec<Delivery>,
}

/// What came of an approval, or of trying again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveriesTouched {
    /// The target.
    pub target: TargetId,
    /// How many deeds were let through, or grants are tried again.
    pub count: u64,
}
