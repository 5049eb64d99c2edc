//! Values as bytes: the form, then the value in it. What there is of everybody is packed, the rest is JSON; packed values
//! were JSON once, and are read in either form. The seam below which another engine would keep its own.

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::thread;

use minicbor::{Decode, Encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::{
    Act, Alert, Attachment, Change, Decision, Erasing, GuardState, IntegrationId, Link, Person,
    Ruling, Run, StoreIdentity,
};

use super::{History, Lookup, Standing, StoreError};

/// JSON.
const JSON: u8 = 1;

/// CBOR without names.
const PACKED: u8 = 2;

/// What can be read of a table.
pub(super) trait Read: Sized {
    /// Reads a value of this form.
    fn read(form: u8, bytes: &[u8], table: &'static str) -> Result<Self, StoreError>;
}

/// What a table keeps.
pub(super) trait Kept: Read {
    /// Appends the form and the value.
    fn append(&self, bytes: &mut Vec<u8>, table: &'static str) -> Result<(), StoreError>;
}

/// These are kept as JSON.
macro_rules! as_json {
    ($($kept:ty),* $(,)?) => {$(
        impl crate::store::value::Read for $kept {
            fn read(form: u8, bytes: &[u8], table: &'static str) -> Result<Self, crate::store::StoreError> {
                crate::store::value::read_json(form, bytes, table)
            }
        }

        impl crate::store::value::Kept for $kept {
            fn append(&self, bytes: &mut Vec<u8>, table: &'static str) -> Result<(), crate::store::StoreError> {
                crate::store::value::append_json(bytes, table, self)
            }
        }
    )*};
}
pub(super) use as_json;

/// These are packed.
macro_rules! packed {
    ($($kept:ty),* $(,)?) => {$(
        impl Read for $kept {
            fn read(form: u8, bytes: &[u8], table: &'static str) -> Result<Self, StoreError> {
                read_packed(form, bytes, table)
            }
        }

        impl Kept for $kept {
            fn append(&self, bytes: &mut Vec<u8>, table: &'static str) -> Result<(), StoreError> {
                append_packed(bytes, table, self)
            }
        }
    )*};
}

as_json!(
    Act,
    Alert,
    Attachment,
    BTreeSet<IntegrationId>,
    BTreeSet<u64>,
    Erasing,
    GuardState,
    History,
    StoreIdentity,
    Lookup,
    Ruling,
    Run,
    Standing,
    Vec<(u64, u64)>,
    u64,
);
packed!(Change, Link, Person, Vec<Decision>);

pub(super) fn to_bytes<T: Kept>(table: &'static str, value: &T) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    value.append(&mut bytes, table)?;
    Ok(bytes)
}

/// What others keep, in a form that is theirs, as JSON.
pub(super) fn any_to_bytes<T: Serialize>(
    table: &'static str,
    value: &T,
) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    append_json(&mut bytes, table, value)?;
    Ok(bytes)
}

/// A list of packed items that grows item by item: nobody need own all of them.
#[derive(Default)]
pub(super) struct PackedList {
    items: Vec<u8>,
    count: u64,
}

impl PackedList {
    pub(super) fn push<T: Encode<()>>(
        &mut self,
        table: &'static str,
        item: &T,
    ) -> Result<(), StoreError> {
        let packed = minicbor::encode(item, &mut self.items);
        packed.map_err(|_| not_packed(table))?;
        self.count += 1;
        Ok(())
    }

    /// How many bytes the items have.
    pub(super) fn length(&self) -> usize {
        self.items.len()
    }

    /// The value.
    pub(super) fn into_bytes(self, table: &'static str) -> Result<Vec<u8>, StoreError> {
        let mut bytes = vec![PACKED];
        let begun = minicbor::Encoder::new(&mut bytes).array(self.count).is_ok();
        bytes.extend(self.items);
        begun.then_some(bytes).ok_or_else(|| not_packed(table))
    }
}

fn not_packed(table: &'static str) -> StoreError {
    StoreError::Value {
        table,
        what: "a value that cannot be packed".into(),
    }
}

pub(super) fn append_json<T: Serialize>(
    bytes: &mut Vec<u8>,
    table: &'static str,
    value: &T,
) -> Result<(), StoreError> {
    bytes.push(JSON);
    serde_json::to_writer(bytes, value).map_err(|error| unreadable(table, &error))
}

fn append_packed<T: Encode<()> + ?Sized>(
    bytes: &mut Vec<u8>,
    table: &'static str,
    value: &T,
) -> Result<(), StoreError> {
    bytes.push(PACKED);
    minicbor::encode(value, bytes).map_err(|_| not_packed(table))
}

/// An item that is its value.
pub(super) fn itself<T>(item: &T) -> &T {
    item
}

/// So many values are turned into bytes at once.
const AT_ONCE: usize = 256;

/// Some items, and their values as bytes: one behind the other, and where each ends.
struct Batch<I> {
    items: Vec<I>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// Takes many items on another thread, and turns their values into bytes there, somewhat ahead of `each`, which takes
/// them in their order: a store writes on one thread alone, and half of that would be this.
pub(super) fn each_to_bytes<I: Send, T: Kept, E: Into<StoreError>>(
    table: &'static str,
    items: impl IntoIterator<Item = Result<I, E>, IntoIter: Send>,
    value: impl Fn(&I) -> &T + Sync,
    mut each: impl FnMut(I, &[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut items = items.into_iter();
    let mut batch = || -> Result<Option<Batch<I>>, StoreError> {
        let (mut batch, mut bytes, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for item in items.by_ref().take(AT_ONCE) {
            let item = item.map_err(Into::into)?;
            value(&item).append(&mut bytes, table)?;
            ends.push(bytes.len());
            batch.push(item);
        }
        Ok((!batch.is_empty()).then_some(Batch {
            items: batch,
            bytes,
            ends,
        }))
    };
    let mut take = |batch: Batch<I>| {
        let mut begin = 0;
        batch
            .items
            .into_iter()
            .zip(batch.ends)
            .try_for_each(|(item, end)| {
                let value = batch.bytes.get(begin..end).unwrap_or_default();
                begin = end;
                each(item, value)
            })
    };
    let Some(first) = batch()? else { return Ok(()) };
    let is_all = first.items.len() < AT_ONCE;
    take(first)?;
    if is_all {
        return Ok(());
    }
    let ahead_of_here = thread::scope(|scope| {
        let (ahead, behind) = mpsc::sync_channel(4);
        let batch = &mut batch;
        let turn = move || {
            loop {
                let next = batch();
                let is_last = !matches!(next, Ok(Some(_)));
                if ahead.send(next).is_err() || is_last {
                    break;
                }
            }
        };
        if thread::Builder::new().spawn_scoped(scope, turn).is_err() {
            return Ok(false);
        }
        while let Ok(next) = behind.recv() {
            match next? {
                Some(batch) => take(batch)?,
                None => break,
            }
        }
        Ok::<_, StoreError>(true)
    })?;
    // Without another thread the same is done here.
    while !ahead_of_here && let Some(batch) = batch()? {
        take(batch)?;
    }
    Ok(())
}

pub(super) fn from_bytes<T: Read>(table: &'static str, bytes: &[u8]) -> Result<T, StoreError> {
    let (form, value) = formed(table, bytes)?;
    T::read(form, value, table)
}

/// Reads what others keep.
pub(super) fn any_from_bytes<T: DeserializeOwned>(
    table: &'static str,
    bytes: &[u8],
) -> Result<T, StoreError> {
    let (form, value) = formed(table, bytes)?;
    read_json(form, value, table)
}

/// The form, and the value in it.
fn formed<'b>(table: &'static str, bytes: &'b [u8]) -> Result<(u8, &'b [u8]), StoreError> {
    let formed = bytes.split_first().map(|(form, value)| (*form, value));
    formed.ok_or_else(|| StoreError::Value {
        table,
        what: "an empty value".into(),
    })
}

pub(super) fn read_json<T: DeserializeOwned>(
    form: u8,
    bytes: &[u8],
    table: &'static str,
) -> Result<T, StoreError> {
    match form {
        JSON => serde_json::from_slice(bytes).map_err(|error| unreadable(table, &error)),
        form => Err(of_another_form(form, table)),
    }
}

/// Reads what is packed, or was written before it was.
pub(super) fn read_packed<'b, T: Decode<'b, ()> + DeserializeOwned>(
    form: u8,
    bytes: &'b [u8],
    table: &'static str,
) -> Result<T, StoreError> {
    if form != PACKED {
        return read_json(form, bytes, table);
    }
    let mut decoder = minicbor::Decoder::new(bytes);
    let read = decoder.decode();
    match read {
        Ok(value) if decoder.position() == bytes.len() => Ok(value),
        // What it says could quote the value.
        _ => Err(StoreError::Value {
            table,
            what: format!(
                "a packed value that does not fit, byte {}",
                decoder.position()
            ),
        }),
    }
}

fn of_another_form(form: u8, table: &'static str) -> StoreError {
    StoreError::Value {
        table,
        what: format!("a value of form {form}, which this epms does not know there"),
    }
}

/// What serde says could quote the value.
fn unreadable(table: &'static str, error: &serde_json::Error) -> StoreError {
    StoreError::Value {
        table,
        what: format!("JSON that does not fit, column {}", error.column()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    as_json!(usize);

    #[test]
    fn values_come_in_the_order_of_their_items_however_many_there_are() {
        for many in [0, 1, AT_ONCE, AT_ONCE + 1, 10 * AT_ONCE + 7] {
            let items: Vec<usize> = (0..many).collect();
            let mut taken = Vec::new();
            let given = items.iter().copied().map(Ok::<_, StoreError>);
            each_to_bytes("t", given, itself, |item, value| {
                assert_eq!(value, to_bytes("t", &item)?);
                taken.push(item);
                Ok(())
            })
            .unwrap();
            assert_eq!(taken, items);
        }
    }

    #[test]
    fn the_first_that_fails_ends_it() {
        let items: Vec<usize> = (0..100 * AT_ONCE).collect();
        let mut taken = 0;
        let given = items.into_iter().map(Ok::<_, StoreError>);
        let ended = each_to_bytes("t", given, itself, |item, _| {
            taken += 1;
            if item == 700 {
                return Err(StoreError::Value {
                    table: "t",
                    what: "no more".into(),
                });
            }
            Ok(())
        });
        assert!(ended.unwrap_err().to_string().contains("no more"));
        assert_eq!(taken, 701);
        let given = (0..100 * AT_ONCE).map(|item| match item {
            9_000 => Err(StoreError::Spool(crate::model::SpoolError::Form)),
            item => Ok(item),
        });
        let mut taken = 0;
        let ended = each_to_bytes("t", given, itself, |_, _| {
            taken += 1;
            Ok(())
        });
        assert!(matches!(ended, Err(StoreError::Spool(_))));
        assert!(taken <= 9_000);
    }
}
