//! What only a terminal shows: the program on a pseudo-terminal, and somebody who reads and answers.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use epms::sandbox::Kind;
use nix::pty::{Winsize, openpty};
use support::{Home, epms, pms, told};

/// A program on a terminal of 100 columns.
struct Terminal {
    child: Child,
    keys: File,
    came: Receiver<Vec<u8>>,
    shown: String,
}

impl Terminal {
    fn run(home: &Home, words: &[&str]) -> Terminal {
        let size = Winsize {
            ws_row: 40,
            ws_col: 100,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let ends = openpty(&size, None).unwrap();
        let side = || Stdio::from(ends.slave.try_clone().unwrap());
        let mut command = epms();
        command
            .env("TERM", "xterm-256color")
            .args(["--home".as_ref(), home.root().as_os_str()])
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
        }
    }

    /// Reads until `what` is shown, after what was read before.
    fn shows(&mut self, what: &str) {
        loop {
            if let Some(at) = self.shown.find(what) {
                self.shown.drain(..at + what.len());
                return;
            }
            let Ok(more) = self.came.recv_timeout(Duration::from_mins(1)) else {
                panic!("`{what}` is not shown: {}", self.shown);
            };
            self.shown += &String::from_utf8_lossy(&more);
        }
    }

    fn answers(&mut self, question: &str, line: &str) {
        self.shows(question);
        self.keys.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn ends(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_is_added_by_answers_at_a_terminal() {
    let pms = pms(Kind::AppFolio, 7, 40).await;
    let home = Home::new();
    let fields = pms.credential();
    home.write("secrets/acme", &fields["client_secret"]);
    let mut terminal = Terminal::run(&home, &["add", "integration"]);
    terminal.answers("connector (", "appfolio");
    terminal.answers("credential [appfolio]: ", "acme");
    terminal.answers("url [", &fields["url"]);
    terminal.answers("client_id: ", &fields["client_id"]);
    terminal.answers("credential:NAME): ", "secrets/acme");
    terminal.answers("developer_id: ", &fields["developer_id"]);
    // The PMS is asked for what there is before the answer is asked for.
    terminal.shows("Elm Court");
    // There is only one.
    terminal.answers(&format!("[{}]: ", pms.property_id(0)), "");
    terminal.answers("[Elm Court]: ", "");
    terminal.answers("[elm-court]: ", "");
    terminal.answers("such as America/New_York: ", "America/New_York");
    terminal.answers("[US]: ", "");
    terminal.shows("  Current: 26 (current)");
    terminal.answers("(empty: none): ", "Evict");
    terminal.answers("switch it on [y]: ", "");
    terminal.answers("write it [y]: ", "");
    terminal.shows("wrote config/integrations/elm-court.yaml");
    assert_eq!(terminal.ends(), Some(0));
    let checked = home.epms(&["check"]).await;
    assert_eq!(checked.status.code(), Some(0), "{}", told(&checked));
    let written = home.read("config/integrations/elm-court.yaml");
    assert!(written.contains("exclude_statuses: [Evict]"), "{written}");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_gives_up_half_way_has_written_nothing() {
    let home = Home::new();
    let mut terminal = Terminal::run(&home, &["add", "integration"]);
    terminal.answers("connector (", "mri");
    // The end of the input, as Ctrl-D types it.
    terminal.answers("credential [mri]: ", "\u{4}");
    terminal.shows("\n");
    assert_eq!(terminal.ends(), Some(2));
    for folder in ["config/credentials", "config/integrations"] {
        assert_eq!(std::fs::read_dir(home.path(folder)).unwrap().count(), 0);
    }
}
