//! What goes with the program onto a machine: the alerting rules ask for what the daemon tells, and name
//! commands that there are; the unit starts a daemon that finds what the unit gives it; packages, image and manifests name
//! what there is. That it can be installed is `packaging/try`'s to show.

mod installed;

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::{Daemon, Doors, Exposition, Home, epms, found, pms, told};
use epms::sandbox::Kind;
use serde::Deserialize;

fn packaged(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("packaging")
        .join(name);
    std::fs::read_to_string(path).unwrap()
}

/// A file of rules, as Prometheus reads it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    alert: String,
    expr: String,
    #[serde(default, rename = "for")]
    lasting: Option<String>,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

fn rules() -> Vec<Rule> {
    let rules: Rules = serde_yaml::from_str(&packaged("epms.rules.yml")).unwrap();
    let [group] = rules.groups.try_into().unwrap();
    assert_eq!(group.name, "epms");
    assert!(group.rules.len() > 8);
    group.rules
}

/// The names of our metrics in an expression, each with the labels that it asks for.
fn asked(expression: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut asked = Vec::new();
    let mut rest = expression;
    while let Some(at) = rest.find("epms_") {
        let end = rest[at..]
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .map_or(rest.len(), |length| at + length);
        let (name, after) = (&rest[at..end], &rest[end..]);
        let selector = after
            .strip_prefix('{')
            .and_then(|inside| inside.split('}').next());
        let labels = selector.into_iter().flat_map(|labels| labels.split(','));
        let labels = labels.map(|label| {
            let (name, value) = label.split_once("=\"").unwrap();
            (
                name.trim().to_owned(),
                value.trim_end_matches('"').to_owned(),
            )
        });
        asked.push((name.to_owned(), labels.collect()));
        rest = after;
    }
    asked
}

#[tokio::test]
async fn every_rule_asks_for_series_that_a_daemon_has() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let (home, doors) = (Home::new(), Doors::start().await);
    doors.files(&home, "mode: automatic\nstart_delay: 0s\n");
    home.feed("ash", &pms);
    let backups = home.beside().join("backups");
    home.set(&format!("backup: {{ to: {} }}", backups.display()));
    // What may be sent and cannot be is late.
    doors.known().is_down = true;
    doors.lives(1, "1A", "current");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let page = found("somebody's access is late", async || {
        let page = Exposition::read(&daemon.get("/metrics").await.body).unwrap();
        let late = "epms_delivery_oldest_wanted_timestamp_seconds";
        let is_late = page.value(late, &[("target", "doors")]).is_some();
        let is_kept = page.value("epms_backup_age_seconds", &[]).is_some();
        (is_late && is_kept).then_some(page)
    })
    .await;
    let mut names = std::collections::BTreeSet::new();
    for rule in rules() {
        let asked = asked(&rule.expr);
        assert!(
            !asked.is_empty() || rule.expr.starts_with("up{"),
            "{rule:?}"
        );
        for (name, labels) in asked {
            let has = page.samples.iter().any(|one| {
                let fits = |(name, value): &(String, String)| one.labels.get(name) == Some(value);
                one.name == name && labels.iter().all(fits)
            });
            assert!(has, "{}: no {name} with {labels:?}", rule.alert);
        }
        assert!(rule.alert.starts_with("Epms") && names.insert(rule.alert.clone()));
        assert!(["warning", "critical"].contains(&&*rule.labels["severity"]));
        if let Some(lasting) = &rule.lasting {
            let (number, unit) = lasting.split_at(lasting.len() - 1);
            assert!(
                number.parse::<u32>().is_ok() && ["m", "h"].contains(&unit),
                "{rule:?}"
            );
        }
        // What an annotation names must be a label that the expression leaves.
        let of_one = rule
            .annotations
            .values()
            .any(|text| text.contains("$labels.integration"));
        assert!(
            !of_one || !rule.expr.contains("epms_last_reload_successful"),
            "{rule:?}"
        );
    }
}

#[tokio::test]
async fn every_command_that_a_rule_names_is_one() {
    let home = Home::new();
    let mut commands = 0;
    for rule in rules() {
        for text in rule.annotations.values() {
            let quoted = text.split('`').skip(1).step_by(2);
            for command in quoted.filter_map(|command| command.strip_prefix("epms ")) {
                let command = command
                    .replace("{{ $labels.integration }}", "elm")
                    .replace("{{ $labels.target }}", "doors")
                    .replace("RUN", "r1");
                let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
                let output = home.epms(&words).await;
                assert!(output.status.success(), "{words:?}: {}", told(&output));
                // What `--help` lets pass must be known to it all the same.
                let help = told(&output);
                for option in words.iter().filter(|word| word.starts_with("--")) {
                    assert!(help.contains(option), "{words:?}: {help}");
                }
                commands += 1;
            }
        }
    }
    assert!(commands > 8);
}

/// What the unit says of `key`, which it says once.
fn of_unit(key: &str) -> String {
    let unit = packaged("epms.service");
    let said: Vec<&str> = unit
        .lines()
        .filter_map(|line| line.strip_prefix(key)?.strip_prefix('='))
        .collect();
    let [value] = said.as_slice() else {
        panic!("{key}: {said:?}")
    };
    (*value).to_owned()
}

#[tokio::test]
async fn the_unit_s_command_finds_its_state_its_socket_and_its_credentials() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    // The secret comes from the manager instead of from a file of the home.
    let file = "{ file: secrets/elm-account-client_secret }";
    let name = "config/credentials/elm-account.yaml";
    home.edit(name, file, "{ credential: appfolio }");
    let given = |folder: &str| home.beside().join(folder);
    for folder in ["credentials", "state", "runtime"] {
        std::fs::create_dir(given(folder)).unwrap();
    }
    let secret = home.path("secrets/elm-account-client_secret");
    std::fs::rename(secret, given("credentials").join("appfolio")).unwrap();

    let start = of_unit("ExecStart");
    let (program, words) = start.split_once(' ').unwrap();
    // Whichever of /usr/local/bin and /usr/bin has it.
    assert_eq!(program, "epms");
    let mut command = epms();
    for word in words.split(' ') {
        match word {
            "/etc/epms" => command.arg(home.root()),
            word => command.arg(word),
        };
    }
    assert_eq!(
        (of_unit("StateDirectory"), of_unit("RuntimeDirectory")),
        ("epms".into(), "epms".into())
    );
    command
        .current_dir("/")
        .env("STATE_DIRECTORY", given("state"))
        .env("RUNTIME_DIRECTORY", given("runtime"))
        .env("CREDENTIALS_DIRECTORY", given("credentials"));
    let socket = given("runtime").join("epms.sock");
    let daemon = Daemon::spawn(command, &socket, home.beside()).await;
    daemon.settle().await;
    let report = daemon.sync("elm").await;
    assert!(report.outcome.is_success(), "{report:?}");
    assert!(given("state").join("epms.redb").exists());
    assert!(
        !home.path("state").exists(),
        "nothing is written into the home"
    );

    // What the unit gives the daemon to end in is more than it takes at most.
    let seconds = |key: &str| of_unit(key).trim_end_matches('s').parse::<u64>().unwrap();
    assert!(seconds("TimeoutStopSec") > epms::config::Settings::default().grace.0.as_secs() + 2);
    // What systemd 252 knows; it has no `notify-reload`, and a small Debian no /bin/kill.
    assert_eq!(of_unit("Type"), "notify");
    assert_eq!(of_unit("ExecReload"), "epms --home /etc/epms reload");
    assert_eq!(of_unit("LimitCORE"), "0");
    assert!(seconds("WatchdogSec") >= 30);
}
