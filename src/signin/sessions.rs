//! Sessions of browsers, in memory: a restart signs everybody out. What somebody may do is not in it: that is looked up at
//! every request.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::token::{NewToken, Token};

/// A session ends when nothing was asked for so long.
const IDLE: Duration = Duration::from_hours(1);
/// And after so long in any case.
const ABSOLUTE: Duration = Duration::from_hours(12);
/// So many has one account; the one that was not used for longest goes.
const OF_ONE: usize = 20;
/// So many there are in all.
const MOST: usize = 2_000;

#[derive(Debug, Clone)]
struct Session {
    account: String,
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
    pub(super) fn begin(&mut self, account: &str, chance: [u8; 32], now: Timestamp) -> NewToken {
        self.all.retain(|_, session| session.lives(now));
        let own = |session: &Session| session.account == account;
        while self.all.values().filter(|one| own(one)).count() >= OF_ONE {
            self.end_oldest(own);
        }
        while self.all.len() >= MOST {
            self.end_oldest(|_| true);
        }
        let token = NewToken::new(chance);
        let session = Session {
            account: account.to_owned(),
            began: now,
            used: now,
        };
        self.all.insert(token.kept, session);
        token
    }

    /// The account of a session that lives; it was used now.
    pub(super) fn account(&mut self, presented: &str, now: Timestamp) -> Option<String> {
        let token = Token::of(presented);
        let session = self.all.get_mut(&token)?;
        if !session.lives(now) {
            self.all.remove(&token);
            return None;
        }
        session.used = session.used.max(now);
        Some(session.account.clone())
    }

    /// The account of a session that lives; it was not used by that.
    pub(super) fn whose(&self, presented: &str, now: Timestamp) -> Option<&str> {
        let session = self.all.get(&Token::of(presented))?;
        session.lives(now).then_some(&*session.account)
    }

    /// Ends a session.
    pub(super) fn end(&mut self, presented: &str) {
        self.all.remove(&Token::of(presented));
    }

    /// Ends all sessions of accounts that `keep` does not keep.
    pub(super) fn retain(&mut self, keep: impl Fn(&str, Timestamp) -> bool) {
        self.all
            .retain(|_, session| keep(&session.account, session.began));
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

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minutes).unwrap()
    }

    #[test]
    fn a_session_ends_when_it_is_not_used_and_after_twelve_hours_in_any_case() {
        let mut sessions = Sessions::default();
        let ada = sessions.begin("ada", [1; 32], at(0));
        let ada = ada.secret.expose();
        assert_eq!(sessions.account("epms_else", at(0)), None);
        for minutes in (0..720).step_by(59) {
            assert_eq!(sessions.account(ada, at(minutes)).as_deref(), Some("ada"));
        }
        assert_eq!(sessions.account(ada, at(720)), None);
        let bo = sessions.begin("bo", [2; 32], at(0));
        assert_eq!(sessions.account(bo.secret.expose(), at(60)), None);
        assert!(sessions.all.is_empty());
    }

    #[test]
    fn who_signs_out_or_is_taken_out_is_out() {
        let mut sessions = Sessions::default();
        let all = [("ada", 1), ("ada", 2), ("bo", 3)];
        let all = all.map(|(name, chance)| sessions.begin(name, [chance; 32], at(0)));
        sessions.end(all[0].secret.expose());
        assert_eq!(sessions.account(all[0].secret.expose(), at(1)), None);
        assert!(sessions.account(all[1].secret.expose(), at(1)).is_some());
        sessions.retain(|name, _| name != "ada");
        let left = all.map(|one| sessions.account(one.secret.expose(), at(1)));
        assert_eq!(left, [None, None, Some("bo".to_owned())]);
    }

    #[test]
    fn however_often_somebody_signs_in_others_stay_in() {
        let mut sessions = Sessions::default();
        let bo = sessions.begin("bo", [255; 32], at(0));
        for chance in 0..100 {
            sessions.begin("ada", [chance; 32], at(1));
        }
        assert_eq!(sessions.all.len(), OF_ONE + 1);
        assert!(sessions.account(bo.secret.expose(), at(2)).is_some());
    }
}
