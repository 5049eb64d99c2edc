//! Signals to a daemon: what ends it ends it in order, what means nothing does nothing, and one that is stopped is told by
//! every command within a time limit.

use crate::support::{Daemon, Home, Terminal, pms, shut, told};
use epms::model::Outcome;
use epms::sandbox::Kind;
use nix::sys::signal::Signal;

/// D9.
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_that_means_nothing_ends_neither_the_daemon_nor_its_run() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let mut daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let gate = shut(&pms);
    let run = daemon.begin("elm").await;
    for signal in [
        Signal::SIGUSR1,
        Signal::SIGUSR2,
        Signal::SIGALRM,
        Signal::SIGVTALRM,
        Signal::SIGPROF,
        Signal::SIGIO,
        Signal::SIGPWR,
        Signal::SIGXFSZ,
        Signal::SIGPIPE,
        Signal::SIGCHLD,
        Signal::SIGWINCH,
    ] {
        daemon.signal(signal);
        assert!(daemon.client.healthz().await.is_ok(), "{signal}");
    }
    assert!(daemon.runs_still());
    assert!(daemon.log().contains("SIGUSR1"), "{}", daemon.log());
    drop(gate);
    let report = daemon.client.follow(run, |_| {}).await.unwrap();
    assert_eq!(report.outcome, Outcome::Unchanged);
    assert_eq!(daemon.stop().await, Some(0));
}

/// D9: what would leave a core behind, or be cut off, ends like everything else.
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_that_asks_for_an_end_lets_the_run_under_way_come_to_its_own() {
    for signal in [Signal::SIGQUIT, Signal::SIGXCPU, Signal::SIGINT] {
        let pms = pms(Kind::AppFolio, 1, 30).await;
        let home = Home::new();
        home.feed("elm", &pms);
        let mut daemon = Daemon::start(&home).await;
        daemon.settle().await;
        let gate = shut(&pms);
        let run = daemon.begin("elm").await;
        daemon.signal(signal);
        drop(gate);
        assert_eq!(daemon.ended().await, Some(0), "{signal}");
        assert!(!home.socket().exists());
        let daemon = Daemon::start(&home).await;
        let report = daemon.client.run(run).await.unwrap().state.report.unwrap();
        assert_eq!(report.outcome, Outcome::Unchanged, "{signal}");
    }
}

/// D9.
#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_stopped_is_told_within_a_time_limit_and_whoever_waits_hears_of_it() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    daemon.signal(Signal::SIGSTOP);
    let mut terminal = Terminal::run(100, home.root(), &["status"]);
    let (status, preview, verify) = tokio::join!(
        home.epms(&["status"]),
        home.epms(&["preview", "elm"]),
        home.epms(&["verify"]),
    );
    for output in [status, preview, verify] {
        assert_eq!(output.status.code(), Some(3), "{}", told(&output));
        let said = told(&output);
        assert!(
            said.contains("takes too long to answer: nothing came within 10 s"),
            "{said}"
        );
        // Programs are told once.
        assert!(!said.contains("waiting for"), "{said}");
    }
    terminal.shows("waiting for the daemon on ");
    terminal.shows("takes too long to answer");
    assert_eq!(terminal.ends(), Some(3));
    daemon.signal(Signal::SIGCONT);
    assert!(daemon.sync("elm").await.outcome.is_success());
}
