//! Words of the connector language, each against a server of a few lines on loopback.

use crate::support::small_pms::{Asked, Pms, Reply, compile, ok};
use serde_json::{Value, json};

/// A connector whose residents are asked so.
fn residents(more: &str) -> String {
    format!(
        "requests: {{ residents: {{ url: \"{{{{ credential.url }}}}/people\", id: id, {more} }} }}\n"
    )
}

/// What is wrong with a connector.
fn problems(yaml: &str) -> String {
    let problems = compile(yaml).unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    told.join("\n")
}

async fn answered(yaml: &str, answer: &'static [u8]) -> Vec<Value> {
    let pms = Pms::start(yaml, move |_, _: &Asked| ok(answer)).await;
    pms.records().await
}

async fn refused(yaml: &str, answer: &'static [u8]) -> String {
    let pms = Pms::start(yaml, move |_, _: &Asked| ok(answer)).await;
    pms.failure().await.to_string()
}

#[tokio::test]
async fn an_answer_is_read_in_the_encoding_that_the_connector_says_and_by_its_mark_before_that() {
    let yaml = residents("format: csv, encoding: windows-1252");
    let head = |headers: Vec<(&'static str, String)>, body: &'static [u8]| {
        move |_: usize, _: &Asked| Reply(200, headers.clone(), body.to_vec())
    };
    let wrong = vec![("content-type", "text/csv; charset=utf-8".to_owned())];
    let pms = Pms::start(&yaml, head(wrong, b"id,name\n1,Zo\xeb\n")).await;
    assert_eq!(pms.records().await, [json!({"id": "1", "name": "Zoë"})]);
    let marked = "\u{feff}id,name\n1,Zoë\n".as_bytes();
    assert_eq!(
        answered(&yaml, marked).await,
        [json!({"id": "1", "name": "Zoë"})]
    );
    let told = problems(&residents("format: csv, encoding: windows1252x"));
    assert!(told.contains("no encoding that is known"), "{told}");
}

#[tokio::test]
async fn the_header_goes_before_the_declaration_of_xml_and_what_reads_as_ascii_is_not_utf_16() {
    let yaml = residents("format: xml, records: a/p");
    let xml = "<?xml version=\"1.0\" encoding=\"utf-16\"?><a><p><id>1</id><n>Zoë</n></p></a>";
    let said = move |kind: &'static str| {
        move |_: usize, _: &Asked| Reply(200, vec![("content-type", kind.into())], xml.into())
    };
    for kind in [
        "text/xml",
        "text/xml; charset=utf-16",
        "text/xml; charset=UTF-8",
    ] {
        let pms = Pms::start(&yaml, said(kind)).await;
        assert_eq!(
            pms.records().await,
            [json!({"id": "1", "n": "Zoë"})],
            "{kind}"
        );
    }
    let latin = |_: usize, _: &Asked| {
        let kind = "application/xml; Charset = \"windows-1252\"".to_owned();
        let body =
            b"<?xml version=\"1.0\" encoding=\"utf-8\"?><a><p><id>1</id><n>Zo\xeb</n></p></a>";
        Reply(200, vec![("content-type", kind)], body.to_vec())
    };
    let pms = Pms::start(&yaml, latin).await;
    assert_eq!(pms.records().await, [json!({"id": "1", "n": "Zoë"})]);
}

#[tokio::test]
async fn nothing_at_records_is_nobody_only_where_the_answer_says_so() {
    let yaml =
        residents("format: json, records: data, missing: { empty: { path: status, equals: ok } }");
    assert!(answered(&yaml, b"{\"status\": \"OK\"}").await.is_empty());
    assert_eq!(
        answered(&yaml, b"{\"status\": \"no\", \"data\": [{\"id\": 1}]}")
            .await
            .len(),
        1
    );
    for other in [
        &b"{\"status\": \"not ok\"}"[..],
        b"{}",
        b"{\"error\": \"ok\"}",
    ] {
        let told = refused(&yaml, other).await;
        assert!(told.contains("there is nothing at `data`"), "{told}");
    }
    let told = problems(&residents("format: json, records: data, missing: empty"));
    assert!(
        told.contains("needs what such an answer must say"),
        "{told}"
    );
    let told = problems(&residents(
        "format: json, records: data, missing: { empty: {} }",
    ));
    assert!(told.contains("matches every answer"), "{told}");
    compile(&residents("format: json, records: data, missing: error")).unwrap();
}

#[tokio::test]
async fn a_rule_may_want_all_of_a_text_and_not_a_part() {
    let yaml = residents(
        "format: json, records: data, errors: [{ path: status, equals: success, is: ok }, { path: status, is: denied }]",
    );
    assert_eq!(
        answered(
            &yaml,
            b"{\"status\": \" Success \", \"data\": [{\"id\": 1}]}"
        )
        .await
        .len(),
        1
    );
    let told = refused(
        &yaml,
        b"{\"status\": \"Unsuccessful\", \"data\": [{\"id\": 1}]}",
    )
    .await;
    assert!(told.contains("denies this"), "{told}");
    let by_header = residents(
        "format: json, errors: [{ header: { name: x-state, equals: down }, is: maintenance }]",
    );
    let say = |state: &'static str| {
        move |_: usize, _: &Asked| Reply(200, vec![("x-state", state.into())], b"[]".to_vec())
    };
    assert!(
        Pms::start(&by_header, say("not down"))
            .await
            .records()
            .await
            .is_empty()
    );
    let told = Pms::start(&by_header, say("Down"))
        .await
        .failure()
        .await
        .to_string();
    assert!(told.contains("maintenance"), "{told}");
}

#[tokio::test]
async fn a_leaf_of_a_json_body_may_be_a_number_or_a_boolean() {
    let body = r#"{ page: "{{ page.number | number }}", text: "{{ page.number }}", "on": ["{{ 'True' | boolean }}"], both: "x{{ 1 | number }}" }"#;
    let yaml = residents(&format!(
        "method: POST, reads: true, format: json, body: {{ json: {body} }}, page: {{ number: {{ first: 1, size: 5, until: empty }} }}"
    ));
    let pms = Pms::start(&yaml, |_, _| ok("[]")).await;
    pms.records().await;
    let sent: Value = serde_json::from_str(&pms.asked().remove(0).body).unwrap();
    assert_eq!(
        sent,
        json!({"page": 1, "text": "1", "on": [true], "both": "x1"})
    );
    let wrong = yaml.replace("page.number | number", "property | number");
    let told = Pms::start(&wrong, |_, _| ok("[]"))
        .await
        .failure()
        .await
        .to_string();
    assert!(told.contains("the value is no number"), "{told}");
}

#[tokio::test]
async fn query_parameters_may_come_twice_and_empty() {
    let yaml = residents(
        "format: json, query: { a: x, none: \"\" }, query_lists: { status: [Current, \"{{ property }}\"], all: [\"\"] }",
    );
    let pms = Pms::start(&yaml, |_, _| ok("[]")).await;
    pms.records().await;
    assert_eq!(pms.paths(), ["/people?a=x&all=&status=Current&status=p1"]);
    let told = problems(&residents(
        "format: json, query: { a: x }, query_lists: { a: [y] }",
    ));
    assert!(told.contains("stands in `query` too"), "{told}");
}

#[tokio::test]
async fn a_name_in_a_path_may_have_a_slash() {
    let yaml = "requests: { residents: { url: \"{{ credential.url }}\", format: json, records: 'a\\/b/c', id: 'x\\/id' } }\n";
    let pms = Pms::start(yaml, |_, _| ok(r#"{"a/b": {"c": [{"x/id": 7}]}}"#)).await;
    assert_eq!(pms.records().await, [json!({"x/id": 7})]);
    assert_eq!(
        pms.source.record_id("residents", r#"{"x/id": 7}"#).unwrap(),
        "7"
    );
    assert_eq!(pms.source.id_path("residents").unwrap(), "x\\/id");
}

/// A report of a nightly export: a zip with CSV in windows-1252, a title before it and a footer behind it.
#[tokio::test]
async fn a_packed_csv_with_a_title_and_a_footer_is_read_and_one_that_was_cut_off_is_told() {
    let yaml = residents(
        "format: csv, delimiter: \";\", encoding: windows-1252, unpack: { zip: \"*.csv\" }, \
         csv: { skip: 2, quote: \"'\", footer: { begins: Rows, counts: true } }",
    );
    let zipped = |text: &[u8]| {
        use std::io::Write;
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, text) in [("readme.txt", &b"nothing"[..]), ("out/people.csv", text)] {
            let options = zip::write::SimpleFileOptions::default();
            writer.start_file(name, options).unwrap();
            writer.write_all(text).unwrap();
        }
        writer.finish().unwrap().into_inner()
    };
    let whole = zipped(b"Residents\r\n\r\nid;name\r\n1;'Zo\xeb; Ana'\r\n2;Bo\r\nRows: 2\r\n");
    let pms = Pms::start(&yaml, move |_, _| ok(whole.clone())).await;
    assert_eq!(
        pms.records().await,
        [
            json!({"id": "1", "name": "Zoë; Ana"}),
            json!({"id": "2", "name": "Bo"})
        ]
    );
    for (cut, told) in [
        (
            &b"Residents\n\nid;name\n1;Ana\n"[..],
            "may have been cut off",
        ),
        (
            b"Residents\n\nid;name\n1;Ana\nRows: 2\n",
            "its footer says 2 rows, and 1 came",
        ),
        (b"Residents\n\nid;name\n1\nRows: 1\n", "1 fields in line 4"),
    ] {
        let packed = zipped(cut);
        let pms = Pms::start(&yaml, move |_, _| ok(packed.clone())).await;
        let error = pms.failure().await.to_string();
        assert!(error.contains(told), "{error}");
    }
    // What is no archive is looked at as it is: an error may stand in it.
    let told = refused(&yaml, b"{\"error\": \"no such report\"}").await;
    assert!(told.contains("2 lines that are skipped"), "{told}");
    let told = problems(&residents("format: json, csv: { skip: 1 }"));
    assert!(told.contains("is only for `format: csv`"), "{told}");
}

const CHANGES: &str = "requests: { residents: { url: \"{{ credential.url }}/{{ property }}\", format: json, records: data, id: id, \
    query: { since: \"{{ since | moment('%Y-%m-%dT%H:%M') }}\" }, since: { overlap: 0s } } }\n";

/// An hour without a change is ordinary, and nobody is missed for it.
#[tokio::test]
async fn of_a_feed_of_changes_everybody_is_read_each_time_also_who_did_not_change() {
    let mut pms = Pms::start(CHANGES, |number, asked: &Asked| {
        assert_eq!(
            asked.to.contains("since="),
            !matches!(number, 0 | 5 | 6),
            "{number} {}",
            asked.to
        );
        match number {
            0 => ok(r#"{"data": [{"id": 1, "n": "Ana"}, {"id": 2, "n": "Bo"}]}"#),
            2 => ok(r#"{"data": [{"id": 2, "n": "Bob"}, {"id": 3, "n": "Cy"}]}"#),
            3 => Reply(500, Vec::new(), Vec::new()),
            5 => ok(r#"{"data": [{"id": 7, "n": "Di"}]}"#),
            6 => ok(r#"{"data": [{"id": 3, "n": "Cy"}]}"#),
            _ => ok(r#"{"data": []}"#),
        }
    })
    .await;
    let (ana, bo) = (json!({"id": 1, "n": "Ana"}), json!({"id": 2, "n": "Bo"}));
    let (bob, cy) = (json!({"id": 2, "n": "Bob"}), json!({"id": 3, "n": "Cy"}));
    let first = [ana.clone(), bo];
    let then = [ana, bob, cy.clone()];
    assert_eq!(pms.records().await, first);
    assert_eq!(pms.records().await, first, "nothing has changed");
    assert_eq!(pms.records().await, then);
    pms.failure().await;
    assert_eq!(
        pms.records().await,
        then,
        "a reading that failed changes nothing"
    );
    // Another property has a feed of its own.
    let (_, others) = pms.read_of(&["p2".into()]).await;
    assert_eq!(others.len(), 1);
    // After a restart all is asked for, and who is not there is there no longer.
    pms.reader = epms::source::Reader::new().unwrap();
    assert_eq!(pms.records().await, [cy]);
}

#[tokio::test]
async fn all_of_a_feed_of_changes_is_read_now_and_then_and_no_record_takes_another_s_place() {
    let always = CHANGES.replace("overlap: 0s", "full: 0s");
    let pms = Pms::start(&always, |number, asked: &Asked| {
        assert!(!asked.to.contains("since="), "{}", asked.to);
        if number == 0 {
            ok(r#"{"data": [{"id": 1}, {"id": 2}]}"#)
        } else {
            ok(r#"{"data": [{"id": 2}]}"#)
        }
    })
    .await;
    assert_eq!(pms.records().await.len(), 2);
    assert_eq!(pms.records().await, [json!({"id": 2})]);
    let told = refused(
        CHANGES,
        br#"{"data": [{"id": 1, "lease": 1}, {"id": 1, "lease": 2}]}"#,
    )
    .await;
    assert!(told.contains("two records have the id `1`"), "{told}");
    let told = refused(CHANGES, br#"{"data": [{"id": 1}, {"lease": 2}]}"#).await;
    assert!(told.contains("record 2 has no id"), "{told}");
    let told = problems(&residents("format: json, query: { s: \"{{ since }}\" }"));
    assert!(told.contains("uses `since`"), "{told}");
    let told = problems(&residents("format: json, since: {}").replace(" id: id,", ""));
    assert!(told.contains("have an `id`"), "{told}");
}
