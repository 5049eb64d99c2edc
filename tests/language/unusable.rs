//! Readings of a small PMS, one after the other, through a shipped script and a daemon: dates that cannot be, emails that
//! are none, and ids beyond 64 bits.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use epms::model::{AlertKind, LeaseStatus, Outcome};
use jiff::civil::date;
use serde_json::json;

use crate::support::{Daemon, Home};

const CONNECTOR: &str = r#"version: 1
script: mri.rhai
credential_fields:
  url: { kind: plain, help: where it is }
hosts: ["{{ credential.url | host }}"]
requests:
  residents:
    url: "{{ credential.url }}/residents"
    query: { property: "{{ property }}" }
    format: json
    records: value
    id: ResidentNameID
"#;

/// A PMS that says what it is told to, and a home that reads it.
struct Feed {
    says: Arc<Mutex<String>>,
    home: Home,
}

impl Feed {
    async fn start() -> Feed {
        let says = Arc::new(Mutex::new(String::from(r#"{"value":[]}"#)));
        let answer = Arc::clone(&says);
        let residents = move || {
            let body = answer.lock().unwrap().clone();
            async move { ([(header::CONTENT_TYPE, "application/json")], body).into_response() }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/residents", get(residents));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let home = Home::new();
        home.write("config/connectors/small.yaml", CONNECTOR);
        home.write(
            "config/credentials/small.yaml",
            format!("version: 1\nconnector: small\nfields: {{ url: \"{url}\" }}\n"),
        );
        home.write(
            "config/integrations/small.yaml",
            "version: 1\nproperty: { name: Small, timezone: America/New_York }\ncredential: small\npms_properties: [S1]\n",
        );
        Feed { says, home }
    }

    fn says(&self, rows: &[String]) {
        *self.says.lock().unwrap() = format!("{{\"value\":[{}]}}", rows.join(","));
    }
}

/// A row of MRI: somebody who lives in S1, and what is different about them.
fn row(id: &str, first: &str, email: &str, other: serde_json::Value) -> String {
    let mut row = json!({
        "ResidentNameID": id, "PropertyID": "S1", "BuildingID": "01", "UnitID": id, "LeaseID": "1",
        "FirstName": first, "LastName": "Quill", "ResidentStatus": "Current", "Email": email,
        "LeaseStart": "2025-05-01T00:00:00", "OccupyDate": "2025-05-01T00:00:00", "LeaseEnd": "2026-04-30T00:00:00",
        "LeaseMoveOut": null, "IsCurrent": "Y", "Guarantor": "N", "Minor": "False",
    });
    for (name, value) in other.as_object().unwrap() {
        row[name] = value.clone();
    }
    row.to_string()
}

/// A8, recording 1: both were rejected, and stayed current for ever.
#[tokio::test]
async fn who_moves_out_is_past_although_their_lease_ends_before_it_starts() {
    let feed = Feed::start().await;
    let odo = row("0000000102", "Odo", "odo@example.net", json!({}));
    let mara = |other| row("0000000101", "Mara", "mara@example.net", other);
    feed.says(&[mara(json!({})), odo.clone()]);
    let daemon = Daemon::start(&feed.home).await;
    daemon.settle().await;
    let stay = async || {
        let person = daemon.person_with("mara@example.net").await.unwrap();
        person.stays.into_values().next().unwrap()
    };
    let before = *stay().await;
    assert_eq!(before.status, LeaseStatus::Current);

    let rolled_over = json!({ "LeaseStart": "2026-05-01T00:00:00" });
    feed.says(&[mara(rolled_over), odo.clone()]);
    let report = daemon.sync("small").await;
    assert_eq!(report.counts.rejected, 0, "{report:?}");
    assert_eq!(report.notes["unreadable_date"], 2);
    assert_eq!(*stay().await, before);
    let open = async || -> Vec<AlertKind> {
        let alerts = daemon.alerts().await.into_iter();
        let open = alerts.filter(|alert| alert.state == epms::model::AlertState::Open);
        open.map(|alert| alert.kind).collect()
    };
    assert_eq!(open().await, [AlertKind::BadDates]);

    let moved_out = json!({
        "LeaseStart": "2026-05-01T00:00:00", "ResidentStatus": "Old", "IsCurrent": "N", "LeaseMoveOut": "2026-01-20T00:00:00",
    });
    feed.says(&[mara(moved_out), odo]);
    assert_eq!(daemon.sync("small").await.outcome, Outcome::Committed);
    let stay = *stay().await;
    assert_eq!(stay.status, LeaseStatus::Past);
    assert_eq!(stay.move_out, Some(date(2026, 1, 20)));
    assert_eq!(
        (stay.lease_start, stay.lease_end),
        (before.lease_start, before.lease_end)
    );
    assert_eq!(open().await, []);
}

/// B8, recording 2: two came in with other people's mailboxes, and one was held whose address is whole.
#[tokio::test]
async fn nobody_comes_in_with_a_part_of_what_stands_for_their_email() {
    let feed = Feed::start().await;
    let emails = [
        "ana de la cruz@example.net",
        "bo@ example.net",
        "cy@example.net (do not use)",
        "di.ek@example,net",
        "el@example.net/mother@example.org",
        "gi ek@example.net",
        "Hu Ek <Hu@example.net>",
        "nobody@none.invalid",
    ];
    let rows = emails.iter().enumerate();
    let rows: Vec<String> = rows
        .map(|(number, email)| {
            row(
                &format!("01{number}"),
                &format!("Ana{number}"),
                email,
                json!({}),
            )
        })
        .collect();
    feed.says(&rows);
    let daemon = Daemon::start(&feed.home).await;
    daemon.settle().await;
    let people = daemon.people().await;
    let mut found: Vec<&str> = people
        .iter()
        .filter_map(|one| one.email.as_deref())
        .collect();
    found.sort_unstable();
    assert_eq!(found, ["cy@example.net", "hu@example.net"]);
    let report = daemon.sync("small").await;
    assert_eq!(report.notes["invalid_email"], 6, "{report:?}");
    assert_eq!(
        (report.counts.held, report.counts.unchanged),
        (6, 2),
        "{report:?}"
    );
}

/// A3: two people became one.
#[tokio::test]
async fn ids_beyond_64_bits_are_those_of_two_people() {
    let feed = Feed::start().await;
    let numbered = |id: &str, first: &str| {
        let email = format!("{}@example.net", first.to_lowercase());
        row("ID", first, &email, json!({})).replace("\"ID\"", id)
    };
    feed.says(&[
        numbered("18446744073709551616", "Ana"),
        numbered("18446744073709551617", "Bo"),
        numbered("1001.0", "Cy"),
    ]);
    let daemon = Daemon::start(&feed.home).await;
    daemon.settle().await;
    assert_eq!(daemon.people().await.len(), 3);
    feed.says(&[
        numbered("\"18446744073709551616\"", "Ana"),
        numbered("18446744073709551617", "Bo"),
        numbered("1001", "Cy"),
    ]);
    let report = daemon.sync("small").await;
    assert_eq!(report.outcome, Outcome::Unchanged, "{report:?}");
    assert_eq!(report.counts.unchanged, 3);
}
