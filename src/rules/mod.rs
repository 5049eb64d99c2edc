//! What may be done about whom: the rules of `user-sync` as pure functions, for runs and for acts by hand alike.
//! Reads no clock, no file and no store; whoever asks brings the people.

/// Counts up whenever the rules decide otherwise about a record that did not change. What a run remembers of a feed holds
/// for one version alone: the first run of another one looks at everybody, and heals what was decided wrongly.
pub(crate) const VERSION: u32 = 3;

pub(crate) mod normal;
pub(crate) mod dates;
pub(crate) mod entry;
pub(crate) mod groups;
mod renewal;
pub(crate) mod identity;
pub(crate) mod units;
pub(crate) mod matching;
pub(crate) mod update;
pub(crate) mod alerts;
pub(crate) mod erasure;
mod recall;
pub(crate) mod plan;
pub(crate) mod rejected;
pub(crate) mod odd;
pub(crate) mod understood;
pub(crate) mod guard;
pub(crate) mod relocation;

pub use crate::model::People;
pub use alerts::AlertWrites;
pub use dates::BadDates;
pub use entry::Entry;
pub use erasure::{is_due, left_at};
pub use normal::{Normal, NotNormal, Notes, expected, normalise};
pub use odd::Odd;
pub use plan::{Inputs, Plan, plan};
pub use update::{differences, stay};
