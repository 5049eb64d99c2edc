//! Ends of the daemon, expected and not: whatever moment it is, the store is the one before the run or the
//! one after it, and the next run comes to the same people.

#![allow(
    clippy::print_stderr,
    reason = "the numbers are shown with --nocapture"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::{Daemon, Home, PATIENCE, eventually, plain, plain_alerts, pms_of_pages, shut};
use epms::control::client::{ClientError, Which};
use epms::control::protocol::ProgressEvent;
use epms::model::{IntegrationId, Outcome, RunId};
use epms::sandbox::{Kind, Sandbox};
use nix::sys::signal::Signal;

fn elm() -> [IntegrationId; 1] {
    [IntegrationId::new("elm")]
}

fn home(pms: &Arc<Sandbox>) -> Home {
    let home = Home::new();
    home.feed("elm", pms);
    // Months of life pass within a day, which is too much for the guard, and no matter here.
    let name = "config/integrations/elm.yaml";
    home.write(name, home.read(name) + "guard: { limit: 10000 }\n");
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

/// How many kills each of the two tests below tries: `EPMS_KILLS=150 cargo test --test daemon killed_at_any_point --
/// --nocapture` tries three hundred, and shows where they hit. Five minutes.
fn kills() -> u32 {
    let asked = std::env::var("EPMS_KILLS").ok();
    asked.map_or(12, |asked| asked.parse().expect("EPMS_KILLS is a number"))
}

/// Where in a run its daemon is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Where {
    /// Its first page is held back.
    Reading,
    /// Anywhere between its start and after its end.
    Anywhere,
    /// After all was read: it plans, writes and commits.
    Committing,
    /// Once its end was told.
    Ended,
}

/// How far a run has come, as its daemon told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Reading,
    Committing,
    Ended,
}

/// Follows a run: what was told last, and when.
fn follow(daemon: &Daemon, run: RunId) -> Arc<Mutex<(Told, Instant)>> {
    let seen = Arc::new(Mutex::new((Told::Reading, Instant::now())));
    let (client, told) = (daemon.client.clone(), Arc::clone(&seen));
    tokio::spawn(async move {
        // It ends with the daemon.
        let _ = client
            .follow(run, |event| {
                let now = match event {
                    ProgressEvent::Ended(_) => Told::Ended,
                    ProgressEvent::Progress(progress) if progress.planning => Told::Committing,
                    _ => return,
                };
                *told.lock().unwrap() = (now, Instant::now());
            })
            .await;
    });
    seen
}

async fn reaches(seen: &Mutex<(Told, Instant)>, stage: Told) {
    let begun = Instant::now();
    while seen.lock().unwrap().0 < stage {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {stage:?}");
        tokio::time::sleep(Duration::from_micros(100)).await;
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
    let mut hits: BTreeMap<(Told, String), u32> = BTreeMap::new();
    let mut daemon = Daemon::start(&home).await;
    daemon.settle().await;
    // How long the last part of a run takes, as long as nobody kills it.
    let mut commit = Duration::from_millis(10);
    for point in 0..points {
        live(&pms, &mut random, 6);
        let begun = Instant::now();
        let run = quiet.client.sync(Which::These(&elm()), false).await;
        let seen = follow(&quiet, run.unwrap().runs[0].id);
        reaches(&seen, Told::Committing).await;
        let planned = Instant::now();
        reaches(&seen, Told::Ended).await;
        commit = (commit * 3 + planned.elapsed()) / 4;
        let length = begun.elapsed();

        let place = match point % 6 {
            0 => Where::Reading,
            1 => Where::Anywhere,
            5 => Where::Ended,
            _ => Where::Committing,
        };
        let gate = (place == Where::Reading).then(|| shut(&pms));
        let reply = daemon.client.sync(Which::These(&elm()), false).await;
        let run = reply.unwrap().runs[0].id;
        let seen = follow(&daemon, run);
        match place {
            Where::Reading => daemon.begun(run).await,
            Where::Anywhere => tokio::time::sleep(length.mul_f64(1.3 * random.f64())).await,
            Where::Committing => {
                reaches(&seen, Told::Committing).await;
                // Half of them close to its end.
                let part = if point % 2 == 0 {
                    1.1 * random.f64()
                } else {
                    0.75 + 0.5 * random.f64()
                };
                spin(commit.mul_f64(part));
            }
            Where::Ended => reaches(&seen, Told::Ended).await,
        }
        daemon.kill();
        let told = seen.lock().unwrap().0;
        drop(gate);

        daemon = Daemon::start(&home).await;
        let outcome = fate(&daemon, run).await;
        // Not known: it was killed before the run had begun. One that was made up took its number then.
        let word = outcome.as_ref().map_or("none", Outcome::as_str);
        *hits.entry((told, word.to_owned())).or_default() += 1;
        match place {
            Where::Reading => assert_eq!(outcome, Some(Outcome::Interrupted)),
            // What was told was in the store before.
            _ if told == Told::Ended => assert!(outcome.as_ref().unwrap().is_success()),
            _ => {}
        }
        daemon.settle().await;
        // Who is not in the feed any more is missing only after some runs, and one of both has had more of them.
        for _ in 0..4 {
            for one in [&daemon, &quiet] {
                let report = one.sync("elm").await;
                assert!(report.outcome.is_success(), "{report:?}");
            }
        }
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
    eprintln!(
        "{points} kills of a daemon that reads {kind}, by how far its run was, and what its store held afterwards:"
    );
    for ((told, word), count) in &hits {
        let told = match told {
            Told::Reading => "before the plan",
            Told::Committing => "in plan and commit",
            Told::Ended => "after the commit",
        };
        eprintln!("  {told:<18}  {word:<11}  {count}");
    }
    let at = |stage: Told| -> u32 {
        let of_stage = hits.iter().filter(|((told, _), _)| *told == stage);
        of_stage.map(|(_, count)| count).sum()
    };
    assert!(at(Told::Reading) >= points / 6, "{hits:?}");
    assert!(at(Told::Committing) >= points / 6, "{hits:?}");
    assert!(at(Told::Ended) >= points / 12, "{hits:?}");
    assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
}

/// Waits for less than a timer can.
fn spin(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::hint::spin_loop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_killed_at_any_point_of_a_run_comes_to_the_same_people_on_json_pages() {
    killed_at_many_points(Kind::AppFolio, kills(), 11).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_killed_at_any_point_of_a_run_comes_to_the_same_people_on_soap() {
    killed_at_many_points(Kind::Yardi, kills(), 12).await;
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
    let shown = crate::support::told(&home.epms(&["run", &run.to_string()]).await);
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
