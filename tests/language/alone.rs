//! One answer that comes alone: `epms test` and `epms map` say of it what a run says that gets it.

use epms::model::Reading;
use epms::source::{AnswerTo, Sample};

use crate::support::small_pms::{Pms, Reply};
use crate::support::{Home, said, told};

const HEAD: &str = "requests:
  residents:
    url: \"{{ credential.url }}/people\"
    format: json
    records: data
";

const TWO: &str = r#"{"data":[{"id":1,"p":"p1"},{"id":2,"p":"p1"}],"all":2}"#;

/// What makes a run incomplete, by the lines of the request, the status and the body.
fn incomplete() -> Vec<(&'static str, u16, &'static str)> {
    vec![
        ("    total: alls\n", 200, TWO),
        ("    total: all\n", 200, r#"{"data":[{"id":1}],"all":3}"#),
        ("    id: ids\n", 200, TWO),
        ("    property: prop\n", 200, TWO),
        ("    property: p\n", 200, r#"{"data":[{"p":"p2"}]}"#),
        (
            "    page: { next: next }\n    query: { size: \"5\" }\n",
            200,
            r#"{"data":[1,2,3,4,5]}"#,
        ),
        ("", 200, r#"{"date":[]}"#),
        ("", 200, r#"{"data":[{"id":1"#),
        ("", 200, "<rows/>"),
        (
            "    errors:\n      - { path: data/id, is: empty }\n",
            200,
            TWO,
        ),
        (
            "    errors:\n      - { status: 202, is: accepted }\n",
            202,
            "{}",
        ),
        (
            "    errors:\n      - { status: 410, is: gone, hint: look }\n",
            410,
            "{}",
        ),
        (
            "    errors:\n      - { status: 409, is: conflict }\n",
            409,
            "{}",
        ),
        ("", 404, "{}"),
    ]
}

/// What makes a run complete.
fn complete() -> Vec<(&'static str, &'static str)> {
    vec![
        ("    total: all\n    id: id\n    property: p\n", TWO),
        ("    property: p\n", r#"{"data":[]}"#),
        ("    property: p\n", r#"{"data":[{"p":"P1 "},{"q":1}]}"#),
        (
            "    errors:\n      - { path: state, text: none, is: empty }\n",
            r#"{"state":"none"}"#,
        ),
    ]
}

/// What makes a login, or a step before the residents, end the run.
const BEFORE: [(&str, &str, &str); 4] = [
    (
        "job",
        r#"{"job":7}"#,
        "its answer has nothing for `id` of its `gives`",
    ),
    ("job", r#"{"id":7}"#, ""),
    (
        "login",
        r#"{"tokens":"x"}"#,
        "there is no token at `token` in the answer",
    ),
    ("login", r#"{"token":"x"}"#, ""),
];

#[test]
fn of_a_login_and_of_a_step_it_is_said_what_they_do_not_give() {
    let yaml = "auth: { login: { request: login, token: token, header: X-Session, value: \"{{ token }}\" } }
requests:
  login: { url: \"{{ credential.url }}/login\", format: json }
  job: { url: \"{{ credential.url }}/job\", format: json, gives: { id: id } }
  residents: { after: [job], url: \"{{ credential.url }}/r/{{ given.id }}\", format: json, records: data }
";
    let source = crate::support::small_pms::compile(yaml).unwrap();
    for (request, body, wrong) in BEFORE {
        let asked = AnswerTo {
            request,
            property: "p1",
            attached: &[],
            shape: None,
        };
        let sample = Sample {
            status: 200,
            headers: &[],
            body: body.as_bytes(),
        };
        let told = source.alone(asked, None, sample).unwrap().incomplete;
        let told = told.map(|it| it.told.what).unwrap_or_default();
        assert_eq!(told, wrong, "{request} {body}");
    }
}

async fn read(
    lines: &str,
    status: u16,
    body: &str,
) -> (Reading<epms::source::SourceError>, Option<String>) {
    let of_run = body.to_owned();
    let pms = Pms::start(&format!("{HEAD}{lines}"), move |_, _| {
        Reply(status, Vec::new(), of_run.clone().into_bytes())
    })
    .await;
    let asked = AnswerTo {
        request: "residents",
        property: "p1",
        attached: &["p1".into()],
        shape: None,
    };
    let sample = Sample {
        status,
        headers: &[],
        body: body.as_bytes(),
    };
    let alone = pms.source.alone(asked, None, sample).unwrap();
    let (reading, _) = pms.read().await;
    (reading, alone.incomplete.map(|it| it.told.to_string()))
}

#[tokio::test]
async fn of_an_answer_that_makes_a_run_incomplete_the_same_is_said_as_by_the_run() {
    for (lines, status, body) in incomplete() {
        let (reading, told) = read(lines, status, body).await;
        let Reading::Partial { reason } = reading else {
            panic!("{lines} {body}: {reading:?}");
        };
        assert_eq!(told, Some(reason.to_string()), "{lines} {body}");
    }
}

#[tokio::test]
async fn of_an_answer_that_is_all_a_run_wants_nothing_is_said() {
    for (lines, body) in complete() {
        let (reading, told) = read(lines, 200, body).await;
        assert!(
            matches!(reading, Reading::Complete { .. }),
            "{lines} {body}: {reading:?}"
        );
        assert_eq!(told, None, "{lines} {body}");
    }
}

#[test]
fn of_an_answer_that_leads_to_the_next_one_the_number_of_records_is_not_known_yet() {
    let source = |lines: &str| {
        crate::support::small_pms::compile(&format!("{HEAD}{lines}").replace("HOST", "x.invalid"))
            .unwrap()
    };
    let body = r#"{"data":[{"id":1},{"id":2}],"all":9,"next":"/people?page=2"}"#;
    let sample = Sample {
        status: 200,
        headers: &[],
        body: body.as_bytes(),
    };
    let asked = AnswerTo {
        request: "residents",
        property: "",
        attached: &[],
        shape: None,
    };
    for (lines, is_incomplete) in [
        ("    total: all\n    page: { next: next }\n", false),
        (
            "    total: all\n    page: { number: { first: 1, size: 2 } }\n    query: { page: \"{{ page.number }}\" }\n",
            false,
        ),
        ("    total: all\n", true),
    ] {
        let alone = source(lines).alone(asked, None, sample).unwrap();
        assert_eq!(alone.incomplete.is_some(), is_incomplete, "{lines}");
        assert!(alone.incomplete.is_none_or(|it| it.is_of_number));
    }
}

/// A home with a connector of these lines, whose script takes everybody.
fn home(lines: &str) -> Home {
    let home = Home::new();
    let connector = format!(
        "version: 1\nscript: pms.rhai\ncredential_fields: {{ url: plain }}\nhosts: [\"{{{{ credential.url | host }}}}\"]\n{HEAD}{lines}"
    );
    home.write("config/connectors/pms.yaml", connector);
    home.write(
        "scripts/pms.rhai",
        "fn residents(record, ctx) { #{ id: record.id, last_name: \"Elm\", status: \"current\" } }\n",
    );
    std::fs::create_dir_all(home.path("scripts/tests/pms")).unwrap();
    home
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_wants_what_a_run_would_be_and_accept_never_writes_that_all_is_well() {
    for (lines, status, body) in incomplete() {
        let home = home(lines);
        let answer = format!(
            "version: 1\nanswer: {{ status: {status}, text: '{body}' }}\nctx: {{ property: p1, properties: [p1] }}\n"
        );
        let case = "scripts/tests/pms/one.yaml";
        home.write(case, format!("{answer}expect: {{ incomplete: '' }}\n"));
        said(&home.epms(&["test", "pms/one"]).await, 0);
        home.write(case, format!("{answer}expect: {{ verdict: ok }}\n"));
        said(&home.epms(&["test", "pms/one"]).await, 1);
        said(&home.epms(&["test", "pms/one", "--accept"]).await, 0);
        let accepted = home.read(case);
        let (_, expect) = accepted.split_once("expect:").unwrap();
        assert!(
            !expect.contains("verdict: ok") || expect.contains("incomplete: "),
            "{lines}: {expect}"
        );
        said(&home.epms(&["test", "pms/one"]).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_whose_property_no_record_has_fails_though_nobody_is_expected() {
    let home = home("");
    let case = |property: &str, expect: &str| {
        format!(
            "version: 1\nrecords: [{{ id: a, PropertyId: p1 }}, {{ id: b }}]\nproperty: {property}\nctx: {{ properties: [p9] }}\nexpect: {{ {expect} }}\n"
        )
    };
    let file = "scripts/tests/pms/one.yaml";
    home.write(file, case("PropertyID", "residents: []"));
    let failed = said(&home.epms(&["test", "pms/one"]).await, 1);
    let wrong = "  + a run would be incomplete: no record has anything at `PropertyID`, where `property` looks";
    assert!(failed.contains(wrong), "{failed}");
    home.write(file, case("PropertyID", "incomplete: nothing at all"));
    assert!(
        said(&home.epms(&["test", "pms/one"]).await, 1).contains("- incomplete: nothing at all")
    );
    said(&home.epms(&["test", "pms/one", "--accept"]).await, 0);
    assert!(
        home.read(file)
            .contains("incomplete: \"no record has anything at `PropertyID`")
    );
    said(&home.epms(&["test", "pms/one"]).await, 0);
    // Somebody is of a property that is not attached, and one says nothing.
    home.write(file, case("PropertyId", "residents: []"));
    said(&home.epms(&["test", "pms/one"]).await, 0);
}

async fn map(home: &Home, body: &str, words: &[&str]) -> (Option<i32>, String) {
    home.write("answer.json", body);
    let answer = home.path("answer.json");
    let mut all = vec!["map", "pms", answer.to_str().unwrap()];
    all.extend(words);
    let output = home.epms(&all).await;
    let shown = told(&output)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    (output.status.code(), shown)
}

#[test]
fn a_case_that_an_earlier_version_let_pass_goes_on_letting_its_script_in() {
    let records = "records: [{ id: a }]\nproperty: nowhere\nexpect: { residents: [] }\n";
    let answer = format!("answer: {{ text: '{TWO}' }}\nexpect: {{ verdict: ok }}\n");
    let unreadable = "answer: { text: '{}' }\nexpect: { verdict: ok }\n";
    for (case, passes) in [(records, true), (&*answer, true), (unreadable, false)] {
        let home = home("    id: ids\n");
        home.write("scripts/tests/pms/one.yaml", format!("version: 1\n{case}"));
        let library = epms::script::Library::read(home.root());
        let script = epms::script::Script::compile(&library, "pms").unwrap();
        let home = epms::config::Home::at(home.root());
        let (cases, problems) = epms::cases::load(&home, Some("pms/one"));
        assert!(problems.is_empty(), "{problems:?}");
        assert!(!cases[0].run_with(&script).passed, "{case}");
        assert_eq!(cases[0].passes_as_given(&script), passes, "{case}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn map_says_that_a_run_would_be_incomplete_in_its_words() {
    let nowhere = "no record has anything at";
    for (lines, code, wrong) in [
        (
            "    id: ids\n",
            1,
            format!(
                "a run would be incomplete: `residents`: {nowhere} `ids`, where `id` of the connector looks; nothing was written; correct `id`"
            ),
        ),
        (
            "    property: prop\n",
            1,
            format!("{nowhere} `prop`, where `property` of the connector looks"),
        ),
        (
            "    per: once\n    property: prop\n",
            1,
            format!("a run would be incomplete: `residents`: {nowhere} `prop`"),
        ),
        (
            "    total: alls\n",
            0,
            "no answer has the number of records at `total`".into(),
        ),
    ] {
        let (was, shown) = map(&home(lines), TWO, &["--property", "p1"]).await;
        assert!(shown.contains(&wrong), "{lines}: {shown}");
        assert_eq!(was, Some(code), "{lines}");
    }
    let (code, shown) = map(&home("    property: p\n"), TWO, &["--property", "p1"]).await;
    assert_eq!(code, Some(0));
    assert!(!shown.contains("incomplete"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn map_tells_of_records_of_another_property_than_was_asked_for() {
    let (code, shown) = map(&home("    property: p\n"), TWO, &["--property", "p7"]).await;
    assert_eq!(code, Some(1));
    assert!(
        shown.contains("the answer has a record of the PMS property `p1`"),
        "{shown}"
    );
    let once = home("    per: once\n    property: p\n");
    let (code, shown) = map(&once, TWO, &["--property", "p7"]).await;
    assert_eq!(code, Some(0));
    let left_out = "2 records are of other PMS properties (p1), which a run leaves out unless they are attached";
    assert!(shown.contains(left_out), "{shown}");
    let (_, shown) = map(&once, TWO, &["--property", "p1"]).await;
    assert!(!shown.contains("other PMS properties"), "{shown}");
}
