//! The morning of an upgrade (E12), over a store that build febdbd8 left: what its rules decided wrongly is found although
//! no record changed, is shown apart from the day's changes, and is let through in one go.
//!
//! That build synced the feeds of `fixtures/upgrade` seven times: first everybody was current; then o03 had another id,
//! o53, beside the old one; then e00 to e02 were `Past`, which is on the exclude list, o53 was `Past` and o03 gone, and p05
//! had left with a lease that ends before it starts. Then all three integrations were paused.
//!
//! The feed of `fixtures/upgrade_emails` it synced twice, in between f11 lost the email; then that was paused too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use epms::model::{AlertKind, IntegrationId, LeaseStatus, Person, Preview};

use crate::stores::kept;
use crate::support::{Daemon, Home, Terminal, told};

/// What each building sends, as text: what is remembered of a record is its text.
pub(crate) type Feeds = Arc<Mutex<BTreeMap<String, String>>>;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

async fn answer(State(feeds): State<Feeds>, uri: Uri) -> Result<String, StatusCode> {
    let feeds = feeds.lock().unwrap();
    let feed = feeds.get(uri.path().trim_start_matches('/'));
    feed.cloned().ok_or(StatusCode::NOT_FOUND)
}

pub(crate) async fn left_by_the_old_build() -> (Feeds, Home) {
    left(&fixture("upgrade"), "hall", "1-kept.redb.gz").await
}

/// The home of a fixture with the store that the old build left, and its PMS.
async fn left(fixture: &Path, connector: &str, store: &str) -> (Feeds, Home) {
    let feeds = std::fs::read_dir(fixture.join("feeds")).unwrap();
    let feeds = feeds.map(|entry| {
        let path = entry.unwrap().path();
        let id = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (id, std::fs::read_to_string(path).unwrap())
    });
    let feeds: Feeds = Arc::new(Mutex::new(feeds.collect()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new()
        .fallback(answer)
        .with_state(Arc::clone(&feeds));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let home = Home::new();
    for folder in ["config/connectors", "config/integrations", "scripts"] {
        home.copy(fixture, folder);
    }
    home.write(
        &format!("config/credentials/{connector}.yaml"),
        format!("version: 1\nconnector: {connector}\nfields: {{ url: \"{url}\" }}\n"),
    );
    std::fs::create_dir(home.path("state")).unwrap();
    std::fs::write(home.path("state/epms.redb"), kept(store)).unwrap();
    (feeds, home)
}

/// What one of the buildings sends, with these words in place of those.
fn edit(feeds: &Feeds, building: &str, from: &str, to: &str) {
    let mut feeds = feeds.lock().unwrap();
    let feed = feeds.get_mut(building).unwrap();
    assert_eq!(feed.matches(from).count(), 1, "{from}");
    *feed = feed.replace(from, to);
}

/// Who is closed at an integration, by name.
pub(crate) async fn closed(daemon: &Daemon, integration: &str) -> Vec<String> {
    let id = IntegrationId::new(integration);
    let is_closed = |one: &Person| {
        let stay = one.stay(&id);
        stay.is_some_and(|stay| stay.status == LeaseStatus::Past)
    };
    let people = daemon.people().await;
    let closed = people.iter().filter(|one| is_closed(one));
    closed.map(|one| one.first_name.clone()).collect()
}

async fn run(home: &Home, words: &[&str]) -> (Option<i32>, String) {
    let output = home.epms(words).await;
    (output.status.code(), told(&output))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_build_kept_wrongly_is_shown_apart_and_closed_in_one_go() {
    let (feeds, home) = left_by_the_old_build().await;
    // What the day brings: one more has left, another has a new phone.
    edit(
        &feeds,
        "elm",
        r#""unit":"107","from":"2025-05-01","to":"2027-04-30","status":"Current""#,
        r#""unit":"107","from":"2025-05-01","to":"2027-04-30","status":"Past""#,
    );
    edit(&feeds, "elm", "+1 212 555 0108", "+1 212 555 0178");
    let daemon = Daemon::start(&home).await;
    let before = daemon.people().await;

    // Before anything is written.
    let (code, text) = run(&home, &["preview", "--all"]).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("3 integrations, 0 of them would be held"),
        "{text}"
    );
    let total = "only the rules of this version take something from 6 people at 3 integrations";
    assert!(text.contains(total), "{text}");
    let output = home.epms(&["preview", "--all", "--json"]).await;
    let previews: Vec<Preview> = serde_json::from_slice(&output.stdout).unwrap();
    let apart = |preview: &Preview| -> Vec<String> {
        let plan = preview.since_upgrade.iter();
        let items = plan.flat_map(|plan| &plan.items);
        let told = items.map(|item| {
            let kind = item.kind.as_str();
            format!(
                "{kind} {} {} {} → {}",
                item.name, item.unit, item.from, item.to
            )
        });
        told.collect()
    };
    let of = |id: &str| {
        let mut previews = previews.iter();
        let of = previews.find(|one| one.report.integration.as_str() == id);
        apart(of.unwrap())
    };
    assert_eq!(
        of("elm"),
        [
            "closing Ada Alder 100 current → past",
            "closing Ben Birch 101 current → past",
            "closing Cora Cedar 102 current → past",
        ]
    );
    assert_eq!(of("oak"), ["closing Dan Ivyson 203, 103 current → past"]);
    // A lease that ended before it began was no record at all (R12).
    // Nobody can receive anything at `example.invalid` (R13a, R20).
    assert_eq!(
        of("pine"),
        [
            "closing Finn Oakesman 105 current → past",
            "email change Dan Mapleman 103 dan.larchman@example.invalid → ",
        ]
    );
    assert_eq!(daemon.people().await, before);

    // The first runs: the day's changes, and no others.
    for id in ["elm", "oak"] {
        assert_eq!(run(&home, &["resume", id]).await.0, Some(0));
    }
    let (code, text) = run(&home, &["sync", "elm", "oak"]).await;
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(closed(&daemon, "elm").await, ["Hugo"]);
    assert_eq!(closed(&daemon, "oak").await, [""; 0]);
    let people = daemon.people().await;
    let ida = people.iter().find(|one| one.last_name == "Ivy").unwrap();
    assert_eq!(ida.phone.as_deref(), Some("+12125550178"));
    let alerts = daemon.alerts().await;
    let waits = alerts
        .iter()
        .filter(|one| one.kind == AlertKind::MassChangeHeld);
    let waits: Vec<_> = waits
        .map(|one| (one.integration.as_str(), one.subject.as_str()))
        .collect();
    assert_eq!(waits, [("elm", "since_upgrade"), ("oak", "since_upgrade")]);

    // It waits in later runs too, and over a restart. Somebody looks, and says no; then yes.
    assert_eq!(daemon.stop().await, Some(0));
    let daemon = Daemon::start(&home).await;
    let (code, text) = run(&home, &["sync", "elm", "oak"]).await;
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(closed(&daemon, "elm").await, ["Hugo"]);
    let words = ["approve", "--all", "--since-upgrade"];
    let mut terminal = Terminal::run(100, home.root(), &words);
    terminal.shows("what only the rules of this version take at elm: closing 3");
    terminal.shows("Cora Cedar");
    terminal.shows("what only the rules of this version take at oak: closing 1");
    terminal.answers("approve all of it [y/N]: ", "n");
    assert_eq!(terminal.ends(), Some(4));
    assert_eq!(closed(&daemon, "oak").await, [""; 0]);
    let mut terminal = Terminal::run(100, home.root(), &words);
    terminal.answers("approve all of it [y/N]: ", "y");
    assert_eq!(terminal.ends(), Some(0));
    assert_eq!(closed(&daemon, "elm").await, ["Ada", "Ben", "Cora", "Hugo"]);
    assert_eq!(closed(&daemon, "oak").await, ["Dan"]);
    let alerts = daemon.alerts().await;
    let waits = alerts
        .iter()
        .any(|one| one.kind == AlertKind::MassChangeHeld);
    assert!(!waits, "{alerts:#?}");

    // From then on nothing is left of it.
    let (code, text) = run(&home, &words).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("nothing waits since an upgrade"), "{text}");
    let people = daemon.people().await;
    let (code, text) = run(&home, &["sync", "elm", "oak"]).await;
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(daemon.people().await, people);
    let (code, text) = run(&home, &["verify"]).await;
    assert_eq!(code, Some(0), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_since_an_upgrade_is_approved_by_the_digests_that_were_looked_at() {
    let (_, home) = left_by_the_old_build().await;
    let daemon = Daemon::start(&home).await;
    for id in ["elm", "oak"] {
        assert_eq!(run(&home, &["resume", id]).await.0, Some(0));
    }
    let (code, text) = run(&home, &["sync", "elm", "oak"]).await;
    assert_eq!(code, Some(0), "{text}");
    let waits = daemon.get("/v1/since-upgrade").await.json();
    let digest = |id: &str| waits["plans"][id]["digest"].clone();
    assert_eq!(waits["plans"].as_object().unwrap().len(), 2);
    let approve = async |digests: serde_json::Value| {
        let body = serde_json::json!({ "digests": digests }).to_string();
        let path = "/v1/since-upgrade/approve";
        daemon.send(reqwest::Method::POST, path, &body).await
    };
    // All, or none.
    let answer = approve(serde_json::json!({ "elm": digest("elm"), "oak": "0123" })).await;
    assert_eq!(answer.problem().status, 409);
    assert_eq!(approve(serde_json::json!({})).await.problem().status, 400);
    daemon.sync("elm").await;
    assert_eq!(closed(&daemon, "elm").await, [""; 0]);
    let answer = approve(serde_json::json!({ "elm": digest("elm") })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(closed(&daemon, "elm").await, ["Ada", "Ben", "Cora"]);
    assert_eq!(closed(&daemon, "oak").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn emails_of_an_earlier_build_get_their_normal_form_and_those_cut_out_of_a_text_go() {
    let fixture = fixture("upgrade_emails");
    let (_, home) = left(&fixture, "inn", "1-emails.redb.gz").await;
    let daemon = Daemon::start(&home).await;
    let emails = async || -> BTreeMap<String, Option<String>> {
        let people = daemon.people().await;
        let people = people.into_iter();
        people.map(|one| (one.first_name, one.email)).collect()
    };
    let before = emails().await;
    assert_eq!(before["Jo"].as_deref(), Some("jo.binder@xn--bcher-kva.de"));
    assert_eq!(before["Maria"].as_deref(), Some("cruz@mail.com"));

    let (code, text) = run(&home, &["preview", "fir"]).await;
    assert_eq!(code, Some(0), "{text}");
    for told in [
        "only the rules of this version take",
        "Maria de la Cruz",
        "cruz@mail.com",
        "Pat Reed",
        "pat.reed@fir.test",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert!(!text.contains("Iris"), "{text}");
    assert_eq!(run(&home, &["resume", "fir"]).await.0, Some(0));
    let (code, text) = run(&home, &["sync", "fir"]).await;
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(emails().await, before);
    let words = ["approve", "--all", "--since-upgrade"];
    let mut terminal = Terminal::run(100, home.root(), &words);
    terminal.answers("approve all of it [y/N]: ", "y");
    assert_eq!(terminal.ends(), Some(0));
    let mut after = before.clone();
    after.insert("Maria".into(), None);
    after.insert("Pat".into(), None);
    assert_eq!(emails().await, after);
    // What was told before is told still, and nothing new is.
    let alerts = daemon.alerts().await;
    let alerts: Vec<_> = alerts
        .iter()
        .map(|one| (one.kind, one.subject.as_str()))
        .collect();
    assert_eq!(alerts, [(AlertKind::MissingEmail, "f11")]);
    let (code, text) = run(&home, &["verify"]).await;
    assert_eq!(code, Some(0), "{text}");
}
