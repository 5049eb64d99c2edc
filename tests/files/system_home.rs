//! `epms init --system`: the home of a service, made as root and read by the service's own user. Where the tests do not run as
//! root, the service's user is who runs them, and what only root can do is left out.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{Daemon, Home, epms, output, pms, said, told};
use epms::sandbox::Kind;
use nix::unistd::{Uid, User};
use serde_json::Value;
use tempfile::TempDir;

/// Whom the service runs as: somebody else where we are root.
fn service() -> User {
    let user = if Uid::effective().is_root() {
        User::from_name("nobody")
    } else {
        User::from_uid(Uid::effective())
    };
    user.unwrap().unwrap()
}

async fn init(home: &Path, words: &[&str]) -> Output {
    let mut command = epms();
    command
        .args(["init", "--system", "--user", &service().name])
        .arg(home)
        .args(words);
    output(command).await
}

async fn made(home: &Path) -> Value {
    serde_json::from_str(&said(&init(home, &["--json"]).await, 0)).unwrap()
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

/// A folder that everybody may pass through, as `/etc` is, and a home in it.
fn place() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    set_mode(folder.path(), 0o755);
    let home = folder.path().join("epms");
    (folder, home)
}

fn paths(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap().iter();
    list.map(|one| one["path"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_home_of_a_service_is_made_once_and_names_what_the_unit_gives_it() {
    let (_folder, home) = place();
    let first = made(&home).await;
    assert!(first["made"].as_array().unwrap().len() > 40, "{first}");
    let settings = std::fs::read_to_string(home.join("config/epms.yaml")).unwrap();
    assert!(
        settings.contains("\nstate_dir: /var/lib/epms\n"),
        "{settings}"
    );
    assert!(settings.contains("\nsocket: { path: /run/epms/epms.sock, mode: \"0660\""));
    assert_eq!(mode(&home.join("config/epms.yaml")), 0o644);
    assert_eq!(
        mode(&home.join("secrets")) & 0o027,
        0,
        "it is no one else's"
    );
    let mut command = epms();
    command.arg("--home").arg(&home).args(["check", "--strict"]);
    said(&output(command).await, 0);

    // What somebody wrote or removed since stays so.
    let mine = home.join("scripts/yardi.rhai");
    std::fs::write(&mine, "// mine").unwrap();
    std::fs::remove_file(home.join("config/connectors/mri.yaml")).unwrap();
    std::fs::remove_dir(home.join("config/targets")).unwrap();
    let again = made(&home).await;
    assert_eq!(again["made"], serde_json::json!(["config/targets"]));
    for empty in ["opened", "left", "unnamed", "load_credentials", "next"] {
        assert_eq!(again[empty], serde_json::json!([]), "{empty}");
    }
    assert_eq!(std::fs::read_to_string(mine).unwrap(), "// mine");
    assert!(!home.join("config/connectors/mri.yaml").exists());
}

#[tokio::test]
async fn a_home_that_was_begun_and_not_ended_is_made_whole() {
    let (_folder, home) = place();
    made(&home).await;
    std::fs::remove_file(home.join("config/epms.yaml")).unwrap();
    std::fs::remove_file(home.join("config/connectors/mri.yaml")).unwrap();
    std::fs::write(home.join("scripts/yardi.rhai"), "// mine").unwrap();
    let again = made(&home).await;
    let expected = serde_json::json!(["config/connectors/mri.yaml", "config/epms.yaml"]);
    assert_eq!(again["made"], expected);
    let mine = std::fs::read_to_string(home.join("scripts/yardi.rhai")).unwrap();
    assert_eq!(mine, "// mine");
}

#[tokio::test]
async fn settings_that_do_not_name_the_service_s_places_and_secrets_of_the_manager_are_told() {
    let (_folder, home) = place();
    made(&home).await;
    std::fs::write(home.join("config/epms.yaml"), "version: 1\n").unwrap();
    let credential = "version: 1\nconnector: appfolio\nfields:\n  client_id: c-1\n  developer_id: d-1\n  client_secret: { credential: acme-secret }\n";
    std::fs::write(home.join("config/credentials/acme.yaml"), credential).unwrap();
    let text = said(&init(&home, &[]).await, 0);
    for line in [
        "\n  state_dir: /var/lib/epms\n",
        "\n  socket: { path: /run/epms/epms.sock }\n",
        "\n  LoadCredential=acme-secret:/etc/credstore/acme-secret\n",
        "systemctl edit epms",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[tokio::test]
async fn a_service_whose_user_is_not_there_gets_no_home() {
    let (_folder, home) = place();
    let mut command = epms();
    command
        .args(["init", "--system", "--user", "no-such-user"])
        .arg(&home);
    let text = said(&output(command).await, 2);
    assert!(text.contains("systemd-sysusers"), "{text}");
    assert!(!home.exists());
}

#[tokio::test]
async fn what_root_kept_to_itself_is_opened_and_what_others_hold_is_left() {
    let (_folder, home) = place();
    made(&home).await;
    if !Uid::effective().is_root() {
        return;
    }
    let group = service().gid.as_raw();
    let secret = |name: &str| home.join("secrets").join(name);
    for name in ["acme", "linked", "for-adm"] {
        std::fs::write(secret(name), "hunter2\n").unwrap();
        set_mode(&secret(name), 0o600);
        chown(secret(name), Some(0), Some(0)).unwrap();
    }
    let elsewhere = home.parent().unwrap().join("elsewhere");
    std::fs::write(&elsewhere, "not ours\n").unwrap();
    set_mode(&elsewhere, 0o600);
    symlink(&elsewhere, secret("link")).unwrap();
    std::fs::hard_link(secret("linked"), home.parent().unwrap().join("other-name")).unwrap();
    chown(secret("for-adm"), None, Some(4)).unwrap();
    set_mode(&secret("for-adm"), 0o640);
    set_mode(&home.join("secrets"), 0o700);
    set_mode(&home.join("config/connectors"), 0o700);
    // Whoever may write into a folder could put anything in the place of what is opened.
    let open = home.join("scripts/lib");
    set_mode(&open, 0o777);
    let shut = std::fs::read_dir(&open)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    set_mode(&shut, 0o600);

    let ended = init(&home, &["--json"]).await;
    let told: Value = serde_json::from_str(&said(&ended, 1)).unwrap();
    let [connectors, secrets, acme] =
        ["config/connectors", "secrets", "secrets/acme"].map(|name| home.join(name));
    let opened = paths(&told["opened"]);
    for path in [&connectors, &secrets, &acme] {
        assert!(opened.contains(&path.to_str().unwrap()), "{told}");
        assert_eq!(path.metadata().unwrap().gid(), group);
    }
    assert_eq!(mode(&connectors), 0o750);
    assert_eq!(mode(&secrets), 0o2750);
    assert_eq!(mode(&acme), 0o640);
    let left = paths(&told["left"]);
    for path in [&secret("for-adm"), &secret("linked"), &shut] {
        assert!(left.contains(&path.to_str().unwrap()), "{told}");
        assert_ne!(path.metadata().unwrap().gid(), group);
    }
    assert_eq!(opened.len() + left.len(), 6, "{told}");
    assert_eq!(elsewhere.metadata().unwrap().gid(), 0);
    assert_eq!(mode(&elsewhere), 0o600);
}

#[tokio::test]
async fn a_secret_that_is_set_in_the_home_of_a_service_is_for_the_service_at_once() {
    let (folder, home) = place();
    made(&home).await;
    let secret = home.join("secrets/acme");
    for text in ["hunter2", "hunter3"] {
        let given = folder.path().join("given");
        std::fs::write(&given, text).unwrap();
        let mut command = epms();
        command
            .arg("--home")
            .arg(&home)
            .args(["secret", "set", "acme"])
            .stdin(std::fs::File::open(given).unwrap());
        said(&output(command).await, 0);
        assert_eq!(std::fs::read_to_string(&secret).unwrap().trim(), text);
        assert_eq!(mode(&secret), 0o640);
        assert_eq!(secret.metadata().unwrap().gid(), service().gid.as_raw());
    }
    assert_eq!(made(&home).await["opened"], serde_json::json!([]));
}

/// The program where the service's user may run it, wherever this was built.
fn program_for_all(folder: &Path) -> PathBuf {
    let (built, program) = (
        Path::new(env!("CARGO_BIN_EXE_epms")),
        folder.join("program"),
    );
    std::fs::hard_link(built, &program)
        .or_else(|_| std::fs::copy(built, &program).map(drop))
        .unwrap();
    program
}

#[tokio::test]
async fn a_secret_in_a_folder_that_is_shut_to_the_service_is_told_with_its_folder_until_init_opened_it()
 {
    if !Uid::effective().is_root() {
        return;
    }
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    for path in [home.root(), home.beside()] {
        set_mode(path, 0o755);
    }
    // As `epms init` as root left it.
    set_mode(&home.path("secrets"), 0o700);
    let user = service();
    let state = home.beside().join("state");
    std::fs::create_dir(&state).unwrap();
    chown(&state, Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
    let mut command = Command::new(program_for_all(home.beside()));
    command
        .arg("--home")
        .arg(home.root())
        .arg("run")
        .env("STATE_DIRECTORY", &state)
        .current_dir("/")
        .uid(user.uid.as_raw())
        .gid(user.gid.as_raw());
    let socket = state.join("epms.sock");
    let daemon = Daemon::spawn(command, &socket, home.beside()).await;
    let sync = async || {
        let words = ["--socket", socket.to_str().unwrap(), "sync", "elm"];
        home.epms(&words).await
    };
    let failed = told(&sync().await);
    let folder = home.path("secrets");
    let expected = format!(
        "is out of reach: the folder {0} (mode 0700, of the user 0) is shut to the daemon's user {1}; let its group in: chgrp {2} {0} && chmod g+x {0}; in the home of a service `epms init --system` does so",
        folder.display(),
        user.uid,
        user.gid
    );
    assert!(failed.contains(&expected), "{failed}");

    said(&init(home.root(), &[]).await, 0);
    said(&sync().await, 0);
    assert!(!daemon.people().await.is_empty());

    // The file alone is in the way.
    let secret = home.path("secrets/elm-account-client_secret");
    chown(&secret, Some(0), Some(0)).unwrap();
    let failed = told(&sync().await);
    let expected = format!(
        "the file {} (mode 0640, of the user 0) is shut",
        secret.display()
    );
    assert!(failed.contains(&expected), "{failed}");
}
