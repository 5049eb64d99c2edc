//! The households of some residents, read from what was made of their records. Nothing of it stands in the store of
//! people, so only few are asked for.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::model::IntegrationId;
use crate::store::{StoreError, Write};

use super::gather::{Gathered, Handled, decode, halves};
use super::{Made, Memory, key_of};
use crate::rules::entry::Entry;

/// The households of these residents, where the feed names them.
pub(in crate::sync) fn households(
    write: &Write,
    integration: &IntegrationId,
    memory: Option<&Memory>,
    gathered: &Gathered,
    residents: &BTreeSet<String>,
) -> Result<BTreeMap<String, String>, StoreError> {
    let keys: HashSet<u64> = residents.iter().map(|one| key_of(one)).collect();
    let mut found = BTreeMap::new();
    let mut all = gathered.made.in_order();
    for handled in &gathered.records {
        let value = match *handled {
            Handled::Quiet(place) => {
                let row =
                    memory.and_then(|memory| Some((memory, memory.rows.get(place as usize)?)));
                let row = row
                    .filter(|(memory, row)| memory.keys(row).iter().any(|key| keys.contains(key)));
                match row {
                    Some((_, row)) => write.remembered(integration, row.print.0)?,
                    None => None,
                }
            }
            Handled::LookedAt(place) => {
                let one = gathered.looked_at.get(place as usize);
                let made = one.map(|one| all.get(one.made as usize)).transpose()?;
                made.map(|made| made.bytes)
            }
        };
        let Some(value) = value else { continue };
        let (made, _) = halves(&value)?;
        let made: Made = decode(made)?;
        for entry in made.entries {
            if let Entry::Resident { normal, .. } = entry
                && let Some(household) = normal.resident.household
                && residents.contains(&normal.resident.id)
            {
                found.insert(normal.resident.id, household);
            }
        }
    }
    Ok(found)
}
