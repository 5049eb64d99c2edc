//! The care of the store through the real program: copies while the daemon runs, copies in its place, what does
//! not fit, room given back, and what is forgotten.

use std::os::unix::fs::PermissionsExt;

use crate::support::{Daemon, Home, plain, plain_alerts, pms, said, shut};
use epms::model::Soundness;
use epms::sandbox::Kind;
use epms::store::Store;
use redb::ReadableDatabase;

#[tokio::test]
async fn a_backup_is_taken_while_the_daemon_runs_and_brings_everything_back() {
    let pms = pms(Kind::AppFolio, 71, 60).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let (people, alerts) = (daemon.people().await, daemon.alerts().await);
    let changes = daemon.changes().await;

    // A run is under way: it does not wait, and is not waited for.
    let gate = shut(&pms);
    daemon.begin("elm").await;
    let file = home.beside().join("backup.redb");
    let path = file.to_str().unwrap();
    let text = said(&home.epms(&["backup", path]).await, 0);
    assert!(text.contains(&format!("{} people", people.len())), "{text}");
    assert!(text.contains("verified"), "{text}");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "who can read it can read everything");
    let again = said(&home.epms(&["backup", path]).await, 1);
    assert!(
        again.contains("is there already, and is not overwritten"),
        "{again}"
    );
    drop(gate);

    // Life goes on, and is undone by going back.
    pms.world()
        .move_in("elm", "Ada", "After", Some("ada.after@example.com"), None)
        .unwrap();
    daemon.settle().await;
    daemon.sync("elm").await;
    assert!(daemon.person_with("ada.after@example.com").await.is_some());
    let refused = said(&home.epms(&["restore", path]).await, 3);
    assert!(
        refused.contains("a daemon runs on") && refused.contains("stop it first"),
        "{refused}"
    );
    assert!(daemon.person_with("ada.after@example.com").await.is_some());
    assert_eq!(daemon.stop().await, Some(0));

    let text = said(&home.epms(&["restore", path]).await, 0);
    assert!(text.contains("the store before is kept as"), "{text}");
    // It is synced at once, and what is read comes in then.
    let gate = shut(&pms);
    let daemon = Daemon::start(&home).await;
    assert_eq!(daemon.people().await, people);
    assert_eq!(plain_alerts(&daemon.alerts().await), plain_alerts(&alerts));
    assert_eq!(daemon.changes().await[..changes.len()], changes);
    drop(gate);
    daemon.settle().await;
    assert!(daemon.person_with("ada.after@example.com").await.is_some());
    assert_eq!(said(&home.epms(&["verify"]).await, 0).lines().count(), 2);
}

#[tokio::test]
async fn without_a_daemon_the_store_itself_is_copied_verified_and_compacted() {
    let pms = pms(Kind::AppFolio, 72, 60).await;
    let home = Home::new();
    home.feed("elm", &pms);
    for verb in [&["verify"][..], &["compact"], &["backup", "x.redb"]] {
        let text = said(&home.epms(verb).await, 3);
        assert!(text.contains("there is no store in"), "{text}");
    }
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let people = plain(&daemon.people().await);
    let text = said(&home.epms(&["compact"]).await, 3);
    assert!(
        text.contains("another process holds") && text.contains("stop that daemon"),
        "{text}"
    );
    assert_eq!(daemon.stop().await, Some(0));

    let file = home.beside().join("backup.redb");
    let text = said(
        &home
            .epms(&["backup", file.to_str().unwrap(), "--json"])
            .await,
        0,
    );
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["entries"]["people-1"], people.len());
    assert_eq!(json["bytes"], std::fs::metadata(&file).unwrap().len());
    let text = said(&home.epms(&["verify"]).await, 0);
    assert!(text.contains("the store is sound"), "{text}");
    let text = said(&home.epms(&["compact"]).await, 0);
    assert!(
        text.contains(" before, ") && text.contains(" now"),
        "{text}"
    );
    assert!(said(&home.epms(&["verify"]).await, 0).contains("the store is sound"));
    let daemon = Daemon::start(&home).await;
    assert_eq!(plain(&daemon.people().await), people);
}

#[tokio::test]
async fn what_does_not_fit_is_told_and_ends_with_1_with_a_daemon_and_without() {
    let pms = pms(Kind::AppFolio, 73, 40).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    assert_eq!(daemon.stop().await, Some(0));
    let emails: redb::TableDefinition<'_, &str, u64> =
        redb::TableDefinition::new("people-by-email-1");
    let database = redb::Database::create(home.path("state/epms.redb")).unwrap();
    let write = database.begin_write().unwrap();
    write
        .open_table(emails)
        .unwrap()
        .insert("nobody@example.com", 1)
        .unwrap();
    write.commit().unwrap();
    drop(database);
    let flaw = "an email leads to p1, who does not have it";
    let text = said(&home.epms(&["verify"]).await, 1);
    assert!(
        text.contains(flaw) && text.contains("restore a backup"),
        "{text}"
    );
    assert!(!text.contains("nobody@example.com"), "{text}");
    let daemon = Daemon::start(&home).await;
    let text = said(&home.epms(&["verify", "--json"]).await, 1);
    let found: Soundness = serde_json::from_str(&text).unwrap();
    assert_eq!(found.flaws.len(), 1);
    assert_eq!(found.flaws[0].what, flaw);
    // What is not sound is no backup.
    let file = home.beside().join("backup.redb");
    let text = said(&home.epms(&["backup", file.to_str().unwrap()]).await, 1);
    assert!(text.contains("is not sound"), "{text}");
    assert!(!file.exists());
    assert!(!daemon.log().contains("nobody@example.com"));
}

#[tokio::test]
async fn a_backup_that_is_none_is_refused_and_the_store_stays() {
    let pms = pms(Kind::AppFolio, 74, 40).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let people = daemon.people().await;
    let backup = home.beside().join("backup.redb");
    said(&home.epms(&["backup", backup.to_str().unwrap()]).await, 0);
    assert_eq!(daemon.stop().await, Some(0));
    let file = home.beside().join("file");
    let whole = std::fs::read(&backup).unwrap();
    let torn = &whole[..whole.len() / 2];
    for (bytes, exit, expected) in [
        (&b""[..], 1, "is no store of epms"),
        (b"no store", 1, "is no readable store"),
        (torn, 1, "is no readable store"),
    ] {
        std::fs::write(&file, bytes).unwrap();
        let text = said(&home.epms(&["restore", file.to_str().unwrap()]).await, exit);
        assert!(
            text.contains(expected) && text.contains("beside") || text.contains("/file"),
            "{text}"
        );
        assert!(!text.contains("panicked"), "{text}");
    }
    // Whatever is named that is no backup, both say the same.
    let folder = home.beside();
    for (name, expected) in [
        (folder.join("nope"), "No such file"),
        (folder.to_owned(), "it is a folder"),
    ] {
        for verb in ["verify", "restore"] {
            let text = said(&home.epms(&[verb, name.to_str().unwrap()]).await, 1);
            assert!(
                text.contains(expected) && text.contains("name a file that `epms backup` wrote"),
                "{verb}: {text}"
            );
        }
    }
    let daemon = Daemon::start(&home).await;
    assert_eq!(daemon.people().await, people);
}

#[tokio::test]
async fn runs_and_changes_are_forgotten_as_the_settings_say_and_people_are_not() {
    let pms = pms(Kind::AppFolio, 75, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    home.set("retention: { runs: 90d, most_runs: 24, changes: 1d, most_changes: 1000 }");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let people = daemon.people().await.len();
    for _ in 0..30 {
        daemon.sync("elm").await;
    }
    let text = said(&home.epms(&["runs", "--limit", "1000", "--json"]).await, 0);
    let runs: serde_json::Value = serde_json::from_str(&text).unwrap();
    let kept = runs["items"].as_array().unwrap().len();
    // The first raised alerts that are open still.
    assert_eq!(kept, 25, "{text}");
    assert_eq!(daemon.people().await.len(), people);
    let gone = daemon.get("/v1/runs/r3").await.problem();
    assert_eq!(gone.status, 404);
    said(&home.epms(&["verify"]).await, 0);
}

#[tokio::test]
async fn retention_that_would_forget_too_much_is_refused_with_its_place() {
    let home = Home::new();
    home.set("retention: { runs: 1h, most_runs: 3 }");
    let text = said(&home.epms(&["check"]).await, 2);
    assert!(
        text.contains("retention.runs: 1h is too short; write `1d` or more"),
        "{text}"
    );
    assert!(
        text.contains("retention.most_runs: is too few; write 24 or more"),
        "{text}"
    );
}

#[tokio::test]
async fn a_store_of_a_later_version_is_refused_with_both_versions_and_the_remedy() {
    let home = Home::new();
    drop(Store::open(&home.path("state")).unwrap());
    let meta: redb::TableDefinition<'_, &str, &[u8]> = redb::TableDefinition::new("meta-1");
    let database = redb::Database::create(home.path("state/epms.redb")).unwrap();
    let write = database.begin_write().unwrap();
    write
        .open_table(meta)
        .unwrap()
        .insert("schema", &b"\x0199"[..])
        .unwrap();
    write.commit().unwrap();
    drop(database);
    for verb in ["run", "verify", "compact"] {
        let text = said(&home.epms(&[verb]).await, 1);
        assert!(
            text.contains("has schema 99, and this epms knows 17"),
            "{verb}: {text}"
        );
        assert!(
            text.contains("start the newer epms, or restore a backup"),
            "{verb}: {text}"
        );
    }
    let database = redb::Database::create(home.path("state/epms.redb")).unwrap();
    let table = database.begin_read().unwrap().open_table(meta).unwrap();
    assert_eq!(table.get("schema").unwrap().unwrap().value(), b"\x0199");
}
