//! `epms test`: the mapping tests in `scripts/tests`, and what none of them touches. What a test says is in `cases`.

mod junit;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::cases::{self, CaseOutcome, Coverage};
use crate::catalog;
use crate::config::Home;
use crate::model::Place;
use crate::script::{Library, Script};

use super::again::again;
use super::status::number;
use super::table::{Cell, Column, Table, Tone, clean};
use super::view::View;
use super::{Exit, Failure, Screen};

use junit::junit;

/// Which tests to run.
#[derive(Debug, Args)]
#[command(after_help = "\
a test is a file scripts/tests/PMS/CASE.yaml: a record, and what the script
must make of it; or an answer, and the verdict that the connector's rules or
the script's `verdict` must give; of a target, a person and what is wanted for
them, or a record and what is held. where something else comes, - is what the
test expects and + what came, and the command ends with 1; so it does where
a test's file cannot be read, while the others run. functions and
status words that no test touches are listed when all tests run. what a script
prints is shown of tests that fail, and of those that are asked for by name.
a name that fits none ends with 1. --accept shows the differences and writes
what came out into the tests: read them before you keep it

examples
  epms test
  epms test yardi/ --watch
  epms test yardi/household --accept
  epms test --junit mapping-tests.xml")]
pub struct TestArguments {
    /// only tests whose PMS/CASE contains this
    pub filter: Option<String>,
    /// run again at each save of a script, a test or a recorded answer
    #[arg(long)]
    pub watch: bool,
    /// write what came out as what is expected, in the tests that fail
    #[arg(long, conflicts_with = "watch")]
    pub accept: bool,
    /// also write the results as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

#[derive(Serialize)]
struct Results {
    passed: usize,
    failed: usize,
    /// How many did not pass, and expect now what came out.
    #[serde(skip_serializing_if = "is_none")]
    accepted: usize,
    cases: Vec<Ended>,
    /// What no test touches; only when all tests could be read and ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<Covered>,
}

#[derive(Serialize)]
struct Ended {
    name: String,
    file: PathBuf,
    passed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    diff: Vec<String>,
    /// That it expects now what came out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    accepted: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    printed: Vec<cases::Printed>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde asks it")]
fn is_none(number: &usize) -> bool {
    *number == 0
}

#[derive(Serialize)]
struct Covered {
    functions: usize,
    untested_functions: Vec<Function>,
    status_words: usize,
    untested_status_words: Vec<StatusWord>,
    untested_scripts: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Function {
    file: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Place>,
    signature: String,
}

#[derive(Serialize)]
struct StatusWord {
    file: PathBuf,
    word: String,
}

pub(super) async fn run(
    arguments: &TestArguments,
    json: bool,
    home: &Home,
    current: &Path,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let show = |screen: &mut Screen<'_>| {
        let results = results(arguments, home, current)?;
        let failed = results.failed;
        if arguments.watch && json {
            screen.line(&results)?;
        } else {
            let each = arguments.filter.is_some();
            screen.show(json, &results, |results, view| told(results, each, view))?;
        }
        Ok(if failed == 0 {
            Exit::Done
        } else {
            Exit::Failed
        })
    };
    if !arguments.watch {
        return show(screen);
    }
    let seen = async || catalog::fingerprint(home).await;
    again(vec![home.scripts()], screen, seen, show).await
}

fn results(arguments: &TestArguments, home: &Home, current: &Path) -> Result<Results, Failure> {
    let library = Library::read(home.root());
    let (cases, problems) = cases::load(home, arguments.filter.as_deref());
    if let Some(filter) = &arguments.filter
        && cases.is_empty()
        && problems.is_empty()
    {
        return Err(Failure::other(Exit::Failed, nothing_fits(filter, home)));
    }
    let mut ended = cases::run(&cases, &library);
    // One that cannot be read fails, and the others run.
    ended.extend(CaseOutcome::unreadable(&problems));
    if let Some(file) = &arguments.junit {
        std::fs::write(current.join(file), junit(&ended)).map_err(|error| {
            Failure::other(
                Exit::Failed,
                format!("cannot write {}: {error}", file.display()),
            )
        })?;
    }
    let coverage = arguments.filter.is_none() && !cases.is_empty() && problems.is_empty();
    let coverage = coverage.then(|| cases::coverage(&cases, &library).into());
    let mut ended: Vec<Ended> = ended.into_iter().map(Ended::from).collect();
    if arguments.accept {
        for (case, ended) in cases.iter().zip(&mut ended) {
            if !ended.passed {
                accept(home, case, &library, ended);
            }
        }
    }
    let accepted = ended.iter().filter(|case| case.accepted).count();
    let passed = ended.iter().filter(|case| case.passed).count();
    Ok(Results {
        passed,
        failed: ended.len() - passed - accepted,
        accepted,
        coverage,
        cases: ended,
    })
}

/// That no test is called so, and which there are.
fn nothing_fits(filter: &str, home: &Home) -> String {
    let (cases, _) = cases::load(home, None);
    let mut folders: BTreeMap<&str, u64> = BTreeMap::new();
    for case in &cases {
        let folder = case.name().split('/').next().unwrap_or_default();
        *folders.entry(folder).or_default() += 1;
    }
    let there: Vec<String> = folders
        .iter()
        .map(|(folder, count)| format!("{} of {folder}", number(*count, "test", "tests")))
        .collect();
    match there.as_slice() {
        [] => format!(
            "no mapping test fits `{filter}`: there is none yet; they are files scripts/tests/PMS/CASE.yaml"
        ),
        there => format!(
            "no mapping test has `{filter}` in its PMS/CASE; there are {}, in scripts/tests",
            there.join(", ")
        ),
    }
}

/// Lets a case expect what came out; where that cannot be, it says why among what is different.
fn accept(home: &Home, case: &cases::Case, library: &Library, ended: &mut Ended) {
    // A script that does not compile is told already.
    let Ok(script) = Script::compile(library, case.script()) else {
        return;
    };
    match cases::accept(home, case, &script) {
        Ok(()) => ended.accepted = true,
        Err(why) => ended.diff.push(format!("not accepted: {why}")),
    }
}

impl From<CaseOutcome> for Ended {
    fn from(outcome: CaseOutcome) -> Ended {
        let CaseOutcome {
            name,
            file,
            passed,
            diff,
            printed,
        } = outcome;
        Ended {
            name,
            file,
            passed,
            diff,
            accepted: false,
            printed,
        }
    }
}

impl From<Coverage> for Covered {
    fn from(coverage: Coverage) -> Covered {
        let function = |function: crate::script::Function| Function {
            file: function.file,
            place: function.place,
            signature: function.signature,
        };
        let functions = coverage.untested_functions.into_iter();
        let words = coverage.untested_status_words.into_iter();
        Covered {
            functions: coverage.functions,
            untested_functions: functions.map(function).collect(),
            status_words: coverage.status_words,
            untested_status_words: words
                .map(|(file, word)| StatusWord { file, word })
                .collect(),
            untested_scripts: coverage.untested_scripts,
        }
    }
}

/// What is wrong comes last, where it is seen: passed tests, then what is not covered, then what failed.
fn told(results: &Results, each: bool, view: &View) -> String {
    if results.cases.is_empty() {
        return "no mapping test fits; they are files scripts/tests/PMS/CASE.yaml\n".to_owned();
    }
    let mut text = if each {
        let passed = results.cases.iter().filter(|case| case.passed);
        passed
            .flat_map(|case| {
                let mut lines = vec![format!("ok  {}\n", case.name)];
                lines.extend(printed(case));
                lines
            })
            .collect()
    } else {
        folders(&results.cases, view)
    };
    let mut counts = format!("{} passed, {} failed", results.passed, results.failed);
    if results.accepted > 0 {
        let _ = write!(counts, ", {} accepted", results.accepted);
    }
    if let Some(covered) = &results.coverage {
        text += &untested(covered, view);
        let (functions, words) = (covered.functions, covered.status_words);
        let _ = write!(
            counts,
            "; {} of {} and {} of {} are covered",
            functions - covered.untested_functions.len(),
            number(functions as u64, "function", "functions"),
            words - covered.untested_status_words.len(),
            number(words as u64, "status word", "status words"),
        );
    }
    for case in results.cases.iter().filter(|case| !case.passed) {
        let _ = writeln!(
            text,
            "\n{} {}  {}",
            if case.accepted {
                "ACCEPTED".to_owned()
            } else {
                colored("FAILED", RED, view)
            },
            case.name,
            case.file.display()
        );
        for line in &case.diff {
            let line = clean(line);
            let color = match line.trim_start().as_bytes() {
                [b'-', b' ', ..] => RED,
                [b'+', b' ', ..] => GREEN,
                _ => "",
            };
            let _ = writeln!(text, "  {}", colored(&line, color, view));
        }
        text.extend(printed(case));
    }
    let _ = writeln!(text, "\n{counts}");
    text
}

/// What the script printed, a line for each.
fn printed(case: &Ended) -> impl Iterator<Item = String> {
    case.printed
        .iter()
        .map(|one| format!("  record {} printed: {}\n", one.record, clean(&one.text)))
}

const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";

fn colored(text: &str, color: &str, view: &View) -> String {
    if view.color && !color.is_empty() {
        format!("{color}{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// How the tests of each PMS ended.
fn folders(cases: &[Ended], view: &View) -> String {
    let mut of: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for case in cases {
        let folder = case.name.split('/').next().unwrap_or_default();
        let (passed, all) = of.entry(folder).or_default();
        *passed += usize::from(case.passed);
        *all += 1;
    }
    let mut table = Table::new([
        ("TESTS OF", Column::Whole),
        ("PASSED", Column::Number),
        ("FAILED", Column::Number),
    ]);
    for (folder, (passed, all)) in of {
        let tone = if passed == all {
            Tone::Faint
        } else {
            Tone::Bad
        };
        table.row([folder.into(), passed.into(), Cell::new(all - passed, tone)]);
    }
    table.render(view)
}

/// What no test touches.
fn untested(covered: &Covered, view: &View) -> String {
    let mut table = Table::new([("NO TEST TOUCHES", Column::Wrap), ("IN", Column::Whole)]);
    for script in &covered.untested_scripts {
        table.row(["any of it".into(), script.display().into()]);
    }
    for function in &covered.untested_functions {
        let place = function.place.map_or_else(String::new, |place| {
            format!(":{}:{}", place.line, place.column)
        });
        table.row([
            format!("fn {}", function.signature).into(),
            format!("{}{place}", function.file.display()).into(),
        ]);
    }
    let mut words: BTreeMap<&Path, Vec<&str>> = BTreeMap::new();
    for word in &covered.untested_status_words {
        words.entry(&word.file).or_default().push(&word.word);
    }
    for (file, words) in words {
        let told = format!("status {}", words.join(", "));
        table.row([told.into(), file.display().into()]);
    }
    if table.is_empty() {
        return String::new();
    }
    format!("\n{}", table.render(view))
}
