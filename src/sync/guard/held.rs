//! What is left of a plan that the guard holds: all of it waits, or only what takes away. Pure but for
//! questions to the people of the store.

use std::collections::BTreeSet;

use crate::model::{Decision, Fate, GuardedKind, HeldPlan, PersonId};
use crate::store::StoreError;

use super::super::matching::People;
use super::super::plan::Plan;
use super::{Facts, parts};

/// Nothing of the plan is written: every decision to write waits. Its people, links, alerts and changes are
/// gone; decisions and counts remain for the report.
pub(in crate::sync) fn stop(plan: &mut Plan, held: &HeldPlan) {
    let people = of_people(held);
    let decisions = std::mem::take(&mut plan.decisions);
    *plan = Plan {
        counts: plan.counts,
        excluded_by: std::mem::take(&mut plan.excluded_by),
        ..Plan::default()
    };
    for decision in decisions {
        let reason = match decision.person {
            Some(person) if people.contains(&person) => why(held, person),
            _ => format!("waits with the run; would be {}", decision.fate),
        };
        let decision = wait(plan, decision, reason);
        plan.decisions.push(decision);
    }
}

/// Only what takes nothing away is written: whom the guard holds stays as they are.
pub(in crate::sync) fn stage<P: People>(
    plan: &mut Plan,
    held: &HeldPlan,
    facts: &Facts<'_, P>,
) -> Result<(), StoreError> {
    let mut people = of_people(held);
    let vacated: BTreeSet<&str> = held
        .items
        .iter()
        .filter(|item| item.kind == GuardedKind::Vacancy)
        .map(|item| item.subject.as_str())
        .collect();
    for (person, units) in parts::left(plan, facts)? {
        if units.iter().any(|unit| vacated.contains(unit.as_str())) {
            people.insert(person);
        }
    }
    plan.people.retain(|person| !people.contains(&person.id));
    plan.links
        .retain(|(_, link)| !people.contains(&link.person));
    plan.changes
        .retain(|change| !people.contains(&change.person));
    for decision in std::mem::take(&mut plan.decisions) {
        let decision = match decision.person {
            Some(person) if people.contains(&person) => wait(plan, decision, why(held, person)),
            _ => decision,
        };
        plan.decisions.push(decision);
    }
    Ok(())
}

fn of_people(held: &HeldPlan) -> BTreeSet<PersonId> {
    held.items
        .iter()
        .filter(|item| item.kind.is_of_person())
        .filter_map(|item| item.subject.parse().ok())
        .collect()
}

fn why(held: &HeldPlan, person: PersonId) -> String {
    let person = person.to_string();
    let kinds: Vec<&str> = held
        .items
        .iter()
        .filter(|item| item.subject == person)
        .map(|item| item.kind.as_str())
        .collect();
    let what = if kinds.is_empty() {
        "vacancy".to_owned()
    } else {
        kinds.join(", ")
    };
    format!("waits for approval: {what}")
}

/// A decision to write becomes one to wait.
fn wait(plan: &mut Plan, decision: Decision, reason: String) -> Decision {
    if !matches!(decision.fate, Fate::Created | Fate::Linked | Fate::Updated) {
        return decision;
    }
    plan.counts.take(decision.fate);
    plan.counts.add(Fate::Held);
    Decision {
        fate: Fate::Held,
        rule: "R27".into(),
        reason,
        // Whoever would be made is nobody yet.
        person: decision.person.filter(|_| decision.fate != Fate::Created),
        ..decision
    }
}
