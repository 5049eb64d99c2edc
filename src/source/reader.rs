//! Reads the requests of a connector, property after property; what is read of one is in `read`. Maps nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path as FilePath;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::civil::Date;
use minijinja::Value;
use tokio::sync::mpsc;

use crate::beneath::{self, MAX_FILE};
use crate::config::{Credential, CredentialValue, Per};
use crate::model::{Reading, Record};
use crate::outbound::{
    Account, AccountError, Fingerprint, Ledger, LetIn, Lookup, Resolver, Roots, SecretValue,
    Shared, system,
};

use super::SourceError;
use super::answer::Judge;
use super::call::Call;
use super::compiled::Source;
use super::known::Known;
use super::presence::Presence;

/// What a reading hands over, in its order.
#[derive(Debug)]
pub enum Handed {
    /// A page of records.
    Page(Vec<Record>),
    /// A PMS property is read once more from its beginning: what was handed over for this request and this property
    /// does not count.
    Again {
        /// The request, as the connector names it.
        request: Arc<str>,
        /// The PMS property; empty for requests that are asked once.
        property: Arc<str>,
    },
}

/// Collects the records of a reading that count.
pub async fn collected(mut handed: mpsc::Receiver<Handed>) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    while let Some(handed) = handed.recv().await {
        match handed {
            Handed::Page(page) => records.extend(page),
            Handed::Again { request, property } => {
                records.retain(|one| one.request != request || one.property != property);
            }
        }
    }
    records
}

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
    roots: Roots,
    certificates: Vec<reqwest::Certificate>,
) -> Result<reqwest::Client, reqwest::Error> {
    roots
        .trusted(reqwest::Client::builder(), certificates)?
        .redirect(reqwest::redirect::Policy::none())
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        .dns_resolver(Resolver(Arc::clone(lookup)))
        .connect_timeout(Duration::from_secs(20))
        .user_agent(concat!("epms/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Reads PMSs. One for the whole daemon: it keeps what the integrations of a credential share.
pub struct Reader {
    client: reqwest::Client,
    roots: Roots,
    pub(super) lookup: Lookup,
    shared: Mutex<BTreeMap<String, Arc<Shared>>>,
    key: [u8; 32],
    pub(super) listener: Option<mpsc::UnboundedSender<Heard>>,
    ledger: Option<Arc<dyn Ledger>>,
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
    #[error("cannot set up the HTTP client: {}", causes(.0))]
    Client(#[from] reqwest::Error),
    /// The system gave no random numbers.
    #[error("cannot set up the HTTP client: the system gives no random numbers")]
    Random,
}

/// An error and what lies behind it: the outermost often says nothing.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text += ": ";
        text += &cause.to_string();
        next = cause.source();
    }
    text
}

impl Reader {
    /// A reader with no budgets spent.
    pub fn new() -> Result<Reader, ClientError> {
        Reader::with_lookup(system())
    }

    /// The same, with another way to resolve names.
    pub fn with_lookup(lookup: Lookup) -> Result<Reader, ClientError> {
        let provider = rustls::crypto::ring::default_provider();
        let mut key = [0; 32];
        let random = provider.secure_random.fill(&mut key);
        random.map_err(|_| ClientError::Random)?;
        // A second call finds the first's provider in place, which is the same one.
        let _ = provider.install_default();
        let roots = Roots::found();
        let client = client(&lookup, roots, Vec::new())?;
        Ok(Reader {
            client,
            roots,
            lookup,
            shared: Mutex::default(),
            key,
            listener: None,
            ledger: None,
        })
    }

    /// Who says which host is which.
    pub fn roots(&self) -> Roots {
        self.roots
    }

    /// The same, with somebody who hears every answer that has records, whole. Answers to a login are not among them.
    #[must_use]
    pub fn heard_by(mut self, listener: mpsc::UnboundedSender<Heard>) -> Reader {
        self.listener = Some(listener);
        self
    }

    /// The same, with somebody who keeps what was asked of a day and a month beyond this process (R43).
    #[must_use]
    pub fn kept_by(mut self, ledger: Arc<dyn Ledger>) -> Reader {
        self.ledger = Some(ledger);
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
            fingerprint: Fingerprint::new(
                &self.key,
                &format!("{:?}", source.connector),
                &values,
                &authority,
            ),
            values,
            secrets,
            by_hand: false,
            once: false,
            let_in: LetIn::default(),
            patience: None,
            budget: shared.budget(
                &source.connector.limits.lowered(&credential.limits),
                self.ledger
                    .as_ref()
                    .map(|ledger| (Arc::clone(ledger), name.to_owned())),
            ),
            requests: Arc::new(AtomicU64::new(0)),
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
        let pem = beneath::read_anywhere(&home.join(path), MAX_FILE)
            .map_err(|error| wrong(error.to_string()))?;
        let certificates = reqwest::Certificate::from_pem_bundle(&pem)
            .ok()
            .filter(|certificates| !certificates.is_empty())
            .ok_or_else(|| wrong("has no certificate in it".into()))?;
        let client = shared
            .client(&pem, || client(&self.lookup, self.roots, certificates))
            .map_err(|_| wrong("its certificates cannot be used".into()))?;
        Ok((pem, client))
    }

    /// Reads all residents: `residents`, and every request that feeds them. Complete only when all are.
    pub async fn residents(
        &self,
        source: &Source,
        account: &Account,
        scope: &Scope,
        taker: mpsc::Sender<Handed>,
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
        taker: mpsc::Sender<Handed>,
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
        taker: mpsc::Sender<Handed>,
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
        let mut presence = Presence::default();
        for property in properties {
            let call = Call {
                source,
                account,
                request,
                property,
                scope,
                known,
            };
            match self.read_property(&call, &taker, &mut presence).await {
                Ok(read) => {
                    pages += read.count;
                    records += read.records();
                }
                Err(reason) => return Reading::Partial { reason },
            }
        }
        let call = Call {
            source,
            account,
            request,
            property: "",
            scope,
            known,
        };
        match call.missing(&presence) {
            Some(reason) => Reading::Partial { reason },
            None => Reading::Complete { pages, records },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C7.
    #[test]
    fn a_client_that_cannot_be_made_says_its_cause() {
        let error = reqwest::Client::builder().user_agent("\n").build();
        let told = ClientError::from(error.unwrap_err()).to_string();
        let (what, cause) = told.split_once(": builder error: ").unwrap();
        assert_eq!(what, "cannot set up the HTTP client");
        assert!(cause.contains("header value"), "{told}");
    }
}
