//! A setting of an integration, and the file that it comes from. Decides nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A setting that an integration's file may leave to its credential's `defaults`, to `config/epms.yaml`, or to the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    /// Its key, as an integration's file has it: `guard.limit`.
    pub key: String,
    /// What applies.
    pub value: String,
    /// The file that says so, relative to the home; none where no file does, and the program's default applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}
