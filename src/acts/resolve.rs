//! Resolving and dismissing alerts (R30, R31). What a resolution writes is what the next run would write if the
//! two sides had agreed from the start.

use crate::config::Units;
use crate::model::{
    ActKind, Alert, AlertId, AlertKind, AlertState, ChangeKind, Done, Field, LeaseStatus, Link,
    Origin, Person, PersonId, Resident, Resolution, Ruling,
};
use crate::store::Store;
use crate::sync::stay;

use super::desk::{Desk, Where};
use super::map::map_unit;
use super::{ActError, Hand};

type Answer<T> = Result<T, ActError>;

/// Resolves an alert. `units` is what the files say about the units of the alert's integration; none where it
/// has no files.
pub fn resolve(
    store: &Store,
    id: AlertId,
    resolution: &Resolution,
    units: Option<&Units>,
    hand: &Hand,
) -> Result<Done, ActError> {
    let mut desk = Desk::open(store, ActKind::Merge, hand)?;
    let alert = alert_in(&desk, id, &[AlertState::Open, AlertState::Dismissed])?;
    let fits = match (alert.kind, resolution) {
        (AlertKind::NameMismatch, Resolution::Merge { into }) => {
            let person = person_of(&alert, *into)?;
            desk.act_kind(ActKind::Merge);
            take_name(&mut desk, &alert, person)
        }
        (AlertKind::EmailMismatch, Resolution::CreateSeparate) => {
            desk.act_kind(ActKind::CreateSeparate);
            separate(&mut desk, &alert)
        }
        (AlertKind::EmailMismatch, Resolution::ReplaceEmail) => {
            let person = person_of(&alert, None)?;
            desk.act_kind(ActKind::ReplaceEmail);
            replace_email(&mut desk, &alert, person)
        }
        (AlertKind::DuplicateAccounts, Resolution::Merge { into }) => {
            desk.act_kind(ActKind::Merge);
            merge(&mut desk, &alert, *into)
        }
        (AlertKind::DuplicateAccounts, Resolution::NotDuplicate) => {
            desk.act_kind(ActKind::NotDuplicate);
            not_duplicate(&mut desk, &alert)
        }
        (AlertKind::UnmappedUnit, Resolution::MapUnit { unit, force }) => {
            desk.act_kind(ActKind::MapUnit);
            map_unit(&mut desk, &alert, unit, *force, units)
        }
        (kind, resolution) => Err(ActError::Refused(format!(
            "{kind} is not resolved by {}; {}",
            resolution.as_str(),
            ways(kind)
        ))),
    };
    fits?;
    desk.settle(alert, AlertState::Resolved)?;
    desk.done()
}

/// Dismisses an alert: it opens again only when either side's values change (R30).
pub fn dismiss(store: &Store, id: AlertId, hand: &Hand) -> Result<Done, ActError> {
    let mut desk = Desk::open(store, ActKind::Dismiss, hand)?;
    let alert = alert_in(&desk, id, &[AlertState::Open])?;
    if alert.kind.is_of_the_feed() {
        return Err(ActError::Refused(format!(
            "{} closes itself when its cause is gone, and is not dismissed",
            alert.kind
        )));
    }
    desk.settle(alert, AlertState::Dismissed)?;
    desk.done()
}

/// How an alert of a kind can be resolved, in words.
fn ways(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::DuplicateAccounts => "merge the accounts, or say that they are not duplicates",
        AlertKind::DuplicateEmails => {
            "correct the email in the PMS; the next run takes the residents in"
        }
        AlertKind::NameMismatch => "merge takes the name of the PMS, or correct it there",
        AlertKind::EmailMismatch => "create separate, replace the email, or correct it in the PMS",
        AlertKind::UnmappedUnit => "map the unit, here or in the integration's file",
        AlertKind::MassChangeHeld => "approve the run, or correct the PMS",
        AlertKind::MissingEmail => "add the email in the PMS",
        AlertKind::UnknownStatus | AlertKind::MappingFailed => {
            "correct the script or the record in the PMS"
        }
        AlertKind::MultipleCurrentLeases
        | AlertKind::MissingFromFeed
        | AlertKind::CredentialFailing
        | AlertKind::SyncStale => "it closes itself when its cause is gone",
    }
}

fn alert_in(desk: &Desk<'_>, id: AlertId, states: &[AlertState]) -> Answer<Alert> {
    let alert = desk.alert(id)?;
    if states.contains(&alert.state) {
        return Ok(alert);
    }
    Err(ActError::Refused(format!(
        "{id} is {}: only an open alert can be acted on",
        alert.state
    )))
}

fn out_of_date(alert: &Alert, what: &str) -> ActError {
    ActError::Refused(format!(
        "{} is out of date: {what}; sync `{}`, then look at it again",
        alert.id, alert.integration
    ))
}

/// The resident whom the alert is about.
fn resident_of(alert: &Alert) -> Answer<&Resident> {
    let mapped = alert.sides.iter().find_map(|side| side.mapped.as_deref());
    mapped.ok_or_else(|| {
        ActError::Refused(format!(
            "{} was raised by an earlier version and does not hold the resident; sync first, then resolve it",
            alert.id
        ))
    })
}

fn people_of(alert: &Alert) -> Vec<PersonId> {
    alert.sides.iter().filter_map(|side| side.person).collect()
}

/// The one person of the alert.
fn person_of(alert: &Alert, into: Option<PersonId>) -> Answer<PersonId> {
    let people = people_of(alert);
    match (&people[..], into) {
        ([person], None) => Ok(*person),
        (_, Some(into)) if people.contains(&into) => Ok(into),
        (_, Some(into)) => Err(ActError::Invalid(format!(
            "{into} is no side of {}; `epms alerts show {}` shows them",
            alert.id, alert.id
        ))),
        _ => Err(ActError::Invalid(
            "there are several people; name the one who stays".to_owned(),
        )),
    }
}

/// Makes the resident this person, who has the email already: linked, with the values of the PMS.
fn take_name(desk: &mut Desk<'_>, alert: &Alert, person: PersonId) -> Answer<()> {
    let resident = resident_of(alert)?;
    let before = desk.living(person)?;
    if before.email != resident.email {
        return Err(out_of_date(
            alert,
            "the person does not have the resident's email any more",
        ));
    }
    let after = written(&before, alert, resident);
    let kind = tie(desk, alert, resident, person)?;
    desk.put_person(Some(before), after, kind, &at(alert, resident))
}

/// Gives the person the PMS's email. Where people swapped their emails in the PMS, none of them could be
/// the first: all of them get theirs.
fn replace_email(desk: &mut Desk<'_>, alert: &Alert, person: PersonId) -> Answer<()> {
    let round = round(desk, alert, person)?;
    let mut people = Vec::new();
    for (alert, person) in &round {
        let before = desk.living(*person)?;
        if before.locks.contains(&Field::Email) {
            return Err(ActError::Refused(format!(
                "the email of {person} is locked; `epms people unlock {person} email` gives it back to the PMS"
            )));
        }
        // Nobody holds what another of the round is to get.
        desk.store().put_person(&Person {
            email: None,
            ..before.clone()
        })?;
        people.push((alert, before));
    }
    for (one, before) in people {
        let resident = resident_of(one)?;
        let mut after = written(&before, one, resident);
        after.email.clone_from(&resident.email);
        let kind = tie(desk, one, resident, before.id)?;
        desk.put_person(Some(before), after, kind, &at(one, resident))?;
    }
    for (other, _) in round.into_iter().skip(1) {
        desk.settle_too(other, AlertState::Resolved)?;
    }
    Ok(())
}

/// The person, and those of whom each has the email that the one before is to get, back to the first; only the
/// person where nobody has it.
fn round(desk: &Desk<'_>, alert: &Alert, person: PersonId) -> Answer<Vec<(Alert, PersonId)>> {
    let mut round = vec![(alert.clone(), person)];
    loop {
        let Some((last, _)) = round.last() else {
            return Ok(round);
        };
        let resident = resident_of(last)?;
        let Some(email) = &resident.email else {
            return Err(no_email());
        };
        let holder = desk.store().person_with_email(email)?;
        let Some(holder) = holder.filter(|holder| *holder != person) else {
            // Somebody in between would get an email that nobody asked to give them.
            return match (holder, round.get(1)) {
                (None, Some((next, other))) => Err(ActError::Refused(format!(
                    "{other} has the email that the PMS gives, and is to get another one: resolve {} first",
                    next.id
                ))),
                _ => Ok(round),
            };
        };
        let alerts = desk.store().alerts(&alert.integration)?;
        let next = alerts.into_values().find(|one| {
            one.kind == AlertKind::EmailMismatch
                && one.state == AlertState::Open
                && one.sides.iter().any(|side| side.mapped.is_some())
                && people_of(one) == [holder]
        });
        match next {
            Some(next) if !round.iter().any(|(one, _)| one.id == next.id) => {
                round.push((next, holder));
            }
            _ => return Err(has_email(holder)),
        }
    }
}

fn no_email() -> ActError {
    ActError::Refused(
        "the resident has no email any more; sync first, then look at the alert again".to_owned(),
    )
}

fn has_email(person: PersonId) -> ActError {
    ActError::Refused(format!(
        "{person} has the email that the PMS gives; correct it in the PMS, or merge the two people"
    ))
}

/// Where a change of this alert belongs.
fn at<'a>(alert: &'a Alert, resident: &'a Resident) -> Where<'a> {
    Where {
        integration: Some(&alert.integration),
        resident: Some(&resident.id),
        rule: "R31",
    }
}

/// The person with what the PMS says (R18), but for the email. What is locked stays.
fn written(before: &Person, alert: &Alert, resident: &Resident) -> Person {
    let mut after = before.clone();
    let open = |field| !before.locks.contains(&field);
    if open(Field::FirstName) {
        after.first_name.clone_from(&resident.first_name);
    }
    if open(Field::LastName) {
        after.last_name.clone_from(&resident.last_name);
    }
    if open(Field::Phone) && resident.phone.is_some() {
        after.phone.clone_from(&resident.phone);
    }
    let old = before.stay(&alert.integration);
    let new = stay(resident, Vec::new(), None, old);
    // A person who lives there already keeps what counts more (R21); the next run sees all leases.
    if old.is_none_or(|old| new.status <= old.status) {
        after.stays.insert(alert.integration.clone(), Box::new(new));
    }
    after
}

/// The resident's link, which belongs to a side of the alert where there is one.
fn link_of(desk: &Desk<'_>, alert: &Alert, resident: &Resident) -> Answer<Option<Link>> {
    let link = desk.store().link(&alert.integration, &resident.id)?;
    match &link {
        Some(link) if !people_of(alert).contains(&link.person) => Err(out_of_date(
            alert,
            &format!("the resident is linked to {} by now", link.person),
        )),
        _ => Ok(link),
    }
}

/// Links the resident to the person; a link that is there already is given to them.
fn tie(
    desk: &mut Desk<'_>,
    alert: &Alert,
    resident: &Resident,
    person: PersonId,
) -> Answer<ChangeKind> {
    let old = link_of(desk, alert, resident)?;
    let kind = match &old {
        Some(old) if old.person == person => ChangeKind::Updated,
        _ => ChangeKind::Linked,
    };
    let status = match (resident.status, &old) {
        (LeaseStatus::Unknown, Some(old)) => old.status,
        (LeaseStatus::Unknown, None) => LeaseStatus::Past,
        (known, _) => known,
    };
    let link = Link {
        person,
        since: match &old {
            Some(old) if old.person == person => old.since,
            _ => desk.hand().now,
        },
        status,
        email: resident.email.clone(),
        unit: resident
            .unit
            .clone()
            .filter(|_| status == LeaseStatus::Current),
        property: old.and_then(|old| old.property),
        misses: 0,
    };
    desk.put_link(&alert.integration, &resident.id, Some(link))?;
    Ok(kind)
}

/// Refuses where somebody else has the resident's email.
fn free_email(desk: &Desk<'_>, resident: &Resident, but: &[PersonId]) -> Answer<()> {
    let Some(email) = &resident.email else {
        return Err(no_email());
    };
    match desk.store().person_with_email(email)? {
        Some(other) if !but.contains(&other) => Err(has_email(other)),
        _ => Ok(()),
    }
}

/// The resident becomes a person of their own. Who was linked to them so far has left, unless another resident
/// of theirs is there.
fn separate(desk: &mut Desk<'_>, alert: &Alert) -> Answer<()> {
    let resident = resident_of(alert)?;
    free_email(desk, resident, &[])?;
    if let Some(old) = link_of(desk, alert, resident)? {
        leave(desk, alert, resident, old.person)?;
    }
    let new = Person::new(desk.store().new_person_id()?, Origin::Sync, desk.hand().now);
    let mut after = written(&new, alert, resident);
    after.email.clone_from(&resident.email);
    tie(desk, alert, resident, new.id)?;
    desk.put_person(None, after, ChangeKind::Created, &at(alert, resident))
}

/// Ends the stay of a person whose resident is somebody else from now on.
fn leave(desk: &mut Desk<'_>, alert: &Alert, resident: &Resident, person: PersonId) -> Answer<()> {
    let before = desk.person(person)?;
    let others = desk.store().links_of(person)?;
    let stays = others
        .iter()
        .any(|(integration, other)| *integration == alert.integration && *other != resident.id);
    let mut after = before.clone();
    let Some(stay) = after.stays.get_mut(&alert.integration).filter(|_| !stays) else {
        return Ok(());
    };
    stay.status = LeaseStatus::Past;
    desk.put_person(
        Some(before),
        after,
        ChangeKind::Closed,
        &at(alert, resident),
    )
}

/// Several people become one, who is the resident.
fn merge(desk: &mut Desk<'_>, alert: &Alert, into: Option<PersonId>) -> Answer<()> {
    let resident = resident_of(alert)?;
    let Some(into) = into else {
        return Err(ActError::Invalid(
            "there are several people; name the one who stays".to_owned(),
        ));
    };
    let into = person_of(alert, Some(into))?;
    let people = people_of(alert);
    free_email(desk, resident, &people)?;
    let survivor = desk.living(into)?;
    let mut after = survivor.clone();
    for other in people.into_iter().filter(|other| *other != into) {
        let before = desk.living(other)?;
        for (integration, resident) in desk.store().links_of(other)? {
            if let Some(link) = desk.store().link(&integration, &resident)? {
                let link = Link {
                    person: into,
                    ..link
                };
                desk.put_link(&integration, &resident, Some(link))?;
            }
        }
        for (integration, stay) in &before.stays {
            let better = after
                .stays
                .get(integration)
                .is_none_or(|mine| stay.status < mine.status);
            if better {
                after.stays.insert(integration.clone(), stay.clone());
            }
        }
        after.phone = after.phone.or_else(|| before.phone.clone());
        let gone = Person {
            email: None,
            stays: std::collections::BTreeMap::new(),
            merged_into: Some(into),
            ..before.clone()
        };
        desk.put_person(Some(before), gone, ChangeKind::Merged, &at(alert, resident))?;
    }
    let mut after = written(&after, alert, resident);
    if !survivor.locks.contains(&Field::Email) {
        after.email.clone_from(&resident.email);
    }
    let kind = tie(desk, alert, resident, into)?;
    desk.put_person(Some(survivor), after, kind, &at(alert, resident))
}

/// The resident is none of the people who only have the same name.
fn not_duplicate(desk: &mut Desk<'_>, alert: &Alert) -> Answer<()> {
    let resident = resident_of(alert)?;
    if desk
        .store()
        .link(&alert.integration, &resident.id)?
        .is_some()
    {
        return Err(ActError::Refused(
            "another person has the email that the PMS gives: two people cannot have it; correct it in the PMS, \
             or merge them"
                .to_owned(),
        ));
    }
    let mut ruling = desk
        .store()
        .ruling(&alert.integration, &resident.id)?
        .unwrap_or_default();
    let mut has_email = false;
    for person in people_of(alert) {
        if desk.person(person)?.email == resident.email {
            has_email = true;
        } else {
            ruling.apart.insert(person);
        }
    }
    desk.put_ruling(
        &alert.integration,
        &resident.id,
        Some(ruling).filter(|ruling: &Ruling| !ruling.apart.is_empty()),
    )?;
    // Where somebody has the email, the next run says how the two differ; else nobody is left to be them.
    if has_email {
        return Ok(());
    }
    separate(desk, alert)
}
