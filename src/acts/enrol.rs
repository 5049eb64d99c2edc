//! Making people by hand: one, or a file of them. All of a file or nothing of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::model::{
    ActKind, ChangeKind, Done, EXPORT_COLUMNS, Enrolment, Imported, IntegrationId, LeaseStatus,
    LineProblem, Origin, Person, Relationship, Resident, Unit, of_spreadsheet,
};
use crate::rules::{Notes, normalise, stay};
use crate::store::Store;

use super::desk::{Desk, Where};
use super::{ActError, Hand};

/// What the files say that people made by hand must fit.
pub struct Forms<'a> {
    /// The country of an integration's property; none when there is no such integration.
    pub country: &'a dyn Fn(&IntegrationId) -> Option<String>,
    /// Emails that count as absent (R11).
    pub placeholders: &'a [String],
}

/// What is wrong with one field: its name, and what to do.
type Wrong = (&'static str, String);

/// Makes a person.
pub fn add(
    store: &Store,
    told: &Enrolment,
    forms: &Forms<'_>,
    hand: &Hand,
) -> Result<Done, ActError> {
    let read = read(told, forms).map_err(|wrong| {
        let all: Vec<String> = wrong
            .into_iter()
            .map(|(field, message)| format!("{field}: {message}"))
            .collect();
        ActError::Invalid(all.join("; "))
    })?;
    let mut desk = Desk::open(store, ActKind::Add, hand)?;
    if let Some(email) = &read.0.email
        && let Some(other) = desk.store().person_with_email(email)?
    {
        return Err(ActError::Refused(format!(
            "{other} has this email already; an email belongs to one person"
        )));
    }
    make(&mut desk, &read)?;
    desk.done()
}

/// Makes the people of a CSV file with a header, whose columns are those of an export. Who has an email that
/// somebody has already is left as they are.
pub fn import(
    store: &Store,
    csv: &str,
    dry_run: bool,
    forms: &Forms<'_>,
    hand: &Hand,
) -> Result<Imported, ActError> {
    let (lines, mut problems) = lines(csv)?;
    let mut desk = Desk::open(store, ActKind::Add, hand)?;
    let mut report = Imported {
        dry_run,
        ..Imported::default()
    };
    let mut emails: BTreeMap<String, u64> = BTreeMap::new();
    let mut new = Vec::new();
    for (line, told) in &lines {
        let problem = |(column, message): Wrong| LineProblem {
            line: *line,
            column: column.to_owned(),
            message,
        };
        let read = match read(told, forms) {
            Ok(read) => read,
            Err(wrong) => {
                problems.extend(wrong.into_iter().map(problem));
                continue;
            }
        };
        if let Some(email) = &read.0.email {
            if let Some(first) = emails.insert(email.clone(), *line) {
                problems.push(problem((
                    "email",
                    format!("stands in line {first} too; an email belongs to one person"),
                )));
                continue;
            }
            if let Some(person) = desk.store().person_with_email(email)? {
                report.there.push((*line, person));
                continue;
            }
        }
        new.push(read);
    }
    report.new = new.len() as u64;
    problems.sort_by_key(|problem| problem.line);
    report.problems = problems;
    if dry_run || !report.problems.is_empty() {
        return Ok(report);
    }
    for read in &new {
        make(&mut desk, read)?;
    }
    let done = desk.done()?;
    report.made = done.changes.iter().map(|change| change.person).collect();
    Ok(report)
}

/// The lines of a CSV file by their headers, and what is wrong with its form.
#[allow(
    clippy::type_complexity,
    reason = "lines, and what is wrong with others"
)]
fn lines(csv: &str) -> Result<(Vec<(u64, Enrolment)>, Vec<LineProblem>), ActError> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(csv.trim_start_matches('\u{feff}').as_bytes());
    let headers = reader
        .headers()
        .map_err(|error| ActError::Invalid(form(&error)))?
        .clone();
    for header in &headers {
        if !EXPORT_COLUMNS.contains(&header) {
            let near = EXPORT_COLUMNS
                .iter()
                .max_by(|a, b| strsim::jaro(a, header).total_cmp(&strsim::jaro(b, header)));
            let near = near.copied().unwrap_or("email");
            return Err(ActError::Invalid(format!(
                "line 1: unknown column `{}`; did you mean `{near}`",
                header.chars().take(40).collect::<String>()
            )));
        }
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
    let (mut lines, mut problems) = (Vec::new(), Vec::new());
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                lines.push((line, of_record(&headers, &record)));
            }
            Err(error) => problems.push(LineProblem {
                line: error.position().map_or(0, csv::Position::line),
                column: String::new(),
                message: form(&error),
            }),
        }
    }
    Ok((lines, problems))
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

fn of_record(headers: &csv::StringRecord, record: &csv::StringRecord) -> Enrolment {
    let mut told = Enrolment::default();
    for (header, value) in headers.iter().zip(record) {
        let field = match header {
            "first_name" => &mut told.first_name,
            "last_name" => &mut told.last_name,
            "email" => &mut told.email,
            "phone" => &mut told.phone,
            "lease_start" => &mut told.lease_start,
            "lease_end" => &mut told.lease_end,
            "move_in" => &mut told.move_in,
            "move_out" => &mut told.move_out,
            "unit" => &mut told.unit,
            "integration" => &mut told.integration,
            "status" => &mut told.status,
            _ => continue,
        };
        of_spreadsheet(value).clone_into(field);
    }
    told
}

/// A person in the normal forms, and where they live.
type Read = (Resident, Option<IntegrationId>);

/// Brings what was told into the normal forms, or says everything that is wrong with it.
fn read(told: &Enrolment, forms: &Forms<'_>) -> Result<Read, Vec<Wrong>> {
    let mut wrong: Vec<Wrong> = Vec::new();
    let integration = Some(told.integration.trim())
        .filter(|id| !id.is_empty())
        .map(IntegrationId::new);
    let country = match &integration {
        None => "US".to_owned(),
        Some(id) => (forms.country)(id).unwrap_or_else(|| {
            wrong.push((
                "integration",
                "is none of the files in config/integrations; write a file's name without .yaml"
                    .to_owned(),
            ));
            "US".to_owned()
        }),
    };
    let mut date = |field: &'static str, text: &str| -> Option<Date> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let date = text.parse();
        if date.is_err() {
            wrong.push((field, "is no date; write it as 2026-03-31".to_owned()));
        }
        date.ok()
    };
    let dates = [
        date("lease_start", &told.lease_start),
        date("lease_end", &told.lease_end),
        date("move_in", &told.move_in),
        date("move_out", &told.move_out),
    ];
    let [lease_start, lease_end, move_in, move_out] = dates;
    let status = match told.status.trim() {
        "" | "current" => LeaseStatus::Current,
        "pending" => LeaseStatus::Pending,
        "past" => LeaseStatus::Past,
        _ => {
            wrong.push(("status", "is none of current, pending, past".to_owned()));
            LeaseStatus::Current
        }
    };
    let unit = Some(told.unit.trim()).filter(|unit| !unit.is_empty());
    if integration.is_none() && (unit.is_some() || dates.iter().any(Option::is_some)) {
        wrong.push((
            "integration",
            "is missing: a unit and a lease are at a property; name its integration".to_owned(),
        ));
    }
    let resident = Resident {
        id: "by hand".into(),
        lease_id: None,
        household: None,
        relationship: Relationship::Primary,
        first_name: told.first_name.clone(),
        last_name: told.last_name.clone(),
        email: Some(told.email.clone()),
        phone: Some(told.phone.clone()),
        unit: unit.map(|unit| Unit {
            id: unit.to_owned(),
            label: unit.to_owned(),
            formerly: None,
        }),
        lease_start,
        lease_end,
        move_in,
        move_out,
        unreadable: BTreeSet::new(),
        status,
        status_word: String::new(),
        notice: false,
        eviction: false,
    };
    match normalise(resident, &country, forms.placeholders, &mut Notes::new()) {
        Err(error) => {
            let by_hand = "is empty, and so is first_name; somebody has a name";
            wrong.push((error.field, by_hand.to_owned()));
        }
        Ok(normal) => {
            if !normal.resident.unreadable.is_empty() {
                wrong.push(("lease_end", "lies before lease_start".to_owned()));
            }
            if normal.resident.email.is_none() && !told.email.trim().is_empty() {
                wrong.push(("email", "is no usable email address".to_owned()));
            }
            if normal.keep_phone {
                wrong.push((
                    "phone",
                    format!("is no valid phone in {country}; write it as +14155550100"),
                ));
            }
            if wrong.is_empty() {
                return Ok((normal.resident, integration));
            }
        }
    }
    Err(wrong)
}

fn make(desk: &mut Desk<'_>, (resident, integration): &Read) -> Result<(), ActError> {
    let id = desk.store().new_person_id()?;
    let mut person = Person {
        first_name: resident.first_name.clone(),
        last_name: resident.last_name.clone(),
        email: resident.email.clone(),
        phone: resident.phone.clone(),
        ..Person::new(id, Origin::Hand, desk.hand().now)
    };
    if let Some(integration) = integration {
        let stay = stay(resident, Vec::new(), None, None);
        person.stays.insert(integration.clone(), Box::new(stay));
    }
    let at = Where {
        integration: integration.as_ref(),
        resident: None,
        rule: "by hand",
    };
    desk.put_person(None, person, ChangeKind::Created, &at)
}
