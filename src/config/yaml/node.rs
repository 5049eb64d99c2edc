//! A YAML document as a tree that knows its places. Numbers and booleans stay texts until somebody asks.

use std::fmt;

use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::{Location, Spanned};

use crate::model::Place;

use super::read::ReadError;

/// A value of the document and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) kind: Kind,
    /// Already reported: read the document as if this were not there.
    pub(super) muted: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Null,
    /// `text` is the value; `plain` says that it stands without quotes, and so may be a number.
    Scalar {
        text: String,
        plain: bool,
    },
    Seq(Vec<Node>),
    Map(Vec<(String, Place, Node)>),
}

pub(super) fn place(location: &Location) -> Place {
    let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    Place {
        line: number(location.line()),
        column: number(location.column()),
    }
}

/// What `serde-saphyr` hands over. Numbers and booleans are only marked: the text decides, so that an
/// unquoted property id `0123` stays what it is.
pub(super) enum Parsed {
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

pub(super) fn node(text: &str, parsed: Spanned<Parsed>) -> Node {
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
    pub(super) fn mute(&mut self, path: &[String]) -> bool {
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

    /// Puts something in the place of an entry of the mapping at `path`; false if there is no such mapping.
    pub(super) fn put(&mut self, path: &[String], key: &str, kind: Kind) -> bool {
        let place = self.place;
        match (path.split_first(), &mut self.kind) {
            (None, Kind::Map(entries)) => {
                entries.retain(|(name, _, _)| name != key);
                let node = Node {
                    place,
                    kind,
                    muted: false,
                };
                entries.push((key.to_owned(), place, node));
                true
            }
            (Some((head, rest)), Kind::Map(entries)) => {
                let mut entries = entries.iter_mut();
                let child = entries.find(|(name, _, _)| name == head);
                child.is_some_and(|(_, _, child)| child.put(rest, key, kind))
            }
            (Some((head, rest)), Kind::Seq(items)) => {
                let index = head.parse::<usize>().ok();
                let child = index.and_then(|index| items.get_mut(index));
                child.is_some_and(|child| child.put(rest, key, kind))
            }
            _ => false,
        }
    }

    pub(super) fn found(&self) -> String {
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

    pub(super) fn wrong(&self, expected: &str) -> ReadError {
        ReadError::new(format!("expected {expected}, found {}", self.found())).at(self.place)
    }

    pub(super) fn integer<T: std::str::FromStr>(&self, expected: &str) -> Result<T, ReadError> {
        match &self.kind {
            Kind::Scalar { text, plain: true } => text
                .parse()
                .map_err(|_| self.wrong(&format!("{expected} in range"))),
            _ => Err(self.wrong(expected)),
        }
    }
}
