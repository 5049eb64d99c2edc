//! Charts as SVG has them, with the same numbers for a table beside: the runs of a week by outcome and length, and people by
//! status. Pure.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date};
use serde::Serialize;

use crate::model::{IntegrationId, LeaseStatus, Person, Run};

use super::{times, words};

/// So many days, today among them.
const DAYS: i64 = 7;

/// The width of a column with the gap behind it, and without.
const STEP: u64 = 48;
const WIDTH: u64 = 36;
/// How high the columns of a chart are at most.
const HEIGHT: u64 = 84;
/// How high what is there is at least, so that it is seen.
const LEAST: u64 = 2;
/// The height of a row of people with the gap below it, and without.
const ROW: u64 = 22;
const THICK: u64 = 14;
/// How long the longest row is.
const LONG: u64 = 240;

/// All bars that matter alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Bars {
    tone: &'static str,
    /// The outline of all of them, as SVG has it.
    outline: String,
}

/// The bars of several tones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Drawn(Vec<Bars>);

impl Drawn {
    fn bar(&mut self, tone: &'static str, (x, y): (u64, u64), (width, height): (u64, u64)) {
        let bar = format!("M{x} {y}h{width}v{height}h-{width}z");
        match self.0.iter_mut().find(|bars| bars.tone == tone) {
            Some(bars) => bars.outline += &bar,
            None => self.0.push(Bars { tone, outline: bar }),
        }
    }
}

/// A part of a whole that is so large at most, drawn so large.
fn drawn(part: u64, most: u64, size: u64) -> u64 {
    if part == 0 {
        return 0;
    }
    let drawn = part.saturating_mul(size) / most.max(1);
    drawn.clamp(LEAST, size)
}

/// The runs of a week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Week {
    width: u64,
    height: u64,
    /// How many runs ended how, a column a day.
    by_outcome: Vec<Bars>,
    /// How long they took, a column a day: the longest, and in it the middle one.
    by_length: Vec<Bars>,
    /// The words of the days and where they stand.
    labels: Vec<(u64, String)>,
    /// Every outcome that there was, those that are many first.
    outcomes: Vec<&'static str>,
    /// The same as numbers.
    days: Vec<RunsOfDay>,
    /// Both in words.
    told_outcomes: String,
    told_lengths: String,
}

/// The runs of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct RunsOfDay {
    day: String,
    /// How many ended so, in the order of the outcomes.
    counts: Vec<u64>,
    total: u64,
    /// How long the middle and the longest one took.
    middle: Option<String>,
    longest: Option<String>,
}

/// When the week begins of which a chart is drawn.
pub(super) fn begins(now: Timestamp) -> Timestamp {
    let first = day(now).saturating_sub((DAYS - 1).days());
    let start = first.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
    start.unwrap_or(now)
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// The chart of `runs`, of which those that began in the last seven days count; none where there is no such run.
pub(super) fn week(runs: &[Run], now: Timestamp) -> Option<Week> {
    let first = day(begins(now));
    let days: Vec<Date> = (0..DAYS)
        .filter_map(|offset| first.checked_add(offset.days()).ok())
        .collect();
    let mut by_day: BTreeMap<Date, Vec<&Run>> = BTreeMap::new();
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    for run in runs.iter().filter(|run| days.contains(&day(run.started))) {
        by_day.entry(day(run.started)).or_default().push(run);
        *counts.entry(run.outcome.as_str()).or_default() += 1;
    }
    if by_day.is_empty() {
        return None;
    }
    let mut outcomes: Vec<&'static str> = counts.keys().copied().collect();
    outcomes.sort_by_key(|word| std::cmp::Reverse(counts.get(word).copied()));
    let of = |day: &Date| by_day.get(day).map_or(&[][..], Vec::as_slice);
    let most = days.iter().map(|day| of(day).len() as u64).max()?;
    // Each outcome has what it needs to be seen.
    let room = HEIGHT.saturating_sub(LEAST * outcomes.len() as u64);
    let longest = days.iter().filter_map(|day| length(of(day)).1).max();
    let (mut ends, mut lengths) = (Drawn::default(), Drawn::default());
    let (mut rows, mut labels) = (Vec::new(), Vec::new());
    let mut x = 0;
    for day in &days {
        let all = of(day);
        let count = |word: &str| {
            all.iter()
                .filter(|run| run.outcome.as_str() == word)
                .count() as u64
        };
        let counts: Vec<u64> = outcomes.iter().map(|word| count(word)).collect();
        let mut y = HEIGHT;
        for (word, count) in outcomes.iter().zip(&counts) {
            if *count > 0 {
                let high = LEAST + count * room / most;
                y = y.saturating_sub(high);
                ends.bar(words::tone(word), (x, y), (WIDTH, high));
            }
        }
        let (middle, most_long) = length(all);
        for (tone, seconds, inset) in [("calm", most_long, 0), ("busy", middle, 8)] {
            if let (Some(seconds), Some(longest)) = (seconds, longest) {
                let high = drawn(seconds.max(1), longest, HEIGHT);
                let width = WIDTH - 2 * inset;
                lengths.bar(tone, (x + inset, HEIGHT - high), (width, high));
            }
        }
        labels.push((x + WIDTH / 2, day.strftime("%a %-d").to_string()));
        let told = |seconds: Option<u64>| {
            let seconds = seconds.and_then(|seconds| i64::try_from(seconds).ok());
            seconds.map(times::length)
        };
        rows.push(RunsOfDay {
            day: day.to_string(),
            total: all.len() as u64,
            counts,
            middle: told(middle),
            longest: told(most_long),
        });
        x += STEP;
    }
    let all: u64 = rows.iter().map(|row| row.total).sum();
    let parts: Vec<String> = outcomes
        .iter()
        .map(|word| {
            let count = counts.get(word).copied().unwrap_or_default();
            format!("{} {}", words::number(count), word.replace('_', " "))
        })
        .collect();
    let longest = longest.and_then(|seconds| i64::try_from(seconds).ok());
    Some(Week {
        width: STEP * DAYS.unsigned_abs(),
        height: HEIGHT,
        by_outcome: ends.0,
        by_length: lengths.0,
        labels,
        told_outcomes: format!(
            "{} in seven days: {}",
            words::many(all, "run"),
            parts.join(", ")
        ),
        told_lengths: match longest {
            Some(seconds) => format!("How long they took: {} at most", times::length(seconds)),
            None => "How long they took: none has ended".to_owned(),
        },
        outcomes,
        days: rows,
    })
}

/// How many seconds the middle and the longest of these took that have ended.
fn length(runs: &[&Run]) -> (Option<u64>, Option<u64>) {
    let took = |run: &&Run| -> Option<u64> {
        let took: SignedDuration = run.ended?.duration_since(run.started);
        u64::try_from(took.as_secs()).ok()
    };
    let mut all: Vec<u64> = runs.iter().filter_map(took).collect();
    all.sort_unstable();
    (all.get(all.len() / 2).copied(), all.last().copied())
}

/// People by how they stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Standing {
    width: u64,
    height: u64,
    paths: Vec<Bars>,
    rows: Vec<StatusRow>,
    told: String,
}

/// How many people stand so, where their bar is, and where its word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct StatusRow {
    status: &'static str,
    count: u64,
    y: u64,
}

/// How many of these people have which status at an integration; none where nobody has a stay there.
pub(super) fn standing<'a>(
    people: impl IntoIterator<Item = &'a Person>,
    at: &IntegrationId,
) -> Option<Standing> {
    let mut counts: BTreeMap<LeaseStatus, u64> = BTreeMap::new();
    let mut excluded = 0;
    for stay in people.into_iter().filter_map(|person| person.stay(at)) {
        if stay.excluded {
            excluded += 1;
        } else {
            *counts.entry(stay.status).or_default() += 1;
        }
    }
    let all = LeaseStatus::ALL.into_iter();
    let mut all: Vec<(&'static str, u64)> = all
        .filter_map(|status| Some((status.as_str(), counts.get(&status).copied()?)))
        .collect();
    if excluded > 0 {
        all.push(("excluded", excluded));
    }
    let most = all.iter().map(|(_, count)| *count).max()?;
    let mut bars = Drawn::default();
    let mut rows = Vec::new();
    let mut y = 0;
    for (status, count) in all {
        bars.bar(
            words::tone(status),
            (0, y),
            (drawn(count, most, LONG), THICK),
        );
        rows.push(StatusRow {
            status,
            count,
            y: y + THICK - 3,
        });
        y += ROW;
    }
    let told: Vec<String> = rows
        .iter()
        .map(|row| {
            format!(
                "{} {}",
                words::number(row.count),
                row.status.replace('_', " ")
            )
        })
        .collect();
    Some(Standing {
        width: LONG + 120,
        height: y,
        paths: bars.0,
        told: format!("People by status now: {}", told.join(", ")),
        rows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Cause, Origin, Outcome, PersonId, RunId, Stay};

    /// Noon of 2026-03-07.
    fn now() -> Timestamp {
        "2026-03-07T12:00:00Z".parse().unwrap()
    }

    fn run(began: &str, seconds: i64, outcome: Outcome) -> Run {
        let at: Timestamp = began.parse().unwrap();
        let mut run = Run::begun(RunId(1), IntegrationId::new("elm"), Cause::Schedule, 1, at);
        let end = at.checked_add(SignedDuration::from_secs(seconds)).unwrap();
        run.ended = (outcome != Outcome::Running).then_some(end);
        run.outcome = outcome;
        run
    }

    #[test]
    fn the_runs_of_seven_days_stand_by_outcome_and_length_a_column_a_day() {
        let failed = Outcome::Failed {
            reason: "no answer".into(),
        };
        let runs = [
            run("2026-03-07T11:00:00Z", 0, Outcome::Running),
            run("2026-03-07T10:00:00Z", 40, Outcome::Unchanged),
            run("2026-03-07T09:00:00Z", 10, Outcome::Unchanged),
            run("2026-03-07T08:00:00Z", 20, failed),
            run("2026-03-01T00:00:00Z", 20, Outcome::Unchanged),
            // A week ago, and not of this one.
            run("2026-02-28T23:59:59Z", 900, Outcome::Unchanged),
        ];
        assert_eq!(begins(now()).to_string(), "2026-03-01T00:00:00Z");
        let week = week(&runs, now()).unwrap();
        assert_eq!((week.width, week.height), (336, 84));
        assert_eq!(week.outcomes, ["unchanged", "failed", "running"]);
        assert_eq!(week.days.len(), 7);
        let last = &week.days[6];
        assert_eq!((&*last.day, last.total), ("2026-03-07", 4));
        assert_eq!(last.counts, [2, 1, 1]);
        assert_eq!(last.middle.as_deref(), Some("20 s"));
        assert_eq!(last.longest.as_deref(), Some("40 s"));
        assert_eq!((week.days[1].total, &week.days[1].longest), (0, &None));
        let paths = |bars: &[Bars]| -> Vec<String> {
            let all = bars.iter();
            all.map(|bars| format!("{} {}", bars.tone, bars.outline))
                .collect()
        };
        assert_eq!(
            paths(&week.by_outcome),
            [
                "good M0 63h36v21h-36zM288 43h36v41h-36z",
                "bad M288 22h36v21h-36z",
                "busy M288 1h36v21h-36z",
            ]
        );
        assert_eq!(
            paths(&week.by_length),
            [
                "calm M0 42h36v42h-36zM288 0h36v84h-36z",
                "busy M8 42h20v42h-20zM296 42h20v42h-20z",
            ]
        );
        assert_eq!(week.labels[0], (18, "Sun 1".to_owned()));
        assert_eq!(
            week.told_outcomes,
            "5 runs in seven days: 3 unchanged, 1 failed, 1 running"
        );
        assert_eq!(week.told_lengths, "How long they took: 40 s at most");
    }

    #[test]
    fn a_week_without_runs_has_no_chart_and_one_bad_run_among_many_is_seen() {
        let old = run("2026-02-01T00:00:00Z", 1, Outcome::Unchanged);
        assert_eq!(week(&[old], now()), None);
        assert_eq!(week(&[], now()), None);
        let failed = Outcome::Failed { reason: "x".into() };
        let mut many = vec![run("2026-03-07T10:00:00Z", 0, Outcome::Unchanged); 999];
        many.push(run("2026-03-07T10:00:00Z", 0, failed));
        let week = week(&many, now()).unwrap();
        let bad = week.by_outcome.iter().find(|bars| bars.tone == "bad");
        assert!(bad.unwrap().outline.contains("v2h"), "{week:?}");
        assert_eq!(week.days[6].longest.as_deref(), Some("under a second"));
    }

    #[test]
    fn people_stand_by_their_status_at_the_integration() {
        let elm = IntegrationId::new("elm");
        let person = |id: u64, at: &str, status: LeaseStatus, excluded: bool| {
            let mut person = Person::new(PersonId(id), Origin::Sync, Timestamp::UNIX_EPOCH);
            let stay = serde_json::json!({ "status": status, "excluded": excluded });
            let stay: Stay = serde_json::from_value(stay).unwrap();
            person.stays.insert(IntegrationId::new(at), Box::new(stay));
            person
        };
        let people = [
            person(1, "elm", LeaseStatus::Current, false),
            person(2, "elm", LeaseStatus::Current, false),
            person(3, "elm", LeaseStatus::Past, false),
            person(4, "elm", LeaseStatus::Past, true),
            person(5, "oak", LeaseStatus::Past, false),
        ];
        let standing = standing(&people, &elm).unwrap();
        let rows: Vec<_> = standing
            .rows
            .iter()
            .map(|row| (row.status, row.count))
            .collect();
        assert_eq!(rows, [("current", 2), ("past", 1), ("excluded", 1)]);
        assert_eq!(
            standing.told,
            "People by status now: 2 current, 1 past, 1 excluded"
        );
        assert!(standing.paths[0].outline.starts_with("M0 0h240v14h-240z"));
        assert_eq!(super::standing(&[], &elm), None);
    }
}
