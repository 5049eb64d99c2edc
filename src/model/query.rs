//! Questions to the store as values: which people, alerts and runs, in which order, and how much of them. Whoever asks, a
//! command, a program or a page, asks by them; the store answers. Finds nobody.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AlertId, AlertKind, AlertState, DeliveryState, IdError, IntegrationId, LeaseStatus, PersonId,
    TargetId,
};

/// So many a page has unless it is said.
const SIZE: usize = 100;

/// So many a page has at most.
const MOST: usize = 1_000;

fn size(limit: Option<usize>) -> usize {
    limit.unwrap_or(SIZE).clamp(1, MOST)
}

/// In which order people are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PeopleSort {
    /// As they came to be.
    #[default]
    Id,
    /// By first name, then last name, without regard to case.
    Name,
}

impl PeopleSort {
    /// The word as commands and JSON write it.
    pub fn as_str(self) -> &'static str {
        match self {
            PeopleSort::Id => "id",
            PeopleSort::Name => "name",
        }
    }
}

/// Which people, in which order, and how many. What is said of a stay holds for one and the same stay, that at
/// `integration` where it is named.
///
/// What no index finds is looked for among 10,000 people; then the page ends, with fewer than asked for, and its `next` goes
/// on from there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeopleQuery {
    /// Only people with a stay at the property of this integration.
    pub integration: Option<IntegrationId>,
    /// Only people in whose names, email, phone or unit this stands. No index finds them.
    pub q: Option<String>,
    /// Only people whose name, first then last, begins so.
    pub name: Option<String>,
    /// Only people whose email begins so.
    pub email: Option<String>,
    /// Only people the label or id of whose unit begins so. An index finds them only within an integration.
    pub unit: Option<String>,
    /// Only people linked to a resident whose PMS id begins so.
    pub resident: Option<String>,
    /// Only people with a stay of this status.
    pub status: Option<LeaseStatus>,
    /// Only people with a stay that is excluded (R8), or with one that is not.
    pub excluded: Option<bool>,
    /// Only people whom an open alert is about, or only others.
    pub alert: Option<bool>,
    /// Only people about whom something was written since.
    pub updated_since: Option<Timestamp>,
    /// Only people of whom something is delivered at this target, or shall be. No index finds them.
    pub target: Option<TargetId>,
    /// Only people with something at `target`, or at any, that has come this far. No index finds them.
    pub target_state: Option<DeliveryState>,
    /// In which order; by id unless it is said.
    pub sort: Option<PeopleSort>,
    /// At most so many; 1 to 1,000.
    pub limit: Option<usize>,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

impl PeopleQuery {
    /// How many people a page has.
    pub fn size(&self) -> usize {
        size(self.limit)
    }

    /// Whether everybody is asked for, in whichever order.
    pub fn is_for_everybody(&self) -> bool {
        let order = PeopleQuery {
            sort: self.sort,
            limit: self.limit,
            cursor: self.cursor.clone(),
            ..PeopleQuery::default()
        };
        *self == order
    }
}

/// Which alerts, and how many: open ones in the order of R29, others latest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertQuery {
    /// Only of this integration.
    pub integration: Option<IntegrationId>,
    /// `open` (the default), `dismissed`, `resolved`, `auto_closed`, or `all`: the open ones first.
    pub state: Option<StateAsked>,
    /// Only of this kind.
    pub kind: Option<AlertKind>,
    /// At most so many; 1 to 1,000.
    pub limit: Option<usize>,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

impl AlertQuery {
    /// How many alerts a page has.
    pub fn size(&self) -> usize {
        size(self.limit)
    }
}

/// In which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StateAsked {
    /// Those that wait for somebody.
    Open,
    /// Those that somebody dismissed.
    Dismissed,
    /// Those that somebody resolved.
    Resolved,
    /// Those whose cause went away.
    AutoClosed,
    /// In any.
    All,
}

impl StateAsked {
    /// The one state; none for any.
    pub fn state(self) -> Option<AlertState> {
        match self {
            StateAsked::Open => Some(AlertState::Open),
            StateAsked::Dismissed => Some(AlertState::Dismissed),
            StateAsked::Resolved => Some(AlertState::Resolved),
            StateAsked::AutoClosed => Some(AlertState::AutoClosed),
            StateAsked::All => None,
        }
    }
}

/// Which runs, and how many, latest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunQuery {
    /// Only of this integration.
    pub integration: Option<IntegrationId>,
    /// Only those that ended so, such as `held` or `failed`, or are `running`. No index finds them.
    pub outcome: Option<OutcomeAsked>,
    /// At most so many; 1 to 1,000.
    pub limit: Option<usize>,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

impl RunQuery {
    /// How many runs a page has.
    pub fn size(&self) -> usize {
        size(self.limit)
    }
}

/// How a run ended, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each is an `Outcome`")]
pub enum OutcomeAsked {
    Running,
    Committed,
    Unchanged,
    Incomplete,
    Held,
    NotUnderstood,
    Postponed,
    Failed,
    Interrupted,
}

impl OutcomeAsked {
    /// The word of the `Outcome`.
    pub fn as_str(self) -> &'static str {
        match self {
            OutcomeAsked::Running => "running",
            OutcomeAsked::Committed => "committed",
            OutcomeAsked::Unchanged => "unchanged",
            OutcomeAsked::Incomplete => "incomplete",
            OutcomeAsked::Held => "held",
            OutcomeAsked::NotUnderstood => "not_understood",
            OutcomeAsked::Postponed => "postponed",
            OutcomeAsked::Failed => "failed",
            OutcomeAsked::Interrupted => "interrupted",
        }
    }
}

/// Behind whom a page of people begins: `p17`, and in lists by name also the name as it was compared then, so that nobody
/// is left out who was renamed meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// The person.
    pub person: PersonId,
    /// The name; none in lists by id, and where it is too long for a cursor.
    pub name: Option<String>,
}

/// Behind which alert a page begins: `name_mismatch:a5` among the open ones, which stand by kind, and `a5` among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AfterAlert {
    /// The alert.
    pub alert: AlertId,
    /// Its kind, where it was open.
    pub open: Option<AlertKind>,
}

impl fmt::Display for AfterAlert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(kind) = self.open {
            write!(f, "{}:", kind.as_str())?;
        }
        write!(f, "{}", self.alert)
    }
}

impl FromStr for AfterAlert {
    type Err = IdError;

    fn from_str(text: &str) -> Result<AfterAlert, IdError> {
        let (word, alert) = text.split_once(':').unwrap_or(("", text));
        let mut kinds = AlertKind::ALL.into_iter();
        Ok(AfterAlert {
            alert: alert.parse()?,
            open: kinds.find(|kind| kind.as_str() == word),
        })
    }
}

/// A longer name does not stand in a cursor.
const LONGEST: usize = 200;

impl fmt::Display for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.person)?;
        let Some(name) = self.name.as_ref().filter(|name| name.len() <= LONGEST) else {
            return Ok(());
        };
        f.write_str(".")?;
        name.bytes().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Behind {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Behind, IdError> {
        let (person, name) = match text.split_once('.') {
            Some((person, name)) => (person, unhexed(name)),
            None => (text, None),
        };
        Ok(Behind {
            person: person.parse()?,
            name,
        })
    }
}

/// A text of which each byte stands as two digits.
fn unhexed(text: &str) -> Option<String> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes = text.as_bytes().chunks(2).map(|two| match two {
        [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
        _ => None,
    });
    String::from_utf8(bytes.collect::<Option<_>>()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_with_whatever_name() {
        for name in ["ada\u{1f}quill", "", "ö.ü", &"x".repeat(LONGEST)] {
            let behind = Behind {
                person: PersonId(17),
                name: Some(name.to_owned()),
            };
            assert_eq!(behind.to_string().parse(), Ok(behind));
        }
        let long = Behind {
            person: PersonId(17),
            name: Some("x".repeat(LONGEST + 1)),
        };
        assert_eq!(long.to_string(), "p17");
        for odd in ["p17.0", "p17.zz", "p17.ff"] {
            let behind: Behind = odd.parse().unwrap();
            assert_eq!((behind.person, behind.name), (PersonId(17), None));
        }
        assert!("a5".parse::<Behind>().is_err());
    }

    #[test]
    fn a_cursor_of_alerts_says_where_they_stood() {
        for (text, open) in [
            ("name_mismatch:a5", Some(AlertKind::NameMismatch)),
            ("a5", None),
        ] {
            let after: AfterAlert = text.parse().unwrap();
            assert_eq!((after.alert, after.open), (AlertId(5), open));
            assert_eq!(after.to_string(), text);
        }
        assert!("p5".parse::<AfterAlert>().is_err());
    }

    #[test]
    fn a_question_for_everybody_is_one_whatever_its_order_and_length() {
        let mut query = PeopleQuery {
            sort: Some(PeopleSort::Name),
            limit: Some(7),
            cursor: Some("p1".into()),
            ..PeopleQuery::default()
        };
        assert!(query.is_for_everybody());
        query.excluded = Some(false);
        assert!(!query.is_for_everybody());
    }

    #[test]
    fn the_words_of_outcomes_are_those_of_json() {
        for (asked, word) in [
            (OutcomeAsked::NotUnderstood, "not_understood"),
            (OutcomeAsked::Held, "held"),
        ] {
            assert_eq!(asked.as_str(), word);
            assert_eq!(serde_json::to_value(asked).unwrap(), word);
        }
    }
}
