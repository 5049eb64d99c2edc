//! Reads a request of a connector: page after page, property after property. Maps nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path as FilePath;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::civil::Date;
use minijinja::Value;
use reqwest::header::LINK;
use tokio::sync::mpsc;
use url::Url;

use crate::config::{self, Credential, CredentialValue, Per};
use crate::model::{Print, Printer, Reading, Record};

use super::account::{Account, AccountError, Fingerprint, SecretValue, Shared};
use super::answer::Judge;
use super::call::Call;
use super::compiled::{Source, Total};
use super::decode::Decoded;
use super::egress::{self, Lookup, Resolver};
use super::error::shorten;
use super::fetch::Page;
use super::known::Known;
use super::page::{After, Came, Pages};
use super::template::{PageValues, Place};
use super::{Path, SourceError, decode, link};

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
    /// Says what answers mean where the connector's rules do not.
    pub judge: Option<Arc<dyn Judge>>,
    /// Residents' records that need not be read again.
    pub known: Option<Arc<Known>>,
}

/// Follows no redirects, speaks TLS 1.2 or later, and judges the addresses of names.
fn client(
    lookup: &Lookup,
    certificates: Vec<reqwest::Certificate>,
) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        .tls_certs_merge(certificates)
        .dns_resolver(Resolver(Arc::clone(lookup)))
        .connect_timeout(Duration::from_secs(20))
        .user_agent(concat!("epms/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Reads PMSs. One for the whole daemon: it keeps what the integrations of a credential share.
pub struct Reader {
    client: reqwest::Client,
    pub(super) lookup: Lookup,
    shared: Mutex<BTreeMap<String, Arc<Shared>>>,
    key: [u8; 32],
    listener: Option<mpsc::UnboundedSender<Heard>>,
}

/// An answer as it came, of which records could be taken.
#[derive(Debug)]
pub struct Heard {
    /// The request that it answers, as the connector names it.
    pub request: String,
    /// The PMS property that was asked for; empty for requests that are asked once.
    pub property: String,
    /// The answer as text, without the secrets that it may quote.
    pub text: String,
    /// Its records, as JSON texts.
    pub records: Vec<Box<str>>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

/// The HTTP client could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It said so.
    #[error("cannot set up the HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    /// The system gave no random numbers.
    #[error("cannot set up the HTTP client: the system gives no random numbers")]
    Random,
}

impl Reader {
    /// A reader with no budgets spent.
    pub fn new() -> Result<Reader, ClientError> {
        Reader::with_lookup(egress::system())
    }

    /// The same, with another way to resolve names.
    pub fn with_lookup(lookup: Lookup) -> Result<Reader, ClientError> {
        let provider = rustls::crypto::ring::default_provider();
        let mut key = [0; 32];
        let random = provider.secure_random.fill(&mut key);
        random.map_err(|_| ClientError::Random)?;
        // A second call finds the first's provider in place, which is the same one.
        let _ = provider.install_default();
        let client = client(&lookup, Vec::new())?;
        Ok(Reader {
            client,
            lookup,
            shared: Mutex::default(),
            key,
            listener: None,
        })
    }

    /// The same, with somebody who hears every answer that has records, whole. Answers to a login are not among them.
    #[must_use]
    pub fn heard_by(mut self, listener: mpsc::UnboundedSender<Heard>) -> Reader {
        self.listener = Some(listener);
        self
    }

    /// Reads the secrets of a credential, and finds what all its integrations share.
    pub fn account(
        &self,
        name: &str,
        credential: &Credential,
        source: &Source,
        home: &FilePath,
    ) -> Result<Account, AccountError> {
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
                    secrets.push(secret.clone());
                    Value::from_object(SecretValue(secret))
                }
            };
            values.insert(field.clone(), value);
        }
        let shared = {
            let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(shared.entry(name.to_owned()).or_default())
        };
        let (authority, client) = self.trusting(credential, home, &shared)?;
        Ok(Account {
            name: name.to_owned(),
            fingerprint: Fingerprint::new(&self.key, &source.connector, &values, &authority),
            values,
            secrets,
            by_hand: false,
            once: false,
            budget: shared.budget(&source.connector.limits),
            shared,
            client,
        })
    }

    /// The client that trusts a credential's `ca_file` too, and what is in that file.
    fn trusting(
        &self,
        credential: &Credential,
        home: &FilePath,
        shared: &Shared,
    ) -> Result<(Vec<u8>, reqwest::Client), AccountError> {
        let Some(path) = &credential.ca_file else {
            return Ok((Vec::new(), self.client.clone()));
        };
        let wrong = |what: String| AccountError::Authority {
            path: path.clone(),
            what,
        };
        let pem = std::fs::read(home.join(path))
            .map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let certificates = reqwest::Certificate::from_pem_bundle(&pem)
            .ok()
            .filter(|certificates| !certificates.is_empty())
            .ok_or_else(|| wrong("has no certificate in it".into()))?;
        let client = shared
            .client(&pem, || client(&self.lookup, certificates))
            .map_err(|_| wrong("its certificates cannot be used".into()))?;
        Ok((pem, client))
    }

    /// Reads all residents: `residents`, and every request that feeds them. Complete only when all are.
    pub async fn residents(
        &self,
        source: &Source,
        account: &Account,
        scope: &Scope,
        taker: mpsc::Sender<Records>,
    ) -> Reading<SourceError> {
        let (mut pages, mut records) = (0, 0);
        for request in source.feeds() {
            let known = scope.known.as_deref();
            let reading = self.read_beside(source, account, request, scope, taker.clone(), known);
            match reading.await {
                Reading::Complete {
                    pages: more,
                    records: came,
                } => {
                    pages += more;
                    records += came;
                }
                partial @ Reading::Partial { .. } => return partial,
            }
        }
        Reading::Complete { pages, records }
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
        self.read_beside(source, account, request, scope, taker, None)
            .await
    }

    async fn read_beside(
        &self,
        source: &Source,
        account: &Account,
        request: &str,
        scope: &Scope,
        taker: mpsc::Sender<Records>,
        known: Option<&Known>,
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
                known,
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
        let (_, spec) = call.spec()?;
        let Some(request) = call.source.requests.get(call.request) else {
            return Err(SourceError::Stopped);
        };
        let (name, property): (Arc<str>, Arc<str>) = (call.request.into(), call.property.into());
        // Pages are compared with each other, whatever else is known of their records.
        let plain = known_or_plain(call);
        let paging = request.paging.as_ref();
        let mut pages = Pages::start(paging);
        let mut values = pages.values.clone();
        let mut next: Option<Url> = None;
        let unexpected = |what: &str| {
            let remedy = "nothing was written; the next run tries again";
            SourceError::Unexpected(call.told(what, None, remedy))
        };
        loop {
            let first = call.url(&values)?;
            let url = next.as_ref().unwrap_or(&first);
            let Page { decoded, answer } = self.fetch(call, request, &first, url, &values).await?;
            if let Some(listener) = &self.listener
                && !decoded.records.is_empty()
            {
                let text = decode::text(&answer.body, answer.charset().as_deref());
                // Whoever listened may have gone.
                let _ = listener.send(Heard {
                    request: call.request.to_owned(),
                    property: call.property.to_owned(),
                    text: call.account.strike(&text.unwrap_or_default()),
                    records: decoded.records.clone(),
                });
            }
            let links = answer.headers.get_all(LINK).iter();
            let link = match &spec.page {
                Some(config::Page::Link(link)) => {
                    link::target(links.filter_map(|value| value.to_str().ok()), &link.rel)
                }
                _ => None,
            };
            if let Some(path) = &request.property
                && let Some(other) = other_property(path, &decoded, call.property)
            {
                let what = format!("the answer has a record of the PMS property `{other}`");
                let remedy = "nothing was written; see `pms_properties` of the integration, and whether the PMS answers what it is asked";
                return Err(SourceError::Unexpected(call.told(&what, None, remedy)));
            }
            let came = Came {
                url,
                around: &decoded.around,
                count: decoded.records.len() as u64,
                print: Print::of_page(prints(&decoded, plain)),
                link: link.as_deref(),
                force: &call.forced(&values)?,
            };
            let after = pages.take(paging, came).map_err(|what| unexpected(&what))?;
            let declared = match &request.total {
                Some(Total::Path(path)) => path
                    .text(&decoded.around)
                    .and_then(|text| text.parse::<u64>().ok()),
                Some(Total::Header(name)) => answer
                    .header(name)
                    .and_then(|text| text.trim().parse::<u64>().ok()),
                None => None,
            };
            let places = decoded.known.into_iter().chain(std::iter::repeat(None));
            let records: Records = decoded
                .records
                .into_iter()
                .zip(places)
                .map(|(json, place)| Record {
                    request: Arc::clone(&name),
                    property: Arc::clone(&property),
                    json,
                    known: place.map(|place| place.place),
                })
                .collect();
            taker
                .send(records)
                .await
                .map_err(|_| SourceError::Stopped)?;
            match after {
                After::End => {
                    return match declared {
                        Some(declared) if declared != pages.records => Err(unexpected(&format!(
                            "the PMS declares {declared} records and sent {}",
                            pages.records
                        ))),
                        _ => Ok(pages),
                    };
                }
                After::Values(after) => values = after,
                After::Url(url) => next = Some(url),
            }
        }
    }
}

fn known_or_plain(call: &Call<'_>) -> Printer {
    let of = |known: &Known| known.printer(call.request, call.property);
    call.known.map_or(Printer::new(0, "", ""), of)
}

fn prints(decoded: &Decoded, printer: Printer) -> impl Iterator<Item = Print> {
    let places = decoded.known.iter().map(Option::as_ref);
    let places = places.chain(std::iter::repeat(None));
    let records = decoded.records.iter().zip(places);
    records.map(move |(text, place)| match place {
        Some(place) => place.print,
        None => printer.print(text),
    })
}

/// Another property than the one asked for that one of the new records names; those that name none may be of any,
/// and those that are known were looked at when they were new.
fn other_property(path: &Path, decoded: &Decoded, asked: &str) -> Option<String> {
    let places = decoded.known.iter().map(Option::is_some);
    let records = decoded
        .records
        .iter()
        .zip(places.chain(std::iter::repeat(false)));
    records.filter(|(_, known)| !known).find_map(|(json, _)| {
        let record: serde_json::Value = serde_json::from_str(json).ok()?;
        let named = path.text(&record)?;
        let named = named.trim();
        let other = !named.is_empty() && !named.eq_ignore_ascii_case(asked.trim());
        other.then(|| shorten(named))
    })
}

impl Call<'_> {
    /// The query parameters that a link's page is asked with, whatever the link says.
    fn forced(&self, values: &PageValues) -> Result<Vec<(String, String)>, SourceError> {
        let (_, spec) = self.spec()?;
        let (kind, force) = match &spec.page {
            Some(config::Page::Next(next)) => ("next", &next.force),
            Some(config::Page::Link(link)) => ("link", &link.force),
            _ => return Ok(Vec::new()),
        };
        force
            .keys()
            .map(|name| {
                let field = self.at(&format!("page.{kind}.force.{name}"));
                Ok((name.clone(), self.render(Place::Plain, &field, values)?))
            })
            .collect()
    }
}
