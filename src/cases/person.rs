//! A person as a target's script gets one, written by hand: what is left out is absent. Knows no store and no script.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::{Document, schema_of};
use crate::model::{LeaseStatus, Problem};

/// Somebody, as the script of a target gets them. What is left out is absent: `()`, or an empty list.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenPerson {
    /// The person's id.
    #[serde(default = "some_person")]
    id: String,
    /// First name.
    #[serde(default)]
    first_name: String,
    /// Last name.
    #[serde(default)]
    last_name: String,
    /// Email.
    #[serde(default)]
    email: Option<String>,
    /// Phone.
    #[serde(default)]
    phone: Option<String>,
    /// That every stay is over by its status.
    #[serde(default)]
    is_over: bool,
    /// Where they live, lived or will live.
    #[serde(default)]
    stays: Vec<WrittenStay>,
    /// What is open to them now.
    #[serde(default)]
    openings: Vec<WrittenOpening>,
    /// The target's places that are open to them now, each once.
    #[serde(default)]
    places: Vec<WrittenPlace>,
}

/// Where a person lives, lived or will live.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenStay {
    /// The integration.
    #[serde(default)]
    integration: String,
    /// The status.
    #[serde(default)]
    status: Option<LeaseStatus>,
    /// The unit.
    #[serde(default)]
    unit: Option<WrittenUnit>,
    /// Day of moving in.
    #[serde(default)]
    move_in: Option<Date>,
    /// Day of moving out.
    #[serde(default)]
    move_out: Option<Date>,
    /// First day of the lease.
    #[serde(default)]
    lease_start: Option<Date>,
    /// Last day of the lease.
    #[serde(default)]
    lease_end: Option<Date>,
}

/// A unit.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenUnit {
    /// The PMS's id of it.
    id: String,
    /// What people call it; without it the id.
    #[serde(default)]
    label: Option<String>,
}

/// What one stay opens.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenOpening {
    /// The integration.
    #[serde(default)]
    integration: String,
    /// The property's name.
    #[serde(default)]
    property: String,
    /// The unit.
    #[serde(default)]
    unit: Option<WrittenUnit>,
    /// The target's places.
    #[serde(default)]
    places: Vec<String>,
    /// Since when.
    #[serde(default)]
    start: Option<Timestamp>,
    /// Until when; without it until the status says so.
    #[serde(default)]
    end: Option<Timestamp>,
}

/// A place of the target that is open.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenPlace {
    /// The place.
    place: String,
    /// Since when.
    #[serde(default)]
    start: Option<Timestamp>,
    /// Until when; without it until the status says so.
    #[serde(default)]
    end: Option<Timestamp>,
}

fn some_person() -> String {
    "p1".into()
}

impl WrittenPerson {
    /// As the script gets it, as a JSON text.
    pub(super) fn json(mut self) -> Box<str> {
        let stays = self.stays.iter_mut().map(|stay| &mut stay.unit);
        let openings = self.openings.iter_mut().map(|opening| &mut opening.unit);
        for unit in stays.chain(openings).flatten() {
            let id = &unit.id;
            unit.label.get_or_insert_with(|| id.clone());
        }
        let value = serde_json::to_value(self).unwrap_or(Value::Null);
        value.to_string().into_boxed_str()
    }
}

/// Reads a person from a file's text, in YAML or JSON, as a target's script gets one. What is left out is absent.
pub fn person(file: &Path, text: &str) -> Result<Box<str>, Vec<Problem>> {
    let document = Document::parse(file, text.strip_prefix('\u{feff}').unwrap_or(text))?;
    let written: WrittenPerson = document.read()?;
    Ok(written.json())
}

/// The schema of a person.
pub fn person_schema() -> Schema {
    schema_of::<WrittenPerson>("person")
}

/// All that a person may have, as a JSON text.
pub(super) fn whole() -> Box<str> {
    let unit = || {
        Some(WrittenUnit {
            id: "1".into(),
            label: None,
        })
    };
    let whole = WrittenPerson {
        id: some_person(),
        first_name: String::new(),
        last_name: String::new(),
        email: None,
        phone: None,
        is_over: false,
        stays: vec![WrittenStay {
            integration: String::new(),
            status: None,
            unit: unit(),
            move_in: None,
            move_out: None,
            lease_start: None,
            lease_end: None,
        }],
        openings: vec![WrittenOpening {
            integration: String::new(),
            property: String::new(),
            unit: unit(),
            places: Vec::new(),
            start: None,
            end: None,
        }],
        places: vec![WrittenPlace {
            place: "1".into(),
            start: None,
            end: None,
        }],
    };
    whole.json()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Value, Vec<String>> {
        let person = person(Path::new("person.json"), text);
        person
            .map(|json| serde_json::from_str(&json).unwrap())
            .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_a_person_leaves_out_is_absent_and_lists_are_empty() {
        assert_eq!(
            read("{ openings: [{ unit: { id: 12B }, start: 2026-03-01T09:00:00Z }] }").unwrap(),
            serde_json::json!({
                "id": "p1", "first_name": "", "last_name": "", "email": null, "phone": null, "is_over": false, "stays": [],
                "openings": [{ "integration": "", "property": "", "unit": { "id": "12B", "label": "12B" }, "places": [],
                               "start": "2026-03-01T09:00:00Z", "end": null }],
                "places": [],
            })
        );
    }

    #[test]
    fn what_no_person_has_is_refused_with_its_place() {
        assert_eq!(
            read("{\"frist_name\": \"Ana\", \"stays\": [{\"status\": \"gone\"}]}").unwrap_err(),
            [
                "person.json:1:2: frist_name: unknown field; did you mean `first_name`?",
                "person.json:1:44: stays.0.status: `gone` is not known here; write one of: current, pending, past, applicant, void, unknown",
            ]
        );
    }
}
