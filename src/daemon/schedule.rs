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
    /// So far apart its runs begin at least: its share of what its credential may ask in a day (R43).
    apart: SignedDuration,
    /// When its last run began.
    begun: Option<Timestamp>,
    /// When somebody asked for a run last.
    asked: Option<Timestamp>,
    /// What is due was missed while nobody was there to start it.
    made_up: bool,
    phase: Phase,
    /// The generation of the files that it runs by.
    generation: Option<u64>,
    /// Runs in a row whose source failed.
    failures: u32,
    /// The last run did not understand its records (R41): the source answers, and other files may cure it.
    not_understood: bool,
    /// Since when there was no success, as far as is known. The time in which it was off, and missed no rhythm, does not count.
    since: Timestamp,
    /// Since when it is off, where it is.
    off: Option<Timestamp>,
    /// That it is stale was told.
    stale: bool,
}

impl Entry {
    fn forgive(&mut self, now: Timestamp) {
        if self.failures > 0 || self.not_understood {
            self.failures = 0;
            self.not_understood = false;
            self.due = now;
        }
    }

    /// Not before its share of the budget is there again.
    fn share(&mut self) {
        let back = self
            .begun
            .and_then(|begun| begun.checked_add(self.apart).ok());
        self.due = back.map_or(self.due, |back| back.max(self.due));
    }

    /// After which moment it is to be told that it is stale. A run that is under way, or made up for those
    /// missed while nobody was there, may still succeed.
    fn stale_at(&self) -> Option<Timestamp> {
        let waits = self.phase == Phase::Idle && !self.made_up;
        let rhythm = self.rhythm.filter(|_| waits && !self.stale)?;
        let patience = rhythm.every.saturating_mul(STALE_AFTER);
        let patience = patience.saturating_add(rhythm.jitter);
        Some(self.since.checked_add(patience).unwrap_or(Timestamp::MAX))
    }
}

/// How a run ended, as the schedule must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// It succeeded.
    Good,
    /// The source answered, and the guard holds the plan: no success, and no fault of the source.
    Held,
    /// The source answered, and its records could not be mapped (R41): no success, and no fault of the source.
    NotUnderstood,
    /// The PMS may not be asked before the next moment (R43): no success, and no fault of the source.
    Postponed,
    /// The source failed, or the daemon did.
    Failed,
}

/// What is known of an integration when it is taken in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) generation: Option<u64>,
    pub(super) last_success: Option<Timestamp>,
    /// The store was restored, and it was not read since.
    pub(super) is_outdated: bool,
    /// When a run began last.
    pub(super) last_started: Option<Timestamp>,
    /// So far apart its runs begin at least (R43).
    pub(super) apart: SignedDuration,
}

/// A quarantine lasts for so many times the rhythm at most (R28).
const LONGEST_QUARANTINE: u32 = 8;

/// For such a part of a rhythm a reading serves runs that the clock asks for.
const SERVES_FOR_A: i32 = 4;

/// So many rhythms without a success are too many (R28).
const STALE_AFTER: i32 = 3;

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
        known: Known,
        now: Timestamp,
        chance: f64,
    ) {
        // R45: the store's times are those of a wall clock, which may have been ahead.
        let last_success = known.last_success.map(|at| at.min(now));
        let last_started = known.last_started.map(|at| at.min(now));
        let slot = rhythm.map(|rhythm| next_slot(id, rhythm, now, chance));
        if let Some(entry) = self.entries.get_mut(id)
            && entry.generation != known.generation
        {
            entry.generation = known.generation;
            // R28: what was changed may be what was wrong: it is tried at once.
            if rhythm.is_some() {
                entry.forgive(now);
            }
        }
        let before = self.entries.get(id).map(|entry| entry.rhythm);
        let is_new_moment = before != Some(rhythm);
        match self.entries.get_mut(id) {
            Some(entry) if entry.rhythm == rhythm => {}
            Some(entry) => {
                // Switched on again after longer than its rhythm: the missed run is made up.
                let was_off = entry.rhythm.is_none();
                entry.rhythm = rhythm;
                entry.due = slot.unwrap_or(now);
                if was_off {
                    // Nobody expected a success meanwhile; what was missed before is missed all the same.
                    let off = entry.off.take().unwrap_or(entry.since);
                    let long = now.duration_since(off).max(SignedDuration::ZERO);
                    entry.since = entry.since.checked_add(long).unwrap_or(now).min(now);
                    // Whether it is still told is for the store to say.
                    entry.stale = false;
                } else if rhythm.is_none() {
                    entry.off = Some(now);
                }
                if was_off && missed(rhythm, last_success, now) {
                    entry.due = now;
                    entry.made_up = true;
                }
            }
            None => {
                let is_outdated = rhythm.is_some() && known.is_outdated;
                let made_up = is_outdated || missed(rhythm, last_success, now);
                let due = if made_up { now } else { slot.unwrap_or(now) };
                self.entries.insert(
                    id.clone(),
                    Entry {
                        rhythm,
                        due,
                        apart: known.apart,
                        begun: last_started,
                        asked: None,
                        made_up,
                        phase: Phase::Idle,
                        generation: known.generation,
                        failures: 0,
                        not_understood: false,
                        since: last_success.unwrap_or(now),
                        // How long it has been off before is not known: all the time since then.
                        off: None,
                        stale: false,
                    },
                );
            }
        }
        // What was put right and is tried at once waits for no share.
        if let Some(entry) = self.entries.get_mut(id)
            && (is_new_moment || entry.apart != known.apart)
        {
            entry.apart = known.apart;
            entry.share();
        }
    }

    /// Forgets integrations that `keep` does not keep and that are doing nothing.
    pub(super) fn retain(&mut self, keep: impl Fn(&IntegrationId) -> bool) {
        self.entries
            .retain(|id, entry| keep(id) || entry.phase != Phase::Idle);
    }

    /// Asks for a run now. A request during a run joins the one that comes next (R3). None when the
    /// integration does not run.
    pub(super) fn request(&mut self, id: &IntegrationId, now: Timestamp) -> Option<RunId> {
        let entry = self
            .entries
            .get_mut(id)
            .filter(|entry| entry.rhythm.is_some())?;
        entry.asked = Some(now);
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

    /// Forgets requests of what does not run any more, and gives the runs that will never be.
    pub(super) fn drop_queued(&mut self) -> Vec<(IntegrationId, RunId)> {
        let mut dropped = Vec::new();
        for (id, entry) in &mut self.entries {
            if entry.rhythm.is_some() {
                continue;
            }
            match &mut entry.phase {
                Phase::Queued { run, .. } => {
                    dropped.push((id.clone(), *run));
                    entry.phase = Phase::Idle;
                }
                Phase::Running { next, .. } => {
                    dropped.extend(next.take().map(|run| (id.clone(), run)));
                }
                Phase::Idle => {}
            }
        }
        dropped
    }

    /// Starts what is due, as far as workers are free; requests before the clock, then the longest overdue. `away` of the
    /// runs under way wait without a worker, and what `waits` says of waits for the same (R43).
    pub(super) fn start(
        &mut self,
        now: Timestamp,
        away: usize,
        waits: impl Fn(&IntegrationId) -> bool,
    ) -> Vec<(IntegrationId, RunId, Cause)> {
        let running = self
            .entries
            .values()
            .filter(|entry| matches!(entry.phase, Phase::Running { .. }))
            .count();
        let free = self.workers.saturating_sub(running.saturating_sub(away));
        let mut ready: Vec<(bool, Timestamp, IntegrationId)> = self
            .entries
            .iter()
            .filter(|(id, _)| !waits(id))
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
        for (_, _, id) in ready.into_iter().take(free) {
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
            entry.begun = Some(now);
            entry.made_up = false;
            started.push((id, run, cause));
        }
        started
    }

    /// A run has ended: the next is due at the integration's next moment; after a failure at that after the
    /// quarantine, which doubles with each failure (R28). Its share of the budget as it is known by now, is dealt out by
    /// `deal`.
    pub(super) fn finished(
        &mut self,
        id: &IntegrationId,
        ended: Ended,
        now: Timestamp,
        chance: f64,
    ) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        if ended != Ended::Postponed {
            entry.not_understood = ended == Ended::NotUnderstood;
        }
        match ended {
            Ended::Good => {
                entry.failures = 0;
                entry.since = now;
                entry.stale = false;
            }
            // Whoever answers is asked in the usual rhythm.
            Ended::Held | Ended::NotUnderstood => entry.failures = 0,
            // Nothing was heard of the source.
            Ended::Postponed => {}
            Ended::Failed => entry.failures = entry.failures.saturating_add(1),
        }
        if let Some(rhythm) = entry.rhythm {
            let from = now
                .checked_add(rhythm.every.saturating_mul(skipped(entry.failures)))
                .unwrap_or(now);
            entry.due = next_slot(id, rhythm, from, chance);
            entry.share();
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

    /// So far apart its runs begin from now on (R43).
    pub(super) fn deal(&mut self, id: &IntegrationId, apart: SignedDuration) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.apart = apart;
            entry.share();
        }
    }

    /// How far apart its runs begin, where that is further than its rhythm (R43).
    pub(super) fn is_slowed(&self, id: &IntegrationId) -> Option<SignedDuration> {
        let entry = self.entries.get(id)?;
        (entry.apart > entry.rhythm?.every).then_some(entry.apart)
    }

    /// Those whose source failed last and that wait for their next run.
    pub(super) fn failing(&self) -> impl Iterator<Item = &IntegrationId> {
        let failing = self.entries.iter().filter(|(_, entry)| {
            entry.failures > 0 && entry.rhythm.is_some() && entry.phase == Phase::Idle
        });
        failing.map(|(id, _)| id)
    }

    /// What made a source fail may have been put right: it is tried at once (R28).
    pub(super) fn forgive(&mut self, id: &IntegrationId, now: Timestamp) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.forgive(now);
        }
    }

    /// Integrations without a success for too long (R28), each told once until it has one.
    pub(super) fn stale(&mut self, now: Timestamp) -> Vec<IntegrationId> {
        let mut stale = Vec::new();
        for (id, entry) in &mut self.entries {
            if entry.stale_at().is_some_and(|at| now > at) {
                entry.stale = true;
                stale.push(id.clone());
            }
        }
        stale
    }

    /// How long a run that starts now may wait: until the integration's next moment, and where that is near, because the
    /// run was asked for or made up, until the one after.
    pub(super) fn may_wait(&self, id: &IntegrationId, now: Timestamp) -> Option<SignedDuration> {
        let rhythm = self.entries.get(id)?.rhythm?;
        let mut next = next_slot(id, rhythm, now, 0.0).duration_since(now);
        if next < rhythm.every / 2 {
            next = next.saturating_add(rhythm.every);
        }
        Some(next.max(self.entries.get(id)?.apart))
    }

    /// Since when a reading may have begun to serve a run that starts now: since it was asked for, or, where the clock asks,
    /// for a part of its rhythm.
    pub(super) fn fresh_from(
        &self,
        id: &IntegrationId,
        cause: Cause,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let entry = self.entries.get(id)?;
        match cause {
            Cause::Manual => entry.asked,
            Cause::Schedule | Cause::Start => {
                now.checked_sub(entry.rhythm?.every / SERVES_FOR_A).ok()
            }
        }
    }

    /// When there is something to do that waits for nothing but the clock: a run, or to tell of a stale feed.
    pub(super) fn next_moment(&self) -> Option<Timestamp> {
        let stale = self.entries.values().filter_map(Entry::stale_at);
        self.next_due().into_iter().chain(stale).min()
    }

    /// When a run will be due that waits for nothing but the clock.
    fn next_due(&self) -> Option<Timestamp> {
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

/// How many rhythms are skipped after so many failures in a row: 0, 1, 3, 7, and no more.
fn skipped(failures: u32) -> i32 {
    let periods = 1_u32
        .checked_shl(failures.saturating_sub(1))
        .unwrap_or(u32::MAX)
        .min(LONGEST_QUARANTINE);
    i32::try_from(periods).unwrap_or(1) - 1
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
mod tests;
