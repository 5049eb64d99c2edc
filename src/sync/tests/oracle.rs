//! A small second reading of `user-sync` §3–§6 for one property, written from the rules and sharing nothing with
//! the planner: random histories must go the same way in both.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// A lease of the feed, and whether it is left out.
#[derive(Debug, Clone)]
struct Row {
    resident: Resident,
    left_out: bool,
    listed: bool,
}

/// What is known of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    first: String,
    last: String,
    email: Option<String>,
    home: Home,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Home {
    status: LeaseStatus,
    units: Vec<String>,
    start: Option<Date>,
    end: Option<Date>,
    rests: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Tie {
    person: usize,
    email: Option<String>,
    status: LeaseStatus,
    unit: Option<String>,
    misses: u32,
}

/// The rules as they are written: what is known, and what a feed makes of it.
#[derive(Debug, Default)]
struct Oracle {
    people: Vec<Known>,
    ties: BTreeMap<String, Tie>,
    alerts: BTreeSet<(AlertKind, String)>,
    fates: BTreeMap<String, Fate>,
    hold_email: bool,
    missing_after: u32,
}

type Leases<'a> = BTreeMap<&'a str, Vec<&'a Row>>;

impl Oracle {
    fn run(&mut self, feed: &[Row]) {
        let before = std::mem::take(&mut self.alerts);
        self.fates.clear();
        let mut of: Leases<'_> = BTreeMap::new();
        for row in feed {
            of.entry(&row.resident.id).or_default().push(row);
        }
        for leases in of.values_mut() {
            leases.sort_by(|one, other| counts_more(one, other));
        }
        let shared = self.shared_emails(&of);
        // Everybody is matched against the people as they were before the run.
        let known = self.people.clone();
        let mut homes: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        let mut newcomers = Vec::new();
        for (id, leases) in &of {
            match self.ties.get(*id) {
                Some(tie) => homes.entry(tie.person).or_default().push(id),
                None => match self.enters(&known, id, leases[0], &shared) {
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
        self.miss(&of);
        // Absence proves nothing: what is open about somebody linked who is not in the feed stays open.
        for (kind, subject) in before {
            let absent = self.ties.contains_key(&subject) && !of.contains_key(subject.as_str());
            let tells_nothing = absent || stays_as_it_is.contains(&subject);
            if tells_nothing && kind != AlertKind::MissingFromFeed {
                self.alerts.insert((kind, subject));
            }
        }
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
            match self.ties.get(*id) {
                Some(tie) if resident.status != LeaseStatus::Past => {
                    humans.entry(email).or_default().0.insert(tie.person);
                }
                None if resident.status != LeaseStatus::Past => {
                    humans.entry(email).or_default().1.push(resident);
                }
                _ => {}
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

    /// R6, R7, R13–R17.
    fn enters(
        &mut self,
        known: &[Known],
        id: &str,
        row: &Row,
        shared: &BTreeSet<String>,
    ) -> Enters {
        let resident = &row.resident;
        if row.left_out {
            return Enters::Not(Fate::Excluded);
        }
        if resident.status == LeaseStatus::Past {
            return Enters::Not(Fate::Ineligible);
        }
        let Some(email) = &resident.email else {
            self.alerts.insert((AlertKind::MissingEmail, id.to_owned()));
            return Enters::Not(Fate::Held);
        };
        if shared.contains(email) {
            return Enters::Not(Fate::Held);
        }
        let has_email = |person: &Known| person.email.as_ref() == Some(email);
        let all = || known.iter().enumerate();
        if let Some((person, _)) = all().find(|(_, one)| has_email(one) && named(one, resident)) {
            return Enters::Person(person);
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
        self.ties.insert(
            id.to_owned(),
            Tie {
                person: self.people.len(),
                email: resident.email.clone(),
                status: resident.status,
                unit: lived_in(resident),
                misses: 0,
            },
        );
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
        let new = |oracle: &Oracle, id: &str| !oracle.ties.contains_key(id);
        let is_new = new(self, id);
        let absent = self.ties.iter().any(|(other, tie)| {
            tie.person == person && !ids.contains(&other.as_str()) && tie.status < resident.status
        });
        let mut nothing_counts = None;
        // Other ids of the same person, whose leases count less.
        let email_of = |oracle: &mut Oracle, id: &str, email: Option<String>| {
            let resident = &of[id][0].resident;
            let tie = Tie {
                person,
                email,
                status: resident.status,
                unit: lived_in(resident),
                misses: 0,
            };
            oracle.ties.insert(id.to_owned(), tie);
        };
        let as_known = |oracle: &Oracle, id: &str| match oracle.ties.get(id) {
            Some(tie) => tie.email.clone(),
            None => of[id][0].resident.email.clone(),
        };
        let rest: Vec<&str> = ids[1..].to_vec();
        if leases[0].left_out {
            self.people[person].home.rests = true;
            if let Some(tie) = self.ties.get_mut(id) {
                tie.misses = 0;
            }
            self.fates.insert(id.to_owned(), Fate::Excluded);
        } else if absent {
            nothing_counts = Some(id);
            let email = as_known(self, id);
            email_of(self, id, email);
            let fate = if is_new {
                Fate::Linked
            } else {
                Fate::Unchanged
            };
            self.fates.insert(id.to_owned(), fate);
        } else {
            let mut all: Vec<&Row> = ids.iter().flat_map(|id| of[id].iter().copied()).collect();
            all.sort_by(|one, other| counts_more(one, other));
            let (fate, email) = self.write(person, id, &all, of, shared);
            email_of(self, id, email);
            self.fates.insert(id.to_owned(), fate);
        }
        for id in rest {
            let fate = match (of[id][0].left_out, new(self, id)) {
                (true, _) => Fate::Excluded,
                (false, true) => Fate::Linked,
                (false, false) => Fate::Unchanged,
            };
            if fate != Fate::Excluded {
                let email = as_known(self, id);
                email_of(self, id, email);
            }
            self.fates.insert(id.to_owned(), fate);
        }
        nothing_counts
    }

    /// R18–R20: what is written, and which email counts as the PMS's from now on.
    fn write(
        &mut self,
        person: usize,
        id: &str,
        leases: &[&Row],
        of: &Leases<'_>,
        shared: &BTreeSet<String>,
    ) -> (Fate, Option<String>) {
        let resident = &leases[0].resident;
        let is_new = !self.ties.contains_key(id);
        let mut wanted = home(leases);
        if wanted.status == LeaseStatus::Current {
            // R25: homes of residents who are absent now, and not yet missing.
            let absent = self.ties.iter().filter(|(id, tie)| {
                tie.person == person
                    && tie.misses + 1 < self.missing_after
                    && !of.contains_key(id.as_str())
            });
            for unit in absent.filter_map(|(_, tie)| tie.unit.clone()) {
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

    /// R21.
    fn several_units(&mut self, person: usize, home: &Home) {
        if home.units.len() > 1 {
            self.alerts
                .insert((AlertKind::MultipleCurrentLeases, number(person)));
        }
    }

    /// R25: who is linked, lives or will live there, and was not named.
    fn miss(&mut self, of: &Leases<'_>) {
        let ties = self.ties.clone();
        for (id, tie) in &mut self.ties {
            if of.contains_key(id.as_str()) || tie.status == LeaseStatus::Past {
                continue;
            }
            tie.misses += 1;
            if tie.misses < self.missing_after {
                continue;
            }
            // The PMS names them under another id now.
            let renamed = ties.iter().any(|(other, one)| {
                of.contains_key(other.as_str())
                    && one.person == tie.person
                    && one.status <= tie.status
            });
            if renamed {
                tie.status = LeaseStatus::Past;
                tie.unit = None;
            } else {
                self.alerts.insert((AlertKind::MissingFromFeed, id.clone()));
            }
        }
    }
}

fn number(person: usize) -> String {
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

fn named(person: &Known, resident: &Resident) -> bool {
    person.first.to_lowercase() == resident.first_name.to_lowercase()
        && person.last.to_lowercase() == resident.last_name.to_lowercase()
}

/// R21: current before pending before past, then the latest start; what is left out counts only more than what
/// is over (R8).
fn counts_more(one: &Row, other: &Row) -> std::cmp::Ordering {
    let weight = |row: &Row| {
        let status = match row.resident.status {
            LeaseStatus::Current => 0,
            LeaseStatus::Pending => 1,
            _ => 2,
        };
        (status == 2, row.left_out, status)
    };
    let (a, b) = (&one.resident, &other.resident);
    weight(one)
        .cmp(&weight(other))
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

/// The PMS: leases at two of its properties, and what happens to them.
#[derive(Debug, Default)]
struct Pms(Vec<Row>);

impl Pms {
    fn lease(&mut self, resident: &Resident, id: &str) -> &mut Resident {
        let number = self.0.len();
        let at = i8::try_from(number % 27).unwrap() + 1;
        self.0.push(Row {
            resident: Resident {
                lease_id: Some(format!("lease-{number:03}")),
                lease_start: Some(date(2026, 1, at)),
                ..with_id(with_status(resident.clone(), LeaseStatus::Current), id)
            },
            left_out: false,
            listed: true,
        });
        let resident = &mut self.0[number].resident;
        resident.lease_id = Some(format!("lease-{number:03}"));
        resident
    }

    fn happens(&mut self, (kind, who, value): (u8, usize, usize)) {
        let count = self.0.len();
        let new_id = format!("{}/{count}", ["north", "south"][who % 2]);
        let new_email = format!("e{value}@x.com");
        if kind < 3 || count == 0 {
            let first = ["Ana", "Bob", "Eve"][value % 3];
            let last = ["Ortiz", "Marsh"][who % 2];
            let newcomer = resident("", first, last, &format!("e{count}@x.com"));
            let lease = self.lease(&newcomer, &new_id);
            lease.unit = unit(&format!("{}", 100 + count));
            if value == 0 {
                *lease = with_status(lease.clone(), LeaseStatus::Pending);
            }
            return;
        }
        let (at, other) = (who % count, (who + 1) % count);
        let tenant = self.0[at].resident.clone();
        let mut over = || self.0[at].resident = past(self.0[at].resident.clone());
        match kind {
            3 | 4 => over(),
            // A transfer, under the same id and under a new one.
            5 | 6 => {
                over();
                let id = if kind == 5 { &tenant.id } else { &new_id };
                self.lease(&tenant, id).unit = unit("900");
            }
            7 => self.0[at].resident.first_name = ["Ana", "ANA", "Bob"][value % 3].into(),
            8 => self.0[at].resident.last_name = ["Ortiz", "Marsh-Ortiz"][value % 2].into(),
            9 => self.0[at].resident.email = Some(new_email),
            10 => self.0[at].resident.email = self.0[other].resident.email.clone(),
            11 => {
                self.0[at].resident.email = self.0[other].resident.email.clone();
                self.0[other].resident.email = tenant.email;
            }
            12 | 13 => self.0[at].listed = !self.0[at].listed,
            14 => self.0[at].left_out = !self.0[at].left_out,
            // A return under the same id, a return under a new one, a second home.
            15 => self.0[at].resident = with_status(tenant, LeaseStatus::Current),
            16 => _ = self.lease(&tenant, &new_id),
            17 => self.lease(&tenant, &tenant.id).unit = unit("901"),
            18 => {
                let month = i8::try_from(value).unwrap() + 2;
                self.0[at].resident.lease_end = day(month, 20);
            }
            19 => self.0[at].resident.email = None,
            // The other PMS property lists them too.
            _ => {
                let id = format!("other/{}", tenant.id);
                if !self.0.iter().any(|row| row.resident.id == id) {
                    *self.lease(&tenant, &id) = with_id(tenant.clone(), &id);
                }
            }
        }
    }

    fn feed(&self) -> Vec<Row> {
        self.0.iter().filter(|row| row.listed).cloned().collect()
    }
}

/// What the store knows, in the oracle's words.
fn stored(world: &World) -> (Vec<Known>, BTreeMap<String, Tie>) {
    let people = world.people();
    let known = people.iter().map(|person| {
        let stay = &person.stays[&world.integration];
        let units = stay.unit.iter().chain(&stay.more_units);
        Known {
            first: person.first_name.clone(),
            last: person.last_name.clone(),
            email: person.email.clone(),
            home: Home {
                status: stay.status,
                units: units.map(|unit| unit.label.clone()).collect(),
                start: stay.lease_start,
                end: stay.lease_end,
                rests: stay.excluded,
            },
        }
    });
    let place = |id: PersonId| people.iter().position(|one| one.id == id).unwrap();
    let ties = world.links().into_iter().map(|(id, link)| {
        let tie = Tie {
            person: place(link.person),
            email: link.email,
            status: link.status,
            unit: link.unit.map(|unit| unit.label),
            misses: link.misses,
        };
        (id, tie)
    });
    (known.collect(), ties.collect())
}

/// Beyond the alert, misses are not counted.
fn as_far_as_counted(mut ties: BTreeMap<String, Tie>) -> BTreeMap<String, Tie> {
    for tie in ties.values_mut() {
        tie.misses = tie.misses.min(MISSING_AFTER);
    }
    ties
}

const MISSING_AFTER: u32 = 2;

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_history_goes_as_a_second_reading_of_the_rules_says(
        history in prop::collection::vec(
            prop::collection::vec((0u8..21, 0usize..8, 0usize..6), 0..4),
            3..14,
        ),
        hold_email in any::<bool>(),
    ) {
        let mut world = World::new();
        let mut oracle = Oracle { hold_email, missing_after: MISSING_AFTER, ..Oracle::default() };
        world.missing_after = MISSING_AFTER;
        world.guard.limit = 1000;
        if hold_email {
            world.email_change = EmailChange::HoldEmail;
        }
        let mut pms = Pms::default();
        for events in history {
            for event in events {
                pms.happens(event);
            }
            let feed = pms.feed();
            if feed.is_empty() {
                continue;
            }
            oracle.run(&feed);
            let seen = world.run(feed.iter().map(|row| if row.left_out {
                Item::LeftOut(row.resident.clone(), "status X")
            } else {
                Item::Here(row.resident.clone())
            }));
            prop_assert!(seen.report.outcome.is_success(), "{:?}", seen.report);
            let fates: BTreeMap<String, Fate> = seen.decisions.iter().rev()
                .map(|decision| (decision.subject.clone(), decision.fate))
                .collect();
            prop_assert_eq!(&fates, &oracle.fates, "fates of {:#?}", feed);
            let (people, ties) = stored(&world);
            prop_assert_eq!(&people, &oracle.people, "people after {:#?}", feed);
            prop_assert_eq!(
                as_far_as_counted(ties),
                as_far_as_counted(oracle.ties.clone()),
                "links after {:#?}", feed
            );
            let open: BTreeSet<(AlertKind, String)> = seen.alerts.iter().map(|alert| {
                let email = alert.sides.first().and_then(|side| side.values.get(&crate::model::Field::Email));
                let subject = match alert.kind {
                    AlertKind::DuplicateEmails => email.unwrap().clone(),
                    _ => alert.subject.clone(),
                };
                (alert.kind, subject)
            }).collect();
            prop_assert_eq!(&open, &oracle.alerts, "alerts after {:#?}", feed);
        }
    }
}
