//! The page over the network: listens where the settings say so, as they are now, behind the gate of [`signin`](crate::signin).
//! Decides nothing.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::catalog::Catalog;
use crate::config::{OidcSettings, Secret, Settings, WebSettings};
use crate::control::net::{Certificates, NetListening, listen_on};
use crate::control::protocol::WebStatus;
use crate::control::server::{self, Came, Gate, Hook, Hooked, Leaving, NoSignIn, NoWay, SignIn};
use crate::model::{NamedBy, Signed, Tier};
use crate::signin::{
    self, Asks, CertificateError, Fold, Folding, Kept, OidcError, Passwords, Provider, Refused,
    Register, Shown, Turns, is_genuine,
};
use crate::source::Reader;
use crate::web;

use super::backend::Daemon;
use super::metrics::Metrics;

/// How long it is waited before an address that could not be listened on is tried again.
const AGAIN: Duration = Duration::from_secs(30);

/// Not more often the same is told of why nobody can sign in by the provider of identities.
const TOLD: Duration = Duration::from_mins(1);

/// How long somebody waits, of whose address too many wait already.
const AGAIN_SOON: Duration = Duration::from_secs(1);

/// So often an address is tried that was listened on a moment ago.
const TRIES: u32 = 20;
/// And after so long.
const SOON: Duration = Duration::from_millis(50);

/// Why the page is not on its address.
#[derive(Debug, thiserror::Error)]
enum NetError {
    #[error(
        "web.listen: cannot listen on {address}: {source}; another program has the port, or the address is not this machine's"
    )]
    Listen {
        address: std::net::SocketAddr,
        source: std::io::Error,
    },
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// How the listener stands, for whoever asks how everything does.
#[derive(Default)]
pub(super) struct Listener(Mutex<Option<Standing>>);

struct Standing {
    listen: SocketAddr,
    url: Option<String>,
    failed: Option<String>,
    kept: Option<Arc<Kept>>,
}

impl Listener {
    fn stands(&self, standing: Option<Standing>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = standing;
    }

    /// As it is now; none where the settings name none.
    pub(super) fn status(&self) -> Option<WebStatus> {
        let standing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let standing = standing.as_ref()?;
        let of_certificate = || standing.kept.as_ref().and_then(|kept| kept.failing());
        Some(WebStatus {
            listen: standing.listen.to_string(),
            url: standing.url.clone(),
            problem: standing.failed.clone().or_else(of_certificate),
        })
    }
}

/// What outlives a listener.
#[derive(Clone)]
struct Shared {
    register: Arc<Register>,
    turns: Turns,
    folding: Arc<Mutex<Folding>>,
    provider: Arc<Provider>,
    /// When it was told last that nobody can sign in by it, and why.
    told: Arc<Mutex<Option<(Instant, OidcError)>>>,
    reader: Arc<Reader>,
    metrics: Arc<Metrics>,
    catalog: watch::Receiver<Arc<Catalog>>,
    now: fn() -> Timestamp,
    home: PathBuf,
}

/// Who gets in, by the settings as they are now.
struct Entry {
    shared: Shared,
    web: WebSettings,
    /// Where a provider of identities sends people back to.
    redirect_uri: Option<String>,
}

impl Entry {
    /// Does something with the register that may read a file.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Register, &WebSettings, Timestamp) -> T + Send + 'static,
    ) -> Option<T> {
        let register = Arc::clone(&self.shared.register);
        let (web, now) = (self.web.clone(), (self.shared.now)());
        let done = tokio::task::spawn_blocking(move || work(&register, &web, now));
        done.await.ok()
    }

    /// By what the provider is asked, and by which settings.
    fn provider(&self) -> Option<(Arc<Catalog>, &OidcSettings, &str)> {
        let catalog = Arc::clone(&self.shared.catalog.borrow());
        let oidc = self.web.oidc.as_ref()?;
        Some((catalog, oidc, self.redirect_uri.as_deref()?))
    }

    fn asks<'a>(
        &'a self,
        settings: &'a Settings,
        (oidc, redirect_uri): (&'a OidcSettings, &'a str),
    ) -> Asks<'a> {
        Asks {
            outbound: self.shared.reader.outbound(),
            settings: oidc,
            redirect_uri,
            proxy: settings.proxy.as_ref(),
            home: &self.shared.home,
        }
    }

    /// Whether the same was told a moment ago: anybody may try as often as they like.
    fn is_told(&self, error: &OidcError) -> bool {
        let told = self.shared.told.lock();
        let mut told = told.unwrap_or_else(PoisonError::into_inner);
        let is_told = told
            .as_ref()
            .is_some_and(|(at, last)| last == error && at.elapsed() < TOLD);
        if !is_told {
            *told = Some((Instant::now(), error.clone()));
        }
        is_told
    }

    /// What the browser is told, and what the log is.
    fn nobody_by(&self, error: &OidcError) -> NoWay {
        match error {
            OidcError::Away(_) | OidcError::Unfit(_) if self.is_told(error) => {}
            OidcError::Away(_) | OidcError::Unfit(_) => {
                tracing::error!(%error, "nobody can sign in by oidc");
            }
            _ => tracing::warn!(%error, "somebody failed to sign in by oidc"),
        }
        match error {
            OidcError::Away(_) => NoWay::Away,
            OidcError::Unfit(_) => NoWay::Unfit,
            OidcError::Over(_) => NoWay::Over,
            OidcError::Declined(_) => NoWay::Declined,
            OidcError::Distrusted(_) => NoWay::Distrusted,
            OidcError::Groupless => NoWay::Groupless,
        }
    }
}

/// Random numbers of the system; none where it gives none.
fn chance<const N: usize>() -> Option<[u8; N]> {
    let mut chance = [0; N];
    let given = getrandom::fill(&mut chance);
    if let Err(error) = &given {
        tracing::error!(%error, "the system gives no random numbers: nobody can sign in");
    }
    given.ok().map(|()| chance)
}

impl SignIn for Entry {
    async fn by_token(&self, token: String) -> Option<Signed> {
        let known = self.with(move |register, web, now| register.by_token(web, &token, now));
        known.await?
    }

    async fn by_session(&self, session: String) -> Option<Signed> {
        let known = self.with(move |register, web, now| register.by_session(web, &session, now));
        known.await?
    }

    async fn is_in(&self, token: Option<String>, session: Option<String>) -> bool {
        let known = self.with(move |register, web, now| match (token, session) {
            (Some(token), _) => register.by_token(web, &token, now).is_some(),
            (None, Some(session)) => register.is_in(web, &session, now),
            (None, None) => false,
        });
        known.await.unwrap_or(false)
    }

    async fn sign_in(
        &self,
        name: String,
        password: String,
        address: IpAddr,
    ) -> Result<String, NoSignIn> {
        let known = name.clone();
        let waits = self.with(move |register, _, now| register.waits(&known, address, now));
        if let Some(wait) = waits.await.flatten() {
            return Err(NoSignIn::Wait(wait));
        }
        let Some(_turn) = self.shared.turns.take(address).await else {
            return Err(NoSignIn::Wait(AGAIN_SOON));
        };
        let asked = name.clone();
        let done = self.with(move |register, web, now| {
            let password = Secret::new(password);
            Some(register.sign_in(web, &asked, &password, address, chance()?, now))
        });
        let done = done.await.flatten();
        self.counted(NamedBy::Account, matches!(done, Some(Ok(_))));
        match done {
            Some(Ok(session)) => {
                tracing::info!(account = name, "signed in");
                Ok(session.secret.expose().to_owned())
            }
            Some(Err(Refused::Wait(wait))) => Err(NoSignIn::Wait(wait)),
            // What was written as a name may be a password.
            Some(Err(Refused::Wrong)) | None => {
                tracing::warn!(%address, "somebody failed to sign in");
                Err(NoSignIn::Wrong)
            }
        }
    }

    async fn leave(&self, next: String, address: IpAddr) -> Result<Leaving, NoWay> {
        let (catalog, oidc, redirect_uri) = self.provider().ok_or(NoWay::None)?;
        let asks = self.asks(&catalog.settings, (oidc, redirect_uri));
        let chances = [chance(), chance(), chance(), chance()];
        let [Some(a), Some(b), Some(c), Some(d)] = chances else {
            return Err(NoWay::Unfit);
        };
        let now = (self.shared.now)();
        let provider = &self.shared.provider;
        let leaving = provider.leave(asks, next, address, [a, b, c, d], now).await;
        let leaving = leaving.map_err(|error| self.nobody_by(&error))?;
        let signin::Leaving { url, binding } = leaving;
        Ok(Leaving { url, binding })
    }

    async fn came_back(&self, came: Came, address: IpAddr) -> Result<(String, String), NoWay> {
        let (catalog, oidc, redirect_uri) = self.provider().ok_or(NoWay::None)?;
        let asks = self.asks(&catalog.settings, (oidc, redirect_uri));
        let (register, now) = (&self.shared.register, self.shared.now);
        register.tries(address, now()).map_err(NoWay::Wait)?;
        let Came {
            state,
            code,
            error,
            iss,
            binding,
        } = came;
        let came = signin::Came {
            state,
            code,
            error,
            iss,
            binding,
        };
        let came = self.shared.provider.came_back(asks, came, now).await;
        self.counted(NamedBy::Oidc, came.is_ok());
        let (identity, next) = came.map_err(|error| self.nobody_by(&error))?;
        register.succeeded(address);
        let chance = chance().ok_or(NoWay::Unfit)?;
        tracing::info!(account = identity.name(), by = "oidc", "signed in");
        let session = register.sign_in_by(identity, chance, now());
        Ok((session.secret.expose().to_owned(), next))
    }

    fn redirect_uri(&self) -> Option<&str> {
        self.redirect_uri.as_deref()
    }

    async fn signs_out_at(&self) -> Option<String> {
        let (catalog, oidc, redirect_uri) = self.provider()?;
        let asks = self.asks(&catalog.settings, (oidc, redirect_uri));
        self.shared.provider.signs_out_at(asks).await
    }

    fn counted(&self, by: NamedBy, succeeded: bool) {
        self.shared.metrics.signed_in(by, succeeded);
    }

    fn answered(&self, status: u16) {
        self.shared.metrics.answered(status);
    }

    async fn hooked(&self, hooked: Hooked) -> Option<Hook> {
        let integration = hooked.integration;
        let reference = self.web.hooks.get(integration.as_str())?.secret.clone();
        let home = self.shared.home.clone();
        let secret = tokio::task::spawn_blocking(move || reference.read(&home));
        let secret = match secret.await.ok()? {
            Ok(secret) => secret,
            Err(error) => {
                tracing::error!(%integration, %error, "a hook cannot be looked at");
                return None;
            }
        };
        let [id, timestamp, signature] = hooked.headers;
        let shown = Shown {
            id,
            timestamp,
            signature,
            body: hooked.body,
        };
        let now = (self.shared.now)();
        if let Err(why) = is_genuine(&shown, &secret, now) {
            tracing::warn!(%integration, why, "a hook's request is refused");
            return None;
        }
        let signed = Signed {
            name: integration.to_string(),
            by: NamedBy::Hook,
            tier: Tier::Operate,
        };
        let folding = self.shared.folding.lock();
        let mut folding = folding.unwrap_or_else(PoisonError::into_inner);
        Some(match folding.asked(&integration, now) {
            Fold::Now => Hook::Now(signed),
            Fold::After(wait) => Hook::After(wait, signed),
            Fold::Already => Hook::Already,
        })
    }

    async fn sign_out(&self, session: String) -> Option<NamedBy> {
        self.shared.register.sign_out(&session)
    }
}

impl Certificates for Kept {
    fn now(&self) -> Arc<tokio_rustls::rustls::ServerConfig> {
        Kept::now(self)
    }
}

/// What the page needs.
pub(super) struct Net {
    pub(super) daemon: Arc<Daemon>,
    pub(super) reader: Arc<Reader>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) listener: Arc<Listener>,
    pub(super) home: PathBuf,
    pub(super) catalog: watch::Receiver<Arc<Catalog>>,
    pub(super) now: fn() -> Timestamp,
    pub(super) stop: CancellationToken,
}

impl Net {
    /// Serves as the settings say, and anew whenever `web` in them changes.
    pub(super) async fn run(mut self) {
        let passwords = match Passwords::new() {
            Ok(passwords) => passwords,
            Err(error) => {
                tracing::error!(%error, "the page is not on the network");
                return;
            }
        };
        let shared = Shared {
            register: Arc::new(Register::new(&self.home, passwords)),
            turns: Turns::default(),
            folding: Arc::new(Mutex::new(Folding::default())),
            provider: Arc::default(),
            told: Arc::default(),
            reader: Arc::clone(&self.reader),
            metrics: Arc::clone(&self.metrics),
            catalog: self.catalog.clone(),
            now: self.now,
            home: self.home.clone(),
        };
        let mut serving = JoinSet::new();
        loop {
            let web = self.catalog.borrow_and_update().settings.web.clone();
            let changed = {
                let (mut catalog, web) = (self.catalog.clone(), web.clone());
                async move {
                    let other = |catalog: &Arc<Catalog>| catalog.settings.web != web;
                    catalog.wait_for(other).await.is_ok()
                }
            };
            let listen = web.as_ref().and_then(|web| web.listen);
            let (Some(web), Some(address)) = (web, listen) else {
                self.listener.stands(None);
                tokio::select! {
                    more = changed => if !more { return },
                    () = self.stop.cancelled() => return,
                }
                continue;
            };
            let ends = self.stop.child_token();
            let again = match self.listen(&web, address).await {
                Ok((listener, kept)) => {
                    let at = listener.address().unwrap_or(address);
                    let scheme = if kept.is_some() { "https" } else { "http" };
                    let url = format!("{scheme}://{at}/");
                    tracing::info!(%url, "the page is on the network");
                    let entry = Entry {
                        shared: shared.clone(),
                        redirect_uri: web.redirect_uri(at),
                        web: web.clone(),
                    };
                    self.listener.stands(Some(Standing {
                        listen: address,
                        url: Some(url),
                        failed: None,
                        kept,
                    }));
                    // The next one does not wait for the connections of this one.
                    serving.spawn(serve(
                        Arc::clone(&self.daemon),
                        (listener, at),
                        entry,
                        ends.clone(),
                    ));
                    Duration::MAX
                }
                Err(error) => {
                    tracing::error!(%error, "the page is not on the network; it is tried again");
                    self.listener.stands(Some(Standing {
                        listen: address,
                        url: None,
                        failed: Some(error.to_string()),
                        kept: None,
                    }));
                    AGAIN
                }
            };
            let goes_on = tokio::select! {
                () = tokio::time::sleep(again) => true,
                more = changed => more,
                () = self.stop.cancelled() => false,
            };
            ends.cancel();
            if !goes_on {
                while serving.join_next().await.is_some() {}
                return;
            }
        }
    }

    async fn listen(
        &self,
        web: &WebSettings,
        address: SocketAddr,
    ) -> Result<(NetListening, Option<Arc<Kept>>), NetError> {
        let kept = match (&web.cert, &web.key) {
            (Some(cert), Some(key)) => {
                let kept = Kept::new(&self.home.join(cert), &self.home.join(key))?;
                Some(Arc::new(kept))
            }
            _ => None,
        };
        let certificates = kept.clone().map(|kept| kept as Arc<dyn Certificates>);
        let told = |source| NetError::Listen { address, source };
        // The listener before closes at once, and is not always gone by now.
        for _ in 0..TRIES {
            match listen_on(address, certificates.clone()).await {
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                    tokio::time::sleep(SOON).await;
                }
                listening => return Ok((listening.map_err(told)?, kept)),
            }
        }
        let listening = listen_on(address, certificates).await;
        Ok((listening.map_err(told)?, kept))
    }
}

async fn serve(
    daemon: Arc<Daemon>,
    (listener, address): (NetListening, SocketAddr),
    entry: Entry,
    ends: CancellationToken,
) {
    let hosts = entry.web.hosts.clone();
    let instance = instance(&entry.shared.home);
    let ways = web::Ways {
        accounts: entry.web.accounts.is_some(),
        oidc: entry.web.oidc.as_ref().map(OidcSettings::called),
    };
    let gate = Gate::new(&listener, address, &hosts, &instance, Arc::new(entry));
    server::serve_net(listener, daemon, gate, web::pages(), web::open(&ways), ends).await;
    tracing::info!(%address, "the page is not on this address any more");
}

/// Tells this daemon from others on the same host.
fn instance(home: &Path) -> String {
    let hash = blake3::hash(home.as_os_str().as_encoded_bytes());
    hash.to_hex().chars().take(8).collect()
}
