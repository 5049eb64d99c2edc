//! `epms verify`: every table of the store held against every other, through the daemon or, where none runs, in
//! the store itself; or in a backup, which is not written to.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::config::{Environment, Home};
use crate::control::client::Client;
use crate::model::{Flaw, Soundness};
use crate::store::{self, CopyError, OpenError, Store};

use super::table::{Column, Table, clean};
use super::view::View;
use super::{Exit, Failure, Screen, care};

/// What to look at.
#[derive(Debug, Args)]
#[command(after_help = "\
asks the daemon, or opens the store where none runs, and then looks at every
page of the file, too. With a file: that backup, which needs no daemon and is
not written to. ends with 1 when something does not fit

examples
  epms verify
  epms verify /var/backups/epms-2026-03-01.redb")]
pub struct VerifyArguments {
    /// a backup [default: the store]
    pub file: Option<PathBuf>,
}

/// What a backup is.
#[derive(Debug, Serialize)]
struct OfFile {
    file: PathBuf,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    made: Option<jiff::Timestamp>,
    #[serde(flatten)]
    found: Soundness,
}

pub(super) async fn run(
    arguments: &VerifyArguments,
    json: bool,
    client: &Client,
    home: &Home,
    environment: &Environment,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    if let Some(file) = &arguments.file {
        return of_file(&environment.current.join(file), json, screen);
    }
    let found = match client.verify().await {
        Err(error) if care::nobody_runs(&error) => {
            let folder = care::folder(home, environment)?;
            let store = Store::open_thoroughly(care::with_store(&folder)?)?;
            care::tell(store.notes(), screen)?;
            store.read()?.verify()?
        }
        found => found?,
    };
    screen.show(json, &found, show)?;
    Ok(if found.flaws.is_empty() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// A backup. Whatever is wrong with it, it is none: that ends with 1.
fn of_file(file: &Path, json: bool, screen: &mut Screen<'_>) -> Result<Exit, Failure> {
    let (found, made) = match store::inspect_in(file, &std::env::temp_dir()) {
        Ok(found) => found,
        Err(CopyError::Unsound { found, .. }) => (found, None),
        Err(error) => return Err(Failure::other(Exit::Failed, no_backup(&error))),
    };
    let is_sound = found.flaws.is_empty();
    let told = OfFile {
        file: file.to_owned(),
        made,
        found,
    };
    screen.show(json, &told, |told, view| {
        let mut text = clean(&told.file.display().to_string());
        if let Some(made) = told.made {
            let _ = write!(text, ", made {}", view.both(made));
        }
        format!(
            "{text}\n{}",
            describe(&told.found, "take another backup", view)
        )
    })?;
    Ok(if is_sound { Exit::Done } else { Exit::Failed })
}

/// Why a backup did not take the place of the store: what is wrong with the backup, or what is wrong here.
pub(super) fn of_backup(error: CopyError, file: &Path) -> Failure {
    let is_of_file = match &error {
        CopyError::Open(
            OpenError::Empty(path) | OpenError::Damaged { path, .. } | OpenError::Io { path, .. },
        ) => path == file,
        _ => false,
    };
    if is_of_file {
        return Failure::other(Exit::Failed, no_backup(&error));
    }
    error.into()
}

/// What is wrong with a file that is to be a backup.
fn no_backup(error: &CopyError) -> String {
    match error {
        CopyError::Open(OpenError::Empty(path)) => {
            format!("{} is empty: it is no backup; take another", path.display())
        }
        CopyError::Open(OpenError::Damaged { path, source }) => {
            let shown = path.display();
            format!("{shown} is no readable store: {source}; take another backup")
        }
        CopyError::Open(OpenError::Io { path, source }) => {
            let shown = path.display();
            format!("{shown} cannot be read: {source}; name a file that `epms backup` wrote")
        }
        other => other.to_string(),
    }
}

/// How much there is: `87 people, 27 alerts`.
pub(super) fn summary(found: &Soundness) -> String {
    let of = |table: &str| found.entries.get(table).copied().unwrap_or_default();
    format!(
        "{} people, {} links, {} alerts, {} changes, {} runs",
        of("people-1"),
        of("links-1"),
        of("alerts-1"),
        of("changes-1"),
        of("runs-1")
    )
}

fn show(found: &Soundness, view: &View) -> String {
    let remedy = "keep its file, and restore a backup from before: `epms restore FILE`";
    describe(found, remedy, view)
}

fn describe(found: &Soundness, remedy: &str, view: &View) -> String {
    let mut text = format!("{}\n", summary(found));
    if !found.lost.is_empty() {
        list(&mut text, "WHAT IS MISSING OF REPORTS", &found.lost, view);
        text += "\nnothing hangs on the reports of runs that are over: people, links, alerts and changes are whole\n";
    }
    if found.flaws.is_empty() {
        text += "the store is sound: every table fits every other\n";
        return text;
    }
    list(&mut text, "WHAT DOES NOT FIT", &found.flaws, view);
    text + &format!("\nthe store is not sound; {remedy}\n")
}

fn list(text: &mut String, title: &'static str, flaws: &[Flaw], view: &View) {
    let mut table = Table::new([("TABLE", Column::Whole), (title, Column::Wrap)]);
    for flaw in flaws {
        table.row([flaw.table.clone().into(), clean(&flaw.what).into()]);
    }
    let _ = write!(text, "\n{}", table.render(view));
}
