//! Syncs, runs and reloads.

use insta::assert_snapshot;

use super::super::Exit;
use super::super::examples::{BUILDING, ended, integration, problem, queued, report, run_detail};
use super::super::testing::{Answers, epms};
use crate::control::protocol::{
    IntegrationState, IntegrationStatus, Page, ProblemDocument, ProgressEvent, ReloadOutcome,
    ReloadReply, Reloaded, ReloadedTarget, SyncReply,
};
use crate::model::{IntegrationId, Outcome, Progress, Run, TargetId};

const ASK: &str = "POST /v1/integrations/123-building-name/sync?wait=false";

fn asked() -> SyncReply {
    SyncReply {
        runs: vec![queued(3, BUILDING)],
    }
}

fn events(run: Run) -> [ProgressEvent; 3] {
    let progress = Progress {
        pages: 1,
        records: 20,
        mapped: 20,
        planning: false,
    };
    [
        ProgressEvent::Queued,
        ProgressEvent::Progress(progress),
        ProgressEvent::Ended(Box::new(run)),
    ]
}

#[tokio::test]
async fn a_sync_follows_its_run_and_reports() {
    let run = report(3, BUILDING, Outcome::Committed);
    let answers = Answers::default()
        .json(ASK, &asked())
        .events("GET /v1/runs/r3/progress", &events(run));
    let ran = epms("sync 123-building-name", answers).await;
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""));
    assert_snapshot!(ran.out, @r"
    RUN  INTEGRATION        STARTED  TOOK  OUTCOME    RESULT
    ────────────────────────────────────────────────────────────────────────────────
    r3   123-building-name  4m ago    12s  committed  55 seen: 3 created, 1 updated,
                                                      8 unchanged, 1 flagged, 42
                                                      excluded

    `epms run r3` shows each decision, `epms alerts list` what somebody must look at
    ");
}

#[tokio::test]
async fn a_sync_ends_with_1_when_one_of_its_runs_failed() {
    let reason = "the PMS did not answer page 2 of 7 within 30s, 4 times; try again when it does";
    let failed = Outcome::Failed {
        reason: reason.into(),
    };
    let runs = vec![queued(3, BUILDING), queued(4, "oak-street")];
    let answers = Answers::default()
        .json("POST /v1/sync?wait=false", &SyncReply { runs })
        .json(
            "GET /v1/integrations",
            &[integration(BUILDING), integration("oak-street")],
        )
        .events(
            "GET /v1/runs/r3/progress",
            &events(report(3, BUILDING, failed)),
        )
        .events(
            "GET /v1/runs/r4/progress",
            &events(report(4, "oak-street", Outcome::Unchanged)),
        );
    let ran = epms("sync --all", answers).await;
    assert_eq!(ran.exit, Exit::Failed);
    assert_snapshot!(ran.out, @r"
    RUN  INTEGRATION        STARTED  TOOK  OUTCOME    RESULT
    ────────────────────────────────────────────────────────────────────────────────
    r3   123-building-name  4m ago    12s  failed     the PMS did not answer page 2
                                                      of 7 within 30s, 4 times; try
                                                      again when it does
    r4   oak-street         4m ago    12s  unchanged  55 seen: 3 created, 1 updated,
                                                      8 unchanged, 1 flagged, 42
                                                      excluded

    `epms run r3` shows each decision, `epms alerts list` what somebody must look at
    ");
}

#[tokio::test]
async fn a_sync_of_all_says_which_integrations_it_leaves_out_for_their_files_and_ends_with_1() {
    let of = |id: &str, state: IntegrationState| IntegrationStatus {
        state,
        ..integration(id)
    };
    let mut broken = of("elm", IntegrationState::Broken);
    broken.problems = vec![problem("unknown field")];
    let waits = IntegrationStatus {
        waits_for: Some("its people are at `oak`".into()),
        ..of("oak", IntegrationState::Idle)
    };
    let off = of("off", IntegrationState::Disabled);
    let paused = of("paused", IntegrationState::Paused);
    let runs = vec![queued(3, BUILDING)];
    let answers = |all: &[IntegrationStatus]| {
        Answers::default()
            .json(
                "POST /v1/sync?wait=false",
                &SyncReply { runs: runs.clone() },
            )
            .json("GET /v1/integrations", &all)
    };
    let good = integration(BUILDING);
    let all = [
        good.clone(),
        broken.clone(),
        waits,
        off.clone(),
        paused.clone(),
    ];
    let ran = epms("sync --all --no-wait", answers(&all)).await;
    assert_eq!(ran.exit, Exit::Failed);
    let told: Vec<&str> = ran.err.lines().collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].starts_with("elm is not synced: config/"),
        "{told:?}"
    );
    assert_eq!(told[1], "oak is not synced: its people are at `oak`");
    // That nothing is switched on would not be true.
    let none = Answers::default()
        .json("POST /v1/sync?wait=false", &SyncReply { runs: Vec::new() })
        .json("GET /v1/integrations", &[broken]);
    let ran = epms("sync --all", none).await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Failed, ""));
    assert!(ran.err.starts_with("elm is not synced: "), "{}", ran.err);
    let ran = epms("sync --all --no-wait", answers(&[good, off, paused])).await;
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""));
}

#[tokio::test]
async fn an_incomplete_run_is_a_failure() {
    let reason = "page 3 came twice".into();
    let run = report(3, BUILDING, Outcome::Incomplete { reason });
    let answers = Answers::default()
        .json(ASK, &asked())
        .events("GET /v1/runs/r3/progress", &events(run));
    assert_eq!(
        epms("sync 123-building-name", answers).await.exit,
        Exit::Failed
    );
}

#[tokio::test]
async fn a_sync_that_does_not_wait_names_the_run() {
    let ran = epms(
        "sync 123-building-name --no-wait",
        Answers::default().json(ASK, &asked()),
    )
    .await;
    assert_eq!(ran.exit, Exit::Done);
    assert_snapshot!(ran.out, @r"
    r3 of 123-building-name
    ");
}

#[tokio::test]
async fn a_wrong_id_among_several_starts_nothing() {
    let problem = ProblemDocument::not_found("there is no integration `oak`; see `epms status`");
    let answers = Answers::default()
        .json(
            "GET /v1/integrations/123-building-name",
            &super::super::examples::integration(BUILDING),
        )
        .problem("GET /v1/integrations/oak", &problem);
    let ran = epms("sync 123-building-name oak", answers).await;
    assert_eq!(ran.exit, Exit::Failed);
    assert_eq!(
        ran.err,
        "epms: not found: there is no integration `oak`; see `epms status`\n"
    );
}

#[tokio::test]
async fn a_daemon_that_stops_during_a_sync_is_told() {
    let answers = Answers::default()
        .json(ASK, &asked())
        .events("GET /v1/runs/r3/progress", &[ProgressEvent::Queued]);
    let ran = epms("sync 123-building-name", answers).await;
    assert_eq!(ran.exit, Exit::Failed);
    assert_eq!(
        ran.err,
        "epms: the daemon stopped telling about r3 before it ended; see `epms run r3`\n"
    );
}

#[tokio::test]
async fn the_runs_are_listed_with_what_became_of_them() {
    let running = Progress {
        pages: 2,
        records: 40,
        mapped: 38,
        planning: false,
    };
    let mut now = ended(report(5, BUILDING, Outcome::Running));
    now.progress = Some(running);
    if let Some(run) = &mut now.report {
        run.ended = None;
    }
    let page = Page {
        items: vec![
            queued(6, "oak-street"),
            now,
            ended(report(3, BUILDING, Outcome::Committed)),
        ],
        next: Some("r3".into()),
    };
    let answers = Answers::default().json("GET /v1/runs?limit=3", &page);
    let ran = epms("runs --limit 3", answers).await;
    assert_snapshot!(ran.out, @r"
    RUN  INTEGRATION        STARTED  TOOK  OUTCOME    RESULT
    ────────────────────────────────────────────────────────────────────────────────
    r6   oak-street         –           –  queued     waits for its turn
    r5   123-building-name  4m ago      –  running    reading: 2 pages, 40 records,
                                                      38 residents mapped
    r3   123-building-name  4m ago    12s  committed  55 seen: 3 created, 1 updated,
                                                      8 unchanged, 1 flagged, 42
                                                      excluded

    there are more; `--limit 30` shows more of them
    ");
}

#[tokio::test]
async fn pages_are_read_until_there_are_as_many_as_asked_for() {
    let page = |run, next: Option<&str>| Page {
        items: vec![queued(run, BUILDING)],
        next: next.map(str::to_owned),
    };
    let answers = Answers::default()
        .json(
            "GET /v1/runs?limit=2&integration=123-building-name",
            &page(6, Some("a/b")),
        )
        .json(
            "GET /v1/runs?limit=1&cursor=a%2Fb&integration=123-building-name",
            &page(5, None),
        );
    let ran = epms(
        "--json runs --limit 2 --integration 123-building-name",
        answers,
    )
    .await;
    let printed: Page<crate::control::protocol::RunState> = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(printed.items, [queued(6, BUILDING), queued(5, BUILDING)]);
}

#[tokio::test]
async fn a_run_shows_its_counts_and_every_decision_but_unchanged() {
    let answers = Answers::default().json("GET /v1/runs/r3", &run_detail());
    let ran = epms("run r3", answers.clone()).await;
    assert_eq!(ran.exit, Exit::Done);
    assert_snapshot!(ran.out, @r"
    run r3 of 123-building-name: committed

    cause       manual
    generation  4
    started     4m ago (2026-03-01 11:55:30)
    took        12s
    read        55 records on 3 pages
    written     4 changes
    excluded    Canceled 2, Past 40
    notes       phone dropped 4

    RESIDENTS  COUNT
    ────────────────
    seen          55
    created        3
    updated        1
    unchanged      8
    flagged        1
    excluded      42

    RESIDENT  DECISION    RULE  PERSON  REASON
    ────────────────────────────────────────────────────────────────────────────────
    t0001     created     R17   p17     nobody had this email
    t0003     flagged     R14   p4      the email is that of p4, but the name is
                                        another
    t0004     excluded    R6            the status `Past` is on the exclude list
    record 5  not mapped                scripts/yardi.rhai:12:9: `2026-13-01` is no
                                        date of the form %Y-%m-%d
    ");
    let all = epms("run r3 --all", answers).await.out;
    assert_eq!(all.lines().count(), ran.out.lines().count() + 1);
}

#[tokio::test]
async fn a_reload_tells_what_became_of_each_integration_and_ends_with_2_when_one_was_refused() {
    let one = |id: &str, outcome, generation, problems| Reloaded {
        id: IntegrationId::new(id),
        outcome,
        generation,
        problems,
    };
    let found = vec![problem("unknown field; did you mean `script`?")];
    let mut reply = ReloadReply {
        integrations: vec![
            one(BUILDING, ReloadOutcome::Rejected, Some(4), found),
            one("elm-court", ReloadOutcome::Unchanged, Some(1), Vec::new()),
            one("oak-street", ReloadOutcome::Loaded, Some(2), Vec::new()),
            one("old-mill", ReloadOutcome::Removed, None, Vec::new()),
        ],
        targets: Vec::new(),
        problems: Vec::new(),
    };
    let ran = epms("reload", Answers::default().json("POST /v1/reload", &reply)).await;
    assert_eq!(ran.exit, Exit::Invalid);
    assert_snapshot!(ran.out, @r"
    123-building-name: refused; generation 4 still runs
      config/integrations/123-building-name.yaml:9:1: scrpt: unknown field; did you
      mean `script`?
    oak-street: loaded as generation 2
    old-mill: its file is gone; it rests, its people stay
    4 integrations: 1 loaded, 1 unchanged, 1 refused, 1 removed
    ");
    reply.integrations.remove(0);
    let ran = epms("reload", Answers::default().json("POST /v1/reload", &reply)).await;
    assert_eq!(ran.exit, Exit::Done);
}

#[tokio::test]
async fn a_reload_tells_what_became_of_each_target_and_ends_with_2_when_one_was_refused() {
    let one = |id: &str, outcome, generation, problems| ReloadedTarget {
        id: TargetId::new(id),
        outcome,
        generation,
        problems,
    };
    let found = vec![problem("unknown field; did you mean `script`?")];
    let mut reply = ReloadReply {
        integrations: Vec::new(),
        targets: vec![
            one("acme-door", ReloadOutcome::Rejected, None, found),
            one("bell-door", ReloadOutcome::Unchanged, Some(1), Vec::new()),
            one("cedar-door", ReloadOutcome::Loaded, Some(2), Vec::new()),
            one("old-door", ReloadOutcome::Removed, Some(7), Vec::new()),
        ],
        problems: Vec::new(),
    };
    let ran = epms("reload", Answers::default().json("POST /v1/reload", &reply)).await;
    assert_eq!(ran.exit, Exit::Invalid);
    assert_snapshot!(ran.out, @r"
    target acme-door: refused; it does not run
      config/integrations/123-building-name.yaml:9:1: scrpt: unknown field; did you
      mean `script`?
    target cedar-door: loaded as generation 2
    target old-door: its file is gone; nothing is sent there, what was granted stays
    0 integrations: 0 loaded, 0 unchanged, 0 refused, 0 removed
    4 targets: 1 loaded, 1 unchanged, 1 refused, 1 removed
    ");
    reply.targets.remove(0);
    let ran = epms("reload", Answers::default().json("POST /v1/reload", &reply)).await;
    assert_eq!(ran.exit, Exit::Done);
}
