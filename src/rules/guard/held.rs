//! What is left of a plan that the guard holds: nothing but its report, or everything but the people whom it is
//! about. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Counts, Decision, Fate, Guarded, GuardedKind, HeldPlan, Link, PersonId, SpoolError,
};

use super::super::plan::Plan;

/// Nothing of the plan is written: every decision to write waits. Its people, links, alerts and changes are
/// gone; decisions and counts remain for the report.
pub(crate) fn stop(plan: &mut Plan, held: &HeldPlan) -> Result<(), SpoolError> {
    let mut decisions = std::mem::take(&mut plan.decisions);
    *plan = Plan {
        counts: plan.counts,
        excluded_by: std::mem::take(&mut plan.excluded_by),
        estranged: std::mem::take(&mut plan.estranged),
        ..Plan::default()
    };
    let why = Why::of(held);
    decisions.replace(|decision| {
        let reason = why.told(&decision);
        let reason =
            reason.unwrap_or_else(|| format!("waits with the run; would be {}", decision.fate));
        wait(&mut plan.counts, decision, reason)
    })?;
    plan.decisions = decisions;
    Ok(())
}

/// These people stay as they are, and those of them who are new do not come; the rest of the plan goes on. `links` are
/// those before the plan. A run of which something is held is none in which misses are counted (R25).
pub(crate) fn cut(
    plan: &mut Plan,
    held: &HeldPlan,
    people: &BTreeSet<PersonId>,
    links: &BTreeMap<String, Link>,
) -> Result<(), SpoolError> {
    let stays = |person: &PersonId| !people.contains(person);
    plan.people.retain(|person| stays(&person.id))?;
    plan.links.retain(|(resident, link)| {
        let misses_alone = links.get(resident).is_some_and(|old| {
            let same = old.status == link.status && old.superseded == link.superseded;
            old.misses < link.misses && same
        });
        stays(&link.person) && !misses_alone
    })?;
    plan.changes.retain(|change| stays(&change.person))?;
    // What is told of somebody who does not come is told when they do.
    let is_of_them = |subject: &str| {
        let person = subject.parse::<PersonId>();
        person.is_ok_and(|person| people.contains(&person))
    };
    plan.alerts
        .raised
        .retain(|alert| !is_of_them(&alert.subject));
    let why = Why::of(held);
    let counts = &mut plan.counts;
    plan.decisions.replace(|decision| match decision.person {
        Some(person) if people.contains(&person) => {
            let told = why.told(&decision);
            let reason = told.unwrap_or_else(|| "waits for approval".to_owned());
            wait(counts, decision, reason)
        }
        _ => decision,
    })
}

/// Why somebody waits, by person, or by resident where they are nobody yet.
struct Why<'a>(BTreeMap<&'a str, Vec<&'a Guarded>>);

impl<'a> Why<'a> {
    fn of(held: &'a HeldPlan) -> Why<'a> {
        let mut why: BTreeMap<&str, Vec<&Guarded>> = BTreeMap::new();
        for item in &held.items {
            let is_of_somebody = item.person.is_some()
                || matches!(item.kind, GuardedKind::Arrival | GuardedKind::Newcomer);
            if is_of_somebody {
                why.entry(&item.subject).or_default().push(item);
            }
        }
        Why(why)
    }

    fn told(&self, decision: &Decision) -> Option<String> {
        let subject = match (decision.fate, decision.person) {
            (Fate::Created, _) | (_, None) => decision.subject.clone(),
            (_, Some(person)) => person.to_string(),
        };
        let items = self.0.get(subject.as_str())?;
        let kinds: Vec<&str> = items.iter().map(|item| item.kind.as_str()).collect();
        Some(format!("waits for approval: {}", kinds.join(", ")))
    }
}

/// A decision to write becomes one to wait.
fn wait(counts: &mut Counts, decision: Decision, reason: String) -> Decision {
    if !matches!(decision.fate, Fate::Created | Fate::Linked | Fate::Updated) {
        return decision;
    }
    counts.take(decision.fate);
    counts.add(Fate::Held);
    Decision {
        fate: Fate::Held,
        rule: "R27".into(),
        reason,
        // Whoever would be made is nobody yet.
        person: decision.person.filter(|_| decision.fate != Fate::Created),
        ..decision
    }
}
