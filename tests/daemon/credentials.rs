//! What the integrations of one credential share, through the daemon.

use std::path::Path;

use crate::support::{Daemon, Home};
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
