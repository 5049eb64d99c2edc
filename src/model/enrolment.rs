//! People made by hand, as they are told: texts, before anything is checked; and people as they are exported.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Person, PersonId, Stay, list_cell};

/// A person to be made by hand. Dates are `YYYY-MM-DD`; what is absent is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "each is a field of `Person` or `Stay`")]
pub struct Enrolment {
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub phone: String,
    pub lease_start: String,
    pub lease_end: String,
    pub move_in: String,
    pub move_out: String,
    pub unit: String,
    /// The integration of the property they live at; empty when they live nowhere.
    pub integration: String,
    /// `current` (the default), `pending` or `past`.
    pub status: String,
}

/// What is wrong with a line of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LineProblem {
    /// The line of the file, from 1.
    pub line: u64,
    /// The column; empty when it is the whole line.
    pub column: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.column.is_empty() {
            write!(f, "line {}: {}", self.line, self.message)
        } else {
            write!(f, "line {}: {}: {}", self.line, self.column, self.message)
        }
    }
}

/// What an import did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Imported {
    /// People made, in the order of the file; none in a dry run, or when a line is wrong.
    pub made: Vec<PersonId>,
    /// How many people are made.
    pub new: u64,
    /// Lines of people who are there already, with that email or exported from here: those are left as they are.
    pub there: Vec<(u64, PersonId)>,
    /// What is wrong. Where anything is, nothing was made.
    pub problems: Vec<LineProblem>,
    /// Nothing was to be made.
    pub dry_run: bool,
}

/// The columns of an export, in their order: the nine synced fields first. An import takes all of them but `origin`: whom it
/// makes is made by hand.
pub const EXPORT_COLUMNS: [&str; 19] = [
    "first_name",
    "last_name",
    "email",
    "phone",
    "lease_start",
    "lease_end",
    "move_in",
    "move_out",
    "unit",
    "integration",
    "status",
    "notice",
    "eviction",
    "excluded",
    "more_units",
    "unit_id",
    "person",
    "origin",
    "locks",
];

/// A person's lease, or a person without one: a row of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the columns of `EXPORT_COLUMNS`")]
pub struct ExportRow {
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub phone: String,
    pub lease_start: String,
    pub lease_end: String,
    pub move_in: String,
    pub move_out: String,
    pub unit: String,
    pub integration: String,
    pub status: String,
    pub notice: bool,
    pub eviction: bool,
    pub excluded: bool,
    pub more_units: String,
    pub unit_id: String,
    pub person: PersonId,
    pub origin: String,
    pub locks: String,
}

/// What a spreadsheet takes for the beginning of a formula, in any width of its letters.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
/// What keeps it from doing so.
const AS_TEXT: char = '\'';

/// A cell as a spreadsheet may be given it: what would be a formula stands behind an apostrophe. A phone and a number are
/// none.
pub fn spreadsheet(cell: &str) -> Cow<'_, str> {
    if is_formula(cell) {
        Cow::Owned(format!("{AS_TEXT}{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// The cell behind [`spreadsheet`].
pub fn of_spreadsheet(cell: &str) -> &str {
    match cell.strip_prefix(AS_TEXT) {
        Some(inner) if is_formula(inner) => inner,
        _ => cell,
    }
}

/// Whether it is one; behind apostrophes too, so that those are told apart from ours.
fn is_formula(cell: &str) -> bool {
    let text = cell.trim_start_matches(|c: char| c == AS_TEXT || c.is_whitespace());
    let digits = text.strip_prefix(['+', '-']).unwrap_or_default();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    text.starts_with(FORMULA) && !is_number
}

impl ExportRow {
    /// The row as a spreadsheet may be given it.
    #[must_use]
    pub fn for_spreadsheets(mut self) -> ExportRow {
        for cell in [
            &mut self.first_name,
            &mut self.last_name,
            &mut self.email,
            &mut self.phone,
            &mut self.unit,
            &mut self.integration,
            &mut self.more_units,
            &mut self.unit_id,
        ] {
            if let Cow::Owned(text) = spreadsheet(cell) {
                *cell = text;
            }
        }
        self
    }

    /// The rows of a person: one for each stay, or one without. Who was merged, withdrawn or erased has none.
    pub fn of(person: &Person) -> Vec<ExportRow> {
        if person.merged_into.is_some() || person.withdrawn || person.erased {
            return Vec::new();
        }
        let date =
            |date: Option<jiff::civil::Date>| date.map(|d| d.to_string()).unwrap_or_default();
        let row = |integration: &str, stay: Option<&Stay>| {
            let unit = stay.and_then(|stay| stay.unit.as_ref());
            let more = stay
                .map(|stay| stay.more_units.as_slice())
                .unwrap_or_default();
            let labels = more.iter().map(|unit| unit.label.as_str());
            let locks: Vec<&str> = person.locks.iter().map(|field| field.as_str()).collect();
            ExportRow {
                first_name: person.first_name.clone(),
                last_name: person.last_name.clone(),
                email: person.email.clone().unwrap_or_default(),
                phone: person.phone.clone().unwrap_or_default(),
                lease_start: date(stay.and_then(|stay| stay.lease_start)),
                lease_end: date(stay.and_then(|stay| stay.lease_end)),
                move_in: date(stay.and_then(|stay| stay.move_in)),
                move_out: date(stay.and_then(|stay| stay.move_out)),
                unit: unit.map(|unit| unit.label.clone()).unwrap_or_default(),
                integration: integration.to_owned(),
                status: stay.map(|stay| stay.status.to_string()).unwrap_or_default(),
                notice: stay.is_some_and(|stay| stay.notice),
                eviction: stay.is_some_and(|stay| stay.eviction),
                excluded: stay.is_some_and(|stay| stay.excluded),
                more_units: list_cell(labels),
                unit_id: unit.map(|unit| unit.id.clone()).unwrap_or_default(),
                person: person.id,
                origin: match person.origin {
                    super::Origin::Hand => "hand".to_owned(),
                    super::Origin::Sync => "sync".to_owned(),
                },
                locks: locks.join("; "),
            }
        };
        if person.stays.is_empty() {
            return vec![row("", None)];
        }
        let stays = person.stays.iter();
        stays
            .map(|(integration, stay)| row(integration.as_str(), Some(stay)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_formula_is_a_text_to_spreadsheets_and_a_phone_stays_one() {
        for (cell, told) in [
            ("=HYPERLINK(\"x\")", "'=HYPERLINK(\"x\")"),
            ("@SUM(1)", "'@SUM(1)"),
            ("-2+cmd|' /C calc'!A0", "'-2+cmd|' /C calc'!A0"),
            ("\t=1", "'\t=1"),
            ("＝1", "'＝1"),
            ("'=1", "''=1"),
            ("+14155550100", "+14155550100"),
            ("-101", "-101"),
            ("O'Hara-Jones", "O'Hara-Jones"),
            ("'t Hooft", "'t Hooft"),
            ("", ""),
        ] {
            assert_eq!(spreadsheet(cell), told);
        }
    }

    proptest! {
        #[test]
        fn what_a_spreadsheet_is_given_is_read_again_as_it_was(cell in "['=+@ \\-]{0,4}\\PC{0,4}") {
            let given = spreadsheet(&cell);
            prop_assert_eq!(of_spreadsheet(&given), &cell);
        }
    }
}
