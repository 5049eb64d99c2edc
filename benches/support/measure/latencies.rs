//! How long the daemon lets those wait who ask it, or who save a file.

use std::sync::mpsc;
use std::time::Instant;

use epms::control::client::Which as Asked;
use epms::model::IntegrationId;

use crate::support::child::{Task, run};
use crate::support::daemon::{Daemon, epms, pause};
use crate::support::feed;
use crate::support::home::Home;
use crate::support::report::{Report, Table};
use crate::support::sync::{Sync, Synced, Which};
use crate::support::usage::median;

use super::grouped;

const TIMES: usize = 20;
const SAVES: usize = 5;
/// Answers of `status` that are waited for at least.
const ANSWERS: usize = 500;
const CHECKED: u64 = 100;

/// Residents, with whom the daemon starts and answers.
const RESIDENTS: u64 = 100_000;
/// Also so many, when everything is asked for.
const MORE: u64 = 1_000_000;

pub(crate) fn measure(report: &mut Report, all: bool) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.enable_all().build().unwrap();
    check(report);
    runtime.block_on(small(report));
    runtime.block_on(large(report, RESIDENTS));
    if all {
        runtime.block_on(large(report, MORE));
    }
}

pub(crate) fn tables(report: &Report) -> Vec<(&'static str, Table)> {
    vec![("Latencies", table(report))]
}

/// `epms check` of many integrations, as a process from start to end.
fn check(report: &mut Report) {
    let home = Home::new("http://127.0.0.1:9").without_all();
    for number in 0..CHECKED {
        home.building(number);
    }
    let once = || {
        let begun = Instant::now();
        let done = epms(home.root()).arg("check").status().unwrap();
        assert!(done.success(), "the files of the benchmark are not right");
        begun.elapsed().as_secs_f64()
    };
    report.seconds(
        "latencies/check_100",
        median((0..TIMES).map(|_| once()).collect()),
    );
}

/// A daemon with one small building: requests and saved files.
async fn small(report: &mut Report) {
    let (asked, heard) = mpsc::channel();
    let home = Home::new(&feed::spawn(0, Some(asked))).without_all();
    home.building(0);
    let daemon = Daemon::start(&home).await;
    let id = IntegrationId::new("b0");
    settled(&daemon, &id).await;
    report.bytes("latencies/idle_memory_500", daemon.memory());

    let (mut to_start, mut to_pms) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        heard.try_iter().for_each(drop);
        let (when, begun) = (jiff::Timestamp::now(), Instant::now());
        let reply = daemon
            .client
            .sync(Asked::These(std::slice::from_ref(&id)), true);
        let reply = reply.await.unwrap();
        let run = reply.runs[0].report.as_ref().unwrap();
        assert!(run.outcome.is_success(), "{run:?}");
        to_start.push(run.started.duration_since(when).as_secs_f64());
        to_pms.push(heard.recv().unwrap().duration_since(begun).as_secs_f64());
    }
    report.seconds("latencies/request_to_run", median(to_start));
    report.seconds("latencies/request_to_pms", median(to_pms));

    let script = home.path("scripts/loopback.rhai");
    let text = std::fs::read_to_string(&script).unwrap();
    let mut saves = Vec::new();
    for number in 0..SAVES {
        let before = daemon.client.integration(&id).await.unwrap().generation;
        let begun = Instant::now();
        // As an editor saves: a new file in the place of the old one.
        let swap = home.path("scripts/loopback.swp");
        std::fs::write(&swap, format!("{text}// {number}\n")).unwrap();
        std::fs::rename(&swap, &script).unwrap();
        while daemon.client.integration(&id).await.unwrap().generation == before {
            pause().await;
        }
        saves.push(begun.elapsed().as_secs_f64());
    }
    report.seconds("latencies/save_to_effect", median(saves));
}

/// A daemon with many people: its start, its memory, and `status` while it syncs.
async fn large(report: &mut Report, residents: u64) {
    let home = Home::new(&feed::spawn(residents, None));
    let _: Synced = run(&Task::Sync(Sync {
        home: home.root().to_owned(),
        which: Which::First,
        residents,
        one_thread: false,
    }));
    let name = |what: &str| format!("latencies/{what}_{residents}");
    let daemon = Daemon::start(&home).await;
    report.seconds(&name("start"), daemon.ready);
    let id = IntegrationId::new("all");
    settled(&daemon, &id).await;
    report.bytes(&name("idle_memory"), daemon.memory());

    let (mut idle, mut syncing) = (Vec::new(), Vec::new());
    for _ in 0..ANSWERS {
        idle.push(answer(&daemon).await);
    }
    while syncing.len() < ANSWERS {
        let (client, ids) = (daemon.client.clone(), [id.clone()]);
        let sync = tokio::spawn(async move { client.sync(Asked::These(&ids), true).await });
        while !sync.is_finished() {
            syncing.push(answer(&daemon).await);
        }
        let reply = sync.await.unwrap().unwrap();
        let run = reply.runs[0].report.as_ref().unwrap();
        assert!(run.outcome.is_success(), "{run:?}");
    }
    for (when, mut took) in [("idle", idle), ("status", syncing)] {
        took.sort_by(f64::total_cmp);
        let of = |share: f64| super::quantile(&took, share);
        report.seconds(&name(&format!("{when}_p50")), of(0.5));
        report.seconds(&name(&format!("{when}_p99")), of(0.99));
    }
    report.bytes(&name("memory_after"), daemon.memory());
}

/// Seconds until `status` was answered; the next is asked a little later.
async fn answer(daemon: &Daemon) -> f64 {
    let begun = Instant::now();
    daemon.client.status().await.unwrap();
    let took = begun.elapsed().as_secs_f64();
    pause().await;
    took
}

/// Waits until a run has succeeded and none is under way.
pub(super) async fn settled(daemon: &Daemon, id: &IntegrationId) {
    loop {
        let one = daemon.client.integration(id).await.unwrap();
        if one.last_success.is_some()
            && one.state == epms::control::protocol::IntegrationState::Idle
        {
            return;
        }
        pause().await;
    }
}

fn table(report: &Report) -> Table {
    let mut table = Table::new(&["", "measured", "to reach"]);
    let mut row = |what: &str, name: &str, goal: &str| {
        let name = format!("latencies/{name}");
        if report.get(&name).is_some() {
            table.row([what.to_owned(), report.cell(&name), goal.to_owned()]);
        }
    };
    row("a request starts its run", "request_to_run", "5 ms");
    row("a request reaches the PMS", "request_to_pms", "");
    row("a saved file is in effect", "save_to_effect", "1 s");
    row("`check` of 100 integrations", "check_100", "200 ms");
    row("idle memory, 500 residents", "idle_memory_500", "25 MB");
    for many in [RESIDENTS, MORE] {
        for (what, name, goal) in [
            ("ready, with N residents", "start", "1 s"),
            ("idle memory, N residents", "idle_memory", "25 MB"),
            ("`status` with N residents, idle, p50", "idle_p50", ""),
            ("`status` with N residents, idle, p99", "idle_p99", ""),
            ("`status` while N are synced, p50", "status_p50", ""),
            ("`status` while N are synced, p99", "status_p99", "5 ms"),
            ("memory after a sync of N", "memory_after", ""),
        ] {
            let what = what.replace('N', &grouped(many));
            row(&what, &format!("{name}_{many}"), goal);
        }
    }
    table
}
