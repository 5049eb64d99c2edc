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
    /// Since when there was no success, as far as is known.
    since: Timestamp,
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
                    // Nobody expected a success meanwhile.
                    entry.since = now;
                    entry.stale = false;
                }
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
                        apart: known.apart,
                        begun: last_started,
                        asked: None,
                        made_up,
                        phase: Phase::Idle,
                        generation: known.generation,
                        failures: 0,
                        not_understood: false,
                        since: last_success.unwrap_or(now),
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

    fn success(at: Timestamp) -> Known {
        Known {
            generation: Some(1),
            last_success: Some(at),
            last_started: Some(at),
            apart: SignedDuration::ZERO,
        }
    }

    fn schedule(names: &[&str], workers: usize) -> Schedule {
        let mut schedule = Schedule::new(workers, None);
        for name in names {
            schedule.adopt(&id(name), Some(HOUR), success(at(0)), at(0), 0.0);
        }
        schedule
    }

    /// Starts what is due while nobody waits.
    fn start(schedule: &mut Schedule, now: Timestamp) -> Vec<(IntegrationId, RunId, Cause)> {
        schedule.start(now, 0, |_| false)
    }

    #[test]
    fn r3_a_run_that_was_asked_for_takes_no_reading_from_before() {
        let mut schedule = schedule(&["a"], 1);
        let a = id("a");
        assert_eq!(schedule.fresh_from(&a, Cause::Manual, at(0)), None);
        schedule.request(&a, at(10)).unwrap();
        // Whoever joins what is queued gets nothing older than they ask for either.
        schedule.request(&a, at(70)).unwrap();
        let [(_, _, cause)] = start(&mut schedule, at(100))[..] else {
            panic!("it runs");
        };
        assert_eq!(schedule.fresh_from(&a, cause, at(100)), Some(at(70)));
        let by_the_clock = schedule.fresh_from(&a, Cause::Schedule, at(3600));
        assert_eq!(by_the_clock, Some(at(3600 - 900)));
    }

    #[test]
    fn r43_who_waits_holds_no_worker_and_keeps_back_those_who_would_wait_for_the_same() {
        let mut schedule = schedule(&["x1", "x2", "x3", "y1", "y2"], 2);
        let late = at(7200);
        let x1 = schedule.request(&id("x1"), at(0)).unwrap();
        assert_eq!(start(&mut schedule, at(0)), [(id("x1"), x1, Cause::Manual)]);
        for name in ["x2", "x3"] {
            schedule.request(&id(name), at(0)).unwrap();
        }
        // The first waits for its credential, and the others of it would.
        let of_x = |id: &IntegrationId| id.as_str().starts_with('x');
        let asked = schedule.request(&id("y2"), at(0)).unwrap();
        let started = schedule.start(late, 1, of_x);
        assert_eq!(started[0], (id("y2"), asked, Cause::Manual));
        assert_eq!(started[1].0, id("y1"), "both workers are free");
        assert_eq!(schedule.start(late, 1, of_x), []);
        schedule.finished(&id("y2"), Ended::Good, late, 0.0);
        assert_eq!(schedule.start(late, 1, of_x), []);
        assert_eq!(
            schedule.start(late, 0, |_| false).len(),
            0,
            "x1 and y1 have them"
        );
        schedule.finished(&id("x1"), Ended::Good, late, 0.0);
        assert_eq!(start(&mut schedule, late)[0].0, id("x2"));
    }

    #[test]
    fn r43_a_budget_that_does_not_last_for_the_rhythm_is_dealt_out_evenly() {
        let mut schedule = schedule(&["a", "b"], 1);
        let slow = SignedDuration::from_mins(77);
        schedule.deal(&id("a"), slow);
        assert_eq!(schedule.is_slowed(&id("a")), Some(slow));
        assert_eq!(schedule.is_slowed(&id("b")), None);
        let begun = at(0).checked_add(slow).unwrap();
        assert_eq!(schedule.phase(&id("a")), Some((Phase::Idle, Some(begun))));
        // Whoever asks by hand has it at once, and what the clock brings comes later for it.
        let run = schedule.request(&id("a"), at(0)).unwrap();
        assert_eq!(
            start(&mut schedule, at(60)),
            [(id("a"), run, Cause::Manual)]
        );
        schedule.finished(&id("a"), Ended::Good, at(70), 0.0);
        let due = at(60).checked_add(slow).unwrap();
        assert_eq!(schedule.phase(&id("a")), Some((Phase::Idle, Some(due))));
        // Over a restart too.
        let mut again = Schedule::new(1, None);
        let known = Known {
            last_started: Some(at(60)),
            apart: slow,
            ..success(at(70))
        };
        again.adopt(&id("a"), Some(HOUR), known, at(70 + 3700), 0.0);
        assert_eq!(again.phase(&id("a")), Some((Phase::Idle, Some(due))));
        // What was put right is tried at once, and goes on waiting for nothing when the catalog is taken over again.
        start(&mut again, due);
        again.finished(&id("a"), Ended::Failed, due, 0.0);
        let known = Known {
            generation: Some(2),
            ..known
        };
        for _ in 0..2 {
            again.adopt(&id("a"), Some(HOUR), known, due, 0.0);
            assert_eq!(again.phase(&id("a")), Some((Phase::Idle, Some(due))));
        }
        // A share that lasts for the rhythm changes nothing.
        let mut quick = self::schedule(&["a"], 1);
        let before = quick.phase(&id("a"));
        quick.deal(&id("a"), SignedDuration::from_secs(1));
        assert_eq!(quick.phase(&id("a")), before);
    }

    #[test]
    fn r43_what_is_postponed_is_neither_a_failure_nor_a_success() {
        let mut schedule = schedule(&["a"], 1);
        let due = schedule.next_due().unwrap();
        start(&mut schedule, due);
        schedule.finished(&id("a"), Ended::Failed, due, 0.0);
        let due = schedule.next_due().unwrap();
        start(&mut schedule, due);
        schedule.finished(&id("a"), Ended::Postponed, due, 0.0);
        assert_eq!(schedule.failing().count(), 1, "as before");
        let mut schedule = self::schedule(&["a"], 1);
        for hour in 1..=3 {
            let due = schedule.next_due().unwrap();
            start(&mut schedule, due);
            schedule.finished(&id("a"), Ended::Postponed, due, 0.0);
            let next = schedule.next_due().unwrap();
            assert_eq!(next.duration_since(due).as_hours(), 1, "{hour}");
        }
        assert_eq!(schedule.failing().count(), 0);
        assert_eq!(schedule.stale(at(4 * 3600)), [id("a")]);
    }

    #[test]
    fn r2_every_integration_runs_within_each_hour_at_its_own_moment() {
        let names: Vec<String> = (0..100).map(|n| format!("building-{n}")).collect();
        let mut moments = std::collections::BTreeSet::new();
        for name in &names {
            let mut schedule = schedule(&[name], 1);
            let first = schedule.next_due().unwrap();
            assert!(first > at(0) && first <= at(3600));
            let started = start(&mut schedule, first);
            assert_eq!(started, [(id(name), RunId(1), Cause::Schedule)]);
            schedule.finished(&id(name), Ended::Good, first, 0.0);
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

    /// Hours of two thousand integrations by a clock that jumps from event to event: how many runs there were, and
    /// by how much one was late at the most.
    fn hours(hours: i64, workers: usize, takes: SignedDuration) -> (usize, SignedDuration) {
        let mut chance = fastrand::Rng::with_seed(7);
        let mut schedule = Schedule::new(workers, None);
        for number in 0..2_000 {
            let id = id(&format!("building-{number}"));
            schedule.adopt(&id, Some(HOUR), success(at(0)), at(0), chance.f64());
        }
        let mut under_way = BTreeMap::new();
        let (mut now, mut runs, mut longest) = (at(0), 0, SignedDuration::ZERO);
        while now <= at(hours * 3_600) {
            for (id, run, _) in start(&mut schedule, now) {
                let due = schedule.entries[&id].due;
                longest = longest.max(now.duration_since(due));
                under_way.insert((now + takes, run), id);
                runs += 1;
            }
            let ends = under_way.first_key_value().map(|((ends, _), _)| *ends);
            let due = schedule.next_due().filter(|_| under_way.len() < workers);
            now = ends.into_iter().chain(due).min().unwrap();
            while let Some(first) = under_way.first_entry()
                && first.key().0 <= now
            {
                schedule.finished(&first.remove(), Ended::Good, now, chance.f64());
            }
        }
        (runs, longest)
    }

    #[test]
    fn r2_of_two_thousand_integrations_none_is_late_by_more_than_its_jitter() {
        // Many times what 500 residents take, so that the two workers are busy nearly all of the hour.
        let takes = SignedDuration::from_secs(3);
        let (runs, longest) = hours(3, 2, takes);
        assert!(longest <= HOUR.jitter, "{longest:#}");
        assert!((2_000 * 2..=2_000 * 4).contains(&runs), "{runs}");
        // One worker is too few for them, and the clock of this test shows it.
        let (_, longest) = hours(1, 1, takes);
        assert!(longest > HOUR.jitter, "{longest:#}");
    }

    #[test]
    fn r2_a_run_missed_while_the_daemon_was_down_is_made_up_once_at_start() {
        let mut schedule = Schedule::new(2, Some(RunId(7)));
        schedule.adopt(&id("a"), Some(HOUR), success(at(-7200)), at(0), 0.0);
        assert_eq!(
            start(&mut schedule, at(0)),
            [(id("a"), RunId(8), Cause::Start)]
        );
        schedule.finished(&id("a"), Ended::Good, at(5), 0.0);
        assert_eq!(start(&mut schedule, at(6)), []);
        assert!(schedule.next_due().unwrap() > at(6));
    }

    #[test]
    fn r3_requests_during_a_run_become_one_more_run() {
        let mut schedule = schedule(&["a"], 2);
        let first = schedule.request(&id("a"), at(0)).unwrap();
        assert_eq!(
            schedule.request(&id("a"), at(0)),
            Some(first),
            "still queued"
        );
        assert_eq!(
            start(&mut schedule, at(1)),
            [(id("a"), first, Cause::Manual)]
        );
        let second = schedule.request(&id("a"), at(0)).unwrap();
        assert_ne!(first, second);
        for _ in 0..5 {
            assert_eq!(schedule.request(&id("a"), at(0)), Some(second));
        }
        assert_eq!(
            start(&mut schedule, at(2)),
            [],
            "one run per integration at a time"
        );
        schedule.finished(&id("a"), Ended::Good, at(3), 0.0);
        assert_eq!(
            start(&mut schedule, at(3)),
            [(id("a"), second, Cause::Manual)]
        );
        schedule.finished(&id("a"), Ended::Good, at(4), 0.0);
        assert_eq!(start(&mut schedule, at(4)), []);
    }

    #[test]
    fn requests_go_before_the_clock_and_workers_are_not_exceeded() {
        let mut schedule = schedule(&["a", "b", "c"], 1);
        let asked = schedule.request(&id("c"), at(0)).unwrap();
        assert_eq!(
            start(&mut schedule, at(7200)),
            [(id("c"), asked, Cause::Manual)]
        );
        assert_eq!(start(&mut schedule, at(7200)), []);
        schedule.finished(&id("c"), Ended::Good, at(7200), 0.0);
        assert_eq!(start(&mut schedule, at(7200)).len(), 1);
    }

    #[test]
    fn what_is_switched_off_neither_runs_nor_can_be_asked_for() {
        let mut schedule = schedule(&["a"], 1);
        schedule.adopt(&id("a"), None, success(at(0)), at(0), 0.0);
        assert_eq!(schedule.request(&id("a"), at(0)), None);
        assert_eq!(start(&mut schedule, at(9999)), []);
        assert_eq!(schedule.next_due(), None);
        schedule.adopt(&id("a"), Some(HOUR), success(at(0)), at(9999), 0.0);
        assert_eq!(
            start(&mut schedule, at(9999)).len(),
            1,
            "switched on again, a missed run is made up"
        );
    }

    #[test]
    fn r28_a_failing_source_is_asked_ever_more_rarely_up_to_a_cap() {
        let mut schedule = schedule(&["a"], 1);
        let mut hours = Vec::new();
        for _ in 0..6 {
            let due = schedule.next_due().unwrap();
            start(&mut schedule, due);
            schedule.finished(&id("a"), Ended::Failed, due, 0.0);
            hours.push(schedule.next_due().unwrap().duration_since(due).as_hours());
        }
        assert_eq!(hours, [1, 2, 4, 8, 8, 8]);
        // A success ends it.
        let due = schedule.next_due().unwrap();
        start(&mut schedule, due);
        schedule.finished(&id("a"), Ended::Good, due, 0.0);
        let next = schedule.next_due().unwrap();
        assert_eq!(next.duration_since(due).as_hours(), 1);
    }

    #[test]
    fn r28_a_changed_config_ends_the_quarantine_at_once() {
        let mut schedule = schedule(&["a"], 1);
        for _ in 0..4 {
            let due = schedule.next_due().unwrap();
            start(&mut schedule, due);
            schedule.finished(&id("a"), Ended::Failed, due, 0.0);
        }
        let now = schedule.next_due().unwrap() - SignedDuration::from_hours(5);
        assert_eq!(start(&mut schedule, now), []);
        let changed = Known {
            generation: Some(2),
            last_success: Some(at(0)),
            ..success(at(0))
        };
        schedule.adopt(&id("a"), Some(HOUR), changed, now, 0.0);
        assert_eq!(start(&mut schedule, now).len(), 1);
    }

    #[test]
    fn r41_who_is_not_understood_is_asked_in_its_rhythm_and_at_once_by_other_files() {
        let mut schedule = schedule(&["a"], 1);
        for _ in 0..3 {
            let due = schedule.next_due().unwrap();
            start(&mut schedule, due);
            schedule.finished(&id("a"), Ended::NotUnderstood, due, 0.0);
            let next = schedule.next_due().unwrap();
            assert_eq!(next.duration_since(due).as_hours(), 1, "no back-off");
        }
        assert_eq!(schedule.failing().count(), 0);
        let now = schedule.next_due().unwrap() - SignedDuration::from_mins(30);
        assert_eq!(start(&mut schedule, now), []);
        let known = |generation| Known {
            generation: Some(generation),
            last_success: Some(at(0)),
            ..success(at(0))
        };
        schedule.adopt(&id("a"), Some(HOUR), known(1), now, 0.0);
        assert_eq!(start(&mut schedule, now), [], "the same files");
        schedule.adopt(&id("a"), Some(HOUR), known(2), now, 0.0);
        assert_eq!(start(&mut schedule, now).len(), 1);
        schedule.finished(&id("a"), Ended::Good, now, 0.0);
        schedule.adopt(&id("a"), Some(HOUR), known(3), now, 0.0);
        assert_eq!(start(&mut schedule, now), [], "it is cured");
    }

    #[test]
    fn r41_who_is_not_understood_is_stale_in_the_end() {
        let mut schedule = schedule(&["a"], 1);
        let hours = |hours: i64| at(hours * 3600);
        for hour in 1..4 {
            start(&mut schedule, hours(hour));
            schedule.finished(&id("a"), Ended::NotUnderstood, hours(hour), 0.0);
        }
        assert_eq!(schedule.stale(hours(4)), [id("a")]);
    }

    #[test]
    fn r28_in_quarantine_a_request_is_heard_all_the_same() {
        let mut schedule = schedule(&["a"], 1);
        for _ in 0..4 {
            let due = schedule.next_due().unwrap();
            start(&mut schedule, due);
            schedule.finished(&id("a"), Ended::Failed, due, 0.0);
        }
        let run = schedule.request(&id("a"), at(0)).unwrap();
        assert_eq!(start(&mut schedule, at(0)), [(id("a"), run, Cause::Manual)]);
    }

    #[test]
    fn r28_three_missed_hours_are_told_once_until_a_success() {
        let mut schedule = schedule(&["a"], 1);
        let hours = |hours: i64| at(hours * 3600);
        assert_eq!(schedule.stale(hours(3)), []);
        // A held run is no success.
        start(&mut schedule, hours(3));
        schedule.finished(&id("a"), Ended::Held, hours(3), 0.0);
        let late = hours(3) + SignedDuration::from_mins(6);
        assert_eq!(schedule.stale(late), [id("a")]);
        assert_eq!(schedule.stale(hours(4)), [], "once");
        start(&mut schedule, hours(5));
        schedule.finished(&id("a"), Ended::Good, hours(5), 0.0);
        assert_eq!(schedule.stale(hours(8)), []);
        assert_eq!(schedule.stale(hours(9)), [id("a")]);
        // What is switched off is not expected to run.
        schedule.adopt(&id("a"), None, success(at(0)), hours(9), 0.0);
        assert_eq!(schedule.stale(hours(99)), []);
        schedule.adopt(&id("a"), Some(HOUR), success(at(0)), hours(99), 0.0);
        assert_eq!(schedule.stale(hours(100)), []);
    }

    /// B5: three hours ahead for a minute, two years ahead once, a day back.
    #[test]
    fn r45_whatever_the_wall_clock_does_runs_are_a_rhythm_and_the_jitter_apart_at_most() {
        use crate::daemon::clock::testing::{goes_by, is_set, steady};

        let clock = steady();
        let mut schedule = Schedule::new(1, None);
        schedule.adopt(&id("a"), Some(HOUR), success(clock.now()), clock.now(), 0.5);
        let set = [3 * 3600, -3 * 3600, 63_072_000, -86_400, -31_536_000, 7];
        let mut last = clock.now();
        let mut runs = 0;
        for minute in 0_u32..2_880 {
            if minute % 97 == 0 {
                is_set(set[(minute / 97) as usize % set.len()]);
            }
            goes_by(60);
            assert_eq!(schedule.stale(clock.now()), []);
            for (name, _, cause) in start(&mut schedule, clock.now()) {
                assert_eq!(cause, Cause::Schedule);
                let apart = clock.now().duration_since(last);
                assert!(
                    apart <= HOUR.every + HOUR.jitter + SignedDuration::from_mins(1),
                    "{apart}"
                );
                (last, runs) = (clock.now(), runs + 1);
                schedule.finished(&name, Ended::Good, clock.now(), 0.5);
            }
        }
        assert!((46..=48).contains(&runs), "{runs} runs in two days");
    }

    #[test]
    fn r45_wherever_the_clock_was_that_the_store_was_written_by_a_run_is_due_after_a_rhythm() {
        let years = SignedDuration::from_hours(2 * 366 * 24);
        for apart in [SignedDuration::ZERO, SignedDuration::from_mins(30)] {
            for known in [at(0) + years, at(0) - years, at(1), at(0)] {
                let mut schedule = Schedule::new(1, None);
                let known = Known {
                    apart,
                    ..success(known)
                };
                schedule.adopt(&id("a"), Some(HOUR), known, at(0), 1.0);
                let (_, due) = schedule.phase(&id("a")).unwrap();
                assert!(due.unwrap() <= at(0) + HOUR.every + HOUR.jitter, "{due:?}");
                // Told only after the run that was missed has had its turn.
                assert_eq!(schedule.stale(at(0)), []);
            }
        }
    }

    /// The demo met it: a run that was made up a second before its moment was postponed for a wait of a second.
    #[test]
    fn r43_a_run_that_begins_just_before_its_moment_may_wait_for_the_one_after() {
        let schedule = schedule(&["a"], 1);
        for seconds in 0..7_200 {
            let wait = schedule.may_wait(&id("a"), at(seconds)).unwrap();
            assert!(wait >= HOUR.every / 2, "{wait}");
            assert!(wait <= HOUR.every * 3 / 2, "{wait}");
        }
    }
}
