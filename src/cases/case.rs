//! One mapping test: what it expects, and running it. How it is written is in `written`; what is different is told by
//! `difference`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::Problem;
use crate::rules::expected;
use crate::script::{Library, Script};

use super::contexts::Contexts;
use super::difference::difference;
use super::granted::{self, Granted};
use super::judged::Answered;
use super::mapped::{Mapped, Printed, map, map_as_given};
use super::recording::expectations;
use super::written::Expect;

/// One mapping test, read and ready to run.
#[derive(Debug, Clone)]
pub struct Case {
    pub(super) name: String,
    pub(super) file: PathBuf,
    pub(super) script: String,
    pub(super) records: Vec<Box<str>>,
    /// A person of whom a target's script makes grants, in place of records.
    pub(super) person: Option<Box<str>>,
    /// That they stand in a file: an answer of the PMS.
    pub(super) recorded: bool,
    pub(super) contexts: Contexts,
    /// An answer to judge, in place of records to map.
    pub(super) answer: Option<Answered>,
    /// Emails that stand for 'none'.
    pub(super) placeholders: Arc<[String]>,
    pub(super) expect: Expect,
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
    /// What the script printed, record by record.
    pub printed: Vec<Printed>,
}

impl CaseOutcome {
    /// Of the files of cases that cannot be read, each once, what is wrong with them.
    pub fn unreadable(problems: &[Problem]) -> Vec<CaseOutcome> {
        let mut by_file: BTreeMap<&Path, Vec<&Problem>> = BTreeMap::new();
        for problem in problems {
            by_file.entry(&problem.file).or_default().push(problem);
        }
        let outcomes = by_file.into_iter().map(|(file, problems)| {
            let named = file.strip_prefix("scripts/tests").unwrap_or(file);
            CaseOutcome {
                name: named.with_extension("").display().to_string(),
                file: file.to_owned(),
                passed: false,
                diff: wrong(problems),
                printed: Vec::new(),
            }
        });
        outcomes.collect()
    }

    /// What did not come out as expected, on one line and without a value: who, and which fields.
    pub fn brief(&self) -> String {
        /// So many are told.
        const TOLD: usize = 3;
        let mut parts: Vec<(&str, Vec<&str>)> = Vec::new();
        for line in &self.diff {
            let field = line.trim_start().strip_prefix(['-', '+']);
            match (line.starts_with(' '), field, parts.last_mut()) {
                (true, Some(field), Some((heading, fields))) => {
                    // Of an error, all that is known.
                    let end = if *heading == "error" {
                        None
                    } else {
                        field.find(':')
                    };
                    let field = field
                        .get(..end.unwrap_or(field.len()))
                        .unwrap_or(field)
                        .trim();
                    if !fields.contains(&field) {
                        fields.push(field);
                    }
                }
                _ => parts.push((line.trim_end_matches(':'), Vec::new())),
            }
        }
        let more = parts.len().saturating_sub(TOLD);
        let told: Vec<String> = parts
            .iter()
            .take(TOLD)
            .map(|(heading, fields)| match fields.as_slice() {
                [] => (*heading).to_owned(),
                _ if heading.contains(':') || heading.contains(" not expected") => {
                    (*heading).to_owned()
                }
                fields => format!("{heading}: {}", fields.join(", ")),
            })
            .collect();
        let more = match more {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        format!("{}{more}", told.join("; "))
    }
}

/// What is wrong with files that a case needs, as what came in place of what is expected.
fn wrong<'a>(problems: impl IntoIterator<Item = &'a Problem>) -> Vec<String> {
    let problems = problems.into_iter();
    problems.map(|problem| format!("+ {problem}")).collect()
}

/// What to tell of a case that is about a script of the other kind.
fn other_kind(script: &Script) -> Vec<String> {
    let told = if script.is_of_target() {
        "is one of a target: it gives what is `wanted` for a `person` or `held` in a `record`, and no residents"
    } else {
        "is one of a PMS: it gives `residents` of records, and has no functions `wanted` and `held`"
    };
    vec![
        "script:".to_owned(),
        format!("  + {} {told}", script.file().display()),
    ]
}

/// Runs cases, each script compiled once.
pub fn run(cases: &[Case], library: &Library) -> Vec<CaseOutcome> {
    let mut scripts: BTreeMap<&str, Result<Script, Vec<Problem>>> = BTreeMap::new();
    let mut outcomes = Vec::with_capacity(cases.len());
    for case in cases {
        let script = scripts
            .entry(case.script())
            .or_insert_with(|| Script::compile(library, case.script()));
        outcomes.push(match script {
            Ok(script) => case.run_with(script),
            Err(problems) => case.broken(problems),
        });
    }
    outcomes
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

    /// Whether it is about this script.
    pub fn is_about(&self, script: &Script) -> bool {
        let name = self.script.strip_suffix(".rhai").unwrap_or(&self.script);
        script.file() == Path::new("scripts").join(format!("{name}.rhai"))
    }

    /// Its file, relative to the home.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Its records, as JSON texts.
    pub fn records(&self) -> impl Iterator<Item = &str> {
        self.records.iter().map(AsRef::as_ref)
    }

    /// The records of its lookups, as JSON texts.
    pub(super) fn looked_up(&self) -> impl Iterator<Item = &str> {
        self.contexts.of_all().looked_up()
    }

    /// Whether its records are a recorded answer.
    pub(super) fn is_recorded(&self) -> bool {
        self.recorded
    }

    /// What the script may know besides its records.
    pub(super) fn contexts(&self) -> &Contexts {
        &self.contexts
    }

    /// Whether it is about an answer, and there is nothing to map.
    pub fn is_about_an_answer(&self) -> bool {
        self.answer.is_some()
    }

    /// Whether it is about what a person should have at a target.
    pub fn is_about_a_person(&self) -> bool {
        self.person.is_some()
    }

    /// The person that it is about, in place of records, as a JSON text.
    pub(super) fn person(&self) -> Option<&str> {
        self.person.as_deref()
    }

    /// The answer that it is about, in place of records.
    pub(super) fn answer(&self) -> Option<&Answered> {
        self.answer.as_ref()
    }

    /// What came out, as a case says it; none where it cannot be said.
    pub(super) fn expectations(&self, script: &Script) -> Option<String> {
        match &self.answer {
            Some(answer) => answer.expectations(script, self.contexts.of_all()),
            None if self.is_of_other_kind(script) => None,
            None if script.is_of_target() => Some(granted::expectations(
                &self.granted(script),
                self.person.is_some(),
                self.records.len() == 1,
            )),
            None => Some(expectations(&self.map(script))),
        }
    }

    /// The PMS's status words that its expected residents have.
    pub fn status_words(&self) -> impl Iterator<Item = &str> {
        self.expect
            .residents
            .iter()
            .map(|resident| resident.status_word.as_str())
    }

    /// What comes of it when its script does not compile.
    fn broken(&self, problems: &[Problem]) -> CaseOutcome {
        self.outcome(wrong(problems), Vec::new())
    }

    /// Runs the case with a script that is compiled already. What is expected may be written as the PMS writes it: it is
    /// compared in the normal forms.
    pub fn run_with(&self, script: &Script) -> CaseOutcome {
        if let Some(answer) = &self.answer {
            let context = self.contexts.of_all();
            let diff = answer.difference(&self.expect, script, context, false);
            return self.outcome(diff, Vec::new());
        }
        if self.is_of_other_kind(script) {
            return self.outcome(other_kind(script), Vec::new());
        }
        if script.is_of_target() {
            let granted = self.granted(script);
            let diff = granted::difference(&self.expect, &granted);
            return self.outcome(diff, granted.printed);
        }
        let residents = self.expect.residents.iter().cloned();
        let country = self.contexts.of_all().country();
        let expect = Expect {
            residents: residents
                .map(|one| expected(one, country, &self.placeholders))
                .collect(),
            ..self.expect.clone()
        };
        let mapped = self.map(script);
        self.outcome(difference(&expect, &mapped), mapped.printed)
    }

    /// Whether it passes without the normal forms, and whatever a run would be: earlier versions compared residents so, as
    /// the script gives them, and answers by their verdict.
    pub fn passes_as_given(&self, script: &Script) -> bool {
        if let Some(answer) = &self.answer {
            let context = self.contexts.of_all();
            let diff = answer.difference(&self.expect, script, context, true);
            return diff.is_empty();
        }
        if script.is_of_target() || self.is_of_other_kind(script) {
            return self.run_with(script).passed;
        }
        let mut given = map_as_given(script, self.records(), &self.contexts);
        given.incomplete = given
            .incomplete
            .filter(|_| self.expect.incomplete.is_some());
        difference(&self.expect, &given).is_empty()
    }

    /// What the script makes of its records.
    pub fn map(&self, script: &Script) -> Mapped {
        let placeholders = &self.placeholders;
        map(script, self.records(), &self.contexts, placeholders)
    }

    /// What the script of a target makes of its person or its records.
    pub fn granted(&self, script: &Script) -> Granted {
        let context = self.contexts.of_all();
        match &self.person {
            Some(person) => granted::wanted(script, person, context),
            None => granted::held(script, self.records(), context),
        }
    }

    /// Whether it is one of a target and the script is not, or the other way round.
    pub fn is_of_other_kind(&self, script: &Script) -> bool {
        let expect = &self.expect;
        if self.answer.is_some() {
            false
        } else if script.is_of_target() {
            let is_mapped = !expect.residents.is_empty() || !expect.excluded.is_empty();
            is_mapped || expect.incomplete.is_some() || self.contexts.has_property()
        } else {
            self.person.is_some() || expect.held.is_some()
        }
    }

    fn outcome(&self, diff: Vec<String>, printed: Vec<Printed>) -> CaseOutcome {
        CaseOutcome {
            name: self.name.clone(),
            file: self.file.clone(),
            passed: diff.is_empty(),
            diff,
            printed,
        }
    }
}
