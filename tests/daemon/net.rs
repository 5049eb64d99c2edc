//! The page over the network by the real daemon: who gets in, under which name it is asked, and what a tier may there.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderValue, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use epms::sandbox::Kind;

use crate::support::{Daemon, Home, certified, eventually, pms, said, with_input};

pub(crate) const SETTINGS: &str =
    "web: { listen: 127.0.0.1:0, accounts: secrets/accounts.yaml, tokens: secrets/tokens.yaml }";
pub(crate) const PASSWORD: &str = "a long enough password";

/// Where the daemon says that the page is, which it says once more than `before` times.
pub(crate) async fn url_of(daemon: &Daemon, before: usize) -> String {
    let mut urls = Vec::new();
    eventually("the page is on the network", async || {
        let log = daemon.log();
        let said = log.split("the page is on the network url=").skip(1);
        urls = said
            .map(|rest| rest.split_whitespace().next().unwrap().to_owned())
            .collect();
        urls.len() > before
    })
    .await;
    let url = urls.pop().unwrap();
    url.trim_end_matches('/').trim_matches('"').to_owned()
}

/// A browser that keeps no cookies and follows nothing by itself.
struct Browser {
    http: Client,
    url: String,
}

impl Browser {
    /// Of where the daemon says that the page is, which it says once more than `before` times.
    async fn of(daemon: &Daemon, before: usize) -> Browser {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .redirect(Policy::none());
        Browser {
            http: http.build().unwrap(),
            url: url_of(daemon, before).await,
        }
    }

    fn address(&self) -> SocketAddr {
        self.url.split("//").nth(1).unwrap().parse().unwrap()
    }

    async fn get(&self, path: &str, headers: &[(&'static str, &str)]) -> Response {
        let request = self.http.get(format!("{}{path}", self.url));
        request.headers(map(headers)).send().await.unwrap()
    }

    async fn post(&self, path: &str, headers: &[(&'static str, &str)], body: &str) -> Response {
        let request = self.http.post(format!("{}{path}", self.url));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = request.headers(map(headers)).body(body.to_owned());
        request.send().await.unwrap()
    }

    /// The cookie of somebody who signed in.
    async fn signs_in(&self, name: &str, password: &str) -> Option<String> {
        let body = format!("name={name}&password={}", password.replace(' ', "+"));
        let answer = self
            .post("/sign-in", &[("sec-fetch-site", "same-origin")], &body)
            .await;
        assert_eq!(answer.status(), 303);
        let cookie = answer.headers().get(SET_COOKIE)?.to_str().unwrap();
        assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
        Some(cookie.split(';').next().unwrap().to_owned())
    }
}

fn map(headers: &[(&'static str, &str)]) -> HeaderMap {
    let pairs = headers.iter();
    pairs
        .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
        .collect()
}

fn location(answer: &Response) -> &str {
    answer.headers()[LOCATION].to_str().unwrap()
}

pub(crate) fn account(home: &Home, name: &str, tier: &str) {
    let words = ["web", "passwd", name, "--tier", tier];
    said(&with_input(home, &words, PASSWORD), 0);
}

pub(crate) async fn token(home: &Home, name: &str, tier: &str) -> String {
    let made = said(
        &home
            .epms(&["web", "token", name, "--tier", tier, "--json"])
            .await,
        0,
    );
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    made["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn who_is_not_signed_in_sees_nothing_and_whoever_signs_in_what_their_tier_may() {
    let home = Home::new();
    home.set(SETTINGS);
    account(&home, "ada", "operate");
    account(&home, "bo", "observe");
    let daemon = Daemon::start(&home).await;
    let browser = Browser::of(&daemon, 0).await;
    for path in [
        "/v1/status",
        "/v1/people",
        "/metrics",
        "/readyz",
        "/nothing",
    ] {
        let answer = browser.get(path, &[]).await;
        assert_eq!(answer.status(), 401, "{path}");
        assert_eq!(answer.headers()["www-authenticate"], "Bearer");
    }
    let answer = browser
        .get("/people?name=a%20b", &[("accept", "text/html")])
        .await;
    let to = (answer.status().as_u16(), location(&answer).to_owned());
    assert_eq!(
        to,
        (303, "/sign-in?next=%2Fpeople%3Fname%3Da%2520b".to_owned())
    );
    // Headers of proxies say nothing here.
    for header in [
        "x-forwarded-user",
        "remote-user",
        "x-remote-user",
        "x-webauth-user",
    ] {
        let answer = browser.get("/v1/status", &[(header, "ada")]).await;
        assert_eq!(answer.status(), 401, "{header}");
    }

    assert_eq!(browser.signs_in("ada", "a wrong password").await, None);
    assert_eq!(browser.signs_in("nobody", PASSWORD).await, None);
    let ada = browser.signs_in("ada", PASSWORD).await.unwrap();
    let bo = browser.signs_in("bo", PASSWORD).await.unwrap();
    for cookie in [&ada, &bo] {
        let answer = browser.get("/v1/status", &[("cookie", cookie)]).await;
        assert_eq!(answer.status(), 200);
    }
    let site = ("sec-fetch-site", "same-origin");
    let acts = |cookie: String| {
        let browser = &browser;
        async move {
            let headers = [("cookie", &*cookie), site];
            browser
                .post("/v1/reload", &headers, "")
                .await
                .status()
                .as_u16()
        }
    };
    assert_eq!(acts(ada.clone()).await, 200);
    assert_eq!(acts(bo.clone()).await, 403);
    // A cookie without a word of the site is of no browser.
    let answer = browser.post("/v1/reload", &[("cookie", &ada)], "").await;
    assert_eq!(answer.status(), 401);
    let log = daemon.log();
    assert!(
        log.contains("reload asked for") && log.contains("account=\"ada\""),
        "{log}"
    );
    assert!(
        !log.contains("password") && !log.contains(ada.split('=').nth(1).unwrap()),
        "{log}"
    );

    // Who is taken out is out at the next request.
    said(&home.epms(&["web", "passwd", "ada", "--remove"]).await, 0);
    assert_eq!(
        browser
            .get("/v1/status", &[("cookie", &ada)])
            .await
            .status(),
        401
    );
    let answer = browser
        .post("/sign-out", &[("cookie", &bo), site], "")
        .await;
    assert_eq!(
        (answer.status().as_u16(), location(&answer)),
        (303, "/sign-in")
    );
    assert_eq!(
        browser.get("/v1/status", &[("cookie", &bo)]).await.status(),
        401
    );
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn somebody_signs_in_on_a_page_and_goes_on_where_they_wanted_to() {
    let home = Home::new();
    home.set(SETTINGS);
    account(&home, "ada", "observe");
    let daemon = Daemon::start(&home).await;
    let browser = Browser::of(&daemon, 0).await;
    let page = browser.get("/sign-in?next=/people", &[]).await;
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    let text = page.text().await.unwrap().replace("&#x2f;", "/");
    assert!(text.contains(r#"name="next" value="/people""#), "{text}");
    // What the page looks like is for everybody, and nothing else is.
    let style = text.split("stylesheet\" href=\"").nth(1).unwrap();
    let style = style.split('"').next().unwrap();
    assert_eq!(browser.get(style, &[]).await.status(), 200);
    let beside = browser.get("/assets/../v1/status", &[]).await.status();
    assert_eq!(beside, 401);

    let site = [("sec-fetch-site", "same-origin")];
    let wrong = "name=ada&password=a+wrong+password&next=/people";
    let answer = browser.post("/sign-in", &site, wrong).await;
    let back = location(&answer).to_owned();
    assert_eq!(back, "/sign-in?failed=1&next=%2Fpeople");
    let text = browser.get(&back, &[]).await.text().await.unwrap();
    assert!(text.contains("There is no account of this name"), "{text}");
    // Another site signs nobody in.
    let right = format!(
        "name=ada&password={}&next=/people",
        PASSWORD.replace(' ', "+")
    );
    let other = browser
        .post("/sign-in", &[("sec-fetch-site", "cross-site")], &right)
        .await;
    assert_eq!(other.status(), 403);
    let answer = browser.post("/sign-in", &site, &right).await;
    assert_eq!(location(&answer), "/people");
    let cookie = answer.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    let cookie = cookie.split(';').next().unwrap();
    let text = browser
        .get("/people", &[("cookie", cookie)])
        .await
        .text()
        .await
        .unwrap();
    assert!(text.contains("Signed in as <bdi>ada</bdi>"), "{text}");
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn acts_over_the_network_carry_the_name_of_the_account() {
    let home = Home::new();
    home.set(SETTINGS);
    account(&home, "ada", "operate");
    let daemon = Daemon::start(&home).await;
    let browser = Browser::of(&daemon, 0).await;
    let ada = browser.signs_in("ada", PASSWORD).await.unwrap();
    let person = r#"{"first_name":"Rosa","last_name":"Quill","email":"rosa@example.com"}"#;
    let request = browser
        .http
        .post(format!("{}/v1/people", browser.url))
        .header(COOKIE, &ada)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/json");
    let answer = request.body(person).send().await.unwrap();
    let (status, told) = (answer.status().as_u16(), answer.text().await.unwrap());
    assert_eq!(status, 200, "{told}");
    let changes = daemon.changes().await;
    let by = serde_json::to_value(&changes[0].actor).unwrap();
    let expected = serde_json::json!({"named": {"name": "ada", "by": "account"}});
    assert_eq!(by, expected);
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn a_program_gets_in_by_its_token_and_not_once_it_is_removed() {
    let home = Home::new();
    home.set(SETTINGS);
    let observes = token(&home, "prometheus", "observe").await;
    let operates = token(&home, "tickets", "operate").await;
    let file = home.read("secrets/tokens.yaml");
    assert!(
        !file.contains(&observes) && !file.contains(&operates),
        "{file}"
    );
    let daemon = Daemon::start(&home).await;
    let browser = Browser::of(&daemon, 0).await;
    let shown = |token: &str| format!("Bearer {token}");
    let metrics = browser
        .get("/metrics", &[(AUTHORIZATION.as_str(), &shown(&observes))])
        .await;
    assert_eq!(metrics.status(), 200);
    assert!(metrics.text().await.unwrap().contains("epms_"));
    for (token, status) in [
        (&observes, 403),
        (&operates, 200),
        (&"epms_x".to_owned(), 401),
    ] {
        let headers = [(AUTHORIZATION.as_str(), &*shown(token))];
        assert_eq!(
            browser.post("/v1/reload", &headers, "").await.status(),
            status
        );
    }
    said(
        &home.epms(&["web", "token", "tickets", "--remove"]).await,
        0,
    );
    let headers = [(AUTHORIZATION.as_str(), &*shown(&operates))];
    assert_eq!(browser.get("/v1/status", &headers).await.status(), 401);
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn who_asks_under_another_name_is_refused_before_anything_else() {
    let home = Home::new();
    home.set(
        "web: { listen: 127.0.0.1:0, hosts: [epms.example.org], tokens: secrets/tokens.yaml }",
    );
    let token = token(&home, "prometheus", "observe").await;
    let daemon = Daemon::start(&home).await;
    let browser = Browser::of(&daemon, 0).await;
    let shown = format!("Bearer {token}");
    for (host, status) in [
        ("127.0.0.1", 200),
        ("localhost:8080", 200),
        ("epms.example.org", 200),
        ("EPMS.example.org:443", 200),
        ("rebound.example.net", 421),
        ("epms.example.org.evil.example", 421),
    ] {
        let headers = [("host", host), (AUTHORIZATION.as_str(), &*shown)];
        assert_eq!(
            browser.get("/v1/status", &headers).await.status(),
            status,
            "{host}"
        );
    }
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn after_five_failures_a_name_waits_with_its_own_password_too() {
    let home = Home::new();
    home.set(SETTINGS);
    account(&home, "ada", "observe");
    let daemon = Daemon::start(&home).await;
    let browser = Browser::of(&daemon, 0).await;
    for _ in 0..5 {
        assert_eq!(browser.signs_in("ada", "guess after guess").await, None);
    }
    let body = format!("name=ada&password={}", PASSWORD.replace(' ', "+"));
    let answer = browser
        .post("/sign-in", &[("sec-fetch-site", "same-origin")], &body)
        .await;
    assert!(
        location(&answer).starts_with("/sign-in?wait="),
        "{}",
        location(&answer)
    );
    assert!(answer.headers().get(SET_COOKIE).is_none());
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn settings_change_where_the_page_is_without_a_restart_and_switch_it_off() {
    let home = Home::new();
    home.set(SETTINGS);
    token(&home, "prometheus", "observe").await;
    let daemon = Daemon::start(&home).await;
    let first = Browser::of(&daemon, 0).await.address();
    home.set("web: { listen: '[::1]:0', tokens: secrets/tokens.yaml }");
    let second = Browser::of(&daemon, 1).await.address();
    assert!(second.is_ipv6());
    let is_there =
        async |address: SocketAddr| tokio::net::TcpStream::connect(address).await.is_ok();
    assert!(!is_there(first).await && is_there(second).await);
    let settings = home.read("config/epms.yaml");
    let others = settings.lines().filter(|line| !line.starts_with("web:"));
    home.write(
        "config/epms.yaml",
        others.collect::<Vec<_>>().join("\n") + "\n",
    );
    eventually("it is off", async || !is_there(second).await).await;
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn a_request_that_does_not_end_holds_up_no_change_of_the_settings() {
    let home = Home::new();
    home.set(SETTINGS);
    let daemon = Daemon::start(&home).await;
    let first = Browser::of(&daemon, 0).await.address();
    let mut owes = tokio::net::TcpStream::connect(first).await.unwrap();
    let head = "POST /sign-in HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nname=";
    owes.write_all(head.as_bytes()).await.unwrap();
    eventually("it is seen", async || daemon.open_files() > 0).await;
    home.set(
        "web: { listen: 127.0.0.1:0, hosts: [epms.example.org], tokens: secrets/tokens.yaml }",
    );
    let second = Browser::of(&daemon, 1).await;
    assert_eq!(second.get("/sign-in", &[]).await.status(), 200);
    drop(owes);
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn who_is_removed_hears_no_more_of_what_goes_on() {
    let home = Home::new();
    home.set(SETTINGS);
    let token = token(&home, "reader", "observe").await;
    let daemon = Daemon::start(&home).await;
    let browser = Browser::of(&daemon, 0).await;
    let shown = format!("Bearer {token}");
    let headers = [(AUTHORIZATION.as_str(), &*shown)];
    let mut follows = browser.get("/v1/changes?follow=true", &headers).await;
    assert_eq!(follows.status(), 200);
    said(&home.epms(&["web", "token", "reader", "--remove"]).await, 0);
    let ends = async { while let Ok(Some(_)) = follows.chunk().await {} };
    let ended = tokio::time::timeout(Duration::from_mins(1), ends).await;
    assert!(ended.is_ok(), "the stream goes on");
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn accounts_that_are_made_at_once_are_all_there() {
    let home = Home::new();
    let names = ["a", "b", "c", "d", "e", "f"];
    std::thread::scope(|all| {
        for name in names {
            let home = &home;
            all.spawn(move || account(home, name, "observe"));
        }
    });
    let file = home.read("secrets/accounts.yaml");
    for name in names {
        assert!(file.contains(&format!("  {name}:")), "{file}");
    }
}

/// A page whose name leads to this machine is let in nowhere, on the way through `ssh -L` neither.
#[tokio::test]
async fn the_socket_answers_under_no_name_that_a_page_of_somebody_else_can_have() {
    let home = Home::new();
    let daemon = Daemon::start(&home).await;
    let asked = async |host: &str| {
        let mut socket = tokio::net::UnixStream::connect(home.socket())
            .await
            .unwrap();
        let request =
            format!("GET /v1/status HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(asked("localhost:8080").await, "200");
    assert_eq!(asked("epms").await, "200");
    assert_eq!(asked("rebound.example:8080").await, "403");
    assert_eq!(daemon.stop().await, Some(0));
}

/// Puts a certificate with its key in the place of the one before, as a renewal does.
fn certify(home: &Home, pem: &str) {
    let new = home.path("secrets/new.pem");
    std::fs::write(&new, pem).unwrap();
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::rename(new, home.path("secrets/page.pem")).unwrap();
}

#[tokio::test]
async fn tls_is_spoken_with_the_certificate_as_it_is_now() {
    let home = Home::new();
    let write = |pem: &str| certify(&home, pem);
    let (first, authority) = certified();
    write(&first);
    home.set("web: { listen: 127.0.0.1:0, cert: secrets/page.pem, key: secrets/page.pem, tokens: secrets/tokens.yaml }");
    let token = token(&home, "prometheus", "observe").await;
    let daemon = Daemon::start(&home).await;
    let browser = Browser::of(&daemon, 0).await;
    let asked = async |authority: &str| {
        let trusted = reqwest::Certificate::from_pem(authority.as_bytes()).unwrap();
        let http = Client::builder().no_proxy().tls_certs_only([trusted]);
        let url = format!("https://localhost:{}/v1/status", browser.address().port());
        let request = http.build().unwrap().get(url).bearer_auth(&token);
        request.send().await.map(|answer| answer.status().as_u16())
    };
    assert!(browser.url.starts_with("https://"), "{}", browser.url);
    assert_eq!(asked(&authority).await.unwrap(), 200);
    let (second, other) = certified();
    write(&second);
    assert!(
        asked(&authority).await.is_err(),
        "the certificate is another"
    );
    assert_eq!(asked(&other).await.unwrap(), 200);
    // One that does not fit leaves the one before.
    write("no certificate at all");
    assert_eq!(asked(&other).await.unwrap(), 200);
    eventually("it is told", async || {
        daemon.log().contains("keeps the certificate")
    })
    .await;
    // Who stalls in the middle of greeting holds up nobody.
    let stalled = tokio::net::TcpStream::connect(browser.address())
        .await
        .unwrap();
    let others = tokio::time::timeout(Duration::from_secs(5), asked(&other));
    assert_eq!(others.await.unwrap().unwrap(), 200);
    drop(stalled);
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn a_page_that_others_could_listen_to_or_that_nobody_could_sign_in_on_is_refused() {
    let home = Home::new();
    for (web, told) in [
        (
            "{ listen: 0.0.0.0:8080, accounts: secrets/a.yaml }",
            "passwords would go there in the clear",
        ),
        ("{ listen: 127.0.0.1:8080 }", "says nowhere who gets in"),
        (
            "{ listen: 127.0.0.1:8080, accounts: a, cert: c.pem }",
            "has no `key` beside it",
        ),
        (
            "{ listen: 127.0.0.1:8080, accounts: a, hosts: ['https://x'] }",
            "is no host",
        ),
        (
            "{ listen: 127.0.0.1:8080, accounts: a, hosts: ['x.example:8443'] }",
            "without a port",
        ),
        (
            "{ listen: 0.0.0.0:8443, accounts: a, cert: c, key: k }",
            "is every address of this machine",
        ),
    ] {
        home.set(&format!("web: {web}"));
        let checked = home.epms(&["check"]).await;
        let text =
            String::from_utf8_lossy(&checked.stdout) + String::from_utf8_lossy(&checked.stderr);
        assert_eq!(checked.status.code(), Some(2), "{text}");
        assert!(text.contains(told) && text.contains("web."), "{text}");
    }
}

#[tokio::test]
async fn a_signed_request_asks_for_a_sync_once_a_minute_and_no_other_does() {
    const KEY: &[u8] = b"a key of more than 24 bytes for hooks";
    let pms = pms(Kind::AppFolio, 91, 10).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let secret = format!("whsec_{}\n", STANDARD.encode(KEY));
    std::fs::write(home.path("secrets/hook"), secret).unwrap();
    let closed = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(home.path("secrets/hook"), closed).unwrap();
    home.set("web: { listen: 127.0.0.1:0, hooks: { elm: { secret: { file: secrets/hook } } } }");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let runs = async || {
        let text = said(&home.epms(&["runs", "--json"]).await, 0);
        let runs: serde_json::Value = serde_json::from_str(&text).unwrap();
        runs["items"].as_array().unwrap().len()
    };
    let before = runs().await;
    let browser = Browser::of(&daemon, 0).await;
    let sent = async |path: &str, key: &[u8]| {
        let now = jiff::Timestamp::now().as_second().to_string();
        let body = r#"{"event":"resident.moved_in"}"#;
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
        let tag = ring::hmac::sign(&key, format!("m1.{now}.{body}").as_bytes());
        let signature = format!("v1,{}", STANDARD.encode(tag));
        let request = browser.http.post(format!("{}{path}", browser.url));
        let request = request
            .header("webhook-id", "m1")
            .header("webhook-timestamp", now);
        let request = request.header("webhook-signature", signature).body(body);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(
        sent("/hooks/elm", b"another key of more than 24 bytes").await,
        401
    );
    assert_eq!(sent("/hooks/oak", KEY).await, 401);
    assert_eq!(browser.get("/hooks/elm", &[]).await.status(), 405);
    assert_eq!(runs().await, before);
    for _ in 0..5 {
        assert_eq!(sent("/hooks/elm", KEY).await, 202);
    }
    eventually("it was synced", async || runs().await == before + 1).await;
    let log = daemon.log();
    assert!(
        log.contains("sync asked for") && log.contains("account=\"elm\""),
        "{log}"
    );
    assert_eq!(log.matches("sync asked for").count(), 1, "{log}");
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn the_doctor_says_who_gets_in_and_what_keeps_everybody_out() {
    let home = Home::new();
    home.set("web: { listen: 127.0.0.1:9, accounts: secrets/accounts.yaml, tokens: secrets/tokens.yaml }");
    let missing = said(&home.epms(&["doctor"]).await, 2);
    assert!(
        missing.contains("the secret file") && missing.contains("epms web passwd"),
        "{missing}"
    );
    account(&home, "ada", "observe");
    token(&home, "prometheus", "observe").await;
    let told = home.epms(&["doctor"]).await;
    let text = String::from_utf8_lossy(&told.stdout);
    assert!(
        text.contains("1 account") && text.contains("1 token"),
        "{text}"
    );
    assert!(text.contains("nobody listens there"), "{text}");
    let path = home.path("secrets/accounts.yaml");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = said(&home.epms(&["doctor"]).await, 2);
    assert!(open.contains("can be read by everybody"), "{open}");
}

#[tokio::test]
async fn the_url_of_the_page_is_told_with_what_to_do_before() {
    let home = Home::new();
    let told = said(&home.epms(&["web", "url"]).await, 0);
    assert!(
        told.contains("ssh -L 8080:") && told.contains("http://localhost:8080/"),
        "{told}"
    );
    home.set(
        "web: { listen: 0.0.0.0:8443, cert: c, key: k, hosts: [epms.example.org], accounts: a }",
    );
    assert_eq!(
        said(&home.epms(&["web", "url"]).await, 0),
        "https://epms.example.org:8443/\n"
    );
    // What is no account is told by its name.
    let nobody = said(&home.epms(&["web", "passwd", "ada", "--remove"]).await, 1);
    assert!(nobody.contains("there is no `ada`"), "{nobody}");
    let short = said(&with_input(&home, &["web", "passwd", "ada"], "short"), 2);
    assert!(short.contains("fewer than 12 characters"), "{short}");
}

#[tokio::test]
async fn a_page_that_is_not_on_the_network_is_told_wherever_somebody_looks() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let home = Home::new();
    home.set(&format!(
        "web: {{ listen: '{address}', tokens: secrets/tokens.yaml }}"
    ));
    token(&home, "prometheus", "observe").await;
    let daemon = Daemon::start(&home).await;
    eventually("it is told", async || {
        daemon.log().contains("the page is not on the network")
    })
    .await;
    let told = format!("web.listen: cannot listen on {address}");
    let ready = daemon.get("/readyz").await;
    assert_eq!(ready.status, 200, "it works all the same");
    assert!(ready.body.contains(&told), "{}", ready.body);
    let status = daemon.client.status().await.unwrap().web.unwrap();
    assert_eq!((status.listen, status.url), (address.to_string(), None));
    let shown = said(&home.epms(&["status"]).await, 0);
    assert!(
        shown
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .contains(&told),
        "{shown}"
    );
    let monitored = said(&home.epms(&["status", "--exit-code"]).await, 1);
    assert!(
        monitored.contains("the page is not on the network"),
        "{monitored}"
    );
    let page = daemon.get("/health").await.body;
    assert!(
        page.contains("ready, not well") && page.contains(&told),
        "{page}"
    );
    let listening = "epms_web_listening 0";
    assert!(daemon.get("/metrics").await.body.contains(listening));
    // It is there as soon as the port is free and somebody looks at the settings.
    drop(taken);
    home.set("web: { listen: 127.0.0.1:0, tokens: secrets/tokens.yaml }");
    let url = url_of(&daemon, 0).await;
    assert_eq!(daemon.get("/readyz").await.body, "ok\n");
    let page = daemon.get("/health").await.body.replace("&#x2f;", "/");
    assert!(page.contains(&format!("<code>{url}/</code>")), "{page}");
    assert!(
        daemon
            .get("/metrics")
            .await
            .body
            .contains("epms_web_listening 1")
    );
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn a_certificate_that_does_not_fit_any_more_is_told_before_it_is_needed() {
    let home = Home::new();
    let write = |pem: &str| certify(&home, pem);
    write(&certified().0);
    home.set("web: { listen: 127.0.0.1:0, cert: secrets/page.pem, key: secrets/page.pem, tokens: secrets/tokens.yaml }");
    let daemon = Daemon::start(&home).await;
    url_of(&daemon, 0).await;
    assert_eq!(daemon.get("/readyz").await.body, "ok\n");
    write("no certificate at all");
    let ready = daemon.get("/readyz").await.body;
    assert!(ready.contains("there is no certificate in it"), "{ready}");
    write(&certified().0);
    assert_eq!(daemon.get("/readyz").await.body, "ok\n");
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn who_got_in_and_who_did_not_is_counted_by_the_way_they_came() {
    let home = Home::new();
    home.set(SETTINGS);
    account(&home, "ada", "observe");
    let token = token(&home, "prometheus", "observe").await;
    let daemon = Daemon::start(&home).await;
    let browser = Browser::of(&daemon, 0).await;
    assert!(browser.signs_in("ada", PASSWORD).await.is_some());
    for _ in 0..2 {
        assert!(browser.signs_in("ada", "not the password").await.is_none());
    }
    let shown = format!("Bearer {token}");
    let headers = [(AUTHORIZATION.as_str(), &*shown)];
    assert_eq!(browser.get("/v1/status", &headers).await.status(), 200);
    let wrong = [(AUTHORIZATION.as_str(), "Bearer epms_wrong")];
    assert_eq!(browser.get("/v1/status", &wrong).await.status(), 401);
    let live = browser.get("/live", &headers).await;
    assert_eq!(live.status(), 200);
    let metrics = daemon.get("/metrics").await.body;
    for line in [
        "epms_web_sign_ins_total{by=\"account\",outcome=\"succeeded\"} 1",
        "epms_web_sign_ins_total{by=\"account\",outcome=\"failed\"} 2",
        "epms_web_sign_ins_total{by=\"token\",outcome=\"succeeded\"} 2",
        "epms_web_sign_ins_total{by=\"token\",outcome=\"failed\"} 1",
        "epms_web_sign_ins_total{by=\"oidc\",outcome=\"failed\"} 0",
        "epms_web_requests_total{class=\"2xx\"} 2",
        "epms_web_requests_total{class=\"3xx\"} 3",
        "epms_web_requests_total{class=\"4xx\"} 1",
        "epms_web_live_pages 1",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    drop(live);
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn check_reads_who_gets_in_and_tells_nothing_of_it() {
    let home = Home::new();
    home.set("web: { listen: 127.0.0.1:8080, accounts: secrets/accounts.yaml, tokens: secrets/tokens.yaml }");
    // Where there is no file yet it is for the doctor to say.
    said(&home.epms(&["check"]).await, 0);
    account(&home, "ada", "observe");
    token(&home, "prometheus", "observe").await;
    said(&home.epms(&["check"]).await, 0);
    let write = |name: &str, text: &str| {
        std::fs::write(home.path(name), text).unwrap();
        let closed = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(home.path(name), closed).unwrap();
    };
    let accounts = home.read("secrets/accounts.yaml");
    for (text, told) in [
        (
            "version: 1\naccounts: { ada: hunter2 }\n",
            "this is no file of accounts",
        ),
        (
            "version: 1\naccounts: { ada: { tier: observe, password: hunter2 } }\n",
            "1 of the accounts there have no hash",
        ),
    ] {
        write("secrets/accounts.yaml", text);
        let found = said(&home.epms(&["check"]).await, 2);
        assert!(
            found.contains("web.accounts") && found.contains(told),
            "{found}"
        );
        assert!(
            found.contains("epms.yaml:") && !found.contains("hunter2"),
            "{found}"
        );
    }
    write("secrets/accounts.yaml", &accounts);
    write(
        "secrets/tokens.yaml",
        "version: 1\ntokens: { a: { tier: observe, token: hunter2 } }\n",
    );
    let found = said(&home.epms(&["check"]).await, 2);
    assert!(
        found.contains("web.tokens") && !found.contains("hunter2"),
        "{found}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tier_sees_what_it_may_by_an_account_and_by_a_token() {
    let pms = pms(Kind::AppFolio, 1, 40).await;
    let home = Home::new();
    home.feed("elm", &pms);
    home.set(SETTINGS);
    let tiers = ["observe", "operate", "approve"];
    let mut tokens = Vec::new();
    for tier in tiers {
        account(&home, tier, tier);
        tokens.push(token(&home, tier, tier).await);
    }
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let browser = Browser::of(&daemon, 0).await;
    let pages = [
        "/",
        "/people",
        "/people/p1",
        "/people/p1/erase",
        "/integrations/elm",
        "/alerts",
        "/runs/r1",
    ];
    let acts = ["/integrations/elm/sync", "/people/p1/pin", "/people/new"];
    let approvals = [
        "/runs/r1/approve",
        "/people/p1/erase",
        "/integrations/elm/retire",
    ];
    for (reach, tier) in tiers.iter().enumerate() {
        let cookie = browser.signs_in(tier, PASSWORD).await.unwrap();
        let shown = format!("Bearer {}", tokens[reach]);
        let by_account = [("cookie", &*cookie), ("sec-fetch-site", "same-origin")];
        let by_token = [(AUTHORIZATION.as_str(), &*shown)];
        for headers in [&by_account[..], &by_token] {
            for page in pages {
                let answer = browser.get(page, headers).await;
                assert_eq!(answer.status(), 200, "{page}");
                let text = answer.text().await.unwrap().replace("&#x2f;", "/");
                let forms = text.matches("method=\"post\"").count();
                let out = text.matches("action=\"/sign-out\"").count();
                assert!(reach > 0 || forms == out, "{page}: {text}");
                let erases = text.contains("action=\"/people/p1/erase\"");
                assert_eq!(
                    erases,
                    reach == 2 && page == "/people/p1/erase",
                    "{page} {tier}"
                );
                let syncs = text.contains("action=\"/integrations/elm/sync\"");
                let has = ["/", "/integrations/elm"].contains(&page);
                assert_eq!(syncs, reach > 0 && has, "{page} {tier}");
            }
            for (needs, paths) in [(1, &acts[..]), (2, &approvals)] {
                for path in paths {
                    // Whoever may is told that this is no form; nothing is done.
                    let request = browser.http.post(format!("{}{path}", browser.url));
                    let answer = request.headers(map(headers)).send().await.unwrap();
                    let status = if reach >= needs { 400 } else { 403 };
                    assert_eq!(answer.status(), status, "{path} {tier}");
                }
            }
        }
    }
    assert_eq!(daemon.stop().await, Some(0));
}
