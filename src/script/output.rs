//! What a script returns, checked key by key: a resident has these fields and no others.

use std::collections::BTreeSet;

use jiff::civil::Date;
use rhai::{Dynamic, Map};

use crate::model::{
    Field, LeaseStatus, Relationship, Resident, Unit, float_text, is_sentinel_text,
};

use super::dates::{Unreadable, day};
use super::error::type_called;

/// A household larger than this is a mistake of the script.
pub(super) const MAX_RESIDENTS: usize = 100;

/// A text longer than this is no name, email, phone or id.
const MAX_TEXT: usize = 400;

pub(super) const FIELDS: [&str; 17] = [
    "id",
    "lease_id",
    "household",
    "relationship",
    "first_name",
    "last_name",
    "email",
    "phone",
    "unit",
    "lease_start",
    "lease_end",
    "move_in",
    "move_out",
    "status",
    "status_word",
    "notice",
    "eviction",
];

const RELATIONSHIPS: [Relationship; 6] = [
    Relationship::Primary,
    Relationship::CoResident,
    Relationship::Occupant,
    Relationship::Guarantor,
    Relationship::Minor,
    Relationship::Company,
];

/// Whether a resident has a field of this name, or what to write instead.
pub(super) fn has_field(name: &str) -> Result<(), String> {
    if FIELDS.contains(&name) {
        return Ok(());
    }
    Err(FIELDS
        .iter()
        .map(|field| (strsim::jaro_winkler(name, field), field))
        .filter(|(likeness, _)| *likeness >= 0.82)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map_or_else(
            || format!("it has: {}", FIELDS.join(", ")),
            |(_, near)| format!("did you mean `{near}`?"),
        ))
}

/// The fields of a unit.
pub(super) const UNIT_FIELDS: [&str; 3] = ["id", "label", "formerly"];

/// Whether a unit has a field of this name.
pub(super) fn has_unit_field(name: &str) -> bool {
    UNIT_FIELDS.contains(&name)
}

pub(super) fn is_status(word: &str) -> bool {
    word.parse::<LeaseStatus>().is_ok()
}

/// The words of status, as messages list them.
pub(super) fn statuses() -> String {
    LeaseStatus::ALL.map(LeaseStatus::as_str).join(", ")
}

pub(super) fn is_relationship(word: &str) -> bool {
    RELATIONSHIPS
        .iter()
        .any(|relationship| relationship.as_str() == word)
}

/// The words of relationship, as messages list them.
pub(super) fn relationships() -> String {
    RELATIONSHIPS.map(Relationship::as_str).join(", ")
}

/// Field and complaint.
pub(super) type Complaint = (String, String);

/// The id of the resident that a map of the script's means, where that much of it is right.
pub(super) fn id(map: &Map) -> Option<String> {
    text(map, "id").ok().flatten()
}

/// The resident that a map of the script's means.
pub(super) fn resident(map: &Map) -> Result<Resident, Complaint> {
    for key in map.keys() {
        if let Err(remedy) = has_field(key) {
            return Err((
                key.to_string(),
                format!("a resident has no such field; {remedy}"),
            ));
        }
    }
    let status_word = text(map, "status_word")?.unwrap_or_default();
    let mut unreadable = BTreeSet::new();
    let mut date = |name: &str, field: Field| date(map, name, field, &mut unreadable);
    let (lease_start, lease_end) = (
        date("lease_start", Field::LeaseStart)?,
        date("lease_end", Field::LeaseEnd)?,
    );
    let (move_in, move_out) = (
        date("move_in", Field::MoveIn)?,
        date("move_out", Field::MoveOut)?,
    );
    Ok(Resident {
        id: text(map, "id")?
            .ok_or_else(|| complain("id", "is missing; it is the PMS's stable id of the person"))?,
        lease_id: text(map, "lease_id")?,
        household: text(map, "household")?,
        relationship: relationship(map)?,
        first_name: text(map, "first_name")?.unwrap_or_default(),
        last_name: text(map, "last_name")?.unwrap_or_default(),
        email: text(map, "email")?,
        phone: text(map, "phone")?,
        unit: unit(map)?,
        lease_start,
        lease_end,
        move_in,
        move_out,
        unreadable,
        status: status(map)?,
        status_word,
        notice: truth(map, "notice")?,
        eviction: truth(map, "eviction")?,
    })
}

fn complain(field: &str, message: impl Into<String>) -> Complaint {
    (field.to_owned(), message.into())
}

fn text_of(field: &str, value: &Dynamic) -> Result<Option<String>, Complaint> {
    if value.is_unit() {
        return Ok(None);
    }
    let text = if let Ok(text) = value.as_immutable_string_ref() {
        text.trim().to_owned()
    } else if value.is_int() {
        value.to_string()
    } else if let Ok(float) = value.as_float()
        && float.fract() == 0.0
    {
        float_text(float)
    } else {
        return Err(complain(
            field,
            format!(
                "is text or (), not {}; the script gave the wrong thing",
                type_called(value.type_name())
            ),
        ));
    };
    if text.len() > MAX_TEXT {
        return Err(complain(
            field,
            format!("is longer than {MAX_TEXT} bytes; that is no {field}"),
        ));
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

fn text(map: &Map, field: &str) -> Result<Option<String>, Complaint> {
    map.get(field)
        .map_or(Ok(None), |value| text_of(field, value))
}

fn truth(map: &Map, field: &str) -> Result<bool, Complaint> {
    match map.get(field) {
        None => Ok(false),
        Some(value) if value.is_unit() => Ok(false),
        Some(value) => value.as_bool().map_err(|found| {
            complain(
                field,
                format!("is true or false, not {found}; use flag(record, …)"),
            )
        }),
    }
}

/// A date; one that cannot be is taken as such, and is absent.
fn date(
    map: &Map,
    name: &str,
    field: Field,
    unreadable: &mut BTreeSet<Field>,
) -> Result<Option<Date>, Complaint> {
    if map.get(name).is_some_and(Dynamic::is::<Unreadable>) {
        unreadable.insert(field);
        return Ok(None);
    }
    match text(map, name)? {
        None => Ok(None),
        Some(text) if is_sentinel_text(&text) => Ok(None),
        Some(text) => day(&text).map(Some).ok_or_else(|| {
            complain(
                name,
                "is no date written YYYY-MM-DD; use to_date(record, field, format)",
            )
        }),
    }
}

fn status(map: &Map) -> Result<LeaseStatus, Complaint> {
    let word = text(map, "status")?.ok_or_else(|| {
        complain(
            "status",
            format!("is missing; it is one of: {}", statuses()),
        )
    })?;
    word.parse().map_err(|()| {
        complain(
            "status",
            format!("`{word}` is no status; it is one of: {}", statuses()),
        )
    })
}

fn relationship(map: &Map) -> Result<Relationship, Complaint> {
    let Some(word) = text(map, "relationship")? else {
        return Ok(Relationship::Primary);
    };
    RELATIONSHIPS
        .into_iter()
        .find(|relationship| relationship.as_str() == word)
        .ok_or_else(|| {
            complain(
                "relationship",
                format!(
                    "`{word}` is no relationship; it is one of: {}",
                    relationships()
                ),
            )
        })
}

/// A text, or `#{ id, label, formerly }`; a missing label is the id.
fn unit(map: &Map) -> Result<Option<Unit>, Complaint> {
    let Some(value) = map.get("unit") else {
        return Ok(None);
    };
    let Ok(unit) = value.as_map_ref() else {
        return Ok(text_of("unit", value)?.map(|id| Unit {
            label: id.clone(),
            id,
            formerly: None,
        }));
    };
    if let Some(key) = unit.keys().find(|key| !has_unit_field(key)) {
        return Err(complain(
            "unit",
            format!("has no field `{key}`; it has: {}", UNIT_FIELDS.join(", ")),
        ));
    }
    let (id, label) = (text(&unit, "id")?, text(&unit, "label")?);
    let formerly = text(&unit, "formerly")?;
    Ok(match (id, label) {
        (None, None) => None,
        (Some(id), label) => Some(Unit {
            label: label.unwrap_or_else(|| id.clone()),
            formerly: formerly.filter(|formerly| *formerly != id),
            id,
        }),
        (None, Some(label)) => Some(Unit {
            id: label.clone(),
            label,
            formerly,
        }),
    })
}
