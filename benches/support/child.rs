//! Every measurement in a process of its own, so that none pays for the memory of another: the benchmark starts itself
//! with a task as its first argument, and the task's result comes back as a line of JSON.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{by_hand, feed, fleet, shipped, stages, sync};

/// What a child does.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Task {
    Serve(feed::Serve),
    Sync(sync::Sync),
    Read(by_hand::Read),
    ByHand(by_hand::ByHand),
    Stages(stages::Stages),
    Repeat(stages::Repeat),
    Map(shipped::Map),
    Fleet(fleet::Fleet),
}

const FLAG: &str = "--task";

/// Does what this process was started for, where it is a child: then the benchmark's `main` has nothing to do.
pub(crate) fn is_done() -> bool {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some(FLAG) {
        return false;
    }
    match serde_json::from_str(&arguments.next().unwrap()).unwrap() {
        Task::Serve(task) => feed::serve(&task),
        Task::Sync(task) => tell(&sync::sync(&task)),
        Task::Read(task) => tell(&by_hand::read(&task)),
        Task::ByHand(task) => tell(&by_hand::by_hand(&task)),
        Task::Stages(task) => tell(&stages::stages(&task)),
        Task::Repeat(task) => stages::repeat(&task),
        Task::Map(task) => tell(&shipped::map(&task)),
        Task::Fleet(task) => tell(&fleet::fleet(&task)),
    }
    true
}

fn tell(result: &impl Serialize) {
    println!("{}", serde_json::to_string(result).unwrap());
}

/// This benchmark as the command of a child.
pub(crate) fn command(task: &Task) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([FLAG, &serde_json::to_string(task).unwrap()]);
    command
}

/// The same, under callgrind, whose counts go to `out`.
pub(crate) fn counted(task: &Task, out: &Path, options: &[&str]) -> Command {
    let plain = command(task);
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--quiet"])
        .args(options)
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(plain.get_program())
        .args(plain.get_args());
    command
}

/// Runs a task to its end, and gives its result.
pub(crate) fn run<T: DeserializeOwned>(task: &Task) -> T {
    let output = command(task).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{task:?} failed");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A child that goes on; it ends when this is dropped.
pub(crate) struct Child {
    child: std::process::Child,
}

impl Child {
    pub(crate) fn start(task: &Task) -> Child {
        let mut command = command(task);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Child {
            child: command.spawn().unwrap(),
        }
    }

    /// The first line that it writes.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        let out = self.child.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
