//! What is different between what a case expects and what came out, as lines for people. Runs nothing.
//!
//! A heading says who it is about; below it `- ` is what was expected, `+ ` what came. Somebody who came under another
//! id, or on the other side of `exclude`, is told as that, not as one who is missing and a stranger.

use serde_json::Value;

use crate::model::Resident;

use super::mapped::{Excluded, Mapped, Unmapped};
use super::written::{Expect, ExpectedError};

/// A field and its value, in the order of the model.
type Fields = Vec<(String, String)>;

/// The lines that differ, under a heading for each resident; none if nothing does. The order of the residents
/// does not matter.
pub(super) fn difference(expect: &Expect, found: &Mapped) -> Vec<String> {
    let mut lines = Vec::new();
    let (missing, strangers) = residents(&mut lines, &expect.residents, &found.residents);
    let (mut unmet, mut surplus) = excluded(&mut lines, &expect.excluded, &found.excluded);
    let missing = missing.into_iter().filter(|one| {
        let at = surplus.iter().position(|other| other.id == one.id);
        let left_out = at.map(|at| surplus.remove(at));
        lines.extend(
            left_out
                .map(|excluded| format!("resident {}: was left out: {}", one.id, excluded.reason)),
        );
        left_out.is_none()
    });
    let missing: Vec<&Resident> = missing.collect();
    let (missing, mut strangers) = renamed(&mut lines, missing, strangers);
    for one in missing {
        lines.push(format!("resident {}: did not come", one.id));
    }
    unmet.retain(|excluded| {
        let Some(at) = strangers.iter().position(|one| one.id == excluded.id) else {
            return true;
        };
        strangers.remove(at);
        lines.push(format!(
            "excluded {}: came in; expected to be left out: {}",
            excluded.id, excluded.reason
        ));
        false
    });
    for one in strangers {
        lines.push(format!("resident {}: came, and is not expected", one.id));
        let fields = fields(one).into_iter();
        lines.extend(fields.map(|(name, value)| format!("  + {name}: {value}")));
    }
    for one in unmet {
        lines.push(format!("excluded {}: did not come", one.id));
    }
    for one in surplus {
        lines.push(format!(
            "excluded {}: was left out, and is not expected",
            one.id
        ));
        lines.push(format!("  + reason: {}", one.reason));
    }
    let errors: Vec<&ExpectedError> = expect.error.iter().chain(&expect.errors).collect();
    compare_errors(&mut lines, &errors, &found.errors);
    whole(
        &mut lines,
        expect.incomplete.as_deref(),
        found.incomplete.as_deref(),
    );
    lines
}

/// Compares those of the same id; of several, the n-th with the n-th. Gives those who have nobody on the other side.
fn residents<'a>(
    lines: &mut Vec<String>,
    expected: &'a [Resident],
    found: &'a [Resident],
) -> (Vec<&'a Resident>, Vec<&'a Resident>) {
    let mut strangers: Vec<&Resident> = found.iter().collect();
    let mut missing = Vec::new();
    for one in expected {
        match strangers.iter().position(|other| other.id == one.id) {
            Some(at) => section(
                lines,
                &format!("resident {}:", one.id),
                &fields(one),
                &fields(strangers.remove(at)),
            ),
            None => missing.push(one),
        }
    }
    (missing, strangers)
}

fn excluded<'a>(
    lines: &mut Vec<String>,
    expected: &'a [Excluded],
    found: &'a [Excluded],
) -> (Vec<&'a Excluded>, Vec<&'a Excluded>) {
    let reason = |one: &Excluded| vec![("reason".to_owned(), one.reason.clone())];
    let mut surplus: Vec<&Excluded> = found.iter().collect();
    let mut unmet = Vec::new();
    for one in expected {
        match surplus.iter().position(|other| other.id == one.id) {
            Some(at) => section(
                lines,
                &format!("excluded {}:", one.id),
                &reason(one),
                &reason(surplus.remove(at)),
            ),
            None => unmet.push(one),
        }
    }
    (unmet, surplus)
}

/// Tells of those who came under another id: with the same email or the same name.
fn renamed<'a>(
    lines: &mut Vec<String>,
    missing: Vec<&'a Resident>,
    mut strangers: Vec<&'a Resident>,
) -> (Vec<&'a Resident>, Vec<&'a Resident>) {
    let name = |one: &Resident| format!("{} {}", one.first_name, one.last_name);
    let alike = |one: &Resident, other: &Resident| {
        one.email.is_some() && one.email == other.email
            || name(one).trim() != "" && name(one) == name(other)
    };
    let mut still = Vec::new();
    for one in missing {
        match strangers.iter().position(|other| alike(one, other)) {
            Some(at) => section(
                lines,
                &format!("resident {}:", one.id),
                &fields(one),
                &fields(strangers.remove(at)),
            ),
            None => still.push(one),
        }
    }
    (still, strangers)
}

fn section(
    lines: &mut Vec<String>,
    heading: &str,
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
        lines.insert(before, heading.to_owned());
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

/// Whether a run would be incomplete for these records.
fn whole(lines: &mut Vec<String>, expected: Option<&str>, found: Option<&str>) {
    let told = match (expected, found) {
        (Some(wanted), Some(wrong)) if wrong.contains(wanted) => return,
        (None, None) => return,
        (None, Some(wrong)) => vec![format!("  + a run would be incomplete: {wrong}")],
        (Some(wanted), found) => vec![
            format!("  - incomplete: {wanted}"),
            match found {
                Some(wrong) => format!("  + incomplete: {wrong}"),
                None => "  + a run would not be".to_owned(),
            },
        ],
    };
    lines.push("records:".to_owned());
    lines.extend(told);
}

/// Compares errors: each that is expected must be among those that came, and no other may.
pub(super) fn compare_errors(
    lines: &mut Vec<String>,
    expected: &[&ExpectedError],
    found: &[Unmapped],
) {
    let fits = |expected: &ExpectedError, one: &Unmapped| {
        let message = expected.message.as_deref().unwrap_or_default();
        (expected.field.is_none() || one.error.field == expected.field)
            && one.error.message.contains(message)
    };
    let before = lines.len();
    let unmet = expected
        .iter()
        .filter(|expected| !found.iter().any(|one| fits(expected, one)));
    lines.extend(unmet.map(|expected| {
        let parts = [expected.field.as_deref(), expected.message.as_deref()];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        format!("  - {}", parts.join(": "))
    }));
    let surplus = found
        .iter()
        .filter(|one| !expected.iter().any(|expected| fits(expected, one)));
    // The same error of many records is one line.
    let mut told: Vec<(String, usize)> = Vec::new();
    for one in surplus {
        let error = one.error.to_string();
        match told.iter_mut().find(|(text, _)| *text == error) {
            Some((_, records)) => *records += 1,
            None => told.push((error, 1)),
        }
    }
    lines.extend(told.into_iter().map(|(error, records)| match records {
        1 => format!("  + {error}"),
        records => format!("  + {error} ({records} times)"),
    }));
    if lines.len() > before {
        lines.insert(before, "error:".to_owned());
    }
}
