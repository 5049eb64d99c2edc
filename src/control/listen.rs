//! The control socket: private before it listens, and never taken from a daemon that lives.

use std::os::unix::fs::{FileTypeExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixSocket, UnixStream};

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another daemon answers on it.
    #[error("another daemon answers on {}; stop it, or name another socket with --socket", .0.display())]
    InUse(PathBuf),
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

/// Listens on `path`, with its permissions set before anybody can connect.
pub async fn listen(
    path: &Path,
    mode: u32,
    group: Option<&str>,
) -> Result<UnixListener, ListenError> {
    let io = |source| ListenError::Io {
        path: path.to_owned(),
        source,
    };
    if let Ok(metadata) = std::fs::symlink_metadata(path) {
        if !metadata.file_type().is_socket() {
            return Err(ListenError::InTheWay(path.to_owned()));
        }
        // Only where nobody answers is it a left-over.
        if UnixStream::connect(path).await.is_ok() {
            return Err(ListenError::InUse(path.to_owned()));
        }
        std::fs::remove_file(path).map_err(io)?;
    }
    let gid = match group {
        None => None,
        Some(name) => match nix::unistd::Group::from_name(name) {
            Ok(Some(group)) => Some(group.gid.as_raw()),
            _ => return Err(ListenError::NoGroup(name.to_owned())),
        },
    };
    let socket = UnixSocket::new_stream().map_err(io)?;
    socket.bind(path).map_err(io)?;
    // Bound but not listening: nobody can connect until the permissions are right.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(io)?;
    if gid.is_some() {
        chown(path, None, gid).map_err(io)?;
    }
    socket.listen(1024).map_err(io)
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
            Err(ListenError::InUse(_))
        ));
        drop(listener);
        assert!(
            listen(&path, 0o660, None).await.is_ok(),
            "a stale socket is replaced"
        );
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
