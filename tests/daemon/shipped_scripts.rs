//! The morning after `epms init --upgrade` brought scripts that see more (E12), over a home whose scripts an earlier build
//! shipped: beds get ids of their own, companies and place holders are seen. Whom that takes is listed once, apart from the
//! day's changes; what was mapped by the unit goes on.

use std::collections::BTreeSet;
use std::path::Path;

use epms::model::{AlertKind, Field, IntegrationId, LeaseStatus, Outcome, PersonId, Stay, Unit};
use epms::sandbox::{Kind, Sandbox, Trap};

use crate::support::{Daemon, Home, Terminal, pms, told};

/// What that build shipped for Entrata.
const OLD: [&str; 4] = [
    "scripts/entrata.rhai",
    "scripts/lib/contacts.rhai",
    "scripts/lib/names.rhai",
    "scripts/lib/units.rhai",
];

fn old(name: &str) -> String {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/upgrade_beds");
    std::fs::read_to_string(fixtures.join(name)).unwrap()
}

/// A home as that build made it, for a PMS.
fn home_of_before(pms: &Sandbox) -> Home {
    let home = Home::new();
    std::fs::create_dir_all(home.path("config/.shipped/scripts/lib")).unwrap();
    for name in OLD {
        home.write(name, old(name));
        home.write(&format!("config/.shipped/{name}"), old(name));
    }
    home.feed("elm", pms);
    home
}

async fn upgrade(home: &Home) {
    let output = home.epms(&["init", "--upgrade"]).await;
    let text = told(&output);
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("scripts/entrata.rhai") && text.contains("scripts/lib/names.rhai"),
        "{text}"
    );
    assert_ne!(
        home.read("scripts/entrata.rhai"),
        old("scripts/entrata.rhai")
    );
}

/// Everybody's stay who is somebody to the PMS, by the name of the trap that they carry.
async fn stays(daemon: &Daemon, pms: &Sandbox, trap: Trap) -> Vec<Stay> {
    let names: BTreeSet<String> = {
        let world = pms.world();
        let people = world.trapped(trap).iter();
        people
            .map(|id| world.person(*id).unwrap().1.name())
            .collect()
    };
    let elm = IntegrationId::new("elm");
    let people = daemon.people().await;
    let named = people.iter().filter(|one| {
        let name = format!("{} {}", one.first_name, one.last_name);
        names.contains(name.trim())
    });
    named.filter_map(|one| one.stay(&elm).cloned()).collect()
}

async fn units(daemon: &Daemon, pms: &Sandbox, trap: Trap) -> Vec<Unit> {
    let stays = stays(daemon, pms, trap).await;
    stays.into_iter().filter_map(|stay| stay.unit).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_new_shipped_scripts_leave_out_is_listed_once_and_beds_are_no_moves() {
    let pms = pms(Kind::Entrata, 1, 150).await;
    let home = home_of_before(&pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let nobodies = [Trap::ModelUnit, Trap::University];
    for trap in nobodies {
        assert!(!stays(&daemon, &pms, trap).await.is_empty(), "{trap:?}");
    }
    // Two in one apartment have its id.
    let before = units(&daemon, &pms, Trap::Bed).await;
    let ids: BTreeSet<&String> = before.iter().map(|unit| &unit.id).collect();
    assert!(before.len() >= 2 && ids.len() < before.len(), "{before:?}");
    let changes = daemon.changes().await.len();
    assert_eq!(daemon.stop().await, Some(0));

    upgrade(&home).await;
    let daemon = Daemon::start(&home).await;
    let run = daemon.sync("elm").await;
    assert_eq!(run.outcome, Outcome::Committed, "{run:#?}");
    // Nothing but the units of those who have a bed.
    let changed = daemon.changes().await.split_off(changes);
    assert!(!changed.is_empty());
    for change in &changed {
        let fields: Vec<Field> = change.fields.iter().map(|one| one.field).collect();
        assert_eq!(fields, [Field::Unit], "{change:?}");
    }
    let people: BTreeSet<PersonId> = changed.iter().map(|change| change.person).collect();
    let after = units(&daemon, &pms, Trap::Bed).await;
    let ids: BTreeSet<&String> = after.iter().map(|unit| &unit.id).collect();
    assert_eq!(ids.len(), after.len(), "{after:?}");
    assert!(people.len() >= after.len());
    assert!(
        after
            .iter()
            .all(|unit| before.iter().any(|old| unit.is(old)))
    );
    for stay in stays(&daemon, &pms, Trap::TwoBeds).await {
        assert_eq!(stay.more_units.len(), 1, "{stay:?}");
    }
    let alerts = daemon.alerts().await;
    let waits = alerts
        .iter()
        .filter(|one| one.kind == AlertKind::MassChangeHeld);
    let waits: Vec<&str> = waits.map(|one| one.subject.as_str()).collect();
    assert_eq!(waits, ["since_upgrade"]);
    let two_beds = alerts
        .iter()
        .filter(|one| one.kind == AlertKind::MultipleCurrentLeases);
    assert_eq!(two_beds.count(), 0, "a lease of two beds is one lease");
    for trap in nobodies {
        for stay in stays(&daemon, &pms, trap).await {
            assert!(!stay.excluded, "{stay:?}");
        }
    }

    let words = ["approve", "--all", "--since-upgrade"];
    let mut terminal = Terminal::run(100, home.root(), &words);
    terminal.shows("what only the rules of this version take at elm");
    terminal.shows("MODEL A");
    terminal.answers("approve all of it [y/N]: ", "y");
    assert_eq!(terminal.ends(), Some(0));
    for trap in nobodies {
        for stay in stays(&daemon, &pms, trap).await {
            assert!(
                stay.excluded && stay.status == LeaseStatus::Current,
                "{stay:?}"
            );
        }
    }
    // From then on they rest, counted once for each reason, and nothing happens.
    let alerts = daemon.alerts().await;
    let rest = alerts
        .iter()
        .filter(|one| one.kind == AlertKind::ExcludedLinked);
    let rest: BTreeSet<&str> = rest.map(|one| one.subject.as_str()).collect();
    assert_eq!(rest, BTreeSet::from(["company", "placeholder"]));
    assert_eq!(daemon.sync("elm").await.outcome, Outcome::Unchanged);
    let output = home.epms(&["verify"]).await;
    assert!(output.status.success(), "{}", told(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_somebody_changed_by_hand_is_judged_like_any_other_day() {
    let pms = pms(Kind::Entrata, 1, 60).await;
    let home = home_of_before(&pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let before = daemon.generation("elm").await;
    // Half of the building is nobody to it.
    home.edit(
        "scripts/entrata.rhai",
        "    names::missing(resident)",
        "    if resident.id.len() > 0 && resident.id.sub_string(-1) in [\"0\", \"1\", \"2\", \"3\", \"4\"] { return \"placeholder\"; }\n    names::missing(resident)",
    );
    daemon.reloaded("elm", before).await;
    let run = daemon.sync("elm").await;
    assert!(matches!(run.outcome, Outcome::Held { .. }), "{run:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn beds_go_on_in_the_unit_that_their_apartment_was_mapped_onto_until_they_are_mapped_themselves()
 {
    let pms = pms(Kind::Entrata, 1, 150).await;
    let home = home_of_before(&pms);
    let map: Vec<String> = {
        let world = pms.world();
        let units = world.units().iter();
        units
            .map(|unit| format!("\"{}\": Door {}", 4_455_000 + unit.id.0, unit.label))
            .collect()
    };
    let file = "config/integrations/elm.yaml";
    let text = home.read(file) + &format!("units: {{ map: {{ {} }} }}\n", map.join(", "));
    home.write(file, &text);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let labels = async |daemon: &Daemon| -> Vec<String> {
        let units = units(daemon, &pms, Trap::Bed).await;
        let mut labels: Vec<String> = units.into_iter().map(|unit| unit.label).collect();
        labels.sort();
        labels
    };
    let before = labels(&daemon).await;
    assert!(before.len() >= 2 && before.iter().all(|label| label.starts_with("Door ")));
    assert_eq!(daemon.stop().await, Some(0));

    upgrade(&home).await;
    let daemon = Daemon::start(&home).await;
    let run = daemon.sync("elm").await;
    assert_eq!(run.outcome, Outcome::Committed, "{run:#?}");
    assert!(run.notes["unit_by_former_id"] >= 2, "{:?}", run.notes);
    assert_eq!(labels(&daemon).await, before);
    let alerts = daemon.alerts().await;
    let unmapped = alerts
        .iter()
        .filter(|one| one.kind == AlertKind::UnmappedUnit);
    assert_eq!(unmapped.count(), 0, "{alerts:#?}");
    // One bed is mapped itself.
    let bed = units(&daemon, &pms, Trap::Bed).await.remove(0);
    let generation = daemon.generation("elm").await;
    home.edit(
        file,
        "map: { ",
        &format!("map: {{ \"{}\": Bed One, ", bed.id),
    );
    daemon.reloaded("elm", generation).await;
    daemon.sync("elm").await;
    let after = labels(&daemon).await;
    assert_eq!(after.iter().filter(|label| *label == "Bed One").count(), 1);
    assert_eq!(after.len(), before.len());
}
