//! `epms restore FILE`: a backup in the place of the store. No daemon may run; the store before is kept.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::config::{Environment, Home};
use crate::control::client::Client;
use crate::model::StoreIdentity;
use crate::store;

use super::{Exit, Failure, Screen, care, verify};

/// Where from.
#[derive(Debug, Args)]
#[command(after_help = "\
the backup is opened and verified first; one that is not sound changes
nothing. Stop the daemon before, start it after. What the PMSs say comes in
again with the next sync; what was done by hand since the backup does not. No
number of a person, alert, change or run is given twice: they go on from the
highest that was. Whoever follows the change log begins anew, as the store's
new epoch tells

examples
  epms restore /var/backups/epms-2026-03-01.redb")]
pub struct RestoreArguments {
    /// the backup
    pub file: PathBuf,
}

/// What was done.
#[derive(Debug, Serialize)]
struct Done {
    restored: PathBuf,
    entries: std::collections::BTreeMap<String, u64>,
    /// Where the store before is kept.
    kept: Option<PathBuf>,
    /// Which store it is, and the epoch that begins with it.
    store: StoreIdentity,
}

pub(super) async fn run(
    arguments: &RestoreArguments,
    json: bool,
    client: &Client,
    home: &Home,
    environment: &Environment,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    care::nobody_listens(client).await?;
    let folder = care::folder(home, environment)?;
    let file = environment.current.join(&arguments.file);
    let restored = store::restore(&file, &folder, screen.view.now)?;
    care::tell(&restored.notes, screen)?;
    let done = Done {
        restored: file,
        entries: restored.found.entries.clone(),
        kept: restored.kept,
        store: restored.identity,
    };
    screen.show(json, &done, |done, _| {
        let mut text = format!(
            "restored from {}: {}\n",
            done.restored.display(),
            verify::summary(&restored.found)
        );
        text += &format!("epoch {} begins with it\n", done.store.epoch);
        if let Some(kept) = &done.kept {
            text += &format!("the store before is kept as {}\n", kept.display());
        }
        text
    })?;
    Ok(Exit::Done)
}
