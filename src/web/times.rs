//! Moments and lengths of time in words. Reads no clock.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// How long ago, or how far ahead: `4 min ago`, `in 51 min`.
pub(super) fn relative(time: Timestamp, now: Timestamp) -> String {
    match time.as_second() - now.as_second() {
        -9..=9 => "just now".to_owned(),
        ahead @ 1.. => format!("in {}", length(ahead)),
        behind => format!("{} ago", length(-behind)),
    }
}

/// The moment itself, to the second.
pub(super) fn exact(time: Timestamp) -> String {
    let here = time.to_zoned(TimeZone::UTC);
    here.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// So many seconds in their largest unit, rounded down.
pub(super) fn length(seconds: i64) -> String {
    match seconds {
        ..1 => "under a second".to_owned(),
        1..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_from_now_in_their_largest_unit() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let now = at(1_000_000);
        for (second, told) in [
            (1_000_000, "just now"),
            (1_000_009, "just now"),
            (999_991, "just now"),
            (999_941, "59 s ago"),
            (999_761, "3 min ago"),
            (1_003_060, "in 51 min"),
            (1_000_000 - 86_400, "24 h ago"),
            (1_000_000 - 3 * 86_400, "3 days ago"),
        ] {
            assert_eq!(relative(at(second), now), told);
        }
        assert_eq!(length(0), "under a second");
        assert_eq!(exact(at(0)), "1970-01-01 00:00:00 UTC");
    }
}
