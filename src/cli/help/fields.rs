//! The fields of a kind of file as text, from its JSON Schema: names, kinds, defaults, descriptions.

use std::collections::BTreeMap;

use schemars::Schema;
use serde_json::{Map, Value};

use super::text::Text;

type Members = Map<String, Value>;

/// Says what the fields are.
pub(super) struct Fields<'a> {
    text: &'a mut Text,
    root: &'a Schema,
    /// What has been told already, by its name, and where.
    told: BTreeMap<String, String>,
}

impl<'a> Fields<'a> {
    /// Of this schema.
    pub(super) fn of(root: &'a Schema, text: &'a mut Text) -> Fields<'a> {
        Fields {
            text,
            root,
            told: BTreeMap::new(),
        }
    }

    /// What is said of the whole, then all of its fields.
    pub(super) fn tell(mut self, indent: usize) {
        let Some(root) = self.root.as_object() else {
            return;
        };
        if !description(root).is_empty() {
            self.text.words(indent, description(root));
        }
        self.members(root, indent, "");
    }

    /// The schema itself, where a name of it stands.
    fn resolve(&self, schema: &'a Value) -> Option<&'a Members> {
        let members = schema.as_object()?;
        match members.get("$ref").and_then(Value::as_str) {
            Some(name) => self.root.pointer(name.strip_prefix('#')?)?.as_object(),
            None => Some(members),
        }
    }

    fn members(&mut self, schema: &'a Members, indent: usize, path: &str) {
        let required = schema.get("required").and_then(Value::as_array);
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            return;
        };
        let is_long = properties.len() > 1;
        for (name, member) in properties {
            let is_required = required.is_some_and(|names| names.iter().any(|one| one == name));
            if is_long && indent <= 2 {
                self.text.gap();
            }
            self.member(name, member, is_required, indent, path);
        }
    }

    fn member(
        &mut self,
        name: &str,
        member: &'a Value,
        is_required: bool,
        indent: usize,
        path: &str,
    ) {
        let (Some(own), Some(resolved)) = (member.as_object(), self.resolve(member)) else {
            self.text.line(indent, &format!("{name}: anything"));
            return;
        };
        let mut line = format!("{name}: {}", self.kind(member));
        match own.get("default").or_else(|| resolved.get("default")) {
            Some(Value::Array(items)) if !items.is_empty() => line += ", with a default",
            Some(Value::Object(_) | Value::Array(_)) => {}
            Some(Value::String(word)) if word.is_empty() => {}
            Some(Value::String(word)) => line += &format!("; {word} unless told otherwise"),
            Some(default) => line += &format!("; {default} unless told otherwise"),
            None if is_required && !own.contains_key("const") => line += "; required",
            None => {}
        }
        self.text.item(indent, "", 4, &line);
        let path = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        };
        let told = self.inner(member);
        let words = match told.as_ref().map(|(_, inner)| description(inner)) {
            // The type's own words, where they say more.
            Some(more) if !self.is_told(told.as_ref()) => joined(description(own), more),
            _ => description(own).to_owned(),
        };
        if !words.is_empty() {
            self.text.words(indent + 4, &words);
        }
        let Some((reference, inner)) = told else {
            return;
        };
        if let Some(reference) = reference {
            if let Some(before) = self.told.get(&reference) {
                if inner.contains_key("properties") || inner.contains_key("anyOf") {
                    let before = format!("As in {before}.");
                    self.text.words(indent + 4, &before);
                }
                return;
            }
            self.told.insert(reference, path.clone());
        }
        self.details(inner, indent + 4, &path);
    }

    fn is_told(&self, told: Option<&(Option<String>, &'a Members)>) -> bool {
        told.and_then(|(reference, _)| reference.as_ref())
            .is_some_and(|reference| self.told.contains_key(reference))
    }

    /// What is inside: of a list its items, of a mapping its values; with its name, where it has one.
    fn inner(&self, member: &'a Value) -> Option<(Option<String>, &'a Members)> {
        let members = member.as_object()?;
        let name = members.get("$ref").and_then(Value::as_str);
        let resolved = self.resolve(member)?;
        let deeper = resolved.get("items").or_else(|| {
            let values = resolved.get("additionalProperties")?;
            values.is_object().then_some(values)
        });
        match deeper {
            Some(deeper) if name.is_none() => self.inner(deeper),
            _ => Some((name.map(str::to_owned), resolved)),
        }
    }

    fn details(&mut self, schema: &'a Members, indent: usize, path: &str) {
        for ways in ["oneOf", "anyOf"] {
            let Some(ways) = schema.get(ways).and_then(Value::as_array) else {
                continue;
            };
            let words = ways
                .iter()
                .filter_map(|way| word(way).map(|word| word.chars().count()));
            let column = words.max().unwrap_or(0) + 2;
            for way in ways {
                let Some(resolved) = self.resolve(way) else {
                    continue;
                };
                if let Some(word) = word(way) {
                    if !description(resolved).is_empty() {
                        self.text.item(indent, word, column, description(resolved));
                    }
                } else {
                    self.way(resolved, indent, path);
                }
            }
        }
        self.members(schema, indent, path);
    }

    /// One way of several to write something.
    fn way(&mut self, schema: &'a Members, indent: usize, path: &str) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let only = properties.filter(|properties| properties.len() == 1);
        match only.and_then(|properties| properties.iter().next()) {
            // What is said of the way is said of its only key.
            Some((name, member)) if !description(schema).is_empty() => {
                self.text
                    .line(indent, &format!("{name}: {}", self.kind(member)));
                self.text.words(indent + 4, description(schema));
                let Some((reference, inner)) = self.inner(member) else {
                    return;
                };
                let path = format!("{path}.{name}");
                match reference {
                    Some(reference) if self.told.contains_key(&reference) => {
                        let before = format!("As in {}.", self.told[&reference]);
                        self.text.words(indent + 4, &before);
                    }
                    reference => {
                        self.told
                            .extend(reference.map(|reference| (reference, path.clone())));
                        self.details(inner, indent + 4, &path);
                    }
                }
            }
            _ => self.details(schema, indent, path),
        }
    }

    /// What may stand there, in a few words.
    fn kind(&self, schema: &'a Value) -> String {
        let Some(resolved) = self.resolve(schema) else {
            return "anything".into();
        };
        if let Some(value) = resolved.get("const") {
            return value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
        }
        if resolved.get("title").and_then(Value::as_str) == Some("duration") {
            return "a duration".into();
        }
        let list = |words: Vec<&str>| words.join(" | ");
        if let Some(words) = resolved.get("enum").and_then(Value::as_array) {
            if words.iter().all(Value::is_number) {
                let numbers: Vec<String> = words.iter().map(Value::to_string).collect();
                return numbers.join(" | ");
            }
            return list(words.iter().filter_map(Value::as_str).collect());
        }
        if let Some(ways) = resolved.get("oneOf").and_then(Value::as_array) {
            let words: Vec<&str> = ways.iter().filter_map(word).collect();
            if words.len() == ways.len() {
                return list(words);
            }
            return "one of these".into();
        }
        if let Some(ways) = resolved.get("anyOf").and_then(Value::as_array) {
            let mut kinds: Vec<String> = ways.iter().map(|way| self.kind(way)).collect();
            kinds.dedup();
            return kinds.join(", or ");
        }
        if let Some(items) = resolved.get("items") {
            return format!("a list of {}", plural(&self.kind(items)));
        }
        if let Some(values) = resolved
            .get("additionalProperties")
            .filter(|v| v.is_object())
        {
            return format!("names, each with {}", self.kind(values));
        }
        match resolved.get("type") {
            Some(Value::String(kind)) => match kind.as_str() {
                "integer" => "a number".into(),
                "boolean" => "true | false".into(),
                "object" => "a mapping".into(),
                _ if resolved.get("format").is_some() => "a date".into(),
                _ => "text".into(),
            },
            Some(_) => "text".into(),
            None => "anything".into(),
        }
    }
}

fn word(way: &Value) -> Option<&str> {
    way.get("const")?.as_str()
}

fn description(schema: &Members) -> &str {
    schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// A type that says no more than this says what the field says.
const SHORT: usize = 90;

/// Both, without what one says again.
fn joined(field: &str, kind: &str) -> String {
    let begin = field.trim_end_matches('.');
    if kind.starts_with(begin) || field.is_empty() {
        kind.to_owned()
    } else if kind.chars().count() < SHORT {
        field.to_owned()
    } else {
        format!("{field} {kind}")
    }
}

fn plural(kind: &str) -> String {
    match kind {
        "text" => "texts".into(),
        "a mapping" => "mappings".into(),
        kind => kind.to_owned(),
    }
}
