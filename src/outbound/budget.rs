//! The budget of a credential: so many requests in a time, so many at once. Shared by its integrations. What is allowed in
//! a day and a month is counted in `allowance`.
//!
//! A limit holds in every stretch of time, wherever it begins: a server that counts otherwise would refuse the
//! second half of a burst. A request counts until a period after its answer, as nobody here knows when the
//! server saw it in between.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::config::Limits;

use super::allowance::{Allowance, Ledger, UsedUp};

/// How long to wait for an answer that is under way, and then to look again.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// What may still be asked of a server with one credential.
#[derive(Debug)]
pub(super) struct Budget {
    limits: Limits,
    /// The server wants no request before; and when it said so.
    held: Mutex<Option<Held>>,
    windows: Mutex<Vec<Window>>,
    allowance: Option<Mutex<Allowance>>,
    /// Where it is kept, and under which name.
    ledger: Option<(Arc<dyn Ledger>, String)>,
    slots: Arc<Semaphore>,
    /// Whoever waits first asks first.
    turn: tokio::sync::Mutex<()>,
}

/// Who asks for a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asks {
    /// Somebody does, and not the clock.
    pub(super) by_hand: bool,
    /// What the server asked for counts for no longer than this after it did.
    pub(super) held_at_most: Duration,
}

/// A request that may not be made before it is too late.
#[derive(Debug)]
pub(super) struct Late {
    /// When it may at the earliest.
    pub(super) until: Instant,
    /// The limit of a day or a month that forbids it, where one does.
    pub(super) used_up: Option<UsedUp>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    until: Instant,
    since: Instant,
}

/// One limit.
#[derive(Debug)]
struct Window {
    most: usize,
    period: Duration,
    under_way: usize,
    /// When the answers came, oldest first.
    answered: VecDeque<Instant>,
}

/// One request, while it is under way.
#[derive(Debug)]
pub(super) struct Permit {
    budget: Arc<Budget>,
    _slot: Option<OwnedSemaphorePermit>,
}

impl Window {
    /// How long until one more may be asked; none for now.
    fn wait(&mut self, now: Instant) -> Option<Duration> {
        while let Some(oldest) = self.answered.front()
            && now.duration_since(*oldest) >= self.period
        {
            self.answered.pop_front();
        }
        if self.under_way + self.answered.len() < self.most {
            return None;
        }
        Some(self.answered.front().map_or(LOOK_AGAIN, |oldest| {
            (*oldest + self.period).saturating_duration_since(now)
        }))
    }
}

impl Budget {
    pub(super) fn new(limits: &Limits, ledger: Option<(Arc<dyn Ledger>, String)>) -> Budget {
        let window = |most: Option<u32>, seconds: u64| {
            Some(Window {
                // A limit of none would wait for ever.
                most: usize::try_from(most?).unwrap_or(usize::MAX).max(1),
                period: Duration::from_secs(seconds),
                under_way: 0,
                answered: VecDeque::new(),
            })
        };
        let windows = [
            window(limits.per_second, 1),
            window(limits.per_minute, 60),
            window(limits.per_hour, 3600),
        ];
        let allowance = ledger
            .as_ref()
            .and_then(|(ledger, name)| Allowance::new(limits, || ledger.asked(name)));
        Budget {
            allowance: allowance.map(Mutex::new),
            limits: limits.clone(),
            ledger,
            held: Mutex::default(),
            windows: Mutex::new(windows.into_iter().flatten().collect()),
            slots: Arc::new(Semaphore::new(
                limits.concurrent.unwrap_or(8).clamp(1, 1024),
            )),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    pub(super) fn is_for(&self, limits: &Limits) -> bool {
        self.limits == *limits
    }

    /// No further request for so long.
    pub(super) fn hold(&self, wait: Duration) {
        let since = Instant::now();
        let until = since + wait;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none_or(|held| held.until < until) {
            *held = Some(Held { until, since });
        }
    }

    fn held(&self, now: Instant, at_most: Duration) -> Option<Duration> {
        let held = (*self.held.lock().unwrap_or_else(PoisonError::into_inner))?;
        let most = held.since.checked_add(at_most);
        let until = most.map_or(held.until, |most| most.min(held.until));
        (until > now).then(|| until.duration_since(now))
    }

    /// Waits until one more request may be made; it counts as under way while the permit lives. Where `is_too_long` says
    /// so of the moment when it may be made at the earliest, that moment.
    pub(super) async fn spend(
        self: &Arc<Self>,
        asks: Asks,
        is_too_long: impl Fn(Instant) -> bool,
    ) -> Result<Permit, Late> {
        let too_long = |now: Instant, wait: Option<Duration>, used_up: Option<UsedUp>| {
            let until = now.checked_add(wait?)?;
            is_too_long(until).then_some(Late { until, used_up })
        };
        // Whoever waits for a turn need not wait for it to hear this.
        let now = Instant::now();
        if let Some(late) = too_long(now, self.held(now, asks.held_at_most), None) {
            return Err(late);
        }
        if let (wait, Some(used_up)) = self.used_up(asks.by_hand)
            && let Some(late) = too_long(now, wait, Some(used_up))
        {
            return Err(late);
        }
        let slot = Arc::clone(&self.slots).acquire_owned().await.ok();
        let _turn = self.turn.lock().await;
        loop {
            let now = Instant::now();
            let (long, used_up) = self.used_up(asks.by_hand);
            let wait = match long {
                Some(wait) => Some(wait),
                None => self.take(now, asks.held_at_most),
            };
            let Some(wait) = wait else {
                break;
            };
            if let Some(late) = too_long(now, Some(wait), used_up) {
                return Err(late);
            }
            tokio::time::sleep(wait).await;
        }
        let permit = Permit {
            budget: Arc::clone(self),
            _slot: slot,
        };
        self.count().await;
        Ok(permit)
    }

    /// How long nothing may be asked because of a day or a month.
    fn used_up(&self, by_hand: bool) -> (Option<Duration>, Option<UsedUp>) {
        let counted = self.allowance.as_ref().zip(self.ledger.as_ref());
        let used_up = counted.and_then(|(allowance, (ledger, _))| {
            let allowance = allowance.lock().unwrap_or_else(PoisonError::into_inner);
            allowance.used_up(ledger.now(), by_hand)
        });
        let wait = used_up.as_ref().map(|used_up| used_up.wait);
        (wait.and_then(|wait| Duration::try_from(wait).ok()), used_up)
    }

    /// How many were made, by the hour since 1970; none where nothing of that is limited.
    pub(super) fn asked(&self) -> Option<BTreeMap<i64, u32>> {
        let allowance = self.allowance.as_ref()?;
        let allowance = allowance.lock().unwrap_or_else(PoisonError::into_inner);
        Some(allowance.asked().clone())
    }

    /// Counts one more of a day and a month, before it is made.
    async fn count(&self) {
        let (Some(allowance), Some((ledger, name))) = (&self.allowance, &self.ledger) else {
            return;
        };
        let keep = {
            let mut allowance = allowance.lock().unwrap_or_else(PoisonError::into_inner);
            allowance.take(ledger.now())
        };
        if let Some((hour, requests)) = keep {
            let (ledger, name) = (Arc::clone(ledger), name.clone());
            let keep = move || ledger.keep(&name, hour, requests);
            // It counts here all the same.
            let _ = tokio::task::spawn_blocking(keep).await;
        }
    }

    /// When one more request may be made at the earliest, where that is not now.
    pub(super) fn next(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut windows = self.windows();
        let waits = windows.iter_mut().filter_map(|window| window.wait(now));
        let (long, _) = self.used_up(true);
        let wait = waits.max().max(self.held(now, Duration::MAX)).max(long)?;
        now.checked_add(wait)
    }

    /// Takes one request of every limit, or says how long to wait.
    fn take(&self, now: Instant, held_at_most: Duration) -> Option<Duration> {
        let mut windows = self.windows();
        let wait = windows
            .iter_mut()
            .filter_map(|window| window.wait(now))
            .max()
            .max(self.held(now, held_at_most));
        if wait.is_none() {
            windows.iter_mut().for_each(|window| window.under_way += 1);
        }
        wait
    }

    /// One request that was under way is answered.
    fn answered(&self, now: Instant) {
        for window in self.windows().iter_mut() {
            window.under_way = window.under_way.saturating_sub(1);
            window.answered.push_back(now);
        }
    }

    fn windows(&self) -> MutexGuard<'_, Vec<Window>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget.answered(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVER: Asks = Asks {
        by_hand: false,
        held_at_most: Duration::MAX,
    };

    async fn spend(budget: &Arc<Budget>, times: u32, takes: Duration) -> Duration {
        let begun = Instant::now();
        for _ in 0..times {
            let permit = budget.spend(EVER, |_| false).await.unwrap();
            tokio::time::sleep(takes).await;
            drop(permit);
        }
        begun.elapsed()
    }

    #[tokio::test]
    async fn no_second_sees_more_than_its_limit() {
        let budget = Arc::new(Budget::new(
            &Limits {
                per_second: Some(4),
                ..Limits::default()
            },
            None,
        ));
        let none = Duration::ZERO;
        assert!(spend(&budget, 4, none).await < Duration::from_millis(900));
        // The fifth comes a second after the answer to the first, and three more with it.
        let took = spend(&budget, 4, none).await;
        assert!(took >= Duration::from_millis(900), "{took:?}");
        assert!(took < Duration::from_millis(1900), "{took:?}");
    }

    #[test]
    fn a_second_a_minute_and_an_hour_hold_together_wherever_they_begin() {
        // AppFolio's.
        let limits = [(8, 1), (256, 60), (4096, 3600)];
        let budget = Budget::new(
            &Limits {
                per_second: Some(8),
                per_minute: Some(256),
                per_hour: Some(4096),
                ..Limits::default()
            },
            None,
        );
        let mut now = Instant::now();
        let mut asked = Vec::new();
        for number in 0..9000_u64 {
            while let Some(wait) = budget.take(now, Duration::MAX) {
                assert!(wait > Duration::ZERO);
                now += wait;
            }
            asked.push(now);
            // Some answers take their time, and now and then nobody asks for a while.
            now += Duration::from_millis(if number % 97 == 0 { 900 } else { 3 });
            budget.answered(now);
            now += Duration::from_secs(if number % 1500 == 1499 { 700 } else { 0 });
        }
        for (most, seconds) in limits {
            let period = Duration::from_secs(seconds);
            for (first, beyond) in asked.iter().zip(&asked[most..]) {
                assert!(beyond.duration_since(*first) >= period, "{most}");
            }
        }
        // Nor is it slower than it must be: two hours' worth, and a little of the third.
        assert!(now.duration_since(asked[0]) < Duration::from_hours(3));
    }

    #[tokio::test]
    async fn a_budget_that_is_held_waits() {
        let budget = Arc::new(Budget::new(&Limits::default(), None));
        budget.hold(Duration::from_millis(40));
        budget.hold(Duration::ZERO);
        assert!(spend(&budget, 1, Duration::ZERO).await >= Duration::from_millis(40));
    }

    #[tokio::test]
    async fn r43_a_wait_that_is_too_long_is_told_at_once_also_to_who_has_no_turn() {
        let budget = Arc::new(Budget::new(
            &Limits {
                concurrent: Some(1),
                ..Limits::default()
            },
            None,
        ));
        let under_way = budget.spend(EVER, |_| false).await.unwrap();
        budget.hold(Duration::from_mins(5));
        let begun = Instant::now();
        let soon = begun + Duration::from_mins(1);
        let until = budget
            .spend(EVER, |until| until > soon)
            .await
            .unwrap_err()
            .until;
        assert!(until > soon && begun.elapsed() < Duration::from_secs(30));
        assert!(budget.next().is_some_and(|next| next > soon));
        drop(under_way);
        let until = budget
            .spend(EVER, |until| until > soon)
            .await
            .unwrap_err()
            .until;
        assert!(until > soon);
        // Somebody asks who may know better.
        drop(
            budget
                .spend(
                    Asks {
                        held_at_most: Duration::ZERO,
                        ..EVER
                    },
                    |_| true,
                )
                .await
                .unwrap(),
        );
    }

    #[tokio::test]
    async fn no_more_are_under_way_than_may_be() {
        let budget = Arc::new(Budget::new(
            &Limits {
                concurrent: Some(1),
                ..Limits::default()
            },
            None,
        ));
        let takes = Duration::from_millis(30);
        let begun = Instant::now();
        tokio::join!(spend(&budget, 2, takes), spend(&budget, 2, takes));
        assert!(begun.elapsed() >= takes * 4);
    }
}
