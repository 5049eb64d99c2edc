//! `epms status --watch`: takes the terminal, asks the daemon each second and draws what it says, until somebody
//! quits; then gives the terminal back as it was. What is shown is in `picture`.

mod picture;

use std::collections::BTreeMap;
use std::io::{IsTerminal, Read, Write};
use std::time::Duration;

use crossterm::{cursor, terminal};
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::control::client::{AlertFilter, Client, ClientError, Cut};
use crate::model::IntegrationId;

use super::{Exit, Failure, Screen};

use picture::Seen;

/// How long a picture stands.
const REDRAW: Duration = Duration::from_secs(1);

pub(super) async fn run(
    integration: Option<&IntegrationId>,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    if screen.view.width.is_none() || !std::io::stdin().is_terminal() {
        let told = "--watch draws on a terminal; for programs there is `epms status --json`";
        return Err(Failure::other(Exit::Invalid, told));
    }
    // What is wrong from the start is told as ever.
    let mut seen = look(integration, client).await?;
    let mut ends = signal(SignalKind::terminate())?;
    let mut hangs_up = signal(SignalKind::hangup())?;
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut taken = Taken::take(screen.out)?;
    let mut keys = keys();
    let mut trouble = None;
    loop {
        let (columns, rows) = terminal::size().unwrap_or((80, 24));
        screen.view.width = Some(columns);
        screen.view.now = Timestamp::now();
        let lines = picture::lines(&seen, trouble.as_deref(), &screen.view, rows.into());
        taken.draw(&lines)?;
        let pause = tokio::time::sleep(REDRAW);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => break,
                key = keys.recv() => if key.is_none_or(quits) {
                    return Ok(Exit::Done);
                },
                _ = ends.recv() => return Ok(Exit::Done),
                _ = hangs_up.recv() => return Ok(Exit::Done),
                _ = interrupts.recv() => return Ok(Exit::Done),
            }
        }
        // A key quits also while the daemon keeps somebody waiting.
        let looked = look(integration, client);
        tokio::pin!(looked);
        let looked = loop {
            tokio::select! {
                looked = &mut looked => break looked,
                key = keys.recv() => if key.is_none_or(quits) {
                    return Ok(Exit::Done);
                },
                _ = ends.recv() => return Ok(Exit::Done),
            }
        };
        match looked {
            Ok(now) => (seen, trouble) = (now, None),
            Err(error) => trouble = Some(format!("{error}; this is from before, and asked again")),
        }
    }
}

/// `q`, or Ctrl-C and Ctrl-D, which are keys like others on a terminal that is taken.
fn quits(key: u8) -> bool {
    matches!(key, b'q' | b'Q' | 3 | 4)
}

/// What the daemon says now.
async fn look(integration: Option<&IntegrationId>, client: &Client) -> Result<Seen, ClientError> {
    let mut status = client.status().await?;
    if let Some(id) = integration {
        // One that is not there is told by the daemon's own words.
        let one = client.integration(id).await?;
        status.open_alerts = one.open_alerts;
        status.integrations = vec![one];
    }
    let mut runs = Vec::new();
    for run in status.integrations.iter().filter_map(|one| one.running) {
        runs.push(client.run(run).await?.state);
    }
    let mut alerts = BTreeMap::new();
    if status.open_alerts > 0 {
        let filter = AlertFilter {
            integration: integration.cloned(),
            ..AlertFilter::default()
        };
        let cut = Cut {
            limit: Some(1000),
            cursor: None,
        };
        for alert in client.alerts(&filter, &cut).await?.items {
            *alerts.entry(alert.kind).or_insert(0) += 1;
        }
    }
    Ok(Seen {
        status,
        runs,
        alerts,
    })
}

/// The keys that are pressed. The thread ends with the process: nothing else waits for a key.
fn keys() -> mpsc::Receiver<u8> {
    let (give, keys) = mpsc::channel(16);
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut key = [0];
        while let Ok(1) = input.read(&mut key) {
            if give.blocking_send(key[0]).is_err() {
                break;
            }
        }
    });
    keys
}

/// A terminal that shows nothing but ours. It is given back when this is dropped.
struct Taken<'a> {
    out: &'a mut dyn Write,
}

impl Taken<'_> {
    fn take(out: &mut dyn Write) -> std::io::Result<Taken<'_>> {
        terminal::enable_raw_mode()?;
        // From here on it is given back, whatever fails.
        let taken = Taken { out };
        let mut bytes = Vec::new();
        crossterm::queue!(bytes, terminal::EnterAlternateScreen, cursor::Hide)?;
        taken.out.write_all(&bytes)?;
        Ok(taken)
    }

    /// Line by line over what was there, so that nothing flickers.
    fn draw(&mut self, lines: &[String]) -> std::io::Result<()> {
        let mut picture = Vec::new();
        for (row, line) in (0..).zip(lines) {
            let line_end = terminal::Clear(terminal::ClearType::UntilNewLine);
            crossterm::queue!(picture, cursor::MoveTo(0, row))?;
            picture.extend(line.as_bytes());
            crossterm::queue!(picture, line_end)?;
        }
        crossterm::queue!(
            picture,
            terminal::Clear(terminal::ClearType::FromCursorDown)
        )?;
        self.out.write_all(&picture)?;
        self.out.flush()
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        // Where the terminal is gone there is nothing to give back.
        let mut bytes = Vec::new();
        let _ = crossterm::queue!(bytes, cursor::Show, terminal::LeaveAlternateScreen);
        let _ = self.out.write_all(&bytes).and_then(|()| self.out.flush());
        let _ = terminal::disable_raw_mode();
    }
}
