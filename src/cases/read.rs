//! Reading a case: its records, wherever it has them, as a run would take them. Its form is `written`'s.

use std::path::{Component, Path};
use std::sync::Arc;

use serde_json::Value;

use crate::beneath::{Beneath, MAX_FILE, Unread};
use crate::config::{Csv, Document, Format, Inner};
use crate::model::{Problem, exact};
use crate::script::{Context, Inputs, Lookups};
use crate::source::{self, Shape};

use super::case::Case;
use super::find::whole;
use super::written::Written;

/// A recorded answer larger than this is none to test with.
const MAX_ANSWER: u64 = 16 * 1024 * 1024;

/// Reads one case.
pub(super) fn read(
    beneath: &Beneath,
    path: &Path,
    file: &Path,
    name: &str,
    folder: &str,
    placeholders: &Arc<[String]>,
) -> Result<Case, Vec<Problem>> {
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
    if jiff::tz::TimeZone::get(&written.ctx.timezone).is_err() {
        let zone = &written.ctx.timezone;
        let message = format!("`{zone}` is no time zone; write one such as America/New_York");
        problems.push(document.problem("ctx.timezone", message));
    }
    let case = Beside { beneath, path };
    let records = records(&written, case, &document).unwrap_or_else(|problem| {
        problems.push(problem);
        Vec::new()
    });
    let lookups = lookups(&mut written, case, &document).unwrap_or_else(|found| {
        problems.extend(found);
        Lookups::new()
    });
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Case {
        name: name.to_owned(),
        file: file.to_owned(),
        script: written.script.unwrap_or_else(|| format!("{folder}.rhai")),
        records,
        recorded: matches!(written.records, Some(Value::String(_))),
        context: Context::new(Inputs {
            today: written.today,
            property: written.ctx.property,
            request: written.ctx.request,
            integration: written.ctx.integration,
            country: written.ctx.country,
            timezone: written.ctx.timezone,
            properties: written.ctx.properties,
            fields: written.ctx.fields,
            lookups: Arc::new(lookups),
        }),
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
            "there is no record; add `record`, or `records` with a list or a file",
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
        let beside = Path::new(name);
        if !beside
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        {
            return Err(problem("is no file beside the case; write its name".into()));
        }
        let path = case.path.with_file_name(beside);
        let body = case.beneath.read(&path, MAX_ANSWER);
        let body = body.map_err(|error| match error {
            Unread::TooLarge(limit) => problem(format!(
                "`{name}` is larger than {} MiB; keep the records that matter",
                limit >> 20
            )),
            error => problem(format!("`{name}` {error}")),
        })?;
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
    let inline = std::mem::take(&mut written.ctx.lookups);
    let mut lookups: Lookups = inline
        .into_iter()
        .map(|(request, records)| {
            let records = records
                .into_iter()
                .map(|(key, record)| (key, record.to_string()));
            (request, records.collect())
        })
        .collect();
    let mut problems = Vec::new();
    for (request, files) in &written.lookups {
        let of_request = lookups.entry(request.clone()).or_default();
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
                    of_request.extend(records.into_iter().filter_map(|json| {
                        let record: Value = serde_json::from_str(&exact(&json)).ok()?;
                        let key = id.text(&record)?.into_owned();
                        Some((key, String::from(json)))
                    }));
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
