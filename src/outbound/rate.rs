//! The headers in which a server tells what is left of its budget, and when it is back. Pure.

use std::time::{Duration, SystemTime};

/// Larger numbers are a Unix time, and still larger ones one in milliseconds.
const SECONDS_AT_MOST: f64 = 1e8;
const MILLISECONDS_FROM: f64 = 1e11;

/// How long to wait before the next request: until every window is back that has nothing left.
pub(super) fn used_up(
    remaining: Option<&str>,
    reset: Option<&str>,
    now: SystemTime,
) -> Option<Duration> {
    let left = numbers(remaining?);
    let resets = waits(reset?, now);
    let empty = |left: &Option<f64>| left.is_some_and(|left| left <= 0.0);
    if left.len() == resets.len() {
        let pairs = left.iter().zip(resets);
        pairs
            .filter(|(left, _)| empty(left))
            .filter_map(|(_, wait)| wait)
            .max()
    } else if left.iter().any(empty) {
        resets.into_iter().flatten().max()
    } else {
        None
    }
}

/// How long to wait after a refusal: what is used up says so; else the window that is back first, as that
/// is the one that fills most often.
pub(super) fn refused(
    remaining: Option<&str>,
    reset: Option<&str>,
    now: SystemTime,
) -> Option<Duration> {
    used_up(remaining, reset, now).or_else(|| waits(reset?, now).into_iter().flatten().min())
}

fn waits(text: &str, now: SystemTime) -> Vec<Option<Duration>> {
    let now = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64();
    let wait = |number: f64| {
        let seconds = match number {
            n if n >= MILLISECONDS_FROM => n / 1000.0 - now,
            n if n > SECONDS_AT_MOST => n - now,
            n => n,
        };
        Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default()
    };
    let numbers = numbers(text).into_iter();
    numbers.map(|number| number.map(wait)).collect()
}

/// One number for each window; what stands behind it, such as `/HOUR`, does not matter.
fn numbers(text: &str) -> Vec<Option<f64>> {
    text.split(';')
        .map(|part| {
            let part = part.trim();
            let end = part
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .unwrap_or(part.len());
            part.get(..end)?.parse().ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn each_window_has_its_own_reset() {
        let used = |remaining, reset| used_up(Some(remaining), Some(reset), at(1000));
        let resets = "36686;686;26";
        assert_eq!(used("14000;900;3", resets), None);
        assert_eq!(used("14000;900;0", resets), Some(secs(26)));
        assert_eq!(used("14000/DAY;0/HOUR;0/MINUTE", resets), Some(secs(686)));
        assert_eq!(used("0", resets), Some(secs(36_686)));
        assert_eq!(used("5;0", "9"), Some(secs(9)));
        assert_eq!(used("soon", "9"), None);
        assert_eq!(used("0", "soon"), None);
        assert_eq!(used_up(None, Some("9"), at(0)), None);
    }

    #[test]
    fn a_reset_may_be_a_time() {
        let now = at(1_700_000_000);
        let used = |reset| used_up(Some("0"), Some(reset), now);
        assert_eq!(used("1700000030"), Some(secs(30)));
        assert_eq!(used("1700000030000"), Some(secs(30)));
        assert_eq!(used("1600000000"), Some(secs(0)));
        assert_eq!(used("2.5"), Some(Duration::from_millis(2500)));
    }

    #[test]
    fn after_a_refusal_the_window_that_is_back_first_is_waited_for() {
        let refused = |remaining| refused(remaining, Some("36686;686;26"), at(0));
        assert_eq!(refused(None), Some(secs(26)));
        assert_eq!(refused(Some("14000;0;3")), Some(secs(686)));
    }
}
