//! `epms doctor` through the real program: what it says of a PMS that fails in each way, of a machine that is
//! not ready, and of one where all is well.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use crate::support::encrypted;
use crate::support::{Daemon, Home, pms, told};
use epms::sandbox::{Fault, FaultKind, Kind, Sandbox};
use nix::unistd::{Gid, Group, Uid, User};
use serde_json::Value;

/// The text without what differs from machine to machine and from time to time.
fn steady(text: &str, home: &Home, pms: &Sandbox) -> String {
    let me = User::from_uid(Uid::effective()).unwrap().unwrap().name;
    let group = Group::from_gid(Gid::effective()).unwrap().unwrap().name;
    let host = pms.url();
    let host = host
        .strip_prefix("http://")
        .unwrap()
        .split('/')
        .next()
        .unwrap();
    let text = text
        .replace(home.root().to_str().unwrap(), "HOME")
        .replace(host, "PMS")
        .replace(&format!("of {me}"), "of ME")
        .replace(&format!("by {me}"), "by ME")
        .replace(&format!("are {me}"), "are ME")
        .replace(&format!("group {group}"), "group MINE");
    let mut steady: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let is_unit = ["bytes", "KiB", "MiB", "GiB", "TiB", "ms)"]
            .iter()
            .any(|unit| word.trim_end_matches([',', ';', '\n']) == *unit);
        if is_unit && let Some(number) = steady.last_mut() {
            let (open, digits) = number
                .strip_prefix('(')
                .map_or(("", number.as_str()), |rest| ("(", rest));
            if digits.bytes().all(|byte| byte.is_ascii_digit()) {
                *number = format!("{open}N");
            }
        }
        steady.push(word.to_owned());
    }
    steady
        .join(" ")
        .replace("N KiB", "N bytes")
        .replace("N MiB", "N bytes")
        .replace("N GiB", "N bytes")
}

/// The checks that are not as they should be, as lines, and the exit code.
async fn complaints(home: &Home, pms: &Sandbox, id: &str) -> String {
    let ended = home.epms(&["doctor", id, "--json"]).await;
    let all: Value =
        serde_json::from_slice(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    let mut lines = format!("{}", ended.status.code().unwrap());
    for check in all
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|one| one["checks"].as_array().unwrap())
    {
        let text = |name: &str| check[name].as_str().unwrap_or_default().to_owned();
        let mark = text("mark");
        // Without a daemon there is nobody on the socket, and without a page nothing of the quota.
        if mark == "ok" || ["socket", "quota"].contains(&text("check").as_str()) {
            continue;
        }
        lines += &format!(
            "\n{mark} {}: {}: {}",
            text("check"),
            text("did"),
            text("saw")
        );
        if mark != "skip" {
            assert!(!text("do").is_empty(), "{check}");
            lines += &format!("\n  → {}", text("do"));
        }
    }
    for (field, value) in pms.credential() {
        assert!(
            !Sandbox::SECRETS.contains(&field) || !told(&ended).contains(&value),
            "{field}"
        );
    }
    steady(&lines, home, pms)
}

#[tokio::test]
async fn where_all_is_well_each_check_says_what_it_did_and_saw() {
    let pms = pms(Kind::Yardi, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let before = home.epms(&["doctor"]).await;
    assert_eq!(before.status.code(), Some(0));
    insta::assert_snapshot!(steady(&told(&before), &home, &pms), @r"
    machine
      ok    files   read the files of HOME: those that belong to no single integration are right
      ok    state   looked for HOME/state: it is not there yet; the daemon makes it
      ok    disk    looked at the disk of HOME/state: N bytes free, the store has N bytes
      warn  socket  asked the daemon on HOME/state/epms.sock: nobody answers
                    → start the daemon with `epms run`; until then nothing is synced
      ok    roots   looked for the root certificates of this machine: there are some, and they are used

    elm
      ok    files   read config/integrations/elm.yaml and what it names: all is right
      ok    secret  read interface_license from file secrets/elm-account-interface_license: it is there, 0600, of ME
      ok    secret  read password from file secrets/elm-account-password: it is there, 0600, of ME
      ok    dns     looked up PMS: it is an address: there is nothing to resolve
      ok    tls     connected to PMS: by plain http, which stays on this machine: there is no TLS to verify (N ms)
      ok    clock   compared with the Date header of PMS: the same time
      ok    login   showed the credential elm-account: the PMS takes it
      ok    page    read the first page of residents of elm: 19 records, N bytes (N ms)
      ok    page    read the first page of units of elm: 20 records, N bytes (N ms)
      ok    page    read the first page of properties: 1 record, N bytes (N ms)
      –     quota   compared with `limits` of the connector, which has none: this PMS does not tell what is left

    14 ok, 1 warning, 0 failed
    ");
    assert!(!home.path("state").exists(), "it makes nothing");

    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let during = home.epms(&["doctor", "elm"]).await;
    assert_eq!(during.status.code(), Some(0));
    let during = steady(&told(&during), &home, &pms);
    let machine = during.split("\n\n").next().unwrap();
    insta::assert_snapshot!(machine, @r"
    machine
      ok    files   read the files of HOME: those that belong to no single integration are right
      ok    state   looked at HOME/state and wrote a file into it: it can be written by ME
      ok    rights  looked at the rights of the state folder and the store: 0700 and 0600, of ME
      ok    disk    looked at the disk of HOME/state: N bytes free, the store has N bytes
      ok    socket  asked the daemon on HOME/state/epms.sock: epms 0.1.0 answers, with 1 integration; you are ME, and may do everything; the socket is 0660, group MINE
      ok    growth  asked the daemon how the store grows: it has N bytes; by how much it grows is known once a daemon was up for a day
      –     backup  looked for `backup` in config/epms.yaml: the daemon makes none; `backup: { to: /var/backups/epms }` lets it, else make them with `epms backup`
      ok    roots   looked for the root certificates of this machine: there are some, and they are used
    ");
    assert!(!during.contains("warn "), "{during}");
}

#[tokio::test]
async fn each_fault_of_a_pms_is_told_with_what_to_do() {
    let pms = pms(Kind::Yardi, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let mut told = String::new();
    for kind in [
        FaultKind::LoginFailed,
        FaultKind::Unavailable,
        FaultKind::Html,
        FaultKind::TooMany { retry_after: None },
        FaultKind::CutConnection,
        FaultKind::Truncated,
        FaultKind::NoResult,
        FaultKind::Empty,
    ] {
        // The front page is no part of the PMS: what is asked without a credential answers always.
        pms.fault(Fault::new(kind).only("GetResidents"));
        let said = complaints(&home, &pms, "elm").await;
        told += &format!("{kind}: {said}\n\n");
        pms.clear_faults();
    }
    insta::assert_snapshot!(told, @r"
    login-failed: 1
    fail login: showed the credential elm-account: the PMS refuses the login of the credential `elm-account` (status 200) (it said: Login failed. Please check login credentials and try again.)
      → check username, password, server_name, database and platform of the credential; too many tries lock the user

    unavailable: 3
    skip login: showed the credential elm-account: whether the PMS takes it does not show: there was no page
    fail page: read the first page of residents of elm: the PMS failed with status 503
      → the next run tries again

    html: 3
    skip login: showed the credential elm-account: whether the PMS takes it does not show: there was no page
    fail page: read the first page of residents of elm: the PMS is closed for maintenance (status 200)
      → the next run tries again

    too-many: 3
    skip login: showed the credential elm-account: whether the PMS takes it does not show: there was no page
    fail page: read the first page of residents of elm: the PMS says there were too many requests (status 429)
      → the next run tries again; lower the connector's `limits` if it comes often

    cut-connection: 3
    skip login: showed the credential elm-account: whether the PMS takes it does not show: there was no page
    fail page: read the first page of residents of elm: the connection broke off in the middle of the answer
      → the next run tries again

    truncated: 3
    skip login: showed the credential elm-account: whether the PMS takes it does not show: there was no page
    fail page: read the first page of residents of elm: the answer is not readable as XML: it ends too early in line 1, column 10521
      → nothing was written; the next run tries again

    no-result: 1
    skip login: showed the credential elm-account: whether the PMS takes it does not show: there was no page
    fail page: read the first page of residents of elm: the PMS answered with status 200
      → there is no result in the answer; check server_name, database and the login of the credential

    empty: 0
    warn page: read the first page of residents of elm: 0 records, N bytes (N ms)
      → an empty feed is held where people are linked, and taken as it is where nobody is yet: check `pms_properties` and `records`; `epms discover` shows what there is
    ");
    assert_eq!(complaints(&home, &pms, "elm").await, "0");
}

#[tokio::test]
async fn nothing_is_asked_twice_and_a_refused_login_not_for_each_integration() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    for id in ["ash", "oak"] {
        home.integration(id, "elm-account", &pms);
        home.edit(
            &format!("config/integrations/{id}.yaml"),
            &pms.property_id(0),
            &format!("{id}-property"),
        );
    }
    pms.fault(FaultKind::LoginFailed);
    let ended = home.epms(&["doctor"]).await;
    assert_eq!(ended.status.code(), Some(1), "{}", told(&ended));
    let asked = pms.requests();
    let asked: Vec<&str> = asked.iter().map(|seen| seen.operation.as_str()).collect();
    assert_eq!(
        asked
            .iter()
            .filter(|operation| **operation == "tenants")
            .count(),
        1,
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_pms_that_cannot_be_reached_ends_with_3_and_the_step_that_failed() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    // No system asks anybody for a name that is too long to be one.
    let nowhere = format!("https://{}.invalid", "a".repeat(64));
    let account = "config/credentials/elm-account.yaml";
    let mut said = String::new();
    for url in [
        nobody.as_str(),
        &nowhere,
        &pms.url().replace("http://", "https://"),
        "http://pms.invalid",
        "ftp://pms.invalid",
    ] {
        let right = home.edit(account, &pms.url(), url);
        let told = complaints(&home, &pms, "elm").await;
        let nobody = nobody.trim_start_matches("http://");
        let told = told
            .replace(nobody, "NOBODY")
            .replace(&"a".repeat(64), "AAA");
        for line in told.lines() {
            // What the system says of a name is the system's.
            let line = line.split(": failed to").next().unwrap();
            said += &format!("{line}\n");
        }
        said += "\n";
        home.write(account, right);
    }
    let connector = "config/connectors/appfolio.yaml";
    let right = home.edit(connector, "timeout: 60s", "timeout: 1s");
    pms.fault(Fault::new(FaultKind::Delay(Duration::from_mins(1))).only("tenants"));
    said += &complaints(&home, &pms, "elm").await;
    home.write(connector, right);
    pms.clear_faults();
    insta::assert_snapshot!(said, @r"
    3
    fail tls: connected to NOBODY: Connection refused (os error 111)
      → check the URL of the credential, port included, and whether a firewall lets it through
    skip login: not tried: the host is out of reach

    3
    fail dns: looked up AAA.invalid: it cannot be resolved
      → check the host in the URL of the credential, and /etc/resolv.conf of this machine
    skip login: not tried: the host is out of reach

    3
    fail tls: connected to PMS: no TLS with it: received corrupt message of type InvalidContentType
      → it does not speak TLS there: check the port in the URL of the credential
    skip login: not tried: the host is out of reach

    2
    fail url: made the address of the first request: pms.invalid would be asked over plain http
      → write https:// into the credential, or `plain_http: true` into the connector if the network between is yours alone

    2
    fail url: made the address of the first request: what `url` gives is no URL
      → write a URL that begins with https:// into the credential

    3
    skip login: showed the credential elm-account: whether the PMS takes it does not show: there was no page
    fail page: read the first page of residents of 6d650276-60c4-4dc5-9127-736fdc9e36b7: no answer within 1s
      → the next run tries again
    ");
}

#[tokio::test]
async fn files_secrets_and_rights_that_are_not_as_they_should_be_are_told() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let secret = "secrets/elm-account-client_secret";
    let rights = |name: &str, mode| {
        std::fs::set_permissions(home.path(name), PermissionsExt::from_mode(mode)).unwrap();
    };
    let mut said = String::new();
    rights(secret, 0o644);
    said += &(complaints(&home, &pms, "elm").await + "\n\n");
    home.write(secret, "");
    said += &(complaints(&home, &pms, "elm").await + "\n\n");
    home.remove(secret);
    said += &(complaints(&home, &pms, "elm").await + "\n\n");
    home.credential("elm-account", &pms);

    std::fs::create_dir(home.path("state")).unwrap();
    home.write("state/epms.redb", "");
    rights("state", 0o755);
    rights("state/epms.redb", 0o640);
    said += &(complaints(&home, &pms, "elm").await + "\n\n");
    std::fs::remove_dir_all(home.path("state")).unwrap();
    home.write("state", "no folder");
    said += &(complaints(&home, &pms, "elm").await + "\n\n");
    home.remove("state");

    let file = "config/integrations/elm.yaml";
    let right = home.edit(file, "enabled:", "enabeld:");
    said += &(complaints(&home, &pms, "elm").await + "\n\n");
    home.write(file, right);
    home.edit(file, &pms.property_id(0), "nothing-here");
    said += &complaints(&home, &pms, "elm").await;
    insta::assert_snapshot!(said, @r"
    1
    fail secret: read client_secret from file secrets/elm-account-client_secret: it can be read by everybody (mode 0644)
      → close it: chmod u=rw,g-w,o= HOME/secrets/elm-account-client_secret
    skip login: not tried: the credential is not complete

    1
    fail secret: read client_secret from file secrets/elm-account-client_secret: the secret file secrets/elm-account-client_secret is empty
      → put the secret there, readable for the daemon's user alone
    skip login: not tried: the credential is not complete

    1
    fail secret: read client_secret from file secrets/elm-account-client_secret: the secret file HOME/secrets/elm-account-client_secret is not there
      → put the secret there, readable for the daemon's user alone
    skip login: not tried: the credential is not complete

    1
    fail rights: looked at the rights of the state folder and the store: 0755 and 0640, of ME
      → chmod 700 HOME/state; chmod 600 HOME/state/epms.redb

    1
    fail state: looked at HOME/state and wrote a file into it: it is no folder
      → move it away, or name another folder with `state_dir` in config/epms.yaml

    2
    fail files: read config/integrations/elm.yaml and what it names: config/integrations/elm.yaml:6:1: enabeld: unknown field; did you mean `enabled`?
      → correct them; `epms check` shows the lines

    0
    warn page: read the first page of residents of nothing-here: 0 records, N bytes (N ms)
      → an empty feed is held where people are linked, and taken as it is where nobody is yet: check `pms_properties` and `records`; `epms discover` shows what there is
    ");

    let unknown = home.epms(&["doctor", "oak"]).await;
    assert_eq!(unknown.status.code(), Some(1));
    assert_eq!(
        told(&unknown),
        "epms: there is no integration `oak`; there are: elm\n"
    );
    home.edit(file, "enabled: true", "enabled: false");
    let off = told(&home.epms(&["doctor"]).await);
    assert!(!off.contains("elm"), "{off}");
    let named = told(&home.epms(&["doctor", "elm"]).await);
    assert!(
        named.contains("all is right, and it is switched off"),
        "{named}"
    );
}

#[tokio::test]
async fn what_a_pms_says_of_its_quota_is_told_and_a_login_of_its_own_is_made() {
    let entrata = pms(Kind::Entrata, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &entrata);
    home.copy(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")),
        "config/connectors/entrata.yaml",
    );
    let text = steady(&told(&home.epms(&["doctor", "elm"]).await), &home, &entrata);
    let quota = text.lines().find(|line| line.contains("quota")).unwrap();
    assert!(
        quota.contains("150 a minute, 1000 an hour: X-RateLimit-Remaining: ")
            && quota.contains("X-RateLimit-Reset: "),
        "{quota}"
    );
}

/// The front page of a server whose clock is behind, and who says nothing else.
const OLD: &str = "HTTP/1.1 404 Not Found\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 0\r\n\
    Connection: close\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_verified_before_anything_is_shown_and_clocks_are_compared() {
    let pms = pms(Kind::AppFolio, 1, 30).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let (port, authority) = encrypted(OLD).await;
    let account = "config/credentials/elm-account.yaml";
    let localhost = format!("https://localhost:{port}");
    home.edit(account, &pms.url(), &localhost);
    let check = async |name: &str| {
        let ended = home.epms(&["doctor", "elm", "--json"]).await;
        let all: Value = serde_json::from_slice(&ended.stdout).unwrap();
        let checks = all[1]["checks"].as_array().unwrap().clone();
        let found = checks.into_iter().find(|check| check["check"] == name);
        (ended.status.code(), found.unwrap_or_default())
    };
    let (exit, tls) = check("tls").await;
    assert_eq!(exit, Some(3));
    assert_eq!(tls["mark"], "fail");
    assert!(tls["do"].as_str().unwrap().contains("`ca_file`"), "{tls}");
    assert_eq!(
        check("clock").await.1,
        Value::Null,
        "nothing more was asked"
    );

    home.write("authority.pem", authority);
    home.edit(
        account,
        "version: 1\n",
        "version: 1\nca_file: authority.pem\n",
    );
    let (exit, tls) = check("tls").await;
    assert_eq!(tls["mark"], "ok", "{tls}");
    assert!(
        tls["saw"]
            .as_str()
            .unwrap()
            .contains("the certificate is for this host")
    );
    assert_eq!(exit, Some(1), "the clock and the page fail");
    let (_, clock) = check("clock").await;
    assert_eq!(clock["mark"], "fail", "{clock}");
    assert!(clock["do"].as_str().unwrap().contains("timedatectl"));

    home.write("authority.pem", "no certificate");
    let (_, tls) = check("tls").await;
    assert_eq!(tls["saw"], "it has no certificate in it");
}

#[tokio::test]
async fn a_credential_whose_last_day_is_past_and_a_weak_secret_of_webhooks_fail() {
    let pms = pms(Kind::AppFolio, 1, 20).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let file = "config/credentials/elm-account.yaml";
    let text = home.read(file);
    home.write(file, format!("{text}expires: 2020-01-31\n"));
    home.write("secrets/hook", "whsec_aHVudGVyMg==\n");
    home.set("notify: [{ runs: [failed], to: { webhook: { url: \"http://127.0.0.1:9/\", secret: { file: secrets/hook } } } }]");
    let output = home.epms(&["doctor", "elm"]).await;
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let text = told(&output);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "it was taken until 2020-01-31, which is past",
        "it is too short to sign webhooks",
        "2 failed",
    ] {
        assert!(text.contains(said), "{said} in {text}");
    }
    assert!(!text.contains("aHVudGVyMg"), "{text}");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let text = told(&home.epms(&["status"]).await);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("credential elm-account: it was taken until 2020-01-31, which is past"),
        "{text}"
    );
}
