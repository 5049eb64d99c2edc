//! Bad surroundings: another daemon, files that are not there, PMSs that fail in every way. Nobody is lost,
//! and what is said says what to do.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use crate::support::{Daemon, Home, SmallProxy, eventually, output, pms, pms_of_pages, said, told};
use epms::model::{Outcome, Run};
use epms::sandbox::{Fault, FaultKind, Kind};

/// The reason why a run wrote nothing.
fn reason(report: &Run) -> &str {
    report
        .outcome
        .reason()
        .unwrap_or_else(|| panic!("{report:?}"))
}

#[tokio::test]
async fn a_second_daemon_on_the_same_state_is_refused_and_the_first_goes_on() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let second = home.epms(&["run"]).await;
    assert_eq!(second.status.code(), Some(3), "{second:?}");
    let first = format!("runs here already, as process {}", daemon.pid());
    assert!(told(&second).contains(&first), "{second:?}");
    let other = home.beside().join("other.sock");
    let third = home
        .epms(&["run", "--socket", other.to_str().unwrap()])
        .await;
    assert_eq!(third.status.code(), Some(3), "{third:?}");
    assert!(!other.exists());
    assert_eq!(daemon.sync("elm").await.outcome, Outcome::Unchanged);
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn a_socket_that_was_left_behind_is_replaced_and_something_else_is_not() {
    let home = Home::new();
    std::fs::create_dir(home.path("state")).unwrap();
    drop(UnixListener::bind(home.socket()).unwrap());
    assert!(home.socket().exists());
    let daemon = Daemon::start(&home).await;
    assert_eq!(daemon.stop().await, Some(0));
    assert!(!home.socket().exists());

    std::fs::write(home.socket(), "precious").unwrap();
    let refused = home.epms(&["run"]).await;
    assert_eq!(refused.status.code(), Some(3));
    assert!(told(&refused).contains("move it away"), "{refused:?}");
    assert_eq!(home.read("state/epms.sock"), "precious");
}

/// C7: a small image has no package `ca-certificates`.
#[tokio::test]
async fn a_machine_without_root_certificates_starts_syncs_and_shows_the_demo() {
    let bare = |words: &[&std::ffi::OsStr]| {
        let mut command = crate::support::epms();
        command
            .args(words)
            .env("SSL_CERT_FILE", "/epms/no/such/file")
            .env("SSL_CERT_DIR", "/epms/no/such/folder");
        command
    };
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let command = bare(&["--home".as_ref(), home.root().as_os_str(), "run".as_ref()]);
    let daemon = Daemon::spawn(command, &home.socket(), home.beside()).await;
    daemon.settle().await;
    assert!(daemon.sync("elm").await.outcome.is_success());
    let log = daemon.log();
    let times = log.matches("this machine has no root certificates").count();
    assert_eq!(times, 1, "{log}");
    assert_eq!(daemon.stop().await, Some(0));
    let doctor = [
        "--home".as_ref(),
        home.root().as_os_str(),
        "doctor".as_ref(),
    ];
    let doctor = output(bare(&doctor)).await;
    assert_eq!(doctor.status.code(), Some(0), "warnings do not count");
    let doctor = told(&doctor);
    assert!(
        doctor.contains("install them, such as by the package ca-certificates"),
        "{doctor}"
    );
    let demo = ["demo", "--once", "--residents", "24"].map(std::ffi::OsStr::new);
    let demo = output(bare(&demo)).await;
    assert_eq!(demo.status.code(), Some(0), "{demo:?}");
}

/// B6: whoever logs in may have them, and so may a unit.
#[tokio::test]
async fn proxies_of_the_environment_get_nothing_of_what_is_asked() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let beside = |words: &[&OsStr]| {
        let mut command = crate::support::epms();
        command
            .args(words)
            .env_remove("NO_PROXY")
            .env_remove("no_proxy");
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env(name, &url).env(name.to_ascii_lowercase(), &url);
        }
        command
    };
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let at = [OsStr::new("--home"), home.root().as_os_str()];
    let command = beside(&[at[0], at[1], OsStr::new("run")]);
    let daemon = Daemon::spawn(command, &home.socket(), home.beside()).await;
    daemon.settle().await;
    assert!(daemon.sync("elm").await.outcome.is_success());
    let names = "HTTP_PROXY, http_proxy, HTTPS_PROXY, https_proxy, ALL_PROXY, all_proxy";
    let log = daemon.log();
    let times = log
        .matches("proxies of the environment are ignored")
        .count();
    assert_eq!(times, 1, "{log}");
    assert!(log.contains(names), "{log}");
    assert_eq!(daemon.stop().await, Some(0));
    let doctor = output(beside(&[at[0], at[1], OsStr::new("doctor")])).await;
    assert_eq!(doctor.status.code(), Some(0), "{doctor:?}");
    let doctor = told(&doctor);
    assert!(doctor.contains("are set, and ignored"), "{doctor}");
    assert!(doctor.contains("which stays on this machine"), "{doctor}");
    let demo = ["demo", "--once", "--residents", "24"].map(OsStr::new);
    let demo = output(beside(&demo)).await;
    assert_eq!(demo.status.code(), Some(0), "{demo:?}");
    assert!(proxy.accept().is_err(), "the proxy was asked");
}

/// B6. The PMS is its own proxy here: it answers whatever host it is asked for.
#[tokio::test]
async fn the_proxy_of_the_settings_is_used_and_told_by_doctor() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let url = reqwest::Url::parse(&pms.url()).unwrap();
    let host = format!("127.0.0.1:{}", url.port().unwrap());
    let (account, connector) = (
        "config/credentials/elm-account.yaml",
        "config/connectors/appfolio.yaml",
    );
    home.edit(account, &format!("http://{host}"), "http://pms.test");
    home.edit(connector, "version: 1\n", "version: 1\nplain_http: true\n");
    home.set(&format!("proxy: http://{host}"));
    let doctor = home.epms(&["doctor", "elm"]).await;
    let doctor = told(&doctor);
    for line in [
        format!("looked up the proxy {host}: it is an address"),
        format!("connected to pms.test through the proxy {host}: by plain http, as"),
    ] {
        assert!(doctor.contains(&line), "{doctor}");
    }
    assert!(!doctor.contains("stays on this machine"), "{doctor}");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    assert!(daemon.sync("elm").await.outcome.is_success());

    // It takes effect with a reload.
    home.set("proxy: http://127.0.0.1:1");
    daemon.reloaded("elm", 1).await;
    let doctor = home.epms(&["doctor", "elm"]).await;
    assert_eq!(doctor.status.code(), Some(3), "{doctor:?}");
    let doctor = told(&doctor);
    let line = "the proxy 127.0.0.1:1 does not lead there: ";
    assert!(doctor.contains(line), "{doctor}");
    assert!(
        doctor.contains("check `proxy` of the connector"),
        "{doctor}"
    );
    assert_eq!(daemon.stop().await, Some(0));
}

/// What it is shown stands in a file, is read anew for each run, and is told nowhere.
#[tokio::test]
async fn a_proxy_that_wants_a_password_is_shown_the_one_that_the_settings_name() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let port = reqwest::Url::parse(&pms.url()).unwrap().port().unwrap();
    let proxy = SmallProxy::start(port, Some("svc:pr0xy-secret")).await;
    let at = &proxy.address;
    let account = "config/credentials/elm-account.yaml";
    home.edit(
        account,
        &format!("http://127.0.0.1:{port}"),
        "http://pms.test",
    );
    let connector = "config/connectors/appfolio.yaml";
    home.edit(connector, "version: 1\n", "version: 1\nplain_http: true\n");
    home.set(&format!(
        "proxy: {{ url: \"http://{at}\", username: svc, password: {{ file: secrets/proxy }} }}"
    ));
    said(&home.epms(&["check"]).await, 0);
    let doctor = said(&home.epms(&["doctor", "elm"]).await, 1);
    let line = "read the password of the proxy from file secrets/proxy";
    assert!(doctor.contains(line), "{doctor}");
    home.write("secrets/proxy", "an0ther-secret");
    let doctor = said(&home.epms(&["doctor", "elm"]).await, 3);
    let refused = format!("the proxy {at} does not let `svc` in");
    assert!(doctor.contains(&refused), "{doctor}");

    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let report = daemon.sync("elm").await;
    let reason = report.outcome.reason().unwrap();
    assert!(reason.contains(&refused), "{reason}");
    // A failing source is tried again at once where what it shows is another (R28).
    home.write("secrets/proxy", "pr0xy-secret\n");
    assert!(daemon.sync("elm").await.outcome.is_success());
    let doctor = said(&home.epms(&["doctor", "elm"]).await, 0);
    let probed = said(&home.epms(&["probe", "elm"]).await, 0);
    let proof = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        "svc:pr0xy-secret",
    );
    for told in [doctor, probed, daemon.log()] {
        for secret in ["pr0xy-secret", "an0ther-secret", &proof] {
            assert!(!told.contains(secret), "{told}");
        }
    }
    assert_eq!(daemon.stop().await, Some(0));
}

/// C4: what cleans up temporary folders does not ask.
#[tokio::test]
async fn a_socket_that_is_removed_under_a_daemon_is_made_again_and_told() {
    let home = Home::new();
    home.set("socket: { mode: \"0620\" }");
    let daemon = Daemon::start(&home).await;
    std::fs::remove_file(home.socket()).unwrap();
    assert_eq!(home.epms(&["status"]).await.status.code(), Some(3));
    eventually("it answers again", async || {
        daemon.client.healthz().await.is_ok()
    })
    .await;
    let mode = std::fs::metadata(home.socket()).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o620);
    let log = daemon.log();
    assert_eq!(
        log.matches("the socket was gone, and is made again")
            .count(),
        1,
        "{log}"
    );
    assert_eq!(daemon.stop().await, Some(0));
    assert!(!home.socket().exists());
}

/// C4.
#[tokio::test]
async fn a_state_folder_that_others_may_write_or_read_is_closed_and_told() {
    for (open, closed) in [(0o777, 0o700), (0o755, 0o711)] {
        let home = Home::new();
        std::fs::create_dir(home.path("state")).unwrap();
        std::fs::set_permissions(home.path("state"), PermissionsExt::from_mode(open)).unwrap();
        let daemon = Daemon::start(&home).await;
        let mode = std::fs::metadata(home.path("state")).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, closed);
        let told = format!("(mode {open:04o}); its mode is {closed:04o} now");
        assert!(daemon.log().contains(&told), "{}", daemon.log());
        assert_eq!(daemon.stop().await, Some(0));
        // Once.
        let daemon = Daemon::start(&home).await;
        assert_eq!(daemon.log().matches(&told).count(), 1, "{}", daemon.log());
    }
}

#[tokio::test]
async fn without_a_configuration_nothing_starts_and_a_remedy_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for words in [&["run"][..], &["check"]] {
        let mut command = crate::support::epms();
        command.args(["--home".as_ref(), folder.path().as_os_str()]);
        command.args(words);
        let ended = output(command).await;
        assert_eq!(ended.status.code(), Some(2), "{words:?} {ended:?}");
        let text = told(&ended);
        assert!(
            text.contains("config/epms.yaml") && text.contains("--home"),
            "{text}"
        );
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let mut command = crate::support::epms();
    command.arg("run").current_dir(folder.path());
    assert_eq!(output(command).await.status.code(), Some(2));
}

#[tokio::test]
async fn a_daemon_that_is_not_there_is_told_with_a_remedy() {
    let home = Home::new();
    for words in [
        &["status"][..],
        &["sync", "--all"],
        &["reload"],
        &["people", "list"],
    ] {
        let ended = home.epms(words).await;
        assert_eq!(ended.status.code(), Some(3), "{words:?} {ended:?}");
        assert!(told(&ended).contains("epms run"), "{ended:?}");
    }
}

#[tokio::test]
async fn settings_that_are_not_right_stop_the_start_with_file_line_and_column() {
    let home = Home::new();
    home.edit("config/epms.yaml", "workers: 2", "wrokers: 2");
    let ended = home.epms(&["run"]).await;
    assert_eq!(ended.status.code(), Some(2));
    let text = told(&ended);
    assert!(text.contains("config/epms.yaml:10:1: wrokers"), "{text}");
    assert!(text.contains("did you mean `workers`?"), "{text}");
    assert!(!home.path("state").exists());
}

#[tokio::test]
async fn a_store_that_cannot_be_read_is_neither_opened_nor_replaced() {
    let home = Home::new();
    std::fs::create_dir(home.path("state")).unwrap();
    std::fs::set_permissions(home.path("state"), PermissionsExt::from_mode(0o700)).unwrap();
    home.write("state/epms.redb", "no store at all");
    let ended = home.epms(&["run"]).await;
    assert_eq!(ended.status.code(), Some(1));
    assert!(told(&ended).contains("restore a backup"), "{ended:?}");
    assert_eq!(home.read("state/epms.redb"), "no store at all");
}

#[tokio::test]
async fn a_broken_integration_does_not_stop_the_start_of_the_others() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    home.write("config/integrations/oak.yaml", "version: 1\nproperty: {");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    assert_eq!(daemon.sync("elm").await.outcome, Outcome::Unchanged);
    let text = told(&home.epms(&["status"]).await);
    assert!(text.contains("config/integrations/oak.yaml:2:"), "{text}");
    let problem = daemon.post("/v1/integrations/oak/sync").await.problem();
    assert_eq!(problem.status, 409);
    assert!(problem.detail.contains("epms check"), "{problem}");
}

#[tokio::test]
async fn a_wrong_password_fails_the_run_and_names_the_credential_and_no_secret() {
    for (kind, field) in [(Kind::AppFolio, "client_secret"), (Kind::Yardi, "password")] {
        let pms = pms(kind, 1, 30).await;
        let home = Home::new();
        home.feed("elm", &pms);
        let secret = format!("secrets/elm-account-{field}");
        let wrong = "wr0ng-pa55word-canary";
        home.write(&secret, wrong);
        let daemon = Daemon::start(&home).await;
        daemon.settle().await;
        let asked = pms.requests().len();
        let report = daemon.sync("elm").await;
        assert!(
            matches!(report.outcome, Outcome::Failed { .. }),
            "{report:?}"
        );
        assert!(reason(&report).contains("`elm-account`"), "{report:?}");
        assert!(reason(&report).contains("check "), "{report:?}");
        assert_eq!(asked, 1, "a wrong login is tried once");
        assert_eq!(pms.requests().len(), asked, "and not again at once");
        assert!(daemon.people().await.is_empty());
        let status = daemon.integration("elm").await;
        assert_eq!(status.last_error.as_deref(), Some(reason(&report)));
        let shown = home.epms(&["sync", "elm"]).await;
        assert_eq!(shown.status.code(), Some(1));
        for text in [
            daemon.log(),
            told(&shown),
            told(&home.epms(&["status", "--json"]).await),
            told(&home.epms(&["runs", "--json"]).await),
        ] {
            assert!(text.contains("elm-account"), "{text}");
            assert!(!text.contains(wrong), "{text}");
        }
        home.write(&secret, &pms.credential()[field]);
        assert_eq!(daemon.sync("elm").await.outcome, Outcome::Committed);
        assert_eq!(daemon.integration("elm").await.last_error, None);
    }
}

#[tokio::test]
async fn a_secret_that_is_not_there_fails_the_run_and_names_the_file() {
    let pms = pms(Kind::Yardi, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    home.remove("secrets/elm-account-password");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let report = daemon.sync("elm").await;
    let reason = reason(&report);
    assert!(
        reason.contains("`elm-account`") && reason.contains("secrets/elm-account-password"),
        "{reason}"
    );
    assert!(pms.requests().is_empty());
}

#[tokio::test]
async fn a_pms_that_is_down_costs_nobody_and_the_next_run_catches_up() {
    let pms = pms(Kind::AppFolio, 1, 40).await;
    let home = Home::new();
    home.feed("elm", &pms);
    // Nobody listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = free.local_addr().unwrap();
    drop(free);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let people = daemon.people().await;
    let account = "config/credentials/elm-account.yaml";
    let right = home.edit(account, &pms.url(), &format!("http://{nowhere}"));
    let second = daemon.reloaded("elm", 1).await;
    let report = daemon.sync("elm").await;
    assert!(
        matches!(report.outcome, Outcome::Incomplete { .. }),
        "{report:?}"
    );
    assert!(reason(&report).contains("cannot connect to"), "{report:?}");
    assert_eq!(daemon.people().await, people);
    home.write(account, right);
    daemon.reloaded("elm", second).await;
    assert_eq!(daemon.sync("elm").await.outcome, Outcome::Unchanged);
}

/// Under each fault the run is incomplete, nobody is lost, and the reason holds `says` and what to do.
async fn nobody_is_lost(kind: Kind, faults: &[(Fault, &str)]) {
    let pms = pms_of_pages(kind, 1, 60, 20).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let (people, changes) = (daemon.people().await, daemon.changes().await);
    assert!(people.len() > 20);
    for (fault, says) in faults {
        pms.fault(fault.clone());
        let report = daemon.sync("elm").await;
        let context = format!("{kind} {fault:?}: {report:?}");
        let stopped = matches!(
            report.outcome,
            Outcome::Incomplete { .. } | Outcome::Held { .. }
        );
        assert!(stopped, "{context}");
        let reason = reason(&report);
        assert!(reason.contains(says), "{says}: {context}");
        assert!(
            [
                "the next run tries again",
                "check ",
                "say so with a rule",
                "say by its `missing`"
            ]
            .iter()
            .any(|remedy| reason.contains(remedy)),
            "{context}"
        );
        assert_eq!(daemon.people().await, people, "{context}");
        assert_eq!(daemon.changes().await, changes, "{context}");
        assert_eq!(
            daemon.integration("elm").await.last_error.as_deref(),
            Some(reason)
        );
        pms.clear_faults();
        // An alert that closes itself is a change, too.
        let next = daemon.sync("elm").await.outcome;
        assert!(next.is_success(), "{context}: {next:?}");
        assert_eq!(daemon.people().await, people, "{context}");
        assert_eq!(daemon.changes().await, changes, "{context}");
    }
}

#[tokio::test]
async fn nobody_is_lost_by_faults_of_an_api_of_json_pages() {
    let hits = |kind: FaultKind| Fault::new(kind);
    // Page one is right; what comes after it is not.
    let later = |kind: FaultKind| Fault::new(kind).after(1);
    nobody_is_lost(
        Kind::AppFolio,
        &[
            (
                hits(FaultKind::TooMany {
                    retry_after: Some(1),
                }),
                "too many requests",
            ),
            (
                hits(FaultKind::TooMany {
                    retry_after: Some(3600),
                }),
                "too many requests",
            ),
            (
                later(FaultKind::TooMany { retry_after: None }),
                "too many requests",
            ),
            (hits(FaultKind::Truncated), "JSON"),
            (later(FaultKind::Truncated), "JSON"),
            (later(FaultKind::CutConnection), "broke off"),
            (hits(FaultKind::RepeatedPage), "the same as one before"),
            (hits(FaultKind::EndlessNext), "no end of them"),
            (hits(FaultKind::Empty), "the feed is empty"),
            (hits(FaultKind::Html), "JSON"),
            (later(FaultKind::ServerError), "status 500"),
            (hits(FaultKind::Unavailable), "status 503"),
            (later(FaultKind::Maintenance), "maintenance"),
            (hits(FaultKind::NoResult), "nothing at `data`"),
        ],
    )
    .await;
}

#[tokio::test]
async fn nobody_is_lost_by_faults_of_a_soap_service() {
    let hits = |kind: FaultKind| Fault::new(kind);
    nobody_is_lost(
        Kind::Yardi,
        &[
            (
                hits(FaultKind::TooMany {
                    retry_after: Some(1),
                }),
                "too many requests",
            ),
            (
                hits(FaultKind::TooMany { retry_after: None }),
                "too many requests",
            ),
            (hits(FaultKind::Truncated), "XML"),
            (hits(FaultKind::CutConnection), "broke off"),
            (hits(FaultKind::Empty), "the feed is empty"),
            (hits(FaultKind::Html), "maintenance"),
            (hits(FaultKind::ServerError), "status 500"),
            (hits(FaultKind::Unavailable), "status 503"),
            (hits(FaultKind::Maintenance), "maintenance"),
            (hits(FaultKind::NoResult), "status 200"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_pms_that_recovers_within_the_run_is_waited_for_as_long_as_it_says() {
    for kind in Kind::ALL {
        let pms = pms(kind, 1, 30).await;
        let home = Home::new();
        home.feed("elm", &pms);
        let daemon = Daemon::start(&home).await;
        daemon.settle().await;
        pms.forget_requests();
        daemon.sync("elm").await;
        let usual = pms.requests().len();
        pms.forget_requests();
        let busy = FaultKind::TooMany {
            retry_after: Some(1),
        };
        pms.fault(Fault::new(busy).times(1));
        let begun = std::time::Instant::now();
        assert_eq!(daemon.sync("elm").await.outcome, Outcome::Unchanged);
        assert!(begun.elapsed().as_millis() >= 1000, "it asked too early");
        assert_eq!(pms.requests().len(), usual + 1, "{kind}");
    }
}

#[tokio::test]
async fn an_incomplete_first_page_brings_nobody_in_on_the_first_run() {
    let pms = pms_of_pages(Kind::AppFolio, 1, 60, 20).await;
    let home = Home::new();
    home.feed("elm", &pms);
    pms.fault(Fault::new(FaultKind::Truncated).only("tenants").after(2));
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    assert!(daemon.people().await.is_empty());
    assert!(daemon.changes().await.is_empty());
    pms.clear_faults();
    assert!(daemon.sync("elm").await.counts.created > 20);
}
