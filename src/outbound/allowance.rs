//! What may be asked of a server in a day and in a month (R43): counted by the hour, and kept beyond the process by whoever
//! has a ledger. Waits for nobody, and knows no shorter limits.

use std::collections::BTreeMap;
use std::fmt::Debug;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::config::{Limits, Secret};

const HOUR: i64 = 3600;
/// The hours of a day, and those of the longest month.
pub(super) const DAY: i64 = 24;
pub(super) const MONTH: i64 = 31 * DAY;

/// Keeps of a credential what a restart must not forget: how many requests were made with it, a refresh token that came in
/// the place of its own, and until when answers say that it is taken. Without one, nobody counts a day or a month.
pub trait Ledger: Debug + Send + Sync {
    /// How many were made, by the hour since 1970, in the last 31 days.
    fn asked(&self, credential: &str) -> BTreeMap<i64, u32>;

    /// The clock by which hours are told.
    fn now(&self) -> Timestamp;

    /// As many were made in that hour, in all. May block.
    fn keep(&self, credential: &str, hour: i64, requests: u32);

    /// The refresh token that came in the place of the credential's own, and the print of that one. May block.
    fn refresh_token(&self, credential: &str) -> Option<([u8; 32], Secret)>;

    /// Keeps a refresh token that came in the place of the credential's own, which has this print. May block.
    fn keep_refresh_token(&self, credential: &str, own: [u8; 32], token: &Secret);

    /// Keeps the last day on which the credential is taken, as the answer to `request` says; none where it says nothing about
    /// it. May block.
    fn keep_expiry(&self, credential: &str, request: &str, last: Option<Date>);
}

/// The limits of a day and of a month, and what was asked.
#[derive(Debug, Clone)]
pub(super) struct Allowance {
    /// How many, in how many hours, and how that is called.
    limits: Vec<(u32, i64, &'static str)>,
    /// Requests by the hour since 1970.
    asked: BTreeMap<i64, u32>,
    /// The ledger has as many for this hour: those that were made, and a few to come.
    kept: (i64, u32),
}

/// A limit that is used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UsedUp {
    /// For how long.
    pub(super) wait: SignedDuration,
    /// The limit, as people say it: `2500 requests a day`.
    pub(super) limit: String,
    /// What is left is for whoever asks by hand.
    pub(super) is_kept_back: bool,
}

/// The hour of a moment, since 1970.
pub(super) fn hour(now: Timestamp) -> i64 {
    now.as_second().div_euclid(HOUR)
}

/// A tenth is kept for whoever asks by hand (R43).
pub fn for_the_clock(most: u32) -> u32 {
    most.saturating_sub(most.div_ceil(10)).max(1)
}

impl Allowance {
    /// None where there is no such limit. `asked` is what the ledger has.
    pub(super) fn new(
        limits: &Limits,
        asked: impl FnOnce() -> BTreeMap<i64, u32>,
    ) -> Option<Allowance> {
        let of = |most: Option<u32>, hours, name| Some((most?.max(1), hours, name));
        let limits = [
            of(limits.per_day, DAY, "a day"),
            of(limits.per_month, MONTH, "a month"),
        ];
        let limits: Vec<_> = limits.into_iter().flatten().collect();
        (!limits.is_empty()).then(|| Allowance {
            limits,
            asked: asked(),
            kept: (i64::MIN, 0),
        })
    }

    /// What keeps one more request from being made now. A request counts until the hour in which it was made is a day, or
    /// a month, ago: so the limit holds in every such stretch, wherever it begins.
    pub(super) fn used_up(&self, now: Timestamp, by_hand: bool) -> Option<UsedUp> {
        let waits = self.limits.iter().filter_map(|(most, hours, name)| {
            let allowed = if by_hand { *most } else { for_the_clock(*most) };
            let counted = self.asked.range(hour(now) - hours..);
            let sum: u64 = counted.clone().map(|(_, count)| u64::from(*count)).sum();
            let mut beyond = (sum + 1).checked_sub(u64::from(allowed))?;
            let mut back = hour(now);
            for (hour, count) in counted {
                if beyond == 0 {
                    break;
                }
                beyond = beyond.saturating_sub(u64::from(*count));
                back = hour + hours + 1;
            }
            let wait = SignedDuration::from_secs(back * HOUR - now.as_second());
            (wait > SignedDuration::ZERO).then(|| UsedUp {
                wait,
                limit: format!("{most} requests {name}"),
                is_kept_back: sum < u64::from(*most),
            })
        });
        waits.max_by_key(|used_up| used_up.wait)
    }

    /// How many were made, by the hour since 1970.
    pub(super) fn asked(&self) -> &BTreeMap<i64, u32> {
        &self.asked
    }

    /// One more is made. What the ledger has to keep before that, where it does not yet.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<(i64, u32)> {
        let hour = hour(now);
        let oldest = hour - MONTH;
        self.asked.retain(|hour, _| *hour >= oldest);
        let made = self.asked.entry(hour).or_default();
        *made = made.saturating_add(1);
        if self.kept.0 == hour && self.kept.1 >= *made {
            return None;
        }
        // Some are kept ahead, so that not each of them has to wait for the ledger; whoever is killed meanwhile counts a
        // few that were never made, and never one too few.
        let least = self.limits.iter().map(|(most, ..)| most / 64).min();
        self.kept = (hour, made.saturating_add(least.unwrap_or(0).min(31)));
        Some(self.kept)
    }
}

/// How far apart the runs of an integration have to begin, so that what its credential may ask in a day, or a month,
/// lasts for all that use it (R43): a tenth is kept for manual syncs, and the rest is dealt out evenly. Zero without such
/// a limit. `requests` is what a run of it asks.
pub fn apart(limits: &Limits, sharing: usize, requests: u64) -> SignedDuration {
    let sharing = u64::try_from(sharing.max(1)).unwrap_or(u64::MAX);
    let apart = |most: Option<u32>, hours: i64| {
        let most = u64::from(for_the_clock(most?.max(1)));
        let seconds = hours.unsigned_abs() * HOUR.unsigned_abs();
        let all = u128::from(requests) * u128::from(sharing) * u128::from(seconds);
        let seconds = all.div_ceil(u128::from(most));
        Some(SignedDuration::from_secs(
            i64::try_from(seconds).unwrap_or(i64::MAX),
        ))
    };
    let day = apart(limits.per_day, DAY);
    day.max(apart(limits.per_month, MONTH))
        .unwrap_or(SignedDuration::ZERO)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn of_a_day(most: u32) -> Limits {
        Limits {
            per_day: Some(most),
            ..Limits::default()
        }
    }

    fn allowance(limits: &Limits) -> Allowance {
        Allowance::new(limits, BTreeMap::new).unwrap()
    }

    #[test]
    fn r43_a_tenth_of_a_day_is_kept_for_whoever_asks_by_hand() {
        let mut day = allowance(&of_a_day(25));
        for _ in 0..22 {
            assert_eq!(day.used_up(at(0), false), None);
            day.take(at(0));
        }
        let used_up = day.used_up(at(0), false).unwrap();
        assert_eq!(used_up.limit, "25 requests a day");
        assert!(used_up.is_kept_back);
        for _ in 0..3 {
            assert_eq!(day.used_up(at(0), true), None);
            day.take(at(0));
        }
        let used_up = day.used_up(at(0), true).unwrap();
        assert!(!used_up.is_kept_back);
        // Until then, and no longer.
        let back = at(0).checked_add(used_up.wait).unwrap();
        assert!(used_up.wait >= SignedDuration::from_hours(24));
        assert!(used_up.wait <= SignedDuration::from_hours(25));
        assert_eq!(day.used_up(back, false), None);
        let before = back.checked_sub(SignedDuration::from_secs(1)).unwrap();
        assert!(day.used_up(before, true).is_some());
    }

    #[test]
    fn r43_what_is_dealt_out_is_what_sixty_properties_may_ask_with_an_old_contract() {
        let of = |sharing, requests| apart(&of_a_day(2500), sharing, requests);
        // 60 × 2 calls in 18.75 rounds a day.
        assert_eq!(of(60, 2).as_mins(), 76);
        assert_eq!(of(10, 2).as_mins(), 12);
        assert_eq!(of(0, 0), SignedDuration::ZERO);
        assert_eq!(apart(&Limits::default(), 60, 2), SignedDuration::ZERO);
        let of_a_month = Limits {
            per_month: Some(1000),
            ..of_a_day(2500)
        };
        assert_eq!(apart(&of_a_month, 1, 2).as_mins(), 99);
    }

    proptest! {
        /// Whatever is asked, in whatever process: no stretch of a day has more than the limit.
        #[test]
        fn r43_no_day_sees_more_than_its_limit_whatever_is_asked_and_restarted(
            most in 1_u32..200,
            steps in prop::collection::vec((0_i64..9000, any::<bool>(), 0_u8..20), 1..400),
        ) {
            let limits = of_a_day(most);
            let mut ledger: BTreeMap<i64, u32> = BTreeMap::new();
            let mut day = allowance(&limits);
            let (mut now, mut asked) = (at(0), Vec::new());
            for (wait, by_hand, restart) in steps {
                now = now.checked_add(SignedDuration::from_secs(wait)).unwrap();
                if restart == 0 {
                    day = Allowance::new(&limits, || ledger.clone()).unwrap();
                }
                if day.used_up(now, by_hand).is_some() {
                    continue;
                }
                if let Some((hour, requests)) = day.take(now) {
                    let kept = ledger.insert(hour, requests);
                    prop_assert!(kept.is_none_or(|kept| kept < requests));
                }
                asked.push(now);
            }
            for (first, beyond) in asked.iter().zip(asked.iter().skip(most as usize)) {
                prop_assert!(beyond.duration_since(*first) >= SignedDuration::from_hours(24));
            }
        }
    }
}
