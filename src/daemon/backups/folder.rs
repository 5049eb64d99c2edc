//! The folder of the backups: one that is made in it gets its name once it is whole and verified, and those that are too
//! many go. Nothing else in the folder is touched.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tempfile::NamedTempFile;

use crate::store::{self, CopyError, LastBackup, Store, StoreError};

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub(super) enum BackupError {
    /// The folder is not there and cannot be made, or is not to be written into.
    #[error("{} cannot be written: {source}; make room or give it to the daemon's user, or name another folder as `backup.to` in config/epms.yaml", path.display())]
    Folder {
        /// The folder, or the file in it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The copy was not made, or is not sound.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The store could not be asked, or not told of it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The thread that made it ended.
    #[error("the backup ended unexpectedly")]
    Ended,
}

/// What was done.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) last: LastBackup,
    /// The older ones that were removed.
    pub(super) removed: Vec<PathBuf>,
    /// Why one could not be removed.
    pub(super) unremoved: Option<BackupError>,
}

/// The names of the backups of one store.
struct Names {
    prefix: String,
}

impl Names {
    /// Of the store with this id.
    fn of(store: &str) -> Names {
        let id: String = store.chars().take(8).collect();
        Names {
            prefix: format!("epms-{id}-"),
        }
    }

    fn name(&self, number: u64, at: Timestamp) -> String {
        format!(
            "{}{number:06}-{}.redb",
            self.prefix,
            at.strftime("%Y%m%dT%H%M%SZ")
        )
    }

    /// What one that is not whole begins with.
    fn begun(&self) -> String {
        format!(".{}", self.prefix)
    }

    /// The number of a backup that was made of this store, by its name.
    fn number(&self, name: &str) -> Option<u64> {
        let (number, at) = name
            .strip_prefix(&self.prefix)?
            .strip_suffix(".redb")?
            .split_once('-')?;
        let is_moment = at.len() == 16
            && at
                .bytes()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b'T' | b'Z'));
        let is_number = number.len() >= 6 && number.bytes().all(|byte| byte.is_ascii_digit());
        (is_moment && is_number).then(|| number.parse().ok())?
    }
}

/// Those that are too many, of files by number: the lowest numbers, so that no clock that was set makes a new one old.
fn too_many(mut all: Vec<(u64, PathBuf)>, keep: usize) -> Vec<PathBuf> {
    all.sort();
    let many = all.len().saturating_sub(keep.max(1));
    all.into_iter().take(many).map(|(_, path)| path).collect()
}

fn failed(path: &Path) -> impl Fn(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Folder {
        path: path.clone(),
        source,
    }
}

/// Makes one, verifies it, gives it its name, tells the store of it, and removes those that are too many.
pub(super) fn make(
    store: &Store,
    folder: &Path,
    keep: usize,
    now: Timestamp,
) -> Result<Made, BackupError> {
    let of_folder = failed(folder);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(&of_folder)?;
    let (identity, last) = {
        let view = store.read()?;
        (view.identity()?, view.last_backup()?)
    };
    let names = Names::of(&identity.id);
    remove_begun(folder, &names.begun())?;
    let there = backups(folder, &names)?;
    let highest = there.iter().map(|(number, _)| *number).max().unwrap_or(0);
    let highest = last.map_or(highest, |last| highest.max(last.number));
    let number = highest.saturating_add(1);
    let copy = private(folder, &names.begun()).map_err(&of_folder)?;
    store.copy_at(copy.path(), now)?;
    copy.as_file().sync_all().map_err(&of_folder)?;
    store::inspect_in(copy.path(), folder)?;
    let last = LastBackup {
        at: now,
        number,
        file: names.name(number, now),
        bytes: copy.as_file().metadata().map_err(&of_folder)?.len(),
    };
    let path = folder.join(&last.file);
    copy.persist_noclobber(&path)
        .map_err(|error| failed(&path)(error.error))?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(&of_folder)?;
    let write = store.write()?;
    write.put_last_backup(&last)?;
    write.commit()?;
    let (removed, unremoved) = thin(folder, &names, keep);
    Ok(Made {
        last,
        removed,
        unremoved,
    })
}

/// Removes those that are too many: what was removed, and why not all of them were.
fn thin(folder: &Path, names: &Names, keep: usize) -> (Vec<PathBuf>, Option<BackupError>) {
    let all = match backups(folder, names) {
        Ok(all) => all,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let mut removed = Vec::new();
    for path in too_many(all, keep) {
        if let Err(error) = std::fs::remove_file(&path) {
            return (removed, Some(failed(&path)(error)));
        }
        removed.push(path);
    }
    (removed, None)
}

/// The backups of this store in the folder, by number.
fn backups(folder: &Path, names: &Names) -> Result<Vec<(u64, PathBuf)>, BackupError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed(folder))? {
        let entry = entry.map_err(failed(folder))?;
        let number = entry
            .file_name()
            .to_str()
            .and_then(|name| names.number(name));
        // A link is none that was made here.
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if let Some(number) = number.filter(|_| is_file) {
            found.push((number, entry.path()));
        }
    }
    Ok(found)
}

/// Removes what a daemon began that ended meanwhile.
fn remove_begun(folder: &Path, begun: &str) -> Result<(), BackupError> {
    for entry in std::fs::read_dir(folder).map_err(failed(folder))? {
        let entry = entry.map_err(failed(folder))?;
        let is_begun = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(begun));
        if is_begun && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            std::fs::remove_file(entry.path()).map_err(failed(&entry.path()))?;
        }
    }
    Ok(())
}

/// An empty file in `folder` that only its owner may read; it goes unless it is kept.
fn private(folder: &Path, begun: &str) -> io::Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(begun)
        .permissions(std::fs::Permissions::from_mode(0o600))
        .tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Timestamp {
        "2026-03-01T02:03:04Z".parse().unwrap()
    }

    #[test]
    fn a_name_tells_the_number_of_a_backup_of_this_store_alone() {
        let names = Names::of("0123456789abcdef");
        let name = names.name(42, at());
        assert_eq!(name, "epms-01234567-000042-20260301T020304Z.redb");
        assert_eq!(names.number(&name), Some(42));
        let million = names.name(1_234_567, at());
        assert_eq!(names.number(&million), Some(1_234_567));
        for other in [
            "epms-2026-03-01.redb",
            "epms-01234567-000042-keep.redb",
            "epms-01234567-000042-20260301T020304Z.redb.gz",
            "epms-01234567-42-20260301T020304Z.redb",
            "epms-89abcdef-000042-20260301T020304Z.redb",
            "my-epms-01234567-000042-20260301T020304Z.redb",
        ] {
            assert_eq!(names.number(other), None, "{other}");
        }
    }

    #[test]
    fn r45_the_lowest_numbers_go_whatever_their_times_say() {
        let names = Names::of("0123456789abcdef");
        let all = |years: &[&str]| {
            let mut all = Vec::new();
            for (number, year) in (1..).zip(years) {
                let at = format!("{year}-03-01T00:00:00Z").parse().unwrap();
                all.push((number, PathBuf::from(names.name(number, at))));
            }
            all
        };
        let gone = too_many(all(&["2026", "2096", "2026", "2026"]), 2);
        let years: Vec<bool> = gone
            .iter()
            .map(|path| path.to_str().unwrap().contains("-2096"))
            .collect();
        assert_eq!(years, [false, true]);
        assert_eq!(too_many(all(&["2026"]), 0).len(), 0, "the last one stays");
    }

    #[test]
    fn backups_are_made_counted_and_thinned_and_nothing_else_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("deep/backups");
        let store = Store::in_memory().unwrap();
        let id = store.read().unwrap().identity().unwrap().id;
        let first = make(&store, &to, 2, at()).unwrap();
        assert_eq!(first.last.number, 1);
        let others = [
            "epms-2026-03-01.redb".to_owned(),
            format!("epms-{}-000001-copy.redb", &id[..8]),
        ];
        for other in &others {
            std::fs::write(to.join(other), "mine").unwrap();
        }
        let begun = to.join(format!(".epms-{}-xyz", &id[..8]));
        std::fs::write(&begun, "half").unwrap();
        for number in 2..=4 {
            let made = make(&store, &to, 2, at()).unwrap();
            assert_eq!(made.last.number, number);
            assert!(made.unremoved.is_none());
            assert_eq!(made.removed.len(), usize::from(number > 2));
        }
        assert!(!begun.exists());
        for other in &others {
            assert!(to.join(other).exists(), "{other}");
        }
        assert_eq!(std::fs::read_dir(&to).unwrap().count(), 4);
        let last = store.read().unwrap().last_backup().unwrap().unwrap();
        let (found, copied) = store::inspect_in(&to.join(&last.file), folder.path()).unwrap();
        assert!(found.flaws.is_empty());
        assert_eq!(copied, Some(at()));
    }
}
