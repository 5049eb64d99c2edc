//! Who may do what over the socket, by the real daemon and callers who are other users. Only root can be somebody
//! else: without it, the tests that need it say by name what they did not show.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "another user answers over standard output, and what was not shown is said"
)]

use std::io::{BufRead, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::support::{Daemon, Home, told};
use tempfile::TempDir;

pub(crate) const STRANGER: u32 = 61_000;
pub(crate) const OBSERVER: u32 = 61_001;
const OPERATOR: u32 = 61_002;
const APPROVER: u32 = 61_003;
/// Everybody above has this group but the operator, who is known by theirs alone.
pub(crate) const USERS: u32 = 61_100;
const OPERATORS: u32 = 61_101;

const TIERS: &str = "
    observe: { users: [61001] }
    operate: { groups: [61101] }
    approve: { users: [61003] }
";

/// A folder that everybody may enter, for the socket and for programs that other users run.
pub(crate) struct Open(TempDir);

impl Open {
    pub(crate) fn new() -> Open {
        let folder = TempDir::new().unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        Open(folder)
    }

    fn socket(&self) -> PathBuf {
        self.0.path().join("epms.sock")
    }

    /// A program where other users find it.
    fn program(&self, from: &Path) -> PathBuf {
        let to = self.0.path().join(from.file_name().unwrap());
        if !to.exists() && std::fs::hard_link(from, &to).is_err() {
            std::fs::copy(from, &to).unwrap();
        }
        to
    }

    pub(crate) fn settings(&self, home: &Home, mode: &str, tiers: &str) {
        let socket = self.socket();
        let settings = format!(
            "version: 1\nsocket:\n  path: {}\n  mode: \"{mode}\"\n{}",
            socket.display(),
            if tiers.is_empty() {
                String::new()
            } else {
                format!("  tiers: {tiers}")
            }
        );
        home.write("config/epms.yaml", settings);
    }

    pub(crate) async fn daemon(&self, home: &Home) -> Daemon {
        let mut command = crate::support::epms();
        command.args(["--home".as_ref(), home.root().as_os_str(), "run".as_ref()]);
        Daemon::spawn(command, &self.socket(), home.beside()).await
    }

    /// The answers that a user gets to requests, each `GET /v1/status`, with headers behind tabs: status, kind and body.
    pub(crate) async fn ask(
        &self,
        uid: u32,
        gid: u32,
        requests: &[String],
    ) -> Vec<(u16, String, String)> {
        let program = self.program(&std::env::current_exe().unwrap());
        let mut command = Command::new(program);
        command
            .args(["--ignored", "--exact", "tiers::another_user", "--nocapture"])
            .env("EPMS_TEST_SOCKET", self.socket())
            .current_dir("/")
            .uid(uid)
            .gid(gid);
        let text = requests.join("\n");
        let output = with_input(command, text).await;
        assert!(output.status.success(), "{}", told(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        let answers: Vec<(u16, String, String)> = text
            .lines()
            .filter_map(|line| serde_json::from_str(line.split_once("@ ")?.1).ok())
            .collect();
        assert_eq!(answers.len(), requests.len(), "{text}");
        answers
    }
}

async fn with_input(mut command: Command, text: String) -> Output {
    tokio::task::spawn_blocking(move || {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let writes = std::thread::spawn(move || stdin.write_all(text.as_bytes()).unwrap());
        let output = child.wait_with_output().unwrap();
        writes.join().unwrap();
        output
    })
    .await
    .unwrap()
}

/// Not a test: what the tests here start as another user. One connection for all requests.
#[test]
#[ignore = "started by the tests beside it, as another user"]
fn another_user() {
    let Ok(socket) = std::env::var("EPMS_TEST_SOCKET") else {
        return;
    };
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let mut stream = UnixStream::connect(&socket).unwrap();
        // As a browser asks.
        let mut parts = line.split('\t');
        let line = parts.next().unwrap().to_owned();
        let headers: String = parts.flat_map(|one| [one, "\r\n"]).collect();
        let host = if headers.contains("host: ") {
            ""
        } else {
            "host: epms\r\n"
        };
        let (line, accept) = match line.strip_prefix("BROWSE ") {
            Some(path) => (format!("GET {path}"), "accept: text/html\r\n"),
            None => (line, ""),
        };
        write!(
            stream,
            "{line} HTTP/1.1\r\n{host}{headers}{accept}connection: close\r\ncontent-length: 0\r\n\r\n"
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
        let kind = head
            .lines()
            .find_map(|line| line.strip_prefix("content-type: "));
        let told = serde_json::to_string(&(status, kind.unwrap_or_default(), body));
        println!("@ {}", told.unwrap());
    }
}

pub(crate) fn is_root(shows: &str) -> bool {
    let root = nix_is_root();
    if !root {
        eprintln!("not shown, as only root can be another user: {shows}");
    }
    root
}

fn nix_is_root() -> bool {
    // The folder of the process's own entry belongs to its user.
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0
}

fn denials(daemon: &Daemon) -> Vec<String> {
    let log = daemon.log();
    let lines = log.lines().filter(|line| line.contains("call denied"));
    lines.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tier_reaches_its_routes_and_no_others_and_what_is_denied_is_logged() {
    if !is_root("each tier reaches its routes and no others") {
        return;
    }
    let (home, open) = (Home::new(), Open::new());
    open.settings(&home, "0666", TIERS);
    let daemon = open.daemon(&home).await;
    let document = daemon.get("/v1/openapi.json").await.json();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let tier = operation["x-tier"].as_str().unwrap().to_owned();
            operations.push((format!("{} {path}", method.to_uppercase()), tier));
        }
    }
    let count = |tier: &str| operations.iter().filter(|(_, needs)| needs == tier).count();
    assert!(
        count("observe") > 12 && count("operate") > 15,
        "{operations:?}"
    );
    let approves: Vec<&str> = operations
        .iter()
        .filter(|(_, needs)| needs == "approve")
        .map(|(operation, _)| operation.as_str())
        .collect();
    assert_eq!(
        approves,
        [
            "POST /v1/integrations/{id}/retire",
            "POST /v1/runs/{id}/approve",
            "POST /v1/runs/{id}/reject",
            "POST /v1/since-upgrade/approve",
            "POST /v1/people/{id}/erase",
            "POST /v1/deliveries/{target}/approve"
        ]
    );
    // What callers write must not come into the log.
    let requests: Vec<String> = operations
        .iter()
        .map(|(operation, _)| {
            operation
                .replace("{id}", "zz-canary-zz")
                .replace("{target}", "zz-canary-zz")
                .replace("{resident}", "canary@example.com")
        })
        .collect();
    let tiers = ["observe", "operate", "approve"];
    let callers = [
        (STRANGER, USERS, 0),
        (OBSERVER, USERS, 1),
        (OPERATOR, OPERATORS, 2),
        (APPROVER, USERS, 3),
    ];
    for (uid, gid, reach) in callers {
        let before = denials(&daemon).len();
        let answers = open.ask(uid, gid, &requests).await;
        let mut denied = 0;
        for ((operation, needs), (status, kind, body)) in operations.iter().zip(&answers) {
            let may = tiers[..reach].contains(&needs.as_str());
            assert_eq!(*status != 403, may, "{uid} {operation} {needs}: {body}");
            if !may {
                denied += 1;
                assert_eq!(kind, "application/problem+json");
                let problem: serde_json::Value = serde_json::from_str(body).unwrap();
                assert_eq!(problem["type"], "urn:epms:denied");
                let detail = problem["detail"].as_str().unwrap();
                let needs = if reach == 0 { "observe" } else { needs };
                assert!(detail.contains(&format!("needs `{needs}`")), "{detail}");
                assert!(
                    detail.contains(&format!("socket.tiers.{needs}")),
                    "{detail}"
                );
                assert!(detail.contains(&format!("user {uid}")), "{detail}");
            }
        }
        let told = denials(&daemon);
        assert_eq!(told.len() - before, denied, "every denied call is logged");
        for line in &told[before..] {
            let says = [
                format!("uid={uid}"),
                format!("gid={gid}"),
                "pid=".into(),
                "route=".into(),
                "needs=".into(),
            ];
            assert!(says.iter().all(|word| line.contains(word)), "{line}");
        }
    }
    let denied = denials(&daemon).join("\n");
    assert!(denied.contains("/v1/runs/{id}/approve"), "{denied}");
    assert!(!denied.contains("canary"), "{denied}");
    // Live, an explanation asks the PMS.
    let live = ["GET /v1/integrations/elm/residents/r1?live=true".to_owned()];
    assert_eq!(open.ask(OBSERVER, USERS, &live).await[0].0, 403);
    assert_ne!(open.ask(OPERATOR, OPERATORS, &live).await[0].0, 403);
    // Paths that are no routes tell a stranger nothing.
    let nowhere = ["GET /v2/%0asecrets".to_owned()];
    assert_eq!(open.ask(STRANGER, USERS, &nowhere).await[0].0, 403);
    assert_eq!(open.ask(OBSERVER, USERS, &nowhere).await[0].0, 404);
    // The daemon's own user may everything, named or not.
    let answer = daemon.post("/v1/runs/r1/approve").await;
    assert_eq!(answer.status, 404, "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tiers_change_with_the_file_and_without_a_restart() {
    if !is_root("tiers change with the file and without a restart") {
        return;
    }
    let (home, open) = (Home::new(), Open::new());
    open.settings(&home, "0666", TIERS);
    let daemon = open.daemon(&home).await;
    let status = ["GET /v1/status".to_owned()];
    assert_eq!(open.ask(OBSERVER, USERS, &status).await[0].0, 200);
    assert_eq!(open.ask(STRANGER, USERS, &status).await[0].0, 403);
    open.settings(&home, "0666", "{ observe: { users: [61000] } }\n");
    assert_eq!(daemon.post("/v1/reload").await.status, 200);
    assert_eq!(open.ask(OBSERVER, USERS, &status).await[0].0, 403);
    assert_eq!(open.ask(STRANGER, USERS, &status).await[0].0, 200);
    // A file that is not right leaves those in who were, and nobody else.
    open.settings(&home, "0666", "{ observe: { users: [true] } }\n");
    assert_eq!(daemon.post("/v1/reload").await.status, 200);
    assert_eq!(open.ask(OBSERVER, USERS, &status).await[0].0, 403);
    assert_eq!(open.ask(STRANGER, USERS, &status).await[0].0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_show_a_caller_what_their_tier_may_do_and_do_no_more() {
    if !is_root("pages show a caller what their tier may do and do no more") {
        return;
    }
    let pms = crate::support::pms(epms::sandbox::Kind::AppFolio, 1, 40).await;
    let (home, open) = (Home::new(), Open::new());
    home.feed("elm", &pms);
    open.settings(&home, "0666", TIERS);
    let daemon = open.daemon(&home).await;
    daemon.settle().await;
    let alert = daemon.alerts().await[0].id;
    let pages = [
        "/",
        "/people",
        "/people/p1",
        "/people/p1/erase",
        "/people/new",
        "/people/import",
        "/integrations/elm",
        "/integrations/elm/rename",
        "/alerts",
        &format!("/alerts/{alert}"),
        "/runs/r1",
        "/targets",
    ];
    let read: Vec<String> = pages.iter().map(|page| format!("GET {page}")).collect();
    for (status, kind, body) in open.ask(OBSERVER, USERS, &read).await {
        assert_eq!((status, &*kind), (200, "text/html; charset=utf-8"));
        assert!(!body.contains("method=\"post\""), "{body}");
    }
    for (status, _, body) in open.ask(OPERATOR, OPERATORS, &read[..1]).await {
        assert!(
            status == 200 && body.contains("action=\"/integrations/elm/sync\""),
            "{body}"
        );
    }
    let acts = [
        "/sync",
        "/integrations/elm/sync",
        "/integrations/elm/pause",
        "/people/p1/pin",
        "/acts/x1/undo",
        "/alerts/dismiss",
        "/integrations/elm/residents/t1",
        "/integrations/elm/rename",
        "/integrations/elm/undo",
        "/people/new",
        "/people/import",
    ];
    let approvals = [
        "/runs/r1/approve",
        "/runs/r1/reject",
        "/targets/doors/approve",
        "/people/p1/erase",
        "/integrations/elm/retire",
        "/integrations/elm/retire/preview",
    ];
    let post = |paths: &[&str]| {
        paths
            .iter()
            .map(|path| format!("POST {path}"))
            .collect::<Vec<_>>()
    };
    for (uid, gid, denied) in [
        (OBSERVER, USERS, [&acts[..], &approvals].concat()),
        (OPERATOR, OPERATORS, approvals.to_vec()),
    ] {
        for (status, kind, body) in open.ask(uid, gid, &post(&denied)).await {
            assert_eq!(
                (status, &*kind),
                (403, "text/html; charset=utf-8"),
                "{body}"
            );
            assert!(body.contains("socket.tiers"), "{body}");
        }
    }
    assert_eq!(denials(&daemon).len(), acts.len() + 2 * approvals.len());
    // Whoever may nothing learns nothing, not even that there is a page.
    let (status, kind, _) = open.ask(STRANGER, USERS, &read[..1]).await.remove(0);
    assert_eq!((status, &*kind), (403, "application/problem+json"));
    // A browser shows it as a page, that has nothing but the refusal.
    let browse = ["BROWSE /", "BROWSE /people/p1", "BROWSE /v1/status"].map(String::from);
    let answers = open.ask(STRANGER, USERS, &browse).await;
    for (status, kind, body) in &answers[..2] {
        assert_eq!((*status, &**kind), (403, "text/html; charset=utf-8"));
        assert!(body.contains("socket.tiers.observe"), "{body}");
        assert!(!body.contains("The elm"), "{body}");
    }
    assert_eq!(answers[2].1, "application/problem+json");
    // It names what it would be asked with, and is no form: nothing is done.
    for (status, ..) in open.ask(APPROVER, USERS, &post(&acts)).await {
        assert_eq!(status, 400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tiers_who_can_open_the_socket_may_do_everything() {
    if !is_root("without tiers who can open the socket may do everything") {
        return;
    }
    let (home, open) = (Home::new(), Open::new());
    open.settings(&home, "0666", "");
    let daemon = open.daemon(&home).await;
    let requests = [
        "GET /v1/status",
        "POST /v1/reload",
        "POST /v1/runs/r1/approve",
    ];
    let answers = open.ask(STRANGER, USERS, &requests.map(String::from)).await;
    let statuses: Vec<u16> = answers.iter().map(|(status, ..)| *status).collect();
    assert_eq!(statuses, [200, 200, 404]);
    assert!(denials(&daemon).is_empty());
    let says = "every user of this machine may open the socket and do everything";
    assert!(daemon.log().contains(says), "{}", daemon.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_says_why_it_was_denied_and_ends_with_5() {
    if !is_root("the program says why it was denied and ends with 5") {
        return;
    }
    let (home, open) = (Home::new(), Open::new());
    open.settings(&home, "0666", TIERS);
    let _daemon = open.daemon(&home).await;
    let run = async |uid: u32, arguments: &[&str]| {
        let mut command = Command::new(open.program(Path::new(env!("CARGO_BIN_EXE_epms"))));
        command
            .env_clear()
            .current_dir("/")
            .arg("--socket")
            .arg(open.socket())
            .args(arguments)
            .uid(uid)
            .gid(USERS);
        crate::support::output(command).await
    };
    let ended = run(STRANGER, &["status"]).await;
    assert_eq!(ended.status.code(), Some(5), "{}", told(&ended));
    assert!(
        told(&ended).contains("socket.tiers.observe"),
        "{}",
        told(&ended)
    );
    assert!(run(OBSERVER, &["status"]).await.status.success());
    let ended = run(OBSERVER, &["reload"]).await;
    assert_eq!(ended.status.code(), Some(5), "{}", told(&ended));
    assert!(told(&ended).contains("needs `operate`"), "{}", told(&ended));
    let ended = run(APPROVER, &["reload"]).await;
    assert!(ended.status.success(), "{}", told(&ended));
}

/// A user of this machine who is a member of a group that is not their own: user, their group, that group's name.
fn a_member() -> Option<(u32, u32, String)> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let (users, groups) = (read("/etc/passwd"), read("/etc/group"));
    groups.lines().find_map(|line| {
        let (group, member) = (line.split(':').next()?, line.split(':').nth(3)?);
        let member = member.split(',').next().filter(|name| !name.is_empty())?;
        let user = users
            .lines()
            .find(|line| line.split(':').next() == Some(member))?;
        let mut numbers = user.split(':').skip(2);
        let uid = numbers.next()?.parse().ok()?;
        let gid = numbers.next()?.parse().ok()?;
        (uid != 0).then(|| (uid, gid, group.to_owned()))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_of_a_group_is_known_by_it_though_the_socket_tells_only_their_own() {
    let shows = "a member of a group is known by it";
    let Some((uid, gid, group)) = a_member().filter(|_| is_root(shows)) else {
        eprintln!(
            "not shown, unless root, on a machine where a user is a member of a group: {shows}"
        );
        return;
    };
    let (home, open) = (Home::new(), Open::new());
    let tiers = format!("{{ operate: {{ groups: [{group}] }} }}\n");
    open.settings(&home, "0666", &tiers);
    let _daemon = open.daemon(&home).await;
    let requests = ["POST /v1/reload", "POST /v1/runs/r1/approve"].map(String::from);
    let statuses = async |uid, gid| {
        let answers = open.ask(uid, gid, &requests).await;
        answers.iter().map(|one| one.0).collect::<Vec<_>>()
    };
    assert_eq!(statuses(uid, gid).await, [200, 403]);
    assert_eq!(statuses(STRANGER, USERS).await, [403, 403]);
}

#[tokio::test]
async fn the_daemons_own_user_need_not_be_named_and_names_of_nobody_are_told() {
    let (home, open) = (Home::new(), Open::new());
    open.settings(
        &home,
        "0600",
        "{ approve: { groups: [no-such-group-here] } }\n",
    );
    let daemon = open.daemon(&home).await;
    assert_eq!(daemon.get("/v1/status").await.status, 200);
    assert_eq!(daemon.post("/v1/reload").await.status, 200);
    assert_eq!(daemon.post("/v1/runs/r1/approve").await.status, 404);
    let log = daemon.log();
    assert!(
        log.contains("socket.tiers.approve.groups: no-such-group-here"),
        "{log}"
    );
}
