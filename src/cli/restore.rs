//! `epms restore FILE`: a backup in the place of the store. No daemon may run; the store before is kept. On a terminal it
//! tells what is lost, and asks.

use std::io::BufRead;
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use crate::config::{Environment, Home};
use crate::control::client::Client;
use crate::model::StoreIdentity;
use crate::store::{self, Lost, SinceThen};

use super::approve::says_yes;
use super::table::{clean, paragraph};
use super::view::View;
use super::{Exit, Failure, Screen, care, verify};

/// Where from.
#[derive(Debug, Args)]
#[command(after_help = "\
the backup is opened and verified first; one that is not sound changes
nothing. What goes with the store of now is told: on a terminal before it is
asked whether it shall. Stop the daemon before, start it after. What the PMSs
say comes in again with the next sync; what was done by hand since the backup
does not. No number of a person, alert, change or run is given twice: they go
on from the highest that was. Whoever follows the change log begins anew, as
the store's new epoch tells

examples
  epms restore /var/backups/epms-2026-03-01.redb
  epms restore /var/backups/epms-2026-03-01.redb --yes")]
pub struct RestoreArguments {
    /// the backup
    pub file: PathBuf,
    /// do not ask
    #[arg(long)]
    pub yes: bool,
}

/// What was done.
#[derive(Debug, Serialize)]
struct Done {
    restored: PathBuf,
    /// When the backup was made; none where the version that made it did not say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    made: Option<Timestamp>,
    /// What was in the store before and is not in the backup; none where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<Gone>,
    entries: std::collections::BTreeMap<String, u64>,
    /// Where the store before is kept.
    kept: Option<PathBuf>,
    /// Which store it is, and the epoch that begins with it.
    store: StoreIdentity,
}

/// What goes with the store before.
#[derive(Debug, Serialize)]
struct Gone {
    /// The backup is one of another store.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    of_another_store: bool,
    people: u64,
    changes: u64,
    changes_by_hand: u64,
    runs: u64,
}

pub(super) async fn run(
    arguments: &RestoreArguments,
    json: bool,
    (client, home, environment): (&Client, &Home, &Environment),
    input: Option<&mut dyn BufRead>,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    care::nobody_listens(client).await?;
    let folder = care::folder(home, environment)?;
    let file = environment.current.join(&arguments.file);
    let lost = store::compare(&file, &folder).map_err(|error| verify::of_backup(error, &file))?;
    if let Some(input) = input {
        let list = told(&lost, Tense::Before, &screen.view);
        if !says_yes(&list, "restore it", input, screen)? {
            writeln!(screen.out, "not restored: the store is as it was")?;
            return Ok(Exit::Failed);
        }
    }
    let restored = store::restore(&file, &folder, screen.view.now);
    let restored = restored.map_err(|error| verify::of_backup(error, &file))?;
    care::tell(&restored.notes, screen)?;
    let done = Done {
        restored: file,
        made: lost.copied,
        lost: lost.since.as_ref().map(|since| Gone {
            of_another_store: !since.is_ours,
            people: since.people,
            changes: since.changes,
            changes_by_hand: since.by_hand,
            runs: since.runs,
        }),
        entries: restored.found.entries.clone(),
        kept: restored.kept,
        store: restored.identity,
    };
    screen.show(json, &done, |done, view| {
        let mut text = format!(
            "restored from {}: {}\n",
            clean(&done.restored.display().to_string()),
            verify::summary(&restored.found)
        );
        text += &told(&lost, Tense::After, view);
        text += &format!("epoch {} begins with it\n", done.store.epoch);
        if let Some(kept) = &done.kept {
            text += &format!("the store before is kept as {}\n", kept.display());
        }
        text
    })?;
    Ok(Exit::Done)
}

/// Whether it is told before it happens or after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tense {
    Before,
    After,
}

/// From when the backup is, and what goes.
fn told(lost: &Lost, tense: Tense, view: &View) -> String {
    let from = match (lost.copied, lost.newest) {
        (Some(copied), _) => format!("the backup was made {}", view.both(copied)),
        (None, Some(newest)) => {
            format!("the newest in the backup is of {}", view.both(newest))
        }
        (None, None) => "the backup does not say when it was made".to_owned(),
    };
    let Some(since) = &lost.since else {
        return paragraph(
            0,
            &format!("{from}; there is no store that can be read in its place"),
            view,
        );
    };
    let what = gone(since);
    let text = match (tense, &what) {
        (_, None) => format!("{from}; nothing came into the store since"),
        (Tense::Before, Some(what)) => {
            format!("{from}; what came into the store since goes: {what}")
        }
        (Tense::After, Some(what)) => {
            format!("{from}; what came into the store since is gone: {what}")
        }
    };
    let mut text = paragraph(0, &text, view);
    if !since.is_ours {
        text += &paragraph(
            0,
            "it is a backup of another store: everything that is in this one goes",
            view,
        );
    }
    if since.by_hand > 0 {
        let by_hand = match since.by_hand {
            1 => "the one change by hand does not".to_owned(),
            many => format!("the {many} changes by hand do not"),
        };
        let again = format!("what the PMSs say comes in again with the next sync; {by_hand}");
        text += &paragraph(0, &again, view);
    }
    text
}

fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// What goes, in words; none where nothing does.
fn gone(since: &SinceThen) -> Option<String> {
    let SinceThen {
        people,
        changes,
        changed,
        runs,
        ..
    } = *since;
    if people == 0 && changes == 0 && runs == 0 {
        return None;
    }
    let people = counted(people, "person who was", "people who were");
    let changes = counted(changes, "change", "changes");
    let changed = counted(changed, "person", "people");
    let runs = counted(runs, "run", "runs");
    Some(format!("{people} made, {changes} of {changed}, {runs}"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::plain;
    use super::*;

    #[test]
    fn what_goes_is_told_in_numbers_and_what_no_sync_brings_back_apart() {
        let lost = |since| Lost {
            copied: None,
            newest: None,
            since,
        };
        let since_then = || SinceThen {
            is_ours: true,
            people: 1,
            changes: 12,
            changed: 9,
            by_hand: 2,
            runs: 30,
        };
        let text = told(&lost(Some(since_then())), Tense::Before, &plain());
        assert_eq!(
            text,
            "the backup does not say when it was made; what came into the store since goes: 1 person who was made, 12 changes of 9 people, 30 runs
what the PMSs say comes in again with the next sync; the 2 changes by hand do not
"
        );
        let one = SinceThen {
            by_hand: 1,
            ..since_then()
        };
        let text = told(&lost(Some(one)), Tense::Before, &plain());
        assert!(
            text.ends_with("with the next sync; the one change by hand does not\n"),
            "{text}"
        );
        let nothing = SinceThen {
            is_ours: true,
            ..SinceThen::default()
        };
        let text = told(&lost(Some(nothing)), Tense::Before, &plain());
        assert!(
            text.ends_with("nothing came into the store since\n"),
            "{text}"
        );
        let text = told(&lost(None), Tense::Before, &plain());
        assert!(
            text.contains("there is no store that can be read"),
            "{text}"
        );
    }
}
