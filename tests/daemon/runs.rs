//! The daemon as a process of its own: when it runs, what it answers over its socket, and what becomes of
//! people who come and go in the PMS.

use crate::support::{Daemon, Home, pms, shut};
use epms::control::client::LogQuery;
use epms::control::client::{Cut, Which};
use epms::control::protocol::ProgressEvent;
use epms::model::{Cause, ChangeKind, IntegrationId, LeaseStatus, Outcome, RunId};
use epms::sandbox::{Fault, FaultKind, Kind};
use jiff::ToSpan;
use reqwest::Method;

fn elm() -> [IntegrationId; 1] {
    [IntegrationId::new("elm")]
}

async fn started() -> (std::sync::Arc<epms::sandbox::Sandbox>, Home, Daemon) {
    let pms = pms(Kind::AppFolio, 1, 40).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    (pms, home, daemon)
}

#[tokio::test]
async fn a_run_that_was_missed_is_made_up_at_start_and_only_then() {
    let (_pms, home, daemon) = started().await;
    let runs = daemon.client.runs(None, &Cut::default()).await.unwrap();
    let [run] = runs.items.as_slice() else {
        panic!("{runs:?}")
    };
    let report = run.report.as_ref().unwrap();
    assert_eq!(report.cause, Cause::Start);
    assert_eq!(report.outcome, Outcome::Committed);
    assert!(report.counts.created > 20, "{report:?}");
    let elm = daemon.integration("elm").await;
    assert!(elm.next.unwrap() > elm.last_success.unwrap());
    assert!(elm.last_success >= elm.last_started && elm.last_error.is_none());

    assert_eq!(daemon.stop().await, Some(0));
    let daemon = Daemon::start(&home).await;
    // Whoever waits for this run has waited past the start.
    let report = daemon.sync("elm").await;
    assert_eq!((report.id, report.cause), (RunId(2), Cause::Manual));
}

#[tokio::test]
async fn a_manual_sync_answers_with_the_report_of_the_ended_run() {
    let (_pms, _home, daemon) = started().await;
    for path in ["/v1/integrations/elm/sync", "/v1/sync"] {
        let answer = daemon.post(path).await;
        assert_eq!((answer.status, &*answer.kind), (200, "application/json"));
        let run = answer.json()["runs"][0].clone();
        assert_eq!(run["integration"], "elm");
        assert_eq!(run["report"]["cause"], "manual");
        assert_eq!(run["report"]["outcome"], "unchanged");
        assert!(run["report"]["ended"].is_string(), "{run}");
        let path = format!("/v1/runs/{}", run["id"].as_str().unwrap());
        assert_eq!(daemon.get(&path).await.json()["report"], run["report"]);
    }
}

#[tokio::test]
async fn a_sync_that_is_not_waited_for_is_followed_by_its_events() {
    let (pms, _home, daemon) = started().await;
    let gate = shut(&pms);
    let answer = daemon.post("/v1/integrations/elm/sync?wait=false").await;
    assert_eq!(answer.status, 202);
    let run = answer.json()["runs"][0].clone();
    assert!(run.get("report").is_none(), "{run}");
    let id: RunId = run["id"].as_str().unwrap().parse().unwrap();
    let mut events = Vec::new();
    let mut gate = Some(gate);
    let report = daemon
        .client
        .follow(id, |event| {
            events.push(event.clone());
            // Opened only after an event came: the run was told of before it ended.
            gate.take();
        })
        .await
        .unwrap();
    assert_eq!((report.id, &report.outcome), (id, &Outcome::Unchanged));
    assert!(!matches!(events[0], ProgressEvent::Ended(_)), "{events:?}");
    let again = daemon.get(&format!("/v1/runs/{id}/progress")).await;
    assert_eq!(again.kind, "text/event-stream");
    let told: Vec<&str> = again.body.lines().filter(|line| !line.is_empty()).collect();
    let [event] = told.as_slice() else {
        panic!("{again:?}")
    };
    let event = serde_json::from_str(event.strip_prefix("data:").unwrap()).unwrap();
    assert_eq!(ProgressEvent::Ended(Box::new(report)), event);
}

#[tokio::test]
async fn five_requests_during_a_run_become_one_more_run() {
    let (pms, _home, daemon) = started().await;
    let gate = shut(&pms);
    let first = daemon.begin("elm").await;
    let mut asked = Vec::new();
    for _ in 0..5 {
        let reply = daemon.client.sync(Which::These(&elm()), false).await;
        asked.push(reply.unwrap().runs[0].id);
    }
    let waiting = tokio::spawn({
        let client = daemon.client.clone();
        async move { client.sync(Which::These(&elm()), true).await }
    });
    drop(gate);
    assert!(asked.iter().all(|id| *id == asked[0] && *id != first));
    let reply = waiting.await.unwrap().unwrap();
    assert_eq!(reply.runs[0].id, asked[0]);
    assert_eq!(
        reply.runs[0].report.as_ref().unwrap().outcome,
        Outcome::Unchanged
    );
    daemon.settle().await;
    let runs = daemon.client.runs(None, &Cut::default()).await.unwrap();
    assert_eq!(runs.items.len(), 3, "the one at start, {first}, and one");
}

#[tokio::test]
async fn a_sync_with_nothing_changed_writes_no_change_and_says_so() {
    for kind in Kind::ALL {
        let pms = pms(kind, 3, 60).await;
        let home = Home::new();
        home.feed("elm", &pms);
        let daemon = Daemon::start(&home).await;
        daemon.settle().await;
        let (people, changes) = (daemon.people().await, daemon.changes().await);
        assert!(people.len() > 20, "{}", daemon.log());
        let report = daemon.sync("elm").await;
        assert_eq!(report.outcome, Outcome::Unchanged, "{report:?}");
        assert_eq!((report.changes, report.counts.created), (0, 0));
        assert_eq!(
            report.counts.unchanged,
            daemon.integration("elm").await.linked
        );
        assert_eq!(daemon.people().await, people);
        assert_eq!(daemon.changes().await, changes);
        let output = home.epms(&["sync", "elm"]).await;
        assert!(output.status.success());
        assert!(
            crate::support::told(&output).contains("unchanged"),
            "{output:?}"
        );
    }
}

#[tokio::test]
async fn who_moves_in_appears_and_who_moves_out_is_closed_and_stays() {
    for kind in Kind::ALL {
        let pms = pms(kind, 4, 40).await;
        let home = Home::new();
        home.feed("elm", &pms);
        let daemon = Daemon::start(&home).await;
        daemon.settle().await;
        let count = daemon.people().await.len();

        let email = "maren.newcomer@example.com";
        let person = pms
            .world()
            .move_in(
                "elm",
                "Maren",
                "Newcomer",
                Some(email),
                Some("(503) 555-0142"),
            )
            .unwrap();
        let report = daemon.sync("elm").await;
        assert_eq!(
            (report.counts.created, report.changes),
            (1, 1),
            "{report:?}"
        );
        let maren = daemon.person_with(email).await.unwrap();
        assert_eq!(
            (&*maren.first_name, &*maren.last_name),
            ("Maren", "Newcomer")
        );
        assert_eq!(maren.phone.as_deref(), Some("+15035550142"));
        assert_eq!(maren.stays[&elm()[0]].status, LeaseStatus::Current);

        let today = pms.world().today();
        pms.world()
            .move_out(person, today.saturating_sub(1.day()))
            .unwrap();
        let report = daemon.sync("elm").await;
        assert_eq!(report.counts.updated, 1, "{report:?}");
        let gone = daemon.person_with(email).await.unwrap();
        assert_eq!(gone.id, maren.id);
        let stay = &gone.stays[&elm()[0]];
        assert_eq!(stay.status, LeaseStatus::Past);
        assert_eq!(stay.move_out, Some(today.saturating_sub(1.day())));
        assert_eq!(daemon.people().await.len(), count + 1);
        let changes = daemon.changes().await;
        assert_eq!(changes.last().unwrap().kind, ChangeKind::Closed);
        assert_eq!(changes.last().unwrap().person, maren.id);
    }
}

#[tokio::test]
async fn what_cannot_be_answered_is_told_as_a_problem_document() {
    let (pms, home, daemon) = started().await;
    home.feed("off", &pms);
    home.edit(
        "config/integrations/off.yaml",
        "enabled: true",
        "enabled: false",
    );
    daemon.client.reload().await.unwrap();
    for (status, paths) in [
        (
            404,
            &[
                "GET /nothing",
                "GET /v2/status",
                "GET /v1/integrations/elmo",
                "POST /v1/integrations/elmo/sync",
                "POST /v1/integrations/elmo/sync?wait=false",
                "GET /v1/runs/r4711",
                "GET /v1/runs/r4711/progress",
                "GET /v1/people/p4711",
                "GET /v1/alerts/a4711",
            ][..],
        ),
        (
            409,
            &[
                "POST /v1/integrations/off/sync",
                "POST /v1/integrations/off/sync?wait=false",
            ],
        ),
        (
            400,
            &[
                "GET /v1/runs/elm",
                "GET /v1/runs/p1",
                "GET /v1/runs/r",
                "GET /v1/people/r1",
                "GET /v1/people/p99999999999999999999",
                "GET /v1/alerts/1",
                "GET /v1/people?limit=many",
                "GET /v1/people?colour=red",
                "GET /v1/people?cursor=r1",
                "GET /v1/alerts?state=lost",
                "GET /v1/alerts?kind=none",
                "GET /v1/changes?after=-1",
                "POST /v1/integrations/elm/sync?wait=perhaps",
                "POST /v1/integrations/elm/sync?file=/etc/passwd",
                "GET /v1/people/%FF",
                "POST /v1/integrations/%FF/sync",
            ],
        ),
        (
            405,
            &[
                "POST /v1/status",
                "GET /v1/integrations/elm/sync",
                "GET /v1/reload",
                "DELETE /v1/people/p1",
                "POST /healthz",
            ],
        ),
    ] {
        for request in paths {
            let (method, path) = request.split_once(' ').unwrap();
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let answer = daemon.ask(method, path).await;
            assert_eq!(answer.status, status, "{request}: {answer:?}");
            answer.problem();
        }
    }
    let off = daemon.post("/v1/integrations/off/sync").await.problem();
    assert!(off.detail.contains("enabled: true"), "{off:?}");
    let output = home.epms(&["sync", "elmo"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(crate::support::told(&output).contains("elmo"), "{output:?}");
}

#[tokio::test]
async fn lists_are_given_page_by_page_and_nobody_stands_on_two() {
    let (_pms, _home, daemon) = started().await;
    let everybody = daemon.people().await;
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = daemon
            .get(&format!("/v1/people?limit=7{cursor}"))
            .await
            .json();
        paged.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(
        serde_json::to_value(everybody).unwrap(),
        serde_json::Value::from(paged)
    );
}

#[tokio::test]
async fn who_follows_the_change_log_is_told_of_a_commit() {
    let (pms, _home, daemon) = started().await;
    let after = daemon.changes().await.len() as u64;
    let following = tokio::spawn({
        let client = daemon.client.clone();
        async move {
            let mut first = None;
            let query = LogQuery {
                after: after.to_string().parse().unwrap(),
                follow: true,
                ..LogQuery::default()
            };
            // Whatever comes first is what was waited for.
            let _ = client
                .changes(&query, |line| {
                    first = line.change();
                    Err(epms::control::client::ClientError::Broken(String::new()))
                })
                .await;
            first
        }
    });
    pms.world()
        .move_in("elm", "Ada", "Late", Some("ada.late@example.com"), None)
        .unwrap();
    daemon.sync("elm").await;
    let change = following.await.unwrap().unwrap();
    assert_eq!((change.seq, change.kind), (after + 1, ChangeKind::Created));
}

#[tokio::test]
async fn a_sync_of_several_integrations_answers_for_each() {
    let (elm, oak) = (
        pms(Kind::AppFolio, 5, 30).await,
        pms(Kind::Yardi, 6, 30).await,
    );
    let home = Home::new();
    home.feed("elm", &elm);
    home.feed("oak", &oak);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    oak.fault(FaultKind::Unavailable);
    let reply = daemon.client.sync(Which::All, true).await.unwrap();
    let outcomes: Vec<(&str, &str)> = reply
        .runs
        .iter()
        .map(|run| {
            let report = run.report.as_ref().unwrap();
            (run.integration.as_str(), report.outcome.as_str())
        })
        .collect();
    assert_eq!(outcomes, [("elm", "unchanged"), ("oak", "incomplete")]);
    let output = home.epms(&["sync", "--all"]).await;
    assert_eq!(output.status.code(), Some(1), "one of them failed");
    assert_eq!(home.epms(&["sync", "elm"]).await.status.code(), Some(0));
}

#[tokio::test]
async fn a_household_of_the_pms_comes_in_with_each_of_its_people() {
    let pms = pms(Kind::Yardi, 7, 60).await;
    let home = Home::new();
    home.feed("elm", &pms);
    {
        let mut world = pms.world();
        let email = Some("arne.joiner@example.com");
        let arne = world.move_in("elm", "Arne", "Joiner", email, None).unwrap();
        let household = world.household_of(arne).unwrap();
        let email = Some("tove.joiner@example.com");
        world.join(household, "Tove", "Joiner", email).unwrap();
    }
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let tove = daemon.person_with("tove.joiner@example.com").await.unwrap();
    let arne = daemon.person_with("arne.joiner@example.com").await.unwrap();
    assert_eq!(tove.stays, arne.stays);
    let unit = tove.stays[&elm()[0]].unit.clone().unwrap();
    let path = format!("/v1/people?integration=elm&q={}", unit.label);
    let there = daemon.get(&path).await.json();
    assert_eq!(there["items"].as_array().unwrap().len(), 2, "{there}");
}

#[tokio::test]
async fn r1_nothing_is_ever_written_to_a_pms() {
    for kind in Kind::ALL {
        let pms = pms(kind, 1, 30).await;
        let home = Home::new();
        home.feed("elm", &pms);
        let before = pms.world().clone();
        let daemon = Daemon::start(&home).await;
        daemon.settle().await;
        daemon.sync("elm").await;
        assert!(*pms.world() == before, "{kind} is as it was");
    }
}

#[tokio::test]
async fn r4_the_time_of_the_last_sync_is_visible_and_so_is_why_it_failed() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let good = daemon.integration("elm").await;
    assert!(good.last_success >= good.last_started && good.last_started.is_some());
    assert_eq!(good.last_error, None);

    pms.fault(Fault::new(FaultKind::Truncated));
    daemon.sync("elm").await;
    let bad = daemon.integration("elm").await;
    assert!(bad.last_started > good.last_started);
    assert_eq!(bad.last_success, good.last_success);
    assert!(bad.last_error.is_some());

    pms.clear_faults();
    daemon.sync("elm").await;
    let again = daemon.integration("elm").await;
    assert!(again.last_success > good.last_success);
    assert_eq!(again.last_error, None);
}
