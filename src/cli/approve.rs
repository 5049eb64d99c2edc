//! `epms approve r5` and `epms reject r5`: somebody's word for a held plan, or against it, or for a run that did not
//! understand all records; and the run that carries it out. On a terminal it shows everybody whom the plan takes
//! something from, and asks.

use std::io::BufRead;
use std::ops::ControlFlow;

use clap::{ArgGroup, Args};

use crate::control::client::Client;
use crate::control::protocol::{ApproveSinceUpgrade, RunState, SyncReply};
use crate::model::RunId;

use super::table::clean;
use super::{Exit, Failure, Screen, held, sync};

/// What to approve.
#[derive(Debug, Args)]
#[command(after_help = "\
the next run asks the PMS again; it is carried out when it asks for no more
than was approved, else held again. On a terminal it shows everybody whom the
plan takes something from, and asks. A run that is not_understood goes on
without the records that the same places of the script stop

With --all --since-upgrade: what only the rules of this version take, at all
integrations at once

examples
  epms run r5                        look at what waits
  epms approve r5
  epms approve r5 --yes
  epms approve r5 --digest 9a51b59873224f2c
  epms approve --all --since-upgrade")]
#[command(group(ArgGroup::new("what").required(true).args(["run", "all"])))]
pub struct ApproveArguments {
    /// the run that is held, or not_understood
    pub run: Option<RunId>,
    /// only this very plan, by the digest that `epms run` and `epms preview` show
    #[arg(long, requires = "run")]
    pub digest: Option<String>,
    /// at all integrations
    #[arg(long, requires = "since_upgrade")]
    pub all: bool,
    /// what only the rules of this version take, and waits
    #[arg(long, requires = "all")]
    pub since_upgrade: bool,
    /// do not ask
    #[arg(long)]
    pub yes: bool,
    /// do not wait for the run that carries it out
    #[arg(long)]
    pub no_wait: bool,
}

/// What to reject.
#[derive(Debug, Args)]
#[command(after_help = "\
the plan waits as before, and nobody is told of it again; another plan is told
anew. what is rejected can still be
approved

examples
  epms reject r5
  epms reject r5 --digest 9a51b59873224f2c")]
pub struct RejectArguments {
    /// the held run
    pub run: RunId,
    /// only this very plan, by the digest that `epms run` and `epms preview` show
    #[arg(long)]
    pub digest: Option<String>,
}

/// Approves. `input` is somebody who can see a question and answer it.
pub(super) async fn run(
    arguments: &ApproveArguments,
    json: bool,
    client: &Client,
    input: Option<&mut dyn BufRead>,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let input = input.filter(|_| !arguments.yes && !json);
    let approved = match arguments.run {
        Some(run) => held_run(run, arguments.digest.clone(), client, input, screen).await?,
        None => since_upgrade(json, client, input, screen).await?,
    };
    let asked = match approved {
        ControlFlow::Continue(asked) => asked,
        ControlFlow::Break(exit) => return Ok(exit),
    };
    if arguments.no_wait {
        screen.show(json, &asked, |asked, _| sync::queued(asked))?;
        return Ok(Exit::Done);
    }
    sync::follow(asked.runs, json, client, screen).await
}

/// The plan of one run. Gives how the command ends, where nothing was approved.
async fn held_run(
    run: RunId,
    mut digest: Option<String>,
    client: &Client,
    input: Option<&mut dyn BufRead>,
    screen: &mut Screen<'_>,
) -> Result<ControlFlow<Exit, SyncReply>, Failure> {
    if let Some(input) = input
        // What is not held is refused by the daemon, with the reason.
        && let Some(plan) = client.run(run).await?.held
    {
        let list = held::listed(&format!("{run} waits for approval"), &plan, &screen.view);
        if !says_yes(&list, "approve it", input, screen)? {
            writeln!(screen.out, "not approved: {run} waits")?;
            return Ok(ControlFlow::Break(Exit::Held));
        }
        digest = digest.or(Some(plan.digest));
    }
    let asked = client.approve(run, digest.as_deref()).await?;
    Ok(ControlFlow::Continue(asked))
}

/// What waits at all integrations since an upgrade. Gives how the command ends, where nothing was approved.
async fn since_upgrade(
    json: bool,
    client: &Client,
    input: Option<&mut dyn BufRead>,
    screen: &mut Screen<'_>,
) -> Result<ControlFlow<Exit, SyncReply>, Failure> {
    let plans = client.since_upgrade().await?.plans;
    if plans.is_empty() {
        let nothing = SyncReply { runs: Vec::new() };
        screen.show(json, &nothing, |_, _| {
            "nothing waits since an upgrade; an integration that did not run since then is shown by `epms preview --all`\n"
                .to_owned()
        })?;
        return Ok(ControlFlow::Break(Exit::Done));
    }
    if let Some(input) = input {
        let lists = plans.iter().map(|(integration, plan)| {
            let title = format!(
                "what only the rules of this version take at {}",
                clean(integration.as_str())
            );
            held::listed(&title, plan, &screen.view)
        });
        let lists: String = lists.collect();
        if !says_yes(&lists, "approve all of it", input, screen)? {
            writeln!(screen.out, "not approved: it waits")?;
            return Ok(ControlFlow::Break(Exit::Held));
        }
    }
    let digests = plans.into_iter().map(|(id, plan)| (id, plan.digest));
    let asked = ApproveSinceUpgrade {
        digests: digests.collect(),
    };
    let asked = client.approve_since_upgrade(&asked).await?;
    Ok(ControlFlow::Continue(asked))
}

/// Shows a list and asks.
pub(super) fn says_yes(
    list: &str,
    question: &str,
    input: &mut dyn BufRead,
    screen: &mut Screen<'_>,
) -> Result<bool, Failure> {
    screen.tell(&format!("{list}\n{question} [y/N]: "))?;
    screen.out.flush()?;
    let mut answer = String::new();
    let unreadable =
        |error| Failure::other(Exit::Failed, format!("no answer can be read: {error}"));
    input.read_line(&mut answer).map_err(unreadable)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

pub(super) async fn reject(
    arguments: &RejectArguments,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let run = client
        .reject(arguments.run, arguments.digest.as_deref())
        .await?;
    screen.show(json, &run, |run: &RunState, _| {
        let (id, integration) = (run.id, clean(run.integration.as_str()));
        format!(
            "{id} of {integration} is rejected: the plan waits, and nobody is told of it again until it is another\n"
        )
    })?;
    Ok(Exit::Done)
}
