//! A program that gives a secret: run without a shell, for a limited time, with its output kept from everywhere else.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use secrecy::zeroize::Zeroizing;

/// A program that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(10);
/// No secret is longer.
const LARGEST: u64 = 64 * 1024;

/// What a program writes to standard output. What it writes to standard error may hold the secret, and goes nowhere.
pub(super) fn output(words: &[String], folder: &Path) -> Result<String, String> {
    within(LONGEST, words, folder)
}

fn within(longest: Duration, words: &[String], folder: &Path) -> Result<String, String> {
    let Some((program, arguments)) = words.split_first() else {
        return Err("no program is named; write [PROGRAM, ARGUMENT]".into());
    };
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("cannot be run: {error}"))?;
    let result = read(&mut child, longest);
    // Whatever it started goes with it; where all of it has ended, nobody is there to end.
    if let Ok(group) = i32::try_from(child.id()) {
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
    let _ = child.wait();
    result
}

fn read(child: &mut Child, longest: Duration) -> Result<String, String> {
    let end = Instant::now() + longest;
    let late = || format!("it did not end within {} seconds", longest.as_secs());
    let Some(output) = child.stdout.take() else {
        return Err("it has no output".into());
    };
    let (sender, written) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = Zeroizing::new(Vec::new());
        let read = output.take(LARGEST + 1).read_to_end(&mut text);
        // Nobody waits any more when it took too long.
        let _ = sender.send(read.map(|_| text));
    });
    let text = written
        .recv_timeout(longest)
        .map_err(|_| late())?
        .map_err(|error| format!("its output cannot be read: {error}"))?;
    if text.len() as u64 > LARGEST {
        return Err(format!("it wrote more than {} KiB", LARGEST / 1024));
    }
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < end => {
                std::thread::park_timeout(Duration::from_millis(5));
            }
            Ok(None) => return Err(late()),
            Err(error) => return Err(format!("it cannot be waited for: {error}")),
        }
    };
    if !status.success() {
        return Err(format!(
            "it ended with {status}; run it as the daemon's user to see why"
        ));
    }
    String::from_utf8(text.to_vec()).map_err(|_| "what it wrote is not UTF-8".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(longest: Duration, line: &str) -> String {
        let words = ["sh", "-c", line].map(String::from);
        within(longest, &words, Path::new("/")).unwrap_err()
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_all_that_it_started() {
        let short = Duration::from_millis(50);
        let begun = Instant::now();
        for line in ["sleep 600", "sleep 600 & sleep 600", "exec >&-; sleep 600"] {
            assert_eq!(
                told(short, line),
                "it did not end within 0 seconds",
                "{line}"
            );
        }
        assert!(begun.elapsed() < Duration::from_mins(5));
    }

    #[test]
    fn a_program_that_writes_without_end_is_ended() {
        assert_eq!(told(LONGEST, "cat /dev/zero"), "it wrote more than 64 KiB");
        assert_eq!(
            told(LONGEST, "printf '\\377'"),
            "what it wrote is not UTF-8"
        );
    }
}
