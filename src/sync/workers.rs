//! The runs that have threads at work, and which of them still do although nobody waits for them any more: a native
//! function of a script ends when it ends. It interrupts nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::model::{IntegrationId, RunId};

/// Whoever stops at the next operation of its script, as it should, has stopped by then.
const SHOULD_STOP: Duration = Duration::from_secs(10);

/// All runs of a process that have threads at work.
#[derive(Debug, Clone, Default)]
pub struct Workers(Arc<Mutex<Works>>);

#[derive(Debug, Default)]
struct Works {
    next: u64,
    under_way: BTreeMap<u64, Work>,
}

#[derive(Debug)]
struct Work {
    integration: IntegrationId,
    run: RunId,
    /// Since when nobody waits for it.
    given_up: Option<Instant>,
}

/// A run that was given up, and whose thread has not come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// Whose run.
    pub integration: IntegrationId,
    /// Which; a preview has the number 0.
    pub run: RunId,
    /// Since when nobody waits for it.
    pub since: Instant,
}

impl Stuck {
    /// What people are told of it.
    pub fn told(&self, now: Instant) -> String {
        let seconds = now.saturating_duration_since(self.since).as_secs();
        let what = match self.run {
            RunId::NONE => "a preview".to_owned(),
            run => format!("run {run}"),
        };
        format!(
            "{what} was given up {seconds}s ago, and its script still keeps a thread: see what the script calls; a restart of the daemon ends it"
        )
    }
}

impl Workers {
    /// A run puts threads to work: what they hold, and what whoever waits for them holds.
    pub(super) fn begin(&self, integration: &IntegrationId, run: RunId) -> (AtWork, Waiter) {
        let mut works = self.works();
        let number = works.next;
        works.next += 1;
        let work = Work {
            integration: integration.clone(),
            run,
            given_up: None,
        };
        works.under_way.insert(number, work);
        let workers = self.clone();
        let waiter = Waiter {
            workers: workers.clone(),
            number,
        };
        (AtWork(Arc::new(Ends { workers, number })), waiter)
    }

    /// Those given up that should have stopped by now.
    pub fn stuck(&self, now: Instant) -> Vec<Stuck> {
        let works = self.works();
        let all = works.under_way.values();
        let stuck = all.filter_map(|work| {
            let since = work.given_up?;
            let is_stuck = now.saturating_duration_since(since) > SHOULD_STOP;
            is_stuck.then(|| Stuck {
                integration: work.integration.clone(),
                run: work.run,
                since,
            })
        });
        stuck.collect()
    }

    fn works(&self) -> MutexGuard<'_, Works> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Is held as long as a thread works for the run: by each of them.
#[derive(Debug, Clone)]
pub(super) struct AtWork(#[allow(dead_code, reason = "its end is what counts")] Arc<Ends>);

#[derive(Debug)]
struct Ends {
    workers: Workers,
    number: u64,
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.workers.works().under_way.remove(&self.number);
    }
}

/// Is held as long as somebody waits for what the threads make.
#[derive(Debug)]
pub(super) struct Waiter {
    workers: Workers,
    number: u64,
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if let Some(work) = self.workers.works().under_way.get_mut(&self.number) {
            work.given_up = Some(Instant::now());
        }
    }
}

#[cfg(test)]
impl Workers {
    /// A run that was given up so long ago, and whose thread does not come back before what is given here is dropped.
    pub(crate) fn given_up(
        &self,
        of: &IntegrationId,
        run: RunId,
        ago: Duration,
    ) -> impl Sized + use<> {
        let (at_work, waiter) = self.begin(of, run);
        let number = waiter.number;
        drop(waiter);
        let since = Instant::now().checked_sub(ago).unwrap();
        self.works().under_way.get_mut(&number).unwrap().given_up = Some(since);
        at_work
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elm() -> IntegrationId {
        IntegrationId::new("elm")
    }

    #[test]
    fn a_run_is_stuck_that_was_given_up_and_has_not_ended_since() {
        let workers = Workers::default();
        let late = Instant::now() + SHOULD_STOP + Duration::from_secs(5);
        let (at_work, waiter) = workers.begin(&elm(), RunId(7));
        let other = at_work.clone();
        drop(at_work);
        assert_eq!(workers.stuck(late), [], "somebody waits for it");
        drop(waiter);
        assert_eq!(workers.stuck(Instant::now()), [], "it may stop yet");
        let stuck = workers.stuck(late);
        assert_eq!(stuck.len(), 1);
        assert_eq!((&stuck[0].integration, stuck[0].run), (&elm(), RunId(7)));
        assert!(stuck[0].told(late).starts_with("run r7 was given up 1"));
        drop(other);
        assert_eq!(workers.stuck(late), [], "it has come back");
    }

    #[test]
    fn what_ended_while_somebody_waited_was_not_given_up() {
        let workers = Workers::default();
        let (at_work, waiter) = workers.begin(&elm(), RunId(7));
        drop(at_work);
        drop(waiter);
        assert!(workers.works().under_way.is_empty());
    }
}
