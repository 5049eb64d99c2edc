//! Values as bytes: the version of the form, then JSON.

use std::sync::mpsc;
use std::thread;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;

/// The form that is written. A reader of a later version knows by it what it reads.
const FORM: u8 = 1;

pub(super) fn to_bytes<T: Serialize>(
    table: &'static str,
    value: &T,
) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    append(&mut bytes, table, value)?;
    Ok(bytes)
}

fn append<T: Serialize>(
    bytes: &mut Vec<u8>,
    table: &'static str,
    value: &T,
) -> Result<(), StoreError> {
    bytes.push(FORM);
    serde_json::to_writer(bytes, value).map_err(|error| unreadable(table, &error))
}

/// An item that is its value.
pub(super) fn itself<T>(item: &T) -> &T {
    item
}

/// So many values are turned into bytes at once.
const AT_ONCE: usize = 256;

/// Values as bytes, one behind the other, and where each ends.
type Bytes = (Vec<u8>, Vec<usize>);

/// Turns the values of many items into bytes on another thread, somewhat ahead of `each`, which takes them in their
/// order: a store writes on one thread alone, and half of that would be this.
pub(super) fn each_to_bytes<I: Sync, T: Serialize>(
    table: &'static str,
    items: &[I],
    value: impl Fn(&I) -> &T + Sync,
    mut each: impl FnMut(&I, &[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let all = |items: &[I]| -> Result<Bytes, StoreError> {
        let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(items.len()));
        for item in items {
            append(&mut bytes, table, value(item))?;
            ends.push(bytes.len());
        }
        Ok((bytes, ends))
    };
    let mut take = |items: &[I], (bytes, ends): Bytes| {
        let mut begin = 0;
        items.iter().zip(ends).try_for_each(|(item, end)| {
            let value = bytes.get(begin..end).unwrap_or_default();
            begin = end;
            each(item, value)
        })
    };
    if items.len() <= AT_ONCE {
        return take(items, all(items)?);
    }
    thread::scope(|scope| {
        let (ahead, behind) = mpsc::sync_channel(4);
        let all = &all;
        let turn = move || {
            let mut parts = items.chunks(AT_ONCE);
            parts.all(|part| ahead.send(all(part)).is_ok())
        };
        // Without another thread, or when it ends, the same is done here.
        let _ = thread::Builder::new().spawn_scoped(scope, turn);
        items.chunks(AT_ONCE).try_for_each(|part| {
            let bytes = behind.recv().unwrap_or_else(|_| all(part));
            take(part, bytes?)
        })
    })
}

pub(super) fn from_bytes<T: DeserializeOwned>(
    table: &'static str,
    bytes: &[u8],
) -> Result<T, StoreError> {
    match bytes.split_first() {
        Some((&FORM, json)) => {
            serde_json::from_slice(json).map_err(|error| unreadable(table, &error))
        }
        Some((form, _)) => Err(StoreError::Value {
            table,
            what: format!("a value of form {form}, this epms knows {FORM}"),
        }),
        None => Err(StoreError::Value {
            table,
            what: "an empty value".into(),
        }),
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

    #[test]
    fn values_come_in_the_order_of_their_items_however_many_there_are() {
        for many in [0, 1, AT_ONCE, AT_ONCE + 1, 10 * AT_ONCE + 7] {
            let items: Vec<usize> = (0..many).collect();
            let mut taken = Vec::new();
            each_to_bytes("t", &items, itself, |item, value| {
                assert_eq!(value, to_bytes("t", item)?);
                taken.push(*item);
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
        let ended = each_to_bytes("t", &items, itself, |item, _| {
            taken += 1;
            if *item == 700 {
                return Err(StoreError::Value {
                    table: "t",
                    what: "no more".into(),
                });
            }
            Ok(())
        });
        assert!(ended.unwrap_err().to_string().contains("no more"));
        assert_eq!(taken, 701);
    }
}
