//! When a reading is complete, and when it is not (R42): each over HTTP from a server on loopback.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::small_pms::{Asked, Pms, Reply, compile, ok, status};
use epms::model::Reading;
use epms::source::{Judge, Ruling, Said, SourceError};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// Pages by number from 1, as a list at `data`, with a total at `total` where the PMS declares one.
fn numbered(page: &str, more: &str) -> String {
    format!(
        "requests: {{ residents: {{ url: \"{{{{ credential.url }}}}/people\", \
         query: {{ page: \"{{{{ page.number }}}}\", size: \"{{{{ page.size }}}}\" }}, \
         format: json, records: data, id: id, page: {{ number: {{ first: 1, {page} }} }}{more} }} }}\n"
    )
}

/// The number of a page that is asked for.
fn number(asked: &Asked) -> usize {
    let (_, number) = asked.to.split_once("page=").unwrap();
    let number = number.split('&').next().unwrap();
    number.parse().unwrap()
}

fn page(ids: impl IntoIterator<Item = usize>, total: Option<usize>) -> Reply {
    let data: Vec<Value> = ids.into_iter().map(|id| json!({ "id": id })).collect();
    ok(json!({ "data": data, "total": total }).to_string())
}

/// A page of the people, `size` on each.
fn cut(people: &[usize], number: usize, size: usize, total: Option<usize>) -> Reply {
    page(
        people
            .chunks(size)
            .nth(number - 1)
            .into_iter()
            .flatten()
            .copied(),
        total,
    )
}

fn ids(records: &[Value]) -> Vec<u64> {
    let mut ids: Vec<u64> = records
        .iter()
        .map(|one| one["id"].as_u64().unwrap())
        .collect();
    ids.sort_unstable();
    ids
}

async fn told(
    yaml: &str,
    answer: impl Fn(usize, &Asked) -> Reply + Clone + Send + Sync + 'static,
) -> String {
    let error = Pms::start(yaml, answer).await.failure().await;
    assert!(
        matches!(
            error,
            SourceError::Unexpected(_) | SourceError::Unavailable(_)
        ),
        "it makes a run incomplete: {error:?}"
    );
    error.to_string()
}

/// B2: five of eight people.
#[tokio::test]
async fn a_page_that_is_shorter_than_asked_with_more_behind_it_is_incomplete() {
    let pages = |_: usize, asked: &Asked| match number(asked) {
        1 => page(0..3, None),
        2 => page(3..5, None),
        3 => page(5..8, None),
        _ => page(0..0, None),
    };
    let told = told(&numbered("size: 3", ""), pages).await;
    assert!(
        told.contains("page 2 had 2 records where 3 were asked for"),
        "{told}"
    );
    assert!(
        told.contains("`size: 2`") && told.contains("`until: empty`"),
        "{told}"
    );
}

/// B2, E5: two of six for ever.
#[tokio::test]
async fn a_pms_that_caps_its_pages_is_told_or_read_to_its_end() {
    let capped = |total: Option<usize>| {
        move |_: usize, asked: &Asked| cut(&[0, 1, 2, 3, 4, 5], number(asked), 2, total)
    };
    for total in [None, Some(6)] {
        let more = if total.is_some() {
            ", total: total"
        } else {
            ""
        };
        let told = told(&numbered("size: 3", more), capped(total)).await;
        assert!(
            told.contains("page 1 had 2 records where 3 were asked for"),
            "{told}"
        );
    }
    for (until, more, total, asked) in [
        ("empty", "", None, 4),
        ("empty", ", total: total", Some(6), 4),
        ("total", ", total: total", Some(6), 3),
    ] {
        let yaml = numbered(&format!("size: 3, until: {until}"), more);
        let pms = Pms::start(&yaml, capped(total)).await;
        assert_eq!(ids(&pms.records().await), [0, 1, 2, 3, 4, 5], "{until}");
        assert_eq!(pms.asked().len(), asked, "{until}");
    }
}

/// B2: dead for as long as the count divides.
#[tokio::test]
async fn a_full_last_page_is_the_last_whatever_says_behind_it_that_there_is_nothing() {
    let behind: [fn(usize) -> Reply; 6] = [
        |_| status(404),
        |_| Reply(404, Vec::new(), Vec::new()),
        |_| page(0..0, None),
        |_| page(2..4, None),
        |_| Reply(204, Vec::new(), Vec::new()),
        |_| ok("{\"data\":null,\"error\":null,\"errors\":[]}"),
    ];
    for (case, answer) in behind.into_iter().enumerate() {
        let answer = move |_: usize, asked: &Asked| match number(asked) {
            one @ 1..=2 => cut(&[0, 1, 2, 3], one, 2, None),
            behind => answer(behind),
        };
        let pms = Pms::start(&numbered("size: 2", ""), answer).await;
        assert_eq!(ids(&pms.records().await), [0, 1, 2, 3], "{case}");
        assert_eq!(pms.asked().len(), 3, "{case}");
    }
    // The first page is no page behind the last, and what is denied is denied.
    for (first, yaml) in [
        (status(404), numbered("size: 2", "")),
        (ok("{\"data\":null}"), numbered("size: 2", "")),
    ] {
        let body = first.2;
        let told = told(&yaml, move |_, _| Reply(first.0, Vec::new(), body.clone())).await;
        assert!(
            told.contains("404") || told.contains("nothing at `data`"),
            "{told}"
        );
    }
    let pms = Pms::start(&numbered("size: 2", ""), |n, _| match n {
        0 => page(0..2, None),
        _ => status(403),
    })
    .await;
    assert!(matches!(pms.failure().await, SourceError::Denied(_)));
}

/// What is answered behind the last page, with which rule, and what is told.
type Behind = (fn() -> Reply, &'static str, &'static str);

/// Twenty of thirty people, as a gateway answered for the third page.
#[tokio::test]
async fn what_fails_behind_a_full_page_is_not_the_end() {
    let rule = ", errors: [{ status: 404, is: fatal, hint: ask for the address }]";
    let behind: [Behind; 6] = [
        (
            || Reply(404, Vec::new(), b"<html>not found</html>".to_vec()),
            "",
            "behind a full page came status 404",
        ),
        (
            || Reply(404, Vec::new(), b"default backend - 404".to_vec()),
            "",
            "behind a full page came status 404",
        ),
        (|| ok(Vec::new()), "", "not readable"),
        (
            || ok("{\"error\":\"timeout\",\"data\":null}"),
            "",
            "nothing at `data`",
        ),
        (
            || ok("{\"meta\":{\"success\":false},\"data\":null}"),
            "",
            "nothing at `data`",
        ),
        (|| status(404), rule, "ask for the address"),
    ];
    for (answer, rules, wanted) in behind {
        let answer = move |_: usize, asked: &Asked| match number(asked) {
            one @ 1..=2 => cut(&[0, 1, 2, 3, 4, 5], one, 2, None),
            _ => answer(),
        };
        let told = told(&numbered("size: 2", rules), answer).await;
        assert!(told.contains(wanted), "{told}");
    }
    // Behind a short page everything but more records is the end: the short page says so itself.
    let short = |_: usize, asked: &Asked| match number(asked) {
        one @ 1..=2 => cut(&[0, 1, 2], one, 2, None),
        _ => Reply(404, Vec::new(), b"<html>not found</html>".to_vec()),
    };
    let pms = Pms::start(&numbered("size: 2", rule), short).await;
    assert_eq!(ids(&pms.records().await), [0, 1, 2]);
}

/// Ten of thirty people: `total` leads to the number of each page, and the PMS caps its pages.
#[tokio::test]
async fn a_total_that_may_be_that_of_the_page_alone_does_not_end_the_reading() {
    let people: Vec<usize> = (0..30).collect();
    for until in ["short", "total"] {
        let people = people.clone();
        let capped = move |_: usize, asked: &Asked| cut(&people, number(asked), 10, Some(10));
        let yaml = numbered(&format!("size: 50, until: {until}"), ", total: total");
        let told = told(&yaml, capped).await;
        assert!(
            told.contains("the number of records of each page, not of all"),
            "{told}"
        );
    }
    // Whether it is, is asked for once, and again only where a page has more.
    let of = |asked: &Asked| match asked.to.split(['/', '?']).nth(1) {
        Some("a" | "d") => 3,
        Some("b") => 2,
        _ => 4,
    };
    let yaml = numbered("size: 50", ", total: total").replace("/people", "/{{ property }}");
    let answer = move |_: usize, asked: &Asked| {
        let people: Vec<usize> = (0..of(asked)).collect();
        cut(&people, number(asked), 50, Some(people.len()))
    };
    let mut pms = Pms::start(&yaml, answer).await;
    pms.properties = ["a", "b", "c"].map(String::from).into();
    assert_eq!(pms.records().await.len(), 9);
    let asked: Vec<_> = pms
        .asked()
        .iter()
        .map(|one| (of(one), number(one)))
        .collect();
    assert_eq!(asked, [(3, 1), (3, 2), (2, 1), (4, 1), (4, 2)]);
    // Once an answer declares more than it has, the number is that of all.
    let two = move |_: usize, asked: &Asked| {
        let people: Vec<usize> = (0..of(asked)).collect();
        cut(&people, number(asked), 3, Some(people.len()))
    };
    let mut pms = Pms::start(&yaml.replace("size: 50", "size: 3"), two).await;
    pms.properties = ["c", "b"].map(String::from).into();
    assert_eq!(pms.records().await.len(), 6);
    assert_eq!(pms.asked().len(), 3);
}

#[tokio::test]
async fn as_many_as_are_declared_are_all_and_nothing_is_asked_behind_them() {
    let answer = |_: usize, asked: &Asked| match number(asked) {
        one @ 1..=2 => cut(&[0, 1, 2, 3], one, 2, Some(4)),
        _ => status(500),
    };
    let pms = Pms::start(&numbered("size: 2", ", total: total"), answer).await;
    assert_eq!(ids(&pms.records().await), [0, 1, 2, 3]);
    assert_eq!(pms.asked().len(), 2);
    // On one full page it may be the number of each page: then there is more, and a failure shows nothing.
    let one = |n: usize, _: &Asked| {
        if n == 0 {
            page(0..2, Some(2))
        } else {
            status(500)
        }
    };
    let pms = Pms::start(&numbered("size: 2", ", total: total"), one).await;
    assert_eq!(ids(&pms.records().await), [0, 1]);
    let each = |_: usize, asked: &Asked| match number(asked) {
        one @ 1..=2 => cut(&[0, 1, 2, 3], one, 2, Some(2)),
        _ => page(0..0, Some(0)),
    };
    let told = told(&numbered("size: 2", ", total: total"), each).await;
    assert!(
        told.contains("the number of records of each page, not of all"),
        "{told}"
    );
}

#[tokio::test]
async fn a_pms_that_does_not_heed_which_page_is_asked_for_is_told() {
    for size in [2, 3] {
        let yaml = numbered(&format!("size: {size}"), "");
        let told = told(&yaml, |_, _| page(0..2, None)).await;
        assert!(
            told.contains("does not heed which page it is asked for"),
            "{told}"
        );
    }
}

/// What somebody does to the list of people between two questions.
type Between = fn(usize, &mut Vec<usize>);

/// A PMS with six people that declares how many it has, in pages of three.
async fn restless(between: Between) -> Pms {
    let people: Arc<Mutex<Vec<usize>>> = Arc::new(Mutex::new((0..6).collect()));
    Pms::start(&numbered("size: 3", ", total: total"), move |n, asked| {
        let mut people = people.lock().unwrap();
        between(n, &mut people);
        cut(&people, number(asked), 3, Some(people.len()))
    })
    .await
}

/// E5, B2: somebody moves in, or a row is deleted, between two pages.
#[tokio::test]
async fn where_the_total_moves_all_of_it_is_read_again() {
    for (between, people) in [
        (
            (|n, people| {
                if n == 1 {
                    people.insert(0, 6);
                }
            }) as Between,
            vec![0, 1, 2, 3, 4, 5, 6],
        ),
        (
            |n, people| {
                if n == 1 {
                    people.push(6);
                }
            },
            vec![0, 1, 2, 3, 4, 5, 6],
        ),
        (
            |n, people| {
                if n == 1 {
                    people.remove(0);
                }
            },
            vec![1, 2, 3, 4, 5],
        ),
        (
            |n, people| {
                if n == 1 || n == 3 {
                    people.insert(0, 5 + n);
                }
            },
            vec![0, 1, 2, 3, 4, 5, 6, 8],
        ),
    ] {
        let pms = restless(between).await;
        assert_eq!(ids(&pms.records().await), people);
    }
    // Whoever only comes in is read all the same, and a complete reading counts what counts.
    let pms = restless(|n, people| {
        if n > 0 {
            people.push(5 + n);
        }
    })
    .await;
    let (reading, records) = pms.read().await;
    let Reading::Complete { records: count, .. } = reading else {
        panic!("{reading:?}")
    };
    assert_eq!(count, records.len() as u64);
    // Where rows go again and again, nobody knows who was skipped: twice more, and then it is told.
    let pms = restless(|n, people| {
        if n % 2 == 1 {
            people.remove(0);
        }
    })
    .await;
    let told = pms.failure().await.to_string();
    assert!(told.contains("moved each of the 3 times"), "{told}");
    assert_eq!(pms.asked().len(), 6);
}

#[tokio::test]
async fn a_total_that_is_wrong_and_stays_is_told_at_once() {
    let pms = Pms::start(&numbered("size: 3", ", total: total"), |_, asked| {
        cut(&[0, 1, 2, 3, 4], number(asked), 3, Some(6))
    })
    .await;
    let told = pms.failure().await.to_string();
    assert!(told.contains("declares 6 records and sent 5"), "{told}");
    assert_eq!(pms.asked().len(), 3);
}

/// E5: a short page says nothing where the next one is linked, and an answer without records need declare nothing.
#[tokio::test]
async fn a_cursor_may_lead_over_short_and_empty_pages_and_nothing_may_be_declared_with_nothing() {
    let yaml = "requests: { residents: { url: \"{{ credential.url }}/people\", query: { after: \"{{ page.cursor }}\" }, \
        format: json, records: data, id: id, page: { cursor: next }, total: total, errors: [{ status: 204, is: empty }] } }\n";
    let pms = Pms::start(yaml, |n, _| match n {
        0 => ok(r#"{"data":[{"id":1},{"id":2}],"next":"a","total":4}"#),
        1 => ok(r#"{"data":[],"next":"b","total":4}"#),
        2 => ok(r#"{"data":[{"id":3}],"next":"c","total":4}"#),
        3 => ok(r#"{"data":[{"id":4}],"next":null,"total":4}"#),
        _ => Reply(204, Vec::new(), Vec::new()),
    })
    .await;
    assert_eq!(ids(&pms.records().await), [1, 2, 3, 4]);
    assert!(pms.records().await.is_empty());
}

#[tokio::test]
async fn a_part_of_an_answer_is_one_only_where_it_was_asked_for() {
    let yaml = |more: &str| {
        format!(
            "requests: {{ residents: {{ url: \"{{{{ credential.url }}}}/r\", format: json, id: id{more} }} }}\n"
        )
    };
    let part = |_: usize, _: &Asked| Reply(206, Vec::new(), b"[{\"id\":1}]".to_vec());
    let told = told(&yaml(""), part).await;
    assert!(told.contains("a part of the answer (status 206)"), "{told}");
    for more in [
        ", errors: [{ status: 206, is: ok }]",
        ", headers: { Range: 0-999 }",
    ] {
        let pms = Pms::start(&yaml(more), part).await;
        assert_eq!(ids(&pms.records().await), [1], "{more}");
    }
}

/// Connector language, 1.3: eleven residents became three.
#[tokio::test]
async fn a_path_that_no_record_has_is_no_check() {
    let yaml = |more: &str| {
        format!(
            "requests: {{ residents: {{ url: \"{{{{ credential.url }}}}/r\", format: json, records: data{more} }} }}\n"
        )
    };
    let answer = |_: usize, _: &Asked| {
        ok(r#"{"data":[{"no":1,"code":null},{"no":2,"code":"p1"}],"meta":{"total":2}}"#)
    };
    for (more, part) in [
        (
            ", id: id",
            "no record has anything at `id`, where `id` of the connector looks",
        ),
        (
            ", property: property",
            "no record has anything at `property`",
        ),
        (
            ", total: total",
            "no answer has the number of records at `total`",
        ),
        (
            ", total: { header: X-Total }",
            "no answer has the number of records at `total`",
        ),
    ] {
        let told = told(&yaml(more), answer).await;
        assert!(told.contains(part), "{told}");
    }
    let right = yaml(", id: no, property: code, total: meta/total");
    assert_eq!(Pms::start(&right, answer).await.records().await.len(), 2);
    // Where nothing came, nothing is missed.
    let wrong = yaml(", id: id, property: property, total: total");
    let pms = Pms::start(&wrong, |_, _| ok(r#"{"data":[]}"#)).await;
    assert!(pms.records().await.is_empty());
}

#[tokio::test]
async fn rules_see_the_records_too_and_none_is_thrown_away() {
    let yaml = |rules: &str| {
        format!(
            "requests: {{ residents: {{ url: \"{{{{ credential.url }}}}/r\", format: json, records: data, id: id, errors: [{rules}] }} }}\n"
        )
    };
    // It matched every answer, and threw the records away: 0 seen, committed.
    let pms = Pms::start(&yaml("{ absent: data, is: empty }"), |_, _| {
        page(0..3, None)
    })
    .await;
    assert_eq!(pms.records().await.len(), 3);
    let told_empty = told(&yaml("{ path: total, is: empty }"), |_, _| {
        page(0..3, Some(3))
    })
    .await;
    assert!(
        told_empty.contains("a rule says that there are no records, and 3 came"),
        "{told_empty}"
    );
    let inside = |_: usize, _: &Asked| ok(r#"{"data":[{"id":1,"error":"closed for the night"}]}"#);
    let told = told(&yaml("{ path: data/error, is: maintenance }"), inside).await;
    assert!(told.contains("it said: closed for the night"), "{told}");
    // An answer that is one object may be the error itself.
    let yaml = yaml("{ path: message, text: nobody, is: empty }").replace("records: data, ", "");
    let pms = Pms::start(&yaml, |_, _| ok(r#"{"message":"nobody there"}"#)).await;
    assert!(pms.records().await.is_empty());
}

#[tokio::test]
async fn a_script_that_says_empty_throws_no_record_away_either() {
    let yaml = "requests: { residents: { url: \"{{ credential.url }}/r\", format: json, records: data, id: id } }\n";
    let script = "fn residents(record, ctx) { [] }\nfn verdict(answer, ctx) { if answer.records < 3 { \"empty\" } }";
    let pms = Pms::start(yaml, |n, _| page(0..3 - n, None))
        .await
        .judged_by(script);
    assert_eq!(pms.records().await.len(), 3);
    let told = pms.failure().await.to_string();
    assert!(
        told.contains("a rule says that there are no records, and 2 came"),
        "{told}"
    );
}

/// Connector language, 1.4 and 1.10.
#[tokio::test]
async fn what_is_cut_off_or_twice_or_in_another_encoding_is_told_or_read() {
    let csv = "requests: { residents: { url: \"{{ credential.url }}/r\", format: csv, id: Id } }\n";
    let unclosed = told(csv, |_, _| {
        ok("Id,Name\r\n1,Ana\r\n2,\"Bo\r\n3,Cy\r\n4,Di\r\n")
    })
    .await;
    assert!(
        unclosed.contains("the quote that opens in line 3 is not closed"),
        "{unclosed}"
    );
    let footer = told(csv, |_, _| ok("Id,Name\r\n1,Ana\r\n\r\n1 rows\r\n")).await;
    assert!(
        footer.contains("1 fields in line 4, and 2 in the header"),
        "{footer}"
    );
    let pms = Pms::start(csv, |_, _| {
        let kind = (
            "content-type",
            "text/csv; Charset = \"windows-1252\"".to_owned(),
        );
        Reply(200, vec![kind], b"Id,Name\n1,Ren\xe9\n".to_vec())
    })
    .await;
    assert_eq!(
        pms.records().await,
        [json!({"Id": "1", "Name": "Ren\u{e9}"})]
    );
    let soap = "requests: { residents: { method: POST, reads: true, url: \"{{ credential.url }}/r\", format: soap, records: R/P, id: id, \
        body: { soap: { action: a, xml: \"<G/>\" } } } }\n";
    let envelope = "<s:Envelope xmlns:s=\"u\"><s:Body><R><P><id>1</id><n>Ana&#0;</n></P></R></s:Body></s:Envelope>";
    let pms = Pms::start(soap, move |_, _| ok(envelope)).await;
    assert_eq!(pms.records().await, [json!({"id": "1", "n": "Ana"})]);
    let twice = told(soap, move |_, _| ok(format!("{envelope}\n{envelope}"))).await;
    assert!(
        twice.contains("a second document begins behind the first"),
        "{twice}"
    );
}

#[test]
fn until_the_total_needs_one() {
    let problems = compile(&numbered("size: 3, until: total", ""))
        .err()
        .unwrap();
    let told = problems[0].to_string();
    assert!(
        told.contains("pms.yaml:") && told.contains("add `total`"),
        "{told}"
    );
    let problems = compile(&numbered("size: 3, until: full", ""))
        .err()
        .unwrap();
    let told = problems[0].to_string();
    assert!(told.contains("short"), "{told}");
}

/// Judges once another task has had its turn.
#[derive(Debug)]
struct Slow {
    asked: mpsc::UnboundedSender<()>,
    goes_on: Mutex<std::sync::mpsc::Receiver<()>>,
}

impl Judge for Slow {
    fn judge(&self, _: &Said<'_>) -> Result<Option<Ruling>, String> {
        self.asked.send(()).unwrap();
        let goes_on = self.goes_on.lock().unwrap();
        let gone_on = goes_on.recv_timeout(Duration::from_secs(20));
        gone_on
            .map(|()| None)
            .map_err(|_| "no other task had its turn".to_owned())
    }
}

/// D1.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_verdict_that_takes_long_is_in_nobody_s_way() {
    let (asked, mut was_asked) = mpsc::unbounded_channel();
    let (go_on, goes_on) = std::sync::mpsc::channel();
    let judge = Slow {
        asked,
        goes_on: Mutex::new(goes_on),
    };
    let pms = Pms::start(
        "requests: { residents: { url: \"{{ credential.url }}/people\", format: json, id: id } }\n",
        |_, _| ok(json!([{ "id": 1 }]).to_string()),
    )
    .await
    .judged_as(Arc::new(judge));
    let reading = tokio::spawn(async move { pms.records().await });
    was_asked.recv().await.unwrap();
    // It is late where the judge waits no more.
    let _ = tokio::spawn(async move { go_on.send(()) }).await.unwrap();
    assert_eq!(ids(&reading.await.unwrap()), [1]);
}

/// The records of a reading, and what it took for granted.
async fn noted(pms: &Pms) -> (usize, Vec<String>) {
    let (reading, records) = pms.read().await;
    let Reading::Complete { notes, .. } = reading else {
        panic!("{reading:?}");
    };
    let notes = notes.iter().map(|(note, count)| format!("{note} {count}"));
    (records.len(), notes.collect())
}

fn led(page: &str, more: &str) -> String {
    format!(
        "requests: {{ residents: {{ url: \"{{{{ credential.url }}}}/people\", format: json, records: data, page: {{ {page} }}{more} }} }}\n"
    )
}

fn ten() -> Vec<Value> {
    (0..10).map(|id| json!({ "id": id })).collect()
}

/// Ten of thirty people.
#[tokio::test]
async fn what_stands_in_the_place_of_the_next_page_and_is_no_text_is_not_the_end() {
    for (page, answer, wanted) in [
        (
            "next: links/next",
            json!({ "data": ten(), "links": { "next": { "href": "/people?page=2" } } }),
            "did you mean `links/next/href`?",
        ),
        (
            "next: next",
            json!({ "data": ten(), "next": true }),
            "`next`, where `page` of the connector looks, is no text",
        ),
        (
            "cursor: cursor",
            json!({ "data": ten(), "cursor": { "after": { "id": 7 } } }),
            "write the path of the text down to its end",
        ),
    ] {
        let told = told(&led(page, ""), move |_, _| ok(answer.to_string())).await;
        assert!(told.contains(wanted), "{told}");
    }
    for end in [json!(null), json!(""), json!(false), json!([]), json!({})] {
        let answer = json!({ "data": ten(), "next": end });
        let pms = Pms::start(&led("next: next", ""), move |_, _| ok(answer.to_string())).await;
        assert_eq!(noted(&pms).await, (10, vec![]), "{end}");
    }
    let nil = "<r><p><id>1</id></p><next xsi:nil='true' xmlns:xsi='x'/></r>";
    let yaml = led("next: r/next", "").replace("json, records: data", "xml, records: r/p");
    let pms = Pms::start(&yaml, move |_, _| ok(nil)).await;
    assert_eq!(noted(&pms).await, (1, vec![]));
}

#[tokio::test]
async fn a_next_page_that_no_answer_ever_names_is_noted_and_where_pages_are_full_incomplete() {
    for page in ["next: nxet", "cursor: page_info/endCursor", "link: next"] {
        let answer = |_: usize, _: &Asked| {
            ok(json!({ "data": ten(), "next": "/people?page=2", "pageInfo": {} }).to_string())
        };
        let pms = Pms::start(&led(page, ""), answer).await;
        let note = "no_next_page at requests.residents.page 1".to_owned();
        assert_eq!(noted(&pms).await, (10, vec![note]), "{page}");
        for asks in [
            ", query: { limit: \"10\" }",
            ", method: POST, reads: true, body: { json: { of: { size: 10 } } }",
        ] {
            let told = told(&led(page, asks), answer).await;
            assert!(
                told.contains("where `page` of the connector looks for the next page")
                    && told.contains("just the 10 records that were asked for"),
                "{told}"
            );
        }
        // One page that says something, be it the last, is enough; so is a number of records.
        let yaml = led(page, ", query: { limit: \"10\" }, total: total");
        let total = json!({ "data": ten(), "total": 10 }).to_string();
        let pms = Pms::start(&yaml, move |_, _| ok(total.clone())).await;
        assert_eq!(noted(&pms).await, (10, vec![]));
    }
    let yaml = led("next: next", ", query: { limit: \"10\" }");
    let pms = Pms::start(&yaml, |n, _| {
        ok(if n == 0 {
            json!({ "data": ten(), "next": "/more" }).to_string()
        } else {
            json!({ "data": ten().into_iter().map(|one| json!([one])).collect::<Vec<_>>() })
                .to_string()
        })
    })
    .await;
    assert_eq!(noted(&pms).await, (20, vec![]));
}

#[tokio::test]
async fn a_link_header_is_read_in_single_quotes_and_one_that_cannot_be_read_is_not_the_end() {
    let answer = |header: &'static str| {
        move |n: usize, _: &Asked| {
            let headers = match n {
                0 => vec![("link", header.to_owned())],
                _ => Vec::new(),
            };
            Reply(
                200,
                headers,
                json!({ "data": [{ "id": n }] }).to_string().into(),
            )
        }
    };
    let yaml = led("link: next", "");
    let pms = Pms::start(&yaml, answer("</people?page=2>; rel='next'")).await;
    assert_eq!(pms.records().await.len(), 2);
    for (header, rel, wanted) in [
        ("/people?page=2; rel=next", "next", "`Link` is not readable"),
        (
            "</people?page=2>, rel=next",
            "next",
            "`Link` is not readable",
        ),
        ("</people?page=2>; rel=next", "nxet", "and none `nxet`"),
    ] {
        let yaml = led(&format!("link: {rel}"), "");
        let told = told(&yaml, answer(header)).await;
        assert!(told.contains(wanted), "{told}");
    }
}

/// Nobody was seen, and nothing was told.
#[tokio::test]
async fn an_answer_that_is_taken_for_empty_is_noted_with_the_rule() {
    for (words, note) in [
        (
            "records: dta, missing: { empty: { path: Status, equals: OK } }",
            "taken_for_empty by { path: Status, equals: OK } (pms.yaml:6) 1",
        ),
        (
            "records: dta, errors: [{ absent: dta, is: empty }]",
            "taken_for_empty by { absent: dta } (pms.yaml:6) 1",
        ),
    ] {
        let yaml = format!(
            "requests: {{ residents: {{ url: \"{{{{ credential.url }}}}\", format: json, {words} }} }}\n"
        );
        let pms = Pms::start(&yaml, |_, _| {
            ok(json!({ "Status": "OK", "data": ten() }).to_string())
        })
        .await;
        assert_eq!(noted(&pms).await, (0, vec![note.to_owned()]));
    }
}
