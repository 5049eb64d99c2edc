//! Bodies of requests, from their templates.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use crate::config::{Body, Soap, SoapVersion};

use super::SourceError;
use super::call::Call;
use super::leaf::{Kind, Leaf};
use super::template::{PageValues, Place};

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
                for (name, template) in members {
                    let field = self.at(&format!("body.form.{name}"));
                    let value = self.render_optional(Place::Plain, &field, template, values)?;
                    if let Some(value) = value {
                        form.append_pair(name, &value);
                    }
                }
                ("application/x-www-form-urlencoded".into(), form.finish())
            }
            Body::Json(value) => {
                let value = self.leaves(&self.at("body.json"), value, values)?;
                let value = value.unwrap_or_default();
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

    /// A JSON body, or a part of it; none where it is left out.
    fn leaves(
        &self,
        field: &str,
        value: &Value,
        values: &PageValues,
    ) -> Result<Option<Value>, SourceError> {
        Ok(Some(match value {
            Value::String(template) => {
                let text = self.render_optional(Place::Plain, field, template, values)?;
                let Some(text) = text else { return Ok(None) };
                match Leaf::of(template).kind {
                    Kind::Text => text.into(),
                    // The filters have seen that it is one.
                    Kind::Number | Kind::Boolean | Kind::Json => {
                        serde_json::from_str(&text).unwrap_or(Value::Null)
                    }
                }
            }
            Value::Array(items) => {
                let mut rendered = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    rendered.extend(self.leaves(&format!("{field}.{index}"), item, values)?);
                }
                rendered.into()
            }
            Value::Object(members) => {
                let mut rendered = Map::new();
                for (name, item) in members {
                    let item = self.leaves(&format!("{field}.{name}"), item, values)?;
                    rendered.extend(item.map(|item| (name.clone(), item)));
                }
                rendered.into()
            }
            other => other.clone(),
        }))
    }
}
