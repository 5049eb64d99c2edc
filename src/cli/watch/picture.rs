//! What `epms status --watch` shows at a moment, as lines that fit the terminal. It asks nobody.

use std::collections::BTreeMap;

use crate::cli::status::{self, number};
use crate::cli::sync::so_far;
use crate::cli::table::{clean, paragraph};
use crate::cli::view::View;
use crate::control::protocol::{IntegrationStatus, RunState, Status};
use crate::model::{AlertKind, RunId};

/// What was seen last.
pub(super) struct Seen {
    pub(super) status: Status,
    /// The runs under way.
    pub(super) runs: Vec<RunState>,
    /// Open alerts by kind; none where only one integration is asked for and has none.
    pub(super) alerts: BTreeMap<AlertKind, u64>,
}

/// The next runs that are named.
const NEXT: usize = 5;

/// At most `rows` lines. `trouble` is why what was seen is old.
pub(super) fn lines(seen: &Seen, trouble: Option<&str>, view: &View, rows: usize) -> Vec<String> {
    let integrations: Vec<&IntegrationStatus> = seen.status.integrations.iter().collect();
    let mut above: Vec<String> = split(&status::head(&seen.status));
    above.extend(split(&status::loading(&seen.status, view)));
    if let Some(trouble) = trouble {
        above.extend(split(&paragraph(0, trouble, view)));
    }
    above.push(String::new());
    let mut below = running(seen, view);
    below.extend(alerts(seen, view));
    below.extend(next(&integrations, view));
    below.extend(split(&status::troubles(&integrations, view)));
    let quit = "q quits";
    let table = split(&status::table(&integrations, view));
    // What happens comes before what stands still.
    let room = rows.saturating_sub(above.len() + 2).max(4);
    let kept = below.len().min(room.saturating_sub(4));
    let cut = below.len() - kept;
    below.truncate(kept);
    let mut all = above;
    all.extend(cut_to(table, room - kept));
    all.extend(below);
    all.truncate(rows.saturating_sub(2));
    all.push(String::new());
    all.push(match cut {
        0 => quit.to_owned(),
        cut => format!(
            "{quit}; {} below: `epms status`",
            number(cut as u64, "more line", "more lines")
        ),
    });
    all
}

fn split(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// A table of at most so many lines, the last of which says what is missing.
fn cut_to(mut table: Vec<String>, rows: usize) -> Vec<String> {
    if table.len() > rows {
        let kept = rows.saturating_sub(1);
        let missing = (table.len() - kept) as u64;
        table.truncate(kept);
        table.push(format!(
            "… {}",
            number(missing, "integration more", "integrations more")
        ));
    }
    table
}

fn running(seen: &Seen, view: &View) -> Vec<String> {
    let mut all = Vec::new();
    for run in &seen.runs {
        let progress = run.progress.map_or_else(|| "begins".to_owned(), so_far);
        let since = run.report.as_ref().map(|report| {
            let seconds = view.now.as_second() - report.started.as_second();
            format!(" for {}", crate::cli::view::length(seconds.max(0)))
        });
        let since = since.unwrap_or_default();
        let id: RunId = run.id;
        let told = format!(
            "{id} of {}{since}: {progress}",
            clean(run.integration.as_str())
        );
        all.extend(split(&paragraph(2, &told, view)));
    }
    titled("running", all)
}

fn alerts(seen: &Seen, view: &View) -> Vec<String> {
    let kinds: Vec<String> = seen
        .alerts
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    if kinds.is_empty() {
        return Vec::new();
    }
    titled(
        "open alerts",
        split(&paragraph(2, &kinds.join(" · "), view)),
    )
}

fn next(integrations: &[&IntegrationStatus], view: &View) -> Vec<String> {
    let mut due: Vec<_> = integrations
        .iter()
        .filter_map(|one| Some((one.next?, one.id.as_str())))
        .collect();
    due.sort_unstable();
    let due: Vec<String> = due
        .iter()
        .take(NEXT)
        .map(|(time, id)| format!("{} {}", clean(id), view.relative(*time)))
        .collect();
    if due.is_empty() {
        return Vec::new();
    }
    titled("next runs", split(&paragraph(2, &due.join(" · "), view)))
}

fn titled(title: &str, lines: Vec<String>) -> Vec<String> {
    if lines.is_empty() {
        return lines;
    }
    let mut all = vec![String::new(), title.to_owned()];
    all.extend(lines);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::examples::{BUILDING, integration, report, status};
    use crate::cli::testing::{at, view};
    use crate::control::protocol::IntegrationState;
    use crate::model::{IntegrationId, Outcome, Progress};

    fn seen(count: usize) -> Seen {
        let mut integrations: Vec<IntegrationStatus> = (0..count)
            .map(|n| integration(&format!("house-{n:02}")))
            .collect();
        let mut one = integration(BUILDING);
        one.state = IntegrationState::Running;
        one.running = Some(RunId(12));
        one.next = None;
        integrations.insert(0, one);
        if let Some(failing) = integrations.get_mut(1) {
            failing.last_error = Some("the PMS refuses the login; correct the credential".into());
            failing.next = Some(at("2026-03-01T12:05:00Z"));
        }
        let progress = Progress {
            pages: 3,
            records: 280,
            mapped: 275,
            planning: false,
        };
        Seen {
            status: status(integrations),
            runs: vec![RunState {
                id: RunId(12),
                integration: IntegrationId::new(BUILDING),
                report: Some(report(12, BUILDING, Outcome::Running)),
                progress: Some(progress),
            }],
            alerts: BTreeMap::from([(AlertKind::NameMismatch, 1), (AlertKind::MissingEmail, 3)]),
        }
    }

    #[test]
    fn it_shows_what_runs_what_waits_and_what_comes_next() {
        let lines = lines(&seen(2), None, &view(), 40);
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn it_never_is_higher_than_the_terminal_and_says_what_is_missing() {
        for count in [0, 1, 3, 100] {
            for rows in [8, 12, 24, 60] {
                let trouble = Some("the daemon does not answer");
                let lines = lines(&seen(count), trouble, &view(), rows);
                assert!(lines.len() <= rows, "{count} {rows}: {lines:#?}");
                assert!(lines[lines.len() - 1].starts_with("q quits"));
            }
        }
        let lines = lines(
            &seen(100),
            Some("the daemon does not answer; trying again"),
            &view(),
            24,
        );
        insta::assert_snapshot!(lines.join("\n"));
    }
}
