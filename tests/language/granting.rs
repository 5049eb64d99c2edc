//! `epms test` and `epms map` with the script of a target, as somebody who writes one types them.

use crate::support::{Doors, Home, said};

async fn begin() -> Home {
    let home = Home::new();
    Doors::start().await.files(&home, "");
    home.write(
        "answer.json",
        r#"{ "grants": [{ "id": 7, "holder": "ada@example.com", "door": "d1", "by": "feed" }, { "id": 8, "holder": "guest@example.com", "door": "d2" }] }"#,
    );
    std::fs::create_dir_all(home.path("scripts/tests/doors")).unwrap();
    home.write(
        "scripts/tests/doors/lives.yaml",
        "version: 1\nperson: { email: ada@example.com, last_name: Quill, places: [{ place: d1 }] }\nexpect: {}\n",
    );
    home.write(
        "scripts/tests/doors/granted.yaml",
        "version: 1\nrecord: { id: 7, holder: ada@example.com, door: d1, by: feed }\nexpect: {}\n",
    );
    home
}

/// The arguments with the file's whole path behind them.
async fn map(home: &Home, words: &[&str], file: &str, exit: i32) -> String {
    let path = home.path(file);
    let all = [&["map", "doors"], words, &[path.to_str().unwrap()]].concat();
    said(&home.epms(&all).await, exit).replace(home.root().to_str().unwrap(), "HOME")
}

#[tokio::test]
async fn an_answer_is_mapped_by_the_operation_that_it_answers() {
    let home = begin().await;
    let text = map(&home, &[], "answer.json", 1).await;
    insta::assert_snapshot!(text, @r#"
    scripts/doors.rhai on HOME/answer.json: an answer to `target.list` of the connector doors

    HELD                ID  WITH
    ada@example.com d1  7   door: d1, holder: "ada@example.com", label: null

    could not be mapped
      record 2: scripts/doors.rhai:12:23: by: there is no `by`; if it may be left out, read it with get(record, "by")

    2 records: 1 grant held, 0 none of ours, 1 not mapped
    "#);
    for request in ["list", "target.list"] {
        assert_eq!(
            map(&home, &["--request", request], "answer.json", 1).await,
            text
        );
    }
    let told = map(&home, &["--request", "create"], "answer.json", 2).await;
    assert!(told.contains("or reads a target back"), "{told}");
}

#[tokio::test]
async fn a_mapping_test_is_mapped_and_is_no_person() {
    let home = begin().await;
    let text = map(&home, &[], "scripts/tests/doors/lives.yaml", 0).await;
    insta::assert_snapshot!(text, @r#"
    scripts/doors.rhai on HOME/scripts/tests/doors/lives.yaml

    WANTED              ID  WITH
    ada@example.com d1      door: d1, holder: "ada@example.com", label: Quill

    1 person: 1 grant wanted, 0 not mapped
    "#);
    let told = map(&home, &["--person"], "scripts/tests/doors/lives.yaml", 2).await;
    assert!(
        told.contains("is a mapping test; give it without --person"),
        "{told}"
    );
}

#[tokio::test]
async fn what_came_out_is_written_into_tests_that_expect_nothing() {
    let home = begin().await;
    said(&home.epms(&["test", "doors/"]).await, 1);
    said(&home.epms(&["test", "doors/", "--accept"]).await, 0);
    let written =
        ["lives", "granted"].map(|case| home.read(&format!("scripts/tests/doors/{case}.yaml")));
    insta::assert_snapshot!(written.concat(), @r#"
    version: 1
    person: { email: ada@example.com, last_name: Quill, places: [{ place: d1 }] }
    expect:
      wanted:
        - { key: "ada@example.com d1", door: d1, holder: "ada@example.com", label: Quill }
    version: 1
    record: { id: 7, holder: ada@example.com, door: d1, by: feed }
    expect:
      held: { key: "ada@example.com d1", id: "7", door: d1, holder: "ada@example.com", label: null }
    "#);
    said(&home.epms(&["test", "doors/"]).await, 0);
    said(&home.epms(&["check", "--strict"]).await, 0);
}
