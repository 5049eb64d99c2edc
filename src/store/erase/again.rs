//! Erasing again whoever stands in an older copy of the store, as the tombstones beside it say.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::{Act, ActKind, Actor, Person, PersonId};
use crate::store::tombstones::Tombstones;
use crate::store::write::Done;
use crate::store::{Known, Store, View};

use super::Why;

/// So many people are looked at at once.
const AT_ONCE: usize = 1000;

impl Store {
    /// Erases whoever was erased before this copy of the store took the place of another. Gives how many people that is.
    pub fn erase_again(&self, now: Timestamp) -> Done<usize> {
        let stones = self.tombstones();
        if stones.is_empty() {
            return Ok(0);
        }
        let people = self.read()?.to_erase_again(&stones)?;
        if people.is_empty() {
            return Ok(0);
        }
        let write = self.write()?;
        let act = write.new_act_id()?;
        let why = Why {
            by: Actor::Sync,
            at: now,
            rule: "erase".to_owned(),
            act,
            reason: None,
        };
        let erased = write.erase(&people, &why)?.people;
        let mut act = Act::new(act, ActKind::Erase, now, Actor::Sync);
        act.erased = erased.iter().copied().collect();
        write.put_act(&act)?;
        write.commit()?;
        Ok(erased.len())
    }
}

impl View {
    /// The people of whom there are tombstones: of this store by their ids, which nobody else ever had; of another one by
    /// what they are known by, where they came to be before they were erased there.
    fn to_erase_again(&self, stones: &Tombstones) -> Done<BTreeSet<PersonId>> {
        let store = self.identity()?.id;
        let mut found = BTreeSet::new();
        for stone in stones.erased.iter().filter(|stone| stone.store == store) {
            for id in &stone.people {
                let person = self.person(*id)?;
                found.extend(person.filter(|one| !one.erased).map(|one| one.id));
            }
        }
        if stones.erased.iter().all(|stone| stone.store == store) {
            return Ok(found);
        }
        let mut after = None;
        loop {
            let people = self.people(after, AT_ONCE, |_| true)?;
            let Some(last) = people.last() else {
                return Ok(found);
            };
            after = Some(last.id);
            for person in people.iter().filter(|one| !one.erased) {
                if self.was_erased_elsewhere(person, stones, &store)? {
                    found.insert(person.id);
                }
            }
        }
    }

    fn was_erased_elsewhere(
        &self,
        person: &Person,
        stones: &Tombstones,
        store: &str,
    ) -> Done<bool> {
        let links = self.links_of(person.id)?;
        let mut ids: Vec<&str> = links.iter().map(|(_, id, _)| id.as_str()).collect();
        ids.push("");
        let is_of = |id: &&str| {
            let known = Known {
                id,
                email: person.email.as_deref(),
                first_name: &person.first_name,
                last_name: &person.last_name,
            };
            let stone = stones.of(known).filter(|stone| stone.store != store);
            stone.is_some_and(|stone| person.created <= stone.at)
        };
        Ok(ids.iter().any(is_of))
    }
}
