//! One sync of one integration: why it ran, what became of each record, how it ended.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use minicbor::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Actor, CANNOT_BE, IntegrationId, PersonId, RunId};

/// Why a run was started. A request outranks the clock.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Its hour had come (R2).
    Schedule,
    /// It was missed while the daemon was down (R2).
    Start,
    /// Somebody asked (R3).
    Manual,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cause::Schedule => "schedule",
            Cause::Start => "start",
            Cause::Manual => "manual",
        })
    }
}

/// What became of one resident (or of a record that made none). Exactly one each.
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
pub enum Fate {
    /// A person was made (R17).
    #[n(0)]
    Created,
    /// Tied to a person who was there (R13, R22).
    #[n(1)]
    Linked,
    /// A linked person was written (R18).
    #[n(2)]
    Updated,
    /// A linked person is as the PMS says.
    #[n(3)]
    Unchanged,
    /// Something about it waits; the alert says what (R16, R19, R27, no email).
    #[n(4)]
    Held,
    /// Nothing was written because two sides disagree (R14, R15, duplicates).
    #[n(5)]
    Flagged,
    /// Left out by the exclude list, by `include`, or by the script (R6).
    #[n(6)]
    Excluded,
    /// Not linked, and its status may not come in (R7).
    #[n(7)]
    Ineligible,
    /// The script could not map the record.
    #[n(8)]
    Rejected,
}

impl Fate {
    /// Every fate, in the order of the report.
    pub const ALL: [Fate; 9] = [
        Fate::Created,
        Fate::Linked,
        Fate::Updated,
        Fate::Unchanged,
        Fate::Held,
        Fate::Flagged,
        Fate::Excluded,
        Fate::Ineligible,
        Fate::Rejected,
    ];

    /// The word as reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Fate::Created => "created",
            Fate::Linked => "linked",
            Fate::Updated => "updated",
            Fate::Unchanged => "unchanged",
            Fate::Held => "held",
            Fate::Flagged => "flagged",
            Fate::Excluded => "excluded",
            Fate::Ineligible => "ineligible",
            Fate::Rejected => "rejected",
        }
    }

    /// The same as people are told it: a plan is rejected, by somebody, and a file is refused; a record is neither.
    pub fn told(self) -> &'static str {
        match self {
            Fate::Rejected => "not mapped",
            other => other.as_str(),
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How many of each fate. `seen` is counted where records are mapped, the others where they are decided,
/// so that the sum is a check and not a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[allow(missing_docs, reason = "each is a `Fate`")]
pub struct Counts {
    pub seen: u64,
    pub created: u64,
    pub linked: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub held: u64,
    pub flagged: u64,
    pub excluded: u64,
    pub ineligible: u64,
    pub rejected: u64,
}

impl Counts {
    /// Counts one more of `fate`.
    pub fn add(&mut self, fate: Fate) {
        *self.of_mut(fate) += 1;
    }

    /// Counts more of `fate`.
    pub fn add_many(&mut self, fate: Fate, more: u64) {
        *self.of_mut(fate) += more;
    }

    /// Counts one less of `fate`.
    pub fn take(&mut self, fate: Fate) {
        let count = self.of_mut(fate);
        *count = count.saturating_sub(1);
    }

    fn of_mut(&mut self, fate: Fate) -> &mut u64 {
        match fate {
            Fate::Created => &mut self.created,
            Fate::Linked => &mut self.linked,
            Fate::Updated => &mut self.updated,
            Fate::Unchanged => &mut self.unchanged,
            Fate::Held => &mut self.held,
            Fate::Flagged => &mut self.flagged,
            Fate::Excluded => &mut self.excluded,
            Fate::Ineligible => &mut self.ineligible,
            Fate::Rejected => &mut self.rejected,
        }
    }

    /// The count of `fate`.
    pub fn of(&self, fate: Fate) -> u64 {
        match fate {
            Fate::Created => self.created,
            Fate::Linked => self.linked,
            Fate::Updated => self.updated,
            Fate::Unchanged => self.unchanged,
            Fate::Held => self.held,
            Fate::Flagged => self.flagged,
            Fate::Excluded => self.excluded,
            Fate::Ineligible => self.ineligible,
            Fate::Rejected => self.rejected,
        }
    }

    /// Whether every resident seen has one fate. A run whose counts do not add up commits nothing.
    pub fn add_up(&self) -> bool {
        self.seen == Fate::ALL.into_iter().map(|fate| self.of(fate)).sum::<u64>()
    }
}

/// What was decided for one resident, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Encode, Decode)]
#[cbor(map)]
pub struct Decision {
    /// The resident's PMS id; for a record that made no resident, the record's id.
    #[n(0)]
    pub subject: String,
    /// What became of it.
    #[n(1)]
    pub fate: Fate,
    /// The rule that decided, e.g. `R7`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cbor(n(2), skip_if = "String::is_empty")]
    pub rule: String,
    /// Why, in words without personal data.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cbor(n(3), skip_if = "String::is_empty")]
    pub reason: String,
    /// The person it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(4)]
    pub person: Option<PersonId>,
}

impl Decision {
    /// The same in a run in which nothing is different any more: who came in is in, and unchanged. Their dates cannot be
    /// as before.
    #[must_use]
    pub fn settled(self) -> Decision {
        match self.fate {
            Fate::Created | Fate::Linked | Fate::Updated => Decision {
                fate: Fate::Unchanged,
                rule: String::new(),
                reason: match self.reason.find(CANNOT_BE) {
                    Some(at) => self.reason.get(at..).unwrap_or_default().to_owned(),
                    None => String::new(),
                },
                ..self
            },
            _ => self,
        }
    }
}

/// How a run ended, or that it has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// It is under way.
    Running,
    /// All of its changes are in the store.
    Committed,
    /// It read everything and there was nothing to write.
    Unchanged,
    /// The reading was not complete: nothing was written (R26).
    Incomplete {
        /// What was missing, and what to do.
        reason: String,
    },
    /// It would take away from too many people at once (R27): what the guard holds waits for approval.
    Held {
        /// What was too much, and what to do.
        reason: String,
        /// The digest that an approval names.
        digest: String,
    },
    /// Too many of the records could not be mapped (R41): nothing was written, and what it would do waits for
    /// approval.
    NotUnderstood {
        /// Which records, where in the script, and what to do.
        reason: String,
        /// The digest that an approval names.
        digest: String,
    },
    /// The PMS may not be asked before the next run: nothing was written, and nothing is wrong (R43).
    Postponed {
        /// Whom it would have waited for, and for how long.
        reason: String,
    },
    /// It could not run to its end: nothing was written.
    Failed {
        /// What happened, and what to do.
        reason: String,
    },
    /// The daemon ended while it ran: nothing was written.
    Interrupted,
}

impl Outcome {
    /// One word for tables.
    pub fn as_str(&self) -> &'static str {
        match self {
            Outcome::Running => "running",
            Outcome::Committed => "committed",
            Outcome::Unchanged => "unchanged",
            Outcome::Incomplete { .. } => "incomplete",
            Outcome::Held { .. } => "held",
            Outcome::NotUnderstood { .. } => "not_understood",
            Outcome::Postponed { .. } => "postponed",
            Outcome::Failed { .. } => "failed",
            Outcome::Interrupted => "interrupted",
        }
    }

    /// Whether the run did what it was asked to do.
    pub fn is_success(&self) -> bool {
        matches!(self, Outcome::Committed | Outcome::Unchanged)
    }

    /// The digest of the plan that waits for approval, if one does (R27, R41).
    pub fn digest(&self) -> Option<&str> {
        match self {
            Outcome::Held { digest, .. } | Outcome::NotUnderstood { digest, .. } => Some(digest),
            _ => None,
        }
    }

    /// What went wrong, where that is kept in words, to be told otherwise.
    pub fn reason_mut(&mut self) -> Option<&mut String> {
        match self {
            Outcome::Incomplete { reason }
            | Outcome::Held { reason, .. }
            | Outcome::NotUnderstood { reason, .. }
            | Outcome::Postponed { reason }
            | Outcome::Failed { reason } => Some(reason),
            Outcome::Interrupted | Outcome::Running | Outcome::Committed | Outcome::Unchanged => {
                None
            }
        }
    }

    /// What went wrong, if anything.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Outcome::Incomplete { reason }
            | Outcome::Held { reason, .. }
            | Outcome::NotUnderstood { reason, .. }
            | Outcome::Postponed { reason }
            | Outcome::Failed { reason } => Some(reason),
            Outcome::Interrupted => Some("the daemon ended while the run was under way"),
            Outcome::Running | Outcome::Committed | Outcome::Unchanged => None,
        }
    }
}

/// The report of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// The id.
    pub id: RunId,
    /// The integration.
    pub integration: IntegrationId,
    /// Why it ran.
    pub cause: Cause,
    /// The generation of the integration that it ran with (R9).
    pub generation: u64,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Pages read.
    #[serde(default)]
    pub pages: u64,
    /// Records read.
    #[serde(default)]
    pub records: u64,
    /// Requests made of the PMS, logins and repeated ones included.
    #[serde(default)]
    pub requests: u64,
    /// What became of them.
    #[serde(default)]
    pub counts: Counts,
    /// Entries written to the change log.
    #[serde(default)]
    pub changes: u64,
    /// Who approved what the guard would have held (R27), or what was not understood (R41).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<Actor>,
    /// Who rejected the plan that is held: nobody is told of it again (R27).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected_by: Option<Actor>,
    /// What was excluded, by status word or reason (R6).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub excluded_by: BTreeMap<String, u64>,
    /// What was put right or dropped on the way, by kind (R11); and what the reading took for granted although no answer says
    /// it: `taken_for_empty by` the rule, `no_next_page at` the place of `page` (R42), `property_not_named:` an attached PMS
    /// property of which no record came where all are asked for at once, `column_twice:` a name of columns, and
    /// `empty_details` and `gone_details` of those that are asked for one by one; `several_in_lookup:` a lookup with keys of
    /// records that differ.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, u64>,
}

impl Run {
    /// The report of a run that begins.
    pub fn begun(
        id: RunId,
        integration: IntegrationId,
        cause: Cause,
        generation: u64,
        started: Timestamp,
    ) -> Run {
        Run {
            id,
            integration,
            cause,
            generation,
            started,
            ended: None,
            outcome: Outcome::Running,
            pages: 0,
            requests: 0,
            records: 0,
            counts: Counts::default(),
            changes: 0,
            approved_by: None,
            rejected_by: None,
            excluded_by: BTreeMap::new(),
            notes: BTreeMap::new(),
        }
    }
}

/// How far a run under way has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// Pages read.
    pub pages: u64,
    /// Records read.
    pub records: u64,
    /// Residents mapped.
    pub mapped: u64,
    /// Whether reading is over and the plan is being made and committed.
    pub planning: bool,
}
