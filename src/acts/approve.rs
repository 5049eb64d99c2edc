//! Approving a plan that the guard holds (R27), or a run that did not understand its records (R41): somebody's word,
//! kept until the next run or until it expires. It carries nothing out: the next run does, when it asks for no more
//! than was approved.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::model::{
    Actor, Approval, ApprovedGaps, GuardState, HeldPlan, IntegrationId, NotUnderstood, Outcome,
    Run, RunId,
};
use crate::store::{Store, Write};

use super::ActError;

/// Which plan is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approve {
    /// The run that held the plan.
    pub run: RunId,
    /// The plan's digest, where the caller names it.
    pub digest: Option<String>,
}

/// Approves the plan that `asked.run` held, or what it may leave out, for `lasts`. Returns whose run it was.
pub fn approve(
    store: &Store,
    asked: &Approve,
    by: Actor,
    now: Timestamp,
    lasts: impl FnOnce(&IntegrationId) -> SignedDuration,
) -> Result<IntegrationId, ActError> {
    let Stands {
        write,
        report,
        mut state,
    } = stands(store, asked.run)?;
    let integration = report.integration;
    let expires = expires(now, lasts(&integration));
    match &report.outcome {
        Outcome::Held { digest, .. } => {
            let plan = waiting(asked, digest, &integration, state.held.as_ref())?.clone();
            state.approval = Some(Approval {
                plan,
                by,
                at: now,
                expires,
            });
            state.rejected = None;
        }
        Outcome::NotUnderstood { digest, .. } => {
            let waits = state.understanding.waits.as_ref();
            let plan = waiting(asked, digest, &integration, waits)?.clone();
            state.understanding.approval = Some(ApprovedGaps {
                plan,
                by,
                at: now,
                expires,
            });
        }
        other => {
            return Err(ActError::Refused(format!(
                "{} is {}: only a run that is held or not_understood can be approved",
                asked.run,
                other.as_str()
            )));
        }
    }
    write.put_guard(&integration, &state)?;
    write.commit()?;
    Ok(integration)
}

/// Approves what only the rules of a new version would take: at each of these integrations the plan of this digest, for as
/// long as `lasts` says. All of them, or none.
pub fn approve_since_upgrade(
    store: &Store,
    asked: &BTreeMap<IntegrationId, String>,
    by: &Actor,
    now: Timestamp,
    lasts: impl Fn(&IntegrationId) -> SignedDuration,
) -> Result<(), ActError> {
    let write = store.write()?;
    for (integration, digest) in asked {
        let mut state = write.guard(integration)?;
        let plan = state.since_upgrade.clone().ok_or_else(|| {
            ActError::Refused(format!(
                "nothing of `{integration}` waits since an upgrade any more; look at it again"
            ))
        })?;
        if *digest != plan.digest {
            return Err(ActError::Refused(format!(
                "of `{integration}` the plan {} waits since the upgrade, not {digest}; look at it again",
                plan.digest
            )));
        }
        state.since_upgrade_approval = Some(Approval {
            plan,
            by: by.clone(),
            at: now,
            expires: expires(now, lasts(integration)),
        });
        write.put_guard(integration, &state)?;
    }
    write.commit()?;
    Ok(())
}

fn expires(now: Timestamp, lasts: SignedDuration) -> Timestamp {
    now.checked_add(lasts).unwrap_or(Timestamp::MAX)
}

/// How a run and its integration stand, in a transaction under way.
pub(super) struct Stands {
    pub(super) write: Write,
    pub(super) report: Run,
    pub(super) state: GuardState,
}

/// How the run that is asked about stands.
pub(super) fn stands(store: &Store, run: RunId) -> Result<Stands, ActError> {
    let write = store.write()?;
    let report = write.run(run)?.ok_or_else(|| {
        ActError::NotFound(format!("there is no run {run}; `epms runs` lists them"))
    })?;
    let state = write.guard(&report.integration)?;
    Ok(Stands {
        write,
        report,
        state,
    })
}

/// A plan that waits for approval.
pub(super) trait Waits {
    fn run(&self) -> RunId;
    fn digest(&self) -> &str;
}

impl Waits for HeldPlan {
    fn run(&self) -> RunId {
        self.run
    }

    fn digest(&self) -> &str {
        &self.digest
    }
}

impl Waits for NotUnderstood {
    fn run(&self) -> RunId {
        self.run
    }

    fn digest(&self) -> &str {
        &self.digest
    }
}

/// The plan that is asked for, if it is the one that waits. A run that waits with the same plan again waits for the
/// same word. `digest` is that of the run's report.
pub(super) fn waiting<'a, W: Waits>(
    asked: &Approve,
    digest: &str,
    integration: &IntegrationId,
    waits: Option<&'a W>,
) -> Result<&'a W, ActError> {
    let run = asked.run;
    let plan = waits.filter(|plan| plan.run() == run || plan.digest() == digest);
    let plan = plan.ok_or_else(|| {
        ActError::Refused(match waits {
            Some(other) => format!(
                "{run} does not wait any more: {} holds another plan; look at it first",
                other.run()
            ),
            None => {
                format!("{run} does not wait any more: a later run of `{integration}` passed")
            }
        })
    })?;
    match &asked.digest {
        Some(asked) if asked != plan.digest() => Err(ActError::Refused(format!(
            "{run} holds the plan {}, not {asked}; look at it again",
            plan.digest()
        ))),
        _ => Ok(plan),
    }
}
