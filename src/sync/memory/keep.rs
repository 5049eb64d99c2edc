//! What is remembered after a run. Only what is different from before is written.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::civil::Date;
use minicbor::{Decode, Encode};
use xxhash_rust::xxh3::xxh3_128;

use crate::model::{Decision, Fate, IntegrationId, PersonId, Run, SpoolError, Spooled};
use crate::store::{Standing, Stirred, StoreError, Write};

use super::gather::{Handled, LookedAt, decode, encode, halves, unreadable};
use super::taken::made_at;
use super::{
    Basis, FORM, Gathered, Header, Made, Memory, PART, Row, key_of, key_of_email, key_of_person,
    put_row, subject,
};
use crate::rules;
use crate::rules::groups::{Mark, mark};
use crate::rules::plan::Plan;

/// Decisions stand for later runs until so much of the feed was decided on since: one in so many records.
const SINCE: usize = 10;
/// Fewer than so many are nothing to write all decisions anew for.
const FEW: usize = 1000;

/// What a run keeps beside the decisions of its plan.
#[derive(Debug)]
pub(in crate::sync) struct Kept {
    /// Decisions about records that it did not look at, where it keeps them all.
    pub(in crate::sync) earlier: Spooled<Decision>,
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
            Handled::Quiet(place) => Some(*place as usize),
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
    let mut earlier = plan.decisions.beside();
    for row in quiet().filter(|row| !stands || since(row)) {
        let value = write.remembered(integration, row.print.0)?;
        let (_, decided) = halves(value.as_deref().unwrap_or_default())?;
        let decided: Vec<Decision> = decode(decided)?;
        for decision in &decided {
            earlier.push(decision);
        }
    }
    let standing = match memory.filter(|_| stands) {
        Some(memory) => Some(standing(memory, &gathered)?),
        None => None,
    };
    if held {
        let people = plan.people.iter();
        let people = people.map(|person| Ok(Stirred::Person(person?.id)));
        let residents = plan.links.iter();
        let residents = residents.map(|linked| Ok(Stirred::Resident(linked?.0)));
        let stirred: Result<Vec<Stirred>, SpoolError> = people.chain(residents).collect();
        write.stir(integration, stirred?)?;
    } else {
        let standing = standing.as_ref();
        remember(write, report, memory, gathered, plan, mapped, standing)?;
        write.settle_stirred(integration)?;
    }
    Ok(Kept { earlier, standing })
}

/// What stands of the decisions of the run on which the last one stood.
fn standing(memory: &Memory, gathered: &Gathered) -> Result<Standing, StoreError> {
    let mut gone = memory.header.gone.clone();
    let mut all = gathered.made.in_order();
    for one in &gathered.looked_at {
        let made = made_at(&mut all, one.made)?;
        gone.extend(made.entries.iter().map(|entry| subject(entry).to_owned()));
    }
    let subjects = gathered.gone.iter().flat_map(|(_, subjects)| subjects);
    gone.extend(subjects.cloned());
    Ok(Standing {
        base: memory.header.base,
        gone,
    })
}

fn remember(
    write: &Write,
    report: &Run,
    memory: Option<&Memory>,
    gathered: Gathered,
    plan: &Plan,
    mapped: &MappedBy,
    standing: Option<&Standing>,
) -> Result<(), StoreError> {
    let integration = &report.integration;
    let survey = Survey::of(&gathered, memory)?;
    let (absent, shielded) = unnamed(&gathered, &survey, plan, memory)?;
    let judging = Judging::of(&gathered, survey.first, plan)?;
    if memory.is_none() {
        write.forget_feed(integration)?;
    }
    let before = memory
        .map(|memory| memory.parts.as_slice())
        .unwrap_or_default();
    let mut rows = Rows::new(write, integration, before);
    let mut sum = gathered.quiet.clone();
    let mut values = gathered.made.beside::<Value>();
    let mut written: Vec<(u128, Option<u32>)> = Vec::new();
    let mut prints = HashSet::new();
    let mut all = gathered.made.in_order();
    let mut decided_on = plan.decisions.in_order();
    for place in &gathered.records {
        match *place {
            Handled::Quiet(place) => {
                let Some((memory, row)) =
                    memory.and_then(|memory| Some((memory, memory.rows.get(place as usize)?)))
                else {
                    continue;
                };
                let row = Row {
                    since: row.since && standing.is_some(),
                    ..row.clone()
                };
                rows.put(&row, memory.keys(&row))?;
            }
            Handled::LookedAt(place) => {
                let Some(one) = gathered.looked_at.get(place as usize) else {
                    continue;
                };
                let made = made_at(&mut all, one.made)?;
                let mut decisions: Vec<Decision> = Vec::new();
                for number in judging.decisions_of(place) {
                    decisions.push(decided_on.get(number)?);
                }
                let is_quiet = judging.is_quiet(one, &made, &decisions);
                let settled = decisions.into_iter().map(Decision::settled);
                let decisions: Vec<Decision> = settled.collect();
                let mut keys = made.keys();
                let people = decisions.iter().filter_map(|decision| decision.person);
                keys.extend(people.map(key_of_person));
                keys.sort_unstable();
                keys.dedup();
                let is_quiet = is_quiet && u8::try_from(keys.len()).is_ok();
                let row = one.row(is_quiet, standing.is_some());
                if row.quiet {
                    sum.count(&decisions, one.adds.as_deref(), true);
                }
                rows.put(&row, &keys)?;
                let decided = encode(&decisions)?;
                // Nearly every print comes once: the others alone are kept in mind.
                let print = row.print.0;
                let is_new = !judging.repeated.contains(&print) || prints.insert(print);
                if is_new && one.before.as_deref() != Some(decided.as_slice()) {
                    let number = u32::try_from(values.len()).unwrap_or(u32::MAX);
                    let mut bytes = made.bytes;
                    bytes.extend(decided);
                    values.push(&Value { bytes });
                    written.push((print, Some(number)));
                }
            }
        }
    }
    if let Some(memory) = memory {
        let places = gathered.gone.iter().map(|(place, _)| *place);
        let gone: HashSet<u128> = places
            .filter_map(|place| Some(memory.rows.get(place)?.print.0))
            .collect();
        let stay = gathered.looked_at.iter().map(LookedAt::print);
        let stay: HashSet<u128> = stay.filter(|print| gone.contains(print)).collect();
        written.extend(gone.difference(&stay).map(|print| (*print, None)));
    }
    written.sort_unstable_by_key(|(print, _)| *print);
    let mut changed = !written.is_empty();
    let written = written.into_iter().map(|(print, number)| {
        let value = number.map(|number| values.get(number as usize));
        Ok((print, value.transpose()?.map(|value| value.bytes)))
    });
    write.remember(integration, written)?;
    changed |= rows.end()?;
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

/// What is remembered of a record, as bytes.
#[derive(Encode, Decode)]
#[cbor(array)]
struct Value {
    #[cbor(n(0), with = "minicbor::bytes")]
    bytes: Vec<u8>,
}

/// Records as they are written, part by part.
struct Rows<'a> {
    write: &'a Write,
    integration: &'a IntegrationId,
    /// The parts as they are in the store.
    before: &'a [u128],
    part: Vec<u8>,
    /// How many records are in it.
    count: usize,
    /// How many parts are full.
    full: usize,
    changed: bool,
}

impl<'a> Rows<'a> {
    fn new(write: &'a Write, integration: &'a IntegrationId, before: &'a [u128]) -> Rows<'a> {
        Rows {
            write,
            integration,
            before,
            part: Vec::new(),
            count: 0,
            full: 0,
            changed: false,
        }
    }

    fn put(&mut self, row: &Row, keys: &[u64]) -> Result<(), StoreError> {
        put_row(&mut self.part, row, keys);
        self.count += 1;
        if self.count == PART {
            self.fill()?;
        }
        Ok(())
    }

    fn fill(&mut self) -> Result<(), StoreError> {
        if self.before.get(self.full) != Some(&xxh3_128(&self.part)) {
            let number = number(self.full + 1);
            self.write.put_feed(self.integration, number, &self.part)?;
            self.changed = true;
        }
        self.part.clear();
        self.count = 0;
        self.full += 1;
        Ok(())
    }

    /// Writes the last part; says whether anything is other than before.
    fn end(mut self) -> Result<bool, StoreError> {
        if self.count > 0 {
            self.fill()?;
        }
        if self.full < self.before.len() {
            let from = number(self.full + 1);
            self.write.cut_feed(self.integration, from)?;
            self.changed = true;
        }
        Ok(self.changed)
    }
}

/// Whom the records that were looked at are about.
struct Survey<'g> {
    /// The first record about each subject, by its mark.
    first: Vec<(Mark, u32)>,
    /// Residents who were linked, and whom a record names.
    named: HashSet<&'g str>,
    /// Of the records that protect somebody, those that were looked at.
    protecting: BTreeSet<String>,
}

impl<'g> Survey<'g> {
    fn of(gathered: &'g Gathered, memory: Option<&Memory>) -> Result<Survey<'g>, StoreError> {
        let (mut first, mut named) = (Vec::new(), HashSet::new());
        let mut protecting = BTreeSet::new();
        let mut all = gathered.made.in_order();
        for (place, one) in (0..).zip(&gathered.looked_at) {
            let made = made_at(&mut all, one.made)?;
            // In a record with nobody in it its id names nobody, unless another record does.
            let nobodys = one.adds.as_deref().map_or(&[][..], |adds| &adds.nobodys);
            for subject in made.entries.iter().map(subject) {
                first.push((mark(subject), place));
                if let Some((resident, _)) = gathered.links.get_key_value(subject)
                    && !nobodys.iter().any(|nobody| nobody == subject)
                {
                    named.insert(resident.as_str());
                }
                if memory.is_some_and(|memory| memory.header.shielded.contains_key(subject)) {
                    protecting.insert(subject.to_owned());
                }
            }
        }
        first.sort_unstable();
        first.dedup_by_key(|(mark, _)| *mark);
        Ok(Survey {
            first,
            named,
            protecting,
        })
    }
}

/// Residents by the record that protects them.
type Shielded = BTreeMap<String, BTreeSet<String>>;

/// Who is linked, not over, and not in the feed: those whom nothing tells of, and those whose record is there and could not
/// be read.
fn unnamed(
    gathered: &Gathered,
    survey: &Survey<'_>,
    plan: &Plan,
    memory: Option<&Memory>,
) -> Result<(BTreeSet<String>, Shielded), StoreError> {
    let adds = gathered.looked_at.iter();
    let adds = adds.filter_map(|one| one.adds.as_deref());
    let unread: HashSet<&String> = adds.flat_map(|adds| &adds.unread).collect();
    let gone: HashSet<&String> = gathered.gone.iter().flat_map(|(_, ids)| ids).collect();
    let mut absent = BTreeSet::new();
    // Those whose record was not looked at.
    let before = memory.map(|memory| memory.header.shielded.clone());
    let mut shielded = before.unwrap_or_default();
    shielded.retain(|record, _| !survey.protecting.contains(record) && !gone.contains(record));
    if gathered.links.is_empty() {
        return Ok((absent, shielded));
    }
    // Of the links that are written: whether they are over, and of which record they are.
    let mut written: HashMap<&str, (bool, Option<String>)> = HashMap::new();
    for linked in &plan.links {
        let (resident, link) = linked?;
        if let Some((resident, _)) = gathered.links.get_key_value(&resident) {
            written.insert(resident, (link.status.is_closed(), link.record));
        }
    }
    for (resident, link) in &gathered.links {
        let (is_over, of) = match written.get(resident.as_str()) {
            Some((is_over, record)) => (*is_over, record.as_ref()),
            None => (link.status.is_closed(), link.record.as_ref()),
        };
        if is_over {
            continue;
        }
        if let Some(record) = of.filter(|record| unread.contains(record)) {
            let residents = shielded.entry(record.clone()).or_default();
            residents.insert(resident.clone());
        } else if !survey.named.contains(resident.as_str()) {
            absent.insert(resident.clone());
        }
    }
    Ok((absent, shielded))
}

/// By what it is known whether the next run need look at a record.
struct Judging {
    /// The decisions of a plan, each with the record that it is about; by record, and then in their order.
    of_records: Vec<(u32, u32)>,
    /// Subjects that do not rest.
    restless: HashSet<Mark>,
    /// Whom no run writes to: of their status word nobody is told.
    pinned: HashSet<Mark>,
    /// Prints that several records have.
    repeated: HashSet<u128>,
    told: HashSet<u64>,
    written: HashSet<u64>,
}

impl Judging {
    fn of(
        gathered: &Gathered,
        first: Vec<(Mark, u32)>,
        plan: &Plan,
    ) -> Result<Judging, StoreError> {
        let mut judging = Judging {
            of_records: Vec::new(),
            restless: HashSet::new(),
            pinned: HashSet::new(),
            repeated: repeated(gathered),
            told: told(plan),
            written: HashSet::new(),
        };
        let mut people: Vec<(PersonId, u64)> = Vec::new();
        let mut is_any_left_alone = false;
        for (number, decision) in (0..).zip(plan.decisions.iter()) {
            let decision = decision?;
            let mark = mark(&decision.subject);
            people.extend(decision.person.map(|person| (person, mark[0])));
            if !rests(&decision, true) {
                judging.restless.insert(mark);
            }
            if decision.rule == "pin" {
                judging.pinned.insert(mark);
            }
            is_any_left_alone |= is_left_alone(&decision);
            if let Ok(found) = first.binary_search_by_key(&mark, |(mark, _)| *mark)
                && let Some((_, place)) = first.get(found)
            {
                judging.of_records.push((*place, number));
            }
        }
        drop(first);
        judging.of_records.sort_unstable();
        let together = together(people);
        if !together.is_empty() {
            for decision in &plan.decisions {
                let decision = decision?;
                let is_together = |person: PersonId| together.contains(&person);
                if decision.person.is_some_and(is_together) && !rests(&decision, false) {
                    judging.restless.insert(mark(&decision.subject));
                }
            }
        }
        if is_any_left_alone {
            judging.written = written(plan)?;
        }
        Ok(judging)
    }

    /// The decisions about a record.
    fn decisions_of(&self, place: u32) -> impl Iterator<Item = usize> {
        let begin = self.of_records.partition_point(|one| one.0 < place);
        let rest = self.of_records.get(begin..).unwrap_or_default();
        let theirs = rest.iter().take_while(move |one| one.0 == place);
        theirs.map(|(_, number)| *number as usize)
    }

    /// Whether the next run need not look at a record.
    fn is_quiet(&self, one: &LookedAt, made: &Made, decisions: &[Decision]) -> bool {
        let any = |of: &HashSet<Mark>| {
            !of.is_empty()
                && made
                    .entries
                    .iter()
                    .any(|entry| of.contains(&mark(subject(entry))))
        };
        let is_restless = one.restless
            || self.repeated.contains(&one.print())
            || any(&self.restless)
            || one.has_unknown_word() && any(&self.pinned);
        let keys = made.keys();
        let people = decisions.iter().filter_map(|decision| decision.person);
        let mut all = keys.iter().copied().chain(people.map(key_of_person));
        let is_told = all.any(|key| self.told.contains(&key));
        // Whom it made nobody of may be who this run wrote.
        let is_outdated = decisions.iter().any(is_left_alone)
            && keys.iter().any(|key| self.written.contains(key));
        !(is_restless || is_told || is_outdated)
    }
}

/// The prints that several of the records have that are looked at.
fn repeated(gathered: &Gathered) -> HashSet<u128> {
    let prints = gathered.looked_at.iter().map(LookedAt::print);
    let mut prints: Vec<u128> = prints.collect();
    prints.sort_unstable();
    let pairs = prints.windows(2).filter_map(|two| match two {
        [one, other] if one == other => Some(*one),
        _ => None,
    });
    pairs.collect()
}

/// The people of whom several subjects are.
fn together(mut people: Vec<(PersonId, u64)>) -> HashSet<PersonId> {
    people.sort_unstable();
    people.dedup();
    let pairs = people.windows(2).filter_map(|two| match two {
        [one, other] if one.0 == other.0 => Some(one.0),
        _ => None,
    });
    pairs.collect()
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
fn written(plan: &Plan) -> Result<HashSet<u64>, StoreError> {
    let mut emails = HashSet::new();
    for person in &plan.people {
        emails.extend(person?.email.as_deref().map(key_of_email));
    }
    Ok(emails)
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
