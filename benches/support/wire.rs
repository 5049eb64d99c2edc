//! The least of an HTTP client: what reading the bytes costs, and nothing else.

use std::io::{Read, Write};
use std::net::TcpStream;

/// A connection that is kept.
pub(crate) struct Wire {
    stream: TcpStream,
    host: String,
    /// What was read and belongs to the next answer or to this one's body.
    ahead: Vec<u8>,
}

impl Wire {
    pub(crate) fn to(url: &str) -> Wire {
        let host = url.strip_prefix("http://").unwrap().to_owned();
        let stream = TcpStream::connect(&host).unwrap();
        stream.set_nodelay(true).unwrap();
        Wire {
            stream,
            host,
            ahead: Vec::new(),
        }
    }

    /// Asks, and puts the body of the answer in the place of what is in `body`.
    pub(crate) fn ask(&mut self, method: &str, path: &str, body: &mut Vec<u8>) {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.host);
        self.stream.write_all(head.as_bytes()).unwrap();
        body.clear();
        let mut chunk = [0; 16 * 1024];
        let (end, length) = loop {
            let head = self.ahead.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = head {
                let head = std::str::from_utf8(&self.ahead[..end]).unwrap();
                let length = head
                    .lines()
                    .filter_map(|line| line.split_once(": "))
                    .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                    .map(|(_, value)| value.parse::<usize>().unwrap());
                break (end + 4, length.unwrap());
            }
            let read = self.stream.read(&mut chunk).unwrap();
            assert!(read > 0, "the feed ended");
            self.ahead.extend_from_slice(&chunk[..read]);
        };
        body.extend(self.ahead.drain(..).skip(end));
        let here = body.len();
        assert!(here <= length, "the feed answered what nobody asked");
        body.resize(length, 0);
        self.stream.read_exact(&mut body[here..]).unwrap();
    }
}
