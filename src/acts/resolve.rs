//! Resolving and dismissing alerts (R30, R31). What a resolution writes is what the next run would write if the
//! two sides had agreed from the start.

use crate::config::Units;
use crate::model::{
    ActKind, Alert, AlertId, AlertKind, AlertState, ChangeKind, Done, Field, LeaseStatus, Link,
    Origin, Person, PersonId, Resident, Resolution, Ruling,
};
use crate::store::Store;

use super::admit::admit;
use super::agree::{Agreed, Told, agree, overrule};
use super::desk::{Desk, Where};
use super::identity::{one_person, same_person, somebody_else};
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
        (AlertKind::NameMismatch, Resolution::CreateSeparate) => {
            desk.act_kind(ActKind::CreateSeparate);
            hand_on(&mut desk, &alert)
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
        (AlertKind::IdentityChanged, Resolution::SamePerson) => {
            desk.act_kind(ActKind::SamePerson);
            same_person(&mut desk, &alert)
        }
        (AlertKind::DuplicateIds, Resolution::SamePerson) => {
            desk.act_kind(ActKind::SamePerson);
            one_person(&mut desk, &alert)
        }
        (AlertKind::IdentityChanged, Resolution::SomebodyElse) => {
            desk.act_kind(ActKind::SomebodyElse);
            somebody_else(&mut desk, &alert)
        }
        (AlertKind::UnmappedUnit, Resolution::MapUnit { unit, force }) => {
            desk.act_kind(ActKind::MapUnit);
            map_unit(&mut desk, &alert, unit, *force, units)
        }
        (AlertKind::ErasedReturned, Resolution::Admit) => {
            desk.act_kind(ActKind::Admit);
            admit(&mut desk, &alert)
        }
        (kind, resolution) => Err(ActError::Refused(format!(
            "{kind} is not resolved by {}; {}",
            resolution.as_str(),
            kind.facts().remedy
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

pub(super) fn out_of_date(alert: &Alert, what: &str) -> ActError {
    ActError::Refused(format!(
        "{} is out of date: {what}; sync `{}`, then look at it again",
        alert.id, alert.integration
    ))
}

/// The resident whom the alert is about, as the run saw them.
pub(super) fn told(alert: &Alert) -> Answer<Told> {
    let told = alert.sides.iter().find_map(Told::of);
    told.ok_or_else(|| {
        ActError::Refused(format!(
            "{} was raised by an earlier version and does not hold the resident; sync first, then resolve it",
            alert.id
        ))
    })
}

pub(super) fn people_of(alert: &Alert) -> Vec<PersonId> {
    alert.sides.iter().filter_map(|side| side.person).collect()
}

/// The one person of the alert.
pub(super) fn person_of(alert: &Alert, into: Option<PersonId>) -> Answer<PersonId> {
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
    let told = told(alert)?;
    let before = desk.living(person)?;
    if before.email != told.resident().email {
        return Err(out_of_date(
            alert,
            "the person does not have the resident's email any more",
        ));
    }
    let after = make(desk, alert, &told, before, None)?;
    believe(desk, alert, told.resident(), &after)
}

/// Makes the resident this person, and gives them the email where one is told. Returns the person.
pub(super) fn make(
    desk: &mut Desk<'_>,
    alert: &Alert,
    told: &Told,
    before: Person,
    email: Option<&Option<String>>,
) -> Answer<Person> {
    let now = before.clone();
    make_of(desk, alert, told, before, &now, email)
}

/// The same for a person who is `before` in the store, and is taken to be `now`.
fn make_of(
    desk: &mut Desk<'_>,
    alert: &Alert,
    told: &Told,
    before: Person,
    now: &Person,
    email: Option<&Option<String>>,
) -> Answer<Person> {
    let resident = told.resident();
    link_of(desk, alert, resident)?;
    let Agreed {
        mut person,
        link,
        superseded,
        was_linked,
    } = agree(desk, alert, told, now)?;
    if let Some(email) = email {
        person.email.clone_from(email);
    }
    desk.put_link(&alert.integration, &resident.id, Some(link))?;
    for (other, link) in superseded {
        desk.put_link(&alert.integration, &other, Some(link))?;
    }
    let kind = if was_linked {
        ChangeKind::Updated
    } else {
        ChangeKind::Linked
    };
    desk.put_person(Some(before), person.clone(), kind, &at(alert, resident))?;
    Ok(person)
}

/// Where another property says who the person is (R13b), remembers that the name here is theirs all the same.
pub(super) fn believe(
    desk: &mut Desk<'_>,
    alert: &Alert,
    resident: &Resident,
    person: &Person,
) -> Answer<()> {
    let is_taken =
        person.first_name == resident.first_name && person.last_name == resident.last_name;
    if is_taken {
        return Ok(());
    }
    let ruling = desk.store().ruling(&alert.integration, &resident.id)?;
    let ruling = Ruling {
        together: true,
        ..ruling.unwrap_or_default()
    };
    desk.put_ruling(&alert.integration, &resident.id, Some(ruling))
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
        let told = told(one)?;
        let after = make(desk, one, &told, before, Some(&told.resident().email))?;
        overrule(desk, &after)?;
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
        let told = told(last)?;
        let Some(email) = &told.resident().email else {
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
        let alerts = desk.store().open_alerts(&alert.integration)?;
        let next = alerts.into_values().find(|one| {
            one.kind == AlertKind::EmailMismatch
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

pub(super) fn no_email() -> ActError {
    ActError::Refused(
        "the resident has no email any more; sync first, then look at the alert again".to_owned(),
    )
}

pub(super) fn has_email(person: PersonId) -> ActError {
    ActError::Refused(format!(
        "{person} has the email that the PMS gives; correct it in the PMS, or merge the two people"
    ))
}

/// Where a change of this alert belongs.
pub(super) fn at<'a>(alert: &'a Alert, resident: &'a Resident) -> Where<'a> {
    Where {
        integration: Some(&alert.integration),
        resident: Some(&resident.id),
        rule: "R31",
    }
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

/// Refuses where somebody else has the resident's email.
pub(super) fn free_email(desk: &Desk<'_>, resident: &Resident, but: &[PersonId]) -> Answer<()> {
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
pub(super) fn separate(desk: &mut Desk<'_>, alert: &Alert) -> Answer<()> {
    let told = told(alert)?;
    let resident = told.resident();
    free_email(desk, resident, &[])?;
    if let Some(old) = link_of(desk, alert, resident)? {
        leave(desk, alert, resident, old.person)?;
    }
    let new = Person::new(desk.store().new_person_id()?, Origin::Sync, desk.hand().now);
    let Agreed {
        mut person, link, ..
    } = agree(desk, alert, &told, &new)?;
    person.email.clone_from(&resident.email);
    desk.put_link(&alert.integration, &resident.id, Some(link))?;
    desk.put_person(None, person, ChangeKind::Created, &at(alert, resident))
}

/// The mailbox was handed on: who had it is past, and has none any more; the resident becomes a person of their own.
fn hand_on(desk: &mut Desk<'_>, alert: &Alert) -> Answer<()> {
    let told = told(alert)?;
    let person = person_of(alert, None)?;
    let before = desk.living(person)?;
    if before.email != told.resident().email {
        return Err(out_of_date(
            alert,
            "the person does not have the resident's email any more",
        ));
    }
    let has_left = !before.stays.is_empty() && before.stays.values().all(|stay| stay.is_closed());
    if !has_left || before.locks.contains(&Field::Email) {
        return Err(has_email(person));
    }
    let after = Person {
        email: None,
        ..before.clone()
    };
    let place = at(alert, told.resident());
    desk.put_person(Some(before), after.clone(), ChangeKind::Updated, &place)?;
    overrule(desk, &after)?;
    separate(desk, alert)
}

/// Ends the stay of a person whose resident is somebody else from now on.
pub(super) fn leave(
    desk: &mut Desk<'_>,
    alert: &Alert,
    resident: &Resident,
    person: PersonId,
) -> Answer<()> {
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
    let told = told(alert)?;
    let resident = told.resident();
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
    let email = Some(&resident.email).filter(|_| !survivor.locks.contains(&Field::Email));
    let person = make_of(desk, alert, &told, survivor, &after, email)?;
    overrule(desk, &person)
}

/// The resident is none of the people who only have the same name.
fn not_duplicate(desk: &mut Desk<'_>, alert: &Alert) -> Answer<()> {
    let told = told(alert)?;
    let resident = told.resident();
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
        Some(ruling).filter(|ruling: &Ruling| !ruling.is_empty()),
    )?;
    // Where somebody has the email, the next run says how the two differ; else nobody is left to be them.
    if has_email {
        return Ok(());
    }
    separate(desk, alert)
}
