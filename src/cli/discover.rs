//! `epms discover`: what a PMS has: its properties, and the lease statuses in use with counts. It reads the
//! PMS as a sync would, and writes nothing, here or there. What a target has is in `places`.

pub(super) mod of_account;
pub(super) mod places;
mod told;
mod units;

use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::catalog::{self, Catalog, Integration};
use crate::config::Home;
use crate::control::client::Client;
use crate::model::{IntegrationId, Problems, TargetId};
use crate::setup::asking::{
    Asking, FoundLeftOut, FoundProperty, FoundStatus, FoundUnit, properties, shown,
};
use crate::source::Reader;

use super::{Exit, Failure, Screen};

/// Which PMS or target to ask.
#[derive(Debug, Args)]
#[command(after_help = "\
asks the PMS itself, with the integration's credential; nothing is written,
here or there. what the script cannot map, a number of records that is not the
declared one, and a list of properties that the PMS refuses, is told. ids of
properties go into `pms_properties`, words of statuses into `exclude_statuses`,
ids of units to the left in `units.map`

--units --yaml gives `units` of the integration's file as it is, with each unit
that residents live in, mapped onto the unit here that it looks like

of a target it lists what can be granted there: ids of places go to the right
in `places.map`. --yaml gives `places` of its file as it is, with what could be
added; where a daemon runs, with the units that people live in

examples
  epms discover 123-building-name
  epms discover 123-building-name --units
  epms discover 123-building-name --units --yaml
  epms discover 123-building-name --json
  epms discover --credential acme-yardi
  epms discover acme-door
  epms discover acme-door --yaml")]
pub struct DiscoverArguments {
    /// The integration or the target whose credential and connector to use
    #[arg(
        value_name = "INTEGRATION|TARGET",
        value_parser = super::integration_id,
        required_unless_present = "credential"
    )]
    pub name: Option<IntegrationId>,
    /// The properties of this account, be there an integration of it or not, and which feed one already
    #[arg(long, value_name = "NAME", conflicts_with_all = ["name", "units", "target", "yaml"])]
    pub credential: Option<String>,
    /// The units that residents live in as well, by the ids that `units.map` speaks of
    #[arg(long)]
    pub units: bool,
    /// The target, where an integration is called so, too
    #[arg(long, conflicts_with = "units")]
    pub target: bool,
    /// Of a target: `places` of its file, to be filled in and pasted there; with --units: `units` of an integration's
    #[arg(long, conflicts_with = "json")]
    pub yaml: bool,
}

#[derive(Serialize)]
struct Found {
    properties: Vec<FoundProperty>,
    /// Why the PMS does not list its properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    unlisted: Option<String>,
    statuses: Vec<FoundStatus>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<FoundLeftOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<Vec<FoundUnit>>,
    /// Records that the script could not map.
    rejected: u64,
    /// Why it could not map the first of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_rejected: Option<String>,
    /// What a run would end for, and this look does not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

pub(super) async fn run(
    arguments: &DiscoverArguments,
    json: bool,
    home: &Home,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    if let Some(credential) = &arguments.credential {
        return of_account::run(credential, json, home, screen).await;
    }
    let Some(id) = &arguments.name else {
        return Ok(Exit::Done);
    };
    let now = Timestamp::now();
    let catalog = catalog::load(home, None, now);
    let of_target = places::find(&catalog, id.as_str());
    let is_integration = catalog.integrations.contains_key(id);
    match of_target {
        Some((id, slot)) if arguments.target || !is_integration => {
            return places::run(&id, slot, arguments.yaml, json, client, screen).await;
        }
        _ if arguments.target => {
            return Err(Failure::other(Exit::Invalid, no_target(&catalog, id)));
        }
        _ if arguments.yaml && is_integration && !arguments.units => {
            let told = format!(
                "`{id}` is an integration, of which --yaml gives the units; add --units, or leave it away"
            );
            return Err(Failure::other(Exit::Invalid, told));
        }
        _ => {}
    }
    let integration = of_catalog(&catalog, id);
    let integration =
        integration.unwrap_or_else(|| Err(places::nothing_called(&catalog, id.as_str())))?;
    let failed = |told| Failure::other(Exit::Failed, told);
    let (doubts, mut doubted) = mpsc::unbounded_channel();
    let reader = Reader::new().map_err(|error| failed(error.to_string()))?;
    let reader = reader.doubted_by(doubts);
    let asking = Asking::of(&integration, now);
    let seen = async {
        let listed = match properties(&asking, &reader).await {
            // The residents may be readable all the same.
            Err(unlisted) if !unlisted.is_login => Err(unlisted.told),
            listed => Ok(listed?),
        };
        Ok::<_, String>((listed, shown(&asking, &reader).await?))
    };
    let seen = seen.await;
    let left = asking.leave(&reader).await;
    let (listed, shown) = seen.map_err(failed)?;
    let (properties, unlisted) = match listed {
        Ok(properties) => (properties, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    let mut warnings = shown.unread;
    while let Ok(doubt) = doubted.try_recv() {
        warnings.push(doubt.to_string());
    }
    warnings.extend(left.err());
    if arguments.yaml {
        let text = units::block(&integration.id, &integration.config.units, &shown.units);
        screen.tell(&text)?;
        for warning in &warnings {
            screen.complain(&format!("a run would be incomplete here: {warning}"))?;
        }
        return Ok(Exit::Done);
    }
    let found = Found {
        first_rejected: shown.first,
        warnings,
        properties,
        unlisted,
        statuses: shown.statuses,
        left_out: shown.left_out,
        units: arguments.units.then_some(shown.units),
        rejected: shown.rejected,
    };
    screen.show(json, &found, told::told)?;
    Ok(Exit::Done)
}

/// The integration, loaded from its files.
pub(super) fn find(
    id: &IntegrationId,
    home: &Home,
    now: Timestamp,
) -> Result<Arc<Integration>, Failure> {
    let catalog = catalog::load(home, None, now);
    let known: Vec<&str> = catalog
        .integrations
        .keys()
        .map(IntegrationId::as_str)
        .collect();
    let told = match known.as_slice() {
        [] => format!("there is no integration `{id}`; there are none yet"),
        known => format!(
            "there is no integration `{id}`; there are: {}",
            known.join(", ")
        ),
    };
    of_catalog(&catalog, id).unwrap_or_else(|| Err(Failure::other(Exit::Failed, told)))
}

fn of_catalog(catalog: &Catalog, id: &IntegrationId) -> Option<Result<Arc<Integration>, Failure>> {
    let slot = catalog.integrations.get(id)?;
    let problems = || Failure::Config(Problems(slot.problems.clone()));
    Some(slot.current.clone().ok_or_else(problems))
}

fn no_target(catalog: &Catalog, id: &IntegrationId) -> String {
    let known: Vec<&str> = catalog.targets.keys().map(TargetId::as_str).collect();
    match known.as_slice() {
        [] => format!("there is no target `{id}`; there are none yet"),
        known => format!("there is no target `{id}`; there are: {}", known.join(", ")),
    }
}
