//! The daemon: all wiring on one screen. Open the store → load the catalog → bind the socket → ready →
//! run; stop: take no new work → finish what runs within the grace time → remove the socket → log out.

mod clock;
mod deliveries;
mod schedule;
mod absence;
mod erasing;
mod backups;
mod ledger;
mod runs;
mod follow;
mod leave;
mod pauses;
mod expiring;
mod metrics;
mod notices;
mod net;
mod service;
mod offline;
mod rehearsal;
mod drafts;
mod backend;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::catalog::{self, Catalog, Loaded, ReloadRequest, Shown};
use crate::config::{Environment, Files, Home, Settings, Socket};
use crate::control::listen::{self, ListenError, listen};
use crate::control::server::{self, Places};
use crate::model::Problems;
use crate::outbound::{ClientError, Roots};
use crate::source::Reader;
use crate::store::{OpenError, Store, StoreError, Uptime};
use crate::sync::{Tools, Workers};
use crate::web;

use backend::{Daemon, Nature};
use backups::{Backups, Keeper};
use clock::Steady;
use deliveries::Deliveries;
use erasing::Eraser;
use ledger::Kept;
use metrics::Metrics;
use net::{Listener, Net};
use notices::Notices;
use runs::Runs;
use service::Service;

pub use crate::sync::Recorded;
pub use offline::Offline;
pub use rehearsal::rehearse;

/// Why the daemon did not start, or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// `config/epms.yaml` is not right. Integrations that are not right do not stop it.
    #[error("{0}")]
    Config(Problems),
    /// The store could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Another daemon has the store.
    #[error("a daemon runs here already, as process {pid}, and holds {}; ask it with `epms status`, or stop it first: `kill {pid}`", store.display())]
    Second {
        /// The process of that daemon.
        pid: i32,
        /// The file of the store.
        store: PathBuf,
    },
    /// The store failed while it ran.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no control socket.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The HTTP client could not be set up.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The control socket broke.
    #[error("the control socket broke: {0}")]
    Socket(#[from] std::io::Error),
}

/// What the daemon is started with.
#[derive(Debug)]
pub struct Start {
    /// Where its files lie.
    pub home: Home,
    /// What the process's environment says about places.
    pub environment: Environment,
    /// The socket, instead of what the settings say.
    pub socket: Option<PathBuf>,
}

/// What the outside tells a daemon that runs.
pub struct Signals {
    /// End it.
    pub stop: CancellationToken,
    /// Load the files anew.
    pub reload: mpsc::Receiver<()>,
}

/// What there is before anybody is answered.
struct Begun {
    seen: catalog::Fingerprint,
    settings: Settings,
    store: Store,
    loaded: Catalog,
}

/// Reads the settings, opens the store, and loads the catalog.
async fn begin(home: &Home, environment: &Environment) -> Result<Begun, DaemonError> {
    // Before the load: what changes from here on is for the watcher to see.
    let seen = catalog::fingerprint(home).await;
    let settings = {
        let home = home.clone();
        let read = tokio::task::spawn_blocking(move || Files::read_settings(&home)).await;
        let read = read.map_err(std::io::Error::other)?;
        let read = read.map_err(|problems| DaemonError::Config(Problems(problems)))?;
        read.value
    };
    let state = home.state(&settings, environment);
    let cache = usize::try_from(settings.store.cache.bytes()).unwrap_or(usize::MAX);
    let home = home.clone();
    let open = move || {
        let store = Store::open_cached(&state, cache)?;
        // A copy from before may have been put in its place by hand.
        let erased = store.erase_again(Timestamp::now())?;
        if erased > 0 {
            tracing::warn!(
                people = erased,
                "whoever was erased before stood in the store, and was erased again"
            );
        }
        let holdings = store.read()?.holdings()?;
        let loaded = catalog::load_with(&home, None, &holdings, Timestamp::now());
        Ok::<_, DaemonError>((store, loaded))
    };
    let opened = tokio::task::spawn_blocking(open).await;
    let (store, loaded) = opened.map_err(std::io::Error::other)??;
    Ok(Begun {
        seen,
        settings,
        store,
        loaded,
    })
}

/// Runs the daemon until it is told to stop. `ready` is called with the socket once it answers.
pub async fn run(
    start: Start,
    signals: Signals,
    ready: impl FnOnce(PathBuf),
) -> Result<(), DaemonError> {
    let Start {
        home,
        environment,
        socket,
    } = start;
    let now: fn() -> Timestamp = Timestamp::now;
    let _ = up();
    // A disk that does not answer is not in the way of an end before the beginning.
    let begun = signals.stop.run_until_cancelled(begin(&home, &environment));
    let Some(begun) = begun.await else {
        return Ok(());
    };
    let begun = match begun {
        Err(DaemonError::Open(OpenError::InUse(store))) => {
            return Err(second(&home, &environment, socket, store).await);
        }
        begun => begun,
    };
    let Begun {
        seen,
        settings,
        store,
        loaded,
    } = begun?;
    let store = Arc::new(store);
    // Before anybody is answered: a daemon that could ask no PMS has not started.
    let reader = Reader::new()?;
    let path = socket.unwrap_or_else(|| home.socket(&settings, &environment));
    let listener = listen(
        &path,
        settings.socket.mode.0,
        settings.socket.group.as_deref(),
    )
    .await?;
    for problem in loaded
        .problems
        .iter()
        .chain(loaded.integrations.values().flat_map(|slot| &slot.problems))
        .chain(loaded.targets.values().flat_map(|slot| &slot.problems))
    {
        tracing::error!(%problem, "file refused");
    }
    for note in store.notes() {
        tracing::warn!(
            note,
            "something was put right in the store when it was opened, or is to be known of it"
        );
    }
    if reader.outbound().roots() == Roots::Bundled {
        tracing::warn!(
            "this machine has no root certificates; those that come with epms are used. Install them, such as by the package ca-certificates, so that they are kept up to date"
        );
    }
    if !environment.proxies.is_empty() {
        tracing::warn!(
            variables = environment.proxies.join(", "),
            "proxies of the environment are ignored; where requests shall go through one, write `proxy` into config/epms.yaml or a connector"
        );
    }
    tell_who_may_call(&settings.socket);
    tracing::info!(home = %home.root().display(), socket = %path.display(), integrations = loaded.integrations.len(), "daemon started");

    let tools = Tools {
        reader: Arc::new(reader.kept_by(Arc::new(Kept {
            store: Arc::clone(&store),
            now,
        }))),
        store: Arc::clone(&store),
        now,
        up,
        workers: Workers::default(),
    };
    let reader = Arc::clone(&tools.reader);
    let metrics = Arc::new(Metrics::new(loaded.is_right(), now()));
    let (catalog_sender, catalog) = watch::channel(Arc::new(loaded));
    let last = catalog.clone();
    let (looking_sender, looking) = watch::channel(None);
    let (reloads, reload_requests) = mpsc::channel::<ReloadRequest>(16);
    let (commands, command_requests) = mpsc::channel(64);
    let (commits, _) = watch::channel(0);
    let stop = signals.stop.clone();
    let drained = CancellationToken::new();

    let runs = Runs {
        clock: Steady::new(now, clock::since_boot),
        catalog: catalog.clone(),
        commands: command_requests,
        tools: tools.clone(),
        commits: commits.clone(),
        metrics: Arc::clone(&metrics),
        stop: stop.clone(),
    };
    let deliveries = Arc::new(Deliveries::default());
    let notices = Arc::new(Notices::new(home.root()));
    let backups = Arc::new(Backups::new(Steady::new(now, clock::since_boot)));
    let page = Arc::new(Listener::default());
    let daemon = Daemon {
        started: now(),
        nature: Nature::Daemon {
            owner: nix::unistd::Uid::effective().as_raw(),
        },
        store,
        catalog: catalog.clone(),
        commands,
        reloads: reloads.clone(),
        looking,
        tools: tools.clone(),
        deliveries: Arc::clone(&deliveries),
        notices: Arc::clone(&notices),
        backups: Arc::clone(&backups),
        drafts: Arc::default(),
        home: home.clone(),
        commits: commits.clone(),
        metrics: Arc::clone(&metrics),
        listener: Arc::clone(&page),
        places: Places::default(),
        stop: stop.clone(),
    };
    let telling = notices::Around {
        notices,
        catalog: last.clone(),
        tools: tools.clone(),
        commits: commits.clone(),
        metrics: Arc::clone(&metrics),
        stop: stop.clone(),
    };
    let known = Arc::clone(&daemon.store);
    let keeper = Keeper {
        home: home.clone(),
        catalog: catalog.clone(),
        store: Arc::clone(&known),
        backups,
        now,
        stop: stop.clone(),
    };
    let daemon = Arc::new(daemon);
    let service = Service {
        daemon: Arc::clone(&daemon),
        socket: path.clone(),
        catalog,
        commits: commits.subscribe(),
        reload: signals.reload,
        reloads,
        stop: stop.clone(),
        drained: drained.clone(),
    };
    let mut tasks: JoinSet<Result<(), DaemonError>> = JoinSet::new();
    let counting = Arc::clone(&metrics);
    {
        let (home, stop) = (home.clone(), stop.clone());
        let holdings = move || {
            let known = known.read().and_then(|view| view.holdings());
            let told = |error: &StoreError| tracing::error!(%error, "the store failed; files are loaded by what it said before");
            known.inspect_err(told).ok()
        };
        tasks.spawn(async move {
            let on_reload = move |loaded: &Loaded| metrics.reloaded(loaded, now());
            let requests = reload_requests;
            let shown = Shown {
                catalog: catalog_sender,
                looking: looking_sender,
            };
            catalog::watch(home, holdings, seen, shown, requests, on_reload, stop).await;
            Ok(())
        });
    }
    {
        let net = Net {
            daemon: Arc::clone(&daemon),
            reader: Arc::clone(&reader),
            metrics: counting,
            listener: page,
            home: home.root().to_owned(),
            catalog: last.clone(),
            now,
            stop: drained.clone(),
        };
        tasks.spawn(async move {
            net.run().await;
            Ok(())
        });
    }
    {
        // Those who wait for a run hear how it ended before the socket goes.
        let drained = drained.clone();
        tasks.spawn(async move {
            server::serve(listener, daemon, web::pages(), drained).await;
            Ok(())
        });
    }
    {
        let eraser = Eraser {
            store: Arc::clone(&tools.store),
            catalog: last.clone(),
            now,
            commits: commits.clone(),
            stop: stop.clone(),
        };
        tasks.spawn(async move {
            eraser.run().await;
            Ok(())
        });
    }
    {
        let (catalog, stop) = (last.clone(), stop.clone());
        tasks.spawn(async move {
            deliveries::keep(deliveries, catalog, tools, commits, stop).await;
            Ok(())
        });
    }
    tasks.spawn(async move {
        notices::keep(telling).await;
        Ok(())
    });
    tasks.spawn(async move {
        service.run().await;
        Ok(())
    });
    tasks.spawn(async move {
        keeper.run().await;
        Ok(())
    });
    ready(path.clone());
    let ended = runs.run().await;
    stop.cancel();
    drained.cancel();
    let mut outcome = ended.map_err(DaemonError::from);
    let rest = async {
        while let Some(task) = tasks.join_next().await {
            if let Ok(Err(error)) = task {
                outcome = Err(error);
            }
        }
    };
    // A connection that does not end is not waited for.
    let _ = tokio::time::timeout(Duration::from_secs(2), rest).await;
    let last = Arc::clone(&last.borrow());
    leave::log_out(&last, &reader, now()).await;
    tracing::info!("daemon stopped");
    outcome
}

/// That another process has the store, and which, where it listens on the socket of this home.
async fn second(
    home: &Home,
    environment: &Environment,
    socket: Option<PathBuf>,
    store: PathBuf,
) -> DaemonError {
    // Whose settings were read when the store was opened.
    let settings =
        Files::read_settings(home).map_or_else(|_| Settings::default(), |file| file.value);
    let socket = socket.unwrap_or_else(|| home.socket(&settings, environment));
    match listen::who_listens(&socket).await {
        Some(pid) => DaemonError::Second { pid, store },
        None => OpenError::InUse(store).into(),
    }
}

/// How long this process has been up, by a clock that nobody sets.
fn up() -> Uptime {
    static BEGAN: LazyLock<(u64, Instant)> = LazyLock::new(|| (fastrand::u64(..), Instant::now()));
    let (process, began) = *BEGAN;
    Uptime {
        process,
        seconds: began.elapsed().as_secs(),
    }
}

/// Says what is doubtful about who may call; the socket does not tell.
fn tell_who_may_call(socket: &Socket) {
    match &socket.tiers {
        None if socket.mode.0 & 0o002 != 0 => tracing::warn!(
            "every user of this machine may open the socket and do everything; write socket.tiers, or a narrower socket.mode"
        ),
        None => {}
        Some(tiers) => {
            for named in tiers.strangers() {
                tracing::warn!(named, "nobody on this machine has this name");
            }
        }
    }
}
