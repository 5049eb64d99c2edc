//! How requests prove who asks: tokens wherever a PMS puts them, grants of OAuth2, signatures; each against a server of a few
//! lines on loopback.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};

use crate::support::small_pms::{Asked, Pms, Reply, compile, ok, status};
use epms::config::Secret;
use epms::outbound::Ledger;
use epms::source::{Reader, SourceError};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

const RESIDENTS: &str = "residents: { url: \"{{ credential.url }}/people\", format: json, id: id }";

/// A connector that logs in, with the token there.
fn login(token: &str) -> String {
    format!(
        "auth: {{ login: {{ request: login, {token} }} }}\n\
         requests: {{ login: {{ method: POST, reads: true, url: \"{{{{ credential.url }}}}/login\", format: json, \
         body: {{ form: {{ p: \"{{{{ credential.secret }}}}\" }} }} }}, {RESIDENTS} }}\n"
    )
}

fn of_login(asked: &Asked, reply: Reply) -> Reply {
    if asked.to == "/login" {
        reply
    } else {
        ok("[]")
    }
}

#[tokio::test]
async fn a_token_may_be_the_answer_itself_a_header_or_a_cookie() {
    let cookies = vec![
        ("set-cookie", "lang=en; Path=/".to_owned()),
        ("set-cookie", "sid=old-one; Path=/".to_owned()),
        ("set-cookie", "sid=t0ken-7; HttpOnly; Path=/".to_owned()),
    ];
    let header = vec![("x-auth-token", "t0ken-7".to_owned())];
    for (token, headers, body, carried) in [
        (
            "token: { body: text }",
            vec![],
            " t0ken-7\r\n",
            ("authorization", "Bearer t0ken-7"),
        ),
        (
            "token: { header: X-Auth-Token }, header: X-Auth-Token, value: \"{{ token }}\"",
            header,
            "",
            ("x-auth-token", "t0ken-7"),
        ),
        (
            "token: { cookie: sid }",
            cookies,
            "<html>welcome</html>",
            ("cookie", "sid=t0ken-7"),
        ),
    ] {
        let answer = move |_: usize, asked: &Asked| {
            of_login(asked, Reply(200, headers.clone(), body.into()))
        };
        let pms = Pms::start(&login(token), answer).await;
        pms.records().await;
        pms.records().await;
        assert_eq!(pms.paths(), ["/login", "/people", "/people"], "{token}");
        let (name, value) = carried;
        assert_eq!(pms.asked()[2].header(name), value, "{token}");
    }
}

#[tokio::test]
async fn what_cannot_be_a_token_is_none_and_nothing_of_it_is_quoted() {
    for (token, body, told) in [
        (
            "token: { body: text }",
            "<html>sorry</html>",
            "the answer is no token",
        ),
        (
            "token: { body: text }",
            "Login failed",
            "the answer is no token",
        ),
        ("token: { body: text }", "", "the answer is no token"),
        (
            "token: { header: X-Auth-Token }",
            "{}",
            "no token in the header `X-Auth-Token`",
        ),
        ("token: { cookie: sid }", "{}", "sets no cookie `sid`"),
    ] {
        let answer = move |_: usize, asked: &Asked| of_login(asked, ok(body));
        let pms = Pms::start(&login(token), answer).await;
        let error = pms.failure().await;
        assert!(matches!(error, SourceError::Unexpected(_)), "{error:?}");
        let error = error.to_string();
        assert!(error.contains(told) && !error.contains("sorry"), "{error}");
        assert_eq!(pms.paths(), ["/login"], "nothing is asked without one");
    }
}

/// A connector with OAuth2.
fn oauth2(more: &str) -> String {
    format!(
        "auth: {{ oauth2: {{ token_url: \"{{{{ credential.url }}}}/token\", client_id: me, {more} }} }}\n\
         requests: {{ {RESIDENTS} }}\n"
    )
}

#[tokio::test]
async fn a_password_is_a_grant_of_its_own() {
    let yaml = oauth2(
        "grant: password, username: \"{{ credential.user }}\", password: \"{{ credential.secret }}\", style: body",
    );
    let pms = Pms::start(&yaml, |_, asked: &Asked| match asked.to.as_str() {
        "/token" => ok(r#"{"access_token": "t0ken-7", "expires_in": 3600}"#),
        _ => ok("[]"),
    })
    .await;
    pms.records().await;
    let asked = pms.asked();
    assert_eq!(
        asked[0].body,
        "grant_type=password&username=ana&password=s3cret%26x&client_id=me"
    );
    assert_eq!(asked[1].header("authorization"), "Bearer t0ken-7");
    for (wrong, told) in [
        ("grant: password, username: x", "has no `password`"),
        ("grant: refresh_token", "has no `refresh_token`"),
        ("client_secret: x, username: y", "is not for this `grant`"),
        ("scope: x", "has no `client_secret`"),
    ] {
        let problems = compile(&oauth2(wrong)).unwrap_err();
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(said.join("\n").contains(told), "{said:?}");
    }
}

/// What is kept of a credential, as the store would.
#[derive(Debug, Default)]
struct Kept(Mutex<BTreeMap<String, ([u8; 32], String)>>);

impl Ledger for Kept {
    fn asked(&self, _: &str) -> BTreeMap<i64, u32> {
        BTreeMap::new()
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn keep(&self, _: &str, _: i64, _: u32) {}

    fn refresh_token(&self, credential: &str) -> Option<([u8; 32], Secret)> {
        let kept = self.0.lock().unwrap().get(credential).cloned();
        kept.map(|(own, token)| (own, Secret::new(token)))
    }

    fn keep_expiry(&self, _: &str, _: &str, _: Option<Date>) {}

    fn keep_refresh_token(&self, credential: &str, own: [u8; 32], token: &Secret) {
        let kept = (own, token.expose().to_owned());
        self.0.lock().unwrap().insert(credential.to_owned(), kept);
    }
}

/// A server that gives another refresh token each time, and lets the one before in no more.
fn rotating() -> impl Fn(usize, &Asked) -> Reply + Clone + Send + Sync + 'static {
    let serial = Arc::new(Mutex::new(0));
    move |_, asked| {
        if asked.to != "/token" {
            return ok("[]");
        }
        let mut serial = serial.lock().unwrap();
        let wanted = match *serial {
            0 => "s3cret%26x".to_owned(),
            n => format!("refresh-{n}"),
        };
        let refresh = asked.body.split("refresh_token=").nth(1);
        if refresh != Some(format!("{wanted}&client_id=me").as_str()) {
            return Reply(400, Vec::new(), br#"{"error": "invalid_grant"}"#.to_vec());
        }
        *serial += 1;
        let refresh = format!("refresh-{serial}");
        ok(
            json!({ "access_token": format!("access-{serial}"), "refresh_token": refresh })
                .to_string(),
        )
    }
}

#[tokio::test]
async fn a_refresh_token_that_is_given_anew_each_time_is_kept_over_a_restart() {
    let yaml =
        oauth2("grant: refresh_token, refresh_token: \"{{ credential.secret }}\", style: body");
    let kept = Arc::new(Kept::default());
    let mut pms = Pms::start(&yaml, rotating()).await;
    // Each reader is a process of its own, that knows no token of the one before.
    for run in 1..=3 {
        pms.reader = Reader::new()
            .unwrap()
            .kept_by(Arc::clone(&kept) as Arc<dyn Ledger>);
        pms.records().await;
        assert_eq!(
            pms.asked().last().unwrap().header("authorization"),
            format!("Bearer access-{run}")
        );
        let known = kept.refresh_token("acme").unwrap().1;
        assert_eq!(known.expose(), format!("refresh-{run}"));
    }
    // A credential that is given another refresh token asks with that one.
    std::fs::write(pms.home.path().join("secret"), "another").unwrap();
    let error = pms.failure().await;
    assert!(matches!(error, SourceError::LoginFailed(_)), "{error:?}");
    assert!(
        pms.asked()
            .last()
            .unwrap()
            .body
            .contains("refresh_token=another")
    );
    assert!(!error.to_string().contains("another"), "{error}");
}

#[tokio::test]
async fn whoever_keeps_no_refresh_token_uses_none() {
    let yaml =
        oauth2("grant: refresh_token, refresh_token: \"{{ credential.secret }}\", style: body");
    let pms = Pms::start(&yaml, rotating()).await;
    let error = pms.failure().await.to_string();
    assert!(error.contains("the daemon keeps it"), "{error}");
    assert_eq!(pms.paths(), Vec::<String>::new());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[tokio::test]
async fn a_request_is_signed_with_its_time_its_path_and_its_body() {
    let yaml = "headers: { X-Time: \"{{ now.seconds }}\" }\n\
        sign: { header: X-Signature, key: \"{{ credential.secret }}\", encoding: base64, value: \"v1 {{ credential.user }}:{{ signature }}\", \
        text: \"{{ method }}|{{ path }}|{{ query }}|{{ now.seconds }}|{{ body | sha256 }}\" }\n\
        requests: { residents: { method: POST, reads: true, url: \"{{ credential.url }}/a/b\", query: { p: \"{{ property }}\" }, \
        body: { json: { at: \"{{ now.milliseconds | number }}\" } }, format: json } }\n";
    let pms = Pms::start(yaml, |_, _| ok("[]")).await;
    pms.records().await;
    let asked = pms.asked().remove(0);
    let time = asked.header("x-time");
    let milliseconds: u64 = serde_json::from_str::<serde_json::Value>(&asked.body).unwrap()["at"]
        .as_u64()
        .unwrap();
    assert_eq!(time, (milliseconds / 1000).to_string());
    let hash = ring::digest::digest(&ring::digest::SHA256, asked.body.as_bytes());
    let hash = hex(hash.as_ref());
    let text = format!("POST|/a/b|p=p1|{time}|{hash}");
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"s3cret&x");
    let signature = asked.header("x-signature").strip_prefix("v1 ana:").unwrap();
    let signature = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, signature);
    ring::hmac::verify(&key, text.as_bytes(), &signature.unwrap()).unwrap();
}

/// A PMS refuses a signature that is minutes old.
#[tokio::test]
async fn a_request_that_is_repeated_is_signed_anew() {
    let yaml = "sign: { header: X-Signature, key: \"{{ credential.secret }}\", text: \"{{ now.milliseconds }}\" }\n\
        retry: { attempts: 3, pause: 0s }\n\
        requests: { residents: { url: \"{{ credential.url }}\", query: { at: \"{{ now.milliseconds }}\" }, format: json } }\n";
    let pms = Pms::start(
        yaml,
        |number, _| if number < 2 { status(503) } else { ok("[]") },
    )
    .await;
    pms.records().await;
    let asked = pms.asked();
    let signatures: std::collections::BTreeSet<&str> =
        asked.iter().map(|one| one.header("x-signature")).collect();
    assert_eq!((asked.len(), signatures.len()), (3, 3));
    for one in &asked {
        let at = one.to.split_once("at=").unwrap().1;
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"s3cret&x");
        let tag = ring::hmac::sign(&key, at.as_bytes());
        let tag = hex(tag.as_ref());
        assert_eq!(
            one.header("x-signature"),
            tag,
            "one moment for all of a request"
        );
    }
}

#[test]
fn a_signature_that_nobody_carries_and_a_word_of_another_place_are_refused() {
    for (sign, told) in [
        ("text: x, value: constant", "does not carry the signature"),
        ("text: \"{{ signature }}\"", "uses `signature`"),
        ("text: \"{{ property }}\"", "uses `property`"),
        ("text: x, key_is: base32", "base32"),
    ] {
        let yaml =
            format!("sign: {{ header: X-S, key: k, {sign} }}\nrequests: {{ {RESIDENTS} }}\n");
        let problems = compile(&yaml).unwrap_err();
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(said.join("\n").contains(told), "{said:?}");
    }
}

/// A connector whose token is a cookie that is given back.
fn session(logout: &str) -> String {
    format!(
        "auth: {{ login: {{ request: login, token: {{ cookie: sid }}, logout: logout }} }}\n\
         errors: [{{ status: 302, is: login_failed }}]\n\
         requests: {{ login: {{ method: POST, reads: true, url: \"{{{{ credential.url }}}}/login\", format: json, \
         errors: [{{ status: 302, header: {{ name: location, text: denied }}, is: login_failed }}, {{ status: 302, is: ok }}] }}, \
         logout: {{ {logout} }}, {RESIDENTS} }}\n"
    )
}

const LOGOUT: &str = "method: DELETE, url: \"{{ credential.url }}/sessions/{{ token }}\", query: { t: \"{{ token }}\" }, \
    headers: { X-T: \"{{ token }}\" }, body: { json: { t: \"{{ token }}\" } }, format: json";

/// Lets in by a cookie with an answer that leads elsewhere, and says what of a log-out.
fn by_cookie(logout: u16) -> impl Fn(usize, &Asked) -> Reply + Clone + Send + Sync + 'static {
    move |_, asked| match asked.to.split(['/', '?']).nth(1).unwrap() {
        "login" => Reply(
            302,
            vec![
                ("location", "/start".into()),
                ("set-cookie", "sid=t0ken-7; Path=/".into()),
            ],
            b"<html>moved</html>".to_vec(),
        ),
        "sessions" => status(logout),
        _ if asked.header("cookie") == "sid=t0ken-7" => ok("[]"),
        _ => Reply(302, vec![("location", "/login".into())], Vec::new()),
    }
}

async fn log_out(pms: &Pms) -> Result<(), SourceError> {
    let scope = epms::source::Scope {
        properties: Vec::new(),
        fields: BTreeMap::new(),
        today: jiff::civil::date(2026, 3, 1),
        judge: None,
        known: None,
    };
    pms.reader
        .log_out(&pms.source, &pms.account(), &scope)
        .await
}

#[tokio::test]
async fn a_token_is_given_back_by_whoever_needs_it_no_more_and_only_once() {
    let pms = Pms::start(&session(LOGOUT), by_cookie(204)).await;
    // Who has none gives none back.
    log_out(&pms).await.unwrap();
    assert!(pms.asked().is_empty());
    pms.records().await;
    log_out(&pms).await.unwrap();
    log_out(&pms).await.unwrap();
    assert_eq!(
        pms.paths(),
        ["/login", "/people", "/sessions/t0ken-7?t=t0ken-7"]
    );
    let last = pms.asked().pop().unwrap();
    assert_eq!(last.header("x-t"), "t0ken-7");
    assert_eq!(last.header("cookie"), "sid=t0ken-7");
    assert_eq!(last.body, r#"{"t":"t0ken-7"}"#);
    pms.records().await;
    assert_eq!(pms.paths()[3..], ["/login", "/people"]);
}

#[tokio::test]
async fn a_log_out_that_fails_is_told_without_the_token_and_one_that_is_refused_was_over() {
    for (code, told) in [
        (401, None),
        (302, None),
        (500, Some("the PMS failed with status 500")),
        (403, Some("denies this")),
    ] {
        let pms = Pms::start(&session(LOGOUT), by_cookie(code)).await;
        pms.records().await;
        let ended = log_out(&pms).await;
        match (ended, told) {
            (Ok(()), None) => {}
            (Err(error), Some(told)) => {
                let error = error.to_string();
                assert!(error.contains(told) && !error.contains("t0ken"), "{error}");
            }
            (ended, _) => panic!("{code}: {ended:?}"),
        }
        // It says nothing of the credential.
        pms.records().await;
        assert_eq!(pms.asked().len(), 5, "{code}");
    }
}

#[tokio::test]
async fn a_token_of_another_secret_is_given_back_and_one_of_another_connector_to_nobody() {
    let mut pms = Pms::start(&session(LOGOUT), by_cookie(204)).await;
    pms.records().await;
    std::fs::write(pms.home.path().join("secret"), "another one").unwrap();
    log_out(&pms).await.unwrap();
    let given_back = "/sessions/t0ken-7?t=t0ken-7";
    assert_eq!(pms.paths(), ["/login", "/people", given_back]);
    pms.records().await;
    pms.source = compile(&session(&LOGOUT.replace("X-T", "X-U"))).unwrap();
    log_out(&pms).await.unwrap();
    assert_eq!(pms.paths()[3..], ["/login", "/people"]);
}

#[test]
fn what_cannot_give_a_token_back_is_refused() {
    for (logout, told) in [
        ("logout: logot", "did you mean `logout`?"),
        ("logout: login", "is asked for something else too"),
        ("logout: residents", "is asked for something else too"),
        ("logout: step", "is asked for something else too"),
    ] {
        let yaml = session(LOGOUT).replace("logout: logout", logout).replace(
            "residents: {",
            "step: { url: \"{{ credential.url }}\", format: json }, residents: { after: [step],",
        );
        let problems = compile(&yaml).unwrap_err();
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(said.join("\n").contains(told), "{told}: {said:?}");
    }
    let others = LOGOUT.replace("t: \"{{ token }}\" }", "t: \"{{ property }}\" }");
    let problems = compile(&session(&others)).unwrap_err();
    assert!(
        problems[0].to_string().contains("uses `property`"),
        "{problems:?}"
    );
}

/// Sessions end so: the page that is asked for leads to the one where people log in.
#[tokio::test]
async fn an_answer_that_leads_elsewhere_means_what_a_rule_says_of_its_status_and_nobody_goes_there()
{
    let sessions = Arc::new(Mutex::new(0));
    let opened = Arc::clone(&sessions);
    let answer = move |number: usize, asked: &Asked| {
        let mut open = opened.lock().unwrap();
        if asked.to == "/login" {
            *open += 1;
            let cookie = format!("sid=t0ken-{open}");
            return Reply(
                302,
                vec![("location", "/".into()), ("set-cookie", cookie)],
                Vec::new(),
            );
        }
        // The first is over before the third question.
        let is_open = asked.header("cookie") == format!("sid=t0ken-{open}") && number != 2;
        if is_open {
            ok("[]")
        } else {
            Reply(302, vec![("location", "/login".into())], Vec::new())
        }
    };
    let pms = Pms::start(&session(LOGOUT), answer.clone()).await;
    pms.records().await;
    pms.records().await;
    assert_eq!(
        pms.paths(),
        ["/login", "/people", "/people", "/login", "/people"]
    );
    // Where no rule says so it is told, and the token is not kept for the next reading.
    let yaml = session(LOGOUT).replace("errors: [{ status: 302, is: login_failed }]\n", "");
    *sessions.lock().unwrap() = 0;
    let pms = Pms::start(&yaml, answer).await;
    pms.records().await;
    let error = pms.failure().await;
    assert!(matches!(error, SourceError::NotAllowed(_)), "{error:?}");
    let error = error.to_string();
    assert!(
        error.contains("redirects to 127.0.0.1") && error.contains("with a rule that names"),
        "{error}"
    );
    pms.records().await;
    assert_eq!(
        pms.paths()[3..],
        ["/sessions/t0ken-1?t=t0ken-1", "/login", "/people"]
    );
    // A login that leads to the page of those who may not come in.
    let pms = Pms::start(&session(LOGOUT), |_, _| {
        Reply(302, vec![("location", "/denied".into())], Vec::new())
    })
    .await;
    let error = pms.failure().await;
    assert!(matches!(error, SourceError::LoginFailed(_)), "{error:?}");
}
