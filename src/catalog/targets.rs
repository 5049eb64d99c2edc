//! A target as it was loaded: its files and its script, compiled, and the integrations whose people it gets. Sends nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::{self, Credential};
use crate::model::{IntegrationId, Problem, TargetId};
use crate::script::Script;
use crate::source::Source;

use super::{Slot, print};

/// A target: what runs, and what is wrong with what lies on disk.
#[derive(Debug, Clone, Default)]
pub struct TargetSlot {
    /// What runs; none when its files were never right.
    pub current: Option<Arc<Target>>,
    /// Why the files on disk are not what runs.
    pub problems: Vec<Problem>,
    /// Its file is gone: nothing is sent, and what was granted stays.
    pub removed: bool,
}

impl TargetSlot {
    /// What runs; none where nothing may.
    pub fn running(&self) -> Option<&Arc<Target>> {
        self.current.as_ref().filter(|_| !self.removed)
    }
}

/// One generation of a target: its files and its script, compiled.
#[derive(Debug)]
pub struct Target {
    /// The id.
    pub id: TargetId,
    /// Counts up with every change of anything that it depends on.
    pub generation: u64,
    /// When this generation was loaded.
    pub loaded: Timestamp,
    /// The target's file.
    pub config: config::Target,
    /// The connector's name.
    pub connector: String,
    /// The credential's file; its secrets are read whenever they are needed.
    pub credential: Credential,
    /// The connector.
    pub source: Arc<Source>,
    /// What says which grants people should have, and reads those that are there; none where it is only told what happens.
    pub script: Option<Arc<Script>>,
    /// The home, for secrets that are named relative to it.
    pub home: PathBuf,
    /// The integrations whose people it gets, each with the time zone of its property.
    pub serves: BTreeMap<IntegrationId, TimeZone>,
    /// What the properties of those are called.
    pub names: BTreeMap<IntegrationId, String>,
    /// The integrations whose people it gets, too, and whose files were not right since the start: nobody knows by which
    /// clock their days go. What their people have there is not to be taken away for that.
    pub unread: BTreeSet<IntegrationId>,
    pub(super) files: u128,
    pub(super) hash: [u8; 32],
}

impl Target {
    /// What its credential may ask: the connector's limits, lowered by its contract.
    pub fn limits(&self) -> config::Limits {
        self.source.limits().lowered(&self.credential.limits)
    }

    /// What stands for the files that say what is wanted there: the target's, its connector's, and its script with what that
    /// imports. Another credential, or more integrations, want nothing else.
    pub fn files(&self) -> u128 {
        self.files
    }

    /// What stands for everything that this generation depends on, also after a restart.
    pub fn fingerprint(&self) -> String {
        print(self.hash)
    }
}

/// The integrations whose people a target gets.
#[derive(Debug, Default)]
pub(super) struct Served {
    pub(super) zones: BTreeMap<IntegrationId, TimeZone>,
    pub(super) names: BTreeMap<IntegrationId, String>,
    pub(super) unread: BTreeSet<IntegrationId>,
    /// Stands for all of it.
    pub(super) told: String,
}

impl Served {
    /// Those that a target's file names, or all. An integration that does not run, for whatever reason, is served by what
    /// was known of it last: its people stay.
    pub(super) fn of(from: &[String], integrations: &BTreeMap<IntegrationId, Slot>) -> Served {
        let is_meant =
            |id: &IntegrationId| from.is_empty() || from.iter().any(|one| one == id.as_str());
        let mut served = Served::default();
        for (id, slot) in integrations.iter().filter(|(id, _)| is_meant(id)) {
            if let Some(integration) = &slot.current {
                let property = &integration.config.property;
                served.told += &format!("{id:?}{:?}{:?}", property.timezone, property.name);
                served
                    .zones
                    .insert(id.clone(), integration.timezone.clone());
                served.names.insert(id.clone(), property.name.clone());
            } else {
                served.told += &format!("{id:?}");
                served.unread.insert(id.clone());
            }
        }
        served
    }
}
