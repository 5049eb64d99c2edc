//! A proxy of a few lines on loopback: whatever host is asked for, it leads to one port of this machine.

use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

const REFUSED: &str = "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm=\"way out\"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// What it was asked, and where it is.
pub struct SmallProxy {
    /// `host:port`.
    pub address: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl SmallProxy {
    /// Leads to `port`, whoever shows `name:password`; everybody where that is none.
    pub async fn start(port: u16, lets_in: Option<&str>) -> SmallProxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let wanted = lets_in.map(|login| format!("Basic {}", STANDARD.encode(login)));
        let seen = Arc::clone(&heads);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(lead(stream, port, wanted.clone(), Arc::clone(&seen)));
            }
        });
        SmallProxy { address, heads }
    }

    /// The first head of each connection, as it came.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// What a head says in a header.
fn said<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let header = |line: &'h str| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    };
    head.lines().skip(1).find_map(header)
}

async fn lead(
    mut stream: TcpStream,
    port: u16,
    wanted: Option<String>,
    seen: Arc<Mutex<Vec<String>>>,
) {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let text = String::from_utf8(head.clone()).unwrap();
    let is_let_in = wanted.is_none() || said(&text, "proxy-authorization") == wanted.as_deref();
    let is_tunnel = text.starts_with("CONNECT ");
    seen.lock().unwrap().push(text);
    // Whoever asked may have gone.
    if !is_let_in {
        let _ = stream.write_all(REFUSED.as_bytes()).await;
        return;
    }
    let mut host = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    if is_tunnel {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
    } else {
        let _ = host.write_all(&head).await;
    }
    let _ = copy_bidirectional(&mut stream, &mut host).await;
}
