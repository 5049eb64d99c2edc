//! The last runs of an integration as a strip of bars: how each ended, how long it took, and the same in words. Pure.

use serde::Serialize;

use crate::model::{Outcome, Run};

use super::words;

/// So many runs stand in a strip.
pub(super) const RUNS: usize = 48;

/// The width of a bar with the gap behind it, and without.
const STEP: u32 = 6;
const WIDTH: u32 = 4;
/// How high the strip is.
const HEIGHT: u32 = 28;
/// How high the shortest run is.
const LEAST: u32 = 8;

/// A strip, oldest run first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Strip {
    width: u32,
    height: u32,
    paths: Vec<Bars>,
    /// The same in words.
    told: String,
}

/// All bars of runs whose ends matter alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Bars {
    /// How much they matter.
    tone: &'static str,
    /// The outline of all of them, as SVG has it.
    outline: String,
}

/// The strip of `runs`, which come latest first; none where there is no run.
pub(super) fn strip(runs: &[Run]) -> Option<Strip> {
    let shown: Vec<&Run> = runs.iter().take(RUNS).rev().collect();
    if shown.is_empty() {
        return None;
    }
    let longest = shown.iter().filter_map(|run| seconds(run)).max();
    let longest = longest.unwrap_or_default().max(1);
    let mut paths: Vec<Bars> = Vec::new();
    // The latest stands at the right end.
    let mut x = STEP * u32::try_from(RUNS.saturating_sub(shown.len())).unwrap_or_default();
    for run in &shown {
        let tone = words::tone(run.outcome.as_str());
        let high = height(run, tone, longest);
        let bar = format!("M{x} {}h{WIDTH}v{high}h-{WIDTH}z", HEIGHT - high);
        match paths.iter_mut().find(|bars| bars.tone == tone) {
            Some(bars) => bars.outline += &bar,
            None => paths.push(Bars { tone, outline: bar }),
        }
        x += STEP;
    }
    Some(Strip {
        width: STEP * u32::try_from(RUNS).unwrap_or_default(),
        height: HEIGHT,
        paths,
        told: told(&shown),
    })
}

/// How high the bar of a run is: as long as it took, and all of it where it ended badly, so that it is seen.
fn height(run: &Run, tone: &str, longest: u64) -> u32 {
    if matches!(tone, "bad" | "warn") {
        return HEIGHT;
    }
    let part = seconds(run).unwrap_or_default() * u64::from(HEIGHT - LEAST) / longest;
    LEAST + u32::try_from(part).unwrap_or_default().min(HEIGHT - LEAST)
}

fn seconds(run: &Run) -> Option<u64> {
    let took = run.ended?.as_second() - run.started.as_second();
    u64::try_from(took).ok()
}

/// `48 runs: 46 unchanged, 2 failed; the last one committed`.
fn told(runs: &[&Run]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for run in runs {
        let word = run.outcome.as_str();
        match counts.iter_mut().find(|(of, _)| *of == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let named = |word: &str| word.replace('_', " ");
    let parts: Vec<String> = counts
        .iter()
        .map(|(word, count)| format!("{count} {}", named(word)))
        .collect();
    let many = match runs.len() {
        1 => "1 run".to_owned(),
        many => format!("{many} runs"),
    };
    let last = runs.last().map(|run| match &run.outcome {
        Outcome::Running => "one is under way".to_owned(),
        outcome => format!("the last one {}", named(outcome.as_str())),
    });
    format!("{many}: {}; {}", parts.join(", "), last.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::{Cause, IntegrationId, RunId};

    fn run(number: u64, seconds: i64, outcome: Outcome) -> Run {
        let at = |second| Timestamp::from_second(second).unwrap();
        let of = IntegrationId::new("elm");
        let mut run = Run::begun(RunId(number), of, Cause::Schedule, 1, at(0));
        run.ended = (outcome != Outcome::Running).then(|| at(seconds));
        run.outcome = outcome;
        run
    }

    #[test]
    fn runs_stand_oldest_first_as_high_as_they_were_long_and_what_failed_is_always_seen() {
        let failed = Outcome::Failed {
            reason: "no answer".into(),
        };
        let runs = [
            run(3, 20, Outcome::Committed),
            run(2, 0, failed),
            run(1, 10, Outcome::Unchanged),
        ];
        let strip = strip(&runs).unwrap();
        let paths: Vec<_> = strip
            .paths
            .iter()
            .map(|bars| (bars.tone, &*bars.outline))
            .collect();
        assert_eq!(
            paths,
            [
                ("good", "M270 10h4v18h-4zM282 0h4v28h-4z"),
                ("bad", "M276 0h4v28h-4z")
            ]
        );
        assert_eq!(strip.width, 288);
        assert_eq!(
            strip.told,
            "3 runs: 1 unchanged, 1 failed, 1 committed; the last one committed"
        );
    }

    #[test]
    fn a_strip_has_no_more_than_its_runs_and_none_without_any() {
        assert_eq!(strip(&[]), None);
        let many: Vec<Run> = (0..60).map(|n| run(n, 1, Outcome::Unchanged)).collect();
        let strip = strip(&many).unwrap();
        assert_eq!(strip.paths.len(), 1);
        let outline = &strip.paths[0].outline;
        assert_eq!(outline.matches('M').count(), RUNS);
        assert!(outline.starts_with("M0 0h4"), "{outline}");
        assert_eq!(strip.told, "48 runs: 48 unchanged; the last one unchanged");
        let under_way = super::strip(&[run(1, 0, Outcome::Running)]).unwrap();
        assert_eq!(under_way.told, "1 run: 1 running; one is under way");
    }
}
