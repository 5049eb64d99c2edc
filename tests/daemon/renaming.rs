//! Files of integrations that get another name, name a PMS property of another file, or go for good (R46), under a
//! daemon that runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::support::{Daemon, Home, eventually, found, pms, shut, told};
use epms::control::protocol::{Health, IntegrationState};
use epms::model::{
    Actor, AlertKind, Change, ChangeKind, IntegrationId, LeaseStatus, Outcome, Person,
};
use epms::sandbox::{Kind, PropertySpec, Sandbox, Settings, World, WorldOptions};

fn file(name: &str) -> String {
    format!("config/integrations/{name}.yaml")
}

fn rename(home: &Home, old: &str, new: &str) {
    std::fs::rename(home.path(&file(old)), home.path(&file(new))).unwrap();
}

async fn started() -> (Arc<Sandbox>, Home, Daemon) {
    let pms = pms(Kind::AppFolio, 1, 60).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    (pms, home, daemon)
}

/// A PMS with two buildings, and files that name some of them.
async fn two_buildings() -> (Arc<Sandbox>, Home) {
    let spec = |code: &str, name: &str| PropertySpec {
        code: code.into(),
        name: name.into(),
    };
    let world = World::seeded(WorldOptions {
        seed: 7,
        properties: vec![spec("elm", "Elm Court"), spec("oak", "Oak Row")],
        residents: 60,
        today: epms::sandbox::today(),
    });
    let pms = Sandbox::start(Kind::AppFolio, world, Settings::default()).await;
    let (pms, home) = (Arc::new(pms.unwrap()), Home::new());
    home.credential("acme", &pms);
    (pms, home)
}

fn names(home: &Home, pms: &Sandbox, name: &str, buildings: &[usize]) {
    home.integration(name, "acme", pms);
    let all: Vec<String> = buildings.iter().map(|at| pms.property_id(*at)).collect();
    let one = format!("[{}]", pms.property_id(0));
    home.edit(&file(name), &one, &format!("[{}]", all.join(", ")));
}

/// How many people have a stay at each integration that is not over; who has two is counted twice.
fn living(people: &[Person]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for person in people {
        for (at, stay) in &person.stays {
            if !stay.is_closed() {
                *counts.entry(at.to_string()).or_default() += 1;
            }
        }
    }
    counts
}

/// Everybody with the integrations in their stays called by another name.
fn called(people: &[Person], old: &str, new: &str) -> Vec<Person> {
    let rename = |person: &Person| {
        let mut person = person.clone();
        if let Some(stay) = person.stays.remove(&IntegrationId::new(old)) {
            person.stays.insert(IntegrationId::new(new), stay);
        }
        person
    };
    people.iter().map(rename).collect()
}

async fn has_people(daemon: &Daemon, name: &str) {
    eventually("the people are there", async || {
        let people = daemon.people().await;
        let status = daemon.client.status().await.unwrap();
        let mut all = status.integrations.iter();
        living(&people).contains_key(name) && all.any(|one| one.id.as_str() == name)
    })
    .await;
}

fn moved(changes: &[Change]) -> Vec<&Change> {
    let moved = |one: &&Change| one.kind == ChangeKind::Moved;
    changes.iter().filter(moved).collect()
}

/// A13: everybody stayed at the old name for ever, and came in anew at the new one.
#[tokio::test]
async fn r46_people_go_along_with_a_file_that_has_another_name_and_can_be_given_back() {
    let (_pms, home, daemon) = started().await;
    let people = daemon.people().await;
    let before = daemon.integration("elm").await;
    rename(&home, "elm", "oak");
    has_people(&daemon, "oak").await;
    assert_eq!(daemon.people().await, called(&people, "elm", "oak"));
    let after = daemon.integration("oak").await;
    assert_eq!(after.linked, before.linked);
    assert_eq!(
        after.last_success, before.last_success,
        "it has run already"
    );
    let took = after.took_over.unwrap();
    assert_eq!(took.from, IntegrationId::new("elm"));
    let changes = daemon.changes().await;
    let moved: Vec<&Change> = moved(&changes);
    assert_eq!(moved.len() as u64, took.people);
    for change in moved {
        assert_eq!(change.from, Some(IntegrationId::new("elm")));
        assert_eq!(change.integration, Some(IntegrationId::new("oak")));
        assert_eq!((change.rule.as_str(), &change.actor), ("R46", &Actor::Sync));
    }
    let shown = told(&home.epms(&["status"]).await);
    assert!(
        shown.contains("took over") && shown.contains("integration undo oak"),
        "{shown}"
    );
    assert!(daemon.log().contains("people went along with a file"));
    assert_eq!(daemon.sync("oak").await.outcome, Outcome::Unchanged);
    assert_eq!(daemon.people().await, called(&people, "elm", "oak"));
    assert!(home.epms(&["verify"]).await.status.success());

    // Taken back, nobody goes along with that file again, and it does not run.
    let output = home.epms(&["integration", "undo", "oak"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(daemon.people().await, people);
    let problem = found("it is told why it does not run", async || {
        daemon.integration("oak").await.problems.first().cloned()
    })
    .await;
    assert!(
        problem.message.contains("epms integration rename elm oak"),
        "{problem}"
    );
    assert_eq!(daemon.integration("oak").await.health, Health::Broken);
    let refused = daemon.post("/v1/integrations/oak/sync").await.problem();
    assert_eq!(refused.status, 409);
    assert_eq!(daemon.people().await, people);
    assert!(home.epms(&["verify"]).await.status.success());

    // By hand it is what it was to be.
    let output = home.epms(&["integration", "rename", "elm", "oak"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(daemon.people().await, called(&people, "elm", "oak"));
    eventually("it runs", async || {
        daemon.integration("oak").await.state == IntegrationState::Idle
    })
    .await;
    assert_eq!(daemon.sync("oak").await.outcome, Outcome::Unchanged);
    // And back with the file.
    rename(&home, "oak", "elm");
    has_people(&daemon, "elm").await;
    assert_eq!(daemon.people().await, people);
    assert_eq!(daemon.sync("elm").await.outcome, Outcome::Unchanged);
    assert!(home.epms(&["verify"]).await.status.success());
}

/// A13, E9: the same while no daemon ran.
#[tokio::test]
async fn r46_a_file_that_was_renamed_while_no_daemon_ran_takes_its_people_along_too() {
    let (_pms, home, daemon) = started().await;
    let people = daemon.people().await;
    assert_eq!(daemon.stop().await, Some(0));
    rename(&home, "elm", "ash");
    // The credential may be called otherwise, too: it is the same account.
    std::fs::rename(
        home.path("config/credentials/elm-account.yaml"),
        home.path("config/credentials/acme.yaml"),
    )
    .unwrap();
    home.edit(&file("ash"), "elm-account", "acme");
    let daemon = Daemon::start(&home).await;
    has_people(&daemon, "ash").await;
    assert_eq!(daemon.sync("ash").await.outcome, Outcome::Unchanged);
    assert_eq!(daemon.people().await, called(&people, "elm", "ash"));
    assert_eq!(daemon.client.status().await.unwrap().integrations.len(), 1);
}

/// A13: a PMS property that stands in another file now.
#[tokio::test]
async fn r46_the_people_of_a_pms_property_go_along_into_another_file() {
    let (pms, home) = two_buildings().await;
    names(&home, &pms, "twin", &[0, 1]);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let people = daemon.people().await;
    let all = living(&people)["twin"];
    names(&home, &pms, "twin", &[0]);
    names(&home, &pms, "oak", &[1]);
    has_people(&daemon, "oak").await;
    daemon.settle().await;
    for name in ["twin", "oak"] {
        // An alert that is about no resident alone may close here and open there.
        let report = daemon.sync(name).await;
        assert!(
            report.outcome.is_success() && report.changes == 0,
            "{report:?}"
        );
        assert_eq!(daemon.sync(name).await.outcome, Outcome::Unchanged);
    }
    let after = daemon.people().await;
    assert_eq!(after.len(), people.len());
    let counts = living(&after);
    assert_eq!(counts["twin"] + counts["oak"], all);
    assert!(counts["twin"] > 5 && counts["oak"] > 5, "{counts:?}");
    let took = daemon.integration("oak").await.took_over.unwrap();
    let second: BTreeSet<String> = [pms.property_id(1)].into();
    assert_eq!(took.properties, Some(second));
    // And together again.
    home.remove(&file("oak"));
    names(&home, &pms, "twin", &[0, 1]);
    eventually("all of them are in one", async || {
        living(&daemon.people().await).get("twin") == Some(&all)
    })
    .await;
    assert_eq!(living(&daemon.people().await).len(), 1);
    assert_eq!(daemon.sync("twin").await.changes, 0);
    assert_eq!(daemon.sync("twin").await.outcome, Outcome::Unchanged);
    assert!(home.epms(&["verify"]).await.status.success());
}

/// A12: after a restart the alphabet decided, and the one that had run was called 'never right'.
#[tokio::test]
async fn r46_after_a_restart_a_pms_property_stays_with_those_who_are_linked() {
    let (pms, home, daemon) = started().await;
    home.integration("ash", "elm-account", &pms);
    let problem = found("the second file is refused", async || {
        let status = daemon.client.status().await.unwrap();
        let mut all = status.integrations.into_iter();
        all.find(|one| one.id.as_str() == "ash")?.problems.pop()
    })
    .await;
    assert!(problem.message.contains("elm.yaml"), "{problem}");
    let people = daemon.people().await;
    assert_eq!(daemon.stop().await, Some(0));
    let daemon = Daemon::start(&home).await;
    let (ash, elm) = (
        daemon.integration("ash").await,
        daemon.integration("elm").await,
    );
    assert_eq!(elm.problems, []);
    assert_eq!((elm.generation, ash.generation), (Some(1), None));
    assert!(
        ash.problems[0].message.contains("its people are linked"),
        "{ash:?}"
    );
    assert_eq!(daemon.sync("elm").await.outcome, Outcome::Unchanged);
    assert_eq!(daemon.people().await, people);
    let checked = told(&home.epms(&["check"]).await);
    for name in ["ash", "elm"] {
        let place = format!("config/integrations/{name}.yaml:4:");
        assert!(checked.contains(&place), "{checked}");
    }
    let shown = told(&home.epms(&["status"]).await);
    assert!(!shown.contains("never right"), "{shown}");

    // Somebody says that the people are the new file's: it runs, and the old one rests.
    let output = home.epms(&["integration", "rename", "elm", "ash"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(daemon.people().await, called(&people, "elm", "ash"));
    eventually("the new one runs", async || {
        daemon.integration("ash").await.state == IntegrationState::Idle
    })
    .await;
    assert_eq!(daemon.sync("ash").await.outcome, Outcome::Unchanged);
    let elm = daemon.integration("elm").await;
    assert_eq!((elm.state, elm.linked), (IntegrationState::Broken, 0));
    assert!(elm.problems[0].message.contains("ash.yaml"), "{elm:?}");
    home.remove(&file("elm"));
    eventually("nothing is wrong any more", async || {
        let status = daemon.client.status().await.unwrap();
        status
            .integrations
            .iter()
            .all(|one| one.problems.is_empty())
    })
    .await;
    assert_eq!(daemon.people().await, called(&people, "elm", "ash"));
}

#[tokio::test]
async fn r46_a_renaming_by_hand_asks_for_the_file_with_the_new_name() {
    let (_pms, home, daemon) = started().await;
    let people = daemon.people().await;
    for (old, new, why) in [
        (
            "elm",
            "oak",
            "there is no file config/integrations/oak.yaml",
        ),
        ("elm", "elm", "are the same"),
    ] {
        let output = home.epms(&["integration", "rename", old, new]).await;
        let code = if old == new { 2 } else { 1 };
        assert_eq!(output.status.code(), Some(code), "{}", told(&output));
        assert!(told(&output).contains(why), "{}", told(&output));
    }
    assert_eq!(daemon.people().await, people);
}

/// The run that reads for the old name must not write after its people went.
#[tokio::test]
async fn r46_people_wait_for_a_run_under_way_before_they_go_along() {
    let (pms, home, daemon) = started().await;
    let people = daemon.people().await;
    let gate = shut(&pms);
    let run = daemon.begin("elm").await;
    rename(&home, "elm", "oak");
    let why = found("it is told what it waits for", async || {
        let status = daemon.client.status().await.unwrap();
        let mut all = status.integrations.into_iter();
        let oak = all.find(|one| one.id.as_str() == "oak")?;
        assert_eq!(oak.last_started, None);
        oak.waits_for.filter(|_| oak.health == Health::Waiting)
    })
    .await;
    assert!(why.contains("`elm`"), "{why}");
    assert_eq!(daemon.people().await, people);
    drop(gate);
    has_people(&daemon, "oak").await;
    assert_eq!(daemon.people().await, called(&people, "elm", "oak"));
    let report = daemon.client.run(run).await.unwrap().state.report.unwrap();
    assert_eq!(report.integration, IntegrationId::new("oak"));
    assert_eq!(daemon.sync("oak").await.outcome, Outcome::Unchanged);
    assert!(home.epms(&["verify"]).await.status.success());
}

#[tokio::test]
async fn r46_a_retired_integration_houses_nobody_and_whoever_retired_it_is_told() {
    let (_pms, home, daemon) = started().await;
    let people = daemon.people().await;
    let alerts = daemon.alerts().await;
    assert!(!alerts.is_empty());
    let output = home.epms(&["integration", "retire", "elm"]).await;
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(
        told(&output).contains("is there and switched on"),
        "{}",
        told(&output)
    );
    home.remove(&file("elm"));
    eventually("it is gone", async || {
        daemon.integration("elm").await.state == IntegrationState::Removed
    })
    .await;
    let count = living(&people)["elm"];
    let would = home
        .epms(&["integration", "retire", "elm", "--dry-run"])
        .await;
    let would = told(&would);
    assert!(
        would.contains(&format!("{count} stays would end")),
        "{would}"
    );
    let person = people
        .iter()
        .find(|one| !living(std::slice::from_ref(one)).is_empty())
        .unwrap();
    assert!(
        would.contains(&format!("{} {}", person.first_name, person.last_name)),
        "{would}"
    );
    assert_eq!(daemon.people().await, people, "it was only asked");

    let before = daemon.changes().await.len();
    let output = home.epms(&["integration", "retire", "elm"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(living(&daemon.people().await), BTreeMap::new());
    assert_eq!(daemon.alerts().await, []);
    let changes = daemon.changes().await;
    let closed = &changes[before..];
    assert_eq!(closed.len(), count);
    for change in closed {
        assert_eq!(
            (change.kind, change.rule.as_str()),
            (ChangeKind::Closed, "R46")
        );
        assert!(!matches!(change.actor, Actor::Sync), "{change:?}");
    }
    eventually("it is retired", async || {
        daemon.integration("elm").await.health == Health::Retired
    })
    .await;
    let again = home.epms(&["integration", "retire", "elm"]).await;
    assert!(told(&again).contains("retired already"), "{}", told(&again));
    assert!(home.epms(&["verify"]).await.status.success());

    let output = home.epms(&["integration", "undo", "elm"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(daemon.people().await, people);
    let causes = |all: &[epms::model::Alert]| -> BTreeSet<(AlertKind, String)> {
        all.iter()
            .map(|one| (one.kind, one.subject.clone()))
            .collect()
    };
    assert_eq!(causes(&daemon.alerts().await), causes(&alerts));
}

/// E9: what replaces files is no renaming and leaves nobody behind.
#[tokio::test]
async fn r46_files_that_are_replaced_leave_nobody_behind_and_cost_no_sync() {
    let (_pms, home, daemon) = started().await;
    let people = daemon.people().await;
    let text = home.read(&file("elm"));
    let runs = async |daemon: &Daemon| {
        let status = daemon.get("/v1/runs").await.json();
        status["items"].as_array().unwrap().len()
    };
    let before = runs(&daemon).await;
    // `rsync --delete` and a branch that is switched: gone, and there again.
    for _ in 0..3 {
        home.remove(&file("elm"));
        home.write(&file("elm"), &text);
    }
    // A ConfigMap: the folder is another one at once.
    let other = home.path("config/..2026");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("elm.yaml"), &text).unwrap();
    let folder = home.path("config/integrations");
    std::fs::rename(&folder, home.path("config/..old")).unwrap();
    std::os::unix::fs::symlink(&other, &folder).unwrap();
    daemon.client.reload().await.unwrap();
    let elm = daemon.integration("elm").await;
    assert_eq!(
        (elm.state, elm.health),
        (IntegrationState::Idle, Health::Ok)
    );
    assert_eq!(daemon.people().await, people);
    assert_eq!(runs(&daemon).await, before);
    // The daemon off, the files replaced meanwhile.
    assert_eq!(daemon.stop().await, Some(0));
    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(home.path("config/..old"), &folder).unwrap();
    home.write(&file("elm"), &text);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    assert!(runs(&daemon).await <= before + 1);
    assert_eq!(daemon.people().await, people);
    let kinds: Vec<AlertKind> = daemon.alerts().await.iter().map(|one| one.kind).collect();
    assert!(!kinds.contains(&AlertKind::LeftBehind), "{kinds:?}");
    assert_eq!(moved(&daemon.changes().await).len(), 0);
}

/// E11.
#[tokio::test]
async fn who_moves_between_two_buildings_of_one_owner_has_two_stays_and_then_one_and_no_alert() {
    let (pms, home) = two_buildings().await;
    names(&home, &pms, "elm", &[0]);
    names(&home, &pms, "oak", &[1]);
    let email = "maren@example.com";
    let here = {
        let mut world = pms.world();
        world
            .move_in("elm", "Maren", "Holmby", Some(email), None)
            .unwrap()
    };
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let before = daemon.person_with(email).await.unwrap();
    let alerts = daemon.alerts().await.len();
    {
        let mut world = pms.world();
        world
            .move_in("oak", "Maren", "Holmby", Some(email), None)
            .unwrap();
    }
    daemon.sync("oak").await;
    daemon.sync("elm").await;
    let both = daemon.person_with(email).await.unwrap();
    assert_eq!(both.id, before.id);
    assert_eq!(living(std::slice::from_ref(&both)).len(), 2);
    assert_eq!(daemon.alerts().await.len(), alerts);
    {
        let mut world = pms.world();
        let today = epms::sandbox::today();
        world.move_out(here, today).unwrap();
        world.advance_to(today.tomorrow().unwrap());
    }
    daemon.sync("elm").await;
    daemon.sync("oak").await;
    let after = daemon.person_with(email).await.unwrap();
    let oak = &after.stays[&IntegrationId::new("oak")];
    assert_eq!(oak.status, LeaseStatus::Current);
    let counts = living(std::slice::from_ref(&after));
    assert_eq!(counts.keys().collect::<Vec<_>>(), ["oak"]);
    let about = daemon.alerts().await;
    let about = about
        .iter()
        .any(|one| one.sides.iter().any(|side| side.person == Some(after.id)));
    assert!(!about);
}
