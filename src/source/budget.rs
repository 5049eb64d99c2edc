//! The budget of a credential: so many requests in a time, so many at once. Shared by its integrations.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Limits;

/// What may still be asked of a PMS with one credential.
#[derive(Debug)]
pub(super) struct Budget {
    limits: Limits,
    quotas: Vec<DefaultDirectRateLimiter>,
    slots: Arc<Semaphore>,
}

impl Budget {
    pub(super) fn new(limits: Limits) -> Budget {
        let quota = |count: Option<u32>, period: u64| {
            let count = NonZeroU32::new(count?)?;
            // The whole budget may be spent at once; it then fills up evenly.
            let quota =
                Quota::with_period(Duration::from_secs(period) / count.get())?.allow_burst(count);
            Some(RateLimiter::direct(quota))
        };
        let quotas = [
            quota(limits.per_second, 1),
            quota(limits.per_minute, 60),
            quota(limits.per_hour, 3600),
        ];
        Budget {
            limits,
            quotas: quotas.into_iter().flatten().collect(),
            slots: Arc::new(Semaphore::new(
                limits.concurrent.unwrap_or(8).clamp(1, 1024),
            )),
        }
    }

    pub(super) fn is_for(&self, limits: Limits) -> bool {
        self.limits == limits
    }

    /// Waits until one more request may be made; it counts as under way while the permit lives.
    pub(super) async fn spend(&self) -> Option<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.slots).acquire_owned().await.ok();
        for quota in &self.quotas {
            quota.until_ready().await;
        }
        permit
    }
}
