//! A look at a PMS, for `epms doctor` and `epms probe`: where requests go, whether its login is taken, and one page, or
//! that page as it was asked for and as it came. Keeps nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, RANGE};
use serde::Serialize;
use url::Url;

use crate::config::{self, Limits, Per};
use crate::outbound::{Account, Endpoint, Exchanged, Redacted, RedactedHeader, Watch, shorten};

use super::alone::AnswerTo;
use super::auth::OAUTH2;
use super::call::Call;
use super::compiled::{Request, Source};
use super::fetch::{Ask, Page};
use super::judged::{Meaning, Reply};
use super::page::{After, Pages, Why};
use super::presence::{Named, Presence, Whose};
use super::read::declared;
use super::reader::{Reader, Scope};
use super::tally::NO_TOTAL;
use super::template::{Before, PageValues};
use super::{SourceError, decode, media};

/// The first page of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstPage {
    /// The records on it; of a request that is asked once, those of attached PMS properties where it is known.
    pub records: usize,
    /// The PMS properties of the others.
    pub elsewhere: BTreeSet<String>,
    /// Its size, unpacked.
    pub bytes: usize,
    /// From the request to the last byte, waiting for the budget included.
    pub took: Duration,
    /// What the PMS said in the headers that `limits` names, by name.
    pub budget: Vec<(String, String)>,
}

impl Source {
    /// The connector's budget.
    pub fn limits(&self) -> &Limits {
        &self.connector.limits
    }

    /// How long the connector lets a request take.
    pub fn timeout(&self) -> Duration {
        self.connector.timeout.0
    }

    /// The names of its requests.
    pub fn requests(&self) -> impl Iterator<Item = &str> {
        self.requests.keys().map(String::as_str)
    }

    /// Whether a request is asked once for all PMS properties, is the one that logs in, or is of a target.
    pub fn is_asked_once(&self, request: &str) -> bool {
        let spec = self.connector.request(request);
        self.is_target()
            || self.login() == Some(request)
            || self.logout() == Some(request)
            || spec.is_some_and(|spec| spec.per == Per::Once)
    }

    /// Whether a login of its own comes before the requests.
    pub fn logs_in(&self) -> bool {
        self.tokens.is_some()
    }
}

impl Reader {
    /// Where the requests for residents, or those that look at a target, and the login go, each once; all are among the
    /// connector's hosts.
    pub fn endpoints(
        &self,
        source: &Source,
        account: &Account,
        scope: &Scope,
    ) -> Result<Vec<Endpoint>, SourceError> {
        let mut endpoints: Vec<Endpoint> = Vec::new();
        let property = scope.properties.first().map_or("", String::as_str);
        let feeds = source.feeds().map(|feed| source.first_of(feed));
        let looks = source.looks();
        let looks = looks.filter(|one| !source.is_about_something(one));
        let looks = looks.map(|one| source.first_of(one));
        for request in source.login().into_iter().chain(feeds).chain(looks) {
            let call = Call::of(source, account, scope, request, property);
            let url = call.url(&call.first_values().as_of_now())?;
            let endpoint = Endpoint::of(&call.permitted(&url)?);
            if let Some(endpoint) = endpoint.filter(|one| !endpoints.contains(one)) {
                endpoints.push(endpoint);
            }
        }
        Ok(endpoints)
    }

    /// Fetches a token with the credential, where the connector has a login of its own.
    pub async fn log_in(
        &self,
        source: &Source,
        account: &Account,
        scope: &Scope,
    ) -> Result<(), SourceError> {
        let call = Call::for_token(source, account, scope);
        self.token(&call, None).await.map(drop)
    }

    /// The properties that `request` is asked for one by one; the empty one where it is asked once.
    pub fn asked_for<'a>(source: &Source, request: &str, scope: &'a Scope) -> Vec<&'a str> {
        let spec = source.connector.request(request);
        if source.is_target() || spec.is_some_and(|request| request.per == Per::Once) {
            vec![""]
        } else {
            scope.properties.iter().map(String::as_str).collect()
        }
    }

    /// The first page of `request` for one property.
    pub async fn first_page(
        &self,
        source: &Source,
        account: &Account,
        request: &str,
        property: &str,
        scope: &Scope,
    ) -> Result<FirstPage, SourceError> {
        let call = Call::of(source, account, scope, request, property);
        let Some(compiled) = source.requests.get(request) else {
            return Err(SourceError::Stopped);
        };
        let (_, spec) = call.spec()?;
        let chain = self.chain(&call, spec).await?;
        let Some(before) = chain.before() else {
            return Ok(FirstPage {
                records: 0,
                elsewhere: BTreeSet::new(),
                bytes: 0,
                took: Duration::ZERO,
                budget: Vec::new(),
            });
        };
        let call = Call { before, ..call };
        let begun = Instant::now();
        let (page, url) = self.first(&call, compiled).await?;
        let mut presence = Presence::default();
        let whose = presence.look(&call, compiled, &page.decoded)?;
        if let Some(missing) = call.missing(&presence) {
            return Err(missing);
        }
        let came = page.decoded.records.len();
        if compiled.total.is_some() && came > 0 && declared(compiled, &page).is_none() {
            let remedy = "until then every run is incomplete";
            return Err(SourceError::Unexpected(call.told(NO_TOTAL, None, remedy)));
        }
        // What is amiss already ends a run as it ends this look.
        let mut pages = Pages::start(compiled.paging.as_ref(), compiled.total.is_some(), 1);
        call.after(compiled, &mut pages, Some(&page), &url, |_, _| Vec::new())?;
        let (records, elsewhere) = match whose {
            Whose::Asked => (came, BTreeSet::new()),
            Whose::Each(each) => {
                let attached = |one: &&Named| matches!(one, Named::Attached(_));
                let elsewhere = each.iter().filter_map(|one| match one {
                    Named::Other(named) => Some(shorten(named)),
                    Named::Attached(_) | Named::Nobody => None,
                });
                (each.iter().filter(attached).count(), elsewhere.collect())
            }
        };
        let limits = &source.connector.limits;
        let headers = [&limits.remaining, &limits.reset].into_iter().flatten();
        Ok(FirstPage {
            records,
            elsewhere,
            bytes: page.answer.body.len(),
            took: begun.elapsed(),
            budget: headers
                .filter_map(|name| {
                    let said = call.quoted(page.answer.header(name)?);
                    Some((name.clone(), said.to_owned()))
                })
                .collect(),
        })
    }

    /// What comes before a request.
    async fn chain(&self, call: &Call<'_>, spec: &config::Request) -> Result<Chain, SourceError> {
        let given = self
            .steps(call, call.source.steps_before(call.request))
            .await?;
        let listed = match &spec.each {
            None => None,
            Some(list) => {
                let before = Before {
                    given: Some(&given),
                    ..Before::default()
                };
                let call = Call { before, ..*call };
                Some(self.listed(&call, list).await?.0)
            }
        };
        Ok(Chain { given, listed })
    }

    /// The first page of a request, and what was asked.
    async fn first(&self, call: &Call<'_>, compiled: &Request) -> Result<(Page, Url), SourceError> {
        let values = call.first_values();
        let url = call.url(&values.as_of_now())?;
        let ask = Ask {
            first: &url,
            url: &url,
            values: &values,
            why: Why::There,
            keeps_texts: false,
            is_first: true,
        };
        let page = self.fetch(call, compiled, &ask).await?;
        Ok((page, url))
    }

    /// Asks for the first page of `request` for one property, or, where it is the one that logs in, for a token; and
    /// shows what was sent and what came, at most `most` bytes of each body.
    pub async fn probe(
        &self,
        source: &Source,
        account: Account,
        request: &str,
        property: &str,
        scope: &Scope,
        most: Option<usize>,
    ) -> Probed {
        let watch = Arc::new(Watch::default());
        let account = account.watched_by(&watch);
        let call = Call::of(source, &account, scope, request, property);
        let page = match source.requests.get(request) {
            _ if source.is_only_asked_by_errands(request) => {
                let what = "it is about one grant or event, or does something: it is asked where that is to be delivered, and is not tried";
                let remedy = "ask for `target.list` or `target.places`";
                Err(SourceError::NotAllowed(call.told(what, None, remedy)))
            }
            _ if source.login() == Some(request) => {
                self.token(&call, None).await.map(|_| Ending::default())
            }
            _ if source.logout() == Some(request) => match self.token(&call, None).await {
                Ok(_) => self
                    .log_out(source, &account, scope)
                    .await
                    .map(|()| Ending::default()),
                Err(error) => Err(error),
            },
            Some(compiled) if source.has_no_records(request) => self
                .step_once(&call, compiled)
                .await
                .map(|()| Ending::default()),
            Some(compiled) => self.ending(&call, compiled).await,
            None => Err(SourceError::Stopped),
        };
        let exchanged = watch.take();
        let left = self.log_out(source, &account, scope).await;
        let answered = exchanged.last().filter(|last| last.request == request);
        let meaning = answered.and_then(|last| {
            let reply = last.reply.as_ref()?;
            let body = reply.body.as_deref()?;
            let reply = Reply {
                status: reply.status,
                headers: &reply.headers,
                of_part: last.headers.contains_key(RANGE),
            };
            let judge = scope.judge.as_deref();
            let asked = AnswerTo {
                request,
                property,
                attached: &scope.properties,
                shape: None,
            };
            let meaning = source.meaning_of(asked, judge, reply, body);
            meaning.ok().map(|meaning| Meaning {
                hint: meaning.hint.map(|hint| account.redacted(&hint, None).text),
                wrong: meaning
                    .wrong
                    .map(|wrong| account.redacted(&wrong, None).text),
                ..meaning
            })
        });
        Probed {
            sent: exchanged
                .iter()
                .map(|one| call.exchanged(one, most))
                .collect(),
            meaning,
            page,
            left: left.err(),
        }
    }

    async fn ending(&self, call: &Call<'_>, compiled: &Request) -> Result<Ending, SourceError> {
        let (_, spec) = call.spec()?;
        let chain = self.chain(call, spec).await?;
        let Some(before) = chain.before() else {
            return Ok(Ending::default());
        };
        let call = &Call { before, ..*call };
        let (page, url) = self.first(call, compiled).await?;
        let mut presence = Presence::default();
        let amiss = presence.look(call, compiled, &page.decoded).err();
        presence.granted.take(call, compiled, &page);
        let mut pages = Pages::start(compiled.paging.as_ref(), compiled.total.is_some(), 1);
        let after = call.after(compiled, &mut pages, Some(&page), &url, |_, _| Vec::new());
        let next = match after {
            Ok(after) => call.next(after),
            Err(error) => Err(error),
        };
        let (next, ends) = match next {
            Ok(next) => (next, None),
            Err(error) => (None, Some(error)),
        };
        Ok(Ending {
            records: page.decoded.records.len(),
            declared: declared(compiled, &page),
            next,
            silence: call.silence(&presence.granted),
            amiss: amiss
                .or_else(|| call.missing(&presence))
                .or(ends)
                .or_else(|| call.not_granted(&presence.granted)),
        })
    }
}

/// What came before a request.
struct Chain {
    given: BTreeMap<String, String>,
    /// The records of the list that it is asked for one by one, where it is.
    listed: Option<Vec<serde_json::Value>>,
}

impl Chain {
    /// For the first question; none where the list is empty, so that nothing is asked.
    fn before(&self) -> Option<Before<'_>> {
        let record = match &self.listed {
            Some(listed) => Some(listed.first()?),
            None => None,
        };
        Some(Before {
            given: Some(&self.given),
            record,
            ..Before::default()
        })
    }
}

/// A request as it was sent and its answer as it came, without secrets.
#[derive(Debug, Serialize)]
pub struct Sent {
    /// As the connector names it.
    pub request: String,
    /// Whether it is the one that logs in.
    #[serde(skip)]
    pub logs_in: bool,
    /// The method.
    pub method: String,
    /// All of the address.
    pub url: String,
    /// The headers, with those that every request has.
    pub headers: Vec<RedactedHeader>,
    /// The body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Redacted>,
    /// What came; none where nothing did.
    pub answer: Option<Came>,
}

/// An answer as it came, without secrets.
#[derive(Debug, Serialize)]
pub struct Came {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: Vec<RedactedHeader>,
    /// How many bytes its body has, unpacked; none where not all of it came.
    pub bytes: Option<usize>,
    /// The body as text; none where it is none, or may hold a token.
    pub body: Option<Redacted>,
}

/// What one request showed.
#[derive(Debug)]
pub struct Probed {
    /// Everything that was sent, logins included, in its order.
    pub sent: Vec<Sent>,
    /// What the last answer means; none where none came.
    pub meaning: Option<Meaning>,
    /// What a run would take of it, or why it would end.
    pub page: Result<Ending, SourceError>,
    /// Why the token was not given back, where it was to be.
    pub left: Option<SourceError>,
}

/// What a run would take of a first page.
#[derive(Debug, Default)]
pub struct Ending {
    /// Its records.
    pub records: usize,
    /// How many there are in all, as it declares.
    pub declared: Option<u64>,
    /// Where the next page is; none where this is all.
    pub next: Option<Next>,
    /// That it is all only because nothing says otherwise, in words.
    pub silence: Option<String>,
    /// Why a run would not go on all the same.
    pub amiss: Option<SourceError>,
}

/// Where the next page of a request would be.
#[derive(Debug, Serialize)]
pub struct Next {
    /// The address.
    pub url: String,
    /// The values that templates know as `page.…`, where the page is made of them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<&'static str, String>,
}

impl Call<'_> {
    /// Where a run would go on.
    fn next(&self, after: After) -> Result<Option<Next>, SourceError> {
        let shown = |text: &str| self.account.redacted(text, None).text;
        Ok(match after {
            After::End | After::Repeated => None,
            After::Again => {
                let what =
                    "the number of records that came is not the one that the answer declares";
                let remedy = "a run reads all of it again, and is incomplete where it stays so; see `total` of the request";
                return Err(SourceError::Unexpected(self.told(what, None, remedy)));
            }
            After::Values(values) => {
                let url = self.url(&values)?;
                self.permitted(&url)?;
                let (_, spec) = self.spec()?;
                let value = match spec.page {
                    Some(config::Page::Offset(_)) => ("offset", values.offset.to_string()),
                    Some(config::Page::Number(_)) => ("number", values.number.to_string()),
                    _ => ("cursor", shown(&values.cursor)),
                };
                Some(Next {
                    url: shown(url.as_str()),
                    values: BTreeMap::from([value]),
                })
            }
            After::Url(next) => {
                self.permitted(&next)?;
                Some(Next {
                    url: shown(next.as_str()),
                    values: BTreeMap::new(),
                })
            }
        })
    }

    /// What may be shown of an exchange. The answer to a login holds a token that nobody may know yet.
    fn exchanged(&self, one: &Exchanged, most: Option<usize>) -> Sent {
        let (account, url) = (self.account, one.url.as_str());
        let is_login = self.source.login() == Some(&one.request) || one.request == OAUTH2;
        let text = |body: &[u8], headers: &HeaderMap| {
            let text = decode::text(body, media::charset(headers).as_deref(), None).ok()?;
            Some(account.redacted(&text, most))
        };
        // As a run reads it.
        let shape = self.source.shape(&one.request);
        let answered = |body: &[u8], headers: &HeaderMap| {
            let unpacked = shape?.unpacked(body).ok()?;
            let text = shape?.text(&unpacked, media::charset(headers).as_deref());
            Some(account.redacted(&text.ok()?, most))
        };
        Sent {
            request: one.request.clone(),
            logs_in: is_login,
            method: one.method.clone(),
            url: account.redacted(url, None).text,
            headers: account.redacted_headers(&one.headers),
            body: one.body.as_ref().and_then(|body| text(body, &one.headers)),
            answer: one.reply.as_ref().map(|reply| {
                let mut headers = account.redacted_headers(&reply.headers);
                if is_login {
                    headers.retain(|one| TOKENLESS.contains(&one.name.as_str()));
                }
                let body = reply.body.as_deref().filter(|_| !is_login);
                Came {
                    status: reply.status,
                    headers,
                    bytes: reply.body.as_ref().map(Vec::len),
                    body: body.and_then(|body| answered(body, &reply.headers)),
                }
            }),
        }
    }
}

/// Headers of an answer to a login that hold no token.
const TOKENLESS: [&str; 7] = [
    "content-type",
    "content-length",
    "date",
    "location",
    "retry-after",
    "server",
    "www-authenticate",
];

impl Call<'_> {
    fn first_values(&self) -> PageValues {
        let request = self.source.requests.get(self.request);
        let paging = request.and_then(|request| request.paging.as_ref());
        Pages::start(paging, false, 1).values
    }
}
