//! A PMS that makes a credential wait, and everybody else who does not wait for it (R43), through the daemon.

use crate::small::{home, integration};
use crate::support::small_pms::{Pms, Reply, ok};
use nix::sys::signal::Signal;

use crate::support::{Daemon, Home, eventually, told};

const CONNECTOR: &str = r#"
requests:
  residents: { url: "{{ credential.url }}/{{ property }}", format: json, id: id }
"#;

/// A PMS that lets nobody in for so many seconds.
async fn busy(seconds: &'static str) -> Pms {
    Pms::start(CONNECTOR, move |_, _| {
        let wait = ("retry-after", seconds.to_owned());
        Reply(429, vec![wait], b"{}".to_vec())
    })
    .await
}

/// A credential for another PMS of the same connector, and an integration of that name.
fn beside(home: &Home, name: &str, pms: &Pms) {
    home.write(
        &format!("config/credentials/{name}.yaml"),
        format!(
            "version: 1\nconnector: small\nfields: {{ url: \"{}\", user: ana, secret: {{ file: secrets/small }} }}\n",
            pms.url
        ),
    );
    integration(home, name, name, "p");
    let connector = home.read("config/connectors/small.yaml");
    let connector = connector.replace("retry: { attempts: 1 }", "retry: { attempts: 4 }");
    home.write("config/connectors/small.yaml", connector);
}

/// B1: four integrations of a throttled account had both workers, and another account's waited for 600 s.
#[tokio::test]
async fn whoever_waits_for_a_pms_holds_no_worker_and_the_others_go_on() {
    let (x, y) = (
        busy("100").await,
        Pms::start(CONNECTOR, |_, _| ok("[{\"id\":\"p\"}]")).await,
    );
    let home = home(&x, CONNECTOR, 4);
    beside(&home, "y", &y);
    home.set("workers: 2");
    let mut daemon = Daemon::start(&home).await;
    let waiting = async || {
        let status = daemon.client.status().await.unwrap();
        let mut of_x = status
            .integrations
            .into_iter()
            .filter(|one| one.id.as_str() != "y");
        of_x.all(|one| {
            let why = one.waits_for.unwrap_or_default();
            why.contains("until the credential `acme` may ask again")
        })
    };
    eventually("all four wait for their credential", waiting).await;
    let shown = told(&home.epms(&["status"]).await);
    assert!(
        shown.contains("home-3: until the credential `acme`"),
        "{shown}"
    );
    // Both workers are free, as often as they are asked for.
    for _ in 0..3 {
        let run = daemon.sync("y").await;
        assert!(run.outcome.is_success(), "{run:?}");
    }
    assert!(waiting().await, "nobody of them was let in meanwhile");
    assert!(x.asked().len() <= 2, "{:?}", x.paths());
    // Nor is anybody who waits waited for at the end: that would take all of the grace time.
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.ended().await, Some(0));
    let log = daemon.log();
    assert!(!log.contains("grace time is over"), "{log}");
}

#[tokio::test]
async fn who_would_wait_beyond_the_next_run_is_postponed_and_that_is_no_failure() {
    let (z, y) = (
        busy("7200").await,
        Pms::start(CONNECTOR, |_, _| ok("[{\"id\":\"p\"}]")).await,
    );
    let home = home(&y, CONNECTOR, 0);
    beside(&home, "z", &z);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let text = told(&home.epms(&["runs", "--integration", "z"]).await);
    for says in [
        "postponed",
        "the credential `z` may ask for nothing for",
        "beyond the next run",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    let status = daemon.integration("z").await;
    assert_eq!(
        (status.failures, status.last_success),
        (0, None),
        "{status:?}"
    );
    assert!(daemon.alerts().await.is_empty());
    assert_eq!(z.asked().len(), 1, "it was told when");
    let counted = "epms_runs_total{integration=\"z\",outcome=\"postponed\"}";
    let page = daemon.get("/metrics").await.body;
    assert!(page.contains(counted), "{page}");
}

#[tokio::test]
async fn whoever_syncs_all_is_told_who_waits_and_for_whom() {
    let x = Pms::start(CONNECTOR, |before, _| {
        if before == 0 {
            let wait = ("retry-after", "8".to_owned());
            return Reply(429, vec![wait], b"{}".to_vec());
        }
        ok("[{\"id\":\"p\"}]")
    })
    .await;
    let y = Pms::start(CONNECTOR, |_, _| ok("[{\"id\":\"p\"}]")).await;
    let home = home(&x, CONNECTOR, 2);
    beside(&home, "y", &y);
    let daemon = Daemon::start(&home).await;
    let output = home.epms(&["sync", "--all"]).await;
    let (table, beside) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert_eq!(output.status.code(), Some(0), "{table}{beside}");
    for id in ["home-0", "home-1", "y"] {
        assert_eq!(table.matches(&format!(" {id} ")).count(), 1, "{table}");
    }
    let waits: Vec<&str> = beside.lines().collect();
    for id in ["home-0", "home-1"] {
        let told = format!("{id} waits until the credential `acme` may ask again");
        let told = waits.iter().filter(|line| line.starts_with(&told));
        assert_eq!(told.count(), 1, "{beside}");
    }
    assert_eq!(waits.len(), 2, "{beside}");
    assert_eq!(daemon.stop().await, Some(0));
}

/// An old contract: so many requests a day, for everything that hangs on it.
#[tokio::test]
async fn r43_what_a_day_allows_is_dealt_out_counted_over_restarts_and_told() {
    let pms = Pms::start(CONNECTOR, |_, _| ok("[{\"id\":\"p\"}]")).await;
    let home = home(&pms, CONNECTOR, 3);
    let credential = home.read("config/credentials/acme.yaml");
    home.write(
        "config/credentials/acme.yaml",
        credential + "limits: { per_day: 10 }\n",
    );
    let checked = home.epms(&["check"]).await;
    assert_eq!(checked.status.code(), Some(0), "{}", told(&checked));
    let text = told(&checked);
    for says in [
        "config/credentials/acme.yaml:",
        "3 integrations of this credential ask 72 times a day at least, and `per_day` is 10",
        "1 warning",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }

    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    assert_eq!(pms.asked().len(), 3);
    // A tenth is kept: nine a day for three are a run every eight hours.
    let apart = async |daemon: &Daemon, id: &str| {
        let status = daemon.integration(id).await;
        let (next, started) = (status.next.unwrap(), status.last_started.unwrap());
        (next.duration_since(started).as_secs() + 30) / 60
    };
    for id in ["home-0", "home-1", "home-2"] {
        assert_eq!(apart(&daemon, id).await, 8 * 60, "{id}");
    }
    let shown = told(&home.epms(&["status"]).await);
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        shown.contains("home-0: the budget of the credential"),
        "{shown}"
    );
    assert!(shown.contains("lasts for a run every 480 min"), "{shown}");
    for _ in 0..7 {
        let run = daemon.sync("home-1").await;
        assert!(run.outcome.is_success(), "{run:?}");
        assert_eq!(run.requests, 1);
    }
    assert_eq!(pms.asked().len(), 10);
    let beyond = async |daemon: &Daemon| {
        let run = daemon.sync("home-2").await;
        assert_eq!(run.outcome.as_str(), "postponed", "{run:?}");
        let reason = run.outcome.reason().unwrap().to_owned();
        assert!(
            reason.contains("its 10 requests a day are used up"),
            "{reason}"
        );
    };
    beyond(&daemon).await;
    assert_eq!(daemon.stop().await, Some(0));
    let daemon = Daemon::start(&home).await;
    beyond(&daemon).await;
    assert_eq!(apart(&daemon, "home-0").await, 8 * 60);
    assert_eq!(pms.asked().len(), 10);
}

/// Of what lasts, one user may wait for 128 at once.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_syncs_more_than_may_be_waited_for_hears_of_each_also_beside_others() {
    const MANY: usize = 150;
    let pms = Pms::start(CONNECTOR, |_, _| ok("[{\"id\":\"p\"}]")).await;
    let home = home(&pms, CONNECTOR, MANY);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let all = ["sync", "--all", "--json"];
    let (one, two, three) = tokio::join!(home.epms(&all), home.epms(&all), home.epms(&all));
    for done in [one, two, three] {
        assert_eq!(done.status.code(), Some(0), "{}", told(&done));
        let reply: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
        let runs = reply["runs"].as_array().unwrap();
        assert_eq!(runs.len(), MANY);
        let ended = runs.iter().filter(|run| run["report"]["ended"].is_string());
        assert_eq!(ended.count(), MANY);
    }
}
