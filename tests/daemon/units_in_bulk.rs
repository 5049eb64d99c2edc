//! Units in bulk: labels that map themselves, a block to paste, and all suggestions at once.

use serde_json::Value;

use crate::small;
use crate::support::small_pms::{Pms, ok};
use crate::support::{Daemon, Home, Terminal, said, told};

const CONNECTOR: &str =
    "requests: { residents: { url: \"{{ credential.url }}/\", format: json, id: id } }\n";

const SCRIPT: &str = r#"
fn residents(record, ctx) {
    [#{
        id: record.id, first_name: "Ana", last_name: "Ortiz " + record.id, email: "ana." + record.id + "@mail.com",
        status: "current", status_word: "Current", lease_start: "2026-01-01",
        unit: #{ id: "u" + record.id, label: record.label },
    }]
}
"#;

/// A PMS with residents in units of these labels, and a home where there are some units.
async fn home(labels: &[&str], units: &str) -> (Pms, Home) {
    let records = labels.iter().enumerate();
    let records: Vec<String> = records
        .map(|(at, label)| format!("{{\"id\": \"{at}\", \"label\": \"{label}\"}}"))
        .collect();
    let body = format!("[{}]", records.join(", "));
    let pms = Pms::start(CONNECTOR, move |_, _| ok(body.clone())).await;
    let home = small::home(&pms, CONNECTOR, 1);
    home.write("scripts/small.rhai", SCRIPT);
    let file = "config/integrations/home-0.yaml";
    home.write(file, home.read(file) + units);
    (pms, home)
}

async fn json_of(home: &Home, words: &[&str], exit: i32) -> Value {
    let output = home.epms(&[words, &["--json"]].concat()).await;
    assert_eq!(output.status.code(), Some(exit), "{}", told(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The units that people live in here, by the ids of their residents' emails.
async fn units(daemon: &Daemon) -> Vec<(String, String)> {
    let all = daemon.people().await.into_iter();
    let mut units: Vec<(String, String)> = all
        .map(|person| {
            let stay = person.stays.values().next().unwrap();
            let label = stay.unit.as_ref().map(|unit| unit.label.clone());
            (person.last_name, label.unwrap_or_default())
        })
        .collect();
    units.sort();
    units
}

#[tokio::test]
async fn labels_that_are_equal_map_themselves_and_what_is_mapped_otherwise_goes_before() {
    let listed = "units: { equal_labels: true, here: [12A, 12B, 12C], map: { u2: 12B } }\n";
    let (_pms, home) = home(&["12A", "12B", "Attic"], listed).await;
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let pair = |name: &str, unit: &str| (format!("Ortiz {name}"), unit.to_owned());
    // 12B is the attic's, as the file says: whoever is called so is told.
    assert_eq!(
        units(&daemon).await,
        [pair("0", "12A"), pair("1", ""), pair("2", "12B")]
    );
    let alerts = json_of(&home, &["alerts"], 0).await;
    assert_eq!(alerts["items"].as_array().unwrap().len(), 1, "{alerts}");
    assert_eq!(alerts["items"][0]["subject"], "u1");
    let wrong = "config/integrations/home-0.yaml";
    home.edit(wrong, "here: [12A, 12B, 12C], map: { u2: 12B }", "");
    let told = said(&home.epms(&["check"]).await, 2);
    assert!(
        told.contains("units.equal_labels: has nothing to be equal to"),
        "{told}"
    );
}

#[tokio::test]
async fn units_of_a_feed_come_as_a_block_that_can_be_pasted() {
    let listed = "units: { here: [12A, 12B, Yard] }\n";
    let (_pms, home) = home(&["Bldg 1 - 012a", "12B", "Attic"], listed).await;
    let words = ["discover", "home-0", "--units", "--yaml"];
    let block = said(&home.epms(&words).await, 0);
    for line in [
        "\"u0\": \"12A\"",
        "\"u1\": \"12B\"",
        "# \"u2\":   # Attic, lived in by 1",
    ] {
        assert!(block.contains(line), "{line}: {block}");
    }
    let file = "config/integrations/home-0.yaml";
    home.edit(file, listed, &block);
    said(&home.epms(&["check", "--strict"]).await, 0);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let labels: Vec<String> = units(&daemon)
        .await
        .into_iter()
        .map(|(_, unit)| unit)
        .collect();
    assert_eq!(labels, ["12A", "12B", ""]);
    let alone = said(&home.epms(&["discover", "home-0", "--yaml"]).await, 2);
    assert!(alone.contains("add --units"), "{alone}");
}

const SOME: &str = "units: { here: [12A, 12B, 13, Yard], map: { u9: Yard } }\n";
const RESOLVE: [&str; 5] = [
    "alerts",
    "resolve",
    "--kind",
    "unmapped_unit",
    "--suggested",
];

#[tokio::test]
async fn all_that_is_suggested_is_mapped_at_once_each_by_an_act_that_can_be_undone() {
    // Two look like 13: the second one is refused, as the unit is the first's by then.
    let (_pms, home) = home(&["Bldg 1 - 012a", "12B", "#13", "013", "Attic"], SOME).await;
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let unasked = said(&home.epms(&RESOLVE).await, 2);
    assert!(unasked.contains("4 alerts would be resolved"), "{unasked}");
    let yes = [&RESOLVE[..], &["--integration", "home-0", "--yes"]].concat();
    let done = json_of(&home, &yes, 1).await;
    assert_eq!(
        (&done["resolved"], &done["refused"], &done["without"]),
        (&3.into(), &1.into(), &1.into()),
        "{done}"
    );
    daemon.sync("home-0").await;
    let labels: Vec<String> = units(&daemon)
        .await
        .into_iter()
        .map(|(_, unit)| unit)
        .collect();
    assert_eq!(
        labels.iter().filter(|unit| !unit.is_empty()).count(),
        3,
        "{labels:?}"
    );
    assert!(labels.contains(&"12A".to_owned()) && labels.contains(&"13".to_owned()));
    // Each is undone by itself.
    let items = done["items"].as_array().unwrap();
    let one = items.iter().find(|one| one["here"] == "12B").unwrap();
    said(
        &home
            .epms(&["alerts", "undo", one["alert"].as_str().unwrap()])
            .await,
        0,
    );
    daemon.sync("home-0").await;
    let labels: Vec<String> = units(&daemon)
        .await
        .into_iter()
        .map(|(_, unit)| unit)
        .collect();
    assert!(!labels.contains(&"12B".to_owned()), "{labels:?}");
    for (words, wrong) in [
        (
            &[
                "alerts",
                "resolve",
                "--kind",
                "name_mismatch",
                "--suggested",
            ][..],
            "only `unmapped_unit`",
        ),
        (&["alerts", "resolve", "a1"], "say how"),
    ] {
        let told = said(&home.epms(words).await, 2);
        assert!(told.contains(wrong), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_terminal_suggestions_are_shown_before_somebody_says_yes() {
    let (_pms, home) = home(&["Bldg 1 - 012a", "Attic"], SOME).await;
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let mut terminal = Terminal::run(100, home.root(), &RESOLVE);
    terminal.shows("12A");
    terminal.answers("resolve 1 alert like this? [y/N] ", "");
    terminal.shows("nothing was resolved");
    assert_eq!(terminal.ends(), Some(1));
    let mut terminal = Terminal::run(100, home.root(), &RESOLVE);
    terminal.answers("[y/N] ", "y");
    terminal.shows("1 alert resolved; 1 without a suggestion stay open");
    assert_eq!(terminal.ends(), Some(0));
}
