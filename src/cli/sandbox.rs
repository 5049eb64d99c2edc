//! `epms sandbox`: the local PMSs alone, until Ctrl-C.

use clap::Args;

use crate::sandbox::Kind;

use super::{Exit, Failure, Screen};

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

pub(super) async fn run(
    arguments: &SandboxArguments,
    json: bool,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let _ = (arguments, json, screen);
    std::future::ready(Err(Failure::other(Exit::Failed, "not built yet"))).await
}
