//! How integrations stand: the word and the sentence on the wire, what a monitor reads, and pauses that end by themselves.

use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use crate::support::{Daemon, Home, eventually, pms, told};
use epms::control::protocol::{Health, IntegrationState, Severity};
use epms::model::Outcome;
use epms::sandbox::{Kind, Sandbox};
use reqwest::Method;

async fn started() -> (Arc<Sandbox>, Home, Daemon) {
    let pms = pms(Kind::AppFolio, 1, 60).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    (pms, home, daemon)
}

fn elm() -> &'static str {
    "config/integrations/elm.yaml"
}

/// The first line and the exit code, as a monitor reads them.
async fn monitored(home: &Home) -> (String, Option<i32>) {
    let output = home.epms(&["status", "--exit-code"]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().next().unwrap_or_default().to_owned();
    (line, output.status.code())
}

#[tokio::test]
async fn a_monitor_reads_one_line_and_a_code() {
    let (pms, home, daemon) = started().await;
    let (line, code) = monitored(&home).await;
    assert!(line.starts_with("EPMS OK - 1 integration, "), "{line}");
    assert!(
        line.contains(" | ok=1 warning=0 critical=0 alerts="),
        "{line}"
    );
    assert_eq!(code, Some(0));

    // A plan that waits.
    {
        let mut world = pms.world();
        let today = epms::sandbox::today();
        let here: Vec<_> = world
            .households()
            .iter()
            .filter(|home| home.status.lives_there())
            .flat_map(|home| home.members.iter().map(|one| one.id))
            .collect();
        for one in here {
            let _ = world.move_out(one, today);
        }
    }
    let report = daemon.sync("elm").await;
    assert!(matches!(report.outcome, Outcome::Held { .. }));
    let status = daemon.integration("elm").await;
    assert_eq!(
        (status.health, status.severity),
        (Health::Held, Severity::Warning)
    );
    let because = status.because.unwrap();
    assert!(
        because.contains(&format!("`epms approve {}`", report.id)),
        "{because}"
    );
    let (line, code) = monitored(&home).await;
    assert!(line.starts_with("EPMS WARNING - elm is held | "), "{line}");
    assert_eq!(code, Some(1));
    let wire = daemon.get("/v1/integrations").await.json();
    assert_eq!(
        (&wire[0]["state"], &wire[0]["health"]),
        (&"idle".into(), &"held".into())
    );
    let text = told(&home.epms(&["status"]).await);
    assert_eq!(text.matches("epms approve").count(), 1, "told once: {text}");

    // A file that was never right.
    home.write("config/integrations/oak.yaml", "version: 1\n");
    eventually("oak is broken", async || {
        let all = daemon.client.integrations().await.unwrap();
        all.iter().any(|one| one.health == Health::Broken)
    })
    .await;
    let (line, code) = monitored(&home).await;
    assert!(
        line.starts_with("EPMS CRITICAL - oak is broken; elm is held | "),
        "{line}"
    );
    assert_eq!(code, Some(2));
    let output = home.epms(&["status", "elm", "--exit-code", "--json"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(serde_json::from_slice::<serde_json::Value>(&output.stdout).is_ok());

    daemon.stop().await;
    let (line, code) = monitored(&home).await;
    assert!(line.starts_with("EPMS UNKNOWN - "), "{line}");
    assert_eq!(code, Some(3));
}

#[tokio::test]
async fn r46_a_file_that_is_gone_names_the_command_that_gives_its_people_on() {
    let (_pms, home, daemon) = started().await;
    let text = home.read(elm());
    // Two files claim them: nobody knows whose they are.
    home.write("config/integrations/oak.yaml", &text);
    home.write("config/integrations/fir.yaml", &text);
    home.remove(elm());
    let status = crate::support::found("elm is off", async || {
        let status = daemon.integration("elm").await;
        (status.health == Health::Off).then_some(status)
    })
    .await;
    let because = status.because.unwrap();
    for told in [
        "config/integrations/elm.yaml is gone",
        "`epms integration rename elm oak`",
        "`epms integration rename elm fir`",
        "`epms integration retire elm`",
    ] {
        assert!(because.contains(told), "{told} in {because}");
    }
    let shown = told(&home.epms(&["status"]).await);
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("epms integration rename elm oak"), "{shown}");
    home.remove("config/integrations/fir.yaml");
    let output = home.epms(&["integration", "rename", "elm", "oak"]).await;
    let undo = told(&output);
    assert!(
        output.status.success() || undo.contains("nobody of"),
        "{undo}"
    );
    eventually("oak has the people", async || {
        let all = daemon.client.integrations().await.unwrap();
        let mut all = all.iter();
        all.any(|one| one.id.as_str() == "oak" && one.linked > 0)
    })
    .await;
}

#[tokio::test]
async fn a_pause_says_by_whom_until_when_and_why_and_survives_a_restart() {
    let (_pms, home, daemon) = started().await;
    let words = ["pause", "elm", "--for", "2h", "--reason", "the PMS | moves"];
    let output = home.epms(&words).await;
    assert!(
        told(&output).starts_with("elm is paused until 2"),
        "{}",
        told(&output)
    );
    daemon.stop().await;
    let daemon = Daemon::start(&home).await;
    let status = daemon.integration("elm").await;
    assert_eq!(
        (status.health, status.severity),
        (Health::Paused, Severity::Ok)
    );
    let pause = status.pause.unwrap();
    let uid = std::fs::metadata(home.root()).unwrap().uid();
    let by = pause.by.to_string();
    assert!(by.contains(&format!("uid {uid}")), "{by}");
    assert_eq!(pause.reason, "the PMS | moves");
    let length = pause.until.unwrap().duration_since(pause.at);
    assert_eq!(length.as_secs(), 7200);
    let shown = told(&home.epms(&["status"]).await);
    for told in [&format!("uid {uid}"), "the PMS | moves", "epms resume elm"] {
        assert!(shown.contains(told), "{told} in {shown}");
    }
    let (line, code) = monitored(&home).await;
    assert!(line.starts_with("EPMS OK"), "it ends by itself: {line}");
    assert_eq!(code, Some(0));

    // One without an end takes its place, and somebody should know of it.
    home.epms(&["pause", "elm"]).await;
    let status = daemon.integration("elm").await;
    assert_eq!(status.pause.unwrap().until, None);
    assert_eq!(status.severity, Severity::Warning);
    home.epms(&["resume", "elm"]).await;
    let status = daemon.integration("elm").await;
    assert_eq!(
        (status.pause, status.health == Health::Paused),
        (None, false)
    );
}

#[tokio::test]
async fn a_pause_for_a_while_ends_by_itself_and_what_was_missed_is_made_up() {
    let (_pms, home, daemon) = started().await;
    home.epms(&["pause", "elm", "--for", "1s"]).await;
    eventually("it syncs again", async || {
        let status = daemon.integration("elm").await;
        status.pause.is_none() && status.health == Health::Ok
    })
    .await;
    assert!(daemon.log().contains("the pause is over"));
    assert!(daemon.sync("elm").await.outcome.is_success());
    // Over while no daemon ran.
    home.epms(&["pause", "elm", "--for", "1s"]).await;
    daemon.stop().await;
    let daemon = Daemon::start(&home).await;
    eventually("it syncs again", async || {
        daemon.integration("elm").await.pause.is_none()
    })
    .await;
    assert!(daemon.sync("elm").await.outcome.is_success());
}

#[tokio::test]
async fn a_pause_that_cannot_be_is_refused_with_what_to_write() {
    let (_pms, home, daemon) = started().await;
    let output = home.epms(&["pause", "elm", "--for", "2 hours"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(told(&output).contains("write `2h`"), "{}", told(&output));
    let long = "x".repeat(201);
    for body in [
        r#"{"seconds":0}"#.to_owned(),
        r#"{"seconds":99999999999}"#.to_owned(),
        format!(r#"{{"reason":"{long}"}}"#),
        r#"{"reason":"one\nother"}"#.to_owned(),
        r#"{"until":"tomorrow"}"#.to_owned(),
    ] {
        let answer = daemon
            .send(Method::POST, "/v1/integrations/elm/pause", &body)
            .await;
        assert_eq!(answer.problem().status, 400, "{body}");
    }
    assert_eq!(daemon.integration("elm").await.pause, None);
}

#[tokio::test]
async fn what_would_not_run_anyway_is_said_where_it_is_paused() {
    let (_pms, home, daemon) = started().await;
    home.write(
        "config/integrations/oak.yaml",
        home.read(elm()).replace("enabled: true", "enabled: maybe"),
    );
    eventually("oak is broken", async || {
        let all = daemon.client.status().await.unwrap().integrations;
        all.iter().any(|one| one.health == Health::Broken)
    })
    .await;
    let output = home.epms(&["pause", "oak"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(
        told(&output).contains("oak is paused, and would not run anyway: its files are not right"),
        "{}",
        told(&output)
    );
    home.remove(elm());
    eventually("its file is gone", async || {
        daemon.integration("elm").await.state == IntegrationState::Removed
    })
    .await;
    let output = home.epms(&["pause", "elm"]).await;
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(
        told(&output).contains("the file of `elm` is gone"),
        "{}",
        told(&output)
    );
    let output = home.epms(&["pause", "ash"]).await;
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
}

/// 2 would be critical: a monitor that asks wrongly wakes nobody.
#[tokio::test]
async fn whatever_a_monitor_asks_wrongly_is_unknown_and_elsewhere_a_wrong_line_ends_with_2() {
    let (_pms, home, daemon) = started().await;
    for line in [
        &["status", "--exit-code", "--nosuch"][..],
        &["status", "--exit-code", "ash"],
        &["status", "--exit-code", "--offline"],
        &["status", "--exit-code", "--watch"],
    ] {
        let output = home.epms(line).await;
        let text = String::from_utf8(output.stdout.clone()).unwrap();
        assert!(
            text.starts_with("EPMS UNKNOWN - "),
            "{line:?}: {}",
            told(&output)
        );
        assert_eq!(output.status.code(), Some(3), "{line:?}");
    }
    let output = home.epms(&["status", "--exit-code", "ash", "--json"]).await;
    assert_eq!(output.status.code(), Some(3));
    assert!(output.stdout.is_empty(), "{}", told(&output));
    for (line, code) in [
        (&["status", "--nosuch"][..], 2),
        (&["status", "ash"], 1),
        (&["status", "ash", "--json"], 1),
        (&["alerts", "list", "--kind", "nosuch"], 2),
        (&["pause", "elm", "--for", "1.5h"], 2),
        (&["diff", ".", "--json", "--format", "markdown"], 2),
    ] {
        let output = home.epms(line).await;
        assert_eq!(
            output.status.code(),
            Some(code),
            "{line:?}: {}",
            told(&output)
        );
        assert!(!told(&output).contains("/v1/"), "{}", told(&output));
    }
    daemon.stop().await;
    let output = home.epms(&["status", "--exit-code", "--offline"]).await;
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    let output = home.epms(&["status", "--offline"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
}
