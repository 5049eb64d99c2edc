//! One request, however often it takes: within the budget, with pauses between the tries, and never again with a login
//! that was refused. Knows neither what is asked for nor what comes: whoever asks prepares the one and reads the other.

use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;
use tokio::runtime::{Handle, RuntimeFlavor};
use url::Url;

use crate::config::{Limits, Method, Retry, Span};

use super::account::Account;
use super::budget::{Asks, Late};
use super::egress::{Host, Permitted, Refusal};
use super::error::{OutboundError, Told, impersonal, pause, shorten};
use super::rate::{refused, used_up};
use super::send::{Answer, redirected, retry_after, send};
use super::trust::{Asker, Evidence, Place, REFUSED_BY_HAND_FOR};

/// What to do about a login that is refused, where no rule says more.
pub(crate) const CHECK_IT: &str = "check the credential; the clock asks again when its values have changed or after an hour, `epms sync` at once";

/// What stands in the place of a text that repeats a secret.
pub(crate) const NOT_QUOTED: &str = "‹not quoted: the answer repeats the credential›";

/// What is asked, with which credential, and how patiently.
pub(crate) struct Exchange<'a> {
    pub(crate) account: &'a Account,
    /// How errors name it.
    pub(crate) request: &'a str,
    /// What of it is asked for, in words; empty where it is asked once.
    pub(crate) subject: String,
    pub(crate) timeout: Span,
    pub(crate) retry: Retry,
    /// The headers in which it is told what is left.
    pub(crate) limits: &'a Limits,
    /// What is sent depends on the moment, and is made anew for each time.
    pub(crate) is_of_the_moment: bool,
}

/// A request with everything rendered.
pub(crate) struct Prepared {
    pub(crate) method: Method,
    pub(crate) url: Permitted,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<String>,
    /// That it may be sent again when it failed.
    pub(crate) repeatable: bool,
    /// Statuses that lead elsewhere, and mean something to whoever reads the answer.
    pub(crate) redirects: Vec<u16>,
}

impl Exchange<'_> {
    /// Only the hosts that are allowed, and no secret in the clear except on this machine.
    pub(crate) fn permit(
        &self,
        url: &Url,
        hosts: impl IntoIterator<Item = Result<Host, OutboundError>>,
        plain_http: bool,
    ) -> Result<Permitted, OutboundError> {
        Permitted::judge(url, hosts, plain_http, |refusal| {
            let Refusal { what, remedy } = refusal;
            OutboundError::NotAllowed(self.told(&what, None, remedy))
        })
    }

    /// An error's text, without secrets; of what the server said nothing is quoted where it repeats one.
    pub(crate) fn told(&self, what: &str, said: Option<&str>, remedy: &str) -> Told {
        Told {
            request: self.request.to_owned(),
            subject: self.subject.clone(),
            what: self.clean(what),
            said: said.map(|said| shorten(&impersonal(self.quoted(said)))),
            remedy: self.clean(remedy),
        }
    }

    /// A text of ours, which may name something that came from the server.
    fn clean(&self, text: &str) -> String {
        let struck = self.account.strike(text);
        if self.account.stands_in(&struck) {
            return "(what is told here repeats the credential, and is left out)".to_owned();
        }
        struck
    }

    /// A text of the server, or why it is not told.
    pub(crate) fn quoted<'t>(&self, said: &'t str) -> &'t str {
        if self.account.is_repeated_in(said) {
            return NOT_QUOTED;
        }
        said
    }

    /// One request, until it has an answer that can be read, or none that is worth another try. What it says about the
    /// credential is remembered.
    pub(crate) async fn run<T>(
        &self,
        prepare: impl Fn() -> Result<Prepared, OutboundError>,
        shows: Shows,
        read: impl Fn(&Answer) -> Result<T, OutboundError>,
    ) -> Result<(T, Answer), Failure> {
        let account = self.account;
        let retry = self.retry;
        let mut attempt = 1;
        let mut prepared = prepare()?;
        // Somebody asks who may know that it is over.
        let held_at_most = if account.by_hand && account.patience.is_some() {
            retry.longest.0
        } else {
            HELD_AT_MOST
        };
        loop {
            let place = self.place();
            let asker = Asker {
                fingerprint: account.fingerprint,
                place: &place,
                by_hand: account.by_hand,
                proven: account.let_in.anything(),
            };
            let pass = account.waits_for(account.shared.trust.enter(asker)).await;
            let pass = pass.map_err(|error| self.again(error))?;
            let asks = Asks {
                by_hand: account.by_hand,
                held_at_most,
            };
            let spent = account
                .budget
                .spend(asks, |until| account.is_too_long(until, retry.longest.0));
            let permit = account.waits_for(spent).await;
            let permit = permit.map_err(|late| self.postponed(&late))?;
            account.requests.fetch_add(1, Ordering::Relaxed);
            if self.is_of_the_moment {
                prepared = prepare()?;
            }
            let sent = send(self, &prepared).await;
            let status = sent.as_ref().ok().map(|answer| answer.status);
            let told = sent.as_ref().ok().and_then(|answer| self.heed(answer));
            drop(permit);
            let was_sent = sent
                .as_ref()
                .err()
                .is_none_or(|unanswered| unanswered.was_sent);
            let sent = sent.map_err(|unanswered| unanswered.error);
            let sent = sent.and_then(|answer| match redirected(self, &prepared, &answer) {
                Some(elsewhere) => Err(elsewhere),
                None => Ok(answer),
            });
            let result = sent.and_then(|answer| Ok((working(|| read(&answer))?, answer)));
            let result = result.map_err(|error| self.judged(error, shows));
            if let Some(evidence) = self.evidence(&result, status, shows) {
                pass.learn(evidence);
            }
            drop(pass);
            let error = match result {
                Ok(read) => return Ok(read),
                Err(error) => error,
            };
            let wait = told
                .unwrap_or_default()
                .max(pause(retry.pause.0, attempt, fastrand::f64()));
            let may_repeat = matches!(error, OutboundError::Unavailable(_))
                && prepared.repeatable
                && !account.once;
            // Of a wait that the server asked for the budget knows, and a run that may wait leaves its worker meanwhile. Whoever
            // asked by hand hears of it.
            let waits = told.is_some() && account.patience.is_some() && !account.by_hand;
            let is_long = wait > retry.longest.0;
            if !may_repeat || attempt >= retry.attempts || is_long && !waits {
                return Err(Failure {
                    error,
                    status,
                    was_sent,
                    wait: told,
                });
            }
            tracing::debug!(
                request = self.request,
                attempt,
                ?wait,
                "request is repeated"
            );
            if !is_long {
                account.waits_for(tokio::time::sleep(wait)).await;
            }
            attempt += 1;
        }
    }
}

/// Does what takes a thread for as long as it takes, such as to read a large answer, or to ask a script: other tasks go
/// on meanwhile.
fn working<T>(does: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::CurrentThread => does(),
        _ => tokio::task::block_in_place(does),
    }
}

/// Seconds, or minutes where there are several.
fn whole(wait: Duration) -> Duration {
    let step = if wait > Duration::from_mins(2) { 60 } else { 1 };
    Duration::from_secs(wait.as_secs().div_ceil(step).max(1) * step)
}

/// Nothing that a server asks for keeps its credential from asking for longer.
const HELD_AT_MOST: Duration = Duration::from_hours(24);

/// What a request proves itself with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shows {
    /// It carries the secret itself, and no token.
    pub(crate) secret: bool,
    /// No other token could help where it is refused.
    pub(crate) last: bool,
    /// It is the one that fetches a token.
    pub(crate) is_login: bool,
}

/// Why an exchange failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: OutboundError,
    /// The status of the answer, where there was one.
    pub(crate) status: Option<u16>,
    /// That the server may have got the request.
    pub(crate) was_sent: bool,
    /// How long the server asks to wait.
    pub(crate) wait: Option<Duration>,
}

impl From<OutboundError> for Failure {
    fn from(error: OutboundError) -> Failure {
        Failure {
            error,
            status: None,
            was_sent: false,
            wait: None,
        }
    }
}

impl Exchange<'_> {
    /// That the server may not be asked before a moment which is too late for this run.
    fn postponed(&self, late: &Late) -> OutboundError {
        let now = tokio::time::Instant::now();
        let wait = late.until.saturating_duration_since(now);
        let why = late.used_up.as_ref().map_or_else(String::new, |used_up| {
            let rest = if used_up.is_kept_back {
                " but for those kept for manual syncs"
            } else {
                ""
            };
            format!(": its {} are used up{rest}", used_up.limit)
        });
        let what = format!(
            "the credential `{}` may ask for nothing for {} more{why}",
            self.account.name,
            Span(whole(wait))
        );
        if self.account.patience.is_none() {
            let told = self.told(&what, None, "try again then");
            return OutboundError::Unavailable(told);
        }
        let what = format!("{what}, which is beyond the next run");
        let remedy = "nothing was written, and the next run asks again; where that goes on, sync less often, or ask whoever runs the server for more requests";
        OutboundError::Postponed(self.told(&what, None, remedy))
    }

    /// How wide a refusal is (R44): a refused login is that of the credential, but not where the same run was let in with
    /// the same secret before.
    fn judged(&self, error: OutboundError, shows: Shows) -> OutboundError {
        if !shows.last {
            return error;
        }
        match error {
            OutboundError::LoginFailed(told) if self.account.let_in.with_secret() => {
                let what = format!(
                    "{}, although it let it in earlier in the same run",
                    told.what
                );
                let ask = "ask the administrator there for the right to this request, and to what it asks for";
                let remedy = match told.remedy.as_str() {
                    CHECK_IT => ask.to_owned(),
                    hint => format!("{ask} ({hint})"),
                };
                OutboundError::Denied(Told {
                    what,
                    remedy,
                    ..told
                })
            }
            OutboundError::Denied(told) if shows.is_login && !self.account.let_in.with_secret() => {
                OutboundError::LoginFailed(told)
            }
            error => error,
        }
    }

    fn place(&self) -> Place {
        Place {
            request: self.request.to_owned(),
            subject: self.subject.clone(),
        }
    }

    /// What an answer says about the credential.
    fn evidence<T>(
        &self,
        result: &Result<T, OutboundError>,
        status: Option<u16>,
        shows: Shows,
    ) -> Option<Evidence> {
        let let_in = &self.account.let_in;
        match result {
            Ok(_) => {
                let_in.note(shows.secret);
                Some(Evidence::LetIn)
            }
            Err(_) if !shows.last => None,
            Err(error @ OutboundError::LoginFailed(_)) => Some(Evidence::Refused(error.clone())),
            Err(error @ OutboundError::Denied(_)) if !let_in.anything() => {
                Some(Evidence::Denied(error.clone(), self.place()))
            }
            // A login without a token may be a refused one in words that the connector does not know.
            Err(error @ OutboundError::Unexpected(_)) if shows.is_login && status.is_some() => {
                Some(Evidence::Denied(error.clone(), self.place()))
            }
            Err(_) => None,
        }
    }

    /// Holds the credential's budget as the answer's headers ask for, and says how long to wait before another
    /// try.
    fn heed(&self, answer: &Answer) -> Option<Duration> {
        let now = SystemTime::now();
        let limits = self.limits;
        let header = |name: &Option<String>| name.as_deref().and_then(|name| answer.header(name));
        let (remaining, reset) = (header(&limits.remaining), header(&limits.reset));
        let asked = retry_after(&answer.headers, now);
        let wait = match answer.status {
            429 => asked.or_else(|| refused(remaining, reset, now)),
            _ => asked,
        };
        let hold = match answer.status {
            429 => wait,
            _ => used_up(remaining, reset, now),
        };
        if let Some(hold) = hold {
            self.account.budget.hold(hold.min(HELD_AT_MOST));
        }
        wait
    }

    /// What is told of a credential that was refused before.
    fn again(&self, error: OutboundError) -> OutboundError {
        let name = &self.account.name;
        let when = if self.account.by_hand {
            let seconds = REFUSED_BY_HAND_FOR.as_secs();
            format!(
                "that was just now, and it is not asked again at once: correct the credential `{name}`, or ask once more in {seconds} s"
            )
        } else {
            format!(
                "it is not asked again by the clock for up to an hour, or until the values of the credential `{name}` change"
            )
        };
        let again = |told: Told| Told {
            request: self.request.to_owned(),
            subject: self.subject.clone(),
            what: format!("{}; {when}", told.what),
            ..told
        };
        match error {
            OutboundError::LoginFailed(told) => OutboundError::LoginFailed(again(told)),
            OutboundError::Denied(told) => OutboundError::Denied(again(told)),
            OutboundError::Unexpected(told) => OutboundError::Unexpected(again(told)),
            error => error,
        }
    }
}
