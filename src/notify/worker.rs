//! One notification at work: looks at the store whenever something was committed, writes down what is to be told before it is
//! sent, and sends it until it is taken. What is told when is decided in `due`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config::Notify;
use crate::model::IntegrationId;
use crate::store::{Store, StoreError};

use super::due::Fold;
use super::failing;
use super::hours::Zoned;
use super::kept::{Kept, Letter, Wanted};
use super::look::{self, Places};
use super::send::{Unsent, Ways, all_of, place_of};

/// What is committed at once is looked at once.
const TOGETHER: Duration = Duration::from_millis(200);
/// Not everything that is committed is told; and a clock may be set.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
/// The first pause after a failure, and the longest.
const PAUSE: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_mins(30);
/// What was refused is not tried again before.
const REFUSED: Duration = Duration::from_hours(1);
/// So many failures in a row are told.
const FAILURES: u32 = 3;
/// A message that somebody has is given up for the others after so long.
const GIVEN_UP: SignedDuration = SignedDuration::from_hours(24);

/// Why it does not go on.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something ended that should not.
    #[error("it ended unexpectedly: {0}")]
    Ended(#[from] tokio::task::JoinError),
}

/// What it counts.
pub trait Counts: Send + Sync {
    /// A message was sent to one of those who are told by a notification, or could not be.
    fn sent(&self, notification: &str, succeeded: bool);
    /// So many messages of a notification have not come to all yet.
    fn waiting(&self, notification: &str, messages: usize);
}

/// What it works with.
#[derive(Clone)]
pub struct Surroundings {
    /// The store.
    pub store: Arc<Store>,
    /// What messages are sent by.
    pub ways: Ways,
    /// Where integrations are now.
    pub places: Arc<dyn Fn() -> Places + Send + Sync>,
    /// Told of every commit.
    pub commits: watch::Sender<u64>,
    /// Chance.
    pub random: fn() -> u64,
    /// What is counted.
    pub counts: Arc<dyn Counts>,
    /// Ends it.
    pub stop: CancellationToken,
}

/// One notification at work.
pub struct Teller {
    notify: Arc<Notify>,
    around: Surroundings,
    wanted: Wanted,
    fold: Fold,
    all: Vec<String>,
}

/// How often somebody could not be given a message, and when it is tried again.
#[derive(Debug, Clone, Copy)]
struct Tried {
    failures: u32,
    again: Instant,
}

/// By message and who is to have it.
type Tries = BTreeMap<(String, String), Tried>;

impl Teller {
    /// The notification, as the file has it.
    pub fn new(notify: Notify, around: Surroundings) -> Teller {
        Teller {
            wanted: Wanted {
                alerts: notify.alerts.iter().copied().collect(),
                runs: notify.runs.iter().copied().collect(),
            },
            fold: Fold::try_from(notify.fold.0).unwrap_or(SignedDuration::MAX),
            all: all_of(&notify),
            notify: Arc::new(notify),
            around,
        }
    }

    /// Tells until it is stopped.
    pub async fn run(self) -> Result<(), NotifyError> {
        let mut commits = self.around.commits.subscribe();
        let name = self.notify.name().to_owned();
        let kept = self.with_store(move |store| store.read()?.notice::<Kept>(&name));
        let mut kept = kept.await?.unwrap_or_default();
        let mut tries = Tries::new();
        loop {
            commits.mark_unchanged();
            let next = self.look(&mut kept).await?;
            let all_sent = self.send_all(&mut kept, &mut tries, &mut commits).await?;
            if self.around.stop.is_cancelled() {
                return Ok(());
            }
            let again = tries.values().map(|tried| tried.again).min();
            let wait = if all_sent {
                // What waited for a message to be taken may be told now.
                Duration::ZERO
            } else {
                self.wait(next, again)
            };
            tokio::select! {
                () = self.around.stop.cancelled() => return Ok(()),
                changed = commits.changed() => match changed {
                    Ok(()) => tokio::time::sleep(TOGETHER).await,
                    Err(_) => return Ok(()),
                },
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    fn now(&self) -> Timestamp {
        (self.around.ways.now)()
    }

    fn wait(&self, next: Option<Timestamp>, again: Option<Instant>) -> Duration {
        let next = next.map(|next| next.duration_since(self.now()));
        let next = next.and_then(|until| Duration::try_from(until).ok());
        let again = again.map(|again| again.saturating_duration_since(Instant::now()));
        let soonest = next.into_iter().chain(again).min();
        soonest.unwrap_or(LOOK_AGAIN).clamp(TOGETHER, LOOK_AGAIN)
    }

    async fn with_store<T: Send + 'static>(
        &self,
        does: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, NotifyError> {
        let store = Arc::clone(&self.around.store);
        Ok(tokio::task::spawn_blocking(move || does(&store)).await??)
    }

    /// Takes in what the store says, and writes down what is to be told now. Gives when there is something next.
    async fn look(&self, kept: &mut Kept) -> Result<Option<Timestamp>, NotifyError> {
        let (before, now) = (kept.clone(), self.now());
        let (notify, wanted) = (Arc::clone(&self.notify), self.wanted.clone());
        let (places, fold, all) = ((self.around.places)(), self.fold, self.all.clone());
        let random = self.around.random;
        let looked = self.with_store(move |store| {
            let view = store.read()?;
            let mut kept = before.clone();
            let seen = look::seen(&view, &kept, &wanted)?;
            kept.see(&seen, &wanted, now);
            kept.give_up(&all, now - GIVEN_UP);
            kept.forget(fold, now);
            let hours = zoned(&notify, &places);
            for due in kept.due(fold, &hours, now) {
                let property = places.get(&due.integration);
                let property = property.map_or("", |place| place.property.as_str());
                let zone = hours.zone(&due.integration);
                let id = format!("{:016x}{:016x}", random(), random());
                let letter = look::letter(&view, &notify, &due, (&zone, property), (id, now))?;
                kept.write(&due, letter);
            }
            drop(view);
            let next = kept.next(fold, &hours, now);
            if !kept.is_as_good_as(&before) {
                put(store, &notify, &kept)?;
            }
            Ok((kept, next))
        });
        let (looked, next) = looked.await?;
        *kept = looked;
        self.around
            .counts
            .waiting(self.notify.name(), kept.letters.len());
        Ok(next)
    }

    /// Sends what waits and may be tried, once each. True where a message has come to all.
    async fn send_all(
        &self,
        kept: &mut Kept,
        tries: &mut Tries,
        commits: &mut watch::Receiver<u64>,
    ) -> Result<bool, NotifyError> {
        let letters = kept.letters.clone();
        tries.retain(|(id, to), _| {
            self.all.contains(to) && letters.iter().any(|letter| letter.id == *id)
        });
        let mut all_have = false;
        for letter in &letters {
            for to in self.all.iter().filter(|to| !letter.has.contains(*to)) {
                if self.around.stop.is_cancelled() {
                    return Ok(all_have);
                }
                let key = (letter.id.clone(), to.clone());
                if tries
                    .get(&key)
                    .is_some_and(|tried| tried.again > Instant::now())
                {
                    continue;
                }
                let sent = self.send(kept, letter, to, commits).await?;
                self.around.counts.sent(self.notify.name(), sent.is_ok());
                match sent {
                    Ok(()) => {
                        tries.remove(&key);
                        all_have |= self.has(kept, letter, to, tries.is_empty()).await?;
                    }
                    Err(unsent) => {
                        let tried = after(tries.get(&key).copied(), &unsent, Instant::now());
                        tries.insert(key, tried);
                        self.failed(letter, to, &unsent, tried).await?;
                    }
                }
            }
        }
        self.around
            .counts
            .waiting(self.notify.name(), kept.letters.len());
        Ok(all_have)
    }

    /// Sends a message to somebody. What is committed meanwhile is looked at meanwhile: it may be over by the end.
    async fn send(
        &self,
        kept: &mut Kept,
        letter: &Letter,
        to: &str,
        commits: &mut watch::Receiver<u64>,
    ) -> Result<Result<(), Unsent>, NotifyError> {
        let mut sending = std::pin::pin!(self.around.ways.send(&self.notify, letter, to));
        loop {
            tokio::select! {
                sent = &mut sending => return Ok(sent),
                Ok(()) = commits.changed() => drop(self.look(kept).await?),
            }
        }
    }

    /// Notes that somebody has a message. True where all have it now.
    async fn has(
        &self,
        kept: &mut Kept,
        letter: &Letter,
        to: &str,
        nothing_fails: bool,
    ) -> Result<bool, NotifyError> {
        let is_last = kept.has(&letter.id, to, &self.all);
        let integration = &letter.integration;
        tracing::info!(notification = self.notify.name(), to = place_of(&self.notify, to), %integration, message = letter.id, "told");
        let (notify, now, kept) = (Arc::clone(&self.notify), self.now(), kept.clone());
        let closed = self.with_store(move |store| {
            put(store, &notify, &kept)?;
            if !(is_last && nothing_fails) {
                return Ok(false);
            }
            failing::close(store, notify.name(), now)
        });
        if closed.await? {
            self.around.commits.send_modify(|commits| *commits += 1);
        }
        Ok(is_last)
    }

    async fn failed(
        &self,
        letter: &Letter,
        to: &str,
        unsent: &Unsent,
        tried: Tried,
    ) -> Result<(), NotifyError> {
        let (place, integration) = (place_of(&self.notify, to), letter.integration.clone());
        tracing::warn!(notification = self.notify.name(), to = place, %integration, message = letter.id, failures = tried.failures, error = %unsent, "could not be told");
        let is_told = matches!(unsent, Unsent::Refused(_)) || tried.failures >= FAILURES;
        if !is_told {
            return Ok(());
        }
        let (notify, now) = (Arc::clone(&self.notify), self.now());
        let what = format!("{place}: {unsent}");
        let raised = self.with_store(move |store| {
            failing::raise(store, notify.name(), &integration, &what, now)
        });
        if raised.await? {
            self.around.commits.send_modify(|commits| *commits += 1);
        }
        Ok(())
    }
}

fn put(store: &Store, notify: &Notify, kept: &Kept) -> Result<(), StoreError> {
    let write = store.write()?;
    write.put_notice(notify.name(), kept)?;
    write.commit()
}

fn zoned(notify: &Notify, places: &Places) -> Zoned {
    let named = notify.timezone.as_deref();
    let zones = places.iter();
    let zones: BTreeMap<IntegrationId, jiff::tz::TimeZone> = zones
        .map(|(id, place)| (id.clone(), place.zone.clone()))
        .collect();
    Zoned {
        quiet: notify.quiet,
        // `check` has looked at the name.
        named: named.and_then(|name| crate::model::time_zone(name).ok()),
        zones,
    }
}

/// When a message is tried again that could not be given to somebody.
fn after(before: Option<Tried>, unsent: &Unsent, now: Instant) -> Tried {
    let failures = before.map_or(0, |before| before.failures) + 1;
    let pause = match unsent {
        Unsent::Refused(_) => REFUSED,
        Unsent::Unknown(_) => {
            let doubled = 2_u32.saturating_pow((failures - 1).min(16));
            PAUSE.saturating_mul(doubled).min(LONGEST)
        }
    };
    Tried {
        failures,
        again: now + pause,
    }
}
