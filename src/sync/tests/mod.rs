//! The rules of `user-sync`, each shown over the real store: residents in, report, people and alerts out.

mod acting;
mod alerting;
mod entering;
mod erasing;
mod failing;
mod fooling;
mod forgetting;
mod guarding;
mod guard_arrivals;
mod guard_emptied;
mod guard_month;
mod guard_mornings;
mod guard_people;
mod guard_units;
mod guard_words;
mod histories;
mod leaving;
mod mapping;
mod months;
mod matching;
mod oracle;
mod relocating;
mod remembering;
mod renewing;
mod reports;
mod spooling;
mod troubles;
mod truth;
mod understanding;
mod updating;
mod upgrading;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};

use crate::config::{EmailChange, Guard, Retention};
use crate::model::{
    Alert, AlertKind, AlertState, Cause, Change, ChangeKind, Counts, Decision, Fate, GuardState,
    HeldPlan, IntegrationId, LeaseStatus, Link, Origin, Outcome, Person, PersonId, Preview,
    Printer, Resident, Run, RunId, Spool, Stay, Unit,
};
use crate::store::{Lookup, Property, Store, StoreError, Uptime};

use super::commit::{self, Work, begin, commit, conclude};
use super::memory::{Basis, Earlier, Made, MappedBy, Memory, Takings};
use super::retention::Forgetting;
use crate::rules::dates::BadDates;
use crate::rules::entry::Entry;
use crate::rules::normal::{Normal, Notes, normalise};
use crate::rules::plan::plan;
use crate::testing::searching;

const START: &str = "2026-03-01T10:00:00Z";
const HOME: &str = "elm";
const OTHER: &str = "oak";

/// What the mapping would give for one resident of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// It maps well.
    Here(Resident),
    /// It is left out, for this reason.
    LeftOut(Resident, &'static str),
    /// The script understood who it is, and something else about it is wrong.
    Bad(String),
    /// The same at this place, by these words.
    Wrong(String, &'static str, String),
    /// The script could not read the record of this id, or number: `record 7`.
    Unread(String),
    /// The record of this id has nobody in it.
    Nobody(String),
}

impl Item {
    fn id(&self) -> &str {
        match self {
            Item::Here(resident) | Item::LeftOut(resident, _) => &resident.id,
            Item::Bad(id) | Item::Wrong(id, ..) | Item::Unread(id) | Item::Nobody(id) => id,
        }
    }
}

impl From<Resident> for Item {
    fn from(resident: Resident) -> Item {
        Item::Here(resident)
    }
}

/// A store, a clock, and the settings of the next run.
struct World {
    store: Store,
    now: Timestamp,
    last_run: u64,
    integration: IntegrationId,
    email_change: EmailChange,
    missing_after: u32,
    guard: Guard,
    lookups: Vec<(String, Lookup)>,
    /// The PMS properties that feed the integration, where there are several: whose an id is, says what stands
    /// before its `/`.
    pms_properties: Vec<&'static str>,
    retention: Retention,
    /// When the daemon started, and by how much the clock is wrong since.
    began: Timestamp,
    wrong: SignedDuration,
    /// How often it was started.
    starts: u64,
    /// Every run looks at everything.
    forgetful: bool,
    /// How many residents one record has.
    per_record: usize,
    /// Where runs put what they cannot keep in memory, where that is not for the store to say.
    spool: Option<Arc<dyn Spool>>,
}

/// What a run said and did.
#[derive(Debug)]
struct Seen {
    report: Run,
    decisions: Vec<Decision>,
    changes: Vec<Change>,
    /// The integration's open alerts after the run.
    alerts: Vec<Alert>,
    /// What the guard knows after the run.
    state: GuardState,
}

impl World {
    fn new() -> World {
        World::on(Store::in_memory().unwrap())
    }

    fn on(store: Store) -> World {
        World {
            store,
            now: START.parse().unwrap(),
            last_run: 0,
            integration: IntegrationId::new(HOME),
            email_change: EmailChange::HoldRecord,
            missing_after: 3,
            guard: Guard::default(),
            lookups: Vec::new(),
            pms_properties: Vec::new(),
            retention: Retention::default(),
            began: START.parse().unwrap(),
            wrong: SignedDuration::ZERO,
            starts: 1,
            forgetful: false,
            per_record: 1,
            spool: None,
        }
    }

    /// The guard holds nothing but empty feeds and arrivals that are very many at once.
    fn unguarded(&mut self) {
        self.guard.limit = 1000;
        self.guard.percent = 100;
        self.guard.window = crate::config::Span::seconds(1);
    }

    /// The next runs are another property's.
    fn at(&mut self, integration: &str) -> &mut World {
        self.integration = IntegrationId::new(integration);
        self
    }

    fn entry(item: Item, record: Option<&str>, notes: &mut Notes) -> Entry {
        let placeholders = crate::config::Settings::default().placeholder_emails;
        let other = |id: &str| record.filter(|record| *record != id).map(String::from);
        match item {
            Item::Here(resident) => {
                let id = resident.id.clone();
                match normalise(resident, "US", &placeholders, notes) {
                    Ok(normal) => Entry::Resident {
                        property: pms_property(&id),
                        normal,
                        excluded: None,
                        record: other(&id),
                    },
                    Err(error) => Entry::Rejected {
                        record: id.clone(),
                        has_id: true,
                        resident: Some(id),
                        place: error.field.into(),
                        message: error.message.into(),
                    },
                }
            }
            Item::LeftOut(resident, reason) => Entry::Resident {
                property: pms_property(&resident.id),
                record: other(&resident.id),
                normal: Normal {
                    resident,
                    keep_phone: false,
                    reversed: false,
                },
                excluded: Some(reason.into()),
            },
            Item::Bad(id) => {
                let wrong = Item::Wrong(id, "lease_end", "is wrong".into());
                World::entry(wrong, record, notes)
            }
            Item::Wrong(id, place, message) => Entry::Rejected {
                record: id.clone(),
                has_id: true,
                resident: Some(id),
                place: place.into(),
                message,
            },
            Item::Unread(record) => Entry::Rejected {
                has_id: !record.starts_with("record "),
                record,
                resident: None,
                place: "scripts/elm.rhai:3:9".into(),
                message: "LeaseFrom: is no date".into(),
            },
            Item::Nobody(record) => Entry::Nobody { record },
        }
    }

    /// The records of items, as a run takes them that remembers the run before.
    fn taken(&self, items: Vec<Item>, memory: Option<&Memory>, seed: u64) -> Takings {
        let known = memory.map(Memory::known);
        let printer = Printer::new(seed, "residents", "p1");
        let records = items.chunks(self.per_record);
        let mut taken = Takings::to(&self.spool());
        for items in records {
            let text = format!("{items:?}");
            let print = printer.print(&text);
            let place = known.as_ref().and_then(|known| known.place_of(print));
            let make = || {
                let mut made = Made::of(print, text.len());
                // A household is a record with the id of its first member.
                let named = |item: &&Item| !matches!(item, Item::Unread(_) | Item::Nobody(_));
                let record = items.iter().find(named).map(Item::id);
                for item in items {
                    let entry = World::entry(item.clone(), record, &mut made.notes);
                    made.entries.push(entry);
                }
                made
            };
            match place {
                Some(place) => taken.know(place),
                None => taken.make(make()),
            }
        }
        taken
    }

    fn spool(&self) -> Arc<dyn Spool> {
        let given = self.spool.clone();
        given.unwrap_or_else(|| self.store.spool())
    }

    /// What the run before remembered.
    fn memory(&self) -> Option<Memory> {
        let basis = self.basis();
        let parts = self.store.read().unwrap().feed(&self.integration).unwrap();
        let parts = if self.forgetful { Vec::new() } else { parts };
        Memory::read(&parts, &basis, date(2026, 3, 1))
    }

    /// What a run before remembered by earlier rules.
    fn earlier(&self) -> Option<Earlier> {
        let parts = self.store.read().unwrap().feed(&self.integration).unwrap();
        let parts = if self.forgetful { Vec::new() } else { parts };
        Earlier::read(&parts, None)
    }

    /// From here on, what the runs before remembered is of an earlier version, which kept no version of its rules.
    fn is_upgraded(&self) {
        let parts = self.store.read().unwrap().feed(&self.integration).unwrap();
        let mut header: serde_json::Value = serde_json::from_slice(&parts[0]).unwrap();
        let header = header.as_object_mut().unwrap();
        assert!(header.remove("rules").is_some());
        let links = self.links();
        let absent = links.iter().filter(|(_, link)| link.misses > 0);
        let absent: Vec<&str> = absent.map(|(resident, _)| resident.as_str()).collect();
        header.insert("absent".into(), absent.into());
        let header = serde_json::to_vec(header).unwrap();
        let write = self.store.write().unwrap();
        write.put_feed(&self.integration, 0, &header).unwrap();
        write.commit().unwrap();
    }

    /// An earlier version missed this resident in enough runs, and did not know what tells an old id from a new one.
    fn missed_by_earlier_rules(&self, resident: &str) {
        let write = self.store.write().unwrap();
        let link = write.link(&self.integration, resident).unwrap().unwrap();
        let link = Link {
            misses: self.missing_after,
            outlived: 0,
            superseded: false,
            lease_start: None,
            ..link
        };
        let links = [(resident, &link)];
        write.put_links(&self.integration, links).unwrap();
        write.commit().unwrap();
    }

    /// An earlier version kept this resident current, whose record says that they left.
    fn kept_by_earlier_rules(&self, resident: &str) {
        let link = self.links()[resident].clone();
        let write = self.store.write().unwrap();
        let mut person = write.person(link.person).unwrap().unwrap();
        let stay = person.stays.get_mut(&self.integration).unwrap();
        stay.status = LeaseStatus::Current;
        write.put_person(&person).unwrap();
        let link = Link {
            status: LeaseStatus::Current,
            ..link
        };
        let links = [(resident, &link)];
        write.put_links(&self.integration, links).unwrap();
        write.commit().unwrap();
    }

    fn basis(&self) -> Basis {
        Basis(format!(
            "{:?} {} {:?} {:?}",
            self.email_change, self.missing_after, self.guard, self.pms_properties
        ))
    }

    /// The report of a run that begins now, and its work.
    fn work(&self, id: RunId, items: Vec<Item>) -> (Run, Work) {
        let records = items.len() as u64;
        let silent = self.silent(&items);
        let memory = self.memory();
        let earlier = self.earlier();
        let seed = memory.as_ref().map(Memory::seed);
        let seed = seed.or(earlier.as_ref().map(Earlier::seed)).unwrap_or(7);
        let taken = self.taken(items, memory.as_ref(), seed);
        let report = Run {
            requests: 1,
            id,
            integration: self.integration.clone(),
            cause: Cause::Schedule,
            generation: 1,
            started: self.now,
            ended: None,
            outcome: Outcome::Running,
            pages: 1,
            records,
            counts: Counts::default(),
            changes: 0,
            approved_by: None,
            rejected_by: None,
            excluded_by: BTreeMap::new(),
            notes: BTreeMap::new(),
        };
        let work = Work {
            credential: "acme".into(),
            email_change: self.email_change,
            missing_after: self.missing_after,
            guard: self.guard.clone(),
            today: day_of(self.now),
            attached: self
                .pms_properties
                .iter()
                .map(ToString::to_string)
                .collect(),
            earlier,
            spool: self.spool(),
            silent,
            seen: records,
            taken,
            lookups: self.lookups.clone(),
            notes: BTreeMap::new(),
            mapped: MappedBy {
                basis: self.basis(),
                today: None,
                seed,
                script: String::new(),
            },
            memory: memory.map(Arc::new),
        };
        (report, work)
    }

    /// What the next run would do, of which nothing remains.
    fn preview(&self, items: Vec<Item>) -> Preview {
        let (report, mut work) = self.work(RunId(0), items);
        let now = self.now + SignedDuration::from_hours(1);
        work.today = day_of(now);
        commit::preview(&self.store, || now, report, work)
            .unwrap()
            .unwrap()
    }

    /// One run over these residents, by the functions that every run goes through. It is previewed before, and does
    /// what the preview says.
    #[track_caller]
    fn run<I: Into<Item>>(&mut self, items: impl IntoIterator<Item = I>) -> Seen {
        let items: Vec<Item> = items.into_iter().map(Into::into).collect();
        let preview = self.preview(items.clone());
        let seen = self.runs(items);
        let found = self.store.read().unwrap().verify().unwrap();
        assert_eq!((found.flaws, found.lost), (vec![], vec![]));
        seen.is_as_previewed(preview);
        seen
    }

    /// The same without the preview, and without a look at the whole store: for those who run often.
    #[track_caller]
    fn runs<I: Into<Item>>(&mut self, items: impl IntoIterator<Item = I>) -> Seen {
        let before = self.store.read().unwrap().last_change().unwrap();
        let report = self.try_run(items).unwrap();
        assert_eq!(report.counts.seen, report.records);
        assert!(report.counts.add_up(), "{report:?}");
        let view = self.store.read().unwrap();
        Seen {
            decisions: view.decisions(report.id).unwrap(),
            changes: view.changes(before, usize::MAX).unwrap(),
            alerts: self.open_alerts(),
            state: view.guard(&self.integration).unwrap(),
            report,
        }
    }

    /// The same without the preview, where the store may fail.
    fn try_run<I: Into<Item>>(
        &mut self,
        items: impl IntoIterator<Item = I>,
    ) -> Result<Run, StoreError> {
        let items: Vec<Item> = items.into_iter().map(Into::into).collect();
        self.now += SignedDuration::from_hours(1);
        self.last_run += 1;
        let now = self.now;
        let (report, work) = self.work(RunId(self.last_run), items);
        begin(&self.store, &report)?;
        conclude(&self.store, || now, report, Ok(work), &self.forgetting())
    }

    /// A run whose source says no.
    fn fails(&mut self) -> Run {
        self.now += SignedDuration::from_hours(1);
        self.last_run += 1;
        let (now, none) = (self.now, Vec::<Item>::new());
        let (report, _) = self.work(RunId(self.last_run), none);
        begin(&self.store, &report).unwrap();
        let stop = commit::Stop::Failed("the PMS answered 400".into());
        conclude(&self.store, || now, report, Err(stop), &self.forgetting()).unwrap()
    }

    fn forgetting(&self) -> Forgetting {
        let up = self.now.duration_since(self.began) - self.wrong;
        Forgetting {
            retention: self.retention,
            up: Uptime {
                process: self.starts,
                seconds: u64::try_from(up.as_secs()).unwrap_or_default(),
            },
        }
    }

    /// The clock jumps.
    fn clock_jumps(&mut self, by: SignedDuration) {
        self.now += by;
        self.wrong += by;
    }

    /// No daemon was up for a while.
    fn restarts_after(&mut self, while_: SignedDuration) {
        self.now += while_;
        (self.began, self.wrong) = (self.now, SignedDuration::ZERO);
        self.starts += 1;
    }

    fn silent(&self, items: &[Item]) -> BTreeSet<String> {
        let sent = |property: &&&str| {
            items.iter().any(|item| match item {
                Item::Bad(_) | Item::Unread(_) => false,
                one => pms_property(one.id()).as_deref() == Some(**property),
            })
        };
        let silent = self.pms_properties.iter().filter(|one| !sent(one));
        silent.map(ToString::to_string).collect()
    }

    /// A run on what was just read writes nothing, says so, and leaves the alerts as they are.
    #[track_caller]
    fn settles<I: Into<Item>>(&mut self, items: impl IntoIterator<Item = I>) {
        let (people, alerts) = (self.people(), self.open_alerts());
        let seen = self.run(items);
        assert_eq!(seen.report.outcome, Outcome::Unchanged, "{seen:#?}");
        assert_eq!(seen.changes, []);
        assert_eq!(self.people(), people);
        let causes = |alerts: &[Alert]| -> Vec<_> {
            let of = |alert: &Alert| {
                let (id, first) = (alert.id, alert.first_seen);
                (id, alert.kind, alert.subject.clone(), first)
            };
            alerts.iter().map(of).collect()
        };
        assert_eq!(causes(&seen.alerts), causes(&alerts));
    }

    fn people(&self) -> Vec<Person> {
        let view = self.store.read().unwrap();
        view.people(None, usize::MAX, |_| true).unwrap()
    }

    fn person(&self, id: u64) -> Person {
        let view = self.store.read().unwrap();
        view.person(PersonId(id)).unwrap().unwrap()
    }

    /// A person's stay at the property of the next run.
    fn stay(&self, id: u64) -> Stay {
        self.person(id).stay(&self.integration).cloned().unwrap()
    }

    fn open_alerts(&self) -> Vec<Alert> {
        let view = self.store.read().unwrap();
        let open = |alert: &Alert| {
            alert.state == AlertState::Open && alert.integration == self.integration
        };
        view.alerts(None, usize::MAX, open).unwrap()
    }

    fn links(&self) -> BTreeMap<String, Link> {
        self.store
            .write()
            .unwrap()
            .links(&self.integration)
            .unwrap()
    }

    /// What somebody does by hand.
    fn edit(&self, id: u64, change: impl FnOnce(&mut Person)) {
        let mut person = self.person(id);
        change(&mut person);
        let write = self.store.write().unwrap();
        write.put_person(&person).unwrap();
        write.commit().unwrap();
    }

    /// A person made by hand, who lives nowhere.
    fn by_hand(&self, first: &str, last: &str, email: Option<&str>) -> u64 {
        let write = self.store.write().unwrap();
        let id = write.new_person_id().unwrap();
        let person = Person {
            first_name: first.into(),
            last_name: last.into(),
            email: email.map(String::from),
            ..Person::new(id, Origin::Hand, self.now)
        };
        write.put_person(&person).unwrap();
        write.commit().unwrap();
        id.0
    }
}

impl Seen {
    /// The preview said what was done. Its run has no number, and changes get theirs with the commit.
    #[track_caller]
    fn is_as_previewed(&self, preview: Preview) {
        let Preview {
            report,
            changes,
            decisions,
            raised,
            closed,
            names: _,
            held,
            since_upgrade,
            tried: _,
        } = preview;
        // A run that is not understood plans nothing; what an earlier one held waits.
        let plans = !matches!(report.outcome, Outcome::NotUnderstood { .. });
        let items = |plan: Option<HeldPlan>| plan.map(|plan| (plan.digest, plan.items));
        let waits = |plan: &Option<HeldPlan>| items(plan.clone().filter(|_| plans));
        assert_eq!(items(held), waits(&self.state.held));
        assert_eq!(items(since_upgrade), waits(&self.state.since_upgrade));
        let digest = |outcome: &Outcome| outcome.digest().map(String::from);
        let told = |run: &Run| {
            let Run {
                outcome,
                counts,
                changes,
                approved_by,
                excluded_by,
                notes,
                ..
            } = run.clone();
            let outcome = (outcome.as_str(), digest(&outcome));
            (outcome, counts, changes, approved_by, excluded_by, notes)
        };
        assert_eq!(told(&report), told(&self.report));
        assert_eq!(decisions, self.decisions);
        let numbered = changes.into_iter().zip(&self.changes).map(|(one, done)| {
            let (seq, run) = (done.seq, done.run);
            Change { seq, run, ..one }
        });
        assert_eq!(numbered.collect::<Vec<_>>(), self.changes);
        assert_eq!(report.changes, self.report.changes);
        for one in raised {
            let (run, id) = (self.report.id, one.id);
            let open = self.alerts.iter().find(|alert| alert.id == id).unwrap();
            assert_eq!(one.raised_by, RunId::NONE);
            let detail = one.detail.replace("r0`", &format!("{run}`"));
            let one = Alert {
                raised_by: run,
                detail,
                ..one
            };
            assert_eq!(one, *open);
        }
        for one in closed {
            assert!(self.alerts.iter().all(|alert| alert.id != one.id));
        }
    }

    /// What was decided about a resident; the first decision where it has several leases.
    #[track_caller]
    fn fate(&self, resident: &str) -> Fate {
        self.decision(resident).fate
    }

    #[track_caller]
    fn decision(&self, resident: &str) -> &Decision {
        self.decisions
            .iter()
            .find(|decision| decision.subject == resident)
            .unwrap_or_else(|| panic!("nothing was decided about {resident}: {self:#?}"))
    }

    /// Fate and rule.
    #[track_caller]
    fn ruled(&self, resident: &str) -> (Fate, &str) {
        let decision = self.decision(resident);
        (decision.fate, &decision.rule)
    }

    fn kinds(&self) -> Vec<AlertKind> {
        self.alerts.iter().map(|alert| alert.kind).collect()
    }

    #[track_caller]
    fn alert(&self, kind: AlertKind) -> &Alert {
        self.alerts
            .iter()
            .find(|alert| alert.kind == kind)
            .unwrap_or_else(|| panic!("no {kind} is open: {self:#?}"))
    }

    fn change_kinds(&self) -> Vec<ChangeKind> {
        self.changes.iter().map(|change| change.kind).collect()
    }
}

const NO_ALERTS: [AlertKind; 0] = [];
const NO_CHANGES: [ChangeKind; 0] = [];

fn day_of(now: Timestamp) -> Date {
    now.to_zoned(jiff::tz::TimeZone::UTC).date()
}

fn pms_property(resident: &str) -> Option<String> {
    let (property, _) = resident.split_once('/')?;
    Some(property.to_owned())
}

#[allow(clippy::unnecessary_wraps, reason = "so residents have them")]
fn day(month: i8, day: i8) -> Option<Date> {
    Some(date(2026, month, day))
}

#[allow(clippy::unnecessary_wraps, reason = "so residents have them")]
fn unit(label: &str) -> Option<Unit> {
    Some(Unit {
        id: format!("u{label}"),
        label: label.into(),
        formerly: None,
    })
}

/// A current resident of unit 101, until the end of the year.
fn resident(id: &str, first: &str, last: &str, email: &str) -> Resident {
    Resident {
        id: id.into(),
        lease_id: Some(format!("lease-{id}")),
        household: None,
        relationship: crate::model::Relationship::Primary,
        first_name: first.into(),
        last_name: last.into(),
        email: Some(email.into()),
        phone: None,
        unit: unit("101"),
        lease_start: day(1, 1),
        lease_end: day(12, 31),
        move_in: day(1, 1),
        move_out: None,
        unreadable: BTreeSet::new(),
        status: LeaseStatus::Current,
        status_word: "Current".into(),
        notice: false,
        eviction: false,
    }
}

fn ana() -> Resident {
    resident("t1", "Ana", "Ortiz", "ana@x.com")
}

fn bob() -> Resident {
    Resident {
        unit: unit("102"),
        ..resident("t2", "Bob", "Marsh", "bob@x.com")
    }
}

/// So many humans who have nothing in common: names, email, phone, household and unit of their own.
fn neighbours(count: usize) -> Vec<Resident> {
    humans("t", 0..count)
}

/// So many who live nowhere yet, and of whom nobody is one of the `neighbours`.
fn strangers(count: usize) -> Vec<Resident> {
    humans("s", 5000..5000 + count)
}

/// Humans by their numbers: what is theirs follows from the number alone.
fn humans(prefix: &str, numbers: std::ops::Range<usize>) -> Vec<Resident> {
    let human = |number: usize| Resident {
        household: Some(format!("household-{number}")),
        phone: Some(format!("+1212555{number:04}")),
        unit: unit(&format!("{}", 1000 + number)),
        ..resident(
            &format!("{prefix}{number:03}"),
            &format!("Given{number}"),
            &format!("Family{number}"),
            &format!("human{number}@mail.com"),
        )
    };
    numbers.map(human).collect()
}

fn with_status(resident: Resident, status: LeaseStatus) -> Resident {
    Resident {
        status,
        status_word: status.to_string(),
        ..resident
    }
}

fn past(resident: Resident) -> Resident {
    with_status(resident, LeaseStatus::Past)
}

fn with_email(resident: Resident, email: &str) -> Resident {
    Resident {
        email: Some(email.into()),
        ..resident
    }
}

fn with_id(resident: Resident, id: &str) -> Resident {
    Resident {
        id: id.into(),
        lease_id: Some(format!("lease-{id}")),
        ..resident
    }
}

fn without_email(resident: Resident) -> Resident {
    Resident {
        email: None,
        ..resident
    }
}

fn nobody() -> [Resident; 0] {
    []
}
