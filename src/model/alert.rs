//! An alert: a discrepancy that a person must resolve (R29–R32).

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ActId, Actor, AlertId, Decision, Fate, Field, IntegrationId, LeaseStatus, PersonId, Resident,
    RunId, Unit,
};

/// With this begins what is said of dates that cannot be (R12).
pub const CANNOT_BE: &str = "dates that cannot be: ";

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
    /// Dates that cannot be (R12): one for each integration, with a count.
    BadDates,
    /// One PMS id whose leases are of two people (R21).
    DuplicateIds,
    /// A linked PMS id whose record is somebody else's (R21a).
    IdentityChanged,
    /// Records that could not be mapped (R41): one for each place of the script, or rule.
    RecordsRejected,
    /// Linked people whose record is left out, but who have not left (R8): one for each reason.
    ExcludedLinked,
    /// Somebody current whose integration, or whose PMS property in it, is gone (R46).
    LeftBehind,
    /// What a month took is much (R27). Holds nothing.
    SlowDrain,
    /// Somebody could not be told of something.
    NotifyFailed,
    /// A target refuses what is to be granted or taken away, or takes nothing at all (R40).
    DeliveryFailed,
    /// A target took something, twice, and still has something else (R40).
    NotConverging,
    /// A target has something of ours that nobody should have (R40).
    FoundAtTarget,
    /// Too much would be taken away at a target at once (R27, R40).
    RevocationsHeld,
    /// A door has not heard of a change: somebody must go there (R40).
    VisitNeeded,
    /// A unit where people have access has no place at a target (R40): one for each unit.
    UnmappedPlace,
    /// Somebody who was erased is current in the PMS again.
    ErasedReturned,
    /// A credential is soon taken no more, as its file says: one for each credential.
    CredentialExpires,
    /// The daemon makes no backups, although it is to.
    BackupFailing,
}

/// What makes an open alert close by itself (R30).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closes {
    /// A run that could see the cause does not find it.
    WithCause,
    /// Whoever watches the feed itself sees that its cause is gone. It cannot be dismissed.
    WithFeed,
    /// The next run, whatever it sees: earlier versions raised it, and this one tells it otherwise.
    WithNextRun,
}

/// A way to resolve an alert by hand (R31).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is a `Resolution`")]
pub enum Way {
    Merge,
    CreateSeparate,
    ReplaceEmail,
    NotDuplicate,
    MapUnit,
    SamePerson,
    SomebodyElse,
    Admit,
}

/// Everything that is to be known of a kind of alert, in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindFacts {
    /// The word as commands and JSON write it.
    pub word: &'static str,
    /// What is wrong, in a sentence.
    pub sentence: &'static str,
    /// What makes it close by itself.
    pub closes: Closes,
    /// How somebody can resolve it.
    pub ways: &'static [Way],
    /// What else somebody can do, in words.
    pub remedy: &'static str,
}

impl AlertKind {
    /// Every kind, in the order of R29.
    pub const ALL: [AlertKind; 30] = [
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
        AlertKind::BadDates,
        AlertKind::DuplicateIds,
        AlertKind::IdentityChanged,
        AlertKind::RecordsRejected,
        AlertKind::ExcludedLinked,
        AlertKind::LeftBehind,
        AlertKind::SlowDrain,
        AlertKind::NotifyFailed,
        AlertKind::DeliveryFailed,
        AlertKind::NotConverging,
        AlertKind::FoundAtTarget,
        AlertKind::RevocationsHeld,
        AlertKind::VisitNeeded,
        AlertKind::UnmappedPlace,
        AlertKind::ErasedReturned,
        AlertKind::CredentialExpires,
        AlertKind::BackupFailing,
    ];

    /// Everything that is to be known of the kind.
    pub const fn facts(self) -> KindFacts {
        use Closes::{WithCause, WithFeed, WithNextRun};
        use Way::{
            Admit, CreateSeparate, MapUnit, Merge, NotDuplicate, ReplaceEmail, SamePerson,
            SomebodyElse,
        };
        match self {
            AlertKind::DuplicateAccounts => KindFacts {
                word: "duplicate_accounts",
                sentence: "two or more people of the store fit one resident",
                closes: WithCause,
                ways: &[Merge, NotDuplicate],
                remedy: "merge the accounts, say that they are not duplicates, or correct it in the PMS, and it closes itself",
            },
            AlertKind::DuplicateEmails => KindFacts {
                word: "duplicate_emails",
                sentence: "two or more residents of one feed have the same email",
                closes: WithCause,
                ways: &[],
                remedy: "correct the email in the PMS; the next run takes the residents in",
            },
            AlertKind::NameMismatch => KindFacts {
                word: "name_mismatch",
                sentence: "a person has the resident's email under another name",
                closes: WithCause,
                ways: &[Merge, CreateSeparate],
                remedy: "merge takes the name of the PMS; create-separate makes somebody new, where the mailbox was handed on; or correct it in the PMS, and it closes itself",
            },
            AlertKind::EmailMismatch => KindFacts {
                word: "email_mismatch",
                sentence: "a person with the resident's name has another email, or the email of a linked resident changed",
                closes: WithCause,
                ways: &[ReplaceEmail, CreateSeparate],
                remedy: "replace the email, create separate, or correct it in the PMS, and it closes itself",
            },
            AlertKind::MissingEmail => KindFacts {
                word: "missing_email",
                sentence: "a resident has no usable email",
                closes: WithCause,
                ways: &[],
                remedy: "add the email in the PMS",
            },
            AlertKind::UnmappedUnit => KindFacts {
                word: "unmapped_unit",
                sentence: "a PMS unit is not in the mapping list",
                closes: WithCause,
                ways: &[MapUnit],
                remedy: "map the unit, here or in the integration's file",
            },
            AlertKind::UnknownStatus => KindFacts {
                word: "unknown_status",
                sentence: "the mapping does not know a status word",
                closes: WithCause,
                ways: &[],
                remedy: "correct the script, or the record in the PMS",
            },
            AlertKind::MappingFailed => KindFacts {
                word: "mapping_failed",
                sentence: "a record could not be mapped",
                closes: WithNextRun,
                ways: &[],
                remedy: "correct the script, or the record in the PMS",
            },
            AlertKind::MultipleCurrentLeases => KindFacts {
                word: "multiple_current_leases",
                sentence: "one person has current leases in several units; all are kept",
                closes: WithCause,
                ways: &[],
                remedy: "nothing has to be done; it closes itself when the feed says otherwise",
            },
            AlertKind::MissingFromFeed => KindFacts {
                word: "missing_from_feed",
                sentence: "the feed does not name a linked resident any more",
                closes: WithCause,
                ways: &[],
                remedy: "look into the PMS; it closes itself when the feed says otherwise",
            },
            AlertKind::MassChangeHeld => KindFacts {
                word: "mass_change_held",
                sentence: "a plan takes away from too many, and waits for approval",
                closes: WithFeed,
                ways: &[],
                remedy: "`epms approve` lets the newest held run through, or correct the PMS",
            },
            AlertKind::CredentialFailing => KindFacts {
                word: "credential_failing",
                sentence: "the PMS refuses the login",
                closes: WithFeed,
                ways: &[],
                remedy: "correct the credential; it closes itself with the next login that works",
            },
            AlertKind::SyncStale => KindFacts {
                word: "sync_stale",
                sentence: "no run has succeeded for too long",
                closes: WithFeed,
                ways: &[],
                remedy: "`epms sync` tries at once; it closes itself with a run that succeeds",
            },
            AlertKind::BadDates => KindFacts {
                word: "bad_dates",
                sentence: "dates of the PMS cannot be: those are left out, the rest is taken",
                closes: WithCause,
                ways: &[],
                remedy: "correct the dates in the PMS, or the format in the script",
            },
            AlertKind::DuplicateIds => KindFacts {
                word: "duplicate_ids",
                sentence: "the leases of one PMS id are of two people",
                closes: WithCause,
                ways: &[SamePerson],
                remedy: "correct the ids in the PMS, or say that it is the same person",
            },
            AlertKind::IdentityChanged => KindFacts {
                word: "identity_changed",
                sentence: "the record of a linked PMS id is somebody else's",
                closes: WithCause,
                ways: &[SamePerson, SomebodyElse],
                remedy: "say whether it is the same person or somebody else, or correct the PMS",
            },
            AlertKind::RecordsRejected => KindFacts {
                word: "records_rejected",
                sentence: "records could not be mapped",
                closes: WithCause,
                ways: &[],
                remedy: "correct the script, or the records in the PMS; `epms map` shows what comes out of one",
            },
            AlertKind::ExcludedLinked => KindFacts {
                word: "excluded_linked",
                sentence: "linked people are left out now, and have not left: nothing of them is updated",
                closes: WithCause,
                ways: &[],
                remedy: "take the word off the exclude list, or correct the PMS",
            },
            AlertKind::LeftBehind => KindFacts {
                word: "left_behind",
                sentence: "people are current at an integration, or a PMS property, that is gone",
                closes: WithFeed,
                ways: &[],
                remedy: "`epms integration rename` or `epms integration retire`, or bring the file back",
            },
            AlertKind::SlowDrain => KindFacts {
                word: "slow_drain",
                sentence: "a month took away from many, few at a time",
                closes: WithCause,
                ways: &[],
                remedy: "look at `epms changes`; nothing is held",
            },
            AlertKind::NotifyFailed => KindFacts {
                word: "notify_failed",
                sentence: "somebody could not be told of something",
                closes: WithFeed,
                ways: &[],
                remedy: "mend what it says in `notify` of config/epms.yaml, then `epms notify test`; what waits is sent again by itself",
            },
            AlertKind::DeliveryFailed => KindFacts {
                word: "delivery_failed",
                sentence: "a target refuses what is to be granted or taken away, or takes nothing",
                closes: WithFeed,
                ways: &[],
                remedy: "mend what it says, then `epms deliveries retry TARGET`",
            },
            AlertKind::NotConverging => KindFacts {
                word: "not_converging",
                sentence: "a target took something, twice, and still has something else",
                closes: WithFeed,
                ways: &[],
                remedy: "look at it there; where the target words it otherwise, correct its script",
            },
            AlertKind::FoundAtTarget => KindFacts {
                word: "found_at_target",
                sentence: "a target has something of ours that nobody should have",
                closes: WithFeed,
                ways: &[],
                remedy: "`epms deliveries approve TARGET` takes it away",
            },
            AlertKind::RevocationsHeld => KindFacts {
                word: "revocations_held",
                sentence: "too much would be taken away at a target at once",
                closes: WithFeed,
                ways: &[],
                remedy: "look at `epms deliveries preview TARGET`, then approve it by its digest",
            },
            AlertKind::VisitNeeded => KindFacts {
                word: "visit_needed",
                sentence: "a door has not heard of a change",
                closes: WithFeed,
                ways: &[],
                remedy: "go to the door, and let a phone that is online speak to it",
            },
            AlertKind::UnmappedPlace => KindFacts {
                word: "unmapped_place",
                sentence: "a unit has no place at a target; what people there have stays as it is",
                closes: WithFeed,
                ways: &[],
                remedy: "write the unit into `places.map` of the target's file",
            },
            AlertKind::ErasedReturned => KindFacts {
                word: "erased_returned",
                sentence: "somebody who was erased is current in the PMS again; nothing of them is taken in",
                closes: WithCause,
                ways: &[Admit],
                remedy: "admit lets them in as somebody new; or correct it in the PMS, and it closes itself",
            },
            AlertKind::CredentialExpires => KindFacts {
                word: "credential_expires",
                sentence: "a credential is soon taken no more, as its file or the PMS says",
                closes: WithFeed,
                ways: &[],
                remedy: "get the next one; where the PMS does not tell its day itself, write it into `expires` of the credential's file",
            },
            AlertKind::BackupFailing => KindFacts {
                word: "backup_failing",
                sentence: "the daemon cannot make the backups that it is to make",
                closes: WithFeed,
                ways: &[],
                remedy: "mend what it says; it closes itself with the next good backup, or take `backup` out of config/epms.yaml",
            },
        }
    }

    /// The word as commands and JSON write it.
    pub fn as_str(self) -> &'static str {
        self.facts().word
    }

    /// Whether it is about the feed itself: it closes when its cause is gone, and cannot be dismissed.
    pub fn is_of_the_feed(self) -> bool {
        self.facts().closes == Closes::WithFeed
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
    /// What a run knows about that resident besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<Box<Beside>>,
}

/// What a run knows about a resident besides the lease that counts, and an act has to know as well, so that it writes
/// what the run would write.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Beside {
    /// Further units of current leases (R21).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub more_units: Vec<Unit>,
    /// The PMS has a phone that is none: the one here stays (R11).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub keep_phone: bool,
    /// The PMS property that sent the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
    /// When the id's own lease that counts begins, where other leases of the same stay do (R22).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_start: Option<Date>,
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
    /// How many it is about, where one alert stands for many. That it changes is no reason to open a dismissed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The ids of some of them, where one alert stands for many records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
    /// The unit here that an unmapped one of the PMS may be (R35): somebody confirms it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// The run that raised it.
    pub raised_by: RunId,
    /// When it was raised, or opened again.
    pub first_seen: Timestamp,
    /// When a run saw the cause last.
    pub last_seen: Timestamp,
    /// What was done to it by hand, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acts: Vec<ActId>,
    /// Who looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned: Option<Assigned>,
    /// What was said about it, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<Comment>,
}

/// Who looks after an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Assigned {
    /// Their name, as somebody wrote it.
    pub to: String,
    /// Who said so.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

/// Something that was said about an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Comment {
    /// What.
    pub text: String,
    /// By whom.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

/// Which alerts are dismissed at once: all that are open, of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DismissMany {
    /// The kind.
    pub kind: AlertKind,
    /// Only at this integration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<IntegrationId>,
    /// Only those that were raised, or opened again, until then: what came after somebody looked stays open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Timestamp>,
}

/// The alerts that were dismissed at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dismissed {
    /// Their ids.
    pub alerts: Vec<AlertId>,
}

impl Alert {
    /// The alert as it is open now: the one before, refreshed, or a new one, which has no id yet where there never was one.
    pub fn opened(
        before: Option<Alert>,
        (kind, integration, subject): (AlertKind, IntegrationId, String),
        run: RunId,
        detail: &str,
        now: Timestamp,
    ) -> Alert {
        match before {
            Some(alert) if alert.state == AlertState::Open => Alert {
                detail: detail.to_owned(),
                last_seen: now,
                ..alert
            },
            before => Alert {
                id: before.as_ref().map_or(AlertId(0), |alert| alert.id),
                assigned: before.as_ref().and_then(|alert| alert.assigned.clone()),
                comments: before
                    .as_ref()
                    .map_or_else(Vec::new, |alert| alert.comments.clone()),
                acts: before.map(|alert| alert.acts).unwrap_or_default(),
                kind,
                integration,
                subject,
                state: AlertState::Open,
                sides: Vec::new(),
                detail: detail.to_owned(),
                confidence: None,
                count: None,
                examples: Vec::new(),
                suggestion: None,
                raised_by: run,
                first_seen: now,
                last_seen: now,
            },
        }
    }

    /// The alert, closed as its cause is gone; none where it is not open.
    pub fn closed(before: Option<Alert>, now: Timestamp) -> Option<Alert> {
        before
            .filter(|alert| alert.state == AlertState::Open)
            .map(|alert| Alert {
                state: AlertState::AutoClosed,
                last_seen: now,
                ..alert
            })
    }

    /// The ways to resolve it by hand now; none where it is not open. A mailbox is only handed on by somebody who has left.
    pub fn ways(&self) -> impl Iterator<Item = Way> {
        let is_open = self.state == AlertState::Open;
        let ways = self.kind.facts().ways.iter().copied();
        ways.filter(move |way| {
            let handed_on = self.kind == AlertKind::NameMismatch && *way == Way::CreateSeparate;
            is_open && (!handed_on || self.has_left())
        })
    }

    /// Whether a person among its sides is past.
    fn has_left(&self) -> bool {
        let mut people = self.sides.iter().filter(|side| side.person.is_some());
        people.any(|side| {
            let status = side.values.get(&Field::Status);
            status
                .and_then(|word| word.parse::<LeaseStatus>().ok())
                .is_some_and(LeaseStatus::is_closed)
        })
    }

    /// Whether it is about this resident, or stands for many of whom the resident is one. `decisions` are those about
    /// the resident.
    pub fn is_about(&self, resident: &str, decisions: &[Decision]) -> bool {
        let stands_for = |decision: &Decision| {
            let place = decision.reason.strip_prefix(&self.subject);
            decision.fate == Fate::Rejected && place.is_some_and(|rest| rest.starts_with(": "))
        };
        let has_bad_dates = |decision: &Decision| decision.reason.contains(CANNOT_BE);
        let is_side = |side: &Side| side.resident.as_deref() == Some(resident);
        self.subject == resident
            || self.sides.iter().any(is_side)
            || match self.kind {
                AlertKind::RecordsRejected => decisions.iter().any(stands_for),
                AlertKind::BadDates => {
                    decisions.iter().any(has_bad_dates)
                        || self.examples.iter().any(|one| one == resident)
                }
                _ => false,
            }
    }
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
