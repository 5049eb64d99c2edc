//! A person as the script of a target sees them: who they are, how their stays stand, what is open and which places of the
//! target that is. Pure: calls no script.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::config;
use crate::model::{IntegrationId, Person, Stay, Unit};

use super::access::{Access, Opening};

/// A person in words, and what of them has no place at the target.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Words {
    /// For `wanted(person, ctx)`.
    pub(super) person: Value,
    /// Units that are open and have no place.
    pub(super) unmapped: BTreeSet<(IntegrationId, String)>,
}

/// A person in words. `names` are the properties' names.
pub(super) fn words(
    person: &Person,
    access: &Access,
    places: &config::Places,
    names: &BTreeMap<IntegrationId, String>,
    now: Timestamp,
) -> Words {
    let mut unmapped = BTreeSet::new();
    let mut openings = Vec::new();
    let mut all: BTreeMap<&str, (Timestamp, Option<Timestamp>)> = BTreeMap::new();
    for opening in access.open(now) {
        let found = of_opening(opening, places);
        if found.is_none()
            && let Some(unit) = &opening.unit
        {
            unmapped.insert((opening.integration.clone(), unit.id.clone()));
        }
        let own = found.unwrap_or_default();
        let here: Vec<&str> = own
            .iter()
            .chain(&places.common)
            .map(String::as_str)
            .collect();
        for place in &here {
            let span = all.entry(place).or_insert((opening.start, opening.end));
            span.0 = span.0.min(opening.start);
            // What is open without an end in one way has none.
            span.1 = span.1.zip(opening.end).map(|(one, other)| one.max(other));
        }
        let name = names.get(&opening.integration);
        openings.push(json!({
            "integration": opening.integration,
            "property": name,
            "unit": opening.unit.as_ref().map(of_unit),
            "places": here,
            "start": opening.start,
            "end": opening.end,
        }));
    }
    let each = all
        .into_iter()
        .map(|(place, (start, end))| json!({ "place": place, "start": start, "end": end }));
    let places: Vec<Value> = each.collect();
    let stays = person.stays.iter();
    let stays = stays.filter(|(integration, _)| names.contains_key(*integration));
    let stays: Vec<Value> = stays
        .map(|(integration, stay)| of_stay(integration, stay))
        .collect();
    let mut told = Map::new();
    for (name, value) in [
        ("id", json!(person.id)),
        ("first_name", json!(person.first_name)),
        ("last_name", json!(person.last_name)),
        ("email", json!(person.email)),
        ("phone", json!(person.phone)),
        ("is_over", json!(access.is_over)),
        ("stays", json!(stays)),
        ("openings", json!(openings)),
        ("places", json!(places)),
    ] {
        told.insert(name.to_owned(), value);
    }
    Words {
        person: Value::Object(told),
        unmapped,
    }
}

/// The places that an opening's own unit has; none where the file names no place for it. Where it maps no units at all,
/// nobody's unit needs one.
fn of_opening<'p>(opening: &Opening, places: &'p config::Places) -> Option<&'p [String]> {
    let Some(unit) = opening.unit.as_ref().filter(|_| !places.map.is_empty()) else {
        return Some(&[]);
    };
    places.of_unit(opening.integration.as_str(), &unit.id, &unit.label)
}

fn of_unit(unit: &Unit) -> Value {
    json!({ "id": unit.id, "label": unit.label })
}

fn of_stay(integration: &IntegrationId, stay: &Stay) -> Value {
    json!({
        "integration": integration,
        "status": stay.status,
        "unit": stay.unit.as_ref().map(of_unit),
        "move_in": stay.move_in,
        "move_out": stay.move_out,
        "lease_start": stay.lease_start,
        "lease_end": stay.lease_end,
    })
}
