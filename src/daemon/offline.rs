//! The store read while no daemon runs: what a daemon would answer, over a private socket of this process, to one
//! who only looks. Nothing is synced, loaded anew or written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::catalog::{self, Catalog};
use crate::config::Home;
use crate::control::listen::listen;
use crate::control::protocol::ProblemDocument;
use crate::control::server::{self, Places};
use crate::source::Reader;
use crate::store::Store;
use crate::sync::{Tools, Workers};

use super::DaemonError;
use super::backend::{Daemon, Nature};
use super::backups::Backups;
use super::clock::{self, Steady};
use super::ledger::Kept;
use super::metrics::Metrics;
use super::notices::Notices;
use super::runs::Command;

/// A store that is open for reading; closed when dropped.
#[derive(Debug)]
pub struct Offline {
    socket: PathBuf,
    notes: Vec<String>,
    _folder: TempDir,
    _stop: DropGuard,
}

impl Offline {
    /// Opens the store in the folder `state`, which must be there and which no daemon may have, and answers from it
    /// and from the files of `home`.
    pub async fn open(home: &Home, state: &Path) -> Result<Offline, DaemonError> {
        let now: fn() -> Timestamp = Timestamp::now;
        let (home, state) = (home.clone(), state.to_owned());
        let open = move || {
            let store = Store::open(&state)?;
            let holdings = store.read()?.holdings()?;
            let loaded = catalog::load_with(&home, None, &holdings, now());
            Ok::<_, DaemonError>((store, loaded))
        };
        let opened = tokio::task::spawn_blocking(open).await;
        let (store, loaded) = opened.map_err(std::io::Error::other)??;
        let (notes, store) = (store.notes().to_vec(), Arc::new(store));
        let folder = TempDir::with_prefix("epms-")?;
        let socket = folder.path().join("epms.sock");
        let listener = listen(&socket, 0o600, None).await?;

        let stop = CancellationToken::new();
        let daemon = answering(store, loaded, now, stop.clone())?;
        tokio::spawn(server::serve(
            listener,
            Arc::new(daemon),
            Vec::new(),
            stop.clone(),
        ));
        Ok(Offline {
            socket,
            notes,
            _folder: folder,
            _stop: stop.drop_guard(),
        })
    }

    /// What was put right in the store when it was opened.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The socket that answers.
    pub fn socket(&self) -> &Path {
        &self.socket
    }
}

/// What answers from a store and files alone.
pub(super) fn answering(
    store: Arc<Store>,
    loaded: Catalog,
    now: fn() -> Timestamp,
    stop: CancellationToken,
) -> Result<Daemon, DaemonError> {
    let (commands, asked) = mpsc::channel(1);
    let (reloads, _) = mpsc::channel(1);
    let daemon = Daemon {
        nature: Nature::Offline,
        started: now(),
        tools: Tools {
            reader: Arc::new(Reader::new()?.kept_by(Arc::new(Kept {
                store: Arc::clone(&store),
                now,
            }))),
            store: Arc::clone(&store),
            now,
            up: super::up,
            workers: Workers::default(),
        },
        store,
        metrics: Arc::new(Metrics::new(loaded.is_right(), now())),
        catalog: watch::channel(Arc::new(loaded)).1,
        commands,
        reloads,
        looking: watch::channel(None).1,
        deliveries: Arc::default(),
        listener: Arc::default(),
        places: Places::default(),
        // Nobody is told while no daemon runs.
        notices: Arc::new(Notices::new(Path::new(""))),
        backups: Arc::new(Backups::new(Steady::new(now, clock::since_boot))),
        drafts: Arc::default(),
        home: Home::at(""),
        commits: watch::Sender::new(0),
        stop,
    };
    tokio::spawn(idle(asked));
    Ok(daemon)
}

/// In the place of who owns the schedule: nothing runs, and nothing will.
async fn idle(mut asked: mpsc::Receiver<Command>) {
    while let Some(command) = asked.recv().await {
        // Whoever asked may have gone.
        match command {
            Command::Phases(reply) => drop(reply.send(BTreeMap::new())),
            Command::Follow(_, reply) => drop(reply.send(None)),
            Command::Adopt(reply) => drop(reply.send(())),
            Command::Exclusive(_, _, reply) => drop(reply.send(Err(ProblemDocument::conflict(
                "no daemon runs, so that nothing is done; start one with `epms run`",
            )))),
            Command::Sync(_, reply) => drop(reply.send(Err(ProblemDocument::conflict(
                "no daemon runs, so that nothing is synced; start one with `epms run`",
            )))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::server::Backend;
    use crate::model::{Alert, AlertKind, AlertState, IntegrationId, RunId};
    use crate::store::testing::Disk;

    fn put_alert(store: &Store, state: AlertState, how_many: usize) {
        let write = store.write().unwrap();
        for number in 0..how_many {
            let alert = Alert {
                id: write.new_alert_id().unwrap(),
                kind: AlertKind::MissingEmail,
                integration: IntegrationId::new("elm"),
                subject: format!("{state}-{number}"),
                state,
                sides: Vec::new(),
                detail: "the resident has no email".into(),
                confidence: None,
                count: None,
                examples: Vec::new(),
                suggestion: None,
                raised_by: RunId(1),
                first_seen: Timestamp::UNIX_EPOCH,
                last_seen: Timestamp::UNIX_EPOCH,
                acts: Vec::new(),
                assigned: None,
                comments: Vec::new(),
            };
            write.put_alert(&alert).unwrap();
        }
        write.commit().unwrap();
    }

    /// C5.
    #[tokio::test]
    async fn status_and_open_alerts_read_as_much_with_twenty_thousand_closed_ones_as_with_none() {
        let home = tempfile::tempdir().unwrap();
        let mut steps = Vec::new();
        for closed in [0, 20_000] {
            let disk = Disk::default();
            let store = Store::on("disk", disk.medium()).unwrap();
            put_alert(&store, AlertState::Open, 3);
            put_alert(&store, AlertState::AutoClosed, closed);
            drop(store);
            // Nothing of it is in memory.
            let store = Arc::new(Store::on("disk", disk.medium()).unwrap());
            let now: fn() -> Timestamp = Timestamp::now;
            let loaded = catalog::load(&Home::at(home.path()), None, now());
            let daemon = answering(store, loaded, now, CancellationToken::new()).unwrap();
            disk.set(None);
            assert_eq!(daemon.status().await.unwrap().open_alerts, 3);
            let of_status = disk.steps();
            let open = daemon
                .alerts(crate::model::AlertQuery::default())
                .await
                .unwrap();
            assert_eq!(open.items.len(), 3);
            assert!(daemon.metrics().await.is_ok());
            steps.push((of_status, disk.steps() - of_status));
        }
        let [(status, alerts), (status_of_many, alerts_of_many)] = steps[..] else {
            panic!("{steps:?}")
        };
        assert!(status_of_many <= status, "{steps:?}");
        // A tree of pages is deeper by two where it is large.
        assert!(alerts_of_many <= alerts + 4, "{steps:?}");
    }
}
