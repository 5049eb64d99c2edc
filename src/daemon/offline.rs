//! The store read while no daemon runs: what a daemon would answer, over a private socket of this process, to one
//! who only looks. Nothing is synced, loaded anew or written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::catalog;
use crate::config::Home;
use crate::control::listen::listen;
use crate::control::protocol::ProblemDocument;
use crate::control::server;
use crate::source::Reader;
use crate::store::Store;
use crate::sync::Tools;

use super::DaemonError;
use super::backend::{Daemon, Nature};
use super::metrics::Metrics;
use super::runs::Command;

/// A store that is open for reading; closed when dropped.
#[derive(Debug)]
pub struct Offline {
    socket: PathBuf,
    _folder: TempDir,
    _stop: DropGuard,
}

impl Offline {
    /// Opens the store in the folder `state`, which must be there and which no daemon may have, and answers from it
    /// and from the files of `home`.
    pub async fn open(home: &Home, state: &Path) -> Result<Offline, DaemonError> {
        let now: fn() -> Timestamp = Timestamp::now;
        let (home, state) = (home.clone(), state.to_owned());
        let open =
            move || Ok::<_, DaemonError>((Store::open(&state)?, catalog::load(&home, None, now())));
        let opened = tokio::task::spawn_blocking(open).await;
        let (store, loaded) = opened.map_err(std::io::Error::other)??;
        let store = Arc::new(store);
        let folder = TempDir::with_prefix("epms-")?;
        let socket = folder.path().join("epms.sock");
        let listener = listen(&socket, 0o600, None).await?;

        let stop = CancellationToken::new();
        let (commands, asked) = mpsc::channel(1);
        let (reloads, _) = mpsc::channel(1);
        let daemon = Daemon {
            nature: Nature::Offline,
            started: now(),
            tools: Tools {
                reader: Arc::new(Reader::new()?),
                store: Arc::clone(&store),
                now,
            },
            store,
            metrics: Arc::new(Metrics::new(loaded.is_right(), now())),
            catalog: watch::channel(Arc::new(loaded)).1,
            commands,
            reloads,
            commits: watch::Sender::new(0),
            stop: stop.clone(),
        };
        tokio::spawn(idle(asked));
        tokio::spawn(server::serve(listener, Arc::new(daemon), stop.clone()));
        Ok(Offline {
            socket,
            _folder: folder,
            _stop: stop.drop_guard(),
        })
    }

    /// The socket that answers.
    pub fn socket(&self) -> &Path {
        &self.socket
    }
}

/// In the place of who owns the schedule: nothing runs, and nothing will.
async fn idle(mut asked: mpsc::Receiver<Command>) {
    while let Some(command) = asked.recv().await {
        // Whoever asked may have gone.
        match command {
            Command::Phases(reply) => drop(reply.send(BTreeMap::new())),
            Command::Follow(_, reply) => drop(reply.send(None)),
            Command::Adopt(reply) => drop(reply.send(())),
            Command::Sync(_, reply) => drop(reply.send(Err(ProblemDocument::conflict(
                "no daemon runs, so that nothing is synced; start one with `epms run`",
            )))),
        }
    }
}
