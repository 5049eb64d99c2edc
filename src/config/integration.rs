//! `config/integrations/*.yaml`: one property here, and what of the PMS feeds it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Age, Schedule, Span};

/// One property here, fed by one or more PMS properties through one credential. The file's stem is its id.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Integration {
    /// Version of the file's form: 1.
    #[schemars(extend("const" = 1))]
    pub version: u32,
    /// The property here.
    pub property: Property,
    /// The credential, by the stem of its file.
    pub credential: String,
    /// The PMS's ids of the properties that feed this one. Nothing else is looked at (R5). Case does not tell two of them apart.
    pub pms_properties: Vec<String>,
    /// The PMS's own status words that are never pulled (R6), in place of the credential's `defaults`. Case and outer spaces do
    /// not matter.
    #[serde(default)]
    pub exclude_statuses: Vec<String>,
    /// Whether it is switched on.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// When it is synced, instead of the credential's `defaults` and the daemon's `schedule`.
    #[serde(default)]
    pub schedule: Option<Schedule>,
    /// The script, instead of the connector's; a file in `scripts/`.
    #[serde(default)]
    pub script: Option<String>,
    /// Who comes in although they are left out by default (§10).
    #[serde(default)]
    pub include: Vec<Include>,
    /// What an email that changed in the PMS holds back (R19).
    #[serde(default)]
    pub email_change: EmailChange,
    /// After how many complete runs without a linked resident an alert is raised (R25).
    #[serde(default = "twenty_four")]
    pub missing_after: u32,
    /// When a run is held until somebody approves it (R27).
    #[serde(default)]
    pub guard: Guard,
    /// How long somebody has left before they are erased: `30d` at the least, such as `4y`; without it, never. Who also
    /// stayed at a property whose file says nothing of it, or lives anywhere, is not.
    #[serde(default)]
    pub erase_after: Option<Age>,
    /// How the PMS's units become the units here (R33–R35).
    #[serde(default)]
    pub units: Units,
    /// Settings that the script reads as `ctx.fields`, and templates of the connector as `{{ fields.NAME }}`.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
}

/// When a run is held until somebody approves it (R27): when it takes something from more people than
/// `max(limit, percent of the linked people)`, or leaves more units empty than `max(limit, percent of the occupied
/// units)`, together with the runs of the `window` before it; and when too many come into units in which others stay.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Guard {
    /// So many are never too many. In a building of fewer than 12 occupied units no more than half of them may be
    /// touched all the same, unless this is 12 or more.
    pub limit: u32,
    /// So many of a hundred are never too many. With 100 only arrivals and empty feeds are held.
    pub percent: u32,
    /// How long what passed still counts.
    pub window: Span,
    /// More new people within the window are held where they are also more than twice the linked.
    pub newcomers: u32,
    /// When more people than this, or than half of the linked, lost something within a month, `slow_drain` tells it.
    pub month: u32,
    /// What becomes of the rest of a held plan.
    pub on_trip: OnTrip,
    /// How long an approval counts.
    pub approval_expires: Span,
}

impl Default for Guard {
    fn default() -> Self {
        Guard {
            limit: 5,
            percent: 10,
            window: Span::seconds(86_400),
            newcomers: 400,
            month: 50,
            on_trip: OnTrip::Stop,
            approval_expires: Span::seconds(86_400),
        }
    }
}

/// What becomes of the rest of a held plan: everything that takes nothing away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnTrip {
    /// It waits, too.
    #[default]
    Stop,
    /// It is written; only what takes away waits.
    Stage,
}

/// How the PMS's units become the units here. With neither `here` nor `map`, the label as the script gives
/// it is the unit (R34).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Units {
    /// Whether units are synced at all (R33).
    pub sync: bool,
    /// The units of the property here, from which an unmapped one gets a suggestion.
    pub here: Vec<String>,
    /// The PMS's unit id, and the unit here.
    pub map: BTreeMap<String, String>,
    /// Units here that several PMS units may be mapped onto.
    pub shared: Vec<String>,
    /// A PMS unit whose label is that of a unit here is that unit, without standing in `map`; a unit here that `map`, or
    /// somebody by hand, gives to a PMS unit is no other's.
    pub equal_labels: bool,
}

impl Default for Units {
    fn default() -> Self {
        Units {
            sync: true,
            here: Vec::new(),
            map: BTreeMap::new(),
            shared: Vec::new(),
            equal_labels: false,
        }
    }
}

/// The property here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Property {
    /// What people call it.
    pub name: String,
    /// Its time zone, by IANA name: it decides what `today` is. It may be absent where `defaults` of the credential have one.
    #[serde(default)]
    pub timezone: String,
    /// Its country, by ISO 3166 code: it decides how phones are read (R11).
    #[serde(default = "us")]
    pub country: String,
}

/// Who comes in although they are left out by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Include {
    Guarantor,
    Minor,
    Company,
}

/// What an email that changed in the PMS holds back (R19). Restrictive changes always pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmailChange {
    /// All profile fields wait.
    #[default]
    HoldRecord,
    /// Only the email waits.
    HoldEmail,
}

fn yes() -> bool {
    true
}

fn twenty_four() -> u32 {
    24
}

fn us() -> String {
    "US".into()
}
