//! One property here that two PMS properties feed: through the real binary.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::support::{Daemon, Home};
use epms::model::{IntegrationId, LeaseStatus, Outcome, Person};
use epms::sandbox::{Kind, PropertySpec, Sandbox, Settings, World, WorldOptions};

async fn two_properties(kind: Kind) -> Arc<Sandbox> {
    let spec = |code: &str, name: &str| PropertySpec {
        code: code.into(),
        name: name.into(),
    };
    let world = World::seeded(WorldOptions {
        seed: 7,
        properties: vec![spec("elm", "Elm Court"), spec("oak", "Oak Row")],
        residents: 60,
        today: epms::sandbox::today(),
    });
    let settings = Settings::default();
    Arc::new(Sandbox::start(kind, world, settings).await.unwrap())
}

fn fed_by(home: &Home, pms: &Sandbox, properties: &[usize]) {
    let ids: Vec<String> = properties.iter().map(|at| pms.property_id(*at)).collect();
    let file = "config/integrations/twin.yaml";
    let text = home.read(file);
    let line = text
        .lines()
        .find(|line| line.starts_with("pms_properties"))
        .unwrap();
    home.edit(file, line, &format!("pms_properties: [{}]", ids.join(", ")));
}

fn unit_of(person: &Person) -> Option<String> {
    let stay = &person.stays[&IntegrationId::new("twin")];
    stay.unit.as_ref().map(|unit| unit.id.clone())
}

fn living(people: &[Person]) -> BTreeSet<String> {
    people
        .iter()
        .filter(|person| {
            let stay = person.stays.get(&IntegrationId::new("twin"));
            stay.is_some_and(|stay| stay.status == LeaseStatus::Current)
        })
        .map(|person| person.id.to_string())
        .collect()
}

#[tokio::test]
async fn who_moves_from_one_of_the_pms_properties_to_the_other_stays_the_same_person() {
    for kind in Kind::ALL {
        let pms = two_properties(kind).await;
        let home = Home::new();
        home.feed("twin", &pms);
        fed_by(&home, &pms, &[0, 1]);
        {
            let mut world = pms.world();
            let mut enters = |property: &str, last: &str, email: &str| {
                let one = world.move_in(property, "Maren", last, Some(email), None);
                one.unwrap();
            };
            enters("elm", "Holmby", "maren@example.com");
            enters("oak", "Brandt", "brandt@example.com");
        }
        let daemon = Daemon::start(&home).await;
        daemon.settle().await;
        let before = daemon.person_with("maren@example.com").await.unwrap();
        assert!(daemon.person_with("brandt@example.com").await.is_some());
        let people = daemon.people().await.len();
        {
            let mut world = pms.world();
            let one = world.find_by_name("Maren Holmby")[0];
            let household = world.household_of(one).unwrap();
            let unit = world.vacant_unit(1).unwrap();
            world.transfer(household, unit).unwrap();
        }
        let report = daemon.sync("twin").await;
        assert_eq!(report.outcome, Outcome::Committed, "{kind}: {report:?}");
        let after = daemon.person_with("maren@example.com").await.unwrap();
        assert_eq!(before.id, after.id, "{kind}");
        assert_ne!(unit_of(&before), unit_of(&after), "{kind}");
        let stay = &after.stays[&IntegrationId::new("twin")];
        assert_eq!(stay.status, LeaseStatus::Current, "{kind}: {after:?}");
        // RealPage counts people anew in each site: the new id takes the place of the old one (R22).
        assert_eq!(stay.more_units.len(), 0, "{kind}: {after:?}");
        assert_eq!(daemon.people().await.len(), people, "{kind}");
        assert_eq!(
            daemon.sync("twin").await.outcome,
            Outcome::Unchanged,
            "{kind}"
        );
    }
}

#[tokio::test]
async fn a_pms_property_that_is_taken_from_the_list_costs_nobody_a_home_unasked() {
    let pms = two_properties(Kind::Entrata).await;
    let home = Home::new();
    home.feed("twin", &pms);
    fed_by(&home, &pms, &[0, 1]);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let before = living(&daemon.people().await);
    assert!(before.len() > 10);
    let generation = daemon.generation("twin").await;
    fed_by(&home, &pms, &[0]);
    daemon.reloaded("twin", generation).await;
    for _ in 0..3 {
        daemon.sync("twin").await;
        assert_eq!(living(&daemon.people().await), before);
    }
    let generation = daemon.generation("twin").await;
    fed_by(&home, &pms, &[0, 1]);
    daemon.reloaded("twin", generation).await;
    daemon.sync("twin").await;
    assert_eq!(living(&daemon.people().await), before);
    assert_eq!(daemon.sync("twin").await.outcome, Outcome::Unchanged);
}

#[tokio::test]
async fn a_pms_property_that_the_pms_does_not_know_leaves_the_reading_incomplete() {
    let pms = two_properties(Kind::Yardi).await;
    let home = Home::new();
    home.feed("twin", &pms);
    fed_by(&home, &pms, &[0, 1]);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let before = living(&daemon.people().await);
    let generation = daemon.generation("twin").await;
    let second = pms.property_id(1);
    home.edit(
        "config/integrations/twin.yaml",
        &format!(", {second}]"),
        ", nowhere]",
    );
    daemon.reloaded("twin", generation).await;
    let report = daemon.sync("twin").await;
    let reason = report.outcome.reason().unwrap();
    assert!(reason.contains("nowhere"), "{reason}");
    assert_eq!(report.changes, 0);
    assert_eq!(living(&daemon.people().await), before);
}
