//! `epms reload`: the daemon reads its files again; the answer is the outcome.

use crate::control::client::Client;
use crate::control::protocol::{ReloadOutcome, ReloadReply};
use crate::model::Problem;

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
    let is_refused = |outcome| outcome == ReloadOutcome::Rejected;
    let refused = integrations(&reply).chain(targets(&reply)).any(is_refused);
    Ok(if refused || !reply.problems.is_empty() {
        Exit::Invalid
    } else {
        Exit::Done
    })
}

fn render(reply: &ReloadReply, view: &View) -> String {
    let mut text = String::new();
    for one in &reply.integrations {
        let id = clean(one.id.as_str());
        let rests = "it rests, its people stay";
        text += &became(&id, one.outcome, one.generation, rests);
        text += &problems(&one.problems, view);
    }
    for one in &reply.targets {
        let id = format!("target {}", clean(one.id.as_str()));
        let rests = "nothing is sent there, what was granted stays";
        text += &became(&id, one.outcome, one.generation, rests);
        text += &problems(&one.problems, view);
    }
    text += &of_none(&reply.problems, view);
    let count = number(
        reply.integrations.len() as u64,
        "integration",
        "integrations",
    );
    text += &counted(&count, integrations(reply));
    if !reply.targets.is_empty() {
        let count = number(reply.targets.len() as u64, "target", "targets");
        text += &counted(&count, targets(reply));
    }
    text
}

/// What became of one; nothing where nothing did. `rests` says what it means that its file is gone.
fn became(id: &str, outcome: ReloadOutcome, generation: Option<u64>, rests: &str) -> String {
    let number = generation.map_or_else(String::new, |number| number.to_string());
    match (outcome, generation) {
        (ReloadOutcome::Unchanged, _) => String::new(),
        (ReloadOutcome::Loaded, _) => format!("{id}: loaded as generation {number}\n"),
        (ReloadOutcome::Removed, _) => format!("{id}: its file is gone; {rests}\n"),
        (ReloadOutcome::Rejected, Some(_)) => {
            format!("{id}: refused; generation {number} still runs\n")
        }
        (ReloadOutcome::Rejected, None) => format!("{id}: refused; it does not run\n"),
    }
}

fn of_none(found: &[Problem], view: &View) -> String {
    if found.is_empty() {
        return String::new();
    }
    let told = problems(found, view);
    format!("files that belong to no single integration or target:\n{told}")
}

fn integrations(reply: &ReloadReply) -> impl Iterator<Item = ReloadOutcome> + Clone {
    reply.integrations.iter().map(|one| one.outcome)
}

fn targets(reply: &ReloadReply) -> impl Iterator<Item = ReloadOutcome> + Clone {
    reply.targets.iter().map(|one| one.outcome)
}

fn counted(all: &str, outcomes: impl Iterator<Item = ReloadOutcome> + Clone) -> String {
    let of = |outcome| outcomes.clone().filter(|one| *one == outcome).count();
    format!(
        "{all}: {} loaded, {} unchanged, {} refused, {} removed\n",
        of(ReloadOutcome::Loaded),
        of(ReloadOutcome::Unchanged),
        of(ReloadOutcome::Rejected),
        of(ReloadOutcome::Removed),
    )
}
