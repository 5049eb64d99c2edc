//! Whose record it is, as somebody decides: `identity_changed` and `duplicate_ids` (R21, R21a, R31).

use std::borrow::Cow;

use crate::model::{Alert, ChangeKind, Field, Person, Ruling, Side};
use crate::rules::alerts::stay_side;
use crate::rules::entry::{Group, Lease};
use crate::rules::matching::{Match, match_resident};
use crate::store::Property;

use super::ActError;
use super::agree::{Told, overrule};
use super::desk::Desk;
use super::resolve::{
    at, believe, free_email, leave, make, out_of_date, people_of, person_of, separate, told,
};

type Answer<T> = Result<T, ActError>;

/// The record is the linked person's all the same: they get what it says.
pub(super) fn same_person(desk: &mut Desk<'_>, alert: &Alert) -> Answer<()> {
    take_over(desk, alert, &told(alert)?)
}

fn take_over(desk: &mut Desk<'_>, alert: &Alert, told: &Told) -> Answer<()> {
    let person = person_of(alert, None)?;
    let before = desk.living(person)?;
    let email = &told.resident().email;
    let takes = email.is_some() && *email != before.email && !before.locks.contains(&Field::Email);
    if takes {
        free_email(desk, told.resident(), &[person])?;
    }
    let after = make(desk, alert, told, before, Some(email).filter(|_| takes))?;
    believe(desk, alert, told.resident(), &after)?;
    overrule(desk, &after)
}

/// All leases under the id are one human's. Who is linked gets what they say together; nobody else is taken in before
/// the next run.
pub(super) fn one_person(desk: &mut Desk<'_>, alert: &Alert) -> Answer<()> {
    let ruling = desk.store().ruling(&alert.integration, &alert.subject)?;
    let ruling = Ruling {
        together: true,
        ..ruling.unwrap_or_default()
    };
    desk.put_ruling(&alert.integration, &alert.subject, Some(ruling))?;
    if people_of(alert).is_empty() {
        return Ok(());
    }
    let property = |side: &Side| {
        side.beside
            .as_ref()
            .and_then(|beside| beside.property.clone())
    };
    let leases = alert.sides.iter().filter_map(|side| {
        Some(Lease {
            property: property(side),
            ..Lease::of(Told::of(side)?.normal)
        })
    });
    let all = Group::of_linked(alert.subject.clone(), leases.collect());
    let of = all.lease().and_then(|lease| lease.property.clone());
    let stay = all.stay().map(Cow::into_owned);
    let side = stay.map(|normal| stay_side(&normal, all.more_units(), of, all.own_start()));
    let together = side.as_ref().and_then(Told::of);
    let together = together.ok_or_else(|| out_of_date(alert, "it holds no lease"))?;
    take_over(desk, alert, &together)
}

/// The record is somebody else's: the person is tied to it no longer, and it is matched anew, as a run would.
pub(super) fn somebody_else(desk: &mut Desk<'_>, alert: &Alert) -> Answer<()> {
    let told = told(alert)?;
    let resident = told.resident();
    let person = person_of(alert, None)?;
    let link = desk.store().link(&alert.integration, &resident.id)?;
    if link.is_none_or(|link| link.person != person) {
        return Err(out_of_date(
            alert,
            "the resident is not linked to this person any more",
        ));
    }
    let place = at(alert, resident);
    let before = desk.person(person)?;
    desk.put_link(&alert.integration, &resident.id, None)?;
    leave(desk, alert, resident, person)?;
    if desk.person(person)? == before {
        desk.change(person, ChangeKind::Unlinked, &place, Vec::new());
    }
    let ruling = desk.store().ruling(&alert.integration, &resident.id)?;
    let mut ruling = ruling.unwrap_or_default();
    ruling.apart.insert(person);
    desk.put_ruling(&alert.integration, &resident.id, Some(ruling.clone()))?;
    let Some(email) = resident
        .email
        .as_deref()
        .filter(|_| resident.status.may_come_in())
    else {
        return Ok(());
    };
    let found = {
        let people = Property::of(desk.store(), &alert.integration)?;
        match_resident(resident, email, Some(&ruling), &people)?
    };
    match found {
        Match::Create => separate(desk, alert),
        Match::Link(other) => {
            let other: Person = *other;
            make(desk, alert, &told, other, None).map(drop)
        }
        // The next run tells who could be meant.
        Match::Flag { .. } => Ok(()),
    }
}
