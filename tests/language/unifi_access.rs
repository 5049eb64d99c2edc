//! The shipped connector of UniFi Access, operation by operation: against a server of a few lines, and against the vendor's
//! document.

use crate::support::outside;
use crate::support::shipped_target::{ShippedTarget, with_id};
use crate::support::small_pms::{Asked, Pms, Reply};
use epms::config::Operation;
use epms::source::{Acted, SourceError};
use serde_json::{Value, json};

const NOTHING: &str = "requests:\n  residents: { url: \"{{ credential.url }}/none\", per: once, property: x, format: json }\n";

fn at(url: &str) -> ShippedTarget {
    ShippedTarget::new("unifi-access", &[("url", url), ("token", "good")], &[])
}

fn ana(target: &ShippedTarget) -> Value {
    let place = |name: &str| json!({ "place": name, "start": "2026-03-01T09:30:00Z" });
    let person = json!({
        "id": "p17", "first_name": "Ana", "last_name": "Ortiz", "email": "ana@example.com",
        "places": [place("policy-b"), place("policy-a")],
    });
    target.wanted(&person).remove(0)
}

fn success(data: &Value) -> Reply {
    let body = json!({ "code": "SUCCESS", "msg": "success", "data": data });
    Reply(200, vec![], body.to_string().into_bytes())
}

/// One console, which has a user for Ana.
async fn console() -> Pms {
    Pms::start(NOTHING, |_, asked: &Asked| {
        let path = asked.to.split('?').next().unwrap();
        match (asked.method.as_str(), path) {
            ("POST", _) => success(&json!({ "id": "u-1" })),
            ("GET", "/api/v1/developer/users") => {
                let user = json!({
                    "id": "u-1", "employee_number": "p17", "first_name": "Ana", "last_name": "Ortiz",
                    "user_email": "ana@example.com", "status": "ACTIVE", "access_policy_ids": ["policy-b", "policy-a"],
                });
                let body = json!({
                    "code": "SUCCESS", "data": [user], "pagination": { "page_num": 1, "page_size": 25, "total": 1 },
                });
                Reply(200, vec![], body.to_string().into_bytes())
            }
            ("GET", _) => success(&json!([{ "id": "policy-a", "name": "Lobby" }])),
            _ => success(&Value::Null),
        }
    })
    .await
}

/// All that a console is asked: method, path with query, and body.
async fn all_requests() -> Vec<(String, String, String)> {
    let console = console().await;
    let target = at(&console.url);
    let grant = with_id(&ana(&target), "u-1");
    for operation in [Operation::Create, Operation::Change, Operation::Remove] {
        let acted = target.act(operation, &grant).await.unwrap();
        assert_eq!(acted, Acted::Done { id: None }, "{operation:?}");
    }
    let held = target.found(&grant).await.unwrap();
    assert_eq!(held.id, "u-1");
    assert_eq!(held.fields, target.compared(&grant));
    let held = target.held(Operation::List, &Value::Null).await.unwrap();
    assert_eq!(held.len(), 1);
    target.look(Operation::Places, &Value::Null).await.unwrap();
    let asked = console.asked().into_iter();
    asked
        .map(|asked| (asked.method, asked.to, asked.body))
        .collect()
}

#[tokio::test]
async fn a_user_is_made_and_then_gets_all_policies_as_a_whole() {
    let asked = Box::pin(all_requests()).await;
    let told: Vec<String> = asked
        .iter()
        .take(5)
        .map(|(method, path, body)| format!("{method} {path} {body}"))
        .collect();
    let base = "/api/v1/developer/users";
    let user = r#"{"first_name":"Ana","last_name":"Ortiz","user_email":"ana@example.com","employee_number":"p17""#;
    let policies = r#"{"access_policy_ids":["policy-a","policy-b"]}"#;
    assert_eq!(
        told,
        [
            format!("POST {base} {user}}}"),
            format!("PUT {base}/u-1/access_policies {policies}"),
            format!(r#"PUT {base}/u-1 {user},"status":"ACTIVE"}}"#),
            format!("PUT {base}/u-1/access_policies {policies}"),
            format!(r#"PUT {base}/u-1 {{"status":"DEACTIVATED"}}"#),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_as_the_vendor_s_document_has_them() {
    let Some(prism) = outside::prism("unifi-access-openapi.yaml") else {
        return;
    };
    let violations = outside::violations(&prism, Box::pin(all_requests()).await).await;
    assert!(violations.is_empty(), "{violations:#?}");
}

/// What becomes of an act that is answered with this code.
async fn answered(status: u16, body: &'static str) -> Result<Acted, SourceError> {
    let console = Pms::start(NOTHING, move |_, _| Reply(status, vec![], body.into())).await;
    let target = at(&console.url);
    let grant = with_id(&ana(&target), "u-1");
    target.act(Operation::Remove, &grant).await
}

#[tokio::test]
async fn the_verdict_stands_in_the_body_whatever_the_status_says() {
    let gone = Box::pin(answered(
        200,
        r#"{"code":"CODE_USER_WORKER_NOT_EXISTS","msg":"no"}"#,
    ))
    .await;
    assert_eq!(gone.unwrap(), Acted::Gone);
    let login = Box::pin(answered(
        200,
        r#"{"code":"CODE_ACCESS_TOKEN_INVALID","msg":"no"}"#,
    ))
    .await;
    assert!(
        matches!(login, Err(SourceError::LoginFailed(_))),
        "{login:?}"
    );
    let busy = Box::pin(answered(200, r#"{"code":"CODE_SYSTEM_ERROR","msg":"no"}"#)).await;
    assert!(matches!(busy, Ok(Acted::Later(..))), "{busy:?}");
    for (body, hint) in [
        (
            r#"{"code":"CODE_OPERATION_FORBIDDEN","msg":"no"}"#,
            "edit:user",
        ),
        (r#"{"code":"CODE_PARAMS_INVALID","msg":"no"}"#, "`places`"),
        (r#"{"code":"CODE_USER_EMAIL_ERROR","msg":"no"}"#, "email"),
        (
            r#"{"code":"CODE_NOBODY_KNOWS","msg":"no"}"#,
            "ask whoever runs the console",
        ),
        (r#"{"status":"fine"}"#, "12445"),
    ] {
        let acted = Box::pin(answered(200, body)).await.unwrap();
        let Acted::Refused(told) = &acted else {
            panic!("{body}: {acted:?}");
        };
        assert!(told.remedy.contains(hint), "{body}: {told}");
    }
}

#[tokio::test]
async fn a_user_who_is_made_and_gets_no_policies_is_in_doubt_until_somebody_looks() {
    let console = Pms::start(NOTHING, |_, asked: &Asked| match asked.method.as_str() {
        "POST" => success(&json!({ "id": "u-1" })),
        _ => Reply(503, vec![], vec![]),
    })
    .await;
    let target = at(&console.url);
    let acted = target.act(Operation::Create, &ana(&target)).await.unwrap();
    assert!(matches!(acted, Acted::Doubtful(_)), "{acted:?}");
    assert_eq!(console.asked().len(), 2);
}
