//! The program itself, as its users start it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use epms::control::client::Client;

use super::home::Home;
use super::usage::memory;

/// The daemon of a home; it is killed when this is dropped.
pub(crate) struct Daemon {
    child: Child,
    pub(crate) client: Client,
    /// Seconds from its start until it answered.
    pub(crate) ready: f64,
}

impl Daemon {
    pub(crate) async fn start(home: &Home) -> Daemon {
        let client = Client::new(&home.path("state/epms.sock")).unwrap();
        let begun = Instant::now();
        let child = epms(home.root()).arg("run").spawn().unwrap();
        let mut daemon = Daemon {
            child,
            client,
            ready: 0.0,
        };
        while daemon.client.healthz().await.is_err() {
            let ended = daemon.child.try_wait().unwrap();
            assert!(ended.is_none(), "the daemon ended: {ended:?}");
            pause().await;
        }
        daemon.ready = begun.elapsed().as_secs_f64();
        daemon
    }

    /// What is resident of it, in bytes.
    pub(crate) fn memory(&self) -> f64 {
        memory(&self.child.id().to_string(), "VmRSS")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program on a home, silent.
pub(crate) fn epms(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_epms"));
    command.arg("--home").arg(home);
    command.env_remove("EPMS_HOME").env_remove("EPMS_SOCKET");
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(Stdio::null());
    command
}

/// Until it is looked again.
pub(crate) async fn pause() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}
