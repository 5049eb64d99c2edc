//! Mapping tests about answers: what the connector's rules and the script's `verdict` make of them, as a run would.

use epms::cases;
use epms::model::Problem;
use epms::script::Library;
use serde_json::json;

use crate::support::small_pms::{Pms, Reply};
use crate::support::{Home, said, told};

const CONNECTOR: &str = r#"version: 1
script: pms.rhai
credential_fields: { url: plain }
hosts: ["{{ credential.url | host }}"]
requests:
  residents:
    url: "{{ credential.url }}/people"
    format: json
    records: data
    errors:
      - { path: error/code, text: closed, is: maintenance, hint: it opens at six }
"#;

const SCRIPT: &str = r#"fn residents(record, ctx) { () }
fn verdict(answer, ctx) {
    if get(answer.headers, "x-state") == "locked" {
        return #{ verdict: "denied", hint: `ask for ${ctx.property}` };
    }
    ()
}
"#;

/// A home with one connector, and one case of this text.
fn home(case: &str) -> Home {
    let home = Home::new();
    std::fs::create_dir_all(home.path("scripts/tests/pms")).unwrap();
    home.write("config/connectors/pms.yaml", CONNECTOR);
    home.write("scripts/pms.rhai", SCRIPT);
    home.write("scripts/tests/pms/one.yaml", case);
    home
}

fn of(home: &Home) -> Result<Vec<String>, Vec<Problem>> {
    let home = epms::config::Home::at(home.root());
    let (cases, problems) = cases::load(&home, Some("pms/one"));
    if !problems.is_empty() {
        return Err(problems);
    }
    let outcome = cases::run(&cases, &Library::read(home.root())).remove(0);
    assert_eq!(outcome.passed, outcome.diff.is_empty());
    Ok(outcome.diff)
}

fn diff(case: &str) -> Vec<String> {
    of(&home(case)).unwrap()
}

fn problems(case: &str) -> Vec<String> {
    let found = of(&home(case)).unwrap_err();
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn a_case_about_an_answer_passes_by_rule_by_script_and_by_status() {
    for case in [
        "answer: { text: '{\"error\":{\"code\":\"closed\"}}' }\nexpect: { verdict: maintenance, hint: opens at six }\n",
        "answer: { status: 403, headers: { X-State: locked } }\nctx: { property: p7 }\nexpect: { verdict: denied, hint: ask for p7 }\n",
        "answer: { status: 503 }\nexpect: { verdict: retry }\n",
        "answer: { text: '{\"data\":[{\"id\":1}]}' }\nexpect: { verdict: ok }\n",
    ] {
        assert_eq!(diff(&format!("version: 1\n{case}")), [""; 0], "{case}");
    }
}

#[test]
fn what_is_judged_otherwise_is_told_with_who_decided() {
    assert_eq!(
        diff(
            "version: 1\nanswer: { text: '{\"error\":{\"code\":\"closed\"}}' }\nexpect: { verdict: retry, hint: later }\n"
        ),
        [
            "answer:",
            "  - verdict: retry",
            "  + verdict: maintenance, by the rule { path: error/code, text: closed } (pms.yaml:11) of the connector",
            "  - hint: later",
            "  + hint: it opens at six",
        ]
    );
    assert_eq!(
        diff(
            "version: 1\nanswer: { status: 403, headers: { x-state: locked } }\nexpect: { verdict: ok }\n"
        )[2],
        "  + verdict: denied, by the function `verdict`"
    );
}

#[test]
fn an_answer_that_is_judged_ok_and_has_no_records_does_not_pass_as_a_run_would_be_incomplete() {
    assert_eq!(
        diff("version: 1\nanswer: { text: '{\"dat\":[]}' }\nexpect: { verdict: ok }\n"),
        [
            "answer:",
            "  + a run would be incomplete: there is nothing at `data` in the answer",
        ]
    );
}

#[test]
fn a_case_may_want_an_answer_that_makes_a_run_incomplete() {
    let case = |answer: &str, expect: &str| {
        diff(&format!(
            "version: 1\nanswer: {answer}\nexpect: {{ {expect} }}\n"
        ))
    };
    let nothing = "{ text: '{\"dat\":[]}' }";
    assert_eq!(case(nothing, "incomplete: nothing at `data`"), [""; 0]);
    assert_eq!(case(nothing, "verdict: ok, incomplete: ''"), [""; 0]);
    assert_eq!(
        case(nothing, "verdict: ok, incomplete: broke off"),
        [
            "answer:",
            "  - incomplete: broke off",
            "  + incomplete: there is nothing at `data` in the answer",
        ]
    );
    assert_eq!(
        case("{ status: 403 }", "incomplete: nothing"),
        [
            "answer:",
            "  - incomplete: nothing",
            "  + a run would end as `failed`: verdict denied, by its status, as no rule says otherwise",
        ]
    );
    let broken = case("{ text: '{\"data\":[{\"id\":1' }", "incomplete: ''");
    assert_eq!(broken, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_cannot_be_read_fails_and_the_others_run() {
    let home = home("version: 1\nanswer: { status: 503 }\nexpect: { verdict: retry }\n");
    home.write(
        "scripts/tests/pms/two.yaml",
        "version: 1\nrecord: { id: a }\nexpects: {}\n",
    );
    home.write("scripts/tests/pms/three.yaml", "version: 1\nrecord: [\n");
    let told = said(&home.epms(&["test", "pms/"]).await, 1);
    for line in [
        "1 passed, 2 failed",
        "FAILED pms/two  scripts/tests/pms/two.yaml\n  + scripts/tests/pms/two.yaml:3:1: expects: ",
        "FAILED pms/three  scripts/tests/pms/three.yaml\n  + scripts/tests/pms/three.yaml:",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let told = said(&home.epms(&["test", "pms/", "--json"]).await, 1);
    let results: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (&results["passed"], &results["failed"]),
        (&json!(1), &json!(2))
    );
}

#[test]
fn a_case_that_mixes_answers_and_records_is_refused_with_its_place() {
    for (case, told) in [
        (
            "answer: { status: 500 }\nexpect: {}\n",
            "scripts/tests/pms/one.yaml:3:1: expect: does not say what the answer means; add `verdict`, or `incomplete` with a part of why a run would be",
        ),
        (
            "record: { id: a }\nexpect: { verdict: ok }\n",
            "expect.verdict: is said of an answer, and the case has none; add `answer`, or remove it",
        ),
        (
            "answer: {}\nrecord: { id: a }\nexpect: { verdict: ok }\n",
            "record: is said of records, and the case is about an `answer`",
        ),
        (
            "answer: {}\nconnector: pmx\nexpect: { verdict: ok }\n",
            "connector: there is no connector `pmx`; there are: ",
        ),
        (
            "answer: {}\nctx: { request: units }\nexpect: { verdict: ok }\n",
            "ctx.request: the connector has no request `units`; it has: residents",
        ),
        (
            "answer: { file: ../../../secrets/x }\nexpect: { verdict: ok }\n",
            "answer.file: is no file beside the case",
        ),
        (
            "answer: {}\nexpect: { verdict: fine }\n",
            "expect.verdict: ",
        ),
    ] {
        let found = problems(&format!("version: 1\n{case}"));
        assert!(
            found.iter().any(|one| one.contains(told)),
            "{told}: {found:?}"
        );
    }
}

#[tokio::test]
async fn a_case_judges_an_answer_as_a_run_does() {
    let bodies = [
        json!({ "data": [] }).to_string(),
        json!({ "error": { "code": "Closed" } }).to_string(),
        json!({ "dat": 1 }).to_string(),
        String::new(),
        "<html>busy</html>".to_owned(),
    ];
    for status in [200, 204, 206, 401, 403, 404, 429, 500] {
        for body in &bodies {
            let of_run = body.clone();
            let requests = CONNECTOR.split_once("requests:").unwrap().1;
            let pms = Pms::start(&format!("requests:{requests}"), move |_, _| {
                Reply(status, Vec::new(), of_run.clone().into_bytes())
            })
            .await;
            let (reading, _) = pms.read().await;
            let is_whole = matches!(reading, epms::model::Reading::Complete { .. });
            let sample = epms::source::Sample {
                status,
                headers: &[],
                body: body.as_bytes(),
            };
            let asked = epms::source::AnswerTo {
                request: "residents",
                property: "p1",
                attached: &["p1".into()],
                shape: None,
            };
            let alone = pms.source.alone(asked, None, sample).unwrap();
            let ok = [epms::config::Verdict::Ok, epms::config::Verdict::Empty];
            let meaning = alone.meaning;
            let would_be = ok.contains(&meaning.verdict) && alone.incomplete.is_none();
            // hyper sends no body with 204.
            if status != 204 {
                assert_eq!(
                    would_be, is_whole,
                    "{status} {body}: {meaning:?} {reading:?}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn epms_test_runs_cases_about_answers_and_accept_writes_the_verdict() {
    let home = home("version: 1\nanswer: { status: 503 }\n# why\nexpect: { verdict: ok }\n");
    let failed = said(&home.epms(&["test", "pms/one"]).await, 1);
    assert!(failed.contains("+ verdict: retry"), "{failed}");
    said(&home.epms(&["test", "pms/one", "--accept"]).await, 0);
    assert_eq!(
        home.read("scripts/tests/pms/one.yaml"),
        "version: 1\nanswer: { status: 503 }\n# why\nexpect:\n  verdict: retry\n"
    );
    said(&home.epms(&["test", "pms/one"]).await, 0);
    let mapped = home
        .epms(&[
            "map",
            "pms",
            home.path("scripts/tests/pms/one.yaml").to_str().unwrap(),
        ])
        .await;
    assert_eq!(mapped.status.code(), Some(2), "{}", told(&mapped));
    assert!(
        told(&mapped).contains("`epms test` runs it"),
        "{}",
        told(&mapped)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_fits_no_test_ends_with_1_and_says_what_there_is() {
    let home = home("version: 1\nanswer: { status: 503 }\nexpect: { verdict: retry }\n");
    let nothing = said(&home.epms(&["test", "pms/nope"]).await, 1);
    assert!(
        nothing.contains("no mapping test has `pms/nope` in its PMS/CASE"),
        "{nothing}"
    );
    assert!(nothing.contains("1 test of pms"), "{nothing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tells_of_a_test_that_cannot_be_read() {
    let home = home("version: 1\nanswer: { status: 503 }\nexpect: { verdict: retry }\n");
    let folder = home.path("scripts/tests/pms");
    said(&home.epms(&["check", folder.to_str().unwrap()]).await, 0);
    home.write(
        "scripts/tests/pms/two.yaml",
        "version: 1\nrecord: { id: a }\nexpects: {}\n",
    );
    home.write(
        "scripts/tests/pms/three.yaml",
        "version: 1\nrecords: gone.json\nexpect: {}\n",
    );
    let told = said(&home.epms(&["check"]).await, 2);
    for line in [
        "scripts/tests/pms/two.yaml:3:1: expects: ",
        "scripts/tests/pms/three.yaml:2:10: records: `gone.json` is not there",
    ] {
        assert_eq!(told.matches(line).count(), 1, "{line}: {told}");
    }
}
