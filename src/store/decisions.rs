//! The decisions of runs. A run that decides mostly as one before it keeps what is different, and how much of the
//! other's stands.

use std::collections::BTreeSet;

use redb::ReadableTable;
use serde::{Deserialize, Serialize};

use crate::model::{Decision, IntegrationId, RunId};

use super::value::{from_bytes, to_bytes};
use super::write::Done;
use super::{View, Write, tables};

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
            &self.transaction.open_table(tables::STANDING)?,
            run,
        )
    }
}

fn decisions(
    table: &impl ReadableTable<u64, &'static [u8]>,
    standing: &impl ReadableTable<u64, &'static [u8]>,
    run: RunId,
) -> Done<Vec<Decision>> {
    let of = |run: RunId| {
        table.get(run.0)?.map_or(Ok(Vec::new()), |value| {
            from_bytes::<Vec<Decision>>("decisions-1", value.value())
        })
    };
    let own = of(run)?;
    let Some(standing) = standing.get(run.0)? else {
        return Ok(own);
    };
    let standing: Standing = from_bytes("standing-1", standing.value())?;
    let stands = standing.of(of(standing.base)?);
    Ok(stands.chain(own).collect())
}

impl Write {
    /// Keeps the decisions of a run beside what stands of an earlier one's, and forgets those of the integration's
    /// runs before its last `kept`.
    pub fn put_decisions(
        &self,
        integration: &IntegrationId,
        run: RunId,
        decisions: &[Decision],
        standing: Option<&Standing>,
        kept: usize,
    ) -> Done<()> {
        let mut table = self.transaction.open_table(tables::DECISIONS)?;
        let mut stand = self.transaction.open_table(tables::STANDING)?;
        table.insert(run.0, to_bytes("decisions-1", &decisions)?.as_slice())?;
        match standing {
            Some(standing) => stand.insert(run.0, to_bytes("standing-1", standing)?.as_slice())?,
            None => stand.remove(run.0)?,
        };
        let index = self.transaction.open_table(tables::RUNS_BY_INTEGRATION)?;
        let all = (integration.as_str(), 0)..=(integration.as_str(), u64::MAX);
        let (mut last, mut behind) = (BTreeSet::from([run.0]), BTreeSet::new());
        // Those just behind the kept ones were forgotten run by run: one step is enough.
        for entry in index.range(all)?.rev().take(kept + 4) {
            let run = entry?.0.value().1;
            if last.len() < kept {
                last.insert(run);
            } else if !last.contains(&run) {
                behind.insert(run);
            }
        }
        let needed = needed(&stand, &last)?;
        let mut bases = self.transaction.open_table(tables::BASES)?;
        let known = known(&bases, integration)?;
        for run in known.union(&behind).filter(|run| !last.contains(run)) {
            if !needed.contains(run) {
                table.remove(run)?;
            }
            stand.remove(run)?;
        }
        if needed != known {
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
            table.remove(run.0)?;
        }
        Ok(())
    }
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
