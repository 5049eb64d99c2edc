//! The normalised lease status (`user-sync` §10). Which of a PMS's words means what is the script's to say.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A lease's status after the mapping's status table.
///
/// Ordered by how much it counts when one person has several leases (R21): current before
/// pending before past, then those that give nobody a home.
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
pub enum LeaseStatus {
    /// Lives there; also with notice given, and under eviction.
    #[n(0)]
    Current,
    /// Has signed and will move in.
    #[n(1)]
    Pending,
    /// Has moved out.
    #[n(2)]
    Past,
    /// Has applied; nothing is signed.
    #[n(3)]
    Applicant,
    /// Denied or cancelled: the lease never came to be.
    #[n(4)]
    Void,
    /// A word the mapping does not know.
    #[n(5)]
    Unknown,
}

impl LeaseStatus {
    /// Every status that a script may give.
    pub const ALL: [LeaseStatus; 6] = [
        LeaseStatus::Current,
        LeaseStatus::Pending,
        LeaseStatus::Past,
        LeaseStatus::Applicant,
        LeaseStatus::Void,
        LeaseStatus::Unknown,
    ];

    /// Whether a person not yet known may come in with it (R7).
    pub fn may_come_in(self) -> bool {
        matches!(self, LeaseStatus::Current | LeaseStatus::Pending)
    }

    /// Whether a linked person with it has no stay any more (R8, R24).
    pub fn is_closed(self) -> bool {
        matches!(
            self,
            LeaseStatus::Past | LeaseStatus::Applicant | LeaseStatus::Void
        )
    }

    /// The word as scripts, YAML and commands write it.
    pub fn as_str(self) -> &'static str {
        match self {
            LeaseStatus::Current => "current",
            LeaseStatus::Pending => "pending",
            LeaseStatus::Past => "past",
            LeaseStatus::Applicant => "applicant",
            LeaseStatus::Void => "void",
            LeaseStatus::Unknown => "unknown",
        }
    }
}

impl fmt::Display for LeaseStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for LeaseStatus {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        LeaseStatus::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(())
    }
}
