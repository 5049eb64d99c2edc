//! `reload: { require_tests: true }`: a script comes in only when its mapping tests pass, at the start too.

use crate::support::{Daemon, Home, eventually, pms, told};
use epms::control::protocol::IntegrationState;
use epms::model::{Code, ReloadOutcome, Reloaded};
use epms::sandbox::Kind;

const SCRIPT: &str = "scripts/appfolio.rhai";
const CASE: &str = "scripts/tests/appfolio/evict.yaml";
const WORD: &str = "\"Evict\": \"current\"";
const OTHER_WORD: &str = "\"Evict\": \"past\"";

async fn reload(daemon: &Daemon) -> Reloaded {
    daemon.client.reload().await.unwrap().integrations.remove(0)
}

#[tokio::test]
async fn a_script_comes_in_only_when_its_tests_pass() {
    let pms = pms(Kind::AppFolio, 1, 60).await;
    let home = Home::new();
    home.set("reload: { require_tests: true }");
    home.feed("elm", &pms);
    // It has the same word.
    home.remove("scripts/tests/appfolio/status-words.yaml");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    assert_eq!(daemon.generation("elm").await, 1);

    home.edit(SCRIPT, WORD, OTHER_WORD);
    let told_of = reload(&daemon).await;
    assert_eq!(told_of.outcome, ReloadOutcome::Rejected);
    assert_eq!(told_of.generation, Some(1));
    let problem = &told_of.problems[0];
    assert_eq!(problem.code, Code::Test);
    assert_eq!(
        problem.to_string(),
        format!(
            "{CASE}: the test does not pass: resident {}: status; `epms test appfolio/evict` shows how",
            resident(&home)
        )
    );
    // What runs is the script before.
    let report = daemon.sync("elm").await;
    assert!(report.outcome.is_success(), "{report:?}");
    assert_eq!(report.generation, 1);
    let shown = told(&home.epms(&["status"]).await);
    assert!(shown.contains("generation 1"), "{shown}");
    assert!(shown.contains("the test does not pass"), "{shown}");
    let reloaded = home.epms(&["reload"]).await;
    assert_eq!(reloaded.status.code(), Some(2));
    assert!(told(&reloaded).contains("elm: refused; generation 1 still runs"));

    // The test is what was wrong: changing it alone lets the script in.
    home.edit(CASE, "status: current", "status: past");
    assert_eq!(daemon.reloaded("elm", 1).await, 2);
    assert!(daemon.integration("elm").await.problems.is_empty());
    assert_eq!(daemon.sync("elm").await.generation, 2);
    assert_eq!(daemon.stop().await, Some(0));
}

/// The id in the case.
fn resident(home: &Home) -> String {
    let case = home.read(CASE);
    let id = case
        .split("- { id: ")
        .nth(1)
        .or_else(|| case.split("- id: ").nth(1));
    id.unwrap()
        .split([',', '\n'])
        .next()
        .unwrap()
        .trim_matches('"')
        .to_owned()
}

#[tokio::test]
async fn a_recorded_answer_that_changes_is_a_change_of_its_test() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.set("reload: { require_tests: true }");
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let answer = "scripts/tests/appfolio/answer-of-one-page.json";
    let before = home.read(answer);
    home.edit(answer, "\"Id\":", "\"Idd\":");
    eventually("the test fails", async || {
        let problems = daemon.integration("elm").await.problems;
        problems.iter().any(|problem| problem.code == Code::Test)
    })
    .await;
    home.write(answer, before);
    eventually("the test passes", async || {
        daemon.integration("elm").await.problems.is_empty()
    })
    .await;
    assert_eq!(daemon.generation("elm").await, 1);
}

#[tokio::test]
async fn at_the_start_nothing_ran_before_and_the_integration_waits_for_its_tests() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.set("reload: { require_tests: true }");
    home.feed("elm", &pms);
    let tests = home.path("scripts/tests/appfolio");
    let aside = home.beside().join("appfolio");
    std::fs::rename(&tests, &aside).unwrap();
    let daemon = Daemon::start(&home).await;
    let status = daemon.integration("elm").await;
    assert_eq!(
        (status.state, status.generation),
        (IntegrationState::Broken, None)
    );
    assert_eq!(
        status.problems[0].to_string(),
        "scripts/appfolio.rhai: no mapping test is about it, and `reload.require_tests` asks for one; \
         add scripts/tests/appfolio/<case>.yaml"
    );
    let checked = home.epms(&["check"]).await;
    assert_eq!(checked.status.code(), Some(2), "{}", told(&checked));
    std::fs::rename(&aside, &tests).unwrap();
    eventually("the integration runs", async || {
        daemon.integration("elm").await.last_success.is_some()
    })
    .await;
    assert_eq!(daemon.generation("elm").await, 1);
}

#[tokio::test]
async fn a_test_that_cannot_be_read_is_one_that_does_not_pass() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.set("reload: { require_tests: true }");
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    home.edit(CASE, "expect:", "expct:");
    let told_of = reload(&daemon).await;
    assert_eq!(told_of.outcome, ReloadOutcome::Rejected);
    let problem = told_of.problems[0].to_string();
    assert!(problem.contains("evict.yaml"), "{problem}");
    // Without the setting, tests are nobody's business but their author's.
    home.set("reload: { require_tests: false }");
    assert_eq!(reload(&daemon).await.outcome, ReloadOutcome::Unchanged);
}
