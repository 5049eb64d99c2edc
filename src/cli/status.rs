//! `epms status`: the daemon and its integrations. What is wrong stands below the table.

use std::fmt::Write;

use clap::Args;
use jiff::SignedDuration;

use crate::control::client::Client;
use crate::control::protocol::{Health, IntegrationState, IntegrationStatus, Severity, Status};
use crate::model::{Code, IntegrationId, Problem, Setting, TakenOver};

use super::table::{Cell, Column, Table, Tone, clean, paragraph};
use super::view::{View, length};
use super::watched::Told;
use super::{Exit, Failure, Screen, credentials, pause, watch, watched};

/// So long is told whose people came along with a file.
const LATELY: SignedDuration = SignedDuration::from_hours(24);

/// Which integrations to show.
#[derive(Debug, Args)]
#[command(after_help = "\
where the files on disk were refused, the problems stand below the table;
the generation before goes on until they are right

--exit-code is for monitors: the first line begins with EPMS and OK, WARNING,
CRITICAL or UNKNOWN, and the command ends with 0, 1, 2 or 3. critical are
integrations that are stale, broken or left behind; warnings are held, failing,
paused with no end, or by files that were rejected. 3 is whatever else goes
wrong: nobody answers, there is no such integration, the line is not right

examples
  epms status
  epms status --exit-code
  epms status --watch
  epms status 123-building-name --json")]
pub struct StatusArguments {
    /// only this integration
    #[arg(value_parser = super::integration_id)]
    pub integration: Option<IntegrationId>,
    /// draw it anew each second, with the runs under way, until q or Ctrl-C
    #[arg(long, conflicts_with = "json")]
    pub watch: bool,
    /// end as a Nagios plugin does: 0 ok, 1 warning, 2 critical, 3 nobody answers; with one line first
    #[arg(long, conflicts_with = "watch")]
    pub exit_code: bool,
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
    let shown = match &arguments.integration {
        Some(id) => client
            .integration(id)
            .await
            .map(|one| Shown::One(Box::new(one))),
        None => client.status().await.map(|all| Shown::All(Box::new(all))),
    };
    let shown = shown?;
    let told = arguments.exit_code.then(|| match &shown {
        Shown::One(status) => watched::one(status),
        Shown::All(status) => watched::all(status),
    });
    if let Some(told) = told.as_ref().filter(|_| !json) {
        tell(told, screen)?;
    }
    match &shown {
        Shown::One(status) => screen.show(json, status.as_ref(), one)?,
        Shown::All(status) => screen.show(json, status.as_ref(), render)?,
    }
    Ok(told.map_or(Exit::Done, |told| told.exit))
}

/// What was asked for.
enum Shown {
    One(Box<IntegrationStatus>),
    All(Box<Status>),
}

/// Whatever went wrong, a monitor is told that nothing is known, and reads it where it looks; where it reads JSON the line
/// is no part of that.
pub(super) fn unknown(why: &str, json: bool, screen: &mut Screen<'_>) -> Result<Exit, Failure> {
    let told = watched::unknown(why);
    if !json {
        return tell(&told, screen);
    }
    screen.complain(&format!("epms: {why}"))?;
    Ok(told.exit)
}

/// What a monitor reads: it looks at standard output, whatever went wrong.
fn tell(told: &Told, screen: &mut Screen<'_>) -> Result<Exit, Failure> {
    screen.tell(&told.line)?;
    Ok(told.exit)
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
    text += &troubles(&[status], view);
    let is_of_credential = |one: &Setting| {
        let from = one.from.as_deref();
        from.is_some_and(|file| file.starts_with("config/credentials/"))
    };
    // Else its own file says it.
    if status.settings.iter().any(is_of_credential) {
        let settings = settings(&status.settings, view);
        let _ = write!(text, "\nwhat applies, and where it stands\n{settings}");
    }
    text
}

/// What files say of an integration, and which; nothing of what is as the program has it.
pub(super) fn settings(all: &[Setting], view: &View) -> String {
    let mut table = Table::new([
        ("SETTING", Column::Whole),
        ("VALUE", Column::Wrap),
        ("FROM", Column::Wrap),
    ]);
    let mut named = all.iter().filter(|one| one.from.is_some()).peekable();
    if named.peek().is_none() {
        return String::new();
    }
    for one in named {
        let from = one.from.clone().unwrap_or_default();
        table.row([
            one.key.clone().into(),
            one.value.clone().into(),
            from.into(),
        ]);
    }
    table.render(view)
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
    for one in credentials::news(&status.credentials, view) {
        text.push('\n');
        text += &paragraph(0, &one, view);
    }
    if let Some(problem) = status.web.as_ref().and_then(|web| web.problem.as_ref()) {
        text.push('\n');
        let told = format!("the page over the network: {}", clean(problem));
        text += &paragraph(0, &told, view);
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
            Cell::new(word(one), tone(one)),
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

/// How it stands; of what is well, or under way, what it is doing.
fn word(one: &IntegrationStatus) -> &'static str {
    match one.health {
        Health::Ok | Health::Syncing | Health::Off => one.state.as_str(),
        Health::LeftBehind => "left behind",
        other => other.as_str(),
    }
}

/// Why it stands so, and what to do, where nothing else says it: what failed and what was rejected is told with it.
fn stands(one: &IntegrationStatus, view: &View) -> Option<String> {
    let because = one.because.as_ref()?;
    let is_removed = one.state == IntegrationState::Removed;
    match (one.health, &one.pause) {
        (Health::Paused, Some(paused)) => Some(format!(
            "{}; `epms resume {}` lets it sync again",
            pause::by_whom(paused, view),
            one.id
        )),
        (Health::Paused | Health::Waiting | Health::LeftBehind, _) => Some(because.clone()),
        (Health::Off, _) if is_removed => Some(because.clone()),
        (Health::Stale | Health::Failing, _) if one.last_error.is_none() => Some(because.clone()),
        _ => None,
    }
}

/// What stands before why the last run did not succeed.
fn heading(one: &IntegrationStatus, view: &View) -> String {
    match (one.health, &one.because) {
        // What waits for approval says itself how to approve it.
        (Health::Stale | Health::Failing, Some(because)) if one.not_understood.is_none() => {
            because.clone()
        }
        _ => {
            let when = one
                .last_started
                .map(|time| format!(" {}", view.relative(time)));
            format!("the last run{} did not succeed", when.unwrap_or_default())
        }
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
        if let Some(why) = stands(one, view) {
            tell(format!("{id}: {}", clean(&why)));
        }
        if let Some(why) = &one.slowed_by {
            tell(format!("{id}: {}", clean(why)));
        }
        if let Some(why) = &one.stuck {
            tell(format!("{id}: {}", clean(why)));
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
            let told = format!("{}: {}", clean(one.id.as_str()), heading(one, view));
            text.push('\n');
            text += &paragraph(0, &told, view);
            text += &paragraph(2, error, view);
            if one.because.is_none()
                && one.failures > 1
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

fn tone(one: &IntegrationStatus) -> Tone {
    match one.severity {
        Severity::Critical => return Tone::Bad,
        Severity::Warning => return Tone::Attention,
        Severity::Ok => {}
    }
    match one.state {
        IntegrationState::Idle | IntegrationState::Queued => Tone::Plain,
        IntegrationState::Running => Tone::Good,
        IntegrationState::Disabled => Tone::Faint,
        IntegrationState::Paused | IntegrationState::Removed => Tone::Attention,
        IntegrationState::Broken => Tone::Bad,
    }
}
