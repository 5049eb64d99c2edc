//! What a run makes of a reading that begins again, or that is not complete (R42), through the daemon.

use std::sync::{Arc, Mutex};

use crate::small::home;
use crate::support::Daemon;
use crate::support::small_pms::{Pms, ok};
use serde_json::{Value, json};

const CONNECTOR: &str = r#"
requests:
  residents:
    url: "{{ credential.url }}/{{ property }}"
    query: { page: "{{ page.number }}", size: "{{ page.size }}" }
    format: json
    records: data
    id: id
    page: { number: { size: 3 } }
    total: total
"#;

/// E5: somebody moves in between two pages, at noon.
#[tokio::test]
async fn of_a_property_that_is_read_again_everybody_counts_once() {
    let people: Arc<Mutex<Vec<usize>>> = Arc::new(Mutex::new((0..6).collect()));
    let moves_in = Arc::new(Mutex::new(None));
    let (list, next) = (Arc::clone(&people), Arc::clone(&moves_in));
    let pms = Pms::start(CONNECTOR, move |_, asked| {
        let mut people = list.lock().unwrap();
        let page: usize = asked.to.split_once("page=").unwrap().1[..1]
            .parse()
            .unwrap();
        if page == 1
            && let Some(new) = next.lock().unwrap().take()
        {
            people.insert(0, new);
        }
        let data: Vec<Value> = people
            .chunks(3)
            .nth(page)
            .into_iter()
            .flatten()
            .map(|id| json!({ "id": id.to_string() }))
            .collect();
        ok(json!({ "data": data, "total": people.len() }).to_string())
    })
    .await;
    let home = home(&pms, CONNECTOR, 1);
    *moves_in.lock().unwrap() = Some(6);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let run = daemon.sync("home-0").await;
    assert_eq!(
        (run.outcome.as_str(), run.records),
        ("unchanged", 7),
        "{run:?}"
    );
    // Of those who are known already only the new one is mapped anew, and nobody twice.
    for new in 7..10 {
        *moves_in.lock().unwrap() = Some(new);
        let run = daemon.sync("home-0").await;
        assert_eq!(run.outcome.as_str(), "committed", "{run:?}");
        assert_eq!(
            (run.records, run.counts.created),
            (new as u64 + 1, 1),
            "{run:?}"
        );
        assert_eq!(run.counts.unchanged, new as u64, "{run:?}");
        assert_eq!(daemon.people().await.len(), new + 1);
    }
}

/// They are called by their place, and there may be several that are the same.
#[tokio::test]
async fn records_without_an_id_are_counted_once_wherever_they_stand_in_the_next_run() {
    const ALL_AT_ONCE: &str =
        "requests: { residents: { url: \"{{ credential.url }}/\", format: json, id: id } }\n";
    let feed = Arc::new(Mutex::new(Vec::<Value>::new()));
    let says = Arc::clone(&feed);
    let pms = Pms::start(ALL_AT_ONCE, move |_, _| {
        ok(json!(*says.lock().unwrap()).to_string())
    })
    .await;
    let home = home(&pms, ALL_AT_ONCE, 1);
    let script = home.read("scripts/small.rhai");
    let script = script.replace(
        "{\n    [#{",
        "{\n    if record.kind == \"none\" { return []; }\n    [#{",
    );
    assert!(script.contains("return []"));
    home.write("scripts/small.rhai", script);
    let people = |from: usize, to: usize| -> Vec<Value> {
        (from..to)
            .map(|one| json!({ "id": one.to_string() }))
            .collect()
    };
    let (wrong, nobody) = (json!({ "kind": "?" }), json!({ "kind": "none" }));
    let several = |of: &Value, many: usize| vec![of.clone(); many];
    *feed.lock().unwrap() = [people(0, 12), several(&wrong, 2), several(&nobody, 3)].concat();
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let feeds = [
        [people(0, 12), several(&wrong, 2), several(&nobody, 3)].concat(),
        [
            several(&nobody, 1),
            people(0, 12),
            several(&wrong, 2),
            several(&nobody, 4),
        ]
        .concat(),
        [several(&wrong, 2), people(0, 13), several(&nobody, 2)].concat(),
        [
            people(0, 7),
            several(&wrong, 1),
            several(&nobody, 3),
            people(7, 13),
        ]
        .concat(),
    ];
    for (which, says) in feeds.into_iter().enumerate() {
        let many = says.len() as u64;
        *feed.lock().unwrap() = says;
        for _ in 0..2 {
            let report = daemon.sync("home-0").await;
            assert_eq!(report.counts.seen, many, "{report:?}");
            let shown = daemon.get(&format!("/v1/runs/{}", report.id)).await.json();
            let decisions = shown["decisions"].as_array().unwrap().len() as u64;
            assert_eq!(decisions, many, "{which}: {shown}");
            let verify = home.epms(&["verify"]).await;
            assert!(
                verify.status.success(),
                "{which}: {}",
                crate::support::told(&verify)
            );
        }
    }
}
