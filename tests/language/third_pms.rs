//! A PMS that this program has never heard of comes in by a connector, a script and its cases: no Rust. The
//! files are in `tests/fixtures/rentlog`; the server is here.

use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::support::{Daemon, Home, eventually, told};
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use epms::model::{LeaseStatus, Outcome};
use serde::Deserialize;
use serde_json::{Value, json};

const KEY: &str = "k3y-of-rentlog & more";

/// The tenancies, and how often each page was asked for.
#[derive(Default)]
struct RentLog {
    tenancies: Mutex<Vec<Value>>,
    asked: Mutex<Vec<usize>>,
}

#[derive(Deserialize)]
struct Page {
    from: usize,
    count: usize,
}

async fn answer(
    State(rentlog): State<Arc<RentLog>>,
    Query(page): Query<Page>,
    headers: HeaderMap,
) -> Response {
    if headers.get("x-rentlog-key").is_none_or(|key| key != KEY) {
        return (StatusCode::UNAUTHORIZED, "who are you?").into_response();
    }
    rentlog.asked.lock().unwrap().push(page.from);
    let tenancies = rentlog.tenancies.lock().unwrap();
    let rows = tenancies.iter().skip(page.from).take(page.count);
    axum::Json(rows.cloned().collect::<Vec<_>>()).into_response()
}

async fn rentlog(tenancies: usize) -> (Arc<RentLog>, String) {
    let rentlog = Arc::new(RentLog::default());
    *rentlog.tenancies.lock().unwrap() = (0..tenancies).map(tenancy).collect();
    let router = Router::new()
        .route(
            "/buildings/Haus%20am%20See/tenancies",
            axum::routing::get(answer),
        )
        .with_state(Arc::clone(&rentlog));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (rentlog, url)
}

fn tenancy(number: usize) -> Value {
    let state = ["living", "living", "reserved", "left"][number % 4];
    json!({
        "ref": format!("T-{number}"),
        "flat": if number % 10 == 9 { format!("C-{number}") } else { number.to_string() },
        "state": state,
        "since": "01.04.2025",
        "until": if number.is_multiple_of(2) { Value::Null } else { "31.03.2027".into() },
        "tenants": [{
            "no": format!("P-{number}"),
            "given": "Maren",
            "family": format!("Holmby {number}"),
            "contact": { "mail": format!("maren.{number}@example.com"), "phone": "(503) 555-0101" },
        }],
    })
}

/// Puts the files of the new PMS and one integration of it into a home.
fn add(home: &Home, url: &str) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rentlog");
    for name in ["config", "scripts"] {
        home.copy(&fixtures, name);
    }
    home.write("secrets/rentlog", format!("{KEY}\n"));
    home.write(
        "config/credentials/rentlog.yaml",
        format!(
            "version: 1\nconnector: rentlog\nfields: {{ url: \"{url}\", key: {{ file: secrets/rentlog }} }}\n"
        ),
    );
    home.write(
        "config/integrations/lake-house.yaml",
        "version: 1
property: { name: Lake House, timezone: America/New_York }
credential: rentlog
pms_properties: [Haus am See]
exclude_statuses: [Reserved]
",
    );
}

#[tokio::test]
async fn a_third_pms_is_checked_and_tested_offline() {
    let home = Home::new();
    add(&home, "http://127.0.0.1:9");
    let checked = home.epms(&["check"]).await;
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    let tested = home.epms(&["test", "rentlog/"]).await;
    assert_eq!(tested.status.code(), Some(0), "{tested:?}");
    assert!(told(&tested).contains('2'), "{tested:?}");
    assert_eq!(home.epms(&["test"]).await.status.code(), Some(0));
}

#[tokio::test]
async fn a_third_pms_is_added_to_a_daemon_that_runs_by_yaml_and_rhai_alone() {
    let (rentlog, url) = rentlog(60).await;
    let home = Home::new();
    let daemon = Daemon::start(&home).await;
    assert!(daemon.people().await.is_empty());
    add(&home, &url);
    eventually("the first sync of the new PMS has ended", async || {
        let status = daemon.client.status().await.unwrap();
        let new = status.integrations.first();
        assert!(new.is_none_or(|one| one.last_error.is_none()), "{status:?}");
        new.is_some_and(|one| one.last_success.is_some())
    })
    .await;
    // Three pages, of which the last is short, and whether more is behind it (R42).
    assert_eq!(*rentlog.asked.lock().unwrap(), [0, 25, 50, 60]);
    let living = (0..60).filter(|number| number % 4 < 2 && number % 10 != 9);
    let people = daemon.people().await;
    assert_eq!(people.len(), living.count());
    let first = daemon.person_with("maren.0@example.com").await.unwrap();
    assert_eq!(
        (&*first.last_name, first.phone.as_deref()),
        ("Holmby 0", Some("+15035550101"))
    );
    let stay = first.stays.values().next().unwrap();
    assert_eq!(stay.lease_start, Some(jiff::civil::date(2025, 4, 1)));

    rentlog.tenancies.lock().unwrap()[0]["state"] = "left".into();
    rentlog.tenancies.lock().unwrap().push(tenancy(60));
    let report = daemon.sync("lake-house").await;
    assert_eq!(
        (report.counts.created, report.counts.updated),
        (1, 1),
        "{report:?}"
    );
    assert_eq!(report.excluded_by["a cellar"], 6);
    assert_eq!(report.excluded_by["status Reserved"], 15);
    let first = daemon.person_with("maren.0@example.com").await.unwrap();
    assert_eq!(
        first.stays.values().next().unwrap().status,
        LeaseStatus::Past
    );
    assert_eq!(daemon.sync("lake-house").await.outcome, Outcome::Unchanged);
}

#[tokio::test]
async fn a_third_pms_that_refuses_the_key_or_loses_its_list_costs_nobody() {
    let (rentlog, url) = rentlog(60).await;
    let home = Home::new();
    add(&home, &url);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let people = daemon.people().await;
    assert!(!people.is_empty());
    home.write("secrets/rentlog", "another-key-altogether");
    let report = daemon.sync("lake-house").await;
    assert!(
        matches!(report.outcome, Outcome::Failed { .. }),
        "{report:?}"
    );
    assert!(
        report.outcome.reason().unwrap().contains("`rentlog`"),
        "{report:?}"
    );
    assert!(!daemon.log().contains("another-key") && !daemon.log().contains("k3y-of"));
    home.write("secrets/rentlog", KEY);
    let all = std::mem::take(&mut *rentlog.tenancies.lock().unwrap());
    let report = daemon.sync("lake-house").await;
    assert!(matches!(report.outcome, Outcome::Held { .. }), "{report:?}");
    assert_eq!(daemon.people().await, people);
    *rentlog.tenancies.lock().unwrap() = all;
    assert!(daemon.sync("lake-house").await.outcome.is_success());
    assert_eq!(daemon.people().await, people);
}
