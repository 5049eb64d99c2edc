//! Bodies of requests, from their templates.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use crate::config::{Body, Soap, SoapVersion};

use super::SourceError;
use super::call::Call;
use super::template::{PageValues, Place};

/// What a leaf of a JSON body gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaf {
    Text,
    Number,
    Boolean,
}

impl Leaf {
    /// A template alone that ends in one of the two filters gives more than a text.
    fn of(template: &str) -> Leaf {
        let inner = template
            .trim()
            .strip_prefix("{{")
            .and_then(|rest| rest.strip_suffix("}}"))
            .filter(|inner| !inner.contains("{{") && !inner.contains("}}"));
        let filter = inner.and_then(|inner| inner.rsplit_once('|'));
        match filter.map(|(_, name)| name.trim_end_matches('-').trim()) {
            Some("number") => Leaf::Number,
            Some("boolean") => Leaf::Boolean,
            _ => Leaf::Text,
        }
    }
}

impl Call<'_> {
    /// Renders a body, and adds the headers that say what it is.
    pub(super) fn body(
        &self,
        body: &Body,
        values: &PageValues,
        headers: &mut HeaderMap,
    ) -> Result<String, SourceError> {
        let (kind, text) = match body {
            Body::Form(members) => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                for name in members.keys() {
                    let value =
                        self.render(Place::Plain, &self.at(&format!("body.form.{name}")), values)?;
                    form.append_pair(name, &value);
                }
                ("application/x-www-form-urlencoded".into(), form.finish())
            }
            Body::Json(value) => {
                let value = self.leaves(&self.at("body.json"), value, values)?;
                ("application/json".into(), value.to_string())
            }
            Body::Xml(_) => {
                let xml = self.render(Place::Xml, &self.at("body.xml"), values)?;
                ("application/xml; charset=utf-8".to_owned(), xml)
            }
            Body::Soap(Soap { version, .. }) => {
                let action = self.render(Place::Header, &self.at("body.soap.action"), values)?;
                let xml = self.render(Place::Xml, &self.at("body.soap.xml"), values)?;
                let (namespace, kind) = match version {
                    SoapVersion::V11 => {
                        let name = HeaderName::from_static("soapaction");
                        headers.insert(name, self.header(&format!("\"{action}\""))?);
                        let kind = "text/xml; charset=utf-8".to_owned();
                        ("http://schemas.xmlsoap.org/soap/envelope/", kind)
                    }
                    SoapVersion::V12 => (
                        "http://www.w3.org/2003/05/soap-envelope",
                        format!("application/soap+xml; charset=utf-8; action=\"{action}\""),
                    ),
                };
                let envelope = format!(
                    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
                     <soap:Envelope xmlns:soap=\"{namespace}\"><soap:Body>{xml}</soap:Body></soap:Envelope>"
                );
                (kind, envelope)
            }
        };
        // A connector that names another kind knows why.
        let kind: HeaderValue = self.header(&kind)?;
        headers.entry(CONTENT_TYPE).or_insert(kind);
        Ok(text)
    }

    fn leaves(
        &self,
        field: &str,
        value: &Value,
        values: &PageValues,
    ) -> Result<Value, SourceError> {
        Ok(match value {
            Value::String(template) => {
                let text = self.render(Place::Plain, field, values)?;
                match Leaf::of(template) {
                    Leaf::Text => text.into(),
                    // The filters have seen that it is one.
                    Leaf::Number | Leaf::Boolean => {
                        serde_json::from_str(&text).unwrap_or(Value::Null)
                    }
                }
            }
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| self.leaves(&format!("{field}.{index}"), item, values))
                .collect::<Result<Vec<_>, _>>()?
                .into(),
            Value::Object(members) => {
                let mut rendered = Map::new();
                for (name, item) in members {
                    rendered.insert(
                        name.clone(),
                        self.leaves(&format!("{field}.{name}"), item, values)?,
                    );
                }
                rendered.into()
            }
            other => other.clone(),
        })
    }
}
