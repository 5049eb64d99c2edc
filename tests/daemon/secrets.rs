//! Nothing leaks: planted secrets and one resident's name, email and phone, looked for in everything that
//! the daemon logs; and who may look at its files.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;

use crate::small;
use crate::support::small_pms::{Pms, Reply, ok};
use crate::support::{Daemon, Home, eventually, pms_of_pages, told};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use epms::model::Outcome;
use epms::sandbox::{Fault, FaultKind, Kind};
use jiff::ToSpan;

const FIRST: &str = "Zacharina";
const LAST: &str = "Quillfeather";
const EMAIL: &str = "zq.canary@example.com";
const PHONE: &str = "(503) 555-0177";

/// What must stand nowhere, in any case.
fn canaries(pms: &epms::sandbox::Sandbox) -> Vec<String> {
    let mut canaries: Vec<String> = pms
        .credential()
        .into_iter()
        .filter(|(field, _)| {
            matches!(
                *field,
                "password" | "client_secret" | "interface_license" | "username" | "client_id"
            )
        })
        .map(|(_, value)| value.to_lowercase())
        .collect();
    assert!(
        canaries.iter().all(|value| value.len() >= 6),
        "{canaries:?}"
    );
    canaries.extend([FIRST, LAST, EMAIL, "zq.canary"].map(str::to_lowercase));
    canaries.extend(["5035550177", "555-0177"].map(str::to_owned));
    canaries
}

fn assert_clean(what: &str, text: &str, canaries: &[String]) {
    let lower = text.to_lowercase();
    for canary in canaries {
        if let Some(at) = lower.find(canary.as_str()) {
            let around: String = lower[at.saturating_sub(200)..].chars().take(400).collect();
            panic!("`{canary}` stands in {what}: …{around}…");
        }
    }
}

/// Of everybody: names, emails, phones and units, as whole words.
fn nobody_is_named(log: &str, people: &[epms::model::Person]) {
    let log = log.to_lowercase();
    let words: std::collections::BTreeSet<&str> = log
        .split(|c: char| !(c.is_alphanumeric() || "@.+-".contains(c)))
        .map(|word| word.trim_matches(['.', '-']))
        .collect();
    assert!(people.len() > 20 && words.len() > 100);
    for person in people {
        let units = person.stays.values().filter_map(|stay| stay.unit.as_ref());
        // A word or a number alone stands for anything.
        let units = units.map(|unit| unit.label.as_str()).filter(|label| {
            let has = |kind: fn(char) -> bool| label.chars().any(kind);
            has(char::is_alphabetic) && has(char::is_numeric) && !label.contains(' ')
        });
        let names = [person.first_name.as_str(), person.last_name.as_str()];
        let names = names
            .into_iter()
            .filter(|name| name.len() > 4 && !name.contains(' '));
        let reached = [person.email.as_deref(), person.phone.as_deref()];
        for told in names.chain(units).chain(reached.into_iter().flatten()) {
            let told = told.to_lowercase();
            assert!(
                !words.contains(told.as_str()),
                "`{told}` of {} stands in the log",
                person.id
            );
        }
    }
}

async fn nothing_of_it_is_logged(kind: Kind, format: &str) {
    let pms = pms_of_pages(kind, 21, 60, 20).await;
    let person = pms
        .world()
        .move_in("elm", FIRST, LAST, Some(EMAIL), Some(PHONE))
        .unwrap();
    let home = Home::new();
    home.feed("elm", &pms);
    home.set(&format!("log: {{ format: {format}, level: debug }}"));
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let canary = daemon.person_with(EMAIL).await.unwrap();
    let mut answers = String::new();

    // Everything that may go wrong, with her in the middle of it.
    for fault in [
        FaultKind::Truncated,
        FaultKind::CutConnection,
        FaultKind::Html,
        FaultKind::ServerError,
        FaultKind::LoginFailed,
        FaultKind::NoResult,
        FaultKind::ChangedField,
        FaultKind::RepeatedPage,
        FaultKind::TooMany {
            retry_after: Some(9999),
        },
    ] {
        pms.fault(Fault::new(fault));
        let report = daemon.sync("elm").await;
        answers += report.outcome.reason().unwrap_or_default();
        pms.clear_faults();
    }
    // A login that was refused is not tried again at once.
    eventually("the login is tried again", async || {
        daemon.sync("elm").await.outcome.is_success()
    })
    .await;
    let email = Some("zq.canary.other@example.com".to_owned());
    pms.world().change_email(person, email).unwrap();
    assert!(daemon.sync("elm").await.counts.held > 0);
    pms.world().change_email(person, None).unwrap();
    daemon.sync("elm").await;
    pms.world()
        .change_email(person, Some(EMAIL.into()))
        .unwrap();
    let household = pms.world().household_of(person).unwrap();
    let today = pms.world().today();
    // A lease that ends before it begins costs both its dates, and an alert counts it.
    let end = today.saturating_sub(900.days());
    pms.world().renew(household, today, Some(end)).unwrap();
    let report = daemon.sync("elm").await;
    assert!(report.notes["unreadable_date"] > 1, "{report:?}");
    answers += &daemon.get(&format!("/v1/runs/{}", report.id)).await.body;
    // A script that fails in her record, with a text that holds her name.
    let script = format!("scripts/{kind}.rhai");
    let generation = daemon.generation("elm").await;
    let (from, to) = match kind {
        Kind::AppFolio => (
            "    let word = text(record, \"Status\");",
            "    if text(record, \"Email\") != () { throw text(record, \"FirstName\"); }\n    let word = text(record, \"Status\");",
        ),
        // The canary flies through the two that are most unlike each other.
        _ => (
            "    let code = text(record, \"@tCode\");",
            "    if text(record, \"Email\") != () { text(record, \"Email\").no_such_member; }\n    let code = text(record, \"@tCode\");",
        ),
    };
    home.edit(&script, from, to);
    daemon.reloaded("elm", generation).await;
    let report = daemon.sync("elm").await;
    assert!(report.counts.rejected > 10, "{report:?}");
    // What is kept of rejected records names the field, and nobody.
    let kept = daemon.get(&format!("/v1/runs/{}", report.id)).await.body;
    if kind == Kind::AppFolio {
        assert!(kept.contains("‹FirstName›"), "{kept}");
    }
    answers += &kept;
    let shown = told(&home.epms(&["run", &report.id.to_string()]).await);
    assert_clean("the run", &shown, &canaries(&pms));

    // Requests and files that hold what they should not.
    for path in [
        format!("/v1/people?q={LAST}"),
        format!("/v1/people?{LAST}={EMAIL}"),
        format!("/v1/people/{EMAIL}"),
        format!("/v1/integrations/{LAST}"),
        format!("/v1/people/{}", canary.id),
    ] {
        daemon.get(&path).await;
    }
    daemon.post(&format!("/v1/integrations/{LAST}/sync")).await;
    let account = "config/credentials/elm-account.yaml";
    let field = if kind == Kind::Yardi {
        "password"
    } else {
        "client_secret"
    };
    let secret = pms.credential()[field].clone();
    let reference = format!("{{ file: secrets/elm-account-{field} }}");
    // As somebody does who is in a hurry: the secret itself instead of where it lies.
    home.edit(
        account,
        &reference,
        &serde_json::Value::String(secret).to_string(),
    );
    let reply = daemon.client.reload().await.unwrap();
    assert!(!reply.integrations[0].problems.is_empty(), "{reply:?}");
    let canaries = canaries(&pms);
    let shown = told(&home.epms(&["status"]).await);
    assert!(shown.contains(account), "{shown}");
    assert_clean("the status", &shown, &canaries);
    assert_clean("the reasons", &answers, &canaries);
    let log = daemon.log();
    nobody_is_named(&log, &daemon.people().await);
    assert_eq!(daemon.stop().await, Some(0));
    assert!(log.len() > 2000, "{log}");
    assert_eq!(
        log.lines().all(|line| line.starts_with('{')),
        format == "json"
    );
    assert_clean("the log", &log, &canaries);
}

#[tokio::test]
async fn no_secret_and_no_resident_stands_in_the_log_of_json_pages() {
    nothing_of_it_is_logged(Kind::AppFolio, "text").await;
}

#[tokio::test]
async fn no_secret_and_no_resident_stands_in_the_json_log_of_json_pages() {
    nothing_of_it_is_logged(Kind::AppFolio, "json").await;
}

#[tokio::test]
async fn no_secret_and_no_resident_stands_in_the_log_of_soap() {
    nothing_of_it_is_logged(Kind::Yardi, "text").await;
}

#[tokio::test]
async fn no_secret_and_no_resident_stands_in_the_json_log_of_soap() {
    nothing_of_it_is_logged(Kind::Yardi, "json").await;
}

#[tokio::test]
async fn the_state_is_for_its_owner_alone_and_the_socket_for_whom_the_settings_say() {
    let home = Home::new();
    let mode = |name: &str| {
        let metadata = std::fs::metadata(home.path(name)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    for wanted in [0o600, 0o660] {
        home.set(&format!("socket: {{ mode: \"0{wanted:o}\" }}"));
        let daemon = Daemon::start(&home).await;
        assert_eq!(mode("state/epms.sock"), wanted);
        assert_eq!(mode("state"), 0o700);
        assert_eq!(mode("state/epms.redb"), 0o600);
        assert_eq!(daemon.stop().await, Some(0));
    }
    home.set("socket: { path: run/here.sock }");
    std::fs::create_dir(home.path("run")).unwrap();
    let mut command = crate::support::epms();
    command.args(["--home".as_ref(), home.root().as_os_str(), "run".as_ref()]);
    let daemon = Daemon::spawn(command, &home.path("run/here.sock"), home.beside()).await;
    assert_eq!(home.epms(&["status"]).await.status.code(), Some(0));
    assert_eq!(daemon.stop().await, Some(0));
}

/// D10.
#[tokio::test]
async fn the_memory_of_a_daemon_is_written_to_no_disk_and_shown_to_no_process_of_its_user() {
    let home = Home::new();
    let mut command = crate::support::epms();
    command.args(["--home".as_ref(), home.root().as_os_str(), "run".as_ref()]);
    let mut other = std::process::Command::new("sleep");
    other.arg("60");
    // Root may see everything: the daemon is another user's then.
    let me = nix::unistd::Uid::effective();
    let user = if me.is_root() { 65_534 } else { me.as_raw() };
    if me.is_root() {
        home.give_to(user);
        command.uid(user).gid(user);
        other.uid(user).gid(user);
    }
    let daemon = Daemon::spawn(command, &home.socket(), home.beside()).await;
    let mut other = other.spawn().unwrap();
    // What lies below belongs to root where the user may not see it.
    let owner = |pid: u32| {
        let folder = std::fs::metadata(format!("/proc/{pid}/fd")).unwrap();
        std::os::unix::fs::MetadataExt::uid(&folder)
    };
    assert_eq!((owner(daemon.pid()), owner(other.id())), (0, user));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", daemon.pid())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let core: Vec<&str> = core.unwrap().split_whitespace().skip(4).collect();
    assert_eq!(core, ["0", "0", "bytes"]);
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn an_account_goes_to_no_host_but_those_of_its_connector() {
    let (right, wrong) = (
        pms_of_pages(Kind::AppFolio, 22, 30, 1000).await,
        pms_of_pages(Kind::AppFolio, 22, 30, 1000).await,
    );
    let home = Home::new();
    home.feed("elm", &right);
    let host = right.url().replace("http://", "");
    home.edit(
        "config/connectors/appfolio.yaml",
        "hosts: [\"{{ credential.url | host }}\"]",
        &format!("hosts: [\"{host}\"]"),
    );
    home.edit(
        "config/credentials/elm-account.yaml",
        &right.url(),
        &wrong.url(),
    );
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let report = daemon.sync("elm").await;
    assert!(
        matches!(report.outcome, Outcome::Failed { .. }),
        "{report:?}"
    );
    let reason = report.outcome.reason().unwrap();
    assert!(
        reason.contains("is not among the connector's hosts"),
        "{reason}"
    );
    assert!(wrong.requests().is_empty());
}

const SECRET: &str = "hunter2&Sesame-71";

/// How an answer may write what it was sent: each with a part of it that must stand nowhere.
fn echoes(header: &str) -> Vec<(String, String)> {
    let proof = header.trim_start_matches("Basic ");
    let each =
        |text: &str, write: fn(u8) -> String| text.bytes().map(write).collect::<Vec<_>>().concat();
    let whole = [
        header.to_owned(),
        SECRET.to_owned(),
        each(SECRET, |byte| format!("%{byte:02X}")),
        each(SECRET, |byte| format!("&#{byte};")),
        each(SECRET, |byte| format!("&#x{byte:x};")),
        each(SECRET, |byte| format!("{byte:02x}")),
        each(proof, |byte| format!("\\u{byte:04x}")),
        each(proof, |byte| format!("{byte:02x}")),
        STANDARD.encode(header),
        STANDARD.encode(format!("x{SECRET}")),
        STANDARD.encode(format!("id={SECRET}&")),
    ];
    let mut echoes: Vec<(String, String)> = whole
        .into_iter()
        .map(|form| {
            (
                form.clone(),
                form[form.len() / 3..form.len() * 2 / 3].to_owned(),
            )
        })
        .collect();
    // Half of it, and what stands beside it in the same answer.
    echoes.push((SECRET[..10].into(), SECRET[..10].into()));
    let letters: Vec<String> = SECRET.chars().map(String::from).collect();
    echoes.push((letters.join(" "), letters[4..12].join(" ")));
    echoes
}

/// D4.
#[tokio::test]
async fn a_pms_that_repeats_the_credential_in_whatever_form_is_quoted_nowhere() {
    let connector = r#"
auth: { basic: { username: "{{ credential.user }}", password: "{{ credential.secret }}" } }
errors: [{ status: 400, path: error, is: fatal }, { status: 403, path: error, is: denied, text: proxy }]
requests:
  residents: { url: "{{ credential.url }}/{{ property }}", format: json, id: id }
"#;
    let turn = std::sync::Arc::new(std::sync::Mutex::new(None::<(usize, u16)>));
    let now = std::sync::Arc::clone(&turn);
    let pms = Pms::start(connector, move |_, asked| match *now.lock().unwrap() {
        None => ok("[]"),
        Some((turn, status)) => {
            let echo = &echoes(asked.header("authorization"))[turn].0;
            let body =
                serde_json::json!({ "error": format!("the proxy does not understand {echo}") });
            Reply(status, Vec::new(), body.to_string().into())
        }
    })
    .await;
    let home = small::home(&pms, connector, 1);
    home.write("secrets/small", SECRET);
    home.set("log: { level: debug }");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;

    let header = format!("Basic {}", STANDARD.encode(format!("ana:{SECRET}")));
    let mut shown = String::new();
    for number in 0..echoes(&header).len() {
        *turn.lock().unwrap() = Some((number, [400, 403][number % 2]));
        let report = daemon.sync("home-0").await;
        let reason = report.outcome.reason().unwrap();
        assert!(
            reason.contains("‹not quoted: the answer repeats"),
            "{number}: {reason}"
        );
        shown += reason;
    }
    for arguments in [
        &["preview", "home-0"][..],
        &["doctor", "home-0"],
        &["status"],
        &["--json", "status"],
        &["--json", "runs"],
        &["alerts", "list"],
    ] {
        shown += &told(&home.epms(arguments).await);
    }
    for path in ["/v1/status", "/v1/runs?limit=100", "/v1/alerts", "/metrics"] {
        shown += &daemon.get(path).await.body;
    }
    shown += &daemon.log();
    assert_eq!(daemon.stop().await, Some(0));
    shown += &String::from_utf8_lossy(&std::fs::read(home.path("state/epms.redb")).unwrap());
    assert!(shown.matches("does not understand").count() == 0 && shown.len() > 10_000);
    for (form, part) in echoes(&header) {
        assert!(
            !shown.contains(&part),
            "`{part}` of `{form}` stands somewhere"
        );
    }
}

/// D5: names, an error of the PMS and one of the script that would steer a terminal or a spreadsheet.
#[tokio::test]
async fn what_a_pms_says_steers_no_terminal_no_spreadsheet_and_no_log() {
    const ODD: &str = "\u{1b}[2J\u{202e}\u{7}\u{9b}31m\u{7f}\u{2028}level=ERROR";
    let connector = r#"
errors: [{ status: 400, path: error, is: fatal }]
requests:
  residents: { url: "{{ credential.url }}/{{ property }}", format: json, id: id }
"#;
    let fails = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let now = std::sync::Arc::clone(&fails);
    let pms = Pms::start(connector, move |_, _| {
        if now.load(std::sync::atomic::Ordering::Relaxed) {
            let body = serde_json::json!({ "error": format!("down\n{ODD}\n2026 ERROR epms") });
            return Reply(400, Vec::new(), body.to_string().into());
        }
        let names = [
            "=cmd|' /C calc'!A0",
            "@SUM(1+1)*x",
            "+1+2",
            &format!("Ana{ODD}"),
            "throw",
        ];
        let records: Vec<serde_json::Value> = (0..names.len())
            .map(|number| serde_json::json!({ "id": number.to_string(), "name": names[number] }))
            .collect();
        ok(serde_json::to_string(&records).unwrap())
    })
    .await;
    let home = small::home(&pms, connector, 1);
    home.edit(
        "scripts/small.rhai",
        "    [#{",
        "    if record.name == \"throw\" { throw \"no\\x1b[2J\\u202e\\nlevel=ERROR\"; }\n    [#{",
    );
    home.edit(
        "scripts/small.rhai",
        "first_name: \"Ana\"",
        "first_name: record.name",
    );
    home.set("log: { level: debug }");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    assert_eq!(daemon.people().await.len(), 4, "{}", daemon.log());
    fails.store(true, std::sync::atomic::Ordering::Relaxed);
    let report = daemon.sync("home-0").await;
    let reason = report.outcome.reason().unwrap();
    assert!(reason.contains("down \\u{1b}[2J"), "{reason}");

    let steers = |c: char| c != '\n' && epms::model::steers(c);
    for arguments in [
        &["people"][..],
        &["people", "show", "p4"],
        &["people", "history", "p4"],
        &["people", "export"],
        &["people", "export", "--format", "json"],
        &["--json", "people"],
        &["--json", "runs"],
        &["runs"],
        &["run", "r1"],
        &["--json", "run", "r1"],
        &["status"],
        &["sync", "home-0"],
        &["preview", "home-0"],
        &["changes"],
        &["alerts"],
        &["explain", "home-0", "3"],
        &["doctor", "home-0"],
    ] {
        let output = home.epms(arguments).await;
        let (out, err) = (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        // A file for programs holds what is there; its formulas are looked at below.
        let shown = if arguments == ["people", "export"] {
            err
        } else {
            out + &err
        };
        assert!(!shown.contains(steers), "{arguments:?}: {shown:?}");
    }
    let csv = told(&home.epms(&["people", "export"]).await);
    let mut formulas = 0;
    for row in csv::Reader::from_reader(csv.as_bytes()).into_records() {
        let row = row.unwrap();
        formulas += row.iter().filter(|cell| cell.starts_with('\'')).count();
        assert!(
            !row.iter()
                .any(|cell| cell.starts_with(['=', '+', '-', '@'])),
            "{row:?}"
        );
    }
    assert_eq!(formulas, 3, "{csv}");
    let raw = told(&home.epms(&["people", "export", "--raw"]).await);
    assert!(raw.contains("\n=cmd|' /C calc'!A0,"), "{raw}");
    let log = daemon.log();
    assert_eq!(daemon.stop().await, Some(0));
    assert!(!log.contains(steers), "{log:?}");
    assert!(
        !log.lines()
            .any(|line| line.starts_with("level=") || line.starts_with("2026 ")),
        "{log}"
    );
}
