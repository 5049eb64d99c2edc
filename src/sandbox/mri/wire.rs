//! How MRI sends rows: pages by `$top` and `$skip` (which counts from 1), as JSON or as XML. It knows
//! no field.

use serde_json::{Map, Value, json};

use super::{PENDING, Query};
use crate::sandbox::fault::FaultKind;
use crate::sandbox::serve::{Asked, Reply, Shared};
use crate::sandbox::soap::escape;

/// The two formats.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Xml,
}

/// One page as it was asked for.
pub(super) struct Page {
    pub(super) api: String,
    format: Format,
    host: String,
    parameters: Vec<(String, String)>,
    /// The first row, counted from 1.
    first: usize,
    size: usize,
    repeated: bool,
    endless: bool,
}

/// Reads which page a request wants.
pub(super) fn page(shared: &Shared, asked: &Asked, query: &Query, faults: &[FaultKind]) -> Page {
    let most = shared.settings.page_size.max(1);
    let own = asked.header("host").unwrap_or_default().to_owned();
    let json = query
        .get("$format")
        .is_some_and(|format| format.eq_ignore_ascii_case("json"));
    let dollar = |(key, _): &&(String, String)| !key.starts_with('$');
    Page {
        api: query.get("$api").unwrap_or_default().to_owned(),
        format: if json { Format::Json } else { Format::Xml },
        host: shared.settings.link_host.clone().unwrap_or(own),
        parameters: query.0.iter().filter(dollar).cloned().collect(),
        first: query.number("$skip").unwrap_or(1).max(1),
        size: query.number("$top").unwrap_or(most).clamp(1, most),
        repeated: faults.contains(&FaultKind::RepeatedPage),
        endless: faults.contains(&FaultKind::EndlessNext),
    }
}

impl Page {
    /// Sends the rows of this page of `all`.
    pub(super) fn show(&self, all: Vec<Value>) -> Reply {
        let start = if self.repeated { 0 } else { self.first - 1 };
        let next = self.first.saturating_add(self.size);
        let more = next <= all.len() || self.endless;
        let rows: Vec<Value> = all.into_iter().skip(start).take(self.size).collect();
        let link = more.then(|| self.link(next));
        self.send(rows, link.as_deref())
    }

    /// Sends an error in place of the rows, with 200.
    pub(super) fn error(&self, message: &str) -> Reply {
        self.send(vec![json!({ "Error": { "Message": message } })], None)
    }

    /// Sends an answer without a list of rows.
    pub(super) fn no_result(&self) -> Reply {
        match self.format {
            Format::Json => {
                let body = json!({ "odata.metadata": self.metadata() });
                reply(Format::Json, body.to_string())
            }
            Format::Xml => reply(Format::Xml, String::new()),
        }
    }

    fn send(&self, rows: Vec<Value>, next: Option<&str>) -> Reply {
        if self.format == Format::Xml {
            return reply(Format::Xml, self.xml(&rows, next));
        }
        let mut body = Map::new();
        body.insert("odata.metadata".to_owned(), self.metadata().into());
        if let Some(link) = next {
            body.insert("nextLink".to_owned(), link.into());
        }
        body.insert("value".to_owned(), Value::Array(rows));
        reply(Format::Json, Value::Object(body).to_string())
    }

    fn xml(&self, rows: &[Value], next: Option<&str>) -> String {
        let root = self.api.to_lowercase();
        let root = if is_name(&root) {
            root
        } else {
            "error".to_owned()
        };
        let link = next.map(|link| format!(" NextPageLink=\"{}\"", escape(link)));
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
        out.push_str(&format!("<{root}{}>", link.unwrap_or_default()));
        for row in rows {
            element(&mut out, "entry", row);
        }
        out + &format!("</{root}>")
    }

    fn metadata(&self) -> String {
        let lower = self.api.to_lowercase();
        format!(
            "http://{}/mriapiservices/api.asp?$api={}&$metadata#MRI.{lower}-container/{lower}",
            self.host, self.api
        )
    }

    /// The next page. Pending moves in come back as XML whatever was asked for.
    fn link(&self, skip: usize) -> String {
        let xml = self.format == Format::Xml || self.api == PENDING;
        let format = if xml { "xml" } else { "json" };
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        pairs.append_pair("$api", &self.api);
        pairs.extend_pairs(&self.parameters);
        pairs.append_pair("$format", format);
        pairs.append_pair("$top", &self.size.to_string());
        pairs.append_pair("$skip", &skip.to_string());
        format!(
            "http://{}/mriapiservices/api.asp?{}",
            self.host,
            pairs.finish()
        )
    }
}

fn reply(format: Format, body: String) -> Reply {
    let kind = match format {
        Format::Json => "application/json; charset=utf-8",
        Format::Xml => "text/xml; charset=utf-8",
    };
    Reply::new(200, kind, body)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|sign: char| sign.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|sign| sign.is_ascii_alphanumeric() || b"_-".contains(&sign))
}

fn element(out: &mut String, name: &str, value: &Value) {
    match value {
        Value::Object(fields) => {
            out.push_str(&format!("<{name}>"));
            for (name, value) in fields {
                element(out, name, value);
            }
            out.push_str(&format!("</{name}>"));
        }
        Value::Array(rows) => {
            out.push_str(&format!("<{name}>"));
            for row in rows {
                element(out, "entry", row);
            }
            out.push_str(&format!("</{name}>"));
        }
        Value::String(text) => {
            // Times are more exact here than in JSON.
            let exact = if is_time(text) { ".0000000" } else { "" };
            out.push_str(&format!("<{name}>{}{exact}</{name}>", escape(text)));
        }
        _ => out.push_str(&format!("<{name} />")),
    }
}

fn is_time(text: &str) -> bool {
    text.len() == 19 && text.ends_with(":00") && text.as_bytes().get(10) == Some(&b'T')
}
