//! A resident: the canonical form that a mapping script makes of a PMS record.

use std::collections::BTreeSet;

use jiff::civil::Date;
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
)]
#[serde(rename_all = "snake_case")]
pub enum Relationship {
    /// The main resident of the lease.
    #[default]
    Primary,
    /// Signs and lives there too.
    CoResident,
    /// Lives there without signing.
    Occupant,
    /// Pays if the others do not; does not live there.
    Guarantor,
    /// A child of the household.
    Minor,
    /// A company that rents.
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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// The PMS's id of the unit.
    pub id: String,
    /// What people call it, e.g. `Bldg A - 12B`.
    pub label: String,
    /// The PMS's id of what it is a part of, where that was the key before: who lived or was mapped there by it goes on as
    /// here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resident {
    /// The PMS's stable id of the person. The link hangs on it.
    pub id: String,
    /// The PMS's id of the lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_id: Option<String>,
    /// What the members of one household have in common.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub household: Option<String>,
    /// What the person is to the lease.
    #[serde(default)]
    pub relationship: Relationship,
    /// First name.
    #[serde(default)]
    pub first_name: String,
    /// Last name.
    #[serde(default)]
    pub last_name: String,
    /// Email; empty is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Phone; empty is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The unit lived in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// First day of the lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_start: Option<Date>,
    /// Last day of the lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_end: Option<Date>,
    /// Day of moving in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub move_in: Option<Date>,
    /// Day of moving out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub move_out: Option<Date>,
    /// The dates among these that stand in the PMS and cannot be (R12): what is known of them stays.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(schema_with = "dates")]
    pub unreadable: BTreeSet<Field>,
    /// The normalised status.
    pub status: LeaseStatus,
    /// The PMS's own word for it; `exclude_statuses` is matched against this.
    #[serde(default)]
    pub status_word: String,
    /// Has given notice; still current.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub notice: bool,
    /// Is being evicted; still current.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
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
