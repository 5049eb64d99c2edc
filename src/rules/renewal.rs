//! Renewals of a stay that is over (R21): somebody who left before a lease begins that renews theirs does not come back
//! by it. A PMS goes on showing such a lease as one to come. Looks at the leases of one PMS id
//! alone, and knows nothing of what is stored. Pure.

use jiff::civil::Date;

use crate::model::{LeaseStatus, Resident};

use super::entry::Lease;
use super::identity::are_two;

/// Ends the leases of somebody who has left, where each that seems to run renews the stay that they left. Whoever lives
/// somewhere, or may, has not left.
pub(super) fn end(leases: &mut [Lease]) {
    for lease in leases.iter_mut() {
        if let Some(status) = lease.renews_what_is_over.take() {
            lease.normal.resident.status = status;
        }
    }
    if leases.len() < 2 {
        return;
    }
    let mut open = leases.iter().filter(|lease| !lease.is_over());
    if !open.all(|lease| renews_what_is_over(&lease.normal.resident, leases)) {
        return;
    }
    for lease in leases.iter_mut().filter(|lease| !lease.is_over()) {
        let status = &mut lease.normal.resident.status;
        lease.renews_what_is_over = Some(std::mem::replace(status, LeaseStatus::Past));
    }
}

/// Whether somebody left the stay that a lease to come renews before it begins, and nothing tells of them since. Whom the
/// PMS itself calls current has not left, whatever an older term says (R39): terms have days of moving out, too.
fn renews_what_is_over(renewal: &Resident, leases: &[Lease]) -> bool {
    let (Some(begins), Some(left)) = (renewal.lease_start, day_of_leaving(renewal, leases)) else {
        return false;
    };
    let until_then = |day: Option<Date>| day.is_none_or(|day| day <= left);
    renewal.status == LeaseStatus::Pending
        && begins > left
        && until_then(renewal.move_out)
        && over(leases).all(|one| until_then(one.move_out.or(one.lease_start)))
}

/// When the person left the stay of a lease, as far as leases say so that are over: those of the same unit since the same
/// day. Whoever comes back has a new day of moving in.
fn day_of_leaving(renewal: &Resident, leases: &[Lease]) -> Option<Date> {
    let stay = |one: &Resident| Some((one.unit.as_ref()?.id.clone(), one.move_in?));
    let theirs = stay(renewal)?;
    let same = over(leases).filter(|one| stay(one).as_ref() == Some(&theirs));
    let same = same.filter(|one| !are_two(one, renewal));
    same.filter_map(|one| one.move_out).max()
}

/// The leases that were lived in, and are over.
fn over(leases: &[Lease]) -> impl Iterator<Item = &Resident> {
    let residents = leases.iter().map(|lease| &lease.normal.resident);
    residents.filter(|one| one.status == LeaseStatus::Past)
}
