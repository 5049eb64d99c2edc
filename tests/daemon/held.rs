//! Runs that the guard holds (R27), previews, approvals and feeds that fail (R28), through the real binary.

use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use crate::support::{Daemon, Home, Terminal, eventually, pms, told};
use epms::model::{Actor, AlertKind, GuardedKind, LeaseStatus, Outcome, Preview, Run};
use epms::sandbox::{FaultKind, Kind, Sandbox};

async fn started() -> (Arc<Sandbox>, Home, Daemon) {
    let pms = pms(Kind::AppFolio, 1, 60).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    (pms, home, daemon)
}

pub(crate) fn everybody_moves_out(pms: &Sandbox, most: usize) {
    let mut world = pms.world();
    let today = epms::sandbox::today();
    let here: Vec<_> = world
        .households()
        .iter()
        .filter(|home| home.status.lives_there())
        .take(most)
        .flat_map(|home| home.members.iter().map(|one| one.id))
        .collect();
    for one in here {
        let _ = world.move_out(one, today);
    }
}

async fn preview(home: &Home) -> (Option<i32>, Preview) {
    let output = home.epms(&["preview", "elm", "--json"]).await;
    let preview = serde_json::from_slice(&output.stdout);
    let preview = preview.unwrap_or_else(|error| panic!("{error}: {}", told(&output)));
    (output.status.code(), preview)
}

fn held(report: &Run) -> &str {
    match &report.outcome {
        Outcome::Held { digest, .. } => digest,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn r27_a_mass_move_out_waits_for_approval_of_exactly_that_plan() {
    let (pms, home, daemon) = started().await;
    let people = daemon.people().await;
    everybody_moves_out(&pms, 30);
    let (code, before) = preview(&home).await;
    assert_eq!(code, Some(4), "held");
    assert_eq!(daemon.people().await, people, "a preview writes nothing");
    let text = home.epms(&["preview", "elm"]).await;
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("the next run of elm would be held"), "{text}");
    assert!(text.contains("waits for approval: closing"), "{text}");
    // Everybody whom it takes something from, by name, with unit, from and to.
    let plan = before.held.clone().unwrap();
    let closings = plan.items.iter();
    let closings = closings.filter(|item| item.kind == GuardedKind::Closing);
    assert!(closings.clone().count() > 20);
    for item in closings {
        assert!(text.contains(&item.name), "{} in {text}", item.name);
        assert!(!item.name.is_empty() && !item.unit.is_empty());
        assert_eq!((item.from.as_str(), item.to.as_str()), ("current", "past"));
    }

    let output = home.epms(&["sync", "elm", "--json"]).await;
    assert_eq!(output.status.code(), Some(4), "{}", told(&output));
    let report = daemon.sync("elm").await;
    assert_eq!(
        held(&report),
        held(&before.report),
        "the digest of the preview"
    );
    assert_eq!(report.counts, before.report.counts);
    assert_eq!(daemon.people().await, people);
    let alerts = daemon.alerts().await;
    let alert = alerts
        .iter()
        .find(|alert| alert.kind == AlertKind::MassChangeHeld);
    let alert = alert.unwrap();
    assert!(
        alert
            .detail
            .contains(&format!("epms approve {}", report.id))
    );
    let status = home.epms(&["status"]).await;
    assert!(told(&status).contains("epms approve"), "{}", told(&status));

    let run = report.id.to_string();
    let shown = told(&home.epms(&["run", &run]).await);
    for item in &plan.items {
        assert!(shown.contains(&item.name), "{} in {shown}", item.name);
    }
    let detail = daemon.client.run(report.id).await.unwrap();
    assert_eq!(detail.held.unwrap().items, plan.items);
    let log = daemon.log();
    for item in plan.items.iter().filter(|item| !item.name.is_empty()) {
        assert!(!log.contains(&item.name), "{} in the log", item.name);
    }
    let wrong = home.epms(&["approve", &run, "--digest", "0000"]).await;
    assert_eq!(wrong.status.code(), Some(1), "{}", told(&wrong));
    let output = home
        .epms(&["approve", &run, "--digest", held(&report)])
        .await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let after = daemon.people().await;
    let closed = |people: &[epms::model::Person]| {
        people
            .iter()
            .flat_map(|one| one.stays.values())
            .filter(|stay| stay.status == LeaseStatus::Past)
            .count()
    };
    assert!(closed(&after) > closed(&people) + 20, "{}", closed(&after));
    let runs = daemon.get("/v1/runs").await.json();
    let uid = std::fs::metadata(home.root()).unwrap().uid();
    let name = nix::unistd::User::from_uid(uid.into()).unwrap();
    let by = Actor::user(uid, name.map(|user| user.name));
    assert_eq!(
        runs["items"][0]["report"]["approved_by"],
        serde_json::to_value(&by).unwrap(),
        "{runs}"
    );
    let run = runs["items"][0]["id"].as_str().unwrap();
    let output = home.epms(&["run", run]).await;
    assert!(told(&output).contains(&by.to_string()), "{}", told(&output));
    assert_eq!(daemon.sync("elm").await.outcome, Outcome::Unchanged);
    let alerts = daemon.alerts().await;
    assert!(
        !alerts
            .iter()
            .any(|one| one.kind == AlertKind::MassChangeHeld
                && one.id == alert.id
                && one.state == epms::model::AlertState::Open)
    );
}

#[tokio::test]
async fn r27_a_rejected_plan_waits_without_a_word_and_can_still_be_approved() {
    let (pms, home, daemon) = started().await;
    everybody_moves_out(&pms, 30);
    let report = daemon.sync("elm").await;
    let run = report.id.to_string();
    let open = async || {
        let alerts = daemon.alerts().await;
        let held = alerts.iter().filter(|alert| {
            alert.kind == AlertKind::MassChangeHeld && alert.state == epms::model::AlertState::Open
        });
        held.count()
    };
    assert_eq!(open().await, 1);
    let wrong = home.epms(&["reject", &run, "--digest", "0000"]).await;
    assert_eq!(wrong.status.code(), Some(1), "{}", told(&wrong));
    let output = home.epms(&["reject", &run]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(told(&output).contains("is rejected"), "{}", told(&output));
    assert_eq!(open().await, 0);
    let again = daemon.sync("elm").await;
    assert_eq!(held(&again), held(&report));
    assert_eq!(open().await, 0);
    let shown = told(&home.epms(&["run", &again.id.to_string()]).await);
    assert!(shown.contains("rejected by"), "{shown}");
    let output = home.epms(&["approve", &run, "--yes"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(daemon.sync("elm").await.outcome, Outcome::Unchanged);
}

#[tokio::test(flavor = "multi_thread")]
async fn r27_on_a_terminal_approve_shows_whom_it_takes_and_asks() {
    let (pms, home, daemon) = started().await;
    everybody_moves_out(&pms, 30);
    let (_, before) = preview(&home).await;
    let run = daemon.sync("elm").await.id.to_string();
    let people = daemon.people().await;
    let name = before.held.unwrap().items[0].name.clone();
    for answer in ["", "no"] {
        let mut terminal = Terminal::run(160, home.root(), &["approve", &run]);
        terminal.shows(&name);
        terminal.answers("approve it [y/N]: ", answer);
        terminal.shows("not approved");
        assert_eq!(terminal.ends(), Some(4));
    }
    assert_eq!(daemon.people().await, people);
    let mut terminal = Terminal::run(160, home.root(), &["approve", &run]);
    terminal.answers("approve it [y/N]: ", "y");
    terminal.shows("committed");
    assert_eq!(terminal.ends(), Some(0));
    assert_ne!(daemon.people().await, people);
}

#[tokio::test]
async fn a_preview_is_what_the_next_run_does() {
    let (pms, home, daemon) = started().await;
    for round in 0..3 {
        {
            let mut world = pms.world();
            let email = format!("new{round}@example.com");
            world
                .move_in("elm", &format!("New{round}"), "Comer", Some(&email), None)
                .unwrap();
        }
        everybody_moves_out(&pms, 2);
        let (code, mut preview) = preview(&home).await;
        assert_eq!(code, Some(0));
        let before = daemon.changes().await.len();
        let report = daemon.sync("elm").await;
        assert_eq!(report.outcome, Outcome::Committed);
        let mut changes = daemon.changes().await.split_off(before);
        assert!(!changes.is_empty());
        assert_eq!(report.counts, preview.report.counts);
        for change in changes.iter_mut().chain(&mut preview.changes) {
            (change.seq, change.run, change.at) = (0, None, report.started);
        }
        assert_eq!(changes, preview.changes);
    }
}

#[tokio::test]
async fn a_filter_that_takes_everybody_changes_nobody_until_it_is_approved() {
    let (_pms, home, daemon) = started().await;
    let people = daemon.people().await;
    let file = "config/integrations/elm.yaml";
    let generation = daemon.generation("elm").await;
    let before = home.edit(file, "exclude_statuses: []", "exclude_statuses: [Current]");
    let generation = daemon.reloaded("elm", generation).await;
    held(&daemon.sync("elm").await);
    assert_eq!(daemon.people().await, people);
    home.write(file, before);
    daemon.reloaded("elm", generation).await;
    assert!(daemon.sync("elm").await.outcome.is_success());
    assert_eq!(daemon.people().await, people);
}

#[tokio::test]
async fn the_pms_answers_200_with_an_empty_list_and_nobody_is_lost() {
    let (pms, _home, daemon) = started().await;
    let people = daemon.people().await;
    pms.fault(FaultKind::Empty);
    held(&daemon.sync("elm").await);
    assert_eq!(daemon.people().await, people);
    pms.clear_faults();
    assert!(daemon.sync("elm").await.outcome.is_success());
    assert_eq!(daemon.people().await, people);
}

#[tokio::test]
async fn r28_a_refused_login_is_one_alert_for_its_credential_and_closes_itself() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let other = home
        .read("config/integrations/elm.yaml")
        .replace(&pms.property_id(0), "another-property");
    home.write("config/integrations/oak.yaml", other);
    let secret = std::fs::read_dir(home.path("secrets"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .file_name();
    let secret = format!("secrets/{}", secret.to_str().unwrap());
    let right = home.read(&secret);
    home.write(&secret, "wrong");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    daemon.sync("oak").await;
    let open = async || -> Vec<String> {
        let alerts = daemon.alerts().await;
        let failing = alerts.iter().filter(|alert| {
            alert.kind == AlertKind::CredentialFailing
                && alert.state == epms::model::AlertState::Open
        });
        failing.map(|alert| alert.subject.clone()).collect()
    };
    assert_eq!(open().await, ["elm-account"]);
    assert!(daemon.integration("elm").await.failures > 0);
    home.write(&secret, right);
    eventually("the credential is taken", async || {
        daemon.sync("elm").await.outcome.is_success()
    })
    .await;
    assert_eq!(open().await, [""; 0]);
    assert_eq!(daemon.integration("elm").await.failures, 0);
}

#[tokio::test]
async fn r28_a_feed_that_is_silent_for_three_hours_is_an_alert_until_it_speaks() {
    let (pms, home, daemon) = started().await;
    daemon.stop().await;
    {
        // As if the last success were hours ago.
        let store = epms::store::Store::open(&home.path("state")).unwrap();
        let write = store.write().unwrap();
        let elm = epms::model::IntegrationId::new("elm");
        let mut history = write.history(&elm).unwrap();
        history.last_success = history
            .last_success
            .map(|last| last - jiff::SignedDuration::from_hours(4));
        write.put_history(&elm, &history).unwrap();
        write.commit().unwrap();
    }
    pms.fault(FaultKind::NoResult);
    let daemon = Daemon::start(&home).await;
    let stale = async || {
        let alerts = daemon.alerts().await;
        alerts
            .iter()
            .find(|alert| alert.kind == AlertKind::SyncStale)
            .map(|alert| alert.detail.clone())
    };
    let told = crate::support::found("the feed is told to be stale", stale).await;
    assert!(told.contains("no run has succeeded since"), "{told}");
    pms.clear_faults();
    eventually("the feed speaks again", async || {
        daemon.sync("elm").await.outcome.is_success()
    })
    .await;
    assert_eq!(stale().await, None);
}

#[tokio::test]
async fn a_paused_integration_does_not_sync_until_it_is_resumed() {
    let (_pms, home, daemon) = started().await;
    let output = home.epms(&["pause", "elm"]).await;
    assert_eq!(told(&output).trim(), "elm is paused");
    let output = home.epms(&["sync", "elm"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        told(&output).contains("resume it first"),
        "{}",
        told(&output)
    );
    // Paused is kept over a restart.
    daemon.stop().await;
    let daemon = Daemon::start(&home).await;
    assert_eq!(daemon.integration("elm").await.state.as_str(), "paused");
    let output = home.epms(&["resume", "elm"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(daemon.sync("elm").await.outcome.is_success());
}
