//! Everything loaded: files and scripts compiled together, immutable, numbered per integration and per target. A load
//! replaces one whole or leaves it as it was; it never touches a run under way.

mod account;
mod asked;
mod inherited;
mod attached;
mod budgets;
mod tested;
mod load;
mod properties;
mod targets;
mod trial;
mod watch;
mod saves;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::config::{self, Retention, Schedule, Settings, Span};
use crate::model::{Feeds, Holdings, IntegrationId, Move, Problem, Setting, TargetId};
use crate::script::Script;
use crate::source::{Judge, Source};

pub use crate::cases::ScriptJudge;
pub use account::account;
pub use budgets::Share;
pub use load::{check, load, load_as_if, load_with, outcomes, outcomes_of_targets};
pub use saves::Saves;
pub use targets::{Target, TargetSlot};
pub use trial::{Refused, trial};
pub use watch::{Fingerprint, Loaded, ReloadRequest, SLOW, Shown, fingerprint, watch};

/// Everything loaded, at one moment.
#[derive(Debug)]
pub struct Catalog {
    /// The daemon's settings.
    pub settings: Settings,
    /// Every integration that has or had a file.
    pub integrations: BTreeMap<IntegrationId, Slot>,
    /// Every target that has or had a file.
    pub targets: BTreeMap<TargetId, TargetSlot>,
    /// Problems of files that belong to no single integration or target.
    pub problems: Vec<Problem>,
    /// Whose people go along with a file, before what reads it may run (R46).
    pub moves: Vec<Move>,
    /// What the store knew of each integration when the files were loaded.
    pub holdings: Holdings,
}

impl Catalog {
    /// Whether all that lies on disk is what runs.
    pub fn is_right(&self) -> bool {
        let mut slots = self.integrations.values();
        let mut targets = self.targets.values();
        self.problems.is_empty()
            && slots.all(|slot| slot.problems.is_empty())
            && targets.all(|slot| slot.problems.is_empty())
    }
}

/// An integration: what runs, and what is wrong with what lies on disk.
#[derive(Debug, Clone, Default)]
pub struct Slot {
    /// What runs; none when its files were never right.
    pub current: Option<Arc<Integration>>,
    /// Why the files on disk are not what runs.
    pub problems: Vec<Problem>,
    /// Its file is gone: it does not run, and its people stay.
    pub removed: bool,
    /// What it reads is another integration's: it does not run, not even as before.
    pub stopped: bool,
    /// What its file says that it reads, where the file is right, whether it came into effect or not.
    pub feeds: Option<Feeds>,
}

impl Slot {
    /// What runs; none where nothing may.
    pub fn running(&self) -> Option<&Arc<Integration>> {
        let may = !self.removed && !self.stopped;
        self.current.as_ref().filter(|_| may)
    }
}

/// One generation of an integration: its files and its script, compiled.
#[derive(Debug)]
pub struct Integration {
    /// The id.
    pub id: IntegrationId,
    /// Counts up with every change of anything that it depends on.
    pub generation: u64,
    /// When this generation was loaded.
    pub loaded: Timestamp,
    /// The integration's file, with what it leaves to its credential's `defaults`.
    pub config: config::Integration,
    /// Where that comes from, and what else it could have named.
    pub settings: Vec<Setting>,
    /// When it is synced.
    pub schedule: Schedule,
    /// The connector's name.
    pub connector: String,
    /// The credential's file; its secrets are read by each run.
    pub credential: config::Credential,
    /// The connector.
    pub source: Arc<Source>,
    /// The mapping.
    pub script: Arc<Script>,
    /// Whether that is as it came with this epms or an earlier one: what only another one of those takes is a plan of its
    /// own (R27).
    pub is_as_shipped: bool,
    /// How long a run of it may take to read and map.
    pub deadline: Span,
    /// How long its runs, and changes, are kept.
    pub retention: Retention,
    /// Emails that stand for 'none'.
    pub placeholder_emails: Vec<String>,
    /// The home, for secrets that are named relative to it.
    pub home: PathBuf,
    timezone: TimeZone,
    hash: [u8; 32],
}

impl Integration {
    /// What its credential may ask: the connector's limits, lowered by its contract.
    pub fn limits(&self) -> config::Limits {
        self.source.limits().lowered(&self.credential.limits)
    }

    /// The date at the property.
    pub fn today(&self, now: Timestamp) -> Date {
        now.to_zoned(self.timezone.clone()).date()
    }

    /// Says what answers mean, where the script has a function for it.
    pub fn judge(&self, today: Date) -> Option<Arc<dyn Judge>> {
        ScriptJudge::of(&self.script, self.id.as_str(), &self.config, today)
    }

    /// What it reads, as it is found again under another name.
    pub fn feeds(&self) -> Feeds {
        account::feeds(&self.credential, &self.config)
    }

    /// What stands for the script and everything it imports, also after a restart.
    pub fn script_print(&self) -> String {
        print(self.script.hash())
    }

    /// What stands for everything that this generation depends on, also after a restart.
    pub fn fingerprint(&self) -> String {
        print(self.hash)
    }
}

fn print(hash: [u8; 32]) -> String {
    blake3::Hash::from(hash).to_hex().chars().take(16).collect()
}
