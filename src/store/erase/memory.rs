//! What is remembered of feeds in which people who are erased may stand, and lookups that hold people. What a feed made of its
//! records is dropped: the next run looks at all of them again.

use std::collections::{BTreeMap, BTreeSet};

use redb::ReadableTable;
use serde_json::{Map, Value};

use crate::model::IntegrationId;
use crate::store::tombstones::{Tombstone, Tombstones, digits, folded};
use crate::store::value::{from_bytes, to_bytes};
use crate::store::write::Done;
use crate::store::{Lookup, tables};

use super::Erasure;

impl Erasure<'_> {
    /// Drops what may name them.
    pub(super) fn memory(&self, stones: &Tombstones) -> Done<()> {
        for integration in self.remembered_at()? {
            self.write.forget_feed(&integration)?;
        }
        self.rewrite(tables::LOOKUPS, |_, value| {
            let mut lookup: Lookup = from_bytes("lookups-1", value)?;
            let is_other = stones.clean_lookup(&mut lookup);
            is_other.then(|| to_bytes("lookups-1", &lookup)).transpose()
        })
    }

    /// The integrations whose feeds they are in, as far as somebody is tied there, or something of them is remembered.
    fn remembered_at(&self) -> Done<BTreeSet<IntegrationId>> {
        let residents = self.residents.iter();
        let mut all: BTreeSet<IntegrationId> = residents.map(|(at, _)| at.clone()).collect();
        for person in &self.people {
            let person = self.write.person(*person)?;
            all.extend(person.into_iter().flat_map(|one| one.stays.into_keys()));
        }
        let table = self.write.transaction.open_table(tables::REMEMBERED)?;
        for entry in table.iter()? {
            let (key, value) = entry?;
            let at = key.value().0;
            let is_known = all.iter().any(|known| known.as_str() == at);
            if !is_known && self.traces.touch_in_parts(value.value()) {
                all.insert(IntegrationId::new(at));
            }
        }
        Ok(all)
    }
}

/// A grant without what says whose it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Nameless {
    /// Tells it from others.
    pub key: String,
    /// The target's id of it.
    pub id: String,
    /// Its fields, empty where they said it.
    pub fields: Map<String, Value>,
    /// What of it is not as it was: names of fields, `key`, and `id`.
    pub gone: Vec<String>,
}

impl Tombstones {
    /// Takes out of a lookup what says who somebody was who was erased. Whether there was anything.
    pub fn clean_lookup(&self, lookup: &mut Lookup) -> bool {
        if self.is_empty() {
            return false;
        }
        let mut is_other = self.clean_records(&mut lookup.records);
        for records in lookup.of_properties.values_mut() {
            is_other |= self.clean_records(records);
        }
        is_other
    }

    /// The same for records by their id.
    pub fn clean_records(&self, records: &mut BTreeMap<String, String>) -> bool {
        let mut is_other = false;
        for (id, record) in records {
            let Ok(mut value) = serde_json::from_str::<Value>(record) else {
                continue;
            };
            let mut cleans = false;
            for stone in &self.erased {
                cleans |= self.clean_record(stone, id, &mut value, false);
            }
            if cleans {
                *record = value.to_string();
                is_other = true;
            }
        }
        is_other
    }

    /// A grant that a target has, without what says who somebody was who was erased; none where it says nothing of that.
    pub fn nameless(&self, key: &str, id: &str, fields: &Map<String, Value>) -> Option<Nameless> {
        if self.is_empty() {
            return None;
        }
        let mut left = Value::Object(fields.clone());
        let (mut in_key, mut in_id) = (false, false);
        let mut hashes: BTreeSet<String> = BTreeSet::new();
        let mut hash = |text: &str| {
            for piece in pieces(text) {
                hashes.insert(self.hash("text", &folded(piece)));
                hashes.extend(digits(piece).map(|digits| self.hash("text", &digits)));
            }
            hashes.insert(self.hash("part", &folded(text)));
            hashes.insert(self.hash("id", text));
        };
        hash(key);
        hash(id);
        leaves(&mut left, &mut |leaf| hash(&text(leaf)));
        let may_be_theirs = |stone: &&Tombstone| {
            let mut all = hashes.iter();
            all.any(|one| {
                [&stone.texts, &stone.parts, &stone.ids]
                    .iter()
                    .any(|known| known.contains(one))
            })
        };
        for stone in self.erased.iter().filter(may_be_theirs) {
            let says = |name: &str| pieces(name).any(|one| self.is_whole(stone, one));
            let (key_says, id_says) = (says(key), says(id));
            let mut is_theirs = key_says || id_says;
            leaves(&mut left, &mut |leaf| is_theirs |= says(&text(leaf)));
            self.clean_record(stone, id, &mut left, is_theirs);
            leaves(&mut left, &mut |leaf| {
                if says(&text(leaf)) {
                    *leaf = Value::String(String::new());
                }
            });
            in_key |= key_says;
            in_id |= id_says;
        }
        let Value::Object(left) = left else {
            return None;
        };
        let mut gone: Vec<String> = fields
            .iter()
            .filter(|(name, value)| left.get(*name) != Some(value))
            .map(|(name, _)| name.clone())
            .collect();
        if gone.is_empty() && !in_key && !in_id {
            return None;
        }
        // The key holds what tells one grant from another, in words of a script: nobody knows which of them.
        gone.push("key".to_owned());
        if in_id {
            gone.push("id".to_owned());
        }
        Some(Nameless {
            key: format!("erased:{}", self.hash("key", key)),
            id: if in_id {
                format!("erased:{}", self.hash("key", id))
            } else {
                id.to_owned()
            },
            fields: left,
            gone,
        })
    }

    /// Emails, phones and whole names go wherever they stand; first and last names where both do, or one beside something
    /// else of them.
    fn clean_record(
        &self,
        stone: &Tombstone,
        id: &str,
        record: &mut Value,
        is_theirs: bool,
    ) -> bool {
        let mut seen = BTreeSet::new();
        let mut is_sure = is_theirs || stone.ids.contains(&self.hash("id", id));
        leaves(record, &mut |leaf| {
            let text = text(leaf);
            is_sure |= self.is_whole(stone, &text) || stone.ids.contains(&self.hash("id", &text));
            seen.extend(self.part(stone, &text));
        });
        let has_parts = is_sure && !seen.is_empty() || seen.len() > 1;
        let mut cleans = false;
        leaves(record, &mut |leaf| {
            let text = text(leaf);
            let is_part = has_parts && self.part(stone, &text).is_some();
            if is_part || self.is_whole(stone, &text) {
                *leaf = match leaf {
                    Value::Number(_) => Value::Null,
                    _ => Value::String(String::new()),
                };
                cleans = true;
            }
        });
        cleans
    }

    fn is_whole(&self, stone: &Tombstone, text: &str) -> bool {
        let has = |text: &str| stone.texts.contains(&self.hash("text", text));
        !text.is_empty() && (has(&folded(text)) || digits(text).is_some_and(|digits| has(&digits)))
    }

    /// The hash of a first or last name of somebody.
    fn part(&self, stone: &Tombstone, text: &str) -> Option<String> {
        let hash = self.hash("part", &folded(text));
        (!text.is_empty() && stone.parts.contains(&hash)).then_some(hash)
    }
}

/// A text, and what it may be put together from: `ada@example.com lobby`.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(|c: char| c.is_whitespace() || "|,;:/#=".contains(c));
    parts.chain([text])
}

/// Does something with every text and number of a record.
fn leaves(value: &mut Value, each: &mut impl FnMut(&mut Value)) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(|one| leaves(one, each)),
        Value::Object(all) => all.values_mut().for_each(|one| leaves(one, each)),
        Value::String(_) | Value::Number(_) => each(value),
        Value::Null | Value::Bool(_) => {}
    }
}

fn text(leaf: &Value) -> String {
    match leaf {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
