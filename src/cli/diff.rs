//! `epms diff`: what the files of another checkout would change, for all integrations, before they are live. What is
//! different is found out by the daemon, or by a rehearsal of recorded answers; here it is asked for and shown.

mod markdown;
mod recorded;
mod table;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use serde::Serialize;

use crate::config::Home;
use crate::control::client::{Client, ClientError};
use crate::control::protocol::IntegrationState;
use crate::model::{Difference, IntegrationId};

use super::branch::Branch;
use super::preview::unnumbered;
use super::status::number;
use super::table::clean;
use super::{Exit, Failure, Screen};

/// Which files to try, and on what.
#[derive(Debug, Args)]
#[command(after_help = "\
each integration is read once, as the running files say, and mapped and planned
by both: what only the PMS changed is no difference. nothing is saved, and files
that say the same are not read for. the contents of config/integrations,
config/connectors and scripts are sent, and of credentials their `defaults`
alone; the requests of a connector are not tried, which is said where they
differ

with --records no daemon and no PMS is asked: the home's files and those of DIR
are held against each other on answers that `epms record` wrote, of made-up
people. Markdown counts, and has no ids, names, values and reasons but of
these, unless --names

ends with 0, whatever it finds; with --exit-code 1 where anything would change,
and 4 where the guard would hold it. 2 where files are not right, 1 where
something could not be tried

examples
  epms diff ../branch
  epms diff . --format markdown > comment.md
  epms diff . --home base --records recordings --format markdown --exit-code")]
pub struct DiffArguments {
    /// A home, or a checkout with config/ and scripts/
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Only these integrations [default: all of them]
    #[arg(value_name = "INTEGRATION", value_parser = super::integration_id)]
    pub integrations: Vec<IntegrationId>,
    /// How it is written: to be read, for a comment, or for programs [default: table]
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub format: Option<Format>,
    /// A recorded mapping test, or a folder of them, in the place of the PMS and the store
    #[arg(long, value_name = "FILE|DIR")]
    pub records: Option<PathBuf>,
    /// End with 1 where anything would change, with 4 where it would be held
    #[arg(long)]
    pub exit_code: bool,
    /// Who, why and the values in Markdown, too: a comment is read by more people than a terminal
    #[arg(long)]
    pub names: bool,
}

impl DiffArguments {
    /// How it is written, by both options that say it.
    fn written(&self, json: bool) -> Result<Format, Failure> {
        match (json, self.format) {
            (false, format) => Ok(format.unwrap_or(Format::Table)),
            (true, None | Some(Format::Json)) => Ok(Format::Json),
            (true, Some(Format::Table | Format::Markdown)) => Err(Failure::other(
                Exit::Invalid,
                "`--json` is `--format json`, and goes with no other format; leave one of them out",
            )),
        }
    }
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables.
    Table,
    /// Markdown, as for the comment of a pull request.
    Markdown,
    /// JSON.
    Json,
}

/// What was found out.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// Each integration that both have, and was tried.
    pub(super) integrations: Vec<Tried>,
    /// Those that only the checkout has: nobody is read for them before they are live.
    pub(super) new: Vec<IntegrationId>,
    /// Those that the checkout does not have: they would not run any more, and their people would stay.
    pub(super) gone: Vec<IntegrationId>,
    /// Those that could not be tried.
    pub(super) failed: Vec<Failed>,
}

/// An integration that was tried.
#[derive(Debug, Serialize)]
pub(super) struct Tried {
    /// The recording that it was tried on; none where it was the PMS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) records: Option<String>,
    #[serde(flatten)]
    pub(super) difference: Difference,
}

/// One that could not be tried.
#[derive(Debug, Serialize)]
pub(super) struct Failed {
    pub(super) integration: IntegrationId,
    pub(super) why: String,
    /// Its files are not right.
    pub(super) invalid: bool,
}

pub(super) async fn run(
    arguments: &DiffArguments,
    json: bool,
    current: &Path,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let format = arguments.written(json)?;
    let branch = Branch::read(&current.join(&arguments.folder))?;
    let report = asked(arguments, &branch, client, screen).await?;
    show(&report, arguments, format, arguments.names, screen)
}

/// The same without a daemon.
pub(super) fn on_records(
    arguments: &DiffArguments,
    records: &Path,
    json: bool,
    home: &Home,
    current: &Path,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let format = arguments.written(json)?;
    let with = Home::at(current.join(&arguments.folder));
    let report = recorded::report(home, &with, &current.join(records), &arguments.integrations)?;
    // Whom a recording names is made up.
    show(&report, arguments, format, true, screen)
}

/// Asks the daemon about each, one after the other.
async fn asked(
    arguments: &DiffArguments,
    branch: &Branch,
    client: &Client,
    screen: &Screen<'_>,
) -> Result<Report, Failure> {
    let running = client.integrations().await?;
    let wanted = |id: &IntegrationId| is_wanted(&arguments.integrations, id);
    let mut report = Report::default();
    let known = branch.integrations.keys().map(IntegrationId::new);
    let is_new = |id: &IntegrationId| !running.iter().any(|one| one.id == *id);
    report.new = known.filter(is_new).filter(wanted).collect();
    for one in running.iter().filter(|one| wanted(&one.id)) {
        let Some(files) = branch.of(&one.id, &one.connector)? else {
            if one.generation.is_some() && one.state != IntegrationState::Removed {
                report.gone.push(one.id.clone());
            }
            continue;
        };
        let bar = spinner(&one.id, screen);
        let difference = client.diff(&one.id, &files).await;
        bar.finish_and_clear();
        match difference {
            Ok(difference) => report.integrations.push(Tried {
                records: None,
                difference,
            }),
            // The others can be tried all the same.
            Err(ClientError::Refused(problem)) => report.failed.push(Failed {
                integration: one.id.clone(),
                invalid: problem.status == 422,
                why: problem.detail,
            }),
            Err(error) => return Err(error.into()),
        }
    }
    missing(&arguments.integrations, &report)?;
    Ok(report)
}

pub(super) fn is_wanted(asked: &[IntegrationId], id: &IntegrationId) -> bool {
    asked.is_empty() || asked.contains(id)
}

/// An integration that was asked for by name must be somewhere.
pub(super) fn missing(asked: &[IntegrationId], report: &Report) -> Result<(), Failure> {
    let is_there = |id: &&IntegrationId| {
        report
            .integrations
            .iter()
            .any(|one| one.difference.integration == **id)
            || report.failed.iter().any(|one| one.integration == **id)
            || report.new.contains(id)
            || report.gone.contains(id)
    };
    match asked.iter().find(|id| !is_there(id)) {
        None => Ok(()),
        Some(id) => Err(Failure::other(
            Exit::Invalid,
            format!(
                "there is nothing to try of `{}`; `epms status` lists the integrations that run",
                clean(id.as_str())
            ),
        )),
    }
}

fn spinner(id: &IntegrationId, screen: &Screen<'_>) -> ProgressBar {
    let bar = if screen.progress {
        ProgressBar::new_spinner()
    } else {
        ProgressBar::hidden()
    };
    bar.set_message(format!("reading {}", clean(id.as_str())));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn show(
    report: &Report,
    arguments: &DiffArguments,
    format: Format,
    names: bool,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    screen.show(format == Format::Json, report, |report, view| {
        unnumbered(match format {
            Format::Markdown => markdown::render(report, names),
            Format::Table | Format::Json => table::render(report, view),
        })
    })?;
    Ok(exit(report, arguments.exit_code))
}

/// How the command ends: what could not be tried goes before what was found.
fn exit(report: &Report, counts: bool) -> Exit {
    let mut tried = report.integrations.iter().map(|one| &one.difference);
    let is_any = report.is_any();
    if report.failed.iter().any(|one| one.invalid) {
        Exit::Invalid
    } else if !report.failed.is_empty() || tried.clone().any(|one| one.fails().is_some()) {
        Exit::Failed
    } else if counts && tried.any(Difference::is_held) {
        Exit::Held
    } else if counts && is_any {
        Exit::Failed
    } else {
        Exit::Done
    }
}

impl Report {
    /// Those of which there is something to say.
    pub(super) fn different(&self) -> impl Iterator<Item = &Tried> {
        let tried = self.integrations.iter();
        tried.filter(|one| {
            let difference = &one.difference;
            difference.is_any() || !difference.tried.untried.is_empty() || one.end().is_some()
        })
    }

    fn is_any(&self) -> bool {
        let mut tried = self.integrations.iter();
        !self.new.is_empty() || !self.gone.is_empty() || tried.any(|one| one.difference.is_any())
    }

    /// What it comes to, such as `1 of 3 integrations would change, 1 is new`.
    pub(super) fn total(&self) -> String {
        let ids = |of: &mut dyn Iterator<Item = &Tried>| {
            let ids: BTreeSet<&IntegrationId> = of.map(|one| &one.difference.integration).collect();
            ids.len()
        };
        let tried = ids(&mut self.integrations.iter());
        let mut changed = self
            .integrations
            .iter()
            .filter(|one| one.difference.is_any());
        let all = number(tried as u64, "integration", "integrations");
        let mut told = format!("{} of {all} would change", ids(&mut changed));
        if self.integrations.iter().any(|one| one.records.is_some()) {
            let readings = self.integrations.len() as u64;
            told += &format!(", on {}", number(readings, "recording", "recordings"));
        }
        let parts = [
            (self.new.len(), "is new", "are new"),
            (self.gone.len(), "would be gone", "would be gone"),
            (
                self.failed.len(),
                "could not be tried",
                "could not be tried",
            ),
        ];
        for (count, one, many) in parts.into_iter().filter(|(count, ..)| *count > 0) {
            told += &format!(", {}", number(count as u64, one, many));
        }
        told
    }

    /// Nothing is otherwise, and everything was tried.
    pub(super) fn is_calm(&self) -> bool {
        let mut tried = self.integrations.iter();
        !self.is_any() && self.failed.is_empty() && !tried.any(|one| one.end().is_some())
    }
}

impl Tried {
    /// The integration, and what it was tried on.
    pub(super) fn title(&self) -> String {
        let id = clean(self.difference.integration.as_str());
        match &self.records {
            None => id,
            Some(records) => format!("{id} on {}", clean(records)),
        }
    }

    /// The word for how a run would end by these files, where that is no success.
    pub(super) fn word(&self) -> Option<String> {
        let outcome = &self.difference.with.as_ref()?.outcome;
        (!outcome.is_success()).then(|| outcome.as_str().replace('_', " "))
    }

    /// How a run would end by these files, where that is no success.
    pub(super) fn end(&self) -> Option<String> {
        let outcome = &self.difference.with.as_ref()?.outcome;
        let reason = outcome.reason()?;
        Some(format!("{}: {}", outcome.as_str(), clean(reason)))
    }
}

#[cfg(test)]
mod tests;
