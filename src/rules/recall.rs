//! Alerts whose cause had one before that is not open any more (R30): a dismissed one stays so as long as both sides say
//! the same, any other is open again under the id it had. Pure.

use crate::model::{Alert, AlertKind, AlertState, Field, Side};

use super::alerts::AlertWrites;
use super::rejected;

impl AlertWrites {
    /// Looks every cause that is raised up among the alerts that are not open.
    pub fn recall<E>(
        &mut self,
        before: impl Fn(AlertKind, &str) -> Result<Option<Alert>, E>,
    ) -> Result<(), E> {
        for alert in std::mem::take(&mut self.raised) {
            match before(alert.kind, &alert.subject)? {
                Some(before) if before.state == AlertState::Dismissed && says(&before, &alert) => {
                    self.refreshed.push(Alert {
                        sides: alert.sides,
                        detail: alert.detail,
                        confidence: alert.confidence,
                        count: alert.count,
                        examples: alert.examples,
                        suggestion: alert.suggestion,
                        last_seen: alert.last_seen,
                        ..before
                    });
                }
                Some(before) => self.raised.push(Alert {
                    id: before.id,
                    acts: before.acts,
                    assigned: before.assigned,
                    comments: before.comments,
                    ..alert
                }),
                None => self.raised.push(alert),
            }
        }
        Ok(())
    }
}

/// Whether an alert says what the one before said: of either side, or, where it has none, in its words.
fn says(before: &Alert, now: &Alert) -> bool {
    same_values(&before.sides, &now.sides)
        && (!now.sides.is_empty() || says_the_same(before, &now.detail))
}

/// Whether an alert without sides says this already. What a script says of a record may have a number of it, and how many
/// there are is no reason to say it anew.
fn says_the_same(alert: &Alert, detail: &str) -> bool {
    match alert.kind {
        AlertKind::RecordsRejected | AlertKind::BadDates => {
            rejected::says_the_same(&alert.detail, detail)
        }
        _ => alert.detail == detail,
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
