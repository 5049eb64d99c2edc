//! A credential with its secrets read, and what all its integrations share: the budget, the token, and
//! whether the PMS takes it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::Value;
use minijinja::value::{Object, ObjectRepr};

use crate::config::{Connector, Limits, Secret, SecretError};

use super::budget::Budget;
use super::token::Session;
use super::trust::Trust;

/// Shorter ones would strike out half of what a PMS says.
const SHORTEST_SECRET: usize = 4;

/// Tokens that an answer may still quote.
const TOKENS_STRUCK: usize = 8;

/// A credential with its secrets read, for the length of a run.
pub struct Account {
    pub(super) name: String,
    pub(super) values: BTreeMap<String, Value>,
    pub(super) secrets: Vec<Secret>,
    pub(super) fingerprint: Fingerprint,
    /// Somebody asks, and not the clock.
    pub(super) by_hand: bool,
    /// A request that failed is not repeated.
    pub(super) once: bool,
    pub(super) budget: Arc<Budget>,
    pub(super) shared: Arc<Shared>,
    /// Trusts whom the system trusts, and the credential's `ca_file`.
    pub(super) client: reqwest::Client,
}

/// Why a credential cannot be used. Holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// A secret cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Its `ca_file` is of no use.
    #[error("ca_file: {}: {what}; name a PEM file with the certificate of the PMS's authority", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

/// A secret among the values of templates: it is written where a template asks for it, and wiped with the account.
#[derive(Debug)]
pub(super) struct SecretValue(pub(super) Secret);

impl Object for SecretValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.expose())
    }
}

impl Account {
    /// For a run that somebody asked for: a refused login is tried again, though not many times over.
    #[must_use]
    pub fn asked_by_hand(self, by_hand: bool) -> Account {
        Account { by_hand, ..self }
    }

    /// For a look at how the PMS answers now: a request that failed is not repeated.
    #[must_use]
    pub fn asked_once(self) -> Account {
        Account { once: true, ..self }
    }

    /// Whether both have the same values, for the same connector.
    pub fn is_as(&self, other: &Account) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What tells two states of a credential apart: its values and the connector that they are for. Tells
/// neither, as its key is made anew by every process and leaves it nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(super) fn new(
        key: &[u8; 32],
        connector: &Connector,
        values: &BTreeMap<String, Value>,
        authority: &[u8],
    ) -> Fingerprint {
        let mut hasher = blake3::Hasher::new_keyed(key);
        let connector = format!("{connector:?}");
        for text in std::iter::once(&connector).chain(values.keys()) {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        for value in values.values() {
            // Written straight into the hash: a secret leaves no copy behind.
            let mut one = blake3::Hasher::new_keyed(key);
            let _ = write!(one, "{value}");
            hasher.update(one.finalize().as_bytes());
        }
        hasher.update(authority);
        Fingerprint(*hasher.finalize().as_bytes())
    }
}

/// What the integrations of a credential share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    budget: Mutex<Option<Arc<Budget>>>,
    /// The client for the `ca_file` with this hash: connections are kept between runs.
    client: Mutex<Option<([u8; 32], reqwest::Client)>>,
    pub(super) trust: Trust,
    pub(super) session: tokio::sync::Mutex<Session>,
    tokens: Mutex<VecDeque<Secret>>,
}

impl Shared {
    /// The budget; a new one when the limits have changed.
    pub(super) fn budget(&self, limits: &Limits) -> Arc<Budget> {
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        match &*budget {
            Some(budget) if budget.is_for(limits) => Arc::clone(budget),
            _ => Arc::clone(budget.insert(Arc::new(Budget::new(limits)))),
        }
    }

    /// The client that trusts these authorities too; the one before where they are the same.
    pub(super) fn client(
        &self,
        authority: &[u8],
        make: impl FnOnce() -> Result<reqwest::Client, reqwest::Error>,
    ) -> Result<reqwest::Client, reqwest::Error> {
        let hash = *blake3::hash(authority).as_bytes();
        let mut kept = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((of, client)) if *of == hash => Ok(client.clone()),
            _ => Ok(kept.insert((hash, make()?)).1.clone()),
        }
    }

    /// A token is a secret from now on.
    pub(super) fn keep_secret(&self, token: Secret) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= TOKENS_STRUCK {
            tokens.pop_front();
        }
        tokens.push_back(token);
    }
}

impl Account {
    /// A text of the PMS without the secrets that it may quote.
    pub fn strike(&self, said: &str) -> String {
        let tokens = self
            .shared
            .tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let secrets: Vec<&str> = self
            .secrets
            .iter()
            .chain(tokens.iter())
            .map(Secret::expose)
            .collect();
        strike(said, &secrets)
    }
}

/// Strikes secrets out, as they are and as forms and XML write them; the longest first, as one may be a
/// part of another.
fn strike(said: &str, secrets: &[&str]) -> String {
    let mut forms: Vec<String> = secrets
        .iter()
        .filter(|secret| secret.len() >= SHORTEST_SECRET)
        .flat_map(|secret| {
            [
                (*secret).to_owned(),
                url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
                quick_xml::escape::escape(*secret).into_owned(),
            ]
        })
        .collect();
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms
        .iter()
        .fold(said.to_owned(), |said, form| said.replace(form, "***"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_struck_out_in_every_form() {
        let struck = |said: &str| strike(said, &["a&b c", "a&b c-long", "abc"]);
        assert_eq!(struck("no a&b c-long, a&b c"), "no ***, ***");
        assert_eq!(struck("?p=a%26b+c&abc"), "?p=***&abc");
        assert_eq!(struck("<P>a&amp;b c</P>"), "<P>***</P>");
    }
}
