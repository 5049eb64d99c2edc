//! From an empty folder to a running sync, as somebody does it who has only the program: `init`, `sandbox`,
//! the command that the sandbox prints, `run`, `sync`.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::support::{Daemon, epms, output, told};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// `epms` with the words of `line`, in `folder`.
async fn run(folder: &Path, line: &str) -> Output {
    let mut command = epms();
    command.args(line.split_whitespace()).current_dir(folder);
    output(command).await
}

/// A shell in `folder` that finds the program as `epms`.
fn shell(folder: &Path, line: &str) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_epms")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", line])
        .env("PATH", format!("{}:{path}", program.display()))
        .env_remove("EPMS_HOME")
        .stdin(Stdio::null())
        .current_dir(folder);
    command
}

/// `epms sandbox`, and what it prints until it serves.
fn sandbox(folder: &Path, words: &[&str]) -> (Child, String) {
    let mut command = epms();
    command.arg("sandbox").args(words).current_dir(folder);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut printed = String::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    while !printed.contains("serving until Ctrl-C") {
        assert_ne!(lines.read_line(&mut printed).unwrap(), 0, "{printed}");
    }
    (child, printed)
}

fn end(mut sandbox: Child) {
    let pid = Pid::from_raw(sandbox.id().try_into().unwrap());
    kill(pid, Signal::SIGTERM).unwrap();
    assert_eq!(sandbox.wait().unwrap().code(), Some(0));
}

#[tokio::test]
async fn from_an_empty_folder_to_a_sync_by_what_each_command_prints() {
    let folder = TempDir::new().unwrap();
    let made = run(folder.path(), "init acme").await;
    assert_eq!(made.status.code(), Some(0), "{}", told(&made));
    let (before, counted) = told(&made)
        .split_once("scripts and ")
        .map(|(before, rest)| {
            let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            (before.to_owned(), rest.to_owned())
        })
        .unwrap();
    insta::assert_snapshot!(format!("{before}scripts and N{counted}"), @r"
    made a home in acme: config/epms.yaml, 14 connectors, their scripts and N mapping tests

    next
      cd acme
      epms sandbox yardi     a made-up PMS to try it with, in another terminal
      epms add integration   attach a property of a PMS, step by step
      epms run               the daemon, in another terminal
      epms sync --all        sync now, and see what came
    ");
    let home = folder.path().join("acme");
    let mode = |name: &str| {
        let metadata = std::fs::metadata(home.join(name)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode("secrets"), 0o700);
    let checked = run(&home, "check").await;
    assert_eq!(checked.status.code(), Some(0), "{}", told(&checked));
    assert_eq!(run(&home, "test").await.status.code(), Some(0));

    for kind in [
        "yardi",
        "appfolio",
        "entrata",
        "mri",
        "realpage",
        "resman",
        "rentmanager",
    ] {
        let (pms, printed) = sandbox(&home, &[kind, "--residents", "60", "--secrets", "secrets"]);
        let (_, command) = printed.split_once("asks for these, or\n").unwrap();
        let (command, _) = command.split_once("\nserving").unwrap();
        let command = format!("{command} --id {kind}").replace("\n --id", " --id");
        let added = output(shell(&home, command.trim())).await;
        assert_eq!(added.status.code(), Some(0), "{command}\n{}", told(&added));
        let daemon_socket = home.join("state/epms.sock");
        let daemon = Daemon::spawn(
            {
                let mut command = epms();
                command.arg("run").current_dir(&home);
                command
            },
            &daemon_socket,
            folder.path(),
        )
        .await;
        let synced = run(&home, &format!("sync {kind}")).await;
        assert_eq!(synced.status.code(), Some(0), "{}", told(&synced));
        assert!(!daemon.people().await.is_empty(), "{}", daemon.log());
        assert_eq!(daemon.stop().await, Some(0));
        end(pms);
        assert_eq!(
            mode(&format!("config/integrations/{kind}.yaml")) & 0o600,
            0o600
        );
    }
    for secret in std::fs::read_dir(home.join("secrets")).unwrap() {
        let name = secret.unwrap().file_name().into_string().unwrap();
        assert_eq!(mode(&format!("secrets/{name}")), 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_home_overwrites_nothing_and_writes_nothing_where_it_would() {
    let folder = TempDir::new().unwrap();
    let home = folder.path().join("acme");
    std::fs::create_dir_all(home.join("scripts")).unwrap();
    std::fs::write(home.join("scripts/yardi.rhai"), "// mine").unwrap();
    std::fs::write(home.join("notes.txt"), "mine, too").unwrap();
    let refused = run(folder.path(), "init acme").await;
    assert_eq!(refused.status.code(), Some(2));
    insta::assert_snapshot!(told(&refused), @"epms: acme/scripts/yardi.rhai would be overwritten, so nothing was written; name a new folder, or move them away");
    assert!(!home.join("config").exists());
    std::fs::remove_file(home.join("scripts/yardi.rhai")).unwrap();
    // What is none of ours stays beside it.
    assert_eq!(run(&home, "init .").await.status.code(), Some(0));
    assert_eq!(
        std::fs::read_to_string(home.join("notes.txt")).unwrap(),
        "mine, too"
    );
    let again = told(&run(&home, "init .").await);
    assert!(again.contains("would be overwritten"), "{again}");
    let on_a_file = run(&home, "init notes.txt").await;
    assert!(told(&on_a_file).contains("is no folder"));
    let json = run(folder.path(), "init other --json").await;
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(
        json["files"]
            .as_array()
            .unwrap()
            .iter()
            .any(|name| name == ".gitignore")
    );
}

#[tokio::test]
async fn a_sandbox_gives_the_same_secrets_again_and_overwrites_no_others() {
    let folder = TempDir::new().unwrap();
    let words = ["yardi", "--secrets", "secrets", "--residents", "10"];
    let secret = || std::fs::read_to_string(folder.path().join("secrets/yardi-password")).unwrap();
    let (pms, printed) = sandbox(folder.path(), &words);
    let first = secret();
    assert!(!printed.contains(&first), "{printed}");
    end(pms);
    end(sandbox(folder.path(), &words).0);
    assert_eq!(secret(), first);
    std::fs::write(folder.path().join("secrets/yardi-password"), "the real one").unwrap();
    let refused = run(folder.path(), "sandbox yardi --secrets secrets").await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        told(&refused).contains("something else in it"),
        "{}",
        told(&refused)
    );
    assert_eq!(secret(), "the real one");
}

#[tokio::test]
async fn what_a_sandbox_prints_of_its_doors_makes_them_a_target() {
    let folder = TempDir::new().unwrap();
    assert_eq!(run(folder.path(), "init acme").await.status.code(), Some(0));
    let home = folder.path().join("acme");
    let words = ["opendoor", "--residents", "10", "--secrets", "secrets"];
    let (doors, printed) = sandbox(&home, &words);
    let command = printed.split("`epms init` made:\n\n").nth(1).unwrap();
    let command = command.split("\n\n").next().unwrap().replace("\\\n", " ");
    let words: Vec<&str> = command.split_whitespace().collect();
    let added = run(&home, &words[1..].join(" ")).await;
    assert_eq!(added.status.code(), Some(0), "{}\n{printed}", told(&added));
    let checked = run(&home, "check").await;
    assert_eq!(
        checked.status.code(),
        Some(0),
        "{}\n{printed}",
        told(&checked)
    );
    let target = home.join("config/targets/doors.yaml");
    assert!(target.is_file(), "{printed}");
    end(doors);
}
