//! Why something asked beyond this machine failed. A variant for each reaction; the text says what happened and what to do.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;

use crate::model::shown;

/// What happened, where, in whose words, and what to do. Holds no secret and no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The request, as the connector names it.
    pub request: String,
    /// What of it was asked for, in words, such as "PMS property `123`"; empty where it is asked once.
    pub subject: String,
    /// What happened.
    pub what: String,
    /// What the other side said.
    pub said: Option<String>,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.request)?;
        if !self.subject.is_empty() {
            write!(f, " of {}", self.subject)?;
        }
        write!(f, ": {}", self.what)?;
        if let Some(said) = &self.said {
            let said = said.replace(END, ") ");
            write!(f, "{SAID}{said})")?;
        }
        if !self.remedy.is_empty() {
            write!(f, "; {}", self.remedy)?;
        }
        Ok(())
    }
}

/// Why something asked failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// The login is wrong. Not tried again: that could lock the account.
    #[error("{0}")]
    LoginFailed(Told),
    /// The login may be right, and may not do this: a matter of the request, or of what is asked for.
    #[error("{0}")]
    Denied(Told),
    /// Busy, closed or out of reach for now; the next run may succeed.
    #[error("{0}")]
    Unavailable(Told),
    /// It may not be asked before the run's next moment (R43).
    #[error("{0}")]
    Postponed(Told),
    /// The answer is not what the connector says it is.
    #[error("{0}")]
    Unexpected(Told),
    /// The connector, the credential or a next link asks for something that is not allowed.
    #[error("{0}")]
    NotAllowed(Told),
    /// Whoever was to take the answers is gone.
    #[error("the run was stopped")]
    Stopped,
}

/// How long to wait before try number `attempt + 1`: full jitter between the first pause and twice as much
/// for each try so far. `random` is in 0..1.
pub(crate) fn pause(first: Duration, attempt: u32, random: f64) -> Duration {
    let most = first.saturating_mul(2_u32.saturating_pow(attempt.min(16)));
    first + most.saturating_sub(first).mul_f64(random.clamp(0.0, 1.0))
}

/// What the other side said, without the emails and phones that stand in it.
pub(crate) fn impersonal(said: &str) -> Cow<'_, str> {
    static EMAIL: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"[^\s<>()\[\]:;,=@]+@[^\s<>()\[\]:;,=@]+").ok());
    static DIGITS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"[+(]?\d(?:[ ().-]{0,2}\d){9,14}\b").ok());
    let mut said = Cow::Borrowed(said);
    for pattern in [&*EMAIL, &*DIGITS].into_iter().flatten() {
        if let Cow::Owned(struck) = pattern.replace_all(&said, "***") {
            said = Cow::Owned(struck);
        }
    }
    said
}

/// What separates an error's text from what the other side said, and what it said from what is to be done; in what it
/// said itself the latter does not stand.
const SAID: &str = " (it said: ";
const END: &str = "); ";

/// An error's text without what the other side said, which may be about people.
pub fn without_said(told: &str) -> Cow<'_, str> {
    let Some((before, rest)) = told.split_once(SAID) else {
        return Cow::Borrowed(told);
    };
    let after = rest.rfind(END).map_or("", |end| &rest[end + 1..]);
    Cow::Owned(format!("{before}{after}"))
}

/// One short line without what would steer a terminal: an answer may be a page.
pub(crate) fn shorten(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = shown(&line).into_owned();
    match line.char_indices().nth(160) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_was_said_emails_and_phones_are_left_out() {
        for (said, left) in [
            (
                "no tenant <ana.silver@mail.com>, (212) 555-0100 x3",
                "no tenant <***>, *** x3",
            ),
            ("call +49 30 1234 56789", "call ***"),
            ("email=a@b.co;status=1", "email=***;status=1"),
            (
                "request 7716 of 2026-10-31T23:00:00Z failed at 10:15",
                "request 7716 of 2026-10-31T23:00:00Z failed at 10:15",
            ),
        ] {
            assert_eq!(impersonal(said), left);
        }
    }

    #[test]
    fn what_was_said_is_left_out_whole() {
        let told = Told {
            request: "residents".into(),
            subject: String::new(),
            what: "the PMS is busy".into(),
            said: Some("Ana (unit 5); wait".into()),
            remedy: "try again".into(),
        };
        let text = told.to_string();
        assert_eq!(
            without_said(&text),
            "`residents`: the PMS is busy; try again"
        );
        let told = Told {
            remedy: String::new(),
            ..told
        };
        assert_eq!(
            without_said(&told.to_string()),
            "`residents`: the PMS is busy"
        );
        assert_eq!(without_said("nothing"), "nothing");
    }

    #[test]
    fn a_told_error_says_where_what_and_what_to_do() {
        let told = Told {
            request: "residents".into(),
            subject: "PMS property `b1`".into(),
            what: "the server refuses the login".into(),
            said: Some("Login failed.".into()),
            remedy: "check the password".into(),
        };
        assert_eq!(
            OutboundError::LoginFailed(told).to_string(),
            "`residents` of PMS property `b1`: the server refuses the login (it said: Login failed.); check the password"
        );
    }

    #[test]
    fn pauses_grow_and_stay_between_the_first_and_the_doubled() {
        let first = Duration::from_secs(1);
        assert_eq!(pause(first, 1, 0.0), first);
        assert_eq!(pause(first, 3, 1.0), Duration::from_secs(8));
        assert!(pause(first, 60, 1.0) <= first * 65_536);
    }
}
