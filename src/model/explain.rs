//! Why a resident is where they are: from the PMS's record to the decision.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Alert, Change, Decision, Delivery, IntegrationId, Link, Outcome, Person, PersonId, Resident,
    Ruling, RunId, Setting,
};

/// What is known of one resident, and with `live` what the PMS says of them now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// The integration.
    pub integration: IntegrationId,
    /// The resident's PMS id, or a record's.
    pub resident: String,
    /// The last run whose decisions are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// What that run decided about them, one for each lease.
    #[serde(default)]
    pub decisions: Vec<Decision>,
    /// Their link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// Whom they are not, as somebody said by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruling: Option<Ruling>,
    /// The person they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
    /// When somebody of this PMS id was erased; none where nobody was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased: Option<Timestamp>,
    /// What the person has at each target, or shall have there.
    #[serde(default)]
    pub deliveries: Vec<Delivery>,
    /// Open alerts about them.
    #[serde(default)]
    pub alerts: Vec<Alert>,
    /// What they caused, newest first.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// What applies at the integration, and which file says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
    /// What the PMS says now, and what a run would make of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Live>,
}

/// A run for the sake of one resident, of which nothing remains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Live {
    /// How the run would end.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The records that speak of the resident, and what became of each.
    pub steps: Vec<Step>,
    /// The people that the match considered; none where there was nothing to match.
    pub considered: Vec<Considered>,
    /// What the run would decide.
    pub decisions: Vec<Decision>,
    /// What it would change.
    pub changes: Vec<Change>,
    /// Alerts that it would raise.
    pub raised: Vec<Alert>,
}

/// One record on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// The connector's request that gave the record.
    pub request: String,
    /// The PMS property it was asked of.
    pub property: String,
    /// The record as the PMS sent it.
    pub record: serde_json::Value,
    /// The residents that the script made of it.
    pub residents: Vec<Mapping>,
    /// Why the script could not map it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One resident on their way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Mapping {
    /// As the script made them.
    pub mapped: Resident,
    /// In the normal forms (R10–R12), with the unit here (R34); none where they have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normal: Option<Resident>,
    /// Why they have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The exclusion rules in their order, up to the one that took them.
    pub exclusions: Vec<RuleSeen>,
}

/// An exclusion rule (R6) and the value that it saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleSeen {
    /// The rule: a word of `exclude_statuses`, `include`, or the script's `exclude`.
    pub rule: String,
    /// The file that has the rule, relative to the home; none for one that is the program's own, or the script's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The value it looked at.
    pub saw: String,
    /// The reason to leave the resident out, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes: Option<String>,
    /// Why the rule could not be asked, where it could not: the record is not mapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A person that a match considered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Considered {
    /// The person.
    pub person: PersonId,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Email.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// What is the same.
    pub same: Vec<String>,
    /// Somebody said by hand that the resident is not this person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub apart: bool,
}
