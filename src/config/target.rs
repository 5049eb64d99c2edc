//! `config/targets/*.yaml`: one place that access is delivered to. Says nothing of how it is reached, and resolves no names.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Span;

const DAY: u64 = 86_400;
/// More days before or after a stay are a mistake.
const MOST_DAYS: u64 = 365;
/// Reading everything back more often than this would be all that a target does.
const LEAST_READ_BACK: Span = Span::seconds(300);

/// One place that access is delivered to: what people may open there follows where they live. The file's stem is its id.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Version of the file's form: 1.
    #[schemars(extend("const" = 1))]
    pub version: u32,
    /// The credential, by the stem of its file. It names the connector that speaks to the target.
    pub credential: String,
    /// The integrations whose people it gets, by the stems of their files; without it all.
    #[serde(default)]
    pub from: Vec<String>,
    /// What waits until somebody approves it (R37).
    #[serde(default)]
    pub mode: DeliveryMode,
    /// How long after somebody was seen to live there access starts (R38).
    #[serde(default = "fifteen_minutes")]
    pub start_delay: Span,
    /// Whole days before the day of moving in that access starts, at most `365d`.
    #[serde(default = "no_time")]
    pub early: Span,
    /// Whole days after a stay is over that access ends, at most `365d`.
    #[serde(default = "no_time")]
    pub late: Span,
    /// When access ends (R39).
    #[serde(default)]
    pub end: AccessEnd,
    /// What at the target belongs to which unit.
    #[serde(default)]
    pub places: Places,
    /// When it would take away too much at once (R27).
    #[serde(default)]
    pub guard: TargetGuard,
    /// How often everything at the target is read back and compared: `5m` at the least.
    #[serde(default = "a_day")]
    pub read_back: Span,
    /// Whether it is switched on. Off, nothing is sent, and what was granted stays.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Settings that the script reads as `ctx.fields`, and templates of the connector as `{{ fields.NAME }}`.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
}

/// Whatever the mode, what is taken away because the files were edited, or because more was found at the target than there
/// should be, waits; and so does what the guard holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryMode {
    /// What opens and what changes; the access of somebody who is past is taken away at once.
    #[default]
    Approve,
    /// Everything.
    ApproveAll,
    /// Nothing else.
    Automatic,
}

/// When access ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccessEnd {
    /// Once the status is past.
    #[default]
    Status,
    /// Also ahead, with the day of moving out, where notice was given and that day is known.
    MoveOut,
}

/// What at the target (doors, keys, groups: whatever it grants) belongs to which unit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Places {
    /// The PMS's unit, by its id or its label, and the target's ids of what belongs to it. `INTEGRATION/UNIT` where two
    /// integrations have a unit of that name.
    pub map: BTreeMap<String, Vec<String>>,
    /// The target's ids of what everybody gets.
    pub common: Vec<String>,
}

/// What is to be taken away is held until somebody approves it when more people than `max(limit, percent of those who have
/// anything there)` would lose something, together with those of the `window` before it. Whom the approval of a run named
/// does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TargetGuard {
    /// So many are never too many.
    pub limit: u32,
    /// So many of a hundred are never too many.
    pub percent: u32,
    /// How long what was taken away still counts.
    pub window: Span,
}

impl Default for TargetGuard {
    fn default() -> Self {
        TargetGuard {
            limit: 5,
            percent: 10,
            window: a_day(),
        }
    }
}

impl DeliveryMode {
    /// The word as files, commands and JSON write it.
    pub fn as_str(self) -> &'static str {
        match self {
            DeliveryMode::Approve => "approve",
            DeliveryMode::ApproveAll => "approve_all",
            DeliveryMode::Automatic => "automatic",
        }
    }
}

impl Places {
    /// The places of a PMS's unit, by its id or its label; none where it has none.
    pub fn of_unit(&self, integration: &str, id: &str, label: &str) -> Option<&[String]> {
        let keys = [
            format!("{integration}/{id}"),
            format!("{integration}/{label}"),
            id.to_owned(),
            label.to_owned(),
        ];
        let mut found = keys.iter().filter_map(|key| self.map.get(key));
        found.next().map(Vec::as_slice)
    }

    /// Every place that is named, with where it stands in the file.
    pub fn named(&self) -> impl Iterator<Item = (String, &str)> {
        let units = self.map.iter().flat_map(|(unit, places)| {
            let places = places.iter();
            places.map(move |place| (format!("places.map.{unit}"), place.as_str()))
        });
        let common = self.common.iter();
        let common = common.map(|place| ("places.common".to_owned(), place.as_str()));
        units.chain(common)
    }
}

impl Target {
    /// How many days before moving in access starts.
    pub fn early_days(&self) -> u16 {
        days(self.early)
    }

    /// How many days after a stay is over access ends.
    pub fn late_days(&self) -> u16 {
        days(self.late)
    }

    /// What is wrong with it, by field.
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        if self.credential.trim().is_empty() {
            let told = "is empty; write the name of a file in config/credentials without .yaml";
            found.push(("credential".to_owned(), told.to_owned()));
        }
        found.extend(unlike("from", &self.from));
        for (field, span) in [("early", self.early), ("late", self.late)] {
            found.extend(not_days(span).map(|told| (field.to_owned(), told)));
        }
        for (unit, places) in &self.places.map {
            let field = format!("places.map.{unit}");
            if unit.trim().is_empty() {
                let told = "a unit has no name; write its id or its label in the PMS";
                found.push(("places.map".to_owned(), told.to_owned()));
            }
            found.extend(unlike(&field, places));
        }
        found.extend(unlike("places.common", &self.places.common));
        if self.guard.percent > 100 {
            let told = format!("{} is out of range; write 0 to 100", self.guard.percent);
            found.push(("guard.percent".to_owned(), told));
        }
        if self.read_back < LEAST_READ_BACK {
            let told = format!(
                "`{}` is out of range; write `{LEAST_READ_BACK}` or more, such as `24h`",
                self.read_back
            );
            found.push(("read_back".to_owned(), told));
        }
        found
    }
}

/// What is empty in a list, or stands in it twice.
fn unlike(field: &str, list: &[String]) -> Vec<(String, String)> {
    let mut seen = BTreeSet::new();
    let all = list.iter().enumerate();
    let wrong = all.filter_map(|(index, one)| {
        let told = if one.trim().is_empty() {
            "is empty; remove it".to_owned()
        } else if !seen.insert(one) {
            format!("`{one}` stands here twice; keep one")
        } else {
            return None;
        };
        Some((format!("{field}.{index}"), told))
    });
    wrong.collect()
}

/// Why a time is none of whole days.
fn not_days(span: Span) -> Option<String> {
    let seconds = span.0.as_secs();
    if seconds > MOST_DAYS * DAY {
        return Some(format!(
            "`{span}` is out of range; write `{MOST_DAYS}d` or less"
        ));
    }
    let near = seconds.div_ceil(DAY);
    (!seconds.is_multiple_of(DAY)).then(|| {
        format!(
            "`{span}` is no whole number of days, and a day is one at the property; write `{near}d`"
        )
    })
}

fn days(span: Span) -> u16 {
    u16::try_from(span.0.as_secs() / DAY).unwrap_or(u16::MAX)
}

fn yes() -> bool {
    true
}

fn no_time() -> Span {
    Span::seconds(0)
}

fn fifteen_minutes() -> Span {
    Span::seconds(15 * 60)
}

fn a_day() -> Span {
    Span::seconds(DAY)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Document;

    fn read(more: &str) -> (Target, Document) {
        let text = format!("version: 1\ncredential: acme-door\n{more}");
        let document = Document::parse(Path::new("acme-door.yaml"), &text).unwrap();
        (document.read().unwrap(), document)
    }

    fn told(more: &str) -> Vec<String> {
        let (target, document) = read(more);
        let problems = target.problems().into_iter();
        let problems = problems.map(|(field, message)| document.problem(&field, message));
        problems.map(|problem| problem.to_string()).collect()
    }

    #[test]
    fn a_target_needs_no_more_than_its_credential() {
        let (target, _) = read("");
        assert!(target.from.is_empty() && target.enabled);
        assert_eq!(target.mode, DeliveryMode::Approve);
        assert_eq!(target.end, AccessEnd::Status);
        assert_eq!(target.start_delay, Span::seconds(900));
        assert_eq!((target.early_days(), target.late_days()), (0, 0));
        assert_eq!(target.guard, TargetGuard::default());
        assert_eq!(target.read_back, Span::seconds(86_400));
        assert_eq!(target.problems(), []);
    }

    #[test]
    fn each_key_is_read_as_it_is_written() {
        let (target, _) = read(
            "from: [elm, 123]\nmode: approve_all\nstart_delay: 0s\nearly: 2d\nlate: 365d\nend: move_out\n\
             places: { map: { 12B: [k1, k2], elm/7: [] }, common: [gate] }\n\
             guard: { limit: 3 }\nread_back: 5m\nenabled: false\nfields: { role: TENANT }\n",
        );
        assert_eq!(target.problems(), []);
        assert_eq!(target.from, ["elm", "123"]);
        assert_eq!(target.mode.as_str(), "approve_all");
        assert_eq!((target.early_days(), target.late_days()), (2, 365));
        assert_eq!(target.end, AccessEnd::MoveOut);
        assert_eq!(target.places.map["12B"], ["k1", "k2"]);
        assert!(target.places.map["elm/7"].is_empty());
        assert_eq!((target.guard.limit, target.guard.percent), (3, 10));
        assert_eq!(target.fields["role"], "TENANT");
    }

    #[test]
    fn what_is_out_of_range_is_told_with_its_place_and_what_to_write() {
        assert_eq!(
            told(
                "early: 36h\nlate: 366d\nread_back: 4m\nguard: { percent: 101 }\nstart_delay: 1s\n"
            ),
            [
                "acme-door.yaml:3:8: early: `36h` is no whole number of days, and a day is one at the property; write `2d`",
                "acme-door.yaml:4:7: late: `366d` is out of range; write `365d` or less",
                "acme-door.yaml:6:19: guard.percent: 101 is out of range; write 0 to 100",
                "acme-door.yaml:5:12: read_back: `4m` is out of range; write `5m` or more, such as `24h`",
            ]
        );
    }

    #[test]
    fn what_is_empty_or_there_twice_is_told_where_it_stands() {
        assert_eq!(
            told(
                "from: [elm, ' ', elm]\nplaces: { map: { 12B: [k1, k1, ''], '': [k2] }, common: [gate, gate] }\n"
            ),
            [
                "acme-door.yaml:3:13: from.1: is empty; remove it",
                "acme-door.yaml:3:18: from.2: `elm` stands here twice; keep one",
                "acme-door.yaml:4:11: places.map: a unit has no name; write its id or its label in the PMS",
                "acme-door.yaml:4:28: places.map.12B.1: `k1` stands here twice; keep one",
                "acme-door.yaml:4:32: places.map.12B.2: is empty; remove it",
                "acme-door.yaml:4:64: places.common.1: `gate` stands here twice; keep one",
            ]
        );
    }

    #[test]
    fn a_place_may_belong_to_several_units() {
        assert_eq!(
            told("places: { map: { 12A: [stairs], 12B: [stairs] }, common: [stairs] }\n"),
            [] as [&str; 0]
        );
    }
}
