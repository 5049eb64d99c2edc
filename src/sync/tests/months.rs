//! Simulated time: many properties synced every hour for days or months, with everything that goes wrong on the way.
//! After each hour the whole store is verified, and nobody was closed whom the PMS does not call past. The clock is set
//! wrong and right again, PMSs do not answer for days, budgets of a day are used up, totals are erratic.
//!
//! `EPMS_SIMULATED_DAYS=30 cargo test --release --lib months -- --nocapture` simulates thirty days of fifty
//! properties.

#![allow(clippy::print_stdout, reason = "the counts are what is to be seen")]

use std::collections::BTreeSet;

use fastrand::Rng;

use super::*;
use crate::config::Span;
use crate::store::testing::{Disk, Fault};
use crate::sync::commit::Stop;

/// Somebody in a PMS, as they really are.
#[derive(Debug, Clone)]
struct Tenant {
    resident: Resident,
    /// The PMS shows them.
    listed: bool,
}

/// What goes wrong with a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    Nothing,
    /// The reading breaks off.
    Incomplete,
    /// The PMS does not answer, for days.
    Outage,
    /// The budget of the day is used up.
    Postponed,
    /// The PMS says that there are more than it gives: its totals are erratic.
    Erratic,
    /// The login is refused.
    LoginFailed,
    /// A complete answer, and nothing in it.
    Empty,
    /// A complete answer that lacks a half: a filter was changed.
    Half,
    /// A complete answer that calls everybody past.
    AllPast,
    /// Records that the script cannot read.
    Unread,
    /// The process ends in the middle of the run.
    Killed,
    /// The disk fails once, somewhere in the run.
    Disk,
}

impl Trouble {
    fn of(random: &mut Rng) -> Trouble {
        match random.u32(..400) {
            0..4 => Trouble::Incomplete,
            4..8 => Trouble::Erratic,
            8..12 => Trouble::LoginFailed,
            12..16 => Trouble::Empty,
            16..20 => Trouble::Half,
            20..24 => Trouble::AllPast,
            24..32 => Trouble::Unread,
            32..36 => Trouble::Killed,
            36..40 => Trouble::Disk,
            _ => Trouble::Nothing,
        }
    }
}

struct Property {
    id: IntegrationId,
    tenants: Vec<Tenant>,
    /// Ever given, so that each resident has an id of their own.
    count: usize,
    /// Hours for which the PMS does not answer yet.
    down: u32,
    /// Requests that its budget has left today; none where there is no budget.
    left: Option<u32>,
}

/// Of a budget's property: so many runs a day.
const A_DAY: u32 = 18;

impl Property {
    fn new(number: usize, random: &mut Rng) -> Property {
        let mut property = Property {
            id: IntegrationId::new(format!("property-{number}")),
            tenants: Vec::new(),
            count: 0,
            down: 0,
            left: number.is_multiple_of(5).then_some(A_DAY),
        };
        for _ in 0..random.usize(15..30) {
            property.move_in(random);
        }
        property
    }

    fn move_in(&mut self, random: &mut Rng) {
        self.count += 1;
        let id = format!("{}-{}", self.id.as_str(), self.count);
        let email = format!("{id}@x.com");
        let moved = Resident {
            unit: unit(&random.usize(100..160).to_string()),
            ..resident(&id, &format!("Max{}", self.count), "Many", &email)
        };
        self.tenants.push(Tenant {
            resident: moved,
            listed: true,
        });
    }

    /// An hour of life: mostly nothing.
    fn live(&mut self, random: &mut Rng) {
        if random.u32(..100) < 3 {
            self.move_in(random);
        }
        if self.tenants.is_empty() || random.u32(..100) >= 10 {
            return;
        }
        let which = random.usize(..self.tenants.len());
        let tenant = &mut self.tenants[which];
        match random.u32(..10) {
            0..3 => tenant.resident = past(tenant.resident.clone()),
            3 => tenant.resident.unit = unit(&random.usize(100..160).to_string()),
            4 => tenant.resident.phone = Some(format!("+1212555{:04}", random.u32(..10000))),
            5 => {
                let email = format!("{}-{}@x.com", tenant.resident.id, random.u32(..9));
                tenant.resident.email = Some(email);
            }
            6 => tenant.resident.first_name = format!("Maxim{}", random.u32(..9)),
            7 => tenant.resident.lease_end = day(12, random.i8(1..28)),
            8 => tenant.listed = !tenant.listed,
            // Long gone ones leave the feed for good.
            _ => self
                .tenants
                .retain(|one| one.resident.status != LeaseStatus::Past),
        }
    }

    /// What goes wrong in this hour.
    fn trouble(&mut self, hour: u32, random: &mut Rng) -> Trouble {
        if hour.is_multiple_of(24) {
            self.left = self.left.map(|_| A_DAY);
        }
        if self.down > 0 {
            self.down -= 1;
            return Trouble::Outage;
        }
        if self.left == Some(0) {
            return Trouble::Postponed;
        }
        self.left = self.left.map(|left| left - 1);
        if random.u32(..2000) == 0 {
            self.down = random.u32(24..96);
        }
        let trouble = Trouble::of(random);
        // So few as the guard lets through may as well be right.
        if trouble == Trouble::AllPast && self.living() < 12 {
            return Trouble::Nothing;
        }
        trouble
    }

    /// How many the PMS shows and does not call past.
    fn living(&self) -> usize {
        let lives = |one: &&Tenant| one.listed && one.resident.status != LeaseStatus::Past;
        self.tenants.iter().filter(lives).count()
    }

    fn feed(&self, trouble: Trouble) -> Vec<Item> {
        let shown = self.tenants.iter().filter(|one| one.listed);
        let mut items: Vec<Item> = match trouble {
            Trouble::Empty => Vec::new(),
            Trouble::Half => shown
                .step_by(2)
                .map(|one| one.resident.clone().into())
                .collect(),
            Trouble::AllPast => shown.map(|one| past(one.resident.clone()).into()).collect(),
            _ => shown.map(|one| one.resident.clone().into()).collect(),
        };
        if trouble == Trouble::Unread && !items.is_empty() {
            items[0] = Item::Unread("record 1".into());
        }
        items
    }
}

struct Months {
    world: World,
    disk: Disk,
    random: Rng,
    properties: Vec<Property>,
    /// Who had a stay at each of them when it was last looked at, and whether it was over.
    here: Vec<BTreeMap<PersonId, bool>>,
    troubles: BTreeMap<Trouble, u64>,
    runs: u64,
    verifies: Option<std::thread::JoinHandle<()>>,
}

impl Months {
    fn new(properties: usize, seed: u64) -> Months {
        let disk = Disk::default();
        let mut world = World::on(Store::on("disk", disk.medium()).unwrap());
        world.missing_after = 24;
        // So that a few days show what a year does.
        let days = |days: u64| Span::seconds(days * 86_400);
        world.retention = Retention {
            runs: days(1),
            changes: days(1),
            ..Retention::default()
        };
        let mut random = Rng::with_seed(seed);
        let here = vec![BTreeMap::new(); properties];
        let properties = (0..properties)
            .map(|one| Property::new(one, &mut random))
            .collect();
        Months {
            world,
            disk,
            random,
            properties,
            troubles: BTreeMap::new(),
            here,
            runs: 0,
            verifies: None,
        }
    }

    /// A run of a property, in which something may go wrong.
    fn run(&mut self, which: usize, trouble: Trouble) {
        self.runs += 1;
        // Nobody looks while the store is opened anew.
        if matches!(trouble, Trouble::Killed | Trouble::Disk) {
            self.looked();
        }
        *self.troubles.entry(trouble).or_default() += 1;
        let world = &mut self.world;
        let property = &self.properties[which];
        world.integration = property.id.clone();
        let before = self.here[which].clone();
        let items = property.feed(trouble);
        world.last_run += 1;
        let (report, work) = world.work(RunId(world.last_run), items);
        let (now, forgetting) = (world.now, world.forgetting());
        let read = match trouble {
            Trouble::Incomplete => Err(Stop::Incomplete("page 2 of 3 is missing".into())),
            Trouble::Outage => Err(Stop::Incomplete("nobody answers".into())),
            Trouble::Erratic => Err(Stop::Incomplete("30 are there, and 29 came".into())),
            Trouble::Postponed => Err(Stop::Postponed("its budget is used up".into())),
            Trouble::LoginFailed => Err(Stop::LoginFailed {
                credential: "acme".into(),
                reason: "the login is refused".into(),
            }),
            _ => Ok(work),
        };
        if trouble == Trouble::Disk {
            self.disk.set(Some(Fault::Once(self.random.u64(..60))));
        }
        let begun = begin(&world.store, &report);
        if trouble == Trouble::Killed {
            begun.unwrap();
            // What is on the disk at this moment is all that remains.
            self.disk = self.disk.copy();
            world.store = Store::on("disk", self.disk.medium()).unwrap();
            return;
        }
        let ended = begun.and_then(|()| conclude(&world.store, || now, report, read, &forgetting));
        let failed = trouble == Trouble::Disk && self.disk.failed();
        self.disk.set(None);
        let report = match ended {
            Ok(report) => report,
            Err(error) => {
                assert!(failed, "{error}");
                // It may have been kept all the same.
                self.here[which] = closed(&world.stays_here());
                return;
            }
        };
        let done = report.outcome.as_str();
        match trouble {
            Trouble::Incomplete | Trouble::Outage | Trouble::Erratic => {
                assert_eq!(done, "incomplete");
            }
            Trouble::Postponed => assert_eq!(done, "postponed"),
            Trouble::LoginFailed => assert_eq!(done, "failed"),
            Trouble::Empty if before.values().any(|closed| !closed) => assert_eq!(done, "held"),
            _ => assert!(failed || report.counts.add_up(), "{report:?}"),
        }
        self.check_closings(which, &before);
    }

    /// Closings ⊆ truly past.
    fn check_closings(&mut self, which: usize, before: &BTreeMap<PersonId, bool>) {
        let stays = self.world.stays_here();
        let after = closed(&stays);
        let property = &self.properties[which];
        let truly: BTreeSet<&str> = property
            .tenants
            .iter()
            .filter(|one| one.resident.status == LeaseStatus::Past)
            .map(|one| one.resident.id.as_str())
            .collect();
        for (person, was_closed) in before {
            let is_closed = after.get(person).copied();
            assert!(is_closed.is_some(), "{person} is gone");
            if is_closed == Some(true) && !was_closed {
                let mut mine = stays.iter().filter(|(_, here, _)| here == person);
                assert!(
                    mine.any(|(resident, ..)| truly.contains(resident.as_str())),
                    "{person} was closed, and the PMS knows of no end"
                );
            }
        }
        self.here[which] = after;
    }

    fn hour(&mut self, hour: u32) {
        self.world.now += SignedDuration::from_hours(1);
        // A clock that was set wrong is put right an hour later.
        let back = -self.world.wrong;
        self.world.clock_jumps(back);
        match self.random.u32(..200) {
            0 => self.world.clock_jumps(SignedDuration::from_hours(3)),
            1 => self.world.clock_jumps(SignedDuration::from_mins(-30)),
            2 => self.world.clock_jumps(SignedDuration::from_hours(400 * 24)),
            3 => self
                .world
                .clock_jumps(SignedDuration::from_hours(-400 * 24)),
            _ => {}
        }
        for which in 0..self.properties.len() {
            let property = &mut self.properties[which];
            property.live(&mut self.random);
            let trouble = property.trouble(hour, &mut self.random);
            self.run(which, trouble);
        }
        self.verify();
    }

    /// The store as it is now is sound. Another thread looks, while this one goes on.
    fn verify(&mut self) {
        let (view, now) = (self.world.store.read().unwrap(), self.world.now);
        let looks = std::thread::spawn(move || {
            let found = view.verify().unwrap();
            assert_eq!((found.flaws, found.lost), (vec![], vec![]), "hour {now}");
        });
        self.looked();
        self.verifies = Some(looks);
    }

    /// Waits until whoever looks at the store has looked.
    fn looked(&mut self) {
        if let Some(looks) = self.verifies.take() {
            looks.join().unwrap();
        }
    }

    /// Nothing is written any more, soon after nothing goes wrong any more. What the guard held for a day, and who
    /// was missed for a day, comes to an end within two.
    fn settle(&mut self) {
        for _ in 0..48 {
            self.world.now += SignedDuration::from_hours(1);
            let mut unchanged = true;
            for which in 0..self.properties.len() {
                self.run(which, Trouble::Nothing);
                let view = self.world.store.read().unwrap();
                let last = view.run(RunId(self.world.last_run)).unwrap().unwrap();
                unchanged &= last.outcome == Outcome::Unchanged;
            }
            if unchanged {
                return;
            }
        }
        panic!("something is written again and again");
    }
}

impl World {
    /// Each resident of the property whose person has a stay there, and whether it is over.
    fn stays_here(&self) -> Vec<(String, PersonId, bool)> {
        let view = self.store.read().unwrap();
        let stay = |(resident, link): (String, Link)| {
            let person = view.person(link.person).unwrap().unwrap();
            let stay = person.stays.get(&self.integration)?;
            Some((resident, person.id, stay.is_closed()))
        };
        self.links().into_iter().filter_map(stay).collect()
    }
}

/// Whose stay is over.
fn closed(stays: &[(String, PersonId, bool)]) -> BTreeMap<PersonId, bool> {
    let stays = stays.iter();
    stays
        .map(|(_, person, closed)| (*person, *closed))
        .collect()
}

/// How much of this process is in memory, in kB.
fn in_memory() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4
}

#[test]
fn months_of_hourly_syncs_keep_what_is_promised_and_stay_as_large_as_they_were() {
    let long = std::env::var("EPMS_SIMULATED_DAYS").ok();
    let days: usize = long.as_deref().map_or(4, |days| days.parse().unwrap());
    let properties = if long.is_some() { 50 } else { 6 };
    let began = std::time::Instant::now();
    let mut months = Months::new(properties, 30);
    let (mut sizes, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..days {
        for hour in 0..24 {
            months.hour(hour);
        }
        sizes.push(months.disk.size());
        months.looked();
        memory.push(in_memory() - months.disk.holds() as u64 / 1024);
    }
    months.settle();
    months.verify();
    months.looked();
    let people = months.world.people().len();
    let kept = months.world.store.read().unwrap().verify().unwrap().entries;
    println!(
        "simulated days: {days}, properties: {properties}, runs: {}, people: {people}, seconds: {:.1}",
        months.runs,
        began.elapsed().as_secs_f32()
    );
    println!("troubles: {:?}", months.troubles);
    println!(
        "store: {:?} bytes at the end of each day; {} runs and {} changes kept",
        sizes, kept["runs-1"], kept["changes-1"]
    );
    // What is kept of two days is as much as of thirty.
    assert!(kept["runs-1"] <= 40 * properties as u64, "{kept:?}");
    let (early, late) = (sizes[days / 3], sizes[days - 1]);
    assert!(late <= early * 2, "{sizes:?}");
    // Beside other tests the memory of the process says nothing.
    if long.is_some() {
        println!("memory, without the disk: {memory:?} kB at the end of each day");
        // What a disk before a power cut took stays with the process for days, or not: the least of many days says more.
        let least = |days: &[u64]| *days.iter().min().unwrap();
        let (early, late) = (least(&memory[1..days / 3]), least(&memory[days * 2 / 3..]));
        assert!(late <= early * 3 / 2, "{memory:?}");
    }
    let troubles = months.troubles.len();
    assert!(
        troubles >= if long.is_some() { 12 } else { 11 },
        "{:?}",
        months.troubles
    );
}
