//! `epms probe`, as a library and through the real program: the request as it was sent, the answer as it came, and no secret
//! in either.

use std::collections::BTreeMap;

use crate::support::small_pms::{Asked, Pms, Reply, ok};
use crate::support::{Home, pms, told};
use epms::config::Verdict;
use epms::sandbox::{Kind, Sandbox};
use epms::source::{By, Probed, Scope, SourceError};
use serde_json::{Value, json};

/// Everything that a probe would show.
async fn probe(pms: &Pms, request: &str) -> (Probed, String) {
    let scope = Scope {
        properties: pms.properties.clone(),
        fields: BTreeMap::new(),
        today: jiff::civil::date(2026, 3, 1),
        judge: None,
        known: None,
    };
    let account = pms.account();
    let probed = pms
        .reader
        .probe(&pms.source, account, request, "p1", &scope, Some(2048));
    let probed = probed.await;
    let all = serde_json::to_string(&probed.sent).unwrap();
    (probed, all)
}

const POSTED: &str = r#"
auth: { basic: { username: "{{ credential.user }}", password: "{{ credential.secret }}" } }
requests:
  residents:
    method: POST
    reads: true
    url: "{{ credential.url }}/people"
    format: json
    query: { key: "{{ credential.secret }}", offset: "{{ page.offset }}" }
    headers: { x-key: "k-{{ credential.secret }}" }
    body: { json: { password: "{{ credential.secret }}", property: "{{ property }}" } }
    records: people
    total: total
    page: { offset: { first: 0, size: 2 } }
    errors:
      - { status: 418, is: maintenance, hint: wait for the tea }
"#;

fn people(_: usize, _: &Asked) -> Reply {
    Reply(
        200,
        vec![("set-cookie", "session=7f3a9c; Path=/".into())],
        json!({ "total": 5, "people": [{ "id": "a" }, { "id": "b" }] })
            .to_string()
            .into_bytes(),
    )
}

#[tokio::test]
async fn a_probe_shows_the_request_as_it_was_sent_and_the_answer_as_it_came() {
    let pms = Pms::start(POSTED, people).await;
    let (probed, _) = probe(&pms, "residents").await;
    let [sent] = probed.sent.as_slice() else {
        panic!("{:?}", probed.sent);
    };
    assert_eq!(sent.method, "POST");
    assert_eq!(sent.url, format!("{}/people?key=***&offset=0", pms.url));
    let header = |name: &str| {
        let found = sent.headers.iter().find(|header| header.name == name);
        found.map(|header| header.value.clone())
    };
    assert_eq!(header("authorization").unwrap(), "Basic ***");
    assert_eq!(header("x-key").unwrap(), "***");
    assert_eq!(header("content-type").unwrap(), "application/json");
    // What is shown is what was sent, to the last header.
    let asked = &pms.asked()[0];
    for name in asked.headers.keys() {
        assert!(header(name.as_str()).is_some(), "{name}");
    }
    assert_eq!(sent.headers.len(), asked.headers.len());
    assert_eq!(header("user-agent").unwrap(), asked.header("user-agent"));
    assert_eq!(header("host").unwrap(), asked.header("host"));
    let body = &sent.body.as_ref().unwrap().text;
    assert_eq!(body, r#"{"password":"***","property":"p1"}"#);
    let answer = sent.answer.as_ref().unwrap();
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .headers
            .iter()
            .any(|one| one.name == "set-cookie" && one.value == "session=***")
    );
    assert!(answer.body.as_ref().unwrap().text.contains(r#""total":5"#));
    let meaning = probed.meaning.unwrap();
    assert_eq!((meaning.verdict, meaning.by), (Verdict::Ok, By::Usual));
    let page = probed.page.unwrap();
    assert_eq!((page.records, page.declared), (2, Some(5)));
    assert!(page.amiss.is_none(), "{:?}", page.amiss);
    let next = page.next.unwrap();
    assert_eq!(next.values["offset"], "2");
    assert_eq!(next.url, format!("{}/people?key=***&offset=2", pms.url));
}

#[tokio::test]
async fn a_pms_that_repeats_the_credential_in_whatever_form_shows_nothing_of_it_in_a_probe() {
    let forms = [
        "s3cret&x",
        "s3cret&amp;x",
        "s3cret%26x",
        "s3cret\\u0026x",
        "czNjcmV0Jng=",
        "YW5hOnMzY3JldCZ4",
        "73 33 63 72 65 74 26 78",
        "%73%33%63%72%65%74%26%78",
    ];
    for form in forms {
        let pms = Pms::start(POSTED, move |_, _| {
            let body = format!("{{\"people\": [],\n\"you\": \"{form}\",\n\"total\": 0}}");
            Reply(
                200,
                vec![("x-echo", form.to_owned()), ("x-plain", "kept".into())],
                body.into_bytes(),
            )
        })
        .await;
        let (probed, all) = probe(&pms, "residents").await;
        assert!(!all.contains(form), "{form}: {all}");
        assert!(all.contains("kept"), "{all}");
        let answer = probed.sent[0].answer.as_ref().unwrap();
        let body = &answer.body.as_ref().unwrap().text;
        assert!(body.contains("\"total\": 0"), "{body}");
    }
}

#[tokio::test]
async fn a_probe_of_a_refusal_shows_the_answer_and_the_rule_that_decided() {
    let pms = Pms::start(POSTED, |_, _| {
        Reply(418, Vec::new(), b"short and stout".to_vec())
    })
    .await;
    let (probed, _) = probe(&pms, "residents").await;
    let answer = probed.sent[0].answer.as_ref().unwrap();
    assert_eq!(answer.body.as_ref().unwrap().text, "short and stout");
    let meaning = probed.meaning.unwrap();
    assert_eq!(meaning.verdict, Verdict::Maintenance);
    assert_eq!(meaning.by, By::Rule("requests.residents.errors.0".into()));
    assert_eq!(meaning.hint.as_deref(), Some("wait for the tea"));
    assert!(matches!(probed.page, Err(SourceError::Unavailable(_))));
    // It is asked once, whatever `retry` says.
    assert_eq!(pms.asked().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_shown_with_where_it_leads() {
    let pms = Pms::start(POSTED, |_, _| {
        Reply(
            302,
            vec![("location", "https://elsewhere.example/".into())],
            Vec::new(),
        )
    })
    .await;
    let (probed, all) = probe(&pms, "residents").await;
    assert_eq!(probed.sent[0].answer.as_ref().unwrap().status, 302);
    assert!(all.contains("https://elsewhere.example/"));
    assert!(matches!(probed.page, Err(SourceError::NotAllowed(_))));
}

#[tokio::test]
async fn no_token_stands_in_a_probe_neither_of_the_login_nor_of_what_it_lets_in() {
    let yaml = r#"
auth: { login: { request: login, token: Token, header: X-Session, value: "s {{ token }}" } }
requests:
  login: { method: POST, url: "{{ credential.url }}/login", body: { form: { p: "{{ credential.secret }}" } }, format: json }
  residents: { url: "{{ credential.url }}/people", format: json }
"#;
    let token = "tok-5f1e2d3c4b5a";
    let answer = move |_: usize, asked: &Asked| match asked.to.as_str() {
        "/login" => Reply(
            200,
            vec![("x-session", token.to_owned())],
            json!({ "Token": token, "Other": "oth-99887766aa" })
                .to_string()
                .into_bytes(),
        ),
        _ => ok(format!("[{{\"id\": \"a\", \"echo\": \"{token}\"}}]")),
    };
    let pms = Pms::start(yaml, answer).await;
    let (probed, all) = probe(&pms, "residents").await;
    let asked: Vec<&str> = probed.sent.iter().map(|one| one.request.as_str()).collect();
    assert_eq!(asked, ["login", "residents"]);
    for secret in [token, "oth-99887766aa", "s3cret"] {
        assert!(!all.contains(secret), "{all}");
    }
    assert_eq!(probed.page.unwrap().records, 1);
    let (probed, all) = probe(&Pms::start(yaml, answer).await, "login").await;
    assert!(probed.page.is_ok(), "{:?}", probed.page);
    for secret in [token, "oth-99887766aa", "s3cret"] {
        assert!(!all.contains(secret), "{all}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_through_the_program_needs_no_daemon_and_shortens_what_is_long() {
    let sandbox = pms(Kind::Yardi, 5, 60).await;
    let home = Home::new();
    home.credential("acme", &sandbox);
    home.integration("elm", "acme", &sandbox);
    let brief = home.epms(&["probe", "elm"]).await;
    let text = told(&brief);
    assert_eq!(brief.status.code(), Some(0), "{text}");
    for part in [
        "POST http://",
        "soapaction: ",
        "answer 200",
        "bytes more; --all shows them",
        "verdict    ok",
        "next page  none: this is all",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let secrets = sandbox.credential();
    let mut secrets = secrets
        .into_iter()
        .filter(|(field, _)| Sandbox::SECRETS.contains(field));
    assert!(secrets.all(|(_, secret)| !text.contains(&secret)));
    let all = home.epms(&["probe", "elm", "--all", "--json"]).await;
    let all: Value = serde_json::from_slice(&all.stdout).unwrap();
    assert_eq!(all["verdict"]["verdict"], "ok");
    assert!(all["sent"][0]["answer"]["body"]["left_out"].is_null());
    let unknown = home.epms(&["probe", "elm", "tenants"]).await;
    assert_eq!(unknown.status.code(), Some(2));
    assert!(told(&unknown).contains("it has: "), "{}", told(&unknown));
}

const REPORT: &str = "requests: {\n\
    order: { method: POST, reads: true, url: \"{{ credential.url }}/reports\", format: json, gives: { job: id } },\n\
    wait: { url: \"{{ credential.url }}/reports/{{ given.job }}\", format: json, poll: { until: { path: state, equals: done } }, gives: { file: file } },\n\
    residents: { after: [order, wait], url: \"{{ credential.url }}/files/{{ given.file }}\", format: csv, id: Id } }\n";

#[tokio::test]
async fn the_steps_before_a_request_are_shown_with_their_answers_and_can_be_asked_for_themselves() {
    let answer = |_: usize, asked: &Asked| match asked.to.as_str() {
        "/reports" => ok(r#"{"id": "j7"}"#),
        "/reports/j7" => ok(r#"{"state": "done", "file": "f7"}"#),
        "/files/f7" => ok("Id\n1\n"),
        other => panic!("{other}"),
    };
    let pms = Pms::start(REPORT, answer).await;
    for (request, steps) in [
        ("residents", &["order", "wait", "residents"][..]),
        ("wait", &["order", "wait"]),
    ] {
        let (probed, all) = probe(&pms, request).await;
        assert!(probed.page.is_ok(), "{:?}", probed.page);
        let asked: Vec<_> = probed
            .sent
            .iter()
            .map(|sent| sent.request.as_str())
            .collect();
        assert_eq!(asked, steps);
        assert!(probed.sent.iter().all(|sent| !sent.logs_in));
        assert!(all.contains(r#"\"id\": \"j7\""#), "{all}");
    }
}
