//! Which entries of a run are of one PMS id. Of each only a mark is in memory; the entries themselves are read again when
//! somebody asks for them. Pure but for that.

use std::collections::{BTreeMap, HashMap};

use crate::model::{Link, SpoolError, Spooled};

use super::entry::{Entry, Group, Lease, may_share, rank, rank_of_newcomers};

/// Stands for a text, where many are compared: two texts never have the same one.
pub(crate) type Mark = [u64; 2];

/// The mark of a text.
pub(crate) fn mark(text: &str) -> Mark {
    let hash = blake3::hash(text.as_bytes());
    let half = |from: usize| {
        let bytes = hash.as_bytes().iter().skip(from).take(8);
        bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
    };
    [half(0), half(8)]
}

/// The entries of a run, by the PMS id of their resident. A group is called by the place of its first entry.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    entries: Spooled<Entry>,
    /// The ids, in order.
    ids: Vec<Mark>,
    /// The further entries of groups that have several, by the first one.
    more: HashMap<u32, Vec<u32>>,
    /// The first entry of their group, by those.
    first: HashMap<u32, u32>,
    /// Groups that may have the same email, by chance the same mark alone; each list is in order.
    sharing: Vec<Vec<u32>>,
    /// How many entries are no residents.
    failed: usize,
}

impl Groups {
    /// Looks at each entry once; `also` is told of each.
    pub(crate) fn of(
        entries: Spooled<Entry>,
        mut also: impl FnMut(&Entry),
    ) -> Result<Groups, SpoolError> {
        let mut marks: Vec<(Mark, u32)> = Vec::new();
        // Half a mark will do: whoever seems to share an email is looked at.
        let mut emails: Vec<(u64, u32)> = Vec::new();
        let mut groups = Groups::default();
        for (place, entry) in (0..).zip(entries.iter()) {
            let entry = entry?;
            also(&entry);
            let Entry::Resident {
                normal, excluded, ..
            } = &entry
            else {
                groups.failed += 1;
                continue;
            };
            let resident = &normal.resident;
            marks.push((mark(&resident.id), place));
            if let Some(email) = &resident.email
                && may_share(resident, excluded.as_deref())
            {
                emails.push((mark(email)[0], place));
            }
        }
        groups.entries = entries;
        marks.sort_unstable();
        for same in marks.chunk_by(|one, other| one.0 == other.0) {
            let mut places = same.iter().map(|(_, place)| *place);
            let Some(first) = places.next() else { continue };
            for place in places {
                groups.more.entry(first).or_default().push(place);
                groups.first.insert(place, first);
            }
        }
        groups.ids = marks.into_iter().map(|(mark, _)| mark).collect();
        groups.ids.dedup();
        for (_, place) in &mut emails {
            *place = groups.first.get(place).copied().unwrap_or(*place);
        }
        emails.sort_unstable();
        emails.dedup();
        let several = emails.chunk_by(|one, other| one.0 == other.0);
        let several = several.filter(|same| same.len() > 1);
        groups.sharing = several
            .map(|same| same.iter().map(|(_, place)| *place).collect())
            .collect();
        Ok(groups)
    }

    /// Whether the feed has a resident with this id.
    pub(crate) fn has(&self, resident: &str) -> bool {
        !self.ids.is_empty() && self.ids.binary_search(&mark(resident)).is_ok()
    }

    /// Groups of which several may have the same email.
    pub(crate) fn sharing(&self) -> &[Vec<u32>] {
        &self.sharing
    }

    /// The entries that are no residents, in order.
    pub(crate) fn failed(&self) -> impl Iterator<Item = Result<Entry, SpoolError>> {
        let entries = self.entries.iter().take(match self.failed {
            0 => 0,
            _ => usize::MAX,
        });
        entries.filter(|entry| !matches!(entry, Ok(Entry::Resident { .. })))
    }

    /// The group whose first entry lies there.
    pub(crate) fn load(
        &self,
        first: u32,
        links: &BTreeMap<String, Link>,
    ) -> Result<Group, SpoolError> {
        let entry = self.entries.get(first as usize)?;
        self.whole(first, entry, links)?.ok_or(SpoolError::Form)
    }

    /// Each group, in the order in which the ids came first.
    pub(crate) fn each<E: From<SpoolError>>(
        &self,
        links: &BTreeMap<String, Link>,
        mut each: impl FnMut(u32, Group) -> Result<(), E>,
    ) -> Result<(), E> {
        for (place, entry) in (0..).zip(self.entries.iter()) {
            let entry = entry?;
            if self.first.contains_key(&place) {
                continue;
            }
            if let Some(group) = self.whole(place, entry, links)? {
                each(place, group)?;
            }
        }
        Ok(())
    }

    fn whole(
        &self,
        first: u32,
        entry: Entry,
        links: &BTreeMap<String, Link>,
    ) -> Result<Option<Group>, SpoolError> {
        let Some(lease) = Lease::of_entry(entry) else {
            return Ok(None);
        };
        let id = lease.normal.resident.id.clone();
        let mut leases = vec![lease];
        for place in self.more.get(&first).into_iter().flatten() {
            leases.extend(Lease::of_entry(self.entries.get(*place as usize)?));
        }
        let order = if leases.len() > 1 && !links.contains_key(&id) {
            rank_of_newcomers
        } else {
            rank
        };
        Ok(Some(Group::new(id, leases, order)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_of_the_whole_text() {
        let texts = ["", "a", "b", "t1", "t2", &"x".repeat(4000)];
        let marks: std::collections::BTreeSet<Mark> = texts.iter().map(|one| mark(one)).collect();
        assert_eq!(marks.len(), texts.len());
    }
}
