//! A record as scripts see it: whole, or of it only what has certain names. Numbers that 64 bits do not hold are texts of
//! their digits, since they are ids.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use rhai::{Array, Dynamic, INT, Map};
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::{exact, may_be_inexact};

use super::seen::Members;
use super::sparse::Names;

/// Decodes a JSON text; of its objects only what has one of these names, where there are some.
pub(super) fn decode(json: &str, names: Option<&Arc<Names>>) -> Result<Dynamic, serde_json::Error> {
    let inexact = Cell::new(false);
    let value = decode_once(json, names, &inexact)?;
    if !inexact.get() {
        return Ok(value);
    }
    decode_once(&exact(json), names, &inexact)
}

fn decode_once(
    json: &str,
    names: Option<&Arc<Names>>,
    inexact: &Cell<bool>,
) -> Result<Dynamic, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(json);
    let value = Decode { names, inexact }.deserialize(&mut json)?;
    json.end()?;
    Ok(value)
}

#[derive(Clone, Copy)]
struct Decode<'a> {
    names: Option<&'a Arc<Names>>,
    /// A number may have lost digits.
    inexact: &'a Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for Decode<'_> {
    type Value = Dynamic;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Dynamic, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Decode<'_> {
    type Value = Dynamic;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Dynamic, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Dynamic, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Dynamic, E> {
        Ok(INT::try_from(value).map_or_else(|_| value.to_string().into(), Dynamic::from))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Dynamic, E> {
        if may_be_inexact(value) {
            self.inexact.set(true);
        }
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Dynamic, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Dynamic, E> {
        Ok(Dynamic::UNIT)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Dynamic, A::Error> {
        let mut array = Array::new();
        while let Some(item) = items.next_element_seed(self)? {
            array.push(item);
        }
        Ok(array.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Dynamic, A::Error> {
        let Some(names) = self.names else {
            let mut map = Map::new();
            while let Some(name) = members.next_key::<rhai::Identifier>()? {
                map.insert(name, members.next_value_seed(self)?);
            }
            return Ok(map.into());
        };
        let mut seen = Members::new(Arc::clone(names));
        while let Some(name) = members.next_key_seed(Name(names))? {
            if let Some(name) = name {
                seen.put(name, members.next_value_seed(self)?);
            } else {
                members.next_value::<IgnoredAny>()?;
                seen.leave_out();
            }
        }
        Ok(seen.seen())
    }
}

/// A name of a record: its number among those that the script can ask for, or none.
struct Name<'a>(&'a Names);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.number(name))
    }
}
