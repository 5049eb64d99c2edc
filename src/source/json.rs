//! A JSON answer, split into its records and what stands around them, without building the records.

use serde::Deserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::decode::{DecodeError, Decoded};
use super::path::{Path, Segment};

/// An answer as one value.
pub(super) fn whole(text: &str) -> Result<Value, DecodeError> {
    serde_json::from_str(text).map_err(|error| DecodeError::Json(without_values(&error)))
}

pub(super) fn split(text: &str, records: &Path) -> Result<Decoded, DecodeError> {
    let unreadable = |error: serde_json::Error| DecodeError::Json(without_values(&error));
    let mut found = Found::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let walk = Walk {
        path: records.segments(),
        key: None,
        is_one_of_many: false,
        found: &mut found,
    };
    let around = walk.deserialize(&mut deserializer).map_err(unreadable)?;
    deserializer.end().map_err(unreadable)?;
    let mut decoded = Decoded {
        around,
        records: Vec::new(),
        found: found.place || !found.nodes.is_empty(),
        known: Vec::new(),
        broken: None,
    };
    let is_record = |node: &Node<'_>| node.text.get().starts_with(['{', '[']);
    let among_records = found.nodes.iter().any(is_record);
    for Node {
        key,
        is_one_of_many,
        text: node,
    } in found.nodes
    {
        // An answer that is one object may be a record or an error: the rules must see it.
        if records.segments().is_empty() && node.get().starts_with('{') {
            decoded.around = serde_json::from_str(node.get()).map_err(unreadable)?;
        }
        match node.get().as_bytes().first() {
            Some(b'[') => {
                let items: Vec<Box<RawValue>> =
                    serde_json::from_str(node.get()).map_err(unreadable)?;
                decoded
                    .records
                    .extend(items.into_iter().map(Box::<str>::from));
            }
            Some(b'{') => decoded.records.push(match key {
                Some(key) => keyed(&key, node.get()),
                None => node.get().into(),
            }),
            // One of several parents has none: the others have theirs. An empty element of XML is the same.
            _ if is_one_of_many && node.get() == "null" => {}
            // A member that is null beside others that are records is one as an element of a list is, for the script to reject.
            _ if key.is_some() && among_records && node.get() == "null" => {
                decoded.records.push(node.get().into());
            }
            // A text, a number or null where records are expected is for the rules to judge.
            _ => decoded.found = false,
        }
    }
    Ok(decoded)
}

/// What serde says, without the values it may quote.
fn without_values(error: &serde_json::Error) -> String {
    let what = if error.is_eof() {
        "it ends too early"
    } else {
        "a syntax error"
    };
    format!("{what} in line {}, column {}", error.line(), error.column())
}

/// An object with the name that it has in the object around it. A `@key` of its own stands.
fn keyed(key: &str, object: &str) -> Box<str> {
    let members = object.trim_start_matches('{').trim_start();
    let comma = if members.starts_with('}') { "" } else { "," };
    format!("{{\"@key\":{}{comma}{members}", Value::from(key)).into_boxed_str()
}

/// What stands at the place of the records.
#[derive(Default)]
struct Found<'de> {
    nodes: Vec<Node<'de>>,
    /// That the list or object is there whose members are the records.
    place: bool,
}

/// What stands at the end of the path, as it is written.
struct Node<'de> {
    /// Its name, where the path ends in `*`.
    key: Option<String>,
    /// Its parent is one of a list, or of the members of an object.
    is_one_of_many: bool,
    text: &'de RawValue,
}

/// Goes down the path, keeps what lies beside it, and takes what lies at its end as it is written.
struct Walk<'p, 'f, 'de> {
    path: &'p [Segment],
    key: Option<String>,
    is_one_of_many: bool,
    found: &'f mut Found<'de>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_, 'de> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.path.is_empty() {
            let node: &'de RawValue = serde::Deserialize::deserialize(deserializer)?;
            self.found.nodes.push(Node {
                key: self.key,
                is_one_of_many: self.is_one_of_many,
                text: node,
            });
            return match node.get().as_bytes().first() {
                Some(b'[' | b'{') => Ok(Value::Null),
                // No records, and so it must be reachable for the rules.
                _ => serde_json::from_str(node.get()).map_err(serde::de::Error::custom),
            };
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_, 'de> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut around = serde_json::Map::new();
        self.found.place |= self.path == [Segment::Any];
        while let Some(key) = map.next_key::<String>()? {
            let rest = match self.path {
                [Segment::Name(name), rest @ ..] if *name == key => Some(rest),
                [Segment::Any, rest @ ..] => Some(rest),
                _ => None,
            };
            let value = match rest {
                Some(path) => map.next_value_seed(Walk {
                    path,
                    key: (self.path == [Segment::Any]).then(|| key.clone()),
                    is_one_of_many: self.is_one_of_many
                        || self.path.first() == Some(&Segment::Any) && !path.is_empty(),
                    found: &mut *self.found,
                })?,
                None => map.next_value()?,
            };
            around.insert(key, value);
        }
        Ok(Value::Object(around))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut around = Vec::new();
        self.found.place |= self.path == [Segment::Any];
        // A name behind a list is looked for in each of its elements.
        let path = match self.path {
            [Segment::Any, rest @ ..] => rest,
            path => path,
        };
        while let Some(value) = seq.next_element_seed(Walk {
            path,
            key: None,
            is_one_of_many: self.is_one_of_many || !path.is_empty(),
            found: &mut *self.found,
        })? {
            around.push(value);
        }
        Ok(Value::Array(around))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(truth.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn split_at(path: &str, text: &str) -> (Value, Vec<String>, bool) {
        let decoded = split(text, &Path::parse(path).unwrap()).unwrap();
        (
            decoded.around,
            decoded.records.iter().map(ToString::to_string).collect(),
            decoded.found,
        )
    }

    #[test]
    fn records_are_taken_as_written_from_an_envelope_a_bare_list_or_one_object() {
        let (around, records, found) =
            split_at("data", r#"{"next":"/p2","data":[{"a": 1},{"a":2}]}"#);
        assert_eq!(around, json!({"next": "/p2", "data": null}));
        assert_eq!(records, [r#"{"a": 1}"#, r#"{"a":2}"#]);
        assert!(found);
        assert_eq!(split_at("", "[{},{}]").1.len(), 2);
        let (around, records, _) = split_at("", r#"{"error":"no"}"#);
        assert_eq!((around, records.len()), (json!({"error": "no"}), 1));
        assert_eq!(
            split_at("r/x", r#"{"r":{"x":{"id":1}}}"#).1,
            [r#"{"id":1}"#]
        );
        assert_eq!(
            split_at("r/*/x", r#"{"r":{"a":{"x":[1]},"b":{"x":[2]}}}"#).1,
            ["1", "2"]
        );
    }

    #[test]
    fn an_empty_list_is_found_and_a_text_null_or_absence_is_not() {
        assert_eq!(
            split_at("data", r#"{"data":[]}"#),
            (json!({"data": null}), vec![], true)
        );
        let (around, records, found) = split_at("data", r#"{"data":"No records found"}"#);
        assert_eq!(
            (around, records.len(), found),
            (json!({"data": "No records found"}), 0, false)
        );
        assert!(!split_at("data", r#"{"data":null}"#).2);
        assert!(!split_at("data", r#"{"error":1}"#).2);
    }

    #[test]
    fn one_of_several_parents_may_have_none_and_all_of_them_too() {
        for (path, text, count) in [
            (
                "p/l",
                r#"{"p":[{"l":null},{"l":[{"id":1}]},{"l":{"id":2}}]}"#,
                2,
            ),
            ("p/l", r#"{"p":[{"l":[{"id":1}]},{}]}"#, 1),
            ("p/l", r#"{"p":[{"l":null},{"l":null}]}"#, 0),
            ("p/*/l", r#"{"p":{"a":{"l":null},"b":{"l":[1]}}}"#, 1),
        ] {
            let (_, records, found) = split_at(path, text);
            assert_eq!((records.len(), found), (count, true), "{text}");
        }
        // What is none of them is for the rules to judge, and so is nothing at all.
        for (path, text) in [
            ("p/l", r#"{"p":[{"l":"none"},{"l":[1]}]}"#),
            ("p/l", r#"{"p":[{}]}"#),
            ("p/l", r#"{"p":{"l":null}}"#),
            ("*", r#"{"error":null}"#),
        ] {
            assert!(!split_at(path, text).2, "{text}");
        }
    }

    #[test]
    fn an_object_keyed_by_id_is_a_list_whose_records_know_their_key() {
        let text = r#"{"people":{"7":{"n":"Ana"},"8":{},"9\"":{ "@key": "own" }}}"#;
        let (_, records, found) = split_at("people/*", text);
        assert_eq!(records[0], r#"{"@key":"7","n":"Ana"}"#);
        assert_eq!(records[1], r#"{"@key":"8"}"#);
        let own: Value = serde_json::from_str(&records[2]).unwrap();
        assert_eq!((own, found), (json!({"@key": "own"}), true));
        for empty in [r#"{"people":{}}"#, r#"{"people":[]}"#] {
            assert!(split_at("people/*", empty).2);
        }
        assert!(!split_at("people/*", r#"{"people":null}"#).2);
        // As in a list, which of them is nothing is told by whoever maps it.
        let (_, records, _) = split_at("people/*", r#"{"people":{"7":null,"8":{}}}"#);
        assert_eq!(records, ["null", r#"{"@key":"8"}"#]);
        assert_eq!(
            split_at("people", r#"{"people":[null,{}]}"#).1,
            ["null", "{}"]
        );
        assert!(!split_at("people/*", r#"{"people":{"7":null}}"#).2);
        assert!(!split_at("people/*", r#"{"people":{"7":"no","8":{}}}"#).2);
        let (around, _, found) = split_at("*", r#"{"error":"no"}"#);
        assert_eq!((around, found), (json!({"error": "no"}), false));
    }

    #[test]
    fn a_truncated_answer_is_an_error_that_quotes_nothing() {
        let error = split(r#"{"data":[{"name":"Ana"#, &Path::parse("data").unwrap()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the answer is not readable as JSON: it ends too early in line 1, column 21"
        );
        assert!(split("[1] x", &Path::default()).is_err());
        assert!(split(&"[".repeat(100_000), &Path::parse("*/*").unwrap()).is_err());
    }
}
