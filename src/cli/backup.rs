//! `epms backup FILE`: a copy of the store as of now, from the daemon or, where none runs, from the store itself.
//! It is opened and verified before it gets its name.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::config::{Environment, Home};
use crate::control::client::Client;
use crate::model::Soundness;
use crate::store::{self, Store};

use super::{Exit, Failure, Screen, care, verify};

/// Where to.
#[derive(Debug, Args)]
#[command(after_help = "\
the daemon goes on meanwhile; the copy is the store as it was when it was
asked for, and holds everything: people, links, alerts, changes, runs. Whoever
can read it can read all of that

examples
  epms backup /var/backups/epms-$(date +%F).redb
  epms restore /var/backups/epms-2026-03-01.redb")]
pub struct BackupArguments {
    /// the file to write; one that is there already is not overwritten
    pub file: PathBuf,
}

/// What was copied.
#[derive(Debug, Serialize)]
struct Copied {
    file: PathBuf,
    bytes: u64,
    entries: std::collections::BTreeMap<String, u64>,
}

pub(super) async fn run(
    arguments: &BackupArguments,
    json: bool,
    client: &Client,
    home: &Home,
    environment: &Environment,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let file = environment.current.join(&arguments.file);
    if file.exists() {
        return Err(Failure::other(Exit::Failed, taken(&file)));
    }
    let mut copy = beside(&file)?;
    let copied = client.backup(|piece| {
        copy.write_all(piece)
            .map_err(|error| unwritten(&file, &error))
    });
    match copied.await {
        Err(Failure::Client { error, .. }) if care::nobody_runs(&error) => {
            let folder = care::folder(home, environment)?;
            let store = Store::open(care::with_store(&folder)?)?;
            care::tell(store.notes(), screen)?;
            store.copy_at(copy.path(), screen.view.now)?;
        }
        copied => copied?,
    }
    copy.as_file()
        .sync_all()
        .map_err(|error| unwritten(&file, &error))?;
    let found = store::inspect(copy.path())?;
    let bytes = copy
        .as_file()
        .metadata()
        .map_err(|error| unwritten(&file, &error))?;
    let bytes = bytes.len();
    copy.persist_noclobber(&file)
        .map_err(|refused| match refused.error.kind() {
            std::io::ErrorKind::AlreadyExists => Failure::other(Exit::Failed, taken(&file)),
            _ => unwritten(&file, &refused.error),
        })?;
    let Soundness { entries, .. } = found.clone();
    screen.show(
        json,
        &Copied {
            file,
            bytes,
            entries,
        },
        |copied, _| {
            format!(
                "{}: {}, {}; verified\n",
                copied.file.display(),
                care::size(copied.bytes),
                verify::summary(&found)
            )
        },
    )?;
    Ok(Exit::Done)
}

/// A file in the folder of `file` that only its owner may read.
fn beside(file: &Path) -> Result<NamedTempFile, Failure> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    tempfile::Builder::new()
        .prefix(".epms-backup-")
        .permissions(std::fs::Permissions::from_mode(0o600))
        .tempfile_in(folder)
        .map_err(|error| unwritten(file, &error))
}

fn taken(file: &Path) -> String {
    format!(
        "{} is there already, and is not overwritten; name another file",
        file.display()
    )
}

fn unwritten(file: &Path, error: &std::io::Error) -> Failure {
    let told = format!(
        "{} cannot be written: {error}; look at its folder and at the room on its disk",
        file.display()
    );
    Failure::other(Exit::Failed, told)
}
