//! What no case of a home touches: functions of the scripts, and words of their status tables. Judges nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::script::{self, Library};

use super::case::Case;

/// How much of the scripts the cases touch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// How many functions there are, except `verdict`, which no case can reach.
    pub functions: usize,
    /// Those that no case runs.
    pub untested_functions: Vec<script::Function>,
    /// How many words the status tables have.
    pub status_words: usize,
    /// Those that no resident of a case has, with the script whose they are.
    pub untested_status_words: Vec<(PathBuf, String)>,
    /// Scripts that no case is about.
    pub untested_scripts: Vec<PathBuf>,
}

/// Runs all cases once more, on scripts that say which of their functions run. Scripts that do not compile are told of
/// elsewhere.
pub fn coverage(cases: &[Case], library: &Library) -> Coverage {
    let mut of: BTreeMap<&str, Vec<&Case>> = library
        .names()
        .filter(|name| !name.contains('/'))
        .map(|name| (name, Vec::new()))
        .collect();
    for case in cases {
        let name = case.script();
        let name = name.strip_suffix(".rhai").unwrap_or(name);
        of.entry(name).or_default().push(case);
    }
    let mut coverage = Coverage::default();
    let mut functions: BTreeMap<script::Function, bool> = BTreeMap::new();
    for (name, cases) in of {
        let Ok((script, reached)) = script::Coverage::of(library, name) else {
            continue;
        };
        if cases.is_empty() {
            coverage.untested_scripts.push(script.file());
            continue;
        }
        let mut words = BTreeSet::new();
        let mut judges = false;
        for case in cases {
            if let Some(answer) = case.answer() {
                judges = true;
                // What it means is for the case itself to judge.
                let _ = answer.alone(&script, case.contexts().of_all());
            }
            if let Some(person) = case.person() {
                let _ = script.wanted(person, case.contexts().of_all());
            }
            if script.is_of_target() {
                for record in case.records() {
                    let _ = script.held(record, case.contexts().of_all());
                }
                continue;
            }
            for record in case.records() {
                let Some(context) = case.contexts().of(record) else {
                    continue;
                };
                let residents = script.residents(record, &context);
                for one in residents.into_iter().flatten().flatten() {
                    words.insert(one.resident.status_word.trim().to_lowercase());
                    // What it says is for the case itself to judge.
                    let _ = script.exclude(&one, &context);
                }
            }
        }
        for (function, ran) in reached.functions() {
            // Cases about answers may all be left to the connector's rules.
            if judges || !function.signature.starts_with("verdict(") {
                *functions.entry(function.clone()).or_default() |= ran;
            }
        }
        let known = script.status_words();
        coverage.status_words += known.len();
        let untested = known
            .iter()
            .filter(|word| !words.contains(&word.trim().to_lowercase()));
        coverage
            .untested_status_words
            .extend(untested.map(|word| (script.file(), word.clone())));
    }
    coverage.functions = functions.len();
    coverage.untested_functions = functions
        .into_iter()
        .filter(|(_, ran)| !ran)
        .map(|(function, _)| function)
        .collect();
    coverage
}
