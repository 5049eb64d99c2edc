//! What the integrations of one credential share, through the daemon.

use std::path::Path;

use crate::small;
use crate::support::small_pms::{Pms, ok};
use crate::support::{Daemon, Home, told};
use epms::sandbox::{Kind, Limits, PropertySpec, Sandbox, Settings, World, WorldOptions};

#[tokio::test]
async fn integrations_of_one_credential_keep_its_budget_together() {
    let codes = ["elm", "oak", "ash"];
    let world = World::seeded(WorldOptions {
        seed: 3,
        properties: codes
            .map(|code| PropertySpec {
                code: code.into(),
                name: format!("{code} court"),
            })
            .to_vec(),
        residents: 90,
        today: epms::sandbox::today(),
    });
    let settings = Settings {
        page_size: 4,
        limits: Some(Limits::APPFOLIO),
        ..Settings::default()
    };
    let pms = Sandbox::start(Kind::AppFolio, world, settings)
        .await
        .unwrap();
    let home = Home::new();
    // As it is shipped, with its limits; who is refused once is refused for good.
    let name = "config/connectors/appfolio.yaml";
    home.copy(Path::new(env!("CARGO_MANIFEST_DIR")), name);
    home.write(name, home.read(name) + "\nretry: { attempts: 1 }\n");
    home.set("workers: 3");
    home.credential("acme", &pms);
    for (at, code) in codes.into_iter().enumerate() {
        home.integration(code, "acme", &pms);
        let file = format!("config/integrations/{code}.yaml");
        home.edit(&file, &pms.property_id(0), &pms.property_id(at));
    }
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    for code in codes {
        let one = daemon.integration(code).await;
        assert_eq!((one.failures, one.last_error), (0, None), "{code}");
    }
    // More than a second's worth, so that the budget was needed.
    let requests = pms.requests();
    assert!(requests.len() > 24, "{}", requests.len());
}

/// Whoever tries it in the daemon's place may use up the one that the daemon needs.
#[tokio::test]
async fn doctor_leaves_a_refresh_token_to_the_daemon() {
    let connector = "auth: { oauth2: { grant: refresh_token, token_url: \"{{ credential.url }}/token\", client_id: me, client_secret: \"{{ credential.secret }}\", refresh_token: \"{{ credential.secret }}\" } }\nrequests: { residents: { url: \"{{ credential.url }}/\", format: json, id: id } }\n";
    let pms = Pms::start(connector, |_, _| ok("[]")).await;
    let home = small::home(&pms, connector, 1);
    let looked = home.epms(&["doctor"]).await;
    let shown = told(&looked);
    assert!(
        shown.contains("the daemon keeps the one that counts"),
        "{shown}"
    );
    assert!(
        !pms.paths().contains(&"/token".to_owned()),
        "{:?}",
        pms.paths()
    );
}
