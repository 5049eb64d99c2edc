//! `epms changes`: the change log, one line of JSON for each change.

use clap::Args;

use crate::control::client::Client;

use super::{Exit, Failure, Screen};

/// Which changes.
#[derive(Debug, Args)]
#[command(after_help = "\
each line is a JSON object with a number `seq`; what consumed line N goes on
with --after N

examples
  epms changes --after 120
  epms changes --follow | jq .kind")]
pub struct ChangesArguments {
    /// begin after the change of this number
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub after: u64,
    /// go on with the changes to come, until Ctrl-C
    #[arg(long)]
    pub follow: bool,
}

pub(super) async fn run(
    arguments: &ChangesArguments,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let line = |change| screen.line(&change);
    client
        .changes(arguments.after, arguments.follow, line)
        .await?;
    Ok(Exit::Done)
}
