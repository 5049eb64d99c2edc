//! Records through a script as a run maps them: who comes out, who is left out and why, and what cannot be mapped.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Resident;
use crate::script::{Context, Script, ScriptError};

/// What a script makes of some records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mapped {
    /// Those whom it lets in.
    pub residents: Vec<Resident>,
    /// Those whom it leaves out.
    pub excluded: Vec<Excluded>,
    /// What it cannot map.
    pub errors: Vec<Unmapped>,
}

/// Somebody whom the script leaves out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Excluded {
    /// The resident's PMS id.
    pub id: String,
    /// The script's reason.
    pub reason: String,
}

/// A record, or a resident of one, that the script cannot map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmapped {
    /// Which record, from 0.
    pub record: usize,
    /// The resident's PMS id, where mapping came so far.
    pub resident: Option<String>,
    /// Why.
    pub error: ScriptError,
}

/// Maps records, given as JSON texts. As in a run, an error of `residents` rejects the record, one of `exclude` that
/// resident alone.
pub fn map<'a>(
    script: &Script,
    records: impl Iterator<Item = &'a str>,
    context: &Context,
) -> Mapped {
    let mut mapped = Mapped::default();
    for (record, json) in records.enumerate() {
        let residents = match script.residents(json, context) {
            Ok(residents) => residents,
            Err(error) => {
                mapped.errors.push(Unmapped {
                    record,
                    resident: None,
                    error,
                });
                continue;
            }
        };
        for one in residents {
            let excluded = script.exclude(&one, context);
            let id = one.resident.id.clone();
            match excluded {
                Ok(Some(reason)) => mapped.excluded.push(Excluded { id, reason }),
                Ok(None) => mapped.residents.push(one.resident),
                Err(error) => mapped.errors.push(Unmapped {
                    record,
                    resident: Some(id),
                    error,
                }),
            }
        }
    }
    mapped
}
