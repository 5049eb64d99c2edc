//! What a run would write: the decisions of `user-sync` §3–§6 over everything that was read. Pure but for
//! questions to the people of the store; the same inputs give the same plan.

mod newcomers;
mod late;
mod linked;
mod whose;
mod absent;
mod erased;

pub(crate) use linked::{may_follow, superseded};

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;

use crate::config::EmailChange;
use crate::model::{
    Actor, Alert, AlertKind, Change, ChangeKind, Counts, Decision, Fate, FieldChange,
    IntegrationId, LeaseStatus, Link, Person, PersonId, Resident, Ruling, RunId, Unit,
};

use super::alerts::{AlertWrites, Causes, Judged};
use super::dates::BadDates;
use super::entry::{Entry, Group, Lease, group};
use super::odd::Odd;
use super::rejected::Places;
use super::understood::unread_of;
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
    pub entries: Vec<Entry>,
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

/// What a run would write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// People, new and changed.
    pub people: Vec<Person>,
    /// Links, new and changed, by the resident's PMS id.
    pub links: Vec<(String, Link)>,
    /// Alerts raised, refreshed and closed.
    pub alerts: AlertWrites,
    /// The change log; sequence numbers come with the commit.
    pub changes: Vec<Change>,
    /// A decision for every resident, and for every record that made none.
    pub decisions: Vec<Decision>,
    /// What became of them. Its `seen` is 0: that is counted where records are read.
    pub counts: Counts,
    /// What was excluded, by reason.
    pub excluded_by: BTreeMap<String, u64>,
    /// People whose PMS id has somebody else's record (R21a), or leases of whom nobody knows whose they are (R21): as
    /// good as not named.
    pub estranged: BTreeSet<PersonId>,
}

/// What was decided about a group, before people are written.
enum Attach {
    /// It belongs to this person, and did before.
    Linked(PersonId),
    /// It belongs to this person from now on.
    Link(Box<Person>),
    /// It becomes a person.
    Create,
    /// It is over, or left out and over: it comes in only as another id of somebody who is linked (R22).
    Late,
    /// Nothing is written for it.
    Not,
}

/// The groups that are one person's, with the person where they were matched in this run.
type Homes<'a> = BTreeMap<PersonId, Vec<(&'a Group, Option<Person>)>>;

struct Planner<'a, P> {
    inputs: &'a Inputs<'a>,
    people: &'a P,
    plan: Plan,
    causes: Causes,
    /// The residents that are linked, by their person.
    linked: BTreeSet<(PersonId, &'a str)>,
    new_links: BTreeMap<String, Link>,
    /// Those whose links are new or changed, by their person.
    newly_linked: BTreeSet<(PersonId, String)>,
    /// Emails that nobody is given in this run any more.
    taken: HashSet<String>,
    /// Residents whose record was rejected, or of whom not everything is known.
    unjudged: BTreeSet<String>,
    /// Those of them whose record was rejected.
    unmapped: BTreeSet<String>,
    /// Of some record nothing could be read: it may be anybody's.
    unread: bool,
    /// Residents of the feed.
    seen: HashSet<&'a str>,
    /// Those of them whose records are somebody else's than their person's, or of whom nobody knows whose they are.
    unbelieved: BTreeSet<String>,
    /// How many linked people rest because they are left out, by reason.
    resting: BTreeMap<String, u64>,
    /// People of whom it tells enough to say where they live.
    told_of: BTreeSet<String>,
}

/// Plans a run. Takes the entries and the alerts out of `inputs`; the rest stays as it is.
pub fn plan<P: People>(inputs: &mut Inputs<'_>, people: &P) -> Result<Plan, P::Error> {
    let mut leases = Vec::new();
    let mut failed = Vec::new();
    for entry in std::mem::take(&mut inputs.entries) {
        match entry {
            Entry::Resident {
                normal,
                excluded,
                property,
                record,
            } => leases.push(Lease {
                excluded,
                property,
                record,
                ..Lease::of(normal)
            }),
            other => failed.push(other),
        }
    }
    let mut places = Places::of(&failed);
    places.add(&inputs.odd.places);
    let (mut unjudged, mut unread) = (BTreeSet::new(), inputs.odd.unread > 0);
    for entry in &failed {
        if let Entry::Rejected { resident, .. } = entry {
            unread |= resident.is_none();
            unjudged.extend(resident.clone());
        }
    }
    let rejected = !places.is_empty();
    unjudged.extend(
        unread_of(&failed, &inputs.links)
            .into_iter()
            .map(String::from),
    );
    let groups = group(leases, |id| inputs.links.contains_key(id));
    let alerts = std::mem::take(&mut inputs.alerts);
    let inputs = &*inputs;
    let mut planner = Planner {
        inputs,
        people,
        plan: Plan::default(),
        causes: Causes::default(),
        linked: by_person(&inputs.links),
        new_links: BTreeMap::new(),
        newly_linked: BTreeSet::new(),
        taken: HashSet::new(),
        unmapped: unjudged.clone(),
        unjudged,
        unread,
        seen: groups.iter().map(|group| group.id.as_str()).collect(),
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
    for entry in failed {
        planner.failed(entry);
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
    let duplicates = planner.duplicate_emails(&groups)?;
    let mut homes = Homes::new();
    let mut late = Vec::new();
    for group in &groups {
        match planner.attach(group, &duplicates)? {
            Attach::Linked(person) => homes.entry(person).or_default().push((group, None)),
            Attach::Link(person) => homes
                .entry(person.id)
                .or_default()
                .push((group, Some(*person))),
            Attach::Create => planner.create(group)?,
            Attach::Late => late.push(group),
            Attach::Not => {}
        }
    }
    planner.late(late, &mut homes)?;
    for (person, groups) in homes {
        planner.update(person, groups)?;
    }
    planner.missing()?;
    planner.tell_resting();
    let judged = Judged {
        seen: &planner.seen,
        unjudged: &planner.unjudged,
        unmapped: &planner.unmapped,
        told_of: &planner.told_of,
        unread,
        rejected,
    };
    let mut plan = planner.plan;
    plan.links = planner.new_links.into_iter().collect();
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
    /// The residents that were linked to a person before this run, with their links.
    fn links_of(&self, person: PersonId) -> impl Iterator<Item = (&str, &Link)> {
        let begin = self.linked.range((person, "")..);
        let residents = begin.take_while(move |(of, _)| *of == person);
        residents.filter_map(|(_, resident)| Some((*resident, self.inputs.links.get(*resident)?)))
    }

    fn put_link(&mut self, resident: &str, link: Link) {
        let newly = (link.person, resident.to_owned());
        self.newly_linked.insert(newly);
        self.new_links.insert(resident.to_owned(), link);
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
        self.plan.decisions.push(Decision {
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
        self.seen.contains(resident) && !self.unbelieved.contains(resident)
    }

    /// A link as it is so far in this run.
    fn now(&self, resident: &str) -> Option<&Link> {
        let new = self.new_links.get(resident);
        new.or_else(|| self.inputs.links.get(resident))
    }

    fn change(
        &mut self,
        person: PersonId,
        resident: &str,
        kind: ChangeKind,
        rule: &str,
        fields: Vec<FieldChange>,
    ) {
        self.plan.changes.push(Change {
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
            self.put_link(&group.id, link);
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
