//! What is forgotten at the end of a run: old runs of its integration, old changes and old alerts that are not open;
//! never a person, nor the last change of one. Age is counted in hours that daemons were up (R45). What to forget is
//! decided in pure functions.

use std::collections::BTreeSet;

use crate::config::{Retention, Span};
use crate::model::{IntegrationId, RunId};
use crate::store::{StoreError, Uptime, Write};

/// A run forgets so much at most: what has piled up goes bit by bit, and holds nobody up.
const AT_ONCE: usize = 1000;

/// By what is forgotten.
#[derive(Debug, Clone, Copy)]
pub(super) struct Forgetting {
    pub(super) retention: Retention,
    /// How long this daemon has been up.
    pub(super) up: Uptime,
}

/// The runs to forget of an integration, whose kept runs are `ids`, oldest first. Those of `needed` stay.
fn runs_to_forget(
    ids: &[RunId],
    needed: &BTreeSet<RunId>,
    retention: &Retention,
    is_old: impl Fn(RunId) -> Result<bool, StoreError>,
) -> Result<Vec<RunId>, StoreError> {
    let too_many = ids.len().saturating_sub(retention.most_runs);
    let mut forgotten = Vec::new();
    for (place, id) in ids.iter().enumerate() {
        if forgotten.len() == AT_ONCE || needed.contains(id) {
            continue;
        }
        if place >= too_many && !is_old(*id)? {
            break;
        }
        forgotten.push(*id);
    }
    Ok(forgotten)
}

fn hours(age: Span) -> u64 {
    age.0.as_secs() / 3600
}

/// Forgets what need not be kept any more, in the transaction of a run of `id`.
pub(super) fn forget(
    write: &Write,
    id: &IntegrationId,
    forgetting: &Forgetting,
) -> Result<(), StoreError> {
    let Forgetting { retention, .. } = forgetting;
    write.forget_alerts(hours(retention.alerts), AT_ONCE)?;
    let (from, _) = write.change_numbers()?;
    let older = write.older_than(hours(retention.changes))?;
    let count = write.count_changes_from(from)?;
    let too_many = count.saturating_sub(retention.most_changes);
    let kept = write.changes_up_to(from, AT_ONCE, |place, seq, at| {
        Ok(place < too_many || older.has_change(seq, || Ok(Some(at)))?)
    })?;
    if kept > from {
        write.forget_changes_before(kept)?;
    }
    let ids = write.run_ids(id)?;
    let older = write.older_than(hours(retention.runs))?;
    let is_old = |id| older.has_run(id, || Ok(write.run(id)?.map(|run| run.started)));
    let nothing = BTreeSet::new();
    if !runs_to_forget(&ids, &nothing, retention, is_old)?.is_empty() {
        let needed = needed(write, id)?;
        for run in runs_to_forget(&ids, &needed, retention, is_old)? {
            write.forget_run(id, run)?;
        }
    }
    write.forget_hours_before(hours(retention.runs.max(retention.changes)))
}

/// Runs that something refers to: the last one, a plan that waits, an open alert.
fn needed(write: &Write, id: &IntegrationId) -> Result<BTreeSet<RunId>, StoreError> {
    let mut needed: BTreeSet<RunId> = write.history(id)?.last_run.into_iter().collect();
    let guard = write.guard(id)?;
    needed.extend(guard.held.map(|plan| plan.run));
    needed.extend(guard.since_upgrade.map(|plan| plan.run));
    let approvals = [guard.approval, guard.since_upgrade_approval];
    needed.extend(approvals.into_iter().flatten().map(|one| one.plan.run));
    let understanding = guard.understanding;
    needed.extend(understanding.waits.map(|plan| plan.run));
    needed.extend(understanding.approval.map(|approval| approval.plan.run));
    let open = write.open_alerts(id)?;
    needed.extend(open.values().map(|alert| alert.raised_by));
    Ok(needed)
}
