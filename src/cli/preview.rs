//! `epms preview`: the whole next run, of which nothing remains: what would change, for whom, and why.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;

use crate::control::client::{Client, ClientError};
use crate::control::protocol::{IntegrationState, summary};
use crate::model::{Alert, IntegrationId, Outcome, PersonId, Preview, RunId, TriedFiles};

use super::branch::Branch;
use super::table::{Cell, Column, Table, Tone, clean, paragraph};
use super::view::View;
use super::{Exit, Failure, Screen, alerts};

/// What to preview.
#[derive(Debug, Args)]
#[command(after_help = "\
it is the run itself, with its transaction dropped; ends with 4 when the guard
would hold it, with 1 when it would not understand the records. --with sends
what stands in another checkout's files, of credentials their `defaults` alone:
records are read as the running files say; `epms diff` holds both against each
other

examples
  epms preview 123-building-name
  epms preview 123-building-name --resident t0012345
  epms preview 123-building-name --json > plan.json
  epms preview 123-building-name --with ../branch
  epms preview --all                 each integration, as on the morning of an upgrade")]
pub struct PreviewArguments {
    /// the integration: the name of a file in config/integrations, without .yaml
    #[arg(value_parser = super::integration_id, required_unless_present = "all")]
    pub integration: Option<IntegrationId>,
    /// only what concerns this resident, by the PMS's id or its beginning
    #[arg(long, value_name = "ID", requires = "integration")]
    pub resident: Option<String>,
    /// every change, however many; without an integration, those of all that are switched on
    #[arg(long)]
    pub all: bool,
    /// by the files of a home or a checkout that is not live: its config/ and scripts/
    #[arg(long, value_name = "DIR")]
    pub with: Option<PathBuf>,
}

/// So many changes are shown unless all are asked for.
const SHOWN: usize = 50;

pub(super) async fn run(
    arguments: &PreviewArguments,
    json: bool,
    current: &Path,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let with = arguments.with.as_ref();
    let with = with.map(|folder| Branch::read(&current.join(folder)));
    let with = with.transpose()?;
    let Some(integration) = &arguments.integration else {
        return all(json, with.as_ref(), client, screen).await;
    };
    let mut preview = read(integration, with.as_ref(), client, screen).await?;
    if let Some(asked) = &arguments.resident {
        let resident = &meant(&preview, asked)?;
        only(&mut preview, resident);
        if is_of_nobody(&preview) {
            let told = format!(
                "nothing of the next run of {integration} concerns the resident `{}`: the PMS does not send it, or the script gives it another id; `epms preview {integration}` shows whom it concerns",
                clean(resident)
            );
            return Err(Failure::other(Exit::Failed, told));
        }
    }
    screen.show(json, &preview, |preview, view| {
        render(preview, arguments.all, view)
    })?;
    Ok(exit(&preview))
}

async fn read(
    integration: &IntegrationId,
    with: Option<&Branch>,
    client: &Client,
    screen: &Screen<'_>,
) -> Result<Preview, Failure> {
    let files = match with {
        None => None,
        Some(with) => Some(files(integration, with, client).await?),
    };
    let bar = if screen.progress {
        ProgressBar::new_spinner()
    } else {
        ProgressBar::hidden()
    };
    bar.set_message(format!("reading {}", clean(integration.as_str())));
    bar.enable_steady_tick(Duration::from_millis(120));
    let preview = match &files {
        None => client.preview(integration).await,
        Some(files) => client.preview_with(integration, files).await,
    };
    bar.finish_and_clear();
    Ok(preview?)
}

/// What is sent of a checkout for an integration that runs.
async fn files(
    integration: &IntegrationId,
    with: &Branch,
    client: &Client,
) -> Result<TriedFiles, Failure> {
    let connector = client.integration(integration).await?.connector;
    with.of(integration, &connector)?.ok_or_else(|| {
        let told = format!(
            "there is no config/integrations/{}.yaml in that checkout, and nothing to try",
            clean(integration.as_str())
        );
        Failure::other(Exit::Invalid, told)
    })
}

fn exit(preview: &Preview) -> Exit {
    match &preview.report.outcome {
        outcome if outcome.is_success() => Exit::Done,
        Outcome::Held { .. } => Exit::Held,
        _ => Exit::Failed,
    }
}

/// Every integration that is switched on, one after the other. One that cannot be previewed is told, and the others are
/// shown.
async fn all(
    json: bool,
    with: Option<&Branch>,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let (mut shown, mut exits) = (Vec::new(), Vec::new());
    for one in client.integrations().await? {
        if matches!(
            one.state,
            IntegrationState::Disabled | IntegrationState::Removed
        ) {
            continue;
        }
        match read(&one.id, with, client, screen).await {
            Ok(preview) => {
                exits.push(exit(&preview));
                if !json {
                    let text = render(&preview, true, &screen.view);
                    screen.tell(&format!("{text}\n"))?;
                }
                shown.push(preview);
            }
            // Its files may never have been right.
            Err(
                error @ (Failure::Client {
                    error: ClientError::Refused(_),
                    ..
                }
                | Failure::Other { .. }),
            ) => {
                exits.push(error.exit());
                screen.complain(&format!("{}: {error}", clean(one.id.as_str())))?;
            }
            Err(error) => return Err(error),
        }
    }
    screen.show(json, &shown, |shown, _| total(shown))?;
    let worst = [Exit::Invalid, Exit::Failed, Exit::Held].into_iter();
    let worst = worst.into_iter().find(|one| exits.contains(one));
    Ok(worst.unwrap_or(Exit::Done))
}

/// How many there are, and how much of it is of no day.
fn total(previews: &[Preview]) -> String {
    let held = previews
        .iter()
        .filter(|one| matches!(one.report.outcome, Outcome::Held { .. }));
    let plans = previews.iter().filter_map(|one| one.since_upgrade.as_ref());
    let people = plans.clone().flat_map(|plan| &plan.items);
    let people: BTreeSet<_> = people.map(|item| item.person).collect();
    let mut text = format!(
        "{} integrations, {} of them would be held\n",
        previews.len(),
        held.count()
    );
    if !people.is_empty() {
        let _ = writeln!(
            text,
            "only the rules of this version take something from {} people at {} integrations: it waits after the next run \
             of each, until `epms approve --all --since-upgrade`",
            people.len(),
            plans.count()
        );
    }
    text
}

/// Whom an id means: the resident who has it, or the only one whose id begins so.
fn meant(preview: &Preview, asked: &str) -> Result<String, Failure> {
    let decided = preview.decisions.iter().map(|one| one.subject.as_str());
    let changed = preview.changes.iter();
    let changed = changed.filter_map(|one| one.resident.as_deref());
    let ids: BTreeSet<&str> = decided.chain(changed).collect();
    let begin: Vec<&str> = ids
        .iter()
        .copied()
        .filter(|id| id.starts_with(asked))
        .collect();
    match begin.as_slice() {
        _ if ids.contains(asked) => Ok(asked.to_owned()),
        [one] => Ok((*one).to_owned()),
        [] => Ok(asked.to_owned()),
        [first, second, ..] => {
            let told = format!(
                "the ids of {} residents begin so, such as {} and {}; write more of the one that you mean",
                begin.len(),
                clean(first),
                clean(second)
            );
            Err(Failure::other(Exit::Failed, told))
        }
    }
}

fn only(preview: &mut Preview, resident: &str) {
    preview
        .changes
        .retain(|change| change.resident.as_deref() == Some(resident));
    preview
        .decisions
        .retain(|decision| decision.subject == resident);
    let people: Vec<PersonId> = preview
        .decisions
        .iter()
        .filter_map(|decision| decision.person)
        .collect();
    for plan in [&mut preview.held, &mut preview.since_upgrade]
        .into_iter()
        .flatten()
    {
        plan.items.retain(|item| {
            item.subject == resident || item.person.is_some_and(|one| people.contains(&one))
        });
    }
    let decisions = &preview.decisions;
    let about = |alert: &Alert| alert.is_about(resident, decisions);
    preview.raised.retain(about);
    preview.closed.retain(about);
}

/// Whether a run that would end by itself says nothing of the resident that was asked for.
fn is_of_nobody(preview: &Preview) -> bool {
    let ends = matches!(
        preview.report.outcome,
        Outcome::Committed | Outcome::Unchanged
    );
    let says_nothing = preview.changes.is_empty() && preview.decisions.is_empty();
    ends && says_nothing && preview.raised.is_empty() && preview.closed.is_empty()
}

fn render(preview: &Preview, all: bool, view: &View) -> String {
    let report = &preview.report;
    let name = clean(report.integration.as_str());
    let would = match &report.outcome {
        Outcome::Committed => "would be committed",
        Outcome::Unchanged => "would change nothing",
        Outcome::Held { .. } => "would be held",
        Outcome::NotUnderstood { .. } => "would not be understood",
        _ => "would write nothing",
    };
    let by = match &preview.tried {
        None => "",
        Some(tried) if tried.same => ", by files that say what the running ones say,",
        Some(_) => ", by files that are not live,",
    };
    let switch = preview.tried.as_ref().and_then(|tried| tried.switch);
    let mut text = format!("the next run of {name}{by} {would}\n");
    if let Some(switch) = switch {
        let _ = writeln!(text, "  {name} {} by these files", switch.as_str());
    }
    for told in preview.tried.iter().flat_map(|tried| &tried.untried) {
        text += &paragraph(2, &format!("not tried: {}", clean(told)), view);
    }
    if let Some(reason) = report.outcome.reason() {
        text += &paragraph(2, reason, view);
    }
    if let Some(digest) = report.outcome.digest() {
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
    for (title, plan) in [
        ("what would wait for approval", &preview.held),
        (
            "what only the rules of this version would take, and waits",
            &preview.since_upgrade,
        ),
    ] {
        if let Some(plan) = plan {
            text += &super::held::listed(title, plan, view);
        }
    }
    let held: Vec<_> = preview
        .decisions
        .iter()
        .filter(|decision| ["R27", "R41"].contains(&&*decision.rule))
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
                Cell::id(&decision.subject),
                person.unwrap_or_default().into(),
                Cell::new(decision.reason.clone(), Tone::Attention),
            ]);
        }
        let _ = write!(text, "\nwhat would be decided\n\n{}", table.render(view));
    }
    unnumbered(text)
}

/// What names a run by its number names it as a sync is to be named that has none yet.
pub(super) fn unnumbered(text: String) -> String {
    let none = format!(" {}`", RunId::NONE);
    if !text.contains(&none) {
        return text;
    }
    text.replace(&none, " RUN`") + "\nRUN is the number that the sync will have\n"
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
            Cell::id(change.resident.as_deref().unwrap_or_default()),
            Cell::of_id(change.person, name.map_or("", String::as_str)),
            change.kind.to_string().into(),
            change.rule.clone().into(),
            fields.join(", ").into(),
        ]);
    }
    table.render(view)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_tells_nobody_to_approve_a_run_that_is_not_there() {
        let told = |text: &str| unnumbered(text.to_owned());
        let held = "look at `epms run r0`, then `epms approve\n  r0`\n";
        let shown = told(held);
        assert!(shown.starts_with("look at `epms run RUN`, then `epms approve\n  RUN`\n"));
        assert!(shown.ends_with("RUN is the number that the sync will have\n"));
        assert_eq!(
            told("the next run would be committed\n"),
            "the next run would be committed\n"
        );
    }
}
