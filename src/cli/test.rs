//! `epms test`: the mapping tests in `scripts/tests`. What a test says is in `cases`.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::cases::{self, CaseOutcome};
use crate::config::Home;
use crate::model::Problems;
use crate::script::Library;

use super::{Exit, Failure, Screen};

/// Which tests to run.
#[derive(Debug, Args)]
#[command(after_help = "\
a test is a file scripts/tests/PMS/CASE.yaml: a record, and what the script must make of it

examples
  epms test
  epms test yardi/")]
pub struct TestArguments {
    /// only tests whose PMS/CASE contains this
    pub filter: Option<String>,
    /// also write the results as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

#[derive(Serialize)]
struct Results {
    passed: usize,
    failed: usize,
    cases: Vec<Ended>,
}

#[derive(Serialize)]
struct Ended {
    name: String,
    file: PathBuf,
    passed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    diff: Vec<String>,
}

pub(super) fn run(
    arguments: &TestArguments,
    json: bool,
    home: &Home,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let library = Library::read(&home.scripts())
        .map_err(|error| Failure::other(Exit::OutOfReach, error.to_string()))?;
    let (cases, problems) = cases::load(home, arguments.filter.as_deref());
    if !problems.is_empty() {
        return Err(Failure::Config(Problems(problems)));
    }
    let ended: Vec<CaseOutcome> = cases.iter().map(|case| case.run(&library)).collect();
    if let Some(file) = &arguments.junit {
        std::fs::write(file, junit(&ended)).map_err(|error| {
            Failure::other(
                Exit::Failed,
                format!("cannot write {}: {error}", file.display()),
            )
        })?;
    }
    let failed = ended.iter().filter(|case| !case.passed).count();
    let results = Results {
        passed: ended.len() - failed,
        failed,
        cases: ended
            .into_iter()
            .map(
                |CaseOutcome {
                     name,
                     file,
                     passed,
                     diff,
                 }| Ended {
                    name,
                    file,
                    passed,
                    diff,
                },
            )
            .collect(),
    };
    screen.show(json, &results, |results, _| told(results))?;
    Ok(if failed == 0 {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn told(results: &Results) -> String {
    if results.cases.is_empty() {
        return "no mapping test fits; they are files scripts/tests/PMS/CASE.yaml\n".to_owned();
    }
    let mut text = String::new();
    for case in &results.cases {
        let word = if case.passed { "ok    " } else { "FAILED" };
        let _ = writeln!(text, "{word} {}", case.name);
        if !case.passed {
            let _ = writeln!(text, "       {}", case.file.display());
        }
        for line in &case.diff {
            let _ = writeln!(text, "       {line}");
        }
    }
    let _ = writeln!(
        text,
        "\n{} passed, {} failed",
        results.passed, results.failed
    );
    text
}

/// The results as the usual readers of JUnit files take them.
fn junit(cases: &[CaseOutcome]) -> String {
    let escape = |text: &str| quick_xml::escape::escape(text).into_owned();
    let failures = cases.iter().filter(|case| !case.passed).count();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"epms\" tests=\"{}\" \
         failures=\"{failures}\" errors=\"0\" skipped=\"0\">\n",
        cases.len()
    );
    for case in cases {
        let (folder, name) = case.name.split_once('/').unwrap_or(("", &case.name));
        let _ = write!(
            xml,
            "    <testcase classname=\"{}\" name=\"{}\"",
            escape(folder),
            escape(name)
        );
        if case.passed {
            xml += "/>\n";
        } else {
            let _ = writeln!(
                xml,
                "><failure message=\"not as expected\">{}</failure></testcase>",
                escape(&case.diff.join("\n"))
            );
        }
    }
    xml + "  </testsuite>\n</testsuites>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junit_escapes_what_it_quotes() {
        let case = CaseOutcome {
            name: "yardi/a<b".into(),
            file: "f".into(),
            passed: false,
            diff: vec!["- a & b".into()],
        };
        let xml = junit(&[case]);
        assert!(xml.contains("classname=\"yardi\" name=\"a&lt;b\""), "{xml}");
        assert!(xml.contains("- a &amp; b"), "{xml}");
        assert!(xml.contains("tests=\"1\" failures=\"1\""), "{xml}");
    }
}
