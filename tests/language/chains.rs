//! Requests that follow from others: details of a list, reports that are ordered and fetched, the newest of the files; each
//! against a server of a few lines on loopback.

use crate::support::small_pms::{Asked, Pms, Reply, compile, ok, status};
use epms::source::SourceError;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const DETAILS: &str = "requests: {\n\
    people: { url: \"{{ credential.url }}/list\", query: { p: \"{{ property }}\" }, format: json, records: data, id: id },\n\
    residents: { each: people, url: \"{{ credential.url }}/people/{{ record.id }}\", query: { kind: \"{{ record.of.kind }}\" }, \
    format: json, id: id, errors: [{ status: 410, is: gone }] } }\n";

#[tokio::test]
async fn the_details_of_each_of_a_list_are_read_and_one_that_went_meanwhile_is_nobody() {
    let list = r#"{"data": [{"id": "a/1", "of": {"kind": "x"}}, {"id": 12345678901234567890, "of": {"kind": "y"}}, {"id": "gone", "of": {"kind": ""}}]}"#;
    let mut pms = Pms::start(DETAILS, move |_, asked: &Asked| match asked.to.as_str() {
        "/people/a%2F1?kind=x" => ok(r#"{"id": "a/1", "name": "Ana"}"#),
        "/people/12345678901234567890?kind=y" => ok(r#"[{"id": 2, "name": "Bo"}]"#),
        "/people/gone" => status(410),
        "/list?p=p1" => ok(list),
        "/list?p=p2" => ok(r#"{"data": []}"#),
        _ => status(404),
    })
    .await;
    pms.properties = vec!["p1".into(), "p2".into()];
    assert_eq!(
        pms.records().await,
        [
            json!({"id": "a/1", "name": "Ana"}),
            json!({"id": 2, "name": "Bo"})
        ]
    );
    assert_eq!(pms.asked().len(), 5);
    assert!(pms.source.lookups().next().is_none(), "a list is no lookup");
}

#[tokio::test]
async fn details_that_move_while_they_are_read_are_read_again_and_cost_no_other() {
    let yaml = "requests:
  leases: { url: \"{{ credential.url }}/leases\", format: json, id: id }
  residents:
    url: \"{{ credential.url }}/leases/{{ record.id }}\"
    query: { page: \"{{ page.number }}\" }
    format: json
    records: people
    total: total
    page: { number: { first: 1, size: 1 } }
    each: leases
";
    let of_b = Arc::new(AtomicUsize::new(0));
    let pms = Pms::start(yaml, move |_, asked| match asked.to.as_str() {
        "/leases" => ok(r#"[{"id":"a"},{"id":"b"}]"#),
        "/leases/a?page=1" => ok(r#"{"people":[{"id":1}],"total":1}"#),
        "/leases/a?page=2" => ok(r#"{"people":[],"total":1}"#),
        to => {
            // Somebody comes between the first two pages.
            let is_first = of_b.fetch_add(1, Ordering::Relaxed) == 0;
            let total: usize = if is_first { 2 } else { 3 };
            let page: usize = to.split_once("page=").unwrap().1.parse().unwrap();
            let id = (page <= total).then(|| json!({ "id": format!("b{page}") }));
            let people: Vec<Value> = id.into_iter().collect();
            ok(json!({ "people": people, "total": total }).to_string())
        }
    })
    .await;
    let expected = [json!(1), json!("b1"), json!("b2"), json!("b3")];
    let came: Vec<Value> = pms
        .records()
        .await
        .iter()
        .map(|one| one["id"].clone())
        .collect();
    assert_eq!(came, expected, "{:?}", pms.paths());
}

#[tokio::test]
async fn a_detail_that_is_not_found_or_a_list_that_breaks_off_makes_the_reading_incomplete() {
    for (list, detail, told) in [
        (
            r#"{"data": [{"id": 1, "of": {"kind": "x"}}]}"#,
            404,
            "status 404",
        ),
        (
            r#"{"data": [{"id": 1, "of": {"kind": "x"}}]"#,
            200,
            "not readable",
        ),
        (r#"{"data": [{"id": 1}]}"#, 200, "gives nothing"),
        (r#"{"other": []}"#, 200, "nothing at `data`"),
    ] {
        let pms = Pms::start(DETAILS, move |_, asked: &Asked| {
            if asked.to.starts_with("/list") {
                ok(list)
            } else {
                status(detail)
            }
        })
        .await;
        let error = pms.failure().await.to_string();
        assert!(error.contains(told), "{error}");
    }
}

const REPORT: &str = "requests: {\n\
    order: { method: POST, reads: true, url: \"{{ credential.url }}/reports\", format: json, body: { json: { p: \"{{ property }}\" } }, \
    gives: { job: id } },\n\
    ready: { url: \"{{ credential.url }}/reports/{{ given.job }}\", format: json, errors: [{ status: 202, is: accepted }, { path: state, equals: failed, is: fatal }], \
    poll: { until: { path: state, equals: done }, every: 0s, at_most: 10m }, gives: { file: links/self, key: { header: X-Key } } },\n\
    residents: { after: [order, ready], url: \"{{ given.file }}\", headers: { X-Job: \"{{ given.job }}\", X-Key: \"{{ given.key }}\" }, format: csv, id: Id } }\n";

fn report(number: usize, asked: &Asked) -> Reply {
    let host = asked.header("host");
    match asked.to.as_str() {
        "/reports" => ok(r#"{"id": "j 7"}"#),
        "/reports/j%207" if number == 1 => Reply(202, Vec::new(), Vec::new()),
        "/reports/j%207" if number == 2 => ok(r#"{"state": "not done"}"#),
        "/reports/j%207" => Reply(
            200,
            vec![("x-key", "k".into())],
            format!(
                r#"{{"state": "Done", "links": {{"self": "http://{host}/files/7?sig=a%2Fb&x=1"}}}}"#
            )
            .into(),
        ),
        "/files/7?sig=a%2Fb&x=1" => ok("Id\n1\n2\n"),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_report_is_ordered_waited_for_and_fetched() {
    let pms = Pms::start(REPORT, report).await;
    assert_eq!(
        pms.records().await,
        [json!({"Id": "1"}), json!({"Id": "2"})]
    );
    let asked = pms.asked();
    assert_eq!(asked.len(), 5);
    assert_eq!(asked[4].header("x-job"), "j 7");
    assert_eq!(asked[4].header("x-key"), "k");
}

#[tokio::test]
async fn a_report_that_fails_or_is_never_ready_makes_the_reading_incomplete() {
    let failing = |number, asked: &Asked| match number {
        0 => report(number, asked),
        _ => ok(r#"{"state": "failed"}"#),
    };
    let error = Pms::start(REPORT, failing).await.failure().await;
    assert!(matches!(error, SourceError::Unexpected(_)), "{error:?}");
    let waiting = |number, asked: &Asked| match number {
        0 => report(number, asked),
        _ => status(202),
    };
    let yaml = REPORT.replace("at_most: 10m", "at_most: 0s");
    let error = Pms::start(&yaml, waiting).await.failure().await;
    assert!(matches!(error, SourceError::Unavailable(_)), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("`ready` of PMS property `p1`: it is not ready"),
        "{error}"
    );
    // No host but those of the connector is asked, whatever an answer gives.
    let elsewhere = |number, asked: &Asked| match number {
        0 => report(number, asked),
        _ => Reply(
            200,
            vec![("x-key", "k".into())],
            br#"{"state": "done", "links": {"self": "http://127.0.0.1:9/x"}}"#.to_vec(),
        ),
    };
    let error = Pms::start(REPORT, elsewhere).await.failure().await;
    assert!(matches!(error, SourceError::NotAllowed(_)), "{error:?}");
}

#[tokio::test]
async fn the_newest_of_the_files_is_fetched_and_none_is_told() {
    let yaml = "requests: {\n\
        files: { url: \"{{ credential.url }}/files\", format: json, records: files, gives: { file: { newest: path, by: at } } },\n\
        residents: { after: [files], url: \"{{ credential.url }}/get/{{ given.file }}\", format: csv, id: Id } }\n";
    for (files, newest) in [
        (
            r#"[{"path": "a", "at": "2026-02-28"}, {"path": "b", "at": "2026-03-01"}, {"path": "c", "at": "2025-12-31"}]"#,
            "/get/b",
        ),
        (
            r#"[{"path": "a", "at": 9}, {"path": "b", "at": "10,000"}, {"path": "c", "at": "9,000"}]"#,
            "/get/b",
        ),
        (
            r#"[{"path": "a", "at": "report-10.csv"}, {"path": "b", "at": "report-9.csv"}]"#,
            "/get/a",
        ),
    ] {
        let list = format!(r#"{{"files": {files}}}"#);
        let pms = Pms::start(yaml, move |number, _| {
            if number == 0 {
                ok(list.clone())
            } else {
                ok("Id\n1\n")
            }
        })
        .await;
        pms.records().await;
        assert_eq!(pms.paths(), ["/files", newest]);
    }
    for (files, told) in [
        ("[]", "nothing for `file` of its `gives`"),
        (
            r#"[{"path": "a", "at": "12/31/2025"}, {"path": "b", "at": "01/02/2026"}]"#,
            "cannot be compared there",
        ),
        (
            r#"[{"path": "a", "at": "2026-01-01"}, {"path": "b", "at": null}]"#,
            "`at`: record 2 has nothing there",
        ),
    ] {
        let list = format!(r#"{{"files": {files}}}"#);
        let pms = Pms::start(yaml, move |_, _| ok(list.clone())).await;
        let error = pms.failure().await.to_string();
        assert!(error.contains(told), "{error}");
    }
}

/// The newest file stood on the second page.
#[tokio::test]
async fn the_newest_is_sought_on_all_pages_of_a_step() {
    let yaml = "requests: {\n\
        files: { url: \"{{ credential.url }}/files\", format: json, records: files, page: { next: next }, \
        gives: { file: { newest: path, by: at }, list: list } },\n\
        residents: { after: [files], url: \"{{ credential.url }}/{{ given.list }}/{{ given.file }}\", format: csv, id: Id } }\n";
    let pages = |_: usize, asked: &Asked| match asked.to.as_str() {
        "/files" => ok(
            r#"{"list": "l", "files": [{"path": "a", "at": "2026-01-01"}], "next": "/files?page=2"}"#,
        ),
        "/files?page=2" => ok(r#"{"files": [{"path": "b", "at": "2026-02-01"}], "next": null}"#),
        _ => ok("Id\n1\n"),
    };
    let pms = Pms::start(yaml, pages).await;
    pms.records().await;
    assert_eq!(pms.paths().last().unwrap(), "/l/b");
    let broken = move |n: usize, asked: &Asked| match asked.to.as_str() {
        "/files?page=2" => status(500),
        _ => pages(n, asked),
    };
    let error = Pms::start(yaml, broken).await.failure().await.to_string();
    assert!(error.contains("status 500"), "{error}");
}

/// Ten of thirty had no key: their details were asked for at `/people/none`, and were gone.
#[tokio::test]
async fn a_record_without_the_field_that_its_details_are_asked_for_by_makes_the_reading_incomplete()
{
    for id in ["null", "\"\"", "\" \""] {
        let list = format!(
            r#"{{"data": [{{"id": {id}, "x": 1, "of": {{"kind": "x"}}}}, {{"id": 2, "of": {{"kind": "x"}}}}]}}"#
        );
        let pms = Pms::start(DETAILS, move |_, asked: &Asked| {
            match asked.to.split('?').next().unwrap() {
                "/list" => ok(list.clone()),
                "/people/2" => ok(r#"{"id": 2}"#),
                _ => status(410),
            }
        })
        .await;
        let error = pms.failure().await;
        assert!(matches!(error, SourceError::Unexpected(_)), "{error:?}");
        assert!(
            error.to_string().contains("uses a value that is not set"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn details_that_are_all_gone_are_not_nobody() {
    let list = r#"{"data": [{"id": 1, "of": {"kind": "x"}}, {"id": 2, "of": {"kind": "x"}}]}"#;
    let pms = Pms::start(DETAILS, move |_, asked: &Asked| {
        if asked.to.starts_with("/list") {
            ok(list)
        } else {
            status(410)
        }
    })
    .await;
    let error = pms.failure().await.to_string();
    assert!(
        error.contains("all 2 that `people` lists are said to be there no more"),
        "{error}"
    );
}

#[tokio::test]
async fn a_path_that_an_answer_gave_is_asked_on_the_host_of_the_connector() {
    let yaml = |url: &str| {
        format!(
            "requests: {{\n\
            file: {{ url: \"{{{{ credential.url }}}}/file\", format: json, gives: {{ path: path }} }},\n\
            residents: {{ after: [file], url: \"{url}\", format: csv, id: Id }} }}\n"
        )
    };
    let right = yaml("{{ credential.url }}{{ given.path | path }}");
    for (path, asked) in [
        ("/a b/1.csv", Some("/a%20b/1.csv")),
        (
            "files/1%20a.csv?sig=a%2Fb&x=1",
            Some("/files/1%20a.csv?sig=a%2Fb&x=1"),
        ),
        ("/../secret", None),
        ("/%2E%2e/secret", None),
        ("https://127.0.0.1:1/x", None),
        ("//127.0.0.1:1/x", None),
        ("/x#y", Some("/x%23y")),
    ] {
        let pms = Pms::start(&right, move |n, _| {
            if n == 0 {
                ok(json!({ "path": path }).to_string())
            } else {
                ok("Id\n1\n")
            }
        })
        .await;
        if let Some(asked) = asked {
            pms.records().await;
            assert_eq!(pms.paths(), ["/file", asked]);
        } else {
            pms.failure().await;
            assert_eq!(pms.paths(), ["/file"]);
        }
    }
    let wrong = yaml("{{ credential.url }}{{ given.path }}");
    let pms = Pms::start(&wrong, |_, _| ok(r#"{"path": "/file/1.csv"}"#)).await;
    let error = pms.failure().await.to_string();
    assert!(error.contains("{{ given.NAME | path }}"), "{error}");
}

#[test]
fn what_cannot_follow_from_another_request_is_refused() {
    let residents = |more: &str| {
        format!("residents: {{ url: \"{{{{ credential.url }}}}\", format: json{more} }}")
    };
    let step = "step: { url: \"{{ credential.url }}\", format: json, gives: { a: b } }";
    for (requests, told) in [
        (residents(", each: lst"), "there is no request `lst`"),
        (
            residents(", after: [residents]"),
            "`residents` cannot come before it",
        ),
        (
            format!("{step}, {}", residents(", query: { x: \"{{ given.a }}\" }")),
            "uses `given.a`",
        ),
        (
            format!(
                "{step}, {}",
                residents(", after: [step], query: { x: \"{{ given.c }}\" }")
            ),
            "uses `given.c`",
        ),
        (
            format!(
                "{step}, {}",
                residents(", query: { x: \"{{ record.a }}\" }")
            ),
            "uses `record.a`",
        ),
        (
            residents(", poll: { every: 5s }"),
            "is for a request that another names",
        ),
        (residents(", gives: { a: { newest: b } }"), "is neither"),
        (residents(", method: DELETE"), "a PMS is only read"),
        (
            residents(", method: PUT, reads: true"),
            "a PMS is only read",
        ),
    ] {
        let problems = compile(&format!("requests: {{ {requests} }}\n")).unwrap_err();
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(said.join("\n").contains(told), "{told}: {said:?}");
    }
}

#[tokio::test]
async fn what_is_accepted_gone_or_a_conflict_is_told_as_such() {
    let yaml = "requests: { residents: { url: \"{{ credential.url }}\", format: json, errors: [\
        { status: 202, is: accepted }, { status: 410, is: gone }, { status: 409, is: conflict }] } }\n";
    for (code, told) in [
        (202, "not ready"),
        (410, "there no more"),
        (409, "contradicts"),
    ] {
        let error = Pms::start(yaml, move |_, _| status(code))
            .await
            .failure()
            .await;
        assert_eq!(
            matches!(error, SourceError::Unavailable(_)),
            code == 202,
            "{error:?}"
        );
        assert!(error.to_string().contains(told), "{error}");
    }
}
