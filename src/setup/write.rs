//! Writes what a set-up gives: secrets first, as what names them is never there without them; all of it, or nothing. What
//! changed meanwhile is not written over.

use std::fs::{OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use crate::config::Home;

use super::keep;
use super::pasted::Pasted;

/// A file as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewText {
    /// Its name in the home.
    pub name: PathBuf,
    /// What stands there before; none where there is no such file.
    pub before: Option<String>,
    /// What is to stand there.
    pub text: String,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum Unwritten {
    /// A secret cannot be kept.
    #[error("{} cannot be written: {error}; look at the folder's rights", .file.display())]
    Secret {
        /// The file that it was to lie in.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file that was to be new is there.
    #[error("{} is there already and is not overwritten; give another name", .0.display())]
    IsThere(PathBuf),
    /// A file is not as it was when it was looked at.
    #[error("{} was changed meanwhile and is not overwritten; look at the difference anew", .0.display())]
    Changed(PathBuf),
    /// A file cannot be written.
    #[error("{} cannot be written: {error}; look at the folder's rights", .file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Writes all of them, or none.
pub fn write(home: &Home, secrets: &[&Pasted], files: &[NewText]) -> Result<(), Unwritten> {
    let take_back = |kept: usize, made: usize| {
        for pasted in secrets.iter().take(kept) {
            // It was made a moment ago; where it stays, the message of the next try names it.
            let _ = std::fs::remove_file(home.root().join(&pasted.file));
        }
        for file in files.iter().take(made) {
            let path = home.root().join(&file.name);
            let _ = match &file.before {
                None => std::fs::remove_file(path),
                Some(before) => replace(&path, before),
            };
        }
    };
    for (at, pasted) in secrets.iter().enumerate() {
        // A secret of somebody else is not lost to a name.
        if home.root().join(&pasted.file).symlink_metadata().is_ok() {
            take_back(at, 0);
            return Err(Unwritten::IsThere(pasted.file.clone()));
        }
        if let Err(error) = keep(home.root(), &pasted.file, &pasted.secret) {
            take_back(at, 0);
            let file = pasted.file.clone();
            return Err(Unwritten::Secret { file, error });
        }
    }
    for (at, file) in files.iter().enumerate() {
        if let Err(unwritten) = put(home, file) {
            take_back(secrets.len(), at);
            return Err(unwritten);
        }
    }
    Ok(())
}

fn put(home: &Home, file: &NewText) -> Result<(), Unwritten> {
    let path = home.root().join(&file.name);
    let name = || file.name.clone();
    let written = match &file.before {
        None => create(&path, &file.text),
        Some(before) => match std::fs::read_to_string(&path) {
            Ok(now) if now == *before => replace(&path, &file.text),
            Ok(_) => return Err(Unwritten::Changed(name())),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Unwritten::Changed(name()));
            }
            Err(error) => Err(error),
        },
    };
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Unwritten::IsThere(name()),
        _ => Unwritten::File {
            file: name(),
            error,
        },
    })
}

fn create(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a file is worse than none.
        let _ = std::fs::remove_file(path);
    }
    written
}

/// Puts another text in the place of a file's; a reader sees the one or the other, and never a part.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let before = path.symlink_metadata()?;
    if !before.is_file() {
        return Err(io::Error::other("is no regular file"));
    }
    let folder = path.parent().unwrap_or(path);
    let new = folder.join(format!(".{}.new", fastrand::u64(..)));
    let made = || {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).open(&new)?;
        // Only root can; whoever else writes is its owner or in its group.
        let _ = fchown(&file, Some(before.uid()), Some(before.gid()));
        file.set_permissions(Permissions::from_mode(before.mode() & 0o7777))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    let written = made().and_then(|()| std::fs::rename(&new, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&new);
    }
    written
}

/// A file as it is to be, in few words.
#[cfg(test)]
pub(super) fn new(name: &str, before: Option<&str>, text: &str) -> NewText {
    NewText {
        name: name.into(),
        before: before.map(String::from),
        text: text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Zeroizing;

    #[test]
    fn all_of_it_is_written_or_nothing_and_what_changed_meanwhile_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (home, at) = (Home::at(folder.path()), |name: &str| {
            folder.path().join(name)
        });
        let read = |name: &str| std::fs::read_to_string(at(name)).ok();
        let secret = || {
            let text = Zeroizing::new("hunter2".to_owned());
            Pasted::new("secrets/a-key".into(), text).unwrap()
        };
        std::fs::create_dir(at("config")).unwrap();
        std::fs::write(at("config/b.yaml"), "b: 1\n").unwrap();
        std::fs::set_permissions(at("config/b.yaml"), Permissions::from_mode(0o640)).unwrap();
        let changed = [
            new("config/a.yaml", None, "a: 1\n"),
            new("config/b.yaml", Some("b: 0\n"), "b: 2\n"),
        ];
        let refused = write(&home, &[&secret()], &changed).unwrap_err();
        assert!(matches!(refused, Unwritten::Changed(_)), "{refused}");
        let is_there = [
            new("config/b.yaml", Some("b: 1\n"), "b: 2\n"),
            new("config/b.yaml", None, "b: 3\n"),
        ];
        let refused = write(&home, &[&secret()], &is_there).unwrap_err();
        assert!(matches!(refused, Unwritten::IsThere(_)), "{refused}");
        assert_eq!(read("config/a.yaml"), None);
        assert_eq!(read("config/b.yaml").as_deref(), Some("b: 1\n"));
        assert_eq!(read("secrets/a-key"), None);
        let right = [
            new("config/a.yaml", None, "a: 1\n"),
            new("config/b.yaml", Some("b: 1\n"), "b: 2\n"),
        ];
        write(&home, &[&secret()], &right).unwrap();
        assert_eq!(read("config/b.yaml").as_deref(), Some("b: 2\n"));
        assert_eq!(read("secrets/a-key").as_deref(), Some("hunter2\n"));
        let mode = |name: &str| at(name).metadata().unwrap().mode() & 0o777;
        assert_eq!(
            (mode("secrets/a-key"), mode("config/b.yaml")),
            (0o600, 0o640)
        );
        assert_eq!(std::fs::read_dir(at("config")).unwrap().count(), 2);
        let again = write(&home, &[&secret()], &[]).unwrap_err();
        assert!(matches!(again, Unwritten::IsThere(_)), "{again}");
    }
}
