//! What connectors can say, each said in YAML and read over HTTP from a server on loopback.

use std::time::{Duration, Instant};

use crate::support::small_pms::{Asked, Pms, Reply, compile, ok, status};
use epms::model::Reading;
use epms::source::SourceError;
use serde_json::json;

const LOGIN: &str = r#"
auth: { login: { request: login, token: data/token, header: X-Session, value: "T {{ token }}", idle: 20m, lifetime: 8h } }
requests:
  login:
    method: POST
    reads: true
    url: "{{ credential.url }}/login"
    body: { form: { u: "{{ credential.user }}", p: "{{ credential.secret }}" } }
    format: json
  residents: { url: "{{ credential.url }}/people", format: json }
"#;

/// Tokens are good until `spoilt` says otherwise.
fn session(number: usize, asked: &Asked, good: &str) -> Reply {
    match asked.to.as_str() {
        "/login" => ok(format!(r#"{{"data":{{"token":"token-{number}"}}}}"#)),
        _ if asked.header("x-session") == good => ok("[]"),
        _ => Reply(
            401,
            Vec::new(),
            format!(r#"{{"m":"bad {}"}}"#, asked.header("x-session")).into(),
        ),
    }
}

#[tokio::test]
async fn a_login_is_one_for_all_and_its_token_is_kept() {
    let pms = Pms::start(LOGIN, |n, asked| session(n, asked, "T token-0")).await;
    let (one, two) = tokio::join!(pms.records(), pms.records());
    assert!(one.is_empty() && two.is_empty());
    pms.records().await;
    let paths = pms.paths();
    assert_eq!(paths, ["/login", "/people", "/people", "/people"]);
    assert_eq!(pms.asked()[0].body, "p=s3cret%26x&u=ana");
    assert_eq!(pms.source.lookups().count(), 0);
}

#[tokio::test]
async fn a_kept_token_that_is_refused_is_fetched_again_once_and_a_fresh_one_is_not() {
    // The first token is good for one request, the second one for ever.
    let pms = Pms::start(LOGIN, |n, asked| {
        session(n, asked, if n < 2 { "T token-0" } else { "T token-3" })
    })
    .await;
    pms.records().await;
    pms.records().await;
    let paths = pms.paths();
    assert_eq!(paths, ["/login", "/people", "/people", "/login", "/people"]);

    let yaml = LOGIN.replace(
        "/people\", ",
        "/people\", errors: [{ path: m, is: login_failed }], ",
    );
    let pms = Pms::start(&yaml, |n, asked| session(n, asked, "none")).await;
    let error = pms.failure().await;
    // The login was let in a moment ago: what is refused is this request (R44).
    assert!(matches!(error, SourceError::Denied(_)), "{error:?}");
    assert_eq!(pms.paths(), ["/login", "/people"]);
    let told = "it said: ‹not quoted: the answer repeats the credential›";
    assert!(error.to_string().contains(told), "{error}");
    assert!(!format!("{error:?} {:?}", pms.account()).contains("token-0"));
}

#[tokio::test]
async fn a_token_that_is_idle_or_old_is_fetched_again_before_it_is_refused() {
    let kept = ["/login", "/people", "/people"];
    let again = ["/login", "/people", "/login", "/people"];
    for (lasts, paths) in [
        ("idle: 1h, lifetime: 1h", &kept[..]),
        ("idle: 0s, lifetime: 1h", &again),
        ("idle: 1h, lifetime: 0s", &again),
    ] {
        let yaml = LOGIN.replace("idle: 20m, lifetime: 8h", lasts);
        let answer = |_, asked: &Asked| match asked.to.as_str() {
            "/login" => ok(r#"{"data":{"token":"t"}}"#),
            _ => ok("[]"),
        };
        let pms = Pms::start(&yaml, answer).await;
        pms.records().await;
        pms.records().await;
        assert_eq!(pms.paths(), paths, "{lasts}");
    }
}

#[tokio::test]
async fn a_whole_json_text_may_be_the_token() {
    let yaml = "auth: { login: { request: login } }\nrequests:\n  \
        login: { url: \"{{ credential.url }}/login\", format: json }\n  \
        residents: { url: \"{{ credential.url }}/people\", format: json }\n";
    let pms = Pms::start(yaml, |_, asked| match asked.to.as_str() {
        "/login" => ok("\"abcd\""),
        _ => ok("[]"),
    })
    .await;
    pms.records().await;
    assert_eq!(pms.asked()[1].header("authorization"), "Bearer abcd");
}

#[tokio::test]
async fn oauth2_client_credentials_prove_themselves_in_either_style() {
    for (style, expires, logins) in [("basic", 3600, 1), ("body", 0, 2)] {
        let yaml = format!(
            "auth: {{ oauth2: {{ token_url: \"{{{{ credential.url }}}}/token\", client_id: \"{{{{ credential.user }}}}\", \
             client_secret: \"{{{{ credential.secret }}}}\", scope: read, style: {style} }} }}\n\
             requests: {{ residents: {{ url: \"{{{{ credential.url }}}}/people\", format: json }} }}\n"
        );
        let pms = Pms::start(&yaml, move |_, asked| match asked.to.as_str() {
            "/token" => ok(format!(
                r#"{{"access_token":"tok1","token_type":"bearer","expires_in":{expires}}}"#
            )),
            _ => ok("[]"),
        })
        .await;
        pms.records().await;
        pms.records().await;
        let asked = pms.asked();
        let tokens = asked.iter().filter(|asked| asked.to == "/token").count();
        assert_eq!(tokens, logins, "{style}");
        assert_eq!(asked[1].header("authorization"), "Bearer tok1");
        let form = "grant_type=client_credentials&scope=read";
        if style == "basic" {
            assert_eq!(asked[0].body, form);
            assert_eq!(
                asked[0].header("authorization"),
                "Basic YW5hOnMzY3JldCUyNng="
            );
        } else {
            assert_eq!(
                asked[0].body,
                format!("{form}&client_id=ana&client_secret=s3cret%26x")
            );
        }
    }
}

#[tokio::test]
async fn an_oauth2_client_that_is_refused_is_a_failed_login() {
    let yaml = "auth: { oauth2: { token_url: \"{{ credential.url }}/token\", client_id: a, client_secret: \"{{ credential.secret }}\" } }\n\
        requests: { residents: { url: \"{{ credential.url }}/people\", format: json } }\n";
    let pms = Pms::start(yaml, |_, _| {
        Reply(400, Vec::new(), br#"{"error":"invalid_client"}"#.to_vec())
    })
    .await;
    let error = pms.failure().await;
    assert!(matches!(error, SourceError::LoginFailed(_)), "{error:?}");
    let elsewhere = yaml.replace("{{ credential.url }}/token", "http://127.0.0.1:1/token");
    let pms = Pms::start(&elsewhere, |_, _| ok("[]")).await;
    let error = pms.failure().await;
    assert!(matches!(error, SourceError::NotAllowed(_)), "{error:?}");
    assert!(pms.asked().is_empty());
}

const BASIC: &str = "auth: { basic: { username: \"{{ credential.user }}\", password: \"{{ credential.secret }}\" } }\n\
    requests: { residents: { url: \"{{ credential.url }}/people\", format: json } }\n";

#[tokio::test]
async fn r28_a_credential_that_fails_is_failed_once() {
    let pms = Pms::start(BASIC, |_, asked| {
        // "ana:right"
        match asked.header("authorization") {
            "Basic YW5hOnJpZ2h0" => ok("[]"),
            _ => status(401),
        }
    })
    .await;
    let (one, two) = tokio::join!(pms.failure(), pms.failure());
    let three = pms.failure().await;
    for error in [one, two, three] {
        assert!(matches!(error, SourceError::LoginFailed(_)), "{error:?}");
        assert!(error.to_string().contains("credential `acme`"), "{error}");
    }
    assert_eq!(pms.asked().len(), 1);
    std::fs::write(pms.home.path().join("secret"), "right").unwrap();
    pms.records().await;
    assert_eq!(pms.asked().len(), 2);
}

#[tokio::test]
async fn a_link_header_leads_on_and_a_header_declares_the_total() {
    let yaml = "requests: { residents: { url: \"{{ credential.url }}/people\", format: json, page: { link: next }, total: { header: X-Total-Count } } }\n";
    let page = |n: usize, total: &str| {
        let mut headers = vec![("x-total-count", total.to_owned())];
        if n == 0 {
            headers.push(("link", "</people?p=2>; rel=\"next\", </x>; rel=last".into()));
        }
        Reply(200, headers, format!("[{{\"n\":{n}}}]").into())
    };
    let pms = Pms::start(yaml, move |n, _| page(n, "2")).await;
    assert_eq!(pms.records().await, [json!({"n": 0}), json!({"n": 1})]);
    assert_eq!(pms.paths(), ["/people", "/people?p=2"]);
    let pms = Pms::start(yaml, move |n, _| page(n, "3")).await;
    let error = pms.failure().await.to_string();
    assert!(error.contains("declares 3 records and sent 2"), "{error}");
}

#[tokio::test]
async fn a_cursor_is_sent_back_until_there_is_none() {
    let yaml = "requests: { residents: { url: \"{{ credential.url }}/people\", query: { after: \"{{ page.cursor }}\" }, \
        format: json, records: rows, page: { cursor: meta/next } } }\n";
    let page = |n: usize, next: &str| {
        ok(format!(
            r#"{{"rows":[{{"n":{n}}}],"meta":{{"next":{next}}}}}"#
        ))
    };
    let pms = Pms::start(yaml, move |n, _| match n {
        0 => page(0, r#""a/b+c&d""#),
        1 => page(1, "17"),
        _ => page(2, "null"),
    })
    .await;
    let numbers = [json!({"n": 0}), json!({"n": 1}), json!({"n": 2})];
    assert_eq!(pms.records().await, numbers);
    let paths = pms.paths();
    assert_eq!(
        paths,
        ["/people", "/people?after=a%2Fb%2Bc%26d", "/people?after=17"]
    );
    let pms = Pms::start(yaml, move |n, _| page(n, "\"same\"")).await;
    let error = pms.failure().await.to_string();
    assert!(
        error.contains("the cursor of page 2 leads to itself"),
        "{error}"
    );
}

#[tokio::test]
async fn an_offset_grows_by_what_came_until_a_short_page() {
    let yaml = "requests: { residents: { method: POST, reads: true, url: \"{{ credential.url }}/people\", \
        body: { form: { from: \"{{ page.offset }}\", count: \"{{ page.size }}\", of: \"{{ property }}\" } }, \
        format: json, page: { offset: { size: 2 } } } }\n";
    let pms = Pms::start(yaml, |n, _| match n {
        0 => ok(r#"[{"n":0},{"n":1}]"#),
        1 => ok(r#"[{"n":2},{"n":3}]"#),
        _ => ok("[]"),
    })
    .await;
    assert_eq!(pms.records().await.len(), 4);
    let bodies: Vec<String> = pms.asked().into_iter().map(|asked| asked.body).collect();
    assert_eq!(
        bodies,
        [
            "count=2&from=0&of=p1",
            "count=2&from=2&of=p1",
            "count=2&from=4&of=p1"
        ]
    );
    let asked = &pms.asked()[0];
    assert_eq!(
        asked.header("content-type"),
        "application/x-www-form-urlencoded"
    );
}

#[tokio::test]
async fn xml_may_begin_with_a_byte_order_mark_and_have_no_body_at_all() {
    let yaml = "requests: { residents: { url: \"{{ credential.url }}/r\", format: xml, records: L/P, \
        errors: [{ status: 204, is: empty }] } }\n";
    let pms = Pms::start(yaml, |n, _| match n {
        0 => ok("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><L><P><n>\u{e9}</n></P></L>"),
        1 => {
            let wide = "<L><P><n>\u{e9}</n></P></L>".encode_utf16();
            let bytes = std::iter::once(0xfeff)
                .chain(wide)
                .flat_map(u16::to_le_bytes);
            ok(bytes.collect::<Vec<u8>>())
        }
        _ => Reply(204, Vec::new(), Vec::new()),
    })
    .await;
    let expected = [json!({"n": "\u{e9}"})];
    assert_eq!(pms.records().await, expected);
    assert_eq!(pms.records().await, expected);
    assert!(pms.records().await.is_empty());
}

#[tokio::test]
async fn of_a_link_only_the_query_is_taken_and_the_format_is_forced() {
    let yaml = "requests: { residents: { url: \"{{ credential.url }}/api.asp\", query: { $format: json }, format: json, \
        records: value, page: { next: { path: nextLink, keep: query, force: { $format: json } } } } }\n";
    let pms = Pms::start(yaml, |n, _| match n {
        0 => {
            ok(r#"{"nextLink":"https://elsewhere/x?%24format=xml&%24skip=301","value":[{"n":1}]}"#)
        }
        _ => ok(r#"{"value":[{"n":2}]}"#),
    })
    .await;
    assert_eq!(pms.records().await.len(), 2);
    assert_eq!(
        pms.paths(),
        [
            "/api.asp?%24format=json",
            "/api.asp?%24skip=301&%24format=json"
        ]
    );
}

#[tokio::test]
async fn csv_is_read_by_its_header_and_an_error_page_is_none() {
    let yaml = "requests: { residents: { url: \"{{ credential.url }}/r\", format: csv, delimiter: \";\", id: Id } }\n";
    let pms = Pms::start(yaml, |n, _| match n {
        0 => ok("\u{feff}Id;Name\n007;\"Ana; B\"\n"),
        1 => ok("Id;Name\n"),
        _ => ok("Service unavailable"),
    })
    .await;
    assert_eq!(
        pms.records().await,
        [json!({"Id": "007", "Name": "Ana; B"})]
    );
    assert!(pms.records().await.is_empty());
    let error = pms.failure().await.to_string();
    assert!(error.contains("no column `Id`"), "{error}");
}

#[tokio::test]
async fn xml_inside_a_soap_answer_is_read_and_judged() {
    let yaml = "requests: { residents: { method: POST, reads: true, url: \"{{ credential.url }}/s\", format: soap, \
        inner: { path: R/Result }, records: L/P, \
        body: { soap: { version: \"1.2\", action: get, xml: \"<G><P>{{ credential.secret }}</P></G>\" } }, \
        errors: [{ path: R/Result/L/Error, is: denied }] } }\n";
    let wrap = |inner: &str| {
        format!(
            "<s:Envelope xmlns:s=\"u\"><s:Body><R><Result>{}</Result></R></s:Body></s:Envelope>",
            inner.replace('&', "&amp;").replace('<', "&lt;")
        )
    };
    let pms = Pms::start(yaml, move |n, _| match n {
        0 => ok(wrap("<L><P id=\"1\">A &amp; B</P></L>")),
        _ => ok(wrap("<L><Error>no</Error></L>")),
    })
    .await;
    assert_eq!(pms.records().await, [json!({"@id": "1", "#text": "A & B"})]);
    let asked = &pms.asked()[0];
    assert!(asked.header("content-type").ends_with("action=\"get\""));
    assert!(asked.body.contains("2003/05/soap-envelope"));
    assert!(asked.body.contains("<P>s3cret&amp;x</P>"));
    assert!(matches!(pms.failure().await, SourceError::Denied(_)));
}

#[tokio::test]
async fn the_shapes_of_json_are_read_and_emptiness_is_said_by_rules() {
    let yaml = |rules: &str| {
        format!(
            "requests: {{ residents: {{ url: \"{{{{ credential.url }}}}/r\", format: json, records: people, errors: [{rules}] }} }}\n"
        )
    };
    let answers = |n: usize, _: &Asked| match n {
        0 => Reply(204, Vec::new(), Vec::new()),
        1 => ok(r#"{"people":null}"#),
        2 => ok("{}"),
        3 => ok(r#"{"people":"No records found"}"#),
        4 => ok("\u{feff}{\"people\":{\"id\":1}}"),
        _ => ok(r#"{"people":[]}"#),
    };
    let pms = Pms::start(
        &yaml("{ status: 204, is: empty }, { absent: people, is: empty }, { path: people, text: no records, is: empty }"),
        answers,
    )
    .await;
    for _ in 0..4 {
        assert!(pms.records().await.is_empty());
    }
    let strict = Pms::start(&yaml(""), answers).await;
    for told in [
        "status: 204, is: empty",
        "at `people`",
        "at `people`",
        "at `people`",
    ] {
        let error = strict.failure().await.to_string();
        assert!(error.contains(told), "{error}");
    }
    assert_eq!(strict.records().await, [json!({"id": 1})]);
    assert!(strict.records().await.is_empty());
    let keyed = yaml("").replace("records: people", "records: people/*");
    let pms = Pms::start(&keyed, |_, _| ok(r#"{"people":{"7":{"n":1}}}"#)).await;
    assert_eq!(pms.records().await, [json!({"@key": "7", "n": 1})]);
}

#[tokio::test]
async fn a_used_up_budget_and_a_refusal_wait_for_the_reset() {
    let yaml = "limits: { remaining: X-RateLimit-Remaining, reset: X-RateLimit-Reset }\n\
        retry: { attempts: 2, pause: 0s, longest: 5s }\n\
        requests: { residents: { url: \"{{ credential.url }}/r\", format: json } }\n";
    let headers = |remaining: &str| {
        vec![
            ("x-ratelimit-remaining", remaining.to_owned()),
            ("x-ratelimit-reset", "36686;686;1".to_owned()),
        ]
    };
    let pms = Pms::start(yaml, move |n, _| match n {
        0 => Reply(200, headers("9;9;0"), b"[]".to_vec()),
        1 => Reply(429, headers("9;9;0"), b"{}".to_vec()),
        2 => ok("[]"),
        _ => Reply(429, headers("0;9;9"), b"{}".to_vec()),
    })
    .await;
    let timed = async || {
        let begun = Instant::now();
        pms.records().await;
        begun.elapsed()
    };
    let second = Duration::from_millis(950);
    assert!(timed().await < second);
    // It waits for the budget, is refused, and waits again.
    assert!(timed().await >= second * 2);
    let begun = Instant::now();
    assert!(matches!(pms.failure().await, SourceError::Unavailable(_)));
    assert!(
        begun.elapsed() < second,
        "a reset tomorrow is not waited for"
    );
}

#[tokio::test]
async fn several_requests_feed_residents_and_are_complete_together() {
    let yaml = "requests:\n  residents: { url: \"{{ credential.url }}/now/{{ property }}\", format: json }\n  \
        pending: { url: \"{{ credential.url }}/soon/{{ property }}\", format: json, feeds: residents }\n";
    let pms = Pms::start(yaml, |n, asked| match asked.to.as_str() {
        "/now/p1" => ok(r#"[{"id":1}]"#),
        _ if n < 2 => ok(r#"[{"id":2}]"#),
        _ => status(403),
    })
    .await;
    let (reading, records) = pms.read().await;
    assert!(matches!(
        reading,
        Reading::Complete {
            pages: 2,
            records: 2,
            ..
        }
    ));
    let requests: Vec<&str> = records.iter().map(|record| &*record.request).collect();
    assert_eq!(requests, ["residents", "pending"]);
    assert!(matches!(pms.failure().await, SourceError::Denied(_)));
    assert_eq!(pms.source.lookups().count(), 0);
}

#[tokio::test]
async fn a_header_may_say_what_an_answer_means() {
    let yaml = "errors:\n  \
        - { header: { name: X-Gateway, text: maintenance }, is: maintenance, hint: wait for the morning }\n  \
        - { header: { name: X-No-Rows }, is: empty }\n\
        requests: { residents: { url: \"{{ credential.url }}/people\", format: json, records: rows } }\n";
    let pms = Pms::start(yaml, |n, _| match n {
        0 => Reply(
            200,
            vec![("x-gateway", "Nightly Maintenance".into())],
            b"[]".to_vec(),
        ),
        1 => Reply(200, vec![("x-no-rows", String::new())], b"{}".to_vec()),
        _ => Reply(
            200,
            vec![("x-gateway", "fine".into())],
            br#"{"rows":[{}]}"#.to_vec(),
        ),
    })
    .await;
    let error = pms.failure().await;
    assert!(matches!(error, SourceError::Unavailable(_)), "{error:?}");
    assert!(
        error.to_string().contains("closed for maintenance"),
        "{error}"
    );
    assert!(
        error.to_string().contains("wait for the morning"),
        "{error}"
    );
    assert!(pms.records().await.is_empty());
    assert_eq!(pms.records().await.len(), 1);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let told = |yaml: &str| {
        let problems = compile(yaml).err().unwrap_or_default();
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        texts.join("\n")
    };
    let residents = "requests:\n  residents: { url: \"https://h/\", format: json }\n";
    for (yaml, part) in [
        (
            format!(
                "auth: {{ login: {{ request: logn }} }}\n{residents}  login: {{ url: \"https://h/\", format: json }}\n"
            ),
            "there is no request `logn`; did you mean `login`?",
        ),
        (
            format!(
                "auth: {{ login: {{ request: login, value: x }} }}\n{residents}  login: {{ url: \"https://h/{{{{ property }}}}\", format: json }}\n"
            ),
            "`property`, which is not the same for all integrations",
        ),
        (
            format!(
                "auth: {{ login: {{ request: login, value: x }} }}\n{residents}  login: {{ url: \"https://h/\", format: json }}\n"
            ),
            "does not carry the token",
        ),
        (
            format!(
                "auth: {{ oauth2: {{ token_url: \"https://t/x\", client_id: a, client_secret: b }} }}\nhosts: [h]\n{residents}"
            ),
            "t is not among the connector's hosts",
        ),
        (
            format!("limits: {{ remaining: X-Left }}\n{residents}"),
            "add `reset`",
        ),
        (
            format!("limits: {{ reset: \"X Left\" }}\n{residents}"),
            "no name of a header",
        ),
        (
            format!("errors: [{{ header: {{ name: \"X Left\" }}, is: empty }}]\n{residents}"),
            "no name of a header",
        ),
        (
            format!("errors: [{{ header: {{ name: X-Left, txt: a }}, is: empty }}]\n{residents}"),
            "did you mean `text`",
        ),
        (
            residents.replace("format: json", "format: json, delimiter: \";\""),
            "is only for `format: csv`",
        ),
        (
            residents.replace("json", "csv"),
            "name the column of the id",
        ),
        (
            residents.replace("json", "csv, id: Id, records: a"),
            "the rows of CSV have no path",
        ),
        (
            residents.replace("format: json", "format: soap, inner: { path: \"a/*\" }"),
            "does not lead to one text",
        ),
        (
            residents.replace(
                "format: json",
                "format: json, page: { next: { path: a, kep: query } }",
            ),
            "did you mean `keep`",
        ),
        (
            residents.replace("format: json", "format: json, page: { link: \"\" }"),
            "is empty; write `next`",
        ),
        (
            residents.replace("format: json", "format: json, total: { heade: X }"),
            "did you mean `header`",
        ),
    ] {
        let told = told(&yaml);
        assert!(told.contains(part), "{yaml}\n{told}");
        assert!(told.contains("pms.yaml:"), "{told}");
    }
}

/// Says what the rules of a connector cannot: whether a text names a file that is not there yet.
const VERDICT: &str = r#"
    fn residents(record, ctx) { [] }
    fn verdict(answer, ctx) {
        if answer.request != "residents" || answer.status == 200 { return; }
        let code = text(get(answer.headers, "x-codes"));
        if code == "E1, " + ctx.fields.gone { return "empty"; }
        if answer.status == 404 && get(answer.body, "ready") == false {
            return #{ verdict: "maintenance", hint: "the export of " + ctx.today + " is not there yet" };
        }
        if "shouting" in answer.text { return "perhaps"; }
        if "secret" in answer.text { throw answer.text; }
        if "typo" in answer.text { return answer.stauts; }
        if "list" in answer.text { return ["ok"]; }
    }
"#;

#[tokio::test]
async fn a_script_decides_what_an_answer_means_where_no_rule_does() {
    let yaml = "requests: { residents: { url: \"{{ credential.url }}/r\", format: json, \
        errors: [{ status: 418, is: denied }] } }\n";
    let body = |status: u16, text: &str| Reply(status, Vec::new(), text.into());
    let pms = Pms::start(yaml, move |n, _| match n {
        0 => ok("[{\"n\":1}]"),
        1 => {
            let codes = vec![("x-codes", "E1".into()), ("x-codes", "E404".into())];
            Reply(404, codes, "gone".into())
        }
        2 => body(404, r#"{"ready":false}"#),
        3 => body(404, r#"{"ready":true}"#),
        4 => body(500, "shouting"),
        5 => body(500, "secret"),
        6 => body(500, "typo"),
        7 => body(500, "list"),
        _ => body(418, "shouting"),
    })
    .await
    .judged_by(VERDICT);
    assert_eq!(pms.records().await, [json!({"n": 1})]);
    assert!(pms.records().await.is_empty());
    let SourceError::Unavailable(told) = pms.failure().await else {
        panic!()
    };
    assert!(
        told.to_string()
            .contains("the export of 2026-03-01 is not there yet"),
        "{told}"
    );
    // Without a word of the script the status decides.
    assert!(matches!(pms.failure().await, SourceError::Unexpected(_)));
    for wrong in [
        "scripts/pms.rhai:10:47: `verdict` gave a word that is no verdict; it is one of: ok, empty, retry",
        "scripts/pms.rhai:11:38: the script threw an error",
        "scripts/pms.rhai:12:50: stauts: there is no `stauts`",
        "scripts/pms.rhai:3:29: `verdict` gives a word, a map such as #{ verdict:",
    ] {
        let SourceError::Unexpected(told) = pms.failure().await else {
            panic!("{wrong}")
        };
        let told = told.to_string();
        assert!(told.contains(wrong), "{told}");
        assert!(told.contains("correct the function `verdict`"), "{told}");
    }
    // A rule comes before the script.
    assert!(matches!(pms.failure().await, SourceError::Denied(_)));
}

#[tokio::test]
async fn a_script_sees_what_a_login_answers() {
    let pms = Pms::start(LOGIN, |_, _| ok(r#"{"data":{"token":"t"},"locked":"yes"}"#))
        .await
        .judged_by(
            r#"fn residents(record, ctx) { [] }
               fn verdict(answer, ctx) {
                   if answer.request == "login" && get(answer.body, "locked") == "yes" { "denied" }
               }"#,
        );
    // A login that is denied is a refused one: another try could lock the account (R44).
    assert!(matches!(pms.failure().await, SourceError::LoginFailed(_)));
}
