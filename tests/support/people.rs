//! People and alerts without what two daemons may well do differently: numbers and times.

use epms::model::{Alert, Person};
use serde_json::Value;

/// Everybody, sorted, without ids and times.
pub fn plain(people: &[Person]) -> Vec<String> {
    sorted(people.iter().map(|person| {
        let mut value = serde_json::to_value(person).unwrap();
        let members = value.as_object_mut().unwrap();
        members.remove("id");
        members.remove("created");
        value
    }))
}

/// All alerts by what they are about, sorted.
pub fn plain_alerts(alerts: &[Alert]) -> Vec<String> {
    sorted(alerts.iter().map(|alert| {
        Value::from(format!(
            "{} {} {}",
            alert.integration, alert.kind, alert.subject
        ))
    }))
}

fn sorted(values: impl Iterator<Item = Value>) -> Vec<String> {
    let mut lines: Vec<String> = values.map(|value| value.to_string()).collect();
    lines.sort();
    lines
}
