//! What is kept of one notification: the troubles that it knows, what of them was told, and messages that not everybody has
//! yet. Follows what the store says; decides in `due` what is told when. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::RunEnd;
use crate::model::{AlertId, AlertKind, IntegrationId, RunId};

/// What a trouble is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cause {
    /// An alert that is open.
    Alert(AlertId),
    /// An integration whose runs end so, until one succeeds.
    Runs(IntegrationId, RunEnd),
}

/// A trouble, and what of it was told. It is forgotten once its end was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Trouble {
    /// What it is.
    pub cause: Cause,
    /// At which integration.
    pub integration: IntegrationId,
    /// The kind, where it is an alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<AlertKind>,
    /// Since when.
    pub began: Timestamp,
    /// The run that ended so first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Until when; none while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// That it lasts, or lasted, was told.
    #[serde(default)]
    pub told: bool,
}

/// A message that not everybody has yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// What tells it from every other message.
    pub id: String,
    /// About which integration.
    pub integration: IntegrationId,
    /// When it was written.
    pub made: Timestamp,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same for machines.
    #[serde(default)]
    pub data: Value,
    /// Who has it already.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub has: BTreeSet<String>,
}

impl Letter {
    /// Whether all of them have it.
    fn is_had_by(&self, all: &[String]) -> bool {
        all.iter().all(|one| self.has.contains(one))
    }
}

/// What is kept of one notification.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    /// What is wrong, or was and was not told.
    pub troubles: Vec<Trouble>,
    /// The last run of each integration that was looked at.
    pub runs: BTreeMap<IntegrationId, RunId>,
    /// That there was a first look: what was there before it and is over is nobody's concern.
    pub looked: bool,
    /// The last alert that was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertId>,
    /// When the last message about each integration was written.
    pub last: BTreeMap<IntegrationId, Timestamp>,
    /// Messages that not everybody has yet, oldest first.
    pub letters: Vec<Letter>,
}

/// An alert as it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SeenAlert {
    /// The id.
    pub id: AlertId,
    /// What is wrong.
    pub kind: AlertKind,
    /// Where.
    pub integration: IntegrationId,
    /// When it was raised, or opened again.
    pub began: Timestamp,
    /// When it was closed; none while it is open.
    pub ended: Option<Timestamp>,
}

/// A run that has ended, as it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SeenRun {
    /// The id.
    pub id: RunId,
    /// Where.
    pub integration: IntegrationId,
    /// How it ended, where it did not succeed.
    pub end: Option<RunEnd>,
    /// When.
    pub ended: Timestamp,
}

/// What the store says now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Seen {
    /// The open alerts of the kinds that are told, and those that came since the last look and are closed already.
    pub alerts: Vec<SeenAlert>,
    /// The last alert there is; none where there never was one.
    pub alert: Option<AlertId>,
    /// The integrations that ever ran: what is known of another is over.
    pub known: BTreeSet<IntegrationId>,
    /// The runs that ended since the last look, those of one integration in their order; at the first look the last of
    /// each.
    pub runs: Vec<SeenRun>,
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Wanted {
    /// The kinds of alerts.
    pub alerts: BTreeSet<AlertKind>,
    /// The ends of runs.
    pub runs: BTreeSet<RunEnd>,
}

impl Wanted {
    fn has(&self, trouble: &Trouble) -> bool {
        match (&trouble.cause, trouble.kind) {
            (Cause::Alert(_), Some(kind)) => self.alerts.contains(&kind),
            (Cause::Alert(_), None) => false,
            (Cause::Runs(_, end), _) => self.runs.contains(end),
        }
    }
}

impl Kept {
    /// Whether another state is to be kept in its place: how far was looked alone is found out again.
    pub(super) fn is_as_good_as(&self, other: &Kept) -> bool {
        self.looked == other.looked
            && self.troubles == other.troubles
            && self.letters == other.letters
            && self.last == other.last
    }

    /// Notes that somebody has a message; of one that all have nothing is left. True where it was the last.
    pub(super) fn has(&mut self, letter: &str, to: &str, all: &[String]) -> bool {
        for one in &mut self.letters {
            if one.id == letter {
                one.has.insert(to.to_owned());
            }
        }
        let before = self.letters.len();
        self.letters.retain(|one| !one.is_had_by(all));
        self.letters.len() < before
    }

    /// Gives up what somebody has, and others could not be given for long.
    pub(super) fn give_up(&mut self, all: &[String], before: Timestamp) {
        self.letters
            .retain(|one| !one.is_had_by(all) && (one.has.is_empty() || one.made >= before));
    }

    /// Takes in what the store says. What nobody wants to hear any more is forgotten.
    pub(super) fn see(&mut self, seen: &Seen, wanted: &Wanted, now: Timestamp) {
        let is_there = |trouble: &Trouble| match &trouble.cause {
            Cause::Alert(_) => true,
            Cause::Runs(at, _) => seen.known.contains(at),
        };
        self.troubles
            .retain(|trouble| wanted.has(trouble) && is_there(trouble));
        self.runs.retain(|at, _| seen.known.contains(at));
        let mut known: BTreeMap<Cause, Trouble> = std::mem::take(&mut self.troubles)
            .into_iter()
            .map(|trouble| (trouble.cause.clone(), trouble))
            .collect();
        let alerts = seen
            .alerts
            .iter()
            .filter(|alert| wanted.alerts.contains(&alert.kind));
        let alerts: Vec<&SeenAlert> = alerts.collect();
        see_alerts(&mut known, &alerts, now);
        for run in &seen.runs {
            see_run(&mut known, run, wanted);
            self.runs.insert(run.integration.clone(), run.id);
        }
        self.alert = seen.alert.max(self.alert);
        self.looked = true;
        self.troubles = known.into_values().collect();
    }
}

fn see_alerts(known: &mut BTreeMap<Cause, Trouble>, alerts: &[&SeenAlert], now: Timestamp) {
    let open: BTreeSet<Cause> = alerts
        .iter()
        .filter(|alert| alert.ended.is_none())
        .map(|alert| Cause::Alert(alert.id))
        .collect();
    for trouble in known.values_mut() {
        let is_alert = matches!(trouble.cause, Cause::Alert(_));
        if is_alert && !open.contains(&trouble.cause) {
            trouble.ended = trouble.ended.or(Some(now));
        }
    }
    for alert in alerts {
        let cause = Cause::Alert(alert.id);
        let Some(before) = known.get_mut(&cause) else {
            known.insert(cause.clone(), of_alert(cause, alert));
            continue;
        };
        if before.began != alert.began {
            // It closed and opened again: somebody has to look at it anew.
            *before = of_alert(cause, alert);
        } else if alert.ended.is_none() {
            before.ended = None;
            before.integration = alert.integration.clone();
        }
    }
}

fn of_alert(cause: Cause, alert: &SeenAlert) -> Trouble {
    Trouble {
        cause,
        integration: alert.integration.clone(),
        kind: Some(alert.kind),
        began: alert.began,
        run: None,
        ended: alert.ended,
        told: false,
    }
}

fn see_run(known: &mut BTreeMap<Cause, Trouble>, run: &SeenRun, wanted: &Wanted) {
    let Some(end) = run.end else {
        for trouble in known.values_mut() {
            let is_of_runs = matches!(&trouble.cause, Cause::Runs(at, _) if *at == run.integration);
            if is_of_runs {
                trouble.ended = trouble.ended.or(Some(run.ended));
            }
        }
        return;
    };
    if !wanted.runs.contains(&end) {
        return;
    }
    let cause = Cause::Runs(run.integration.clone(), end);
    let lasts = known
        .get(&cause)
        .is_some_and(|before| before.ended.is_none());
    if !lasts {
        let trouble = Trouble {
            cause: cause.clone(),
            integration: run.integration.clone(),
            kind: None,
            began: run.ended,
            run: Some(run.id),
            ended: None,
            told: false,
        };
        known.insert(cause, trouble);
    }
}
