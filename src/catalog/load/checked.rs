//! Everything that is wrong in a home, also where nothing uses it. Loads as the daemon does, and keeps nothing.

use jiff::Timestamp;

use crate::config::{Home, Limits};
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
        match loader.credential(&name) {
            Ok(file) => {
                let limits = Limits::default().lowered(&file.value.limits);
                let zeros = limits.zeros().into_iter().map(|key| {
                    let problem = file
                        .document
                        .problem(&format!("limits.{key}"), Limits::ZERO);
                    problem.coded(Code::Budget)
                });
                problems.extend(zeros);
            }
            Err(found) => problems.extend(found),
        }
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
