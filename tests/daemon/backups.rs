//! Backups that the daemon makes by itself, and what is said of a backup before it takes the place of the store.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::{Daemon, Exposition, Home, Terminal, eventually, found, pms, said};
use epms::model::{Alert, AlertKind};
use epms::sandbox::Kind;
use epms::store::{LastBackup, Store, Uptime};
use jiff::{SignedDuration, Timestamp};

/// The backups in a folder, by name.
fn backups(folder: &Path) -> Vec<PathBuf> {
    let Ok(all) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut all: Vec<PathBuf> = all.map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| !path.file_name().unwrap().to_str().unwrap().starts_with('.'));
    all.sort();
    all
}

async fn metrics(daemon: &Daemon) -> Exposition {
    let text = daemon.get("/metrics").await.body;
    Exposition::read(&text).unwrap()
}

/// As if the last one had been made so long ago.
fn age_the_last(home: &Home, by: SignedDuration) {
    let store = Store::open(&home.path("state")).unwrap();
    let last = store.read().unwrap().last_backup().unwrap().unwrap();
    let write = store.write().unwrap();
    let at = Timestamp::now() - by;
    write.put_last_backup(&LastBackup { at, ..last }).unwrap();
    write.commit().unwrap();
}

fn of_backups(alerts: &[Alert]) -> Option<&Alert> {
    let mut of_kind = alerts
        .iter()
        .filter(|alert| alert.kind == AlertKind::BackupFailing);
    of_kind.next()
}

#[tokio::test]
async fn a_daemon_makes_backups_by_itself_and_tells_how_old_the_last_good_one_is() {
    let pms = pms(Kind::AppFolio, 81, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let folder = home.beside().join("backups");
    home.set(&format!("backup: {{ to: {} }}", folder.display()));
    let daemon = Daemon::start(&home).await;
    eventually("a backup is made", async || backups(&folder).len() == 1).await;
    let file = backups(&folder).remove(0);
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "who can read it can read everything");
    let text = said(&home.epms(&["verify", file.to_str().unwrap()]).await, 0);
    assert!(
        text.contains(", made ") && text.contains("the store is sound"),
        "{text}"
    );
    let told = found("the metric", async || {
        metrics(&daemon).await.value("epms_backup_age_seconds", &[])
    })
    .await;
    assert!((0.0..3600.0).contains(&told), "{told}");
    let page = metrics(&daemon).await;
    assert_eq!(
        page.value("epms_backup_interval_seconds", &[]),
        Some(86_400.0)
    );
    assert_eq!(page.value("epms_backup_failing", &[]), Some(0.0));
    daemon.settle().await;
    let text = said(&home.epms(&["doctor"]).await, 0);
    assert!(text.contains("the last good one is"), "{text}");
    // It is not made again because the files are read again, or the daemon begins anew.
    said(&home.epms(&["reload"]).await, 0);
    assert_eq!(daemon.stop().await, Some(0));
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    assert_eq!(backups(&folder), [file]);
    // Of a home without the setting nothing is told.
    home.set("backup:");
    home.edit("config/epms.yaml", "backup:\n", "");
    said(&home.epms(&["reload"]).await, 0);
    eventually("nothing is told", async || {
        let age = metrics(&daemon).await.value("epms_backup_age_seconds", &[]);
        age.is_none()
    })
    .await;
}

#[tokio::test]
async fn after_a_downtime_one_is_made_soon_and_the_daemon_removes_only_what_it_made() {
    let home = Home::new();
    let folder = home.beside().join("backups");
    std::fs::create_dir(&folder).unwrap();
    let mine = folder.join("epms-2026-03-01.redb");
    std::fs::write(&mine, "mine").unwrap();
    home.set(&format!(
        "backup: {{ every: 24h, to: {}, keep: 2 }}",
        folder.display()
    ));
    let mut names = Vec::new();
    for round in 1..=4 {
        let daemon = Daemon::start(&home).await;
        let newest = found("one is made soon", async || {
            let mut all = backups(&folder);
            all.retain(|path| *path != mine && !names.contains(path));
            all.pop()
        })
        .await;
        names.push(newest);
        eventually("older ones are gone", async || {
            backups(&folder).len() == 1 + round.min(2)
        })
        .await;
        // What is on the disk is told to the store just after.
        eventually("the store knows", async || {
            daemon.log().matches("backup made").count() == round
        })
        .await;
        assert_eq!(daemon.stop().await, Some(0));
        age_the_last(&home, SignedDuration::from_hours(30));
    }
    let left = backups(&folder);
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(left.contains(&mine) && left.contains(&names[2]) && left.contains(&names[3]));
}

#[tokio::test]
async fn r45_a_last_backup_of_the_future_is_not_taken_for_one_that_is_negative_years_old() {
    let home = Home::new();
    let folder = home.beside().join("backups");
    home.set(&format!("backup: {{ to: {} }}", folder.display()));
    let daemon = Daemon::start(&home).await;
    eventually("the store knows", async || {
        daemon.log().contains("backup made")
    })
    .await;
    assert_eq!(daemon.stop().await, Some(0));
    age_the_last(&home, SignedDuration::from_hours(-20_000));
    let daemon = Daemon::start(&home).await;
    let age = found("the metric", async || {
        metrics(&daemon).await.value("epms_backup_age_seconds", &[])
    })
    .await;
    assert!((0.0..3600.0).contains(&age), "{age}");
}

#[tokio::test]
async fn a_backup_that_fails_is_an_alert_which_the_next_good_one_closes() {
    let pms = pms(Kind::AppFolio, 82, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let blocked = home.beside().join("blocked");
    std::fs::write(&blocked, "no folder").unwrap();
    home.set(&format!("backup: {{ to: {}/in }}", blocked.display()));
    let daemon = Daemon::start(&home).await;
    let alert = found("the alert", async || {
        of_backups(&daemon.alerts().await).cloned()
    })
    .await;
    assert!(
        alert.detail.contains("no backup was ever good"),
        "{}",
        alert.detail
    );
    assert!(
        alert.detail.contains("`backup.to` in config/epms.yaml"),
        "{}",
        alert.detail
    );
    assert_eq!(
        metrics(&daemon).await.value("epms_backup_failing", &[]),
        Some(1.0)
    );
    daemon.settle().await;
    let text = said(&home.epms(&["doctor"]).await, 1);
    assert!(
        text.contains("there is none yet; the next one failed"),
        "{text}"
    );
    let text = said(
        &home.epms(&["alerts", "show", &alert.id.to_string()]).await,
        0,
    );
    assert!(
        text.contains("backup_failing") && !text.contains("r0"),
        "{text}"
    );
    let folder = home.beside().join("backups");
    home.set(&format!("backup: {{ to: {} }}", folder.display()));
    said(&home.epms(&["reload"]).await, 0);
    eventually("it closes", async || {
        of_backups(&daemon.alerts().await).is_none()
    })
    .await;
    assert_eq!(backups(&folder).len(), 1);
    assert_eq!(
        metrics(&daemon).await.value("epms_backup_failing", &[]),
        Some(0.0)
    );
}

#[tokio::test]
async fn settings_of_backups_that_cannot_be_are_refused_with_their_place() {
    let home = Home::new();
    home.set("backup: { every: 1m, to: '', keep: 0 }");
    let text = said(&home.epms(&["check"]).await, 2);
    for told in [
        "backup.every: 1m is out of range; write `1h` to `30d`",
        "backup.to: is empty",
        "backup.keep: is out of range; write 1 to 1000",
    ] {
        assert!(text.contains(told), "{text}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_sound_backup_is_told_what_is_wrong_with_it_and_ends_with_1() {
    let home = Home::new();
    let folder = home.beside();
    drop(Store::open(&home.path("state")).unwrap());
    let file = folder.join("backup.redb");
    let path = file.to_str().unwrap();
    said(&home.epms(&["backup", path]).await, 0);
    let text = said(&home.epms(&["verify", path, "--json"]).await, 0);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["flaws"], serde_json::json!([]));
    assert!(json["made"].is_string(), "{text}");
    let whole = std::fs::read(&file).unwrap();
    let other = folder.join("other");
    for (bytes, told) in [
        (&b""[..], "is empty: it is no backup"),
        (b"no store", "is no readable store"),
        (&whole[..whole.len() / 2], "is no readable store"),
    ] {
        std::fs::write(&other, bytes).unwrap();
        let text = said(&home.epms(&["verify", other.to_str().unwrap()]).await, 1);
        assert!(text.contains(told) && text.contains("/other"), "{text}");
    }
    let missing = folder.join("missing");
    let text = said(&home.epms(&["verify", missing.to_str().unwrap()]).await, 1);
    assert!(text.contains("/missing"), "{text}");
    // What does not fit is listed.
    let emails: redb::TableDefinition<'_, &str, u64> =
        redb::TableDefinition::new("people-by-email-1");
    let database = redb::Database::create(&file).unwrap();
    let write = database.begin_write().unwrap();
    write
        .open_table(emails)
        .unwrap()
        .insert("nobody@example.com", 1)
        .unwrap();
    write.commit().unwrap();
    drop(database);
    let before = std::fs::read(&file).unwrap();
    let text = said(&home.epms(&["verify", path]).await, 1);
    assert!(
        text.contains("an email leads to p1, who does not have it"),
        "{text}"
    );
    assert!(text.contains("take another backup"), "{text}");
    assert!(
        std::fs::read(&file).unwrap() == before,
        "it is not written to"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_tells_what_goes_and_asks_on_a_terminal() {
    let pms = pms(Kind::AppFolio, 83, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let file = home.beside().join("backup.redb");
    let path = file.to_str().unwrap();
    said(&home.epms(&["backup", path]).await, 0);
    let before = daemon.people().await.len();
    pms.world()
        .move_in("elm", "Ada", "Quill", Some("ada.quill@example.com"), None)
        .unwrap();
    daemon.sync("elm").await;
    let ada = daemon.person_with("ada.quill@example.com").await.unwrap();
    said(&home.epms(&["people", "pin", &ada.id.to_string()]).await, 0);
    assert_eq!(daemon.stop().await, Some(0));

    let mut terminal = Terminal::run(80, home.root(), &["restore", path]);
    terminal.shows("the backup was made");
    terminal.shows("1 person who was made");
    terminal.shows("by hand do");
    terminal.answers("restore it [y/N]: ", "");
    terminal.shows("not restored: the store is as it was");
    assert_eq!(terminal.ends(), Some(1));
    let daemon = Daemon::start(&home).await;
    assert_eq!(daemon.people().await.len(), before + 1);
    assert_eq!(daemon.stop().await, Some(0));

    let mut terminal = Terminal::run(80, home.root(), &["restore", path]);
    terminal.answers("restore it [y/N]: ", "y");
    terminal.shows("restored from");
    assert_eq!(terminal.ends(), Some(0));
    let store = Store::open(&home.path("state")).unwrap();
    assert_eq!(store.read().unwrap().count_people().unwrap(), before as u64);
    drop(store);
    // A program is not asked, and is told in numbers.
    let text = said(&home.epms(&["restore", path, "--json"]).await, 0);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["lost"]["people"], 0, "{text}");
    assert!(json["made"].is_string(), "{text}");
}

#[tokio::test]
async fn the_doctor_says_by_how_much_the_store_grows_and_how_long_the_disk_has_room() {
    let pms = pms(Kind::AppFolio, 84, 60).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let text = said(&home.epms(&["doctor"]).await, 0);
    assert!(
        text.contains("known once a daemon was up for a day"),
        "{text}"
    );
    assert_eq!(daemon.stop().await, Some(0));
    let store = Store::open(&home.path("state")).unwrap();
    let write = store.write().unwrap();
    let up = Uptime {
        process: 1,
        seconds: 72 * 3600,
    };
    write.count_hours(up).unwrap();
    write.commit().unwrap();
    drop(store);
    let daemon = Daemon::start(&home).await;
    let keeping = daemon.get("/v1/store").await.json();
    assert!(
        keeping["growth"]["hours"].as_u64().unwrap() >= 72,
        "{keeping}"
    );
    assert!(
        keeping["growth"]["per_day"].as_u64().unwrap() > 100,
        "{keeping}"
    );
    daemon.settle().await;
    let text = said(&home.epms(&["doctor"]).await, 0);
    assert!(text.contains("a day come in, as in the last 3d"), "{text}");
}
