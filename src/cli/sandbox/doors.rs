//! The local OpenDOOR of `epms sandbox`: it has a key for each unit of the PMSs' property. Prints the two files that make it a
//! target of a home, and writes none.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::sandbox::opendoor::{DoorSettings, OpenDoor};

use super::super::table::Table;
use super::super::view::View;
use super::super::{Exit, Failure};
use super::{CODE, NAME, Running, in_order, world};

/// What it is called, as its connector is.
pub(super) const CONNECTOR: &str = "opendoor";

/// So many of the keys are printed; all of them would hide the rest.
const SHOWN: usize = 3;

/// The doors of the property that each PMS has with these people.
pub(super) async fn start(people: (u64, u32), addr: SocketAddr) -> Result<OpenDoor, Failure> {
    let world = world(people, &[(CODE, NAME)]);
    let units = world.units().iter().filter(|unit| !unit.pseudo);
    let settings = DoorSettings {
        addr,
        buildings: vec![NAME.to_owned()],
        units: units.map(|unit| unit.label.clone()).collect(),
        seed: people.0,
        ..DoorSettings::default()
    };
    OpenDoor::start(settings).await.map_err(|error| {
        let text = format!("cannot start a local {CONNECTOR}: {error}");
        Failure::other(Exit::OutOfReach, text)
    })
}

/// What is told of it.
pub(super) fn running(door: &OpenDoor) -> Running {
    let mut credential = door.credential().clone();
    credential.insert("url", door.url());
    let places = door.keyring(|keyring| {
        let keys = keyring.keys.iter();
        let named = keys.map(|key| (key.name.clone(), key.uuid.clone()));
        named.collect()
    });
    Running {
        kind: CONNECTOR.to_owned(),
        residents: 0,
        credential,
        secrets: BTreeMap::new(),
        pms_properties: Vec::new(),
        places,
    }
}

pub(super) fn told(one: &Running, view: &View) -> String {
    let mut text = format!("{} with {} keys in {NAME}\n", one.kind, one.places.len());
    let mut table = Table::of_pairs(2);
    table.pair("connector", &one.kind);
    for (field, value) in in_order(one) {
        table.pair(field, one.secrets.get(field).unwrap_or(value));
    }
    text += &table.render(view);
    text + "\n"
}

/// The two files by which a home delivers to it.
pub(super) fn attach(one: &Running) -> String {
    let mut text =
        "deliver to it from a home that `epms init` made: write two files into it\n\n".to_owned();
    text += "  config/credentials/sandbox-opendoor.yaml\n";
    text += "    version: 1\n    connector: opendoor\n    fields:\n";
    for (field, value) in in_order(one) {
        text += &match one.secrets.get(field) {
            Some(place) => {
                let file = place.strip_prefix("file:").unwrap_or(place);
                format!("      {field}: {{ file: {file:?} }}\n")
            }
            None => format!("      {field}: {value:?}\n"),
        };
    }
    text += "\n  config/targets/sandbox-opendoor.yaml\n";
    text += "    version: 1\n    credential: sandbox-opendoor\n    places:\n      map:\n";
    let is_common = |label: &String| label == COMMON;
    let units = one.places.iter().filter(|(label, _)| !is_common(label));
    for (label, key) in units.clone().take(SHOWN) {
        text += &format!("        {label:?}: [{key}]\n");
    }
    let more = units.count().saturating_sub(SHOWN);
    if more > 0 {
        text += &format!("        # and {more} more, which `--json` prints\n");
    }
    if let Some(key) = one.places.get(COMMON) {
        text += &format!("      common: [{key}]\n");
    }
    text
}

/// The key of what all share.
const COMMON: &str = "Common areas";
