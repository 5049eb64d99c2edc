//! How much a caller of the control socket may do.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much a caller of the control socket may do; each tier may also do what those before it may.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Read everything.
    Observe,
    /// Ask for syncs, previews, reloads and copies of the store, resolve alerts, and change people by hand.
    Operate,
    /// Let a held plan through, and with it what the guard held back.
    Approve,
    /// Set integrations up and change what their files say, on the page. Nobody has it who is not named for it.
    Configure,
}

impl Tier {
    /// All of them, the least first.
    pub const ALL: [Tier; 4] = [Tier::Observe, Tier::Operate, Tier::Approve, Tier::Configure];

    /// The word, as files have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Tier::Observe => "observe",
            Tier::Operate => "operate",
            Tier::Approve => "approve",
            Tier::Configure => "configure",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
