//! Ends of the daemon, expected and not: whatever moment it is, the store is the one before the run or the
//! one after it, and the next run comes to the same people.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use epms::control::client::{ClientError, Which};
use epms::model::{IntegrationId, Outcome, RunId};
use epms::sandbox::{Kind, Sandbox};
use nix::sys::signal::Signal;
use support::{Daemon, Home, eventually, plain, plain_alerts, pms_of_pages, shut};

fn elm() -> [IntegrationId; 1] {
    [IntegrationId::new("elm")]
}

fn home(pms: &Arc<Sandbox>) -> Home {
    let home = Home::new();
    home.feed("elm", pms);
    home
}

/// What became of a run, as the daemon that came after tells it; none when it knows of no such run.
async fn fate(daemon: &Daemon, run: RunId) -> Option<Outcome> {
    match daemon.client.run(run).await {
        Ok(detail) => Some(detail.state.report.unwrap().outcome),
        Err(ClientError::Refused(problem)) if problem.status == 404 => None,
        Err(other) => panic!("{other}"),
    }
}

/// Some life, the same every time for the same `random`.
fn live(pms: &Sandbox, random: &mut fastrand::Rng, times: usize) {
    for _ in 0..times {
        pms.world().live(random);
    }
}

/// Kills the daemon of one home at `points` moments of runs, and compares it after each with a daemon that
/// nobody disturbs.
async fn killed_at_many_points(kind: Kind, points: u32, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let pms = pms_of_pages(kind, seed, 300, 40).await;
    let (quiet_home, home) = (home(&pms), home(&pms));
    let quiet = Daemon::start(&quiet_home).await;
    quiet.settle().await;
    let mut fates: BTreeMap<String, u32> = BTreeMap::new();
    let mut daemon = Daemon::start(&home).await;
    daemon.settle().await;
    for point in 0..points {
        live(&pms, &mut random, 6);
        let begun = Instant::now();
        quiet.sync("elm").await;
        let length = begun.elapsed();
        // Every fourth is killed while it reads; the others anywhere between its start and after its end.
        let gate = (point % 4 == 0).then(|| shut(&pms));
        let reply = daemon.client.sync(Which::These(&elm()), false).await;
        let run = reply.unwrap().runs[0].id;
        if gate.is_some() {
            daemon.begun(run).await;
        } else {
            tokio::time::sleep(length.mul_f64(1.3 * random.f64())).await;
        }
        daemon.kill();
        drop(gate);

        daemon = Daemon::start(&home).await;
        let outcome = fate(&daemon, run).await;
        // Not known: it was killed before the run had begun. One that was made up took its number then.
        let word = outcome.as_ref().map_or("none", Outcome::as_str);
        *fates.entry(word.to_owned()).or_default() += 1;
        if point % 4 == 0 {
            assert_eq!(outcome, Some(Outcome::Interrupted));
        }
        daemon.settle().await;
        let report = daemon.sync("elm").await;
        assert!(report.outcome.is_success(), "{report:?}");
        let people = daemon.people().await;
        let (ours, theirs) = (plain(&people), plain(&quiet.people().await));
        let only_here: Vec<_> = ours.iter().filter(|one| !theirs.contains(one)).collect();
        let only_there: Vec<_> = theirs.iter().filter(|one| !ours.contains(one)).collect();
        assert_eq!(only_here, only_there, "point {point}, {word}");
        assert_eq!(ours.len(), theirs.len(), "point {point}, {word}");
        let alerts = plain_alerts(&daemon.alerts().await);
        assert_eq!(alerts, plain_alerts(&quiet.alerts().await), "point {point}");
        let changes = daemon.changes().await;
        let numbers = changes.iter().map(|change| change.seq);
        assert!(
            numbers.eq(1..=changes.len() as u64),
            "a gap at point {point}"
        );
        assert_eq!(daemon.sync("elm").await.outcome, Outcome::Unchanged);
    }
    assert!(fates["interrupted"] >= points / 4, "{fates:?}");
    assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
}

#[tokio::test]
async fn a_daemon_killed_at_any_point_of_a_run_comes_to_the_same_people_on_json_pages() {
    killed_at_many_points(Kind::AppFolio, 12, 11).await;
}

#[tokio::test]
async fn a_daemon_killed_at_any_point_of_a_run_comes_to_the_same_people_on_soap() {
    killed_at_many_points(Kind::Yardi, 12, 12).await;
}

#[tokio::test]
async fn a_daemon_killed_in_its_very_first_run_begins_anew() {
    let pms = pms_of_pages(Kind::AppFolio, 13, 200, 20).await;
    let (quiet_home, home) = (home(&pms), home(&pms));
    let quiet = Daemon::start(&quiet_home).await;
    quiet.settle().await;
    let expected = plain(&quiet.people().await);
    let mut random = fastrand::Rng::with_seed(13);
    for _ in 0..4 {
        let daemon = Daemon::start(&home).await;
        tokio::time::sleep(Duration::from_millis(random.u64(0..60))).await;
        daemon.kill();
    }
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    daemon.sync("elm").await;
    assert_eq!(plain(&daemon.people().await), expected);
}

#[tokio::test]
async fn an_interrupted_run_says_so_and_wrote_nothing() {
    let pms = pms_of_pages(Kind::AppFolio, 14, 40, 1000).await;
    let home = home(&pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let people = daemon.people().await;
    pms.world()
        .move_in("elm", "Ada", "Half", Some("ada.half@example.com"), None)
        .unwrap();
    let gate = shut(&pms);
    let run = daemon.begin("elm").await;
    daemon.kill();
    drop(gate);
    let daemon = Daemon::start(&home).await;
    assert_eq!(daemon.people().await, people);
    assert_eq!(fate(&daemon, run).await, Some(Outcome::Interrupted));
    let shown = support::told(&home.epms(&["run", &run.to_string()]).await);
    assert!(shown.contains("interrupted"), "{shown}");
    assert_eq!(daemon.sync("elm").await.counts.created, 1);
}

#[tokio::test]
async fn a_stop_during_a_run_lets_it_end_and_tells_who_waits() {
    let pms = pms_of_pages(Kind::AppFolio, 15, 40, 1000).await;
    let home = home(&pms);
    let mut daemon = Daemon::start(&home).await;
    daemon.settle().await;
    pms.world()
        .move_in("elm", "Ada", "Last", Some("ada.last@example.com"), None)
        .unwrap();
    let gate = shut(&pms);
    let waiting = tokio::spawn({
        let client = daemon.client.clone();
        async move { client.sync(Which::These(&elm()), true).await }
    });
    eventually("the run is under way", async || {
        daemon.integration("elm").await.running.is_some()
    })
    .await;
    // One more that waits for its turn: it will not come.
    let queued = daemon.client.sync(Which::These(&elm()), false).await;
    let queued = queued.unwrap().runs[0].id;
    let following = tokio::spawn({
        let client = daemon.client.clone();
        let run = daemon.integration("elm").await.running.unwrap();
        async move { client.follow(run, |_| {}).await }
    });
    daemon.signal(Signal::SIGTERM);
    eventually("it drains", async || {
        daemon.log().contains("waiting for runs under way")
    })
    .await;
    assert!(daemon.runs_still());
    // It answers while it drains, and takes no new work.
    let status = daemon.get("/v1/integrations/elm").await.json();
    assert_eq!(status["state"], "running");
    let refused = daemon.post("/v1/integrations/elm/sync").await.problem();
    assert_eq!(refused.status, 503);
    assert_eq!(home.epms(&["sync", "elm"]).await.status.code(), Some(3));
    assert_eq!(daemon.post("/v1/reload").await.problem().status, 503);
    drop(gate);
    let reply = waiting.await.unwrap().unwrap();
    let report = reply.runs[0].report.as_ref().unwrap();
    assert_eq!(report.counts.created, 1, "{report:?}");
    assert_eq!(following.await.unwrap().unwrap(), *report);
    assert_eq!(daemon.ended().await, Some(0));
    assert!(!home.socket().exists());
    assert!(daemon.log().contains("daemon stopped"));

    let daemon = Daemon::start(&home).await;
    assert!(daemon.person_with("ada.last@example.com").await.is_some());
    assert_eq!(fate(&daemon, queued).await, None);
}

#[tokio::test]
async fn a_stop_that_takes_too_long_drops_the_run_and_ends_all_the_same() {
    let pms = pms_of_pages(Kind::AppFolio, 16, 40, 1000).await;
    let home = home(&pms);
    home.set("grace: 1s");
    let mut daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let people = daemon.people().await;
    let gate = shut(&pms);
    let run = daemon.begin("elm").await;
    daemon.signal(Signal::SIGINT);
    assert_eq!(daemon.ended().await, Some(0));
    assert!(!home.socket().exists());
    drop(gate);
    let daemon = Daemon::start(&home).await;
    assert_eq!(fate(&daemon, run).await, Some(Outcome::Interrupted));
    assert_eq!(daemon.people().await, people);
}
