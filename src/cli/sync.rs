//! `epms sync`: a sync by hand, with progress, then a report. The syncing itself is the daemon's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::{ArgGroup, Args};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::control::client::{Client, ClientError, Which};
use crate::control::protocol::{
    IntegrationState, IntegrationStatus, ProgressEvent, RunState, SyncReply,
};
use crate::model::{Fate, IntegrationId, Outcome, Progress};

use super::runs::table;
use super::table::clean;
use super::view::View;
use super::{Exit, Failure, Screen};

/// How many runs are followed at once: half of what the daemon lets one user wait for.
const FOLLOWED: usize = 64;

/// Whoever waits for longer is told of, and that often it is looked who does. A daemon that is busy is asked again as often.
const LOOK: Duration = Duration::from_secs(2);

/// What to sync.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).args(["integrations", "all"])))]
#[command(after_help = "\
a request during a run joins the next one; ends with 1 when a run failed, was
incomplete or did not understand the records, with 4 when one was held; says
of a run that waits for whom it does. With --all it says which integrations
were left out as their files are wrong, and ends with 1 when there is one

examples
  epms sync 123-building-name
  epms sync --all --no-wait")]
pub struct SyncArguments {
    /// the integrations: names of files in config/integrations, without .yaml
    #[arg(value_name = "INTEGRATION", value_parser = super::integration_id)]
    pub integrations: Vec<IntegrationId>,
    /// all integrations that are switched on
    #[arg(long)]
    pub all: bool,
    /// only ask for it; do not wait for the end
    #[arg(long)]
    pub no_wait: bool,
}

pub(super) async fn run(
    arguments: &SyncArguments,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let which = if arguments.all {
        Which::All
    } else {
        Which::These(&arguments.integrations)
    };
    let asked = client.sync(which, false).await?;
    let unsynced = if arguments.all {
        unsynced(&client.integrations().await?, &asked)
    } else {
        Vec::new()
    };
    let exit = if asked.runs.is_empty() && !unsynced.is_empty() && !json {
        Exit::Failed
    } else if arguments.no_wait {
        screen.show(json, &asked, |asked, _| queued(asked))?;
        Exit::Done
    } else {
        follow(asked.runs, json, client, screen).await?
    };
    for one in &unsynced {
        screen.complain(one)?;
    }
    Ok(if unsynced.is_empty() {
        exit
    } else {
        Exit::Failed
    })
}

/// The integrations that are meant to be synced and were not, each with the reason.
fn unsynced(all: &[IntegrationStatus], asked: &SyncReply) -> Vec<String> {
    let is_meant = |one: &&IntegrationStatus| {
        let left_out = [
            IntegrationState::Disabled,
            IntegrationState::Paused,
            IntegrationState::Removed,
        ];
        !left_out.contains(&one.state) && asked.runs.iter().all(|run| run.integration != one.id)
    };
    let why = |one: &IntegrationStatus| match (&one.waits_for, one.problems.as_slice()) {
        (Some(why), _) => clean(why),
        (None, []) => "see `epms status`".to_owned(),
        (None, [first]) => clean(&first.to_string()),
        (None, [first, rest @ ..]) => {
            format!(
                "{}, and {} more; see `epms status`",
                clean(&first.to_string()),
                rest.len()
            )
        }
    };
    let unsynced = all.iter().filter(is_meant);
    unsynced
        .map(|one| format!("{} is not synced: {}", clean(one.id.as_str()), why(one)))
        .collect()
}

/// Follows runs to their ends, with progress, and reports.
pub(super) async fn follow(
    runs: Vec<RunState>,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let bars = MultiProgress::with_draw_target(if screen.progress {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    });
    let shown = Shown::of(&runs);
    let ended = stream::iter(runs)
        .map(|run| ended(client, run, &bars, &shown))
        .buffered(FOLLOWED)
        .try_collect();
    let ended: Vec<RunState> = tokio::select! {
        ended = ended => ended?,
        failure = tell_who_waits(client, &shown, screen) => return Err(failure),
    };
    // Time has passed since the command began.
    screen.view.now = screen.view.now.max(latest(&ended));
    let ended = SyncReply { runs: ended };
    screen.show(json, &ended, report)?;
    let good = |run: &RunState| {
        run.report
            .as_ref()
            .is_some_and(|run| run.outcome.is_success())
    };
    let held = |run: &RunState| {
        run.report
            .as_ref()
            .is_some_and(|run| matches!(run.outcome, Outcome::Held { .. }))
    };
    Ok(if ended.runs.iter().all(good) {
        Exit::Done
    } else if ended.runs.iter().all(|run| good(run) || held(run)) {
        Exit::Held
    } else {
        Exit::Failed
    })
}

/// The runs that have not ended, and where each is drawn once it is followed.
struct Shown(Mutex<BTreeMap<IntegrationId, Option<ProgressBar>>>);

impl Shown {
    fn of(runs: &[RunState]) -> Shown {
        let integrations = runs.iter().map(|run| (run.integration.clone(), None));
        Shown(Mutex::new(integrations.collect()))
    }

    fn bars(&self) -> MutexGuard<'_, BTreeMap<IntegrationId, Option<ProgressBar>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, integration: &IntegrationId, bar: &ProgressBar) {
        self.bars().insert(integration.clone(), Some(bar.clone()));
    }

    fn remove(&self, integration: &IntegrationId) {
        self.bars().remove(integration);
    }
}

/// Tells which of the runs that have not ended wait, and for whom: on a terminal where each is drawn, and elsewhere once.
/// Ends only where that cannot be written.
async fn tell_who_waits(client: &Client, shown: &Shown, screen: &mut Screen<'_>) -> Failure {
    let mut told = BTreeSet::new();
    loop {
        tokio::time::sleep(LOOK).await;
        // Whoever follows a run hears of it when the daemon has gone.
        let Ok(status) = client.status().await else {
            continue;
        };
        for one in status.integrations {
            let Some(why) = &one.waits_for else { continue };
            let bar = shown.bars().get(&one.id).cloned();
            let Some(bar) = bar else { continue };
            if let Some(bar) = bar {
                bar.set_message(format!("waits {}", clean(why)));
            }
            if !screen.progress && told.insert(one.id.clone()) {
                let text = format!("{} waits {}", clean(one.id.as_str()), clean(why));
                if let Err(failure) = screen.complain(&text) {
                    return failure;
                }
            }
        }
    }
}

/// Follows one run to its end.
async fn ended(
    client: &Client,
    run: RunState,
    bars: &MultiProgress,
    shown: &Shown,
) -> Result<RunState, ClientError> {
    let is_running = |report: &crate::model::Run| report.outcome == Outcome::Running;
    if run
        .report
        .as_ref()
        .is_some_and(|report| !is_running(report))
    {
        shown.remove(&run.integration);
        return Ok(run);
    }
    let bar = bars.add(ProgressBar::new_spinner());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}: {msg}") {
        bar.set_style(style);
    }
    bar.set_prefix(clean(run.integration.as_str()));
    bar.set_message("asked for");
    bar.enable_steady_tick(Duration::from_millis(120));
    shown.add(&run.integration, &bar);
    let tell = |event: &ProgressEvent| match event {
        ProgressEvent::Queued => bar.set_message("waits for its turn"),
        ProgressEvent::Progress(progress) => bar.set_message(so_far(*progress)),
        ProgressEvent::Ended(_) => {}
    };
    let report = loop {
        match client.follow(run.id, tell).await {
            // The run goes on all the same.
            Err(ClientError::Refused(problem)) if problem.is_busy() => {
                tokio::time::sleep(LOOK).await;
            }
            report => break report,
        }
    };
    bar.finish_and_clear();
    shown.remove(&run.integration);
    Ok(RunState {
        report: Some(report?),
        progress: None,
        ..run
    })
}

fn latest(runs: &[RunState]) -> jiff::Timestamp {
    let ends = runs.iter().filter_map(|run| run.report.as_ref()?.ended);
    ends.max().unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

/// How far a run has come, in words.
pub(super) fn so_far(progress: Progress) -> String {
    let Progress {
        pages,
        records,
        mapped,
        planning,
    } = progress;
    if planning {
        format!("{records} records read, {mapped} residents mapped, deciding and writing")
    } else {
        format!("reading: {pages} pages, {records} records, {mapped} residents mapped")
    }
}

pub(super) fn queued(asked: &SyncReply) -> String {
    if asked.runs.is_empty() {
        return "nothing to sync: no integration is switched on\n".to_owned();
    }
    let mut text = String::new();
    for run in &asked.runs {
        let _ = writeln!(text, "{} of {}", run.id, clean(run.integration.as_str()));
    }
    text
}

fn report(ended: &SyncReply, view: &View) -> String {
    if ended.runs.is_empty() {
        return queued(ended);
    }
    let mut text = table(&ended.runs, view);
    let attention = ended.runs.iter().find(|run| {
        run.report.as_ref().is_some_and(|report| {
            [Fate::Held, Fate::Flagged, Fate::Rejected]
                .into_iter()
                .any(|fate| report.counts.of(fate) > 0)
        })
    });
    if let Some(run) = attention {
        let _ = write!(
            text,
            "\n`epms run {}` shows each decision, `epms alerts list` what somebody must look at\n",
            run.id
        );
    }
    text
}
