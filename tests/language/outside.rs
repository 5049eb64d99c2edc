//! Two PMSs whose formats have little in common with those that are shipped, and with each other: a JSON API
//! with keys in headers, and a program that only exports CSV. Both come in by the files in `tests/fixtures`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::support::{Daemon, Home, told};
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use epms::model::{LeaseStatus, Outcome};
use serde_json::{Value, json};

const SECRET: &str = "s3cret & more; of it";

type Words = BTreeMap<String, String>;

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// A home with the files of a PMS outside, its credential, and one integration.
fn home_with(pms: &str, fields: &str, integration: &str) -> Home {
    let home = Home::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(pms);
    for name in ["config", "scripts"] {
        home.copy(&fixtures, name);
    }
    home.write("secrets/outside", format!("{SECRET}\n"));
    home.write(
        "config/credentials/outside.yaml",
        format!("version: 1\nconnector: {pms}\nfields: {{ {fields} }}\n"),
    );
    home.write(
        "config/integrations/outside.yaml",
        format!(
            "version: 1\nproperty: {{ name: Outside, timezone: America/New_York }}\ncredential: outside\n{integration}\n"
        ),
    );
    home
}

async fn is_clean(home: &Home, pms: &str) {
    let checked = home.epms(&["check"]).await;
    assert_eq!(checked.status.code(), Some(0), "{}", told(&checked));
    let tested = home.epms(&["test", &format!("{pms}/")]).await;
    assert_eq!(tested.status.code(), Some(0), "{}", told(&tested));
    assert!(told(&tested).contains('2'), "{}", told(&tested));
}

/// Tenants and units by their ids, and the offsets that were asked for.
#[derive(Default)]
struct Buildium {
    tenants: Mutex<BTreeMap<u64, Value>>,
    offsets: Mutex<Vec<usize>>,
    without_units: AtomicBool,
}

fn knows(headers: &HeaderMap) -> bool {
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|given| given == value);
    is("x-buildium-client-id", "c-1") && is("x-buildium-client-secret", SECRET)
}

async fn tenants(
    State(buildium): State<Arc<Buildium>>,
    Query(query): Query<Words>,
    headers: HeaderMap,
) -> Response {
    if !knows(&headers) {
        let body = json!({"UserMessage": "The client id or secret is not right."});
        return (StatusCode::UNAUTHORIZED, Json(body)).into_response();
    }
    assert_eq!(query["propertyids"], "700");
    let number = |name: &str| query[name].parse::<usize>().unwrap();
    buildium.offsets.lock().unwrap().push(number("offset"));
    let tenants = buildium.tenants.lock().unwrap();
    let rows: Vec<Value> = tenants
        .values()
        .skip(number("offset"))
        .take(number("limit"))
        .cloned()
        .collect();
    ([("X-Total-Count", tenants.len().to_string())], Json(rows)).into_response()
}

/// Units, ten to a page; the next page is linked in the header.
async fn units(
    State(buildium): State<Arc<Buildium>>,
    Query(query): Query<Words>,
    headers: HeaderMap,
) -> Response {
    assert!(knows(&headers));
    if buildium.without_units.load(Ordering::Relaxed) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let offset: u64 = query
        .get("offset")
        .map_or(0, |offset| offset.parse().unwrap());
    let rows: Vec<Value> = (offset..offset + 10)
        .map(|id| json!({"Id": id, "UnitNumber": format!("No. {id}")}))
        .collect();
    let next = offset + 10;
    let link = if next < 60 {
        format!("</v1/rentals/units?propertyids=700&offset={next}>; rel=\"next\"")
    } else {
        "</v1/rentals/units?propertyids=700>; rel=\"first\"".to_owned()
    };
    ([(header::LINK, link)], Json(rows)).into_response()
}

fn tenant(id: u64) -> Value {
    let status = ["Current", "Future", "Past"][usize::try_from(id).unwrap() % 3];
    let lease = ["Active", "Future", "Past"][usize::try_from(id).unwrap() % 3];
    json!({
        "Id": id,
        "FirstName": "Maren",
        "LastName": format!("Holmby {id}"),
        "Email": format!("maren.{id}@example.com"),
        "PhoneNumbers": [{"Number": "(503) 555-0101", "Type": "Cell"}],
        "Leases": [{
            "Id": 9000 + id, "PropertyId": 700, "UnitId": id, "UnitNumber": "?",
            "LeaseFromDate": "2025-04-01", "LeaseToDate": "2027-03-31", "LeaseStatus": lease,
            "Tenants": [{"Id": id, "Status": status, "MoveInDate": "2025-04-01"}],
        }],
    })
}

async fn buildium() -> (Arc<Buildium>, String) {
    let buildium = Arc::new(Buildium::default());
    *buildium.tenants.lock().unwrap() = (0..45).map(|id| (id, tenant(id))).collect();
    let properties = || async { Json(json!([{"Id": 700, "Name": "Quarry Steps"}])) };
    let router = Router::new()
        .route("/v1/leases/tenants", get(tenants))
        .route("/v1/rentals/units", get(units))
        .route("/v1/rentals", get(properties))
        .with_state(Arc::clone(&buildium));
    (buildium, serve(router).await)
}

fn home_of_buildium(url: &str) -> Home {
    let fields =
        format!("url: \"{url}\", client_id: c-1, client_secret: {{ file: secrets/outside }}");
    let integration = "pms_properties: [\"700\"]\nexclude_statuses: [Future]";
    home_with("buildium", &fields, integration)
}

#[tokio::test]
async fn a_json_api_with_keys_in_headers_is_synced_by_offset_with_units_by_link() {
    let (buildium, url) = buildium().await;
    let home = home_of_buildium(&url);
    is_clean(&home, "buildium").await;
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    assert_eq!(*buildium.offsets.lock().unwrap(), [0, 20, 40]);
    assert_eq!(daemon.people().await.len(), 15);
    let person = daemon.person_with("maren.42@example.com").await.unwrap();
    assert_eq!(person.phone.as_deref(), Some("+15035550101"));
    let stay = person.stays.values().next().unwrap();
    // Units 40 to 49 stand on the fifth page of the lookup.
    assert_eq!(stay.unit.as_ref().unwrap().label, "No. 42");
    buildium.tenants.lock().unwrap().get_mut(&42).unwrap()["LastName"] = "Oake".into();
    let report = daemon.sync("outside").await;
    assert_eq!(report.counts.updated, 1, "{report:?}");
    assert_eq!(report.excluded_by["status Future"], 15);
    assert_eq!(daemon.sync("outside").await.outcome, Outcome::Unchanged);
}

#[tokio::test]
async fn a_lookup_that_fails_fails_the_run_whose_script_asks_for_it_and_no_other() {
    let (buildium, url) = buildium().await;
    let home = home_of_buildium(&url);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    buildium.without_units.store(true, Ordering::Relaxed);
    let script = "scripts/buildium.rhai";
    let asking = home.read(script);
    // Another script asks anew: what another one's run looked up does not serve it.
    let before = daemon.generation("outside").await;
    home.write(script, format!("{asking}\n"));
    let before = daemon.reloaded("outside", before).await;
    let report = daemon.sync("outside").await;
    let reason = report.outcome.reason().unwrap();
    assert!(reason.contains("`units`"), "{reason}");
    assert_eq!(daemon.people().await.len(), 15);
    let call = "ctx.lookup(\"units\", text(found, \"UnitId\"))";
    // The units keep their names: others would be other units.
    home.edit(
        script,
        call,
        "#{ UnitNumber: \"No. \" + text(found, \"UnitId\") }",
    );
    daemon.reloaded("outside", before).await;
    let report = daemon.sync("outside").await;
    assert_eq!(report.outcome, Outcome::Unchanged, "{report:?}");
    assert_eq!(report.counts.unchanged, 15);
}

#[tokio::test]
async fn a_json_api_shows_its_properties_and_a_refused_key_costs_nobody() {
    let (_buildium, url) = buildium().await;
    let home = home_of_buildium(&url);
    let discovered = home.epms(&["discover", "outside"]).await;
    assert_eq!(discovered.status.code(), Some(0), "{}", told(&discovered));
    assert!(told(&discovered).contains("Quarry Steps"));
    assert!(!told(&discovered).contains("No. 42"));
    let with_units = home.epms(&["discover", "outside", "--units"]).await;
    assert!(
        told(&with_units).contains("42    No. 42"),
        "{}",
        told(&with_units)
    );
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let people = daemon.people().await;
    home.write("secrets/outside", "another-key-altogether");
    let report = daemon.sync("outside").await;
    let reason = report.outcome.reason().unwrap();
    assert!(matches!(report.outcome, Outcome::Failed { .. }));
    assert!(reason.contains("client_secret"), "{reason}");
    assert_eq!(daemon.people().await, people);
}

/// Rows of the export, the session that is open, and how many were opened.
#[derive(Default)]
struct Ledger {
    rows: Mutex<Vec<String>>,
    session: Mutex<Option<String>>,
    logins: Mutex<u64>,
}

async fn login(State(ledger): State<Arc<Ledger>>, Form(form): Form<Words>) -> Response {
    if form["user"] != "export" || form["password"] != SECRET {
        return "<html><body>Wrong password</body></html>".into_response();
    }
    let mut logins = ledger.logins.lock().unwrap();
    *logins += 1;
    let session = format!("session-{logins}");
    *ledger.session.lock().unwrap() = Some(session.clone());
    format!("<session><id>{session}</id></session>").into_response()
}

async fn export(
    State(ledger): State<Arc<Ledger>>,
    headers: HeaderMap,
    Form(form): Form<Words>,
) -> Response {
    let open = ledger.session.lock().unwrap().clone();
    let given = headers
        .get(header::COOKIE)
        .and_then(|cookie| cookie.to_str().ok());
    if open.is_none() || given != open.map(|open| format!("sid={open}")).as_deref() {
        return "<html><body>Your session is over</body></html>".into_response();
    }
    assert_eq!((&*form["list"], &*form["edificio"]), ("inquilinos", "E 1"));
    let mut text =
        "Persona;Contrato;Titular;Nombre;Correo electrónico;Teléfono;Piso;Desde;Hasta;Situación\r\n"
            .to_owned();
    for row in ledger.rows.lock().unwrap().iter() {
        text.extend([row, "\r\n"]);
    }
    // Every character that stands there is in ISO-8859-1, where its number is its byte.
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap()).collect();
    (
        [(header::CONTENT_TYPE, "text/csv; charset=ISO-8859-1")],
        latin,
    )
        .into_response()
}

async fn ledger() -> (Arc<Ledger>, String) {
    let ledger = Arc::new(Ledger::default());
    *ledger.rows.lock().unwrap() = [
        "17;C-9;Sí;\"Núñez Ibarra, José María\";jm.nunez@example.com;(503) 555-0101;3º B;05/04/2025;31/12/9999;Vigente",
        "18;C-9;No;\"Ibarra, Lía\";lia@example.com;;3º B;05/04/2025;31/12/9999;Con aviso",
        "19;C-8;Sí;\"Peña; Óscar, Íñigo\";inigo@example.com;;1º A;01/02/2020;31/01/2024;Finalizado",
        "20;C-7;Sí;\"Muñiz, Begoña\";begona@example.com;;2º A;13/12/2026;31/12/9999;Reservado",
    ]
    .map(str::to_owned)
    .into();
    let router = Router::new()
        .route("/login", post(login))
        .route("/export", post(export))
        .with_state(Arc::clone(&ledger));
    (ledger, serve(router).await)
}

fn home_of_ledger(url: &str) -> Home {
    let fields = format!("url: \"{url}\", password: {{ file: secrets/outside }}");
    home_with("ledger", &fields, "pms_properties: [E 1]")
}

#[tokio::test]
async fn a_csv_export_behind_a_login_form_is_synced_with_its_accents_and_its_dates() {
    let (ledger, url) = ledger().await;
    let home = home_of_ledger(&url);
    is_clean(&home, "ledger").await;
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let first = daemon.person_with("jm.nunez@example.com").await.unwrap();
    assert_eq!(
        (&*first.first_name, &*first.last_name),
        ("José María", "Núñez Ibarra")
    );
    let stay = first.stays.values().next().unwrap();
    assert_eq!(stay.lease_start, Some(jiff::civil::date(2025, 4, 5)));
    assert_eq!(
        (stay.lease_end, &*stay.unit.as_ref().unwrap().label),
        (None, "3º B")
    );
    let second = daemon.person_with("lia@example.com").await.unwrap();
    let stay = second.stays.values().next().unwrap();
    assert!(stay.notice && stay.status == LeaseStatus::Current);
    assert_eq!(daemon.sync("outside").await.outcome, Outcome::Unchanged);
    assert_eq!(*ledger.logins.lock().unwrap(), 1);
}

#[tokio::test]
async fn a_csv_export_is_recorded_about_nobody_and_runs_as_a_test() {
    let (_ledger, url) = ledger().await;
    let home = home_of_ledger(&url);
    let folder = home.path("scripts/tests/ledger");
    let recorded = home
        .epms(&["record", "outside", "--out", folder.to_str().unwrap()])
        .await;
    assert_eq!(recorded.status.code(), Some(0), "{}", told(&recorded));
    let tested = home.epms(&["test", "ledger/recorded"]).await;
    assert_eq!(tested.status.code(), Some(0), "{}", told(&tested));
    let answer = home.read("scripts/tests/ledger/recorded-residents.csv");
    let rows: Vec<&str> = answer.lines().collect();
    assert!(
        rows[1].ends_with(";05/04/2025;31/12/9999;Vigente"),
        "{answer}"
    );
    assert!(
        rows[1].starts_with("17;") && rows[3].contains("; "),
        "{answer}"
    );
    let case = home.read("scripts/tests/ledger/recorded-residents.yaml");
    for word in [
        "nunez",
        "núñez",
        "ibarra",
        "josé",
        "lía",
        "peña",
        "óscar",
        "begoña",
        "muñiz",
        "inigo",
        "(503) 555-0101",
        SECRET,
    ] {
        for text in [&answer, &case] {
            assert!(!text.to_lowercase().contains(word), "{word}: {text}");
        }
    }
    // The two of one household are called alike, as they were.
    let last = |row: &str| {
        let name = row.split(';').nth(3).unwrap().trim_matches('"').to_owned();
        let family = name.split(',').next().unwrap().to_owned();
        family.split(' ').next_back().unwrap().to_owned()
    };
    assert_eq!(last(rows[1]), last(rows[2]), "{answer}");
}

#[tokio::test]
async fn an_export_that_answers_with_a_page_costs_nobody() {
    let (ledger, url) = ledger().await;
    let home = home_of_ledger(&url);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let people = daemon.people().await;
    // A session that the PMS has closed is opened again.
    *ledger.session.lock().unwrap() = None;
    assert_eq!(daemon.sync("outside").await.outcome, Outcome::Unchanged);
    assert_eq!(*ledger.logins.lock().unwrap(), 2);
    home.write("secrets/outside", "another-word-altogether");
    let report = daemon.sync("outside").await;
    let reason = report.outcome.reason().unwrap();
    assert!(matches!(report.outcome, Outcome::Failed { .. }));
    assert!(reason.contains("password"), "{reason}");
    assert!(!daemon.log().contains("another-word") && !daemon.log().contains("s3cret"));
    // An export that lost its rows is no move-out of everybody.
    home.write("secrets/outside", SECRET);
    ledger.rows.lock().unwrap().clear();
    let report = daemon.sync("outside").await;
    assert!(!report.outcome.is_success(), "{report:?}");
    assert_eq!(daemon.people().await, people);
}
