//! What a reload did, in the log. Decides nothing.

use crate::model::{ReloadOutcome, ReloadedTarget};

use super::super::Catalog;
use super::Loaded;

/// Logs what a reload did, once for each change.
pub(super) fn tell(before: &Catalog, loaded: &Loaded) {
    tell_targets(before, &loaded.targets);
    for reloaded in &loaded.integrations {
        let id = &reloaded.id;
        let old = before.integrations.get(id);
        match reloaded.outcome {
            ReloadOutcome::Unchanged => {}
            ReloadOutcome::Loaded => {
                tracing::info!(integration = %id, generation = reloaded.generation, "integration loaded");
            }
            ReloadOutcome::Removed if old.is_some_and(|old| old.removed) => {}
            ReloadOutcome::Removed => {
                tracing::warn!(integration = %id, "integration file is gone; it is paused and its people stay");
            }
            ReloadOutcome::Rejected if old.is_some_and(|old| old.problems == reloaded.problems) => {
            }
            ReloadOutcome::Rejected => {
                for problem in &reloaded.problems {
                    tracing::error!(integration = %id, generation = reloaded.generation, %problem, "files refused; the generation before goes on");
                }
            }
        }
    }
    for problem in loaded
        .problems
        .iter()
        .filter(|problem| !before.problems.contains(problem))
    {
        tracing::error!(%problem, "file refused");
    }
}

/// Logs what a reload did to targets, once for each change.
fn tell_targets(before: &Catalog, targets: &[ReloadedTarget]) {
    for reloaded in targets {
        let id = &reloaded.id;
        let old = before.targets.get(id);
        match reloaded.outcome {
            ReloadOutcome::Unchanged => {}
            ReloadOutcome::Loaded => {
                tracing::info!(target_id = %id, generation = reloaded.generation, "target loaded");
            }
            ReloadOutcome::Removed if old.is_some_and(|old| old.removed) => {}
            ReloadOutcome::Removed => {
                tracing::warn!(target_id = %id, "the file of a target is gone; nothing is sent there, and what was granted stays");
            }
            ReloadOutcome::Rejected if old.is_some_and(|old| old.problems == reloaded.problems) => {
            }
            ReloadOutcome::Rejected => {
                for problem in &reloaded.problems {
                    tracing::error!(target_id = %id, generation = reloaded.generation, %problem, "files refused; the generation before goes on");
                }
            }
        }
    }
}
