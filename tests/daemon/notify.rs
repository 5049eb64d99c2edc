//! Somebody is told of what is wrong, by the real daemon: by mail over a server that nobody here wrote, by webhooks, and by a
//! program. Each trouble once, its end once, under the same id however often it is sent.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as At, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use epms::model::AlertKind;
use serde_json::Value;

use crate::support::outside::{mail_server, verified};
use crate::support::{Daemon, Doors, Home, certified, eventually, found, said};

/// A home with a feed `elm` whose source fails while the doors are down.
async fn home() -> (Home, Doors) {
    let (home, doors) = (Home::new(), Doors::start().await);
    doors.files(&home, "enabled: false\n");
    home.set("deadline: 20s");
    doors.lives(1, "1A", "current");
    (home, doors)
}

fn mails(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("mails")).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn header(mail: &Value, name: &str) -> String {
    let text = mail["text"].as_str().unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("no {name}: {text}"))
        .to_owned()
}

fn of<'a>(mails: &'a [Value], to: &str) -> Vec<&'a Value> {
    let is_to = |mail: &&Value| mail["to"] == serde_json::json!([to]);
    mails.iter().filter(is_to).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_feed_is_told_by_mail_to_each_once_and_its_end_too_also_over_a_kill() {
    let (home, doors) = home().await;
    let folder = home.beside().to_owned();
    let (pem, authority) = certified();
    std::fs::write(folder.join("tls.pem"), pem).unwrap();
    std::fs::write(folder.join("login"), "epms:s3cret-of-mail").unwrap();
    // The first message is taken, and no answer comes.
    std::fs::write(folder.join("answers"), "silent\n").unwrap();
    let Some(server) = mail_server(&folder, "starttls") else {
        return;
    };
    let port = server.url.rsplit(':').next().unwrap();
    home.write("secrets/mail", "s3cret-of-mail");
    home.write("config/mail-ca.pem", authority);
    home.set(&format!(
        "notify: [{{ name: office, runs: [incomplete], fold: 0s, to: {{ smtp: {{ host: localhost, port: {port}, ca_file: config/mail-ca.pem, username: epms, password: {{ file: secrets/mail }}, from: {{ name: epms, address: epms@example.com }}, to: [{{ name: Ada Quill, address: ada@example.com }}, bob@example.com], timeout: 2s }} }} }}]"
    ));
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    doors.known().roll_is_down = true;
    daemon.sync("elm").await;
    eventually("both have it", async || {
        let mails = mails(&folder);
        of(&mails, "ada@example.com").len() >= 2 && !of(&mails, "bob@example.com").is_empty()
    })
    .await;
    let before = mails(&folder);
    let to_ada = of(&before, "ada@example.com");
    // It went out again under the same id, as it may not have been taken.
    assert_eq!(
        header(to_ada[0], "Message-ID"),
        header(to_ada[1], "Message-ID")
    );
    assert_eq!(to_ada[0]["text"], to_ada[1]["text"]);
    let to_bob = of(&before, "bob@example.com");
    assert_ne!(
        header(to_ada[0], "Message-ID"),
        header(to_bob[0], "Message-ID")
    );
    assert_eq!(
        header(to_bob[0], "Subject"),
        "Subject: epms: elm: incomplete"
    );
    for mail in &before {
        assert_eq!(
            (&mail["encrypted"], &mail["login"]),
            (&true.into(), &true.into())
        );
        let text = mail["text"].as_str().unwrap();
        assert!(
            !text.contains("Quill 1") && !text.contains("ada1@"),
            "{text}"
        );
    }
    // It goes on failing, and over a kill: nobody hears of it again.
    daemon.sync("elm").await;
    daemon.kill();
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    daemon.sync("elm").await;
    doors.known().roll_is_down = false;
    daemon.sync("elm").await;
    eventually("the end is told to both", async || {
        let mails = mails(&folder);
        let over = mails
            .iter()
            .filter(|mail| header(mail, "Subject").contains("over: incomplete"));
        over.count() == 2
    })
    .await;
    // What was told before the kill may come once more, and only as what it was.
    let after = mails(&folder);
    let mut ids: Vec<String> = after
        .iter()
        .map(|mail| header(mail, "Message-ID"))
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4, "{after:#?}");
    assert!(!daemon.log().contains("s3cret-of-mail"));
    assert!(
        !daemon.log().contains("ada@example.com"),
        "{}",
        daemon.log()
    );
}

#[derive(Clone, Default)]
struct Hooks {
    came: Arc<Mutex<Vec<(String, HeaderMap, String)>>>,
    /// What is answered next, in the place of 200.
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Hooks {
    async fn start() -> (Hooks, String) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let hooks = Hooks::default();
        let app = Router::new()
            .route("/{form}", post(takes))
            .with_state(hooks.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        (hooks, url)
    }

    fn came(&self, form: &str) -> Vec<(HeaderMap, String)> {
        let came = self.came.lock().unwrap();
        let came = came.iter().filter(|(of, ..)| of == form);
        came.map(|(_, headers, body)| (headers.clone(), body.clone()))
            .collect()
    }
}

async fn takes(
    State(hooks): State<Hooks>,
    At(form): At<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let body = String::from_utf8(body.to_vec()).unwrap();
    let mut answers = hooks.answers.lock().unwrap();
    let is_standard = form == "standard";
    hooks.came.lock().unwrap().push((form, headers, body));
    let answer = if is_standard && !answers.is_empty() {
        answers.remove(0)
    } else {
        200
    };
    StatusCode::from_u16(answer).unwrap()
}

const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn word(headers: &HeaderMap, name: &str) -> String {
    headers[name].to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_signed_and_repeated_under_one_id_and_one_that_refuses_is_itself_an_alert() {
    let (home, doors) = home().await;
    let (hooks, url) = Hooks::start().await;
    home.write("secrets/hook", SECRET);
    home.write("secrets/slack", format!("{url}/slack"));
    let entries = format!(
        "notify: [{{ name: standard, alerts: [sync_stale], runs: [incomplete], fold: 0s, to: {{ webhook: {{ url: \"{url}/standard\", secret: {{ file: secrets/hook }} }} }} }}, {{ name: slack, runs: [incomplete], alerts: [notify_failed], fold: 0s, to: {{ webhook: {{ url: {{ file: secrets/slack }}, form: slack }} }} }}, {{ name: teams, runs: [incomplete], fold: 0s, to: {{ webhook: {{ url: \"{url}/teams\", form: teams }} }} }}]"
    );
    home.set(&entries);
    hooks.answers.lock().unwrap().extend([500, 404]);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    doors.known().roll_is_down = true;
    daemon.sync("elm").await;
    let alert = found("that it is refused is an alert", async || {
        let alerts = daemon.alerts().await;
        alerts
            .into_iter()
            .find(|alert| alert.kind == AlertKind::NotifyFailed)
    })
    .await;
    assert_eq!(alert.subject, "standard");
    assert!(alert.detail.contains("status 404"), "{}", alert.detail);
    // Which one of the others tells.
    eventually("the others heard", async || {
        let slack = hooks.came("slack");
        slack.iter().any(|(_, body)| body.contains("notify_failed"))
            && slack
                .iter()
                .any(|(_, body)| body.contains("elm: incomplete"))
            && !hooks.came("teams").is_empty()
    })
    .await;
    let (_, body) = &hooks.came("teams")[0];
    let card: Value = serde_json::from_str(body).unwrap();
    assert_eq!(card["attachments"][0]["content"]["type"], "AdaptiveCard");
    let came = hooks.came("standard");
    assert_eq!(came.len(), 2);
    for (headers, body) in &came {
        let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        let told = names.map(|name| (name.to_owned(), word(headers, name)));
        if let Some(verified) = verified(SECRET, &told, body) {
            assert!(verified, "{told:?}");
            let wrong = verified_by_another(&told, body);
            assert_eq!(wrong, Some(false));
        }
    }
    assert_eq!(came[0].1, came[1].1);
    assert_eq!(
        word(&came[0].0, "webhook-id"),
        word(&came[1].0, "webhook-id")
    );
    let body: Value = serde_json::from_str(&came[0].1).unwrap();
    assert_eq!(body["data"]["new"][0]["kind"], "incomplete");

    // A changed file comes into effect without a restart, and what waits is sent at once.
    home.set(&entries.replace("sync_stale", "sync_stale, left_behind"));
    eventually("it is taken, and the alert closes", async || {
        hooks.came("standard").len() == 3
            && daemon
                .alerts()
                .await
                .iter()
                .all(|one| one.kind != AlertKind::NotifyFailed)
    })
    .await;
    assert_eq!(
        word(&hooks.came("standard")[2].0, "webhook-id"),
        word(&came[0].0, "webhook-id")
    );
    assert!(!daemon.log().contains("whsec_"));
    let metrics = daemon.get("/metrics").await.body;
    assert!(
        metrics.contains("epms_notices_total{notification=\"teams\",outcome=\"succeeded\"} 1"),
        "{metrics}"
    );
    assert!(
        metrics.contains("epms_notices_waiting{notification=\"standard\"} 0"),
        "{metrics}"
    );
}

fn verified_by_another(headers: &[(String, String)], body: &str) -> Option<bool> {
    verified(
        "whsec_BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        headers,
        body,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_told_and_nothing_is_told_in_quiet_hours_nor_lost_over_them() {
    let (home, doors) = home().await;
    home.write(
        "tell.sh",
        "printf '%s\\n' \"id $EPMS_MESSAGE_ID\" > \"$1.new\"\ncat >> \"$1.new\"\nmv \"$1.new\" \"$1\"\n",
    );
    let heard = home.beside().join("heard");
    let exec = format!("exec: [sh, tell.sh, \"{}\"]", heard.display());
    // An hour from now and one before, by the clock of the property.
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let hour = |by: i64| {
        let at = &now + jiff::SignedDuration::from_hours(by);
        at.strftime("%H:%M").to_string()
    };
    let quiet = format!("\"{}-{}\"", hour(-1), hour(2));
    let entry = |quiet: &str| {
        format!(
            "notify: [{{ runs: [incomplete], timezone: UTC, {quiet} to: {{ {exec} }} }}, {{ name: all, runs: [incomplete, held], fold: 0s, to: {{ exec: [sh, tell.sh, \"{}-too\"] }} }}]",
            heard.display()
        )
    };
    home.set(&entry(&format!("quiet: {quiet},")));
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    doors.known().roll_is_down = true;
    daemon.sync("elm").await;
    let too = home.beside().join("heard-too");
    eventually("the one without quiet hours heard", async || too.exists()).await;
    let said_too = std::fs::read_to_string(&too).unwrap();
    assert!(
        said_too.contains("\nepms: elm: incomplete\n\n"),
        "{said_too}"
    );
    doors.known().roll_is_down = false;
    daemon.sync("elm").await;
    eventually("and of the end", async || {
        std::fs::read_to_string(&too)
            .unwrap()
            .contains("over: incomplete")
    })
    .await;
    assert!(!heard.exists());
    // The hours are over: what came and went in them is told.
    home.set(&entry(""));
    eventually("it is told", async || heard.exists()).await;
    let said_now = std::fs::read_to_string(&heard).unwrap();
    assert!(
        said_now.contains("epms: elm: over already: incomplete"),
        "{said_now}"
    );

    // Tried by hand.
    let tried = said(&home.epms(&["notify", "test"]).await, 0);
    assert!(tried.contains("exec") && tried.contains("told"), "{tried}");
    let said_test = std::fs::read_to_string(&heard).unwrap();
    assert!(said_test.contains("epms: a test of exec"), "{said_test}");
    home.write("tell.sh", "exit 3\n");
    let failed = said(&home.epms(&["notify", "test", "all"]).await, 1);
    assert!(failed.contains("exit status: 3"), "{failed}");
    let json = home.epms(&["notify", "test", "all", "--json"]).await;
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["notifications"][0]["name"], "all");
    let unknown = said(&home.epms(&["notify", "test", "nobody"]).await, 1);
    assert!(unknown.contains("there are: exec, all"), "{unknown}");
    home.set("notify: []");
    said(&home.epms(&["reload"]).await, 0);
    let nothing = said(&home.epms(&["notify", "test"]).await, 1);
    assert!(
        nothing.contains("write `notify` into config/epms.yaml"),
        "{nothing}"
    );
}

#[tokio::test]
async fn what_cannot_be_told_is_refused_before_it_comes_into_effect() {
    let home = Home::new();
    home.set("notify: [{ alerts: [sync_stael], to: { exec: [x] } }]");
    let checked = said(&home.epms(&["check"]).await, 2);
    assert!(
        checked.contains("config/epms.yaml:") && checked.contains("sync_stael"),
        "{checked}"
    );
    home.set("notify: [{ alerts: [sync_stale], to: { smtp: { host: mail.example.com, tls: none, from: epms@example.com, to: [\"Ada <ada@example.com>\"] } } }]");
    let checked = said(&home.epms(&["check"]).await, 2);
    assert!(checked.contains("is no address"), "{checked}");
    home.set("notify: [{ alerts: [sync_stale], to: { smtp: { host: mail.example.com, tls: none, from: epms@example.com, to: [ada@example.com] } } }]");
    let checked = said(&home.epms(&["check"]).await, 2);
    assert!(
        checked.contains("notify.0.to.smtp.tls: `none` goes to this machine only"),
        "{checked}"
    );
    home.set("notify: [{ alerts: [sync_stale], to: { smtp: { host: mail.example.com, from: epms@example.com, to: [ada@example.com] } } }]");
    said(&home.epms(&["check"]).await, 0);
}
