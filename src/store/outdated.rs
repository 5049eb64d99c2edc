//! Which integrations were not read since the store was restored: what is known of their people is as old as the backup.
//! Decides nothing about it.

use std::collections::BTreeSet;

use crate::model::IntegrationId;

use super::write::Done;
use super::{View, Write};

const OUTDATED: &str = "outdated";

impl View {
    /// The integrations without a success since the restore.
    pub fn outdated(&self) -> Done<BTreeSet<IntegrationId>> {
        Ok(self.meta(OUTDATED)?.unwrap_or_default())
    }
}

impl Write {
    /// In a copy that takes the place of the store: nobody was read since.
    pub(super) fn put_outdated(&self, all: &BTreeSet<IntegrationId>) -> Done<()> {
        self.put_meta(OUTDATED, all)
    }

    /// A run of an integration succeeded, or somebody gave it up.
    pub fn put_up_to_date(&self, integration: &IntegrationId) -> Done<()> {
        let mut all: BTreeSet<IntegrationId> = self.meta(OUTDATED)?.unwrap_or_default();
        if all.remove(integration) {
            self.put_outdated(&all)?;
        }
        Ok(())
    }

    /// The people of an integration are another's now.
    pub fn give_outdated(&self, from: &IntegrationId, to: &IntegrationId) -> Done<()> {
        let mut all: BTreeSet<IntegrationId> = self.meta(OUTDATED)?.unwrap_or_default();
        if all.remove(from) {
            all.insert(to.clone());
            self.put_outdated(&all)?;
        }
        Ok(())
    }
}
