//! Paths into an answer: `data`, `Residents/Resident`, `@tCode`, `**/Message[@type=Error]`, `people/*`.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::model::{exact, may_be_inexact, number_text};

/// Names separated by `/`; a `/` in a name is written `\/`. `*` is any name or any element of a list, `**` any depth. `name[member=text]`
/// is only those elements of that name whose member has that text, without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path(Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    Name(String),
    /// Elements of a name, with a member of a certain text.
    Having {
        name: String,
        member: String,
        text: String,
    },
    Any,
    Deep,
}

/// How a path lies to the place of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    /// Past it: the records are nothing to it.
    Elsewhere,
    /// To something that the records are in.
    Around,
    /// To the records themselves.
    At,
    /// Perhaps into them.
    Within,
}

impl Path {
    /// Parses a path. An empty one is the answer itself.
    pub fn parse(text: &str) -> Result<Path, String> {
        if text.is_empty() {
            return Ok(Path::default());
        }
        let segments: Vec<Segment> = names(text)
            .iter()
            .map(|name| match name.as_str() {
                "" => Err(format!(
                    "`{text}` has an empty name between two `/`; remove one"
                )),
                "*" => Ok(Segment::Any),
                "**" => Ok(Segment::Deep),
                name => segment(name),
            })
            .collect::<Result<_, _>>()?;
        if segments.last() == Some(&Segment::Deep) {
            return Err(format!(
                "`{text}` ends in `**`; write the name that is looked for behind it"
            ));
        }
        Ok(Path(segments))
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Whether it leads to the answer itself.
    pub(super) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it leads to one place, by names alone.
    pub(super) fn is_names(&self) -> bool {
        self.0.iter().all(|one| matches!(one, Segment::Name(_)))
    }

    /// Why records cannot stand at this path: they are taken in one pass, without looking back.
    pub(super) fn not_for_records(&self) -> Option<String> {
        let plain = |segment: &Segment| matches!(segment, Segment::Name(_) | Segment::Any);
        (!self.0.iter().all(plain)).then(|| {
            format!("`{self}` has `**` or a condition; write the names down to the records, or `*` for any one")
        })
    }

    /// This path, and another one from its end.
    pub(super) fn then(&self, other: &Path) -> Path {
        Path(self.0.iter().chain(&other.0).cloned().collect())
    }

    /// How it lies to the place of records that are cut out of an answer.
    pub(super) fn beside(&self, place: &Path) -> Beside {
        for (at, segment) in self.0.iter().enumerate() {
            let (name, other) = match (segment, place.0.get(at)) {
                (
                    Segment::Name(name) | Segment::Having { name, .. },
                    Some(Segment::Name(other)),
                ) => (name, other),
                // As long as every step on the way is a name, it goes down one.
                (Segment::Any, Some(Segment::Name(_))) => continue,
                _ => return Beside::Within,
            };
            if name != other {
                return Beside::Elsewhere;
            }
        }
        if self.0.len() < place.0.len() {
            Beside::Around
        } else {
            Beside::At
        }
    }

    /// The name that everything at the path has, where there is one.
    pub(super) fn last_name(&self) -> Option<&str> {
        match self.0.last()? {
            Segment::Name(name) | Segment::Having { name, .. } => Some(name),
            Segment::Any | Segment::Deep => None,
        }
    }

    /// Whether the path leads by names to a null that is written out.
    pub(super) fn is_null(&self, value: &Value) -> bool {
        let mut at = Some(value);
        for segment in &self.0 {
            at = match segment {
                Segment::Name(name) => at.and_then(|value| value.get(name)),
                _ => None,
            };
        }
        at.is_some_and(Value::is_null)
    }

    /// The first value at the path that is not null.
    pub fn first<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        first(&self.0, value)
    }

    /// The first value at the path as text; absent, null, empty and structures are none.
    pub fn text<'a>(&self, value: &'a Value) -> Option<Cow<'a, str>> {
        text_of(self.first(value)?)
    }

    /// The same in a value that is not decoded. Where a single name leads there, the rest is skipped and not decoded.
    pub fn text_in(&self, json: &str) -> Option<String> {
        let mut value = self.decoded(json)?;
        if self.first(&value).is_some_and(is_inexact) {
            value = self.decoded(&exact(json))?;
        }
        self.text(&value).map(Cow::into_owned)
    }

    fn decoded(&self, json: &str) -> Option<Value> {
        let value = match self.0.as_slice() {
            [Segment::Name(name)] => {
                let mut value = serde_json::Deserializer::from_str(json);
                Member(name).deserialize(&mut value)
            }
            _ => serde_json::from_str(json),
        };
        value.ok()
    }

    /// Calls `take` with everything at the path, in the order of the answer.
    pub(super) fn each<'a>(&self, value: &'a Value, take: &mut dyn FnMut(&'a Value)) {
        each(&self.0, value, take);
    }

    /// Every value at the path that is a text, in the order of the answer.
    #[cfg(test)]
    pub(super) fn texts<'a>(&self, value: &'a Value) -> Vec<Cow<'a, str>> {
        let mut texts = Vec::new();
        each(&self.0, value, &mut |found| texts.extend(text_of(found)));
        texts
    }
}

/// Decodes of an object one member alone.
struct Member<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Value, D::Error> {
        value.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = serde_json::Map::new();
        while let Some(is_it) = members.next_key_seed(Is(self.0))? {
            if is_it {
                object.insert(self.0.to_owned(), members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Value::Object(object))
    }
}

/// Whether a name is this one.
struct Is<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<bool, D::Error> {
        name.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

/// The names of a path; `\/` is a `/` in one of them.
fn names(text: &str) -> Vec<String> {
    let (mut names, mut name) = (Vec::new(), String::new());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.peek() == Some(&'/') => {
                letters.next();
                name.push('/');
            }
            '/' => names.push(std::mem::take(&mut name)),
            letter => name.push(letter),
        }
    }
    names.push(name);
    names
}

fn segment(text: &str) -> Result<Segment, String> {
    let Some((name, condition)) = text.split_once('[') else {
        return Ok(Segment::Name(text.to_owned()));
    };
    let condition = condition
        .strip_suffix(']')
        .and_then(|condition| condition.split_once('='));
    match condition {
        Some((member, text)) if !name.is_empty() && !member.is_empty() && !text.is_empty() => {
            Ok(Segment::Having {
                name: name.to_owned(),
                member: member.to_owned(),
                text: text.to_owned(),
            })
        }
        _ => Err(format!(
            "`{text}` is no condition; write one such as `Message[@type=Error]`"
        )),
    }
}

pub(super) fn text_of(found: &Value) -> Option<Cow<'_, str>> {
    match found.get("#text").unwrap_or(found) {
        Value::String(text) => Some(text.trim())
            .filter(|text| !text.is_empty())
            .map(Cow::Borrowed),
        Value::Number(number) => Some(Cow::Owned(number_text(number))),
        Value::Bool(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
        _ => None,
    }
}

/// Whether it is a number that may have lost digits.
fn is_inexact(found: &Value) -> bool {
    found.is_f64() && found.as_f64().is_some_and(may_be_inexact)
}

fn has(element: &Value, member: &str, text: &str) -> bool {
    element
        .get(member)
        .and_then(text_of)
        .is_some_and(|found| found.to_lowercase() == text.to_lowercase())
}

/// Calls `take` with everything at the path; a list at its end is taken element by element.
fn each<'a>(segments: &[Segment], value: &'a Value, take: &mut dyn FnMut(&'a Value)) {
    let Some((head, rest)) = segments.split_first() else {
        elements(value).iter().for_each(take);
        return;
    };
    match (head, value) {
        (Segment::Deep, _) => {
            each(rest, value, take);
            for inner in elements(value).iter().filter_map(Value::as_object) {
                for inner in inner.values() {
                    each(segments, inner, take);
                }
            }
        }
        (Segment::Any, Value::Array(items)) => {
            for item in items {
                each(rest, item, take);
            }
        }
        (_, Value::Array(items)) => {
            for item in items {
                each(segments, item, take);
            }
        }
        (Segment::Any, Value::Object(object)) => {
            for inner in object.values() {
                each(rest, inner, take);
            }
        }
        (Segment::Name(name), Value::Object(object)) => {
            if let Some(found) = object.get(name) {
                each(rest, found, take);
            }
        }
        (Segment::Having { name, member, text }, Value::Object(object)) => {
            for element in object.get(name).map_or(&[][..], elements) {
                if has(element, member, text) {
                    each(rest, element, take);
                }
            }
        }
        _ => {}
    }
}

/// The elements of a list; one value is as good as the list of it.
pub(super) fn elements(value: &Value) -> &[Value] {
    value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice)
}

fn first<'a>(segments: &[Segment], value: &'a Value) -> Option<&'a Value> {
    let Some((head, rest)) = segments.split_first() else {
        return (!value.is_null()).then_some(value);
    };
    match (head, value) {
        (Segment::Name(name), Value::Object(object)) => first(rest, object.get(name)?),
        (Segment::Having { name, member, text }, Value::Object(object)) => {
            elements(object.get(name)?)
                .iter()
                .filter(|element| has(element, member, text))
                .find_map(|element| first(rest, element))
        }
        // One element is as good as the list of it: XML cannot tell them apart.
        (Segment::Name(_) | Segment::Having { .. }, Value::Array(items)) => {
            items.iter().find_map(|item| first(segments, item))
        }
        (Segment::Any, Value::Object(object)) => object.values().find_map(|item| first(rest, item)),
        (Segment::Any, Value::Array(items)) => items.iter().find_map(|item| first(rest, item)),
        (Segment::Deep, _) => first(rest, value).or_else(|| match value {
            Value::Object(object) => object.values().find_map(|item| first(segments, item)),
            Value::Array(items) => items.iter().find_map(|item| first(segments, item)),
            _ => None,
        }),
        _ => None,
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("/")?;
            }
            match segment {
                Segment::Name(name) => f.write_str(&name.replace('/', "\\/"))?,
                Segment::Having { name, member, text } => {
                    let one = format!("{name}[{member}={text}]");
                    f.write_str(&one.replace('/', "\\/"))?;
                }
                Segment::Any => f.write_str("*")?,
                Segment::Deep => f.write_str("**")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(path: &str, value: &Value) -> Option<String> {
        Path::parse(path).unwrap().text(value).map(Cow::into_owned)
    }

    #[test]
    fn a_path_finds_names_any_element_and_any_depth() {
        let value = json!({"a": {"b": [{"c": null}, {"c": " x "}]}, "n": 7, "e": "", "t": {"@k": "1", "#text": "y"}});
        assert_eq!(text("a/b/c", &value).as_deref(), Some("x"));
        assert_eq!(text("a/b/*/c", &value).as_deref(), Some("x"));
        assert_eq!(text("**/c", &value).as_deref(), Some("x"));
        assert_eq!(text("n", &value).as_deref(), Some("7"));
        assert_eq!(text("t", &value).as_deref(), Some("y"));
        assert_eq!(text("t/@k", &value).as_deref(), Some("1"));
        assert_eq!(text("e", &value), None);
        assert_eq!(text("a/x", &value), None);
    }

    #[test]
    fn a_name_is_found_without_decoding_what_stands_beside_it() {
        let record =
            r##"{"a":[{"id":1}],"id":" x\u0031 ","t":{"#text":"y"},"n":7,"l":["", "z"],"n":8}"##;
        let value: Value = serde_json::from_str(record).unwrap();
        for path in ["id", "t", "n", "l", "a", "none", "a/id", "", "**/id"] {
            let path = Path::parse(path).unwrap();
            let decoded = path.text(&value).map(Cow::into_owned);
            assert_eq!(path.text_in(record), decoded, "{path}");
        }
        let id = Path::parse("id").unwrap();
        for digits in ["18446744073709551616", "18446744073709551617", "1001.0"] {
            let record = format!("{{\"n\":[1e300],\"id\":{digits}}}");
            let whole = digits.trim_end_matches(".0").to_owned();
            assert_eq!(id.text_in(&record), Some(whole));
        }
        for broken in ["{\"id\":\"1\"", "7", ""] {
            assert_eq!(Path::parse("id").unwrap().text_in(broken), None);
        }
    }

    #[test]
    fn a_condition_picks_among_elements_of_a_name() {
        let one = json!({"R": {"Ms": {"M": {"@t": "Error", "#text": "a"}}}});
        let many = json!({"R": {"Ms": {"M": [{"@t": "FYI", "#text": "a"}, {"@t": "error", "#text": "b"}]}}});
        assert_eq!(text("**/M[@t=Error]", &one).as_deref(), Some("a"));
        assert_eq!(text("**/M[@t=Error]", &many).as_deref(), Some("b"));
        assert_eq!(text("R/Ms/M[@t=Warning]", &many), None);
        let path = Path::parse("R/Ms/M[@t=Error]").unwrap();
        assert_eq!(path.to_string(), "R/Ms/M[@t=Error]");
        assert!(path.not_for_records().is_some());
        for wrong in ["M[@t]", "M[@t=]", "[@t=x]", "M[@t=x"] {
            assert!(Path::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn all_texts_at_a_path_are_found_each_once() {
        let many = json!({"R": {"Ms": {"M": [{"@t": "FYI", "#text": "a"}, "b", null]}, "M": "c"}, "L": [{"M": 1}]});
        for (path, found) in [
            ("**/M", vec!["c", "a", "b", "1"]),
            ("R/Ms/M", vec!["a", "b"]),
            ("R/*", vec!["c"]),
        ] {
            assert_eq!(Path::parse(path).unwrap().texts(&many), found, "{path}");
        }
    }

    #[test]
    fn how_a_path_lies_to_records_is_told_by_its_names() {
        let beside = |path: &str, place: &str| {
            Path::parse(path)
                .unwrap()
                .beside(&Path::parse(place).unwrap())
        };
        for (path, lies) in [
            ("error", Beside::Elsewhere),
            ("r/error/code", Beside::Elsewhere),
            ("r", Beside::Around),
            ("*", Beside::Around),
            ("r/data", Beside::At),
            ("r/*", Beside::At),
            ("r/data/error", Beside::Within),
            ("*/*/error", Beside::Within),
            ("**/error", Beside::Within),
        ] {
            assert_eq!(beside(path, "r/data"), lies, "{path}");
        }
        assert_eq!(beside("error", ""), Beside::Within);
        assert_eq!(beside("people/error", "people/*"), Beside::Within);
    }

    #[test]
    fn a_path_that_cannot_be_meant_is_refused() {
        assert!(Path::parse("a//b").is_err());
        assert!(Path::parse("a/**").is_err());
        assert_eq!(Path::parse("a/*/b").unwrap().to_string(), "a/*/b");
    }
}
