//! `backup` of `config/epms.yaml`: copies of the store that the daemon makes by itself. Makes none.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Span;

/// Each is verified before it gets its name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupSettings {
    /// The time from one to the next: `1h` to `30d`.
    #[serde(default = "a_day")]
    pub every: Span,
    /// The folder, best on another disk than the store's; beneath the home where it does not begin with `/`. It is made
    /// where it is not there.
    pub to: PathBuf,
    /// How many are kept: 1 to 1000. Older ones are removed once a new one is good, and nothing that the daemon did not
    /// make.
    #[serde(default = "fortnight")]
    pub keep: usize,
}

impl BackupSettings {
    /// What is wrong with it, by field.
    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if self.every < Span::seconds(3600) || self.every > Span::seconds(30 * 86_400) {
            let told = format!("{} is out of range; write `1h` to `30d`", self.every);
            found.push(("every", told));
        }
        if self.to.as_os_str().is_empty() {
            let told = "is empty; name a folder, such as /var/backups/epms";
            found.push(("to", told.to_owned()));
        }
        if self.keep == 0 || self.keep > 1000 {
            found.push(("keep", "is out of range; write 1 to 1000".to_owned()));
        }
        found
    }
}

fn a_day() -> Span {
    Span::seconds(86_400)
}

fn fortnight() -> usize {
    14
}
