//! Many properties of one account: what there is, an integration of each, and what all have in common.

use serde_json::{Value, json};

use crate::support::{Daemon, Home, Terminal, said, told};
use epms::sandbox::{Kind, PropertySpec, Sandbox, Settings, World, WorldOptions};

/// A PMS with these properties, by code and name.
async fn pms(properties: &[(&str, &str)]) -> Sandbox {
    let world = World::seeded(WorldOptions {
        seed: 5,
        properties: properties
            .iter()
            .map(|(code, name)| PropertySpec {
                code: (*code).into(),
                name: (*name).into(),
            })
            .collect(),
        residents: 60,
        today: epms::sandbox::today(),
    });
    Sandbox::start(Kind::AppFolio, world, Settings::default())
        .await
        .unwrap()
}

const THREE: [(&str, &str); 3] = [
    ("elm", "Elm Court"),
    ("oak", "Oak Court"),
    ("ash", "Ash Court"),
];

async fn json_of(home: &Home, words: &[&str]) -> Value {
    let output = home.epms(&[words, &["--json"]].concat()).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn files(home: &Home) -> Vec<String> {
    let entries = std::fs::read_dir(home.path("config/integrations")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[tokio::test]
async fn the_properties_of_an_account_are_shown_before_it_has_an_integration() {
    let pms = pms(&THREE).await;
    let home = Home::new();
    home.credential("acme", &pms);
    let words = ["discover", "--credential", "acme"];
    let found = json_of(&home, &words).await;
    let names = |found: &Value| -> Vec<String> {
        let all = found["properties"].as_array().unwrap().iter();
        all.map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let mut shown = names(&found);
    shown.sort();
    assert_eq!(shown, ["Ash Court", "Elm Court", "Oak Court"]);
    let feeds = |found: &Value, id: &str| -> Value {
        let mut all = found["properties"].as_array().unwrap().iter();
        all.find(|one| one["id"] == id).unwrap()["integration"].clone()
    };
    assert_eq!(feeds(&found, &pms.property_id(0)), Value::Null);
    // Also where the account has another name there.
    home.credential("the-same", &pms);
    home.integration("elm", "the-same", &pms);
    let found = json_of(&home, &words).await;
    assert_eq!(feeds(&found, &pms.property_id(0)), json!("elm"));
    assert_eq!(feeds(&found, &pms.property_id(1)), Value::Null);
    let plain = said(&home.epms(&words).await, 0);
    assert!(
        plain.contains("epms add integration --all --credential acme"),
        "{plain}"
    );
    let wrong = said(&home.epms(&["discover", "--credential", "acm"]).await, 2);
    assert!(wrong.contains("did you mean `acme`?"), "{wrong}");
}

#[tokio::test]
async fn each_property_that_feeds_nothing_yet_gets_a_file_and_the_daemon_runs_them_all() {
    let pms = pms(&THREE).await;
    let home = Home::new();
    home.credential("acme", &pms);
    home.integration("elm", "acme", &pms);
    let words = [
        "add",
        "integration",
        "--all",
        "--credential",
        "acme",
        "--yes",
    ];
    // The zone is that of the only other one.
    let added = json_of(&home, &words).await;
    assert_eq!(added["ids"].as_array().unwrap().len(), 2, "{added}");
    assert_eq!(
        files(&home),
        ["ash-court.yaml", "elm.yaml", "oak-court.yaml"]
    );
    let oak = home.read("config/integrations/oak-court.yaml");
    assert!(
        oak.contains("name: Oak Court, timezone: America/New_York"),
        "{oak}"
    );
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    for id in ["ash-court", "elm", "oak-court"] {
        let one = daemon.integration(id).await;
        assert!(one.linked > 0 && one.last_error.is_none(), "{one:?}");
    }
    let again = said(&home.epms(&words).await, 2);
    assert!(again.contains("feeds an integration already"), "{again}");
}

#[tokio::test]
async fn nothing_is_written_where_one_of_them_is_wrong() {
    let pms = pms(&THREE).await;
    let home = Home::new();
    home.credential("acme", &pms);
    let all = [
        "add",
        "integration",
        "--all",
        "--credential",
        "acme",
        "--yes",
    ];
    // Nobody says which time zone.
    let zone = said(&home.epms(&all).await, 2);
    assert!(zone.contains("--timezone"), "{zone}");
    let with = |more: &[&'static str]| [&all[..], &["--timezone", "UTC"], more].concat();
    let other = said(
        &home
            .epms(&with(&["--only", "Elm Court", "--only", "Elm Curt"]))
            .await,
        2,
    );
    assert!(other.contains("no property `Elm Curt`"), "{other}");
    let country = said(&home.epms(&with(&["--country", "USA"])).await, 2);
    assert!(country.contains("ISO 3166"), "{country}");
    assert!(files(&home).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_terminal_some_of_the_properties_are_chosen_by_id_or_name() {
    let pms = pms(&THREE).await;
    let home = Home::new();
    home.credential("acme", &pms);
    let words = ["add", "integration", "--all", "--credential", "acme"];
    let mut terminal = Terminal::run(100, home.root(), &words);
    terminal.shows("Elm Court");
    terminal.answers("[all]: ", "Oak Curt");
    terminal.shows("no property `Oak Curt`");
    let both = format!("{}, ash court", pms.property_id(1));
    terminal.answers("[all]: ", &both);
    terminal.answers("America/New_York: ", "America/Chicago");
    terminal.answers("[US]: ", "");
    terminal.answers("switch it on [y]: ", "n");
    terminal.answers("write it [y]: ", "");
    terminal.shows("wrote config/integrations/oak-court.yaml");
    assert_eq!(terminal.ends(), Some(0));
    assert_eq!(files(&home), ["ash-court.yaml", "oak-court.yaml"]);
    let checked = home.epms(&["check", "--strict"]).await;
    assert_eq!(checked.status.code(), Some(0), "{}", told(&checked));
}

const DEFAULTS: &str = "defaults:
  timezone: America/Chicago
  exclude_statuses: [Evict]
  guard: { limit: 7, percent: 20 }
  schedule: { every: 20m }
";

#[tokio::test]
async fn what_a_file_leaves_out_comes_from_its_credential_and_status_and_explain_say_so() {
    let pms = pms(&THREE[..1]).await;
    let home = Home::new();
    home.credential("acme", &pms);
    let credential = "config/credentials/acme.yaml";
    home.write(credential, home.read(credential) + DEFAULTS);
    let property = pms.property_id(0);
    home.write(
        "config/integrations/elm.yaml",
        format!("version: 1\nproperty: {{ name: Elm Court }}\ncredential: acme\npms_properties: [{property}]\nguard: {{ limit: 3 }}\n"),
    );
    let checked = home.epms(&["check", "--strict"]).await;
    assert_eq!(checked.status.code(), Some(0), "{}", told(&checked));
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let status = json_of(&home, &["status", "elm"]).await;
    let from = |settings: &Value, key: &str| -> (String, String) {
        let mut all = settings.as_array().unwrap().iter();
        let one = all.find(|one| one["key"] == key).unwrap();
        let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
        (text("value"), text("from"))
    };
    let pair = |value: &str, from: &str| (value.to_owned(), from.to_owned());
    let elm = "config/integrations/elm.yaml";
    for (key, expected) in [
        ("property.timezone", pair("America/Chicago", credential)),
        ("exclude_statuses", pair("[Evict]", credential)),
        ("guard.limit", pair("3", elm)),
        ("guard.percent", pair("20", credential)),
        ("guard.month", pair("50", "")),
        ("schedule.every", pair("20m", credential)),
    ] {
        assert_eq!(from(&status["settings"], key), expected, "{key}");
    }
    // Of somebody who came in: the rule of the list, and the file that has it.
    let people = daemon.client.status().await.unwrap().people;
    assert!(people > 0);
    let run = json_of(&home, &["runs"]).await["items"][0]["id"].clone();
    let run = json_of(&home, &["run", run.as_str().unwrap()]).await;
    let resident = run["decisions"][0]["subject"].as_str().unwrap().to_owned();
    let words = ["explain", "elm", &resident, "--live"];
    let explained = json_of(&home, &words).await;
    assert_eq!(
        from(&explained["settings"], "exclude_statuses").1,
        credential
    );
    let rules = &explained["live"]["steps"][0]["residents"][0]["exclusions"];
    assert_eq!(rules[0]["rule"], "exclude_statuses: Evict", "{rules}");
    assert_eq!(rules[0]["from"], credential);
    let plain = said(&home.epms(&words).await, 0);
    assert!(
        plain.contains(&format!("exclude_statuses: Evict of {credential}")),
        "{plain}"
    );
    // An empty list of its own is a list.
    home.write(elm, home.read(elm) + "exclude_statuses: []\n");
    said(&home.epms(&["reload"]).await, 0);
    let status = json_of(&home, &["status", "elm"]).await;
    assert_eq!(
        from(&status["settings"], "exclude_statuses"),
        pair("[]", elm)
    );
}

#[tokio::test]
async fn what_is_wrong_with_defaults_is_told_with_its_place_and_a_zone_must_come_from_somewhere() {
    let pms = pms(&THREE[..1]).await;
    let home = Home::new();
    home.credential("acme", &pms);
    home.write(
        "config/integrations/elm.yaml",
        format!(
            "version: 1\nproperty: {{ name: Elm Court }}\ncredential: acme\npms_properties: [{}]\n",
            pms.property_id(0)
        ),
    );
    let told = said(&home.epms(&["check"]).await, 2);
    let expected = "config/integrations/elm.yaml:2:1: property.timezone: missing; add it, or `timezone` to `defaults` of config/credentials/acme.yaml";
    assert!(told.contains(expected), "{told}");
    let credential = "config/credentials/acme.yaml";
    let before = home.read(credential);
    for (line, expected) in [
        (
            "defaults: { timezone: New York }",
            "defaults.timezone: `New York` is no IANA time zone",
        ),
        (
            "defaults: { schedule: { every: 3s } }",
            "defaults.schedule.every: 3s is out of range",
        ),
        ("defaults: { gaurd: {} }", "did you mean `guard`?"),
        ("expires: 31.3.2027", "expires: `31.3.2027` is no date"),
    ] {
        home.write(credential, format!("{before}{line}\n"));
        let told = said(&home.epms(&["check"]).await, 2);
        assert!(told.contains(expected), "{line}: {told}");
        assert!(told.contains(credential), "{line}: {told}");
    }
}
