//! `epms changes`: the change log, one line of JSON for each change.

use std::time::Duration;

use clap::Args;

use crate::control::client::{Client, ClientError, LogQuery};
use crate::control::protocol::{LogLine, Place};
use crate::model::{ChangeKind, IntegrationId, PersonId};

use super::{Exit, Failure, Screen, pages};

/// Which changes.
#[derive(Debug, Args)]
#[command(after_help = "\
each line is a JSON object with `epoch` and `seq`; what consumed a line goes
on with --after EPOCH:SEQ, and hears of it where something between is not
there any more: then take everybody from /v1/people, page by page, whose
first page says at which place it was read

--follow goes on over a restart of the daemon; after 30 seconds without a
change comes a line with `heartbeat`, which has a place to go on after, too

examples
  epms changes --tail 20
  epms changes --after 1:120 --person p17
  epms changes --follow | jq 'select(.heartbeat | not) | .kind'")]
pub struct ChangesArguments {
    /// begin after the change of this number, N or EPOCH:N
    #[arg(
        long,
        value_name = "PLACE",
        default_value = "0",
        conflicts_with = "tail"
    )]
    pub after: Place,
    /// begin with the last N
    #[arg(long, value_name = "N")]
    pub tail: Option<usize>,
    /// end after N
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// only of this person
    #[arg(long, value_name = "PERSON")]
    pub person: Option<PersonId>,
    /// only those that this integration caused
    #[arg(long, value_name = "ID", value_parser = super::integration_id)]
    pub integration: Option<IntegrationId>,
    /// only of this kind
    #[arg(long, value_name = "KIND", value_parser = kind)]
    pub kind: Option<ChangeKind>,
    /// go on with the changes to come, until Ctrl-C
    #[arg(long)]
    pub follow: bool,
}

/// A kind of change by its word.
fn kind(text: &str) -> Result<ChangeKind, String> {
    let word = serde_json::Value::from(text);
    serde_json::from_value(word).map_err(|error| error.to_string())
}

/// The first pause before a daemon that is gone is asked again, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(15));

pub(super) async fn run(
    arguments: &ChangesArguments,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let mut wanted = LogQuery {
        after: arguments.after,
        tail: arguments.tail,
        limit: arguments.limit,
        person: arguments.person,
        integration: arguments.integration.clone(),
        kind: arguments.kind,
        follow: arguments.follow,
    };
    if let Some(person) = arguments.person.filter(|_| arguments.follow) {
        // Nobody is waited for who is not there.
        client.person(person).await?;
    }
    let (mut pause, mut nothing) = (PAUSES.0, true);
    loop {
        let mut began = false;
        let mut left = wanted.limit;
        let mut place = None;
        let ended = client
            .changes(&wanted, |line: LogLine| {
                began = true;
                place = Some(line.place());
                if matches!(line, LogLine::Change { .. }) {
                    left = left.map(|left| left.saturating_sub(1));
                }
                screen.line(&line)
            })
            .await;
        if let Some(place) = place {
            (wanted.after, wanted.tail) = (place, None);
        }
        wanted.limit = left;
        if began {
            (pause, nothing) = (PAUSES.0, false);
        }
        let is_first = wanted.after == arguments.after && !began;
        match ended {
            Ok(()) if !wanted.follow || left == Some(0) => {
                if nothing {
                    known(arguments, client).await?;
                }
                return Ok(Exit::Done);
            }
            Ok(()) => {}
            // Who never got through is told why, and not left waiting.
            Err(Failure::Client { ref error, .. })
                if is_lost(error) && wanted.follow && !is_first => {}
            Err(error) => return Err(error),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// Refuses what was asked for where it is not there: that there is nothing of it says nothing.
async fn known(arguments: &ChangesArguments, client: &Client) -> Result<(), Failure> {
    if let Some(person) = arguments.person {
        client.person(person).await?;
    }
    pages::nothing_of(arguments.integration.as_ref(), true, client).await
}

/// Whether the daemon ended or broke off, and may be there again.
fn is_lost(error: &ClientError) -> bool {
    match error {
        ClientError::NotRunning { .. } | ClientError::Silent { .. } | ClientError::Broken(_) => {
            true
        }
        ClientError::Refused(problem) => problem.status == 503,
        ClientError::Denied(_) => false,
    }
}
