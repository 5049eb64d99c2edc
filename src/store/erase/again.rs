//! Erasing again whoever stands in an older copy of the store, as the tombstones beside it say, and going on with what was
//! asked of the store that it takes the place of.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::{Act, ActKind, Actor, Change, ChangeKind, Person, PersonId};
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

impl Store {
    /// Goes on with what was asked in the store before that this one takes the place of, and was not done yet: whoever stands
    /// in this one is erased once everything has heard. Says of whom that is.
    pub(in crate::store) fn go_on_erasing(
        &self,
        before: &Store,
        now: Timestamp,
    ) -> Done<Vec<String>> {
        let mut notes = Vec::new();
        let asked = before.read()?.all_erasing()?;
        if asked.is_empty() {
            return Ok(notes);
        }
        let is_ours = before.read()?.identity()?.id == self.read()?.identity()?.id;
        let write = self.write()?;
        for (person, erasing) in asked {
            let there = write.person(person)?.filter(|one| is_ours && !one.erased);
            if there.is_none() {
                notes.push(format!(
                    "an erasure of {person} was asked for before and not carried out, and {person} is not in this backup: ask again if they come in again"
                ));
                continue;
            }
            notes.push(format!(
                "the erasure of {person}, asked for before and not carried out, goes on"
            ));
            if write.erasing(person)?.is_some() {
                continue;
            }
            let act = before.read()?.act(erasing.act)?;
            if let Some(act) = act.filter(|act| act.kind == ActKind::Erase) {
                write.put_act(&act)?;
            }
            for one in &erasing.people {
                let Some(known) = write.person(*one)?.filter(|one| !one.erased) else {
                    continue;
                };
                if known.merged_into.is_none() {
                    write.put_erasing(*one, Some(&erasing))?;
                }
                write.append_change(Change {
                    seq: 0,
                    at: now,
                    person: *one,
                    kind: ChangeKind::Erasing,
                    integration: None,
                    from: None,
                    resident: None,
                    run: None,
                    rule: erasing.rule.clone(),
                    fields: Vec::new(),
                    actor: erasing.by.clone(),
                    act: Some(erasing.act),
                })?;
            }
        }
        write.commit()?;
        Ok(notes)
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
