//! The daemon under a service manager: what it tells over `$NOTIFY_SOCKET`, when, and in which order.

use std::time::Duration;

use crate::support::{Daemon, Home, PATIENCE, epms, output, pms, shut, told};
use epms::sandbox::{Fault, FaultKind, Kind};
use nix::sys::signal::Signal;
use nix::time::{ClockId, clock_gettime};
use tokio::net::UnixDatagram;

/// A service manager, as far as one service sees it.
struct Manager {
    socket: UnixDatagram,
    path: std::path::PathBuf,
}

impl Manager {
    fn of(home: &Home) -> Manager {
        let path = home.beside().join("notify");
        Manager {
            socket: UnixDatagram::bind(&path).unwrap(),
            path,
        }
    }

    async fn start(&self, home: &Home, watchdog: Option<Duration>) -> Daemon {
        let mut command = epms();
        command
            .args(["--home".as_ref(), home.root().as_os_str(), "run".as_ref()])
            .env("NOTIFY_SOCKET", &self.path);
        if let Some(longest) = watchdog {
            command.env("WATCHDOG_USEC", longest.as_micros().to_string());
        }
        Daemon::spawn(command, &home.socket(), home.beside()).await
    }

    /// The next message: its lines.
    async fn next(&self) -> Vec<String> {
        let mut message = [0; 4096];
        let received = tokio::time::timeout(PATIENCE, self.socket.recv(&mut message));
        let length = received.await.expect("a message comes").unwrap();
        let text = std::str::from_utf8(&message[..length]).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// The next message with this line; those before it are passed over when they tell how it stands.
    async fn next_with(&self, line: &str) -> Vec<String> {
        loop {
            let message = self.next().await;
            if message.iter().any(|one| one == line) {
                return message;
            }
            let passes = |one: &String| one.starts_with("STATUS=") || one == "WATCHDOG=1";
            assert!(message.iter().all(passes), "{message:?} before {line}");
        }
    }

    /// Waits until it is told this status.
    async fn until_status(&self, text: &str) {
        self.next_with(&format!("STATUS={text}")).await;
    }

    fn is_told_nothing(&self) -> bool {
        self.socket.try_recv(&mut [0; 1]).is_err()
    }
}

fn monotonic_usec() -> i64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap();
    now.tv_sec() * 1_000_000 + now.tv_nsec() / 1000
}

#[tokio::test]
async fn ready_is_told_first_once_the_socket_answers_and_stopping_before_the_end() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let manager = Manager::of(&home);
    let mut daemon = manager.start(&home, None).await;
    let first = manager.next().await;
    assert_eq!(first[0], "READY=1", "{first:?}");
    assert_eq!(first[1], "STATUS=1 integration, 0 failing");
    let answer = daemon.get("/readyz").await;
    assert_eq!((answer.status, &*answer.body), (200, "ok\n"));
    daemon.settle().await;
    daemon.signal(Signal::SIGTERM);
    let last = manager.next_with("STOPPING=1").await;
    assert_eq!(last.len(), 2, "{last:?}");
    assert_eq!(daemon.ended().await, Some(0));
    assert!(manager.is_told_nothing());
}

#[tokio::test]
async fn a_reload_is_told_with_its_time_and_ready_again_once_what_lies_on_disk_runs() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let manager = Manager::of(&home);
    let daemon = manager.start(&home, None).await;
    manager.next_with("READY=1").await;
    daemon.settle().await;
    for enabled in [false, true] {
        let (from, to) = (
            format!("enabled: {}", !enabled),
            format!("enabled: {enabled}"),
        );
        let before = daemon.generation("elm").await;
        home.edit_silently("config/integrations/elm.yaml", &from, &to);
        let asked = monotonic_usec();
        daemon.signal(Signal::SIGHUP);
        let reloading = manager.next_with("RELOADING=1").await;
        let at = reloading[1].strip_prefix("MONOTONIC_USEC=").unwrap();
        let at: i64 = at.parse().unwrap();
        assert!(asked <= at && at <= monotonic_usec(), "{asked} {at}");
        manager.next_with("READY=1").await;
        assert_eq!(daemon.generation("elm").await, before + 1);
    }
    // Files that are not right end a reload, too: what ran before goes on.
    home.edit(
        "config/integrations/elm.yaml",
        "enabled: true",
        "enabled: perhaps",
    );
    daemon.signal(Signal::SIGHUP);
    manager.next_with("RELOADING=1").await;
    let ready = manager.next_with("READY=1").await;
    let refused = "STATUS=1 integration, 0 failing, 1 with files that are not right";
    assert_eq!(ready[1], refused);
}

#[tokio::test]
async fn the_status_says_how_many_feeds_fail() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let manager = Manager::of(&home);
    let daemon = manager.start(&home, None).await;
    manager.next_with("READY=1").await;
    daemon.settle().await;
    pms.fault(Fault::new(FaultKind::Truncated));
    daemon.sync("elm").await;
    manager.until_status("1 integration, 1 failing").await;
    pms.clear_faults();
    daemon.sync("elm").await;
    manager.until_status("1 integration, 0 failing").await;
}

#[tokio::test]
async fn the_watchdog_is_fed_while_runs_can_be_started_also_during_the_grace_time() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let manager = Manager::of(&home);
    let mut daemon = manager.start(&home, Some(Duration::from_millis(100))).await;
    manager.next_with("READY=1").await;
    for _ in 0..3 {
        manager.next_with("WATCHDOG=1").await;
    }
    daemon.settle().await;
    let gate = shut(&pms);
    daemon.begin("elm").await;
    daemon.signal(Signal::SIGTERM);
    manager.next_with("STOPPING=1").await;
    for _ in 0..3 {
        assert_eq!(manager.next().await, ["WATCHDOG=1"]);
    }
    assert!(daemon.runs_still());
    drop(gate);
    assert_eq!(daemon.ended().await, Some(0));
}

#[tokio::test]
async fn a_daemon_that_cannot_open_its_store_is_never_ready() {
    let home = Home::new();
    std::fs::create_dir(home.path("state")).unwrap();
    home.write("state/epms.redb", "no store");
    let manager = Manager::of(&home);
    let mut command = epms();
    command
        .args(["--home".as_ref(), home.root().as_os_str(), "run".as_ref()])
        .env("NOTIFY_SOCKET", &manager.path);
    let ended = output(command).await;
    assert_eq!(ended.status.code(), Some(1), "{}", told(&ended));
    assert!(manager.is_told_nothing());
}
