//! What is different between what a case expects and what came out, as lines for people. Runs nothing.

use serde_json::Value;

use crate::model::Resident;
use crate::script::ScriptError;

use super::written::{Excluded, Expect, ExpectedError};

/// What came out of a case.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) residents: Vec<Resident>,
    pub(super) excluded: Vec<Excluded>,
    pub(super) errors: Vec<ScriptError>,
}

/// A field and its value, in the order of the model.
type Fields = Vec<(String, String)>;

/// The lines that differ, under a heading for each resident; none if nothing does. The order of the residents
/// does not matter.
pub(super) fn difference(expect: &Expect, found: &Found) -> Vec<String> {
    let mut lines = Vec::new();
    let resident = |resident: &Resident| (format!("resident {}:", resident.id), fields(resident));
    compare(
        &mut lines,
        expect.residents.iter().map(resident).collect(),
        found.residents.iter().map(resident).collect(),
    );
    let excluded = |excluded: &Excluded| {
        let reason = ("reason".to_owned(), excluded.reason.clone());
        (format!("excluded {}:", excluded.id), vec![reason])
    };
    compare(
        &mut lines,
        expect.excluded.iter().map(excluded).collect(),
        found.excluded.iter().map(excluded).collect(),
    );
    compare_errors(&mut lines, expect.error.as_ref(), &found.errors);
    lines
}

/// Compares what has the same heading; of several, the n-th with the n-th.
fn compare(
    lines: &mut Vec<String>,
    expected: Vec<(String, Fields)>,
    mut found: Vec<(String, Fields)>,
) {
    for (heading, expected) in expected {
        let at = found.iter().position(|(other, _)| *other == heading);
        let found = at.map(|at| found.remove(at).1).unwrap_or_default();
        section(lines, heading, &expected, &found);
    }
    for (heading, found) in found {
        section(lines, heading, &[], &found);
    }
}

fn section(
    lines: &mut Vec<String>,
    heading: String,
    expected: &[(String, String)],
    found: &[(String, String)],
) {
    let before = lines.len();
    for field in expected.iter().filter(|field| !found.contains(field)) {
        lines.push(format!("  - {}: {}", field.0, field.1));
        lines.extend(
            found
                .iter()
                .filter(|other| other.0 == field.0)
                .map(|other| format!("  + {}: {}", other.0, other.1)),
        );
    }
    for field in found
        .iter()
        .filter(|field| expected.iter().all(|other| other.0 != field.0))
    {
        lines.push(format!("  + {}: {}", field.0, field.1));
    }
    if lines.len() > before {
        lines.insert(before, heading);
    }
}

/// The fields of a resident that are there; `unit.id` and `unit.label` apart.
fn fields(resident: &Resident) -> Fields {
    let mut fields = Fields::new();
    // A resident is always an object.
    if let Ok(Value::Object(members)) = serde_json::to_value(resident) {
        for (name, value) in members {
            match value {
                Value::Object(inner) => {
                    fields.extend(
                        inner
                            .iter()
                            .map(|(part, value)| (format!("{name}.{part}"), shown(value))),
                    );
                }
                value => fields.push((name, shown(&value))),
            }
        }
    }
    fields
}

fn shown(value: &Value) -> String {
    match value {
        // A blank at either end would not be seen.
        Value::String(text) if text.trim() == text && !text.is_empty() => text.clone(),
        value => value.to_string(),
    }
}

fn compare_errors(
    lines: &mut Vec<String>,
    expected: Option<&ExpectedError>,
    found: &[ScriptError],
) {
    let fits = |error: &ScriptError| {
        expected.is_some_and(|expected| {
            let message = expected.message.as_deref().unwrap_or_default();
            (expected.field.is_none() || error.field == expected.field)
                && error.message.contains(message)
        })
    };
    let before = lines.len();
    if let Some(expected) = expected.filter(|_| !found.iter().any(fits)) {
        let parts = [expected.field.as_deref(), expected.message.as_deref()];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        lines.push(format!("  - {}", parts.join(": ")));
    }
    lines.extend(
        found
            .iter()
            .filter(|error| !fits(error))
            .map(|error| format!("  + {error}")),
    );
    if lines.len() > before {
        lines.insert(before, "error:".to_owned());
    }
}
