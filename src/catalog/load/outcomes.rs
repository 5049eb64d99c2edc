//! What a load did, integration by integration and target by target. Pure.

use crate::model::{Problem, ReloadOutcome, Reloaded, ReloadedTarget};

use super::super::{Catalog, TargetSlot};

/// What a load did to each integration.
pub fn outcomes(before: &Catalog, after: &Catalog) -> Vec<Reloaded> {
    after
        .integrations
        .iter()
        .map(|(id, slot)| {
            let generation = slot
                .current
                .as_ref()
                .map(|integration| integration.generation);
            let old = before.integrations.get(id);
            let old_generation = old
                .and_then(|slot| slot.current.as_ref())
                .map(|integration| integration.generation);
            let is_same =
                generation == old_generation && !old.is_some_and(|old| old.removed || old.stopped);
            Reloaded {
                id: id.clone(),
                outcome: outcome(&slot.problems, slot.removed, is_same),
                generation,
                problems: slot.problems.clone(),
            }
        })
        .collect()
}

/// What a load did to each target.
pub fn outcomes_of_targets(before: &Catalog, after: &Catalog) -> Vec<ReloadedTarget> {
    let all = after.targets.iter();
    let outcomes = all.map(|(id, slot)| {
        let generation = |slot: &TargetSlot| slot.current.as_ref().map(|one| one.generation);
        let old = before.targets.get(id);
        let is_same = old.is_some_and(|old| !old.removed && generation(old) == generation(slot));
        ReloadedTarget {
            id: id.clone(),
            outcome: outcome(&slot.problems, slot.removed, is_same),
            generation: generation(slot),
            problems: slot.problems.clone(),
        }
    });
    outcomes.collect()
}

fn outcome(problems: &[Problem], removed: bool, is_same: bool) -> ReloadOutcome {
    if !problems.is_empty() {
        ReloadOutcome::Rejected
    } else if removed {
        ReloadOutcome::Removed
    } else if is_same {
        ReloadOutcome::Unchanged
    } else {
        ReloadOutcome::Loaded
    }
}
