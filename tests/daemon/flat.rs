//! The daemon is as large after many rounds of syncs as after a few.

use crate::small;
use crate::support::small_pms::{Pms, ok};
use crate::support::{Daemon, eventually, told};
use serde_json::json;

/// How many kB of a process are in memory.
fn kilobytes(pid: u32) -> u64 {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4
}

/// By how much a line through these rises from one to the next.
#[allow(clippy::cast_precision_loss)]
fn slope(values: &[u64]) -> f64 {
    let many = values.len() as f64;
    let middle = (many - 1.0) / 2.0;
    let mean = values.iter().sum::<u64>() as f64 / many;
    let (mut above, mut below) = (0.0, 0.0);
    for (at, value) in values.iter().enumerate() {
        let away = at as f64 - middle;
        above += away * (*value as f64 - mean);
        below += away * away;
    }
    above / below
}

/// C6. `EPMS_ROUNDS=120 cargo test --release --test daemon rounds_of_syncs -- --nocapture` is two hours of three hundred
/// integrations that sync every minute.
#[tokio::test(flavor = "multi_thread")]
#[allow(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "the figures are what is to be seen"
)]
async fn rounds_of_syncs_leave_the_memory_of_the_daemon_as_it_was() {
    let long = std::env::var("EPMS_ROUNDS").ok();
    let rounds: usize = long.as_deref().map_or(12, |rounds| rounds.parse().unwrap());
    let integrations = if long.is_some() { 300 } else { 20 };
    let residents = |asked: &str| {
        let of = asked.trim_start_matches('/').to_owned();
        let all: Vec<_> = (0..20)
            .map(|one| json!({ "id": format!("{of}-{one}") }))
            .collect();
        ok(json!(all).to_string())
    };
    let connector = "requests: { residents: { url: \"{{ credential.url }}/{{ property }}\", format: json, id: id } }\n";
    let pms = Pms::start(connector, move |_, asked| residents(&asked.to)).await;
    let home = small::home(&pms, connector, integrations);
    // What the cache of the store takes until it is full is no growth.
    home.set("store: { cache: 4MiB }");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let mut memory = Vec::new();
    for _ in 0..rounds {
        let done = home.epms(&["sync", "--all"]).await;
        assert_eq!(done.status.code(), Some(0), "{}", told(&done));
        memory.push(kilobytes(daemon.pid()));
    }
    let after = &memory[rounds / 4..];
    let rises = slope(after);
    println!("{integrations} integrations, kB after each round: {memory:?}; {rises:.1} kB a round");
    // A tenth of what it was: 1.7 kB a run.
    let most = if long.is_some() { 50.0 } else { 400.0 };
    assert!(rises < most, "{rises:.1} kB a round: {memory:?}");
}

/// C6. What it read came in one answer of 20 MB.
#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "the figures are what is to be seen")]
async fn a_sync_of_very_many_gives_most_of_its_memory_back() {
    let residents = |asked: &str| {
        let of = asked.trim_start_matches('/').to_owned();
        let many = if of == "p1" { 20_000 } else { 20 };
        let all: Vec<_> = (0..many)
            .map(|one| json!({ "id": format!("{of}-{one}"), "remark": "m".repeat(1_000) }))
            .collect();
        ok(json!(all).to_string())
    };
    let connector = "requests: { residents: { url: \"{{ credential.url }}/{{ property }}\", format: json, id: id } }\n";
    let pms = Pms::start(connector, move |_, asked| residents(&asked.to)).await;
    let home = small::home(&pms, connector, 1);
    home.set("store: { cache: 4MiB }");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    daemon.sync("home-0").await;
    let before = kilobytes(daemon.pid());
    small::integration(&home, "large", "acme", "p1");
    assert_eq!(daemon.post("/v1/reload").await.status, 200);
    assert_eq!(daemon.sync("large").await.counts.seen, 20_000);
    let after = kilobytes(daemon.pid());
    println!("{before} kB before, {after} kB at its end");
    eventually("most of it is given back", async || {
        daemon.get("/v1/status").await;
        kilobytes(daemon.pid()) < before.midpoint(after)
    })
    .await;
}
