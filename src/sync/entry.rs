//! What mapping made of the records, and how the leases of one PMS person become one. Pure.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::model::{LeaseStatus, Resident};

use super::normal::Normal;

/// What mapping made of a record, or of one resident in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A resident, in the normal forms.
    Resident {
        /// The resident.
        normal: Normal,
        /// Why it is left out, if it is (R6).
        excluded: Option<String>,
    },
    /// The record could not be mapped.
    Rejected {
        /// The record's id.
        record: String,
        /// What went wrong, where, and what to do; no personal data.
        message: String,
    },
    /// The script made no resident of the record, on purpose.
    Nobody {
        /// The record's id.
        record: String,
    },
}

/// All leases of one PMS person in a run.
#[derive(Debug)]
pub(super) struct Group {
    /// The person's PMS id.
    pub(super) id: String,
    /// The entries, by position; the one that counts first.
    pub(super) leases: Vec<Lease>,
}

#[derive(Debug)]
pub(super) struct Lease {
    pub(super) normal: Normal,
    pub(super) excluded: Option<String>,
}

impl Group {
    /// The lease that counts (R21): one that is not excluded, else the first of all.
    pub(super) fn lease(&self) -> Option<&Lease> {
        self.leases.first()
    }

    pub(super) fn resident(&self) -> Option<&Resident> {
        self.lease().map(|lease| &lease.normal.resident)
    }
}

/// Groups residents by their PMS id, in the order in which the ids came first.
pub(super) fn group(leases: Vec<Lease>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for lease in leases {
        let id = &lease.normal.resident.id;
        if let Some(group) = places.get(id).and_then(|place| groups.get_mut(*place)) {
            group.leases.push(lease);
        } else {
            places.insert(id.clone(), groups.len());
            groups.push(Group {
                id: id.clone(),
                leases: vec![lease],
            });
        }
    }
    for group in &mut groups {
        group.leases.sort_by(|a, b| {
            a.excluded
                .is_some()
                .cmp(&b.excluded.is_some())
                .then_with(|| rank(&a.normal.resident, &b.normal.resident))
        });
        renew(group);
    }
    groups
}

/// Current before pending before past, then the latest start (R21).
pub(super) fn rank(a: &Resident, b: &Resident) -> Ordering {
    a.status
        .cmp(&b.status)
        .then_with(|| b.lease_start.cmp(&a.lease_start))
        .then_with(|| b.move_in.cmp(&a.move_in))
        .then_with(|| a.lease_id.cmp(&b.lease_id))
        .then_with(|| a.unit.cmp(&b.unit))
}

/// A renewal in the same unit is one stay, without a gap (R21): it ends when the renewal ends.
fn renew(group: &mut Group) {
    let Some((first, others)) = group.leases.split_first_mut() else {
        return;
    };
    let resident = &mut first.normal.resident;
    if resident.status != LeaseStatus::Current || first.excluded.is_some() {
        return;
    }
    for other in others.iter().filter(|other| other.excluded.is_none()) {
        let renewal = &other.normal.resident;
        if renewal.status == LeaseStatus::Pending
            && renewal.unit.as_ref().map(|unit| &unit.id)
                == resident.unit.as_ref().map(|unit| &unit.id)
            && resident.lease_end.is_some()
            && (renewal.lease_end.is_none() || renewal.lease_end > resident.lease_end)
        {
            resident.lease_end = renewal.lease_end;
        }
    }
}
