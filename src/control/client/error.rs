//! Why a request had no good answer: one variant for each thing a caller does about it. Messages repeat
//! nothing of what was asked for or answered, except the daemon's own problem document.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::control::protocol::ProblemDocument;

/// Why a request had no good answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("no daemon answers on {}; start it with `epms run`", socket.display())]
    NotRunning {
        /// The socket.
        socket: PathBuf,
    },
    /// Somebody listens, and says nothing.
    #[error("the daemon on {} takes too long to answer: nothing came within {} s. It may be stopped, or its machine busy; look at its log, and whether its process runs", socket.display(), waited.as_secs())]
    Silent {
        /// The socket.
        socket: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The caller may not do this.
    #[error("{0}")]
    Denied(String),
    /// The daemon said no, and why.
    #[error("{0}")]
    Refused(ProblemDocument),
    /// What came back makes no sense, or nothing came back.
    #[error("{0}")]
    Broken(String),
}

impl ClientError {
    /// A request that did not get through.
    pub(super) fn of_transport(socket: &Path, error: &reqwest::Error) -> Self {
        let shown = socket.display();
        let cause = io_cause(error);
        match cause.map(io::Error::kind) {
            Some(io::ErrorKind::PermissionDenied) => ClientError::Denied(format!(
                "you may not open {shown}; join the group that `socket.group` in config/epms.yaml names"
            )),
            Some(
                io::ErrorKind::NotFound
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::NotADirectory,
            ) if error.is_connect() => ClientError::NotRunning {
                socket: socket.to_owned(),
            },
            _ => {
                let told = cause.map_or_else(|| root(error), ToString::to_string);
                ClientError::Broken(format!(
                    "the connection to the daemon on {shown} broke: {told}; try again, and look at its log"
                ))
            }
        }
    }

    /// An answer that is not one of success.
    pub(super) fn of_answer(status: u16, body: &[u8], socket: &Path) -> Self {
        match serde_json::from_slice::<ProblemDocument>(body) {
            Ok(problem) if matches!(status, 401 | 403) => ClientError::Denied(problem.to_string()),
            Ok(problem) => ClientError::Refused(problem),
            Err(_) => ClientError::Broken(format!(
                "what listens on {} answered with status {status} and no reason; is it an epms of this version?",
                socket.display()
            )),
        }
    }

    /// An answer of success that cannot be read. Only the place is told: the content may be personal.
    pub(super) fn of_content(socket: &Path, error: &serde_json::Error) -> Self {
        ClientError::Broken(format!(
            "the answer of {} cannot be read at line {} column {}; is it an epms of this version?",
            socket.display(),
            error.line(),
            error.column()
        ))
    }
}

fn io_cause(error: &reqwest::Error) -> Option<&io::Error> {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<io::Error>() {
            return Some(found);
        }
        next = cause.source();
    }
    None
}

fn root(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
