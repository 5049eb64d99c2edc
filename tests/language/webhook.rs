//! The shipped webhook, against a receiver of a few lines that checks what it gets as Standard Webhooks says.

use std::time::Duration;

use crate::support::shipped_target::ShippedTarget;
use crate::support::small_pms::{Asked, Pms, Reply};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use epms::config::Operation;
use epms::source::Acted;
use ring::hmac;
use serde_json::{Value, json};

const NOTHING: &str = "requests:\n  residents: { url: \"{{ credential.url }}/none\", per: once, property: x, format: json }\n";

const KEY: &[u8] = b"twenty-four random bytes";
const BEFORE: &[u8] = b"the twenty-four of before";

fn secret(key: &[u8]) -> String {
    format!("whsec_{}", STANDARD.encode(key))
}

fn event() -> Value {
    json!({
        "id": "acme-hook:3f9a2c10:42", "seq": 42, "epoch": "3f9a2c10", "kind": "updated", "person": "p17",
        "integration": "elm-court", "state": null,
    })
}

/// What a receiver makes of it with a key: whether a signature fits.
fn is_signed(asked: &Asked, key: &[u8]) -> bool {
    let (id, moment) = (
        asked.header("webhook-id"),
        asked.header("webhook-timestamp"),
    );
    let text = format!("{id}.{moment}.{}", asked.body);
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let signatures = asked.header("webhook-signature").split(' ');
    let mut signatures = signatures.filter_map(|one| one.strip_prefix("v1,"));
    signatures.any(|one| {
        let given = STANDARD.decode(one).unwrap();
        hmac::verify(&key, text.as_bytes(), &given).is_ok()
    })
}

async fn sent(credential: &[(&str, &str)], event: &Value) -> Asked {
    let receiver = Pms::start(NOTHING, |_, _| Reply(204, vec![], vec![])).await;
    let url = format!("{}/hooks/epms", receiver.url);
    let mut fields = vec![("url", url.as_str())];
    fields.extend_from_slice(credential);
    let target = ShippedTarget::new("webhook", &fields, &[]);
    let acted = target.act(Operation::Send, event).await.unwrap();
    assert_eq!(acted, Acted::Done { id: None });
    let mut asked = receiver.asked();
    assert_eq!(asked.len(), 1);
    asked.remove(0)
}

#[tokio::test]
async fn an_event_is_thin_and_signed_and_called_by_its_id() {
    let secret = secret(KEY);
    let asked = Box::pin(sent(&[("secret", &secret)], &event())).await;
    assert_eq!(
        (asked.method.as_str(), asked.to.as_str()),
        ("POST", "/hooks/epms")
    );
    assert_eq!(asked.header("webhook-id"), "acme-hook:3f9a2c10:42");
    assert_eq!(asked.header("content-type"), "application/json");
    let moment: i64 = asked.header("webhook-timestamp").parse().unwrap();
    let now = jiff::Timestamp::now().as_second();
    assert!((now - 120..=now).contains(&moment), "{moment} at {now}");
    assert!(is_signed(&asked, KEY));
    assert!(!is_signed(&asked, BEFORE));
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    let thin = json!({ "seq": 42, "epoch": "3f9a2c10", "kind": "updated", "person": "p17", "integration": "elm-court" });
    assert_eq!(body, thin);
}

#[tokio::test]
async fn a_resulting_state_goes_along_where_there_is_one() {
    let mut event = event();
    event["state"] = json!({ "id": "p17", "stays": [], "email": null });
    let secret = secret(KEY);
    let asked = Box::pin(sent(&[("secret", &secret)], &event)).await;
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(body["state"], event["state"]);
    assert!(is_signed(&asked, KEY));
}

#[tokio::test]
async fn a_key_that_rotates_signs_beside_the_one_before() {
    let (new, before) = (secret(KEY), secret(BEFORE));
    let asked = Box::pin(sent(
        &[("secret", &new), ("previous_secret", &before)],
        &event(),
    ))
    .await;
    assert!(is_signed(&asked, KEY) && is_signed(&asked, BEFORE));
    assert_eq!(asked.header("webhook-signature").split(' ').count(), 2);
    // One that is written without its mark is the same key.
    let plain = STANDARD.encode(KEY);
    assert!(is_signed(
        &Box::pin(sent(&[("secret", &plain)], &event())).await,
        KEY
    ));
}

#[tokio::test]
async fn what_a_receiver_answers_is_what_became_of_it() {
    let wait = || vec![("retry-after", "9".to_owned())];
    let elsewhere = || vec![("location", "/elsewhere".to_owned())];
    let nine = Some(Duration::from_secs(9));
    for (status, headers, body, expected) in [
        (200, vec![], "thanks", Ok(())),
        (202, vec![], "<html>fine</html>", Ok(())),
        (410, vec![], "", Err(None)),
        (429, wait(), "", Err(Some(nine))),
        (503, wait(), "", Err(Some(nine))),
        (503, vec![], "", Err(Some(None))),
        (500, vec![], "", Err(Some(None))),
        (404, vec![], "", Err(Some(None))),
        (401, vec![], "", Err(Some(None))),
        (307, elsewhere(), "", Err(Some(None))),
    ] {
        let receiver = Pms::start(NOTHING, move |_, _| {
            Reply(status, headers.clone(), body.as_bytes().to_vec())
        })
        .await;
        let secret = secret(KEY);
        let credential = [("url", receiver.url.as_str()), ("secret", &secret)];
        let target = ShippedTarget::new("webhook", &credential, &[]);
        let acted = target.act(Operation::Send, &event()).await;
        match (acted, expected) {
            (Ok(Acted::Done { .. }), Ok(())) | (Ok(Acted::Gone), Err(None)) => {}
            (Ok(Acted::Later(_, asked)), Err(Some(wait))) => assert_eq!(asked, wait, "{status}"),
            (acted, _) => panic!("{status}: {acted:?}"),
        }
        // Once, and nowhere else.
        assert_eq!(receiver.asked().len(), 1, "{status}");
    }
}
