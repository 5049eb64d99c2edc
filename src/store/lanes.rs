//! What is known of people at targets, and of targets themselves: kept for whoever delivers, in a form that is theirs. Knows
//! no grant, and judges nothing.

use std::ops::Bound;

use redb::ReadableTable;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::{PersonId, TargetId};

use super::value::{any_from_bytes, any_to_bytes};
use super::write::Done;
use super::{View, Write, tables};

const LANES: &str = "lanes-1";
const TARGETS: &str = "targets-1";

fn lane<T: DeserializeOwned>(
    table: &impl ReadableTable<(&'static str, u64), &'static [u8]>,
    target: &TargetId,
    person: PersonId,
) -> Done<Option<T>> {
    let value = table.get((target.as_str(), person.0))?;
    value
        .map(|value| any_from_bytes(LANES, value.value()))
        .transpose()
}

fn state<T: DeserializeOwned>(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    target: &TargetId,
) -> Done<Option<T>> {
    let value = table.get(target.as_str())?;
    value
        .map(|value| any_from_bytes(TARGETS, value.value()))
        .transpose()
}

impl View {
    /// What is known of a person at a target.
    pub fn lane<T: DeserializeOwned>(
        &self,
        target: &TargetId,
        person: PersonId,
    ) -> Done<Option<T>> {
        lane(&self.transaction.open_table(tables::LANES)?, target, person)
    }

    /// What is known of people at a target, by their ids, those after `after`, at most `limit`.
    pub fn lanes<T: DeserializeOwned>(
        &self,
        target: &TargetId,
        after: Option<PersonId>,
        limit: usize,
    ) -> Done<Vec<(PersonId, T)>> {
        let table = self.transaction.open_table(tables::LANES)?;
        let of = target.as_str();
        let first = after.map_or(Bound::Included((of, 0)), |after| {
            Bound::Excluded((of, after.0))
        });
        let lanes = table.range((first, Bound::Included((of, u64::MAX))))?;
        let lanes = lanes.take(limit).map(|entry| {
            let (key, value) = entry?;
            let person = PersonId(key.value().1);
            Ok((person, any_from_bytes(LANES, value.value())?))
        });
        lanes.collect()
    }

    /// What is known of a target itself.
    pub fn target_state<T: DeserializeOwned>(&self, target: &TargetId) -> Done<Option<T>> {
        state(&self.transaction.open_table(tables::TARGETS)?, target)
    }

    /// The targets of which something is known, whether there is a file of them or not.
    pub fn targets_known(&self) -> Done<Vec<TargetId>> {
        let table = self.transaction.open_table(tables::TARGETS)?;
        let known = table.iter()?;
        known
            .map(|entry| Ok(TargetId::new(entry?.0.value())))
            .collect()
    }
}

impl Write {
    /// What is known of a person at a target.
    pub fn lane<T: DeserializeOwned>(
        &self,
        target: &TargetId,
        person: PersonId,
    ) -> Done<Option<T>> {
        lane(&self.transaction.open_table(tables::LANES)?, target, person)
    }

    /// Keeps what is known of a person at a target.
    pub fn put_lane<T: Serialize>(
        &self,
        target: &TargetId,
        person: PersonId,
        lane: &T,
    ) -> Done<()> {
        let mut table = self.transaction.open_table(tables::LANES)?;
        let value = any_to_bytes(LANES, lane)?;
        table.insert((target.as_str(), person.0), value.as_slice())?;
        Ok(())
    }

    /// Nothing more is known of a person at a target.
    pub fn forget_lane(&self, target: &TargetId, person: PersonId) -> Done<()> {
        let mut table = self.transaction.open_table(tables::LANES)?;
        table.remove((target.as_str(), person.0))?;
        Ok(())
    }

    /// What is known of a target itself.
    pub fn target_state<T: DeserializeOwned>(&self, target: &TargetId) -> Done<Option<T>> {
        state(&self.transaction.open_table(tables::TARGETS)?, target)
    }

    /// Keeps what is known of a target itself.
    pub fn put_target_state<T: Serialize>(&self, target: &TargetId, state: &T) -> Done<()> {
        let mut table = self.transaction.open_table(tables::TARGETS)?;
        let value = any_to_bytes(TARGETS, state)?;
        table.insert(target.as_str(), value.as_slice())?;
        Ok(())
    }
}
