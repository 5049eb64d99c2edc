//! `epms run` as a process of its own, and requests over its socket.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use epms::control::client::{AlertFilter, Client, Cut, LogQuery, Which};
use epms::control::protocol::{IntegrationState, IntegrationStatus, LogLine, ProblemDocument};
use epms::model::{Alert, Change, IntegrationId, PeopleQuery, Person, Run, RunId};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::Method;

use super::{Home, eventually, found};

/// A daemon; it is killed when dropped.
pub struct Daemon {
    child: Child,
    log: PathBuf,
    pub client: Client,
    http: reqwest::Client,
}

/// An answer as it comes over the socket.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub kind: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The problem document that the answer must be.
    pub fn problem(&self) -> ProblemDocument {
        assert_eq!(self.kind, "application/problem+json", "{self:?}");
        let problem: ProblemDocument = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem.status, self.status, "{self:?}");
        assert!(!problem.detail.is_empty(), "{self:?}");
        problem
    }
}

impl Daemon {
    /// Starts the daemon of `home` and waits until it answers.
    pub async fn start(home: &Home) -> Daemon {
        let mut command = super::epms();
        command.args(["--home".as_ref(), home.root().as_os_str(), "run".as_ref()]);
        Daemon::spawn(command, &home.socket(), home.beside()).await
    }

    /// Starts `command` and waits until something answers on `socket`.
    pub async fn spawn(mut command: Command, socket: &Path, logs: &Path) -> Daemon {
        let log = logs.join("daemon.log");
        // A daemon that is started anew writes below what the one before wrote.
        let file = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        command.stdout(Stdio::null()).stderr(Stdio::from(file));
        let client = Client::new(socket).unwrap();
        let http = reqwest::Client::builder()
            .unix_socket(socket)
            .no_proxy()
            // As the client does: a connection that is kept may be closed to make room for others.
            .pool_max_idle_per_host(0)
            .tls_certs_only([])
            .build()
            .unwrap();
        let mut daemon = Daemon {
            child: command.spawn().unwrap(),
            log,
            client,
            http,
        };
        eventually("the daemon answers", async || {
            let ended = daemon.child.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "the daemon ended: {ended:?}\n{}",
                daemon.log()
            );
            daemon.client.healthz().await.is_ok()
        })
        .await;
        daemon
    }

    /// All that it wrote to standard error.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Files, sockets and pipes that it has open. Only root may see them all; others see the connections on its socket.
    pub fn open_files(&self) -> usize {
        let folder = format!("/proc/{}/fd", self.pid());
        match std::fs::read_dir(folder) {
            Ok(files) => files.count(),
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
                self.connections()
            }
        }
    }

    /// Connections on its socket that it has taken up.
    fn connections(&self) -> usize {
        let sockets = std::fs::read_to_string("/proc/net/unix").unwrap();
        let socket = self.client.socket().to_str().unwrap();
        let of_ours = sockets.lines().filter(|line| line.ends_with(socket));
        let state = |line: &str| line.split_whitespace().nth(5).map(str::to_owned);
        // Those that nobody has taken up yet are in another state.
        of_ours
            .filter(|line| state(line).as_deref() == Some("03"))
            .count()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        kill(pid, signal).unwrap();
    }

    pub fn runs_still(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end, and gives its exit code; none when a signal ended it.
    pub async fn ended(&mut self) -> Option<i32> {
        found("the daemon ends", async || self.child.try_wait().unwrap())
            .await
            .code()
    }

    /// Ends it as a service manager does, and gives its exit code.
    pub async fn stop(mut self) -> Option<i32> {
        self.signal(Signal::SIGTERM);
        self.ended().await
    }

    /// Ends it as a power cut does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until the runs that were missed are made up, and nothing is under way.
    pub async fn settle(&self) {
        eventually("all runs have ended", async || {
            let status = self.client.status().await.unwrap();
            status.integrations.iter().all(|one| match one.state {
                IntegrationState::Idle => one.last_started.is_some(),
                IntegrationState::Queued | IntegrationState::Running => false,
                _ => true,
            })
        })
        .await;
    }

    /// Syncs one integration and gives the report.
    pub async fn sync(&self, id: &str) -> Run {
        let ids = [IntegrationId::new(id)];
        let reply = self.client.sync(Which::These(&ids), true).await;
        let mut reply = reply.unwrap_or_else(|error| panic!("{error}\n{}", self.log()));
        let report = reply.runs.remove(0).report.unwrap();
        assert!(report.counts.add_up() || !report.outcome.is_success());
        report
    }

    /// Asks for a sync and waits until it is under way.
    pub async fn begin(&self, id: &str) -> RunId {
        let ids = [IntegrationId::new(id)];
        let reply = self.client.sync(Which::These(&ids), false).await.unwrap();
        let run = reply.runs[0].id;
        self.begun(run).await;
        run
    }

    /// Waits until a run is under way, also for those who will read the store later.
    pub async fn begun(&self, run: RunId) {
        eventually("the run is under way", async || {
            self.client.run(run).await.unwrap().state.report.is_some()
        })
        .await;
    }

    pub async fn integration(&self, id: &str) -> IntegrationStatus {
        let id = IntegrationId::new(id);
        self.client.integration(&id).await.unwrap()
    }

    pub async fn generation(&self, id: &str) -> u64 {
        self.integration(id).await.generation.unwrap()
    }

    /// Waits until another generation than `before` runs, and gives it.
    pub async fn reloaded(&self, id: &str, before: u64) -> u64 {
        found("a new generation runs", async || {
            let now = self.generation(id).await;
            (now != before).then_some(now)
        })
        .await
    }

    /// Everybody.
    pub async fn people(&self) -> Vec<Person> {
        let (mut all, mut cut) = (Vec::new(), Cut::default());
        loop {
            let page = self.client.people(&PeopleQuery::default(), &cut).await;
            let page = page.unwrap();
            all.extend(page.items);
            cut.cursor = page.next;
            if cut.cursor.is_none() {
                return all;
            }
        }
    }

    pub async fn person_with(&self, email: &str) -> Option<Person> {
        let people = self.people().await;
        people
            .into_iter()
            .find(|person| person.email.as_deref() == Some(email))
    }

    /// All open alerts.
    pub async fn alerts(&self) -> Vec<Alert> {
        let cut = Cut {
            limit: Some(1000),
            cursor: None,
        };
        let page = self
            .client
            .alerts(&AlertFilter::default(), &cut)
            .await
            .unwrap();
        assert_eq!(page.next, None);
        page.items
    }

    pub async fn changes(&self) -> Vec<Change> {
        let mut all = Vec::new();
        let each = |line: LogLine| -> Result<(), epms::control::client::ClientError> {
            all.extend(line.change());
            Ok(())
        };
        let query = LogQuery::default();
        self.client.changes(&query, each).await.unwrap();
        all
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path).await
    }

    /// The first line of an answer that does not end, which is JSON.
    pub async fn first_line(&self, path: &str) -> serde_json::Value {
        let url = format!("http://epms{path}");
        let mut response = self.http.get(url).send().await.unwrap();
        let mut line = Vec::new();
        while !line.contains(&b'\n') {
            line.extend_from_slice(&response.chunk().await.unwrap().unwrap());
        }
        let line = line.split(|byte| *byte == b'\n').next().unwrap();
        serde_json::from_slice(line).unwrap()
    }

    pub async fn post(&self, path: &str) -> Answer {
        self.ask(Method::POST, path).await
    }

    pub async fn ask(&self, method: Method, path: &str) -> Answer {
        self.send(method, path, "").await
    }

    pub async fn send(&self, method: Method, path: &str, body: &str) -> Answer {
        let url = format!("http://epms{path}");
        let request = self.http.request(method, url).body(body.to_owned());
        let response = request.send().await.unwrap();
        Answer {
            status: response.status().as_u16(),
            kind: response
                .headers()
                .get("content-type")
                .map(|kind| kind.to_str().unwrap().to_owned())
                .unwrap_or_default(),
            body: response.text().await.unwrap(),
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
