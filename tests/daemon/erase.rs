//! Erasing people through the real program: what goes, what stays, who has to hear of it first, and that nobody comes back by
//! a feed or a backup.

use std::collections::BTreeMap;

use epms::model::{AlertKind, Fate, IntegrationId, LeaseStatus, Origin, Person, PersonId, Stay};
use epms::store::Store;
use jiff::Timestamp;

use crate::support::{Daemon, Doors, Home, Terminal, eventually, said};

const PLAIN: &str = "mode: automatic\nstart_delay: 0s\n";

/// Resident 7 has left, and resident 2 lives here; no targets.
async fn begin() -> (Home, Doors, Daemon, PersonId) {
    let (home, doors) = (Home::new(), Doors::start().await);
    doors.files(&home, PLAIN);
    home.remove("config/targets/doors.yaml");
    doors.lives(7, "1A", "current");
    doors.lives(2, "2B", "current");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let ada = daemon.person_with("ada7@example.com").await.unwrap().id;
    doors.lives(7, "1A", "past");
    daemon.sync("elm").await;
    (home, doors, daemon, ada)
}

async fn erase(home: &Home, person: PersonId, more: &[&str], exit: i32) -> String {
    let person = person.to_string();
    let mut words = vec!["people", "erase", &person, "--yes"];
    words.extend(more);
    said(&home.epms(&words).await, exit)
}

/// Where in a file one of these stands.
fn found_in(home: &Home, file: &str, words: &[&str]) -> Vec<String> {
    let bytes = std::fs::read(home.path(file)).unwrap().to_ascii_lowercase();
    let stands = |word: &&&str| {
        bytes
            .windows(word.len())
            .any(|part| part == word.as_bytes())
    };
    words
        .iter()
        .filter(stands)
        .map(ToString::to_string)
        .collect()
}

const ADA: [&str; 2] = ["ada7@example.com", "quill 7"];

/// Starts the daemon again on whatever lies there by now.
async fn again(home: &Home, daemon: Daemon) -> Daemon {
    assert_eq!(daemon.stop().await, Some(0));
    let daemon = Daemon::start(home).await;
    daemon.settle().await;
    daemon
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_erased_stays_away_and_after_compact_no_byte_of_the_store_says_who_they_were() {
    let (home, _doors, daemon, ada) = begin().await;
    assert_eq!(found_in(&home, "state/epms.redb", &ADA), ADA);
    let text = erase(&home, ada, &["--reason", "Ada Quill 7 asked"], 0).await;
    assert!(text.contains(&format!("erased {ada}")), "{text}");
    assert!(
        text.contains("epms compact") && text.contains("backups from before"),
        "{text}"
    );
    let report = daemon.sync("elm").await;
    assert_eq!(report.excluded_by["erased"], 1);
    let run = report.id.to_string();
    let run = said(&home.epms(&["run", &run, "--json"]).await, 0);
    let run: serde_json::Value = serde_json::from_str(&run).unwrap();
    let decision = run["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["subject"] == "7");
    let decision = decision.unwrap();
    assert_eq!(
        (&decision["fate"], &decision["reason"]),
        (&Fate::Excluded.as_str().into(), &"erased".into())
    );
    let people = daemon.people().await;
    assert!(
        people
            .iter()
            .any(|one| one.id == ada && one.erased && one.email.is_none())
    );
    assert!(daemon.person_with("ada2@example.com").await.is_some());
    assert!(!daemon.log().contains("Quill"), "{}", daemon.log());
    let shown = said(&home.epms(&["people", "show", &ada.to_string()]).await, 0);
    assert!(
        shown.contains("nothing is kept that says who they were"),
        "{shown}"
    );
    assert!(said(&home.epms(&["verify"]).await, 0).contains("the store is sound"));
    let refused = erase(&home, ada, &[], 1).await;
    assert!(refused.contains("was erased already"), "{refused}");

    assert_eq!(daemon.stop().await, Some(0));
    said(&home.epms(&["compact"]).await, 0);
    assert_eq!(found_in(&home, "state/epms.redb", &ADA), [""; 0]);
    assert_eq!(found_in(&home, "state/epms.erased", &ADA), [""; 0]);
    let mode = std::fs::metadata(home.path("state/epms.erased"))
        .unwrap()
        .permissions();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777,
        0o600
    );
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    daemon.sync("elm").await;
    assert_eq!(daemon.stop().await, Some(0));
    assert_eq!(found_in(&home, "state/epms.redb", &ADA), [""; 0]);
    assert!(said(&home.epms(&["verify"]).await, 0).contains("the store is sound"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_current_is_refused_and_without_yes_nobody_is_erased_where_nobody_can_be_asked()
{
    let (home, doors, daemon, ada) = begin().await;
    doors.lives(7, "1A", "current");
    daemon.sync("elm").await;
    let refused = erase(&home, ada, &[], 1).await;
    assert!(
        refused.contains(&format!("{ada} is current at `elm`")),
        "{refused}"
    );
    doors.lives(7, "1A", "past");
    daemon.sync("elm").await;
    let ada_text = ada.to_string();
    let asked = said(&home.epms(&["people", "erase", &ada_text]).await, 2);
    assert!(asked.contains("say so with --yes"), "{asked}");
    assert!(daemon.person_with("ada7@example.com").await.is_some());
    let mut terminal = Terminal::run(100, home.root(), &["people", "erase", &ada_text]);
    terminal.answers("cannot be undone. [y/N] ", "n");
    terminal.shows("nothing was done");
    assert_eq!(terminal.ends(), Some(1));
    assert!(daemon.person_with("ada7@example.com").await.is_some());
    let mut terminal = Terminal::run(100, home.root(), &["people", "erase", &ada_text]);
    terminal.answers("cannot be undone. [y/N] ", "y");
    terminal.shows("erased");
    assert_eq!(terminal.ends(), Some(0));
    assert!(daemon.person_with("ada7@example.com").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_current_again_is_an_alert_and_comes_in_as_somebody_new_once_admitted() {
    let (home, doors, daemon, ada) = begin().await;
    erase(&home, ada, &[], 0).await;
    doors.lives(7, "3C", "current");
    daemon.sync("elm").await;
    let alerts = daemon.alerts().await;
    let alert = alerts
        .iter()
        .find(|one| one.kind == AlertKind::ErasedReturned)
        .unwrap();
    let id = alert.id.to_string();
    let shown = said(&home.epms(&["alerts", "show", &id]).await, 0);
    assert!(
        shown.contains(&format!("epms alerts resolve {id} admit")),
        "{shown}"
    );
    assert!(
        !shown.contains("Quill") && !shown.contains("example.com"),
        "{shown}"
    );
    said(&home.epms(&["alerts", "resolve", &id, "admit"]).await, 0);
    said(&home.epms(&["alerts", "undo", &id]).await, 0);
    daemon.sync("elm").await;
    assert!(daemon.person_with("ada7@example.com").await.is_none());
    said(&home.epms(&["alerts", "resolve", &id, "admit"]).await, 0);
    // That they are let in outlasts the daemon.
    let daemon = again(&home, daemon).await;
    daemon.sync("elm").await;
    let new = daemon.person_with("ada7@example.com").await.unwrap();
    assert_ne!(new.id, ada);
    assert_eq!(daemon.alerts().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_from_before_that_is_restored_has_nobody_in_it_who_was_erased_since() {
    let (home, doors, daemon, ada) = begin().await;
    let file = home.beside().join("before.redb");
    let path = file.to_str().unwrap();
    said(&home.epms(&["backup", path]).await, 0);
    erase(&home, ada, &[], 0).await;
    assert_eq!(daemon.stop().await, Some(0));
    let text = said(&home.epms(&["restore", path]).await, 0);
    assert!(
        text.contains("one person was in this backup, and erased since"),
        "{text}"
    );
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    daemon.sync("elm").await;
    assert!(daemon.person_with("ada7@example.com").await.is_none());
    assert!(
        daemon
            .people()
            .await
            .iter()
            .any(|one| one.id == ada && one.erased)
    );
    assert!(daemon.person_with("ada2@example.com").await.is_some());
    assert!(said(&home.epms(&["verify"]).await, 0).contains("the store is sound"));
    // The store before is still there, and says so to whoever erases somebody else.
    let bea = PersonId(ada.0 + 1);
    let other = daemon
        .people()
        .await
        .into_iter()
        .find(|one| !one.erased)
        .unwrap();
    assert_ne!(other.id, ada, "{bea}");
    doors.lives(2, "2B", "past");
    daemon.sync("elm").await;
    let text = erase(&home, other.id, &[], 0).await;
    assert!(text.contains("still in epms.redb.before-"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_takes_away_what_it_has_before_somebody_is_erased() {
    let (home, doors) = (Home::new(), Doors::start().await);
    doors.files(&home, PLAIN);
    doors.lives(7, "1A", "current");
    doors.lives(2, "2B", "current");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    eventually("both have what they should have", async || {
        doors.open().len() == 4
    })
    .await;
    let ada = daemon.person_with("ada7@example.com").await.unwrap().id;
    // It hears of nothing while it is down.
    doors.known().is_down = true;
    doors.lives(7, "1A", "past");
    daemon.sync("elm").await;
    let text = erase(&home, ada, &[], 0).await;
    assert!(
        text.contains(&format!("erasing {ada}")) && text.contains("waits for doors: 2 grants"),
        "{text}"
    );
    let shown = said(&home.epms(&["people", "show", &ada.to_string()]).await, 0);
    assert!(
        shown.contains("erasing") && shown.contains("doors: 2 grants"),
        "{shown}"
    );
    let waits = erase(&home, ada, &[], 1).await;
    assert!(
        waits.contains("the target `doors` has to hear of it first"),
        "{waits}"
    );
    assert!(daemon.person_with("ada7@example.com").await.is_some());
    // Nobody forgets it over a restart.
    let daemon = again(&home, daemon).await;
    doors.known().is_down = false;
    eventually("the daemon erases them by itself", async || {
        daemon.person_with("ada7@example.com").await.is_none()
    })
    .await;
    assert_eq!(
        doors.open(),
        ["ada2@example.com d2", "ada2@example.com lobby"]
    );
    assert!(said(&home.epms(&["verify"]).await, 0).contains("the store is sound"));
    assert_eq!(daemon.stop().await, Some(0));
    said(&home.epms(&["compact"]).await, 0);
    assert_eq!(found_in(&home, "state/epms.redb", &ADA), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_goes_on_with_an_erasure_that_waits_once_the_feed_was_read() {
    let (home, doors) = (Home::new(), Doors::start().await);
    doors.files(&home, PLAIN);
    doors.lives(7, "1A", "current");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    eventually("there is what should be", async || doors.open().len() == 2).await;
    let ada = daemon.person_with("ada7@example.com").await.unwrap().id;
    let file = home.beside().join("before.redb");
    let path = file.to_str().unwrap();
    said(&home.epms(&["backup", path]).await, 0);
    doors.known().is_down = true;
    doors.lives(7, "1A", "past");
    daemon.sync("elm").await;
    let text = erase(&home, ada, &["--reason", "asked"], 0).await;
    assert!(text.contains("waits for doors: 2 grants"), "{text}");
    assert_eq!(daemon.stop().await, Some(0));
    let text = said(&home.epms(&["restore", path]).await, 0);
    assert!(
        text.contains(&format!(
            "note: the erasure of {ada}, asked for before and not carried out, goes on"
        )),
        "{text}"
    );
    // By the backup she lives here: that says nothing before the feed was read.
    doors.known().is_down = false;
    doors.known().roll_is_down = true;
    let daemon = Daemon::start(&home).await;
    daemon.sync("elm").await;
    let shown = said(&home.epms(&["people", "show", &ada.to_string()]).await, 0);
    assert!(shown.contains("erasing"), "{shown}");
    doors.known().roll_is_down = false;
    daemon.sync("elm").await;
    eventually("she is erased", async || {
        daemon.person_with("ada7@example.com").await.is_none()
    })
    .await;
    assert_eq!(doors.open(), [""; 0]);
    let log = said(&home.epms(&["explain", "elm", &ada.to_string()]).await, 1);
    assert!(log.contains(&format!("{ada} was erased at ")), "{log}");
    assert!(said(&home.epms(&["verify"]).await, 0).contains("the store is sound"));
}

/// Somebody who has left is erased by force while the target is switched off, has two grants there still, and is found there
/// once it is switched on again.
async fn forced() -> (Home, Doors, Daemon) {
    let (home, doors) = (Home::new(), Doors::start().await);
    doors.files(&home, PLAIN);
    doors.lives(7, "1A", "current");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    eventually("there is what should be", async || doors.open().len() == 2).await;
    let ada = daemon.person_with("ada7@example.com").await.unwrap().id;
    home.edit(
        "config/targets/doors.yaml",
        "version: 1",
        "version: 1\nenabled: false",
    );
    said(&home.epms(&["reload"]).await, 0);
    doors.lives(7, "1A", "past");
    daemon.sync("elm").await;
    let text = erase(&home, ada, &[], 0).await;
    assert!(
        text.contains("waits for doors: 2 grants") && text.contains("the target is switched off"),
        "{text}"
    );
    let text = erase(&home, ada, &["--force"], 0).await;
    assert!(text.contains("stays at doors: 2 grants"), "{text}");
    assert!(daemon.person_with("ada7@example.com").await.is_none());
    assert!(said(&home.epms(&["verify"]).await, 0).contains("the store is sound"));
    (home, doors, daemon)
}

async fn is_switched_on(home: &Home, daemon: Daemon, kind: AlertKind) -> Daemon {
    home.edit(
        "config/targets/doors.yaml",
        "version: 1\nenabled: false",
        "version: 1",
    );
    // After a restore everything is read back, and not only once a day.
    let file = home.beside().join("after.redb");
    let file = file.to_str().unwrap();
    said(&home.epms(&["backup", file]).await, 0);
    assert_eq!(daemon.stop().await, Some(0));
    said(&home.epms(&["restore", file]).await, 0);
    let daemon = Daemon::start(home).await;
    daemon.settle().await;
    daemon.sync("elm").await;
    eventually("it is found there", async || {
        let open = daemon.alerts().await;
        open.iter().any(|one| one.kind == kind)
    })
    .await;
    let file = home.beside().join("now.redb");
    let file = file.to_str().unwrap();
    said(&home.epms(&["backup", file]).await, 0);
    assert_eq!(found_in(home, file, &ADA), [""; 0]);
    daemon
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stays_at_a_target_of_somebody_erased_by_force_is_found_there_and_says_nobody_s_name()
{
    let (home, doors, daemon) = forced().await;
    let daemon = is_switched_on(&home, daemon, AlertKind::FoundAtTarget).await;
    assert_eq!(doors.open().len(), 2);
    let plan = home
        .epms(&["deliveries", "preview", "doors", "--json"])
        .await;
    let plan: serde_json::Value = serde_json::from_slice(&plan.stdout).unwrap();
    let digest = plan["digest"].as_str().unwrap();
    let words = ["deliveries", "approve", "doors", "--digest", digest];
    said(&home.epms(&words).await, 0);
    eventually("it is taken away", async || doors.open().is_empty()).await;
    eventually("nothing is found there any more", async || {
        daemon.alerts().await.is_empty()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_only_be_taken_away_by_the_name_of_somebody_erased_is_told_to_be_taken_away_by_hand()
 {
    let (home, doors, daemon) = forced().await;
    home.edit(
        "config/connectors/doors.yaml",
        "/grants/{{ grant.id }}\" }\n  places",
        "/grants/{{ grant.holder }}\" }\n  places",
    );
    let daemon = is_switched_on(&home, daemon, AlertKind::DeliveryFailed).await;
    let alerts = daemon.alerts().await;
    assert!(
        alerts[0].detail.contains("take it away there by hand"),
        "{}",
        alerts[0].detail
    );
    assert_eq!(doors.open().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_erases_whoever_has_left_for_as_long_as_their_file_says() {
    let (home, _doors, daemon, ada) = begin().await;
    assert_eq!(daemon.stop().await, Some(0));
    let stay = Stay {
        status: LeaseStatus::Past,
        unit: None,
        more_units: Vec::new(),
        lease_start: None,
        lease_end: None,
        move_in: None,
        move_out: None,
        notice: false,
        eviction: false,
        excluded: false,
    };
    let old = {
        let store = Store::open(&home.path("state")).unwrap();
        let write = store.write().unwrap();
        let id = write.new_person_id().unwrap();
        let made: Timestamp = "2019-03-01T10:00:00Z".parse().unwrap();
        let person = Person {
            first_name: "Old".into(),
            last_name: "Tenant".into(),
            email: Some("old.tenant@example.com".into()),
            stays: BTreeMap::from([(IntegrationId::new("elm"), Box::new(stay))]),
            ..Person::new(id, Origin::Hand, made)
        };
        write.put_person(&person).unwrap();
        write.commit().unwrap();
        id
    };
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    assert!(daemon.person_with("old.tenant@example.com").await.is_some());
    let wrong = home.edit(
        "config/integrations/elm.yaml",
        "version: 1",
        "version: 1\nerase_after: 4d",
    );
    let text = said(&home.epms(&["check"]).await, 2);
    assert!(
        text.contains("erase_after") && text.contains("`30d` to `100y`"),
        "{text}"
    );
    drop(wrong);
    home.edit(
        "config/integrations/elm.yaml",
        "erase_after: 4d",
        "erase_after: 4y",
    );
    eventually("the rule is heard of", async || {
        daemon.person_with("old.tenant@example.com").await.is_none()
    })
    .await;
    let people = daemon.people().await;
    let erased: Vec<PersonId> = people
        .iter()
        .filter(|one| one.erased)
        .map(|one| one.id)
        .collect();
    assert_eq!(erased, [old]);
    // Who left today is there.
    assert!(people.iter().any(|one| one.id == ada && !one.erased));
    let history = said(
        &home.epms(&["people", "history", &old.to_string()]).await,
        0,
    );
    assert!(history.contains("erase_after"), "{history}");
}
