//! `epms runs`: the latest runs.

use clap::Args;

use crate::control::client::Client;
use crate::control::protocol::{Page, RunState, summary};
use crate::model::{IntegrationId, Outcome, Run};

use super::pages::{self, Length};
use super::table::{Cell, Column, Table, Tone};
use super::view::{View, length};
use super::{Exit, Failure, Screen};

/// Which runs to list.
#[derive(Debug, Args)]
#[command(after_help = "`epms run r3` shows one of them with its decisions")]
pub struct RunsArguments {
    /// only runs of this integration
    #[arg(long, value_name = "ID", value_parser = super::integration_id)]
    pub integration: Option<IntegrationId>,
    /// How many.
    #[command(flatten)]
    pub length: Length,
}

pub(super) async fn run(
    arguments: &RunsArguments,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let integration = arguments.integration.as_ref();
    let page = pages::read(&arguments.length, async |cut| {
        client.runs(integration, &cut).await
    });
    let page = page.await?;
    pages::nothing_of(integration, page.items.is_empty(), client).await?;
    screen.show(json, &page, render)?;
    Ok(Exit::Done)
}

fn render(page: &Page<RunState>, view: &View) -> String {
    if page.items.is_empty() {
        return "no runs yet; `epms sync --all` starts some\n".to_owned();
    }
    let mut text = table(&page.items, view);
    text += &pages::more(page.items.len(), page.next.as_deref());
    text
}

/// Runs, one below the other.
pub(super) fn table(runs: &[RunState], view: &View) -> String {
    let mut table = Table::new([
        ("RUN", Column::Whole),
        ("INTEGRATION", Column::Cut),
        ("STARTED", Column::Whole),
        ("TOOK", Column::Number),
        ("OUTCOME", Column::Whole),
        ("RESULT", Column::Wrap),
    ]);
    for state in runs {
        let report = state.report.as_ref();
        table.row([
            state.id.into(),
            Cell::id(&state.integration),
            view.relative_or_never(report.map(|run| run.started)).into(),
            report
                .and_then(took)
                .unwrap_or_else(|| "–".to_owned())
                .into(),
            report.map_or_else(|| "queued".into(), |run| outcome(&run.outcome)),
            result(state).into(),
        ]);
    }
    table.render(view)
}

/// How long a run took, once it has ended.
pub(super) fn took(run: &Run) -> Option<String> {
    let milliseconds = run.ended?.as_millisecond() - run.started.as_millisecond();
    Some(if milliseconds < 1000 {
        format!("{milliseconds}ms")
    } else {
        length(milliseconds / 1000)
    })
}

/// The word for an outcome.
pub(super) fn outcome(outcome: &Outcome) -> Cell {
    let tone = match outcome {
        Outcome::Running => Tone::Plain,
        Outcome::Committed => Tone::Good,
        Outcome::Unchanged => Tone::Faint,
        Outcome::Interrupted | Outcome::Held { .. } => Tone::Attention,
        Outcome::Postponed { .. }
        | Outcome::Incomplete { .. }
        | Outcome::NotUnderstood { .. }
        | Outcome::Failed { .. } => Tone::Bad,
    };
    Cell::new(outcome.as_str(), tone)
}

/// Why it failed, how far it has come, or what became of the residents.
fn result(state: &RunState) -> String {
    let Some(report) = &state.report else {
        return "waits for its turn".to_owned();
    };
    match (report.outcome.reason(), &state.progress) {
        (Some(reason), _) => reason.to_owned(),
        (None, Some(progress)) => super::sync::so_far(*progress),
        (None, None) => summary(&report.counts),
    }
}
