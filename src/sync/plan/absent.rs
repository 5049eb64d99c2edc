//! Linked residents that a complete reading did not name (R25). Absence proves nothing: it is counted, told,
//! and changes nobody.

use std::collections::BTreeSet;

use crate::model::{AlertKind, LeaseStatus, Link};
use crate::store::StoreError;

use super::super::alerts;
use super::super::matching::People;
use super::Planner;

impl<P: People> Planner<'_, P> {
    /// Whether this run names the person of a link under another id, with a lease that counts as much.
    fn is_named_otherwise(&self, resident: &str, link: &Link) -> bool {
        let begin = self.newly_linked.range((link.person, String::new())..);
        let newly = begin.take_while(|(of, _)| *of == link.person);
        let linked = self.links_of(link.person).map(|(other, _)| other);
        linked
            .chain(newly.map(|(_, other)| other.as_str()))
            .any(|other| {
                let new = self.new_links.get(other);
                let same = new.or_else(|| self.inputs.links.get(other));
                other != resident
                    && self.seen.contains(other)
                    && same.is_some_and(|same| {
                        same.person == link.person
                            && !same.status.is_closed()
                            && same.status <= link.status
                    })
            })
    }

    /// R25: counts misses of linked residents that a complete reading did not name.
    pub(super) fn missing(
        &mut self,
        rejected: &BTreeSet<String>,
        unread: bool,
    ) -> Result<(), StoreError> {
        for (resident, link) in &self.inputs.links {
            if self.seen.contains(resident.as_str()) || link.status.is_closed() {
                continue;
            }
            let misses = if rejected.contains(resident) {
                0
            } else if unread {
                // What could not be read may have been theirs.
                link.misses
            } else {
                link.misses.saturating_add(1)
            };
            // Beyond the alert there is nothing to count.
            if misses < link.misses
                || (misses > link.misses && link.misses <= self.inputs.missing_after)
            {
                let link = Link {
                    misses,
                    ..link.clone()
                };
                self.put_link(resident, link);
            }
            if misses >= self.inputs.missing_after && self.is_named_otherwise(resident, link) {
                // The PMS gave the person another id, as when a roommate is promoted: this one is out of date,
                // and must not keep the stay open when the other ends.
                let over = LeaseStatus::Past;
                let out_of_date = Link {
                    status: over,
                    unit: None,
                    misses,
                    ..link.clone()
                };
                self.put_link(resident, out_of_date);
                continue;
            }
            if misses >= self.inputs.missing_after
                && let Some(person) = self.people.person(link.person)?
            {
                let sides = vec![alerts::person_side(&person, self.inputs.integration)];
                let detail = format!(
                    "not in the feed for {} complete runs or more; nothing else has changed",
                    self.inputs.missing_after
                );
                self.causes
                    .raise(AlertKind::MissingFromFeed, resident, sides, &detail);
            }
        }
        Ok(())
    }
}
