//! How a command ends: exit codes, and the errors behind them. It does not print them.

use std::fmt::Write;
use std::io;
use std::process::ExitCode;

use schemars::JsonSchema;

use crate::control::client::ClientError;
use crate::model::{Problem, Problems};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Exit {
    /// It did what was asked.
    Done = 0,
    /// It tried and failed.
    Failed = 1,
    /// The configuration or the command line is not right.
    Invalid = 2,
    /// The daemon, or something else outside, is out of reach.
    OutOfReach = 3,
    /// The plan waits for approval.
    Held = 4,
    /// The caller may not do this.
    Denied = 5,
}

impl Exit {
    /// All of them, by their numbers.
    pub const ALL: [Exit; 6] = [
        Exit::Done,
        Exit::Failed,
        Exit::Invalid,
        Exit::OutOfReach,
        Exit::Held,
        Exit::Denied,
    ];
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why a command could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The daemon did not answer, or not well.
    #[error("{error}{}", below(.doubts))]
    Client {
        /// What the client says.
        error: ClientError,
        /// Why the socket may be another than the one that was asked.
        doubts: Vec<Problem>,
    },
    /// The files are not right.
    #[error("{0}")]
    Config(Problems),
    /// The answer cannot be written.
    #[error("the output cannot be written: {0}; look at where it goes")]
    Output(#[from] io::Error),
    /// Anything else, in words.
    #[error("{message}")]
    Other {
        /// The exit code.
        exit: Exit,
        /// What happened, and what to do.
        message: String,
    },
}

fn below(doubts: &[Problem]) -> String {
    let mut text = String::new();
    for doubt in doubts {
        let _ = write!(text, "\n  {doubt}");
    }
    text
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        Failure::Client {
            error,
            doubts: Vec::new(),
        }
    }
}

impl Failure {
    /// A failure in words.
    pub fn other(exit: Exit, message: impl Into<String>) -> Failure {
        Failure::Other {
            exit,
            message: message.into(),
        }
    }

    /// What it means for the exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Failure::Client { error, .. } => match error {
                ClientError::NotRunning { .. } | ClientError::Silent { .. } => Exit::OutOfReach,
                ClientError::Denied(_) => Exit::Denied,
                // Stopping, or not ready: the same request may succeed later.
                ClientError::Refused(problem) if problem.status == 503 => Exit::OutOfReach,
                // What was asked for, or the files that were sent, is not right.
                ClientError::Refused(problem) if matches!(problem.status, 400 | 422) => {
                    Exit::Invalid
                }
                ClientError::Refused(_) | ClientError::Broken(_) => Exit::Failed,
            },
            Failure::Config(_) => Exit::Invalid,
            Failure::Output(_) => Exit::Failed,
            Failure::Other { exit, .. } => *exit,
        }
    }

    /// Whether it only says that the reader had enough, as `head` does.
    pub(super) fn is_closed_pipe(&self) -> bool {
        matches!(self, Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
