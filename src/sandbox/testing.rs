//! What the tests of this module share: a world and a client for each wire format. Not in the
//! program.

use jiff::civil::date;
use serde_json::Value;

use super::{Kind, PropertySpec, Sandbox, Settings, World, WorldOptions};

pub(super) fn world(seed: u64, residents: usize) -> World {
    let spec = |code: &str, name: &str| PropertySpec {
        code: code.into(),
        name: name.into(),
    };
    World::seeded(WorldOptions {
        seed,
        properties: vec![
            spec("elm", "Elm & Oak"),
            spec("oak01", "The \"Oak\""),
            spec("p3", "P 3"),
        ],
        residents,
        today: date(2026, 3, 10),
    })
}

pub(super) async fn start(kind: Kind, residents: usize, page_size: usize) -> Sandbox {
    let settings = Settings {
        page_size,
        ..Settings::default()
    };
    Sandbox::start(kind, world(7, residents), settings)
        .await
        .unwrap()
}

pub(super) fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

pub(super) const ALL: &str = "filters[LastUpdatedAtFrom]=1970-01-01T00:00:00Z";

/// An AppFolio request that is let in.
pub(super) fn request(sandbox: &Sandbox, path: &str) -> reqwest::RequestBuilder {
    let fields = sandbox.credential();
    client()
        .get(format!("{}{path}", sandbox.url()))
        .basic_auth(&fields["client_id"], Some(&fields["client_secret"]))
        .header("X-AppFolio-Developer-ID", &fields["developer_id"])
}

/// Status and body of the answer to a request.
pub(super) async fn send(request: reqwest::RequestBuilder) -> (u16, String) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The same, read as JSON; null where it is none.
pub(super) async fn told(request: reqwest::RequestBuilder) -> (u16, Value) {
    let (status, text) = send(request).await;
    (status, serde_json::from_str(&text).unwrap_or_default())
}

/// The same of one AppFolio request.
pub(super) async fn get(sandbox: &Sandbox, path: &str) -> (u16, Value) {
    told(request(sandbox, path)).await
}

/// Every row of an AppFolio endpoint, page after page.
pub(super) async fn rows(sandbox: &Sandbox, endpoint: &str) -> Vec<Value> {
    let mut path = format!("/api/v0/{endpoint}?{ALL}");
    let mut rows = Vec::new();
    loop {
        let (status, body) = get(sandbox, &path).await;
        assert_eq!(status, 200, "{body}");
        rows.extend(body["data"].as_array().unwrap().iter().cloned());
        let Some(next) = body["next_page_path"].as_str() else {
            return rows;
        };
        next.clone_into(&mut path);
    }
}

/// A Voyager request that can be bent before it is sent.
pub(super) struct Soap {
    pub(super) interface: &'static str,
    pub(super) operation: &'static str,
    pub(super) v12: bool,
    pub(super) fields: Vec<(String, String)>,
}

impl Soap {
    pub(super) fn new(sandbox: &Sandbox, operation: &'static str, more: &[(&str, &str)]) -> Self {
        let credential = sandbox.credential();
        let tags = [
            ("UserName", "username"),
            ("Password", "password"),
            ("ServerName", "server_name"),
            ("Database", "database"),
            ("Platform", "platform"),
            ("InterfaceEntity", "interface_entity"),
            ("InterfaceLicense", "interface_license"),
        ];
        let login = tags
            .iter()
            .map(|(tag, name)| ((*tag).to_owned(), credential[name].clone()));
        let more = more
            .iter()
            .map(|(tag, text)| ((*tag).to_owned(), (*text).to_owned()));
        let fields = login.chain(more).collect();
        Self {
            interface: "ItfResidentData",
            operation,
            v12: false,
            fields,
        }
    }

    pub(super) fn set(mut self, tag: &str, text: &str) -> Self {
        self.fields.retain(|(name, _)| name != tag);
        self.fields.push((tag.to_owned(), text.to_owned()));
        self
    }

    pub(super) fn request(&self, sandbox: &Sandbox) -> reqwest::RequestBuilder {
        let namespace = format!(
            "http://tempuri.org/YSI.Interfaces.WebServices/{}",
            self.interface
        );
        let action = format!("{namespace}/{}", self.operation);
        let mut body = String::new();
        for (tag, text) in &self.fields {
            super::soap::element(&mut body, tag, text);
        }
        let (envelope, kind) = if self.v12 {
            let kind = format!("application/soap+xml;charset=UTF-8;action=\"{action}\"");
            ("http://www.w3.org/2003/05/soap-envelope", kind)
        } else {
            (
                "http://schemas.xmlsoap.org/soap/envelope/",
                "text/xml; charset=utf-8".to_owned(),
            )
        };
        let operation = self.operation;
        let body = format!(
            "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"{envelope}\"><s:Body>\
             <{operation} xmlns=\"{namespace}\">{body}</{operation}></s:Body></s:Envelope>"
        );
        let url = format!("{}/webservices/{}.asmx", sandbox.url(), self.interface);
        let request = client().post(url).header("content-type", kind).body(body);
        if self.v12 {
            request
        } else {
            request.header("SOAPAction", format!("\"{action}\""))
        }
    }

    pub(super) async fn send(&self, sandbox: &Sandbox) -> (u16, String) {
        send(self.request(sandbox)).await
    }
}

/// The body of an answer of `GetResidents` for one property.
pub(super) async fn residents(sandbox: &Sandbox, property: &str, more: &[(&str, &str)]) -> String {
    let call = Soap::new(sandbox, "GetResidents", more).set("YardiPropertyId", property);
    let (status, body) = call.send(sandbox).await;
    assert_eq!(status, 200, "{body}");
    body
}
