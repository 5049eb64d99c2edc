//! One page, or one token, however often it takes: within the budget, with a token that serves, with pauses
//! between the tries, and never again with a login that was refused.

use std::time::SystemTime;

use url::Url;

use crate::config::Retry;

use super::call::{Call, Prepared};
use super::compiled::Request;
use super::decode::Decoded;
use super::error::pause;
use super::rate;
use super::reader::Reader;
use super::send::{Answer, retry_after, send};
use super::template::PageValues;
use super::{SourceError, Told};

/// A page as it came.
pub(super) struct Page {
    pub(super) decoded: Decoded,
    pub(super) answer: Answer,
}

impl Reader {
    /// One page. A kept token that the PMS refuses is fetched again once.
    pub(super) async fn fetch(
        &self,
        call: &Call<'_>,
        request: &Request,
        first: &Url,
        url: &Url,
        values: &PageValues,
    ) -> Result<Page, SourceError> {
        // Nothing is proved to a host that is not the connector's.
        call.check_host(url)?;
        let read = |answer: &Answer| call.records(request, answer);
        let token = self.token(call, None).await?;
        let kept = token.as_ref().is_some_and(|token| token.kept);
        let prepared = call.prepare(first, url, values, token.as_ref())?;
        let page = match self.exchange(call, &prepared, !kept, read).await {
            Err(SourceError::LoginFailed(_)) if kept => {
                let refused = token.map(|token| token.serial);
                let token = self.token(call, refused).await?;
                let prepared = call.prepare(first, url, values, token.as_ref())?;
                self.exchange(call, &prepared, true, read).await
            }
            page => page,
        };
        page.map(|(decoded, answer)| Page { decoded, answer })
    }

    /// One request, until it has an answer that can be read, or none that is worth another try. A refusal of
    /// the login is remembered when it is `last`: no other token could help.
    pub(super) async fn exchange<T>(
        &self,
        call: &Call<'_>,
        prepared: &Prepared,
        last: bool,
        read: impl Fn(&Answer) -> Result<T, SourceError>,
    ) -> Result<(T, Answer), SourceError> {
        call.check_host(&prepared.url)?;
        let account = call.account;
        let retry = call.source.connector.retry;
        let mut attempt = 1;
        loop {
            let pass = account
                .shared
                .trust
                .enter(account.fingerprint, account.by_hand)
                .await
                .map_err(|told| SourceError::LoginFailed(again(call, told)))?;
            let permit = account.budget.spend().await;
            let sent = send(call, prepared).await;
            let told = sent.as_ref().ok().and_then(|answer| heed(call, answer));
            drop(permit);
            let result = sent.and_then(|answer| Ok((read(&answer)?, answer)));
            match &result {
                Ok(_) | Err(SourceError::Denied(_)) => pass.accepted(),
                Err(SourceError::LoginFailed(told)) if last => pass.refused(told.clone()),
                Err(_) => {}
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
            if !may_repeat || attempt >= retry.attempts || wait > retry.longest.0 {
                return Err(error);
            }
            tracing::debug!(
                request = call.request,
                attempt,
                ?wait,
                "request is repeated"
            );
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }
}

/// Holds the credential's budget as the answer's headers ask for, and says how long to wait before another
/// try.
fn heed(call: &Call<'_>, answer: &Answer) -> Option<std::time::Duration> {
    let now = SystemTime::now();
    let limits = &call.source.connector.limits;
    let Retry { longest, .. } = call.source.connector.retry;
    let header = |name: &Option<String>| name.as_deref().and_then(|name| answer.header(name));
    let (remaining, reset) = (header(&limits.remaining), header(&limits.reset));
    let asked = retry_after(&answer.headers, now);
    let wait = match answer.status {
        429 => asked.or_else(|| rate::refused(remaining, reset, now)),
        _ => asked,
    };
    let hold = match answer.status {
        429 => wait,
        _ => rate::used_up(remaining, reset, now),
    };
    if let Some(hold) = hold {
        call.account.budget.hold(hold.min(longest.0));
    }
    wait
}

/// What is told of a login that was refused before.
fn again(call: &Call<'_>, told: Told) -> Told {
    Told {
        request: call.request.to_owned(),
        property: call.property.to_owned(),
        what: format!(
            "{}; it is not asked again by the clock for up to an hour, or until the values of the credential `{}` change",
            told.what, call.account.name
        ),
        ..told
    }
}
