//! What is in the store and not in a copy of it: what goes when the copy takes its place. Changes neither.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;

use crate::model::{Actor, Change};

use super::backup::{CopyError, sound, taken};
use super::identity::Numbers;
use super::open::FILE;
use super::value::from_bytes;
use super::write::Done;
use super::{OpenError, Store, View, tables};

/// What goes when a copy takes the place of the store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lost {
    /// When the copy was made; none where the version that made it did not say so.
    pub copied: Option<Timestamp>,
    /// When the newest run or change of the copy was.
    pub newest: Option<Timestamp>,
    /// What came since; none where there is no store, or none that can be read.
    pub since: Option<SinceThen>,
}

/// What is in the store and not in a copy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SinceThen {
    /// The copy is one of this very store; else all of this goes, and nothing is compared.
    pub is_ours: bool,
    /// People who were made since.
    pub people: u64,
    /// Entries of the change log.
    pub changes: u64,
    /// Of so many people.
    pub changed: u64,
    /// Of these, by hand or by commands, and not by runs: no sync brings them back.
    pub by_hand: u64,
    /// Runs.
    pub runs: u64,
}

/// What goes when the copy in `file`, which must be sound, takes the place of the store in `folder`. Neither may be open.
pub fn compare(file: &Path, folder: &Path) -> Result<Lost, CopyError> {
    super::open::make_folder(folder).map_err(|source| CopyError::Write {
        path: folder.to_owned(),
        source,
    })?;
    let beside = taken(file, folder)?;
    let copy = Store::of_file(file, beside.path())?;
    sound(file, &copy)?;
    let copy = copy.read()?;
    let lost = Lost {
        copied: copy.copied()?,
        newest: newest(&copy)?,
        since: None,
    };
    let path = folder.join(FILE);
    if !path.exists() {
        return Ok(lost);
    }
    let held = match Store::of_file(&path, &path) {
        Ok(held) => held,
        Err(error @ OpenError::InUse(_)) => return Err(error.into()),
        // A store that cannot be opened is what restoring is for.
        Err(_) => return Ok(lost),
    };
    let since = since(&held.read()?, &copy)?;
    Ok(Lost {
        since: Some(since),
        ..lost
    })
}

fn since(held: &View, copy: &View) -> Done<SinceThen> {
    let is_ours = held.identity()?.id == copy.identity()?.id;
    let from = if is_ours {
        copy.next_numbers()?
    } else {
        Numbers::default()
    };
    let [people, _, changes, runs, _] = from.0;
    let (mut entries, mut by_hand, mut changed) = (0, 0, BTreeSet::new());
    for entry in held
        .transaction
        .open_table(tables::CHANGES)?
        .range(changes..)?
    {
        let change: Change = from_bytes("changes-1", entry?.1.value())?;
        entries += 1;
        by_hand += u64::from(change.actor != Actor::Sync);
        changed.insert(change.person);
    }
    Ok(SinceThen {
        is_ours,
        people: count(
            held.transaction
                .open_table(tables::PEOPLE)?
                .range(people..)?,
        ),
        changes: entries,
        changed: changed.len() as u64,
        by_hand,
        runs: count(held.transaction.open_table(tables::RUNS)?.range(runs..)?),
    })
}

fn count(all: impl Iterator) -> u64 {
    all.fold(0, |count, _| count + 1)
}

/// When the newest run or change was.
fn newest(view: &View) -> Done<Option<Timestamp>> {
    let run = view.runs(None, None, 1)?.into_iter().next();
    let run = run.map(|run| run.ended.unwrap_or(run.started));
    let last = view.last_change()?;
    let change = view.changes(last.saturating_sub(1), 1)?.into_iter().next();
    Ok(run.max(change.map(|change| change.at)))
}
