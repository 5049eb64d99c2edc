//! The page: how long lists of many people take at the daemon and what they weigh, and what those pay who ask and sync while
//! browsers look on live.

use std::net::TcpListener;
use std::time::Instant;

use epms::control::client::Which as Asked;
use epms::model::IntegrationId;
use reqwest::Client;

use crate::support::child::{Task, run};
use crate::support::daemon::{Daemon, epms, pause};
use crate::support::feed;
use crate::support::home::Home;
use crate::support::report::{Report, Table};
use crate::support::sync::{Sync, Synced, Which};

/// People in the lists.
const RESIDENTS: u64 = 100_000;
/// Each list is asked for so often.
const TIMES: usize = 100;
/// Browsers that look on, and programs whose tokens they come with: none has more than its share of places.
const LIVE: usize = 50;
const TOKENS: usize = 5;
/// Answers of `status`, and syncs without a change, that are waited for.
const ANSWERS: usize = 500;
const SYNCS: usize = 21;

/// The lists, by what they are sorted and narrowed by.
const LISTS: [(&str, &str); 7] = [
    ("by name", "/people"),
    ("by id", "/people?sort=id"),
    ("of an integration", "/people?integration=all"),
    ("by status", "/people?status=pending"),
    ("by the beginning of an email", "/people?q=a&in=email"),
    ("by unit", "/people?q=Bldg&in=unit"),
    ("by PMS id", "/people?q=R-00050000&in=resident"),
];

pub(crate) fn measure(report: &mut Report) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.enable_all().build().unwrap();
    runtime.block_on(all(report));
}

pub(crate) fn tables(report: &Report) -> Vec<(&'static str, Table)> {
    vec![
        ("The page, 100,000 residents", lists(report)),
        ("With 50 browsers on live pages", beside(report)),
    ]
}

async fn all(report: &mut Report) {
    let home = Home::new(&feed::spawn(RESIDENTS, None));
    let _: Synced = run(&Task::Sync(Sync {
        home: home.root().to_owned(),
        which: Which::First,
        residents: RESIDENTS,
        one_thread: false,
    }));
    let tokens: Vec<String> = (0..TOKENS).map(|number| token(&home, number)).collect();
    let port = free_port();
    home.write(
        "config/epms.yaml",
        &format!(
            "version: 1\nweb: {{ listen: \"127.0.0.1:{port}\", tokens: secrets/tokens.yaml }}\n"
        ),
    );
    let daemon = Daemon::start(&home).await;
    let id = IntegrationId::new("all");
    super::latencies::settled(&daemon, &id).await;

    let socket = Client::builder().unix_socket(home.path("state/epms.sock"));
    let socket = socket.build().unwrap();
    for (name, path) in LISTS {
        let (mut took, mut heaviest) = (Vec::new(), 0);
        for _ in 0..TIMES {
            let begun = Instant::now();
            let answer = socket.get(format!("http://localhost{path}")).send().await;
            let answer = answer.unwrap().error_for_status().unwrap();
            let body = answer.bytes().await.unwrap();
            took.push(begun.elapsed().as_secs_f64());
            heaviest = heaviest.max(body.len());
            let rows = String::from_utf8_lossy(&body).matches("<tr>").count();
            assert!(rows > 1, "the list {name} has nobody in it");
        }
        took.sort_by(f64::total_cmp);
        report.seconds(&format!("pages/{name}/p50"), super::quantile(&took, 0.5));
        report.seconds(&format!("pages/{name}/p99"), super::quantile(&took, 0.99));
        report.bytes(
            &format!("pages/{name}/weight"),
            f64::from(u32::try_from(heaviest).unwrap()),
        );
    }

    work(report, &daemon, &id, "alone").await;
    let network = Client::new();
    let mut looking = Vec::new();
    for number in 0..LIVE {
        let live = network
            .get(format!("http://127.0.0.1:{port}/live"))
            .bearer_auth(&tokens[number % TOKENS]);
        let mut live = live.send().await.unwrap().error_for_status().unwrap();
        looking.push(tokio::spawn(async move {
            while let Ok(Some(_)) = live.chunk().await {}
        }));
    }
    work(report, &daemon, &id, "looked_at").await;
    assert!(
        looking.iter().all(|one| !one.is_finished()),
        "a page was given up"
    );
    for one in looking {
        one.abort();
    }
}

/// `status`, and syncs in which nothing changed.
async fn work(report: &mut Report, daemon: &Daemon, id: &IntegrationId, when: &str) {
    let mut asked = Vec::new();
    for _ in 0..ANSWERS {
        let begun = Instant::now();
        daemon.client.status().await.unwrap();
        asked.push(begun.elapsed().as_secs_f64());
        pause().await;
    }
    let mut synced = Vec::new();
    for _ in 0..SYNCS {
        let begun = Instant::now();
        let sync = daemon
            .client
            .sync(Asked::These(std::slice::from_ref(id)), true);
        let reply = sync.await.unwrap();
        synced.push(begun.elapsed().as_secs_f64());
        assert!(reply.runs[0].report.as_ref().unwrap().outcome.is_success());
    }
    for (what, mut took) in [("status", asked), ("unchanged", synced)] {
        took.sort_by(f64::total_cmp);
        report.seconds(
            &format!("pages/{when}/{what}_p50"),
            super::quantile(&took, 0.5),
        );
        report.seconds(
            &format!("pages/{when}/{what}_p99"),
            super::quantile(&took, 0.99),
        );
    }
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A token of a program, as it is shown once.
fn token(home: &Home, number: usize) -> String {
    let done = epms(home.root())
        .args(["web", "token", &format!("browsers-{number}"), "--json"])
        .stdout(std::process::Stdio::piped())
        .output()
        .unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    answer["token"].as_str().unwrap().to_owned()
}

fn lists(report: &Report) -> Table {
    let mut table = Table::new(&["people", "p50", "p99", "to reach", "weight", "to reach"]);
    for (name, _) in LISTS {
        let cell = |what: &str| report.cell(&format!("pages/{name}/{what}"));
        if report.get(&format!("pages/{name}/p50")).is_some() {
            table.row([
                name.to_owned(),
                cell("p50"),
                cell("p99"),
                "20 ms".to_owned(),
                cell("weight"),
                "50 kB".to_owned(),
            ]);
        }
    }
    table
}

fn beside(report: &Report) -> Table {
    let mut table = Table::new(&["", "nobody looks", "50 look on"]);
    for (what, name) in [
        ("`status`, p50", "status_p50"),
        ("`status`, p99", "status_p99"),
        ("a sync without a change, p50", "unchanged_p50"),
        ("a sync without a change, p99", "unchanged_p99"),
    ] {
        let cell = |when: &str| report.cell(&format!("pages/{when}/{name}"));
        if report.get(&format!("pages/alone/{name}")).is_some() {
            table.row([what.to_owned(), cell("alone"), cell("looked_at")]);
        }
    }
    table
}
