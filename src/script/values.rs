//! What scripts give as JSON. Knows no names.

use rhai::Dynamic;
use serde_json::{Map, Number, Value};

use super::dates::Unreadable;
use super::error::type_called;
use super::output::Complaint;

/// A value is nested so deep at most.
const DEEPEST: usize = 32;

/// What may stand in a field of a grant.
const ALLOWED: &str = "texts, numbers, true and false, (), and lists and maps of these";

/// A value of a script as JSON; `field` is what a complaint calls it.
pub(super) fn json(field: &str, given: &Dynamic) -> Result<Value, Complaint> {
    nested(field, given, DEEPEST)
}

fn nested(field: &str, given: &Dynamic, depth: usize) -> Result<Value, Complaint> {
    let complain = |message: String| Err((field.to_owned(), message));
    if depth == 0 {
        return complain(format!(
            "is nested deeper than {DEEPEST}; give less of it, or a text"
        ));
    }
    // What a closure took hold of stands behind a lock.
    if given.is_shared() {
        return nested(field, &given.flatten_clone(), depth);
    }
    if given.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(truth) = given.as_bool() {
        return Ok(truth.into());
    }
    if let Ok(number) = given.as_int() {
        return Ok(number.into());
    }
    if let Ok(number) = given.as_float() {
        return match Number::from_f64(number) {
            Some(number) => Ok(Value::Number(number)),
            None => {
                complain("is no number that can be written; look at what it is computed of".into())
            }
        };
    }
    if let Ok(text) = given.as_immutable_string_ref() {
        return Ok(text.as_str().into());
    }
    if let Ok(items) = given.as_array_ref() {
        let items = items.iter().enumerate();
        let items = items.map(|(at, item)| nested(&format!("{field}.{at}"), item, depth - 1));
        return items
            .collect::<Result<Vec<Value>, Complaint>>()
            .map(Value::from);
    }
    if let Ok(members) = given.as_map_ref() {
        let members = members.iter().map(|(name, value)| {
            let value = nested(&format!("{field}.{name}"), value, depth - 1)?;
            Ok((name.to_string(), value))
        });
        return members
            .collect::<Result<Map<String, Value>, Complaint>>()
            .map(Value::from);
    }
    if given.is::<Unreadable>() {
        return complain(
            "is a date that cannot be read; ask is_unreadable(…) first, and give () in its place"
                .into(),
        );
    }
    complain(format!(
        "is {}; a field of a grant has {ALLOWED}",
        type_called(given.type_name())
    ))
}
