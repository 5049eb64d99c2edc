//! `epms demo`: local PMSs, a home, a daemon, a first sync, and what to try next.

use std::path::PathBuf;

use clap::Args;

use crate::config::Environment;

use super::{Exit, Failure, Screen};

#[derive(Debug, Args)]
#[command(after_help = "\
nothing outside this machine is reached, and all people are made up

examples
  epms demo
  epms demo --once --residents 40 --seed 7")]
pub struct DemoArguments {
    /// leave after the first sync instead of staying until Ctrl-C
    #[arg(long)]
    pub once: bool,
    /// where to put the home; it must be empty or new [default: a temporary folder]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// how many residents to make up, per PMS
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub residents: u32,
    /// the same seed makes up the same residents
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
}

pub(super) async fn run(
    arguments: &DemoArguments,
    json: bool,
    environment: &Environment,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let _ = (arguments, json, environment, screen);
    std::future::ready(Err(Failure::other(Exit::Failed, "not built yet"))).await
}
