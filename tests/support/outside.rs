//! Servers that nobody here wrote, as `.ci/setup` installs them: started for one test, on loopback, and ended with it. Where
//! they are not there a test says so and is left out; with `EPMS_OUTSIDE=1` that is a failure.

#![allow(
    clippy::print_stderr,
    reason = "what is left out is told to whoever runs the tests"
)]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use super::PATIENCE;

/// A server that runs until it is dropped.
pub(crate) struct Outside {
    child: Child,
    /// Where it serves.
    pub(crate) url: String,
}

impl Outside {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a server is there that a test needs; where it is not, and nothing is to be left out, the test fails.
fn is_there(path: &Path, name: &str) -> bool {
    let is_there = path.exists();
    let must_be = std::env::var_os("EPMS_OUTSIDE").is_some_and(|value| value == "1");
    assert!(
        is_there || !must_be,
        "there is no {name}, and EPMS_OUTSIDE=1 lets nothing be left out; .ci/setup installs it"
    );
    if !is_there {
        eprintln!("left out: there is no {name}; .ci/setup installs it");
    }
    is_there
}

fn installed(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("target/outside").join(name)
}

/// A program of the system.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let mut paths = std::env::split_paths(&folders).map(|folder| folder.join(name));
    let path = paths.find(|path| path.is_file()).unwrap_or_default();
    is_there(&path, name).then_some(path)
}

/// axe, of Node: a script that finds what keeps somebody from using a page.
pub(crate) fn axe() -> Option<String> {
    let script = installed("node/node_modules/axe-core/axe.min.js");
    is_there(&script, "axe-core").then(|| std::fs::read_to_string(script).unwrap())
}

/// Starts a server, and waits until it says that it serves; `said` finds in a line of its where.
fn start(
    name: &str,
    command: &mut Command,
    said: impl Fn(&str) -> Option<String> + Send + 'static,
) -> Outside {
    started(command, said).unwrap_or_else(|| panic!("{name} does not serve"))
}

/// The same, of a server that may end before it serves.
pub(crate) fn started(
    command: &mut Command,
    said: impl Fn(&str) -> Option<String> + Send + 'static,
) -> Option<Outside> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (tell, told) = mpsc::channel();
    // Reads on, so that it is never held up by what it has to say.
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if let Some(url) = said(&line) {
                let _ = tell.send(url);
            }
        }
    });
    let mut outside = Outside {
        child,
        url: String::new(),
    };
    outside.url = told.recv_timeout(PATIENCE).ok()?;
    Some(outside)
}

/// scim2-server, of Python.
pub(crate) fn scim2_server() -> Option<Outside> {
    let program = installed("python/bin/scim2-server");
    if !is_there(&program, "scim2-server") {
        return None;
    }
    // It prints the port that it is given, and no other.
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let mut command = Command::new(program);
    command.env("PYTHONUNBUFFERED", "1");
    command.args(["--bearer-token", "good", "--port", &port.to_string()]);
    let said = |line: &str| {
        line.strip_prefix("Serving SCIM on ")
            .map(|url| url.trim().to_owned())
    };
    Some(start("scim2-server", &mut command, said))
}

/// aiosmtpd, of Python: a mail server whose folder holds what it took, and what it answers (`mail.py`). `mode` is `plain`,
/// `starttls` or `tls`.
pub(crate) fn mail_server(folder: &Path, mode: &str) -> Option<Outside> {
    let program = installed("python/bin/python");
    if !is_there(&installed("python/bin/aiosmtpd"), "aiosmtpd") {
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/mail.py");
    let mut command = Command::new(program);
    command.arg(script).arg(folder).arg(mode);
    let said = |line: &str| line.starts_with("smtp://").then(|| line.trim().to_owned());
    Some(start("aiosmtpd", &mut command, said))
}

/// What the library of Standard Webhooks, of Python, makes of a message: its body where it takes it. None where it is not
/// there.
pub(crate) fn verified(secret: &str, headers: &[(String, String)], body: &str) -> Option<bool> {
    let program = installed("python/bin/python");
    let library = installed("python/lib");
    let folders = std::fs::read_dir(&library).into_iter().flatten().flatten();
    let mut packages = folders.map(|one| one.path().join("site-packages/standardwebhooks"));
    let package = packages
        .find(|path| path.exists())
        .unwrap_or(library.join("standardwebhooks"));
    if !is_there(&package, "standardwebhooks") {
        return None;
    }
    let headers: std::collections::BTreeMap<_, _> = headers.iter().cloned().collect();
    let told = serde_json::json!([secret, headers, body]).to_string();
    let script = "import json, sys\nfrom standardwebhooks import Webhook\nsecret, headers, body = json.loads(sys.argv[1])\nWebhook(secret).verify(body, headers)";
    let status = Command::new(program)
        .args(["-c", script, &told])
        .stderr(Stdio::null())
        .status();
    Some(status.unwrap().success())
}

/// scimmy with its routers, of Node.
pub(crate) fn scimmy() -> Option<Outside> {
    let modules = installed("node/node_modules");
    if !is_there(&modules.join("scimmy-routers"), "scimmy-routers") {
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/scimmy.cjs");
    let mut command = Command::new("node");
    command.arg(script).env("NODE_PATH", modules);
    let said = |line: &str| line.starts_with("http://").then(|| line.trim().to_owned());
    Some(start("scimmy", &mut command, said))
}

/// Prism, of Node, as the server of a vendor's OpenAPI document: it answers by the document, and refuses what is against it.
/// The documents are the vendors': `EPMS_VENDOR` says where they lie.
pub(crate) fn prism(document: &str) -> Option<Outside> {
    let program = installed("node/node_modules/.bin/prism");
    if !is_there(&program, "prism") {
        return None;
    }
    let Some(folder) = std::env::var_os("EPMS_VENDOR") else {
        eprintln!("left out: EPMS_VENDOR names no folder with {document}");
        return None;
    };
    let document = Path::new(&folder).join(document);
    let mut command = Command::new(program);
    command.args(["mock", "-p", "0"]).arg(document);
    let said = |line: &str| {
        let (_, url) = line.split_once("Prism is listening on ")?;
        Some(url.trim().to_owned())
    };
    Some(start("prism", &mut command, said))
}

/// What Prism has to say against requests: method, path with query, and body.
pub(crate) async fn violations(
    prism: &Outside,
    requests: Vec<(String, String, String)>,
) -> Vec<String> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap();
    let mut violations = Vec::new();
    assert!(!requests.is_empty());
    for (method, path, body) in requests {
        let name = method.parse::<reqwest::Method>().unwrap();
        let mut asked = http.request(name, format!("{}{path}", prism.url));
        asked = asked.header("Authorization", "Bearer t");
        if !body.is_empty() {
            asked = asked.header("Content-Type", "application/json").body(body);
        }
        let answer = asked.send().await.unwrap();
        let said = answer.headers().get("sl-violations");
        let said = said.map(|said| said.to_str().unwrap().to_owned());
        let status = answer.status();
        if said.is_some() || !status.is_success() {
            violations.push(format!(
                "{method} {path}: {status} {}",
                said.unwrap_or_default()
            ));
        }
    }
    violations
}

/// oidc-provider, of Node: a provider of identities, which sends people back to this address and signs by this algorithm.
pub(crate) fn identities(redirect_uri: &str, signs_by: &str) -> Option<Outside> {
    let modules = installed("node/node_modules");
    if !is_there(&modules.join("oidc-provider"), "oidc-provider") {
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/identities.mjs");
    let mut command = Command::new("node");
    command.arg(script).args([redirect_uri, signs_by]);
    command.env("MODULES", modules);
    let said = |line: &str| line.starts_with("http://").then(|| line.trim().to_owned());
    Some(start("oidc-provider", &mut command, said))
}
