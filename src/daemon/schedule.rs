//! When which integration runs (R2, R3). Pure: the clock and chance come in as arguments.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::model::{Cause, IntegrationId, RunId};

/// What the schedule must know of an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rhythm {
    pub(super) every: SignedDuration,
    pub(super) jitter: SignedDuration,
}

/// What an integration is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Idle,
    /// Asked for; it runs as soon as a worker is free.
    Queued {
        run: RunId,
        cause: Cause,
    },
    /// Under way. A request meanwhile becomes one more run, however many requests there are.
    Running {
        run: RunId,
        next: Option<RunId>,
    },
}

#[derive(Debug)]
struct Entry {
    /// None while it is switched off, paused, removed or broken: it runs only what is under way.
    rhythm: Option<Rhythm>,
    due: Timestamp,
    /// What is due was missed while nobody was there to start it.
    made_up: bool,
    phase: Phase,
}

/// The schedule of all integrations.
#[derive(Debug)]
pub(super) struct Schedule {
    entries: BTreeMap<IntegrationId, Entry>,
    workers: usize,
    next_run: u64,
}

impl Schedule {
    pub(super) fn new(workers: usize, last_run: Option<RunId>) -> Schedule {
        Schedule {
            entries: BTreeMap::new(),
            workers,
            next_run: last_run.map_or(1, |run| run.0 + 1),
        }
    }

    pub(super) fn set_workers(&mut self, workers: usize) {
        self.workers = workers;
    }

    /// Takes an integration in, or its new rhythm. One that has not succeeded for longer than its rhythm
    /// missed a run: it is made up now, once.
    pub(super) fn adopt(
        &mut self,
        id: &IntegrationId,
        rhythm: Option<Rhythm>,
        last_success: Option<Timestamp>,
        now: Timestamp,
        chance: f64,
    ) {
        let slot = rhythm.map(|rhythm| next_slot(id, rhythm, now, chance));
        match self.entries.get_mut(id) {
            Some(entry) if entry.rhythm == rhythm => {}
            Some(entry) => {
                // Switched on again after longer than its rhythm: the missed run is made up.
                let was_off = entry.rhythm.is_none();
                entry.rhythm = rhythm;
                entry.due = slot.unwrap_or(now);
                if was_off && missed(rhythm, last_success, now) {
                    entry.due = now;
                    entry.made_up = true;
                }
            }
            None => {
                let made_up = missed(rhythm, last_success, now);
                let due = if made_up { now } else { slot.unwrap_or(now) };
                self.entries.insert(
                    id.clone(),
                    Entry {
                        rhythm,
                        due,
                        made_up,
                        phase: Phase::Idle,
                    },
                );
            }
        }
    }

    /// Forgets integrations that `keep` does not keep and that are doing nothing.
    pub(super) fn retain(&mut self, keep: impl Fn(&IntegrationId) -> bool) {
        self.entries
            .retain(|id, entry| keep(id) || entry.phase != Phase::Idle);
    }

    /// Asks for a run now. A request during a run joins the one that comes next (R3). None when the
    /// integration does not run.
    pub(super) fn request(&mut self, id: &IntegrationId) -> Option<RunId> {
        let entry = self
            .entries
            .get_mut(id)
            .filter(|entry| entry.rhythm.is_some())?;
        let next_run = &mut self.next_run;
        let mut new_run = || {
            let run = RunId(*next_run);
            *next_run += 1;
            run
        };
        Some(match &mut entry.phase {
            Phase::Idle => {
                let run = new_run();
                entry.phase = Phase::Queued {
                    run,
                    cause: Cause::Manual,
                };
                run
            }
            Phase::Queued { run, cause } => {
                // A request outranks the clock as the cause.
                *cause = Cause::Manual;
                *run
            }
            Phase::Running { next, .. } => *next.get_or_insert_with(new_run),
        })
    }

    /// Starts what is due, as far as workers are free; requests before the clock, then the longest overdue.
    pub(super) fn start(&mut self, now: Timestamp) -> Vec<(IntegrationId, RunId, Cause)> {
        let running = self
            .entries
            .values()
            .filter(|entry| matches!(entry.phase, Phase::Running { .. }))
            .count();
        let mut ready: Vec<(bool, Timestamp, IntegrationId)> = self
            .entries
            .iter()
            .filter_map(|(id, entry)| match entry.phase {
                Phase::Queued { .. } => Some((false, entry.due, id.clone())),
                Phase::Idle if entry.rhythm.is_some() && entry.due <= now => {
                    Some((true, entry.due, id.clone()))
                }
                _ => None,
            })
            .collect();
        ready.sort();
        let mut started = Vec::new();
        for (_, _, id) in ready.into_iter().take(self.workers.saturating_sub(running)) {
            let Some(entry) = self.entries.get_mut(&id) else {
                continue;
            };
            let (run, cause) = if let Phase::Queued { run, cause } = entry.phase {
                (run, cause)
            } else {
                let run = RunId(self.next_run);
                self.next_run += 1;
                (
                    run,
                    if entry.made_up {
                        Cause::Start
                    } else {
                        Cause::Schedule
                    },
                )
            };
            entry.phase = Phase::Running { run, next: None };
            entry.made_up = false;
            started.push((id, run, cause));
        }
        started
    }

    /// A run has ended: the next is due at the integration's next moment.
    pub(super) fn finished(&mut self, id: &IntegrationId, now: Timestamp, chance: f64) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        if let Some(rhythm) = entry.rhythm {
            entry.due = next_slot(id, rhythm, now, chance);
        }
        entry.phase = match entry.phase {
            Phase::Running {
                next: Some(run), ..
            } => Phase::Queued {
                run,
                cause: Cause::Manual,
            },
            _ => Phase::Idle,
        };
    }

    /// When something will be due that waits for nothing but the clock.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let idle = self
            .entries
            .values()
            .filter(|entry| entry.phase == Phase::Idle && entry.rhythm.is_some());
        idle.map(|entry| entry.due).min()
    }

    /// What an integration is doing, and when its next run is due.
    pub(super) fn phase(&self, id: &IntegrationId) -> Option<(Phase, Option<Timestamp>)> {
        let entry = self.entries.get(id)?;
        Some((entry.phase, entry.rhythm.map(|_| entry.due)))
    }
}

fn missed(rhythm: Option<Rhythm>, last_success: Option<Timestamp>, now: Timestamp) -> bool {
    rhythm.is_some_and(|rhythm| {
        last_success.is_none_or(|last| now.duration_since(last) > rhythm.every)
    })
}

/// The integration's next moment: its own offset in every period, so that many do not start together, and
/// a little chance. `chance` is in 0..1.
fn next_slot(id: &IntegrationId, rhythm: Rhythm, now: Timestamp, chance: f64) -> Timestamp {
    let every = rhythm.every.as_secs().max(1);
    let hash = blake3::hash(id.as_str().as_bytes());
    let number = hash
        .as_bytes()
        .iter()
        .take(6)
        .fold(0_i64, |number, byte| number << 8 | i64::from(*byte));
    let offset = number % every;
    let now_seconds = now.as_second();
    let period = (now_seconds - offset).div_euclid(every) + 1;
    let jitter =
        SignedDuration::from_secs_f64(rhythm.jitter.as_secs_f64() * chance.clamp(0.0, 1.0));
    let slot = Timestamp::from_second(period * every + offset).unwrap_or(now);
    slot.checked_add(jitter).unwrap_or(slot)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Rhythm = Rhythm {
        every: SignedDuration::from_hours(1),
        jitter: SignedDuration::from_mins(5),
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn id(name: &str) -> IntegrationId {
        IntegrationId::new(name)
    }

    fn schedule(names: &[&str], workers: usize) -> Schedule {
        let mut schedule = Schedule::new(workers, None);
        for name in names {
            schedule.adopt(&id(name), Some(HOUR), Some(at(0)), at(0), 0.0);
        }
        schedule
    }

    #[test]
    fn r2_every_integration_runs_within_each_hour_at_its_own_moment() {
        let names: Vec<String> = (0..100).map(|n| format!("building-{n}")).collect();
        let mut moments = std::collections::BTreeSet::new();
        for name in &names {
            let mut schedule = schedule(&[name], 1);
            let first = schedule.next_due().unwrap();
            assert!(first > at(0) && first <= at(3600));
            let started = schedule.start(first);
            assert_eq!(started, [(id(name), RunId(1), Cause::Schedule)]);
            schedule.finished(&id(name), first, 0.0);
            assert_eq!(
                schedule.next_due().unwrap(),
                first + SignedDuration::from_hours(1)
            );
            moments.insert(first.as_second() / 60);
        }
        assert!(
            moments.len() > 40,
            "spread over the hour: {} of 60 minutes",
            moments.len()
        );
    }

    #[test]
    fn r2_jitter_delays_by_no_more_than_it_says() {
        let exact = next_slot(&id("a"), HOUR, at(0), 0.0);
        let late = next_slot(&id("a"), HOUR, at(0), 1.0);
        assert_eq!(late.duration_since(exact), SignedDuration::from_mins(5));
    }

    #[test]
    fn r2_a_run_missed_while_the_daemon_was_down_is_made_up_once_at_start() {
        let mut schedule = Schedule::new(2, Some(RunId(7)));
        schedule.adopt(&id("a"), Some(HOUR), Some(at(-7200)), at(0), 0.0);
        assert_eq!(schedule.start(at(0)), [(id("a"), RunId(8), Cause::Start)]);
        schedule.finished(&id("a"), at(5), 0.0);
        assert_eq!(schedule.start(at(6)), []);
        assert!(schedule.next_due().unwrap() > at(6));
    }

    #[test]
    fn r3_requests_during_a_run_become_one_more_run() {
        let mut schedule = schedule(&["a"], 2);
        let first = schedule.request(&id("a")).unwrap();
        assert_eq!(schedule.request(&id("a")), Some(first), "still queued");
        assert_eq!(schedule.start(at(1)), [(id("a"), first, Cause::Manual)]);
        let second = schedule.request(&id("a")).unwrap();
        assert_ne!(first, second);
        for _ in 0..5 {
            assert_eq!(schedule.request(&id("a")), Some(second));
        }
        assert_eq!(
            schedule.start(at(2)),
            [],
            "one run per integration at a time"
        );
        schedule.finished(&id("a"), at(3), 0.0);
        assert_eq!(schedule.start(at(3)), [(id("a"), second, Cause::Manual)]);
        schedule.finished(&id("a"), at(4), 0.0);
        assert_eq!(schedule.start(at(4)), []);
    }

    #[test]
    fn requests_go_before_the_clock_and_workers_are_not_exceeded() {
        let mut schedule = schedule(&["a", "b", "c"], 1);
        let asked = schedule.request(&id("c")).unwrap();
        assert_eq!(schedule.start(at(7200)), [(id("c"), asked, Cause::Manual)]);
        assert_eq!(schedule.start(at(7200)), []);
        schedule.finished(&id("c"), at(7200), 0.0);
        assert_eq!(schedule.start(at(7200)).len(), 1);
    }

    #[test]
    fn what_is_switched_off_neither_runs_nor_can_be_asked_for() {
        let mut schedule = schedule(&["a"], 1);
        schedule.adopt(&id("a"), None, None, at(0), 0.0);
        assert_eq!(schedule.request(&id("a")), None);
        assert_eq!(schedule.start(at(9999)), []);
        assert_eq!(schedule.next_due(), None);
        schedule.adopt(&id("a"), Some(HOUR), Some(at(0)), at(9999), 0.0);
        assert_eq!(
            schedule.start(at(9999)).len(),
            1,
            "switched on again, a missed run is made up"
        );
    }
}
