//! What earlier versions wrote, brought to the schema of this one: named steps, in one transaction, in order.

use super::write::Done;
use super::{StoreError, Write};

type Migration = fn(&Write) -> Result<(), StoreError>;

/// The step from schema 1 to 2 comes first, and so on.
const MIGRATIONS: &[Migration] = &[migration_001_every_table];

/// The schema that this version writes.
pub(super) const SCHEMA: u64 = 1 + MIGRATIONS.len() as u64;

/// Brings a store of schema `found` to [`SCHEMA`]; none is a store without anything in it.
pub(super) fn migrate(write: &Write, found: Option<u64>) -> Done<()> {
    let first = found.map_or(0, |found| usize::try_from(found - 1).unwrap_or(usize::MAX));
    for migration in MIGRATIONS.iter().skip(first) {
        migration(write)?;
    }
    write.put_schema(SCHEMA)
}

/// Schema 1 grew without a new number: acts, rulings, units and the guard came to it later.
fn migration_001_every_table(write: &Write) -> Done<()> {
    write.make_tables()
}
