//! What is remembered after a run. Only what is different from before is written.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::civil::Date;
use xxhash_rust::xxh3::xxh3_128;

use crate::model::{Decision, Fate, Link, PersonId, Run};
use crate::store::{Standing, Stirred, StoreError, Write};

use super::gather::{Handled, decode, encode, halves, unreadable};
use super::{
    Basis, FORM, Gathered, Header, Memory, PART, Row, key_of, key_of_email, key_of_person, put_row,
};
use crate::rules;
use crate::rules::plan::Plan;

/// Decisions stand for later runs until so much of the feed was decided on since: one in so many records.
const SINCE: usize = 10;
/// Fewer than so many are nothing to write all decisions anew for.
const FEW: usize = 1000;

/// What a run keeps beside the decisions of its plan.
#[derive(Debug)]
pub(in crate::sync) struct Kept {
    /// Decisions about records that it did not look at, where it keeps them all.
    pub(in crate::sync) earlier: Vec<Decision>,
    /// What stands of an earlier run's.
    pub(in crate::sync) standing: Option<Standing>,
}

/// What everything was mapped by.
#[derive(Debug, Clone)]
pub(in crate::sync) struct MappedBy {
    pub(in crate::sync) basis: Basis,
    /// A hash of the script, which is in the basis as well.
    pub(in crate::sync) script: String,
    /// The day, where a script asked for it.
    pub(in crate::sync) today: Option<Date>,
    /// Of the prints.
    pub(in crate::sync) seed: u64,
}

/// Of the records that were looked at, what the next run need not look at.
struct Judged<'p> {
    decisions: Vec<Vec<&'p Decision>>,
    quiet: Vec<bool>,
}

/// Remembers a feed as a plan left it. Where the guard held some of the plan, what is remembered stays as it was, and
/// whoever was written is looked at again.
pub(in crate::sync) fn keep(
    write: &Write,
    report: &Run,
    memory: Option<&Memory>,
    gathered: Gathered,
    plan: &Plan,
    mapped: &MappedBy,
    held: bool,
) -> Result<Kept, StoreError> {
    let integration = &report.integration;
    let since = |row: &Row| row.since;
    let quiet = || {
        let places = gathered.records.iter().filter_map(|place| match place {
            Handled::Quiet(place) => Some(*place),
            Handled::LookedAt(_) => None,
        });
        places.filter_map(|place| memory?.rows.get(place))
    };
    let later = quiet().filter(|row| since(row)).count() + gathered.looked_at.len();
    let base = memory.map(|memory| memory.header.base);
    let stands = match base {
        Some(base) => {
            later * SINCE <= gathered.records.len().max(FEW * SINCE)
                && write.keeps_decisions(base)?
        }
        None => false,
    };
    let mut earlier = Vec::new();
    for row in quiet().filter(|row| !stands || since(row)) {
        let value = write.remembered(integration, row.print.0)?;
        let (_, decided) = halves(value.as_deref().unwrap_or_default())?;
        earlier.extend(decode::<Vec<Decision>>(decided)?);
    }
    let standing = memory.filter(|_| stands).map(|memory| {
        let looked_at = gathered.looked_at.iter().flat_map(|one| &one.subjects);
        let gone = gathered.gone.iter().flat_map(|(_, subjects)| subjects);
        let more = looked_at.chain(gone).cloned();
        Standing {
            base: memory.header.base,
            gone: memory.header.gone.iter().cloned().chain(more).collect(),
        }
    });
    if held {
        let people = plan.people.iter().map(|one| Stirred::Person(one.id));
        let residents = plan
            .links
            .iter()
            .map(|(resident, _)| Stirred::Resident(resident.clone()));
        write.stir(integration, people.chain(residents))?;
    } else {
        let standing = standing.as_ref();
        remember(write, report, memory, gathered, plan, mapped, standing)?;
        write.settle_stirred(integration)?;
    }
    Ok(Kept { earlier, standing })
}

fn remember(
    write: &Write,
    report: &Run,
    memory: Option<&Memory>,
    mut gathered: Gathered,
    plan: &Plan,
    mapped: &MappedBy,
    standing: Option<&Standing>,
) -> Result<(), StoreError> {
    let integration = &report.integration;
    let Judged { decisions, quiet } = judge(&gathered, plan);
    let (absent, shielded) = unnamed(&gathered, plan, memory);
    let mut looked_at = std::mem::take(&mut gathered.looked_at);
    let mut sum = gathered.quiet.clone();
    let mut rows = Rows::default();
    let mut values = Vec::new();
    let mut prints = HashSet::new();
    for place in &gathered.records {
        match *place {
            Handled::Quiet(place) => {
                let Some((memory, row)) =
                    memory.and_then(|memory| Some((memory, memory.rows.get(place)?)))
                else {
                    continue;
                };
                let row = Row {
                    since: row.since && standing.is_some(),
                    ..row.clone()
                };
                rows.put(&row, memory.keys(&row));
            }
            Handled::LookedAt(place) => {
                let (Some(one), Some(decisions), Some(quiet)) = (
                    looked_at.get_mut(place),
                    decisions.get(place),
                    quiet.get(place),
                ) else {
                    continue;
                };
                let settled = decisions.iter().map(|one| Decision::clone(one).settled());
                let decisions: Vec<Decision> = settled.collect();
                let mut keys = one.keys.clone();
                let people = decisions.iter().filter_map(|decision| decision.person);
                keys.extend(people.map(key_of_person));
                keys.sort_unstable();
                keys.dedup();
                let row = Row {
                    quiet: *quiet && u8::try_from(keys.len()).is_ok(),
                    since: standing.is_some(),
                    ..one.row.clone()
                };
                if row.quiet {
                    sum.count(&decisions, one.adds.as_deref(), true);
                }
                rows.put(&row, &keys);
                let decided = encode(&decisions)?;
                let is_new = prints.insert(row.print);
                if is_new && (one.before.is_none() || decided != one.decided) {
                    let mut value = std::mem::take(&mut one.made);
                    value.extend(decided);
                    values.push((row.print.0, Some(value)));
                }
            }
        }
    }
    match memory {
        None => write.forget_feed(integration)?,
        Some(memory) => {
            let gone = gathered
                .gone
                .iter()
                .filter_map(|(place, _)| memory.rows.get(*place));
            let gone = gone.filter(|row| !prints.contains(&row.print));
            values.extend(gone.map(|row| (row.print.0, None)));
        }
    }
    values.sort_unstable_by_key(|(print, _)| *print);
    let mut changed = !values.is_empty();
    write.remember(integration, values)?;
    let before = memory
        .map(|memory| memory.parts.as_slice())
        .unwrap_or_default();
    for (place, part) in rows.parts.iter().enumerate() {
        if before.get(place) != Some(&xxh3_128(part)) {
            write.put_feed(integration, number(place + 1), part)?;
            changed = true;
        }
    }
    if rows.parts.len() < before.len() {
        write.cut_feed(integration, number(rows.parts.len() + 1))?;
        changed = true;
    }
    let header = Header {
        form: FORM,
        rules: rules::VERSION,
        script: Some(mapped.script.clone()),
        serial: memory.map_or(0, |memory| memory.header.serial),
        basis: mapped.basis.0.clone(),
        today: mapped.today,
        seed: mapped.seed,
        quiet: sum,
        absent,
        shielded,
        base: standing.map_or(report.id, |standing| standing.base),
        gone: standing
            .map(|standing| standing.gone.clone())
            .unwrap_or_default(),
    };
    if changed || memory.is_none_or(|memory| memory.header != header) {
        let header = Header {
            serial: header.serial + 1,
            ..header
        };
        let header = serde_json::to_vec(&header).map_err(|_| unreadable())?;
        write.put_feed(integration, 0, &header)?;
    }
    Ok(())
}

fn number(part: usize) -> u32 {
    u32::try_from(part).unwrap_or(u32::MAX)
}

/// Records as they are written.
#[derive(Default)]
struct Rows {
    parts: Vec<Vec<u8>>,
    count: usize,
}

impl Rows {
    fn put(&mut self, row: &Row, keys: &[u64]) {
        if self.count.is_multiple_of(PART) {
            self.parts.push(Vec::new());
        }
        self.count += 1;
        if let Some(part) = self.parts.last_mut() {
            put_row(part, row, keys);
        }
    }
}

/// Residents by the record that protects them.
type Shielded = BTreeMap<String, BTreeSet<String>>;

/// Who is linked, not over, and not in the feed: those whom nothing tells of, and those whose record is there and could not
/// be read.
fn unnamed(
    gathered: &Gathered,
    plan: &Plan,
    memory: Option<&Memory>,
) -> (BTreeSet<String>, Shielded) {
    let records = || gathered.looked_at.iter();
    let adds = || records().filter_map(|one| one.adds.as_deref());
    let looked_at: HashSet<&String> = records().flat_map(|one| &one.subjects).collect();
    let unread: HashSet<&String> = adds().flat_map(|adds| &adds.unread).collect();
    let gone: HashSet<&String> = gathered.gone.iter().flat_map(|(_, ids)| ids).collect();
    // In a record with nobody in it its id names nobody, unless another record does.
    let named = records().flat_map(|one| {
        let of = one.adds.as_deref().map_or(&[][..], |adds| &adds.nobodys);
        one.subjects
            .iter()
            .filter(move |subject| !of.contains(subject))
    });
    let named: HashSet<&String> = named.collect();
    let written: HashMap<&str, &Link> = plan
        .links
        .iter()
        .map(|(resident, link)| (resident.as_str(), link))
        .collect();
    let mut absent = BTreeSet::new();
    // Those whose record was not looked at.
    let before = memory.map(|memory| memory.header.shielded.clone());
    let mut shielded = before.unwrap_or_default();
    shielded.retain(|record, _| !looked_at.contains(record) && !gone.contains(record));
    for (resident, link) in &gathered.links {
        let now = written.get(resident.as_str()).copied().unwrap_or(link);
        if now.status.is_closed() {
            continue;
        }
        let of = now.record.as_ref();
        if let Some(record) = of.filter(|record| unread.contains(record)) {
            let residents = shielded.entry(record.clone()).or_default();
            residents.insert(resident.clone());
        } else if !named.contains(resident) {
            absent.insert(resident.clone());
        }
    }
    (absent, shielded)
}

fn judge<'p>(gathered: &Gathered, plan: &'p Plan) -> Judged<'p> {
    let looked_at = &gathered.looked_at;
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut prints: HashMap<_, u32> = HashMap::new();
    for (place, one) in looked_at.iter().enumerate() {
        for subject in &one.subjects {
            first.entry(subject).or_insert(place);
        }
        *prints.entry(one.row.print).or_default() += 1;
    }
    let mut with: HashMap<PersonId, &str> = HashMap::new();
    let mut together = HashSet::new();
    for decision in &plan.decisions {
        if let Some(person) = decision.person {
            let one = with.entry(person).or_insert(&decision.subject);
            if *one != decision.subject {
                together.insert(person);
            }
        }
    }
    let alone = |decision: &Decision| {
        let person = decision.person;
        person.is_none_or(|person| !together.contains(&person))
    };
    let mut restless: HashSet<&str> = HashSet::new();
    // Whom no run writes to: of their status word nobody is told.
    let mut pinned: HashSet<&str> = HashSet::new();
    let mut decisions: Vec<Vec<&Decision>> = vec![Vec::new(); looked_at.len()];
    for decision in &plan.decisions {
        if !rests(decision, alone(decision)) {
            restless.insert(&decision.subject);
        }
        if decision.rule == "pin" {
            pinned.insert(&decision.subject);
        }
        let place = first.get(decision.subject.as_str());
        if let Some(decisions) = place.and_then(|place| decisions.get_mut(*place)) {
            decisions.reserve_exact(1);
            decisions.push(decision);
        }
    }
    let told = told(plan);
    let written = written(plan);
    let quiet = looked_at.iter().zip(&decisions).map(|(one, decisions)| {
        let people = decisions.iter().filter_map(|decision| decision.person);
        let mut keys = one.keys.iter().copied().chain(people.map(key_of_person));
        let any = |of: &HashSet<&str>| {
            one.subjects
                .iter()
                .any(|subject| of.contains(subject.as_str()))
        };
        let is_restless = one.restless
            || prints.get(&one.row.print) != Some(&1)
            || any(&restless)
            || one.has_unknown_word() && any(&pinned);
        let is_told = keys.any(|key| told.contains(&key));
        // Whom it made nobody of may be who this run wrote.
        let is_outdated = decisions.iter().any(|one| is_left_alone(one))
            && one.keys.iter().any(|key| written.contains(key));
        !(is_restless || is_told || is_outdated)
    });
    let quiet = quiet.collect();
    Judged { decisions, quiet }
}

/// Whether the next run decides the same about whoever came in, or was settled. `alone`: no other resident is the
/// same person.
fn rests(decision: &Decision, alone: bool) -> bool {
    match decision.fate {
        // What is kept because of somebody absent is decided anew by every run (R25).
        Fate::Unchanged => decision.rule != "R25",
        // A record that could not be mapped is rejected by the same words until it changes, or the script.
        Fate::Excluded | Fate::Ineligible | Fate::Rejected => true,
        Fate::Created | Fate::Linked | Fate::Updated => {
            // Who left by a record that is left out is excluded in the next run, like anybody else (R8).
            let was_left_out = decision.rule == "R8" && !decision.reason.is_empty();
            alone && !was_left_out && decision.rule != "R22" && decision.rule != "R25"
        }
        Fate::Held | Fate::Flagged => false,
    }
}

/// Whether a record made nobody, and may be another id of somebody who is linked (R22).
fn is_left_alone(decision: &Decision) -> bool {
    decision.person.is_none() && matches!(decision.fate, Fate::Ineligible | Fate::Excluded)
}

/// The emails of whoever this run writes: it matched others against them as they were.
fn written(plan: &Plan) -> HashSet<u64> {
    let emails = plan.people.iter().filter_map(|one| one.email.as_deref());
    emails.map(key_of_email).collect()
}

/// Whom alerts are about that the next run has to raise again.
fn told(plan: &Plan) -> HashSet<u64> {
    let mut keys = HashSet::new();
    for alert in plan.alerts.raised.iter().chain(&plan.alerts.refreshed) {
        keys.insert(key_of(&alert.subject));
        if let Ok(person) = alert.subject.parse() {
            keys.insert(key_of_person(person));
        }
        for side in &alert.sides {
            keys.extend(side.resident.as_deref().map(key_of));
            keys.extend(side.person.map(key_of_person));
        }
    }
    keys
}
