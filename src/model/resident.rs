//! A resident: the canonical form that a mapping script makes of a PMS record.

use std::collections::BTreeSet;

use jiff::civil::Date;
use minicbor::{Decode, Encode};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{Field, LeaseStatus};

/// Dates that PMSs write where they mean none (R12).
const SENTINELS: [Date; 5] = [
    jiff::civil::date(1900, 1, 1),
    jiff::civil::date(1, 1, 1),
    jiff::civil::date(9999, 12, 31),
    jiff::civil::date(1753, 1, 1),
    jiff::civil::date(1970, 1, 1),
];

/// Whether a date stands for none (R12).
pub fn is_sentinel(date: Date) -> bool {
    date.year() == 0 || SENTINELS.contains(&date)
}

/// Whether what is written for a date stands for none, and is no date either: `00/00/0000`, and whatever is in the year
/// 0000 (R12).
pub fn is_sentinel_text(text: &str) -> bool {
    let day = text.split(['T', ' ']).next().unwrap_or_default();
    let mut digits = day.bytes().filter(u8::is_ascii_digit).peekable();
    let is_mark = |byte: u8| byte.is_ascii_digit() || b"-/.".contains(&byte);
    let in_no_year = || {
        ["0000-", "0000/", "0000."]
            .iter()
            .any(|year| day.starts_with(year))
    };
    day.bytes().all(is_mark)
        && digits.peek().is_some()
        && (digits.all(|digit| digit == b'0') || in_no_year())
}

/// What a person is to a lease. Guarantors and minors come in only where `include` says so.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
    Encode,
    Decode,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Relationship {
    /// The main resident of the lease.
    #[default]
    #[n(0)]
    Primary,
    /// Signs and lives there too.
    #[n(1)]
    CoResident,
    /// Lives there without signing.
    #[n(2)]
    Occupant,
    /// Pays if the others do not; does not live there.
    #[n(3)]
    Guarantor,
    /// A child of the household.
    #[n(4)]
    Minor,
    /// A company that rents.
    #[n(5)]
    Company,
}

impl Relationship {
    /// The word as scripts and `include` write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Relationship::Primary => "primary",
            Relationship::CoResident => "co_resident",
            Relationship::Occupant => "occupant",
            Relationship::Guarantor => "guarantor",
            Relationship::Minor => "minor",
            Relationship::Company => "company",
        }
    }

    /// Whether somebody in it is left out unless the integration includes it.
    pub fn is_left_out(self) -> bool {
        matches!(
            self,
            Relationship::Guarantor | Relationship::Minor | Relationship::Company
        )
    }
}

/// A unit as the PMS names it: `id` is the key (R34), `label` is for people.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, Encode, Decode,
)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// The PMS's id of the unit.
    #[n(0)]
    pub id: String,
    /// What people call it, e.g. `Bldg A - 12B`.
    #[n(1)]
    pub label: String,
    /// The PMS's id of what it is a part of, where that was the key before: who lived or was mapped there by it goes on as
    /// here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(2)]
    pub formerly: Option<String>,
}

impl Unit {
    /// Whether it is the same unit as one that is known, by its id or by its former one.
    pub fn is(&self, known: &Unit) -> bool {
        self.id == known.id || self.formerly.as_ref() == Some(&known.id)
    }
}

/// One person on one lease, as the script understood the PMS.
///
/// Before [`sync`](crate::sync) normalises it, texts are as the script gave them; afterwards they are in
/// the normal forms of R10–R12: names NFC and collapsed, email lower case, phone E.164.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Encode, Decode)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Resident {
    /// The PMS's stable id of the person. The link hangs on it.
    #[n(0)]
    pub id: String,
    /// The PMS's id of the lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(1)]
    pub lease_id: Option<String>,
    /// What the members of one household have in common.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(2)]
    pub household: Option<String>,
    /// What the person is to the lease.
    #[serde(default)]
    #[n(3)]
    pub relationship: Relationship,
    /// First name.
    #[serde(default)]
    #[n(4)]
    pub first_name: String,
    /// Last name.
    #[serde(default)]
    #[n(5)]
    pub last_name: String,
    /// Email; empty is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(6)]
    pub email: Option<String>,
    /// Phone; empty is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(7)]
    pub phone: Option<String>,
    /// The unit lived in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(8)]
    pub unit: Option<Unit>,
    /// First day of the lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cbor(n(9), with = "super::packed::day", has_nil)]
    pub lease_start: Option<Date>,
    /// Last day of the lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cbor(n(10), with = "super::packed::day", has_nil)]
    pub lease_end: Option<Date>,
    /// Day of moving in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cbor(n(11), with = "super::packed::day", has_nil)]
    pub move_in: Option<Date>,
    /// Day of moving out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cbor(n(12), with = "super::packed::day", has_nil)]
    pub move_out: Option<Date>,
    /// The dates among these that stand in the PMS and cannot be (R12): what is known of them stays.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(schema_with = "dates")]
    #[cbor(n(13), skip_if = "BTreeSet::is_empty")]
    pub unreadable: BTreeSet<Field>,
    /// The normalised status.
    #[n(14)]
    pub status: LeaseStatus,
    /// The PMS's own word for it; `exclude_statuses` is matched against this.
    #[serde(default)]
    #[n(15)]
    pub status_word: String,
    /// Has given notice; still current.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cbor(n(16), skip_if = "super::packed::no")]
    pub notice: bool,
    /// Is being evicted; still current.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cbor(n(17), skip_if = "super::packed::no")]
    pub eviction: bool,
}

/// The fields of a resident that are dates.
fn dates(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "uniqueItems": true,
        "items": { "type": "string", "enum": ["lease_start", "lease_end", "move_in", "move_out"] },
    })
}
