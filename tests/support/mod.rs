//! What tests of the real program share: a home, a daemon on it, requests over its socket, and waiting for
//! a condition. Nothing here sleeps for an effect.

#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test file is a crate of its own, and uses a part of it"
)]
#![allow(clippy::unwrap_used)]

mod daemon;
mod feed;
mod home;
mod openmetrics;
mod people;
mod terminal;

use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use epms::sandbox::{Kind, PropertySpec, Sandbox, Settings, World, WorldOptions};

pub use daemon::{Answer, Daemon};
pub use feed::Feed;
pub use home::Home;
pub use openmetrics::Exposition;
pub use people::{plain, plain_alerts};
pub use terminal::Terminal;

/// Nothing that is waited for takes nearly so long; no test says that it is fast.
pub const PATIENCE: Duration = Duration::from_secs(15);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Waits until `look` sees something, and gives it.
pub async fn found<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Waits until `holds` says so.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    found(what, async || holds().await.then_some(())).await;
}

/// The program, with nothing of the tests' own environment.
pub fn epms() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_epms"));
    for name in [
        "EPMS_HOME",
        "STATE_DIRECTORY",
        "RUNTIME_DIRECTORY",
        "COLUMNS",
    ] {
        command.env_remove(name);
    }
    command
        .env("NO_COLOR", "1")
        .stdin(std::process::Stdio::null());
    command
}

/// Runs `command` to its end; sandboxes of the test go on answering meanwhile.
pub async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

/// Both streams, for messages and searches.
pub fn told(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// A local PMS with one property.
pub async fn pms(kind: Kind, seed: u64, residents: usize) -> Arc<Sandbox> {
    pms_of_pages(kind, seed, residents, 1000).await
}

/// A local PMS whose pages have so many rows.
pub async fn pms_of_pages(
    kind: Kind,
    seed: u64,
    residents: usize,
    page_size: usize,
) -> Arc<Sandbox> {
    let world = World::seeded(WorldOptions {
        seed,
        properties: vec![PropertySpec {
            code: "elm".into(),
            name: "Elm Court".into(),
        }],
        residents,
        today: epms::sandbox::today(),
    });
    let settings = Settings {
        page_size,
        ..Settings::default()
    };
    Arc::new(Sandbox::start(kind, world, settings).await.unwrap())
}

/// Lets no answer of a PMS out while it lives.
pub struct Gate(#[allow(dead_code, reason = "its end is what counts")] std::sync::mpsc::Sender<()>);

/// Holds back every answer of `pms` until the gate is dropped.
pub fn shut(pms: &Arc<Sandbox>) -> Gate {
    let (open, opened) = std::sync::mpsc::channel();
    let (shut, is_shut) = std::sync::mpsc::channel();
    let pms = Arc::clone(pms);
    std::thread::spawn(move || {
        let world = pms.world();
        shut.send(()).unwrap();
        // Ends with an error when the gate is dropped.
        let _: Result<(), _> = opened.recv();
        drop(world);
    });
    is_shut.recv().unwrap();
    Gate(open)
}
