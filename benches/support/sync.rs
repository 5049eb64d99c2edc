//! One whole sync, as the daemon does it: over HTTP, into a store on disk.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use clap::ValueEnum;
use epms::model::{Cause, RunId};
use epms::source::Reader;
use epms::store::{Store, Uptime};
use epms::sync::{Job, OnProgress, Tools, Workers, run};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::invented::Expected;
use super::usage::{Usage, measured};
use super::{home, stages};

/// Which sync it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Which {
    /// Into an empty store.
    First,
    /// The same again.
    Unchanged,
    /// One in a hundred changed.
    Changed,
}

impl Which {
    pub(crate) const ALL: [Which; 3] = [Which::First, Which::Unchanged, Which::Changed];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Which::First => "first",
            Which::Unchanged => "unchanged",
            Which::Changed => "changed",
        }
    }
}

/// A sync to be measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Sync {
    /// The home, whose store is in `state`.
    pub(crate) home: PathBuf,
    pub(crate) which: Which,
    /// How many residents there are, to see that all was done.
    pub(crate) residents: u64,
    /// On one thread, as far as it can be: instruction counts vary less then.
    pub(crate) one_thread: bool,
}

/// What it took.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Synced {
    pub(crate) usage: Usage,
    /// Seconds until everything was read and mapped; the rest is the plan and the commit.
    pub(crate) reading: f64,
    /// The size of the store, in bytes.
    pub(crate) store: f64,
}

pub(crate) fn sync(task: &Sync) -> Synced {
    let integration = home::all(&task.home);
    if task.one_thread {
        stages::warm(&integration);
    }
    let state = task.home.join("state");
    let tools = Tools {
        reader: Arc::new(Reader::new().unwrap()),
        store: Arc::new(Store::open(&state).unwrap()),
        now: Timestamp::now,
        up: || Uptime {
            process: 1,
            seconds: 0,
        },
        workers: Workers::default(),
    };
    let last = tools.store.read().unwrap().last_run().unwrap();
    let job = Job {
        integration,
        run: RunId(last.map_or(1, |run| run.0 + 1)),
        cause: Cause::Schedule,
    };
    let mut runtime = if task.one_thread {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    let runtime = runtime.enable_all().build().unwrap();
    let read: Arc<OnceLock<Instant>> = Arc::default();
    let on_progress: OnProgress = {
        let read = Arc::clone(&read);
        Arc::new(move |progress| {
            if progress.planning {
                // Told once.
                let _ = read.set(Instant::now());
            }
        })
    };
    let begun = Instant::now();
    let (report, usage) = measured(|| runtime.block_on(run(job, tools, on_progress)).unwrap());
    let expected = Expected::of(task.residents);
    let counts = report.counts;
    assert_eq!(counts.seen, task.residents, "{report:?}");
    assert_eq!(counts.excluded, expected.excluded, "{report:?}");
    let did = (counts.created, counts.updated, counts.unchanged);
    let should = match task.which {
        Which::First => (expected.people, 0, 0),
        Which::Unchanged => (0, 0, expected.people),
        Which::Changed => (0, expected.changed, expected.people - expected.changed),
    };
    assert_eq!(did, should, "{report:?}");
    Synced {
        usage,
        reading: read.get().unwrap().duration_since(begun).as_secs_f64(),
        store: size(&state),
    }
}

/// The size of all files of a folder, in bytes.
pub(crate) fn size(folder: &Path) -> f64 {
    let files = std::fs::read_dir(folder).unwrap();
    let bytes: u64 = files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    f64::from(u32::try_from(bytes / 1024).unwrap()) * 1024.0
}
