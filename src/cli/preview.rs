//! `epms preview`: the whole next run, of which nothing remains: what would change, for whom, and why.

use std::fmt::Write;
use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;

use crate::control::client::Client;
use crate::control::protocol::summary;
use crate::model::{Alert, IntegrationId, Outcome, Preview};

use super::table::{Cell, Column, Table, Tone, clean, paragraph};
use super::view::View;
use super::{Exit, Failure, Screen, alerts};

/// What to preview.
#[derive(Debug, Args)]
#[command(after_help = "\
it is the run itself, with its transaction dropped; ends with 4 when the guard would hold it

examples
  epms preview 123-building-name
  epms preview 123-building-name --resident t0012345
  epms preview 123-building-name --json > plan.json")]
pub struct PreviewArguments {
    /// the integration: the name of a file in config/integrations, without .yaml
    #[arg(value_parser = super::integration_id)]
    pub integration: IntegrationId,
    /// only what concerns this resident, by the PMS's id
    #[arg(long, value_name = "ID")]
    pub resident: Option<String>,
    /// every change, however many
    #[arg(long)]
    pub all: bool,
}

/// So many changes are shown unless all are asked for.
const SHOWN: usize = 50;

pub(super) async fn run(
    arguments: &PreviewArguments,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let bar = if screen.progress {
        ProgressBar::new_spinner()
    } else {
        ProgressBar::hidden()
    };
    bar.set_message(format!("reading {}", clean(arguments.integration.as_str())));
    bar.enable_steady_tick(Duration::from_millis(120));
    let preview = client.preview(&arguments.integration).await;
    bar.finish_and_clear();
    let mut preview = preview?;
    if let Some(resident) = &arguments.resident {
        only(&mut preview, resident);
    }
    screen.show(json, &preview, |preview, view| {
        render(preview, arguments.all, view)
    })?;
    Ok(match &preview.report.outcome {
        outcome if outcome.is_success() => Exit::Done,
        Outcome::Held { .. } => Exit::Held,
        _ => Exit::Failed,
    })
}

fn only(preview: &mut Preview, resident: &str) {
    preview
        .changes
        .retain(|change| change.resident.as_deref() == Some(resident));
    preview
        .decisions
        .retain(|decision| decision.subject == resident);
    let about = |alert: &Alert| {
        alert.subject == resident
            || alert
                .sides
                .iter()
                .any(|side| side.resident.as_deref() == Some(resident))
    };
    preview.raised.retain(about);
    preview.closed.retain(about);
}

fn render(preview: &Preview, all: bool, view: &View) -> String {
    let report = &preview.report;
    let name = clean(report.integration.as_str());
    let would = match &report.outcome {
        Outcome::Committed => "would be committed",
        Outcome::Unchanged => "would change nothing",
        Outcome::Held { .. } => "would be held",
        _ => "would write nothing",
    };
    let mut text = format!("the next run of {name} {would}\n");
    if let Some(reason) = report.outcome.reason() {
        text += &paragraph(2, reason, view);
    }
    if let Outcome::Held { digest, .. } = &report.outcome {
        let _ = writeln!(text, "  digest {digest}");
    }
    let _ = writeln!(text, "\n{}", summary(&report.counts));
    if !preview.changes.is_empty() {
        let shown = if all { usize::MAX } else { SHOWN };
        let _ = write!(text, "\n{}", changes(preview, shown, view));
        let rest = preview.changes.len().saturating_sub(shown);
        if rest > 0 {
            let _ = writeln!(text, "and {rest} more changes; `--all` shows them");
        }
    }
    for (title, some) in [
        ("alerts that would be raised", &preview.raised),
        ("alerts that would close themselves", &preview.closed),
    ] {
        if !some.is_empty() {
            let _ = write!(text, "\n{title}\n\n{}", alerts::table(some, view));
        }
    }
    let held: Vec<_> = preview
        .decisions
        .iter()
        .filter(|decision| decision.rule == "R27")
        .collect();
    if !held.is_empty() {
        let mut table = Table::new([
            ("RESIDENT", Column::Cut),
            ("PERSON", Column::Whole),
            ("REASON", Column::Wrap),
        ]);
        for decision in held.iter().take(if all { usize::MAX } else { SHOWN }) {
            let person = decision.person.map(|id| id.to_string());
            table.row([
                decision.subject.clone().into(),
                person.unwrap_or_default().into(),
                Cell::new(decision.reason.clone(), Tone::Attention),
            ]);
        }
        let _ = write!(text, "\nwhat would wait\n\n{}", table.render(view));
    }
    text
}

fn changes(preview: &Preview, shown: usize, view: &View) -> String {
    let mut table = Table::new([
        ("RESIDENT", Column::Cut),
        ("PERSON", Column::Cut),
        ("CHANGE", Column::Whole),
        ("RULE", Column::Whole),
        ("WHAT", Column::Wrap),
    ]);
    for change in preview.changes.iter().take(shown) {
        let name = preview.names.get(&change.person);
        let fields: Vec<String> = change
            .fields
            .iter()
            .map(|field| match (&field.before, &field.after) {
                (None, Some(after)) => format!("{} {after}", field.field),
                (Some(before), None) => format!("{} {before} → –", field.field),
                (Some(before), Some(after)) => format!("{} {before} → {after}", field.field),
                (None, None) => field.field.to_string(),
            })
            .collect();
        table.row([
            change.resident.clone().unwrap_or_default().into(),
            name.map_or_else(
                || change.person.to_string(),
                |name| format!("{} {name}", change.person),
            )
            .into(),
            change.kind.to_string().into(),
            change.rule.clone().into(),
            fields.join(", ").into(),
        ]);
    }
    table.render(view)
}
