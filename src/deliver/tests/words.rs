//! A person in words: which places are open, until when, and which units have none.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::config::Places;
use crate::deliver::words::{Words, words};
use crate::deliver::{Access, Opening};
use crate::model::{IntegrationId, Origin, Person, PersonId, Unit};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn opening(integration: &str, unit: Option<&str>, end: Option<&str>) -> Opening {
    Opening {
        integration: IntegrationId::new(integration),
        unit: unit.map(|unit| Unit {
            id: unit.to_owned(),
            label: format!("Apt {unit}"),
            formerly: None,
        }),
        start: at("2026-03-01T00:00:00Z"),
        end: end.map(at),
    }
}

fn said(openings: Vec<Opening>, places: &Value, common: &[&str]) -> Words {
    let person = Person::new(PersonId(7), Origin::Sync, Timestamp::UNIX_EPOCH);
    let access = Access {
        openings,
        ..Access::default()
    };
    let places = Places {
        map: serde_json::from_value(places.clone()).unwrap(),
        common: common.iter().map(|one| (*one).to_owned()).collect(),
    };
    let names = BTreeMap::from([(IntegrationId::new("elm"), "Elm Court".to_owned())]);
    words(
        &person,
        &access,
        &places,
        &names,
        at("2026-03-02T00:00:00Z"),
    )
}

fn names(words: &Words) -> Vec<&str> {
    let places = words.person["places"].as_array().unwrap();
    places
        .iter()
        .map(|one| one["place"].as_str().unwrap())
        .collect()
}

#[test]
fn a_unit_opens_its_own_places_and_the_common_ones_each_once() {
    let both = vec![
        opening("elm", Some("1A"), None),
        opening("elm", Some("2B"), None),
    ];
    let told = said(
        both,
        &json!({ "1A": ["d1"], "Apt 2B": ["d2", "d1"] }),
        &["lobby"],
    );
    assert_eq!(names(&told), ["d1", "d2", "lobby"]);
    assert!(told.unmapped.is_empty());
    assert_eq!(
        told.person["openings"][1]["places"],
        json!(["d2", "d1", "lobby"])
    );
    assert_eq!(told.person["openings"][0]["property"], "Elm Court");
}

#[test]
fn the_same_unit_of_two_integrations_is_told_apart_by_its_integration() {
    let both = vec![
        opening("elm", Some("1A"), None),
        opening("oak", Some("1A"), None),
    ];
    let told = said(both, &json!({ "elm/1A": ["d1"], "oak/1A": ["d9"] }), &[]);
    assert_eq!(names(&told), ["d1", "d9"]);
}

#[test]
fn a_unit_without_a_place_is_told_and_one_of_a_target_without_units_is_not() {
    let one = || vec![opening("elm", Some("3C"), None)];
    let told = said(one(), &json!({ "1A": ["d1"] }), &["lobby"]);
    let unmapped = (IntegrationId::new("elm"), "3C".to_owned());
    assert_eq!(Vec::from_iter(told.unmapped.clone()), [unmapped]);
    assert_eq!(names(&told), ["lobby"]);
    assert!(said(one(), &json!({}), &[]).unmapped.is_empty());
    assert!(
        said(
            vec![opening("elm", None, None)],
            &json!({ "1A": ["d1"] }),
            &[]
        )
        .unmapped
        .is_empty()
    );
}

#[test]
fn what_is_open_without_an_end_in_one_way_has_none() {
    let both = vec![
        opening("elm", Some("1A"), Some("2026-04-01T00:00:00Z")),
        opening("elm", Some("2B"), None),
    ];
    let told = said(both, &json!({ "1A": ["d1"], "2B": ["d2"] }), &["lobby"]);
    let ends: Vec<&Value> = told.person["places"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["end"])
        .collect();
    assert_eq!(
        ends,
        [&json!("2026-04-01T00:00:00Z"), &Value::Null, &Value::Null]
    );
}

#[test]
fn what_opens_later_is_not_open() {
    let mut later = opening("elm", Some("1A"), None);
    later.start = at("2026-03-03T00:00:00Z");
    let told = said(vec![later], &json!({ "1A": ["d1"] }), &["lobby"]);
    assert_eq!(told.person["openings"], json!([]));
    assert_eq!(names(&told), [] as [&str; 0]);
}
