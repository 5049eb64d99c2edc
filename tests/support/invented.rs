//! PMSs of our own invention, as homes in `tests/fixtures` and as servers on loopback.

mod beacon;
mod bureau;

use std::collections::BTreeMap;
use std::path::Path;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;

use super::Home;

pub use beacon::Beacon;
pub use bureau::{Bureau, Trouble};

/// What was asked.
#[derive(Debug, Clone)]
pub struct Heard {
    pub method: Method,
    pub path: String,
    /// Without its `?`.
    pub query: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Heard {
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// The query, or a form, by name; of several of a name the last.
    pub fn pairs(text: &[u8]) -> BTreeMap<String, String> {
        url::form_urlencoded::parse(text).into_owned().collect()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Serves on loopback, and gives where.
async fn serve(answer: impl Fn(&Heard) -> Response + Clone + Send + Sync + 'static) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let handle = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
        let heard = Heard {
            method,
            path: uri.path().to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
            headers,
            body: body.to_vec(),
        };
        let response = answer(&heard);
        async move { response }
    };
    let router = Router::new().fallback(handle);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// The home of one of them, whose credential leads there.
fn home(pms: &str, url: &str, secret: &str) -> Home {
    let home = Home::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(pms);
    for name in ["config", "scripts"] {
        home.copy(&fixtures, name);
    }
    home.write(&format!("secrets/{pms}"), format!("{secret}\n"));
    let credential = format!("config/credentials/{pms}.yaml");
    home.edit(&credential, "http://127.0.0.1:9", url);
    home
}

fn with_status(status: u16) -> axum::http::response::Builder {
    Response::builder().status(status)
}
