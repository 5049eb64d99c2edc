//! What the store knows of itself (R47): its id, its epoch, and which numbers it gives next. Nothing of what lies
//! beside it: that is the mark.

use redb::ReadableTable;
use serde::{Deserialize, Serialize};

use crate::model::StoreIdentity;

use super::acts::NEXT_ACT;
use super::alerts::NEXT_ALERT;
use super::value::{from_bytes, to_bytes};
use super::write::{Done, NEXT_CHANGE, NEXT_PERSON};
use super::{View, Write, tables};

/// Meta: [`StoreIdentity`].
const IDENTITY: &str = "identity";

/// Meta: no run has a lower number from here on, although none that is kept comes before it.
pub(super) const NEXT_RUN: &str = "next-run";

/// Meta: which numbers of changes were left out, as ranges without their ends, lowest first.
const GAPS: &str = "change-gaps";

/// Numbers of changes that were never given: from the first, up to the second, which is given again.
pub(super) type Gap = (u64, u64);

/// The numbers that are given next: of people, alerts, changes, runs and acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Numbers(pub(super) [u64; 5]);

impl Numbers {
    /// The higher one of each.
    pub(super) fn or_higher(self, other: Numbers) -> Numbers {
        let mut both = self;
        for (mine, theirs) in both.0.iter_mut().zip(other.0) {
            *mine = (*mine).max(theirs);
        }
        both
    }

    /// Each so much higher.
    pub(super) fn plus(self, more: u64) -> Numbers {
        Numbers(self.0.map(|number| number.saturating_add(more)))
    }

    /// Whether no number is lower than that of the other.
    pub(super) fn reach(self, other: Numbers) -> bool {
        self.or_higher(other) == self
    }
}

/// An identity that no other store has.
pub(super) fn new_identity() -> StoreIdentity {
    StoreIdentity {
        id: format!("{:032x}", fastrand::u128(..)),
        epoch: 1,
    }
}

impl View {
    /// Which store it is, and since which restore.
    pub fn identity(&self) -> Done<StoreIdentity> {
        // Every store of today's schema has one.
        Ok(self.meta(IDENTITY)?.unwrap_or_default())
    }
}

impl Write {
    /// Which store it is.
    pub(super) fn own_identity(&self) -> Done<StoreIdentity> {
        Ok(self.meta(IDENTITY)?.unwrap_or_default())
    }

    /// Gives the store an identity.
    pub(super) fn put_identity(&self, identity: &StoreIdentity) -> Done<()> {
        self.put_meta(IDENTITY, identity)
    }

    /// The numbers that are given next.
    pub(super) fn next_numbers(&self) -> Done<Numbers> {
        let meta = self.transaction.open_table(tables::META)?;
        let runs = self.transaction.open_table(tables::RUNS)?;
        numbers(&meta, &runs)
    }

    /// Which numbers of changes were never given, lowest first.
    pub(super) fn gaps(&self) -> Done<Vec<Gap>> {
        gaps(&self.transaction.open_table(tables::META)?)
    }

    /// Goes on from these numbers, of which none is lower than what is given next.
    pub(super) fn put_numbers(&self, next: Numbers) -> Done<()> {
        let changes = self.number(NEXT_CHANGE)?;
        if next.0[2] > changes {
            let mut gaps = self.gaps()?;
            gaps.push((changes, next.0[2]));
            self.put_meta(GAPS, &gaps)?;
        }
        let mut meta = self.transaction.open_table(tables::META)?;
        for (name, number) in [NEXT_PERSON, NEXT_ALERT, NEXT_CHANGE, NEXT_RUN, NEXT_ACT]
            .into_iter()
            .zip(next.0)
        {
            meta.insert(name, to_bytes("meta-1", &number)?.as_slice())?;
        }
        Ok(())
    }
}

fn numbers(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
    runs: &impl ReadableTable<u64, &'static [u8]>,
) -> Done<Numbers> {
    let number = |name: &'static str| {
        let value = meta.get(name)?;
        value.map_or(Ok(1), |value| from_bytes("meta-1", value.value()))
    };
    let last = runs.last()?.map_or(0, |(id, _)| id.value());
    Ok(Numbers([
        number(NEXT_PERSON)?,
        number(NEXT_ALERT)?,
        number(NEXT_CHANGE)?,
        u64::max(number(NEXT_RUN)?, last.saturating_add(1)),
        number(NEXT_ACT)?,
    ]))
}

impl View {
    /// The numbers that are given next.
    pub(super) fn next_numbers(&self) -> Done<Numbers> {
        let meta = self.transaction.open_table(tables::META)?;
        let runs = self.transaction.open_table(tables::RUNS)?;
        numbers(&meta, &runs)
    }
}

/// Which numbers of changes were never given, lowest first, by the meta table. Where nothing happened from one restore to the
/// next, the two left one gap.
pub(super) fn gaps(meta: &impl ReadableTable<&'static str, &'static [u8]>) -> Done<Vec<Gap>> {
    let gaps = meta.get(GAPS)?;
    let gaps: Vec<Gap> = gaps.map_or(Ok(Vec::new()), |gaps| from_bytes("meta-1", gaps.value()))?;
    let mut joined: Vec<Gap> = Vec::new();
    for (first, end) in gaps {
        match joined.last_mut() {
            Some(before) if before.1 == first => before.1 = end,
            _ => joined.push((first, end)),
        }
    }
    Ok(joined)
}
