//! What a connector is and asks for of a credential, and whether an answer fits.

use crate::beneath::MAX_FILE;
use crate::config::{Body, Connector, CredentialField, File, Home};
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

/// What the first remark of a connector's file says that it is.
pub fn title(home: &Home, name: &str) -> Option<String> {
    let path = home.config().join(format!("connectors/{name}.yaml"));
    let text = home.beneath().read_text(&path, MAX_FILE).ok()?;
    let mut remarks = text.lines().map_while(|line| line.strip_prefix('#'));
    let told = remarks.find(|remark| !remark.contains("yaml-language-server"))?;
    let told = ends_of(told).trim();
    Some(told.chars().take(120).collect()).filter(|told: &String| !told.is_empty())
}

/// A remark up to where its first clause ends.
fn ends_of(remark: &str) -> &str {
    let ends = [": ", ". "].into_iter().filter_map(|end| remark.find(end));
    let end = ends.min().unwrap_or(remark.len());
    let first = remark.get(..end).unwrap_or(remark);
    first.trim_end_matches([':', '.'])
}
