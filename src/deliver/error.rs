//! Why delivery could not go on.

use crate::model::TargetId;
use crate::store::StoreError;

/// Why delivery could not go on. What a target says is none of it: that is kept with the grant.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What waits is not what was shown.
    #[error(
        "what waits at `{target}` is not what was shown: its digest is {now} by now, and not {given}; look at it again by `epms deliveries preview {target}`"
    )]
    Changed {
        /// The target.
        target: TargetId,
        /// The digest of what waits now.
        now: String,
        /// The digest that was given.
        given: String,
    },
    /// Nothing words what people should have there.
    #[error("its connector names no script")]
    NoScript,
    /// Nothing waits.
    #[error("nothing waits for approval at `{0}`")]
    NothingWaits(TargetId),
    /// The thread that worked on it ended.
    #[error("the work ended unexpectedly: {0}")]
    Panicked(#[from] tokio::task::JoinError),
}
