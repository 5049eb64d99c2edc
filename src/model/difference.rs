//! What files would change at an integration: two previews of the same records, held against each other. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Alert, AlertKind, Change, ChangeKind, Counts, Decision, Fate, Field, FieldChange, Guarded,
    IntegrationId, Outcome, PersonId, Preview, Tried,
};

/// What the next run of an integration would do otherwise, if it ran by other files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The integration.
    pub integration: IntegrationId,
    /// What is said of the files.
    #[serde(flatten)]
    pub tried: Tried,
    /// What the next run would do by the files that run; none where the files say the same, and nothing was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Foreseen>,
    /// What it would do by the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<Foreseen>,
    /// For whom it would decide otherwise, by the PMS's id of the resident.
    #[serde(default)]
    pub people: Vec<Differs>,
    /// Alerts that it would raise or close, and would not by the files that run, or the other way round.
    #[serde(default)]
    pub alerts: Vec<AlertDiffers>,
}

/// How a run would end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Foreseen {
    /// How it would end.
    pub outcome: Outcome,
    /// What would become of the residents.
    pub counts: Counts,
    /// What it would tell beside, by kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, u64>,
}

/// Somebody for whom the files make a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Differs {
    /// The resident's PMS id; of somebody whom the guard alone names, what it names.
    pub resident: String,
    /// The person; none of somebody who is none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// Their name, where it is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What the files do to them.
    pub effect: Effect,
    /// The rule that decides by these files.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rule: String,
    /// Why, in words without personal data.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What would stand in their fields: before by the files that run, after by these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
}

/// What files do to somebody.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// They come in, and would not by the files that run.
    ComesIn,
    /// They do not come in, and would by the files that run.
    StaysOut,
    /// Their stay ends, and would not.
    Goes,
    /// Their stay goes on, and would end.
    Stays,
    /// Other values are written.
    Changes,
    /// They are left out (R6), and would not be.
    LeftOut,
    /// They are not left out any more.
    NotLeftOut,
    /// The guard holds what is done to them (R27), and would not.
    Waits,
    /// The script does not name them any more, or under another id.
    NotNamed,
    /// Something else is decided.
    Otherwise,
}

impl Effect {
    /// Every effect, in the order in which they are listed.
    pub const ALL: [Effect; 10] = [
        Effect::ComesIn,
        Effect::StaysOut,
        Effect::Goes,
        Effect::Stays,
        Effect::Changes,
        Effect::LeftOut,
        Effect::NotLeftOut,
        Effect::Waits,
        Effect::NotNamed,
        Effect::Otherwise,
    ];

    /// As people read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Effect::ComesIn => "comes in",
            Effect::StaysOut => "stays out",
            Effect::Goes => "goes",
            Effect::Stays => "stays",
            Effect::Changes => "changes",
            Effect::LeftOut => "left out",
            Effect::NotLeftOut => "not left out",
            Effect::Waits => "waits",
            Effect::NotNamed => "not named",
            Effect::Otherwise => "otherwise",
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An alert that the files make a difference to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertDiffers {
    /// The kind.
    pub kind: AlertKind,
    /// What it is about.
    pub subject: String,
    /// What would become of it by these files.
    pub would: AlertWould,
    /// What it says, in words without personal data.
    pub detail: String,
}

/// What would become of an alert by other files, and would not by those that run.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AlertWould {
    /// It is raised.
    Open,
    /// It closes itself.
    Close,
    /// It is not raised.
    NotOpen,
    /// It does not close itself.
    NotClose,
}

impl AlertWould {
    /// As people read it.
    pub fn as_str(self) -> &'static str {
        match self {
            AlertWould::Open => "is raised",
            AlertWould::Close => "closes",
            AlertWould::NotOpen => "is not raised",
            AlertWould::NotClose => "does not close",
        }
    }
}

impl Difference {
    /// Of files that say the same: nothing is read for them.
    pub fn none(integration: IntegrationId, tried: Tried) -> Difference {
        Difference {
            integration,
            tried,
            now: None,
            with: None,
            people: Vec::new(),
            alerts: Vec::new(),
        }
    }

    /// What `with` does otherwise than `now`: previews of the same records, by the files that run and by others.
    pub fn between(now: &Preview, with: &Preview, tried: Tried) -> Difference {
        Difference {
            integration: with.report.integration.clone(),
            tried,
            now: Some(Foreseen::of(now)),
            with: Some(Foreseen::of(with)),
            people: people(&Seen::of(now), &Seen::of(with)),
            alerts: alerts(now, with),
        }
    }

    /// Whether anything would be otherwise.
    pub fn is_any(&self) -> bool {
        let end = |one: &Option<Foreseen>| one.as_ref().map(|one| one.outcome.as_str());
        !self.people.is_empty()
            || !self.alerts.is_empty()
            || self.tried.switch.is_some()
            || end(&self.now) != end(&self.with)
    }

    /// Whether a run by these files would be held, and one by those that run would not.
    pub fn is_held(&self) -> bool {
        let held = |one: &Option<Foreseen>| {
            let outcome = one.as_ref().map(|one| &one.outcome);
            matches!(outcome, Some(Outcome::Held { .. }))
        };
        held(&self.with) && !held(&self.now)
    }

    /// Why a run by these files would write nothing and is not held; none where it would write, or where one by those
    /// that run would understand the records as little.
    pub fn fails(&self) -> Option<&Outcome> {
        let outcome = &self.with.as_ref()?.outcome;
        let now = self.now.as_ref().map(|now| &now.outcome);
        let is_end = match (outcome, now) {
            (Outcome::NotUnderstood { .. }, Some(Outcome::NotUnderstood { .. }))
            | (Outcome::Held { .. }, _) => true,
            _ => outcome.is_success(),
        };
        (!is_end).then_some(outcome)
    }

    /// To how many what is done.
    pub fn counts(&self) -> BTreeMap<Effect, usize> {
        let mut counts = BTreeMap::new();
        for one in &self.people {
            *counts.entry(one.effect).or_default() += 1;
        }
        counts
    }
}

impl Foreseen {
    fn of(preview: &Preview) -> Foreseen {
        Foreseen {
            outcome: preview.report.outcome.clone(),
            counts: preview.report.counts,
            notes: preview.report.notes.clone(),
        }
    }
}

/// A preview, by resident.
struct Seen<'p> {
    preview: &'p Preview,
    decisions: BTreeMap<&'p str, &'p Decision>,
    changes: BTreeMap<&'p str, Vec<&'p Change>>,
}

impl<'p> Seen<'p> {
    fn of(preview: &'p Preview) -> Seen<'p> {
        let decisions = preview.decisions.iter();
        let mut changes: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
        for change in &preview.changes {
            if let Some(resident) = &change.resident {
                changes.entry(resident).or_default().push(change);
            }
        }
        Seen {
            preview,
            decisions: decisions.map(|one| (one.subject.as_str(), one)).collect(),
            changes,
        }
    }

    fn of_one<'s>(&'s self, subject: &str) -> One<'s> {
        let changes = self.changes.get(subject);
        One {
            decision: self.decisions.get(subject).copied(),
            changes: changes.map_or(&[], Vec::as_slice),
        }
    }

    /// What the guard holds.
    fn held(&self) -> &'p [Guarded] {
        let plan = self.preview.held.as_ref();
        plan.map_or(&[], |plan| plan.items.as_slice())
    }

    /// What the guard holds of somebody.
    fn held_of(&self, decision: &Decision) -> Option<&'p Guarded> {
        self.held().iter().find(|item| {
            item.subject == decision.subject
                || item.person.is_some() && item.person == decision.person
        })
    }
}

/// What a preview says of one resident.
#[derive(Clone, Copy)]
struct One<'s> {
    decision: Option<&'s Decision>,
    changes: &'s [&'s Change],
}

/// What would become of somebody.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Facts {
    waits: bool,
    goes: bool,
    left_out: bool,
    comes_in: bool,
}

impl One<'_> {
    fn fate(self) -> Option<Fate> {
        self.decision.map(|one| one.fate)
    }

    fn facts(self) -> Facts {
        let held = self.decision.filter(|one| one.fate == Fate::Held);
        let does = |kind| self.changes.iter().any(|change| change.kind == kind);
        Facts {
            waits: held.is_some_and(|one| one.rule == "R27"),
            goes: does(ChangeKind::Closed),
            left_out: self.fate() == Some(Fate::Excluded) || does(ChangeKind::Excluded),
            comes_in: matches!(self.fate(), Some(Fate::Created | Fate::Linked)),
        }
    }

    /// The fields that are written, each with its last value.
    fn written(&self) -> BTreeMap<Field, &FieldChange> {
        let fields = self.changes.iter().flat_map(|change| &change.fields);
        fields.map(|one| (one.field, one)).collect()
    }
}

fn people(now: &Seen<'_>, with: &Seen<'_>) -> Vec<Differs> {
    let subjects: BTreeSet<&str> = now
        .decisions
        .keys()
        .chain(with.decisions.keys())
        .copied()
        .collect();
    let mut told = BTreeSet::new();
    let mut all = Vec::new();
    for subject in subjects {
        let (before, after) = (now.of_one(subject), with.of_one(subject));
        let Some(effect) = effect(before, after) else {
            continue;
        };
        let item = after.decision.filter(|_| effect == Effect::Waits);
        let item = item.and_then(|decision| with.held_of(decision));
        told.extend(item.map(|item| (item.kind, item.subject.as_str())));
        all.push(differs(subject, effect, (now, before), (with, after), item));
    }
    // Whom no record names, and what is of nobody.
    let is_new = |item: &&Guarded| {
        let is_same = |one: &Guarded| one.kind == item.kind && one.subject == item.subject;
        !told.contains(&(item.kind, item.subject.as_str())) && !now.held().iter().any(is_same)
    };
    all.extend(with.held().iter().filter(is_new).map(guarded));
    all.sort_by(|one, other| (one.effect, &one.resident).cmp(&(other.effect, &other.resident)));
    all
}

/// What files do to somebody; none where it is the same.
fn effect(before: One<'_>, after: One<'_>) -> Option<Effect> {
    if after.decision.is_none() {
        return before.decision.map(|_| Effect::NotNamed);
    }
    let (was, is) = (before.facts(), after.facts());
    Some(match () {
        () if !was.waits && is.waits => Effect::Waits,
        () if !was.goes && is.goes => Effect::Goes,
        () if was.goes && !is.goes => Effect::Stays,
        () if !was.left_out && is.left_out => Effect::LeftOut,
        () if !was.comes_in && is.comes_in => Effect::ComesIn,
        () if was.comes_in && !is.comes_in => Effect::StaysOut,
        () if was.left_out && !is.left_out => Effect::NotLeftOut,
        () if !fields(before, after).is_empty() => Effect::Changes,
        () if before.fate() != after.fate() => Effect::Otherwise,
        () => return None,
    })
}

/// What would stand in the fields, by either.
fn fields(before: One<'_>, after: One<'_>) -> Vec<FieldChange> {
    let (one, other) = (before.written(), after.written());
    let names: BTreeSet<Field> = one.keys().chain(other.keys()).copied().collect();
    // What is not written stays as the other found it.
    let value = |of: Option<&&FieldChange>, other: Option<&&FieldChange>| match (of, other) {
        (Some(change), _) => change.after.clone(),
        (None, Some(change)) => change.before.clone(),
        (None, None) => None,
    };
    let all = names.into_iter().map(|field| FieldChange {
        field,
        before: value(one.get(&field), other.get(&field)),
        after: value(other.get(&field), one.get(&field)),
    });
    all.filter(|one| one.before != one.after).collect()
}

fn differs(
    subject: &str,
    effect: Effect,
    (now, before): (&Seen<'_>, One<'_>),
    (with, after): (&Seen<'_>, One<'_>),
    item: Option<&Guarded>,
) -> Differs {
    let is_new = [before, after]
        .into_iter()
        .any(|one| one.fate() == Some(Fate::Created));
    let person = |one: One<'_>| one.decision.and_then(|one| one.person);
    let name = |seen: &Seen<'_>, one: One<'_>| {
        let person = person(one)?;
        seen.preview.names.get(&person).cloned()
    };
    let name = name(with, after).or_else(|| name(now, before));
    let name = name.or_else(|| item.map(|item| item.name.clone()));
    let by = after.decision.or(before.decision);
    let (rule, reason) = match (by, item) {
        (_, Some(item)) => ("R27".to_owned(), takes(item)),
        (Some(_), None) if effect == Effect::NotNamed => (String::new(), String::new()),
        (Some(one), None) => (one.rule.clone(), one.reason.clone()),
        (None, None) => (String::new(), String::new()),
    };
    Differs {
        resident: subject.to_owned(),
        person: person(after).or(person(before)).filter(|_| !is_new),
        name: name.unwrap_or_default(),
        effect,
        rule,
        reason,
        fields: fields(before, after),
    }
}

/// What the guard holds and no record names.
fn guarded(item: &Guarded) -> Differs {
    Differs {
        resident: item.subject.clone(),
        person: item.person,
        name: item.name.clone(),
        effect: Effect::Waits,
        rule: "R27".into(),
        reason: takes(item),
        fields: Vec::new(),
    }
}

/// Such as `closing`. What is taken, and from whom, is personal: it stands in the fields and the name.
fn takes(item: &Guarded) -> String {
    match item.count {
        0 => item.kind.as_str().to_owned(),
        count => format!("{} {count}", item.kind.as_str()),
    }
}

fn alerts(now: &Preview, with: &Preview) -> Vec<AlertDiffers> {
    let missing = |of: &[Alert], among: &[Alert], would| -> Vec<AlertDiffers> {
        let is_there = |one: &Alert| {
            let mut among = among.iter();
            among.any(|other| one.kind == other.kind && one.subject == other.subject)
        };
        let missing = of.iter().filter(|one| !is_there(one));
        let told = missing.map(|one| AlertDiffers {
            kind: one.kind,
            subject: one.subject.clone(),
            would,
            detail: one.detail.clone(),
        });
        told.collect()
    };
    let mut all = missing(&with.raised, &now.raised, AlertWould::Open);
    all.extend(missing(&with.closed, &now.closed, AlertWould::Close));
    all.extend(missing(&now.raised, &with.raised, AlertWould::NotOpen));
    all.extend(missing(&now.closed, &with.closed, AlertWould::NotClose));
    all.sort_by(|one, other| {
        (one.would, one.kind, &one.subject).cmp(&(other.would, other.kind, &other.subject))
    });
    all
}

#[cfg(test)]
mod tests;
