//! Recorded answers as a reading of the PMS would have handed them over. Maps nothing.

use std::sync::Arc;

use jiff::civil::Date;

use crate::model::Record;
use crate::script::{Lookups, Script};

use super::case::Case;

/// The records of one recorded answer, each as one of its PMS property.
#[derive(Debug, Clone)]
pub struct Replay {
    /// The case: its folder and its file without the ending.
    pub name: String,
    /// The PMS properties that were attached, in their order.
    pub properties: Vec<String>,
    /// The records. Those of properties that were not attached are not among them.
    pub records: Vec<Record>,
    /// What scripts may look up.
    pub lookups: Arc<Lookups>,
    /// The day at the property.
    pub today: Date,
}

impl Replay {
    /// The records of a case; none where it has none that a run by this script could have read.
    pub fn of(case: &Case, script: &Script) -> Option<Replay> {
        let is_of_people = !case.is_about_an_answer() && !case.is_about_a_person();
        if !is_of_people || !case.is_about(script) {
            return None;
        }
        let contexts = case.contexts();
        let inputs = contexts.of_all().inputs();
        let record = |json: &str| {
            let context = contexts.of(json)?;
            Some(Record {
                request: inputs.request.as_str().into(),
                property: context.inputs().property.as_str().into(),
                json: json.into(),
                known: None,
            })
        };
        let properties = match inputs.properties.as_slice() {
            [] => vec![inputs.property.clone()],
            some => some.to_vec(),
        };
        Some(Replay {
            name: case.name().to_owned(),
            properties,
            records: case.records().filter_map(record).collect(),
            lookups: Arc::clone(&inputs.lookups),
            today: inputs.today,
        })
    }

    /// Whether both are answers of one reading: of the same day, with the same PMS properties attached.
    pub fn goes_with(&self, other: &Replay) -> bool {
        self.today == other.today && self.properties == other.properties
    }
}
