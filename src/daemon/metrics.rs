//! What the daemon counts since its start: how runs and reloads ended. What can be read from the store and the
//! catalog is not counted here; `exposition` puts both into OpenMetrics text.

mod exposition;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::catalog::Loaded;
use crate::model::{Fate, IntegrationId, NamedBy, ReloadOutcome, Run};
use crate::notify::Counts;

pub(super) use exposition::Scrape;

/// Upper bounds of how long runs took, in seconds. The last takes what is longer than all others.
const BOUNDS: [f64; 9] = [
    0.1,
    1.0,
    5.0,
    15.0,
    60.0,
    300.0,
    900.0,
    3600.0,
    f64::INFINITY,
];

/// The words of outcomes with which a run can end while the daemon lives: each is told from the start, at 0,
/// so that the first of its kind is an increase.
const OUTCOMES: [&str; 7] = [
    "committed",
    "unchanged",
    "incomplete",
    "held",
    "not_understood",
    "postponed",
    "failed",
];

/// Counters, all of them since the daemon started.
#[derive(Debug)]
pub(super) struct Metrics(Mutex<Counted>);

/// What was counted.
#[derive(Debug, Clone, Default)]
struct Counted {
    integrations: BTreeMap<IntegrationId, Feed>,
    reloads_succeeded: u64,
    reloads_failed: u64,
    /// Times that the wall clock was set.
    clock_jumps: u64,
    /// What was told, by notification.
    notices: BTreeMap<String, Told>,
    /// When all files were right last.
    last_good_load: Option<Timestamp>,
    /// Who was let in over the network, or by a proxy, and who was not.
    sign_ins: BTreeMap<NamedBy, SignIns>,
    /// Requests over the network, by the first digit of their answer's status.
    requests: BTreeMap<u16, u64>,
}

/// How often somebody was let in by one way, and was not.
#[derive(Debug, Clone, Copy, Default)]
struct SignIns {
    succeeded: u64,
    failed: u64,
}

/// What was counted of one notification.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    succeeded: u64,
    failed: u64,
    waiting: usize,
}

/// What was counted of one integration.
#[derive(Debug, Clone)]
struct Feed {
    runs: BTreeMap<&'static str, u64>,
    /// How many runs took so long, by the bound of [`BOUNDS`] that they are below first.
    buckets: [u64; BOUNDS.len()],
    seconds: f64,
    records: BTreeMap<Fate, u64>,
    changes: u64,
    loaded: u64,
    rejected: u64,
}

impl Default for Feed {
    fn default() -> Feed {
        Feed {
            runs: OUTCOMES.map(|outcome| (outcome, 0)).into(),
            buckets: [0; BOUNDS.len()],
            seconds: 0.0,
            records: Fate::ALL.map(|fate| (fate, 0)).into(),
            changes: 0,
            loaded: 0,
            rejected: 0,
        }
    }
}

impl Feed {
    fn ran(&mut self, run: &Run) {
        *self.runs.entry(run.outcome.as_str()).or_default() += 1;
        for (fate, count) in &mut self.records {
            *count += run.counts.of(*fate);
        }
        self.changes += run.changes;
        let ended = run.ended.unwrap_or(run.started);
        let seconds = ended.duration_since(run.started).as_secs_f64().max(0.0);
        self.seconds += seconds;
        if let Some(at) = BOUNDS.iter().position(|bound| seconds <= *bound) {
            self.buckets[at] += 1;
        }
    }
}

impl Counts for Metrics {
    fn sent(&self, notification: &str, succeeded: bool) {
        self.change(|counted| {
            let told = counted.notices.entry(notification.to_owned()).or_default();
            told.succeeded += u64::from(succeeded);
            told.failed += u64::from(!succeeded);
        });
    }

    fn waiting(&self, notification: &str, messages: usize) {
        self.change(|counted| {
            let told = counted.notices.entry(notification.to_owned()).or_default();
            told.waiting = messages;
        });
    }
}

impl Metrics {
    /// Nothing counted yet; the files as they were loaded at the start were right, or not.
    pub(super) fn new(all_right: bool, now: Timestamp) -> Metrics {
        Metrics(Mutex::new(Counted {
            last_good_load: all_right.then_some(now),
            ..Counted::default()
        }))
    }

    /// A run has ended.
    pub(super) fn ran(&self, run: &Run) {
        self.change(|counted| {
            let feed = counted.integrations.entry(run.integration.clone());
            feed.or_default().ran(run);
        });
    }

    /// Somebody was let in by this, or was not.
    pub(super) fn signed_in(&self, by: NamedBy, succeeded: bool) {
        self.change(|counted| {
            let counts = counted.sign_ins.entry(by).or_default();
            counts.succeeded += u64::from(succeeded);
            counts.failed += u64::from(!succeeded);
        });
    }

    /// A request over the network was answered with this status.
    pub(super) fn answered(&self, status: u16) {
        self.change(|counted| *counted.requests.entry(status / 100).or_default() += 1);
    }

    /// The wall clock was set.
    pub(super) fn clock_jumped(&self) {
        self.change(|counted| counted.clock_jumps += 1);
    }

    /// Files were loaded anew.
    pub(super) fn reloaded(&self, loaded: &Loaded, now: Timestamp) {
        let outcomes = &loaded.integrations;
        self.change(|counted| {
            if loaded.is_right() {
                counted.reloads_succeeded += 1;
                counted.last_good_load = Some(now);
            } else {
                counted.reloads_failed += 1;
            }
            for reloaded in outcomes {
                let feed = counted.integrations.entry(reloaded.id.clone());
                match reloaded.outcome {
                    ReloadOutcome::Loaded => feed.or_default().loaded += 1,
                    ReloadOutcome::Rejected => feed.or_default().rejected += 1,
                    ReloadOutcome::Unchanged | ReloadOutcome::Removed => {}
                }
            }
            // What the catalog does not know any more is not kept either.
            let known = |id: &IntegrationId| outcomes.iter().any(|reloaded| reloaded.id == *id);
            counted.integrations.retain(|id, _| known(id));
        });
    }

    fn counted(&self) -> Counted {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn change(&self, change: impl FnOnce(&mut Counted)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
