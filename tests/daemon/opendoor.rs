//! Delivery by the real daemon with the targets that come along: the people of a local PMS to the local OpenDOOR, and to SCIM
//! servers that nobody here wrote.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::support::outside::{self, Outside};
use crate::support::{Daemon, Home, eventually, pms, said};
use epms::model::LeaseStatus;
use epms::sandbox::opendoor::{DoorSettings, Granter, Mishap, OpenDoor};
use epms::sandbox::{Kind, PersonId, Sandbox};
use serde_json::Value;

/// A PMS, doors for its units, and a home that reads the one and delivers to the other.
struct Building {
    home: Home,
    pms: Arc<Sandbox>,
    door: OpenDoor,
}

const PROPERTY: &str = "elm";
const COMMON: &str = "Common areas";

impl Building {
    /// Everything is delivered at once and without approval.
    async fn new() -> Building {
        let (home, pms) = (Home::new(), pms(Kind::AppFolio, 1, 8).await);
        home.feed(PROPERTY, &pms);
        let labels = {
            let world = pms.world();
            let units = world.units().iter().filter(|unit| !unit.pseudo);
            units.map(|unit| unit.label.clone()).collect()
        };
        let door = OpenDoor::start(DoorSettings {
            units: labels,
            ..DoorSettings::default()
        });
        let building = Building {
            home,
            pms,
            door: door.await.unwrap(),
        };
        building.target();
        building
    }

    fn target(&self) {
        let mut fields = format!("  url: {:?}\n", self.door.url());
        for (name, value) in self.door.credential() {
            if *name == "client_secret" {
                self.home.write("secrets/doors", value);
                fields += "  client_secret: { file: secrets/doors }\n";
            } else {
                fields += &format!("  {name}: {value:?}\n");
            }
        }
        target(&self.home, "doors", "opendoor", &fields, &self.places());
    }

    fn places(&self) -> String {
        self.door.keyring(|keyring| {
            let mut places = "places:\n  map:\n".to_owned();
            for key in keyring.keys.iter().filter(|key| key.name != COMMON) {
                places += &format!("    {:?}: [{}]\n", key.name, key.uuid);
            }
            let common = keyring.key_named(COMMON).unwrap();
            places + &format!("  common: [{}]\n", common.uuid)
        })
    }

    /// What we granted: emails and the names of keys, each as often as it was.
    fn granted(&self) -> Vec<(String, String)> {
        self.door.keyring(|keyring| {
            let ours = keyring.accesses.iter();
            let ours = ours.filter(|access| access.granter == Granter::Partner);
            let mut granted: Vec<_> = ours
                .map(|access| {
                    let user = keyring.users.iter().find(|user| user.uuid == access.user);
                    let key = keyring.keys.iter().find(|key| key.uuid == access.opens);
                    let email = user.unwrap().email.clone().unwrap();
                    (email, key.unwrap().name.clone())
                })
                .collect();
            granted.sort();
            granted
        })
    }

    /// Who lives there by the store, and what each is to open.
    async fn wanted(&self, daemon: &Daemon) -> Vec<(String, String)> {
        let mut wanted = BTreeSet::new();
        for person in daemon.people().await {
            let Some(email) = person.email else { continue };
            let stays = person.stays.values();
            for stay in stays.filter(|stay| stay.status == LeaseStatus::Current && !stay.excluded) {
                let units = stay.unit.iter().chain(&stay.more_units);
                wanted.extend(units.map(|unit| (email.clone(), unit.label.clone())));
                wanted.insert((email.clone(), COMMON.to_owned()));
            }
        }
        wanted.into_iter().collect()
    }

    /// Every door opens to whom it is to, and nothing is granted twice.
    async fn is_as_wanted(&self, daemon: &Daemon) -> Vec<(String, String)> {
        let mut last = (Vec::new(), Vec::new());
        let begun = std::time::Instant::now();
        while begun.elapsed() < 2 * crate::support::PATIENCE {
            last = (self.granted(), self.wanted(daemon).await);
            if last.0 == last.1 && !last.0.is_empty() {
                return last.0;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let acts = self.door.requests().into_iter();
        let acts: Vec<_> = acts.filter(|one| one.method != "GET").collect();
        panic!(
            "granted: {:?}\nwanted: {:?}\n{acts:#?}\n{}",
            last.0,
            last.1,
            daemon.log()
        );
    }

    fn moves_in(&self, email: &str) -> PersonId {
        let mut world = self.pms.world();
        let person = world.move_in(PROPERTY, "Wren", "Alder", Some(email), None);
        person.unwrap()
    }
}

/// A target's files, with these fields of its credential and these lines of its own.
fn target(home: &Home, name: &str, connector: &str, fields: &str, lines: &str) {
    let file = format!("config/connectors/{connector}.yaml");
    // Only the pace is another: what may have been done is known sooner.
    home.edit(&file, "\ntimeout: 30s\n", "\ntimeout: 2s\n");
    home.edit(&file, "\nlimits: {", "\n# limits: {");
    home.write(
        &format!("config/credentials/{name}.yaml"),
        format!("version: 1\nconnector: {connector}\nfields:\n{fields}"),
    );
    std::fs::create_dir_all(home.path("config/targets")).unwrap();
    home.write(
        &format!("config/targets/{name}.yaml"),
        format!("version: 1\ncredential: {name}\nmode: automatic\nstart_delay: 0s\n{lines}"),
    );
}

fn has(granted: &[(String, String)], email: &str, key: &str) -> bool {
    granted.contains(&(email.to_owned(), key.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn r40_a_move_in_a_unit_change_and_a_move_out_arrive_at_opendoor() {
    let building = Building::new().await;
    let (door, place) = (
        &building.door,
        building
            .door
            .keyring(|keyring| keyring.key_named(COMMON).unwrap().uuid.clone()),
    );
    let now = jiff::Timestamp::now();
    door.keyring(|keyring| keyring.grant_by_hand("guest@example.com", &place, now));
    let daemon = Daemon::start(&building.home).await;
    daemon.settle().await;
    building.is_as_wanted(&daemon).await;

    let email = "wren.alder@example.com";
    let person = building.moves_in(email);
    daemon.sync(PROPERTY).await;
    let granted = building.is_as_wanted(&daemon).await;
    assert!(has(&granted, email, COMMON));
    let (household, from, to) = {
        let world = building.pms.world();
        let household = world.household_of(person).unwrap();
        let home = world.household(household).unwrap();
        let taken =
            |unit: epms::sandbox::UnitId| world.households().iter().any(|one| one.unit == unit);
        let mut units = world.units().iter();
        let free = units.find(|unit| !unit.pseudo && !taken(unit.id));
        (household, home.unit, free.map(|unit| unit.id))
    };
    let label = |unit| building.pms.world().unit(unit).unwrap().label.clone();
    assert!(has(&granted, email, &label(from)));

    // Another unit: the new before the old, and what all share stays.
    let to = to.unwrap();
    building.pms.world().transfer(household, to).unwrap();
    daemon.sync(PROPERTY).await;
    let granted = building.is_as_wanted(&daemon).await;
    assert!(has(&granted, email, &label(to)) && !has(&granted, email, &label(from)));
    let acts = door
        .requests()
        .into_iter()
        .filter(|one| one.method != "GET");
    let acts: Vec<_> = acts.collect();
    let last: Vec<&str> = acts
        .iter()
        .rev()
        .take(2)
        .map(|one| one.method.as_str())
        .collect();
    assert_eq!(last, ["DELETE", "POST"]);

    // Gone: everything of theirs goes, and what a manager granted stays.
    let today = building.pms.world().today();
    building.pms.world().move_out(person, today).unwrap();
    let household = building.pms.world().household_of(person).unwrap();
    let past = epms::sandbox::Status::Past;
    building.pms.world().set_status(household, past).unwrap();
    daemon.sync(PROPERTY).await;
    let granted = building.is_as_wanted(&daemon).await;
    assert!(granted.iter().all(|(whose, _)| whose != email));
    let by_hand = door.keyring(|keyring| {
        let mut accesses = keyring.accesses.iter();
        accesses.any(|access| access.granter == Granter::User)
    });
    assert!(by_hand);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_that_no_network_reaches_is_told_to_be_visited() {
    let building = Building::new().await;
    let daemon = Daemon::start(&building.home).await;
    daemon.settle().await;
    let granted = building.is_as_wanted(&daemon).await;
    // The gym has no network, and is behind the key of what all share.
    let people: BTreeSet<&String> = granted.iter().map(|(email, _)| email).collect();
    eventually("visits are told", async || {
        let told = building.home.epms(&["targets", "doors", "--json"]).await;
        let status: Value = serde_json::from_slice(&told.stdout).unwrap_or_default();
        status["grants"]["visit"].as_u64() >= Some(people.len() as u64)
    })
    .await;
    let listed = building
        .home
        .epms(&["deliveries", "--state", "visit", "--json"])
        .await;
    let listed = said(&listed, 0);
    assert!(listed.contains("visit"), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_opendoor_does_each_key_is_granted_once_in_the_end() {
    let building = Building::new().await;
    for mishap in [
        Mishap::DoneUnheard,
        Mishap::DoneServerError,
        Mishap::Unheard,
        Mishap::BareCreated,
        Mishap::TooMany(Some(1)),
        Mishap::Unavailable,
        Mishap::DoneLate(Duration::from_millis(500)),
        Mishap::ServerError,
        Mishap::NotDone,
    ] {
        building.door.mishap(mishap, 1);
    }
    let daemon = Daemon::start(&building.home).await;
    daemon.settle().await;
    building.is_as_wanted(&daemon).await;
    // What comes back to rest is as it is to be once more.
    building.door.mishap(Mishap::ExpiredToken, 1);
    building.moves_in("late.comer@example.com");
    daemon.sync(PROPERTY).await;
    let granted = building.is_as_wanted(&daemon).await;
    assert!(has(&granted, "late.comer@example.com", COMMON));
}

/// Who is active at a SCIM server, by user name.
async fn active(server: &Outside) -> BTreeSet<String> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]);
    let http = http.build().unwrap();
    let url = format!("{}/Users?startIndex=1&count=200", server.url);
    let answer = http.get(url).bearer_auth("good").send().await.unwrap();
    let listed: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let users = listed["Resources"].as_array().unwrap();
    assert_eq!(listed["totalResults"], users.len());
    let active = users.iter().filter(|user| user["active"] == true);
    active
        .map(|user| user["userName"].as_str().unwrap().to_owned())
        .collect()
}

/// Whoever lives there is an active user, and nobody else.
async fn is_active(server: &Outside, daemon: &Daemon) -> BTreeSet<String> {
    let mut last = (BTreeSet::new(), BTreeSet::new());
    let begun = std::time::Instant::now();
    while begun.elapsed() < 2 * crate::support::PATIENCE {
        let people = daemon.people().await.into_iter();
        let living = people.filter(|person| {
            let mut stays = person.stays.values();
            stays.any(|stay| stay.status == LeaseStatus::Current && !stay.excluded)
        });
        let living = living.filter_map(|person| person.email).collect();
        last = (active(server).await, living);
        if last.0 == last.1 && !last.0.is_empty() {
            return last.0;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!(
        "active: {:?}\nliving: {:?}\n{}",
        last.0,
        last.1,
        daemon.log()
    );
}

/// A target `people` of a home, which is the server.
fn scim(home: &Home, server: &Outside) {
    home.write("secrets/people", "good");
    let fields = format!(
        "  url: {:?}\n  token: {{ file: secrets/people }}\n",
        server.url
    );
    target(home, "people", "scim", &fields, "");
}

async fn scim_is_served(server: &Outside) {
    let (home, pms) = (Home::new(), pms(Kind::AppFolio, 1, 8).await);
    home.feed(PROPERTY, &pms);
    scim(&home, server);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    is_active(server, &daemon).await;
    let email = "wren.alder@example.com";
    let person = pms
        .world()
        .move_in(PROPERTY, "Wren", "Alder", Some(email), None);
    let person = person.unwrap();
    daemon.sync(PROPERTY).await;
    assert!(is_active(server, &daemon).await.contains(email));
    pms.world().rename(person, "Wren", "Rowan").unwrap();
    daemon.sync(PROPERTY).await;
    is_active(server, &daemon).await;
    let household = pms.world().household_of(person).unwrap();
    let past = epms::sandbox::Status::Past;
    pms.world().set_status(household, past).unwrap();
    daemon.sync(PROPERTY).await;
    assert!(!is_active(server, &daemon).await.contains(email));
}

/// Kills the daemon while it delivers what happened, so often; `EPMS_KILLS=300` says how often.
async fn killed(home: &Home, mut happens: impl FnMut(u64)) {
    let kills = std::env::var("EPMS_KILLS").map_or(4, |kills| kills.parse().unwrap());
    let mut chance = fastrand::Rng::with_seed(3);
    for round in 0..kills {
        happens(round);
        let daemon = Daemon::start(home).await;
        daemon.begin(PROPERTY).await;
        tokio::time::sleep(Duration::from_millis(chance.u64(0..600))).await;
        daemon.kill();
    }
}

/// Somebody moves in, and the next time they move out.
fn come_and_go(pms: &Sandbox, last: &mut Option<PersonId>, round: u64) {
    let mut world = pms.world();
    let today = world.today();
    if let Some(person) = last.take() {
        world.move_out(person, today).unwrap();
        return;
    }
    let email = format!("wren{round}@example.com");
    let moved = world.move_in(PROPERTY, "Wren", "Alder", Some(&email), None);
    *last = Some(moved.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_killed_while_it_delivers_to_opendoor_grants_each_key_once() {
    let building = Building::new().await;
    let mut last = None;
    let happens = |round| come_and_go(&building.pms, &mut last, round);
    killed(&building.home, happens).await;
    let daemon = Daemon::start(&building.home).await;
    daemon.settle().await;
    building.is_as_wanted(&daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_killed_while_it_delivers_to_scim2_server_loses_nobody() {
    let Some(server) = outside::scim2_server() else {
        return;
    };
    let (home, pms) = (Home::new(), pms(Kind::AppFolio, 1, 8).await);
    home.feed(PROPERTY, &pms);
    scim(&home, &server);
    let mut last = None;
    killed(&home, |round| come_and_go(&pms, &mut last, round)).await;
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    is_active(&server, &daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_of_a_pms_are_users_of_scim2_server() {
    if let Some(server) = outside::scim2_server() {
        scim_is_served(&server).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_of_a_pms_are_users_of_scimmy() {
    if let Some(server) = outside::scimmy() {
        scim_is_served(&server).await;
    }
}
