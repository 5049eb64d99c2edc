//! `epms run` without a run's id: the daemon in the foreground. Its wiring is in `daemon`.

use std::path::PathBuf;

use crate::config::{Environment, Home};

use super::{Exit, Failure, Screen};

pub(super) async fn run(
    home: &Home,
    socket: Option<PathBuf>,
    environment: &Environment,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let _ = (home, socket, environment, screen);
    std::future::ready(Err(Failure::other(Exit::Failed, "not built yet"))).await
}
