//! Which store it is. Not what is in it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which store it is, and since which restore (R47).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct StoreIdentity {
    /// What no other store has: 32 hexadecimal digits.
    pub id: String,
    /// Counts up with every restore: numbers of an earlier epoch may stand for what never happened in this one.
    pub epoch: u64,
}

impl StoreIdentity {
    /// The same store, where something else took its place: a restore, or a new beginning.
    #[must_use]
    pub fn renewed(&self) -> StoreIdentity {
        StoreIdentity {
            id: self.id.clone(),
            epoch: self.epoch.saturating_add(1),
        }
    }
}
