//! The shipped connector of SCIM, operation by operation: against two servers that nobody here wrote, and one of a few lines.

use crate::support::outside::{self, Outside};
use crate::support::shipped_target::{ShippedTarget, with_id};
use crate::support::small_pms::{Pms, Reply};
use epms::config::Operation;
use epms::source::Acted;
use serde_json::{Value, json};

fn at(url: &str, fields: &[(&str, &str)]) -> ShippedTarget {
    ShippedTarget::new("scim", &[("url", url), ("token", "good")], fields)
}

fn person(id: &str, first: &str, email: &str) -> Value {
    let open = json!({ "integration": "elm-court", "property": "Elm Court", "places": [], "start": "2026-03-01T09:30:00Z" });
    json!({
        "id": id, "first_name": first, "last_name": "Ortiz", "email": email, "phone": "+12125550100",
        "openings": [open], "places": [], "stays": [], "is_over": false,
    })
}

fn wanted(target: &ShippedTarget, id: &str, first: &str, email: &str) -> Value {
    let mut wanted = target.wanted(&person(id, first, email));
    assert_eq!(wanted.len(), 1);
    wanted.remove(0)
}

const DONE: Acted = Acted::Done { id: None };

/// Makes a user as somebody else would, and gives its id.
async fn made_by_others(server: &Outside, user: Value) -> String {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]);
    let asked = http.build().unwrap().post(format!("{}/Users", server.url));
    let asked = asked.header("Content-Type", "application/scim+json");
    let answer = asked.bearer_auth("good").body(user.to_string()).send();
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), 201);
    let made: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    made["id"].as_str().unwrap().to_owned()
}

/// All that is asked of a server that others wrote.
async fn serves(server: &Outside) {
    let target = at(&server.url, &[("phone", "yes")]);
    let grant = wanted(&target, "p17", "Ana", "ana.ortiz@example.com");
    assert_eq!(target.found(&grant).await, None);

    // Made, and found as it was sent.
    let acted = target.act(Operation::Create, &grant).await.unwrap();
    let Acted::Done { id: Some(id) } = acted else {
        panic!("{acted:?}");
    };
    let held = target.found(&grant).await.unwrap();
    assert_eq!((&held.id, held.off, held.others), (&id, false, false));
    assert_eq!(held.fields, target.compared(&grant));
    let again = target.act(Operation::Create, &grant).await.unwrap();
    assert_eq!(again, Acted::There);

    // Changed in all that is compared, twice over, and the phone taken away.
    let mut moved = person("p17", "Anabel", "anabel@example.com");
    moved["phone"] = Value::Null;
    let changed = with_id(&target.wanted(&moved)[0], &id);
    for _ in 0..2 {
        assert_eq!(target.act(Operation::Change, &changed).await.unwrap(), DONE);
        let held = target.found(&changed).await.unwrap();
        assert_eq!((&held.id, held.off), (&id, false));
        assert_eq!(held.fields, target.compared(&changed));
    }

    // Switched off, and on again.
    assert_eq!(target.act(Operation::Remove, &changed).await.unwrap(), DONE);
    let held = target.found(&changed).await.unwrap();
    assert!(held.off);
    assert_eq!(held.fields, target.compared(&changed));
    let grant = with_id(&grant, &id);
    assert_eq!(target.act(Operation::Change, &grant).await.unwrap(), DONE);
    let held = target.found(&grant).await.unwrap();
    assert!(!held.off);
    assert_eq!(held.fields, target.compared(&grant));

    // A user of the name with no id of anybody's is taken over; one with another id is left alone.
    let bo = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "bo@example.com", "active": true });
    let id = made_by_others(server, bo).await;
    let grant = wanted(&target, "p18", "Bo", "bo@example.com");
    assert_eq!(
        target.act(Operation::Create, &grant).await.unwrap(),
        Acted::There
    );
    let held = target.found(&grant).await.unwrap();
    assert_eq!((&held.id, held.others), (&id, false));
    assert_ne!(held.fields, target.compared(&grant));
    let adopted = with_id(&grant, &id);
    assert_eq!(target.act(Operation::Change, &adopted).await.unwrap(), DONE);
    let held = target.found(&grant).await.unwrap();
    assert_eq!(held.fields, target.compared(&grant));
    let cy = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "cy@example.com", "externalId": "E-1001",
        "active": true,
    });
    made_by_others(server, cy).await;
    let grant = wanted(&target, "p19", "Cy", "cy@example.com");
    assert!(target.found(&grant).await.unwrap().others);

    // Somebody else's name cannot be taken.
    let taken = with_id(&wanted(&target, "p18", "Bo", "ana.ortiz@example.com"), &id);
    assert_eq!(
        target.act(Operation::Change, &taken).await.unwrap(),
        Acted::There
    );
    let nobody = with_id(&taken, "nobody");
    for operation in [Operation::Change, Operation::Remove] {
        assert_eq!(target.act(operation, &nobody).await.unwrap(), Acted::Gone);
    }

    // Everybody of ours, on whatever page, and nobody else.
    for number in 100..230 {
        let email = format!("somebody{number}@example.com");
        let grant = wanted(&target, &format!("p{number}"), "Some", &email);
        let acted = target.act(Operation::Create, &grant).await.unwrap();
        assert!(matches!(acted, Acted::Done { id: Some(_) }), "{acted:?}");
    }
    let held = target.held(Operation::List, &Value::Null).await.unwrap();
    let mut keys: Vec<String> = held.into_iter().map(|held| held.key).collect();
    keys.sort();
    let mut all: Vec<String> = (100..230).map(|number| format!("p{number}")).collect();
    all.extend(["p17".to_owned(), "p18".to_owned()]);
    all.sort();
    assert_eq!(keys, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn scim2_server_is_served() {
    if let Some(server) = outside::scim2_server() {
        serves(&server).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scimmy_is_served() {
    if let Some(server) = outside::scimmy() {
        serves(&server).await;
    }
}

const NOTHING: &str = "requests:\n  residents: { url: \"{{ credential.url }}/none\", per: once, property: x, format: json }\n";

/// What a server of a few lines is asked to do for a person without an email.
#[tokio::test]
async fn what_is_to_be_none_is_removed_and_no_null_is_sent() {
    let server = Pms::start(NOTHING, |_, _| Reply(204, vec![], vec![])).await;
    let target = at(&server.url, &[("phone", "yes"), ("prefix", "epms-")]);
    let mut nameless = person("p18", "Bo", "");
    nameless["email"] = Value::Null;
    nameless["phone"] = Value::Null;
    nameless["first_name"] = Value::Null;
    let grant = with_id(&target.wanted(&nameless)[0], "7");
    for operation in [Operation::Create, Operation::Change, Operation::Remove] {
        assert_eq!(target.act(operation, &grant).await.unwrap(), DONE);
    }
    let asked = server.asked();
    let told: Vec<_> = asked
        .iter()
        .map(|one| (one.method.as_str(), one.to.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("POST", "/Users"),
            ("PATCH", "/Users/7"),
            ("PATCH", "/Users/7")
        ]
    );
    for one in &asked {
        assert_eq!(one.header("content-type"), "application/scim+json");
        assert_eq!(one.header("authorization"), "Bearer good");
        assert!(!one.body.contains("null"), "{}", one.body);
    }
    let body = |at: usize| -> Value { serde_json::from_str(&asked[at].body).unwrap() };
    assert_eq!(
        body(0),
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "externalId": "epms-p18", "userName": "epms-p18",
            "name": { "familyName": "Ortiz", "formatted": "Ortiz" }, "displayName": "Ortiz", "emails": [], "phoneNumbers": [],
            "active": true,
        })
    );
    let operations = body(1)["Operations"].clone();
    let removed = [
        json!({ "op": "remove", "path": "emails" }),
        json!({ "op": "remove", "path": "phoneNumbers" }),
    ];
    assert!(
        removed
            .iter()
            .all(|one| operations.as_array().unwrap().contains(one)),
        "{operations}"
    );
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    assert_eq!(body(2)["Operations"], off);
}

#[tokio::test]
async fn somebody_is_looked_for_by_our_id_and_by_name_and_a_list_may_have_no_list() {
    let server = Pms::start(NOTHING, |_, _| {
        // Some leave the list out where there is nobody.
        Reply(200, vec![], br#"{"totalResults":0}"#.to_vec())
    })
    .await;
    let target = at(&server.url, &[]);
    let grant = wanted(&target, "p17", "Ana", "Ana+Elm@example.com");
    assert_eq!(target.found(&grant).await, None);
    let asked = server.asked();
    let query = asked[0].to.split_once('?').unwrap().1;
    let query: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let filter = r#"externalId eq "p17" or userName eq "ana+elm@example.com""#;
    let filter = ("filter".to_owned(), filter.to_owned());
    assert!(query.contains(&filter), "{query:?}");
    let held = target.held(Operation::List, &Value::Null).await.unwrap();
    assert!(held.is_empty());
}

#[tokio::test]
async fn refusals_are_what_they_are() {
    let row = |status: u16, kind: &str| {
        let error = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": status.to_string(), "scimType": kind,
            "detail": "no",
        });
        (status, error.to_string())
    };
    for (answer, word) in [
        (row(409, "uniqueness"), "there"),
        (row(400, "uniqueness"), "there"),
        (row(400, "invalidValue"), "refused"),
        (row(403, ""), "refused"),
        (row(404, ""), "refused"),
        (row(501, ""), "refused"),
        (row(429, ""), "later"),
        (row(503, ""), "later"),
        (row(500, ""), "doubtful"),
    ] {
        let (status, body) = answer.clone();
        let server = Pms::start(NOTHING, move |_, _| {
            Reply(status, vec![], body.clone().into_bytes())
        })
        .await;
        let target = at(&server.url, &[]);
        let grant = wanted(&target, "p17", "Ana", "ana@example.com");
        let acted = target.act(Operation::Create, &grant).await.unwrap();
        let found = match &acted {
            Acted::Done { .. } => "done",
            Acted::There => "there",
            Acted::Gone => "gone",
            Acted::Refused(told) => {
                assert!(!told.remedy.is_empty(), "{told}");
                "refused"
            }
            Acted::Later(..) => "later",
            Acted::Doubtful(_) => "doubtful",
        };
        assert_eq!(found, word, "{answer:?}: {acted:?}");
        assert_eq!(server.asked().len(), 1);
    }
}
