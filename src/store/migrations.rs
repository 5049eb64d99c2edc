//! What earlier versions wrote, brought to the schema of this one: named steps, in one transaction, in order.

use redb::ReadableTable;

use crate::model::{Alert, IntegrationId, Link, Person, PersonId, address};

use super::identity::new_identity;
use super::value::from_bytes;
use super::write::Done;
use super::{StoreError, Write, tables};

/// What a step put right that whoever keeps the store should hear of.
pub(super) type Notes = Vec<String>;

type Migration = fn(&Write, &mut Notes) -> Done<()>;

/// The step from schema 1 to 2 comes first, and so on.
const MIGRATIONS: &[Migration] = &[
    migration_001_every_table,
    migration_002_causes_of_alerts,
    migration_003_memory,
    migration_004_link_counts,
    migration_005_decisions_by_integration,
    migration_006_attachments,
    migration_007_emails,
    migration_008_requests,
    migration_009_open_alerts_and_hours,
    migration_010_identity,
    migration_011_refresh_tokens,
    migration_012_packed,
    migration_013_lanes,
    migration_014_by_hand,
    migration_015_expiries,
    migration_016_parts_of_decisions,
];

/// The schema that this version writes.
pub(super) const SCHEMA: u64 = 1 + MIGRATIONS.len() as u64;

/// Brings a store of schema `found` to [`SCHEMA`], and tells what it put right; none is a store without anything in
/// it.
pub(super) fn migrate(write: &Write, found: Option<u64>) -> Done<Notes> {
    let mut notes = Notes::new();
    let first = found.map_or(0, |found| {
        usize::try_from(found.saturating_sub(1)).unwrap_or(usize::MAX)
    });
    for migration in MIGRATIONS.iter().skip(first) {
        migration(write, &mut notes)?;
    }
    write.put_schema(SCHEMA)?;
    Ok(notes)
}

/// Schema 1 grew without a new number: acts, rulings, units and the guard came to it later.
fn migration_001_every_table(write: &Write, _: &mut Notes) -> Done<()> {
    write.make_tables()
}

/// An alert about a credential that another integration raised again was still found by its cause before.
fn migration_002_causes_of_alerts(write: &Write, _: &mut Notes) -> Done<()> {
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
fn migration_003_memory(write: &Write, _: &mut Notes) -> Done<()> {
    write.make_tables()
}

/// `status` counted the links whenever it was asked.
fn migration_004_link_counts(write: &Write, _: &mut Notes) -> Done<()> {
    write.make_tables()?;
    let counts = tables::link_counts(&write.transaction.open_table(tables::LINKS)?)?;
    let mut table = write.transaction.open_table(tables::LINK_COUNTS)?;
    for (integration, count) in counts {
        table.insert(integration.as_str(), count)?;
    }
    Ok(())
}

/// What a run decided was looked for among the last runs of its integration. Where several failed in a row, decisions
/// went on which others stood.
fn migration_005_decisions_by_integration(write: &Write, notes: &mut Notes) -> Done<()> {
    write.make_tables()?;
    for (integration, lost) in write.index_decisions()? {
        let (runs, are) = if lost == 1 {
            ("run", "is")
        } else {
            ("runs", "are")
        };
        notes.push(format!(
            "what {lost} {runs} of {integration} decided {are} not kept any more: an earlier version had forgotten a part of it after several failures in a row; people, links, alerts and changes are untouched"
        ));
    }
    Ok(())
}

/// Nothing was remembered of an integration but what its runs are.
fn migration_006_attachments(write: &Write, _: &mut Notes) -> Done<()> {
    write.make_tables()
}

/// Emails were in lower case and no more: one address in two spellings was two people's.
fn migration_007_emails(write: &Write, notes: &mut Notes) -> Done<()> {
    let mut taken = Vec::new();
    for (person, email) in people_with_other_emails(write)? {
        match write.person_with_email(&email)? {
            Some(other) if other != person.id => taken.push(person.id),
            _ => {
                let email = Some(email);
                write.put_person(&Person { email, ..person })?;
            }
        }
    }
    for (integration, resident, link) in links_with_other_emails(write)? {
        write.put_link(&integration, &resident, &link)?;
    }
    if !taken.is_empty() {
        let people: Vec<String> = taken.iter().map(PersonId::to_string).collect();
        notes.push(format!(
            "{} kept the email as it was spelt, since its normal form is another person's: look at both with `epms people show`",
            people.join(", ")
        ));
    }
    Ok(())
}

/// The normal form of an address where it is another text than what is kept.
fn normal(email: Option<&str>) -> Option<String> {
    let email = email?;
    let normal = address(email).ok()??;
    (normal != email).then_some(normal)
}

/// What was asked of a day and a month was not counted.
fn migration_008_requests(write: &Write, _: &mut Notes) -> Done<()> {
    write.make_tables()
}

/// No refresh token was kept.
fn migration_011_refresh_tokens(write: &Write, _: &mut Notes) -> Done<()> {
    write.make_tables()
}

/// People, links, changes and decisions were JSON. Each is read as it is, and packed when it is written the next time; an
/// earlier version could not read it then.
#[allow(clippy::unnecessary_wraps, reason = "the form of a migration")]
fn migration_012_packed(_: &Write, _: &mut Notes) -> Done<()> {
    Ok(())
}

/// Nothing was delivered. An earlier version would leave what is known of it out of its copies.
fn migration_013_lanes(write: &Write, _: &mut Notes) -> Done<()> {
    write.make_tables()
}

/// Nobody could be erased, and nothing was kept of pauses, of backups and of what somebody was told. People without a stay
/// were not found by name, and nobody by the open alerts about them.
fn migration_014_by_hand(write: &Write, _: &mut Notes) -> Done<()> {
    write.make_tables()?;
    write.index_people_without_stays()?;
    write.index_open_alerts_by_person()
}

/// No answer had told until when a credential is taken.
fn migration_015_expiries(write: &Write, _: &mut Notes) -> Done<()> {
    write.make_tables()
}

/// What a run decided was one value, however many it was about: it stays, and is read as the first part. An earlier version
/// would take the first part for all.
fn migration_016_parts_of_decisions(write: &Write, _: &mut Notes) -> Done<()> {
    write.make_tables()
}

/// The people whose email has another normal form, and that.
fn people_with_other_emails(write: &Write) -> Done<Vec<(Person, String)>> {
    let table = write.transaction.open_table(tables::PEOPLE)?;
    let mut found = Vec::new();
    for entry in table.iter()? {
        let person: Person = from_bytes("people-1", entry?.1.value())?;
        if let Some(email) = normal(person.email.as_deref()) {
            found.push((person, email));
        }
    }
    Ok(found)
}

/// The links whose email has another normal form, with that.
fn links_with_other_emails(write: &Write) -> Done<Vec<(IntegrationId, String, Link)>> {
    let table = write.transaction.open_table(tables::LINKS)?;
    let mut found = Vec::new();
    for entry in table.iter()? {
        let (key, value) = entry?;
        let (integration, resident) = key.value();
        let link: Link = from_bytes("links-1", value.value())?;
        if let Some(email) = normal(link.email.as_deref()) {
            let email = Some(email);
            let link = Link { email, ..link };
            found.push((IntegrationId::new(integration), resident.to_owned(), link));
        }
    }
    Ok(found)
}

/// Whoever asked for open alerts read all of them, and what is old was told by the clock.
fn migration_009_open_alerts_and_hours(write: &Write, _: &mut Notes) -> Done<()> {
    write.make_tables()?;
    let begin = write.begin_hours()?;
    write.index_alerts(begin)
}

/// No store knew which one it is.
fn migration_010_identity(write: &Write, _: &mut Notes) -> Done<()> {
    write.put_identity(&new_identity())
}
