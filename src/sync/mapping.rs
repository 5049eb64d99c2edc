//! Records to entries: the script, the normal forms, and what is excluded (R6). Knows nothing of people.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use unicase::UniCase;

use crate::catalog::Integration;
use crate::config::Include;
use crate::model::{Record, Relationship, Resident, Unit};
use crate::script::{Context, Inputs, Lookups};

use super::entry::Entry;
use super::normal::{Normal, Notes, name, normalise};
use super::units::{Placed, place};

/// Maps the records of one run.
pub(super) struct Mapping {
    integration: Arc<Integration>,
    today: Date,
    lookups: Arc<Lookups>,
    contexts: BTreeMap<Arc<str>, BTreeMap<String, Context>>,
    excluded_words: Vec<UniCase<String>>,
    records: u64,
    pub(super) entries: Vec<Entry>,
    pub(super) notes: Notes,
    /// PMS units that the mapping list does not know (R35), and what to do about each.
    pub(super) unmapped: BTreeMap<String, String>,
    /// How many entries there must be a decision for.
    pub(super) seen: u64,
}

impl Mapping {
    pub(super) fn new(
        integration: Arc<Integration>,
        today: Date,
        lookups: Arc<Lookups>,
    ) -> Mapping {
        let excluded_words = integration
            .config
            .exclude_statuses
            .iter()
            .map(|word| UniCase::new(name(word)))
            .collect();
        Mapping {
            integration,
            today,
            lookups,
            contexts: BTreeMap::new(),
            excluded_words,
            records: 0,
            entries: Vec::new(),
            notes: Notes::new(),
            unmapped: BTreeMap::new(),
            seen: 0,
        }
    }

    pub(super) fn map(&mut self, record: &Record) {
        self.records += 1;
        let context = self.context(record);
        let script = Arc::clone(&self.integration.script);
        let id = |mapping: &Mapping| {
            let id = mapping
                .integration
                .source
                .record_id(&record.request, &record.json);
            id.unwrap_or_else(|| format!("record {}", mapping.records))
        };
        let mapped = match script.residents(&record.json, &context) {
            Ok(mapped) => mapped,
            Err(error) => {
                let record = id(self);
                return self.push(Entry::Rejected {
                    record,
                    resident: None,
                    message: error.to_string(),
                });
            }
        };
        if mapped.is_empty() {
            let record = id(self);
            return self.push(Entry::Nobody { record });
        }
        for one in mapped {
            let excluded = match self.excluded(&one.resident) {
                Some(reason) => Ok(Some(reason)),
                None => script.exclude(&one, &context),
            };
            let entry = match excluded {
                Ok(excluded) => self.entry(one.resident, excluded),
                Err(error) => Entry::Rejected {
                    record: one.resident.id.clone(),
                    resident: Some(one.resident.id),
                    message: error.to_string(),
                },
            };
            self.push(entry);
        }
    }

    fn push(&mut self, entry: Entry) {
        self.seen += 1;
        self.entries.push(entry);
    }

    fn entry(&mut self, resident: Resident, excluded: Option<String>) -> Entry {
        let country = &self.integration.config.property.country;
        let placeholders = &self.integration.placeholder_emails;
        if let Some(reason) = excluded {
            // What is left out need not be right.
            let mut unread = Notes::new();
            let normal =
                normalise(resident.clone(), country, placeholders, &mut unread).unwrap_or(Normal {
                    resident,
                    keep_phone: false,
                });
            return Entry::Resident {
                normal,
                excluded: Some(reason),
            };
        }
        let id = resident.id.clone();
        match normalise(resident, country, placeholders, &mut self.notes) {
            Ok(mut normal) => {
                let lives_there = normal.resident.status.may_come_in();
                let unit = normal.resident.unit.take();
                normal.resident.unit = unit.and_then(|unit| self.place(unit, lives_there));
                Entry::Resident {
                    normal,
                    excluded: None,
                }
            }
            Err(error) => Entry::Rejected {
                record: id.clone(),
                resident: Some(id),
                message: format!("{}: {}", error.field, error.message),
            },
        }
    }

    /// The unit here (R33–R35); none where units are not synced or the list does not know it.
    fn place(&mut self, unit: Unit, lives_there: bool) -> Option<Unit> {
        let (id, label) = (unit.id.clone(), unit.label.clone());
        match place(unit, &self.integration.config.units) {
            Placed::Here(unit) => Some(unit),
            Placed::Off => None,
            // Where somebody lived once is nothing to be woken for.
            Placed::Unmapped { .. } if !lives_there => None,
            Placed::Unmapped { suggestion } => {
                let remedy =
                    suggestion.map_or_else(String::new, |here| format!("; it looks like `{here}`"));
                let detail = format!(
                    "the PMS's unit `{id}` ({label}) is not mapped, its people have none{remedy}; \
                     add it to units.map of the integration"
                );
                self.unmapped.insert(id, detail);
                None
            }
        }
    }

    /// R6: the exclude list, then who is left out unless `include` says so (§10).
    fn excluded(&self, resident: &Resident) -> Option<String> {
        let word = UniCase::new(name(&resident.status_word));
        if let Some(listed) = self.excluded_words.iter().find(|listed| **listed == word) {
            return Some(format!("status {listed}"));
        }
        let include = match resident.relationship {
            Relationship::Guarantor => Include::Guarantor,
            Relationship::Minor => Include::Minor,
            Relationship::Company => Include::Company,
            Relationship::Primary | Relationship::CoResident | Relationship::Occupant => {
                return None;
            }
        };
        let included = self.integration.config.include.contains(&include);
        (!included).then(|| resident.relationship.as_str().to_owned())
    }

    fn context(&mut self, record: &Record) -> Context {
        let contexts = self
            .contexts
            .entry(Arc::clone(&record.request))
            .or_default();
        if let Some(context) = contexts.get(&record.property) {
            return context.clone();
        }
        let context = Context::new(Inputs {
            today: self.today,
            property: record.property.clone(),
            request: record.request.to_string(),
            integration: self.integration.id.to_string(),
            country: self.integration.config.property.country.clone(),
            fields: self.integration.config.fields.clone(),
            lookups: Arc::clone(&self.lookups),
        });
        contexts.insert(record.property.clone(), context.clone());
        context
    }
}
