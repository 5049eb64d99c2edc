//! What a resident changes about a linked person (R18–R20), and nothing about whether it may. Pure.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::config::EmailChange;
use crate::model::{
    ChangeKind, Field, FieldChange, IntegrationId, LeaseStatus, Link, Person, PersonId, Resident,
    Stay, Unit,
};

use super::normal::{Normal, same};

/// What one resident asks of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Update {
    /// The person as they would be.
    pub(crate) person: Person,
    /// What changes, field by field; empty when nothing does.
    pub(crate) fields: Vec<FieldChange>,
    /// What the change is.
    pub(crate) kind: ChangeKind,
    /// The email changed in the PMS, and something waits because of it (R19).
    pub(crate) held: bool,
    /// The email changed in the PMS, whether or not anything waits because of it.
    pub(crate) email_changed: bool,
    /// The PMS has no email any more (R20).
    pub(crate) email_gone: bool,
    /// The email goes: the PMS never gave it (R20).
    pub(crate) email_removed: bool,
    /// The email would be written if nobody else had it.
    pub(crate) email_taken: bool,
    /// Another property says who the person is, and the name here is another one (R13b).
    pub(crate) other_name: bool,
}

/// What is known besides the resident and the person.
#[derive(Debug, Clone)]
pub(crate) struct Ask<'a> {
    pub(crate) integration: &'a IntegrationId,
    pub(crate) normal: &'a Normal,
    /// Further units of current leases of the same person (R21).
    pub(crate) more_units: Vec<Unit>,
    /// The link as it was; none when the person is being linked now.
    pub(crate) link: Option<&'a Link>,
    pub(crate) email_change: EmailChange,
    /// The email may be written: nobody else has it.
    pub(crate) email_is_free: bool,
    /// Somebody decided by hand that the resident's email is the person's (R31).
    pub(crate) agreed: bool,
    /// The record is left out, and says that the person has left: that is all that is taken of it (R8).
    pub(crate) left_out: bool,
    /// The person's email is one that only earlier rules cut out of the text where the PMS has one (R20).
    pub(crate) email_was_cut: bool,
    /// When the person was linked first, here and elsewhere (R13b). Only asked where another stay is not past.
    pub(crate) since: BTreeMap<IntegrationId, Timestamp>,
}

/// The update that a resident asks for.
pub(crate) fn update(before: &Person, ask: &Ask<'_>) -> Update {
    let resident = &ask.normal.resident;
    let old = before.stay(ask.integration);
    let mut wanted = stay(resident, ask.more_units.clone(), ask.link, old);
    if let Some(old) = old.filter(|_| ask.left_out) {
        wanted.unit.clone_from(&old.unit);
        wanted.more_units.clone_from(&old.more_units);
    }
    let governs = !ask.left_out && governs(before, ask.integration, &wanted, &ask.since);
    let email_changed = !ask.agreed && email_changed(before, ask);
    let changed_in_pms = email_changed && governs;
    let is_without = governs && resident.email.is_none() && before.email.is_some();
    let is_the_pmss = ask.link.is_some_and(|link| link.email == before.email);
    let email_removed =
        is_without && ask.email_was_cut && is_the_pmss && !before.locks.contains(&Field::Email);
    let email_gone = is_without && !email_removed;
    let held_record = changed_in_pms && ask.email_change == EmailChange::HoldRecord;
    // A decision about the email stands until the PMS gives yet another one (R31).
    let is_overruled = ask
        .link
        .is_some_and(|link| link.overruled && link.email == resident.email);
    let email_wanted = governs
        && !changed_in_pms
        && !is_overruled
        && resident.email.is_some()
        && resident.email != before.email
        && !before.locks.contains(&Field::Email);
    let other_name =
        !governs && !ask.left_out && !wanted.is_closed() && has_other_name(before, resident);

    let mut person = before.clone();
    let mut stay = match old {
        Some(old) if held_record => restrict(old, &wanted),
        _ => wanted,
    };
    if let Some(old) = old {
        keep_locked(&mut stay, old, before);
    }
    if governs && !held_record {
        profile(&mut person, ask);
        if email_wanted && ask.email_is_free {
            person.email.clone_from(&resident.email);
        }
        if email_removed {
            person.email = None;
        }
    }
    person.stays.insert(ask.integration.clone(), Box::new(stay));

    let fields = differences(before, &person, ask.integration);
    let closed = |person: &Person| person.stay(ask.integration).is_some_and(Stay::is_closed);
    let excluded = |person: &Person| {
        person
            .stay(ask.integration)
            .is_some_and(|stay| stay.excluded)
    };
    let kind = if closed(&person) && !closed(before) {
        ChangeKind::Closed
    } else if excluded(before) {
        ChangeKind::Readmitted
    } else {
        ChangeKind::Updated
    };
    Update {
        person,
        fields,
        kind,
        held: changed_in_pms,
        email_changed,
        email_gone,
        email_removed,
        email_taken: email_wanted && !ask.email_is_free,
        other_name,
    }
}

/// Whether this property says who the person is. Of several where the stay is not past, it is the one that was linked
/// first (R13b); where all are past, the one that counts most (R21). So properties that differ do not take turns.
fn governs(
    person: &Person,
    here: &IntegrationId,
    stay: &Stay,
    since: &BTreeMap<IntegrationId, Timestamp>,
) -> bool {
    let mut others = person.stays.iter().filter(|(place, _)| *place != here);
    if !stay.is_closed() {
        let linked = |place: &IntegrationId| since.get(place).map(|at| (*at, place.clone()));
        // A stay that was made by hand has no link, and no feed that could say anything.
        let is_later = |place| linked(place).is_none_or(|other| linked(here) < Some(other));
        return others.all(|(place, other)| other.is_closed() || is_later(place));
    }
    let weight = |integration: &IntegrationId, stay: &Stay| {
        (
            stay.is_closed(),
            stay.excluded,
            stay.status,
            Reverse(stay.lease_start),
            integration.clone(),
        )
    };
    let weight_here = weight(here, stay);
    others.all(|(place, other)| weight_here < weight(place, other))
}

/// Whether the first or the last name is another one than the resident's.
fn has_other_name(person: &Person, resident: &Resident) -> bool {
    let differs = |field, one: &str, other: &str| {
        !one.is_empty() && !other.is_empty() && !same(one, other) && !person.locks.contains(&field)
    };
    differs(Field::FirstName, &person.first_name, &resident.first_name)
        || differs(Field::LastName, &person.last_name, &resident.last_name)
}

/// Fields of the stay that somebody locked (R18).
fn keep_locked(stay: &mut Stay, old: &Stay, person: &Person) {
    for field in &person.locks {
        match field {
            Field::LeaseStart => stay.lease_start = old.lease_start,
            Field::LeaseEnd => stay.lease_end = old.lease_end,
            Field::MoveIn => stay.move_in = old.move_in,
            Field::MoveOut => stay.move_out = old.move_out,
            Field::Unit => {
                stay.unit.clone_from(&old.unit);
                stay.more_units.clone_from(&old.more_units);
            }
            Field::FirstName
            | Field::LastName
            | Field::Email
            | Field::Phone
            | Field::Status
            | Field::Flags => {}
        }
    }
}

/// Whether the PMS's email is another one than it was (R19). An email that was edited here is not: the PMS
/// wins over it (R18). Nor is one that is locked.
fn email_changed(person: &Person, ask: &Ask<'_>) -> bool {
    let Some(email) = &ask.normal.resident.email else {
        return false;
    };
    let Some(link) = ask.link else { return false };
    link.email.as_ref().is_some_and(|known| known != email)
        && person.email.as_ref() != Some(email)
        && !person.locks.contains(&Field::Email)
}

/// Name and phone.
fn profile(person: &mut Person, ask: &Ask<'_>) {
    let resident = &ask.normal.resident;
    let open = |field| !person.locks.contains(&field);
    let (first, last, phone) = (
        open(Field::FirstName),
        open(Field::LastName),
        open(Field::Phone),
    );
    if first {
        person.first_name.clone_from(&resident.first_name);
    }
    if last {
        person.last_name.clone_from(&resident.last_name);
    }
    if phone && !ask.normal.keep_phone {
        person.phone.clone_from(&resident.phone);
    }
}

/// The link of a person to a resident whom the PMS names. `own_start` is that of the id's own lease that counts, also
/// where the resident is a stay of several (R22).
pub(crate) fn tie(
    resident: &Resident,
    old: Option<&Link>,
    person: PersonId,
    email: Option<String>,
    property: Option<String>,
    own_start: Option<Date>,
    now: Timestamp,
) -> Link {
    let old = old.filter(|old| old.person == person);
    let status = match (resident.status, old) {
        (LeaseStatus::Unknown, Some(old)) => old.status,
        (status, _) => status,
    };
    Link {
        status,
        unit: match resident.status {
            LeaseStatus::Current => resident.unit.clone(),
            LeaseStatus::Unknown => old.and_then(|old| old.unit.clone()),
            _ => None,
        },
        property,
        record: old.and_then(|old| old.record.clone()),
        lease_start: first_day(
            resident,
            Field::LeaseStart,
            old.and_then(|old| old.lease_start),
            own_start,
        ),
        overruled: old.is_some_and(|old| old.overruled && old.email == email),
        email,
        ..Link::new(person, old.map_or(now, |old| old.since))
    }
}

/// A first day. Where it is unreadable, what is known stays, and what another lease of the same stay gives may only be
/// earlier (R12).
fn first_day(
    resident: &Resident,
    field: Field,
    known: Option<Date>,
    given: Option<Date>,
) -> Option<Date> {
    let known = known.filter(|_| resident.unreadable.contains(&field));
    known.into_iter().chain(given).min()
}

/// The stay that a resident describes. An unknown status keeps the last known one (§10), and with it notice and eviction,
/// which most PMSs tell by the status alone. Of a lease of another unit it is then not known either that it runs: all of the
/// stay is kept.
pub fn stay(
    resident: &Resident,
    more_units: Vec<Unit>,
    link: Option<&Link>,
    old: Option<&Stay>,
) -> Stay {
    let status = match resident.status {
        LeaseStatus::Unknown => old
            .map(|old| old.status)
            .or(link.map(|link| link.status))
            .unwrap_or(LeaseStatus::Past),
        known => known,
    };
    let kept = old.filter(|_| resident.status == LeaseStatus::Unknown);
    let id_of = |unit: &Option<Unit>| unit.as_ref().map(|unit| unit.id.clone());
    if let Some(old) = kept
        && old.unit.is_some()
        && id_of(&old.unit) != id_of(&resident.unit)
    {
        return Stay {
            status,
            excluded: false,
            ..old.clone()
        };
    }
    // Of a date that is unreadable what is known stays (R12). What another lease of the same stay says may only add to it.
    let known = |field, of: fn(&Stay) -> Option<Date>| {
        old.filter(|_| resident.unreadable.contains(&field))
            .and_then(of)
    };
    let first = |field, of: fn(&Stay) -> Option<Date>, given| {
        first_day(resident, field, old.and_then(of), given)
    };
    Stay {
        status,
        unit: resident.unit.clone(),
        more_units,
        lease_start: first(
            Field::LeaseStart,
            |old| old.lease_start,
            resident.lease_start,
        ),
        lease_end: known(Field::LeaseEnd, |old| old.lease_end).max(resident.lease_end),
        move_in: first(Field::MoveIn, |old| old.move_in, resident.move_in),
        move_out: known(Field::MoveOut, |old| old.move_out).or(resident.move_out),
        notice: kept.map_or(resident.notice, |old| old.notice),
        eviction: kept.map_or(resident.eviction, |old| old.eviction),
        excluded: false,
    }
}

/// Of a wanted stay only what takes access away: an end, or an earlier end (R19).
fn restrict(old: &Stay, wanted: &Stay) -> Stay {
    let mut stay = Stay {
        excluded: false,
        ..old.clone()
    };
    let earlier = |old: Option<Date>, new: Option<Date>| match (old, new) {
        (Some(old), Some(new)) => Some(old.min(new)),
        (old, new) => old.or(new),
    };
    if wanted.is_closed() {
        stay.status = wanted.status;
    }
    stay.lease_end = earlier(old.lease_end, wanted.lease_end);
    stay.move_out = earlier(old.move_out, wanted.move_out);
    stay
}

/// Every difference between two states of a person at one property, in the order of the nine fields.
pub fn differences(
    before: &Person,
    after: &Person,
    integration: &IntegrationId,
) -> Vec<FieldChange> {
    let (was, is) = (before.stay(integration), after.stay(integration));
    let date = |stay: Option<&Stay>, of: fn(&Stay) -> Option<Date>| {
        stay.and_then(of).map(|date| date.to_string())
    };
    let mut found = Vec::new();
    let mut compare = |field: Field, before: Option<String>, after: Option<String>| {
        if before != after {
            found.push(FieldChange {
                field,
                before,
                after,
            });
        }
    };
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    compare(
        Field::FirstName,
        text(&before.first_name),
        text(&after.first_name),
    );
    compare(
        Field::LastName,
        text(&before.last_name),
        text(&after.last_name),
    );
    compare(Field::Email, before.email.clone(), after.email.clone());
    compare(Field::Phone, before.phone.clone(), after.phone.clone());
    compare(
        Field::LeaseStart,
        date(was, |s| s.lease_start),
        date(is, |s| s.lease_start),
    );
    compare(
        Field::LeaseEnd,
        date(was, |s| s.lease_end),
        date(is, |s| s.lease_end),
    );
    compare(
        Field::MoveIn,
        date(was, |s| s.move_in),
        date(is, |s| s.move_in),
    );
    compare(
        Field::MoveOut,
        date(was, |s| s.move_out),
        date(is, |s| s.move_out),
    );
    let (old, new) = (was.and_then(units), is.and_then(units));
    // A unit that only got another id in the PMS is another one, and reads the same.
    let ids = |stay: Option<&Stay>| stay.and_then(unit_ids);
    if old == new && ids(was) != ids(is) {
        compare(Field::Unit, ids(was), ids(is));
    } else {
        compare(Field::Unit, old, new);
    }
    compare(
        Field::Status,
        was.map(|s| s.status.to_string()),
        is.map(|s| s.status.to_string()),
    );
    compare(Field::Flags, was.and_then(flags), is.and_then(flags));
    // A first sync holds one list for each person.
    found.shrink_to_fit();
    found
}

fn units(stay: &Stay) -> Option<String> {
    let labels: Vec<&str> = stay
        .unit
        .iter()
        .chain(&stay.more_units)
        .map(|unit| unit.label.as_str())
        .collect();
    (!labels.is_empty()).then(|| labels.join(", "))
}

/// The same with the ids that the PMS gives the units.
fn unit_ids(stay: &Stay) -> Option<String> {
    let all = stay.unit.iter().chain(&stay.more_units);
    let units: Vec<String> = all
        .map(|unit| format!("{} ({})", unit.label, unit.id))
        .collect();
    (!units.is_empty()).then(|| units.join(", "))
}

fn flags(stay: &Stay) -> Option<String> {
    let set: Vec<&str> = [
        ("notice", stay.notice),
        ("eviction", stay.eviction),
        ("excluded", stay.excluded),
    ]
    .into_iter()
    .filter(|(_, set)| *set)
    .map(|(name, _)| name)
    .collect();
    (!set.is_empty()).then(|| set.join(", "))
}
