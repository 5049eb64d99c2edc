//! What an integration reads, for whoever looks at it: what its file says, and the units that are mapped by hand beside it.

use std::sync::Arc;

use crate::control::protocol::{Reads, UnitMapped};
use crate::control::server::Answer;
use crate::model::IntegrationId;

use super::Daemon;

impl Daemon {
    pub(super) async fn read_by(&self, integration: &IntegrationId) -> Answer<Option<Reads>> {
        let catalog = Arc::clone(&self.catalog.borrow());
        let slot = catalog.integrations.get(integration);
        let Some(current) = slot.and_then(|slot| slot.current.clone()) else {
            return Ok(None);
        };
        let id = integration.clone();
        let by_hand = self.ask(move |view| view.units(&id)).await?;
        let config = &current.config;
        let mapped = |here: &String, by_hand| UnitMapped {
            here: here.clone(),
            by_hand,
        };
        let hand = by_hand
            .iter()
            .map(|(unit, here)| (unit.clone(), mapped(here, true)));
        let file = config.units.map.iter();
        let file = file.map(|(unit, here)| (unit.clone(), mapped(here, false)));
        Ok(Some(Reads {
            credential: config.credential.clone(),
            properties: config.pms_properties.clone(),
            exclude_statuses: config.exclude_statuses.clone(),
            units_synced: config.units.sync,
            units_here: config.units.here.clone(),
            // What the file says counts more.
            units_mapped: hand.chain(file).collect(),
        }))
    }
}
