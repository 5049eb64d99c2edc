//! What is asked once for all PMS properties, and what is asked for each: whose a record is, and how often a PMS is asked.

use std::collections::BTreeSet;

use epms::control::client::Which;
use epms::model::{IntegrationId, Outcome, Person, Reading, Run};
use epms::source::Sharing;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::attached::{SCRIPT, World, integration};
use crate::silent::{ONCE, list, people};
use crate::support::small_pms::{Asked, Pms, Reply, ok, status};
use crate::support::{Daemon, Home, said, told};

/// Two integrations with one credential, at a PMS that is asked for everybody at once.
async fn two_of_one_reading(
    answer: impl Fn(usize, &Asked) -> Reply + Clone + Send + Sync + 'static,
) -> World {
    let world = World::start(ONCE, SCRIPT, answer).await;
    world
        .home
        .write("config/integrations/oak.yaml", integration("p2"));
    world
}

/// Asks for runs of both at once, and gives how they ended.
async fn both(daemon: &Daemon) -> Vec<Run> {
    let ids = ["elm", "oak"].map(IntegrationId::new);
    let reply = daemon.client.sync(Which::These(&ids), true).await.unwrap();
    let reports = reply.runs.into_iter().map(|run| run.report.unwrap());
    reports.collect()
}

#[tokio::test]
async fn one_reading_of_all_properties_serves_the_runs_that_wait_for_it_and_each_integration_once()
{
    let world = two_of_one_reading(|_, _| list(&people())).await;
    let daemon = Daemon::start(&world.home).await;
    daemon.settle().await;
    let names = async || {
        let people = daemon.people().await.into_iter();
        let at = |one: &Person| {
            one.stays
                .keys()
                .map(ToString::to_string)
                .collect::<String>()
        };
        people
            .map(|one| format!("{} {}", one.first_name, at(&one)))
            .collect::<BTreeSet<_>>()
    };
    let expected = BTreeSet::from(["Ana elm", "Bo oak"].map(String::from));
    assert_eq!(names().await, expected);
    assert_eq!(world.pms.asked().len(), 1, "the runs of the start share it");
    for run in both(&daemon).await {
        assert_eq!(run.outcome, Outcome::Unchanged, "{run:?}");
        assert_eq!(
            (run.records, run.notes["without_property"]),
            (1, 1),
            "{run:?}"
        );
    }
    assert_eq!(
        world.pms.asked().len(),
        2,
        "what was asked for by hand is no older"
    );
    // Nothing that began before somebody asked.
    for number in 3..6 {
        let run = daemon.sync("oak").await;
        assert_eq!(run.outcome, Outcome::Unchanged, "{run:?}");
        assert_eq!((world.pms.asked().len(), run.requests), (number, 1));
    }
}

/// A trial asks the PMS for nothing where the daemon has it, and takes nothing from the runs.
#[tokio::test]
async fn files_are_tried_on_the_reading_that_the_daemon_keeps() {
    let world = two_of_one_reading(|_, _| list(&people())).await;
    let daemon = Daemon::start(&world.home).await;
    daemon.settle().await;
    assert_eq!(world.pms.asked().len(), 1);
    let branch = Home::new();
    for folder in ["config/integrations", "config/connectors", "scripts"] {
        branch.copy(world.home.root(), folder);
    }
    for name in ["elm", "oak"] {
        let name = format!("config/integrations/{name}.yaml");
        let text = branch.read(&name) + "missing_after: 9\n";
        branch.write(&name, text);
    }
    let diff = ["diff", branch.root().to_str().unwrap(), "--format", "json"];
    let report = world.home.epms(&diff).await;
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    let tried = report["integrations"].as_array().unwrap().iter();
    let seen: Vec<_> = tried.map(|one| &one["with"]["counts"]["seen"]).collect();
    assert_eq!(seen, [&json!(1), &json!(1)], "{report:#}");
    assert_eq!(
        world.pms.asked().len(),
        1,
        "both were tried on what was kept"
    );
    assert_eq!(daemon.sync("elm").await.outcome, Outcome::Unchanged);
}

/// The ids that come to an integration, or why none do.
async fn shared(pms: &Pms, integration: &str, property: &str, fresh_from: Instant) -> String {
    let sharing = Sharing {
        integration: integration.to_owned(),
        fresh_from,
    };
    let properties = [property.to_owned()];
    match pms.shared(&properties, Some(&sharing)).await {
        (Reading::Partial { reason }, _) => reason.to_string(),
        (Reading::Complete { .. }, records) => {
            let id = |json: &str| serde_json::from_str::<Value>(json).unwrap()["id"].to_string();
            records.iter().map(|one| id(&one.json)).collect()
        }
    }
}

#[tokio::test]
async fn a_reading_serves_whoever_asks_for_nothing_newer_and_never_twice() {
    let pms = Pms::start(ONCE, |_, _| list(&people())).await;
    let begun = Instant::now();
    assert_eq!(shared(&pms, "elm", "p1", begun).await, "1");
    let later = Instant::now();
    assert_eq!(shared(&pms, "oak", "p2", begun).await, "2");
    assert_eq!(pms.asked().len(), 1);
    // It asks for something newer; what it read serves the others.
    assert_eq!(shared(&pms, "ash", "p3", later).await, "4");
    assert_eq!(pms.asked().len(), 2);
    assert_eq!(shared(&pms, "oak", "p2", begun).await, "2");
    assert_eq!(pms.asked().len(), 2);
    // It has had that one.
    assert_eq!(shared(&pms, "oak", "p2", begun).await, "2");
    assert_eq!(pms.asked().len(), 3);
    // Who has read for all has had it too.
    assert_eq!(shared(&pms, "oak", "p2", begun).await, "2");
    assert_eq!(pms.asked().len(), 4);
}

#[tokio::test]
async fn a_reading_that_fails_is_failed_once_for_those_who_waited_for_it() {
    let pms = Pms::start(ONCE, |n, _| match n {
        0 => status(500),
        _ => list(&people()),
    })
    .await;
    let begun = Instant::now();
    let (elm, oak) = tokio::join!(
        shared(&pms, "elm", "p1", begun),
        shared(&pms, "oak", "p2", begun)
    );
    assert_eq!(elm, oak);
    assert!(elm.contains("500"), "{elm}");
    assert_eq!(pms.asked().len(), 1);
    // Who comes later asks anew.
    assert_eq!(shared(&pms, "oak", "p2", begun).await, "2");
    assert_eq!(pms.asked().len(), 2);
}

#[tokio::test]
async fn who_gives_up_waiting_for_the_pms_leaves_the_reading_to_the_next() {
    let pms = Pms::start(ONCE, |_, _| list(&people())).await;
    let begun = Instant::now();
    let elm = shared(&pms, "elm", "p1", begun);
    let oak = shared(&pms, "oak", "p2", begun);
    let mut elm = Box::pin(elm);
    assert!(is_pending(elm.as_mut()), "it waits for the PMS");
    drop(elm);
    assert_eq!(oak.await, "2");
}

/// Whether something is not there at once.
fn is_pending(waits: std::pin::Pin<&mut impl Future>) -> bool {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    waits.poll(&mut context).is_pending()
}

/// Two buildings number their units alike: everybody had the label of the one that was read last.
#[tokio::test]
async fn an_id_that_two_properties_use_is_looked_up_at_the_record_s_own() {
    let yaml = "requests:
  residents: { url: \"{{ credential.url }}/people/{{ property }}\", format: json, records: data, id: id }
  units: { url: \"{{ credential.url }}/units/{{ property }}\", format: json, id: id }
  houses: { url: \"{{ credential.url }}/houses\", format: json, id: id, per: once }
";
    let script = r#"fn residents(record, ctx) {
    let unit = ctx.lookup("units", record.unit);
    let house = ctx.lookup("houses", ctx.property);
    #{ id: text(record, "id"), first_name: text(record, "first"), last_name: "Ek", email: text(record, "email"),
       status: "current", unit: `${text(house, "name")} ${if unit == () { "?" } else { text(unit, "name") }}` }
}
"#;
    let world = World::start(yaml, script, |_, asked| {
        let one = |id: u32, first: &str, unit: &str| json!({ "id": id, "first": first, "unit": unit, "email": format!("{first}@example.com") });
        match asked.to.as_str() {
            "/people/p1" => list(&json!([one(1, "Ana", "7"), one(2, "Bo", "8")])),
            "/people/p2" => list(&json!([one(3, "Cy", "7")])),
            "/units/p1" => ok(r#"[{"id":"7","name":"101"}]"#),
            "/units/p2" => ok(r#"[{"id":"7","name":"902"},{"id":"8","name":"903"}]"#),
            _ => ok(r#"[{"id":"p1","name":"Elm"},{"id":"p2","name":"Oak"}]"#),
        }
    })
    .await;
    let of_both = integration("p1, p2");
    world.home.write("config/integrations/elm.yaml", of_both);
    let daemon = Daemon::start(&world.home).await;
    daemon.settle().await;
    let units = async || {
        let people = daemon.people().await.into_iter();
        let unit = |one: &Person| one.stays.values().next()?.unit.clone();
        people
            .map(|one| format!("{} {}", one.first_name, unit(&one).unwrap().label))
            .collect::<BTreeSet<_>>()
    };
    let expected = ["Ana Elm 101", "Bo Elm ?", "Cy Oak 902"].map(String::from);
    assert_eq!(units().await, BTreeSet::from(expected.clone()));
    // The next run has them from the store.
    let run = daemon.sync("elm").await;
    assert_eq!(run.outcome, Outcome::Unchanged, "{run:?}");
    assert_eq!(units().await, BTreeSet::from(expected));
    let asked = world.pms.asked();
    assert_eq!(asked.iter().filter(|one| one.to == "/units/p1").count(), 1);
}

/// Maps whose a record is.
const WHERE: &str = r#"fn residents(record, ctx) {
    #{ id: text(record, "id"), first_name: text(record, "first"), last_name: "Ek", email: text(record, "email"),
       status: "current", status_word: "In", unit: ctx.property }
}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_mapped_of_one_answer_is_each_of_its_property_as_in_a_run() {
    let world = World::start(ONCE, WHERE, |_, _| list(&people())).await;
    let home = &world.home;
    home.write("config/integrations/elm.yaml", integration("p1, p2"));
    let answer = home.beside().join("people.json");
    std::fs::write(&answer, json!({ "data": people() }).to_string()).unwrap();
    let map = async |more: &[&str]| -> Vec<String> {
        let words = [&["map", "pms", answer.to_str().unwrap(), "--json"], more].concat();
        let output = home.epms(&words).await;
        said(&output, 0);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["notes"]["without_property"], 1, "{report}");
        let residents = report["residents"].as_array().unwrap().iter();
        residents
            .map(|one| format!("{} {}", one["first_name"], one["unit"]["label"]).replace('"', ""))
            .collect()
    };
    assert_eq!(map(&[]).await, ["Ana P1", "Bo p2", "Di p3"]);
    assert_eq!(map(&["--property", "p1"]).await, ["Ana p1"]);
    // What is recorded is a test of the same.
    let out = home.path("scripts/tests/pms");
    let words = ["record", "elm", "--out", out.to_str().unwrap()];
    said(&home.epms(&words).await, 0);
    let case = home.read("scripts/tests/pms/recorded-residents.yaml");
    assert!(case.contains("\nproperty: site\n"), "{case}");
    assert_eq!(
        case.matches("unit:").count() + case.matches("\"unit\"").count(),
        2,
        "{case}"
    );
    let tested = said(&home.epms(&["test", "pms/recorded"]).await, 0);
    assert!(tested.contains("1 passed, 0 failed"), "{tested}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lookup_that_may_not_be_asked_at_all_fails_no_recording() {
    let yaml = "requests:
  residents: { url: \"{{ credential.url }}/{{ property }}\", format: json, records: data, id: id }
  units: { url: \"{{ credential.url }}/units\", format: json, id: id }
  rooms: { url: \"{{ credential.url }}/rooms\", format: json, id: id }
";
    let by_kind = SCRIPT.replace(
        "text(record, \"unit\")",
        "ctx.lookup(record.site, \"1\").name",
    );
    let world = World::start(yaml, &by_kind, |_, asked| match asked.to.as_str() {
        "/rooms" => status(403),
        "/units" => ok(r#"[{"id":"1","name":"No. 1"}]"#),
        _ => list(&json!([{ "id": 1, "first": "Ana", "site": "units", "email": "ana@mail.com" }])),
    })
    .await;
    let out = world.home.path("scripts/tests/pms");
    let words = ["record", "elm", "--out", out.to_str().unwrap()];
    let told = told(&world.home.epms(&words).await);
    assert!(told.contains("`rooms` is not recorded"), "{told}");
    assert!(out.join("recorded-units.json").exists(), "{told}");
}
