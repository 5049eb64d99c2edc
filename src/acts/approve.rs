//! Approving a plan that the guard holds (R27): somebody's word, kept until the next run or until it expires.
//! It carries nothing out: the next run does, when it asks for no more than was approved.

use jiff::{SignedDuration, Timestamp};

use crate::model::{Actor, Approval, IntegrationId, Outcome, RunId};
use crate::store::Store;

use super::ActError;

/// What is approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approve {
    /// The run that held the plan.
    pub run: RunId,
    /// The plan's digest, where the caller names it.
    pub digest: Option<String>,
}

/// Approves the plan that `asked.run` held, for `lasts`. Returns whose run it was.
pub fn approve(
    store: &Store,
    asked: &Approve,
    by: Actor,
    now: Timestamp,
    lasts: impl FnOnce(&IntegrationId) -> SignedDuration,
) -> Result<IntegrationId, ActError> {
    let run = asked.run;
    let report = store.read()?.run(run)?.ok_or_else(|| {
        ActError::NotFound(format!("there is no run {run}; `epms runs` lists them"))
    })?;
    let integration = report.integration;
    let Outcome::Held { digest, .. } = report.outcome else {
        return Err(ActError::Refused(format!(
            "{run} is {}: only a held run can be approved",
            report.outcome.as_str()
        )));
    };
    let write = store.write()?;
    let mut state = write.guard(&integration)?;
    // A run that holds the same plan again waits for the same word.
    let plan = state
        .held
        .clone()
        .filter(|held| held.run == run || held.digest == digest)
        .ok_or_else(|| {
            ActError::Refused(match &state.held {
                Some(held) => format!(
                    "{run} does not wait any more: {} holds another plan; look at it, then approve that",
                    held.run
                ),
                None => format!("{run} does not wait any more: a later run of `{integration}` passed"),
            })
        })?;
    if let Some(asked) = &asked.digest
        && *asked != plan.digest
    {
        return Err(ActError::Refused(format!(
            "{run} holds the plan {}, not {asked}; look at it again",
            plan.digest
        )));
    }
    let expires = now
        .checked_add(lasts(&integration))
        .unwrap_or(Timestamp::MAX);
    state.approval = Some(Approval {
        plan,
        by,
        at: now,
        expires,
    });
    write.put_guard(&integration, &state)?;
    write.commit()?;
    Ok(integration)
}
