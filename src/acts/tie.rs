//! Tying a resident to a person by hand, and untying them.

use crate::model::{ActKind, ChangeKind, Done, IntegrationId, LeaseStatus, Link, PersonId};
use crate::store::Store;

use super::desk::{Desk, Where};
use super::{ActError, Hand};

/// Ties a resident to a person. What the PMS says about the resident comes with the next run.
pub fn link(
    store: &Store,
    person: PersonId,
    integration: &IntegrationId,
    resident: &str,
    hand: &Hand,
) -> Result<Done, ActError> {
    let mut desk = Desk::open(store, ActKind::Link, hand)?;
    desk.living(person)?;
    if let Some(other) = desk.store().link(integration, resident)? {
        return Err(ActError::Refused(if other.person == person {
            format!("{resident} is linked to {person} already")
        } else {
            format!("{resident} is linked to {}; unlink it first", other.person)
        }));
    }
    if !is_known(store, integration, resident)? {
        return Err(ActError::Refused(format!(
            "the last run of `{integration}` named no resident {resident}; `epms runs` and `epms run` show whom it named"
        )));
    }
    let link = Link {
        by_hand: true,
        ..Link::new(person, hand.now)
    };
    desk.put_link(integration, resident, Some(link))?;
    if desk.store().ruling(integration, resident)?.is_some() {
        desk.put_ruling(integration, resident, None)?;
    }
    let at = Where {
        integration: Some(integration),
        resident: Some(resident),
        rule: "by hand",
    };
    desk.change(person, ChangeKind::Linked, &at, Vec::new());
    desk.done()
}

/// So many of the latest runs are asked whom they named.
const RUNS: usize = 50;

/// Whether the last run of which anything is kept decided on a resident, or somebody did; or no run has decided yet.
fn is_known(store: &Store, integration: &IntegrationId, resident: &str) -> Result<bool, ActError> {
    let view = store.read()?;
    if view.ruling(integration, resident)?.is_some() {
        return Ok(true);
    }
    for run in view.runs(Some(integration), None, RUNS)? {
        let decisions = view.decisions(run.id)?;
        if !decisions.is_empty() {
            return Ok(decisions.iter().any(|one| one.subject == resident));
        }
    }
    // Nobody can say.
    Ok(true)
}

/// Unties a resident from a person, and remembers it: the next run does not tie them again by email and name,
/// but flags it. Where no other resident of the person is there, the stay ends: nobody would ever close it.
pub fn unlink(
    store: &Store,
    person: PersonId,
    integration: &IntegrationId,
    resident: &str,
    hand: &Hand,
) -> Result<Done, ActError> {
    let mut desk = Desk::open(store, ActKind::Unlink, hand)?;
    let before = desk.person(person)?;
    if desk
        .store()
        .link(integration, resident)?
        .is_none_or(|link| link.person != person)
    {
        return Err(ActError::Refused(format!(
            "{resident} at {integration} is not linked to {person}; `epms people show {person}` shows the links"
        )));
    }
    desk.put_link(integration, resident, None)?;
    let mut ruling = desk
        .store()
        .ruling(integration, resident)?
        .unwrap_or_default();
    ruling.apart.insert(person);
    desk.put_ruling(integration, resident, Some(ruling))?;
    let at = Where {
        integration: Some(integration),
        resident: Some(resident),
        rule: "by hand",
    };
    let others = desk.store().links_of(person)?;
    let remains = others.iter().any(|(place, _)| place == integration);
    let mut after = before.clone();
    match after.stays.get_mut(integration).filter(|_| !remains) {
        Some(stay) => {
            stay.status = LeaseStatus::Past;
            desk.put_person(Some(before), after, ChangeKind::Unlinked, &at)?;
        }
        None => desk.change(person, ChangeKind::Unlinked, &at, Vec::new()),
    }
    desk.done()
}
