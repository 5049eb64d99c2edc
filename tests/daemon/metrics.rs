//! What the daemon tells those who watch it: OpenMetrics that agree with what its commands say, and whether it
//! can work.

#![allow(
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "counts in tests are small, and what is told is compared as it is"
)]

use std::collections::BTreeMap;

use crate::support::{Daemon, Doors, Exposition, Home, eventually, found, pms, shut};
use epms::control::client::Cut;
use epms::model::{Fate, Outcome, TargetId};
use epms::sandbox::{Fault, FaultKind, Kind};
use nix::sys::signal::Signal;

async fn scrape(daemon: &Daemon) -> Exposition {
    let answer = daemon.get("/metrics").await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!((answer.status, &*answer.kind), (200, kind), "{answer:?}");
    Exposition::read(&answer.body).unwrap_or_else(|error| panic!("{error}\n{}", answer.body))
}

#[tokio::test]
async fn the_counters_are_what_the_list_of_runs_adds_up_to() {
    let (elm, oak) = (
        pms(Kind::AppFolio, 1, 40).await,
        pms(Kind::Yardi, 2, 30).await,
    );
    let home = Home::new();
    home.feed("elm", &elm);
    home.feed("oak", &oak);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    daemon.sync("elm").await;
    elm.fault(Fault::new(FaultKind::Truncated));
    assert!(!daemon.sync("elm").await.outcome.is_success());
    elm.clear_faults();
    oak.world()
        .move_in("elm", "Ada", "Still", Some("ada.still@example.com"), None)
        .unwrap();
    daemon.sync("oak").await;

    let metrics = scrape(&daemon).await;
    let runs = daemon.client.runs(None, &Cut::default()).await.unwrap();
    let reports: Vec<_> = runs
        .items
        .into_iter()
        .map(|run| run.report.unwrap())
        .collect();
    assert_eq!(reports.len(), 5);
    for id in ["elm", "oak"] {
        let ours = || reports.iter().filter(|run| run.integration.as_str() == id);
        for outcome in [
            "committed",
            "unchanged",
            "incomplete",
            "held",
            "not_understood",
            "failed",
        ] {
            let labels = [("integration", id), ("outcome", outcome)];
            let ended = ours().filter(|run| run.outcome.as_str() == outcome).count();
            assert_eq!(
                metrics.value("epms_runs_total", &labels),
                Some(ended as f64)
            );
        }
        for fate in Fate::ALL {
            let labels = [("integration", id), ("fate", fate.as_str())];
            let became: u64 = ours().map(|run| run.counts.of(fate)).sum();
            assert_eq!(
                metrics.value("epms_records_total", &labels),
                Some(became as f64)
            );
        }
        let of = [("integration", id)];
        let changes: u64 = ours().map(|run| run.changes).sum();
        assert_eq!(
            metrics.value("epms_changes_total", &of),
            Some(changes as f64)
        );
        let took = metrics.value("epms_run_duration_seconds_count", &of);
        assert_eq!(took, Some(ours().count() as f64));
        let seconds: f64 = ours()
            .map(|run| run.ended.unwrap().duration_since(run.started).as_secs_f64())
            .sum();
        let told = metrics.value("epms_run_duration_seconds_sum", &of).unwrap();
        assert!((told - seconds).abs() < 1e-6, "{told} {seconds}");

        let status = daemon.integration(id).await;
        let success = status.last_success.unwrap().as_second() as f64;
        assert_eq!(
            metrics.value("epms_last_success_timestamp_seconds", &of),
            Some(success)
        );
        assert_eq!(
            metrics.value("epms_generation", &of),
            status.generation.map(|generation| generation as f64)
        );
        assert_eq!(
            metrics.value("epms_linked_residents", &of),
            Some(status.linked as f64)
        );
        assert_eq!(metrics.value("epms_scheduled", &of), Some(1.0));
        assert_eq!(
            metrics.value("epms_schedule_interval_seconds", &of),
            Some(3600.0)
        );
    }
    let failed = reports.iter().filter(|run| !run.outcome.is_success());
    let counted = metrics
        .samples
        .iter()
        .filter(|one| one.name == "epms_runs_total")
        .filter(|one| !["committed", "unchanged"].contains(&&*one.labels["outcome"]))
        .map(|one| one.value)
        .sum::<f64>();
    assert_eq!((failed.count(), counted), (1, 1.0));
    assert!(reports.iter().any(|run| run.outcome == Outcome::Committed));

    let mut open: BTreeMap<(String, &str), f64> = BTreeMap::new();
    for alert in daemon.alerts().await {
        let key = (alert.integration.to_string(), alert.kind.as_str());
        *open.entry(key).or_default() += 1.0;
    }
    assert!(open.len() > 3, "{open:?}");
    for one in metrics
        .samples
        .iter()
        .filter(|one| one.name == "epms_open_alerts")
    {
        let key = (one.labels["integration"].clone(), &*one.labels["kind"]);
        assert_eq!(open.remove(&key).unwrap_or_default(), one.value, "{one:?}");
    }
    assert!(open.is_empty(), "{open:?}");

    let people = daemon.people().await;
    assert_eq!(metrics.value("epms_people", &[]), Some(people.len() as f64));
    let file = std::fs::metadata(home.path("state/epms.redb"))
        .unwrap()
        .len();
    assert_eq!(
        metrics.value("epms_store_size_bytes", &[]),
        Some(file as f64)
    );
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    assert_eq!(metrics.value("epms_build_info", &version), Some(1.0));
}

#[tokio::test]
async fn nobody_s_name_or_address_is_in_the_metrics() {
    let pms = pms(Kind::Entrata, 3, 40).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let text = daemon.get("/metrics").await.body;
    let people = daemon.people().await;
    assert!(people.len() > 10);
    for person in people {
        let stays = person.stays.values();
        let units = stays.filter_map(|stay| stay.unit.as_ref().map(|unit| unit.label.clone()));
        let told = [person.email, person.phone].into_iter().flatten();
        for value in told.chain(units).chain([person.last_name]) {
            let quoted = text.contains(&format!("\"{value}\""));
            let long = value.len() > 6 && text.contains(&value);
            assert!(!quoted && !long, "{value}");
        }
    }
}

#[tokio::test]
async fn refused_files_are_told_until_they_are_right_again() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let of = [("integration", "elm")];
    let before = scrape(&daemon).await;
    assert_eq!(before.value("epms_last_reload_successful", &[]), Some(1.0));
    assert_eq!(before.value("epms_integration_problems", &of), Some(0.0));
    let name = "epms_last_reload_success_timestamp_seconds";
    let loaded = before.value(name, &[]).unwrap();
    assert!(loaded >= before.value("epms_start_timestamp_seconds", &[]).unwrap());

    let good = home.edit(
        "config/integrations/elm.yaml",
        "enabled: true",
        "enabled: perhaps",
    );
    let broken = found("the refusal is told", async || {
        let now = scrape(&daemon).await;
        (now.value("epms_integration_problems", &of) > Some(0.0)).then_some(now)
    })
    .await;
    assert_eq!(broken.value("epms_last_reload_successful", &[]), Some(0.0));
    assert_eq!(broken.value(name, &[]), Some(loaded));
    assert_eq!(broken.value("epms_generation", &of), Some(1.0));
    let reloads =
        |page: &Exposition, outcome| page.value("epms_reloads_total", &[("outcome", outcome)]);
    assert!(reloads(&broken, "failed") >= Some(1.0));
    assert_eq!(reloads(&broken, "succeeded"), Some(0.0));
    let rejected = [("integration", "elm"), ("outcome", "rejected")];
    assert!(broken.value("epms_integration_reloads_total", &rejected) >= Some(1.0));

    home.write(
        "config/integrations/elm.yaml",
        good.replace("enabled: true", "enabled: false"),
    );
    let healed = found("the repair is told", async || {
        let now = scrape(&daemon).await;
        (now.value("epms_last_reload_successful", &[]) == Some(1.0)).then_some(now)
    })
    .await;
    assert_eq!(healed.value("epms_integration_problems", &of), Some(0.0));
    assert_eq!(healed.value("epms_generation", &of), Some(2.0));
    assert_eq!(reloads(&healed, "succeeded"), Some(1.0));
    let loaded = [("integration", "elm"), ("outcome", "loaded")];
    assert_eq!(
        healed.value("epms_integration_reloads_total", &loaded),
        Some(1.0)
    );
    assert_eq!(
        healed.value("epms_scheduled", &of),
        Some(0.0),
        "switched off"
    );
}

#[tokio::test]
async fn an_integration_has_its_series_as_long_as_it_has_a_file() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let series = async |id: &str| {
        let page = scrape(&daemon).await;
        let ours = page.samples.iter();
        ours.filter(|one| one.labels.get("integration").is_some_and(|of| of == id))
            .count()
    };
    let many = series("elm").await;
    assert!(many > 40, "{many}");
    home.feed("oak", &pms);
    eventually("a new one has as many", async || {
        // Before its first success there is no time of it.
        series("oak").await >= many - 1
    })
    .await;
    home.remove("config/integrations/elm.yaml");
    eventually("the one that went has none", async || {
        series("elm").await == 0
    })
    .await;
    let page = scrape(&daemon).await;
    assert_eq!(page.value("epms_last_reload_successful", &[]), Some(1.0));
}

#[tokio::test]
async fn what_is_told_of_targets_is_what_their_status_says() {
    let (home, doors) = (Home::new(), Doors::start().await);
    doors.files(&home, "start_delay: 0s\n");
    doors.lives(1, "1A", "current");
    doors.lives(2, "2B", "current");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let of = [("target", "doors")];
    let waits = found("four doors wait for an approval", async || {
        let page = scrape(&daemon).await;
        (page.value("epms_deliveries_waiting", &of) == Some(4.0)).then_some(page)
    })
    .await;
    let late = "epms_delivery_oldest_wanted_timestamp_seconds";
    assert_eq!(waits.value(late, &of), None, "nobody may send what waits");
    let in_state = |page: &Exposition, state| {
        page.value("epms_deliveries", &[("target", "doors"), ("state", state)])
    };
    assert_eq!(in_state(&waits, "wanted"), Some(4.0));

    let preview = home
        .epms(&["deliveries", "preview", "doors", "--json"])
        .await;
    let plan: serde_json::Value = serde_json::from_slice(&preview.stdout).unwrap();
    let digest = plan["digest"].as_str().unwrap();
    let approved = home
        .epms(&["deliveries", "approve", "doors", "--digest", digest])
        .await;
    assert!(approved.status.success(), "{approved:?}");
    let open = found("all four are open", async || {
        let page = scrape(&daemon).await;
        (in_state(&page, "confirmed") == Some(4.0)).then_some(page)
    })
    .await;
    assert_eq!(open.value("epms_target_up", &of), Some(1.0));
    let status = daemon.client.target(&TargetId::new("doors")).await.unwrap();
    let grants = status.grants;
    for (state, count) in [
        ("wanted", grants.wanted),
        ("sent", grants.sent),
        ("confirmed", grants.confirmed),
        ("unknown", grants.unknown),
        ("parked", grants.parked),
        ("visit", grants.visit),
    ] {
        assert_eq!(in_state(&open, state), Some(count as f64), "{state}");
    }
    assert_eq!(open.value("epms_deliveries_waiting", &of), Some(0.0));
    let missed = open.value("epms_delivery_late_seconds", &of);
    assert_eq!(missed, Some(status.late as f64));

    home.edit(
        "config/targets/doors.yaml",
        "credential: doors",
        "credential: doors\nenabled: false",
    );
    let off = found("it is switched off", async || {
        let page = scrape(&daemon).await;
        page.value("epms_target_up", &of).is_none().then_some(page)
    })
    .await;
    assert_eq!(
        in_state(&off, "confirmed"),
        Some(4.0),
        "what was granted stays"
    );
    home.remove("config/targets/doors.yaml");
    eventually("one that has no file has no series", async || {
        let page = scrape(&daemon).await;
        let mut labels = page.samples.iter().map(|one| &one.labels);
        labels.all(|labels| !labels.contains_key("target"))
    })
    .await;
}

#[tokio::test]
async fn a_daemon_that_stops_lives_and_is_not_ready() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let mut daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let answer = daemon.get("/readyz").await;
    assert_eq!((answer.status, &*answer.body), (200, "ok\n"));

    let gate = shut(&pms);
    daemon.begin("elm").await;
    daemon.signal(Signal::SIGTERM);
    let problem = found("it is not ready", async || {
        let answer = daemon.get("/readyz").await;
        (answer.status != 200).then(|| answer.problem())
    })
    .await;
    assert_eq!(
        (problem.status, &*problem.kind),
        (503, "urn:epms:not-ready")
    );
    assert_eq!(problem.detail, "the daemon is stopping");
    assert_eq!(daemon.get("/healthz").await.status, 200);
    drop(gate);
    assert_eq!(daemon.ended().await, Some(0));
}

#[test]
fn the_reader_refuses_what_the_specification_forbids() {
    let good = "# HELP a_seconds So long.\n# TYPE a_seconds gauge\n# UNIT a_seconds seconds\na_seconds{b=\"c\\\"\"} 1.5\n# EOF\n";
    let page = Exposition::read(good).unwrap();
    assert_eq!(page.value("a_seconds", &[("b", "c\"")]), Some(1.5));
    for (from, to) in [
        ("# EOF\n", ""),
        ("# EOF\n", "# EOF"),
        ("# EOF\n", "# EOF\n\n"),
        ("# UNIT a_seconds seconds", "# UNIT a_seconds bytes"),
        ("gauge", "counter"),
        ("gauge", "histogram"),
        ("{b=\"c\\\"\"}", "{b=\"c\"\"}"),
        ("{b=\"c\\\"\"}", "{b=\"c\",b=\"d\"}"),
        ("{b=\"c\\\"\"}", "{b=\"c\\x\"}"),
        ("1.5\n", "1.5\na_seconds{b=\"c\\\"\"} 2\n"),
        ("1.5\n", "1.5\n# HELP a_seconds Again.\n"),
        ("1.5\n", "1.5\nb 2\n"),
        ("1.5\n", "one\n"),
        ("1.5\n", "1.5 \n"),
        ("# TYPE", "\n# TYPE"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert!(Exposition::read(&bad).is_err(), "{bad}");
    }
}
