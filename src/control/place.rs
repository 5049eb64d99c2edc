//! The change log as it goes over the control socket: its lines, and the places to go on after.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Change;

/// A place in the change log: after the change of a number, as `N` or, where another epoch must not be taken for this
/// one (R47), as `EPOCH:N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// The epoch of the store; without it whichever there is.
    pub epoch: Option<u64>,
    /// The number of the change before it; 0 is the beginning.
    pub seq: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.epoch {
            Some(epoch) => write!(f, "{epoch}:{}", self.seq),
            None => write!(f, "{}", self.seq),
        }
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Place, String> {
        let wrong = || {
            format!(
                "`{text}` is no place in the change log; write `N` or `EPOCH:N`, such as `120` or `1:120`"
            )
        };
        let number = |text: &str| text.parse().map_err(|_| wrong());
        match text.split_once(':') {
            Some((epoch, seq)) => Ok(Place {
                epoch: Some(number(epoch)?),
                seq: number(seq)?,
            }),
            None => Ok(Place {
                epoch: None,
                seq: number(text)?,
            }),
        }
    }
}

/// A line of `GET /v1/changes`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum LogLine {
    /// A change.
    Change {
        /// The epoch of the store: with `seq` the place to go on after.
        epoch: u64,
        /// What happened.
        #[serde(flatten)]
        change: Box<Change>,
    },
    /// Nothing has happened for a while, or nothing that was asked for.
    Heartbeat {
        /// That it is one.
        heartbeat: True,
        /// The epoch of the store.
        epoch: u64,
        /// The number of the last change that was looked at: the place to go on after.
        seq: u64,
    },
}

impl LogLine {
    /// The place to go on after.
    pub fn place(&self) -> Place {
        let (epoch, seq) = match self {
            LogLine::Change { epoch, change } => (*epoch, change.seq),
            LogLine::Heartbeat { epoch, seq, .. } => (*epoch, *seq),
        };
        Place {
            epoch: Some(epoch),
            seq,
        }
    }

    /// The change, where it is one.
    pub fn change(self) -> Option<Change> {
        match self {
            LogLine::Change { change, .. } => Some(*change),
            LogLine::Heartbeat { .. } => None,
        }
    }
}

/// Always `true`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "bool", into = "bool")]
#[schemars(with = "bool", extend("const" = true))]
pub struct True;

impl TryFrom<bool> for True {
    type Error = &'static str;

    fn try_from(truth: bool) -> Result<True, &'static str> {
        truth.then_some(True).ok_or("is always true")
    }
}

impl From<True> for bool {
    fn from(True: True) -> bool {
        true
    }
}
