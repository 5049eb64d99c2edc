//! `--offline`: what the daemon said last is what its store says when none runs; and it is only read.

use crate::support::{Daemon, Home, pms, told};
use epms::sandbox::Kind;
use serde_json::Value;

async fn json(home: &Home, line: &str, offline: bool) -> Value {
    let words = line.split(' ').chain(["--json"]);
    let words: Vec<&str> = words.chain(offline.then_some("--offline")).collect();
    let output = home.epms(&words).await;
    assert!(output.status.success(), "{words:?}: {}", told(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn the_store_says_without_a_daemon_what_it_said_with_one() {
    let pms = pms(Kind::AppFolio, 1, 40).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let alert = daemon.alerts().await[0].id;
    let run = daemon.sync("elm").await.id;
    let resident = daemon.client.run(run).await.unwrap().decisions[0]
        .subject
        .clone();
    let lines = [
        "people".to_owned(),
        "people show p1".to_owned(),
        "people history p1".to_owned(),
        "targets".to_owned(),
        "deliveries".to_owned(),
        "alerts list".to_owned(),
        format!("alerts show {alert}"),
        "runs".to_owned(),
        format!("run {run}"),
        format!("explain elm {resident}"),
    ];
    let mut before = Vec::new();
    for line in &lines {
        before.push(json(&home, line, false).await);
    }
    let changes = told(&home.epms(&["changes"]).await);
    let export = told(&home.epms(&["people", "export"]).await);
    let status = json(&home, "status", false).await;
    assert!(status.get("offline").is_none());

    let refused = home.epms(&["people", "--offline"]).await;
    assert_eq!(refused.status.code(), Some(3), "{}", told(&refused));
    assert!(
        told(&refused).contains("stop that daemon, or ask it over its socket"),
        "{}",
        told(&refused)
    );
    assert_eq!(daemon.stop().await, Some(0));

    for (line, before) in lines.iter().zip(before) {
        assert_eq!(json(&home, line, true).await, before, "{line}");
    }
    assert_eq!(told(&home.epms(&["changes", "--offline"]).await), changes);
    assert_eq!(
        told(&home.epms(&["people", "export", "--offline"]).await),
        export
    );
    let alone = json(&home, "status", true).await;
    assert_eq!(alone["offline"], true);
    assert_eq!(alone["people"], status["people"]);
    let (one, other) = (&alone["integrations"][0], &status["integrations"][0]);
    assert_eq!(one["last_success"], other["last_success"]);
    assert_eq!(one["linked"], other["linked"]);
    let shown = told(&home.epms(&["status", "--offline"]).await);
    assert!(shown.contains("no daemon runs"), "{shown}");
    // Nothing is left that would keep a daemon from starting.
    let daemon = Daemon::start(&home).await;
    assert!(daemon.sync("elm").await.outcome.is_success());
}

#[tokio::test]
async fn what_writes_or_waits_is_refused_and_so_is_a_home_without_a_store() {
    let home = Home::new();
    for line in [
        "sync --all",
        "reload",
        "approve r1",
        "reject r1",
        "pause elm",
        "people pin p1",
        "people add --first-name Ana --last-name Ortiz",
        "alerts dismiss a1",
        "deliveries approve elm-door --digest 1a2b",
        "deliveries retry elm-door",
        "changes --follow",
        "status --watch",
        "run",
        "check",
        "preview elm",
    ] {
        let words: Vec<&str> = line.split(' ').chain(["--offline"]).collect();
        let output = home.epms(&words).await;
        assert_eq!(output.status.code(), Some(2), "{line}: {}", told(&output));
    }
    let output = home.epms(&["people", "--offline"]).await;
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    assert!(
        told(&output).contains("there is no store in"),
        "{}",
        told(&output)
    );
    assert!(!home.path("state").exists());
}
