//! Linked residents that a complete reading did not name (R25). Absence proves nothing: it is counted, told,
//! and changes nobody.

use jiff::civil::Date;

use crate::model::{AlertKind, Link, Resident};

use super::super::alerts;
use super::linked::{does_not_start_before, superseded};
use super::{Now, Planner};
use crate::model::People;

/// How an id that a run does not name stands after it.
pub(super) struct Missed {
    misses: u32,
    /// How many of the runs that missed it saw the person under another id.
    outlived: u32,
    /// The PMS gave the person another id, as when a roommate is promoted: this one is out of date, and must not keep the
    /// stay open when the other ends (R22).
    pub(super) is_given_up: bool,
}

/// What is known of a lease by which it may stand for another one.
pub(super) struct Stands {
    start: Option<Date>,
    is_over: bool,
}

impl Stands {
    pub(super) fn of(resident: &Resident) -> Stands {
        Stands {
            start: resident.lease_start,
            is_over: resident.status.is_closed(),
        }
    }

    fn by(now: Now) -> Stands {
        Stands {
            start: now.lease_start,
            is_over: now.status.is_closed(),
        }
    }
}

impl<P: People> Planner<'_, P> {
    /// Whether this run names the person of a link under another id, whose lease does not start before the one of the
    /// link, and which was not over when the link's was named last (R22). `now` says how another id stands.
    fn is_named_otherwise(
        &self,
        resident: &str,
        link: &Link,
        now: impl Fn(&str) -> Option<Stands>,
    ) -> Result<bool, P::Error> {
        let others = self.links_of(link.person).filter(|(other, before)| {
            *other != resident
                && self.names(other)
                && (link.outlived > 0 || !before.status.is_closed() || is_older(link, before))
        });
        let mut others = others.filter_map(|(other, _)| now(other)).peekable();
        if others.peek().is_none() {
            return Ok(false);
        }
        let start = match link.lease_start {
            Some(start) => Some(start),
            None => self
                .people
                .person(link.person)?
                .and_then(|person| person.stay(self.inputs.integration)?.lease_start),
        };
        Ok(others.any(|other| {
            // One that is over, and of which nobody knows when it began, may be the older one.
            let is_known = other.start.is_some() || !other.is_over;
            is_known && does_not_start_before(other.start, start)
        }))
    }

    /// R25: counts one more run that does not name this id.
    pub(super) fn missed(
        &self,
        resident: &str,
        link: &Link,
        now: impl Fn(&str) -> Option<Stands>,
    ) -> Result<Missed, P::Error> {
        let misses = if self.unmapped.contains(resident) {
            0
        } else if self.unread {
            // What could not be read may have been theirs.
            link.misses
        } else {
            link.misses.saturating_add(1)
        };
        let otherwise = misses > 0 && self.is_named_otherwise(resident, link, now)?;
        let outlived = match () {
            () if misses == 0 => 0,
            // An earlier version did not count these.
            () if otherwise && link.outlived == 0 && link.lease_start.is_none() => misses,
            () if otherwise && misses > link.misses => link.outlived.saturating_add(1),
            () => link.outlived,
        };
        Ok(Missed {
            misses,
            outlived,
            is_given_up: otherwise && outlived >= self.inputs.missing_after,
        })
    }

    /// R25: counts misses of linked residents that a complete reading did not name.
    pub(super) fn missing(&mut self) -> Result<(), P::Error> {
        for (resident, link) in &self.inputs.links {
            let given_up = self.now(resident).is_some_and(|now| now.superseded);
            if self.names(resident) || link.status.is_closed() || given_up {
                continue;
            }
            let Missed {
                misses,
                outlived,
                is_given_up,
            } = self.missed(resident, link, |other| self.now(other).map(Stands::by))?;
            if is_given_up {
                self.put_link(resident, &superseded(link));
                continue;
            }
            let after = self.inputs.missing_after;
            // Beyond the alert there is nothing to count.
            if misses < link.misses
                || (misses > link.misses && link.misses <= after)
                || outlived != link.outlived
            {
                let link = Link {
                    misses,
                    outlived,
                    ..link.clone()
                };
                self.put_link(resident, &link);
            }
            if misses >= after
                && let Some(person) = self.people.person(link.person)?
            {
                let sides = vec![alerts::person_side(&person, self.inputs.integration)];
                let detail = format!(
                    "not in the feed for {after} complete runs or more; nothing else has changed"
                );
                self.causes
                    .raise(AlertKind::MissingFromFeed, resident, sides, &detail);
            }
        }
        Ok(())
    }
}

/// Whether a link is from an earlier version, which did not keep what tells an old id from a new one, and older than
/// another one.
fn is_older(link: &Link, other: &Link) -> bool {
    link.lease_start.is_none() && link.since < other.since
}
