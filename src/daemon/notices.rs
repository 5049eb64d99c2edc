//! Those who tell: one for each entry of `notify` in the daemon's file, begun anew when it changes. What one does is in
//! `notify`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::catalog::Catalog;
use crate::config::{Notify, Proxy};
use crate::notify::{
    Counts, NotifyError, Place, Places, Surroundings, Teller, Ways, close,
    forget_others as forget_told,
};
use crate::outbound::{ClientError, Outbound};
use crate::store::Store;
use crate::sync::Tools;

use super::metrics::Metrics;

/// One that ended by itself is begun anew after so long.
const AGAIN: Duration = Duration::from_secs(30);
/// What one has under way is waited for so long.
const GRACE: Duration = Duration::from_secs(2);

/// The way out of all messages. Made when somebody is told for the first time.
pub(super) struct Notices {
    home: PathBuf,
    outbound: Mutex<Option<Arc<Outbound>>>,
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notices").finish_non_exhaustive()
    }
}

impl Notices {
    /// Nobody was told yet. Files that messages need lie in `home`.
    pub(super) fn new(home: &Path) -> Notices {
        Notices {
            home: home.to_owned(),
            outbound: Mutex::default(),
        }
    }

    /// What messages are sent by.
    pub(super) fn ways(
        &self,
        proxy: Option<&Proxy>,
        now: fn() -> Timestamp,
    ) -> Result<Ways, ClientError> {
        let mut outbound = self.outbound.lock().unwrap_or_else(PoisonError::into_inner);
        let outbound = match &*outbound {
            Some(outbound) => Arc::clone(outbound),
            None => Arc::clone(outbound.insert(Arc::new(Outbound::new()?))),
        };
        Ok(Ways {
            outbound,
            proxy: proxy.cloned(),
            home: self.home.clone(),
            now,
        })
    }
}

/// One at work.
struct AtWork {
    notify: Notify,
    proxy: Option<Proxy>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl AtWork {
    fn is_as(&self, notify: &Notify, proxy: Option<&Proxy>) -> bool {
        !self.task.is_finished() && self.notify == *notify && self.proxy.as_ref() == proxy
    }

    async fn end(mut self) {
        self.stop.cancel();
        // What was sent and is not noted is sent once more, under the same id.
        let _ = tokio::time::timeout(GRACE, &mut self.task).await;
        self.task.abort();
    }
}

/// What they work with.
pub(super) struct Around {
    pub(super) notices: Arc<Notices>,
    pub(super) catalog: watch::Receiver<Arc<Catalog>>,
    pub(super) tools: Tools,
    pub(super) commits: watch::Sender<u64>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) stop: CancellationToken,
}

/// Keeps them as the file has them, until it is stopped.
pub(super) async fn keep(mut around: Around) {
    let mut at_work: BTreeMap<String, AtWork> = BTreeMap::new();
    let stop = around.stop.clone();
    loop {
        let now = Arc::clone(&around.catalog.borrow_and_update());
        let (wanted, proxy) = (&now.settings.notify, now.settings.proxy.as_ref());
        let gone: Vec<String> = at_work
            .iter()
            .filter(|(name, one)| {
                let same = wanted.iter().find(|notify| notify.name() == name.as_str());
                same.is_none_or(|notify| !one.is_as(notify, proxy))
            })
            .map(|(name, _)| name.clone())
            .collect();
        for name in gone {
            if let Some(one) = at_work.remove(&name) {
                one.end().await;
            }
        }
        forget_others(&around, wanted).await;
        for notify in wanted {
            if !at_work.contains_key(notify.name())
                && let Some(begun) = begin(&around, notify, proxy)
            {
                at_work.insert(notify.name().to_owned(), begun);
            }
        }
        tokio::select! {
            () = stop.cancelled() => break,
            changed = around.catalog.changed() => if changed.is_err() { break },
            // One that ended by itself, or could not begin, is begun anew.
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
    for one in at_work.values() {
        one.stop.cancel();
    }
    for one in at_work.into_values() {
        one.end().await;
    }
}

fn begin(around: &Around, notify: &Notify, proxy: Option<&Proxy>) -> Option<AtWork> {
    let name = notify.name().to_owned();
    let ways = around.notices.ways(proxy, around.tools.now);
    let ways = ways
        .inspect_err(|error| tracing::error!(notification = name, %error, "nobody can be told"))
        .ok()?;
    let (stop, catalog) = (CancellationToken::new(), around.catalog.clone());
    let teller = Teller::new(
        notify.clone(),
        Surroundings {
            store: Arc::clone(&around.tools.store),
            ways,
            places: Arc::new(move || places(&catalog.borrow())),
            commits: around.commits.clone(),
            random: || fastrand::u64(..),
            counts: Arc::clone(&around.metrics) as Arc<dyn Counts>,
            stop: stop.clone(),
        },
    );
    tracing::info!(notification = name, "somebody is told of what is wrong");
    let task = tokio::spawn(async move {
        if let Err(error) = teller.run().await {
            tracing::error!(notification = name, %error, "telling ended, and is begun anew");
        }
    });
    Some(AtWork {
        notify: notify.clone(),
        proxy: proxy.cloned(),
        stop,
        task,
    })
}

/// Where integrations are now.
fn places(catalog: &Catalog) -> Places {
    let slots = catalog.integrations.iter();
    let places = slots.filter_map(|(id, slot)| {
        let property = &slot.current.as_ref()?.config.property;
        let zone = crate::model::time_zone(&property.timezone).ok()?;
        let place = Place {
            property: property.name.clone(),
            zone,
        };
        Some((id.clone(), place))
    });
    places.collect()
}

/// What was told by those that are no more is nobody's concern.
async fn forget_others(around: &Around, wanted: &[Notify]) {
    let names: Vec<String> = wanted.iter().map(|one| one.name().to_owned()).collect();
    let (store, now) = (Arc::clone(&around.tools.store), (around.tools.now)());
    let forget = move || {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        forget_told(&store, &names, now)
    };
    let forgot = tokio::task::spawn_blocking(forget).await;
    match forgot
        .map_err(NotifyError::from)
        .and_then(|forgot| Ok(forgot?))
    {
        Ok(true) => around.commits.send_modify(|commits| *commits += 1),
        Ok(false) => {}
        Err(error) => {
            tracing::error!(%error, "notifications that are no more could not be forgotten");
        }
    }
}

/// A test came to all who are told by a notification: what could not be told before can be now.
pub(super) fn mended(store: &Store, name: &str, now: Timestamp) {
    if let Err(error) = close(store, name, now) {
        tracing::error!(notification = name, %error, "the alert could not be closed");
    }
}
