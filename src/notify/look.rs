//! What the store says of alerts and runs, as a notification takes it in, and a message with what the store knows of it.
//! Writes nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::{Notify, RunEnd};
use crate::model::{Alert, AlertId, AlertState, IntegrationId, Outcome, Run, RunId};
use crate::store::{StoreError, View};

use super::due::{Due, News};
use super::kept::{Cause, Kept, Letter, Seen, SeenAlert, SeenRun, Trouble, Wanted};
use super::text::{Line, Matter, line, written};

/// So many runs are read at once.
const RUNS: usize = 50;

/// Where an integration is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The name of its property.
    pub property: String,
    /// Its time zone.
    pub zone: TimeZone,
}

/// Where integrations are.
pub type Places = BTreeMap<IntegrationId, Place>;

/// What is there now, and what came since the last look.
pub(super) fn seen(view: &View, kept: &Kept, wanted: &Wanted) -> Result<Seen, StoreError> {
    let mut alerts: Vec<SeenAlert> = view
        .open_alerts_of(&wanted.alerts)?
        .iter()
        .map(of_alert)
        .collect();
    if kept.looked {
        let passed =
            |alert: &Alert| alert.state != AlertState::Open && wanted.alerts.contains(&alert.kind);
        let since = kept.alert.or(Some(AlertId(0)));
        alerts.extend(view.alerts(since, usize::MAX, passed)?.iter().map(of_alert));
    }
    let known = view.integrations()?;
    let mut runs = Vec::new();
    for integration in &known {
        let after = kept.runs.get(integration).copied();
        if after.is_none() || view.history(integration)?.last_run != after {
            runs.extend(ended_since(view, integration, after, kept.looked)?);
        }
    }
    Ok(Seen {
        alerts,
        alert: view.last_alert()?,
        known: known.into_iter().collect(),
        runs,
    })
}

fn of_alert(alert: &Alert) -> SeenAlert {
    SeenAlert {
        id: alert.id,
        kind: alert.kind,
        integration: alert.integration.clone(),
        began: alert.first_seen,
        ended: (alert.state != AlertState::Open).then_some(alert.last_seen),
    }
}

/// The runs of an integration that ended since, oldest first; at the first look the last one alone.
fn ended_since(
    view: &View,
    integration: &IntegrationId,
    after: Option<RunId>,
    looked: bool,
) -> Result<Vec<SeenRun>, StoreError> {
    let mut ended: Vec<SeenRun> = Vec::new();
    let mut before = None;
    loop {
        let runs = view.runs(Some(integration), before, RUNS)?;
        before = runs.last().map(|run| run.id);
        for run in &runs {
            if after.is_some_and(|after| run.id <= after) || !looked && !ended.is_empty() {
                ended.reverse();
                return Ok(ended);
            }
            ended.extend(of_run(run));
        }
        if runs.len() < RUNS {
            ended.reverse();
            return Ok(ended);
        }
    }
}

fn of_run(run: &Run) -> Option<SeenRun> {
    let end = match &run.outcome {
        Outcome::Running => return None,
        Outcome::Committed | Outcome::Unchanged => None,
        Outcome::Incomplete { .. } => Some(RunEnd::Incomplete),
        Outcome::Held { .. } => Some(RunEnd::Held),
        Outcome::NotUnderstood { .. } => Some(RunEnd::NotUnderstood),
        Outcome::Postponed { .. } => Some(RunEnd::Postponed),
        Outcome::Failed { .. } => Some(RunEnd::Failed),
        Outcome::Interrupted => Some(RunEnd::Interrupted),
    };
    Some(SeenRun {
        id: run.id,
        integration: run.integration.clone(),
        end,
        ended: run.ended.unwrap_or(run.started),
    })
}

/// The message that says what is due.
pub(super) fn letter(
    view: &View,
    notify: &Notify,
    due: &Due,
    (zone, property): (&TimeZone, &str),
    (id, now): (String, Timestamp),
) -> Result<Letter, StoreError> {
    let mut says: Vec<(News, Line)> = Vec::new();
    for (news, trouble) in &due.says {
        says.push((*news, line_of(view, notify, trouble, zone)?));
    }
    let matter = Matter {
        integration: due.integration.to_string(),
        property: property.to_owned(),
        says,
        is_test: false,
    };
    let written = written(notify, &matter);
    if let Some(error) = &written.wrong {
        tracing::warn!(notification = notify.name(), %error, "a template of config/epms.yaml fails; the one that comes with epms is taken");
    }
    Ok(Letter {
        id,
        integration: due.integration.clone(),
        made: now,
        subject: written.subject,
        text: written.text,
        data: written.data,
        has: std::collections::BTreeSet::new(),
    })
}

fn line_of(
    view: &View,
    notify: &Notify,
    trouble: &Trouble,
    zone: &TimeZone,
) -> Result<Line, StoreError> {
    let (alert, run) = match (&trouble.cause, trouble.run) {
        (Cause::Alert(id), _) => (view.alert(*id)?, None),
        (Cause::Runs(..), Some(run)) => (None, view.run(run)?),
        (Cause::Runs(..), None) => (None, None),
    };
    Ok(line(
        trouble,
        alert.as_ref(),
        run.as_ref(),
        notify.personal,
        zone,
    ))
}
