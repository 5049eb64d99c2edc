//! The bureau: reports that are ordered, waited for and fetched, as a zip with CSV in windows-1252.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Body;
use axum::http::Method;
use axum::response::Response;
use serde_json::json;

use super::super::Home;
use super::{Heard, home, serve, with_status};

const PASSWORD: &str = "b&reau p;ss";

/// What is wrong with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Trouble {
    #[default]
    Nothing,
    /// A report is never ready.
    NeverReady,
    /// A report is given up.
    Aborted,
    /// A row is missing, and its footer counts it.
    RowMissing,
    /// The file ends within its rows.
    CutOff,
    /// A page stands where the zip should.
    NoArchive,
    /// It gives another house's list.
    OtherHouse,
    /// It is closed for the night.
    Nightly,
}

/// Rows by their houses, and what goes on.
#[derive(Debug, Default)]
pub struct State {
    pub rows: BTreeMap<String, Vec<String>>,
    pub trouble: Trouble,
    /// Reports by their numbers: the house, and how often they were asked for.
    jobs: BTreeMap<usize, (String, usize)>,
    tokens: usize,
    /// Methods and paths, in their order.
    pub asked: Vec<String>,
}

/// A bureau with its home.
pub struct Bureau {
    pub home: Home,
    state: Arc<Mutex<State>>,
}

impl Bureau {
    /// Each of the two houses has so many tenants.
    pub async fn start(tenants: usize) -> Bureau {
        let state: Arc<Mutex<State>> = Arc::default();
        for (house, from) in [("H-7", 1000), ("H-9", 2000)] {
            let rows = (from..from + tenants).map(|id| row(house, id, "Aufrecht"));
            let mut state = state.lock().unwrap();
            state.rows.insert(house.into(), rows.collect());
        }
        let of_server = Arc::clone(&state);
        let url = serve(move |heard| answer(&mut of_server.lock().unwrap(), heard)).await;
        let home = home("bureau", &url, PASSWORD);
        Bureau { home, state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Puts a tenant's row in the place of the one before, or behind the others.
    pub fn put(&self, house: &str, id: usize, stand: &str) {
        let new = row(house, id, stand);
        let mut state = self.state();
        let rows = state.rows.get_mut(house).unwrap();
        let own = format!("{id};");
        match rows.iter_mut().find(|row| row.starts_with(&own)) {
            Some(row) => *row = new,
            None => rows.push(new),
        }
    }

    /// The zip of a house's list, as it is.
    pub fn zip(&self, house: &str) -> Vec<u8> {
        let state = self.state();
        zipped(&list(&state.rows[house], house, state.trouble))
    }
}

/// Apostrophes around some fields, a line break in one, letters of windows-1252 alone.
fn row(house: &str, id: usize, stand: &str) -> String {
    let (out, number) = if stand == "Gekündigt" || stand == "Ausgezogen" {
        ("31.01.26", id % 1000)
    } else {
        ("", id % 1000)
    };
    format!(
        "{id};V-{id};Hauptmieter;{house};'Top {number}';'D''Šelm {},\r\nŽofie';'mieter.{id}@example.com; –';'mobil 0660 / 12 {number:05}';05.04.25;{out};{stand}",
        letters(id)
    )
}

/// A number as letters: names have no digits.
fn letters(number: usize) -> String {
    number
        .to_string()
        .bytes()
        .map(|digit| char::from(b'a' + digit - b'0'))
        .collect()
}

fn list(rows: &[String], house: &str, trouble: Trouble) -> Vec<u8> {
    let mut lines = vec![
        "Hausverwaltung Œttl & Söhne – Mieterliste".to_owned(),
        "Stand: 01.03.2026; alle Häuser".to_owned(),
        String::new(),
        "Mieternummer;Vertrag;Rolle;Objekt;Top;Name;'E-Mail; privat';Telefon;Einzug;Auszug;Stand"
            .to_owned(),
    ];
    let own = format!(";{house};");
    let kept = rows.len() - usize::from(trouble == Trouble::RowMissing);
    let shown = rows[..kept].iter().map(|row| match trouble {
        Trouble::OtherHouse => row.replace(&own, ";H-8;"),
        _ => row.clone(),
    });
    lines.extend(shown);
    if trouble == Trouble::CutOff {
        lines.pop();
    } else {
        lines.push(format!("Summe;'{} Mieter'", rows.len()));
        lines.push("gedruckt von: Büro".into());
    }
    let text = lines.join("\r\n") + "\r\n";
    let (bytes, _, unmapped) = encoding_rs::WINDOWS_1252.encode(&text);
    assert!(!unmapped, "{text}");
    bytes.into_owned()
}

fn zipped(list: &[u8]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in [("readme.csv.txt", &b"nothing"[..]), ("out/list.csv", list)] {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(name, options).unwrap();
        writer.write_all(text).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn answer(state: &mut State, heard: &Heard) -> Response {
    state.asked.push(format!("{} {}", heard.method, heard.path));
    let text = |status: u16, text: &str| {
        let made = with_status(status).header("content-type", "text/xml");
        made.body(Body::from(text.to_owned())).unwrap()
    };
    if heard.path == "/oauth/token" {
        let form = Heard::pairs(&heard.body);
        let is = |name: &str, value: &str| form.get(name).is_some_and(|given| given == value);
        let is_known = is("grant_type", "password")
            && is("client_id", "reports")
            && is("username", "epms")
            && is("password", PASSWORD);
        if !is_known {
            return text(400, "{\"error\": \"invalid_grant\"}");
        }
        state.tokens += 1;
        let token =
            json!({ "access_token": format!("bureau-token-{}", state.tokens), "expires_in": 3600 });
        return text(200, &token.to_string());
    }
    if heard.header("authorization") != format!("Bearer bureau-token-{}", state.tokens) {
        return text(401, "<Error>who are you?</Error>");
    }
    if state.trouble == Trouble::Nightly {
        return with_status(503)
            .header("x-state", "Nightly")
            .body(Body::empty())
            .unwrap();
    }
    let number = heard
        .path
        .rsplit(['/', '.'])
        .find_map(|part| part.parse().ok());
    match (&heard.method, heard.path.split('/').nth(1).unwrap()) {
        (&Method::POST, "reports") => {
            let order = heard.json();
            let text_of = |name: &str| order[name].as_str().unwrap_or_default();
            let house = text_of("object").to_owned();
            let is_whole = order["packed"] == true
                && text_of("report") == "Mieterliste"
                && text_of("day").split('.').count() == 3
                && heard.query == "column=Name&column=Stand&remark=";
            if !is_whole || !state.rows.contains_key(&house) {
                return text(400, "<Error>no such report</Error>");
            }
            let number = state.jobs.len() + 1;
            state.jobs.insert(number, (house, 0));
            with_status(202)
                .header("x-job", number.to_string())
                .body(Body::from("<Job><State>ordered</State></Job>"))
                .unwrap()
        }
        (&Method::GET, "reports") => {
            let trouble = state.trouble;
            let Some((_, times)) = number.and_then(|number: usize| state.jobs.get_mut(&number))
            else {
                return text(404, "<Error>no such job</Error>");
            };
            *times += 1;
            match trouble {
                Trouble::Aborted => text(200, "<Job><State> Aborted </State></Job>"),
                Trouble::NeverReady => text(200, "<Job><State>not aborted</State></Job>"),
                _ if *times < 3 => text(200, "<Job><State>running</State></Job>"),
                _ => {
                    let number = number.unwrap();
                    let file = format!("/files/{number}.zip?sig=a%2Fb");
                    with_status(303)
                        .header("location", file)
                        .header("x-proof", format!("proof-{number}"))
                        .body(Body::empty())
                        .unwrap()
                }
            }
        }
        (&Method::GET, "files") => {
            let number: usize = number.unwrap_or_default();
            let proof = format!("proof-{number}");
            let Some((house, _)) = state.jobs.get(&number) else {
                return text(404, "<Error>no such file</Error>");
            };
            if heard.header("x-proof") != proof || heard.query != "sig=a%2Fb" {
                return text(403, "<Error>not yours</Error>");
            }
            let body = match state.trouble {
                Trouble::NoArchive => b"<html>no such file</html>".to_vec(),
                trouble => zipped(&list(&state.rows[house], house, trouble)),
            };
            let made = with_status(200).header("content-type", "application/zip");
            made.body(Body::from(body)).unwrap()
        }
        _ => text(404, "<Error/>"),
    }
}
