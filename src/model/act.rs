//! What somebody did by hand: who, when, to what, with everything before and after, so that it can be undone.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ActId, Actor, AlertId, AlertState, Assigned, Attachment, Change, IntegrationId, Link, Move,
    MovedAlert, OfIntegration, Person, PersonId,
};

/// How an alert is resolved (R31).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "how", deny_unknown_fields)]
pub enum Resolution {
    /// `name_mismatch`: the PMS name overwrites, and the person is linked. `duplicate_accounts`: the people
    /// become one, `into`, who is linked.
    Merge {
        /// Who stays, where there are several people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        into: Option<PersonId>,
    },
    /// `email_mismatch`: the resident becomes a person of their own.
    CreateSeparate,
    /// `email_mismatch`: the person gets the PMS's email, and keeps identity, access and history.
    ReplaceEmail,
    /// `duplicate_accounts`: the resident is none of the people who only have the same name.
    NotDuplicate,
    /// `identity_changed`, `duplicate_ids`: the record is the linked person's all the same.
    SamePerson,
    /// `identity_changed`: the record is somebody else's; the link ends, and the record is matched anew.
    SomebodyElse,
    /// `unmapped_unit`: the PMS unit is this unit here.
    MapUnit {
        /// The unit here.
        unit: String,
        /// That another PMS unit may be this unit here as well (R35).
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        force: bool,
    },
    /// `erased_returned`: the resident comes in again, as somebody new.
    Admit,
}

impl Resolution {
    /// The word as commands write it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Resolution::Merge { .. } => "merge",
            Resolution::CreateSeparate => "create-separate",
            Resolution::ReplaceEmail => "replace-email",
            Resolution::NotDuplicate => "not-duplicate",
            Resolution::SamePerson => "same-person",
            Resolution::SomebodyElse => "somebody-else",
            Resolution::MapUnit { .. } => "map-unit",
            Resolution::Admit => "admit",
        }
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActKind {
    /// A person was made.
    Add,
    /// An alert was resolved: people became one.
    Merge,
    /// An alert was resolved: a resident became a person of their own.
    CreateSeparate,
    /// An alert was resolved: a person got the PMS's email.
    ReplaceEmail,
    /// An alert was resolved: people are not the same.
    NotDuplicate,
    /// An alert was resolved: a PMS unit is a unit here.
    MapUnit,
    /// An alert was resolved: a record is the linked person's all the same.
    SamePerson,
    /// An alert was resolved: a record is somebody else's than the linked person's.
    SomebodyElse,
    /// An alert was dismissed.
    Dismiss,
    /// A resident was tied to a person.
    Link,
    /// A resident was untied from a person.
    Unlink,
    /// Fields were kept from the PMS (R18).
    Lock,
    /// Fields were given back to the PMS.
    Unlock,
    /// A person was kept from every run.
    Pin,
    /// A person was given back to runs.
    Unpin,
    /// The act before was undone.
    Undo,
    /// People of an integration, or of one of its PMS properties, went to another (R46).
    Rename,
    /// An integration was given up for good (R46).
    Retire,
    /// A person was erased, or is to be once every target has heard of it.
    Erase,
    /// An alert was resolved: somebody who was erased comes in again.
    Admit,
    /// Fields of a person were written.
    Set,
    /// A stay that was made by hand was ended.
    End,
    /// Something was said about an alert.
    Comment,
    /// Somebody looks after an alert.
    Assign,
    /// Nobody looks after an alert any more.
    Unassign,
}

impl ActKind {
    /// The word as reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            ActKind::Add => "add",
            ActKind::Merge => "merge",
            ActKind::CreateSeparate => "create-separate",
            ActKind::ReplaceEmail => "replace-email",
            ActKind::NotDuplicate => "not-duplicate",
            ActKind::MapUnit => "map-unit",
            ActKind::SamePerson => "same-person",
            ActKind::SomebodyElse => "somebody-else",
            ActKind::Dismiss => "dismiss",
            ActKind::Link => "link",
            ActKind::Unlink => "unlink",
            ActKind::Lock => "lock",
            ActKind::Unlock => "unlock",
            ActKind::Pin => "pin",
            ActKind::Unpin => "unpin",
            ActKind::Undo => "undo",
            ActKind::Rename => "rename",
            ActKind::Retire => "retire",
            ActKind::Erase => "erase",
            ActKind::Admit => "admit",
            ActKind::Set => "set",
            ActKind::End => "end",
            ActKind::Comment => "comment",
            ActKind::Assign => "assign",
            ActKind::Unassign => "unassign",
        }
    }

    /// Whether it can be undone: of somebody who was erased nothing is kept, and what was undone is done again instead.
    pub fn can_be_undone(self) -> bool {
        !matches!(self, ActKind::Undo | ActKind::Erase)
    }

    /// Whether it says something about an alert, or who looks after it, and settles nothing: acts of the two sorts are undone
    /// whatever came of the other sort since.
    pub fn is_care(self) -> bool {
        matches!(self, ActKind::Comment | ActKind::Assign | ActKind::Unassign)
    }
}

impl fmt::Display for ActKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is written of a person by hand; what is absent stays, and an empty text takes the value away.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProfileEdit {
    /// First name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Email.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// No sync overwrites these fields from now on (R18).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lock: bool,
}

/// What somebody decided about a PMS id: whom it is not, although it looks like it, and that it is one human's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Ruling {
    /// People who are somebody else.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub apart: BTreeSet<PersonId>,
    /// All leases under the id are one human's, whatever names they have (R21).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub together: bool,
}

impl Ruling {
    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.apart.is_empty() && !self.together
    }
}

/// A thing before and after an act; none where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap<T> {
    /// As it was.
    pub before: Option<T>,
    /// As it was made.
    pub after: Option<T>,
}

/// A resident of an integration, and something about them before and after an act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfResident<T> {
    /// The integration.
    pub integration: IntegrationId,
    /// The resident's PMS id.
    pub resident: String,
    /// What changed.
    #[serde(flatten)]
    pub swap: Swap<T>,
}

/// A PMS unit of an integration, and the unit here before and after an act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfUnit {
    /// The integration.
    pub integration: IntegrationId,
    /// The PMS unit's id.
    pub unit: String,
    /// What changed.
    #[serde(flatten)]
    pub swap: Swap<String>,
}

/// Something that was done by hand, in one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// The id.
    pub id: ActId,
    /// What was done.
    pub kind: ActKind,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// The alert it was done to, and how that stood before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<(AlertId, AlertState)>,
    /// Other alerts that it resolved with that one, and how they stood before: those of people who swap emails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<(AlertId, AlertState)>,
    /// People before and after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Swap<Person>>,
    /// Links before and after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<OfResident<Link>>,
    /// What is remembered, before and after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rulings: Vec<OfResident<Ruling>>,
    /// Units mapped, before and after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<OfUnit>,
    /// Whose people went where.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<Move>,
    /// What is remembered of integrations, before and after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<OfIntegration<Attachment>>,
    /// Alerts that went to another integration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<MovedAlert>,
    /// Who was erased.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub erased: Vec<PersonId>,
    /// Residents who come in again although they were erased, by their PMS ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub admitted: Vec<String>,
    /// Why, as whoever did it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was said about the alert, or who looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// Who looked after the alert before and after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned: Option<Swap<Assigned>>,
    /// The act that undid it, or that took out of it what could be given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone_by: Option<ActId>,
}

impl Act {
    /// An act that has done nothing yet.
    pub fn new(id: ActId, kind: ActKind, at: Timestamp, by: Actor) -> Act {
        Act {
            id,
            kind,
            at,
            by,
            alert: None,
            with: Vec::new(),
            people: Vec::new(),
            links: Vec::new(),
            rulings: Vec::new(),
            units: Vec::new(),
            moves: Vec::new(),
            attachments: Vec::new(),
            alerts: Vec::new(),
            erased: Vec::new(),
            admitted: Vec::new(),
            reason: None,
            said: None,
            assigned: None,
            undone_by: None,
        }
    }
}

/// An act that was done, and what it wrote to the change log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Done {
    /// The id.
    pub act: ActId,
    /// What was done.
    pub kind: ActKind,
    /// The alert it was done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertId>,
    /// The changes.
    #[serde(default)]
    pub changes: Vec<Change>,
}
