//! `epms run r3`: what a run did, and what was decided for each resident.

use std::collections::BTreeMap;
use std::fmt::Write;

use clap::Args;

use crate::control::client::Client;
use crate::control::protocol::RunDetail;
use crate::model::{Decision, Fate, Run, RunId};

use super::runs::took;
use super::status::number;
use super::table::{Cell, Column, Table, Tone, clean, paragraph};
use super::view::View;
use super::{Exit, Failure, Screen};

/// The daemon, or the run to show.
#[derive(Debug, Args)]
#[command(after_help = "\
examples
  epms run                         the daemon, in the foreground
  epms run r3                      what run r3 did
  epms run r3 --all --json         … with every decision, as JSON")]
pub struct RunArguments {
    /// show this run instead of starting the daemon
    pub run: Option<RunId>,
    /// show the decisions `unchanged` too, and each record that is not mapped in a line of its own
    #[arg(long, requires = "run")]
    pub all: bool,
}

pub(super) async fn run(
    arguments: &RunArguments,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    if let Some(id) = arguments.run {
        let detail = client.run(id).await?;
        screen.show(json, &detail, |detail, view| {
            render(detail, arguments.all, view)
        })?;
    }
    Ok(Exit::Done)
}

fn render(detail: &RunDetail, all: bool, view: &View) -> String {
    let state = &detail.state;
    let name = format!("run {} of {}", state.id, clean(state.integration.as_str()));
    let Some(report) = &state.report else {
        return format!("{name} waits for its turn\n");
    };
    let mut text = format!("{name}: {}\n", report.outcome.as_str());
    if let Some(reason) = report.outcome.reason() {
        text += &paragraph(2, reason, view);
    }
    text.push('\n');
    text += &facts(report, view);
    if let Some(progress) = state.progress {
        let _ = write!(text, "\n{}\n", super::sync::so_far(progress));
    }
    text += &counts(report, view);
    for (title, plan) in [
        ("what waits", &detail.held),
        (
            "what only the rules of this version would take, and waits",
            &detail.since_upgrade,
        ),
    ] {
        if let Some(plan) = plan {
            text += &super::held::listed(title, plan, view);
        }
    }
    text += &decisions(&detail.decisions, report, all, view);
    text
}

fn facts(run: &Run, view: &View) -> String {
    let mut pairs = Table::of_pairs(0);
    pairs.pair("cause", run.cause);
    pairs.pair("generation", run.generation);
    pairs.pair("started", view.both(run.started));
    if let Some(took) = took(run) {
        pairs.pair("took", took);
    }
    pairs.pair(
        "read",
        format!(
            "{} on {}",
            number(run.records, "record", "records"),
            number(run.pages, "page", "pages")
        ),
    );
    pairs.pair("written", number(run.changes, "change", "changes"));
    if let Some(digest) = run.outcome.digest() {
        pairs.pair("digest", digest);
    }
    if let Some(by) = &run.approved_by {
        pairs.pair("approved by", by);
    }
    if let Some(by) = &run.rejected_by {
        pairs.pair("rejected by", by);
    }
    for (name, parts) in [("excluded", &run.excluded_by), ("notes", &run.notes)] {
        if !parts.is_empty() {
            let parts: Vec<String> = parts
                .iter()
                .map(|(what, n)| format!("{what} {n}"))
                .collect();
            pairs.pair(name, parts.join(", "));
        }
    }
    pairs.render(view)
}

fn counts(run: &Run, view: &View) -> String {
    let mut table = Table::new([("RESIDENTS", Column::Whole), ("COUNT", Column::Number)]);
    table.row(["seen".into(), run.counts.seen.into()]);
    for fate in Fate::ALL {
        let count = run.counts.of(fate);
        if count > 0 {
            table.row([Cell::new(fate.told(), tone(fate)), count.into()]);
        }
    }
    format!("\n{}", table.render(view))
}

fn decisions(decisions: &[Decision], run: &Run, all: bool, view: &View) -> String {
    if decisions.is_empty() {
        return match run.counts.seen {
            0 => String::new(),
            _ => "\nthe decisions of this run are not kept any more\n".to_owned(),
        };
    }
    let mut table = Table::new([
        ("RESIDENT", Column::Wrap),
        ("DECISION", Column::Whole),
        ("RULE", Column::Whole),
        ("PERSON", Column::Whole),
        ("REASON", Column::Wrap),
    ]);
    let mut rejected: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for decision in decisions.iter().filter(|_| !all) {
        if decision.fate == Fate::Rejected {
            let same = rejected.entry(&decision.reason).or_default();
            same.push(&decision.subject);
        }
    }
    for decision in decisions {
        if decision.fate == Fate::Unchanged && !all {
            continue;
        }
        // What is said of many records is said once.
        let same = match decision.fate {
            Fate::Rejected => rejected.get(&*decision.reason),
            _ => None,
        };
        let subjects = match same.map(Vec::as_slice) {
            Some([first, second, third, _, rest @ ..]) => {
                if *first != decision.subject {
                    continue;
                }
                let more = format!("and {} more", rest.len() + 1);
                Cell::of_ids(&[first, second, third], &more)
            }
            _ => Cell::id(&decision.subject),
        };
        table.row([
            subjects,
            Cell::new(decision.fate.told(), tone(decision.fate)),
            decision.rule.clone().into(),
            decision
                .person
                .map_or_else(String::new, |id| id.to_string())
                .into(),
            decision.reason.clone().into(),
        ]);
    }
    if table.is_empty() {
        return "\nnothing was decided but `unchanged`; `--all` shows that too\n".to_owned();
    }
    format!("\n{}", table.render(view))
}

fn tone(fate: Fate) -> Tone {
    match fate {
        Fate::Created | Fate::Linked | Fate::Updated => Tone::Good,
        Fate::Unchanged | Fate::Excluded | Fate::Ineligible => Tone::Faint,
        Fate::Held | Fate::Flagged => Tone::Attention,
        Fate::Rejected => Tone::Bad,
    }
}
