//! What every PMS gets wrong, put right: the functions that scripts may call. All are pure: no clock, no
//! file, no network, no randomness. `to_…` never fails, `parse_…` may.

use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, Map};

use crate::model::{LeaseStatus, addresses, country_of, float_text, phones, phones_of};

use super::described::Described;
use super::error::FieldError;
use super::seen::Seen;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

pub(super) fn register(engine: &mut Engine) {
    let record = "record: Map";
    let path = "path: &str";
    Described(engine)
        .function(
            "get",
            &[record, path, "Dynamic"],
            "The value at a path of names with `/` between them, an element of a list by its number from 0; `()` \
             where there is none.
             get(#{ lease: #{ unit: 7 } }, \"lease/unit\") → 7
             get(#{ units: [#{ id: 7 }, #{ id: 8 }] }, \"units/1/id\") → 8
             get(#{ a: 1 }, \"b\") → ()",
            |record: &mut Map, path: &str| get(&*record, path),
        )
        .function(
            "text",
            &[record, path, "Dynamic"],
            "Trimmed text, of a number its digits, also where it is longer than 64 bits, of an XML element with attributes its text; `()` for what is \
             absent, empty, or a structure.
             text(#{ name: \" Ana \" }, \"name\") → \"Ana\"
             text(#{ id: 7.0 }, \"id\") → \"7\"
             text(#{ name: \" \" }, \"name\") → ()",
            |record: &mut Map, path: &str| text(&get(record, path)),
        )
        .function(
            "text",
            &["value", "Dynamic"],
            "Also of a value.
             text(\" Ana \") → \"Ana\"",
            |value: Dynamic| text(&value),
        )
        .function(
            "list",
            &[record, path, "Array"],
            "One or many: a list stays, one value becomes the list of it, and what is absent or empty the empty list.
             list(#{ tenant: #{ id: 7 } }, \"tenant\").len() → 1
             list(#{ tenant: [1, 2] }, \"tenant\") → [1, 2]
             list(#{ a: 1 }, \"tenant\") → []",
            |record: &mut Map, path: &str| list(get(record, path)),
        )
        .function(
            "list",
            &["value", "Array"],
            "Also of a value.
             list(\"\") → []",
            |value: Dynamic| list(value),
        )
        .function(
            "first",
            &["values: Array", "Dynamic"],
            "The first of the values that is neither absent nor empty text.
             first([(), \" \", \"ana@example.com\", \"a@example.com\"]) → \"ana@example.com\"
             first([(), \"\"]) → ()",
            |values: Array| first(values),
        )
        .function(
            "flag",
            &[record, path, "bool"],
            "Whether it says yes: true, 1, y, yes or t in any case. Anything else is no.
             flag(#{ IsCurrent: \"Y\" }, \"IsCurrent\") → true
             flag(#{ IsCurrent: \"N\" }, \"IsCurrent\") → false
             flag(#{ a: 1 }, \"IsCurrent\") → false",
            |record: &mut Map, path: &str| flag(&get(record, path)),
        )
        .function(
            "same",
            &["one", "other", "bool"],
            "Whether two texts are equal but for case and outer spaces. What is absent equals nothing.
             same(\" Past \", \"past\") → true
             same((), ()) → false",
            |one: Dynamic, other: Dynamic| same(&one, &other),
        )
        .function(
            "digits",
            &["value", "&str"],
            "The digits of a text.
             digits(\"(212) 555-0100\") → \"2125550100\"
             digits(2125550100.0) → \"2125550100\"
             digits(()) → \"\"",
            |value: Dynamic| digits(&value),
        )
        .function(
            "emails",
            &["value", "Array"],
            "The emails of a text that holds one or several, in lower case, without a name, a remark or `mailto:` beside \
             them. An email is an address or it is nothing: what has a blank inside, no dot in its domain, or a domain that can \
             receive nothing is none, and nobody is given a part of it (R13a).
             emails(\"Ana Ortiz <Ana@example.com>; bo@example.com\") → [\"ana@example.com\", \"bo@example.com\"]
             emails(\"ana de la cruz@example.com\") → []
             emails(\"none\") → []",
            |value: Dynamic| emails(&value),
        )
        .function(
            "phones",
            &["value", "Array"],
            "The phone numbers of a text, as they are written, without words and extensions. Give one as a resident's phone: a run \
             brings it into its normal form (R11).
             phones(\"Cell: 212-555-0100 (after 5), home 212-555-0101 ext. 4\") → [\"212-555-0100\", \"212-555-0101\"]
             phones(\"+49 (0)30 123456\") → [\"+49 (0)30 123456\"]
             phones(\"212-555-0100/212-555-0101\").len() → 2
             phones(\"none\") → []",
            |value: Dynamic| values(phones(&as_text(&value).unwrap_or_default())),
        )
        .function(
            "phones",
            &["value", "country: &str", "Array"],
            "With a country, mostly ctx.country, those that are numbers there or written with their country's, in the normal form. It is \
             written as its ISO 3166 code; one that is none is an error.
             phones(\"office 555-0100, cell 212-555-0100\", ctx.country) → [\"+12125550100\"]
             phones(\"030/123456 oder +49 (0)151 23456789\", \"DE\") → [\"+4930123456\", \"+4915123456789\"]",
            |value: Dynamic, country: &str| phones_in(&value, country),
        )
        .function(
            "to_status",
            &["word", "table: Map", "&str"],
            "The status of the PMS's word by a table; case and outer spaces do not matter. A word that the table does \
             not have is `unknown`.
             to_status(\" FUTURE \", #{ \"Future\": \"pending\", \"Current\": \"current\" }) → \"pending\"
             to_status(\"Gone\", #{ \"Future\": \"pending\" }) → \"unknown\"",
            |word: Dynamic, table: Map| to_status(&word, &table),
        );
}

/// What has members by name, as far as helpers look at it.
pub(super) trait Record {
    fn member(&self, name: &str) -> Option<&Dynamic>;
}

impl Record for Map {
    fn member(&self, name: &str) -> Option<&Dynamic> {
        self.get(name)
    }
}

/// The value at a path of names separated by `/`; an element of a list by its number from 0. Absent is `()`.
pub(super) fn get(record: &impl Record, path: &str) -> Dynamic {
    if let Some(value) = record.member(path) {
        return value.clone();
    }
    let Some((head, rest)) = path.split_once('/') else {
        return Dynamic::UNIT;
    };
    match record.member(head) {
        Some(value) => inside(value, rest),
        None => Dynamic::UNIT,
    }
}

pub(super) fn inside(value: &Dynamic, path: &str) -> Dynamic {
    if let Ok(map) = value.as_map_ref() {
        return get(&*map, path);
    }
    if let Some(seen) = value.read_lock::<Seen>() {
        return get(&*seen, path);
    }
    let Ok(items) = value.as_array_ref() else {
        return Dynamic::UNIT;
    };
    let (head, rest) = path.split_once('/').unwrap_or((path, ""));
    match head.parse::<usize>() {
        Ok(index) => match items.get(index) {
            Some(item) if rest.is_empty() => item.clone(),
            Some(item) => inside(item, rest),
            None => Dynamic::UNIT,
        },
        // One element is as good as the list of it.
        Err(_) => items
            .iter()
            .map(|item| inside(item, path))
            .find(|found| !found.is_unit())
            .unwrap_or(Dynamic::UNIT),
    }
}

/// Trimmed text; a number as its text; `()` for absent, empty and structures. Of an XML element with
/// attributes, its text.
pub(super) fn text(value: &Dynamic) -> Dynamic {
    as_text(value).map_or(Dynamic::UNIT, Dynamic::from)
}

pub(super) fn as_text(value: &Dynamic) -> Option<ImmutableString> {
    if let Ok(text) = value.as_immutable_string_ref() {
        let trimmed = text.trim();
        return match trimmed.len() {
            0 => None,
            length if length == text.len() => Some(text.clone()),
            _ => Some(trimmed.into()),
        };
    }
    if let Ok(map) = value.as_map_ref() {
        return as_text(map.get("#text")?);
    }
    if let Some(seen) = value.read_lock::<Seen>() {
        return as_text(seen.member("#text")?);
    }
    if let Ok(float) = value.as_float() {
        return Some(float_text(float).into());
    }
    (value.is_int() || value.is_bool()).then(|| value.to_string().into())
}

/// Whether a value is a record, or a part of one that has names.
pub(super) fn is_record(value: &Dynamic) -> bool {
    value.is_map() || value.is::<Seen>()
}

/// One or many: a list stays, one value becomes the list of it, absent and empty become the empty list.
pub(super) fn list(value: Dynamic) -> Array {
    if value.is_array() {
        return value.into_array().unwrap_or_default();
    }
    let empty = value.is_unit()
        || value
            .as_immutable_string_ref()
            .is_ok_and(|text| text.trim().is_empty());
    if empty { Array::new() } else { vec![value] }
}

/// The first value that is neither absent nor empty text.
fn first(values: Array) -> Dynamic {
    values
        .into_iter()
        .find(|value| {
            !value.is_unit()
                && !value
                    .as_immutable_string_ref()
                    .is_ok_and(|text| text.trim().is_empty())
        })
        .unwrap_or(Dynamic::UNIT)
}

/// Whether it says yes: true, 1, y, yes, t, true; anything else is no.
pub(super) fn flag(value: &Dynamic) -> bool {
    as_text(value).is_some_and(|text| {
        ["true", "1", "y", "yes", "t"]
            .iter()
            .any(|yes| text.eq_ignore_ascii_case(yes))
    })
}

/// Equal but for case and outer spaces; absent equals nothing.
fn same(one: &Dynamic, other: &Dynamic) -> bool {
    match (as_text(one), as_text(other)) {
        (Some(one), Some(other)) => equal(&one, &other),
        _ => false,
    }
}

/// Equal but for case.
pub(super) fn equal(one: &str, other: &str) -> bool {
    if one.is_ascii() && other.is_ascii() {
        one.eq_ignore_ascii_case(other)
    } else {
        unicase::eq(one, other)
    }
}

fn digits(value: &Dynamic) -> ImmutableString {
    as_text(value)
        .unwrap_or_default()
        .chars()
        .filter(char::is_ascii_digit)
        .collect::<String>()
        .into()
}

/// The emails of a text such as `a@x.com, b@x.com`.
fn emails(value: &Dynamic) -> Array {
    values(addresses(&as_text(value).unwrap_or_default()))
}

fn values(texts: Vec<String>) -> Array {
    texts.into_iter().map(Dynamic::from).collect()
}

/// The phones of a text that are numbers in a country. That it is none is told: there every number is none.
fn phones_in(value: &Dynamic, country: &str) -> Fallible<Array> {
    let Some(code) = country_of(country) else {
        let shown: String = country.chars().take(20).collect();
        let message = format!(
            "`{shown}` is no ISO 3166 country code; write two letters such as `US`, or ctx.country"
        );
        return Err(FieldError::thrown("phone", message));
    };
    Ok(values(phones_of(
        &as_text(value).unwrap_or_default(),
        &code,
    )))
}

/// The status of a word by a table of the script's; case and outer spaces do not matter. A word that the
/// table does not have is `unknown`; a table that is written another way round is an error.
fn to_status(word: &Dynamic, table: &Map) -> Fallible<ImmutableString> {
    let found = as_text(word).and_then(|word| table.iter().find(|(known, _)| equal(known, &word)));
    if let Some(status) = found.and_then(|(_, status)| status.clone().into_immutable_string().ok())
    {
        return Ok(status);
    }
    if table.values().any(|status| !status.is_string()) {
        let message =
            "the status table is not written as word: status, such as #{ \"Future\": \"pending\" }";
        return Err(FieldError::thrown("status", message));
    }
    Ok(LeaseStatus::Unknown.as_str().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eval(script: &str) -> Result<String, String> {
        let mut engine = Engine::new();
        register(&mut engine);
        match engine.eval::<Dynamic>(script) {
            Ok(value) => Ok(format!("{value:?}")),
            Err(error) => {
                let error = crate::script::error::locate("test", *error);
                Err(format!(
                    "{}: {}",
                    error.field.unwrap_or_default(),
                    error.message
                ))
            }
        }
    }

    #[test]
    fn texts_are_trimmed_and_empty_is_absent() {
        assert_eq!(eval(r##"let r = #{a: " x ", e: " ", n: 7, x: #{"@t": "c", "#text": "y"}}; [text(r, "a"), text(r, "e"), text(r, "n"), text(r, "x"), text(r, "no")]"##).unwrap(),
            r#"["x", (), "7", "y", ()]"#);
    }

    #[test]
    fn a_path_goes_through_lists_of_one_or_many() {
        assert_eq!(eval(r#"let r = #{a: [#{b: 1}, #{c: 2}], d: #{b: 3}}; [get(r, "a/0/b"), get(r, "a/c"), get(r, "d/b"), get(r, "d/x/y")]"#).unwrap(), "[1, 2, 3, ()]");
        assert_eq!(eval(r#"let r = #{a: #{}, b: [1, 2]}; [list(r, "a").len, list(r, "b").len, list(r, "c").len, list("").len]"#).unwrap(), "[1, 2, 0, 0]");
    }

    #[test]
    fn words_become_statuses_without_regard_to_case() {
        assert_eq!(eval(r#"let t = #{"Future": "pending"}; [to_status(" FUTURE ", t), to_status("Gone", t), to_status((), t)]"#).unwrap(), r#"["pending", "unknown", "unknown"]"#);
    }

    #[test]
    fn phones_of_a_country_that_is_none_are_an_error_and_not_none() {
        for country in ["US", "us", " us ", "PR"] {
            let script = format!(r#"phones("cell 212-555-0100", "{country}")"#);
            assert_eq!(eval(&script).unwrap(), r#"["+12125550100"]"#, "{country}");
        }
        for country in ["USA", "XX", "", "United States"] {
            let told = eval(&format!(r#"phones("212-555-0100", "{country}")"#)).unwrap_err();
            assert!(told.contains("is no ISO 3166 country code"), "{told}");
        }
    }

    #[test]
    fn emails_and_flags_come_apart() {
        assert_eq!(
            eval(r#"emails("a@x.com, b@y.org; none")"#).unwrap(),
            r#"["a@x.com", "b@y.org"]"#
        );
        assert_eq!(eval(r#"let r = #{a: "Y", b: "N", c: true}; [flag(r, "a"), flag(r, "b"), flag(r, "c"), flag(r, "d")]"#).unwrap(), "[true, false, true, false]");
        assert_eq!(eval(r#"first([(), "", " ", "x", "y"])"#).unwrap(), r#""x""#);
    }
}
