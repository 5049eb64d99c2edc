//! What is kept between runs to judge the next one by. Of the mass-change guard (R27): what passed lately, what is
//! held, what was approved or rejected. Of what a run understood (R41): whose records could not be mapped, what waits,
//! what was approved. It decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Actor, Field, PersonId, RunId};

/// Why the guard looks at a part of a plan. In the order in which a held plan lists its parts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum GuardedKind {
    /// The feed is empty where people are linked.
    EmptyFeed,
    /// Most of those who are linked are newly absent while others arrive.
    OtherDatabase,
    /// A person's stay ends.
    Closing,
    /// A person who lives there is to come yet: pending has no access (R38).
    BackToPending,
    /// A person's last link is given up.
    Unlink,
    /// A linked person is excluded and updated no more (R8).
    Rest,
    /// A person gets another email, or none.
    EmailChange,
    /// A person gets another first and another last name.
    NameChange,
    /// A person lives in another unit, and the unit was not only renamed.
    UnitChange,
    /// The lease end or the move-out of somebody current moves into the past.
    EndPassed,
    /// The lease end of somebody current is taken away long before it came.
    EndTaken,
    /// A person gets the phone of another linked person.
    PhoneTaken,
    /// A person has given notice, and so have more than half of those who are current.
    Notice,
    /// The last current resident of a unit leaves it (R36).
    Vacancy,
    /// Somebody moves into a unit in which somebody of another household stays.
    Arrival,
    /// Somebody new, where very many come.
    Newcomer,
    /// A linked person whom the feed named until now, and does not name any more.
    Absent,
    /// An exclusion takes many more residents than in the run before. Only plans of earlier versions have it.
    Exclusion,
}

impl GuardedKind {
    /// The words as reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            GuardedKind::EmptyFeed => "empty feed",
            GuardedKind::OtherDatabase => "another database",
            GuardedKind::Closing => "closing",
            GuardedKind::BackToPending => "back to pending",
            GuardedKind::Unlink => "unlink",
            GuardedKind::Rest => "exclusion of a linked person",
            GuardedKind::EmailChange => "email change",
            GuardedKind::NameChange => "name change",
            GuardedKind::UnitChange => "unit change",
            GuardedKind::EndPassed => "end in the past",
            GuardedKind::EndTaken => "lease end taken away",
            GuardedKind::PhoneTaken => "phone of another",
            GuardedKind::Notice => "notice",
            GuardedKind::Vacancy => "vacancy",
            GuardedKind::Arrival => "arrival in an occupied unit",
            GuardedKind::Newcomer => "newcomer",
            GuardedKind::Absent => "absent",
            GuardedKind::Exclusion => "exclusion",
        }
    }
}

/// One part of a plan that the guard looks at. What approves it is `kind`, `subject`, `mark` and `count`; the rest
/// is for whoever decides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Guarded {
    /// Why.
    pub kind: GuardedKind,
    /// The person; of somebody who is nobody yet the resident's PMS id; the unit; or the PMS property, empty for
    /// the whole feed.
    pub subject: String,
    /// A hash of the values before and after: the same part of another plan has the same.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mark: String,
    /// How many residents an exclusion takes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub count: u64,
    /// The person, where it is about one of the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// The person's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The unit's label: of a person the one lived in before.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// The value before.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// The value after.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub to: String,
}

impl Guarded {
    /// A part about nobody in particular.
    pub fn of_feed(kind: GuardedKind, property: impl Into<String>) -> Guarded {
        Guarded {
            kind,
            subject: property.into(),
            mark: String::new(),
            count: 0,
            person: None,
            name: String::new(),
            unit: String::new(),
            from: String::new(),
            to: String::new(),
        }
    }
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A plan that was held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeldPlan {
    /// The run that held it.
    pub run: RunId,
    /// The digest of its guarded parts.
    pub digest: String,
    /// Those parts: everybody whom it takes something from, or lets in.
    pub items: Vec<Guarded>,
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

/// Somebody's word that a held plan is wrong: nobody is told of it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The digest of the plan.
    pub digest: String,
    /// Whose word.
    pub by: Actor,
    /// When it was given.
    pub at: Timestamp,
}

/// A unit that somebody lives in. Units of two PMS properties may have one id.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Dwelling {
    /// The PMS property; empty where the PMS is asked for all of them at once.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub property: String,
    /// The PMS's id of the unit.
    pub id: String,
    /// Its name here.
    #[serde(default)]
    pub label: String,
    /// The PMS's id of what it is a part of, where that was the unit before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formerly: Option<String>,
}

/// Something guarded that a run carried out, unasked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// When.
    pub at: Timestamp,
    /// Why the guard looked at it.
    pub kind: GuardedKind,
    /// The person.
    pub subject: String,
    /// Where the person lived before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<Dwelling>,
    /// Hashes of the phones before and after, where the phone changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phones: Option<[String; 2]>,
}

/// People who were linked at one moment and are no arrivals: by the first reading of a feed, or because somebody
/// approved it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admitted {
    /// When they were linked.
    pub at: Timestamp,
    /// Those of this PMS property; all of them, where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
    /// It was the first reading: they count as if they had always been linked.
    pub first: bool,
}

/// How many came in one run, unasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Came {
    /// When.
    pub at: Timestamp,
    /// New people.
    pub newcomers: u64,
    /// Units into which somebody came.
    pub units: u64,
}

/// How many linked people and occupied units an approved plan took. They were there before.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Gone {
    /// Linked people who are linked no more.
    pub linked: u64,
    /// Units that nobody lives in any more.
    pub occupied: u64,
}

/// What an approved plan took, for one window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    /// When.
    pub at: Timestamp,
    /// Everywhere.
    pub all: Gone,
    /// Of each PMS property.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub of_each: BTreeMap<String, Gone>,
}

/// At least so many were there before every window that ends before `until`: what takes from few need not be
/// counted against everybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtLeast {
    /// Until when it holds.
    pub until: Timestamp,
    /// Linked people, of the PMS property that has the fewest.
    pub linked: u64,
    /// Occupied units, of the PMS property that has the fewest.
    pub occupied: u64,
}

/// Somebody from whom something was taken unasked, and when last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenFrom {
    /// When.
    pub at: Timestamp,
    /// The person.
    pub person: PersonId,
}

impl GuardState {
    /// The subject of the alert about a held plan: there is one for each integration.
    pub const SUBJECT: &str = "guard";
}

/// What the guard knows of an integration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GuardState {
    /// What passed within the window without approval, oldest first.
    pub passed: Vec<Passed>,
    /// Who came within the window and is no arrival.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub admitted: Vec<Admitted>,
    /// How many came within the window without approval, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub came: Vec<Came>,
    /// What was taken within the window with approval.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approved: Vec<Approved>,
    /// The attached PMS properties that were read completely; none before the first complete run, and from an
    /// earlier version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attached: Option<BTreeSet<String>>,
    /// What was there at least when everybody was counted last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<AtLeast>,
    /// The last people from whom something was taken without approval within a month: no more than one above
    /// `guard.month`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub month: Vec<TakenFrom>,
    /// How many were linked when that was judged last.
    #[serde(skip_serializing_if = "is_zero")]
    pub month_of: u64,
    /// What the last complete run excluded, by reason; none before the first.
    pub excluded_by: Option<BTreeMap<String, u64>>,
    /// How many residents the last complete run saw; none before the first, and from an earlier version.
    pub seen: Option<u64>,
    /// The plan that waits.
    pub held: Option<HeldPlan>,
    /// The plan that somebody rejected; it waits all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected: Option<Rejection>,
    /// The approval that waits for its run.
    pub approval: Option<Approval>,
    /// What only the rules of a new version would take: a plan of its own, which waits whatever its size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_upgrade: Option<HeldPlan>,
    /// The approval of that plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_upgrade_approval: Option<Approval>,
    /// What the last run that succeeded did not understand, and what waits because of that (R41).
    pub understanding: Understanding,
}

/// A place of the script, or a rule, with how many records it stopped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stopped {
    /// `file:line:column`, or the rule.
    pub place: String,
    /// How many records; of a date that cannot be read, how many people.
    pub count: u64,
}

/// What a run did not understand, and waits for approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotUnderstood {
    /// The run.
    pub run: RunId,
    /// The digest of the places with their counts.
    pub digest: String,
    /// Those places, in order.
    pub places: Vec<Stopped>,
}

/// Somebody's word that a run may leave out what it does not understand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovedGaps {
    /// What may be left out.
    pub plan: NotUnderstood,
    /// Whose word.
    pub by: Actor,
    /// When it was given.
    pub at: Timestamp,
    /// Until when it counts.
    pub expires: Timestamp,
}

/// What the last run that succeeded did not understand (R41): the next one is judged against it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Understanding {
    /// A run that keeps all this has succeeded: false in a store of an earlier version, and before the first run.
    pub known: bool,
    /// Linked people, not past, whose record could not be mapped, or may be among those that could not.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub unmapped: BTreeSet<PersonId>,
    /// How many of the records that could not be mapped have no id by which to know whose they are.
    #[serde(skip_serializing_if = "is_zero")]
    pub nameless: u64,
    /// Linked people of whom a date could not be read, by its field (R12).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dates: BTreeMap<Field, BTreeSet<PersonId>>,
    /// Where it could map no record at all, and was approved: what stopped them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nothing: Option<Vec<Stopped>>,
    /// What waits for approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<NotUnderstood>,
    /// The approval that waits for its run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovedGaps>,
}
