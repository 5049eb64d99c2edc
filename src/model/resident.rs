//! A resident: the canonical form that a mapping script makes of a PMS record.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LeaseStatus;

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
