//! What the next run would write if both sides of an alert had agreed from the start: by the same rules as a run. Decides
//! nothing about who the sides are.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::config::EmailChange;
use crate::model::{
    Alert, Beside, LeaseStatus, Link, People, Person, PersonId, Resident, Side, Stay, Unit,
};
use crate::rules::Normal;
use crate::rules::entry::{Group, Lease};
use crate::rules::plan::{may_follow, superseded};
use crate::rules::update::{Ask, tie, update};
use crate::store::Property;

use super::ActError;
use super::desk::Desk;

type Answer<T> = Result<T, ActError>;

/// A resident of the PMS as the run that raised an alert saw them.
pub(super) struct Told {
    pub(super) normal: Normal,
    beside: Beside,
}

impl Told {
    /// The resident of a side, where it is one.
    pub(super) fn of(side: &Side) -> Option<Told> {
        let resident = side.mapped.as_deref()?.clone();
        let beside = side.beside.as_deref().cloned().unwrap_or_default();
        Some(Told {
            normal: Normal {
                keep_phone: beside.keep_phone,
                reversed: false,
                resident,
            },
            beside,
        })
    }

    pub(super) fn resident(&self) -> &Resident {
        &self.normal.resident
    }

    /// When the id's own lease begins, whatever the stay is made of.
    fn own_start(&self) -> Option<Date> {
        self.beside.lease_start.or(self.resident().lease_start)
    }
}

/// A person and their link to a resident, as the next run would leave them.
pub(super) struct Agreed {
    pub(super) person: Person,
    pub(super) link: Link,
    /// Links of other ids that the resident's takes the place of (R22).
    pub(super) superseded: Vec<(String, Link)>,
    /// The person was linked to the resident before.
    pub(super) was_linked: bool,
}

/// What becomes of a person who is the resident. Their email is the caller's to decide.
pub(super) fn agree(
    desk: &Desk<'_>,
    alert: &Alert,
    told: &Told,
    before: &Person,
) -> Answer<Agreed> {
    let integration = &alert.integration;
    let resident = told.resident();
    let link = desk
        .store()
        .link(integration, &resident.id)?
        .filter(|link| link.person == before.id);
    let mut normal = told.normal.clone();
    let mut more_units = told.beside.more_units.clone();
    let mut gone = Vec::new();
    if link.is_none() {
        let others = others(desk, alert, before.id, &resident.id)?;
        let own = Resident {
            lease_start: told.own_start(),
            ..resident.clone()
        };
        let (old, open): (Vec<_>, Vec<_>) = others.into_iter().partition(|(_, link)| {
            link.misses > 0 && may_follow(&own, link, before.stay(integration))
        });
        gone = old
            .into_iter()
            .map(|(id, link)| (id, superseded(&link)))
            .collect();
        if let Some(stay) = before.stay(integration)
            && !open.is_empty()
        {
            (normal, more_units) = together(&normal, &more_units, stay);
        }
    }
    let ask = Ask {
        integration,
        normal: &normal,
        more_units,
        link: link.as_ref(),
        email_change: EmailChange::HoldEmail,
        email_is_free: true,
        agreed: true,
        left_out: false,
        email_was_cut: false,
        since: since(desk, alert, before)?,
    };
    let mut person = update(before, &ask).person;
    person.email.clone_from(&before.email);
    let property = told.beside.property.clone();
    let property = property.or_else(|| link.as_ref().and_then(|link| link.property.clone()));
    let mut tied = tie(
        resident,
        link.as_ref(),
        before.id,
        resident.email.clone(),
        property,
        told.own_start(),
        desk.hand().now,
    );
    if tied.status == LeaseStatus::Unknown {
        tied.status = person
            .stay(integration)
            .map_or(LeaseStatus::Past, |stay| stay.status);
    }
    Ok(Agreed {
        person,
        link: tied,
        superseded: gone,
        was_linked: link.is_some(),
    })
}

/// Open links of the person to other residents of the alert's integration.
fn others(
    desk: &Desk<'_>,
    alert: &Alert,
    person: PersonId,
    but: &str,
) -> Answer<Vec<(String, Link)>> {
    let mut found = Vec::new();
    for (integration, resident) in desk.store().links_of(person)? {
        if integration != alert.integration || resident == but {
            continue;
        }
        let link = desk.store().link(&integration, &resident)?;
        found.extend(
            link.filter(|link| !link.status.is_closed())
                .map(|link| (resident, link)),
        );
    }
    Ok(found)
}

/// The stay that the person has already, and the one that the resident has, as leases of one person (R21).
fn together(normal: &Normal, more_units: &[Unit], stay: &Stay) -> (Normal, Vec<Unit>) {
    let lease = |resident: Resident| {
        Lease::of(Normal {
            resident,
            ..normal.clone()
        })
    };
    let old = Resident {
        status: stay.status,
        unit: stay.unit.clone(),
        lease_start: stay.lease_start,
        lease_end: stay.lease_end,
        move_in: stay.move_in,
        move_out: stay.move_out,
        unreadable: BTreeSet::new(),
        notice: stay.notice,
        eviction: stay.eviction,
        ..normal.resident.clone()
    };
    let of_unit = |unit: &Unit| {
        lease(Resident {
            status: LeaseStatus::Current,
            unit: Some(unit.clone()),
            lease_start: None,
            ..normal.resident.clone()
        })
    };
    let mut leases = vec![lease(normal.resident.clone()), lease(old)];
    leases.extend(more_units.iter().chain(&stay.more_units).map(of_unit));
    let all = Group::of_linked(normal.resident.id.clone(), leases);
    let merged = all
        .stay()
        .map_or_else(|| normal.clone(), std::borrow::Cow::into_owned);
    let units = all.more_units();
    (merged, units)
}

fn since(
    desk: &Desk<'_>,
    alert: &Alert,
    person: &Person,
) -> Answer<BTreeMap<crate::model::IntegrationId, jiff::Timestamp>> {
    let property = Property::of(desk.store(), &alert.integration)?;
    let mut since = property.linked_since(person.id)?;
    since
        .entry(alert.integration.clone())
        .or_insert(desk.hand().now);
    Ok(since)
}

/// After a decision about a person's email, no feed that gives another one undoes it before it gives yet another one
/// (R31).
pub(super) fn overrule(desk: &mut Desk<'_>, person: &Person) -> Answer<()> {
    for (integration, resident) in desk.store().links_of(person.id)? {
        let Some(link) = desk.store().link(&integration, &resident)? else {
            continue;
        };
        let overruled = link.email.is_some() && link.email != person.email;
        if link.overruled != overruled {
            let link = Link { overruled, ..link };
            desk.put_link(&integration, &resident, Some(link))?;
        }
    }
    Ok(())
}
