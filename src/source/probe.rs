//! A look at a PMS, for `epms doctor`: where requests go, whether its login is taken, and one page. Keeps nothing.

use std::time::{Duration, Instant};

use crate::config::{Limits, Per};
use crate::outbound::{Account, Endpoint};

use super::SourceError;
use super::call::Call;
use super::compiled::Source;
use super::fetch::Ask;
use super::page::{Pages, Why};
use super::presence::Presence;
use super::reader::{Reader, Scope};
use super::template::{Before, PageValues};

/// The first page of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstPage {
    /// The records on it.
    pub records: usize,
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

    /// Whether a login of its own comes before the requests.
    pub fn logs_in(&self) -> bool {
        self.tokens.is_some()
    }
}

impl Reader {
    /// Where the requests for residents and the login go, each once; all are among the connector's
    /// hosts.
    pub fn endpoints(
        &self,
        source: &Source,
        account: &Account,
        scope: &Scope,
    ) -> Result<Vec<Endpoint>, SourceError> {
        let mut endpoints: Vec<Endpoint> = Vec::new();
        let property = scope.properties.first().map_or("", String::as_str);
        let feeds = source.feeds().map(|feed| source.first_of(feed));
        for request in source.login().into_iter().chain(feeds) {
            let call = Call {
                source,
                account,
                request,
                property,
                scope,
                known: None,
                before: Before::default(),
            };
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
        let call = Call {
            source,
            account,
            request: "residents",
            property: "",
            scope,
            known: None,
            before: Before::default(),
        };
        self.token(&call, None).await.map(drop)
    }

    /// The properties that `request` is asked for one by one; the empty one where it is asked once.
    pub fn asked_for<'a>(source: &Source, request: &str, scope: &'a Scope) -> Vec<&'a str> {
        let requests = &source.connector.requests;
        if requests
            .get(request)
            .is_some_and(|request| request.per == Per::Once)
        {
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
        let call = Call {
            source,
            account,
            request,
            property,
            scope,
            known: None,
            before: Before::default(),
        };
        let Some(compiled) = source.requests.get(request) else {
            return Err(SourceError::Stopped);
        };
        let (_, spec) = call.spec()?;
        let given = self.steps(&call, &spec.after).await?;
        let before = Before {
            given: Some(&given),
            ..Before::default()
        };
        let call = Call { before, ..call };
        let listed = match &spec.each {
            Some(list) => Some(self.listed(&call, list).await?),
            None => None,
        };
        let record = listed.as_ref().map(|listed| listed.first());
        if let Some(None) = record {
            return Ok(FirstPage {
                records: 0,
                bytes: 0,
                took: Duration::ZERO,
                budget: Vec::new(),
            });
        }
        let before = Before {
            record: record.flatten(),
            ..before
        };
        let call = Call { before, ..call };
        let values = call.first_values();
        let url = call.url(&values.as_of_now())?;
        let begun = Instant::now();
        let ask = Ask {
            first: &url,
            url: &url,
            values: &values,
            why: Why::There,
            keeps_texts: false,
        };
        let page = self.fetch(&call, compiled, &ask).await?;
        let mut presence = Presence::default();
        presence.look(&call, compiled, &page.decoded)?;
        if let Some(missing) = call.missing(&presence) {
            return Err(missing);
        }
        let limits = &source.connector.limits;
        let headers = [&limits.remaining, &limits.reset].into_iter().flatten();
        Ok(FirstPage {
            records: page.decoded.records.len(),
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
}

impl Call<'_> {
    fn first_values(&self) -> PageValues {
        let request = self.source.requests.get(self.request);
        let paging = request.and_then(|request| request.paging.as_ref());
        Pages::start(paging, false, 1).values
    }
}
