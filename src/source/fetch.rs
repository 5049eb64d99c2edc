//! One page, with a token that serves.

use serde_json::Value;
use url::Url;

use crate::outbound::{Answer, Failure, Prepared, Shows, Token};

use super::SourceError;
use super::call::Call;
use super::compiled::Request;
use super::decode::Decoded;
use super::expires::Told;
use super::judged::{Presumed, Taken};
use super::media;
use super::page::Why;
use super::reader::Reader;
use super::template::PageValues;

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
    /// That it is the first question of a reading, whose answer tells until when the credential is taken.
    pub(super) is_first: bool,
}

/// A page as it came.
pub(super) struct Page {
    pub(super) decoded: Decoded,
    pub(super) answer: Answer,
    /// Why it has no records, where it has none.
    pub(super) presumed: Option<Presumed>,
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
        // Nothing is proved to a host that is not the connector's.
        call.permitted(ask.url)?;
        let made = |token: Option<&Token>| call.page(ask, token);
        let read = |answer: &Answer| call.records(request, ask, answer);
        let (Taken { decoded, presumed }, answer) = self.ask(call, made, read).await?;
        if ask.is_first {
            call.hear_until(&answer, Some(&decoded.around)).await;
        }
        Ok(Page {
            decoded,
            answer,
            presumed,
        })
    }

    /// One question, with a token where the connector needs one.
    pub(super) async fn ask<T>(
        &self,
        call: &Call<'_>,
        made: impl Fn(Option<&Token>) -> Result<Prepared, SourceError>,
        read: impl Fn(&Answer) -> Result<T, SourceError>,
    ) -> Result<(T, Answer), SourceError> {
        // It is in the middle of readings that are long enough without it.
        let asked = Box::pin(self.ask_once(call, made, read)).await;
        asked.map_err(|failure| failure.error)
    }

    /// The same, with all that is known about a failure.
    pub(super) async fn ask_once<T>(
        &self,
        call: &Call<'_>,
        made: impl Fn(Option<&Token>) -> Result<Prepared, SourceError>,
        read: impl Fn(&Answer) -> Result<T, SourceError>,
    ) -> Result<(T, Answer), Failure> {
        let token = self.token(call, None).await?;
        let kept = token.as_ref().filter(|token| token.kept);
        let kept = kept.map(|token| token.serial);
        let shows = Shows {
            secret: token.is_none(),
            last: kept.is_none(),
            is_login: false,
        };
        let nothing_yet = !call.account.let_in_anything();
        let asked = call.exchange();
        let first = asked.run(|| made(token.as_ref()), shows, &read).await;
        let failure = match first {
            Ok(read) => return Ok(read),
            Err(failure) => failure,
        };
        let Some(serial) = kept else {
            return Err(failure);
        };
        let is_refused = match failure.error {
            SourceError::LoginFailed(_) => true,
            SourceError::Denied(_) => nothing_yet,
            _ => false,
        };
        if !is_refused {
            if failure.status.is_some_and(|status| status != 429) {
                call.account.forget(serial).await;
            }
            return Err(failure);
        }
        let token = self.token(call, Some(serial)).await?;
        let shows = Shows {
            last: true,
            ..shows
        };
        asked.run(|| made(token.as_ref()), shows, &read).await
    }
}

impl Call<'_> {
    /// Hears until when the credential is taken, where the request says where its answer tells it; `around` is what stands
    /// around the records of the answer, where it was taken apart.
    pub(super) async fn hear_until(&self, answer: &Answer, around: Option<&Value>) {
        let request = self.source.requests.get(self.request);
        let Some((request, expires)) =
            request.and_then(|request| Some((request, request.expires.as_ref()?)))
        else {
            return;
        };
        let whole = || {
            let charset = media::charset(&answer.headers);
            let text = request.shape.text(&answer.body, charset.as_deref());
            text.ok().and_then(|text| request.shape.whole(&text))
        };
        let whole = match around {
            None if expires.is_in_answer() => whole(),
            _ => None,
        };
        let around = around.or(whole.as_ref()).unwrap_or(&Value::Null);
        match expires.told(answer, around, PageValues::default().as_of_now().moment()) {
            Told::Nothing => self.account.taken_until(self.request, None).await,
            Told::Until(day) => self.account.taken_until(self.request, Some(day)).await,
            Told::Unreadable => tracing::warn!(
                credential = self.account.name,
                request = self.request,
                "an answer tells until when the credential is taken, in a form that is not known; say by `form` of the request's `expires` how it is written"
            ),
        }
    }

    /// The request for a page, as it is sent now.
    fn page(&self, ask: &Ask<'_>, token: Option<&Token>) -> Result<Prepared, SourceError> {
        let values = ask.values.as_of_now();
        let mut prepared = if self.source.templates.are_of_the_moment() {
            let first = self.url(&values)?;
            let url = if ask.url == ask.first {
                &first
            } else {
                ask.url
            };
            self.prepare(&first, url, &values, token)?
        } else {
            self.prepare(ask.first, ask.url, &values, token)?
        };
        // Whether more is there than all need not be known.
        prepared.repeatable &= ask.why != Why::BehindAll;
        Ok(prepared)
    }
}
