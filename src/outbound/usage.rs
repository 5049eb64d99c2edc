//! What is told of a credential that is in use: how much of its budget is used, and when its secrets were read. Counts nothing
//! itself, and keeps no secret.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::config::Limits;
use crate::model::{BudgetPeriod, BudgetStatus};

use super::account::Fingerprint;
use super::allowance::{DAY, MONTH, for_the_clock, hour};

/// When the secrets of a credential were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretsSeen {
    /// When they were read last.
    pub read: Timestamp,
    /// When they were found to be others than before.
    pub changed: Option<Timestamp>,
}

/// What the secrets were when they were read last, as a hash that only this process can make.
#[derive(Debug, Default)]
pub(super) struct Watched(Mutex<Option<(Fingerprint, SecretsSeen)>>);

impl Watched {
    /// They were read, and are these.
    pub(super) fn read(&self, print: Fingerprint, now: Timestamp) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = match &*seen {
            Some((before, seen)) if *before == print => seen.changed,
            Some(_) => Some(now),
            None => None,
        };
        *seen = Some((print, SecretsSeen { read: now, changed }));
    }

    /// When they were read; none where they never were.
    pub(super) fn seen(&self) -> Option<SecretsSeen> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.map(|(_, seen)| seen)
    }
}

/// How much of these limits is used, where so many requests were made in the hours since 1970 (R43).
pub fn budgets(limits: &Limits, asked: &BTreeMap<i64, u32>, now: Timestamp) -> Vec<BudgetStatus> {
    let of = |most: Option<u32>, hours: i64, per| {
        let most = most?.max(1);
        let counted = asked.range(hour(now) - hours..);
        let used: u64 = counted.map(|(_, count)| u64::from(*count)).sum();
        let limit = u64::from(most);
        let left = limit.saturating_sub(used);
        Some(BudgetStatus {
            per,
            limit,
            used,
            left,
            by_hand: left.min(limit - u64::from(for_the_clock(most))),
        })
    };
    let all = [
        of(limits.per_day, DAY, BudgetPeriod::Day),
        of(limits.per_month, MONTH, BudgetPeriod::Month),
    ];
    all.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hours * 3600).unwrap()
    }

    #[test]
    fn a_budget_is_used_by_what_was_asked_in_its_time_and_a_tenth_is_for_who_asks_by_hand() {
        let limits = Limits {
            per_day: Some(100),
            per_month: Some(1000),
            ..Limits::default()
        };
        let asked = [(-40, 7), (-3, 50), (0, 35)];
        let asked = asked.map(|(hours, count)| (hour(at(hours)), count));
        let told = |budget: &BudgetStatus| (budget.used, budget.left, budget.by_hand);
        let found = budgets(&limits, &asked.into(), at(0));
        let found: Vec<_> = found.iter().map(told).collect();
        assert_eq!(found, [(85, 15, 10), (92, 908, 100)]);
        assert_eq!(budgets(&Limits::default(), &asked.into(), at(0)), []);
        let more = BTreeMap::from([(hour(at(0)), 200)]);
        assert_eq!(told(&budgets(&limits, &more, at(0))[0]), (200, 0, 0));
    }

    #[test]
    fn secrets_are_changed_when_they_are_others_than_before() {
        let print = |text: &str| {
            let values = BTreeMap::from([("s".to_owned(), minijinja::Value::from(text))]);
            Fingerprint::new(&[7; 32], "", &values, &[])
        };
        let watched = Watched::default();
        assert_eq!(watched.seen(), None);
        for (text, hours, changed) in [
            ("a", 0, None),
            ("a", 1, None),
            ("b", 2, Some(2)),
            ("b", 3, Some(2)),
        ] {
            watched.read(print(text), at(hours));
            let changed = changed.map(at);
            let read = at(hours);
            assert_eq!(watched.seen(), Some(SecretsSeen { read, changed }));
        }
    }
}
