//! Why an act was not done, by what the caller can do about it. Nothing of a failed act is in the store.

use crate::store::StoreError;

/// An act was not done.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// There is nothing of that id.
    #[error("{0}")]
    NotFound(String),
    /// The request cannot be understood, or asks for what never is possible.
    #[error("{0}")]
    Invalid(String),
    /// It is possible, but not as the store stands now.
    #[error("{0}")]
    Refused(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
