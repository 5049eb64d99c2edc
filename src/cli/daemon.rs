//! `epms run` without a run's id: the daemon in the foreground, with its signals and its log. Its wiring is
//! in `daemon`.

use std::io::IsTerminal;
use std::path::PathBuf;

use nix::sys::signal::Signal;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Environment, Files, Home, Log, LogFormat, LogLevel};
use crate::daemon::{self, DaemonError, Signals, Start};
use crate::model::Problems;

use super::{Exit, Failure};

pub(super) async fn run(
    home: &Home,
    socket: Option<PathBuf>,
    environment: &Environment,
) -> Result<Exit, Failure> {
    let kept = keep_memory();
    let settings =
        Files::read_settings(home).map_err(|problems| Failure::Config(Problems(problems)))?;
    log(settings.value.log);
    if let Err(error) = kept {
        tracing::warn!(%error, "the system may write this process's memory, and what is secret in it, to a disk when it crashes");
    }
    let stop = CancellationToken::new();
    let reload = signals(&stop)?;
    let start = Start {
        home: home.clone(),
        environment: environment.clone(),
        socket: socket.map(|path| environment.current.join(path)),
    };
    daemon::run(start, Signals { stop, reload }, |_| {}).await?;
    Ok(Exit::Done)
}

/// Nobody gets the memory of this process, with its secrets and everybody's emails: it is not written to a disk when the
/// process crashes, and no other process of its user may look into it. Programs that tell a secret write no core, too.
fn keep_memory() -> rustix::io::Result<()> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    // For those programs alone; where it may not be set, the unit of the service says the same.
    let _ = setrlimit(Resource::Core, none);
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

impl From<DaemonError> for Failure {
    fn from(error: DaemonError) -> Failure {
        match error {
            DaemonError::Config(problems) => Failure::Config(problems),
            DaemonError::Open(error) => error.into(),
            DaemonError::Second { .. } | DaemonError::Listen(_) => {
                Failure::other(Exit::OutOfReach, error.to_string())
            }
            other => Failure::other(Exit::Failed, other.to_string()),
        }
    }
}

/// Signals that would end the process at once, and mean nothing to a daemon.
const IGNORED: [Signal; 9] = [
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGALRM,
    Signal::SIGVTALRM,
    Signal::SIGPROF,
    Signal::SIGIO,
    Signal::SIGSTKFLT,
    Signal::SIGPWR,
    // What would be written beyond a limit fails, and says so where it is written.
    Signal::SIGXFSZ,
];

/// The terminal that this process was started on, by its input and outputs. A service manager gives none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OfTerminal([bool; 3]);

impl OfTerminal {
    fn now() -> OfTerminal {
        OfTerminal([
            std::io::stdin().is_terminal(),
            std::io::stdout().is_terminal(),
            std::io::stderr().is_terminal(),
        ])
    }

    /// Whether there was a terminal, and there is none any more.
    fn is_gone(self, now: OfTerminal) -> bool {
        let mut both = self.0.into_iter().zip(now.0);
        self.0.contains(&true) && both.all(|(before, now)| !before || !now)
    }
}

/// SIGTERM, SIGINT, and what else is sent to make a process end, stop; SIGHUP reloads, but stops where the terminal is gone
/// that the daemon was started on. Installed before the daemon is
/// ready: a signal that came earlier would end the process.
fn signals(stop: &CancellationToken) -> Result<mpsc::Receiver<()>, std::io::Error> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut quit = signal(SignalKind::quit())?;
    // Of the processor's time there is a little left, to end in order.
    let mut out_of_time = signal(of(Signal::SIGXCPU))?;
    let mut hangup = signal(SignalKind::hangup())?;
    for ignored in IGNORED {
        let mut came = signal(of(ignored))?;
        tokio::spawn(async move {
            while came.recv().await.is_some() {
                tracing::info!(
                    signal = ignored.as_str(),
                    "a signal came that means nothing here"
                );
            }
        });
    }
    let (sender, reload) = mpsc::channel(1);
    let stop = stop.clone();
    let begun = OfTerminal::now();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = quit.recv() => break,
                _ = out_of_time.recv() => break,
                _ = hangup.recv() => {
                    if begun.is_gone(OfTerminal::now()) {
                        break;
                    }
                    // A full channel means that a reload is due already.
                    let _ = sender.try_send(());
                }
            }
        }
        stop.cancel();
    });
    Ok(reload)
}

fn of(signal: Signal) -> SignalKind {
    SignalKind::from_raw(signal as i32)
}

fn log(log: Log) {
    let level = match log.level {
        LogLevel::Error => tracing::Level::ERROR,
        LogLevel::Warn => tracing::Level::WARN,
        LogLevel::Info => tracing::Level::INFO,
        LogLevel::Debug => tracing::Level::DEBUG,
    };
    // Other crates' events could carry what ours never do.
    let ours = tracing_subscriber::filter::Targets::new().with_target("epms", level);
    let builder = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        // Where the terminal is gone there is nobody to tell that nothing can be told.
        .log_internal_errors(false)
        .with_max_level(level);
    // A second subscriber in one process is refused; the first goes on.
    let _ = match log.format {
        LogFormat::Text => {
            let color = std::io::stderr().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            builder.with_ansi(color).finish().with(ours).try_init()
        }
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .finish()
            .with(ours)
            .try_init(),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_gone_where_there_was_one_and_none_of_it_is_left() {
        let none = OfTerminal([false; 3]);
        let (all, errors) = (OfTerminal([true; 3]), OfTerminal([false, false, true]));
        assert!(all.is_gone(none) && errors.is_gone(none));
        assert!(!all.is_gone(all) && !all.is_gone(errors));
        assert!(!none.is_gone(none), "a service manager gives none");
    }
}
