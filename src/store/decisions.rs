//! The decisions of runs. A run that decides mostly as one before it keeps what is different, and how much of the
//! other's stands.

use std::collections::{BTreeMap, BTreeSet};

use redb::{ReadableTable, Table};
use serde::{Deserialize, Serialize};

use crate::model::{Decision, IntegrationId, RunId};

use super::value::{PackedList, Read, from_bytes, to_bytes};
use super::write::Done;
use super::{StoreError, View, Write, tables};

/// A part of a run's decisions has so many bytes, or somewhat more: with what is written beside it, it just fits into the
/// pages that it gets. Tests have runs of many parts.
const PART: usize = if cfg!(test) { 500 } else { 63 * 1024 };

/// What stands of the decisions of an earlier run: all but those about some subjects. Who came in by them is in now,
/// and unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The earlier run, which keeps all of its decisions itself.
    pub base: RunId,
    /// Whose decisions of it do not stand.
    pub gone: BTreeSet<String>,
}

impl Standing {
    /// The decisions of the earlier run that stand.
    pub(super) fn of(&self, base: Vec<Decision>) -> impl Iterator<Item = Decision> {
        base.into_iter()
            .filter(|decision| !self.gone.contains(&decision.subject))
            .map(Decision::settled)
    }
}

impl View {
    /// The decisions of a run; none when they are no longer kept.
    pub fn decisions(&self, run: RunId) -> Done<Vec<Decision>> {
        decisions(
            &self.transaction.open_table(tables::DECISIONS)?,
            &self.transaction.open_table(tables::MORE_DECISIONS)?,
            &self.transaction.open_table(tables::STANDING)?,
            run,
        )
    }
}

/// All parts of what a run decided itself; none where nothing is kept.
pub(super) fn whole<T>(
    table: &impl ReadableTable<u64, &'static [u8]>,
    more: &impl ReadableTable<(u64, u32), &'static [u8]>,
    run: u64,
) -> Done<Option<Vec<T>>>
where
    Vec<T>: Read,
{
    let Some(first) = table.get(run)? else {
        return Ok(None);
    };
    let mut all: Vec<T> = from_bytes("decisions-1", first.value())?;
    for part in more.range((run, 0)..=(run, u32::MAX))? {
        let part: Vec<T> = from_bytes("more-decisions-1", part?.1.value())?;
        all.extend(part);
    }
    Ok(Some(all))
}

fn decisions(
    table: &impl ReadableTable<u64, &'static [u8]>,
    more: &impl ReadableTable<(u64, u32), &'static [u8]>,
    standing: &impl ReadableTable<u64, &'static [u8]>,
    run: RunId,
) -> Done<Vec<Decision>> {
    let of = |run: RunId| Ok::<_, StoreError>(whole(table, more, run.0)?.unwrap_or_default());
    let own = of(run)?;
    let Some(standing) = standing.get(run.0)? else {
        return Ok(own);
    };
    let standing: Standing = from_bytes("standing-1", standing.value())?;
    let stands = standing.of(of(standing.base)?);
    Ok(stands.chain(own).collect())
}

impl Write {
    /// Keeps the decisions of a run beside what stands of an earlier one's. Of the others of the integration stay
    /// those of its last `kept` runs that decided, and what these stand on.
    pub fn put_decisions<E: Into<StoreError>>(
        &self,
        integration: &IntegrationId,
        run: RunId,
        decisions: impl IntoIterator<Item = Result<Decision, E>>,
        standing: Option<&Standing>,
        kept: usize,
    ) -> Done<()> {
        let mut table = self.transaction.open_table(tables::DECISIONS)?;
        let mut more = self.transaction.open_table(tables::MORE_DECISIONS)?;
        let mut stand = self.transaction.open_table(tables::STANDING)?;
        let mut index = self
            .transaction
            .open_table(tables::DECISIONS_BY_INTEGRATION)?;
        forget(&mut table, &mut more, run.0)?;
        let mut parts = 0;
        let mut put = |part: PackedList| -> Done<()> {
            let bytes = part.into_bytes("decisions-1")?;
            match parts {
                0 => table.insert(run.0, bytes.as_slice()).map(drop)?,
                part => more.insert((run.0, part), bytes.as_slice()).map(drop)?,
            }
            parts += 1;
            Ok(())
        };
        let mut part = PackedList::default();
        for decision in decisions {
            part.push("decisions-1", &decision.map_err(Into::into)?)?;
            if part.length() >= PART {
                put(std::mem::take(&mut part))?;
            }
        }
        // Also where there is none it is known that a run decided.
        put(part)?;
        match standing {
            Some(standing) => stand.insert(run.0, to_bytes("standing-1", standing)?.as_slice())?,
            None => stand.remove(run.0)?,
        };
        index.insert((integration.as_str(), run.0), ())?;
        let reports = self.transaction.open_table(tables::RUNS)?;
        let all = (integration.as_str(), 0)..=(integration.as_str(), u64::MAX);
        let (mut last, mut others) = (BTreeSet::from([run.0]), BTreeSet::new());
        for entry in index.range(all)?.rev() {
            let one = entry?.0.value().1;
            // Without its report it is there only as long as others stand on it.
            if one != run.0 && last.len() < kept && reports.get(one)?.is_some() {
                last.insert(one);
            } else if one != run.0 {
                others.insert(one);
            }
        }
        let needed = needed(&stand, &last)?;
        for one in others {
            stand.remove(one)?;
            if !needed.contains(&one) {
                forget(&mut table, &mut more, one)?;
                index.remove((integration.as_str(), one))?;
            }
        }
        let mut bases = self.transaction.open_table(tables::BASES)?;
        if needed != known(&bases, integration)? {
            let needed = to_bytes("bases-1", &needed)?;
            bases.insert(integration.as_str(), needed.as_slice())?;
        }
        Ok(())
    }

    /// Whether the decisions of a run are kept.
    pub fn keeps_decisions(&self, run: RunId) -> Done<bool> {
        let table = self.transaction.open_table(tables::DECISIONS)?;
        Ok(table.get(run.0)?.is_some())
    }

    /// The decisions of a run; none when they are no longer kept.
    pub fn decisions(&self, run: RunId) -> Done<Vec<Decision>> {
        decisions(
            &self.transaction.open_table(tables::DECISIONS)?,
            &self.transaction.open_table(tables::MORE_DECISIONS)?,
            &self.transaction.open_table(tables::STANDING)?,
            run,
        )
    }

    /// Forgets the decisions of a run that is forgotten, unless they stand for later ones.
    pub(super) fn forget_decisions(&self, integration: &IntegrationId, run: RunId) -> Done<()> {
        let mut table = self.transaction.open_table(tables::DECISIONS)?;
        let mut stand = self.transaction.open_table(tables::STANDING)?;
        stand.remove(run.0)?;
        let bases = self.transaction.open_table(tables::BASES)?;
        if !known(&bases, integration)?.contains(&run.0) {
            let mut index = self
                .transaction
                .open_table(tables::DECISIONS_BY_INTEGRATION)?;
            let mut more = self.transaction.open_table(tables::MORE_DECISIONS)?;
            forget(&mut table, &mut more, run.0)?;
            index.remove((integration.as_str(), run.0))?;
        }
        Ok(())
    }

    /// Writes the index of the decisions anew, and drops those that are incomplete: earlier versions looked for what
    /// may be forgotten in the last runs alone, failed ones among them, and took decisions away on which others
    /// stood. Returns how many runs lost their decisions to that, by integration.
    pub(super) fn index_decisions(&self) -> Done<BTreeMap<IntegrationId, u64>> {
        let mut table = self.transaction.open_table(tables::DECISIONS)?;
        let mut stand = self.transaction.open_table(tables::STANDING)?;
        let mut index = self
            .transaction
            .open_table(tables::DECISIONS_BY_INTEGRATION)?;
        let mut whose = BTreeMap::new();
        for entry in self.transaction.open_table(tables::BASES)?.iter()? {
            let (integration, bases) = entry?;
            let bases: BTreeSet<u64> = from_bytes("bases-1", bases.value())?;
            whose.extend(
                bases
                    .into_iter()
                    .map(|run| (run, integration.value().to_owned())),
            );
        }
        let runs = self.transaction.open_table(tables::RUNS_BY_INTEGRATION)?;
        for entry in runs.iter()? {
            let (key, ()) = entry.map(|(key, value)| (key, value.value()))?;
            let (integration, run) = key.value();
            whose.insert(run, integration.to_owned());
        }
        let mut more = self.transaction.open_table(tables::MORE_DECISIONS)?;
        let mut incomplete = Vec::new();
        for entry in stand.iter()? {
            let (run, standing) = entry?;
            let standing: Standing = from_bytes("standing-1", standing.value())?;
            let complete =
                table.get(standing.base.0)?.is_some() && table.get(run.value())?.is_some();
            if !complete {
                incomplete.push(run.value());
            }
        }
        let mut lost = BTreeMap::new();
        for run in incomplete {
            stand.remove(run)?;
            forget(&mut table, &mut more, run)?;
            if let Some(integration) = whose.get(&run) {
                *lost.entry(IntegrationId::new(integration)).or_default() += 1;
            }
        }
        index.retain(|_, ()| false)?;
        let mut nobodys = Vec::new();
        for entry in table.iter()? {
            let run = entry?.0.value();
            match whose.get(&run) {
                Some(integration) => drop(index.insert((integration.as_str(), run), ())?),
                None => nobodys.push(run),
            }
        }
        for run in nobodys {
            stand.remove(run)?;
            forget(&mut table, &mut more, run)?;
        }
        Ok(lost)
    }
}

/// Forgets what a run decided itself, all parts of it.
fn forget(
    table: &mut Table<'_, u64, &'static [u8]>,
    more: &mut Table<'_, (u64, u32), &'static [u8]>,
    run: u64,
) -> Done<()> {
    table.remove(run)?;
    more.retain_in((run, 0)..=(run, u32::MAX), |_, _| false)?;
    Ok(())
}

/// The runs whose decisions stand for some of these.
fn needed(
    stand: &impl ReadableTable<u64, &'static [u8]>,
    runs: &BTreeSet<u64>,
) -> Done<BTreeSet<u64>> {
    let mut needed = BTreeSet::new();
    for run in runs {
        if let Some(standing) = stand.get(run)? {
            let standing: Standing = from_bytes("standing-1", standing.value())?;
            needed.insert(standing.base.0);
        }
    }
    Ok(needed)
}

fn known(
    bases: &impl ReadableTable<&'static str, &'static [u8]>,
    integration: &IntegrationId,
) -> Done<BTreeSet<u64>> {
    let known = bases.get(integration.as_str())?;
    known.map_or(Ok(BTreeSet::new()), |known| {
        from_bytes("bases-1", known.value())
    })
}

impl Write {
    /// Gives what is kept of decisions of an integration's runs to another.
    pub(super) fn give_decisions(&self, from: &IntegrationId, to: &IntegrationId) -> Done<()> {
        let mut bases = self.transaction.open_table(tables::BASES)?;
        let ours = known(&bases, from)?;
        if !ours.is_empty() {
            let all: BTreeSet<u64> = known(&bases, to)?.union(&ours).copied().collect();
            let all = to_bytes("bases-1", &all)?;
            bases.insert(to.as_str(), all.as_slice())?;
        }
        bases.remove(from.as_str())?;
        let mut index = self
            .transaction
            .open_table(tables::DECISIONS_BY_INTEGRATION)?;
        let all = (from.as_str(), 0)..=(from.as_str(), u64::MAX);
        let runs: Done<Vec<u64>> = index
            .range(all)?
            .map(|entry| Ok(entry?.0.value().1))
            .collect();
        for run in runs? {
            index.remove((from.as_str(), run))?;
            index.insert((to.as_str(), run), ())?;
        }
        Ok(())
    }
}
