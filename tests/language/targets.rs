//! Targets: what is looked at there, and what is done there, each against a server of a few lines on loopback.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::small_pms::{Asked, Pms, Reply, compile, ok, status};
use epms::source::{Acted, Errand, Operation, Scope, SourceError};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const LIST: &str =
    "  list: { url: \"{{ credential.url }}/grants\", format: json, records: data, id: id }\n";
const REMOVE: &str = "  remove: { method: DELETE, url: \"{{ credential.url }}/grants/{{ grant.id }}\", format: json }\n";
const CREATE: &str = "  create: { method: POST, url: \"{{ credential.url }}/grants\", format: json, \
    body: { json: { name: \"{{ grant.name }}\" } }, gives: { id: grant/uuid } }\n";

/// A target with a `create` of its own, and rules for it.
fn creates(create: &str) -> String {
    format!("target:\n{LIST}{REMOVE}{create}")
}

/// The usual one, with these rules.
fn ruled(rules: &str) -> String {
    let with = format!("gives: {{ id: grant/uuid }}, errors: [{rules}] }}");
    creates(&CREATE.replace("gives: { id: grant/uuid } }", &with))
}

fn scope() -> Scope {
    Scope {
        properties: Vec::new(),
        fields: BTreeMap::from([("site".to_owned(), "elm".to_owned())]),
        today: jiff::civil::date(2026, 3, 1),
        judge: None,
        known: None,
    }
}

async fn act(pms: &Pms, operation: Operation, about: &Value) -> Result<Acted, SourceError> {
    let errand = Errand { operation, about };
    let (account, scope) = (pms.account(), scope());
    pms.reader.act(&pms.source, &account, &scope, errand).await
}

async fn look(pms: &Pms, operation: Operation, about: &Value) -> Result<Vec<Value>, SourceError> {
    let errand = Errand { operation, about };
    let account = pms.account();
    let scope = scope();
    let looked = pms
        .reader
        .look(&pms.source, &account, &scope, errand)
        .await?;
    let records = looked
        .iter()
        .map(|record| serde_json::from_str(record).unwrap());
    Ok(records.collect())
}

fn ana() -> Value {
    json!({ "key": "p1", "name": "Ana Silver" })
}

/// What becomes of a create that is answered so, which is asked once.
async fn answered(yaml: &str, answer: fn() -> Reply) -> Acted {
    let pms = Pms::start(yaml, move |_, _: &Asked| answer()).await;
    let acted = act(&pms, Operation::Create, &ana()).await.unwrap();
    let asked = pms.asked();
    assert_eq!(asked.len(), 1, "sent once: {acted:?}");
    assert_eq!(asked[0].method, "POST");
    acted
}

/// The word of an outcome, and what is told of it.
fn told(acted: &Acted) -> (&'static str, String) {
    match acted {
        Acted::Done { id } => ("done", id.clone().unwrap_or_default()),
        Acted::There => ("there", String::new()),
        Acted::Gone => ("gone", String::new()),
        Acted::Refused(told) => ("refused", told.to_string()),
        Acted::Later(told, wait) => (
            "later",
            format!("{told} {:?}", wait.map(|wait| wait.as_secs())),
        ),
        Acted::Doubtful(told) => ("doubtful", told.to_string()),
    }
}

/// Rules, an answer, and what became of it by them, with what is told.
type Row = (&'static str, fn() -> Reply, &'static str, &'static str);

#[tokio::test]
async fn what_an_answer_says_is_what_became_of_it() {
    let error = || Reply(400, Vec::new(), br#"{"error":"no such door"}"#.to_vec());
    let rows: [Row; 18] = [
        ("", || ok(r#"{"grant":{"uuid":"g-7"}}"#), "done", "g-7"),
        (
            "",
            || Reply(201, vec![], br#"{"grant":{"uuid":7}}"#.to_vec()),
            "done",
            "7",
        ),
        ("", || Reply(204, vec![], vec![]), "done", ""),
        ("{ status: 202, is: accepted }", || status(202), "done", ""),
        (
            "{ status: 200, path: nothing_to_do, is: empty }",
            || ok(r#"{"nothing_to_do":true}"#),
            "done",
            "",
        ),
        ("{ status: 409, is: conflict }", || status(409), "there", ""),
        ("{ status: 404, is: gone }", || status(404), "gone", ""),
        (
            "{ path: error, is: fatal }",
            error,
            "refused",
            "the target answered with status 400 (it said: no such door)",
        ),
        (
            "{ path: error, is: fatal, hint: see the key }",
            error,
            "refused",
            "see the key",
        ),
        ("", || status(422), "refused", "status 422"),
        ("", || status(403), "refused", "the target denies this"),
        (
            "",
            || Reply(429, vec![("retry-after", "7".into())], vec![]),
            "later",
            "it is tried again Some(7)",
        ),
        (
            "",
            || Reply(503, vec![("retry-after", "90".into())], vec![]),
            "later",
            "Some(90)",
        ),
        (
            "{ status: 500, text: busy, is: retry }",
            || Reply(500, vec![], b"busy".to_vec()),
            "later",
            "None",
        ),
        (
            "{ status: 200, path: closed, is: maintenance }",
            || ok(r#"{"closed":true}"#),
            "later",
            "closed for maintenance",
        ),
        (
            "",
            || status(500),
            "doubtful",
            "the target failed with status 500; it may be done: what is there is looked at",
        ),
        ("", || status(502), "doubtful", "status 502"),
        // What stands between may answer with a page.
        ("", || ok("<html>Sign in</html>"), "doubtful", "a page"),
    ];
    for (rules, answer, word, says) in rows {
        let acted = answered(&ruled(rules), answer).await;
        let (became, told) = told(&acted);
        assert_eq!(became, word, "{rules}: {told}");
        assert!(told.contains(says), "{rules}: {told}");
    }
}

#[tokio::test]
async fn the_id_may_stand_in_a_header_and_of_location_it_is_all_of_the_url() {
    let yaml = creates(&CREATE.replace("grant/uuid", "{ header: Location }"));
    let pms = Pms::start(&yaml, |number, _: &Asked| match number {
        0 => Reply(201, vec![("location", "/grants/g%207".into())], vec![]),
        _ => Reply(204, vec![], vec![]),
    })
    .await;
    let acted = act(&pms, Operation::Create, &ana()).await.unwrap();
    let id = Some(format!("{}/grants/g%207", pms.url));
    assert_eq!(acted, Acted::Done { id: id.clone() });
    // And with it a request may begin.
    let yaml = yaml.replace(
        "{{ credential.url }}/grants/{{ grant.id }}",
        "{{ grant.id }}",
    );
    let pms = Pms::start(&yaml, |_, _: &Asked| Reply(204, vec![], vec![])).await;
    let about = json!({ "key": "p1", "id": format!("{}/grants/g%207", pms.url) });
    let acted = act(&pms, Operation::Remove, &about).await.unwrap();
    assert_eq!(acted, Acted::Done { id: None });
    let asked = pms.asked();
    assert_eq!(
        (asked[0].method.as_str(), asked[0].to.as_str()),
        ("DELETE", "/grants/g%207")
    );
    // But only to the connector's hosts.
    let about = json!({ "key": "p1", "id": "http://127.0.0.1:1/grants/7" });
    let (became, told) = told(&act(&pms, Operation::Remove, &about).await.unwrap());
    assert_eq!(became, "refused", "{told}");
    assert!(told.contains("127.0.0.1:1 is not among"), "{told}");
    assert_eq!(pms.asked().len(), 1);
}

/// A server that takes one request in, and then does this with the connection; and how many it took in.
async fn that_breaks(yaml: &str, waits: bool) -> (Pms, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut pms = Pms::start(yaml, |_, _: &Asked| status(500)).await;
    pms.url = format!("http://{}", listener.local_addr().unwrap());
    let came = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&came);
    tokio::spawn(async move {
        let mut open = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = [0; 4096];
            let read = stream.read(&mut bytes).await.unwrap();
            if read > 0 {
                count.fetch_add(1, Ordering::Relaxed);
            }
            if waits {
                open.push(stream);
            } else {
                stream.shutdown().await.unwrap();
            }
        }
    });
    (pms, came)
}

#[tokio::test]
async fn what_was_sent_and_has_no_answer_is_doubtful_and_is_not_sent_again() {
    let yaml = format!(
        "timeout: 1s\nretry: {{ attempts: 4, pause: 0s }}\n{}",
        ruled("")
    );
    for (waits, says) in [
        (true, "no answer within 1s"),
        (false, "the connection broke off"),
    ] {
        let (pms, came) = that_breaks(&yaml, waits).await;
        let (became, told) = told(&act(&pms, Operation::Create, &ana()).await.unwrap());
        assert_eq!(became, "doubtful", "{told}");
        assert!(told.contains(says), "{told}");
        assert_eq!(came.load(Ordering::Relaxed), 1, "{told}");
    }
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_done_and_it_is_for_later() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut pms = Pms::start(&ruled(""), |_, _: &Asked| status(500)).await;
    pms.url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let acted = act(&pms, Operation::Create, &ana()).await.unwrap();
    let (became, told) = told(&acted);
    assert_eq!(became, "later", "{told}");
    assert!(
        told.contains("cannot connect to") && told.contains("; it is tried again"),
        "{told}"
    );
}

#[tokio::test]
async fn a_failure_that_would_be_read_again_is_not_sent_again() {
    let yaml = format!("\nretry: {{ attempts: 4, pause: 0s }}\n{}", ruled(""));
    for code in [500, 429, 503] {
        let pms = Pms::start(&yaml, move |_, _: &Asked| status(code)).await;
        act(&pms, Operation::Create, &ana()).await.unwrap();
        assert_eq!(pms.asked().len(), 1, "{code}");
        // Looking is.
        assert!(look(&pms, Operation::List, &Value::Null).await.is_err());
        assert!(pms.asked().len() > 2, "{code}");
    }
}

const LOGIN: &str = "auth: { login: { request: login, token: token } }\n\
    requests: { login: { method: POST, reads: true, url: \"{{ credential.url }}/login\", format: json, \
    body: { json: { secret: \"{{ credential.secret }}\" } } } }\n";

#[tokio::test]
async fn a_kept_token_that_is_refused_is_fetched_again_once_and_a_new_one_is_not() {
    let logins = Arc::new(AtomicUsize::new(0));
    let refused = Arc::new(AtomicUsize::new(usize::MAX));
    let (count, until) = (Arc::clone(&logins), Arc::clone(&refused));
    let yaml = format!("{LOGIN}{}", ruled(""));
    let pms = Pms::start(&yaml, move |_, asked: &Asked| {
        if asked.to == "/login" {
            let number = count.fetch_add(1, Ordering::Relaxed) + 1;
            return ok(json!({ "token": format!("t{number}") }).to_string());
        }
        let token: usize = asked
            .header("authorization")
            .trim_start_matches("Bearer t")
            .parse()
            .unwrap();
        if token <= until.load(Ordering::Relaxed) && until.load(Ordering::Relaxed) != usize::MAX {
            return status(401);
        }
        ok(json!({ "grant": { "uuid": asked.header("authorization") } }).to_string())
    })
    .await;
    let done = |id: &str| Acted::Done {
        id: Some(id.to_owned()),
    };
    assert_eq!(
        act(&pms, Operation::Create, &ana()).await,
        Ok(done("Bearer t1"))
    );
    // The token dies: nothing was done with it.
    refused.store(1, Ordering::Relaxed);
    assert_eq!(
        act(&pms, Operation::Create, &ana()).await,
        Ok(done("Bearer t2"))
    );
    let paths = ["/login", "/grants", "/grants", "/login", "/grants"];
    assert_eq!(pms.paths(), paths);
    // So does each.
    refused.store(100, Ordering::Relaxed);
    let failed = act(&pms, Operation::Create, &ana()).await;
    assert!(
        matches!(failed, Err(SourceError::LoginFailed(_))),
        "{failed:?}"
    );
    assert_eq!(pms.paths()[5..], ["/grants", "/login", "/grants"]);
}

#[tokio::test]
async fn values_of_a_grant_stay_what_they_are_wherever_they_stand() {
    let create = r#"  create:
    method: PUT
    url: "{{ credential.url }}/{{ fields.site }}/{{ grant.name }}/{{ grant.site.url }}"
    query: { phone: "{{ grant.phone | optional }}", mail: "{{ grant.email | optional }}", when: "{{ grant.end | optional }}" }
    headers: { X-Name: "{{ grant.email }}" }
    format: json
    body:
      json:
        name: "{{ grant.name }}"
        policies: "{{ grant.policies | json }}"
        rules: "{{ grant.rules | json }}"
        count: "{{ grant.count | json }}"
        share: "{{ grant.share | json }}"
        active: "{{ grant.active | json }}"
        end: "{{ grant.end | json }}"
        phone: "{{ grant.phone | optional }}"
        start: "{{ grant.end | optional }}"
        number: "{{ grant.count | optional | number }}"
        of: { unit: "{{ grant.unit.id | optional }}", list: ["{{ grant.none | optional }}", "{{ grant.email }}"] }
        text: "{{ grant.policies | join('+') }}, {{ grant.rules | json }}"
"#;
    let pms = Pms::start(&creates(create), |_, _: &Asked| status(200)).await;
    let about = json!({
        "key": "p1", "name": "../A\"na/é?x=1", "email": "ana@mail.com", "policies": ["a", {"b": 1}],
        "rules": {"z": [1, 2.5], "a": null}, "count": 7, "share": 9_007_199_254_740_993_u64, "active": true, "end": null,
        "site": {"url": "http://h/../../x"},
    });
    let acted = act(&pms, Operation::Create, &about).await.unwrap();
    assert_eq!(acted, Acted::Done { id: None }, "{acted:?}");
    let asked = &pms.asked()[0];
    assert_eq!(asked.method, "PUT");
    assert_eq!(
        asked.to,
        "/elm/..%2FA%22na%2F%C3%A9%3Fx%3D1/http%3A%2F%2Fh%2F..%2F..%2Fx?mail=ana%40mail.com"
    );
    assert_eq!(asked.header("x-name"), "ana@mail.com");
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(
        body,
        json!({
            "name": "../A\"na/é?x=1", "policies": ["a", {"b": 1}], "rules": {"z": [1, 2.5], "a": null}, "count": 7,
            "share": 9_007_199_254_740_993_u64, "active": true, "end": null, "number": 7, "of": {"list": ["ana@mail.com"]},
            "text": "a+{'b': 1}, {\"a\":null,\"z\":[1,2.5]}",
        })
    );
}

#[tokio::test]
async fn a_form_leaves_out_what_is_not_set() {
    let create = "  create: { method: POST, url: \"{{ credential.url }}/grants\", format: json, \
        body: { form: { name: \"{{ grant.name }}\", phone: \"{{ grant.phone | optional }}\" } } }\n";
    let pms = Pms::start(&creates(create), |_, _: &Asked| status(200)).await;
    act(&pms, Operation::Create, &ana()).await.unwrap();
    let with = json!({ "key": "p1", "name": "Bo", "phone": "+1 212" });
    act(&pms, Operation::Create, &with).await.unwrap();
    let bodies: Vec<String> = pms.asked().into_iter().map(|asked| asked.body).collect();
    assert_eq!(bodies, ["name=Ana+Silver", "name=Bo&phone=%2B1+212"]);
}

#[tokio::test]
async fn what_cannot_be_written_for_a_grant_is_refused_for_that_one_and_nothing_is_sent() {
    let create = "  create: { method: POST, url: \"{{ credential.url }}/grants/{{ grant.key }}\", format: json, \
        headers: { X-Name: \"{{ grant.name }}\" }, body: { json: { doors: \"{{ grant.doors }}\" } } }\n";
    let pms = Pms::start(&creates(create), |_, _: &Asked| status(200)).await;
    for (about, says) in [
        (
            json!({ "key": "", "name": "Ana", "doors": "d" }),
            "`target.create.url` gives nothing",
        ),
        (
            json!({ "key": "p1", "name": "A\nb", "doors": "d" }),
            "a control character",
        ),
        (
            json!({ "key": "p1", "name": "A\u{e9}\u{20ac}", "doors": ["d"] }),
            "write `| json`",
        ),
        (
            json!({ "key": "..", "name": "Ana", "doors": "d" }),
            "walk up the path",
        ),
        (
            json!({ "key": "p1", "name": "Ana" }),
            "uses a value that is not set; nothing was sent; let the script give it",
        ),
    ] {
        let (became, told) = told(&act(&pms, Operation::Create, &about).await.unwrap());
        assert_eq!(became, "refused", "{told}");
        assert!(told.contains(says), "{told}");
        assert!(!told.contains("Ana"), "{told}");
    }
    assert!(pms.asked().is_empty());
}

#[tokio::test]
async fn all_that_is_there_is_read_page_after_page_or_it_is_an_error() {
    let yaml = "target:
  list:
    url: \"{{ credential.url }}/keys/{{ record.id }}/grants\"
    query: { page: \"{{ page.number }}\" }
    format: json
    records: data
    id: id
    page: { number: { first: 1, size: 2 } }
    total: total
    each: keys
  find: { url: \"{{ credential.url }}/grants/{{ grant.key }}\", format: json, id: id, errors: [{ status: 404, is: gone }] }
  create: { method: POST, url: \"{{ credential.url }}/grants\", format: json, body: { json: { name: \"{{ grant.name }}\" } } }
  remove: { method: DELETE, url: \"{{ credential.url }}/grants/{{ grant.id }}\", format: json }
  places: { url: \"{{ credential.url }}/keys\", format: json, id: id, name: label }
  write_only: [pin]
requests:
  keys: { url: \"{{ credential.url }}/keys\", format: json }
";
    let breaks = Arc::new(AtomicUsize::new(0));
    let broken = Arc::clone(&breaks);
    let pms = Pms::start(yaml, move |_, asked: &Asked| match asked.to.as_str() {
        "/keys" => ok(r#"[{"id": "k/1", "label": "Gate"}, {"id": "k2", "label": "Pool"}]"#),
        "/keys/k%2F1/grants?page=1" => ok(r#"{"data": [{"id": 1}, {"id": 2}], "total": 3}"#),
        "/keys/k%2F1/grants?page=2" if broken.load(Ordering::Relaxed) == 1 => status(500),
        "/keys/k%2F1/grants?page=2" if broken.load(Ordering::Relaxed) == 2 => {
            ok(r#"{"data": [], "total": 3}"#)
        }
        "/keys/k%2F1/grants?page=2" => ok(r#"{"data": [{"id": 3}], "total": 3}"#),
        "/keys/k2/grants?page=1" => ok(r#"{"data": [], "total": 0}"#),
        "/grants/p1" => ok(r#"{"id": 1}"#),
        _ => status(404),
    })
    .await;
    assert!(pms.source.is_target());
    assert_eq!(pms.source.write_only(), ["pin"]);
    assert!(pms.source.can(Operation::Find) && !pms.source.can(Operation::Change));
    assert_eq!(pms.source.feeds().count(), 0);
    assert_eq!(pms.source.lookups().count(), 0);
    let all = look(&pms, Operation::List, &Value::Null).await.unwrap();
    assert_eq!(all, [json!({"id": 1}), json!({"id": 2}), json!({"id": 3})]);
    for (fault, says) in [
        (1, "`target.list`: the target failed with status 500"),
        (2, "`target.list`: "),
    ] {
        breaks.store(fault, Ordering::Relaxed);
        let error = look(&pms, Operation::List, &Value::Null).await.unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
    let found = look(&pms, Operation::Find, &json!({ "key": "p1" }))
        .await
        .unwrap();
    assert_eq!(found, [json!({"id": 1})]);
    let none = look(&pms, Operation::Find, &json!({ "key": "p2" }))
        .await
        .unwrap();
    assert!(none.is_empty());
    let places = look(&pms, Operation::Places, &Value::Null).await.unwrap();
    assert_eq!(
        pms.source
            .record_name("target.places", &places[1].to_string())
            .as_deref(),
        Some("Pool")
    );
    // A key that is not known is no question.
    let error = look(&pms, Operation::Find, &json!({})).await.unwrap_err();
    assert!(matches!(error, SourceError::Unexpected(_)), "{error}");
    // Each of the two does its own.
    let error = look(&pms, Operation::Create, &ana()).await.unwrap_err();
    assert!(matches!(error, SourceError::NotAllowed(_)), "{error}");
    let error = act(&pms, Operation::List, &ana()).await.unwrap_err();
    assert!(matches!(error, SourceError::NotAllowed(_)), "{error}");
    let error = act(&pms, Operation::Change, &ana()).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the connector has no such request"),
        "{error}"
    );
}

const CHAIN: &str = "target:
  list: { url: \"{{ credential.url }}/grants\", format: json }
  create: { after: [user], method: POST, url: \"{{ credential.url }}/users/{{ given.user }}/grants\", format: json, \
    body: { json: { name: \"{{ grant.name }}\" } } }
  remove: { method: DELETE, url: \"{{ credential.url }}/grants/{{ grant.id }}\", format: json }
requests:
  user: { METHOD url: \"{{ credential.url }}/users\", query: { mail: \"{{ grant.email }}\" }, format: json, gives: { user: id } }
";

#[tokio::test]
async fn what_comes_before_an_act_knows_its_grant_and_fails_as_it_would() {
    let about = json!({ "key": "p1", "name": "Ana", "email": "ana@mail.com" });
    for (method, user, grants, word) in [
        ("", 200, 200, "done"),
        ("", 503, 200, "later"),
        ("", 404, 200, "refused"),
        ("", 200, 503, "later"),
        ("method: POST,", 200, 200, "done"),
        // The first of two is done: only looking there tells how far it came.
        ("method: POST,", 200, 503, "doubtful"),
        ("method: POST,", 500, 200, "doubtful"),
        ("method: POST, reads: true,", 500, 200, "later"),
    ] {
        let yaml = CHAIN.replace("METHOD", method);
        let pms = Pms::start(&yaml, move |_, asked: &Asked| {
            let is_user = asked.to == "/users?mail=ana%40mail.com";
            let code = if is_user { user } else { grants };
            Reply(code, vec![], br#"{"id": "u 1"}"#.to_vec())
        })
        .await;
        let (became, told) = told(&act(&pms, Operation::Create, &about).await.unwrap());
        assert_eq!(became, word, "{method} {user} {grants}: {told}");
        if user == 200 {
            assert_eq!(pms.paths()[1], "/users/u%201/grants");
        }
    }
    // A field that the script does not give is a matter of this grant.
    let pms = Pms::start(&CHAIN.replace("METHOD", ""), |_, _: &Asked| status(200)).await;
    let acted = act(&pms, Operation::Create, &ana()).await.unwrap();
    assert_eq!(told(&acted).0, "refused");
    assert!(pms.asked().is_empty());
}

#[tokio::test]
async fn where_an_answer_leads_elsewhere_nobody_goes() {
    for (code, word) in [
        (307, "not allowed"),
        (302, "not allowed"),
        (303, "doubtful"),
    ] {
        let answer = move |_: usize, asked: &Asked| {
            let to = format!("http://{}/elsewhere", asked.header("host"));
            Reply(code, vec![("location", to)], vec![])
        };
        let pms = Pms::start(&ruled(""), answer).await;
        let became = match act(&pms, Operation::Create, &ana()).await {
            Ok(acted) => told(&acted).0,
            Err(SourceError::NotAllowed(_)) => "not allowed",
            Err(error) => panic!("{error}"),
        };
        assert_eq!(became, word, "{code}");
        assert_eq!(pms.paths(), ["/grants"], "{code}");
    }
}

#[tokio::test]
async fn an_event_is_sent_as_it_is_and_once() {
    let yaml = "target:\n  send: { method: POST, url: \"{{ credential.url }}/hook\", format: json, \
        headers: { webhook-id: \"{{ event.id }}\" }, body: { json: \"{{ event | json }}\" }, errors: [{ status: 410, is: gone }] }\n";
    let pms = Pms::start(yaml, |number, _: &Asked| status([200, 410, 503][number])).await;
    let event = json!({ "id": "e-1", "seq": 7, "kind": "changed", "person": "p1" });
    let mut became = Vec::new();
    for _ in 0..3 {
        let acted = act(&pms, Operation::Send, &event).await.unwrap();
        became.push(told(&acted).0);
    }
    assert_eq!(became, ["done", "gone", "later"]);
    let asked = &pms.asked()[0];
    assert_eq!(asked.header("webhook-id"), "e-1");
    assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap(), event);
    assert_eq!(pms.asked().len(), 3);
}

#[tokio::test]
async fn nobody_tries_what_does_something() {
    let pms = Pms::start(&CHAIN.replace("METHOD", "method: POST,"), |_, _: &Asked| {
        ok("[]")
    })
    .await;
    let scope = scope();
    for request in ["target.create", "target.remove", "user"] {
        let probed = pms
            .reader
            .probe(&pms.source, pms.account(), request, "", &scope, None)
            .await;
        let error = probed.page.unwrap_err();
        assert!(matches!(error, SourceError::NotAllowed(_)), "{error}");
        assert!(error.to_string().contains("is not tried"), "{error}");
    }
    assert!(pms.asked().is_empty());
    let probed = pms
        .reader
        .probe(&pms.source, pms.account(), "target.list", "", &scope, None)
        .await;
    assert!(probed.page.is_ok());
    assert_eq!(pms.asked().len(), 1);
}

#[tokio::test]
async fn a_pause_that_the_target_asks_for_is_told() {
    let yaml = format!(
        "limits: {{ remaining: x-left, reset: x-back }}\n{}",
        ruled("")
    );
    let pms = Pms::start(&yaml, |_, _: &Asked| {
        Reply(
            429,
            vec![("x-left", "0".into()), ("x-back", "30".into())],
            vec![],
        )
    })
    .await;
    match act(&pms, Operation::Create, &ana()).await.unwrap() {
        Acted::Later(_, wait) => assert_eq!(wait, Some(Duration::from_secs(30))),
        other => panic!("{other:?}"),
    }
}

/// What is wrong with a connector, one a line, without its file's name.
fn wrong(yaml: &str) -> String {
    let problems = match compile(yaml) {
        Ok(source) => source.warnings().to_vec(),
        Err(problems) => problems,
    };
    let told = problems.iter().map(|problem| {
        let told = problem.to_string();
        told.trim_start_matches("pms.yaml:").to_owned()
    });
    told.collect::<Vec<String>>().join("\n")
}

#[test]
fn what_is_wrong_with_a_connector_of_a_target_is_told_with_its_place() {
    let mut missing = Vec::new();
    let mut check = |told: &str, expected: &str| {
        if !told.contains(expected) {
            missing.push(format!("{expected}\n  not in: {told}"));
        }
    };
    let all = format!("target:\n{LIST}{REMOVE}{CREATE}");
    assert_eq!(wrong(&all), "");
    for (from, to, expected) in [
        (
            "{{ grant.id }}\"",
            "{{ grnat.id }}\"",
            "8:34: target.remove.url: the template uses `grnat.id`, which does not exist; did you mean `grant.id`?",
        ),
        (
            "/grants\", format: json, records",
            "/{{ grant.key }}\", format: json, records",
            "7:16: target.list.url: the template uses `grant.key`, which does not exist; there are: credential.…, fields.…, today,",
        ),
        (
            "{{ grant.id }}\"",
            "{{ grant.id }}/{{ property }}\"",
            "8:34: target.remove.url: the template uses `property`, which is of a PMS, and not of a target; there are:",
        ),
        (
            "{{ grant.id }}\"",
            "{{ event.id }}\"",
            "8:34: target.remove.url: the template uses `event.id`, which does not exist; there are:",
        ),
        (
            "{{ grant.id }}\"",
            "7\"",
            "8:3: target.remove: has no {{ grant.NAME }} in any of its templates, so that it asks the same for every grant",
        ),
        (
            "{{ grant.name }}",
            "x{{ grant.name | optional }}",
            "9:99: target.create.body.json.name: `optional` is for a member of `json`,",
        ),
        (
            "{{ grant.id }}\"",
            "{{ grant.id | optional }}\"",
            "8:34: target.remove.url: `optional` is for a member of `json`,",
        ),
        (
            "{{ grant.name }}",
            "{{ grant.name | jsn }}",
            "target.create.body.json.name: the template has no filter `jsn`; did you mean `json`?",
        ),
        (
            "{ id: grant/uuid }",
            "{ id: grant/uuid, name: n }",
            "target.create.gives: is of no use here: of what an operation gives only `id` is taken",
        ),
        (
            "gives: {",
            "records: data, gives: {",
            "target.create.records: is of no use here: the request does something, is sent once,",
        ),
        (
            "records: data, id: id",
            "records: data, id: id, per: once",
            "target.list.per: is of no use here: a target is asked once for all that is there; remove it",
        ),
        (
            "list: { url",
            "list: { method: PUT, url",
            "7:19: target.list.method: writes, and here a target is only read; write GET, or POST with `reads: true`",
        ),
        (
            "list: { url",
            "list: { after: [lst], url",
            "7:19: target.list.after.0: there is no request `lst`; add it to `requests`",
        ),
        (
            "list: { url",
            "places: { url: \"{{ credential.url }}\", format: json }\n  list: { url",
            "7:3: target.places: has no `id`; add the path of what `places` of a target's file names",
        ),
    ] {
        assert!(all.contains(from), "{from}");
        let told = wrong(&all.replace(from, to));
        check(&told, expected);
    }
    for (requests, expected) in [
        (
            "headers: { X-Of: \"{{ property }}\" }\n",
            "headers.X-Of: the template uses `property`, which is of a PMS",
        ),
        (
            "requests: { a: { method: PATCH, url: \"{{ credential.url }}\", format: json } }\n",
            "requests.a.method: writes, and here a target is only read",
        ),
    ] {
        let told = wrong(&format!("{requests}{all}"));
        check(&told, expected);
    }
    // What tells of events reads nothing back that a script could look something up for.
    let told = wrong(
        "target: { send: { method: POST, url: \"{{ credential.url }}\", format: json, body: { json: { a: \"{{ event.id }}\" } } } }\n\
        requests: { units: { url: \"{{ credential.url }}\", format: json } }\n",
    );
    check(
        &told,
        "requests.units: nobody asks for it: it does not log in, and no operation of `target` names it in `after` or `each`",
    );
    // A step that several ask knows only what all of them have.
    let both = CHAIN
        .replace("METHOD", "")
        .replace("list: { url", "list: { after: [user], url");
    let told = wrong(&both);
    assert!(
        told.contains(
            "requests.user.query.mail: the template uses `grant.email`, which does not exist"
        ),
        "{told}"
    );
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn a_pms_has_no_grants_and_is_written_to_by_nobody() {
    let residents = "requests: { residents: { method: DELETE, url: \"{{ credential.url }}/{{ grant.id }}\", format: json, id: id } }\n";
    let told = wrong(residents);
    assert!(told.contains("`grant.id`, which does not exist"), "{told}");
    assert!(
        told.contains("method: writes, and a PMS is only read"),
        "{told}"
    );
}
