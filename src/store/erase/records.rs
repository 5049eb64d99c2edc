//! What is recorded of people who are erased: alerts, changes, decisions, acts, what waits for approval, and what is said of
//! runs. What was done, when and by whom stays.

use std::collections::BTreeSet;

use redb::ReadableTable;

use crate::model::{
    Act, ActId, ActKind, Alert, AlertId, AlertState, Change, Decision, Field, GuardState, Guarded,
    HeldPlan, IntegrationId, Link, PersonId, Run,
};
use crate::store::value::{from_bytes, to_bytes};
use crate::store::write::Done;
use crate::store::{History, tables};

use super::Erasure;
use super::traces::GONE;
use super::written::About;

/// The subject of alerts about residents who share an email begins so; what follows is a hash that has no key.
const EMAIL: &str = "email:";

/// What alerts about residents who share one of these emails are about.
pub(super) fn shared(emails: &BTreeSet<&str>) -> BTreeSet<String> {
    let hashes = emails.iter().map(|email| blake3::hash(email.as_bytes()));
    hashes
        .map(|hash| format!("{EMAIL}{}", &hash.to_hex()[..16]))
        .collect()
}

impl Erasure<'_> {
    fn has(&self, person: Option<PersonId>) -> bool {
        person.is_some_and(|person| self.people.contains(&person))
    }

    fn is_theirs(&self, integration: &IntegrationId, resident: &str) -> bool {
        let mut residents = self.residents.iter();
        residents.any(|(at, one)| at == integration && one == resident)
    }

    /// What acts did to them can neither be read nor be undone any more, and what was said of it says no name.
    pub(super) fn acts(&self, shared: &BTreeSet<String>) -> Done<()> {
        let alerts = self.alerts_about(shared)?;
        let mut acts = self.acts_on_them()?;
        acts.insert(self.why.act);
        self.rewrite(tables::ACTS, |_, value| {
            let mut act: Act = from_bytes("acts-1", value)?;
            let to = act.alert.iter().chain(&act.with).map(|(alert, _)| alert);
            let is_of_alert = to.into_iter().any(|alert| alerts.contains(alert));
            let erased = act.erased.iter();
            let erases = erased.clone().any(|person| self.people.contains(person));
            let is_theirs = is_of_alert || erases || acts.contains(&act.id);
            let did = (act.people.len(), act.links.len(), act.rulings.len());
            act.people.retain(|swap| {
                let mut either = swap.before.iter().chain(&swap.after);
                !either.any(|person| self.people.contains(&person.id))
            });
            let theirs = |link: &Option<Link>| self.has(link.as_ref().map(|link| link.person));
            act.links
                .retain(|of| !theirs(&of.swap.before) && !theirs(&of.swap.after));
            act.rulings
                .retain(|of| !self.is_theirs(&of.integration, &of.resident));
            let does = (act.people.len(), act.links.len(), act.rulings.len());
            let is_other = did != does;
            let mut says_other = false;
            let settles = act.kind.can_be_undone() && !act.kind.is_care();
            let was_resolved = is_of_alert && settles && act.units.is_empty();
            let is_of_past = was_resolved && !erases && act.admitted.is_empty();
            if (is_other || is_of_past) && does.0 + does.1 == 0 {
                // Nothing is left that could be given back.
                says_other |= act.undone_by.is_none();
                act.undone_by = act.undone_by.or(Some(self.why.act));
            }
            let about = About::of(is_theirs || is_other);
            // Anything may stand in what people write to each other.
            if is_of_alert && act.kind == ActKind::Comment {
                says_other |= act.said.replace(GONE.to_owned()).as_deref() != Some(GONE);
            }
            // Who looks after an alert is somebody else.
            let said = act.said.as_mut().filter(|_| act.kind != ActKind::Assign);
            for text in said.into_iter().chain(&mut act.reason) {
                says_other |= self.clean_written(text, about);
            }
            let is_other = is_other || says_other;
            let kept = if is_other {
                to_bytes("acts-1", &act)?
            } else {
                value.to_vec()
            };
            Ok(self.clean(&kept).or(is_other.then_some(kept)))
        })?;
        for (integration, resident) in &self.residents {
            self.write.put_ruling(integration, resident, None)?;
        }
        Ok(())
    }

    /// The acts that changed something of theirs.
    fn acts_on_them(&self) -> Done<BTreeSet<ActId>> {
        let table = self.write.transaction.open_table(tables::CHANGES)?;
        let mut acts = BTreeSet::new();
        for seq in self.changes_of_theirs()? {
            if let Some(value) = table.get(seq)? {
                let change: Change = from_bytes("changes-1", value.value())?;
                acts.extend(change.act);
            }
        }
        for person in &self.people {
            acts.extend(self.write.erasing(*person)?.map(|erasing| erasing.act));
        }
        Ok(acts)
    }

    /// The alerts that are about them.
    fn alerts_about(&self, shared: &BTreeSet<String>) -> Done<BTreeSet<AlertId>> {
        let table = self.write.transaction.open_table(tables::ALERTS)?;
        let mut about = BTreeSet::new();
        for entry in table.iter()? {
            let alert: Alert = from_bytes("alerts-1", entry?.1.value())?;
            if shared.contains(&alert.subject) || self.is_about_them(&alert) {
                about.insert(alert.id);
            }
        }
        Ok(about)
    }

    /// Alerts about them lose both sides, and are closed: whoever else is meant by one is told anew by the next run.
    pub(super) fn alerts(&self, shared: &BTreeSet<String>) -> Done<()> {
        let mut others = Vec::new();
        let table = self.write.transaction.open_table(tables::ALERTS)?;
        for entry in table.iter()? {
            let entry = entry?;
            let value = entry.1.value();
            let cleaned = self.clean(value);
            let mut alert: Alert = from_bytes("alerts-1", cleaned.as_deref().unwrap_or(value))?;
            if cleaned.is_some() && from_bytes::<Alert>("alerts-1", value)?.subject != alert.subject
            {
                // Two that are about the same by now are two causes all the same.
                alert.subject = format!("{} {}", alert.subject, alert.id);
            }
            let before = alert.clone();
            let examples = std::mem::take(&mut alert.examples);
            let is_other = |one: &String| {
                let person = one.parse().ok();
                !self.is_theirs(&alert.integration, one) && !self.has(person)
            };
            let examples = examples.into_iter().filter(is_other).collect();
            alert.examples = examples;
            let is_shared = shared.contains(&alert.subject);
            let is_theirs = is_shared || self.is_about_them(&alert);
            self.clean_written(&mut alert.detail, About::of(is_theirs));
            for comment in &mut alert.comments {
                self.clean_written(&mut comment.text, About::Anything);
            }
            if is_theirs {
                for side in &mut alert.sides {
                    side.values.clear();
                    side.mapped = None;
                    side.beside = None;
                }
                // Anything may stand in what people write.
                alert.comments.clear();
                if alert.state == AlertState::Open && !alert.kind.is_of_the_feed() {
                    alert.state = AlertState::AutoClosed;
                }
                if is_shared {
                    alert.subject = format!("erased {}", alert.id);
                }
            }
            if cleaned.is_some() || alert != before {
                others.push(alert);
            }
        }
        drop(table);
        self.write.put_alerts(&others)
    }

    fn is_about_them(&self, alert: &Alert) -> bool {
        let theirs = |resident: &str| self.is_theirs(&alert.integration, resident);
        let mut sides = alert.sides.iter();
        theirs(&alert.subject)
            || self.has(alert.subject.parse().ok())
            || sides
                .any(|side| self.has(side.person) || side.resident.as_deref().is_some_and(theirs))
    }

    /// The change log keeps what happened when, and which fields changed, without their values. Of others, an email that
    /// was theirs goes.
    pub(super) fn changes(&self) -> Done<()> {
        let theirs = self.changes_of_theirs()?;
        self.rewrite(tables::CHANGES, |seq, value| {
            let is_theirs = theirs.contains(seq);
            if !is_theirs && !self.traces.touch_by_email(value) {
                return Ok(None);
            }
            let mut change: Change = from_bytes("changes-1", value)?;
            let before = change.clone();
            for field in &mut change.fields {
                if is_theirs {
                    (field.before, field.after) = (None, None);
                } else if field.field == Field::Email {
                    for value in [&mut field.before, &mut field.after] {
                        value.take_if(|value| self.traces.clean(value).is_some());
                    }
                }
            }
            let is_other = change != before;
            is_other.then(|| to_bytes("changes-1", &change)).transpose()
        })
    }

    fn changes_of_theirs(&self) -> Done<BTreeSet<u64>> {
        let index = self
            .write
            .transaction
            .open_table(tables::CHANGES_BY_PERSON)?;
        let mut all = BTreeSet::new();
        for person in &self.people {
            for entry in index.range((person.0, 0)..=(person.0, u64::MAX))? {
                all.insert(entry?.0.value().1);
            }
        }
        Ok(all)
    }

    /// Decisions keep whom they were about, by the PMS id, and by which rule.
    pub(super) fn decisions(&self) -> Done<()> {
        self.rewrite(tables::DECISIONS, |_, value| self.part_of_decisions(value))?;
        self.rewrite(tables::MORE_DECISIONS, |_, value| {
            self.part_of_decisions(value)
        })
    }

    fn part_of_decisions(&self, value: &[u8]) -> Done<Option<Vec<u8>>> {
        if !self.traces.touch(value) {
            return Ok(None);
        }
        let mut decisions: Vec<Decision> = from_bytes("decisions-1", value)?;
        let mut is_other = false;
        for decision in &mut decisions {
            if let Some(reason) = self.traces.clean(&decision.reason) {
                decision.reason = reason;
                is_other = true;
            }
        }
        is_other
            .then(|| to_bytes("decisions-1", &decisions))
            .transpose()
    }

    /// Plans that wait keep how much they take, and from which ids. Of what passed lately, homes and phones go.
    pub(super) fn guards(&self) -> Done<()> {
        self.rewrite(tables::GUARDS, |_, value| {
            let cleaned = self.clean(value);
            let mut state: GuardState =
                from_bytes("guards-1", cleaned.as_deref().unwrap_or(value))?;
            let before = state.clone();
            let approvals = [&mut state.approval, &mut state.since_upgrade_approval];
            let approved = approvals.into_iter().flatten();
            let approved = approved.map(|approval| &mut approval.plan);
            let waits = [&mut state.held, &mut state.since_upgrade];
            for plan in approved.chain(waits.into_iter().flatten()) {
                self.plan(plan);
            }
            let theirs = state.passed.iter_mut();
            for passed in theirs.filter(|one| self.has(one.subject.parse().ok())) {
                passed.units.clear();
                passed.phones = None;
            }
            if state == before {
                return Ok(cleaned);
            }
            to_bytes("guards-1", &state).map(Some)
        })
    }

    fn plan(&self, plan: &mut HeldPlan) {
        let theirs =
            |item: &&mut Guarded| self.has(item.person) || self.has(item.subject.parse().ok());
        for item in plan.items.iter_mut().filter(theirs) {
            for text in [&mut item.name, &mut item.unit, &mut item.from, &mut item.to] {
                text.clear();
            }
        }
    }

    /// What runs and targets said in words, and what somebody is still to be told.
    pub(super) fn texts(&self) -> Done<()> {
        self.rewrite(tables::RUNS, |_, value| {
            let cleaned = self.clean(value);
            let kept = cleaned.as_deref().unwrap_or(value);
            if !is_in(kept, b"\"reason\"") {
                return Ok(cleaned);
            }
            let mut run: Run = from_bytes("runs-1", kept)?;
            let reason = run.outcome.reason_mut();
            if !reason.is_some_and(|reason| self.clean_written(reason, About::Anything)) {
                return Ok(cleaned);
            }
            to_bytes("runs-1", &run).map(Some)
        })?;
        self.rewrite(tables::HISTORIES, |_, value| {
            let cleaned = self.clean(value);
            let kept = cleaned.as_deref().unwrap_or(value);
            let mut history: History = from_bytes("histories-1", kept)?;
            let paused = history.pause.as_mut().map(|pause| &mut pause.reason);
            let mut is_other = false;
            for text in paused.into_iter().chain(&mut history.last_error) {
                is_other |= self.clean_written(text, About::Anything);
            }
            if !is_other {
                return Ok(cleaned);
            }
            to_bytes("histories-1", &history).map(Some)
        })?;
        self.rewrite(tables::TARGETS, |_, value| Ok(self.clean(value)))?;
        self.rewrite(tables::NOTICES, |_, value| Ok(self.clean(value)))
    }

    /// What is kept of them at targets; of what is there and nobody's, what says that it is theirs.
    pub(super) fn deliveries(&self) -> Done<()> {
        let mut table = self.write.transaction.open_table(tables::LANES)?;
        table.retain(|(_, person), _| !self.people.contains(&PersonId(person)))?;
        drop(table);
        self.rewrite(tables::LANES, |(_, person), value| {
            Ok(if *person == 0 {
                self.clean(value)
            } else {
                None
            })
        })
    }
}

fn is_in(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|here| here == what)
}
