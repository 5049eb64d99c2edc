//! Sessions of browsers, in memory: a restart signs everybody out. What somebody may do is not in it: that is looked up at
//! every request.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::oidc::Identity;
use super::token::{NewToken, Token};

/// A session ends when nothing was asked for so long.
const IDLE: Duration = Duration::from_hours(1);
/// And after so long in any case.
const ABSOLUTE: Duration = Duration::from_hours(12);
/// So many has one person; the one that was not used for longest goes.
const OF_ONE: usize = 20;
/// So many there are in all.
const MOST: usize = 2_000;

/// Whose session it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whose {
    /// An account's, by its name.
    Account(String),
    /// Of somebody whom a provider of identities knows.
    Identity(Identity),
}

impl Whose {
    fn is(&self, other: &Whose) -> bool {
        match (self, other) {
            (Whose::Account(one), Whose::Account(other)) => one == other,
            (Whose::Identity(one), Whose::Identity(other)) => one.is(other),
            _ => false,
        }
    }
}

#[derive(Debug, Clone)]
struct Session {
    whose: Whose,
    began: Timestamp,
    used: Timestamp,
}

/// Who is signed in.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    all: BTreeMap<Token, Session>,
}

impl Sessions {
    /// Begins one; gives the secret that the browser shows from now on.
    pub(super) fn begin(&mut self, whose: Whose, chance: [u8; 32], now: Timestamp) -> NewToken {
        self.all.retain(|_, session| session.lives(now));
        let own = |session: &Session| session.whose.is(&whose);
        while self.all.values().filter(|one| own(one)).count() >= OF_ONE {
            self.end_oldest(own);
        }
        while self.all.len() >= MOST {
            self.end_oldest(|_| true);
        }
        let token = NewToken::new(chance);
        let session = Session {
            whose,
            began: now,
            used: now,
        };
        self.all.insert(token.kept, session);
        token
    }

    /// Whose a session is that lives; it was used now.
    pub(super) fn used(&mut self, presented: &str, now: Timestamp) -> Option<&Whose> {
        let token = Token::of(presented);
        if !self.all.get(&token)?.lives(now) {
            self.all.remove(&token);
            return None;
        }
        let session = self.all.get_mut(&token)?;
        session.used = session.used.max(now);
        Some(&session.whose)
    }

    /// Whose a session is that lives; it was not used by that.
    pub(super) fn whose(&self, presented: &str, now: Timestamp) -> Option<&Whose> {
        let session = self.all.get(&Token::of(presented))?;
        session.lives(now).then_some(&session.whose)
    }

    /// Ends a session; gives whose it was.
    pub(super) fn end(&mut self, presented: &str) -> Option<Whose> {
        let ended = self.all.remove(&Token::of(presented))?;
        Some(ended.whose)
    }

    /// Ends all sessions of accounts that `keep` does not keep.
    pub(super) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.all.retain(|_, session| match &session.whose {
            Whose::Account(name) => keep(name),
            Whose::Identity(_) => true,
        });
    }

    fn end_oldest(&mut self, among: impl Fn(&Session) -> bool) {
        let among = self.all.iter().filter(|(_, session)| among(session));
        let oldest = among.min_by_key(|(_, session)| session.used);
        if let Some(token) = oldest.map(|(token, _)| *token) {
            self.all.remove(&token);
        }
    }
}

impl Session {
    /// A session that began in the future is one of a clock that was set: it is ended.
    fn lives(&self, now: Timestamp) -> bool {
        let within = |since: Timestamp, limit: Duration| {
            let limit = SignedDuration::try_from(limit).unwrap_or_default();
            let age = since.duration_until(now);
            age < limit && age > -limit
        };
        within(self.used, IDLE) && within(self.began, ABSOLUTE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str) -> Whose {
        Whose::Account(name.to_owned())
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minutes).unwrap()
    }

    #[test]
    fn a_session_ends_when_it_is_not_used_and_after_twelve_hours_in_any_case() {
        let mut sessions = Sessions::default();
        let ada = sessions.begin(account("ada"), [1; 32], at(0));
        let ada = ada.secret.expose();
        assert_eq!(sessions.used("epms_else", at(0)), None);
        for minutes in (0..720).step_by(59) {
            assert_eq!(sessions.used(ada, at(minutes)), Some(&account("ada")));
        }
        assert_eq!(sessions.used(ada, at(720)), None);
        let bo = sessions.begin(account("bo"), [2; 32], at(0));
        assert_eq!(sessions.used(bo.secret.expose(), at(60)), None);
        assert!(sessions.all.is_empty());
    }

    #[test]
    fn who_signs_out_or_is_taken_out_is_out() {
        let mut sessions = Sessions::default();
        let all = [("ada", 1), ("ada", 2), ("bo", 3)];
        let all = all.map(|(name, chance)| sessions.begin(account(name), [chance; 32], at(0)));
        sessions.end(all[0].secret.expose());
        assert_eq!(sessions.used(all[0].secret.expose(), at(1)), None);
        assert!(sessions.used(all[1].secret.expose(), at(1)).is_some());
        sessions.retain(|name| name != "ada");
        let left = all.map(|one| sessions.used(one.secret.expose(), at(1)).cloned());
        assert_eq!(left, [None, None, Some(account("bo"))]);
    }

    #[test]
    fn however_often_somebody_signs_in_others_stay_in() {
        let mut sessions = Sessions::default();
        let bo = sessions.begin(account("bo"), [255; 32], at(0));
        for chance in 0..100 {
            sessions.begin(account("ada"), [chance; 32], at(1));
        }
        assert_eq!(sessions.all.len(), OF_ONE + 1);
        assert!(sessions.used(bo.secret.expose(), at(2)).is_some());
    }
}
