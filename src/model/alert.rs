//! An alert: a discrepancy that a person must resolve (R29–R32).

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ActId, AlertId, Field, IntegrationId, PersonId, Resident, RunId};

/// What is wrong. In the order in which alerts are listed (R29).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// Two or more people of the store fit one resident.
    DuplicateAccounts,
    /// Two or more residents of one run have the same email (R16).
    DuplicateEmails,
    /// Same email, another name (R14).
    NameMismatch,
    /// Same name and property, another email (R15), or a linked email that changed (R19).
    EmailMismatch,
    /// A resident without an email (R20), or one whose email went away.
    MissingEmail,
    /// A PMS unit that the mapping list does not know (R35).
    UnmappedUnit,
    /// A status word that the mapping does not know.
    UnknownStatus,
    /// A record that the script could not map.
    MappingFailed,
    /// Two current leases in two units (R21), for information.
    MultipleCurrentLeases,
    /// A linked resident that complete readings no longer name (R25).
    MissingFromFeed,
    /// A plan that waits for approval (R27).
    MassChangeHeld,
    /// The PMS refuses the login (R28).
    CredentialFailing,
    /// No successful run for too long (R28).
    SyncStale,
}

impl AlertKind {
    /// Every kind, in the order of R29.
    pub const ALL: [AlertKind; 13] = [
        AlertKind::DuplicateAccounts,
        AlertKind::DuplicateEmails,
        AlertKind::NameMismatch,
        AlertKind::EmailMismatch,
        AlertKind::MissingEmail,
        AlertKind::UnmappedUnit,
        AlertKind::UnknownStatus,
        AlertKind::MappingFailed,
        AlertKind::MultipleCurrentLeases,
        AlertKind::MissingFromFeed,
        AlertKind::MassChangeHeld,
        AlertKind::CredentialFailing,
        AlertKind::SyncStale,
    ];

    /// The word as commands and JSON write it.
    pub fn as_str(self) -> &'static str {
        match self {
            AlertKind::DuplicateAccounts => "duplicate_accounts",
            AlertKind::DuplicateEmails => "duplicate_emails",
            AlertKind::NameMismatch => "name_mismatch",
            AlertKind::EmailMismatch => "email_mismatch",
            AlertKind::MissingEmail => "missing_email",
            AlertKind::UnmappedUnit => "unmapped_unit",
            AlertKind::UnknownStatus => "unknown_status",
            AlertKind::MappingFailed => "mapping_failed",
            AlertKind::MultipleCurrentLeases => "multiple_current_leases",
            AlertKind::MissingFromFeed => "missing_from_feed",
            AlertKind::MassChangeHeld => "mass_change_held",
            AlertKind::CredentialFailing => "credential_failing",
            AlertKind::SyncStale => "sync_stale",
        }
    }

    /// Whether it is about the feed itself: it closes when its cause is gone, and cannot be dismissed.
    pub fn is_of_the_feed(self) -> bool {
        matches!(
            self,
            AlertKind::MassChangeHeld | AlertKind::CredentialFailing | AlertKind::SyncStale
        )
    }
}

impl fmt::Display for AlertKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Waits for somebody.
    Open,
    /// Its cause went away by itself (R30).
    AutoClosed,
    /// Somebody wants to hear no more of it until either side changes (R30).
    Dismissed,
    /// Somebody resolved it (R31).
    Resolved,
}

impl fmt::Display for AlertState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AlertState::Open => "open",
            AlertState::AutoClosed => "auto_closed",
            AlertState::Dismissed => "dismissed",
            AlertState::Resolved => "resolved",
        })
    }
}

/// How likely the two sides are the same human (R15).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Unit and phone are the same, too.
    High,
    /// Nothing speaks against it.
    Medium,
    /// Unit and phone differ, too: probably namesakes.
    Low,
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Confidence::High => "high",
            Confidence::Medium => "medium",
            Confidence::Low => "low",
        })
    }
}

/// One side of the discrepancy: a resident of the PMS, or a person of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// The resident's PMS id, when the side is a resident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resident: Option<String>,
    /// The person, when the side is a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// The values that count, as they were compared.
    pub values: BTreeMap<Field, String>,
    /// The resident as the mapping made them, where one resident is the cause: what a resolution works with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapped: Option<Box<Resident>>,
}

/// A discrepancy that a person must resolve. One per cause (R30): the cause is `kind`, `integration`
/// and `subject`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alert {
    /// The id.
    pub id: AlertId,
    /// What is wrong.
    pub kind: AlertKind,
    /// Where.
    pub integration: IntegrationId,
    /// What it is about: a resident's PMS id, an email's hash, a status word, a unit.
    pub subject: String,
    /// Where it stands.
    pub state: AlertState,
    /// Both sides, the PMS's first (R32).
    pub sides: Vec<Side>,
    /// What was found, in words without personal data.
    pub detail: String,
    /// How likely the sides are the same human, where only the name says so (R15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// The run that raised it.
    pub raised_by: RunId,
    /// When it was raised, or opened again.
    pub first_seen: Timestamp,
    /// When a run saw the cause last.
    pub last_seen: Timestamp,
    /// What was done to it by hand, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acts: Vec<ActId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_kinds_has_every_kind_once_and_in_order() {
        assert!(AlertKind::ALL.is_sorted_by(|one, next| one < next));
        let schema = schemars::schema_for!(AlertKind).to_value();
        let kinds = schema["oneOf"].as_array().unwrap();
        assert_eq!(kinds.len(), AlertKind::ALL.len());
    }
}
