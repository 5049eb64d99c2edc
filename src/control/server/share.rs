//! Shares of the daemon: requests that last are bounded, in all and for each user, so that there is always room for
//! those that do not; what is heavy is done a few at a time, one after another; and scripts that somebody sends to be
//! tried hold up nobody's requests but their own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, HttpBody};
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

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
    /// It carries out what somebody sent; without a body it is heavy.
    Trial,
}

/// Requests that last, at once: of the connections there may be, a quarter is left for others.
const LASTING: usize = 192;
/// Of these, for one user.
const OF_ONE_USER: usize = 128;
/// So many are done at once of what is heavy, of files, and of trials.
const AT_ONCE: usize = 4;
/// Of trials, for one user: how long one takes is for its scripts to say.
const TRIALS_AT_ONCE: usize = 2;
/// So many trials has one user under way or waiting.
const TRIALS: usize = 6;

/// What is taken now.
#[derive(Clone)]
pub(super) struct Shares {
    lasting: Arc<Mutex<BTreeMap<Share, usize>>>,
    heavy: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
    trials: Arc<Semaphore>,
    trials_of: Arc<Mutex<BTreeMap<Share, Own>>>,
}

/// The trials of one user.
struct Own {
    /// Those under way, and those that wait.
    count: usize,
    turns: Arc<Semaphore>,
}

impl Default for Shares {
    fn default() -> Self {
        Shares {
            lasting: Arc::default(),
            heavy: Arc::new(Semaphore::new(AT_ONCE)),
            uploads: Arc::new(Semaphore::new(AT_ONCE)),
            trials: Arc::new(Semaphore::new(AT_ONCE)),
            trials_of: Arc::default(),
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

/// A trial that is under way or waits, while it lives.
struct Trial {
    of: Shares,
    share: Share,
}

impl Shares {
    /// Counts one more of a user's trials, and gives what it has to wait for.
    fn begin_trial(&self, share: Share) -> Result<(Trial, Arc<Semaphore>), ProblemDocument> {
        let trials = self.trials_of.lock();
        let mut trials = trials.unwrap_or_else(PoisonError::into_inner);
        let own = trials.entry(share.clone()).or_insert_with(|| Own {
            count: 0,
            turns: Arc::new(Semaphore::new(TRIALS_AT_ONCE)),
        });
        if own.count >= TRIALS {
            return Err(ProblemDocument::busy(format!(
                "{TRIALS} of your previews and diffs of files that are not live have not ended, and {TRIALS_AT_ONCE} are done at once; ask again when some of them have, or end them"
            )));
        }
        own.count += 1;
        let turns = Arc::clone(&own.turns);
        let trial = Trial {
            of: self.clone(),
            share,
        };
        Ok((trial, turns))
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        let trials = self.of.trials_of.lock();
        let mut trials = trials.unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = trials.get_mut(&self.share) {
            own.count -= 1;
            if own.count == 0 {
                trials.remove(&self.share);
            }
        }
    }
}

/// What a request holds of the shares until its answer was given away.
type Turn = (Vec<OwnedSemaphorePermit>, Option<Trial>);

impl Shares {
    /// Waits for a turn of a trial: first for one among the user's own, so that whoever waits for themselves takes nothing
    /// from the others.
    async fn turn_to_try(&self, share: Share) -> Result<Turn, ProblemDocument> {
        let (trial, own) = self.begin_trial(share)?;
        let (mut turns, _) = turn_of(&own).await;
        turns.extend(turn_of(&self.trials).await.0);
        Ok((turns, Some(trial)))
    }
}

/// Waits for a turn; nobody closes the semaphores.
async fn turn_of(turns: &Arc<Semaphore>) -> Turn {
    let turn = Arc::clone(turns).acquire_owned().await.ok();
    (turn.into_iter().collect(), None)
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
    if weight == Weight::Light {
        return next.run(request).await;
    }
    let is_told = !request.body().is_end_stream();
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
    let turn = match weight {
        Weight::Light | Weight::Lasting => Turn::default(),
        Weight::Trial if is_told => match shares.turn_to_try(peer.share()).await {
            Ok(turn) => turn,
            Err(problem) => {
                tracing::warn!(uid = peer.uid, pid = peer.pid, "too many trials of files");
                return problem.into_response();
            }
        },
        Weight::Heavy | Weight::Trial => turn_of(&shares.heavy).await,
        Weight::Upload => turn_of(&shares.uploads).await,
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

    #[tokio::test]
    async fn trials_of_one_user_wait_for_each_other_and_hold_up_neither_others_nor_what_is_heavy() {
        let shares = Shares::default();
        let now = |turn| futures_util::FutureExt::now_or_never(turn);
        let first = now(shares.turn_to_try(Share::User(Some(1)))).unwrap();
        let second = now(shares.turn_to_try(Share::User(Some(1)))).unwrap();
        let mut waiting: Vec<_> = (TRIALS_AT_ONCE..TRIALS)
            .map(|_| Box::pin(shares.turn_to_try(Share::User(Some(1)))))
            .collect();
        for one in &mut waiting {
            assert!(futures_util::poll!(one.as_mut()).is_pending());
        }
        let refused = now(shares.turn_to_try(Share::User(Some(1))))
            .unwrap()
            .err()
            .unwrap();
        assert_eq!((refused.status, &*refused.kind), (503, "urn:epms:busy"));
        assert!(refused.detail.contains("ask again when"), "{refused}");
        assert!(now(shares.turn_to_try(Share::User(Some(2)))).is_some());
        for _ in 0..AT_ONCE {
            assert!(futures_util::poll!(std::pin::pin!(turn_of(&shares.heavy))).is_ready());
        }
        drop(first);
        assert!(futures_util::poll!(waiting[0].as_mut()).is_ready());
        assert!(
            now(shares.turn_to_try(Share::User(Some(1)))).is_none(),
            "there is room to wait again"
        );
        drop((waiting, second));
        assert!(shares.trials_of.lock().unwrap().is_empty());
    }
}
