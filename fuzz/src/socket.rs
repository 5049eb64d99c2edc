//! Requests over the control socket, to a whole daemon of this process. It has no integrations.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use epms::config::{Environment, Home};
use epms::daemon::{Signals, Start};
use tokio_util::sync::CancellationToken;

use super::line_and_rest;

/// A request that is whole is answered sooner.
const PATIENCE: Duration = Duration::from_secs(10);
/// What streams without end is not read to its end.
const PAUSE: Duration = Duration::from_millis(100);

struct Daemon {
    socket: PathBuf,
    _home: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
    _reload: tokio::sync::mpsc::Sender<()>,
}

static DAEMON: LazyLock<Daemon> = LazyLock::new(|| {
    // Where there is memory that looks like a disk, nothing waits for a disk.
    let memory = std::path::Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    let home = tempfile::TempDir::new_in(folder).expect("a folder");
    std::fs::create_dir(home.path().join("config")).expect("a folder");
    std::fs::create_dir(home.path().join("scripts")).expect("a folder");
    std::fs::write(home.path().join("config/epms.yaml"), "version: 1\n").expect("a file");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (reload_sender, reload) = tokio::sync::mpsc::channel(1);
    let (sender, ready) = std::sync::mpsc::channel();
    let start = Start {
        home: Home::at(home.path()),
        environment: Environment::default(),
        socket: None,
    };
    let signals = Signals {
        stop: CancellationToken::new(),
        reload,
    };
    runtime.spawn(async move {
        let ended = epms::daemon::run(start, signals, move |socket| {
            let _ = sender.send(socket);
        });
        panic!("the daemon ended: {:?}", ended.await);
    });
    Daemon {
        socket: ready.recv().expect("the daemon starts"),
        _home: home,
        _runtime: runtime,
        _reload: reload_sender,
    }
});

/// Bytes over the socket. With `!` first they go as they are; else the first line is a method and a path, and the
/// rest is the body. A request that is whole is answered, and the daemon lives afterwards.
pub fn socket(data: &[u8]) {
    let whole = data.first() != Some(&b'!');
    let sent = if whole {
        request(data)
    } else {
        data[1..].to_vec()
    };
    let answer = exchange(&sent, whole);
    if whole {
        let text = String::from_utf8_lossy(&answer);
        let status = text
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3));
        let status = status.and_then(|status| status.parse::<u16>().ok());
        let status = status.unwrap_or_else(|| panic!("no answer: {text}"));
        assert!((200..600).contains(&status) && status != 500, "{text}");
    }
    let alive = exchange(
        b"GET /healthz HTTP/1.1\r\nhost: e\r\nconnection: close\r\n\r\n",
        true,
    );
    let text = String::from_utf8_lossy(&alive);
    assert!(
        text.starts_with("HTTP/1.1 200"),
        "it does not live: {text:?}"
    );
}

fn request(data: &[u8]) -> Vec<u8> {
    let (line, body) = line_and_rest(data);
    let mut line: Vec<u8> = line.iter().copied().filter(|byte| *byte != b'\r').collect();
    if !line.contains(&b' ') {
        line.splice(..0, *b"GET /");
    }
    line.extend_from_slice(b" HTTP/1.1\r\nhost: e\r\nconnection: close\r\n");
    line.extend_from_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
    line.extend_from_slice(b"content-type: application/json\r\n\r\n");
    line.extend_from_slice(body);
    line
}

/// Sends, and reads until the daemon has nothing more to say.
fn exchange(sent: &[u8], whole: bool) -> Vec<u8> {
    let mut stream = UnixStream::connect(&DAEMON.socket).expect("the daemon listens");
    let first = if whole { PATIENCE } else { PAUSE };
    stream.set_read_timeout(Some(first)).expect("a timeout");
    stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
    // The daemon may have heard enough before all is said.
    let _ = stream.write_all(sent);
    if !whole {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    let mut part = [0; 16 * 1024];
    while answer.len() < 1024 * 1024 {
        match stream.read(&mut part) {
            // The fuzzer's own alarm.
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Ok(0) | Err(_) => break,
            Ok(read) => answer.extend_from_slice(&part[..read]),
        }
        stream.set_read_timeout(Some(PAUSE)).expect("a timeout");
    }
    answer
}
