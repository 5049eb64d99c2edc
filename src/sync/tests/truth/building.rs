//! A building with its truth: who really lives where, and how its PMS writes them down. It tells no lies.

use super::*;

/// A human, with everything that was ever theirs.
#[derive(Debug, Clone)]
pub(super) struct Human {
    pub(super) first: String,
    /// The last one of each is theirs now.
    pub(super) lasts: Vec<String>,
    pub(super) emails: Vec<String>,
    pub(super) household: usize,
    pub(super) units: BTreeSet<usize>,
    pub(super) starts: BTreeSet<Date>,
    pub(super) ids: BTreeSet<String>,
}

/// A lease as the PMS has it.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) human: usize,
    pub(super) unit: usize,
    pub(super) resident: Resident,
    /// The feed has it.
    pub(super) listed: bool,
}

#[derive(Debug)]
pub(super) struct Building {
    pub(super) today: Date,
    pub(super) humans: Vec<Human>,
    pub(super) rows: Vec<Row>,
    pub(super) units: Vec<Unit>,
    /// Statuses whose words are on the exclude list.
    pub(super) excluded: BTreeSet<LeaseStatus>,
    /// Every id that a unit ever had.
    homes: BTreeMap<String, usize>,
    owners: BTreeMap<String, usize>,
    households: usize,
    ids: usize,
    leases: usize,
}

fn is_open(row: &Row) -> bool {
    !row.resident.status.is_closed()
}

impl Building {
    pub(super) fn new(units: usize, today: Date) -> Building {
        let mut building = Building {
            today,
            humans: Vec::new(),
            rows: Vec::new(),
            units: Vec::new(),
            excluded: BTreeSet::new(),
            homes: BTreeMap::new(),
            owners: BTreeMap::new(),
            households: 0,
            ids: 0,
            leases: 0,
        };
        for _ in 0..units {
            building.build();
        }
        building
    }

    /// One more unit.
    fn build(&mut self) -> usize {
        let number = self.units.len();
        let unit = unit(&format!("{}", 100 + number)).unwrap();
        self.homes.insert(unit.id.clone(), number);
        self.units.push(unit);
        number
    }

    pub(super) fn home(&self, unit: &Unit) -> Option<usize> {
        self.homes.get(&unit.id).copied()
    }

    /// Who a record is about: whose lease it is, or else whose email.
    pub(super) fn owner(&self, said: &Resident) -> Option<usize> {
        let mut rows = self.rows.iter();
        let row = rows.find(|row| row.resident.lease_id == said.lease_id);
        let email = || self.owners.get(said.email.as_ref()?).copied();
        row.map(|row| row.human).or_else(email)
    }

    pub(super) fn person(&mut self, household: usize) -> usize {
        let number = self.humans.len();
        let email = format!("human{number}@mail.com");
        self.owners.insert(email.clone(), number);
        self.humans.push(Human {
            first: format!("Given{number}"),
            lasts: vec![format!("Family{household}")],
            emails: vec![email],
            household,
            units: BTreeSet::new(),
            starts: BTreeSet::new(),
            ids: BTreeSet::new(),
        });
        number
    }

    /// Somebody with a household of their own, who has no lease.
    pub(super) fn stranger(&mut self) -> usize {
        self.households += 1;
        self.person(self.households)
    }

    pub(super) fn new_id(&mut self) -> String {
        self.ids += 1;
        format!("t{:04}", self.ids)
    }

    /// What the PMS writes of somebody whose lease begins today.
    pub(super) fn written(&self, human: usize, id: &str) -> Resident {
        let one = &self.humans[human];
        let (last, email) = (one.lasts.last().unwrap(), one.emails.last().unwrap());
        // No two leases of theirs begin on the same day: which of them is the newer one, nobody could say.
        let after = one.starts.last().map(|start| start.tomorrow().unwrap());
        let start = after.map_or(self.today, |after| after.max(self.today));
        Resident {
            lease_id: Some(format!("lease-{}", self.leases)),
            household: Some(format!("household-{}", one.household)),
            phone: Some(format!(
                "+1{}555{:04}",
                212 + human / 10_000,
                human % 10_000
            )),
            lease_start: Some(start),
            lease_end: Some(start + jiff::Span::new().years(1)),
            move_in: Some(start),
            ..resident(id, &one.first, last, email)
        }
    }

    pub(super) fn lease(&mut self, human: usize, id: &str, unit: usize, status: LeaseStatus) {
        let resident = with_status(self.written(human, id), status);
        self.leases += 1;
        let one = &mut self.humans[human];
        one.units.insert(unit);
        one.starts.extend(resident.lease_start);
        one.ids.insert(id.to_owned());
        self.rows.push(Row {
            human,
            unit,
            resident,
            listed: true,
        });
    }

    /// So many of one new household.
    pub(super) fn move_in(&mut self, unit: usize, count: usize, status: LeaseStatus) -> usize {
        self.households += 1;
        for _ in 0..count {
            let (human, id) = (self.person(self.households), self.new_id());
            self.lease(human, &id, unit, status);
        }
        self.households
    }

    /// Somebody joins those who live in a unit.
    pub(super) fn join(&mut self, human: usize) {
        let Some(row) = self.open_rows(human).next() else {
            return;
        };
        let (unit, status) = (self.rows[row].unit, self.rows[row].resident.status);
        let (new, id) = (self.person(self.humans[human].household), self.new_id());
        self.lease(new, &id, unit, status);
    }

    pub(super) fn open_rows(&self, human: usize) -> impl Iterator<Item = usize> {
        let rows = self.rows.iter().enumerate();
        rows.filter(move |(_, row)| row.human == human && is_open(row))
            .map(|(place, _)| place)
    }

    pub(super) fn lives(&self, human: usize) -> bool {
        self.open_rows(human).next().is_some()
    }

    /// Those who live here, or are to.
    pub(super) fn living(&self) -> Vec<usize> {
        let humans = self.rows.iter().filter(|row| is_open(row));
        let humans: BTreeSet<usize> = humans.map(|row| row.human).collect();
        humans.into_iter().collect()
    }

    /// The others of whom the PMS knows still.
    pub(super) fn former(&self) -> Vec<usize> {
        let living = self.living();
        let humans: BTreeSet<usize> = self.rows.iter().map(|row| row.human).collect();
        humans
            .into_iter()
            .filter(|one| !living.contains(one))
            .collect()
    }

    pub(super) fn members(&self, household: usize) -> Vec<usize> {
        let mut living = self.living();
        living.retain(|one| self.humans[*one].household == household);
        living
    }

    /// The units in which nobody lives, and to which nobody is to come.
    pub(super) fn vacant(&self) -> Vec<usize> {
        let taken = self.rows.iter().filter(|row| is_open(row));
        let taken: BTreeSet<usize> = taken.map(|row| row.unit).collect();
        (0..self.units.len())
            .filter(|one| !taken.contains(one))
            .collect()
    }

    pub(super) fn a_vacant_one(&mut self) -> usize {
        let vacant = self.vacant().into_iter().next();
        vacant.unwrap_or_else(|| self.build())
    }

    fn end(&mut self, row: usize) {
        let resident = past(self.rows[row].resident.clone());
        self.rows[row].resident = Resident {
            move_out: Some(self.today),
            ..resident
        };
    }

    pub(super) fn leave(&mut self, human: usize) {
        for row in self.open_rows(human).collect::<Vec<_>>() {
            self.end(row);
        }
    }

    /// Those who have signed move in.
    pub(super) fn arrive(&mut self, human: usize) {
        for row in self.open_rows(human).collect::<Vec<_>>() {
            let resident = self.rows[row].resident.clone();
            self.rows[row].resident = with_status(resident, LeaseStatus::Current);
        }
    }

    /// Somebody moves to another unit: the old lease is over, or its row is gone; the new one has the same id, or one of
    /// its own.
    pub(super) fn transfer(&mut self, human: usize, unit: usize, has_new_id: bool, is_kept: bool) {
        let open: Vec<usize> = self.open_rows(human).collect();
        let Some(first) = open.first() else { return };
        let id = if has_new_id {
            self.new_id()
        } else {
            self.rows[*first].resident.id.clone()
        };
        for row in &open {
            self.end(*row);
        }
        if !is_kept {
            self.rows.retain(|row| row.human != human);
        }
        self.lease(human, &id, unit, LeaseStatus::Current);
    }

    /// A renewal in the same unit: the row of the old lease goes on, or stands beside as one that is over.
    pub(super) fn renew(&mut self, human: usize, is_beside: bool) {
        let Some(row) = self.open_rows(human).next() else {
            return;
        };
        let (unit, old) = (self.rows[row].unit, self.rows[row].resident.clone());
        if is_beside {
            self.end(row);
            self.lease(human, &old.id, unit, old.status);
        } else {
            let end = self.today + jiff::Span::new().years(1);
            self.rows[row].resident.lease_end = Some(end);
        }
    }

    /// What is known of somebody is corrected in each of their leases that is not over.
    fn rewrite(&mut self, human: usize) {
        let one = self.humans[human].clone();
        for row in self.open_rows(human).collect::<Vec<_>>() {
            let resident = &mut self.rows[row].resident;
            resident.last_name.clone_from(one.lasts.last().unwrap());
            resident.email = one.emails.last().cloned();
        }
    }

    pub(super) fn marry(&mut self, human: usize) {
        let name = format!("Wed{human}-{}", self.humans[human].lasts.len());
        self.humans[human].lasts.push(name);
        self.rewrite(human);
    }

    pub(super) fn new_email(&mut self, human: usize) {
        let email = format!("human{human}@{}.com", self.humans[human].emails.len());
        self.owners.insert(email.clone(), human);
        self.humans[human].emails.push(email);
        self.rewrite(human);
    }

    /// A roommate is promoted, or the office begins anew: other ids for the same leases.
    pub(super) fn renumber(&mut self, human: usize) {
        let id = self.new_id();
        for row in self.open_rows(human).collect::<Vec<_>>() {
            self.rows[row].resident.id.clone_from(&id);
        }
        self.humans[human].ids.insert(id);
    }

    /// The management names a unit anew: its label, and its id where it is a unit like a new one.
    pub(super) fn rename(&mut self, number: usize, has_new_id: bool) {
        let unit = &mut self.units[number];
        unit.label = format!("Bldg A - {}", unit.label);
        if has_new_id {
            unit.id = format!("new-{}", unit.id);
            self.homes.insert(unit.id.clone(), number);
        }
    }

    /// The feed names somebody under none of their ids, or does again.
    pub(super) fn turn(&mut self, human: usize, listed: bool) {
        let rows = self.rows.iter_mut().filter(|row| row.human == human);
        rows.for_each(|row| row.listed = listed);
    }

    /// The feed leaves out what has one of somebody's ids.
    pub(super) fn hide(&mut self, row: usize) {
        let id = self.rows[row].resident.id.clone();
        let rows = self.rows.iter_mut().filter(|row| row.resident.id == id);
        rows.for_each(|row| row.listed = false);
    }

    /// Somebody joins those who live in a unit, and has the email of another: a couple with one mailbox, or one that was
    /// handed on.
    pub(super) fn join_with_email(&mut self, human: usize, other: usize) {
        self.join(human);
        let email = self.humans[other].emails.last().cloned().unwrap();
        let new = self.humans.len() - 1;
        self.humans[new].emails.push(email);
        self.rewrite(new);
    }

    /// The PMS forgets the leases that were over by then.
    pub(super) fn forget(&mut self, before: Date) {
        self.rows
            .retain(|row| is_open(row) || row.resident.move_out.is_none_or(|ended| ended > before));
    }

    /// What the PMS sends.
    pub(super) fn feed(&self) -> Vec<Item> {
        let listed = self.rows.iter().filter(|row| row.listed);
        let item = |row: &Row| {
            let resident = Resident {
                unit: Some(self.units[row.unit].clone()),
                ..row.resident.clone()
            };
            if self.excluded.contains(&resident.status) {
                Item::LeftOut(resident, "its status")
            } else {
                Item::Here(resident)
            }
        };
        listed.map(item).collect()
    }
}
