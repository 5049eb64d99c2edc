//! The local OpenDOOR over HTTP: who is let in, what is refused with which code, and what goes wrong when told to.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use super::super::fault::{Fault, FaultKind};
use super::{DoorSettings, ListMishap, Mishap, OpenDoor};

struct Partner {
    door: OpenDoor,
    http: Client,
    token: String,
}

impl Partner {
    async fn new() -> Partner {
        Partner::at(DoorSettings::default()).await
    }

    async fn at(settings: DoorSettings) -> Partner {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let door = OpenDoor::start(settings).await.unwrap();
        let http = Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .build()
            .unwrap();
        let mut partner = Partner {
            door,
            http,
            token: String::new(),
        };
        partner.log_in().await;
        partner
    }

    async fn log_in(&mut self) {
        let mut body = json!({ "grant_type": "client_credentials" });
        for (name, value) in self.door.credential() {
            body[*name] = value.as_str().into();
        }
        let url = format!("{}/oauth/token", self.door.url());
        let answer = self
            .http
            .post(url)
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert!(answer.get("expires_in").is_none());
        self.token = answer["access_token"].as_str().unwrap().to_owned();
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Value,
    ) -> Result<(StatusCode, Value), reqwest::Error> {
        let url = format!("{}{path}", self.door.url());
        let asked = self.http.request(method, url).bearer_auth(&self.token);
        let asked = if body.is_null() {
            asked
        } else {
            asked.body(body.to_string())
        };
        let answer = asked.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, Value::Null).await.unwrap();
        assert_eq!(status, 200, "{path}");
        body
    }

    fn key(&self, name: &str) -> String {
        self.door
            .keyring(|keyring| keyring.key_named(name).unwrap().uuid.clone())
    }

    fn ada(&self) -> Value {
        json!({
            "firstName": "Ada", "lastName": "Example", "email": "ada@example.com", "passcodeType": "PERMANENT",
            "shareable": false, "startTime": "2026-03-01T10:00:00Z", "role": "RESIDENT", "keyUuids": [self.key("1A")],
        })
    }

    async fn post(&self, body: Value) -> (StatusCode, Value) {
        self.ask(Method::POST, "/v1/users", body).await.unwrap()
    }

    /// How many accesses the key of a residence has.
    async fn accesses(&self, name: &str) -> usize {
        let path = format!("/v1/keys/{}/accesses", self.key(name));
        self.get(&path).await["accesses"].as_array().unwrap().len()
    }
}

#[tokio::test]
async fn a_grant_is_made_read_back_changed_and_taken_away() {
    let partner = Partner::new().await;
    let (status, made) = partner.post(partner.ada()).await;
    assert_eq!(status, 200);
    assert_eq!(made["doors"][0]["name"], "1A");
    let user = made["userUuid"].as_str().unwrap();
    let key = partner.key("1A");
    let read = partner.get(&format!("/v1/keys/{key}/accesses")).await;
    let access = &read["accesses"][0];
    assert_eq!(
        (&access["userUuid"], &access["granter"]["type"]),
        (&user.into(), &"PARTNER".into())
    );
    assert!(access.get("endTime").is_none());
    // A user's own access has an end in any case.
    let read = partner.get(&format!("/v1/users/{user}")).await;
    assert_eq!(read["accesses"][0]["endTime"], "9999-12-31T23:59:59Z");
    let path = format!("/v1/users/{user}/doors/{key}");
    let end = json!({ "endTime": "2026-04-01T04:00:00Z" });
    let (status, changed) = partner.ask(Method::PATCH, &path, end).await.unwrap();
    assert_eq!(
        (status.as_u16(), &changed["accesses"][0]["endTime"]),
        (200, &"2026-04-01T04:00:00Z".into())
    );
    let (status, _) = partner
        .ask(Method::DELETE, &path, Value::Null)
        .await
        .unwrap();
    assert_eq!(status, 204);
    let (status, gone) = partner
        .ask(Method::DELETE, &path, Value::Null)
        .await
        .unwrap();
    assert_eq!(
        (status.as_u16(), &gone["message"]),
        (404, &"NOT_FOUND".into())
    );
    assert_eq!(partner.accesses("1A").await, 0);
    // Most residence doors have no network: it still opens until somebody goes there.
    let now = jiff::Timestamp::now();
    let door = partner
        .door
        .keyring(|keyring| keyring.key_named("1A").unwrap().doors[0].clone());
    assert!(
        partner
            .door
            .keyring(|keyring| keyring.opens(user, &door, now))
    );
    partner.door.keyring(|keyring| keyring.door_sync(&door));
    assert!(
        !partner
            .door
            .keyring(|keyring| keyring.opens(user, &door, now))
    );
}

#[tokio::test]
async fn what_the_document_forbids_is_refused_with_its_code() {
    let partner = Partner::new().await;
    let with = |name: &str, value: Value| {
        let mut body = partner.ada();
        if value == json!("absent") {
            body.as_object_mut().unwrap().remove(name);
        } else {
            body[name] = value;
        }
        body
    };
    let mut daily = with("passcodeType", json!("DAILY"));
    daily["email"] = "ada@example.com".into();
    let mut phone = with("email", json!("absent"));
    phone["phone"] = "555-1234".into();
    let mut only_phone = phone.clone();
    only_phone["phone"] = "+15551234567".into();
    let cases = [
        (
            with("phone", json!("+15551234567")),
            "EMAIL_AND_PHONE_PROVIDED",
        ),
        (with("email", json!("")), "EMAIL_CAN_NOT_BE_EMPTY"),
        (with("email", json!("absent")), "EMAIL_OR_PHONE_REQUIRED"),
        (
            with("startTime", json!("2026-03-01 10:00:00")),
            "INVALID_START_TIME",
        ),
        (
            with("endTime", json!("2026-02-01T10:00:00Z")),
            "INVALID_END_TIME",
        ),
        (with("endTime", Value::Null), "INVALID_END_TIME"),
        (daily, "MISSING_END_TIME"),
        (phone, "INVALID_PHONE"),
        (only_phone, "EMAIL_REQUIRED_FOR_PERMANENT"),
    ];
    for (body, code) in cases {
        let (status, told) = partner.post(body).await;
        assert_eq!((status.as_u16(), &told["message"]), (400, &code.into()));
    }
    let unknown = with("keyUuids", json!(["00000000-0000-4000-8000-000000000000"]));
    assert_eq!(partner.post(unknown).await.0, 404);
    partner.door.keyring(|keyring| {
        let door = keyring.key_named("1A").unwrap().doors[0].clone();
        let mut doors = keyring.doors.iter_mut();
        doors.find(|one| one.uuid == door).unwrap().is_closed = true;
    });
    assert_eq!(partner.post(partner.ada()).await.0, 403);
    assert_eq!(partner.accesses("1A").await, 0);
}

#[tokio::test]
async fn an_email_is_one_user_in_whatever_case_and_others_accesses_stay() {
    let partner = Partner::new().await;
    let now = jiff::Timestamp::now();
    let key = partner.key("1A");
    partner
        .door
        .keyring(|keyring| keyring.grant_by_hand("Ada@Example.com", &key, now));
    let (_, made) = partner.post(partner.ada()).await;
    assert_eq!(partner.accesses("1A").await, 2);
    let path = format!(
        "/v1/users/{}/doors/{key}",
        made["userUuid"].as_str().unwrap()
    );
    partner
        .ask(Method::DELETE, &path, Value::Null)
        .await
        .unwrap();
    let left = partner.get(&format!("/v1/keys/{key}/accesses")).await;
    assert_eq!(left["accesses"][0]["granter"]["type"], "USER");
}

#[tokio::test]
async fn what_was_done_and_what_was_heard_are_two_things() {
    let partner = Partner::new().await;
    let post = async || partner.ask(Method::POST, "/v1/users", partner.ada()).await;
    partner.door.mishap(Mishap::Unheard, 1);
    assert!(post().await.is_err());
    assert_eq!(partner.accesses("1A").await, 0);
    partner.door.mishap(Mishap::DoneUnheard, 1);
    assert!(post().await.is_err());
    assert_eq!(partner.accesses("1A").await, 1);
    partner.door.mishap(Mishap::DoneTwice, 1);
    assert_eq!(post().await.unwrap().0, 200);
    assert_eq!(partner.accesses("1A").await, 3);
    partner.door.mishap(Mishap::DoneServerError, 1);
    assert_eq!(post().await.unwrap().0, 500);
    assert_eq!(partner.accesses("1A").await, 4);
    partner.door.mishap(Mishap::NotDone, 1);
    assert_eq!(post().await.unwrap().0, 200);
    assert_eq!(partner.accesses("1A").await, 4);
    partner.door.mishap(Mishap::BareCreated, 1);
    assert_eq!(post().await.unwrap(), (StatusCode::CREATED, Value::Null));
    partner
        .door
        .mishap(Mishap::DoneLate(Duration::from_millis(20)), 1);
    assert!(post().await.is_err());
    while partner.accesses("1A").await < 6 {
        tokio::task::yield_now().await;
    }
    partner.door.mishap(Mishap::TooMany(Some(7)), 2);
    assert_eq!(post().await.unwrap().0, 429);
    partner.door.calm();
    assert_eq!(post().await.unwrap().0, 200);
}

#[tokio::test]
async fn a_token_that_is_no_longer_good_is_refused_until_another_is_fetched() {
    let mut partner = Partner::new().await;
    partner.door.mishap(Mishap::ExpiredToken, 1);
    assert_eq!(partner.post(partner.ada()).await.0, 401);
    let (status, told) = partner.post(partner.ada()).await;
    assert_eq!(
        (status.as_u16(), &told["message"]),
        (401, &"UNAUTHORIZED".into())
    );
    partner.log_in().await;
    assert_eq!(partner.post(partner.ada()).await.0, 200);
    let requests = partner.door.requests();
    let statuses: Vec<_> = requests.iter().map(|request| request.status).collect();
    assert_eq!(statuses, [Some(401), Some(401), Some(200)]);
}

#[tokio::test]
async fn lists_come_in_pages_and_have_their_own_faults() {
    let partner = Partner::new().await;
    let first = partner.get("/v1/doors?pageSize=15").await;
    let token = first["nextPageToken"].as_str().unwrap();
    let second = partner
        .get(&format!("/v1/doors?pageSize=15&pageToken={token}"))
        .await;
    let count = |page: &Value| page["doors"].as_array().unwrap().len();
    assert_eq!((count(&first), count(&second)), (15, 7));
    assert!(second.get("nextPageToken").is_none());
    assert!(
        partner.get("/v1/keys").await["keys"][0]
            .get("doors")
            .is_none()
    );
    let keys = partner.get("/v1/keys?includeDoors=true").await;
    assert_eq!(keys["keys"][0]["doors"].as_array().unwrap().len(), 2);
    assert_eq!(
        partner.get("/v1/buildings").await["buildings"][0]["timezone"],
        "America/New_York"
    );
    partner.post(partner.ada()).await;
    partner.door.list_mishap(ListMishap::Short, 1);
    assert_eq!(partner.accesses("1A").await, 0);
    assert_eq!(partner.accesses("1A").await, 1);
    partner.door.list_mishap(ListMishap::EndlessPages, 1);
    assert_eq!(partner.get("/v1/users").await["nextPageToken"], "0");
}

#[tokio::test]
async fn units_that_are_named_have_a_door_and_a_key_each() {
    let units = ["101", "102", "Garden House"].map(str::to_owned).to_vec();
    let partner = Partner::at(DoorSettings {
        units: units.clone(),
        ..DoorSettings::default()
    })
    .await;
    let names = |of: &Value| -> Vec<String> {
        let all = of.as_array().unwrap().iter();
        all.map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let keys = partner.get("/v1/keys?includeDoors=true").await;
    assert_eq!(names(&keys["keys"])[1..], units);
    assert_eq!(names(&partner.get("/v1/doors").await["doors"])[2..], units);
    // An access names its doors as the list of doors does.
    let doors = partner.get("/v1/doors").await;
    assert_eq!(
        keys["keys"][1]["doors"][0]["sdkDoorUuid"],
        doors["doors"][2]["sdkDoorUuid"]
    );
}

/// The status of a list of users, its type, and what it says; nothing where the connection ends.
async fn users(partner: &Partner) -> Option<(StatusCode, String, String)> {
    let url = format!("{}/v1/users?pageSize=1", partner.door.url());
    let asked = partner.http.get(url).bearer_auth(&partner.token);
    let answer = asked.send().await.ok()?;
    let status = answer.status();
    let headers = answer.headers();
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
    let told = header("retry-after").or(header("content-type"));
    let told = told.unwrap_or_default().to_owned();
    Some((status, told, answer.text().await.ok()?))
}

#[tokio::test]
async fn what_goes_wrong_at_pmss_goes_wrong_here_too() {
    let mut partner = Partner::new().await;
    for email in ["ada@example.com", "bo@example.com"] {
        let mut body = partner.ada();
        body["email"] = email.into();
        assert_eq!(partner.post(body).await.0, 200);
    }
    let right = users(&partner).await;
    let quick = Duration::from_millis(1);
    for (name, kind) in FaultKind::NAMED {
        let kind = match kind {
            FaultKind::Delay(_) => FaultKind::Delay(quick),
            FaultKind::Drip(_) => FaultKind::Drip(quick),
            kind => kind,
        };
        partner.door.fault(kind);
        let wrong = users(&partner).await;
        let expected = match kind {
            FaultKind::LoginFailed | FaultKind::ExpiredToken => Some(401),
            FaultKind::TooMany { .. } => Some(429),
            FaultKind::ServerError => Some(500),
            FaultKind::Unavailable => Some(503),
            FaultKind::CutConnection => None,
            _ => Some(200),
        };
        let status = wrong.as_ref().map(|(status, ..)| status.as_u16());
        assert_eq!(status, expected, "{name}");
        let is_as_ever = match kind {
            // They take their time, show on other pages, or on lists of accesses.
            FaultKind::Delay(_)
            | FaultKind::Drip(_)
            | FaultKind::EndlessNext
            | FaultKind::RepeatedPage
            | FaultKind::ChangedField
            | FaultKind::WrongTotal => true,
            _ => false,
        };
        assert_eq!(wrong == right, is_as_ever, "{name}: {wrong:?}");
        partner.door.calm();
        partner.log_in().await;
    }
    let told = Fault::new(FaultKind::TooMany {
        retry_after: Some(7),
    });
    partner.door.fault(told.only("users").times(1));
    assert_eq!(partner.accesses("1A").await, 2);
    assert_eq!(users(&partner).await.unwrap().1, "7");
    assert_eq!(users(&partner).await, right);
}

#[tokio::test]
async fn lists_of_accesses_and_further_pages_go_wrong_as_told() {
    let partner = Partner::new().await;
    for email in ["ada@example.com", "bo@example.com"] {
        let mut body = partner.ada();
        body["email"] = email.into();
        assert_eq!(partner.post(body).await.0, 200);
    }
    let second = "/v1/users?pageSize=1&pageToken=1";
    let right = partner.get(second).await;
    assert_eq!(right["users"][0]["email"], "bo@example.com");
    assert!(right.get("nextPageToken").is_none());
    partner.door.fault(FaultKind::RepeatedPage);
    let repeated = partner.get(second).await;
    assert_eq!(repeated["users"][0]["email"], "ada@example.com");
    partner.door.calm();
    partner.door.fault(FaultKind::EndlessNext);
    assert_eq!(partner.get(second).await["nextPageToken"], "2");
    partner.door.calm();
    partner.door.fault(FaultKind::ChangedField);
    let path = format!("/v1/keys/{}/accesses", partner.key("1A"));
    let access = &partner.get(&path).await["accesses"][0];
    assert_eq!(access["grantedBy"]["type"], "PARTNER");
    assert!(access.get("granter").is_none());
}
