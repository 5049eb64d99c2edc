//! What people do by hand, through the real binary: alerts walked through as a property manager would, people
//! added, imported, exported, tied, locked and pinned.

use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use crate::support::{Daemon, Home, pms, told};
use epms::model::{Actor, AlertKind, AlertState, LeaseStatus, Person};
use epms::sandbox::{Kind, Sandbox};
use reqwest::Method;

pub(super) struct House {
    pub(super) pms: Arc<Sandbox>,
    pub(super) home: Home,
    pub(super) daemon: Daemon,
}

impl House {
    pub(super) async fn start() -> House {
        let pms = pms(Kind::AppFolio, 1, 30).await;
        let home = Home::new();
        home.feed("elm", &pms);
        let daemon = Daemon::start(&home).await;
        daemon.settle().await;
        House { pms, home, daemon }
    }

    /// One whose feed is off, with nobody in it.
    pub(super) async fn empty() -> House {
        let pms = pms(Kind::AppFolio, 1, 1).await;
        let home = Home::new();
        home.feed("elm", &pms);
        let file = "config/integrations/elm.yaml";
        let text = home.read(file);
        home.write(file, text.replace("enabled: true", "enabled: false"));
        let daemon = Daemon::start(&home).await;
        House { pms, home, daemon }
    }

    /// A command that succeeds; what it wrote.
    #[track_caller]
    pub(super) fn epms(&self, line: &str) -> impl Future<Output = String> {
        let words: Vec<String> = line.split(' ').map(String::from).collect();
        async move {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let output = self.home.epms(&words).await;
            assert_eq!(
                output.status.code(),
                Some(0),
                "{words:?}: {}",
                told(&output)
            );
            String::from_utf8(output.stdout).unwrap()
        }
    }

    /// A command that fails with this code; what it said.
    pub(super) async fn fails(&self, line: &str, code: i32) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        let output = self.home.epms(&words).await;
        assert_eq!(
            output.status.code(),
            Some(code),
            "{line}: {}",
            told(&output)
        );
        told(&output)
    }

    pub(super) fn move_in(&self, first: &str, last: &str, email: &str) {
        let mut world = self.pms.world();
        world
            .move_in("elm", first, last, Some(email), None)
            .unwrap();
    }

    pub(super) async fn sync(&self) {
        let report = self.daemon.sync("elm").await;
        assert!(report.outcome.is_success(), "{report:?}");
    }

    /// The open alert that shows this email.
    async fn alert_about(&self, kind: AlertKind, email: &str) -> epms::model::Alert {
        let alerts = self.daemon.alerts().await;
        let shows = |alert: &&epms::model::Alert| {
            alert.kind == kind
                && alert.state == AlertState::Open
                && alert
                    .sides
                    .iter()
                    .any(|side| side.values.values().any(|value| value == email))
        };
        let alert = alerts.iter().find(shows);
        alert
            .unwrap_or_else(|| panic!("no {kind}: {alerts:#?}"))
            .clone()
    }

    pub(super) async fn person(&self, email: &str) -> Person {
        self.daemon.person_with(email).await.unwrap()
    }

    /// Everybody but those whose making was undone.
    async fn people(&self) -> Vec<Person> {
        let mut people = self.daemon.people().await;
        people.retain(|one| !one.withdrawn);
        people
    }

    /// Runs every command that `alerts show` names for an alert, each undone before the next, and then that
    /// the alert is raised again.
    async fn every_way(&self, kind: AlertKind, email: &str) -> Vec<String> {
        let id = self.alert_about(kind, email).await.id;
        let shown = self.epms(&format!("alerts show {id}")).await;
        let ways: Vec<String> = shown
            .lines()
            .filter_map(|line| line.trim().strip_prefix("epms "))
            .map(String::from)
            .collect();
        let before = self.people().await;
        for way in &ways {
            self.epms(way).await;
            assert!(
                !self
                    .epms("alerts list --all")
                    .await
                    .contains(&format!("{id} ")),
                "{way}"
            );
            self.sync().await;
            assert!(
                !self
                    .epms("alerts list --all")
                    .await
                    .contains(&format!("{id} ")),
                "{way}"
            );
            let undone = self.epms(&format!("alerts undo {id}")).await;
            assert!(undone.contains(&format!("undo of {id}")), "{undone}");
            self.sync().await;
            assert_eq!(self.alert_about(kind, email).await.id, id, "{way}");
            let people = self.people().await;
            assert_eq!(people, before, "{way}");
        }
        ways.iter()
            .map(|way| way.replace(&id.to_string(), "A"))
            .collect()
    }
}

#[tokio::test]
async fn the_four_documented_alerts_are_resolved_in_each_of_their_ways_and_undone() {
    let house = House::start().await;
    house
        .epms("people add --first-name Nora --last-name Quist --email nora@example.com")
        .await;
    for email in ["old.finn@example.com", "work.rosa@example.com"] {
        let first = if email.contains("finn") {
            "Finn"
        } else {
            "Rosa"
        };
        house
            .epms(&format!(
                "people add --first-name {first} --last-name Quist --email {email} --integration elm"
            ))
            .await;
    }
    house
        .epms(
            "people add --first-name Rosa --last-name Quist --email home.rosa@example.com --integration elm",
        )
        .await;
    house.move_in("Eleanora", "Quist", "nora@example.com");
    house.move_in("Finn", "Quist", "finn@example.com");
    house.move_in("Rosa", "Quist", "rosa@example.com");
    house.move_in("Twin", "One", "twin@example.com");
    house.move_in("Twin", "Two", "twin@example.com");
    house.sync().await;

    let ways = house
        .every_way(AlertKind::NameMismatch, "nora@example.com")
        .await;
    assert_eq!(ways, ["alerts resolve A merge", "alerts dismiss A"]);
    let ways = house
        .every_way(AlertKind::EmailMismatch, "finn@example.com")
        .await;
    assert_eq!(
        ways,
        [
            "alerts resolve A replace-email",
            "alerts resolve A create-separate",
            "alerts dismiss A"
        ]
    );
    let ways = house
        .every_way(AlertKind::DuplicateAccounts, "rosa@example.com")
        .await;
    let [one, other] = ["work.rosa@example.com", "home.rosa@example.com"];
    let (one, other) = (house.person(one).await.id, house.person(other).await.id);
    assert_eq!(
        ways,
        [
            format!("alerts resolve A merge --into {one}"),
            format!("alerts resolve A merge --into {other}"),
            "alerts resolve A not-duplicate".to_owned(),
            "alerts dismiss A".to_owned()
        ]
    );
    let ways = house
        .every_way(AlertKind::DuplicateEmails, "twin@example.com")
        .await;
    assert_eq!(ways, ["alerts dismiss A"]);
    let id = house
        .alert_about(AlertKind::DuplicateEmails, "twin@example.com")
        .await
        .id;
    let said = house.fails(&format!("alerts resolve {id} merge"), 1).await;
    assert!(said.contains("correct the email in the PMS"), "{said}");
    // Corrected there, both come in, and the alert closes itself.
    {
        let mut world = house.pms.world();
        let twin = world
            .households()
            .iter()
            .flat_map(|home| &home.members)
            .find(|one| one.last == "Two")
            .unwrap()
            .id;
        world
            .change_email(twin, Some("two@example.com".into()))
            .unwrap();
    }
    house.sync().await;
    assert!(house.daemon.person_with("twin@example.com").await.is_some());
    assert!(house.daemon.person_with("two@example.com").await.is_some());
    assert!(
        house
            .epms("alerts list --state auto_closed")
            .await
            .contains(&id.to_string())
    );

    // Who did it is the peer of the socket.
    let nora = house.person("nora@example.com").await.id;
    let alert = house
        .alert_about(AlertKind::NameMismatch, "nora@example.com")
        .await
        .id;
    let path = format!("/v1/alerts/{alert}/resolve");
    let answer = house
        .daemon
        .send(Method::POST, &path, r#"{"how":"merge"}"#)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let path = format!("/v1/people/{nora}/history");
    let newest = &house.daemon.get(&path).await.json()["items"][0];
    assert_eq!(newest["rule"], "R31");
    let uid = std::fs::metadata(house.home.root()).unwrap().uid();
    // With the name that this machine has for them, where it has one.
    let name = nix::unistd::User::from_uid(uid.into()).unwrap();
    let name = name.map(|user| user.name);
    let actor = Actor::user(uid, name.clone());
    assert_eq!(newest["actor"], serde_json::to_value(&actor).unwrap());
    let told = match name {
        Some(name) => format!("{name} (uid {uid})"),
        None => format!("uid {uid}"),
    };
    for command in [
        format!("people history {nora}"),
        format!("alerts show {alert}"),
    ] {
        let shown = house.epms(&command).await;
        assert!(shown.contains(&told), "{command}: {shown}");
    }
}

#[tokio::test]
async fn what_cannot_be_done_by_hand_says_why() {
    let house = House::start().await;
    for (path, body, status, says) in [
        (
            "/v1/alerts/a99/resolve",
            r#"{"how":"merge"}"#,
            404,
            "no alert a99",
        ),
        ("/v1/alerts/a1/resolve", r#"{"how":"guess"}"#, 400, "guess"),
        ("/v1/alerts/a1/resolve", "merge", 400, ""),
        (
            "/v1/alerts/a1/resolve",
            r#"{"how":"merge","too":1}"#,
            400,
            "too",
        ),
        ("/v1/alerts/7/dismiss", "", 400, "a5"),
        (
            "/v1/people/p1/lock",
            r#"{"fields":["status"]}"#,
            400,
            "cannot be locked",
        ),
        (
            "/v1/people/p1/lock",
            r#"{"fields":[]}"#,
            400,
            "name the fields",
        ),
        ("/v1/people/p99999/pin", "", 404, "no person p99999"),
        (
            "/v1/people/p1/link",
            r#"{"integration":"elm"}"#,
            400,
            "resident",
        ),
        ("/v1/runs/r1/approve", "", 409, "r1 is committed"),
        ("/v1/runs/r77/approve", "", 404, "no run r77"),
        ("/v1/runs/r1/reject", "", 409, "r1 is committed"),
        ("/v1/runs/r77/reject", "", 404, "no run r77"),
        (
            "/v1/integrations/oak/preview",
            "",
            404,
            "no integration `oak`",
        ),
        (
            "/v1/integrations/oak/pause",
            "",
            404,
            "no integration `oak`",
        ),
        (
            "/v1/people",
            r#"{"first_name":"A","lease_end":"31.3.2026"}"#,
            400,
            "lease_end: is no date",
        ),
        ("/v1/people", r#"{"name":"A"}"#, 400, "unknown field"),
    ] {
        let before = house.daemon.changes().await;
        let answer = house.daemon.send(Method::POST, path, body).await;
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.body);
        assert!(
            answer.problem().detail.contains(says),
            "{path}: {}",
            answer.body
        );
        assert_eq!(house.daemon.changes().await, before);
    }
}

#[tokio::test]
async fn people_are_exported_and_imported_again_as_they_were() {
    let house = House::start().await;
    house
        .epms("people add --first-name Ada --last-name Lovelace --email ada@example.com --phone 4155550100")
        .await;
    let said = house
        .fails("people add --last-name Other --email ADA@example.com", 1)
        .await;
    assert!(said.contains("has this email already"), "{said}");
    let csv = house.epms("people export").await;
    let header = csv.lines().next().unwrap();
    assert!(
        header.starts_with(
            "first_name,last_name,email,phone,lease_start,lease_end,move_in,move_out,unit,integration,status"
        ),
        "{header}"
    );
    assert!(csv.contains("Ada,Lovelace,ada@example.com,+14155550100"));
    let rows = csv.lines().count() - 1;
    assert_eq!(rows, house.daemon.people().await.len());
    let json: Vec<serde_json::Value> =
        serde_json::from_str(&house.epms("people export --format json").await).unwrap();
    assert_eq!(json.len(), rows);
    let elm = house.epms("people export --integration elm").await;
    assert!(!elm.contains("Lovelace"));

    // Into another store, whose PMS has nobody of them.
    let other = House::start().await;
    let empty = other.daemon.people().await.len();
    let file = other.home.path("people.csv");
    let new = csv
        .replace("@example.com", "@elsewhere.example.com")
        .replace("@example.net", "@elsewhere.example.com")
        .replace("@example.org", "@elsewhere.example.com");
    std::fs::write(&file, &new).unwrap();
    let import = format!("people import {}", file.display());
    let said = other.epms(&format!("{import} --dry-run")).await;
    assert!(
        said.contains(&format!("{rows} people would be made")),
        "{said}"
    );
    assert_eq!(other.daemon.people().await.len(), empty);
    other.epms(&import).await;
    assert_eq!(other.daemon.people().await.len(), empty + rows);
    let ada = other.person("ada@elsewhere.example.com").await;
    assert_eq!(
        (ada.first_name.as_str(), ada.phone.as_deref()),
        ("Ada", Some("+14155550100"))
    );
    let again = other.epms(&import).await;
    assert!(
        again.contains(&format!("0 people were made, {rows} were there already")),
        "{again}"
    );
    assert_eq!(other.daemon.people().await.len(), empty + rows);
}

#[tokio::test]
async fn an_import_tells_every_line_that_is_wrong_and_makes_nobody() {
    let house = House::start().await;
    let before = house.daemon.people().await;
    let file = house.home.path("people.csv");
    std::fs::write(
        &file,
        "last_name,first_name,email,lease_end,integration,phone\n\
         Hall,Zoe,zoe@example.com,2027-03-31,elm,\n\
         Hall,Max,not an email,31.3.2027,elm,12\n\
         ,,,,,\n\
         Hall,Kim,kim@example.com,,oak,\n\
         Hall,Zed,zoe@example.com,,,\n\
         too,few\n",
    )
    .unwrap();
    let said = house
        .fails(&format!("people import {}", file.display()), 1)
        .await;
    for line in [
        "line 3: lease_end: is no date; write it as 2026-03-31",
        "line 3: email: is no usable email address",
        "line 3: phone: is no valid phone in US",
        "line 4: last_name: is empty",
        "line 5: integration: is none of the files",
        "line 6: email: stands in line 2 too",
        "line 7: has 2 fields, and the header has 6",
        "nothing was imported: 5 lines are wrong",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    assert!(
        !said.contains("zoe@example.com"),
        "no personal data: {said}"
    );
    assert_eq!(house.daemon.people().await, before);
    std::fs::write(&file, "last_name,mail\nHall,zoe@example.com\n").unwrap();
    let said = house
        .fails(&format!("people import {}", file.display()), 2)
        .await;
    assert!(
        said.contains("unknown column `mail`; did you mean `email`"),
        "{said}"
    );
}

#[tokio::test]
async fn a_pinned_person_and_a_locked_field_stay_through_syncs() {
    let house = House::start().await;
    house.move_in("Ida", "Brand", "ida@example.com");
    house.sync().await;
    let ida = house.person("ida@example.com").await.id;
    house.epms(&format!("people pin {ida}")).await;
    let resident = {
        let mut world = house.pms.world();
        let one = world
            .households()
            .iter()
            .flat_map(|home| &home.members)
            .find(|one| one.last == "Brand")
            .unwrap()
            .id;
        world.rename(one, "Idunn", "Brand").unwrap();
        one
    };
    house.sync().await;
    assert_eq!(house.person("ida@example.com").await.first_name, "Ida");
    let shown = house.epms(&format!("people show {ida}")).await;
    assert!(shown.contains("no run writes to this person"), "{shown}");
    house.epms(&format!("people unpin {ida}")).await;
    house.epms(&format!("people lock {ida} first_name")).await;
    house.sync().await;
    assert_eq!(house.person("ida@example.com").await.first_name, "Ida");
    house.epms(&format!("people unlock {ida} first_name")).await;
    house.sync().await;
    assert_eq!(house.person("ida@example.com").await.first_name, "Idunn");

    // Untied, the stay ends, and the next sync asks instead of tying them again.
    let resident = house.pms.person_id(resident).unwrap();
    house
        .epms(&format!("people unlink {ida} elm {resident}"))
        .await;
    let person = house.person("ida@example.com").await;
    assert!(
        person
            .stays
            .values()
            .all(|stay| stay.status == LeaseStatus::Past)
    );
    house.sync().await;
    house
        .alert_about(AlertKind::NameMismatch, "ida@example.com")
        .await;
    house
        .epms(&format!("people link {ida} elm {resident}"))
        .await;
    house.sync().await;
    let person = house.person("ida@example.com").await;
    assert!(
        person
            .stays
            .values()
            .all(|stay| stay.status == LeaseStatus::Current)
    );
}

#[tokio::test]
async fn r35_a_unit_that_somebody_maps_houses_its_people_until_that_is_undone() {
    let house = House::start().await;
    house.move_in("Ilka", "Brandt", "ilka@example.com");
    house.move_in("Jorin", "Brandt", "jorin@example.com");
    let generation = house.daemon.generation("elm").await;
    house.sync().await;
    let unit_of = async |email: &str| {
        let person = house.person(email).await;
        let stay = person.stays.into_values().next().unwrap();
        stay.unit.map(|unit| (unit.id, unit.label))
    };
    let (pms_unit, _) = unit_of("ilka@example.com").await.unwrap();
    let (other_unit, _) = unit_of("jorin@example.com").await.unwrap();
    let file = "config/integrations/elm.yaml";
    let text = house.home.read(file);
    let listed = "guard: { limit: 200 }\nunits: { here: [Garden Flat, Loft] }\n";
    house.home.write(file, format!("{text}{listed}"));
    house.daemon.reloaded("elm", generation).await;
    house.sync().await;
    let alert = async |unit: &str| {
        let open = house.daemon.alerts().await;
        open.into_iter()
            .find(|alert| alert.kind == AlertKind::UnmappedUnit && alert.subject == unit)
    };
    let id = alert(&pms_unit).await.unwrap().id;
    let other = alert(&other_unit).await.unwrap().id;
    assert_eq!(unit_of("ilka@example.com").await, None);
    let shown = house.epms(&format!("alerts show {id}")).await;
    assert!(shown.contains("map-unit UNIT"), "{shown}");

    let resolve = |alert, unit: &str| format!("alerts resolve {alert} map-unit {unit}");
    let typo = house.fails(&resolve(id, "Lofd"), 1).await;
    assert!(typo.contains("did you mean `Loft`?"), "{typo}");
    house.epms(&resolve(id, "Loft")).await;
    let taken = house.fails(&resolve(other, "Loft"), 1).await;
    assert!(
        taken.contains(&format!("`{pms_unit}` is `Loft` already")),
        "{taken}"
    );
    house
        .epms(&format!("{} --force", resolve(other, "Loft")))
        .await;
    house.sync().await;
    let loft = Some((pms_unit.clone(), "Loft".to_owned()));
    assert_eq!(unit_of("ilka@example.com").await, loft);
    assert_eq!(
        unit_of("jorin@example.com").await,
        Some((other_unit.clone(), "Loft".into()))
    );
    assert!(alert(&pms_unit).await.is_none());
    house.sync().await;
    assert!(alert(&pms_unit).await.is_none());

    // What the file says goes before.
    let generation = house.daemon.generation("elm").await;
    let mapped = format!(
        "guard: {{ limit: 200 }}\nunits: {{ map: {{ \"{pms_unit}\": Garden Flat }}, here: [Garden Flat, Loft] }}\n"
    );
    house.home.write(file, format!("{text}{mapped}"));
    let generation = house.daemon.reloaded("elm", generation).await;
    house.sync().await;
    assert_eq!(
        unit_of("ilka@example.com").await,
        Some((pms_unit.clone(), "Garden Flat".into()))
    );
    house.home.write(file, format!("{text}{listed}"));
    house.daemon.reloaded("elm", generation).await;

    house.epms(&format!("alerts undo {id}")).await;
    house.sync().await;
    assert_eq!(alert(&pms_unit).await.unwrap().id, id);
    assert_eq!(unit_of("ilka@example.com").await, None);
}
