//! The HTTP clients, and what is kept of each credential between its uses. Sends nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use minijinja::Value;

use crate::beneath::{self, MAX_FILE};
use crate::config::{Credential, CredentialField, CredentialValue, Limits, Proxy};

use super::account::{Account, AccountError, Fingerprint, LetIn, SecretValue, Shared};
use super::allowance::Ledger;
use super::egress::{Lookup, Resolver, system};
use super::post::no_authority;
use super::proxy::Through;
use super::roots::{Roots, of_pem};
use super::usage::SecretsSeen;

/// How requests call who asks.
pub(super) const USER_AGENT: &str = concat!("epms/", env!("CARGO_PKG_VERSION"));

/// Follows no redirects, goes through no proxy of the environment, speaks TLS 1.2 or later, and judges the addresses of
/// names.
pub(super) fn client(
    lookup: &Lookup,
    roots: Roots,
    certificates: Vec<reqwest::Certificate>,
    proxy: Option<&Through>,
) -> Result<reqwest::Client, reqwest::Error> {
    let client = roots
        .trusted(reqwest::Client::builder(), certificates)?
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        .dns_resolver(Resolver(Arc::clone(lookup)))
        .connect_timeout(Duration::from_secs(20))
        .user_agent(USER_AGENT);
    let client = match proxy {
        Some(proxy) => client.proxy(proxy.of_client()),
        None => client,
    };
    client.build()
}

/// The way out of this machine. One for the whole daemon: it keeps what all who use a credential share.
pub struct Outbound {
    pub(super) client: reqwest::Client,
    roots: Roots,
    pub(super) lookup: Lookup,
    shared: Mutex<BTreeMap<String, Arc<Shared>>>,
    key: [u8; 32],
    ledger: Option<Arc<dyn Ledger>>,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").finish_non_exhaustive()
    }
}

/// What a credential is used for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asking<'a> {
    /// The fields that it may have.
    pub(crate) fields: &'a BTreeMap<String, CredentialField>,
    /// Where it may be sent.
    pub(crate) hosts: &'a [String],
    /// What may be asked with it, where its own limits are not lower.
    pub(crate) limits: &'a Limits,
    /// What it is sent through, except to loopback.
    pub(crate) proxy: Option<&'a Proxy>,
    /// All that decides what is sent: where it changes, a credential that was refused may be taken.
    pub(crate) used_for: &'a str,
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

impl Outbound {
    /// With no budgets spent.
    pub fn new() -> Result<Outbound, ClientError> {
        Outbound::with_lookup(system())
    }

    /// The same, with another way to resolve names.
    pub fn with_lookup(lookup: Lookup) -> Result<Outbound, ClientError> {
        let provider = rustls::crypto::ring::default_provider();
        let mut key = [0; 32];
        let random = provider.secure_random.fill(&mut key);
        random.map_err(|_| ClientError::Random)?;
        // A second call finds the first's provider in place, which is the same one.
        let _ = provider.install_default();
        let roots = Roots::found();
        let client = client(&lookup, roots, Vec::new(), None)?;
        Ok(Outbound {
            client,
            roots,
            lookup,
            shared: Mutex::default(),
            key,
            ledger: None,
        })
    }

    /// Who says which host is which.
    pub fn roots(&self) -> Roots {
        self.roots
    }

    /// The certificates of all who say which host is which, in DER: those of this machine, or of the program where it has
    /// none, and those of a PEM file in `home`. For a way out that is not HTTP.
    pub fn authorities(&self, ca_file: Option<&Path>, home: &Path) -> Result<Vec<Vec<u8>>, String> {
        let mut all = self.roots.certificates();
        if let Some(path) = ca_file {
            let pem = beneath::read_anywhere(&home.join(path), MAX_FILE);
            let pem = pem.map_err(|error| no_authority(path, &error.to_string()))?;
            let own = of_pem(&pem);
            if own.is_empty() {
                return Err(no_authority(path, "has no certificate in it"));
            }
            all.extend(own);
        }
        Ok(all)
    }

    /// The same, with somebody who keeps what was asked of a day and a month beyond this process (R43).
    #[must_use]
    pub fn kept_by(mut self, ledger: Arc<dyn Ledger>) -> Outbound {
        self.ledger = Some(ledger);
        self
    }

    /// Whether a token is kept for a credential of this name.
    pub async fn holds_token(&self, name: &str) -> bool {
        let shared = {
            let all = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
            all.get(name).cloned()
        };
        match shared {
            Some(shared) => shared.session.lock().await.holds(),
            None => false,
        }
    }

    /// Reads the secrets of a credential, and finds what all who use it share.
    pub(crate) fn account(
        &self,
        name: &str,
        credential: &Credential,
        asking: Asking<'_>,
        home: &Path,
    ) -> Result<Account, AccountError> {
        let mut values = BTreeMap::new();
        let mut places = BTreeMap::new();
        let mut secrets = Vec::new();
        for (field, asked) in asking.fields {
            if let Some(default) = &asked.default {
                values.insert(field.clone(), Value::from(default.as_str()));
                places.insert(field.clone(), Value::from(default.as_str()));
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
            let says_where = |host: &String| host.contains(&format!("credential.{field}"));
            let is_secret = value.downcast_object_ref::<SecretValue>().is_some();
            if !is_secret || asking.hosts.iter().any(says_where) {
                places.insert(field.clone(), value.clone());
            }
            values.insert(field.clone(), value);
        }
        let shared = {
            let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(shared.entry(name.to_owned()).or_default())
        };
        self.note_secrets(&shared, &values);
        let proxy = Through::read(asking.proxy, home).map_err(AccountError::Proxy)?;
        secrets.extend(proxy.iter().flat_map(Through::secrets));
        let (way, client) = self.reaching(credential, home, proxy.as_ref(), &shared)?;
        let ledger = self.ledger.clone();
        let counted = ledger.clone().map(|ledger| (ledger, name.to_owned()));
        Ok(Account {
            name: name.to_owned(),
            fingerprint: Fingerprint::new(&self.key, asking.used_for, &values, &way),
            place: Fingerprint::new(&self.key, asking.used_for, &places, &way),
            values,
            secrets,
            by_hand: false,
            once: false,
            let_in: LetIn::default(),
            patience: None,
            budget: shared.budget(&asking.limits.lowered(&credential.limits), counted),
            requests: Arc::new(AtomicU64::new(0)),
            shared,
            ledger,
            client,
            proxy,
            watch: None,
        })
    }

    /// Notes when the secrets among these values were read, and whether they are others than before.
    fn note_secrets(&self, shared: &Shared, values: &BTreeMap<String, Value>) {
        let is_secret =
            |(_, value): &(_, &Value)| value.downcast_object_ref::<SecretValue>().is_some();
        let secrets = values.iter().filter(is_secret);
        let secrets: BTreeMap<String, Value> = secrets
            .map(|(field, value)| (field.clone(), value.clone()))
            .collect();
        // Without a ledger nobody asks.
        if let Some(ledger) = self.ledger.as_ref().filter(|_| !secrets.is_empty()) {
            let print = Fingerprint::new(&self.key, "", &secrets, &[]);
            shared.watched.read(print, ledger.now());
        }
    }

    fn shared(&self, name: &str) -> Option<Arc<Shared>> {
        let all = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(name).cloned()
    }

    /// How many requests were made with a credential, by the hour since 1970; none where this process has counted none, or
    /// neither a day nor a month is limited.
    pub fn asked(&self, name: &str) -> Option<BTreeMap<i64, u32>> {
        self.shared(name)?.asked()
    }

    /// When the secrets of a credential were read; none where it has none, or they were not.
    pub fn secrets_seen(&self, name: &str) -> Option<SecretsSeen> {
        self.shared(name)?.watched.seen()
    }

    /// The client that trusts a credential's `ca_file` too and goes through the proxy, and what tells this way from
    /// another.
    fn reaching(
        &self,
        credential: &Credential,
        home: &Path,
        proxy: Option<&Through>,
        shared: &Shared,
    ) -> Result<(Vec<u8>, reqwest::Client), AccountError> {
        let key = |pem: &[u8]| {
            let proxy = proxy.map_or_else(Vec::new, Through::key);
            [proxy.as_slice(), pem].join(&b'\n')
        };
        let Some(path) = &credential.ca_file else {
            if proxy.is_none() {
                return Ok((Vec::new(), self.client.clone()));
            }
            let way = key(&[]);
            let make = || client(&self.lookup, self.roots, Vec::new(), proxy);
            let client = shared.client(&way, make).map_err(ClientError::Client)?;
            return Ok((way, client));
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
        let way = key(&pem);
        let client = shared
            .client(&way, || {
                client(&self.lookup, self.roots, certificates, proxy)
            })
            .map_err(|_| wrong("its certificates cannot be used".into()))?;
        Ok((way, client))
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
