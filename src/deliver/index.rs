//! What a worker keeps in memory of a target's people: who is due when, who loses something, and how many stand where. Made
//! anew from the store at every start; decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{IntegrationId, PersonId, Tally};

use super::lane::{GrantState, Lane};
use super::record::{Due, Record, Ways};
use super::{Permit, Planned, Recent, Step, Timing, is_too_much};
use crate::config::TargetGuard;

/// Of one person.
#[derive(Debug, Clone, Default)]
struct Entry {
    tally: Tally,
    /// When the lane is looked at next.
    next: Option<Timestamp>,
    /// When what is wanted becomes another.
    again: Option<Timestamp>,
    open_since: Option<Timestamp>,
    has_anything: bool,
}

/// What of one person somebody should know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Grants that are refused, with the target's word.
    pub(super) refused: Vec<(String, String)>,
    /// Grants that never become as they were sent.
    pub(super) not_converging: Vec<String>,
    /// Grants that are ours, and that nobody here knows of.
    pub(super) found: Vec<String>,
    /// Grants that a door has not heard of.
    pub(super) visit: Vec<String>,
    /// Units without a place.
    pub(super) unmapped: BTreeSet<(IntegrationId, String)>,
    /// Why the script said nothing.
    pub(super) wrong: Option<String>,
}

impl Told {
    fn is_nothing(&self) -> bool {
        *self == Told::default()
    }

    fn of(record: &Record) -> Told {
        let mut told = Told {
            unmapped: record.unmapped.clone(),
            wrong: record.wrong.clone(),
            ..Told::default()
        };
        for (key, granted) in &record.lane.grants {
            match &granted.state {
                GrantState::Parked {
                    does_not_converge: true,
                    ..
                } => told.not_converging.push(key.clone()),
                GrantState::Parked { why, .. } => told.refused.push((key.clone(), why.clone())),
                GrantState::Visit => told.visit.push(key.clone()),
                GrantState::Sent | GrantState::Confirmed | GrantState::Unknown => {}
            }
            if granted.is_found {
                told.found.push(key.clone());
            }
        }
        told
    }
}

/// Of everybody.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: BTreeMap<PersonId, Entry>,
    queue: BTreeSet<(Timestamp, PersonId)>,
    moments: BTreeSet<(Timestamp, PersonId)>,
    losing: BTreeSet<PersonId>,
    open: BTreeSet<(Timestamp, PersonId)>,
    telling: BTreeMap<PersonId, Told>,
    /// How many people have anything there.
    served: usize,
    tally: Tally,
    /// What somebody should know is not what it was when that was taken last.
    has_news: bool,
    /// The guard holds what is taken away.
    pub(super) is_held: bool,
    /// By how much the latest moment was missed, in seconds.
    pub(super) late: u64,
}

impl Index {
    /// Takes over how a person stands now; none where nothing is kept of them.
    pub(super) fn put(
        &mut self,
        person: PersonId,
        record: Option<&Record>,
        ways: &Ways,
        timing: &Timing,
        now: Timestamp,
    ) {
        if let Some(before) = self.entries.remove(&person) {
            subtract(&mut self.tally, &before.tally);
            before.next.map(|next| self.queue.remove(&(next, person)));
            before
                .again
                .map(|again| self.moments.remove(&(again, person)));
            before
                .open_since
                .map(|since| self.open.remove(&(since, person)));
            self.served -= usize::from(before.has_anything);
        }
        self.losing.remove(&person);
        let told = record.map(Told::of).filter(|told| !told.is_nothing());
        if self.telling.get(&person) != told.as_ref() {
            self.has_news = true;
            match told {
                Some(told) => drop(self.telling.insert(person, told)),
                None => drop(self.telling.remove(&person)),
            }
        }
        let Some(record) = record else { return };
        let due = record.due(ways, self.is_held);
        if record.loses(ways) {
            self.losing.insert(person);
        }
        let tally = record.tally(&due);
        let entry = Entry {
            has_anything: has_anything(&tally),
            tally,
            next: next(&record.lane, &due, timing, now),
            again: record.again,
            open_since: record.open_since,
        };
        self.served += usize::from(entry.has_anything);
        entry
            .open_since
            .map(|since| self.open.insert((since, person)));
        add(&mut self.tally, &entry.tally);
        entry.next.map(|next| self.queue.insert((next, person)));
        entry
            .again
            .map(|again| self.moments.insert((again, person)));
        self.entries.insert(person, entry);
    }

    /// Those whose lanes are due, the longest waiting first.
    pub(super) fn due(&self, now: Timestamp) -> impl Iterator<Item = PersonId> {
        let due = self.queue.iter().take_while(move |(at, _)| *at <= now);
        due.map(|(_, person)| *person)
    }

    /// Those whose moment has come, the oldest first.
    pub(super) fn moments(&self, now: Timestamp) -> impl Iterator<Item = (Timestamp, PersonId)> {
        self.moments
            .iter()
            .take_while(move |(at, _)| *at <= now)
            .copied()
    }

    /// When something is due next, those apart who are being asked about.
    pub(super) fn next(&self, without: &BTreeSet<PersonId>) -> Option<Timestamp> {
        let queue = self.queue.iter().find(|(_, who)| !without.contains(who));
        let moment = self.moments.first();
        queue.into_iter().chain(moment).map(|(at, _)| *at).min()
    }

    /// Looks anew at whether the guard holds what is taken away. Gives those for whom it makes a difference.
    pub(super) fn judge(
        &mut self,
        recent: &Recent,
        limits: &TargetGuard,
        now: Timestamp,
    ) -> Vec<PersonId> {
        let held = is_too_much(&self.losing, recent, self.served, limits, now);
        if held == self.is_held {
            return Vec::new();
        }
        self.is_held = held;
        self.has_news = true;
        self.losing.iter().copied().collect()
    }

    /// How many people anything is kept of.
    pub(super) fn people(&self) -> u64 {
        self.entries.len() as u64
    }

    /// How many grants stand where.
    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    /// Since when the oldest that may be sent was not.
    pub(super) fn oldest_wanted(&self) -> Option<Timestamp> {
        self.open.first().map(|(since, _)| *since)
    }

    /// What somebody should know, of everybody.
    pub(super) fn told(&self) -> impl Iterator<Item = (PersonId, &Told)> {
        let told = self.telling.iter();
        told.map(|(person, told)| (*person, told))
    }

    /// What is told is another, though nobody's record is.
    pub(super) fn tell_again(&mut self) {
        self.has_news = true;
    }

    /// Whether what somebody should know is another since this was asked last.
    pub(super) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.has_news)
    }
}

/// When a lane is looked at next; none where only something that happens makes a difference.
fn next(lane: &Lane, due: &[Due], timing: &Timing, now: Timestamp) -> Option<Timestamp> {
    match step(lane, due, timing, now) {
        Step::Rest { until } => until,
        Step::Look | Step::Act(_) => Some(now),
    }
}

/// What a lane does next.
pub(super) fn step(lane: &Lane, due: &[Due], timing: &Timing, now: Timestamp) -> Step {
    let planned: Vec<Planned> = due.iter().map(|due| due.planned.clone()).collect();
    let goes = |planned: &Planned| {
        due.iter()
            .any(|due| due.permit == Permit::Goes && due.planned == *planned)
    };
    lane.next(&planned, goes, timing, now)
}

fn has_anything(tally: &Tally) -> bool {
    tally.confirmed + tally.sent + tally.unknown + tally.visit + tally.parked > 0
}

fn add(tally: &mut Tally, more: &Tally) {
    for (one, other) in parts(tally).into_iter().zip(parts(&mut more.clone())) {
        *one += *other;
    }
}

fn subtract(tally: &mut Tally, less: &Tally) {
    for (one, other) in parts(tally).into_iter().zip(parts(&mut less.clone())) {
        *one = one.saturating_sub(*other);
    }
}

fn parts(tally: &mut Tally) -> [&mut u64; 8] {
    [
        &mut tally.wanted,
        &mut tally.waiting,
        &mut tally.held,
        &mut tally.sent,
        &mut tally.confirmed,
        &mut tally.unknown,
        &mut tally.parked,
        &mut tally.visit,
    ]
}
