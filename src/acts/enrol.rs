//! Making people by hand: what is told of them in the normal forms, or what is wrong with it.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::model::{
    ActKind, ChangeKind, Done, Enrolment, IntegrationId, LeaseStatus, Origin, Person, Relationship,
    Resident, Unit,
};
use crate::rules::{Notes, normalise, stay};
use crate::store::Store;

use super::desk::{Desk, Where};
use super::{ActError, Hand};

/// What the files say that people made by hand must fit.
pub struct Forms<'a> {
    /// The country of an integration's property; none when there is no such integration.
    pub country: &'a dyn Fn(&IntegrationId) -> Option<String>,
    /// Emails that count as absent (R11).
    pub placeholders: &'a [String],
}

/// What is wrong with one field: its name, and what to do.
pub(super) type Wrong = (&'static str, String);

/// Makes a person.
pub fn add(
    store: &Store,
    told: &Enrolment,
    forms: &Forms<'_>,
    hand: &Hand,
) -> Result<Done, ActError> {
    let read = read(told, &BY_HAND, forms).map_err(|wrong| {
        let all: Vec<String> = wrong
            .into_iter()
            .map(|(field, message)| format!("{field}: {message}"))
            .collect();
        ActError::Invalid(all.join("; "))
    })?;
    let mut desk = Desk::open(store, ActKind::Add, hand)?;
    if let Some(email) = &read.0.email
        && let Some(other) = desk.store().person_with_email(email)?
    {
        return Err(ActError::Refused(format!(
            "{other} has this email already; an email belongs to one person"
        )));
    }
    make(&mut desk, &read)?;
    desk.done()
}

/// A person in the normal forms, and where they live.
pub(super) type Read = (Resident, Option<IntegrationId>);

/// The statuses that somebody may be given by hand.
const BY_HAND: [LeaseStatus; 3] = [
    LeaseStatus::Current,
    LeaseStatus::Pending,
    LeaseStatus::Past,
];

/// Brings what was told into the normal forms, with one of these statuses, or says everything that is wrong with it.
pub(super) fn read(
    told: &Enrolment,
    statuses: &[LeaseStatus],
    forms: &Forms<'_>,
) -> Result<Read, Vec<Wrong>> {
    let mut wrong: Vec<Wrong> = Vec::new();
    let integration = Some(told.integration.trim())
        .filter(|id| !id.is_empty())
        .map(IntegrationId::new);
    let country = match &integration {
        None => "US".to_owned(),
        Some(id) => (forms.country)(id).unwrap_or_else(|| {
            wrong.push((
                "integration",
                "is none of the files in config/integrations; write a file's name without .yaml"
                    .to_owned(),
            ));
            "US".to_owned()
        }),
    };
    let mut date = |field: &'static str, text: &str| -> Option<Date> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let date = text.parse();
        if date.is_err() {
            wrong.push((field, "is no date; write it as 2026-03-31".to_owned()));
        }
        date.ok()
    };
    let dates = [
        date("lease_start", &told.lease_start),
        date("lease_end", &told.lease_end),
        date("move_in", &told.move_in),
        date("move_out", &told.move_out),
    ];
    let [lease_start, lease_end, move_in, move_out] = dates;
    let status = match told.status.trim() {
        "" => Some(LeaseStatus::Current),
        word => statuses
            .iter()
            .copied()
            .find(|status| status.as_str() == word),
    };
    if status.is_none() {
        let words: Vec<&str> = statuses.iter().map(|status| status.as_str()).collect();
        wrong.push(("status", format!("is none of {}", words.join(", "))));
    }
    let status = status.unwrap_or(LeaseStatus::Current);
    let unit = Some(told.unit.trim()).filter(|unit| !unit.is_empty());
    if integration.is_none() && (unit.is_some() || dates.iter().any(Option::is_some)) {
        wrong.push((
            "integration",
            "is missing: a unit and a lease are at a property; name its integration".to_owned(),
        ));
    }
    let resident = Resident {
        first_name: told.first_name.clone(),
        last_name: told.last_name.clone(),
        email: Some(told.email.clone()),
        phone: Some(told.phone.clone()),
        unit: unit.map(|unit| Unit {
            id: unit.to_owned(),
            label: unit.to_owned(),
            formerly: None,
        }),
        lease_start,
        lease_end,
        move_in,
        move_out,
        status,
        ..by_hand()
    };
    match normalise(resident, &country, forms.placeholders, &mut Notes::new()) {
        Err(error) => {
            let by_hand = "is empty, and so is first_name; somebody has a name";
            wrong.push((error.field, by_hand.to_owned()));
        }
        Ok(normal) => {
            if !normal.resident.unreadable.is_empty() {
                wrong.push(("lease_end", "lies before lease_start".to_owned()));
            }
            if normal.resident.email.is_none() && !told.email.trim().is_empty() {
                wrong.push(("email", "is no usable email address".to_owned()));
            }
            if normal.keep_phone {
                wrong.push((
                    "phone",
                    format!("is no valid phone in {country}; write it as +14155550100"),
                ));
            }
            if wrong.is_empty() {
                return Ok((normal.resident, integration));
            }
        }
    }
    Err(wrong)
}

/// A resident of whom nothing is said.
pub(super) fn by_hand() -> Resident {
    Resident {
        id: "by hand".into(),
        lease_id: None,
        household: None,
        relationship: Relationship::Primary,
        first_name: String::new(),
        last_name: String::new(),
        email: None,
        phone: None,
        unit: None,
        lease_start: None,
        lease_end: None,
        move_in: None,
        move_out: None,
        unreadable: BTreeSet::new(),
        status: LeaseStatus::Current,
        status_word: String::new(),
        notice: false,
        eviction: false,
    }
}

fn make(desk: &mut Desk<'_>, (resident, integration): &Read) -> Result<(), ActError> {
    let id = desk.store().new_person_id()?;
    let mut person = Person {
        first_name: resident.first_name.clone(),
        last_name: resident.last_name.clone(),
        email: resident.email.clone(),
        phone: resident.phone.clone(),
        ..Person::new(id, Origin::Hand, desk.hand().now)
    };
    if let Some(integration) = integration {
        let stay = stay(resident, Vec::new(), None, None);
        person.stays.insert(integration.clone(), Box::new(stay));
    }
    let at = Where {
        integration: integration.as_ref(),
        resident: None,
        rule: "by hand",
    };
    desk.put_person(None, person, ChangeKind::Created, &at)
}
