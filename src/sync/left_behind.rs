//! The alert about people who are current at an integration whose file is gone, or by a PMS property that its file does
//! not name any more (R46). How long it has to be gone is counted elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{
    Absence, Alert, AlertKind, AlertState, Field, LeaseStatus, Person, RunId, Side,
};
use crate::store::{Store, StoreError, Write};

use super::standing::{Cause, open, put};

/// So many people stand in the alert as examples.
const EXAMPLES: usize = 3;

/// Tells of people who are left behind, or that nobody is any more. Gives how many are.
pub fn left_behind(store: &Store, absence: &Absence, now: Timestamp) -> Result<u64, StoreError> {
    let write = store.write()?;
    let people = current(&write, absence)?;
    let subject = absence.subject();
    let before = write.alert_of(&absence.integration, AlertKind::LeftBehind, &subject)?;
    if people.is_empty() {
        let Some(closed) = Alert::closed(before, now) else {
            return Ok(0);
        };
        put(&write, closed)?;
        write.commit()?;
        return Ok(0);
    }
    let history = write.history(&absence.integration)?;
    let cause = Cause {
        kind: AlertKind::LeftBehind,
        integration: &absence.integration,
        subject: &subject,
        run: history.last_run.unwrap_or(RunId(0)),
    };
    let mut alert = open(before, &cause, &detail(absence, people.len()), now);
    let examples = people.iter().take(EXAMPLES);
    alert.sides = examples.map(|person| side(person, absence)).collect();
    put(&write, alert)?;
    write.commit()?;
    Ok(people.len() as u64)
}

/// Closes the alerts of what is there again: those of `known` that are open and not among `gone`.
pub fn found_again(
    store: &Store,
    known: &BTreeSet<Absence>,
    gone: &BTreeSet<Absence>,
    now: Timestamp,
) -> Result<Vec<Absence>, StoreError> {
    let view = store.read()?;
    let mut found = Vec::new();
    for absence in known.difference(gone) {
        let subject = absence.subject();
        let alert = view.alert_of(&absence.integration, AlertKind::LeftBehind, &subject)?;
        if alert.is_some_and(|alert| alert.state == AlertState::Open) {
            found.push(absence.clone());
        }
    }
    drop(view);
    if found.is_empty() {
        return Ok(found);
    }
    let write = store.write()?;
    for absence in &found {
        let subject = absence.subject();
        let alert = write.alert_of(&absence.integration, AlertKind::LeftBehind, &subject)?;
        if let Some(closed) = Alert::closed(alert, now) {
            put(&write, closed)?;
        }
    }
    write.commit()?;
    Ok(found)
}

/// Who is current there.
fn current(write: &Write, absence: &Absence) -> Result<Vec<Person>, StoreError> {
    let id = &absence.integration;
    let who: BTreeSet<_> = match &absence.property {
        None => write.people_at(id)?,
        Some(property) => {
            let links = write.links(id)?;
            let of_it = links.values().filter(|link| {
                link.property.as_ref() == Some(property) && link.status == LeaseStatus::Current
            });
            of_it.map(|link| link.person).collect()
        }
    };
    let people = write.people()?;
    let mut found = Vec::new();
    for person in who {
        let person = people.person(person)?;
        found.extend(person.filter(|person| {
            let stay = person.stay(id);
            stay.is_some_and(|stay| stay.status == LeaseStatus::Current)
        }));
    }
    Ok(found)
}

fn detail(absence: &Absence, people: usize) -> String {
    let id = &absence.integration;
    let are = match people {
        1 => "one person is current".to_owned(),
        many => format!("{many} people are current"),
    };
    match &absence.property {
        None => format!(
            "config/integrations/{id}.yaml is gone, and {are} there: put it back; or, where it has another name now, \
             `epms integration rename {id} NAME`; or give it up by `epms integration retire {id}`"
        ),
        Some(property) => format!(
            "config/integrations/{id}.yaml does not name `{property}` any more, and {are} by it: write it back, or \
             into the file that feeds it now; or give it up by `epms integration retire {id} --property {property}`"
        ),
    }
}

fn side(person: &Person, absence: &Absence) -> Side {
    let stay = person.stay(&absence.integration);
    let mut values = BTreeMap::new();
    if let Some(stay) = stay {
        values.insert(Field::Status, stay.status.as_str().to_owned());
        if let Some(unit) = &stay.unit {
            values.insert(Field::Unit, unit.label.clone());
        }
    }
    Side {
        resident: None,
        person: Some(person.id),
        values,
        mapped: None,
        beside: None,
    }
}
