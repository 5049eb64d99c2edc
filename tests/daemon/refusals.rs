//! What a PMS that refuses something stops, and what goes on (R44), through the daemon.

use std::sync::{Arc, Mutex};

use crate::small::{home, integration};
use crate::support::small_pms::{Pms, Reply, ok, status};
use crate::support::{Daemon, Home, eventually, told};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use epms::control::client::Which;
use epms::model::{AlertKind, Run};

const CONNECTOR: &str = r#"
auth: { basic: { username: "{{ credential.user }}", password: "{{ credential.secret }}" } }
requests:
  residents: { url: "{{ credential.url }}/{{ property }}", format: json, id: id }
"#;

async fn sync_all(daemon: &Daemon) -> Vec<Run> {
    let reply = daemon.client.sync(Which::All, true).await.unwrap();
    let runs = reply.runs.into_iter();
    runs.map(|run| run.report.unwrap()).collect()
}

async fn failing(daemon: &Daemon) -> Vec<String> {
    let alerts = daemon.alerts().await.into_iter();
    let failing = alerts.filter(|alert| alert.kind == AlertKind::CredentialFailing);
    failing.map(|alert| alert.subject).collect()
}

/// E8.
#[tokio::test]
async fn a_password_rotated_in_one_place_is_refused_once_for_forty_integrations() {
    let password = Arc::new(Mutex::new("old"));
    let right = Arc::clone(&password);
    let pms = Pms::start(CONNECTOR, move |_, asked| {
        let password = format!("ana:{}", right.lock().unwrap());
        if asked.header("authorization") != format!("Basic {}", STANDARD.encode(password)) {
            return status(401);
        }
        ok(format!(
            "[{{\"id\":\"{}\"}}]",
            asked.to.trim_start_matches('/')
        ))
    })
    .await;
    let home = home(&pms, CONNECTOR, 40);
    home.set("workers: 8");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    assert_eq!(daemon.people().await.len(), 40);

    // At nine somebody sets another password in the PMS: the credential was taken a moment ago.
    *password.lock().unwrap() = "new";
    let before = pms.asked().len();
    let runs = sync_all(&daemon).await;
    assert_eq!(runs.len(), 40);
    assert!(
        runs.iter().all(|run| run.outcome.as_str() == "failed"),
        "{runs:#?}"
    );
    let tries = &pms.paths()[before..];
    assert_eq!(tries.len(), 1, "{tries:?}");
    assert_eq!(failing(&daemon).await, ["acme"]);

    // All is well when the secret is there, without anybody asking.
    home.write("secrets/small", "new");
    eventually("all have succeeded again", async || {
        let status = daemon.client.status().await.unwrap();
        status.integrations.iter().all(|one| one.failures == 0)
    })
    .await;
    assert!(failing(&daemon).await.is_empty());
}

fn envelope(body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>{body}</s:Body></s:Envelope>"
    )
}

/// Recordings, 10: one site that the licence does not cover stopped all others.
#[tokio::test]
async fn a_site_of_realpage_without_a_licence_stops_no_other() {
    let fault = envelope(
        "<s:Fault><faultcode>s:inv_Param</faultcode><faultstring xml:lang=\"en-US\">LicenseKey is not authorized to call the \
         method.</faultstring><detail><RPXApplicationFault><CustomMessage>A validation error occurred. Please make sure you \
         have provided the correct Auth information</CustomMessage></RPXApplicationFault></detail></s:Fault>",
    );
    let answer = envelope(
        "<getresidentlistinfoResponse xmlns=\"http://tempuri.org/\"><getresidentlistinfoResult><residentlist xmlns=\"\">\
         <resident><residentmemberid>21</residentmemberid><residenthouseholdid>7</residenthouseholdid><leaseid>70</leaseid>\
         <unitid>31</unitid><unitnumber>101</unitnumber><firstname>Gus</firstname><lastname>Pell</lastname>\
         <email>gus.pell@mail.com</email><leasestatus>Current</leasestatus><occupantbit>TRUE</occupantbit>\
         <guarantorbit>FALSE</guarantorbit><signerbit>TRUE</signerbit><hohbit>TRUE</hohbit><begindate>2026-01-15</begindate>\
         <moveindate>2026-01-15</moveindate></resident></residentlist></getresidentlistinfoResult></getresidentlistinfoResponse>",
    );
    let pms = Pms::start(CONNECTOR, move |_, asked| {
        let denied = asked.body.contains("<siteid>a1</siteid>")
            || asked.body.contains("<siteid>a2</siteid>");
        Reply(
            200,
            vec![("content-type", "text/xml; charset=utf-8".into())],
            if denied {
                fault.clone()
            } else {
                answer.clone()
            }
            .into(),
        )
    })
    .await;
    let home = Home::new();
    home.write("secrets/licence", "licence-of-the-partner");
    home.write(
        "config/credentials/rpx.yaml",
        format!(
            "version: 1\nconnector: realpage\nfields: {{ url: \"{}/a.svc\", pmc_id: \"7\", license_key: {{ file: secrets/licence }} }}\n",
            pms.url
        ),
    );
    for site in ["a1", "b1", "b2"] {
        integration(&home, site, "rpx", site);
    }
    home.set("workers: 1");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    integration(&home, "a2", "rpx", "a2");
    eventually("the new one is there", async || {
        let status = daemon.client.status().await.unwrap();
        status.integrations.len() == 4
    })
    .await;
    daemon.settle().await;
    for _ in 0..3 {
        for (site, ends) in [
            ("b1", true),
            ("a1", false),
            ("b2", true),
            ("a2", false),
            ("b1", true),
        ] {
            let run = daemon.sync(site).await;
            assert_eq!(run.outcome.is_success(), ends, "{site}: {run:?}");
            let reason = run.outcome.reason().unwrap_or_default();
            assert!(
                ends || reason.contains("let the licence in for this site"),
                "{reason}"
            );
        }
    }
    assert!(failing(&daemon).await.is_empty());
    let doctor = async |site: &str| told(&home.epms(&["doctor", site]).await);
    let well = doctor("b1").await;
    assert!(well.contains(": the PMS takes it"), "{well}");
    let denied = doctor("a1").await;
    assert!(!denied.contains(": the PMS takes it"), "{denied}");
    assert!(
        denied.contains("whether the PMS takes it does not show"),
        "{denied}"
    );
}
