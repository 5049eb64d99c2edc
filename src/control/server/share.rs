//! Shares of the daemon: requests that last are bounded, in all and for each user, so that there is always room for
//! those that do not; and what is heavy is done a few at a time, one after another.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use crate::control::protocol::ProblemDocument;

use super::Peer;
use super::connections::Kept;
use super::peer::Share;

/// What a request takes of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// It is answered at once.
    Light,
    /// It waits for something, such as the end of a run.
    Lasting,
    /// It reads much, of the store or of a PMS.
    Heavy,
    /// It brings a file.
    Upload,
}

/// Requests that last, at once: of the connections there may be, a quarter is left for others.
const LASTING: usize = 192;
/// Of these, for one user.
const OF_ONE_USER: usize = 128;
/// So many are done at once of what is heavy, and of files.
const AT_ONCE: usize = 4;

/// What is taken now.
#[derive(Clone)]
pub(super) struct Shares {
    lasting: Arc<Mutex<BTreeMap<Share, usize>>>,
    heavy: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
}

impl Default for Shares {
    fn default() -> Self {
        Shares {
            lasting: Arc::default(),
            heavy: Arc::new(Semaphore::new(AT_ONCE)),
            uploads: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

/// A request that lasts, while it lives.
struct Lasting {
    of: Shares,
    share: Share,
}

impl Shares {
    fn take(&self, share: Share) -> Result<Lasting, ProblemDocument> {
        let mut lasting = self.lasting.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = lasting.values().sum();
        let own = lasting.entry(share.clone()).or_default();
        if *own >= OF_ONE_USER || all >= LASTING {
            let who = if *own >= OF_ONE_USER {
                "you"
            } else {
                "callers"
            };
            return Err(ProblemDocument::busy(format!(
                "{who} wait for too much at once; end some of it, or ask again when it has ended"
            )));
        }
        *own += 1;
        Ok(Lasting {
            of: self.clone(),
            share,
        })
    }
}

impl Drop for Lasting {
    fn drop(&mut self) {
        let lasting = self.of.lasting.lock();
        let mut lasting = lasting.unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = lasting.get_mut(&self.share) {
            *own -= 1;
            if *own == 0 {
                lasting.remove(&self.share);
            }
        }
    }
}

/// Lets a request through when there is a share for it, which it has until its answer was given away.
pub(super) async fn shared(
    State((shares, weight)): State<(Shares, Weight)>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let turns = match weight {
        Weight::Light => return next.run(request).await,
        Weight::Lasting => None,
        Weight::Heavy => Some(&shares.heavy),
        Weight::Upload => Some(&shares.uploads),
    };
    let lasting = match shares.take(peer.share()) {
        Ok(lasting) => lasting,
        Err(problem) => {
            tracing::warn!(
                uid = peer.uid,
                pid = peer.pid,
                account = peer.account(),
                "too many requests that last"
            );
            return problem.into_response();
        }
    };
    let turn = match turns {
        None => None,
        // Nobody closes it.
        Some(turns) => Arc::clone(turns).acquire_owned().await.ok(),
    };
    let answer = next.run(request).await;
    answer.map(|body| Body::new(Kept::new(body, (lasting, turn))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_user_cannot_take_what_lasts_from_the_others() {
        let shares = Shares::default();
        let of = |uid, count: usize| -> Vec<_> {
            (0..count).map(|_| shares.take(Share::User(uid))).collect()
        };
        let mut ones = of(Some(1), OF_ONE_USER);
        assert!(ones.iter().all(Result::is_ok));
        let refused = shares.take(Share::User(Some(1))).err().unwrap();
        assert_eq!((refused.status, &*refused.kind), (503, "urn:epms:busy"));
        let twos = of(Some(2), LASTING - OF_ONE_USER);
        assert!(twos.iter().all(Result::is_ok));
        assert!(
            shares.take(Share::User(Some(3))).is_err(),
            "the rest is for what does not last"
        );
        ones.pop();
        assert!(shares.take(Share::User(Some(3))).is_ok());
        drop((ones, twos));
        assert!(shares.lasting.lock().unwrap().is_empty());
    }
}
