//! Making the people of a file by hand, as an export wrote it or somebody did. All of a file or nothing of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::{
    ActKind, ChangeKind, EXPORT_COLUMNS, Field, IdError, ImportRow, Imported, IntegrationId,
    LeaseStatus, LineProblem, Origin, Person, PersonId, Resident, Stay, Unit, of_list_cell,
    of_spreadsheet,
};
use crate::rules::stay;
use crate::store::Store;

use super::desk::{Desk, Where};
use super::enrol::{Forms, Wrong, read};
use super::{ActError, Hand};

/// The statuses that an export writes.
const STATUSES: [LeaseStatus; 5] = [
    LeaseStatus::Current,
    LeaseStatus::Pending,
    LeaseStatus::Past,
    LeaseStatus::Applicant,
    LeaseStatus::Void,
];

/// Makes the people of a file: CSV with a header, or the JSON of an export. Rows of one `person` are one person's stays.
/// Who has an email that somebody has already is left as they are; so is who has none, and was exported from here.
pub fn import(
    store: &Store,
    file: &str,
    dry_run: bool,
    forms: &Forms<'_>,
    hand: &Hand,
) -> Result<Imported, ActError> {
    let (rows, mut problems) = rows(file)?;
    let mut desk = Desk::open(store, ActKind::Add, hand)?;
    let mut report = Imported {
        dry_run,
        ..Imported::default()
    };
    let mut file = File::default();
    for (line, row) in &rows {
        if let Err(wrong) = file.take(*line, row, forms) {
            let wrong = wrong.into_iter();
            problems.extend(wrong.map(|(column, message)| LineProblem {
                line: *line,
                column: column.to_owned(),
                message,
            }));
        }
    }
    let mut new = Vec::new();
    for one in file.people {
        match there(&desk, &one)? {
            Some(person) => report.there.push((one.line, person)),
            None => new.push(one),
        }
    }
    report.new = new.len() as u64;
    problems.sort_by_key(|problem| problem.line);
    report.problems = problems;
    if dry_run || !report.problems.is_empty() {
        return Ok(report);
    }
    for one in new {
        make(&mut desk, one)?;
    }
    let done = desk.done()?;
    report.made = done.changes.iter().map(|change| change.person).collect();
    Ok(report)
}

/// A person of a file.
struct Told {
    line: u64,
    /// Their id where they were exported.
    known_as: Option<PersonId>,
    resident: Resident,
    locks: BTreeSet<Field>,
    stays: BTreeMap<IntegrationId, Box<Stay>>,
}

/// The people of a file, as far as it was read.
#[derive(Default)]
struct File {
    people: Vec<Told>,
    by_email: BTreeMap<String, usize>,
    by_person: BTreeMap<PersonId, usize>,
}

impl File {
    fn take(&mut self, line: u64, row: &ImportRow, forms: &Forms<'_>) -> Result<(), Vec<Wrong>> {
        let told = told(line, row, forms)?;
        let before = told.known_as.and_then(|id| self.by_person.get(&id));
        if let Some(before) = before.and_then(|index| self.people.get_mut(*index)) {
            return before.further(told).map_err(|wrong| vec![wrong]);
        }
        let index = self.people.len();
        if let Some(email) = &told.resident.email {
            let first = self.by_email.get(email).and_then(|at| self.people.get(*at));
            if let Some(first) = first {
                let line = first.line;
                return Err(vec![(
                    "email",
                    format!("stands in line {line} too; an email belongs to one person"),
                )]);
            }
            self.by_email.insert(email.clone(), index);
        }
        if let Some(id) = told.known_as {
            self.by_person.insert(id, index);
        }
        self.people.push(told);
        Ok(())
    }
}

impl Told {
    /// Another row of the same person: another stay.
    fn further(&mut self, other: Told) -> Result<(), Wrong> {
        let profile = |one: &Told| {
            let resident = &one.resident;
            (
                resident.first_name.clone(),
                resident.last_name.clone(),
                resident.email.clone(),
                resident.phone.clone(),
                one.locks.clone(),
            )
        };
        if profile(self) != profile(&other) {
            return Err((
                "person",
                format!(
                    "is that of line {} too, whose name, email, phone or locks are others; one person has one row for \
                     each stay",
                    self.line
                ),
            ));
        }
        for (place, stay) in other.stays {
            if self.stays.insert(place, stay).is_some() {
                let line = self.line;
                return Err((
                    "integration",
                    format!(
                        "is that of another row of the person of line {line}; a person has one stay at a property"
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// A row in the normal forms, or everything that is wrong with it.
fn told(line: u64, row: &ImportRow, forms: &Forms<'_>) -> Result<Told, Vec<Wrong>> {
    let mut wrong = Vec::new();
    let read = read(&row.told, &STATUSES, forms);
    let read = read.map_err(|all| wrong.extend(all)).ok();
    let locks = locks(row).map_err(|one| wrong.push(one)).ok();
    let flags = flags(row).map_err(|one| wrong.push(one)).ok();
    let known_as = known_as(row).map_err(|one| wrong.push(one)).ok();
    let (Some((resident, integration)), Some(locks), Some(flags), Some(known_as)) =
        (read, locks, flags, known_as)
    else {
        return Err(wrong);
    };
    let mut stays = BTreeMap::new();
    if let Some(place) = integration {
        let stay = lives(row, resident.clone(), flags);
        stays.insert(place, Box::new(stay));
    }
    Ok(Told {
        line,
        known_as,
        resident,
        locks,
        stays,
    })
}

/// The stay of a row.
fn lives(row: &ImportRow, mut resident: Resident, [notice, eviction, excluded]: [bool; 3]) -> Stay {
    (resident.notice, resident.eviction) = (notice, eviction);
    let id = row.unit_id.trim();
    if let Some(unit) = resident.unit.as_mut().filter(|_| !id.is_empty()) {
        id.clone_into(&mut unit.id);
    }
    let more = of_list_cell(&row.more_units).into_iter();
    let more = more.map(|label| Unit {
        id: label.clone(),
        label,
        formerly: None,
    });
    Stay {
        excluded,
        ..stay(&resident, more.collect(), None, None)
    }
}

fn locks(row: &ImportRow) -> Result<BTreeSet<Field>, Wrong> {
    let names = of_list_cell(&row.locks).into_iter();
    let fields = names.map(|name| {
        let field: Option<Field> = serde_json::from_value(name.into()).ok();
        let may_be = field.filter(|field| !matches!(field, Field::Status | Field::Flags));
        may_be.ok_or_else(|| {
            let what = "names something else than the nine synced fields; write `email; unit`";
            ("locks", what.to_owned())
        })
    });
    fields.collect()
}

fn flags(row: &ImportRow) -> Result<[bool; 3], Wrong> {
    let flag = |name, text: &str| match text.trim() {
        "" | "false" => Ok(false),
        "true" => Ok(true),
        _ => Err((name, "is neither true nor false".to_owned())),
    };
    Ok([
        flag("notice", &row.notice)?,
        flag("eviction", &row.eviction)?,
        flag("excluded", &row.excluded)?,
    ])
}

fn known_as(row: &ImportRow) -> Result<Option<PersonId>, Wrong> {
    let text = row.person.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let id = text.parse().map(Some);
    id.map_err(|error: IdError| ("person", error.to_string()))
}

/// Who is there already: with the email, or, without one, of the same id and name.
fn there(desk: &Desk<'_>, one: &Told) -> Result<Option<PersonId>, ActError> {
    if let Some(email) = &one.resident.email {
        return Ok(desk.store().person_with_email(email)?);
    }
    let Some(id) = one.known_as else {
        return Ok(None);
    };
    let known = desk.store().person(id)?;
    Ok(known
        .filter(|known| known.email.is_none() && known.merged_into.is_none() && !known.withdrawn)
        .filter(|known| {
            known.first_name == one.resident.first_name && known.last_name == one.resident.last_name
        })
        .map(|known| known.id))
}

fn make(desk: &mut Desk<'_>, one: Told) -> Result<(), ActError> {
    let id = desk.store().new_person_id()?;
    let first = one.stays.keys().next().cloned();
    let person = Person {
        first_name: one.resident.first_name,
        last_name: one.resident.last_name,
        email: one.resident.email,
        phone: one.resident.phone,
        stays: one.stays,
        locks: one.locks,
        ..Person::new(id, Origin::Hand, desk.hand().now)
    };
    let at = Where {
        integration: first.as_ref(),
        resident: None,
        rule: "by hand",
    };
    desk.put_person(None, person, ChangeKind::Created, &at)
}

/// The rows of a file, each with its line, and what is wrong with its form.
type Rows = (Vec<(u64, ImportRow)>, Vec<LineProblem>);

fn rows(file: &str) -> Result<Rows, ActError> {
    let file = file.trim_start_matches('\u{feff}');
    if file.trim_start().starts_with('[') {
        return objects(file).map(|rows| (rows, Vec::new()));
    }
    lines(file)
}

/// The objects of JSON, numbered from 1 in place of lines.
fn objects(json: &str) -> Result<Vec<(u64, ImportRow)>, ActError> {
    let all: Vec<serde_json::Map<String, Value>> = serde_json::from_str(json).map_err(|error| {
        ActError::Invalid(format!(
            "line {}, column {}: is no JSON of an export: a list of objects of texts",
            error.line(),
            error.column()
        ))
    })?;
    let mut rows = Vec::new();
    for (number, object) in (1..).zip(all) {
        let mut row = ImportRow::default();
        for (column, value) in object {
            known(&column, &format!("row {number}"))?;
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text,
                Value::Bool(flag) => flag.to_string(),
                Value::Number(number) => number.to_string(),
                Value::Array(_) | Value::Object(_) => {
                    return Err(ActError::Invalid(format!(
                        "row {number}: {column}: is no text"
                    )));
                }
            };
            row.set(&column, &text);
        }
        rows.push((number, row));
    }
    Ok(rows)
}

/// Whether a column is one of an export.
fn known(column: &str, place: &str) -> Result<(), ActError> {
    if EXPORT_COLUMNS.contains(&column) {
        return Ok(());
    }
    let near = EXPORT_COLUMNS
        .iter()
        .max_by(|a, b| strsim::jaro(a, column).total_cmp(&strsim::jaro(b, column)));
    let near = near.copied().unwrap_or("email");
    Err(ActError::Invalid(format!(
        "{place}: unknown column `{}`; did you mean `{near}`",
        column.chars().take(40).collect::<String>()
    )))
}

/// The lines of a CSV file by their headers, and what is wrong with its form.
fn lines(csv: &str) -> Result<Rows, ActError> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(csv.as_bytes());
    let headers = reader
        .headers()
        .map_err(|error| ActError::Invalid(form(&error)))?
        .clone();
    for header in &headers {
        known(header, "line 1")?;
    }
    if !headers
        .iter()
        .any(|header| header == "last_name" || header == "first_name")
    {
        return Err(ActError::Invalid(format!(
            "line 1: there is no column of names; the first line names the columns, such as {}",
            EXPORT_COLUMNS[..9].join(",")
        )));
    }
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                let mut row = ImportRow::default();
                for (header, value) in headers.iter().zip(&record) {
                    row.set(header, of_spreadsheet(value));
                }
                rows.push((line, row));
            }
            Err(error) => problems.push(LineProblem {
                line: error.position().map_or(0, csv::Position::line),
                column: String::new(),
                message: form(&error),
            }),
        }
    }
    Ok((rows, problems))
}

/// What is wrong with the form of a file, without its content.
fn form(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!("has {len} fields, and the header has {expected_len}; quote what holds a comma")
        }
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8; save the file as UTF-8".to_owned(),
        _ => "is no readable CSV; the form is RFC 4180".to_owned(),
    }
}
