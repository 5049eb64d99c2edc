//! The page over the network: listens where the settings say so, as they are now, behind the gate of [`signin`](crate::signin).
//! Decides nothing.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::catalog::Catalog;
use crate::config::{Secret, WebSettings};
use crate::control::net::{Certificates, NetListening, listen_on};
use crate::control::server::{self, Gate, Hook, Hooked, NoSignIn, SignIn};
use crate::model::{NamedBy, Signed, Tier};
use crate::signin::{
    CertificateError, Fold, Folding, Kept, Passwords, Refused, Register, Shown, is_genuine,
};
use crate::web;

use super::backend::Daemon;

/// So many passwords are compared at once: each takes 19 MiB, and a core for some 20 ms.
const AT_ONCE: usize = 2;

/// How long it is waited before an address that could not be listened on is tried again.
const AGAIN: Duration = Duration::from_secs(30);

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

/// Who gets in, by the settings as they are now.
struct Entry {
    register: Arc<Register>,
    web: WebSettings,
    now: fn() -> Timestamp,
    comparing: Arc<Semaphore>,
    folding: Arc<Mutex<Folding>>,
    home: PathBuf,
}

impl Entry {
    /// Does something with the register that may read a file.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Register, &WebSettings, Timestamp) -> T + Send + 'static,
    ) -> Option<T> {
        let (register, web, now) = (Arc::clone(&self.register), self.web.clone(), (self.now)());
        let done = tokio::task::spawn_blocking(move || work(&register, &web, now));
        done.await.ok()
    }
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
        // Nobody closes it.
        let _turn = self.comparing.acquire().await;
        let asked = name.clone();
        let done = self.with(move |register, web, now| {
            let mut chance = [0; 32];
            getrandom::fill(&mut chance).ok()?;
            let password = Secret::new(password);
            Some(register.sign_in(web, &asked, &password, address, chance, now))
        });
        match done.await.flatten() {
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

    async fn hooked(&self, hooked: Hooked) -> Option<Hook> {
        let integration = hooked.integration;
        let reference = self.web.hooks.get(integration.as_str())?.secret.clone();
        let home = self.home.clone();
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
        let now = (self.now)();
        if let Err(why) = is_genuine(&shown, &secret, now) {
            tracing::warn!(%integration, why, "a hook's request is refused");
            return None;
        }
        let signed = Signed {
            name: integration.to_string(),
            by: NamedBy::Hook,
            tier: Tier::Operate,
        };
        let mut folding = self.folding.lock().unwrap_or_else(PoisonError::into_inner);
        Some(match folding.asked(&integration, now) {
            Fold::Now => Hook::Now(signed),
            Fold::After(wait) => Hook::After(wait, signed),
            Fold::Already => Hook::Already,
        })
    }

    async fn sign_out(&self, session: String) {
        self.register.sign_out(&session);
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
        let register = Arc::new(Register::new(&self.home, passwords));
        let comparing = Arc::new(Semaphore::new(AT_ONCE));
        let folding = Arc::new(Mutex::new(Folding::default()));
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
            let Some(web) = web else {
                tokio::select! {
                    more = changed => if !more { return },
                    () = self.stop.cancelled() => return,
                }
                continue;
            };
            let ends = self.stop.child_token();
            let entry = Entry {
                register: Arc::clone(&register),
                web: web.clone(),
                now: self.now,
                comparing: Arc::clone(&comparing),
                folding: Arc::clone(&folding),
                home: self.home.clone(),
            };
            let again = match self.listen(&web).await {
                Ok(listener) => {
                    // The next one does not wait for the connections of this one.
                    serving.spawn(serve(
                        Arc::clone(&self.daemon),
                        listener,
                        entry,
                        ends.clone(),
                    ));
                    Duration::MAX
                }
                Err(error) => {
                    tracing::error!(%error, "the page is not on the network; it is tried again");
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

    async fn listen(&self, web: &WebSettings) -> Result<NetListening, NetError> {
        let certificates = match (&web.cert, &web.key) {
            (Some(cert), Some(key)) => {
                let kept = Kept::new(&self.home.join(cert), &self.home.join(key))?;
                Some(Arc::new(kept) as Arc<dyn Certificates>)
            }
            _ => None,
        };
        let address = web.listen;
        // The listener before closes at once, and is not always gone by now.
        for _ in 0..TRIES {
            match listen_on(address, certificates.clone()).await {
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                    tokio::time::sleep(SOON).await;
                }
                listening => {
                    return listening.map_err(|source| NetError::Listen { address, source });
                }
            }
        }
        let listening = listen_on(address, certificates).await;
        listening.map_err(|source| NetError::Listen { address, source })
    }
}

async fn serve(daemon: Arc<Daemon>, listener: NetListening, entry: Entry, ends: CancellationToken) {
    let address = match listener.address() {
        Ok(address) => address,
        Err(error) => {
            tracing::error!(%error, "the page is not on the network");
            return;
        }
    };
    let scheme = if listener.is_secured() {
        "https"
    } else {
        "http"
    };
    tracing::info!(url = %format!("{scheme}://{address}/"), "the page is on the network");
    let hosts = entry.web.hosts.clone();
    let instance = instance(&entry.home);
    let gate = Gate::new(&listener, address, &hosts, &instance, Arc::new(entry));
    server::serve_net(listener, daemon, gate, web::pages(), web::open(), ends).await;
    tracing::info!(%address, "the page is not on this address any more");
}

/// Tells this daemon from others on the same host.
fn instance(home: &Path) -> String {
    let hash = blake3::hash(home.as_os_str().as_encoded_bytes());
    hash.to_hex().chars().take(8).collect()
}
