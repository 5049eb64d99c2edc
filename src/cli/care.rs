//! What the verbs that care for the store share: asking the daemon where one runs and opening the store itself
//! where none does, and sizes as people read them.

use std::path::{Path, PathBuf};

use crate::config::{Environment, Files, Home};
use crate::control::client::{Client, ClientError};
use crate::model::Problems;
use crate::store::{CopyError, OpenError, StoreError};

use super::table::clean;
use super::{Exit, Failure, Screen};

/// The folder of the store.
pub(super) fn folder(home: &Home, environment: &Environment) -> Result<PathBuf, Failure> {
    let settings = Files::read_settings(home);
    let settings = settings.map_err(|problems| Failure::Config(Problems(problems)))?;
    Ok(home.state(&settings.value, environment))
}

/// The store's folder, where there is one.
pub(super) fn with_store(folder: &Path) -> Result<&Path, Failure> {
    // Where there is a mark, opening tells that the store is lost.
    if ["epms.redb", "epms.mark"]
        .iter()
        .any(|file| folder.join(file).exists())
    {
        return Ok(folder);
    }
    let told = format!(
        "there is no store in {}; the first `epms run` of a home makes it",
        folder.display()
    );
    Err(Failure::other(Exit::OutOfReach, told))
}

/// Tells what was put right in a store when it was opened, and what else is to be known of it.
pub(super) fn tell(notes: &[String], screen: &mut Screen<'_>) -> Result<(), Failure> {
    for note in notes {
        writeln!(screen.err, "note: {}", clean(note))?;
    }
    Ok(())
}

/// Whether nobody listens: then the store can be opened here.
pub(super) fn nobody_runs(error: &ClientError) -> bool {
    matches!(error, ClientError::NotRunning { .. })
}

/// An error where a daemon runs: what takes the place of a store waits for its end.
pub(super) async fn nobody_listens(client: &Client) -> Result<(), Failure> {
    match client.healthz().await {
        Err(error) if nobody_runs(&error) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(()) => {
            let socket = client.socket().display();
            let told = format!("a daemon runs on {socket}; stop it first, and start it after");
            Err(Failure::other(Exit::OutOfReach, told))
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Failure {
        let exit = match &error {
            OpenError::InUse(_) | OpenError::Io { .. } | OpenError::Accessible { .. } => {
                Exit::OutOfReach
            }
            OpenError::Foreign(_)
            | OpenError::Newer { .. }
            | OpenError::Damaged { .. }
            | OpenError::Empty(_)
            | OpenError::Lost(_)
            | OpenError::NotLost(_)
            | OpenError::Replaced { .. }
            | OpenError::Mark(_)
            | OpenError::Tombstones(_)
            | OpenError::Store(_) => Exit::Failed,
        };
        Failure::other(exit, error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::other(Exit::Failed, error.to_string())
    }
}

impl From<CopyError> for Failure {
    fn from(error: CopyError) -> Failure {
        match error {
            CopyError::Open(error) => error.into(),
            other => Failure::other(Exit::Failed, other.to_string()),
        }
    }
}

/// So many bytes, to three figures: `561 kB`.
#[allow(clippy::cast_precision_loss, reason = "three figures are shown")]
pub(super) fn size(bytes: u64) -> String {
    let mut size = bytes as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if size < 999.5 || unit == "GB" {
            let digits = usize::from(unit != "B" && size < 9.95);
            return format!("{size:.digits$} {unit}");
        }
        size /= 1000.0;
    }
    unreachable!("the last unit takes all")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_told_in_its_largest_unit() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1_234), "1.2 kB");
        assert_eq!(size(561_152), "561 kB");
        assert_eq!(size(999_999), "1.0 MB");
        assert_eq!(size(5_000_000_000_000), "5000 GB");
    }
}
