//! `epms reload`: the daemon reads its files again; the answer is the outcome.

use std::fmt::Write;

use crate::control::client::Client;
use crate::control::protocol::{ReloadOutcome, ReloadReply};

use super::status::{number, problems};
use super::table::clean;
use super::view::View;
use super::{Exit, Failure, Screen};

pub(super) async fn run(
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let reply = client.reload().await?;
    screen.show(json, &reply, render)?;
    let rejected = |reply: &ReloadReply| count(reply, ReloadOutcome::Rejected) > 0;
    Ok(if rejected(&reply) || !reply.problems.is_empty() {
        Exit::Invalid
    } else {
        Exit::Done
    })
}

fn render(reply: &ReloadReply, view: &View) -> String {
    let mut text = String::new();
    for one in &reply.integrations {
        let id = clean(one.id.as_str());
        let generation = one
            .generation
            .map_or_else(String::new, |number| number.to_string());
        let _ = match (one.outcome, one.generation) {
            (ReloadOutcome::Unchanged, _) => Ok(()),
            (ReloadOutcome::Loaded, _) => writeln!(text, "{id}: loaded as generation {generation}"),
            (ReloadOutcome::Removed, _) => {
                writeln!(text, "{id}: its file is gone; it rests, its people stay")
            }
            (ReloadOutcome::Rejected, Some(_)) => {
                writeln!(text, "{id}: rejected; generation {generation} still runs")
            }
            (ReloadOutcome::Rejected, None) => writeln!(text, "{id}: rejected; it does not run"),
        };
        text += &problems(&one.problems, view);
    }
    if !reply.problems.is_empty() {
        text += "files that belong to no single integration:\n";
        text += &problems(&reply.problems, view);
    }
    let of = |outcome| count(reply, outcome);
    let _ = writeln!(
        text,
        "{}: {} loaded, {} unchanged, {} rejected, {} removed",
        number(
            reply.integrations.len() as u64,
            "integration",
            "integrations"
        ),
        of(ReloadOutcome::Loaded),
        of(ReloadOutcome::Unchanged),
        of(ReloadOutcome::Rejected),
        of(ReloadOutcome::Removed),
    );
    text
}

fn count(reply: &ReloadReply, outcome: ReloadOutcome) -> usize {
    reply
        .integrations
        .iter()
        .filter(|one| one.outcome == outcome)
        .count()
}
