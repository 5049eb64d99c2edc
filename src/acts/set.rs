//! Writing the fields of a person by hand, in the forms in which a run would write them.

use crate::model::{
    ActKind, ChangeKind, Done, Field, FieldChange, Person, PersonId, ProfileEdit, Resident,
};
use crate::rules::{Notes, normalise};
use crate::store::Store;

use super::desk::{Desk, Where};
use super::enrol::{Forms, by_hand};
use super::{ActError, Hand};

/// Writes fields of a person. Unless they are locked, the next run writes what the PMS has (R18).
pub fn set(
    store: &Store,
    person: PersonId,
    edit: &ProfileEdit,
    forms: &Forms<'_>,
    hand: &Hand,
) -> Result<Done, ActError> {
    let fields = named(edit);
    if fields.is_empty() {
        return Err(ActError::Invalid(
            "name a field and its value, such as `phone=+14155550100`".to_owned(),
        ));
    }
    let mut desk = Desk::open(store, ActKind::Set, hand)?;
    let before = desk.living(person)?;
    let mut after = edited(&before, edit, forms)?;
    if after.email != before.email
        && let Some(email) = &after.email
        && let Some(other) = desk.store().person_with_email(email)?
    {
        return Err(ActError::Refused(format!(
            "{other} has this email already; an email belongs to one person"
        )));
    }
    let is_written = after != before;
    if edit.lock {
        after.locks.extend(&fields);
    }
    if after == before {
        return Err(ActError::Refused(format!("{person} is so already")));
    }
    let locked: Vec<FieldChange> = after
        .locks
        .difference(&before.locks)
        .map(|field| FieldChange {
            field: *field,
            before: None,
            after: None,
        })
        .collect();
    let at = Where {
        integration: None,
        resident: None,
        rule: "by hand",
    };
    if !is_written {
        desk.put_kept(before, after, ChangeKind::Locked, &at, locked)?;
        return desk.done();
    }
    desk.put_person(Some(before), after, ChangeKind::Updated, &at)?;
    if !locked.is_empty() {
        desk.change(person, ChangeKind::Locked, &at, locked);
    }
    desk.done()
}

/// The fields that are written.
fn named(edit: &ProfileEdit) -> Vec<Field> {
    let all = [
        (Field::FirstName, &edit.first_name),
        (Field::LastName, &edit.last_name),
        (Field::Email, &edit.email),
        (Field::Phone, &edit.phone),
    ];
    let named = all.into_iter().filter(|(_, value)| value.is_some());
    named.map(|(field, _)| field).collect()
}

/// The person with what is written in its normal form; what is not written stays as it is.
fn edited(before: &Person, edit: &ProfileEdit, forms: &Forms<'_>) -> Result<Person, ActError> {
    let country = before.stays.keys().find_map(|id| (forms.country)(id));
    let country = country.unwrap_or_else(|| "US".to_owned());
    let resident = Resident {
        first_name: (edit.first_name.as_ref())
            .map_or(&before.first_name, |name| name)
            .clone(),
        last_name: (edit.last_name.as_ref())
            .map_or(&before.last_name, |name| name)
            .clone(),
        email: edit.email.clone(),
        phone: edit.phone.clone(),
        ..by_hand()
    };
    let normal = normalise(resident, &country, forms.placeholders, &mut Notes::new());
    let normal = normal.map_err(|_| {
        ActError::Invalid(
            "first_name and last_name would both be empty; somebody has a name".into(),
        )
    })?;
    let says = |value: &Option<String>| value.as_ref().is_some_and(|text| !text.trim().is_empty());
    if normal.resident.email.is_none() && says(&edit.email) {
        return Err(ActError::Invalid(
            "email: is no usable email address".into(),
        ));
    }
    if normal.keep_phone {
        return Err(ActError::Invalid(format!(
            "phone: is no valid phone in {country}; write it as +14155550100"
        )));
    }
    let mut after = before.clone();
    let resident = normal.resident;
    if edit.first_name.is_some() {
        after.first_name = resident.first_name;
    }
    if edit.last_name.is_some() {
        after.last_name = resident.last_name;
    }
    if edit.email.is_some() {
        after.email = resident.email;
    }
    if edit.phone.is_some() {
        after.phone = resident.phone;
    }
    Ok(after)
}
