//! The cases of a home for `epms check`: files of cases that cannot be read; and a script held against the records of its
//! cases, where recorded answers are among them: names that it reads and that no record has, words of status that it does
//! not know. Runs no case.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::config::Home;
use crate::model::{Code, LeaseStatus, Problem};
use crate::script::{Library, Script};

use super::case::Case;
use super::load;
use super::person;

/// What is wrong with the cases of a home, and suspicious about its scripts. A script without a recorded answer is not
/// judged, and one that does not compile is told of elsewhere.
pub fn recorded(home: &Home) -> Vec<Problem> {
    let library = Library::read(home.root());
    let (cases, mut found) = load(home, None);
    let mut of: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
    for case in &cases {
        of.entry(case.script()).or_default().push(case);
    }
    for (name, cases) in of {
        if !cases.iter().any(|case| case.is_recorded()) {
            continue;
        }
        let Ok(script) = Script::compile(&library, name) else {
            continue;
        };
        found.extend(unread(&script, &cases));
        if script.is_of_target() {
            continue;
        }
        found.extend(
            cases
                .iter()
                .filter(|case| case.is_recorded())
                .flat_map(|case| unknown(&script, case)),
        );
    }
    found
}

/// Names that the script reads and that stand in no record.
fn unread(script: &Script, cases: &[&Case]) -> Vec<Problem> {
    let mut sent = BTreeSet::new();
    for record in cases
        .iter()
        .flat_map(|case| case.records().chain(case.looked_up()))
    {
        if let Ok(record) = serde_json::from_str::<Value>(record) {
            names(&record, &mut sent);
        }
    }
    if script.is_of_target()
        && let Ok(person) = serde_json::from_str::<Value>(&person::whole())
    {
        names(&person, &mut sent);
    }
    let is_sent = |path: &str| {
        path.split('/')
            .filter(|part| part.parse::<usize>().is_err())
            .all(|part| sent.contains(part))
    };
    script
        .names_read()
        .iter()
        .filter(|(name, _)| !is_sent(name))
        .map(|(name, place)| Problem {
            file: script.file(),
            place: Some(*place),
            field: name.clone(),
            message: "no recorded answer and no mapping test has it; if the PMS sends it, add a case that shows it"
                .into(),
            code: Code::UnreadField,
        })
        .collect()
}

fn names(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if !found.contains(name) {
                    found.insert(name.clone());
                }
                names(value, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| names(value, found)),
        _ => {}
    }
}

/// Words of status in a recorded answer that the script does not know.
fn unknown(script: &Script, case: &Case) -> Vec<Problem> {
    let words: BTreeSet<String> = case
        .records()
        .filter_map(|record| script.residents(record, &case.contexts().of(record)?).ok())
        .flatten()
        .flatten()
        .filter(|mapped| mapped.resident.status == LeaseStatus::Unknown)
        .map(|mapped| mapped.resident.status_word)
        .collect();
    words
        .into_iter()
        .map(|word| Problem {
            file: case.file().to_owned(),
            place: None,
            field: "records".into(),
            message: format!(
                "the script does not know the status `{word}` of this answer; add it to the script's table"
            ),
            code: Code::UnknownStatus,
        })
        .collect()
}
