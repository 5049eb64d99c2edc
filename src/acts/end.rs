//! Ending a stay that was made by hand: no feed ever says that it is over.

use crate::model::{ActKind, ChangeKind, Done, IntegrationId, LeaseStatus, Person, PersonId};
use crate::store::Store;

use super::desk::{Desk, Where};
use super::{ActError, Hand};

/// Ends the stay of a person at an integration to none of whose residents they are linked; where none is named, the only
/// one that there is.
pub fn end(
    store: &Store,
    person: PersonId,
    integration: Option<&IntegrationId>,
    hand: &Hand,
) -> Result<Done, ActError> {
    let mut desk = Desk::open(store, ActKind::End, hand)?;
    let before = desk.living(person)?;
    let links = desk.store().links_of(person)?;
    let place = match integration {
        Some(place) => named(&before, place, &links)?,
        None => only(&before, &links)?,
    };
    let mut after = before.clone();
    if let Some(stay) = after.stays.get_mut(&place) {
        stay.status = LeaseStatus::Past;
    }
    let at = Where {
        integration: Some(&place),
        resident: None,
        rule: "by hand",
    };
    desk.put_person(Some(before), after, ChangeKind::Closed, &at)?;
    desk.done()
}

type Links = [(IntegrationId, String)];

fn named(person: &Person, place: &IntegrationId, links: &Links) -> Result<IntegrationId, ActError> {
    let id = person.id;
    let stay = person.stay(place).ok_or_else(|| {
        ActError::Refused(format!(
            "{id} has no stay at `{place}`; `epms people show {id}` shows their stays"
        ))
    })?;
    if let Some((_, resident)) = links.iter().find(|(at, _)| at == place) {
        return Err(ActError::Refused(format!(
            "the stay of {id} at `{place}` is resident {resident}'s, and the PMS says when it ends; `epms people unlink \
             {id} {place} {resident}` unties them, which ends it"
        )));
    }
    if stay.is_closed() {
        return Err(ActError::Refused(format!(
            "the stay of {id} at `{place}` is over already"
        )));
    }
    Ok(place.clone())
}

fn only(person: &Person, links: &Links) -> Result<IntegrationId, ActError> {
    let id = person.id;
    let by_hand = person
        .stays
        .iter()
        .filter(|(place, stay)| !stay.is_closed() && links.iter().all(|(at, _)| at != *place));
    let places: Vec<&IntegrationId> = by_hand.map(|(place, _)| place).collect();
    match places[..] {
        [place] => Ok(place.clone()),
        [] => Err(ActError::Refused(format!(
            "{id} has no stay made by hand that is not over; `epms people show {id}` shows their stays and links"
        ))),
        _ => {
            let places: Vec<String> = places.iter().map(ToString::to_string).collect();
            Err(ActError::Invalid(format!(
                "{id} has several stays made by hand; name the integration: {}",
                places.join(", ")
            )))
        }
    }
}
