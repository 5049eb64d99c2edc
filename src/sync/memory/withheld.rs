//! Who was erased is taken out of what was read before anything is decided, written or remembered of them.

use crate::model::LeaseStatus;
use crate::rules::entry::Entry;
use crate::store::{Known, StoreError, Tombstones};

use super::taken::{Taken, made_at};
use super::{Made, Takings};

/// Leaves of every resident who was erased the PMS id alone. Whoever is linked was tied by somebody since, and stays.
pub(in crate::sync) fn withhold(
    taken: &mut Takings,
    tombstones: &Tombstones,
    is_linked: impl Fn(&str) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    if tombstones.is_empty() {
        return Ok(());
    }
    let mut left = Takings {
        order: Vec::with_capacity(taken.order.len()),
        made: taken.made.beside(),
    };
    let mut made = taken.made.in_order();
    for one in &taken.order {
        match *one {
            Taken::Known(place) => left.know(place),
            Taken::Made(place) => {
                let mut made = made_at(&mut made, place)?;
                if is_withheld(&mut made, tombstones, &is_linked)? {
                    made.encode();
                }
                left.make(made);
            }
        }
    }
    *taken = left;
    Ok(())
}

/// Whether something of a record was taken out.
fn is_withheld(
    made: &mut Made,
    tombstones: &Tombstones,
    is_linked: impl Fn(&str) -> Result<bool, StoreError>,
) -> Result<bool, StoreError> {
    let mut is_other = false;
    for entry in &mut made.entries {
        let Entry::Resident {
            normal, excluded, ..
        } = entry
        else {
            continue;
        };
        let resident = &normal.resident;
        let known = Known {
            id: &resident.id,
            email: resident.email.as_deref(),
            first_name: &resident.first_name,
            last_name: &resident.last_name,
        };
        if tombstones.covers(known) && !is_linked(&resident.id)? {
            let returned = resident.status == LeaseStatus::Current && excluded.is_none();
            *entry = Entry::Erased {
                resident: resident.id.clone(),
                returned,
            };
            is_other = true;
        }
    }
    if is_other {
        let is_nobodys = |entry: &Entry| !matches!(entry, Entry::Resident { .. });
        if made.entries.iter().all(is_nobodys) {
            made.unmapped.clear();
        }
    }
    Ok(is_other)
}
