//! What mapping made of the records, and how the leases of one PMS person become one. Pure.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::model::{LeaseStatus, Resident, Unit};

use super::normal::Normal;

/// What mapping made of a record, or of one resident in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every entry is a resident"
)]
pub enum Entry {
    /// A resident, in the normal forms.
    Resident {
        /// The resident.
        normal: Normal,
        /// Why it is left out, if it is (R6).
        excluded: Option<String>,
        /// The PMS property whose record it is; none where the PMS is asked for all of them at once.
        property: Option<String>,
    },
    /// The record could not be mapped.
    Rejected {
        /// The record's id, or the resident's where that is known.
        record: String,
        /// The resident's PMS id, where mapping came so far.
        resident: Option<String>,
        /// What went wrong, where, and what to do; no personal data.
        message: String,
    },
    /// The script made no resident of the record, on purpose.
    Nobody {
        /// The record's id.
        record: String,
    },
}

/// All leases of one person in a run.
#[derive(Debug)]
pub(super) struct Group {
    /// The person's PMS id.
    pub(super) id: String,
    /// The leases; the one that counts first (R21).
    leases: Vec<Lease>,
}

#[derive(Debug, Clone)]
pub(super) struct Lease {
    pub(super) normal: Normal,
    pub(super) excluded: Option<String>,
    pub(super) property: Option<String>,
}

impl Lease {
    fn is_over(&self) -> bool {
        self.normal.resident.status.is_closed()
    }
}

impl Group {
    /// The leases of one person, who has at least one.
    fn new(id: String, mut leases: Vec<Lease>) -> Group {
        leases.sort_by(rank);
        Group { id, leases }
    }

    /// The lease that counts (R21).
    pub(super) fn lease(&self) -> Option<&Lease> {
        self.leases.first()
    }

    /// The leases that do not count.
    pub(super) fn others(&self) -> &[Lease] {
        self.leases.get(1..).unwrap_or_default()
    }

    /// The resident of the lease that counts.
    pub(super) fn resident(&self) -> Option<&Resident> {
        self.lease().map(|lease| &lease.normal.resident)
    }

    /// One group of the leases of several, whose ids belong to one person; named by the one that counts.
    pub(super) fn of_all(groups: &[&Group]) -> Option<Group> {
        let first = groups.first()?;
        let leases = groups.iter().flat_map(|group| &group.leases);
        Some(Group::new(first.id.clone(), leases.cloned().collect()))
    }

    /// What the lease that counts says, together with its renewals: leases of the same unit that run now or
    /// next are one stay without a gap (R21). So are those of which nobody knows whether they run.
    pub(super) fn stay(&self) -> Option<Cow<'_, Normal>> {
        let lease = self.lease()?;
        let mut normal = Cow::Borrowed(&lease.normal);
        let resident = &lease.normal.resident;
        let Some(unit) = &resident.unit else {
            return Some(normal);
        };
        let unknown = resident.status == LeaseStatus::Unknown;
        if resident.status != LeaseStatus::Current && !unknown || lease.excluded.is_some() {
            return Some(normal);
        }
        for other in self.others() {
            let other_resident = &other.normal.resident;
            let runs = matches!(
                other_resident.status,
                LeaseStatus::Current | LeaseStatus::Pending
            ) || unknown && other_resident.status == LeaseStatus::Unknown;
            let here = other_resident.unit.as_ref().map(|unit| &unit.id) == Some(&unit.id);
            if other.excluded.is_some() || !runs || !here {
                continue;
            }
            let stay = &mut normal.to_mut().resident;
            let earlier =
                |one: Option<Date>, other: Option<Date>| one.into_iter().chain(other).min();
            stay.lease_start = earlier(stay.lease_start, other_resident.lease_start);
            stay.move_in = earlier(stay.move_in, other_resident.move_in);
            // A lease without an end ends later than any that has one.
            stay.lease_end = match (stay.lease_end, other_resident.lease_end) {
                (Some(one), Some(other)) => Some(one.max(other)),
                _ => None,
            };
        }
        Some(normal)
    }

    /// Further units of current leases (R21).
    pub(super) fn more_units(&self) -> Vec<Unit> {
        let mut units: Vec<Unit> = Vec::new();
        let Some(resident) = self.resident() else {
            return units;
        };
        if resident.status != LeaseStatus::Current {
            return units;
        }
        let current = self
            .others()
            .iter()
            .filter(|lease| {
                lease.excluded.is_none() && lease.normal.resident.status == LeaseStatus::Current
            })
            .filter_map(|lease| lease.normal.resident.unit.as_ref());
        for unit in current {
            let known = resident.unit.iter().chain(&units);
            if !known.into_iter().any(|known| known.id == unit.id) {
                units.push(unit.clone());
            }
        }
        units
    }
}

/// Groups residents by their PMS id, in the order in which the ids came first.
pub(super) fn group(leases: Vec<Lease>) -> Vec<Group> {
    let mut groups: Vec<(String, Vec<Lease>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for lease in leases {
        let id = &lease.normal.resident.id;
        if let Some((_, group)) = places.get(id).and_then(|place| groups.get_mut(*place)) {
            group.push(lease);
        } else {
            places.insert(id.clone(), groups.len());
            groups.push((id.clone(), vec![lease]));
        }
    }
    groups
        .into_iter()
        .map(|(id, leases)| Group::new(id, leases))
        .collect()
}

/// Which lease counts: current before pending before past, then the latest start (R21). One that is left out
/// counts less, but more than one that is over: else that would close who is to rest (R8). A word that nobody
/// knows may mean that the lease runs.
pub(super) fn rank(a: &Lease, b: &Lease) -> Ordering {
    let class = |lease: &Lease| (lease.is_over(), lease.excluded.is_some());
    let (one, other) = (&a.normal.resident, &b.normal.resident);
    class(a)
        .cmp(&class(b))
        .then_with(|| one.status.cmp(&other.status))
        .then_with(|| other.lease_start.cmp(&one.lease_start))
        .then_with(|| other.move_in.cmp(&one.move_in))
        .then_with(|| one.lease_id.cmp(&other.lease_id))
        .then_with(|| one.unit.cmp(&other.unit))
}
