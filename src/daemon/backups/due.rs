//! When the next backup is due. Pure: by a clock that nobody sets (R45), and what was made before the daemon began.

use jiff::{SignedDuration, Timestamp};

/// After a failure it is tried again so soon, and each time twice as late, but no later than the rhythm.
const AGAIN: SignedDuration = SignedDuration::from_mins(5);

/// When the next backup is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    /// By the clock that nobody sets.
    pub(super) at: Timestamp,
    /// So many failed since the last good one.
    failures: u32,
}

impl Due {
    /// As the daemon begins, or is told another rhythm: one that was missed is made at once, and a time that the wall clock
    /// cannot have reached yet puts it off by one rhythm at most.
    pub(super) fn after(last: Option<Timestamp>, every: SignedDuration, now: Timestamp) -> Due {
        let at = last.map_or(now, |last| {
            let due = last.saturating_add(every).unwrap_or(now);
            due.clamp(now, now.saturating_add(every).unwrap_or(now))
        });
        Due { at, failures: 0 }
    }

    /// After one that is good.
    pub(super) fn good(every: SignedDuration, now: Timestamp) -> Due {
        Due {
            at: now.saturating_add(every).unwrap_or(now),
            failures: 0,
        }
    }

    /// After one that failed.
    pub(super) fn failed(self, every: SignedDuration, now: Timestamp) -> Due {
        let factor = 1_i32.checked_shl(self.failures.min(16)).unwrap_or(1);
        let pause = AGAIN.saturating_mul(factor).min(every);
        Due {
            at: now.saturating_add(pause).unwrap_or(now),
            failures: self.failures.saturating_add(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: SignedDuration = SignedDuration::from_hours(24);

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hours * 3600).unwrap()
    }

    #[test]
    fn one_that_was_missed_is_due_at_once_and_another_when_its_time_comes() {
        let due = |last: Option<i64>| Due::after(last.map(at), DAY, at(100)).at;
        assert_eq!(due(None), at(100), "there never was one");
        assert_eq!(due(Some(0)), at(100), "it was missed");
        assert_eq!(due(Some(90)), at(114));
    }

    #[test]
    fn r45_a_last_one_of_the_future_puts_the_next_off_by_one_rhythm_at_most() {
        for last in [101, 1_000, 17_520] {
            assert!(Due::after(Some(at(last)), DAY, at(100)).at <= at(124));
        }
        assert!(Due::after(Some(Timestamp::MAX), DAY, at(100)).at <= at(124));
    }

    #[test]
    fn one_that_fails_is_tried_again_sooner_than_the_rhythm_and_later_each_time() {
        let mut due = Due::after(None, DAY, at(0));
        let mut before = SignedDuration::ZERO;
        for _ in 0..20 {
            due = due.failed(DAY, at(0));
            let pause = due.at.duration_since(at(0));
            assert!(pause >= before && pause <= DAY, "{pause}");
            before = pause;
        }
        assert_eq!(before, DAY);
        assert_eq!(
            Due::good(DAY, at(0))
                .failed(DAY, at(0))
                .at
                .duration_since(at(0)),
            AGAIN
        );
    }
}
