//! Who a resident is that is not linked yet: R13–R17, R22. Reads people, writes nothing, never guesses.

use crate::model::{
    AlertKind, Confidence, Considered, People, Person, PersonId, Resident, Ruling, Unit,
};

use super::normal::same;

/// What matching decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Match {
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
        confidence: Option<Confidence>,
    },
}

/// The people whom a resident could be.
pub(crate) struct Candidates {
    /// Who has the email.
    pub(crate) by_email: Option<Person>,
    /// Who has the names, at this property.
    pub(crate) by_name: Vec<Person>,
}

/// Whether both names are the same.
pub(crate) fn is_named(person: &Person, resident: &Resident) -> bool {
    same(&person.first_name, &resident.first_name) && same(&person.last_name, &resident.last_name)
}

/// The people whom a resident with this email could be.
pub(crate) fn candidates<P: People>(
    resident: &Resident,
    email: &str,
    people: &P,
) -> Result<Candidates, P::Error> {
    let load = |id: PersonId| people.named_elsewhere(id);
    let by_email = people.person_with_email(email)?.map(load).transpose()?;
    let mut by_name = people
        .people_named(&resident.first_name, &resident.last_name)?
        .into_iter()
        .map(load)
        .collect::<Result<Vec<_>, _>>()?;
    by_name.retain(|person| is_named(person, resident));
    Ok(Candidates { by_email, by_name })
}

/// Matches a resident with an email against the people of the store.
pub(crate) fn match_resident<P: People>(
    resident: &Resident,
    email: &str,
    ruling: Option<&Ruling>,
    people: &P,
) -> Result<Match, P::Error> {
    let candidates = candidates(resident, email, people)?;
    Ok(judge(resident, ruling, candidates))
}

fn judge(resident: &Resident, ruling: Option<&Ruling>, candidates: Candidates) -> Match {
    let apart = |id: PersonId| ruling.is_some_and(|ruling| ruling.apart.contains(&id));
    let Candidates {
        by_email,
        mut by_name,
    } = candidates;
    if let Some(person) = &by_email
        && is_named(person, resident)
    {
        if apart(person.id) {
            return Match::Flag {
                kind: AlertKind::NameMismatch,
                rule: "R13",
                people: vec![person.clone()],
                detail: "this person was untied from the resident by hand; correct the email in the PMS, or \
                         link them again"
                    .into(),
                confidence: None,
            };
        }
        return Match::Link(Box::new(person.clone()));
    }
    by_name.retain(|person| !apart(person.id));
    match (by_email, by_name.len()) {
        (None, 0) => Match::Create,
        (Some(person), 0) => Match::Flag {
            kind: AlertKind::NameMismatch,
            rule: "R14",
            people: vec![person],
            detail: "a person has this email under another name".into(),
            confidence: None,
        },
        (None, 1) => {
            let told = by_name.first().map(|person| confidence(resident, person));
            let (confidence, detail) = told.unzip();
            Match::Flag {
                kind: AlertKind::EmailMismatch,
                rule: "R15",
                people: by_name,
                detail: detail.unwrap_or_default().into(),
                confidence,
            }
        }
        (by_email, _) => {
            by_name.splice(0..0, by_email);
            Match::Flag {
                kind: AlertKind::DuplicateAccounts,
                rule: "R15",
                detail: format!("{} people fit this resident", by_name.len()),
                confidence: None,
                people: by_name,
            }
        }
    }
}

/// The candidates, for whoever asks why.
pub(crate) fn considered(
    resident: &Resident,
    ruling: Option<&Ruling>,
    candidates: &Candidates,
) -> Vec<Considered> {
    let mut seen = std::collections::BTreeSet::new();
    candidates
        .by_email
        .iter()
        .chain(&candidates.by_name)
        .filter(|person| seen.insert(person.id))
        .map(|person| {
            let lives_in = |unit: &Unit| {
                let stays = person.stays.values();
                let mut units = stays.flat_map(|stay| stay.unit.iter().chain(&stay.more_units));
                units.any(|one| unit.is(one))
            };
            let unit = resident.unit.as_ref();
            let same_values = [
                ("email", person.email == resident.email),
                ("first_name", same(&person.first_name, &resident.first_name)),
                ("last_name", same(&person.last_name, &resident.last_name)),
                (
                    "phone",
                    person.phone.is_some() && person.phone == resident.phone,
                ),
                ("unit", unit.is_some_and(lives_in)),
            ];
            Considered {
                person: person.id,
                first_name: person.first_name.clone(),
                last_name: person.last_name.clone(),
                email: person.email.clone(),
                same: same_values
                    .into_iter()
                    .filter(|(_, same)| *same)
                    .map(|(field, _)| field.to_owned())
                    .collect(),
                apart: ruling.is_some_and(|ruling| ruling.apart.contains(&person.id)),
            }
        })
        .collect()
}

/// How likely a person of the same name and property is the same human (R15). What one side does not know
/// speaks neither for nor against it.
fn confidence(resident: &Resident, person: &Person) -> (Confidence, &'static str) {
    let mut units = person
        .stays
        .values()
        .flat_map(|stay| stay.unit.iter().chain(&stay.more_units))
        .peekable();
    let unit = match (&resident.unit, units.peek()) {
        (Some(unit), Some(_)) => Some(units.any(|other| unit.is(other))),
        _ => None,
    };
    let phone = match (&resident.phone, &person.phone) {
        (Some(one), Some(other)) => Some(one == other),
        _ => None,
    };
    match (unit, phone) {
        (Some(true), Some(true)) => (
            Confidence::High,
            "same name, unit and phone under another email: confidence high",
        ),
        (Some(true), _) => (
            Confidence::Medium,
            "same name and unit under another email: confidence medium",
        ),
        (_, Some(true)) => (
            Confidence::Medium,
            "same name and phone under another email: confidence medium",
        ),
        (Some(false), Some(false)) => (
            Confidence::Low,
            "same name under another email; unit and phone differ too: confidence low",
        ),
        _ => (
            Confidence::Medium,
            "same name at this property under another email: confidence medium",
        ),
    }
}
