//! Answers in the shapes in which PMSs really send them, through the shipped connectors: a whole run from a server takes
//! in whom `epms map` shows, and leaves out whom it leaves out.

mod table;

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
use epms::model::{
    AlertKind, Decision, Fate, Field, IntegrationId, LeaseStatus, Outcome, PersonId, Resident, Stay,
};
use serde_json::Value;

use crate::support::{Daemon, Home, told};

use table::{RECORDINGS, Recording};

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
    // An empty file is how there is nothing.
    if text.is_empty() {
        return StatusCode::NO_CONTENT.into_response();
    }
    // Entrata and Rent Manager, whose lists are the whole answer, say how many there are in a header.
    let count = total(&text).to_string();
    let header = if text.starts_with('[') {
        "x-total-results"
    } else {
        "x-total-count"
    };
    ([(CONTENT_TYPE.as_str(), kind), (header, &count)], text).into_response()
}

/// How many leases or units an answer of Entrata has, or how many accounts one of Rent Manager.
fn total(text: &str) -> usize {
    let answer: Value = serde_json::from_str(text).unwrap_or_default();
    let result = &answer["response"]["result"];
    let lists = [
        &answer,
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
            // Such as a number.
            (_, false) if field.default.is_some() => String::new(),
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

/// Who lives there or will, who would but for an email, and who is left out, by PMS id.
#[derive(Debug, Default, PartialEq, Eq)]
struct Taken {
    in_house: BTreeSet<String>,
    no_email: BTreeSet<String>,
    left_out: BTreeMap<String, String>,
}

/// As `epms map` says, and all residents that it shows.
async fn mapped(home: &Home, script: &str, file: &str, property: &str) -> (Taken, Vec<Resident>) {
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
    let residents: Vec<Resident> = serde_json::from_value(report["residents"].clone()).unwrap();
    let mut taken = Taken::default();
    for one in &residents {
        let id = one.id.clone();
        if one.relationship.is_left_out() {
            let relationship = one.relationship.as_str().to_owned();
            taken.left_out.insert(id, relationship);
        } else if one.status.may_come_in() && one.email.is_none() {
            taken.no_email.insert(id);
        } else if one.status.may_come_in() {
            taken.in_house.insert(id);
        }
    }
    for one in report["excluded"].as_array().into_iter().flatten() {
        let text = |name: &str| one[name].as_str().unwrap().to_owned();
        taken.left_out.insert(text("id"), text("reason"));
    }
    (taken, residents)
}

/// As a run did.
async fn ran(daemon: &Daemon, id: &str) -> (Taken, Vec<Decision>) {
    let run = daemon.sync(id).await;
    assert!(run.outcome.is_success(), "{run:#?}");
    let report = daemon.get(&format!("/v1/runs/{}", run.id)).await.json();
    let decisions: Vec<Decision> = serde_json::from_value(report["decisions"].clone()).unwrap();
    let mut taken = Taken::default();
    for one in &decisions {
        let id = one.subject.clone();
        match one.fate {
            Fate::Created | Fate::Linked | Fate::Updated | Fate::Unchanged => {
                taken.in_house.insert(id);
            }
            Fate::Held if one.reason == "it has no email" => {
                taken.no_email.insert(id);
            }
            Fate::Excluded => {
                taken.left_out.insert(id, one.reason.clone());
            }
            _ => {}
        }
    }
    (taken, decisions)
}

/// Whoever is in the store has there what `epms map` shows of them, and nothing else: a date that cannot be is what it was
/// before. Somebody with several leases is left to tests of their own.
async fn is_kept_as_shown(daemon: &Daemon, id: &str, decisions: &[Decision], shown: &[Resident]) {
    let people = daemon.people().await;
    let people: BTreeMap<PersonId, _> = people.iter().map(|one| (one.id, one)).collect();
    for one in shown {
        let decision = decisions.iter().find(|made| made.subject == one.id);
        let Some(person) = decision.and_then(|made| made.person) else {
            continue;
        };
        if shown.iter().filter(|other| other.id == one.id).count() > 1 {
            continue;
        }
        let person = people[&person];
        let stay = person.stay(&IntegrationId::new(id)).unwrap();
        assert_eq!(
            (&person.first_name, &person.last_name, &person.email),
            (&one.first_name, &one.last_name, &one.email)
        );
        assert_eq!(person.phone, one.phone, "{one:?}");
        // What a script looks up, such as a building or which bed is which, `map` does not know.
        if let Some(kept) = &stay.unit {
            let shown = one.unit.as_ref().map(|unit| unit.label.split(", "));
            assert!(
                shown.is_some_and(|mut beds| beds.any(|bed| kept.label.ends_with(bed))),
                "{kept:?}: {one:?}"
            );
        }
        assert_eq!(stay.status, one.status, "{one:?}");
        assert_eq!(
            (stay.notice, stay.eviction),
            (one.notice, one.eviction),
            "{one:?}"
        );
        for (field, kept, date) in [
            (Field::LeaseStart, stay.lease_start, one.lease_start),
            (Field::LeaseEnd, stay.lease_end, one.lease_end),
            (Field::MoveIn, stay.move_in, one.move_in),
            (Field::MoveOut, stay.move_out, one.move_out),
        ] {
            let is_readable = !one.unreadable.contains(&field);
            assert!(!is_readable || kept == date, "{field:?} {kept:?}: {one:?}");
        }
    }
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
    for recording in RECORDINGS {
        let Recording {
            connector,
            script,
            file,
            answers,
            property,
            ..
        } = *recording;
        let (home, _) = home_of(connector, answers).await;
        attach(&home, "elm", property, "");
        let (shown, residents) = mapped(&home, script, file, property).await;
        let all = |ids: &[&str]| ids.iter().map(ToString::to_string).collect();
        let left_out = recording.left_out.iter();
        let expected = Taken {
            in_house: all(recording.in_house),
            no_email: all(recording.no_email),
            left_out: left_out
                .map(|(id, why)| (id.to_string(), why.to_string()))
                .collect(),
        };
        assert_eq!(shown, expected, "{connector}");
        let daemon = Daemon::start(&home).await;
        daemon.settle().await;
        let (taken, decisions) = ran(&daemon, "elm").await;
        assert_eq!(taken, expected, "{connector} {decisions:#?}");
        is_kept_as_shown(&daemon, "elm", &decisions, &residents).await;
        // Nobody is woken for somebody who is nobody.
        let missing = alerts_of(&daemon, AlertKind::MissingEmail).await;
        assert_eq!(
            BTreeSet::from_iter(missing),
            expected.no_email,
            "{connector}"
        );
        assert_eq!(
            daemon.sync("elm").await.outcome,
            Outcome::Unchanged,
            "{connector}"
        );
    }
}

/// A household that stands in three recordings: it lives there, its term rolls over (where the PMS has that), it left.
struct Leaving {
    connector: &'static str,
    script: &'static str,
    /// What the request for them has in it, and the recordings one after the other.
    asked: &'static str,
    readings: &'static [&'static str],
    /// How everything else is answered.
    others: (&'static str, &'static str),
    /// Who leaves, and who stays.
    gone: &'static [&'static str],
    stays: &'static str,
    move_out: jiff::civil::Date,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_term_that_rolls_over_costs_its_dates_and_leaving_goes_through() {
    let mri = Leaving {
        connector: "mri",
        script: "mri",
        asked: "LeaseDetails",
        readings: &[
            "mri-1-lives-there.json",
            "mri-2-rolled-over.json",
            "mri-3-moved-out.json",
        ],
        others: ("PendingMoveIns", "mri-nobody-moves-in.json"),
        gone: &["Mara"],
        stays: "Odo",
        move_out: jiff::civil::date(2026, 5, 20),
    };
    let xml = Leaving {
        connector: "mri-xml",
        readings: &[
            "mri-1-lives-there.xml",
            "mri-2-rolled-over.xml",
            "mri-3-moved-out.xml",
        ],
        others: ("PendingMoveIns", "mri-nobody-moves-in.xml"),
        ..mri
    };
    let yardi = Leaving {
        connector: "yardi",
        script: "yardi",
        asked: "GetResidents",
        readings: &["yardi-1-lives-there.xml", "yardi-2-moved-out.xml"],
        others: ("GetUnitInformation", "yardi-units.xml"),
        gone: &["Tam", "Ivy"],
        stays: "Sol",
        move_out: jiff::civil::date(2026, 6, 20),
    };
    for leaving in [mri, xml, yardi] {
        let connector = leaving.connector;
        let reading = |at: usize| vec![leaving.others, (leaving.asked, leaving.readings[at])];
        let (home, answers) = home_of(connector, &reading(0)).await;
        attach(&home, "elm", "elm", "");
        let daemon = Daemon::start(&home).await;
        daemon.settle().await;
        let last = leaving.readings.len() - 1;
        for (at, file) in leaving.readings.iter().enumerate() {
            *answers.lock().unwrap() = reading(at);
            let (_, decisions) = ran(&daemon, "elm").await;
            let (_, residents) = mapped(&home, leaving.script, file, "elm").await;
            is_kept_as_shown(&daemon, "elm", &decisions, &residents).await;
            for gone in leaving.gone {
                let stay = stay_of(&daemon, "elm", gone).await;
                let status = if at == last {
                    LeaseStatus::Past
                } else {
                    LeaseStatus::Current
                };
                assert_eq!(stay.status, status, "{connector} {file} {gone}");
                // What is known stays.
                assert!(stay.lease_start.is_some() && stay.lease_end.is_some());
            }
            // Of those who have left nobody is told any more.
            if at < last {
                let bad_dates = alerts_of(&daemon, AlertKind::BadDates).await.len();
                assert_eq!(bad_dates, usize::from(at > 0), "{connector} {file}");
            }
        }
        let stay = stay_of(&daemon, "elm", leaving.gone[0]).await;
        assert_eq!(stay.move_out, Some(leaving.move_out), "{connector}");
        let stays = stay_of(&daemon, "elm", leaving.stays).await;
        assert_eq!(stays.status, LeaseStatus::Current, "{connector}");
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn a_property_of_rent_manager_that_has_nobody_is_read_to_its_end_without_a_body() {
    let answers = [
        ("AuthorizeUser", "rentmanager-token.json"),
        ("/Tenants", "rentmanager-nothing.json"),
    ];
    let (home, _) = home_of("rentmanager", &answers).await;
    attach(&home, "elm", "31", "");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let (taken, decisions) = ran(&daemon, "elm").await;
    assert_eq!(taken, Taken::default(), "{decisions:#?}");
}
