//! The token of a credential: kept in memory, for as long as it serves.

use std::time::{Duration, Instant};

use crate::config::Secret;

use super::account::Fingerprint;

/// The token that the integrations of a credential share.
#[derive(Debug, Default)]
pub(crate) struct Session {
    kept: Option<Kept>,
    /// The last one that was dropped although nobody said that it does not serve.
    doubtful: Option<Kept>,
    serial: u64,
}

#[derive(Debug)]
struct Kept {
    secret: Secret,
    fingerprint: Fingerprint,
    fetched: Instant,
    used: Instant,
    lasts: Lasts,
}

/// How long a token serves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lasts {
    /// Since its last use.
    pub(crate) idle: Option<Duration>,
    /// Since it was fetched.
    pub(crate) lifetime: Option<Duration>,
}

/// A token that nobody needs any more.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) secret: Secret,
    /// That it may not serve any more.
    pub(crate) is_doubtful: bool,
}

/// A token for one request.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) secret: Secret,
    /// Which one it is.
    pub(crate) serial: u64,
    /// That it was fetched earlier, and may have become useless since.
    pub(crate) kept: bool,
}

impl Lasts {
    /// What `expires_in` says, with a margin for clocks and for the way: a minute, and a tenth at most.
    pub(crate) fn expires_in(seconds: Option<u64>) -> Lasts {
        let lifetime = seconds
            .map(Duration::from_secs)
            .map(|lifetime| lifetime.saturating_sub((lifetime / 10).min(Duration::from_mins(1))));
        Lasts {
            idle: None,
            lifetime,
        }
    }

    fn over(&self, fetched: Instant, used: Instant, now: Instant) -> bool {
        let past = |limit: Option<Duration>, since: Instant| {
            limit.is_some_and(|limit| now.saturating_duration_since(since) >= limit)
        };
        past(self.lifetime, fetched) || past(self.idle, used)
    }
}

impl Session {
    /// The kept token, if it serves: for these values, not too old, and not the one that was refused.
    pub(crate) fn take(
        &mut self,
        fingerprint: Fingerprint,
        refused: Option<u64>,
        now: Instant,
    ) -> Option<Token> {
        let serial = self.serial;
        let kept = self.kept.as_mut().filter(|kept| {
            kept.fingerprint == fingerprint
                && refused != Some(serial)
                && !kept.lasts.over(kept.fetched, kept.used, now)
        })?;
        kept.used = now;
        Some(Token {
            secret: kept.secret.clone(),
            serial,
            kept: true,
        })
    }

    /// Drops a token that the server may have refused, in whatever form: the next run fetches another one.
    pub(crate) fn forget(&mut self, serial: u64) {
        if self.serial == serial {
            self.doubtful = self.kept.take();
        }
    }

    /// Whether a token is kept, for whatever values.
    pub(crate) fn holds(&self) -> bool {
        self.kept.is_some() || self.doubtful.is_some()
    }

    /// The token that may not serve any more, to be given back; it is kept no longer.
    pub(crate) fn leave_doubtful(&mut self, fingerprint: Fingerprint) -> Option<Left> {
        // What is meant for another host, or another account, is shown to nobody.
        let left = self.doubtful.take();
        let left = left.filter(|left| left.fingerprint == fingerprint)?;
        Some(Left {
            secret: left.secret,
            is_doubtful: true,
        })
    }

    /// All that is kept for these values, to be given back; it is kept no longer.
    pub(crate) fn leave(&mut self, fingerprint: Fingerprint, now: Instant) -> Vec<Left> {
        let kept = self.kept.take().filter(|kept| {
            kept.fingerprint == fingerprint && !kept.lasts.over(kept.fetched, kept.used, now)
        });
        let kept = kept.map(|kept| Left {
            secret: kept.secret,
            is_doubtful: false,
        });
        let doubtful = self.leave_doubtful(fingerprint);
        doubtful.into_iter().chain(kept).collect()
    }

    /// Keeps a token that was just fetched.
    pub(crate) fn keep(
        &mut self,
        secret: Secret,
        fingerprint: Fingerprint,
        lasts: Lasts,
        now: Instant,
    ) -> Token {
        self.serial += 1;
        self.kept = Some(Kept {
            secret: secret.clone(),
            fingerprint,
            fetched: now,
            used: now,
            lasts,
        });
        Token {
            secret,
            serial: self.serial,
            kept: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_over_when_it_is_idle_or_old() {
        let begun = Instant::now();
        let at = |minutes: u64| begun + Duration::from_mins(minutes);
        let lasts = Lasts {
            idle: Some(Duration::from_mins(20)),
            lifetime: Some(Duration::from_hours(8)),
        };
        assert!(!lasts.over(begun, at(100), at(119)));
        assert!(lasts.over(begun, at(100), at(120)));
        assert!(lasts.over(begun, at(479), at(480)));
        assert!(!Lasts::default().over(begun, begun, at(100_000)));
    }

    #[test]
    fn what_expires_is_renewed_a_while_before() {
        let lifetime = |seconds| Lasts::expires_in(Some(seconds)).lifetime;
        assert_eq!(lifetime(3600), Some(Duration::from_mins(59)));
        assert_eq!(lifetime(10), Some(Duration::from_secs(9)));
        assert_eq!(Lasts::expires_in(None), Lasts::default());
    }
}
