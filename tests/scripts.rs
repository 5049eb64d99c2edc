//! The shipped scripts and their cases: every case passes, and a case that is wrong is told with its place.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use epms::cases;
use epms::config::Home;
use epms::script::Library;

fn shipped() -> Home {
    Home::at(env!("CARGO_MANIFEST_DIR"))
}

fn library() -> Library {
    Library::read(&shipped().scripts()).unwrap()
}

/// A home with one script and one case of it.
fn home_with(case: &str) -> (tempfile::TempDir, Home) {
    let folder = tempfile::tempdir().unwrap();
    let tests = folder.path().join("scripts/tests/pms");
    std::fs::create_dir_all(&tests).unwrap();
    std::fs::write(
        folder.path().join("scripts/pms.rhai"),
        r#"fn residents(record, ctx) {
            #{ id: text(record, "id"), first_name: text(record, "first"), email: text(record, "email"),
               unit: text(record, "unit"), status: "current", status_word: "Here",
               lease_end: parse_date(record, "end", "%Y-%m-%d") }
        }
        fn exclude(resident, ctx) { if resident.unit == "WAIT" { "waiting list" } }"#,
    )
    .unwrap();
    std::fs::write(tests.join("one.yaml"), case).unwrap();
    let home = Home::at(folder.path());
    (folder, home)
}

fn problems_of(case: &str) -> Vec<String> {
    let (_folder, home) = home_with(case);
    let (cases, problems) = cases::load(&home, None);
    assert!(cases.is_empty(), "{cases:?}");
    problems.iter().map(ToString::to_string).collect()
}

fn diff_of(case: &str) -> Vec<String> {
    let (_folder, home) = home_with(case);
    let (cases, problems) = cases::load(&home, None);
    assert!(problems.is_empty(), "{problems:#?}");
    let library = Library::read(&home.scripts()).unwrap();
    let outcome = cases::run(&cases, &library).remove(0);
    assert_eq!(outcome.passed, outcome.diff.is_empty());
    outcome.diff
}

#[test]
fn every_shipped_case_passes() {
    let (cases, problems) = cases::load(&shipped(), None);
    assert!(problems.is_empty(), "{problems:#?}");
    assert!(cases.len() > 80, "{}", cases.len());
    let failed: Vec<String> = cases::run(&cases, &library())
        .into_iter()
        .filter(|outcome| !outcome.passed)
        .map(|outcome| format!("{}\n{}", outcome.file.display(), outcome.diff.join("\n")))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn the_shipped_cases_cover_every_status_word_of_the_table() {
    let (cases, _) = cases::load(&shipped(), None);
    for (script, words) in [
        ("appfolio.rhai", "Future, Current, Notice, Evict, Past"),
        (
            "entrata.rhai",
            "Applicant, Future, Current, Notice, Past, Cancelled",
        ),
        ("mri.rhai", "New, Current, Old, O"),
        (
            "realpage.rhai",
            "Applicant, Applicant - Lease Signed, Future Lease, Current, Former, Former Applicant",
        ),
        (
            "yardi.rhai",
            "Applicant, Future, Current, Notice, Eviction, Past, Denied, Canceled",
        ),
    ] {
        let covered: BTreeSet<&str> = cases
            .iter()
            .filter(|case| case.script() == script)
            .flat_map(cases::Case::status_words)
            .collect();
        for word in words.split(", ") {
            assert!(covered.contains(word), "{script}: {word}");
        }
    }
}

#[test]
fn a_filter_keeps_the_cases_whose_name_contains_it() {
    let (cases, _) = cases::load(&shipped(), Some("yardi/pseudo"));
    let names: Vec<&str> = cases.iter().map(cases::Case::name).collect();
    assert_eq!(names, ["yardi/pseudo-unit"]);
}

#[test]
fn a_misspelt_key_of_a_case_is_refused_with_its_place() {
    assert_eq!(
        problems_of(
            "version: 1\nrecrod: { id: a }\nexpect:\n  residents:\n    - { id: a, status: current, emial: x }\n"
        ),
        [
            "scripts/tests/pms/one.yaml:2:1: recrod: unknown field; did you mean `record`?",
            "scripts/tests/pms/one.yaml:5:33: expect.residents.0.emial: unknown field; did you mean `email`?",
        ]
    );
}

#[test]
fn a_case_without_readable_records_is_refused_with_what_to_do() {
    for (case, problem) in [
        (
            "expect: {}\n",
            "1:1: there is no record; add `record`, or `records` with a list or a file",
        ),
        (
            "record: { id: a }\nrecords: []\nexpect: {}\n",
            "3:1: records: stands beside `record`; keep one of them",
        ),
        (
            "record: <a/>\nexpect: {}\n",
            "2:9: record: is no mapping; write the record as YAML, or add `format: xml` if it is XML text",
        ),
        (
            "record: <a><b></a>\nformat: xml\nexpect: {}\n",
            "2:9: record: the answer is not readable as XML: its elements do not match",
        ),
        (
            "records: ../../../secret.json\nexpect: {}\n",
            "2:10: records: is no file beside the case; write its name",
        ),
        (
            "records: [{ id: a }]\npath: data\nexpect: {}\n",
            "3:7: path: says how to read a file, and `records` names none; remove it",
        ),
    ] {
        assert_eq!(
            problems_of(&format!("version: 1\n{case}")),
            [format!("scripts/tests/pms/one.yaml:{problem}")]
        );
    }
    let missing = problems_of("version: 1\nrecords: gone.json\nexpect: {}\n");
    assert!(
        missing[0]
            .starts_with("scripts/tests/pms/one.yaml:2:10: records: `gone.json` cannot be read: "),
        "{missing:?}"
    );
    assert_eq!(
        problems_of("version: 2\nrecord: { id: a }\nexpect: {}\n"),
        ["scripts/tests/pms/one.yaml:1:10: version: this epms reads version 1, not 2"]
    );
}

#[test]
fn a_failing_case_shows_each_field_that_differs() {
    let diff = diff_of(concat!(
        "version: 1\n",
        "records:\n",
        "  - { id: a, first: Ana, email: ana@example.com, unit: '1' }\n",
        "  - { id: b, first: Ben, unit: WAIT }\n",
        "  - { id: c, first: Cyd }\n",
        "  - { id: d, end: 2026-02-30 }\n",
        "  - { id: f }\n",
        "expect:\n",
        "  residents:\n",
        "    - { id: a, first_name: Anna, unit: { id: '1', label: A-1 }, status: current, status_word: Here }\n",
        "    - { id: b, first_name: Ben, status: current, status_word: Here }\n",
        "    - { id: e, first_name: Eve, email: eve@example.com, status: past, status_word: Gone }\n",
        "  excluded: [{ id: f, reason: model unit }]\n",
        "  error: { field: start, message: is no date }\n",
    ));
    assert_eq!(
        diff.join("\n"),
        "\
resident a:
  - first_name: Anna
  + first_name: Ana
  - unit.label: A-1
  + unit.label: 1
  + email: ana@example.com
resident b: was left out: waiting list
resident e: did not come
excluded f: came in; expected to be left out: model unit
resident c: came, and is not expected
  + id: c
  + relationship: primary
  + first_name: Cyd
  + last_name: \"\"
  + status: current
  + status_word: Here
error:
  - start: is no date
  + scripts/pms.rhai:4:27: end: is no date of the form %Y-%m-%d"
    );
}

#[test]
fn somebody_who_came_under_another_id_is_told_as_that() {
    let diff = diff_of(concat!(
        "version: 1\n",
        "records: [{ id: a-1, first: Ana, email: ana@example.com }]\n",
        "expect:\n",
        "  residents:\n",
        "    - { id: a, first_name: Ana, email: ana@example.com, status: current, status_word: Here }\n",
    ));
    assert_eq!(diff, ["resident a:", "  - id: a", "  + id: a-1"]);
}

#[test]
fn of_several_errors_each_must_come_and_no_other_may() {
    let case = |errors: &str| {
        diff_of(&format!(
            "version: 1\nrecords: [{{ id: a, end: x }}, {{ id: [] }}]\nexpect:\n  errors: {errors}\n"
        ))
    };
    assert!(
        case("[{ field: end }, { field: id }]").is_empty(),
        "{:#?}",
        case("[]")
    );
    assert_eq!(
        case("[{ field: end }, { field: start }]").len(),
        3,
        "{:#?}",
        case("[{ field: end }, { field: start }]")
    );
}

#[test]
fn a_case_that_is_right_has_no_difference_whatever_the_order() {
    let diff = diff_of(concat!(
        "version: 1\n",
        "records: [{ id: a }, { id: b }, { id: a, first: Ana }, { id: c, unit: WAIT }, { id: d, end: x }]\n",
        "expect:\n",
        "  residents:\n",
        "    - { id: b, status: current, status_word: Here }\n",
        "    - { id: a, status: current, status_word: Here }\n",
        "    - { id: a, first_name: Ana, status: current, status_word: Here }\n",
        "  excluded: [{ id: c, reason: waiting list }]\n",
        "  error: { field: end }\n",
    ));
    assert!(diff.is_empty(), "{diff:#?}");
}

#[test]
fn a_recorded_answer_is_taken_apart_as_the_connector_would() {
    let read = |case: &str, answer: &str| {
        let (folder, home) = home_with(&format!("version: 1\n{case}expect: {{}}\n"));
        std::fs::write(folder.path().join("scripts/tests/pms/answer"), answer).unwrap();
        let (cases, problems) = cases::load(&home, None);
        let library = Library::read(&home.scripts()).unwrap();
        match cases.first() {
            Some(_) => cases::run(&cases, &library).remove(0).diff,
            None => problems.iter().map(ToString::to_string).collect(),
        }
    };
    let soap = "<Envelope><Body><R><Text>&lt;L&gt;&lt;P&gt;&lt;id&gt;7&lt;/id&gt;&lt;/P&gt;&lt;/L&gt;</Text></R></Body></Envelope>";
    let came = |diff: Vec<String>| diff.iter().any(|line| line == "  + id: 7");
    let inside = "records: answer\nformat: soap\ninner: { path: R/Text }\npath: L/P\n";
    assert!(came(read(inside, soap)), "{:?}", read(inside, soap));
    let csv = "records: answer\nformat: csv\ndelimiter: \";\"\n";
    assert!(
        came(read(csv, "id;first\n7;\"A;B\"\n")),
        "{:?}",
        read(csv, "id;first\n7;A\n")
    );
    assert_eq!(
        read(
            inside,
            "<Envelope><Body><R><Text>down</Text></R></Body></Envelope>"
        ),
        [
            "scripts/tests/pms/one.yaml:2:10: records: `answer`: the answer is not readable as XML: it has no element"
        ]
    );
    assert_eq!(
        read("records: answer\nformat: csv\ndelimiter: \"→\"\n", ""),
        [
            "scripts/tests/pms/one.yaml:4:12: delimiter: cannot separate columns; write one such as \";\""
        ]
    );
    assert_eq!(
        read("record: { id: a }\ninner: { path: a }\n", ""),
        [
            "scripts/tests/pms/one.yaml:3:1: inner: says how to read a file, and `records` names none; remove it"
        ]
    );
}

#[test]
fn lookups_may_stand_in_an_answer_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let tests = folder.path().join("scripts/tests/pms");
    std::fs::create_dir_all(&tests).unwrap();
    std::fs::write(
        folder.path().join("scripts/pms.rhai"),
        r#"fn residents(record, ctx) {
            let unit = ctx.lookup("units", record.unit);
            #{ id: record.id, unit: unit.name, status: "current" }
        }"#,
    )
    .unwrap();
    let case = |lookup: &str| {
        std::fs::write(
            tests.join("one.yaml"),
            format!(
                "version: 1\nrecord: {{ id: a, unit: 7 }}\nlookups:\n  units:\n    - {lookup}\n\
                 expect:\n  residents: [{{ id: a, unit: {{ id: 2B, label: 2B }}, status: current }}]\n"
            ),
        )
        .unwrap();
        let home = Home::at(folder.path());
        let (cases, problems) = cases::load(&home, None);
        match cases.first() {
            Some(_) => {
                cases::run(&cases, &Library::read(&home.scripts()).unwrap())
                    .remove(0)
                    .diff
            }
            None => problems.iter().map(ToString::to_string).collect(),
        }
    };
    std::fs::write(
        tests.join("units.json"),
        r#"{"u": [{"id": 7, "name": "2B"}]}"#,
    )
    .unwrap();
    let right = case("{ file: units.json, path: u, id: id }");
    assert!(right.is_empty(), "{right:#?}");
    let file = "scripts/tests/pms/one.yaml";
    assert_eq!(
        case("{ file: units.json, path: rows, id: id }"),
        [format!(
            "{file}:5:15: lookups.units.0.file: `units.json`: there is nothing at `rows` in the answer"
        )]
    );
    assert_eq!(
        case("{ file: ../units.json, id: a//b }"),
        [
            format!(
                "{file}:5:15: lookups.units.0.file: is no file beside the case; write its name"
            ),
            format!(
                "{file}:5:34: lookups.units.0.id: `a//b` has an empty name between two `/`; remove one"
            ),
        ]
    );
}

#[test]
fn an_exclusion_that_fails_rejects_that_resident_and_no_other_of_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let tests = folder.path().join("scripts/tests/pms");
    std::fs::create_dir_all(&tests).unwrap();
    std::fs::write(
        folder.path().join("scripts/pms.rhai"),
        r#"fn residents(record, ctx) {
            list(record, "ids").map(|id| #{ id: id, status: "current", status_word: "Here" })
        }
        fn exclude(resident, ctx) { if resident.id == "b" { 1 } }"#,
    )
    .unwrap();
    std::fs::write(
        tests.join("one.yaml"),
        "version: 1\nrecord: { ids: [a, b] }\nexpect:\n  residents: [{ id: a, status: current, status_word: Here }]\n  \
         error: { message: gives a reason as text }\n",
    )
    .unwrap();
    let home = Home::at(folder.path());
    let (cases, problems) = cases::load(&home, None);
    assert!(problems.is_empty(), "{problems:#?}");
    let library = Library::read(&home.scripts()).unwrap();
    let outcome = cases::run(&cases, &library).remove(0);
    assert!(outcome.passed, "{:#?}", outcome.diff);
}
