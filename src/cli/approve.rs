//! `epms approve r5`: somebody's word for a held plan, and the run that carries it out.

use clap::Args;

use crate::control::client::Client;
use crate::model::RunId;

use super::{Exit, Failure, Screen, sync};

/// What to approve.
#[derive(Debug, Args)]
#[command(after_help = "\
the next run asks the PMS again; it is carried out when it asks for no more than was approved, else held again

examples
  epms run r5                        look at what waits
  epms approve r5
  epms approve r5 --digest 9a51b59873224f2c")]
pub struct ApproveArguments {
    /// the held run
    pub run: RunId,
    /// only this very plan, by the digest that `epms run` and `epms preview` show
    #[arg(long)]
    pub digest: Option<String>,
    /// do not wait for the run that carries it out
    #[arg(long)]
    pub no_wait: bool,
}

pub(super) async fn run(
    arguments: &ApproveArguments,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let asked = client
        .approve(arguments.run, arguments.digest.as_deref())
        .await?;
    if arguments.no_wait {
        screen.show(json, &asked, |asked, _| sync::queued(asked))?;
        return Ok(Exit::Done);
    }
    sync::follow(asked.runs, json, client, screen).await
}
