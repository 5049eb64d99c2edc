//! Records through a script and into the normal forms, as a run maps them: who comes out, who is left out and why, and
//! what cannot be mapped.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Resident;
use crate::rules::{NotNormal, Notes, normalise};
use crate::script::{Context, Script, ScriptError, listening};

use super::contexts::{Contexts, Whose};

/// So many lines that a script prints are kept.
const MOST_PRINTED: usize = 1_000;

/// What a script makes of some records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mapped {
    /// Those whom it lets in, in the normal forms.
    pub residents: Vec<Resident>,
    /// Those whom it leaves out.
    pub excluded: Vec<Excluded>,
    /// What it cannot map.
    pub errors: Vec<Unmapped>,
    /// What was put right or dropped on the way to the normal forms, by kind.
    pub notes: Notes,
    /// What the script printed.
    pub printed: Vec<Printed>,
    /// Records of PMS properties that are not attached, and of which ones.
    pub elsewhere: BTreeMap<String, u64>,
    /// Why a run would be incomplete whatever the script makes of the records.
    pub incomplete: Option<String>,
}

/// A line that the script printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Printed {
    /// For which record, from 1.
    pub record: usize,
    /// The line.
    pub text: String,
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

/// Maps records, given as JSON texts. As in a run, an error of `residents` rejects the record; one of `exclude`, and whatever
/// is wrong with one of a list of residents, rejects that resident alone.
pub fn map<'a>(
    script: &Script,
    records: impl Iterator<Item = &'a str>,
    contexts: &Contexts,
    placeholders: &[String],
) -> Mapped {
    map_into(script, records, contexts, |resident, notes| {
        let country = contexts.of_all().country();
        if resident.relationship.is_left_out() {
            // What is left out need not be right.
            let normal = normalise(resident.clone(), country, placeholders, notes);
            return Ok(normal.map_or(resident, |normal| normal.resident));
        }
        normalise(resident, country, placeholders, notes).map(|normal| normal.resident)
    })
}

/// Maps records without bringing the residents into the normal forms: each is as the script gives it.
pub(super) fn map_as_given<'a>(
    script: &Script,
    records: impl Iterator<Item = &'a str>,
    contexts: &Contexts,
) -> Mapped {
    map_into(script, records, contexts, |resident, _| Ok(resident))
}

fn map_into<'a>(
    script: &Script,
    records: impl Iterator<Item = &'a str>,
    contexts: &Contexts,
    form: impl Fn(Resident, &mut Notes) -> Result<Resident, NotNormal>,
) -> Mapped {
    let mut mapped = Mapped::default();
    let (mut came, mut of_nobody) = (0, 0);
    for (record, json) in records.enumerate() {
        came += 1;
        let context = match contexts.whose(json) {
            Whose::Known(context) => context,
            Whose::Elsewhere(named) => {
                *mapped.elsewhere.entry(named).or_default() += 1;
                continue;
            }
            Whose::Nobody => {
                of_nobody += 1;
                *mapped.notes.entry("without_property".into()).or_default() += 1;
                continue;
            }
        };
        let into = |mapped: &mut Mapped| one_into(mapped, script, record, json, &context, &form);
        let ((), said) = listening(|| into(&mut mapped));
        print(&mut mapped.printed, record + 1, said);
    }
    mapped.incomplete = contexts.amiss(of_nobody, came);
    mapped
}

/// Takes in what was said of a record.
pub(super) fn print(printed: &mut Vec<Printed>, record: usize, said: Vec<String>) {
    let room = MOST_PRINTED.saturating_sub(printed.len());
    let said = said.into_iter().take(room);
    printed.extend(said.map(|text| Printed { record, text }));
}

fn one_into(
    mapped: &mut Mapped,
    script: &Script,
    record: usize,
    json: &str,
    context: &Context,
    form: &impl Fn(Resident, &mut Notes) -> Result<Resident, NotNormal>,
) {
    let unmapped = |resident, error| Unmapped {
        record,
        resident,
        error,
    };
    let residents = match script.residents(json, context) {
        Ok(residents) => residents,
        Err(error) => return mapped.errors.push(unmapped(None, error)),
    };
    for one in residents {
        let one = match one {
            Ok(one) => one,
            Err(wrong) => {
                mapped.errors.push(unmapped(wrong.id, wrong.error));
                continue;
            }
        };
        let id = one.resident.id.clone();
        match script.exclude(&one, context) {
            Ok(Some(reason)) => mapped.excluded.push(Excluded { id, reason }),
            Ok(None) => match form(one.resident, &mut mapped.notes) {
                Ok(resident) => mapped.residents.push(resident),
                Err(NotNormal { field, message }) => {
                    let error = script.wrong(field, message);
                    mapped.errors.push(unmapped(Some(id), error));
                }
            },
            Err(error) => mapped.errors.push(unmapped(Some(id), error)),
        }
    }
}
