//! The doors of the demo: a local OpenDOOR that the first property delivers to, and three things that happen there, each of
//! which arrives at them. Nothing of it is done in another way than outside the demo.

use std::path::Path;
use std::time::Duration;

use crate::control::client::Client;
use crate::model::{IntegrationId, TargetId};
use crate::sandbox::opendoor::{DoorSettings, OpenDoor};
use crate::sandbox::{Household, Sandbox, Status};

use super::demo_home::secret;
use super::{Exit, Failure, Screen, schema};

/// The target's name.
pub(super) const TARGET: &str = "elm-doors";

/// The email of whoever moves in.
pub(super) const NEWCOMER: &str = "ida.marsh@example.com";

/// Nobody waits longer for what is to arrive.
const PATIENCE: Duration = Duration::from_mins(2);

/// Doors for every unit of a PMS's first property.
pub(super) async fn start(pms: &Sandbox, seed: u64) -> Result<OpenDoor, Failure> {
    let units: Vec<String> = {
        let world = pms.world();
        let units = world.units().iter();
        let units = units.filter(|unit| unit.property == 0 && !unit.pseudo);
        units.map(|unit| unit.label.clone()).collect()
    };
    let settings = DoorSettings {
        buildings: vec!["Elm Court".to_owned()],
        units,
        seed,
        ..DoorSettings::default()
    };
    let doors = OpenDoor::start(settings).await.map_err(|error| {
        let text = format!("cannot start local doors: {error}");
        Failure::other(Exit::OutOfReach, text)
    })?;
    // A network reaches nearly all of them; a few are as most residence doors are.
    doors.keyring(|keyring| {
        for (number, door) in keyring.doors.iter_mut().enumerate() {
            door.is_connected = number % 9 != 4;
        }
    });
    Ok(doors)
}

/// The credential, its secret, and the target's file.
pub(super) fn attach(
    folder: &Path,
    doors: &OpenDoor,
    integration: &IntegrationId,
) -> Result<(), Failure> {
    let mut text = format!(
        "{}# One account at a place that access is delivered to.\nversion: 1\nconnector: opendoor\nfields:\n  url: {:?}\n",
        schema::Kind::Credential.line(),
        doors.url()
    );
    for (field, value) in doors.credential() {
        if Sandbox::SECRETS.contains(field) {
            let name = format!("secrets/opendoor-{field}");
            secret(&folder.join(&name), value)?;
            text += &format!("  {field}: {{ file: {name} }}\n");
        } else {
            text += &format!("  {field}: {value:?}\n");
        }
    }
    std::fs::write(folder.join("config/credentials/demo-opendoor.yaml"), text)?;
    let mut text = format!(
        "{}# A place that access is delivered to. The file's name is its id.
version: 1
credential: demo-opendoor
from: [{integration}]
# Outside the demo `approve` is the beginning: what opens waits until somebody has seen it.
mode: automatic
start_delay: 0s
places:
  # The PMS's units, and the keys of OpenDOOR, as `epms discover {TARGET}` lists them.
  map:
",
        schema::Kind::Target.line()
    );
    let keys = doors.keyring(|keyring| keyring.keys.clone());
    for key in keys.iter().filter(|key| key.doors.len() == 1) {
        text += &format!("    {:?}: [{}]\n", key.name, key.uuid);
    }
    std::fs::write(folder.join(format!("config/targets/{TARGET}.yaml")), text)?;
    Ok(())
}

/// Waits until there is at the doors what is wanted, or what is left waits for somebody.
pub(super) async fn arrived(client: &Client, screen: &mut Screen<'_>) -> Result<(), Failure> {
    let target = TargetId::new(TARGET);
    let begun = tokio::time::Instant::now();
    loop {
        let status = client.target(&target).await?;
        let grants = &status.grants;
        let is_waiting = grants.wanted <= grants.waiting + grants.held;
        if status.read_back.is_some()
            && status.behind == 0
            && is_waiting
            && grants.sent + grants.unknown == 0
        {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            writeln!(
                screen.err,
                "{TARGET}: not everything has arrived; `epms targets` says what is wrong"
            )?;
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Somebody moves in, somebody into another unit, and somebody out. Gives what happened, a line for each.
pub(super) fn happen(pms: &Sandbox) -> Vec<String> {
    let mut world = pms.world();
    let mut told = Vec::new();
    let today = world.today();
    let is_alone = |home: &&Household| {
        let has_email = home.members.iter().all(|one| one.email.is_some());
        home.property == 0 && home.status == Status::Current && home.members.len() == 1 && has_email
    };
    // Those who came first are in the alerts of the demo.
    let settled = world.households().iter().rev().filter(is_alone).take(2);
    let settled: Vec<Household> = settled.cloned().collect();
    let property = world.properties().first().map(|one| one.code.clone());
    if let (Some(home), Some(unit)) = (settled.first(), world.vacant_unit(0)) {
        let label = |of| {
            let unit = world.units().iter().find(|one| one.id == of);
            unit.map_or_else(String::new, |unit| unit.label.clone())
        };
        let line = format!("moves from {} to {}", label(home.unit), label(unit));
        if let (Some(who), Ok(())) = (home.primary(), world.transfer(home.id, unit)) {
            told.push(format!("{} {line}", who.name()));
        }
    }
    if let Some(who) = settled.get(1).and_then(Household::primary)
        && world.move_out(who.id, today).is_ok()
    {
        told.push(format!("{} moves out", who.name()));
    }
    if let Some(property) = property {
        let (first, last) = ("Ida", "Marsh");
        let moved = world.move_in(&property, first, last, Some(NEWCOMER), None);
        if moved.is_ok() {
            told.push(format!("{first} {last} moves in"));
        }
    }
    told
}
