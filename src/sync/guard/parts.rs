//! The parts of a plan that take something away: from people, from units, by exclusions. Counts nothing
//! against a limit but the growth of exclusions.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Guarded, GuardedKind, IntegrationId, LeaseStatus, Person, PersonId};
use crate::store::StoreError;

use super::super::matching::People;
use super::super::plan::Plan;
use super::Facts;

/// Closings, unlinks, email changes and exclusions of linked people, and those who are set back to pending.
pub(super) fn of_people<P: People>(
    plan: &Plan,
    facts: &Facts<'_, P>,
) -> Result<Vec<Guarded>, StoreError> {
    let mut items = Vec::new();
    let mut add = |kind: GuardedKind, person: PersonId, values: &[&str]| {
        items.push(Guarded {
            kind,
            subject: person.to_string(),
            mark: mark(values),
            count: 0,
        });
    };
    for after in &plan.people {
        let Some(before) = facts.people.person(after.id)? else {
            continue;
        };
        if let Some(email) = &before.email
            && before.email != after.email
        {
            let new = after.email.as_deref().unwrap_or_default();
            add(GuardedKind::EmailChange, after.id, &[email, new]);
        }
        let stay = |person: &Person| person.stays.get(facts.integration).cloned();
        let (Some(was), Some(is)) = (stay(&before), stay(after)) else {
            continue;
        };
        if !was.is_closed() && is.is_closed() {
            add(GuardedKind::Closing, after.id, &[is.status.as_str()]);
        }
        if was.status == LeaseStatus::Current && is.status == LeaseStatus::Pending {
            add(GuardedKind::BackToPending, after.id, &[]);
        }
        if !was.excluded && is.excluded {
            add(GuardedKind::Rest, after.id, &[]);
        }
    }
    for (resident, link) in &plan.links {
        // A link that is given up because nobody named its resident any more (R25), not by what was said.
        if link.misses > 0
            && link.status.is_closed()
            && facts
                .links
                .get(resident)
                .is_some_and(|old| !old.status.is_closed())
        {
            add(GuardedKind::Unlink, link.person, &[resident]);
        }
    }
    Ok(items)
}

/// The units that people of the plan leave, by person.
pub(super) fn left<P: People>(
    plan: &Plan,
    facts: &Facts<'_, P>,
) -> Result<BTreeMap<PersonId, BTreeSet<String>>, StoreError> {
    let mut left = BTreeMap::new();
    for after in &plan.people {
        let Some(before) = facts.people.person(after.id)? else {
            continue;
        };
        let is: BTreeSet<String> = homes(after, facts.integration).collect();
        let units: BTreeSet<String> = homes(&before, facts.integration)
            .filter(|unit| !is.contains(unit))
            .collect();
        if !units.is_empty() {
            left.insert(after.id, units);
        }
    }
    Ok(left)
}

/// What becomes of the occupied units of a property.
pub(super) struct Units {
    /// Those that the plan leaves without a current resident.
    pub(super) now: BTreeSet<String>,
    /// How many were left so within the window, and still are.
    pub(super) before: usize,
    /// How many were occupied before all that.
    pub(super) occupied: usize,
}

/// Of the units that are left, those in which nobody remains (R36).
pub(super) fn vacancies<P: People>(
    plan: &Plan,
    facts: &Facts<'_, P>,
    left: &BTreeSet<String>,
    left_before: &BTreeSet<&str>,
) -> Result<Units, StoreError> {
    let planned: BTreeMap<PersonId, &Person> =
        plan.people.iter().map(|one| (one.id, one)).collect();
    let links = (facts.all_links)()?;
    let linked: BTreeSet<PersonId> = links.values().map(|link| link.person).collect();
    let (mut was, mut is) = (BTreeSet::new(), BTreeSet::new());
    for person in planned.values() {
        is.extend(homes(person, facts.integration));
    }
    for id in linked {
        let Some(person) = facts.people.person(id)? else {
            continue;
        };
        let units = homes(&person, facts.integration);
        if planned.contains_key(&id) {
            was.extend(units);
        } else {
            let units: Vec<String> = units.collect();
            was.extend(units.clone());
            is.extend(units);
        }
    }
    let now: BTreeSet<String> = left
        .iter()
        .filter(|unit| !is.contains(*unit))
        .cloned()
        .collect();
    let before = left_before
        .iter()
        .filter(|unit| !is.contains(**unit) && !was.contains(**unit))
        .count();
    Ok(Units {
        now,
        before,
        occupied: was.len() + before,
    })
}

/// Exclusions that take many more than in the run before; those of the first run are nothing to compare. As
/// many as the feed has grown by may all be new, and have taken nobody who was there: a PMS property that is
/// attached brings its own.
pub(super) fn exclusions<P>(plan: &Plan, facts: &Facts<'_, P>) -> Vec<Guarded> {
    let Some(before) = &facts.state.excluded_by else {
        return Vec::new();
    };
    let seen = usize::try_from(facts.seen).unwrap_or(usize::MAX);
    let allowed = u64::try_from(facts.allowed(seen)).unwrap_or(u64::MAX);
    let grown = facts
        .state
        .seen
        .map_or(0, |seen| facts.seen.saturating_sub(seen));
    let grows = |count: u64, before: u64| {
        let more = count.saturating_sub(before);
        more.saturating_sub(grown) > allowed
    };
    let exclusion = |reason: &str, count: u64| Guarded {
        kind: GuardedKind::Exclusion,
        subject: reason.to_owned(),
        mark: String::new(),
        count,
    };
    let found: Vec<Guarded> = plan
        .excluded_by
        .iter()
        .filter(|(reason, count)| grows(**count, before.get(*reason).copied().unwrap_or(0)))
        .map(|(reason, count)| exclusion(reason, *count))
        .collect();
    // A script may give everybody a reason of their own.
    let all = plan.excluded_by.values().sum();
    if found.is_empty() && grows(all, before.values().sum()) {
        return vec![exclusion("", all)];
    }
    found
}

/// The units where somebody lives now. A unit that has another name here is another unit: without a list the
/// name is the unit (R34), and with one it is what the list makes of it.
fn homes(person: &Person, integration: &IntegrationId) -> impl Iterator<Item = String> {
    person
        .stays
        .get(integration)
        .filter(|stay| stay.status == LeaseStatus::Current)
        .into_iter()
        .flat_map(|stay| stay.unit.iter().chain(&stay.more_units))
        .map(|unit| match &unit.label {
            label if *label == unit.id => unit.id.clone(),
            label => format!("{} ({label})", unit.id),
        })
}

fn mark(values: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for value in values {
        hasher.update(value.as_bytes());
        hasher.update(&[0x1f]);
    }
    hasher.finalize().to_hex()[..16].to_owned()
}
