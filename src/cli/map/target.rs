//! `epms map` with the script of a target: what a person should have there, and what records that were read back are. Reaches
//! no target.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::beneath::MAX_FILE;
use crate::cases::{self, Granted, flow};
use crate::config::{Files, Home};
use crate::model::Problems;
use crate::script::{Context, Inputs, Script};

use super::super::status::number;
use super::super::table::{Cell, Column, Table, clean};
use super::super::view::View;
use super::super::{Exit, Failure};
use super::place::{Answer, OF_TARGET, answer};
use super::{MapArguments, Told, errors, heading, printed, today};

/// What came of it.
#[derive(Serialize)]
pub(super) struct Report {
    script: PathBuf,
    file: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    connector: Option<String>,
    request: String,
    /// How many records were read back; none where it is about a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<usize>,
    /// What a person should have.
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted: Option<Vec<Map<String, Value>>>,
    /// What is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<Vec<Map<String, Value>>>,
    /// How many records are none of ours.
    #[serde(skip_serializing_if = "is_zero")]
    passed_over: usize,
    pub(super) errors: Vec<Told>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    printed: Vec<cases::Printed>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde asks it")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// What the script makes of the person, or of what was read back.
pub(super) fn report(
    arguments: &MapArguments,
    script: &Script,
    name: &str,
    file: &Path,
    home: &Home,
) -> Result<Report, Failure> {
    let given = arguments.given();
    let mut report = Report {
        script: script.file(),
        file: given.to_owned(),
        connector: None,
        request: String::new(),
        records: None,
        wanted: None,
        held: None,
        passed_over: 0,
        errors: Vec::new(),
        printed: Vec::new(),
    };
    if arguments.person.is_some() {
        let bytes = std::fs::read(file).map_err(|error| {
            let told = format!("cannot read {}: {error}", given.display());
            Failure::other(Exit::Failed, told)
        })?;
        let text = match String::from_utf8(bytes) {
            Ok(text) if text.len() as u64 <= MAX_FILE => text,
            _ => {
                let told = format!(
                    "{} is no person: it is too large, or no UTF-8",
                    given.display()
                );
                return Err(Failure::other(Exit::Invalid, told));
            }
        };
        let person = cases::person(given, &text);
        if person.is_err() && cases::open(home, file).is_ok() {
            let told = format!(
                "{} is a mapping test; give it without --person",
                given.display()
            );
            return Err(Failure::other(Exit::Invalid, told));
        }
        let person = person.map_err(|found| Failure::Config(Problems(found)))?;
        let granted = cases::wanted(script, &person, &context(arguments, ""));
        report.take(granted, None);
        return Ok(report);
    }
    if file.extension().is_some_and(|ending| ending == "yaml") {
        let case = cases::open(home, file).map_err(|found| Failure::Config(Problems(found)))?;
        if case.is_about_an_answer() || case.is_of_other_kind(script) {
            let told =
                "the test is about something else than what is wanted or held; `epms test` runs it";
            return Err(Failure::other(Exit::Invalid, told));
        }
        let records = (!case.is_about_a_person()).then(|| case.records().count());
        report.take(case.granted(script), records);
        return Ok(report);
    }
    let files = Files::read(home);
    let Answer { way, records, .. } = answer(arguments, name, file, &files)?;
    let request = match (&way.connector, &arguments.request) {
        (None, None) => OF_TARGET[0].to_owned(),
        _ => way.request,
    };
    let each = records.iter().map(AsRef::as_ref);
    let granted = cases::held(script, each, &context(arguments, &request));
    report.take(granted, Some(records.len()));
    report.connector = way.connector;
    report.request = request;
    Ok(report)
}

fn context(arguments: &MapArguments, request: &str) -> Context {
    Context::new(Inputs {
        today: today(arguments),
        request: request.to_owned(),
        country: arguments.country.clone(),
        timezone: arguments.timezone.clone().unwrap_or_default(),
        ..Inputs::default()
    })
}

impl Report {
    fn take(&mut self, granted: Granted, records: Option<usize>) {
        match records {
            None => self.wanted = Some(granted.wanted),
            Some(_) => self.held = Some(granted.held),
        }
        self.records = records;
        self.passed_over = granted.passed_over;
        self.printed = granted.printed;
        let errors = granted.errors.into_iter();
        self.errors = errors.map(|one| Told::of(one, None)).collect();
    }
}

pub(super) fn told(report: &Report, view: &View) -> String {
    let of = report
        .connector
        .as_ref()
        .map(|connector| (report.request.as_str(), connector.as_str()));
    let mut text = heading(&report.script, &report.file, of, view);
    for (title, grants) in [("WANTED", &report.wanted), ("HELD", &report.held)] {
        let grants = grants.as_deref().unwrap_or_default();
        if !grants.is_empty() {
            let _ = write!(text, "\n{}", table(title, grants, view));
        }
    }
    text += &printed(&report.printed);
    text += &errors(&report.errors, view);
    let failed = report.errors.len();
    let count = |grants: &Option<Vec<_>>| grants.as_ref().map_or(0, |grants| grants.len() as u64);
    let _ = match report.records {
        None => writeln!(
            text,
            "\n1 person: {} wanted, {failed} not mapped",
            number(count(&report.wanted), "grant", "grants"),
        ),
        Some(records) => writeln!(
            text,
            "\n{}: {} held, {} none of ours, {failed} not mapped",
            number(records as u64, "record", "records"),
            number(count(&report.held), "grant", "grants"),
            report.passed_over,
        ),
    };
    text
}

/// The grants, each with its key, the target's id where it has one, and its fields.
fn table(title: &'static str, grants: &[Map<String, Value>], view: &View) -> String {
    let mut table = Table::new([
        (title, Column::Wrap),
        ("ID", Column::Wrap),
        ("WITH", Column::Wrap),
    ]);
    let text = |grant: &Map<String, Value>, name: &str| {
        let text = grant.get(name).and_then(Value::as_str);
        clean(text.unwrap_or_default())
    };
    for grant in grants {
        let members = grant.iter();
        let members = members.filter(|(name, _)| !["key", "id"].contains(&name.as_str()));
        let members: Vec<String> = members
            .map(|(name, value)| match value {
                Value::Bool(true) => name.clone(),
                value => format!("{name}: {}", flow(value)),
            })
            .collect();
        table.row([
            text(grant, "key").into(),
            Cell::id(text(grant, "id")),
            clean(&members.join(", ")).into(),
        ]);
    }
    table.render(view)
}
