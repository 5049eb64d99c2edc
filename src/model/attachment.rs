//! What an integration reads, and what the store remembers of it, so that its people are found again under another
//! name (R46). Holds no secret.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ActId, AlertId, Done, IntegrationId, LeaseStatus, PersonId};

/// What the file of an integration says that it reads: properties of one account at a PMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feeds {
    /// A hash of the connector's name and the plain fields of the credential: the same account has the same.
    pub account: String,
    /// A hash of the places where the credential keeps its secrets. Of two credentials whose plain fields are the
    /// same, it tells whether they are copies of each other.
    pub secrets: String,
    /// The PMS properties.
    pub properties: BTreeSet<String>,
}

/// What the store remembers of an integration that has run: where its people come from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Attachment {
    /// The account, as in [`Feeds`].
    pub account: String,
    /// The PMS properties that it reads, and those that it read before while people of theirs are linked.
    pub properties: BTreeSet<String>,
    /// Integrations from which its people were given back by hand: they are not taken for its new name again.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub apart: BTreeSet<IntegrationId>,
    /// When it was retired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired: Option<Timestamp>,
    /// Whose people came to it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_over: Option<TakenOver>,
    /// What was done to it as a whole, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub acts: Vec<ActId>,
}

/// Whether two names are of one PMS property: case does not matter, nor do blanks around it.
pub fn is_same_property(one: &str, other: &str) -> bool {
    unicase::eq(one.trim(), other.trim())
}

impl Feeds {
    /// Whether this PMS property is among them.
    pub fn names(&self, property: &str) -> bool {
        self.properties
            .iter()
            .any(|one| is_same_property(one, property))
    }
}

impl Attachment {
    /// Whether people of this PMS property are its own.
    pub fn holds(&self, account: &str, property: &str) -> bool {
        let mut properties = self.properties.iter();
        self.retired.is_none()
            && self.account == account
            && properties.any(|one| is_same_property(one, property))
    }
}

/// What the store knows of one integration, for those who load files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holding {
    /// What is remembered of it; none before it ran under a version that remembers.
    pub attachment: Option<Attachment>,
    /// How many residents are linked.
    pub linked: u64,
}

/// What the store knows of every integration.
pub type Holdings = BTreeMap<IntegrationId, Holding>;

/// People of one integration who belong to another from now on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Move {
    /// From where.
    pub from: IntegrationId,
    /// Where to.
    pub to: IntegrationId,
    /// The PMS properties whose people go; none where everybody goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<BTreeSet<String>>,
    /// It is the same integration under another name: its runs and what else is its own go, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub renamed: bool,
}

/// Whose people came to an integration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TakenOver {
    /// Where they were before.
    pub from: IntegrationId,
    /// The PMS properties whose people came; none where everybody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<BTreeSet<String>>,
    /// How many people.
    pub people: u64,
    /// When.
    pub at: Timestamp,
    /// The act, which can be undone.
    pub act: ActId,
}

/// What is gone although people of it are there: the file of an integration, or a PMS property out of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Absence {
    /// The integration.
    pub integration: IntegrationId,
    /// The PMS property; none where the file is gone.
    pub property: Option<String>,
}

impl Absence {
    /// What the alert about it is about.
    pub fn subject(&self) -> String {
        match &self.property {
            None => "file".to_owned(),
            Some(property) => format!("property {property}"),
        }
    }
}

/// A change of what belongs to an integration, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfIntegration<T> {
    /// The integration.
    pub integration: IntegrationId,
    /// What changed.
    #[serde(flatten)]
    pub swap: super::Swap<T>,
}

/// An alert that went to another integration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedAlert {
    /// The alert.
    pub alert: AlertId,
    /// From where.
    pub from: IntegrationId,
    /// Where to.
    pub to: IntegrationId,
}

/// What retiring an integration does, or did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Retirement {
    /// The integration.
    pub integration: IntegrationId,
    /// The PMS property whose people are meant; none where the whole integration is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
    /// Whose stays it ends.
    pub people: Vec<Leaver>,
    /// The alerts that it closes.
    pub alerts: Vec<AlertId>,
    /// The act; none where it was only asked what it would do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<Done>,
}

/// Somebody whose stay ends with the integration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Leaver {
    /// The person.
    pub person: PersonId,
    /// First and last name.
    pub name: String,
    /// The unit's label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The status until then.
    pub from: LeaseStatus,
    /// The status from then on.
    pub to: LeaseStatus,
}
