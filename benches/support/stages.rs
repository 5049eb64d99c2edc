//! What one record costs in each stage of a run, on one thread and without a network: the functions that a run calls,
//! in their order, each over all records before the next begins.

use std::hint::black_box;
use std::path::PathBuf;

use epms::catalog::Integration;
use epms::config::Format;
use epms::model::{Resident, RunId};
use epms::rules::{BadDates, Entry, Inputs, Notes, Odd, Plan, normalise, plan};
use epms::script::{Context, Inputs as ScriptInputs};
use epms::source::{Path, Shape, records_of};
use epms::store::{Property, Store, Write};
use jiff::Timestamp;
use redb::TableDefinition;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::invented::{Expected, Round, pages};
use super::usage::measured;
use super::{by_hand, home};

/// Measures all stages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stages {
    pub(crate) home: PathBuf,
    pub(crate) records: u64,
}

/// Goes through all stages once, for their instructions to be counted in one of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Repeat {
    pub(crate) home: PathBuf,
    pub(crate) records: u64,
    pub(crate) stage: Stage,
}

/// A stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// The answer into records.
    Split,
    /// A record into residents, by the script; decoding it included.
    Map,
    /// The normal forms.
    Normal,
    /// What is written of newcomers.
    PlanFirst,
    /// Writing that.
    CommitFirst,
    /// What is written when nothing changed.
    PlanUnchanged,
    /// Writing that: the decisions alone.
    CommitUnchanged,
    /// By hand: the answer into records.
    SplitByHand,
    /// By hand: a record into a person in the normal forms.
    MapByHand,
    /// By hand: a person into a table.
    CommitByHand,
}

impl Stage {
    pub(crate) const ALL: [Stage; 10] = [
        Stage::Split,
        Stage::Map,
        Stage::Normal,
        Stage::PlanFirst,
        Stage::CommitFirst,
        Stage::PlanUnchanged,
        Stage::CommitUnchanged,
        Stage::SplitByHand,
        Stage::MapByHand,
        Stage::CommitByHand,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Stage::Split => "split",
            Stage::Map => "map",
            Stage::Normal => "normal",
            Stage::PlanFirst => "plan_first",
            Stage::CommitFirst => "commit_first",
            Stage::PlanUnchanged => "plan_unchanged",
            Stage::CommitUnchanged => "commit_unchanged",
            Stage::SplitByHand => "split_by_hand",
            Stage::MapByHand => "map_by_hand",
            Stage::CommitByHand => "commit_by_hand",
        }
    }
}

/// Seconds of the processor for one record, by stage: other than the clock's they do not tell of a busy machine.
pub(crate) fn stages(task: &Stages) -> Vec<(Stage, f64)> {
    let mut took = Vec::new();
    through(&task.home, task.records, |stage, work| {
        let ((), usage) = measured(work);
        took.push((stage, usage.cpu / count(task.records)));
    });
    took
}

pub(crate) fn repeat(task: &Repeat) {
    through(&task.home, task.records, |stage, work| {
        if stage == task.stage {
            counted(work);
        } else {
            work();
        }
    });
}

/// Callgrind counts inside this function alone.
#[inline(never)]
pub(crate) fn counted(work: &mut dyn FnMut()) {
    black_box(&work);
    work();
    black_box(&work);
}

fn count(records: u64) -> f64 {
    f64::from(u32::try_from(records).unwrap())
}

/// Goes through all stages; `each` must do the work that it is given, once.
fn through(root: &std::path::Path, residents: u64, mut each: impl FnMut(Stage, &mut dyn FnMut())) {
    let integration = home::all(root);
    let folder = tempfile::TempDir::new().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let pages = pages(residents, Round::First);

    let shape = Shape::new(Format::Json, Path::parse("data").unwrap());
    let mut records: Vec<Box<str>> = Vec::new();
    each(Stage::Split, &mut || {
        for page in &pages {
            records.extend(records_of(&shape, page.as_bytes()).unwrap());
        }
    });
    let mut raw = Vec::new();
    each(Stage::SplitByHand, &mut || {
        for page in &pages {
            let page: Raw<'_> = serde_json::from_str(page).unwrap();
            raw.extend(page.data.iter().map(|record| record.get()));
        }
    });
    assert_eq!(records.len(), raw.len());

    warm(&integration);
    let context = context(&integration);
    let mut mapped = Vec::new();
    each(Stage::Map, &mut || {
        for record in &records {
            let residents = integration.script.residents(record, &context).unwrap();
            mapped.extend(residents.into_iter().map(|one| one.unwrap().resident));
        }
    });
    let mut typed = Vec::new();
    each(Stage::MapByHand, &mut || {
        for record in &raw {
            let record: by_hand::Record<'_> = serde_json::from_str(record).unwrap();
            typed.extend(by_hand::person(&record));
        }
    });

    let (mut entries, mut given) = (Vec::new(), Some(mapped));
    each(Stage::Normal, &mut || {
        let given = given.take().unwrap().into_iter();
        entries.extend(given.map(|resident| entry(&integration, resident)));
    });
    let normal = entries.iter().filter_map(|entry| match entry {
        Entry::Resident {
            normal,
            excluded: None,
            ..
        } => Some(&normal.resident),
        _ => None,
    });
    assert!(normal.eq(&typed), "what was measured is not the same");

    let again = entries.clone();
    for (entries, planning, committing) in [
        (entries, Stage::PlanFirst, Stage::CommitFirst),
        (again, Stage::PlanUnchanged, Stage::CommitUnchanged),
    ] {
        let write = store.write().unwrap();
        let (mut entries, mut planned) = (Some(entries), Plan::default());
        each(planning, &mut || {
            planned = plan_of(&integration, &write, entries.take().unwrap());
        });
        let people = Expected::of(residents).people;
        let done = planned.counts.created + planned.counts.unchanged;
        assert_eq!(done, people, "{:?}", planned.counts);
        let mut write = Some(write);
        each(committing, &mut || {
            commit(&integration, write.take().unwrap(), &planned);
        });
    }

    each(Stage::CommitByHand, &mut || {
        by_hand_commit(&folder.path().join("by-hand.redb"), &typed);
    });
}

/// A page, split by hand.
#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
}

fn context(integration: &Integration) -> Context {
    Context::new(ScriptInputs {
        today: jiff::civil::date(2026, 3, 1),
        property: "all".into(),
        request: "residents".into(),
        integration: integration.id.to_string(),
        country: integration.config.property.country.clone(),
        timezone: integration.config.property.timezone.clone(),
        properties: integration.config.pms_properties.clone(),
        fields: integration.config.fields.clone(),
        ..ScriptInputs::default()
    })
}

/// Maps one record until it is mapped: callgrind takes so long to see code for the first time that the script's deadline
/// may be over meanwhile.
pub(crate) fn warm(integration: &Integration) {
    let (mut record, context) = (String::new(), context(integration));
    super::invented::record(&mut record, 0, Round::First);
    let mapped = || integration.script.residents(&record, &context).is_ok();
    assert!((0..20).any(|_| mapped()), "the script maps nothing");
}

fn entry(integration: &Integration, resident: Resident) -> Entry {
    let (country, placeholders) = (
        &integration.config.property.country,
        &integration.placeholder_emails,
    );
    let excluded = &integration.config.exclude_statuses;
    let excluded = excluded.iter().find(|word| **word == resident.status_word);
    Entry::Resident {
        record: None,
        excluded: excluded.cloned(),
        property: Some("all".into()),
        normal: normalise(resident, country, placeholders, &mut Notes::new()).unwrap(),
    }
}

/// The run of the stages; its number does not matter.
const RUN: RunId = RunId(1);

fn plan_of(integration: &Integration, write: &Write, entries: Vec<Entry>) -> Plan {
    let id = &integration.id;
    let mut inputs = Inputs {
        integration: id,
        run: RUN,
        now: Timestamp::UNIX_EPOCH,
        not_understood: false,
        email_change: integration.config.email_change,
        missing_after: integration.config.missing_after,
        entries: entries.into_iter().collect(),
        unmapped: std::collections::BTreeMap::new(),
        bad_dates: BadDates::default(),
        links: write.links(id).unwrap(),
        rulings: write.rulings(id).unwrap(),
        alerts: write.alerts(id).unwrap(),
        resting: std::collections::BTreeMap::new(),
        cut_emails: std::collections::BTreeSet::new(),
        odd: Odd::default(),
    };
    let property = Property::of(write, &integration.id).unwrap();
    let plan = plan(&mut inputs, &property).unwrap();
    property.settle().unwrap();
    plan
}

fn commit(integration: &Integration, write: Write, plan: &Plan) {
    write
        .people()
        .unwrap()
        .put_many(plan.people.iter())
        .unwrap();
    write
        .put_many_links(&integration.id, plan.links.iter())
        .unwrap();
    assert!(plan.alerts.raised.is_empty());
    write.append_many_changes(plan.changes.iter()).unwrap();
    write
        .put_decisions(&integration.id, RUN, plan.decisions.iter(), None, 24)
        .unwrap();
    write.commit().unwrap();
}

fn by_hand_commit(file: &std::path::Path, people: &[Resident]) {
    const PEOPLE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("people");
    let database = redb::Database::create(file).unwrap();
    let transaction = database.begin_write().unwrap();
    let mut table = transaction.open_table(PEOPLE).unwrap();
    for resident in people {
        let value = serde_json::to_vec(resident).unwrap();
        table.insert(resident.id.as_str(), &*value).unwrap();
    }
    drop(table);
    transaction.commit().unwrap();
}
