//! Who a resident is that is not linked yet: R13–R17, R22. Reads people, writes nothing, never guesses.

use crate::model::{AlertKind, Person, PersonId, Resident, Ruling};
use crate::store::StoreError;

use super::normal::same;

/// The people of the store, as matching asks for them.
pub trait People {
    /// A person.
    fn person(&self, id: PersonId) -> Result<Option<Person>, StoreError>;
    /// The person with an email in the form of R10.
    fn person_with_email(&self, email: &str) -> Result<Option<PersonId>, StoreError>;
    /// The people of this property with these names, without regard to case.
    fn people_named(&self, first: &str, last: &str) -> Result<Vec<PersonId>, StoreError>;
    /// An id that no person ever had.
    fn new_person_id(&self) -> Result<PersonId, StoreError>;
}

/// What matching decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Match {
    /// Link to this person.
    Link(Box<Person>),
    /// Make a person.
    Create,
    /// Write nothing; tell these people apart first.
    Flag {
        kind: AlertKind,
        rule: &'static str,
        people: Vec<Person>,
        detail: String,
    },
}

/// Matches a resident with an email against the people of the store.
pub(super) fn match_resident(
    resident: &Resident,
    email: &str,
    ruling: Option<&Ruling>,
    people: &impl People,
) -> Result<Match, StoreError> {
    let apart = |id: PersonId| ruling.is_some_and(|ruling| ruling.apart.contains(&id));
    let load = |id: PersonId| -> Result<Person, StoreError> {
        people.person(id)?.ok_or_else(|| StoreError::Value {
            table: "people-1",
            what: format!("{id} stands in an index and is not there"),
        })
    };
    let by_email = people.person_with_email(email)?.map(load).transpose()?;
    if let Some(person) = &by_email
        && same(&person.first_name, &resident.first_name)
        && same(&person.last_name, &resident.last_name)
    {
        if apart(person.id) {
            return Ok(Match::Flag {
                kind: AlertKind::NameMismatch,
                rule: "R13",
                people: vec![person.clone()],
                detail: "this person was untied from the resident by hand; correct the email in the PMS, or \
                         link them again"
                    .into(),
            });
        }
        return Ok(Match::Link(Box::new(person.clone())));
    }
    let mut by_name = people
        .people_named(&resident.first_name, &resident.last_name)?
        .into_iter()
        .filter(|id| !apart(*id))
        .map(load)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(match (by_email, by_name.len()) {
        (None, 0) => Match::Create,
        (Some(person), 0) => Match::Flag {
            kind: AlertKind::NameMismatch,
            rule: "R14",
            people: vec![person],
            detail: "a person has this email under another name".into(),
        },
        (None, 1) => {
            let detail = by_name
                .first()
                .map_or("", |person| confidence(resident, person));
            Match::Flag {
                kind: AlertKind::EmailMismatch,
                rule: "R15",
                people: by_name,
                detail: detail.into(),
            }
        }
        (by_email, _) => {
            by_name.splice(0..0, by_email);
            Match::Flag {
                kind: AlertKind::DuplicateAccounts,
                rule: "R15",
                detail: format!("{} people fit this resident", by_name.len()),
                people: by_name,
            }
        }
    })
}

/// How likely a person of the same name and property is the same human (R15). What one side does not know
/// speaks neither for nor against it.
fn confidence(resident: &Resident, person: &Person) -> &'static str {
    let mut units = person
        .stays
        .values()
        .flat_map(|stay| stay.unit.iter().chain(&stay.more_units))
        .peekable();
    let unit = match (&resident.unit, units.peek()) {
        (Some(unit), Some(_)) => Some(units.any(|other| other.id == unit.id)),
        _ => None,
    };
    let phone = match (&resident.phone, &person.phone) {
        (Some(one), Some(other)) => Some(one == other),
        _ => None,
    };
    match (unit, phone) {
        (Some(true), Some(true)) => {
            "same name, unit and phone under another email: confidence high"
        }
        (Some(true), _) => "same name and unit under another email: confidence medium",
        (_, Some(true)) => "same name and phone under another email: confidence medium",
        (Some(false), Some(false)) => {
            "same name under another email; unit and phone differ too: confidence low"
        }
        _ => "same name at this property under another email: confidence medium",
    }
}
