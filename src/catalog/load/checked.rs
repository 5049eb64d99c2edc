//! Everything that is wrong in a home, also where nothing uses it. Loads as the daemon does, and keeps nothing.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::{Credential, File, Home, Limits};
use crate::model::{Code, Holdings, Problem, Problems};

use super::super::budgets;
use super::super::properties::{Refusal, Why};
use super::Loader;

/// Everything that is wrong in a home, including what nothing uses yet.
pub fn check(home: &Home, now: Timestamp) -> Problems {
    let mut loader = Loader::new(home, None);
    let (catalog, refused) = loader.everything(None, &Holdings::new(), now);
    let short = budgets::too_short(&catalog);
    let asked = loader.asked(&catalog);
    let doubts = loader.doubts_of_targets(&catalog);
    let named = loader.named(&catalog.integrations);
    let mut problems = catalog.problems;
    problems.extend(named);
    problems.extend(asked);
    problems.extend(doubts);
    problems.extend(short.iter().filter_map(|short| loader.too_short(short)));
    problems.extend(
        catalog
            .integrations
            .into_values()
            .flat_map(|slot| slot.problems),
    );
    let targets = catalog.targets.into_values();
    problems.extend(targets.flat_map(|slot| slot.problems));
    // Which of two files is the wrong one, nobody knows who does not ask the store: it is told at both.
    let mirrored = refused.iter().filter_map(|refusal| match &refusal.why {
        Why::Taken { by, .. } => Some(Refusal {
            id: by.clone(),
            property: loader.written(by, &refusal.property),
            why: Why::Taken {
                by: refusal.id.clone(),
                with_people: false,
            },
        }),
        Why::Several { .. } | Why::GivenBack { .. } => None,
    });
    problems.extend(mirrored.map(|refusal| loader.refused(&refusal)));
    let credentials: Vec<String> = loader.files.credentials.keys().cloned().collect();
    for name in credentials {
        problems.extend(loader.credential(&name).err().unwrap_or_default());
    }
    for file in loader.files.credentials.values().flatten() {
        problems.extend(of_credential(file, now));
    }
    for rest in loader.files.rests.credentials.values() {
        problems.extend(rest.of_written(of_credential(&rest.file, now)));
    }
    let connectors: Vec<String> = loader.files.connectors.keys().cloned().collect();
    for name in connectors {
        match loader.source(&name) {
            Ok(source) => {
                problems.extend_from_slice(source.warnings());
                let found = match source.script() {
                    "" => Vec::new(),
                    script => loader.script(script).err().unwrap_or_default(),
                };
                // A script that is not there is wrong where it is named.
                if found.iter().any(|problem| problem.code == Code::Reference) {
                    problems.extend(loader.no_script(&name, source.script()));
                } else {
                    problems.extend(found);
                }
            }
            Err(found) => problems.extend(found),
        }
    }
    let scripts: Vec<String> = loader
        .library
        .names()
        .filter(|name| !name.contains('/'))
        .map(String::from)
        .collect();
    for name in scripts {
        match loader.script(&name) {
            Err(found) => problems.extend(found),
            Ok(script) => {
                // What a connector's version makes of one is told already.
                let told = |one: &Problem, other: &Problem| {
                    one.file == other.file
                        && one.place == other.place
                        && one.message == other.message
                };
                let warnings = script.warnings().iter();
                let new = warnings.filter(|one| !problems.iter().any(|other| told(one, other)));
                let new: Vec<Problem> = new.cloned().collect();
                problems.extend(new);
            }
        }
    }
    Problems(problems).sorted()
}

/// What of a credential may be right nonetheless.
fn of_credential(file: &File<Credential>, now: Timestamp) -> Vec<Problem> {
    let limits = Limits::default().lowered(&file.value.limits);
    let zeros = limits.zeros().into_iter().map(|key| {
        let document = &file.document;
        let problem = document.problem(&format!("limits.{key}"), Limits::ZERO);
        problem.coded(Code::Budget)
    });
    zeros.chain(expired(file, now)).collect()
}

/// That a credential's last day is past. What loads goes on loading: the PMS may take it all the same.
fn expired(file: &File<Credential>, now: Timestamp) -> Option<Problem> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let day = file.value.expired(today)?;
    let message = format!(
        "{day} is past: the credential is taken no more; ask whoever gave it for the next one, put its secret in the place of the old one, and write the new day here"
    );
    Some(
        file.document
            .problem("expires", message)
            .coded(Code::Expired),
    )
}
