//! A local OpenDOOR: the partner API of DOOR's access control, with buildings, doors and keys that are made up from a seed,
//! and users and accesses that requests make. Speaks what the vendor's OpenAPI document of 2026-07 says, and does what
//! servers of this kind do besides: it forgets to answer, answers twice, and has doors that no network reaches.

mod faults;
mod keyring;
mod serve;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::fault::{Fault, Faults};

pub use keyring::{Access, Building, Door, Granter, Key, Keyring, Passcode, Role, User};

/// What goes wrong with the next requests that ask for something to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// It is done, and the connection ends without an answer.
    DoneUnheard,
    /// It is not done, and the connection ends without an answer.
    Unheard,
    /// It is done after so long, and the connection ends at once.
    DoneLate(Duration),
    /// It is done twice, and answered once.
    DoneTwice,
    /// 500 `INTERNAL_SERVER_ERROR`; it was done.
    DoneServerError,
    /// 500 `INTERNAL_SERVER_ERROR`; it was not done.
    ServerError,
    /// 429 with the seconds to wait, where it says so.
    TooMany(Option<u64>),
    /// 503 without a word.
    Unavailable,
    /// 401 with a token that was good a moment ago.
    ExpiredToken,
    /// A user is made and answered with 201 and nothing at all.
    BareCreated,
    /// The answer says that it is done, and it is not.
    NotDone,
}

/// What goes wrong with lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListMishap {
    /// The last entry is not there, without a word.
    Short,
    /// Every page has the token of itself as the next.
    EndlessPages,
    /// 500 `INTERNAL_SERVER_ERROR`.
    ServerError,
}

/// How one runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorSettings {
    /// Where it listens; port 0 takes a free one.
    pub addr: SocketAddr,
    /// Names of the buildings.
    pub buildings: Vec<String>,
    /// Residences of each building, each with a door and a key of its own; they are called `1A` and so on.
    pub residences: usize,
    /// What the residences are called, in the place of that; so many there are then.
    pub units: Vec<String>,
    /// The same seed makes up the same ids and the same credential.
    pub seed: u64,
    /// The entries on a page where a request names no size.
    pub page_size: usize,
}

impl Default for DoorSettings {
    fn default() -> DoorSettings {
        DoorSettings {
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            buildings: vec!["Elm Court".to_owned()],
            residences: 20,
            units: Vec::new(),
            seed: 1,
            page_size: 100,
        }
    }
}

/// One request, as it was understood: what a test counts. Holds no token and nobody's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, `PATCH` or `DELETE`.
    pub method: String,
    /// The path, without the base.
    pub path: String,
    /// The status of the answer; none where it ended without one.
    pub status: Option<u16>,
}

/// What the requests share.
struct Shared {
    settings: DoorSettings,
    secrets: BTreeMap<&'static str, String>,
    faults: Faults,
    state: Mutex<State>,
}

struct State {
    keyring: Keyring,
    requests: Vec<Request>,
    mishaps: Vec<(Mishap, usize)>,
    list_mishaps: Vec<(ListMishap, usize)>,
    /// The number of the token that is good.
    token: u64,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What goes wrong with this request; each counts down.
    fn mishap(&mut self) -> Option<Mishap> {
        take(&mut self.mishaps)
    }

    fn list_mishap(&mut self) -> Option<ListMishap> {
        take(&mut self.list_mishaps)
    }
}

fn take<T: Copy>(of: &mut Vec<(T, usize)>) -> Option<T> {
    let (what, left) = of.first_mut()?;
    let what = *what;
    *left = left.saturating_sub(1);
    if *left == 0 {
        of.remove(0);
    }
    Some(what)
}

/// A running server. It ends when dropped.
pub struct OpenDoor {
    shared: Arc<Shared>,
    addr: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl OpenDoor {
    /// Starts one.
    pub async fn start(settings: DoorSettings) -> std::io::Result<OpenDoor> {
        let listener = TcpListener::bind(settings.addr).await?;
        let addr = listener.local_addr()?;
        let secret = |name: u64| keyring::made_up(settings.seed, "secret", name).replace('-', "");
        let secrets = [
            ("client_id", keyring::made_up(settings.seed, "client", 0)),
            ("client_secret", secret(0)),
            ("audience", "https://rest.opendoor.example".to_owned()),
        ];
        let units = match settings.units.as_slice() {
            [] => keyring::labels(settings.residences),
            units => units.to_vec(),
        };
        let keyring = Keyring::new(&settings.buildings, &units, settings.seed);
        let shared = Arc::new(Shared {
            settings,
            secrets: secrets.into(),
            faults: Faults::default(),
            state: Mutex::new(State {
                keyring,
                requests: Vec::new(),
                mishaps: Vec::new(),
                list_mishaps: Vec::new(),
                token: 1,
            }),
        });
        let router = Router::new()
            .fallback(serve::handle)
            .with_state(Arc::clone(&shared));
        let (end, ended) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            // Resolves when told to end and when the server is dropped.
            let until = async { drop(ended.await) };
            let served = axum::serve(listener, router).with_graceful_shutdown(until);
            if let Err(error) = served.await {
                tracing::error!(%error, "sandbox ended");
            }
        });
        Ok(OpenDoor {
            shared,
            addr,
            end: Some(end),
            task,
        })
    }

    /// What goes into a credential's `url`; the paths of the document follow it.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.addr, serve::BASE)
    }

    /// The other fields of the credential: `client_id`, `client_secret` and `audience`.
    pub fn credential(&self) -> &BTreeMap<&'static str, String> {
        &self.shared.secrets
    }

    /// Looks at who may open what, or changes it as somebody at DOOR would.
    pub fn keyring<T>(&self, with: impl FnOnce(&mut Keyring) -> T) -> T {
        with(&mut self.shared.state().keyring)
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    /// The next so many requests that ask for something to be done go wrong; after those that were told before.
    pub fn mishap(&self, mishap: Mishap, times: usize) {
        self.shared.state().mishaps.push((mishap, times.max(1)));
    }

    /// The next so many lists go wrong.
    pub fn list_mishap(&self, mishap: ListMishap, times: usize) {
        let times = times.max(1);
        self.shared.state().list_mishaps.push((mishap, times));
    }

    /// Puts a fault in force that PMSs have as well, beside those there are. Requests are known by what they are about:
    /// `token`, `users`, `buildings`, `doors`, `keys` and `accesses`.
    pub fn fault(&self, fault: impl Into<Fault>) {
        self.shared.faults.add(fault.into());
    }

    /// Nothing goes wrong any more.
    pub fn calm(&self) {
        self.shared.faults.clear();
        let mut state = self.shared.state();
        state.mishaps.clear();
        state.list_mishaps.clear();
    }

    /// Ends it, once the requests under way are answered.
    pub async fn stop(mut self) {
        drop(self.end.take());
        // A panic of the server has been told already.
        let _ = (&mut self.task).await;
    }
}

impl Drop for OpenDoor {
    fn drop(&mut self) {
        drop(self.end.take());
        self.task.abort();
    }
}
