//! Alerts as many look after them: counted, commented on, given to somebody, and dismissed many at once.

use std::os::unix::fs::MetadataExt;

use crate::support::{Daemon, Home, Terminal, pms, said};
use epms::model::{Actor, Alert, AlertKind};
use epms::sandbox::Kind;
use serde_json::{Value, json};

async fn started() -> (Home, Daemon, Vec<Alert>) {
    let pms = pms(Kind::AppFolio, 7, 120).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let alerts = daemon.alerts().await;
    (home, daemon, alerts)
}

/// A kind of which there are several, and that can be dismissed.
fn many(alerts: &[Alert]) -> (AlertKind, usize) {
    let count = |kind| alerts.iter().filter(|one| one.kind == kind).count();
    let kinds = alerts.iter().map(|one| one.kind);
    let of_people = kinds.filter(|kind| !kind.is_of_the_feed());
    let kind = of_people.max_by_key(|kind| count(*kind)).unwrap();
    assert!(count(kind) > 1, "{alerts:#?}");
    (kind, count(kind))
}

#[tokio::test(flavor = "multi_thread")]
async fn open_alerts_are_counted_by_kind_and_integration_and_each_is_listed_where_it_is_asked_for()
{
    let (home, daemon, alerts) = started().await;
    let (kind, count) = many(&alerts);
    for words in [&["alerts"][..], &["alerts", "list"]] {
        let counted = said(&home.epms(words).await, 0);
        let line = counted.lines().find(|line| line.starts_with(kind.as_str()));
        let line = line.unwrap_or_else(|| panic!("{counted}"));
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(cells[..3], [kind.as_str(), "elm", &count.to_string()]);
        assert!(
            counted.contains("`epms alerts list --all` lists each"),
            "{counted}"
        );
    }
    let each = said(
        &home
            .epms(&["alerts", "list", "--all", "--limit", "1000"])
            .await,
        0,
    );
    for alert in &alerts {
        assert!(each.contains(&format!("{} ", alert.id)), "{each}");
    }
    let of_kind = said(
        &home
            .epms(&["alerts", "list", "--kind", kind.as_str()])
            .await,
        0,
    );
    assert!(
        alerts
            .iter()
            .all(|one| (one.kind == kind) == of_kind.contains(&format!("{} ", one.id))),
        "{of_kind}"
    );
    // As JSON both, so that whoever read the alerts still does.
    let json = home.epms(&["alerts", "--json"]).await;
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["items"].as_array().unwrap().len(), alerts.len());
    let groups = json["groups"].as_array().unwrap();
    let sum: u64 = groups
        .iter()
        .map(|group| group["count"].as_u64().unwrap())
        .sum();
    assert_eq!(sum, alerts.len() as u64);
    let answer = daemon
        .get(&format!("/v1/alerts/groups?kind={kind}"))
        .await
        .json();
    assert_eq!(answer["groups"][0]["count"], count);
    let misspelt = said(&home.epms(&["alerts", "--integration", "eml"]).await, 2);
    assert!(misspelt.contains("--integration"), "{misspelt}");
    let misspelt = said(
        &home.epms(&["alerts", "list", "--integration", "eml"]).await,
        1,
    );
    assert!(
        misspelt.contains("there is no integration `eml`"),
        "{misspelt}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_about_an_alert_and_who_looks_after_it_is_shown_with_who_said_so_and_is_an_act()
 {
    let (home, daemon, alerts) = started().await;
    let alert = alerts
        .iter()
        .find(|one| !one.kind.is_of_the_feed())
        .unwrap();
    let id = alert.id.to_string();
    let epms = async |words: &[&str], exit| said(&home.epms(words).await, exit);
    epms(
        &["alerts", "comment", &id, "the office calls back on Monday"],
        0,
    )
    .await;
    epms(&["alerts", "assign", &id, "Ada Quill"], 0).await;
    let shown = epms(&["alerts", "show", &id], 0).await;
    let uid = std::fs::metadata(home.root()).unwrap().uid();
    assert!(shown.contains("the office calls back on Monday"), "{shown}");
    assert!(
        shown.contains("Ada Quill, by ") && shown.contains(&format!("uid {uid}")),
        "{shown}"
    );
    assert!(
        shown.contains("assign to Ada Quill") && shown.contains(" comment "),
        "{shown}"
    );
    let listed = epms(&["alerts", "list", "--all", "--limit", "1000"], 0).await;
    assert!(listed.contains("assigned to Ada Quill"), "{listed}");
    assert!(
        listed.contains("the office calls back on Monday"),
        "{listed}"
    );
    assert!(epms(&["alerts"], 0).await.contains("Ada Quill"));
    // A run changes nothing about it, nor does an undo of what was done before.
    daemon.sync("elm").await;
    let detail = daemon.get(&format!("/v1/alerts/{id}")).await.json();
    assert_eq!(detail["assigned"]["to"], "Ada Quill");
    let by: Actor = serde_json::from_value(detail["comments"][0]["by"].clone()).unwrap();
    assert!(by.to_string().contains(&format!("uid {uid}")), "{by}");
    let acts = detail["done"].as_array().unwrap();
    let kinds: Vec<&str> = acts
        .iter()
        .map(|act| act["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["comment", "assign"]);
    epms(&["alerts", "dismiss", &id], 0).await;
    epms(&["alerts", "comment", &id, "and was told so"], 0).await;
    epms(&["alerts", "undo", &id], 0).await;
    let detail = daemon.get(&format!("/v1/alerts/{id}")).await.json();
    assert_eq!(detail["state"], "open");
    assert_eq!(detail["comments"].as_array().unwrap().len(), 2);
    // The next before it, and then there is nothing more; what was said stays said.
    assert_eq!(detail["assigned"]["to"], "Ada Quill");
    epms(&["alerts", "undo", &id], 0).await;
    let detail = daemon.get(&format!("/v1/alerts/{id}")).await.json();
    assert_eq!(detail["assigned"], json!(null));
    let nothing = epms(&["alerts", "undo", &id], 1).await;
    assert!(nothing.contains("nothing was done"), "{nothing}");

    // Who looks after an alert, and what became of it, are undone apart from each other by the ids of the acts.
    let act_of = async |kind: &str| {
        let detail = daemon.get(&format!("/v1/alerts/{id}")).await.json();
        let acts = detail["done"].as_array().unwrap().clone();
        let last = acts.iter().rfind(|act| act["kind"] == kind).unwrap();
        last["id"].as_str().unwrap().to_owned()
    };
    epms(&["alerts", "assign", &id, "Ada Quill"], 0).await;
    let (ada, said_so) = (act_of("assign").await, act_of("comment").await);
    epms(&["alerts", "dismiss", &id], 0).await;
    epms(&["alerts", "assign", &id, "Bob"], 0).await;
    let early = epms(&["people", "undo", &ada], 1).await;
    assert!(early.contains("undo that first"), "{early}");
    epms(&["people", "undo", &act_of("dismiss").await], 0).await;
    let detail = daemon.get(&format!("/v1/alerts/{id}")).await.json();
    assert_eq!(
        (&detail["state"], &detail["assigned"]["to"]),
        (&json!("open"), &json!("Bob"))
    );
    epms(&["alerts", "dismiss", &id], 0).await;
    epms(&["people", "undo", &act_of("assign").await], 0).await;
    epms(&["people", "undo", &said_so], 0).await;
    let detail = daemon.get(&format!("/v1/alerts/{id}")).await.json();
    let texts: Vec<_> = detail["comments"].as_array().unwrap().iter().collect();
    assert_eq!(
        (&detail["state"], &detail["assigned"]["to"], texts.len()),
        (&json!("dismissed"), &json!("Ada Quill"), 1)
    );
    assert_eq!(texts[0]["text"], "the office calls back on Monday");
    let twice = epms(&["people", "undo", &said_so], 1).await;
    assert!(twice.contains("already"), "{twice}");
    epms(&["alerts", "undo", &id], 0).await;

    epms(&["alerts", "assign", &id, "--none"], 0).await;
    let twice = epms(&["alerts", "assign", &id, "--none"], 1).await;
    assert!(twice.contains("is assigned to nobody"), "{twice}");
    epms(&["alerts", "assign", &id], 2).await;
    epms(&["alerts", "comment", &id, " "], 2).await;
    epms(&["alerts", "comment", "a9999", "x"], 1).await;
    let path = format!("/v1/alerts/{id}/assign");
    let answer = daemon
        .send(
            reqwest::Method::POST,
            &path,
            &json!({ "to": "Bob" }).to_string(),
        )
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = daemon
        .send(
            reqwest::Method::POST,
            &path,
            &json!({ "to": "x\ny" }).to_string(),
        )
        .await;
    assert_eq!(answer.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_alerts_of_a_kind_are_dismissed_at_once_where_somebody_says_so() {
    let (home, daemon, alerts) = started().await;
    let (kind, count) = many(&alerts);
    let words = [
        "alerts",
        "dismiss",
        "--kind",
        kind.as_str(),
        "--integration",
        "elm",
    ];
    let open = async || {
        let alerts = daemon.alerts().await;
        alerts.iter().filter(|one| one.kind == kind).count()
    };
    let mut terminal = Terminal::run(100, home.root(), &words);
    terminal.answers(&format!("dismiss {count} alerts [y/N]: "), "n");
    terminal.shows("not dismissed");
    assert_eq!(terminal.ends(), Some(1));
    assert_eq!(open().await, count);
    let mut terminal = Terminal::run(100, home.root(), &words);
    terminal.answers(&format!("dismiss {count} alerts [y/N]: "), "y");
    terminal.shows(&format!("dismissed {count} alerts"));
    assert_eq!(terminal.ends(), Some(0));
    assert_eq!(open().await, 0);
    daemon.sync("elm").await;
    assert_eq!(open().await, 0, "dismissed ones stay so");
    // Each is an act of its own, and is taken back by itself.
    let id = alerts
        .iter()
        .find(|one| one.kind == kind)
        .unwrap()
        .id
        .to_string();
    said(&home.epms(&["alerts", "undo", &id]).await, 0);
    assert_eq!(open().await, 1);
    let one = said(&home.epms(&[&words[..], &["--yes"]].concat()).await, 0);
    assert!(one.starts_with("dismissed 1 alert;"), "{one}");
    let none = said(&home.epms(&[&words[..], &["--yes"]].concat()).await, 0);
    assert!(none.contains("no open"), "{none}");
    // What came after somebody looked stays open.
    said(&home.epms(&["alerts", "undo", &id]).await, 0);
    let before = json!({ "kind": kind, "seen": "2020-01-01T00:00:00Z" });
    let answer = daemon
        .send(
            reqwest::Method::POST,
            "/v1/alerts/dismiss",
            &before.to_string(),
        )
        .await;
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({ "alerts": [] }))
    );
    assert_eq!(open().await, 1);
    let feed = json!({ "kind": "sync_stale" });
    let answer = daemon
        .send(
            reqwest::Method::POST,
            "/v1/alerts/dismiss",
            &feed.to_string(),
        )
        .await;
    assert_eq!(answer.status, 409, "{}", answer.body);
    said(&home.epms(&["alerts", "dismiss"]).await, 2);
}
