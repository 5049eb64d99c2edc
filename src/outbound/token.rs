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
    of: Of,
    fetched: Instant,
    used: Instant,
    lasts: Lasts,
}

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Of {
    /// The values that it was fetched with.
    pub(crate) fingerprint: Fingerprint,
    /// The same without what is secret: where it is from.
    pub(crate) place: Fingerprint,
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
            kept.of.fingerprint == fingerprint
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

    /// The tokens that do not serve any more, to be given back: a doubtful one, and one that was fetched with another secret.
    /// They are kept no longer.
    pub(crate) fn leave_useless(&mut self, of: Of, now: Instant) -> Vec<Left> {
        let is_useless = |kept: &mut Kept| kept.of.fingerprint != of.fingerprint;
        let useless = self.kept.take_if(is_useless);
        self.left(useless, of, now)
    }

    /// All that is kept from there, to be given back; it is kept no longer.
    pub(crate) fn leave(&mut self, of: Of, now: Instant) -> Vec<Left> {
        let kept = self.kept.take();
        self.left(kept, of, now)
    }

    /// What is doubtful, and what was kept. What is meant for another host, or another account, is shown to nobody.
    fn left(&mut self, kept: Option<Kept>, of: Of, now: Instant) -> Vec<Left> {
        let doubtful = self.doubtful.take().map(|one| (one, true));
        let serves = |kept: &Kept| !kept.lasts.over(kept.fetched, kept.used, now);
        let kept = kept.filter(serves).map(|one| (one, false));
        let all = doubtful.into_iter().chain(kept);
        all.filter(|(one, _)| one.of.place == of.place)
            .map(|(one, is_doubtful)| Left {
                is_doubtful: is_doubtful || one.of.fingerprint != of.fingerprint,
                secret: one.secret,
            })
            .collect()
    }

    /// Keeps a token that was just fetched.
    pub(crate) fn keep(&mut self, secret: Secret, of: Of, lasts: Lasts, now: Instant) -> Token {
        self.serial += 1;
        self.kept = Some(Kept {
            secret: secret.clone(),
            of,
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

    #[test]
    fn a_token_of_another_secret_is_not_used_and_is_given_back_where_it_is_from() {
        let print = |text: &str| {
            let values = std::collections::BTreeMap::from([("a".to_owned(), text.into())]);
            Fingerprint::new(&[7; 32], "a connector", &values, &[])
        };
        let of = |secret: &str, place: &str| Of {
            fingerprint: print(secret),
            place: print(place),
        };
        let now = Instant::now();
        let with = |secret: &str, place: &str| {
            let mut session = Session::default();
            let token = Secret::new("t".to_owned());
            session.keep(token, of(secret, place), Lasts::default(), now);
            session
        };
        let mut session = with("old", "here");
        assert!(session.take(print("new"), None, now).is_none());
        let left = session.leave_useless(of("new", "here"), now);
        assert_eq!((left.len(), left[0].is_doubtful), (1, true));
        assert!(!session.holds());
        let left = with("old", "here").leave(of("new", "here"), now);
        assert_eq!((left.len(), left[0].is_doubtful), (1, true));
        // The same, and one for another host.
        let mut same = with("old", "here");
        assert!(same.leave_useless(of("old", "here"), now).is_empty());
        assert!(!same.leave(of("old", "here"), now)[0].is_doubtful);
        assert!(
            with("old", "here")
                .leave_useless(of("new", "there"), now)
                .is_empty()
        );
    }
}
