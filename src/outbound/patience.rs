//! What a run does while a server makes it wait: it leaves its worker to others, and waits no longer than until its next
//! moment (R43). Decides nothing about when it may ask.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::model::RunId;

/// Whoever waits for less keeps its worker. A pace of some requests a second makes a run wait for up to a second, time and
/// again.
const AT_ONCE: Duration = Duration::from_millis(100);

/// The workers of a daemon: so many runs read and map at once.
#[derive(Debug)]
pub struct Seats {
    free: Arc<Semaphore>,
    count: Mutex<Count>,
    away: Mutex<BTreeMap<RunId, Waits>>,
    moved: Notify,
}

#[derive(Debug)]
struct Count {
    workers: usize,
    /// Workers that there are to be no more of, once the runs that have them let them go.
    too_many: usize,
}

/// What a run without a worker waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    /// The credential whose turn, budget or login it is.
    pub credential: String,
    /// Since when.
    pub since: Instant,
    /// Until when, where that is known.
    pub until: Option<Instant>,
}

impl Seats {
    /// So many workers; one at least.
    pub fn new(workers: usize) -> Seats {
        let workers = workers.max(1);
        Seats {
            free: Arc::new(Semaphore::new(workers)),
            count: Mutex::new(Count {
                workers,
                too_many: 0,
            }),
            away: Mutex::default(),
            moved: Notify::new(),
        }
    }

    /// So many workers from now on; who has one keeps it until it ends or waits.
    pub fn set_workers(&self, workers: usize) {
        let workers = workers.max(1);
        let mut count = lock(&self.count);
        let there = count.workers + count.too_many;
        count.workers = workers;
        if workers >= there {
            count.too_many = 0;
            self.free.add_permits(workers - there);
        } else {
            let gone = there - workers;
            count.too_many = gone - self.free.forget_permits(gone);
        }
    }

    /// The runs that wait without a worker.
    pub fn away(&self) -> BTreeMap<RunId, Waits> {
        lock(&self.away).clone()
    }

    /// Until a run leaves its worker, or has one again.
    pub async fn moved(&self) {
        self.moved.notified().await;
    }
}

/// A worker, until this is dropped.
#[derive(Debug)]
struct Seat {
    seats: Arc<Seats>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut count = lock(&self.seats.count);
        if count.too_many > 0
            && let Some(permit) = self.permit.take()
        {
            count.too_many -= 1;
            permit.forget();
        }
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A run's place at a worker, and how long it may wait.
#[derive(Debug)]
pub struct Patience {
    seats: Arc<Seats>,
    run: RunId,
    /// Whoever waits for less keeps its worker.
    at_once: Duration,
    seat: Mutex<Option<Seat>>,
    /// The run's next moment: nobody waits beyond it.
    until: Instant,
    /// Since when it is without a worker, and how long it was before.
    waited: Mutex<(Option<Instant>, Duration)>,
}

/// A run that is without a worker until this is dropped.
struct Away<'a>(&'a Patience);

impl Patience {
    /// For a run that may wait for `longest`; it has no worker yet.
    pub fn new(seats: Arc<Seats>, run: RunId, longest: Duration) -> Patience {
        let now = Instant::now();
        Patience {
            seats,
            run,
            at_once: AT_ONCE,
            seat: Mutex::default(),
            // Whoever may wait for ever may wait for a year.
            until: now
                .checked_add(longest)
                .unwrap_or(now + Duration::from_hours(24 * 365)),
            waited: Mutex::default(),
        }
    }

    /// Waits for a worker.
    pub async fn sit(&self) {
        // The semaphore is never closed.
        let permit = Arc::clone(&self.seats.free).acquire_owned().await.ok();
        let seats = Arc::clone(&self.seats);
        *lock(&self.seat) = Some(Seat { seats, permit });
    }

    /// Whether a wait until then is too long.
    pub(super) fn is_too_long(&self, until: Instant) -> bool {
        until > self.until
    }

    /// Ends with `comes`, or after so much time with a worker.
    pub async fn at_most<T>(&self, time: Duration, comes: impl Future<Output = T>) -> Option<T> {
        let begun = Instant::now();
        tokio::pin!(comes);
        loop {
            let end = begun.checked_add(time)?.checked_add(self.waited())?;
            if end <= Instant::now() {
                return None;
            }
            if let Ok(came) = tokio::time::timeout_at(end, &mut comes).await {
                return Some(came);
            }
        }
    }

    /// How long it was without a worker so far.
    fn waited(&self) -> Duration {
        let (since, waited) = *lock(&self.waited);
        waited + since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Waits for something of a credential; without a worker, where it does not come at once.
    pub(super) async fn waiting<T>(
        &self,
        credential: &str,
        until: impl Fn() -> Option<Instant>,
        comes: impl Future<Output = T>,
    ) -> T {
        tokio::pin!(comes);
        if let Ok(came) = tokio::time::timeout(self.at_once, &mut comes).await {
            return came;
        }
        let away = self.leave(Waits {
            credential: credential.to_owned(),
            since: Instant::now(),
            until: until(),
        });
        let came = comes.await;
        self.sit().await;
        drop(away);
        came
    }

    fn leave(&self, waits: Waits) -> Away<'_> {
        lock(&self.seats.away).insert(self.run, waits);
        drop(lock(&self.seat).take());
        lock(&self.waited).0 = Some(Instant::now());
        self.seats.moved.notify_one();
        Away(self)
    }
}

impl Drop for Away<'_> {
    fn drop(&mut self) {
        let Away(patience) = self;
        let waited = patience.waited();
        *lock(&patience.waited) = (None, waited);
        lock(&patience.seats.away).remove(&patience.run);
        patience.seats.moved.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn free(seats: &Seats) -> usize {
        seats.free.available_permits()
    }

    #[tokio::test]
    async fn r43_who_waits_holds_no_worker_and_has_one_again_when_it_goes_on() {
        let seats = Arc::new(Seats::new(1));
        let patience = Patience {
            at_once: Duration::ZERO,
            ..Patience::new(Arc::clone(&seats), RunId(1), HOUR)
        };
        patience.sit().await;
        assert_eq!(free(&seats), 0);
        let until = Instant::now() + HOUR;
        let (may_ask, asked) = tokio::sync::oneshot::channel();
        let waits = patience.waiting("x", || Some(until), asked);
        let others = async {
            seats.moved().await;
            let away = seats.away();
            assert_eq!(away[&RunId(1)].credential, "x");
            assert_eq!(away[&RunId(1)].until, Some(until));
            // Somebody else has the worker when the wait is over, and lets it go.
            let other = Patience::new(Arc::clone(&seats), RunId(2), HOUR);
            other.sit().await;
            may_ask.send(()).unwrap();
            tokio::task::yield_now().await;
            assert_eq!((free(&seats), seats.away().len()), (0, 1));
        };
        let (came, ()) = tokio::join!(waits, others);
        came.unwrap();
        assert_eq!((free(&seats), seats.away().len()), (0, 0));
        let never = std::future::pending::<()>();
        assert_eq!(patience.at_most(Duration::ZERO, never).await, None);
        assert!(patience.waited() > Duration::ZERO);
        drop(patience);
        assert_eq!(free(&seats), 1);
    }

    #[tokio::test]
    async fn r43_whoever_waits_for_the_next_second_leaves_its_worker() {
        let seats = Arc::new(Seats::new(1));
        let patience = Patience::new(Arc::clone(&seats), RunId(1), HOUR);
        patience.sit().await;
        let (may_ask, asked) = tokio::sync::oneshot::channel();
        let waits = patience.waiting("x", || None, asked);
        let others = async {
            let left = tokio::time::timeout(Duration::from_millis(500), seats.moved()).await;
            assert!(left.is_ok(), "it keeps its worker");
            assert_eq!(free(&seats), 1);
            may_ask.send(()).unwrap();
        };
        let (came, ()) = tokio::join!(waits, others);
        came.unwrap();
    }

    #[tokio::test]
    async fn fewer_workers_are_fewer_when_those_who_have_them_let_them_go() {
        let seats = Arc::new(Seats::new(2));
        let sits = async |run| {
            let patience = Patience::new(Arc::clone(&seats), RunId(run), HOUR);
            patience.sit().await;
            patience
        };
        let (one, two) = (sits(1).await, sits(2).await);
        seats.set_workers(1);
        drop(one);
        assert_eq!(free(&seats), 0);
        drop(two);
        assert_eq!(free(&seats), 1);
        seats.set_workers(3);
        assert_eq!(free(&seats), 3);
        seats.set_workers(0);
        assert_eq!(free(&seats), 1);
    }
}
