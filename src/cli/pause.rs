//! `epms pause` and `epms resume`: keeping an integration from syncing, by hand.

use clap::Args;

use crate::control::client::Client;
use crate::model::IntegrationId;

use super::table::clean;
use super::{Exit, Failure, Screen};

/// What to pause or resume.
#[derive(Debug, Args)]
pub struct PauseArguments {
    /// the integration: the name of a file in config/integrations, without .yaml
    #[arg(value_parser = super::integration_id)]
    pub integration: IntegrationId,
}

pub(super) async fn run(
    arguments: &PauseArguments,
    paused: bool,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let status = client.pause(&arguments.integration, paused).await?;
    screen.show(json, &status, |status, _| {
        format!(
            "{} is {}\n",
            clean(status.id.as_str()),
            status.state.as_str()
        )
    })?;
    Ok(Exit::Done)
}
