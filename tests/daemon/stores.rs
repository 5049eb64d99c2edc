//! Stores that earlier versions wrote. Each opens, says what that version said, and goes on.

use std::io::Read;
use std::path::Path;

use crate::support::{Daemon, Home, told};
use serde_json::Value;

/// The stores that are kept: their schema, and what was new in what wrote them.
const STORES: [&str; 2] = ["1-first", "1-by-hand"];

pub(crate) fn kept(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/stores");
    let file = std::fs::File::open(folder.join(name)).unwrap();
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(file)
        .read_to_end(&mut bytes)
        .unwrap();
    bytes
}

/// A home whose store is one of those.
fn home_with(store: &str) -> Home {
    let home = Home::new();
    std::fs::create_dir(home.path("state")).unwrap();
    std::fs::write(
        home.path("state/epms.redb"),
        kept(&format!("{store}.redb.gz")),
    )
    .unwrap();
    home
}

async fn json(home: &Home, words: &[&str]) -> Value {
    let output = home.epms(words).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What that version said is in what this one says: keys may have been added.
fn says_still(before: &Value, now: &Value, place: &str) {
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => {
            for (key, value) in before {
                says_still(value, &now[key], &format!("{place}.{key}"));
            }
        }
        (Value::Array(before), Value::Array(now)) => {
            assert_eq!(before.len(), now.len(), "{place}");
            for (at, value) in before.iter().enumerate() {
                says_still(value, &now[at], &format!("{place}[{at}]"));
            }
        }
        _ => assert_eq!(before, now, "{place}"),
    }
}

#[tokio::test]
async fn a_store_of_an_earlier_version_opens_and_says_what_it_said() {
    for store in STORES {
        let home = home_with(store);
        for round in ["opened", "opened again"] {
            let daemon = Daemon::start(&home).await;
            let then: Value = serde_json::from_slice(&kept(&format!("{store}.json.gz"))).unwrap();
            for what in ["people", "alerts"] {
                let now = json(&home, &[what, "list", "--limit", "1000", "--json"]).await;
                assert!(!now["items"].as_array().unwrap().is_empty());
                says_still(
                    &then[what]["items"],
                    &now["items"],
                    &format!("{store} {round}: {what}"),
                );
            }
            if then.get("runs").is_some() {
                let now = json(&home, &["runs", "--limit", "1000", "--json"]).await;
                says_still(
                    &then["runs"]["items"],
                    &now["items"],
                    &format!("{store} {round}: runs"),
                );
            }
            let changes: Vec<Value> = daemon
                .changes()
                .await
                .iter()
                .map(|one| serde_json::to_value(one).unwrap())
                .collect();
            says_still(
                &then["changes"],
                &Value::from(changes),
                &format!("{store} {round}: changes"),
            );
            let verified = home.epms(&["verify"]).await;
            assert_eq!(
                verified.status.code(),
                Some(0),
                "{store} {round}: {}",
                told(&verified)
            );
            assert_eq!(daemon.stop().await, Some(0));
        }
    }
}

#[tokio::test]
async fn a_backup_that_an_earlier_version_took_is_restored() {
    for store in STORES {
        let home = Home::new();
        let file = home.beside().join("backup.redb");
        std::fs::write(&file, kept(&format!("{store}.redb.gz"))).unwrap();
        let restored = home.epms(&["restore", file.to_str().unwrap()]).await;
        assert_eq!(restored.status.code(), Some(0), "{}", told(&restored));
        let daemon = Daemon::start(&home).await;
        assert!(daemon.people().await.len() > 50);
        assert_eq!(
            std::fs::read(&file).unwrap(),
            kept(&format!("{store}.redb.gz")),
            "the backup stays"
        );
    }
}
