//! Whether the server takes a credential (R28, R44). A login that it refused is refused here, without asking, until its values
//! change or an hour has passed: more tries could lock the account. Where it denied requests and let nothing in, one other
//! request may show whether it takes the credential at all; that is one which was not denied in an hour before, so that a
//! property without a licence does not stand in the way of the others for ever. As long as nobody knows, requests go one at
//! a time, so that a wrong password fails once and not once for each integration.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::MutexGuard;

use super::account::Fingerprint;
use super::error::OutboundError;

/// A refusal counts for so long for a run that the clock started.
const REFUSED_FOR: Duration = Duration::from_hours(1);

/// A refusal counts for so long where somebody asks: they may have put it right there. It is long
/// enough for the other integrations of a credential not to be refused one by one.
pub(super) const REFUSED_BY_HAND_FOR: Duration = Duration::from_secs(10);

/// That a credential was taken counts for so long.
const ACCEPTED_FOR: Duration = Duration::from_mins(10);

/// The first request of a run waits so long for the answer to that of another one, although the credential was taken
/// lately: the password may be another one since, and a refusal does not take long.
const PATIENCE: Duration = Duration::from_secs(2);

/// So many requests may be denied while nothing is let in.
const DENIED_AT_MOST: usize = 2;

/// What is known of a credential.
#[derive(Debug, Default)]
pub(super) struct Trust {
    known: Mutex<Option<Known>>,
    alone: tokio::sync::Mutex<()>,
}

/// What was asked: the request, and what of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) request: String,
    pub(super) subject: String,
}

/// What an answer says about a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Evidence {
    /// It is taken.
    LetIn,
    /// It is refused, with this error.
    Refused(OutboundError),
    /// What was asked for there is denied, by a server that let nothing in in the same run.
    Denied(OutboundError, Place),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    fingerprint: Fingerprint,
    at: Instant,
    state: State,
    /// What is denied to a credential that is taken otherwise: it says nothing about the credential when it is denied
    /// again.
    beside: BTreeSet<Place>,
    /// What was denied since something was let in.
    in_doubt: BTreeSet<Place>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Accepted,
    Refused(OutboundError),
    /// With the last error.
    Denied(OutboundError, Vec<Place>),
}

/// What to do with a credential.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Unknown,
    Accepted,
    Refused(OutboundError),
}

/// Leave to ask with a credential; alone, as long as nobody knows whether it is taken.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    trust: &'a Trust,
    fingerprint: Fingerprint,
    _alone: Option<MutexGuard<'a, ()>>,
}

/// Who asks for leave.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) fingerprint: Fingerprint,
    /// For what.
    pub(super) place: &'a Place,
    /// Somebody asks, and not the clock.
    pub(super) by_hand: bool,
    /// Something was let in in the same run.
    pub(super) proven: bool,
}

impl Known {
    fn look(known: Option<&Known>, asker: Asker<'_>, now: Instant) -> Look {
        let refused_for = if asker.by_hand {
            REFUSED_BY_HAND_FOR
        } else {
            REFUSED_FOR
        };
        let Some(known) = known.filter(|known| known.fingerprint == asker.fingerprint) else {
            return Look::Unknown;
        };
        let age = now.saturating_duration_since(known.at);
        match &known.state {
            State::Refused(error) if age < refused_for => Look::Refused(error.clone()),
            State::Denied(error, places)
                if age < refused_for
                    && (places.len() >= DENIED_AT_MOST
                        || if places.contains(asker.place) {
                            // It is no other request, and shows nothing more. What is in words that nobody knows may
                            // be a moment's trouble, and gets a second try.
                            matches!(error, OutboundError::Denied(_))
                        } else {
                            !asker.by_hand && known.in_doubt.contains(asker.place)
                        }) =>
            {
                Look::Refused(error.clone())
            }
            State::Accepted if age < ACCEPTED_FOR => Look::Accepted,
            _ => Look::Unknown,
        }
    }

    /// What is known after an answer.
    fn after(
        before: Option<Known>,
        fingerprint: Fingerprint,
        evidence: Evidence,
        now: Instant,
    ) -> Known {
        let (mut beside, mut in_doubt, state) =
            match before.filter(|known| known.fingerprint == fingerprint) {
                Some(known) => {
                    let age = now.saturating_duration_since(known.at);
                    if let Evidence::Denied(_, place) = &evidence
                        && known.beside.contains(place)
                    {
                        return known;
                    }
                    (
                        known.beside,
                        known.in_doubt,
                        Some(known.state).filter(|_| age < REFUSED_FOR),
                    )
                }
                None => (BTreeSet::new(), BTreeSet::new(), None),
            };
        let denied = match state {
            Some(State::Denied(_, places)) => places,
            Some(State::Accepted | State::Refused(_)) | None => Vec::new(),
        };
        let state = match evidence {
            Evidence::LetIn => {
                beside.append(&mut in_doubt);
                State::Accepted
            }
            Evidence::Refused(error) => State::Refused(error),
            Evidence::Denied(error, place) => {
                in_doubt.insert(place.clone());
                let places = denied.into_iter().chain([place]).collect();
                State::Denied(error, places)
            }
        };
        Known {
            fingerprint,
            at: now,
            state,
            beside,
            in_doubt,
        }
    }
}

impl Trust {
    /// Waits until there is leave to ask, or says why there is none.
    pub(super) async fn enter(&self, asker: Asker<'_>) -> Result<Pass<'_>, OutboundError> {
        let pass = |alone| Pass {
            trust: self,
            fingerprint: asker.fingerprint,
            _alone: alone,
        };
        let alone = match self.look(asker) {
            Look::Refused(error) => return Err(error),
            Look::Accepted if asker.proven => return Ok(pass(None)),
            Look::Accepted => tokio::time::timeout(PATIENCE, self.alone.lock()).await.ok(),
            Look::Unknown => Some(self.alone.lock().await),
        };
        match self.look(asker) {
            Look::Refused(error) => Err(error),
            // What was taken when the waiting began, and is in doubt now, is waited for as long as it takes.
            Look::Unknown if alone.is_none() => Ok(pass(Some(self.alone.lock().await))),
            Look::Accepted | Look::Unknown => Ok(pass(alone)),
        }
    }

    fn look(&self, asker: Asker<'_>) -> Look {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Known::look(known.as_ref(), asker, Instant::now())
    }
}

impl Pass<'_> {
    /// What the answer said.
    pub(super) fn learn(&self, evidence: Evidence) {
        let mut known = self
            .trust
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let before = known.take();
        *known = Some(Known::after(
            before,
            self.fingerprint,
            evidence,
            Instant::now(),
        ));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::outbound::Told;

    fn told() -> Told {
        Told {
            request: "residents".into(),
            subject: String::new(),
            what: "no".into(),
            said: None,
            remedy: String::new(),
        }
    }

    fn refused() -> Evidence {
        Evidence::Refused(OutboundError::LoginFailed(told()))
    }

    fn denied(property: &str) -> Evidence {
        let place = Place {
            request: "residents".into(),
            subject: property.into(),
        };
        Evidence::Denied(OutboundError::Denied(told()), place)
    }

    fn fingerprints() -> (Fingerprint, Fingerprint) {
        let of = |password: &str| {
            let values = BTreeMap::from([("password".to_owned(), password.into())]);
            Fingerprint::new(&[7; 32], "a connector", &values, &[])
        };
        assert_eq!(of("one"), of("one"));
        (of("one"), of("two"))
    }

    /// What is known after answers, each so many minutes after the beginning.
    fn after(of: Fingerprint, begin: Instant, answers: &[(u64, Evidence)]) -> Option<Known> {
        answers.iter().fold(None, |known, (minutes, evidence)| {
            let now = begin + Duration::from_mins(*minutes);
            Some(Known::after(known, of, evidence.clone(), now))
        })
    }

    fn place(property: &str) -> &'static Place {
        Box::leak(Box::new(Place {
            request: "residents".into(),
            subject: property.into(),
        }))
    }

    fn by_clock(fingerprint: Fingerprint) -> Asker<'static> {
        Asker {
            fingerprint,
            place: place("new"),
            by_hand: false,
            proven: false,
        }
    }

    /// A run of the clock and one by hand asked for the same site without a licence, and the other site was not asked.
    #[test]
    fn what_was_denied_is_not_the_other_request_that_may_show_whether_the_credential_is_taken() {
        let (one, _) = fingerprints();
        let at = Instant::now();
        let known = after(one, at, &[(0, denied("a"))]);
        let look = |property: &str| {
            let asker = Asker {
                place: place(property),
                by_hand: true,
                ..by_clock(one)
            };
            Known::look(known.as_ref(), asker, at)
        };
        assert_eq!(look("b"), Look::Unknown);
        assert!(matches!(look("a"), Look::Refused(_)));
    }

    #[test]
    fn a_refusal_counts_for_an_hour_and_for_these_values_only() {
        let (one, two) = fingerprints();
        let at = Instant::now();
        let is_refused = after(one, at, &[(0, refused())]);
        let accepted = after(one, at, &[(0, Evidence::LetIn)]);
        let look = |known: &Option<Known>, fingerprint, minutes: u64| {
            let now = at + Duration::from_mins(minutes);
            Known::look(known.as_ref(), by_clock(fingerprint), now)
        };
        let refuses = Look::Refused(OutboundError::LoginFailed(told()));
        assert_eq!(look(&is_refused, one, 59), refuses);
        assert_eq!(look(&is_refused, one, 60), Look::Unknown);
        assert_eq!(look(&is_refused, two, 0), Look::Unknown);
        assert_eq!(look(&accepted, one, 9), Look::Accepted);
        assert_eq!(look(&accepted, one, 10), Look::Unknown);
        assert_eq!(look(&None, one, 0), Look::Unknown);
        let by_hand = |seconds: u64| {
            let now = at + Duration::from_secs(seconds);
            let asker = Asker {
                by_hand: true,
                ..by_clock(one)
            };
            Known::look(is_refused.as_ref(), asker, now)
        };
        assert_eq!(by_hand(9), refuses);
        assert_eq!(by_hand(10), Look::Unknown, "somebody asks again");
    }

    /// R44.
    #[test]
    fn after_two_denials_and_nothing_let_in_there_is_no_third_for_an_hour() {
        let (one, two) = fingerprints();
        let at = Instant::now();
        let look = |answers: &[(u64, Evidence)], fingerprint, minutes: u64| {
            let known = after(one, at, answers);
            let now = at + Duration::from_mins(minutes);
            Known::look(known.as_ref(), by_clock(fingerprint), now)
        };
        let refuses = Look::Refused(OutboundError::Denied(told()));
        let twice = [(0, denied("a")), (5, denied("b"))];
        assert_eq!(look(&twice[..1], one, 1), Look::Unknown);
        assert_eq!(look(&twice, one, 64), refuses);
        assert_eq!(look(&twice, one, 65), Look::Unknown);
        assert_eq!(look(&twice, two, 6), Look::Unknown);
        let same = [(0, denied("a")), (5, denied("a"))];
        assert_eq!(look(&same, one, 6), refuses);
        // After the hour it begins anew.
        let later = [(0, denied("a")), (5, denied("b")), (70, denied("a"))];
        assert_eq!(look(&later, one, 71), Look::Unknown);
    }

    /// Two properties without a licence that come first in each hour stop the others for one hour.
    #[test]
    fn the_other_request_after_a_denial_is_one_that_was_not_denied_before() {
        let (one, _) = fingerprints();
        let at = Instant::now();
        let answers = [(0, denied("a")), (5, denied("b")), (66, denied("a"))];
        let known = after(one, at, &answers);
        let look = |property, by_hand| {
            let asker = Asker {
                place: place(property),
                by_hand,
                ..by_clock(one)
            };
            Known::look(known.as_ref(), asker, at + Duration::from_mins(67))
        };
        assert!(matches!(look("b", false), Look::Refused(_)));
        assert_eq!(look("b", true), Look::Unknown);
        assert_eq!(look("c", false), Look::Unknown);
        let mut answers = answers.to_vec();
        answers.push((67, Evidence::LetIn));
        let known = after(one, at, &answers).unwrap();
        assert_eq!(known.beside.len(), 2);
        assert!(known.in_doubt.is_empty());
    }

    /// B4.
    #[test]
    fn what_is_denied_beside_what_is_let_in_stops_nothing() {
        let (one, _) = fingerprints();
        let at = Instant::now();
        let known = |answers: &[(u64, Evidence)], minutes: u64| {
            let now = at + Duration::from_mins(minutes);
            Known::look(after(one, at, answers).as_ref(), by_clock(one), now)
        };
        let mut answers = vec![(0, denied("a")), (1, Evidence::LetIn)];
        assert_eq!(known(&answers, 2), Look::Accepted);
        answers.push((60, denied("a")));
        answers.push((61, denied("a")));
        assert_eq!(known(&answers, 62), Look::Unknown);
        answers.push((62, denied("b")));
        answers.push((63, denied("c")));
        assert!(matches!(known(&answers, 64), Look::Refused(_)));
    }

    #[tokio::test]
    async fn while_nobody_knows_one_asks_and_the_others_hear_of_it() {
        let (one, _) = fingerprints();
        let trust = Trust::default();
        let pass = trust.enter(by_clock(one)).await.unwrap();
        let (second, ()) = tokio::join!(trust.enter(by_clock(one)), async {
            pass.learn(refused());
            drop(pass);
        });
        assert_eq!(second.unwrap_err(), OutboundError::LoginFailed(told()));
    }

    /// E8: the password may be another one since.
    #[tokio::test]
    async fn a_run_begins_alone_although_the_credential_was_taken_lately() {
        let (one, _) = fingerprints();
        let trust = Trust::default();
        trust
            .enter(by_clock(one))
            .await
            .unwrap()
            .learn(Evidence::LetIn);
        let pass = trust.enter(by_clock(one)).await.unwrap();
        // Not so one that was let in already.
        let proven = Asker {
            proven: true,
            ..by_clock(one)
        };
        drop(trust.enter(proven).await.unwrap());
        let (second, ()) = tokio::join!(trust.enter(by_clock(one)), async {
            pass.learn(refused());
            drop(pass);
        });
        assert!(second.is_err());
    }
}
