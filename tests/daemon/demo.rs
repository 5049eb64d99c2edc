//! The demo as a process: what a newcomer sees first, and that it leaves nothing behind.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use crate::support::{Terminal, eventually, found, output, told};
use epms::control::client::{Client, Which};
use epms::control::protocol::Page;
use epms::model::{Alert, AlertKind, AlertState, IntegrationId, Outcome, Person};
use epms::sandbox::Kind;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn demo(temporary: &Path, words: &[&str]) -> Command {
    let mut command = crate::support::epms();
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
        "  bad_dates  ",
    ] {
        assert!(text.contains(shown), "{shown}:\n{text}");
    }
    assert!(is_empty(temporary.path()));
}

/// What is left on a screen: letters, without colours and moves of the cursor.
fn letters(shown: &str) -> String {
    let mut left = String::new();
    let mut rest = shown.chars();
    while let Some(one) = rest.next() {
        match one {
            '\u{1b}' => {
                // A sequence ends with its first letter.
                while rest.next().is_some_and(|one| !one.is_ascii_alphabetic()) {}
            }
            '\r' => {}
            _ => left.push(one),
        }
    }
    left
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_on_a_terminal_of_80_columns_shows_every_pms_and_breaks_no_line() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let words = ["demo", "--once", "--dir", home.to_str().unwrap()];
    let shown = letters(&Terminal::run(80, folder.path(), &words).all());
    for kind in Kind::ALL {
        assert!(
            shown.lines().any(|line| {
                let mut words = line.split_whitespace();
                words.next() == Some(&kind.to_string())
                    && words.next().is_some_and(|url| url.starts_with("http://"))
            }),
            "{kind}: {shown}"
        );
    }
    // What comes before is redrawn while the runs go on.
    let (_, after) = shown.split_once("RUN  ").expect("runs are listed");
    for line in after.lines() {
        let columns = line.chars().count();
        assert!(columns <= 80, "{columns}: {line}\n{shown}");
    }
    let (_, runs) = shown.split_once("$ epms runs").unwrap();
    for integration in [
        "elm-court",
        "harbor-view",
        "linden-lofts",
        "mill-yard",
        "orchard-row",
        "quay-house",
        "twin-towers",
        "vale-court",
    ] {
        let is_committed = runs
            .lines()
            .any(|line| line.contains(integration) && line.contains("committed"));
        assert!(is_committed, "{integration}: {shown}");
    }
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
        let mut command = crate::support::epms();
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

/// Somebody who works on the alerts of a demo.
struct Desk {
    home: PathBuf,
}

impl Desk {
    async fn says(&self, line: &str, code: i32) -> String {
        let mut command = crate::support::epms();
        command.env("EPMS_HOME", &self.home).args(line.split(' '));
        let ended = output(command).await;
        assert_eq!(ended.status.code(), Some(code), "{line}: {ended:?}");
        let says = String::from_utf8(ended.stdout.clone()).unwrap();
        if code == 0 { says } else { told(&ended) }
    }

    async fn json<T: serde::de::DeserializeOwned>(&self, line: &str) -> T {
        serde_json::from_str(&self.says(&format!("{line} --json"), 0).await).unwrap()
    }

    async fn open(&self, kind: AlertKind) -> Vec<Alert> {
        let line = format!("alerts list --kind {kind} --integration elm-court --json");
        let mut command = crate::support::epms();
        command.env("EPMS_HOME", &self.home).args(line.split(' '));
        // That there is none of the kind ends with 1.
        let ended = output(command).await;
        let page: Page<Alert> = serde_json::from_slice(&ended.stdout).unwrap();
        let code = i32::from(page.items.is_empty());
        assert_eq!(ended.status.code(), Some(code), "{line}: {ended:?}");
        page.items
    }

    /// Everybody but those whose making was undone.
    async fn people(&self) -> Vec<Person> {
        let page: Page<Person> = self.json("people list --limit 2000").await;
        let mut people = page.items;
        people.retain(|one| !one.withdrawn);
        people
    }

    /// What a terminal of 80 columns shows, which none of its lines exceeds.
    fn shows(&self, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        let shown = Terminal::run(80, &self.home, &words).all();
        for line in shown.lines() {
            let columns = line.trim_end_matches('\r').chars().count();
            assert!(columns <= 80, "{columns}: {line}\n{shown}");
        }
        shown
    }

    /// Goes every way that `alerts show` names, and back again.
    async fn every_way(&self, kind: AlertKind) -> Vec<String> {
        let id = self.open(kind).await[0].id;
        let before = self.people().await;
        let shown = self.shows(&format!("alerts show {id}"));
        assert!(shown.contains(&format!("{id} {kind} at elm-court: open")));
        assert!(
            shown.contains("\u{2260}"),
            "what differs is marked: {shown}"
        );
        let ways = shown.lines().filter_map(|line| {
            let line = line.trim().strip_prefix("epms ")?;
            Some(line.to_owned())
        });
        let ways: Vec<String> = ways.collect();
        for way in &ways {
            self.says(way, 0).await;
            self.says("sync elm-court", 0).await;
            let open = self.open(kind).await;
            assert!(open.iter().all(|one| one.id != id), "{way}: {open:?}");
            self.says(&format!("alerts undo {id}"), 0).await;
            self.says("sync elm-court", 0).await;
            let open = self.open(kind).await;
            assert!(open.iter().any(|one| one.id == id), "{way}: {open:?}");
            assert_eq!(self.people().await, before, "{way}");
        }
        let id = id.to_string();
        ways.iter().map(|way| way.replace(&id, "A")).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_four_documented_alerts_of_the_demo_are_walked_through_and_undone_in_a_terminal() {
    let (temporary, beside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let command = demo(temporary.path(), &["--residents", "120", "--seed", "1"]);
    let mut demo = Stays::start(command, &beside.path().join("out"));
    let home = found("the demo has begun to stay", async || {
        let text = demo.text();
        let home = text.lines().find_map(|line| line.strip_prefix("home "))?;
        let home = PathBuf::from(home.trim());
        text.contains("Ctrl-C ends the demo").then_some(home)
    })
    .await;
    let desk = Desk { home };
    // They stand first, in this order.
    let listed = desk.shows("alerts list --integration elm-court --limit 12");
    let mut at = 0;
    for kind in [
        AlertKind::DuplicateAccounts,
        AlertKind::DuplicateEmails,
        AlertKind::NameMismatch,
        AlertKind::EmailMismatch,
        AlertKind::MissingEmail,
    ] {
        let found = listed[at..].find(kind.as_str());
        at += found.unwrap_or_else(|| panic!("{kind}: {listed}"));
    }

    let ways = desk.every_way(AlertKind::NameMismatch).await;
    assert_eq!(ways, ["alerts resolve A merge", "alerts dismiss A"]);
    let ways = desk.every_way(AlertKind::EmailMismatch).await;
    assert_eq!(
        ways,
        [
            "alerts resolve A replace-email",
            "alerts resolve A create-separate",
            "alerts dismiss A"
        ]
    );
    let people = desk.open(AlertKind::DuplicateAccounts).await.remove(0);
    let people: Vec<_> = people.sides.iter().filter_map(|side| side.person).collect();
    let ways = desk.every_way(AlertKind::DuplicateAccounts).await;
    assert_eq!(
        ways,
        [
            format!("alerts resolve A merge --into {}", people[0]),
            format!("alerts resolve A merge --into {}", people[1]),
            "alerts resolve A not-duplicate".to_owned(),
            "alerts dismiss A".to_owned()
        ]
    );
    let ways = desk.every_way(AlertKind::DuplicateEmails).await;
    assert_eq!(ways, ["alerts dismiss A"]);
    let id = desk.open(AlertKind::DuplicateEmails).await[0].id;
    let refused = desk.says(&format!("alerts resolve {id} merge"), 1).await;
    assert!(
        refused.contains("correct the email in the PMS"),
        "{refused}"
    );

    // For good: the alert is resolved, stays so, and says by whom.
    let id = desk.open(AlertKind::NameMismatch).await[0].id;
    desk.says(&format!("alerts resolve {id} merge"), 0).await;
    desk.says("sync elm-court", 0).await;
    let shown = desk.shows(&format!("alerts show {id}"));
    assert!(
        shown.contains(&format!("{}", AlertState::Resolved)),
        "{shown}"
    );
    assert!(shown.contains("done to it"), "{shown}");
    assert_eq!(demo.end(Signal::SIGTERM).await, Some(0));
}
