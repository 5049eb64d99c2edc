//! What the guard says about a plan, carried out (R27): what waits is cut out of the plan and told by an alert, and
//! what the guard must know goes into its state. Whether anything waits, is decided in `rules::guard`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{
    Actor, Alert, AlertKind, AlertState, GuardState, GuardedKind, HeldPlan, IntegrationId, Outcome,
    PersonId, Run, RunId,
};
use crate::rules::People;
use crate::rules::guard::{self, Drain, Facts, Verdict, Written};
use crate::rules::plan::Plan;
use crate::store::{StoreError, Write};

use super::standing::{self, Cause};

/// What a run does to a plan after the guard has judged it.
pub(super) struct Guarded {
    /// What the guard knows after the run, but for what the last complete run saw.
    pub(super) state: GuardState,
    /// What is told in the report and holds nothing.
    pub(super) notes: BTreeMap<String, u64>,
    /// Nothing of the run is written.
    pub(super) stopped: bool,
    /// Whose part of the plan waits although the run goes on: they have to be looked at again.
    pub(super) cut: BTreeSet<PersonId>,
    verdict: Verdict,
    drain: Drain,
}

/// The alerts of the guard as they were before the run.
#[derive(Debug, Default)]
pub(super) struct Told {
    held: Option<Alert>,
    since_upgrade: Option<Alert>,
    drain: Option<Alert>,
}

impl Told {
    /// Takes them out of the open alerts of the integration: the plan neither closes nor refreshes them.
    pub(super) fn of(
        write: &Write,
        integration: &IntegrationId,
        open: &mut BTreeMap<(AlertKind, String), Alert>,
    ) -> Result<Told, StoreError> {
        let mut take = |kind: AlertKind, subject: &str| {
            open.remove(&(kind, subject.to_owned()));
            write.alert_of(integration, kind, subject)
        };
        Ok(Told {
            held: take(AlertKind::MassChangeHeld, standing::GUARD)?,
            since_upgrade: take(AlertKind::MassChangeHeld, standing::SINCE_UPGRADE)?,
            drain: take(AlertKind::SlowDrain, standing::MONTH)?,
        })
    }
}

/// Judges a plan, and leaves in it what may be written.
pub(super) fn hold<P: People<Error = StoreError>>(
    plan: &mut Plan,
    facts: &Facts<'_, P>,
) -> Result<Guarded, StoreError> {
    // What only new rules take is judged for itself, and the day without it.
    let apart = guard::since_upgrade(plan, facts)?;
    let (mut whole, mut cut) = (None, BTreeSet::new());
    let mut waits = None;
    if let Some((held, people)) = apart {
        if guard::is_approved_since_upgrade(facts.state, &held, facts.now) {
            let mut alone = plan.clone();
            alone.people.retain(|person| people.contains(&person.id))?;
            alone
                .links
                .retain(|(_, link)| people.contains(&link.person))?;
            let taken = guard::taken(&alone, facts)?;
            whole = Some((plan.clone(), held.clone(), taken));
        } else {
            waits = Some(held.clone());
            cut.clone_from(&people);
        }
        guard::cut(plan, &held, &people, facts.links)?;
    }
    let judged = guard::judge(plan, facts)?;
    let (written, stopped) = match &judged.verdict {
        Verdict::Passes { .. } => (Written::All, false),
        Verdict::Trips { stops: true, .. } => (Written::Nothing, true),
        Verdict::Trips { people, .. } => (Written::Without(people), false),
    };
    let (mut state, drain) = judged.remembered(facts, written)?;
    match &judged.verdict {
        Verdict::Passes { .. } => {
            state.held = None;
            state.approval = None;
            state.rejected = None;
            if let Some((whole, _, taken)) = whole {
                *plan = whole;
                state.since_upgrade_approval = None;
                // They were linked before, and are not counted.
                state.approved.push(taken);
            }
        }
        Verdict::Trips {
            plan: held,
            stops,
            people,
            ..
        } => {
            if *stops {
                guard::stop(plan, held)?;
            } else {
                guard::cut(plan, held, people, facts.links)?;
            }
            let is_same = |digest: &String| *digest == held.digest;
            state.rejected = state.rejected.filter(|one| is_same(&one.digest));
            state.held = Some(held.clone());
            // The approval of what only new rules take waits for a run that passes.
            waits = waits.or_else(|| whole.map(|(_, held, _)| held));
        }
    }
    state.since_upgrade = waits;
    Ok(Guarded {
        state,
        notes: judged.notes,
        stopped,
        cut,
        verdict: judged.verdict,
        drain,
    })
}

impl Guarded {
    /// Whether something of the day waits: then the run is no successful one.
    pub(super) fn is_held(&self) -> bool {
        matches!(self.verdict, Verdict::Trips { .. })
    }

    /// Tells of it in the report, and by alerts.
    pub(super) fn tell(&self, plan: &mut Plan, report: &mut Run, told: Told, at: Timestamp) {
        let (integration, run) = (report.integration.clone(), report.id);
        let mut teller = Teller {
            plan,
            integration: &integration,
            run,
            at,
        };
        match &self.verdict {
            Verdict::Passes { approved_by } => {
                report.approved_by.clone_from(approved_by);
                teller.end(told.held);
            }
            Verdict::Trips {
                plan: held, reason, ..
            } => {
                let reason = guard::advice(reason, run, self.stopped);
                report.rejected_by = self.rejected_by();
                if report.rejected_by.is_none() {
                    let kind = AlertKind::MassChangeHeld;
                    teller.tell(told.held, kind, standing::GUARD, &reason);
                }
                report.outcome = Outcome::Held {
                    reason,
                    digest: held.digest.clone(),
                };
            }
        }
        match &self.state.since_upgrade {
            None => teller.end(told.since_upgrade),
            Some(held) => {
                let detail = since_upgrade(held);
                let (kind, subject) = (AlertKind::MassChangeHeld, standing::SINCE_UPGRADE);
                teller.tell(told.since_upgrade, kind, subject, &detail);
            }
        }
        self.tell_drain(&mut teller, told.drain);
    }

    fn rejected_by(&self) -> Option<Actor> {
        let rejected = self.state.rejected.as_ref();
        rejected.map(|rejected| rejected.by.clone())
    }

    /// Somebody who wants to hear no more of it hears no more until it is over.
    fn tell_drain(&self, teller: &mut Teller<'_>, before: Option<Alert>) {
        let Drain {
            people,
            linked,
            is_too_much,
        } = self.drain;
        if !is_too_much {
            return teller.end(before);
        }
        let is_dismissed = |alert: &Alert| alert.state == AlertState::Dismissed;
        if before.as_ref().is_some_and(is_dismissed) {
            return;
        }
        let of = if linked == 0 {
            String::new()
        } else {
            format!(" of {linked}")
        };
        let detail = format!(
            "within 30 days {people}{of} linked people or more have lost something, never so many in a day that it was \
             held; nothing waits: `epms changes` and `epms runs` show what came of it, and `guard.month` sets how many \
             are told"
        );
        teller.tell(before, AlertKind::SlowDrain, standing::MONTH, &detail);
    }
}

fn since_upgrade(held: &HeldPlan) -> String {
    let mut kinds: BTreeMap<GuardedKind, usize> = BTreeMap::new();
    for item in &held.items {
        *kinds.entry(item.kind).or_default() += 1;
    }
    let kinds: Vec<String> = kinds
        .iter()
        .map(|(kind, count)| format!("{} {count}", kind.as_str()))
        .collect();
    format!(
        "what only the rules of this version take waits, apart from the day's changes: {}; look at `epms preview --all`, \
         then `epms approve --all --since-upgrade`, or correct the PMS",
        kinds.join(", ")
    )
}

/// Puts alerts into a plan.
struct Teller<'a> {
    plan: &'a mut Plan,
    integration: &'a IntegrationId,
    run: RunId,
    at: Timestamp,
}

impl Teller<'_> {
    /// Raises the alert, or refreshes it.
    fn tell(&mut self, before: Option<Alert>, kind: AlertKind, subject: &str, detail: &str) {
        let cause = Cause {
            kind,
            integration: self.integration,
            subject,
            run: self.run,
        };
        let is_open = |alert: &Alert| alert.state == AlertState::Open;
        let refreshes = before.as_ref().is_some_and(is_open);
        let alert = standing::open(before, &cause, detail, self.at);
        if refreshes {
            self.plan.alerts.refreshed.push(alert);
        } else {
            self.plan.alerts.raised.push(alert);
        }
    }

    /// Its cause is gone, also where somebody wanted to hear no more of it.
    fn end(&mut self, before: Option<Alert>) {
        let waits = |state| matches!(state, AlertState::Open | AlertState::Dismissed);
        if let Some(alert) = before.filter(|alert| waits(alert.state)) {
            self.plan.alerts.closed.push(Alert {
                state: AlertState::AutoClosed,
                last_seen: self.at,
                ..alert
            });
        }
    }
}
