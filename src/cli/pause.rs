//! `epms pause` and `epms resume`: keeping an integration from syncing, by hand.

use clap::Args;

use crate::config::Span;
use crate::control::client::Client;
use crate::control::protocol::{IntegrationState, IntegrationStatus, PauseFor};
use crate::model::{IntegrationId, Pause};

use super::table::clean;
use super::view::View;
use super::{Exit, Failure, Screen};

/// What to pause.
#[derive(Debug, Args)]
#[command(after_help = "\
a run under way goes on to its end. what is paused stays so over a restart;
`epms status` says who paused it, until when and why

examples
  epms pause 123-building-name
  epms pause 123-building-name --for 2h --reason \"the PMS is being migrated\"")]
pub struct PauseArguments {
    /// the integration: the name of a file in config/integrations, without .yaml
    #[arg(value_parser = super::integration_id)]
    pub integration: IntegrationId,
    /// resume by itself after so long, such as 90m, 2h, 3d [default: until it is resumed]
    #[arg(long = "for", value_name = "TIME")]
    pub length: Option<Span>,
    /// why, for whoever reads the status: one line
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// What to resume.
#[derive(Debug, Args)]
pub struct ResumeArguments {
    /// the integration: the name of a file in config/integrations, without .yaml
    #[arg(value_parser = super::integration_id)]
    pub integration: IntegrationId,
}

pub(super) async fn run(
    arguments: &PauseArguments,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let asked = PauseFor {
        seconds: arguments.length.map(|length| length.0.as_secs()),
        reason: arguments.reason.clone(),
    };
    let status = client.pause(&arguments.integration, Some(&asked)).await?;
    screen.show(json, &status, told)?;
    Ok(Exit::Done)
}

pub(super) async fn resume(
    arguments: &ResumeArguments,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let status = client.pause(&arguments.integration, None).await?;
    screen.show(json, &status, told)?;
    Ok(Exit::Done)
}

fn told(status: &IntegrationStatus, view: &View) -> String {
    let id = clean(status.id.as_str());
    let state = status.state.as_str();
    let Some(pause) = &status.pause else {
        return format!("{id} is {state}\n");
    };
    let until = pause.until;
    let until = until.map_or_else(String::new, |until| {
        format!(" until {}", view.absolute(until))
    });
    let besides = match status.state {
        IntegrationState::Broken => {
            ", and would not run anyway: its files are not right, and `epms check` says what is wrong"
        }
        IntegrationState::Disabled => ", and would not run anyway: its file says `enabled: false`",
        _ => "",
    };
    format!("{id} is paused{until}{besides}\n")
}

/// Who paused it, until when, and why.
pub(super) fn by_whom(pause: &Pause, view: &View) -> String {
    let by = format!("by {}", clean(&pause.by.to_string()));
    let until = match pause.until {
        Some(until) => format!("until {}", view.both(until)),
        None => "until it is resumed".to_owned(),
    };
    let why = match pause.reason.as_str() {
        "" => String::new(),
        reason => format!(": {}", clean(reason)),
    };
    format!("paused {by} {}, {until}{why}", view.relative(pause.at))
}
