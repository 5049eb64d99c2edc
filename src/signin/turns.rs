//! Turns to compare a password: a few at once, and one for each address, so that whoever asks often waits for themselves.
//! Compares nothing.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::slowing::network;

/// So many passwords are compared at once: each takes 19 MiB, and a core for some 20 ms.
const AT_ONCE: usize = 2;
/// So many from one address are under way or wait; of more it is asked to come again.
const OF_AN_ADDRESS: usize = 8;

/// Who compares, and who waits.
#[derive(Clone)]
pub struct Turns {
    at_once: Arc<Semaphore>,
    own: Arc<Mutex<BTreeMap<IpAddr, Own>>>,
}

/// Those of one address.
struct Own {
    /// Under way, and waiting.
    count: usize,
    turn: Arc<Semaphore>,
}

/// A turn, until it is dropped.
pub struct Turn {
    _waits: Waits,
    _turns: Vec<OwnedSemaphorePermit>,
}

/// Somebody who waits or compares, while they do.
struct Waits {
    of: Turns,
    from: IpAddr,
}

impl Default for Turns {
    fn default() -> Turns {
        Turns {
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
            own: Arc::default(),
        }
    }
}

impl Turns {
    /// Waits for a turn: first among those of the same address. None where too many wait there already.
    pub async fn take(&self, address: IpAddr) -> Option<Turn> {
        let (waits, own) = self.wait(network(address))?;
        let mut turns = Vec::new();
        // Nobody closes them.
        turns.extend(own.acquire_owned().await.ok());
        turns.extend(Arc::clone(&self.at_once).acquire_owned().await.ok());
        Some(Turn {
            _waits: waits,
            _turns: turns,
        })
    }

    fn wait(&self, from: IpAddr) -> Option<(Waits, Arc<Semaphore>)> {
        let mut all = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.entry(from).or_insert_with(|| Own {
            count: 0,
            turn: Arc::new(Semaphore::new(1)),
        });
        if own.count >= OF_AN_ADDRESS {
            return None;
        }
        own.count += 1;
        let waits = Waits {
            of: self.clone(),
            from,
        };
        Some((waits, Arc::clone(&own.turn)))
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        let mut all = self.of.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = all.get_mut(&self.from) {
            own.count -= 1;
            if own.count == 0 {
                all.remove(&self.from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn one_address_holds_one_turn_however_often_it_asks_and_others_come_at_once() {
        let turns = Turns::default();
        let (here, there) = (address("192.0.2.1"), address("192.0.2.2"));
        let first = turns.take(here).now_or_never().unwrap().unwrap();
        let mut waiting: Vec<_> = (1..OF_AN_ADDRESS)
            .map(|_| Box::pin(turns.take(here)))
            .collect();
        for one in &mut waiting {
            assert!(one.now_or_never().is_none(), "it waits for its own");
        }
        assert!(turns.take(here).now_or_never().unwrap().is_none());
        let other = turns.take(there).now_or_never().unwrap();
        assert!(other.is_some(), "somebody else has a turn at once");
        drop((first, other));
        assert!(waiting[0].as_mut().now_or_never().unwrap().is_some());
        drop(waiting);
        assert!(turns.own.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_network_of_ipv6_is_one_address() {
        let turns = Turns::default();
        let first = turns.take(address("2001:db8:1:2::1")).await;
        let same = turns.take(address("2001:db8:1:2::ffff")).now_or_never();
        assert!(same.is_none());
        drop(first);
    }
}
