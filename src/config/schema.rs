//! JSON Schema of the files, from their types and the doc comments of these: for editors, and for `epms
//! help`. Says only how files are written; what must hold between them is for `check`.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, json_schema};
use serde_json::{Map, Value, json};

/// The folder of the schemas, relative to the home.
pub const SCHEMAS: &str = "config/.schema";

/// The line by which an editor finds the schema of a file in a folder of `config/`: of a `connector`, a `credential`, an
/// `integration`, a `target`.
pub fn schema_line(kind: &str) -> String {
    format!("# yaml-language-server: $schema=../.schema/{kind}.json\n")
}

/// The schema of files of the form `T`, as JSON Schema 2020-12.
pub fn schema_of<T: JsonSchema>(title: &str) -> Schema {
    let settings = SchemaSettings::draft2020_12()
        .with_transform(RecursiveTransform(unwrapped))
        .with_transform(RecursiveTransform(as_yaml));
    let schema = settings.into_generator().into_root_schema_for::<T>();
    // What a reader looks for first stands first.
    let mut members = Map::new();
    for key in ["$schema", "title", "description"] {
        let value = schema.get(key).cloned().unwrap_or_default();
        members.insert(key.into(), value);
    }
    members.insert("title".into(), title.into());
    for (key, value) in schema.to_value().as_object().into_iter().flatten() {
        members.entry(key.clone()).or_insert_with(|| value.clone());
    }
    members.into()
}

/// Doc comments are wrapped for the reader of the code; a line break is none in their text.
fn unwrapped(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text
            .split("\n\n")
            .map(|paragraph| unlinked(&paragraph.split('\n').collect::<Vec<_>>().join(" ")))
            .collect::<Vec<_>>()
            .join("\n\n");
    }
}

/// Links of the code's documentation lead nowhere elsewhere: of [`Name`](path) the name stays.
fn unlinked(text: &str) -> String {
    let mut parts = text.split("[`");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some((name, rest)) = part.split_once("`]") else {
            out += "[`";
            out += part;
            continue;
        };
        let path = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        out += &format!("`{name}`{}", path.map_or(rest, |(_, rest)| rest));
    }
    out
}

/// What the reader of the files does with YAML: a text needs no quotes, so that an id may look like a number,
/// and no key stands there with nothing behind it.
fn as_yaml(schema: &mut Schema) {
    let Some(members) = schema.as_object_mut() else {
        return;
    };
    // Rust's numbers are nothing to an editor.
    if members.get("format") != Some(&json!("date")) {
        members.remove("format");
    }
    if members.get("default").is_some_and(Value::is_null) {
        members.remove("default");
    }
    if let Some(Value::Object(default)) = members.get_mut("default") {
        default.retain(|_, value| !value.is_null());
    }
    if let Some(Value::Array(types)) = members.get_mut("type") {
        types.retain(|one| one != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            members.insert("type".into(), one);
        }
    }
    let bare = ["enum", "const", "pattern", "format", "minLength"]
        .iter()
        .all(|key| !members.contains_key(*key));
    if bare && members.get("type") == Some(&json!("string")) {
        members.insert("type".into(), json!(["string", "number", "boolean"]));
    }
    // A word that looks like a number is written without quotes.
    if let Some(Value::Array(words)) = members.get_mut("enum") {
        let numbers = words
            .iter()
            .filter_map(|word| word.as_str()?.parse::<f64>().ok());
        let numbers: Vec<Value> = numbers.map(Value::from).collect();
        if !numbers.is_empty() {
            words.extend(numbers);
            members.remove("type");
        }
    }
    if let Some(Value::Array(ways)) = members.get_mut("anyOf") {
        ways.retain(|way| way.get("type") != Some(&json!("null")));
        if let [Value::Object(only)] = ways.as_slice() {
            let only = only.clone();
            members.remove("anyOf");
            for (key, value) in only {
                members.entry(key).or_insert(value);
            }
        }
    }
}

/// A text that may not look like a number: where a mapping may stand as well, it is told by its form.
fn text_alone() -> Value {
    json!({ "type": "string", "minLength": 0 })
}

/// For what is written as a text where it is simple, and as a mapping where it is not.
pub(super) fn or_text(schema: &mut Schema) {
    let mapping = std::mem::take(schema);
    *schema = json_schema!({ "anyOf": [text_alone(), mapping] });
}

#[cfg(test)]
mod tests {
    use schemars::transform::Transform;

    use super::*;
    use crate::config::{Connector, Credential, Integration, Settings, Target};

    #[test]
    fn of_links_their_names_stay() {
        assert_eq!(
            unlinked("As [`a`](crate::b) and [`C::D`], not `e[0]`."),
            "As `a` and `C::D`, not `e[0]`."
        );
    }

    #[test]
    fn everything_has_a_description_and_none_is_broken_into_lines() {
        for schema in [
            schema_of::<Settings>("a"),
            schema_of::<Connector>("b"),
            schema_of::<Credential>("c"),
            schema_of::<Integration>("d"),
            schema_of::<Target>("e"),
        ] {
            let mut seen = 0;
            RecursiveTransform(|schema: &mut Schema| {
                let text = schema.get("description").and_then(Value::as_str);
                assert!(!text.is_some_and(|text| text.trim().contains(" \n")));
                let properties = schema.get("properties").and_then(Value::as_object);
                let Some(properties) = properties else {
                    return;
                };
                // One way of several is told where it is chosen.
                let is_way = text.is_some() && properties.len() == 1;
                for (name, property) in properties {
                    seen += 1;
                    // What a limit or a login's part is called says what it is.
                    let plain = name.starts_with("per_")
                        || ["username", "password", "token"].contains(&name.as_str());
                    let described = property.get("description").is_some();
                    assert!(plain || is_way || described, "{name}");
                }
            })
            .transform(&mut schema.clone());
            assert!(seen > 0);
        }
    }
}
