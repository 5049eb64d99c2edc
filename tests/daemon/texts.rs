//! What people meet at a terminal: ids whole at eighty columns, why nothing answers and what to do, who is there already,
//! and words that complete themselves.

use std::process::Command;

use crate::support::{
    Daemon, Home, Terminal, eventually, found, on_terminal, output, pms, said, told,
};
use epms::sandbox::Kind;
use nix::sys::signal::{Signal, kill};

/// D6.
#[tokio::test(flavor = "multi_thread")]
async fn a_preview_shows_ids_whole_at_eighty_columns_and_takes_the_beginning_of_one() {
    let pms = pms(Kind::AppFolio, 95, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    for (first, last) in [
        ("Ada", "Quill"),
        ("Bartholomew", "Featherstonehaugh-Cholmondeley"),
    ] {
        let email = format!("{first}.{last}@example.com");
        pms.world()
            .move_in("elm", first, last, Some(&email), None)
            .unwrap();
    }
    let json = said(&home.epms(&["preview", "elm", "--json"]).await, 0);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let changes = json["changes"].as_array().unwrap();
    let resident = |change: &serde_json::Value| change["resident"].as_str().map(String::from);
    let ids: Vec<String> = changes.iter().filter_map(resident).collect();
    assert!(ids.len() >= 2, "{json}");
    let shown = Terminal::run(80, home.root(), &["preview", "elm"]).all();
    for id in &ids {
        assert!(
            shown.split_whitespace().any(|word| word == id),
            "{id}\n{shown}"
        );
    }
    // The beginning is enough where it is that of one alone.
    let other = ids.iter().find(|id| **id != ids[0]).unwrap();
    let same = ids[0]
        .bytes()
        .zip(other.bytes())
        .take_while(|(one, two)| one == two);
    let beginning = &ids[0][..=same.count()];
    let of_one = said(
        &home
            .epms(&["preview", "elm", "--resident", beginning])
            .await,
        0,
    );
    assert!(
        of_one.contains(&ids[0]) && !of_one.contains(other.as_str()),
        "{of_one}"
    );
    let several = said(&home.epms(&["preview", "elm", "--resident", ""]).await, 1);
    assert!(several.contains("begin so"), "{several}");
}

#[tokio::test]
async fn a_port_on_which_nothing_listens_is_told_with_the_reason_and_the_doctor() {
    let pms = pms(Kind::AppFolio, 96, 10).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let name = "config/credentials/elm-account.yaml";
    let text = home.read(name);
    let url = pms.credential()["url"].clone();
    home.write(
        name,
        text.replace(&url, &format!("http://127.0.0.1:{port}")),
    );
    let daemon = Daemon::start(&home).await;
    let text = said(&home.epms(&["sync", "elm"]).await, 1);
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flat.contains("nothing listens on that port (connection refused)"),
        "{text}"
    );
    assert!(flat.contains("`epms doctor`"), "{text}");
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn a_second_daemon_is_told_which_process_the_first_is() {
    let home = Home::new();
    let daemon = Daemon::start(&home).await;
    let text = said(&home.epms(&["run"]).await, 3);
    assert!(
        text.contains(&format!("as process {}", daemon.pid())) && text.contains("`epms status`"),
        "{text}"
    );
    // With a store of its own it meets the socket.
    home.set("state_dir: other");
    let socket = home.socket();
    let text = home
        .epms(&["--socket", socket.to_str().unwrap(), "run"])
        .await;
    let text = said(&text, 3);
    assert!(
        text.contains(&format!("process {}", daemon.pid())),
        "{text}"
    );
}

/// As when the window is closed, or the line drops.
#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_of_a_terminal_ends_in_order_with_it_and_reloads_at_a_hangup_before() {
    let home = Home::new();
    let (mut daemon, terminal) = on_terminal(home.root(), &["run"]);
    eventually("it answers", async || {
        home.epms(&["status"]).await.status.success()
    })
    .await;
    let pid = nix::unistd::Pid::from_raw(daemon.id().try_into().unwrap());
    kill(pid, Signal::SIGHUP).unwrap();
    // It is looked at the files, and it goes on.
    assert!(home.epms(&["reload"]).await.status.success());
    assert!(home.epms(&["status"]).await.status.success());
    drop(terminal);
    kill(pid, Signal::SIGHUP).unwrap();
    let ended = found("it ends", async || daemon.try_wait().unwrap()).await;
    assert_eq!(ended.code(), Some(0));
    assert!(!home.socket().exists(), "it ended in order");
}

/// What `line` completes to, as fish asks it.
async fn completed(home: &Home, line: &[&str]) -> String {
    let mut command = crate::support::epms();
    command
        .env("EPMS_COMPLETE", "fish")
        .args(["--", "epms", "--home"]);
    command.arg(home.root()).args(line);
    let output = output(command).await;
    assert!(output.status.success(), "{}", told(&output));
    told(&output)
}

#[tokio::test]
async fn ids_complete_themselves_as_the_daemon_knows_them_and_by_files_without_one() {
    let pms = pms(Kind::AppFolio, 97, 20).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let text = completed(&home, &["sync", "e"]).await;
    assert!(text.lines().any(|line| line.starts_with("elm")), "{text}");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    for (line, id) in [
        (&["sync", "e"][..], "elm"),
        (&["doctor", ""], "elm"),
        (&["runs", "--integration", ""], "elm"),
        (&["people", "show", "p"], "p1"),
        (&["run", "r"], "r1"),
        (&["approve", "r"], "r1"),
        (&["people", "link", "p1", "e"], "elm"),
    ] {
        let text = completed(&home, line).await;
        let has = |line: &str| line.split('\t').next() == Some(id);
        assert!(text.lines().any(has), "{line:?}: {text}");
    }
    let alert = daemon
        .alerts()
        .await
        .first()
        .map(|alert| alert.id.to_string());
    if let Some(alert) = alert {
        let text = completed(&home, &["alerts", "show", "a"]).await;
        assert!(text.contains(&alert), "{text}");
    }
    home.set("notify: [{ name: office, runs: [failed], to: { exec: [/bin/true] } }]");
    for (line, word, other) in [
        (
            &["alerts", "list", "--kind", "name_"][..],
            "name_mismatch",
            "elm",
        ),
        (&["changes", "--kind", "cl"], "closed", "elm"),
        (&["notify", "test", ""], "office", "elm"),
        (&["credentials", "show", ""], "elm-account", "elm"),
        (
            &["secret", "set", "elm"],
            "elm-account-client_secret",
            "elm",
        ),
        (&["help", ""], "exit-codes", "elm"),
        (&["help", "pe"], "people", "elm"),
        (&["help", "people", "im"], "import", "elm"),
    ] {
        let text = completed(&home, line).await;
        let has = |word: &str| {
            text.lines()
                .any(|line| line.split('\t').next() == Some(word))
        };
        assert!(has(word) && !has(other), "{line:?}: {text}");
    }
}

/// In the shells themselves, those that are on this machine.
#[tokio::test]
async fn what_completions_gives_makes_a_shell_complete() {
    let home = Home::new();
    home.write("config/integrations/elm.yaml", "version: 1\n");
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_epms"));
    let folder = program.parent().unwrap().to_str().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = said(&home.epms(&["completions", shell]).await, 0);
        assert!(script.contains("EPMS_COMPLETE"), "{script}");
        let path = home.beside().join(shell);
        std::fs::write(&path, script).unwrap();
        let path = path.to_str().unwrap();
        let root = home.root().to_str().unwrap();
        let line = match shell {
            "bash" => format!(
                "source {path}; COMP_WORDS=(epms --home {root} sync e); COMP_CWORD=4; COMP_TYPE=9; \
                 _clap_complete_epms epms e sync; echo \"${{COMPREPLY[@]}}\""
            ),
            "fish" => format!("source {path}; complete -C 'epms --home {root} sync e'"),
            // The others complete only where somebody types.
            _ => continue,
        };
        let mut command = Command::new(shell);
        command.args(["-c", &line]);
        let paths = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
        command.env("PATH", paths).env_remove("EPMS_HOME");
        let Ok(probe) = Command::new(shell).arg("--version").output() else {
            continue;
        };
        assert!(probe.status.success());
        let text = told(&output(command).await);
        assert!(text.contains("elm"), "{shell}: {text}");
    }
}

#[tokio::test]
async fn the_rules_are_told_in_a_sentence_each() {
    let home = Home::new();
    let text = said(&home.epms(&["help", "rules"]).await, 0);
    for number in 1..=47 {
        let begins = format!("R{number} ");
        assert!(
            text.lines()
                .any(|line| line.trim_start().starts_with(&begins)),
            "{number}\n{text}"
        );
    }
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}
