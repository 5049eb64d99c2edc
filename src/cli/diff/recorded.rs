//! What files would change, on recorded answers of made-up people: both homes are loaded here, and no daemon is asked.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use crate::cases::{self, Case, Replay};
use crate::catalog::{self, Catalog, Integration};
use crate::cli::{Exit, Failure};
use crate::config::Home;
use crate::daemon::{Recorded, rehearse};
use crate::model::{IntegrationId, Problems};
use crate::script::Lookups;

use super::{Failed, Report, Tried, is_wanted, missing};

/// The files of `home` and of `with` held against each other on what lies at `records`.
pub(super) fn report(
    home: &Home,
    with: &Home,
    records: &Path,
    asked: &[IntegrationId],
) -> Result<Report, Failure> {
    let now = Timestamp::now();
    let (base, other) = (
        catalog::load(home, None, now),
        catalog::load(with, None, now),
    );
    let cases = recorded(home, records)?;
    let mut report = Report::default();
    let has = |catalog: &Catalog, id: &IntegrationId| catalog.integrations.contains_key(id);
    let ids = other.integrations.keys().filter(|id| is_wanted(asked, id));
    report.new = ids.filter(|id| !has(&base, id)).cloned().collect();
    let mut rehearsed = 0;
    for id in base.integrations.keys().filter(|id| is_wanted(asked, id)) {
        if !has(&other, id) {
            report.gone.push(id.clone());
            continue;
        }
        let found = loaded(&base, id).and_then(|runs| Ok((runs, loaded(&other, id)?)));
        let (runs, with) = match found {
            Ok(found) => found,
            Err(why) => {
                report.failed.push(Failed {
                    integration: id.clone(),
                    why,
                    invalid: true,
                });
                continue;
            }
        };
        let all = readings(&cases, &runs);
        rehearsed += all.len();
        for reading in all {
            report.integrations.push(on_one(&runs, &with, reading)?);
        }
    }
    missing_records(rehearsed, &report, records)?;
    missing(asked, &report)?;
    Ok(report)
}

/// Where no answer is of any integration, nothing was looked at, which is not the same as no difference.
fn missing_records(rehearsed: usize, report: &Report, records: &Path) -> Result<(), Failure> {
    let is_anything =
        !report.failed.is_empty() || !report.new.is_empty() || !report.gone.is_empty();
    if rehearsed > 0 || is_anything {
        return Ok(());
    }
    Err(Failure::other(
        Exit::Invalid,
        format!(
            "nothing at {} is an answer to what an integration here reads; `epms record INTEGRATION --out DIR` makes some",
            records.display()
        ),
    ))
}

fn loaded(catalog: &Catalog, id: &IntegrationId) -> Result<Arc<Integration>, String> {
    let slot = catalog.integrations.get(id);
    let slot = slot.ok_or_else(|| format!("there is no integration `{id}`"))?;
    let problems = || Problems(slot.problems.clone()).to_string();
    slot.current.clone().ok_or_else(problems)
}

/// The cases at a path: that of its file, or those of all files in the folder and the folders in it.
fn recorded(home: &Home, path: &Path) -> Result<Vec<(String, Case)>, Failure> {
    let mut files = Vec::new();
    if path.is_dir() {
        yaml_in(path, 2, &mut files)?;
    } else {
        files.push(path.to_owned());
    }
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let case = cases::open(home, &file).map_err(|found| Failure::Config(Problems(found)))?;
        let folder = file.parent().and_then(Path::file_name);
        let folder = folder.map(|name| name.to_string_lossy().into_owned());
        cases.push((folder.unwrap_or_default(), case));
    }
    Ok(cases)
}

fn yaml_in(
    folder: &Path,
    deep: usize,
    files: &mut Vec<std::path::PathBuf>,
) -> Result<(), std::io::Error> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && deep > 0 {
            yaml_in(&path, deep - 1, files)?;
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            files.push(path);
        }
    }
    Ok(())
}

/// The readings for an integration: those in a folder of its name, else all that its script maps. Answers of one
/// recording are one reading.
fn readings(cases: &[(String, Case)], of: &Integration) -> Vec<Vec<Replay>> {
    let is_own = |folder: &str| folder == of.id.as_str();
    let has_own = cases.iter().any(|(folder, _)| is_own(folder));
    let mine = cases
        .iter()
        .filter(|(folder, _)| !has_own || is_own(folder));
    let mut readings: Vec<Vec<Replay>> = Vec::new();
    for replay in mine.filter_map(|(_, case)| Replay::of(case, &of.script)) {
        let goes_with = |reading: &&mut Vec<Replay>| {
            let first = reading.first();
            first.is_some_and(|first| stem(first) == stem(&replay) && first.goes_with(&replay))
        };
        match readings.iter_mut().find(goes_with) {
            Some(reading) => reading.push(replay),
            None => readings.push(vec![replay]),
        }
    }
    readings
}

/// How the files of a recording begin: `epms record` writes `NAME-REQUEST-N.yaml`.
fn stem(replay: &Replay) -> String {
    let request = replay.records.first().map(|record| record.request.as_ref());
    let cut = request.and_then(|request| replay.name.find(&format!("-{request}")));
    replay
        .name
        .get(..cut.unwrap_or(replay.name.len()))
        .unwrap_or_default()
        .to_owned()
}

fn on_one(
    runs: &Arc<Integration>,
    with: &Arc<Integration>,
    reading: Vec<Replay>,
) -> Result<Tried, Failure> {
    let failed = |told: String| Failure::other(Exit::Failed, told);
    let first = reading.first();
    let first = first.ok_or_else(|| failed("a reading has no answers".into()))?;
    let (name, properties, today) = (stem(first), first.properties.clone(), first.today);
    let mut lookups = Lookups::new();
    for (request, property, records) in reading.iter().flat_map(|one| one.lookups.iter()) {
        for (key, record) in records {
            lookups.put(request, property, key.clone(), record.clone());
        }
    }
    let recorded = Recorded {
        records: reading.into_iter().flat_map(|one| one.records).collect(),
        lookups,
        today,
    };
    let (runs, with) = (runs.reading(&properties), with.reading(&properties));
    let difference = rehearse(&runs, &with, &recorded);
    let difference = difference.map_err(|error| failed(format!("{name}: {error}")))?;
    Ok(Tried {
        records: Some(name),
        difference,
    })
}
