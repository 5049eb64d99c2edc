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
