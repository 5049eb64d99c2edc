//! Resolving and dismissing alerts (R30, R31). What a resolution writes is what the next run would write if the
//! two sides had agreed from the start.

use crate::model::{
    ActKind, Alert, AlertId, AlertKind, AlertState, ChangeKind, Done, LeaseStatus, Link, Origin,
    Person, PersonId, Resident, Resolution, Ruling,
};
use crate::store::Store;
use crate::sync::stay;

use super::desk::{Desk, Where};
use super::{ActError, Hand};

type Answer<T> = Result<T, ActError>;

/// Resolves an alert.
pub fn resolve(
    store: &Store,
    id: AlertId,
    resolution: &Resolution,
    hand: &Hand,
) -> Result<Done, ActError> {
    let mut desk = Desk::open(store, ActKind::Merge, hand)?;
    let alert = open_alert(&desk, id)?;
    let fits = match (alert.kind, resolution) {
        (AlertKind::NameMismatch, Resolution::Merge { into }) => {
            let person = person_of(&alert, *into)?;
            desk.act_kind(ActKind::Merge);
            take_over(&mut desk, &alert, person, Email::Keep)
        }
        (AlertKind::EmailMismatch, Resolution::CreateSeparate) => {
            desk.act_kind(ActKind::CreateSeparate);
            separate(&mut desk, &alert)
        }
        (AlertKind::EmailMismatch, Resolution::ReplaceEmail) => {
            let person = person_of(&alert, None)?;
            desk.act_kind(ActKind::ReplaceEmail);
            take_over(&mut desk, &alert, person, Email::Replace)
        }
        (AlertKind::DuplicateAccounts, Resolution::Merge { into }) => {
            desk.act_kind(ActKind::Merge);
            merge(&mut desk, &alert, *into)
        }
        (AlertKind::DuplicateAccounts, Resolution::NotDuplicate) => {
            desk.act_kind(ActKind::NotDuplicate);
            not_duplicate(&mut desk, &alert)
        }
        (AlertKind::UnmappedUnit, Resolution::MapUnit { unit }) => Err(ActError::Refused(format!(
            "the mapping list is a file under version control: write `\"{}\": \"{unit}\"` below `units.map` in \
             config/integrations/{}.yaml; it counts from the next run on",
            alert.subject, alert.integration
        ))),
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
    let alert = open_alert(&desk, id)?;
    if matches!(
        alert.kind,
        AlertKind::MassChangeHeld | AlertKind::CredentialFailing | AlertKind::SyncStale
    ) {
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
        AlertKind::UnmappedUnit => "map the unit in the integration's file",
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

fn open_alert(desk: &Desk<'_>, id: AlertId) -> Answer<Alert> {
    let alert = desk.alert(id)?;
    if alert.state == AlertState::Open {
        return Ok(alert);
    }
    Err(ActError::Refused(format!(
        "{id} is {}: only an open alert can be acted on",
        alert.state
    )))
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Email {
    Keep,
    Replace,
}

/// Makes the resident this person: linked, with the values of the PMS.
fn take_over(desk: &mut Desk<'_>, alert: &Alert, person: PersonId, email: Email) -> Answer<()> {
    let resident = resident_of(alert)?;
    let before = desk.living(person)?;
    let mut after = written(&before, alert, resident);
    if email == Email::Replace {
        free_email(desk, resident, &[person])?;
        after.email.clone_from(&resident.email);
    }
    let kind = tie(desk, alert, resident, person)?;
    desk.put_person(Some(before), after, kind, &at(alert, resident))
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
    use crate::model::Field;
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
    let old = before.stays.get(&alert.integration);
    let new = stay(resident, Vec::new(), None, old);
    // A person who lives there already keeps what counts more (R21); the next run sees all leases.
    if old.is_none_or(|old| new.status <= old.status) {
        after.stays.insert(alert.integration.clone(), new);
    }
    after
}

/// Links the resident to the person; a link that is there already is given to them.
fn tie(
    desk: &mut Desk<'_>,
    alert: &Alert,
    resident: &Resident,
    person: PersonId,
) -> Answer<ChangeKind> {
    let old = desk.store().link(&alert.integration, &resident.id)?;
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
        misses: 0,
    };
    desk.put_link(&alert.integration, &resident.id, Some(link))?;
    Ok(kind)
}

/// Refuses where somebody else has the resident's email.
fn free_email(desk: &Desk<'_>, resident: &Resident, but: &[PersonId]) -> Answer<()> {
    let Some(email) = &resident.email else {
        return Err(ActError::Refused(
            "the resident has no email any more; sync first, then look at the alert again"
                .to_owned(),
        ));
    };
    match desk.store().person_with_email(email)? {
        Some(other) if !but.contains(&other) => Err(ActError::Refused(format!(
            "{other} has the email that the PMS gives; correct it in the PMS, or merge the two people"
        ))),
        _ => Ok(()),
    }
}

/// The resident becomes a person of their own. Who was linked to them so far has left, unless another resident
/// of theirs is there.
fn separate(desk: &mut Desk<'_>, alert: &Alert) -> Answer<()> {
    let resident = resident_of(alert)?;
    free_email(desk, resident, &[])?;
    let link = desk.store().link(&alert.integration, &resident.id)?;
    if let Some(old) = link {
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
    after.email.clone_from(&resident.email);
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
