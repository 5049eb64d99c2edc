//! The program on a pseudo-terminal, and somebody who reads and answers.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use nix::pty::{Winsize, openpty};

use super::epms;

/// A program on a terminal.
pub struct Terminal {
    child: Child,
    keys: File,
    came: Receiver<Vec<u8>>,
    shown: String,
    /// The beginning of a letter.
    begun: Vec<u8>,
}

impl Terminal {
    /// Begins it on a terminal of so many columns.
    pub fn run(columns: u16, home: &Path, words: &[&str]) -> Terminal {
        let size = Winsize {
            ws_row: 40,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let ends = openpty(&size, None).unwrap();
        let side = || Stdio::from(ends.slave.try_clone().unwrap());
        let mut command = epms();
        command
            .env("TERM", "xterm-256color")
            .args(["--home".as_ref(), home.as_os_str()])
            .args(words)
            .stdin(side())
            .stdout(side())
            .stderr(side());
        let child = command.spawn().unwrap();
        drop(command);
        drop(ends.slave);
        let keys = File::from(ends.master);
        let mut screen = keys.try_clone().unwrap();
        let (give, came) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The other side's end is an error here.
            while let Ok(count) = screen.read(&mut buffer) {
                if count == 0 || give.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Terminal {
            child,
            keys,
            came,
            shown: String::new(),
            begun: Vec::new(),
        }
    }

    /// What came, but for the beginning of a letter whose end has not come.
    fn takes(&mut self, more: &[u8]) {
        self.begun.extend(more);
        let whole = match std::str::from_utf8(&self.begun) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Ok(_) | Err(_) => self.begun.len(),
        };
        let whole: Vec<u8> = self.begun.drain(..whole).collect();
        self.shown += &String::from_utf8_lossy(&whole);
    }

    /// Reads until `what` is shown, after what was read before.
    pub fn shows(&mut self, what: &str) {
        loop {
            if let Some(at) = self.shown.find(what) {
                self.shown.drain(..at + what.len());
                return;
            }
            let Ok(more) = self.came.recv_timeout(Duration::from_mins(1)) else {
                panic!("`{what}` is not shown: {}", self.shown);
            };
            self.takes(&more);
        }
    }

    /// Waits for the question, and types the line.
    pub fn answers(&mut self, question: &str, line: &str) {
        self.shows(question);
        self.keys.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Presses keys.
    pub fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for its end; the exit code.
    pub fn ends(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Everything that it shows until it ends.
    pub fn all(mut self) -> String {
        while let Ok(more) = self.came.recv_timeout(Duration::from_mins(1)) {
            self.takes(&more);
        }
        self.child.wait().unwrap();
        self.shown
    }
}

/// Begins a program on a terminal that nobody reads: the program, and the terminal, which is gone when it is dropped.
pub fn on_terminal(home: &Path, words: &[&str]) -> (Child, File) {
    let ends = openpty(None, None).unwrap();
    // A clone is not handed on to the program: it would keep its own terminal.
    let terminal = File::from(ends.master).try_clone().unwrap();
    let side = || Stdio::from(ends.slave.try_clone().unwrap());
    let mut command = epms();
    command
        .args(["--home".as_ref(), home.as_os_str()])
        .args(words)
        .stdin(side())
        .stdout(side())
        .stderr(side());
    let child = command.spawn().unwrap();
    (child, terminal)
}
