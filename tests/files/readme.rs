//! The sessions of the README and of the manual: every command in them is run, by a shell and in its order, and what comes
//! is compared with what stands there.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::pages::Page;
use crate::support::{found, output, told};

/// A command of a session, and the lines that it shows.
#[derive(Debug)]
struct Step {
    command: String,
    shows: Vec<String>,
}

/// The commands of all blocks of a page that are a terminal.
fn steps(page: &Page) -> Vec<Step> {
    let blocks = page.blocks();
    let mut steps: Vec<Step> = Vec::new();
    for block in blocks.iter().filter(|block| block.kind == "console") {
        let mut lines = block.text.lines();
        while let Some(line) = lines.next() {
            let Some(typed) = line.strip_prefix("$ ") else {
                steps.last_mut().unwrap().shows.push(line.to_owned());
                continue;
            };
            let mut command = typed.to_owned();
            while command.ends_with('\\') {
                command += &format!("\n{}", lines.next().unwrap());
            }
            if command.contains("<<'END'") {
                while !command.ends_with("\nEND") {
                    command += &format!("\n{}", lines.next().unwrap());
                }
            }
            steps.push(Step {
                command,
                shows: Vec::new(),
            });
        }
    }
    steps
}

/// A line without what differs from time to time and from one table to another: the digits of a number, times, the
/// width of columns, and who runs it.
fn steady(line: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in line.split_whitespace() {
        let open = word.strip_prefix('(').unwrap_or(word);
        let unit = open.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let is_time = unit.len() < open.len()
            && ["ms", "s", "m", "h", "d"].contains(&unit.trim_end_matches([',', ':', ')']));
        let last = words.last().map(String::as_str);
        let of_time = word == "now" || word == "ago" && last == Some("TIME");
        if is_time || of_time {
            words.push("TIME".into());
        } else if last == Some("of") && words.iter().any(|word| word == "secret") {
            words.push("USER".into());
        } else {
            let mut digits = false;
            let number = word.chars().filter_map(|c| {
                let again = digits && c.is_ascii_digit();
                digits = c.is_ascii_digit();
                (!again).then_some(if digits { '0' } else { c })
            });
            words.push(number.collect());
        }
    }
    words.dedup_by(|a, b| a == "TIME" && b == "TIME");
    words.join(" ")
}

/// Whether the lines are those that are shown; `...` stands for any number of lines.
fn is_shown(shows: &[String], came: &[&str]) -> bool {
    match (shows.split_first(), came.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "..." => {
            (0..=came.len()).any(|skipped| is_shown(rest, &came[skipped..]))
        }
        (Some((first, rest)), Some((line, others))) => {
            steady(first) == steady(line) && is_shown(rest, others)
        }
        (None, Some(_)) | (Some(_), None) => false,
    }
}

/// A shell, in a folder of its own, that goes from command to command.
struct Shell {
    /// The page that is played.
    page: String,
    folder: PathBuf,
    port: u16,
    background: Vec<Child>,
}

impl Shell {
    /// `line`, in the shell's folder and with its port.
    fn command(&self, line: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_epms")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new("sh");
        command
            .args(["-c", &self.with_ports(line)])
            .env("PATH", format!("{}:{path}", program.display()))
            .env_remove("EPMS_HOME")
            .env_remove("STATE_DIRECTORY")
            .env_remove("RUNTIME_DIRECTORY")
            .stdin(Stdio::null())
            .current_dir(&self.folder);
        command
    }

    /// A session's two ports are free ones here.
    fn with_ports(&self, line: &str) -> String {
        line.replace("7001", &self.port.to_string())
            .replace("7002", &(self.port + 1).to_string())
    }

    /// What came, where it is what is shown.
    fn compare(&self, step: &Step, came: &str) -> Result<(), String> {
        let came = came
            .replace(&self.port.to_string(), "7001")
            .replace(&(self.port + 1).to_string(), "7002");
        let lines: Vec<&str> = came.lines().collect();
        if is_shown(&step.shows, &lines) {
            Ok(())
        } else {
            let shown = step.shows.join("\n");
            Err(format!(
                "{}: $ {}\nshown:\n{shown}\ncame:\n{came}",
                self.page, step.command
            ))
        }
    }

    /// A command that goes on: until it shows what stands there.
    async fn begin(&mut self, step: &Step, line: &str) {
        let log = self
            .folder
            .join(format!("../{}.out", self.background.len()));
        let mut command = self.command(&format!("exec {line}"));
        let file = File::create(&log).unwrap();
        self.background.push(command.stdout(file).spawn().unwrap());
        found(&step.command, async || {
            let came = std::fs::read_to_string(&log).unwrap();
            self.compare(step, &came).ok()
        })
        .await;
    }

    /// A command that ends. What only looks is looked at until what is awaited is there: a daemon starts, and takes a
    /// file in, within a moment.
    async fn run(&self, step: &Step) {
        let only_looks = [
            "epms status",
            "epms preview",
            "epms targets",
            "epms deliveries preview",
            "epms people show",
        ];
        let only_looks = only_looks.iter().any(|verb| step.command.starts_with(verb));
        let begun = std::time::Instant::now();
        loop {
            let came = told(&output(self.command(&step.command)).await);
            match self.compare(step, &came) {
                Ok(()) => return,
                Err(_) if only_looks && begun.elapsed() < crate::support::PATIENCE => {}
                Err(told) => panic!("{told}"),
            }
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        for child in &mut self.background {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[tokio::test]
async fn every_command_of_a_session_shows_what_stands_there() {
    let sessions: Vec<(Page, Vec<Step>)> = Page::all()
        .into_iter()
        .map(|page| {
            let steps = steps(&page);
            (page, steps)
        })
        .filter(|(_, steps)| !steps.is_empty())
        .collect();
    let found: Vec<(&str, usize)> = sessions
        .iter()
        .map(|(page, steps)| (page.name.as_str(), steps.len()))
        .collect();
    let long = |name: &str, least: usize| found.iter().any(|(at, len)| *at == name && *len > least);
    assert!(
        long("docs/session.md", 15) && long("docs/changes.md", 8),
        "a session was not found: {found:?}"
    );
    for (page, steps) in &sessions {
        play(&page.name, steps).await;
    }
}

/// Runs a session from its first command to its last, in an empty folder.
async fn play(page: &str, steps: &[Step]) {
    let folder = tempfile::tempdir().unwrap();
    let mut shell = Shell {
        page: page.to_owned(),
        folder: folder.path().to_owned(),
        port: two_free_ports(),
        background: Vec::new(),
    };
    for step in steps {
        if let Some(to) = step.command.strip_prefix("cd ") {
            shell.folder.push(to);
        } else if let Some(line) = step.command.strip_suffix(" &") {
            shell.begin(step, line).await;
        } else {
            shell.run(step).await;
        }
    }
}

/// The first of two ports in a row that nobody listens on.
fn two_free_ports() -> u16 {
    let mut tries = std::iter::repeat_with(|| {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        let next = std::net::TcpListener::bind(("127.0.0.1", port.checked_add(1)?));
        next.is_ok().then_some(port)
    });
    tries.find_map(|port| port).unwrap()
}

/// The README's ten lines are those of the manual's session, which is run.
#[test]
fn every_line_from_a_feed_to_an_opened_door_is_in_a_session_that_is_run() {
    let pages = Page::all();
    let page = |name: &str| pages.iter().find(|page| page.name == name).unwrap();
    let blocks = page("README.md").blocks();
    let mut blocks = blocks.iter().filter(|block| block.kind == "sh");
    let block = blocks
        .find(|block| block.text.contains("epms add target"))
        .unwrap();
    let lines: Vec<&str> = block.text.trim().lines().collect();
    assert_eq!(lines.len(), 10, "{lines:#?}");
    let session: Vec<Step> = steps(page("docs/delivery.md"));
    for line in lines {
        let typed = line.split("  #").next().unwrap().trim();
        let is_typed = |step: &Step| step.command.starts_with(typed);
        assert!(session.iter().any(is_typed), "{typed}");
    }
}

#[test]
fn what_is_compared_is_all_but_numbers_times_and_widths() {
    assert_eq!(steady("r2   now      11ms  54 seen"), "r0 TIME 0 seen");
    assert_eq!(steady("up 2s: 38 people"), steady("up 13m: 7 people"));
    assert_ne!(steady("9 held"), steady("9 excluded"));
    let shows = |text: &str| -> Vec<String> { text.lines().map(str::to_owned).collect() };
    assert!(is_shown(&shows("a\n...\nz"), &["a", "b", "c", "z"]));
    assert!(is_shown(&shows("a\n..."), &["a"]));
    assert!(!is_shown(&shows("a\n...\nz"), &["a", "b"]));
    assert!(!is_shown(&shows("a"), &["a", "b"]));
}
