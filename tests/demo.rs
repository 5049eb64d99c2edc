//! The demo as a process: what a newcomer sees first, and that it leaves nothing behind.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use epms::control::client::{Client, Which};
use epms::model::{IntegrationId, Outcome};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::{eventually, found, output, told};

fn demo(temporary: &Path, words: &[&str]) -> Command {
    let mut command = support::epms();
    command.env("TMPDIR", temporary).arg("demo").args(words);
    command
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[tokio::test]
async fn a_demo_of_one_sync_shows_people_alerts_and_runs_and_leaves_nothing_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let ended = output(demo(temporary.path(), &["--once"])).await;
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    let text = String::from_utf8(ended.stdout).unwrap();
    for shown in [
        "$ epms people list",
        "$ epms alerts list",
        "$ epms runs",
        "elm-court",
        "harbor-view",
        "committed",
        "@example.",
        "name_mismatch",
        "duplicate_emails",
    ] {
        assert!(text.contains(shown), "{shown}:\n{text}");
    }
    assert!(is_empty(temporary.path()));
}

/// A demo that stays; it is killed when dropped.
struct Stays {
    child: Child,
    told: PathBuf,
}

impl Stays {
    fn start(mut command: Command, told: &Path) -> Stays {
        command.stdout(File::create(told).unwrap());
        command.stderr(File::create(told.with_extension("err")).unwrap());
        Stays {
            child: command.spawn().unwrap(),
            told: told.to_owned(),
        }
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.told).unwrap()
    }

    async fn end(&mut self, signal: Signal) -> Option<i32> {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
        found("the demo ends", async || self.child.try_wait().unwrap())
            .await
            .code()
    }
}

impl Drop for Stays {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_demo_that_stays_answers_over_its_socket_until_it_is_told_to_end() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let (temporary, beside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let command = demo(temporary.path(), &["--residents", "24", "--seed", "7"]);
        let mut demo = Stays::start(command, &beside.path().join("out"));
        let socket = found("the demo has begun to stay", async || {
            let text = demo.text();
            let socket = text.lines().find_map(|line| line.strip_prefix("socket "))?;
            let socket = PathBuf::from(socket.trim());
            text.contains("Ctrl-C ends the demo").then_some(socket)
        })
        .await;
        let client = Client::new(&socket).unwrap();
        let ids = [IntegrationId::new("elm-court")];
        let reply = client.sync(Which::These(&ids), true).await.unwrap();
        let report = reply.runs[0].report.as_ref().unwrap();
        assert_eq!(report.outcome, Outcome::Unchanged, "{report:?}");
        assert_eq!(demo.end(signal).await, Some(0));
        assert!(is_empty(temporary.path()));
    }
}

#[tokio::test]
async fn a_demo_that_is_told_to_end_before_it_stays_leaves_nothing_behind() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let (temporary, beside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let command = demo(temporary.path(), &["--residents", "3000"]);
        let mut demo = Stays::start(command, &beside.path().join("out"));
        eventually("the first sync is under way", async || {
            demo.text().contains("socket ")
        })
        .await;
        assert_eq!(demo.end(signal).await, Some(0));
        assert!(is_empty(temporary.path()));
    }
}

#[tokio::test]
async fn a_demo_in_a_folder_of_its_own_stays_there_and_takes_no_other() {
    let (temporary, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let home = folder.path().join("home");
    let words = [
        "--once",
        "--residents",
        "24",
        "--dir",
        home.to_str().unwrap(),
    ];
    let ended = output(demo(temporary.path(), &words)).await;
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert!(is_empty(temporary.path()));
    assert!(home.join("state/epms.redb").exists() && !home.join("state/epms.sock").exists());
    for words in [&["check"][..], &["test"]] {
        let mut command = support::epms();
        command
            .args(["--home".as_ref(), home.as_os_str()])
            .args(words);
        let ended = output(command).await;
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    }
    let again = output(demo(temporary.path(), &words)).await;
    assert_eq!(again.status.code(), Some(2), "{again:?}");
    assert!(told(&again).contains("is not empty"), "{again:?}");
}
