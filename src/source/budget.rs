//! The budget of a credential: so many requests in a time, so many at once. Shared by its integrations.
//!
//! A limit holds in every stretch of time, wherever it begins: a PMS that counts otherwise would refuse the
//! second half of a burst. A request counts until a period after its answer, as nobody here knows when the
//! PMS saw it in between.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::config::Limits;

/// How long to wait for an answer that is under way, and then to look again.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// What may still be asked of a PMS with one credential.
#[derive(Debug)]
pub(super) struct Budget {
    limits: Limits,
    /// The PMS wants no request before.
    held: Mutex<Option<Instant>>,
    windows: Mutex<Vec<Window>>,
    slots: Arc<Semaphore>,
    /// Whoever waits first asks first.
    turn: tokio::sync::Mutex<()>,
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
    pub(super) fn new(limits: &Limits) -> Budget {
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
        Budget {
            limits: limits.clone(),
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
        let until = Instant::now() + wait;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        *held = (*held).max(Some(until));
    }

    fn held(&self, now: Instant) -> Option<Duration> {
        let held = *self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.filter(|until| *until > now)
            .map(|until| until.duration_since(now))
    }

    /// Waits until one more request may be made; it counts as under way while the permit lives.
    pub(super) async fn spend(self: &Arc<Self>) -> Permit {
        let slot = Arc::clone(&self.slots).acquire_owned().await.ok();
        let _turn = self.turn.lock().await;
        while let Some(wait) = self.take(Instant::now()) {
            tokio::time::sleep(wait).await;
        }
        Permit {
            budget: Arc::clone(self),
            _slot: slot,
        }
    }

    /// Takes one request of every limit, or says how long to wait.
    fn take(&self, now: Instant) -> Option<Duration> {
        let mut windows = self.windows();
        let wait = windows
            .iter_mut()
            .filter_map(|window| window.wait(now))
            .max()
            .max(self.held(now));
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

    async fn spend(budget: &Arc<Budget>, times: u32, takes: Duration) -> Duration {
        let begun = Instant::now();
        for _ in 0..times {
            let permit = budget.spend().await;
            tokio::time::sleep(takes).await;
            drop(permit);
        }
        begun.elapsed()
    }

    #[tokio::test]
    async fn no_second_sees_more_than_its_limit() {
        let budget = Arc::new(Budget::new(&Limits {
            per_second: Some(4),
            ..Limits::default()
        }));
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
        let budget = Budget::new(&Limits {
            per_second: Some(8),
            per_minute: Some(256),
            per_hour: Some(4096),
            ..Limits::default()
        });
        let mut now = Instant::now();
        let mut asked = Vec::new();
        for number in 0..9000_u64 {
            while let Some(wait) = budget.take(now) {
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
        let budget = Arc::new(Budget::new(&Limits::default()));
        budget.hold(Duration::from_millis(40));
        budget.hold(Duration::ZERO);
        assert!(spend(&budget, 1, Duration::ZERO).await >= Duration::from_millis(40));
    }

    #[tokio::test]
    async fn no_more_are_under_way_than_may_be() {
        let budget = Arc::new(Budget::new(&Limits {
            concurrent: Some(1),
            ..Limits::default()
        }));
        let takes = Duration::from_millis(30);
        let begun = Instant::now();
        tokio::join!(spend(&budget, 2, takes), spend(&budget, 2, takes));
        assert!(begun.elapsed() >= takes * 4);
    }
}
