//! What people write of a target's script: its mapping tests, `epms map` and `epms check`. Reaches no target.

use crate::support::{Home, said, told};
use boon::{Compiler, Schemas};
use epms::cases::{self, CaseOutcome};
use epms::config;
use epms::script::Library;
use serde_json::{Value, json};

const SCRIPT: &str = r#"// Doors of a made-up vendor.
fn wanted(person, ctx) {
    if person.email == () { throw "nobody can be let in without an email"; }
    print(`for ${person.id}`);
    let places = person.places;
    places.map(|place| #{ key: key(person, place.place), door: place.place, email: person.email, "until": get(place, "end") })
}

fn held(record, ctx) {
    if record.kind == "guest" { return; }
    #{ key: record.note, id: record.uuid, door: record.door, email: get(record, "user/email"), "until": get(record, "until"),
       others: record.by == "USER", weight: 0.5 }
}

fn key(person, place) { `${person.id}/${place}` }
"#;

const PERSON: &str = "person: { id: p7, email: ana@example.com, places: [{ place: door-1 }, { place: door-2, end: 2026-06-01T10:00:00Z }] }\n";

/// A home with the script and one case of it.
fn home_with(case: &str) -> Home {
    let home = Home::new();
    std::fs::create_dir(home.path("scripts/tests/door")).unwrap();
    home.write("scripts/door.rhai", SCRIPT);
    home.write("scripts/tests/door/one.yaml", format!("version: 1\n{case}"));
    home
}

fn outcome(case: &str) -> CaseOutcome {
    let home = home_with(case);
    let read = config::Home::at(home.root());
    let (cases, problems) = cases::load(&read, Some("door/one"));
    assert!(problems.is_empty(), "{problems:#?}");
    cases::run(&cases, &Library::read(home.root())).remove(0)
}

fn diff_of(case: &str) -> Vec<String> {
    outcome(case).diff
}

fn problems_of(case: &str) -> Vec<String> {
    let home = home_with(case);
    let (cases, problems) = cases::load(&config::Home::at(home.root()), Some("door/one"));
    assert!(cases.is_empty(), "{cases:?}");
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_case_of_a_person_expects_the_grants_that_they_should_have() {
    let right = format!(
        "{PERSON}expect:\n  wanted:\n    - {{ key: p7/door-2, door: door-2, email: ana@example.com, until: 2026-06-01T10:00:00Z }}\n    \
         - {{ key: p7/door-1, door: door-1, email: ana@example.com, until: null }}\n"
    );
    let outcome = outcome(&right);
    assert_eq!(outcome.diff, [] as [&str; 0]);
    assert_eq!(outcome.printed[0].text, "for p7");
    assert_eq!(
        diff_of("person: { email: ana@example.com }\nexpect: { wanted: [] }\n"),
        [] as [&str; 0]
    );
    assert_eq!(
        diff_of("person: {}\nexpect:\n  error: { message: without an email }\n"),
        [] as [&str; 0]
    );
}

#[test]
fn what_differs_of_grants_is_told_by_grant_and_field() {
    let diff = diff_of(&format!(
        "{PERSON}expect:\n  wanted:\n    - {{ key: p7/door-1, door: 1, email: ana@example.com, pin: \"12\" }}\n"
    ));
    assert_eq!(
        diff,
        [
            "wanted p7/door-1:",
            "  - door: 1",
            "  + door: door-1",
            "  - pin: \"12\"",
            "  + until: null",
            "wanted p7/door-2: came, and is not expected",
            "  + key: p7/door-2",
            "  + door: door-2",
            "  + email: \"ana@example.com\"",
            "  + until: \"2026-06-01T10:00:00Z\"",
        ]
    );
    let diff = diff_of(
        "person: { email: ana@example.com, places: [{ place: a }] }\nexpect:\n  wanted:\n    \
         - { key: p1-a, door: a, email: ana@example.com, until: null }\n",
    );
    assert_eq!(diff, ["wanted p1-a:", "  - key: p1-a", "  + key: p1/a"]);
    let diff = diff_of(&format!("{PERSON}expect: {{ wanted: [] }}\n"));
    assert_eq!(diff.len(), 10, "{diff:#?}");
    let diff = diff_of(
        "person: { email: ana@example.com }\nexpect: { wanted: [{ key: a }], error: { message: x } }\n",
    );
    assert_eq!(diff, ["wanted a: did not come", "error:", "  - x"]);
    // A text is no number, and true is no text.
    let diff = diff_of(&format!(
        "{PERSON}expect: {{ wanted: [{{ key: p7/door-1, door: \"1\" }}, {{ key: p7/door-2 }}] }}\n"
    ));
    assert_eq!(diff[1], "  - door: \"1\"");
}

#[test]
fn a_case_of_a_record_expects_what_is_held_or_nothing() {
    let record = "record: { note: p7/door-1, uuid: 9, door: door-1, user: { email: ana@example.com }, by: PARTNER, kind: tenant }\n";
    let right =
        "{ key: p7/door-1, id: 9, door: door-1, email: ana@example.com, until: null, weight: 0.5 }";
    let passes = |case: &str| assert_eq!(diff_of(case), [] as [&str; 0], "{case}");
    passes(&format!("{record}expect: {{ held: {right} }}\n"));
    let flag = right.replace("{ key", "{ others: false, key");
    passes(&format!("{record}expect: {{ held: {flag} }}\n"));
    passes("record: { kind: guest }\nexpect: { held: null }\n");
    passes("record: { kind: guest }\nexpect: {}\n");
    let guest = "{ kind: guest }";
    let first = record.strip_prefix("record: ").unwrap().trim();
    passes(&format!(
        "records: [{guest}, {first}]\nexpect: {{ held: [{right}] }}\n"
    ));
    passes(
        "record: { kind: tenant }\nexpect: { error: { field: note, message: there is no `note` } }\n",
    );
    assert_eq!(
        diff_of(&format!("{record}expect: {{ held: null }}\n")),
        [
            "held 9: came, and is not expected",
            "  + key: p7/door-1",
            "  + id: \"9\"",
            "  + door: door-1",
            "  + email: \"ana@example.com\"",
            "  + until: null",
            "  + weight: 0.5",
        ]
    );
    let others = format!(
        "{}expect: {{ held: {} }}\n",
        record.replace("PARTNER", "USER"),
        right.replace("0.5", "0.25")
    );
    assert_eq!(
        diff_of(&others),
        [
            "held 9:",
            "  - weight: \"0.25\"",
            "  + weight: 0.5",
            "  + others: true"
        ]
    );
    assert_eq!(
        diff_of(&format!("record: {guest}\nexpect: {{ held: {right} }}\n")),
        ["held 9: did not come"]
    );
}

/// What the script may look at is what a run gives it.
#[test]
fn a_record_that_is_held_answers_the_list_and_a_person_answers_nothing() {
    let home = home_with("person: {}\nexpect: {}\n");
    home.write(
        "scripts/door.rhai",
        "fn wanted(person, ctx) { #{ key: `${ctx.request}!` } }\nfn held(record, ctx) { #{ key: ctx.request, id: 1 } }",
    );
    home.write(
        "scripts/tests/door/one.yaml",
        "version: 1\nperson: {}\nexpect: { wanted: [{ key: \"!\" }] }\n",
    );
    home.write(
        "scripts/tests/door/two.yaml",
        "version: 1\nrecord: {}\nexpect: { held: { key: target.list, id: 1 } }\n",
    );
    home.write(
        "scripts/tests/door/three.yaml",
        "version: 1\nrecord: {}\nctx: { request: target.find }\nexpect: { held: { key: target.find, id: 1 } }\n",
    );
    let (cases, problems) = cases::load(&config::Home::at(home.root()), Some("door/"));
    assert!(problems.is_empty(), "{problems:#?}");
    let outcomes = cases::run(&cases, &Library::read(home.root()));
    let ours = outcomes.iter().filter(|one| one.name.starts_with("door/"));
    let ours = ours.inspect(|one| assert_eq!(one.diff, [] as [&str; 0], "{}", one.name));
    assert_eq!(ours.count(), 3);
}

#[test]
fn a_case_that_mixes_a_person_with_records_or_a_target_with_a_pms_is_refused() {
    for (case, told) in [
        (
            "person: {}\nrecord: {}\nexpect: {}\n",
            "3:1: record: is said of records, and the case is about a `person`; remove it, or make two cases of it",
        ),
        (
            "person: {}\nexpect: { held: null }\n",
            "3:11: expect.held: is said of records, and the case is about a `person`; remove it, or make two cases of it",
        ),
        (
            "record: {}\nexpect: { wanted: [] }\n",
            "3:11: expect.wanted: is said of a person, and the case has none; add `person`, or remove it",
        ),
        (
            "record: {}\nexpect: { held: null, excluded: [{ id: a, reason: b }] }\n",
            "3:23: expect.excluded: is said of a PMS, and `held` of a target; keep one of them",
        ),
        (
            "person: {}\nexpect: { wanted: [{ door: a }] }\n",
            "3:20: expect.wanted.0: has no text `key`, which every such grant has; add it",
        ),
        (
            "record: {}\nexpect: { held: { key: a } }\n",
            "3:11: expect.held: has no text `id`, which every such grant has; add it",
        ),
        (
            "record: {}\nexpect: { held: door }\n",
            "3:17: expect.held: is no mapping; write the grant in full, as the script gives it",
        ),
        (
            "person: { opening: [] }\nexpect: {}\n",
            "2:11: person.opening: unknown field; did you mean `openings`?",
        ),
        (
            "person: { places: [{ place: a, start: monday }] }\nexpect: {}\n",
            "2:39: person.places.0.start: ",
        ),
    ] {
        let problems = problems_of(case);
        let begins = format!("scripts/tests/door/one.yaml:{told}");
        assert_eq!(problems.len(), 1, "{case}: {problems:?}");
        assert!(problems[0].starts_with(&begins), "{case}: {problems:?}");
    }
}

#[test]
fn a_case_of_a_target_does_not_pass_with_the_script_of_a_pms_nor_the_other_way_round() {
    let pms = "script: yardi.rhai\n";
    for case in [
        "person: {}\nexpect: {}\n",
        "record: {}\nexpect: { held: null }\n",
    ] {
        assert_eq!(
            diff_of(&format!("{pms}{case}")),
            [
                "script:",
                "  + scripts/yardi.rhai is one of a PMS: it gives `residents` of records, and has no functions `wanted` and \
                 `held`",
            ]
        );
    }
    for case in [
        "record: { kind: guest }\nexpect: { residents: [{ id: a, status: current }] }\n",
        "record: { kind: guest }\nproperty: door\nexpect: {}\n",
    ] {
        assert_eq!(
            diff_of(case),
            [
                "script:",
                "  + scripts/door.rhai is one of a target: it gives what is `wanted` for a `person` or `held` in a `record`, \
                 and no residents",
            ]
        );
    }
}

#[tokio::test]
async fn what_came_out_of_a_target_s_script_is_accepted_and_passes_then() {
    for (case, accepted) in [
        (
            format!("# Why.\n{PERSON}expect: {{}}\n# Behind.\n"),
            "expect:\n  wanted:\n    - { key: p7/door-1, door: door-1, email: \"ana@example.com\", until: null }\n    \
             - { key: p7/door-2, door: door-2, email: \"ana@example.com\", until: \"2026-06-01T10:00:00Z\" }\n# Behind.\n",
        ),
        (
            "person: { email: a@example.com }\nexpect: { wanted: [{ key: a }] }\n".to_owned(),
            "expect:\n  wanted: []\n",
        ),
        (
            "person: {}\nexpect: {}\n".to_owned(),
            "expect:\n  errors:\n    - { message: \"nobody can be let in without an email\" }\n",
        ),
        (
            "record: { note: 12, uuid: \"on\", door: \"1\", by: USER, kind: \"\" }\nexpect: {}\n".to_owned(),
            "expect:\n  held: { key: \"12\", id: \"on\", others: true, door: \"1\", email: null, until: null, weight: 0.5 }\n",
        ),
        (
            "record: { kind: guest }\nexpect: { held: { key: a, id: b } }\n".to_owned(),
            "expect:\n  held: null\n",
        ),
        (
            "records: [{ kind: guest }, { note: a, uuid: b, door: c, by: d, kind: e }]\nexpect: {}\n".to_owned(),
            "expect:\n  held:\n    - { key: a, id: b, door: c, email: null, until: null, weight: 0.5 }\n",
        ),
    ] {
        let home = home_with(&case);
        let output = home.epms(&["test", "door/one"]).await;
        assert_eq!(output.status.code(), Some(1), "{}", told(&output));
        let output = home.epms(&["test", "door/one", "--accept"]).await;
        assert!(said(&output, 0).contains("1 accepted"), "{}", told(&output));
        let text = home.read("scripts/tests/door/one.yaml");
        assert!(text.ends_with(accepted), "{text}");
        let output = home.epms(&["test", "door/one"]).await;
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    }
}

#[tokio::test]
async fn cases_cover_wanted_and_held_and_the_words_of_a_target_are_no_warning() {
    let home = home_with(&format!("{PERSON}expect: {{}}\n"));
    let untested = async |home: &Home| -> Vec<String> {
        let output = home.epms(&["test", "--json"]).await;
        let results: Value = serde_json::from_slice(&output.stdout).unwrap();
        let functions = results["coverage"]["untested_functions"]
            .as_array()
            .unwrap();
        let of_door = functions
            .iter()
            .filter(|one| one["file"] == "scripts/door.rhai");
        of_door
            .map(|one| one["signature"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(untested(&home).await, ["held(record, ctx)"]);
    home.write(
        "scripts/tests/door/one.yaml",
        "version: 1\nrecords: list.json\nexpect: { held: [] }\n",
    );
    home.write("scripts/tests/door/list.json", r#"[{"kind": "guest"}]"#);
    assert_eq!(
        untested(&home).await,
        ["wanted(person, ctx)", "key(person, place)"]
    );
    // What the script reads of a person, no answer has; what it reads of a record and no answer has is told.
    home.edit(
        "scripts/door.rhai",
        "door: place.place,",
        "door: place.place, name: text(person, \"first_name\"), unit: get(person, \"openings/0/unit/label\"),",
    );
    let output = home.epms(&["check", "--json"]).await;
    let problems: Value = serde_json::from_slice(&output.stdout).unwrap();
    let problems = problems.as_array().unwrap().iter();
    let fields: Vec<&str> = problems
        .filter(|one| one["code"] == "unread_field" && one["file"] == "scripts/door.rhai")
        .map(|one| one["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["note", "uuid", "user/email", "by"]);
}

#[tokio::test]
async fn map_shows_what_a_person_should_have_and_what_is_held() {
    let home = home_with("person: {}\nexpect: {}\n");
    let map = async |words: &[&str]| {
        let output = home.epms(&[&["map", "door"], words].concat()).await;
        (
            output.status.code(),
            told(&output).replace(home.root().to_str().unwrap(), "HOME"),
        )
    };
    let path = |name: &str| home.path(name).to_str().unwrap().to_owned();
    home.write(
        "person.json",
        r#"{"id": "p7", "email": "ana@example.com", "places": [{"place": "door-1", "end": "2026-06-01T10:00:00Z"}]}"#,
    );
    let (code, shown) = map(&["--person", &path("person.json")]).await;
    assert_eq!(code, Some(0), "{shown}");
    insta::assert_snapshot!("wanted", shown);
    let (_, shown) = map(&["--person", &path("person.json"), "--json"]).await;
    let report: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        report["wanted"],
        json!([{ "key": "p7/door-1", "door": "door-1", "email": "ana@example.com", "until": "2026-06-01T10:00:00Z" }])
    );
    assert_eq!(report.get("held"), None);
    home.write("person.json", r#"{"emial": "x"}"#);
    let (code, shown) = map(&["--person", &path("person.json")]).await;
    assert_eq!(code, Some(2), "{shown}");
    assert!(
        shown.contains("person.json:1:2: emial: unknown field; did you mean `email`?"),
        "{shown}"
    );
    home.write("person.json", "{}");
    let (code, shown) = map(&["--person", &path("person.json")]).await;
    assert_eq!(code, Some(1), "{shown}");
    assert!(
        shown.contains("1 person: 0 grants wanted, 1 not mapped"),
        "{shown}"
    );

    home.write(
        "list.json",
        r#"{"all": [{"kind": "guest"}, {"note": "p7/door-1", "uuid": "u1", "door": "door-1", "by": "USER", "kind": "", "user": {"email": "ana@example.com"}},
            {"kind": "tenant"}]}"#,
    );
    let (code, shown) = map(&[&path("list.json"), "--records", "all"]).await;
    assert_eq!(code, Some(1), "{shown}");
    insta::assert_snapshot!("held", shown);
    let (_, shown) = map(&[&path("list.json"), "--records", "all", "--json"]).await;
    let report: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        report["held"],
        json!([{ "key": "p7/door-1", "id": "u1", "others": true, "door": "door-1", "email": "ana@example.com", "until": null,
                 "weight": 0.5 }])
    );
    assert_eq!(report["request"], "target.list");
    assert_eq!(
        (&report["records"], &report["passed_over"]),
        (&json!(3), &json!(1))
    );

    home.write(
        "scripts/tests/door/one.yaml",
        format!("version: 1\n{PERSON}expect: {{}}\n"),
    );
    let (code, shown) = map(&[&path("scripts/tests/door/one.yaml")]).await;
    assert_eq!(code, Some(0), "{shown}");
    assert!(
        shown.contains("1 person: 2 grants wanted, 0 not mapped"),
        "{shown}"
    );
}

#[tokio::test]
async fn map_refuses_a_person_for_a_pms_and_a_test_of_the_other_kind() {
    let home = home_with(&format!("{PERSON}expect: {{}}\n"));
    let case = home.path("scripts/tests/door/one.yaml");
    home.write("person.yaml", "{}");
    let person = home.path("person.yaml");
    for (words, why) in [
        (
            vec!["map", "yardi", "--person", person.to_str().unwrap()],
            "--person goes with the script of a target",
        ),
        (
            vec!["map", "yardi", case.to_str().unwrap()],
            "the test is about a target",
        ),
        (
            vec!["map", "door", "--person", "none.yaml"],
            "cannot read none.yaml",
        ),
        (vec!["map", "door"], "required"),
        (
            vec![
                "map",
                "door",
                case.to_str().unwrap(),
                "--person",
                person.to_str().unwrap(),
            ],
            "cannot be used with",
        ),
    ] {
        let output = home.epms(&words).await;
        assert_ne!(output.status.code(), Some(0), "{words:?}");
        let told = told(&output);
        assert!(told.contains(why), "{words:?}: {told}");
    }
}

#[tokio::test]
async fn an_integration_is_not_mapped_by_the_script_of_a_target() {
    let home = Home::new();
    home.write("scripts/door.rhai", SCRIPT);
    home.edit(
        "config/connectors/appfolio.yaml",
        "script: appfolio.rhai",
        "script: door.rhai",
    );
    home.write("secrets/acme", "s");
    home.write(
        "config/credentials/acme.yaml",
        "version: 1\nconnector: appfolio\nfields: { client_id: c, developer_id: d, url: \"http://127.0.0.1:1\", client_secret: { file: \
         secrets/acme } }\n",
    );
    home.write(
        "config/integrations/elm.yaml",
        "version: 1\ncredential: acme\nproperty: { name: Elm, timezone: UTC, country: US }\npms_properties: [p1]\n",
    );
    let output = home.epms(&["check"]).await;
    let shown = said(&output, 2);
    let line = "script: the script `door.rhai` is one of a target, with `wanted` and `held`, and gives no residents; name one of a PMS";
    let named = shown.lines().find(|told| told.contains(line));
    let named = named.unwrap_or_else(|| panic!("{shown}"));
    assert!(
        named.starts_with("config/connectors/appfolio.yaml:"),
        "{named}"
    );
    home.edit(
        "config/integrations/elm.yaml",
        "pms_properties",
        "script: door.rhai\npms_properties",
    );
    let shown = said(&home.epms(&["check"]).await, 2);
    let named = shown.lines().find(|told| told.contains(line));
    assert!(
        named.is_some_and(|named| named.starts_with("config/integrations/elm.yaml:4:9:")),
        "{shown}"
    );
}

#[tokio::test]
async fn the_schema_of_cases_takes_those_of_targets_and_refuses_what_no_person_has() {
    let output = Home::new().epms(&["schema", "case"]).await;
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut compiler = Compiler::new();
    let mut schemas = Schemas::new();
    compiler.add_resource("case.json", schema).unwrap();
    let index = compiler.compile("case.json", &mut schemas).unwrap();
    let fits = |case: Value| schemas.validate(&case, index).is_ok();
    let case =
        |person: Value, expect: Value| json!({ "version": 1, "person": person, "expect": expect });
    let person = json!({ "places": [{ "place": "a", "start": "2026-03-01T00:00:00Z" }], "stays": [{ "status": "current" }] });
    assert!(fits(case(
        person,
        json!({ "wanted": [{ "key": "a", "doors": [1] }] })
    )));
    assert!(fits(
        json!({ "version": 1, "record": {}, "expect": { "held": null } })
    ));
    assert!(fits(
        json!({ "version": 1, "record": {}, "expect": { "held": { "key": "a", "id": 1 } } })
    ));
    assert!(!fits(case(json!({ "opening": [] }), json!({}))));
    assert!(!fits(case(json!({}), json!({ "wanted": {} }))));
}
