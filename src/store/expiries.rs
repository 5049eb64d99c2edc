//! Until when credentials are taken, as the answers of a PMS or a target said it last. Judges nothing.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::write::Done;
use super::{StoreError, View, Write, tables};

impl View {
    /// The last day on which a credential is taken, by the request whose answer said so.
    pub fn expiries(&self, credential: &str) -> Done<BTreeMap<String, Date>> {
        let table = self.transaction.open_table(tables::EXPIRIES)?;
        let mut found = BTreeMap::new();
        for entry in table.range((credential, "")..)? {
            let (key, day) = entry?;
            let (of, request) = key.value();
            if of != credential {
                break;
            }
            let day = day.value().parse().map_err(|_| StoreError::Value {
                table: "expiries-1",
                what: "no day".into(),
            })?;
            found.insert(request.to_owned(), day);
        }
        Ok(found)
    }
}

impl Write {
    /// Keeps it in the place of the one before; none where answers to that request say nothing more.
    pub fn put_expiry(&self, credential: &str, request: &str, last: Option<Date>) -> Done<()> {
        let mut table = self.transaction.open_table(tables::EXPIRIES)?;
        match last {
            Some(day) => table.insert((credential, request), day.to_string().as_str())?,
            None => table.remove((credential, request))?,
        };
        Ok(())
    }
}
