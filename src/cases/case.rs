//! Finding all cases, and running one. How they are written is in `written`; what is different is told by `difference`.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use crate::config::{Document, Format, Home};
use crate::model::{Code, Problem};
use crate::script::{Context, Inputs, Library, Lookups, Script};
use crate::source::{self, Shape};

use super::difference::{Found, difference};
use super::written::{Excluded, Expect, Written};

/// A recorded answer larger than this is none to test with.
const MAX_ANSWER: u64 = 16 * 1024 * 1024;

/// One mapping test, read and ready to run.
#[derive(Debug, Clone)]
pub struct Case {
    name: String,
    file: PathBuf,
    script: String,
    records: Vec<Box<str>>,
    /// That they stand in a file: an answer of the PMS.
    recorded: bool,
    context: Context,
    expect: Expect,
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseOutcome {
    /// The case: its folder and its file without the ending, such as `yardi/roommates`.
    pub name: String,
    /// Its file, relative to the home.
    pub file: PathBuf,
    /// Whether everything came out as expected.
    pub passed: bool,
    /// What did not, line by line: `- ` was expected, `+ ` was found.
    pub diff: Vec<String>,
}

/// Reads the cases of a home whose name (`yardi/roommates`) contains `filter`, in the order of their names, and tells
/// what is wrong with the others.
pub fn load(home: &Home, filter: Option<&str>) -> (Vec<Case>, Vec<Problem>) {
    let (mut cases, mut problems) = (Vec::new(), Vec::new());
    let root = home.scripts().join("tests");
    let mut files = Vec::new();
    for folder in entries(home, &root, &mut problems) {
        let name = home.name(&folder);
        if folder.is_dir() {
            files.extend(entries(home, &folder, &mut problems));
        } else if folder
            .extension()
            .is_some_and(|ending| ending == "yaml" || ending == "yml")
        {
            problems.push(whole(
                &name,
                "is not read here; move it into the folder of its PMS, such as scripts/tests/yardi",
            ));
        }
    }
    for path in files {
        let file = home.name(&path);
        let (Some(stem), Some(folder)) = (
            text_of(path.file_stem()),
            text_of(path.parent().and_then(Path::file_name)),
        ) else {
            continue;
        };
        let name = format!("{folder}/{stem}");
        if filter.is_some_and(|filter| !name.contains(filter)) {
            continue;
        }
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("yaml") => match read(&path, &file, &name, folder) {
                Ok(case) => cases.push(case),
                Err(found) => problems.extend(found),
            },
            Some("yml") => problems.push(whole(&file, "is not read; rename it to end in .yaml")),
            _ => {}
        }
    }
    (cases, problems)
}

/// What is in a folder, by name, without what editors leave behind.
fn entries(home: &Home, folder: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(folder).and_then(|entries| {
        entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect()
    });
    let mut paths: Vec<PathBuf> = match listed {
        Ok(paths) => paths,
        // A home may have no cases.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            problems.push(whole(
                &home.name(folder),
                format!("cannot be read: {error}"),
            ));
            return Vec::new();
        }
    };
    paths.retain(|path| text_of(path.file_name()).is_some_and(|name| !name.starts_with('.')));
    paths.sort();
    paths
}

fn text_of(name: Option<&std::ffi::OsStr>) -> Option<&str> {
    name.and_then(std::ffi::OsStr::to_str)
}

fn whole(file: &Path, message: impl Into<String>) -> Problem {
    Problem {
        file: file.to_owned(),
        place: None,
        field: String::new(),
        message: message.into(),
        code: Code::File,
    }
}

fn read(path: &Path, file: &Path, name: &str, folder: &str) -> Result<Case, Vec<Problem>> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| vec![whole(file, format!("cannot be read: {error}"))])?;
    let document = Document::parse(file, text.strip_prefix('\u{feff}').unwrap_or(&text))?;
    let written: Written = document.read()?;
    let mut problems = Vec::new();
    if written.version != 1 {
        let message = format!("this epms reads version 1, not {}", written.version);
        problems.push(document.problem("version", message));
    }
    let records = records(&written, path, &document).unwrap_or_else(|problem| {
        problems.push(problem);
        Vec::new()
    });
    if !problems.is_empty() {
        return Err(problems);
    }
    let lookups: Lookups = written
        .ctx
        .lookups
        .into_iter()
        .map(|(request, records)| {
            let records = records
                .into_iter()
                .map(|(key, record)| (key, record.to_string()));
            (request, records.collect())
        })
        .collect();
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
            fields: written.ctx.fields,
            lookups: Arc::new(lookups),
        }),
        expect: written.expect,
    })
}

/// The records of a case as JSON texts, wherever it has them.
fn records(written: &Written, case: &Path, document: &Document) -> Result<Vec<Box<str>>, Problem> {
    let of_file = [
        ("path", written.path.is_some()),
        ("inner", written.inner.is_some()),
        ("delimiter", written.delimiter.is_some()),
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
        (None, Some(Value::String(name))) => from_file(written, name, case, document),
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

fn from_file(
    written: &Written,
    name: &str,
    case: &Path,
    document: &Document,
) -> Result<Vec<Box<str>>, Problem> {
    let beside = Path::new(name);
    if !beside
        .components()
        .all(|part| matches!(part, Component::Normal(_)))
    {
        return Err(document.problem("records", "is no file beside the case; write its name"));
    }
    let path = case.with_file_name(beside);
    let unreadable = |error: std::io::Error| {
        document.problem("records", format!("`{name}` cannot be read: {error}"))
    };
    if std::fs::metadata(&path).map_err(unreadable)?.len() > MAX_ANSWER {
        let message = format!(
            "`{name}` is larger than {} MiB; keep the records that matter",
            MAX_ANSWER >> 20
        );
        return Err(document.problem("records", message));
    }
    let body = std::fs::read(&path).map_err(unreadable)?;
    let at = |field: &str, path: &str| {
        source::Path::parse(path).map_err(|message| document.problem(field, message))
    };
    let records = at("path", written.path.as_deref().unwrap_or_default())?;
    let mut shape = Shape::new(written.format, records);
    if let Some(inner) = &written.inner {
        shape = shape.inside(inner.format, at("inner.path", &inner.path)?);
    }
    if let Some(delimiter) = written.delimiter {
        let one = u8::try_from(delimiter)
            .ok()
            .filter(|byte| byte.is_ascii() && !b"\"\r\n".contains(byte));
        let Some(one) = one else {
            let message = "cannot separate columns; write one such as \";\"";
            return Err(document.problem("delimiter", message));
        };
        shape = shape.separated_by(one);
    }
    source::records_of(&shape, &body)
        .map_err(|message| document.problem("records", format!("`{name}`: {message}")))
}

impl Case {
    /// What it is called: its folder and its file without the ending.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The script it is about, by its name in `scripts/`.
    pub fn script(&self) -> &str {
        &self.script
    }

    /// Its file, relative to the home.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Its records, as JSON texts.
    pub(super) fn records(&self) -> impl Iterator<Item = &str> {
        self.records.iter().map(AsRef::as_ref)
    }

    /// The records of its lookups, as JSON texts.
    pub(super) fn looked_up(&self) -> impl Iterator<Item = &str> {
        self.context.looked_up()
    }

    /// Whether its records are a recorded answer.
    pub(super) fn is_recorded(&self) -> bool {
        self.recorded
    }

    /// What the script may know besides a record.
    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// The PMS's status words that its expected residents have.
    pub fn status_words(&self) -> impl Iterator<Item = &str> {
        self.expect
            .residents
            .iter()
            .map(|resident| resident.status_word.as_str())
    }

    /// Compiles the script and runs the case.
    pub fn run(&self, library: &Library) -> CaseOutcome {
        match Script::compile(library, &self.script) {
            Ok(script) => self.run_with(&script),
            Err(problems) => self.outcome(
                problems
                    .iter()
                    .map(|problem| format!("+ {problem}"))
                    .collect(),
            ),
        }
    }

    /// Runs the case with a script that is compiled already.
    pub fn run_with(&self, script: &Script) -> CaseOutcome {
        let mut found = Found::default();
        for record in &self.records {
            self.map(script, record, &mut found);
        }
        self.outcome(difference(&self.expect, &found))
    }

    /// As in a run: an error of `residents` rejects the record, one of `exclude` that resident alone.
    fn map(&self, script: &Script, record: &str, found: &mut Found) {
        let mapped = match script.residents(record, &self.context) {
            Ok(mapped) => mapped,
            Err(error) => return found.errors.push(error),
        };
        for one in mapped {
            match script.exclude(&one, &self.context) {
                Ok(Some(reason)) => found.excluded.push(Excluded {
                    id: one.resident.id,
                    reason,
                }),
                Ok(None) => found.residents.push(one.resident),
                Err(error) => found.errors.push(error),
            }
        }
    }

    fn outcome(&self, diff: Vec<String>) -> CaseOutcome {
        CaseOutcome {
            name: self.name.clone(),
            file: self.file.clone(),
            passed: diff.is_empty(),
            diff,
        }
    }
}
