//! A JSON answer, split into its records and what stands around them, without building the records.

use serde::Deserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::decode::{DecodeError, Decoded};
use super::path::{Path, Segment};

pub(super) fn split(text: &str, records: &Path) -> Result<Decoded, DecodeError> {
    let unreadable = |error: serde_json::Error| DecodeError::Json(without_values(&error));
    let mut found = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let walk = Walk {
        path: records.segments(),
        found: &mut found,
    };
    let around = walk.deserialize(&mut deserializer).map_err(unreadable)?;
    deserializer.end().map_err(unreadable)?;
    let mut decoded = Decoded {
        around,
        records: Vec::new(),
        found: !found.is_empty(),
    };
    for node in found {
        match node.get().as_bytes().first() {
            Some(b'[') => {
                let items: Vec<Box<RawValue>> =
                    serde_json::from_str(node.get()).map_err(unreadable)?;
                decoded
                    .records
                    .extend(items.into_iter().map(Box::<str>::from));
            }
            Some(b'{') => decoded.records.push(node.get().into()),
            // A text, a number or null where records are expected is for the rules to judge; it must be
            // reachable for them.
            _ => {
                decoded.found = false;
                let value = serde_json::from_str(node.get()).map_err(unreadable)?;
                put(&mut decoded.around, records.segments(), value);
            }
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

fn put(around: &mut Value, path: &[Segment], value: Value) {
    match path.split_first() {
        None => *around = value,
        Some((Segment::Name(name), rest)) => {
            if let Some(inner) = around.get_mut(name) {
                put(inner, rest, value);
            }
        }
        // With `*` there may be several; none of them is a place to look at.
        Some(_) => {}
    }
}

/// Goes down the path, keeps what lies beside it, and takes what lies at its end as it is written.
struct Walk<'p, 'f, 'de> {
    path: &'p [Segment],
    found: &'f mut Vec<&'de RawValue>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_, 'de> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.path.is_empty() {
            let node: &'de RawValue = serde::Deserialize::deserialize(deserializer)?;
            self.found.push(node);
            return Ok(Value::Null);
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
        while let Some(key) = map.next_key::<String>()? {
            let rest = match self.path {
                [Segment::Name(name), rest @ ..] if *name == key => Some(rest),
                [Segment::Any, rest @ ..] => Some(rest),
                _ => None,
            };
            let value = match rest {
                Some(path) => map.next_value_seed(Walk {
                    path,
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
        // A name behind a list is looked for in each of its elements.
        let path = match self.path {
            [Segment::Any, rest @ ..] => rest,
            path => path,
        };
        while let Some(value) = seq.next_element_seed(Walk {
            path,
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
