//! `--watch`: shows something again at each save of the files that it depends on, until somebody has seen enough. What
//! is shown is the command's.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::catalog::Saves;

use super::{Exit, Failure, Screen};

/// Clears a terminal, with what has run out of it.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J\u{1b}[3J";

/// Shows what `show` shows, and again whenever what `seen` sees is another after a save below `folders`. What cannot be
/// shown is told in its place. Ends with Ctrl-C.
pub(super) async fn again<S: PartialEq>(
    folders: Vec<PathBuf>,
    screen: &mut Screen<'_>,
    mut seen: impl AsyncFnMut() -> S,
    mut show: impl FnMut(&mut Screen<'_>) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let mut saves = Saves::below(folders);
    let mut last = seen().await;
    loop {
        screen.view.now = Timestamp::now();
        let time = screen.view.now.to_zoned(screen.view.zone.clone());
        let terminal = screen.view.width.is_some();
        if terminal {
            write!(screen.out, "{CLEAR}")?;
        }
        match show(screen) {
            Ok(_) => {}
            // The reader is gone.
            Err(failure @ Failure::Output(_)) => return Err(failure),
            Err(failure) => screen.tell(&format!("{failure}\n"))?,
        }
        if terminal {
            let time = time.strftime("%H:%M:%S");
            writeln!(
                screen.out,
                "\nas of {time}; runs again at each save, Ctrl-C ends"
            )?;
        }
        screen.out.flush()?;
        loop {
            tokio::select! {
                () = saves.next() => {}
                _ = tokio::signal::ctrl_c() => return Ok(Exit::Done),
            }
            let now = seen().await;
            if now != last {
                last = now;
                break;
            }
        }
    }
}
