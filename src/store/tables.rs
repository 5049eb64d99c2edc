//! Every table of the store: key, value, and a version in the name. Values are our own bytes, of which `value` knows the
//! forms; never types of redb's own encoding.

use std::collections::BTreeMap;

use redb::{Key, ReadableTable, TableDefinition, Value};

use super::StoreError;

type Bytes = &'static [u8];

/// Key: name. Value: a counter or the schema version, as text.
pub(super) const META: TableDefinition<'static, &str, Bytes> = TableDefinition::new("meta-1");

/// Key: person. Value: [`Person`](crate::model::Person).
pub(super) const PEOPLE: TableDefinition<'static, u64, Bytes> = TableDefinition::new("people-1");

/// Key: email in the form of R10. Value: person. This is what keeps people unique by email.
pub(super) const PEOPLE_BY_EMAIL: TableDefinition<'static, &str, u64> =
    TableDefinition::new("people-by-email-1");

/// Key: integration, names in the form of R10 and folded, person. Value: nothing. Whoever has no stay stands at the
/// integration without a name.
pub(super) const PEOPLE_BY_NAME: TableDefinition<'static, (&str, &str, u64), ()> =
    TableDefinition::new("people-by-name-1");

/// Key: integration, resident's PMS id. Value: [`Link`](crate::model::Link).
pub(super) const LINKS: TableDefinition<'static, (&str, &str), Bytes> =
    TableDefinition::new("links-1");

/// Key: integration. Value: how many links it has: nobody who only wants to know the number walks over them.
pub(super) const LINK_COUNTS: TableDefinition<'static, &str, u64> =
    TableDefinition::new("link-counts-1");

/// Key: person, integration, resident's PMS id. Value: nothing.
pub(super) const LINKS_BY_PERSON: TableDefinition<'static, (u64, &str, &str), ()> =
    TableDefinition::new("links-by-person-1");

/// Key: alert. Value: [`Alert`](crate::model::Alert).
pub(super) const ALERTS: TableDefinition<'static, u64, Bytes> = TableDefinition::new("alerts-1");

/// Key: integration, kind, subject: the cause. Value: alert. This is what keeps alerts without twins (R30).
pub(super) const ALERTS_BY_CAUSE: TableDefinition<'static, (&str, &str, &str), u64> =
    TableDefinition::new("alerts-by-cause-1");

/// Key: kind, integration, alert. Value: nothing. It is open.
pub(super) const OPEN_ALERTS: TableDefinition<'static, (&str, &str, u64), ()> =
    TableDefinition::new("open-alerts-1");

/// Key: integration, kind. Value: how many alerts are open.
pub(super) const OPEN_ALERT_COUNTS: TableDefinition<'static, (&str, &str), u64> =
    TableDefinition::new("open-alert-counts-1");

/// Key: person, alert. Value: nothing. It is open, and a side of it is the person.
pub(super) const OPEN_ALERTS_BY_PERSON: TableDefinition<'static, (u64, u64), ()> =
    TableDefinition::new("open-alerts-by-person-1");

/// Key: alert that is not open. Value: the hour of [`HOURS`] in which it was written last; a negative one before hours
/// were counted.
pub(super) const CLOSED_ALERTS: TableDefinition<'static, u64, i64> =
    TableDefinition::new("closed-alerts-1");

/// Key: hour, alert that was written last in it and is not open. Value: nothing.
pub(super) const CLOSED_ALERTS_BY_HOUR: TableDefinition<'static, (i64, u64), ()> =
    TableDefinition::new("closed-alerts-by-hour-1");

/// Key: hour that daemons were up. Value: the numbers that were given next when it began.
pub(super) const HOURS: TableDefinition<'static, i64, Bytes> = TableDefinition::new("hours-1");

/// Key: sequence number. Value: [`Change`](crate::model::Change).
pub(super) const CHANGES: TableDefinition<'static, u64, Bytes> = TableDefinition::new("changes-1");

/// Key: person, sequence number. Value: nothing.
pub(super) const CHANGES_BY_PERSON: TableDefinition<'static, (u64, u64), ()> =
    TableDefinition::new("changes-by-person-1");

/// Key: run. Value: [`Run`](crate::model::Run).
pub(super) const RUNS: TableDefinition<'static, u64, Bytes> = TableDefinition::new("runs-1");

/// Key: integration, run. Value: nothing.
pub(super) const RUNS_BY_INTEGRATION: TableDefinition<'static, (&str, u64), ()> =
    TableDefinition::new("runs-by-integration-1");

/// Key: run. Value: the list of its [`Decision`](crate::model::Decision)s, or the first part of it.
pub(super) const DECISIONS: TableDefinition<'static, u64, Bytes> =
    TableDefinition::new("decisions-1");

/// Key: run, part. Value: as many more of its [`Decision`](crate::model::Decision)s; the first of these parts is 1.
pub(super) const MORE_DECISIONS: TableDefinition<'static, (u64, u32), Bytes> =
    TableDefinition::new("more-decisions-1");

/// Key: run. Value: [`Standing`](super::Standing): what stands of the decisions of an earlier run.
pub(super) const STANDING: TableDefinition<'static, u64, Bytes> =
    TableDefinition::new("standing-1");

/// Key: integration, run. Value: nothing. Its decisions are kept, for itself or because others stand on them.
pub(super) const DECISIONS_BY_INTEGRATION: TableDefinition<'static, (&str, u64), ()> =
    TableDefinition::new("decisions-by-integration-1");

/// Key: integration. Value: the runs whose decisions stand for later ones.
pub(super) const BASES: TableDefinition<'static, &str, Bytes> = TableDefinition::new("bases-1");

/// Key: integration, part. Value: what is remembered of its feed, in a form that its runs know. It can be dropped
/// at any time.
pub(super) const FEEDS: TableDefinition<'static, (&str, u32), Bytes> =
    TableDefinition::new("feeds-1");

/// Key: integration, print of a record. Value: what a run made of it, in a form that its runs know.
pub(super) const REMEMBERED: TableDefinition<'static, (&str, u128), Bytes> =
    TableDefinition::new("remembered-1");

/// Key: integration, person or 0, resident's PMS id or nothing. Value: nothing. Of them something was written since
/// the feed was remembered.
pub(super) const STIRRED: TableDefinition<'static, (&str, u64, &str), ()> =
    TableDefinition::new("stirred-1");

/// Key: integration. Value: [`History`](super::History).
pub(super) const HISTORIES: TableDefinition<'static, &str, Bytes> =
    TableDefinition::new("histories-1");

/// Key: act. Value: [`Act`](crate::model::Act).
pub(super) const ACTS: TableDefinition<'static, u64, Bytes> = TableDefinition::new("acts-1");

/// Key: integration, resident's PMS id. Value: [`Ruling`](crate::model::Ruling).
pub(super) const RULINGS: TableDefinition<'static, (&str, &str), Bytes> =
    TableDefinition::new("rulings-1");

/// Key: integration, PMS unit. Value: the unit here, as somebody mapped it by hand (R35).
pub(super) const UNITS: TableDefinition<'static, (&str, &str), &str> =
    TableDefinition::new("units-1");

/// Key: integration. Value: [`GuardState`](crate::model::GuardState).
pub(super) const GUARDS: TableDefinition<'static, &str, Bytes> = TableDefinition::new("guards-1");

/// Key: integration, request of its connector. Value: [`Lookup`](super::Lookup).
pub(super) const LOOKUPS: TableDefinition<'static, (&str, &str), Bytes> =
    TableDefinition::new("lookups-1");

/// Key: integration. Value: [`Attachment`](crate::model::Attachment).
pub(super) const ATTACHMENTS: TableDefinition<'static, &str, Bytes> =
    TableDefinition::new("attachments-1");

/// How many links each integration has, counted.
pub(super) fn link_counts(
    links: &impl ReadableTable<(&'static str, &'static str), Bytes>,
) -> Result<BTreeMap<String, u64>, StoreError> {
    let mut counts = BTreeMap::new();
    for entry in links.iter()? {
        let integration = entry?.0.value().0.to_owned();
        *counts.entry(integration).or_default() += 1;
    }
    Ok(counts)
}

/// How many requests were made with a credential, by the hour since 1970.
pub(super) const REQUESTS: TableDefinition<'static, (&str, i64), u32> =
    TableDefinition::new("requests-1");

/// The last refresh token that came for a credential, and the print of the one that it names.
pub(super) const REFRESH_TOKENS: TableDefinition<'static, &str, ([u8; 32], &str)> =
    TableDefinition::new("refresh-tokens-1");

/// Key: credential, request. Value: the last day on which the credential is taken, as the answer to the request said.
pub(super) const EXPIRIES: TableDefinition<'static, (&str, &str), &str> =
    TableDefinition::new("expiries-1");

/// Key: target, person. Value: what is known of the person there, in a form that those who deliver know.
pub(super) const LANES: TableDefinition<'static, (&str, u64), Bytes> =
    TableDefinition::new("lanes-1");

/// Key: target. Value: what is known of it, in a form that those who deliver know.
pub(super) const TARGETS: TableDefinition<'static, &str, Bytes> = TableDefinition::new("targets-1");

/// Key: person. Value: [`Erasing`](crate::model::Erasing): they are to be erased once every target has heard of it.
pub(super) const ERASURES: TableDefinition<'static, u64, Bytes> =
    TableDefinition::new("erasures-1");

/// Key: notification. Value: what was told of what, in a form that those who tell know.
pub(super) const NOTICES: TableDefinition<'static, &str, Bytes> = TableDefinition::new("notices-1");

/// Something that is done with every table.
pub(super) trait EachTable {
    /// Why it could not be done.
    type Error;

    /// Does it with this one.
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<(), Self::Error>;
}

/// Does something with every table that there is.
pub(super) fn each<E: EachTable>(with: &mut E) -> Result<(), E::Error> {
    with.table(META)?;
    with.table(PEOPLE)?;
    with.table(PEOPLE_BY_EMAIL)?;
    with.table(PEOPLE_BY_NAME)?;
    with.table(LINKS)?;
    with.table(LINK_COUNTS)?;
    with.table(LINKS_BY_PERSON)?;
    with.table(ALERTS)?;
    with.table(ALERTS_BY_CAUSE)?;
    with.table(OPEN_ALERTS)?;
    with.table(OPEN_ALERT_COUNTS)?;
    with.table(OPEN_ALERTS_BY_PERSON)?;
    with.table(CLOSED_ALERTS)?;
    with.table(CLOSED_ALERTS_BY_HOUR)?;
    with.table(HOURS)?;
    with.table(CHANGES)?;
    with.table(CHANGES_BY_PERSON)?;
    with.table(RUNS)?;
    with.table(RUNS_BY_INTEGRATION)?;
    with.table(DECISIONS)?;
    with.table(MORE_DECISIONS)?;
    with.table(STANDING)?;
    with.table(DECISIONS_BY_INTEGRATION)?;
    with.table(BASES)?;
    with.table(FEEDS)?;
    with.table(REMEMBERED)?;
    with.table(STIRRED)?;
    with.table(HISTORIES)?;
    with.table(ACTS)?;
    with.table(RULINGS)?;
    with.table(UNITS)?;
    with.table(GUARDS)?;
    with.table(LOOKUPS)?;
    with.table(ATTACHMENTS)?;
    with.table(REQUESTS)?;
    with.table(REFRESH_TOKENS)?;
    with.table(EXPIRIES)?;
    with.table(LANES)?;
    with.table(TARGETS)?;
    with.table(ERASURES)?;
    with.table(NOTICES)
}
