//! `epms status`: the daemon and its integrations. What is wrong stands below the table.

use std::fmt::Write;

use clap::Args;
use jiff::SignedDuration;

use crate::control::client::Client;
use crate::control::protocol::{Health, IntegrationState, IntegrationStatus, Status};
use crate::model::{Code, IntegrationId, Problem, TakenOver};

use super::table::{Cell, Column, Table, Tone, clean, paragraph};
use super::view::{View, length};
use super::{Exit, Failure, Screen, watch};

/// So long is told whose people came along with a file.
const LATELY: SignedDuration = SignedDuration::from_hours(24);

/// Which integrations to show.
#[derive(Debug, Args)]
#[command(after_help = "\
where the files on disk were refused, the problems stand below the table;
the generation before goes on until they are right

examples
  epms status
  epms status --watch
  epms status 123-building-name --json")]
pub struct StatusArguments {
    /// only this integration
    #[arg(value_parser = super::integration_id)]
    pub integration: Option<IntegrationId>,
    /// draw it anew each second, with the runs under way, until q or Ctrl-C
    #[arg(long, conflicts_with = "json")]
    pub watch: bool,
}

pub(super) async fn run(
    arguments: &StatusArguments,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    if arguments.watch {
        return watch::run(arguments.integration.as_ref(), client, screen).await;
    }
    if let Some(id) = &arguments.integration {
        let status = client.integration(id).await?;
        screen.show(json, &status, one)?;
    } else {
        screen.show(json, &client.status().await?, render)?;
    }
    Ok(Exit::Done)
}

/// One integration, with the generation that runs and whether it is what lies on disk.
pub(super) fn one(status: &IntegrationStatus, view: &View) -> String {
    let mut text = table(&[status], view);
    if let Some(generation) = status.generation.filter(|_| status.problems.is_empty()) {
        let since = status
            .loaded
            .map(|time| format!(", loaded {}", view.relative(time)));
        let since = since.unwrap_or_default();
        let disk = match status.state {
            IntegrationState::Removed => "its file is gone from the disk",
            _ => "the files on disk are the same",
        };
        text += &paragraph(
            0,
            &format!("generation {generation} runs{since}; {disk}"),
            view,
        );
    }
    text + &troubles(&[status], view)
}

/// The daemon and all of its integrations.
pub(super) fn render(status: &Status, view: &View) -> String {
    let mut text = head(status);
    text += &loading(status, view);
    text.push('\n');
    if status.integrations.is_empty() {
        text += "no integrations; put a file into config/integrations\n";
    } else {
        text += &integrations(&status.integrations.iter().collect::<Vec<_>>(), view);
    }
    if !status.problems.is_empty() {
        text += "\nfiles that belong to no single integration:\n";
        text += &problems(&status.problems, view);
    }
    text
}

/// One line on the daemon as a whole.
pub(super) fn head(status: &Status) -> String {
    let up = if status.offline {
        "no daemon runs".to_owned()
    } else {
        format!(
            "up {}",
            length(i64::try_from(status.up).unwrap_or(i64::MAX))
        )
    };
    format!(
        "epms {}, {up}: {}, {}\n",
        clean(&status.version),
        number(status.people, "person", "people"),
        number(status.open_alerts, "open alert", "open alerts"),
    )
}

/// That a load does not end, where one does not.
pub(super) fn loading(status: &Status, view: &View) -> String {
    let Some(since) = status.loading_since else {
        return String::new();
    };
    let told = format!(
        "the files are being loaded since {}: what lies on disk is not in effect yet; look whether what they lie on answers",
        view.both(since)
    );
    paragraph(0, &told, view)
}

/// `1 person`, `2 people`.
pub(super) fn number(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Problems, one below the other, indented.
pub(super) fn problems(problems: &[Problem], view: &View) -> String {
    problems
        .iter()
        .map(|problem| paragraph(2, &problem.to_string(), view))
        .collect()
}

fn integrations(all: &[&IntegrationStatus], view: &View) -> String {
    table(all, view) + &troubles(all, view)
}

/// A row for each integration.
pub(super) fn table(all: &[&IntegrationStatus], view: &View) -> String {
    let mut table = Table::new([
        ("INTEGRATION", Column::Cut),
        ("STATE", Column::Whole),
        ("GEN", Column::Number),
        ("LAST SUCCESS", Column::Whole),
        ("NEXT", Column::Whole),
        ("LINKED", Column::Number),
        ("ALERTS", Column::Number),
    ]);
    for one in all {
        let alerts = if one.open_alerts > 0 {
            Tone::Attention
        } else {
            Tone::Plain
        };
        let success = if one.last_error.is_some() {
            Tone::Bad
        } else {
            Tone::Plain
        };
        table.row([
            Cell::id(&one.id),
            Cell::new(word(one), tone(one.state)),
            one.generation
                .map_or_else(|| "–".to_owned(), |g| g.to_string())
                .into(),
            Cell::new(view.relative_or_never(one.last_success), success),
            view.relative_or_never(one.next).into(),
            one.linked.into(),
            Cell::new(one.open_alerts, alerts),
        ]);
    }
    table.render(view)
}

/// What it is doing; of what does nothing any more, how it stands.
fn word(one: &IntegrationStatus) -> &'static str {
    match one.health {
        Health::LeftBehind => "left behind",
        Health::Retired => "retired",
        Health::Waiting => "waiting",
        _ => one.state.as_str(),
    }
}

/// Where people went by themselves, and where they are left behind (R46).
fn whereabouts(all: &[&IntegrationStatus], view: &View) -> String {
    let mut text = String::new();
    for one in all {
        let id = clean(one.id.as_str());
        let mut tell = |told: String| {
            text.push('\n');
            text += &paragraph(0, &told, view);
        };
        if let Some(why) = &one.waits_for {
            tell(format!("{id}: {}", clean(why)));
        }
        if let Some(why) = &one.slowed_by {
            tell(format!("{id}: {}", clean(why)));
        }
        if let Some(why) = &one.stuck {
            tell(format!("{id}: {}", clean(why)));
        }
        if one.health == Health::LeftBehind {
            tell(format!(
                "{id}: people are current where nothing is read any more; `epms alerts list --kind left_behind` says \
                 who, and what to do"
            ));
        }
        let lately = |took: &&TakenOver| view.now.duration_since(took.at) < LATELY;
        if let Some(took) = one.took_over.as_ref().filter(lately) {
            let of = match &took.properties {
                None => String::new(),
                Some(all) => {
                    let all: Vec<&str> = all.iter().map(String::as_str).collect();
                    format!(" of {}", all.join(", "))
                }
            };
            tell(clean(&format!(
                "{id}: took over {}{of} from {} {} ({}); `epms integration undo {id}` gives them back",
                number(took.people, "person", "people"),
                took.from,
                view.relative(took.at),
                took.act
            )));
        }
    }
    text
}

/// What is wrong with integrations, one paragraph each.
pub(super) fn troubles(all: &[&IntegrationStatus], view: &View) -> String {
    let mut text = whereabouts(all, view);
    for one in all {
        if let Some(error) = &one.last_error {
            let when = one
                .last_started
                .map(|time| format!(" {}", view.relative(time)));
            let when = when.unwrap_or_default();
            let _ = writeln!(
                text,
                "\n{}: the last run{when} did not succeed",
                clean(one.id.as_str())
            );
            text += &paragraph(2, error, view);
            if one.failures > 1
                && let Some(next) = one.next
            {
                let told = format!(
                    "failed {} times in a row; it is asked ever more rarely, next {}, or at once by `epms sync {}`",
                    one.failures,
                    view.relative(next),
                    clean(one.id.as_str())
                );
                text += &paragraph(2, &told, view);
            }
        }
    }
    for one in all {
        if !one.problems.is_empty() {
            let told = format!("{}: {}", one.id, what_runs(one, view));
            text.push('\n');
            text += &paragraph(0, &told, view);
            text += &problems(&one.problems, view);
        }
    }
    text
}

fn what_runs(one: &IntegrationStatus, view: &View) -> String {
    let is_conflict = |problem: &Problem| problem.code == Code::Conflict;
    let Some(generation) = one
        .generation
        .filter(|_| one.state != IntegrationState::Broken)
    else {
        return if one.problems.iter().all(is_conflict) {
            "it does not run until it is clear whose people they are".to_owned()
        } else {
            "its files were never right, so it does not run".to_owned()
        };
    };
    let since = one
        .loaded
        .map(|time| format!(", loaded {},", view.relative(time)));
    let since = since.unwrap_or_default();
    format!("the files on disk were refused; generation {generation}{since} still runs")
}

fn tone(state: IntegrationState) -> Tone {
    match state {
        IntegrationState::Idle | IntegrationState::Queued => Tone::Plain,
        IntegrationState::Running => Tone::Good,
        IntegrationState::Disabled => Tone::Faint,
        IntegrationState::Paused | IntegrationState::Removed => Tone::Attention,
        IntegrationState::Broken => Tone::Bad,
    }
}
