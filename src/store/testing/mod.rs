//! For tests of whole stores: every table as bytes, and a disk that fails.

mod disk;

pub(crate) use disk::{Disk, Fault, Loss};

use std::collections::BTreeMap;

use redb::{Key, ReadTransaction, ReadableTable, TableDefinition, TableHandle, Value};

use super::{StoreError, View, tables};

/// Table, key, value.
pub(crate) type Dump = BTreeMap<(String, Vec<u8>), Vec<u8>>;

struct Dumping<'a>(&'a ReadTransaction, Dump);

impl tables::EachTable for Dumping<'_> {
    type Error = StoreError;

    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<(), StoreError> {
        for entry in self.0.open_table(table)?.iter()? {
            let (key, value) = entry?;
            let key = K::as_bytes(&key.value()).as_ref().to_vec();
            let value = V::as_bytes(&value.value()).as_ref().to_vec();
            self.1.insert((table.name().to_owned(), key), value);
        }
        Ok(())
    }
}

impl View {
    /// Everything that is in the store.
    pub(crate) fn dump(&self) -> Result<Dump, StoreError> {
        let mut dumping = Dumping(&self.transaction, Dump::new());
        tables::each(&mut dumping)?;
        Ok(dumping.1)
    }
}
