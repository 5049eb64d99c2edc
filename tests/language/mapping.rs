//! `epms map` and `epms test` as somebody uses them who writes a script: what they show, and `--watch`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::support::{Home, epms, said, told};
use serde_json::{Value, json};

const ANSWER: &str = r#"{"data": [
    {"Id": "a", "FirstName": "Ana", "LastName": "Ortiz", "Email": "ana@example.com", "Status": "Current", "LeaseStartDate": "2026-01-01"},
    {"Id": "b", "FirstName": "Ben", "LastName": "Elm", "Status": "Gone", "PrimaryTenant": false},
    {"Id": "c", "Status": "Past", "LeaseEndDate": "2026-02-30"}
]}"#;

/// A home with an answer of AppFolio, and a script that leaves somebody out.
fn home() -> Home {
    let home = Home::new();
    home.write("answer.json", ANSWER);
    let script = home.read("scripts/appfolio.rhai");
    let script = script
        .replace("lease_end: to_date", "lease_end: parse_date")
        .replace(
            "names::nobody(resident)",
            "if resident.first_name == \"Ben\" { \"not Ben\" }",
        );
    home.write("scripts/appfolio.rhai", script);
    home
}

async fn map(home: &Home, words: &[&str]) -> (Option<i32>, String) {
    let answer = home.path("answer.json");
    let mut all = vec!["map", "appfolio"];
    all.push(answer.to_str().unwrap());
    all.extend(words);
    let output = home.epms(&all).await;
    let shown = told(&output).replace(home.root().to_str().unwrap(), "HOME");
    (output.status.code(), shown)
}

#[tokio::test]
async fn a_script_on_an_answer_shows_who_comes_in_who_is_left_out_and_what_cannot_be_mapped() {
    let home = home();
    let (code, shown) = map(&home, &[]).await;
    assert_eq!(code, Some(1), "{shown}");
    insta::assert_snapshot!(shown);
}

/// B8: an evening in October is a day in November in Berlin.
#[tokio::test]
async fn a_moment_is_mapped_to_the_day_in_the_time_zone_that_is_given() {
    let home = Home::new();
    let script = "fn residents(record, ctx) { #{ id: record.Id, last_name: \"Elm\", status: \"current\", lease_start: instant_date(record, \
                  \"From\", ctx.timezone), move_in: epoch_date(record, \"In\", \"ms\", ctx.timezone), phone: first(phones(record.Phone)) } }";
    home.write("scripts/appfolio.rhai", script);
    let row = json!({ "Id": 1, "From": "2026-10-31T23:00:00Z", "In": "/Date(1772323200000)/", "Phone": "mobil: 0151/23456789" });
    home.write("answer.json", json!({ "data": [row] }).to_string());
    for (zone, country, from, moved_in, phone) in [
        (
            "Europe/Berlin",
            "DE",
            "2026-11-01",
            "2026-03-01",
            json!("+4915123456789"),
        ),
        (
            "America/New_York",
            "US",
            "2026-10-31",
            "2026-02-28",
            Value::Null,
        ),
    ] {
        let (code, shown) = map(&home, &["--json", "--timezone", zone, "--country", country]).await;
        assert_eq!(code, Some(0), "{shown}");
        let one: Value = serde_json::from_str(&shown).unwrap();
        let one = &one["residents"][0];
        assert_eq!(one["lease_start"], from);
        assert_eq!(one["move_in"], moved_in);
        assert_eq!(one.get("phone").unwrap_or(&Value::Null), &phone);
    }
    let (code, shown) = map(&home, &["--timezone", "Europe/Berlim"]).await;
    assert_eq!(code, Some(2));
    assert!(
        shown.contains("`Europe/Berlim` is no IANA time zone; did you mean `Europe/Berlin`?"),
        "{shown}"
    );
}

/// The same text stood there for each record of an answer.
#[tokio::test]
async fn what_a_script_prints_is_shown_and_the_same_error_of_many_records_once() {
    let home = Home::new();
    let script = "fn residents(record, ctx) {\n  print(`got ${record.Id}`);\n  #{ id: record.Id, status: record.Status.to_lower() }\n}\n";
    home.write("scripts/appfolio.rhai", script);
    let rows: Vec<Value> = (1..=5)
        .map(|id| json!({ "Id": id, "Status": null }))
        .collect();
    home.write("answer.json", json!({ "data": rows }).to_string());
    let (code, shown) = map(&home, &[]).await;
    assert_eq!(code, Some(1), "{shown}");
    assert!(
        shown.contains("record 1: got 1\n  record 2: got 2\n"),
        "{shown}"
    );
    let told = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        told.contains("5 times: record 1 (1), record 2 (2), record 3 (3), …: scripts/appfolio.rhai:3:43: `record.Status` is absent here"),
        "{told}"
    );
    assert_eq!(told.matches("is absent here").count(), 1, "{told}");
    let (_, shown) = map(&home, &["--json"]).await;
    let report: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(report["errors"].as_array().unwrap().len(), 5);
    assert_eq!(
        report["printed"][4],
        json!({ "record": 5, "text": "got 5" })
    );
    // A test tells it too.
    let case = format!("version: 1\nrecords: {}\nexpect: {{}}\n", Value::from(rows));
    home.write("scripts/tests/appfolio/printed.yaml", case);
    let output = home.epms(&["test", "appfolio/printed"]).await;
    let tested = crate::support::told(&output);
    assert!(tested.contains("record 5 printed: got 5"), "{tested}");
    assert!(tested.contains("(5 times)"), "{tested}");
    assert_eq!(tested.matches("is absent here").count(), 1, "{tested}");
}

#[tokio::test]
async fn what_came_out_is_accepted_as_what_a_test_expects_and_all_else_of_it_stays() {
    let home = Home::new();
    let case = "scripts/tests/appfolio/accepted.yaml";
    home.write(
        case,
        "# A case.\nversion: 1\nexpect:\n  residents: []\n# Why that day.\ntoday: 2026-03-01\nrecord:\n  { Id: a, FirstName: Ana, LastName: Ortiz, Status:          Current }\n",
    );
    let output = home.epms(&["test", "appfolio/accepted"]).await;
    assert_eq!(output.status.code(), Some(1));
    let output = home.epms(&["test", "appfolio/accepted", "--accept"]).await;
    let shown = told(&output);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert!(shown.contains("ACCEPTED appfolio/accepted"), "{shown}");
    assert!(shown.contains("+ first_name: Ana"), "{shown}");
    assert!(shown.contains("0 passed, 0 failed, 1 accepted"), "{shown}");
    let written = home.read(case);
    assert!(
        written.starts_with("# A case.\nversion: 1\nexpect:\n  residents:\n    - { id: a, "),
        "{written}"
    );
    assert!(
        written.contains("}\n# Why that day.\ntoday: 2026-03-01\nrecord:\n"),
        "{written}"
    );
    let output = home.epms(&["test", "appfolio/accepted"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    // Nothing is accepted of a script that cannot be compiled.
    home.write(
        "scripts/appfolio.rhai",
        "fn residents(record, ctx) { nowhere(record) }",
    );
    let output = home.epms(&["test", "appfolio/accepted", "--accept"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(home.read(case), written);
}

#[tokio::test]
async fn as_json_an_error_has_its_file_line_column_and_the_field_of_the_pms() {
    let home = home();
    let (code, shown) = map(&home, &["--json"]).await;
    assert_eq!(code, Some(1));
    let report: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(report["residents"][0]["email"], "ana@example.com");
    assert_eq!(
        report["excluded"],
        json!([{ "id": "b", "reason": "not Ben" }])
    );
    let error = &report["errors"][0];
    assert_eq!((&error["record"], &error["id"]), (&json!(3), &json!("c")));
    assert_eq!(error["file"], "scripts/appfolio.rhai");
    assert_eq!(error["field"], "LeaseEndDate");
    let line = home.read("scripts/appfolio.rhai");
    let line = line
        .lines()
        .position(|line| line.contains("\"LeaseEndDate\""))
        .unwrap()
        + 1;
    assert_eq!(error["place"]["line"], json!(line));
    assert!(error["place"]["column"].as_u64() > Some(1), "{error}");
}

#[tokio::test]
async fn every_connector_finds_the_records_of_its_recorded_answer() {
    let home = Home::new();
    for (pms, file) in [
        ("appfolio", "answer-of-one-page.json"),
        ("entrata", "answer.json"),
        ("mri", "answer.json"),
        ("rentmanager", "answer.json"),
        ("resman", "answer.json"),
        ("realpage", "answer.xml"),
        ("yardi", "answer.xml"),
    ] {
        let file = home.path(&format!("scripts/tests/{pms}/{file}"));
        let script = home.path(&format!("scripts/{pms}.rhai"));
        let words = [
            "map",
            script.to_str().unwrap(),
            file.to_str().unwrap(),
            "--json",
        ];
        let output = home.epms(&words).await;
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["connector"], json!(pms));
        assert!(
            !report["residents"].as_array().unwrap().is_empty(),
            "{report}"
        );
    }
}

#[tokio::test]
async fn a_script_without_a_connector_is_told_where_the_records_are() {
    let home = Home::new();
    home.write(
        "scripts/lone.rhai",
        "fn residents(record, ctx) { #{ id: text(record, \"id\"), status: \"current\", first_name: ctx.property, last_name: \"Elder\" } }",
    );
    let map = async |text: &str, words: &[&str]| {
        home.write("rows", text);
        let rows = home.path("rows");
        let mut all = vec!["map", "lone.rhai", rows.to_str().unwrap(), "--json"];
        all.extend(words);
        let output = home.epms(&all).await;
        let report: Option<Value> = serde_json::from_slice(&output.stdout).ok();
        (
            report.map(|report| report["residents"].clone()),
            told(&output),
        )
    };
    let only = |id: &str, name: &str| {
        Some(
            json!([{ "id": id, "relationship": "primary", "first_name": name, "last_name": "Elder", "status": "current", "status_word": "" }]),
        )
    };
    let (came, _) = map("id;x\n7;y\n", &["--format", "csv", "--delimiter", ";"]).await;
    assert_eq!(came, only("7", ""));
    let xml = "<R><L><P><id>8</id></P></L></R>";
    let (came, _) = map(
        xml,
        &["--format", "xml", "--records", "R/L/P", "--property", "p1"],
    )
    .await;
    assert_eq!(came, only("8", "p1"));
    let (came, shown) = map("{\"list\": [{\"id\": 9}]}", &["--records", "rows"]).await;
    assert_eq!(came, None);
    assert!(shown.contains("there is nothing at `rows`"), "{shown}");
    assert!(shown.contains("--records PATH"), "{shown}");
}

#[tokio::test]
async fn an_answer_is_mapped_in_the_encoding_and_with_the_columns_that_the_command_line_says() {
    let home = Home::new();
    let script = "fn residents(record, ctx) { #{ id: record.id, last_name: record.n, status: \"current\" } }";
    home.write("scripts/lone.rhai", script);
    let rows = home.path("rows.csv");
    std::fs::write(&rows, b"id,n\n1,Zo\xeb\n").unwrap();
    let rows = rows.to_str().unwrap();
    let map = async |words: &[&str]| {
        home.epms(&[&["map", words[0], rows], &words[1..]].concat())
            .await
    };
    assert!(said(&map(&["lone"]).await, 1).contains("not valid UTF-8"));
    let mapped = said(&map(&["lone", "--encoding", "Windows-1252"]).await, 0);
    assert!(mapped.contains("Zoë"), "{mapped}");
    let wrong = said(&map(&["lone", "--encoding", "1252x"]).await, 2);
    assert!(wrong.contains("no encoding that is known"), "{wrong}");
    // Also where a connector says where the records are.
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ledger");
    for name in ["config", "scripts"] {
        home.copy(&fixtures, name);
    }
    std::fs::write(
        rows,
        b"Persona,Nombre,Situaci\xf3n\n7,\"Pe\xf1a, Zo\xeb\",Vigente\n",
    )
    .unwrap();
    let words = ["ledger", "--delimiter", ",", "--encoding", "iso-8859-1"];
    let mapped = said(&map(&words).await, 0);
    assert!(
        mapped.contains("Zoë Peña") && mapped.contains("connector ledger"),
        "{mapped}"
    );
}

#[tokio::test]
async fn a_mapping_test_about_an_answer_says_nothing_of_how_a_file_is_read() {
    let home = Home::new();
    let case = "scripts/tests/appfolio/odd.yaml";
    for (word, is_told) in [
        ("encoding: utf-8", true),
        ("csv: { skip: 1 }", true),
        ("today: 2026-01-01", false),
    ] {
        home.write(case, format!("version: 1\n{word}\nanswer: {{ status: 401 }}\nexpect: {{ verdict: login_failed }}\n"));
        let tested = home.epms(&["test", "appfolio/odd"]).await;
        let told = said(&tested, i32::from(is_told));
        assert_eq!(
            told.contains("the case is about an `answer`"),
            is_told,
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_mapping_test_brings_its_lookups() {
    let home = Home::new();
    let case = home.path("scripts/tests/appfolio/unit-by-lookup.yaml");
    let output = home
        .epms(&["map", "appfolio", case.to_str().unwrap()])
        .await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(
        !told(&output).contains("looks things up"),
        "{}",
        told(&output)
    );
}

/// A command that goes on, line by line.
struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Watch {
    fn start(home: &Home, words: &[&str]) -> Watch {
        let mut command = epms();
        command
            .args(["--home".as_ref(), home.root().as_os_str()])
            .args(words);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (give, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if give.send(line).is_err() {
                    break;
                }
            }
        });
        Watch { child, lines }
    }

    /// The next line that says so.
    fn next(&self, what: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(Duration::from_mins(1));
            let line = line.unwrap_or_else(|_| panic!("`{what}` is not shown"));
            if line.contains(what) {
                return line;
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn map_runs_again_at_each_save_of_the_script_its_imports_and_the_answer() {
    let home = home();
    home.write(
        "answer.json",
        r#"{"data": [{"Id": "a", "FirstName": "Ana", "Email": "ana@example.com", "Status": "Current"}]}"#,
    );
    let answer = home.path("answer.json");
    let watch = Watch::start(
        &home,
        &["map", "appfolio", answer.to_str().unwrap(), "--watch"],
    );
    watch.next("1 record: 1 resident");
    home.edit_by_rename(
        "scripts/appfolio.rhai",
        "first_name: get(name, \"first\")",
        "first_name: \"Zed\"",
    );
    watch.next("Zed");
    home.edit(
        "scripts/lib/contacts.rhai",
        "first(emails(value))",
        "\"zed@example.org\"",
    );
    watch.next("zed@example.org");
    home.edit("answer.json", "\"Current\"", "\"Notice\"");
    watch.next("current (Notice), notice");
    // What is wrong stands in the place of the residents, until it is right again.
    home.edit(
        "scripts/appfolio.rhai",
        "notice: same(word",
        "notice: sam(word",
    );
    watch.next("there is no function `sam`");
    home.edit(
        "scripts/appfolio.rhai",
        "notice: sam(word",
        "notice: !same(word",
    );
    watch.next("current (Notice)");
}

#[tokio::test]
async fn tests_run_again_at_each_save_of_a_script_a_test_or_an_answer() {
    let home = Home::new();
    let watch = Watch::start(&home, &["test", "appfolio/", "--watch"]);
    watch.next("0 failed");
    home.edit(
        "scripts/appfolio.rhai",
        "\"Evict\": \"current\"",
        "\"Evict\": \"past\"",
    );
    watch.next("FAILED appfolio/evict");
    watch.next("- status: current");
    watch.next("+ status: past");
    home.edit(
        "scripts/appfolio.rhai",
        "\"Evict\": \"past\"",
        "\"Evict\": \"current\"",
    );
    watch.next("0 failed");
    home.edit(
        "scripts/tests/appfolio/answer-of-one-page.json",
        "\"Id\":",
        "\"Idd\":",
    );
    watch.next("FAILED appfolio/answer-of-one-page");
}

/// A script of which a function, and a word of its statuses, are in no test.
fn partly_tested() -> Home {
    let home = Home::new();
    for folder in ["scripts", "config/connectors"] {
        std::fs::remove_dir_all(home.path(folder)).unwrap();
    }
    std::fs::create_dir_all(home.path("scripts/tests/pms")).unwrap();
    home.write(
        "scripts/pms.rhai",
        "fn statuses() { #{ \"Here\": \"current\", \"Gone\": \"past\" } }

fn residents(record, ctx) {
    #{ id: text(record, \"id\"), first_name: text(record, \"first\"), email: if record.x { email(record) },
       status: to_status(text(record, \"status\"), statuses()), status_word: text(record, \"status\") }
}

fn email(record) {
    first(emails(text(record, \"email\")))
}
",
    );
    home.write(
        "scripts/tests/pms/here.yaml",
        "version: 1
record: { id: a, first: Ana, status: Here, x: false }
expect:
  residents: [{ id: a, first_name: Ana, status: current, status_word: Here }]
",
    );
    home
}

#[tokio::test]
async fn what_no_test_touches_is_listed_with_its_place() {
    let home = partly_tested();
    let output = home.epms(&["test"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    insta::assert_snapshot!("untested", told(&output));
    let output = home.epms(&["test", "--json"]).await;
    let results: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        results["coverage"],
        json!({
            "functions": 3,
            "untested_functions": [
                { "file": "scripts/pms.rhai", "place": { "line": 8, "column": 18 }, "signature": "email(record)" }
            ],
            "status_words": 2,
            "untested_status_words": [{ "file": "scripts/pms.rhai", "word": "Gone" }],
            "untested_scripts": [],
        })
    );
}

#[tokio::test]
async fn a_test_that_fails_shows_what_was_expected_and_what_came() {
    let home = partly_tested();
    home.write(
        "scripts/tests/pms/several.yaml",
        "version: 1
records:
  - { id: a, first: Ana, status: Here, x: true, email: ana@example.com }
  - { id: b-1, first: Ben, status: Gone, x: false }
  - { id: c, first: Cyd, status: Here }
expect:
  residents:
    - { id: a, first_name: Anna, status: current, status_word: Here }
    - { id: b, first_name: Ben, status: past, status_word: Gone }
    - { id: d, first_name: Dov, status: current, status_word: Here }
",
    );
    let junit = home.path("junit.xml");
    let output = home
        .epms(&["test", "--junit", junit.to_str().unwrap()])
        .await;
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!("failing", told(&output));
    let junit = home.read("junit.xml");
    assert!(junit.contains("failures=\"1\""), "{junit}");
    assert!(junit.contains("- first_name: Anna\n"), "{junit}");
}

/// Recording 7: `map` showed residents whom a run rejected, and a date where the run had none.
#[tokio::test]
async fn map_says_what_a_run_says_in_the_normal_forms() {
    let home = Home::new();
    let resident = |code: &str, other: &str| {
        format!(
            "<Resident tCode=\"{code}\"><Status>Current</Status><FirstName>Eve</FirstName><LastName>Rask</LastName>{other}\
             <LeaseFromDate>09/15/2025</LeaseFromDate><MoveInDate>00/00/0000</MoveInDate></Resident>"
        )
    };
    let residents = [
        resident(
            "t3",
            "<LeaseToDate>03/14/2025</LeaseToDate><Email>gil de la snow@example.net</Email>",
        ),
        resident(
            "t4",
            "<LeaseToDate>13/45/2026</LeaseToDate><Email>Eve Rask &lt;Eve@example.net&gt;</Email>",
        ),
    ];
    let answer = format!(
        "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body><GetResidentsResponse><GetResidentsResult>\
         <MITS-ResidentData><PropertyResidents Code=\"Y1\"><Residents>{}</Residents></PropertyResidents></MITS-ResidentData>\
         </GetResidentsResult></GetResidentsResponse></soap:Body></soap:Envelope>",
        residents.concat()
    );
    home.write("residents.xml", answer);
    let answer = home.path("residents.xml");
    let mut words = vec!["map", "yardi", answer.to_str().unwrap(), "--json"];
    let output = home.epms(&words).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let [rolled, odd] = &report["residents"].as_array().unwrap()[..] else {
        panic!("{report}");
    };
    assert_eq!(rolled["unreadable"], json!(["lease_start", "lease_end"]));
    for absent in ["lease_start", "lease_end", "move_in", "email"] {
        assert_eq!(rolled.get(absent), None, "{rolled}");
    }
    assert_eq!(
        (&odd["lease_start"], &odd["unreadable"]),
        (&json!("2025-09-15"), &json!(["lease_end"]))
    );
    assert_eq!(odd["email"], "eve@example.net");
    assert_eq!(
        report["notes"],
        json!({ "invalid_email": 1, "unreadable_date": 3 })
    );
    words.pop();
    let shown = told(&home.epms(&words).await);
    assert!(shown.contains("unreadable – unreadable"), "{shown}");
    assert!(shown.contains("2025-09-15 – unreadable"), "{shown}");
    assert!(
        shown.contains("notes, as a run has them: invalid_email 1, unreadable_date 3"),
        "{shown}"
    );
}
