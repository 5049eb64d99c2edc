//! A message as a POST: signed after Standard Webhooks, or as Slack and Teams take it.

use jiff::Timestamp;
use serde_json::{Value, json};
use url::Url;

use crate::config::{CredentialValue, Hook, HookForm, KeyForm, Secret, SignatureForm, hook_url};
use crate::outbound::{Post, signed, standard_key};

use super::kept::Letter;
use super::send::{Unsent, Ways};

/// Slack takes no longer texts.
const LONGEST: usize = 30_000;

/// Sends it, once.
pub(super) async fn send(ways: &Ways, hook: &Hook, letter: &Letter) -> Result<(), Unsent> {
    let (url, secret) = read(ways, hook).await?;
    let body = body(hook.form, letter).to_string();
    let mut headers = vec![("content-type", "application/json".to_owned())];
    if let Some(secret) = secret {
        headers.extend(signature(&secret, letter, &body, (ways.now)())?);
    }
    let post = Post {
        url: &url,
        headers,
        body,
        timeout: hook.timeout.0,
        proxy: ways.proxy.as_ref(),
        ca_file: hook.ca_file.as_deref(),
        home: &ways.home,
    };
    Ok(ways.outbound.post(post).await?)
}

/// Where it goes to, and what signs it.
async fn read(ways: &Ways, hook: &Hook) -> Result<(Url, Option<Secret>), Unsent> {
    let (home, url, secret) = (ways.home.clone(), hook.url.clone(), hook.secret.clone());
    // A secret may be a program's.
    let read = tokio::task::spawn_blocking(move || {
        let url = match url {
            CredentialValue::Plain(text) => hook_url(&text),
            CredentialValue::Secret(reference) => hook_url(reference.read(&home)?.expose()),
        };
        let url = url.map_err(|told| Unsent::Refused(format!("the URL {told}")))?;
        let secret = secret.map(|reference| reference.read(&home)).transpose()?;
        Ok::<_, Unsent>((url, secret))
    });
    read.await
        .map_err(|error| Unsent::Unknown(error.to_string()))?
}

/// The headers of Standard Webhooks.
fn signature(
    secret: &Secret,
    letter: &Letter,
    body: &str,
    now: Timestamp,
) -> Result<[(&'static str, String); 3], Unsent> {
    let key = standard_key(secret.expose());
    let key = key.map_err(|what| Unsent::Refused(format!("the secret {what}")))?;
    let (id, seconds) = (format!("msg_{}", letter.id), now.as_second().to_string());
    let text = format!("{id}.{seconds}.{body}");
    let signature = signed(key, KeyForm::Base64, &text, SignatureForm::Base64);
    let signature = signature.map_err(|what| Unsent::Refused(what.to_owned()))?;
    Ok([
        ("webhook-id", id),
        ("webhook-timestamp", seconds),
        ("webhook-signature", format!("v1,{signature}")),
    ])
}

fn body(form: HookForm, letter: &Letter) -> Value {
    match form {
        HookForm::Standard => json!({
            "type": "epms.notice",
            "timestamp": letter.made.to_string(),
            "data": with_text(letter),
        }),
        HookForm::Slack => json!({ "text": of_slack(letter), "mrkdwn": false }),
        HookForm::Teams => of_teams(letter),
    }
}

fn with_text(letter: &Letter) -> Value {
    let mut data = letter.data.clone();
    if let Some(members) = data.as_object_mut() {
        members.insert("subject".into(), letter.subject.clone().into());
        members.insert("text".into(), letter.text.clone().into());
    }
    data
}

/// Slack reads `&`, `<` and `>` as its own signs, and nothing else where `mrkdwn` is off.
fn of_slack(letter: &Letter) -> String {
    let text = format!("{}\n\n{}", letter.subject, letter.text.trim_end());
    let text: String = text.chars().take(LONGEST).collect();
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Runs of text are shown as they are: nothing in them is markup.
fn of_teams(letter: &Letter) -> Value {
    let run = |text: &str, bold: bool| {
        let weight = if bold { "bolder" } else { "default" };
        let run = json!({ "type": "TextRun", "text": text, "weight": weight });
        json!({ "type": "RichTextBlock", "inlines": [run] })
    };
    let lines = letter.text.lines().filter(|line| !line.trim().is_empty());
    let body: Vec<Value> = std::iter::once(run(&letter.subject, true))
        .chain(lines.map(|line| run(line.trim(), false)))
        .collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
            },
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> Letter {
        Letter {
            id: "p1".into(),
            integration: crate::model::IntegrationId::new("elm"),
            made: "2026-03-01T08:00:00Z".parse().unwrap(),
            subject: "epms: elm: sync_stale".into(),
            text: "Elm <Court> & *more*\n\n  a_b_c\n".into(),
            data: json!({ "integration": "elm" }),
            has: std::collections::BTreeSet::new(),
        }
    }

    /// The example of the specification of Standard Webhooks, with another text.
    #[test]
    fn a_message_is_signed_over_its_id_its_moment_and_its_body() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into());
        let now = Timestamp::from_second(1_614_265_330).unwrap();
        let headers = signature(&secret, &letter(), r#"{"test": 2432232314}"#, now).unwrap();
        assert_eq!(headers[0], ("webhook-id", "msg_p1".to_owned()));
        assert_eq!(headers[1].1, "1614265330");
        let of = Letter {
            id: "p5jXN8AQM9LWM0D4loKWxJek".into(),
            ..letter()
        };
        let headers = signature(&secret, &of, r#"{"test": 2432232314}"#, now).unwrap();
        assert_eq!(
            headers[2].1,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        for wrong in ["whsec_?", "whsec_aHVudGVyMg=="] {
            let wrong = Secret::new(wrong.into());
            assert!(signature(&wrong, &letter(), "", now).is_err());
        }
    }

    #[test]
    fn nothing_of_a_text_is_markup_to_slack_or_teams() {
        let slack = body(HookForm::Slack, &letter());
        assert_eq!(slack["mrkdwn"], false);
        assert_eq!(
            slack["text"],
            "epms: elm: sync_stale\n\nElm &lt;Court&gt; &amp; *more*\n\n  a_b_c"
        );
        let teams = body(HookForm::Teams, &letter());
        let blocks = teams["attachments"][0]["content"]["body"]
            .as_array()
            .unwrap();
        let texts: Vec<&str> = blocks
            .iter()
            .map(|one| one["inlines"][0]["text"].as_str().unwrap())
            .collect();
        assert_eq!(
            texts,
            ["epms: elm: sync_stale", "Elm <Court> & *more*", "a_b_c"]
        );
        assert!(blocks.iter().all(|one| one["type"] == "RichTextBlock"));
    }
}
