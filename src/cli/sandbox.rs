//! `epms sandbox`: the local PMSs alone, until Ctrl-C.

use std::collections::BTreeMap;
use std::fmt::Write;

use clap::Args;
use serde::Serialize;

use crate::sandbox::{FaultKind, Kind, PropertySpec, Sandbox, Settings, World, WorldOptions};

use super::{Exit, Failure, Screen, life};

/// Which PMSs to be.
#[derive(Debug, Args)]
#[command(after_help = "\
prints the address and the credential of each, and serves until Ctrl-C

examples
  epms sandbox
  epms sandbox yardi --residents 5000
  epms sandbox entrata mri --life 30 --faults drip,expired-token")]
pub struct SandboxArguments {
    /// which kinds of PMS [default: all]
    #[arg(value_parser = kind, value_name = "KIND")]
    pub kinds: Vec<Kind>,
    /// how many residents to make up, per PMS
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub residents: u32,
    /// the same seed makes up the same residents
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// people move, renew and change their names: about this many events a minute
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub life: Option<f64>,
    /// what goes wrong from the start, commas between
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = fault)]
    pub faults: Vec<FaultKind>,
    /// the port of the first PMS; each further one has the next [default: any that is free]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.01..=60_000.0).contains(&rate) {
        Ok(rate)
    } else {
        Err("must be between 0.01 and 60000 events a minute".to_owned())
    }
}

fn fault(text: &str) -> Result<FaultKind, String> {
    text.parse().map_err(|_| {
        let known = FaultKind::NAMED.map(|(name, _)| name).join(", ");
        format!("there is no such fault; write one of: {known}")
    })
}

fn kind(text: &str) -> Result<Kind, String> {
    text.parse().map_err(|_| {
        let known: Vec<String> = Kind::ALL.iter().map(ToString::to_string).collect();
        format!("there is no such PMS; write one of: {}", known.join(", "))
    })
}

#[derive(Serialize)]
struct Running {
    kind: String,
    credential: BTreeMap<&'static str, String>,
    pms_properties: Vec<String>,
}

pub(super) async fn run(
    arguments: &SandboxArguments,
    json: bool,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let kinds = if arguments.kinds.is_empty() {
        Kind::ALL.to_vec()
    } else {
        arguments.kinds.clone()
    };
    let mut sandboxes = Vec::new();
    for (port, kind) in (arguments.port.unwrap_or(0)..).zip(kinds) {
        let mut settings = Settings::default();
        settings.addr.set_port(arguments.port.map_or(0, |_| port));
        let people = (arguments.seed, arguments.residents);
        let sandbox = start(kind, people, &[("elm", "Elm Court")], settings).await?;
        for &fault in &arguments.faults {
            sandbox.fault(fault);
        }
        sandboxes.push(sandbox);
    }
    let running: Vec<Running> = sandboxes
        .iter()
        .map(|sandbox| Running {
            kind: sandbox.kind().to_string(),
            credential: sandbox.credential(),
            pms_properties: vec![sandbox.property_id(0)],
        })
        .collect();
    screen.show(json, &running, |running, _| told(running))?;
    screen.out.flush()?;
    let Some(rate) = arguments.life else {
        tokio::signal::ctrl_c().await?;
        return Ok(Exit::Done);
    };
    tokio::select! {
        ended = tokio::signal::ctrl_c() => ended?,
        broken = life::go_on(&sandboxes, rate, arguments.seed, json, screen) => broken?,
    }
    Ok(Exit::Done)
}

/// A PMS with these properties, each by code and name.
pub(super) async fn start(
    kind: Kind,
    (seed, residents): (u64, u32),
    properties: &[(&str, &str)],
    settings: Settings,
) -> Result<Sandbox, Failure> {
    let properties = properties.iter().map(|(code, name)| PropertySpec {
        code: (*code).into(),
        name: (*name).into(),
    });
    let world = World::seeded(WorldOptions {
        seed,
        properties: properties.collect(),
        residents: residents as usize,
        today: crate::sandbox::today(),
    });
    Sandbox::start(kind, world, settings)
        .await
        .map_err(|error| {
            let text = format!("cannot start a local {kind}: {error}");
            Failure::other(Exit::OutOfReach, text)
        })
}

fn told(running: &[Running]) -> String {
    let mut text = String::new();
    for one in running {
        let _ = writeln!(
            text,
            "{} (pms_properties: [{}])",
            one.kind,
            one.pms_properties.join(", ")
        );
        for (field, value) in &one.credential {
            let _ = writeln!(text, "  {field}: {value}");
        }
    }
    text + "\nserving until Ctrl-C\n"
}
