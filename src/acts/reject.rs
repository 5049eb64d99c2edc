//! Rejecting a plan that the guard holds (R27): it waits as before, and nobody is told of it again. Another plan is
//! told anew, and what is rejected can still be approved.

use crate::model::{
    Alert, AlertKind, AlertState, GuardState, IntegrationId, Outcome, Rejection, Run,
};
use crate::store::Store;

use super::approve::{Approve, Stands, stands, waiting};
use super::{ActError, Hand};

/// Rejects the plan that `asked.run` held. Returns whose run it was.
pub fn reject(store: &Store, asked: &Approve, hand: &Hand) -> Result<IntegrationId, ActError> {
    let Stands {
        write,
        report,
        mut state,
    } = stands(store, asked.run)?;
    let integration = report.integration;
    let Outcome::Held { digest, .. } = &report.outcome else {
        return Err(ActError::Refused(format!(
            "{} is {}: only a held run can be rejected",
            asked.run,
            report.outcome.as_str()
        )));
    };
    let plan = waiting(asked, digest, &integration, state.held.as_ref())?.clone();
    state.rejected = Some(Rejection {
        digest: plan.digest.clone(),
        by: hand.by.clone(),
        at: hand.now,
    });
    // Who rejects after approving has changed their mind.
    state.approval = None;
    write.put_guard(&integration, &state)?;
    // The run that holds it now tells who rejected it, as the runs after it will.
    for run in [asked.run, plan.run] {
        if let Some(report) = write.run(run)? {
            let rejected_by = Some(hand.by.clone());
            write.put_run(&Run {
                rejected_by,
                ..report
            })?;
        }
    }
    let alert = write.alert_of(&integration, AlertKind::MassChangeHeld, GuardState::SUBJECT)?;
    if let Some(alert) = alert.filter(|alert| alert.state == AlertState::Open) {
        write.put_alert(&Alert {
            state: AlertState::Dismissed,
            ..alert
        })?;
    }
    write.commit()?;
    Ok(integration)
}
