//! The rules as they are written, for one property: what is known, and what a feed makes of it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// A lease of the feed, and whether it is left out.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) resident: Resident,
    pub(super) left_out: bool,
    pub(super) listed: bool,
}

/// Why rows are left out.
pub(super) const REASON: &str = "status X";

/// What is known of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) first: String,
    pub(super) last: String,
    pub(super) email: Option<String>,
    pub(super) home: Home,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Home {
    pub(super) status: LeaseStatus,
    pub(super) units: Vec<String>,
    pub(super) start: Option<Date>,
    pub(super) end: Option<Date>,
    pub(super) rests: bool,
}

/// A PMS id, whose it is, and what was last seen of it.
#[derive(Debug, Clone)]
pub(super) struct Tie {
    pub(super) person: usize,
    pub(super) email: Option<String>,
    pub(super) misses: u32,
    pub(super) status: LeaseStatus,
    pub(super) superseded: bool,
    unit: Option<String>,
    start: Option<Date>,
    /// Runs that did not see it and saw the person under another id.
    outlived: u32,
}

type Leases<'a> = BTreeMap<&'a str, Vec<&'a Row>>;
pub(super) type Causes = BTreeSet<(AlertKind, String)>;

#[derive(Debug, Default)]
pub(super) struct Oracle {
    pub(super) people: Vec<Known>,
    pub(super) ties: BTreeMap<String, Tie>,
    /// What must be open, and what may be.
    pub(super) alerts: Causes,
    pub(super) maybe: Causes,
    pub(super) fates: BTreeMap<String, Fate>,
    /// Ids of which some records are held, as another human's.
    pub(super) doubted: BTreeSet<String>,
    hold_email: bool,
    missing_after: u32,
}

impl Oracle {
    pub(super) fn new(hold_email: bool, missing_after: u32) -> Oracle {
        Oracle {
            hold_email,
            missing_after,
            ..Oracle::default()
        }
    }

    pub(super) fn run(&mut self, feed: &[Row]) {
        let before = std::mem::take(&mut self.alerts);
        self.maybe.clear();
        self.fates.clear();
        self.doubted.clear();
        let mut all: Leases<'_> = BTreeMap::new();
        for row in feed {
            all.entry(&row.resident.id).or_default().push(row);
        }
        let of = self.believed(all);
        let shared = self.shared_emails(&of);
        // Everybody is matched against the people as they were before the run.
        let known = self.people.clone();
        let ties = self.ties.clone();
        let mut homes: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for id in of.keys() {
            if let Some(tie) = self.ties.get(*id) {
                homes.entry(tie.person).or_default().push(id);
            }
        }
        // Records that are over are looked at when it is known who comes.
        let mut order: Vec<&str> = of.keys().copied().collect();
        // What is left out tells of somebody only where nothing else names them.
        order.sort_by_key(|id| (is_over(of[id][0]), of[id][0].left_out));
        let mut newcomers = Vec::new();
        for id in &order {
            let leases = &of[id];
            let named_now: BTreeSet<usize> = homes.keys().copied().collect();
            match self.ties.get(*id) {
                Some(_) => {}
                None => match self.enters(&known, id, leases[0], &shared, &named_now) {
                    Enters::Person(person) => homes.entry(person).or_default().push(id),
                    Enters::New => newcomers.push(*id),
                    Enters::Not(fate) => {
                        self.fates.insert((*id).to_owned(), fate);
                    }
                },
            }
        }
        // People are numbered in the order of the feed.
        newcomers.sort_by_key(|id| feed.iter().position(|row| row.resident.id == **id));
        for id in newcomers {
            self.create(id, &of[id]);
        }
        self.ended_beside(&known, &of);
        let mut stays_as_it_is = BTreeSet::new();
        let told_of: BTreeSet<usize> = homes.keys().copied().collect();
        for (person, ids) in homes {
            if let Some(id) = self.update(person, &ids, &of, &shared) {
                stays_as_it_is.extend([id.to_owned(), number(person)]);
            }
        }
        stays_as_it_is.extend(
            (0..known.len())
                .filter(|one| !told_of.contains(one))
                .map(number),
        );
        self.miss(&of, &ties);
        // Absence proves nothing: what is open about somebody linked who is not in the feed stays open.
        let rests = self.people.iter().any(|person| person.home.rests);
        for (kind, subject) in before {
            if kind == AlertKind::ExcludedLinked {
                // Whoever rests may be absent now.
                self.maybe.extend(rests.then_some((kind, subject)));
                continue;
            }
            let absent = self.ties.contains_key(&subject) && !of.contains_key(subject.as_str());
            let tells_nothing = absent || stays_as_it_is.contains(&subject);
            if tells_nothing && kind != AlertKind::MissingFromFeed {
                self.alerts.insert((kind, subject));
            }
        }
    }

    /// R21, R21a: the records that are of whom their id belongs to, those that count more first.
    fn believed<'a>(&mut self, all: Leases<'a>) -> Leases<'a> {
        let mut of = Leases::new();
        for (id, mut leases) in all {
            let is_linked = self.ties.contains_key(id);
            leases.sort_by(|one, other| {
                let by_list = |row: &Row| (is_over(row), row.left_out);
                let newcomers = by_list(one).cmp(&by_list(other));
                let first = if is_linked {
                    Ordering::Equal
                } else {
                    newcomers
                };
                first.then_with(|| counts_more(one, other))
            });
            // What is left out of a newcomer's is looked at by nobody (R6).
            let looked_at = leases.iter().filter(|row| is_linked || !row.left_out);
            let two = are_two(&looked_at.copied().collect::<Vec<_>>());
            let theirs: Vec<&Row> = match self.ties.get(id) {
                None if two => Vec::new(),
                None => leases.clone(),
                Some(tie) => self.theirs(&leases, tie),
            };
            if theirs.len() < leases.len() {
                self.doubted.insert(id.to_owned());
                // Which of the two it is, the tests of the rules say.
                let cause = (AlertKind::IdentityChanged, id.to_owned());
                let are_held = leases.iter().any(|row| {
                    let is_theirs = theirs.iter().any(|one| std::ptr::eq(*one, *row));
                    !is_theirs && !is_over(row) && !row.left_out
                });
                if are_held || theirs.is_empty() {
                    self.alerts.insert(cause);
                } else {
                    self.maybe.insert(cause);
                }
            }
            if !theirs.is_empty() {
                of.insert(id, theirs);
            }
        }
        of
    }

    /// Of leases under a linked id, those that agree with its person. Where those are of two people all the same, each has
    /// something of the person: theirs is the one with the whole name, or else the one with the email, with those that
    /// can be the same human's; and else none is.
    fn theirs<'a>(&self, leases: &[&'a Row], tie: &Tie) -> Vec<&'a Row> {
        let person = &self.people[tie.person];
        let emails = [person.email.as_deref(), tie.email.as_deref()];
        let mut theirs = leases.to_vec();
        theirs.retain(|row| {
            let whose = |email| (&*person.first, &*person.last, email);
            let mut emails = emails.into_iter();
            emails.any(|email| !are_strangers(whose(email), name_of(&row.resident)))
        });
        if !are_two(&theirs) {
            return theirs;
        }
        let open = || theirs.iter().copied().filter(|row| !is_over(row));
        let has_email = |row: &&Row| {
            let email = row.resident.email.as_deref();
            email.is_some() && emails.contains(&email)
        };
        let mut sure: Vec<&Row> = open().filter(|row| named(person, &row.resident)).collect();
        if sure.is_empty() {
            sure = open().filter(has_email).collect();
        }
        if sure.is_empty() || are_two(&sure) {
            return Vec::new();
        }
        theirs.retain(|row| {
            let mut sure = sure.iter();
            !sure.any(|one| are_strangers(name_of(&one.resident), name_of(&row.resident)))
        });
        theirs
    }

    /// R16: emails that two or more humans of the feed have; who is linked and past does not count.
    fn shared_emails(&mut self, of: &Leases<'_>) -> BTreeSet<String> {
        let mut humans: BTreeMap<&str, (BTreeSet<usize>, Vec<&Resident>)> = BTreeMap::new();
        for (id, leases) in of {
            let Row {
                resident, left_out, ..
            } = leases[0];
            let Some(email) = resident.email.as_deref().filter(|_| !left_out) else {
                continue;
            };
            if is_over(leases[0]) {
                continue;
            }
            let humans = humans.entry(email).or_default();
            match self.ties.get(*id) {
                Some(tie) => _ = humans.0.insert(tie.person),
                None => humans.1.push(resident),
            }
        }
        let mut shared = BTreeSet::new();
        for (email, (linked, new)) in humans {
            let one_human = linked.len() == 1
                && new.len() == 1
                && linked.iter().all(|person| {
                    let person = &self.people[*person];
                    person.email.as_deref() == Some(email) && named(person, new[0])
                });
            if linked.len() + new.len() > 1 && !one_human {
                shared.insert(email.to_owned());
                self.alerts
                    .insert((AlertKind::DuplicateEmails, email.to_owned()));
            }
        }
        shared
    }

    /// R6, R22, R7, R13–R17.
    fn enters(
        &mut self,
        known: &[Known],
        id: &str,
        row: &Row,
        shared: &BTreeSet<String>,
        named_now: &BTreeSet<usize>,
    ) -> Enters {
        let resident = &row.resident;
        let is_over = is_over(row);
        if row.left_out && !is_over {
            return Enters::Not(Fate::Excluded);
        }
        let email = resident.email.as_ref();
        let has_email = |person: &Known| email.is_some() && person.email.as_ref() == email;
        let all = || known.iter().enumerate();
        let held = !is_over && email.is_some_and(|email| shared.contains(email));
        if let Some((person, _)) = all().find(|(_, one)| has_email(one) && named(one, resident))
            && !held
        {
            // The list keeps newcomers out; of somebody whom the feed names no more it tells that they left.
            let comes = named_now.contains(&person);
            if row.left_out && comes {
                return Enters::Not(Fate::Excluded);
            }
            return Enters::Person(person);
        }
        if row.left_out {
            return Enters::Not(Fate::Excluded);
        }
        if is_over {
            return Enters::Not(Fate::Ineligible);
        }
        if email.is_none() {
            self.alerts.insert((AlertKind::MissingEmail, id.to_owned()));
            return Enters::Not(Fate::Held);
        }
        if held {
            return Enters::Not(Fate::Held);
        }
        let by_email = all().filter(|(_, one)| has_email(one)).count();
        let by_name = all().filter(|(_, one)| named(one, resident)).count();
        let kind = match (by_email, by_name) {
            (0, 0) => return Enters::New,
            (1, 0) => AlertKind::NameMismatch,
            (0, 1) => AlertKind::EmailMismatch,
            _ => AlertKind::DuplicateAccounts,
        };
        self.alerts.insert((kind, id.to_owned()));
        Enters::Not(Fate::Flagged)
    }

    /// R17.
    fn create(&mut self, id: &str, leases: &[&Row]) {
        let resident = &leases[0].resident;
        self.saw(id, self.people.len(), leases, resident.email.clone());
        let home = home(leases);
        self.several_units(self.people.len(), &home);
        self.people.push(Known {
            first: resident.first_name.clone(),
            last: resident.last_name.clone(),
            email: resident.email.clone(),
            home,
        });
        self.fates.insert(id.to_owned(), Fate::Created);
    }

    /// R22: an id that is over, and has the email and name of somebody who comes in with this run, is theirs.
    fn ended_beside(&mut self, known: &[Known], of: &Leases<'_>) {
        for (id, leases) in of {
            let row = leases[0];
            let email = row.resident.email.as_ref();
            if self.ties.contains_key(*id) || row.left_out || !is_over(row) || email.is_none() {
                continue;
            }
            let mut new = self.people.iter().enumerate().skip(known.len());
            let new = new.find(|(_, one)| one.email.as_ref() == email && named(one, &row.resident));
            if let Some((person, _)) = new {
                self.saw(id, person, leases, row.resident.email.clone());
                self.fates.insert((*id).to_owned(), Fate::Linked);
            }
        }
    }

    /// An id was seen, with these leases.
    fn saw(&mut self, id: &str, person: usize, leases: &[&Row], email: Option<String>) {
        let resident = &leases[0].resident;
        let tie = Tie {
            person,
            email,
            misses: 0,
            status: resident.status,
            superseded: false,
            unit: lived_in(resident),
            start: resident.lease_start,
            outlived: 0,
        };
        self.ties.insert(id.to_owned(), tie);
    }

    /// R8, R18–R22 for everything that the feed says about one person. Returns the resident about whom it says
    /// nothing that counts.
    fn update<'a>(
        &mut self,
        person: usize,
        ids: &[&'a str],
        of: &Leases<'a>,
        shared: &BTreeSet<String>,
    ) -> Option<&'a str> {
        let mut ids = ids.to_vec();
        ids.sort_by(|one, other| counts_more(of[one][0], of[other][0]).then(one.cmp(other)));
        let (id, leases) = (ids[0], &of[ids[0]]);
        let resident = &leases[0].resident;
        let is_new: BTreeSet<&str> = ids
            .iter()
            .copied()
            .filter(|id| !self.ties.contains_key(*id))
            .collect();
        for new in &is_new {
            self.supersede(person, &ids, &of[new][0].resident);
        }
        self.outlive(person, of);
        let absent = self.ties.iter().any(|(other, tie)| {
            tie.person == person && !ids.contains(&other.as_str()) && tie.status < resident.status
        });
        let as_known = |oracle: &Oracle, id: &str| match oracle.ties.get(id) {
            Some(tie) => tie.email.clone(),
            None => of[id][0].resident.email.clone(),
        };
        let linked = |id: &str| {
            if is_new.contains(id) {
                Fate::Linked
            } else {
                Fate::Unchanged
            }
        };
        let mut nothing_counts = None;
        if leases[0].left_out && !is_over(leases[0]) {
            self.people[person].home.rests = true;
            self.alerts
                .insert((AlertKind::ExcludedLinked, REASON.to_owned()));
            self.rests(id);
            self.fates.insert(id.to_owned(), Fate::Excluded);
        } else if leases[0].left_out && self.people[person].home.status == LeaseStatus::Past {
            let email = as_known(self, id);
            self.saw(id, person, leases, email);
            self.fates.insert(id.to_owned(), Fate::Excluded);
        } else if absent {
            nothing_counts = Some(id);
            let email = as_known(self, id);
            self.saw(id, person, leases, email);
            self.fates.insert(id.to_owned(), linked(id));
        } else {
            let mut all: Vec<&Row> = ids.iter().flat_map(|id| of[id].iter().copied()).collect();
            all.sort_by(|one, other| counts_more(one, other));
            let more = self.absent_homes(person, &ids);
            let (fate, email) = self.write(person, id, &all, more, shared);
            self.saw(id, person, leases, email);
            self.fates.insert(id.to_owned(), fate);
        }
        for id in &ids[1..] {
            let row = of[id][0];
            if row.left_out && !is_over(row) {
                self.rests(id);
                self.fates.insert((*id).to_owned(), Fate::Excluded);
            } else {
                let email = as_known(self, id);
                self.saw(id, person, &of[id], email);
                self.fates.insert((*id).to_owned(), linked(id));
            }
        }
        nothing_counts
    }

    /// Who is left out was named all the same.
    fn rests(&mut self, id: &str) {
        if let Some(tie) = self.ties.get_mut(id) {
            tie.misses = 0;
            tie.outlived = 0;
        }
    }

    /// R22: a new id takes the place of those that this run does not name, whose lease does not start after its own. Who is
    /// to move in lives where they lived until then.
    fn supersede(&mut self, person: usize, named: &[&str], new: &Resident) {
        for (id, old) in &mut self.ties {
            let waits = new.status == LeaseStatus::Pending && old.status == LeaseStatus::Current;
            let is_gone = !named.contains(&id.as_str()) && !self.doubted.contains(id);
            let runs = old.person == person && old.status != LeaseStatus::Past;
            if runs && is_gone && !waits && new.lease_start >= old.start {
                old.give_up();
            }
        }
    }

    /// R22: whoever was named under another id alone for long enough, this run with it, has that for the old one.
    fn outlive(&mut self, person: usize, of: &Leases<'_>) {
        let before = self.ties.clone();
        for (id, old) in &mut self.ties {
            let is_absent = old.person == person && !of.contains_key(id.as_str());
            if !is_absent || old.status == LeaseStatus::Past {
                continue;
            }
            let start = |other: &str| Some(of.get(other)?.first()?.resident.lease_start);
            if old.is_outlived(&before, start) && old.outlived + 1 >= self.missing_after {
                old.give_up();
            }
        }
    }

    /// R25: homes of ids that are absent now, neither out of date nor missing yet.
    fn absent_homes(&self, person: usize, named: &[&str]) -> Vec<String> {
        let absent = self.ties.iter().filter(|(id, tie)| {
            tie.person == person
                && tie.misses + 1 < self.missing_after
                && !named.contains(&id.as_str())
        });
        absent.filter_map(|(_, tie)| tie.unit.clone()).collect()
    }

    /// R18–R20: what is written, and which email counts as the PMS's from now on.
    fn write(
        &mut self,
        person: usize,
        id: &str,
        leases: &[&Row],
        more: Vec<String>,
        shared: &BTreeSet<String>,
    ) -> (Fate, Option<String>) {
        let Row {
            resident, left_out, ..
        } = leases[0];
        let is_new = !self.ties.contains_key(id);
        let mut wanted = home(leases);
        if *left_out {
            // It says that they left, and that is all that is taken of it (R8).
            return self.leaves(person, id, wanted, resident.email.clone());
        }
        if wanted.status == LeaseStatus::Current {
            for unit in more {
                if !wanted.units.contains(&unit) {
                    wanted.units.push(unit);
                }
            }
        }
        self.several_units(person, &wanted);
        let was = self.people[person].clone();
        let told = self.ties.get(id).and_then(|tie| tie.email.clone());
        let mut is = was.clone();
        let changed = resident.email.is_some()
            && told.is_some()
            && told != resident.email
            && was.email != resident.email;
        let mut waits = false;
        if changed {
            self.alerts
                .insert((AlertKind::EmailMismatch, id.to_owned()));
            waits = true;
        }
        if changed && !self.hold_email {
            is.home.rests = false;
            if wanted.status == LeaseStatus::Past {
                is.home.status = LeaseStatus::Past;
            }
            is.home.end = is.home.end.into_iter().chain(wanted.end).min();
        } else {
            is.home = wanted;
            is.first.clone_from(&resident.first_name);
            is.last.clone_from(&resident.last_name);
            match &resident.email {
                _ if changed => {}
                None if was.email.is_some() => {
                    self.alerts.insert((AlertKind::MissingEmail, id.to_owned()));
                }
                Some(email) if was.email.as_ref() != Some(email) => {
                    let others = self
                        .people
                        .iter()
                        .any(|one| one.email.as_ref() == Some(email));
                    if others || shared.contains(email) {
                        self.alerts
                            .insert((AlertKind::DuplicateAccounts, id.to_owned()));
                        waits = true;
                    } else {
                        is.email = Some(email.clone());
                    }
                }
                _ => {}
            }
        }
        let fate = match () {
            () if is_new => Fate::Linked,
            () if waits => Fate::Held,
            () if is != was => Fate::Updated,
            () => Fate::Unchanged,
        };
        self.people[person] = is;
        let keeps = changed || resident.email.is_none();
        let email = if keeps && !is_new {
            told
        } else {
            resident.email.clone()
        };
        (fate, email)
    }

    /// R8: the record of somebody who is left out says that they left.
    fn leaves(
        &mut self,
        person: usize,
        id: &str,
        wanted: Home,
        email: Option<String>,
    ) -> (Fate, Option<String>) {
        let units = self.people[person].home.units.clone();
        self.people[person].home = Home { units, ..wanted };
        let tie = self.ties.get(id);
        let fate = if tie.is_some() {
            Fate::Updated
        } else {
            Fate::Linked
        };
        (fate, tie.map_or(email, |tie| tie.email.clone()))
    }

    /// R21.
    fn several_units(&mut self, person: usize, home: &Home) {
        if home.units.len() > 1 {
            self.alerts
                .insert((AlertKind::MultipleCurrentLeases, number(person)));
        }
    }

    /// R25: who is linked, lives or will live there, and was not named. `before` is what was known before the run.
    fn miss(&mut self, of: &Leases<'_>, before: &BTreeMap<String, Tie>) {
        let now = self.ties.clone();
        for (id, old) in &mut self.ties {
            if of.contains_key(id.as_str()) || old.status == LeaseStatus::Past {
                continue;
            }
            old.misses += 1;
            // R22: another id, which was not over when this one was named last, is there without it.
            let outlives = old.is_outlived(before, |other| {
                of.contains_key(other).then(|| now[other].start)
            });
            old.outlived += u32::from(outlives);
            if outlives && old.outlived >= self.missing_after {
                old.give_up();
            } else if old.misses >= self.missing_after {
                self.alerts.insert((AlertKind::MissingFromFeed, id.clone()));
            }
        }
    }

    /// The ids whose misses count: those of leases that run, as far as anybody knows.
    pub(super) fn counted(&self) -> BTreeMap<String, u32> {
        let counts = self.ties.iter();
        counts
            .filter(|(_, tie)| tie.status != LeaseStatus::Past)
            .map(|(id, tie)| (id.clone(), tie.misses.min(self.missing_after)))
            .collect()
    }
}

impl Tie {
    /// Whether another id of the person, whose lease does not start before this one's, and which was not over when this one
    /// was named last, is named. `start` is when the lease of an id starts that the feed names.
    fn is_outlived(
        &self,
        before: &BTreeMap<String, Tie>,
        start: impl Fn(&str) -> Option<Option<Date>>,
    ) -> bool {
        before.iter().any(|(other, was)| {
            let ran = was.status != LeaseStatus::Past || self.outlived > 0;
            let starts = start(other);
            was.person == self.person && ran && starts.is_some_and(|start| start >= self.start)
        })
    }

    /// Another id is in its place.
    fn give_up(&mut self) {
        self.status = LeaseStatus::Past;
        self.unit = None;
        self.superseded = true;
    }
}

fn is_over(row: &Row) -> bool {
    row.resident.status == LeaseStatus::Past
}

/// Whether any two of the leases that are not past are of two people.
fn are_two(leases: &[&Row]) -> bool {
    let open = || leases.iter().filter(|row| !is_over(row));
    open().any(|one| {
        open().any(|other| are_strangers(name_of(&one.resident), name_of(&other.resident)))
    })
}

pub(super) fn number(person: usize) -> String {
    PersonId(person as u64 + 1).to_string()
}

fn lived_in(resident: &Resident) -> Option<String> {
    let current = resident.status == LeaseStatus::Current;
    resident
        .unit
        .as_ref()
        .filter(|_| current)
        .map(|unit| unit.label.clone())
}

enum Enters {
    Person(usize),
    New,
    Not(Fate),
}

fn same(one: &str, other: &str) -> bool {
    !one.is_empty() && one.to_lowercase() == other.to_lowercase()
}

fn named(person: &Known, resident: &Resident) -> bool {
    same(&person.first, &resident.first_name) && same(&person.last, &resident.last_name)
}

type Whose<'a> = (&'a str, &'a str, Option<&'a str>);

fn name_of(resident: &Resident) -> Whose<'_> {
    (
        &resident.first_name,
        &resident.last_name,
        resident.email.as_deref(),
    )
}

/// Another first and last name, and not the same email.
fn are_strangers(one: Whose<'_>, other: Whose<'_>) -> bool {
    let same_email = one.2.is_some() && one.2 == other.2;
    !same(one.0, other.0) && !same(one.1, other.1) && !same_email
}

/// R21: current before pending before past, then what is not left out, then the latest start.
fn counts_more(one: &Row, other: &Row) -> Ordering {
    let weight = |row: &Row| match row.resident.status {
        LeaseStatus::Current => 0,
        LeaseStatus::Pending => 1,
        _ => 2,
    };
    let (a, b) = (&one.resident, &other.resident);
    weight(one)
        .cmp(&weight(other))
        .then(one.left_out.cmp(&other.left_out))
        .then(b.lease_start.cmp(&a.lease_start))
        .then(a.lease_id.cmp(&b.lease_id))
}

/// R21: the lease that counts, with its renewals in the same unit, and the other units that are lived in.
fn home(leases: &[&Row]) -> Home {
    let first = &leases[0].resident;
    let label = |resident: &Resident| resident.unit.as_ref().map(|unit| unit.label.clone());
    let mut home = Home {
        status: first.status,
        units: label(first).into_iter().collect(),
        start: first.lease_start,
        end: first.lease_end,
        rests: false,
    };
    if first.status != LeaseStatus::Current {
        return home;
    }
    for Row { resident, .. } in leases[1..].iter().filter(|row| !row.left_out) {
        let same_unit = label(resident) == label(first);
        match resident.status {
            LeaseStatus::Current | LeaseStatus::Pending if same_unit => {
                home.start = home.start.min(resident.lease_start);
                home.end = home.end.max(resident.lease_end);
            }
            LeaseStatus::Current => {
                let more = label(resident).filter(|unit| !home.units.contains(unit));
                home.units.extend(more);
            }
            _ => {}
        }
    }
    home
}
