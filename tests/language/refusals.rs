//! How wide a refusal is (R44): each over HTTP from a server on loopback, every reading being a run of its own.

use crate::support::small_pms::{Asked, Pms, Reply, ok, status};
use epms::model::Reading;
use epms::source::SourceError;

const LOGIN: &str = r#"
auth: { login: { request: login, token: token, header: X-Session, value: "{{ token }}" } }
requests:
  login:
    method: POST
    reads: true
    url: "{{ credential.url }}/login"
    body: { form: { u: "{{ credential.user }}", p: "{{ credential.secret }}" } }
    format: json
  residents: { url: "{{ credential.url }}/people", format: json, records: data }
"#;
const BASIC: &str = "auth: { basic: { username: \"{{ credential.user }}\", password: \"{{ credential.secret }}\" } }\n\
    requests: { residents: { url: \"{{ credential.url }}/{{ property }}\", format: json } }\n";

fn logins(pms: &Pms) -> usize {
    pms.paths().iter().filter(|path| *path == "/login").count()
}

/// B3: the same token for ever, until the daemon was started anew.
#[tokio::test]
async fn a_token_that_is_refused_in_any_form_is_not_kept_for_the_next_run() {
    for (refusal, body) in [
        (403, r#"{"data":[]}"#),
        (440, "{}"),
        (500, "{}"),
        (200, r#"{"error":"session expired"}"#),
        (200, "<html>log in</html>"),
    ] {
        // Every token is good for one request.
        let pms = Pms::start(LOGIN, move |n, asked| {
            let fresh = format!("token-{}", n.saturating_sub(1));
            match asked.to.as_str() {
                "/login" => ok(format!(r#"{{"token":"token-{n}"}}"#)),
                _ if asked.header("x-session") == fresh => ok(r#"{"data":[]}"#),
                _ => Reply(refusal, Vec::new(), body.into()),
            }
        })
        .await;
        pms.records().await;
        let (second, _) = pms.read().await;
        let healed = matches!(second, Reading::Complete { .. });
        assert_eq!(healed, refusal == 403, "{refusal} {body}: {second:?}");
        if !healed {
            pms.records().await;
        }
        assert_eq!(logins(&pms), 2, "{refusal} {body}");
    }
    // A budget that is spent says nothing about a token.
    let pms = Pms::start(LOGIN, |n, asked| match asked.to.as_str() {
        "/login" => ok(r#"{"token":"t"}"#),
        _ if n == 2 => status(429),
        _ => ok(r#"{"data":[]}"#),
    })
    .await;
    pms.records().await;
    pms.failure().await;
    pms.records().await;
    assert_eq!(logins(&pms), 1);
}

/// B4: the second request of a connector, for which the right is missing, is answered with 401.
#[tokio::test]
async fn what_is_refused_after_something_was_let_in_is_a_matter_of_that_request() {
    let yaml = BASIC.replace(
        "format: json }",
        "format: json }, pending: { url: \"{{ credential.url }}/soon\", format: json, feeds: residents }",
    );
    let pms = Pms::start(&yaml, |_, asked| match asked.to.as_str() {
        "/soon" => status(401),
        _ => ok("[]"),
    })
    .await;
    for _ in 0..3 {
        let error = pms.failure().await;
        assert!(matches!(error, SourceError::Denied(_)), "{error:?}");
        let told = error.to_string();
        assert!(told.contains("`pending`"), "{told}");
        assert!(
            told.contains("although it let it in earlier in the same run"),
            "{told}"
        );
        assert!(
            told.contains("ask the administrator there for the right"),
            "{told}"
        );
        assert!(!told.contains("check the credential"), "{told}");
    }
    assert_eq!(pms.asked().len(), 6);
    // With a token that was fetched in the same run the login is right as well.
    let pms = Pms::start(LOGIN, |_, asked| match asked.to.as_str() {
        "/login" => ok(r#"{"token":"t"}"#),
        _ => status(401),
    })
    .await;
    assert!(matches!(pms.failure().await, SourceError::Denied(_)));
}

#[tokio::test]
async fn a_refused_login_is_not_tried_again_in_whatever_words() {
    for answer in [
        status(401),
        status(403),
        Reply(400, Vec::new(), br#"{"message":"bad password"}"#.to_vec()),
    ] {
        let yaml = LOGIN.replace(
            "    format: json\n  residents",
            "    format: json\n    errors: [{ path: message, text: bad password, is: login_failed }]\n  residents",
        );
        let (code, body) = (answer.0, answer.2);
        let pms = Pms::start(&yaml, move |_, _| Reply(code, Vec::new(), body.clone())).await;
        for _ in 0..4 {
            let error = pms.failure().await;
            assert!(matches!(error, SourceError::LoginFailed(_)), "{error:?}");
        }
        assert_eq!(pms.paths(), ["/login"]);
    }
    // What may be a refusal in words that nobody knows gets one more try.
    let pms = Pms::start(LOGIN, |_, _| ok(r#"{"success":false}"#)).await;
    for _ in 0..4 {
        let error = pms.failure().await;
        assert!(matches!(error, SourceError::Unexpected(_)), "{error:?}");
    }
    assert_eq!(pms.asked().len(), 2);
}

/// What runs of integrations with one PMS property each come to, one after the other.
async fn runs(pms: &Pms, properties: &[&str]) -> Vec<&'static str> {
    let mut ends = Vec::new();
    for property in properties {
        let (reading, _) = pms.read_of(&[(*property).to_owned()]).await;
        ends.push(match reading {
            Reading::Complete { .. } => "complete",
            Reading::Partial {
                reason: SourceError::Denied(_),
            } => "denied",
            Reading::Partial { reason } => panic!("{reason:?}"),
        });
    }
    ends
}

#[tokio::test]
async fn where_nothing_is_let_in_one_other_request_is_sent_and_then_none_until_the_secret_changes()
{
    // "ana:right"
    let right = |asked: &Asked| asked.header("authorization") == "Basic YW5hOnJpZ2h0";
    let pms = Pms::start(
        BASIC,
        move |_, asked| if right(asked) { ok("[]") } else { status(403) },
    )
    .await;
    let ends = runs(&pms, &["a", "b", "c", "d"]).await;
    assert_eq!(ends, ["denied"; 4]);
    assert_eq!(pms.paths(), ["/a", "/b"]);
    let told = pms.failure().await.to_string();
    assert!(
        told.contains("it is not asked again by the clock for up to an hour"),
        "{told}"
    );
    std::fs::write(pms.home.path().join("secret"), "right").unwrap();
    assert_eq!(runs(&pms, &["c", "d"]).await, ["complete"; 2]);
}

#[tokio::test]
async fn a_property_that_is_denied_is_its_own_affair_where_another_is_let_in() {
    let pms = Pms::start(BASIC, |_, asked| match asked.to.as_str() {
        "/a" | "/b" => status(403),
        _ => ok("[]"),
    })
    .await;
    let hour = ["a", "c", "b", "d", "a", "b", "a", "c"];
    let ends = runs(&pms, &hour).await;
    let expected = hour.map(|one| {
        if one == "a" || one == "b" {
            "denied"
        } else {
            "complete"
        }
    });
    assert_eq!(ends, expected);
    assert_eq!(pms.asked().len(), hour.len());
}
