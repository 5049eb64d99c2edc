//! Values as bytes: the version of the form, then JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;

/// The form that is written. A reader of a later version knows by it what it reads.
const FORM: u8 = 1;

pub(super) fn to_bytes<T: Serialize>(
    table: &'static str,
    value: &T,
) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![FORM];
    serde_json::to_writer(&mut bytes, value).map_err(|error| unreadable(table, &error))?;
    Ok(bytes)
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
