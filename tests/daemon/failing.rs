//! What is told of a source that fails (R28), through the daemon.

use crate::support::{Daemon, Home, eventually};
use epms::model::AlertKind;
use epms::sandbox::{Kind, PropertySpec, Sandbox, Settings, World, WorldOptions};

#[tokio::test]
async fn r28_a_wrong_login_is_one_alert_of_the_credential_until_a_run_succeeds() {
    let spec = |code: &str, name: &str| PropertySpec {
        code: code.into(),
        name: name.into(),
    };
    let world = World::seeded(WorldOptions {
        seed: 1,
        properties: vec![spec("elm", "Elm Court"), spec("oak", "Oak Court")],
        residents: 30,
        today: jiff::Timestamp::now()
            .to_zoned(jiff::tz::TimeZone::UTC)
            .date(),
    });
    let pms = Sandbox::start(Kind::AppFolio, world, Settings::default())
        .await
        .unwrap();
    let home = Home::new();
    home.credential("acme", &pms);
    home.integration("elm", "acme", &pms);
    home.integration("oak", "acme", &pms);
    let (first, second) = (pms.property_id(0), pms.property_id(1));
    home.edit("config/integrations/oak.yaml", &first, &second);
    let secret = "secrets/acme-client_secret";
    let right = home.read(secret);
    home.write(secret, "not-the-secret");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;

    let alerts = daemon.alerts().await;
    let [alert] = &alerts[..] else {
        panic!("one credential, one alert: {alerts:#?}");
    };
    assert_eq!(alert.kind, AlertKind::CredentialFailing);
    assert_eq!(alert.subject, "acme");
    assert!(
        alert.detail.contains("the login of the credential `acme`"),
        "{alert:?}"
    );
    assert!(!format!("{alert:?}").contains("not-the-secret"));
    // Failed once, not by each of its integrations.
    let requests = pms.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    let both = [
        daemon.integration("elm").await,
        daemon.integration("oak").await,
    ];
    assert!(both.iter().all(|one| one.failures == 1), "{both:?}");

    // Other values are tried at once, and the success closes the alert.
    home.write(secret, right);
    eventually("both have succeeded", async || {
        let elm = daemon.integration("elm").await;
        let oak = daemon.integration("oak").await;
        elm.last_success.is_some() && oak.last_success.is_some()
    })
    .await;
    let open = daemon.alerts().await;
    assert!(
        open.iter()
            .all(|alert| alert.kind != AlertKind::CredentialFailing),
        "{open:#?}"
    );
}
