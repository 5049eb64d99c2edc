//! Whether too much is taken away at a target at once (R27, for what people may open). Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::TargetGuard;
use crate::model::PersonId;

use super::moments::signed;

/// The people from whom something was taken away lately, with the moment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Recent(pub Vec<(PersonId, Timestamp)>);

impl Recent {
    /// Notes one more, and forgets what is older than the window.
    pub fn note(&mut self, person: PersonId, limits: &TargetGuard, now: Timestamp) {
        let window = signed(limits.window.0);
        self.0.retain(|(_, at)| at.duration_until(now) <= window);
        self.0.push((person, now));
    }

    /// Whose they were, within the window.
    fn people(&self, limits: &TargetGuard, now: Timestamp) -> BTreeSet<PersonId> {
        let window = signed(limits.window.0);
        let within = self
            .0
            .iter()
            .filter(|(_, at)| at.duration_until(now) <= window);
        within.map(|(person, _)| *person).collect()
    }
}

/// Whether so many losing something, together with those of the window before, are more than the target's guard lets
/// through unasked. `losing` are the people from whom something is to be taken away, without those whom the approval of a
/// run named; `served` is how many people have anything there.
pub fn is_too_much(
    losing: &BTreeSet<PersonId>,
    recent: &Recent,
    served: usize,
    limits: &TargetGuard,
    now: Timestamp,
) -> bool {
    let mut all = recent.people(limits, now);
    all.extend(losing);
    let share = served as u64 * u64::from(limits.percent) / 100;
    !losing.is_empty() && all.len() as u64 > share.max(u64::from(limits.limit))
}
