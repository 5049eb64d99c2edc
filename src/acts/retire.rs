//! Giving up an integration for good, or a PMS property that its file does not name any more (R46): whoever still lives
//! there has left. It is the approval of that.

use std::collections::BTreeSet;

use crate::model::{
    ActKind, Alert, AlertState, Attachment, ChangeKind, IntegrationId, Leaver, Person, Retirement,
};
use crate::rules::relocation::{self, Census};
use crate::store::Store;

use super::desk::{Desk, Where};
use super::relocate::{RULE, census, forget_counts};
use super::{ActError, Hand};

/// Ends the stays of everybody who is current or pending at an integration, or by a lease of one of its PMS properties,
/// and closes its alerts. With `dry_run` it only tells whom that would take.
pub fn retire(
    store: &Store,
    id: &IntegrationId,
    property: Option<&str>,
    dry_run: bool,
    hand: &Hand,
) -> Result<Retirement, ActError> {
    let mut desk = Desk::open(store, ActKind::Retire, hand)?;
    let before = census(desk.store(), &BTreeSet::from([id.clone()]))?;
    let known = desk.store().attachment(id)?;
    can_be(id, property, &before, known.as_ref())?;
    let after = relocation::retire(id, property, &before);
    let mut residents = BTreeSet::new();
    for (key, was) in &before.links {
        let is = after.links.get(key);
        let goes = property.is_none_or(|property| was.property.as_deref() == Some(property));
        if goes && key.0 == *id {
            residents.insert(key.1.as_str());
        }
        if is != Some(was) {
            desk.put_link(&key.0, &key.1, is.cloned())?;
        }
    }
    let mut leavers = Vec::new();
    for (who, was) in &before.people {
        let Some(is) = after.people.get(who).filter(|is| *is != was) else {
            continue;
        };
        leavers.extend(leaver(id, was, is));
        let at = Where {
            integration: Some(id),
            resident: None,
            rule: RULE,
        };
        desk.put_person(Some(was.clone()), is.clone(), ChangeKind::Closed, &at)?;
    }
    let mut closed = Vec::new();
    for ((_, subject), alert) in desk.store().open_alerts(id)? {
        if goes_with(property, &residents, &subject, &alert) {
            closed.push(alert.id);
            desk.settle_too(alert, AlertState::Resolved)?;
        }
    }
    let mut attachment = known.unwrap_or_default();
    if let Some(property) = property {
        attachment.properties.remove(property);
        forget_counts(desk.store(), id)?;
    } else {
        attachment.retired = Some(hand.now);
        let guard = desk.store().guard(id)?;
        let guard = crate::model::GuardState {
            held: None,
            approval: None,
            rejected: None,
            since_upgrade: None,
            since_upgrade_approval: None,
            ..guard
        };
        desk.store().put_guard(id, &guard)?;
        // Nobody will read it, and somebody said what holds.
        desk.store().put_up_to_date(id)?;
    }
    desk.put_attachment(id, Some(attachment))?;
    let done = if dry_run { None } else { Some(desk.done()?) };
    Ok(Retirement {
        integration: id.clone(),
        property: property.map(String::from),
        people: leavers,
        alerts: closed,
        done,
    })
}

fn can_be(
    id: &IntegrationId,
    property: Option<&str>,
    before: &Census,
    known: Option<&Attachment>,
) -> Result<(), ActError> {
    let Some(property) = property else {
        if known.is_some_and(|known| known.retired.is_some()) {
            return Err(ActError::Refused(format!("`{id}` is retired already")));
        }
        if known.is_none() && before.people.is_empty() && before.links.is_empty() {
            return Err(ActError::NotFound(format!(
                "nobody was ever linked to `{id}`; `epms status` lists the integrations"
            )));
        }
        return Ok(());
    };
    let linked = before.links.values();
    let is_known = known.is_some_and(|known| known.properties.contains(property))
        || linked
            .filter_map(|link| link.property.as_deref())
            .any(|of| of == property);
    if is_known {
        return Ok(());
    }
    Err(ActError::NotFound(format!(
        "`{id}` has nobody of the PMS property `{property}`"
    )))
}

fn leaver(id: &IntegrationId, was: &Person, is: &Person) -> Option<Leaver> {
    let (from, to) = (was.stay(id)?, is.stay(id)?);
    let name = format!("{} {}", was.first_name, was.last_name);
    Some(Leaver {
        person: was.id,
        name: name.trim().to_owned(),
        unit: from.unit.as_ref().map(|unit| unit.label.clone()),
        from: from.status,
        to: to.status,
    })
}

/// Whether an alert is closed with what is given up.
fn goes_with(
    property: Option<&str>,
    residents: &BTreeSet<&str>,
    subject: &str,
    alert: &Alert,
) -> bool {
    let Some(property) = property else {
        return true;
    };
    let mut sides = alert.sides.iter();
    subject == format!("property {property}")
        || residents.contains(subject)
        || sides.any(|side| {
            side.resident
                .as_deref()
                .is_some_and(|one| residents.contains(one))
        })
}
