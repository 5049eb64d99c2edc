//! The shipped connector of OpenDOOR, operation by operation: against the local one, which keeps what it is told and goes wrong
//! when it is to, and against the vendor's document.

use std::time::Duration;

use crate::support::outside;
use crate::support::shipped_target::{ShippedTarget, with_id};
use crate::support::small_pms::{Pms, Reply};
use epms::config::Operation;
use epms::sandbox::FaultKind;
use epms::sandbox::opendoor::{DoorSettings, ListMishap, Mishap, OpenDoor, Role};
use epms::source::{Acted, SourceError};
use serde_json::{Value, json};

struct Partner {
    door: OpenDoor,
    target: ShippedTarget,
}

impl Partner {
    async fn new() -> Partner {
        Partner::with(&[]).await
    }

    /// With `fields` of the target's file.
    async fn with(fields: &[(&str, &str)]) -> Partner {
        let door = OpenDoor::start(DoorSettings::default()).await.unwrap();
        let target = of(&door, &door.url(), fields);
        Partner { door, target }
    }

    fn key(&self, name: &str) -> String {
        self.door
            .keyring(|keyring| keyring.key_named(name).unwrap().uuid.clone())
    }

    /// What Ana should have at a key.
    fn ana(&self, key: &str) -> Value {
        self.wanted("Ana.Ortiz@example.com", key, None)
    }

    fn wanted(&self, email: &str, key: &str, end: Option<&str>) -> Value {
        let place = self.key(key);
        let person = json!({
            "id": "p17", "first_name": "Ana", "last_name": "Ortiz", "email": email,
            "places": [{ "place": place, "start": "2026-03-01T09:30:00.5Z", "end": end }],
            "openings": [], "stays": [], "is_over": false,
        });
        let mut wanted = self.target.wanted(&person);
        assert_eq!(wanted.len(), 1);
        wanted.remove(0)
    }

    async fn act(&self, operation: Operation, grant: &Value) -> Acted {
        self.target.act(operation, grant).await.unwrap()
    }

    async fn create(&self, grant: &Value) -> Acted {
        self.act(Operation::Create, grant).await
    }

    /// Grants, and gives the grant with its id.
    async fn granted(&self, grant: &Value) -> Value {
        let Acted::Done { id: Some(id) } = self.create(grant).await else {
            panic!("it is not granted");
        };
        with_id(grant, &id)
    }

    fn accesses(&self) -> usize {
        self.door.keyring(|keyring| keyring.accesses.len())
    }

    /// How often something was asked to be done.
    fn acts(&self) -> usize {
        let requests = self.door.requests();
        requests.iter().filter(|one| one.method != "GET").count()
    }
}

/// The target of a local OpenDOOR that is reached at a URL.
fn of(door: &OpenDoor, url: &str, fields: &[(&str, &str)]) -> ShippedTarget {
    let mut credential = vec![("url", url)];
    let others = door.credential().iter();
    credential.extend(others.map(|(name, value)| (*name, value.as_str())));
    ShippedTarget::new("opendoor", &credential, fields)
}

fn refused(acted: &Acted) -> &str {
    match acted {
        Acted::Refused(told) => &told.remedy,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_grant_is_made_found_changed_and_taken_away() {
    let partner = Partner::new().await;
    let grant = partner.ana("1D");
    assert!(partner.target.found(&grant).await.is_none());
    let granted = partner.granted(&grant).await;
    let held = partner.target.found(&granted).await.unwrap();
    assert_eq!(held.id, granted["id"]);
    assert!(!held.others && !held.visit && !held.off);
    assert_eq!(held.fields, partner.target.compared(&grant));
    partner.door.keyring(|keyring| {
        let access = &keyring.accesses[0];
        assert_eq!(access.start.to_string(), "2026-03-01T09:30:00Z");
        // The status decides, and not the calendar.
        assert_eq!((access.end, access.role), (None, Some(Role::Resident)));
        assert_eq!(
            keyring.users[0].email.as_deref(),
            Some("ana.ortiz@example.com")
        );
    });
    let mut other = partner.wanted("ana.ortiz@example.com", "1D", Some("2027-06-30T04:00:00Z"));
    other["role"] = "GUEST".into();
    other["shareable"] = true.into();
    let other = with_id(&other, &held.id);
    assert_eq!(
        partner.act(Operation::Change, &other).await,
        Acted::Done { id: None }
    );
    let held = partner.target.found(&other).await.unwrap();
    assert_eq!(held.fields, partner.target.compared(&other));
    let removed = partner.act(Operation::Remove, &granted).await;
    assert_eq!(removed, Acted::Done { id: None });
    assert!(partner.target.found(&granted).await.is_none());
    let again = partner.act(Operation::Remove, &granted).await;
    assert_eq!((again, partner.accesses()), (Acted::Gone, 0));
    assert_eq!(partner.act(Operation::Change, &granted).await, Acted::Gone);
}

#[tokio::test]
async fn an_end_that_is_to_be_none_again_is_none_when_it_is_read_back() {
    let partner = Partner::new().await;
    let ends = partner.wanted("ana@example.com", "1D", Some("2027-06-30T04:00:00.25Z"));
    let granted = partner.granted(&ends).await;
    let held = partner.target.found(&granted).await.unwrap();
    assert_eq!(held.fields["end"], "2027-06-30T04:00:00Z");
    assert_eq!(held.fields, partner.target.compared(&ends));
    let endless = partner.wanted("ana@example.com", "1D", None);
    let changed = with_id(&endless, &held.id);
    assert_eq!(
        partner.act(Operation::Change, &changed).await,
        Acted::Done { id: None }
    );
    let held = partner.target.found(&changed).await.unwrap();
    assert_eq!(held.fields, partner.target.compared(&endless));
}

#[tokio::test]
async fn everything_is_read_back_whatever_key_and_page_it_is_on() {
    let door = OpenDoor::start(DoorSettings {
        page_size: 3,
        ..DoorSettings::default()
    });
    let door = door.await.unwrap();
    let target = of(&door, &door.url(), &[]);
    let partner = Partner { door, target };
    let mut all = Vec::new();
    for (number, key) in ["1A", "1D", "5D", "Common areas", "1A"]
        .into_iter()
        .enumerate()
    {
        let grant = partner.wanted(&format!("somebody{number}@example.com"), key, None);
        partner.granted(&grant).await;
        all.push(grant["key"].as_str().unwrap().to_owned());
    }
    let held = partner.target.held(Operation::List, &Value::Null).await;
    let mut held: Vec<String> = held.unwrap().into_iter().map(|held| held.key).collect();
    held.sort();
    all.sort();
    assert_eq!(held, all);
}

#[tokio::test]
async fn what_a_manager_granted_is_others_and_stays() {
    let partner = Partner::new().await;
    let grant = partner.ana("1D");
    let (place, now) = (partner.key("1D"), jiff::Timestamp::UNIX_EPOCH);
    partner
        .door
        .keyring(|keyring| keyring.grant_by_hand("ana.ortiz@example.com", &place, now));
    let held = partner.target.found(&grant).await.unwrap();
    assert!(held.others);
    let granted = partner.granted(&grant).await;
    assert_eq!(partner.accesses(), 2);
    let removed = partner.act(Operation::Remove, &granted).await;
    assert_eq!((removed, partner.accesses()), (Acted::Done { id: None }, 1));
    // What is others' is not ours to take away.
    assert_eq!(partner.act(Operation::Remove, &granted).await, Acted::Gone);
}

#[tokio::test]
async fn a_door_that_no_network_reaches_needs_a_visit() {
    let partner = Partner::new().await;
    for (key, needs) in [("1A", true), ("1D", false), ("Common areas", true)] {
        let granted = partner.granted(&partner.ana(key)).await;
        let held = partner.target.found(&granted).await.unwrap();
        assert_eq!(held.visit, needs, "{key}");
    }
}

#[tokio::test]
async fn a_new_user_who_is_answered_with_nothing_at_all_is_found_afterwards() {
    let partner = Partner::new().await;
    let grant = partner.ana("1D");
    partner.door.mishap(Mishap::BareCreated, 1);
    assert_eq!(partner.create(&grant).await, Acted::Done { id: None });
    let held = partner.target.found(&grant).await.unwrap();
    let user = |keyring: &mut epms::sandbox::opendoor::Keyring| keyring.users[0].uuid.clone();
    assert_eq!(held.id, partner.door.keyring(user));
}

#[tokio::test]
async fn what_the_target_s_file_says_goes_along() {
    let fields = [
        ("role", "NON_RESIDENT"),
        ("shareable", "yes"),
        ("notify", "no"),
    ];
    let partner = Partner::with(&fields).await;
    let grant = partner.ana("1D");
    let granted = partner.granted(&grant).await;
    partner.door.keyring(|keyring| {
        let access = &keyring.accesses[0];
        assert_eq!(
            (access.role, access.is_shareable),
            (Some(Role::NonResident), true)
        );
    });
    let held = partner.target.found(&granted).await.unwrap();
    assert_eq!(held.fields, partner.target.compared(&grant));
}

#[tokio::test]
async fn each_mishap_is_what_it_is_and_nothing_is_sent_twice() {
    let partner = Partner::new().await;
    let grant = partner.ana("1D");
    // So many accesses there are then; each request that is answered with them was sent once.
    for (mishap, accesses) in [
        (Mishap::DoneUnheard, 1),
        (Mishap::Unheard, 0),
        (Mishap::DoneServerError, 1),
        (Mishap::ServerError, 0),
    ] {
        let before = partner.acts();
        partner.door.mishap(mishap, 1);
        let acted = partner.create(&grant).await;
        assert!(matches!(acted, Acted::Doubtful(_)), "{mishap:?}: {acted:?}");
        assert_eq!(partner.acts(), before + 1, "{mishap:?}");
        assert_eq!(partner.accesses(), accesses, "{mishap:?}");
        // Only a look tells.
        let found = partner.target.found(&grant).await;
        assert_eq!(found.is_some(), accesses > 0, "{mishap:?}");
        partner.door.keyring(|keyring| keyring.accesses.clear());
    }
    for (mishap, wait) in [
        (Mishap::TooMany(None), None),
        (Mishap::Unavailable, None),
        (Mishap::TooMany(Some(1)), Some(Duration::from_secs(1))),
    ] {
        let before = partner.acts();
        partner.door.mishap(mishap, 1);
        let acted = partner.create(&grant).await;
        let Acted::Later(_, asked) = acted else {
            panic!("{mishap:?}: {acted:?}");
        };
        assert_eq!((asked, partner.acts()), (wait, before + 1), "{mishap:?}");
        assert_eq!(partner.accesses(), 0, "{mishap:?}");
    }
    // Nothing was done with a token that was good and is no more: another one is fetched.
    assert!(partner.target.found(&grant).await.is_none());
    partner.door.mishap(Mishap::ExpiredToken, 1);
    let acted = partner.create(&grant).await;
    assert!(matches!(acted, Acted::Done { id: Some(_) }), "{acted:?}");
    assert_eq!(partner.accesses(), 1);
    // Two of the same have one id there, and go together.
    partner.door.mishap(Mishap::DoneTwice, 1);
    let other = partner.wanted("bo@example.com", "1D", None);
    let granted = partner.granted(&other).await;
    assert_eq!(partner.accesses(), 3);
    partner.act(Operation::Remove, &granted).await;
    assert_eq!(partner.accesses(), 1);
}

#[tokio::test]
async fn a_list_that_is_not_whole_is_no_list() {
    let partner = Partner::new().await;
    partner.granted(&partner.ana("1D")).await;
    for fault in [
        FaultKind::NoResult,
        FaultKind::Html,
        FaultKind::Truncated,
        FaultKind::EndlessNext,
        FaultKind::LoginFailed,
        FaultKind::CutConnection,
    ] {
        let partner = Partner::new().await;
        partner.door.fault(fault);
        let held = partner.target.look(Operation::List, &Value::Null).await;
        assert!(held.is_err(), "{fault}: {held:?}");
    }
    partner.door.list_mishap(ListMishap::EndlessPages, 9);
    let held = partner.target.look(Operation::List, &Value::Null).await;
    assert!(matches!(held, Err(SourceError::Unexpected(_))), "{held:?}");
}

#[tokio::test]
async fn a_key_that_is_there_no_more_opens_nothing_and_cannot_be_granted() {
    let partner = Partner::new().await;
    let mut grant = partner.ana("1D");
    grant["place"] = "00000000-0000-4000-8000-000000000000".into();
    assert!(partner.target.found(&grant).await.is_none());
    let acted = partner.create(&grant).await;
    assert!(refused(&acted).contains("`places`"), "{acted:?}");
}

#[tokio::test]
async fn a_right_that_is_missing_is_refused_and_told_where_to_get_it() {
    let partner = Partner::new().await;
    let door = partner.key("1D");
    partner.door.keyring(|keyring| {
        let doors = keyring.keys.iter().find(|key| key.uuid == door).unwrap();
        let first = doors.doors[0].clone();
        let door = keyring.doors.iter_mut().find(|door| door.uuid == first);
        door.unwrap().is_closed = true;
    });
    let acted = partner.create(&partner.ana("1D")).await;
    assert!(refused(&acted).contains("DOOR's staff"), "{acted:?}");
    // Another key goes on being granted.
    partner.granted(&partner.ana("2D")).await;
}

#[tokio::test]
async fn somebody_without_an_email_is_refused_and_told_what_is_missing() {
    let partner = Partner::new().await;
    let person = json!({
        "id": "p18", "first_name": null, "last_name": "Alder Staffing LLC", "email": null,
        "places": [{ "place": partner.key("1D"), "start": "2026-03-01T09:30:00Z" }],
    });
    let wanted = partner.target.wanted(&person);
    assert!(wanted[0]["key"].as_str().unwrap().starts_with("p18/"));
    let acted = partner.create(&wanted[0]).await;
    assert!(refused(&acted).contains("email"), "{acted:?}");
}

/// The codes of 400 that the vendor's document has.
const CODES: [&str; 12] = [
    "BUILDING_UUID_REQUIRED",
    "EMAIL_AND_PHONE_PROVIDED",
    "EMAIL_CAN_NOT_BE_EMPTY",
    "EMAIL_OR_PHONE_REQUIRED",
    "EMAIL_REQUIRED_FOR_PERMANENT",
    "END_TIME_NOT_SUPPORTED",
    "INVALID_END_TIME",
    "INVALID_PHONE",
    "INVALID_START_TIME",
    "MISSING_END_TIME",
    "PASSCODE_TYPE_CANT_BE_REVOKED",
    "USER_CAN_NOT_SHARE",
];

/// A connector that reads nothing: what is wanted of it is its server.
const NOTHING: &str = "requests:\n  residents: { url: \"{{ credential.url }}/none\", per: once, property: x, format: json }\n";

#[tokio::test]
async fn each_of_the_vendor_s_codes_is_refused_with_something_to_do_about_it() {
    for code in CODES {
        let server = Pms::start(NOTHING, move |_, asked| {
            if asked.to.ends_with("/oauth/token") {
                let token = json!({ "access_token": "t0ken-of-a-test", "token_type": "Bearer" });
                return Reply(200, vec![], token.to_string().into_bytes());
            }
            let body = json!({ "message": code }).to_string();
            Reply(400, vec![], body.into_bytes())
        })
        .await;
        let target = at(&server.url);
        let acted = target.act(Operation::Create, &some_grant()).await.unwrap();
        let Acted::Refused(told) = &acted else {
            panic!("{code}: {acted:?}");
        };
        assert!(told.to_string().contains(code), "{told}");
        assert!(!told.remedy.is_empty(), "{code}");
        let unknown = "ask DOOR with these words";
        assert_ne!(told.remedy, unknown, "{code}");
    }
}

fn at(url: &str) -> ShippedTarget {
    let credential = [
        ("url", url),
        ("client_id", "epms"),
        ("client_secret", "s3cret"),
        ("audience", "https://rest.opendoor.example"),
    ];
    ShippedTarget::new("opendoor", &credential, &[])
}

const PLACE: &str = "7a3f7a1e-0d0a-4a3b-9a52-0c7f3a1b2c3d";

fn some_grant() -> Value {
    let person = json!({
        "id": "p17", "first_name": "Ana", "last_name": "Ortiz", "email": "ana@example.com",
        "places": [{ "place": PLACE, "start": "2026-03-01T09:30:00Z", "end": "2026-06-30T04:00:00Z" }],
    });
    let target = at("http://127.0.0.1:9");
    let mut wanted = target.wanted(&person);
    with_id(&wanted.remove(0), "0f7c3a52-9f0e-4c1c-8f5e-3f2b1a0c9d8e")
}

/// What a server of a few lines was asked by every operation: method, path with query, and body.
async fn all_requests() -> Vec<(String, String, String)> {
    let server = Pms::start(NOTHING, |_, asked| {
        let path = asked.to.split('?').next().unwrap();
        let body = match path.rsplit('/').next().unwrap() {
            "token" => json!({ "access_token": "t0ken-of-a-test", "token_type": "Bearer" }),
            "keys" => json!({ "keys": [{ "uuid": PLACE, "name": "1D" }] }),
            "accesses" => json!({ "accesses": [] }),
            "users" if asked.method == "GET" => json!({ "users": [] }),
            "users" => json!({ "userUuid": "u", "doors": [] }),
            "doors" => json!({ "doors": [] }),
            _ => json!({}),
        };
        Reply(200, vec![], body.to_string().into_bytes())
    })
    .await;
    let target = at(&server.url);
    let grant = some_grant();
    for operation in [Operation::Create, Operation::Change, Operation::Remove] {
        let acted = target.act(operation, &grant).await.unwrap();
        assert!(matches!(acted, Acted::Done { .. }), "{operation:?}");
    }
    // What the script looks up is read along.
    target.held(Operation::List, &Value::Null).await.unwrap();
    target.held(Operation::Find, &grant).await.unwrap();
    target.look(Operation::Places, &Value::Null).await.unwrap();
    let asked = server.asked().into_iter();
    asked
        .filter(|asked| !asked.to.ends_with("/oauth/token"))
        .map(|asked| (asked.method, asked.to, asked.body))
        .collect()
}

/// By the vendor's document: the members that a body has to have, and those that it may have.
const POST: (&[&str], &[&str]) = (
    &[
        "firstName",
        "lastName",
        "passcodeType",
        "shareable",
        "startTime",
    ],
    &[
        "doorUuids",
        "email",
        "endTime",
        "keyUuids",
        "phone",
        "role",
        "shouldNotify",
    ],
);
const PATCH: (&[&str], &[&str]) = (&[], &["endTime", "role", "shareable"]);

#[tokio::test]
async fn bodies_have_what_the_vendor_s_document_asks_for_and_nothing_else() {
    let mut seen = 0;
    for (method, path, body) in Box::pin(all_requests()).await {
        let (must, may) = match method.as_str() {
            "POST" => POST,
            "PATCH" => PATCH,
            _ => {
                assert!(body.is_empty(), "{method} {path}: {body}");
                continue;
            }
        };
        seen += 1;
        let body: Value = serde_json::from_str(&body).unwrap();
        let body = body.as_object().unwrap();
        assert!(must.iter().all(|name| body.contains_key(*name)), "{body:?}");
        let known = |name: &str| must.contains(&name) || may.contains(&name);
        assert!(body.keys().all(|name| known(name)), "{body:?}");
        assert!(body.values().all(|value| !value.is_null()), "{body:?}");
        for name in ["startTime", "endTime"] {
            if let Some(time) = body.get(name) {
                let time = time.as_str().unwrap();
                assert!(time.contains('T') && time.ends_with('Z'), "{time}");
            }
        }
        assert!(body["shareable"].is_boolean(), "{body:?}");
    }
    assert_eq!(seen, 2);
}

/// The same by the vendor's own document, as Prism reads it.
#[tokio::test(flavor = "multi_thread")]
async fn requests_are_as_the_vendor_s_document_has_them() {
    let Some(prism) = outside::prism("door-partner-openapi.json") else {
        return;
    };
    let violations = outside::violations(&prism, Box::pin(all_requests()).await).await;
    assert!(violations.is_empty(), "{violations:#?}");
}
