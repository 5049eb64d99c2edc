//! `epms map`: one script on one recorded answer, as `record` writes it and the PMS sends it. Reaches no PMS. Where the
//! records are is `place`'s to find out.

mod place;
mod residents;
mod target;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::cases::{self, Contexts, Mapped, Unmapped};
use crate::catalog;
use crate::config::{Environment, Files, Format, Home};
use crate::model::{Place, Problems, Resident};
use crate::script::{Context, Inputs, Library, Script};
use crate::source::Alone;

use super::again::again;
use super::status::number;
use super::table::{Column, Table, clean, paragraph};
use super::view::View;
use super::{Exit, Failure, Screen};

use place::{Answer, answer};
use residents::residents;

/// What to map, and as what.
#[derive(Debug, Args)]
#[command(after_help = "\
FILE is an answer as the PMS sends it or `epms record` writes it, in JSON, XML
or CSV; its records are found as the connector says that names the script. a
mapping test (CASE.yaml) can stand there too: it brings its own ctx, with
lookups. what the script prints is shown. where a run that got this answer
alone would be incomplete, that is told in its words: a path of the connector
that leads nowhere, a record of another property than --property. ends with 1
when a record could not be mapped, and when a run would be incomplete for more
than the number of records, of which others may stand in further answers

examples
  epms map yardi answer.xml --watch
  epms map scripts/yardi.rhai scripts/tests/yardi/household.yaml
  epms map ledger export.csv --encoding iso-8859-1
  epms map opendoor --person person.yaml
  epms map buildium leases.json --records data --today 2026-03-01 --timezone America/Chicago --json")]
pub struct MapArguments {
    /// the script: its name, or its file in scripts/
    pub script: PathBuf,
    /// the recorded answer, or a mapping test
    #[arg(required_unless_present = "person")]
    pub file: Option<PathBuf>,
    /// in place of an answer, somebody whom the script of a target gives grants
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "connector", "request", "records", "format", "delimiter", "encoding", "property"])]
    pub person: Option<PathBuf>,
    /// map again at each save of the script, what it imports, or the file
    #[arg(long)]
    pub watch: bool,
    /// the connector that says where the records are [default: the one that names the script]
    #[arg(long, value_name = "NAME")]
    pub connector: Option<String>,
    /// the request that it answers [default: the first whose records are in it]
    #[arg(long, value_name = "NAME")]
    pub request: Option<String>,
    /// path of the records in the answer, such as `data` or `Residents/Resident`
    #[arg(long, value_name = "PATH")]
    pub records: Option<String>,
    /// form of the answer: json, xml, soap or csv [default: as the connector says, or by the file's ending]
    #[arg(long, value_parser = place::format)]
    pub format: Option<Format>,
    /// what separates the columns of CSV [default: as the connector says, or a comma]
    #[arg(long, value_name = "CHARACTER", value_parser = place::delimiter)]
    pub delimiter: Option<u8>,
    /// encoding of the answer, such as windows-1252 [default: as the connector says, or as the answer does]
    #[arg(long, value_name = "LABEL", value_parser = place::encoding)]
    pub encoding: Option<String>,
    /// the date at the property, for scripts that look at it [default: today]
    #[arg(long, value_name = "DATE")]
    pub today: Option<Date>,
    /// the property's time zone, which ctx.timezone is and which decides what today is [default: UTC, and the day here]
    #[arg(long, value_name = "ZONE", value_parser = place::timezone)]
    pub timezone: Option<String>,
    /// the property's country, by ISO 3166 code: it decides how phones are read
    #[arg(long, value_name = "CODE", default_value = "US")]
    pub country: String,
    /// the PMS property that was asked for; of an answer with the records of several, those of this one alone are mapped
    #[arg(long, value_name = "ID", default_value = "")]
    pub property: String,
}

impl MapArguments {
    /// The file, as it was pointed at.
    fn given(&self) -> &Path {
        let given = self.file.as_ref().or(self.person.as_ref());
        given.map_or(Path::new(""), PathBuf::as_path)
    }
}

/// What came of it.
#[derive(Serialize)]
struct Report {
    script: PathBuf,
    file: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    connector: Option<String>,
    request: String,
    records: usize,
    residents: Vec<Resident>,
    excluded: Vec<cases::Excluded>,
    errors: Vec<Told>,
    /// Why a run that got this answer alone would be incomplete.
    #[serde(skip_serializing_if = "Option::is_none")]
    incomplete: Option<String>,
    /// That it is only the number of records.
    #[serde(skip)]
    is_of_number: bool,
    /// How many records are of PMS properties that were not asked for, by property.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    elsewhere: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    printed: Vec<cases::Printed>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    notes: BTreeMap<String, u64>,
    #[serde(skip)]
    asks: Vec<String>,
}

/// A record that could not be mapped.
#[derive(Serialize)]
struct Told {
    /// From 1.
    record: usize,
    /// The record's id, or the resident's.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    file: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    message: String,
    #[serde(skip)]
    whole: String,
}

pub(super) async fn run(
    arguments: &MapArguments,
    json: bool,
    home: &Home,
    environment: &Environment,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let file = environment.current.join(arguments.given());
    let script = name(&arguments.script, home, environment);
    let show = |screen: &mut Screen<'_>| {
        let library = Library::read(home.root());
        let compiled = Script::compile(&library, &script)
            .map_err(|problems| Failure::Config(Problems(problems).sorted()))?;
        let lines = arguments.watch && json;
        let failed = if compiled.is_of_target() {
            let report = target::report(arguments, &compiled, &script, &file, home)?;
            if lines {
                screen.line(&report)?;
            } else {
                screen.show(json, &report, target::told)?;
            }
            !report.errors.is_empty()
        } else {
            let report = report(arguments, &compiled, &script, &file, home)?;
            if lines {
                screen.line(&report)?;
            } else {
                screen.show(json, &report, told)?;
            }
            report.failed()
        };
        Ok(if failed { Exit::Failed } else { Exit::Done })
    };
    if !arguments.watch {
        return show(screen);
    }
    let beside = file.parent().map(Path::to_owned);
    let folders = [home.config(), home.scripts()].into_iter().chain(beside);
    let seen = async || {
        let answer = tokio::fs::read(&file).await.ok();
        (catalog::fingerprint(home).await, answer)
    };
    again(folders.collect(), screen, seen, show).await
}

/// The script's name below `scripts/`, however it was pointed at.
fn name(given: &Path, home: &Home, environment: &Environment) -> String {
    let whole = environment.current.join(given);
    let below = whole.strip_prefix(home.scripts()).unwrap_or(given);
    let below = below.strip_prefix("scripts").unwrap_or(below);
    let name = below.to_string_lossy();
    name.strip_suffix(".rhai").unwrap_or(&name).to_owned()
}

/// The date that is given, or today's where the property is.
fn today(arguments: &MapArguments) -> Date {
    let zone = arguments.timezone.as_deref();
    let zone = zone.and_then(|name| TimeZone::get(name).ok());
    let now = Timestamp::now().to_zoned(zone.unwrap_or_else(TimeZone::system));
    arguments.today.unwrap_or_else(|| now.date())
}

fn report(
    arguments: &MapArguments,
    script: &Script,
    name: &str,
    file: &Path,
    home: &Home,
) -> Result<Report, Failure> {
    if arguments.person.is_some() {
        let told = "--person goes with the script of a target, and this is one of a PMS";
        return Err(Failure::other(Exit::Invalid, told));
    }
    let mut report = Report {
        script: script.file(),
        file: arguments.given().to_owned(),
        connector: None,
        request: String::new(),
        records: 0,
        residents: Vec::new(),
        excluded: Vec::new(),
        errors: Vec::new(),
        incomplete: None,
        is_of_number: false,
        elsewhere: BTreeMap::new(),
        printed: Vec::new(),
        notes: BTreeMap::new(),
        asks: Vec::new(),
    };
    if file.extension().is_some_and(|ending| ending == "yaml") {
        let case = cases::open(home, file).map_err(|found| Failure::Config(Problems(found)))?;
        if case.is_about_an_answer() {
            let told =
                "the test is about an answer, and no record is mapped in it; `epms test` runs it";
            return Err(Failure::other(Exit::Invalid, told));
        }
        if case.is_of_other_kind(script) {
            let told = "the test is about a target, and the script is one of a PMS";
            return Err(Failure::other(Exit::Invalid, told));
        }
        report.records = case.records().count();
        report.take(case.map(script), |_| None);
        return Ok(report);
    }
    let files = Files::read(home);
    let Answer { way, records, body } = answer(arguments, name, file, &files)?;
    let context = Context::new(Inputs {
        today: today(arguments),
        property: arguments.property.clone(),
        properties: Some(arguments.property.clone())
            .filter(|property| !property.is_empty())
            .into_iter()
            .collect(),
        request: way.request.clone(),
        country: arguments.country.clone(),
        timezone: arguments.timezone.clone().unwrap_or_default(),
        ..Inputs::default()
    });
    if let Some(alone) = way.alone(&body, script, context.inputs()) {
        report.would_be(alone);
    }
    let source = way.source.as_ref();
    let property = source.and_then(|source| source.property_path(&way.request));
    let contexts = Contexts::new(context, property.cloned());
    let records_of = records.iter().map(AsRef::as_ref);
    let mapped = cases::map(script, records_of, &contexts, &cases::placeholders(home));
    report.records = records.len();
    report.take(mapped, |record| {
        let source = way.source.as_ref()?;
        source.record_id(&way.request, records.get(record)?)
    });
    let lookups = way.source.iter().flat_map(|source| source.lookups());
    let asked = lookups.filter(|(lookup, _)| script.asks(lookup));
    report.asks = asked.map(|(lookup, _)| lookup.to_owned()).collect();
    report.connector = way.connector;
    report.request = way.request;
    Ok(report)
}

impl Told {
    fn of(one: Unmapped, id: Option<String>) -> Told {
        Told {
            record: one.record + 1,
            id,
            whole: one.error.to_string(),
            file: one.error.file,
            place: one.error.place,
            field: one.error.field,
            message: one.error.message,
        }
    }
}

impl Report {
    /// Whether somebody has to look.
    fn failed(&self) -> bool {
        let is_incomplete = self.incomplete.is_some() && !self.is_of_number;
        !self.errors.is_empty() || is_incomplete
    }

    /// Takes in what a run would make of the answer.
    fn would_be(&mut self, alone: Result<Alone, String>) {
        match alone {
            Ok(alone) => {
                self.is_of_number = alone.incomplete.as_ref().is_some_and(|it| it.is_of_number);
                self.incomplete = alone.incomplete.map(|it| it.told.to_string());
            }
            // What is wrong with the function `verdict`.
            Err(error) => self.incomplete = Some(error),
        }
    }

    fn take(&mut self, mapped: Mapped, id: impl Fn(usize) -> Option<String>) {
        let told = |one: Unmapped| {
            let id = one.resident.clone().or_else(|| id(one.record));
            Told::of(one, id)
        };
        self.residents = mapped.residents;
        self.excluded = mapped.excluded;
        self.notes = mapped.notes;
        self.printed = mapped.printed;
        self.elsewhere = mapped.elsewhere;
        if self.incomplete.is_none() {
            self.incomplete = mapped.incomplete;
        }
        self.errors = mapped.errors.into_iter().map(told).collect();
    }
}

fn told(report: &Report, view: &View) -> String {
    let of = report
        .connector
        .as_ref()
        .map(|connector| (report.request.as_str(), connector.as_str()));
    let mut text = heading(&report.script, &report.file, of, view);
    if !report.residents.is_empty() {
        let _ = write!(text, "\n{}", residents(&report.residents, view));
    }
    if !report.excluded.is_empty() {
        let mut table = Table::new([("LEFT OUT", Column::Whole), ("WHY", Column::Wrap)]);
        for one in &report.excluded {
            table.row([one.id.clone().into(), one.reason.clone().into()]);
        }
        let _ = write!(text, "\n{}", table.render(view));
    }
    text += &printed(&report.printed);
    text += &errors(&report.errors, view);
    let by_default = |one: &&Resident| one.relationship.is_left_out();
    let by_default = report.residents.iter().filter(by_default).count();
    let _ = writeln!(
        text,
        "\n{}: {}, {} left out, {} not mapped",
        number(report.records as u64, "record", "records"),
        number(report.residents.len() as u64, "resident", "residents"),
        report.excluded.len(),
        report.errors.len()
    );
    if !report.notes.is_empty() {
        let notes = report.notes.iter();
        let notes: Vec<String> = notes
            .map(|(kind, count)| format!("{kind} {count}"))
            .collect();
        let told = format!("notes, as a run has them: {}", notes.join(", "));
        text += &paragraph(0, &told, view);
    }
    if by_default > 0 {
        let told = format!(
            "of these {by_default} as a guarantor, a minor or a company: a run leaves such out unless the integration's \
             `include` names them"
        );
        text += &paragraph(0, &told, view);
    }
    if !report.elsewhere.is_empty() {
        let all: u64 = report.elsewhere.values().sum();
        let named: Vec<String> = report
            .elsewhere
            .keys()
            .take(NAMED)
            .map(|one| clean(one))
            .collect();
        let more = if report.elsewhere.len() > NAMED {
            ", …"
        } else {
            ""
        };
        let told = format!(
            "{} of other PMS properties ({}{more}), which a run leaves out unless they are attached",
            number(all, "record is", "records are"),
            named.join(", ")
        );
        text += &paragraph(0, &told, view);
    }
    if let Some(why) = &report.incomplete {
        text += &paragraph(
            0,
            &format!("a run would be incomplete: {}", clean(why)),
            view,
        );
    }
    if !report.asks.is_empty() {
        let told = format!(
            "the script looks things up in `{}`, which this answer does not have; a mapping test has them in ctx.lookups",
            report.asks.join("`, `")
        );
        text += &paragraph(0, &told, view);
    }
    text
}

/// So many records or properties are named.
const NAMED: usize = 3;

/// What could not be mapped: the same error of several records once, with how many they are.
fn errors(errors: &[Told], view: &View) -> String {
    if errors.is_empty() {
        return String::new();
    }
    let mut text = "\ncould not be mapped\n".to_owned();
    let mut alike: Vec<(&str, Vec<&Told>)> = Vec::new();
    for one in errors {
        match alike.iter_mut().find(|(whole, _)| *whole == one.whole) {
            Some((_, of)) => of.push(one),
            None => alike.push((&one.whole, vec![one])),
        }
    }
    for (whole, of) in alike {
        let named: Vec<String> = of
            .iter()
            .take(NAMED)
            .map(|one| {
                let id = one.id.as_ref().map(|id| format!(" ({id})"));
                format!("record {}{}", one.record, id.unwrap_or_default())
            })
            .collect();
        let mut which = named.join(", ");
        if of.len() > NAMED {
            which = format!("{} times: {which}, …", of.len());
        }
        text += &paragraph(2, &format!("{which}: {whole}"), view);
    }
    text
}

/// What the script printed.
fn printed(printed: &[cases::Printed]) -> String {
    let mut text = String::new();
    if !printed.is_empty() {
        text += "\nprinted\n";
    }
    for one in printed {
        let _ = writeln!(text, "  record {}: {}", one.record, clean(&one.text));
    }
    text
}

/// What was mapped, and as an answer to which request of which connector.
fn heading(script: &Path, file: &Path, of: Option<(&str, &str)>, view: &View) -> String {
    let (script, file) = (script.display(), file.display());
    let of = of.map(|(request, connector)| {
        format!(
            ": an answer to `{}` of the connector {}",
            clean(request),
            clean(connector)
        )
    });
    let told = format!("{script} on {file}{}", of.unwrap_or_default());
    paragraph(0, &told, view)
}
