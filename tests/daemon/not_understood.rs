//! Feeds of which the script can map too little (R41), through the real binary: what ends with 1, what says so, and
//! what cures it.

use std::sync::Arc;

use crate::support::{Daemon, Home, eventually, pms, told};
use epms::model::{AlertKind, AlertState, Fate, Outcome, Person, Run};
use epms::sandbox::{Kind, Sandbox};

const SCRIPT: &str = "scripts/appfolio.rhai";

async fn started() -> (Arc<Sandbox>, Home, Daemon) {
    let pms = pms(Kind::AppFolio, 41, 60).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    (pms, home, daemon)
}

/// The shipped script, with this at its beginning; gives the script as it was.
async fn hook(home: &Home, daemon: &Daemon, does: &str) -> String {
    let before = daemon.generation("elm").await;
    let text = home.read(SCRIPT);
    let begin = "fn residents(record, ctx) {";
    assert!(text.contains(begin), "{text}");
    let hooked = text.replacen(begin, &format!("{begin}\n    {does}"), 1);
    home.write(SCRIPT, hooked);
    daemon.reloaded("elm", before).await;
    text
}

/// What nobody may change who is not understood.
async fn kept(daemon: &Daemon) -> (Vec<Person>, usize, Option<jiff::Timestamp>) {
    let success = daemon.integration("elm").await.last_success;
    (daemon.people().await, daemon.changes().await.len(), success)
}

async fn latest(daemon: &Daemon) -> Run {
    let runs = daemon.get("/v1/runs").await.json();
    serde_json::from_value(runs["items"][0]["report"].clone()).unwrap()
}

async fn open(daemon: &Daemon, kind: AlertKind) -> usize {
    let alerts = daemon.alerts().await;
    let open = |one: &&epms::model::Alert| one.kind == kind && one.state == AlertState::Open;
    alerts.iter().filter(open).count()
}

/// A1: it was `committed`, exit 0, LAST SUCCESS now, `/readyz` ok, and an alert for each record.
#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_the_script_cannot_map_is_a_failure_that_everything_says_and_a_right_script_cures_at_once()
 {
    let (_pms, home, daemon) = started().await;
    let before = kept(&daemon).await;
    // This PMS has a record that is rejected on any day.
    let usual = open(&daemon, AlertKind::RecordsRejected).await;
    // What was renamed in the PMS, or mistyped in the script.
    let right = hook(&home, &daemon, "record.StautsOfTenant;").await;
    eventually("it is not understood", async || {
        daemon.integration("elm").await.not_understood.is_some() || {
            home.epms(&["sync", "elm"]).await;
            false
        }
    })
    .await;

    let output = home.epms(&["sync", "elm"]).await;
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let text = told(&output);
    for says in [
        "not_understood",
        "records could be mapped",
        "StautsOfTenant",
        "epms approve r",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    assert_eq!(kept(&daemon).await, before);
    let run = latest(&daemon).await;
    assert!(
        matches!(run.outcome, Outcome::NotUnderstood { .. }),
        "{run:?}"
    );
    assert_eq!(run.counts.of(Fate::Rejected), run.counts.seen);

    let ready = daemon.get("/readyz").await;
    assert_eq!(ready.status, 200, "the daemon can work");
    let says = format!("elm: not_understood, run {}", run.id);
    assert!(ready.body.contains(&says), "{}", ready.body);
    let status = home.epms(&["status"]).await;
    assert!(told(&status).contains("the last run"), "{}", told(&status));
    assert!(
        told(&status).contains("records could be mapped"),
        "{}",
        told(&status)
    );
    let one = daemon.integration("elm").await;
    assert_eq!((one.not_understood, one.failures), (Some(run.id), 0));
    let page = daemon.get("/metrics").await.body;
    assert!(
        page.contains("epms_not_understood{integration=\"elm\"} 1"),
        "{page}"
    );
    let counted = "epms_runs_total{integration=\"elm\",outcome=\"not_understood\"}";
    assert!(page.contains(counted), "{page}");

    assert_eq!(open(&daemon, AlertKind::RecordsRejected).await, 1);
    assert_eq!(open(&daemon, AlertKind::MappingFailed).await, 0);
    let list = home
        .epms(&["alerts", "list", "--kind", "records_rejected"])
        .await;
    let text = told(&list);
    let count = format!("{} (", run.counts.seen);
    for says in ["scripts/appfolio.rhai:", &count, "StautsOfTenant"] {
        assert!(text.contains(says), "{says}: {text}");
    }
    let decided = home.epms(&["run", &run.id.to_string()]).await;
    assert!(
        told(&decided).contains("more"),
        "told once for all: {}",
        told(&decided)
    );
    let preview = home.epms(&["preview", "elm"]).await;
    assert_eq!(preview.status.code(), Some(1));
    assert!(
        told(&preview).contains("the next run of elm would not be understood"),
        "{}",
        told(&preview)
    );
    // The log names no record's text.
    assert!(
        daemon.log().contains("sync not understood"),
        "{}",
        daemon.log()
    );

    // Nobody asks for a run: the script that is right is tried at once.
    home.write(SCRIPT, right);
    eventually("it succeeds", async || {
        let one = daemon.integration("elm").await;
        one.not_understood.is_none() && one.last_success > before.2
    })
    .await;
    assert_eq!(daemon.get("/readyz").await.body, "ok\n");
    assert_eq!(daemon.people().await, before.0);
    assert_eq!(open(&daemon, AlertKind::RecordsRejected).await, usual);
}

/// E2, and beyond its limit: only linked people count, and somebody may say that it is right so.
#[tokio::test(flavor = "multi_thread")]
async fn records_of_newcomers_stop_nobody_and_those_of_many_linked_people_wait_for_approval() {
    let (pms, home, daemon) = started().await;
    let people = daemon.people().await;
    let usual = open(&daemon, AlertKind::RecordsRejected).await;
    for number in 0..12 {
        let (first, email) = (format!("Form{number}"), format!("form{number}@example.com"));
        pms.world()
            .move_in("elm", &first, "Applicant", Some(&email), None)
            .unwrap();
    }
    hook(
        &home,
        &daemon,
        "if get(record, \"LastName\") == \"Applicant\" { throw \"no such form\"; }",
    )
    .await;
    let report = daemon.sync("elm").await;
    assert!(report.outcome.is_success(), "{report:?}");
    assert_eq!(daemon.people().await, people);
    assert_eq!(open(&daemon, AlertKind::RecordsRejected).await, usual + 1);

    hook(
        &home,
        &daemon,
        "if text(record, \"FirstName\") > \"F\" { throw \"no such form\"; }",
    )
    .await;
    let output = home.epms(&["sync", "elm"]).await;
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let run = latest(&daemon).await;
    let reason = run.outcome.reason().unwrap();
    assert!(
        reason.contains("linked people could not be mapped"),
        "{reason}"
    );
    let digest = run.outcome.digest().unwrap();
    let id = run.id.to_string();
    let wrong = home.epms(&["approve", &id, "--digest", "0000"]).await;
    assert_eq!(wrong.status.code(), Some(1), "{}", told(&wrong));
    let approved = home.epms(&["approve", &id, "--digest", digest]).await;
    assert_eq!(approved.status.code(), Some(0), "{}", told(&approved));
    assert!(latest(&daemon).await.approved_by.is_some());
    // Of two with one email, one may be told from the other no more: somebody may come, but nobody is lost.
    let now = daemon.people().await;
    assert!(people.iter().all(|one| now.contains(one)), "{now:?}");
    assert!(
        daemon.sync("elm").await.outcome.is_success(),
        "nor asked again"
    );
}
