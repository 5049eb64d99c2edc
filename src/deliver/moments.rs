//! Moments and how far they lie apart, at both ends of time too.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// So long after a moment.
pub(super) fn after(moment: Timestamp, long: Duration) -> Timestamp {
    moment
        .saturating_add(signed(long))
        .unwrap_or(Timestamp::MAX)
}

/// Whether it is no longer since then.
pub(super) fn within(since: Timestamp, long: Duration, now: Timestamp) -> bool {
    after(since, long) > now
}

/// A duration that can be compared with those between moments.
pub(super) fn signed(long: Duration) -> SignedDuration {
    SignedDuration::try_from(long).unwrap_or(SignedDuration::MAX)
}
