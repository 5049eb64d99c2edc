//! What lies in a home and is none of its files: links that lead out of it, named pipes, files without end. Nothing of
//! them is quoted, and nobody waits for them.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use std::process::Stdio;

use crate::support::{Daemon, Home, eventually, found, pms, told};
use epms::model::ReloadOutcome;
use epms::sandbox::Kind;
use nix::fcntl::AT_FDCWD;
use nix::sys::fanotify::{EventFFlags, Fanotify, InitFlags, MarkFlags, MaskFlags};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};

const OUTSIDE: &str = "leads out of the home by a link";

/// D8.
#[tokio::test]
async fn nothing_of_a_file_outside_the_home_is_quoted_wherever_a_link_leads_to_it() {
    for name in [
        "config/epms.yaml",
        "config/credentials/elm-account.yaml",
        "config/connectors/appfolio.yaml",
        "config/integrations/elm.yaml",
        "config/integrations",
        "scripts/appfolio.rhai",
        "scripts/lib/names.rhai",
        "scripts/lib",
        "scripts/tests/appfolio/none.yaml",
        "scripts/tests/appfolio",
        "scripts/tests",
    ] {
        let pms = pms(Kind::AppFolio, 1, 10).await;
        let home = Home::new();
        home.feed("elm", &pms);
        let secret = "hunter2-canary: [ ) hunter2-canary";
        let (file, path) = (home.beside().join("hidden"), home.path(name));
        for name in ["elm.yaml", "names.rhai", "none.yaml"] {
            std::fs::write(home.beside().join(name), secret).unwrap();
        }
        std::fs::write(&file, secret).unwrap();
        if path.is_dir() {
            std::fs::rename(&path, home.beside().join("away")).unwrap();
            symlink(home.beside(), &path).unwrap();
        } else {
            let _ = std::fs::remove_file(&path);
            symlink(&file, &path).unwrap();
        }
        let mut all = String::new();
        for words in [&["check"][..], &["test"], &["check", "--json"]] {
            let output = home.epms(words).await;
            assert!(
                !output.status.success() || words == ["test"] || name.contains("tests"),
                "{name} {words:?}"
            );
            all += &told(&output);
        }
        assert!(all.contains(OUTSIDE), "{name}: {all}");
        assert!(!all.contains("hunter2"), "{name}: {all}");
    }
}

/// D8.
#[tokio::test]
async fn a_link_out_of_the_home_that_comes_while_the_daemon_runs_is_told_and_changes_nothing() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let folder = home.path("config/integrations");
    std::fs::rename(&folder, home.beside().join("integrations")).unwrap();
    symlink(home.beside().join("integrations"), &folder).unwrap();
    let lib = home.path("scripts/lib/other.rhai");
    let secret = home.beside().join("secret");
    std::fs::write(&secret, "hunter2-canary").unwrap();
    symlink(&secret, &lib).unwrap();
    let reply = daemon.client.reload().await.unwrap();
    let mut files: Vec<_> = reply.problems.iter().map(|one| one.file.clone()).collect();
    files.sort();
    assert_eq!(
        files,
        ["config/integrations", "scripts/lib/other.rhai"].map(std::path::PathBuf::from)
    );
    let status = told(&home.epms(&["status"]).await);
    assert!(
        status.contains(OUTSIDE) && !status.contains("hunter2"),
        "{status}"
    );
    assert!(!daemon.log().contains("hunter2"));
    // Which files there are is not known: what runs goes on.
    assert!(daemon.sync("elm").await.outcome.is_success());
    std::fs::remove_file(lib).unwrap();
    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(home.beside().join("integrations"), &folder).unwrap();
    let reply = daemon.client.reload().await.unwrap();
    assert_eq!(reply.problems, []);
}

/// D7.
#[tokio::test]
async fn a_named_pipe_or_a_socket_in_the_home_holds_up_no_check_no_reload_and_no_end() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let names = [
        "config/integrations/oak.yaml",
        "scripts/other.rhai",
        "scripts/tests/appfolio/pipe.yaml",
    ];
    for name in names {
        mkfifo(&home.path(name), Mode::S_IRWXU).unwrap();
    }
    let socket = "config/connectors/other.yaml";
    let _listener = UnixListener::bind(home.path(socket)).unwrap();
    let reply = daemon.client.reload().await.unwrap();
    let of = |id: &str| {
        reply
            .integrations
            .iter()
            .find(|one| one.id.as_str() == id)
            .unwrap()
    };
    assert_eq!(of("elm").outcome, ReloadOutcome::Unchanged);
    assert_eq!(of("oak").outcome, ReloadOutcome::Rejected);
    assert!(
        of("oak").problems[0]
            .message
            .contains("is a named pipe, and only regular files are read"),
        "{reply:?}"
    );
    assert_eq!(reply.problems.len(), 1, "{reply:?}");
    assert!(
        reply.problems[0].message.contains("is a named pipe"),
        "{reply:?}"
    );
    let checked = told(&home.epms(&["check"]).await);
    let tested = told(&home.epms(&["test"]).await);
    assert!(
        checked.contains(&format!("{socket}: is a socket")),
        "{checked}"
    );
    for name in names {
        let told = format!("{name}: is a named pipe");
        assert!(
            checked.contains(&told) || tested.contains(&told),
            "{checked}{tested}"
        );
    }
    // Changes go on coming in, and a daemon starts and ends with it there.
    home.edit(
        "config/integrations/elm.yaml",
        "exclude_statuses: []",
        "exclude_statuses: [Notice]",
    );
    daemon.reloaded("elm", 1).await;
    assert_eq!(daemon.stop().await, Some(0));
    let mut daemon = Daemon::start(&home).await;
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.ended().await, Some(0));
}

/// D7: a mount that hangs. A file that nobody may open until the test says so stands for it, which only root can have.
#[tokio::test]
async fn a_disk_that_does_not_answer_is_told_and_is_in_the_way_of_no_run_and_no_end() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let mut daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let hung = match Fanotify::init(InitFlags::FAN_CLASS_CONTENT, EventFFlags::O_RDONLY) {
        Ok(hung) => hung,
        Err(error) => return eprintln!("no file can be made to hang here ({error}): NOT shown"),
    };
    let (mark, opened) = (MarkFlags::FAN_MARK_ADD, MaskFlags::FAN_OPEN_PERM);
    let file = home.path("config/integrations/elm.yaml");
    if let Err(error) = hung.mark(mark, opened, AT_FDCWD, Some(&file)) {
        return eprintln!("no file can be made to hang here ({error}): NOT shown");
    }
    daemon.signal(Signal::SIGHUP);
    let since = found("the load is told", async || {
        daemon.client.status().await.unwrap().loading_since
    })
    .await;
    assert!(since > daemon.client.status().await.unwrap().started);
    let shown = told(&home.epms(&["status"]).await);
    assert!(
        shown.contains("the files are being loaded since"),
        "{shown}"
    );
    assert!(
        daemon.log().contains("loading files takes long"),
        "{}",
        daemon.log()
    );
    assert!(daemon.sync("elm").await.outcome.is_success());
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.ended().await, Some(0));
    // One that is told to end before it has loaded anything ends, too.
    let mut command = crate::support::epms();
    command.args(["--home".as_ref(), home.root().as_os_str(), "run".as_ref()]);
    let mut starting = command.stderr(Stdio::null()).spawn().unwrap();
    let pid = Pid::from_raw(starting.id().try_into().unwrap());
    eventually("its signals are caught", async || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = u64::from_str_radix(caught.unwrap().trim(), 16).unwrap();
        caught & (1 << (Signal::SIGTERM as u64 - 1)) != 0
    })
    .await;
    kill(pid, Signal::SIGTERM).unwrap();
    let ended = found("it ends", async || starting.try_wait().unwrap()).await;
    assert_eq!(ended.code(), Some(0));
    drop(hung);
}

/// D9.
#[tokio::test]
async fn a_script_that_is_too_large_or_no_text_says_so_wherever_it_is_named() {
    let pms = pms(Kind::AppFolio, 1, 10).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let script = home.path("scripts/appfolio.rhai");
    for (bytes, why) in [
        (
            vec![b'\n'; 1024 * 1024 + 1],
            "is larger than 1 MiB, and no more is read",
        ),
        (b"// caf\xe9".to_vec(), "cannot be read: it is not UTF-8"),
    ] {
        std::fs::write(&script, bytes).unwrap();
        for words in [
            &["check"][..],
            &["test", "appfolio"],
            &["map", "appfolio", "config/epms.yaml"],
        ] {
            let output = home.epms(words).await;
            assert!(!output.status.success(), "{words:?}");
            let said = told(&output);
            assert!(
                said.contains(&format!("scripts/appfolio.rhai: {why}")),
                "{words:?}: {said}"
            );
            assert!(!said.contains("there is no script"), "{said}");
        }
    }
    // What is larger than any configuration is not taken into memory.
    let file = std::fs::File::create(home.path("config/integrations/elm.yaml")).unwrap();
    file.set_len(1 << 40).unwrap();
    let said = told(&home.epms(&["check"]).await);
    assert!(
        said.contains("config/integrations/elm.yaml: is larger than 1 MiB"),
        "{said}"
    );
}
