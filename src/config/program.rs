//! A program that gives a secret, or that is told something: run without a shell, for a limited time, with its output kept
//! from everywhere else.

use std::io::{Read, Write};
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
/// The same of one that is told something.
const LONGEST_TOLD: Duration = Duration::from_secs(30);
/// No secret is longer.
const LARGEST: u64 = 64 * 1024;

/// What a program writes to standard output. What it writes to standard error may hold the secret, and goes nowhere.
pub(super) fn output(words: &[String], folder: &Path) -> Result<String, String> {
    within(LONGEST, words, folder)
}

/// Tells a program something on its standard input, with variables in its environment. What it writes goes nowhere; it says
/// by exit code 0 that it heard. Waits for its end: not for an async worker.
pub fn tell_program(
    words: &[String],
    folder: &Path,
    variables: &[(&str, &str)],
    text: &str,
) -> Result<(), String> {
    told_within(LONGEST_TOLD, words, folder, variables, text)
}

fn told_within(
    longest: Duration,
    words: &[String],
    folder: &Path,
    variables: &[(&str, &str)],
    text: &str,
) -> Result<(), String> {
    let end = Instant::now() + longest;
    let mut command = command(words, folder)?;
    command
        .stdin(Stdio::piped())
        .envs(variables.iter().copied());
    let mut child = command
        .spawn()
        .map_err(|error| format!("cannot be run: {error}"))?;
    if let Some(mut input) = child.stdin.take() {
        let text = text.to_owned();
        // It may not listen, or end before it has heard all.
        std::thread::spawn(move || input.write_all(text.as_bytes()));
    }
    let result = ended(&mut child, end, longest);
    end_all(&mut child);
    result
}

/// The program, in a group of its own, with nothing to read and nowhere to write.
fn command(words: &[String], folder: &Path) -> Result<Command, String> {
    let Some((program, arguments)) = words.split_first() else {
        return Err("no program is named; write [PROGRAM, ARGUMENT]".into());
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    Ok(command)
}

/// Whatever it started goes with it; where all of it has ended, nobody is there to end.
fn end_all(child: &mut Child) {
    if let Ok(group) = i32::try_from(child.id()) {
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
    let _ = child.wait();
}

/// Waits for its end, and for exit code 0.
fn ended(child: &mut Child, end: Instant, longest: Duration) -> Result<(), String> {
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < end => {
                std::thread::park_timeout(Duration::from_millis(5));
            }
            Ok(None) => return Err(late(longest)),
            Err(error) => return Err(format!("it cannot be waited for: {error}")),
        }
    };
    if status.success() {
        return Ok(());
    }
    Err(format!(
        "it ended with {status}; run it as the daemon's user to see why"
    ))
}

fn late(longest: Duration) -> String {
    format!("it did not end within {} seconds", longest.as_secs())
}

fn within(longest: Duration, words: &[String], folder: &Path) -> Result<String, String> {
    let mut child = command(words, folder)?
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot be run: {error}"))?;
    let result = read(&mut child, longest);
    end_all(&mut child);
    result
}

fn read(child: &mut Child, longest: Duration) -> Result<String, String> {
    let end = Instant::now() + longest;
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
        .map_err(|_| late(longest))?
        .map_err(|error| format!("its output cannot be read: {error}"))?;
    if text.len() as u64 > LARGEST {
        return Err(format!("it wrote more than {} KiB", LARGEST / 1024));
    }
    ended(child, end, longest)?;
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
    fn a_program_is_told_a_text_and_says_by_its_exit_code_that_it_heard() {
        let folder = tempfile::tempdir().unwrap();
        let tell = |line: &str, text: &str| {
            let words = ["sh", "-c", line].map(String::from);
            tell_program(&words, folder.path(), &[("EPMS_MESSAGE_ID", "m1")], text)
        };
        tell(
            "cat > heard; printf %s \"$EPMS_MESSAGE_ID\" > id",
            "a\nb $HOME",
        )
        .unwrap();
        let heard = |name| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(
            (heard("heard"), heard("id")),
            ("a\nb $HOME".into(), "m1".into())
        );
        let failed = tell("exit 3", "x").unwrap_err();
        assert!(
            failed.starts_with("it ended with exit status: 3"),
            "{failed}"
        );
        // One that does not listen is no failure, however much it is told.
        tell("exec true", &"x".repeat(1 << 20)).unwrap();
        let words = ["sh", "-c", "sleep 600"].map(String::from);
        let late = told_within(Duration::from_millis(50), &words, folder.path(), &[], "x");
        assert_eq!(late.unwrap_err(), "it did not end within 0 seconds");
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
