//! The local OpenDOOR of `epms sandbox`: it has a key for each unit of the PMSs' property. Prints the command that makes it a
//! target of a home, and writes nothing.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::sandbox::opendoor::{DoorSettings, OpenDoor};

use super::super::table::Table;
use super::super::view::View;
use super::super::{Exit, Failure};
use super::{CODE, NAME, Running, fields, in_order, world};

/// What it is called, as its connector is.
pub(super) const CONNECTOR: &str = "opendoor";

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

/// The command that makes it a target of a home, for a shell.
pub(super) fn attach(one: &Running) -> String {
    let mut lines = vec![
        "  epms add target doors --yes --connector opendoor --credential sandbox-opendoor"
            .to_owned(),
    ];
    lines.extend(fields(one));
    format!(
        "deliver to it from a home that `epms init` made:\n\n{}\n\nthen `epms discover doors --yaml` gives `places` for config/targets/doors.yaml\n",
        lines.join(" \\\n    ")
    )
}
