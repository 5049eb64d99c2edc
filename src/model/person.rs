//! A person of the store, their stays, and the link that ties them to a PMS.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use minicbor::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{IntegrationId, LeaseStatus, PersonId, Unit};

/// The nine synced fields, and the two that say how a stay stands.
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
pub enum Field {
    /// First name.
    #[n(0)]
    FirstName,
    /// Last name.
    #[n(1)]
    LastName,
    /// Email.
    #[n(2)]
    Email,
    /// Phone.
    #[n(3)]
    Phone,
    /// First day of the lease.
    #[n(4)]
    LeaseStart,
    /// Last day of the lease.
    #[n(5)]
    LeaseEnd,
    /// Day of moving in.
    #[n(6)]
    MoveIn,
    /// Day of moving out.
    #[n(7)]
    MoveOut,
    /// The unit's label.
    #[n(8)]
    Unit,
    /// The normalised status.
    #[n(9)]
    Status,
    /// Notice, eviction, excluded.
    #[n(10)]
    Flags,
}

impl Field {
    /// The name as it stands in JSON, CSV, commands and locks.
    pub fn as_str(self) -> &'static str {
        match self {
            Field::FirstName => "first_name",
            Field::LastName => "last_name",
            Field::Email => "email",
            Field::Phone => "phone",
            Field::LeaseStart => "lease_start",
            Field::LeaseEnd => "lease_end",
            Field::MoveIn => "move_in",
            Field::MoveOut => "move_out",
            Field::Unit => "unit",
            Field::Status => "status",
            Field::Flags => "flags",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a person came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Encode, Decode)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Made by hand.
    #[n(0)]
    Hand,
    /// Made by a sync (R17).
    #[n(1)]
    Sync,
}

/// One person's stay at one property, as the last run saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Encode, Decode)]
#[cbor(map)]
pub struct Stay {
    /// The normalised status. Never [`LeaseStatus::Unknown`]: the last known one is kept.
    #[n(0)]
    pub status: LeaseStatus,
    /// The unit lived in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(1)]
    pub unit: Option<Unit>,
    /// Further units of the same person at the same time (R21).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cbor(n(2), skip_if = "Vec::is_empty")]
    pub more_units: Vec<Unit>,
    /// First day of the lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cbor(n(3), with = "super::packed::day", has_nil)]
    pub lease_start: Option<Date>,
    /// Last day of the lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cbor(n(4), with = "super::packed::day", has_nil)]
    pub lease_end: Option<Date>,
    /// Day of moving in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cbor(n(5), with = "super::packed::day", has_nil)]
    pub move_in: Option<Date>,
    /// Day of moving out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cbor(n(6), with = "super::packed::day", has_nil)]
    pub move_out: Option<Date>,
    /// Has given notice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cbor(n(7), skip_if = "super::packed::no")]
    pub notice: bool,
    /// Is being evicted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cbor(n(8), skip_if = "super::packed::no")]
    pub eviction: bool,
    /// The status is on the exclude list now; nothing is updated until it leaves it (R8).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cbor(n(9), skip_if = "super::packed::no")]
    pub excluded: bool,
}

impl Stay {
    /// Whether nobody lives or will live there by it (R24).
    pub fn is_closed(&self) -> bool {
        self.status.is_closed()
    }
}

/// A person. Unique by email within the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Encode, Decode)]
#[cbor(map)]
pub struct Person {
    /// The id.
    #[n(0)]
    pub id: PersonId,
    /// First name, in the form of R10.
    #[n(1)]
    pub first_name: String,
    /// Last name, in the form of R10.
    #[n(2)]
    pub last_name: String,
    /// Email, in the form of R10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(3)]
    pub email: Option<String>,
    /// Phone, in the form of R11.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(4)]
    pub phone: Option<String>,
    /// Stays, by property. One made by hand may have none. Each is boxed: a map has room for eleven from the first
    /// on, and nearly everybody has one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cbor(n(5), skip_if = "BTreeMap::is_empty")]
    pub stays: BTreeMap<IntegrationId, Box<Stay>>,
    /// Fields that no sync overwrites (R18).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[cbor(n(6), skip_if = "BTreeSet::is_empty")]
    pub locks: BTreeSet<Field>,
    /// Runs write nothing to this person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cbor(n(7), skip_if = "super::packed::no")]
    pub pinned: bool,
    /// The person whom this one became by hand. This one holds no email and has no stay any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(8)]
    pub merged_into: Option<PersonId>,
    /// The making of this person was undone. They hold no email and have no stay any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cbor(n(9), skip_if = "super::packed::no")]
    pub withdrawn: bool,
    /// Somebody erased this person: nothing is kept that says who they were. They hold no name, email, phone, stay or link.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cbor(n(12), skip_if = "super::packed::no")]
    pub erased: bool,
    /// How the person came to be.
    #[n(10)]
    pub origin: Origin,
    /// When the person came to be.
    #[cbor(n(11), with = "super::packed::moment")]
    pub created: Timestamp,
}

impl Person {
    /// Nobody yet, with this id.
    pub fn new(id: PersonId, origin: Origin, created: Timestamp) -> Person {
        Person {
            id,
            first_name: String::new(),
            last_name: String::new(),
            email: None,
            phone: None,
            stays: BTreeMap::new(),
            locks: BTreeSet::new(),
            pinned: false,
            merged_into: None,
            withdrawn: false,
            erased: false,
            origin,
            created,
        }
    }

    /// Where the person is current, by property.
    pub fn current_at(&self) -> impl Iterator<Item = &IntegrationId> {
        let current = self.stays.iter();
        let current = current.filter(|(_, stay)| stay.status == LeaseStatus::Current);
        current.map(|(integration, _)| integration)
    }

    /// The stay at a property.
    pub fn stay(&self, integration: &IntegrationId) -> Option<&Stay> {
        self.stays.get(integration).map(|stay| &**stay)
    }
}

/// The tie between a person and a PMS identity. Key: integration and the resident's PMS id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Encode, Decode)]
#[cbor(map)]
pub struct Link {
    /// The person.
    #[n(0)]
    pub person: PersonId,
    /// When it was tied.
    #[cbor(n(1), with = "super::packed::moment")]
    pub since: Timestamp,
    /// The status the PMS gave last, kept when a later word is unknown.
    #[n(2)]
    pub status: LeaseStatus,
    /// The email the PMS gave when it was taken over last: another one now has changed there (R19), a
    /// person's other one was edited here (R18).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(3)]
    pub email: Option<String>,
    /// The unit of the current lease that the PMS named last: it stays theirs while the resident is absent (R25).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(4)]
    pub unit: Option<Unit>,
    /// The PMS property that named the resident last; none where the PMS is asked for all of them at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(5)]
    pub property: Option<String>,
    /// The id of the record that named the resident last, where it is another than the resident's (R41).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(6)]
    pub record: Option<String>,
    /// First day of the lease that the PMS named last: what tells an older lease from a newer one (R22).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cbor(n(7), with = "super::packed::day", has_nil)]
    pub lease_start: Option<Date>,
    /// Complete, successful runs in a row that did not see the resident (R25).
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cbor(n(8), skip_if = "is_zero")]
    pub misses: u32,
    /// How many of those runs saw the person under another id of this integration (R22).
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cbor(n(9), skip_if = "is_zero")]
    pub outlived: u32,
    /// The person has another id in the PMS now: this one weighs nothing against it (R22).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cbor(n(10), skip_if = "super::packed::no")]
    pub superseded: bool,
    /// Somebody decided by hand that the person has another email than the one the PMS gives here: it is not
    /// written before the PMS gives yet another one (R31).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cbor(n(11), skip_if = "super::packed::no")]
    pub overruled: bool,
    /// Somebody tied it by hand, and no run has named the resident since: the next record is taken for theirs, whatever
    /// name it has.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cbor(n(12), skip_if = "super::packed::no")]
    pub by_hand: bool,
}

impl Link {
    /// A resident who is tied to a person now, and of whom no run has said anything yet. A lease that is over is not
    /// missed (R25), so it is taken for one.
    pub fn new(person: PersonId, since: Timestamp) -> Link {
        Link {
            person,
            since,
            status: LeaseStatus::Past,
            email: None,
            unit: None,
            property: None,
            record: None,
            lease_start: None,
            misses: 0,
            outlived: 0,
            superseded: false,
            overruled: false,
            by_hand: false,
        }
    }
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
