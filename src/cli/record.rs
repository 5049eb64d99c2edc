//! `epms record`: the PMS's answers as test fixtures, about made-up people. It reads the PMS as a sync would, and writes
//! nothing but files. What is made up, and how, is in `cases`.

use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::cases::{self, Fixture, Recording};
use crate::config::{Home, is_name};
use crate::model::{IntegrationId, Problems};
use crate::script::Library;
use crate::setup::asking::{Asking, read};
use crate::source::{Heard, Reader};

use super::discover::find;
use super::status::number;
use super::table::{Cell, Column, Table};
use super::view::View;
use super::{Exit, Failure, Screen};

/// What to record, and where to.
#[derive(Debug, Args)]
#[command(after_help = "\
asks the PMS itself, with the integration's credential, and writes each answer
beside a mapping test of it. names, emails, phones, addresses, ids and any
other text become made-up ones of the same form, equal ones where they were
equal; dates, statuses, short numbers and the words that the script knows
stay. `record: { personal: […], keep: […] }` in the connector's file says
otherwise for some fields. each recording makes them up anew. read the files
before you give them away

examples
  epms record 123-building-name --out scripts/tests/yardi
  epms record 123-building-name --out /tmp/seen --limit 20 --name after-the-upgrade")]
pub struct RecordArguments {
    /// the integration: the name of a file in config/integrations, without .yaml
    #[arg(value_name = "INTEGRATION", value_parser = super::integration_id)]
    pub integration: IntegrationId,
    /// the folder that the files go to; tests are run from scripts/tests/PMS
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// how the files' names begin
    #[arg(long, value_name = "NAME", default_value = "recorded")]
    pub name: String,
    /// no more than so many records of an answer: a test is to be read
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: usize,
}

#[derive(Serialize)]
struct Report {
    folder: PathBuf,
    files: Vec<Told>,
    /// That `epms test` runs them where they are.
    runs: bool,
}

#[derive(Serialize)]
struct Told {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<usize>,
    /// How many the PMS sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    residents: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    excluded: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<usize>,
}

pub(super) async fn run(
    arguments: &RecordArguments,
    json: bool,
    home: &Home,
    current: &Path,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    if !is_name(&arguments.name) {
        let told = "--name: use lower-case letters, digits, `-`, `_` and `.` only";
        return Err(Failure::other(Exit::Invalid, told));
    }
    let failed = |told: String| Failure::other(Exit::Failed, told);
    let now = Timestamp::now();
    let integration = find(&arguments.integration, home, now)?;
    let asking = Asking::of(&integration, now);
    let library = Library::read(home.root());
    let (listener, heard) = mpsc::unbounded_channel();
    let reader = Reader::new()
        .map_err(|error| failed(error.to_string()))?
        .heard_by(listener);
    let account = asking.account(&reader).map_err(failed)?;
    let scope = asking.scope();
    let lookups = asking.source.lookups().map(|(request, _)| request);
    let asked = lookups.filter(|request| asking.script.asks(request));
    let mut all_read = Ok(());
    for request in asking.source.feeds().chain(asked) {
        let came = read(&reader, asking.source, &account, request, &scope).await;
        let is_feed = asking.source.feeds().any(|feed| feed == request);
        match came {
            // A run goes on without it, unless the script asks for it after all.
            Err(told) if !is_feed && !asking.script.lookups().contains_key(request) => {
                let told =
                    format!("`{request}` is not recorded, which the script may ask or not: {told}");
                screen.complain(&told)?;
            }
            came => all_read = came.map(drop),
        }
        if all_read.is_err() {
            break;
        }
    }
    if let Err(told) = asking.leave(&reader).await {
        screen.complain(&told)?;
    }
    all_read.map_err(|error| failed(error.to_string()))?;
    drop(reader);
    let heard = all(heard).await;
    if heard.is_empty() {
        return Err(failed(
            "the PMS has no records in the attached properties; there is nothing to record".into(),
        ));
    }
    let recording = Recording {
        name: &arguments.name,
        script: asking.script,
        library: &library,
        source: asking.source,
        integration: asking.config,
        placeholders: &integration.placeholder_emails,
        today: asking.today,
        key: random()?,
        most: Some(arguments.limit),
    };
    let fixtures = cases::fixtures(&recording, &heard).map_err(failed)?;
    if let Some(one) = fixtures.iter().find(|one| account.stands_in(&one.text)) {
        let told = format!(
            "a secret of the credential stands in {}; nothing was written",
            one.file
        );
        return Err(failed(told));
    }
    let folder = current.join(&arguments.out);
    prove(&fixtures, home, &integration.script)?;
    write(&folder, &fixtures)?;
    let report = Report {
        runs: folder.parent() == Some(&home.scripts().join("tests")),
        folder: arguments.out.clone(),
        files: fixtures.into_iter().map(Told::from).collect(),
    };
    screen.show(json, &report, |report, view| told(report, arguments, view))?;
    Ok(Exit::Done)
}

async fn all(mut heard: mpsc::UnboundedReceiver<Heard>) -> Vec<Heard> {
    let mut all = Vec::new();
    while let Some(answer) = heard.recv().await {
        all.push(answer);
    }
    all
}

/// What is made up must not be guessed from what is known.
fn random() -> Result<[u8; 32], Failure> {
    let mut key = [0; 32];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut key));
    read.map_err(|error| {
        Failure::other(
            Exit::OutOfReach,
            format!("the system gives no random numbers: {error}"),
        )
    })?;
    Ok(key)
}

/// Writes all files, or none where one is there already.
fn write(folder: &Path, fixtures: &[Fixture]) -> Result<(), Failure> {
    let failed = |path: &Path, error: std::io::Error| {
        Failure::other(
            Exit::Failed,
            format!("cannot write {}: {error}", path.display()),
        )
    };
    for one in fixtures {
        let path = folder.join(&one.file);
        if path.symlink_metadata().is_ok() {
            let told = format!(
                "{} is there already; remove it, or take another --name",
                path.display()
            );
            return Err(Failure::other(Exit::Invalid, told));
        }
    }
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    for one in fixtures {
        let path = folder.join(&one.file);
        std::fs::write(&path, &one.text).map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

/// Runs what is to be written as `epms test` will, in a folder of its own.
fn prove(fixtures: &[Fixture], home: &Home, script: &crate::script::Script) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    write(folder.path(), fixtures)?;
    for one in fixtures.iter().filter(|one| one.test.is_some()) {
        let case = cases::open(home, &folder.path().join(&one.file));
        let wrong = match case.map(|case| case.run_with(script)) {
            Ok(outcome) if outcome.passed => continue,
            Ok(outcome) => outcome.brief(),
            Err(found) => Problems(found).to_string(),
        };
        let told = format!(
            "{} could not be used, and nothing was written; try a lower --limit\n  {wrong}",
            one.file
        );
        return Err(Failure::other(Exit::Failed, told));
    }
    Ok(())
}

impl From<Fixture> for Told {
    fn from(fixture: Fixture) -> Told {
        let counts = fixture.test;
        Told {
            file: fixture.file,
            records: counts.map(|counts| counts.records),
            of: counts.map(|counts| counts.of),
            residents: counts.map(|counts| counts.residents),
            excluded: counts.map(|counts| counts.excluded),
            errors: counts.map(|counts| counts.errors),
        }
    }
}

fn told(report: &Report, arguments: &RecordArguments, view: &View) -> String {
    let mut table = Table::new([
        ("WRITTEN", Column::Cut),
        ("RECORDS", Column::Number),
        ("RESIDENTS", Column::Number),
        ("LEFT OUT", Column::Number),
        ("NOT MAPPED", Column::Number),
    ]);
    for one in &report.files {
        let number = |count: Option<usize>| count.map_or_else(String::new, |n| n.to_string());
        table.row([
            Cell::id(&one.file),
            match (one.records, one.of) {
                (Some(records), Some(of)) if records < of => format!("{records} of {of}").into(),
                (records, _) => number(records).into(),
            },
            number(one.residents).into(),
            number(one.excluded).into(),
            number(one.errors).into(),
        ]);
    }
    let mut text = table.render(view);
    let _ = writeln!(
        text,
        "\n{} in {}; whom they name is made up. read them before you give them away",
        number(report.files.len() as u64, "file", "files"),
        report.folder.display()
    );
    let pms = report
        .folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    if report.runs {
        let _ = writeln!(text, "next: epms test {pms}/{}", arguments.name);
    } else {
        text += "`epms test` runs them when they lie in scripts/tests/PMS\n";
    }
    text
}
