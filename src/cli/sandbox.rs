//! `epms sandbox`: the local PMSs alone, until Ctrl-C.

use std::collections::BTreeMap;
use std::fmt::Write;

use clap::Args;
use serde::Serialize;

use crate::sandbox::{Kind, PropertySpec, Sandbox, Settings, World, WorldOptions};

use super::{Exit, Failure, Screen};

/// Which PMSs to be.
#[derive(Debug, Args)]
#[command(after_help = "\
prints the address and the credential of each, and serves until Ctrl-C

examples
  epms sandbox
  epms sandbox yardi --residents 5000")]
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
    for kind in kinds {
        sandboxes.push(
            start(
                kind,
                arguments.seed,
                arguments.residents,
                "elm",
                "Elm Court",
            )
            .await?,
        );
    }
    let running: Vec<Running> = sandboxes
        .iter()
        .map(|sandbox| Running {
            kind: sandbox.kind().to_string(),
            credential: sandbox.credential(),
            pms_properties: vec![property_id(sandbox)],
        })
        .collect();
    screen.show(json, &running, |running, _| told(running))?;
    screen.out.flush()?;
    tokio::signal::ctrl_c().await?;
    Ok(Exit::Done)
}

/// A PMS with one property.
pub(super) async fn start(
    kind: Kind,
    seed: u64,
    residents: u32,
    code: &str,
    name: &str,
) -> Result<Sandbox, Failure> {
    let world = World::seeded(WorldOptions {
        seed,
        properties: vec![PropertySpec {
            code: code.into(),
            name: name.into(),
        }],
        residents: residents as usize,
        today: jiff::Zoned::now().date(),
    });
    Sandbox::start(kind, world, Settings::default())
        .await
        .map_err(|error| {
            Failure::other(
                Exit::OutOfReach,
                format!("cannot start a local {kind}: {error}"),
            )
        })
}

/// The id under which its PMS knows the property.
pub(super) fn property_id(sandbox: &Sandbox) -> String {
    let world = sandbox.world();
    match sandbox.kind() {
        Kind::AppFolio => world.property_uuid(0),
        Kind::Yardi => world
            .properties()
            .first()
            .map(|property| property.code.clone())
            .unwrap_or_default(),
    }
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
