//! A roll of residents that a test writes, and a place with doors that is fed from it: both on loopback, with the files that
//! reach them. The doors can fail in every way that real ones do.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch};
use serde_json::{Value, json};

use super::Home;

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// It is answered with this status, and nothing is done.
    Refused(u16),
    /// It is done, and answered with 500.
    DoneAndFailed,
    /// It is done, and no answer comes before the connection is given up.
    DoneAndSilent,
    /// It says that it is done, and nothing is.
    Forgotten,
}

#[derive(Default)]
pub struct Known {
    /// The residents.
    pub roll: Vec<Value>,
    /// The grants, by id.
    pub grants: BTreeMap<u64, Value>,
    next: u64,
    /// What happens to the next requests that change something.
    pub mishaps: VecDeque<Mishap>,
    /// Nothing is answered but 503.
    pub is_down: bool,
    /// The same of the roll.
    pub roll_is_down: bool,
    /// Nobody is let in.
    pub is_shut: bool,
    /// Every request: method and path.
    pub asked: Vec<String>,
    /// How often each grant was created: `holder/door`.
    pub created: BTreeMap<String, u32>,
}

/// The roll and the doors.
#[derive(Clone)]
pub struct Doors {
    pub url: String,
    known: Arc<Mutex<Known>>,
}

impl Doors {
    pub async fn start() -> Doors {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let doors = Doors {
            url: format!("http://{}", listener.local_addr().unwrap()),
            known: Arc::default(),
        };
        let app = Router::new()
            .route("/residents", get(residents))
            .route("/grants", get(list).post(create))
            .route("/grants/{id}", patch(change).delete(remove))
            .route("/places", get(places))
            .with_state(doors.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        doors
    }

    pub fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap()
    }

    /// Somebody who lives, or will, in a unit.
    pub fn lives(&self, id: u64, unit: &str, status: &str) {
        let mut known = self.known();
        let id = id.to_string();
        known.roll.retain(|one| one["id"] != id.as_str());
        known.roll.push(json!({
            "id": id, "first": "Ada", "last": format!("Quill {id}"),
            "email": format!("ada{id}@example.com"), "unit": unit, "status": status,
        }));
    }

    /// What is open to whom: `ada1@example.com lobby`, sorted.
    pub fn open(&self) -> Vec<String> {
        let known = self.known();
        let grants = known.grants.values();
        let mut open: Vec<String> = grants
            .map(|grant| {
                let word = |name: &str| grant[name].as_str().unwrap_or_default().to_owned();
                format!("{} {}", word("holder"), word("door"))
            })
            .collect();
        open.sort();
        open
    }

    /// Somebody else grants something there.
    pub fn granted_by_hand(&self, holder: &str, door: &str) {
        let mut known = self.known();
        known.next += 1;
        let id = known.next;
        known.grants.insert(
            id,
            json!({ "id": id, "holder": holder, "door": door, "by": "manager" }),
        );
    }

    /// The files: a feed `elm` of the roll, and a target `doors` of the doors, with these lines in the target's file.
    pub fn files(&self, home: &Home, target: &str) {
        let url = &self.url;
        home.write(
            "config/connectors/roll.yaml",
            r#"version: 1
script: roll
credential_fields: { url: plain }
hosts: ["{{ credential.url | host }}"]
retry: { attempts: 1 }
requests:
  residents: { url: "{{ credential.url }}/residents", query: { property: "{{ property }}" }, format: json, records: residents, id: id }
"#,
        );
        home.write(
            "scripts/roll.rhai",
            r"fn residents(record, ctx) {
    #{ id: record.id, first_name: record.first, last_name: record.last, email: record.email,
       unit: record.unit, status: record.status, status_word: record.status }
}
",
        );
        home.write(
            "config/connectors/doors.yaml",
            r#"version: 2
script: doors
credential_fields: { url: plain }
hosts: ["{{ credential.url | host }}"]
timeout: 1s
target:
  list: { url: "{{ credential.url }}/grants", format: json, records: grants, id: id }
  find:
    url: "{{ credential.url }}/grants"
    query: { holder: "{{ grant.holder }}", door: "{{ grant.door }}" }
    format: json
    records: grants
    id: id
  create:
    method: POST
    url: "{{ credential.url }}/grants"
    body: { json: { holder: "{{ grant.holder }}", door: "{{ grant.door }}", label: "{{ grant.label }}" } }
    format: json
    gives: { id: id }
  change:
    method: PATCH
    url: "{{ credential.url }}/grants/{{ grant.id }}"
    body: { json: { label: "{{ grant.label }}" } }
    format: json
  remove: { format: json, method: DELETE, url: "{{ credential.url }}/grants/{{ grant.id }}" }
  places: { url: "{{ credential.url }}/places", format: json, records: places, id: id, name: name }
"#,
        );
        home.write(
            "scripts/doors.rhai",
            r#"fn wanted(person, ctx) {
    let grants = [];
    for one in person.places {
        grants.push(#{ key: person.email + " " + one.place, holder: person.email, door: one.place, label: person.last_name });
    }
    grants
}

fn held(record, ctx) {
    let label = if "label" in record { record.label } else { () };
    #{ key: record.holder + " " + record.door, id: "" + record.id, holder: record.holder, door: record.door, label: label,
       others: record.by != "feed" }
}
"#,
        );
        for connector in ["roll", "doors"] {
            home.write(
                &format!("config/credentials/{connector}.yaml"),
                format!("version: 1\nconnector: {connector}\nfields: {{ url: \"{url}\" }}\n"),
            );
        }
        home.write(
            "config/integrations/elm.yaml",
            "version: 1\nproperty: { name: Elm Court, timezone: America/New_York }\ncredential: roll\npms_properties: [e1]\n",
        );
        std::fs::create_dir_all(home.path("config/targets")).unwrap();
        home.write(
            "config/targets/doors.yaml",
            format!(
                "version: 1\ncredential: doors\nplaces: {{ map: {{ \"1A\": [d1], \"2B\": [d2], \"3C\": [d3] }}, common: [lobby] }}\n{target}"
            ),
        );
    }
}

async fn residents(State(doors): State<Doors>) -> Response {
    let known = doors.known();
    if known.roll_is_down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let roll = known.roll.clone();
    axum::Json(json!({ "residents": roll })).into_response()
}

async fn list(
    State(doors): State<Doors>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Response {
    let mut known = doors.known();
    known.asked.push(if asked.is_empty() {
        "LIST".into()
    } else {
        "FIND".into()
    });
    if known.is_down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if known.is_shut {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let grants = known.grants.values();
    let fits = |grant: &&Value| {
        asked
            .iter()
            .all(|(name, value)| grant[name.as_str()] == value.as_str())
    };
    let grants: Vec<&Value> = grants.filter(fits).collect();
    axum::Json(json!({ "grants": grants })).into_response()
}

async fn places(State(doors): State<Doors>) -> Response {
    let mut known = doors.known();
    known.asked.push("PLACES".into());
    if known.is_down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let all = [
        ("d1", "Door 1A"),
        ("d2", "Door 2B"),
        ("d3", "Door 3C"),
        ("d4", "Door 4D"),
        ("lobby", "Lobby"),
        ("roof", "Roof"),
    ];
    let all = all.map(|(id, name)| json!({ "id": id, "name": name }));
    axum::Json(json!({ "places": all })).into_response()
}

/// Does something that changes the grants, unless a mishap comes in between.
async fn does(doors: Doors, what: String, does: impl FnOnce(&mut Known) -> Response) -> Response {
    let (mishap, response) = {
        let mut known = doors.known();
        known.asked.push(what);
        if known.is_down {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        let mishap = known.mishaps.pop_front();
        match mishap {
            Some(Mishap::Refused(status)) => {
                return StatusCode::from_u16(status).unwrap().into_response();
            }
            Some(Mishap::Forgotten) => return axum::Json(json!({ "id": 9999 })).into_response(),
            _ => (mishap, does(&mut known)),
        }
    };
    match mishap {
        Some(Mishap::DoneAndFailed) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(Mishap::DoneAndSilent) => {
            tokio::time::sleep(Duration::from_secs(3)).await;
            response
        }
        _ => response,
    }
}

async fn create(State(doors): State<Doors>, body: Bytes) -> Response {
    let mut grant: Value = serde_json::from_slice(&body).unwrap();
    does(doors, "CREATE".into(), move |known| {
        known.next += 1;
        grant["id"] = known.next.into();
        grant["by"] = "feed".into();
        let key = format!(
            "{} {}",
            grant["holder"].as_str().unwrap(),
            grant["door"].as_str().unwrap()
        );
        *known.created.entry(key).or_default() += 1;
        known.grants.insert(known.next, grant);
        (StatusCode::CREATED, axum::Json(json!({ "id": known.next }))).into_response()
    })
    .await
}

async fn change(State(doors): State<Doors>, Path(id): Path<u64>, body: Bytes) -> Response {
    let told: Value = serde_json::from_slice(&body).unwrap();
    does(doors, format!("CHANGE {id}"), move |known| {
        let Some(grant) = known.grants.get_mut(&id) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        grant["label"] = told["label"].clone();
        axum::Json(json!({})).into_response()
    })
    .await
}

async fn remove(State(doors): State<Doors>, Path(id): Path<u64>) -> Response {
    does(doors, format!("REMOVE {id}"), move |known| {
        if known.grants.remove(&id).is_none() {
            return StatusCode::NOT_FOUND.into_response();
        }
        StatusCode::NO_CONTENT.into_response()
    })
    .await
}
