//! What tests of the real program share: a home, a daemon on it, requests over its socket, and waiting for
//! a condition. Nothing here sleeps for an effect.

#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each of the test crates has these modules, and uses a part of them"
)]
pub mod browser;
mod daemon;
mod doors;
mod encrypted;
mod feed;
mod home;
pub mod invented;
mod openmetrics;
pub mod outside;
mod people;
#[path = "../../src/testing.rs"]
mod searching;
pub mod shipped_target;
pub mod small_pms;
mod small_proxy;
mod terminal;

use std::io::Write as _;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use epms::sandbox::{Kind, PropertySpec, Sandbox, Settings, World, WorldOptions};

pub use daemon::{Answer, Daemon};
pub use doors::{Doors, Mishap};
pub use encrypted::{certified, encrypted};
pub use feed::{Feed, tools};
pub use home::Home;
pub use openmetrics::Exposition;
pub use people::{plain, plain_alerts};
pub(crate) use searching::searching;
pub use small_proxy::SmallProxy;
pub use terminal::{Terminal, on_terminal};

/// Nothing that is waited for takes nearly so long, also where other work has most of the machine; no test says that
/// it is fast.
pub const PATIENCE: Duration = Duration::from_mins(1);
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

/// Runs the program with this on its standard input.
pub fn with_input(home: &Home, words: &[&str], input: &str) -> Output {
    let mut command = epms();
    command
        .args(["--home".as_ref(), home.root().as_os_str()])
        .args(words)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap()
}

/// Gives a test a process of its own, for what only a whole process has, such as its memory: true in that process;
/// elsewhere it is run there, and false once it has passed. `test` is its name without the crate's.
pub fn has_its_own_process(test: &str) -> bool {
    const MARK: &str = "EPMS_TEST_ALONE";
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--nocapture"])
        .env(MARK, "1");
    let output = command.output().unwrap();
    let said = told(&output);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("1 passed"),
        "there is no test `{test}`: {said}"
    );
    false
}

/// Both streams, for messages and searches.
pub fn told(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// What a command said, once it ended as it was to.
#[track_caller]
pub fn said(output: &Output, exit: i32) -> String {
    let text = told(output);
    assert_eq!(output.status.code(), Some(exit), "{text}");
    text
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

/// The same of several properties that are called so.
pub async fn pms_of(kind: Kind, names: &[&str], residents: usize) -> Arc<Sandbox> {
    let properties = names.iter().enumerate();
    let properties = properties.map(|(index, name)| PropertySpec {
        code: format!("prop{index}"),
        name: (*name).to_owned(),
    });
    let world = World::seeded(WorldOptions {
        seed: 1,
        properties: properties.collect(),
        residents,
        today: epms::sandbox::today(),
    });
    Arc::new(
        Sandbox::start(kind, world, Settings::default())
            .await
            .unwrap(),
    )
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
