//! Whether a run understood what it read (R41): what it could not map, of whom that is, and whether that is too much
//! against the last run that succeeded. Records of nobody linked never stop a run, unless no record at all could be
//! mapped. A date that cannot be read of too many counts like records (R12). Pure but for the question who is linked.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use crate::config::Guard;
use crate::model::{
    Actor, Alert, AlertKind, AlertState, Decision, Fate, Field, Link, NotUnderstood, PersonId,
    RunId, SpoolError, Spooled, Stopped, Understanding,
};

use super::dates::bad_dates;
use super::entry::Entry;
use super::normal::Normal;
use super::odd::Odd;
use super::plan::Plan;
use super::rejected::{Places, Rejected};

/// So many places are named in a reason.
const NAMED: usize = 3;

/// The dates of a resident that the script could not read. A lease that ends before it starts was read: months that are
/// rolled over in the PMS on a first are no sign of a script that is wrong (E7).
fn unreadable(normal: &Normal, excluded: Option<&str>) -> BTreeSet<Field> {
    let mut fields = bad_dates(normal, excluded).clone();
    if normal.reversed {
        fields.remove(&Field::LeaseStart);
        fields.remove(&Field::LeaseEnd);
    }
    fields
}

/// What a reading says of the people who are linked, before anything is decided.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// What could not be mapped, by place of the script, or rule.
    places: Places,
    /// Linked people, not past, of whom a record could not be mapped.
    theirs: BTreeSet<PersonId>,
    /// Linked people, not past, whom no record names, and whom the last run that succeeded saw.
    absent: BTreeSet<PersonId>,
    /// Those of them whose record came all the same, with nobody in it.
    emptied: BTreeSet<PersonId>,
    /// Records that could not be mapped, and have no id by which to know whose they are.
    nameless: u64,
    /// Records that could not be mapped, and whose id is that of nobody's record.
    strangers: u64,
    /// Linked people, not past, of whom a date could not be read, by its field.
    dates: BTreeMap<Field, BTreeSet<PersonId>>,
    /// Linked people whose dates this reading tells, in order.
    dated: Vec<PersonId>,
    /// Of all these, what could not be mapped before either, as a version before this one said.
    earlier: Earlier,
    /// The PMS properties that named these people last.
    properties: BTreeMap<String, BTreeSet<PersonId>>,
    /// What it could not understand, by resident, whoever that is.
    gaps: Gaps,
}

/// The residents whose record could not be mapped, or of whom a date could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Gaps {
    unmapped: BTreeSet<String>,
    dates: BTreeMap<String, BTreeSet<Field>>,
}

impl Gaps {
    /// Whoever was linked by the run itself had what could not be understood of them from the beginning: the next run
    /// does not find it new.
    pub(crate) fn tell(
        &self,
        understanding: &mut Understanding,
        links: &Spooled<(String, Link)>,
    ) -> Result<(), SpoolError> {
        if self.unmapped.is_empty() && self.dates.is_empty() {
            return Ok(());
        }
        for linked in links {
            let (resident, link) = linked?;
            if !is_open(&link) {
                continue;
            }
            if self.unmapped.contains(&resident) {
                understanding.unmapped.insert(link.person);
            }
            for field in self.dates.get(&resident).into_iter().flatten() {
                let people = understanding.dates.entry(*field).or_default();
                people.insert(link.person);
            }
        }
        Ok(())
    }
}

/// What a version before this one could not map.
#[derive(Debug, Default, PartialEq, Eq)]
struct Earlier {
    theirs: BTreeSet<PersonId>,
    of_nobody: u64,
}

/// A link whose resident has not left, nor got another id.
fn is_open(link: &Link) -> bool {
    !link.status.is_closed() && !link.superseded
}

/// The id of the record that named the resident of a link last.
pub(crate) fn record_of<'a>(resident: &'a str, link: &'a Link) -> &'a str {
    link.record.as_deref().unwrap_or(resident)
}

/// The residents of the links that a record named last, by the record's id. Of a lease that is over nobody asks whether its
/// record can be read.
fn by_record(links: &BTreeMap<String, Link>) -> HashMap<&str, Vec<&str>> {
    let mut by_record: HashMap<&str, Vec<&str>> = HashMap::new();
    for (resident, link) in links.iter().filter(|(_, link)| !link.status.is_closed()) {
        let residents = by_record.entry(record_of(resident, link)).or_default();
        residents.push(resident);
    }
    by_record
}

/// The id of a record of which nothing could be read, or in which nobody was found.
pub(crate) fn nobodys(entry: &Entry) -> Option<&str> {
    match entry {
        Entry::Nobody { record } => Some(record),
        _ => unread_id(entry),
    }
}

/// What was not understood of records that are not looked at.
#[derive(Debug, Default)]
pub(crate) struct Beside<'a> {
    /// What is told of them.
    pub(crate) odd: Option<&'a Odd>,
    /// Linked people, not past, of whom one of them is.
    pub(crate) theirs: BTreeSet<PersonId>,
}

/// The records and residents of which a version before this one said that they could not be mapped, one alert each.
pub(crate) fn rejected_before(alerts: &BTreeMap<(AlertKind, String), Alert>) -> BTreeSet<String> {
    let said = alerts.values().filter(|alert| {
        let stands = matches!(alert.state, AlertState::Open | AlertState::Dismissed);
        alert.kind == AlertKind::MappingFailed && stands
    });
    said.map(|alert| alert.subject.clone()).collect()
}

/// The linked residents whose record is known by one of these ids, and could not be read.
pub(crate) fn unread_of<'a>(
    ids: &BTreeSet<String>,
    links: &'a BTreeMap<String, Link>,
) -> BTreeSet<&'a str> {
    if ids.is_empty() {
        return BTreeSet::new();
    }
    let by_record = by_record(links);
    ids.iter()
        .filter_map(|id| by_record.get(id.as_str()))
        .flatten()
        .copied()
        .collect()
}

/// The id of a record of which nothing could be read.
pub(crate) fn unread_id(entry: &Entry) -> Option<&str> {
    match entry {
        Entry::Rejected {
            record,
            has_id: true,
            resident: None,
            ..
        } => Some(record),
        _ => None,
    }
}

impl Reading {
    /// Of the entries of a run that are looked at, and the links that may matter. `rejected_before` are the records
    /// and residents of which a version before this one said that they could not be mapped.
    pub(crate) fn of(
        entries: &Spooled<Entry>,
        links: &BTreeMap<String, Link>,
        rejected_before: &BTreeSet<String>,
        beside: Beside<'_>,
    ) -> Result<Reading, SpoolError> {
        let mut reading = Reading {
            nameless: beside.odd.map_or(0, |odd| odd.nameless),
            ..Reading::default()
        };
        if let Some(odd) = beside.odd {
            reading.places.add(&odd.places);
        }
        let (mut rejected, mut earlier) = (HashSet::<String>::new(), HashSet::<String>::new());
        let mut unread: Vec<(String, bool)> = Vec::new();
        // Of these only what is said of residents who are linked.
        let (mut named, mut dated) = (HashSet::<&str>::new(), HashSet::<&str>::new());
        let linked = |id: &str| links.get_key_value(id).map(|(id, _)| id.as_str());
        let mut emptied: HashSet<String> = HashSet::new();
        let mut dates: HashMap<String, BTreeSet<Field>> = HashMap::new();
        for entry in entries {
            let entry = entry?;
            reading.places.note(&entry);
            match entry {
                Entry::Resident {
                    normal,
                    excluded,
                    record,
                    ..
                } => {
                    let id = normal.resident.id.as_str();
                    named.extend(linked(id));
                    if excluded.is_none() {
                        dated.extend(linked(id));
                    }
                    let fields = unreadable(&normal, excluded.as_deref());
                    if !fields.is_empty() {
                        dates.entry(id.to_owned()).or_default().extend(fields);
                        // A date that was none could not be mapped.
                        let record = record.as_deref().unwrap_or(id);
                        if rejected_before.contains(id) || rejected_before.contains(record) {
                            earlier.insert(id.to_owned());
                        }
                    }
                }
                Entry::Rejected {
                    resident: Some(resident),
                    ..
                } => {
                    if rejected_before.contains(&resident) {
                        earlier.insert(resident.clone());
                    }
                    rejected.insert(resident);
                }
                Entry::Rejected { record, has_id, .. } => unread.push((record, has_id)),
                Entry::Nobody { record } => _ = emptied.insert(record),
                Entry::Erased { .. } => {}
            }
        }
        let by_record = if unread.is_empty() {
            HashMap::new()
        } else {
            by_record(links)
        };
        for (record, has_id) in unread {
            let was_before = rejected_before.contains(&record);
            if let Some(residents) = by_record.get(record.as_str()).filter(|_| has_id) {
                let residents = || residents.iter().map(|id| (*id).to_owned());
                rejected.extend(residents());
                earlier.extend(residents().filter(|_| was_before));
                continue;
            }
            if has_id {
                reading.strangers += 1;
            } else {
                reading.nameless += 1;
            }
            reading.earlier.of_nobody += u64::from(was_before);
        }
        let owned = |(id, fields): (&String, &BTreeSet<Field>)| (id.clone(), fields.clone());
        reading.gaps = Gaps {
            unmapped: rejected.iter().cloned().collect(),
            dates: dates.iter().map(owned).collect(),
        };
        let mut people: BTreeMap<PersonId, Vec<(&str, &Link)>> = BTreeMap::new();
        for (resident, link) in links {
            let theirs = people.entry(link.person).or_default();
            theirs.push((resident, link));
        }
        for (person, theirs) in people {
            let open = || theirs.iter().filter(|(_, link)| is_open(link));
            if open().next().is_none() {
                continue;
            }
            let any =
                |residents: &HashSet<String>| theirs.iter().any(|(id, _)| residents.contains(*id));
            let has =
                |residents: &HashSet<&str>| theirs.iter().any(|(id, _)| residents.contains(id));
            if has(&dated) {
                reading.dated.push(person);
            }
            let fields: BTreeSet<Field> = theirs
                .iter()
                .filter_map(|(id, _)| dates.get(*id))
                .flatten()
                .copied()
                .collect();
            let is_rejected = any(&rejected);
            if (is_rejected || !fields.is_empty()) && any(&earlier) {
                reading.earlier.theirs.insert(person);
            }
            if is_rejected {
                reading.theirs.insert(person);
            } else if !has(&named) && open().all(|(_, link)| link.misses == 0) {
                reading.absent.insert(person);
                if open().any(|(id, link)| emptied.contains(record_of(id, link))) {
                    reading.emptied.insert(person);
                }
            } else if fields.is_empty() {
                continue;
            }
            for field in fields {
                reading.dates.entry(field).or_default().insert(person);
            }
            for property in open().filter_map(|(_, link)| link.property.as_ref()) {
                let of = reading.properties.entry(property.clone()).or_default();
                of.insert(person);
            }
        }
        reading.theirs.extend(beside.theirs);
        Ok(reading)
    }

    /// Linked people, not past, whom the last run that succeeded saw, and whose record has nobody in it now.
    pub(crate) fn emptied(&self) -> &BTreeSet<PersonId> {
        &self.emptied
    }

    /// What this reading leaves for the next run to be judged by, if it succeeds.
    fn understanding(&self, before: &Understanding, nothing: bool) -> Understanding {
        let mut unmapped = self.theirs.clone();
        if self.could_be(before) > 0 {
            unmapped.extend(&self.absent);
        }
        Understanding {
            known: true,
            unmapped,
            nameless: self.nameless,
            dates: self.dates(before),
            nothing: nothing.then(|| self.stopped()),
            waits: None,
            approval: None,
        }
    }

    /// Of whom a date cannot be read now: of those whose record was not looked at it is as it was.
    fn dates(&self, before: &Understanding) -> BTreeMap<Field, BTreeSet<PersonId>> {
        let mut dates = self.dates.clone();
        for (field, people) in &before.dates {
            let untold = people.iter().copied();
            let untold = untold.filter(|person| self.dated.binary_search(person).is_err());
            dates.entry(*field).or_default().extend(untold);
        }
        dates.retain(|_, people| !people.is_empty());
        dates
    }

    /// The places with their counts, in order.
    fn stopped(&self) -> Vec<Stopped> {
        let places = self.places.0.iter().map(|(place, rejected)| Stopped {
            place: place.clone(),
            count: rejected.count,
        });
        places.collect()
    }

    /// How many records could not be mapped that may be anybody's. Before a first run of this version nobody knows the
    /// ids of anybody's records.
    fn could_be(&self, before: &Understanding) -> u64 {
        if before.known {
            self.nameless
        } else {
            self.nameless + self.strangers
        }
    }

    /// Of whom records could not be mapped, and could before: those known by their record, and how many of the
    /// absent there may be among those that are known by nothing.
    fn newly(&self, before: &Understanding) -> Newly {
        let new = |people: &BTreeSet<PersonId>| people - &before.unmapped;
        let earlier = before.nameless + self.earlier.of_nobody;
        let could_be = self.could_be(before).saturating_sub(earlier);
        Newly {
            theirs: &new(&self.theirs) - &self.earlier.theirs,
            absent: new(&self.absent),
            could_be: usize::try_from(could_be).unwrap_or(usize::MAX),
        }
    }

    /// Of whom a date of a field cannot be read, and could before.
    fn newly_unreadable(&self, field: Field, before: &Understanding) -> BTreeSet<PersonId> {
        let people = self.dates.get(&field).cloned().unwrap_or_default();
        let known = before.dates.get(&field).cloned().unwrap_or_default();
        &(&people - &known) - &self.earlier.theirs
    }
}

struct Newly {
    theirs: BTreeSet<PersonId>,
    absent: BTreeSet<PersonId>,
    could_be: usize,
}

impl Newly {
    /// How many people, of those whom `here` names.
    fn count(&self, here: &dyn Fn(&PersonId) -> bool) -> usize {
        let of = |people: &BTreeSet<PersonId>| people.iter().filter(|one| here(one)).count();
        of(&self.theirs) + of(&self.absent).min(self.could_be)
    }
}

/// What a reading is judged by.
pub(crate) struct Facts<'a, E> {
    pub(crate) run: RunId,
    pub(crate) now: Timestamp,
    pub(crate) limits: &'a Guard,
    pub(crate) before: &'a Understanding,
    /// How many records were read.
    pub(crate) records: u64,
    /// How many residents they have, and of these how many were rejected.
    pub(crate) seen: u64,
    pub(crate) rejected: u64,
    /// All links, for where people are counted.
    pub(crate) all_links: &'a dyn Fn() -> Result<BTreeMap<String, Link>, E>,
}

/// Whether a run understood what it read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It goes on.
    Understood {
        /// What the next run is judged by, if this one succeeds.
        understanding: Box<Understanding>,
        /// What of that is of people whom nobody knew before.
        gaps: Gaps,
        /// Who approved what would have been too much.
        approved_by: Option<Actor>,
    },
    /// It waits for approval, or for a script that is right.
    Not {
        /// What an approval names.
        plan: NotUnderstood,
        /// What was too much, without what to do.
        reason: String,
    },
}

/// Judges a reading.
pub(crate) fn judge<E>(reading: &Reading, facts: &Facts<'_, E>) -> Result<Verdict, E> {
    let nothing = facts.seen > 0 && facts.rejected == facts.seen;
    let mut places = reading.stopped();
    let mut reasons = Vec::new();
    if nothing
        && (facts.records > 1 || !(facts.all_links)()?.is_empty())
        && !facts
            .before
            .nothing
            .as_ref()
            .is_some_and(|before| covers(before, &places))
    {
        reasons.push(match facts.records {
            1 => "the only record could not be mapped".to_owned(),
            records => format!("none of the {records} records could be mapped"),
        });
    } else {
        let newly = reading.newly(facts.before);
        let what = "the records of";
        let rejected = facts.too_many(reading, what, "be mapped", |here| newly.count(here))?;
        reasons.extend(rejected);
        let all = reading.dates(facts.before);
        for field in reading.dates.keys() {
            let newly = reading.newly_unreadable(*field, facts.before);
            let count =
                |here: &dyn Fn(&PersonId) -> bool| newly.iter().filter(|one| here(one)).count();
            let what = format!("the {field} of");
            let Some(reason) = facts.too_many(reading, &what, "be read", count)? else {
                continue;
            };
            reasons.push(reason);
            places.push(Stopped {
                place: field.to_string(),
                count: all.get(field).map_or(0, BTreeSet::len) as u64,
            });
        }
        places.sort();
    }
    let understood = |approved_by| Verdict::Understood {
        understanding: Box::new(reading.understanding(facts.before, nothing)),
        gaps: reading.gaps.clone(),
        approved_by,
    };
    if reasons.is_empty() {
        return Ok(understood(None));
    }
    if let Some(approval) = &facts.before.approval
        && facts.now < approval.expires
        && covers(&approval.plan.places, &places)
    {
        return Ok(understood(Some(approval.by.clone())));
    }
    reasons.extend(reading.named());
    Ok(Verdict::Not {
        plan: NotUnderstood {
            run: facts.run,
            digest: digest(&places),
            places,
        },
        reason: reasons.join("; "),
    })
}

impl<E> Facts<'_, E> {
    /// What is told where of more linked people than R27 lets go something could not be understood, of all or of one
    /// PMS property. `count` counts those whom it is given.
    fn too_many(
        &self,
        reading: &Reading,
        what: &str,
        could_not: &str,
        count: impl Fn(&dyn Fn(&PersonId) -> bool) -> usize,
    ) -> Result<Option<String>, E> {
        let of_all = count(&|_| true);
        // How many are linked is only asked where so few could be too many.
        if of_all <= allowed(self.limits, 0) {
            return Ok(None);
        }
        let (mut all, mut of_each) = (BTreeSet::new(), BTreeMap::<String, BTreeSet<_>>::new());
        for link in (self.all_links)()?.into_values().filter(is_open) {
            all.insert(link.person);
            if let Some(property) = link.property {
                of_each.entry(property).or_default().insert(link.person);
            }
        }
        let told = |count: usize, all: usize, of: &str| {
            (count > allowed(self.limits, all)).then(|| {
                format!(
                    "{what} {count} of {all} linked people{of} could not {could_not}, and could in the last run that \
                     succeeded"
                )
            })
        };
        let of_property = |(property, people): (&String, &BTreeSet<PersonId>)| {
            let all = of_each.get(property).map_or(0, BTreeSet::len);
            let of = format!(" of the PMS property `{property}`");
            told(count(&|one| people.contains(one)), all, &of)
        };
        let whole = told(of_all, all.len(), "");
        Ok(whole.or_else(|| reading.properties.iter().find_map(of_property)))
    }
}

impl Reading {
    /// The places that stopped most, with what is said there.
    fn named(&self) -> Vec<String> {
        let mut places: Vec<(&String, &Rejected)> = self.places.0.iter().collect();
        places.sort_by_key(|(_, rejected)| std::cmp::Reverse(rejected.count));
        let more = places.len().saturating_sub(NAMED);
        let mut named: Vec<String> = places
            .into_iter()
            .take(NAMED)
            .map(|(place, Rejected { count, text, .. })| format!("{count} at {place}: {text}"))
            .collect();
        if more > 0 {
            named.push(format!("and {more} more places"));
        }
        named
    }
}

/// R27: max(limit, percent of all).
fn allowed(limits: &Guard, all: usize) -> usize {
    let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let share = all.saturating_mul(number(limits.percent)) / 100;
    number(limits.limit).max(share)
}

/// Whether what stopped records now stopped as many then, or more.
fn covers(then: &[Stopped], now: &[Stopped]) -> bool {
    now.iter().all(|now| {
        let mut there = then.iter().filter(|then| then.place == now.place);
        there.any(|then| then.count >= now.count)
    })
}

/// The digest of places with their counts: the same whichever run found them, and when.
fn digest(places: &[Stopped]) -> String {
    let mut hasher = blake3::Hasher::new();
    for Stopped { place, count } in places {
        hasher.update(&(place.len() as u64).to_le_bytes());
        hasher.update(place.as_bytes());
        hasher.update(&count.to_le_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// What somebody reads who is to correct it, or to decide.
pub(crate) fn advice(reason: &str, run: RunId) -> String {
    format!(
        "{reason}; nothing was written: correct the script, or the records in the PMS, and the next run goes on; \
         `epms approve {run}` lets it go on without them"
    )
}

/// What a run that did not understand its records tells all the same: which ones, and why.
const TOLD: [AlertKind; 3] = [
    AlertKind::RecordsRejected,
    AlertKind::BadDates,
    AlertKind::MappingFailed,
];

/// Nothing of the plan is written: every decision to write waits. Its people, links and changes are gone, and alerts
/// but those that say what was not understood; decisions and counts remain for the report.
pub(crate) fn stop(plan: &mut Plan) -> Result<(), SpoolError> {
    let mut counts = plan.counts;
    let mut decisions = std::mem::take(&mut plan.decisions);
    decisions.replace(|decision| {
        let fate = decision.fate;
        if !matches!(fate, Fate::Created | Fate::Linked | Fate::Updated) {
            return decision;
        }
        counts.take(fate);
        counts.add(Fate::Held);
        Decision {
            subject: decision.subject,
            fate: Fate::Held,
            rule: "R41".into(),
            reason: format!("waits with the run; would be {fate}"),
            // Whoever would be made is nobody yet.
            person: decision.person.filter(|_| fate != Fate::Created),
        }
    })?;
    let told = |alert: &Alert| TOLD.contains(&alert.kind);
    let mut alerts = std::mem::take(&mut plan.alerts);
    alerts.raised.retain(told);
    alerts.refreshed.retain(told);
    alerts.closed.retain(told);
    *plan = Plan {
        decisions,
        counts,
        alerts,
        excluded_by: std::mem::take(&mut plan.excluded_by),
        ..Plan::default()
    };
    Ok(())
}
