//! A store whose file is gone, replaced or empty, through the real program (C3, R47): it is told while the daemon runs,
//! nothing that was open is lost, and it is never taken for a new one.

use crate::support::{Daemon, Home, pms, said, told};
use epms::model::PersonId;
use epms::sandbox::Kind;

fn highest(people: &[epms::model::Person]) -> PersonId {
    people.iter().map(|person| person.id).max().unwrap()
}

async fn epoch(daemon: &Daemon) -> u64 {
    daemon.client.status().await.unwrap().store.epoch
}

/// C3.
#[tokio::test]
async fn r47_a_store_that_is_removed_while_it_is_open_is_told_and_nothing_of_it_is_lost() {
    let pms = pms(Kind::AppFolio, 81, 40).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let people = daemon.people().await;
    assert_eq!(epoch(&daemon).await, 1);
    assert_eq!(daemon.get("/readyz").await.status, 200);

    std::fs::remove_file(home.path("state/epms.redb")).unwrap();
    let why = "was removed, replaced or emptied while it was open";
    let ready = daemon.get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(ready.problem().detail.contains(why), "{ready:?}");
    assert!(said(&home.epms(&["verify"]).await, 1).contains(why));
    pms.world()
        .move_in("elm", "Ada", "After", Some("ada.after@example.com"), None)
        .unwrap();
    let text = told(&home.epms(&["sync", "elm"]).await);
    assert!(text.contains(why), "{text}");
    assert_eq!(daemon.people().await, people);
    let file = home.beside().join("saved.redb");
    said(&home.epms(&["backup", file.to_str().unwrap()]).await, 0);
    assert_eq!(daemon.stop().await, Some(0));

    // It is not taken for a new one, by whatever verb.
    for verb in [
        &["run"][..],
        &["verify"],
        &["compact"],
        &["--offline", "status"],
    ] {
        let text = told(&home.epms(verb).await);
        assert!(
            text.contains("is gone: the mark beside it"),
            "{verb:?}: {text}"
        );
        assert!(text.contains("epms init --fresh-store"), "{text}");
    }
    let text = said(&home.epms(&["restore", file.to_str().unwrap()]).await, 0);
    assert!(text.contains("epoch 2 begins with it"), "{text}");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    assert_eq!(epoch(&daemon).await, 2);
    let scrape = daemon.get("/metrics").await.body;
    assert!(scrape.contains("epms_store_epoch 2"), "{scrape}");
    // What came since the backup came in with the first sync, which was at once.
    let ada = daemon.person_with("ada.after@example.com").await.unwrap();
    assert!(ada.id > highest(&people));
    assert_eq!(daemon.people().await.len(), people.len() + 1);
    said(&home.epms(&["verify"]).await, 0);
}

/// C3.
#[tokio::test]
async fn r47_a_store_that_is_emptied_while_it_is_open_ends_nothing_and_begins_anew_only_when_asked()
{
    let pms = pms(Kind::AppFolio, 82, 40).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let people = daemon.people().await;
    let store = home.path("state/epms.redb");
    std::fs::write(&store, "").unwrap();
    let why = "was removed, replaced or emptied while it was open";
    assert!(daemon.get("/readyz").await.problem().detail.contains(why));
    assert!(told(&home.epms(&["sync", "elm"]).await).contains(why));
    assert!(said(&home.epms(&["people"]).await, 1).contains(why));
    let text = said(&home.epms(&["init", "--fresh-store"]).await, 3);
    assert!(text.contains("a daemon runs on"), "{text}");
    assert_eq!(daemon.stop().await, Some(0));

    assert!(told(&home.epms(&["run"]).await).contains("is empty, which no store ever is"));
    let text = said(&home.epms(&["init", "--fresh-store"]).await, 0);
    assert!(
        text.contains("with nobody in it; epoch 2 begins with it"),
        "{text}"
    );
    let text = said(&home.epms(&["init", "--fresh-store"]).await, 1);
    assert!(text.contains("is a store: it is not lost"), "{text}");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let anew = daemon.people().await;
    assert_eq!(anew.len(), people.len());
    let lowest = anew.iter().map(|person| person.id).min().unwrap();
    assert!(lowest > highest(&people), "p1 was somebody else");
    said(&home.epms(&["verify"]).await, 0);
}
