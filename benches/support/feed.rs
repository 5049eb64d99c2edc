//! The feed: an HTTP server on loopback, in a process of its own, whose pages are rendered before anybody asks.
//!
//! `GET /buildings/all/residents?from=0&count=1000` is answered with everybody, `/buildings/b7/…` with the residents
//! of one building of many, `POST /round/changed` makes the same addresses answer otherwise from then on.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::Sender;
use std::sync::{Arc, RwLock};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::child::{Child, Task};
use super::invented::{PAGE, Round, page, pages};
use super::wire::Wire;

/// Residents of one building of many.
pub(crate) const OF_A_BUILDING: u64 = 500;

/// What the feed is started with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Serve {
    /// How many residents `all` has.
    pub(crate) residents: u64,
}

/// The feed, as a process; it ends when this is dropped.
pub(crate) struct Feed {
    _child: Child,
    pub(crate) url: String,
}

impl Feed {
    pub(crate) fn start(residents: u64) -> Feed {
        let mut child = Child::start(&Task::Serve(Serve { residents }));
        let url = child.line();
        Feed { _child: child, url }
    }

    /// From now on the feed says what it says in that round.
    pub(crate) fn turn(&self, round: Round) {
        let mut body = Vec::new();
        let path = format!("/round/{}", serde_plain(round));
        Wire::to(&self.url).ask("POST", &path, &mut body);
    }
}

fn serde_plain(round: Round) -> String {
    let json = serde_json::to_value(round).unwrap();
    json.as_str().unwrap().to_owned()
}

struct Said {
    residents: u64,
    round: Round,
    all: Vec<String>,
}

/// Serves until whoever started it closes its standard input.
pub(crate) fn serve(task: &Serve) {
    println!("{}", spawn(task.residents, None));
    // Its end is the end of whoever asked.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

/// Serves in threads of this process, whose requests `asked` hears of, and gives the URL.
pub(crate) fn spawn(residents: u64, asked: Option<Sender<Instant>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let said = Arc::new(RwLock::new(Said {
        residents,
        round: Round::First,
        all: pages(residents, Round::First),
    }));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (said, asked) = (Arc::clone(&said), asked.clone());
            std::thread::spawn(move || answer(stream.unwrap(), &said, asked.as_ref()));
        }
    });
    url
}

/// Answers what one connection asks, one request after the other.
fn answer(mut stream: TcpStream, said: &RwLock<Said>, asked: Option<&Sender<Instant>>) {
    stream.set_nodelay(true).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if let Some(asked) = asked {
            // Nobody need listen any more.
            let _ = asked.send(Instant::now());
        }
        let target = line.split(' ').nth(1).unwrap().to_owned();
        // The head ends with an empty line; no request has a body.
        while line.trim_end() != "" {
            line.clear();
            lines.read_line(&mut line).unwrap();
        }
        if let Some(round) = target.strip_prefix("/round/") {
            let round: Round = serde_json::from_value(round.into()).unwrap();
            let mut said = said.write().unwrap();
            said.all = Vec::new();
            said.all = pages(said.residents, round);
            said.round = round;
            reply(&mut stream, "");
            continue;
        }
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let query: BTreeMap<&str, &str> = query
            .split('&')
            .filter_map(|part| part.split_once('='))
            .collect();
        let number = |name: &str| query[name].parse::<u64>().unwrap();
        let building = path.split('/').nth(2).unwrap();
        let (from, said) = (number("from"), said.read().unwrap());
        let done = if let Some(building) = building.strip_prefix('b') {
            let first = building.parse::<u64>().unwrap() * OF_A_BUILDING;
            let body = page(
                first + from,
                number("count"),
                first + OF_A_BUILDING,
                said.round,
            );
            reply(&mut stream, &body)
        } else {
            assert_eq!(number("count"), PAGE);
            let page = said.all.get(usize::try_from(from / PAGE).unwrap());
            reply(&mut stream, page.map_or(r#"{"data":[]}"#, String::as_str))
        };
        if done.is_none() {
            return;
        }
    }
}

/// None when whoever asked has gone.
fn reply(stream: &mut TcpStream, body: &str) -> Option<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()
}
