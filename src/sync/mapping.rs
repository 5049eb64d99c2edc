//! Records to entries: the script, the normal forms, and what is excluded (R6). Knows nothing of people.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use tokio_util::sync::CancellationToken;
use unicase::UniCase;

use crate::catalog::Integration;
use crate::config::{Include, Units};
use crate::model::{
    self, Printer, Record, Relationship, Resident, RuleSeen, Spool, SpoolError, Step, Unit,
};
use crate::script::{Context, Inputs, Lookups, Mapped, ScriptError, Wrong, missed};

use super::cores::{CORES, on_cores};
use super::memory::{Made, Memory, Takings};
use super::struck::struck;
use crate::rules::entry::Entry;
use crate::rules::normal::{Normal, Notes, name, normalise};
use crate::rules::units::{Placed, place, unmapped};

/// A page with fewer records to map is mapped where it is.
const WORTH_CORES: usize = 64;

/// What the `number`th record of a feed is called that has no id.
fn by_number(number: u64) -> String {
    format!("record {number}")
}

/// Maps the records of one run.
pub(super) struct Mapping {
    integration: Arc<Integration>,
    today: Date,
    lookups: Arc<Lookups>,
    unread: Arc<BTreeMap<String, String>>,
    contexts: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Context>>,
    excluded_words: Vec<UniCase<String>>,
    units: Units,
    seed: u64,
    memory: Option<Arc<Memory>>,
    records: u64,
    /// Whose way is kept, step by step.
    watched: Option<String>,
    pub(super) steps: Vec<Step>,
    /// The records, in the order of the feed.
    pub(super) taken: Takings,
    /// Where what was made of them goes.
    pub(super) spool: Arc<dyn Spool>,
    /// The PMS properties that sent records; empty where the PMS is asked for all of them at once.
    heard: BTreeSet<Arc<str>>,
    /// How many residents were mapped.
    pub(super) mapped: u64,
    /// Where what is read now begins.
    begun: Begun,
}

/// How far mapping had come when something began that may be read once more.
#[derive(Default)]
struct Begun {
    records: u64,
    taken: usize,
    steps: usize,
    mapped: u64,
    /// The PMS properties that had sent records by then.
    heard: BTreeSet<Arc<str>>,
}

/// Whose record it is that could not be mapped, as far as mapping came.
struct Whose {
    record: String,
    has_id: bool,
    resident: Option<String>,
}

impl Whose {
    /// Of a resident's.
    fn resident(id: String) -> Whose {
        Whose {
            record: id.clone(),
            has_id: true,
            resident: Some(id),
        }
    }

    /// Of one of a list who is none, while the others of the record come in. Where nobody knows their id, it is not for
    /// the record's to say whose it is: the others stand under that.
    fn member(wrong: &Wrong, record: impl Fn() -> String) -> Whose {
        match &wrong.id {
            Some(id) => Whose::resident(id.clone()),
            None => Whose {
                record: format!("{}, resident {}", record(), wrong.place),
                has_id: false,
                resident: None,
            },
        }
    }

    /// What is kept of an error of the script: a text that it threw may hold whose record it is, which must not stand
    /// in a report.
    fn rejected(self, mut error: ScriptError, record: &Record) -> Entry {
        if error.thrown {
            error.message = struck(&error.message, &record.json);
        }
        let (place, message) = (error.at(), error.says());
        self.stopped_at(place, message)
    }

    fn stopped_at(self, place: String, message: String) -> Entry {
        let Whose {
            record,
            has_id,
            resident,
        } = self;
        Entry::Rejected {
            record,
            has_id,
            resident,
            place,
            message,
        }
    }
}

impl Mapping {
    pub(super) fn new(
        integration: Arc<Integration>,
        today: Date,
        lookups: Arc<Lookups>,
        spool: Arc<dyn Spool>,
    ) -> Mapping {
        let excluded_words = integration
            .config
            .exclude_statuses
            .iter()
            .map(|word| UniCase::new(name(word)))
            .collect();
        Mapping {
            units: integration.config.units.clone(),
            integration,
            today,
            lookups,
            unread: Arc::default(),
            contexts: BTreeMap::new(),
            excluded_words,
            seed: 0,
            memory: None,
            records: 0,
            watched: None,
            steps: Vec::new(),
            taken: Takings::to(&spool),
            spool,
            heard: BTreeSet::new(),
            mapped: 0,
            begun: Begun::default(),
        }
    }

    /// Knows units that somebody mapped by hand as well. What the files say goes before; without a list in them
    /// labels are the units, and nothing is mapped.
    pub(super) fn with_units(mut self, by_hand: BTreeMap<String, String>) -> Mapping {
        let units = &mut self.units;
        if !units.here.is_empty() || !units.map.is_empty() {
            for (unit, here) in by_hand {
                units.map.entry(unit).or_insert(here);
            }
        }
        self
    }

    /// Knows which lookups were not read, and why.
    pub(super) fn without(mut self, unread: BTreeMap<String, String>) -> Mapping {
        self.unread = Arc::new(unread);
        self
    }

    /// Why what was mapped does not count: a script asked for a lookup that was not read.
    pub(super) fn unread(&self) -> Option<(&str, &str)> {
        let mut contexts = self.contexts.values().flat_map(BTreeMap::values);
        let lookup = contexts.find_map(Context::asked_unread)?;
        let (lookup, why) = self.unread.get_key_value(lookup)?;
        Some((lookup, why))
    }

    /// Makes prints with this seed, beside what is remembered.
    pub(super) fn beside(mut self, seed: u64, memory: Option<Arc<Memory>>) -> Mapping {
        self.seed = seed;
        self.memory = memory;
        self
    }

    /// Whether a script asked for the date.
    pub(super) fn asked_today(&self) -> bool {
        let mut contexts = self.contexts.values().flat_map(BTreeMap::values);
        contexts.any(Context::asked_today)
    }

    /// Keeps the way of one resident, by their PMS id or by their record's.
    pub(super) fn watching(mut self, resident: Option<String>) -> Mapping {
        self.watched = resident;
        self
    }

    /// The attached PMS properties that sent nothing, where each was asked for its own.
    pub(super) fn silent(&self) -> BTreeSet<String> {
        let attached = &self.integration.config.pms_properties;
        if self.heard.contains("") {
            return BTreeSet::new();
        }
        let silent = attached
            .iter()
            .filter(|one| !self.heard.contains(one.as_str()));
        silent.cloned().collect()
    }

    /// Maps the records of a page, on all cores where it is worth it; what comes out is in the order of the records.
    /// Stops before its end, with nothing of the page, when nobody waits for it any more.
    pub(super) fn map(&mut self, records: &[Record], dropped: &CancellationToken) {
        let mut unknown: Vec<(&Record, Context, u64)> = Vec::new();
        for record in records {
            self.records += 1;
            if !self.heard.contains(&record.property) {
                self.heard.insert(Arc::clone(&record.property));
            }
            if record.known.is_none() {
                unknown.push((record, self.context(record), self.records));
            }
        }
        let cores = if unknown.len() < WORTH_CORES {
            1
        } else {
            *CORES
        };
        let made = on_cores(cores, &unknown, |(record, context, number)| {
            (!dropped.is_cancelled()).then(|| self.made(record, context, *number))
        });
        let Some(made) = made else { return };
        let mut made = made.into_iter();
        for record in records {
            if let Some(place) = record.known {
                let memory = self.memory.as_ref();
                self.mapped += memory.map_or(0, |memory| memory.entries(place));
                self.taken.know(place);
            } else if let Some((made, step)) = made.next() {
                self.mapped += made.entries.len() as u64;
                self.taken.make(*made);
                self.steps.extend(step);
            }
        }
    }

    /// What comes now may be read once more from here.
    pub(super) fn begin(&mut self) {
        self.begun = Begun {
            records: self.records,
            taken: self.taken.len(),
            steps: self.steps.len(),
            mapped: self.mapped,
            heard: self.heard.clone(),
        };
    }

    /// Forgets what has come since the last beginning, and is read once more; says how many records there were.
    pub(super) fn forget(&mut self) -> Result<u64, SpoolError> {
        let begun = &self.begun;
        let forgotten = self.records - begun.records;
        self.records = begun.records;
        self.taken.truncate(begun.taken)?;
        self.steps.truncate(begun.steps);
        self.mapped = begun.mapped;
        self.heard.clone_from(&begun.heard);
        Ok(forgotten)
    }

    /// What is made of the `number`th record of the feed.
    fn made(&self, record: &Record, context: &Context, number: u64) -> (Box<Made>, Option<Step>) {
        let printer = Printer::new(self.seed, &record.request, &record.property);
        let print = printer.print(&record.json);
        let mut made = Box::new(Made::of(print, record.json.len()));
        let _ = missed();
        let step = self.make(record, context, number, &mut made);
        for lookup in missed() {
            *made
                .notes
                .entry(format!("not_in_lookup:{lookup}"))
                .or_default() += 1;
        }
        made.keep_place(&by_number(number), number);
        made.encode();
        (made, step)
    }

    fn make(
        &self,
        record: &Record,
        context: &Context,
        number: u64,
        made: &mut Made,
    ) -> Option<Step> {
        let script = &self.integration.script;
        let given = || {
            let source = &self.integration.source;
            source.record_id(&record.request, &record.json)
        };
        let by_number = || by_number(number);
        let id = || given().unwrap_or_else(by_number);
        let mapped = match script.residents(&record.json, context) {
            Ok(mapped) => mapped,
            Err(error) => {
                let given = given();
                let whose = Whose {
                    has_id: given.is_some(),
                    record: given.unwrap_or_else(by_number),
                    resident: None,
                };
                let error_text = Some(error.to_string());
                let step = self.step(record, &whose.record, Vec::new(), error_text);
                made.entries = vec![whose.rejected(error, record)];
                return step;
            }
        };
        let watched = self.watched.as_ref();
        let step = watched.and_then(|_| {
            let residents = self.ways(mapped.iter().flatten(), context);
            let wrong = || mapped.iter().filter_map(|one| one.as_ref().err());
            let errors: Vec<String> = wrong().map(|wrong| wrong.error.to_string()).collect();
            let error = (!errors.is_empty()).then(|| errors.join("; "));
            let theirs = wrong().find(|wrong| wrong.id == self.watched);
            let about = theirs.and_then(|wrong| wrong.id.clone()).unwrap_or_else(id);
            self.step(record, &about, residents, error)
        });
        if mapped.is_empty() {
            made.entries = vec![Entry::Nobody { record: id() }];
        }
        made.entries.reserve_exact(mapped.len());
        let of = Of {
            property: &record.property,
            record: given(),
        };
        for one in mapped {
            let one = match one {
                Ok(one) => one,
                Err(wrong) => {
                    let whose = Whose::member(&wrong, id);
                    made.entries.push(whose.rejected(wrong.error, record));
                    continue;
                }
            };
            let excluded = match self.excluded(&one.resident) {
                Some(reason) => Ok(Some(reason)),
                None => script.exclude(&one, context),
            };
            let entry = match excluded {
                Ok(excluded) => self.entry(one.resident, excluded, &of, made),
                Err(error) => Whose::resident(one.resident.id).rejected(error, record),
            };
            made.entries.push(entry);
        }
        step
    }

    fn entry(
        &self,
        resident: Resident,
        excluded: Option<String>,
        of: &Of<'_>,
        made: &mut Made,
    ) -> Entry {
        let property = Some(of.property)
            .filter(|property| !property.is_empty())
            .map(String::from);
        let record = of.record.clone().filter(|record| *record != resident.id);
        let country = &self.integration.config.property.country;
        let placeholders = &self.integration.placeholder_emails;
        if let Some(reason) = excluded {
            // What is left out need not be right.
            let mut unread = Notes::new();
            let normal =
                normalise(resident.clone(), country, placeholders, &mut unread).unwrap_or(Normal {
                    resident,
                    keep_phone: false,
                    reversed: false,
                });
            return Entry::Resident {
                normal,
                excluded: Some(reason),
                property,
                record,
            };
        }
        let id = resident.id.clone();
        match normalise(resident, country, placeholders, &mut made.notes) {
            Ok(mut normal) => {
                let lives_there = normal.resident.status.may_come_in();
                let unit = normal.resident.unit.take();
                normal.resident.unit = unit.and_then(|unit| self.place(unit, lives_there, made));
                Entry::Resident {
                    normal,
                    excluded: None,
                    property,
                    record,
                }
            }
            Err(error) => {
                let (place, message) = (error.field.into(), error.message.into());
                Whose::resident(id).stopped_at(place, message)
            }
        }
    }

    /// The unit here (R33–R35); none where units are not synced or the list does not know it.
    fn place(&self, unit: Unit, lives_there: bool, made: &mut Made) -> Option<Unit> {
        let asked = unit.clone();
        match place(unit, &self.units) {
            Placed::Here(unit) => Some(unit),
            Placed::ByFormerId(unit) => {
                let note = "unit_by_former_id".to_owned();
                *made.notes.entry(note).or_default() += 1;
                Some(unit)
            }
            Placed::Off => None,
            // Where somebody lived once is nothing to be woken for.
            Placed::Unmapped { .. } if !lives_there => None,
            Placed::Unmapped { suggestion } => {
                let detail = unmapped(&asked, suggestion.as_deref());
                made.unmapped.insert(asked.id, detail);
                None
            }
        }
    }

    /// R6: the exclude list, then who is left out unless `include` says so (§10).
    fn excluded(&self, resident: &Resident) -> Option<String> {
        self.rules(resident).find_map(|rule| rule.takes)
    }

    /// The exclusion rules before the script's, in their order, each with the value that it sees.
    fn rules<'a>(&'a self, resident: &'a Resident) -> impl Iterator<Item = RuleTold<'a>> {
        let word = name(&resident.status_word);
        let statuses = self.excluded_words.iter().map(move |listed| RuleTold {
            rule: Rule::Status(listed),
            saw: &resident.status_word,
            takes: (*listed == UniCase::new(word.clone())).then(|| format!("status {listed}")),
        });
        let include = match resident.relationship {
            Relationship::Guarantor => Some(Include::Guarantor),
            Relationship::Minor => Some(Include::Minor),
            Relationship::Company => Some(Include::Company),
            Relationship::Primary | Relationship::CoResident | Relationship::Occupant => None,
        };
        let relationship = resident.relationship.as_str();
        let left_out =
            include.is_some_and(|include| !self.integration.config.include.contains(&include));
        statuses.chain(std::iter::once(RuleTold {
            rule: Rule::Include,
            saw: relationship,
            takes: left_out.then(|| relationship.to_owned()),
        }))
    }

    /// The ways of the residents of a record, as `map` goes them.
    fn ways<'a>(
        &self,
        mapped: impl Iterator<Item = &'a Mapped>,
        context: &Context,
    ) -> Vec<model::Mapping> {
        let settings = &self.integration.config;
        mapped
            .map(|one| {
                let mut exclusions: Vec<RuleSeen> = Vec::new();
                for told in self.rules(&one.resident) {
                    let taken = told.takes.is_some();
                    exclusions.push(self.seen(told));
                    if taken {
                        break;
                    }
                }
                if exclusions.iter().all(|rule| rule.takes.is_none()) {
                    let (takes, error) = match self.integration.script.exclude(one, context) {
                        Ok(reason) => (reason, None),
                        Err(error) => (None, Some(error.to_string())),
                    };
                    exclusions.push(RuleSeen {
                        rule: "the script's exclude".into(),
                        from: None,
                        saw: "the resident as mapped".into(),
                        takes,
                        error,
                    });
                }
                let normal = normalise(
                    one.resident.clone(),
                    &settings.property.country,
                    &self.integration.placeholder_emails,
                    &mut Notes::new(),
                );
                let (normal, error) = match normal {
                    Ok(mut normal) => {
                        let unit = normal.resident.unit.take();
                        normal.resident.unit = match unit.map(|unit| place(unit, &self.units)) {
                            Some(Placed::Here(unit) | Placed::ByFormerId(unit)) => Some(unit),
                            _ => None,
                        };
                        (Some(normal.resident), None)
                    }
                    Err(error) => (None, Some(format!("{}: {}", error.field, error.message))),
                };
                model::Mapping {
                    mapped: one.resident.clone(),
                    normal,
                    error,
                    exclusions,
                }
            })
            .collect()
    }

    /// The step, where it is one of the watched resident.
    fn step(
        &self,
        record: &Record,
        id: &str,
        residents: Vec<model::Mapping>,
        error: Option<String>,
    ) -> Option<Step> {
        let watched = self.watched.as_ref()?;
        let is_theirs = id == watched || residents.iter().any(|one| one.mapped.id == *watched);
        is_theirs.then(|| Step {
            request: record.request.to_string(),
            property: record.property.to_string(),
            record: serde_json::from_str(&model::exact(&record.json)).unwrap_or_default(),
            residents,
            error,
        })
    }

    /// What the script is told beside the record: the same for each request and property.
    fn context(&mut self, record: &Record) -> Context {
        let contexts = self.contexts.entry(Arc::clone(&record.request));
        let contexts = contexts.or_default();
        if let Some(context) = contexts.get(&*record.property) {
            return context.clone();
        }
        let context = Context::new(Inputs {
            today: self.today,
            property: record.property.to_string(),
            request: record.request.to_string(),
            integration: self.integration.id.to_string(),
            country: self.integration.config.property.country.clone(),
            timezone: self.integration.config.property.timezone.clone(),
            properties: self.integration.config.pms_properties.clone(),
            fields: self.integration.config.fields.clone(),
            lookups: Arc::clone(&self.lookups),
            unread: Arc::clone(&self.unread),
            grant: None,
        });
        contexts.insert(Arc::clone(&record.property), context.clone());
        context
    }
}

/// The record that a resident is made of.
struct Of<'a> {
    property: &'a str,
    record: Option<String>,
}

/// An exclusion rule, looking at a resident.
struct RuleTold<'a> {
    rule: Rule<'a>,
    saw: &'a str,
    takes: Option<String>,
}

enum Rule<'a> {
    /// A word of `exclude_statuses`.
    Status(&'a UniCase<String>),
    /// Who is left out unless `include` names them.
    Include,
}

impl Mapping {
    /// A rule as people are shown it, with the file that has it.
    fn seen(&self, told: RuleTold<'_>) -> RuleSeen {
        let (rule, from) = match told.rule {
            Rule::Status(word) => {
                let mut settings = self.integration.settings.iter();
                let list = settings.find(|one| one.key == "exclude_statuses");
                let from = list.and_then(|list| list.from.clone());
                (format!("exclude_statuses: {word}"), from)
            }
            Rule::Include => ("include".into(), None),
        };
        RuleSeen {
            rule,
            from,
            saw: told.saw.to_owned(),
            takes: told.takes,
            error: None,
        }
    }
}
