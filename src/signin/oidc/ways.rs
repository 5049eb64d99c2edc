//! Who left for the provider and has not come back: what has to come with them, once, by the same browser, soon. Pure: chance
//! and the moment are arguments.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use crate::outbound::challenge;

use super::super::slowing::network;
use super::super::token::Token;
use super::OidcError;

/// So long may somebody be away.
const LASTS: Duration = Duration::from_mins(10);
/// So many are away from one address at once; of more the one who left first does not come back.
const OF_AN_ADDRESS: usize = 100;
/// So many in all.
const MOST: usize = 5_000;

/// What is known of somebody who is away.
pub(super) struct Way {
    from: IpAddr,
    /// What the browser has to show.
    binding: Token,
    /// The provider that they left for.
    issuer: String,
    pub(super) nonce: String,
    /// What is shown with the code (RFC 7636).
    pub(super) verifier: String,
    pub(super) redirect_uri: String,
    /// Where they wanted to go.
    pub(super) next: String,
    pub(super) left: Timestamp,
}

/// What somebody takes along.
pub(super) struct Taken {
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) challenge: String,
    /// For the browser alone.
    pub(super) binding: String,
}

/// Everybody who is away.
#[derive(Default)]
pub(super) struct Ways(BTreeMap<Token, Way>);

impl Ways {
    /// Somebody leaves.
    pub(super) fn leave(
        &mut self,
        (issuer, redirect_uri, next): (&str, &str, String),
        from: IpAddr,
        chance: [[u8; 32]; 4],
        now: Timestamp,
    ) -> Taken {
        let from = network(from);
        self.0.retain(|_, way| way.lasts(now));
        while self.0.values().filter(|way| way.from == from).count() >= OF_AN_ADDRESS {
            self.forget_first(|way| way.from == from);
        }
        while self.0.len() >= MOST {
            self.forget_first(|_| true);
        }
        let [state, nonce, verifier, binding] = chance.map(|one| URL_SAFE_NO_PAD.encode(one));
        let taken = Taken {
            state,
            nonce: nonce.clone(),
            challenge: challenge(&verifier),
            binding,
        };
        let way = Way {
            from,
            binding: Token::of(&taken.binding),
            issuer: issuer.to_owned(),
            nonce,
            verifier,
            redirect_uri: redirect_uri.to_owned(),
            next,
            left: now,
        };
        self.0.insert(Token::of(&taken.state), way);
        taken
    }

    /// Somebody comes back, who cannot do so a second time.
    pub(super) fn comes_back(
        &mut self,
        state: &str,
        binding: Option<&str>,
        issuer: &str,
        now: Timestamp,
    ) -> Result<Way, OidcError> {
        let way = self.0.remove(&Token::of(state)).ok_or(OidcError::Over(
            "nobody left for the provider with this `state`, or they came back already",
        ))?;
        if !way.lasts(now) {
            return Err(OidcError::Over("somebody was away for too long"));
        }
        if binding.map(Token::of) != Some(way.binding) {
            return Err(OidcError::Over(
                "another browser came back than the one that left",
            ));
        }
        if way.issuer != issuer {
            return Err(OidcError::Over(
                "somebody left for another provider than the settings name now",
            ));
        }
        Ok(way)
    }

    fn forget_first(&mut self, among: impl Fn(&Way) -> bool) {
        let among = self.0.iter().filter(|(_, way)| among(way));
        let first = among.min_by_key(|(_, way)| way.left);
        if let Some(state) = first.map(|(state, _)| *state) {
            self.0.remove(&state);
        }
    }
}

impl Way {
    /// One that left in the future left by a clock that was set.
    fn lasts(&self, now: Timestamp) -> bool {
        let away = self.left.duration_until(now);
        let lasts = SignedDuration::try_from(LASTS).unwrap_or_default();
        away < lasts && away > -lasts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://id.example.org";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn here(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn leave(ways: &mut Ways, from: IpAddr, count: u16, second: i64) -> Taken {
        let mut chance = [[0; 32]; 4];
        for (at, one) in (0_u8..).zip(&mut chance) {
            one[..2].copy_from_slice(&count.to_be_bytes());
            one[2] = at;
        }
        let to = (ISSUER, "https://here/back", "/people".to_owned());
        ways.leave(to, from, chance, at(second))
    }

    fn back(ways: &mut Ways, taken: &Taken, second: i64) -> Result<Way, OidcError> {
        ways.comes_back(&taken.state, Some(&taken.binding), ISSUER, at(second))
    }

    #[test]
    fn whoever_left_comes_back_once_by_the_same_browser_and_soon() {
        let mut ways = Ways::default();
        let taken = leave(&mut ways, here(1), 1, 0);
        let way = back(&mut ways, &taken, 599).unwrap();
        assert_eq!((&*way.next, &way.nonce), ("/people", &taken.nonce));
        assert_eq!(challenge(&way.verifier), taken.challenge);
        assert!(way.verifier.len() >= 43, "RFC 7636, 4.1");
        assert!(back(&mut ways, &taken, 600).is_err(), "a second time");
        for (binding, issuer, second) in [
            (None, ISSUER, 1),
            (Some("another"), ISSUER, 1),
            (Some("own"), "https://other.example", 1),
            (Some("own"), ISSUER, 600),
            (Some("own"), ISSUER, -600),
        ] {
            let taken = leave(&mut ways, here(1), 2, 0);
            let binding = binding.map(|one| if one == "own" { &*taken.binding } else { one });
            let came = ways.comes_back(&taken.state, binding, issuer, at(second));
            assert!(came.is_err(), "{binding:?} {issuer} {second}");
            assert!(back(&mut ways, &taken, 1).is_err(), "it is used up");
        }
        let state = ways.comes_back("unknown", Some("x"), ISSUER, at(0));
        assert!(matches!(state, Err(OidcError::Over(_))));
    }

    #[test]
    fn however_many_leave_from_one_address_others_come_back() {
        let mut ways = Ways::default();
        let other = leave(&mut ways, here(2), 60_000, 0);
        let first = leave(&mut ways, here(1), 0, 1);
        let mut last = None;
        for count in 1..1_000 {
            last = Some(leave(&mut ways, here(1), count, 2));
        }
        assert_eq!(ways.0.len(), OF_AN_ADDRESS + 1);
        assert!(back(&mut ways, &other, 3).is_ok());
        assert!(back(&mut ways, &first, 3).is_err());
        assert!(back(&mut ways, &last.unwrap(), 3).is_ok());
    }
}
