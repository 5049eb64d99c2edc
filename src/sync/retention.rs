//! What is forgotten at the end of a run: old runs of its integration and old changes, never a person, nor the last
//! change of one. What to forget is decided in pure functions.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::config::{Retention, Span};
use crate::model::{AlertState, IntegrationId, RunId};
use crate::store::{StoreError, Write};

/// A run forgets so much at most: what has piled up goes bit by bit, and holds nobody up.
const AT_ONCE: usize = 1000;

/// The runs to forget of an integration, whose kept runs are `ids`, oldest first. Those of `needed` stay.
fn runs_to_forget(
    ids: &[RunId],
    needed: &BTreeSet<RunId>,
    retention: &Retention,
    now: Timestamp,
    started: impl Fn(RunId) -> Result<Option<Timestamp>, StoreError>,
) -> Result<Vec<RunId>, StoreError> {
    let too_many = ids.len().saturating_sub(retention.most_runs);
    let mut forgotten = Vec::new();
    for (place, id) in ids.iter().enumerate() {
        if forgotten.len() == AT_ONCE || needed.contains(id) {
            continue;
        }
        let is_old = |at: Timestamp| is_older(at, retention.runs, now);
        if place >= too_many && !started(*id)?.is_none_or(is_old) {
            break;
        }
        forgotten.push(*id);
    }
    Ok(forgotten)
}

/// The number from which on every change is kept: `from` until now, where the next change gets the number `next`.
fn changes_kept_from(
    from: u64,
    next: u64,
    retention: &Retention,
    now: Timestamp,
    at: impl Fn(u64) -> Result<Option<Timestamp>, StoreError>,
) -> Result<u64, StoreError> {
    let too_many = next.saturating_sub(retention.most_changes);
    let furthest = next.min(from.saturating_add(AT_ONCE as u64));
    let mut seq = from;
    while seq < furthest {
        let is_old = |at: Timestamp| is_older(at, retention.changes, now);
        if seq >= too_many && !at(seq)?.is_none_or(is_old) {
            break;
        }
        seq += 1;
    }
    Ok(seq)
}

fn is_older(at: Timestamp, age: Span, now: Timestamp) -> bool {
    let age = SignedDuration::try_from(age.0).unwrap_or(SignedDuration::MAX);
    now.duration_since(at) > age
}

/// Forgets what need not be kept any more, in the transaction of a run of `id`.
pub(super) fn forget(
    write: &Write,
    id: &IntegrationId,
    retention: &Retention,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (from, next) = write.change_numbers()?;
    let kept = changes_kept_from(from, next, retention, now, |seq| write.change_time(seq))?;
    if kept > from {
        write.forget_changes_before(kept)?;
    }
    let ids = write.run_ids(id)?;
    let started = |id| Ok(write.run(id)?.map(|run| run.started));
    let nothing = BTreeSet::new();
    if runs_to_forget(&ids, &nothing, retention, now, started)?.is_empty() {
        return Ok(());
    }
    let needed = needed(write, id)?;
    for run in runs_to_forget(&ids, &needed, retention, now, started)? {
        write.forget_run(id, run)?;
    }
    Ok(())
}

/// Runs that something refers to: the last one, a plan that waits, an open alert.
fn needed(write: &Write, id: &IntegrationId) -> Result<BTreeSet<RunId>, StoreError> {
    let mut needed: BTreeSet<RunId> = write.history(id)?.last_run.into_iter().collect();
    let guard = write.guard(id)?;
    needed.extend(guard.held.map(|plan| plan.run));
    needed.extend(guard.approval.map(|approval| approval.plan.run));
    let alerts = write.alerts(id)?;
    let open = alerts.values().filter(|one| one.state == AlertState::Open);
    needed.extend(open.map(|alert| alert.raised_by));
    Ok(needed)
}
