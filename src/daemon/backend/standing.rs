//! How an integration stands: a word, a sentence that says what to do, and how much it matters. Pure: everything comes in
//! as an argument, and nothing is read for it.

use std::collections::BTreeMap;

use crate::catalog::{Catalog, Slot};
use crate::control::protocol::{Health, IntegrationState, Severity};
use crate::model::{
    AlertKind, Attachment, Code, GuardState, IntegrationId, Pause, is_same_property,
};
use crate::store::History;

/// What is known of an integration.
pub(super) struct Facts<'a> {
    pub(super) id: &'a IntegrationId,
    pub(super) catalog: &'a Catalog,
    pub(super) slot: &'a Slot,
    /// What it is doing.
    pub(super) state: IntegrationState,
    /// What it would be doing if no run were asked for.
    pub(super) at_rest: IntegrationState,
    pub(super) waits_for: Option<&'a str>,
    pub(super) stuck: bool,
    pub(super) attachment: &'a Attachment,
    pub(super) linked: u64,
    pub(super) history: &'a History,
    pub(super) guard: &'a GuardState,
    pub(super) open: &'a BTreeMap<AlertKind, u64>,
}

/// How it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) health: Health,
    /// Why, and what to do.
    pub(super) because: Option<String>,
    pub(super) severity: Severity,
}

/// How an integration stands.
pub(super) fn standing(facts: &Facts<'_>) -> Standing {
    let below = facts.below();
    let health = match facts.state {
        _ if below == Health::Retired => below,
        IntegrationState::Removed | IntegrationState::Disabled => below,
        _ if facts.waits_for.is_some() => Health::Waiting,
        IntegrationState::Queued | IntegrationState::Running => Health::Syncing,
        _ => below,
    };
    let waits = facts.waits_for.filter(|_| health == Health::Waiting);
    let because = waits.map(str::to_owned).or_else(|| facts.because(below));
    Standing {
        health,
        because,
        severity: facts.severity(below),
    }
}

impl Facts<'_> {
    fn is_open(&self, kind: AlertKind) -> bool {
        self.open.contains_key(&kind)
    }

    /// How it stands whether a run is under way or not, and whatever one waits for.
    fn below(&self) -> Health {
        match self.at_rest {
            _ if self.attachment.retired.is_some() => Health::Retired,
            IntegrationState::Removed if self.is_open(AlertKind::LeftBehind) => Health::LeftBehind,
            IntegrationState::Removed | IntegrationState::Disabled => Health::Off,
            IntegrationState::Broken => Health::Broken,
            IntegrationState::Paused => Health::Paused,
            _ if self.is_open(AlertKind::MassChangeHeld) => Health::Held,
            _ if self.is_open(AlertKind::SyncStale) => Health::Stale,
            _ if self.history.failures > 0 || self.guard.understanding.waits.is_some() => {
                Health::Failing
            }
            _ if self.is_open(AlertKind::LeftBehind) => Health::LeftBehind,
            _ => Health::Ok,
        }
    }

    fn severity(&self, below: Health) -> Severity {
        match below {
            Health::Stale | Health::Broken | Health::LeftBehind => Severity::Critical,
            Health::Held | Health::Failing => Severity::Warning,
            // One that ends by itself is as it is meant.
            Health::Paused if self.until().is_none() => Severity::Warning,
            Health::Off if self.at_rest == IntegrationState::Removed && self.linked > 0 => {
                Severity::Warning
            }
            Health::Retired => Severity::Ok,
            _ if self.stuck || !self.slot.problems.is_empty() => Severity::Warning,
            _ => Severity::Ok,
        }
    }

    fn until(&self) -> Option<jiff::Timestamp> {
        self.history.pause.as_ref().and_then(|pause| pause.until)
    }

    fn because(&self, below: Health) -> Option<String> {
        let id = self.id;
        Some(match below {
            Health::Ok | Health::Syncing | Health::Waiting => return self.rejected(),
            Health::Held => self.held(),
            Health::Stale => self.stale(),
            Health::Failing => self.failing(),
            Health::Broken => self.broken(),
            Health::Paused => paused(id, self.history.pause.as_ref()),
            Health::LeftBehind if self.at_rest == IntegrationState::Removed => {
                format!(
                    "people are current and nothing is read for them any more: {}",
                    self.gone()
                )
            }
            Health::LeftBehind => self.left_out(),
            Health::Off if self.at_rest == IntegrationState::Removed && self.linked == 0 => {
                "its file is gone, and nobody is linked to it".to_owned()
            }
            Health::Off if self.at_rest == IntegrationState::Removed => self.gone(),
            Health::Off => {
                "its file says `enabled: false`; write `true` there to switch it on".to_owned()
            }
            Health::Retired => {
                format!("it was given up; `epms integration undo {id}` takes that back")
            }
        })
    }

    /// What lies on disk is not what runs.
    fn rejected(&self) -> Option<String> {
        let generation = self.slot.current.as_ref()?.generation;
        (!self.slot.problems.is_empty()).then(|| {
            format!("its files on disk were rejected, and generation {generation} goes on; `epms check` says what is wrong")
        })
    }

    fn held(&self) -> String {
        match (&self.guard.held, &self.guard.since_upgrade) {
            (Some(plan), _) => {
                let run = plan.run;
                format!("the plan of {run} waits for approval: look at `epms run {run}`, then `epms approve {run}` or `epms reject {run}`")
            }
            (None, Some(_)) => "what only the rules of this version would take waits: `epms approve --all --since-upgrade` shows it and asks".to_owned(),
            (None, None) => format!("a plan waits for approval; `epms alerts list --kind mass_change_held --integration {}` says which", self.id),
        }
    }

    fn stale(&self) -> String {
        let since = match self.history.last_success {
            Some(last) => format!("no run has succeeded since {last:.0}"),
            None => "no run has ever succeeded".to_owned(),
        };
        format!("{since}; `epms doctor {}` looks for the cause", self.id)
    }

    fn failing(&self) -> String {
        let id = self.id;
        if let Some(plan) = &self.guard.understanding.waits {
            let run = plan.run;
            return format!(
                "its records are not understood: `epms run {run}` says which and where; mend the script, or let it through by `epms approve {run}`"
            );
        }
        if self.is_open(AlertKind::CredentialFailing) {
            return "the PMS refuses the login: put the credential's new secret in its place; no reload is needed".to_owned();
        }
        match self.history.failures {
            1 => format!("the last run failed; `epms doctor {id}` looks for the cause"),
            many => format!(
                "the last {many} runs failed, and it is asked ever more rarely: `epms doctor {id}` looks for the cause, `epms sync {id}` asks at once"
            ),
        }
    }

    fn broken(&self) -> String {
        let is_conflict = |problem: &crate::model::Problem| problem.code == Code::Conflict;
        let problems = &self.slot.problems;
        if !problems.is_empty() && problems.iter().all(is_conflict) {
            return "it does not run until it is clear whose people they are: `problems` says what to do".to_owned();
        }
        "its files were never right, and nothing runs; `epms check` says what is wrong".to_owned()
    }

    /// Its file is gone, and people are linked to it (R46): where they may go, with the command to type.
    fn gone(&self) -> String {
        let id = self.id;
        let properties = self.attachment.properties.iter();
        let heirs = self.heirs(&properties.map(String::as_str).collect::<Vec<_>>());
        if heirs.is_empty() {
            return format!(
                "config/integrations/{id}.yaml is gone: put it back; or, where it has another name now, `epms integration rename {id} NAME`; or give it up by `epms integration retire {id}`"
            );
        }
        format!(
            "config/integrations/{id}.yaml is gone, and {} the same of the PMS: {}; or give it up by `epms integration retire {id}`",
            read(&heirs),
            renames(id, &heirs)
        )
    }

    /// PMS properties of which people are current, and which its file does not name any more.
    fn left_out(&self) -> String {
        let id = self.id;
        let named = |one: &str| {
            self.slot
                .feeds
                .as_ref()
                .is_some_and(|feeds| feeds.names(one))
        };
        let properties = self.attachment.properties.iter().map(String::as_str);
        let left: Vec<&str> = properties.filter(|one| !named(one)).collect();
        let [first, ..] = left.as_slice() else {
            return format!(
                "people are current where nothing is read for them any more; `epms alerts list --kind left_behind --integration {id}` says who, and what to do"
            );
        };
        let heirs = self.heirs(&left);
        let goes = match heirs.as_slice() {
            [] => "write it back".to_owned(),
            heirs => format!("write it back, or {}", renames(id, heirs)),
        };
        format!(
            "people are current by the PMS property `{}`, which its file does not name any more: {goes}; or give them up by `epms integration retire {id} --property {first}`",
            left.join("`, `")
        )
    }

    /// The integrations whose file names one of these PMS properties; where some are of the same account, only those.
    fn heirs(&self, properties: &[&str]) -> Vec<&IntegrationId> {
        let others = self.catalog.integrations.iter();
        let others = others.filter(|(id, slot)| *id != self.id && !slot.removed);
        let mut heirs: Vec<(bool, &IntegrationId)> = Vec::new();
        for (id, slot) in others {
            let Some(feeds) = &slot.feeds else { continue };
            let mut named = feeds.properties.iter();
            if named.any(|one| properties.iter().any(|other| is_same_property(one, other))) {
                heirs.push((feeds.account == self.attachment.account, id));
            }
        }
        let is_same = heirs.iter().any(|(same, _)| *same);
        heirs.retain(|(same, _)| *same || !is_same);
        heirs.into_iter().map(|(_, id)| id).collect()
    }
}

fn read(heirs: &[&IntegrationId]) -> String {
    let names: Vec<String> = heirs.iter().map(|id| format!("`{id}`")).collect();
    match names.as_slice() {
        [one] => format!("{one} reads"),
        many => format!("{} read", many.join(", ")),
    }
}

fn renames(id: &IntegrationId, heirs: &[&IntegrationId]) -> String {
    let all: Vec<String> = heirs
        .iter()
        .map(|heir| format!("`epms integration rename {id} {heir}`"))
        .collect();
    format!("give it the people by {}", all.join(" or "))
}

fn paused(id: &IntegrationId, pause: Option<&Pause>) -> String {
    let resume = format!("`epms resume {id}` lets it sync again");
    let Some(pause) = pause else {
        return format!("paused by hand; {resume}");
    };
    let by = format!("by {}", pause.by);
    let until = pause
        .until
        .map_or_else(String::new, |until| format!(" until {until:.0}"));
    let why = match pause.reason.as_str() {
        "" => String::new(),
        reason => format!(" ({reason})"),
    };
    format!("paused {by}{until}{why}; {resume}")
}

#[cfg(test)]
mod tests;
