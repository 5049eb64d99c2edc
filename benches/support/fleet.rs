//! Many integrations in one process: all of one hour's runs, as many at once as the daemon has workers.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use epms::catalog::Integration;
use epms::model::{Cause, RunId};
use epms::source::Reader;
use epms::store::{Store, Uptime};
use epms::sync::{Job, OnProgress, Tools, Workers, run};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::feed::OF_A_BUILDING;
use super::home;
use super::invented::Expected;
use super::sync::size;
use super::usage::{Usage, measured};

/// All integrations of a home, once each.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Fleet {
    pub(crate) home: PathBuf,
    /// Whether it is the first hour; in the others nothing has changed.
    pub(crate) is_first: bool,
}

/// What an hour's runs took.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Hour {
    /// All of them.
    pub(crate) usage: Usage,
    /// Seconds of each run, the quickest first.
    pub(crate) runs: Vec<f64>,
    /// The size of the store after it, in bytes.
    pub(crate) store: f64,
}

pub(crate) fn fleet(task: &Fleet) -> Hour {
    let catalog = home::load(&task.home);
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
    let integrations: Arc<Vec<Arc<Integration>>> = Arc::new(
        catalog
            .integrations
            .values()
            .filter_map(|slot| slot.current.clone())
            .collect(),
    );
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let took = Arc::new(Mutex::new(Vec::new()));
    let next = Arc::new(AtomicUsize::new(0));
    let last_run = tools.store.read().unwrap().last_run().unwrap();
    let ((), usage) = measured(|| {
        let workers = (0..catalog.settings.workers).map(|_| {
            let worker = Worker {
                integrations: Arc::clone(&integrations),
                tools: tools.clone(),
                next: Arc::clone(&next),
                took: Arc::clone(&took),
                first_run: last_run.map_or(1, |run| run.0 + 1),
                is_first: task.is_first,
            };
            runtime.spawn(worker.work())
        });
        for worker in workers.collect::<Vec<_>>() {
            runtime.block_on(worker).unwrap();
        }
    });
    let mut runs = std::mem::take(&mut *took.lock().unwrap());
    assert_eq!(runs.len(), integrations.len());
    runs.sort_by(f64::total_cmp);
    Hour {
        usage,
        runs,
        store: size(&state),
    }
}

/// Runs one integration after the other.
struct Worker {
    integrations: Arc<Vec<Arc<Integration>>>,
    tools: Tools,
    next: Arc<AtomicUsize>,
    took: Arc<Mutex<Vec<f64>>>,
    first_run: u64,
    is_first: bool,
}

impl Worker {
    async fn work(self) {
        let expected = Expected::of(OF_A_BUILDING);
        let quiet: OnProgress = Arc::new(|_| {});
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(integration) = self.integrations.get(number).cloned() else {
                return;
            };
            let job = Job {
                integration,
                run: RunId(self.first_run + u64::try_from(number).unwrap()),
                cause: Cause::Schedule,
            };
            let begun = Instant::now();
            let report = run(job, self.tools.clone(), Arc::clone(&quiet)).await;
            let took = begun.elapsed().as_secs_f64();
            let counts = report.unwrap().counts;
            let done = if self.is_first {
                counts.created
            } else {
                counts.unchanged
            };
            assert_eq!(done, expected.people, "{counts:?}");
            self.took.lock().unwrap().push(took);
        }
    }
}
