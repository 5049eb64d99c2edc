//! What mapping made of the records, and how the leases of one PMS person become one. Pure.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use jiff::civil::Date;
use minicbor::{Decode, Encode};

use crate::model::{Field, LeaseStatus, Resident, Unit};

use super::normal::Normal;
use super::renewal;

/// What mapping made of a record, or of one resident in it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every entry is a resident"
)]
pub enum Entry {
    /// A resident, in the normal forms.
    #[n(0)]
    Resident {
        /// The resident.
        #[n(0)]
        normal: Normal,
        /// Why it is left out, if it is (R6).
        #[n(1)]
        excluded: Option<String>,
        /// The PMS property whose record it is; none where the PMS is asked for all of them at once.
        #[n(2)]
        property: Option<String>,
        /// The record's id, where it is another than the resident's.
        #[n(3)]
        record: Option<String>,
    },
    /// The record could not be mapped.
    #[n(1)]
    Rejected {
        /// The resident's PMS id where that is known; else the record's id, or its number in the feed.
        #[n(0)]
        record: String,
        /// Whether it is an id, and not a number in the feed.
        #[n(1)]
        has_id: bool,
        /// The resident's PMS id, where mapping came so far.
        #[n(2)]
        resident: Option<String>,
        /// Where in the script, as `file:line:column`, or which rule.
        #[n(3)]
        place: String,
        /// What went wrong there, and what to do; no personal data.
        #[n(4)]
        message: String,
    },
    /// The script made no resident of the record, on purpose.
    #[n(2)]
    Nobody {
        /// The record's id.
        #[n(0)]
        record: String,
    },
    /// A resident who was erased: nothing of them is kept but their PMS id.
    #[n(3)]
    Erased {
        /// The resident's PMS id.
        #[n(0)]
        resident: String,
        /// They are current, and not left out.
        #[n(1)]
        returned: bool,
    },
}

/// All leases of one PMS id in a run.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// The person's PMS id.
    pub(crate) id: String,
    /// The leases; the one that counts first (R21).
    leases: Vec<Lease>,
}

#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub(crate) normal: Normal,
    pub(crate) excluded: Option<String>,
    pub(crate) property: Option<String>,
    pub(crate) record: Option<String>,
    /// The status it has in the PMS, where it renews a stay that is over: then it is over too (R21).
    pub(crate) renews_what_is_over: Option<LeaseStatus>,
}

impl Lease {
    /// A lease of which only the resident is known.
    pub(crate) fn of(normal: Normal) -> Lease {
        Lease {
            normal,
            excluded: None,
            property: None,
            record: None,
            renews_what_is_over: None,
        }
    }

    /// The lease of an entry, where it is a resident.
    pub(super) fn of_entry(entry: Entry) -> Option<Lease> {
        match entry {
            Entry::Resident {
                normal,
                excluded,
                property,
                record,
            } => Some(Lease {
                excluded,
                property,
                record,
                ..Lease::of(normal)
            }),
            Entry::Rejected { .. } | Entry::Nobody { .. } | Entry::Erased { .. } => None,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.normal.resident.status.is_closed()
    }
}

impl Group {
    /// The leases of one PMS id, which has at least one; the one that counts first, as `order` says.
    pub(super) fn new(
        id: String,
        mut leases: Vec<Lease>,
        order: fn(&Lease, &Lease) -> Ordering,
    ) -> Group {
        renewal::end(&mut leases);
        leases.sort_by(order);
        Group { id, leases }
    }

    /// The leases of a linked id.
    pub(crate) fn of_linked(id: String, leases: Vec<Lease>) -> Group {
        Group::new(id, leases, rank)
    }

    /// All leases.
    pub(crate) fn leases(&self) -> &[Lease] {
        &self.leases
    }

    /// The same id with these of its leases alone.
    pub(crate) fn with(&self, leases: Vec<Lease>) -> Group {
        Group::new(self.id.clone(), leases, rank)
    }

    /// The lease that counts (R21).
    pub(crate) fn lease(&self) -> Option<&Lease> {
        self.leases.first()
    }

    /// The leases that do not count.
    pub(crate) fn others(&self) -> &[Lease] {
        self.leases.get(1..).unwrap_or_default()
    }

    /// The resident of the lease that counts.
    pub(crate) fn resident(&self) -> Option<&Resident> {
        self.lease().map(|lease| &lease.normal.resident)
    }

    /// When the lease that counts begins, whatever its stay is made of.
    pub(crate) fn own_start(&self) -> Option<Date> {
        self.resident()?.lease_start
    }

    /// One group of the leases of several, whose ids belong to one person; named by the one that counts.
    pub(crate) fn of_all(groups: &[&Group]) -> Option<Group> {
        let first = groups.first()?;
        let leases = groups.iter().flat_map(|group| &group.leases);
        let mut leases: Vec<Lease> = leases.cloned().collect();
        leases.sort_by(rank);
        Some(Group {
            id: first.id.clone(),
            leases,
        })
    }

    /// What the lease that counts says, together with its renewals: leases of the same unit that run now or
    /// next are one stay without a gap (R21). So are those of which nobody knows whether they run.
    pub(crate) fn stay(&self) -> Option<Cow<'_, Normal>> {
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
            // A lease without an end ends later than any that has one. One whose end is unreadable has one (R12).
            let is_open =
                |of: &Resident| of.lease_end.is_none() && !of.unreadable.contains(&Field::LeaseEnd);
            let open = is_open(stay) || is_open(other_resident);
            stay.lease_end = stay.lease_end.max(other_resident.lease_end);
            let dates = other_resident.unreadable.iter().copied();
            stay.unreadable
                .extend(dates.filter(|field| *field != Field::MoveOut));
            if open {
                stay.lease_end = None;
                stay.unreadable.remove(&Field::LeaseEnd);
            }
        }
        Some(normal)
    }

    /// Whether so many units are all those of one lease, such as two beds that make a room.
    pub(crate) fn is_one_lease_of(&self, units: usize) -> bool {
        let current = self.leases.iter().filter(|lease| {
            lease.excluded.is_none() && lease.normal.resident.status == LeaseStatus::Current
        });
        let leases: BTreeSet<Option<&String>> = current
            .clone()
            .map(|lease| lease.normal.resident.lease_id.as_ref())
            .collect();
        leases.len() == 1 && !leases.contains(&None) && current.count() >= units
    }

    /// Further units of current leases (R21).
    pub(crate) fn more_units(&self) -> Vec<Unit> {
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

/// Whether a lease is looked at where others have its email (R16).
pub(crate) fn may_share(resident: &Resident, excluded: Option<&str>) -> bool {
    excluded.is_none() && resident.status.may_come_in()
}

/// Which lease of a linked person counts: current before pending before past, then the latest start (R21), among all of
/// them, also those that are left out (R8). A word that nobody knows may mean that the lease runs. Of what is over a renewal
/// that never came to be counts less than the stay that it renews.
pub(crate) fn rank(a: &Lease, b: &Lease) -> Ordering {
    let class = |lease: &Lease| (lease.is_over(), lease.renews_what_is_over.is_some());
    class(a)
        .cmp(&class(b))
        .then_with(|| a.normal.resident.status.cmp(&b.normal.resident.status))
        .then_with(|| a.excluded.is_some().cmp(&b.excluded.is_some()))
        .then_with(|| later(a, b))
}

/// Which lease of somebody who is not linked counts: what is left out creates nothing (R6).
pub(super) fn rank_of_newcomers(a: &Lease, b: &Lease) -> Ordering {
    let class = |lease: &Lease| {
        let renews = lease.renews_what_is_over.is_some();
        (lease.is_over(), lease.excluded.is_some(), renews)
    };
    class(a)
        .cmp(&class(b))
        .then_with(|| a.normal.resident.status.cmp(&b.normal.resident.status))
        .then_with(|| later(a, b))
}

/// The latest start first.
fn later(a: &Lease, b: &Lease) -> Ordering {
    let (one, other) = (&a.normal.resident, &b.normal.resident);
    other
        .lease_start
        .cmp(&one.lease_start)
        .then_with(|| other.move_in.cmp(&one.move_in))
        .then_with(|| one.lease_id.cmp(&other.lease_id))
        .then_with(|| one.unit.cmp(&other.unit))
}
