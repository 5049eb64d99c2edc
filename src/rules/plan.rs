//! What a run would write: the decisions of `user-sync` §3–§6 over everything that was read. Pure but for
//! questions to the people of the store; the same inputs give the same plan.

mod newcomers;
mod late;
mod linked;
mod whose;
mod absent;
mod erased;

pub(crate) use linked::{may_follow, superseded};

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::config::EmailChange;
use crate::model::{
    Actor, Alert, AlertKind, Change, ChangeKind, Counts, Decision, Fate, FieldChange,
    IntegrationId, LeaseStatus, Link, Person, PersonId, Resident, Ruling, RunId, SpoolError,
    Spooled, Unit,
};

use super::alerts::{AlertWrites, Causes, Judged};
use super::dates::BadDates;
use super::entry::{Entry, Group};
use super::groups::{Groups, Mark};
use super::odd::Odd;
use super::rejected::Places;
use super::understood::{unread_id, unread_of};
use super::update::{Ask, tie};
use crate::model::People;

/// What a plan is made of, besides the people.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// The integration.
    pub integration: &'a IntegrationId,
    /// The run.
    pub run: RunId,
    /// When the run commits.
    pub now: Timestamp,
    /// The run does not understand what it read (R41): nothing of its plan will be written but what it tells.
    pub not_understood: bool,
    /// What an email that changed in the PMS holds back.
    pub email_change: EmailChange,
    /// After how many misses an alert is raised.
    pub missing_after: u32,
    /// What mapping made of the records, in their order.
    pub entries: Spooled<Entry>,
    /// PMS units that the mapping list does not know (R35), and what to do about each.
    pub unmapped: BTreeMap<String, String>,
    /// The dates of the feed that cannot be (R12), also those of records that are not among the entries.
    pub bad_dates: BadDates,
    /// What is told of records that are not among the entries.
    pub odd: Odd,
    /// The links of the integration.
    pub links: BTreeMap<String, Link>,
    /// What is remembered of residents who are not linked: whom they are not.
    pub rulings: BTreeMap<String, Ruling>,
    /// The open alerts of the integration.
    pub alerts: BTreeMap<(AlertKind, String), Alert>,
    /// How many linked people rest because they are left out, by reason (R8), among those who are not looked at.
    pub resting: BTreeMap<String, u64>,
    /// People whose email only earlier rules cut out of a text that holds no address (R13a): it goes (R20).
    pub cut_emails: BTreeSet<PersonId>,
}

/// What a run would write. Of a first sync that is about everybody: its lists go where the entries were.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// People, new and changed.
    pub people: Spooled<Person>,
    /// Links, new and changed, by the resident's PMS id and in order of it.
    pub links: Spooled<(String, Link)>,
    /// Alerts raised, refreshed and closed.
    pub alerts: AlertWrites,
    /// The change log; sequence numbers come with the commit.
    pub changes: Spooled<Change>,
    /// A decision for every resident, and for every record that made none.
    pub decisions: Spooled<Decision>,
    /// What became of them. Its `seen` is 0: that is counted where records are read.
    pub counts: Counts,
    /// What was excluded, by reason.
    pub excluded_by: BTreeMap<String, u64>,
    /// People whose PMS id has somebody else's record (R21a), or leases of whom nobody knows whose they are (R21): as
    /// good as not named.
    pub estranged: BTreeSet<PersonId>,
}

impl Plan {
    /// Where each person stands among those of the plan.
    pub(crate) fn places(&self) -> Result<HashMap<PersonId, usize>, SpoolError> {
        let people = self.people.iter().enumerate();
        people
            .map(|(place, person)| Ok((person?.id, place)))
            .collect()
    }
}

/// What was decided about a group, before people are written.
enum Attach {
    /// It belongs to this person, and did before.
    Linked(PersonId),
    /// It belongs to this person from now on.
    Link(PersonId),
    /// It becomes a person.
    Create,
    /// It is over, or left out and over: it comes in only as another id of somebody who is linked (R22).
    Late,
    /// Nothing is written for it.
    Not,
}

/// The groups that are each person's: those of whom it was known at once first, and each kind in the order of the feed.
#[derive(Default)]
struct Homes(BTreeSet<(PersonId, bool, u32)>);

impl Homes {
    fn add(&mut self, person: PersonId, late: bool, group: u32) {
        self.0.insert((person, late, group));
    }

    fn of(&self, person: PersonId) -> impl Iterator<Item = u32> {
        let all = self.0.range((person, false, 0)..=(person, true, u32::MAX));
        all.map(|(_, _, group)| *group)
    }

    /// By person.
    fn each(&self) -> impl Iterator<Item = (PersonId, Vec<u32>)> {
        let mut all = self.0.iter().peekable();
        std::iter::from_fn(move || {
            let (person, _, group) = *all.next()?;
            let mut groups = vec![group];
            while let Some((_, _, group)) = all.next_if(|one| one.0 == person) {
                groups.push(*group);
            }
            Some((person, groups))
        })
    }
}

/// What a run asks of a link that it writes.
#[derive(Clone, Copy)]
struct Now {
    status: LeaseStatus,
    superseded: bool,
    lease_start: Option<Date>,
}

impl Now {
    fn of(link: &Link) -> Now {
        Now {
            status: link.status,
            superseded: link.superseded,
            lease_start: link.lease_start,
        }
    }
}

struct Planner<'a, P> {
    inputs: &'a Inputs<'a>,
    people: &'a P,
    plan: Plan,
    causes: Causes,
    /// The residents that are linked, by their person.
    linked: BTreeSet<(PersonId, &'a str)>,
    /// Links that are new or changed, by the resident: where they are written, and what is asked of them.
    new_links: BTreeMap<Box<str>, (u32, Now)>,
    written: Spooled<Link>,
    /// Emails that nobody is given in this run any more.
    taken: HashSet<Mark>,
    /// Residents whose record was rejected, or of whom not everything is known.
    unjudged: BTreeSet<String>,
    /// Those of them whose record was rejected.
    unmapped: BTreeSet<String>,
    /// Of some record nothing could be read: it may be anybody's.
    unread: bool,
    /// The residents of the feed.
    groups: &'a Groups,
    /// Those of them whose records are somebody else's than their person's, or of whom nobody knows whose they are.
    unbelieved: BTreeSet<String>,
    /// How many linked people rest because they are left out, by reason.
    resting: BTreeMap<String, u64>,
    /// People of whom it tells enough to say where they live.
    told_of: BTreeSet<String>,
}

/// Plans a run. Takes the entries and the alerts out of `inputs`; the rest stays as it is.
pub fn plan<P: People>(inputs: &mut Inputs<'_>, people: &P) -> Result<Plan, P::Error> {
    let mut places = Places::default();
    let (mut unjudged, mut unread) = (BTreeSet::new(), inputs.odd.unread > 0);
    let mut unread_ids = BTreeSet::new();
    let entries = std::mem::take(&mut inputs.entries);
    let blank = entries.beside::<Link>();
    let groups = Groups::of(entries, |entry| {
        places.note(entry);
        unread_ids.extend(unread_id(entry).map(String::from));
        if let Entry::Rejected { resident, .. } = entry {
            unread |= resident.is_none();
            unjudged.extend(resident.clone());
        }
    })?;
    places.add(&inputs.odd.places);
    let rejected = !places.is_empty();
    unjudged.extend(
        unread_of(&unread_ids, &inputs.links)
            .into_iter()
            .map(String::from),
    );
    let alerts = std::mem::take(&mut inputs.alerts);
    let inputs = &*inputs;
    let mut planner = Planner {
        inputs,
        people,
        plan: Plan {
            people: blank.beside(),
            links: blank.beside(),
            changes: blank.beside(),
            decisions: blank.beside(),
            ..Plan::default()
        },
        causes: Causes::default(),
        linked: by_person(&inputs.links),
        new_links: BTreeMap::new(),
        written: blank.beside(),
        taken: HashSet::new(),
        unmapped: unjudged.clone(),
        unjudged,
        unread,
        groups: &groups,
        unbelieved: BTreeSet::new(),
        resting: inputs.resting.clone(),
        told_of: BTreeSet::new(),
    };
    let not_understood = inputs.not_understood.then_some(inputs.run);
    for (place, rejected) in places.0 {
        planner
            .causes
            .raise_rejected(&place, rejected, not_understood);
    }
    for entry in groups.failed() {
        planner.failed(entry?);
    }
    for word in inputs.odd.words.keys() {
        planner.unknown_word(word);
    }
    for (unit, detail) in &inputs.unmapped {
        planner.causes.raise_unmapped(unit, detail);
    }
    if !inputs.bad_dates.is_empty() {
        let bad_dates = &inputs.bad_dates;
        planner.causes.raise_bad_dates(bad_dates, not_understood);
    }
    let duplicates = planner.duplicate_emails()?;
    let mut homes = Homes::default();
    let mut late = Vec::new();
    groups.each(&inputs.links, |first, group| {
        match planner.attach(&group, &duplicates)? {
            Attach::Linked(person) | Attach::Link(person) => homes.add(person, false, first),
            Attach::Create => planner.create(&group)?,
            Attach::Late => late.push(first),
            Attach::Not => {}
        }
        Ok::<_, P::Error>(())
    })?;
    planner.late(late, &mut homes)?;
    for (person, places) in homes.each() {
        let groups = places.into_iter().map(|place| planner.group(place));
        let groups = groups.collect::<Result<Vec<_>, _>>()?;
        planner.update(person, &groups)?;
    }
    planner.missing()?;
    planner.tell_resting();
    let judged = Judged {
        seen: &groups,
        unjudged: &planner.unjudged,
        unmapped: &planner.unmapped,
        told_of: &planner.told_of,
        unread,
        rejected,
    };
    let mut plan = planner.plan;
    for (resident, (place, _)) in planner.new_links {
        let link = planner.written.get(place as usize)?;
        plan.links.push(&(resident.into(), link));
    }
    plan.alerts = planner.causes.settle(alerts, inputs, &judged);
    Ok(plan)
}

fn by_person(links: &BTreeMap<String, Link>) -> BTreeSet<(PersonId, &str)> {
    let links = links.iter();
    links
        .map(|(resident, link)| (link.person, resident.as_str()))
        .collect()
}

impl<P: People> Planner<'_, P> {
    /// A group of the feed, read again.
    fn group(&self, first: u32) -> Result<Group, SpoolError> {
        self.groups.load(first, &self.inputs.links)
    }

    /// The residents that were linked to a person before this run, with their links.
    fn links_of(&self, person: PersonId) -> impl Iterator<Item = (&str, &Link)> {
        let begin = self.linked.range((person, "")..);
        let residents = begin.take_while(move |(of, _)| *of == person);
        residents.filter_map(|(_, resident)| Some((*resident, self.inputs.links.get(*resident)?)))
    }

    fn put_link(&mut self, resident: &str, link: &Link) {
        let place = u32::try_from(self.written.len()).unwrap_or(u32::MAX);
        self.written.push(link);
        let now = (place, Now::of(link));
        self.new_links.insert(resident.into(), now);
    }

    fn decide(
        &mut self,
        subject: &str,
        fate: Fate,
        rule: &str,
        reason: impl Into<String>,
        person: Option<PersonId>,
    ) {
        self.plan.counts.add(fate);
        self.plan.decisions.push(&Decision {
            subject: subject.to_owned(),
            fate,
            rule: rule.to_owned(),
            reason: reason.into(),
            person,
        });
    }

    fn exclude(&mut self, subject: &str, reason: &str, person: Option<PersonId>) {
        self.left_out(subject, "R6", reason, person);
    }

    fn left_out(&mut self, subject: &str, rule: &str, reason: &str, person: Option<PersonId>) {
        *self.plan.excluded_by.entry(reason.to_owned()).or_default() += 1;
        self.decide(subject, Fate::Excluded, rule, reason, person);
    }

    /// Whether the feed names the resident, and with a record that is theirs.
    fn names(&self, resident: &str) -> bool {
        self.groups.has(resident) && !self.unbelieved.contains(resident)
    }

    /// A link as it is so far in this run.
    fn now(&self, resident: &str) -> Option<Now> {
        match self.new_links.get(resident) {
            Some((_, now)) => Some(*now),
            None => self.inputs.links.get(resident).map(Now::of),
        }
    }

    fn change(
        &mut self,
        person: PersonId,
        resident: &str,
        kind: ChangeKind,
        rule: &str,
        fields: Vec<FieldChange>,
    ) {
        self.plan.changes.push(&Change {
            seq: 0,
            at: self.inputs.now,
            person,
            kind,
            integration: Some(self.inputs.integration.clone()),
            from: None,
            resident: Some(resident.to_owned()),
            run: Some(self.inputs.run),
            rule: rule.to_owned(),
            fields,
            actor: Actor::Sync,
            act: None,
        });
    }

    fn failed(&mut self, entry: Entry) {
        match entry {
            Entry::Rejected {
                record,
                place,
                message,
                ..
            } => {
                let reason = format!("{place}: {message}");
                self.decide(&record, Fate::Rejected, "R12", reason, None);
            }
            Entry::Nobody { record } => {
                self.decide(
                    &record,
                    Fate::Ineligible,
                    "",
                    "the script made no resident of it",
                    None,
                );
            }
            Entry::Erased { resident, returned } => self.erased(&resident, returned),
            Entry::Resident { .. } => {}
        }
    }

    /// The leases of a group that do not count (R21).
    fn others(&mut self, group: &Group, person: Option<PersonId>) {
        for lease in group.others() {
            if let Some(reason) = &lease.excluded {
                self.exclude(&group.id, reason, person);
                continue;
            }
            self.tell_unknown(&lease.normal.resident);
            let reason = match lease.renews_what_is_over {
                None => "another lease of this person counts",
                Some(_) => "it renews a stay that is over: the person moved out before it begins",
            };
            self.decide(&group.id, Fate::Ineligible, "R21", reason, person);
        }
    }

    /// Tells of a status word that nobody knows.
    fn tell_unknown(&mut self, resident: &Resident) {
        if resident.status == LeaseStatus::Unknown {
            self.unknown_word(&resident.status_word);
        }
    }

    fn unknown_word(&mut self, word: &str) {
        let detail = match word {
            "" => "the mapping finds no status word; if the PMS calls the field otherwise now, correct the script, and if it \
                   leaves the field out, ask for the right to read it: `epms explain` with --live shows the record"
                .to_owned(),
            word => format!("the mapping does not know the status word `{word}`; add it to the script"),
        };
        self.causes
            .raise(AlertKind::UnknownStatus, word, Vec::new(), &detail);
    }

    fn ask<'b>(
        &'b self,
        normal: &'b super::normal::Normal,
        more_units: Vec<Unit>,
        link: Option<&'b Link>,
        email_is_free: bool,
    ) -> Ask<'b> {
        Ask {
            integration: self.inputs.integration,
            normal,
            more_units,
            link,
            email_change: self.inputs.email_change,
            email_is_free,
            agreed: false,
            left_out: false,
            email_was_cut: false,
            since: BTreeMap::new(),
        }
    }

    /// The subject is the person: which of their residents counts may change while the cause stays (R30).
    fn multiple(&mut self, group: &Group, person: PersonId, more_units: &[Unit]) {
        let units = more_units.len() + 1;
        // Units that one lease is about are let so: nobody need be told.
        if units > 1 && !group.is_one_lease_of(units) {
            let sides = group
                .lease()
                .into_iter()
                .chain(group.others())
                .map(|lease| super::alerts::resident_side(&lease.normal.resident))
                .collect();
            let detail = format!("{units} units at the same time; all are kept");
            self.causes.raise(
                AlertKind::MultipleCurrentLeases,
                &person.to_string(),
                sides,
                &detail,
            );
        }
    }

    /// Writes the link of a group where it is new or changed. A status that nobody knows keeps the one that is known;
    /// `known` is the person's, where the link has none, or is over and they are not.
    fn link(
        &mut self,
        group: &Group,
        resident: &Resident,
        person: PersonId,
        email: Option<String>,
        known: LeaseStatus,
    ) {
        let old = self.inputs.links.get(&group.id);
        let property = group.lease().and_then(|lease| lease.property.clone());
        let start = group.own_start();
        let now = self.inputs.now;
        let mut link = Link {
            record: group.lease().and_then(|lease| lease.record.clone()),
            ..tie(resident, old, person, email, property, start, now)
        };
        if resident.status == LeaseStatus::Unknown
            && (link.status == LeaseStatus::Unknown
                || link.status.is_closed() && !known.is_closed())
        {
            link.status = known;
        }
        if old != Some(&link) {
            self.put_link(&group.id, &link);
        }
    }

    /// Writes the link of a group whose lease does not count. The email that is known stays: another one must
    /// still be seen as a change when the lease counts (R19).
    fn link_only(&mut self, group: &Group, resident: &Resident, person: PersonId) {
        let email = match self.inputs.links.get(&group.id) {
            Some(old) => old.email.clone(),
            None => resident.email.clone(),
        };
        // Of a status that nobody knows nothing is known yet.
        self.link(group, resident, person, email, LeaseStatus::Past);
    }
}
