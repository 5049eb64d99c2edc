//! Status, and what happens when the daemon is not there or says no.

use std::path::Path;

use insta::assert_snapshot;

use super::super::examples::{BUILDING, integration, problem, queued, status};
use super::super::testing::{Answers, Server, epms, epms_at, view};
use super::super::{Exit, Screen, run_line};
use crate::config::Environment;
use crate::control::client::{Client, Which};
use crate::control::protocol::{IntegrationState, ProblemDocument, SyncReply};
use crate::model::IntegrationId;

#[tokio::test]
async fn the_status_shows_integrations_and_below_them_what_is_wrong() {
    let mut rejected = integration(BUILDING);
    rejected.problems = vec![problem("unknown field; did you mean `script`?")];
    let mut failing = integration("oak-street-apartments-and-townhouses-north");
    failing.last_error = Some("the PMS refuses the login; check the password of `acme`".into());
    failing.last_success = Some(super::super::testing::at("2026-02-27T12:00:00Z"));
    failing.open_alerts = 0;
    let mut broken = integration("old-mill");
    broken.state = IntegrationState::Broken;
    (broken.generation, broken.loaded) = (None, None);
    (broken.last_started, broken.last_success, broken.next) = (None, None, None);
    (broken.linked, broken.open_alerts) = (0, 0);
    broken.problems = vec![problem("unknown field")];
    let mut status = status(vec![rejected, failing, broken]);
    status.problems = vec![problem("is not read; rename it to end in .yaml")];
    let ran = epms("status", Answers::default().json("GET /v1/status", &status)).await;
    assert_eq!(ran.exit, Exit::Done);
    assert_snapshot!(ran.out, @r"
    epms 0.1.0, up 3h: 1204 people, 2 open alerts

    INTEGRATION                                 STATE   GEN  LAST SUCCESS  NEXT    LINKED  ALERTS
    ─────────────────────────────────────────────────────────────────────────────────────────────
    123-building-name                           idle      4  4m ago        in 51m     312       2
    oak-street-apartments-and-townhouses-north  idle      4  2d ago        in 51m     312       0
    old-mill                                    broken    –  –             –            0       0

    oak-street-apartments-and-townhouses-north: the last run 4m ago did not succeed
      the PMS refuses the login; check the password of `acme`

    123-building-name: the files on disk were refused; generation 4, loaded 2h ago,
    still runs
      config/integrations/123-building-name.yaml:9:1: scrpt: unknown field; did you
      mean `script`?

    old-mill: its files were never right, so it does not run
      config/integrations/123-building-name.yaml:9:1: scrpt: unknown field

    files that belong to no single integration:
      config/integrations/123-building-name.yaml:9:1: scrpt: is not read; rename it
      to end in .yaml
    ");
}

#[tokio::test]
async fn one_integration_has_a_status_of_its_own() {
    let answers = Answers::default().json(
        "GET /v1/integrations/123-building-name",
        &integration(BUILDING),
    );
    let ran = epms("status 123-building-name", answers).await;
    assert_snapshot!(ran.out, @r"
    INTEGRATION        STATE  GEN  LAST SUCCESS  NEXT    LINKED  ALERTS
    ───────────────────────────────────────────────────────────────────
    123-building-name  idle     4  4m ago        in 51m     312       2
    generation 4 runs, loaded 2h ago; the files on disk are the same
    ");
}

#[tokio::test]
async fn without_a_daemon_every_verb_that_asks_one_ends_with_3() {
    for verb in [
        "status",
        "runs",
        "run r3",
        "people list",
        "alerts show a5",
        "reload",
        "sync --all",
    ] {
        let ran = epms_at(verb, Path::new("/nowhere/epms.sock"), view()).await;
        assert_eq!(ran.exit, Exit::OutOfReach, "{verb}");
        assert_eq!(
            ran.err,
            "epms: no daemon answers on /nowhere/epms.sock; start it with `epms run`\n"
        );
    }
}

#[tokio::test]
async fn a_socket_that_a_daemon_left_behind_is_no_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("epms.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert_eq!(
        epms_at("status", &socket, view()).await.exit,
        Exit::OutOfReach
    );
}

#[tokio::test]
async fn without_a_daemon_the_fault_of_the_file_that_names_the_socket_is_told_too() {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut screen = Screen {
        out: &mut out,
        err: &mut err,
        view: view(),
        progress: false,
    };
    let line = ["epms", "--home", "/nowhere", "status"].map(Into::into);
    let exit = run_line(line, &Environment::default(), &mut screen).await;
    assert_eq!(exit, Exit::OutOfReach);
    assert_snapshot!(String::from_utf8(err).unwrap(), @r"
    epms: no daemon answers on /nowhere/state/epms.sock; start it with `epms run`
      /nowhere/config/epms.yaml: there is no such file; create it, or name the home with --home
    ");
}

#[tokio::test]
async fn a_problem_document_is_told_and_ends_with_1() {
    let problem = ProblemDocument::not_found("there is no run r9; `epms runs` lists them");
    let ran = epms(
        "run r9",
        Answers::default().problem("GET /v1/runs/r9", &problem),
    )
    .await;
    assert_eq!(ran.exit, Exit::Failed);
    assert_eq!(
        ran.err,
        "epms: not found: there is no run r9; `epms runs` lists them\n"
    );
}

#[tokio::test]
async fn what_the_caller_may_not_do_ends_with_5() {
    let problem = ProblemDocument {
        kind: "urn:epms:denied".into(),
        title: "denied".into(),
        status: 403,
        detail: "user 1000 may only observe".into(),
    };
    let ran = epms(
        "reload",
        Answers::default().problem("POST /v1/reload", &problem),
    )
    .await;
    assert_eq!(ran.exit, Exit::Denied);
    assert_eq!(ran.err, "epms: denied: user 1000 may only observe\n");
}

#[tokio::test]
async fn a_daemon_that_stops_is_out_of_reach() {
    let problem = ProblemDocument::stopping();
    let ran = epms(
        "reload",
        Answers::default().problem("POST /v1/reload", &problem),
    )
    .await;
    assert_eq!(ran.exit, Exit::OutOfReach);
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_told_without_its_content() {
    let body = r#"{"person": {"email": "ada@example.com"}}"#.to_owned();
    let answers = Answers::default().text("GET /v1/people/p17", 200, "application/json", body);
    let ran = epms("people show p17", answers).await;
    assert_eq!(ran.exit, Exit::Failed);
    assert!(ran.err.contains("cannot be read at line 1"), "{}", ran.err);
    assert!(!ran.err.contains("ada"), "{}", ran.err);
}

#[tokio::test]
async fn a_wrong_command_line_ends_with_2_and_help_with_0() {
    let ran = epms("stauts", Answers::default()).await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Invalid, ""));
    assert!(ran.err.contains("'status'"), "{}", ran.err);
    assert_eq!(epms("--help", Answers::default()).await.exit, Exit::Done);
    assert_eq!(
        epms("--version", Answers::default()).await.out,
        "epms 0.1.0\n"
    );
}

#[tokio::test]
async fn completions_are_written_to_the_output() {
    let ran = epms("completions bash", Answers::default()).await;
    assert_eq!(ran.exit, Exit::Done);
    assert!(ran.out.contains("_clap_complete_epms"), "{}", ran.out);
}

#[tokio::test]
async fn a_reader_that_has_enough_is_no_failure() {
    struct Closed;
    impl std::io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let server = Server::start(Answers::default().json("GET /v1/status", &status(Vec::new())));
    let mut err = Vec::new();
    for line in ["status", "status --json", "--help"] {
        let mut screen = Screen {
            out: &mut Closed,
            err: &mut err,
            view: view(),
            progress: false,
        };
        let socket = server.socket();
        let words = ["epms", "--socket", socket.to_str().unwrap()].into_iter();
        let words = words.chain(line.split(' ')).map(Into::into);
        assert_eq!(
            run_line(words, &Environment::default(), &mut screen).await,
            Exit::Done
        );
    }
    assert!(err.is_empty());
}

#[tokio::test]
async fn the_client_asks_more_than_the_verbs_do() {
    let server =
        Server::start(Answers::default().text("GET /healthz", 200, "text/plain", "ok".into()));
    let client = Client::new(&server.socket()).unwrap();
    assert_eq!(client.healthz().await, Ok(()));
    let asked = SyncReply {
        runs: vec![queued(3, BUILDING)],
    };
    let path = "POST /v1/integrations/123-building-name/sync?wait=true";
    let waiting = Server::start(Answers::default().json(path, &asked));
    let client = Client::new(&waiting.socket()).unwrap();
    let these = [IntegrationId::new(BUILDING)];
    assert_eq!(client.sync(Which::These(&these), true).await, Ok(asked));
    let all = Server::start(
        Answers::default().json("GET /v1/integrations", &vec![integration(BUILDING)]),
    );
    let client = Client::new(&all.socket()).unwrap();
    assert_eq!(client.integrations().await, Ok(vec![integration(BUILDING)]));
}
