//! Reads a request of a connector: page after page, property after property, within the budget of the
//! credential and the connector's hosts. Maps nothing.

use std::collections::BTreeMap;
use std::path::Path as FilePath;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use jiff::civil::Date;
use minijinja::Value;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use tokio::sync::mpsc;
use url::Url;

use crate::config::{
    Auth, Body, Connector, Credential, CredentialValue, Method, Per, Secret, SecretError, Soap,
    SoapVersion, Verdict,
};
use crate::model::{Reading, Record};

use super::answer::{Judgement, judge};
use super::budget::Budget;
use super::compiled::Source;
use super::decode::{Decoded, decode, text};
use super::error::pause;
use super::page::{After, Pages};
use super::template::{PageValues, Place, Values};
use super::{SourceError, Told, authority};

/// An answer larger than this is no page.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// One page of records.
pub type Records = Vec<Record>;

/// What is asked of a PMS in one run.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The PMS properties, in the order of the integration's file.
    pub properties: Vec<String>,
    /// The integration's `fields`.
    pub fields: BTreeMap<String, String>,
    /// The date at the property.
    pub today: Date,
}

/// A credential with its secrets read, for the length of a run.
#[derive(Debug)]
pub struct Account {
    name: String,
    values: BTreeMap<String, Value>,
    secrets: Vec<Secret>,
    budget: Arc<Budget>,
}

/// Reads PMSs. One for the whole daemon: it keeps the budgets.
#[derive(Debug)]
pub struct Reader {
    client: reqwest::Client,
    budgets: Mutex<BTreeMap<String, Arc<Budget>>>,
}

/// The HTTP client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the HTTP client: {0}")]
pub struct ClientError(#[from] reqwest::Error);

struct Call<'a> {
    source: &'a Source,
    account: &'a Account,
    request: &'a str,
    property: &'a str,
    scope: &'a Scope,
}

struct Answer {
    status: u16,
    retry_after: Option<Duration>,
    charset: Option<String>,
    body: Vec<u8>,
}

impl Reader {
    /// A reader with no budgets spent.
    pub fn new() -> Result<Reader, ClientError> {
        // A second call finds the first's provider in place, which is the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .tls_version_min(reqwest::tls::Version::TLS_1_2)
            .connect_timeout(Duration::from_secs(20))
            .user_agent(concat!("epms/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Reader {
            client,
            budgets: Mutex::default(),
        })
    }

    /// Reads the secrets of a credential, and finds the budget that all its integrations share.
    pub fn account(
        &self,
        name: &str,
        credential: &Credential,
        source: &Source,
        home: &FilePath,
    ) -> Result<Account, SecretError> {
        let mut values = BTreeMap::new();
        let mut secrets = Vec::new();
        for (field, asked) in &source.connector.credential_fields {
            if let Some(default) = &asked.default {
                values.insert(field.clone(), Value::from(default.as_str()));
            }
        }
        for (field, value) in &credential.fields {
            let value = match value {
                CredentialValue::Plain(text) => Value::from(text.as_str()),
                CredentialValue::Secret(reference) => {
                    let secret = reference.read(home)?;
                    let value = Value::from(secret.expose());
                    secrets.push(secret);
                    value
                }
            };
            values.insert(field.clone(), value);
        }
        let limits = source.connector.limits;
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let budget = match budgets.get(name) {
            Some(budget) if budget.is_for(limits) => Arc::clone(budget),
            _ => {
                let budget = Arc::new(Budget::new(limits));
                budgets.insert(name.to_owned(), Arc::clone(&budget));
                budget
            }
        };
        Ok(Account {
            name: name.to_owned(),
            values,
            secrets,
            budget,
        })
    }

    /// Reads all of `request` and hands the records over page by page. The reading is complete only when
    /// every page of every property was read and taken.
    pub async fn read(
        &self,
        source: &Source,
        account: &Account,
        request: &str,
        scope: &Scope,
        taker: mpsc::Sender<Records>,
    ) -> Reading<SourceError> {
        let once = [String::new()];
        let per = source
            .connector
            .requests
            .get(request)
            .map(|request| request.per);
        let properties = if per == Some(Per::Once) {
            once.as_slice()
        } else {
            &scope.properties
        };
        let (mut pages, mut records) = (0, 0);
        for property in properties {
            let call = Call {
                source,
                account,
                request,
                property,
                scope,
            };
            match self.read_property(&call, &taker).await {
                Ok(read) => {
                    pages += read.count;
                    records += read.records;
                }
                Err(reason) => return Reading::Partial { reason },
            }
        }
        Reading::Complete { pages, records }
    }

    async fn read_property(
        &self,
        call: &Call<'_>,
        taker: &mpsc::Sender<Records>,
    ) -> Result<Pages, SourceError> {
        let Some(request) = call.source.requests.get(call.request) else {
            return Err(SourceError::NotAllowed(call.told(
                "the connector has no such request",
                None,
                "add it",
            )));
        };
        let mut pages = Pages::start(request.paging.as_ref());
        let mut values = pages.values.clone();
        let mut next: Option<Url> = None;
        loop {
            let first = call.url(&values)?;
            let url = next.as_ref().unwrap_or(&first);
            let decoded = self.fetch(call, &first, url, &values).await?;
            let after = pages
                .take(
                    request.paging.as_ref(),
                    url,
                    &decoded.around,
                    &decoded.records,
                )
                .map_err(|what| {
                    SourceError::Unexpected(call.told(
                        &what,
                        None,
                        "nothing was written; the next run tries again",
                    ))
                })?;
            let declared = request
                .total
                .as_ref()
                .and_then(|path| path.text(&decoded.around)?.parse::<u64>().ok());
            let records: Records = decoded
                .records
                .into_iter()
                .map(|json| Record {
                    property: call.property.to_owned(),
                    json,
                })
                .collect();
            taker
                .send(records)
                .await
                .map_err(|_| SourceError::Stopped)?;
            match after {
                After::End => {
                    if let Some(declared) = declared.filter(|declared| *declared != pages.records) {
                        let what = format!(
                            "the PMS declares {declared} records and sent {}",
                            pages.records
                        );
                        let remedy = "nothing was written; the next run tries again";
                        return Err(SourceError::Unexpected(call.told(&what, None, remedy)));
                    }
                    return Ok(pages);
                }
                After::Values(after) => values = after,
                After::Url(url) => next = Some(url),
            }
        }
    }

    /// One page, however often it takes.
    async fn fetch(
        &self,
        call: &Call<'_>,
        first: &Url,
        url: &Url,
        values: &PageValues,
    ) -> Result<Decoded, SourceError> {
        let (connector, request) = call.spec()?;
        call.check_host(url)?;
        let retry = connector.retry;
        let repeatable = request.method == Method::Get || request.reads;
        let mut attempt = 1;
        loop {
            let permit = call.account.budget.spend().await;
            let sent = self.send(call, first, url, values).await;
            drop(permit);
            let (error, wait) = match sent {
                Ok(answer) => match call.read_answer(&answer) {
                    Ok(decoded) => return Ok(decoded),
                    Err(error) => (error, answer.retry_after),
                },
                Err(error) => (error, None),
            };
            let may_repeat = matches!(error, SourceError::Unavailable(_));
            let wait = wait
                .unwrap_or_default()
                .max(pause(retry.pause.0, attempt, fastrand::f64()));
            if !may_repeat || !repeatable || attempt >= retry.attempts || wait > retry.longest.0 {
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

    async fn send(
        &self,
        call: &Call<'_>,
        first: &Url,
        url: &Url,
        values: &PageValues,
    ) -> Result<Answer, SourceError> {
        let (connector, request) = call.spec()?;
        let mut builder = match request.method {
            Method::Get => self.client.get(url.clone()),
            Method::Post => self.client.post(url.clone()),
        };
        // A next link may lead to another of the connector's hosts, but never with the credential.
        if authority(url) == authority(first) {
            for (place, headers) in [
                ("headers".to_owned(), &connector.headers),
                (call.at("headers"), &request.headers),
            ] {
                for name in headers.keys() {
                    builder = builder.header(
                        name,
                        call.render(Place::Header, &format!("{place}.{name}"), values)?,
                    );
                }
            }
            match &connector.auth {
                Some(Auth::Basic { .. }) => {
                    let username = call.render(Place::Plain, "auth.basic.username", values)?;
                    let password = call.render(Place::Plain, "auth.basic.password", values)?;
                    builder = builder.basic_auth(username, Some(password));
                }
                Some(Auth::Bearer { .. }) => {
                    let token = call.render(Place::Header, "auth.bearer.token", values)?;
                    builder = builder.header(AUTHORIZATION, format!("Bearer {token}"));
                }
                None => {}
            }
            if let Some(body) = &request.body {
                builder = call.body(builder, body, values)?;
            }
        }
        let unavailable = |error: &reqwest::Error| {
            let what = if error.is_timeout() {
                format!("no answer within {}", connector.timeout)
            } else if error.is_connect() {
                format!("cannot connect to {}", authority(url).unwrap_or_default())
            } else {
                "the connection broke off in the middle of the answer".to_owned()
            };
            SourceError::Unavailable(call.told(&what, None, "the next run tries again"))
        };
        let mut response = builder
            .timeout(connector.timeout.0)
            .send()
            .await
            .map_err(|error| unavailable(&error))?;
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers(), SystemTime::now());
        let charset = charset(response.headers());
        if response.status().is_redirection() {
            let to = response
                .headers()
                .get("location")
                .and_then(|to| to.to_str().ok())
                .unwrap_or_default();
            let to = url
                .join(to)
                .ok()
                .and_then(|url| authority(&url))
                .unwrap_or_else(|| "another place".into());
            let what = format!("the PMS redirects to {to}");
            return Err(SourceError::NotAllowed(call.told(
                &what,
                None,
                "write the right URL into the credential",
            )));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| unavailable(&error))?
        {
            if body.len() + chunk.len() > MAX_ANSWER {
                let what = format!("the answer is larger than {} MiB", MAX_ANSWER >> 20);
                return Err(SourceError::Unexpected(call.told(
                    &what,
                    None,
                    "ask for smaller pages",
                )));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status,
            retry_after,
            charset,
            body,
        })
    }
}

impl Call<'_> {
    fn at(&self, field: &str) -> String {
        format!("requests.{}.{field}", self.request)
    }

    fn spec(&self) -> Result<(&Connector, &crate::config::Request), SourceError> {
        let connector = &self.source.connector;
        match connector.requests.get(self.request) {
            Some(request) => Ok((connector, request)),
            None => Err(SourceError::NotAllowed(self.told(
                "the connector has no such request",
                None,
                "add it",
            ))),
        }
    }

    /// An error's text, with every secret struck out of what the PMS said.
    fn told(&self, what: &str, said: Option<String>, remedy: &str) -> Told {
        let said = said.map(|mut said| {
            for secret in &self.account.secrets {
                if secret.expose().len() >= 4 {
                    said = said.replace(secret.expose(), "***");
                }
            }
            said
        });
        Told {
            request: self.request.to_owned(),
            property: self.property.to_owned(),
            what: what.to_owned(),
            said,
            remedy: remedy.to_owned(),
        }
    }

    fn render(&self, place: Place, field: &str, page: &PageValues) -> Result<String, SourceError> {
        let values = Values {
            credential: &self.account.values,
            fields: &self.scope.fields,
            property: self.property,
            today: self.scope.today,
            page,
        };
        self.source
            .templates
            .render(place, field, &values)
            .map_err(|what| {
                SourceError::NotAllowed(self.told(
                    &what,
                    None,
                    "correct the connector or the credential",
                ))
            })
    }

    fn url(&self, values: &PageValues) -> Result<Url, SourceError> {
        let rendered = self.render(Place::Url, &self.at("url"), values)?;
        let mut url = Url::parse(&rendered).map_err(|_| {
            let remedy = "write a URL that begins with https:// into the credential";
            SourceError::NotAllowed(self.told("what `url` gives is no URL", None, remedy))
        })?;
        let (_, request) = self.spec()?;
        for name in request.query.keys() {
            let value = self.render(Place::Plain, &self.at(&format!("query.{name}")), values)?;
            if !value.is_empty() {
                url.query_pairs_mut().append_pair(name, &value);
            }
        }
        Ok(url)
    }

    /// Only the connector's hosts, and no secret in the clear except on this machine.
    fn check_host(&self, url: &Url) -> Result<(), SourceError> {
        let Some(host) = authority(url) else {
            let what = format!("requests go over https, not {}", url.scheme());
            return Err(SourceError::NotAllowed(self.told(
                &what,
                None,
                "correct the URL",
            )));
        };
        for index in 0..self.source.connector.hosts.len() {
            let allowed = self.render(
                Place::Plain,
                &format!("hosts.{index}"),
                &PageValues::default(),
            )?;
            if allowed.eq_ignore_ascii_case(&host) {
                let loopback = match url.host() {
                    Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
                    Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
                    Some(url::Host::Domain(name)) => name == "localhost",
                    None => false,
                };
                if url.scheme() == "http" && !loopback {
                    let what = format!("{host} would be asked over plain http");
                    return Err(SourceError::NotAllowed(self.told(
                        &what,
                        None,
                        "write https:// into the credential",
                    )));
                }
                return Ok(());
            }
        }
        let what = format!("{host} is not among the connector's hosts");
        Err(SourceError::NotAllowed(self.told(
            &what,
            None,
            "if it belongs to the PMS, add it to `hosts`",
        )))
    }

    fn body(
        &self,
        builder: reqwest::RequestBuilder,
        body: &Body,
        values: &PageValues,
    ) -> Result<reqwest::RequestBuilder, SourceError> {
        Ok(match body {
            Body::Form(members) => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                for name in members.keys() {
                    let value =
                        self.render(Place::Plain, &self.at(&format!("body.form.{name}")), values)?;
                    form.append_pair(name, &value);
                }
                builder
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(form.finish())
            }
            Body::Json(value) => {
                let value = self.leaves(&self.at("body.json"), value, values)?;
                builder
                    .header(CONTENT_TYPE, "application/json")
                    .body(value.to_string())
            }
            Body::Xml(_) => {
                let xml = self.render(Place::Xml, &self.at("body.xml"), values)?;
                builder
                    .header(CONTENT_TYPE, "application/xml; charset=utf-8")
                    .body(xml)
            }
            Body::Soap(Soap { version, .. }) => {
                let action = self.render(Place::Header, &self.at("body.soap.action"), values)?;
                let xml = self.render(Place::Xml, &self.at("body.soap.xml"), values)?;
                let namespace = match version {
                    SoapVersion::V11 => "http://schemas.xmlsoap.org/soap/envelope/",
                    SoapVersion::V12 => "http://www.w3.org/2003/05/soap-envelope",
                };
                let envelope = format!(
                    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
                     <soap:Envelope xmlns:soap=\"{namespace}\"><soap:Body>{xml}</soap:Body></soap:Envelope>"
                );
                match version {
                    SoapVersion::V11 => builder
                        .header(CONTENT_TYPE, "text/xml; charset=utf-8")
                        .header("SOAPAction", format!("\"{action}\"")),
                    SoapVersion::V12 => builder.header(
                        CONTENT_TYPE,
                        format!("application/soap+xml; charset=utf-8; action=\"{action}\""),
                    ),
                }
                .body(envelope)
            }
        })
    }

    fn leaves(
        &self,
        field: &str,
        value: &serde_json::Value,
        values: &PageValues,
    ) -> Result<serde_json::Value, SourceError> {
        Ok(match value {
            serde_json::Value::String(_) => self.render(Place::Plain, field, values)?.into(),
            serde_json::Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| self.leaves(&format!("{field}.{index}"), item, values))
                .collect::<Result<Vec<_>, _>>()?
                .into(),
            serde_json::Value::Object(members) => {
                let mut rendered = serde_json::Map::new();
                for (name, item) in members {
                    rendered.insert(
                        name.clone(),
                        self.leaves(&format!("{field}.{name}"), item, values)?,
                    );
                }
                rendered.into()
            }
            other => other.clone(),
        })
    }

    /// Judges an answer; records, or why there are none.
    fn read_answer(&self, answer: &Answer) -> Result<Decoded, SourceError> {
        let (_, spec) = self.spec()?;
        let Some(request) = self.source.requests.get(self.request) else {
            return Err(SourceError::Stopped);
        };
        let charset = answer.charset.as_deref();
        let decoded = decode(spec.format, &request.records, charset, &answer.body);
        let raw = text(&answer.body, charset).unwrap_or_default();
        let Judgement {
            verdict,
            said,
            hint,
        } = judge(
            &request.rules,
            answer.status,
            decoded.as_ref().ok().map(|decoded| &decoded.around),
            &raw,
        );
        let status = answer.status;
        let told = |what: String, remedy: &str| {
            self.told(&what, said.clone(), hint.as_deref().unwrap_or(remedy))
        };
        Err(match verdict {
            Verdict::Ok => match decoded {
                Ok(decoded) if decoded.found => return Ok(decoded),
                Ok(_) => SourceError::Unexpected(told(
                    format!("there is nothing at `{}` in the answer", request.records),
                    "nothing was written; if this means an empty list, say so with a rule `is: empty`",
                )),
                Err(error) => SourceError::Unavailable(told(
                    error.to_string(),
                    "nothing was written; the next run tries again",
                )),
            },
            Verdict::Empty => {
                let around = decoded.map(|decoded| decoded.around).unwrap_or_default();
                return Ok(Decoded {
                    around,
                    records: Vec::new(),
                    found: true,
                });
            }
            Verdict::Retry => SourceError::Unavailable(told(
                format!("the PMS failed with status {status}"),
                "the next run tries again",
            )),
            Verdict::RateLimited => SourceError::Unavailable(told(
                format!("the PMS says there were too many requests (status {status})"),
                "the next run tries again; lower the connector's `limits` if it comes often",
            )),
            Verdict::Maintenance => SourceError::Unavailable(told(
                format!("the PMS is closed for maintenance (status {status})"),
                "the next run tries again",
            )),
            Verdict::LoginFailed => SourceError::LoginFailed(told(
                format!(
                    "the PMS refuses the login of the credential `{}` (status {status})",
                    self.account.name
                ),
                "check the credential",
            )),
            Verdict::Denied => SourceError::Denied(told(
                format!(
                    "the login of the credential `{}` is right but may not do this (status {status})",
                    self.account.name
                ),
                "ask the PMS's administrator for the right that it lacks",
            )),
            Verdict::Fatal => SourceError::Unexpected(told(
                format!("the PMS answered with status {status}"),
                "nothing was written; check the connector's request",
            )),
        })
    }
}

/// `Retry-After` in seconds or as a date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(value)
            .ok()?
            .duration_since(now)
            .ok(),
    }
}

fn charset(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let (_, charset) = value.split_once("charset=")?;
    Some(
        charset
            .split(';')
            .next()?
            .trim_matches(['"', ' '])
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(of("7"), Some(Duration::from_secs(7)));
        assert_eq!(
            of("Sun, 06 Nov 1994 08:49:40 GMT"),
            Some(Duration::from_secs(3))
        );
        assert_eq!(of("soon"), None);
    }
}
