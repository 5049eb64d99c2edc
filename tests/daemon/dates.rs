//! Dates that cannot be read (R12), through the real binary: one costs that date alone, and those of a whole house are no
//! success (R41).

use crate::support::{Daemon, Home, eventually, pms, told};
use epms::model::{Alert, AlertKind, AlertState, Fate, Outcome, Person, Run, Stay};
use epms::sandbox::Kind;

const SCRIPT: &str = "scripts/appfolio.rhai";

async fn bad_dates(daemon: &Daemon) -> Vec<Alert> {
    let open = |one: &Alert| one.kind == AlertKind::BadDates && one.state == AlertState::Open;
    let alerts = daemon.alerts().await.into_iter();
    alerts.filter(open).collect()
}

/// The shipped script, with this before what it does with a record.
async fn hook(home: &Home, daemon: &Daemon, shipped: &str, does: &str) {
    let before = daemon.generation("elm").await;
    let begin = "fn residents(record, ctx) {";
    assert!(shipped.contains(begin), "{shipped}");
    home.write(
        SCRIPT,
        shipped.replacen(begin, &format!("{begin}\n    {does}"), 1),
    );
    daemon.reloaded("elm", before).await;
}

fn stay(person: &Person) -> Stay {
    Stay::clone(person.stays.values().next().unwrap())
}

/// A8: it rejected the resident, who stayed current for ever.
#[tokio::test(flavor = "multi_thread")]
async fn one_date_that_cannot_be_read_costs_that_date_alone_and_explain_tells_of_it() {
    let pms = pms(Kind::AppFolio, 12, 60).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let shipped = home.read(SCRIPT);
    let told_before = bad_dates(&daemon).await;
    let known = told_before.first().map_or(&[][..], |alert| &alert.examples);

    let is_whole = |person: &&Person| {
        let stay = stay(person);
        stay.lease_end.is_some() && stay.unit.is_some() && !stay.is_closed()
    };
    let people = daemon.people().await;
    let one = people.iter().find(is_whole).unwrap();
    let links: serde_json::Value = daemon.get(&format!("/v1/people/{}", one.id)).await.json();
    let id = links["links"][0]["resident"].as_str().unwrap().to_owned();
    assert!(!known.contains(&id));

    let does = format!(
        "if text(record, \"Id\") == \"{id}\" {{ record.LeaseEndDate = \"13/45/2026\"; record.MoveInOn = \"2020-02-02\"; }}"
    );
    hook(&home, &daemon, &shipped, &does).await;
    let report = daemon.sync("elm").await;
    assert!(report.outcome.is_success(), "{report:?}");
    assert_eq!(report.counts.of(Fate::Rejected), 0);
    let after = daemon
        .person_with(one.email.as_deref().unwrap())
        .await
        .unwrap();
    let (was, is) = (stay(one), stay(&after));
    assert_eq!(is.lease_end, was.lease_end, "what is known stays");
    assert_eq!(
        is.move_in,
        Some(jiff::civil::date(2020, 2, 2)),
        "the rest is taken"
    );
    let alerts = bad_dates(&daemon).await;
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0].count, Some(1 + known.len() as u64));
    assert!(
        alerts[0].detail.contains("lease_end"),
        "{}",
        alerts[0].detail
    );

    for live in [&[][..], &["--live"]] {
        let words = [&["explain", "elm", &id][..], live].concat();
        let explained = told(&home.epms(&words).await);
        for says in ["dates that cannot be: lease_end (R12)", "bad_dates"] {
            assert!(explained.contains(says), "{says}: {explained}");
        }
        assert_eq!(
            explained.contains("unreadable"),
            !live.is_empty(),
            "{explained}"
        );
    }

    // As it was, nothing is told any more.
    let before = daemon.generation("elm").await;
    home.write(SCRIPT, &shipped);
    daemon.reloaded("elm", before).await;
    daemon.sync("elm").await;
    let counts = bad_dates(&daemon)
        .await
        .first()
        .and_then(|alert| alert.count);
    assert_eq!(counts, told_before.first().and_then(|alert| alert.count));
    let explained = told(&home.epms(&["explain", "elm", &id]).await);
    assert!(!explained.contains("cannot be"), "{explained}");
}

/// A1: a format that changes in the PMS.
#[tokio::test(flavor = "multi_thread")]
async fn dates_that_the_script_can_read_of_nobody_are_not_understood_and_cost_nobody_one() {
    let pms = pms(Kind::AppFolio, 12, 60).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let (shipped, before) = (home.read(SCRIPT), daemon.people().await);
    let does = "if text(record, \"LeaseEndDate\") != () { record.LeaseEndDate = \"tomorrow\"; }";
    hook(&home, &daemon, &shipped, does).await;
    eventually("it is not understood", async || {
        daemon.integration("elm").await.not_understood.is_some() || {
            home.epms(&["sync", "elm"]).await;
            false
        }
    })
    .await;
    let runs = daemon.get("/v1/runs").await.json();
    let run: Run = serde_json::from_value(runs["items"][0]["report"].clone()).unwrap();
    assert!(
        matches!(run.outcome, Outcome::NotUnderstood { .. }),
        "{run:?}"
    );
    let reason = run.outcome.reason().unwrap();
    assert!(reason.starts_with("the lease_end of "), "{reason}");
    assert_eq!(daemon.people().await, before);
    let alerts = bad_dates(&daemon).await;
    assert!(
        alerts[0].detail.contains("epms approve r"),
        "{}",
        alerts[0].detail
    );

    let approved = home.epms(&["approve", &run.id.to_string()]).await;
    assert_eq!(approved.status.code(), Some(0), "{}", told(&approved));
    let ends = |people: &[Person]| {
        let ends = people.iter().map(|one| (one.id, stay(one).lease_end));
        ends.collect::<Vec<_>>()
    };
    assert_eq!(
        ends(&daemon.people().await),
        ends(&before),
        "what is known stays"
    );
    let alerts = bad_dates(&daemon).await;
    assert!(
        !alerts[0].detail.contains("approve"),
        "{}",
        alerts[0].detail
    );
}
