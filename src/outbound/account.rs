//! A credential with its secrets read, and what all its integrations share: the budget, the token, and
//! whether the server takes it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::Date;
use minijinja::Value;
use minijinja::value::{Object, ObjectRepr};
use reqwest::StatusCode;
use url::Url;

use crate::config::{Limits, Secret, SecretError};

use super::allowance::Ledger;
use super::budget::Budget;
use super::clients::ClientError;
use super::echo::{Echo, Share, unescaped};
use super::error::OutboundError;
use super::patience::Patience;
use super::proxy::{Refusal, Through, asks_for_a_password};
use super::token::{Lasts, Left, Of, Session, Token};
use super::trust::Trust;
use super::usage::Watched;
use super::watch::Watch;

/// Shorter ones would strike out half of what a server says.
const SHORTEST_SECRET: usize = 4;

/// Tokens, and headers that proved who asks, that an answer may still repeat.
const SHOWN_STRUCK: usize = 16;

/// A credential with its secrets read, for the length of a run.
pub struct Account {
    pub(crate) name: String,
    pub(crate) values: BTreeMap<String, Value>,
    pub(super) secrets: Vec<Secret>,
    pub(crate) fingerprint: Fingerprint,
    /// The same without what is secret, but for what says where to send it.
    pub(super) place: Fingerprint,
    /// Somebody asks, and not the clock.
    pub(super) by_hand: bool,
    /// A request that failed is not repeated.
    pub(super) once: bool,
    pub(super) let_in: LetIn,
    /// How a run waits; who is no run waits where it stands, and for seconds only.
    pub(super) patience: Option<Arc<Patience>>,
    pub(super) budget: Arc<Budget>,
    /// How many requests were made with it.
    pub(super) requests: Arc<AtomicU64>,
    pub(super) shared: Arc<Shared>,
    /// Where what must not be forgotten is kept.
    pub(super) ledger: Option<Arc<dyn Ledger>>,
    /// Trusts whom the system trusts, and the credential's `ca_file`; goes through `proxy`.
    pub(super) client: reqwest::Client,
    /// What requests go through that leave this machine.
    pub(super) proxy: Option<Through>,
    /// Somebody looks at what is sent and what comes.
    pub(super) watch: Option<Arc<Watch>>,
}

/// What the server let in in this run.
#[derive(Debug, Default)]
pub(super) struct LetIn {
    with_secret: AtomicBool,
    anything: AtomicBool,
}

impl LetIn {
    /// Something was let in; `with_secret` where it showed the secret itself, and not a token that an earlier run got for
    /// it.
    pub(super) fn note(&self, with_secret: bool) {
        self.anything.store(true, Ordering::Relaxed);
        self.with_secret.fetch_or(with_secret, Ordering::Relaxed);
    }

    /// Whether the secret was let in.
    pub(super) fn with_secret(&self) -> bool {
        self.with_secret.load(Ordering::Relaxed)
    }

    /// Whether anything was.
    pub(super) fn anything(&self) -> bool {
        self.anything.load(Ordering::Relaxed)
    }
}

/// Why a credential cannot be used. Holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// A secret cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Its `ca_file` is of no use.
    #[error("ca_file: {}: {what}; name a PEM file with the certificate of the server's own authority", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The password of its proxy cannot be read.
    #[error("proxy: {0}")]
    Proxy(SecretError),
    /// There is no client for its proxy.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// A secret among the values of templates: it is written where a template asks for it, and wiped with the account.
#[derive(Debug)]
pub(super) struct SecretValue(pub(crate) Secret);

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

    /// For a run, which leaves its worker while it waits (R43).
    #[must_use]
    pub fn waiting_by(self, patience: Option<Arc<Patience>>) -> Account {
        Account { patience, ..self }
    }

    /// Counts its requests there, a login's and repeated ones included.
    #[must_use]
    pub fn counted_by(self, requests: Arc<AtomicU64>) -> Account {
        Account { requests, ..self }
    }

    /// For somebody who looks at what is sent and what comes back.
    pub(crate) fn watched_by(self, watch: &Arc<Watch>) -> Account {
        let watch = Some(Arc::clone(watch));
        Account { watch, ..self }
    }

    /// The token that all who use the credential share: the kept one, unless it is the one that was `refused`, or one that
    /// `fetched` brings, which may give those back that are in its place. Whoever else needs one meanwhile waits for this one.
    pub(crate) async fn token<F>(
        &self,
        refused: Option<u64>,
        fetched: impl FnOnce(Vec<Left>) -> F,
    ) -> Result<Token, OutboundError>
    where
        F: Future<Output = Result<(String, Lasts), OutboundError>>,
    {
        let (shared, of) = (&self.shared, self.token_of());
        let mut session = self.waits_for(shared.session.lock()).await;
        if let Some(token) = session.take(of.fingerprint, refused, Instant::now()) {
            return Ok(token);
        }
        let left = session.leave_useless(of, Instant::now());
        let (text, lasts) = fetched(left).await?;
        let secret = Secret::new(text);
        shared.keep_secret(secret.clone());
        Ok(session.keep(secret, of, lasts, Instant::now()))
    }

    /// What a token is for that is fetched now.
    fn token_of(&self) -> Of {
        Of {
            fingerprint: self.fingerprint,
            place: self.place,
        }
    }

    /// Whether a refresh token that comes in the place of another is there also for whoever asks next.
    pub(crate) fn keeps_refresh_tokens(&self) -> bool {
        self.ledger.is_some()
    }

    /// The refresh token: the last that came in the place of the credential's `own`, else that one.
    pub(crate) async fn refresh_token(&self, own: String) -> Secret {
        let print = *blake3::hash(own.as_bytes()).as_bytes();
        if let Some((of, token)) = &*self.shared.refresh()
            && *of == print
        {
            return token.clone();
        }
        let kept = self.ledger.clone().map(|ledger| {
            let name = self.name.clone();
            tokio::task::spawn_blocking(move || ledger.refresh_token(&name))
        });
        let kept = match kept {
            Some(kept) => kept.await.ok().flatten(),
            None => None,
        };
        let kept = kept.filter(|(of, _)| *of == print);
        let token = kept.map_or_else(|| Secret::new(own), |(_, token)| token);
        self.shared.keep_secret(token.clone());
        token
    }

    /// Keeps a refresh token that came in the place of the credential's `own`, before anything is asked with what came
    /// with it.
    pub(crate) async fn keep_refresh_token(&self, own: &str, token: String) {
        let print = *blake3::hash(own.as_bytes()).as_bytes();
        let token = Secret::new(token);
        self.shared.keep_secret(token.clone());
        *self.shared.refresh() = Some((print, token.clone()));
        if let Some(ledger) = self.ledger.clone() {
            let name = self.name.clone();
            let keep = move || ledger.keep_refresh_token(&name, print, &token);
            // It is in memory all the same.
            let _ = tokio::task::spawn_blocking(keep).await;
        }
    }

    /// The answer to a request says that the credential is taken until the end of this day, or says nothing about it.
    pub(crate) async fn taken_until(&self, request: &str, last: Option<Date>) {
        let before = self.shared.until().insert(request.to_owned(), last);
        if before == Some(last) {
            return;
        }
        if let Some(ledger) = self.ledger.clone() {
            let (name, request) = (self.name.clone(), request.to_owned());
            let keep = move || ledger.keep_expiry(&name, &request, last);
            // The next process asks again.
            let _ = tokio::task::spawn_blocking(keep).await;
        }
    }

    /// The first of the days until which answers said that it is taken, and the request whose answer said so.
    pub fn told_until(&self) -> Option<(Date, String)> {
        let until = self.shared.until();
        let told = until.iter();
        told.filter_map(|(request, last)| Some(((*last)?, request.clone())))
            .min()
    }

    /// The next one that asks fetches another token than this.
    pub(crate) async fn forget(&self, serial: u64) {
        self.shared.session.lock().await.forget(serial);
    }

    /// The tokens that nobody needs any more; they are kept no longer.
    pub(crate) async fn leave(&self) -> Vec<Left> {
        let mut session = self.shared.session.lock().await;
        session.leave(self.token_of(), Instant::now())
    }

    /// Whether anything was let in in this run.
    pub(crate) fn let_in_anything(&self) -> bool {
        self.let_in.anything()
    }

    /// Waits for something of the credential, as its run does.
    pub(crate) async fn waits_for<T>(&self, comes: impl Future<Output = T>) -> T {
        match &self.patience {
            Some(patience) => {
                let until = || self.budget.next();
                patience.waiting(&self.name, until, comes).await
            }
            None => comes.await,
        }
    }

    /// Whether the run may not wait until then; who is no run waits no longer than `longest`.
    pub(super) fn is_too_long(&self, until: tokio::time::Instant, longest: Duration) -> bool {
        match &self.patience {
            Some(patience) => patience.is_too_long(until),
            None => until.saturating_duration_since(tokio::time::Instant::now()) > longest,
        }
    }

    /// For a look at how the server answers now: a request that failed is not repeated.
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

/// What tells two states of a credential apart: its values and what they are for. Tells
/// neither, as its key is made anew by every process and leaves it nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(in crate::outbound) fn new(
        key: &[u8; 32],
        used_for: &str,
        values: &BTreeMap<String, Value>,
        authority: &[u8],
    ) -> Fingerprint {
        let mut hasher = blake3::Hasher::new_keyed(key);
        for text in std::iter::once(used_for).chain(values.keys().map(String::as_str)) {
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
    /// The client for the proxy and the `ca_file` with this hash: connections are kept between runs.
    client: Mutex<Option<([u8; 32], reqwest::Client)>>,
    pub(super) trust: Trust,
    pub(super) session: tokio::sync::Mutex<Session>,
    /// The last refresh token that came, and the print of the credential's own.
    refresh: Mutex<Option<([u8; 32], Secret)>>,
    /// What was sent to prove who asks, beside the secrets of the credential.
    shown: Mutex<VecDeque<Secret>>,
    /// When the secrets of the credential were read.
    pub(super) watched: Watched,
    /// Until when answers said that the credential is taken, by request.
    until: Mutex<BTreeMap<String, Option<Date>>>,
}

impl Shared {
    /// How many requests were made, by the hour since 1970; none where nothing is counted yet.
    pub(super) fn asked(&self) -> Option<BTreeMap<i64, u32>> {
        let budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        budget.as_ref()?.asked()
    }

    /// The budget; a new one when the limits have changed.
    pub(super) fn budget(
        &self,
        limits: &Limits,
        ledger: Option<(Arc<dyn Ledger>, String)>,
    ) -> Arc<Budget> {
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        match &*budget {
            Some(budget) if budget.is_for(limits) => Arc::clone(budget),
            _ => Arc::clone(budget.insert(Arc::new(Budget::new(limits, ledger)))),
        }
    }

    /// The client for a proxy and authorities; the one before where they are the same.
    pub(super) fn client(
        &self,
        key: &[u8],
        make: impl FnOnce() -> Result<reqwest::Client, reqwest::Error>,
    ) -> Result<reqwest::Client, reqwest::Error> {
        let hash = *blake3::hash(key).as_bytes();
        let mut kept = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((of, client)) if *of == hash => Ok(client.clone()),
            _ => Ok(kept.insert((hash, make()?)).1.clone()),
        }
    }

    fn until(&self) -> MutexGuard<'_, BTreeMap<String, Option<Date>>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refresh(&self) -> MutexGuard<'_, Option<([u8; 32], Secret)>> {
        self.refresh.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token, or what a secret was made into for a header, is a secret from now on.
    pub(super) fn keep_secret(&self, secret: Secret) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.iter().any(|kept| kept.expose() == secret.expose()) {
            return;
        }
        if shown.len() >= SHOWN_STRUCK {
            shown.pop_front();
        }
        shown.push_back(secret);
    }
}

impl Account {
    pub(super) fn with_secrets<T>(&self, take: impl FnOnce(&[&str]) -> T) -> T {
        let shown = &self.shared.shown;
        let shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        let secrets = self.secrets.iter().chain(shown.iter());
        take(&secrets.map(Secret::expose).collect::<Vec<_>>())
    }

    /// Whether what a template makes of these fields of the credential, or of the `token`, is as secret as they are.
    pub(crate) fn is_secret(&self, fields: &[String]) -> bool {
        fields.iter().any(|field| {
            let value = self.values.get(field);
            field == "token"
                || value.is_some_and(|value| value.downcast_object_ref::<SecretValue>().is_some())
        })
    }

    /// What a secret was made into is a secret too.
    pub(crate) fn shows(&self, value: &str) {
        let is_known = self.secrets.iter().any(|secret| secret.expose() == value);
        if !is_known && !value.is_empty() {
            self.shared.keep_secret(Secret::new(value.to_owned()));
        }
    }

    /// What goes to a URL goes through this proxy.
    pub(super) fn through(&self, url: &Url) -> Option<&Url> {
        self.proxy.as_ref()?.to(url)
    }

    /// That the proxy on the way to a URL lets nobody through without a password, or not with this one: it answered so
    /// itself, or broke off with this error where it was to lead on.
    pub(super) fn refused_by_proxy(
        &self,
        url: &Url,
        came: Result<StatusCode, &reqwest::Error>,
    ) -> Option<Refusal> {
        let proxy = self
            .proxy
            .as_ref()
            .filter(|proxy| proxy.to(url).is_some())?;
        let refuses = match came {
            // By TLS it is the host that answers.
            Ok(status) => {
                url.scheme() == "http" && status == StatusCode::PROXY_AUTHENTICATION_REQUIRED
            }
            Err(error) => asks_for_a_password(error),
        };
        refuses.then(|| proxy.refusal())
    }

    /// A name and a password in a URL are sent as a header.
    pub(super) fn shows_in(&self, url: &Url) {
        let Some(password) = url.password() else {
            return;
        };
        let plain = |text: &str| unescaped(text, '%').unwrap_or_else(|| text.to_owned());
        let (name, password) = (plain(url.username()), plain(password));
        self.shows(&password);
        self.shows(&STANDARD.encode(format!("{name}:{password}")));
    }

    /// A text without the secrets that stand in it as they are, or as forms, URLs, XML, JSON and base64 write them.
    pub fn strike(&self, said: &str) -> String {
        self.with_secrets(|secrets| strike(said, secrets))
    }

    /// Whether a secret stands in a text, in whatever form.
    pub fn stands_in(&self, text: &str) -> bool {
        self.with_secrets(|secrets| Echo::of(secrets.iter().copied()))
            .stands_in(text, Share::Whole)
    }

    /// Whether a text of the server repeats what it was sent to prove who asks, or half of it: nothing of it may be quoted.
    pub(crate) fn is_repeated_in(&self, said: &str) -> bool {
        self.with_secrets(|secrets| Echo::of(secrets.iter().copied()))
            .stands_in(said, Share::Half)
    }
}

/// Strikes secrets out, as they are and as forms, URLs, XML, JSON and base64 write them; the longest first, as one may be
/// a part of another.
fn strike(said: &str, secrets: &[&str]) -> String {
    let mut forms: Vec<String> = secrets
        .iter()
        .filter(|secret| secret.len() >= SHORTEST_SECRET)
        .flat_map(|secret| {
            let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            let json = serde_json::Value::from(*secret).to_string();
            [
                (*secret).to_owned(),
                form.replace('+', "%20"),
                form,
                quick_xml::escape::escape(*secret).into_owned(),
                json.trim_matches('"').to_owned(),
                STANDARD.encode(secret),
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
        assert_eq!(struck("?p=a%26b%20c"), "?p=***");
        assert_eq!(struck("YSZiIGMtbG9uZw=="), "***");
        let said = strike(r#"{"p":"x\"yz\\"}"#, &["x\"yz\\"]);
        assert_eq!(said, r#"{"p":"***"}"#);
    }
}
