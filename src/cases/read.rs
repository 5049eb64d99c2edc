//! Reading a case: its records, wherever it has them, as a run would take them. Its form is `written`'s.

use std::path::{Component, Path};
use std::sync::Arc;

use serde_json::Value;

use crate::beneath::{Beneath, MAX_FILE, Unread};
use crate::config::{Csv, Document, Format, Inner};
use crate::model::{Problem, exact, time_zone};
use crate::script::{Context, Inputs, Lookups};
use crate::source::{self, Shape};

use super::case::Case;
use super::contexts::Contexts;
use super::find::{Connectors, whole};
use super::judged::Answered;
use super::person::WrittenPerson;
use super::written::{Expect, Written, WrittenAnswer};

/// A recorded answer larger than this is none to test with.
const MAX_ANSWER: u64 = 16 * 1024 * 1024;

/// How a case is called.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    /// Its file, relative to the home.
    pub(super) file: &'a Path,
    /// Its folder and its file without the ending.
    pub(super) name: &'a str,
    pub(super) folder: &'a str,
}

/// Reads one case.
pub(super) fn read(
    beneath: &Beneath,
    path: &Path,
    about: About<'_>,
    placeholders: &Arc<[String]>,
    connectors: &Connectors<'_>,
) -> Result<Case, Vec<Problem>> {
    let About { file, name, folder } = about;
    let text = beneath
        .read_text(path, MAX_FILE)
        .map_err(|error| vec![whole(file, error.to_string())])?;
    let document = Document::parse(file, text.strip_prefix('\u{feff}').unwrap_or(&text))?;
    let mut written: Written = document.read()?;
    let mut problems = Vec::new();
    if written.version != 1 {
        let message = format!("this epms reads version 1, not {}", written.version);
        problems.push(document.problem("version", message));
    }
    if let Err(message) = time_zone(&written.ctx.timezone) {
        problems.push(document.problem("ctx.timezone", message));
    }
    let case = Beside { beneath, path };
    expects(&written, &document, &mut problems);
    let mut answer = None;
    let mut records_of = Vec::new();
    let read = match (&written.answer, &written.person) {
        (Some(given), _) => answered(&written, given, case, &document, folder, connectors)
            .map(|judged| answer = Some(judged)),
        (None, Some(_)) => Ok(()),
        (None, None) => records(&written, case, &document).map(|records| records_of = records),
    };
    problems.extend(read.err());
    let property = written.property.as_deref().and_then(|path| {
        let path = source::Path::parse(path);
        let told = |message| problems.push(document.problem("property", message));
        path.map_err(told).ok()
    });
    let lookups = lookups(&mut written, case, &document).unwrap_or_else(|found| {
        problems.extend(found);
        Lookups::new()
    });
    if !problems.is_empty() {
        return Err(problems);
    }
    let request = request_of(&written);
    Ok(Case {
        name: name.to_owned(),
        file: file.to_owned(),
        script: written.script.unwrap_or_else(|| format!("{folder}.rhai")),
        records: records_of,
        person: written.person.map(WrittenPerson::json),
        answer,
        recorded: matches!(written.records, Some(Value::String(_))),
        contexts: Contexts::new(
            Context::new(Inputs {
                today: written.today,
                property: written.ctx.property,
                request,
                integration: written.ctx.integration,
                country: written.ctx.country,
                timezone: written.ctx.timezone,
                properties: written.ctx.properties,
                fields: written.ctx.fields,
                lookups: Arc::new(lookups),
                grant: written
                    .ctx
                    .grant
                    .map(|grant| Value::Object(grant).to_string()),
                ..Inputs::default()
            }),
            property,
        ),
        placeholders: Arc::clone(placeholders),
        expect: written.expect,
    })
}

/// A case whose answers lie beside it.
#[derive(Clone, Copy)]
struct Beside<'a> {
    beneath: &'a Beneath,
    path: &'a Path,
}

/// The request that is answered. Nobody asks for a person.
fn request_of(written: &Written) -> String {
    let usual = match (&written.person, &written.expect.held) {
        (Some(_), _) => "",
        (None, Some(_)) => "target.list",
        (None, None) => "residents",
    };
    let given = written.ctx.request.as_deref();
    given.unwrap_or(usual).to_owned()
}

/// What is expected must be of the kind that the case is about.
fn expects(written: &Written, document: &Document, problems: &mut Vec<Problem>) {
    let expect = &written.expect;
    let of_answer = [
        ("expect.verdict", expect.verdict.is_some()),
        ("expect.hint", expect.hint.is_some()),
        (
            "expect.incomplete",
            expect.incomplete.is_some() && written.property.is_none(),
        ),
        ("connector", written.connector.is_some()),
    ];
    let of_held = [
        ("record", written.record.is_some()),
        ("records", written.records.is_some()),
        ("path", written.path.is_some()),
        ("property", written.property.is_some()),
        ("inner", written.inner.is_some()),
        ("delimiter", written.delimiter.is_some()),
        ("csv", written.csv.is_some()),
        ("encoding", written.encoding.is_some()),
        ("expect.held", expect.held.is_some()),
    ];
    let of_residents = [
        ("expect.residents", !expect.residents.is_empty()),
        ("expect.excluded", !expect.excluded.is_empty()),
    ];
    let of_person = [("expect.wanted", expect.wanted.is_some())];
    let of_all = [
        ("lookups", !written.lookups.is_empty()),
        ("expect.error", expect.error.is_some()),
        ("expect.errors", !expect.errors.is_empty()),
    ];
    let mut say = |fields: &[(&str, bool)], message: &str| {
        let given = fields.iter().filter(|(_, given)| *given);
        problems.extend(given.map(|(field, _)| document.problem(field, message)));
    };
    if written.answer.is_some() {
        let of_records: Vec<(&str, bool)> = [("person", written.person.is_some())]
            .into_iter()
            .chain(of_held)
            .chain(of_residents)
            .chain(of_person)
            .chain(of_all)
            .collect();
        say(
            &of_records,
            "is said of records, and the case is about an `answer`; remove it, or make two cases of it",
        );
        say(
            &[(
                "expect",
                expect.verdict.is_none() && expect.incomplete.is_none(),
            )],
            "does not say what the answer means; add `verdict`, or `incomplete` with a part of why a run would be",
        );
    } else {
        say(
            &of_answer,
            "is said of an answer, and the case has none; add `answer`, or remove it",
        );
        if written.person.is_some() {
            let of_records = [&of_held[..], &of_residents].concat();
            say(
                &of_records,
                "is said of records, and the case is about a `person`; remove it, or make two cases of it",
            );
        } else {
            say(
                &of_person,
                "is said of a person, and the case has none; add `person`, or remove it",
            );
            if expect.held.is_some() {
                say(
                    &of_residents,
                    "is said of a PMS, and `held` of a target; keep one of them",
                );
            }
        }
    }
    grants(expect, document, problems);
}

/// Grants that are expected have what each has.
fn grants(expect: &Expect, document: &Document, problems: &mut Vec<Problem>) {
    let mut lacks = |grant: &Value, at: &str, names: &[&str]| {
        let Value::Object(members) = grant else {
            let message = "is no mapping; write the grant in full, as the script gives it";
            return problems.push(document.problem(at, message));
        };
        for name in names {
            if !members
                .get(*name)
                .is_some_and(|it| it.is_string() || it.is_number())
            {
                let message = format!("has no text `{name}`, which every such grant has; add it");
                problems.push(document.problem(at, message));
            }
        }
    };
    for (at, grant) in expect.wanted.iter().flatten().enumerate() {
        lacks(
            &grant.clone().into(),
            &format!("expect.wanted.{at}"),
            &["key"],
        );
    }
    match &expect.held {
        None | Some(Value::Null) => {}
        Some(Value::Array(several)) => {
            for (at, grant) in several.iter().enumerate() {
                lacks(grant, &format!("expect.held.{at}"), &["key", "id"]);
            }
        }
        Some(one) => lacks(one, "expect.held", &["key", "id"]),
    }
}

/// The answer of a case, with the connector that judges it.
fn answered(
    written: &Written,
    given: &WrittenAnswer,
    case: Beside<'_>,
    document: &Document,
    folder: &str,
    connectors: &Connectors<'_>,
) -> Result<Answered, Problem> {
    let name = written.connector.as_deref().unwrap_or(folder);
    let at = match &written.connector {
        Some(_) => "connector",
        None => "answer",
    };
    let source = connectors
        .named(name)
        .map_err(|message| document.problem(at, message))?;
    let request = &request_of(written);
    if !source.has(request) {
        let known: Vec<&str> = source.requests().collect();
        let message = format!(
            "the connector has no request `{request}`; it has: {}",
            known.join(", ")
        );
        return Err(document.problem("ctx.request", message));
    }
    if !(100..600).contains(&given.status) {
        let message = "is no status code; write one such as 200";
        return Err(document.problem("answer.status", message));
    }
    let body = match (&given.file, &given.text) {
        (Some(_), Some(_)) => {
            return Err(document.problem("answer.text", "stands beside `file`; keep one of them"));
        }
        (Some(name), None) => case
            .body(name)
            .map_err(|message| document.problem("answer.file", message))?,
        (None, text) => text.clone().unwrap_or_default().into_bytes(),
    };
    Ok(Answered {
        source,
        status: given.status,
        headers: given.headers.clone().into_iter().collect(),
        body,
    })
}

impl Beside<'_> {
    /// What stands in a file beside the case, or why it cannot be taken.
    fn body(&self, name: &str) -> Result<Vec<u8>, String> {
        let beside = Path::new(name);
        if !beside
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        {
            return Err("is no file beside the case; write its name".into());
        }
        let path = self.path.with_file_name(beside);
        let body = self.beneath.read(&path, MAX_ANSWER);
        body.map_err(|error| match error {
            Unread::TooLarge(limit) => format!(
                "`{name}` is larger than {} MiB; keep the records that matter",
                limit >> 20
            ),
            error => format!("`{name}` {error}"),
        })
    }
}

/// The records of a case as JSON texts, wherever it has them.
fn records(
    written: &Written,
    case: Beside<'_>,
    document: &Document,
) -> Result<Vec<Box<str>>, Problem> {
    let of_file = [
        ("path", written.path.is_some()),
        ("inner", written.inner.is_some()),
        ("delimiter", written.delimiter.is_some()),
        ("csv", written.csv.is_some()),
        ("encoding", written.encoding.is_some()),
    ];
    if !matches!(written.records, Some(Value::String(_)))
        && let Some((field, _)) = of_file.into_iter().find(|(_, given)| *given)
    {
        let message = "says how to read a file, and `records` names none; remove it";
        return Err(document.problem(field, message));
    }
    match (&written.record, &written.records) {
        (Some(record), None) => Ok(vec![inline(written.format, record, "record", document)?]),
        (None, Some(Value::Array(records))) => records
            .iter()
            .enumerate()
            .map(|(index, record)| {
                inline(
                    written.format,
                    record,
                    &format!("records.{index}"),
                    document,
                )
            })
            .collect(),
        (None, Some(Value::String(name))) => {
            let answer = Answer {
                name,
                path: written.path.as_deref(),
                format: written.format,
                inner: written.inner.as_ref(),
                delimiter: written.delimiter,
                csv: written.csv.as_ref(),
                encoding: written.encoding.as_deref(),
                at: "",
                named_by: "records",
            };
            answer.records(case, document)
        }
        (None, Some(_)) => Err(document.problem(
            "records",
            "is neither a list of records nor the name of a file",
        )),
        (Some(_), Some(_)) => {
            Err(document.problem("records", "stands beside `record`; keep one of them"))
        }
        (None, None) => Err(document.problem(
            "",
            "there is no record; add `record`, or `records` with a list or a file, or an `answer` to judge, or for a target a `person`",
        )),
    }
}

fn inline(
    format: Format,
    record: &Value,
    field: &str,
    document: &Document,
) -> Result<Box<str>, Problem> {
    match (format, record) {
        (Format::Json | Format::Csv, Value::Object(_)) => Ok(record.to_string().into_boxed_str()),
        (Format::Json | Format::Csv, _) => Err(document.problem(
            field,
            "is no mapping; write the record as YAML, or add `format: xml` if it is XML text",
        )),
        (Format::Xml | Format::Soap, Value::String(xml)) => {
            // The text is the record itself, without an envelope, also where the PMS speaks SOAP.
            let read = source::Path::parse("*").and_then(|root| {
                source::records_of(&Shape::new(Format::Xml, root), xml.as_bytes())
            });
            let records = read.map_err(|message| document.problem(field, message))?;
            records
                .into_iter()
                .next()
                .ok_or_else(|| document.problem(field, "holds no element; write the record's XML"))
        }
        (Format::Xml | Format::Soap, _) => Err(document.problem(
            field,
            "is no text; write the record's XML as a block (`|`), or remove `format`",
        )),
    }
}

/// An answer in a file beside a case.
struct Answer<'a> {
    name: &'a str,
    path: Option<&'a str>,
    format: Format,
    inner: Option<&'a Inner>,
    delimiter: Option<char>,
    csv: Option<&'a Csv>,
    encoding: Option<&'a str>,
    /// Where in the case it is said how to read it.
    at: &'a str,
    /// The field that names the file.
    named_by: &'a str,
}

impl Answer<'_> {
    /// Its records as JSON texts.
    fn records(&self, case: Beside<'_>, document: &Document) -> Result<Vec<Box<str>>, Problem> {
        let Answer { name, at, .. } = self;
        let field = |field: &str| format!("{at}{field}");
        let named_by = field(self.named_by);
        let problem = |message: String| document.problem(&named_by, message);
        let body = case.body(name).map_err(problem)?;
        let parse = |name: &str, path: &str| {
            source::Path::parse(path).map_err(|message| document.problem(&field(name), message))
        };
        let mut shape = Shape::new(self.format, parse("path", self.path.unwrap_or_default())?);
        if let Some(inner) = self.inner {
            shape = shape.inside(inner.format, parse("inner.path", &inner.path)?);
        }
        if let Some(delimiter) = self.delimiter {
            let one = u8::try_from(delimiter)
                .ok()
                .filter(|byte| byte.is_ascii() && !b"\"\r\n".contains(byte));
            let Some(one) = one else {
                let message = "cannot separate columns; write one such as \";\"";
                return Err(document.problem(&field("delimiter"), message));
            };
            shape = shape.separated_by(one);
        }
        if let Some(csv) = self.csv {
            shape = shape.with_csv(csv).map_err(|(key, message)| {
                document.problem(&field(&format!("csv.{key}")), message)
            })?;
        }
        if let Some(label) = self.encoding {
            let encoded = shape.encoded(label);
            shape = encoded.map_err(|message| document.problem(&field("encoding"), message))?;
        }
        source::records_of(&shape, &body).map_err(|message| problem(format!("`{name}`: {message}")))
    }
}

/// The records to look up, from the case itself and from the files that it names.
fn lookups(
    written: &mut Written,
    case: Beside<'_>,
    document: &Document,
) -> Result<Lookups, Vec<Problem>> {
    let mut lookups = Lookups::new();
    for (request, records) in std::mem::take(&mut written.ctx.lookups) {
        for (key, record) in records {
            lookups.put(&request, "", key, record.to_string());
        }
    }
    let mut problems = Vec::new();
    for (request, files) in &written.lookups {
        for (index, file) in files.iter().enumerate() {
            let at = format!("lookups.{request}.{index}.");
            let answer = Answer {
                name: &file.file,
                path: file.path.as_deref(),
                format: file.format,
                inner: file.inner.as_ref(),
                delimiter: file.delimiter,
                csv: file.csv.as_ref(),
                encoding: file.encoding.as_deref(),
                at: &at,
                named_by: "file",
            };
            let id = source::Path::parse(&file.id)
                .map_err(|message| document.problem(&format!("{at}id"), message));
            match (answer.records(case, document), id) {
                (Ok(records), Ok(id)) => {
                    for json in records {
                        let record = serde_json::from_str::<Value>(&exact(&json)).ok();
                        if let Some(key) = record.as_ref().and_then(|record| id.text(record)) {
                            lookups.put(request, &file.property, key.into_owned(), json.into());
                        }
                    }
                }
                (records, id) => problems.extend(records.err().into_iter().chain(id.err())),
            }
        }
    }
    if problems.is_empty() {
        Ok(lookups)
    } else {
        Err(problems)
    }
}
