//! Whether the PMS takes a credential (R28). One that it refused is refused here, without asking, until its
//! values change or an hour has passed: more tries could lock the account. As long as nobody knows, requests
//! go one at a time, so that a wrong password fails once and not once for each integration.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::MutexGuard;

use super::Told;
use super::account::Fingerprint;

/// A refusal counts for so long for a run that the clock started.
const REFUSED_FOR: Duration = Duration::from_hours(1);

/// A refusal counts for so long where somebody asks: they may have put it right in the PMS. It is long
/// enough for the other integrations of a credential not to be refused one by one.
const REFUSED_BY_HAND_FOR: Duration = Duration::from_secs(10);

/// That a credential was taken counts for so long.
const ACCEPTED_FOR: Duration = Duration::from_mins(10);

/// What is known of a credential.
#[derive(Debug, Default)]
pub(super) struct Trust {
    known: Mutex<Option<Known>>,
    alone: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Known {
    fingerprint: Fingerprint,
    at: Instant,
    refused: Option<Told>,
}

/// What to do with a credential.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Unknown,
    Accepted,
    Refused(Told),
}

/// Leave to ask with a credential; alone, as long as nobody knows whether it is taken.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    trust: &'a Trust,
    fingerprint: Fingerprint,
    _alone: Option<MutexGuard<'a, ()>>,
}

impl Known {
    fn look(known: Option<&Known>, fingerprint: Fingerprint, by_hand: bool, now: Instant) -> Look {
        let refused_for = if by_hand {
            REFUSED_BY_HAND_FOR
        } else {
            REFUSED_FOR
        };
        let Some(known) = known.filter(|known| known.fingerprint == fingerprint) else {
            return Look::Unknown;
        };
        let age = now.saturating_duration_since(known.at);
        match &known.refused {
            Some(told) if age < refused_for => Look::Refused(told.clone()),
            None if age < ACCEPTED_FOR => Look::Accepted,
            _ => Look::Unknown,
        }
    }
}

impl Trust {
    /// Waits until there is leave to ask, or says why there is none.
    pub(super) async fn enter(
        &self,
        fingerprint: Fingerprint,
        by_hand: bool,
    ) -> Result<Pass<'_>, Told> {
        let pass = |alone| Pass {
            trust: self,
            fingerprint,
            _alone: alone,
        };
        match self.look(fingerprint, by_hand) {
            Look::Accepted => return Ok(pass(None)),
            Look::Refused(told) => return Err(told),
            Look::Unknown => {}
        }
        let alone = self.alone.lock().await;
        match self.look(fingerprint, by_hand) {
            Look::Accepted => Ok(pass(None)),
            Look::Refused(told) => Err(told),
            Look::Unknown => Ok(pass(Some(alone))),
        }
    }

    fn look(&self, fingerprint: Fingerprint, by_hand: bool) -> Look {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Known::look(known.as_ref(), fingerprint, by_hand, Instant::now())
    }
}

impl Pass<'_> {
    /// The PMS took the credential.
    pub(super) fn accepted(&self) {
        self.know(None);
    }

    /// The PMS refused the credential.
    pub(super) fn refused(&self, told: Told) {
        self.know(Some(told));
    }

    fn know(&self, refused: Option<Told>) {
        let mut known = self
            .trust
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *known = Some(Known {
            fingerprint: self.fingerprint,
            at: Instant::now(),
            refused,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn told() -> Told {
        Told {
            request: "residents".into(),
            property: String::new(),
            what: "no".into(),
            said: None,
            remedy: String::new(),
        }
    }

    fn fingerprints() -> (Fingerprint, Fingerprint) {
        let text = "version: 1\nscript: s\ncredential_fields: {}\nhosts: []\nrequests: {}\n";
        let file = std::path::Path::new("c.yaml");
        let document = crate::config::Document::parse(file, text).unwrap();
        let connector = document.read().unwrap();
        let of = |password: &str| {
            let values = BTreeMap::from([("password".to_owned(), password.into())]);
            Fingerprint::new(&[7; 32], &connector, &values, &[])
        };
        assert_eq!(of("one"), of("one"));
        (of("one"), of("two"))
    }

    #[test]
    fn a_refusal_counts_for_an_hour_and_for_these_values_only() {
        let (one, two) = fingerprints();
        let at = Instant::now();
        let known = |refused| Known {
            fingerprint: one,
            at,
            refused,
        };
        let (refused, accepted) = (known(Some(told())), known(None));
        let look = |known: &Known, fingerprint, minutes: u64| {
            Known::look(
                Some(known),
                fingerprint,
                false,
                at + Duration::from_mins(minutes),
            )
        };
        assert_eq!(look(&refused, one, 59), Look::Refused(told()));
        assert_eq!(look(&refused, one, 60), Look::Unknown);
        assert_eq!(look(&refused, two, 0), Look::Unknown);
        assert_eq!(look(&accepted, one, 9), Look::Accepted);
        assert_eq!(look(&accepted, one, 10), Look::Unknown);
        assert_eq!(Known::look(None, one, false, at), Look::Unknown);
        let by_hand = |seconds: u64| {
            let now = at + Duration::from_secs(seconds);
            Known::look(Some(&refused), one, true, now)
        };
        assert_eq!(by_hand(9), Look::Refused(told()));
        assert_eq!(by_hand(10), Look::Unknown, "somebody asks again");
    }

    #[tokio::test]
    async fn while_nobody_knows_one_asks_and_the_others_hear_of_it() {
        let (one, _) = fingerprints();
        let trust = Trust::default();
        let pass = trust.enter(one, false).await.unwrap();
        let (second, ()) = tokio::join!(trust.enter(one, false), async {
            pass.refused(told());
            drop(pass);
        });
        assert_eq!(second.unwrap_err(), told());
    }
}
