//! What a connector asks for of a credential, and whether an answer fits. Pure.

use crate::config::{Body, Connector, CredentialField, File};
use crate::source;

/// Whether a value can stand where the connector puts the field alone into a host or into a leaf of JSON: some take an URL or a
/// number and nothing else.
pub fn fits(connector: &Connector, name: &str, value: &str) -> Result<(), String> {
    let mut templates: Vec<&str> = connector.hosts.iter().map(String::as_str).collect();
    for (_, request) in connector.all_requests() {
        if let Some(Body::Json(body)) = &request.body {
            leaves(body, &mut templates);
        }
    }
    let mut refused = templates
        .into_iter()
        .filter_map(|template| source::refused(template, name, value));
    match refused.next() {
        None => Ok(()),
        Some(why) => Err(format!("the connector cannot use it: {why}")),
    }
}

fn leaves<'a>(value: &'a serde_json::Value, found: &mut Vec<&'a str>) {
    match value {
        serde_json::Value::String(text) => found.push(text),
        serde_json::Value::Array(items) => items.iter().for_each(|item| leaves(item, found)),
        serde_json::Value::Object(members) => {
            members.values().for_each(|member| leaves(member, found));
        }
        _ => {}
    }
}

/// The fields of a credential in the order of the connector's file: its author knows what comes first.
pub fn in_order(file: &File<Connector>) -> Vec<(&str, &CredentialField)> {
    let fields = file.value.credential_fields.iter();
    let mut fields: Vec<_> = fields.map(|(name, field)| (name.as_str(), field)).collect();
    fields.sort_by_key(|(name, _)| file.document.place(&format!("credential_fields.{name}")));
    fields
}
