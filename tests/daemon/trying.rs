//! Files that are tried before they are live: `epms preview --with` and `epms diff`, on what the running files read, and
//! on recorded answers. Nothing of it remains, and no secret goes where the running files do not send it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::sync::Arc;

use crate::support::{Daemon, Home, eventually, pms, told};
use epms::model::{Difference, Effect, Field, Outcome, Preview, TriedFiles};
use epms::sandbox::{Kind, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

const SCRIPT: &str = "scripts/appfolio.rhai";
const CONNECTOR: &str = "config/connectors/appfolio.yaml";
const ELM: &str = "config/integrations/elm.yaml";
const PHONE: &str = r#"phone: contacts::first_text(record, ["PhoneNumber", "PhoneNumbers", "Phone"], ["Number", "PhoneNumber"]),"#;

async fn started() -> (Arc<Sandbox>, Home, Daemon) {
    let pms = pms(Kind::AppFolio, 1, 60).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    (pms, home, daemon)
}

/// A checkout of the home, in which no credential is.
fn checkout(home: &Home) -> Home {
    let branch = Home::new();
    branch.copy(home.root(), "config/integrations");
    branch.copy(home.root(), "config/connectors");
    branch.copy(home.root(), "scripts");
    std::fs::remove_dir_all(branch.path("config/credentials")).unwrap();
    branch
}

fn path(branch: &Home) -> &str {
    branch.root().to_str().unwrap()
}

async fn diff(home: &Home, branch: &Home, more: &[&str]) -> (Option<i32>, Value) {
    let words = [&["diff", path(branch), "--format", "json"], more].concat();
    let output = home.epms(&words).await;
    let report = serde_json::from_slice(&output.stdout);
    let report = report.unwrap_or_else(|error| panic!("{error}: {}", told(&output)));
    (output.status.code(), report)
}

fn of_elm(report: &Value) -> Difference {
    let all = report["integrations"].as_array().unwrap();
    let one = all.iter().find(|one| one["integration"] == "elm");
    serde_json::from_value(one.unwrap().clone()).unwrap()
}

#[tokio::test]
async fn a_script_is_tried_on_what_the_running_files_read_and_nothing_remains() {
    let (_pms, home, daemon) = started().await;
    let branch = checkout(&home);
    branch.edit(SCRIPT, PHONE, "phone: (),");
    let people = daemon.people().await;
    let runs = daemon.get("/v1/runs").await.body;

    let output = home
        .epms(&["preview", "elm", "--with", path(&branch), "--json"])
        .await;
    let preview: Preview = serde_json::from_slice(&output.stdout).unwrap();
    let said = preview.tried.unwrap();
    assert!(!said.same && said.untried.is_empty(), "{said:?}");
    assert_eq!(preview.report.outcome, Outcome::Committed);
    let text = told(
        &home
            .epms(&["preview", "elm", "--with", path(&branch)])
            .await,
    );
    assert!(
        text.contains("the next run of elm, by files that are not live, would be"),
        "{text}"
    );

    let (code, report) = diff(&home, &branch, &[]).await;
    assert_eq!(code, Some(0), "{report:#}");
    let difference = of_elm(&report);
    let with_phone = people.iter().filter(|one| one.phone.is_some()).count();
    assert!(with_phone > 10);
    assert_eq!(difference.people.len(), with_phone, "{report:#}");
    for one in &difference.people {
        assert_eq!(one.effect, Effect::Changes);
        assert!(!one.name.is_empty() && one.person.is_some());
        assert_eq!(
            (one.fields[0].field, &one.fields[0].after),
            (Field::Phone, &None)
        );
    }
    assert_eq!(daemon.people().await, people);
    assert_eq!(daemon.get("/v1/runs").await.body, runs);
    let output = home.epms(&["preview", "elm", "--json"]).await;
    let preview: Preview = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (preview.report.outcome, preview.tried),
        (Outcome::Unchanged, None)
    );
    assert_eq!(daemon.sync("elm").await.outcome, Outcome::Unchanged);
}

#[tokio::test]
async fn what_only_the_pms_changed_is_no_difference() {
    let (pms, home, _daemon) = started().await;
    let branch = checkout(&home);
    branch.edit(ELM, "exclude_statuses: []", "exclude_statuses: [Nobody]");
    let mut left = 0;
    {
        let mut world = pms.world();
        let today = epms::sandbox::today();
        let here: Vec<_> = world
            .households()
            .iter()
            .filter(|home| home.status.lives_there())
            .flat_map(|home| home.members.iter().map(|one| one.id))
            .collect();
        for one in here.into_iter().take(3) {
            left += usize::from(world.move_out(one, today).is_ok());
        }
    }
    assert!(left > 0);
    let (code, report) = diff(&home, &branch, &["--exit-code"]).await;
    let difference = of_elm(&report);
    assert!(!difference.tried.same);
    assert!(difference.now.is_some(), "it was read");
    assert!(!difference.is_any(), "{report:#}");
    assert_eq!(code, Some(0));
}

#[tokio::test]
async fn files_that_say_the_same_ask_the_pms_for_nothing() {
    let (pms, home, daemon) = started().await;
    let branch = checkout(&home);
    pms.forget_requests();
    let (code, report) = diff(&home, &branch, &["--exit-code"]).await;
    assert_eq!(code, Some(0));
    assert!(of_elm(&report).tried.same, "{report:#}");
    assert_eq!(pms.requests().len(), 0);
    let text = told(&home.epms(&["diff", path(&branch)]).await);
    assert_eq!(text, "0 of 1 integration would change\n");
    assert!(daemon.log().contains("files are tried"));
}

/// Whoever may only operate must not learn a secret: not by another host, another request or another credential.
#[tokio::test]
async fn a_sent_file_never_says_where_a_secret_goes() {
    let (pms, home, daemon) = started().await;
    let thief = TcpListener::bind("127.0.0.1:0").unwrap();
    thief.set_nonblocking(true).unwrap();
    let at = thief.local_addr().unwrap();
    let branch = checkout(&home);
    let text = branch.read(CONNECTOR);
    branch.write(
        CONNECTOR,
        text.replace(
            "hosts: [\"{{ credential.url | host }}\"]",
            &format!("hosts: [\"{at}\"]"),
        )
        .replace("{{ credential.url }}", &format!("http://{at}")),
    );
    assert!(branch.read(CONNECTOR).contains(&format!("http://{at}")));
    branch.edit(SCRIPT, PHONE, "phone: (),");
    pms.forget_requests();
    let (_, report) = diff(&home, &branch, &[]).await;
    let difference = of_elm(&report);
    assert!(
        difference.tried.untried[0].contains("that is not tried"),
        "{report:#}"
    );
    assert!(difference.is_any(), "its script is tried all the same");
    assert!(!pms.requests().is_empty());
    let text = told(
        &home
            .epms(&["preview", "elm", "--with", path(&branch)])
            .await,
    );
    assert!(
        text.contains("not tried: config/connectors/appfolio.yaml asks"),
        "{text}"
    );

    // Nor does a secret go into what a script can give.
    branch.write(
        SCRIPT,
        "fn residents(record, ctx) { throw `${ctx} ${record}`; }\n",
    );
    branch.copy(home.root(), CONNECTOR);
    let output = home
        .epms(&["preview", "elm", "--with", path(&branch), "--json"])
        .await;
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    for (field, value) in pms.credential() {
        if Sandbox::SECRETS.contains(&field) {
            assert!(!told(&output).contains(&value) && !daemon.log().contains(&value));
        }
    }

    home.credential("other", &pms);
    branch.copy(home.root(), SCRIPT);
    branch.edit(ELM, "credential: elm-account", "credential: other");
    for verb in ["diff", "preview"] {
        let words = match verb {
            "diff" => vec!["diff", path(&branch)],
            _ => vec!["preview", "elm", "--with", path(&branch)],
        };
        let output = home.epms(&words).await;
        assert_eq!(output.status.code(), Some(2), "{}", told(&output));
        assert!(
            told(&output).contains("no other credential is used"),
            "{}",
            told(&output)
        );
    }
    assert!(thief.accept().is_err(), "nobody ever came");
}

#[tokio::test]
async fn a_property_is_not_read_before_it_is_attached() {
    let (pms, home, _daemon) = started().await;
    let branch = checkout(&home);
    let property = pms.property_id(0);
    branch.edit(
        ELM,
        &format!("[{property}]"),
        &format!("[{property}, another-one]"),
    );
    pms.forget_requests();
    let (_, report) = diff(&home, &branch, &[]).await;
    let difference = of_elm(&report);
    assert!(
        difference.tried.untried[0].contains("`another-one` is not attached yet"),
        "{report:#}"
    );
    assert!(!difference.is_any(), "{report:#}");
    let asked = pms.requests();
    assert!(!asked.is_empty() && !format!("{asked:?}").contains("another-one"));
}

#[tokio::test]
async fn what_would_be_held_ends_with_4_and_a_comment_names_nobody() {
    let (_pms, home, daemon) = started().await;
    let branch = checkout(&home);
    branch.edit(SCRIPT, "\"Current\": \"current\"", "\"Current\": \"past\"");
    let output = home
        .epms(&["preview", "elm", "--with", path(&branch)])
        .await;
    assert_eq!(output.status.code(), Some(4), "{}", told(&output));
    let (code, report) = diff(&home, &branch, &["--exit-code"]).await;
    assert_eq!(code, Some(4));
    let waits = |one: &&epms::model::Differs| one.effect == Effect::Waits;
    let difference = of_elm(&report);
    assert!(
        difference.people.iter().filter(waits).count() > 10,
        "{report:#}"
    );
    let comment = home
        .epms(&["diff", path(&branch), "--format", "markdown"])
        .await;
    assert_eq!(comment.status.code(), Some(0));
    let comment = told(&comment);
    assert!(
        comment.starts_with("### epms: 1 of 1 integration would change"),
        "{comment}"
    );
    assert!(comment.contains("**held**"), "{comment}");
    for person in daemon.people().await {
        let name = format!("{} {}", person.first_name, person.last_name);
        assert!(!comment.contains(&name), "{name} in {comment}");
    }
}

#[tokio::test]
async fn files_that_are_not_right_are_told_with_their_place_and_the_others_are_tried() {
    let (pms, home, daemon) = started().await;
    home.write(
        "config/integrations/oak.yaml",
        home.read(ELM).replace("The elm", "The oak"),
    );
    let other = home.read("config/integrations/oak.yaml");
    home.write(
        "config/integrations/oak.yaml",
        other.replace(&pms.property_id(0), "another-one"),
    );
    eventually("oak is there", async || {
        daemon.client.status().await.unwrap().integrations.len() == 2
    })
    .await;
    let branch = checkout(&home);
    branch.edit(ELM, "enabled: true", "enabled: true\nexclude: []");
    branch.write("config/integrations/fir.yaml", branch.read(ELM));
    branch.remove("config/integrations/oak.yaml");
    let (code, report) = diff(&home, &branch, &[]).await;
    assert_eq!(code, Some(2), "{report:#}");
    let why = report["failed"][0]["why"].as_str().unwrap();
    assert!(why.starts_with("config/integrations/elm.yaml:7:1"), "{why}");
    assert_eq!(
        (&report["new"], &report["gone"]),
        (&json!(["fir"]), &json!(["oak"]))
    );
    let output = home.epms(&["diff", path(&branch), "ash"]).await;
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    let output = home.epms(&["diff", "/nowhere"]).await;
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
}

/// What is said for several integrations in the file of their account changes people as much as what each file says.
#[tokio::test]
async fn the_defaults_of_a_credential_and_the_switch_are_tried() {
    let (_pms, home, _daemon) = started().await;
    home.edit(ELM, "exclude_statuses: []\n", "");
    eventually("the file is loaded", async || {
        told(&home.epms(&["reload"]).await).contains("elm")
    })
    .await;
    let branch = checkout(&home);
    branch.copy(home.root(), "config/credentials");
    let account = "config/credentials/elm-account.yaml";
    let text = branch.read(account);
    branch.write(
        account,
        format!("{text}defaults: {{ exclude_statuses: [Current], schedule: {{ every: 20m }} }}\n"),
    );
    let (code, report) = diff(&home, &branch, &["--exit-code"]).await;
    let difference = of_elm(&report);
    assert!(difference.is_any(), "{report:#}");
    assert!(
        difference.tried.untried[0].contains("`defaults.schedule`"),
        "{report:#}"
    );
    assert!(matches!(code, Some(1 | 4)), "{code:?}: {report:#}");

    branch.write(account, text);
    branch.edit(ELM, "enabled: true", "enabled: false");
    let output = home.epms(&["diff", path(&branch), "--exit-code"]).await;
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(
        told(&output).contains("elm: would be switched off"),
        "{}",
        told(&output)
    );
    branch.write(account, "version: 1\nconnector: [\n");
    let output = home.epms(&["diff", path(&branch)]).await;
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
}

#[tokio::test]
async fn a_sent_script_has_the_limits_of_every_other_and_what_is_too_large_is_not_taken() {
    let (_pms, home, daemon) = started().await;
    let branch = checkout(&home);
    branch.write(SCRIPT, "fn residents(record, ctx) { loop { } }\n");
    let output = home
        .epms(&["preview", "elm", "--with", path(&branch)])
        .await;
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(daemon.sync("elm").await.outcome.is_success());

    let mut files = TriedFiles {
        integration: home.read(ELM),
        connector: None,
        defaults: None,
        scripts: BTreeMap::from([("appfolio".to_owned(), "x".repeat(TriedFiles::MOST))]),
    };
    let ask = async |files: &TriedFiles| {
        let body = serde_json::to_string(files).unwrap();
        daemon
            .send(Method::POST, "/v1/integrations/elm/diff", &body)
            .await
    };
    assert_eq!(ask(&files).await.problem().status, 413);
    files
        .scripts
        .insert("appfolio".into(), "x".repeat(2 * 1024 * 1024));
    let problem = ask(&files).await.problem();
    assert_eq!(problem.status, 422);
    assert!(problem.detail.contains("larger than 1 MiB"), "{problem}");
}

#[tokio::test]
async fn slow_scripts_of_one_user_are_bounded_and_hold_up_nothing_that_runs() {
    let (_pms, home, daemon) = started().await;
    let slow = "fn residents(record, ctx) { loop { } }\n";
    let files = TriedFiles {
        integration: home.read(ELM),
        scripts: BTreeMap::from([("appfolio".to_owned(), slow.to_owned())]),
        ..TriedFiles::default()
    };
    let body = serde_json::to_string(&files).unwrap();
    let path = "/v1/integrations/elm/diff";
    let trials = (0..10).map(|_| daemon.send(Method::POST, path, &body));
    let trials = futures_util::future::join_all(trials);
    let runs = async {
        let synced = daemon.sync("elm").await;
        let preview = home.epms(&["preview", "elm"]).await;
        (synced.outcome, preview.status.code())
    };
    let (answers, (outcome, code)) = tokio::join!(trials, runs);
    assert!(outcome.is_success());
    assert_eq!(code, Some(0));
    let (busy, tried): (Vec<_>, Vec<_>) = answers.iter().partition(|one| one.status == 503);
    assert!(!busy.is_empty() && tried.len() >= 6, "{}", tried.len());
    assert!(tried.iter().all(|one| one.status == 200));
    assert!(busy.iter().all(|one| one.body.contains("ask again when")));
}

#[tokio::test]
async fn on_recorded_answers_neither_a_daemon_nor_a_pms_is_needed() {
    let (pms, home, daemon) = started().await;
    let people = daemon.people().await.len();
    let names: BTreeSet<String> = daemon
        .people()
        .await
        .into_iter()
        .map(|one| one.last_name)
        .collect();
    let recordings = home.beside().join("recordings");
    let out = recordings.join("elm");
    let output = home
        .epms(&["record", "elm", "--out", out.to_str().unwrap()])
        .await;
    assert!(output.status.success(), "{}", told(&output));
    daemon.stop().await;
    drop(pms);
    let branch = checkout(&home);
    branch.copy(home.root(), "config/credentials");
    let records = ["--records", recordings.to_str().unwrap(), "--exit-code"];
    let (code, report) = diff(&home, &branch, &records).await;
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(of_elm(&report).now.unwrap().outcome, Outcome::Unchanged);

    branch.edit(SCRIPT, PHONE, "phone: (),");
    let (code, report) = diff(&home, &branch, &records).await;
    assert_eq!(code, Some(1), "{report:#}");
    let difference = of_elm(&report);
    let changed = difference.people.len();
    assert!(changed > 10 && changed <= people, "{report:#}");
    assert!(
        difference
            .people
            .iter()
            .all(|one| one.effect == Effect::Changes)
    );
    let comment = home
        .epms(&[
            "diff",
            path(&branch),
            "--records",
            records[1],
            "--format",
            "markdown",
        ])
        .await;
    let comment = told(&comment);
    assert!(
        comment.contains("`phone +1"),
        "whom it names is made up: {comment}"
    );
    let real = |name: &&String| name.len() > 5 && comment.contains(name.as_str());
    assert!(names.iter().filter(real).count() < 3, "{comment}");

    branch.edit(SCRIPT, "\"Current\": \"current\"", "\"Current\": \"past\"");
    let (code, report) = diff(&home, &branch, &records).await;
    assert_eq!(code, Some(4), "{report:#}");
    let nothing = home.beside().join("nothing");
    std::fs::create_dir(&nothing).unwrap();
    let words = [
        "diff",
        path(&branch),
        "--records",
        nothing.to_str().unwrap(),
    ];
    let output = home.epms(&words).await;
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(told(&output).contains("epms record"), "{}", told(&output));
}
