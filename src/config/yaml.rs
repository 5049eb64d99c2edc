//! YAML text to typed values, with every problem at once. Knows nothing of what the values mean.
//!
//! `serde-saphyr` parses the text (positions, budgets, no alias bombs) into a [`Node`] tree; a serde
//! deserializer over that tree fills the structs. Where a field does not fit, the problem is noted, the
//! field is muted and the tree is read again, so that one faulty line does not hide the next. (One thing
//! it cannot see: a field that is missing from a struct whose other required field is faulty.)

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};
use serde_yaml::{Location, Spanned};

use crate::model::{Place, Problem};

/// A file of this size is no configuration.
const MAX_BYTES: usize = 1024 * 1024;

/// A value of the document and where it stands.
#[derive(Debug, Clone)]
struct Node {
    place: Place,
    kind: Kind,
    /// Already reported: read the document as if this were not there.
    muted: bool,
}

#[derive(Debug, Clone)]
enum Kind {
    Null,
    /// `text` is the value; `plain` says that it stands without quotes, and so may be a number.
    Scalar {
        text: String,
        plain: bool,
    },
    Seq(Vec<Node>),
    Map(Vec<(String, Place, Node)>),
}

/// A parsed file: the checked value, and the places of everything in it.
#[derive(Debug, Clone)]
pub struct Document {
    file: PathBuf,
    root: Node,
}

impl Document {
    /// Parses `text`. A document that is no YAML, or has a key twice, gives its problems.
    pub fn parse(file: &Path, text: &str) -> Result<Document, Vec<Problem>> {
        let whole = |message: String| Problem {
            file: file.to_owned(),
            place: None,
            field: String::new(),
            message,
        };
        if text.len() > MAX_BYTES {
            return Err(vec![whole(format!(
                "the file has {} bytes; a configuration has at most {MAX_BYTES}",
                text.len()
            ))]);
        }
        let options = serde_yaml::options! {
            strict_booleans: true,
            duplicate_keys: serde_yaml::options::DuplicateKeyPolicy::PassThrough,
            with_snippet: false,
            budget: serde_yaml::budget! {
                max_reader_input_bytes: Some(MAX_BYTES),
                max_depth: 32,
                max_nodes: 20_000,
                max_anchors: 100,
                max_aliases: 1_000,
                max_documents: 1,
            },
        };
        let parsed: Spanned<Parsed> =
            serde_yaml::from_str_with_options(text, options).map_err(|error| {
                let said = error.to_string();
                let said = said.split(" at line ").next().unwrap_or_default();
                let remedy = if said.contains("tabs") {
                    "; indent with spaces"
                } else {
                    ""
                };
                let at_end = error.location().is_none_or(|location| location.line() == 0);
                vec![Problem {
                    place: if at_end {
                        None
                    } else {
                        error.location().map(|location| place(&location))
                    },
                    ..whole(format!("not readable as YAML: {said}{remedy}"))
                }]
            })?;
        let root = node(text, parsed);
        let mut twice = Vec::new();
        find_duplicates(&root, &mut Vec::new(), &mut twice);
        let document = Document {
            file: file.to_owned(),
            root,
        };
        if twice.is_empty() {
            return Ok(document);
        }
        Err(twice
            .into_iter()
            .map(|(path, second, first)| Problem {
                place: Some(second),
                field: path.join("."),
                message: format!(
                    "the key stands here a second time, first in line {}; keep one",
                    first.line
                ),
                ..whole(String::new())
            })
            .collect())
    }

    /// Fills `T` from the document, or tells everything that does not fit.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Vec<Problem>> {
        let mut root = self.root.clone();
        let mut problems = Vec::new();
        let mut muted = BTreeSet::new();
        loop {
            let error = match T::deserialize(&root) {
                Ok(value) if problems.is_empty() => return Ok(value),
                Ok(_) => return Err(problems),
                Err(error) => error,
            };
            let mut field = error.path.clone();
            let mut known = false;
            if let Some(missing) = &error.missing {
                field.push(missing.clone());
                known = muted.contains(&field);
            }
            if !known {
                problems.push(Problem {
                    file: self.file.clone(),
                    place: error.place,
                    field: field.join("."),
                    message: error.message,
                });
            }
            muted.insert(error.path.clone());
            if error.path.is_empty() || !root.mute(&error.path) {
                return Err(problems);
            }
        }
    }

    /// The place of the value at a dotted path, or of the nearest thing around it.
    pub fn place(&self, field: &str) -> Place {
        let mut node = &self.root;
        let mut place = node.place;
        let mut rest = field;
        'down: while !rest.is_empty() {
            match &node.kind {
                // A key may have dots of its own: the longest key that fits is meant.
                Kind::Map(entries) => {
                    for (key, _, value) in entries {
                        if let Some(after) = rest.strip_prefix(key.as_str())
                            && (after.is_empty() || after.starts_with('.'))
                        {
                            rest = after.strip_prefix('.').unwrap_or(after);
                            node = value;
                            place = value.place;
                            continue 'down;
                        }
                    }
                    break;
                }
                Kind::Seq(items) => {
                    let (index, after) = rest.split_once('.').unwrap_or((rest, ""));
                    let Some(item) = index.parse().ok().and_then(|index: usize| items.get(index))
                    else {
                        break;
                    };
                    rest = after;
                    node = item;
                    place = item.place;
                }
                Kind::Null | Kind::Scalar { .. } => break,
            }
        }
        place
    }

    /// A problem with the value at a dotted path.
    pub fn problem(&self, field: &str, message: impl Into<String>) -> Problem {
        Problem {
            file: self.file.clone(),
            place: Some(self.place(field)),
            field: field.to_owned(),
            message: message.into(),
        }
    }

    /// The file the document was read from.
    pub fn file(&self) -> &Path {
        &self.file
    }
}

fn find_duplicates(
    node: &Node,
    path: &mut Vec<String>,
    found: &mut Vec<(Vec<String>, Place, Place)>,
) {
    match &node.kind {
        Kind::Map(entries) => {
            for (index, (key, at, value)) in entries.iter().enumerate() {
                path.push(key.clone());
                if let Some((_, first, _)) = entries
                    .iter()
                    .take(index)
                    .find(|(other, _, _)| other == key)
                {
                    found.push((path.clone(), *at, *first));
                }
                find_duplicates(value, path, found);
                path.pop();
            }
        }
        Kind::Seq(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(index.to_string());
                find_duplicates(item, path, found);
                path.pop();
            }
        }
        Kind::Null | Kind::Scalar { .. } => {}
    }
}

fn place(location: &Location) -> Place {
    let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    Place {
        line: number(location.line()),
        column: number(location.column()),
    }
}

/// What `serde-saphyr` hands over. Numbers and booleans are only marked: the text decides, so that an
/// unquoted property id `0123` stays what it is.
enum Parsed {
    Null,
    Text(String),
    Other,
    Seq(Vec<Spanned<Parsed>>),
    Map(Vec<(Spanned<String>, Spanned<Parsed>)>),
}

impl<'de> de::Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ParsedVisitor;

        impl<'de> Visitor<'de> for ParsedVisitor {
            type Value = Parsed;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Parsed, E> {
                Ok(Parsed::Null)
            }

            fn visit_none<E>(self) -> Result<Parsed, E> {
                Ok(Parsed::Null)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Parsed, E> {
                Ok(Parsed::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Parsed, E> {
                Ok(Parsed::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Parsed, E> {
                Ok(Parsed::Other)
            }

            fn visit_i128<E>(self, _: i128) -> Result<Parsed, E> {
                Ok(Parsed::Other)
            }

            fn visit_u128<E>(self, _: u128) -> Result<Parsed, E> {
                Ok(Parsed::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Parsed, E> {
                Ok(Parsed::Other)
            }

            fn visit_str<E>(self, text: &str) -> Result<Parsed, E> {
                Ok(Parsed::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Parsed, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Parsed::Seq(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parsed, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Parsed::Map(entries))
            }
        }

        deserializer.deserialize_any(ParsedVisitor)
    }
}

fn node(text: &str, parsed: Spanned<Parsed>) -> Node {
    let raw = |location: &Location| -> Option<String> {
        let span = location.span();
        let start = usize::try_from(span.byte_offset()?).ok()?;
        let end = start.checked_add(usize::try_from(span.byte_len()?).ok()?)?;
        text.get(start..end).map(|raw| raw.trim().to_owned())
    };
    let written = raw(&parsed.defined);
    let kind = match parsed.value {
        Parsed::Null => Kind::Null,
        Parsed::Other => Kind::Scalar {
            text: written.unwrap_or_default(),
            plain: true,
        },
        Parsed::Text(value) => {
            let plain = written.is_none_or(|written| !written.starts_with(['"', '\'', '|', '>']));
            Kind::Scalar { text: value, plain }
        }
        Parsed::Seq(items) => Kind::Seq(items.into_iter().map(|item| node(text, item)).collect()),
        Parsed::Map(entries) => Kind::Map(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let at = place(&key.referenced);
                    let mut value = node(text, value);
                    if matches!(value.kind, Kind::Null | Kind::Map(_) | Kind::Seq(_)) {
                        // A block begins on a later line; its key is where people look.
                        value.place = at;
                    }
                    (key.value, at, value)
                })
                .collect(),
        ),
    };
    Node {
        place: place(&parsed.referenced),
        kind,
        muted: false,
    }
}

impl Node {
    /// Mutes the node at `path`; false if there is none.
    fn mute(&mut self, path: &[String]) -> bool {
        let Some((head, rest)) = path.split_first() else {
            let before = self.muted;
            self.muted = true;
            return !before;
        };
        let child = match &mut self.kind {
            Kind::Map(entries) => entries
                .iter_mut()
                .find(|(key, _, _)| key == head)
                .map(|(_, _, v)| v),
            Kind::Seq(items) => head
                .parse()
                .ok()
                .and_then(|index: usize| items.get_mut(index)),
            Kind::Null | Kind::Scalar { .. } => None,
        };
        child.is_some_and(|child| child.mute(rest))
    }

    fn found(&self) -> String {
        match &self.kind {
            Kind::Null => "nothing".into(),
            Kind::Scalar { text, .. } => {
                let short: String = text.chars().take(60).collect();
                format!("`{}`", short.escape_debug())
            }
            Kind::Seq(_) => "a list".into(),
            Kind::Map(_) => "a mapping".into(),
        }
    }

    fn wrong(&self, expected: &str) -> ReadError {
        ReadError::new(format!("expected {expected}, found {}", self.found())).at(self.place)
    }

    fn integer<T: std::str::FromStr>(&self, expected: &str) -> Result<T, ReadError> {
        match &self.kind {
            Kind::Scalar { text, plain: true } => text
                .parse()
                .map_err(|_| self.wrong(&format!("{expected} in range"))),
            _ => Err(self.wrong(expected)),
        }
    }
}

/// One thing that does not fit.
#[derive(Debug)]
struct ReadError {
    path: Vec<String>,
    place: Option<Place>,
    missing: Option<String>,
    message: String,
}

impl ReadError {
    fn new(message: String) -> Self {
        ReadError {
            path: Vec::new(),
            place: None,
            missing: None,
            message,
        }
    }

    fn at(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }

    fn inside(mut self, key: &str) -> Self {
        self.path.insert(0, key.to_owned());
        self
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        ReadError::new(message.to_string())
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let mut message = "unknown field".to_owned();
        if let Some(near) = nearest(field, expected) {
            message += &format!("; did you mean `{near}`?");
        } else if expected.is_empty() {
            message += "; remove it, nothing may stand here";
        } else {
            message += &format!("; known here: {}", expected.join(", "));
        }
        ReadError::new(message)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let mut message = format!("`{variant}` is not known here");
        match nearest(variant, expected) {
            Some(near) => message += &format!("; did you mean `{near}`?"),
            None => message += &format!("; write one of: {}", expected.join(", ")),
        }
        ReadError::new(message)
    }

    fn missing_field(field: &'static str) -> Self {
        ReadError {
            missing: Some(field.to_owned()),
            ..ReadError::new("missing; add it".to_owned())
        }
    }
}

/// The candidate that `given` is most likely a misspelling of.
pub fn nearest<'a>(given: &str, candidates: &[&'a str]) -> Option<&'a str> {
    candidates
        .iter()
        .map(|candidate| (strsim::jaro_winkler(given, candidate), *candidate))
        .filter(|(likeness, _)| *likeness >= 0.82)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

macro_rules! integers {
    ($($method:ident $visit:ident),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
            visitor.$visit(self.integer("a whole number")?).map_err(|error: ReadError| error.at(self.place))
        }
    )*};
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.kind {
            Kind::Null => visitor.visit_unit(),
            Kind::Scalar { text, plain: true } => {
                if let Ok(truth) = text.parse::<bool>() {
                    visitor.visit_bool(truth)
                } else if let Some(number) = decimal(text) {
                    visitor.visit_i64(number)
                } else {
                    visitor.visit_borrowed_str(text)
                }
            }
            Kind::Scalar { text, .. } => visitor.visit_borrowed_str(text),
            Kind::Seq(_) => self.deserialize_seq(visitor),
            Kind::Map(_) => self.deserialize_map(visitor),
        }
        .map_err(|error: ReadError| error.at(self.place))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.kind {
            Kind::Scalar { text, plain: true } if text == "true" => visitor.visit_bool(true),
            Kind::Scalar { text, plain: true } if text == "false" => visitor.visit_bool(false),
            _ => Err(self.wrong("true or false")),
        }
    }

    integers!(
        deserialize_i8 visit_i8, deserialize_i16 visit_i16, deserialize_i32 visit_i32,
        deserialize_i64 visit_i64, deserialize_u8 visit_u8, deserialize_u16 visit_u16,
        deserialize_u32 visit_u32, deserialize_u64 visit_u64
    );

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_f32(self.integer("a number")?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_f64(self.integer("a number")?)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.kind {
            Kind::Scalar { text, .. } => visitor
                .visit_borrowed_str(text)
                .map_err(|error: ReadError| error.at(self.place)),
            _ => Err(self.wrong("text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ReadError> {
        Err(self.wrong("text"))
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ReadError> {
        Err(self.wrong("text"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.kind {
            Kind::Null => Err(ReadError::new(
                "nothing stands here; write a value or remove the key".into(),
            )
            .at(self.place)),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.kind {
            Kind::Null => visitor.visit_unit(),
            _ => Err(self.wrong("nothing")),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.kind {
            Kind::Seq(items) => visitor
                .visit_seq(Items {
                    items: items.iter().enumerate(),
                })
                .map_err(|error| error.at(self.place)),
            _ => Err(self.wrong("a list")),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.kind {
            Kind::Map(entries) => visitor
                .visit_map(Entries {
                    entries: entries.iter(),
                    value: None,
                })
                .map_err(|error| error.at(self.place)),
            _ => Err(self.wrong("a mapping (`key: value`)")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match &self.kind {
            Kind::Scalar { text, .. } => visitor
                .visit_enum(text.as_str().into_deserializer())
                .map_err(|error: ReadError| error.at(self.place)),
            Kind::Map(entries) if entries.iter().filter(|entry| !entry.2.muted).count() == 1 => {
                visitor.visit_enum(de::value::MapAccessDeserializer::new(Entries {
                    entries: entries.iter(),
                    value: None,
                }))
            }
            _ => Err(self.wrong(&format!("one of: {}", variants.join(", ")))),
        }
        .map_err(|error| error.at(self.place))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_unit()
    }
}

/// A whole number as YAML 1.2 writes it: no leading zero, so that ids stay texts.
fn decimal(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    (digits == "0" || !digits.starts_with(['0', '+']))
        .then(|| text.parse().ok())
        .flatten()
}

struct Items<'de> {
    items: std::iter::Enumerate<std::slice::Iter<'de, Node>>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = ReadError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, ReadError> {
        let Some((index, item)) = self.items.find(|(_, item)| !item.muted) else {
            return Ok(None);
        };
        seed.deserialize(item)
            .map(Some)
            .map_err(|error| error.at(item.place).inside(&index.to_string()))
    }
}

struct Entries<'de> {
    entries: std::slice::Iter<'de, (String, Place, Node)>,
    value: Option<(&'de str, &'de Node)>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = ReadError;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, ReadError> {
        let Some((key, at, value)) = self.entries.find(|entry| !entry.2.muted) else {
            return Ok(None);
        };
        self.value = Some((key, value));
        seed.deserialize(key.as_str().into_deserializer())
            .map(Some)
            .map_err(|error: ReadError| error.at(*at).inside(key))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, ReadError> {
        let Some((key, value)) = self.value.take() else {
            return Err(de::Error::custom("a value was asked for before its key"));
        };
        seed.deserialize(value)
            .map_err(|error| error.at(value.place).inside(key))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Outer {
        version: u32,
        #[serde(default)]
        ids: Vec<String>,
        #[serde(default)]
        inner: BTreeMap<String, Inner>,
        enabled: bool,
        kind: Option<Way>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Inner {
        name: String,
        count: Option<u8>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    #[allow(dead_code)]
    enum Way {
        Plain,
        Page { size: u32 },
    }

    fn problems(text: &str) -> Vec<String> {
        let problems = match Document::parse(Path::new("f.yaml"), text) {
            Ok(document) => document.read::<Outer>().map_or_else(|p| p, |_| Vec::new()),
            Err(problems) => problems,
        };
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_problem_of_a_file_is_told_at_once_with_its_place() {
        let text = "version: one\nids: [1, [2], 03]\nenabeld: true\ninner:\n  a: { nam: x, count: 300 }\n  b: 7\n";
        assert_eq!(
            problems(text),
            [
                "f.yaml:1:10: version: expected a whole number in range, found `one`",
                "f.yaml:2:10: ids.1: expected text, found a list",
                "f.yaml:3:1: enabeld: unknown field; did you mean `enabled`?",
                "f.yaml:5:8: inner.a.nam: unknown field; did you mean `name`?",
                "f.yaml:5:23: inner.a.count: expected a whole number in range, found `300`",
                "f.yaml:5:3: inner.a.name: missing; add it",
                "f.yaml:6:6: inner.b: expected a mapping (`key: value`), found `7`",
            ]
        );
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_wherever_it_stands() {
        assert_eq!(
            problems(
                "version: 1\nenabled: true\ninner:\n  a: {name: x}\n  a: {name: y}\nversion: 2\n"
            ),
            [
                "f.yaml:5:3: inner.a: the key stands here a second time, first in line 4; keep one",
                "f.yaml:6:1: version: the key stands here a second time, first in line 1; keep one",
            ]
        );
    }

    #[test]
    fn texts_stay_as_written_and_only_true_and_false_are_booleans() {
        let document = Document::parse(
            Path::new("f.yaml"),
            "version: 1\nenabled: true\nids: [0123, no, 1.10, 'x']\n",
        )
        .unwrap();
        assert_eq!(
            document.read::<Outer>().unwrap().ids,
            ["0123", "no", "1.10", "x"]
        );
        assert_eq!(
            problems("version: 1\nenabled: yes\n"),
            ["f.yaml:2:10: enabled: expected true or false, found `yes`"]
        );
    }

    #[test]
    fn variants_are_written_as_a_word_or_as_a_mapping_of_one_key() {
        let read = |text: &str| {
            Document::parse(Path::new("f.yaml"), text)
                .unwrap()
                .read::<Outer>()
                .map(|outer| outer.kind)
        };
        assert!(matches!(
            read("version: 1\nenabled: true\nkind: plain\n"),
            Ok(Some(Way::Plain))
        ));
        let page = read("version: 1\nenabled: true\nkind: { page: { size: 5 } }\n");
        assert!(matches!(page, Ok(Some(Way::Page { size: 5 }))));
        assert_eq!(
            problems("version: 1\nenabled: true\nkind: plian\n"),
            ["f.yaml:3:7: kind: `plian` is not known here; did you mean `plain`?"]
        );
    }

    #[test]
    fn what_is_no_yaml_is_refused_with_its_place() {
        assert_eq!(
            problems("version: 1\nids:\n\t- a\n"),
            [
                "f.yaml:3:2: not readable as YAML: tabs disallowed within this context (block indentation); indent with spaces"
            ]
        );
        assert_eq!(problems("").len(), 1);
    }

    #[test]
    fn bombs_end_in_an_error_soon() {
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for level in 1..10 {
            let previous = format!("*a{}", level - 1);
            bomb += &format!("a{level}: &a{level} [{}]\n", vec![previous; 10].join(","));
        }
        assert_eq!(problems(&bomb).len(), 1);
        assert_eq!(problems(&"[".repeat(100_000)).len(), 1);
        assert_eq!(problems(&"x".repeat(MAX_BYTES + 1)).len(), 1);
    }

    #[test]
    fn a_place_is_found_by_its_path_also_through_keys_with_dots() {
        let document = Document::parse(Path::new("f.yaml"), "a.b:\n  - x\n  - { c: 1 }\n").unwrap();
        assert_eq!(
            document.place("a.b.1.c"),
            Place {
                line: 3,
                column: 10
            }
        );
    }
}
