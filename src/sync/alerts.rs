//! One alert per cause (R30): raised, refreshed, and closed when the cause is gone. Pure.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::civil::Date;

use crate::model::{
    Alert, AlertId, AlertKind, AlertState, Confidence, Field, IntegrationId, Person, Resident,
    Side, Stay,
};

use super::plan::Inputs;

/// The kinds whose causes a run looks for; what it could judge and does not raise again is gone.
const SEEN_BY_RUNS: [AlertKind; 10] = [
    AlertKind::DuplicateAccounts,
    AlertKind::DuplicateEmails,
    AlertKind::NameMismatch,
    AlertKind::EmailMismatch,
    AlertKind::MissingEmail,
    AlertKind::UnmappedUnit,
    AlertKind::UnknownStatus,
    AlertKind::MappingFailed,
    AlertKind::MultipleCurrentLeases,
    AlertKind::MissingFromFeed,
];

/// What a run does to alerts. A raised one has the id 0 until it is written.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct AlertWrites {
    /// Alerts that are new, or open again.
    pub raised: Vec<Alert>,
    /// Alerts whose cause is still there.
    pub refreshed: Vec<Alert>,
    /// Alerts whose cause is gone.
    pub closed: Vec<Alert>,
}

/// Whom a run could tell nothing about: alerts about them stay as they are.
#[derive(Debug)]
pub(super) struct Judged<'a> {
    /// Residents of the feed.
    pub(super) seen: &'a HashSet<&'a str>,
    /// Residents whose records could not be used.
    pub(super) unjudged: &'a BTreeSet<String>,
    /// Those of them whose own records could not be mapped.
    pub(super) unmapped: &'a BTreeSet<String>,
    /// People of whom the feed tells enough to say where they live.
    pub(super) told_of: &'a BTreeSet<String>,
    /// There are records that could be anybody's.
    pub(super) unread: bool,
    /// There are records that could not be mapped.
    pub(super) rejected: bool,
}

impl Judged<'_> {
    /// Whether the run would have raised the alert if its cause were still there.
    fn may_close(&self, alert: &Alert, inputs: &Inputs<'_>) -> bool {
        match alert.kind {
            AlertKind::MappingFailed | AlertKind::MissingFromFeed => true,
            AlertKind::UnknownStatus | AlertKind::UnmappedUnit => !self.rejected,
            AlertKind::MultipleCurrentLeases => self.told_of.contains(&alert.subject),
            // Who shares an email is read off the feed alone; one who is not there shares none.
            AlertKind::DuplicateEmails => alert
                .sides
                .iter()
                .filter_map(|side| side.resident.as_deref())
                .all(|one| {
                    !self.unmapped.contains(one) && (self.seen.contains(one) || !self.unread)
                }),
            _ => alert.sides.iter().all(|side| {
                let Some(resident) = &side.resident else {
                    return true;
                };
                if self.seen.contains(resident.as_str()) || self.unjudged.contains(resident) {
                    return !self.unjudged.contains(resident);
                }
                // Who is linked and not in the feed may come back as they were (R25).
                let absent = inputs.links.contains_key(resident);
                !self.unread && !absent
            }),
        }
    }
}

/// The causes that a run found.
#[derive(Debug, Default)]
pub(super) struct Causes(BTreeMap<(AlertKind, String), Found>);

/// What was found about a cause.
#[derive(Debug)]
struct Found {
    sides: Vec<Side>,
    detail: String,
    confidence: Option<Confidence>,
}

impl Causes {
    pub(super) fn raise(&mut self, kind: AlertKind, subject: &str, sides: Vec<Side>, detail: &str) {
        self.raise_with(kind, subject, sides, detail, None);
    }

    pub(super) fn raise_with(
        &mut self,
        kind: AlertKind,
        subject: &str,
        sides: Vec<Side>,
        detail: &str,
        confidence: Option<Confidence>,
    ) {
        self.0
            .entry((kind, subject.to_owned()))
            .or_insert_with(|| Found {
                sides,
                detail: detail.to_owned(),
                confidence,
            });
    }

    pub(super) fn settle(
        self,
        mut known: BTreeMap<(AlertKind, String), Alert>,
        inputs: &Inputs<'_>,
        judged: &Judged<'_>,
    ) -> AlertWrites {
        let mut writes = AlertWrites::default();
        for ((kind, subject), found) in self.0 {
            let Found {
                sides,
                detail,
                confidence,
            } = found;
            match known.remove(&(kind, subject.clone())) {
                Some(alert) if alert.state == AlertState::Open => {
                    writes.refreshed.push(Alert {
                        sides,
                        detail,
                        confidence,
                        last_seen: inputs.now,
                        ..alert
                    });
                }
                // R30: what was dismissed opens again only when either side's values change; one without sides,
                // when it says something else.
                Some(alert)
                    if alert.state == AlertState::Dismissed
                        && same_values(&alert.sides, &sides)
                        && (!sides.is_empty() || alert.detail == detail) =>
                {
                    writes.refreshed.push(Alert {
                        sides,
                        detail,
                        confidence,
                        last_seen: inputs.now,
                        ..alert
                    });
                }
                before => writes.raised.push(Alert {
                    id: before.as_ref().map_or(AlertId(0), |alert| alert.id),
                    acts: before.map(|alert| alert.acts).unwrap_or_default(),
                    kind,
                    integration: inputs.integration.clone(),
                    subject,
                    state: AlertState::Open,
                    sides,
                    detail,
                    confidence,
                    raised_by: inputs.run,
                    first_seen: inputs.now,
                    last_seen: inputs.now,
                }),
            }
        }
        for alert in known.into_values() {
            if alert.state == AlertState::Open
                && SEEN_BY_RUNS.contains(&alert.kind)
                && judged.may_close(&alert, inputs)
            {
                writes.closed.push(Alert {
                    state: AlertState::AutoClosed,
                    last_seen: inputs.now,
                    ..alert
                });
            }
        }
        writes
    }
}

/// Whether two alerts set the same against each other: who, with which name, email, phone and unit.
fn same_values(one: &[Side], other: &[Side]) -> bool {
    let told = |side: &Side| {
        let values = side
            .values
            .iter()
            .filter(|(field, _)| COMPARED.contains(field));
        let values: Vec<_> = values.map(|(field, text)| (*field, text.clone())).collect();
        (side.resident.clone(), side.person, values)
    };
    one.iter().map(told).eq(other.iter().map(told))
}

const COMPARED: [Field; 5] = [
    Field::FirstName,
    Field::LastName,
    Field::Email,
    Field::Phone,
    Field::Unit,
];

fn values<const N: usize>(fields: [(Field, Option<&str>); N]) -> BTreeMap<Field, String> {
    fields
        .into_iter()
        .filter_map(|(field, value)| {
            Some((field, value.filter(|value| !value.is_empty())?.to_owned()))
        })
        .collect()
}

/// The resident's side of an alert.
pub(super) fn resident_side(resident: &Resident) -> Side {
    let date = |date: Option<Date>| date.map(|date| date.to_string());
    let dates = [
        date(resident.lease_start),
        date(resident.lease_end),
        date(resident.move_in),
        date(resident.move_out),
    ];
    let [start, end, move_in, move_out] = dates.each_ref().map(Option::as_deref);
    Side {
        resident: Some(resident.id.clone()),
        person: None,
        values: values([
            (Field::FirstName, Some(&resident.first_name)),
            (Field::LastName, Some(&resident.last_name)),
            (Field::Email, resident.email.as_deref()),
            (Field::Phone, resident.phone.as_deref()),
            (Field::LeaseStart, start),
            (Field::LeaseEnd, end),
            (Field::MoveIn, move_in),
            (Field::MoveOut, move_out),
            (
                Field::Unit,
                resident.unit.as_ref().map(|unit| unit.label.as_str()),
            ),
            (Field::Status, Some(resident.status.as_str())),
        ]),
        mapped: Some(Box::new(resident.clone())),
    }
}

/// A person's side of an alert.
pub(super) fn person_side(person: &Person, integration: &IntegrationId) -> Side {
    let stay = person.stay(integration);
    let date = |of: fn(&Stay) -> Option<Date>| stay.and_then(of).map(|date: Date| date.to_string());
    let dates = [
        date(|stay| stay.lease_start),
        date(|stay| stay.lease_end),
        date(|stay| stay.move_in),
        date(|stay| stay.move_out),
    ];
    let [start, end, move_in, move_out] = dates.each_ref().map(Option::as_deref);
    let unit = stay.and_then(|stay| stay.unit.as_ref());
    Side {
        resident: None,
        person: Some(person.id),
        values: values([
            (Field::FirstName, Some(&person.first_name)),
            (Field::LastName, Some(&person.last_name)),
            (Field::Email, person.email.as_deref()),
            (Field::Phone, person.phone.as_deref()),
            (Field::LeaseStart, start),
            (Field::LeaseEnd, end),
            (Field::MoveIn, move_in),
            (Field::MoveOut, move_out),
            (Field::Unit, unit.map(|unit| unit.label.as_str())),
            (Field::Status, stay.map(|stay| stay.status.as_str())),
        ]),
        mapped: None,
    }
}
