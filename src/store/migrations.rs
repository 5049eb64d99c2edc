//! What earlier versions wrote, brought to the schema of this one: named steps, in one transaction, in order.

use redb::ReadableTable;

use crate::model::Alert;

use super::value::from_bytes;
use super::write::Done;
use super::{StoreError, Write, tables};

type Migration = fn(&Write) -> Result<(), StoreError>;

/// The step from schema 1 to 2 comes first, and so on.
const MIGRATIONS: &[Migration] = &[
    migration_001_every_table,
    migration_002_causes_of_alerts,
    migration_003_memory,
    migration_004_link_counts,
];

/// The schema that this version writes.
pub(super) const SCHEMA: u64 = 1 + MIGRATIONS.len() as u64;

/// Brings a store of schema `found` to [`SCHEMA`]; none is a store without anything in it.
pub(super) fn migrate(write: &Write, found: Option<u64>) -> Done<()> {
    let first = found.map_or(0, |found| {
        usize::try_from(found.saturating_sub(1)).unwrap_or(usize::MAX)
    });
    for migration in MIGRATIONS.iter().skip(first) {
        migration(write)?;
    }
    write.put_schema(SCHEMA)
}

/// Schema 1 grew without a new number: acts, rulings, units and the guard came to it later.
fn migration_001_every_table(write: &Write) -> Done<()> {
    write.make_tables()
}

/// An alert about a credential that another integration raised again was still found by its cause before.
fn migration_002_causes_of_alerts(write: &Write) -> Done<()> {
    let mut index = write.transaction.open_table(tables::ALERTS_BY_CAUSE)?;
    let alerts = write.transaction.open_table(tables::ALERTS)?;
    let mut failed = Ok(());
    index.retain(|(integration, kind, subject), id| {
        let alert = alerts.get(id).map_err(StoreError::from).and_then(|value| {
            let value = value.map(|value| from_bytes::<Alert>("alerts-1", value.value()));
            value.transpose()
        });
        match alert {
            Ok(alert) => alert.is_some_and(|alert| {
                let of = (alert.integration.as_str(), alert.kind.as_str());
                of == (integration, kind) && alert.subject == subject
            }),
            Err(error) => {
                failed = Err(error);
                true
            }
        }
    })?;
    failed
}

/// What runs remember of their feeds, and decisions that stand for later runs, have tables of their own.
fn migration_003_memory(write: &Write) -> Done<()> {
    write.make_tables()
}

/// `status` counted the links whenever it was asked.
fn migration_004_link_counts(write: &Write) -> Done<()> {
    write.make_tables()?;
    let counts = tables::link_counts(&write.transaction.open_table(tables::LINKS)?)?;
    let mut table = write.transaction.open_table(tables::LINK_COUNTS)?;
    for (integration, count) in counts {
        table.insert(integration.as_str(), count)?;
    }
    Ok(())
}
