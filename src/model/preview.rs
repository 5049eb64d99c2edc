//! What the next run of an integration would do, as a whole run in a dropped transaction found out.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Alert, Change, Decision, HeldPlan, PersonId, Run, Tried};

/// What a run would do now. Nothing of it is in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Preview {
    /// The report as the run would write it; its id belongs to no run.
    pub report: Run,
    /// The changes, in their order; their numbers are 0.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// The decision for every record.
    #[serde(default)]
    pub decisions: Vec<Decision>,
    /// Alerts that would be raised; new ones have the id 0.
    #[serde(default)]
    pub raised: Vec<Alert>,
    /// Alerts that would close themselves.
    #[serde(default)]
    pub closed: Vec<Alert>,
    /// The names of the people in `changes`, for the reader.
    #[serde(default)]
    pub names: BTreeMap<PersonId, String>,
    /// The plan that would wait for approval: everybody whom it takes something from, or lets in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldPlan>,
    /// What only the rules of a new version would take: it waits whatever its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_upgrade: Option<HeldPlan>,
    /// Of files that are not live: what is said of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried: Option<Tried>,
}

impl Preview {
    /// Nothing but a report: of a reading that was not complete.
    pub fn of(report: Run) -> Preview {
        Preview {
            report,
            changes: Vec::new(),
            decisions: Vec::new(),
            raised: Vec::new(),
            closed: Vec::new(),
            names: BTreeMap::new(),
            held: None,
            since_upgrade: None,
            tried: None,
        }
    }
}
