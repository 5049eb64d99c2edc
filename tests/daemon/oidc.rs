//! Signing in by a provider of identities: with one that nobody here wrote, in a real browser; and with one that lies, by the
//! protocol. What a provider says is judged in `signin::oidc`, value by value.

use std::net::{IpAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use reqwest::Client;
use reqwest::header::{LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING as HOW, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use url::Url;

use super::net::url_of;
use crate::support::browser::Window;
use crate::support::outside::{axe, identities};
use crate::support::{Daemon, Home, eventually, said};

const SECRET: &str = "a secret & more";
const CODE: &str = "code-that-no-log-may-have";

/// A port that was free a moment ago.
fn port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn secret(home: &Home, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = home.path("secrets/oidc");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn settings(port: u16, issuer: &str) -> String {
    format!(
        "web: {{ listen: 127.0.0.1:{port}, oidc: {{ issuer: '{issuer}', client_id: epms, \
         secret: {{ file: secrets/oidc }}, title: the office, scopes: [profile, groups], \
         tiers: {{ observe: [staff], approve: [leads] }} }} }}"
    )
}

/// The page with a real provider: where it is.
async fn with_identities(
    home: &Home,
    signs_by: &str,
) -> Option<(crate::support::outside::Outside, Daemon, String)> {
    let port = port();
    let back = format!("http://127.0.0.1:{port}/sign-in/oidc/back");
    let provider = identities(&back, signs_by)?;
    secret(home, SECRET);
    home.set(&settings(port, &provider.url));
    let daemon = Daemon::start(home).await;
    let url = url_of(&daemon, 0).await;
    Some((provider, daemon, url))
}

async fn signs_in(window: &Window, login: &str) {
    window.follows("Sign in with the office").await;
    window.writes("login", login).await;
    window.presses("Go on").await;
}

async fn somebody_signs_in_by_their_provider(scripts: bool, signs_by: &str) {
    let Some(window) = Window::open(scripts).await else {
        return;
    };
    let home = Home::new();
    let Some((provider, daemon, url)) = with_identities(&home, signs_by).await else {
        return;
    };
    window.goes(&format!("{url}/people?sort=name")).await;
    window.shows("Sign in").await;
    signs_in(&window, "ada").await;
    window.shows("Signed in as ada").await;
    window.shows("You may read, operate and approve").await;
    assert_eq!(window.is_at().await, format!("{url}/people?sort=name"));
    // What they do stands under their name.
    window.goes(&format!("{url}/people/new")).await;
    window.writes("first_name", "Rosa").await;
    window.writes("last_name", "Quill").await;
    window.writes("email", "rosa@example.com").await;
    window.presses("Add").await;
    window.shows("They are added").await;
    window.shows("ada (oidc)").await;
    let by = serde_json::to_value(&daemon.changes().await[0].actor).unwrap();
    assert_eq!(by, json!({ "named": { "name": "ada", "by": "oidc" } }));
    // Out here, and there as well.
    window.presses("Sign out").await;
    window.shows("You are signed out here").await;
    window.goes(&format!("{url}/people")).await;
    window.shows("Sign in with the office").await;
    window.goes(&format!("{url}/sign-in?left=oidc")).await;
    window.follows("sign out there as well").await;
    eventually("it is the provider's page", async || {
        window
            .is_at()
            .await
            .starts_with(&format!("{}/session/end", provider.url))
    })
    .await;
    let log = daemon.log();
    assert!(log.contains("account=\"ada\" by=\"oidc\""), "{log}");
    for never in ["code=", "state=", "eyJ", SECRET] {
        assert!(!log.contains(never), "{never}: {log}");
    }
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_in_by_their_provider_acts_and_signs_out() {
    somebody_signs_in_by_their_provider(true, "RS256").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_in_by_their_provider_acts_and_signs_out_without_scripts() {
    somebody_signs_in_by_their_provider(false, "ES256").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_may_is_what_their_groups_may_and_without_one_nothing() {
    let Some(window) = Window::open(true).await else {
        return;
    };
    let home = Home::new();
    let Some((provider, daemon, url)) = with_identities(&home, "RS256").await else {
        return;
    };
    window.goes(&url).await;
    signs_in(&window, "eve").await;
    window
        .shows("none of your groups may do anything here")
        .await;
    if let Some(axe) = axe() {
        window.runs(&axe).await;
        let look = "const done = arguments[0]; axe.run(document).then((seen) => done(
            [seen.passes.length > 5, seen.violations.map((one) => one.id)]))";
        assert_eq!(window.awaits(look).await, json!([true, []]));
    }
    window.goes(&format!("{url}/people")).await;
    window.shows("Sign in with the office").await;
    // Whoever the provider knows is somebody else now.
    window.goes(&format!("{}/session/end", provider.url)).await;
    window.presses("Yes").await;
    window.shows("Success").await;
    window.goes(&url).await;
    signs_in(&window, "bo").await;
    window
        .shows("You may read; to change anything is for others")
        .await;
    let buttons = "return [...document.querySelectorAll('form[method=post] button')].map((b) => b.textContent)";
    assert_eq!(window.runs(buttons).await, json!(["Sign out"]));
    let posts = "const done = arguments[0]; fetch('/people/new', { method: 'POST', body: new URLSearchParams() })
        .then((answer) => done(answer.status))";
    assert_eq!(window.awaits(posts).await, 403);
    // A group that the settings take out is out at the next request.
    let text = home.read("config/epms.yaml").replace("[staff]", "[others]");
    home.write("config/epms.yaml", text);
    eventually("they are out", async || {
        window.goes(&format!("{url}/people")).await;
        window.is_at().await.contains("/sign-in")
    })
    .await;
    assert_eq!(daemon.stop().await, Some(0));
}

/// A provider that does what a test says.
struct Liar {
    issuer: String,
    key: EcdsaKeyPair,
    lies: Mutex<Lies>,
    /// The forms that its token endpoint got, with their headers.
    asked: Mutex<Vec<(HeaderMap, String)>>,
}

#[derive(Clone)]
struct Lies {
    /// What it says of itself otherwise.
    metadata: Value,
    /// The name of its key.
    key: &'static str,
    /// Its answer for the code: a status, and a body; the token in it is for the nonce of the sign-in.
    token: Token,
}

#[derive(Clone)]
enum Token {
    /// Signed, with these claims other than they should be, and this header.
    Signed(Value, Value),
    /// As it is.
    Raw(u16, String),
    /// It never comes.
    Never,
}

impl Liar {
    async fn start() -> Arc<Liar> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let chance = ring::rand::SystemRandom::new();
        let pair = EcdsaKeyPair::generate_pkcs8(&HOW, &chance).unwrap();
        let liar = Arc::new(Liar {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            key: EcdsaKeyPair::from_pkcs8(&HOW, pair.as_ref(), &chance).unwrap(),
            lies: Mutex::new(honest()),
            asked: Mutex::default(),
        });
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(jwks))
            .route("/token", post(token))
            .with_state(Arc::clone(&liar));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        liar
    }

    fn lies(&self, token: Token) {
        self.lies.lock().unwrap().token = token;
    }

    fn signed(&self, header: &Value, claims: &Value) -> String {
        let part = |of: &Value| URL_SAFE_NO_PAD.encode(of.to_string());
        let content = format!("{}.{}", part(header), part(claims));
        let chance = ring::rand::SystemRandom::new();
        let signature = self.key.sign(&chance, content.as_bytes()).unwrap();
        format!("{content}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn honest() -> Lies {
    Lies {
        metadata: json!({}),
        key: "k1",
        token: Token::Signed(json!({}), json!({})),
    }
}

fn with(mut all: Value, others: &Value) -> Value {
    for (name, value) in others.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}

async fn metadata(State(liar): State<Arc<Liar>>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", liar.issuer);
    let all = json!({
        "issuer": liar.issuer, "authorization_endpoint": at("/auth"), "token_endpoint": at("/token"),
        "jwks_uri": at("/jwks"), "authorization_response_iss_parameter_supported": true,
    });
    Json(with(all, &liar.lies.lock().unwrap().metadata))
}

async fn jwks(State(liar): State<Arc<Liar>>) -> Json<Value> {
    let point = liar.key.public_key().as_ref();
    let part = |of: &[u8]| URL_SAFE_NO_PAD.encode(of);
    let kid = liar.lies.lock().unwrap().key;
    Json(json!({ "keys": [{
        "kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "x": part(&point[1..33]), "y": part(&point[33..]),
    }] }))
}

async fn token(State(liar): State<Arc<Liar>>, headers: HeaderMap, form: String) -> Response {
    let lies = liar.lies.lock().unwrap().clone();
    let code = url::form_urlencoded::parse(form.as_bytes()).find(|(name, _)| name == "code");
    // The test writes behind the code for which nonce it is.
    let nonce = code.and_then(|(_, code)| Some(code.split_once('~')?.1.to_owned()));
    liar.asked.lock().unwrap().push((headers, form));
    match lies.token {
        Token::Never => std::future::pending().await,
        Token::Raw(status, body) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Token::Signed(claims, header) => {
            let now = Timestamp::now().as_second();
            let right = json!({
                "iss": liar.issuer, "aud": "epms", "sub": "u1", "nonce": nonce, "iat": now, "exp": now + 60,
                "preferred_username": "ada", "groups": ["staff"],
            });
            let header = with(json!({ "alg": "ES256", "kid": lies.key }), &header);
            let id_token = liar.signed(&header, &with(right, &claims));
            let body = json!({ "id_token": id_token, "access_token": "access-that-no-log-may-have", "token_type": "Bearer" });
            Json(body).into_response()
        }
    }
}

/// A browser at an address of this machine, which keeps no cookies.
struct Browser {
    http: Client,
    url: String,
}

/// Somebody who left for the provider.
struct Gone {
    state: String,
    nonce: String,
    challenge: String,
    cookie: String,
}

impl Browser {
    fn at(last: u8, url: &str) -> Browser {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .local_address(IpAddr::from([127, 0, 0, last]))
            .redirect(Policy::none());
        Browser {
            http: http.build().unwrap(),
            url: url.to_owned(),
        }
    }

    async fn get(&self, path: &str, cookie: &str) -> reqwest::Response {
        let request = self.http.get(format!("{}{path}", self.url));
        // As it is where another site leads here.
        let request = request
            .header("cookie", cookie)
            .header("accept", "text/html");
        let request = request.header("sec-fetch-site", "cross-site");
        let request = request.header("sec-fetch-mode", "navigate");
        request.send().await.unwrap()
    }

    async fn leaves(&self) -> Gone {
        let answer = self.get("/sign-in/oidc?next=/people", "").await;
        assert_eq!(answer.status(), 303);
        let cookie = cookie(&answer, "-way=").unwrap();
        assert!(
            cookie.contains("; HttpOnly; SameSite=Lax; Max-Age=600"),
            "{cookie}"
        );
        let to = Url::parse(&to(&answer)).unwrap();
        let said = |name: &str| {
            let mut all = to.query_pairs();
            all.find(|(of, _)| of == name).unwrap().1.into_owned()
        };
        assert_eq!(to.path(), "/auth");
        assert_eq!(said("code_challenge_method"), "S256");
        assert_eq!(said("response_type"), "code");
        assert_eq!(said("scope"), "openid profile groups");
        assert_eq!(
            said("redirect_uri"),
            format!("{}/sign-in/oidc/back", self.url)
        );
        Gone {
            state: said("state"),
            nonce: said("nonce"),
            challenge: said("code_challenge"),
            cookie: cookie.split(';').next().unwrap().to_owned(),
        }
    }

    async fn comes_back(&self, gone: &Gone, issuer: &str) -> reqwest::Response {
        let (state, nonce) = (&gone.state, &gone.nonce);
        let path = format!("/sign-in/oidc/back?code={CODE}~{nonce}&state={state}&iss={issuer}");
        self.get(&path, &gone.cookie).await
    }
}

fn to(answer: &reqwest::Response) -> String {
    answer.headers()[LOCATION].to_str().unwrap().to_owned()
}

fn cookie(answer: &reqwest::Response, with: &str) -> Option<String> {
    let all = answer.headers().get_all(SET_COOKIE).iter();
    let mut all = all.map(|one| one.to_str().unwrap().to_owned());
    all.find(|one| one.contains(with))
}

/// The page with a provider that lies.
async fn with_liar() -> (Arc<Liar>, Home, Daemon, String) {
    let liar = Liar::start().await;
    let home = Home::new();
    secret(&home, SECRET);
    home.set(&settings(0, &liar.issuer));
    let daemon = Daemon::start(&home).await;
    let url = url_of(&daemon, 0).await;
    (liar, home, daemon, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_with_all_that_is_asked_for_is_in_once() {
    let (liar, _home, daemon, url) = with_liar().await;
    let browser = Browser::at(1, &url);
    let gone = browser.leaves().await;
    let answer = browser.comes_back(&gone, &liar.issuer).await;
    assert_eq!(to(&answer), "/sign-in/done?next=%2Fpeople");
    let way = cookie(&answer, "-way=").unwrap();
    assert!(
        way.contains("-way=; ") && way.contains("Max-Age=0"),
        "{way}"
    );
    let session = cookie(&answer, "=epms_").unwrap();
    assert!(session.contains("; HttpOnly; SameSite=Strict"), "{session}");
    let session = session.split(';').next().unwrap();
    let page = browser.get("/people", session).await;
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("Signed in as <bdi>ada</bdi>"), "{page}");
    let on = browser.get("/sign-in/done?next=//evil.example", "").await;
    let on = on.text().await.unwrap();
    assert!(
        !on.contains("evil") && on.contains("url=&#x2f;\"") || on.contains("url=/\""),
        "{on}"
    );
    // What was shown is what RFC 7636 and RFC 6749 have.
    let (headers, form) = liar.asked.lock().unwrap().remove(0);
    let said = |name: &str| {
        let mut all = url::form_urlencoded::parse(form.as_bytes());
        all.find(|(of, _)| of == name)
            .map(|(_, value)| value.into_owned())
    };
    let verifier = said("code_verifier").unwrap();
    let hashed = ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes());
    assert_eq!(URL_SAFE_NO_PAD.encode(hashed), gone.challenge);
    assert_eq!(said("grant_type").unwrap(), "authorization_code");
    assert_eq!(said("client_secret"), None);
    let basic = STANDARD.encode("epms:a+secret+%26+more");
    assert_eq!(headers[header::AUTHORIZATION], format!("Basic {basic}"));
    // A second time it is nobody's, whatever else is right.
    let again = browser.comes_back(&gone, &liar.issuer).await;
    assert_eq!(to(&again), "/sign-in?why=over");
    assert!(cookie(&again, "=epms_").is_none());
    // The key is another one since.
    liar.lies.lock().unwrap().key = "k2";
    let gone = browser.leaves().await;
    let answer = browser.comes_back(&gone, &liar.issuer).await;
    assert_eq!(to(&answer), "/sign-in/done?next=%2Fpeople");
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_the_provider_s_for_us_now_lets_nobody_in() {
    let (liar, _home, daemon, url) = with_liar().await;
    let now = Timestamp::now().as_second();
    let claims = |claims: Value| Token::Signed(claims, json!({}));
    let unsigned = {
        let part = |of: Value| URL_SAFE_NO_PAD.encode(of.to_string());
        let claims =
            json!({ "iss": liar.issuer, "aud": "epms", "sub": "u1", "iat": now, "exp": now + 60 });
        format!("{}.{}.", part(json!({ "alg": "none" })), part(claims))
    };
    let cases = [
        (
            "distrusted",
            "`nonce`",
            claims(json!({ "nonce": "another" })),
        ),
        ("distrusted", "`aud`", claims(json!({ "aud": "another" }))),
        ("distrusted", "`azp`", claims(json!({ "azp": "another" }))),
        (
            "distrusted",
            "`iss`",
            claims(json!({ "iss": "https://id.example.org" })),
        ),
        ("distrusted", "`exp`", claims(json!({ "exp": now - 120 }))),
        ("distrusted", "`iat`", claims(json!({ "iat": now + 600 }))),
        (
            "distrusted",
            "`alg`",
            Token::Signed(json!({}), json!({ "alg": "none" })),
        ),
        (
            "distrusted",
            "`alg`",
            Token::Signed(json!({}), json!({ "alg": "HS256" })),
        ),
        (
            "distrusted",
            "`alg`",
            Token::Raw(200, json!({ "id_token": unsigned }).to_string()),
        ),
        (
            "distrusted",
            "no key of the provider",
            Token::Signed(json!({}), json!({ "kid": "k9" })),
        ),
        ("distrusted", "no ID token", Token::Raw(200, "{}".into())),
        (
            "distrusted",
            "not readable",
            Token::Raw(200, "<html>".into()),
        ),
        (
            "groupless",
            "in no group",
            claims(json!({ "groups": ["others"] })),
        ),
        (
            "over",
            "does not take the code",
            Token::Raw(400, json!({ "error": "invalid_grant" }).to_string()),
        ),
        (
            "unfit",
            "`client_id`",
            Token::Raw(401, json!({ "error": "invalid_client" }).to_string()),
        ),
        ("away", "status 503", Token::Raw(503, "secret words".into())),
        (
            "away",
            "more than 256 KiB",
            Token::Raw(200, "x".repeat(300 * 1024)),
        ),
    ];
    for (last, (why, told, token)) in (1_u8..).zip(cases) {
        // Each from an address of its own: who fails often waits.
        let browser = Browser::at(last, &url);
        liar.lies(token);
        let gone = browser.leaves().await;
        let answer = browser.comes_back(&gone, &liar.issuer).await;
        assert_eq!(to(&answer), format!("/sign-in?why={why}"), "{told}");
        assert!(cookie(&answer, "=epms_").is_none());
        let page = browser.get(&to(&answer), "").await.text().await.unwrap();
        assert!(page.contains("role=\"alert\""), "{page}");
        eventually(told, async || daemon.log().contains(told)).await;
    }
    let log = daemon.log();
    for never in [CODE, "eyJ", "access-that", "secret words", "a secret"] {
        assert!(!log.contains(never), "{never}: {log}");
    }
    assert!(!log.contains("signed in account"), "{log}");
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_another_s_is_refused_before_a_code_is_shown() {
    let (liar, _home, daemon, url) = with_liar().await;
    let browser = Browser::at(1, &url);
    let gone = browser.leaves().await;
    // Another browser: it has no cookie, or its own.
    let other = browser.leaves().await;
    let stolen = Gone {
        cookie: other.cookie.clone(),
        ..gone
    };
    assert_eq!(
        to(&browser.comes_back(&stolen, &liar.issuer).await),
        "/sign-in?why=over"
    );
    // Another provider's answer, or nobody's (RFC 9207).
    for (last, issuer) in [(2, "https://id.example.org"), (3, "")] {
        let browser = Browser::at(last, &url);
        let gone = browser.leaves().await;
        let answer = browser.comes_back(&gone, issuer).await;
        assert_eq!(to(&answer), "/sign-in?why=distrusted", "{issuer}");
    }
    let browser = Browser::at(4, &url);
    let gone = browser.leaves().await;
    let (state, issuer) = (&gone.state, &liar.issuer);
    for (query, why) in [
        (format!("code={CODE}&state={state}"), "distrusted"),
        (
            format!("code={CODE}&state={state}&state={state}&iss={issuer}"),
            "over",
        ),
        (String::new(), "over"),
    ] {
        let answer = browser
            .get(&format!("/sign-in/oidc/back?{query}"), &gone.cookie)
            .await;
        assert_eq!(to(&answer), format!("/sign-in?why={why}"), "{query}");
    }
    let browser = Browser::at(5, &url);
    let gone = browser.leaves().await;
    let refused = format!(
        "/sign-in/oidc/back?error=access_denied&error_description=%3Cb%3E&state={}&iss={issuer}",
        gone.state
    );
    assert_eq!(
        to(&browser.get(&refused, &gone.cookie).await),
        "/sign-in?why=declined"
    );
    assert!(liar.asked.lock().unwrap().is_empty(), "no code was shown");
    // Who fails again and again waits, and nobody else does.
    let browser = Browser::at(6, &url);
    for _ in 0..5 {
        browser.get("/sign-in/oidc/back?state=guess", "").await;
    }
    let gone = browser.leaves().await;
    let waits = to(&browser.comes_back(&gone, &liar.issuer).await);
    assert!(waits.starts_with("/sign-in?wait="), "{waits}");
    let browser = Browser::at(7, &url);
    let gone = browser.leaves().await;
    assert!(to(&browser.comes_back(&gone, &liar.issuer).await).starts_with("/sign-in/done"));
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_away_or_another_one_is_told_and_other_ways_go_on() {
    let liar = Liar::start().await;
    let home = Home::new();
    secret(&home, SECRET);
    liar.lies.lock().unwrap().metadata = json!({ "issuer": "https://id.example.org" });
    let accounts = "web: { listen: 127.0.0.1:0, accounts: secrets/accounts.yaml,";
    let both = settings(0, &liar.issuer).replace("web: { listen: 127.0.0.1:0,", accounts);
    home.set(&both);
    super::net::account(&home, "ada", "observe");
    let doctor = said(&home.epms(&["doctor"]).await, 2);
    assert!(
        doctor.contains("names itself otherwise than `web.oidc.issuer`"),
        "{doctor}"
    );
    let daemon = Daemon::start(&home).await;
    let url = url_of(&daemon, 0).await;
    let browser = Browser::at(1, &url);
    let answer = browser.get("/sign-in/oidc?next=/people", "").await;
    assert_eq!(to(&answer), "/sign-in?why=unfit&next=%2Fpeople");
    let page = browser.get(&to(&answer), "").await.text().await.unwrap();
    for told in [
        "is not set up right",
        "Sign in with the office",
        "type=\"password\"",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    // One that stands nowhere.
    let gone = format!("http://127.0.0.1:{}", port());
    home.set(&both.replace(&liar.issuer, &gone));
    let url = url_of(&daemon, 1).await;
    let browser = Browser::at(2, &url);
    let answer = browser.get("/sign-in/oidc", "").await;
    assert_eq!(to(&answer), "/sign-in?why=away");
    let doctor = home.epms(&["doctor"]).await;
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(
        doctor.contains("the provider of identities") && doctor.contains("cannot be asked"),
        "{doctor}"
    );
    // One that answers, and never to an end.
    liar.lies.lock().unwrap().metadata = json!({});
    home.set(&both);
    let url = url_of(&daemon, 2).await;
    liar.lies(Token::Never);
    let browser = Browser::at(3, &url);
    let gone = browser.leaves().await;
    let came = browser.comes_back(&gone, &liar.issuer);
    let came = tokio::time::timeout(Duration::from_mins(1), came).await;
    assert_eq!(to(&came.unwrap()), "/sign-in?why=away");
    let doctor = home.epms(&["doctor"]).await;
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(
        doctor.contains("registered there has to be http://127.0.0.1:0/sign-in/oidc/back"),
        "{doctor}"
    );
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn settings_of_a_provider_that_could_let_anybody_in_are_refused() {
    let home = Home::new();
    for (oidc, told) in [
        (
            "{ issuer: 'http://id.example.org', client_id: epms, tiers: { observe: [a] } }",
            "in the clear",
        ),
        (
            "{ issuer: 'https://id.example.org', client_id: '', tiers: { observe: [a] } }",
            "is empty",
        ),
        (
            "{ issuer: 'https://id.example.org', client_id: epms, tiers: {} }",
            "names no group",
        ),
        (
            "{ issuer: 'https://id.example.org', client_id: epms }",
            "tiers",
        ),
        (
            "{ issuer: 'https://id.example.org', client_id: epms, tiers: { observe: [a] }, redirect_uri: 'https://evil.example/sign-in/oidc/back' }",
            "not among `hosts`",
        ),
    ] {
        home.set(&format!("web: {{ listen: 127.0.0.1:8080, oidc: {oidc} }}"));
        let checked = home.epms(&["check"]).await;
        let text =
            String::from_utf8_lossy(&checked.stdout) + String::from_utf8_lossy(&checked.stderr);
        assert_eq!(checked.status.code(), Some(2), "{text}");
        assert!(
            text.contains(told) && text.contains("web."),
            "{told}: {text}"
        );
    }
}
