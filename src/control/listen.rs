//! The control socket: private before it listens, never taken from a daemon that lives, and made again where its file is
//! removed. Speaks with nobody.

use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{UnixListener, UnixSocket, UnixStream};
use tokio::time::{Interval, MissedTickBehavior};

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another daemon answers on it.
    #[error("another daemon{} answers on {}; stop it, or name another socket with --socket", shown(*.1), .0.display())]
    InUse(PathBuf, Option<i32>),
    /// Something that is no socket lies there.
    #[error("{} is in the way and is no socket; move it away", .0.display())]
    InTheWay(PathBuf),
    /// There is no such group.
    #[error("there is no group `{0}`; create it, or correct socket.group in config/epms.yaml")]
    NoGroup(String),
    /// The system refused.
    #[error("cannot listen on {}: {source}", path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

fn shown(pid: Option<i32>) -> String {
    pid.map_or_else(String::new, |pid| format!(", process {pid},"))
}

/// The process that listens on a socket, where one does.
pub async fn who_listens(path: &Path) -> Option<i32> {
    let stream = UnixStream::connect(path).await.ok()?;
    pid_of(&stream)
}

fn pid_of(stream: &UnixStream) -> Option<i32> {
    stream.peer_cred().ok()?.pid()
}

/// How often it is looked whether the socket is still there.
const LOOK: Duration = Duration::from_secs(5);

/// A socket that is listened on, and made again where somebody removes its file.
#[derive(Debug)]
pub struct Listening {
    listener: UnixListener,
    path: PathBuf,
    mode: u32,
    group: Option<u32>,
    /// The file that was made: its device and number.
    file: (u64, u64),
    look: Interval,
    /// What is wrong with it is told once.
    is_told: bool,
}

/// What lies where the socket was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Ours,
    Empty,
    Taken,
}

/// Listens on `path`, with its permissions set before anybody can connect.
pub async fn listen(path: &Path, mode: u32, group: Option<&str>) -> Result<Listening, ListenError> {
    let io = |source| ListenError::Io {
        path: path.to_owned(),
        source,
    };
    if let Ok(metadata) = std::fs::symlink_metadata(path) {
        if !metadata.file_type().is_socket() {
            return Err(ListenError::InTheWay(path.to_owned()));
        }
        // Only where nobody answers is it a left-over.
        if let Ok(stream) = UnixStream::connect(path).await {
            return Err(ListenError::InUse(path.to_owned(), pid_of(&stream)));
        }
        std::fs::remove_file(path).map_err(io)?;
    }
    let group = match group {
        None => None,
        Some(name) => match nix::unistd::Group::from_name(name) {
            Ok(Some(group)) => Some(group.gid.as_raw()),
            _ => return Err(ListenError::NoGroup(name.to_owned())),
        },
    };
    let (listener, file) = make(path, mode, group).map_err(io)?;
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Ok(Listening {
        listener,
        path: path.to_owned(),
        mode,
        group,
        file,
        look,
        is_told: false,
    })
}

impl Listening {
    /// The next who connects. May be given up at any time, and called again.
    pub async fn accept(&mut self) -> std::io::Result<UnixStream> {
        loop {
            tokio::select! {
                accepted = self.listener.accept() => return accepted.map(|(stream, _)| stream),
                _ = self.look.tick() => self.look(),
            }
        }
    }

    fn look(&mut self) {
        let shown = self.path.display();
        match self.place() {
            Place::Ours => self.is_told = false,
            Place::Empty => match make(&self.path, self.mode, self.group) {
                Ok((listener, file)) => {
                    tracing::warn!(socket = %shown, "the socket was gone, and is made again");
                    (self.listener, self.file, self.is_told) = (listener, file, false);
                }
                Err(error) if !self.is_told => {
                    tracing::error!(socket = %shown, %error, "the socket is gone, and cannot be made again; it is tried on and on");
                    self.is_told = true;
                }
                Err(_) => {}
            },
            Place::Taken if !self.is_told => {
                tracing::error!(socket = %shown, "something else lies where the socket was; remove it, and the socket is made again");
                self.is_told = true;
            }
            Place::Taken => {}
        }
    }

    fn place(&self) -> Place {
        match std::fs::symlink_metadata(&self.path) {
            Ok(found) if (found.dev(), found.ino()) == self.file => Place::Ours,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Place::Empty,
            Ok(_) | Err(_) => Place::Taken,
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // What somebody else has put there since is theirs.
        if self.place() == Place::Ours {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Makes a socket where nothing lies.
fn make(path: &Path, mode: u32, group: Option<u32>) -> std::io::Result<(UnixListener, (u64, u64))> {
    let socket = UnixSocket::new_stream()?;
    socket.bind(path)?;
    // Bound but not listening: nobody can connect until the permissions are right.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    if group.is_some() {
        chown(path, None, group)?;
    }
    let made = std::fs::symlink_metadata(path)?;
    Ok((socket.listen(1024)?, (made.dev(), made.ino())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_is_private_and_a_living_one_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("epms.sock");
        let listener = listen(&path, 0o600, None).await.unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(matches!(
            listen(&path, 0o600, None).await,
            Err(ListenError::InUse(_, Some(_)))
        ));
        drop(listener);
        assert!(!path.exists());
        drop(UnixListener::bind(&path).unwrap());
        assert!(
            listen(&path, 0o660, None).await.is_ok(),
            "a stale socket is replaced"
        );
    }

    /// C4.
    #[tokio::test]
    async fn a_socket_whose_file_is_removed_is_made_again_and_nothing_of_others_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("epms.sock");
        let mut listening = listen(&path, 0o600, None).await.unwrap();
        for _ in 0..3 {
            std::fs::remove_file(&path).unwrap();
            assert_eq!(listening.place(), Place::Empty);
            listening.look();
            assert_eq!(listening.place(), Place::Ours);
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let caller = std::os::unix::net::UnixStream::connect(&path);
            assert!(caller.is_ok() && listening.accept().await.is_ok());
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "precious").unwrap();
        listening.look();
        assert_eq!(listening.place(), Place::Taken);
        drop(listening);
        assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    }

    #[tokio::test]
    async fn what_is_no_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("epms.sock");
        std::fs::write(&path, "precious").unwrap();
        assert!(matches!(
            listen(&path, 0o600, None).await,
            Err(ListenError::InTheWay(_))
        ));
        assert_eq!(std::fs::read(&path).unwrap(), b"precious");
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(
            listen(&path, 0o600, Some("no-such-group")).await,
            Err(ListenError::NoGroup(_))
        ));
    }
}
