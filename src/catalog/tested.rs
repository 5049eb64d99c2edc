//! What the mapping tests of a home say about a script, where `reload.require_tests` asks. What a test says is in
//! `cases`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::cases::{self, Case};
use crate::config::Home;
use crate::model::{Code, Problem};
use crate::script::Script;

/// The mapping tests of a home, read once for a load.
#[derive(Debug)]
pub(super) struct Tests {
    cases: Vec<Case>,
    unreadable: Vec<Problem>,
    /// What was found about scripts so far: several integrations share one.
    found: BTreeMap<PathBuf, Vec<Problem>>,
}

impl Tests {
    pub(super) fn read(home: &Home) -> Tests {
        let (cases, unreadable) = cases::load(home, None);
        Tests {
            cases,
            unreadable,
            found: BTreeMap::new(),
        }
    }

    /// Why a script may not come in: tests that fail, that cannot be read, or that are not there.
    pub(super) fn problems(&mut self, script: &Script) -> Vec<Problem> {
        let file = script.file();
        if !self.found.contains_key(&file) {
            let found = self.judge(script);
            self.found.insert(file.clone(), found);
        }
        self.found.get(&file).cloned().unwrap_or_default()
    }

    fn judge(&self, script: &Script) -> Vec<Problem> {
        let file = script.file();
        let name = file.file_stem().unwrap_or_default();
        let folder = PathBuf::from("scripts/tests").join(name);
        let unreadable = self.unreadable.iter();
        let mut found: Vec<Problem> = unreadable
            .filter(|problem| problem.file.starts_with(&folder))
            .cloned()
            .collect();
        let mut any = !found.is_empty();
        for case in self.cases.iter().filter(|case| case.is_about(script)) {
            any = true;
            let outcome = case.run_with(script);
            // A test that an earlier version let pass goes on letting the script in; `epms test` tells what a run makes of it.
            if !outcome.passed && !case.passes_as_given(script) {
                found.push(Problem {
                    message: format!(
                        "the test does not pass: {}; `epms test {}` shows how",
                        outcome.brief(),
                        outcome.name
                    ),
                    file: outcome.file,
                    place: None,
                    field: String::new(),
                    code: Code::Test,
                });
            }
        }
        if !any {
            let message = format!(
                "no mapping test is about it, and `reload.require_tests` asks for one; add {}/<case>.yaml",
                folder.display()
            );
            found.push(Problem {
                file,
                place: None,
                field: String::new(),
                message,
                code: Code::Test,
            });
        }
        found
    }
}
