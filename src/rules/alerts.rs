//! One alert per cause (R30): raised, refreshed, and closed when the cause is gone. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::model::{
    Alert, AlertId, AlertKind, AlertState, Beside, Closes, Confidence, Field, IntegrationId,
    Person, Resident, RunId, Side, Stay, Unit,
};

use super::dates::{BadDates, DATES};
use super::entry::Lease;
use super::groups::Groups;
use super::normal::Normal;
use super::plan::Inputs;
use super::rejected::Rejected;
use super::units;

/// What a run does to alerts. A raised one has the id 0 until it is written, or recalled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
pub(crate) struct Judged<'a> {
    /// The residents of the feed.
    pub(crate) seen: &'a Groups,
    /// Residents whose records could not be used.
    pub(crate) unjudged: &'a BTreeSet<String>,
    /// Those of them whose own records could not be mapped.
    pub(crate) unmapped: &'a BTreeSet<String>,
    /// People of whom the feed tells enough to say where they live.
    pub(crate) told_of: &'a BTreeSet<String>,
    /// There are records that could be anybody's.
    pub(crate) unread: bool,
    /// There are records that could not be mapped.
    pub(crate) rejected: bool,
}

impl Judged<'_> {
    /// Whether the run would have raised the alert if its cause were still there.
    fn may_close(&self, alert: &Alert, inputs: &Inputs<'_>) -> bool {
        match alert.kind {
            AlertKind::RecordsRejected | AlertKind::MissingFromFeed => true,
            AlertKind::UnknownStatus | AlertKind::UnmappedUnit | AlertKind::BadDates => {
                !self.rejected
            }
            AlertKind::MultipleCurrentLeases => self.told_of.contains(&alert.subject),
            // Who shares an email is read off the feed alone; one who is not there shares none.
            AlertKind::DuplicateEmails => alert
                .sides
                .iter()
                .filter_map(|side| side.resident.as_deref())
                .all(|one| !self.unmapped.contains(one) && (self.seen.has(one) || !self.unread)),
            _ => alert.sides.iter().all(|side| {
                let Some(resident) = &side.resident else {
                    return true;
                };
                if self.seen.has(resident) || self.unjudged.contains(resident) {
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
pub(crate) struct Causes(BTreeMap<(AlertKind, String), Found>);

/// What was found about a cause.
#[derive(Debug)]
struct Found {
    sides: Vec<Side>,
    detail: String,
    confidence: Option<Confidence>,
    count: Option<u64>,
    examples: Vec<String>,
    suggestion: Option<String>,
}

impl Causes {
    pub(crate) fn raise(&mut self, kind: AlertKind, subject: &str, sides: Vec<Side>, detail: &str) {
        self.raise_with(kind, subject, sides, detail, None);
    }

    pub(crate) fn raise_with(
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
                count: None,
                examples: Vec::new(),
                suggestion: None,
            });
    }

    /// One alert that stands for many: `detail` says what they have in common, without how many there are.
    pub(crate) fn raise_counted(
        &mut self,
        kind: AlertKind,
        subject: &str,
        count: u64,
        detail: &str,
    ) {
        let found = Found {
            sides: Vec::new(),
            detail: detail.to_owned(),
            confidence: None,
            count: Some(count),
            examples: Vec::new(),
            suggestion: None,
        };
        self.0.insert((kind, subject.to_owned()), found);
    }

    /// A PMS unit that the mapping list does not know (R35).
    pub(crate) fn raise_unmapped(&mut self, unit: &str, detail: &str) {
        let found = Found {
            sides: Vec::new(),
            detail: detail.to_owned(),
            confidence: None,
            count: None,
            examples: Vec::new(),
            suggestion: units::suggestion(detail),
        };
        let cause = (AlertKind::UnmappedUnit, unit.to_owned());
        self.0.entry(cause).or_insert(found);
    }

    /// Dates of the feed that cannot be (R12).
    pub(crate) fn raise_bad_dates(&mut self, bad_dates: &BadDates, not_understood: Option<RunId>) {
        let found = Found {
            sides: Vec::new(),
            detail: with_what_waits(bad_dates.told(), not_understood),
            confidence: None,
            count: Some(bad_dates.count()),
            examples: bad_dates.named().to_vec(),
            suggestion: None,
        };
        let cause = (AlertKind::BadDates, DATES.to_owned());
        self.0.insert(cause, found);
    }

    /// Records that could not be mapped at one place of the script, or by one rule. `not_understood` is the run that
    /// writes nothing because of such records (R41).
    pub(crate) fn raise_rejected(
        &mut self,
        place: &str,
        rejected: Rejected,
        not_understood: Option<RunId>,
    ) {
        let Rejected {
            count,
            examples,
            text,
            ..
        } = rejected;
        let found = Found {
            sides: Vec::new(),
            detail: with_what_waits(text, not_understood),
            confidence: None,
            count: Some(count),
            examples: examples.into_iter().collect(),
            suggestion: None,
        };
        let cause = (AlertKind::RecordsRejected, place.to_owned());
        self.0.insert(cause, found);
    }

    /// What becomes of the causes and of the alerts that are open. A cause that had an alert before which is not open is
    /// looked up afterwards ([`AlertWrites::recall`]).
    pub(crate) fn settle(
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
                count,
                examples,
                suggestion,
            } = found;
            match known.remove(&(kind, subject.clone())) {
                Some(alert) => {
                    writes.refreshed.push(Alert {
                        sides,
                        detail,
                        confidence,
                        count,
                        examples,
                        suggestion,
                        last_seen: inputs.now,
                        ..alert
                    });
                }
                None => writes.raised.push(Alert {
                    id: AlertId(0),
                    acts: Vec::new(),
                    assigned: None,
                    comments: Vec::new(),
                    kind,
                    integration: inputs.integration.clone(),
                    subject,
                    state: AlertState::Open,
                    sides,
                    detail,
                    confidence,
                    count,
                    examples,
                    suggestion,
                    raised_by: inputs.run,
                    first_seen: inputs.now,
                    last_seen: inputs.now,
                }),
            }
        }
        for alert in known.into_values() {
            let closes = match alert.kind.facts().closes {
                Closes::WithFeed => false,
                Closes::WithNextRun => true,
                Closes::WithCause => judged.may_close(&alert, inputs),
            };
            if closes {
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

/// With what waits, where a run writes nothing because of it (R41).
fn with_what_waits(text: String, not_understood: Option<RunId>) -> String {
    match not_understood {
        None => text,
        Some(run) => format!(
            "{text}; the run does not understand its records, and nothing was written: correct the script, or the \
             records in the PMS, or let it go on without them by `epms approve {run}`"
        ),
    }
}

fn values<const N: usize>(fields: [(Field, Option<&str>); N]) -> BTreeMap<Field, String> {
    fields
        .into_iter()
        .filter_map(|(field, value)| {
            Some((field, value.filter(|value| !value.is_empty())?.to_owned()))
        })
        .collect()
}

/// The resident's side of an alert.
pub(crate) fn resident_side(resident: &Resident) -> Side {
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
        beside: None,
    }
}

/// The side of a lease.
pub(crate) fn lease_side(lease: &Lease) -> Side {
    let start = lease.normal.resident.lease_start;
    stay_side(&lease.normal, Vec::new(), lease.property.clone(), start)
}

/// The resident's side of an alert, with everything that an act has to know to write what the run would write.
/// `own_start` is that of the lease that counts.
pub(crate) fn stay_side(
    normal: &Normal,
    more_units: Vec<Unit>,
    property: Option<String>,
    own_start: Option<Date>,
) -> Side {
    let beside = Beside {
        more_units,
        keep_phone: normal.keep_phone,
        property,
        lease_start: own_start.filter(|start| Some(*start) != normal.resident.lease_start),
    };
    Side {
        beside: Some(Box::new(beside)),
        ..resident_side(&normal.resident)
    }
}

/// A person's side of an alert.
pub(crate) fn person_side(person: &Person, integration: &IntegrationId) -> Side {
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
        beside: None,
    }
}
