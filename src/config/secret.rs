//! Secrets: named by reference in files, read when a run begins, never printed.

use std::fmt;
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::{AccessFlags, access, getegid, geteuid};
use schemars::JsonSchema;
/// What is wiped when it is dropped.
pub use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::beneath::{self, MAX_FILE, Unread};

use super::program;

/// Where a secret is kept. A file under version control holds only this.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretReference {
    /// A file that holds the secret and nothing else; one line break at its end is not part of it.
    File(PathBuf),
    /// An environment variable of the daemon.
    Env(String),
    /// A credential that systemd passes (`LoadCredential=`), by its name in `$CREDENTIALS_DIRECTORY`.
    Credential(String),
    /// A program and its arguments, without a shell, run in the home: what it writes is the secret.
    Exec(Vec<String>),
}

/// A secret text. It cannot be printed, serialised or compared, and is wiped when dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the text over.
    pub fn new(text: String) -> Secret {
        Secret(SecretString::from(text))
    }

    /// The text itself, for the request that needs it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why a secret could not be read. The text names the reference, never the secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file is not there or not readable.
    #[error("the secret file {} {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why it was not read.
        source: Unread,
    },
    /// The file is there, or may be, and the daemon's user may not get at it.
    #[error("the secret file {} is out of reach: {what}; {remedy}", path.display())]
    Shut {
        /// The file.
        path: PathBuf,
        /// The folder or the file that is in the way.
        what: String,
        /// How to let the daemon in.
        remedy: String,
    },
    /// Others can read the file, or write it.
    #[error("the secret file {} {what}; {remedy}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Who can do what.
        what: String,
        /// How to close it.
        remedy: String,
    },
    /// The program gave none.
    #[error("the secret of the program `{program}` was not given: {what}")]
    Program {
        /// The program, without its arguments.
        program: String,
        /// What happened, and what to do.
        what: String,
    },
    /// The variable is not set.
    #[error("the environment variable {0} is not set; set it for the daemon")]
    Env(String),
    /// systemd passed no credentials.
    #[error(
        "there is no $CREDENTIALS_DIRECTORY for the credential {0}; add LoadCredential={0} to the unit"
    )]
    NoCredentials(String),
    /// There is nothing in it.
    #[error("the secret {0} is empty")]
    Empty(String),
}

impl SecretReference {
    /// Reads the secret. Relative files lie in `home`. A program may take its time: not for an async worker.
    pub fn read(&self, home: &Path) -> Result<Secret, SecretError> {
        let text = match self {
            SecretReference::File(path) => read_file(&home.join(path), closed)?,
            SecretReference::Env(name) => {
                std::env::var(name).map_err(|_| SecretError::Env(name.clone()))?
            }
            SecretReference::Credential(name) => {
                let folder = std::env::var_os("CREDENTIALS_DIRECTORY")
                    .ok_or_else(|| SecretError::NoCredentials(name.clone()))?;
                read_file(&Path::new(&folder).join(name), |_, _| Ok(()))?
            }
            SecretReference::Exec(words) => {
                program::output(words, home).map_err(|what| SecretError::Program {
                    program: words.first().cloned().unwrap_or_default(),
                    what,
                })?
            }
        };
        let text = Zeroizing::new(text);
        let line = text
            .strip_suffix('\n')
            .map_or(text.as_str(), |t| t.strip_suffix('\r').unwrap_or(t));
        if line.is_empty() {
            return Err(SecretError::Empty(self.to_string()));
        }
        Ok(Secret::new(line.to_owned()))
    }

    /// Whether reading it runs a program.
    pub fn is_program(&self) -> bool {
        matches!(self, SecretReference::Exec(_))
    }
}

/// Reads a file that is closed like a secret: of others nobody may read it or write it.
pub fn read_closed(path: &Path) -> Result<Zeroizing<String>, SecretError> {
    read_file(path, closed).map(Zeroizing::new)
}

/// Whoever may read or change a secret file knows the secret, or chooses where it is sent.
fn closed(path: &Path, metadata: &Metadata) -> Result<(), SecretError> {
    let open = |what: String, remedy: String| {
        Err(SecretError::Open {
            path: path.to_owned(),
            what,
            remedy,
        })
    };
    let (mode, owner) = (metadata.mode() & 0o777, metadata.uid());
    let us = geteuid().as_raw();
    if mode & 0o026 != 0 {
        let what = match mode {
            mode if mode & 0o002 != 0 => "can be written by everybody",
            mode if mode & 0o020 != 0 => "can be written by its group",
            _ => "can be read by everybody",
        };
        return open(
            format!("{what} (mode {mode:04o})"),
            format!("close it: chmod u=rw,g-w,o= {}", path.display()),
        );
    }
    if owner != us && owner != 0 {
        return open(
            format!("belongs to the user {owner}"),
            format!(
                "give it to the daemon's user or to root: chown {us} {}",
                path.display()
            ),
        );
    }
    Ok(())
}

/// What is in the way to a file that the system does not give: the first folder above it that lets this process not pass,
/// else the file itself.
fn shut(path: &Path) -> SecretError {
    let stops = |folder: &&Path| access(*folder, AccessFlags::X_OK) == Err(Errno::EACCES);
    let folders: Vec<&Path> = path.ancestors().skip(1).collect();
    let folder = folders.into_iter().rev().find(stops);
    let way = folder.unwrap_or(path);
    let rights = way.metadata().map_or_else(
        |_| String::new(),
        |found| {
            format!(
                " (mode {:04o}, of the user {})",
                found.mode() & 0o777,
                found.uid()
            )
        },
    );
    let (kind, right) = match folder {
        Some(_) => ("folder", "x"),
        None => ("file", "r"),
    };
    let way = way.display();
    let (user, group) = (geteuid(), getegid());
    SecretError::Shut {
        path: path.to_owned(),
        what: format!("the {kind} {way}{rights} is shut to the daemon's user {user}"),
        remedy: format!(
            "let its group in: chgrp {group} {way} && chmod g+{right} {way}; in the home of a service `epms init --system` does so"
        ),
    }
}

/// Reads the file that `judge` finds fit. It may lie anywhere; a pipe or a device would keep whoever reads it waiting,
/// and with them every other feed.
fn read_file(
    path: &Path,
    judge: impl FnOnce(&Path, &Metadata) -> Result<(), SecretError>,
) -> Result<String, SecretError> {
    let failed = |source| match source {
        Unread::Irregular(kind) => SecretError::Open {
            path: path.to_owned(),
            what: format!("is {kind} and no regular file"),
            remedy: "write the secret into a file, or use `exec` for a program that tells it"
                .into(),
        },
        Unread::Io(error) if error.kind() == ErrorKind::PermissionDenied => shut(path),
        source => SecretError::File {
            path: path.to_owned(),
            source,
        },
    };
    let file = beneath::open_anywhere(path).map_err(failed)?;
    let metadata = file.metadata().map_err(|error| failed(Unread::Io(error)))?;
    judge(path, &metadata)?;
    let bytes = beneath::bytes(file, MAX_FILE).map_err(failed)?;
    String::from_utf8(bytes).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        failed(beneath::not_utf8())
    })
}

impl fmt::Display for SecretReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretReference::File(path) => write!(f, "file {}", path.display()),
            SecretReference::Env(name) => write!(f, "env {name}"),
            SecretReference::Credential(name) => write!(f, "credential {name}"),
            // Arguments may say more than a name should.
            SecretReference::Exec(words) => {
                write!(f, "program {}", words.first().map_or("", String::as_str))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn write(home: &Path, text: &str, mode: u32) -> SecretReference {
        let path = home.join("s");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        SecretReference::File("s".into())
    }

    #[test]
    fn a_secret_file_loses_one_line_break_and_is_read_anew_each_time() {
        let home = tempfile::tempdir().unwrap();
        let reference = write(home.path(), "one \n", 0o600);
        assert_eq!(reference.read(home.path()).unwrap().expose(), "one ");
        write(home.path(), "two\r\n", 0o640);
        assert_eq!(reference.read(home.path()).unwrap().expose(), "two");
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_reference() {
        let home = tempfile::tempdir().unwrap();
        let error = SecretReference::Env("EPMS_NO_SUCH".into())
            .read(home.path())
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the environment variable EPMS_NO_SUCH is not set; set it for the daemon"
        );
        let error = write(home.path(), "\n", 0o400).read(home.path());
        assert_eq!(error.unwrap_err().to_string(), "the secret file s is empty");
    }

    #[test]
    fn a_secret_file_that_others_may_read_or_write_is_refused() {
        let home = tempfile::tempdir().unwrap();
        for (mode, what) in [
            (
                0o644,
                "can be read by everybody (mode 0644); close it: chmod u=rw,g-w,o= ",
            ),
            (0o660, "can be written by its group (mode 0660); "),
            (0o602, "can be written by everybody (mode 0602); "),
        ] {
            let error = write(home.path(), "hunter2", mode).read(home.path());
            let told = error.unwrap_err().to_string();
            assert!(told.contains(what) && !told.contains("hunter2"), "{told}");
        }
    }

    #[test]
    fn a_pipe_in_the_place_of_a_secret_file_is_refused_and_keeps_nobody_waiting() {
        let home = tempfile::tempdir().unwrap();
        let mode = nix::sys::stat::Mode::S_IRUSR;
        nix::unistd::mkfifo(&home.path().join("s"), mode).unwrap();
        let error = SecretReference::File("s".into()).read(home.path());
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("is a named pipe and no regular file; write the secret"),
            "{error}"
        );
    }

    #[test]
    fn a_secret_file_may_lie_anywhere_and_is_read_up_to_a_limit_that_is_named() {
        let (home, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(elsewhere.path(), "hunter2\n", 0o600);
        let target = elsewhere.path().join("s");
        std::os::unix::fs::symlink(&target, home.path().join("s")).unwrap();
        for reference in ["s".into(), target.clone()] {
            let secret = SecretReference::File(reference).read(home.path());
            assert_eq!(secret.unwrap().expose(), "hunter2");
        }
        let told = |text: &[u8]| {
            std::fs::write(&target, text).unwrap();
            let read = SecretReference::File("s".into()).read(home.path());
            read.unwrap_err().to_string()
        };
        let large = told(&vec![b'x'; 1024 * 1024 + 1]);
        assert!(large.contains("is larger than 1 MiB"), "{large}");
        let other = told(b"caf\xe9");
        assert!(other.contains("cannot be read: it is not UTF-8"), "{other}");
    }

    #[test]
    fn a_program_gives_a_secret_by_what_it_writes() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("kept"), "hunter2\n").unwrap();
        let read = |words: &[&str]| {
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            SecretReference::Exec(words).read(home.path())
        };
        assert_eq!(read(&["cat", "kept"]).unwrap().expose(), "hunter2");
        // No shell stands between.
        assert_eq!(read(&["echo", "$HOME;ls"]).unwrap().expose(), "$HOME;ls");
        let told = |words: &[&str]| read(words).unwrap_err().to_string();
        assert_eq!(
            told(&["sh", "-c", "echo hunter2; echo hunter2 >&2; exit 3"]),
            "the secret of the program `sh` was not given: it ended with exit status: 3; run it as the daemon's user to see why"
        );
        assert!(told(&["epms-no-such-program"]).contains("cannot be run: "));
        assert_eq!(told(&["true"]), "the secret program true is empty");
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        assert_eq!(format!("{:?}", Secret::new("hunter2".into())), "Secret(..)");
    }
}
