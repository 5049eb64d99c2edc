//! Waits for files to be saved, for commands that run again at each save. Loads nothing.

use std::path::PathBuf;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode};
use tokio::sync::mpsc;

use super::watch::{arm, quiet};

/// How often is looked without an event.
const LOOK: Duration = Duration::from_secs(2);

/// Saves below some folders. An event is a hint only: whoever waits looks for themselves whether anything changed.
#[derive(Debug)]
pub struct Saves {
    folders: Vec<(PathBuf, RecursiveMode)>,
    hint: mpsc::Sender<()>,
    hints: mpsc::Receiver<()>,
    watcher: Option<RecommendedWatcher>,
}

impl Saves {
    /// Saves of files in these folders, and in folders below them.
    pub fn below(folders: impl IntoIterator<Item = PathBuf>) -> Saves {
        let (hint, hints) = mpsc::channel(1);
        let folders: Vec<_> = folders
            .into_iter()
            .map(|folder| (folder, RecursiveMode::Recursive))
            .collect();
        let watcher = arm(&folders, &hint);
        Saves {
            folders,
            hint,
            hints,
            watcher,
        }
    }

    /// Waits until something may have been saved, and the save is over.
    pub async fn next(&mut self) {
        if let Ok(Some(())) = tokio::time::timeout(LOOK, self.hints.recv()).await {
            quiet(&mut self.hints).await;
            // A folder may have been replaced: a watch stays with the one that was there.
            self.watcher = None;
            self.watcher = arm(&self.folders, &self.hint);
        }
    }
}
