//! One page, or one token, however often it takes: within the budget, with a token that serves, with pauses
//! between the tries, and never again with a login that was refused.

use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use tokio::runtime::{Handle, RuntimeFlavor};
use url::Url;

use crate::config::Span;
use crate::outbound::{Asker, Asks, Evidence, Late, Place, Told, pause, refused, used_up};

use super::SourceError;
use super::call::{Call, Prepared};
use super::compiled::Request;
use super::decode::Decoded;
use super::page::Why;
use super::reader::Reader;
use super::send::{Answer, retry_after, send};
use super::template::PageValues;
use super::verdict::CHECK_IT;

/// A question for a page.
pub(super) struct Ask<'a> {
    /// What the request's template gives.
    pub(super) first: &'a Url,
    /// Where the page is.
    pub(super) url: &'a Url,
    pub(super) values: &'a PageValues,
    pub(super) why: Why,
    /// That texts of known records are wanted too.
    pub(super) keeps_texts: bool,
}

/// A page as it came.
pub(super) struct Page {
    pub(super) decoded: Decoded,
    pub(super) answer: Answer,
}

impl Reader {
    /// One page. A kept token that the PMS refuses is fetched again once; one that it answers with any other failure is
    /// not kept for the next run.
    pub(super) async fn fetch(
        &self,
        call: &Call<'_>,
        request: &Request,
        ask: &Ask<'_>,
    ) -> Result<Page, SourceError> {
        let Ask {
            first, url, values, ..
        } = ask;
        // Nothing is proved to a host that is not the connector's.
        call.check_host(url)?;
        let read = |answer: &Answer| call.records(request, ask, answer);
        let token = self.token(call, None).await?;
        let kept = token.as_ref().filter(|token| token.kept);
        let kept = kept.map(|token| token.serial);
        let shows = Shows {
            secret: token.is_none(),
            last: kept.is_none(),
            is_login: false,
        };
        let mut prepared = call.prepare(first, url, values, token.as_ref())?;
        // Whether more is there than all need not be known.
        prepared.repeatable &= ask.why != Why::BehindAll;
        let nothing_yet = !call.account.let_in.anything();
        let failure = match self.exchange(call, &prepared, shows, read).await {
            Ok((decoded, answer)) => return Ok(Page { decoded, answer }),
            Err(failure) => failure,
        };
        let Some(serial) = kept else {
            return Err(failure.error);
        };
        let is_refused = match failure.error {
            SourceError::LoginFailed(_) => true,
            SourceError::Denied(_) => nothing_yet,
            _ => false,
        };
        if !is_refused {
            if failure.status.is_some_and(|status| status != 429) {
                call.account.shared.session.lock().await.forget(serial);
            }
            return Err(failure.error);
        }
        let token = self.token(call, Some(serial)).await?;
        let mut prepared = call.prepare(first, url, values, token.as_ref())?;
        prepared.repeatable &= ask.why != Why::BehindAll;
        let shows = Shows {
            last: true,
            ..shows
        };
        let page = self.exchange(call, &prepared, shows, read).await;
        page.map(|(decoded, answer)| Page { decoded, answer })
            .map_err(|failure| failure.error)
    }

    /// One request, until it has an answer that can be read, or none that is worth another try. What it says about the
    /// credential is remembered.
    pub(super) async fn exchange<T>(
        &self,
        call: &Call<'_>,
        prepared: &Prepared,
        shows: Shows,
        read: impl Fn(&Answer) -> Result<T, SourceError>,
    ) -> Result<(T, Answer), Failure> {
        call.check_host(&prepared.url)?;
        let account = call.account;
        let retry = call.source.connector.retry;
        let mut attempt = 1;
        // Somebody asks who may know that it is over.
        let held_at_most = if account.by_hand && account.patience.is_some() {
            retry.longest.0
        } else {
            HELD_AT_MOST
        };
        loop {
            let place = call.place();
            let asker = Asker {
                fingerprint: account.fingerprint,
                place: &place,
                by_hand: account.by_hand,
                proven: account.let_in.anything(),
            };
            let pass = account.waits_for(account.shared.trust.enter(asker)).await;
            let pass = pass.map_err(|error| again(call, error))?;
            let asks = Asks {
                by_hand: account.by_hand,
                held_at_most,
            };
            let spent = account
                .budget
                .spend(asks, |until| account.is_too_long(until, retry.longest.0));
            let permit = account.waits_for(spent).await;
            let permit = permit.map_err(|late| call.postponed(&late))?;
            account.requests.fetch_add(1, Ordering::Relaxed);
            let sent = send(call, prepared).await;
            let status = sent.as_ref().ok().map(|answer| answer.status);
            let told = sent.as_ref().ok().and_then(|answer| heed(call, answer));
            drop(permit);
            let result = sent.and_then(|answer| Ok((working(|| read(&answer))?, answer)));
            let result = result.map_err(|error| call.judged(error, shows));
            if let Some(evidence) = call.evidence(&result, status, shows) {
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
            let may_repeat = matches!(error, SourceError::Unavailable(_))
                && prepared.repeatable
                && !account.once;
            // Of a wait that the PMS asked for the budget knows, and a run that may wait leaves its worker meanwhile. Whoever
            // asked by hand hears of it.
            let waits = told.is_some() && account.patience.is_some() && !account.by_hand;
            let is_long = wait > retry.longest.0;
            if !may_repeat || attempt >= retry.attempts || is_long && !waits {
                return Err(Failure { error, status });
            }
            tracing::debug!(
                request = call.request,
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

/// Nothing that a PMS asks for keeps its credential from asking for longer.
const HELD_AT_MOST: Duration = Duration::from_hours(24);

/// What a request proves itself with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shows {
    /// It carries the secret itself, and no token.
    pub(super) secret: bool,
    /// No other token could help where it is refused.
    pub(super) last: bool,
    /// It is the one that fetches a token.
    pub(super) is_login: bool,
}

/// Why an exchange failed, and the status of the answer where there was one.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: SourceError,
    status: Option<u16>,
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Failure {
        Failure {
            error,
            status: None,
        }
    }
}

impl Call<'_> {
    /// That the PMS may not be asked before a moment which is too late for this run.
    fn postponed(&self, late: &Late) -> SourceError {
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
            return SourceError::Unavailable(told);
        }
        let what = format!("{what}, which is beyond the next run");
        let remedy = "nothing was written, and the next run asks again; where that goes on, sync less often, or ask the PMS's owner for more requests";
        SourceError::Postponed(self.told(&what, None, remedy))
    }

    /// How wide a refusal is (R44): a refused login is that of the credential, but not where the same run was let in with
    /// the same secret before.
    fn judged(&self, error: SourceError, shows: Shows) -> SourceError {
        if !shows.last {
            return error;
        }
        match error {
            SourceError::LoginFailed(told) if self.account.let_in.with_secret() => {
                let what = format!(
                    "{}, although it let it in earlier in the same run",
                    told.what
                );
                let ask =
                    "ask the PMS's administrator for the right to this request and this property";
                let remedy = match told.remedy.as_str() {
                    CHECK_IT => ask.to_owned(),
                    hint => format!("{ask} ({hint})"),
                };
                SourceError::Denied(Told {
                    what,
                    remedy,
                    ..told
                })
            }
            SourceError::Denied(told) if shows.is_login && !self.account.let_in.with_secret() => {
                SourceError::LoginFailed(told)
            }
            error => error,
        }
    }

    fn place(&self) -> Place {
        Place {
            request: self.request.to_owned(),
            subject: self.subject(),
        }
    }

    /// What an answer says about the credential.
    fn evidence<T>(
        &self,
        result: &Result<T, SourceError>,
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
            Err(error @ SourceError::LoginFailed(_)) => Some(Evidence::Refused(error.clone())),
            Err(error @ SourceError::Denied(_)) if !let_in.anything() => {
                Some(Evidence::Denied(error.clone(), self.place()))
            }
            // A login without a token may be a refused one in words that the connector does not know.
            Err(error @ SourceError::Unexpected(_)) if shows.is_login && status.is_some() => {
                Some(Evidence::Denied(error.clone(), self.place()))
            }
            Err(_) => None,
        }
    }
}

/// Holds the credential's budget as the answer's headers ask for, and says how long to wait before another
/// try.
fn heed(call: &Call<'_>, answer: &Answer) -> Option<std::time::Duration> {
    let now = SystemTime::now();
    let limits = &call.source.connector.limits;
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
        call.account.budget.hold(hold.min(HELD_AT_MOST));
    }
    wait
}

/// What is told of a credential that was refused before.
fn again(call: &Call<'_>, error: SourceError) -> SourceError {
    let again = |told: Told| Told {
        request: call.request.to_owned(),
        subject: call.subject(),
        what: format!(
            "{}; it is not asked again by the clock for up to an hour, or until the values of the credential `{}` change",
            told.what, call.account.name
        ),
        ..told
    };
    match error {
        SourceError::LoginFailed(told) => SourceError::LoginFailed(again(told)),
        SourceError::Denied(told) => SourceError::Denied(again(told)),
        SourceError::Unexpected(told) => SourceError::Unexpected(again(told)),
        error => error,
    }
}
