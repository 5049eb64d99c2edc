//! `epms secret set`: a secret that is kept in the home, and never shown.

use std::os::unix::fs::MetadataExt;

use crate::small;
use crate::support::small_pms::{Pms, ok, status};
use crate::support::{Daemon, Home, Terminal, eventually, said, told, with_input};

fn mode(home: &Home, name: &str) -> u32 {
    home.path(name).metadata().unwrap().mode() & 0o777
}

#[tokio::test]
async fn a_secret_from_standard_input_lies_in_a_file_that_only_its_owner_may_read() {
    let home = Home::new();
    std::fs::remove_dir(home.path("secrets")).unwrap();
    let kept = with_input(&home, &["secret", "set", "acme"], "hunter2\n");
    let shown = said(&kept, 0);
    assert!(shown.contains("kept the secret in secrets/acme"), "{shown}");
    assert!(shown.contains("{ file: secrets/acme }"), "{shown}");
    assert_eq!(home.read("secrets/acme"), "hunter2\n");
    assert_eq!(
        (mode(&home, "secrets"), mode(&home, "secrets/acme")),
        (0o700, 0o600)
    );
    // Whoever rotates it sets it anew.
    let replaced = with_input(&home, &["secret", "set", "acme", "--json"], "hunter3");
    let told = said(&replaced, 0);
    assert!(
        told.contains("\"replaced\": true") && !told.contains("hunter"),
        "{told}"
    );
    assert_eq!(home.read("secrets/acme"), "hunter3\n");
    assert_eq!(std::fs::read_dir(home.path("secrets")).unwrap().count(), 1);
}

#[tokio::test]
async fn nothing_is_written_without_a_secret_or_with_a_name_that_leads_elsewhere() {
    let home = Home::new();
    for (name, input) in [
        ("acme", ""),
        ("acme", "\n"),
        ("../acme", "x"),
        (".acme", "x"),
        ("a/b", "x"),
    ] {
        let output = with_input(&home, &["secret", "set", name], input);
        assert_eq!(output.status.code(), Some(2), "{name}: {}", told(&output));
    }
    assert_eq!(std::fs::read_dir(home.path("secrets")).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_terminal_nothing_of_it_is_shown() {
    let home = Home::new();
    let mut terminal = Terminal::run(100, home.root(), &["secret", "set", "acme"]);
    terminal.shows("acme (it is not shown): ");
    terminal.types("hunter3\u{7f}2\r");
    let shown = terminal.all();
    assert!(shown.contains("kept the secret in secrets/acme"), "{shown}");
    assert!(!shown.contains("hunter"), "{shown}");
    assert_eq!(home.read("secrets/acme"), "hunter2\n");
    // Ctrl-C: the one before stays.
    let mut terminal = Terminal::run(100, home.root(), &["secret", "set", "acme"]);
    terminal.shows("(it is not shown): ");
    terminal.types("other\u{3}");
    assert_eq!(terminal.ends(), Some(2));
    assert_eq!(home.read("secrets/acme"), "hunter2\n");
}

#[tokio::test]
async fn a_rotated_secret_is_taken_without_a_restart() {
    let connector = "headers: { key: \"{{ credential.secret }}\" }\nrequests: { residents: { url: \"{{ credential.url }}/\", format: json, id: id } }\n";
    let pms = Pms::start(connector, |_, asked| match asked.header("key") {
        "new" => ok("[{\"id\": \"1\"}]"),
        _ => status(401),
    })
    .await;
    let home = small::home(&pms, connector, 1);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    assert!(daemon.integration("home-0").await.last_error.is_some());
    let shown = said(&with_input(&home, &["secret", "set", "small"], "new\n"), 0);
    assert!(shown.contains("with acme"), "{shown}");
    daemon.sync("home-0").await;
    eventually("the new secret is taken", async || {
        daemon.integration("home-0").await.last_error.is_none()
    })
    .await;
}
