//! Files that are tried before they are live: their contents, and what is said of them beside what came of it. Reads no
//! file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The files of one integration as another checkout has them. They are contents: nothing here is looked up on a disk.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TriedFiles {
    /// What stands in the integration's file.
    pub integration: String,
    /// What stands in the file of its connector; without it that of the daemon counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<String>,
    /// What stands under `defaults` in the file of its credential, as JSON, and nothing else of that file; without it what
    /// the daemon has counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defaults: Option<String>,
    /// What stands in the scripts, by the names under which they import each other, such as `yardi` and `lib/names`.
    #[serde(default)]
    pub scripts: BTreeMap<String, String>,
}

impl TriedFiles {
    /// So many bytes has what is sent at most, as JSON.
    pub const MOST: usize = 10 * 1024 * 1024;
}

/// What is said of a trial beside what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Tried {
    /// The files say what the running ones say.
    #[serde(default)]
    pub same: bool,
    /// The files switch the integration on or off, and those that run do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<Switch>,
    /// What of the files was not tried, and why; a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untried: Vec<String>,
}

/// What files do with the switch of an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// It would run, and does not.
    On,
    /// It would not run any more.
    Off,
}

impl Switch {
    /// What files do that say `to` where those that run say `from`.
    pub fn between(from: bool, to: bool) -> Option<Switch> {
        match (from, to) {
            (false, true) => Some(Switch::On),
            (true, false) => Some(Switch::Off),
            _ => None,
        }
    }

    /// As people read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Switch::On => "would be switched on",
            Switch::Off => "would be switched off",
        }
    }
}
