//! Answers in the shapes in which PMSs really send them, through the shipped connectors: a whole run from a server takes
//! in whom `epms map` shows, and leaves out whom it leaves out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use epms::config::{Files, Home as Folder};
use epms::model::{AlertKind, Decision, Fate, IntegrationId, LeaseStatus, Outcome, Stay};
use serde_json::Value;

use crate::support::{Daemon, Home, told};

/// What a request has somewhere in its address or body, and the file that answers it: the first that fits.
type Answers = Arc<Mutex<Vec<(&'static str, &'static str)>>>;

fn fixture(name: &str) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recordings");
    fixtures.join(name)
}

async fn answer(State(answers): State<Answers>, uri: Uri, body: Bytes) -> Response {
    let asked = format!("{uri}\n{}", String::from_utf8_lossy(&body));
    let answers = answers.lock().unwrap();
    let Some((_, file)) = answers.iter().find(|(part, _)| asked.contains(part)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = match Path::new(file)
        .extension()
        .and_then(|ending| ending.to_str())
    {
        Some("json") => "application/json",
        _ => "text/xml; charset=utf-8",
    };
    let text = std::fs::read_to_string(fixture(file)).unwrap();
    // Entrata says how many there are in a header.
    let count = total(&text).to_string();
    (
        [(CONTENT_TYPE.as_str(), kind), ("x-total-count", &count)],
        text,
    )
        .into_response()
}

/// How many leases or units an answer of Entrata has.
fn total(text: &str) -> usize {
    let answer: Value = serde_json::from_str(text).unwrap_or_default();
    let result = &answer["response"]["result"];
    let lists = [
        &result["leases"]["lease"],
        &result["properties"]["property"]["units"]["unit"],
    ];
    lists
        .iter()
        .filter_map(|list| list.as_array())
        .map(Vec::len)
        .sum()
}

/// A home with a credential for a server that answers so, of a shipped connector.
async fn home_of(connector: &str, answers: &[(&'static str, &'static str)]) -> (Home, Answers) {
    let answers: Answers = Arc::new(Mutex::new(answers.to_vec()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new()
        .fallback(answer)
        .with_state(Arc::clone(&answers));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let home = Home::new();
    let files = Files::read(&Folder::at(home.root()));
    let fields = &files.connectors[connector]
        .as_ref()
        .unwrap()
        .value
        .credential_fields;
    let mut text = format!("version: 1\nconnector: {connector}\nfields:\n");
    for (name, field) in fields {
        text += &match (name.as_str(), field.secret) {
            ("url", _) => format!("  url: \"{url}\"\n"),
            (_, true) => {
                home.write(&format!("secrets/{name}"), format!("q7Zt-{}", name.len()));
                format!("  {name}: {{ file: secrets/{name} }}\n")
            }
            (_, false) => format!("  {name}: w9Kx-{}\n", name.len()),
        };
    }
    home.write("config/credentials/account.yaml", text);
    (home, answers)
}

fn attach(home: &Home, id: &str, property: &str, more: &str) {
    home.write(
        &format!("config/integrations/{id}.yaml"),
        format!(
            "version: 1\nproperty: {{ name: The {id}, timezone: America/New_York, country: US }}\ncredential: account\n\
             pms_properties: [\"{property}\"]\n{more}"
        ),
    );
}

/// Who lives there or will, and who is left out, by PMS id.
#[derive(Debug, PartialEq, Eq)]
struct Taken {
    in_house: BTreeSet<String>,
    left_out: BTreeMap<String, String>,
}

/// As `epms map` says.
async fn mapped(home: &Home, script: &str, file: &str, property: &str) -> Taken {
    let file = fixture(file);
    let words = [
        "map",
        script,
        file.to_str().unwrap(),
        "--property",
        property,
        "--json",
    ];
    let output = home.epms(&words).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut taken = Taken {
        in_house: BTreeSet::new(),
        left_out: BTreeMap::new(),
    };
    for one in report["residents"].as_array().unwrap() {
        let id = one["id"].as_str().unwrap().to_owned();
        let relationship = one["relationship"].as_str().unwrap();
        if ["company", "minor", "guarantor"].contains(&relationship) {
            taken.left_out.insert(id, relationship.to_owned());
        } else if ["pending", "current"].contains(&one["status"].as_str().unwrap()) {
            taken.in_house.insert(id);
        }
    }
    for one in report["excluded"].as_array().into_iter().flatten() {
        let text = |name: &str| one[name].as_str().unwrap().to_owned();
        taken.left_out.insert(text("id"), text("reason"));
    }
    taken
}

/// As a run did.
async fn ran(daemon: &Daemon, id: &str) -> (Taken, Vec<Decision>) {
    let run = daemon.sync(id).await;
    assert!(run.outcome.is_success(), "{run:#?}");
    let report = daemon.get(&format!("/v1/runs/{}", run.id)).await.json();
    let decisions: Vec<Decision> = serde_json::from_value(report["decisions"].clone()).unwrap();
    let is_in = |one: &&Decision| {
        matches!(
            one.fate,
            Fate::Created | Fate::Linked | Fate::Updated | Fate::Unchanged
        )
    };
    let taken = Taken {
        in_house: decisions
            .iter()
            .filter(is_in)
            .map(|one| one.subject.clone())
            .collect(),
        left_out: decisions
            .iter()
            .filter(|one| one.fate == Fate::Excluded)
            .map(|one| (one.subject.clone(), one.reason.clone()))
            .collect(),
    };
    (taken, decisions)
}

async fn stay_of(daemon: &Daemon, id: &str, first: &str) -> Stay {
    let people = daemon.people().await;
    let one = people.iter().find(|one| one.first_name == first);
    let one = one.unwrap_or_else(|| panic!("{first} is not there: {people:#?}"));
    one.stay(&IntegrationId::new(id)).unwrap().clone()
}

async fn alerts_of(daemon: &Daemon, kind: AlertKind) -> Vec<String> {
    let alerts = daemon.alerts().await;
    let of_kind = alerts.iter().filter(|one| one.kind == kind);
    of_kind.map(|one| one.subject.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_recording_is_taken_by_a_run_as_map_shows_it() {
    for (connector, script, file, answers, property, expected) in [
        (
            "realpage",
            "realpage",
            "realpage-households.xml",
            &[("getresidentlistinfo", "realpage-households.xml")][..],
            "4400123",
            (
                &["4400123-1", "4400123-3", "4400123-4", "4400123-6"][..],
                &[
                    ("4400123-2", "minor"),
                    ("4400123-7", "placeholder"),
                    ("4400123-8", "company"),
                ][..],
            ),
        ),
        (
            "entrata",
            "entrata",
            "entrata-beds.json",
            &[
                ("getLeases", "entrata-beds.json"),
                ("getPropertyUnits", "entrata-units.json"),
            ],
            "elm",
            (
                &["900", "901", "902", "908", "909"],
                &[
                    ("903", "placeholder"),
                    ("904", "company"),
                    ("905", "placeholder"),
                    ("906", "company"),
                    ("907", "placeholder"),
                    ("910", "guarantor"),
                ],
            ),
        ),
        (
            "mri-xml",
            "mri",
            "mri-1-lives-there.xml",
            &[
                ("LeaseDetails", "mri-1-lives-there.xml"),
                ("PendingMoveIns", "mri-nobody-moves-in.xml"),
            ],
            "elm",
            (&["0000000101", "0000000102"], &[]),
        ),
        (
            "yardi-billing",
            "yardi-billing",
            "yardi-billing.xml",
            &[("GetResidentTransactions_Login", "yardi-billing.xml")],
            "elm",
            (
                &["r0000002", "t0000001", "t0000004"],
                &[
                    ("r0000003", "guarantor"),
                    ("t0000005", "pseudo unit WAIT"),
                    ("t0000006", "company"),
                ],
            ),
        ),
        (
            "appfolio-reports",
            "appfolio-reports",
            "appfolio-reports.json",
            &[("tenant_directory", "appfolio-reports.json")],
            "17",
            (
                &["9101", "9102"],
                &[("9103", "guarantor"), ("9109", "placeholder")],
            ),
        ),
    ] {
        let (home, _) = home_of(connector, answers).await;
        attach(&home, "elm", property, "");
        let shown = mapped(&home, script, file, property).await;
        let (in_house, left_out) = expected;
        let expected = Taken {
            in_house: in_house.iter().map(ToString::to_string).collect(),
            left_out: left_out
                .iter()
                .map(|(id, why)| (id.to_string(), why.to_string()))
                .collect(),
        };
        assert_eq!(shown, expected, "{connector}");
        let daemon = Daemon::start(&home).await;
        daemon.settle().await;
        let (taken, decisions) = ran(&daemon, "elm").await;
        assert_eq!(taken, expected, "{connector} {decisions:#?}");
        // Nobody is woken for somebody who is nobody.
        assert_eq!(
            alerts_of(&daemon, AlertKind::MissingEmail).await,
            [""; 0],
            "{connector}"
        );
        assert_eq!(
            daemon.sync("elm").await.outcome,
            Outcome::Unchanged,
            "{connector}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_term_that_rolls_over_costs_its_dates_and_leaving_goes_through() {
    let pending = ("PendingMoveIns", "mri-nobody-moves-in.xml");
    let reading = |file: &'static str| vec![("LeaseDetails", file), pending];
    let (home, answers) = home_of("mri-xml", &reading("mri-1-lives-there.xml")).await;
    attach(&home, "elm", "elm", "");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    assert_eq!(
        stay_of(&daemon, "elm", "Mara").await.status,
        LeaseStatus::Current
    );
    *answers.lock().unwrap() = reading("mri-2-rolled-over.xml");
    ran(&daemon, "elm").await;
    let mara = stay_of(&daemon, "elm", "Mara").await;
    assert_eq!(mara.status, LeaseStatus::Current);
    assert!(
        mara.lease_start.is_some() && mara.lease_end.is_some(),
        "what is known stays"
    );
    assert_eq!(alerts_of(&daemon, AlertKind::BadDates).await.len(), 1);
    *answers.lock().unwrap() = reading("mri-3-moved-out.xml");
    ran(&daemon, "elm").await;
    let mara = stay_of(&daemon, "elm", "Mara").await;
    assert_eq!(mara.status, LeaseStatus::Past);
    assert_eq!(mara.move_out, Some(jiff::civil::date(2026, 5, 20)));
    assert_eq!(
        stay_of(&daemon, "elm", "Odo").await.status,
        LeaseStatus::Current
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn beds_are_units_to_map_each_and_a_room_of_two_beds_is_both() {
    let answers = [
        ("getLeases", "entrata-beds.json"),
        ("getPropertyUnits", "entrata-units.json"),
    ];
    let (home, _) = home_of("entrata", &answers).await;
    attach(
        &home,
        "elm",
        "elm",
        "units: { here: [305-A, 305-B, 305-C, 305-D, \"308\", \"309\"] }\n",
    );
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let mut unmapped = alerts_of(&daemon, AlertKind::UnmappedUnit).await;
    unmapped.sort();
    assert_eq!(unmapped, ["4308", "4309", "7000", "7001", "7002", "7003"]);
    for (bed, here) in [
        ("7000", "305-A"),
        ("7001", "305-B"),
        ("7002", "305-C"),
        ("7003", "305-D"),
    ] {
        let alerts = daemon.alerts().await;
        let alert = alerts.iter().find(|one| one.subject == bed).unwrap();
        let words = ["alerts", "resolve", &alert.id.to_string(), "map-unit", here];
        let output = home.epms(&words).await;
        assert!(output.status.success(), "{}", told(&output));
    }
    ran(&daemon, "elm").await;
    let mut homes = BTreeMap::new();
    for name in ["Kim", "Lou", "Mo"] {
        let stay = stay_of(&daemon, "elm", name).await;
        let units = stay.unit.into_iter().chain(stay.more_units);
        homes.insert(name, units.map(|unit| unit.label).collect::<Vec<_>>());
    }
    assert_eq!(homes["Kim"], ["305-A"]);
    assert_eq!(homes["Lou"], ["305-B"]);
    assert_eq!(homes["Mo"], ["305-C", "305-D"]);
    assert_eq!(
        alerts_of(&daemon, AlertKind::MultipleCurrentLeases).await,
        [""; 0]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_without_a_licence_fails_alone_and_the_other_site_of_the_credential_goes_on() {
    let answers = [
        ("<siteid>4400124</siteid>", "realpage-no-licence.xml"),
        ("getresidentlistinfo", "realpage-households.xml"),
    ];
    let (home, _) = home_of("realpage", &answers).await;
    attach(&home, "ash", "4400124", "");
    attach(&home, "elm", "4400123", "");
    let daemon = Daemon::start(&home).await;
    for _ in 0..2 {
        let ash = daemon.sync("ash").await;
        let elm = daemon.sync("elm").await;
        assert!(matches!(ash.outcome, Outcome::Failed { .. }), "{ash:#?}");
        assert!(
            ash.outcome.reason().unwrap().contains("not authorized"),
            "{ash:#?}"
        );
        assert!(elm.outcome.is_success(), "{elm:#?}");
    }
    assert_eq!(
        alerts_of(&daemon, AlertKind::CredentialFailing).await,
        [""; 0]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_being_transferred_stays_current_in_both_units_while_the_office_is_late() {
    let answers = [("getresidentlistinfo", "realpage-households.xml")];
    let (home, _) = home_of("realpage", &answers).await;
    attach(&home, "elm", "4400123", "");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let ida = stay_of(&daemon, "elm", "Ida").await;
    assert_eq!((ida.status, ida.move_out), (LeaseStatus::Current, None));
    let units = ida.unit.into_iter().chain(ida.more_units);
    assert_eq!(
        units.map(|unit| unit.label).collect::<Vec<_>>(),
        ["1-104", "1-103"]
    );
    let gus = stay_of(&daemon, "elm", "Gus").await;
    assert_eq!(gus.status, LeaseStatus::Current);
    assert_eq!(
        gus.lease_end,
        Some(jiff::civil::date(2100, 1, 14)),
        "one stay with its renewal"
    );
}
